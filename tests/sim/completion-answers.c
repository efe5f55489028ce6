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
             "\"arguments\":\"\\\"a\\\"}\"}}]}}]}")
            CALL("1", "call_b", "read_file", "{}") FINISH("tool_calls") USAGE("7", "3") DONE;

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
