/* SPDX-License-Identifier: MIT */
/*
 * The ready queue is drained when an entry from the system is left, in slices: SLICE_NS of draining
 * from one wake-up to the next, however many entries lie between. What is left then waits for the
 * wake-up, which comes in a later pass of the host's loop, so that a pass never spends more than
 * one slice here, whether one socket or a thousand were ready in it.
 *
 * Reading the clock costs more than a short task does, so it is not read after each; how many lie
 * between is adapted to what they cost. A task that works for long reads it by itself to know when
 * to stop (rv_precise_now_ns), and what it read is seen here.
 */
#include "loop/ready.h"

#include "loop/clock.h"
#include "loop/core.h"
#include "loop/system.h"

#define SLICE_NS (RV_NS_PER_MS / 2)

/* Tasks from one reading of the clock to the next: twice as many while they take less than BATCH_NS
 * together, one when they take more. */
#define MOST_BETWEEN 32
#define BATCH_NS (10 * RV_NS_PER_US)

void rv_ready_init(struct reeve_runtime *runtime)
{
    rv_list_init(&runtime->ready.tasks);
    runtime->ready.spent_ns = 0;
    runtime->ready.between = 1;
    runtime->ready.wake_armed = false;
}

static void set_wake(struct reeve_runtime *runtime, bool on)
{
    if (runtime->ready.wake_armed == on)
        return;
    runtime->ready.wake_armed = on;
    rv_system_wake_later(runtime->system, on);
}

void rv_ready_push(struct reeve_runtime *runtime, struct rv_task *task)
{
    if (rv_ready_queued(task))
        return;
    rv_list_append(&runtime->ready.tasks, &task->node);
    if (!runtime->depth)
        set_wake(runtime, true);
}

/* Run tasks until none is left or the clock has been seen at `stop_ns`. */
static void run_tasks(struct reeve_runtime *runtime, uint64_t stop_ns)
{
    unsigned *between = &runtime->ready.between;
    unsigned left = *between;
    uint64_t read_ns = runtime->seen_ns;
    struct rv_list *node;
    struct rv_task *task;

    while (runtime->seen_ns < stop_ns) {
        node = rv_list_shift(&runtime->ready.tasks);
        if (!node)
            return;
        task = rv_list_entry(node, struct rv_task, node);
        task->run(task);
        if (--left)
            continue;
        if (rv_precise_now_ns(runtime) - read_ns > BATCH_NS)
            *between = 1;
        else if (*between < MOST_BETWEEN)
            *between *= 2;
        left = *between;
        read_ns = runtime->seen_ns;
    }
}

void rv_ready_drain(struct reeve_runtime *runtime)
{
    struct rv_ready_queue *ready = &runtime->ready;
    uint64_t start_ns;

    if (rv_list_empty(&ready->tasks)) {
        set_wake(runtime, false);
        return;
    }
    if (ready->wake_armed)
        return;
    if (ready->spent_ns < SLICE_NS) {
        start_ns = rv_precise_now_ns(runtime);
        run_tasks(runtime, start_ns + SLICE_NS - ready->spent_ns);
        ready->spent_ns += rv_precise_now_ns(runtime) - start_ns;
    }
    if (!rv_list_empty(&ready->tasks))
        set_wake(runtime, true);
}

void rv_loop_wake(struct reeve_runtime *runtime)
{
    runtime->ready.wake_armed = false;
    runtime->ready.spent_ns = 0;
}
