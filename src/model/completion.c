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
 */
#include "model/completion.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <reeve/error.h>
#include <reeve/version.h>

#include "base/export.h"
#include "base/options.h"
#include "io/http.h"
#include "loop/clock.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "loop/timer.h"
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

    void (*on_text)(struct reeve_completion *completion, const char *text, size_t len, void *arg);
    void (*on_done)(struct reeve_completion *completion, int error, void *arg);
    void *arg;

    struct rv_snapshot messages; /* ENCODING */
    struct rv_request request;
    size_t next_message;
    struct rv_buffer body;

    struct rv_http *http;
    int error; /* why the response failed */
    struct rv_response response;
};

RV_EXPORT void reeve_completion_options_init_size(struct reeve_completion_options *options,
                                                  size_t size)
{
    const struct reeve_completion_options defaults = {
        .size = size,
        .stream = 1,
        .temperature = (double)NAN,
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
    };

    return (size_t)finish < sizeof names / sizeof *names ? names[finish] : "unknown";
}

/* ---- the end --------------------------------------------------------------------------------- */

static void completion_free(struct reeve_completion *completion)
{
    struct rv_mem *mem = completion->mem;

    rv_snapshot_done(&completion->messages);
    rv_buffer_done(&completion->body);
    rv_response_done(&completion->response);
    rv_free(mem, completion);
}

/* Over: unlink, release, tell. Where the request is still on the stack its end frees us. */
static void finish(struct reeve_completion *completion, int error)
{
    assert(completion->state != COMPLETION_OVER);
    completion->state = COMPLETION_OVER;
    completion->succeeded = !error;
    if (error)
        rv_response_give_up(&completion->response);
    rv_ready_remove(&completion->task);
    rv_timer_stop(completion->runtime, &completion->grace);
    rv_list_remove(&completion->node);
    completion->model = NULL;
    rv_snapshot_done(&completion->messages);
    rv_buffer_done(&completion->body);
    if (!completion->http)
        rv_pending_remove(completion->runtime, &completion->pending);
    if (completion->on_done)
        completion->on_done(completion, error, completion->arg);
    if (!completion->http)
        completion_free(completion);
}

static void describe_cancel(struct reeve_completion *completion)
{
    rv_problem_plain(&completion->response.detail, &completion->model->place, REEVE_ECANCELED,
                     "the completion was cancelled");
}

/* End it before this returns. */
static void end_now(struct reeve_completion *completion)
{
    completion->canceled = true;
    if (completion->http && !completion->in_http) {
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

    if (completion->on_text && !completion->canceled)
        completion->on_text(completion, text, len, completion->arg);
    return completion->canceled ? REEVE_ECANCELED : 0;
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
        .location = rv_http_header_value(http, "location"),
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

    if (completion->canceled) {
        describe_cancel(completion);
        return REEVE_ECANCELED;
    }
    if (completion->error)
        return completion->error;
    if (!error || rv_response_complete(response) || rv_response_over(response) ||
        (response->head.status >= 300 && error != REEVE_ENOMEM))
        return rv_response_finish(response, rv_runtime_random(completion->runtime));
    rv_problem_transport(&response->detail, &completion->model->place, error,
                         rv_http_problem(http));
    response->detail.http_status = response->head.status;
    return error;
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
        rv_pending_remove(completion->runtime, &completion->pending);
        completion_free(completion);
        return;
    }
    /* The last of the text may have been told only now, and have led to a cancel. */
    if (completion->canceled && (!error || error == REEVE_ECANCELED)) {
        describe_cancel(completion);
        error = REEVE_ECANCELED;
    }
    finish(completion, error);
}

/* ---- ENCODING -------------------------------------------------------------------------------- */

static int start_request(struct reeve_completion *completion)
{
    const struct reeve_model *model = completion->model;
    struct rv_http_header headers[4];
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

    headers[0] = (struct rv_http_header){"Content-Type", "application/json"};
    headers[1] = (struct rv_http_header){"Accept", completion->request.stream
                                                       ? "text/event-stream, application/json"
                                                       : "application/json"};
    headers[2] = (struct rv_http_header){"User-Agent", "reeve/" REEVE_VERSION_STRING};
    headers[3] = (struct rv_http_header){model->codec->key_header, model->key_field};
    options.header_count = model->key_field ? 4 : 3;
    return rv_http_start(completion->runtime, &options, &completion->http);
}

/* Messages until all are written or the slice of time is over. */
static int encode_some(struct reeve_completion *completion)
{
    const struct rv_codec *codec = completion->model->codec;
    const uint64_t end_ns = rv_precise_now_ns(completion->runtime) + slice_ns;
    int error;

    while (completion->next_message < completion->messages.count) {
        error = codec->encode_add(&completion->request, &completion->next_message,
                                  completion->response.reader, &completion->body);
        if (error || rv_precise_now_ns(completion->runtime) >= end_ns)
            return error;
    }
    return 0;
}

static void end_encoding(struct reeve_completion *completion, int error)
{
    struct reeve_error_detail *detail = &completion->response.detail;

    if (error == REEVE_ECANCELED)
        describe_cancel(completion);
    else
        rv_problem_plain(detail, &completion->model->place, error,
                         error == REEVE_ETOOBIG ? "the request is larger than 256 MiB"
                                                : reeve_error_text(error));
    finish(completion, error);
}

static void encode(struct rv_task *task)
{
    struct reeve_completion *completion = rv_container_of(task, struct reeve_completion, task);
    int error = completion->canceled ? REEVE_ECANCELED : encode_some(completion);

    if (!error && completion->next_message < completion->messages.count) {
        rv_ready_push(completion->runtime, task);
        return;
    }
    if (!error)
        error = completion->model->codec->encode_end(&completion->request, &completion->body);
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

static int check_options(const struct reeve_completion_options *options)
{
    if (!options->on_done || !options->transcript || isinf(options->temperature))
        return REEVE_EINVAL;
    if (options->tool_count && !options->tools)
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

static int prepare(struct reeve_completion *completion,
                   const struct reeve_completion_options *options)
{
    struct reeve_model *model = completion->model;
    int error;

    error = rv_response_init(&completion->response, completion->mem, model->codec, &model->place,
                             model->options.max_response_bytes, text_came, completion);
    if (error)
        return error;
    completion->request = (struct rv_request){
        .model = model->name,
        .messages = &completion->messages,
        .temperature =
            isnan(options->temperature) ? model->options.temperature : options->temperature,
        .max_output_tokens = options->max_output_tokens ? options->max_output_tokens
                                                        : model->options.max_output_tokens,
        .own_host = model->own_host,
        .stream = options->stream != 0,
    };
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
    completion->on_done = options->on_done;
    completion->arg = options->arg;
    rv_list_init(&completion->node);
    rv_task_init(&completion->task, encode);
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
}

void rv_completion_disown(struct reeve_completion *completion)
{
    completion->on_text = NULL;
    completion->on_done = NULL;
    reeve_completion_cancel(completion);
}

/* ---- what came ------------------------------------------------------------------------------- */

RV_EXPORT const char *reeve_completion_text(const struct reeve_completion *completion,
                                            size_t *ret_len)
{
    const struct rv_buffer *text = &completion->response.answer.text;

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
    const struct reeve_error_detail *detail = &completion->response.detail;

    return completion->state == COMPLETION_OVER && detail->code ? detail : NULL;
}

RV_EXPORT int reeve_transcript_add_completion(struct reeve_transcript *transcript,
                                              const struct reeve_completion *completion)
{
    struct rv_message_parts parts = {.role = REEVE_ROLE_ASSISTANT};
    struct reeve_message *message;
    int error;

    if (!transcript || !completion)
        return REEVE_EINVAL;
    parts.text = reeve_completion_text(completion, &parts.text_len);
    parts.calls = reeve_completion_calls(completion, &parts.call_count);
    if (!parts.text_len && !parts.call_count)
        return 0;
    error = rv_message_new(rv_transcript_mem(transcript), &parts, &message);
    if (error)
        return error;
    error = rv_transcript_take(transcript, message);
    if (error)
        rv_message_unref(message);
    return error;
}
