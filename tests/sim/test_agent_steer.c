/* SPDX-License-Identifier: MIT */
/* What a host says in the middle of a run, and the limits on a run's tokens and time. */
#include <string.h>

#include "tests/sim/agent-stage.h"

static const struct reeve_message *last(const struct stage *stage)
{
    return stage_message(stage, reeve_transcript_count(reeve_agent_transcript(stage->agent)) - 1);
}

static void steer_once(struct stage *stage)
{
    if (stage->starts == 1 && !stage->ends)
        cr_assert_eq(reeve_agent_steer(stage->agent, "Be brief."), 0);
}

/* Said while the tools run: after all results of the turn, before the next question. */
BOTH(is_steered_between_turns)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage.in_tool = steer_once;
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.turns, 2);
    cr_assert_eq(reeve_message_role(stage_message(&stage, 4)), REEVE_ROLE_TOOL);
    cr_assert_eq(reeve_message_role(stage_message(&stage, 5)), REEVE_ROLE_USER);
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 5), NULL), "Be brief.");
    cr_assert(strstr(rv_sim_http_request_at(stage.net, 2)->body, "Be brief."));
    stage_close(&stage);
}

static void steer_twice(struct stage *stage)
{
    if (stage->run.turns || stage->text_len > 4)
        return;
    cr_assert_eq(reeve_agent_steer(stage->agent, "One."), 0);
    cr_assert_eq(reeve_agent_steer(stage->agent, "Two."), 0);
    cr_assert_eq(reeve_agent_steer(stage->agent, ""), REEVE_EINVAL);
}

/* Said while the model gives its last answer: it is asked again. */
BOTH(goes_on_when_it_was_steered)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_answer, stage_answer);
    stage_make_agent(&stage);
    cr_assert_eq(reeve_agent_steer(stage.agent, "Too early."), REEVE_ENOTFOUND);
    stage.in_text = steer_twice;
    stage_run(&stage);
    cr_assert_eq(stage.done, 1);
    cr_assert_eq(stage.run.turns, 2);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 3), NULL), "One.\n\nTwo.");
    cr_assert_eq(reeve_agent_steer(stage.agent, "Too late."), REEVE_ENOTFOUND);
    stage_close(&stage);
}

static void steer_and_cancel(struct stage *stage)
{
    steer_once(stage);
    reeve_agent_cancel(stage->agent);
    cr_assert_eq(reeve_agent_steer(stage->agent, "In vain."), REEVE_ECANCELED);
}

/* Nothing of what was said is lost when the run ends before it was heard. */
BOTH(keeps_what_it_was_told_when_it_is_cancelled)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage.in_tool = steer_and_cancel;
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_CANCELED);
    cr_assert_str_eq(reeve_message_text(last(&stage), NULL), "Be brief.");
    stage.in_tool = NULL;
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    stage_close(&stage);
}

BOTH(refuses_to_be_told_too_much)
{
    static char much[1024 * 1024];
    struct stage stage;

    memset(much, 'x', sizeof much - 1);
    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_answer, stage_answer);
    stage_make_agent(&stage);
    cr_assert_eq(reeve_agent_send(stage.agent, "Do it."), 0);
    cr_assert_eq(reeve_agent_steer(stage.agent, "x"), 0);
    cr_assert_eq(reeve_agent_steer(stage.agent, much), REEVE_ETOOBIG);
    cr_assert_eq(reeve_runtime_run(stage.runtime), 0);
    cr_assert_str_eq(reeve_message_text(stage_message(&stage, 2), NULL), "x");
    stage_close(&stage);
}

/* The first answer and its question come to 120 tokens. */
BOTH(stops_at_its_tokens)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage.options.max_tokens = 120;
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_TOKENS);
    cr_assert_eq(stage.run.turns, 1);
    cr_assert_eq(stage.ends, 2, "the calls of the last answer are run all the same");
    stage_close(&stage);
    cr_assert_eq(stage_open(&stage, t), 0);
    stage.options.max_tokens = 121;
    stage_script(&stage, stage_two_calls, stage_answer);
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    stage_close(&stage);
}

/* While the model speaks, while tools run, which are waited for; and a run that is over in time is
 * not ended later. */
BOTH(stops_at_its_time)
{
    static const uint32_t limits_ms[] = {3, 7, 16, 1000};
    struct stage stage;

    for (size_t i = 0; i < sizeof limits_ms / sizeof limits_ms[0]; i++) {
        const bool in_time = limits_ms[i] == 1000;

        cr_assert_eq(stage_open(&stage, t), 0);
        stage.options.max_duration_ms = limits_ms[i];
        stage_script(&stage, stage_two_calls, stage_answer);
        stage_make_agent(&stage);
        stage_run(&stage);
        cr_assert_eq(stage.done, 1);
        cr_assert_eq(stage.run.stop_reason, in_time ? REEVE_STOP_DONE : REEVE_STOP_TIME);
        cr_assert_eq(stage.run.duration_us >= limits_ms[i] * 1000, !in_time);
        cr_assert(stage.run.duration_us < (limits_ms[i] + TOOL_MS) * 1000);
        stage_close(&stage);
    }
}
