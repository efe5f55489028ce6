/* SPDX-License-Identifier: MIT */
/*
 * A completion: one request to a model and its response.
 *
 *   ENCODING ──▶ WAITING ──▶ RECEIVING ──▶ OVER
 *
 * Happy path: reeve_complete checks everything, writes the head of the body and queues the rest.
 * ENCODING writes the messages, in slices, and starts the request. WAITING ends with the head of
 * the response. RECEIVING feeds its body to a response (model/response.h), which tells of the text
 * as it comes. The request ends, the response is finished, on_done runs, the completion is gone.
 *
 * Ways to fail:
 *   ENCODING    no memory; a body over its cap; the request cannot be started
 *   WAITING     no name, connection or trust; a time limit; the connection is lost
 *   RECEIVING   an error status; no JSON and no stream; an error in the stream; over a cap; cut
 *               short; a time limit; the connection is lost; no memory
 *   anywhere    cancelled; the model or the runtime is freed
 *
 * Where the response fails first, the request is cancelled and its end waited for. An answer that
 * was complete stays so, whatever happens to the connection afterwards; a server that says
 * "[DONE]" and keeps the connection open is left after DONE_GRACE_MS.
 *
 * A completion that ends inside its own on_text, because the model is freed there, is OVER at once,
 * but its request is still on the stack: it stays in memory, and listed as pending, until that
 * is gone too.
 *
 * Paused: the request is, too. What the piece on the stack still holds is decoded and not told; it
 * is told later, by `deliver`, after the resume, and so is an end that came meanwhile.
 */
#include "model/completion.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <reeve/error.h>
#include <reeve/version.h>

#include "base/arena.h"
#include "base/export.h"
#include "base/options.h"
#include "io/http.h"
#include "loop/clock.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "loop/timer.h"
#include "model/encode.h"
#include "model/model.h"
#include "model/response.h"
#include "model/retry_after.h"

enum { DONE_GRACE_MS = 1000 };

static const uint64_t slice_ns = RV_NS_PER_MS / 2;

enum completion_state {
    COMPLETION_ENCODING,
    COMPLETION_WAITING,
    COMPLETION_RECEIVING,
    COMPLETION_OVER,
};

struct reeve_completion {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct reeve_model *model; /* NULL once it is over */
    struct rv_list node;       /* in the model's list */
    struct rv_pending pending;
    struct rv_task task; /* ENCODING */
    struct rv_timer grace;
    enum completion_state state;
    bool canceled;
    bool in_http; /* on the stack of one of the request's callbacks */
    bool succeeded;
    bool paused;
    bool behind;     /* something came that was not told, because of a pause */
    bool ended;      /* the request has, with end_error, and it was not told */
    bool delivering; /* on the stack of `deliver` */
    int end_error;
    size_t told;             /* bytes of the text */
    struct rv_buffer untold; /* reasoning */
    struct rv_task deliver;

    void (*on_text)(struct reeve_completion *completion, const char *text, size_t len, void *arg);
    void (*on_reasoning)(struct reeve_completion *completion, const char *text, size_t len,
                         void *arg);
    void (*on_done)(struct reeve_completion *completion, int error, void *arg);
    void *arg;

    struct rv_snapshot messages; /* ENCODING */
    struct rv_request request;
    struct rv_encode_cursor cursor;
    struct rv_buffer body;

    struct rv_http *http;
    int error; /* why the response failed */
    struct rv_response response;
    const struct reeve_error_detail *detail; /* for on_done */
};

RV_EXPORT void reeve_completion_options_init_size(struct reeve_completion_options *options,
                                                  size_t size)
{
    const struct reeve_completion_options defaults = {
        .size = size,
        .stream = 1,
        .temperature = (double)NAN,
        .top_p = (double)NAN,
        .seed = -1,
        .parallel_calls = 1,
    };

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

RV_EXPORT const char *reeve_finish_name(enum reeve_finish finish)
{
    static const char *const names[] = {
        [REEVE_FINISH_NONE] = "none",
        [REEVE_FINISH_STOP] = "stop",
        [REEVE_FINISH_TOOL_CALLS] = "tool_calls",
        [REEVE_FINISH_LENGTH] = "length",
        [REEVE_FINISH_FILTER] = "filter",
        [REEVE_FINISH_OTHER] = "other",
        [REEVE_FINISH_PAUSED] = "paused",
        [REEVE_FINISH_CONTEXT] = "context",
    };

    return (size_t)finish < sizeof names / sizeof *names ? names[finish] : "unknown";
}

/* ---- the end --------------------------------------------------------------------------------- */

static void completion_free(struct reeve_completion *completion)
{
    struct rv_mem *mem = completion->mem;
    struct rv_arena values;

    rv_arena_init(&values, mem);
    rv_response_leave_values(&completion->response, &values);
    rv_runtime_bury(completion->runtime, &values);
    rv_snapshot_done(&completion->messages);
    rv_buffer_done(&completion->body);
    rv_buffer_done(&completion->untold);
    rv_response_done(&completion->response);
    rv_free(mem, completion);
}

/* Somebody on the stack goes on with it, and frees it in the end. */
static bool in_use(const struct reeve_completion *completion)
{
    return completion->http || completion->delivering;
}

/* Over: unlink, release, tell. Where it is still in use, who uses it frees it. */
static void finish(struct reeve_completion *completion, int error)
{
    struct reeve_error_detail room;

    assert(completion->state != COMPLETION_OVER);
    completion->state = COMPLETION_OVER;
    completion->succeeded = !error;
    if (error)
        rv_response_give_up(&completion->response);
    completion->detail =
        rv_failure_tell(&completion->response.failure, &completion->model->place, &room);
    rv_ready_remove(&completion->task);
    rv_ready_remove(&completion->deliver);
    rv_timer_stop(completion->runtime, &completion->grace);
    rv_list_remove(&completion->node);
    completion->model = NULL;
    rv_snapshot_done(&completion->messages);
    rv_buffer_done(&completion->body);
    if (!in_use(completion))
        rv_pending_remove(completion->runtime, &completion->pending);
    if (completion->on_done)
        completion->on_done(completion, error, completion->arg);
    completion->detail = NULL;
    if (!in_use(completion))
        completion_free(completion);
}

/* Who used it when it was over does no longer. */
static void let_go(struct reeve_completion *completion)
{
    if (in_use(completion))
        return;
    rv_pending_remove(completion->runtime, &completion->pending);
    completion_free(completion);
}

static void describe(struct reeve_completion *completion, int error, const char *sentence)
{
    struct reeve_error_detail detail;

    rv_problem_plain(&detail, &completion->model->place, error, sentence);
    rv_failure_keep(&completion->response.failure, completion->mem, &detail);
}

static void describe_cancel(struct reeve_completion *completion)
{
    describe(completion, REEVE_ECANCELED, "the completion was cancelled");
}

/* End it before this returns. */
static void end_now(struct reeve_completion *completion)
{
    completion->canceled = true;
    if (completion->http && !completion->in_http && !completion->delivering) {
        rv_http_abort(completion->http);
        return;
    }
    if (completion->http)
        rv_http_cancel(completion->http);
    describe_cancel(completion);
    finish(completion, REEVE_ECANCELED);
}

static void abort_pending(struct rv_pending *pending)
{
    struct reeve_completion *completion =
        rv_container_of(pending, struct reeve_completion, pending);

    if (completion->state == COMPLETION_OVER)
        rv_http_abort(completion->http);
    else
        end_now(completion);
}

void rv_completion_end_first(struct reeve_model *model)
{
    end_now(rv_list_entry(model->completions.next, struct reeve_completion, node));
}

/* ---- RECEIVING ------------------------------------------------------------------------------- */

static int text_came(const char *text, size_t len, void *arg)
{
    struct reeve_completion *completion = arg;

    if (completion->paused || completion->behind) {
        completion->behind = true;
        return completion->canceled ? REEVE_ECANCELED : 0;
    }
    completion->told += len;
    if (completion->on_text && !completion->canceled)
        completion->on_text(completion, text, len, completion->arg);
    return completion->canceled ? REEVE_ECANCELED : 0;
}

static int reasoning_came(const char *text, size_t len, void *arg)
{
    struct reeve_completion *completion = arg;

    if (!completion->on_reasoning || completion->canceled)
        return completion->canceled ? REEVE_ECANCELED : 0;
    if (completion->paused || completion->behind) {
        completion->behind = true;
        return rv_buffer_add(&completion->untold, text, len);
    }
    completion->on_reasoning(completion, text, len, completion->arg);
    return completion->canceled ? REEVE_ECANCELED : 0;
}

/* What the pause kept from being told, as long as nobody pauses or cancels again. */
static void tell_untold(struct reeve_completion *completion)
{
    const struct rv_buffer *text = &completion->response.answer.text.text;
    struct rv_buffer reasoning = completion->untold;
    const size_t start = completion->told;

    if (reasoning.len) {
        rv_buffer_init(&completion->untold, completion->mem, reasoning.max);
        if (completion->on_reasoning)
            completion->on_reasoning(completion, reasoning.data, reasoning.len, completion->arg);
        rv_buffer_done(&reasoning);
    }
    if (completion->paused || completion->canceled || completion->state == COMPLETION_OVER)
        return;
    completion->told = text->len;
    completion->behind = false;
    if (completion->on_text && text->len > start)
        completion->on_text(completion, text->data + start, text->len - start, completion->arg);
}

static void deliver(struct rv_task *task)
{
    struct reeve_completion *completion = rv_container_of(task, struct reeve_completion, deliver);

    if (completion->paused && !completion->canceled)
        return;
    completion->delivering = true;
    if (!completion->canceled && completion->behind)
        tell_untold(completion);
    completion->delivering = false;
    if (completion->state == COMPLETION_OVER) {
        let_go(completion);
    } else if (completion->ended && completion->canceled) {
        describe_cancel(completion);
        finish(completion, REEVE_ECANCELED);
    } else if (completion->ended && !completion->paused) {
        finish(completion, completion->end_error);
    }
}

static void grace_over(struct rv_timer *timer)
{
    struct reeve_completion *completion = rv_container_of(timer, struct reeve_completion, grace);

    if (completion->http)
        rv_http_cancel(completion->http);
}

static void http_head(struct rv_http *http, int status, void *arg)
{
    struct reeve_completion *completion = arg;
    const char *request_id = rv_http_header_value(http, "x-request-id");
    struct rv_problem_head head = {
        .status = status,
        .content_type = rv_http_header_value(http, "content-type"),
        .location = rv_http_location(http),
        .request_id = request_id ? request_id : rv_http_header_value(http, "request-id"),
        .should_retry = rv_http_header_value(http, "x-should-retry"),
    };

    if (completion->state != COMPLETION_WAITING)
        return;
    head.retry_after_ms = rv_retry_after_ms(rv_http_header_value(http, "retry-after-ms"),
                                            rv_http_header_value(http, "retry-after"),
                                            rv_wall_now_ms(completion->runtime));
    completion->state = COMPLETION_RECEIVING;
    rv_response_head(&completion->response, &head);
}

static void http_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct reeve_completion *completion = arg;
    int error;

    if (completion->state != COMPLETION_RECEIVING || completion->canceled || completion->error)
        return;
    completion->in_http = true;
    error = rv_response_feed(&completion->response, bytes, len);
    completion->in_http = false;
    if (completion->state == COMPLETION_OVER || completion->canceled)
        return;
    if (error) {
        completion->error = error;
        rv_http_cancel(http);
    } else if (rv_response_over(&completion->response) && !completion->grace.armed) {
        rv_timer_start_ms(completion->runtime, &completion->grace, DONE_GRACE_MS);
    }
}

/* What a request that has ended means, in the order of what matters most. */
static int outcome(struct reeve_completion *completion, struct rv_http *http, int error)
{
    struct rv_response *response = &completion->response;
    struct reeve_error_detail detail;

    if (completion->canceled) {
        describe_cancel(completion);
        return REEVE_ECANCELED;
    }
    if (completion->error)
        return completion->error;
    if (!error || rv_response_complete(response) || rv_response_over(response) ||
        (response->head.status >= 300 && error != REEVE_ENOMEM))
        return rv_response_finish(response, rv_runtime_random(completion->runtime));
    rv_problem_transport(&detail, &completion->model->place, error, rv_http_problem(http));
    detail.http_status = response->head.status;
    rv_failure_keep(&response->failure, completion->mem, &detail);
    return error;
}

/* An answer that went well is told after its text; a failure does not wait for who may never come.
 */
static bool waits_for_resume(const struct reeve_completion *completion, int error)
{
    if (completion->canceled)
        return false;
    return completion->paused ? !error : completion->behind;
}

static void http_done(struct rv_http *http, int error, void *arg)
{
    struct reeve_completion *completion = arg;

    if (completion->state != COMPLETION_OVER) {
        completion->in_http = true;
        error = outcome(completion, http, error);
        if (error)
            rv_response_give_up(&completion->response);
        completion->in_http = false;
    }
    completion->http = NULL;
    if (completion->state == COMPLETION_OVER) {
        let_go(completion);
        return;
    }
    /* The last of the text may have been told only now, and have led to a cancel. */
    if (completion->canceled && (!error || error == REEVE_ECANCELED)) {
        describe_cancel(completion);
        error = REEVE_ECANCELED;
    }
    if (waits_for_resume(completion, error)) {
        completion->ended = true;
        completion->end_error = error;
        return;
    }
    finish(completion, error);
}

/* ---- ENCODING -------------------------------------------------------------------------------- */

static int start_request(struct reeve_completion *completion)
{
    const struct reeve_model *model = completion->model;
    struct rv_http_header headers[5];
    struct rv_http_options options = {
        .method = "POST",
        .url = model->url,
        .headers = headers,
        .body_take = &completion->body,
        .connect_timeout_ms = model->options.connect_timeout_ms,
        .first_byte_timeout_ms = model->options.first_byte_timeout_ms,
        .idle_timeout_ms = model->options.idle_timeout_ms,
        .timeout_ms = model->options.timeout_ms,
        .max_response_bytes = model->options.max_response_bytes,
        .on_head = http_head,
        .on_data = http_data,
        .on_done = http_done,
        .arg = completion,
    };
    int error;

    headers[0] = (struct rv_http_header){"Content-Type", "application/json"};
    headers[1] = (struct rv_http_header){"Accept", completion->request.stream
                                                       ? "text/event-stream, application/json"
                                                       : "application/json"};
    headers[2] = (struct rv_http_header){"User-Agent", "reeve/" REEVE_VERSION_STRING};
    options.header_count = 3;
    if (model->codec->version_field)
        headers[options.header_count++] =
            (struct rv_http_header){model->codec->version_field, model->codec->version};
    if (model->key_field)
        headers[options.header_count++] =
            (struct rv_http_header){model->codec->key_header, model->key_field};
    error = rv_http_start(completion->runtime, &options, &completion->http);
    if (!error && completion->paused)
        rv_http_pause(completion->http);
    return error;
}

/* Messages until all are written or the slice of time is over. */
static int encode_some(struct reeve_completion *completion)
{
    const struct rv_codec *codec = completion->model->codec;
    const uint64_t end_ns = rv_precise_now_ns(completion->runtime) + slice_ns;
    int error;

    while (completion->cursor.next < completion->messages.count) {
        error = codec->encode_add(&completion->request, &completion->cursor,
                                  completion->response.reader, &completion->body);
        if (error || rv_precise_now_ns(completion->runtime) >= end_ns)
            return error;
    }
    return 0;
}

static void end_encoding(struct reeve_completion *completion, int error)
{
    if (error == REEVE_ECANCELED)
        describe_cancel(completion);
    else
        describe(completion, error,
                 error == REEVE_ETOOBIG ? "the request is larger than 256 MiB"
                                        : reeve_error_text(error));
    finish(completion, error);
}

static void encode(struct rv_task *task)
{
    struct reeve_completion *completion = rv_container_of(task, struct reeve_completion, task);
    int error = completion->canceled ? REEVE_ECANCELED : encode_some(completion);

    if (!error && completion->cursor.next < completion->messages.count) {
        rv_ready_push(completion->runtime, task);
        return;
    }
    if (!error)
        error = completion->model->codec->encode_end(&completion->request, &completion->cursor,
                                                     &completion->body);
    if (!error)
        error = start_request(completion);
    if (error) {
        end_encoding(completion, error);
        return;
    }
    completion->state = COMPLETION_WAITING;
    rv_snapshot_done(&completion->messages);
}

/* ---- starting -------------------------------------------------------------------------------- */

static bool tool_choice_valid(const struct reeve_completion_options *options)
{
    switch (options->tool_choice) {
    case REEVE_TOOL_CHOICE_AUTO:
    case REEVE_TOOL_CHOICE_NONE:
    case REEVE_TOOL_CHOICE_REQUIRED:
        return true;
    case REEVE_TOOL_CHOICE_NAMED:
        return options->tool_choice_name && *options->tool_choice_name;
    }
    return false;
}

static int check_options(const struct reeve_completion_options *options)
{
    size_t i;

    if (!options->on_done || !options->transcript || isinf(options->temperature))
        return REEVE_EINVAL;
    if (options->tool_count && !options->tools)
        return REEVE_EINVAL;
    if (isinf(options->top_p) || (options->stop_count && !options->stop))
        return REEVE_EINVAL;
    for (i = 0; i < options->stop_count; i++)
        if (!options->stop[i] || !*options->stop[i])
            return REEVE_EINVAL;
    if (!tool_choice_valid(options))
        return REEVE_EINVAL;
    if (!reeve_transcript_count(options->transcript))
        return REEVE_EINVAL;
    return reeve_transcript_check(options->transcript, NULL);
}

/* All of the body but the messages. */
static int begin_body(struct reeve_completion *completion,
                      const struct reeve_completion_options *options)
{
    struct reeve_model *model = completion->model;
    int error;

    if (options->tool_count) {
        error = rv_tools_cache_fill(&model->tools, model->codec, options->tools,
                                    options->tool_count, completion->response.reader);
        if (error)
            return error;
        completion->request.tools_json = model->tools.json.data;
        completion->request.tools_json_len = model->tools.json.len;
    }
    error = model->codec->encode_begin(&completion->request, &completion->body);
    completion->request.tools_json = NULL; /* the next completion may change it */
    return error;
}

/* What of the request the options say; the texts are borrowed until the body is begun. */
static void fill_request(struct rv_request *request, const struct reeve_model *model,
                         const struct reeve_completion_options *options)
{
    const char *name = options->response_schema_name;

    *request = (struct rv_request){
        .model = model->name,
        .temperature =
            isnan(options->temperature) ? model->options.temperature : options->temperature,
        .max_output_tokens = options->max_output_tokens ? options->max_output_tokens
                                                        : model->options.max_output_tokens,
        .own_host = model->own_host,
        .stream = options->stream != 0,
        .send_reasoning = model->options.send_reasoning != 0,
        .one_call = !options->parallel_calls,
        .top_p = options->top_p,
        .has_seed = options->seed >= 0,
        .seed = options->seed,
        .stop = options->stop,
        .stop_count = options->stop_count,
        .tool_choice = options->tool_choice,
        .tool_choice_name = options->tool_choice_name,
        .schema = options->response_schema,
        .schema_name = name && *name ? name : "answer",
        .extra = model->extra,
    };
}

static int prepare(struct reeve_completion *completion,
                   const struct reeve_completion_options *options)
{
    const struct rv_listener listener = {text_came, reasoning_came, completion};
    struct reeve_model *model = completion->model;
    int error;

    error = rv_response_init(&completion->response, completion->mem, model->codec, &model->place,
                             model->options.max_response_bytes, &listener);
    if (!error && options->response_schema)
        error = rv_encode_check_object(completion->response.reader, options->response_schema);
    if (error)
        return error;
    fill_request(&completion->request, model, options);
    completion->request.messages = &completion->messages;
    rv_transcript_snapshot(options->transcript, &completion->messages);
    return begin_body(completion, options);
}

static struct reeve_completion *completion_new(struct reeve_model *model,
                                               const struct reeve_completion_options *options)
{
    struct reeve_completion *completion = rv_zalloc(model->mem, sizeof *completion);

    if (!completion)
        return NULL;
    completion->runtime = model->runtime;
    completion->mem = model->mem;
    completion->model = model;
    completion->on_text = options->on_text;
    completion->on_reasoning = options->on_reasoning;
    completion->on_done = options->on_done;
    completion->arg = options->arg;
    rv_list_init(&completion->node);
    rv_task_init(&completion->task, encode);
    rv_task_init(&completion->deliver, deliver);
    rv_buffer_init(&completion->untold, model->mem, model->options.max_response_bytes);
    rv_timer_init(&completion->grace, grace_over);
    rv_buffer_init(&completion->body, model->mem, RV_MAX_REQUEST_BYTES);
    return completion;
}

RV_EXPORT int reeve_complete(struct reeve_model *model,
                             const struct reeve_completion_options *options,
                             struct reeve_completion **ret_completion)
{
    struct reeve_completion_options known;
    struct reeve_completion *completion;
    int error;

    if (!model || !options || !ret_completion)
        return REEVE_EINVAL;
    if (model->closing || rv_runtime_closing(model->runtime))
        return REEVE_ECLOSING;
    reeve_completion_options_init(&known);
    error = rv_options_copy(&known, sizeof known, options);
    if (!error)
        error = check_options(&known);
    if (error)
        return error;
    completion = completion_new(model, &known);
    if (!completion)
        return REEVE_ENOMEM;
    error = prepare(completion, &known);
    if (error) {
        completion_free(completion);
        return error;
    }
    rv_list_append(&model->completions, &completion->node);
    rv_pending_add(model->runtime, &completion->pending, abort_pending);
    rv_ready_push(model->runtime, &completion->task);
    *ret_completion = completion;
    return 0;
}

RV_EXPORT void reeve_completion_cancel(struct reeve_completion *completion)
{
    if (completion->state == COMPLETION_OVER || completion->canceled)
        return;
    completion->canceled = true;
    if (completion->http)
        rv_http_cancel(completion->http);
    if (completion->ended)
        rv_ready_push(completion->runtime, &completion->deliver);
}

RV_EXPORT void reeve_completion_pause(struct reeve_completion *completion)
{
    if (completion->state == COMPLETION_OVER || completion->paused)
        return;
    completion->paused = true;
    if (completion->http)
        rv_http_pause(completion->http);
}

RV_EXPORT void reeve_completion_resume(struct reeve_completion *completion)
{
    if (completion->state == COMPLETION_OVER || !completion->paused)
        return;
    completion->paused = false;
    if (completion->behind || completion->ended)
        rv_ready_push(completion->runtime, &completion->deliver);
    if (completion->http)
        rv_http_resume(completion->http);
}

void rv_completion_disown(struct reeve_completion *completion)
{
    completion->on_text = NULL;
    completion->on_reasoning = NULL;
    completion->on_done = NULL;
    reeve_completion_cancel(completion);
}

/* ---- what came ------------------------------------------------------------------------------- */

RV_EXPORT const char *reeve_completion_text(const struct reeve_completion *completion,
                                            size_t *ret_len)
{
    const struct rv_buffer *text = &completion->response.answer.text.text;

    if (ret_len)
        *ret_len = text->len;
    return rv_buffer_text(text);
}

RV_EXPORT const struct reeve_call *reeve_completion_calls(const struct reeve_completion *completion,
                                                          size_t *ret_count)
{
    const struct rv_assembly *calls = &completion->response.answer.calls;
    const size_t count = completion->succeeded ? calls->finished_count : 0;

    if (ret_count)
        *ret_count = count;
    return count ? calls->finished : NULL;
}

RV_EXPORT enum reeve_finish reeve_completion_finish(const struct reeve_completion *completion)
{
    return completion->succeeded ? completion->response.answer.finish : REEVE_FINISH_NONE;
}

RV_EXPORT const struct reeve_usage *reeve_completion_usage(
    const struct reeve_completion *completion)
{
    return &completion->response.answer.usage;
}

RV_EXPORT const struct reeve_error_detail *reeve_completion_error(
    const struct reeve_completion *completion)
{
    return completion->detail;
}

RV_EXPORT int reeve_transcript_add_completion(struct reeve_transcript *transcript,
                                              const struct reeve_completion *completion)
{
    struct rv_message_parts parts = {.role = REEVE_ROLE_ASSISTANT};
    struct reeve_message *message;
    struct rv_part *layout;
    int error;

    if (!transcript || !completion)
        return REEVE_EINVAL;
    parts.text = reeve_completion_text(completion, &parts.text_len);
    parts.calls = reeve_completion_calls(completion, &parts.call_count);
    if (!parts.text_len && !parts.call_count)
        return 0;
    error = rv_layout_parts(&completion->response.answer.layout, completion->succeeded,
                            parts.call_count, &layout, &parts.part_count);
    if (error)
        return error;
    parts.parts = layout;
    error = rv_message_new(rv_transcript_mem(transcript), &parts, &message);
    rv_free(completion->mem, layout);
    if (error)
        return error;
    error = rv_transcript_take(transcript, message);
    if (error)
        rv_message_unref(message);
    return error;
}
