/* SPDX-License-Identifier: MIT */
/* Ending a request from outside: cancel in every state and callback, abort, a runtime that goes. */
#include "tests/integration/http-world.h"

#include "loop/runtime.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers "/N" up to stage N and then no further: 0 not even the head, 1 the head, 2 some body, 3
 * all of it. */
enum stage { STAGE_SILENT, STAGE_HEAD, STAGE_BODY, STAGE_WHOLE, STAGE_COUNT };

static const char *const paths[STAGE_COUNT] = {"/0", "/1", "/2", "/3"};

static void staged(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    int stage = strchr(head, '/')[1] - '0';

    (void)body;
    (void)len;
    (void)arg;
    if (stage >= STAGE_HEAD)
        raw_text(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
    if (stage >= STAGE_BODY)
        raw_text(conn, "half");
    if (stage >= STAGE_WHOLE)
        raw_text(conn, "half");
}

static void expect_canceled(const struct get *get)
{
    cr_assert_eq(get->dones, 1);
    cr_assert_eq(get->error, REEVE_ECANCELED, "%s", reeve_error_name(get->error));
    assert_problem(get, "the request to %s was cancelled", get->options.url);
}

/* The connection behind a request that was cancelled must not be used again, nor stay open. */
static void expect_usable(struct world *world)
{
    struct get *get = get_and_run(world, paths[STAGE_WHOLE]);

    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "halfhalf");
    get_free(get);
    WORLD_UNTIL(world, raw_server_open(world->server) == 1);
}

/* Whether the server has the request and its answer, as far as the path goes, was handed on. */
static bool is_staged(const struct get *get, enum stage stage, size_t requests)
{
    return raw_server_requests(get->world->server) >= requests &&
           get->heads == (stage >= STAGE_HEAD) && get->received == (stage >= STAGE_BODY ? 4 : 0);
}

/* Start a request and let it come to its stage. */
static struct get *get_staged(struct world *world, enum stage stage)
{
    struct get *get = get_new(world, paths[stage]);
    size_t requests = raw_server_requests(world->server) + 1;

    get_start(get);
    WORLD_UNTIL(world, is_staged(get, stage, requests));
    return get;
}

/* ---- cancel ---------------------------------------------------------------------------------- */

RV_TEST(http, cancelled_at_once, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/3");

    world->answer = staged;
    get_start(get);
    rv_http_cancel(get->http);
    cr_assert_eq(get->dones, 0, "on_done comes later");
    rv_http_cancel(get->http);
    world_run(world);
    expect_canceled(get);
    cr_assert_eq(get->heads, 0);
    get_free(get);
    expect_usable(world);
}

/* A listener whose queue is full: whoever connects waits. */
static int busy_listener(int waiting[2], char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int i;

    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 0), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    for (i = 0; i < 2; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(waiting[i], (struct sockaddr *)&address, sizeof address);
    }
    snprintf(url, size, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    return listener;
}

/* Some versions of libcurl close a socket that was never connected by themselves, and its number is
 * the next request's. */
RV_TEST(http, cancelled_while_it_connects, WORLD)
{
    struct world *world = t->data;
    char url[64];
    int waiting[2];
    int listener = busy_listener(waiting, url, sizeof url);
    int i;

    world->answer = staged;
    for (i = 0; i < 3; i++) {
        struct get *get = get_url(world, url);

        get_start(get);
        world_run_ms(world, 50);
        cr_assert_eq(get->dones, 0, "it did not wait: %s", get->problem);
        rv_http_cancel(get->http);
        world_run(world);
        expect_canceled(get);
        get_free(get);
        expect_usable(world);
    }
    close(waiting[0]);
    close(waiting[1]);
    close(listener);
}

RV_TEST(http, cancelled_in_each_state, WORLD)
{
    struct world *world = t->data;

    world->answer = staged;
    for (int stage = STAGE_SILENT; stage < STAGE_WHOLE; stage++) {
        struct get *get = get_staged(world, (enum stage)stage);
        unsigned heads = get->heads;
        unsigned datas = get->datas;

        rv_http_cancel(get->http);
        cr_assert_eq(get->dones, 0);
        world_run(world);
        expect_canceled(get);
        cr_assert_eq(get->heads, heads);
        cr_assert_eq(get->datas, datas);
        get_free(get);
        expect_usable(world);
    }
}

RV_TEST(http, cancelled_in_on_head, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/3");

    world->answer = staged;
    get->on_head = GET_CANCEL;
    get_start(get);
    world_run(world);
    expect_canceled(get);
    cr_assert_eq(get->heads, 1);
    cr_assert_eq(get->datas, 0);
    get_free(get);
    expect_usable(world);
}

RV_TEST(http, cancelled_in_on_data, WORLD)
{
    struct world *world = t->data;

    world->answer = staged;
    for (int stage = STAGE_BODY; stage < STAGE_COUNT; stage++) {
        struct get *get = get_new(world, paths[stage]);

        get->on_data = GET_CANCEL;
        get_start(get);
        world_run(world);
        expect_canceled(get);
        cr_assert_eq(get->datas, 1);
        get_free(get);
    }
    expect_usable(world);
}

static void cancel_other(struct get *get)
{
    struct get *victim = get->arg;

    if (!victim->dones)
        rv_http_cancel(victim->http);
}

RV_TEST(http, cancelled_by_another_request, WORLD)
{
    struct world *world = t->data;

    world->answer = staged;
    for (int stage = STAGE_SILENT; stage < STAGE_WHOLE; stage++) {
        for (int at_end = 0; at_end < 2; at_end++) {
            struct get *victim = get_staged(world, (enum stage)stage);
            struct get *killer = get_new(world, "/3");

            killer->arg = victim;
            *(at_end ? &killer->after_done : &killer->after_data) = cancel_other;
            get_start(killer);
            world_run(world);
            expect_canceled(victim);
            cr_assert_eq(killer->error, 0, "%s", killer->problem);
            get_free(victim);
            get_free(killer);
        }
    }
    expect_usable(world);
}

/* The end is known, but waits behind what the owner does not take while it pauses. */
RV_TEST(http, cancelled_after_the_end_and_before_on_done, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/3");

    world->answer = staged;
    get->on_head = GET_PAUSE;
    get_start(get);
    WORLD_UNTIL(world, get->heads == 1);
    world_run_ms(world, 30);
    cr_assert_eq(get->datas + get->dones, 0);
    rv_http_cancel(get->http);
    world_run(world);
    expect_canceled(get);
    cr_assert_eq(get->datas, 0);
    get_free(get);
    expect_usable(world);
}

RV_TEST(http, many_cancelled_at_random, WORLD, .timeout = 40)
{
    enum { COUNT = 40 };
    struct world *world = t->data;
    struct get *gets[COUNT];

    world->answer = staged;
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            gets[i] = get_new(world, paths[rv_test_random(t) % STAGE_COUNT]);
            gets[i]->on_head = rv_test_random(t) % 5 ? GET_NOTHING : GET_CANCEL;
            gets[i]->on_data = rv_test_random(t) % 5 ? GET_NOTHING : GET_CANCEL;
            get_start(gets[i]);
            if (rv_test_random(t) % 4 == 0)
                event_base_loop(world->base, EVLOOP_NONBLOCK);
        }
        world_run_ms(world, (unsigned)(rv_test_random(t) % 20));
        for (size_t i = 0; i < COUNT; i++) {
            if (!gets[i]->dones)
                rv_http_cancel(gets[i]->http);
        }
        world_run(world);
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert_eq(gets[i]->dones, 1);
            get_free(gets[i]);
        }
    }
    expect_usable(world);
}

/* ---- abort ----------------------------------------------------------------------------------- */

RV_TEST(http, aborted_in_each_state, WORLD)
{
    struct world *world = t->data;

    world->answer = staged;
    for (int stage = STAGE_SILENT; stage < STAGE_WHOLE; stage++) {
        struct get *get = get_staged(world, (enum stage)stage);

        rv_http_abort(get->http);
        expect_canceled(get);
        get_free(get);
    }
    expect_usable(world);
}

RV_TEST(http, aborted_at_once, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/3");

    world->answer = staged;
    get_start(get);
    rv_http_abort(get->http);
    expect_canceled(get);
    get_free(get);
    expect_usable(world);
}

RV_TEST(http, aborted_after_a_cancel, WORLD)
{
    struct world *world = t->data;
    struct get *get;

    world->answer = staged;
    get = get_staged(world, STAGE_HEAD);
    rv_http_cancel(get->http);
    rv_http_abort(get->http);
    expect_canceled(get);
    get_free(get);
}

static void abort_other(struct get *get)
{
    struct get *victim = get->arg;

    if (!victim->dones)
        rv_http_abort(victim->http);
}

RV_TEST(http, aborted_by_another_request, WORLD)
{
    struct world *world = t->data;
    struct get *killer = get_new(world, "/3");
    struct get *victim;

    world->answer = staged;
    victim = get_staged(world, STAGE_BODY);
    killer->arg = victim;
    killer->after_data = abort_other;
    get_start(killer);
    world_run(world);
    expect_canceled(victim);
    cr_assert_eq(killer->error, 0);
    get_free(victim);
    get_free(killer);
}

/* ---- the runtime goes ------------------------------------------------------------------------ */

struct owner {
    struct rv_pending pending;
    struct get *get;
};

static void owner_abort(struct rv_pending *pending)
{
    struct owner *owner = rv_container_of(pending, struct owner, pending);

    rv_http_abort(owner->get->http);
}

static void owner_done(struct get *get)
{
    struct owner *owner = get->arg;
    struct rv_http *http;

    rv_pending_remove(get->world->runtime, &owner->pending);
    cr_assert_eq(rv_http_start(get->world->runtime, &get->options, &http), REEVE_ECLOSING);
}

static void new_runtime(struct world *world)
{
    struct reeve_runtime_options options;

    reeve_runtime_options_init(&options);
    options.allocator = &world->t->allocator;
    cr_assert_eq(reeve_runtime_new(world->base, &options, &world->runtime), 0);
}

RV_TEST(http, a_runtime_freed_in_flight, WORLD)
{
    struct world *world = t->data;
    struct owner owners[STAGE_COUNT];

    world->answer = staged;
    for (int round = 0; round < 2; round++) {
        for (int stage = STAGE_SILENT; stage < STAGE_WHOLE; stage++) {
            if (round) {
                owners[stage].get = get_staged(world, (enum stage)stage);
            } else {
                owners[stage].get = get_new(world, paths[stage]);
                get_start(owners[stage].get);
            }
            owners[stage].get->arg = &owners[stage];
            owners[stage].get->after_done = owner_done;
            rv_pending_add(world->runtime, &owners[stage].pending, owner_abort);
        }
        reeve_runtime_free(world->runtime);
        for (int stage = STAGE_SILENT; stage < STAGE_WHOLE; stage++) {
            expect_canceled(owners[stage].get);
            get_free(owners[stage].get);
        }
        new_runtime(world);
        world_run_ms(world, 20);
        WORLD_UNTIL(world, raw_server_open(world->server) == 0);
    }
}

RV_TEST(http, two_runtimes_on_one_base, WORLD)
{
    struct world *world = t->data;
    struct reeve_runtime *first = world->runtime;
    struct get *gets[2];

    world->answer = staged;
    gets[0] = get_staged(world, STAGE_BODY);
    new_runtime(world);
    gets[1] = get_new(world, "/3");
    get_start(gets[1]);
    WORLD_UNTIL(world, gets[1]->dones == 1);
    reeve_runtime_free(world->runtime);
    world->runtime = first;
    cr_assert_eq(gets[0]->datas, 1);
    rv_http_cancel(gets[0]->http);
    world_run(world);
    get_free(gets[0]);
    get_free(gets[1]);
}
