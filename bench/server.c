/* SPDX-License-Identifier: MIT */
/*
 * The bench's server. One process, one epoll, no memory but a block for each connection. Requests
 * come one after another on a connection and are small: head and body fit into its block.
 */
#include "bench/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

enum { REQUEST_BYTES = 8192, MOST_FDS = 65536, MOST_EVENTS = 256, PIECE_BYTES = 64 * 1024 };

#define JSON_HEAD(length)                                                                          \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " length
#define CHAT                                                                                       \
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"bench\","     \
    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello.\"},"       \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}"
#define FIRST_EVENT                                                                                \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,"             \
    "\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","             \
    "\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n"

struct connection {
    size_t len;
    size_t large_sent; /* of a large answer that is under way; 0: none is */
    char bytes[REQUEST_BYTES + 1];
};

struct state {
    int poll;
    int listener;
    struct connection *connections[MOST_FDS]; /* by descriptor */
    int large[16];                            /* descriptors of the large answers under way */
    size_t large_count;
    char *large_body;
};

static struct state state;

/* Loopback takes whole what is small; a client that reads nothing is not served. */
static void send_all(int fd, const char *bytes, size_t len)
{
    ssize_t sent;

    while (len) {
        sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        }
    }
}

static void answer_json(int fd, const char *body, size_t len)
{
    char answer[2048];
    int total = snprintf(answer, sizeof answer, JSON_HEAD("%zu") "\r\n\r\n%s", len, body);

    send_all(fd, answer, (size_t)total);
}

static void begin_stream(int fd)
{
    char answer[1024];
    int total = snprintf(answer, sizeof answer,
                         "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n",
                         sizeof FIRST_EVENT - 1, FIRST_EVENT);

    send_all(fd, answer, (size_t)total);
}

static void begin_large(int fd)
{
    char head[128];
    int total = snprintf(head, sizeof head, JSON_HEAD("%d") "\r\n\r\n", BENCH_LARGE_BYTES);

    if (state.large_count == sizeof state.large / sizeof *state.large)
        return;
    send_all(fd, head, (size_t)total);
    state.connections[fd]->large_sent = 0;
    state.large[state.large_count++] = fd;
}

static void answer(int fd, const char *path)
{
    if (!strncmp(path, "/turn", 5))
        answer_json(fd, BENCH_ANSWER, sizeof BENCH_ANSWER - 1);
    else if (!strncmp(path, "/stream", 7))
        begin_stream(fd);
    else if (!strncmp(path, "/large", 6))
        begin_large(fd);
    else
        answer_json(fd, CHAT, sizeof CHAT - 1);
}

/* A piece of each large answer. */
static void send_pieces(void)
{
    struct connection *connection;
    size_t i, piece;
    ssize_t sent;

    for (i = 0; i < state.large_count; i++) {
        connection = state.connections[state.large[i]];
        if (!connection)
            continue;
        piece = BENCH_LARGE_BYTES - connection->large_sent;
        if (piece > PIECE_BYTES)
            piece = PIECE_BYTES;
        sent = send(state.large[i], state.large_body + connection->large_sent, piece, MSG_NOSIGNAL);
        if (sent > 0)
            connection->large_sent += (size_t)sent;
        if (connection->large_sent == BENCH_LARGE_BYTES)
            state.large[i--] = state.large[--state.large_count];
    }
}

static void drop(int fd)
{
    size_t i;

    for (i = 0; i < state.large_count; i++)
        if (state.large[i] == fd)
            state.large[i--] = state.large[--state.large_count];
    free(state.connections[fd]);
    state.connections[fd] = NULL;
    close(fd);
}

/* The bytes of the first request in the block; 0: it is not whole. */
static size_t request_len(const struct connection *connection)
{
    const char *end = strstr(connection->bytes, "\r\n\r\n");
    const char *length;
    size_t total;

    if (!end)
        return 0;
    total = (size_t)(end - connection->bytes) + 4;
    length = strcasestr(connection->bytes, "\r\ncontent-length:");
    if (length && length < end)
        total += strtoul(length + sizeof "\r\ncontent-length:" - 1, NULL, 10);
    return total <= connection->len ? total : 0;
}

static void serve(int fd)
{
    struct connection *connection = state.connections[fd];
    ssize_t got = recv(fd, connection->bytes + connection->len, REQUEST_BYTES - connection->len,
                       MSG_DONTWAIT);
    const char *path;
    size_t len;

    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            drop(fd);
        return;
    }
    connection->len += (size_t)got;
    connection->bytes[connection->len] = '\0';
    while ((len = request_len(connection))) {
        path = strchr(connection->bytes, ' ');
        answer(fd, path ? path + 1 : "");
        connection->len -= len;
        memmove(connection->bytes, connection->bytes + len, connection->len + 1);
    }
}

static void take_connections(void)
{
    const int on = 1;
    struct epoll_event event = {.events = EPOLLIN};
    int fd;

    while ((fd = accept4(state.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= MOST_FDS || !(state.connections[fd] = malloc(sizeof(struct connection)))) {
            close(fd);
            continue;
        }
        state.connections[fd]->len = 0;
        state.connections[fd]->large_sent = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = fd;
        epoll_ctl(state.poll, EPOLL_CTL_ADD, fd, &event);
    }
}

/* A completion beside which stands a list of objects whose texts are of a few KB: valid JSON of
 * exactly that many bytes. */
static void make_large(void)
{
    static const char item[] =
        "{\"name\":\"item\",\"score\":0.25,\"tags\":[\"a\",\"b\"],\"text\":\"";
    static const char head[] = "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                               "\"content\":\"Hello\"},\"finish_reason\":\"stop\"}],\"list\":[";
    char *at = malloc(BENCH_LARGE_BYTES + 8192);
    char *const start = at;
    size_t fill;

    bench_check(at, "memory");
    memcpy(at, head, sizeof head - 1);
    at += sizeof head - 1;
    while (BENCH_LARGE_BYTES - (size_t)(at - start) > 8192) {
        memcpy(at, item, sizeof item - 1);
        at += sizeof item - 1;
        memset(at, 'x', 2000);
        memcpy(at + 2000, "\"},", 3);
        at += 2003;
    }
    fill = BENCH_LARGE_BYTES - (size_t)(at - start) - 3;
    memset(at, ' ', fill);
    memcpy(at + fill, "0]}", 3);
    state.large_body = start;
}

static void serve_all(void)
{
    struct epoll_event events[MOST_EVENTS];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = state.listener};
    int count, i;

    state.poll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(state.poll, EPOLL_CTL_ADD, state.listener, &event);
    make_large();
    for (;;) {
        count = epoll_wait(state.poll, events, MOST_EVENTS, state.large_count ? 1 : -1);
        for (i = 0; i < count; i++) {
            if (events[i].data.fd == state.listener)
                take_connections();
            else
                serve(events[i].data.fd);
        }
        send_pieces();
    }
}

void bench_server_start(struct bench_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    state.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bench_check(state.listener >= 0 &&
                    !bind(state.listener, (struct sockaddr *)&address, sizeof address) &&
                    !listen(state.listener, SOMAXCONN) &&
                    !getsockname(state.listener, (struct sockaddr *)&address, &len),
                "listening on loopback");
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    fflush(NULL);
    server->process = fork();
    bench_check(server->process >= 0, "starting the server");
    if (!server->process) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_all();
    }
    close(state.listener);
}

void bench_server_stop(struct bench_server *server)
{
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
}
