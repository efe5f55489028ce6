/* SPDX-License-Identifier: MIT */
/*
 * A request above its wire, on the simulated network and the virtual clock: limits to the
 * millisecond, every split and every fault at every byte, cancel at every step.
 */
#include "tests/lib/test.h"
#include "tests/sim/http.h"
#include "tests/sim/sim.h"

#include "io/http.h"
#include "io/sse.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

#define URL "http://sim.test/v1/chat"

/* What a server streams, and what its client must understand of it. */
static const char events[] = "data: {\"a\":1}\n\n: ping\r\n\r\ndata: two\rdata: lines\n\n"
                             "event: end\ndata: [DONE]\n\n";
static const char events_seen[] = "{\"a\":1};two\nlines;[DONE];";

struct client {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct rv_http_options options;
    struct rv_http *http;
    struct rv_sse sse;
    struct rv_mem *seen_mem;
    struct rv_buffer seen;
    unsigned heads, datas, dones;
    int status;
    int error;
    int parse_error;
    uint64_t done_ms;
    uint64_t start_ns;
    size_t received;
    size_t longest; /* piece */
    char problem[512];

    bool pause_in_data;
    unsigned cancel_in; /* the n-th callback; 0: none */
    unsigned callbacks;
};

static int on_event(const struct rv_sse_event *event, void *arg)
{
    struct client *client = arg;

    cr_assert_eq(rv_buffer_add(&client->seen, event->data, event->data_len), 0);
    return rv_buffer_add_byte(&client->seen, ';');
}

static void maybe_cancel(struct client *client)
{
    if (++client->callbacks == client->cancel_in)
        rv_http_cancel(client->http);
}

static void on_head(struct rv_http *http, int status, void *arg)
{
    struct client *client = arg;

    cr_assert_eq(client->heads++ + client->datas + client->dones, 0);
    cr_assert_eq(status, rv_http_status(http));
    client->status = status;
    maybe_cancel(client);
}

static void on_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct client *client = arg;

    cr_assert_eq(client->heads, 1);
    cr_assert_eq(client->dones, 0);
    client->datas++;
    client->received += len;
    if (len > client->longest)
        client->longest = len;
    if (!client->parse_error)
        client->parse_error = rv_sse_feed(&client->sse, bytes, len);
    if (client->pause_in_data)
        rv_http_pause(http);
    maybe_cancel(client);
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct client *client = arg;

    cr_assert_eq(client->dones++, 0);
    client->error = error;
    client->done_ms = (rv_sim_now_ns(client->runtime) - client->start_ns) / 1000000;
    snprintf(client->problem, sizeof client->problem, "%s", rv_http_problem(http));
}

/* 0, or why the runtime could not be made. */
static int client_init(struct client *client, struct rv_test *t)
{
    struct reeve_runtime_options options;
    int error;

    memset(client, 0, sizeof *client);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    options.seed = 1;
    error = reeve_runtime_new(NULL, &options, &client->runtime);
    if (error)
        return error;
    client->t = t;
    client->net = rv_sim_http_of(client->runtime);
    client->options = (struct rv_http_options){.method = "GET",
                                               .url = URL,
                                               .max_response_bytes = 1 << 20,
                                               .on_head = on_head,
                                               .on_data = on_data,
                                               .on_done = on_done,
                                               .arg = client};
    cr_assert_eq(rv_mem_new(NULL, &client->seen_mem), 0);
    rv_buffer_init(&client->seen, client->seen_mem, 1 << 20);
    rv_sse_init(&client->sse, t->mem, 4096, on_event, client);
    return 0;
}

static void client_done(struct client *client)
{
    cr_assert_eq(rv_sim_http_pending(client->net), 0);
    rv_sse_done(&client->sse);
    rv_buffer_done(&client->seen);
    rv_mem_unref(client->seen_mem);
    reeve_runtime_free(client->runtime);
}

static int client_start(struct client *client)
{
    client->start_ns = rv_sim_now_ns(client->runtime);
    return rv_http_start(client->runtime, &client->options, &client->http);
}

/* Start and run to the end of everything. */
static void client_run(struct client *client)
{
    cr_assert_eq(client_start(client), 0);
    cr_assert_eq(client->heads + client->datas + client->dones, 0);
    cr_assert_eq(reeve_runtime_run(client->runtime), 0);
}

/* ---- whole answers --------------------------------------------------------------------------- */

static void stream(struct rv_sim_http_exchange *x, void *arg)
{
    (void)arg;
    rv_sim_http_connect_ms(x, 10);
    rv_sim_http_wait(x, 20);
    rv_sim_http_status(x, 200);
    rv_sim_http_field(x, "Content-Type", "text/event-stream");
    rv_sim_http_wait(x, 5);
    rv_sim_http_text(x, events);
}

static void expect_events(struct client *client)
{
    client_run(client);
    cr_assert_eq(client->dones, 1);
    cr_assert_eq(client->error, 0, "%s", client->problem);
    cr_assert_eq(client->parse_error, 0);
    cr_assert_str_eq(rv_buffer_text(&client->seen), events_seen);
}

RV_TEST(request, a_streamed_answer)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, "GET", "/v1/chat", NULL, stream, NULL);
    expect_events(&client);
    cr_assert_eq(client.status, 200);
    cr_assert_eq(client.done_ms, 35);
    cr_assert_eq(rv_sim_http_count(client.net), 1);
    cr_assert_str_eq(rv_sim_http_request_at(client.net, 1)->url, URL);
    client_done(&client);
}

RV_TEST(request, split_everywhere, .timeout = 60)
{
    size_t len = strlen(events);
    size_t count = 0;
    struct client client;

    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second += 3) {
            cr_assert_eq(client_init(&client, t), 0);
            rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
            rv_sim_http_cut(client.net, first, second);
            expect_events(&client);
            client_done(&client);
            count++;
        }
    }
    fprintf(stderr, "request: %zu splits of a body of %zu bytes tried\n", count, len);
}

RV_TEST(request, each_byte_alone)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
    rv_sim_http_split(client.net, 1);
    expect_events(&client);
    cr_assert_eq(client.datas, strlen(events));
    client_done(&client);
}

static uint64_t shuffled(struct rv_test *t, uint64_t seed)
{
    struct client client;
    uint64_t sum;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
    rv_sim_http_shuffle(client.net, seed, 7, 4);
    expect_events(&client);
    sum = client.done_ms * 1000 + client.datas;
    client_done(&client);
    return sum;
}

RV_TEST(request, the_same_seed_is_the_same_world)
{
    size_t different = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        uint64_t sum = shuffled(t, t->seed + seed);

        cr_assert_eq(shuffled(t, t->seed + seed), sum);
        different += shuffled(t, t->seed + seed + 1000) != sum;
    }
    cr_assert_gt(different, 100);
}

/* ---- time limits, to the millisecond --------------------------------------------------------- */

/* What the script of `paced` waits for, in this order; then it is done. */
struct pace {
    uint64_t connect_ms, first_ms, head_ms, body_ms[3];
};

static void paced(struct rv_sim_http_exchange *x, void *arg)
{
    const struct pace *pace = arg;

    rv_sim_http_connect_ms(x, pace->connect_ms);
    rv_sim_http_wait(x, pace->first_ms);
    rv_sim_http_line(x, "HTTP/1.1 200 OK");
    rv_sim_http_wait(x, pace->head_ms);
    rv_sim_http_field(x, "X", "y");
    rv_sim_http_line(x, "");
    for (size_t i = 0; i < 3; i++) {
        rv_sim_http_wait(x, pace->body_ms[i]);
        rv_sim_http_text(x, "x");
    }
}

struct limit_case {
    struct pace pace;
    uint32_t connect_ms, first_byte_ms, idle_ms, whole_ms;
    int error;
    uint64_t done_ms;
    const char *problem;
};

static void expect_limit(struct rv_test *t, struct limit_case *one, size_t number)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, paced, &one->pace);
    client.options.connect_timeout_ms = one->connect_ms;
    client.options.first_byte_timeout_ms = one->first_byte_ms;
    client.options.idle_timeout_ms = one->idle_ms;
    client.options.timeout_ms = one->whole_ms;
    client_run(&client);
    cr_assert_eq(client.dones, 1, "case %zu", number);
    cr_assert_eq(client.error, one->error, "case %zu: %s", number, client.problem);
    cr_assert_eq(client.done_ms, one->done_ms, "case %zu: after %d ms", number,
                 (int)client.done_ms);
    if (one->problem)
        cr_assert_str_eq(client.problem, one->problem, "case %zu", number);
    client_done(&client);
}

RV_TEST(request, limits)
{
    static struct limit_case cases[] = {
        /* Just in time for each; one late by a millisecond for each. */
        {{100, 100, 100, {100, 100, 100}}, 101, 101, 101, 601, 0, 600, NULL},
        {{101, 0, 0, {0, 0, 0}},
         100,
         1,
         1,
         1000,
         REEVE_ETIMEDOUT,
         100,
         "could not connect to " URL " within 100 ms (connect_timeout_ms)"},
        {{50, 101, 0, {0, 0, 0}},
         100,
         100,
         1,
         1000,
         REEVE_ETIMEDOUT,
         150,
         "no answer from " URL " within 100 ms (first_byte_timeout_ms)"},
        {{0, 0, 101, {0, 0, 0}},
         100,
         50,
         100,
         1000,
         REEVE_ETIMEDOUT,
         100,
         "nothing more came from " URL " for 100 ms (idle_timeout_ms)"},
        {{0, 0, 0, {99, 99, 101}},
         100,
         50,
         100,
         1000,
         REEVE_ETIMEDOUT,
         298,
         "nothing more came from " URL " for 100 ms (idle_timeout_ms)"},
        {{50, 50, 50, {50, 50, 50}},
         100,
         100,
         100,
         299,
         REEVE_ETIMEDOUT,
         299,
         "the answer from " URL " was not complete within 299 ms (timeout_ms)"},
        {{70, 0, 0, {0, 0, 0}},
         100,
         100,
         100,
         69,
         REEVE_ETIMEDOUT,
         69,
         "the answer from " URL " was not complete within 69 ms (timeout_ms)"},
        /* 0 is none. */
        {{86400000, 86400000, 86400000, {1, 1, 86400000}}, 0, 0, 0, 0, 0, 345600002, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_limit(t, &cases[i], i);
}

static void endless(struct rv_sim_http_exchange *x, void *arg)
{
    (void)arg;
    rv_sim_http_status(x, 200);
    for (int i = 0; i < 100; i++) {
        rv_sim_http_wait(x, 10);
        rv_sim_http_text(x, "data: x\n\n");
    }
    rv_sim_http_stall(x);
}

RV_TEST(request, a_pause_is_not_silence)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, endless, NULL);
    client.options.idle_timeout_ms = 50;
    client.pause_in_data = true;
    cr_assert_eq(client_start(&client), 0);
    rv_sim_run_ms(client.runtime, 5020);
    cr_assert_eq(client.datas, 1);
    cr_assert_eq(client.dones, 0);
    /* From the resume on the silence is the server's. */
    client.pause_in_data = false;
    rv_http_resume(client.http);
    cr_assert_eq(client.datas, 1);
    cr_assert_eq(reeve_runtime_run(client.runtime), 0);
    cr_assert_eq(client.datas, 2, "what had come by then came at once");
    cr_assert_eq(client.received, 900);
    cr_assert_eq(client.error, REEVE_ETIMEDOUT);
    cr_assert_eq(client.done_ms, 5070);
    client_done(&client);
}

static void two_pieces(struct rv_sim_http_exchange *x, void *arg)
{
    (void)arg;
    rv_sim_http_status(x, 200);
    rv_sim_http_text(x, "data: a\n\n");
    rv_sim_http_wait(x, 10);
    rv_sim_http_text(x, "data: b\n\n");
}

RV_TEST(request, no_limit_counts_once_all_has_come)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, two_pieces, NULL);
    client.options.idle_timeout_ms = client.options.timeout_ms = 100;
    client.pause_in_data = true;
    cr_assert_eq(client_start(&client), 0);
    rv_sim_run_ms(client.runtime, 500);
    cr_assert_eq(rv_sim_http_pending(client.net), 0);
    cr_assert_eq(client.datas, 1);
    cr_assert_eq(client.dones, 0);
    client.pause_in_data = false;
    rv_http_resume(client.http);
    cr_assert_eq(reeve_runtime_run(client.runtime), 0);
    cr_assert_eq(client.error, 0);
    cr_assert_str_eq(rv_buffer_text(&client.seen), "a;b;");
    client_done(&client);
}

RV_TEST(request, the_whole_limit_does_not_wait_for_a_pause)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, endless, NULL);
    client.options.timeout_ms = 100;
    client.pause_in_data = true;
    client_run(&client);
    cr_assert_eq(client.datas, 1);
    cr_assert_eq(client.error, REEVE_ETIMEDOUT);
    cr_assert_eq(client.done_ms, 100);
    client_done(&client);
}

/* ---- faults everywhere ----------------------------------------------------------------------- */

static void expect_fault(struct rv_test *t, enum rv_sim_http_fault fault, size_t after, int error)
{
    struct client client;
    size_t arrives = after == RV_SIM_HTTP_IN_HEAD ? 0 : after;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
    rv_sim_http_fault(client.net, fault, after);
    client.options.first_byte_timeout_ms = client.options.idle_timeout_ms = 50;
    client_run(&client);
    cr_assert_eq(client.dones, 1);
    cr_assert_eq(client.error, error, "at %zu: %s", after, client.problem);
    cr_assert_eq(client.received, arrives, "at %zu", after);
    cr_assert_eq(client.heads, after == RV_SIM_HTTP_IN_HEAD ? 0 : 1);
    cr_assert_eq(strncmp(rv_buffer_text(&client.seen), events_seen, client.seen.len), 0);
    if (error)
        cr_assert_not_null(strstr(client.problem, URL), "%s", client.problem);
    client_done(&client);
}

RV_TEST(request, faults_at_every_byte)
{
    for (size_t at = 0; at <= strlen(events); at++) {
        expect_fault(t, RV_SIM_HTTP_LOSE, at, REEVE_ECONNLOST);
        expect_fault(t, RV_SIM_HTTP_STALL, at, REEVE_ETIMEDOUT);
        expect_fault(t, RV_SIM_HTTP_END, at, 0);
    }
    expect_fault(t, RV_SIM_HTTP_LOSE, RV_SIM_HTTP_IN_HEAD, REEVE_ECONNLOST);
    expect_fault(t, RV_SIM_HTTP_STALL, RV_SIM_HTTP_IN_HEAD, REEVE_ETIMEDOUT);
    expect_fault(t, RV_SIM_HTTP_END, RV_SIM_HTTP_IN_HEAD, REEVE_ECONNLOST);
}

RV_TEST(request, faults_before_the_connection)
{
    expect_fault(t, RV_SIM_HTTP_RESOLVE, RV_SIM_HTTP_IN_HEAD, REEVE_ERESOLVE);
    expect_fault(t, RV_SIM_HTTP_REFUSE, RV_SIM_HTTP_IN_HEAD, REEVE_ECONNECT);
    expect_fault(t, RV_SIM_HTTP_TLS, RV_SIM_HTTP_IN_HEAD, REEVE_ETLS);
}

/* ---- cancel and abort everywhere ------------------------------------------------------------- */

RV_TEST(request, cancelled_in_every_callback)
{
    struct client client;
    unsigned last = 0;

    for (unsigned n = 1; !last; n++) {
        cr_assert_eq(client_init(&client, t), 0);
        rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
        rv_sim_http_split(client.net, 1);
        client.cancel_in = n;
        client_run(&client);
        cr_assert_eq(client.dones, 1);
        if (client.callbacks < n)
            last = n;
        cr_assert_eq(client.error, last ? 0 : REEVE_ECANCELED);
        cr_assert_eq(client.callbacks, last ? n - 1 : n);
        client_done(&client);
    }
    cr_assert_eq(last, strlen(events) + 2);
}

/* What has come in one go is handed on a piece a task, and a pause holds between two of them. */
RV_TEST(request, a_large_answer_comes_in_pieces)
{
    enum { EVENTS = 5000, PIECE = 16 * 1024 };
    struct client client;
    struct rv_buffer body, seen;

    cr_assert_eq(client_init(&client, t), 0);
    rv_buffer_init(&body, t->mem, 1 << 20);
    rv_buffer_init(&seen, t->mem, 1 << 20);
    for (int i = 0; i < EVENTS; i++) {
        cr_assert_eq(rv_buffer_printf(&body, "data: %d\n\n", i), 0);
        cr_assert_eq(rv_buffer_printf(&seen, "%d;", i), 0);
    }
    rv_sim_http_reply(client.net, "/", 200, "text/event-stream", rv_buffer_text(&body));
    rv_sim_http_burst(client.net, true);
    client.pause_in_data = true;
    cr_assert_eq(client_start(&client), 0);
    for (unsigned n = 1; n <= body.len / PIECE; n++) {
        cr_assert_eq(reeve_runtime_run(client.runtime), 0);
        cr_assert_eq(client.datas, n);
        cr_assert_eq(client.received, (size_t)n * PIECE);
        rv_http_resume(client.http);
    }
    cr_assert_eq(reeve_runtime_run(client.runtime), 0);
    cr_assert_eq(client.dones, 1);
    cr_assert_eq(client.longest, PIECE);
    cr_assert_eq(client.received, body.len);
    cr_assert_eq(client.error, 0, "%s", client.problem);
    cr_assert_str_eq(rv_buffer_text(&client.seen), rv_buffer_text(&seen));
    rv_buffer_done(&body);
    rv_buffer_done(&seen);
    client_done(&client);
}

RV_TEST(request, cancelled_with_all_at_hand)
{
    for (unsigned n = 1; n <= 3; n++) {
        struct client client;

        cr_assert_eq(client_init(&client, t), 0);
        rv_sim_http_reply(client.net, "/", 200, "text/plain", "hello");
        rv_sim_http_burst(client.net, true);
        client.cancel_in = n;
        client_run(&client);
        cr_assert_eq(client.callbacks, n < 3 ? n : 2);
        cr_assert_eq(client.dones, 1);
        cr_assert_eq(client.error, n < 3 ? REEVE_ECANCELED : 0);
        client_done(&client);
    }
}

/* After each pass of the loop: `ending` is rv_http_cancel or rv_http_abort. */
static void end_after_each_pass(struct rv_test *t, void (*ending)(struct rv_http *http))
{
    struct client client;
    bool over = false;

    for (unsigned passes = 0; !over; passes++) {
        cr_assert_eq(client_init(&client, t), 0);
        rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
        rv_sim_http_split(client.net, 5);
        client.options.timeout_ms = 1000;
        cr_assert_eq(client_start(&client), 0);
        for (unsigned i = 0; i < passes && !client.dones; i++)
            cr_assert(rv_sim_pass(client.runtime));
        over = client.dones;
        if (!over)
            ending(client.http);
        cr_assert_eq(reeve_runtime_run(client.runtime), 0);
        cr_assert_eq(client.dones, 1);
        cr_assert_eq(client.error, over ? 0 : REEVE_ECANCELED);
        client_done(&client);
        cr_assert_lt(passes, 1000u);
    }
}

RV_TEST(request, cancelled_after_every_pass)
{
    end_after_each_pass(t, rv_http_cancel);
}

RV_TEST(request, aborted_after_every_pass)
{
    end_after_each_pass(t, rv_http_abort);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int stream_once(struct rv_test *run, void *arg)
{
    struct client client;
    int error = client_init(&client, run);

    (void)arg;
    if (error)
        return error;
    rv_sim_http_on(client.net, NULL, NULL, NULL, stream, NULL);
    rv_sim_http_split(client.net, 9);
    error = client_start(&client);
    if (!error) {
        cr_assert_eq(reeve_runtime_run(client.runtime), 0);
        cr_assert_eq(client.dones, 1);
        error = client.error ? client.error : client.parse_error;
        if (!error)
            cr_assert_str_eq(rv_buffer_text(&client.seen), events_seen);
    }
    client_done(&client);
    return error;
}

RV_TEST(request, memory_runs_out)
{
    RV_SWEEP_ALLOCATIONS(t, stream_once, NULL, 10);
}

/* ---- the network itself ---------------------------------------------------------------------- */

RV_TEST(request, responders_are_matched)
{
    struct client client;

    cr_assert_eq(client_init(&client, t), 0);
    rv_sim_http_reply(client.net, "/v1/", 201, "text/plain", "any");
    rv_sim_http_on_next(client.net, 1, "GET", "/chat", NULL, stream, NULL);
    client_run(&client);
    cr_assert_eq(client.status, 200);
    client.heads = client.datas = client.dones = 0;
    client_run(&client);
    cr_assert_eq(client.status, 201);
    client.heads = client.datas = client.dones = 0;
    client.options.url = "http://sim.test/elsewhere";
    client_run(&client);
    cr_assert_eq(client.error, REEVE_ECONNECT);
    cr_assert_eq(rv_sim_http_unmatched(client.net), 1);
    cr_assert_eq(rv_sim_http_count(client.net), 3);
    cr_assert_eq(rv_sim_http_peak(client.net), 1);
    client_done(&client);
}
