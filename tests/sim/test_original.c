/* SPDX-License-Identifier: MIT */
/*
 * Not like the original. What the Python system of the guide gets wrong, and the tests that would
 * fail on it: SUITE/NAME, those of this file without a suite.
 *
 *   same-path writes overlap             writes_of_one_file_do_not_overlap,
 *                                        claims/a_path_is_one_however_it_is_written
 *   the guide's example is misgrouped    a_call_is_grouped_by_its_own_tool,
 *                                        claims/writes_first_goes_by_the_effect_of_each_call
 *   no reordering where it is promised   batch/writes_first_puts_reads_given_earlier_…
 *   a hit past a disabled tool           cache/a_tool_that_is_off_answers_nobody,
 *                                        checks/a_tool_switched_off_during_a_look_answers_nobody
 *   a hit past permission                cache/a_call_is_permitted_before_it_is_answered
 *   empty results never hit              cache/an_empty_result_answers_too
 *   a stale read stored after a write    cache/a_read_that_meets_a_write_of_another_batch_…
 *   "/tmp/./b" survives "/tmp/b",        cache/what_a_call_writes_is_forgotten_and_nothing_else
 *   a listing a write below it           and cache_files/a_listing_shows_what_was_written_below_it
 *   strings become booleans and numbers  what_is_written_is_what_was_said,
 *                                        normalize/never_touches_what_may_be_meant
 *   a cut-off write_file writes half     half_a_write_is_none,
 *                                        normalize/closes_brackets_only_of_reads_…
 *   retries of what cannot succeed       retry/only_what_may_pass_…, and retry/arguments_that_…
 *   statistics that do not add up        every test on the rig: rig_check_sums, check_figures
 *   a failed call cancels its siblings   batch/a_failed_call_stops_nobody,
 *   a tool's own cancel ends the batch   a_tool_may_fail_with_a_cancel_of_its_own
 *   a batch of limit 0 hangs             batch/what_makes_no_sense_is_refused
 *   a livelock of waiting calls          calls_that_wait_end_at_every_limit,
 *                                        batch/readers_that_wait_for_a_writer_hold_no_permit
 *   shared calls answered out of order   sharing/results_stand_in_the_order_of_the_calls
 */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
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

#define ORIGINAL_TEST(name) RV_TEST(original, name, RV_FIXTURE(begin, end))

ORIGINAL_TEST(writes_of_one_file_do_not_overlap)
{
    static const char *const paths[] = {"a", "./a", "/a", "x/../a", "link"};
    enum reeve_grouping grouping;
    size_t i;

    rv_sim_file_put(rig.files, "a", "", 0);
    rv_sim_file_link(rig.files, "link", "a");
    for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_HAZARDS; grouping++) {
        size_t first = rig.count;

        rig.options.grouping = grouping;
        for (i = 0; i < 5; i++)
            rig_call(&rig, "write", "{\"w\": \"%s\", \"ms\": 10}", paths[i]);
        rig_run(&rig);
        for (i = 1; i < 5; i++)
            cr_assert_geq(rig.calls[first + i].started_ms[0], rig.calls[first + i - 1].released_ms);
        cr_assert_eq(rig.batches[rig.batch_count - 1].stats.peak_running, 1);
    }
}

/* A tool of the same name as one of ours, or that writes under the name of a reader, is what its
 * host has said it is. */
ORIGINAL_TEST(a_call_is_grouped_by_its_own_tool)
{
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, "read_file", REEVE_EFFECT_WRITE);
    rig_add(&rig, &tool);
    rig_tool_init(&rig, &tool, "write_file", REEVE_EFFECT_READ);
    rig_add(&rig, &tool);
    rig.options.grouping = REEVE_GROUPING_WRITES_FIRST;
    rig_call(&rig, "write_file", "{\"ms\": 10}");
    rig_call(&rig, "read_file", "{\"ms\": 10}");
    rig_call(&rig, "write_file", "{\"ms\": 10, \"n\": 1}");
    rig_call(&rig, "read_file", "{\"ms\": 10}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "b+ b- d+ d- a+ c+ a- c-");
}

/* ---- what is written -------------------------------------------------------------------------
 */

static enum reeve_call_status written_status;

static void note_status(struct reeve_batch *batch, int error, void *arg)
{
    (void)error, (void)arg;
    written_status = reeve_batch_result(batch, 0)->status;
}

static enum reeve_call_status write_file(const char *arguments, int calls_complete)
{
    struct reeve_call call = {.id = "1",
                              .name = "write_file",
                              .arguments = arguments,
                              .arguments_len = strlen(arguments)};
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    reeve_batch_options_init(&options);
    options.on_done = note_status;
    options.calls_complete = calls_complete;
    cr_assert_eq(reeve_batch_run(rig.toolbox, &call, 1, &options, &batch), 0);
    rig_go(&rig);
    return written_status;
}

ORIGINAL_TEST(what_is_written_is_what_was_said)
{
    static const char *const texts[] = {"true", "false", "null", "007", "7",   "1e3",
                                        "-0",   "[1]",   "{}",   "'x'", " 5 ", ""};
    char arguments[64];
    size_t i;

    cr_assert_eq(reeve_toolbox_add_files(rig.toolbox, "/anywhere"), 0);
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        snprintf(arguments, sizeof arguments, "{\"path\":\"f\",\"content\":\"%s\"}", texts[i]);
        cr_assert_eq(write_file(arguments, 1), REEVE_CALL_SUCCEEDED);
        cr_assert_str_eq(rv_sim_file_text(rig.files, "f", NULL), texts[i]);
    }
}

ORIGINAL_TEST(half_a_write_is_none)
{
    static const char whole[] = "{\"path\":\"f\",\"content\":\"a \\\"long\\\" text\"}";
    char cut[sizeof whole];
    size_t len;
    int complete;

    cr_assert_eq(reeve_toolbox_add_files(rig.toolbox, "/anywhere"), 0);
    for (len = 1; len < sizeof whole - 1; len++) {
        for (complete = 0; complete < 2; complete++) {
            snprintf(cut, sizeof cut, "%.*s", (int)len, whole);
            cr_assert_eq(write_file(cut, complete), REEVE_CALL_INVALID, "%s", cut);
            cr_assert_null(rv_sim_file_text(rig.files, "f", NULL), "%s", cut);
        }
    }
    cr_assert_eq(write_file(whole, 0), REEVE_CALL_SUCCEEDED);
}

/* ---- how calls end ---------------------------------------------------------------------------
 */

static int cancel_itself(struct reeve_tool_call *call, void *arg)
{
    const char *text = arg;

    if (!text)
        return REEVE_ECANCELED;
    reeve_tool_call_fail(call, 1, text, strlen(text));
    return 0;
}

ORIGINAL_TEST(a_tool_may_fail_with_a_cancel_of_its_own)
{
    static char said[] = "CancelledError";
    struct reeve_tool tool;
    size_t i;

    for (i = 0; i < 2; i++) {
        rig_tool_init(&rig, &tool, i ? "says" : "returns", REEVE_EFFECT_READ);
        tool.start = cancel_itself;
        tool.arg = i ? said : NULL;
        rig_add(&rig, &tool);
    }
    rig_call(&rig, "plain", "{\"ms\": 20}");
    rig_call(&rig, "returns", "{}");
    rig_call(&rig, "says", "{}");
    rig_call(&rig, "write", "{\"ms\": 5}");
    rig_call(&rig, "plain", "{\"ms\": 20, \"n\": 1}");
    rig.calls[1].starts = rig.calls[2].starts = 1; /* which these tools do not count */
    rig_run(&rig);
    cr_assert_eq(rig.batches[0].error, 0);
    for (i = 0; i < 5; i++)
        cr_assert_eq(rig.calls[i].status,
                     i == 1 || i == 2 ? REEVE_CALL_FAILED : REEVE_CALL_SUCCEEDED);
    cr_assert_str_eq(rig.calls[1].text, reeve_error_text(REEVE_ECANCELED));
    cr_assert_str_eq(rig.calls[2].text, said);
    cr_assert_eq(rig.batches[0].stats.canceled, 0);
    cr_assert_eq(rig.calls[0].cancels + rig.calls[4].cancels, 0);
}

/* Waiting for others, for a permit, for permission, for another try and for an equal call: none of
 * these holds what another one needs, whatever the limit. */
ORIGINAL_TEST(calls_that_wait_end_at_every_limit)
{
    static const char *const calls[] = {
        "{\"w\": \"a\", \"ms\": 5, \"tries\": 2}",
        "{\"r\": \"a\", \"ms\": 5}",
        "{\"r\": \"a\", \"ms\": 5}",
        "{\"r\": \"a\", \"ms\": 5, \"tries\": 3}",
        "{\"r\": \"/\", \"ms\": 5}",
        "{\"w\": \"b\", \"ms\": 5}",
        "{\"r\": \"b\", \"ms\": 5, \"tries\": 2}",
        "{\"r\": \"a\", \"ms\": 5}",
    };
    enum reeve_grouping grouping;
    uint32_t limit;
    size_t i;

    for (limit = 1; limit <= 6; limit++) {
        for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_NONE; grouping++) {
            rig_close(&rig);
            begin(rig.t);
            rig.asks = true;
            rig.options.timeout_ms = 0;
            rig.options.grouping = grouping;
            rig.options.max_concurrency = limit;
            rig.options.retry_wait_ms = 4;
            for (i = 0; i < 24; i++)
                rig_call(&rig, i % 8 == 0 || i % 8 == 5 ? "write" : "read", "%s", calls[i % 8]);
            rig_run(&rig);
            for (i = 0; i < 24; i++)
                cr_assert_eq(rig.calls[i].status, REEVE_CALL_SUCCEEDED);
            cr_assert_leq(rig.peak, limit);
            cr_assert_leq(rig.batches[0].stats.wall_us, 24 * 3 * (5 + 12) * 1000);
        }
    }
}
