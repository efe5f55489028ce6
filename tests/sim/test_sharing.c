/* SPDX-License-Identifier: MIT */
/* Equal calls of one batch: when they come to one run, who gets what of it, and who is cancelled.
 */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define SHARING_TEST(name, ...) RV_TEST(sharing, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

/* Results of the calls from `first` on, in their order: a letter for each source. */
static const char *sources(size_t first, size_t count)
{
    static char text[RIG_CALLS_MAX + 1];
    size_t i;

    for (i = 0; i < count; i++)
        text[i] = "rcs"[rig.calls[first + i].source];
    text[count] = '\0';
    return text;
}

/* ---- what is shared --------------------------------------------------------------------------
 */

SHARING_TEST(equal_reads_run_once)
{
    size_t i;

    rig.watch = ">+-=.";
    rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 50, \"n\": [1, {\"k\": null}]}");
    rig_call(&rig, "plain", "{\"ms\": 50.0, \"n\": [1, {\"k\": null}], \"r\": \"\\u0061\"}");
    rig_call(&rig, "plain", "{\"n\":[10e-1,{\"k\":null}],\"ms\":5e1,\"r\":\"a\"}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a> a+ a- a= b= c= a.");
    cr_assert_str_eq(sources(0, 3), "rss");
    for (i = 0; i < 3; i++) {
        cr_assert_eq(rig.calls[i].status, REEVE_CALL_SUCCEEDED);
        cr_assert_str_eq(rig.calls[i].text, "run 1");
        cr_assert_eq(rig.calls[i].result_ms, 50);
        cr_assert_eq(rig.calls[i].attempts, i == 0);
    }
    cr_assert_eq(rig.batches[0].stats.sum_us, 50000, "who waits takes no time of a tool's");
}

/* Several runs, whose calls stand between each other's: each result stands in its place. */
SHARING_TEST(results_stand_in_the_order_of_the_calls)
{
    size_t i;

    rig.options.max_concurrency = 2;
    for (i = 0; i < 24; i++)
        rig_call(&rig, "plain", "{\"ms\": %zu}", 90 - i % 3 * 30);
    rig_run(&rig);
    cr_assert_str_eq(sources(0, 24), "rrrsssssssssssssssssssss");
    cr_assert_eq(rig.runs, 3);
    for (i = 3; i < 24; i++) {
        cr_assert_str_eq(rig.calls[i].text, rig.calls[i % 3].text);
        cr_assert_eq(rig.calls[i].result_ms, rig.calls[i % 3].result_ms);
    }
    cr_assert_str_neq(rig.calls[0].text, rig.calls[1].text);
    cr_assert_str_neq(rig.calls[1].text, rig.calls[2].text);
}

SHARING_TEST(what_differs_is_not_shared)
{
    static const struct {
        const char *tool, *one, *other;
    } rows[] = {
        {"plain", "{\"ms\": 5, \"n\": 1}", "{\"ms\": 5, \"n\": \"1\"}"},
        {"plain", "{\"ms\": 5, \"n\": [1, 2]}", "{\"ms\": 5, \"n\": [2, 1]}"},
        {"plain", "{\"ms\": 5, \"n\": null}", "{\"ms\": 5}"},
        {"plain", "{\"ms\": 5, \"n\": {\"a\": {}}}", "{\"ms\": 5, \"n\": {\"a\": []}}"},
        {"plain", "{\"ms\": 5, \"n\": 9007199254740993}", "{\"ms\": 5, \"n\": 9007199254740992}"},
        {"plain", "{\"ms\": 5, \"r\": \"a\"}", "{\"ms\": 5, \"r\": \"./a\"}"},
        {"write", "{\"ms\": 5, \"w\": \"a\"}", "{\"ms\": 5, \"w\": \"a\"}"},
        {"plain", "{\"ms\": 5, \"w\": \"a\"}", "{\"ms\": 5, \"w\": \"a\"}"},
        {"over", "{\"ms\": 5}", "{\"ms\": 5}"},
        {"shell", "{\"ms\": 5}", "{\"ms\": 5}"},
    };
    enum reeve_grouping grouping;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_NONE; grouping++) {
            size_t first = rig_call(&rig, rows[i].tool, "%s", rows[i].one);

            rig.options.grouping = grouping;
            rig_call(&rig, rows[i].tool, "%s", rows[i].other);
            rig_run(&rig);
            cr_assert_str_eq(sources(first, 2), "rr", "%s: %s", rows[i].tool, rows[i].other);
        }
    }
    rig_call(&rig, "plain", "{\"ms\": 5}");
    rig_call(&rig, "all", "{\"ms\": 5}");
    rig_run(&rig);
    cr_assert_str_eq(sources(rig.count - 2, 2), "rr");
}

SHARING_TEST(what_is_not_to_be_shared_is_not)
{
    rig.options.skip_sharing = 1;
    rig_call(&rig, "plain", "{\"ms\": 5}");
    rig_call(&rig, "plain", "{\"ms\": 5}");
    rig_run(&rig);
    cr_assert_str_eq(sources(0, 2), "rr");
}

SHARING_TEST(another_context_is_another_question)
{
    int one, other;
    void *contexts[] = {&one, &other, &one, NULL, NULL, &other};

    rig.options.contexts = contexts;
    rig.options.context = &other;
    while (rig.count < 6)
        rig_call(&rig, "plain", "{\"ms\": 5}");
    rig_run(&rig);
    cr_assert_str_eq(sources(0, 6), "rrssss");
    cr_assert_str_eq(rig.calls[2].text, "run 1");
    cr_assert_str_eq(rig.calls[3].text, "run 2");
    cr_assert_str_eq(rig.calls[5].text, "run 2");
}

SHARING_TEST(a_write_between_two_reads_has_both_run)
{
    static const struct {
        enum reeve_grouping grouping;
        const char *writes, *sources;
    } rows[] = {
        {REEVE_GROUPING_HAZARDS, "{\"w\": \"a\", \"ms\": 10}", "rrr"},
        {REEVE_GROUPING_HAZARDS, "{\"w\": \"/\", \"ms\": 10}", "rrr"},
        {REEVE_GROUPING_HAZARDS, "{\"w\": \"b\", \"ms\": 10}", "rrs"},
        {REEVE_GROUPING_NONE, "{\"w\": \"a\", \"ms\": 10}", "rrr"},
        {REEVE_GROUPING_WRITES_FIRST, "{\"w\": \"a\", \"ms\": 10}", "rrs"},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t first = rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 30}");

        rig_call(&rig, "write", "%s", rows[i].writes);
        rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 30}");
        rig.options.grouping = rows[i].grouping;
        rig_run(&rig);
        cr_assert_str_eq(sources(first, 3), rows[i].sources, "row %zu", i);
        if (rows[i].grouping == REEVE_GROUPING_WRITES_FIRST)
            cr_assert_eq(rig.calls[first].started_ms[0], rig.calls[first + 1].released_ms);
    }
}

/* The run began before another batch wrote: it is not right for whoever comes after that. */
SHARING_TEST(a_write_of_another_batch_has_a_late_comer_run)
{
    rig.asks = true;
    rig.says_nothing = true;
    rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 50}");
    rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 50}");
    rig_submit(&rig);
    rig_go_until(&rig, 1);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go_until(&rig, 10);
    cr_assert_eq(rig.asked, 1);
    rig.asks = false;
    rig_call(&rig, "write", "{\"w\": \"a\"}");
    rig_submit(&rig);
    rig_go_until(&rig, 20);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go(&rig);
    cr_assert_str_eq(sources(0, 2), "rr");
    cr_assert_str_eq(rig.calls[1].text, "run 3");
}

SHARING_TEST(without_that_a_late_comer_shares)
{
    rig.asks = true;
    rig.says_nothing = true;
    rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 50}");
    rig_call(&rig, "plain", "{\"r\": \"a\", \"ms\": 50}");
    rig_submit(&rig);
    rig_go_until(&rig, 1);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go_until(&rig, 49);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go(&rig);
    cr_assert_str_eq(sources(0, 2), "rs");
    cr_assert_eq(rig.calls[1].result_ms, 51);
}

SHARING_TEST(a_run_that_is_over_is_not_shared)
{
    rig.options.max_concurrency = 1;
    rig_call(&rig, "plain", "{}");
    rig_call(&rig, "write", "{\"w\": \"a\", \"ms\": 5}");
    rig_call(&rig, "plain", "{}");
    rig.options.grouping = REEVE_GROUPING_NONE;
    rig_run(&rig);
    cr_assert_str_eq(sources(0, 3), "rrr");
}

/* ---- who gets what ---------------------------------------------------------------------------
 */

SHARING_TEST(each_is_permitted_on_its_own)
{
    static const char *const refused[] = {"", "a", "b", "ac", "bc", "abcd"};
    static const char *const wanted[] = {"rsss", "rrss", "rrss", "rrrs", "rrrs", "rrrr"};
    size_t i, k;

    for (i = 0; i < 6; i++) {
        char letters[8] = "";
        size_t first = rig.count;

        rig.asks = true;
        for (k = 0; refused[i][k]; k++)
            letters[k] = (char)(refused[i][k] + (char)first);
        rig.refused = letters;
        for (k = 0; k < 4; k++)
            rig_call(&rig, "plain", "{\"ms\": 5}");
        rig_run(&rig);
        for (k = 0; k < 4; k++) {
            bool is_refused = strchr(refused[i], (char)('a' + k)) != NULL;

            cr_assert_eq(rig.calls[first + k].asked, 1);
            cr_assert_eq(rig.calls[first + k].status,
                         is_refused ? REEVE_CALL_REFUSED : REEVE_CALL_SUCCEEDED);
        }
        cr_assert_eq(rig.batches[i].stats.peak_running, i < 5);
        cr_assert_str_eq(sources(first, 4), wanted[i], "%s", sources(first, 4));
    }
}

SHARING_TEST(a_run_that_fails_fails_for_all)
{
    static const struct {
        const char *arguments, *text;
        enum reeve_call_status status;
    } rows[] = {
        {"{\"ms\": 5, \"how\": \"fail\"}", "run 1", REEVE_CALL_FAILED},
        {"{\"how\": \"refuse\"}", NULL, REEVE_CALL_FAILED},
        {"{\"how\": \"cancel\"}", "The call was stopped: there was no result after 30 ms.",
         REEVE_CALL_TIMED_OUT},
        {"{\"how\": \"never\"}", "The call was stopped: there was no result after 30 ms.",
         REEVE_CALL_TIMED_OUT},
        {"{\"how\": \"empty\"}", "", REEVE_CALL_SUCCEEDED},
    };
    size_t i, k;

    rig.options.timeout_ms = 30;
    rig.options.abandon_ms = 20;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t first = rig.count;

        rig.options.max_concurrency = 1;
        rig_call(&rig, "plain", "{\"ms\": 1}"); /* has the permit, so that the others meet */
        for (k = 0; k < 3; k++)
            rig_call(&rig, "plain", "%s", rows[i].arguments);
        rig.runs = 0;
        rig_run(&rig);
        cr_assert_str_eq(sources(first, 4), "rrss");
        for (k = 1; k < 4; k++) {
            const struct rig_call *call = &rig.calls[first + k];

            cr_assert_eq(call->status, rows[i].status, "row %zu", i);
            if (i)
                cr_assert_str_eq(call->text,
                                 rows[i].text ? rows[i].text : reeve_error_text(REEVE_EBUSY));
        }
        cr_assert_eq(rig.runs, 2);
        cr_assert_eq(rig.calls[first + 1].cancels, rows[i].status == REEVE_CALL_TIMED_OUT);
        rig_finish_held(&rig);
    }
}

SHARING_TEST(a_tool_switched_off_before_the_permit_is_off_for_all)
{
    size_t i;

    rig.options.max_concurrency = 1;
    rig_call(&rig, "read", "{\"ms\": 20}");
    for (i = 0; i < 3; i++)
        rig_call(&rig, "plain", "{}");
    rig_submit(&rig);
    rig_go_until(&rig, 10);
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "plain", 0), 0);
    rig_go(&rig);
    cr_assert_eq(rig.runs, 1);
    for (i = 1; i < 4; i++) {
        cr_assert_eq(rig.calls[i].status, REEVE_CALL_UNKNOWN);
        cr_assert_str_eq(rig.calls[i].text, rig.calls[1].text);
    }
    cr_assert_str_eq(sources(0, 4), "rrss");
    cr_assert_eq(rig.batches[0].stats.failed, 1);
}

SHARING_TEST(a_shared_run_is_kept_once)
{
    size_t i;

    for (i = 0; i < 4; i++)
        rig_call(&rig, "read", "{\"ms\": 5}");
    rig_run(&rig);
    cr_assert_eq(rig_cache(&rig).stores, 1);
    cr_assert_eq(rig_cache(&rig).misses, 1, "the others did not run");
    RIG_HITS(&rig, "read", "{\"ms\": 5}", "run 1");
}

SHARING_TEST(only_the_one_that_runs_is_heard)
{
    size_t i;

    rig.watch = ":=";
    for (i = 0; i < 3; i++)
        rig_call(&rig, "plain", "{\"ms\": 5, \"how\": \"stream\"}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a: a: a= b= c=");
    cr_assert_str_eq(rig.calls[0].heard, "part 1, then ");
    for (i = 0; i < 3; i++)
        cr_assert_str_eq(rig.calls[i].text, "part 1, then run 1");
}

/* ---- many, and large -------------------------------------------------------------------------
 */

enum { MANY = 10000 };

static unsigned started;

static int start_late(struct reeve_tool_call *call, void *arg)
{
    struct reeve_tool_call **held = arg;

    started++;
    *held = call;
    return 0;
}

static void count_shared(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats *stats = arg;
    size_t i;

    cr_assert_eq(error, 0);
    stats->size = sizeof *stats;
    cr_assert_eq(reeve_batch_stats(batch, stats), 0);
    for (i = 0; i < stats->calls; i++) {
        cr_assert_str_eq(reeve_batch_result(batch, i)->text, "late");
        cr_assert_eq(reeve_batch_result(batch, i)->source,
                     i ? REEVE_SOURCE_SHARED : REEVE_SOURCE_RUN);
    }
}

SHARING_TEST(ten_thousand_equal_calls_come_to_one_run, .timeout = 30)
{
    struct reeve_call *calls = calloc(MANY, sizeof *calls);
    struct reeve_tool_call *held = NULL;
    struct reeve_batch_stats stats;
    struct reeve_tool tool;
    struct reeve_batch *batch;
    size_t i;

    rig_tool_init(&rig, &tool, "own", REEVE_EFFECT_READ);
    tool.start = start_late;
    tool.cancel = NULL;
    tool.arg = &held;
    rig_add(&rig, &tool);
    for (i = 0; i < MANY; i++)
        calls[i] = (struct reeve_call){
            .id = "1", .name = "own", .arguments = "{\"a\":1}", .arguments_len = 7};
    reeve_batch_options_init(&rig.options);
    rig.options.on_done = count_shared;
    rig.options.arg = &stats;
    started = 0;
    cr_assert_eq(reeve_batch_run(rig.toolbox, calls, MANY, &rig.options, &batch), 0);
    rig_go_until(&rig, 1000);
    reeve_tool_call_finish(held, "late", 4);
    rig_go(&rig);
    cr_assert_eq(started, 1);
    cr_assert_eq(stats.shared, MANY - 1);
    cr_assert_eq(stats.peak_running, 1);
    free(calls);
}

/* Two calls with an array of so many numbers: how many runs they come to. */
static unsigned runs_of_large(size_t numbers)
{
    size_t len = 0, i;
    char *text = malloc(4 * numbers + 16);
    struct reeve_call calls[2];
    struct reeve_batch *batch;
    unsigned before = rig.runs;

    len += (size_t)sprintf(text, "{\"n\":[1");
    for (i = 1; i < numbers; i++)
        len += (size_t)sprintf(text + len, ",%zu", i % 10);
    len += (size_t)sprintf(text + len, "]}");
    for (i = 0; i < 2; i++)
        calls[i] = (struct reeve_call){
            .id = "c0", .name = "plain", .arguments = text, .arguments_len = len};
    cr_assert_eq(reeve_batch_run(rig.toolbox, calls, 2, &rig.options, &batch), 0);
    rig_go(&rig);
    free(text);
    return rig.runs - before;
}

static void ignore_done(struct reeve_batch *batch, int error, void *arg)
{
    (void)batch, (void)error, (void)arg;
}

SHARING_TEST(large_arguments_are_not_compared)
{
    reeve_batch_options_init(&rig.options);
    rig.options.on_done = ignore_done;
    cr_assert_eq(runs_of_large(1000), 1);
    cr_assert_eq(runs_of_large(10000), 2);
}
