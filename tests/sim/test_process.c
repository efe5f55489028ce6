/* SPDX-License-Identifier: MIT */
/*
 * The life of a process on scripted children and the virtual clock: every limit to the millisecond,
 * cancel at every step, output split at every size.
 */
#include "tests/lib/test.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct owner {
    struct reeve_runtime *runtime;
    struct rv_process_options options;
    struct rv_process *process;
    const char *argv[4];
    char text[RV_PROCESS_STREAMS][256];
    size_t received;
    unsigned outputs, dones;
    int error;
    struct rv_process_result result;
    char problem[512];
    uint64_t start_ns, done_ms;
    unsigned cancel_at; /* the n-th callback; 0: none */
    bool pause;
};

static void on_output(struct rv_process *process, enum rv_process_stream stream, const char *bytes,
                      size_t len, void *arg)
{
    struct owner *owner = arg;
    size_t had = strlen(owner->text[stream]);

    cr_assert_eq(owner->dones, 0);
    snprintf(owner->text[stream] + had, sizeof owner->text[stream] - had, "%.*s", (int)len, bytes);
    owner->received += len;
    if (++owner->outputs == owner->cancel_at)
        rv_process_cancel(process);
    if (owner->pause)
        rv_process_pause(process);
}

static void on_done(struct rv_process *process, int error, void *arg)
{
    struct owner *owner = arg;

    cr_assert_eq(owner->dones++, 0);
    owner->error = error;
    owner->result = *rv_process_result(process);
    owner->done_ms = (rv_sim_now_ns(owner->runtime) - owner->start_ns) / 1000000;
    snprintf(owner->problem, sizeof owner->problem, "%s", rv_process_problem(process));
    rv_process_cancel(process); /* too late, and legal */
}

static int owner_init(struct owner *owner, struct rv_test *t, rv_sim_process_writer script)
{
    struct reeve_runtime_options options;
    int error;

    memset(owner, 0, sizeof *owner);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(NULL, &options, &owner->runtime);
    if (error)
        return error;
    owner->argv[0] = "tool";
    owner->options = (struct rv_process_options){.argv = owner->argv,
                                                 .max_output_bytes = 1000,
                                                 .on_output = on_output,
                                                 .on_done = on_done,
                                                 .arg = owner};
    error = rv_sim_process_on(owner->runtime, "tool", script, owner);
    if (error)
        reeve_runtime_free(owner->runtime);
    return error;
}

static void owner_start(struct owner *owner)
{
    owner->start_ns = rv_sim_now_ns(owner->runtime);
    cr_assert_eq(rv_process_start(owner->runtime, &owner->options, &owner->process), 0);
}

static void owner_end(struct owner *owner)
{
    reeve_runtime_run(owner->runtime);
    cr_assert_eq(owner->dones, 1);
    cr_assert_eq(rv_sim_process_counted(owner->runtime).running, 0);
    reeve_runtime_free(owner->runtime);
}

static void expect(const struct owner *owner, int error, enum rv_process_end end, int value,
                   uint64_t ms)
{
    cr_assert_eq(owner->error, error, "%s", owner->problem);
    cr_assert_eq(owner->result.end, end);
    cr_assert_eq(end == RV_PROCESS_SIGNALED ? owner->result.signal : owner->result.exit_code,
                 value);
    cr_assert_eq(owner->done_ms, ms, "at %llu ms", (unsigned long long)owner->done_ms);
}

/* ---- scripts ----------------------------------------------------------------------------------
 */

static void talk(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "half");
    rv_sim_child_wait(x, 20);
    rv_sim_child_write(x, RV_PROCESS_STDERR, "oops");
    rv_sim_child_write(x, RV_PROCESS_STDOUT, " whole");
    rv_sim_child_close(x, RV_PROCESS_STDOUT);
    rv_sim_child_wait(x, 5);
    rv_sim_child_exit(x, 3);
}

static void hang(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "busy");
    rv_sim_child_hang(x);
}

static void hang_on(struct rv_sim_child *x, void *arg)
{
    rv_sim_child_ignore_term(x);
    hang(x, arg);
}

static void leave(struct rv_sim_child *x, uint64_t ms, bool left_group)
{
    rv_sim_child_leave_behind(x, ms, left_group);
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "started");
    rv_sim_child_wait(x, 10);
    rv_sim_child_exit(x, 0);
}

static void leave_short(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    leave(x, 249, false);
}

static void leave_long(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    leave(x, UINT64_MAX, false);
}

static void leave_daemon(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    leave(x, UINT64_MAX, true);
}

static void lose(struct rv_sim_child *x, void *arg)
{
    rv_sim_child_lose_status(x);
    rv_sim_child_exit_first(x);
    talk(x, arg);
}

static void refuse(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_cannot_start(x, REEVE_EACCESS, EACCES);
}

/* ---- lives ------------------------------------------------------------------------------------
 */

RV_TEST(process_life, whole)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, talk), 0);
    owner_start(&owner);
    cr_assert_eq(owner.outputs, 0, "callbacks come from the loop");
    owner_end(&owner);
    expect(&owner, 0, RV_PROCESS_EXITED, 3, 25);
    cr_assert_str_eq(owner.text[0], "half whole");
    cr_assert_str_eq(owner.text[1], "oops");
    cr_assert_eq(owner.result.output_bytes[0], 10);
}

RV_TEST(process_life, status_unknown)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, lose), 0);
    owner_start(&owner);
    owner_end(&owner);
    expect(&owner, 0, RV_PROCESS_UNKNOWN, 0, 25);
    cr_assert(owner.result.started);
    cr_assert_not(owner.result.usage_known);
    cr_assert_str_eq(owner.text[0], "half whole");
}

RV_TEST(process_life, not_started)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, refuse), 0);
    owner_start(&owner);
    owner_end(&owner);
    expect(&owner, REEVE_EACCESS, RV_PROCESS_UNKNOWN, 0, 0);
    cr_assert_not(owner.result.started);
}

RV_TEST(process_life, split_at_each_size)
{
    struct owner owner;

    for (size_t size = 1; size <= 6; size++) {
        cr_assert_eq(owner_init(&owner, t, talk), 0);
        rv_sim_process_split(owner.runtime, size);
        owner_start(&owner);
        owner_end(&owner);
        expect(&owner, 0, RV_PROCESS_EXITED, 3, 25);
        cr_assert_str_eq(owner.text[0], "half whole");
        cr_assert_str_eq(owner.text[1], "oops");
        cr_assert_geq(owner.outputs, 14 / size);
    }
}

static void run_left(struct rv_test *t, rv_sim_process_writer script, uint64_t ms, bool kept,
                     const char *signals)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, script), 0);
    owner_start(&owner);
    rv_sim_run_ms(owner.runtime, ms - 1);
    cr_assert_eq(owner.dones, 0);
    rv_sim_run_ms(owner.runtime, 1);
    cr_assert_str_eq(rv_sim_process_signals(owner.runtime), signals);
    owner_end(&owner);
    expect(&owner, 0, RV_PROCESS_EXITED, 0, ms);
    cr_assert_str_eq(owner.text[0], "started");
    cr_assert_eq(owner.result.pipe_kept, kept);
}

RV_TEST(process_life, pipes_that_stay_open)
{
    run_left(t, leave_short, 10 + 249, false, "");
    run_left(t, leave_long, 10 + 250, true, "KILL ");
    run_left(t, leave_daemon, 10 + 250 + 100, true, "KILL ");
}

/* ---- ends from outside ------------------------------------------------------------------------
 */

RV_TEST(process_life, time_limit_and_grace)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, hang_on), 0);
    owner.options.timeout_ms = 100;
    owner.options.grace_ms = 40;
    owner_start(&owner);
    rv_sim_run_ms(owner.runtime, 99);
    cr_assert_str_eq(rv_sim_process_signals(owner.runtime), "");
    rv_sim_run_ms(owner.runtime, 40);
    cr_assert_str_eq(rv_sim_process_signals(owner.runtime), "TERM CONT ");
    rv_sim_run_ms(owner.runtime, 1);
    cr_assert_str_eq(rv_sim_process_signals(owner.runtime), "TERM CONT KILL KILL ",
                     "the rest of the group before the child is reaped");
    owner_end(&owner);
    expect(&owner, REEVE_ETIMEDOUT, RV_PROCESS_SIGNALED, SIGKILL, 140);
    cr_assert_str_eq(owner.text[0], "busy");
}

RV_TEST(process_life, time_limit_without_grace)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, hang), 0);
    owner.options.timeout_ms = 100;
    owner_start(&owner);
    owner_end(&owner);
    expect(&owner, REEVE_ETIMEDOUT, RV_PROCESS_SIGNALED, SIGKILL, 100);
}

RV_TEST(process_life, term_is_enough)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, hang), 0);
    owner.options.grace_ms = 1000;
    owner_start(&owner);
    rv_sim_run_ms(owner.runtime, 7);
    rv_process_cancel(owner.process);
    rv_process_cancel(owner.process);
    cr_assert_eq(owner.dones, 0);
    owner_end(&owner);
    expect(&owner, REEVE_ECANCELED, RV_PROCESS_SIGNALED, SIGTERM, 7);
}

/* Before the start, at each millisecond of its life, and at each callback. */
RV_TEST(process_life, cancelled_at_each_step)
{
    struct owner owner;

    for (uint64_t ms = 0; ms <= 370; ms++) {
        cr_assert_eq(owner_init(&owner, t, ms % 2 ? talk : leave_daemon), 0);
        owner.options.grace_ms = 10;
        owner_start(&owner);
        if (ms)
            rv_sim_run_ms(owner.runtime, ms - 1);
        if (!owner.dones) {
            char before[sizeof owner.text];

            memcpy(before, owner.text, sizeof before);
            rv_process_cancel(owner.process);
            owner_end(&owner);
            cr_assert_eq(owner.error, REEVE_ECANCELED);
            cr_assert_eq(memcmp(before, owner.text, sizeof before), 0, "output after the cancel");
        } else {
            owner_end(&owner);
        }
    }
    for (unsigned n = 1; n <= 3; n++) {
        cr_assert_eq(owner_init(&owner, t, talk), 0);
        owner.cancel_at = n;
        owner_start(&owner);
        owner_end(&owner);
        cr_assert_eq(owner.error, REEVE_ECANCELED);
        cr_assert_eq(owner.outputs, n);
    }
}

RV_TEST(process_life, aborted_at_each_step)
{
    struct owner owner;

    for (uint64_t ms = 0; ms <= 25; ms += 5) {
        cr_assert_eq(owner_init(&owner, t, talk), 0);
        owner_start(&owner);
        if (ms)
            rv_sim_run_ms(owner.runtime, ms - 1);
        rv_process_abort(owner.process);
        cr_assert_eq(owner.dones, 1);
        cr_assert_eq(owner.error, REEVE_ECANCELED);
        owner_end(&owner);
    }
}

/* ---- output -----------------------------------------------------------------------------------
 */

RV_TEST(process_life, output_cap)
{
    struct owner owner;

    for (size_t cap = 1; cap <= 14; cap++) {
        cr_assert_eq(owner_init(&owner, t, talk), 0);
        owner.options.max_output_bytes = cap;
        owner.options.overflow = RV_PROCESS_OVERFLOW_DROP;
        owner_start(&owner);
        owner_end(&owner);
        expect(&owner, 0, RV_PROCESS_EXITED, 3, 25);
        cr_assert_eq(owner.received, cap);
        cr_assert_eq(owner.result.dropped_bytes, 14 - cap);

        cr_assert_eq(owner_init(&owner, t, talk), 0);
        owner.options.max_output_bytes = cap;
        owner_start(&owner);
        owner_end(&owner);
        cr_assert_eq(owner.received, cap);
        cr_assert_eq(owner.error, cap < 14 ? REEVE_ETOOBIG : 0);
        cr_assert_eq(owner.done_ms, cap < 4 ? 0 : cap < 14 ? 20 : 25);
    }
}

RV_TEST(process_life, pause_and_resume)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, talk), 0);
    owner.pause = true;
    owner_start(&owner);
    rv_sim_run_ms(owner.runtime, 1000);
    cr_assert_eq(owner.outputs, 1);
    owner.pause = false;
    rv_process_resume(owner.process);
    owner_end(&owner);
    expect(&owner, 0, RV_PROCESS_EXITED, 3, 1005);
    cr_assert_str_eq(owner.text[0], "half whole");
}

/* A pause does not keep the child beyond its time. */
RV_TEST(process_life, pause_for_ever)
{
    struct owner owner;

    cr_assert_eq(owner_init(&owner, t, talk), 0);
    owner.pause = true;
    owner.options.timeout_ms = 300;
    owner_start(&owner);
    owner_end(&owner);
    cr_assert_eq(owner.error, REEVE_ETIMEDOUT);
    cr_assert_eq(owner.done_ms, 300);
    cr_assert_str_eq(owner.text[0], "half");
}

/* ---- several ----------------------------------------------------------------------------------
 */

RV_TEST(process_life, one_after_another)
{
    enum { COUNT = 5 };
    struct owner first, more[COUNT];

    cr_assert_eq(owner_init(&first, t, talk), 0);
    cr_assert_eq(rv_process_set_max(first.runtime, 1), 0);
    owner_start(&first);
    for (int i = 0; i < COUNT; i++) {
        more[i] = first;
        more[i].options.arg = &more[i];
        owner_start(&more[i]);
    }
    rv_process_cancel(more[2].process);
    reeve_runtime_run(first.runtime);
    cr_assert_eq(rv_sim_process_counted(first.runtime).peak, 1);
    cr_assert_eq(rv_sim_process_counted(first.runtime).started, COUNT);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(more[i].dones, 1);
        cr_assert_eq(more[i].error, i == 2 ? REEVE_ECANCELED : 0);
        cr_assert_eq(more[i].done_ms, i == 2 ? 0 : 25 * (uint64_t)(i < 2 ? i + 2 : i + 1));
    }
    owner_end(&first);
}

static int scenario(struct rv_test *run, void *arg)
{
    struct owner owner;
    int error = owner_init(&owner, run, talk);

    (void)arg;
    if (error)
        return error;
    owner.options.folder = "/";
    owner.options.input = "in";
    owner.options.input_len = 2;
    error = rv_process_start(owner.runtime, &owner.options, &owner.process);
    if (!error) {
        reeve_runtime_run(owner.runtime);
        cr_assert_eq(owner.dones, 1);
        error = owner.error;
    }
    reeve_runtime_free(owner.runtime);
    return error;
}

RV_TEST(process_life, each_allocation_fails)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 8);
}
