/* SPDX-License-Identifier: MIT */
/* Each allocation of a completion fails in turn, and the work of writing a request is sliced. */
#include "tests/sim/completion-world.h"

#include "loop/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char stream_type[] = "text/event-stream";

/* A body that becomes some megabytes of values; a chunk of them is 256 KiB. */
static char *large_body(void)
{
    static const char head[] = "{\"choices\":[{\"message\":{\"content\":\"Hello\"},\"finish_"
                               "reason\":\"stop\"}],\"list\":[";
    static const char item[] = "{\"name\":\"item\",\"score\":0.25},";
    enum { ITEMS = 30000 };
    char *body = malloc(sizeof head + ITEMS * sizeof item + 4);
    char *at = body;
    size_t i;

    at = stpcpy(at, head);
    for (i = 0; i < ITEMS; i++)
        at = stpcpy(at, item);
    strcpy(at, "0]}");
    return body;
}

/* Each task has a pass of its own here, so that what a pass gives back is what one task does. */
RV_TEST(completion, the_memory_of_a_large_body_goes_in_pieces)
{
    char *body = large_body();
    struct world world;
    size_t before, live, most = 0, largest = 0;

    world_init(&world, t);
    world.options.stream = 0;
    cr_assert_eq(world_open(&world), 0);
    rv_sim_set_reading_cost_ns(world.runtime, 1000000);
    world_reply(&world, 200, "application/json", body);
    cr_assert_eq(world_ask(&world), 0);
    before = t->failing.live_bytes;
    while (rv_sim_pass(world.runtime)) {
        live = t->failing.live_bytes;
        if (live < before && before - live > largest)
            largest = before - live;
        if (live > most)
            most = live;
        before = live;
    }
    cr_assert_eq(world.done, 1);
    cr_assert_eq(world.error, 0);
    cr_assert_gt(most, (size_t)4 << 20);
    /* The text came in one piece here, and was one block. */
    cr_assert_leq(largest, strlen(body) + ((size_t)384 << 10), "%zu bytes at once", largest);
    cr_assert_lt(before, (size_t)128 << 10);
    world_close(&world);
    free(body);
}

struct story {
    int status;
    const char *type;
    const char *body;
    int error; /* what it comes to when all allocations are granted */
};

static const struct reeve_tool_definition tools[] = {
    {"look", "Look", "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}"},
    {"wait", NULL, NULL},
};

/* A conversation with calls, one of them broken, a key, tools, and an answer. */
static int tell(struct rv_test *run, void *arg)
{
    static const struct reeve_call calls[] = {{"a", "look", "{}", 2}, {"b", "look", "{\"x", 3}};
    const struct story *story = arg;
    struct world world;
    int error;

    world_init(&world, run);
    world.model_options.api_key = "sk-key";
    world.options.tools = tools;
    world.options.tool_count = 2;
    error = world_open(&world);
    if (!error && !world.net)
        error = REEVE_ENOMEM;
    if (!error)
        error = reeve_transcript_add_calls(world.transcript, "", 0, calls, 2);
    if (!error)
        error = reeve_transcript_add_result(world.transcript, "a", "fine", 4, 0);
    if (!error)
        error = reeve_transcript_add_result(world.transcript, "b", "not\xFF", 4, 1);
    if (!error) {
        world_reply(&world, story->status, story->type, story->body);
        error = world_ask(&world);
    }
    if (!error) {
        cr_assert_eq(reeve_runtime_run(world.runtime), 0);
        cr_assert_eq(world.done, 1, "on_done came %u times", world.done);
        cr_assert_eq(reeve_runtime_pending(world.runtime), 0);
        error = world.error;
    } else {
        cr_assert_eq(world.done, 0);
    }
    world_close(&world);
    return error == story->error ? 0 : error;
}

RV_TEST(completion, survives_every_failed_allocation, .timeout = 120)
{
    static struct story stories[] = {
        {200, stream_type,
         TEXT("Hel\xC3") TEXT("\xA9lo") CALL("0", "", "look", "{}")
             CALL("0", "", "wait", "{\\ud83d") DATA("{\"choices\":[{\"delta\":{\"tool_calls\":[{"
                                                    "\"id\":\"y\",\"function\":{\"name\":\"look\","
                                                    "\"arguments\":{\"a\":1}}}]}}]}")
                 FINISH("tool_calls") USAGE("1", "2") DONE,
         0},
        {200, "application/json", "{\"choices\":[{\"message\":{\"content\":\"Hello\"}}]}", 0},
        {401, "application/json", "{\"error\":{\"message\":\"no\",\"code\":\"c\"}}", REEVE_EHTTP},
        {200, "text/html", "<html>", REEVE_EPROTOCOL},
        {200, stream_type, TEXT("Hi\xC3"), REEVE_ECUTSHORT},
        {200, stream_type, TEXT("Hi") DATA("{\"error\":{\"message\":\"boom\"}}"), REEVE_EPROVIDER},
    };
    size_t i, swept = 0;

    for (i = 0; i < sizeof stories / sizeof *stories; i++)
        swept += RV_SWEEP_ALLOCATIONS(t, tell, &stories[i], 40);
    fprintf(stderr, "%zu allocations in all\n", swept);
}

/* ---- slices ---- */

struct beat {
    struct rv_sim_event event;
    struct reeve_runtime *runtime;
    unsigned beats;
};

static void beat(struct rv_sim_event *event)
{
    struct beat *heart = rv_container_of(event, struct beat, event);

    heart->beats++;
    if (reeve_runtime_pending(heart->runtime))
        rv_sim_schedule_ns(heart->runtime, event, 100 * RV_NS_PER_US);
}

/* 20,000 messages, at 10 us for each look at the clock: other things get their turn meanwhile. */
RV_TEST(completion, writes_a_long_conversation_in_slices, .timeout = 60)
{
    struct beat heart = {0};
    struct world world;
    int i;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    for (i = 0; i < 10000; i++) {
        cr_assert_eq(reeve_transcript_add(world.transcript, REEVE_ROLE_ASSISTANT, "a", 1), 0);
        cr_assert_eq(reeve_transcript_add(world.transcript, REEVE_ROLE_USER, "b", 1), 0);
    }
    world_reply(&world, 200, stream_type, TEXT("Hi") FINISH("stop"));
    rv_sim_set_reading_cost_ns(world.runtime, 10 * RV_NS_PER_US);
    cr_assert_eq(world_ask(&world), 0);
    heart.runtime = world.runtime;
    rv_sim_event_init(&heart.event, beat);
    rv_sim_schedule_ns(world.runtime, &heart.event, 0);
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    cr_assert_eq(world.error, 0);
    /* 200 ms of work in slices of half a millisecond. */
    cr_assert_gt(heart.beats, 200, "only %u beats", heart.beats);
    cr_assert_eq(rv_sim_http_request_at(world.net, 1)->body[0], '{');
    world_close(&world);
}
