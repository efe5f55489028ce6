/* SPDX-License-Identifier: MIT */
/*
 * The turn loop of an agent.
 *
 *   IDLE ── send ──▶ STARTING ──▶ ASKING ──▶ CALLING ──▶ ASKING … ──▶ IDLE
 *
 * STARTING waits in the ready queue, ASKING for a completion, CALLING for a batch. The happy path:
 * ask; add the answer; if it holds calls, run them and ask again; else report and be idle.
 *
 * The transcript is valid at every moment, not only at the end: a message with calls is added
 * together with a stand-in result for each call ("interrupted"), and the real results take the
 * place of the stand-ins when the batch is over. So a run may end anywhere, even for want of
 * memory.
 *
 * Ways to end early: the completion fails or is cancelled (what text came is kept); a limit on
 * turns, tokens or calls is reached (calls past it get a result that says so); the time is over,
 * which cancels; the batch is cancelled (each of its calls still has a result); no memory; the
 * agent is freed (what is in flight is disowned and ends alone).
 *
 * The batch asks on our behalf whether a call may run. "Always" is kept here, over all batches. An
 * open question needs no state of its own: it ends with its batch, however that ends.
 *
 * What the host says in between (steer) waits until the results of the turn are there, and is added
 * before the next question, or at the end of the run.
 */
#include <reeve/agent.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/export.h"
#include "base/options.h"
#include "chat/transcript.h"
#include "loop/clock.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "loop/timer.h"
#include "model/completion.h"
#include "tool/batch.h"
#include "tool/grants.h"

enum { STEER_MAX_BYTES = 1024 * 1024 };

enum agent_state {
    AGENT_IDLE,
    AGENT_STARTING,
    AGENT_ASKING,
    AGENT_CALLING,
};

struct reeve_agent {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct reeve_agent_options options;
    struct reeve_transcript *transcript;
    struct rv_pending pending; /* listed while a run is in progress */
    struct rv_task start;
    enum agent_state state;
    enum reeve_stop_reason ending; /* the run was cancelled, for this; else REEVE_STOP_NONE */
    bool freeing;
    struct rv_timer limit;   /* max_duration_ms */
    struct rv_buffer steers; /* what the host has said since the last question */

    struct reeve_completion *completion; /* ASKING */
    struct reeve_batch *batch;           /* CALLING */
    size_t first_result;                 /* CALLING: where the results of the batch's calls stand */
    bool calls_left_out;                 /* CALLING: the limit was reached with this batch */

    char *cache_scope;                        /* NULL: none was given */
    struct rv_grants grants;                  /* what the host has allowed for good */
    struct reeve_permission_request question; /* the last one, open or not, */
    size_t question_index;                    /* and which of the batch's calls it is about */

    struct reeve_run run;
    struct reeve_error_detail detail;
    uint64_t started_ns;
};

static const char interrupted_text[] =
    "This call was interrupted; whether it took effect is not known.";
static const char limit_text[] =
    "This call was not run: the limit on tool calls of this run is reached.";
static const char length_text[] = "This call was not run: the answer was cut off by the limit on "
                                  "output tokens, so its arguments may "
                                  "be incomplete. Ask for less at once.";
static const char no_tools_text[] = "This call was not run: there are no tools.";

static void ask(struct reeve_agent *agent);

RV_EXPORT const char *reeve_stop_reason_name(enum reeve_stop_reason reason)
{
    static const char *const names[] = {
        [REEVE_STOP_NONE] = "none",         [REEVE_STOP_DONE] = "done",
        [REEVE_STOP_LENGTH] = "length",     [REEVE_STOP_FILTER] = "filter",
        [REEVE_STOP_TURNS] = "turns",       [REEVE_STOP_TOOL_CALLS] = "tool_calls",
        [REEVE_STOP_CANCELED] = "canceled", [REEVE_STOP_ERROR] = "error",
        [REEVE_STOP_TOKENS] = "tokens",     [REEVE_STOP_TIME] = "time",
    };

    return (size_t)reason < sizeof names / sizeof names[0] ? names[reason] : "unknown";
}

RV_EXPORT void reeve_agent_options_init_size(struct reeve_agent_options *options, size_t size)
{
    const struct reeve_agent_options defaults = {
        .size = size,
        .max_turns = 50,
        .max_tool_calls = 100,
        .max_concurrency = 5,
        .grouping = REEVE_GROUPING_HAZARDS,
        .tool_timeout_ms = 60000,
        .max_tool_output_bytes = 256 * 1024,
        .stream = 1,
    };

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

static uint64_t run_us(const struct reeve_agent *agent)
{
    return (rv_precise_now_ns(agent->runtime) - agent->started_ns) / RV_NS_PER_US;
}

/* 0 or REEVE_ENOMEM: then it stays where it is, and is added when there is memory again. */
static int add_steers(struct reeve_agent *agent)
{
    int error;

    if (!agent->steers.len)
        return 0;
    error = reeve_transcript_add(agent->transcript, REEVE_ROLE_USER, agent->steers.data,
                                 agent->steers.len);
    if (!error)
        rv_buffer_clear(&agent->steers);
    return error;
}

/* The run is over. The host may free the agent inside, so nothing may follow a call of this. */
static void end_run(struct reeve_agent *agent, enum reeve_stop_reason reason, int error)
{
    (void)add_steers(agent);
    agent->state = AGENT_IDLE;
    agent->ending = REEVE_STOP_NONE;
    rv_timer_stop(agent->runtime, &agent->limit);
    rv_ready_remove(&agent->start);
    rv_pending_remove(agent->runtime, &agent->pending);
    agent->run.stop_reason = reason;
    agent->run.error = error;
    agent->run.duration_us = run_us(agent);
    agent->options.on_done(agent, &agent->run, agent->options.arg);
}

/* Something was cancelled: by us, for a reason, or with the toolbox or the model's completion. */
static void end_canceled(struct reeve_agent *agent)
{
    end_run(agent, agent->ending ? agent->ending : REEVE_STOP_CANCELED, 0);
}

static void end_with_error(struct reeve_agent *agent, int error)
{
    end_run(agent, REEVE_STOP_ERROR, error);
}

static void add_usage(struct reeve_usage *sum, const struct reeve_usage *usage)
{
    sum->input_tokens += usage->input_tokens;
    sum->cached_tokens += usage->cached_tokens;
    sum->cache_write_tokens += usage->cache_write_tokens;
    sum->output_tokens += usage->output_tokens;
    sum->reasoning_tokens += usage->reasoning_tokens;
    sum->reported |= usage->reported;
    sum->cache_write_1h_tokens += usage->cache_write_1h_tokens;
}

static const struct reeve_call *call_at(const struct reeve_agent *agent, size_t index)
{
    const struct reeve_message *asked =
        reeve_transcript_at(agent->transcript, agent->first_result - 1);
    size_t count;

    return &reeve_message_calls(asked, &count)[index];
}

static void tool_event(struct reeve_agent *agent, size_t index, struct reeve_tool_event event)
{
    event.call = call_at(agent, index);
    event.at_us = run_us(agent);
    agent->options.on_tool(agent, &event, agent->options.arg);
}

static void call_started(struct reeve_batch *batch, size_t index, void *arg)
{
    const struct reeve_tool_event event = {.kind = REEVE_TOOL_STARTED};

    (void)batch;
    tool_event(arg, index, event);
}

static void call_wrote(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                       void *arg)
{
    const struct reeve_tool_event event = {
        .kind = REEVE_TOOL_OUTPUT, .output = bytes, .output_len = len};

    (void)batch;
    tool_event(arg, index, event);
}

static void call_ended(struct reeve_batch *batch, size_t index, void *arg)
{
    const struct reeve_tool_event event = {.kind = REEVE_TOOL_ENDED,
                                           .result = reeve_batch_result(batch, index)};

    tool_event(arg, index, event);
}

static void call_retried(struct reeve_batch *batch, size_t index, uint32_t wait_ms, void *arg)
{
    const struct reeve_tool_event event = {.kind = REEVE_TOOL_RETRIED, .wait_ms = wait_ms};

    (void)batch;
    tool_event(arg, index, event);
}

static void permission_wanted(struct reeve_batch *batch, size_t index,
                              const struct reeve_tool_call *call, void *arg)
{
    struct reeve_agent *agent = arg;
    struct reeve_permission_request *question = &agent->question;

    (void)batch;
    agent->question_index = index;
    question->question++;
    question->call = call_at(agent, index);
    question->arguments = reeve_tool_call_arguments(call);
    question->effect = reeve_tool_call_effect(call);
    question->claims = reeve_tool_call_claims(call, &question->claim_count);
    agent->options.on_permission(agent, question, agent->options.arg);
}

/*
 * Put the results that are there in the place of their stand-ins. Without memory a stand-in stays:
 * the transcript is valid all the same.
 */
static int keep_results(struct reeve_agent *agent)
{
    size_t count = reeve_batch_count(agent->batch), i;
    int error = 0;

    for (i = 0; i < count; i++) {
        const struct reeve_result *result = reeve_batch_result(agent->batch, i);
        int failed;

        if (result->status == REEVE_CALL_PENDING)
            continue;
        failed = result->status != REEVE_CALL_SUCCEEDED;
        agent->run.failed_tool_calls += (uint32_t)failed;
        agent->run.refused_tool_calls += result->status == REEVE_CALL_REFUSED;
        if (rv_transcript_replace_result(agent->transcript, agent->first_result + i, result->text,
                                         result->len, failed))
            error = REEVE_ENOMEM;
    }
    return error;
}

static void calls_done(struct reeve_batch *batch, int batch_error, void *arg)
{
    struct reeve_agent *agent = arg;
    int error = keep_results(agent);

    (void)batch;
    agent->batch = NULL;
    if (agent->ending || batch_error) /* or the toolbox is being freed */
        end_canceled(agent);
    else if (error)
        end_with_error(agent, error);
    else if (agent->calls_left_out)
        end_run(agent, REEVE_STOP_TOOL_CALLS, 0);
    else
        ask(agent);
}

static int start_batch(struct reeve_agent *agent, const struct reeve_call *calls, size_t count,
                       enum reeve_finish finish)
{
    struct reeve_batch_options options;
    int error;

    reeve_batch_options_init(&options);
    options.max_concurrency = agent->options.max_concurrency;
    options.grouping = agent->options.grouping;
    options.timeout_ms = agent->options.tool_timeout_ms;
    options.max_output_bytes = agent->options.max_tool_output_bytes;
    options.context = agent->options.context;
    options.skip_cache = agent->options.skip_tool_cache;
    options.cache_scope = agent->cache_scope;
    if (agent->options.on_tool) {
        options.on_start = call_started;
        options.on_output = call_wrote;
        options.on_result = call_ended;
        options.on_retry = call_retried;
    }
    if (agent->options.on_permission)
        options.on_permission = permission_wanted;
    options.calls_complete = finish == REEVE_FINISH_TOOL_CALLS || finish == REEVE_FINISH_STOP;
    options.on_done = calls_done;
    options.arg = agent;
    error = reeve_batch_run(agent->options.tools, calls, count, &options, &agent->batch);
    if (error)
        return error;
    rv_batch_use_grants(agent->batch, &agent->grants);
    agent->state = AGENT_CALLING;
    return 0;
}

/* How many of `count` calls the limit leaves room for. */
static size_t calls_allowed(const struct reeve_agent *agent, size_t count)
{
    uint32_t limit = agent->options.max_tool_calls;
    size_t left;

    if (!limit)
        return count;
    left = limit - agent->run.tool_calls;
    return count < left ? count : left;
}

/* Stand-in results for all calls of the message just added: `text` from the call `from` on. */
static int add_stand_ins(struct reeve_agent *agent, const struct reeve_call *calls, size_t count,
                         size_t from, const char *text)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *stand_in = i < from ? interrupted_text : text;
        int error = reeve_transcript_add_result(agent->transcript, calls[i].id, stand_in,
                                                strlen(stand_in), 1);

        if (error)
            return error;
    }
    return 0;
}

/* Its end is missing, so that its last call may be half of one. */
static bool was_cut(enum reeve_finish finish)
{
    return finish == REEVE_FINISH_LENGTH || finish == REEVE_FINISH_CONTEXT;
}

/*
 * Add the answer with its calls and their stand-ins, or nothing at all; then run the calls that may
 * be run.
 */
static int call_tools(struct reeve_agent *agent, const struct reeve_completion *completion,
                      const struct reeve_call *calls, size_t count)
{
    size_t before = reeve_transcript_count(agent->transcript);
    size_t allowed = calls_allowed(agent, count);
    const char *text = limit_text;
    int error;

    if (was_cut(reeve_completion_finish(completion))) {
        allowed = 0;
        text = length_text;
    } else if (!agent->options.tools) {
        allowed = 0;
        text = no_tools_text;
    } else if (allowed < count) {
        agent->calls_left_out = true;
    }
    error = reeve_transcript_add_completion(agent->transcript, completion);
    if (!error)
        error = add_stand_ins(agent, calls, count, allowed, text);
    if (!error && allowed) {
        agent->first_result = before + 1;
        error = start_batch(agent, calls, allowed, reeve_completion_finish(completion));
    }
    if (error) {
        rv_transcript_truncate(agent->transcript, before);
        return error;
    }
    agent->run.tool_calls += (uint32_t)allowed;
    return 0;
}

/* The answer was a text: the run is over, unless the provider only took a break in it. */
static void end_with_answer(struct reeve_agent *agent, const struct reeve_completion *completion)
{
    enum reeve_finish finish = reeve_completion_finish(completion);
    size_t before = reeve_transcript_count(agent->transcript);
    int error = reeve_transcript_add_completion(agent->transcript, completion);

    if (error)
        end_with_error(agent, error);
    else if (finish == REEVE_FINISH_PAUSED && reeve_transcript_count(agent->transcript) > before)
        ask(agent);
    else if (was_cut(finish))
        end_run(agent, REEVE_STOP_LENGTH, 0);
    else if (finish == REEVE_FINISH_FILTER)
        end_run(agent, REEVE_STOP_FILTER, 0);
    else if (agent->steers.len)
        ask(agent);
    else
        end_run(agent, REEVE_STOP_DONE, 0);
}

/* The completion failed or was cancelled: keep the text that came, as far as there is memory for
 * it. */
static void end_with_failure(struct reeve_agent *agent, const struct reeve_completion *completion,
                             int error)
{
    const struct reeve_error_detail *detail = reeve_completion_error(completion);

    if (reeve_transcript_add_completion(agent->transcript, completion))
        error = REEVE_ENOMEM;
    if (error == REEVE_ECANCELED) {
        end_canceled(agent);
        return;
    }
    if (detail) {
        agent->detail = *detail;
        agent->run.detail = &agent->detail;
    }
    end_with_error(agent, error);
}

static void answered(struct reeve_completion *completion, int error, void *arg)
{
    struct reeve_agent *agent = arg;
    const struct reeve_call *calls;
    size_t count;

    agent->completion = NULL;
    add_usage(&agent->run.usage, reeve_completion_usage(completion));
    if (error) {
        end_with_failure(agent, completion, error);
        return;
    }
    calls = reeve_completion_calls(completion, &count);
    if (!count) {
        end_with_answer(agent, completion);
        return;
    }
    error = call_tools(agent, completion, calls, count);
    if (error)
        end_with_error(agent, error);
    else if (agent->batch)
        return;
    else if (agent->calls_left_out)
        end_run(agent, REEVE_STOP_TOOL_CALLS, 0);
    else
        ask(agent);
}

static void text_came(struct reeve_completion *completion, const char *text, size_t len, void *arg)
{
    struct reeve_agent *agent = arg;

    (void)completion;
    agent->options.on_text(agent, text, len, agent->options.arg);
}

static int start_completion(struct reeve_agent *agent)
{
    struct reeve_completion_options options;

    reeve_completion_options_init(&options);
    options.transcript = agent->transcript;
    if (agent->options.tools)
        options.tools = reeve_toolbox_definitions(agent->options.tools, &options.tool_count);
    options.stream = agent->options.stream;
    if (agent->options.on_text)
        options.on_text = text_came;
    options.on_done = answered;
    options.arg = agent;
    return reeve_complete(agent->options.model, &options, &agent->completion);
}

/* The limit that keeps a run from asking once more, if there is one. */
static enum reeve_stop_reason limit_reached(const struct reeve_agent *agent)
{
    const struct reeve_usage *usage = &agent->run.usage;

    if (agent->options.max_turns && agent->run.turns == agent->options.max_turns)
        return REEVE_STOP_TURNS;
    if (agent->options.max_tokens &&
        (usage->input_tokens >= agent->options.max_tokens ||
         usage->output_tokens >= agent->options.max_tokens - usage->input_tokens))
        return REEVE_STOP_TOKENS;
    return REEVE_STOP_NONE;
}

static void ask(struct reeve_agent *agent)
{
    enum reeve_stop_reason limit = limit_reached(agent);
    int error;

    if (limit) {
        end_run(agent, limit, 0);
        return;
    }
    error = add_steers(agent);
    if (!error)
        error = start_completion(agent);
    if (error) {
        end_with_error(agent, error);
        return;
    }
    agent->run.turns++;
    agent->state = AGENT_ASKING;
}

static void start(struct rv_task *task)
{
    struct reeve_agent *agent = rv_container_of(task, struct reeve_agent, start);

    if (agent->ending)
        end_canceled(agent);
    else
        ask(agent);
}

/* Cancel what is in flight; the run ends with `reason` when that has ended. */
static void cancel_run(struct reeve_agent *agent, enum reeve_stop_reason reason)
{
    if (agent->state == AGENT_IDLE || agent->ending)
        return;
    agent->ending = reason;
    if (agent->completion)
        reeve_completion_cancel(agent->completion);
    if (agent->batch)
        reeve_batch_cancel(agent->batch);
}

static void time_is_over(struct rv_timer *timer)
{
    cancel_run(rv_container_of(timer, struct reeve_agent, limit), REEVE_STOP_TIME);
}

/*
 * End the run now, from wherever we are called: what is in flight is disowned, so that it ends in
 * its own time without a word to us.
 */
static void abort_run(struct reeve_agent *agent)
{
    if (agent->completion) {
        /* Without memory the text that came is lost; the transcript stays valid. */
        (void)reeve_transcript_add_completion(agent->transcript, agent->completion);
        add_usage(&agent->run.usage, reeve_completion_usage(agent->completion));
        rv_completion_disown(agent->completion);
        agent->completion = NULL;
    }
    if (agent->batch) {
        (void)keep_results(agent);
        rv_batch_disown(agent->batch);
        agent->batch = NULL;
    }
    end_canceled(agent);
}

static void abort_pending(struct rv_pending *pending)
{
    abort_run(rv_container_of(pending, struct reeve_agent, pending));
}

static int check_options(const struct reeve_agent_options *options)
{
    if (!options->model || !options->on_done || !options->max_concurrency)
        return REEVE_EINVAL;
    if (options->max_tool_output_bytes < 256)
        return REEVE_EINVAL;
    return 0;
}

RV_EXPORT int reeve_agent_new(struct reeve_runtime *runtime,
                              const struct reeve_agent_options *options,
                              struct reeve_agent **ret_agent)
{
    struct reeve_agent *agent;
    int error;

    if (!runtime || !options || !ret_agent)
        return REEVE_EINVAL;
    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    agent = rv_zalloc(rv_runtime_mem(runtime), sizeof *agent);
    if (!agent)
        return REEVE_ENOMEM;
    agent->runtime = runtime;
    agent->mem = rv_runtime_mem(runtime);
    rv_task_init(&agent->start, start);
    rv_timer_init(&agent->limit, time_is_over);
    rv_buffer_init(&agent->steers, agent->mem, STEER_MAX_BYTES);
    rv_grants_init(&agent->grants, agent->mem);
    reeve_agent_options_init(&agent->options);
    error = rv_options_copy(&agent->options, sizeof agent->options, options);
    if (!error)
        error = check_options(&agent->options);
    if (!error)
        error = reeve_transcript_new(runtime, &agent->transcript);
    if (!error && agent->options.system)
        error = reeve_transcript_add(agent->transcript, REEVE_ROLE_SYSTEM, agent->options.system,
                                     strlen(agent->options.system));
    if (!error && agent->options.cache_scope) {
        agent->cache_scope = rv_strdup(agent->mem, agent->options.cache_scope);
        error = agent->cache_scope ? 0 : REEVE_ENOMEM;
    }
    if (error) {
        reeve_transcript_free(agent->transcript);
        rv_free(agent->mem, agent);
        return error;
    }
    agent->options.system = NULL; /* the host's texts need not live on */
    agent->options.cache_scope = NULL;
    rv_runtime_child_add(runtime);
    *ret_agent = agent;
    return 0;
}

RV_EXPORT void reeve_agent_free(struct reeve_agent *agent)
{
    if (!agent || agent->freeing)
        return;
    agent->freeing = true;
    if (agent->state != AGENT_IDLE)
        abort_run(agent);
    rv_runtime_child_remove(agent->runtime);
    rv_grants_done(&agent->grants);
    rv_buffer_done(&agent->steers);
    reeve_transcript_free(agent->transcript);
    rv_free(agent->mem, agent->cache_scope);
    rv_free(agent->mem, agent);
}

RV_EXPORT int reeve_agent_send(struct reeve_agent *agent, const char *text)
{
    int error;

    if (!text || !*text)
        return REEVE_EINVAL;
    if (agent->state != AGENT_IDLE)
        return REEVE_EBUSY;
    if (agent->freeing || rv_runtime_closing(agent->runtime))
        return REEVE_ECLOSING;
    error = add_steers(agent); /* of a run that ended for want of memory */
    if (!error)
        error = reeve_transcript_add(agent->transcript, REEVE_ROLE_USER, text, strlen(text));
    if (error)
        return error;
    agent->run = (struct reeve_run){0};
    agent->started_ns = rv_precise_now_ns(agent->runtime);
    agent->calls_left_out = false;
    agent->state = AGENT_STARTING;
    if (agent->options.max_duration_ms)
        rv_timer_start_ms(agent->runtime, &agent->limit, agent->options.max_duration_ms);
    rv_pending_add(agent->runtime, &agent->pending, abort_pending);
    rv_ready_push(agent->runtime, &agent->start);
    return 0;
}

RV_EXPORT int reeve_agent_steer(struct reeve_agent *agent, const char *text)
{
    const size_t before = agent->steers.len;
    int error = 0;

    if (!text || !*text)
        return REEVE_EINVAL;
    if (agent->state == AGENT_IDLE)
        return REEVE_ENOTFOUND;
    if (agent->ending)
        return REEVE_ECANCELED;
    if (before)
        error = rv_buffer_add_text(&agent->steers, "\n\n");
    if (!error)
        error = rv_buffer_add_text(&agent->steers, text);
    if (error)
        rv_buffer_truncate(&agent->steers, before);
    return error;
}

RV_EXPORT void reeve_agent_permit(struct reeve_agent *agent, uint64_t question,
                                  enum reeve_permission answer, const char *reason)
{
    if (agent->batch && question == agent->question.question)
        reeve_batch_permit(agent->batch, agent->question_index, answer, reason);
}

RV_EXPORT void reeve_agent_cancel(struct reeve_agent *agent)
{
    cancel_run(agent, REEVE_STOP_CANCELED);
}

RV_EXPORT const struct reeve_transcript *reeve_agent_transcript(const struct reeve_agent *agent)
{
    return agent->transcript;
}
