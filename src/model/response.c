/* SPDX-License-Identifier: MIT */
/* From the bytes of a response to an answer or to what went wrong. */
#include "model/response.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <reeve/error.h>

enum {
    MAX_FIRST_BYTES = 256,
    MAX_ERROR_BYTES = 64 * 1024,
    MAX_WHAT_BYTES = 256,
};

static int take_event(const struct rv_event *event, void *arg);
static int take_sse_event(const struct rv_sse_event *event, void *arg);

static int wake_reader(struct rv_response *response)
{
    struct rv_json_limits limits = rv_json_default_limits;
    int error;

    if (response->reader)
        return 0;
    limits.max_bytes = response->max_bytes;
    error = rv_json_reader_new(response->mem, &limits, &response->reader);
    response->decoder.reader = response->reader;
    return error;
}

static void rest_reader(struct rv_response *response)
{
    rv_json_reader_free(response->reader);
    response->reader = NULL;
    response->decoder.reader = NULL;
}

int rv_response_init(struct rv_response *response, struct rv_mem *mem, const struct rv_codec *codec,
                     const struct rv_problem_place *place, size_t max_bytes,
                     const struct rv_listener *listener)
{
    const struct rv_event_sink sink = {take_event, response};

    *response =
        (struct rv_response){.mem = mem, .codec = codec, .place = place, .max_bytes = max_bytes};
    rv_buffer_init(&response->first, mem, MAX_ERROR_BYTES);
    rv_sse_init(&response->sse, mem, max_bytes, take_sse_event, response);
    rv_decoder_init(&response->decoder, codec, mem, NULL, &sink, max_bytes);
    rv_answer_init(&response->answer, mem, max_bytes, listener);
    return wake_reader(response);
}

void rv_response_leave_values(struct rv_response *response, struct rv_arena *arena)
{
    if (response->reader)
        rv_json_reader_rest_into(response->reader, arena);
}

void rv_response_done(struct rv_response *response)
{
    if (!response->mem)
        return;
    rv_answer_done(&response->answer);
    rv_decoder_done(&response->decoder);
    rv_sse_done(&response->sse);
    rv_buffer_done(&response->first);
    rest_reader(response);
    rv_failure_done(&response->failure, response->mem);
    response->mem = NULL;
}

/* ---- what went wrong ------------------------------------------------------------------------- */

static int fail_with(struct rv_response *response, const struct reeve_error_detail *detail)
{
    rv_failure_keep(&response->failure, response->mem, detail);
    return detail->code;
}

/* Codes that carry no detail of their own yet get one here. */
static int fail(struct rv_response *response, int error)
{
    struct reeve_error_detail detail;

    if (response->failure.code)
        return response->failure.code;
    if (error == REEVE_ECANCELED)
        return error;
    if (error == REEVE_ETOOBIG)
        rv_problem_plain(&detail, response->place, error,
                         "the answer is larger than max_response_bytes allows, has more tool calls "
                         "than are taken or is nested too deeply");
    else
        rv_problem_plain(&detail, response->place, error, reeve_error_text(error));
    detail.http_status = response->head.status;
    return fail_with(response, &detail);
}

static int fail_format(struct rv_response *response, const char *what, const char *body,
                       size_t body_len)
{
    struct reeve_error_detail detail;

    rv_problem_format(&detail, response->place, what, response->head.content_type, body, body_len);
    detail.http_status = response->head.status;
    return fail_with(response, &detail);
}

static int fail_alien(struct rv_response *response)
{
    return fail_format(response, "expected JSON or an event stream",
                       rv_buffer_text(&response->first), response->first.len);
}

/* Text that should have been JSON, or JSON that is no answer. */
static int fail_json(struct rv_response *response, int error, const char *what, const char *body,
                     size_t body_len)
{
    char words[MAX_WHAT_BYTES];

    if (error != REEVE_EPARSE && error != REEVE_EPROTOCOL)
        return fail(response, error);
    if (response->failure.code)
        return response->failure.code;
    if (error == REEVE_EPROTOCOL) {
        snprintf(words, sizeof words, "expected %s that is an answer", what);
    } else {
        snprintf(words, sizeof words, "expected %s (%s)", what,
                 rv_json_reader_problem(response->reader)->text);
    }
    return fail_format(response, words, body, body_len);
}

static int fail_status(struct rv_response *response)
{
    const struct rv_buffer *body = &response->first;
    const struct reeve_json *value;
    struct rv_provider_error error;
    const struct rv_provider_error *understood = NULL;
    struct reeve_error_detail detail;
    int parsed;

    rv_json_reader_reset(response->reader);
    parsed = rv_json_reader_parse(response->reader, rv_buffer_text(body), body->len, &value);
    if (!parsed) {
        rv_provider_error_read(value, &error);
        understood = &error;
    }
    rv_problem_status(&detail, response->place, &response->head, understood, rv_buffer_text(body),
                      body->len);
    return fail_with(response, &detail);
}

static int fail_provider(struct rv_response *response, const struct reeve_json *value)
{
    struct reeve_error_detail detail;
    struct rv_provider_error error;

    rv_provider_error_read(value, &error);
    rv_problem_provider(&detail, response->place, &response->head, &error);
    return fail_with(response, &detail);
}

static int fail_cut_short(struct rv_response *response)
{
    struct reeve_error_detail detail;

    rv_problem_plain(&detail, response->place, REEVE_ECUTSHORT,
                     "the stream ended before the answer was complete");
    detail.retryable = 1;
    detail.http_status = response->head.status;
    return fail_with(response, &detail);
}

/* ---- events ---------------------------------------------------------------------------------- */

static int take_event(const struct rv_event *event, void *arg)
{
    struct rv_response *response = arg;

    if (event->kind == RV_EVENT_ERROR)
        return fail_provider(response, event->error);
    return rv_answer_add(&response->answer, event);
}

static int take_sse_event(const struct rv_sse_event *event, void *arg)
{
    struct rv_response *response = arg;
    int error;

    response->any_event = true;
    error = rv_decoder_event(&response->decoder, event->type, event->data, event->data_len);
    if (!error)
        return 0;
    return fail_json(response, error, "JSON in each event of the stream", event->data,
                     event->data_len);
}

static int end_body(struct rv_response *response)
{
    const struct reeve_json *value;
    int error = rv_json_reader_finish(response->reader, &value);

    if (!error)
        error = rv_decoder_body(&response->decoder, value);
    if (!error)
        return 0;
    return fail_json(response, error, "JSON", rv_buffer_text(&response->first),
                     response->first.len);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

void rv_response_head(struct rv_response *response, const struct rv_problem_head *head)
{
    static const char stream_type[] = "text/event-stream";

    response->head = *head;
    response->declared_stream =
        head->content_type && !strncasecmp(head->content_type, stream_type, sizeof stream_type - 1);
    if (head->status >= 300)
        response->kind = RV_RESPONSE_ERROR;
}

/* Keep what there is room for below `max`. */
static int keep_first(struct rv_response *response, const char *bytes, size_t len, size_t max)
{
    const size_t room = max > response->first.len ? max - response->first.len : 0;

    return rv_buffer_add(&response->first, bytes, len < room ? len : room);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* By the first byte: JSON answers are objects (some errors lists), and the lines of a stream begin
 * with one of five names or a colon. */
static enum rv_response_kind kind_of(const struct rv_response *response, char byte)
{
    if (byte == '{' || byte == '[')
        return RV_RESPONSE_BODY;
    if (response->declared_stream || (byte && strchr(":deir", byte)))
        return RV_RESPONSE_STREAM;
    return RV_RESPONSE_ALIEN;
}

static int feed_error(struct rv_response *response, const char *bytes, size_t len)
{
    int error = keep_first(response, bytes, len, MAX_ERROR_BYTES);

    if (error)
        return fail(response, error);
    return response->first.len == MAX_ERROR_BYTES ? fail_status(response) : 0;
}

static int feed_stream(struct rv_response *response, const char *bytes, size_t len)
{
    int error = wake_reader(response);

    if (!error && !response->any_event)
        error = keep_first(response, bytes, len, MAX_FIRST_BYTES);
    if (!error)
        error = rv_sse_feed(&response->sse, bytes, len);
    /* Of thousands of streams most wait for their model: they are to be small. */
    rest_reader(response);
    if (response->any_event)
        rv_buffer_done(&response->first);
    return error ? fail(response, error) : 0;
}

static int feed_body(struct rv_response *response, const char *bytes, size_t len)
{
    int error = keep_first(response, bytes, len, MAX_FIRST_BYTES);

    if (!error)
        error = rv_json_reader_feed(response->reader, bytes, len);
    if (!error)
        return 0;
    return fail_json(response, error, "JSON", rv_buffer_text(&response->first),
                     response->first.len);
}

static int feed_alien(struct rv_response *response, const char *bytes, size_t len)
{
    int error = keep_first(response, bytes, len, MAX_FIRST_BYTES);

    if (error)
        return fail(response, error);
    return response->first.len == MAX_FIRST_BYTES ? fail_alien(response) : 0;
}

int rv_response_feed(struct rv_response *response, const char *bytes, size_t len)
{
    if (response->kind == RV_RESPONSE_UNKNOWN) {
        while (len && is_space(*bytes)) {
            bytes++;
            len--;
        }
        if (len)
            response->kind = kind_of(response, *bytes);
        rv_json_reader_reset(response->reader); /* the request was encoded with it */
    }
    switch (response->kind) {
    case RV_RESPONSE_ERROR:
        return feed_error(response, bytes, len);
    case RV_RESPONSE_STREAM:
        return feed_stream(response, bytes, len);
    case RV_RESPONSE_BODY:
        return feed_body(response, bytes, len);
    case RV_RESPONSE_ALIEN:
        return feed_alien(response, bytes, len);
    case RV_RESPONSE_UNKNOWN:
        break;
    }
    return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

bool rv_response_complete(const struct rv_response *response)
{
    return response->answer.finish != REEVE_FINISH_NONE;
}

bool rv_response_over(const struct rv_response *response)
{
    return response->decoder.ended;
}

static int conclude(struct rv_response *response)
{
    switch (response->kind) {
    case RV_RESPONSE_ERROR:
        return fail_status(response);
    case RV_RESPONSE_BODY:
        return end_body(response);
    case RV_RESPONSE_STREAM:
        if (rv_response_complete(response))
            return 0;
        if (!response->any_event && !response->declared_stream)
            return fail_alien(response);
        return fail_cut_short(response);
    case RV_RESPONSE_ALIEN:
        return fail_alien(response);
    case RV_RESPONSE_UNKNOWN:
        break;
    }
    return response->declared_stream ? fail_cut_short(response) : fail_alien(response);
}

int rv_response_finish(struct rv_response *response, uint64_t seed)
{
    int error = conclude(response);

    if (error)
        return error;
    error = rv_answer_end(&response->answer);
    if (!error)
        error = rv_answer_finish(&response->answer, seed);
    return error ? fail(response, error) : 0;
}

void rv_response_give_up(struct rv_response *response)
{
    /* Without memory the beginning of a character at the end is lost, and nothing else. */
    (void)rv_answer_end(&response->answer);
    rv_assembly_clear(&response->answer.calls);
    response->answer.finish = REEVE_FINISH_NONE;
}
