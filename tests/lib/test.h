/* SPDX-License-Identifier: MIT */
/*
 * The test macro. Criterion ignores what fails in its tear-down, LeakSanitizer's report at exit,
 * and a body that calls exit(0); so set-up, body and tear-down all run in the body here, and so do
 * the checks after them:
 *
 *     RV_TEST(buffer, grows)
 *     {
 *         struct rv_buffer buffer;
 *         rv_buffer_init(&buffer, t->mem, 100);
 *         ...
 *         cr_assert_eq(buffer.len, 3);
 *         rv_buffer_done(&buffer);
 *     }
 *
 *     RV_TEST(loop, late, .timeout = 30, RV_FIXTURE(set_up, tear_down)) { ... t->data ... }
 *
 * At the end nothing allocated through t->mem or t->allocator may be live, the open descriptors are
 * those of before, the checks that were registered hold, LeakSanitizer finds nothing, and the body
 * has run to its end. The options are Criterion's (.timeout in seconds [10], .signal, .exit_code,
 * .disabled); a test that expects a signal or an exit code ends there and is not checked further.
 *
 * Print to stderr only. Use Criterion's cr_assert family.
 */
#ifndef RV_TESTS_TEST_H
#define RV_TESTS_TEST_H

#include "base/alloc.h"
#include "tests/lib/failing.h"

#include <criterion/criterion.h>
#include <stdint.h>

#define RV_TEST_CHECKS_MAX 16

struct rv_test;

typedef void (*rv_test_fn)(struct rv_test *t);
/* Calls rv_test_fault for each thing that is wrong. */
typedef void (*rv_test_check_fn)(struct rv_test *t, void *arg);

struct rv_test {
    const char *suite;
    const char *name;
    struct reeve_allocator allocator; /* counts, guards; same blocks as mem's */
    struct rv_mem *mem;
    /* The same at every run, another for each test; RV_SEED=n in the environment sets it. */
    uint64_t seed;
    void *data; /* set-up's, for the body and tear-down */

    struct rv_failing failing;
    unsigned faults;
    char first_fault[160];
    unsigned checks;
    struct {
        rv_test_check_fn fn;
        void *arg;
    } check[RV_TEST_CHECKS_MAX];
    uint64_t random;
};

struct rv_fixture {
    rv_test_fn set_up;    /* may be NULL */
    rv_test_fn tear_down; /* may be NULL */
};

/* An option of RV_TEST. */
#define RV_FIXTURE(up, down)                                                                       \
    .data = &(struct rv_fixture)                                                                   \
    {                                                                                              \
        (up), (down)                                                                               \
    }

/* Reports what is wrong, and goes on; the test fails at its end. */
void rv_test_fault(struct rv_test *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the test here, neither red nor green, and prints why: what it needs is not on this machine.
 */
void rv_test_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Has fn called after tear-down, while mem still lives; in a sweep, after each run of it. */
void rv_test_at_end(struct rv_test *t, rv_test_check_fn fn, void *arg);

/* The next of a row of numbers that t->seed determines. */
uint64_t rv_test_random(struct rv_test *t);

void rv_test_run(const char *suite, const char *name, rv_test_fn body,
                 const struct criterion_test_extra_data *options);

#define RV_TEST(suite, name, ...)                                                                  \
    static void suite##_##name##_body(struct rv_test *t);                                          \
    RV_TEST_QUIET_BEGIN                                                                            \
    Test(suite, name, .timeout = 10, ##__VA_ARGS__)                                                \
    {                                                                                              \
        rv_test_run(#suite, #name, suite##_##name##_body, &CR_IDENTIFIER_(suite, name, extra));    \
    }                                                                                              \
    RV_TEST_QUIET_END                                                                              \
    static void suite##_##name##_body(__attribute__((unused)) struct rv_test *t)

/* A .timeout among the options comes after ours on purpose. clang knows this name as well. */
#define RV_TEST_QUIET_BEGIN                                                                        \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#define RV_TEST_QUIET_END _Pragma("GCC diagnostic pop")

#endif
