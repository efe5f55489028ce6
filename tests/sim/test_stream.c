/* SPDX-License-Identifier: MIT */
/* A stream on scripted peers and the virtual clock: limits to the millisecond, every split, ends of
 * all kinds at every step. */
#include "tests/lib/test.h"
#include "tests/sim/sim.h"
#include "tests/sim/stream.h"

#include <stdio.h>
#include <string.h>

struct owner {
    struct reeve_runtime *runtime;
    struct rv_stream_options options;
    struct rv_stream *stream;
    char text[256];
    char order[64]; /* o: open, d: data, e: end, q: drained, D: done */
    unsigned callbacks, dones, datas;
    int error;
    char problem[512];
    uint64_t start_ns, done_ms;
    unsigned act_at; /* the n-th callback; 0: none */
    void (*act)(struct rv_stream *stream);
    bool pause;
    bool shut_at_end;
};

static void step(struct owner *owner, struct rv_stream *stream, char letter)
{
    size_t len = strlen(owner->order);

    cr_assert_eq(owner->dones, 0);
    if (len + 1 < sizeof owner->order)
        owner->order[len] = letter;
    if (++owner->callbacks == owner->act_at)
        owner->act(stream);
}

static void on_open(struct rv_stream *stream, void *arg)
{
    step(arg, stream, 'o');
}

static void on_data(struct rv_stream *stream, const char *bytes, size_t len, void *arg)
{
    struct owner *owner = arg;
    size_t had = strlen(owner->text);

    snprintf(owner->text + had, sizeof owner->text - had, "%.*s", (int)len, bytes);
    owner->datas++;
    if (owner->pause)
        rv_stream_pause(stream);
    step(owner, stream, 'd');
}

static void on_drain(struct rv_stream *stream, void *arg)
{
    cr_assert_eq(rv_stream_queued(stream), 0);
    step(arg, stream, 'q');
}

static void on_end(struct rv_stream *stream, void *arg)
{
    struct owner *owner = arg;

    if (owner->shut_at_end)
        rv_stream_shutdown(stream);
    step(owner, stream, 'e');
}

static void on_done(struct rv_stream *stream, int error, void *arg)
{
    struct owner *owner = arg;

    step(owner, stream, 'D');
    owner->dones++;
    owner->error = error;
    owner->done_ms = (rv_sim_now_ns(owner->runtime) - owner->start_ns) / 1000000;
    snprintf(owner->problem, sizeof owner->problem, "%s", rv_stream_problem(stream));
    rv_stream_cancel(stream); /* too late, and legal */
    cr_assert_eq(rv_stream_write(stream, "x", 1), REEVE_ECONNLOST);
}

static int owner_init(struct owner *owner, struct rv_test *t, rv_sim_peer_writer script)
{
    struct reeve_runtime_options options;
    int error;

    memset(owner, 0, sizeof *owner);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(NULL, &options, &owner->runtime);
    if (error)
        return error;
    owner->options = (struct rv_stream_options){.host = "peer.test",
                                                .port = 7,
                                                .max_queued_bytes = 100,
                                                .on_open = on_open,
                                                .on_data = on_data,
                                                .on_drain = on_drain,
                                                .on_end = on_end,
                                                .on_done = on_done,
                                                .arg = owner};
    owner->shut_at_end = true;
    owner->start_ns = rv_sim_now_ns(owner->runtime);
    rv_sim_stream_on(owner->runtime, "peer.test", script, owner);
    return 0;
}

static void owner_open(struct owner *owner)
{
    cr_assert_eq(rv_stream_open(owner->runtime, &owner->options, &owner->stream), 0);
    cr_assert_eq(rv_stream_write(owner->stream, "hello\n", 6), 0);
}

static void owner_end(struct owner *owner)
{
    reeve_runtime_run(owner->runtime);
    cr_assert_eq(owner->dones, 1);
    cr_assert_eq(rv_sim_stream_links(owner->runtime), 0);
    reeve_runtime_free(owner->runtime);
}

static void greet(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_connect_ms(x, 20);
    rv_sim_peer_expect(x, "hello\n");
    rv_sim_peer_wait(x, 5);
    rv_sim_peer_send(x, "good day\n");
    rv_sim_peer_wait(x, 5);
    rv_sim_peer_send(x, "and good bye\n");
    rv_sim_peer_end(x);
}

static void stall(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_send(x, "one");
    rv_sim_peer_wait(x, 90);
    rv_sim_peer_send(x, "two");
}

static void stay_away(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_connect_stalls(x);
}

static void refuse(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_connect_fails(x, REEVE_ECONNECT, "could not be made: refused");
}

static void reset(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_send(x, "half");
    rv_sim_peer_reset(x);
}

static void read_late(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_read(x, false);
    rv_sim_peer_wait(x, 50);
    rv_sim_peer_read(x, true);
}

RV_TEST(stream_life, whole)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, greet), 0);
    owner_open(&owner);
    cr_assert_eq(owner.callbacks, 0, "callbacks come from the loop");
    owner_end(&owner);
    cr_assert_eq(owner.error, 0, "%s", owner.problem);
    cr_assert_str_eq(owner.order, "oqddeD");
    cr_assert_str_eq(owner.text, "good day\nand good bye\n");
    cr_assert_eq(owner.done_ms, 30);
}

RV_TEST(stream_life, split_at_each_size)
{
    struct owner owner;

    for (size_t size = 1; size <= 14; size++) {
        cr_assert_eq(owner_init(&owner, t, greet), 0);
        rv_sim_stream_split(owner.runtime, size, 15 - size);
        owner_open(&owner);
        owner_end(&owner);
        cr_assert_eq(owner.error, 0, "%s", owner.problem);
        cr_assert_str_eq(owner.text, "good day\nand good bye\n");
        cr_assert_geq(owner.datas, 22 / size);
    }
}

static void run_bad(struct rv_test *t, rv_sim_peer_writer script, int error, uint64_t ms,
                    const char *text, const char *problem)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, script), 0);
    owner.options.connect_timeout_ms = 70;
    owner.options.idle_timeout_ms = 100;
    owner_open(&owner);
    owner_end(&owner);
    cr_assert_eq(owner.error, error, "%s", owner.problem);
    cr_assert_eq(owner.done_ms, ms);
    cr_assert_str_eq(owner.text, text);
    cr_assert_str_eq(owner.problem, problem);
}

RV_TEST(stream_life, ends_badly)
{
    run_bad(t, stay_away, REEVE_ETIMEDOUT, 70, "",
            "the connection to peer.test port 7 was not there after 70 ms");
    run_bad(t, refuse, REEVE_ECONNECT, 0, "",
            "the connection to peer.test port 7 could not be made: refused");
    run_bad(t, reset, REEVE_ECONNLOST, 0, "half",
            "the connection to peer.test port 7 failed: reset by peer");
    run_bad(t, stall, REEVE_ETIMEDOUT, 190, "onetwo",
            "the connection to peer.test port 7 was idle for 100 ms");
}

RV_TEST(stream_life, nobody_of_that_name)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, greet), 0);
    owner.options.host = NULL;
    owner.options.port = 0;
    owner.options.unix_path = "/run/nobody";
    owner_open(&owner);
    owner_end(&owner);
    cr_assert_eq(owner.error, REEVE_ERESOLVE);
}

/* The queue is bounded, all or nothing, and tells when it is empty. */
RV_TEST(stream_life, queue)
{
    struct owner owner;
    char bytes[100];

    memset(bytes, 'x', sizeof bytes);
    cr_assert_eq(owner_init(&owner, t, read_late), 0);
    owner_open(&owner);
    cr_assert_eq(rv_stream_write(owner.stream, bytes, 95), REEVE_ETOOBIG);
    cr_assert_eq(rv_stream_write(owner.stream, bytes, 94), 0);
    cr_assert_eq(rv_stream_write(owner.stream, bytes, 1), REEVE_ETOOBIG);
    rv_sim_run_ms(owner.runtime, 49);
    cr_assert_eq(rv_stream_queued(owner.stream), 100);
    cr_assert_str_eq(owner.order, "o");
    rv_sim_run_ms(owner.runtime, 1);
    cr_assert_str_eq(owner.order, "oq");
    cr_assert_eq(rv_stream_write(owner.stream, "end", 3), 0);
    rv_stream_shutdown(owner.stream);
    cr_assert_eq(rv_stream_write(owner.stream, "more", 4), REEVE_EINVAL);
    rv_sim_run_ms(owner.runtime, 1);
    cr_assert_eq(strlen(rv_sim_stream_received(owner.runtime)), 103);
    cr_assert_eq(rv_sim_stream_shut(owner.runtime), 1);
    rv_stream_close(owner.stream);
    owner_end(&owner);
    cr_assert_eq(owner.error, 0);
}

/* While the owner pauses, silence is its own doing. */
RV_TEST(stream_life, pause_and_resume)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, greet), 0);
    owner.options.idle_timeout_ms = 100;
    owner.pause = true;
    owner_open(&owner);
    rv_sim_run_ms(owner.runtime, 1000);
    cr_assert_str_eq(owner.text, "good day\n");
    owner.pause = false;
    rv_stream_resume(owner.stream);
    owner_end(&owner);
    cr_assert_eq(owner.error, 0, "%s", owner.problem);
    cr_assert_str_eq(owner.text, "good day\nand good bye\n");
}

RV_TEST(stream_life, peer_ends_and_nobody_asks)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, greet), 0);
    owner.options.on_end = NULL;
    owner_open(&owner);
    owner_end(&owner);
    cr_assert_eq(owner.error, 0);
    cr_assert_str_eq(owner.text, "good day\nand good bye\n");
}

/* Close and cancel before the start, at each millisecond, and in each callback. */
RV_TEST(stream_life, ended_at_each_step)
{
    static void (*const ends[])(struct rv_stream *) = {rv_stream_close, rv_stream_cancel};
    struct owner owner;

    for (int i = 0; i < 2; i++) {
        for (uint64_t ms = 0; ms <= 30; ms += 5) {
            cr_assert_eq(owner_init(&owner, t, greet), 0);
            owner_open(&owner);
            if (ms)
                rv_sim_run_ms(owner.runtime, ms - 1);
            owner.order[0] = '\0';
            ends[i](owner.stream);
            ends[1 - i](owner.stream);
            cr_assert_eq(owner.dones, 0);
            owner_end(&owner);
            cr_assert_eq(owner.order[0], 'D', "nothing comes after it but on_done");
            cr_assert_eq(owner.error, i ? REEVE_ECANCELED : 0);
        }
        for (unsigned n = 1; n <= 5; n++) {
            cr_assert_eq(owner_init(&owner, t, greet), 0);
            owner.act_at = n;
            owner.act = ends[i];
            owner_open(&owner);
            owner_end(&owner);
            cr_assert_eq(owner.callbacks, n + 1);
            cr_assert_eq(owner.error, i ? REEVE_ECANCELED : 0);
        }
    }
}

RV_TEST(stream_life, aborted_at_each_step)
{
    struct owner owner;

    for (uint64_t ms = 0; ms <= 30; ms += 5) {
        cr_assert_eq(owner_init(&owner, t, greet), 0);
        owner_open(&owner);
        if (ms)
            rv_sim_run_ms(owner.runtime, ms - 1);
        if (ms % 2)
            rv_stream_close(owner.stream);
        rv_stream_abort(owner.stream);
        cr_assert_eq(owner.dones, 1);
        owner_end(&owner);
    }
}

RV_TEST(stream_life, options_that_make_no_sense)
{
    static const char *const hosts[] = {"", "a/b", "a@b", "[::1]", "a b", "a#b", "a\nb"};
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, greet), 0);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        owner.options.host = hosts[i];
        cr_assert_eq(rv_stream_open(owner.runtime, &owner.options, &owner.stream), REEVE_EINVAL);
    }
    owner.options.host = "peer.test";
    owner.options.unix_path = "/x";
    cr_assert_eq(rv_stream_open(owner.runtime, &owner.options, &owner.stream), REEVE_EINVAL);
    reeve_runtime_free(owner.runtime);
}

static int scenario(struct rv_test *run, void *arg)
{
    struct owner owner;
    int error = owner_init(&owner, run, greet);

    (void)arg;
    if (error)
        return error;
    error = rv_stream_open(owner.runtime, &owner.options, &owner.stream);
    if (!error) {
        error = rv_stream_write(owner.stream, "hello\n", 6);
        if (error)
            rv_stream_cancel(owner.stream);
        reeve_runtime_run(owner.runtime);
        cr_assert_eq(owner.dones, 1);
        error = error ? error : owner.error;
    }
    reeve_runtime_free(owner.runtime);
    return error;
}

RV_TEST(stream_life, each_allocation_fails)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 7);
}
