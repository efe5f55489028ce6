/* SPDX-License-Identifier: MIT */
/*
 * Both formats of the model server and each of its faults, heard through a plain socket: what
 * comes, byte for byte, and how the connection ends. The process leaves SIGPIPE as it was born with
 * it.
 */
#include "examples/server/model_server.h"

#include "examples/server/json.h"
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEY "canary-5f9d2c-0123456789"

struct world {
    struct event_base *base;
    struct model_server *server;
};

enum ending { CLOSED, RESET, SILENT };

struct heard {
    char text[65536];
    size_t len;
    enum ending ending;
};

static void open_world(struct world *world)
{
    struct model_server_options options;

    signal(SIGPIPE, SIG_DFL);
    model_server_options_init(&options);
    options.latency_ms = 0;
    options.tokens_per_second = 0;
    options.max_body_bytes = 20000;
    options.seed = 1;
    world->base = event_base_new();
    cr_assert(world->base);
    cr_assert_eq(model_server_new(world->base, &options, &world->server), 0);
}

static void close_world(struct world *world)
{
    model_server_free(world->server);
    event_base_free(world->base);
}

static int connect_to(const struct world *world)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(model_server_port(world->server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Until the end, or (silent_s > 0) until so long nothing has come. */
static void hear(struct world *world, int fd, double silent_s, struct heard *heard)
{
    double last = now_s();

    heard->len = 0;
    for (;;) {
        ssize_t len;

        event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        len = recv(fd, heard->text + heard->len, sizeof heard->text - 1 - heard->len, MSG_DONTWAIT);
        heard->text[heard->len + (len > 0 ? (size_t)len : 0)] = '\0';
        if (len > 0) {
            heard->len += (size_t)len;
            last = now_s();
            continue;
        }
        heard->ending = len == 0 ? CLOSED : RESET;
        if (len == 0 || (errno != EAGAIN && errno != EINTR))
            return;
        heard->ending = SILENT;
        if (silent_s > 0 && now_s() - last > silent_s)
            return;
        cr_assert_lt(now_s() - last, 8, "nothing comes: %s", heard->text);
        usleep(200);
    }
}

static void ask(struct world *world, bool anthropic, const char *fault, const char *body,
                double silent_s, struct heard *heard)
{
    char request[32768];
    int fd = connect_to(world);
    int len = snprintf(request, sizeof request,
                       "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s" KEY
                       "\r\nanthropic-version: 2023-06-01\r\n%s%s%s"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                       anthropic ? "/v1/messages" : "/v1/chat/completions",
                       anthropic ? "x-api-key: " : "Authorization: Bearer ",
                       fault ? "x-reeve-fault: " : "", fault ? fault : "", fault ? "\r\n" : "",
                       strlen(body), body);

    cr_assert_lt((size_t)len, sizeof request);
    cr_assert_eq(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    hear(world, fd, silent_s, heard);
    close(fd);
}

#define QUESTION "\"model\":\"m\",\"max_tokens\":400,\"messages\":[{\"role\":\"user\",\"content\":"

static void ask_hello(struct world *world, bool anthropic, bool stream, const char *fault,
                      double silent_s, struct heard *heard)
{
    ask(world, anthropic, fault,
        stream ? "{\"stream\":true," QUESTION "\"hello\"}]}" : "{" QUESTION "\"hello\"}]}",
        silent_s, heard);
}

/* ---- well-formed answers -----------------------------------------------------------------------
 */

static const char *body_of(const struct heard *heard)
{
    const char *body = strstr(heard->text, "\r\n\r\n");

    cr_assert(body, "no end of the head: %s", heard->text);
    return body + 4;
}

RV_TEST(model_server_formats, a_body_of_each)
{
    struct heard *heard = calloc(1, sizeof *heard);
    struct world world;
    int anthropic;

    open_world(&world);
    for (anthropic = 0; anthropic < 2; anthropic++) {
        yajl_val tree;
        yajl_val usage;

        ask_hello(&world, anthropic, false, NULL, 0, heard);
        cr_assert_eq(heard->ending, CLOSED);
        cr_assert_eq(strncmp(heard->text, "HTTP/1.1 200 ", 13), 0, "%s", heard->text);
        cr_assert_eq(ms_json_parse(body_of(heard), strlen(body_of(heard)), &tree), 0);
        usage = ms_json_get(tree, "usage");
        cr_assert(ms_json_get(usage, anthropic ? "cache_read_input_tokens" : "prompt_tokens"));
        cr_assert(ms_json_get(usage,
                              anthropic ? "cache_creation_input_tokens" : "prompt_tokens_details"));
        cr_assert(ms_json_get(tree, anthropic ? "content" : "choices"));
        yajl_tree_free(tree);
    }
    close_world(&world);
    free(heard);
}

/* The events of a stream come in the order that the format wants. */
RV_TEST(model_server_formats, a_stream_of_each)
{
    static const char *const expected[2][8] = {
        {"\"role\":\"assistant\"", "\"content\":\"You said", "\"finish_reason\":\"stop\"",
         "data: [DONE]\n\n"},
        {"event: message_start\n", "\"usage\":{", "event: ping\n", "event: content_block_start\n",
         "\"type\":\"text_delta\"", "event: content_block_stop\n", "\"stop_reason\":\"end_turn\"",
         "event: message_stop\n"},
    };
    struct heard *heard = calloc(1, sizeof *heard);
    struct world world;
    size_t format, i;

    open_world(&world);
    for (format = 0; format < 2; format++) {
        const char *at = heard->text;

        ask_hello(&world, format, true, NULL, 0, heard);
        for (i = 0; i < 8 && expected[format][i]; i++) {
            at = strstr(at, expected[format][i]);
            cr_assert(at, "no %s in its place: %s", expected[format][i], heard->text);
        }
    }
    close_world(&world);
    free(heard);
}

/* What earlier prompts have left is told as read, the rest of the blocks as written. */
RV_TEST(model_server_formats, the_cache_of_messages)
{
    struct heard *heard = calloc(1, sizeof *heard);
    struct world world;
    char text[6000];
    char body[8000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    snprintf(body, sizeof body,
             "{\"model\":\"m\",\"max_tokens\":9,\"system\":[{\"type\":\"text\",\"text\":\"%s\","
             "\"cache_control\":{\"type\":\"ephemeral\"}}],\"messages\":[{\"role\":\"user\","
             "\"content\":\"hi\"}]}",
             text);
    open_world(&world);
    ask(&world, true, NULL, body, 0, heard);
    cr_assert(strstr(heard->text, "\"cache_creation_input_tokens\":1408,"
                                  "\"cache_read_input_tokens\":0"),
              "%s", heard->text);
    ask(&world, true, NULL, body, 0, heard);
    cr_assert(strstr(heard->text, "\"cache_creation_input_tokens\":0,"
                                  "\"cache_read_input_tokens\":1408"),
              "%s", heard->text);
    close_world(&world);
    free(heard);
}

/* ---- faults ------------------------------------------------------------------------------------
 */

enum { ANY = 2 };

static const struct fault_case {
    const char *fault;
    int stream; /* ANY: both */
    enum ending ending;
    const char *openai[2]; /* what stands in the answer; "!": what does not */
    const char *anthropic[2];
} faults[] = {
    {"429:7", ANY, CLOSED, {"HTTP/1.1 429", "retry-after: 7"}, {"\"rate_limit_error\"", "429"}},
    {"429",
     ANY,
     CLOSED,
     {"retry-after: 1\r\n", "\"code\":"},
     {"retry-after: 1\r\n", "\"type\":\"error\""}},
    {"500", ANY, CLOSED, {"HTTP/1.1 500", "\"server_error\""}, {"HTTP/1.1 500", "\"api_error\""}},
    {"503", ANY, CLOSED, {"HTTP/1.1 503", "\"server_error\""}, {"503", "\"overloaded_error\""}},
    {"529", ANY, CLOSED, {"HTTP/1.1 529", "\"error\""}, {"529", "\"overloaded_error\""}},
    {"401", ANY, CLOSED, {"HTTP/1.1 401", "invalid_api_key"}, {"401", "\"authentication_error\""}},
    {"context",
     ANY,
     CLOSED,
     {"HTTP/1.1 400", "context_length_exceeded"},
     {"400", "\"invalid_request_error\""}},
    {"quota", ANY, CLOSED, {"HTTP/1.1 429", "insufficient_quota"}, {"429", "quota"}},
    {"echo-key", ANY, CLOSED, {"HTTP/1.1 401", KEY}, {"\"authentication_error\"", KEY}},
    {"html", ANY, CLOSED, {"HTTP/1.1 200", "<html>"}, {"text/html", "<html>"}},
    {"html:502", ANY, CLOSED, {"HTTP/1.1 502", "<html>"}, {"HTTP/1.1 502", "<html>"}},
    {"cut", ANY, CLOSED, {"HTTP/1.1 200", "!0\r\n\r\n"}, {"HTTP/1.1 200", "!0\r\n\r\n"}},
    {"cut:10", ANY, CLOSED, {"HTTP/1.1 200", "!finish"}, {"HTTP/1.1 200", "!stop_reason"}},
    {"reset", 1, RESET, {"HTTP/1.1 200", "![DONE]"}, {"message_start", "!message_stop"}},
    {"rst", 0, RESET, {"", "!finish_reason"}, {"", "!stop_reason"}},
    {"stall",
     ANY,
     SILENT,
     {"HTTP/1.1 200", "!finish_reason\":\"stop"},
     {"HTTP/1.1 200", "!message_stop"}},
    {"stall:0", ANY, SILENT, {"", "!HTTP"}, {"", "!HTTP"}},
    {"wrong-length", ANY, CLOSED, {"Content-Length: ", "200 OK"}, {"Content-Length: ", "200 OK"}},
    {"gzip",
     ANY,
     CLOSED,
     {"Content-Encoding: gzip", "!finish_reason:"},
     {"Content-Encoding: gzip", "200 OK"}},
    {"garbage",
     1,
     CLOSED,
     {"\"delta\":{\"content\":\n\n", "[DONE]"},
     {"\"delta\":{\"text\":\n\n", "message_stop"}},
    {"garbage", 0, CLOSED, {"200 OK", "!usage"}, {"200 OK", "!usage"}},
    {"error-in-stream",
     1,
     CLOSED,
     {"\"server_error\"", "![DONE]"},
     {"event: error\n", "!message_stop"}},
    {"error-in-stream", 0, CLOSED, {"200 OK", "\"server_error\""}, {"200 OK", "\"api_error\""}},
    {"content-type", ANY, CLOSED, {"text/plain", "finish_reason"}, {"text/plain", "stop_reason"}},
    {"no-done", 1, CLOSED, {"finish_reason", "![DONE]"}, {"message_delta", "!message_stop"}},
    {"crlf",
     1,
     CLOSED,
     {"}\r\n\r\ndata: ", "[DONE]\r\n\r\n"},
     {"event: ping\r\ndata: ", "}\r\n\r\n"}},
    {"comments", 1, CLOSED, {": keep-alive\n\n", "[DONE]"}, {": keep-alive\n\n", "message_stop"}},
    {"bad-utf8", ANY, CLOSED, {"\xff\xfe", "200 OK"}, {"\xff\xfe", "200 OK"}},
    {"bad-arguments",
     1,
     CLOSED,
     {"\"arguments\":\"tes\"", "tool_calls"},
     {"input_json", "tool_use"}},
    {"unknown-tool", ANY, CLOSED, {"pod_bay", "tool_calls"}, {"pod_bay", "\"tool_use\""}},
};

static void expect_text(const struct fault_case *c, const struct heard *heard, const char *wanted)
{
    const bool not_there = wanted[0] == '!';
    const char *text = not_there ? wanted + 1 : wanted;
    const bool found = memmem(heard->text, heard->len, text, strlen(text)) != NULL;

    cr_assert(found != not_there, "%s: %s\"%s\" in: %s", c->fault, not_there ? "" : "no ", text,
              heard->text);
}

static void run_fault(struct world *world, const struct fault_case *c, bool anthropic, bool stream,
                      struct heard *heard)
{
    const char *const *wanted = anthropic ? c->anthropic : c->openai;

    ask_hello(world, anthropic, stream, c->fault, c->ending == SILENT ? 0.3 : 0, heard);
    cr_assert_eq(heard->ending, c->ending, "%s, anthropic %d, stream %d: ending %d: %s", c->fault,
                 anthropic, stream, heard->ending, heard->text);
    expect_text(c, heard, wanted[0]);
    expect_text(c, heard, wanted[1]);
}

RV_TEST(model_server_formats, each_fault_in_each, .timeout = 120)
{
    struct heard *heard = calloc(1, sizeof *heard);
    struct world world;
    size_t i;
    int anthropic, stream;

    open_world(&world);
    for (i = 0; i < sizeof faults / sizeof *faults; i++)
        for (anthropic = 0; anthropic < 2; anthropic++)
            for (stream = 0; stream < 2; stream++)
                if (faults[i].stream == ANY || faults[i].stream == stream)
                    run_fault(&world, &faults[i], anthropic, stream, heard);
    close_world(&world);
    free(heard);
}

/* Only the first request meets it. */
RV_TEST(model_server_formats, a_fault_that_passes)
{
    struct heard *heard = calloc(1, sizeof *heard);
    struct world world;
    int anthropic;

    open_world(&world);
    for (anthropic = 0; anthropic < 2; anthropic++) {
        const char *fault = anthropic ? "503:2*1" : "503:1*1";

        ask_hello(&world, anthropic, true, fault, 0, heard);
        cr_assert(strstr(heard->text, "HTTP/1.1 503"), "%s", heard->text);
        ask_hello(&world, anthropic, true, fault, 0, heard);
        cr_assert(strstr(heard->text, "HTTP/1.1 200"), "%s", heard->text);
    }
    close_world(&world);
    free(heard);
}

/* ---- the host ----------------------------------------------------------------------------------
 */

/* A client that resets its connection in the middle of a long answer: libevent writes on. */
RV_TEST(model_server_formats, a_host_that_forgot_sigpipe_lives)
{
    struct linger now = {.l_onoff = 1};
    struct sigaction action;
    struct world world;
    double late;
    int i;

    open_world(&world);
    for (i = 0; i < 20; i++) {
        static const char request[] =
            "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-reeve-fault: huge\r\n"
            "Content-Length: 75\r\n\r\n"
            "{\"stream\":true,\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
            "\"hello\"}"
            "]}  ";
        int fd = connect_to(&world);

        cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
        for (late = now_s() + 0.02; now_s() < late;)
            event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
        for (late = now_s() + 0.02; now_s() < late;)
            event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    close_world(&world);
    cr_assert_eq(sigaction(SIGPIPE, NULL, &action), 0);
    cr_assert_eq(action.sa_handler, SIG_DFL, "the signal is not as it was");
}

/* What the host has set stays, while the server lives and after. */
RV_TEST(model_server_formats, a_host_s_own_sigpipe_stays)
{
    struct sigaction action;
    struct world world;

    open_world(&world);
    signal(SIGPIPE, _exit);
    close_world(&world);
    cr_assert_eq(sigaction(SIGPIPE, NULL, &action), 0);
    cr_assert_eq(action.sa_handler, _exit);
    signal(SIGPIPE, SIG_DFL);
}

RV_TEST(model_server_formats, errors_of_requests_are_in_the_format)
{
    static const struct {
        const char *body;
        const char *wanted;
    } cases[] = {
        {"{", "not valid JSON"},
        {"[]", "not a JSON object"},
        {"{\"model\":\"m\",\"messages\":[]}", "max_tokens: Field required"},
        {"{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"assistant\",\"content\":"
         "\"a\"}]}",
         "first message"},
        {"{\"nonsense\":1}", "nonsense: Extra inputs"},
    };
    struct heard *heard = calloc(1, sizeof *heard);
    struct world world;
    size_t i;

    open_world(&world);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(&world, true, NULL, cases[i].body, 0, heard);
        cr_assert(strstr(heard->text, "HTTP/1.1 400"), "%s", heard->text);
        cr_assert(strstr(heard->text, "{\"type\":\"error\",\"error\":{\"type\":"
                                      "\"invalid_request_error\""),
                  "%s", heard->text);
        cr_assert(strstr(heard->text, cases[i].wanted), "%s", heard->text);
    }
    close_world(&world);
    free(heard);
}
