/* SPDX-License-Identifier: MIT */
/* Requests: what they are byte by byte, and that one begins as the one before it. */
#include "tests/lib/test.h"

#include "model/codec.h"
#include "model/tools_cache.h"
#include "json/reader.h"

#include <math.h>
#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { TURNS = 40 };

struct desk {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct reeve_transcript *transcript;
    struct rv_json_reader *reader;
    struct rv_buffer body;
    struct rv_request request;
    struct rv_snapshot messages;
};

static void open_desk(struct desk *desk, struct rv_test *t)
{
    struct reeve_runtime_options options;

    *desk = (struct desk){.t = t};
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &desk->runtime), 0);
    cr_assert_eq(reeve_transcript_new(desk->runtime, &desk->transcript), 0);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &desk->reader), 0);
    rv_buffer_init(&desk->body, t->mem, RV_MAX_REQUEST_BYTES);
    desk->request = (struct rv_request){.model = "m",
                                        .messages = &desk->messages,
                                        .temperature = (double)NAN,
                                        .top_p = (double)NAN};
}

static void close_desk(struct desk *desk)
{
    rv_buffer_done(&desk->body);
    rv_json_reader_free(desk->reader);
    reeve_transcript_free(desk->transcript);
    reeve_runtime_free(desk->runtime);
}

static int encode_as(struct desk *desk, const struct rv_codec *codec)
{
    struct rv_encode_cursor cursor = {0};
    int error;

    rv_buffer_clear(&desk->body);
    rv_transcript_snapshot(desk->transcript, &desk->messages);
    error = codec->encode_begin(&desk->request, &desk->body);
    while (!error && cursor.next < desk->messages.count)
        error = codec->encode_add(&desk->request, &cursor, desk->reader, &desk->body);
    if (!error)
        error = codec->encode_end(&desk->request, &cursor, &desk->body);
    rv_snapshot_done(&desk->messages);
    return error;
}

static int encode(struct desk *desk)
{
    return encode_as(desk, &rv_codec_openai);
}

static const struct reeve_json *parse_body(struct desk *desk)
{
    const struct reeve_json *value = NULL;

    rv_json_reader_reset(desk->reader);
    cr_assert_eq(rv_json_reader_parse(desk->reader, desk->body.data, desk->body.len, &value), 0,
                 "%s in %s", rv_json_reader_problem(desk->reader)->text, desk->body.data);
    return value;
}

static void add(struct desk *desk, enum reeve_role role, const char *text)
{
    cr_assert_eq(reeve_transcript_add(desk->transcript, role, text, strlen(text)), 0);
}

static void add_call(struct desk *desk, const char *text, const char *id, const char *name,
                     const char *arguments)
{
    const struct reeve_call call = {id, name, arguments, strlen(arguments)};

    cr_assert_eq(reeve_transcript_add_calls(desk->transcript, text, strlen(text), &call, 1), 0);
    cr_assert_eq(reeve_transcript_add_result(desk->transcript, id, "fine", 4, 0), 0);
}

RV_TEST(encode, writes_every_kind_of_message)
{
    const struct reeve_call calls[] = {{"x", "look", "{ \"a\": \"\\u00e4\\n\" }", 19},
                                       {"y", "look", "{}", 2}};
    struct desk desk;

    open_desk(&desk, t);
    desk.request.stream = true;
    add(&desk, REEVE_ROLE_SYSTEM, "Be \"brief\".\n");
    add(&desk, REEVE_ROLE_USER, "caf\xC3\xA9 \x01");
    cr_assert_eq(reeve_transcript_add_calls(desk.transcript, NULL, 0, calls, 2), 0);
    cr_assert_eq(reeve_transcript_add_result(desk.transcript, "y", "", 0, 1), 0);
    cr_assert_eq(reeve_transcript_add_result(desk.transcript, "x", "a\tb", 3, 0), 0);
    add_call(&desk, "Once more.", "z", "look", "{}");
    add(&desk, REEVE_ROLE_ASSISTANT, "Done.");
    cr_assert_eq(encode(&desk), 0);
    cr_assert_str_eq(
        desk.body.data,
        "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":"
        "["
        "{\"role\":\"system\",\"content\":\"Be \\\"brief\\\".\\n\"},"
        "{\"role\":\"user\",\"content\":\"caf\xC3\xA9 \\u0001\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":"
        "\"{ \\\"a\\\": \\\"\\\\u00e4\\\\n\\\" }\"}},"
        "{\"id\":\"y\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"{}\"}}"
        "]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"y\",\"content\":\"\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"a\\tb\"},"
        "{\"role\":\"assistant\",\"content\":\"Once more.\",\"tool_calls\":["
        "{\"id\":\"z\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"{}\"}}"
        "]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"z\",\"content\":\"fine\"},"
        "{\"role\":\"assistant\",\"content\":\"Done.\"}]}");
    parse_body(&desk);
    close_desk(&desk);
}

RV_TEST(encode, writes_the_settings)
{
    static const struct reeve_tool_definition tools[] = {
        {"look", "Look \"there\"", "{\"type\":\"object\",\n \"required\":[\"a\"]}"},
        {"wait", NULL, NULL},
    };
    struct rv_buffer json;
    struct desk desk;

    open_desk(&desk, t);
    rv_buffer_init(&json, t->mem, 10000);
    cr_assert_eq(rv_codec_openai.encode_tools(tools, 2, desk.reader, &json), 0);
    desk.request.tools_json = json.data;
    desk.request.tools_json_len = json.len;
    desk.request.temperature = 0.1;
    desk.request.max_output_tokens = 4294967295u;
    add(&desk, REEVE_ROLE_USER, "x");
    cr_assert_eq(encode(&desk), 0);
    cr_assert_str_eq(desk.body.data,
                     "{\"model\":\"m\",\"temperature\":0.1,\"max_tokens\":4294967295,\"tools\":["
                     "{\"type\":\"function\",\"function\":{\"name\":\"look\",\"description\":"
                     "\"Look \\\"there\\\"\","
                     "\"parameters\":{\"type\":\"object\",\n \"required\":[\"a\"]}}},"
                     "{\"type\":\"function\",\"function\":{\"name\":\"wait\",\"parameters\":"
                     "{\"type\":\"object\",\"properties\":{}}}}],"
                     "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
    parse_body(&desk);
    desk.request.own_host = true;
    cr_assert_eq(encode(&desk), 0);
    cr_assert(strstr(desk.body.data, "\"max_completion_tokens\":4294967295,"));
    cr_assert_null(strstr(desk.body.data, "max_tokens"));
    rv_buffer_done(&json);
    close_desk(&desk);
}

/* What a model got wrong must not make every later request fail. */
RV_TEST(encode, sends_broken_calls_back_as_something_that_is_taken)
{
    static const struct {
        const char *given, *sent;
    } cases[] = {
        {"{\"a\":1}", "{\"a\":1}"},
        {"  {\"a\" : 1.50}\n", "  {\"a\" : 1.50}\n"},
        {"", "{}"},
        {" \n", "{}"},
        {"null", "{}"},
        {"{\"a\":", "{\"invalid_json\":\"{\\\"a\\\":\"}"},
        {"[1]", "{\"invalid_json\":\"[1]\"}"},
        {"\"x\"", "{\"invalid_json\":\"\\\"x\\\"\"}"},
        {"{\"a\":1}{\"a\":2}", "{\"invalid_json\":\"{\\\"a\\\":1}{\\\"a\\\":2}\"}"},
        {"{\"a\":\"\xFF\"}", "{\"invalid_json\":\"{\\\"a\\\":\\\"\xEF\xBF\xBD\\\"}\"}"},
    };
    const struct reeve_json *call, *function;
    struct desk desk;
    char id[8];
    size_t i;

    open_desk(&desk, t);
    add(&desk, REEVE_ROLE_USER, "x");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(id, sizeof id, "c%zu", i);
        add_call(&desk, "", id,
                 "functions.look at/this one that is much longer than any name may be at all",
                 cases[i].given);
    }
    cr_assert_eq(encode(&desk), 0);
    call = reeve_json_get(parse_body(&desk), "messages");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        function = reeve_json_get(
            reeve_json_at(reeve_json_get(reeve_json_at(call, 1 + 2 * i), "tool_calls"), 0),
            "function");
        cr_assert_str_eq(reeve_json_string(reeve_json_get(function, "arguments"), NULL),
                         cases[i].sent);
        cr_assert_str_eq(reeve_json_string(reeve_json_get(function, "name"), NULL),
                         "functions_look_at_this_one_that_is_much_longer_than_any_name_may");
    }
    close_desk(&desk);
}

static void random_turn(struct desk *desk, unsigned turn)
{
    static const char *const texts[] = {"", "plain", "\"quoted\" \\ \n", "\xC3\xA9\xE2\x82\xAC",
                                        "\xFF"};
    const char *text = texts[rv_test_random(desk->t) % (sizeof texts / sizeof *texts)];
    struct reeve_call calls[3];
    char ids[3][32];
    size_t count = 1 + rv_test_random(desk->t) % 3;
    size_t i;

    switch (rv_test_random(desk->t) % 6) {
    case 0:
        add(desk, REEVE_ROLE_ASSISTANT, text);
        add(desk, REEVE_ROLE_USER, "go on");
        return;
    case 1:
        add(desk, REEVE_ROLE_USER, text);
        return;
    case 2:
        add(desk, REEVE_ROLE_SYSTEM, "By the way.");
        return;
    default:
        break;
    }
    for (i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "call_%u_%zu", turn, i);
        calls[i] = (struct reeve_call){ids[i], "look", i ? "{\"broken" : "{\"a\": 1}", i ? 8 : 8};
    }
    cr_assert_eq(reeve_transcript_add_calls(desk->transcript, text, strlen(text), calls, count), 0);
    for (i = count; i > 0; i--)
        cr_assert_eq(
            reeve_transcript_add_result(desk->transcript, ids[i - 1], text, strlen(text), i == 1),
            0);
}

/* The same messages, none of whose bytes are kept. */
static void forget_bytes(struct desk *desk)
{
    struct reeve_transcript *copy;
    size_t i;

    cr_assert_eq(reeve_transcript_new(desk->runtime, &copy), 0);
    for (i = 0; i < reeve_transcript_count(desk->transcript); i++) {
        const struct reeve_message *message = reeve_transcript_at(desk->transcript, i);
        struct rv_message_parts parts = {.role = message->role,
                                         .text = message->text,
                                         .text_len = message->text_len,
                                         .calls = message->calls,
                                         .call_count = message->call_count,
                                         .call_id = message->call_id,
                                         .is_error = message->is_error,
                                         .parts = message->parts,
                                         .part_count = message->part_count};
        struct reeve_message *again;

        cr_assert_eq(rv_message_new(desk->t->mem, &parts, &again), 0);
        cr_assert_null(again->wire[RV_WIRE_OPENAI].bytes);
        cr_assert_null(again->wire[RV_WIRE_ANTHROPIC].bytes);
        cr_assert_eq(rv_transcript_take(copy, again), 0);
    }
    reeve_transcript_free(desk->transcript);
    desk->transcript = copy;
}

/* How many bytes at the end of a body are only there to close it. */
static size_t closing_bytes(const struct rv_codec *codec)
{
    return codec == &rv_codec_openai ? strlen("]}") : strlen("]}]}");
}

/* A turn's request starts with all bytes of the last one's but the few that close it. */
static void expect_prefixes(struct rv_test *t, const struct rv_codec *codec)
{
    const size_t closing = closing_bytes(codec);
    struct rv_buffer last;
    struct desk desk;
    unsigned turn;

    open_desk(&desk, t);
    rv_buffer_init(&last, t->mem, 1 << 20);
    add(&desk, REEVE_ROLE_SYSTEM, "Be brief.");
    add(&desk, REEVE_ROLE_USER, "Start.");
    cr_assert_eq(encode_as(&desk, codec), 0);
    for (turn = 0; turn < TURNS; turn++) {
        rv_buffer_clear(&last);
        cr_assert_eq(rv_buffer_add(&last, desk.body.data, desk.body.len), 0);
        random_turn(&desk, turn);
        cr_assert_eq(encode_as(&desk, codec), 0);
        cr_assert_gt(desk.body.len, last.len);
        cr_assert_eq(memcmp(desk.body.data, last.data, last.len - closing), 0, "turn %u", turn);
    }
    parse_body(&desk);
    rv_buffer_clear(&last);
    cr_assert_eq(rv_buffer_add(&last, desk.body.data, desk.body.len), 0);
    forget_bytes(&desk);
    cr_assert_eq(encode_as(&desk, codec), 0);
    cr_assert_str_eq(desk.body.data, last.data, "kept bytes differ from fresh ones");
    rv_buffer_done(&last);
    close_desk(&desk);
}

RV_TEST(encode, begins_as_the_request_before)
{
    unsigned round;

    for (round = 0; round < 5; round++) {
        expect_prefixes(t, &rv_codec_openai);
        expect_prefixes(t, &rv_codec_anthropic);
    }
}

RV_TEST(encode, refuses_bad_tools)
{
    static const struct reeve_tool_definition bad[] = {
        {NULL, "d", "{}"},   {"", "d", "{}"},           {"a", "d", "{"}, {"a", "d", "[]"},
        {"a", "d", "\"x\""}, {"a", "d", "{}, \"b\":1"}, {"a", "d", ""},
    };
    struct rv_json_reader *reader;
    struct rv_buffer out;
    size_t i;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    rv_buffer_init(&out, t->mem, 1000);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(rv_codec_openai.encode_tools(&bad[i], 1, reader, &out), REEVE_EINVAL, "%zu",
                     i);
        cr_assert_eq(out.len, 0);
    }
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
}

static int encodings;

static int counting_encode(const struct reeve_tool_definition *tools, size_t count,
                           struct rv_json_reader *reader, struct rv_buffer *out)
{
    encodings++;
    return rv_codec_openai.encode_tools(tools, count, reader, out);
}

RV_TEST(encode, writes_the_same_tools_once)
{
    struct reeve_tool_definition tools[] = {{"a", "b", "{}"}, {"c", NULL, NULL}};
    struct rv_codec codec = rv_codec_openai;
    struct rv_json_reader *reader;
    struct rv_tools_cache cache;

    codec.encode_tools = counting_encode;
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    rv_tools_cache_init(&cache, t->mem, 10000);
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 2, reader), 0);
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 2, reader), 0);
    cr_assert_eq(encodings, 1);
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 1, reader), 0);
    cr_assert_eq(encodings, 2);
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 2, reader), 0);
    tools[1].description = ""; /* not the same as none */
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 2, reader), 0);
    cr_assert_eq(encodings, 4);
    cr_assert(strstr(cache.json.data, "\"description\":\"\""));
    tools[0].name = "";
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 2, reader), REEVE_EINVAL);
    tools[0].name = "a";
    cr_assert_eq(rv_tools_cache_fill(&cache, &codec, tools, 2, reader), 0);
    cr_assert_eq(encodings, 6);
    rv_tools_cache_done(&cache);
    rv_json_reader_free(reader);
}
