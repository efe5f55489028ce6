/* SPDX-License-Identifier: MIT */
/*
 * The agent's turn loop on the simulated world: the happy path, every limit, every way to end
 * early, and what must hold of the transcript whenever anybody looks.
 */
#include <reeve.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/runtime.h"
#include "loop/timer.h"
#include "tests/lib/test.h"
#include "tests/sim/dialect.h"
#include "tests/sim/http.h"

/* Each test runs with both providers. */
#define BOTH(name, ...)                                                                            \
    static void name##_with(struct rv_test *t);                                                    \
    RV_TEST(agent, name, ##__VA_ARGS__)                                                            \
    {                                                                                              \
        for (provider = 0; provider < DIALECTS; provider++)                                        \
            name##_with(t);                                                                        \
    }                                                                                              \
    static void name##_with(struct rv_test *t)

static enum reeve_provider provider;

enum { TOOL_MS = 10, MAX_EVENTS = 32 };

struct stage {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct reeve_model *model;
    struct reeve_toolbox *tools;
    struct reeve_agent *agent;
    struct reeve_agent_options options;

    char text[512];
    size_t text_len;
    unsigned done;
    struct reeve_run run;
    struct reeve_error_detail detail;
    unsigned starts, ends, running, peak;
    enum reeve_call_status ended[MAX_EVENTS];
    void (*in_text)(struct stage *stage);
    void (*in_tool)(struct stage *stage);
    void (*in_done)(struct stage *stage);
    struct rv_timer later;
    void (*in_later)(struct stage *stage);
};

/* ---- a tool that takes TOOL_MS of the world's time ---- */

struct slow_call {
    struct rv_timer timer;
    struct reeve_tool_call *call;
    struct rv_mem *mem;
};

static void slow_over(struct rv_timer *timer)
{
    struct slow_call *slow = rv_container_of(timer, struct slow_call, timer);

    reeve_tool_call_finish(slow->call, "slow result", strlen("slow result"));
    rv_free(slow->mem, slow);
}

static int slow_start(struct reeve_tool_call *call, void *arg)
{
    struct stage *stage = arg;
    struct rv_mem *mem = rv_runtime_mem(stage->runtime);
    struct slow_call *slow = rv_alloc(mem, sizeof *slow);

    if (!slow)
        return REEVE_ENOMEM;
    slow->call = call;
    slow->mem = mem;
    rv_timer_init(&slow->timer, slow_over);
    rv_timer_start_ms(stage->runtime, &slow->timer, TOOL_MS);
    return 0;
}

static int quick_start(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_finish(call, "quick result", strlen("quick result"));
    return 0;
}

static int add_tool(struct stage *stage, const char *name,
                    int (*start)(struct reeve_tool_call *call, void *arg))
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.description = "A tool of the test";
    tool.parameters = "{\"type\":\"object\"}";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = start;
    tool.arg = stage;
    return reeve_toolbox_add(stage->tools, &tool);
}

/* ---- what the host hears ---- */

static void check_transcript(const struct stage *stage)
{
    size_t bad = 0;

    cr_assert_eq(reeve_transcript_check(reeve_agent_transcript(stage->agent), &bad), 0,
                 "the transcript is not valid at message %zu", bad);
}

static void on_text(struct reeve_agent *agent, const char *text, size_t len, void *arg)
{
    struct stage *stage = arg;

    cr_assert_eq(agent, stage->agent);
    cr_assert_lt(stage->text_len + len, sizeof stage->text);
    memcpy(stage->text + stage->text_len, text, len);
    stage->text_len += len;
    check_transcript(stage);
    if (stage->in_text)
        stage->in_text(stage);
}

static void on_tool(struct reeve_agent *agent, const struct reeve_tool_event *event, void *arg)
{
    struct stage *stage = arg;

    cr_assert_eq(agent, stage->agent);
    cr_assert(event->call->name[0]);
    if (event->result) {
        cr_assert_lt(stage->ends, (unsigned)MAX_EVENTS);
        stage->ended[stage->ends++] = event->result->status;
        if (stage->running)
            stage->running--;
    } else {
        stage->starts++;
        stage->running++;
        if (stage->running > stage->peak)
            stage->peak = stage->running;
    }
    check_transcript(stage);
    if (stage->in_tool)
        stage->in_tool(stage);
}

static void on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    struct stage *stage = arg;

    cr_assert_eq(agent, stage->agent);
    stage->done++;
    stage->run = *run;
    if (run->detail)
        stage->detail = *run->detail;
    check_transcript(stage);
    if (stage->in_done)
        stage->in_done(stage);
}

/* ---- what the model says ---- */

static void say(struct rv_sim_http_exchange *exchange, const char *const *pieces)
{
    rv_sim_http_wait(exchange, 5);
    rv_sim_http_status(exchange, 200);
    rv_sim_http_field(exchange, "content-type", "text/event-stream");
    for (; *pieces; pieces++) {
        rv_sim_http_wait(exchange, 1);
        dialect_say(exchange, *pieces);
    }
}

static void two_calls(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_TEXT("Let me look. "),
        SAY_CALL("0", "call_a", "slow", "{\\\"n\\\":1}"),
        SAY_CALL("1", "call_b", "slow", "{\\\"n\\\":2}"),
        SAY_FINISH("tool_calls"),
        SAY_USAGE("100", "20"),
        SAY_DONE,
        NULL,
    };

    (void)arg;
    say(exchange, pieces);
}

static void cut_calls(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_CALL("0", "call_a", "slow", "{\\\"n\\\":1}"),
        SAY_FINISH("length"),
        SAY_DONE,
        NULL,
    };

    (void)arg;
    say(exchange, pieces);
}

static void odd_calls(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_CALL("0", "call_a", "nonesuch", "{}"),
        SAY_CALL("1", "call_b", "quick", "{\\\"broken"),
        SAY_CALL("2", "call_c", "quick", ""),
        SAY_FINISH("tool_calls"),
        SAY_DONE,
        NULL,
    };

    (void)arg;
    say(exchange, pieces);
}

static void answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_TEXT("All "),      SAY_TEXT("done."), SAY_FINISH("stop"),
        SAY_USAGE("150", "7"), SAY_DONE,          NULL,
    };

    (void)arg;
    say(exchange, pieces);
}

static void long_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_TEXT("All "), SAY_FINISH("length"), SAY_DONE, NULL};

    (void)arg;
    say(exchange, pieces);
}

static void torn_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_TEXT("Half of it "),
        SAY_CALL("0", "call_a", "slow", "{\\\"n"),
        NULL,
    };

    (void)arg;
    say(exchange, pieces);
}

static void server_error(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_status(exchange, 500);
    rv_sim_http_field(exchange, "content-type", "application/json");
    rv_sim_http_text(exchange,
                     "{\"error\":{\"message\":\"the hamster is ill\",\"type\":\"server_error\"}}");
}

/* The n-th request is answered by the n-th of these. */
static void script(struct stage *stage, rv_sim_http_responder first, rv_sim_http_responder second)
{
    rv_sim_http_on(stage->net, "POST", "/v1/", NULL, second, NULL);
    rv_sim_http_on_next(stage->net, 1, "POST", "/v1/", NULL, first, NULL);
}

/* ---- setting the stage ---- */

static int open_stage(struct stage *stage, struct rv_test *t)
{
    struct reeve_runtime_options ro;
    struct reeve_model_options mo;
    int error;

    *stage = (struct stage){.t = t};
    reeve_runtime_options_init(&ro);
    ro.allocator = &t->allocator;
    ro.seed = 7;
    error = reeve_runtime_new(NULL, &ro, &stage->runtime);
    if (error)
        return error;
    stage->net = rv_sim_http_of(stage->runtime);
    reeve_model_options_init(&mo);
    mo.provider = provider;
    mo.base_url = dialect_base_url(provider);
    mo.name = "m";
    error = reeve_model_new(stage->runtime, &mo, &stage->model);
    if (!error)
        error = reeve_toolbox_new(stage->runtime, &stage->tools);
    if (!error)
        error = add_tool(stage, "slow", slow_start);
    if (!error)
        error = add_tool(stage, "quick", quick_start);
    reeve_agent_options_init(&stage->options);
    stage->options.model = stage->model;
    stage->options.tools = stage->tools;
    stage->options.system = "You are a test.";
    stage->options.on_text = on_text;
    stage->options.on_tool = on_tool;
    stage->options.on_done = on_done;
    stage->options.arg = stage;
    return error;
}

static void close_stage(struct stage *stage)
{
    reeve_agent_free(stage->agent);
    reeve_toolbox_free(stage->tools);
    reeve_model_free(stage->model);
    /* What was cancelled ends in its own time: calls that are still running finish now. */
    if (stage->runtime)
        cr_assert_eq(reeve_runtime_run(stage->runtime), 0);
    if (stage->net)
        cr_assert_eq(rv_sim_http_pending(stage->net), 0);
    reeve_runtime_free(stage->runtime);
}

static void make_agent(struct stage *stage)
{
    cr_assert_eq(reeve_agent_new(stage->runtime, &stage->options, &stage->agent), 0);
}

static void run(struct stage *stage)
{
    cr_assert_eq(reeve_agent_send(stage->agent, "Do it."), 0);
    cr_assert_eq(reeve_runtime_run(stage->runtime), 0);
    cr_assert_eq(reeve_runtime_pending(stage->runtime), 0);
}

static const struct reeve_message *message(const struct stage *stage, size_t index)
{
    return reeve_transcript_at(reeve_agent_transcript(stage->agent), index);
}

/* ---- the tests ---- */

BOTH(asks_runs_tools_together_and_answers)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, answer);
    make_agent(&stage);
    run(&stage);

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
    cr_assert_eq(reeve_message_role(message(&stage, 2)), REEVE_ROLE_ASSISTANT);
    cr_assert_str_eq(reeve_message_call_id(message(&stage, 3)), "call_a");
    cr_assert_str_eq(reeve_message_call_id(message(&stage, 4)), "call_b");
    cr_assert_str_eq(reeve_message_text(message(&stage, 4), NULL), "slow result");
    cr_assert(!reeve_message_is_error(message(&stage, 4)));
    cr_assert_str_eq(reeve_message_text(message(&stage, 5), NULL), "All done.");

    const struct rv_sim_http_request *second = rv_sim_http_request_at(stage.net, 2);
    cr_assert(strstr(second->body, "slow result"));
    cr_assert(!strstr(second->body, "interrupted"));
    close_stage(&stage);
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

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, whole_calls, whole_answer);
    stage.options.stream = 0;
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.tool_calls, 1);
    cr_assert(strstr(rv_sim_http_request_at(stage.net, 1)->body, "\"stream\":false") ||
              !strstr(rv_sim_http_request_at(stage.net, 1)->body, "\"stream\""));
    cr_assert_str_eq(reeve_message_text(message(&stage, 4), NULL), "All done.");
    close_stage(&stage);
}

static void full_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_TEXT("All ") SAY_CALL("0", "call_a", "slow", "{}")
                                             SAY_FINISH("model_context_window_exceeded"),
                                         NULL};

    (void)arg;
    say(exchange, pieces);
}

static void paused_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_TEXT("All ") SAY_FINISH("pause_turn"), NULL};

    (void)arg;
    say(exchange, pieces);
}

static void paused_nothing(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_FINISH("pause_turn"), NULL};

    (void)arg;
    say(exchange, pieces);
}

RV_TEST(agent, goes_on_after_a_break_of_the_provider)
{
    struct stage stage;

    provider = REEVE_PROVIDER_ANTHROPIC;
    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, paused_answer, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.turns, 2);
    cr_assert_str_eq(stage.text, "All All done.");
    cr_assert(strstr(rv_sim_http_request_at(stage.net, 2)->body,
                     "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"All "
                     "\"}]}]}"));
    close_stage(&stage);
    /* With nothing to go on from it is not asked again, for it would never end. */
    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, paused_nothing, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.turns, 1);
    close_stage(&stage);
}

RV_TEST(agent, runs_no_call_of_an_answer_that_filled_the_window)
{
    struct stage stage;

    provider = REEVE_PROVIDER_ANTHROPIC;
    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, full_answer, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.starts, 0);
    cr_assert(reeve_message_is_error(message(&stage, 3)));
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    close_stage(&stage);
}

BOTH(is_busy_while_it_runs)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, answer, answer);
    make_agent(&stage);
    cr_assert_eq(reeve_agent_send(stage.agent, ""), REEVE_EINVAL);
    cr_assert_eq(reeve_agent_send(stage.agent, "one"), 0);
    cr_assert_eq(reeve_agent_send(stage.agent, "two"), REEVE_EBUSY);
    cr_assert_eq(reeve_transcript_count(reeve_agent_transcript(stage.agent)), 2);
    cr_assert_eq(reeve_runtime_run(stage.runtime), 0);
    cr_assert_eq(stage.done, 1);
    close_stage(&stage);
}

BOTH(stops_at_the_limit_on_turns)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, two_calls);
    stage.options.max_turns = 3;
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.done, 1);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_TURNS);
    cr_assert_eq(stage.run.turns, 3);
    cr_assert_eq(rv_sim_http_count(stage.net), 3);
    cr_assert_eq(stage.run.tool_calls, 6);
    close_stage(&stage);
}

BOTH(stops_at_the_limit_on_tool_calls)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, two_calls);
    stage.options.max_tool_calls = 3;
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_TOOL_CALLS);
    cr_assert_eq(stage.run.tool_calls, 3);
    cr_assert_eq(stage.starts, 3);
    cr_assert_eq(rv_sim_http_count(stage.net), 2);
    cr_assert_eq(reeve_transcript_count(reeve_agent_transcript(stage.agent)), 8);
    cr_assert_str_eq(reeve_message_text(message(&stage, 6), NULL), "slow result");
    cr_assert(reeve_message_is_error(message(&stage, 7)));
    cr_assert(strstr(reeve_message_text(message(&stage, 7), NULL), "limit"));
    close_stage(&stage);
}

BOTH(runs_no_call_of_an_answer_that_was_cut)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, cut_calls, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.starts, 0);
    cr_assert_eq(stage.run.tool_calls, 0);
    cr_assert(reeve_message_is_error(message(&stage, 3)));
    cr_assert(strstr(reeve_message_text(message(&stage, 3), NULL), "cut off"));
    close_stage(&stage);
}

BOTH(says_that_its_answer_was_cut)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, long_answer, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_LENGTH);
    cr_assert_str_eq(reeve_message_text(message(&stage, 2), NULL), "All ");
    close_stage(&stage);
}

BOTH(tells_the_model_what_was_wrong_with_a_call)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, odd_calls, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.failed_tool_calls, 2);
    cr_assert(strstr(reeve_message_text(message(&stage, 3), NULL), "nonesuch"));
    cr_assert(reeve_message_is_error(message(&stage, 4)));
    cr_assert_str_eq(reeve_message_text(message(&stage, 5), NULL), "quick result");
    close_stage(&stage);
}

BOTH(answers_calls_although_it_has_no_tools)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, answer);
    stage.options.tools = NULL;
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_eq(stage.run.tool_calls, 0);
    cr_assert(reeve_message_is_error(message(&stage, 3)));
    close_stage(&stage);
}

BOTH(reports_an_error_and_can_go_on)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, server_error, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_ERROR);
    cr_assert_eq(stage.run.error, REEVE_EHTTP);
    cr_assert_eq(stage.detail.http_status, 500);
    cr_assert(strstr(stage.detail.message, "the hamster is ill"));
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_DONE);
    cr_assert_null(stage.run.detail);
    cr_assert_eq(stage.done, 2);
    close_stage(&stage);
}

BOTH(keeps_the_text_of_a_torn_answer_and_drops_its_calls)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, torn_answer, answer);
    make_agent(&stage);
    run(&stage);
    cr_assert_eq(stage.run.stop_reason, REEVE_STOP_ERROR);
    cr_assert_eq(stage.run.error, REEVE_ECUTSHORT);
    cr_assert_eq(stage.starts, 0);
    cr_assert_str_eq(reeve_message_text(message(&stage, 2), NULL), "Half of it ");
    close_stage(&stage);
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

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, answer);
    make_agent(&stage);
    stage.in_later = act;
    rv_timer_init(&stage.later, later_fired);
    rv_timer_start_ms(stage.runtime, &stage.later, ms);
    run(&stage);
    cr_assert_eq(stage.done, 1, "on_done came %u times at %u ms", stage.done, (unsigned)ms);
    over = stage.run.stop_reason == REEVE_STOP_DONE;
    cr_assert(over || stage.run.stop_reason == REEVE_STOP_CANCELED);
    close_stage(&stage);
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

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, answer);
    make_agent(&stage);
    stage.in_text = in_text;
    stage.in_tool = in_tool;
    stage.in_done = in_done;
    run(&stage);
    cr_assert_eq(stage.done, 1);
    close_stage(&stage);
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

    cr_assert_eq(open_stage(&stage, t), 0);
    script(&stage, two_calls, answer);
    make_agent(&stage);
    stage.in_done = send_once_more;
    run(&stage);
    cr_assert_eq(stage.done, 3);
    cr_assert_eq(stage.run.turns, 1);
    close_stage(&stage);
}

BOTH(refuses_bad_options)
{
    struct stage stage;

    cr_assert_eq(open_stage(&stage, t), 0);
    stage.options.max_concurrency = 0;
    cr_assert_eq(reeve_agent_new(stage.runtime, &stage.options, &stage.agent), REEVE_EINVAL);
    stage.options.max_concurrency = 5;
    stage.options.on_done = NULL;
    cr_assert_eq(reeve_agent_new(stage.runtime, &stage.options, &stage.agent), REEVE_EINVAL);
    stage.options.on_done = on_done;
    stage.options.model = NULL;
    cr_assert_eq(reeve_agent_new(stage.runtime, &stage.options, &stage.agent), REEVE_EINVAL);
    cr_assert_null(stage.agent);
    close_stage(&stage);
}

/* ---- no memory, anywhere ---- */

/*
 * Parse a stream, run two tools, answer. A run that was started ends exactly once, with an answer,
 * or with an error that the header names; a call that finds no memory is a failed call, and the
 * model answers all the same.
 */
static int whole_story(struct rv_test *t, void *arg)
{
    struct stage stage;
    int error = open_stage(&stage, t);

    (void)arg;
    if (!error && stage.net) {
        script(&stage, two_calls, answer);
        error = reeve_agent_new(stage.runtime, &stage.options, &stage.agent);
    }
    if (!error)
        error = reeve_agent_send(stage.agent, "Do it.");
    if (!error) {
        cr_assert_eq(reeve_runtime_run(stage.runtime), 0);
        cr_assert_eq(stage.done, 1, "on_done came %u times", stage.done);
        cr_assert(stage.run.stop_reason == REEVE_STOP_DONE || stage.run.error == REEVE_ENOMEM,
                  "%s, %s", reeve_stop_reason_name(stage.run.stop_reason),
                  reeve_error_name(stage.run.error));
        check_transcript(&stage);
        error = stage.run.error;
    } else {
        cr_assert_eq(stage.done, 0);
    }
    close_stage(&stage);
    return error;
}

BOTH(survives_every_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, whole_story, NULL, 100);
}
