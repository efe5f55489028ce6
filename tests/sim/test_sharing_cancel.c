/* SPDX-License-Identifier: MIT */
/*
 * Cancels among calls that share a run: whoever is left gets the result, and the tool is told of
 * the cancel when nobody is left, and not before.
 */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { EQUAL = 4 };

static struct rig rig;

static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
    rig.watch = "+-!=";
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define CANCEL_TEST(name) RV_TEST(sharing_cancel, name, RV_FIXTURE(begin, end))

/* ---- any of them in any order ----------------------------------------------------------------
 */

enum phase {
    QUEUED,  /* another call has the only permit, until 30 ms */
    RUNNING, /* from 0 to 50 ms */
    RESTING, /* it has failed at 0 ms, and will run from about 30 ms on, then for no time */
    PHASES,
};

/* The calls that are cancelled, in that order; `gap_ms` is between them, from 5 ms on. */
struct story {
    enum phase phase;
    size_t order[EQUAL];
    size_t count;
    uint64_t gap_ms;
};

static void set_scene(const struct story *story)
{
    size_t i;

    if (story->phase == QUEUED) {
        rig.options.max_concurrency = 1;
        rig_call(&rig, "plain", "{\"ms\": 30}");
    }
    rig.options.retry_wait_ms = 40;
    for (i = 0; i < EQUAL; i++)
        rig_call(&rig, "read", "%s",
                 story->phase == RESTING ? "{\"tries\": 2}" : "{\"r\": \"a\", \"ms\": 50}");
}

static void cancel_all(const struct story *story, size_t first)
{
    size_t i;

    for (i = 0; i < story->count; i++) {
        rig_go_until(&rig, 5 + story->gap_ms * i);
        rig_cancel(&rig, first + story->order[i]);
    }
}

static bool is_canceled(const struct story *story, size_t i)
{
    size_t k;

    for (k = 0; k < story->count; k++)
        if (story->order[k] == i)
            return true;
    return false;
}

/* What the one that runs may not be told before the last has gone. */
static void check_told(const struct story *story, size_t first)
{
    unsigned cancels = 0;
    size_t i;

    for (i = 0; i < EQUAL; i++)
        cancels += rig.calls[first + i].cancels;
    cr_assert_eq(cancels, story->phase == RUNNING && story->count == EQUAL);
}

static void check_results(const struct story *story, size_t first)
{
    const char *text = NULL;
    size_t i, k;

    for (i = 0; i < EQUAL; i++) {
        const struct rig_call *call = &rig.calls[first + i];

        if (!is_canceled(story, i)) {
            cr_assert_eq(call->status, REEVE_CALL_SUCCEEDED, "call %zu: %s", i, call->text);
            cr_assert(!text || !strcmp(text, call->text), "%s and %s", text, call->text);
            text = call->text;
            continue;
        }
        cr_assert_eq(call->status, REEVE_CALL_CANCELED);
        for (k = 0; story->order[k] != i; k++)
            ;
        cr_assert_eq(call->result_ms, 5 + story->gap_ms * k);
    }
    if (story->phase == RUNNING)
        cr_assert_eq(rig.runs, 1);
    else if (story->phase == QUEUED) /* the one with the permit is another one */
        cr_assert_eq(rig.runs, story->count < EQUAL ? 2 : 1);
    else if (!is_canceled(story, 0)) /* else those who take its place try on their own */
        cr_assert_eq(rig.runs, 2);
}

static void play(struct rv_test *t, const struct story *story)
{
    size_t first = story->phase == QUEUED;

    begin(t);
    set_scene(story);
    rig_submit(&rig);
    cancel_all(story, first);
    rig_go_until(&rig, 5 + story->gap_ms * (story->count + 1));
    check_told(story, first);
    rig_go(&rig);
    cr_assert_eq(rig.batches[0].done, 1);
    check_told(story, first);
    check_results(story, first);
    rig_close(&rig);
}

/* Every way to cancel some of four, one after the other: 65 of them. */
static unsigned play_all(struct rv_test *t, struct story *story)
{
    unsigned played = 1;
    size_t i;

    play(t, story);
    for (i = 0; i < EQUAL; i++) {
        if (is_canceled(story, i))
            continue;
        story->order[story->count++] = i;
        played += play_all(t, story);
        story->count--;
    }
    return played;
}

RV_TEST(sharing_cancel, any_of_them_in_any_order, .timeout = 30)
{
    enum phase phase;
    uint64_t gap_ms;

    for (phase = QUEUED; phase < PHASES; phase++) {
        for (gap_ms = 0; gap_ms <= 3; gap_ms += 3) {
            struct story story = {.phase = phase, .gap_ms = gap_ms};

            cr_assert_eq(play_all(t, &story), 65);
        }
    }
}

/* ---- inside callbacks ------------------------------------------------------------------------
 */

static char strike_at;

static void cancel_runner(struct rig *of, char kind, size_t call)
{
    if (kind == strike_at && call == 0)
        rig_cancel(of, call);
}

static void equal_calls(const char *arguments, size_t count)
{
    while (count--)
        rig_call(&rig, "read", "%s", arguments);
}

static void expect_others(size_t count, enum reeve_call_status status, const char *text)
{
    size_t i;

    cr_assert_eq(rig.calls[0].status, REEVE_CALL_CANCELED);
    for (i = 1; i < count; i++) {
        cr_assert_eq(rig.calls[i].status, status, "call %zu: %s", i, rig.calls[i].text);
        cr_assert_str_eq(rig.calls[i].text, text);
    }
}

/* Before its tool has seen it: another one runs. */
CANCEL_TEST(of_the_one_that_runs_inside_on_start)
{
    strike_at = '>';
    rig.on_event = cancel_runner;
    equal_calls("{\"ms\": 5}", 3);
    rig_run(&rig);
    expect_others(3, REEVE_CALL_SUCCEEDED, "run 1");
    cr_assert_eq(rig.calls[0].starts, 0);
    cr_assert_eq(rig.calls[1].on_start, 1);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig.calls[2].source, REEVE_SOURCE_SHARED);
}

CANCEL_TEST(of_the_one_that_runs_inside_its_start)
{
    static const struct {
        const char *arguments, *text;
        enum reeve_call_status status;
        unsigned runs;
    } rows[] = {
        {"{\"ms\": 5}", "run 1", REEVE_CALL_SUCCEEDED, 1},
        {"{}", "run 1", REEVE_CALL_SUCCEEDED, 1},
        {"{\"how\": \"fail\"}", "run 1", REEVE_CALL_FAILED, 1},
        {"{\"how\": \"refuse\"}", NULL, REEVE_CALL_FAILED, 1},
        {"{\"how\": \"stream\"}", "part 1, then run 1", REEVE_CALL_SUCCEEDED, 1},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_close(&rig);
        begin(rig.t);
        strike_at = '+';
        rig.on_event = cancel_runner;
        equal_calls(rows[i].arguments, 3);
        rig_run(&rig);
        expect_others(3, rows[i].status,
                      rows[i].text ? rows[i].text : reeve_error_text(REEVE_EBUSY));
        cr_assert_eq(rig.runs, rows[i].runs);
        cr_assert_eq(rig.calls[0].cancels, 0);
    }
}

/* The time limit is that of the run, whose call has its result. */
CANCEL_TEST(inside_its_start_of_one_that_never_ends)
{
    strike_at = '+';
    rig.on_event = cancel_runner;
    rig.options.timeout_ms = 40;
    equal_calls("{\"how\": \"cancel\"}", 3);
    rig_run(&rig);
    expect_others(3, REEVE_CALL_TIMED_OUT,
                  "The call was stopped: there was no result after 40 ms.");
    cr_assert_eq(rig.calls[0].cancels, 1);
}

CANCEL_TEST(of_the_one_that_runs_inside_on_retry)
{
    strike_at = '~';
    rig.on_event = cancel_runner;
    equal_calls("{\"tries\": 2}", 3);
    rig_run(&rig);
    expect_others(3, REEVE_CALL_SUCCEEDED, "run 3");
    cr_assert_eq(rig.calls[1].attempts, 2);
}

/* A try fails for those who are left: one of them tries on. */
CANCEL_TEST(before_a_try_fails)
{
    equal_calls("{\"ms\": 20, \"tries\": 2}", 3);
    rig_submit(&rig);
    rig_go_until(&rig, 10);
    rig_cancel(&rig, 0);
    rig_go(&rig);
    expect_others(3, REEVE_CALL_SUCCEEDED, "run 3");
    cr_assert_eq(rig.calls[0].cancels, 0);
}

static void finish_in_result(struct rig *of, char kind, size_t call)
{
    if (kind == '=' && call == 0)
        rig_finish(of, 0);
}

/* Or in the moment in which its own call hears of its cancel. */
CANCEL_TEST(before_a_try_ends_inside_on_result)
{
    static const char *const calls[] = {"{\"tries\": 2, \"ms\": 20}", "{\"ms\": 20}"};
    size_t i;

    for (i = 0; i < 2; i++) {
        end(rig.t);
        begin(rig.t);
        rig.on_event = finish_in_result;
        equal_calls(calls[i], 3);
        rig_submit(&rig);
        rig_go_until(&rig, 10);
        rig_cancel(&rig, 0);
        rig_go(&rig);
        expect_others(3, REEVE_CALL_SUCCEEDED, i ? "run 1" : "run 3");
        cr_assert_eq(rig.calls[0].cancels, 0);
    }
}

static void cancel_waiter_in_result(struct rig *of, char kind, size_t call)
{
    if (kind == '=' && call == 0)
        rig_cancel(of, 1);
}

/* The outcome is there, but not yet told to the others. */
CANCEL_TEST(of_one_that_is_about_to_be_told)
{
    rig.on_event = cancel_waiter_in_result;
    equal_calls("{\"ms\": 5}", 3);
    rig_run(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_CANCELED);
    cr_assert_eq(rig.calls[2].status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(rig.calls[0].cancels, 0);
}

/* ---- what runs for others --------------------------------------------------------------------
 */

/* The first is cancelled at 10 ms, and its run goes on. */
static void orphan(const char *arguments)
{
    equal_calls(arguments, 3);
    rig_submit(&rig);
    rig_go_until(&rig, 10);
    rig_cancel(&rig, 0);
    rig_go_until(&rig, 20);
    cr_assert_eq(rig.calls[0].on_result, 1);
    cr_assert_eq(rig.calls[0].cancels, 0);
    cr_assert_eq(rig.calls[1].on_result + rig.calls[2].on_result, 0);
}

CANCEL_TEST(what_runs_for_others_keeps_its_permit_and_its_time)
{
    rig.options.max_concurrency = 1;
    rig.options.timeout_ms = 40;
    rig.options.abandon_ms = 15;
    orphan("{\"how\": \"never\"}");
    rig_go(&rig);
    expect_others(3, REEVE_CALL_TIMED_OUT,
                  "The call was stopped: there was no result after 40 ms.");
    cr_assert_eq(rig.calls[1].result_ms, 40);
    cr_assert_eq(rig.calls[0].cancels, 1);
    cr_assert_str_eq(rig.log, "a+ a= a! b= c=");
    cr_assert_eq(rig.batches[0].stats.wall_us, 55000);
}

CANCEL_TEST(what_runs_for_others_holds_up_who_must_wait)
{
    size_t i;

    rig_call(&rig, "read", "{\"r\": \"a\", \"ms\": 50}");
    rig_call(&rig, "read", "{\"r\": \"a\", \"ms\": 50}");
    rig_call(&rig, "write", "{\"w\": \"a\"}");
    rig_submit(&rig);
    rig_go_until(&rig, 10);
    for (i = 0; i < 2; i++) {
        rig_cancel(&rig, i);
        rig_go_until(&rig, 20 + 10 * i);
        cr_assert_eq(rig.calls[0].cancels, i);
    }
    rig_go(&rig);
    cr_assert_eq(rig.calls[2].started_ms[0], 50);
}

CANCEL_TEST(a_batch_cancelled_tells_what_ran_for_others)
{
    orphan("{\"how\": \"cancel\"}");
    reeve_batch_cancel(rig.batches[0].batch);
    rig_go(&rig);
    expect_others(3, REEVE_CALL_CANCELED, rig.calls[2].text);
    cr_assert_eq(rig.calls[0].cancels, 1);
    cr_assert_str_eq(rig.log, "a+ a= b= c= a! a-");
}

CANCEL_TEST(a_toolbox_freed_tells_what_ran_for_others)
{
    orphan("{\"how\": \"cancel\"}");
    rig_free_toolbox(&rig);
    expect_others(3, REEVE_CALL_CANCELED, rig.calls[2].text);
    cr_assert_eq(rig.calls[0].cancels, 1);
    cr_assert(rv_list_empty(&rig.jobs));
}

/* read_file's reading ends with its toolbox, whoever it was for. */
static void count_done(struct reeve_batch *batch, int error, void *arg)
{
    (void)batch, (void)error;
    ++*(unsigned *)arg;
}

CANCEL_TEST(a_file_that_was_read_for_others_is_let_go)
{
    static const char path[] = "{\"path\": \"f\"}";
    struct reeve_call calls[2];
    struct reeve_batch *batch;
    unsigned done = 0;
    size_t i;

    cr_assert_eq(reeve_toolbox_add_files(rig.toolbox, "/anywhere"), 0);
    rv_sim_file_put(rig.files, "f", "text", 4);
    rv_sim_file_latency_ms(rig.files, 50);
    for (i = 0; i < 2; i++)
        calls[i] = (struct reeve_call){.id = i ? "2" : "1",
                                       .name = "read_file",
                                       .arguments = path,
                                       .arguments_len = strlen(path)};
    reeve_batch_options_init(&rig.options);
    rig.options.on_done = count_done;
    rig.options.arg = &done;
    cr_assert_eq(reeve_batch_run(rig.toolbox, calls, 2, &rig.options, &batch), 0);
    rig_go_until(&rig, 20);
    reeve_batch_cancel_call(batch, 0);
    rig_go_until(&rig, 21);
    cr_assert_eq(reeve_batch_result(batch, 0)->status, REEVE_CALL_CANCELED);
    cr_assert_gt(rv_sim_file_pending(rig.files), 0);
    rig_free_toolbox(&rig);
    cr_assert_eq(done, 1);
    cr_assert_eq(rv_sim_file_pending(rig.files), 0);
}

/* The time limit comes when the last one has gone in the same moment. */
CANCEL_TEST(the_last_one_may_go_when_the_time_is_over)
{
    rig.options.timeout_ms = 40;
    orphan("{\"how\": \"cancel\"}");
    rig_cancel(&rig, 1);
    rig_go_until(&rig, 39);
    rv_sim_advance_ns(rig.runtime, 1000000);
    rig_cancel(&rig, 2);
    rig_go(&rig);
    expect_others(3, REEVE_CALL_CANCELED, rig.calls[2].text);
    cr_assert_eq(rig.calls[0].cancels, 1);
    cr_assert_eq(rig.calls[0].released_ms, 40);
}
