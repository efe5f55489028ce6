/* SPDX-License-Identifier: MIT */
/*
 * The simulated system under a runtime: it stands where src/loop/system_libevent.c does, so that
 * everything above runs unchanged, on a virtual clock, with the same result every time.
 *
 * Time stands still while code runs (unless rv_sim_set_reading_cost says otherwise) and jumps to
 * the next alarm or event when nothing is left to do. reeve_runtime_run returns when nothing more
 * can happen, which is also so when the runtime is held or watches descriptors that nothing will
 * make ready: check reeve_runtime_pending to tell "done" from "stuck".
 *
 * A pass goes as libevent's does: what happens in the world, then ready descriptors, posts, the
 * alarm, and last the wake-up if it was asked for before this pass.
 */
#ifndef RV_TESTS_SIM_SIM_H
#define RV_TESTS_SIM_SIM_H

#include "base/heap.h"

#include <reeve/runtime.h>
#include <stdbool.h>
#include <stdint.h>

#define RV_SIM_FDS 256

/* The clocks at birth: not 0, so that a zero that was taken for a time shows. */
#define RV_SIM_START_NS UINT64_C(1000000000000)
#define RV_SIM_START_WALL_MS INT64_C(1767225600000) /* 2026-01-01 00:00:00 UTC */

/*
 * Something that happens in the world at a time: bytes arrive, a child exits, a fault strikes. For
 * tests, and for simulated io. Embedded in what it is about; ordered by time, then by scheduling.
 */
struct rv_sim_event {
    struct rv_heap_node node;
    uint64_t at_ns;
    uint64_t sequence;
    bool scheduled;
    /* Called inside an entry into the loop (rv_loop_enter ... rv_loop_leave). */
    void (*happen)(struct rv_sim_event *event);
};

void rv_sim_event_init(struct rv_sim_event *event, void (*happen)(struct rv_sim_event *event));

/* Have it happen after so long (0: in the next pass). One that is scheduled is moved. Never fails.
 */
void rv_sim_schedule_ns(struct reeve_runtime *runtime, struct rv_sim_event *event,
                        uint64_t delay_ns);
void rv_sim_schedule_ms(struct reeve_runtime *runtime, struct rv_sim_event *event,
                        uint64_t delay_ms);
/* No effect on one that is not scheduled. */
void rv_sim_unschedule(struct reeve_runtime *runtime, struct rv_sim_event *event);

/* The virtual monotonic clock, without the cost of a reading. */
uint64_t rv_sim_now_ns(struct reeve_runtime *runtime);

/* Let time go by with nothing running: as if the code that calls this took so long. */
void rv_sim_advance_ns(struct reeve_runtime *runtime, uint64_t ns);

/* Set the wall clock forward or back; the monotonic one is not concerned. */
void rv_sim_step_wall_ms(struct reeve_runtime *runtime, int64_t ms);

/* Each reading of the monotonic clock takes this long [0], so that slices end. */
void rv_sim_set_reading_cost_ns(struct reeve_runtime *runtime, uint64_t ns);

/* A descriptor (below RV_SIM_FDS) is ready for these events (RV_WATCH_...) until told otherwise. */
void rv_sim_set_ready(struct reeve_runtime *runtime, int fd, unsigned events);
/* What the runtime watches it for. */
unsigned rv_sim_watched(struct reeve_runtime *runtime, int fd);

/* rv_watch_set and listening fail with this code until it is set to 0. */
void rv_sim_refuse_watching(struct reeve_runtime *runtime, int code);

/* What the system was asked for: for tests of the loop itself. */
bool rv_sim_listening(struct reeve_runtime *runtime);
bool rv_sim_wake_armed(struct reeve_runtime *runtime);
uint64_t rv_sim_alarm_ns(struct reeve_runtime *runtime); /* UINT64_MAX: none */

/* One pass of the loop; if nothing is to be done now, the clock first jumps to what comes next.
 * Returns false, and does nothing, if nothing can come any more. */
bool rv_sim_pass(struct reeve_runtime *runtime);
uint64_t rv_sim_passes(struct reeve_runtime *runtime);

/* Passes until so much virtual time has gone by; the clock then stands exactly there. */
void rv_sim_run_ms(struct reeve_runtime *runtime, uint64_t ms);

#endif
