/* SPDX-License-Identifier: MIT */
/*
 * Calls, batches, toolboxes and runtimes that end at any moment, and tools that finish at any
 * other.
 */
#include "tests/sim/lab.h"
#include "tests/sim/sim.h"

#include "tool/batch.h"

#include <reeve/error.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* A batch in which everything happens: order, waiting for permits, failures, time, abandonment. */
static void fill(struct lab *lab)
{
    lab->options.max_concurrency = 2;
    lab->options.grouping = REEVE_GROUPING_HAZARDS;
    lab->options.timeout_ms = 100;
    lab->options.abandon_ms = 50;
    lab_call(lab, "look", "{\"ms\": 10}");
    lab_call(lab, "look", "{\"ms\": 20}");
    lab_call(lab, "look", "{\"ms\": 130}");
    lab_call(lab, "nothing", "{}");
    lab_call(lab, "set", "{}");
    lab_call(lab, "look", "{\"how\": \"never\"}");
    lab_call(lab, "look", "{\"how\": \"refuse\"}");
    lab_call(lab, "look", "{\"how\": \"on_cancel\"}");
    lab_call(lab, "shell", "{\"ms\": 10, \"how\": \"fail\"}");
    lab_call(lab, "set", "[]");
    lab_call(lab, "look", "{\"how\": \"much\"}");
    lab_call(lab, "look", "{\"how\": \"much\", \"and\": [1, {\"a\": \"b\"}]}");
    lab_call(lab, "look", "{\"how\": \"fail\"}");
    lab_call(lab, "look", "{}");
    lab_call(lab, "set", "{\"ms\": 5}");
    lab_call(lab, "look", "{\"ms\": 5, \"how\": \"write\"}");
    lab_call(lab, "look", "{\"how\": \"write\"}");
}

/* And one whose host is asked as well. */
static void fill_asking(struct lab *lab)
{
    fill(lab);
    lab_ask(lab, LAB_MIXED);
}

enum deed {
    CANCEL_BATCH,
    CANCEL_CALLS,
    FREE_TOOLBOX,
    DISOWN,
    FINISH_HELD,
    DEEDS,
};

/* What is done at which event. */
struct plan {
    struct lab lab;
    enum deed deed;
    unsigned at;
    bool freed;
    bool disowned;
};

static void act(struct lab *lab)
{
    struct plan *plan = rv_container_of(lab, struct plan, lab);
    size_t i;

    if (lab->events != plan->at)
        return;
    switch (plan->deed) {
    case CANCEL_BATCH:
        if (lab->batch)
            reeve_batch_cancel(lab->batch);
        break;
    case CANCEL_CALLS:
        for (i = 0; i < lab->count && lab->batch; i += 2)
            reeve_batch_cancel_call(lab->batch, i);
        break;
    case FREE_TOOLBOX:
        if (lab->toolbox)
            lab_free_toolbox(lab);
        plan->freed = true;
        break;
    case DISOWN:
        if (lab->batch)
            rv_batch_disown(lab->batch);
        plan->disowned = lab->batch && !lab->done;
        lab->batch = NULL;
        break;
    case FINISH_HELD:
        lab_finish_held(lab);
        break;
    case DEEDS:
        break;
    }
}

static void check_end(const struct plan *plan)
{
    const struct lab *lab = &plan->lab;
    size_t i;

    cr_assert_eq(lab->done, plan->disowned ? 0 : 1);
    cr_assert(lab->done_error == 0 || lab->done_error == REEVE_ECANCELED);
    if (plan->deed == CANCEL_CALLS || plan->deed == FINISH_HELD)
        cr_assert_eq(lab->done_error, 0);
    for (i = 0; i < lab->count; i++) {
        cr_assert_leq(lab->record[i].canceled, 1);
        if (!plan->disowned)
            cr_assert_neq(lab->record[i].on_result, 0);
        if (plan->deed == CANCEL_BATCH) {
            cr_assert_leq(lab->record[i].on_start, plan->at);
            cr_assert_leq(lab->record[i].started, plan->at);
        }
    }
    if (!plan->disowned)
        cr_assert(lab->status[3] == REEVE_CALL_UNKNOWN || lab->status[3] == REEVE_CALL_CANCELED);
}

/* Run the batch with one deed at one event. False: there were not so many events. */
static bool run_plan(struct rv_test *t, enum deed deed, unsigned at, void (*fill_lab)(struct lab *))
{
    static struct plan plan;
    unsigned events;

    memset(&plan, 0, sizeof plan);
    lab_open(&plan.lab, t);
    plan.deed = deed;
    plan.at = at;
    plan.lab.on_event = act;
    fill_lab(&plan.lab);
    lab_submit(&plan.lab);
    lab_go(&plan.lab);
    check_end(&plan);
    events = plan.lab.events;
    plan.lab.on_event = NULL;
    lab_close(&plan.lab);
    cr_assert(rv_list_empty(&plan.lab.jobs));
    return events >= at;
}

static void end_inside_each_callback(struct rv_test *t, void (*fill_lab)(struct lab *lab))
{
    unsigned deed, at;

    for (deed = 0; deed < DEEDS; deed++) {
        for (at = 1; run_plan(t, (enum deed)deed, at, fill_lab); at++)
            ;
        fprintf(stderr, "deed %u at each of %u events\n", deed, at - 1);
        cr_assert_gt(at, 20);
    }
}

RV_TEST(batch_life, may_end_inside_each_callback, .timeout = 60)
{
    end_inside_each_callback(t, fill);
}

RV_TEST(batch_life, may_end_inside_each_callback_and_question, .timeout = 60)
{
    end_inside_each_callback(t, fill_asking);
}

/* The same between the passes of the loop, the runtime's end included. */
RV_TEST(batch_life, may_end_between_the_passes, .timeout = 60)
{
    unsigned deed, at, pass;

    for (deed = 0; deed <= DEEDS; deed++) {
        for (at = 0;; at++) {
            static struct plan plan;
            bool went_on = true;

            memset(&plan, 0, sizeof plan);
            lab_open(&plan.lab, t);
            plan.deed = (enum deed)deed;
            fill_asking(&plan.lab);
            rv_sim_set_reading_cost_ns(plan.lab.runtime, 200000);
            lab_submit(&plan.lab);
            for (pass = 0; pass < at && went_on; pass++)
                went_on = rv_sim_pass(plan.lab.runtime);
            plan.at = plan.lab.events;
            act(&plan.lab);
            if (deed < DEEDS)
                lab_go(&plan.lab);
            else
                lab_free_runtime(&plan.lab);
            check_end(&plan);
            lab_close(&plan.lab);
            if (!went_on)
                break;
        }
        fprintf(stderr, "deed %u after each of %u passes\n", deed, at);
        cr_assert_gt(at, 5);
    }
}

RV_TEST(batch_life, a_cancelled_batch_starts_nothing_more_and_waits_for_what_runs)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.max_concurrency = 2;
    for (i = 0; i < 6; i++)
        lab_call(&lab, "look", "{\"ms\": 50}");
    lab_submit(&lab);
    lab_go_until(&lab, 60);
    reeve_batch_cancel(lab.batch);
    reeve_batch_cancel(lab.batch);
    cr_assert_eq(lab.done, 0, "a cancel must not call back from inside");
    lab_go(&lab);
    cr_assert_eq(lab.done, 1);
    cr_assert_eq(lab.done_error, REEVE_ECANCELED);
    for (i = 0; i < 6; i++) {
        cr_assert_eq(lab.status[i], i < 2 ? REEVE_CALL_SUCCEEDED : REEVE_CALL_CANCELED);
        cr_assert_eq(lab.record[i].started != 0, i < 4);
        cr_assert_eq(lab.record[i].canceled, i == 2 || i == 3);
    }
    cr_assert_not_null(strstr(lab.text[2], "while it ran"));
    cr_assert_str_eq(lab.text[5], "The call was cancelled before it started.");
    cr_assert_eq(lab.stats.wall_us, 100000);
    cr_assert_eq(lab.stats.canceled, 4);
    lab_close(&lab);
}

RV_TEST(batch_life, a_cancelled_call_that_waits_lets_nobody_overtake)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_batch_cancel_call(lab.batch, 1);
    reeve_batch_cancel_call(lab.batch, 1);
    reeve_batch_cancel_call(lab.batch, 3);
    lab_go(&lab);
    cr_assert_eq(lab.done_error, 0);
    cr_assert_eq(lab.status[1], REEVE_CALL_CANCELED);
    cr_assert_eq(lab.record[1].started, 0);
    cr_assert_eq(lab.record[2].started_ns - lab.opened_ns, 50000000);
    cr_assert_eq(lab.stats.succeeded, 2);
    cr_assert_eq(lab.stats.wall_us, 100000);
    lab_close(&lab);
}

RV_TEST(batch_life, a_cancelled_reader_between_two_writers_keeps_them_apart)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_HAZARDS;
    lab_call(&lab, "look", "{\"ms\": 50}");
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_call(&lab, "look", "{\"ms\": 50}");
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_batch_cancel_call(lab.batch, 1);
    reeve_batch_cancel_call(lab.batch, 2);
    lab_go_until(&lab, 20);
    cr_assert_neq(lab.record[1].on_result, 0, "a cancelled call is answered at once");
    lab_go(&lab);
    cr_assert_eq(lab.record[3].started_ns - lab.opened_ns, 50000000);
    lab_close(&lab);
}

RV_TEST(batch_life, a_cancelled_running_call_keeps_its_permit_until_it_ends)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.max_concurrency = 1;
    lab_call(&lab, "look", "{\"ms\": 80}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_batch_cancel_call(lab.batch, 0);
    lab_go_until(&lab, 20);
    cr_assert_eq(lab.record[0].canceled, 1);
    cr_assert_neq(lab.record[0].on_result, 0);
    cr_assert_eq(lab.record[1].started, 0);
    lab_go(&lab);
    cr_assert_eq(lab.record[1].started_ns - lab.opened_ns, 80000000);
    cr_assert_eq(lab.status[0], REEVE_CALL_CANCELED);
    cr_assert_eq(lab.stats.sum_us, 10000 + 10000);
    lab_close(&lab);
}

RV_TEST(batch_life, a_tool_may_finish_after_batch_toolbox_and_runtime)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "set", "{\"how\": \"never\"}");
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    lab_free_runtime(&lab);
    cr_assert_eq(lab.done, 1);
    cr_assert_eq(lab.done_error, REEVE_ECANCELED);
    cr_assert_eq(lab.record[0].canceled, 1);
    cr_assert_gt(t->failing.live, 0, "the handle keeps its memory");
    lab_close(&lab);
}

RV_TEST(batch_life, a_tool_may_finish_after_the_batch_and_after_the_toolbox)
{
    int toolbox;

    for (toolbox = 0; toolbox < 2; toolbox++) {
        struct lab lab;

        lab_open(&lab, t);
        lab.options.timeout_ms = 10;
        lab.options.abandon_ms = 10;
        lab_call(&lab, "set", "{\"how\": \"never\"}");
        lab_run(&lab);
        cr_assert_eq(lab.status[0], REEVE_CALL_TIMED_OUT);
        cr_assert_eq(lab.stats.wall_us, 20000);
        if (toolbox)
            lab_free_toolbox(&lab);
        lab_finish_held(&lab);
        cr_assert_neq(lab.record[0].released, 0);
        lab_go(&lab);
        cr_assert_eq(lab.done, 1);
        cr_assert_eq(lab.record[0].canceled, 1);
        lab_close(&lab);
    }
}

/* The runtime is freed while the toolbox lives: its batches are cancelled first, and an on_done may
 * then free the toolbox, which the runtime insists on. */
static void free_toolbox_on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct lab *lab = arg;

    (void)batch;
    cr_assert_eq(error, REEVE_ECANCELED);
    cr_assert_eq(reeve_batch_run(lab->toolbox, NULL, 0, &lab->options, &lab->batch),
                 REEVE_ECLOSING);
    lab->done++;
    lab_free_toolbox(lab);
}

RV_TEST(batch_life, the_runtime_ends_its_batches)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.on_done = free_toolbox_on_done;
    lab_call(&lab, "set", "{\"how\": \"on_cancel\"}");
    lab_call(&lab, "look", "{}");
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_runtime_free(lab.runtime);
    lab.runtime = NULL;
    cr_assert_eq(lab.done, 1);
    lab_close(&lab);
}

static void submit_again(struct reeve_batch *batch, int error, void *arg)
{
    struct lab *lab = arg;

    (void)batch;
    lab->done++;
    if (error)
        cr_assert_eq(reeve_batch_run(lab->toolbox, lab->calls, 1, &lab->options, &lab->batch),
                     REEVE_ECLOSING);
    else
        cr_assert_eq(reeve_batch_run(lab->toolbox, lab->calls, 1, &lab->options, &lab->batch), 0);
}

RV_TEST(batch_life, new_batches_may_start_in_on_done_but_not_while_the_toolbox_is_freed)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.on_done = submit_again;
    lab.options.on_start = NULL;
    lab.options.on_result = NULL;
    lab_call(&lab, "set", "{\"ms\": 10}");
    lab_submit(&lab);
    lab_go_until(&lab, 95);
    cr_assert_eq(lab.done, 9);
    lab_free_toolbox(&lab);
    cr_assert_eq(lab.done, 10);
    lab_close(&lab);
}

RV_TEST(batch_life, several_batches_of_one_toolbox_end_with_it)
{
    struct lab lab[3];
    size_t i;

    lab_open(&lab[0], t);
    for (i = 0; i < 3; i++) {
        if (i) {
            lab[i] = lab[0];
            rv_list_init(&lab[i].jobs);
            lab[i].count = 0;
            lab[i].events = 0;
            lab[i].options.arg = &lab[i];
            lab[i].batch = NULL;
        }
        lab_call(&lab[i], "nothing", "{}");
        lab_submit(&lab[i]);
    }
    lab_free_toolbox(&lab[0]);
    for (i = 0; i < 3; i++)
        cr_assert_eq(lab[i].done, 1);
    lab_close(&lab[0]);
}

static struct reeve_tool_call *held;

static int hold(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    held = call;
    return 0;
}

static int finish_and_refuse(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_finish(call, "", 0);
    return REEVE_EBUSY;
}

static void start_tool_of(struct lab *lab, int (*start)(struct reeve_tool_call *call, void *arg))
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "own";
    tool.start = start;
    cr_assert_eq(reeve_toolbox_add(lab->toolbox, &tool), 0);
    lab_call(lab, "own", "{}");
    lab_submit(lab);
    lab_go_until(lab, 1);
}

RV_TEST(batch_life, finishing_twice_is_asserted_against, .signal = SIGABRT)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "look", "{\"ms\": 1000}");
    start_tool_of(&lab, hold);
    reeve_tool_call_finish(held, "once", 4);
    lab_go_until(&lab, 2);
    reeve_tool_call_finish(held, "twice", 5);
}

RV_TEST(batch_life, failing_after_finishing_is_asserted_against, .signal = SIGABRT)
{
    struct lab lab;

    lab_open(&lab, t);
    start_tool_of(&lab, hold);
    reeve_tool_call_finish(held, "once", 4);
    reeve_tool_call_fail(held, 0, "twice", 5);
}

RV_TEST(batch_life, finishing_a_call_whose_start_fails_is_asserted_against, .signal = SIGABRT)
{
    struct lab lab;

    lab_open(&lab, t);
    start_tool_of(&lab, finish_and_refuse);
}

/* The same without the second finish: the three above must fail for the right reason. */
RV_TEST(batch_life, finishing_once_is_not)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "look", "{\"ms\": 1000}");
    start_tool_of(&lab, hold);
    cr_assert_str_eq(reeve_tool_call_id(held), "c1");
    cr_assert_str_eq(reeve_tool_call_name(held), "own");
    cr_assert_eq(reeve_json_count(reeve_tool_call_arguments(held)), 0);
    cr_assert_null(reeve_tool_call_arg_string(held, "path"));
    cr_assert_null(reeve_tool_call_context(held));
    cr_assert_eq(reeve_tool_call_max_output_bytes(held), 256 * 1024);
    reeve_tool_call_finish(held, "once", 4);
    lab_go(&lab);
    cr_assert_str_eq(lab.text[1], "once");
    lab_close(&lab);
}

/* Each allocation of a batch that does all that a batch can do fails in turn. */
static int whole_life(struct rv_test *run, void *arg)
{
    static struct lab lab;
    int error;

    (void)arg;
    error = lab_try_open(&lab, run);
    if (error)
        return error;
    fill_asking(&lab);
    error = reeve_batch_run(lab.toolbox, lab.calls, lab.count, &lab.options, &lab.batch);
    lab_go(&lab);
    cr_assert_eq(lab.done, error ? 0 : 1);
    if (error)
        cr_assert_eq(lab.events, 0);
    lab_close(&lab);
    return error;
}

RV_TEST(batch_life, survives_any_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, whole_life, NULL, 20);
}
