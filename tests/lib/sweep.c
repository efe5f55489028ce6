/* SPDX-License-Identifier: MIT */
/*
 * The sweep over a scenario's allocations. See failing.h.
 *
 * The runs are the same up to the allocation that fails, so a run in which nothing was refused
 * means that the scenario is not repeatable, and fails the sweep.
 */
#include "tests/lib/test.h"

#include "tests/lib/run.h"

#include <reeve/error.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sweep {
    struct rv_test *t;
    rv_scenario_fn scenario;
    void *arg;
    const char *name;
};

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

/* Runs once with the n-th allocation failing (0: none). Returns how many were asked for. */
static size_t run_once(const struct sweep *sweep, size_t n, bool rest)
{
    struct rv_test run;
    size_t before;
    size_t asked;
    int result;

    snprintf(where, sizeof where, "in %s with allocation %zu failing%s\n", sweep->name, n,
             rest ? ", and all after it" : "");
    rv_test_begin(&run, sweep->t->suite, sweep->t->name, sweep->t->seed);
    before = run.failing.asked;
    if (n > 0)
        rv_failing_arm(&run.failing, n, rest);
    result = sweep->scenario(&run, sweep->arg);
    rv_failing_disarm(&run.failing);
    asked = run.failing.asked - before;

    if (result != 0 && !(n > 0 && result == REEVE_ENOMEM))
        rv_test_fault(&run, "returned %s", reeve_error_name(result));
    if (n > 0 && run.failing.refused == 0)
        rv_test_fault(&run, "came to %zu allocations only: not repeatable", asked);
    rv_test_end(&run);
    cr_assert_eq(run.faults, 0, "%s: %s", where, run.first_fault);
    return asked;
}

size_t rv_sweep_allocations(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                            const char *name)
{
    const struct sweep sweep = {t, scenario, arg, name};
    size_t count;

    watch_for_death();
    count = run_once(&sweep, 0, false);
    for (size_t i = 1; i <= count; i++) {
        run_once(&sweep, i, false);
        run_once(&sweep, i, true);
    }
    where[0] = '\0';
    fprintf(stderr, "%s::%s: swept %zu allocations of %s\n", t->suite, t->name, count, name);
    cr_assert_geq(count, at_least, "%zu allocations of %s: at least %zu were wanted", count, name,
                  at_least);
    return count;
}
