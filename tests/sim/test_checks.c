/* SPDX-License-Identifier: MIT */
/* Kept results whose tool is asked whether they are still right: at once, later, never, and what
 * comes between. */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <string.h>

static struct rig rig;
static const char one[] = "{\"r\": \"a\"}";

/* One result is kept. */
static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
    rig.watch = "+-v!=.";
    RIG_RUNS(&rig, "check", one, "run 1");
    rig_clear_log(&rig);
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define CHECK_TEST(name) RV_TEST(checks, name, RV_FIXTURE(begin, end))

CHECK_TEST(what_is_still_right_answers)
{
    RIG_HITS(&rig, "check", one, "run 1");
    rig.check = RIG_CHECKS_LATER;
    RIG_HITS(&rig, "check", one, "run 1");
    cr_assert_str_eq(rig.log, "bv b= b. cv c= c.");
    cr_assert_eq(rig.calls[2].result_ms, 5);
    cr_assert_eq(rig_cache(&rig).hits, 2);
}

CHECK_TEST(what_is_not_runs_and_is_kept_anew)
{
    int later;

    for (later = 0; later < 2; later++) {
        rig.check = later ? RIG_CHECKS_LATER : RIG_CHECKS_NOW;
        rig.state++;
        rig_call(&rig, "check", "%s", one);
        rig_run(&rig);
        cr_assert_eq(rig.calls[1 + 2 * later].source, REEVE_SOURCE_RUN);
        RIG_HITS(&rig, "check", one, later ? "run 3" : "run 2");
    }
    cr_assert_eq(rig_cache(&rig).stale, 2);
    cr_assert_eq(rig_cache(&rig).misses, 3);
    cr_assert_eq(rig_cache(&rig).entries, 1);
}

/* It waits for no permit while it is looked at, and for one after that. */
CHECK_TEST(a_look_takes_no_permit)
{
    rig.check = RIG_CHECKS_LATER;
    rig.options.max_concurrency = 1;
    rig_call(&rig, "plain", "{\"ms\": 50}");
    rig_call(&rig, "check", "%s", one);
    rig_submit(&rig);
    rig_go_until(&rig, 1);
    rig.state++;
    rig_go(&rig);
    cr_assert_eq(rig.calls[2].result_ms, 5);
    rig.state++;
    rig_call(&rig, "plain", "{\"ms\": 50}");
    rig_call(&rig, "check", "%s", one);
    rig_run(&rig);
    cr_assert_eq(rig.calls[4].started_ms[0], 100);
}

CHECK_TEST(a_look_that_never_ends_meets_the_time_limit)
{
    rig.check = RIG_CHECKS_NEVER;
    rig.options.timeout_ms = 30;
    rig.options.abandon_ms = 20;
    rig_call(&rig, "check", "%s", one);
    rig_call(&rig, "write", "{\"w\": \"a\", \"ms\": 1}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_TIMED_OUT);
    cr_assert_eq(rig.calls[1].result_ms, 30);
    cr_assert_eq(rig.calls[1].cancels, 1);
    cr_assert_eq(rig.calls[2].started_ms[0], 50, "its place lasts until it is abandoned");
    rig_finish_held(&rig); /* nobody minds */
    rig_go(&rig);
    RIG_RUNS(&rig, "check", one, "run 3");
}

/* Cancelled while it is looked at: the tool is told, and its answer changes nothing. */
CHECK_TEST(a_look_may_be_cancelled)
{
    int batch;

    rig.check = RIG_CHECKS_NEVER;
    for (batch = 0; batch < 2; batch++) {
        size_t call = rig_call(&rig, "check", "%s", one);

        rig_submit(&rig);
        rig_go_until(&rig, 10 * (uint64_t)batch + 1);
        if (batch)
            reeve_batch_cancel(rig.batches[2].batch);
        else
            rig_cancel(&rig, call);
        rig_go_until(&rig, 10 * (uint64_t)batch + 2);
        cr_assert_eq(rig.calls[call].on_result, 1);
        cr_assert_eq(rig.calls[call].cancels, 1);
        cr_assert_eq(rig.batches[1 + batch].done, 0);
        rig_finish(&rig, call);
        rig_go(&rig);
        cr_assert_eq(rig.batches[1 + batch].done, 1);
        cr_assert_eq(rig.calls[call].status, REEVE_CALL_CANCELED);
        cr_assert_eq(rig.calls[call].starts, 0);
    }
    cr_assert_str_eq(rig.log, "bv b! b= b. cv c! c= c.");
}

/* Before its tool was asked. */
static void allow_and_cancel(struct rig *of, char kind, size_t call)
{
    if (kind != '?')
        return;
    rig_answer(of, REEVE_PERMISSION_ALLOW);
    if (call == 1)
        rig_cancel(of, call);
}

CHECK_TEST(a_look_that_has_not_begun_may_be_cancelled)
{
    rig.asks = true;
    rig.says_nothing = true;
    rig.on_event = allow_and_cancel;
    rig_call(&rig, "check", "%s", one);
    rig_call(&rig, "check", "%s", one);
    rig_run(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_CANCELED);
    cr_assert_eq(rig.calls[1].checks, 0);
    cr_assert_eq(rig.calls[2].source, REEVE_SOURCE_CACHE);
}

/* The toolbox, or the runtime too, ends while it is looked at. */
CHECK_TEST(a_look_may_end_after_everything)
{
    rig.check = RIG_CHECKS_NEVER;
    rig_call(&rig, "check", "%s", one);
    rig_call(&rig, "check", "{\"r\": \"a\", \"n\": 1}");
    rig_submit(&rig);
    rig_go_until(&rig, 1);
    rig_free_toolbox(&rig);
    cr_assert_eq(rig.calls[1].cancels, 1);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_CANCELED);
    rig_free_runtime(&rig);
    rig_finish(&rig, 1);
}

static void free_in_validate(struct rig *of, char kind, size_t call)
{
    (void)call;
    if (kind == 'v')
        rig_free_toolbox(of);
}

CHECK_TEST(a_toolbox_freed_inside_a_look_tells_of_the_cancel)
{
    rig.on_event = free_in_validate;
    rig.check = RIG_CHECKS_NEVER;
    rig_call(&rig, "check", "%s", one);
    rig_submit(&rig);
    rig_go(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_CANCELED);
    cr_assert_eq(rig.calls[1].cancels, 1);
    rig_finish(&rig, 1);
}

static void cancel_in_validate(struct rig *of, char kind, size_t call)
{
    if (kind == 'v')
        rig_cancel(of, call);
}

CHECK_TEST(a_call_cancelled_inside_its_look_is)
{
    enum rig_check check;

    for (check = RIG_CHECKS_NOW; check <= RIG_CHECKS_LATER; check++) {
        size_t call = rig_call(&rig, "check", "%s", one);

        rig.check = check;
        rig.on_event = cancel_in_validate;
        rig_run(&rig);
        cr_assert_eq(rig.calls[call].status, REEVE_CALL_CANCELED);
        cr_assert_eq(rig.calls[call].cancels, check == RIG_CHECKS_LATER);
        cr_assert_eq(rig.calls[call].starts, 0);
    }
}

/* What was right when the look began must be so at its end. */
CHECK_TEST(a_write_that_starts_during_a_look_counts)
{
    static const char *const writes[] = {"{\"w\": \"a\"}", "{\"w\": \"a\", \"how\": \"never\"}"};
    size_t i;

    rig.check = RIG_CHECKS_LATER;
    for (i = 0; i < 2; i++) {
        size_t call;

        rig_call(&rig, "check", "%s", one);
        rig_run(&rig);
        call = rig_call(&rig, "check", "%s", one);
        rig_submit(&rig);
        rig_go_until(&rig, 100 * i + 8);
        cr_assert_eq(rig.calls[call].checks, 1);
        rig_call(&rig, "write", "%s", writes[i]);
        rig_submit(&rig);
        rig_go_until(&rig, 100 * (i + 1));
        cr_assert_eq(rig.calls[call].source, REEVE_SOURCE_RUN);
        cr_assert_eq(rig.calls[call].starts, 1);
        rig_finish_held(&rig);
        rig_go_until(&rig, 100 * (i + 1));
    }
}

CHECK_TEST(a_write_of_something_else_during_a_look_does_not)
{
    rig.check = RIG_CHECKS_LATER;
    rig_call(&rig, "check", "%s", one);
    rig_submit(&rig);
    rig_go_until(&rig, 2);
    rig_call(&rig, "write", "{\"w\": \"ab\"}");
    rig_submit(&rig);
    rig_go(&rig);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_CACHE);
}

CHECK_TEST(a_cache_cleared_during_a_look_has_nothing)
{
    rig.check = RIG_CHECKS_LATER;
    rig_call(&rig, "check", "%s", one);
    rig_submit(&rig);
    rig_go_until(&rig, 2);
    reeve_toolbox_clear_cache(rig.toolbox);
    rig_go(&rig);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig_cache(&rig).stale, 0);
}

CHECK_TEST(a_tool_switched_off_during_a_look_answers_nobody)
{
    rig.check = RIG_CHECKS_LATER;
    rig_call(&rig, "check", "%s", one);
    rig_submit(&rig);
    rig_go_until(&rig, 2);
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "check", 0), 0);
    rig_go(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_UNKNOWN);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig_cache(&rig).hits, 0);
}

/* Each of many equal calls is looked at for itself; those that have to run then share one. */
CHECK_TEST(many_looks_that_say_no_come_to_one_run)
{
    size_t i;

    rig.check = RIG_CHECKS_LATER;
    rig.state++;
    for (i = 0; i < 6; i++)
        rig_call(&rig, "check", "%s", one);
    rig_run(&rig);
    cr_assert_eq(rig.runs, 2);
    cr_assert_eq(rig.batches[1].stats.shared, 5);
    cr_assert_eq(rig_cache(&rig).stale, 1);
    for (i = 1; i <= 6; i++)
        cr_assert_str_eq(rig.calls[i].text, "run 2");
}

/* ---- evidence --------------------------------------------------------------------------------
 */

static size_t evidence_len;
static unsigned looks;

static int start_with_evidence(struct reeve_tool_call *call, void *arg)
{
    static const char bytes[REEVE_TOOL_EVIDENCE_MAX + 1] = "evidence";
    int error = 0;

    (void)arg;
    if (evidence_len != SIZE_MAX)
        error = reeve_tool_call_set_evidence(call, bytes, evidence_len);
    cr_assert_eq(error, evidence_len == sizeof bytes ? REEVE_ETOOBIG : 0);
    reeve_tool_call_finish(call, "well", 4);
    return 0;
}

static void say_yes(struct reeve_tool_call *call, const void *evidence, size_t len, void *arg)
{
    (void)arg;
    cr_assert_eq(len, evidence_len);
    cr_assert(!len || !memcmp(evidence, "evidence", len < 8 ? len : 8));
    looks++;
    reeve_tool_call_validated(call, 1);
}

static void note_source(struct reeve_batch *batch, int error, void *arg)
{
    (void)error;
    *(enum reeve_result_source *)arg = reeve_batch_result(batch, 0)->source;
}

/* A run notes no start of its own here: the results are looked at alone. */
static enum reeve_result_source source_of_second(size_t len)
{
    static enum reeve_result_source source;
    struct reeve_batch *batch;
    struct reeve_call call = {.id = "1", .name = "own"};
    struct reeve_batch_options options;
    int i;

    evidence_len = len;
    for (i = 0; i < 2; i++) {
        reeve_batch_options_init(&options);
        options.on_done = note_source;
        options.arg = &source;
        cr_assert_eq(reeve_batch_run(rig.toolbox, &call, 1, &options, &batch), 0);
        rig_go(&rig);
    }
    reeve_toolbox_clear_cache(rig.toolbox);
    return source;
}

CHECK_TEST(without_evidence_or_with_too_much_nothing_is_kept)
{
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, "own", REEVE_EFFECT_READ);
    tool.start = start_with_evidence;
    tool.validate = say_yes;
    tool.cacheable = 1;
    rig_add(&rig, &tool);
    looks = 0;
    cr_assert_eq(source_of_second(8), REEVE_SOURCE_CACHE);
    cr_assert_eq(source_of_second(0), REEVE_SOURCE_CACHE);
    cr_assert_eq(source_of_second(REEVE_TOOL_EVIDENCE_MAX), REEVE_SOURCE_CACHE);
    cr_assert_eq(source_of_second(REEVE_TOOL_EVIDENCE_MAX + 1), REEVE_SOURCE_RUN);
    cr_assert_eq(source_of_second(SIZE_MAX), REEVE_SOURCE_RUN);
    cr_assert_eq(looks, 3);
}

/* ---- memory ----------------------------------------------------------------------------------
 */

static int many_looks(struct rv_test *run, void *arg)
{
    static struct rig own;
    struct rig_batch *batch;
    int error = rig_try_open(&own, run), i;

    (void)arg;
    if (error)
        return error;
    own.check = RIG_CHECKS_LATER;
    own.options.max_concurrency = 2;
    for (i = 0; i < 3; i++) {
        rig_call(&own, "check", "{\"r\": \"a\", \"how\": \"stream\"}");
        rig_call(&own, "check", "{\"r\": \"a\", \"how\": \"stream\"}");
        rig_call(&own, "read", "{\"r\": \"d/%d\"}", i);
        rig_call(&own, "all", "{}");
        rig_call(&own, "write", "{\"w\": \"d/%d\"}", i);
        batch = rig_submit(&own);
        rig_go(&own);
        if (batch->disowned)
            error = REEVE_ENOMEM;
        own.state += i == 1;
    }
    rig_close(&own);
    return error;
}

RV_TEST(checks, survive_any_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, many_looks, NULL, 40);
}
