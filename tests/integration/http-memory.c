/* SPDX-License-Identifier: MIT */
/* Bounds on memory, back pressure, no memory at all, and what is left in memory that is freed. */
#include "tests/integration/http-world.h"

#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024, BIG_BYTES = 32 * MIB };

static void big(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    raw_text(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BIG_BYTES);
    raw_zeros(conn, BIG_BYTES);
}

RV_TEST(http, a_big_body_takes_little_memory, WORLD, .timeout = 60)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");
    size_t before = t->failing.live_bytes;

    world->answer = big;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->received, (size_t)BIG_BYTES);
    cr_assert_leq(t->failing.peak_bytes - before, 256 * 1024, "peak: %zu bytes",
                  t->failing.peak_bytes);
    get_free(get);
}

/* How much the server got rid of when it cannot get rid of more. */
static size_t settled_bytes(struct world *world)
{
    size_t before;

    do {
        before = raw_server_sent(world->server);
        world_run_ms(world, 100);
    } while (raw_server_sent(world->server) != before);
    return before;
}

RV_TEST(http, a_paused_body_stays_with_the_server, WORLD, .timeout = 60)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");
    size_t before = t->failing.live_bytes;
    size_t sent, received;

    world->answer = big;
    get->on_data = GET_PAUSE;
    get->options.timeout_ms = 0;
    get->options.idle_timeout_ms = 400; /* a pause of ours is not the server's silence */
    get_start(get);
    WORLD_UNTIL(world, get->datas == 1);
    received = get->received;
    sent = settled_bytes(world);
    world_run_ms(world, 400);
    cr_assert_lt(sent, (size_t)BIG_BYTES / 2, "the server sent %zu bytes", sent);
    world_run_ms(world, 100);
    /* The kernels at both ends may still move a little from one to the other. */
    cr_assert_leq(raw_server_sent(world->server), sent + MIB, "it still reads");
    cr_assert_eq(get->received, received);
    cr_assert_leq(t->failing.peak_bytes - before, 256 * 1024);
    get->on_data = GET_NOTHING;
    rv_http_resume(get->http);
    cr_assert_eq(get->received, received, "nothing comes inside resume");
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->received, (size_t)BIG_BYTES);
    get_free(get);
}

static void resume_now(struct get *get)
{
    rv_http_resume(get->http);
}

RV_TEST(http, paused_and_resumed_at_each_piece, WORLD, .timeout = 60)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");

    world->answer = big;
    get->on_data = GET_PAUSE;
    get->after_data = resume_now;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->received, (size_t)BIG_BYTES);
    get_free(get);
}

static void small(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    answer_with(conn, "200 OK", "Content-Type: text/plain\r\n", "hello");
}

RV_TEST(http, the_end_waits_behind_what_is_paused, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");

    world->answer = small;
    get->on_head = GET_PAUSE;
    get_start(get);
    WORLD_UNTIL(world, get->heads == 1);
    world_run_ms(world, 30);
    cr_assert_eq(get->datas + get->dones, 0);
    rv_http_resume(get->http);
    cr_assert_eq(get->datas + get->dones, 0);
    world_run(world);
    cr_assert_eq(get->error, 0);
    cr_assert_str_eq(get->body, "hello");
    get_free(get);
}

RV_TEST(http, the_whole_limit_does_not_wait_for_a_pause, WORLD, .timeout = 60)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");

    world->answer = big;
    get->on_data = GET_PAUSE;
    get->options.timeout_ms = 100;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, REEVE_ETIMEDOUT);
    cr_assert_eq(get->datas, 1);
    get_free(get);
}

/* ---- no memory ------------------------------------------------------------------------------- */

/* 0 if the start failed or the request ended; what with, in *ret_error. */
static void request_in(struct world *world, int *ret_error)
{
    static const struct rv_http_header fields[] = {{"Authorization", "Bearer abc"}};
    struct get *get = get_new(world, "/");

    world->answer = small;
    get->options.headers = fields;
    get->options.header_count = 1;
    *ret_error = rv_http_start(world->runtime, &get->options, &get->http);
    if (!*ret_error) {
        world->outstanding++;
        world_run(world);
        cr_assert_eq(get->dones, 1);
        cr_assert_gt(strlen(get->problem), 0);
        *ret_error = get->error;
    }
    if (!*ret_error)
        cr_assert_str_eq(get->body, "hello");
    get_free(get);
}

static int request_once(struct rv_test *run, void *arg)
{
    struct world *world;
    int error = world_open(run, &world);

    (void)arg;
    if (error)
        return error;
    request_in(world, &error);
    world_close(world);
    return error;
}

RV_TEST(http, memory_runs_out, .timeout = 120)
{
    RV_SWEEP_ALLOCATIONS(t, request_once, NULL, 10);
}

/* ---- secrets --------------------------------------------------------------------------------- */

#define CANARY "canary-7d1f-key"

struct spy {
    const struct reeve_allocator *under;
    size_t found;
};

/* A block of the failing allocator has its size before it only there; so each block gets its own.
 */
struct spied {
    size_t size;
    size_t padding;
};

static void look(struct spy *spy, struct spied *block)
{
    if (memmem(block + 1, block->size, CANARY, strlen(CANARY)))
        spy->found++;
}

static void *spy_malloc(size_t size, void *arg)
{
    struct spy *spy = arg;
    struct spied *block = spy->under->malloc(sizeof *block + size, spy->under->arg);

    if (!block)
        return NULL;
    block->size = size;
    return block + 1;
}

static void spy_free(void *ptr, void *arg)
{
    struct spy *spy = arg;
    struct spied *block = ptr;

    if (!ptr)
        return;
    look(spy, --block);
    spy->under->free(block, spy->under->arg);
}

static void *spy_realloc(void *ptr, size_t size, void *arg)
{
    struct spied *block = ptr;
    void *moved = spy_malloc(size, arg);

    if (!moved || !ptr)
        return moved;
    block--;
    memcpy(moved, ptr, block->size < size ? block->size : size);
    spy_free(ptr, arg);
    return moved;
}

static size_t canaries_after(struct rv_test *t, const char *path, bool cancel)
{
    static const struct rv_http_header fields[] = {{"Accept", "text/plain"},
                                                   {"X-Api-Key", CANARY},
                                                   {"Authorization", "Bearer " CANARY},
                                                   {"X-Last", "x"}};
    struct world *world = t->data;
    struct spy spy = {&t->allocator, 0};
    struct reeve_allocator allocator = {spy_malloc, spy_realloc, spy_free, &spy};
    struct reeve_runtime *first = world->runtime;
    struct reeve_runtime_options options;
    struct get *get = get_new(world, path);

    reeve_runtime_options_init(&options);
    options.allocator = &allocator;
    cr_assert_eq(reeve_runtime_new(world->base, &options, &world->runtime), 0);
    world->answer = small;
    get->options.headers = fields;
    get->options.header_count = 4;
    get_start(get);
    if (cancel)
        rv_http_cancel(get->http);
    world_run(world);
    cr_assert_null(strstr(get->problem, CANARY));
    reeve_runtime_free(world->runtime);
    world->runtime = first;
    get_free(get);
    return spy.found;
}

RV_TEST(http, keys_are_wiped, WORLD)
{
    cr_assert_eq(canaries_after(t, "/", false), 0);
    cr_assert_eq(canaries_after(t, "/", true), 0);
    /* The spy sees what is not wiped: the URL. */
    cr_assert_gt(canaries_after(t, "/" CANARY, false), 0);
}
