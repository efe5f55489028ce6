/* SPDX-License-Identifier: MIT */
/* The byte-for-byte server: a queue of steps per connection, one event each way. */
#include "tests/integration/raw-server.h"

#include "base/list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_REQUEST_BYTES = 1 << 18, ZEROS_BYTES = 64 * 1024 };

enum step_kind { STEP_BYTES, STEP_ZEROS, STEP_WAIT, STEP_CLOSE, STEP_RESET };

struct step {
    struct rv_list node;
    enum step_kind kind;
    char *bytes;
    size_t len;
    size_t done;
    unsigned wait_ms;
};

struct raw_server {
    struct event_base *base;
    struct event *accepting;
    struct rv_list conns;
    raw_on_request on_request;
    void *arg;
    int fd;
    unsigned port;
    size_t accepted;
    size_t requests;
    size_t open;
    size_t sent;
    char url[256];
};

struct raw_conn {
    struct rv_list node;
    struct raw_server *server;
    struct event *reading;
    struct event *writing;
    struct event *waiting;
    struct rv_list steps;
    int fd;
    bool in_wait;
    size_t len;
    char request[MAX_REQUEST_BYTES];
};

static void *must(void *ptr)
{
    if (!ptr)
        abort();
    return ptr;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void step_free(struct step *step)
{
    rv_list_remove(&step->node);
    free(step->bytes);
    free(step);
}

static void conn_free(struct raw_conn *conn, bool reset)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    while (!rv_list_empty(&conn->steps))
        step_free(rv_list_entry(conn->steps.next, struct step, node));
    event_free(conn->reading);
    event_free(conn->writing);
    event_free(conn->waiting);
    if (reset)
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(conn->fd);
    conn->server->open--;
    rv_list_remove(&conn->node);
    free(conn);
}

static void play_soon(struct raw_conn *conn)
{
    if (!conn->in_wait && !rv_list_empty(&conn->steps))
        event_add(conn->writing, NULL);
}

/* Whether the step is over; a broken connection ends all steps at the read side. */
static bool send_some(struct raw_conn *conn, struct step *step)
{
    static const char zeros[ZEROS_BYTES];
    size_t left = step->len - step->done;
    const char *from = step->kind == STEP_ZEROS ? zeros : step->bytes + step->done;
    size_t some = step->kind == STEP_ZEROS && left > ZEROS_BYTES ? ZEROS_BYTES : left;
    ssize_t sent = send(conn->fd, from, some, MSG_NOSIGNAL);

    if (sent < 0)
        return errno != EAGAIN;
    step->done += (size_t)sent;
    conn->server->sent += (size_t)sent;
    return step->done == step->len;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct raw_conn *conn = arg;
    struct step *step = rv_list_entry(conn->steps.next, struct step, node);
    const struct timeval wait = {.tv_sec = step->wait_ms / 1000,
                                 .tv_usec = (suseconds_t)(step->wait_ms % 1000) * 1000};

    (void)fd;
    (void)what;
    if (step->kind == STEP_CLOSE || step->kind == STEP_RESET) {
        conn_free(conn, step->kind == STEP_RESET);
        return;
    }
    if (step->kind == STEP_WAIT) {
        conn->in_wait = true;
        event_add(conn->waiting, &wait);
        step_free(step);
        return;
    }
    if (send_some(conn, step))
        step_free(step);
    play_soon(conn);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
    struct raw_conn *conn = arg;

    (void)fd;
    (void)what;
    conn->in_wait = false;
    play_soon(conn);
}

static size_t content_length(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");

    return field ? strtoul(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

/* How long the chunks are that begin here; 0: not all of them have come. */
static size_t chunks_length(const char *body)
{
    const char *at = body;
    size_t len, left;

    for (;;) {
        char *end;

        len = strtoul(at, &end, 16);
        if (end == at || strncmp(end, "\r\n", 2) != 0)
            return 0;
        left = strlen(end);
        if (left < len + 4)
            return 0;
        at = end + 2 + len + 2;
        if (!len)
            return (size_t)(at - body);
    }
}

/* Take one whole request off the front; false if there is none. */
static bool take_request(struct raw_conn *conn)
{
    char *end;
    size_t head_len, body_len;
    bool chunked;
    char *body;

    conn->request[conn->len] = '\0';
    end = strstr(conn->request, "\r\n\r\n");
    if (!end)
        return false;
    end[2] = '\0';
    head_len = (size_t)(end + 4 - conn->request);
    chunked = strcasestr(conn->request, "\r\ntransfer-encoding: chunked\r\n");
    body_len = chunked ? chunks_length(conn->request + head_len) : content_length(conn->request);
    if (conn->len - head_len < body_len || (chunked && !body_len)) {
        end[2] = '\r';
        return false;
    }
    body = must(strndup(conn->request + head_len, body_len));
    conn->server->requests++;
    conn->server->on_request(conn, conn->request, body, body_len, conn->server->arg);
    free(body);
    memmove(conn->request, conn->request + head_len + body_len, conn->len - head_len - body_len);
    conn->len -= head_len + body_len;
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct raw_conn *conn = arg;
    ssize_t got = recv(fd, conn->request + conn->len, MAX_REQUEST_BYTES - 1 - conn->len, 0);

    (void)what;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        conn_free(conn, false);
        return;
    }
    conn->len += (size_t)got;
    while (take_request(conn))
        ;
    play_soon(conn);
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
    struct raw_server *server = arg;
    const int on = 1;
    struct raw_conn *conn;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    server->accepted++;
    server->open++;
    conn = must(calloc(1, sizeof *conn));
    conn->server = server;
    conn->fd = fd;
    rv_list_init(&conn->steps);
    rv_list_append(&server->conns, &conn->node);
    conn->reading = must(event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, conn));
    conn->writing = must(event_new(server->base, fd, EV_WRITE, on_writable, conn));
    conn->waiting = must(event_new(server->base, -1, 0, on_waited, conn));
    event_add(conn->reading, NULL);
}

/* ---- what is queued -------------------------------------------------------------------------- */

static struct step *add_step(struct raw_conn *conn, enum step_kind kind)
{
    struct step *step = must(calloc(1, sizeof *step));

    step->kind = kind;
    rv_list_append(&conn->steps, &step->node);
    play_soon(conn);
    return step;
}

void raw_send(struct raw_conn *conn, const void *bytes, size_t len)
{
    struct step *step = add_step(conn, STEP_BYTES);

    step->bytes = must(malloc(len + 1));
    memcpy(step->bytes, bytes, len);
    step->len = len;
}

void raw_text(struct raw_conn *conn, const char *format, ...)
{
    struct step *step = add_step(conn, STEP_BYTES);
    va_list args;

    va_start(args, format);
    if (vasprintf(&step->bytes, format, args) < 0)
        abort();
    va_end(args);
    step->len = strlen(step->bytes);
}

void raw_each_byte(struct raw_conn *conn, const char *text)
{
    for (; *text; text++)
        raw_send(conn, text, 1);
}

void raw_zeros(struct raw_conn *conn, size_t count)
{
    add_step(conn, STEP_ZEROS)->len = count;
}

void raw_wait(struct raw_conn *conn, unsigned ms)
{
    add_step(conn, STEP_WAIT)->wait_ms = ms;
}

void raw_close(struct raw_conn *conn)
{
    add_step(conn, STEP_CLOSE);
}

void raw_reset(struct raw_conn *conn)
{
    add_step(conn, STEP_RESET);
}

/* ---- the server ------------------------------------------------------------------------------ */

struct raw_server *raw_server_new(struct event_base *base, raw_on_request on_request, void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct raw_server *server = must(calloc(1, sizeof *server));

    server->base = base;
    server->on_request = on_request;
    server->arg = arg;
    rv_list_init(&server->conns);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, size) ||
        listen(server->fd, 512) || getsockname(server->fd, (struct sockaddr *)&address, &size))
        abort();
    server->port = ntohs(address.sin_port);
    server->accepting = must(event_new(base, server->fd, EV_READ | EV_PERSIST, on_accept, server));
    event_add(server->accepting, NULL);
    return server;
}

void raw_server_free(struct raw_server *server)
{
    struct rv_list *node, *after;

    rv_list_for_each_safe (node, after, &server->conns)
        conn_free(rv_list_entry(node, struct raw_conn, node), false);
    event_free(server->accepting);
    close(server->fd);
    free(server);
}

unsigned raw_server_port(const struct raw_server *server)
{
    return server->port;
}

const char *raw_server_url(struct raw_server *server, const char *path)
{
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u%s", server->port, path);
    return server->url;
}

size_t raw_server_accepted(const struct raw_server *server)
{
    return server->accepted;
}

size_t raw_server_requests(const struct raw_server *server)
{
    return server->requests;
}

size_t raw_server_open(const struct raw_server *server)
{
    return server->open;
}

size_t raw_server_sent(const struct raw_server *server)
{
    return server->sent;
}
