/* SPDX-License-Identifier: MIT */
/*
 * A fast hash for tables in memory, keyed by a seed: whoever does not know the seed cannot choose
 * keys that collide. It is no digest, and it may change between versions and machines.
 */
#ifndef RV_BASE_HASH_H
#define RV_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t rv_hash(uint64_t seed, const void *bytes, size_t len);

/*
 * A seed for the table at `object`, drawn from where the system placed it and the program. Good
 * enough against keys chosen from afar, by somebody who never sees an address; it costs no read of
 * a random source.
 */
uint64_t rv_hash_seed(const void *object);

#endif
