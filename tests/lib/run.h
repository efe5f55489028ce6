/* SPDX-License-Identifier: MIT */
/* The two ends of a test's life, for the test macro and for each run of a sweep. */
#ifndef RV_TESTS_RUN_H
#define RV_TESTS_RUN_H

#include "tests/lib/test.h"

/* Fills t in: seed, allocator, mem. */
void rv_test_begin(struct rv_test *t, const char *suite, const char *name, uint64_t seed);

/* The checks that were registered, then mem goes and nothing of it may be left. */
void rv_test_end(struct rv_test *t);

/*
 * One run of a sweep: a life of its own, with an allocator of its own, checked at its end as a test
 * is, and the notes are empty at its beginning. What the format says is told if the process ends in
 * it.
 */
struct rv_sweep_run {
    size_t fail_at; /* in: which allocation fails; 0: none */
    bool fail_rest; /* in: and all after it */
    int result;     /* out: the scenario's */
    size_t asked;   /* out: allocations */
    size_t refused; /* out: of them, failed on demand */
};

struct rv_sweep_run rv_sweep_run(struct rv_test *t, rv_scenario_fn scenario, void *arg,
                                 const struct rv_sweep_run *wanted, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Around the runs of a sweep. */
void rv_sweep_begin(void);
void rv_sweep_end(void);

/* To stderr, which run of a sweep is under way; nothing outside of one. Safe in a signal handler.
 */
void rv_sweep_tell(void);

#endif
