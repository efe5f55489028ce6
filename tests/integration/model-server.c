/* SPDX-License-Identifier: MIT */
/*
 * The scripted model server over real sockets, driven by libcurl on the same thread: answers,
 * errors, faults, pace, many at once, and clients that go at each moment. Leaks and descriptors are
 * looked for after each test.
 */
#include "examples/server/model_server.h"

#include "examples/server/json.h"
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_TOOLS                                                                                 \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"list_directory\"}},"               \
    "{\"type\":\"function\",\"function\":{\"name\":\"read_file\"}}],"
#define ASK(more, text)                                                                            \
    "{\"model\":\"m\"," more "\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"
#define STREAM "\"stream\":true,"

struct world {
    struct event_base *base;
    struct model_server *server;
    CURLM *multi;
};

/* One request of a client. */
struct client {
    CURL *easy;
    struct curl_slist *headers;
    struct ms_text body;
    struct ms_text head;
    size_t leave_after; /* bytes of body; 0: stays */
    long status;
    CURLcode result;
    bool done;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void open_world(struct world *world, const struct model_server_options *options)
{
    signal(SIGPIPE, SIG_IGN);
    world->base = event_base_new();
    world->multi = curl_multi_init();
    cr_assert(world->base && world->multi);
    cr_assert_eq(model_server_new(world->base, options, &world->server), 0);
}

static struct model_server_options fast(void)
{
    struct model_server_options options;

    model_server_options_init(&options);
    options.latency_ms = 0;
    options.tokens_per_second = 0;
    return options;
}

static void open_fast(struct world *world)
{
    struct model_server_options options = fast();

    open_world(world, &options);
}

static void close_world(struct world *world)
{
    model_server_free(world->server);
    curl_multi_cleanup(world->multi);
    event_base_free(world->base);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct client *client = arg;

    ms_text_add(&client->body, bytes, size * n);
    if (client->leave_after && client->body.len >= client->leave_after)
        return CURL_WRITEFUNC_ERROR;
    return size * n;
}

static size_t on_head(char *bytes, size_t size, size_t n, void *arg)
{
    struct client *client = arg;

    ms_text_add(&client->head, bytes, size * n);
    return size * n;
}

static void add_header(struct client *client, const char *header)
{
    client->headers = curl_slist_append(client->headers, header);
    cr_assert(client->headers);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, client->headers);
}

/* `body` NULL is a GET. It is borrowed until the end. */
static void begin(struct world *world, struct client *client, const char *path, const char *body)
{
    char url[256];

    *client = (struct client){.easy = curl_easy_init()};
    cr_assert(client->easy);
    ms_text_init(&client->body, 100u << 20);
    ms_text_init(&client->head, 65536);
    snprintf(url, sizeof(url), "%s%s", model_server_url(world->server), path);
    curl_easy_setopt(client->easy, CURLOPT_URL, url);
    curl_easy_setopt(client->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(client->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->easy, CURLOPT_PRIVATE, client);
    curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(client->easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(client->easy, CURLOPT_HEADERDATA, client);
    if (body) {
        curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, body);
        add_header(client, "Content-Type: application/json");
    }
    cr_assert_eq(curl_multi_add_handle(world->multi, client->easy), CURLM_OK);
}

static void end(struct world *world, struct client *client)
{
    if (!client->easy)
        return;
    curl_multi_remove_handle(world->multi, client->easy);
    curl_easy_cleanup(client->easy);
    curl_slist_free_all(client->headers);
    ms_text_done(&client->body);
    ms_text_done(&client->head);
    client->easy = NULL;
}

static void turn(struct world *world)
{
    CURLMsg *message;
    int running;
    int left;

    curl_multi_perform(world->multi, &running);
    while ((message = curl_multi_info_read(world->multi, &left))) {
        struct client *client;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&client);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &client->status);
        client->result = message->data.result;
        client->done = true;
    }
    event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    if (running)
        curl_multi_poll(world->multi, NULL, 0, 1, NULL);
}

static void finish(struct world *world, struct client *client)
{
    double late = now_s() + 8;

    while (!client->done) {
        turn(world);
        cr_assert_lt(now_s(), late, "no end");
    }
}

static struct model_server_stats stats_of(struct world *world)
{
    struct model_server_stats stats;

    model_server_get_stats(world->server, &stats);
    return stats;
}

/* Until the server has nothing under way. */
static void settle(struct world *world)
{
    double late = now_s() + 5;

    while (stats_of(world).under_way > 0) {
        event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        usleep(200);
        cr_assert_lt(now_s(), late, "%d requests never end", (int)stats_of(world).under_way);
    }
}

static void ask(struct world *world, struct client *client, const char *body)
{
    begin(world, client, "/chat/completions", body);
    finish(world, client);
}

static bool has(const struct ms_text *text, const char *part)
{
    return strstr(ms_text_string(text), part) != NULL;
}

RV_TEST(real_model_server, streams_and_does_not)
{
    struct client client;
    struct world world;

    open_fast(&world);
    ask(&world, &client, ASK(STREAM "\"stream_options\":{\"include_usage\":true},", "Hello"));
    cr_assert_eq(client.result, CURLE_OK);
    cr_assert_eq(client.status, 200);
    cr_assert(has(&client.head, "Content-Type: text/event-stream"));
    cr_assert(has(&client.head, "x-request-id: req_"));
    cr_assert(has(&client.body, "\"role\":\"assistant\""));
    cr_assert(has(&client.body, "\"prompt_tokens\""));
    cr_assert(has(&client.body, "\"finish_reason\":\"stop\""));
    cr_assert_str_eq(client.body.data + client.body.len - 14, "data: [DONE]\n\n");
    end(&world, &client);

    ask(&world, &client, ASK(FILE_TOOLS, "Read the files"));
    cr_assert_eq(client.status, 200);
    cr_assert(has(&client.head, "Content-Type: application/json"));
    cr_assert(has(&client.head, "Content-Length: "));
    cr_assert(has(&client.body,
                  "\"name\":\"list_directory\",\"arguments\":\"{\\\"path\\\":\\\".\\\"}\""));
    cr_assert(has(&client.body, "\"finish_reason\":\"tool_calls\""));
    end(&world, &client);

    begin(&world, &client, "/models", NULL);
    finish(&world, &client);
    cr_assert_eq(client.status, 200);
    cr_assert(has(&client.body, "{\"object\":\"list\",\"data\":[{\"id\":\"scripted\""));
    end(&world, &client);
    cr_assert_eq(stats_of(&world).completions, 2);
    cr_assert_eq(stats_of(&world).clients_gone, 0);
    close_world(&world);
}

static const struct error_row {
    const char *path;
    const char *method; /* NULL: POST with this body, GET without */
    const char *body;
    const char *header; /* NULL: none */
    long status;
    const char *in_body;
    const char *in_head;
} error_rows[] = {
    {"/chat/completions", NULL, "{oops", NULL, 400, "could not parse the JSON", "x-request-id"},
    {"/chat/completions", NULL, ASK("", "x"), "Content-Type: text/plain", 400,
     "unsupported_content_type", ""},
    {"/chat/completions", NULL, "{\"model\":\"m\"}", NULL, 400,
     "\"code\":\"missing_required_parameter\"", "application/json"},
    {"/chat/completions", NULL, NULL, NULL, 405, "Not allowed to GET", "Allow: POST"},
    {"/chat/completions", "DELETE", NULL, NULL, 405, "Not allowed to DELETE", "Allow: POST"},
    {"/models", "PUT", "{}", NULL, 405, "Not allowed to PUT", "Allow: GET"},
    {"/chat/nothing", NULL, NULL, NULL, 404, "Invalid URL (GET /v1/chat/nothing)", ""},
    {"/../etc", NULL, NULL, NULL, 404, "Invalid URL", ""},
    {"/chat/completions", NULL, ASK("", "[fault:401]"), NULL, 401, "invalid_api_key", ""},
    {"/chat/completions", NULL, ASK("", "[fault:404]"), NULL, 404, "model_not_found", ""},
    {"/chat/completions", NULL, ASK("", "[fault:429]"), NULL, 429, "rate_limit_exceeded",
     "retry-after: 1"},
    {"/chat/completions", NULL, ASK("", "[fault:429:7]"), NULL, 429, "Rate limit",
     "retry-after: 7"},
    {"/chat/completions", NULL, ASK("", "[fault:quota]"), NULL, 429, "insufficient_quota", ""},
    {"/chat/completions", NULL, ASK("", "[fault:500]"), NULL, 500, "server_error", ""},
    {"/chat/completions", NULL, ASK("", "[fault:503]"), NULL, 503, "overloaded", "retry-after: 1"},
    {"/chat/completions", NULL, ASK("", "[fault:529]"), NULL, 529, "server_error", ""},
    {"/chat/completions", NULL, ASK("", "[fault:context]"), NULL, 400, "context_length_exceeded",
     ""},
    {"/chat/completions", NULL, ASK("", "x"), "x-reeve-fault: 500", 500, "server_error", ""},
    {"/models", NULL, NULL, "x-reeve-fault: 503", 503, "overloaded", ""},
    {"/chat/completions", NULL, ASK("", "[fault:html]"), NULL, 200, "<html>", "text/html"},
    {"/chat/completions", NULL, ASK(STREAM, "[fault:html:502]"), NULL, 502, "<html>", "text/html"},
    {"/chat/completions", NULL, ASK(STREAM, "[fault:content-type]"), NULL, 200, "[DONE]",
     "text/plain"},
    {"/chat/completions", NULL, ASK("", "[fault:error-in-stream]"), NULL, 200, "{\"error\":", ""},
    {"/chat/completions", NULL, ASK("", "[fault:nonsense]"), NULL, 400, "no fault 'nonsense'", ""},
    {"/chat/completions", NULL, ASK("", "[fault:echo-key]"), "Authorization: Bearer sk-canary", 401,
     "sk-canary", ""},
    {"/chat/completions", NULL, ASK(FILE_TOOLS, "Read the files [fault:bad-arguments]"), NULL, 200,
     "\"arguments\":\"{\\\"path\\\":\\\".\"", ""},
    {"/chat/completions", NULL, ASK(FILE_TOOLS, "Read the files [fault:unknown-tool]"), NULL, 200,
     "open_the_pod_bay_doors", ""},
};

RV_TEST(real_model_server, answers_errors_and_faults, .timeout = 30)
{
    struct client client;
    struct world world;

    open_fast(&world);
    for (size_t i = 0; i < sizeof(error_rows) / sizeof(*error_rows); i++) {
        const struct error_row *row = &error_rows[i];

        begin(&world, &client, row->path, row->body);
        curl_easy_setopt(client.easy, CURLOPT_PATH_AS_IS, 1L);
        if (row->header && strncmp(row->header, "Content-Type", 12) == 0) {
            curl_slist_free_all(client.headers);
            client.headers = NULL;
        }
        if (row->header)
            add_header(&client, row->header);
        if (row->method)
            curl_easy_setopt(client.easy, CURLOPT_CUSTOMREQUEST, row->method);
        finish(&world, &client);
        cr_assert_eq(client.result, CURLE_OK, "row %zu: %d", i, (int)client.result);
        cr_assert_eq(client.status, row->status, "row %zu: %ld", i, client.status);
        cr_assert(has(&client.body, row->in_body), "row %zu: %s", i, client.body.data);
        cr_assert(has(&client.head, row->in_head), "row %zu: %s", i, client.head.data);
        end(&world, &client);
    }
    close_world(&world);
}

RV_TEST(real_model_server, demands_its_key)
{
    struct model_server_options options = fast();
    struct client client;
    struct world world;

    options.api_key = "sk-right-key-1234";
    open_world(&world, &options);
    ask(&world, &client, ASK("", "x"));
    cr_assert_eq(client.status, 401);
    cr_assert(has(&client.body, "You didn't provide an API key"));
    end(&world, &client);
    begin(&world, &client, "/chat/completions", ASK("", "x"));
    add_header(&client, "Authorization: Bearer sk-wrong-key-5678");
    finish(&world, &client);
    cr_assert_eq(client.status, 401);
    cr_assert(has(&client.body, "Incorrect API key provided: sk-w***5678"));
    end(&world, &client);
    begin(&world, &client, "/chat/completions", ASK("", "x"));
    add_header(&client, "Authorization: Bearer sk-right-key-1234");
    finish(&world, &client);
    cr_assert_eq(client.status, 200);
    end(&world, &client);
    close_world(&world);
}

static void send_big(struct world *world, size_t bytes, long status, const char *type)
{
    struct client client;
    char *body = malloc(bytes + 1);

    cr_assert(body);
    memset(body, ' ', bytes);
    body[bytes] = '\0';
    ask(world, &client, body);
    cr_assert_eq(client.status, status, "%zu bytes: %ld, result %d", bytes, client.status,
                 (int)client.result);
    cr_assert(has(&client.head, type), "%s", client.head.data);
    end(world, &client);
    free(body);
}

RV_TEST(real_model_server, refuses_large_bodies)
{
    struct model_server_options options = fast();
    struct client client;
    struct world world;

    options.max_body_bytes = 10000;
    open_world(&world, &options);
    send_big(&world, 10000, 400, "application/json");
    send_big(&world, 10001, 413, "application/json");
    send_big(&world, 40000, 413, "application/json");
    send_big(&world, 3000000, 413, "application/json"); /* unread */
    ask(&world, &client, ASK("", "still there?"));
    cr_assert_eq(client.status, 200);
    end(&world, &client);
    close_world(&world);
}

/* What a client sees of a connection that ends in the middle. */
RV_TEST(real_model_server, breaks_connections_on_demand)
{
    static const struct {
        const char *body;
        CURLcode result;
        size_t at_least;
    } rows[] = {
        {ASK(STREAM, "[fault:cut]"), CURLE_PARTIAL_FILE, 200},
        {ASK("", "[fault:cut]"), CURLE_PARTIAL_FILE, 100},
        {ASK(STREAM, "[fault:cut:10]"), CURLE_PARTIAL_FILE, 10},
        {ASK("", "[fault:cut:0]"), CURLE_PARTIAL_FILE, 0},
        {ASK(STREAM, "[fault:reset]"), CURLE_RECV_ERROR, 0},
        {ASK("", "[fault:reset]"), CURLE_RECV_ERROR, 0},
        {ASK(STREAM, "[fault:wrong-length]"), CURLE_PARTIAL_FILE, 500},
        {ASK("", "[fault:wrong-length]"), CURLE_PARTIAL_FILE, 300},
    };
    struct client client;
    struct world world;

    open_fast(&world);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ask(&world, &client, rows[i].body);
        cr_assert_eq(client.result, rows[i].result, "row %zu: %d", i, (int)client.result);
        cr_assert_geq(client.body.len, rows[i].at_least, "row %zu", i);
        if (rows[i].at_least == 10)
            cr_assert_eq(client.body.len, 10);
        end(&world, &client);
    }
    settle(&world);
    close_world(&world);
}

RV_TEST(real_model_server, stalls_until_the_client_has_enough)
{
    struct model_server_options options = fast();
    struct client client;
    struct world world;

    options.tokens_per_second = 1000;
    open_world(&world, &options);
    begin(&world, &client, "/chat/completions", ASK(STREAM, "[fault:stall:50]"));
    curl_easy_setopt(client.easy, CURLOPT_TIMEOUT_MS, 400L);
    finish(&world, &client);
    cr_assert_eq(client.result, CURLE_OPERATION_TIMEDOUT);
    cr_assert_eq(client.status, 200);
    cr_assert_eq(client.body.len, 50);
    end(&world, &client);
    settle(&world);
    close_world(&world);
}

RV_TEST(real_model_server, has_faults_that_pass)
{
    struct model_server_options options = fast();
    const long statuses[] = {503, 503, 200, 200};
    struct client client;
    struct world world;

    options.fault = "503:0*2";
    open_world(&world, &options);
    for (int i = 0; i < 4; i++) {
        ask(&world, &client, ASK("", "x"));
        cr_assert_eq(client.status, statuses[i], "%d: %ld", i, client.status);
        end(&world, &client);
    }
    close_world(&world);
    options.fault = "unheard-of";
    world.base = event_base_new();
    cr_assert_eq(model_server_new(world.base, &options, &world.server), -EINVAL);
    event_base_free(world.base);
}

/* A client goes after `bytes` of body. */
static void leave(struct world *world, const char *body, size_t bytes)
{
    uint64_t gone = stats_of(world).clients_gone;
    struct client client;

    begin(world, &client, "/chat/completions", body);
    client.leave_after = bytes;
    finish(world, &client);
    cr_assert_eq(client.result, CURLE_WRITE_ERROR);
    end(world, &client);
    settle(world);
    cr_assert_eq(stats_of(world).clients_gone, gone + 1);
}

/* A client goes before anything has come: after some turns. */
static void leave_early(struct world *world, const char *body)
{
    uint64_t gone = stats_of(world).clients_gone;
    struct client client;

    begin(world, &client, "/chat/completions", body);
    while (stats_of(world).under_way == 0)
        turn(world);
    for (int i = 0; i < 20; i++)
        turn(world);
    cr_assert(!client.done);
    end(world, &client);
    settle(world);
    cr_assert_eq(stats_of(world).clients_gone, gone + 1);
}

RV_TEST(real_model_server, notices_clients_that_go, .timeout = 30)
{
    struct model_server_options options = fast();
    struct world world;

    options.tokens_per_second = 20;
    options.latency_ms = 20;
    open_world(&world, &options);
    for (int i = 0; i < 5; i++)
        leave(&world, ASK(STREAM, "Tell me something long"), 200 + 100 * (size_t)i);
    leave(&world, ASK(STREAM, "[fault:huge]"), 1000000);
    leave(&world, ASK("", "[fault:huge]"), 1000000);
    leave(&world, ASK(STREAM, "[fault:stall:50]"), 50);
    leave_early(&world, ASK(STREAM, "[fault:stall:0]"));
    leave_early(&world, ASK("", "[fault:stall:0]"));
    close_world(&world);

    options.latency_ms = 60000;
    open_world(&world, &options);
    leave_early(&world, ASK(STREAM, "x"));
    leave_early(&world, ASK("", "x"));
    close_world(&world);
}

RV_TEST(real_model_server, is_freed_in_the_middle_of_all)
{
    static const char *const bodies[] = {
        ASK(STREAM, "something long"),  ASK(STREAM, "[fault:huge]"),  ASK("", "[fault:huge]"),
        ASK(STREAM, "[fault:stall:0]"), ASK(STREAM, "[fault:stall]"),
    };
    struct model_server_options options = fast();

    for (int turns = 0; turns < 60; turns += 7) {
        struct client clients[5];
        struct world world;

        options.tokens_per_second = 40;
        options.latency_ms = 2;
        open_world(&world, &options);
        for (int i = 0; i < 5; i++)
            begin(&world, &clients[i], "/chat/completions", bodies[i]);
        clients[4].leave_after = 1; /* gone, perhaps not yet buried */
        for (int i = 0; i < turns; i++)
            turn(&world);
        model_server_free(world.server);
        world.server = NULL;
        for (int i = 0; i < 5; i++)
            end(&world, &clients[i]);
        close_world(&world);
    }
}

RV_TEST(real_model_server, serves_fifty_at_once, .timeout = 30)
{
    struct model_server_options options;
    struct client clients[50];
    struct world world;
    double started;
    double took;

    model_server_options_init(&options);
    options.latency_ms = 100;
    options.tokens_per_second = 300;
    open_world(&world, &options);
    started = now_s();
    for (int i = 0; i < 50; i++)
        begin(&world, &clients[i], "/chat/completions", ASK(STREAM, "Hello"));
    for (int i = 0; i < 50; i++)
        finish(&world, &clients[i]);
    took = now_s() - started;
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(clients[i].result, CURLE_OK);
        cr_assert(has(&clients[i].body, "data: [DONE]"));
        end(&world, &clients[i]);
    }
    cr_assert_eq(stats_of(&world).completions, 50);
    /* One alone takes about 0.25 s, so one after another they would take over 12. */
    cr_assert_lt(took, 5.0, "%g s", took);
    close_world(&world);
}

RV_TEST(real_model_server, keeps_latency_and_pace)
{
    struct model_server_options options;
    struct client client;
    struct world world;
    double first;
    double total;

    model_server_options_init(&options);
    options.latency_ms = 150;
    options.tokens_per_second = 100;
    open_world(&world, &options);
    ask(&world, &client, ASK(STREAM "\"max_tokens\":40,", "Hello"));
    curl_easy_getinfo(client.easy, CURLINFO_STARTTRANSFER_TIME, &first);
    curl_easy_getinfo(client.easy, CURLINFO_TOTAL_TIME, &total);
    cr_assert_geq(first, 0.149);
    cr_assert_lt(first, 3.0);
    /* 160 bytes, the last piece of up to 12 is out 148 bytes after the first. */
    cr_assert_geq(total - first, 0.35, "%g s", total - first);
    cr_assert_lt(total - first, 5.0);
    end(&world, &client);
    close_world(&world);
}

RV_TEST(real_model_server, keeps_connections)
{
    struct client client;
    struct world world;
    long connects;

    open_fast(&world);
    for (int i = 0; i < 10; i++) {
        ask(&world, &client, i % 2 ? ASK(STREAM, "x") : ASK("", "x"));
        curl_easy_getinfo(client.easy, CURLINFO_NUM_CONNECTS, &connects);
        cr_assert_eq(connects, i == 0, "%d: %ld", i, connects);
        end(&world, &client);
    }
    close_world(&world);
}

RV_TEST(real_model_server, tells_cached_tokens)
{
    struct ms_text body;
    struct client client;
    struct world world;

    ms_text_init(&body, 100000);
    ms_text_add_string(&body, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"");
    for (int i = 0; i < 6000; i++)
        ms_text_addf(&body, "%d", i % 10);
    ms_text_add_string(&body, "\"},{\"role\":\"user\",\"content\":\"x\"}]}");
    open_fast(&world);
    ask(&world, &client, body.data);
    cr_assert(has(&client.body, "\"cached_tokens\":0,\"cache_write_tokens\":1408"), "%s",
              client.body.data);
    end(&world, &client);
    ask(&world, &client, body.data);
    cr_assert(has(&client.body, "\"cached_tokens\":1408,\"cache_write_tokens\":0"), "%s",
              client.body.data);
    end(&world, &client);
    cr_assert_eq(stats_of(&world).cached_tokens, 1408);
    ms_text_done(&body);
    close_world(&world);
}

RV_TEST(real_model_server, says_when_its_port_is_taken)
{
    struct model_server_options options = fast();
    struct model_server *second;
    struct world world;

    open_fast(&world);
    options.port = model_server_port(world.server);
    cr_assert_eq(model_server_new(world.base, &options, &second), -EADDRINUSE);
    close_world(&world);
    model_server_free(NULL);
}

/* A request that comes with the one before, and a client that sends more while it is answered. */
RV_TEST(real_model_server, takes_pipelined_requests)
{
    static const char two[] = "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct world world;
    char answer[4096];
    size_t len = 0;
    ssize_t n = -1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    open_fast(&world);
    address.sin_port = htons(model_server_port(world.server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(fd, (struct sockaddr *)&address, sizeof(address));
    event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_assert_eq(write(fd, two, strlen(two)), (ssize_t)strlen(two));
    for (int i = 0; i < 2000 && n != 0 && len < sizeof(answer) - 1; i++) {
        event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        n = read(fd, answer + len, sizeof(answer) - 1 - len);
        len += n > 0 ? (size_t)n : 0;
        usleep(500);
    }
    answer[len] = '\0';
    cr_assert(strstr(answer, "HTTP/1.1 200 OK"), "%s", answer);
    cr_assert(strstr(answer, "HTTP/1.1 404 Not Found"), "%s", answer);
    close(fd);
    close_world(&world);
}
