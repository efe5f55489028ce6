/* SPDX-License-Identifier: MIT */
/*
 * A request, above the wire (io/http_wire.h).
 *
 *   (QUEUED ─►) CONNECTING ─► WAITING ─► RECEIVING ─► ENDED ─► on_done, gone
 *
 * Happy path: it is the request's turn (io/http_queue.h), the wire has a connection, the first line
 * of the answer comes, the head is complete, the body comes in pieces, the wire ends. What comes is
 * kept here and handed on from the ready queue: the head, then what has arrived of the body, then
 * on_done.
 *
 * Each state but ENDED has its time limit, and there is one over all: whatever is reached first
 * takes the request off the wire. So do cancel and abort, from any state. The wire can end in each
 * state: no name, no connection, no trust, connection lost, not HTTP, no memory. A body over its
 * cap, a head over 64 KiB and a failed allocation are refused to the wire, which ends then.
 *
 * Back pressure: more than MAX_ARRIVED_BYTES waiting here are left to the wire, which stops
 * reading. While the owner pauses, silence is not the server's fault, and the idle limit rests.
 */
#include "io/http.h"

#include <assert.h>
#include <string.h>

#include "io/http_problem.h"
#include "io/http_wire.h"
#include "loop/clock.h"
#include "loop/runtime.h"

enum {
    MAX_ARRIVED_BYTES = 64 * 1024,
    MAX_FIELDS_BYTES = 256 * 1024,
    PIECE_BYTES = 16 * 1024, /* handed on in one go: what an owner does with more may take long */
};

/* ---- time limits ----------------------------------------------------------------------------- */

static uint32_t phase_limit_ms(const struct rv_http *http)
{
    switch (http->state) {
    case RV_HTTP_CONNECTING:
        return http->options.connect_timeout_ms;
    case RV_HTTP_WAITING:
        return http->options.first_byte_timeout_ms;
    case RV_HTTP_RECEIVING:
        return http->options.idle_timeout_ms;
    case RV_HTTP_QUEUED:
    case RV_HTTP_ENDED:
        break;
    }
    return 0;
}

static void enter(struct rv_http *http, enum rv_http_state state)
{
    uint32_t limit_ms;

    http->state = state;
    limit_ms = phase_limit_ms(http);
    if (limit_ms)
        rv_timer_start_ms(http->runtime, &http->phase_timer, limit_ms);
    else
        rv_timer_stop(http->runtime, &http->phase_timer);
    if (state == RV_HTTP_ENDED)
        rv_timer_stop(http->runtime, &http->total_timer);
}

/* Off the wire and done, but for telling so. */
static void settle(struct rv_http *http, int error)
{
    http->error = error;
    enter(http, RV_HTTP_ENDED);
    rv_http_place_leave(http->runtime, &http->place);
    rv_ready_push(http->runtime, &http->task);
}

static void stop(struct rv_http *http, int error)
{
    if (http->state != RV_HTTP_QUEUED)
        rv_wire_stop(http);
    settle(http, error);
}

/* The server is not what is waited for. */
static bool limit_rests(const struct rv_http *http)
{
    if (http->state == RV_HTTP_WAITING)
        return rv_http_pull_waits(http);
    return http->wire_paused || http->paused;
}

static void phase_over(struct rv_timer *timer)
{
    struct rv_http *http = rv_container_of(timer, struct rv_http, phase_timer);
    uint64_t limit_ns = phase_limit_ms(http) * RV_NS_PER_MS;
    uint64_t now_ns = rv_turn_now_ns(http->runtime);
    uint64_t deadline_ns;

    if (http->state == RV_HTTP_RECEIVING ||
        (http->state == RV_HTTP_WAITING && http->options.on_body)) {
        /* A byte does not move the timer, which would cost on each piece: it is asked for here. */
        deadline_ns = (limit_rests(http) ? now_ns : http->last_byte_ns) + limit_ns;
        if (deadline_ns > now_ns) {
            rv_timer_start_at_ns(http->runtime, timer, deadline_ns);
            return;
        }
    }
    rv_http_describe_limit(http, 0);
    stop(http, REEVE_ETIMEDOUT);
}

static void whole_over(struct rv_timer *timer)
{
    struct rv_http *http = rv_container_of(timer, struct rv_http, total_timer);

    rv_http_describe_limit(http, 1);
    /* An owner that pauses for ever must not keep the request beyond its time. */
    if (http->paused)
        http->dropping = true;
    stop(http, REEVE_ETIMEDOUT);
}

/* ---- from the wire --------------------------------------------------------------------------- */

void rv_http_connected(struct rv_http *http)
{
    http->last_byte_ns = rv_turn_now_ns(http->runtime);
    if (http->state == RV_HTTP_CONNECTING)
        enter(http, RV_HTTP_WAITING);
}

/* What a proxy answers in place of the server is no answer. */
static bool is_of_proxy(const struct rv_http *http)
{
    return http->head.status == 407 && http->proxy.label && !http->parsed_url.secure;
}

static void note_byte(struct rv_http *http)
{
    http->last_byte_ns = rv_turn_now_ns(http->runtime);
    if (http->state != RV_HTTP_RECEIVING)
        enter(http, RV_HTTP_RECEIVING);
}

enum rv_http_take rv_http_head_came(struct rv_http *http, const char *line, size_t len)
{
    int error;

    note_byte(http);
    error = rv_http_head_line(&http->head, line, len);
    if (error) {
        http->refusal = error;
        return RV_HTTP_REFUSED;
    }
    if (http->head.complete && is_of_proxy(http)) {
        http->proxy_refused = http->dropping = true;
        return RV_HTTP_REFUSED;
    }
    if (http->head.complete && !http->head_told)
        rv_ready_push(http->runtime, &http->task);
    return RV_HTTP_TAKEN;
}

/* Up to the cap all of it, so that what is told of a body that is too large, and whether its owner
 * has what it wanted by then, does not depend on how the body was cut. */
static bool keep_arrived(struct rv_http *http, const char *bytes, size_t len)
{
    const size_t room = http->options.max_response_bytes - http->received_bytes;
    const size_t kept = len < room ? len : room;

    http->refusal = rv_buffer_add(&http->arrived, bytes, kept);
    if (http->refusal)
        return false;
    http->received_bytes += kept;
    if (kept < len)
        http->refusal = REEVE_ETOOBIG;
    return !http->refusal;
}

enum rv_http_take rv_http_body_came(struct rv_http *http, const char *bytes, size_t len)
{
    note_byte(http);
    if (http->arrived.len && len > MAX_ARRIVED_BYTES - http->arrived.len) {
        http->wire_paused = true;
        return RV_HTTP_HELD;
    }
    if (!keep_arrived(http, bytes, len))
        return RV_HTTP_REFUSED;
    if (!http->paused)
        rv_ready_push(http->runtime, &http->task);
    return RV_HTTP_TAKEN;
}

void rv_http_ended(struct rv_http *http, int error, const char *detail)
{
    if (http->proxy_refused)
        error = REEVE_ECONNECT;
    else if (http->refusal)
        error = http->refusal;
    else if (!error && !http->head.complete)
        error = REEVE_ECONNLOST;
    if (http->proxy_refused)
        rv_http_describe_proxy(http, error, 407);
    else if (error)
        rv_http_describe(http, error, http->refusal ? NULL : detail);
    settle(http, error);
}

/* ---- to the owner ---------------------------------------------------------------------------- */

/* The three tellings return whether the request goes on: a callback may have cancelled it. */
static bool tell_head(struct rv_http *http)
{
    if (http->head_told || !http->head.complete)
        return true;
    http->head_told = true;
    if (http->state != RV_HTTP_ENDED)
        rv_buffer_fit(&http->head.fields);
    if (!http->options.on_head)
        return true;
    http->in_callback = true;
    http->options.on_head(http, http->head.status, http->options.arg);
    http->in_callback = false;
    return !http->canceled;
}

/* A piece; if more is there the task is queued again, behind what else is to be done. */
static bool tell_data(struct rv_http *http)
{
    size_t len = http->arrived.len - http->told_at;

    if (http->paused || !len)
        return true;
    if (len > PIECE_BYTES)
        len = PIECE_BYTES;
    if (http->options.on_data) {
        http->in_callback = true;
        http->options.on_data(http, http->arrived.data + http->told_at, len, http->options.arg);
        http->in_callback = false;
    }
    rv_precise_now_ns(http->runtime); /* the queue would look at the clock too seldom */
    /* Nothing can have arrived in between: a wire is never entered from a callback. */
    http->told_at += len;
    if (http->told_at < http->arrived.len) {
        rv_ready_push(http->runtime, &http->task);
    } else {
        rv_buffer_done(&http->arrived); /* more may be long in coming */
        http->told_at = 0;
    }
    return !http->canceled;
}

static void wipe(struct rv_buffer *buffer)
{
    if (buffer->data)
        explicit_bzero(buffer->data, buffer->capacity);
    rv_buffer_done(buffer);
}

static void http_free(struct rv_http *http)
{
    rv_ready_remove(&http->task);
    rv_timer_stop(http->runtime, &http->phase_timer);
    rv_timer_stop(http->runtime, &http->total_timer);
    rv_free(http->mem, http->method);
    rv_free(http->mem, http->url);
    rv_http_url_done(http->mem, &http->parsed_url);
    wipe(&http->fields);
    rv_buffer_done(&http->body);
    rv_buffer_done(&http->pulled);
    rv_proxy_done(http->mem, &http->proxy);
    rv_http_place_leave(http->runtime, &http->place);
    rv_free(http->mem, http->location);
    rv_http_head_done(&http->head);
    rv_buffer_done(&http->arrived);
    rv_free(http->mem, http->problem);
    rv_free(http->mem, http);
}

static void finish(struct rv_http *http)
{
    http->finishing = true;
    http->in_callback = true;
    http->options.on_done(http, http->error, http->options.arg);
    http_free(http);
}

static void hand_on(struct rv_task *task)
{
    struct rv_http *http = rv_container_of(task, struct rv_http, task);
    int error;

    if (!http->dropping && (!tell_head(http) || !tell_data(http)))
        return; /* cancelled: the task is queued again */
    if (http->state == RV_HTTP_ENDED) {
        if (http->dropping || !http->arrived.len)
            finish(http);
        return;
    }
    if (http->wire_paused && !http->arrived.len) {
        http->wire_paused = false;
        http->last_byte_ns = rv_turn_now_ns(http->runtime);
        rv_wire_unpause(http);
    }
    if (http->state == RV_HTTP_ENDED || !http->options.on_body)
        return;
    error = rv_http_pull(http);
    if (error)
        stop(http, error);
}

/* ---- the interface --------------------------------------------------------------------------- */

void rv_http_cancel(struct rv_http *http)
{
    if (http->canceled || http->finishing)
        return;
    http->canceled = true;
    http->dropping = true;
    rv_http_describe(http, REEVE_ECANCELED, NULL);
    if (http->state == RV_HTTP_ENDED)
        settle(http, REEVE_ECANCELED);
    else
        stop(http, REEVE_ECANCELED);
}

void rv_http_abort(struct rv_http *http)
{
    assert(!http->in_callback);
    rv_http_cancel(http);
    finish(http);
}

void rv_http_pause(struct rv_http *http)
{
    http->paused = true;
}

void rv_http_resume(struct rv_http *http)
{
    if (!http->paused)
        return;
    http->paused = false;
    http->last_byte_ns = rv_turn_now_ns(http->runtime);
    if (!http->finishing)
        rv_ready_push(http->runtime, &http->task);
}

int rv_http_status(const struct rv_http *http)
{
    return http->head_told ? http->head.status : 0;
}

const char *rv_http_header_value(const struct rv_http *http, const char *name)
{
    return http->head_told ? rv_http_head_find(&http->head, name) : NULL;
}

const char *rv_http_problem(const struct rv_http *http)
{
    return http->problem ? http->problem : reeve_error_text(http->error);
}

const char *rv_http_location(struct rv_http *http)
{
    const char *target = rv_http_header_value(http, "location");
    size_t size;

    if (!target)
        return NULL;
    size = strlen(target) + 1;
    rv_free(http->mem, http->location);
    http->location = rv_alloc(http->mem, size);
    return http->location ? rv_http_url_show(target, http->location, size) : NULL;
}

/* ---- starting -------------------------------------------------------------------------------- */

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789!#$%&'*+-.^_`|~";

    return *text && !text[strspn(text, letters)];
}

static bool fields_valid(const struct rv_http_options *options)
{
    for (size_t i = 0; i < options->header_count; i++) {
        const struct rv_http_header *header = &options->headers[i];

        if (!is_token(header->name) || header->value[strcspn(header->value, "\r\n")])
            return false;
    }
    return true;
}

/* "name: value" and a NUL, for which there is room. */
static void add_field(struct rv_buffer *fields, const struct rv_http_header *header)
{
    rv_buffer_add_text(fields, header->name);
    rv_buffer_add(fields, ": ", 2);
    rv_buffer_add_text(fields, header->value);
    rv_buffer_add_byte(fields, '\0');
}

/* Room for all first: growing would leave copies of secrets behind. */
static int copy_fields(struct rv_http *http, const struct rv_http_options *options)
{
    size_t total = 0;
    int error;

    for (size_t i = 0; i < options->header_count; i++)
        total += strlen(options->headers[i].name) + strlen(options->headers[i].value) + 3;
    error = rv_buffer_reserve(&http->fields, total);
    if (error)
        return error;
    for (size_t i = 0; i < options->header_count; i++)
        add_field(&http->fields, &options->headers[i]);
    return 0;
}

static int choose_proxy(struct rv_http *http, const char *given)
{
    const struct rv_http_settings *settings = rv_http_settings_of(http->runtime);

    if (!settings)
        return REEVE_ENOMEM;
    return rv_proxy_choose(http->mem, given ? given : settings->proxy, &http->parsed_url,
                           &http->proxy);
}

static int copy_options(struct rv_http *http, const struct rv_http_options *options)
{
    int error = rv_http_url_parse(http->mem, options->url, &http->parsed_url);

    if (error)
        return error;
    http->method = rv_strdup(http->mem, options->method);
    http->url = rv_strdup(http->mem, options->url);
    if (!http->method || !http->url)
        return REEVE_ENOMEM;
    error = choose_proxy(http, options->proxy);
    return error ? error : copy_fields(http, options);
}

static struct rv_http *http_new(struct reeve_runtime *runtime,
                                const struct rv_http_options *options)
{
    struct rv_mem *mem = rv_runtime_mem(runtime);
    struct rv_http *http = rv_zalloc(mem, sizeof *http);

    if (!http)
        return NULL;
    http->runtime = runtime;
    http->mem = mem;
    http->options = *options;
    rv_task_init(&http->task, hand_on);
    rv_timer_init(&http->phase_timer, phase_over);
    rv_timer_init(&http->total_timer, whole_over);
    rv_buffer_init(&http->fields, mem, MAX_FIELDS_BYTES);
    rv_buffer_init(&http->body, mem, 0);
    rv_buffer_init(&http->pulled, mem, RV_HTTP_PULL_BYTES);
    http->body_over = options->on_body && !options->body_bytes;
    rv_buffer_init(&http->arrived, mem, SIZE_MAX - 1);
    rv_http_head_init(&http->head, mem);
    return http;
}

static void turn_came(struct rv_http_place *place)
{
    struct rv_http *http = rv_container_of(place, struct rv_http, place);

    if (rv_wire_start(http)) {
        rv_http_describe(http, REEVE_ENOMEM, NULL);
        settle(http, REEVE_ENOMEM);
        return;
    }
    enter(http, RV_HTTP_CONNECTING);
}

/* The body stays the caller's until the wire or the line has the request. */
static int begin(struct rv_http *http, struct rv_buffer *body)
{
    const struct rv_http_url *url = &http->parsed_url;
    bool now;
    int error = rv_http_place_take(http->runtime, &http->place, url->label, url->origin_len,
                                   turn_came, &now);

    if (error)
        return error;
    if (body)
        http->body = *body;
    error = now ? rv_wire_start(http) : 0;
    if (error) {
        rv_buffer_init(&http->body, http->mem, 0);
        return error;
    }
    if (body)
        rv_buffer_steal(body, NULL);
    enter(http, now ? RV_HTTP_CONNECTING : RV_HTTP_QUEUED);
    if (http->options.timeout_ms)
        rv_timer_start_ms(http->runtime, &http->total_timer, http->options.timeout_ms);
    return 0;
}

int rv_http_start(struct reeve_runtime *runtime, const struct rv_http_options *options,
                  struct rv_http **ret_http)
{
    struct rv_http *http;
    int error;

    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    if (!is_token(options->method) || !fields_valid(options))
        return REEVE_EINVAL;
    http = http_new(runtime, options);
    if (!http)
        return REEVE_ENOMEM;
    error = copy_options(http, options);
    if (!error)
        error = begin(http, options->body_take);
    if (error) {
        http_free(http);
        return error;
    }
    *ret_http = http;
    return 0;
}
