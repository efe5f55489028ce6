/* SPDX-License-Identifier: MIT */
/* Bodies that are pulled from their owner, piece by piece, and all that may go wrong with them. */
#include "tests/lib/test.h"
#include "tests/sim/http.h"
#include "tests/sim/sim.h"

#include "io/http.h"
#include "loop/timer.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { BODY_BYTES = 100003, PIECE_BYTES = 4099, LATE_MS = 7 };

struct sender {
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct rv_http_options options;
    struct rv_http *http;
    struct rv_timer timer, resume_timer;

    size_t size;   /* what the owner has */
    size_t piece;  /* at most so much at a time */
    bool late;     /* before each piece it is late */
    bool late_now; /* LATE_MS have begun */
    bool ready_inside;
    bool resumed; /* half of the LATE_MS later, which wakes the request and is not for the owner */
    bool last_alone; /* RV_HTTP_GIVE_LAST comes without a byte */
    bool never;      /* nothing more, after the first piece */
    unsigned cancel_at;
    bool may_rewind;

    size_t given;
    unsigned asked, rewinds, dones;
    int status, error;
    uint64_t start_ns, done_ms;
    char problem[256];
};

static char byte_at(size_t offset)
{
    return (char)(offset * 31 + offset / 251);
}

static void resume(struct rv_timer *timer)
{
    struct sender *sender = rv_container_of(timer, struct sender, resume_timer);

    rv_http_pause(sender->http);
    rv_http_resume(sender->http);
}

static void more_is_here(struct rv_timer *timer)
{
    struct sender *sender = rv_container_of(timer, struct sender, timer);

    rv_http_body_ready(sender->http);
}

/* Whether the owner has nothing just now. */
static bool be_late(struct sender *sender)
{
    if (sender->never && sender->given)
        return true;
    sender->late_now = sender->late && !sender->late_now;
    if (!sender->late_now)
        return false;
    if (sender->ready_inside)
        rv_http_body_ready(sender->http);
    else
        rv_timer_start_ms(sender->runtime, &sender->timer, LATE_MS);
    if (sender->resumed)
        rv_timer_start_ms(sender->runtime, &sender->resume_timer, LATE_MS / 2);
    return true;
}

static enum rv_http_give give(struct rv_http *http, char *room, size_t size, size_t *ret_len,
                              void *arg)
{
    struct sender *sender = arg;
    size_t len = sender->size - sender->given;

    cr_assert_eq(http, sender->http);
    cr_assert_eq(size, RV_HTTP_PULL_BYTES);
    cr_assert_eq(*ret_len, 0);
    cr_assert_eq(sender->dones, 0);
    if (++sender->asked == sender->cancel_at)
        rv_http_cancel(http);
    if (be_late(sender))
        return RV_HTTP_GIVE_LATER;
    if (len > sender->piece)
        len = sender->piece;
    for (size_t i = 0; i < len; i++)
        room[i] = byte_at(sender->given + i);
    sender->given += len;
    *ret_len = len;
    if (sender->given == sender->size && !(len && sender->last_alone))
        return RV_HTTP_GIVE_LAST;
    return RV_HTTP_GIVE_MORE;
}

static bool rewind_body(struct rv_http *http, void *arg)
{
    struct sender *sender = arg;

    (void)http;
    sender->rewinds++;
    sender->given = 0;
    return sender->may_rewind;
}

static void on_head(struct rv_http *http, int status, void *arg)
{
    struct sender *sender = arg;

    (void)http;
    sender->status = status;
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct sender *sender = arg;

    cr_assert_eq(sender->dones++, 0);
    rv_timer_stop(sender->runtime, &sender->timer);
    sender->error = error;
    sender->done_ms = (rv_sim_now_ns(sender->runtime) - sender->start_ns) / 1000000;
    snprintf(sender->problem, sizeof sender->problem, "%s", rv_http_problem(http));
}

static void accept_all(struct rv_sim_http_exchange *x, void *arg)
{
    if (arg)
        rv_sim_http_dies_after(x, *(size_t *)arg);
    rv_sim_http_status(x, 201);
}

static int sender_open(struct sender *sender, struct rv_test *t)
{
    struct reeve_runtime_options options;
    int error;

    memset(sender, 0, sizeof *sender);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(NULL, &options, &sender->runtime);
    if (error)
        return error;
    sender->start_ns = rv_sim_now_ns(sender->runtime);
    sender->net = rv_sim_http_of(sender->runtime);
    rv_sim_http_on(sender->net, NULL, NULL, NULL, accept_all, NULL);
    rv_timer_init(&sender->timer, more_is_here);
    rv_timer_init(&sender->resume_timer, resume);
    sender->size = BODY_BYTES;
    sender->piece = PIECE_BYTES;
    sender->options = (struct rv_http_options){.method = "PUT",
                                               .url = "http://sim.test/put",
                                               .on_body = give,
                                               .body_bytes = RV_HTTP_NO_LENGTH,
                                               .max_response_bytes = 1000,
                                               .on_head = on_head,
                                               .on_done = on_done,
                                               .arg = sender};
    return 0;
}

static void sender_new(struct sender *sender, struct rv_test *t)
{
    cr_assert_eq(sender_open(sender, t), 0);
}

static void run(struct sender *sender)
{
    cr_assert_eq(rv_http_start(sender->runtime, &sender->options, &sender->http), 0);
    cr_assert_eq(sender->asked, 0, "asked inside the start");
    cr_assert_eq(reeve_runtime_run(sender->runtime), 0);
    cr_assert_eq(sender->dones, 1);
}

static void check_body(const struct sender *sender)
{
    const struct rv_sim_http_request *request = rv_sim_http_request_at(sender->net, 1);

    cr_assert_eq(request->body_len, sender->size);
    for (size_t i = 0; i < sender->size; i++) {
        if (request->body[i] != byte_at(i))
            cr_assert_fail("wrong at %zu", i);
    }
}

static void expect_whole(struct sender *sender)
{
    cr_assert_eq(sender->error, 0, "%s", sender->problem);
    cr_assert_eq(sender->status, 201);
    check_body(sender);
    reeve_runtime_free(sender->runtime);
}

RV_TEST(pull, sizes_and_pieces)
{
    static const size_t sizes[] = {0, 1, 999, 1000, 1001, RV_HTTP_PULL_BYTES, BODY_BYTES};
    static const size_t pieces[] = {333, 1000, PIECE_BYTES, RV_HTTP_PULL_BYTES};
    struct sender sender;

    for (size_t i = 0; i < 7 * 4 * 4; i++) {
        sender_new(&sender, t);
        sender.size = sizes[i % 7];
        sender.piece = pieces[i / 7 % 4];
        sender.last_alone = i / 28 & 1;
        if (i / 56 & 1)
            sender.options.body_bytes = (int64_t)sender.size;
        run(&sender);
        expect_whole(&sender);
    }
}

RV_TEST(pull, not_asked_beyond_the_length)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.size = 2 * PIECE_BYTES;
    sender.options.body_bytes = 2 * PIECE_BYTES;
    sender.last_alone = true; /* it would be asked a third time */
    run(&sender);
    cr_assert_eq(sender.asked, 2);
    expect_whole(&sender);
}

RV_TEST(pull, a_body_of_no_bytes_is_not_asked_for)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.size = 0;
    sender.options.body_bytes = 0;
    run(&sender);
    cr_assert_eq(sender.asked, 0);
    expect_whole(&sender);
}

RV_TEST(pull, another_length_than_was_said)
{
    static const int64_t lengths[] = {1, PIECE_BYTES, BODY_BYTES - 1, BODY_BYTES + 1, INT64_MAX};
    struct sender sender;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        sender_new(&sender, t);
        sender.piece = i == 1 ? PIECE_BYTES + 1 : PIECE_BYTES;
        sender.options.body_bytes = lengths[i];
        run(&sender);
        cr_assert_eq(sender.error, REEVE_EINVAL, "%jd", (intmax_t)lengths[i]);
        cr_assert_str_eq(sender.problem, "the request to http://sim.test/put failed: its body is "
                                         "not as long as was said");
        cr_assert_eq(sender.status, 0);
        reeve_runtime_free(sender.runtime);
    }
}

RV_TEST(pull, an_owner_that_is_late)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.late = true;
    run(&sender);
    cr_assert_eq(sender.asked, 2 * (BODY_BYTES / PIECE_BYTES + 1), "only after it was ready");
    cr_assert_eq(sender.done_ms, LATE_MS * (BODY_BYTES / PIECE_BYTES + 1));
    expect_whole(&sender);
}

RV_TEST(pull, an_owner_that_is_late_is_not_asked_for_another_reason)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.late = sender.resumed = true;
    run(&sender);
    cr_assert_eq(sender.asked, 2 * (BODY_BYTES / PIECE_BYTES + 1), "only after it was ready");
    cr_assert_eq(sender.done_ms, LATE_MS * (BODY_BYTES / PIECE_BYTES + 1));
    expect_whole(&sender);
}

RV_TEST(pull, ready_inside_the_asking)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.late = sender.ready_inside = true;
    run(&sender);
    cr_assert_eq(sender.done_ms, 0);
    expect_whole(&sender);
}

/* ---- limits ---------------------------------------------------------------------------------- */

RV_TEST(pull, the_owner_is_not_what_is_waited_for)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.late = true;
    sender.options.first_byte_timeout_ms = LATE_MS - 2;
    run(&sender);
    expect_whole(&sender);
}

static void say_nothing(struct rv_sim_http_exchange *x, void *arg)
{
    (void)arg;
    rv_sim_http_stall(x);
}

RV_TEST(pull, the_first_byte_is_waited_for_from_the_last_of_the_body)
{
    struct sender sender;

    sender_new(&sender, t);
    rv_sim_http_on(sender.net, NULL, NULL, NULL, say_nothing, NULL);
    sender.size = 2 * PIECE_BYTES;
    sender.late = true;
    sender.options.first_byte_timeout_ms = 50;
    run(&sender);
    cr_assert_eq(sender.error, REEVE_ETIMEDOUT);
    cr_assert_eq(sender.done_ms, 2 * LATE_MS + 50);
    cr_assert_str_eq(sender.problem,
                     "no answer from http://sim.test/put within 50 ms (first_byte_timeout_ms)");
    reeve_runtime_free(sender.runtime);
}

RV_TEST(pull, the_whole_limit_waits_for_nobody)
{
    struct sender sender;

    sender_new(&sender, t);
    sender.never = true;
    sender.options.timeout_ms = 40;
    run(&sender);
    cr_assert_eq(sender.error, REEVE_ETIMEDOUT);
    cr_assert_eq(sender.done_ms, 40);
    cr_assert_eq(sender.asked, 2);
    reeve_runtime_free(sender.runtime);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

RV_TEST(pull, cancelled_in_each_asking)
{
    struct sender sender;
    unsigned most = 2 * (BODY_BYTES / PIECE_BYTES + 1);

    for (unsigned n = 1; n <= most; n++) {
        sender_new(&sender, t);
        sender.late = true;
        sender.cancel_at = n;
        run(&sender);
        cr_assert_eq(sender.error, REEVE_ECANCELED, "%u", n);
        cr_assert_eq(sender.asked, n);
        cr_assert_eq(sender.status, 0);
        reeve_runtime_free(sender.runtime);
    }
}

/* ---- from the beginning again ---------------------------------------------------------------- */

RV_TEST(pull, given_again_on_another_connection)
{
    static size_t points[] = {0, 1, PIECE_BYTES, BODY_BYTES / 2, BODY_BYTES};
    struct sender sender;

    for (size_t i = 0; i < 4 * sizeof points / sizeof *points; i++) {
        sender_new(&sender, t);
        rv_sim_http_on(sender.net, NULL, NULL, NULL, accept_all, &points[i / 4]);
        sender.options.on_rewind = rewind_body;
        if (i & 2)
            sender.options.body_bytes = BODY_BYTES;
        sender.may_rewind = true;
        sender.late = i & 1;
        run(&sender);
        cr_assert_eq(sender.rewinds, points[i / 4] != 0, "nothing had been given");
        expect_whole(&sender);
    }
}

RV_TEST(pull, what_cannot_be_given_again)
{
    static size_t half = BODY_BYTES / 2;
    struct sender sender;

    for (int i = 0; i < 2; i++) {
        sender_new(&sender, t);
        rv_sim_http_on(sender.net, NULL, NULL, NULL, accept_all, &half);
        if (i)
            sender.options.on_rewind = rewind_body;
        run(&sender);
        cr_assert_eq(sender.error, REEVE_ECONNLOST, "%s", sender.problem);
        cr_assert_eq(sender.rewinds, (unsigned)i);
        if (i)
            cr_assert_str_eq(sender.problem,
                             "the connection to http://sim.test/put was lost: after a part of the "
                             "body that cannot be given again");
        reeve_runtime_free(sender.runtime);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int send_once(struct rv_test *t, void *arg)
{
    static size_t half = BODY_BYTES / 2;
    struct sender sender;
    int error = sender_open(&sender, t);

    (void)arg;
    if (error)
        return error;
    rv_sim_http_on(sender.net, NULL, NULL, NULL, accept_all, &half);
    sender.options.on_rewind = rewind_body;
    sender.may_rewind = true;
    sender.late = true;
    error = rv_http_start(sender.runtime, &sender.options, &sender.http);
    if (!error) {
        cr_assert_eq(reeve_runtime_run(sender.runtime), 0);
        cr_assert_eq(sender.dones, 1);
        error = sender.error;
        if (!error)
            check_body(&sender);
    }
    reeve_runtime_free(sender.runtime);
    return error;
}

RV_TEST(pull, memory_runs_out)
{
    RV_SWEEP_ALLOCATIONS(t, send_once, NULL, 10);
}
