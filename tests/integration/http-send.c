/* SPDX-License-Identifier: MIT */
/* What stands on the wire of a request: bodies that are pulled, the fields that are ours; and where
 * a 3xx points to. */
#include "tests/integration/http-world.h"

#include <reeve/version.h>
#include <stdlib.h>
#include <string.h>

struct owner {
    const char *const *pieces; /* "" is: not yet */
    size_t next, count;
    unsigned asked, rewinds;
    bool may_rewind;
};

static const char *const pieces[] = {"one, ", "two, ", "", "three, ", "four"};
static const char whole[] = "one, two, three, four";

static enum rv_http_give give(struct rv_http *http, char *room, size_t size, size_t *ret_len,
                              void *arg)
{
    struct owner *owner = ((struct get *)arg)->arg;
    const char *piece = owner->pieces[owner->next++];

    (void)http;
    cr_assert_lt(strlen(piece), size);
    owner->asked++;
    if (!*piece)
        return RV_HTTP_GIVE_LATER;
    *ret_len = strlen(piece);
    memcpy(room, piece, *ret_len);
    return owner->next == owner->count ? RV_HTTP_GIVE_LAST : RV_HTTP_GIVE_MORE;
}

static bool begin_again(struct rv_http *http, void *arg)
{
    struct owner *owner = ((struct get *)arg)->arg;

    (void)http;
    owner->rewinds++;
    owner->next = 0;
    return owner->may_rewind;
}

struct seen {
    char head[1024];
    char body[1024];
    bool reset_next; /* the next request with a body */
};

static void take(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    struct seen *seen = arg;

    cr_assert_lt(len, sizeof seen->body);
    snprintf(seen->head, sizeof seen->head, "%s", head);
    snprintf(seen->body, sizeof seen->body, "%.*s", (int)len, body);
    if (seen->reset_next && len) {
        seen->reset_next = false;
        raw_close(conn);
        return;
    }
    answer_with(conn, "200 OK", "", "hello");
}

static struct get *put(struct world *world, struct owner *owner, struct seen *seen,
                       int64_t body_bytes)
{
    struct get *get = get_new(world, "/put?key=hidden");

    *owner = (struct owner){.pieces = pieces, .count = 5};
    world->answer = take;
    world->answer_arg = seen;
    get->arg = owner;
    get->options.method = "POST";
    get->options.on_body = give;
    get->options.body_bytes = body_bytes;
    return get;
}

/* It waits after two pieces, and goes on when it is told. */
static void run_to_end(struct world *world, struct get *get)
{
    struct owner *owner = get->arg;

    while (!get->dones) {
        WORLD_UNTIL(world, get->dones || (owner->next && !*owner->pieces[owner->next - 1]));
        world_run_ms(world, 5);
        if (get->dones)
            return;
        cr_assert_eq(owner->asked % 2, 1, "asked before it was ready: %u", owner->asked);
        rv_http_body_ready(get->http);
        WORLD_UNTIL(world, get->dones || *owner->pieces[owner->next - 1]);
    }
}

RV_TEST(send, a_body_of_unknown_length_goes_in_chunks, WORLD)
{
    struct world *world = t->data;
    struct seen seen = {.reset_next = false};
    struct owner owner;
    struct get *get = put(world, &owner, &seen, RV_HTTP_NO_LENGTH);

    get_start(get);
    run_to_end(world, get);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "hello");
    cr_assert_not_null(strcasestr(seen.head, "\r\nTransfer-Encoding: chunked\r\n"));
    cr_assert_null(strcasestr(seen.head, "\r\nContent-Length:"));
    cr_assert_null(strcasestr(seen.head, "\r\nExpect:"));
    cr_assert_str_eq(seen.body,
                     "5\r\none, \r\n5\r\ntwo, \r\n7\r\nthree, \r\n4\r\nfour\r\n0\r\n\r\n");
    cr_assert_eq(owner.asked, 5);
    get_free(get);
}

RV_TEST(send, a_body_of_known_length_goes_as_it_is, WORLD)
{
    struct world *world = t->data;
    struct seen seen = {.reset_next = false};
    struct owner owner;
    struct get *get = put(world, &owner, &seen, sizeof whole - 1);

    get_start(get);
    run_to_end(world, get);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_not_null(strcasestr(seen.head, "\r\nContent-Length: 21\r\n"));
    cr_assert_null(strcasestr(seen.head, "\r\nTransfer-Encoding:"));
    cr_assert_null(strcasestr(seen.head, "\r\nExpect:"));
    cr_assert_str_eq(seen.body, whole);
    get_free(get);
}

RV_TEST(send, another_length_than_was_said, WORLD)
{
    static const int64_t lengths[] = {sizeof whole - 2, sizeof whole, 3};
    struct world *world = t->data;
    struct seen seen = {.reset_next = false};

    for (size_t i = 0; i < 3; i++) {
        struct owner owner;
        struct get *get = put(world, &owner, &seen, lengths[i]);

        get_start(get);
        run_to_end(world, get);
        cr_assert_eq(get->error, REEVE_EINVAL, "%s", reeve_error_name(get->error));
        assert_problem(get,
                       "the request to http://127.0.0.1:%u/put failed: its body is not as long as "
                       "was said",
                       raw_server_port(world->server));
        cr_assert_eq(get->heads, 0);
        get_free(get);
    }
    WORLD_UNTIL(world, !raw_server_open(world->server));
    cr_assert_eq(raw_server_requests(world->server), 0, "the server never had a whole one");
}

/* The connection is kept, and the server closes it when the next request has come. */
static struct get *meet_dead(struct world *world, struct owner *owner, struct seen *seen)
{
    struct get *get = put(world, owner, seen, sizeof whole - 1);
    struct get *first = get_and_run(world, "/first");

    cr_assert_eq(first->error, 0, "%s", first->problem);
    get_free(first);
    seen->reset_next = true;
    return get;
}

RV_TEST(send, given_again_when_a_kept_connection_was_dead, WORLD)
{
    struct world *world = t->data;
    struct seen seen = {.reset_next = false};
    struct owner owner;
    struct get *get = meet_dead(world, &owner, &seen);

    owner.may_rewind = true;
    get->options.on_rewind = begin_again;
    get_start(get);
    WORLD_UNTIL(world, owner.asked == 3);
    rv_http_body_ready(get->http);
    WORLD_UNTIL(world, owner.asked == 8);
    rv_http_body_ready(get->http);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(owner.rewinds, 1);
    cr_assert_eq(owner.asked, 10);
    cr_assert_str_eq(seen.body, whole);
    cr_assert_eq(raw_server_accepted(world->server), 2);
    cr_assert_eq(raw_server_requests(world->server), 3);
    get_free(get);
}

RV_TEST(send, what_cannot_be_given_again, WORLD)
{
    struct world *world = t->data;

    for (int i = 0; i < 2; i++) {
        struct seen seen = {.reset_next = false};
        struct owner owner;
        struct get *get = meet_dead(world, &owner, &seen);

        if (i)
            get->options.on_rewind = begin_again;
        get_start(get);
        run_to_end(world, get);
        cr_assert_eq(get->error, REEVE_ECONNLOST, "%s: %s", reeve_error_name(get->error),
                     get->problem);
        cr_assert_eq(owner.rewinds, (unsigned)i);
        assert_problem(get,
                       "the connection to http://127.0.0.1:%u/put was lost: after a part of the "
                       "body that cannot be given again",
                       raw_server_port(world->server));
        get_free(get);
    }
}

RV_TEST(send, the_user_agent_is_ours_or_the_owners, WORLD)
{
    static const struct rv_http_header other = {"user-agent", "mine/1"};
    struct world *world = t->data;
    struct seen seen = {.reset_next = false};

    for (size_t i = 0; i < 2; i++) {
        struct get *get = get_new(world, "/");

        world->answer = take;
        world->answer_arg = &seen;
        get->options.headers = &other;
        get->options.header_count = i;
        get_start(get);
        world_run(world);
        cr_assert_eq(get->error, 0);
        cr_assert_not_null(strstr(seen.head, i ? "\r\nuser-agent: mine/1\r\n"
                                               : "\r\nUser-Agent: reeve/" REEVE_VERSION_STRING
                                                 "\r\n"),
                           "%s", seen.head);
        cr_assert_eq(!strstr(seen.head, "reeve/"), i == 1);
        get_free(get);
    }
}

/* ---- where a 3xx points to ------------------------------------------------------------------- */

static void redirect(struct raw_conn *conn, const char *head, const char *body, size_t len,
                     void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    answer_with(conn, "307 Temporary Redirect", arg, "");
}

static void note_location(struct get *get)
{
    const char *location = rv_http_location(get->http);

    snprintf(get->arg, 64, "%s", location ? location : "(none)");
}

RV_TEST(send, no_redirect_is_followed_and_its_target_shown_without_secrets, WORLD)
{
    static const struct {
        const char *fields, *shown;
    } cases[] = {
        {"Location: https://user:pass@else.test/v1?key=secret#x\r\n", "https://else.test/v1"},
        {"location: /v2?key=secret\r\n", "/v2"},
        {"", "(none)"},
    };
    struct world *world = t->data;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct get *get = get_new(world, "/");
        char shown[64];

        world->answer = redirect;
        world->answer_arg = (void *)(uintptr_t)cases[i].fields;
        get->arg = shown;
        get->after_done = note_location;
        get_start(get);
        world_run(world);
        cr_assert_eq(get->error, 0, "%s", get->problem);
        cr_assert_eq(get->status, 307);
        cr_assert_str_eq(shown, cases[i].shown);
        get_free(get);
    }
    cr_assert_eq(raw_server_requests(world->server), 3);
}
