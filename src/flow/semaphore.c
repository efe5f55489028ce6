/* SPDX-License-Identifier: MIT */
/*
 * A permit is idle, waiting (listed in the semaphore), on its way (its task is queued) or held.
 * From "on its way" it is counted in semaphore->held, so that nobody overtakes.
 *
 *     idle -> waiting -> on its way -> held -> idle     the whole way
 *     idle -> on its way                                a permit was free
 *     waiting -> idle, on its way -> idle               taken back before it was granted
 */
#include "flow/semaphore.h"

#include <assert.h>

void rv_semaphore_init(struct rv_semaphore *semaphore, struct reeve_runtime *runtime,
                       uint32_t limit)
{
    assert(limit);
    semaphore->runtime = runtime;
    rv_list_init(&semaphore->waiters);
    semaphore->limit = limit;
    semaphore->held = 0;
}

static void grant(struct rv_task *task)
{
    struct rv_permit *permit = rv_container_of(task, struct rv_permit, task);

    permit->held = true;
    permit->granted(permit);
}

void rv_permit_init(struct rv_permit *permit, void (*granted)(struct rv_permit *permit))
{
    permit->semaphore = NULL;
    rv_list_init(&permit->node);
    rv_task_init(&permit->task, grant);
    permit->held = false;
    permit->granted = granted;
}

static void send_permit(struct rv_semaphore *semaphore, struct rv_permit *permit)
{
    semaphore->held++;
    rv_ready_push(semaphore->runtime, &permit->task);
}

void rv_permit_acquire(struct rv_semaphore *semaphore, struct rv_permit *permit)
{
    assert(!permit->held && !rv_ready_queued(&permit->task) && rv_list_empty(&permit->node));
    permit->semaphore = semaphore;
    if (semaphore->held < semaphore->limit)
        send_permit(semaphore, permit);
    else
        rv_list_append(&semaphore->waiters, &permit->node);
}

static void give_back(struct rv_semaphore *semaphore)
{
    struct rv_list *node;

    semaphore->held--;
    node = rv_list_shift(&semaphore->waiters);
    if (node)
        send_permit(semaphore, rv_list_entry(node, struct rv_permit, node));
}

void rv_permit_release(struct rv_permit *permit)
{
    bool on_its_way = rv_ready_queued(&permit->task);

    rv_list_remove(&permit->node);
    rv_ready_remove(&permit->task);
    if (!permit->held && !on_its_way)
        return;
    permit->held = false;
    give_back(permit->semaphore);
}
