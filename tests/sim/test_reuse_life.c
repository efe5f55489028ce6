/* SPDX-License-Identifier: MIT */
/*
 * Batches in which calls are kept, looked at, shared, tried again, streamed, started together and
 * asked about, and what a host may do to them at each event.
 */
#include "tests/sim/rig.h"
#include "tool/batch.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;

/* In no order a command is no barrier: what is known of the resources of others must outlive it.
 */
RV_TEST(reuse_life, names_outlive_a_command_beside_them)
{
    size_t i;

    rig_open(&rig, t);
    rig.options.grouping = REEVE_GROUPING_NONE;
    rig.options.max_concurrency = 1;
    rig_call(&rig, "shell", "{\"ms\": 5}");
    rig_call(&rig, "plain", "{\"ms\": 5}");
    rig_call(&rig, "read", "{\"db\": \"a\", \"ms\": 50}");
    for (i = 0; i < 100; i++)
        rig_call(&rig, "plain", "{\"db\": \"%zu\", \"ms\": 1}", i);
    rig_run(&rig);
    for (i = 0; i < 103; i++)
        cr_assert_eq(rig.calls[i].status, REEVE_CALL_SUCCEEDED);
    rig.options.grouping = REEVE_GROUPING_HAZARDS;
    RIG_HITS(&rig, "read", "{\"db\": \"a\", \"ms\": 50}", "run 3");
    for (i = 30; i < 50; i++)
        rig_call(&rig, "write", "{\"wdb\": \"%zu\"}", i);
    rig_run(&rig);
    RIG_HITS(&rig, "read", "{\"db\": \"a\", \"ms\": 50}", "run 3");
    RIG_RUNS(&rig, "write", "{\"wdb\": \"a\"}", "run 124");
    RIG_RUNS(&rig, "read", "{\"db\": \"a\", \"ms\": 50}", "run 125");
    rig_close(&rig);
}

/* ---- a deed at each event --------------------------------------------------------------------
 */

enum deed {
    CANCEL_BATCH,
    CANCEL_EVEN,
    CANCEL_ODD,
    FREE_TOOLBOX,
    DISOWN,
    FINISH_HELD,
    CLEAR_CACHE,
    KEEP_NOTHING,
    SWITCH_OFF,
    WRITE_BESIDE, /* another batch writes everything */
    DEEDS,
};

struct plan {
    enum deed deed;
    unsigned at;
    enum deed then; /* DEEDS: nothing more */
    unsigned then_at;
    bool acted, acted_again;
};

static int add_many(struct rig *of)
{
    struct reeve_tool tool;

    rig_tool_init(of, &tool, "many", REEVE_EFFECT_READ);
    tool.start = NULL;
    tool.start_many = rig_start_many;
    tool.idempotent = 1;
    tool.cacheable = 1;
    tool.describe = rig_describe;
    return reeve_toolbox_add(of->toolbox, &tool);
}

/* Something of everything, behind two results that are kept. */
static void fill(struct rig *of)
{
    static const struct {
        const char *tool, *arguments;
    } calls[] = {
        {"read", "{\"r\": \"a\", \"ms\": 10}"},
        {"read", "{\"r\": \"a\", \"ms\": 10.0}"},
        {"check", "{\"r\": \"b\"}"},
        {"check", "{\"r\": \"b\"}"},
        {"read", "{\"tries\": 2, \"ms\": 2}"},
        {"read", "{\"tries\": 2, \"ms\": 2}"},
        {"many", "{\"r\": \"a\", \"ms\": 5}"},
        {"many", "{\"r\": \"a\", \"tries\": 2}"},
        {"many", "{\"r\": \"a\", \"how\": \"cancel\"}"},
        {"write", "{\"w\": \"a\", \"tries\": 2}"},
        {"read", "{\"r\": \"a\", \"ms\": 10}"},
        {"read", "{\"r\": \"c\", \"how\": \"stream\", \"ms\": 6, \"tries\": 2}"},
        {"read", "{\"r\": \"c\", \"how\": \"stream\", \"ms\": 6, \"tries\": 2}"},
        {"plain", "{\"how\": \"never\"}"},
        {"plain", "{\"how\": \"never\"}"},
        {"plain", "{\"how\": \"cancel\"}"},
        {"plain", "{\"how\": \"cancel\"}"},
        {"plain", "{\"how\": \"refuse\"}"},
        {"plain", "{\"how\": \"refuse\"}"},
        {"read", "{\"how\": \"fail\"}"},
        {"shell", "{\"ms\": 3}"},
        {"read", "{\"db\": \"k\"}"},
        {"check", "{\"r\": \"b\"}"},
        {"nothing", "{}"},
        {"read", "[]"},
    };
    size_t i;

    of->options.max_concurrency = 3;
    of->options.timeout_ms = 60;
    of->options.abandon_ms = 20;
    of->options.retry_wait_ms = 4;
    of->check = RIG_CHECKS_LATER;
    of->asks = true;
    of->refused = "fl";
    for (i = 0; i < sizeof calls / sizeof calls[0]; i++)
        rig_call(of, calls[i].tool, "%s", calls[i].arguments);
}

/* The first batch: what is kept. */
static struct rig_batch *warm_up(struct rig *of)
{
    rig_call(of, "check", "{\"r\": \"b\"}");
    rig_call(of, "read", "{\"db\": \"k\"}");
    return rig_submit(of);
}

static void switch_all(struct rig *of, int on)
{
    reeve_toolbox_enable(of->toolbox, "read", on);
    reeve_toolbox_enable(of->toolbox, "check", on);
    reeve_toolbox_enable(of->toolbox, "many", on);
}

static void keep_nothing(struct rig *of)
{
    struct reeve_tool_cache_options options;

    reeve_tool_cache_options_init(&options);
    options.max_size = 0;
    cr_assert_eq(reeve_toolbox_set_cache(of->toolbox, &options), 0);
}

static void disown(struct rig_batch *batch)
{
    struct reeve_batch *disowned = batch->batch;

    batch->batch = NULL;
    batch->disowned = true;
    rv_batch_disown(disowned);
}

static void do_to(struct rig *of, struct rig_batch *batch, enum deed deed)
{
    size_t i;

    if (deed == CANCEL_BATCH && batch->batch)
        reeve_batch_cancel(batch->batch);
    for (i = deed == CANCEL_ODD; (deed == CANCEL_EVEN || deed == CANCEL_ODD) && i < batch->count;
         i += 2)
        rig_cancel(of, batch->first + i);
    if (deed == FREE_TOOLBOX)
        rig_free_toolbox(of);
    if (deed == DISOWN && batch->batch)
        disown(batch);
    if (deed == FINISH_HELD)
        rig_finish_held(of);
    if (deed == CLEAR_CACHE)
        reeve_toolbox_clear_cache(of->toolbox);
    if (deed == KEEP_NOTHING)
        keep_nothing(of);
    if (deed == SWITCH_OFF)
        switch_all(of, 0);
    if (deed == WRITE_BESIDE) {
        rig_call(of, "over", "{\"ms\": 4}");
        rig_submit(of);
    }
}

static void act(struct rig *of, char kind, size_t call)
{
    struct plan *plan = of->data;

    (void)kind, (void)call;
    if (!plan->acted && of->events >= plan->at) {
        plan->acted = true;
        do_to(of, &of->batches[1], plan->deed);
    }
    if (plan->then < DEEDS && !plan->acted_again && of->events >= plan->then_at && of->toolbox) {
        plan->acted_again = true;
        do_to(of, &of->batches[1], plan->then);
    }
}

/* Whoever is shared has what its like has, and nobody has a result without a reason. */
static void check_end(const struct rig *of, const struct plan *plan)
{
    size_t i;

    for (i = 2; i < 27 && !of->batches[1].disowned; i++) {
        const struct rig_call *call = &of->calls[i];

        cr_assert_eq(call->on_result, 1, "deed %d at event %u: call %zu", (int)plan->deed, plan->at,
                     i);
        if (call->source == REEVE_SOURCE_SHARED)
            cr_assert(call->status != REEVE_CALL_CANCELED && call->status != REEVE_CALL_REFUSED);
        if (call->source == REEVE_SOURCE_CACHE)
            cr_assert_eq(call->status, REEVE_CALL_SUCCEEDED);
        if (call->status == REEVE_CALL_CANCELED)
            cr_assert(plan->deed <= DISOWN || plan->then <= DISOWN);
        if (call->status == REEVE_CALL_REFUSED)
            cr_assert(strchr(of->refused, (char)('a' + i)));
    }
    if ((plan->deed == CANCEL_EVEN || plan->deed == CANCEL_ODD) && plan->then > FREE_TOOLBOX)
        cr_assert_eq(of->batches[1].error, 0);
}

/* False: there were not so many events. */
static bool run_plan(struct rv_test *t, struct plan *plan)
{
    unsigned events;

    rig_open(&rig, t);
    cr_assert_eq(add_many(&rig), 0);
    warm_up(&rig);
    rig_go(&rig);
    rig.events = 0;
    fill(&rig);
    rig.data = plan;
    rig.on_event = act;
    rig_submit(&rig);
    rig_go(&rig);
    check_end(&rig, plan);
    events = rig.events;
    rig_close(&rig);
    return events >= plan->at;
}

RV_TEST(reuse_life, may_end_inside_each_event, .timeout = 120)
{
    unsigned deed, at;

    for (deed = 0; deed < DEEDS; deed++) {
        for (at = 1;; at++) {
            struct plan plan = {.deed = (enum deed)deed, .at = at, .then = DEEDS};

            if (!run_plan(t, &plan))
                break;
        }
        fprintf(stderr, "reuse: deed %u at each of %u events\n", deed, at - 1);
        cr_assert_gt(at, 80);
    }
}

/* Some are cancelled, and something else comes later. */
RV_TEST(reuse_life, may_end_inside_any_two_events, .timeout = 120)
{
    static const enum deed later[] = {CANCEL_BATCH, CANCEL_EVEN, FREE_TOOLBOX, FINISH_HELD,
                                      SWITCH_OFF};
    unsigned deed, at, gap, i, plans = 0;

    for (deed = CANCEL_EVEN; deed <= CANCEL_ODD; deed++) {
        for (i = 0; i < sizeof later / sizeof later[0]; i++) {
            for (gap = 1; gap < 40; gap += 1 + gap / 3) {
                for (at = 1;; at++, plans++) {
                    struct plan plan = {
                        .deed = (enum deed)deed, .at = at, .then = later[i], .then_at = at + gap};

                    if (!run_plan(t, &plan))
                        break;
                }
            }
        }
    }
    fprintf(stderr, "reuse: %u pairs of deeds\n", plans);
    cr_assert_gt(plans, 5000);
}

/* One deed between the passes of the loop, the runtime's end included. */
RV_TEST(reuse_life, may_end_between_the_passes, .timeout = 120)
{
    unsigned deed, at, pass;

    for (deed = 0; deed <= DEEDS; deed++) {
        bool went_on = true;

        for (at = 0; went_on; at++) {
            rig_open(&rig, t);
            cr_assert_eq(add_many(&rig), 0);
            warm_up(&rig);
            rig_go(&rig);
            fill(&rig);
            rv_sim_set_reading_cost_ns(rig.runtime, 100000);
            rig_submit(&rig);
            for (pass = 0; pass < at && went_on; pass++)
                went_on = rv_sim_pass(rig.runtime);
            if (deed < DEEDS) {
                do_to(&rig, &rig.batches[1], (enum deed)deed);
                rig_go(&rig);
            }
            rig_close(&rig);
        }
        fprintf(stderr, "reuse: deed %u after each of %u passes\n", deed, at);
        cr_assert_gt(at, 30);
    }
}

/* ---- memory ----------------------------------------------------------------------------------
 */

static int whole_life(struct rv_test *run, void *arg)
{
    static struct rig own;
    struct rig_batch *batch;
    int error = rig_try_open(&own, run);

    (void)arg;
    if (error)
        return error;
    error = add_many(&own);
    if (!error) {
        if (warm_up(&own)->disowned)
            error = REEVE_ENOMEM;
        rig_go(&own);
        fill(&own);
        batch = rig_submit(&own);
        if (batch->disowned)
            error = REEVE_ENOMEM;
        rig_go(&own);
    }
    rig_close(&own);
    return error;
}

RV_TEST(reuse_life, survives_any_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, whole_life, NULL, 60);
}
