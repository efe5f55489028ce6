/* SPDX-License-Identifier: MIT */
/* Requests in the format of Anthropic's Messages, byte by byte; images and settings for both. */
#include "tests/lib/test.h"

#include "model/codec.h"
#include "json/reader.h"

#include <math.h>
#include <reeve/error.h>
#include <string.h>

#define HEAD "{\"model\":\"m\",\"max_tokens\":4096"

struct sheet {
    struct reeve_runtime *runtime;
    struct reeve_transcript *transcript;
    struct rv_json_reader *reader;
    struct rv_buffer body;
    struct rv_request request;
    struct rv_snapshot messages;
};

static void open_sheet(struct sheet *sheet, struct rv_test *t)
{
    struct reeve_runtime_options options;

    *sheet = (struct sheet){0};
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &sheet->runtime), 0);
    cr_assert_eq(reeve_transcript_new(sheet->runtime, &sheet->transcript), 0);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &sheet->reader), 0);
    rv_buffer_init(&sheet->body, t->mem, RV_MAX_REQUEST_BYTES);
    sheet->request = (struct rv_request){.model = "m",
                                         .messages = &sheet->messages,
                                         .temperature = (double)NAN,
                                         .top_p = (double)NAN};
}

static void close_sheet(struct sheet *sheet)
{
    rv_buffer_done(&sheet->body);
    rv_json_reader_free(sheet->reader);
    reeve_transcript_free(sheet->transcript);
    reeve_runtime_free(sheet->runtime);
}

/* The body, which is checked to be JSON. */
static const char *encode(struct sheet *sheet, const struct rv_codec *codec)
{
    struct rv_encode_cursor cursor = {0};
    const struct reeve_json *value;

    rv_buffer_clear(&sheet->body);
    rv_transcript_snapshot(sheet->transcript, &sheet->messages);
    cr_assert_eq(codec->encode_begin(&sheet->request, &sheet->body), 0);
    while (cursor.next < sheet->messages.count)
        cr_assert_eq(codec->encode_add(&sheet->request, &cursor, sheet->reader, &sheet->body), 0);
    cr_assert_eq(codec->encode_end(&sheet->request, &cursor, &sheet->body), 0);
    rv_snapshot_done(&sheet->messages);
    rv_json_reader_reset(sheet->reader);
    cr_assert_eq(rv_json_reader_parse(sheet->reader, sheet->body.data, sheet->body.len, &value), 0,
                 "%s", sheet->body.data);
    return sheet->body.data;
}

static void add(struct sheet *sheet, enum reeve_role role, const char *text)
{
    cr_assert_eq(reeve_transcript_add(sheet->transcript, role, text, strlen(text)), 0);
}

static void add_result(struct sheet *sheet, const char *id, const char *text, int is_error)
{
    cr_assert_eq(reeve_transcript_add_result(sheet->transcript, id, text, strlen(text), is_error),
                 0);
}

RV_TEST(anthropic, writes_every_kind_of_message)
{
    const struct reeve_call calls[] = {{"x", "look", "{ \"a\": \"\\u00e4\\n\" }", 19},
                                       {"y", "look", "", 0}};
    struct sheet sheet;

    open_sheet(&sheet, t);
    sheet.request.stream = true;
    add(&sheet, REEVE_ROLE_SYSTEM, "Be \"brief\".\n");
    add(&sheet, REEVE_ROLE_SYSTEM, " ");
    add(&sheet, REEVE_ROLE_SYSTEM, "And kind.");
    add(&sheet, REEVE_ROLE_USER, "caf\xC3\xA9 \x01");
    add(&sheet, REEVE_ROLE_USER, "again");
    cr_assert_eq(reeve_transcript_add_calls(sheet.transcript, "See.", 4, calls, 2), 0);
    add_result(&sheet, "y", "", 1);
    add_result(&sheet, "x", "a\tb", 0);
    add(&sheet, REEVE_ROLE_USER, "steer");
    add(&sheet, REEVE_ROLE_SYSTEM, "late");
    add(&sheet, REEVE_ROLE_ASSISTANT, "Done.");
    cr_assert_str_eq(
        encode(&sheet, &rv_codec_anthropic), HEAD
        ",\"stream\":true,\"system\":[{\"type\":\"text\",\"text\":\"Be \\\"brief\\\".\\n\"},"
        "{\"type\":\"text\",\"text\":\"And kind.\"}],\"messages\":["
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"caf\xC3\xA9 \\u0001\"},"
        "{\"type\":\"text\",\"text\":\"again\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"See.\"},"
        "{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"look\",\"input\":"
        "{ \"a\": \"\\u00e4\\n\" }},"
        "{\"type\":\"tool_use\",\"id\":\"y\",\"name\":\"look\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":["
        "{\"type\":\"tool_result\",\"tool_use_id\":\"y\",\"content\":\"(no text)\",\"is_error\":"
        "true},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"x\",\"content\":\"a\\tb\"},"
        "{\"type\":\"text\",\"text\":\"steer\"},{\"type\":\"text\",\"text\":\"late\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Done.\"}]}]}");
    close_sheet(&sheet);
}

/* What the server refuses would make every later request fail. */
RV_TEST(anthropic, sends_nothing_blank)
{
    const struct reeve_call call = {"x", "look", "{}", 2};
    struct sheet sheet;

    open_sheet(&sheet, t);
    add(&sheet, REEVE_ROLE_USER, "");
    add(&sheet, REEVE_ROLE_ASSISTANT, "");
    add(&sheet, REEVE_ROLE_USER, "a");
    add(&sheet, REEVE_ROLE_ASSISTANT, " \n");
    add(&sheet, REEVE_ROLE_USER, " ");
    cr_assert_eq(reeve_transcript_add_calls(sheet.transcript, "\n", 1, &call, 1), 0);
    add_result(&sheet, "x", "", 0);
    cr_assert_str_eq(encode(&sheet, &rv_codec_anthropic),
                     HEAD ",\"messages\":[{\"role\":\"user\",\"content\":["
                          "{\"type\":\"text\",\"text\":\"(no text)\"},"
                          "{\"type\":\"text\",\"text\":\"a\"},"
                          "{\"type\":\"text\",\"text\":\"(no text)\"}]},"
                          "{\"role\":\"assistant\",\"content\":["
                          "{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"look\",\"input\":{}}]},"
                          "{\"role\":\"user\",\"content\":["
                          "{\"type\":\"tool_result\",\"tool_use_id\":\"x\"}]}]}");
    close_sheet(&sheet);
}

RV_TEST(anthropic, sends_broken_calls_back_as_something_that_is_taken)
{
    static const struct {
        const char *id, *arguments, *sent;
    } cases[] = {
        {"a", "{\"a\":1",
         "\"id\":\"a\",\"name\":\"lo_ok\",\"input\":"
         "{\"invalid_json\":\"{\\\"a\\\":1\"}}"},
        {"b", "[1]", "\"input\":{\"invalid_json\":\"[1]\"}}"},
        {"c", "null", "\"input\":{}}"},
        {"d", "{\"s\":\"\\ud83d\"}", "\"input\":{\"s\":\"\xEF\xBF\xBD\"}}"},
        {"e", "{\"s\":\"\\ud83d\\ude00\"}", "\"input\":{\"s\":\"\\ud83d\\ude00\"}}"},
        {"call.1:\xC3\xA9", "{}", "\"id\":\"call_2e1_3a_c3_a9\","},
    };
    struct reeve_call call;
    struct sheet sheet;
    size_t i;

    open_sheet(&sheet, t);
    add(&sheet, REEVE_ROLE_USER, "go");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        call = (struct reeve_call){cases[i].id, "lo.ok", cases[i].arguments,
                                   strlen(cases[i].arguments)};
        cr_assert_eq(reeve_transcript_add_calls(sheet.transcript, "", 0, &call, 1), 0);
        add_result(&sheet, cases[i].id, "r", 0);
        cr_assert(strstr(encode(&sheet, &rv_codec_anthropic), cases[i].sent), "%s not in %s",
                  cases[i].sent, sheet.body.data);
    }
    cr_assert(strstr(sheet.body.data, "\"tool_use_id\":\"call_2e1_3a_c3_a9\""));
    close_sheet(&sheet);
}

static void add_reasoned(struct rv_test *t, struct sheet *sheet, const struct rv_part *parts,
                         size_t count)
{
    const struct reeve_call calls[] = {{"x", "f", "{}", 2}, {"y", "g", "{}", 2}};
    const struct rv_message_parts message = {.role = REEVE_ROLE_ASSISTANT,
                                             .text = "ab",
                                             .text_len = 2,
                                             .calls = calls,
                                             .call_count = 2,
                                             .parts = parts,
                                             .part_count = count};
    struct reeve_message *made;

    cr_assert_eq(rv_message_new(t->mem, &message, &made), 0);
    cr_assert_eq(rv_transcript_take(sheet->transcript, made), 0);
    add_result(sheet, "x", "r", 0);
    add_result(sheet, "y", "r", 0);
}

RV_TEST(anthropic, sends_reasoning_back_where_it_stood)
{
    const struct rv_part parts[] = {
        {.kind = RV_PART_REASONING, .text = "hm\n", .len = 3, .mark = "s1", .mark_len = 2},
        {.kind = RV_PART_SEALED, .mark = "sealed", .mark_len = 6},
        {.kind = RV_PART_TEXT, .len = 1},
        {.kind = RV_PART_CALL},
        {.kind = RV_PART_REASONING, .text = "not signed", .len = 10},
        {.kind = RV_PART_REASONING, .mark = "s2", .mark_len = 2},
        {.kind = RV_PART_TEXT, .len = 1},
        {.kind = RV_PART_CALL},
        {.kind = RV_PART_REASONING, .text = "behind", .len = 6, .mark = "s3", .mark_len = 2},
    };
    struct sheet sheet;

    open_sheet(&sheet, t);
    add(&sheet, REEVE_ROLE_USER, "go");
    add_reasoned(t, &sheet, parts, sizeof parts / sizeof *parts);
    cr_assert(strstr(encode(&sheet, &rv_codec_anthropic),
                     "{\"role\":\"assistant\",\"content\":["
                     "{\"type\":\"thinking\",\"thinking\":\"hm\\n\",\"signature\":\"s1\"},"
                     "{\"type\":\"redacted_thinking\",\"data\":\"sealed\"},"
                     "{\"type\":\"text\",\"text\":\"a\"},"
                     "{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"f\",\"input\":{}},"
                     "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"s2\"},"
                     "{\"type\":\"text\",\"text\":\"b\"},"
                     "{\"type\":\"tool_use\",\"id\":\"y\",\"name\":\"g\",\"input\":{}}]}"),
              "%s", sheet.body.data);
    /* To the other provider it goes as one text, and only where that is wanted. */
    cr_assert_null(strstr(encode(&sheet, &rv_codec_openai), "hm"));
    cr_assert(strstr(sheet.body.data, "\"content\":\"ab\",\"tool_calls\":[{\"id\":\"x\""));
    sheet.request.send_reasoning = true;
    cr_assert(strstr(encode(&sheet, &rv_codec_openai),
                     "{\"role\":\"assistant\",\"reasoning_content\":\"hm\\nnot signedbehind\","
                     "\"content\":\"ab\",\"tool_calls\":["),
              "%s", sheet.body.data);
    sheet.request.send_reasoning = false;
    cr_assert_null(strstr(encode(&sheet, &rv_codec_openai), "hm"));
    close_sheet(&sheet);
}

static const struct reeve_tool_definition tools[] = {
    {"look", "Look \"there\"", "{\"type\":\"object\",\n \"required\":[\"a\"]}"},
    {"wait", NULL, NULL},
};

RV_TEST(anthropic, writes_the_settings)
{
    static const char *const stop[] = {"END", "\n\n"};
    struct rv_buffer json;
    struct sheet sheet;

    open_sheet(&sheet, t);
    rv_buffer_init(&json, t->mem, 10000);
    cr_assert_eq(rv_codec_anthropic.encode_tools(tools, 2, sheet.reader, &json), 0);
    sheet.request.tools_json = json.data;
    sheet.request.tools_json_len = json.len;
    sheet.request.temperature = 0.1;
    sheet.request.top_p = 0.9;
    sheet.request.has_seed = true;
    sheet.request.max_output_tokens = 4294967295u;
    sheet.request.stop = stop;
    sheet.request.stop_count = 2;
    sheet.request.one_call = true;
    sheet.request.tool_choice = REEVE_TOOL_CHOICE_NAMED;
    sheet.request.tool_choice_name = "look";
    sheet.request.schema = "{\"type\":\"object\"}";
    sheet.request.extra = ",\"thinking\":{\"type\":\"adaptive\"}";
    add(&sheet, REEVE_ROLE_USER, "x");
    cr_assert_str_eq(
        encode(&sheet, &rv_codec_anthropic),
        "{\"model\":\"m\",\"max_tokens\":4294967295,\"temperature\":0.1,\"top_p\":0.9,"
        "\"stop_sequences\":[\"END\",\"\\n\\n\"],"
        "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}"
        "},\"tool_choice\":{\"type\":\"tool\",\"name\":\"look\",\"disable_parallel_tool_use\":true}"
        ",\"tools\":[{\"name\":\"look\",\"description\":\"Look \\\"there\\\"\","
        "\"input_schema\":{\"type\":\"object\",\n \"required\":[\"a\"]}},"
        "{\"name\":\"wait\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],"
        "\"thinking\":{\"type\":\"adaptive\"},"
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}]}");
    rv_buffer_done(&json);
    close_sheet(&sheet);
}

/* What each choice of tools is, at both. */
RV_TEST(anthropic, and_openai_are_told_which_tools_to_choose)
{
    static const struct {
        enum reeve_tool_choice choice;
        bool one_call;
        const char *anthropic, *openai;
    } cases[] = {
        {REEVE_TOOL_CHOICE_AUTO, false, "4096,\"tools\"", "\"m\",\"tools\""},
        {REEVE_TOOL_CHOICE_AUTO, true,
         "\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}",
         "\"m\",\"parallel_tool_calls\":false,\"tools\""},
        {REEVE_TOOL_CHOICE_NONE, true, "\"tool_choice\":{\"type\":\"none\"}",
         "\"tool_choice\":\"none\",\"parallel_tool_calls\":false,"},
        {REEVE_TOOL_CHOICE_REQUIRED, false, "\"tool_choice\":{\"type\":\"any\"}",
         "\"tool_choice\":\"required\","},
        {REEVE_TOOL_CHOICE_NAMED, false, "\"tool_choice\":{\"type\":\"tool\",\"name\":\"look\"}",
         "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"look\"}}"},
    };
    struct sheet sheet;
    size_t i;

    open_sheet(&sheet, t);
    add(&sheet, REEVE_ROLE_USER, "x");
    sheet.request.tool_choice_name = "look";
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        sheet.request.tools_json = "[]";
        sheet.request.tools_json_len = 2;
        sheet.request.tool_choice = cases[i].choice;
        sheet.request.one_call = cases[i].one_call;
        cr_assert(strstr(encode(&sheet, &rv_codec_anthropic), cases[i].anthropic), "%s",
                  sheet.body.data);
        cr_assert(strstr(encode(&sheet, &rv_codec_openai), cases[i].openai), "%s", sheet.body.data);
        sheet.request.tools_json = NULL;
        cr_assert_null(strstr(encode(&sheet, &rv_codec_anthropic), "tool"));
        cr_assert_null(strstr(encode(&sheet, &rv_codec_openai), "tool"));
    }
    close_sheet(&sheet);
}

RV_TEST(anthropic, and_openai_are_sent_images)
{
    const struct reeve_part parts[] = {
        {.kind = REEVE_PART_TEXT, .text = "a\xFF", .len = 2},
        {.kind = REEVE_PART_IMAGE_URL, .text = "https://x.test/a.png", .len = 20},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "aGk=", .len = 4, .media_type = "image/png"},
        {.kind = REEVE_PART_TEXT, .text = "b", .len = 1},
    };
    struct sheet sheet;

    open_sheet(&sheet, t);
    cr_assert_eq(reeve_transcript_add_parts(sheet.transcript, parts, 4), 0);
    cr_assert_str_eq(reeve_message_text(reeve_transcript_at(sheet.transcript, 0), NULL),
                     "a\xEF\xBF\xBD"
                     "b");
    cr_assert_str_eq(
        encode(&sheet, &rv_codec_anthropic),
        HEAD ",\"messages\":[{\"role\":\"user\",\"content\":["
             "{\"type\":\"text\",\"text\":\"a\xEF\xBF\xBD\"},"
             "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://x.test/a.png\"}},"
             "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\","
             "\"data\":\"aGk=\"}},{\"type\":\"text\",\"text\":\"b\"}]}]}");
    cr_assert_str_eq(
        encode(&sheet, &rv_codec_openai),
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":["
        "{\"type\":\"text\",\"text\":\"a\xEF\xBF\xBD\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.test/a.png\"}},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,aGk=\"}},"
        "{\"type\":\"text\",\"text\":\"b\"}]}]}");
    close_sheet(&sheet);
}

RV_TEST(parts, are_checked)
{
    static const struct reeve_part bad[] = {
        {.kind = REEVE_PART_UNKNOWN, .text = "a", .len = 1},
        {.kind = (enum reeve_part_kind)77, .text = "a", .len = 1},
        {.kind = REEVE_PART_TEXT, .text = NULL, .len = 1},
        {.kind = REEVE_PART_IMAGE_URL, .text = "ftp://a", .len = 7},
        {.kind = REEVE_PART_IMAGE_URL, .text = "https://", .len = 8},
        {.kind = REEVE_PART_IMAGE_URL, .text = "https://a b", .len = 11},
        {.kind = REEVE_PART_IMAGE_URL, .text = "https://a\xFF", .len = 10},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "aGk=", .len = 4},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "aGk=", .len = 4, .media_type = "text/html"},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "aGk=", .len = 4, .media_type = "image/"},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "aGk=", .len = 4, .media_type = "image/a b"},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "", .len = 0, .media_type = "image/png"},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "aGk", .len = 3, .media_type = "image/png"},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "a===", .len = 4, .media_type = "image/png"},
        {.kind = REEVE_PART_IMAGE_BASE64, .text = "a Gk", .len = 4, .media_type = "image/png"},
    };
    struct sheet sheet;
    size_t i;

    open_sheet(&sheet, t);
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(reeve_transcript_add_parts(sheet.transcript, &bad[i], 1), REEVE_EINVAL, "%zu",
                     i);
    cr_assert_eq(reeve_transcript_add_parts(sheet.transcript, bad, 0), REEVE_EINVAL);
    cr_assert_eq(reeve_transcript_count(sheet.transcript), 0);
    close_sheet(&sheet);
}

/* A layout that is not all of the message is refused: else a call would be lost on the wire. */
RV_TEST(parts, must_be_the_whole_message)
{
    const struct reeve_call call = {"x", "f", "{}", 2};
    static const struct rv_part text = {.kind = RV_PART_TEXT, .len = 2};
    static const struct rv_part layouts[][3] = {
        {{.kind = RV_PART_TEXT, .len = 2}},
        {{.kind = RV_PART_CALL}},
        {{.kind = RV_PART_TEXT, .len = 1}, {.kind = RV_PART_CALL}},
        {{.kind = RV_PART_TEXT, .len = 3}, {.kind = RV_PART_CALL}},
        {{.kind = RV_PART_TEXT, .len = 2}, {.kind = RV_PART_CALL}, {.kind = RV_PART_CALL}},
    };
    static const size_t counts[] = {1, 1, 2, 2, 3};
    struct rv_message_parts parts = {
        .role = REEVE_ROLE_ASSISTANT, .text = "ab", .text_len = 2, .calls = &call, .call_count = 1};
    struct reeve_message *message = NULL;
    size_t i;

    for (i = 0; i < sizeof counts / sizeof *counts; i++) {
        parts.parts = layouts[i];
        parts.part_count = counts[i];
        cr_assert_eq(rv_message_new(t->mem, &parts, &message), REEVE_EINVAL, "%zu", i);
    }
    cr_assert_null(message);
    parts.call_count = 0;
    parts.parts = &text;
    parts.part_count = 1;
    cr_assert_eq(rv_message_new(t->mem, &parts, &message), 0);
    rv_message_unref(message);
}
