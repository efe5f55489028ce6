/* SPDX-License-Identifier: MIT */
/* What a seed does to the simulated network: another one has other pieces at other times, the same
 * one the same pieces at the same times. */
#include "tests/lib/test.h"

#include "io/http.h"
#include "tests/sim/fate.h"
#include "tests/sim/sim.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS = 50, TRACE_BYTES = 2048 };

static const char answer[] = "A text that is long enough to come in several pieces, each of them "
                             "at a time of its own, if somebody sees to it.";

struct trace {
    struct reeve_runtime *runtime;
    char pieces[TRACE_BYTES]; /* their sizes … */
    char times[TRACE_BYTES];  /* … and when each came, in ns */
    char body[sizeof answer];
    size_t body_len;
};

static void note(char *text, unsigned long long number)
{
    size_t len = strlen(text);

    cr_assert_lt(snprintf(text + len, TRACE_BYTES - len, "%llu ", number), TRACE_BYTES - (int)len);
}

static void on_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct trace *trace = arg;

    (void)http;
    cr_assert_lt(trace->body_len + len, sizeof trace->body);
    memcpy(trace->body + trace->body_len, bytes, len);
    trace->body_len += len;
    note(trace->pieces, len);
    note(trace->times, rv_sim_now_ns(trace->runtime));
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    (void)http;
    (void)arg;
    cr_assert_eq(error, 0);
}

static void trace_seed(struct rv_test *t, uint64_t seed, struct trace *ret_trace)
{
    const struct rv_http_options options = {
        .method = "GET",
        .url = "http://world.test/",
        .max_response_bytes = 1000,
        .on_data = on_data,
        .on_done = on_done,
        .arg = ret_trace,
    };
    struct reeve_runtime_options ro;
    struct rv_http *http;

    memset(ret_trace, 0, sizeof *ret_trace);
    rv_fate_calm();
    rv_fate()->seed = seed;
    reeve_runtime_options_init(&ro);
    ro.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &ro, &ret_trace->runtime), 0);
    rv_sim_http_reply(rv_sim_http_of(ret_trace->runtime), "world.test", 200, "text/plain", answer);
    cr_assert_eq(rv_http_start(ret_trace->runtime, &options, &http), 0);
    rv_sim_play(ret_trace->runtime, NULL, NULL);
    reeve_runtime_free(ret_trace->runtime);
    rv_fate_calm();
    cr_assert_str_eq(ret_trace->body, answer, "RV_SEED = %#llx", (unsigned long long)seed);
}

/* How many of the texts, one in each trace at this offset, are like no other. */
static size_t count_kinds(const struct trace *traces, size_t offset)
{
    size_t kinds = 0;

    for (size_t i = 0; i < SEEDS; i++) {
        size_t k = 0;

        while (k < i &&
               strcmp((const char *)&traces[k] + offset, (const char *)&traces[i] + offset))
            k++;
        kinds += k == i;
    }
    return kinds;
}

RV_TEST(sim_fate, seeds_differ_and_each_repeats)
{
    static struct trace traces[SEEDS];
    struct trace again;
    size_t pieces, times;

    for (size_t i = 0; i < SEEDS; i++) {
        trace_seed(t, 1 + i, &traces[i]);
        trace_seed(t, 1 + i, &again);
        cr_assert_str_eq(again.pieces, traces[i].pieces, "seed %zu", 1 + i);
        cr_assert_str_eq(again.times, traces[i].times, "seed %zu", 1 + i);
    }
    pieces = count_kinds(traces, offsetof(struct trace, pieces));
    times = count_kinds(traces, offsetof(struct trace, times));
    fprintf(stderr, "%d seeds: %zu kinds of pieces, %zu of times\n", (int)SEEDS, pieces, times);
    cr_assert_geq(pieces, SEEDS - 5);
    cr_assert_geq(times, SEEDS - 5);
}

RV_TEST(sim_fate, without_a_seed_all_goes_as_scripted)
{
    struct trace first, second;

    trace_seed(t, 0, &first);
    trace_seed(t, 0, &second);
    cr_assert_str_eq(first.pieces, second.pieces);
    cr_assert_str_eq(first.times, second.times);
    cr_assert_str_eq(strchr(first.pieces, ' '), " ", "more than one piece");
}
