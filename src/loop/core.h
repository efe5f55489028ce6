/* SPDX-License-Identifier: MIT */
/* The runtime from the inside: for the portable files of this folder only. */
#ifndef RV_LOOP_CORE_H
#define RV_LOOP_CORE_H

#include <pthread.h>

#include "base/arena.h"
#include "base/heap.h"
#include "base/list.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "metrics/metrics.h"

struct rv_system;

struct rv_ready_queue {
    struct rv_list tasks;
    uint64_t spent_ns; /* of the slice, since the last wake-up */
    unsigned between;  /* tasks from one reading of the clock to the next */
    bool wake_armed;   /* rv_loop_wake will come: until then nothing is drained */
};

struct rv_timer_queue {
    struct rv_heap heap;
    uint64_t next_sequence;
    uint64_t alarm_ns; /* what the system was told; UINT64_MAX: no alarm */
    bool alarm_came;   /* since then, so that it must be told anew */
};

/* Filled by any thread under the lock, emptied by the loop's. */
struct rv_post_box {
    pthread_mutex_t lock;
    struct reeve_post *first; /* under the lock */
    struct reeve_post **tail; /* under the lock */
    struct reeve_post *taken; /* of the loop: what is being run */
    struct rv_task task;      /* runs one of them */
    size_t holds;
};

struct rv_grave {
    struct rv_arena arena;
    struct rv_task task;
};

struct rv_slot_entry {
    void *value;
    void (*free_value)(void *value);
};

struct reeve_runtime {
    struct rv_mem *mem;
    struct rv_system *system;
    unsigned depth; /* of entries from the system */
    bool closing;
    uint64_t turn_ns; /* valid while depth > 0 */
    uint64_t seen_ns; /* what the monotonic clock said when it was last read */
    struct rv_ready_queue ready;
    struct rv_timer_queue timers;
    struct rv_post_box posts;
    struct rv_grave grave;
    struct rv_list pending; /* of rv_pending.node, oldest first */
    size_t pending_count;
    size_t children;
    uint64_t random[4];
    struct rv_metrics metrics;
    struct rv_slot_entry slots[RV_SLOT_COUNT];
    enum rv_slot slot_order[RV_SLOT_COUNT];
    size_t slot_count;
};

void rv_ready_init(struct reeve_runtime *runtime);
void rv_ready_drain(struct reeve_runtime *runtime);

void rv_timers_init(struct reeve_runtime *runtime);
void rv_timers_sync(struct reeve_runtime *runtime); /* let the alarm agree with the heap */

void rv_grave_init(struct reeve_runtime *runtime);
void rv_grave_done(struct reeve_runtime *runtime);

int rv_posts_init(struct reeve_runtime *runtime);
void rv_posts_run_all(struct reeve_runtime *runtime);
void rv_posts_done(struct reeve_runtime *runtime);

void rv_random_seed(uint64_t state[4], uint64_t seed);

#endif
