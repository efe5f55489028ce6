/* SPDX-License-Identifier: MIT */
/*
 * Against nginx: trust, HTTP/2 and the sharing of connections, as nginx's own log has it; large
 * answers, streams that pause, bodies that are pulled.
 */
#include "tests/integration/http-outside.h"
#include "tests/integration/http-world.h"

#include <stdlib.h>
#include <string.h>

enum {
    MANY = 50,
    BIG_BYTES = 8 * 1024 * 1024,
    SENT_BYTES = 1024 * 1024 + 17,
    GIVEN_BYTES = 7001, /* a turn; no divisor of anything */
    GIVEN_LATE = 8,     /* every so many turns it is late */
};

struct bench {
    struct world *world;
    struct outside *nginx;
};

static void set_up(struct rv_test *t)
{
    struct bench *bench;

    outside_need("nginx");
    bench = calloc(1, sizeof *bench);
    cr_assert_not_null(bench);
    bench->nginx = outside_nginx_new(NULL);
    cr_assert_eq(world_open(t, &bench->world), 0);
    t->data = bench;
}

static void tear_down(struct rv_test *t)
{
    struct bench *bench = t->data;

    world_close(bench->world);
    outside_free(bench->nginx);
    free(bench);
}

#define NGINX RV_FIXTURE(set_up, tear_down), .timeout = 60

static void trust(struct bench *bench, bool http1_only)
{
    struct rv_http_settings settings = {.ca_file = outside_path(bench->nginx, "ca.pem"),
                                        .http1_only = http1_only};

    cr_assert_eq(rv_http_settings_set(bench->world->runtime, &settings), 0);
}

static struct get *get_of(struct bench *bench, bool secure, const char *path)
{
    char url[128];

    snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", secure ? "https" : "http",
             secure ? bench->nginx->tls_port : bench->nginx->port, path);
    return get_url(bench->world, url);
}

static void run(struct get *get)
{
    get_start(get);
    world_run(get->world);
}

static void expect(struct get *get, int status, const char *body)
{
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->status, status);
    if (body)
        cr_assert_str_eq(get->body, body);
    get_free(get);
}

/* How many different connections the log's lines came over. */
static size_t count_connections(const struct access *list, size_t count)
{
    size_t connections = 0;

    for (size_t i = 0; i < count; i++) {
        size_t earlier = 0;

        while (earlier < i && list[earlier].connection != list[i].connection)
            earlier++;
        connections += earlier == i;
    }
    return connections;
}

static void expect_log(struct bench *bench, size_t lines, size_t connections, const char *protocol)
{
    struct access list[MANY + 2];

    cr_assert_eq(outside_accesses(bench->nginx, list, lines), lines);
    cr_assert_eq(count_connections(list, lines), connections, "%zu connections",
                 count_connections(list, lines));
    for (size_t i = 0; i < lines; i++)
        cr_assert_str_eq(list[i].protocol, protocol);
}

/* ---- trust ----------------------------------------------------------------------------------- */

static void expect_refused(struct bench *bench)
{
    struct get *get = get_of(bench, true, "/protocol?key=secret");

    run(get);
    cr_assert_eq(get->error, REEVE_ETLS, "%s", reeve_error_name(get->error));
    cr_assert_eq(get->heads, 0);
    assert_problem(get,
                   "no secure connection to https://127.0.0.1:%u/protocol: SSL certificate "
                   "problem: unable to get local issuer certificate",
                   bench->nginx->tls_port);
    get_free(get);
}

RV_TEST(nginx, it_is_refused_without_its_authority, NGINX)
{
    expect_refused(t->data);
}

RV_TEST(nginx, it_is_accepted_by_the_option, NGINX)
{
    struct bench *bench = t->data;
    struct get *get;

    trust(bench, false);
    get = get_of(bench, true, "/protocol");
    run(get);
    expect(get, 200, "HTTP/2.0");
}

RV_TEST(nginx, the_option_goes_before_the_environment, NGINX)
{
    struct bench *bench = t->data;
    struct get *get;

    setenv("CURL_CA_BUNDLE", "/nonexistent/ca.pem", 1);
    trust(bench, false);
    get = get_of(bench, true, "/protocol");
    run(get);
    expect(get, 200, "HTTP/2.0");
}

RV_TEST(nginx, it_is_accepted_by_the_environment, NGINX)
{
    struct bench *bench = t->data;
    struct get *get;

    setenv("SSL_CERT_FILE", outside_path(bench->nginx, "ca.pem"), 1);
    get = get_of(bench, true, "/protocol");
    run(get);
    expect(get, 200, "HTTP/2.0");
}

RV_TEST(nginx, a_file_without_certificates_is_named, NGINX)
{
    struct bench *bench = t->data;
    struct rv_http_settings settings = {.ca_file = outside_path(bench->nginx, "none.pem")};
    struct get *get = get_of(bench, true, "/protocol");

    outside_write(bench->nginx, "none.pem", "nothing\n", 8);
    cr_assert_eq(rv_http_settings_set(bench->world->runtime, &settings), 0);
    run(get);
    cr_assert_eq(get->error, REEVE_ETLS);
    cr_assert_not_null(strstr(get->problem, "none.pem"), "%s", get->problem);
    get_free(get);
}

/* ---- protocols and connections --------------------------------------------------------------- */

RV_TEST(nginx, http1_can_be_forced_for_a_request, NGINX)
{
    struct bench *bench = t->data;
    struct get *get;

    trust(bench, false);
    get = get_of(bench, true, "/protocol");
    run(get);
    expect(get, 200, "HTTP/2.0");
    get = get_of(bench, true, "/protocol");
    get->options.http1_only = true;
    run(get);
    expect(get, 200, "HTTP/1.1");
}

RV_TEST(nginx, http1_can_be_forced_for_all, NGINX)
{
    struct bench *bench = t->data;
    struct get *get;

    trust(bench, true);
    get = get_of(bench, true, "/protocol");
    run(get);
    expect(get, 200, "HTTP/1.1");
}

RV_TEST(nginx, plain_requests_are_http1, NGINX)
{
    struct get *get = get_of(t->data, false, "/protocol");

    run(get);
    expect(get, 200, "HTTP/1.1");
}

RV_TEST(nginx, fifty_at_once_share_one_connection, NGINX)
{
    struct bench *bench = t->data;
    struct get *gets[MANY];

    trust(bench, false);
    for (size_t i = 0; i < MANY; i++) {
        gets[i] = get_of(bench, true, "/protocol");
        get_start(gets[i]);
    }
    world_run(bench->world);
    for (size_t i = 0; i < MANY; i++)
        expect(gets[i], 200, "HTTP/2.0");
    expect_log(bench, MANY, 1, "HTTP/2.0");
}

RV_TEST(nginx, fifty_in_turn_keep_one_connection_alive, NGINX)
{
    struct bench *bench = t->data;

    trust(bench, true);
    for (size_t i = 0; i < MANY; i++) {
        struct get *get = get_of(bench, true, "/protocol");

        run(get);
        expect(get, 200, "HTTP/1.1");
    }
    expect_log(bench, MANY, 1, "HTTP/1.1");
}

RV_TEST(nginx, no_more_connections_than_the_limit, NGINX)
{
    struct bench *bench = t->data;
    struct rv_http_settings settings = {.max_connections_per_host = 3};
    struct get *gets[MANY];

    cr_assert_eq(rv_http_settings_set(bench->world->runtime, &settings), 0);
    for (size_t i = 0; i < MANY; i++) {
        gets[i] = get_of(bench, false, "/protocol");
        get_start(gets[i]);
    }
    world_run(bench->world);
    for (size_t i = 0; i < MANY; i++)
        expect(gets[i], 200, "HTTP/1.1");
    expect_log(bench, MANY, 3, "HTTP/1.1");
}

/* ---- large answers --------------------------------------------------------------------------- */

static char byte_at(size_t offset)
{
    return (char)((offset * UINT64_C(2654435761)) >> 13 & 0xff);
}

static void make_big(struct bench *bench)
{
    char *bytes = malloc(BIG_BYTES);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < BIG_BYTES; i++)
        bytes[i] = byte_at(i);
    outside_write(bench->nginx, "files/big", bytes, BIG_BYTES);
    free(bytes);
}

static void check_bytes(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct get *get = arg;

    (void)http;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != byte_at(get->received + i))
            cr_assert_fail("wrong at %zu", get->received + i);
    }
    get->received += len;
}

static struct get *get_big(struct bench *bench, bool secure)
{
    struct get *get = get_of(bench, secure, "/files/big");

    get->options.on_data = check_bytes;
    get->options.timeout_ms = 30000;
    return get;
}

static void expect_big(struct get *get)
{
    cr_assert_eq(get->received, BIG_BYTES);
    expect(get, 200, NULL);
}

RV_TEST(nginx, a_large_answer_is_whole, NGINX)
{
    struct bench *bench = t->data;

    trust(bench, false);
    make_big(bench);
    for (int secure = 0; secure < 2; secure++) {
        struct get *get = get_big(bench, secure);

        run(get);
        expect_big(get);
    }
}

RV_TEST(nginx, a_paused_stream_holds_up_no_other, NGINX)
{
    struct bench *bench = t->data;
    struct get *paused, *other;

    trust(bench, false);
    make_big(bench);
    paused = get_big(bench, true);
    paused->on_head = GET_PAUSE;
    get_start(paused);
    WORLD_UNTIL(bench->world, paused->heads);
    for (int i = 0; i < 10; i++) {
        other = i % 5 ? get_of(bench, true, "/protocol") : get_big(bench, true);
        get_start(other);
        WORLD_UNTIL(bench->world, other->dones);
        expect(other, 200, i % 5 ? "HTTP/2.0" : NULL);
    }
    cr_assert_eq(paused->received, 0);
    rv_http_resume(paused->http);
    world_run(bench->world);
    expect_big(paused);
    expect_log(bench, 11, 1, "HTTP/2.0");
}

RV_TEST(nginx, a_paused_stream_is_cancelled, NGINX)
{
    struct bench *bench = t->data;
    struct get *paused, *other;

    trust(bench, false);
    make_big(bench);
    paused = get_big(bench, true);
    paused->on_head = GET_PAUSE;
    get_start(paused);
    WORLD_UNTIL(bench->world, paused->heads);
    rv_http_cancel(paused->http);
    world_run(bench->world);
    cr_assert_eq(paused->error, REEVE_ECANCELED);
    cr_assert_eq(paused->received, 0);
    get_free(paused);
    other = get_of(bench, true, "/protocol");
    run(other);
    expect(other, 200, "HTTP/2.0");
    expect_log(bench, 2, 1, "HTTP/2.0");
}

/* ---- bodies that are pulled ------------------------------------------------------------------ */

static size_t given;
static unsigned asked;

static enum rv_http_give give(struct rv_http *http, char *room, size_t size, size_t *ret_len,
                              void *arg)
{
    size_t len = SENT_BYTES - given;

    (void)arg;
    cr_assert_eq(size, RV_HTTP_PULL_BYTES);
    if (++asked % GIVEN_LATE == 0) {
        rv_http_body_ready(http); /* at once: it asks again all the same */
        return RV_HTTP_GIVE_LATER;
    }
    if (len > GIVEN_BYTES)
        len = GIVEN_BYTES;
    for (size_t i = 0; i < len; i++)
        room[i] = byte_at(given + i);
    given += len;
    *ret_len = len;
    return given == SENT_BYTES ? RV_HTTP_GIVE_LAST : RV_HTTP_GIVE_MORE;
}

static struct get *put(struct bench *bench, bool secure, const char *path, int64_t body_bytes)
{
    struct get *get = get_of(bench, secure, path);

    given = 0;
    asked = 0;
    get->options.method = "PUT";
    get->options.on_body = give;
    get->options.body_bytes = body_bytes;
    get->options.timeout_ms = 30000;
    return get;
}

static void expect_kept(struct bench *bench, const char *name)
{
    size_t len;
    char *kept = outside_read(bench->nginx, name, &len);

    cr_assert_not_null(kept);
    cr_assert_eq(len, SENT_BYTES);
    for (size_t i = 0; i < len; i++) {
        if (kept[i] != byte_at(i))
            cr_assert_fail("wrong at %zu", i);
    }
    free(kept);
}

RV_TEST(nginx, pulled_bodies_arrive_whole, NGINX)
{
    static const char *const names[] = {"put/a", "put/b", "put/c", "put/d"};
    struct bench *bench = t->data;
    struct access list[4];

    trust(bench, false);
    for (unsigned i = 0; i < 4; i++) {
        char path[16];
        struct get *get;

        snprintf(path, sizeof path, "/%s", names[i]);
        get = put(bench, i & 1, path, i & 2 ? SENT_BYTES : RV_HTTP_NO_LENGTH);
        run(get);
        expect(get, 201, NULL);
        expect_kept(bench, names[i]);
    }
    cr_assert_eq(outside_accesses(bench->nginx, list, 4), 4);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_str_eq(list[i].protocol, i & 1 ? "HTTP/2.0" : "HTTP/1.1");
        cr_assert_gt(list[i].request_bytes, SENT_BYTES);
    }
}

static enum rv_http_give give_nothing(struct rv_http *http, char *room, size_t size,
                                      size_t *ret_len, void *arg)
{
    (void)http;
    (void)room;
    (void)size;
    (void)ret_len;
    (void)arg;
    asked++;
    return RV_HTTP_GIVE_LATER;
}

RV_TEST(nginx, a_body_that_waits_holds_up_no_other, NGINX)
{
    struct bench *bench = t->data;
    struct get *waiting, *other;

    trust(bench, false);
    waiting = put(bench, true, "/put/late", RV_HTTP_NO_LENGTH);
    waiting->options.on_body = give_nothing;
    get_start(waiting);
    WORLD_UNTIL(bench->world, asked);
    for (int i = 0; i < 5; i++) {
        other = get_of(bench, true, "/protocol");
        get_start(other);
        WORLD_UNTIL(bench->world, other->dones);
        expect(other, 200, "HTTP/2.0");
    }
    cr_assert_eq(asked, 1, "not asked again before it is ready: %u", asked);
    cr_assert_eq(waiting->dones, 0);
    rv_http_cancel(waiting->http);
    world_run(bench->world);
    cr_assert_eq(waiting->error, REEVE_ECANCELED);
    get_free(waiting);
}
