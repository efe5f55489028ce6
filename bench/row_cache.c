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

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve.h>

enum {
    TOOL_CALLS = 100000,
    TOOL_LIMIT_NS = 1000,
    KEPT = 1000,
    FILE_BATCHES = 50,
    FILE_BATCHES_QUICK = 10,
    FILE_LIMIT_US = 4,
    FILE_BYTES = 1000,
    PERMITS = 16,
    TEXT_BYTES = 64,
    SETTLING_US = 150000, /* a file that has just been written is not kept */
    SETTLINGS = 20,
};

struct work {
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct reeve_call *calls;
    const char *folder;
    size_t batches;
    uint64_t succeeded, cached;
    size_t bytes; /* of the results */
};

static int look(struct reeve_tool_call *call, void *arg)
{
    const char *path = reeve_tool_call_arg_string(call, "path");

    (void)arg;
    reeve_tool_call_finish(call, path, strlen(path));
    return 0;
}

static void add_tool(struct work *work)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "look";
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},"
                      "\"required\":[\"path\"]}";
    tool.effect = REEVE_EFFECT_READ;
    tool.cacheable = 1;
    tool.start = look;
    bench_check(!reeve_toolbox_add(work->toolbox, &tool), "adding a tool");
}

static void open_work(struct work *work)
{
    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime), "a runtime");
    bench_check(!reeve_toolbox_new(work->runtime, &work->toolbox), "a toolbox");
}

static void close_work(struct work *work)
{
    reeve_toolbox_free(work->toolbox);
    reeve_runtime_free(work->runtime);
}

static void make_calls(struct work *work, const char *tool, const char *folder, size_t count)
{
    char *texts = calloc(count, TEXT_BYTES);
    size_t i;

    work->calls = calloc(count, sizeof *work->calls);
    bench_check(texts && work->calls, "memory");
    for (i = 0; i < count; i++) {
        char *text = texts + i * TEXT_BYTES;

        snprintf(text, TEXT_BYTES, "{\"path\":\"%sf%05zu.txt\"}", folder, i % KEPT);
        work->calls[i] = (struct reeve_call){
            .id = "c", .name = tool, .arguments = text, .arguments_len = strlen(text)};
    }
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    struct work *work = arg;
    size_t i;

    bench_check(!error && !reeve_batch_stats(batch, &stats), "the batch");
    work->succeeded = stats.succeeded + stats.cached;
    work->cached = stats.cached;
    work->bytes = 0;
    for (i = 0; i < reeve_batch_count(batch); i++)
        work->bytes += reeve_batch_result(batch, i)->len;
}

static uint64_t run_batch(struct work *work, size_t count, uint64_t (*clock_ns)(void))
{
    const uint64_t start = clock_ns();
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    reeve_batch_options_init(&options);
    options.max_concurrency = PERMITS;
    options.on_done = on_done;
    options.arg = work;
    bench_check(!reeve_batch_run(work->toolbox, work->calls, count, &options, &batch), "a batch");
    bench_check(!reeve_runtime_run(work->runtime) && work->succeeded == count, "all calls");
    return clock_ns() - start;
}

static uint64_t run_hits(struct work *work, size_t count, uint64_t (*clock_ns)(void))
{
    const uint64_t took = run_batch(work, count, clock_ns);

    bench_check(work->cached == count, "answering all calls by kept results");
    return took;
}

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

/* ---- tools -----------------------------------------------------------------------------------
 */

/* The figures: ns a call of many, the wall time of a batch of one, and the first of many. */
static int run_tool(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    open_work(work);
    add_tool(work);
    make_calls(work, "look", "so/", TOOL_CALLS);
    run_batch(work, KEPT, bench_cpu_ns);
    bench_check(!work->cached, "running what is not kept yet");
    figures->value[2] = (double)run_hits(work, TOOL_CALLS, bench_cpu_ns) / TOOL_CALLS;
    run_hits(work, TOOL_CALLS, bench_cpu_ns);
    figures->value[0] = (double)run_hits(work, TOOL_CALLS, bench_cpu_ns) / TOOL_CALLS;
    figures->value[1] = (double)run_hits(work, 1, bench_wall_ns);
    close_work(work);
    return 0;
}

static void bench_tool(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {0};
    const char *const python[] = {"python3", bench_script("cache-python.py"), "tool", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_tool, .arg = &work},
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

/* ---- files -----------------------------------------------------------------------------------
 */

/* Read all files until all of them are kept. */
static void keep_all(struct work *work)
{
    size_t left = SETTLINGS;

    run_batch(work, KEPT, bench_cpu_ns);
    while (work->cached < KEPT && left--) {
        usleep(SETTLING_US);
        run_batch(work, KEPT, bench_cpu_ns);
    }
}

/* The figures: us a file, and the wall time of one that is alone. */
static int run_file(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    uint64_t took = 0;
    size_t i;

    open_work(work);
    bench_check(!reeve_toolbox_add_files(work->toolbox, work->folder), "the file tools");
    make_calls(work, "read_file", "", KEPT);
    keep_all(work);
    for (i = 0; i < work->batches; i++)
        took += run_hits(work, KEPT, bench_cpu_ns);
    bench_check(work->bytes == (size_t)KEPT * FILE_BYTES, "all bytes of all files");
    figures->value[0] = (double)took / 1000 / KEPT / (double)work->batches;
    figures->value[1] = (double)run_hits(work, 1, bench_wall_ns) / 1000;
    close_work(work);
    return 0;
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
    struct work work = {.folder = folder, .batches = batches};
    const char *const direct[] = {bench_program("files-look"), folder, count, times, NULL};
    const char *const python[] = {
        "python3", bench_script("cache-python.py"), "file", folder, count, times, NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_file, .arg = &work},
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
