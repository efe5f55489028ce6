/* SPDX-License-Identifier: MIT */
/* Whole answers of all kinds, and what the server gets to see of a request. */
#include "tests/integration/http-world.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is sent ---------------------------------------------------------------------------- */

struct asked {
    char head[8192];
    char body[1024];
    size_t body_len;
};

static void note(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    struct asked *asked = arg;

    snprintf(asked->head, sizeof asked->head, "%s", head);
    asked->body_len = len;
    snprintf(asked->body, sizeof asked->body, "%.1000s", body);
    answer_with(conn, "200 OK", "Content-Type: text/plain\r\n", "hello");
}

static bool asked_has(const struct asked *asked, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(asked->head, wanted);
}

RV_TEST(http, a_get, WORLD)
{
    static const struct rv_http_header fields[] = {
        {"Authorization", "Bearer abc"}, {"X-Empty", ""}, {"X-Colon", "a: b"}};
    struct world *world = t->data;
    struct asked asked;
    struct get *get = get_new(world, "/some/path?x=1");

    world->answer = note;
    world->answer_arg = &asked;
    get->options.headers = fields;
    get->options.header_count = 3;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->status, 200);
    cr_assert_eq(get->heads, 1);
    cr_assert_eq(get->dones, 1);
    cr_assert_str_eq(get->type, "text/plain");
    cr_assert_str_eq(get->body, "hello");
    cr_assert_eq(strncmp(asked.head, "GET /some/path?x=1 HTTP/1.1\r\n", 29), 0);
    cr_assert(asked_has(&asked, "Authorization: Bearer abc"));
    cr_assert(asked_has(&asked, "X-Empty:"));
    cr_assert(asked_has(&asked, "X-Colon: a: b"));
    cr_assert(asked_has(&asked, "Accept-Encoding: identity"));
    cr_assert_null(strcasestr(asked.head, "expect"));
    cr_assert_null(strcasestr(asked.head, "content-type"));
    cr_assert_eq(asked.body_len, 0);
    get_free(get);
}

static void post(struct world *world, const char *method, const char *body, struct asked *asked)
{
    static const struct rv_http_header fields[] = {{"content-type", "application/json"},
                                                   {"accept-encoding", "gzip"}};
    struct get *get = get_new(world, "/post");

    world->answer = note;
    world->answer_arg = asked;
    get->options.method = method;
    get->options.headers = fields;
    get->options.header_count = 2;
    cr_assert_eq(rv_buffer_add_text(&get->request_body, body), 0);
    get_start(get);
    cr_assert_eq(get->request_body.len, 0, "it was taken");
    cr_assert_eq(rv_buffer_add_text(&get->request_body, "again"), 0, "and can be used again");
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->status, 200);
    get_free(get);
}

RV_TEST(http, a_post, WORLD)
{
    struct asked asked;

    post(t->data, "POST", "{\"a\":1}", &asked);
    cr_assert_eq(strncmp(asked.head, "POST /post HTTP/1.1\r\n", 21), 0);
    cr_assert(asked_has(&asked, "content-type: application/json"));
    cr_assert(asked_has(&asked, "accept-encoding: gzip"));
    cr_assert(asked_has(&asked, "Content-Length: 7"));
    cr_assert_null(strcasestr(asked.head, "expect"));
    cr_assert_null(strstr(asked.head, "identity"));
    cr_assert_str_eq(asked.body, "{\"a\":1}");
}

RV_TEST(http, other_methods, WORLD)
{
    static const char *const methods[] = {"PUT", "DELETE", "PATCH", "GET"};
    struct asked asked;
    char line[64];

    for (size_t i = 0; i < 4; i++) {
        post(t->data, methods[i], "x", &asked);
        snprintf(line, sizeof line, "%s /post HTTP/1.1\r\n", methods[i]);
        cr_assert_eq(strncmp(asked.head, line, strlen(line)), 0, "%s", asked.head);
        cr_assert_str_eq(asked.body, "x");
    }
}

RV_TEST(http, a_post_without_a_body, WORLD)
{
    struct world *world = t->data;
    struct asked asked;
    struct get *get = get_new(world, "/");

    world->answer = note;
    world->answer_arg = &asked;
    get->options.method = "POST";
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert(asked_has(&asked, "Content-Length: 0"));
    cr_assert_eq(asked.body_len, 0);
    get_free(get);
}

static void count_body(struct raw_conn *conn, const char *head, const char *body, size_t len,
                       void *arg)
{
    size_t *bad = arg;

    (void)head;
    for (size_t i = 0; i < len; i++)
        *bad += body[i] != (char)('a' + i % 26);
    *bad += len != 200000;
    answer_with(conn, "200 OK", "", "");
}

RV_TEST(http, a_large_body_is_sent_whole, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");
    size_t bad = 0;

    world->answer = count_body;
    world->answer_arg = &bad;
    get->options.method = "POST";
    for (size_t i = 0; i < 200000; i++)
        cr_assert_eq(rv_buffer_add_byte(&get->request_body, (char)('a' + i % 26)), 0);
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(bad, 0);
    cr_assert_eq(raw_server_requests(world->server), 1);
    get_free(get);
}

/* ---- what is refused at once ----------------------------------------------------------------- */

static void expect_refused(struct world *world, const struct rv_http_options *options)
{
    struct rv_http *http = (struct rv_http *)world;

    cr_assert_eq(rv_http_start(world->runtime, options, &http), REEVE_EINVAL);
    cr_assert_eq((void *)http, (void *)world, "untouched");
}

RV_TEST(http, bad_requests_are_refused, WORLD)
{
    static const struct rv_http_header bad[] = {{"X", "a\r\nInjected: 1"},
                                                {"X", "a\nb"},
                                                {"X", "a\r"},
                                                {"X Y", "a"},
                                                {"", "a"},
                                                {"X:", "a"},
                                                {"X\r\n", "a"}};
    struct world *world = t->data;
    struct get *get = get_new(world, "/");
    struct rv_http_options options = get->options;

    options.header_count = 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.headers = &bad[i];
        expect_refused(world, &options);
    }
    options = get->options;
    options.method = "GET / HTTP/1.1\r\nX: y";
    expect_refused(world, &options);
    options.method = "";
    expect_refused(world, &options);
    options = get->options;
    options.url = "file:///etc/passwd";
    expect_refused(world, &options);
    world_run_ms(world, 20);
    cr_assert_eq(raw_server_accepted(world->server), 0);
    get_free(get);
}

/* ---- statuses and bodies --------------------------------------------------------------------- */

static void by_path(struct raw_conn *conn, const char *head, const char *body, size_t len,
                    void *arg)
{
    unsigned status = (unsigned)strtoul(strchr(head, '/') + 1, NULL, 10);

    (void)body;
    (void)len;
    (void)arg;
    if (status == 204 || status == 304)
        raw_text(conn, "HTTP/1.1 %u X\r\n\r\n", status);
    else
        raw_text(conn, "HTTP/1.1 %u X\r\nLocation: /200\r\nContent-Length: 4\r\n\r\nbody", status);
}

RV_TEST(http, every_status_is_only_a_status, WORLD)
{
    static const int statuses[] = {200, 204, 301, 302, 303, 304, 307, 308, 400,
                                   401, 404, 407, 417, 429, 500, 503, 529};
    struct world *world = t->data;
    char path[16];

    world->answer = by_path;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct get *get;

        snprintf(path, sizeof path, "/%d", statuses[i]);
        get = get_and_run(world, path);
        cr_assert_eq(get->error, 0, "%s: %s", path, get->problem);
        cr_assert_eq(get->status, statuses[i]);
        cr_assert_eq(get->heads, 1);
        cr_assert_str_eq(get->body, statuses[i] == 204 || statuses[i] == 304 ? "" : "body");
        get_free(get);
    }
    cr_assert_eq(raw_server_requests(world->server), sizeof statuses / sizeof *statuses,
                 "nothing was followed");
    cr_assert_eq(raw_server_accepted(world->server), 1);
}

RV_TEST(http, a_head_request_has_no_body, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/200");

    world->answer = by_path;
    get->options.method = "HEAD";
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->status, 200);
    cr_assert_eq(get->received, 0);
    get_free(get);
}

static void informed(struct raw_conn *conn, const char *head, const char *body, size_t len,
                     void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    raw_text(conn, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_text(conn, "HTTP/1.1 103 Early Hints\r\nContent-Type: no\r\n\r\n");
    answer_with(conn, "201 Created", "Content-Type: yes\r\n", "hello");
}

RV_TEST(http, informational_heads_are_not_told, WORLD)
{
    struct world *world = t->data;
    struct get *get;

    world->answer = informed;
    get = get_and_run(world, "/");
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->heads, 1);
    cr_assert_eq(get->status, 201);
    cr_assert_str_eq(get->type, "yes");
    cr_assert_str_eq(get->body, "hello");
    get_free(get);
}

static void until_closed(struct raw_conn *conn, const char *head, const char *body, size_t len,
                         void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    raw_text(conn, "HTTP/1.0 200 OK\r\n\r\nall ");
    raw_text(conn, "of it");
    raw_close(conn);
}

RV_TEST(http, a_body_that_ends_with_its_connection, WORLD)
{
    struct world *world = t->data;
    struct get *get;

    world->answer = until_closed;
    get = get_and_run(world, "/");
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "all of it");
    get_free(get);
}

static void chunked(struct raw_conn *conn, const char *head, const char *body, size_t len,
                    void *arg)
{
    const char *answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         "Content-Type: text/event-stream\r\n\r\n"
                         "5\r\nhello\r\n1;x=y\r\n \r\n005\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n";

    (void)head;
    (void)body;
    (void)len;
    if (arg)
        raw_each_byte(conn, answer);
    else
        raw_text(conn, "%s", answer);
}

RV_TEST(http, chunks, WORLD)
{
    struct world *world = t->data;

    world->answer = chunked;
    for (int split = 0; split < 2; split++) {
        struct get *get;

        world->answer_arg = split ? world : NULL;
        get = get_and_run(world, "/");
        cr_assert_eq(get->error, 0, "%s", get->problem);
        cr_assert_str_eq(get->type, "text/event-stream");
        cr_assert_str_eq(get->body, "hello world");
        get_free(get);
    }
    cr_assert_eq(raw_server_accepted(world->server), 1, "the trailer did not spoil it");
}

/* gzip of "unpacked\n" as gzip(1) makes it. */
static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                       0x2b, 0xcd, 0x2b, 0x48, 0x4c, 0xce, 0x4e, 0x4d, 0xe1, 0x02,
                                       0x00, 0x80, 0x1f, 0x71, 0x2b, 0x09, 0x00, 0x00, 0x00};

static void gzipped(struct raw_conn *conn, const char *head, const char *body, size_t len,
                    void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    raw_text(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
             (const char *)arg, sizeof packed);
    for (size_t i = 0; i < sizeof packed; i++)
        raw_send(conn, packed + i, 1);
}

RV_TEST(http, gzip_is_unpacked_if_it_comes, WORLD)
{
    struct world *world = t->data;
    struct get *get;

    world->answer = gzipped;
    world->answer_arg = (void *)(uintptr_t) "gzip";
    get = get_and_run(world, "/");
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "unpacked\n");
    get_free(get);
}

RV_TEST(http, other_encodings_are_refused, WORLD)
{
    static const char *const encodings[] = {"br", "zstd", "gzip, gzip", "compress", "deflate"};
    struct world *world = t->data;

    world->answer = gzipped;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        struct get *get;

        world->answer_arg = (void *)(uintptr_t)encodings[i];
        get = get_and_run(world, "/");
        cr_assert_eq(get->error, REEVE_EPROTOCOL, "%s: %s", encodings[i], get->problem);
        cr_assert_eq(get->received, 0);
        assert_problem(get,
                       "the answer from %s is not proper HTTP: its content encoding is unknown "
                       "or broken",
                       get->options.url);
        get_free(get);
    }
}

/* ---- connections ----------------------------------------------------------------------------- */

RV_TEST(http, connections_are_kept, WORLD)
{
    struct world *world = t->data;

    world->answer = by_path;
    for (int i = 0; i < 20; i++) {
        struct get *get = get_and_run(world, "/200");

        cr_assert_eq(get->error, 0, "%s", get->problem);
        get_free(get);
    }
    cr_assert_eq(raw_server_requests(world->server), 20);
    cr_assert_eq(raw_server_accepted(world->server), 1);
}

static void run_many(struct world *world, size_t count)
{
    struct get **gets = calloc(count, sizeof(struct get *));

    cr_assert_not_null(gets);
    for (size_t i = 0; i < count; i++) {
        gets[i] = get_new(world, "/200");
        get_start(gets[i]);
    }
    world_run(world);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(gets[i]->error, 0, "%s", gets[i]->problem);
        cr_assert_str_eq(gets[i]->body, "body");
        get_free(gets[i]);
    }
    free(gets);
}

RV_TEST(http, many_at_once_and_their_connections_kept, WORLD)
{
    struct world *world = t->data;

    world->answer = by_path;
    run_many(world, 100);
    cr_assert_eq(raw_server_accepted(world->server), 100);
    run_many(world, 100);
    cr_assert_eq(raw_server_requests(world->server), 200);
    cr_assert_eq(raw_server_accepted(world->server), 100, "all were used again");
}

static void then_close(struct raw_conn *conn, const char *head, const char *body, size_t len,
                       void *arg)
{
    by_path(conn, head, body, len, arg);
    raw_close(conn);
}

RV_TEST(http, a_kept_connection_that_died_is_replaced, WORLD)
{
    struct world *world = t->data;

    world->answer = then_close;
    for (int i = 0; i < 3; i++) {
        struct get *get = get_and_run(world, "/200");

        cr_assert_eq(get->error, 0, "%s", get->problem);
        get_free(get);
        WORLD_UNTIL(world, raw_server_open(world->server) == 0);
    }
    cr_assert_eq(raw_server_accepted(world->server), 3);
}

/* With a connection kept but nothing to do, the loop must have nothing to wait for. */
RV_TEST(http, an_idle_runtime_has_no_event, WORLD)
{
    struct world *world = t->data;
    struct get *get;

    world->answer = by_path;
    get = get_and_run(world, "/200");
    cr_assert_eq(raw_server_open(world->server), 1);
    get_free(get);
    raw_server_free(world->server);
    cr_assert_eq(event_base_dispatch(world->base), 1, "1: no event was pending");
    world->server = raw_server_new(world->base, by_path, NULL);
    get = get_and_run(world, "/200");
    cr_assert_eq(get->error, 0, "%s", get->problem);
    get_free(get);
}

/* ---- streaming ------------------------------------------------------------------------------- */

struct stream {
    struct raw_conn *conn;
    unsigned sent;
};

static void start_stream(struct raw_conn *conn, const char *head, const char *body, size_t len,
                         void *arg)
{
    struct stream *stream = arg;

    (void)head;
    (void)body;
    (void)len;
    stream->conn = conn;
    stream->sent = 1;
    raw_text(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0001\r\n");
}

/* The server sends the next piece only once the last one was handed on. */
static void next_piece(struct get *get)
{
    struct stream *stream = get->arg;

    cr_assert_eq(get->received, 4 * stream->sent);
    if (stream->sent == 50)
        raw_text(stream->conn, "0\r\n\r\n");
    else
        raw_text(stream->conn, "4\r\n%04u\r\n", ++stream->sent);
}

RV_TEST(http, pieces_are_handed_on_as_they_come, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_new(world, "/");
    struct stream stream;

    world->answer = start_stream;
    world->answer_arg = &stream;
    get->after_data = next_piece;
    get->arg = &stream;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->datas, 50);
    cr_assert_eq(get->received, 200);
    cr_assert_str_eq(get->body + 196, "0050");
    get_free(get);
}

static void every_byte(struct raw_conn *conn, const char *head, const char *body, size_t len,
                       void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    raw_each_byte(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
                        "11\r\n\r\nhello world");
}

RV_TEST(http, an_answer_in_single_bytes, WORLD)
{
    struct world *world = t->data;
    struct get *get;

    world->answer = every_byte;
    get = get_and_run(world, "/");
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->type, "text/plain");
    cr_assert_str_eq(get->body, "hello world");
    get_free(get);
}

/* ---- starting from callbacks ----------------------------------------------------------------- */

static void start_next(struct get *get)
{
    get_start(get->arg);
}

RV_TEST(http, a_request_may_be_started_in_a_callback, WORLD)
{
    struct world *world = t->data;
    struct get *gets[3];

    world->answer = by_path;
    for (size_t i = 0; i < 3; i++)
        gets[i] = get_new(world, "/200");
    gets[0]->after_data = start_next;
    gets[0]->arg = gets[1];
    gets[1]->after_done = start_next;
    gets[1]->arg = gets[2];
    get_start(gets[0]);
    world_run(world);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(gets[i]->error, 0, "%s", gets[i]->problem);
        cr_assert_eq(gets[i]->dones, 1);
        get_free(gets[i]);
    }
    cr_assert_eq(raw_server_requests(world->server), 3);
}
