/* SPDX-License-Identifier: MIT */
/* Completions that fail, and how they tell of it. */
#include "tests/sim/completion-world.h"

#include "loop/clock.h"

#include <string.h>

#define KEY "sk-canary-0123456789abcdef"

static const char stream_type[] = "text/event-stream";

/* Ask once more, with this responder, which finds the script in the world. */
static int run_with(struct world *world, rv_sim_http_responder respond, const char *script)
{
    world->script = script;
    rv_sim_http_on(world->net, "POST", "/chat/completions", NULL, respond, world);
    return world_run(world);
}

static void open_world(struct world *world, struct rv_test *t)
{
    world_init(world, t);
    world->model_options.api_key = KEY;
    world->model_options.connect_timeout_ms = 100;
    world->model_options.first_byte_timeout_ms = 200;
    world->model_options.idle_timeout_ms = 400;
    world->model_options.timeout_ms = 5000;
    cr_assert_eq(world_open(world), 0);
}

/* ---- no response ---- */

static void connect_fails(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;

    rv_sim_http_connect_fails(exchange, world->number, "because of " KEY);
}

RV_TEST(completion, tells_that_no_server_was_reached)
{
    static const struct {
        int error, retryable;
    } cases[] = {{REEVE_ERESOLVE, 1}, {REEVE_ECONNECT, 1}, {REEVE_ETLS, 0}};
    struct world world;
    size_t i;

    open_world(&world, t);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        world.number = cases[i].error;
        cr_assert_eq(run_with(&world, connect_fails, NULL), cases[i].error);
        cr_assert_eq(world.detail.http_status, 0);
        cr_assert_eq(world.detail.retryable, cases[i].retryable);
        cr_assert_eq(world.detail.retry_after_ms, -1);
        cr_assert(strstr(world.detail.message, WORLD_URL), "%s", world.detail.message);
        cr_assert(strstr(world.detail.message, "because of ***"), "%s", world.detail.message);
    }
    world_close(&world);
}

/* ---- time limits ---- */

static void connect_stalls(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_connect_stalls(exchange);
}

static void first_byte_stalls(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_connect_ms(exchange, 50);
    rv_sim_http_stall(exchange);
}

static void stream_stalls(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_status(exchange, 200);
    rv_sim_http_text(exchange, TEXT("Half"));
    rv_sim_http_stall(exchange);
}

static void trickles(struct rv_sim_http_exchange *exchange, void *arg)
{
    int i;

    (void)arg;
    rv_sim_http_status(exchange, 200);
    for (i = 0; i < 100; i++) {
        rv_sim_http_wait(exchange, 300);
        rv_sim_http_text(exchange, ":\n");
    }
}

static void expect_late(struct world *world, rv_sim_http_responder respond, uint64_t ms,
                        const char *limit)
{
    const uint64_t before_ns = rv_sim_now_ns(world->runtime);
    uint64_t took_ns;

    cr_assert_eq(run_with(world, respond, NULL), REEVE_ETIMEDOUT);
    took_ns = rv_sim_now_ns(world->runtime) - before_ns;
    cr_assert_eq(took_ns / RV_NS_PER_MS, ms, "%s after %llu ms", limit,
                 (unsigned long long)(took_ns / RV_NS_PER_MS));
    cr_assert_eq(world->detail.retryable, 1);
    cr_assert(strstr(world->detail.message, limit), "%s", world->detail.message);
    cr_assert(strstr(world->detail.message, WORLD_URL), "%s", world->detail.message);
}

RV_TEST(completion, keeps_its_time_limits)
{
    struct world world;

    open_world(&world, t);
    expect_late(&world, connect_stalls, 100, "connect_timeout_ms");
    expect_late(&world, first_byte_stalls, 250, "first_byte_timeout_ms");
    expect_late(&world, stream_stalls, 400, "idle_timeout_ms");
    cr_assert_str_eq(world.final.data, "Half");
    cr_assert_eq(world.detail.http_status, 200);
    expect_late(&world, trickles, 5000, "timeout_ms");
    world_close(&world);
}

/* ---- the connection ---- */

static void is_lost(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;

    rv_sim_http_status(exchange, 200);
    rv_sim_http_text(exchange, world->script);
    rv_sim_http_lose(exchange, "reset");
}

static void stays_open(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;

    rv_sim_http_status(exchange, 200);
    rv_sim_http_text(exchange, world->script);
    rv_sim_http_stall(exchange);
}

RV_TEST(completion, tells_of_a_lost_connection)
{
    struct world world;

    open_world(&world, t);
    cr_assert_eq(run_with(&world, is_lost, TEXT("Ha") USAGE("3", "1") TEXT("lf\xC3")),
                 REEVE_ECONNLOST);
    cr_assert_str_eq(world.final.data, "Half\xEF\xBF\xBD");
    cr_assert_eq(world.usage.input_tokens, 3);
    cr_assert_eq(world.detail.retryable, 1);
    cr_assert_eq(run_with(&world, is_lost, "{\"choices\":["), REEVE_ECONNLOST);
    cr_assert_eq(run_with(&world, is_lost, ""), REEVE_ECONNLOST);
    world_close(&world);
}

/* What happens to the connection once the answer is there is of no interest. */
RV_TEST(completion, is_complete_whatever_follows)
{
    struct world world;
    uint64_t before_ns;

    open_world(&world, t);
    cr_assert_eq(run_with(&world, is_lost, TEXT("Hi") FINISH("stop")), 0);
    cr_assert_str_eq(world.final.data, "Hi");
    cr_assert_eq(world.finish, REEVE_FINISH_STOP);
    cr_assert_eq(run_with(&world, stays_open, TEXT("Hi") FINISH("stop")), 0);
    cr_assert_str_eq(world.final.data, "Hi");
    /* Told that nothing will come, it waits a moment for the end, so that the connection lives. */
    world.model_options.idle_timeout_ms = 0;
    before_ns = rv_sim_now_ns(world.runtime);
    cr_assert_eq(run_with(&world, stays_open, TEXT("Hi") FINISH("stop") DONE), 0);
    cr_assert_leq(rv_sim_now_ns(world.runtime) - before_ns, 1000 * RV_NS_PER_MS);
    cr_assert_eq(run_with(&world, stays_open, TEXT("Hi") DONE), REEVE_ECUTSHORT);
    world_close(&world);
}

RV_TEST(completion, tells_of_a_stream_cut_short)
{
    static const char *const cut[] = {TEXT("Hi"), TEXT("Hi") DONE, TEXT("Hi") "data: {\"choi",
                                      TEXT("Hi") USAGE("3", "4"),
                                      TEXT("Hi") CALL("0", "x", "f", "{}")};
    struct world world;
    size_t i;

    open_world(&world, t);
    for (i = 0; i < sizeof cut / sizeof *cut; i++) {
        world_reply(&world, 200, stream_type, cut[i]);
        cr_assert_eq(world_run(&world), REEVE_ECUTSHORT);
        cr_assert_str_eq(world.final.data, "Hi");
        cr_assert_eq(world.detail.retryable, 1);
        cr_assert(strstr(world.detail.message, WORLD_URL), "%s", world.detail.message);
    }
    world_close(&world);
}

/* ---- error statuses ---- */

static void rate_limited(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;

    rv_sim_http_status(exchange, 429);
    rv_sim_http_field(exchange, "Content-Type", "application/json");
    rv_sim_http_field(exchange, "X-Request-Id", "req_7");
    rv_sim_http_field(exchange, "Retry-After", world->script);
    rv_sim_http_text(exchange, "{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit\"}}");
}

RV_TEST(completion, tells_how_long_to_wait)
{
    struct world world;

    open_world(&world, t);
    cr_assert_eq(run_with(&world, rate_limited, "20"), REEVE_EHTTP);
    cr_assert_eq(world.detail.http_status, 429);
    cr_assert_eq(world.detail.retryable, 1);
    cr_assert_eq(world.detail.retry_after_ms, 20000);
    cr_assert_str_eq(world.detail.request_id, "req_7");
    cr_assert_str_eq(world.detail.type, "rate_limit");
    /* The simulated wall clock begins with 2026. */
    rv_sim_step_wall_ms(world.runtime, RV_SIM_START_WALL_MS - rv_wall_now_ms(world.runtime));
    cr_assert_eq(run_with(&world, rate_limited, "Thu, 01 Jan 2026 00:00:30 GMT"), REEVE_EHTTP);
    cr_assert_leq(world.detail.retry_after_ms, 30000);
    cr_assert_gt(world.detail.retry_after_ms, 29000);
    world_close(&world);
}

static void error_is_lost(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_status(exchange, 503);
    rv_sim_http_text(exchange, "{\"error\":\"loading\"}");
    rv_sim_http_lose(exchange, "reset");
}

static void error_without_end(struct rv_sim_http_exchange *exchange, void *arg)
{
    int i;

    (void)arg;
    rv_sim_http_status(exchange, 500);
    for (i = 0; i < 100000; i++)
        rv_sim_http_text(exchange, "<p>0123456789abcdef0123456789abcdef</p>");
}

/* The status tells more than what became of the connection or of the rest. */
RV_TEST(completion, tells_of_a_status_before_anything_else)
{
    struct world world;

    open_world(&world, t);
    cr_assert_eq(run_with(&world, error_is_lost, NULL), REEVE_EHTTP);
    cr_assert_eq(world.detail.http_status, 503);
    cr_assert(strstr(world.detail.message, "loading"));
    cr_assert_eq(run_with(&world, error_without_end, NULL), REEVE_EHTTP);
    cr_assert_eq(world.detail.http_status, 500);
    world_close(&world);
}

static void redirect(struct rv_sim_http_exchange *exchange, void *arg)
{
    (void)arg;
    rv_sim_http_status(exchange, 302);
    rv_sim_http_field(exchange, "Location", "https://elsewhere.test/login");
}

RV_TEST(completion, follows_no_redirect)
{
    struct world world;

    open_world(&world, t);
    cr_assert_eq(run_with(&world, redirect, NULL), REEVE_EHTTP);
    cr_assert(strstr(world.detail.message, "https://elsewhere.test/login"));
    cr_assert_eq(rv_sim_http_count(world.net), 1);
    world_close(&world);
}

/* ---- what is no answer ---- */

RV_TEST(completion, tells_what_came_in_the_place_of_an_answer)
{
    struct world world;

    open_world(&world, t);
    world_reply(&world, 200, "text/html; charset=utf-8", "<!DOCTYPE html>\n<title>Login</title>");
    cr_assert_eq(world_run(&world), REEVE_EPROTOCOL);
    cr_assert_str_eq(world.detail.message, "expected JSON or an event stream from " WORLD_URL
                                           ", got text/html: <!DOCTYPE html> <title>Login</title>");
    world_reply(&world, 200, stream_type, TEXT("Hi") "data: oops\n\n");
    cr_assert_eq(world_run(&world), REEVE_EPROTOCOL);
    cr_assert_str_eq(world.final.data, "Hi");
    cr_assert(strstr(world.detail.message, "got text/event-stream: oops"));
    world_reply(&world, 200, stream_type, TEXT("Hi") DATA("{\"error\":{\"message\":\"boom\"}}"));
    cr_assert_eq(world_run(&world), REEVE_EPROVIDER);
    cr_assert_str_eq(world.final.data, "Hi");
    cr_assert(strstr(world.detail.message, "boom"));
    world_reply(&world, 204, NULL, "");
    cr_assert_eq(world_run(&world), REEVE_EPROTOCOL);
    world_close(&world);
}

RV_TEST(completion, keeps_its_cap)
{
    struct world world;

    world_init(&world, t);
    world.model_options.max_response_bytes = 200;
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type,
                TEXT("0123456789") TEXT("0123456789") TEXT("0123456789") FINISH("stop"));
    cr_assert_eq(world_run(&world), REEVE_ETOOBIG);
    cr_assert(strstr(world.detail.message, "max_response_bytes"), "%s", world.detail.message);
    world_close(&world);
}

/* What fits below the cap counts, in one piece or in many: the text that was told is the same, and
 * an answer that was complete by then is one. */
RV_TEST(completion, keeps_its_cap_however_the_body_is_cut)
{
    static const char body[] = TEXT("Hi") FINISH("stop") TEXT("too much");
    const size_t enough = strlen(TEXT("Hi") FINISH("stop"));
    static const size_t pieces[] = {0, 1, 7, 50};
    size_t i, cap;

    for (cap = enough - 1; cap <= enough; cap++) {
        for (i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            struct world world;

            world_init(&world, t);
            world.model_options.max_response_bytes = cap;
            cr_assert_eq(world_open(&world), 0);
            world_reply(&world, 200, stream_type, body);
            rv_sim_http_split(world.net, pieces[i]);
            cr_assert_eq(world_run(&world), cap < enough ? REEVE_ETOOBIG : 0, "cap %zu, pieces %zu",
                         cap, pieces[i]);
            cr_assert_str_eq(world.final.data, "Hi");
            world_close(&world);
        }
    }
}

/* ---- the key ---- */

static void echoes_in_head(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;

    rv_sim_http_status(exchange, world->number);
    rv_sim_http_field(exchange, "Content-Type", "text/html" KEY);
    rv_sim_http_field(exchange, "X-Request-Id", KEY);
    rv_sim_http_field(exchange, "Location", "https://x.test/" KEY);
    rv_sim_http_text(exchange, "<" KEY);
}

static void expect_no_key(const struct world *world)
{
    const struct reeve_error_detail *detail = &world->detail;

    cr_assert_neq(world->error, 0);
    cr_assert_null(memmem(detail, sizeof *detail, KEY, sizeof KEY - 1), "%s", detail->message);
    cr_assert_null(memmem(detail, sizeof *detail, "canary", 6), "%s", detail->message);
}

RV_TEST(completion, tells_nobody_the_key)
{
    static const struct {
        int status;
        const char *type, *body;
    } echoes[] = {
        {401, "application/json",
         "{\"error\":{\"message\":\"bad " KEY "\",\"code\":\"" KEY "\",\"type\":\"" KEY "\"}}"},
        {401, "application/json", "{\"error\":\"" KEY "\"}"},
        {400, "application/json",
         "{\"detail\":[{\"msg\":\"" KEY "\",\"type\":\"" KEY "\"}],\"request_id\":\"" KEY "\"}"},
        {500, "text/html", "<p>" KEY},
        {500, "text/html", "<p>sk-canary-0123"},
        {200, "text/html", "<p>Authorization: Bearer " KEY "</p>"},
        {200, "application/json", "{\"error\":{\"message\":\"" KEY "\"}}"},
        {200, "application/json", "{\"" KEY "\":1}"},
        {200, "application/json", "{\"" KEY "\" "},
        {200, "application/json", "{" KEY},
        {200, "text/event-stream", "data: " KEY "\n\n"},
        {200, "text/event-stream", "data: {\"error\":{\"message\":\"" KEY "\"}}\n\n"},
        {200, "text/event-stream", "data: {\"" KEY "\": " KEY "}\n\n"},
    };
    static const int statuses[] = {302, 401, 200};
    struct world world;
    size_t i;

    open_world(&world, t);
    for (i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        world_reply(&world, echoes[i].status, echoes[i].type, echoes[i].body);
        world_run(&world);
        expect_no_key(&world);
        cr_assert_str_eq(
            rv_sim_http_request_field(rv_sim_http_request_at(world.net, i + 1), "authorization"),
            "Bearer " KEY);
    }
    for (i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        world.number = statuses[i];
        run_with(&world, echoes_in_head, NULL);
        expect_no_key(&world);
    }
    world_close(&world);
}
