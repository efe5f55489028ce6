/* SPDX-License-Identifier: MIT */
/* Requests in Anthropic's format: what is refused, and what the script sees of the rest. */
#include "examples/server/anthropic.h"

#include "examples/server/embed.h"
#include "examples/server/evidence.h"
#include "examples/server/gzip.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#define ASK(more, messages) "{\"model\":\"m\",\"max_tokens\":9," more "\"messages\":[" messages "]}"
#define USER "{\"role\":\"user\",\"content\":\"x\"}"
#define SAYS(role, blocks) "{\"role\":\"" role "\",\"content\":[" blocks "]}"
#define CALL(id)                                                                                   \
    "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"f\",\"input\":{\"a\":[1,\"b\"]}}"
#define RESULT(id) "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\",\"content\":\"r" id "\"}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define MARK ",\"cache_control\":{\"type\":\"ephemeral\"}}"

static void expect_refusal(const char *body, const char *wanted)
{
    struct ms_request request;
    struct ms_error error;

    cr_assert_eq(ms_anthropic_parse(body, strlen(body), &request, &error), -1, "%s", body);
    cr_assert_eq(error.status, 400);
    cr_assert(strstr(error.message, wanted), "%s: %s", body, error.message);
}

RV_TEST(server_anthropic, refuses_what_the_real_one_does)
{
    expect_refusal("{\"model\":\"m\",\"messages\":[" USER "]}", "max_tokens");
    expect_refusal("{\"max_tokens\":1,\"messages\":[" USER "]}", "model");
    expect_refusal(ASK("", ""), "at least one");
    expect_refusal(ASK("\"n\":1,", USER), "n: Extra");
    expect_refusal(ASK("", "{\"role\":\"system\",\"content\":\"x\"}"), "messages.0");
    expect_refusal(ASK("", SAYS("user", TEXT(""))), "non-empty");
    expect_refusal(ASK("", SAYS("user", RESULT("a"))), "tool_use_id");
    expect_refusal(ASK("", USER "," SAYS("assistant", CALL("a"))), "messages.2");
    expect_refusal(
        ASK("", USER "," SAYS("assistant", CALL("a") "," CALL("b")) "," SAYS("user", RESULT("a"))),
        "tool_use");
    expect_refusal(
        ASK("", USER "," SAYS("assistant", CALL("a")) "," SAYS("user", TEXT("t") "," RESULT("a"))),
        "before");
    expect_refusal(
        ASK("", USER "," SAYS("assistant", "{\"type\":\"thinking\",\"thinking\":\"h\"}")),
        "signature");
    expect_refusal(ASK("\"tools\":[{\"name\":\"f\"}],", USER), "input_schema");
    expect_refusal(ASK("", SAYS("user", "{\"type\":\"text\",\"text\":\"a\"" MARK
                                        ",{\"type\":\"text\",\"text\":\"a\"" MARK
                                        ",{\"type\":\"text\",\"text\":\"a\"" MARK
                                        ",{\"type\":\"text\",\"text\":\"a\"" MARK
                                        ",{\"type\":\"text\",\"text\":\"a\"" MARK)),
                   "maximum of 4");
}

/* System, calls with their arguments as text, results, text behind results: all are there. */
RV_TEST(server_anthropic, is_read_as_a_conversation)
{
    static const char body[] = ASK(
        "\"system\":\"S\",\"stream\":true,\"stop_sequences\":[\"q\"],"
        "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"
        "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true},",
        USER "," SAYS(
            "assistant",
            "{\"type\":\"thinking\",\"thinking\":\"h\",\"signature\":\"s\"}," TEXT("t") "," CALL(
                "a") "," CALL("b")) "," SAYS("user", RESULT("a") "," RESULT("b") "," TEXT("on")));
    static const char *const roles[] = {"system", "user", "assistant", "tool", "tool", "user"};
    struct ms_request request;
    struct ms_error error;
    yajl_val call;
    size_t i;

    cr_assert_eq(ms_anthropic_parse(body, sizeof body - 1, &request, &error), 0, "%s",
                 error.message);
    cr_assert_eq(request.messages->u.array.len, 6);
    for (i = 0; i < 6; i++)
        cr_assert_str_eq(ms_json_string(request.messages->u.array.values[i], "role"), roles[i]);
    call = ms_json_get(request.messages->u.array.values[2], "tool_calls")->u.array.values[1];
    cr_assert_str_eq(ms_json_string(call, "id"), "b");
    cr_assert_str_eq(ms_json_string(ms_json_get(call, "function"), "arguments"),
                     "{\"a\":[1,\"b\"]}");
    cr_assert_str_eq(ms_json_string(request.messages->u.array.values[4], "content"), "rb");
    cr_assert_str_eq(ms_json_string(request.messages->u.array.values[5], "content"), "on");
    cr_assert_eq(request.wire, MS_WIRE_ANTHROPIC);
    cr_assert(request.stream && request.one_call_at_most && !request.caches);
    cr_assert_eq(request.tool_choice, MS_CHOICE_REQUIRED);
    cr_assert_eq(request.max_tokens, 9);
    ms_request_done(&request);
}

/* A failure says so by its flag alone: its words are those of any text. */
RV_TEST(server_anthropic, is_error_is_read)
{
    static const char *const flags[] = {"", ",\"is_error\":false", ",\"is_error\":true"};
    size_t i;

    for (i = 0; i < 3; i++) {
        struct ms_request request;
        struct ms_evidence evidence;
        struct ms_error error;
        char body[512];

        snprintf(body, sizeof body,
                 ASK("", USER "," SAYS("assistant", CALL("a")) "," SAYS(
                             "user", "{\"type\":\"tool_result\",\"tool_use_id\":\"a\","
                                     "\"content\":\"fine words\"%s}")),
                 flags[i]);
        cr_assert_eq(ms_anthropic_parse(body, strlen(body), &request, &error), 0, "%s",
                     error.message);
        cr_assert_eq(ms_evidence_read(request.messages, &evidence), 0);
        cr_assert_eq(evidence.count, 1);
        cr_assert_eq(evidence.items[0].error, i == 2, "%s", body);
        ms_evidence_done(&evidence);
        ms_request_done(&request);
    }
    expect_refusal(ASK("", USER "," SAYS("assistant", CALL("a")) "," SAYS(
                               "user", "{\"type\":\"tool_result\",\"tool_use_id\":\"a\","
                                       "\"content\":\"r\",\"is_error\":\"yes\"}")),
                   "is_error");
}

/* What was thought comes back as it was, or not at all welcome. */
RV_TEST(server_anthropic, thoughts_come_back_unchanged)
{
    static const struct {
        const char *thinking; /* NULL: no such block */
        const char *before;   /* the signature */
        const char *refusal;  /* NULL: taken */
    } cases[] = {
        {"hm", "", NULL},
        {"hmm", "", "Invalid `signature`"},
        {"hm", "x", "Invalid `signature`"},
        {NULL, "", "must start with a thinking block"},
    };
    char signature[MS_SIGNATURE_BYTES];
    size_t i;

    ms_anthropic_sign("hm", signature);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ms_request request;
        struct ms_error error;
        char block[128] = "", body[1024];

        if (cases[i].thinking)
            snprintf(block, sizeof block,
                     "{\"type\":\"thinking\",\"thinking\":\"%s\",\"signature\":\"%s%s\"},",
                     cases[i].thinking, cases[i].before, signature);
        snprintf(body, sizeof body,
                 ASK("", "{\"role\":\"user\",\"content\":\"x [think:hm]\"},{\"role\":\"assistant\","
                         "\"content\":[%s" CALL("a") "]}," SAYS("user", RESULT("a"))),
                 block);
        if (cases[i].refusal) {
            expect_refusal(body, cases[i].refusal);
            continue;
        }
        cr_assert_eq(ms_anthropic_parse(body, strlen(body), &request, &error), 0, "%s",
                     error.message);
        ms_request_done(&request);
    }
}

static uint64_t no_random(void *arg)
{
    (void)arg;
    return 7;
}

/* Text without an end does end, and reads nothing behind the text that there is. */
RV_TEST(server_anthropic, huge_ends)
{
    struct ms_request request = {.model = "m", .wire = MS_WIRE_ANTHROPIC, .stream = true};
    struct ms_fault fault = {.kind = MS_FAULT_HUGE};
    struct ms_plan plan = {.calls_count = 0};
    struct ms_reply reply;
    struct ms_text out;
    size_t bytes = 0;

    ms_text_init(&plan.text, 64);
    ms_text_add_string(&plan.text, "short");
    ms_text_init(&out, 65536);
    cr_assert_eq(ms_reply_init(&reply, &request, &plan, &fault, 12, no_random, NULL), 0);
    while (ms_reply_next(&reply, &out)) {
        bytes += out.len;
        cr_assert(strstr(ms_text_string(&out), "\"type\":\"message_stop\"") ||
                  bytes < MS_HUGE_BYTES + MS_HUGE_BYTES / 8);
        ms_text_clear(&out);
    }
    cr_assert(!out.failed);
    cr_assert_gt(bytes, MS_HUGE_BYTES);
    ms_text_done(&out);
    ms_reply_done(&reply);
}

RV_TEST(server_anthropic, equal_texts_have_equal_vectors)
{
    static const char *const bodies[] = {
        "{\"model\":\"e\",\"input\":[\"red fox\",\"blue sea\"],\"dimensions\":4}",
        "{\"model\":\"e\",\"input\":[\"red fox\",\"blue sea\"],\"dimensions\":4}",
        "{\"model\":\"e\",\"input\":[\"red fox\",\"blue see\"],\"dimensions\":4}",
    };
    struct ms_text out[3];
    struct ms_error error;
    size_t i;

    for (i = 0; i < 3; i++) {
        ms_text_init(&out[i], 65536);
        cr_assert_eq(ms_embed(bodies[i], strlen(bodies[i]), &out[i], &error), 0);
        cr_assert(!out[i].failed);
    }
    cr_assert_str_eq(out[0].data, out[1].data);
    cr_assert_str_neq(out[0].data, out[2].data);
    cr_assert_eq(ms_embed("{\"model\":\"e\"}", 13, &out[0], &error), -1);
    for (i = 0; i < 3; i++)
        ms_text_done(&out[i]);
}

/* The check value of CRC-32 is that of "123456789". */
RV_TEST(server_anthropic, gzip_is_what_the_standard_says)
{
    struct ms_text text;

    ms_text_init(&text, 100);
    ms_text_add_string(&text, "123456789");
    ms_gzip(&text);
    cr_assert(!text.failed);
    cr_assert_eq(text.len, 10 + 5 + 9 + 8);
    cr_assert_eq(memcmp(text.data + 10,
                        "\1\x09\0\xf6\xff"
                        "123456789\x26\x39\xf4\xcb\x09\0\0\0",
                        22),
                 0);
    ms_text_done(&text);
}
