/* SPDX-License-Identifier: MIT */
/* The length of a wait. */
#include "flow/backoff.h"

uint32_t rv_backoff_ms(uint32_t first_ms, uint32_t most_ms, uint32_t failures, uint64_t random)
{
    uint64_t wait_ms = first_ms;
    uint32_t i;

    for (i = 1; i < failures && wait_ms < most_ms; i++)
        wait_ms *= 2;
    if (wait_ms > most_ms)
        wait_ms = most_ms;
    wait_ms = wait_ms / 2 + (random >> 32) * (wait_ms + 1) / (UINT64_C(1) << 32);
    if (!wait_ms)
        return 1;
    return wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
}
