/* SPDX-License-Identifier: MIT */
#include "tests/world/story.h"

#include "tests/lib/notes.h"
#include "tests/world/world.h"

#include <reeve/agent.h>
#include <reeve/batch.h>
#include <reeve/error.h>
#include <string.h>

enum { CALLS = 5 };

#define CALL(id, name, arguments)                                                                  \
    {                                                                                              \
        (id), (name), (arguments), sizeof(arguments) - 1                                           \
    }

static const struct reeve_call calls[CALLS] = {
    CALL("1", "list_directory", "{\"recursive\":true}"),
    CALL("2", "read_file", "{\"path\":\"src/a.txt\"}"),
    CALL("3", "read_file", "{\"path\":\"src/b.txt\",\"offset\":5,\"limit\":6}"),
    CALL("4", "read_file", "{\"path\":\"src/c.txt\"}"),
    CALL("5", "list_directory", "{\"path\":\"src/a.txt\"}"),
};

/* Writes come first, one after another, in this order; then the reads. */
static const struct reeve_call edits[CALLS] = {
    CALL("1", "write_file", "{\"path\":\"new/b/c.txt\",\"content\":\"one\\ntwo\\n\"}"),
    CALL("2", "edit_file", "{\"path\":\"new/b/c.txt\",\"old_text\":\"two\",\"new_text\":\"2\"}"),
    CALL("3", "edit_file", "{\"path\":\"src/a.txt\",\"old_text\":\"what  is\",\"new_text\":\"x\"}"),
    CALL("4", "write_file", "{\"path\":\"src/b.txt\",\"content\":\"Other.\\n\"}"),
    CALL("5", "list_directory", "{\"recursive\":true}"),
};

static const char wants_files[] =
    "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,"
    "\"tool_calls\":[{\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":"
    "\"list_directory\",\"arguments\":\"{\\\"path\\\":\\\"src\\\"}\"}},{\"id\":\"call_b\","
    "\"type\":\"function\",\"function\":{\"name\":\"read_file\",\"arguments\":"
    "\"{\\\"path\\\":\\\"src/a.txt\\\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}";
static const char answers[] = "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                              "\"content\":\"Two files.\"},\"finish_reason\":\"stop\"}]}";

struct telling {
    const struct story *story;
    struct rv_world *world;
    struct reeve_toolbox *tools;
    struct reeve_batch *batch; /* NULL when it is over */
    struct reeve_model *model;
    struct reeve_agent *agent;
    unsigned done;
    int error;
};

static int open_files(struct telling *telling, struct rv_test *t)
{
    int error = rv_world_open(t, &telling->world);

    if (error)
        return error;
    rv_world_put(telling->world, "src", "a.txt", "What is in a.\n");
    rv_world_put(telling->world, "src", "b.txt", "What is in b.\n");
    error = reeve_toolbox_new(rv_world_runtime(telling->world), &telling->tools);
    return error ? error : reeve_toolbox_add_files(telling->tools, rv_world_root(telling->world));
}

/* ---- by a batch ---- */

static void on_result(struct reeve_batch *batch, size_t index, void *arg)
{
    struct telling *telling = arg;

    cr_assert_neq(reeve_batch_result(batch, index)->status, REEVE_CALL_PENDING);
    rv_world_step(telling->world);
}

static void on_batch_done(struct reeve_batch *batch, int error, void *arg)
{
    struct telling *telling = arg;

    telling->done++;
    telling->error = error;
    for (size_t i = 0; i < CALLS; i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        cr_assert_neq(result->status, REEVE_CALL_PENDING);
        rv_note("%s %s: %s\n", result->call_id, reeve_call_status_name(result->status),
                result->text);
    }
    telling->batch = NULL;
}

static void strike_batch(void *arg)
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

static int tell_batch(struct rv_test *t, void *arg, const struct reeve_call *asked)
{
    struct telling telling = {.story = arg};
    struct reeve_batch_options options;
    int error = open_files(&telling, t);

    reeve_batch_options_init(&options);
    options.max_concurrency = 2;
    options.timeout_ms = 5000;
    options.on_result = on_result;
    options.on_done = on_batch_done;
    options.arg = &telling;
    if (!error)
        error = reeve_batch_run(telling.tools, asked, CALLS, &options, &telling.batch);
    if (!error) {
        rv_world_play(telling.world, &telling.done, strike_batch, &telling);
        error = telling.error;
    }
    reeve_toolbox_free(telling.tools);
    rv_world_close(telling.world);
    return error;
}

int story_files(struct rv_test *t, void *arg)
{
    return tell_batch(t, arg, calls);
}

int story_edits(struct rv_test *t, void *arg)
{
    return tell_batch(t, arg, edits);
}

/* ---- by an agent ---- */

static void serve(struct rv_answer *answer, const struct rv_asked *asked, void *arg)
{
    (void)arg;
    rv_answer_head(answer, 200, "application/json");
    rv_answer_text(answer, strstr(asked->body, "call_b") ? answers : wants_files);
}

static void on_agent_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    const struct reeve_transcript *transcript = reeve_agent_transcript(agent);
    struct telling *telling = arg;
    size_t bad = 0;

    telling->done++;
    telling->error = run->stop_reason == REEVE_STOP_DONE       ? 0
                     : run->stop_reason == REEVE_STOP_CANCELED ? REEVE_ECANCELED
                                                               : run->error;
    cr_assert_eq(reeve_transcript_check(transcript, &bad), 0, "not valid at message %zu", bad);
    rv_note("%s, %u calls, %u failed\n", reeve_stop_reason_name(run->stop_reason), run->tool_calls,
            run->failed_tool_calls);
    for (size_t i = 0; i < reeve_transcript_count(transcript); i++)
        rv_note("%s\n", reeve_message_text(reeve_transcript_at(transcript, i), NULL));
}

static void strike_agent(void *arg)
{
    struct telling *telling = arg;

    if (telling->story->strike == STORY_CANCEL) {
        reeve_agent_cancel(telling->agent);
        return;
    }
    reeve_agent_free(telling->agent);
    cr_assert_eq(telling->done, 1, "the agent is gone and its end was not told");
    telling->agent = NULL;
}

static int ask(struct telling *telling)
{
    struct reeve_model_options model;
    struct reeve_agent_options agent;
    int error;

    rv_world_serve(telling->world, serve, telling);
    reeve_model_options_init(&model);
    model.provider = REEVE_PROVIDER_OPENAI;
    model.base_url = rv_world_url(telling->world);
    model.name = "m";
    error = reeve_model_new(rv_world_runtime(telling->world), &model, &telling->model);
    if (error)
        return error;
    reeve_agent_options_init(&agent);
    agent.model = telling->model;
    agent.tools = telling->tools;
    agent.stream = 0;
    agent.on_done = on_agent_done;
    agent.arg = telling;
    error = reeve_agent_new(rv_world_runtime(telling->world), &agent, &telling->agent);
    return error ? error : reeve_agent_send(telling->agent, "What is there?");
}

int story_file_agent(struct rv_test *t, void *arg)
{
    struct telling telling = {.story = arg};
    int error = open_files(&telling, t);

    if (!error)
        error = ask(&telling);
    if (!error) {
        rv_world_play(telling.world, &telling.done, strike_agent, &telling);
        error = telling.error;
    }
    reeve_agent_free(telling.agent);
    reeve_toolbox_free(telling.tools);
    reeve_model_free(telling.model);
    rv_world_close(telling.world);
    return error;
}
