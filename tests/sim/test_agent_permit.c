/* SPDX-License-Identifier: MIT */
/* The agent asks whether calls may run, and tells what they write while they do. */
#include <string.h>

#include "tests/sim/agent-stage.h"

static void open_asking(struct stage *stage, struct rv_test *t)
{
    cr_assert_eq(stage_open(stage, t), 0);
    stage_script(stage, stage_two_calls, stage_answer);
    stage->options.on_permission = stage_on_permission;
    stage_make_agent(stage);
}

static const char *result_text(const struct stage *stage, size_t index)
{
    return reeve_message_text(stage_message(stage, index), NULL);
}

static void allow(struct stage *stage)
{
    reeve_agent_permit(stage->agent, stage->question, REEVE_PERMISSION_ALLOW, NULL);
}

static void allow_always(struct stage *stage)
{
    reeve_agent_permit(stage->agent, stage->question, REEVE_PERMISSION_ALWAYS, NULL);
}

static void later_fired(struct rv_timer *timer)
{
    struct stage *stage = rv_container_of(timer, struct stage, later);

    stage->in_later(stage);
}

/* Have `act` done in a second. */
static void later(struct stage *stage, void (*act)(struct stage *stage))
{
    stage->in_later = act;
    rv_timer_init(&stage->later, later_fired);
    rv_timer_start_ms(stage->runtime, &stage->later, 1000);
}

static void look_and_allow(struct stage *stage)
{
    const struct reeve_permission_request *request = stage->request;

    cr_assert_str_eq(request->call->name, "slow");
    cr_assert_str_eq(request->call->arguments, stage->question == 1 ? "{\"n\":1}" : "{\"n\":2}");
    cr_assert_eq(reeve_json_type(request->arguments), REEVE_JSON_OBJECT);
    cr_assert_eq(request->effect, REEVE_EFFECT_READ);
    cr_assert_eq(request->claim_count, 1);
    cr_assert_str_eq(request->claims[0].kind, "thing");
    cr_assert_str_eq(request->claims[0].key, "clock");
    cr_assert_eq(stage->starts, 0);
    allow(stage);
}

BOTH(asks_about_calls_in_their_order)
{
    struct stage stage;

    open_asking(&stage, t);
    stage.in_permission = look_and_allow;
    stage_run(&stage);
    cr_assert_str_eq(stage.asked, "call_a call_b ");
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.refused_tool_calls, 0);
    cr_assert_eq(stage.ends, 2);
    cr_assert_str_eq(result_text(&stage, 4), "slow result");
    stage_close(&stage);
}

/* A question waits as long as the host likes, whatever the time limit of a call. */
static void refuse_later(struct stage *stage)
{
    cr_assert_eq(stage->starts + stage->ends, 0);
    cr_assert_str_eq(stage->asked, "call_a ");
    stage->in_permission = allow;
    reeve_agent_permit(stage->agent, stage->question, REEVE_PERMISSION_REFUSE, "not today");
}

BOTH(tells_the_model_what_was_refused)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage.options.on_permission = stage_on_permission;
    stage.options.tool_timeout_ms = 100;
    stage_make_agent(&stage);
    later(&stage, refuse_later);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.failed_tool_calls, 1);
    cr_assert_eq(stage.run.refused_tool_calls, 1);
    cr_assert_eq(stage.starts, 1);
    cr_assert_eq(stage.ended[0], REEVE_CALL_REFUSED);
    cr_assert_eq(stage.ended[1], REEVE_CALL_SUCCEEDED);
    cr_assert(reeve_message_is_error(stage_message(&stage, 3)));
    cr_assert_str_eq(result_text(&stage, 3), "The call of slow was refused: not today");
    cr_assert(strstr(rv_sim_http_request_at(stage.net, 2)->body, "refused: not today"));
    stage_close(&stage);
}

BOTH(remembers_always_over_turns_and_runs)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_two_calls);
    stage.options.on_permission = stage_on_permission;
    stage.options.max_turns = 2;
    stage_make_agent(&stage);
    stage.in_permission = allow_always;
    stage_run(&stage);
    stage_run(&stage);
    cr_assert_str_eq(stage.asked, "call_a ");
    cr_assert_eq(stage.starts, 8);
    stage_close(&stage);
}

/* ---- answers that are none ---- */

static void answer_the_first(struct stage *stage)
{
    reeve_agent_permit(stage->agent, 0, REEVE_PERMISSION_ALLOW, NULL);
    reeve_agent_permit(stage->agent, stage->question + 1, REEVE_PERMISSION_ALLOW, NULL);
    if (stage->question == 1)
        allow(stage);
    reeve_agent_permit(stage->agent, 1, REEVE_PERMISSION_ALLOW, NULL);
}

static void look_and_cancel(struct stage *stage)
{
    cr_assert_str_eq(stage->asked, "call_a call_b ");
    cr_assert_eq(stage->starts, 1, "an answer was taken for one to another question");
    cr_assert_eq(stage->ends, 1);
    reeve_agent_cancel(stage->agent);
    allow(stage);
}

/* An answer of a run before is not taken for one of this run either. */
BOTH(takes_no_answer_to_another_question)
{
    struct stage stage;

    open_asking(&stage, t);
    reeve_agent_permit(stage.agent, 0, REEVE_PERMISSION_ALLOW, NULL);
    stage.in_permission = answer_the_first;
    later(&stage, look_and_cancel);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_CANCELED);
    cr_assert_eq(stage.starts, 1);
    cr_assert_eq(stage.ended[1], REEVE_CALL_CANCELED);
    cr_assert(!reeve_message_is_error(stage_message(&stage, 3)));
    cr_assert(reeve_message_is_error(stage_message(&stage, 4)));
    stage_close(&stage);
}

/* ---- while a question is open ---- */

static void steer_and_allow_all(struct stage *stage)
{
    cr_assert_eq(reeve_agent_steer(stage->agent, "Be brief."), 0);
    stage->in_permission = allow;
    allow(stage);
}

BOTH(is_steered_while_it_asks)
{
    struct stage stage;

    open_asking(&stage, t);
    later(&stage, steer_and_allow_all);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(reeve_message_role(stage_message(&stage, 4)), REEVE_ROLE_TOOL);
    cr_assert_str_eq(result_text(&stage, 5), "Be brief.");
    stage_close(&stage);
}

static void cancel(struct stage *stage)
{
    reeve_agent_cancel(stage->agent);
}

static void free_it(struct stage *stage)
{
    struct reeve_agent *agent = stage->agent;

    reeve_agent_free(agent);
    cr_assert_eq(stage->done, 1);
    stage->agent = NULL;
}

static void end_while_asked(struct rv_test *t, void (*inside)(struct stage *stage),
                            void (*after)(struct stage *stage))
{
    struct stage stage;

    open_asking(&stage, t);
    stage.in_permission = inside;
    if (after)
        later(&stage, after);
    stage_run(&stage);
    cr_assert_eq(stage.done, 1);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_CANCELED);
    cr_assert_eq(stage.starts, 0);
    cr_assert_str_eq(stage.asked, "call_a ");
    if (stage.agent) {
        cr_assert_eq(reeve_transcript_count(reeve_agent_transcript(stage.agent)), 5);
        stage.in_permission = allow;
        stage_run(&stage);
        cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    }
    stage_close(&stage);
}

BOTH(can_be_ended_while_it_asks)
{
    end_while_asked(t, cancel, NULL);
    end_while_asked(t, free_it, NULL);
    end_while_asked(t, NULL, cancel);
    end_while_asked(t, NULL, free_it);
}

BOTH(ends_at_its_time_while_it_asks)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_two_calls, stage_answer);
    stage.options.on_permission = stage_on_permission;
    stage.options.max_duration_ms = 500;
    stage_make_agent(&stage);
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_TIME);
    cr_assert_eq(stage.run.duration_us, 500 * 1000);
    stage_close(&stage);
}

/* ---- what tools write ---- */

static void look_at_output(struct stage *stage)
{
    switch (stage->event->kind) {
    case REEVE_TOOL_STARTED:
        cr_assert_str_eq(stage->output, "");
        break;
    case REEVE_TOOL_OUTPUT:
        cr_assert_eq(stage->starts, 1);
        cr_assert_eq(stage->ends, 0);
        break;
    case REEVE_TOOL_ENDED:
        cr_assert_str_eq(stage->output, "one, \xC3\xA4");
        cr_assert_str_eq(stage->event->result->text, "one, \xC3\xA4slow result");
        break;
    case REEVE_TOOL_RETRIED:
        cr_assert_fail("nothing fails here");
    }
}

BOTH(tells_what_tools_write)
{
    struct stage stage;

    cr_assert_eq(stage_open(&stage, t), 0);
    stage_script(&stage, stage_talk_call, stage_answer);
    stage_make_agent(&stage);
    stage.in_tool = look_at_output;
    stage_run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.ends, 1);
    cr_assert_str_eq(result_text(&stage, 3), "one, \xC3\xA4slow result");
    stage_close(&stage);
}

/* ---- no memory, anywhere ---- */

static void refuse(struct stage *stage)
{
    reeve_agent_permit(stage->agent, stage->question, REEVE_PERMISSION_REFUSE, "not today");
}

static int asking_story(struct rv_test *t, void *arg)
{
    struct stage stage;
    int error = stage_open(&stage, t);

    stage.options.on_permission = stage_on_permission;
    stage.in_permission = arg ? refuse : allow_always;
    if (!error && stage.net) {
        stage_script(&stage, arg ? stage_two_calls : stage_talk_call, stage_answer);
        error = reeve_agent_new(stage.runtime, &stage.options, &stage.agent);
    }
    if (!error)
        error = reeve_agent_send(stage.agent, "Do it.");
    if (!error) {
        cr_assert_eq(reeve_runtime_run(stage.runtime), 0);
        cr_assert_eq(stage.done, 1);
        cr_assert(stage.run.stop_reason == REEVE_STOP_DONE || stage.run.error == REEVE_ENOMEM);
        stage_check_transcript(&stage);
        error = stage.run.error;
    }
    stage_close(&stage);
    return error;
}

BOTH(asks_whatever_allocation_fails, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, asking_story, NULL, 100);
    RV_SWEEP_ALLOCATIONS(t, asking_story, t, 100);
}
