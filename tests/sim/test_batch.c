/* SPDX-License-Identifier: MIT */
/* What a batch does when nobody interferes: order, overlap, limits, results, refusals, time. */
#include "tests/sim/lab.h"
#include "tests/sim/sim.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

/* Started when, in virtual ms since the lab was opened. */
static uint64_t started_ms(const struct lab *lab, size_t i)
{
    return (lab->record[i].started_ns - lab->opened_ns) / 1000000;
}

static uint64_t released_ms(const struct lab *lab, size_t i)
{
    return (lab->record[i].released_ns - lab->opened_ns) / 1000000;
}

#define ASSERT_RAN(lab, i, from, to)                                                               \
    do {                                                                                           \
        cr_assert_eq(started_ms(lab, i), from, "call %zu started at %lu", (size_t)(i),             \
                     (unsigned long)started_ms(lab, i));                                           \
        cr_assert_eq(released_ms(lab, i), to, "call %zu ended at %lu", (size_t)(i),                \
                     (unsigned long)released_ms(lab, i));                                          \
    } while (0)

RV_TEST(batch, guides_example_writes_in_order_then_reads_together)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "set", "{\"ms\": 50, \"path\": \"a.txt\"}");
    lab_call(&lab, "set", "{\"ms\": 50, \"path\": \"b.txt\"}");
    lab_call(&lab, "look", "{\"ms\": 50, \"path\": \"a.txt\"}");
    lab_call(&lab, "look", "{\"ms\": 50, \"path\": \"b.txt\"}");
    lab_run(&lab);
    ASSERT_RAN(&lab, 0, 0, 50);
    ASSERT_RAN(&lab, 1, 50, 100);
    ASSERT_RAN(&lab, 2, 100, 150);
    ASSERT_RAN(&lab, 3, 100, 150);
    cr_assert_eq(lab.stats.peak_running, 2);
    cr_assert_eq(lab.stats.sum_us, 200000);
    cr_assert_eq(lab.stats.wall_us, 150000);
    lab_close(&lab);
}

RV_TEST(batch, writes_first_puts_reads_given_earlier_behind_all_writes)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "set", "{\"ms\": 20}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "shell", "{\"ms\": 30}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    ASSERT_RAN(&lab, 1, 0, 20);
    ASSERT_RAN(&lab, 3, 20, 50);
    ASSERT_RAN(&lab, 0, 50, 60);
    ASSERT_RAN(&lab, 2, 50, 60);
    ASSERT_RAN(&lab, 4, 50, 60);
    lab_close(&lab);
}

RV_TEST(batch, writes_first_without_writes_is_parallel)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    for (i = 0; i < 5; i++)
        lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    for (i = 0; i < 5; i++)
        ASSERT_RAN(&lab, i, 0, 10);
    lab_close(&lab);
}

RV_TEST(batch, hazards_keep_the_order_around_writes)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_HAZARDS;
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 30}");
    lab_call(&lab, "set", "{\"ms\": 20}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 40}");
    lab_call(&lab, "shell", "{\"ms\": 5}");
    lab_call(&lab, "shell", "{\"ms\": 5}");
    lab_call(&lab, "look", "{\"ms\": 1}");
    lab_run(&lab);
    ASSERT_RAN(&lab, 0, 0, 10);
    ASSERT_RAN(&lab, 1, 0, 30);
    ASSERT_RAN(&lab, 2, 30, 50);
    ASSERT_RAN(&lab, 3, 50, 60);
    ASSERT_RAN(&lab, 4, 50, 90);
    ASSERT_RAN(&lab, 5, 90, 95);
    ASSERT_RAN(&lab, 6, 95, 100);
    ASSERT_RAN(&lab, 7, 100, 101);
    lab_close(&lab);
}

RV_TEST(batch, none_runs_all_together)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_NONE;
    for (i = 0; i < 4; i++)
        lab_call(&lab, i % 2 ? "set" : "shell", "{\"ms\": 10}");
    lab_run(&lab);
    for (i = 0; i < 4; i++)
        ASSERT_RAN(&lab, i, 0, 10);
    lab_close(&lab);
}

RV_TEST(batch, the_limit_is_kept_and_used, .timeout = 30)
{
    uint32_t limit;

    for (limit = 1; limit <= 64; limit++) {
        struct lab lab;
        size_t i;

        lab_open(&lab, t);
        lab.options.max_concurrency = limit;
        for (i = 0; i < 100; i++)
            lab_call(&lab, "look", "{\"ms\": 10}");
        lab_run(&lab);
        cr_assert_eq(lab.peak, limit);
        cr_assert_eq(lab.stats.peak_running, limit);
        for (i = 0; i < 100; i++)
            ASSERT_RAN(&lab, i, i / limit * 10, i / limit * 10 + 10);
        lab_close(&lab);
    }
}

RV_TEST(batch, readers_that_wait_for_a_writer_hold_no_permit)
{
    const enum reeve_grouping groupings[] = {REEVE_GROUPING_WRITES_FIRST, REEVE_GROUPING_HAZARDS};
    size_t g, i;

    for (g = 0; g < 2; g++) {
        struct lab lab;

        lab_open(&lab, t);
        lab.options.max_concurrency = 5;
        lab.options.grouping = groupings[g];
        lab_call(&lab, "set", "{\"ms\": 50, \"path\": \"a\"}");
        for (i = 0; i < 5; i++)
            lab_call(&lab, "look", "{\"ms\": 50, \"path\": \"a\"}");
        lab_run(&lab);
        for (i = 1; i <= 5; i++)
            ASSERT_RAN(&lab, i, 50, 100);
        lab_close(&lab);
    }
}

RV_TEST(batch, four_calls_of_50_ms_take_50_ms)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.max_concurrency = 4;
    for (i = 0; i < 4; i++)
        lab_call(&lab, "look", "{\"ms\": 50}");
    lab_run(&lab);
    cr_assert_eq(lab.stats.wall_us, 50000);
    cr_assert_eq(lab.stats.sum_us, 200000);
    lab_close(&lab);
}

RV_TEST(batch, results_stand_in_the_order_of_the_calls)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    for (i = 0; i < 5; i++)
        lab_call(&lab, "look", "{\"ms\": %zu%s}", 50 - i * 10, i == 2 ? ", \"how\": \"fail\"" : "");
    lab_run(&lab);
    for (i = 0; i < 5; i++) {
        char wanted[16];

        snprintf(wanted, sizeof wanted, "%s %zu", i == 2 ? "failed" : "did", i);
        cr_assert_str_eq(lab.text[i], wanted);
        cr_assert_eq(lab.status[i], i == 2 ? REEVE_CALL_FAILED : REEVE_CALL_SUCCEEDED);
        cr_assert(i == 0 || lab.record[i].on_result < lab.record[i - 1].on_result);
    }
    cr_assert_eq(lab.stats.succeeded, 4);
    cr_assert_eq(lab.stats.failed, 1);
    cr_assert_eq(lab.done_error, 0);
    lab_close(&lab);
}

RV_TEST(batch, a_failed_call_stops_nobody)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "set", "{\"how\": \"refuse\"}");
    lab_call(&lab, "set", "{\"ms\": 10, \"how\": \"fail\"}");
    lab_call(&lab, "set", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_FAILED);
    cr_assert_str_eq(lab.text[0], reeve_error_text(REEVE_EBUSY));
    cr_assert_eq(lab.status[1], REEVE_CALL_FAILED);
    ASSERT_RAN(&lab, 2, 10, 20);
    ASSERT_RAN(&lab, 3, 20, 30);
    cr_assert_eq(lab.record[0].canceled + lab.record[1].canceled, 0);
    lab_close(&lab);
}

RV_TEST(batch, finishing_inside_start_is_legal)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.max_concurrency = 1;
    for (i = 0; i < 100; i++)
        lab_call(&lab, i % 3 ? "look" : "set", "{}");
    lab_run(&lab);
    for (i = 0; i < 100; i++) {
        cr_assert_eq(lab.status[i], REEVE_CALL_SUCCEEDED);
        cr_assert_lt(lab.record[i].released, lab.record[i].on_result);
    }
    cr_assert_eq(lab.stats.wall_us, 0);
    lab_close(&lab);
}

RV_TEST(batch, an_empty_batch_completes)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_run(&lab);
    cr_assert_eq(lab.done_error, 0);
    cr_assert_eq(lab.stats.calls, 0);
    lab_close(&lab);
}

/* Refused calls say what a model can do about it, and wait for nobody. */
RV_TEST(batch, refusals_take_no_permit_and_help)
{
    struct lab lab;

    lab_open(&lab, t);
    cr_assert_eq(reeve_toolbox_enable(lab.toolbox, "shell", 0), 0);
    lab.options.max_concurrency = 1;
    lab_call(&lab, "look", "{\"ms\": 100}");
    lab_call(&lab, "see", "{}");
    lab_call(&lab, "shell", "{}");
    lab_call(&lab, "look", "{\"path\": ");
    lab_call(&lab, "look", "[1, 2]");
    lab_call(&lab, "look", "   ");
    lab_call(&lab, "look", "{\"path\" 1}");
    lab_run(&lab);
    cr_assert_eq(lab.status[1], REEVE_CALL_UNKNOWN);
    cr_assert_str_eq(lab.text[1], "There is no tool \"see\". The tools are: look, set.");
    cr_assert_eq(lab.status[2], REEVE_CALL_UNKNOWN);
    cr_assert_str_eq(lab.text[2], "The tool shell is switched off. The tools are: look, set.");
    cr_assert_eq(lab.status[3], REEVE_CALL_INVALID);
    cr_assert_eq(lab.status[4], REEVE_CALL_INVALID);
    cr_assert_str_eq(lab.text[4], "The arguments of look must be one JSON object, but they are of "
                                  "the type array.");
    cr_assert_eq(lab.status[5], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.status[6], REEVE_CALL_INVALID);
    cr_assert_not_null(strstr(lab.text[6], "not JSON"));
    cr_assert_not_null(strstr(lab.text[6], "byte 8"), "%s", lab.text[6]);
    for (size_t i = 1; i < 7; i++)
        cr_assert_eq(lab.record[i].on_result < lab.record[0].released, i != 5);
    cr_assert_eq(lab.stats.failed, 5);
    cr_assert_eq(lab.stats.peak_running, 1);
    lab_close(&lab);
}

RV_TEST(batch, a_tool_switched_off_while_its_call_waits_is_not_started)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "set", "{\"ms\": 10}");
    lab_call(&lab, "look", "{}");
    lab_submit(&lab);
    lab_go_until(&lab, 5);
    cr_assert_eq(reeve_toolbox_enable(lab.toolbox, "look", 0), 0);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.status[1], REEVE_CALL_UNKNOWN);
    cr_assert_eq(lab.record[1].started, 0);
    lab_close(&lab);
}

RV_TEST(batch, time_limit_counts_from_the_start_of_each_call)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.max_concurrency = 1;
    lab.options.timeout_ms = 100;
    for (i = 0; i < 5; i++)
        lab_call(&lab, "look", "{\"ms\": 80}");
    lab_run(&lab);
    cr_assert_eq(lab.stats.succeeded, 5);
    cr_assert_eq(lab.stats.wall_us, 400000);
    lab_close(&lab);
}

RV_TEST(batch, a_late_call_is_timed_out_and_keeps_permit_and_place_until_it_ends)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.timeout_ms = 100;
    lab_call(&lab, "set", "{\"ms\": 300}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_TIMED_OUT);
    cr_assert_str_eq(lab.text[0], "The call was stopped: there was no result after 100 ms.");
    cr_assert_eq(lab.record[0].canceled, 1);
    cr_assert_eq(lab.stats.failed, 1);
    cr_assert_eq(lab.stats.sum_us, 100000 + 10000);
    ASSERT_RAN(&lab, 1, 300, 310);
    lab_close(&lab);
}

/* The host takes its time over the first result. */
static void linger(struct lab *lab)
{
    if (lab->record[0].on_result == lab->events)
        rv_sim_advance_ns(lab->runtime, 5000000);
}

RV_TEST(batch, what_a_host_does_in_on_result_is_no_calls_time)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.max_concurrency = 1;
    lab_call(&lab, "look", "{\"ms\": 0}");
    lab_call(&lab, "look", "{\"ms\": 0}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab.on_event = linger;
    lab_run(&lab);
    cr_assert_eq(lab.stats.sum_us, 10000);
    cr_assert_eq(lab.ended_us[1], 5000);
    lab_close(&lab);
}

RV_TEST(batch, a_tool_may_finish_inside_its_cancel)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.timeout_ms = 100;
    lab_call(&lab, "set", "{\"how\": \"on_cancel\"}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_TIMED_OUT);
    ASSERT_RAN(&lab, 0, 0, 100);
    ASSERT_RAN(&lab, 1, 100, 110);
    lab_close(&lab);
}

RV_TEST(batch, a_call_that_never_ends_is_abandoned)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.timeout_ms = 100;
    lab.options.max_concurrency = 1;
    lab_call(&lab, "set", "{\"how\": \"never\"}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_run(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_TIMED_OUT);
    cr_assert_eq(lab.record[0].canceled, 1);
    ASSERT_RAN(&lab, 1, 5100, 5110);
    cr_assert_eq(lab.stats.wall_us, 5110000);
    cr_assert_eq(lab.record[0].released, 0);
    lab_close(&lab); /* finishes it, after batch and runtime */
}

RV_TEST(batch, without_patience_a_late_call_is_abandoned_at_once)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.timeout_ms = 100;
    lab.options.abandon_ms = 0;
    lab_call(&lab, "set", "{\"ms\": 150}");
    lab_call(&lab, "look", "{\"ms\": 100}");
    lab_run(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_TIMED_OUT);
    ASSERT_RAN(&lab, 0, 0, 150);
    ASSERT_RAN(&lab, 1, 100, 200);
    lab_close(&lab);
}

RV_TEST(batch, without_a_time_limit_a_call_may_take_a_week)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.timeout_ms = 0;
    lab_call(&lab, "set", "{\"ms\": 604800000}");
    lab_run(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_SUCCEEDED);
    lab_close(&lab);
}

RV_TEST(batch, what_makes_no_sense_is_refused)
{
    const struct reeve_call good = {.id = "1", .name = "look"};
    struct reeve_batch_options options;
    struct reeve_call calls[2] = {good, good};
    struct reeve_batch *batch = NULL;
    struct lab lab;

    lab_open(&lab, t);
    options = lab.options;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, NULL, &batch), REEVE_EINVAL);
    cr_assert_eq(reeve_batch_run(NULL, calls, 2, &options, &batch), REEVE_EINVAL);
    cr_assert_eq(reeve_batch_run(lab.toolbox, NULL, 2, &options, &batch), REEVE_EINVAL);
    options.max_concurrency = 0;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &options, &batch), REEVE_EINVAL);
    options = lab.options;
    options.on_done = NULL;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &options, &batch), REEVE_EINVAL);
    options = lab.options;
    options.max_output_bytes = 255;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &options, &batch), REEVE_EINVAL);
    options = lab.options;
    options.grouping = (enum reeve_grouping)3;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &options, &batch), REEVE_EINVAL);
    options = lab.options;
    options.size = 0;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &options, &batch), REEVE_EINVAL);
    calls[1].id = NULL;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &lab.options, &batch), REEVE_EINVAL);
    calls[1] = good;
    calls[1].name = "";
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &lab.options, &batch), REEVE_EINVAL);
    calls[1] = good;
    calls[1].arguments_len = 2;
    cr_assert_eq(reeve_batch_run(lab.toolbox, calls, 2, &lab.options, &batch), REEVE_EINVAL);
    cr_assert_null(batch);
    lab_go(&lab);
    cr_assert_eq(lab.events, 0);
    lab_close(&lab);
}

/* What a caller built against an older, shorter struct gets. */
RV_TEST(batch, options_and_figures_of_an_older_size_work)
{
    struct reeve_batch_stats stats = {.size = offsetof(struct reeve_batch_stats, peak_running)};
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "look", "{\"ms\": 1}");
    lab_submit(&lab);
    stats.peak_running = 77;
    cr_assert_eq(reeve_batch_stats(lab.batch, &stats), 0);
    cr_assert_eq(stats.calls, 1);
    cr_assert_eq(stats.peak_running, 77);
    cr_assert_eq(stats.size, offsetof(struct reeve_batch_stats, peak_running));
    stats.size = 0;
    cr_assert_eq(reeve_batch_stats(lab.batch, &stats), REEVE_EINVAL);
    lab_go(&lab);
    lab_close(&lab);
}
