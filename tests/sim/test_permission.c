/* SPDX-License-Identifier: MIT */
/* Batches whose host is asked: who, when, and what comes of each answer. */
#include "tests/sim/lab.h"

#include "tool/batch.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

static uint64_t started_ms(const struct lab *lab, size_t i)
{
    return (lab->record[i].started_ns - lab->opened_ns) / 1000000;
}

static bool was_asked(const struct lab *lab, size_t i)
{
    return lab->record[i].on_permission != 0;
}

RV_TEST(permission, is_asked_one_at_a_time_in_the_order_of_the_calls)
{
    const enum reeve_grouping groupings[] = {REEVE_GROUPING_WRITES_FIRST, REEVE_GROUPING_HAZARDS,
                                             REEVE_GROUPING_NONE};
    size_t g, i;

    for (g = 0; g < 3; g++) {
        struct lab lab;

        lab_open(&lab, t);
        lab.options.grouping = groupings[g];
        lab_call(&lab, "look", "{\"ms\": 5}");
        lab_call(&lab, "set", "{\"ms\": 5}");
        lab_call(&lab, "look", "{}");
        lab_call(&lab, "shell", "{}");
        lab_call(&lab, "look", "{\"ms\": 5}");
        lab_call(&lab, "set", "{}");
        lab_ask(&lab, LAB_SAYS_NOTHING);
        lab_submit(&lab);
        for (i = 0; i < 6; i++) {
            lab_go_until(&lab, 100 * (i + 1));
            cr_assert_eq(lab.asked, i, "call %zu is asked about, not %zu", lab.asked, i);
            cr_assert_eq(lab.questions, i + 1);
            cr_assert_eq(lab.record[i].started, 0);
            lab_answer(&lab, REEVE_PERMISSION_ALLOW, "not used");
        }
        lab_go(&lab);
        cr_assert_eq(lab.stats.succeeded, 6);
        lab_close(&lab);
    }
}

RV_TEST(permission, only_good_calls_are_asked_about)
{
    struct lab lab;

    lab_open(&lab, t);
    cr_assert_eq(reeve_toolbox_enable(lab.toolbox, "shell", 0), 0);
    lab_call(&lab, "nothing", "{}");
    lab_call(&lab, "look", "[]");
    lab_call(&lab, "shell", "{}");
    lab_call(&lab, "look", "{\"ms\"");
    lab_call(&lab, "look", "{}");
    lab_ask(&lab, LAB_ALLOWS);
    lab_run(&lab);
    cr_assert_eq(lab.questions, 1);
    cr_assert(was_asked(&lab, 4));
    lab_close(&lab);
}

/* The call is shown as its tool will see it. */
static void show(struct reeve_batch *batch, size_t index, const struct reeve_tool_call *call,
                 void *arg)
{
    struct lab *lab = arg;
    int64_t ms = 0;

    lab->questions++;
    cr_assert_str_eq(reeve_tool_call_name(call), "set");
    cr_assert_str_eq(reeve_tool_call_id(call), "c0");
    cr_assert_eq(reeve_json_int64(reeve_json_get(reeve_tool_call_arguments(call), "ms"), &ms), 0);
    cr_assert_eq(ms, 17);
    cr_assert_eq(reeve_tool_call_context(call), lab);
    reeve_batch_permit(batch, index, REEVE_PERMISSION_ALLOW, NULL);
}

RV_TEST(permission, shows_the_call)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.on_permission = show;
    lab.options.context = &lab;
    lab_call(&lab, "set", "{\"ms\": 17}");
    lab_run(&lab);
    cr_assert_eq(lab.questions, 1);
    cr_assert_eq(lab.stats.succeeded, 1);
    lab_close(&lab);
}

RV_TEST(permission, refused_calls_have_a_result_that_says_why)
{
    char reason[400];
    struct lab lab;

    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    lab_open(&lab, t);
    lab.options.max_output_bytes = 256;
    lab_call(&lab, "set", "{}");
    lab_call(&lab, "look", "{}");
    lab_call(&lab, "shell", "{}");
    lab_call(&lab, "look", "{}");
    lab_call(&lab, "look", "{}");
    lab.options.grouping = REEVE_GROUPING_NONE;
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    lab_answer(&lab, REEVE_PERMISSION_REFUSE, "not on a Sunday");
    lab_go_until(&lab, 20);
    lab_answer(&lab, REEVE_PERMISSION_REFUSE, NULL);
    lab_go_until(&lab, 30);
    lab_answer(&lab, REEVE_PERMISSION_REFUSE, reason);
    lab_go_until(&lab, 40);
    lab_answer(&lab, REEVE_PERMISSION_REFUSE, "\xFFgo");
    lab_go_until(&lab, 50);
    lab_answer(&lab, (enum reeve_permission)17, "");
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_REFUSED);
    cr_assert_str_eq(lab.text[0], "The call of set was refused: not on a Sunday");
    cr_assert_eq(lab.ended_us[0], 10000);
    cr_assert_str_eq(lab.text[1], "The call of look was refused, and nothing was done. Do not try "
                                  "the same again.");
    cr_assert_not_null(strstr(lab.text[2], "The call of shell was refused: xxx"));
    cr_assert_str_eq(lab.text[3], "The call of look was refused: \xEF\xBF\xBDgo");
    cr_assert_eq(lab.status[4], REEVE_CALL_REFUSED, "what is no answer is no permission");
    cr_assert_eq(lab.stats.refused, 5);
    cr_assert_eq(lab.stats.failed + lab.stats.succeeded + lab.stats.canceled, 0);
    cr_assert_str_eq(reeve_call_status_name(REEVE_CALL_REFUSED), "refused");
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(lab.record[i].started + lab.record[i].on_start, 0);
    lab_close(&lab);
}

RV_TEST(permission, dependents_of_a_refused_call_run_all_the_same)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_HAZARDS;
    lab_call(&lab, "set", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    lab_go_until(&lab, 30);
    lab_answer(&lab, REEVE_PERMISSION_REFUSE, "no");
    lab_go_until(&lab, 40);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_REFUSED);
    cr_assert_eq(lab.status[1], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(started_ms(&lab, 1), 40);
    lab_close(&lab);
}

/* With one permit, a call that is asked about does not keep another from running; and a call that
 * stands behind it in the order waits, whatever the host takes to answer. */
RV_TEST(permission, takes_no_permit_but_keeps_its_place)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_HAZARDS;
    lab.options.max_concurrency = 1;
    lab.options.timeout_ms = 100;
    lab_call(&lab, "look", "{\"ms\": 90}");
    lab_call(&lab, "look", "{\"ms\": 90}");
    lab_call(&lab, "set", "{\"ms\": 90}");
    lab_call(&lab, "look", "{\"ms\": 90}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go_until(&lab, 20);
    cr_assert_neq(lab.record[0].started, 0);
    cr_assert_eq(lab.asked, 1, "the next question comes while the first call runs");
    lab_go_until(&lab, 30);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go_until(&lab, 1000);
    cr_assert_eq(started_ms(&lab, 1), 100);
    cr_assert_eq(lab.record[3].started, 0, "it would overtake the write");
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go_until(&lab, 1200);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go(&lab);
    cr_assert_eq(started_ms(&lab, 2), 1000);
    cr_assert_eq(started_ms(&lab, 3), 1200);
    cr_assert_eq(lab.stats.succeeded, 4, "the time limit runs from the permit");
    cr_assert_eq(lab.stats.peak_running, 1);
    cr_assert_eq(lab.stats.sum_us, 4 * 90000);
    lab_close(&lab);
}

RV_TEST(permission, always_is_for_the_tool)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_NONE;
    lab_call(&lab, "look", "{\"ms\": 1}");
    lab_call(&lab, "set", "{}");
    lab_call(&lab, "look", "{\"ms\": 2}");
    lab_call(&lab, "set", "{}");
    lab_call(&lab, "look", "{\"ms\": 3}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    for (i = 0; i < 3; i++) {
        lab_go_until(&lab, i + 1);
        lab_answer(&lab, i ? REEVE_PERMISSION_ALLOW : REEVE_PERMISSION_ALWAYS, NULL);
    }
    lab_go(&lab);
    cr_assert_eq(lab.questions, 3);
    cr_assert(was_asked(&lab, 0) && was_asked(&lab, 1) && was_asked(&lab, 3));
    cr_assert_eq(lab.stats.succeeded, 5);
    lab_close(&lab);
}

RV_TEST(permission, always_is_for_the_very_same_command)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab_call(&lab, "shell", "{\"command\": \"make\"}");
    lab_call(&lab, "shell", "{\"command\": \"make clean\"}");
    lab_call(&lab, "shell", "{ \"command\":\"make\" }");
    lab_call(&lab, "shell", "{\"command\": \"make \"}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    for (i = 0; i < 3; i++) {
        lab_go_until(&lab, i + 1);
        lab_answer(&lab, i ? REEVE_PERMISSION_REFUSE : REEVE_PERMISSION_ALWAYS, "no");
    }
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.status[1], REEVE_CALL_REFUSED);
    cr_assert_eq(lab.status[2], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.status[3], REEVE_CALL_REFUSED);
    lab_close(&lab);
}

/* An owner of several batches has grants that last longer than each. */
RV_TEST(permission, always_may_last_over_batches)
{
    struct rv_grants grants;
    unsigned round;

    rv_grants_init(&grants, t->mem);
    for (round = 0; round < 3; round++) {
        struct lab lab;

        lab_open(&lab, t);
        lab_call(&lab, "set", "{}");
        lab_ask(&lab, LAB_SAYS_NOTHING);
        lab_submit(&lab);
        if (round < 2)
            rv_batch_use_grants(lab.batch, &grants);
        lab_go_until(&lab, 1);
        cr_assert_eq(lab.questions, round == 1 ? 0 : 1, "round %u", round);
        if (lab.questions)
            lab_answer(&lab, REEVE_PERMISSION_ALWAYS, NULL);
        lab_go(&lab);
        cr_assert_eq(lab.stats.succeeded, 1);
        lab_close(&lab);
    }
    cr_assert_eq(rv_map_count(&grants.map), 1);
    rv_grants_done(&grants);
}

RV_TEST(permission, only_the_first_answer_to_the_open_question_counts)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_NONE;
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_call(&lab, "set", "{\"ms\": 50}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    reeve_batch_permit(lab.batch, 0, REEVE_PERMISSION_REFUSE, "too early");
    lab_go_until(&lab, 10);
    reeve_batch_permit(lab.batch, 1, REEVE_PERMISSION_REFUSE, "not asked");
    reeve_batch_permit(lab.batch, 3, REEVE_PERMISSION_REFUSE, "no such call");
    reeve_batch_permit(lab.batch, SIZE_MAX, REEVE_PERMISSION_REFUSE, "no such call");
    cr_assert_eq(lab.record[0].started, 0);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    reeve_batch_permit(lab.batch, 0, REEVE_PERMISSION_REFUSE, "too late");
    cr_assert_eq(lab.record[0].started, 0, "nothing is called from inside an answer");
    lab_go_until(&lab, 20);
    reeve_batch_permit(lab.batch, 0, REEVE_PERMISSION_REFUSE, "too late");
    lab_answer(&lab, REEVE_PERMISSION_REFUSE, "no");
    cr_assert_eq(lab.record[1].on_result, 0, "nothing is called from inside an answer");
    reeve_batch_permit(lab.batch, 1, REEVE_PERMISSION_ALLOW, "too late");
    lab_go_until(&lab, 30);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.status[1], REEVE_CALL_REFUSED);
    cr_assert_eq(lab.status[2], REEVE_CALL_SUCCEEDED);
    lab_close(&lab);
}

RV_TEST(permission, answers_inside_the_question_do_not_nest)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    for (i = 0; i < 100; i++)
        lab_call(&lab, i % 3 ? "look" : "set", "{}");
    lab_ask(&lab, LAB_MIXED);
    lab_run(&lab);
    for (i = 0; i < 100; i++)
        if (was_asked(&lab, i))
            cr_assert_eq(lab.status[i], lab_mixed_answer(i) == REEVE_PERMISSION_REFUSE
                                            ? REEVE_CALL_REFUSED
                                            : REEVE_CALL_SUCCEEDED);
    cr_assert_gt(lab.stats.refused, 0);
    lab_close(&lab);
}

RV_TEST(permission, a_cancel_makes_the_question_void)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_HAZARDS;
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_call(&lab, "look", "{\"ms\": 10}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_batch_cancel_call(lab.batch, 2); /* it stands in the queue of questions */
    reeve_batch_cancel_call(lab.batch, 0); /* this question is open */
    reeve_batch_permit(lab.batch, 0, REEVE_PERMISSION_ALLOW, NULL);
    cr_assert_eq(lab.record[0].on_result, 0);
    lab_go_until(&lab, 20);
    cr_assert_neq(lab.record[0].on_result, 0);
    cr_assert_eq(lab.asked, 1);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go_until(&lab, 21);
    cr_assert_eq(lab.asked, 3);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_CANCELED);
    cr_assert_eq(lab.status[1], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.status[2], REEVE_CALL_CANCELED);
    cr_assert_eq(lab.status[3], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.record[0].started + lab.record[2].started, 0);
    lab_close(&lab);
}

RV_TEST(permission, an_answer_after_the_cancel_of_the_batch_changes_nothing)
{
    struct lab lab;

    lab_open(&lab, t);
    lab_call(&lab, "set", "{}");
    lab_call(&lab, "set", "{}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_batch_cancel(lab.batch);
    reeve_batch_permit(lab.batch, 0, REEVE_PERMISSION_REFUSE, "too late");
    lab_go(&lab);
    cr_assert_eq(lab.done_error, REEVE_ECANCELED);
    cr_assert_eq(lab.stats.canceled, 2);
    cr_assert_eq(lab.questions, 1);
    lab_close(&lab);
}

RV_TEST(permission, the_toolbox_and_the_runtime_may_end_while_a_question_is_open)
{
    int runtime;

    for (runtime = 0; runtime < 2; runtime++) {
        struct lab lab;

        lab_open(&lab, t);
        lab_call(&lab, "set", "{}");
        lab_call(&lab, "look", "{}");
        lab_ask(&lab, LAB_SAYS_NOTHING);
        lab_submit(&lab);
        lab_go_until(&lab, 10);
        cr_assert_eq(lab.asked, 0);
        if (runtime)
            lab_free_runtime(&lab);
        else
            lab_free_toolbox(&lab);
        cr_assert_eq(lab.done, 1);
        cr_assert_eq(lab.done_error, REEVE_ECANCELED);
        cr_assert_eq(lab.stats.canceled, 2);
        lab_close(&lab);
    }
}

RV_TEST(permission, a_tool_switched_off_meanwhile_does_not_run)
{
    struct lab lab;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_HAZARDS;
    lab_call(&lab, "look", "{}");
    lab_call(&lab, "look", "{}");
    lab_call(&lab, "set", "{}");
    lab_ask(&lab, LAB_SAYS_NOTHING);
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    cr_assert_eq(reeve_toolbox_enable(lab.toolbox, "look", 0), 0);
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go_until(&lab, 20);
    cr_assert_eq(lab.asked, 2, "nor is anybody asked about it");
    lab_answer(&lab, REEVE_PERMISSION_ALLOW, NULL);
    lab_go(&lab);
    cr_assert_eq(lab.status[0], REEVE_CALL_UNKNOWN);
    cr_assert_eq(lab.status[1], REEVE_CALL_UNKNOWN);
    cr_assert_eq(lab.status[2], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(lab.record[0].started + lab.record[1].started, 0);
    lab_close(&lab);
}

/* However many calls wait to be asked about, no more are prepared than are soon needed. */
static const struct reeve_json *last_arguments;

static void keep_last(struct reeve_batch *batch, size_t index, const struct reeve_tool_call *call,
                      void *arg)
{
    (void)batch;
    (void)arg;
    last_arguments = reeve_tool_call_arguments(call + (LAB_CALLS_MAX - 1 - index));
}

RV_TEST(permission, looks_not_far_ahead_of_the_question)
{
    struct lab lab;
    size_t i;

    lab_open(&lab, t);
    lab.options.grouping = REEVE_GROUPING_NONE;
    lab.options.on_permission = keep_last;
    for (i = 0; i < LAB_CALLS_MAX; i++)
        lab_call(&lab, "look", "{}");
    lab_submit(&lab);
    lab_go_until(&lab, 10);
    reeve_batch_permit(lab.batch, 0, REEVE_PERMISSION_ALLOW, NULL);
    lab_go_until(&lab, 20);
    cr_assert_null(last_arguments);
    reeve_batch_cancel(lab.batch);
    lab_go(&lab);
    lab_close(&lab);
}
