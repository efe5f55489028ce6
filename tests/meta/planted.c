/* SPDX-License-Identifier: MIT */
/*
 * Planted faults, one a test. tests/meta/run runs each alone and passes only if it turns red with
 * the right report; `clean` and `sweep_clean` are the counter-check that must stay green.
 */
#include "tests/lib/test.h"

#include <fcntl.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Kept from the optimiser, and from LeakSanitizer's sight once overwritten. */
static void *volatile kept;
static volatile int shift = 40;

__attribute__((noinline)) static void *hidden(void *ptr)
{
    kept = ptr;
    return kept;
}

/* A write that the optimiser has to make, though the block is freed next. */
static void scribble(char *at)
{
    *(volatile char *)at = 'x';
}

RV_TEST(planted, clean)
{
    char *text = rv_strdup(t->mem, "text");

    cr_assert_str_eq(text, "text");
    rv_free(t->mem, text);
}

RV_TEST(planted, leak_counted)
{
    cr_assert_not_null(rv_alloc(t->mem, 33));
}

RV_TEST(planted, leak_plain)
{
    memset(hidden(malloc(44)), 1, 44);
    kept = NULL;
}

RV_TEST(planted, overflow_plain)
{
    char *text = hidden(malloc(10));

    scribble(text + 10);
    free(text);
}

RV_TEST(planted, overflow_counted)
{
    char *text = hidden(rv_alloc(t->mem, 10));

    scribble(text + 10);
    rv_free(t->mem, text);
}

RV_TEST(planted, underflow_counted)
{
    char *text = hidden(t->allocator.malloc(10, t->allocator.arg));

    scribble(text - 1);
    t->allocator.free(text, t->allocator.arg);
}

RV_TEST(planted, undefined_shift)
{
    fprintf(stderr, "%d\n", 1 << shift);
}

/* A report in a process whose status nobody looks at. */
RV_TEST(planted, undefined_in_child)
{
    pid_t child = fork();

    if (child == 0)
        _exit((1 << shift) != 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

RV_TEST(planted, exit_zero)
{
    exit(0);
}

RV_TEST(planted, assertion)
{
    cr_assert(0, "planted");
}

RV_TEST(planted, descriptor)
{
    cr_assert_geq(dup(2), 0);
}

RV_TEST(planted, descriptor_exchanged)
{
    const int fd = open("/dev/zero", O_RDONLY);

    cr_assert(fd >= 0 && dup2(fd, 0) == 0);
    close(fd);
}

RV_TEST(planted, skipped)
{
    rv_test_skip("planted");
}

RV_TEST(planted, descriptor_closed)
{
    close(0);
}

static void end_check(struct rv_test *t, void *arg)
{
    rv_test_fault(t, "%s", (const char *)arg);
}

RV_TEST(planted, end_check)
{
    static char what[] = "planted at the end";

    rv_test_at_end(t, end_check, what);
}

static void failing_fixture(struct rv_test *t)
{
    cr_assert_null(t, "planted in a fixture");
}

RV_TEST(planted, set_up, RV_FIXTURE(failing_fixture, NULL))
{
}

RV_TEST(planted, tear_down, RV_FIXTURE(NULL, failing_fixture))
{
}

RV_TEST(planted, hang, .timeout = 1)
{
    for (;;)
        pause();
}

/* Three allocations; what goes wrong when one of them fails is arg's choice. */
static int scenario(struct rv_test *run, void *arg)
{
    const char *fault = arg;
    char *a = rv_alloc(run->mem, 11);
    char *b = NULL;
    char *c = NULL;
    int result = REEVE_ENOMEM;

    if (!a)
        goto out;
    b = rv_alloc(run->mem, 12);
    if (!b && strcmp(fault, "leak") == 0)
        return REEVE_ENOMEM;
    if (!b && strcmp(fault, "code") == 0)
        result = REEVE_EPARSE;
    if (!b && strcmp(fault, "check") != 0)
        goto out;
    *(volatile char *)b = 'b';
    c = rv_realloc(run->mem, a, 100);
    if (!c)
        goto out;
    a = c;
    result = 0;
out:
    rv_free(run->mem, b);
    rv_free(run->mem, a);
    return result;
}

RV_TEST(planted, sweep_clean)
{
    cr_assert_eq(RV_SWEEP_ALLOCATIONS(t, scenario, (char[]){"none"}, 3), 3);
}

RV_TEST(planted, sweep_leak)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, (char[]){"leak"}, 3);
}

RV_TEST(planted, sweep_code)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, (char[]){"code"}, 3);
}

/* The check for NULL was deleted. */
RV_TEST(planted, sweep_check)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, (char[]){"check"}, 3);
}

RV_TEST(planted, sweep_short)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, (char[]){"none"}, 100);
}
