/* SPDX-License-Identifier: MIT */
/* Each step counts what it still waits for, and lists, through the edges, who waits for it. */
#include "flow/chain.h"

#include <assert.h>

static void run_step(struct rv_task *task)
{
    struct rv_step *step = rv_container_of(task, struct rv_step, task);

    step->run(step);
}

void rv_step_init(struct rv_step *step, struct reeve_runtime *runtime,
                  void (*run)(struct rv_step *step))
{
    step->runtime = runtime;
    rv_task_init(&step->task, run_step);
    rv_list_init(&step->followers);
    step->waiting_for = 0;
    step->started = false;
    step->over = false;
    step->run = run;
}

void rv_step_put_after(struct rv_step *after, struct rv_step *before, struct rv_chain_edge *edge)
{
    assert(!after->started && after != before);
    edge->after = after;
    rv_list_init(&edge->node);
    if (before->over)
        return;
    rv_list_append(&before->followers, &edge->node);
    after->waiting_for++;
}

static void push_if_ready(struct rv_step *step)
{
    if (step->started && !step->over && !step->waiting_for)
        rv_ready_push(step->runtime, &step->task);
}

void rv_step_start(struct rv_step *step)
{
    assert(!step->started);
    step->started = true;
    push_if_ready(step);
}

bool rv_step_take_over(struct rv_step *step)
{
    bool about_to_run = rv_ready_queued(&step->task);

    rv_ready_remove(&step->task);
    return about_to_run;
}

void rv_step_finish(struct rv_step *step)
{
    struct rv_chain_edge *edge;
    struct rv_list *node;

    assert(!step->over);
    step->over = true;
    rv_ready_remove(&step->task);
    while ((node = rv_list_shift(&step->followers))) {
        edge = rv_list_entry(node, struct rv_chain_edge, node);
        edge->after->waiting_for--;
        push_if_ready(edge->after);
    }
}
