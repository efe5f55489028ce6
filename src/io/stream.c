/* SPDX-License-Identifier: MIT */
/*
 * A stream, above its link (io/stream_link.h).
 *
 *   CONNECTING ─► OPEN ─► ENDED ─► on_done, gone
 *
 * Happy path: the link connects; what is queued is sent from the ready queue, several writes of one
 * turn at once; what comes is handed on; when both sides have ended, so has the stream.
 *
 * It ends in any state by close, cancel and abort, in CONNECTING by its time limit, in OPEN by the
 * idle limit, by the link, and by a failed allocation. What arrived before is still handed on,
 * unless the owner ended it.
 */
#include "io/stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "io/stream_link.h"
#include "loop/clock.h"
#include "loop/runtime.h"

enum { MAX_ARRIVED_BYTES = 64 * 1024, MAX_HOST_BYTES = 255, MAX_PATH_BYTES = 107 };

/* ---- ending -----------------------------------------------------------------------------------
 */

static void describe(struct rv_stream *stream, const char *what)
{
    if (stream->unix_path)
        snprintf(stream->problem, sizeof stream->problem, "the connection to %.150s %.300s",
                 stream->unix_path, what);
    else
        snprintf(stream->problem, sizeof stream->problem, "the connection to %.150s port %u %.300s",
                 stream->host, stream->options.port, what);
}

static void settle(struct rv_stream *stream, int error)
{
    stream->error = error;
    stream->state = RV_STREAM_ENDED;
    rv_timer_stop(stream->runtime, &stream->timer);
    rv_ready_push(stream->runtime, &stream->task);
}

static void stop(struct rv_stream *stream, int error)
{
    rv_link_stop(stream);
    settle(stream, error);
}

static void limit_over(struct rv_timer *timer)
{
    struct rv_stream *stream = rv_container_of(timer, struct rv_stream, timer);
    uint64_t idle_ns = stream->options.idle_timeout_ms * RV_NS_PER_MS;
    uint64_t now_ns = rv_turn_now_ns(stream->runtime), deadline_ns;
    char text[96];

    if (stream->state == RV_STREAM_OPEN) {
        /* A byte does not move the timer, which would cost on each piece: it is asked for here. */
        deadline_ns = (stream->paused ? now_ns : stream->last_byte_ns) + idle_ns;
        if (deadline_ns > now_ns) {
            rv_timer_start_at_ns(stream->runtime, timer, deadline_ns);
            return;
        }
        snprintf(text, sizeof text, "was idle for %u ms", stream->options.idle_timeout_ms);
    } else {
        snprintf(text, sizeof text, "was not there after %u ms",
                 stream->options.connect_timeout_ms);
    }
    describe(stream, text);
    stop(stream, REEVE_ETIMEDOUT);
}

/* ---- from the link ----------------------------------------------------------------------------
 */

static void note_byte(struct rv_stream *stream)
{
    stream->last_byte_ns = rv_turn_now_ns(stream->runtime);
}

void rv_stream_connected(struct rv_stream *stream)
{
    stream->state = RV_STREAM_OPEN;
    stream->connected = true;
    note_byte(stream);
    rv_timer_stop(stream->runtime, &stream->timer);
    if (stream->options.idle_timeout_ms)
        rv_timer_start_ms(stream->runtime, &stream->timer, stream->options.idle_timeout_ms);
    rv_ready_push(stream->runtime, &stream->task);
}

size_t rv_stream_room(struct rv_stream *stream)
{
    stream->held = stream->paused || stream->arrived.len >= MAX_ARRIVED_BYTES;
    return stream->held ? 0 : MAX_ARRIVED_BYTES - stream->arrived.len;
}

void rv_stream_came(struct rv_stream *stream, const char *bytes, size_t len)
{
    note_byte(stream);
    /* The link is not stopped from inside its call: it is when this has been handed on. */
    if (rv_buffer_add(&stream->arrived, bytes, len))
        stream->error = REEVE_ENOMEM;
    rv_ready_push(stream->runtime, &stream->task);
}

void rv_stream_peer_ended(struct rv_stream *stream)
{
    stream->peer_ended = true;
    rv_ready_push(stream->runtime, &stream->task);
}

size_t rv_stream_next(const struct rv_stream *stream, const char **ret_bytes)
{
    size_t left = stream->queue.len - stream->sent_bytes;

    if (left)
        *ret_bytes = stream->queue.data + stream->sent_bytes;
    return left;
}

void rv_stream_sent(struct rv_stream *stream, size_t len)
{
    note_byte(stream);
    stream->sent_bytes += len;
    if (stream->sent_bytes == stream->queue.len) {
        rv_buffer_clear(&stream->queue);
        stream->sent_bytes = 0;
        stream->drain_due = true;
        rv_ready_push(stream->runtime, &stream->task);
    } else if (stream->sent_bytes > stream->queue.len / 2) {
        rv_buffer_drop(&stream->queue, stream->sent_bytes);
        stream->sent_bytes = 0;
    }
}

void rv_stream_was_shut(struct rv_stream *stream)
{
    stream->shut = true;
    rv_ready_push(stream->runtime, &stream->task);
}

void rv_stream_lost(struct rv_stream *stream, int error, const char *detail)
{
    describe(stream, detail ? detail : reeve_error_text(error));
    settle(stream, error);
}

/* ---- to the owner -----------------------------------------------------------------------------
 */

static void tell(struct rv_stream *stream, void (*callback)(struct rv_stream *stream, void *arg))
{
    if (!callback || stream->dropping)
        return;
    stream->in_callback = true;
    callback(stream, stream->options.arg);
    stream->in_callback = false;
}

static void tell_open(struct rv_stream *stream)
{
    if (stream->open_told || !stream->connected)
        return;
    stream->open_told = true;
    tell(stream, stream->options.on_open);
}

static void tell_data(struct rv_stream *stream)
{
    if (stream->dropping || stream->paused || !stream->arrived.len)
        return;
    if (stream->options.on_data) {
        stream->in_callback = true;
        stream->options.on_data(stream, stream->arrived.data, stream->arrived.len,
                                stream->options.arg);
        stream->in_callback = false;
    }
    /* Nothing can have arrived in between: a link is never entered from a callback but to stop. */
    rv_buffer_clear(&stream->arrived);
}

static void tell_end(struct rv_stream *stream)
{
    if (!stream->peer_ended || stream->end_told || stream->arrived.len)
        return;
    stream->end_told = true;
    if (stream->options.on_end)
        tell(stream, stream->options.on_end);
    else
        rv_stream_close(stream);
}

static void tell_drain(struct rv_stream *stream)
{
    if (!stream->drain_due || stream->state == RV_STREAM_ENDED)
        return;
    stream->drain_due = false;
    if (stream->queue.len)
        return;
    tell(stream, stream->options.on_drain);
}

static void stream_free(struct rv_stream *stream)
{
    rv_ready_remove(&stream->task);
    rv_timer_stop(stream->runtime, &stream->timer);
    rv_free(stream->mem, stream->host);
    rv_free(stream->mem, stream->unix_path);
    rv_buffer_done(&stream->queue);
    rv_buffer_done(&stream->arrived);
    rv_free(stream->mem, stream);
}

static void finish(struct rv_stream *stream)
{
    stream->finishing = true;
    stream->in_callback = true;
    stream->options.on_done(stream, stream->error, stream->options.arg);
    stream_free(stream);
}

/* What the turn left to be done below. */
static void serve_link(struct rv_stream *stream)
{
    if (stream->error) {
        describe(stream, reeve_error_text(stream->error));
        stop(stream, stream->error);
        return;
    }
    if (stream->end_told && stream->shut) {
        stop(stream, 0);
        return;
    }
    if (stream->queue.len || (stream->shutting && !stream->shut))
        rv_link_send(stream);
    if (stream->state == RV_STREAM_OPEN && stream->held && !stream->paused) {
        stream->held = false;
        rv_link_read_on(stream);
    }
}

static void hand_on(struct rv_task *task)
{
    struct rv_stream *stream = rv_container_of(task, struct rv_stream, task);

    tell_open(stream);
    tell_data(stream);
    tell_end(stream);
    tell_drain(stream);
    if (stream->state == RV_STREAM_OPEN)
        serve_link(stream);
    else if (stream->state == RV_STREAM_ENDED && (stream->dropping || !stream->arrived.len))
        finish(stream);
}

/* ---- the interface ----------------------------------------------------------------------------
 */

int rv_stream_write(struct rv_stream *stream, const void *bytes, size_t len)
{
    int error;

    if (stream->state == RV_STREAM_ENDED)
        return REEVE_ECONNLOST;
    if (stream->shutting)
        return REEVE_EINVAL;
    if (len > stream->options.max_queued_bytes - rv_stream_queued(stream))
        return REEVE_ETOOBIG;
    if (!len)
        return 0;
    error = rv_buffer_add(&stream->queue, bytes, len);
    if (!error && stream->state == RV_STREAM_OPEN)
        rv_ready_push(stream->runtime, &stream->task);
    return error;
}

size_t rv_stream_queued(const struct rv_stream *stream)
{
    return stream->queue.len - stream->sent_bytes;
}

void rv_stream_shutdown(struct rv_stream *stream)
{
    stream->shutting = true;
    if (stream->state == RV_STREAM_OPEN && !stream->shut)
        rv_ready_push(stream->runtime, &stream->task);
}

static void let_go(struct rv_stream *stream, int error)
{
    if (stream->finishing || stream->dropping)
        return;
    stream->dropping = true;
    if (stream->state == RV_STREAM_ENDED)
        settle(stream, error);
    else
        stop(stream, error);
}

void rv_stream_close(struct rv_stream *stream)
{
    let_go(stream, 0);
}

void rv_stream_cancel(struct rv_stream *stream)
{
    if (!stream->finishing && !stream->dropping)
        describe(stream, "was cancelled");
    let_go(stream, REEVE_ECANCELED);
}

void rv_stream_abort(struct rv_stream *stream)
{
    assert(!stream->in_callback);
    stream->dropping = false;
    rv_stream_cancel(stream);
    finish(stream);
}

void rv_stream_pause(struct rv_stream *stream)
{
    stream->paused = true;
}

void rv_stream_resume(struct rv_stream *stream)
{
    if (!stream->paused)
        return;
    stream->paused = false;
    note_byte(stream);
    if (!stream->finishing)
        rv_ready_push(stream->runtime, &stream->task);
}

const char *rv_stream_problem(const struct rv_stream *stream)
{
    return stream->problem[0] ? stream->problem : reeve_error_text(stream->error);
}

/* ---- starting ---------------------------------------------------------------------------------
 */

/* What would end a host in a URL, or is no part of any name. */
static bool is_host(const char *host)
{
    size_t len = strlen(host);

    return len && len <= MAX_HOST_BYTES && !host[strcspn(host, "/?#@[]\\ \t\r\n")];
}

static bool is_valid(const struct rv_stream_options *options)
{
    if (!options->max_queued_bytes || !options->on_done)
        return false;
    if (options->unix_path)
        return !options->host && *options->unix_path &&
               strlen(options->unix_path) <= MAX_PATH_BYTES;
    return options->host && options->port && is_host(options->host);
}

static struct rv_stream *stream_new(struct reeve_runtime *runtime,
                                    const struct rv_stream_options *options)
{
    struct rv_mem *mem = rv_runtime_mem(runtime);
    struct rv_stream *stream = rv_zalloc(mem, sizeof *stream);

    if (!stream)
        return NULL;
    stream->runtime = runtime;
    stream->mem = mem;
    stream->options = *options;
    rv_task_init(&stream->task, hand_on);
    rv_timer_init(&stream->timer, limit_over);
    rv_buffer_init(&stream->queue, mem, SIZE_MAX - 1);
    rv_buffer_init(&stream->arrived, mem, MAX_ARRIVED_BYTES);
    stream->host = rv_strdup(mem, options->host);
    stream->unix_path = rv_strdup(mem, options->unix_path);
    if ((options->host && !stream->host) || (options->unix_path && !stream->unix_path)) {
        stream_free(stream);
        return NULL;
    }
    return stream;
}

int rv_stream_open(struct reeve_runtime *runtime, const struct rv_stream_options *options,
                   struct rv_stream **ret_stream)
{
    struct rv_stream *stream;
    int error;

    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    if (!is_valid(options))
        return REEVE_EINVAL;
    stream = stream_new(runtime, options);
    if (!stream)
        return REEVE_ENOMEM;
    error = rv_link_start(stream);
    if (error) {
        stream_free(stream);
        return error;
    }
    if (options->connect_timeout_ms)
        rv_timer_start_ms(runtime, &stream->timer, options->connect_timeout_ms);
    *ret_stream = stream;
    return 0;
}
