/* SPDX-License-Identifier: MIT */
#include "tests/world/story.h"

#include "tests/lib/notes.h"
#include "tests/world/speech.h"
#include "tests/world/story_model.h"
#include "tests/world/story_tools.h"

#include <reeve/agent.h>
#include <reeve/error.h>
#include <string.h>

struct telling {
    const struct story *story;
    struct rv_world *world;
    struct reeve_model *model;
    struct reeve_toolbox *tools;
    struct reeve_agent *agent;
    unsigned done;
    struct reeve_run run;
};

static void serve(struct rv_answer *answer, const struct rv_asked *asked, void *arg)
{
    const struct telling *telling = arg;
    const struct story *story = telling->story;

    if (strstr(asked->body, "call_b"))
        speech_answer(answer, story->provider, story->stream);
    else
        speech_calls(answer, story->provider, story->stream);
}

/* It holds whenever anybody looks. */
static void check_transcript(const struct telling *telling)
{
    size_t bad = 0;

    cr_assert_eq(reeve_transcript_check(reeve_agent_transcript(telling->agent), &bad), 0,
                 "the transcript is not valid at message %zu", bad);
}

static void on_text(struct reeve_agent *agent, const char *text, size_t len, void *arg)
{
    struct telling *telling = arg;

    (void)text;
    (void)len;
    cr_assert_eq(agent, telling->agent);
    check_transcript(telling);
    rv_world_step(telling->world);
}

static void on_tool(struct reeve_agent *agent, const struct reeve_tool_event *event, void *arg)
{
    (void)event;
    on_text(agent, NULL, 0, arg);
}

/* Nothing less is a good end. */
static void check_end(const struct telling *telling)
{
    const struct reeve_transcript *transcript = reeve_agent_transcript(telling->agent);
    size_t count = reeve_transcript_count(transcript);

    if (telling->run.stop_reason != REEVE_STOP_DONE)
        return;
    cr_assert_eq(count, 6);
    cr_assert_str_eq(reeve_message_text(reeve_transcript_at(transcript, count - 1), NULL),
                     "All good: na\xC3\xAFve \xE2\x9C\x93.");
}

static void note_end(const struct telling *telling)
{
    const struct reeve_transcript *transcript = reeve_agent_transcript(telling->agent);
    const struct reeve_run *run = &telling->run;

    rv_note("%s, %u turns, %u calls, %u failed, %u in, %u out\n",
            reeve_stop_reason_name(run->stop_reason), run->turns, run->tool_calls,
            run->failed_tool_calls, (unsigned)run->usage.input_tokens,
            (unsigned)run->usage.output_tokens);
    rv_note("%u calls at once\n", story_tools_most());
    for (size_t i = 0; i < reeve_transcript_count(transcript); i++) {
        const struct reeve_message *message = reeve_transcript_at(transcript, i);

        rv_note("%d: %s\n", (int)reeve_message_role(message), reeve_message_text(message, NULL));
    }
}

static void on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    struct telling *telling = arg;

    cr_assert_eq(agent, telling->agent);
    telling->done++;
    telling->run = *run;
    check_transcript(telling);
    check_end(telling);
    note_end(telling);
    rv_world_step(telling->world);
}

static void strike(void *arg)
{
    struct telling *telling = arg;

    if (telling->story->strike == STORY_CANCEL) {
        if (telling->agent)
            reeve_agent_cancel(telling->agent);
        return;
    }
    reeve_agent_free(telling->agent);
    cr_assert_eq(telling->done, 1, "the agent is gone and its end was not told");
    telling->agent = NULL;
}

static int open_tools(struct telling *telling)
{
    struct reeve_runtime *runtime = rv_world_runtime(telling->world);
    int error = reeve_toolbox_new(runtime, &telling->tools);

    if (!error)
        error = story_tools_add(telling->tools, runtime);
    story_tools_in_pairs();
    return error;
}

static int ask(struct telling *telling)
{
    struct reeve_agent_options options;
    int error;

    reeve_agent_options_init(&options);
    options.model = telling->model;
    options.tools = telling->tools;
    options.system = "Be brief.";
    options.stream = telling->story->stream;
    options.on_text = on_text;
    options.on_tool = on_tool;
    options.on_done = on_done;
    options.arg = telling;
    error = reeve_agent_new(rv_world_runtime(telling->world), &options, &telling->agent);
    return error ? error : reeve_agent_send(telling->agent, "Hello");
}

static int outcome(const struct telling *telling)
{
    switch (telling->run.stop_reason) {
    case REEVE_STOP_DONE:
        return 0;
    case REEVE_STOP_CANCELED:
        return REEVE_ECANCELED;
    case REEVE_STOP_ERROR:
        return telling->run.error;
    default:
        return REEVE_EINVAL; /* no other end belongs to this story */
    }
}

int story_agent(struct rv_test *t, void *arg)
{
    struct telling telling = {.story = arg};
    int error = story_model_open(t, telling.story, serve, &telling, &telling.world, &telling.model);

    if (!error)
        error = open_tools(&telling);
    if (!error)
        error = ask(&telling);
    if (!error) {
        rv_world_play(telling.world, &telling.done, strike, &telling);
        error = outcome(&telling);
    }
    reeve_agent_free(telling.agent);
    reeve_toolbox_free(telling.tools);
    reeve_model_free(telling.model);
    rv_world_close(telling.world);
    return error;
}
