/* SPDX-License-Identifier: MIT */
/* The generator of all numbers that tests draw: splitmix64. A seed gives the same row everywhere.
 */
#ifndef RV_TESTS_RANDOM_H
#define RV_TESTS_RANDOM_H

#include <stdint.h>

static inline uint64_t rv_random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The next of the row that stands at *state. */
static inline uint64_t rv_random_next(uint64_t *state)
{
    return rv_random_mix(*state += UINT64_C(0x9E3779B97F4A7C15));
}

#endif
