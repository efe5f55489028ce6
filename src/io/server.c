/* SPDX-License-Identifier: MIT */
/*
 * An exchange is born in evhttp's callback and handed to its owner from the ready queue. It ends by
 * a whole reply, by the end of a streamed one, or because its client has gone:
 *
 *   NEW ─► ASKED ─► STREAMING ─► away         by reply (from ASKED) or end
 *                              ─► gone: on_gone, away
 *
 * When a client goes, evhttp frees the connection but leaves the request to us, and leaks it unless
 * evhttp_send_reply_end is called for it, which may not happen inside the close callback: the task
 * does that. When the whole evhttp is freed it frees its requests as well, before the close
 * callbacks.
 *
 * evhttp of libevent 2.1 does not limit its connections, nor tell when one that made no request
 * ends. So a reference is kept to each one's bufferevent: without callbacks, evhttp has freed it.
 * The descriptor is the bufferevent's, and closed with it: a number that is free again must not be
 * watched by one that is only waiting to be forgotten.
 */
#include "io/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/list.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "loop/timer.h"

enum { LOOK_SOON_MS = 20, LOOK_AGAIN_MS = 500, MAX_CONNECTIONS = 4096 };

struct rv_server {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct rv_server_options options; /* its pointers are dead but for `arg` */
    struct evhttp *http;
    struct evconnlistener *listener;
    struct rv_list exchanges;
    struct bufferevent **connections;
    size_t connection_count;
    struct rv_timer look_timer;
    bool freeing;
    uint16_t port;
};

struct rv_exchange {
    struct rv_list node;
    struct rv_server *server;
    struct evhttp_request *request;
    struct rv_task task;
    bool asked;
    bool streaming;
    bool gone;
    bool drained;
    const char *body;
    size_t body_len;
    size_t queued_bytes;
    void (*on_drain)(struct rv_exchange *exchange, void *arg);
    void (*on_gone)(struct rv_exchange *exchange, void *arg);
    void *arg;
};

/* ---- connections ------------------------------------------------------------------------------
 */

static bool is_freed(struct bufferevent *connection)
{
    bufferevent_event_cb on_event = NULL;

    bufferevent_getcb(connection, NULL, NULL, &on_event, NULL);
    return !on_event;
}

static void forget_freed(struct rv_server *server)
{
    size_t kept = 0;

    for (size_t i = 0; i < server->connection_count; i++) {
        if (is_freed(server->connections[i]))
            bufferevent_decref(server->connections[i]);
        else
            server->connections[kept++] = server->connections[i];
    }
    server->connection_count = kept;
}

/* Soon if somebody may be waiting, else in time to give the descriptors back. */
static void look_later(struct rv_server *server)
{
    bool full = server->connection_count == server->options.max_connections;

    if (server->connection_count)
        rv_timer_start_ms(server->runtime, &server->look_timer,
                          full ? LOOK_SOON_MS : LOOK_AGAIN_MS);
}

static void look_again(struct rv_timer *timer)
{
    struct rv_server *server = rv_container_of(timer, struct rv_server, look_timer);

    (void)timer;
    forget_freed(server);
    if (server->connection_count < server->options.max_connections)
        evconnlistener_enable(server->listener);
    look_later(server);
}

/* evhttp makes one of its own if this returns NULL; libevent accepts several at once, so that the
 * listener may be a few late. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct rv_server *server = arg;
    struct bufferevent *connection;

    forget_freed(server);
    if (server->connection_count == server->options.max_connections)
        return NULL;
    connection = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        return NULL;
    bufferevent_incref(connection);
    server->connections[server->connection_count++] = connection;
    if (server->connection_count == server->options.max_connections)
        evconnlistener_disable(server->listener);
    look_later(server);
    return connection;
}

/* ---- exchanges --------------------------------------------------------------------------------
 */

static void exchange_free(struct rv_exchange *exchange)
{
    struct evhttp_connection *connection =
        exchange->gone ? NULL : evhttp_request_get_connection(exchange->request);

    if (connection)
        evhttp_connection_set_closecb(connection, NULL, NULL);
    rv_ready_remove(&exchange->task);
    rv_list_remove(&exchange->node);
    rv_free(exchange->server->mem, exchange);
}

static void tell_gone(struct rv_exchange *exchange)
{
    if (exchange->on_gone)
        exchange->on_gone(exchange, exchange->arg);
    exchange_free(exchange);
}

static void go_on(struct rv_task *task)
{
    struct rv_exchange *exchange = rv_container_of(task, struct rv_exchange, task);
    struct rv_server *server = exchange->server;

    /* Before it was asked, nobody knows of it; after that its owner ends it, or is told. */
    if (exchange->gone && (exchange->streaming || !exchange->asked)) {
        struct evhttp_request *request = exchange->request;

        tell_gone(exchange);
        evhttp_send_reply_end(request);
    } else if (!exchange->asked) {
        exchange->asked = true;
        server->options.on_request(server, exchange, server->options.arg);
    } else if (exchange->drained) {
        exchange->drained = false;
        if (exchange->on_drain)
            exchange->on_drain(exchange, exchange->arg);
    }
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct rv_exchange *exchange = arg;

    (void)connection;
    exchange->gone = true;
    if (!exchange->server->freeing)
        rv_ready_push(exchange->server->runtime, &exchange->task);
}

/* In one piece, with a NUL behind it. */
static bool take_body(struct rv_exchange *exchange, struct evhttp_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request);

    exchange->body_len = evbuffer_get_length(body);
    if (evbuffer_add(body, "", 1))
        return false;
    exchange->body = (const char *)evbuffer_pullup(body, -1);
    return exchange->body;
}

static void on_http(struct evhttp_request *request, void *arg)
{
    struct rv_server *server = arg;
    struct rv_exchange *exchange = rv_zalloc(server->mem, sizeof *exchange);

    if (!exchange || !take_body(exchange, request)) {
        rv_free(server->mem, exchange);
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    exchange->server = server;
    exchange->request = request;
    rv_task_init(&exchange->task, go_on);
    rv_list_append(&server->exchanges, &exchange->node);
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close, exchange);
    rv_ready_push(server->runtime, &exchange->task);
}

const char *rv_exchange_method(const struct rv_exchange *exchange)
{
    switch (evhttp_request_get_command(exchange->request)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "";
    }
}

const char *rv_exchange_path(const struct rv_exchange *exchange)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(exchange->request);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

    return path ? path : "";
}

const char *rv_exchange_query(const struct rv_exchange *exchange)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(exchange->request);

    return uri ? evhttp_uri_get_query(uri) : NULL;
}

const char *rv_exchange_header(const struct rv_exchange *exchange, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(exchange->request), name);
}

const char *rv_exchange_body(const struct rv_exchange *exchange, size_t *ret_len)
{
    if (ret_len)
        *ret_len = exchange->body_len;
    return exchange->body;
}

int rv_exchange_add_header(struct rv_exchange *exchange, const char *name, const char *value)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(exchange->request);

    if (name[strcspn(name, "\r\n")] || value[strcspn(value, "\r\n")])
        return REEVE_EINVAL;
    return evhttp_add_header(headers, name, value) ? REEVE_ENOMEM : 0;
}

int rv_exchange_reply(struct rv_exchange *exchange, int status, const char *bytes, size_t len)
{
    struct evhttp_request *request = exchange->request;
    struct evbuffer *body = evbuffer_new();
    int error = 0;

    if (!body || (len && evbuffer_add(body, bytes, len)))
        error = REEVE_ENOMEM;
    exchange_free(exchange);
    /* One whose client has gone is only freed by this. */
    if (error)
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
    else
        evhttp_send_reply(request, status, NULL, body);
    if (body)
        evbuffer_free(body);
    return error;
}

void rv_exchange_begin(struct rv_exchange *exchange, int status,
                       void (*on_drain)(struct rv_exchange *exchange, void *arg),
                       void (*on_gone)(struct rv_exchange *exchange, void *arg), void *arg)
{
    exchange->streaming = true;
    exchange->on_drain = on_drain;
    exchange->on_gone = on_gone;
    exchange->arg = arg;
    if (exchange->gone)
        rv_ready_push(exchange->server->runtime, &exchange->task);
    else
        evhttp_send_reply_start(exchange->request, status, NULL);
}

static void on_written(struct evhttp_connection *connection, void *arg)
{
    struct rv_exchange *exchange = arg;

    (void)connection;
    exchange->queued_bytes = 0;
    exchange->drained = true;
    rv_ready_push(exchange->server->runtime, &exchange->task);
}

int rv_exchange_write(struct rv_exchange *exchange, const char *bytes, size_t len)
{
    struct evbuffer *piece;
    int error = 0;

    if (exchange->gone || exchange->server->freeing)
        return REEVE_ECONNLOST;
    if (len > exchange->server->options.max_queued_bytes - exchange->queued_bytes)
        return REEVE_ETOOBIG;
    if (!len)
        return 0;
    piece = evbuffer_new();
    if (!piece)
        return REEVE_ENOMEM;
    if (evbuffer_add(piece, bytes, len)) {
        error = REEVE_ENOMEM;
    } else {
        exchange->queued_bytes += len;
        evhttp_send_reply_chunk_with_cb(exchange->request, piece, on_written, exchange);
    }
    evbuffer_free(piece);
    return error;
}

void rv_exchange_end(struct rv_exchange *exchange)
{
    struct evhttp_request *request = exchange->request;

    exchange_free(exchange);
    evhttp_send_reply_end(request);
}

/* ---- the server -------------------------------------------------------------------------------
 */

/* Whether SIGPIPE would end the process. */
static bool sigpipe_kills(void)
{
    struct sigaction action;
    sigset_t blocked;

    if (sigaction(SIGPIPE, NULL, &action) || pthread_sigmask(SIG_SETMASK, NULL, &blocked))
        return true;
    return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL &&
           !sigismember(&blocked, SIGPIPE);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len))
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
    return 0;
}

static int start_listening(struct rv_server *server, const struct rv_server_options *options)
{
    struct evhttp_bound_socket *bound;

    errno = 0;
    if (options->listen_fd)
        bound = evhttp_accept_socket_with_handle(server->http, *options->listen_fd);
    else
        bound = evhttp_bind_socket_with_handle(
            server->http, options->address ? options->address : "127.0.0.1", options->port);
    if (!bound)
        return errno && errno != ENOMEM ? REEVE_ESYSTEM : REEVE_ENOMEM;
    server->listener = evhttp_bound_socket_get_listener(bound);
    server->port = port_of(evhttp_bound_socket_get_fd(bound));
    return 0;
}

static void set_limits(struct rv_server *server)
{
    const struct rv_server_options *options = &server->options;
    const struct timeval timeout = {.tv_sec = options->timeout_ms / 1000,
                                    .tv_usec = options->timeout_ms % 1000 * 1000};

    evhttp_set_max_headers_size(server->http, (ev_ssize_t)options->max_header_bytes);
    evhttp_set_max_body_size(server->http, (ev_ssize_t)options->max_body_bytes);
    evhttp_set_timeout_tv(server->http, &timeout);
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                                 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
    evhttp_set_bevcb(server->http, on_connection, server);
    evhttp_set_gencb(server->http, on_http, server);
}

static bool is_valid(const struct rv_server_options *options)
{
    return options->on_request && options->max_header_bytes && options->max_queued_bytes &&
           options->max_header_bytes <= INT32_MAX && options->max_body_bytes <= INT32_MAX &&
           options->max_connections && options->max_connections <= MAX_CONNECTIONS &&
           options->timeout_ms;
}

static void release(struct rv_server *server)
{
    rv_timer_stop(server->runtime, &server->look_timer);
    if (server->http)
        evhttp_free(server->http);
    forget_freed(server);
    rv_free(server->mem, server->connections);
    rv_free(server->mem, server);
}

int rv_server_new(struct reeve_runtime *runtime, const struct rv_server_options *options,
                  struct rv_server **ret_server)
{
    struct rv_server *server;
    int error = REEVE_ENOMEM;

    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    if (!is_valid(options))
        return REEVE_EINVAL;
    if (sigpipe_kills())
        return REEVE_EUNSUPPORTED;
    server = rv_zalloc(rv_runtime_mem(runtime), sizeof *server);
    if (!server)
        return REEVE_ENOMEM;
    server->runtime = runtime;
    server->mem = rv_runtime_mem(runtime);
    server->options = *options;
    rv_list_init(&server->exchanges);
    rv_timer_init(&server->look_timer, look_again);
    server->connections =
        rv_alloc_array(server->mem, options->max_connections, sizeof *server->connections);
    if (server->connections)
        server->http = evhttp_new(reeve_runtime_event_base(runtime));
    if (server->http) {
        set_limits(server);
        error = start_listening(server, options);
    }
    if (error) {
        release(server);
        return error;
    }
    rv_runtime_child_add(runtime);
    *ret_server = server;
    return 0;
}

/* Those that were already gone are requests of ours; the others are evhttp's to free. */
void rv_server_free(struct rv_server *server)
{
    struct rv_list *node, *after;

    if (!server)
        return;
    server->freeing = true;
    rv_list_for_each_safe (node, after, &server->exchanges) {
        struct rv_exchange *exchange = rv_list_entry(node, struct rv_exchange, node);
        struct evhttp_request *request = exchange->gone ? exchange->request : NULL;

        tell_gone(exchange);
        if (request)
            evhttp_send_reply_end(request);
    }
    rv_runtime_child_remove(server->runtime);
    release(server);
}

uint16_t rv_server_port(const struct rv_server *server)
{
    return server->port;
}
