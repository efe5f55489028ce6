/* SPDX-License-Identifier: MIT */
#include "tests/integration/http-world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void world_clean_environment(void)
{
    static const char *const names[] = {
        "http_proxy", "https_proxy", "HTTPS_PROXY",    "all_proxy",     "ALL_PROXY",
        "no_proxy",   "NO_PROXY",    "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static void on_request(struct raw_conn *conn, const char *head, const char *body, size_t body_len,
                       void *arg)
{
    struct world *world = arg;

    if (world->answer)
        world->answer(conn, head, body, body_len, world->answer_arg);
}

int world_open(struct rv_test *t, struct world **ret_world)
{
    struct world *world = calloc(1, sizeof *world);
    struct reeve_runtime_options options;
    int error;

    cr_assert_not_null(world);
    world_clean_environment();
    world->t = t;
    world->base = event_base_new();
    cr_assert_not_null(world->base);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(world->base, &options, &world->runtime);
    if (error) {
        event_base_free(world->base);
        free(world);
        return error;
    }
    world->server = raw_server_new(world->base, on_request, world);
    *ret_world = world;
    return 0;
}

void world_close(struct world *world)
{
    cr_assert_eq(world->outstanding, 0, "%zu requests have not ended", world->outstanding);
    reeve_runtime_free(world->runtime);
    raw_server_free(world->server);
    event_base_free(world->base);
    free(world);
}

void world_set_up(struct rv_test *t)
{
    struct world *world;

    cr_assert_eq(world_open(t, &world), 0);
    t->data = world;
}

void world_tear_down(struct rv_test *t)
{
    world_close(t->data);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void act(struct get *get, enum get_action action)
{
    if (action == GET_CANCEL)
        rv_http_cancel(get->http);
    else if (action == GET_PAUSE)
        rv_http_pause(get->http);
}

static void on_head(struct rv_http *http, int status, void *arg)
{
    struct get *get = arg;
    const char *type = rv_http_header_value(http, "Content-Type");

    cr_assert_eq(get->heads++, 0);
    cr_assert_eq(get->datas + get->dones, 0);
    cr_assert_eq(rv_http_status(http), status);
    get->status = status;
    snprintf(get->type, sizeof get->type, "%s", type ? type : "");
    act(get, get->on_head);
}

static void on_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct get *get = arg;

    cr_assert_eq(get->heads, 1);
    cr_assert_eq(get->dones, 0);
    cr_assert_eq(http, get->http);
    cr_assert_gt(len, 0);
    get->datas++;
    for (size_t i = 0; i < len && get->received + i < GET_MAX_BODY_BYTES - 1; i++)
        get->body[get->received + i] = bytes[i];
    get->received += len;
    get->received_ms = now_ms();
    act(get, get->on_data);
    if (get->after_data)
        get->after_data(get);
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct get *get = arg;

    cr_assert_eq(get->dones++, 0);
    cr_assert_not_null(rv_http_problem(http));
    get->error = error;
    get->world->outstanding--;
    snprintf(get->problem, sizeof get->problem, "%s", rv_http_problem(http));
    rv_http_cancel(http); /* no effect any more */
    rv_http_resume(http);
    if (get->after_done)
        get->after_done(get);
}

struct get *get_url(struct world *world, const char *url)
{
    struct get *get = calloc(1, sizeof *get);

    cr_assert_not_null(get);
    get->world = world;
    rv_buffer_init(&get->request_body, world->t->mem, 1 << 24);
    get->options = (struct rv_http_options){.method = "GET",
                                            .url = strdup(url),
                                            .max_response_bytes = SIZE_MAX / 2,
                                            .timeout_ms = 8000,
                                            .on_head = on_head,
                                            .on_data = on_data,
                                            .on_done = on_done,
                                            .arg = get};
    return get;
}

struct get *get_new(struct world *world, const char *path)
{
    return get_url(world, raw_server_url(world->server, path));
}

void get_start(struct get *get)
{
    struct rv_http *http = NULL;

    if (get->request_body.len)
        get->options.body_take = &get->request_body;
    cr_assert_eq(rv_http_start(get->world->runtime, &get->options, &http), 0);
    cr_assert_not_null(http);
    cr_assert_eq(get->heads + get->datas + get->dones, 0, "a callback ran inside the start");
    cr_assert_eq(rv_http_status(http), 0);
    cr_assert_null(rv_http_header_value(http, "content-type"));
    get->http = http;
    get->world->outstanding++;
}

void get_free(struct get *get)
{
    rv_buffer_done(&get->request_body);
    free((void *)(uintptr_t)get->options.url);
    free(get);
}

void world_run(struct world *world)
{
    while (world->outstanding)
        cr_assert_eq(event_base_loop(world->base, EVLOOP_ONCE), 0, "the loop has nothing to do");
}

static void no_more(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

void world_run_ms(struct world *world, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    bool over = false;

    cr_assert_eq(event_base_once(world->base, -1, EV_TIMEOUT, no_more, &over, &wait), 0);
    while (!over)
        event_base_loop(world->base, EVLOOP_ONCE);
}

struct get *get_and_run(struct world *world, const char *path)
{
    struct get *get = get_new(world, path);

    get_start(get);
    world_run(world);
    cr_assert_eq(get->dones, 1);
    return get;
}

void answer_with(struct raw_conn *conn, const char *status, const char *fields, const char *body)
{
    raw_text(conn, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, fields, strlen(body),
             body);
}
