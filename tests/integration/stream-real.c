/* SPDX-License-Identifier: MIT */
/*
 * Streams over real sockets, against a server on the same loop. This program's own getaddrinfo
 * stands before the system's: "slow.test" waits, "none.test" is nowhere, "both.test" is ::1 first
 * and then 127.0.0.1, any other .test is 127.0.0.1.
 */
#include "tests/lib/test.h"

#include "io/stream.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <poll.h>
#include <reeve/runtime.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SLOW_MS = 15000, QUEUE_BYTES = 256 * 1024 };

static atomic_int looking;
static atomic_bool found; /* what "slow.test" waits for, SLOW_MS at most */

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *,
                              struct addrinfo **);

static int both(getaddrinfo_fn system_one, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    struct addrinfo *second, *last;
    int result = system_one("::1", service, hints, ret_list);

    if (result)
        return system_one("127.0.0.1", service, hints, ret_list);
    if (!system_one("127.0.0.1", service, hints, &second)) {
        for (last = *ret_list; last->ai_next; last = last->ai_next)
            ;
        last->ai_next = second;
    }
    return 0;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret_list)
{
    getaddrinfo_fn system_one;
    int result;

    *(void **)&system_one = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!node || !strstr(node, ".test"))
        return system_one(node, service, hints, ret_list);
    atomic_fetch_add(&looking, 1);
    for (int i = 0; strstr(node, "slow") && !atomic_load(&found) && i < SLOW_MS; i++)
        usleep(1000);
    if (strstr(node, "none"))
        result = EAI_NONAME;
    else if (strstr(node, "both"))
        result = both(system_one, service, hints, ret_list);
    else
        result = system_one("127.0.0.1", service, hints, ret_list);
    atomic_fetch_sub(&looking, 1);
    return result;
}

/* The server's bufferevents would raise SIGPIPE when a client is gone. The library's own writing
 * goes another way, so that SIGPIPE from there still ends this program. */
__attribute__((visibility("default"))) ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    union {
        const struct iovec *given;
        struct iovec *asked; /* and not written to */
    } same = {.given = pieces};
    struct msghdr message = {.msg_iov = same.asked, .msg_iovlen = (size_t)count};
    ssize_t (*system_one)(int, const struct iovec *, int);
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

    if (sent >= 0 || errno != ENOTSOCK)
        return sent;
    *(void **)&system_one = dlsym(RTLD_NEXT, "writev");
    return system_one(fd, pieces, count);
}

/* libcurl's thread ends by itself, and what it held is freed then: a little after the look-up. */
static void wait_for_threads(void)
{
    atomic_store(&found, true);
    while (atomic_load(&looking))
        usleep(1000);
    usleep(20000);
    atomic_store(&found, false);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the server -------------------------------------------------------------------------------
 */

enum manner { ECHO, RESET, CLOSE };

struct world {
    struct event_base *base;
    struct reeve_runtime *runtime;
    struct evconnlistener *listener;
    enum manner manner;
    unsigned port;
    unsigned accepted;
    char path[64];
    struct bufferevent *peers[8];
};

static void on_peer_data(struct bufferevent *peer, void *arg)
{
    struct world *world = arg;
    struct linger at_once = {.l_onoff = 1};

    if (world->manner == ECHO) {
        bufferevent_write_buffer(peer, bufferevent_get_input(peer));
        return;
    }
    if (world->manner == RESET)
        setsockopt(bufferevent_getfd(peer), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    for (int i = 0; i < 8; i++) {
        if (world->peers[i] == peer)
            world->peers[i] = NULL;
    }
    bufferevent_free(peer);
}

static void on_peer_drained(struct bufferevent *peer, void *arg)
{
    (void)arg;
    shutdown(bufferevent_getfd(peer), SHUT_WR);
}

/* All that was echoed goes first. */
static void on_peer_event(struct bufferevent *peer, short what, void *arg)
{
    if (!(what & BEV_EVENT_EOF))
        return;
    if (evbuffer_get_length(bufferevent_get_output(peer)))
        bufferevent_setcb(peer, NULL, on_peer_drained, on_peer_event, arg);
    else
        on_peer_drained(peer, arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    struct world *world = arg;
    struct bufferevent *peer = bufferevent_socket_new(world->base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)listener;
    (void)address;
    (void)len;
    cr_assert_lt(world->accepted, 8);
    world->peers[world->accepted++] = peer;
    bufferevent_setcb(peer, on_peer_data, NULL, on_peer_event, world);
    bufferevent_enable(peer, EV_READ | EV_WRITE);
}

static void listen_at(struct world *world, const void *address, int len)
{
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;

    world->listener =
        evconnlistener_new_bind(world->base, on_accept, world,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1, address, len);
    cr_assert_not_null(world->listener);
    if (!getsockname(evconnlistener_get_fd(world->listener), (void *)&bound, &size) &&
        bound.sin_family == AF_INET)
        world->port = ntohs(bound.sin_port);
}

static int world_init(struct world *world, struct rv_test *t, bool on_path)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct reeve_runtime_options options;
    int error;

    memset(world, 0, sizeof *world);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    world->base = event_base_new();
    error = reeve_runtime_new(world->base, &options, &world->runtime);
    if (error) {
        event_base_free(world->base);
        return error;
    }
    if (on_path) {
        snprintf(world->path, sizeof world->path, "/tmp/reeve-stream-%d", (int)getpid());
        snprintf(path.sun_path, sizeof path.sun_path, "%s", world->path);
        unlink(world->path);
        listen_at(world, &path, sizeof path);
    } else {
        listen_at(world, &here, sizeof here);
    }
    return 0;
}

static void world_done(struct world *world)
{
    wait_for_threads();
    for (int i = 0; i < 8; i++) {
        if (world->peers[i])
            bufferevent_free(world->peers[i]);
    }
    evconnlistener_free(world->listener);
    reeve_runtime_free(world->runtime);
    /* bufferevent_free leaves its end to the next turn. */
    event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_assert_eq(event_base_get_num_events(world->base, EVENT_BASE_COUNT_ADDED), 0);
    event_base_free(world->base);
    if (world->path[0])
        unlink(world->path);
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

/* ---- a client ---------------------------------------------------------------------------------
 */

struct client {
    struct world *world;
    struct rv_stream_options options;
    struct rv_stream *stream;
    char text[256];
    size_t received, to_send;
    unsigned opens, dones;
    int error;
    bool wrong;
    char problem[512];
};

static void write_more(struct client *client)
{
    static char bytes[32 * 1024];
    size_t len = client->to_send < sizeof bytes ? client->to_send : sizeof bytes;

    while (len && !rv_stream_write(client->stream, bytes, len)) {
        client->to_send -= len;
        len = client->to_send < sizeof bytes ? client->to_send : sizeof bytes;
    }
    if (!client->to_send)
        rv_stream_shutdown(client->stream);
}

static void on_open(struct rv_stream *stream, void *arg)
{
    (void)stream;
    ((struct client *)arg)->opens++;
}

static void on_data(struct rv_stream *stream, const char *bytes, size_t len, void *arg)
{
    struct client *client = arg;

    (void)stream;
    if (client->received + len < sizeof client->text)
        memcpy(client->text + client->received, bytes, len);
    client->received += len;
}

static void on_drain(struct rv_stream *stream, void *arg)
{
    (void)stream;
    write_more(arg);
}

static void on_end(struct rv_stream *stream, void *arg)
{
    (void)arg;
    rv_stream_shutdown(stream);
}

static void on_done(struct rv_stream *stream, int error, void *arg)
{
    struct client *client = arg;

    cr_assert_eq(client->dones++, 0);
    client->error = error;
    snprintf(client->problem, sizeof client->problem, "%s", rv_stream_problem(stream));
}

static void client_init(struct client *client, struct world *world, const char *host)
{
    memset(client, 0, sizeof *client);
    client->world = world;
    client->options = (struct rv_stream_options){.host = host,
                                                 .port = (uint16_t)(host ? world->port : 0),
                                                 .unix_path = host ? NULL : world->path,
                                                 .max_queued_bytes = QUEUE_BYTES,
                                                 .on_open = on_open,
                                                 .on_data = on_data,
                                                 .on_end = on_end,
                                                 .on_done = on_done,
                                                 .arg = client};
}

static void client_open(struct client *client)
{
    cr_assert_eq(rv_stream_open(client->world->runtime, &client->options, &client->stream), 0);
}

/* Sends hello, and ends when it is back. */
static void say_hello(struct client *client)
{
    client_open(client);
    cr_assert_eq(rv_stream_write(client->stream, "hello", 5), 0);
    rv_stream_shutdown(client->stream);
    UNTIL(client->world, client->dones);
}

static void expect_hello(struct world *world, const char *host)
{
    struct client client;

    client_init(&client, world, host);
    say_hello(&client);
    cr_assert_eq(client.error, 0, "%s", client.problem);
    cr_assert_eq(client.opens, 1);
    cr_assert_str_eq(client.text, "hello");
}

RV_TEST(stream, by_number_name_and_path, .timeout = 60)
{
    struct world world;

    /* A proxy is not for this. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    world_init(&world, t, false);
    expect_hello(&world, "127.0.0.1");
    expect_hello(&world, "here.test");
    expect_hello(&world, "both.test");
    expect_hello(&world, "localhost");
    world_done(&world);
    world_init(&world, t, true);
    expect_hello(&world, NULL);
    world_done(&world);
}

RV_TEST(stream, version_six)
{
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t size = sizeof here;
    struct world world;
    struct evconnlistener *other;

    world_init(&world, t, false);
    other = evconnlistener_new_bind(world.base, on_accept, &world, LEV_OPT_CLOSE_ON_FREE, -1,
                                    (void *)&here, sizeof here);
    if (other) {
        cr_assert_eq(getsockname(evconnlistener_get_fd(other), (void *)&here, &size), 0);
        world.port = ntohs(here.sin6_port);
        expect_hello(&world, "::1");
        evconnlistener_free(other);
    }
    world_done(&world);
}

/* More than any buffer holds, there and back, with a bounded queue. */
static void send_much(struct world *world, const char *host)
{
    enum { MUCH = 4 << 20 };
    struct client client;

    client_init(&client, world, host);
    client.options.on_drain = on_drain;
    client.options.idle_timeout_ms = 20000;
    client.to_send = MUCH;
    client_open(&client);
    write_more(&client);
    UNTIL(world, client.dones);
    cr_assert_eq(client.error, 0, "%s", client.problem);
    cr_assert_eq(client.received, MUCH);
}

RV_TEST(stream, much, .timeout = 60)
{
    struct world world;

    world_init(&world, t, false);
    send_much(&world, "127.0.0.1");
    cr_assert_lt(t->failing.peak_bytes, 2 * 1024 * 1024);
    world_done(&world);
    world_init(&world, t, true);
    send_much(&world, NULL);
    world_done(&world);
}

RV_TEST(stream, pause_holds_the_peer, .timeout = 60)
{
    struct world world;
    struct client client;

    world_init(&world, t, false);
    client_init(&client, &world, "127.0.0.1");
    client.options.on_drain = on_drain;
    client.to_send = 16 << 20;
    client_open(&client);
    write_more(&client);
    UNTIL(&world, client.received);
    rv_stream_pause(client.stream);
    client.received = 0;
    for (int i = 0; i < 200; i++)
        turn(&world);
    cr_assert_eq(client.received, 0);
    cr_assert_lt(t->failing.peak_bytes, 2 * 1024 * 1024);
    rv_stream_resume(client.stream);
    UNTIL(&world, client.received > 1 << 20);
    rv_stream_cancel(client.stream);
    UNTIL(&world, client.dones);
    cr_assert_eq(client.error, REEVE_ECANCELED);
    world_done(&world);
}

static void expect_failure(struct world *world, const char *host, int error)
{
    struct client client;

    client_init(&client, world, host);
    say_hello(&client);
    cr_assert_eq(client.error, error, "%s: %s", host ? host : "path", client.problem);
    cr_assert(strstr(client.problem, host ? host : world->path), "%s", client.problem);
}

RV_TEST(stream, connections_that_fail, .timeout = 60)
{
    struct world world;

    world_init(&world, t, false);
    expect_failure(&world, "none.test", REEVE_ERESOLVE);
    world.manner = RESET;
    expect_failure(&world, "127.0.0.1", REEVE_ECONNLOST);
    evconnlistener_disable(world.listener);
    close(evconnlistener_get_fd(world.listener));
    expect_failure(&world, "127.0.0.1", REEVE_ECONNECT);
    snprintf(world.path, sizeof world.path, "/tmp/no/such/socket");
    expect_failure(&world, NULL, REEVE_ECONNECT);
    world.path[0] = '\0';
    /* Its descriptor is closed already: another takes the number. */
    cr_assert_geq(dup(0), 0);
    world_done(&world);
}

/* SIGPIPE would end this test. */
RV_TEST(stream, writing_to_one_that_is_gone, .timeout = 60)
{
    struct world world;
    struct client client;

    world_init(&world, t, true);
    world.manner = CLOSE;
    client_init(&client, &world, NULL);
    client.options.on_end = on_open;
    client_open(&client);
    rv_stream_pause(client.stream); /* so that it is the writing that fails */
    for (int i = 0; !client.dones; i++) {
        cr_assert_lt(i, 20000);
        if (rv_stream_write(client.stream, "x", 1))
            break;
        turn(&world);
    }
    UNTIL(&world, client.dones);
    cr_assert_eq(client.error, REEVE_ECONNLOST);
    world_done(&world);
}

/* ---- names that take their time ---------------------------------------------------------------
 */

RV_TEST(stream, cancelled_during_a_look_up, .timeout = 60)
{
    struct world world;
    struct client client;

    world_init(&world, t, false);
    client_init(&client, &world, "slow.test");
    client_open(&client);
    UNTIL(&world, atomic_load(&looking));
    rv_stream_cancel(client.stream);
    UNTIL(&world, client.dones);
    cr_assert_eq(atomic_load(&looking), 1, "it waited for the look-up");
    cr_assert_eq(client.error, REEVE_ECANCELED);
    world_done(&world);
}

RV_TEST(stream, time_limit_during_a_look_up, .timeout = 60)
{
    struct world world;
    struct client client;

    world_init(&world, t, false);
    client_init(&client, &world, "slow.test");
    client.options.connect_timeout_ms = 500; /* enough for the look-up's thread to have begun */
    say_hello(&client);
    cr_assert_eq(atomic_load(&looking), 1, "it waited for the look-up");
    cr_assert_eq(client.error, REEVE_ETIMEDOUT);
    world_done(&world);
}

RV_TEST(stream, loop_goes_on_during_a_look_up, .timeout = 60)
{
    struct world world;
    struct client slow;

    world_init(&world, t, false);
    client_init(&slow, &world, "slow.test");
    client_open(&slow);
    cr_assert_eq(rv_stream_write(slow.stream, "hello", 5), 0);
    rv_stream_shutdown(slow.stream);
    expect_hello(&world, "127.0.0.1");
    cr_assert_eq(slow.dones, 0);
    atomic_store(&found, true);
    UNTIL(&world, slow.dones);
    cr_assert_eq(slow.error, 0, "%s", slow.problem);
    cr_assert_str_eq(slow.text, "hello");
    world_done(&world);
}

/* ---- ends from outside ------------------------------------------------------------------------
 */

/* After each of so many turns. */
RV_TEST(stream, ended_at_each_turn, .timeout = 60)
{
    static void (*const ends[])(struct rv_stream *) = {rv_stream_close, rv_stream_cancel,
                                                       rv_stream_abort};
    struct world world;
    struct client client;

    for (int i = 0; i < 3; i++) {
        world_init(&world, t, true);
        for (int turns = 0; turns < 8; turns++) {
            client_init(&client, &world, NULL);
            client_open(&client);
            cr_assert_eq(rv_stream_write(client.stream, "hello", 5), 0);
            for (int j = 0; j < turns; j++)
                turn(&world);
            ends[i](client.stream);
            cr_assert_eq(client.dones, i == 2);
            UNTIL(&world, client.dones);
            cr_assert_eq(client.error, i ? REEVE_ECANCELED : 0);
            turn(&world);
            world.accepted = 0;
            for (int j = 0; j < 8; j++) {
                if (world.peers[j])
                    bufferevent_free(world.peers[j]);
                world.peers[j] = NULL;
            }
        }
        world_done(&world);
    }
}

static int scenario(struct rv_test *run, void *arg)
{
    struct world world;
    struct client client;
    int error = world_init(&world, run, true);

    (void)arg;
    if (error)
        return error;
    client_init(&client, &world, NULL);
    error = rv_stream_open(world.runtime, &client.options, &client.stream);
    if (!error) {
        error = rv_stream_write(client.stream, "hello", 5);
        if (error)
            rv_stream_cancel(client.stream);
        else
            rv_stream_shutdown(client.stream);
        UNTIL(&world, client.dones);
        if (!error)
            error = client.error;
    }
    world_done(&world);
    return error;
}

RV_TEST(stream, each_allocation_fails, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 8);
}
