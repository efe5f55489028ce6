/* SPDX-License-Identifier: MIT */
/*
 * The seam between the loop and the system: what is below it is libevent and the kernel
 * (system_libevent.c), or in tests a simulated world with a virtual clock. Everything else of this
 * folder is the same in both. Watches (loop/watch.h) and this are all that a world must provide.
 */
#ifndef RV_LOOP_SYSTEM_H
#define RV_LOOP_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"

#include <reeve/runtime.h>

struct rv_system;

int rv_system_new(struct reeve_runtime *runtime, struct event_base *base, struct rv_mem *mem,
                  struct rv_system **ret_system);
void rv_system_free(struct rv_system *system);

struct event_base *rv_system_base(struct rv_system *system);
int rv_system_run(struct rv_system *system);

uint64_t rv_system_monotonic_ns(struct rv_system *system);
int64_t rv_system_wall_ms(struct rv_system *system);
uint64_t rv_system_entropy(struct rv_system *system);

/* Have rv_loop_wake called in a later pass of the loop, after sockets and timers had theirs. */
void rv_system_wake_later(struct rv_system *system, bool on);

/* Have rv_loop_alarm called at a time of rv_system_monotonic_ns, or soon if that is past;
 * UINT64_MAX: never. Once it has been called, the alarm is to be set anew before rv_loop_leave
 * returns: the system may count on that. */
void rv_system_set_alarm(struct rv_system *system, uint64_t deadline_ns);

/* Listen for rv_system_post_signal (any thread), which has rv_loop_posted called. */
int rv_system_listen(struct rv_system *system, bool on);
void rv_system_post_signal(struct rv_system *system);

struct rv_system *rv_runtime_system(struct reeve_runtime *runtime);

/* Upwards, into the loop. Each entry from the system is between an enter and a leave. */
void rv_loop_wake(struct reeve_runtime *runtime);
void rv_loop_alarm(struct reeve_runtime *runtime);
void rv_loop_posted(struct reeve_runtime *runtime);
void rv_loop_enter(struct reeve_runtime *runtime);
void rv_loop_leave(struct reeve_runtime *runtime);

#endif
