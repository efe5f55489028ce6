/* SPDX-License-Identifier: MIT */
/* Everything that goes wrong on the way: limits, losses, garbage, caps. */
#include "tests/integration/http-world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- an answer played from a text ------------------------------------------------------------ */

enum ending { THEN_NOTHING, THEN_CLOSE, THEN_RESET };

struct played {
    const char *text;
    enum ending ending;
};

static void play(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    const struct played *played = arg;

    (void)head;
    (void)body;
    (void)len;
    raw_text(conn, "%s", played->text);
    if (played->ending == THEN_CLOSE)
        raw_close(conn);
    if (played->ending == THEN_RESET) {
        raw_wait(conn, 20); /* a reset overtakes what lies unread */
        raw_reset(conn);
    }
}

static struct get *get_played(struct world *world, const char *text, enum ending ending)
{
    struct played played = {text, ending};
    struct get *get;

    world->answer = play;
    world->answer_arg = &played;
    get = get_and_run(world, "/v1/x?key=secret");
    world->answer_arg = NULL;
    return get;
}

/* ---- connections that end too early ---------------------------------------------------------- */

#define LENGTH_100 "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct early {
    const char *text;
    const char *body; /* what is handed on all the same */
    int status;
} early[] = {
    {"", "", 0},
    {"HTTP/1.1 200", "", 0},
    {"HTTP/1.1 200 OK\r\nContent-", "", 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n", "", 0},
    {LENGTH_100, "", 200},
    {LENGTH_100 "part", "part", 200},
    {CHUNKED, "", 200},
    {CHUNKED "5\r\nhello\r\n", "hello", 200},
    {CHUNKED "5\r\nhel", "hel", 200},
    {CHUNKED "5\r\nhello\r\n0", "hello", 200},
    {CHUNKED "5\r\nhello\r\n0\r\n", "hello", 200},
    {"HTTP/1.1 100 Continue\r\n\r\n", "", 0},
};

static void expect_lost(struct world *world, const struct early *one, enum ending ending)
{
    struct get *get = get_played(world, one->text, ending);
    const char *start = "the connection to http://127.0.0.1:";

    cr_assert_eq(get->error, REEVE_ECONNLOST, "after \"%s\": %s, %s", one->text,
                 reeve_error_name(get->error), get->problem);
    cr_assert_str_eq(get->body, one->body, "after \"%s\"", one->text);
    cr_assert_eq(get->status, one->status, "after \"%s\"", one->text);
    cr_assert_eq(get->heads, one->status ? 1 : 0);
    cr_assert_eq(strncmp(get->problem, start, strlen(start)), 0, "%s", get->problem);
    cr_assert_not_null(strstr(get->problem, "/v1/x was lost"), "%s", get->problem);
    cr_assert_null(strstr(get->problem, "secret"));
    get_free(get);
}

RV_TEST(http, a_connection_closed_too_early, WORLD)
{
    for (size_t i = 0; i < sizeof early / sizeof *early; i++)
        expect_lost(t->data, &early[i], THEN_CLOSE);
}

RV_TEST(http, a_connection_reset_too_early, WORLD)
{
    for (size_t i = 0; i < sizeof early / sizeof *early; i++)
        expect_lost(t->data, &early[i], THEN_RESET);
}

RV_TEST(http, a_reset_is_named, WORLD)
{
    struct get *get = get_played(t->data, LENGTH_100 "part", THEN_RESET);

    cr_assert_not_null(strstr(get->problem, "Connection reset by peer"), "%s", get->problem);
    get_free(get);
}

/* ---- answers that are none ------------------------------------------------------------------- */

RV_TEST(http, what_is_not_http, WORLD)
{
    static const char *const texts[] = {"<html>no</html>\r\n\r\n", "SSH-2.0-x\r\n",
                                        "HTTP/9.9 x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
                                        "\x15\x03\x01\x02\x02\r\n\r\n"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct get *get = get_played(t->data, texts[i], THEN_CLOSE);

        cr_assert_eq(get->error, REEVE_EPROTOCOL, "\"%s\": %s, %s", texts[i],
                     reeve_error_name(get->error), get->problem);
        cr_assert_eq(get->heads, 0);
        cr_assert_not_null(strstr(get->problem, "is not proper HTTP"), "%s", get->problem);
        get_free(get);
    }
}

/* ---- caps ------------------------------------------------------------------------------------ */

RV_TEST(http, a_body_over_its_cap, WORLD)
{
    struct world *world = t->data;
    struct played played = {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
                            THEN_NOTHING};

    world->answer = play;
    world->answer_arg = &played;
    for (size_t cap = 9; cap < 13; cap++) {
        struct get *get = get_new(world, "/");

        get->options.max_response_bytes = cap;
        get_start(get);
        world_run(world);
        cr_assert_eq(get->error, cap < 11 ? REEVE_ETOOBIG : 0, "cap %zu: %s", cap, get->problem);
        cr_assert_leq(get->received, cap);
        if (cap < 11)
            assert_problem(get,
                           "the body of the answer from %s is larger than %zu bytes "
                           "(max_response_bytes)",
                           get->options.url, cap);
        get_free(get);
    }
}

static void long_head(struct raw_conn *conn, const char *head, const char *body, size_t len,
                      void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    raw_text(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (size_t i = 0; i < *(size_t *)arg; i++)
        raw_text(conn, "X-%04zu: %01000d\r\n", i, 0);
    raw_text(conn, "\r\n");
}

RV_TEST(http, a_head_over_its_cap, WORLD)
{
    static size_t lines[] = {60, 70, 200};
    struct world *world = t->data;

    world->answer = long_head;
    for (size_t i = 0; i < 3; i++) {
        struct get *get;

        world->answer_arg = &lines[i];
        get = get_and_run(world, "/");
        cr_assert_eq(get->error, i ? REEVE_ETOOBIG : 0, "%s", get->problem);
        if (i)
            assert_problem(get, "the head of the answer from %s is larger than 65536 bytes",
                           get->options.url);
        get_free(get);
    }
}

/* ---- time limits ----------------------------------------------------------------------------- */

static void expect_late(struct get *get, double started_ms, unsigned limit_ms, const char *before,
                        const char *between, const char *name)
{
    double took_ms = now_ms() - started_ms;

    cr_assert_eq(get->error, REEVE_ETIMEDOUT, "%s", reeve_error_name(get->error));
    cr_assert_geq(took_ms, (double)limit_ms - 0.01);
    /* A busy machine is late; the simulated one (tests/sim) is held to the millisecond. */
    cr_assert_leq(took_ms, (double)limit_ms + 500, "late by %f ms", took_ms - (double)limit_ms);
    assert_problem(get, "%s %s %s %u ms (%s)", before, get->options.url, between, limit_ms, name);
}

static struct get *get_with_limit(struct world *world, size_t offset, unsigned limit_ms,
                                  struct played *played)
{
    struct get *get = get_new(world, "/slow");

    world->answer = play;
    world->answer_arg = played;
    get->options.timeout_ms = 0;
    *(uint32_t *)(void *)((char *)&get->options + offset) = limit_ms;
    get_start(get);
    return get;
}

#define LIMIT(name) offsetof(struct rv_http_options, name)

RV_TEST(http, no_answer_in_time, WORLD)
{
    struct played nothing = {"", THEN_NOTHING};
    double start_ms = now_ms();
    struct get *get = get_with_limit(t->data, LIMIT(first_byte_timeout_ms), 60, &nothing);

    world_run(t->data);
    expect_late(get, start_ms, 60, "no answer from", "within", "first_byte_timeout_ms");
    get_free(get);
}

RV_TEST(http, silence_in_the_head, WORLD)
{
    struct played half = {"HTTP/1.1 200 OK\r\nContent-", THEN_NOTHING};
    double start_ms = now_ms();
    struct get *get = get_with_limit(t->data, LIMIT(idle_timeout_ms), 60, &half);

    world_run(t->data);
    expect_late(get, start_ms, 60, "nothing more came from", "for", "idle_timeout_ms");
    cr_assert_eq(get->heads, 0);
    get_free(get);
}

static void drip(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    raw_text(conn, LENGTH_100);
    for (int i = 0; i < 8; i++) {
        raw_wait(conn, 20);
        raw_text(conn, "x");
    }
}

RV_TEST(http, silence_in_the_body, WORLD)
{
    struct world *world = t->data;
    double start_ms = now_ms();
    struct get *get = get_new(world, "/slow");

    world->answer = drip;
    get->options.timeout_ms = 0;
    get->options.first_byte_timeout_ms = 60000;
    get->options.idle_timeout_ms = 150;
    get_start(get);
    world_run(world);
    /* The limit counts from the last byte, which was sent after eight waits of 20 ms, by a loop
     * whose clock may be a millisecond behind, and was handed on a moment after it had come. */
    cr_assert_eq(get->received, 8);
    cr_assert_geq(get->received_ms - start_ms, 152);
    cr_assert_geq(now_ms() - get->received_ms, 149);
    cr_assert_leq(now_ms() - start_ms, 800);
    assert_problem(get, "nothing more came from %s for 150 ms (idle_timeout_ms)", get->options.url);
    get_free(get);
}

RV_TEST(http, an_answer_that_takes_too_long, WORLD)
{
    struct world *world = t->data;
    struct played nothing = {"", THEN_NOTHING};
    double start_ms = now_ms();
    struct get *get = get_with_limit(world, LIMIT(timeout_ms), 400, &nothing);

    world->answer = drip;
    world_run(world);
    expect_late(get, start_ms, 400, "the answer from", "was not complete within", "timeout_ms");
    cr_assert_gt(get->received, 1, "what came was handed on");
    get_free(get);
}

/* A listener whose queue is full takes no connection and refuses none. */
struct full_listener {
    int listener;
    int fillers[4];
    unsigned port;
};

static void fill_listener(struct full_listener *full)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    full->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(full->listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(full->listener, 0), 0);
    cr_assert_eq(getsockname(full->listener, (struct sockaddr *)&address, &size), 0);
    full->port = ntohs(address.sin_port);
    for (size_t i = 0; i < 4; i++) {
        full->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(full->fillers[i], (struct sockaddr *)&address, size);
    }
}

static void close_listener(struct full_listener *full)
{
    for (size_t i = 0; i < 4; i++)
        close(full->fillers[i]);
    close(full->listener);
}

RV_TEST(http, no_connection_in_time, WORLD)
{
    struct world *world = t->data;
    struct full_listener full;
    struct get *get;
    char url[64];
    double start_ms;

    fill_listener(&full);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x", full.port);
    get = get_url(world, url);
    get->options.timeout_ms = 0;
    get->options.connect_timeout_ms = 80;
    get->options.first_byte_timeout_ms = 10; /* counts from the connection, which never is */
    start_ms = now_ms();
    get_start(get);
    world_run(world);
    expect_late(get, start_ms, 80, "could not connect to", "within", "connect_timeout_ms");
    get_free(get);
    close_listener(&full);
}

RV_TEST(http, a_refused_port, WORLD)
{
    struct get *get =
        get_url(t->data, "http://user:secret@127.0.0.1:1/v1/chat/completions?k=secret");

    get_start(get);
    world_run(t->data);
    cr_assert_eq(get->error, REEVE_ECONNECT);
    assert_problem(get, "could not connect to http://127.0.0.1:1/v1/chat/completions: Connection "
                        "refused (127.0.0.1 port 1)");
    get_free(get);
}

/* ---- a loop that goes on --------------------------------------------------------------------- */

RV_TEST(http, limits_do_not_end_other_requests, WORLD)
{
    struct world *world = t->data;
    struct played nothing = {"", THEN_NOTHING};
    struct get *late = get_with_limit(world, LIMIT(first_byte_timeout_ms), 30, &nothing);
    struct get *other;

    WORLD_UNTIL(world, raw_server_requests(world->server) == 1);
    world->answer = drip;
    other = get_new(world, "/");
    other->options.idle_timeout_ms = 150;
    get_start(other);
    world_run(world);
    cr_assert_eq(late->error, REEVE_ETIMEDOUT);
    cr_assert_eq(other->received, 8);
    get_free(late);
    get_free(other);
}
