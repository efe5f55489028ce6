/* SPDX-License-Identifier: MIT */
/*
 * Timers: an intrusive heap ordered by deadline, then by the order of starting, behind one
 * descriptor. Starting never allocates and never fails. A timer fires once, never early, from the
 * loop.
 */
#ifndef RV_LOOP_TIMER_H
#define RV_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

#include <reeve/runtime.h>

struct rv_timer {
    struct rv_heap_node node;
    uint64_t deadline_ns;
    uint64_t sequence;
    bool armed;
    void (*fire)(struct rv_timer *timer);
};

static inline void rv_timer_init(struct rv_timer *timer, void (*fire)(struct rv_timer *timer))
{
    *timer = (struct rv_timer){.fire = fire};
}

/* Fire `delay_ms` from now, by the precise clock: a host's callback that held the loop for a second
 * before this has not used up the delay. An armed timer is moved. */
void rv_timer_start_ms(struct reeve_runtime *runtime, struct rv_timer *timer, uint64_t delay_ms);
void rv_timer_start_at_ns(struct reeve_runtime *runtime, struct rv_timer *timer,
                          uint64_t deadline_ns);

/* Of one that is armed. */
void rv_timer_disarm(struct reeve_runtime *runtime, struct rv_timer *timer);

/* No effect on one that is not armed. */
static inline void rv_timer_stop(struct reeve_runtime *runtime, struct rv_timer *timer)
{
    if (timer->armed)
        rv_timer_disarm(runtime, timer);
}

#endif
