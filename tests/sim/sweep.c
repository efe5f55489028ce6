/* SPDX-License-Identifier: MIT */
#include "tests/sim/sweep.h"

#include "tests/lib/notes.h"
#include "tests/lib/run.h"
#include "tests/sim/fate.h"

#include <errno.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweep {
    struct rv_test *t;
    rv_scenario_fn scenario;
    void *arg;
    const char *name;
    size_t runs;
    size_t met; /* runs that noted another end than the calm one */

    /* The calm run. */
    int result;
    char *notes;
    struct rv_fate told;
};

static const struct rv_sweep_run all_memory;

static void note_calm(struct sweep *sweep)
{
    sweep->notes = strdup(rv_notes());
    cr_assert_not_null(sweep->notes);
    sweep->told = *rv_fate();
}

static void begin(struct sweep *sweep, bool stepping)
{
    rv_sweep_begin();
    rv_fate_calm();
    rv_fate()->stepping = stepping;
    sweep->result = rv_sweep_run(sweep->t, sweep->scenario, sweep->arg, &all_memory,
                                 "in %s, undisturbed", sweep->name)
                        .result;
    note_calm(sweep);
}

static size_t end(struct sweep *sweep, size_t at_least, const char *what)
{
    rv_sweep_end();
    rv_fate_calm();
    free(sweep->notes);
    fprintf(stderr, "%s::%s: tried %zu %s of %s\n", sweep->t->suite, sweep->t->name, sweep->runs,
            what, sweep->name);
    cr_assert_geq(sweep->runs, at_least, "%zu %s of %s: at least %zu were wanted", sweep->runs,
                  what, sweep->name, at_least);
    return sweep->runs;
}

static void prepare(struct sweep *sweep)
{
    sweep->runs++;
    rv_fate_calm();
}

static void expect_calm(const struct sweep *sweep, int result, const char *how, uint64_t at)
{
    cr_assert_eq(result, sweep->result, "%s, %s %#llx: %s", sweep->name, how,
                 (unsigned long long)at, reeve_error_name(result));
    cr_assert_str_eq(rv_notes(), sweep->notes, "%s, %s %#llx: \n%s\n and not\n%s", sweep->name, how,
                     (unsigned long long)at, rv_notes(), sweep->notes);
}

size_t rv_sweep_splits(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                       const char *name)
{
    struct sweep sweep = {.t = t, .scenario = scenario, .arg = arg, .name = name};
    struct rv_sweep_run run;
    size_t longest = 0;

    begin(&sweep, false);
    for (size_t i = 0; i < RV_FATE_ANSWERS_MAX; i++) {
        if (sweep.told.body_bytes[i] > longest)
            longest = sweep.told.body_bytes[i];
    }
    for (size_t cut = 1; cut < longest; cut++) {
        prepare(&sweep);
        rv_fate()->cuts[0] = cut;
        run = rv_sweep_run(t, scenario, arg, &all_memory, "in %s, cut before byte %zu", name, cut);
        expect_calm(&sweep, run.result, "cut before byte", cut);
    }
    return end(&sweep, at_least, "split points");
}

/* ---- faults ---- */

static const struct fault {
    const char *name;
    enum rv_sim_http_fault fault;
    bool early;     /* before there is a connection */
    int allowed[4]; /* beside 0; ends with 0 */
} faults[] = {
    {"no name", RV_SIM_HTTP_RESOLVE, true, {REEVE_ERESOLVE}},
    {"no connection", RV_SIM_HTTP_REFUSE, true, {REEVE_ECONNECT}},
    {"no trust", RV_SIM_HTTP_TLS, true, {REEVE_ETLS}},
    {"lost", RV_SIM_HTTP_LOSE, false, {REEVE_ECONNLOST, REEVE_ECUTSHORT}},
    {"stalled", RV_SIM_HTTP_STALL, false, {REEVE_ETIMEDOUT}},
    {"ended", RV_SIM_HTTP_END, false, {REEVE_ECUTSHORT, REEVE_EPROTOCOL, REEVE_ECONNLOST}},
};

static bool allows(const struct fault *fault, int result)
{
    const int *code = fault->allowed;

    if (result == 0)
        return !fault->early;
    while (*code && *code != result)
        code++;
    return *code != 0;
}

static void meet(struct sweep *sweep, const struct fault *fault, unsigned request, size_t after)
{
    struct rv_sweep_run run;

    prepare(sweep);
    rv_fate()->fault = fault->fault;
    rv_fate()->fault_request = request;
    rv_fate()->fault_after = after;
    run = rv_sweep_run(sweep->t, sweep->scenario, sweep->arg, &all_memory,
                       "in %s, request %u %s after byte %zd", sweep->name, request, fault->name,
                       (ssize_t)after);
    cr_assert(allows(fault, run.result), "%s, request %u %s after byte %zd: %s", sweep->name,
              request, fault->name, (ssize_t)after, reeve_error_name(run.result));
}

size_t rv_sweep_faults(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                       const char *name)
{
    struct sweep sweep = {.t = t, .scenario = scenario, .arg = arg, .name = name};

    begin(&sweep, false);
    cr_assert_leq(sweep.told.requests, (unsigned)RV_FATE_ANSWERS_MAX);
    for (unsigned request = 1; request <= sweep.told.requests; request++) {
        for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
            meet(&sweep, &faults[i], request, RV_SIM_HTTP_IN_HEAD);
            for (size_t at = 0; !faults[i].early && at <= sweep.told.body_bytes[request - 1]; at++)
                meet(&sweep, &faults[i], request, at);
        }
    }
    return end(&sweep, at_least, "faults");
}

/* ---- faults of files ---- */

static const struct file_fault {
    const char *name;
    int os_errno;   /* 0: the operation never ends by itself */
    int allowed[2]; /* beside 0 */
} file_faults[] = {
    {"fails", EIO, {REEVE_ESYSTEM}},
    {"finds the disk full", ENOSPC, {REEVE_ESYSTEM}},
    {"has no descriptor", EMFILE, {REEVE_ESYSTEM}},
    {"may not", EACCES, {REEVE_EACCESS}},
    {"finds nothing", ENOENT, {REEVE_ENOTFOUND}},
    {"stalls", 0, {REEVE_ETIMEDOUT, REEVE_ECANCELED}},
};

static void meet_file_fault(struct sweep *sweep, const struct file_fault *fault, uint64_t nth)
{
    struct rv_sweep_run run;

    prepare(sweep);
    rv_fate()->file_fault_at = nth;
    rv_fate()->file_errno = fault->os_errno;
    run = rv_sweep_run(sweep->t, sweep->scenario, sweep->arg, &all_memory,
                       "in %s, operation %llu on files %s", sweep->name, (unsigned long long)nth,
                       fault->name);
    cr_assert_geq(rv_fate()->file_ops, nth, "%s: not repeatable: operation %llu did not come",
                  sweep->name, (unsigned long long)nth);
    cr_assert(run.result == 0 || run.result == fault->allowed[0] || run.result == fault->allowed[1],
              "%s, operation %llu on files %s: %s", sweep->name, (unsigned long long)nth,
              fault->name, reeve_error_name(run.result));
    sweep->met += strcmp(rv_notes(), sweep->notes) != 0;
}

size_t rv_sweep_file_faults(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                            const char *name)
{
    struct sweep sweep = {.t = t, .scenario = scenario, .arg = arg, .name = name};

    begin(&sweep, false);
    for (uint64_t nth = 1; nth <= sweep.told.file_ops; nth++) {
        for (size_t i = 0; i < sizeof file_faults / sizeof file_faults[0]; i++)
            meet_file_fault(&sweep, &file_faults[i], nth);
    }
    cr_assert_geq(sweep.met * 2, sweep.runs, "of %zu faults only %zu were noticed", sweep.runs,
                  sweep.met);
    return end(&sweep, at_least, "faults of files");
}

/* ---- strikes ---- */

size_t rv_sweep_strikes(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                        const char *name)
{
    struct sweep sweep = {.t = t, .scenario = scenario, .arg = arg, .name = name};
    size_t canceled = 0;

    begin(&sweep, true);
    for (uint64_t step = 1; step <= sweep.told.steps; step++) {
        struct rv_sweep_run run;

        prepare(&sweep);
        rv_fate()->stepping = true;
        rv_fate()->strike_at = step;
        run = rv_sweep_run(t, scenario, arg, &all_memory, "in %s, struck at step %llu", name,
                           (unsigned long long)step);
        cr_assert(rv_fate()->struck, "%s: not repeatable: step %llu did not come", name,
                  (unsigned long long)step);
        cr_assert(run.result == REEVE_ECANCELED || run.result == sweep.result,
                  "%s, struck at step %llu: %s", name, (unsigned long long)step,
                  reeve_error_name(run.result));
        canceled += run.result == REEVE_ECANCELED;
    }
    cr_assert_geq(canceled * 2, sweep.runs, "of %zu strikes only %zu ended it", sweep.runs,
                  canceled);
    return end(&sweep, at_least, "strikes");
}

/* ---- seeds ---- */

static void live_twice(struct sweep *sweep, uint64_t seed)
{
    struct rv_fate first;
    struct rv_sweep_run run;

    for (unsigned i = 0; i < 2; i++) {
        prepare(sweep);
        rv_fate()->seed = seed;
        run = rv_sweep_run(sweep->t, sweep->scenario, sweep->arg, &all_memory,
                           "in %s: RV_SEED=%#llx has it again", sweep->name,
                           (unsigned long long)seed);
        expect_calm(sweep, run.result, "RV_SEED =", seed);
        if (i == 0)
            first = *rv_fate();
    }
    cr_assert(!memcmp(&first, rv_fate(), sizeof first), "%s: RV_SEED=%#llx is not repeatable",
              sweep->name, (unsigned long long)seed);
}

void rv_sweep_seeds(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t count,
                    const char *name)
{
    struct sweep sweep = {.t = t, .scenario = scenario, .arg = arg, .name = name};

    begin(&sweep, false);
    for (size_t i = 0; i < count; i++) {
        uint64_t seed = t->seed + i;

        live_twice(&sweep, seed ? seed : 1);
    }
    sweep.runs /= 2;
    end(&sweep, count, "seeds, each twice,");
}
