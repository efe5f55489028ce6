/* SPDX-License-Identifier: MIT */
/*
 * What the folders above the loop may use of a runtime: its memory, its random numbers, a typed
 * slot each for what must exist once a runtime, and the list of what is pending on it.
 */
#ifndef RV_LOOP_RUNTIME_H
#define RV_LOOP_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/list.h"

#include <reeve/runtime.h>

struct rv_metrics;

struct rv_mem *rv_runtime_mem(struct reeve_runtime *runtime);

struct rv_arena;

/* Give an arena of the runtime's memory back, a chunk at a time, from the loop. It is empty after
 * this. Never fails. */
void rv_runtime_bury(struct reeve_runtime *runtime, struct rv_arena *arena);

/* Being freed: new submissions are refused with REEVE_ECLOSING. */
bool rv_runtime_closing(const struct reeve_runtime *runtime);

uint64_t rv_runtime_random(struct reeve_runtime *runtime);

/* What it counts (metrics/metrics.h). */
struct rv_metrics *rv_runtime_metrics(struct reeve_runtime *runtime);

/* Things that exist once a runtime, made on first use by the folder that owns them. */
enum rv_slot {
    RV_SLOT_HTTP,
    RV_SLOT_HTTP_QUEUE,
    RV_SLOT_FILE,
    RV_SLOT_PROCESS,
    RV_SLOT_STREAM,
    RV_SLOT_COUNT,
};

/* NULL until set. `free_value` runs when the runtime is freed, after everything pending has ended;
 * slots are freed in the reverse order of being set. */
void *rv_runtime_slot(const struct reeve_runtime *runtime, enum rv_slot slot);
void rv_runtime_slot_set(struct reeve_runtime *runtime, enum rv_slot slot, void *value,
                         void (*free_value)(void *value));

/*
 * A pending operation of the public interface. It is enlisted from the submission to just before
 * its done callback. `abort` is called when the runtime is freed: it must complete the operation,
 * done callback with REEVE_ECANCELED included, before it returns.
 */
struct rv_pending {
    struct rv_list node;
    void (*abort)(struct rv_pending *pending);
};

void rv_pending_add(struct reeve_runtime *runtime, struct rv_pending *pending,
                    void (*abort)(struct rv_pending *pending));
void rv_pending_remove(struct reeve_runtime *runtime, struct rv_pending *pending);

/* Objects that must be freed before their runtime: counted, asserted when the runtime is freed. */
void rv_runtime_child_add(struct reeve_runtime *runtime);
void rv_runtime_child_remove(struct reeve_runtime *runtime);

#endif
