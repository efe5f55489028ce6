/* SPDX-License-Identifier: MIT */
/*
 * What runs around a test's body. See test.h.
 *
 * Happy path: seed and allocator; descriptors noted; set-up, body, tear-down; the registered
 * checks; the allocator's live blocks, descriptors, LeakSanitizer; finished. Ways to fail: an
 * assertion in the body (Criterion jumps out, the rest is skipped, the test is red already); a
 * fault in one of the checks (all of them run, then one assertion); the process ends before
 * `finished` (the guard at exit turns the status red); a signal.
 */
#include "tests/lib/test.h"
#include "tests/lib/descriptors.h"
#include "tests/lib/random.h"
#include "tests/lib/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEFT_EARLY_STATUS 99

/* Present in a program built with AddressSanitizer or LeakSanitizer, whatever the compiler. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* LeakSanitizer asks these. Criterion's own process loses a little with each row of tests. */
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

/* One test runs in a process; the guard at exit has no other way to find it. */
static struct {
    const struct rv_test *test;
    pid_t pid;
    bool finished;
    bool end_expected;
} current;

/* Only a process that runs a test is looked at. */
int __lsan_is_turned_off(void)
{
    return !current.test;
}

static void guard(void)
{
    if (current.finished || current.end_expected || current.pid != getpid())
        return;
    rv_sweep_tell();
    fprintf(stderr, "%s::%s did not run to its end (RV_SEED=%llu)\n", current.test->suite,
            current.test->name, (unsigned long long)current.test->seed);
    _exit(LEFT_EARLY_STATUS);
}

/* FNV-1a, so that each test has a seed of its own and has it again tomorrow. */
static uint64_t seed_of(const char *suite, const char *name)
{
    const char *given = getenv("RV_SEED");
    const char *parts[] = {suite, "/", name};
    uint64_t hash = 0xcbf29ce484222325U;

    if (given)
        return strtoull(given, NULL, 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (const char *c = parts[i]; *c != '\0'; c++)
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
    }
    return hash;
}

uint64_t rv_test_random(struct rv_test *t)
{
    return rv_random_next(&t->random);
}

void rv_test_fault(struct rv_test *t, const char *format, ...)
{
    char text[sizeof t->first_fault];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s::%s: %s\n", t->suite, t->name, text);
    if (t->faults++ == 0)
        memcpy(t->first_fault, text, sizeof text);
}

void rv_test_skip(const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s::%s is skipped: %s\n", current.test->suite, current.test->name, text);
    current.finished = true;
    criterion_skip_test("%s", text);
}

void rv_test_at_end(struct rv_test *t, rv_test_check_fn fn, void *arg)
{
    cr_assert_lt(t->checks, RV_TEST_CHECKS_MAX, "too many checks at the end");
    t->check[t->checks].fn = fn;
    t->check[t->checks].arg = arg;
    t->checks++;
}

void rv_test_begin(struct rv_test *t, const char *suite, const char *name, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->suite = suite;
    t->name = name;
    t->seed = seed;
    t->random = seed;
    rv_failing_init(&t->failing);
    t->allocator = t->failing.allocator;
    cr_assert_eq(rv_mem_new(&t->allocator, &t->mem), 0);
}

void rv_test_end(struct rv_test *t)
{
    for (unsigned i = t->checks; i > 0; i--)
        t->check[i - 1].fn(t, t->check[i - 1].arg);
    rv_mem_unref(t->mem);
    t->mem = NULL;
    if (t->failing.live > 0) {
        rv_test_fault(t, "%zu allocations of %zu bytes left", t->failing.live,
                      t->failing.live_bytes);
        rv_failing_print_live(&t->failing);
    }
    rv_failing_done(&t->failing);
}

static void check_leaks(struct rv_test *t)
{
    if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0)
        rv_test_fault(t, "LeakSanitizer found a leak");
}

void rv_test_run(const char *suite, const char *name, rv_test_fn body,
                 const struct criterion_test_extra_data *options)
{
    const struct rv_fixture *fixture = options->data;
    struct rv_descriptors before;
    struct rv_test t;

    rv_test_begin(&t, suite, name, seed_of(suite, name));
    current.test = &t;
    current.pid = getpid();
    current.end_expected = options->signal != 0 || options->exit_code != 0;
    cr_assert_eq(atexit(guard), 0);
    rv_descriptors_read(&before);

    if (fixture && fixture->set_up)
        fixture->set_up(&t);
    body(&t);
    if (fixture && fixture->tear_down)
        fixture->tear_down(&t);

    rv_test_end(&t);
    rv_descriptors_compare(&before, &t);
    check_leaks(&t);
    current.finished = true;
    cr_assert_eq(t.faults, 0, "%s", t.first_fault);
}
