/* SPDX-License-Identifier: MIT */
#include "tests/world/story.h"

#include "tests/lib/notes.h"
#include "tests/world/story_tools.h"
#include "tests/world/world.h"

#include "base/utf8.h"
#include "loop/timer.h"

#include <reeve/batch.h>
#include <reeve/error.h>

enum {
    CALLS = 8,
    REFUSED = 1, /* the second call, in the story that asks */
    ANSWER_MS = 3,
};

#define CALL(id, name, arguments)                                                                  \
    {                                                                                              \
        (id), (name), (arguments), sizeof(arguments) - 1                                           \
    }

static const struct reeve_call calls[CALLS] = {
    CALL("1", "slow", "{\"ms\":20,\"say\":1}"),
    CALL("2", "slow", "{\"ms\":0}"),
    CALL("3", "set", "{\"ms\":10}"),
    CALL("4", "odd", "{}"),
    CALL("5", "slow", "{\"ms\":500,\"say\":1}"),
    CALL("6", "slow", "{\"fail\":true}"),
    CALL("7", "nonesuch", "{\"a\":1}"),
    CALL("8", "set", "{\"n\":"),
};

struct telling {
    const struct story *story;
    struct rv_world *world;
    struct reeve_toolbox *tools;
    struct reeve_batch *batch; /* NULL when it is over */
    bool asks;
    struct rv_timer answer;
    size_t asked;
    unsigned done;
    unsigned results;
    int error;
};

static void on_start(struct reeve_batch *batch, size_t index, void *arg)
{
    struct telling *telling = arg;

    (void)batch;
    cr_assert_lt(index, (size_t)CALLS);
    rv_world_step(telling->world);
}

static void on_result(struct reeve_batch *batch, size_t index, void *arg)
{
    struct telling *telling = arg;

    cr_assert_neq(reeve_batch_result(batch, index)->status, REEVE_CALL_PENDING);
    telling->results++;
    rv_world_step(telling->world);
}

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct telling *telling = arg;

    (void)batch;
    cr_assert(index == 0 || index == 4);
    cr_assert(rv_utf8_valid(bytes, len));
    rv_world_step(telling->world);
}

static void answer_due(struct rv_timer *timer)
{
    struct telling *telling = rv_container_of(timer, struct telling, answer);

    if (telling->batch)
        reeve_batch_permit(telling->batch, telling->asked,
                           telling->asked == REFUSED ? REEVE_PERMISSION_REFUSE
                                                     : REEVE_PERMISSION_ALLOW,
                           "it is too fast");
}

static void on_permission(struct reeve_batch *batch, size_t index,
                          const struct reeve_tool_call *call, void *arg)
{
    struct telling *telling = arg;

    (void)batch;
    cr_assert_str_eq(reeve_tool_call_id(call), calls[index].id);
    cr_assert_lt(index, 6, "it is no good call");
    telling->asked = index;
    rv_timer_start_ms(rv_world_runtime(telling->world), &telling->answer, ANSWER_MS);
    rv_world_step(telling->world);
}

/* Every call has a result, in the order of the calls, and the figures add up. */
static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct telling *telling = arg;
    struct reeve_batch_stats stats = {.size = sizeof stats};

    telling->done++;
    telling->error = error;
    cr_assert_eq(reeve_batch_count(batch), CALLS);
    cr_assert_eq(telling->results, CALLS);
    for (size_t i = 0; i < CALLS; i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        cr_assert_str_eq(result->call_id, calls[i].id);
        cr_assert_neq(result->status, REEVE_CALL_PENDING);
        rv_note("%s %s\n", result->call_id, reeve_call_status_name(result->status));
    }
    cr_assert_eq(reeve_batch_stats(batch, &stats), 0);
    cr_assert_eq(stats.calls, CALLS);
    cr_assert_eq(stats.succeeded + stats.failed + stats.canceled + stats.refused, CALLS);
    rv_timer_stop(rv_world_runtime(telling->world), &telling->answer);
    cr_assert_leq(stats.peak_running, 3);
    rv_world_step(telling->world);
    telling->batch = NULL;
}

static void strike(void *arg)
{
    struct telling *telling = arg;

    if (telling->story->strike == STORY_CANCEL) {
        if (telling->batch)
            reeve_batch_cancel(telling->batch);
        return;
    }
    reeve_toolbox_free(telling->tools);
    cr_assert_eq(telling->done, 1, "the toolbox is gone and the end was not told");
    telling->tools = NULL;
}

static int submit(struct telling *telling, struct rv_test *t)
{
    struct reeve_batch_options options;
    int error = rv_world_open(t, &telling->world);

    if (!error)
        error = reeve_toolbox_new(rv_world_runtime(telling->world), &telling->tools);
    if (!error)
        error = story_tools_add(telling->tools, rv_world_runtime(telling->world));
    if (error)
        return error;
    reeve_batch_options_init(&options);
    options.max_concurrency = 3;
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.timeout_ms = 100;
    options.on_permission = telling->asks ? on_permission : NULL;
    options.on_output = on_output;
    options.on_start = on_start;
    options.on_result = on_result;
    options.on_done = on_done;
    options.arg = telling;
    return reeve_batch_run(telling->tools, calls, CALLS, &options, &telling->batch);
}

static int tell(struct rv_test *t, const struct story *story, bool asks)
{
    struct telling telling = {.story = story, .asks = asks};
    int error;

    rv_timer_init(&telling.answer, answer_due);
    error = submit(&telling, t);

    if (!error) {
        rv_world_play(telling.world, &telling.done, strike, &telling);
        error = telling.error;
    }
    reeve_toolbox_free(telling.tools);
    rv_world_close(telling.world);
    return error;
}

int story_batch(struct rv_test *t, void *arg)
{
    return tell(t, arg, false);
}

int story_asking(struct rv_test *t, void *arg)
{
    return tell(t, arg, true);
}
