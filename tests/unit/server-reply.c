/* SPDX-License-Identifier: MIT */
/* The bytes of an answer, the faults by name, and the prompt cache's figures. */
#include "examples/server/reply.h"

#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

static uint64_t count_up(void *arg)
{
    uint64_t *next = arg;

    return ++*next;
}

static struct ms_fault fault_of(const char *spec)
{
    struct ms_fault fault = {0};

    if (*spec)
        cr_assert_eq(ms_fault_parse(ms_span_of(spec), &fault), 0, "%s", spec);
    return fault;
}

/* A reply whose ids are 1, 2 … */
static void begin(struct ms_reply *reply, const char *body, struct ms_plan *plan, const char *fault,
                  size_t chunk_bytes)
{
    struct ms_fault parsed = fault_of(fault);
    struct ms_request request;
    struct ms_error error;
    uint64_t next = 0;

    cr_assert_eq(ms_request_parse(body, strlen(body), &request, &error), 0, "%s", error.message);
    cr_assert_eq(ms_reply_init(reply, &request, plan, &parsed, chunk_bytes, count_up, &next), 0);
    ms_request_done(&request);
}

static struct ms_plan text_plan(const char *text)
{
    struct ms_plan plan = {.calls_count = 0};

    ms_text_init(&plan.text, MS_MAX_ANSWER_BYTES);
    ms_text_add_string(&plan.text, text);
    return plan;
}

static struct ms_plan call_plan(const char *first, const char *second)
{
    struct ms_plan plan = text_plan("");

    cr_assert_eq(ms_plan_add_call(&plan, ms_span_of("one"), ms_span_of(first)), 0);
    cr_assert_eq(ms_plan_add_call(&plan, ms_span_of("two"), ms_span_of(second)), 0);
    return plan;
}

#define BODY(more) "{\"model\":\"m\"," more "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"
#define STREAM "\"stream\":true,"
#define USAGE "\"stream\":true,\"stream_options\":{\"include_usage\":true},"

/* What a client makes of a stream. */
struct heard {
    struct ms_text text;
    struct ms_text arguments[4];
    char names[4][16];
    char finish[16];
    size_t events;
    size_t broken; /* events whose data is no JSON */
    bool usage;
    bool error;
    bool done;
};

static void hear_call(struct heard *heard, yajl_val call)
{
    yajl_val function = ms_json_get(call, "function");
    yajl_val index = ms_json_get(call, "index");
    const char *arguments = ms_json_string(function, "arguments");
    const char *name = ms_json_string(function, "name");

    cr_assert(YAJL_IS_INTEGER(index));
    cr_assert_lt(YAJL_GET_INTEGER(index), 4);
    cr_assert(arguments);
    ms_text_add_string(&heard->arguments[YAJL_GET_INTEGER(index)], arguments);
    if (name) {
        cr_assert_str_not_empty(ms_json_string(call, "id"));
        strncpy(heard->names[YAJL_GET_INTEGER(index)], name, 15);
    }
}

static void hear_choice(struct heard *heard, yajl_val choice)
{
    yajl_val delta = ms_json_get(choice, "delta");
    yajl_val calls = ms_json_get(delta, "tool_calls");
    const char *content = ms_json_string(delta, "content");
    const char *finish = ms_json_string(choice, "finish_reason");

    cr_assert(delta);
    if (content)
        ms_text_add_string(&heard->text, content);
    for (size_t i = 0; calls && i < calls->u.array.len; i++)
        hear_call(heard, calls->u.array.values[i]);
    if (finish)
        strncpy(heard->finish, finish, 15);
}

static void hear_event(struct heard *heard, struct ms_span data)
{
    char *json = ms_span_copy(data);
    yajl_val choices;
    yajl_val tree;

    cr_assert(json);
    heard->events++;
    cr_assert(!heard->done, "an event behind [DONE]");
    if (strcmp(json, "[DONE]") == 0) {
        heard->done = true;
    } else if (ms_json_parse(json, data.len, &tree)) {
        heard->broken++;
    } else {
        heard->error |= ms_json_get(tree, "error") != NULL;
        heard->usage |= ms_json_get_some(tree, "usage") != NULL;
        choices = ms_json_get(tree, "choices");
        for (size_t i = 0; choices && i < choices->u.array.len; i++)
            hear_choice(heard, choices->u.array.values[i]);
        yajl_tree_free(tree);
    }
    free(json);
}

static void hear(struct ms_reply *reply, struct heard *heard)
{
    struct ms_text out;
    struct ms_span line;
    size_t offset = 0;

    *heard = (struct heard){.events = 0};
    ms_text_init(&heard->text, 1000000);
    for (int i = 0; i < 4; i++)
        ms_text_init(&heard->arguments[i], 1000000);
    ms_text_init(&out, 10000000);
    while (ms_reply_next(reply, &out))
        ;
    cr_assert(!out.failed);
    while (ms_line_next((struct ms_span){out.data, out.len}, &offset, &line))
        if (line.len > 6 && memcmp(line.s, "data: ", 6) == 0)
            hear_event(heard, (struct ms_span){line.s + 6, line.len - 6});
    ms_text_done(&out);
}

static void forget(struct ms_reply *reply, struct heard *heard)
{
    ms_text_done(&heard->text);
    for (int i = 0; i < 4; i++)
        ms_text_done(&heard->arguments[i]);
    ms_reply_done(reply);
}

/* yajl refuses a string that ends inside a character, so each event being JSON shows that none is
 * cut; that the whole is what was said shows that none is lost. */
RV_TEST(server_reply, streams_text_at_any_chunk_size)
{
    const char *text = "a é ж 漢字 😀 \"quoted\" \\ back\nnew\ttab \x01 end";

    for (size_t chunk = 1; chunk < 60; chunk++) {
        struct ms_plan plan = text_plan(text);
        struct ms_reply reply;
        struct heard heard;

        begin(&reply, BODY(USAGE), &plan, "", chunk);
        hear(&reply, &heard);
        cr_assert_str_eq(ms_text_string(&heard.text), text);
        cr_assert_eq(heard.broken, 0);
        cr_assert(heard.usage && heard.done && !heard.error);
        cr_assert_str_eq(heard.finish, "stop");
        cr_assert_geq(heard.events, 4 + strlen(text) / (chunk + 3));
        forget(&reply, &heard);
    }
}

/* Also the JSON inside of the arguments is not cut in an escape. */
static void check_escapes(struct ms_reply *reply)
{
    size_t before = reply->offset;
    const char *arguments = reply->plan.calls[reply->call].arguments;
    size_t backslashes = 0;

    while (backslashes < before && arguments[before - 1 - backslashes] == '\\')
        backslashes++;
    cr_assert_eq(backslashes % 2, 0, "cut inside an escape at %zu", before);
    for (size_t i = 1; i <= 4 && i < before; i++)
        cr_assert(arguments[before - i] != 'u' || arguments[before - i - 1] != '\\',
                  "cut inside \\u at %zu", before);
}

RV_TEST(server_reply, streams_parallel_calls_at_any_chunk_size)
{
    const char *first = "{\"path\":\"a\\\\b \\u00e9 \\n 漢\"}";

    for (size_t chunk = 1; chunk < 40; chunk++) {
        struct ms_plan plan = call_plan(first, "{}");
        struct ms_reply reply;
        struct heard heard;
        struct ms_text out;

        begin(&reply, BODY(STREAM), &plan, "", chunk);
        hear(&reply, &heard);
        cr_assert_str_eq(ms_text_string(&heard.arguments[0]), first);
        cr_assert_str_eq(ms_text_string(&heard.arguments[1]), "{}");
        cr_assert_str_eq(heard.names[0], "one");
        cr_assert_str_eq(heard.names[1], "two");
        cr_assert_str_eq(heard.finish, "tool_calls");
        cr_assert(heard.done && !heard.usage);
        cr_assert_eq(heard.broken, 0);
        forget(&reply, &heard);

        plan = call_plan(first, "{}");
        begin(&reply, BODY(STREAM), &plan, "", chunk);
        ms_text_init(&out, 1000000);
        while (ms_reply_next(&reply, &out))
            if (reply.call_begun)
                check_escapes(&reply);
        ms_text_done(&out);
        ms_reply_done(&reply);
    }
}

static yajl_val whole(struct ms_reply *reply)
{
    struct ms_text out;
    yajl_val tree;

    ms_text_init(&out, 1000000);
    cr_assert(ms_reply_next(reply, &out));
    cr_assert_eq(ms_json_parse(out.data, out.len, &tree), 0, "%s", out.data);
    cr_assert(!ms_reply_next(reply, &out));
    ms_text_done(&out);
    return tree;
}

static yajl_val first_choice(yajl_val tree)
{
    yajl_val choices = ms_json_get(tree, "choices");

    cr_assert(YAJL_IS_ARRAY(choices));
    cr_assert_eq(choices->u.array.len, 1);
    return choices->u.array.values[0];
}

RV_TEST(server_reply, writes_a_whole_completion)
{
    struct ms_plan plan = call_plan("{\"a\":1}", "{}");
    struct ms_reply reply;
    yajl_val tree;
    yajl_val calls;

    begin(&reply, BODY(""), &plan, "", 12);
    tree = whole(&reply);
    calls = ms_json_get(ms_json_get(first_choice(tree), "message"), "tool_calls");
    cr_assert_eq(calls->u.array.len, 2);
    cr_assert_str_eq(ms_json_string(calls->u.array.values[0], "id"), "call_0000000000000002");
    cr_assert_str_eq(ms_json_string(ms_json_get(calls->u.array.values[0], "function"), "arguments"),
                     "{\"a\":1}");
    cr_assert_str_eq(ms_json_string(first_choice(tree), "finish_reason"), "tool_calls");
    cr_assert(ms_json_get_some(tree, "usage"));
    yajl_tree_free(tree);
    ms_reply_done(&reply);
}

RV_TEST(server_reply, stops_at_the_limit_and_at_stop)
{
    struct ms_plan plan = text_plan("漢字漢字漢字");
    struct ms_reply reply;
    struct heard heard;

    begin(&reply, BODY(STREAM "\"max_tokens\":2,"), &plan, "", 12);
    hear(&reply, &heard);
    cr_assert_str_eq(ms_text_string(&heard.text), "漢字");
    cr_assert_str_eq(heard.finish, "length");
    forget(&reply, &heard);

    plan = call_plan("{\"path\":\"abc\"}", "{}");
    begin(&reply, BODY(STREAM "\"max_tokens\":2,"), &plan, "", 12);
    hear(&reply, &heard);
    cr_assert_str_eq(ms_text_string(&heard.arguments[0]), "{\"path\":");
    cr_assert_str_empty(heard.names[1]);
    cr_assert_str_eq(heard.finish, "length");
    forget(&reply, &heard);

    plan = text_plan("one two three");
    begin(&reply, BODY(STREAM "\"stop\":[\"three\",\" two\"],"), &plan, "", 12);
    hear(&reply, &heard);
    cr_assert_str_eq(ms_text_string(&heard.text), "one");
    cr_assert_str_eq(heard.finish, "stop");
    forget(&reply, &heard);
}

static void hear_fault(const char *fault, struct heard *heard)
{
    struct ms_plan plan = text_plan("some text that is long enough to have a middle");
    struct ms_reply reply;

    begin(&reply, BODY(STREAM), &plan, fault, 8);
    hear(&reply, heard);
    forget(&reply, heard);
}

RV_TEST(server_reply, spoils_streams_on_demand)
{
    struct heard heard;

    hear_fault("", &heard);
    cr_assert(heard.done && !heard.error && heard.broken == 0);
    hear_fault("garbage", &heard);
    cr_assert_eq(heard.broken, 1);
    cr_assert(heard.done);
    hear_fault("bad-utf8", &heard);
    cr_assert_eq(heard.broken, 1);
    hear_fault("error-in-stream", &heard);
    cr_assert(heard.error && !heard.done);
    cr_assert_str_empty(heard.finish);
    hear_fault("no-done", &heard);
    cr_assert(!heard.done);
    cr_assert_str_eq(heard.finish, "stop");
    hear_fault("crlf", &heard);
    cr_assert(heard.done && heard.broken == 0);
    hear_fault("comments", &heard);
    cr_assert(heard.done && heard.broken == 0);
}

RV_TEST(server_fault, is_read_from_its_name)
{
    static const char *const none[] = {
        "",       "399",    "600",   "cuts", "cut:", "cut:x",          "cut*",
        "cut@-1", "429:1x", "cut 5", "1e3",  "4290", "cut:9999999999", ":5"};
    struct ms_fault fault = fault_of(" 429:2*3@1 ");
    struct ms_fault untouched;

    cr_assert_eq(fault.kind, MS_FAULT_STATUS);
    cr_assert_eq(fault.status, 429);
    cr_assert_eq(fault.value, 2);
    cr_assert_eq(fault.count, 3);
    cr_assert_eq(fault.turn, 1);
    cr_assert_eq(ms_fault_retry_after(&fault), 2);
    fault = fault_of("503");
    cr_assert_eq(ms_fault_retry_after(&fault), 1);
    fault = fault_of("500");
    cr_assert_eq(ms_fault_retry_after(&fault), -1);
    fault = fault_of("unknown-tool");
    cr_assert_eq(fault.turn, 0);
    fault = fault_of("unknown-tool@*");
    cr_assert_eq(fault.turn, MS_EACH_TURN);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        cr_assert_eq(ms_fault_parse(ms_span_of(none[i]), &untouched), -1, "%s", none[i]);
}

RV_TEST(server_fault, happens_as_often_as_told)
{
    struct ms_fault_counters *counters = calloc(1, sizeof(*counters));
    struct ms_fault twice = fault_of("503*2");
    struct ms_fault later = fault_of("503@1");

    cr_assert(ms_fault_is_due(counters, &twice, 7, 0));
    cr_assert(ms_fault_is_due(counters, &twice, 7, 0));
    cr_assert(!ms_fault_is_due(counters, &twice, 7, 0));
    cr_assert(ms_fault_is_due(counters, &twice, 8, 0), "another question");
    cr_assert(!ms_fault_is_due(counters, &later, 9, 0));
    cr_assert(ms_fault_is_due(counters, &later, 9, 1));
    free(counters);
}

RV_TEST(server_fault, writes_the_key_only_when_asked_to)
{
    struct ms_fault echo = fault_of("echo-key");
    struct ms_fault plain = fault_of("401");
    struct ms_error error;

    cr_assert(ms_fault_error(&echo, "m", "sk-canary", &error));
    cr_assert_eq(error.status, 401);
    cr_assert(strstr(error.message, "sk-canary"));
    cr_assert(ms_fault_error(&plain, "m", "sk-canary", &error));
    cr_assert(!strstr(error.message, "sk-canary"));
}

/* A request with a system message of `size` bytes, `messages` more, and perhaps a changed start. */
static struct ms_prefix measure(size_t size, int messages, char first, const char *key)
{
    struct ms_prefix prefix;
    struct ms_request request;
    struct ms_error error;
    struct ms_text body;

    ms_text_init(&body, 1000000);
    ms_text_addf(&body, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"%c",
                 first);
    for (size_t i = 0; i < size; i++)
        ms_text_add_string(&body, i % 64 == 0 ? "\\n" : "y");
    ms_text_add_string(&body, "\"}");
    for (int i = 0; i < messages; i++)
        ms_text_add_string(&body, ", {\"role\":\"user\",\"content\":\"hello there\"}");
    ms_text_add_string(&body, "]}");
    cr_assert_eq(ms_request_parse(body.data, body.len, &request, &error), 0);
    cr_assert_eq(ms_prefix_measure(&request, key, &prefix), 0);
    ms_request_done(&request);
    ms_text_done(&body);
    return prefix;
}

static size_t serve(struct ms_prefix_cache *cache, size_t size, int messages, char first,
                    const char *key)
{
    struct ms_prefix prefix = measure(size, messages, first, key);
    size_t cached = ms_prefix_serve(cache, &prefix);

    cr_assert_leq(cached, prefix.tokens);
    ms_prefix_done(&prefix);
    return cached;
}

RV_TEST(server_prefix, counts_the_real_common_prefix)
{
    struct ms_prefix_cache *cache = calloc(1, sizeof(*cache));
    size_t cached;

    cr_assert_eq(serve(cache, 8000, 1, 'a', "k"), 0, "the first has nothing");
    cached = serve(cache, 8000, 2, 'a', "k");
    cr_assert_geq(cached, 8000 / MS_TOKEN_BYTES - MS_BLOCK_TOKENS);
    cr_assert_eq(cached % MS_BLOCK_TOKENS, 0);
    cr_assert_gt(serve(cache, 8000, 100, 'a', "k"), 0);
    cr_assert_gt(serve(cache, 8000, 101, 'a', "k"), cached, "grows with the conversation");
    cr_assert_eq(serve(cache, 8000, 101, 'b', "k"), 0, "one byte at the start");
    cr_assert_eq(serve(cache, 8000, 101, 'a', "other key"), 0);
    cr_assert_eq(serve(cache, 3000, 1, 'c', "k"), 0);
    cr_assert_eq(serve(cache, 3000, 1, 'c', "k"), 0, "under 1024 tokens");
    free(cache);
}
