/* SPDX-License-Identifier: MIT */
/*
 * The sweep over a scenario's allocations. See failing.h.
 *
 * The runs are the same up to the allocation that fails, so a run in which nothing was refused
 * means that the scenario is not repeatable, and fails the sweep.
 */
#include "tests/lib/test.h"

#include "tests/lib/notes.h"
#include "tests/lib/run.h"

#include <reeve/error.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is told when a run ends the process: which allocation had failed. */
static char where[256];

void rv_sweep_tell(void)
{
    ssize_t written = write(STDERR_FILENO, where, strlen(where));

    (void)written;
}

static void on_signal(int signal_number)
{
    rv_sweep_tell();
    raise(signal_number);
}

/* A sanitizer catches the signals by itself, and calls back before it ends the process. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* UndefinedBehaviorSanitizer has a runtime of its own beside gcc's AddressSanitizer: it calls this.
 */
__attribute__((visibility("default"))) void __ubsan_on_report(void);

void __ubsan_on_report(void)
{
    rv_sweep_tell();
}

static void watch_for_death(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action;

    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(rv_sweep_tell);
        return;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

void rv_sweep_begin(void)
{
    watch_for_death();
}

void rv_sweep_end(void)
{
    where[0] = '\0';
}

struct rv_sweep_run rv_sweep_run(struct rv_test *t, rv_scenario_fn scenario, void *arg,
                                 const struct rv_sweep_run *wanted, const char *format, ...)
{
    struct rv_sweep_run run = *wanted;
    struct rv_test inner;
    size_t before;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(where, sizeof where - 1, format, args);
    va_end(args);
    len = len < (int)sizeof where - 2 ? len : (int)sizeof where - 2;
    memcpy(where + len, "\n", 2);
    rv_notes_clear();
    rv_test_begin(&inner, t->suite, t->name, t->seed);
    before = inner.failing.asked;
    if (run.fail_at)
        rv_failing_arm(&inner.failing, run.fail_at, run.fail_rest);
    run.result = scenario(&inner, arg);
    rv_failing_disarm(&inner.failing);
    run.asked = inner.failing.asked - before;
    run.refused = inner.failing.refused;
    rv_test_end(&inner);
    cr_assert_eq(inner.faults, 0, "%s: %s", where, inner.first_fault);
    return run;
}

/* Runs once with the n-th allocation failing (0: none). Returns how many were asked for. */
static size_t run_once(struct rv_test *t, rv_scenario_fn scenario, void *arg, const char *name,
                       size_t n, bool rest)
{
    const struct rv_sweep_run wanted = {.fail_at = n, .fail_rest = rest};
    const struct rv_sweep_run run =
        rv_sweep_run(t, scenario, arg, &wanted, "in %s with allocation %zu failing%s", name, n,
                     rest ? ", and all after it" : "");

    cr_assert(run.result == 0 || (n > 0 && run.result == REEVE_ENOMEM), "%sreturned %s", where,
              reeve_error_name(run.result));
    cr_assert(n == 0 || run.refused, "%scame to %zu allocations only: not repeatable", where,
              run.asked);
    return run.asked;
}

size_t rv_sweep_allocations(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                            const char *name)
{
    size_t count;

    rv_sweep_begin();
    count = run_once(t, scenario, arg, name, 0, false);
    for (size_t i = 1; i <= count; i++) {
        run_once(t, scenario, arg, name, i, false);
        run_once(t, scenario, arg, name, i, true);
    }
    rv_sweep_end();
    fprintf(stderr, "%s::%s: swept %zu allocations of %s\n", t->suite, t->name, count, name);
    cr_assert_geq(count, at_least, "%zu allocations of %s: at least %zu were wanted", count, name,
                  at_least);
    return count;
}
