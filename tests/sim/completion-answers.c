/* SPDX-License-Identifier: MIT */
/* Completions that go well, streamed and not, and what was sent for them. */
#include "tests/sim/completion-world.h"

#include <string.h>

static const char stream_type[] = "text/event-stream";

static const char whole_stream[] =
    TEXT("Hel") TEXT("lo, wörld.") FINISH("stop") USAGE("12", "5") DONE;

static const char two_calls[] =
    TEXT("Let me look.") CALL("0", "call_a", "read_file", "{\\\"path\\\":")
        DATA("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
             "\"arguments\":\"\\\"a\\\"}\"}}]}}]}") CALL("1", "call_b", "read_file", "{}")
            FINISH("tool_calls") USAGE("7", "3") DONE;

RV_TEST(completion, streams)
{
    struct world world;
    const struct rv_sim_http_request *request;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type, whole_stream);
    cr_assert_eq(world_run(&world), 0, "%s", world.detail.message);
    cr_assert_str_eq(world.final.data, "Hello, wörld.");
    cr_assert_eq(world.pieces, 2);
    cr_assert_eq(world.finish, REEVE_FINISH_STOP);
    cr_assert_eq(world.usage.reported, 1);
    cr_assert_eq(world.usage.input_tokens, 12);
    cr_assert_eq(world.usage.output_tokens, 5);
    cr_assert_eq(world.calls, 0);
    request = rv_sim_http_request_at(world.net, 1);
    cr_assert_str_eq(request->url, WORLD_URL);
    cr_assert_str_eq(request->body,
                     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                     "\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                     "{\"role\":\"user\",\"content\":\"Hello\"}]}");
    world_close(&world);
}

RV_TEST(completion, asks_for_two_tools)
{
    struct world world;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type, two_calls);
    cr_assert_eq(world_run(&world), 0);
    cr_assert_str_eq(world.call_text, "call_a|read_file|{\"path\":\"a\"};call_b|read_file|{};");
    cr_assert_eq(world.finish, REEVE_FINISH_TOOL_CALLS);
    world_close(&world);
}

static const char whole_body[] =
    "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"},"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}";

RV_TEST(completion, is_answered_whole)
{
    struct world world;

    world_init(&world, t);
    world.options.stream = 0;
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, "application/json", whole_body);
    cr_assert_eq(world_run(&world), 0, "%s", world.detail.message);
    cr_assert_str_eq(world.final.data, "Hello");
    cr_assert_eq(world.usage.output_tokens, 2);
    cr_assert_null(strstr(rv_sim_http_request_at(world.net, 1)->body, "stream"));
    world_close(&world);
}

/* Servers do not always send what was asked for, nor say what they send. */
RV_TEST(completion, takes_either_answer_to_either_question)
{
    static const struct {
        int stream;
        const char *type, *body, *text;
    } cases[] = {
        {1, "application/json", whole_body, "Hello"},
        {1, "text/event-stream", whole_body, "Hello"},
        {1, "application/json", whole_stream, "Hello, wörld."},
        {0, "text/event-stream", whole_stream, "Hello, wörld."},
        {0, "text/plain", whole_stream, "Hello, wörld."},
        {0, "text/plain", whole_body, "Hello"},
    };
    static const struct reeve_tool_definition tool = {"look", "Look", "{\"type\":\"object\"}"};
    struct world world;
    size_t i;

    world_init(&world, t);
    world.options.tools = &tool;
    world.options.tool_count = 1;
    cr_assert_eq(world_open(&world), 0);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        world.options.stream = cases[i].stream;
        world_reply(&world, 200, cases[i].type, cases[i].body);
        cr_assert_eq(world_run(&world), 0, "%zu: %s", i, world.detail.message);
        cr_assert_str_eq(world.final.data, cases[i].text, "%zu", i);
    }
    world_close(&world);
}

RV_TEST(completion, sends_key_settings_and_tools)
{
    static const struct reeve_tool_definition tool = {"look", "Look", "{\"type\":\"object\"}"};
    struct world world;
    const struct rv_sim_http_request *request;

    world_init(&world, t);
    world.model_options.api_key = "sk-key";
    world.model_options.base_url = "http://model.test/v1//";
    world.model_options.temperature = 0.5;
    world.model_options.max_output_tokens = 100;
    world.options.tools = &tool;
    world.options.tool_count = 1;
    world.options.max_output_tokens = 7;
    cr_assert_eq(world_open(&world), 0);
    cr_assert_str_eq(reeve_model_base_url(world.model), "http://model.test/v1");
    cr_assert_str_eq(reeve_model_name(world.model), "m");
    world_reply(&world, 200, stream_type, whole_stream);
    cr_assert_eq(world_run(&world), 0);
    request = rv_sim_http_request_at(world.net, 1);
    cr_assert_str_eq(request->url, WORLD_URL);
    cr_assert_str_eq(rv_sim_http_request_field(request, "authorization"), "Bearer sk-key");
    cr_assert_str_eq(rv_sim_http_request_field(request, "content-type"), "application/json");
    cr_assert(strstr(rv_sim_http_request_field(request, "accept"), "text/event-stream"));
    cr_assert(strstr(request->body, "\"temperature\":0.5,\"max_tokens\":7,"));
    cr_assert(strstr(request->body,
                     "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look\","));
    world.options.temperature = 0;
    world.options.max_output_tokens = 0;
    world.options.tool_count = 0;
    cr_assert_eq(world_run(&world), 0);
    request = rv_sim_http_request_at(world.net, 2);
    cr_assert(strstr(request->body, "\"temperature\":0,\"max_tokens\":100,"));
    cr_assert_null(strstr(request->body, "tools"));
    world_close(&world);
}

RV_TEST(completion, sends_no_key_that_is_not_there)
{
    struct world world;

    world_init(&world, t);
    world.model_options.api_key = "";
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type, whole_stream);
    cr_assert_eq(world_run(&world), 0);
    cr_assert_null(
        rv_sim_http_request_field(rv_sim_http_request_at(world.net, 1), "authorization"));
    world_close(&world);
}

/* In pieces of each size, each in a turn of the loop of its own. */
RV_TEST(completion, is_the_same_in_pieces_of_any_size, .timeout = 60)
{
    struct world world;
    size_t size;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type, two_calls);
    for (size = 1; size < 40; size++) {
        rv_sim_http_split(world.net, size);
        cr_assert_eq(world_run(&world), 0);
        cr_assert_str_eq(world.final.data, "Let me look.");
        cr_assert_str_eq(world.call_text, "call_a|read_file|{\"path\":\"a\"};call_b|read_file|{};");
        cr_assert_eq(world.usage.input_tokens, 7);
    }
    world_close(&world);
}

/* What is added to the conversation, or done to it, does not reach a request that was started. */
RV_TEST(completion, holds_the_messages_that_it_was_started_with)
{
    struct world world;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type, whole_stream);
    cr_assert_eq(world_ask(&world), 0);
    cr_assert_eq(reeve_transcript_add(world.transcript, REEVE_ROLE_USER, "Later", 5), 0);
    reeve_transcript_free(world.transcript);
    world.transcript = NULL;
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    cr_assert_eq(world.error, 0);
    cr_assert_null(strstr(rv_sim_http_request_at(world.net, 1)->body, "Later"));
    world_close(&world);
}

static void add_to_transcript(struct world *world)
{
    cr_assert_eq(reeve_transcript_add_completion(world->transcript, world->completion), 0);
}

RV_TEST(completion, is_added_to_the_conversation)
{
    const struct reeve_message *message;
    struct world world;
    size_t calls;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    world.in_done = add_to_transcript;
    world_reply(&world, 200, stream_type, two_calls);
    cr_assert_eq(world_run(&world), 0);
    cr_assert_eq(reeve_transcript_count(world.transcript), 3);
    message = reeve_transcript_at(world.transcript, 2);
    cr_assert_str_eq(reeve_message_text(message, NULL), "Let me look.");
    reeve_message_calls(message, &calls);
    cr_assert_eq(calls, 2);
    cr_assert_eq(reeve_transcript_add_result(world.transcript, "call_b", "x", 1, 0), 0);
    cr_assert_eq(reeve_transcript_add_result(world.transcript, "call_a", "x", 1, 0), 0);
    world_reply(&world, 200, stream_type, TEXT("Half"));
    cr_assert_eq(world_run(&world), REEVE_ECUTSHORT);
    cr_assert_eq(reeve_transcript_count(world.transcript), 6);
    cr_assert_str_eq(reeve_message_text(reeve_transcript_at(world.transcript, 5), NULL), "Half");
    world_reply(&world, 200, stream_type, CALL("0", "call_c", "read_file", "{"));
    cr_assert_eq(world_run(&world), REEVE_ECUTSHORT);
    cr_assert_eq(reeve_transcript_count(world.transcript), 6, "a partial call was added");
    cr_assert_eq(reeve_transcript_check(world.transcript, NULL), 0);
    world_close(&world);
}

RV_TEST(completion, needs_no_on_text)
{
    struct world world;

    world_init(&world, t);
    world.options.on_text = NULL;
    cr_assert_eq(world_open(&world), 0);
    world_reply(&world, 200, stream_type, whole_stream);
    cr_assert_eq(world_ask(&world), 0);
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    cr_assert_eq(world.done, 1);
    cr_assert_str_eq(world.final.data, "Hello, wörld.");
    world_close(&world);
}

RV_TEST(completion, refuses_bad_options)
{
    static const struct reeve_tool_definition bad_tool = {"look", "Look", "[]"};
    struct reeve_completion *completion = NULL;
    struct reeve_completion_options good, bad;
    struct reeve_transcript *empty;
    struct world world;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    good = world.options;
    bad = good;
    bad.on_done = NULL;
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    bad = good;
    bad.transcript = NULL;
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    bad = good;
    bad.tools = &bad_tool;
    bad.tool_count = 1;
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    bad.tools = NULL;
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    bad = good;
    bad.temperature = 1e308 * 10;
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    cr_assert_eq(reeve_transcript_new(world.runtime, &empty), 0);
    bad = good;
    bad.transcript = empty;
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    cr_assert_eq(reeve_transcript_add(empty, REEVE_ROLE_ASSISTANT, "x", 1), 0);
    cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL);
    reeve_transcript_free(empty);
    cr_assert_null(completion);
    cr_assert_eq(reeve_runtime_pending(world.runtime), 0);
    cr_assert_eq(world.done, 0);
    world_close(&world);
}

RV_TEST(model, refuses_bad_options)
{
    static const char *const bad_urls[] = {"ftp://x", "x", "http://u@x", "http://x?y",
                                           "http://x#y"};
    static const char *const bad_keys[] = {"a b", "a\n", "\x01", "a\x7F"};
    struct reeve_model *model = NULL;
    struct reeve_model_options o;
    struct world world;
    size_t i;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    for (i = 0; i < sizeof bad_urls / sizeof *bad_urls; i++) {
        o = world.model_options;
        o.base_url = bad_urls[i];
        cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL, "%s", bad_urls[i]);
    }
    for (i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++) {
        o = world.model_options;
        o.api_key = bad_keys[i];
        cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL, "%zu", i);
    }
    o = world.model_options;
    o.name = NULL;
    cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL);
    o.name = "";
    cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL);
    o = world.model_options;
    o.provider = (enum reeve_provider)77;
    cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL);
    o = world.model_options;
    o.max_response_bytes = 0;
    cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL);
    o = world.model_options;
    o.size = 0;
    cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL);
    cr_assert_null(model);
    reeve_model_free(NULL);
    world_close(&world);
}
