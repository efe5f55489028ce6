/* SPDX-License-Identifier: MIT */
/*
 * Continuation chains: steps that wait for other steps. A step runs, from the ready queue, when all
 * the steps that it was put behind are over. However long a chain is, nothing recurses, and a
 * waiting step holds nothing.
 */
#ifndef RV_FLOW_CHAIN_H
#define RV_FLOW_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "loop/ready.h"

struct rv_step {
    struct reeve_runtime *runtime;
    struct rv_task task;
    struct rv_list followers; /* of rv_chain_edge.node */
    size_t waiting_for;
    bool started; /* rv_step_start was called */
    bool over;
    void (*run)(struct rv_step *step);
};

/* One "after", owned by the caller, who keeps it, and the step `after`, until `before` is over. */
struct rv_chain_edge {
    struct rv_list node;
    struct rv_step *after;
};

void rv_step_init(struct rv_step *step, struct reeve_runtime *runtime,
                  void (*run)(struct rv_step *step));

/* `after` waits for `before`; no effect if that is over. Before rv_step_start(after) only. */
void rv_step_put_after(struct rv_step *after, struct rv_step *before, struct rv_chain_edge *edge);

/* All that it waits for has been said: it runs when nothing of that is left. */
void rv_step_start(struct rv_step *step);

/* True: the step was about to run. It is not run: the caller does at once what it is for. */
bool rv_step_take_over(struct rv_step *step);

/* It is over: what waited for it alone becomes ready. Once only. A step may be over without having
 * run (it was cancelled, say), even while it still waits: then what is behind it no longer waits
 * for what was in front of it. */
void rv_step_finish(struct rv_step *step);

#endif
