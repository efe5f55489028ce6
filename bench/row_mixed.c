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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"

#include <reeve.h>

enum { MOST_CALLS = 6, TEXT_BYTES = 32 };

struct mix {
    const char *name;
    const char *claim;
    uint32_t permits;
    double limit; /* in % saved */
    double guide; /* what the guide says of its own system */
    unsigned ms[MOST_CALLS];
    size_t count;
};

static const struct mix mixes[] = {
    {"batch.mixed",
     "three slow calls and two fast ones at once: the guide has about 35 % saved",
     3,
     35,
     35,
     {100, 0, 80, 0, 60},
     5},
    {"batch.mixed.slow",
     "four calls of 50 ms and two fast ones at once: the guide has about 75 % saved",
     4,
     74.5,
     75,
     {50, 50, 50, 50, 0, 0},
     6},
};
enum { MIXES = sizeof mixes / sizeof mixes[0] };

struct nap {
    struct rv_timer timer;
    struct reeve_tool_call *call;
};

struct work {
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    uint64_t succeeded;
};

static void wake_up(struct rv_timer *timer)
{
    struct nap *nap = rv_container_of(timer, struct nap, timer);

    reeve_tool_call_finish(nap->call, "done", 4);
    free(nap);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct work *work = arg;
    int64_t ms = 0;
    struct nap *nap;

    reeve_json_int64(reeve_json_get(reeve_tool_call_arguments(call), "ms"), &ms);
    if (!ms) {
        reeve_tool_call_finish(call, "done", 4);
        return 0;
    }
    nap = calloc(1, sizeof *nap);
    if (!nap)
        return REEVE_ENOMEM;
    nap->call = call;
    rv_timer_init(&nap->timer, wake_up);
    rv_timer_start_ms(work->runtime, &nap->timer, (uint64_t)ms);
    return 0;
}

static void add_tool(struct work *work)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "wait";
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"ms\":{\"type\":\"integer\"}},"
                      "\"required\":[\"ms\"]}";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = start;
    tool.arg = work;
    bench_check(!reeve_toolbox_add(work->toolbox, &tool), "adding a tool");
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    struct work *work = arg;

    bench_check(!error && !reeve_batch_stats(batch, &stats), "the batch");
    work->succeeded = stats.succeeded;
}

static double time_mix(struct work *work, const struct mix *mix, uint32_t permits)
{
    struct reeve_call calls[MOST_CALLS];
    char texts[MOST_CALLS][TEXT_BYTES];
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    uint64_t start_ns;
    size_t i;

    for (i = 0; i < mix->count; i++) {
        snprintf(texts[i], TEXT_BYTES, "{\"ms\":%u}", mix->ms[i]);
        calls[i] = (struct reeve_call){
            .id = "c", .name = "wait", .arguments = texts[i], .arguments_len = strlen(texts[i])};
    }
    reeve_batch_options_init(&options);
    options.max_concurrency = permits;
    options.skip_sharing = 1; /* those that wait equally long are not one */
    options.on_done = on_done;
    options.arg = work;
    start_ns = bench_wall_ns();
    bench_check(!reeve_batch_run(work->toolbox, calls, mix->count, &options, &batch), "a batch");
    bench_check(!reeve_runtime_run(work->runtime) && work->succeeded == mix->count, "all calls");
    return (double)(bench_wall_ns() - start_ns);
}

/* The figures: for each mix what was saved, in %. */
static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    size_t i;

    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime), "a runtime");
    bench_check(!reeve_toolbox_new(work->runtime, &work->toolbox), "a toolbox");
    add_tool(work);
    for (i = 0; i < MIXES; i++) {
        double one_by_one = time_mix(work, &mixes[i], 1);
        double at_once = time_mix(work, &mixes[i], mixes[i].permits);

        figures->value[i] = 100 * (one_by_one - at_once) / one_by_one;
    }
    reeve_toolbox_free(work->toolbox);
    reeve_runtime_free(work->runtime);
    return 0;
}

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
    struct work work = {0};
    const char *const python[] = {"python3", bench_script("batch-python.py"), "mixed", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_ours, .arg = &work},
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
