/* SPDX-License-Identifier: MIT */
/* Multiply and fold: eight bytes a step, as much of the seed in each step as in the first. */
#include "base/hash.h"

#include <string.h>

/* Arbitrary odd numbers with as many ones as zeros: 2^64 by the golden ratio, and by the root of 2.
 */
static const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);
static const uint64_t root = UINT64_C(0xB504F333F9DE6485);

/* Both halves of a * b, one upon the other. */
static uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    const unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    const uint64_t a_low = a & UINT32_MAX, a_high = a >> 32;
    const uint64_t b_low = b & UINT32_MAX, b_high = b >> 32;
    const uint64_t cross = a_high * b_low + ((a_low * b_low) >> 32);
    const uint64_t middle = (cross & UINT32_MAX) + a_low * b_high;

    return (a * b) ^ (a_high * b_high + (cross >> 32) + (middle >> 32));
#endif
}

/* The 1 to 7 bytes of a short text: some of them twice, which does no harm beside its length. */
static uint64_t load_short(const unsigned char *bytes, size_t len)
{
    uint32_t low, high;

    if (len < sizeof low)
        return bytes[0] | (uint64_t)bytes[len / 2] << 8 | (uint64_t)bytes[len - 1] << 16;
    memcpy(&low, bytes, sizeof low);
    memcpy(&high, bytes + len - sizeof high, sizeof high);
    return low | (uint64_t)high << 32;
}

/* What is left of a longer text, less than eight bytes, is taken together with those before it. */
uint64_t rv_hash(uint64_t seed, const void *bytes, size_t len)
{
    const unsigned char *byte = bytes, *end = byte + len;
    const uint64_t key = seed ^ root;
    uint64_t hash = fold(seed ^ golden, len ^ root);
    uint64_t word;

    if (len < sizeof word)
        return fold((len ? hash ^ load_short(byte, len) : hash) ^ golden, key);
    for (; (size_t)(end - byte) > sizeof word; byte += sizeof word) {
        memcpy(&word, byte, sizeof word);
        hash = fold(hash ^ word, key);
    }
    memcpy(&word, end - sizeof word, sizeof word);
    return fold(hash ^ word ^ golden, key);
}

uint64_t rv_hash_seed(const void *object)
{
    const uint64_t here = (uint64_t)(uintptr_t)&golden;

    return fold((uint64_t)(uintptr_t)object ^ golden, here ^ root);
}
