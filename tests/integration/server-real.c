/* SPDX-License-Identifier: MIT */
/* The HTTP server against libcurl and against clients that misbehave, all on one loop. */
#include "tests/lib/test.h"

#include "io/http.h"
#include "io/server.h"
#include "loop/runtime.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <reeve/runtime.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE_BYTES = 64 * 1024, MUCH = 8 << 20 };

struct world {
    struct event_base *base;
    struct reeve_runtime *runtime;
    struct rv_server *server;
    struct rv_server_options options;
    struct rv_exchange *held;
    size_t left; /* of a stream */
    unsigned requests, drains, gone;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void turn(struct world *world)
{
    event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    poll(NULL, 0, 1);
}

#define UNTIL(world, condition)                                                                    \
    do {                                                                                           \
        double deadline = now_ms() + 20000;                                                        \
        while (!(condition)) {                                                                     \
            cr_assert_lt(now_ms(), deadline, "never: " #condition);                                \
            turn(world);                                                                           \
        }                                                                                          \
    } while (0)

/* ---- what is served ---------------------------------------------------------------------------
 */

static void write_more(struct rv_exchange *exchange, void *arg)
{
    static const char bytes[16 * 1024];
    struct world *world = arg;

    world->drains++;
    while (world->left && !rv_exchange_write(exchange, bytes, sizeof bytes))
        world->left -= sizeof bytes;
    if (world->left)
        return;
    world->held = NULL;
    rv_exchange_end(exchange);
}

static void on_gone(struct rv_exchange *exchange, void *arg)
{
    struct world *world = arg;

    cr_assert_eq(world->held, exchange);
    cr_assert_eq(rv_exchange_write(exchange, "x", 1), REEVE_ECONNLOST);
    world->held = NULL;
    world->gone++;
}

static void reply_echo(struct rv_exchange *exchange)
{
    const char *query = rv_exchange_query(exchange);
    const char *note = rv_exchange_header(exchange, "X-Note");
    char text[512];
    size_t len;
    const char *body = rv_exchange_body(exchange, &len);

    cr_assert_eq(body[len], '\0');
    snprintf(text, sizeof text, "%s %s %s %s [%s]", rv_exchange_method(exchange),
             rv_exchange_path(exchange), query ? query : "-", note ? note : "-", body);
    cr_assert_eq(rv_exchange_add_header(exchange, "X-Bad", "a\r\nb: c"), REEVE_EINVAL);
    cr_assert_eq(rv_exchange_add_header(exchange, "X-Answer", "42"), 0);
    cr_assert_eq(rv_exchange_reply(exchange, 200, text, strlen(text)), 0);
}

static void on_request(struct rv_server *server, struct rv_exchange *exchange, void *arg)
{
    struct world *world = arg;

    (void)server;
    world->requests++;
    if (strcmp(rv_exchange_path(exchange), "/much") == 0) {
        world->left = MUCH;
        world->held = exchange;
        rv_exchange_begin(exchange, 200, write_more, on_gone, world);
        write_more(exchange, world);
    } else if (strcmp(rv_exchange_path(exchange), "/held") == 0) {
        world->held = exchange;
    } else if (strcmp(rv_exchange_path(exchange), "/none") == 0) {
        rv_exchange_reply(exchange, 404, NULL, 0);
    } else {
        reply_echo(exchange);
    }
}

/* ---- world ------------------------------------------------------------------------------------
 */

static int world_init(struct world *world, struct rv_test *t)
{
    struct reeve_runtime_options options;
    int error;

    signal(SIGPIPE, SIG_IGN);
    memset(world, 0, sizeof *world);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    world->base = event_base_new();
    error = reeve_runtime_new(world->base, &options, &world->runtime);
    if (error) {
        event_base_free(world->base);
        return error;
    }
    world->options = (struct rv_server_options){.max_header_bytes = 4096,
                                                .max_body_bytes = 1000,
                                                .max_queued_bytes = QUEUE_BYTES,
                                                .max_connections = 10,
                                                .timeout_ms = 20000,
                                                .on_request = on_request,
                                                .arg = world};
    return 0;
}

static void world_open(struct world *world, struct rv_test *t)
{
    cr_assert_eq(world_init(world, t), 0);
    cr_assert_eq(rv_server_new(world->runtime, &world->options, &world->server), 0);
    cr_assert_neq(rv_server_port(world->server), 0);
}

static void world_close(struct world *world)
{
    rv_server_free(world->server);
    reeve_runtime_free(world->runtime);
    event_base_loop(world->base, EVLOOP_NONBLOCK);
    cr_assert_eq(event_base_get_num_events(world->base, EVENT_BASE_COUNT_ADDED), 0);
    event_base_free(world->base);
}

/* ---- clients ----------------------------------------------------------------------------------
 */

struct fetch {
    struct rv_http *http;
    char text[512];
    char answer[16];
    size_t received;
    unsigned dones;
    int status, error;
};

static void on_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct fetch *fetch = arg;

    (void)http;
    if (fetch->received + len < sizeof fetch->text)
        memcpy(fetch->text + fetch->received, bytes, len);
    fetch->received += len;
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct fetch *fetch = arg;
    const char *answer = rv_http_header_value(http, "X-Answer");

    fetch->dones++;
    fetch->error = error;
    fetch->status = rv_http_status(http);
    snprintf(fetch->answer, sizeof fetch->answer, "%s", answer ? answer : "");
}

static void fetch_start(struct world *world, struct fetch *fetch, const char *path,
                        const char *body)
{
    static const struct rv_http_header note = {"X-Note", "hi"};
    struct rv_buffer buffer;
    char url[8192];
    struct rv_http_options options = {.method = body ? "POST" : "GET",
                                      .url = url,
                                      .headers = &note,
                                      .header_count = 1,
                                      .body_take = body ? &buffer : NULL,
                                      .max_response_bytes = MUCH,
                                      .on_data = on_data,
                                      .on_done = on_done,
                                      .arg = fetch};

    memset(fetch, 0, sizeof *fetch);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", rv_server_port(world->server), path);
    rv_buffer_init(&buffer, NULL, 0);
    if (body) {
        rv_buffer_init(&buffer, rv_runtime_mem(world->runtime), 1 << 20);
        cr_assert_eq(rv_buffer_add_text(&buffer, body), 0);
    }
    cr_assert_eq(rv_http_start(world->runtime, &options, &fetch->http), 0);
}

static void fetch_run(struct world *world, struct fetch *fetch, const char *path, const char *body)
{
    fetch_start(world, fetch, path, body);
    UNTIL(world, fetch->dones);
}

static int raw_client(const struct world *world, const char *text)
{
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons(rv_server_port(world->server)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(connect(fd, (void *)&server, sizeof server), 0);
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    return fd;
}

/* What has come, or -1. */
static ssize_t raw_read(int fd, char *bytes, size_t len)
{
    return recv(fd, bytes, len, MSG_DONTWAIT);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

RV_TEST(server, whole_replies, .timeout = 60)
{
    struct world world;
    struct fetch fetch;

    world_open(&world, t);
    fetch_run(&world, &fetch, "/a/b?c=d", NULL);
    cr_assert_eq(fetch.status, 200);
    cr_assert_str_eq(fetch.text, "GET /a/b c=d hi []");
    cr_assert_str_eq(fetch.answer, "42");
    fetch_run(&world, &fetch, "/post", "the body");
    cr_assert_str_eq(fetch.text, "POST /post - hi [the body]");
    fetch_run(&world, &fetch, "/none", NULL);
    cr_assert_eq(fetch.status, 404);
    world_close(&world);
}

RV_TEST(server, replies_later, .timeout = 60)
{
    struct world world;
    struct fetch fetch;

    world_open(&world, t);
    fetch_start(&world, &fetch, "/held", NULL);
    UNTIL(&world, world.held);
    for (int i = 0; i < 20; i++)
        turn(&world);
    cr_assert_eq(fetch.dones, 0);
    cr_assert_eq(rv_exchange_reply(world.held, 200, "late", 4), 0);
    UNTIL(&world, fetch.dones);
    cr_assert_str_eq(fetch.text, "late");
    world_close(&world);
}

RV_TEST(server, limits_on_requests, .timeout = 60)
{
    struct world world;
    struct fetch fetch;
    static char large[5000];

    memset(large, 'x', sizeof large - 1);
    world_open(&world, t);
    fetch_run(&world, &fetch, "/post", large);
    cr_assert(fetch.error || fetch.status == 413, "%d", fetch.status);
    large[0] = '/';
    fetch_run(&world, &fetch, large, NULL);
    cr_assert(fetch.error || fetch.status >= 400, "%d", fetch.status);
    cr_assert_eq(world.requests, 0);
    world_close(&world);
}

RV_TEST(server, streams_under_back_pressure, .timeout = 60)
{
    struct world world;
    struct fetch fetch;

    world_open(&world, t);
    fetch_start(&world, &fetch, "/much", NULL);
    UNTIL(&world, fetch.received);
    rv_http_pause(fetch.http);
    for (int i = 0; i < 100; i++)
        turn(&world);
    cr_assert_gt(world.left, 0, "the server waits for its client");
    rv_http_resume(fetch.http);
    UNTIL(&world, fetch.dones);
    cr_assert_eq(fetch.error, 0);
    cr_assert_eq(fetch.received, MUCH);
    cr_assert_geq(world.drains, MUCH / QUEUE_BYTES);
    cr_assert_eq(world.gone, 0);
    world_close(&world);
}

RV_TEST(server, client_goes_in_the_middle, .timeout = 60)
{
    struct linger at_once = {.l_onoff = 1};
    struct world world;

    world_open(&world, t);
    for (unsigned i = 0; i < 4; i++) {
        int fd = raw_client(&world, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");

        UNTIL(&world, world.held);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        UNTIL(&world, world.gone == i + 1);
        cr_assert_null(world.held);
    }
    world_close(&world);
}

/* Known to nobody but its owner, who replies in the end. */
RV_TEST(server, client_goes_before_the_reply, .timeout = 60)
{
    struct world world;
    int fd;

    world_open(&world, t);
    fd = raw_client(&world, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&world, world.held);
    close(fd);
    for (int i = 0; i < 20; i++)
        turn(&world);
    rv_exchange_reply(world.held, 200, "nobody hears", 12);
    for (int i = 0; i < 20; i++)
        turn(&world);
    world_close(&world);
}

RV_TEST(server, freed_with_open_exchanges, .timeout = 60)
{
    struct world world;
    int streamed, held;

    world_open(&world, t);
    held = raw_client(&world, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&world, world.held);
    streamed = raw_client(&world, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&world, world.requests == 2);
    world_close(&world);
    cr_assert_eq(world.gone, 1);
    close(held);
    close(streamed);
}

RV_TEST(server, no_more_connections_than_allowed, .timeout = 60)
{
    static const char request[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
    struct world world;
    char bytes[512];
    int fd[3];

    cr_assert_eq(world_init(&world, t), 0);
    world.options.max_connections = 2;
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &world.server), 0);
    for (int i = 0; i < 2; i++) {
        fd[i] = raw_client(&world, request);
        UNTIL(&world, raw_read(fd[i], bytes, sizeof bytes) > 0);
    }
    fd[2] = raw_client(&world, request);
    for (int i = 0; i < 100; i++)
        turn(&world);
    cr_assert_eq(world.requests, 2, "the third waits");
    close(fd[0]);
    UNTIL(&world, raw_read(fd[2], bytes, sizeof bytes) > 0);
    cr_assert_eq(world.requests, 3);
    close(fd[1]);
    close(fd[2]);
    world_close(&world);
}

RV_TEST(server, silent_client_is_dropped, .timeout = 60)
{
    struct world world;
    char bytes[512];
    int fd;

    cr_assert_eq(world_init(&world, t), 0);
    world.options.timeout_ms = 100;
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &world.server), 0);
    fd = raw_client(&world, "GET /x HTTP/1.1\r\n");
    UNTIL(&world, raw_read(fd, bytes, sizeof bytes) == 0);
    close(fd);
    world_close(&world);
}

RV_TEST(server, sockets_of_the_host, .timeout = 60)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct world world;
    struct fetch fetch;
    struct rv_server *other;

    cr_assert_eq(bind(fd, (void *)&here, sizeof here), 0);
    cr_assert_eq(listen(fd, 10), 0);
    cr_assert_eq(world_init(&world, t), 0);
    world.options.listen_fd = &fd;
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &world.server), 0);
    fetch_run(&world, &fetch, "/x", NULL);
    cr_assert_eq(fetch.status, 200);
    world.options.listen_fd = NULL;
    world.options.port = rv_server_port(world.server);
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &other), REEVE_ESYSTEM);
    world_close(&world);
}

RV_TEST(server, refused_where_sigpipe_kills)
{
    struct world world;
    sigset_t pipe;

    cr_assert_eq(world_init(&world, t), 0);
    signal(SIGPIPE, SIG_DFL);
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &world.server), REEVE_EUNSUPPORTED);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, NULL);
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &world.server), 0);
    world.options.timeout_ms = 0;
    cr_assert_eq(rv_server_new(world.runtime, &world.options, &world.server), REEVE_EINVAL);
    world_close(&world);
}

static int scenario(struct rv_test *run, void *arg)
{
    struct world world;
    char bytes[512] = "";
    int error = world_init(&world, run), fd;

    (void)arg;
    if (error)
        return error;
    error = rv_server_new(world.runtime, &world.options, &world.server);
    if (!error) {
        fd = raw_client(&world, "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        UNTIL(&world, raw_read(fd, bytes, sizeof bytes - 1) > 0);
        close(fd);
        if (strncmp(bytes, "HTTP/1.1 503", 12) == 0)
            error = REEVE_ENOMEM;
        else
            cr_assert_eq(strncmp(bytes, "HTTP/1.1 200", 12), 0, "%s", bytes);
    } else {
        world.server = NULL;
    }
    world_close(&world);
    return error;
}

RV_TEST(server, each_allocation_fails, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 6);
}
