/* SPDX-License-Identifier: MIT */
/* The two ends of a test's life, for the test macro and for each run of a sweep. */
#ifndef RV_TESTS_RUN_H
#define RV_TESTS_RUN_H

#include "tests/lib/test.h"

/* Fills t in: seed, allocator, mem. */
void rv_test_begin(struct rv_test *t, const char *suite, const char *name, uint64_t seed);

/* The checks that were registered, then mem goes and nothing of it may be left. */
void rv_test_end(struct rv_test *t);

/* To stderr, which run of a sweep is under way; nothing outside of one. Safe in a signal handler.
 */
void rv_sweep_tell(void);

#endif
