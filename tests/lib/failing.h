/* SPDX-License-Identifier: MIT */
/*
 * The allocator of the tests. It counts, remembers every live block, guards both ends of each,
 * moves a block at every realloc, and fails on demand: the n-th allocation once, or from the n-th
 * on.
 */
#ifndef RV_TESTS_FAILING_H
#define RV_TESTS_FAILING_H

#include <reeve/allocator.h>
#include <stdbool.h>
#include <stddef.h>

struct rv_failing_block;

struct rv_failing {
    struct reeve_allocator allocator; /* hand this out; its arg points back here */
    size_t asked;                     /* mallocs and reallocs so far, refused ones included */
    size_t refused;                   /* how many of them failed on demand */
    size_t live;                      /* blocks not freed yet */
    size_t live_bytes;
    size_t peak_bytes;

    size_t fail_at; /* refuse the allocation with this number; 0: refuse none */
    bool fail_rest; /* and all that come after it */

    struct rv_failing_block *blocks;
};

void rv_failing_init(struct rv_failing *failing);

/* Refuses the n-th allocation from now (the next one is 1), or with rest all from the n-th on. */
void rv_failing_arm(struct rv_failing *failing, size_t n, bool rest);
void rv_failing_disarm(struct rv_failing *failing);

/* Prints size, number and (with RV_TEST_SITES=1 in the environment) call stack of the live blocks.
 */
void rv_failing_print_live(const struct rv_failing *failing);

/* Gives the live blocks back, after they were reported. */
void rv_failing_done(struct rv_failing *failing);

struct rv_test;

/*
 * What a sweep repeats. It allocates through run->mem or &run->allocator only, and frees all of it.
 * Returns 0 or a REEVE_E code; what a failing run may return beside REEVE_ENOMEM it checks itself
 * and returns as 0.
 */
typedef int (*rv_scenario_fn)(struct rv_test *run, void *arg);

/*
 * Runs the scenario once to count its allocations, N, then 2 N times more: the i-th allocation
 * fails alone, and all from the i-th on fail. After each run nothing may be live. Prints
 * "swept N allocations" to stderr and fails the test if N < at_least. Returns N.
 */
#define RV_SWEEP_ALLOCATIONS(t, scenario, arg, at_least)                                           \
    rv_sweep_allocations((t), (scenario), (arg), (at_least), #scenario)

size_t rv_sweep_allocations(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                            const char *name);

#endif
