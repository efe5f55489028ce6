/* SPDX-License-Identifier: MIT */
/* Tools that start many calls at once: who is started with whom, and what comes between. */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void add_many(const char *name, size_t most_at_once)
{
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, name, REEVE_EFFECT_READ);
    tool.start = NULL;
    tool.start_many = rig_start_many;
    tool.most_at_once = most_at_once;
    tool.describe = rig_describe;
    tool.idempotent = 1;
    rig_add(&rig, &tool);
}

static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
    add_many("many", 0);
    add_many("three", 3);
    rig.options.max_concurrency = 8;
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define MANY_TEST(name, ...) RV_TEST(start_many, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

/* The sizes of the groups. */
static const char *groups(void)
{
    static char text[256];
    size_t len = 0, i;

    text[0] = '\0';
    for (i = 0; i < rig.group_count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", i ? " " : "", rig.groups[i]);
    return text;
}

static void calls_of(const char *tool, size_t count, unsigned ms)
{
    while (count--)
        rig_call(&rig, tool, "{\"ms\": %u, \"n\": %zu}", ms, rig.count);
}

static void all_succeeded(void)
{
    size_t i;

    for (i = 0; i < rig.count; i++)
        cr_assert_eq(rig.calls[i].status, REEVE_CALL_SUCCEEDED, "call %zu: %s", i,
                     rig.calls[i].text);
}

MANY_TEST(as_many_as_have_permits)
{
    static const struct {
        uint32_t permits;
        const char *many, *three;
    } rows[] = {
        {1, "1 1 1 1 1 1 1 1 1 1", "1 1 1 1 1 1 1 1 1 1"},
        {4, "4 4 2", "3 1 3 1 2"},
        {8, "8 2", "3 3 2 2"},
        {10, "10", "3 3 3 1"},
        {64, "10", "3 3 3 1"},
    };
    size_t i, k;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (k = 0; k < 2; k++) {
            size_t first = rig.count, n;

            rig.group_count = 0;
            rig.peak = 0;
            rig.options.max_concurrency = rows[i].permits;
            calls_of(k ? "three" : "many", 10, 20);
            rig_run(&rig);
            cr_assert_str_eq(groups(), k ? rows[i].three : rows[i].many, "%u permits: %s",
                             rows[i].permits, groups());
            cr_assert_leq(rig.peak, rows[i].permits);
            for (n = 1; n < 10; n++)
                cr_assert_leq(rig.calls[first + n - 1].started_ms[0],
                              rig.calls[first + n].started_ms[0]);
            if (rig.count + 10 > RIG_CALLS_MAX)
                return;
        }
    }
    all_succeeded();
}

MANY_TEST(in_the_order_of_the_calls)
{
    rig.watch = ">+";
    calls_of("many", 3, 5);
    calls_of("plain", 1, 5);
    calls_of("three", 2, 5);
    calls_of("many", 2, 5);
    calls_of("three", 2, 5);
    rig.options.max_concurrency = 10;
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a> b> c> d> d+ e> f> g> h> i> j> a+ b+ c+ g+ h+ e+ f+ i+ j+");
    cr_assert_str_eq(groups(), "5 3 1");
    all_succeeded();
}

/* Who has a permit starts in the same moment, whoever else does. */
MANY_TEST(nobody_is_forgotten_for_others)
{
    static const char *const others[] = {"plain", "three", "read", "all"};
    size_t i;

    for (i = 0; i < 4; i++) {
        size_t first = rig.count;

        calls_of("many", 2, 5);
        calls_of(others[i], 1, 50);
        rig_submit(&rig);
        rig_go_until(&rig, 100 * i + 1);
        cr_assert_eq(rig.calls[first].starts + rig.calls[first + 1].starts, 2, "%s", others[i]);
        rig_go_until(&rig, 100 * (i + 1));
    }
    cr_assert_str_eq(groups(), "2 2 1 2 2");
}

/* They keep their order with others. */
MANY_TEST(who_must_wait_is_in_a_later_group)
{
    rig_call(&rig, "many", "{\"db\": \"a\", \"ms\": 10}");
    rig_call(&rig, "many", "{\"db\": \"b\", \"ms\": 10}");
    rig_call(&rig, "write", "{\"wdb\": \"a\", \"ms\": 10}");
    rig_call(&rig, "many", "{\"db\": \"a\", \"ms\": 10}");
    rig_call(&rig, "many", "{\"db\": \"b\", \"ms\": 10, \"n\": 1}");
    rig_run(&rig);
    cr_assert_str_eq(groups(), "3 1");
    cr_assert_str_eq(rig.log, "a+ b+ e+ a- b- e- c+ c- d+ d-");
}

MANY_TEST(each_ends_in_its_own_way)
{
    static const enum reeve_call_status wanted[] = {
        REEVE_CALL_SUCCEEDED, REEVE_CALL_SUCCEEDED, REEVE_CALL_FAILED,   REEVE_CALL_SUCCEEDED,
        REEVE_CALL_FAILED,    REEVE_CALL_TIMED_OUT, REEVE_CALL_SUCCEEDED};
    size_t i;

    rig.options.timeout_ms = 500;
    rig.options.retry_wait_ms = 20;
    rig_call(&rig, "many", "{}");
    rig_call(&rig, "many", "{\"ms\": 30}");
    rig_call(&rig, "many", "{\"how\": \"fail\"}");
    rig_call(&rig, "many", "{\"tries\": 2}");
    rig_call(&rig, "many", "{\"how\": \"pass\", \"ms\": 3}");
    rig_call(&rig, "many", "{\"how\": \"cancel\"}");
    rig_call(&rig, "many", "{\"how\": \"stream\"}");
    rig_run(&rig);
    for (i = 0; i < 7; i++)
        cr_assert_eq(rig.calls[i].status, wanted[i], "call %zu: %s", i, rig.calls[i].text);
    cr_assert_eq(rig.groups[0], 7);
    cr_assert_eq(rig.calls[3].attempts, 2);
    cr_assert_eq(rig.calls[4].attempts, 3);
    cr_assert_eq(rig.calls[5].cancels, 1);
    cr_assert_str_eq(rig.calls[6].text, "part 7, then run 7");
}

/* A start that fails fails all that were given to it, and nobody else. */
MANY_TEST(an_error_is_that_of_all)
{
    size_t i;

    rig_call(&rig, "many", "{\"all\": -1}");
    for (i = 1; i < 4; i++)
        rig_call(&rig, "many", "{\"n\": %zu}", i);
    rig_call(&rig, "three", "{}");
    rig_call(&rig, "plain", "{}");
    rig_run(&rig);
    cr_assert_str_eq(groups(), "4 1");
    for (i = 0; i < 4; i++) {
        cr_assert_eq(rig.calls[i].status, REEVE_CALL_FAILED);
        cr_assert_str_eq(rig.calls[i].text, reeve_error_text(REEVE_EBUSY));
        cr_assert_eq(rig.calls[i].attempts, 1, "a start that fails is not tried again");
    }
    cr_assert_eq(rig.calls[4].status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(rig.calls[5].status, REEVE_CALL_SUCCEEDED);
}

MANY_TEST(equal_ones_are_given_once)
{
    size_t i;

    for (i = 0; i < 6; i++)
        rig_call(&rig, "many", "{\"ms\": 5, \"n\": %zu}", i % 2);
    rig_run(&rig);
    cr_assert_str_eq(groups(), "2");
    cr_assert_eq(rig.batches[0].stats.shared, 4);
    for (i = 2; i < 6; i++)
        cr_assert_str_eq(rig.calls[i].text, rig.calls[i % 2].text);
}

/* ---- what comes between ----------------------------------------------------------------------
 */

static size_t when, whom;
static char at;

static void cancel_one(struct rig *of, char kind, size_t call)
{
    if (kind == at && call == when)
        rig_cancel(of, whom);
}

/* On the way to the start of four, or in it, one is cancelled. */
MANY_TEST(one_may_be_cancelled_at_any_time)
{
    static const char kinds[] = ">+-=";
    size_t i, k;

    for (k = 0; kinds[k]; k++) {
        for (when = 0; when < 4; when++) {
            for (whom = 0; whom < 4; whom++) {
                bool before = kinds[k] == '>';

                end(rig.t);
                begin(rig.t);
                at = kinds[k];
                rig.on_event = cancel_one;
                calls_of("many", 4, 10);
                rig_run(&rig);
                for (i = 0; i < 4; i++)
                    cr_assert(i == whom || rig.calls[i].status == REEVE_CALL_SUCCEEDED);
                if (before)
                    cr_assert_eq(rig.calls[whom].starts, 0);
                if (kinds[k] != '=' && (kinds[k] != '-' || when <= whom))
                    cr_assert_eq(rig.calls[whom].status, REEVE_CALL_CANCELED, "%c %zu %zu",
                                 kinds[k], when, whom);
                cr_assert_eq(rig.calls[whom].cancels, kinds[k] == '+', "%c %zu %zu", kinds[k], when,
                             whom);
                cr_assert_str_eq(groups(), before ? "3" : "4");
            }
        }
    }
}

static void free_at(struct rig *of, char kind, size_t call)
{
    if (kind == at && call == when && of->toolbox)
        rig_free_toolbox(of);
}

MANY_TEST(the_toolbox_may_be_freed_at_any_time)
{
    static const char kinds[] = ">+-=!";
    size_t i, k;

    for (k = 0; kinds[k]; k++) {
        for (when = 0; when < 4; when++) {
            end(rig.t);
            begin(rig.t);
            at = kinds[k];
            rig.on_event = free_at;
            for (i = 0; i < 4; i++)
                rig_call(&rig, "many", "{\"how\": \"cancel\", \"n\": %zu}", i);
            rig.options.timeout_ms = 10;
            rig_submit(&rig);
            rig_go(&rig);
            cr_assert_null(rig.toolbox, "%c %zu", kinds[k], when);
            for (i = 0; i < 4; i++)
                cr_assert_eq(rig.calls[i].cancels, rig.calls[i].starts, "%c %zu: call %zu",
                             kinds[k], when, i);
            cr_assert(rv_list_empty(&rig.jobs));
            cr_assert_eq(rig.group_count, kinds[k] != '>');
        }
    }
}

/* Those that are to be started are not yet: a tool that is off then starts none of them. */
static void switch_off(struct rig *of, char kind, size_t call)
{
    if (kind == '>' && call == when)
        cr_assert_eq(reeve_toolbox_enable(of->toolbox, of->calls[call].tool, 0), 0);
}

MANY_TEST(a_tool_switched_off_in_on_start_starts_nothing_more)
{
    static const char *const tools[] = {"many", "plain"};
    size_t i, k;

    for (k = 0; k < 2; k++) {
        end(rig.t);
        begin(rig.t);
        when = 1;
        rig.on_event = switch_off;
        calls_of(tools[k], 3, 5);
        calls_of("read", 1, 5);
        rig_run(&rig);
        for (i = k; i < 3; i++) {
            cr_assert_eq(rig.calls[i].status, REEVE_CALL_UNKNOWN, "%s %zu", tools[k], i);
            cr_assert_eq(rig.calls[i].starts, 0);
        }
        cr_assert_eq(rig.calls[3].status, REEVE_CALL_SUCCEEDED);
    }
}

MANY_TEST(a_batch_cancelled_in_on_start_starts_nothing_more)
{
    size_t i;

    for (when = 0; when < 3; when++) {
        end(rig.t);
        begin(rig.t);
        calls_of("many", 3, 5);
        rig_submit(&rig);
        reeve_batch_cancel(rig.batches[0].batch);
        rig_go(&rig);
        for (i = 0; i < 3; i++)
            cr_assert_eq(rig.calls[i].status, REEVE_CALL_CANCELED);
        cr_assert_eq(rig.group_count, 0);
    }
}

/* ---- more than fit on a stack ----------------------------------------------------------------
 */

enum { CROWD = 600 };

static size_t largest, given;

static int count_many(struct reeve_tool_call *const *calls, size_t count, void *arg)
{
    size_t i;

    (void)arg;
    if (count > largest)
        largest = count;
    for (i = 0; i < count; i++) {
        cr_assert_eq(strtoul(reeve_tool_call_id(calls[i]), NULL, 10), given++);
        reeve_tool_call_finish(calls[i], "", 0);
    }
    return 0;
}

static void count_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};

    (void)arg;
    cr_assert(!error && !reeve_batch_stats(batch, &stats));
    cr_assert_eq(stats.succeeded, CROWD);
}

MANY_TEST(hundreds_come_together)
{
    static struct reeve_call calls[CROWD];
    static char ids[CROWD][8];
    struct reeve_batch *batch;
    struct reeve_tool tool;
    size_t i;

    reeve_tool_init(&tool);
    tool.name = "crowd";
    tool.effect = REEVE_EFFECT_READ;
    tool.start_many = count_many;
    rig_add(&rig, &tool);
    for (i = 0; i < CROWD; i++) {
        snprintf(ids[i], sizeof ids[i], "%zu", i);
        calls[i] = (struct reeve_call){.id = ids[i], .name = "crowd"};
    }
    largest = given = 0;
    reeve_batch_options_init(&rig.options);
    rig.options.max_concurrency = CROWD;
    rig.options.skip_sharing = 1;
    rig.options.on_done = count_done;
    cr_assert_eq(reeve_batch_run(rig.toolbox, calls, CROWD, &rig.options, &batch), 0);
    rig_go(&rig);
    cr_assert_eq(given, CROWD);
    cr_assert_eq(largest, 256);
}

/* A tool has one way to be started. */
MANY_TEST(a_tool_with_both_or_neither_is_refused)
{
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, "own", REEVE_EFFECT_READ);
    tool.start_many = rig_start_many;
    cr_assert_eq(reeve_toolbox_add(rig.toolbox, &tool), REEVE_EINVAL);
    tool.start = NULL;
    tool.start_many = NULL;
    cr_assert_eq(reeve_toolbox_add(rig.toolbox, &tool), REEVE_EINVAL);
}
