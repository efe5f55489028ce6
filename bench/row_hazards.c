/* SPDX-License-Identifier: MIT */
/*
 * batch.hazards: the order that calls keep among themselves. A batch of 100,000 calls over 1,000
 * paths, half of them writes, all of a tool that answers at once; what is left is finding the tool,
 * parsing the arguments, knowing the path, the place in the order, the permit and the result. CPU
 * time of a call, in memory that two such batches have used before; the best of the rounds. Beside
 * it the first of them, ten times as many calls in memory that is as new, and what that makes of
 * the time of one.
 *
 * The peer is asyncio: a task for each call, as many permits, and for each path a chain in which a
 * read waits for the last write, and a write for the last write and the reads since.
 */
#include "bench/rows.h"

#include <math.h>

static void run(const struct bench *bench, const struct bench_row *row)
{
    const char *const ours[] = {bench_program("ours/calls"), "hazards", NULL};
    const char *const python[] = {"python3", bench_script("hazards-python.py"), NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "asyncio", .command = python},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 2,
        .rounds = bench->quick ? 2 : 5,
        .limit_s = 120,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[2];

    bench_play(&match, scores);
    bench_absolute(bench, row, BENCH_LESS, scores[0].value[0], 1.5);
    bench_report(bench, &(struct bench_line){.name = "batch.hazards.peer",
                                             .unit = row->unit,
                                             .claim = "the same order kept by Python's asyncio",
                                             .better = BENCH_LESS,
                                             .ours = scores[0].value[0],
                                             .limit = NAN,
                                             .peer_name = "asyncio",
                                             .peer = scores[1].value[0]});
    bench_report(bench,
                 &(struct bench_line){.name = "batch.hazards.tenfold",
                                      .unit = "times",
                                      .claim = "ten times the calls, at most 12 times the time",
                                      .better = BENCH_LESS,
                                      .ours = 10 * scores[0].value[1] / scores[0].value[2],
                                      .limit = 12,
                                      .peer = NAN});
    bench_aside(bench, row, "first", row->unit, BENCH_LESS, scores[0].value[2]);
}

const struct bench_row bench_row_batch_hazards = {
    "batch.hazards", "us CPU",
    "a call in a batch that keeps the order of 1,000 paths, at most 1.5 us", run};
