/* SPDX-License-Identifier: MIT */
/*
 * Sending an answer.
 *
 *   WAITING   the latency runs
 *   SENDING   headers are out; a step sends what the pace makes due, then waits for the socket to
 *             have taken it, then for the clock
 *   STALLED   the fault `stall`: nothing more is sent
 *   CUTTING   the fault `cut`, `reset` or `wrong-length`: waits until the socket has taken all,
 * then closes the connection GONE      the client has closed the connection
 *
 *   WAITING → SENDING → (ended by evhttp)          the happy path
 *   WAITING → STALLED; SENDING → STALLED, CUTTING  faults
 *   any → GONE                                     told by evhttp's close callback
 *
 * How it fails: no memory while sending cuts the connection, so that the client sees an answer that
 * ends too early and not a wrong one.
 *
 * evhttp's ownership is the delicate part. While a request is answered, evhttp watches its
 * connection. When the client goes, evhttp takes the request off the connection, frees the
 * connection and tells the close callback; the request is then ours, and evhttp_send_reply_end
 * frees it, but not from inside that callback. When the connection is freed for another reason, the
 * request goes with it. So: in the callback, look whether the request still has a connection; free
 * what is ours from a timer.
 */
#include "exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "gzip.h"

#define STEP_BYTES (64 * 1024)  /* handed to evhttp at a time */
#define FLUSH_US 1000           /* between looks at whether the socket has taken all */
#define INPUT_BYTES (64 * 1024) /* taken from a client that sends while it is answered */

enum state {
    WAITING,
    SENDING,
    STALLED,
    CUTTING,
    GONE,
};

struct ms_exchange {
    TAILQ_ENTRY(ms_exchange) link;
    struct model_server *server;
    struct evhttp_request *request; /* NULL: no longer ours */
    struct event *timer;
    struct ms_response response;
    enum state state;
    bool writing;       /* a chunk is with evhttp, its callback to come */
    bool ended;         /* the response has no more bytes */
    size_t body_offset; /* in response.body */
    size_t sent_bytes;  /* of body */
    size_t limit_bytes; /* where a fault strikes; SIZE_MAX for nowhere */
    int64_t start_us;
    struct ms_text step;
};

void ms_response_done(struct ms_response *response)
{
    ms_text_done(&response->body);
    if (response->is_completion) {
        ms_reply_done(&response->reply);
        ms_prefix_done(&response->prefix);
    }
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void run_in(struct ms_exchange *exchange, int64_t delay_us)
{
    struct timeval delay = {.tv_sec = delay_us / 1000000, .tv_usec = delay_us % 1000000};

    event_add(exchange->timer, &delay);
}

static void exchange_free(struct ms_exchange *exchange)
{
    TAILQ_REMOVE(&exchange->server->exchanges, exchange, link);
    exchange->server->stats.under_way--;
    event_free(exchange->timer);
    ms_response_done(&exchange->response);
    ms_text_done(&exchange->step);
    free(exchange);
}

/* From here on evhttp alone has the connection. */
static void let_go(struct ms_exchange *exchange)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(exchange->request);

    if (connection)
        evhttp_connection_set_closecb(connection, NULL, NULL);
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct ms_exchange *exchange = arg;

    (void)connection;
    exchange->state = GONE;
    exchange->server->stats.clients_gone++;
    if (evhttp_request_get_connection(exchange->request))
        exchange->request = NULL; /* freed with its connection */
    run_in(exchange, 0);
}

static void bury(struct ms_exchange *exchange)
{
    if (exchange->request)
        evhttp_send_reply_end(exchange->request); /* has no connection: frees it */
    exchange_free(exchange);
}

/* Makes the kernel send RST and forget the connection, as a close with SO_LINGER 0 would; but
 * evhttp shuts the socket down before it closes it, and a FIN would come first. */
static void reset_socket(struct evhttp_connection *connection)
{
    struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    connect(bufferevent_getfd(stream), &nowhere, sizeof(nowhere));
}

/* Closes the connection in the middle of the answer. */
static void cut(struct ms_exchange *exchange)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(exchange->request);

    let_go(exchange);
    if (exchange->response.fault.kind == MS_FAULT_RESET)
        reset_socket(connection);
    evhttp_connection_free(connection); /* and the request with it */
    exchange_free(exchange);
}

static void end(struct ms_exchange *exchange)
{
    let_go(exchange);
    if (exchange->response.is_completion)
        exchange->server->stats.completions++;
    evhttp_send_reply_end(exchange->request);
    exchange_free(exchange);
}

static void stall(struct ms_exchange *exchange)
{
    exchange->state = STALLED;
    run_in(exchange, (int64_t)MS_STALL_SECONDS * 1000000);
}

static bool has_byte_limit(const struct ms_fault *fault)
{
    return fault->kind == MS_FAULT_CUT || fault->kind == MS_FAULT_RESET ||
           fault->kind == MS_FAULT_STALL;
}

static bool is_written_in_pieces(const struct ms_response *response)
{
    return response->is_completion && response->fault.kind != MS_FAULT_GZIP &&
           (response->reply.stream || response->reply.fault.kind == MS_FAULT_HUGE);
}

/* Appends the next piece of the answer to `step`. False at the end. */
static bool next_piece(struct ms_exchange *exchange)
{
    struct ms_response *response = &exchange->response;
    size_t left = response->body.len - exchange->body_offset;

    if (is_written_in_pieces(response))
        return ms_reply_next(&response->reply, &exchange->step);
    if (left > STEP_BYTES)
        left = STEP_BYTES;
    if (left == 0)
        return false;
    ms_text_add(&exchange->step, response->body.data + exchange->body_offset, left);
    exchange->body_offset += left;
    return true;
}

/* Microseconds until the pace lets the next piece out; 0 or less: now. */
static int64_t time_to_next(const struct ms_exchange *exchange)
{
    const struct ms_reply *reply = &exchange->response.reply;
    int64_t rate = (int64_t)exchange->server->options.tokens_per_second * MS_TOKEN_BYTES;
    int64_t due;

    if (rate == 0 || !exchange->response.is_completion || !reply->stream ||
        reply->fault.kind == MS_FAULT_HUGE)
        return 0;
    due = exchange->start_us + (int64_t)reply->body_bytes * 1000000 / rate;
    return due - now_us();
}

/* A fault that strikes in the middle and was not told where: in the middle of this event. */
static void find_middle(struct ms_exchange *exchange, size_t before)
{
    const struct ms_response *response = &exchange->response;

    if (!has_byte_limit(&response->fault) || exchange->limit_bytes != SIZE_MAX ||
        !response->is_completion || !response->reply.stream ||
        !ms_reply_is_past_half(&response->reply))
        return;
    exchange->limit_bytes = exchange->sent_bytes + before + (exchange->step.len - before) / 2;
}

/* Collects what is due, up to STEP_BYTES or to where a fault strikes. */
static void collect(struct ms_exchange *exchange)
{
    ms_text_clear(&exchange->step);
    while (!exchange->ended && exchange->step.len < STEP_BYTES && time_to_next(exchange) <= 0) {
        size_t before = exchange->step.len;

        if (!next_piece(exchange))
            exchange->ended = true;
        else
            find_middle(exchange, before);
    }
    if (exchange->step.len > exchange->limit_bytes - exchange->sent_bytes)
        exchange->step.len = exchange->limit_bytes - exchange->sent_bytes;
}

static void on_written(struct evhttp_connection *connection, void *arg)
{
    struct ms_exchange *exchange = arg;

    (void)connection;
    exchange->writing = false;
    if (exchange->state == SENDING)
        run_in(exchange, 0);
}

/* 0, or -1 without memory. */
static int send_step(struct ms_exchange *exchange, bool last)
{
    struct evbuffer *chunk = evbuffer_new();

    if (!chunk)
        return -1;
    if (evbuffer_add(chunk, exchange->step.data, exchange->step.len)) {
        evbuffer_free(chunk);
        return -1;
    }
    exchange->sent_bytes += exchange->step.len;
    exchange->writing = !last;
    evhttp_send_reply_chunk_with_cb(exchange->request, chunk, last ? NULL : on_written, exchange);
    evbuffer_free(chunk);
    return 0;
}

/* Looks again and again: the headers alone have no callback that would tell. */
static void cut_when_written(struct ms_exchange *exchange)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(exchange->request);
    struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);

    exchange->state = CUTTING;
    if (evbuffer_get_length(bufferevent_get_output(stream)) > 0)
        run_in(exchange, FLUSH_US);
    else
        cut(exchange);
}

static void strike(struct ms_exchange *exchange)
{
    if (exchange->response.fault.kind == MS_FAULT_STALL)
        stall(exchange);
    else
        cut_when_written(exchange);
}

static void step(struct ms_exchange *exchange)
{
    bool struck;
    bool last;

    collect(exchange);
    struck = exchange->sent_bytes + exchange->step.len >= exchange->limit_bytes ||
             (exchange->ended && exchange->response.fault.kind == MS_FAULT_WRONG_LENGTH);
    last = exchange->ended && !struck;
    if (exchange->step.failed || (exchange->step.len > 0 && send_step(exchange, last))) {
        cut(exchange);
        return;
    }
    if (struck) {
        strike(exchange);
    } else if (last) {
        end(exchange);
    } else if (!exchange->writing) {
        int64_t delay = time_to_next(exchange);

        run_in(exchange, delay > 0 ? delay : 0);
    }
}

static void add_header(struct ms_exchange *exchange, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(exchange->request), name, value);
}

/* Without this header evhttp sends chunks. */
static void add_length(struct ms_exchange *exchange, bool is_open)
{
    const struct ms_response *response = &exchange->response;
    bool is_wrong = response->fault.kind == MS_FAULT_WRONG_LENGTH;
    size_t length = is_open ? 1 << 20 : response->body.len;
    char value[32];

    if (is_open && !is_wrong)
        return;
    snprintf(value, sizeof(value), "%zu", length + (is_wrong ? 100 : 0));
    add_header(exchange, "Content-Length", value);
}

static void add_headers(struct ms_exchange *exchange)
{
    const struct ms_response *response = &exchange->response;
    bool streamed = response->is_completion && response->reply.stream;
    char value[64];

    add_header(exchange, "Content-Type", response->content_type);
    snprintf(value, sizeof(value), "req_%016llx%016llx",
             (unsigned long long)ms_server_random(exchange->server),
             (unsigned long long)ms_server_random(exchange->server));
    add_header(exchange, "x-request-id", value);
    if (streamed)
        add_header(exchange, "Cache-Control", "no-cache");
    if (response->is_completion && response->fault.kind == MS_FAULT_GZIP)
        add_header(exchange, "Content-Encoding", "gzip");
    if (response->allow)
        add_header(exchange, "Allow", response->allow);
    if (response->retry_after_seconds >= 0) {
        snprintf(value, sizeof(value), "%ld", response->retry_after_seconds);
        add_header(exchange, "retry-after", value);
    }
    add_length(exchange, is_written_in_pieces(response));
}

/* The usage is told as of now: what an earlier request has begun to be answered with is cached. */
static void finish_completion(struct ms_exchange *exchange)
{
    struct model_server *server = exchange->server;
    struct ms_response *response = &exchange->response;
    struct ms_reply *reply = &response->reply;

    reply->created_s = time(NULL);
    reply->prompt_tokens = response->prefix.tokens;
    if (reply->caches)
        reply->cached_tokens = ms_prefix_serve(&server->prefix_cache, &response->prefix);
    if (reply->caches && reply->prompt_tokens >= MS_CACHE_MIN_TOKENS)
        reply->written_tokens = response->prefix.count * MS_BLOCK_TOKENS - reply->cached_tokens;
    server->stats.cached_tokens += reply->cached_tokens;
    if (is_written_in_pieces(response))
        return;
    while (ms_reply_next(reply, &response->body))
        ;
    if (response->fault.kind == MS_FAULT_GZIP)
        ms_gzip(&response->body);
}

static void set_limit(struct ms_exchange *exchange)
{
    const struct ms_response *response = &exchange->response;

    exchange->limit_bytes = SIZE_MAX;
    if (!has_byte_limit(&response->fault))
        return;
    if (response->fault.value >= 0)
        exchange->limit_bytes = (size_t)response->fault.value;
    else if (response->body.len > 0)
        exchange->limit_bytes = response->body.len / 2;
}

static void begin(struct ms_exchange *exchange)
{
    struct ms_response *response = &exchange->response;

    if (response->is_completion)
        finish_completion(exchange);
    if (response->body.failed) {
        cut(exchange);
        return;
    }
    set_limit(exchange);
    if (response->fault.kind == MS_FAULT_STALL && exchange->limit_bytes == 0) {
        stall(exchange);
        return;
    }
    if (response->status >= 400)
        exchange->server->stats.errors++;
    add_headers(exchange);
    exchange->state = SENDING;
    exchange->start_us = now_us();
    evhttp_send_reply_start(exchange->request, response->status, NULL);
    step(exchange);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct ms_exchange *exchange = arg;

    (void)fd;
    (void)what;
    switch (exchange->state) {
    case WAITING:
        begin(exchange);
        break;
    case SENDING:
        step(exchange);
        break;
    case STALLED:
        cut(exchange);
        break;
    case CUTTING:
        cut_when_written(exchange);
        break;
    case GONE:
        bury(exchange);
        break;
    }
}

/* The request has been answered: the connection waits for the next one. */
static void on_complete(struct evhttp_request *request, void *arg)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);
    struct timeval idle = {.tv_sec = MS_IDLE_SECONDS};

    (void)arg;
    bufferevent_setwatermark(stream, EV_READ, 0, 0);
    bufferevent_set_timeouts(stream, &idle, &idle);
}

/* evhttp does not look at a connection between a request and the start of its answer. Look, so that
 * a client that goes is noticed during a latency or a stall; read no more than is seemly from one
 * that sends, and give one that only listens all the time it needs. */
static void watch(struct ms_exchange *exchange)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(exchange->request);
    struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);
    struct timeval patience = {.tv_sec = MS_WRITE_SECONDS};
    bufferevent_data_cb on_write;
    bufferevent_event_cb on_event;
    void *arg;

    evhttp_connection_set_closecb(connection, on_close, exchange);
    evhttp_request_set_on_complete_cb(exchange->request, on_complete, NULL);
    bufferevent_getcb(stream, NULL, &on_write, &on_event, &arg);
    bufferevent_setcb(stream, NULL, on_write, on_event, arg);
    bufferevent_setwatermark(stream, EV_READ, 0, INPUT_BYTES);
    bufferevent_set_timeouts(stream, NULL, &patience);
    bufferevent_enable(stream, EV_READ);
}

struct ms_exchange *ms_exchange_new(struct model_server *server, struct evhttp_request *request)
{
    struct ms_exchange *exchange;

    if (server->stats.under_way >= MS_MAX_UNDER_WAY)
        return NULL;
    exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return NULL;
    exchange->timer = evtimer_new(server->base, on_timer, exchange);
    if (!exchange->timer) {
        free(exchange);
        return NULL;
    }
    exchange->server = server;
    exchange->request = request;
    exchange->response.retry_after_seconds = -1;
    ms_text_init(&exchange->response.body, 16 * MS_MAX_ANSWER_BYTES);
    ms_text_init(&exchange->step, 4 * STEP_BYTES);
    TAILQ_INSERT_TAIL(&server->exchanges, exchange, link);
    server->stats.under_way++;
    return exchange;
}

struct ms_response *ms_exchange_response(struct ms_exchange *exchange)
{
    return &exchange->response;
}

void ms_exchange_begin(struct ms_exchange *exchange)
{
    watch(exchange);
    run_in(exchange, (int64_t)exchange->server->options.latency_ms * 1000);
}

void ms_exchange_drop_all(struct model_server *server)
{
    struct ms_exchange *exchange;

    while ((exchange = TAILQ_FIRST(&server->exchanges))) {
        if (exchange->state == GONE) {
            bury(exchange);
            continue;
        }
        let_go(exchange);
        exchange_free(exchange);
    }
}
