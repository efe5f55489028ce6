/* SPDX-License-Identifier: MIT */
/*
 * batch.mixed: what running slow and fast calls side by side saves against one after the other, in
 * wall time. Two mixes: three calls of 100, 80 and 60 ms with two that answer at once, three at a
 * time; and four of 50 ms with two that answer at once, four at a time. No more can be saved than
 * the sum of all but the longest: 58.3 % and 75 %. The peer is asyncio's gather with a semaphore
 * around each call, against one await after the other; what the guide says of its
 * own system stands beside it.
 */
#include "bench/rows.h"

/* As ours/mixed.c and the peer have them. */
static const struct mix {
    const char *name;
    const char *claim;
    double limit; /* in % saved */
    double guide; /* what the guide says of its own system */
} mixes[] = {
    {"batch.mixed", "three slow calls and two fast ones at once: the guide has about 35 % saved",
     35, 35},
    {"batch.mixed.slow",
     "four calls of 50 ms and two fast ones at once: the guide has about 75 % saved", 74.5, 75},
};
enum { MIXES = sizeof mixes / sizeof mixes[0] };

static void report_mix(const struct bench *bench, const struct bench_row *row,
                       const struct mix *mix, double ours, const char *peer_name, double peer)
{
    const struct bench_line line = {
        .name = mix->name,
        .unit = row->unit,
        .claim = mix->claim,
        .better = BENCH_MORE,
        .ours = ours,
        .limit = mix->limit,
        .peer_name = peer_name,
        .peer = peer,
    };

    bench_report(bench, &line);
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    const char *const ours[] = {bench_program("ours/calls"), "mixed", NULL};
    const char *const python[] = {"python3", bench_script("batch-python.py"), "mixed", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "asyncio", .command = python},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 2,
        .rounds = bench->quick ? 1 : 5,
        .limit_s = 30,
        .better = BENCH_MORE,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[2];
    size_t i;

    bench_play(&match, scores);
    for (i = 0; i < MIXES; i++) {
        report_mix(bench, row, &mixes[i], scores[0].value[i], "asyncio", scores[1].value[i]);
        report_mix(bench, row, &mixes[i], scores[0].value[i], "the guide's figure", mixes[i].guide);
    }
}

const struct bench_row bench_row_batch_mixed = {
    "batch.mixed", "% saved", "slow and fast calls at once, against one after the other", run};
