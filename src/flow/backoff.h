/* SPDX-License-Identifier: MIT */
/* How long to wait before something is tried again: exponential, with jitter. */
#ifndef RV_FLOW_BACKOFF_H
#define RV_FLOW_BACKOFF_H

#include <stdint.h>

/*
 * After so many failures (1, 2, …): first_ms, and twice as long after each further one, but no more
 * than most_ms; and of that between a half and one and a half, as `random` (any 64 bits) has it, so
 * that those who failed together do not come again together. Never 0.
 */
uint32_t rv_backoff_ms(uint32_t first_ms, uint32_t most_ms, uint32_t failures, uint64_t random);

#endif
