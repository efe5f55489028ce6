/* SPDX-License-Identifier: MIT */
/* The three clocks. Nothing outside this folder reads another. */
#ifndef RV_LOOP_CLOCK_H
#define RV_LOOP_CLOCK_H

#include <stdint.h>

#include <reeve/runtime.h>

/* Monotonic, read afresh at each entry from libevent, constant within one: for deadlines. Outside
 * the loop (a host that calls before it dispatches) it is read at each call. */
uint64_t rv_turn_now_ns(const struct reeve_runtime *runtime);

/* Monotonic, read now: for slices, metrics, lag. Never behind rv_turn_now_ns. The ready queue
 * learns of the reading (hence no const), so that a task which works in slices is counted. */
uint64_t rv_precise_now_ns(struct reeve_runtime *runtime);

/*
 * Monotonic, what the last reading said: at the entry into the loop, after every few tasks, or by
 * whoever has asked since. It is behind by what has run in between; whoever calls a host, which may
 * take its time, reads the clock behind that. A reading takes as long as a small tool's whole work.
 */
uint64_t rv_seen_now_ns(const struct reeve_runtime *runtime);

/* Milliseconds since 1970: for HTTP dates, journals, expiries in stores. */
int64_t rv_wall_now_ms(const struct reeve_runtime *runtime);

#define RV_NS_PER_MS UINT64_C(1000000)
#define RV_NS_PER_US UINT64_C(1000)

#endif
