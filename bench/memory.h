/* SPDX-License-Identifier: MIT */
/* What memory.stream and its peer measure with. */
#ifndef REEVE_BENCH_MEMORY_H
#define REEVE_BENCH_MEMORY_H

#include <stddef.h>

/* The process's share of the memory it has in use (Pss). */
double bench_memory_bytes(void);

/* Room for so many connections. */
void bench_raise_descriptors(size_t count);

#endif
