/* SPDX-License-Identifier: MIT */
#include "tests/world/speech.h"

#include <stdbool.h>

#define DATA(json) "data: " json "\n\n"
#define CHUNK(delta) DATA("{\"choices\":[{\"index\":0,\"delta\":" delta "}]}")
/* Anthropic's own server ends lines by LF; proxies in between have been seen to make them CR LF. */
#define NAMED(type, rest) "event: " type "\r\ndata: {\"type\":\"" type "\"" rest "}\r\n\r\n"
/* The same, its data in two lines, which the standard joins by a line feed. */
#define NAMED_IN_TWO(type, rest)                                                                   \
    "event: " type "\r\ndata: {\"type\":\"" type "\",\r\ndata: " rest "}\r\n\r\n"
#define BLOCK_DELTA(index, delta)                                                                  \
    NAMED("content_block_delta", ",\"index\":" index ",\"delta\":" delta)

/* What is said in one answer: the body's pieces, the last one NULL. */
struct speech {
    const char *stream[16];
    const char *whole[2];
};

static const struct speech openai_calls = {
    {
        CHUNK("{\"role\":\"assistant\",\"content\":\"Let me \"}"),
        CHUNK("{\"content\":\"look. \"}"),
        CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"call_a\",\"type\":\"function\",\"function\":"
              "{\"name\":\"slow\",\"arguments\":\"\"}}]}"),
        CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"n\\\"\"}}]}"),
        CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]}"),
        CHUNK("{\"tool_calls\":[{\"index\":1,\"id\":\"call_b\",\"type\":\"function\",\"function\":"
              "{\"name\":\"slow\",\"arguments\":\"{\\\"n\\\":\\\"\\u00e9\\\\n2\\\"}\"}}]}"),
        DATA("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}"),
        DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20}}"),
        "data: [DONE]\n\n",
    },
    {"{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Let me look. \","
     "\"tool_calls\":[{\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"slow\","
     "\"arguments\":\"{\\\"n\\\":1}\"}},{\"id\":\"call_b\",\"type\":\"function\",\"function\":{"
     "\"name\":\"slow\",\"arguments\":\"{\\\"n\\\":\\\"\\u00e9\\\\n2\\\"}\"}}]},"
     "\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":100,"
     "\"completion_tokens\":20}}"},
};

static const struct speech openai_answer = {
    {
        CHUNK("{\"role\":\"assistant\",\"content\":\"\"}"),
        CHUNK("{\"content\":\"All good: \"}"),
        ": keep-alive\n\n",
        CHUNK("{\"content\":\"na\\u00efve \xE2\x9C\x93.\"}"),
        DATA("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"),
        DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":150,\"completion_tokens\":10}}"),
        "data: [DONE]\n\n",
    },
    {"{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
     "\"All good: na\\u00efve \xE2\x9C\x93.\"},\"finish_reason\":\"stop\"}],"
     "\"usage\":{\"prompt_tokens\":150,\"completion_tokens\":10}}"},
};

static const struct speech anthropic_calls = {
    {
        NAMED("message_start",
              ",\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\",\"content\":[],"
              "\"usage\":{\"input_tokens\":100,\"output_tokens\":1}}"),
        NAMED("content_block_start",
              ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
        NAMED("ping", ""),
        BLOCK_DELTA("0", "{\"type\":\"text_delta\",\"text\":\"Let me look. \"}"),
        NAMED("content_block_stop", ",\"index\":0"),
        NAMED("content_block_start", ",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":"
                                     "\"call_a\",\"name\":\"slow\",\"input\":{}}"),
        BLOCK_DELTA("1", "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"n\\\"\"}"),
        BLOCK_DELTA("1", "{\"type\":\"input_json_delta\",\"partial_json\":\":1}\"}"),
        NAMED("content_block_stop", ",\"index\":1"),
        NAMED("content_block_start", ",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":"
                                     "\"call_b\",\"name\":\"slow\",\"input\":{}}"),
        BLOCK_DELTA("2", "{\"type\":\"input_json_delta\",\"partial_json\":"
                         "\"{\\\"n\\\":\\\"\\u00e9\\\\n2\\\"}\"}"),
        NAMED("content_block_stop", ",\"index\":2"),
        NAMED_IN_TWO("message_delta",
                     "\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},"
                     "\"usage\":{\"output_tokens\":20}"),
        NAMED("message_stop", ""),
    },
    {"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
     "\"text\","
     "\"text\":\"Let me look. \"},{\"type\":\"tool_use\",\"id\":\"call_a\",\"name\":\"slow\","
     "\"input\":{\"n\":1}},{\"type\":\"tool_use\",\"id\":\"call_b\",\"name\":\"slow\","
     "\"input\":{\"n\":\"\\u00e9\\n2\"}}],\"stop_reason\":\"tool_use\",\"stop_sequence\":null,"
     "\"usage\":{\"input_tokens\":100,\"output_tokens\":20}}"},
};

static const struct speech anthropic_answer = {
    {
        NAMED("message_start",
              ",\"message\":{\"id\":\"msg_2\",\"role\":\"assistant\",\"content\":[],"
              "\"usage\":{\"input_tokens\":150,\"output_tokens\":1}}"),
        NAMED("content_block_start",
              ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
        BLOCK_DELTA("0", "{\"type\":\"text_delta\",\"text\":\"All good: \"}"),
        NAMED("ping", ""),
        BLOCK_DELTA("0", "{\"type\":\"text_delta\",\"text\":\"na\\u00efve \xE2\x9C\x93.\"}"),
        NAMED("content_block_stop", ",\"index\":0"),
        NAMED("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
                               "\"usage\":{\"output_tokens\":10}"),
        NAMED("message_stop", ""),
    },
    {"{\"id\":\"msg_2\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
     "\"text\","
     "\"text\":\"All good: na\\u00efve \xE2\x9C\x93.\"}],\"stop_reason\":\"end_turn\","
     "\"stop_sequence\":null,\"usage\":{\"input_tokens\":150,\"output_tokens\":10}}"},
};

const char *speech_base(enum reeve_provider provider)
{
    return provider == REEVE_PROVIDER_ANTHROPIC ? "" : "/v1";
}

static void say(struct rv_answer *answer, const struct speech *speech, int stream)
{
    rv_answer_wait(answer, 5);
    rv_answer_head(answer, 200, stream ? "text/event-stream" : "application/json");
    for (const char *const *piece = stream ? speech->stream : speech->whole; *piece; piece++) {
        rv_answer_wait(answer, 1);
        rv_answer_text(answer, *piece);
    }
}

void speech_calls(struct rv_answer *answer, enum reeve_provider provider, int stream)
{
    say(answer, provider == REEVE_PROVIDER_ANTHROPIC ? &anthropic_calls : &openai_calls, stream);
}

void speech_answer(struct rv_answer *answer, enum reeve_provider provider, int stream)
{
    say(answer, provider == REEVE_PROVIDER_ANTHROPIC ? &anthropic_answer : &openai_answer, stream);
}

void speech_overloaded(struct rv_answer *answer, enum reeve_provider provider)
{
    bool anthropic = provider == REEVE_PROVIDER_ANTHROPIC;

    rv_answer_head(answer, anthropic ? 529 : 503, "application/json");
    rv_answer_text(answer, anthropic
                               ? "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                                 "\"message\":\"Overloaded\"}}"
                               : "{\"error\":{\"message\":\"Overloaded\",\"type\":"
                                 "\"server_error\",\"param\":null,\"code\":null}}");
}
