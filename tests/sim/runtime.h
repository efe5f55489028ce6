/* SPDX-License-Identifier: MIT */
/* A fixture with a runtime on the simulated system, and a record of what ran in which order. */
#ifndef RV_TESTS_SIM_RUNTIME_H
#define RV_TESTS_SIM_RUNTIME_H

#include "tests/lib/test.h"
#include "tests/sim/sim.h"

#include <reeve/runtime.h>
#include <string.h>

#define RV_RECORD_BYTES 256

/* One test runs in a process. */
static struct reeve_runtime *runtime;
static char record[RV_RECORD_BYTES];

/* A user pointer that stands for a letter, and the letter again. */
#define LETTER(c) ((void *)(uintptr_t)(c))
#define LETTER_OF(arg) ((char)(uintptr_t)(arg))

static inline struct reeve_runtime *new_runtime(struct rv_test *t)
{
    struct reeve_runtime_options options;
    struct reeve_runtime *made;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &made), 0);
    return made;
}

static inline void set_up(struct rv_test *t)
{
    runtime = new_runtime(t);
    record[0] = '\0';
}

static inline void tear_down(struct rv_test *t)
{
    (void)t;
    reeve_runtime_free(runtime);
}

static inline void note(char what)
{
    size_t len = strlen(record);

    cr_assert_lt(len + 1, sizeof record);
    record[len] = what;
    record[len + 1] = '\0';
}

#define RV_SIM_TEST(suite, name, ...)                                                              \
    RV_TEST(suite, name, RV_FIXTURE(set_up, tear_down), ##__VA_ARGS__)

#endif
