/* SPDX-License-Identifier: MIT */
/*
 * What a runtime counts. A counter only grows, from 0 at the runtime's making; reading one costs
 * nothing. They tell among other things by which means files are read and written:
 * REEVE_COUNTER_FILE_URING stays 0 where io_uring is forbidden.
 */
#ifndef REEVE_METRICS_H
#define REEVE_METRICS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_runtime;

/* X(name, "name for exporters", "what it counts"): the one table of counters. New ones go last. */
#define REEVE_COUNTER_TABLE(X)                                                                     \
    X(FILE_CACHED, "file_cached", "file operations answered at once by what the kernel holds")     \
    X(FILE_URING, "file_uring", "file operations that waited in io_uring, not in the loop")        \
    X(FILE_SLICED, "file_sliced", "file operations done in the loop, in bounded slices")           \
    X(FILE_URING_UNAVAILABLE, "file_uring_unavailable", "times that io_uring was not to be had")

enum reeve_counter {
#define REEVE_COUNTER_ENUM(name, exported, text) REEVE_COUNTER_##name,
    REEVE_COUNTER_TABLE(REEVE_COUNTER_ENUM)
#undef REEVE_COUNTER_ENUM
};

/* 0 for a counter that this version does not have. */
uint64_t reeve_runtime_counter(const struct reeve_runtime *runtime, enum reeve_counter counter);

/* Lower case, letters, digits and '_'. NULL for a counter that this version does not have, so that
 * all can be walked through from 0. Static text. */
const char *reeve_counter_name(enum reeve_counter counter);

/* What it counts, for people. NULL as above. Static text. */
const char *reeve_counter_text(enum reeve_counter counter);

#ifdef __cplusplus
}
#endif
#endif
