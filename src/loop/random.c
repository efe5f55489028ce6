/* SPDX-License-Identifier: MIT */
/*
 * xoshiro256**, seeded through splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2018). For jitter and sampling; not for secrets.
 */
#include "loop/core.h"

static uint64_t rotate_left(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

void rv_random_seed(uint64_t state[4], uint64_t seed)
{
    uint64_t z;
    int i;

    for (i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        state[i] = z ^ (z >> 31);
    }
}

uint64_t rv_runtime_random(struct reeve_runtime *runtime)
{
    uint64_t *s = runtime->random;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}
