/* SPDX-License-Identifier: MIT */
/*
 * Batches. batch.noop: what a call costs that does nothing, from the submission to its result, its
 * 24 bytes of arguments parsed and checked against a schema; CPU time, the best of the rounds. The
 * third batch of a process counts, in memory that the first two have used, as a program that lives
 * for long has it; the first, which touches its pages first, stands beside it. batch.sleep: how
 * long 1,000 calls of 50 ms take of which 100 run at once, and beside it four of four; wall time.
 * batch.files: 10,000 small files that the kernel holds, read by read_file; wall time. The peers do
 * the same with what their language offers.
 */
#include "bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    NOOP_LIMIT_NS = 400,
    SLEEP_MS = 50,
    SLEEPS_IN_A_ROW = 10, /* 1,000, 100 at once */
    FILES = 10000,
    FILES_QUICK = 1000,
    FILE_BYTES = 1000,
};

static void report_noop(const struct bench *bench, const struct bench_row *row,
                        const struct bench_match *match, const struct bench_figures *scores)
{
    size_t i;

    for (i = 1; i < match->count; i++) {
        const struct bench_line line = {
            .name = row->name,
            .unit = row->unit,
            .claim = row->claim,
            .better = match->better,
            .ours = scores[0].value[0],
            .limit = NOOP_LIMIT_NS,
            .peer_name = match->sides[i].name,
            .peer = scores[i].value[0],
        };

        bench_report(bench, &line);
    }
    bench_aside(bench, row, "lone", "ns wall", match->better, scores[0].value[1]);
    bench_aside(bench, row, "first", "ns CPU", match->better, scores[0].value[2]);
}

static void bench_noop(const struct bench *bench, const struct bench_row *row)
{
    const char *const ours[] = {bench_program("ours/calls"), "noop", NULL};
    const char *const python[] = {"python3", bench_script("batch-python.py"), "noop", NULL};
    const char *const node[] = {"node", bench_script("batch-node.mjs"), NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "asyncio", .command = python},
        {.name = "node promises", .command = node},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 3,
        .rounds = bench->quick ? 2 : 9,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_play(&match, scores);
    report_noop(bench, row, &match, scores);
}

static void report_sleep(const struct bench *bench, const char *name, double ours, double peer,
                         double limit_ms, const char *claim)
{
    const struct bench_line line = {
        .name = name,
        .unit = "ms wall",
        .claim = claim,
        .better = BENCH_LESS,
        .ours = ours,
        .limit = limit_ms,
        .peer_name = "asyncio",
        .peer = peer,
    };

    bench_report(bench, &line);
}

static void bench_sleep(const struct bench *bench, const struct bench_row *row)
{
    const char *const ours[] = {bench_program("ours/calls"), "sleep", NULL};
    const char *const python[] = {"python3", bench_script("batch-python.py"), "sleep", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "asyncio", .command = python},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 2,
        .rounds = bench->quick ? 1 : 5,
        .limit_s = 30,
        .better = BENCH_LESS,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[2];

    bench_play(&match, scores);
    report_sleep(bench, row->name, scores[0].value[0], scores[1].value[0],
                 1.03 * SLEEPS_IN_A_ROW * SLEEP_MS, row->claim);
    report_sleep(bench, "batch.sleep.four", scores[0].value[1], scores[1].value[1], 1.05 * SLEEP_MS,
                 "4 calls of 50 ms at once: at most 1.05 of 50 ms");
}

static char *make_files(const struct bench *bench, size_t count)
{
    char text[FILE_BYTES], name[64], *folder;
    size_t i;

    bench_check(asprintf(&folder, "%s/batch-files", bench->folder) > 0, "memory");
    bench_check(!mkdir(folder, 0700), "a folder");
    memset(text, 'x', sizeof text);
    for (i = 0; i < count; i++) {
        snprintf(name, sizeof name, "batch-files/f%05zu.txt", i);
        free(bench_file(bench, name, text, sizeof text));
    }
    return folder;
}

static void bench_files(const struct bench *bench, const struct bench_row *row)
{
    const size_t count = bench->quick ? FILES_QUICK : FILES;
    char *folder = make_files(bench, count), number[32];
    const char *const ours[] = {bench_program("ours/calls"), "files", folder, number, NULL};
    const char *const direct[] = {bench_program("peers/files-direct"), folder, number, NULL};
    const char *const python[] = {
        "python3", bench_script("batch-python.py"), "files", folder, number, NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "open, read, close", .command = direct, .share = 1 / 2.5},
        {.name = "asyncio with threads", .command = python, .share = 5},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 3,
        .rounds = bench->quick ? 2 : 5,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[BENCH_SIDES];

    snprintf(number, sizeof number, "%zu", count);
    bench_compare(bench, row, &match, scores);
    bench_aside(bench, row, "lone", "us wall", BENCH_LESS, scores[0].value[1]);
    free(folder);
}

const struct bench_row bench_row_batch_noop = {
    "batch.noop", "ns CPU", "a call that does nothing, all in, of 100,000 in a batch: at most 400",
    bench_noop};
const struct bench_row bench_row_batch_sleep = {
    "batch.sleep", "ms wall", "1,000 calls of 50 ms, 100 at once: at most 1.03 of 500 ms",
    bench_sleep};
const struct bench_row bench_row_batch_files = {
    "batch.files", "us wall",
    "a small file that the kernel holds, by read_file: at most 2.5 times plain C, 5 times asyncio",
    bench_files};
