/* SPDX-License-Identifier: MIT */
/*
 * The in-flight semaphore: bounded concurrency on one loop. A waiter is granted its permit from the
 * ready queue, in the order of asking, so that neither acquiring nor releasing ever recurses.
 */
#ifndef RV_FLOW_SEMAPHORE_H
#define RV_FLOW_SEMAPHORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "loop/ready.h"

struct rv_semaphore {
    struct reeve_runtime *runtime;
    struct rv_list waiters;
    uint32_t limit;
    uint32_t held; /* permits that are held or on their way to a waiter */
};

/* Embedded in what waits. */
struct rv_permit {
    struct rv_semaphore *semaphore;
    struct rv_list node;
    struct rv_task task;
    bool held;
    void (*granted)(struct rv_permit *permit);
};

void rv_semaphore_init(struct rv_semaphore *semaphore, struct reeve_runtime *runtime,
                       uint32_t limit);

void rv_permit_init(struct rv_permit *permit, void (*granted)(struct rv_permit *permit));

/* Ask; `granted` comes later, from the loop. */
void rv_permit_acquire(struct rv_semaphore *semaphore, struct rv_permit *permit);

/* Give back what is held, take back what is being waited for, or do nothing. */
void rv_permit_release(struct rv_permit *permit);

#endif
