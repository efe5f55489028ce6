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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reeve/batch.h>
#include <reeve/tool.h>

enum { PATHS = 1000, CALLS = 100000, MOST_CALLS = 10 * CALLS, PERMITS = 16, TEXT_BYTES = 40 };

struct work {
    bool quick;
    struct reeve_toolbox *toolbox;
    struct reeve_call *calls;
    bool well;
};

static int answer(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_finish(call, "done", 4);
    return 0;
}

static int reads(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_READ, REEVE_RESOURCE_PATH,
                            reeve_tool_call_arg_string(call, "path"));
}

static int writes(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_WRITE, REEVE_RESOURCE_PATH,
                            reeve_tool_call_arg_string(call, "path"));
}

static void add_tool(struct reeve_toolbox *toolbox, const char *name,
                     int (*describe)(struct reeve_tool_call *call, struct reeve_claims *claims,
                                     void *arg))
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},"
                      "\"required\":[\"path\"]}";
    tool.start = answer;
    tool.describe = describe;
    bench_check(!reeve_toolbox_add(toolbox, &tool), "adding a tool");
}

/* The same row of calls in every run: numbers of a linear congruence, as the peer draws them. */
static void make_calls(struct work *work, size_t count)
{
    char *texts = calloc(count, TEXT_BYTES);
    uint32_t random = 1;
    size_t i;

    work->calls = calloc(count, sizeof *work->calls);
    bench_check(texts && work->calls, "memory");
    for (i = 0; i < count; i++) {
        char *text = texts + i * TEXT_BYTES;

        random = random * 1664525 + 1013904223;
        snprintf(text, TEXT_BYTES, "{\"path\":\"/none/of/it/f%u\"}", (random >> 8) % PATHS);
        work->calls[i] = (struct reeve_call){
            .id = "c",
            .name = random >> 31 ? "set" : "look",
            .arguments = text,
            .arguments_len = strlen(text),
        };
    }
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    struct work *work = arg;

    work->well = !error && !reeve_batch_stats(batch, &stats) &&
                 stats.succeeded + stats.shared == reeve_batch_count(batch);
}

static double time_batch(struct work *work, struct reeve_runtime *runtime, size_t count)
{
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    uint64_t start;

    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = PERMITS;
    options.on_done = on_done;
    options.arg = work;
    work->well = false;
    start = bench_cpu_ns();
    bench_check(!reeve_batch_run(work->toolbox, work->calls, count, &options, &batch), "a batch");
    bench_check(!reeve_runtime_run(runtime) && work->well, "the batch");
    return (double)(bench_cpu_ns() - start) / 1000 / (double)count;
}

/* The figures: µs a call of 100,000, of a million, and of the first 100,000. */
static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    struct reeve_runtime *runtime;

    bench_check(!reeve_runtime_new(NULL, NULL, &runtime), "a runtime");
    bench_check(!reeve_toolbox_new(runtime, &work->toolbox), "a toolbox");
    add_tool(work->toolbox, "look", reads);
    add_tool(work->toolbox, "set", writes);
    make_calls(work, MOST_CALLS);
    time_batch(work, runtime, PATHS);
    figures->value[2] = time_batch(work, runtime, CALLS);
    time_batch(work, runtime, CALLS);
    figures->value[0] = time_batch(work, runtime, CALLS);
    figures->value[1] = time_batch(work, runtime, MOST_CALLS);
    reeve_toolbox_free(work->toolbox);
    reeve_runtime_free(runtime);
    return 0;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {.quick = bench->quick};
    const char *const python[] = {"python3", bench_script("hazards-python.py"), NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_ours, .arg = &work},
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
