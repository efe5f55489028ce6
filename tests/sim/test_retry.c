/* SPDX-License-Identifier: MIT */
/* Calls that are tried again: which, how often, after how long, and what comes between. */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;

static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
    rig.options.skip_cache = 1;
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define RETRY_TEST(name) RV_TEST(retry, name, RV_FIXTURE(begin, end))

static uint64_t retries_of(const char *tool)
{
    struct reeve_tool_stats stats = {.size = sizeof stats};

    cr_assert_eq(reeve_toolbox_stats(rig.toolbox, tool, &stats), 0);
    return stats.retries;
}

RETRY_TEST(only_what_may_pass_and_only_where_that_is_as_good)
{
    static const struct {
        const char *tool, *arguments;
        uint32_t most, attempts;
        enum reeve_call_status status;
    } rows[] = {
        {"read", "{\"how\": \"pass\"}", 3, 3, REEVE_CALL_FAILED},
        {"write", "{\"how\": \"pass\", \"w\": \"a\"}", 3, 3, REEVE_CALL_FAILED},
        {"read", "{\"how\": \"pass\", \"ms\": 5}", 5, 5, REEVE_CALL_FAILED},
        {"read", "{\"how\": \"pass\"}", 1, 1, REEVE_CALL_FAILED},
        {"read", "{\"how\": \"fail\"}", 3, 1, REEVE_CALL_FAILED},
        {"read", "{\"how\": \"refuse\"}", 3, 1, REEVE_CALL_FAILED},
        {"plain", "{\"how\": \"pass\"}", 3, 1, REEVE_CALL_FAILED},
        {"shell", "{\"how\": \"pass\"}", 3, 1, REEVE_CALL_FAILED},
        {"read", "{\"tries\": 2}", 3, 2, REEVE_CALL_SUCCEEDED},
        {"read", "{\"tries\": 3, \"ms\": 7}", 3, 3, REEVE_CALL_SUCCEEDED},
        {"read", "{\"tries\": 4}", 3, 3, REEVE_CALL_FAILED},
        {"nothing", "{}", 3, 0, REEVE_CALL_UNKNOWN},
        {"read", "{\"how\": ", 3, 0, REEVE_CALL_INVALID},
    };
    uint64_t retries = 0;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t call = rig_call(&rig, rows[i].tool, "%s", rows[i].arguments);
        char text[16];

        rig.options.max_attempts = rows[i].most;
        rig_run(&rig);
        cr_assert_eq(rig.calls[call].attempts, rows[i].attempts, "row %zu", i);
        cr_assert_eq(rig.calls[call].starts, rows[i].attempts);
        cr_assert_eq(rig.calls[call].status, rows[i].status);
        cr_assert_eq(rig.calls[call].on_start, rows[i].attempts > 0);
        retries += rows[i].attempts ? rows[i].attempts - 1 : 0;
        cr_assert_eq(rig.batches[i].stats.retries, rows[i].attempts ? rows[i].attempts - 1 : 0);
        snprintf(text, sizeof text, "run %u", rig.runs);
        if (rig.calls[call].releases)
            cr_assert_str_eq(rig.calls[call].text, text, "it is the last try's");
    }
    cr_assert_eq(retries_of(NULL), retries);
    cr_assert_eq(retries_of("read") + retries_of("write"), retries);
    cr_assert_eq(retries_of("write"), 2);
}

/* What does not fit the schema will not fit it later. */
RETRY_TEST(arguments_that_do_not_fit_are_never_tried)
{
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, "own", REEVE_EFFECT_READ);
    tool.idempotent = 1;
    tool.parameters = "{\"type\":\"object\",\"required\":[\"path\"]}";
    rig_add(&rig, &tool);
    rig_call(&rig, "own", "{}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_INVALID);
    cr_assert_eq(rig.calls[0].attempts, 0);
    cr_assert_eq(rig.calls[0].on_retry, 0);
}

/* ---- how long --------------------------------------------------------------------------------
 */

RETRY_TEST(each_wait_is_twice_the_last_give_or_take_a_half)
{
    unsigned shorter = 0, longer = 0, i, k;

    rig.options.max_attempts = 5;
    rig.options.retry_wait_ms = 100;
    for (i = 0; i < 40; i++) {
        const struct rig_call *call = &rig.calls[rig_call(&rig, "read", "{\"how\": \"pass\"}")];

        rig_run(&rig);
        cr_assert_eq(call->on_retry, 4);
        for (k = 0; k < 4; k++) {
            uint32_t wait_ms = call->rests_ms[k], middle_ms = 100U << k;

            cr_assert(wait_ms >= middle_ms / 2 && wait_ms <= middle_ms * 3 / 2, "%u", wait_ms);
            cr_assert_eq(call->started_ms[k + 1] - call->started_ms[k], wait_ms);
            shorter += wait_ms < middle_ms * 3 / 4;
            longer += wait_ms > middle_ms * 5 / 4;
        }
    }
    cr_assert(shorter > 10 && longer > 10, "%u short and %u long of 160", shorter, longer);
}

RETRY_TEST(a_wait_is_never_nothing)
{
    rig.options.retry_wait_ms = 0;
    rig_call(&rig, "read", "{\"tries\": 3}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[0].rests_ms[0], 1);
    cr_assert_eq(rig.calls[0].rests_ms[1], 1);
}

/* ---- meanwhile -------------------------------------------------------------------------------
 */

RETRY_TEST(who_waits_for_it_holds_no_permit)
{
    rig.options.max_concurrency = 1;
    rig.options.retry_wait_ms = 100;
    rig_call(&rig, "read", "{\"tries\": 2, \"ms\": 5}");
    rig_call(&rig, "plain", "{\"ms\": 10}");
    rig_call(&rig, "plain", "{\"ms\": 10, \"n\": 1}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a+ a- b+ b- c+ c- a+ a-");
    cr_assert_eq(rig.calls[1].started_ms[0], 5);
    cr_assert_eq(rig.batches[0].stats.peak_running, 1);
}

RETRY_TEST(a_second_try_waits_for_a_permit_as_the_first_did)
{
    rig.options.max_concurrency = 1;
    rig.options.retry_wait_ms = 10;
    rig_call(&rig, "read", "{\"tries\": 2}");
    rig_call(&rig, "plain", "{\"ms\": 100}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a+ a- b+ b- a+ a-");
    cr_assert_eq(rig.calls[0].started_ms[1], 100);
}

/* Its place in the order is kept. */
RETRY_TEST(who_must_wait_for_it_does)
{
    rig_call(&rig, "read", "{\"r\": \"a\", \"tries\": 2, \"ms\": 5}");
    rig_call(&rig, "write", "{\"w\": \"a\", \"tries\": 3}");
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_call(&rig, "read", "{\"r\": \"b\"}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a+ d+ d- a- a+ a- b+ b- b+ b- b+ b- c+ c-");
}

RETRY_TEST(nobody_but_it_is_held_up)
{
    size_t i;

    rig.options.retry_wait_ms = 1000;
    rig_call(&rig, "read", "{\"tries\": 2}");
    for (i = 0; i < 20; i++)
        rig_call(&rig, "plain", "{\"ms\": 10, \"n\": %zu}", i);
    rig_run(&rig);
    for (i = 0; i < 20; i++)
        cr_assert_eq(rig.calls[1 + i].released_ms, 10 * (i / 5 + 1), "call %zu", i);
}

RETRY_TEST(what_a_failed_try_wrote_is_void)
{
    rig.watch = "+:~=";
    rig_call(&rig, "read", "{\"how\": \"stream\", \"tries\": 3, \"ms\": 5}");
    rig_run(&rig);
    cr_assert_str_eq(rig.calls[0].text, "part 3, then run 3");
    cr_assert_str_eq(rig.calls[0].heard, "part 1, part 2, part 3, then ");
    cr_assert_str_eq(rig.log, "a+ a: a~ a+ a: a~ a+ a: a: a=");
}

/* ---- its time --------------------------------------------------------------------------------
 */

RETRY_TEST(the_time_limit_is_for_all_tries)
{
    static const struct {
        const char *arguments;
        uint32_t most, wait_ms;
        unsigned cancels;
    } rows[] = {
        {"{\"how\": \"pass\", \"ms\": 30}", 100, 4, 1},   /* comes while it runs, */
        {"{\"how\": \"pass\", \"ms\": 1}", 100, 1000, 0}, /* while it waits to be tried again */
        {"{\"how\": \"pass\"}", 100, 4, 0},               /* the same without taking time, */
        {"{\"how\": \"pass\"}", 100, 1000, 0},
        {"{\"tries\": 2, \"ms\": 95}", 100, 2, 1},
    };
    size_t i;

    rig.options.timeout_ms = 100;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct rig_call *call = &rig.calls[rig_call(&rig, "read", "%s", rows[i].arguments)];

        rig.options.max_attempts = rows[i].most;
        rig.options.retry_wait_ms = rows[i].wait_ms;
        rig_run(&rig);
        cr_assert_eq(call->status, REEVE_CALL_TIMED_OUT, "row %zu: %s", i, call->text);
        cr_assert_eq(call->result_ms - call->started_ms[0], 100, "row %zu", i);
        cr_assert_eq(call->cancels, rows[i].cancels, "row %zu", i);
    }
}

/* The first try fails inside its start, the second one never ends. */
static int start_or_hang(struct reeve_tool_call *call, void *arg)
{
    struct reeve_tool_call **held = arg;

    *held = call;
    if (++rig.runs == 1)
        reeve_tool_call_fail(call, 1, "", 0);
    return 0;
}

RETRY_TEST(a_second_try_that_hangs_meets_the_time_limit)
{
    struct reeve_tool_call *held = NULL;
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, "own", REEVE_EFFECT_READ);
    tool.start = start_or_hang;
    tool.cancel = NULL;
    tool.arg = &held;
    tool.idempotent = 1;
    rig_add(&rig, &tool);
    rig.options.timeout_ms = 1000;
    rig_call(&rig, "own", "{}");
    rig.calls[0].starts = 2; /* which this tool does not count */
    rig_run(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_TIMED_OUT);
    cr_assert_eq(rig.calls[0].result_ms, 1000);
    reeve_tool_call_finish(held, "", 0);
}

/* It waits for a permit when its time is over. */
RETRY_TEST(a_try_that_gets_no_permit_meets_the_time_limit)
{
    rig.options.max_concurrency = 1;
    rig.options.retry_wait_ms = 10;
    rig.options.timeout_ms = 60;
    rig_call(&rig, "read", "{\"tries\": 2}");
    rig_call(&rig, "plain", "{\"how\": \"never\"}");
    rig_submit(&rig);
    rig_go_until(&rig, 59);
    cr_assert_eq(rig.calls[0].on_result, 0);
    rig_go_until(&rig, 70);
    cr_assert_eq(rig.calls[0].result_ms, 60);
    rig_finish_held(&rig);
    rig_go(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_TIMED_OUT);
    cr_assert_eq(rig.calls[0].starts, 1);
}

/* ---- cancelled -------------------------------------------------------------------------------
 */

RETRY_TEST(it_may_be_cancelled_while_it_waits)
{
    size_t i;

    rig.options.retry_wait_ms = 1000;
    for (i = 0; i < 2; i++) {
        const struct rig_call *call = &rig.calls[rig_call(&rig, "read", "{\"tries\": 2}")];

        rig_submit(&rig);
        rig_go_until(&rig, 100 * i + 50);
        if (i)
            reeve_batch_cancel(rig.batches[1].batch);
        else
            rig_cancel(&rig, 0);
        rig_go(&rig);
        cr_assert_eq(call->status, REEVE_CALL_CANCELED);
        cr_assert_eq(call->result_ms, 100 * i + 50);
        cr_assert_eq(rig.batches[i].stats.wall_us, 50000);
        cr_assert(strstr(call->text, "while it ran"), "%s", call->text);
        cr_assert_eq(call->starts, 1);
        cr_assert_eq(call->cancels, 0, "its tool has let go of it");
        rig_go_until(&rig, 100 * (i + 1));
    }
}

RETRY_TEST(it_may_lose_its_toolbox_while_it_waits)
{
    rig_call(&rig, "read", "{\"tries\": 2}");
    rig_submit(&rig);
    rig_go_until(&rig, 50);
    rig_free_toolbox(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_CANCELED);
    rig_go(&rig);
    cr_assert_eq(rig.calls[0].starts, 1);
}

/* A failure that comes after the cancel is not tried again. */
RETRY_TEST(what_was_cancelled_is_tried_no_more)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        const struct rig_call *call =
            &rig.calls[rig_call(&rig, "read", "{\"tries\": 2, \"ms\": 20}")];

        rig_submit(&rig);
        rig_go_until(&rig, 100 * i + 10);
        if (i)
            reeve_batch_cancel(rig.batches[1].batch);
        else
            rig_cancel(&rig, 0);
        rig_go(&rig);
        cr_assert_eq(call->status, REEVE_CALL_CANCELED);
        cr_assert_eq(call->released_ms, 100 * i + 20);
        cr_assert_eq(call->starts, 1);
        cr_assert_eq(call->on_retry, 0);
        rig_go_until(&rig, 100 * (i + 1));
    }
}

static char strike_at;
static int deed;

static void strike(struct rig *of, char kind, size_t call)
{
    if (kind != strike_at)
        return;
    if (deed == 0)
        rig_cancel(of, call);
    else if (deed == 1 && of->batches[0].batch)
        reeve_batch_cancel(of->batches[0].batch);
    else if (deed == 2 && of->toolbox)
        rig_free_toolbox(of);
}

/* In the moment in which it fails, or in on_retry. */
RETRY_TEST(it_may_be_cancelled_just_then)
{
    static const char *const calls[] = {"{\"tries\": 2}", "{\"tries\": 2, \"ms\": 5}"};
    size_t i, k;

    for (i = 0; i < 4; i++) {
        for (deed = 0; deed < 3; deed++) {
            end(rig.t);
            begin(rig.t);
            strike_at = "-~"[i / 2];
            rig.on_event = strike;
            for (k = 0; k < 2; k++)
                rig_call(&rig, "read", "%s", calls[i % 2]);
            rig.options.skip_sharing = 1;
            rig_submit(&rig);
            rig_go(&rig);
            for (k = 0; k < 2; k++) /* a failure may come before the cancel is acted on */
                cr_assert(rig.calls[k].status == REEVE_CALL_CANCELED ||
                              (deed == 1 && i < 2 && rig.calls[k].status == REEVE_CALL_FAILED),
                          "%zu, deed %d", i, deed);
            cr_assert(i > 1 || !(rig.calls[0].on_retry + rig.calls[1].on_retry));
            cr_assert_leq(rig.runs, 2);
        }
    }
}

RETRY_TEST(a_tool_switched_off_meanwhile_is_not_tried)
{
    rig_call(&rig, "read", "{\"tries\": 2}");
    rig_submit(&rig);
    rig_go_until(&rig, 50);
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "read", 0), 0);
    rig_go(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_UNKNOWN);
    cr_assert_eq(rig.calls[0].attempts, 1);
}

/* Its result is that of the try that succeeded, and kept. */
RETRY_TEST(what_passed_at_last_is_kept)
{
    rig.options.skip_cache = 0;
    RIG_RUNS(&rig, "read", "{\"tries\": 2, \"r\": \"a\"}", "run 2");
    RIG_HITS(&rig, "read", "{\"tries\": 2, \"r\": \"a\"}", "run 2");
    cr_assert_eq(rig_cache(&rig).misses, 1);
}

/* What was written before the try that succeeded has not overtaken it. */
RETRY_TEST(what_was_written_before_the_last_try_does_not_matter)
{
    rig.options.skip_cache = 0;
    rig_call(&rig, "read", "{\"tries\": 2, \"r\": \"a\"}");
    rig_submit(&rig);
    rig_go_until(&rig, 50);
    rig_call(&rig, "write", "{\"w\": \"a\"}");
    rig_submit(&rig);
    rig_go(&rig);
    RIG_HITS(&rig, "read", "{\"tries\": 2, \"r\": \"a\"}", "run 3");
}
