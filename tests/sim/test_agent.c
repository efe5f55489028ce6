/* SPDX-License-Identifier: MIT */
/*
 * The agent's turn loop on the simulated world: the happy path, every limit, every way to end
 * early, and what must hold of the transcript whenever anybody looks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/runtime.h"
#include "tests/sim/agent-stage.h"

/* ---- the tests ---- */

BOTH(asks_runs_tools_together_and_answers)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);

    cr_assert_eq(stage.done, 1);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.turns, 2);
    cr_assert_eq(stage.run.tool_calls, 2);
    cr_assert_eq(stage.run.failed_tool_calls, 0);
    cr_assert_eq(stage.run.usage.input_tokens, 250);
    cr_assert_eq(stage.run.usage.output_tokens, 27);
    cr_assert_eq(stage.starts, 2);
    cr_assert_eq(stage.ends, 2);
    cr_assert_eq(stage.peak, 2, "the two reads did not run at the same time");
    cr_assert_str_eq(stage.text, "Let me look. All done.");

    cr_assert_eq(reeve_transcript_count(reeve_agent_transcript(stage.agent)), 6);
    cr_assert_eq(reeve_message_role(stage_message(&stage, 2)), REEVE_ROLE_ASSISTANT);
    cr_assert_str_eq(reeve_message_call_id(stage_message(&stage, 3)), "call_a");
    cr_assert_str_eq(reeve_message_call_id(stage_message(&stage, 4)), "call_b");
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 4), NULL), "slow result");
    cr_assert(!reeve_message_is_error(stage_message(&stage, 4)));
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 5), NULL), "All done.");

    const struct rv_sim_http_request *second = rv_sim_http_request_at(stage.net, 2);
    cr_assert(strstr(second->body, "slow result"));
    cr_assert(!strstr(second->body, "interrupted"));
    stage_close(&stage);
}

static void whole(struct rv_sim_http_exchange *exchange, const char *script)
{
    char *body = dialect_body(dialect_of(exchange), script);

    rv_sim_http_status(exchange, 200);
    rv_sim_http_field(exchange, "content-type", "application/json");
    rv_sim_http_text(exchange, body);
    free(body);
}

static void whole_calls(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    whole(exchange, SAY_CALL("0", "call_a", "quick", "{}") SAY_FINISH("tool_calls"));
}

static void whole_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    whole(exchange, SAY_TEXT("All done.") SAY_FINISH("stop"));
}

BOTH(does_the_same_without_a_stream)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, whole_calls, whole_answer);
    stage.options.stream = 0;
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.tool_calls, 1);
    cr_assert(strstr(rv_sim_http_request_at(stage.net, 1)->body, "\"stream\":false") ||
              !strstr(rv_sim_http_request_at(stage.net, 1)->body, "\"stream\""));
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 4), NULL), "All done.");
    stage_close(&stage);
}

static void full_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_TEXT("All ") SAY_CALL("0", "call_a", "slow", "{}")
                                             SAY_FINISH("model_context_window_exceeded"),
                                         NULL};

    (void)arg;
    stage_say(exchange, pieces);
}

static void paused_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_TEXT("All ") SAY_FINISH("pause_turn"), NULL};

    (void)arg;
    stage_say(exchange, pieces);
}

static void paused_nothing(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_FINISH("pause_turn"), NULL};

    (void)arg;
    stage_say(exchange, pieces);
}

RV_TEST(agent, goes_on_after_a_break_of_the_provider)
{
    struct stage stage;

    stage_provider = REEVE_PROVIDER_ANTHROPIC;
    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, paused_answer, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.turns, 2);
    cr_assert_str_eq(stage.text, "All All done.");
    cr_assert(strstr(rv_sim_http_request_at(stage.net, 2)->body,
                     "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"All "
                     "\"}]}]}"));
    stage_close(&stage);
    /* With nothing to go on from it is not asked again, for it would never end. */
    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, paused_nothing, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.turns, 1);
    stage_close(&stage);
}

RV_TEST(agent, runs_no_call_of_an_answer_that_filled_the_window)
{
    struct stage stage;

    stage_provider = REEVE_PROVIDER_ANTHROPIC;
    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, full_answer, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.starts, 0);
    cr_assert(reeve_message_is_error(stage_message(&stage, 3)));
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    stage_close(&stage);
}

BOTH(is_busy_while_it_runs)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_answer, stage_answer);
    stage_make_agent(&stage);
    cr_assert_eq(reeve_agent_send(stage.agent, ""), REEVE_EINVAL);
    cr_assert_eq(reeve_agent_send(stage.agent, "one"), 0);
    cr_assert_eq(reeve_agent_send(stage.agent, "two"), REEVE_EBUSY);
    cr_assert_eq(reeve_transcript_count(reeve_agent_transcript(stage.agent)), 2);
    cr_assert_eq(reeve_runtime_run(stage.runtime), 0);
    cr_assert_eq(stage.done, 1);
    stage_close(&stage);
}

BOTH(stops_at_the_limit_on_turns)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_two_calls);
    stage.options.max_turns = 3;
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.done, 1);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_TURNS);
    cr_assert_eq(stage.run.turns, 3);
    cr_assert_eq(rv_sim_http_count(stage.net), 3);
    cr_assert_eq(stage.run.tool_calls, 6);
    stage_close(&stage);
}

BOTH(stops_at_the_limit_on_tool_calls)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_two_calls);
    stage.options.max_tool_calls = 3;
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_TOOL_CALLS);
    cr_assert_eq(stage.run.tool_calls, 3);
    cr_assert_eq(stage.starts, 3);
    cr_assert_eq(rv_sim_http_count(stage.net), 2);
    cr_assert_eq(reeve_transcript_count(reeve_agent_transcript(stage.agent)), 8);
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 6), NULL), "slow result");
    cr_assert(reeve_message_is_error(stage_message(&stage, 7)));
    cr_assert(strstr(reeve_message_text(stage_message(&stage, 7), NULL), "limit"));
    stage_close(&stage);
}

BOTH(runs_no_call_of_an_answer_that_was_cut)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_cut_calls, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.starts, 0);
    cr_assert_eq(stage.run.tool_calls, 0);
    cr_assert(reeve_message_is_error(stage_message(&stage, 3)));
    cr_assert(strstr(reeve_message_text(stage_message(&stage, 3), NULL), "cut off"));
    stage_close(&stage);
}

BOTH(says_that_its_answer_was_cut)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_long_answer, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_LENGTH);
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 2), NULL), "All ");
    stage_close(&stage);
}

BOTH(tells_the_model_what_was_wrong_with_a_call)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_odd_calls, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.failed_tool_calls, 2);
    cr_assert(strstr(reeve_message_text(stage_message(&stage, 3), NULL), "nonesuch"));
    cr_assert(reeve_message_is_error(stage_message(&stage, 4)));
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 5), NULL), "quick result");
    stage_close(&stage);
}

BOTH(answers_calls_although_it_has_no_tools)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage.options.tools = NULL;
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.tool_calls, 0);
    cr_assert(reeve_message_is_error(stage_message(&stage, 3)));
    stage_close(&stage);
}

BOTH(reports_an_error_and_can_go_on)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_server_error, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_ERROR);
    cr_assert_eq(stage.run.error, REEVE_EHTTP);
    cr_assert_eq(stage.detail.http_status, 500);
    cr_assert(strstr(stage.detail.message, "the hamster is ill"));
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_null(stage.run.detail);
    cr_assert_eq(stage.done, 2);
    stage_close(&stage);
}

BOTH(keeps_the_text_of_a_torn_answer_and_drops_its_calls)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_torn_answer, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_ERROR);
    cr_assert_eq(stage.run.error, REEVE_ECUTSHORT);
    cr_assert_eq(stage.starts, 0);
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 2), NULL), "Half of it ");
    stage_close(&stage);
}

/* ---- ending early, at every step ---- */

static void cancel_now(struct stage *stage)
{
    reeve_agent_cancel(stage->agent);
    reeve_agent_cancel(stage->agent);
}

static void free_now(struct stage *stage)
{
    unsigned before = stage->done;
    struct reeve_agent *agent = stage->agent;

    /* Inside on_done the run is over; elsewhere its end is told before the free returns. */
    reeve_agent_free(agent);
    stage->agent = NULL;
    cr_assert(stage->done == before || stage->run.stop_reason == REEVE_STOP_CANCELED);
}

static void later_fired(struct rv_timer *timer)
{
    struct stage *stage = rv_container_of(timer, struct stage, later);

    if (stage->agent)
        stage->in_later(stage);
}

/* Run the two-turn story and do something after `ms`. Returns whether the story was over before. */
static bool interrupt_at(struct rv_test *t, uint64_t ms, void (*act)(struct stage *stage))
{
    struct stage stage;
    bool over;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage.in_later = act;
    rv_timer_init(&stage.later, later_fired);
    rv_timer_start_ms(stage.runtime, &stage.later, ms);
    stage_run(&stage);
    cr_assert_eq(stage.done, 1, "stage_on_done came %u times at %u ms", stage.done, (unsigned)ms);
    over = stage.run.stop_reason == REEVE_STOP_DONE;
    cr_assert(over || stage.run.stop_reason == REEVE_STOP_CANCELED);
    stage_close(&stage);
    return over;
}

BOTH(can_be_cancelled_at_every_step)
{
    uint64_t ms = 0;

    while (!interrupt_at(t, ms, cancel_now))
        ms++;
    fprintf(stderr, "cancelled at %u points\n", (unsigned)ms);
    cr_assert_geq(ms, 25u);
}

BOTH(can_be_freed_at_every_step)
{
    uint64_t ms = 0;

    while (!interrupt_at(t, ms, free_now))
        ms++;
    fprintf(stderr, "freed at %u points\n", (unsigned)ms);
    cr_assert_geq(ms, 25u);
}

static void story_with(struct rv_test *t, void (*in_text)(struct stage *stage),
                       void (*in_tool)(struct stage *stage), void (*in_done)(struct stage *stage))
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage.in_text = in_text;
    stage.in_tool = in_tool;
    stage.in_done = in_done;
    stage_run(&stage);
    cr_assert_eq(stage.done, 1);
    stage_close(&stage);
}

BOTH(can_be_freed_inside_its_callbacks)
{
    story_with(t, free_now, NULL, NULL);
    story_with(t, NULL, free_now, NULL);
    story_with(t, NULL, NULL, free_now);
}

BOTH(can_be_cancelled_inside_its_callbacks)
{
    story_with(t, cancel_now, NULL, NULL);
    story_with(t, NULL, cancel_now, NULL);
    story_with(t, NULL, NULL, cancel_now);
}

static void send_once_more(struct stage *stage)
{
    if (stage->done < 3)
        cr_assert_eq(reeve_agent_send(stage->agent, "And again."), 0);
}

BOTH(takes_new_work_inside_on_done)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage.in_done = send_once_more;
    stage_run(&stage);
    cr_assert_eq(stage.done, 3);
    cr_assert_eq(stage.run.turns, 1);
    stage_close(&stage);
}

BOTH(refuses_bad_options)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage.options.max_concurrency = 0;
    cr_assert_eq(reeve_agent_new(stage.runtime, &stage.options, &stage.agent), REEVE_EINVAL);
    stage.options.max_concurrency = 5;
    stage.options.on_done = NULL;
    cr_assert_eq(reeve_agent_new(stage.runtime, &stage.options, &stage.agent), REEVE_EINVAL);
    stage.options.on_done = stage_on_done;
    stage.options.model = NULL;
    cr_assert_eq(reeve_agent_new(stage.runtime, &stage.options, &stage.agent), REEVE_EINVAL);
    cr_assert_null(stage.agent);
    stage_close(&stage);
}

/* ---- no memory, anywhere ---- */

/*
 * Parse a stream, run two tools, answer. A run that was started ends exactly once, with an
 * answer, or with an error that the header names; a call that finds no memory is a failed
 * call, and the model answers all the same.
 */
static int whole_story(struct rv_test *t, void *arg)
{
    struct stage stage;
    int error = stage_open(&stage, t);

    (void)arg;
    if (!error && stage.net) {
        stage_script(&stage, stage_two_calls, stage_answer);
        error = reeve_agent_new(stage.runtime, &stage.options, &stage.agent);
    }
    if (!error)
        error = reeve_agent_send(stage.agent, "Do it.");
    if (!error) {
        cr_assert_eq(reeve_runtime_run(stage.runtime), 0);
        cr_assert_eq(stage.done, 1, "stage_on_done came %u times", stage.done);
        cr_assert(stage.run.stop_reason == REEVE_STOP_DONE || stage.run.error == REEVE_ENOMEM,
                  "%s, %s", reeve_stop_reason_name(stage.run.stop_reason),
                  reeve_error_name(stage.run.error));
        stage_check_transcript(&stage);
        error = stage.run.error;
    } else {
        cr_assert_eq(stage.done, 0);
    }
    stage_close(&stage);
    return error;
}

BOTH(survives_every_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, whole_story, NULL, 100);
}
