/* SPDX-License-Identifier: MIT */
/* The stage: its tools, what its host hears, what its model says. */
#include "tests/sim/agent-stage.h"

#include <string.h>

#include "loop/runtime.h"

enum reeve_provider stage_provider;

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

static int slow_describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)call;
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_READ, "thing", "clock");
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

/* Its last piece but one is half of a character. */
static int talk_start(struct reeve_tool_call *call, void *arg)
{
    reeve_tool_call_write(call, "one, \xC3", strlen("one, \xC3"));
    reeve_tool_call_write(call, "\xA4", 1);
    return slow_start(call, arg);
}

typedef int (*start_fn)(struct reeve_tool_call *call, void *arg);
typedef int (*describe_fn)(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg);

static int add_tool(struct stage *stage, const char *name, start_fn start, describe_fn describe)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.description = "A tool of the test";
    tool.parameters = "{\"type\":\"object\"}";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = start;
    tool.describe = describe;
    tool.arg = stage;
    return reeve_toolbox_add(stage->tools, &tool);
}

/* ---- what the host hears ---- */

void stage_check_transcript(const struct stage *stage)
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
    stage_check_transcript(stage);
    if (stage->in_text)
        stage->in_text(stage);
}

static void note_end(struct stage *stage, const struct reeve_result *result)
{
    cr_assert_lt(stage->ends, (unsigned)MAX_EVENTS);
    stage->ended[stage->ends++] = result->status;
    if (stage->running)
        stage->running--;
}

static void note_start(struct stage *stage)
{
    stage->starts++;
    stage->running++;
    if (stage->running > stage->peak)
        stage->peak = stage->running;
}

static void note_output(struct stage *stage, const char *output, size_t len)
{
    const size_t before = strlen(stage->output);

    cr_assert_gt(len, 0);
    cr_assert_lt(before + len, sizeof stage->output);
    memcpy(stage->output + before, output, len);
}

static void on_tool(struct reeve_agent *agent, const struct reeve_tool_event *event, void *arg)
{
    struct stage *stage = arg;

    cr_assert_eq(agent, stage->agent);
    cr_assert(event->call->name[0]);
    cr_assert_eq(event->result != NULL, event->kind == REEVE_TOOL_ENDED);
    cr_assert_eq(event->output != NULL, event->kind == REEVE_TOOL_OUTPUT);
    if (event->result)
        note_end(stage, event->result);
    else if (event->output)
        note_output(stage, event->output, event->output_len);
    else
        note_start(stage);
    stage_check_transcript(stage);
    stage->event = event;
    if (stage->in_tool)
        stage->in_tool(stage);
    stage->event = NULL;
}

void stage_on_permission(struct reeve_agent *agent, const struct reeve_permission_request *request,
                         void *arg)
{
    struct stage *stage = arg;

    cr_assert_eq(agent, stage->agent);
    cr_assert_neq(request->question, stage->question);
    stage->question = request->question;
    stage->request = request;
    cr_assert_lt(strlen(stage->asked) + strlen(request->call->id) + 1, sizeof stage->asked);
    strcat(strcat(stage->asked, request->call->id), " ");
    stage_check_transcript(stage);
    if (stage->in_permission)
        stage->in_permission(stage);
}

void stage_on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    struct stage *stage = arg;

    cr_assert_eq(agent, stage->agent);
    stage->done++;
    stage->run = *run;
    if (run->detail)
        stage->detail = *run->detail;
    stage_check_transcript(stage);
    if (stage->in_done)
        stage->in_done(stage);
}

/* ---- what the model says ---- */

void stage_say(struct rv_sim_http_exchange *exchange, const char *const *pieces)
{
    rv_sim_http_wait(exchange, 5);
    rv_sim_http_status(exchange, 200);
    rv_sim_http_field(exchange, "content-type", "text/event-stream");
    for (; *pieces; pieces++) {
        rv_sim_http_wait(exchange, 1);
        dialect_say(exchange, *pieces);
    }
}

void stage_two_calls(struct rv_sim_http_exchange *exchange, void *arg)
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
    stage_say(exchange, pieces);
}

void stage_talk_call(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_CALL("0", "call_a", "talk", "{}"),
        SAY_FINISH("tool_calls"),
        SAY_DONE,
        NULL,
    };

    (void)arg;
    stage_say(exchange, pieces);
}

void stage_cut_calls(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_CALL("0", "call_a", "slow", "{\\\"n\\\":1}"),
        SAY_FINISH("length"),
        SAY_DONE,
        NULL,
    };

    (void)arg;
    stage_say(exchange, pieces);
}

void stage_odd_calls(struct rv_sim_http_exchange *exchange, void *arg)
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
    stage_say(exchange, pieces);
}

void stage_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_TEXT("All "),      SAY_TEXT("done."), SAY_FINISH("stop"),
        SAY_USAGE("150", "7"), SAY_DONE,          NULL,
    };

    (void)arg;
    stage_say(exchange, pieces);
}

void stage_long_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {SAY_TEXT("All "), SAY_FINISH("length"), SAY_DONE, NULL};

    (void)arg;
    stage_say(exchange, pieces);
}

void stage_torn_answer(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_TEXT("Half of it "),
        SAY_CALL("0", "call_a", "slow", "{\\\"n"),
        NULL,
    };

    (void)arg;
    stage_say(exchange, pieces);
}

void stage_server_error(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_status(exchange, 500);
    rv_sim_http_field(exchange, "content-type", "application/json");
    rv_sim_http_text(exchange,
                     "{\"error\":{\"message\":\"the hamster is ill\",\"type\":\"server_error\"}}");
}

void stage_script(struct stage *stage, rv_sim_http_responder first, rv_sim_http_responder second)
{
    rv_sim_http_on(stage->net, "POST", "/v1/", NULL, second, NULL);
    rv_sim_http_on_next(stage->net, 1, "POST", "/v1/", NULL, first, NULL);
}

/* ---- setting the stage ---- */

int stage_open(struct stage *stage, struct rv_test *t)
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
    mo.provider = stage_provider;
    mo.base_url = dialect_base_url(stage_provider);
    mo.name = "m";
    error = reeve_model_new(stage->runtime, &mo, &stage->model);
    if (!error)
        error = reeve_toolbox_new(stage->runtime, &stage->tools);
    if (!error)
        error = add_tool(stage, "slow", slow_start, slow_describe);
    if (!error)
        error = add_tool(stage, "quick", quick_start, NULL);
    if (!error)
        error = add_tool(stage, "talk", talk_start, NULL);
    reeve_agent_options_init(&stage->options);
    stage->options.model = stage->model;
    stage->options.tools = stage->tools;
    stage->options.system = "You are a test.";
    stage->options.on_text = on_text;
    stage->options.on_tool = on_tool;
    stage->options.on_done = stage_on_done;
    stage->options.arg = stage;
    return error;
}

void stage_close(struct stage *stage)
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

void stage_make_agent(struct stage *stage)
{
    cr_assert_eq(reeve_agent_new(stage->runtime, &stage->options, &stage->agent), 0);
}

void stage_run(struct stage *stage)
{
    cr_assert_eq(reeve_agent_send(stage->agent, "Do it."), 0);
    cr_assert_eq(reeve_runtime_run(stage->runtime), 0);
    cr_assert_eq(reeve_runtime_pending(stage->runtime), 0);
}

const struct reeve_message *stage_message(const struct stage *stage, size_t index)
{
    return reeve_transcript_at(reeve_agent_transcript(stage->agent), index);
}
