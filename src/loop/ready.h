/* SPDX-License-Identifier: MIT */
/*
 * The ready queue: what is to run later in this turn of the loop. It is drained in order for at
 * most half a millisecond, then armed again by a zero-timeout timer, so that sockets, timers and
 * the host's own events get their turn however long the queue is.
 */
#ifndef RV_LOOP_READY_H
#define RV_LOOP_READY_H

#include <stdbool.h>

#include "base/list.h"

#include <reeve/runtime.h>

struct rv_task {
    struct rv_list node;
    void (*run)(struct rv_task *task);
};

static inline void rv_task_init(struct rv_task *task, void (*run)(struct rv_task *task))
{
    rv_list_init(&task->node);
    task->run = run;
}

/* Queue a task; one that is queued already keeps its place. It is unlinked before it runs. Never
 * fails. */
void rv_ready_push(struct reeve_runtime *runtime, struct rv_task *task);

/* Take a task out again; no effect if it is not queued. */
static inline void rv_ready_remove(struct rv_task *task)
{
    rv_list_remove(&task->node);
}

static inline bool rv_ready_queued(const struct rv_task *task)
{
    return !rv_list_empty(&task->node);
}

#endif
