/* SPDX-License-Identifier: MIT */
/* Results that come bit by bit, and figures. */
#include "tests/sim/lab.h"

#include <reeve/error.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tool of the test's own, whose calls it holds. */
static struct reeve_tool_call *held[4];
static size_t held_count;

static int hold(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    held[held_count++] = call;
    return 0;
}

static void add_hold(struct lab *lab)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "hold";
    tool.start = hold;
    tool.effect = REEVE_EFFECT_READ;
    held_count = 0;
    cr_assert_eq(reeve_toolbox_add(lab->toolbox, &tool), 0);
}

static void open_held(struct lab *lab, struct rv_test *t)
{
    lab_open(lab, t);
    add_hold(lab);
    lab_call(lab, "hold", "{}");
}

static void submit_held(struct lab *lab)
{
    lab_submit(lab);
    lab_go_until(lab, 1);
    cr_assert_gt(held_count, 0);
}

RV_TEST(writing, is_heard_as_it_comes_and_begins_the_result)
{
    struct lab lab;

    open_held(&lab, t);
    submit_held(&lab);
    reeve_tool_call_write(held[0], "one ", 4);
    reeve_tool_call_write(held[0], "two\xE2", 4);
    cr_assert_eq(lab.record[0].on_output, 0, "not from inside the writing");
    lab_go_until(&lab, 2);
    cr_assert_str_eq(lab.record[0].heard, "one two");
    reeve_tool_call_write(held[0], "\x82", 1);
    lab_go_until(&lab, 3);
    cr_assert_str_eq(lab.record[0].heard, "one two");
    reeve_tool_call_write(held[0], "\xAC", 1);
    reeve_tool_call_write(held[0], NULL, 0);
    lab_go_until(&lab, 4);
    cr_assert_str_eq(lab.record[0].heard, "one two\xE2\x82\xAC");
    reeve_tool_call_write(held[0], " last", 5);
    reeve_tool_call_finish(held[0], " end", 4);
    lab_go(&lab);
    cr_assert_str_eq(lab.record[0].heard, "one two\xE2\x82\xAC last", "what was written is heard");
    cr_assert_lt(lab.record[0].on_output, lab.record[0].on_result);
    cr_assert_str_eq(lab.text[0], "one two\xE2\x82\xAC last end");
    lab_close(&lab);
}

RV_TEST(writing, that_is_not_utf8_is_repaired_across_the_pieces)
{
    static const char bytes[] = "a\xF0\x9F\x98\x80\xE2\x82z\x80\xF0\x9F";
    struct lab lab;
    size_t i;

    open_held(&lab, t);
    submit_held(&lab);
    for (i = 0; i < sizeof bytes - 1; i++) {
        reeve_tool_call_write(held[0], &bytes[i], 1);
        lab_go_until(&lab, i + 2);
    }
    reeve_tool_call_fail(held[0], 0, "", 0);
    lab_go(&lab);
    cr_assert_str_eq(lab.text[0], "a\xF0\x9F\x98\x80\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
    cr_assert_str_eq(lab.record[0].heard, lab.text[0]);
    cr_assert_eq(lab.status[0], REEVE_CALL_FAILED);
    lab_close(&lab);
}

/* A hundred megabytes go through, and the memory is that of the cap. */
RV_TEST(writing, is_bounded_by_the_cap, .timeout = 60)
{
    static char piece[65536];
    struct lab lab;
    size_t before;
    int i;

    memset(piece, 'm', sizeof piece);
    open_held(&lab, t);
    lab.options.max_output_bytes = 100000;
    submit_held(&lab);
    before = t->failing.live_bytes;
    reeve_tool_call_write(held[0], "head", 4);
    for (i = 0; i < 1600; i++)
        reeve_tool_call_write(held[0], piece, sizeof piece);
    lab_go_until(&lab, 2);
    cr_assert_eq(strncmp(lab.record[0].heard, "headm", 5), 0);
    for (i = 0; i < 10; i++)
        reeve_tool_call_write(held[0], piece, sizeof piece);
    reeve_tool_call_write(held[0], "tail", 4);
    cr_assert_leq(t->failing.live_bytes - before, 2 * (100000 + 12) + 4096);
    reeve_tool_call_finish(held[0], " end", 4);
    lab_go(&lab);
    cr_assert_leq(t->failing.peak_bytes, before + 4 * 100000 + 8192);
    cr_assert_eq(strncmp(lab.text[0], "headm", 5), 0);
    lab_close(&lab);
}

/* The same bytes written and given at the end have the same result. */
static void check_ends(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *whole = reeve_batch_result(batch, 0);
    const struct reeve_result *written = reeve_batch_result(batch, 1);
    struct lab *lab = arg;

    cr_assert_eq(error, 0);
    cr_assert_eq(whole->len, written->len);
    cr_assert_eq(memcmp(whole->text, written->text, whole->len + 1), 0);
    cr_assert_not_null(strstr(whole->text, " bytes left out ...]"));
    lab->done++;
}

RV_TEST(writing, keeps_what_a_whole_text_would_keep)
{
    static char text[3000];
    struct lab lab;
    size_t i;

    for (i = 0; i < sizeof text; i++)
        text[i] = "0123456789\xC3\xA4\xFF"[i % 13];
    open_held(&lab, t);
    lab_call(&lab, "hold", "{}");
    lab.options.max_output_bytes = 300;
    lab.options.on_done = check_ends;
    submit_held(&lab);
    for (i = 0; i + 7 < sizeof text; i += 7)
        reeve_tool_call_write(held[1], text + i, 7);
    reeve_tool_call_finish(held[0], text, sizeof text);
    reeve_tool_call_finish(held[1], text + i, sizeof text - i);
    lab_go(&lab);
    cr_assert_eq(lab.done, 1);
    lab_close(&lab);
}

RV_TEST(writing, before_a_time_limit_is_kept_and_after_it_dropped)
{
    struct lab lab;

    open_held(&lab, t);
    lab.options.timeout_ms = 10;
    submit_held(&lab);
    reeve_tool_call_write(held[0], "so far", 6);
    lab_go_until(&lab, 20);
    cr_assert_neq(lab.record[0].on_result, 0);
    reeve_tool_call_write(held[0], " and more", 9);
    reeve_tool_call_finish(held[0], "end", 3);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_TIMED_OUT);
    cr_assert_str_eq(lab.text[0], "so far\nThe call was stopped: there was no result after 10 ms.");
    cr_assert_str_eq(lab.record[0].heard, "so far");
    lab_close(&lab);
}

RV_TEST(writing, before_a_cancel_is_kept_and_after_it_dropped)
{
    struct lab lab;

    open_held(&lab, t);
    submit_held(&lab);
    reeve_tool_call_write(held[0], "so far\xC3", 7);
    reeve_batch_cancel_call(lab.batch, 0);
    reeve_tool_call_write(held[0], "\xA4 and more", 10);
    lab_go_until(&lab, 5);
    cr_assert_str_eq(lab.record[0].heard, "so far\xEF\xBF\xBD");
    reeve_tool_call_write(held[0], "more", 4);
    reeve_tool_call_finish(held[0], "end", 3);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_CANCELED);
    cr_assert_str_eq(lab.text[0],
                     "so far\xEF\xBF\xBD\nThe call was cancelled while it ran. What it "
                     "did until then is unknown.");
    lab_close(&lab);
}

RV_TEST(writing, after_batch_toolbox_and_runtime_is_dropped)
{
    struct lab lab;

    open_held(&lab, t);
    submit_held(&lab);
    reeve_tool_call_write(held[0], "one", 3);
    lab_free_toolbox(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_CANCELED);
    cr_assert_eq(strncmp(lab.text[0], "one\n", 4), 0);
    reeve_tool_call_write(held[0], "two", 3);
    lab_close(&lab);
    reeve_tool_call_write(held[0], "three", 5);
    reeve_tool_call_finish(held[0], "end", 3);
}

RV_TEST(writing, after_the_finish_is_asserted_against, .signal = SIGABRT)
{
    struct lab lab;

    lab_open(&lab, t);
    add_hold(&lab);
    lab_call(&lab, "hold", "{}");
    lab_call(&lab, "look", "{\"ms\": 100}");
    submit_held(&lab);
    reeve_tool_call_finish(held[0], "", 0);
    reeve_tool_call_write(held[0], "x", 1);
}

RV_TEST(writing, without_a_listener_is_a_part_of_the_result)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.on_output = NULL;
    lab_call(&lab, "look", "{\"how\": \"write\", \"ms\": 3}");
    lab_call(&lab, "look", "{\"how\": \"write\"}");
    lab_run(&lab);
    cr_assert_str_eq(lab.text[0], "half \xC3\xA4 did 0");
    cr_assert_str_eq(lab.text[1], "half \xC3\xA4 did 1");
    lab_close(&lab);
}

/* A start that fails has a result of its own. */
static int write_and_fail(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_write(call, "tried", 5);
    return REEVE_EBUSY;
}

RV_TEST(writing, in_a_start_that_fails_is_heard_only)
{
    struct reeve_tool tool;
    struct lab lab;

    lab_open(&lab, t);
    reeve_tool_init(&tool);
    tool.name = "own";
    tool.start = write_and_fail;
    cr_assert_eq(reeve_toolbox_add(lab.toolbox, &tool), 0);
    lab_call(&lab, "own", "{}");
    lab.options.on_output = NULL;
    lab_run(&lab);
    cr_assert_str_eq(lab.text[0], reeve_error_text(REEVE_EBUSY));
    lab_close(&lab);
}

static struct reeve_tool_stats stats_of(const struct lab *lab, const char *name)
{
    struct reeve_tool_stats stats = {.size = sizeof stats};

    cr_assert_eq(reeve_toolbox_stats(lab->toolbox, name, &stats), 0);
    cr_assert_eq(stats.calls, stats.succeeded + stats.failed + stats.canceled + stats.refused);
    return stats;
}

static void add_up(struct reeve_tool_stats *sum, const struct reeve_tool_stats *stats)
{
    sum->calls += stats->calls;
    sum->succeeded += stats->succeeded;
    sum->failed += stats->failed;
    sum->canceled += stats->canceled;
    sum->refused += stats->refused;
    sum->time_us += stats->time_us;
}

RV_TEST(figures, of_tools_and_of_all_add_up)
{
    struct reeve_tool_stats sum = {.size = 0}, all, look;
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_NONE;
    lab.options.timeout_ms = 100;
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 30}");
    lab_call(&lab, "look", "{\"ms\": 20, \"how\": \"fail\"}");
    lab_call(&lab, "set", "{\"ms\": 130}");
    lab_call(&lab, "shell", "{}");
    lab_call(&lab, "nothing", "{}");
    lab_call(&lab, "look", "[]");
    lab_call(&lab, "look", "{\"ms\": 500}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    reeve_batch_cancel_call(lab.batch, 7);
    while (lab.questions < 5) {
        lab_go_until(&lab, lab.questions);
        if (lab.asked != LAB_NOBODY)
            lab_answer(&lab, lab.asked == 4 ? REEVE_PERMISSION_REFUSE : REEVE_PERMISSION_ALLOW,
                       "no");
    }
    lab_go(&lab);
    look = stats_of(&lab, "look");
    cr_assert_eq(look.calls, 5);
    cr_assert_eq(look.succeeded, 2);
    cr_assert_eq(look.failed, 2);
    cr_assert_eq(look.canceled, 1);
    cr_assert_eq(look.time_us, 60000);
    cr_assert_eq(look.longest_us, 30000);
    cr_assert_eq(stats_of(&lab, "set").failed, 1);
    cr_assert_eq(stats_of(&lab, "set").time_us, 100000);
    cr_assert_eq(stats_of(&lab, "shell").refused, 1);
    add_up(&sum, &look);
    sum.calls++; /* of the tool that does not exist */
    sum.failed++;
    look = stats_of(&lab, "set");
    add_up(&sum, &look);
    look = stats_of(&lab, "shell");
    add_up(&sum, &look);
    all = stats_of(&lab, NULL);
    cr_assert_eq(all.calls, 8);
    cr_assert_eq(all.calls, sum.calls);
    cr_assert_eq(all.succeeded, sum.succeeded);
    cr_assert_eq(all.failed, sum.failed);
    cr_assert_eq(all.canceled, sum.canceled);
    cr_assert_eq(all.refused, sum.refused);
    cr_assert_eq(all.time_us, sum.time_us);
    cr_assert_eq(all.time_us, lab.stats.sum_us);
    cr_assert_eq(all.longest_us, 100000);
    lab_close(&lab);
}

RV_TEST(figures, of_an_older_size_and_of_nobody)
{
    struct reeve_tool_stats stats = {.size = offsetof(struct reeve_tool_stats, time_us)};
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    stats.time_us = 77;
    cr_assert_eq(reeve_toolbox_stats(lab.toolbox, "look", &stats), 0);
    cr_assert_eq(stats.calls, 1);
    cr_assert_eq(stats.time_us, 77);
    cr_assert_eq(reeve_toolbox_stats(lab.toolbox, "nothing", &stats), REEVE_ENOTFOUND);
    cr_assert_eq(reeve_toolbox_stats(lab.toolbox, "look", NULL), REEVE_EINVAL);
    stats.size = 0;
    cr_assert_eq(reeve_toolbox_stats(lab.toolbox, "look", &stats), REEVE_EINVAL);
    lab_close(&lab);
}

RV_TEST(figures, tell_the_speedup_against_one_after_the_other)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.max_concurrency = 4;
    for (i = 0; i < 8; i++)
        lab_call(&lab, "look", "{\"ms\": 50}");
    lab_run(&lab);
    cr_assert_eq(lab.stats.sum_us, 400000);
    cr_assert_eq(lab.stats.wall_us, 100000);
    cr_assert_float_eq(lab.stats.speedup, 4.0, 1e-9);
    cr_assert_eq(lab.stats.peak_running, 4);
    lab_close(&lab);
    lab_open(&lab, t);
    lab_run(&lab);
    cr_assert_float_eq(lab.stats.speedup, 1.0, 1e-9);
    lab_close(&lab);
}
