/* SPDX-License-Identifier: MIT */
/*
 * sse.parse: bytes a second of a stream whose events have 100 bytes of data, fed in pieces as a
 * socket gives them (16 KB), each event's length added up. CPU time; the best of the rounds.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>

#include "io/sse.h"

enum { DATA_BYTES = 100, EVENTS = 10000, PIECE_BYTES = 16384, CAP_BYTES = 1 << 20 };

struct work {
    struct rv_sse sse;
    char *stream;
    size_t len;
    size_t seen;
    bool quick;
};

static int on_event(const struct rv_sse_event *event, void *arg)
{
    struct work *work = arg;

    work->seen += event->data_len;
    return 0;
}

static void make_stream(struct work *work)
{
    char *at = malloc(EVENTS * (DATA_BYTES + sizeof "data: \n\n"));
    size_t i;

    bench_check(at, "memory");
    work->stream = at;
    for (i = 0; i < EVENTS; i++) {
        memcpy(at, "data: ", 6);
        memset(at + 6, 'a' + (char)(i % 26), DATA_BYTES);
        memcpy(at + 6 + DATA_BYTES, "\n\n", 2);
        at += 6 + DATA_BYTES + 2;
    }
    work->len = (size_t)(at - work->stream);
}

/* The whole stream, `count` times. */
static void feed(struct work *work, size_t count)
{
    size_t at, piece;

    while (count--)
        for (at = 0; at < work->len; at += piece) {
            piece = work->len - at < PIECE_BYTES ? work->len - at : PIECE_BYTES;
            bench_check(!rv_sse_feed(&work->sse, work->stream + at, piece), "a feed");
        }
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    const unsigned tries = work->quick ? 50 : 300;
    uint64_t least = UINT64_MAX, start, took;
    struct rv_mem *mem;
    unsigned i;

    bench_check(!rv_mem_new(NULL, &mem), "memory");
    rv_sse_init(&work->sse, mem, CAP_BYTES, on_event, work);
    make_stream(work);
    feed(work, 1);
    work->seen = 0;
    for (i = 0; i < tries; i++) {
        start = bench_cpu_ns();
        feed(work, 1);
        took = bench_cpu_ns() - start;
        if (took < least)
            least = took;
    }
    figures->value[0] = (double)work->len / (double)least;
    figures->value[1] = (double)least / EVENTS;
    return work->seen != (size_t)tries * EVENTS * DATA_BYTES;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {.quick = bench->quick};
    const struct bench_side side = {.name = "ours", .run = run_ours, .arg = &work};
    const struct bench_match match = {
        .sides = &side,
        .count = 1,
        .rounds = bench->quick ? 3 : 5,
        .limit_s = 30,
        .better = BENCH_MORE,
        .pick = BENCH_BEST,
    };
    struct bench_figures score;

    bench_play(&match, &score);
    bench_absolute(bench, row, BENCH_MORE, score.value[0], 1.0);
    bench_aside(bench, row, "event", "ns CPU", BENCH_LESS, 1e0 * (DATA_BYTES + 8) / score.value[0]);
}

const struct bench_row bench_row_sse_parse = {"sse.parse", "GB/s CPU",
                                              "events of 100 bytes, at least 1 GB/s", run};
