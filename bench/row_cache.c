/* SPDX-License-Identifier: MIT */
/*
 * Calls that are answered by kept results, from the submission to the result. cache.tool.hit: of a
 * tool that cannot tell whether they are still right, 100,000 calls in a batch over 1,000 kept
 * results. The third batch of a process counts, as in batch.noop; the first stands beside it.
 * cache.file.hit: 1,000 small files by read_file, each looked at before its kept result answers;
 * one batch after the other. CPU time; the best of the rounds.
 *
 * The peers: a Python function that parses the arguments, finds the key as the guide's system does
 * (the SHA-256 of the JSON with its members sorted) and looks into an ordered dictionary, for files
 * with an os.stat; and plain C that keeps nothing and opens, looks at, reads and closes each file.
 */
#include "bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TOOL_LIMIT_NS = 1000,
    KEPT = 1000,
    FILE_BATCHES = 50,
    FILE_BATCHES_QUICK = 10,
    FILE_LIMIT_US = 4,
    FILE_BYTES = 1000,
};

static void report(const struct bench *bench, const struct bench_row *row,
                   const struct bench_match *match, double limit,
                   const struct bench_figures *scores)
{
    size_t i;

    for (i = 1; i < match->count; i++) {
        const struct bench_line line = {
            .name = row->name,
            .unit = row->unit,
            .claim = row->claim,
            .better = match->better,
            .ours = scores[0].value[0],
            .limit = limit,
            .peer_name = match->sides[i].name,
            .peer = scores[i].value[0],
        };

        bench_report(bench, &line);
    }
}

static void bench_tool(const struct bench *bench, const struct bench_row *row)
{
    const char *const ours[] = {bench_program("ours/calls"), "cache-tool", NULL};
    const char *const python[] = {"python3", bench_script("cache-python.py"), "tool", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "python dict, sha256", .command = python},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 2,
        .rounds = bench->quick ? 2 : 5,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_play(&match, scores);
    report(bench, row, &match, TOOL_LIMIT_NS, scores);
    bench_aside(bench, row, "lone", "ns wall", BENCH_LESS, scores[0].value[1]);
    bench_aside(bench, row, "first", "ns CPU", BENCH_LESS, scores[0].value[2]);
}

static char *make_files(const struct bench *bench)
{
    char text[FILE_BYTES], name[64], *folder;
    size_t i;

    bench_check(asprintf(&folder, "%s/cache-files", bench->folder) > 0, "memory");
    bench_check(!mkdir(folder, 0700), "a folder");
    memset(text, 'x', sizeof text);
    for (i = 0; i < KEPT; i++) {
        snprintf(name, sizeof name, "cache-files/f%05zu.txt", i);
        free(bench_file(bench, name, text, sizeof text));
    }
    return folder;
}

static void bench_files(const struct bench *bench, const struct bench_row *row)
{
    const size_t batches = bench->quick ? FILE_BATCHES_QUICK : FILE_BATCHES;
    char *folder = make_files(bench), count[32], times[32];
    const char *const ours[] = {
        bench_program("ours/calls"), "cache-file", folder, count, times, NULL};
    const char *const direct[] = {bench_program("peers/files-look"), folder, count, times, NULL};
    const char *const python[] = {
        "python3", bench_script("cache-python.py"), "file", folder, count, times, NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "open, fstat, read, close", .command = direct},
        {.name = "python dict, sha256, stat", .command = python},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 3,
        .rounds = bench->quick ? 2 : 5,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[BENCH_SIDES];

    snprintf(count, sizeof count, "%d", KEPT);
    snprintf(times, sizeof times, "%zu", batches);
    bench_play(&match, scores);
    report(bench, row, &match, FILE_LIMIT_US, scores);
    bench_aside(bench, row, "lone", "us wall", BENCH_LESS, scores[0].value[1]);
    free(folder);
}

const struct bench_row bench_row_cache_tool_hit = {
    "cache.tool.hit", "ns CPU",
    "a call that a kept result answers, all in, of 100,000 in a batch: at most 1 us", bench_tool};
const struct bench_row bench_row_cache_file_hit = {
    "cache.file.hit", "us CPU",
    "a small file by read_file, looked at and answered by a kept result: at most 4 us",
    bench_files};
