/* SPDX-License-Identifier: MIT */
/*
 * loop.hop: one way through the ready queue: a task that is pushed, and run. A thousand tasks push
 * themselves anew until all hops are done; the wake-ups between the queue's slices are counted in.
 * CPU time; the best of the rounds.
 */
#include "bench/rows.h"

#include <stdlib.h>

#include "loop/ready.h"
#include "loop/runtime.h"

enum { TASKS = BENCH_BUNCH };

struct work {
    bool quick;
    struct reeve_runtime *runtime;
    size_t left;
};

struct hopper {
    struct rv_task task;
    struct work *work;
};

static void hop(struct rv_task *task)
{
    struct hopper *hopper = rv_container_of(task, struct hopper, task);
    struct work *work = hopper->work;

    if (work->left) {
        work->left--;
        rv_ready_push(work->runtime, task);
    }
}

/* The CPU time of one hop, of `hops` by `tasks` tasks. */
static double time_hops(struct work *work, size_t tasks, size_t hops)
{
    struct hopper *hopper = calloc(tasks, sizeof *hopper);
    uint64_t start;
    size_t i;

    bench_check(hopper, "memory");
    work->left = hops;
    start = bench_cpu_ns();
    for (i = 0; i < tasks; i++) {
        hopper[i].work = work;
        rv_task_init(&hopper[i].task, hop);
        rv_ready_push(work->runtime, &hopper[i].task);
    }
    bench_check(!reeve_runtime_run(work->runtime), "the loop");
    start = bench_cpu_ns() - start;
    free(hopper);
    return (double)start / (double)(hops + tasks);
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    const size_t hops = work->quick ? 2000000 : 20000000;

    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime), "a runtime");
    time_hops(work, TASKS, 100 * TASKS);
    figures->value[0] = time_hops(work, TASKS, hops);
    /* A single task: the wake-up, the push and the run, from a loop that sleeps. */
    figures->value[1] = time_hops(work, 1, 0);
    reeve_runtime_free(work->runtime);
    return 0;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {.quick = bench->quick};
    const struct bench_side side = {.name = "ours", .run = run_ours, .arg = &work};
    const struct bench_match match = {
        .sides = &side,
        .count = 1,
        .rounds = bench->quick ? 3 : 7,
        .limit_s = 30,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures score;

    bench_play(&match, &score);
    bench_absolute(bench, row, BENCH_LESS, score.value[0], 10);
    bench_aside(bench, row, "lone", "ns CPU", BENCH_LESS, score.value[1]);
}

const struct bench_row bench_row_loop_hop = {"loop.hop", "ns CPU",
                                             "a hop through the ready queue, at most 10 ns", run};
