/* SPDX-License-Identifier: MIT */
#include "tests/world/story.h"

#include "base/utf8.h"
#include "tests/lib/notes.h"
#include "tests/world/speech.h"
#include "tests/world/story_model.h"

#include <reeve/error.h>
#include <string.h>

struct telling {
    const struct story *story;
    struct rv_world *world;
    struct reeve_model *model;
    struct reeve_transcript *transcript;
    struct reeve_completion *completion; /* NULL when it is over */
    char text[256];
    size_t text_len;
    unsigned done;
    int error;
};

const char *story_name(const struct story *story)
{
    if (story->provider == REEVE_PROVIDER_ANTHROPIC)
        return story->stream ? "anthropic, streamed" : "anthropic, whole";
    return story->stream ? "openai, streamed" : "openai, whole";
}

static void serve(struct rv_answer *answer, const struct rv_asked *asked, void *arg)
{
    const struct telling *telling = arg;

    cr_assert(strstr(asked->body, "\"Hello\""));
    speech_calls(answer, telling->story->provider, telling->story->stream);
}

static void on_text(struct reeve_completion *completion, const char *text, size_t len, void *arg)
{
    struct telling *telling = arg;

    cr_assert_eq(completion, telling->completion);
    cr_assert_eq(telling->done, 0, "text after the end");
    cr_assert(rv_utf8_valid(text, len), "half a character");
    cr_assert_lt(telling->text_len + len, sizeof telling->text);
    memcpy(telling->text + telling->text_len, text, len);
    telling->text_len += len;
    rv_world_step(telling->world);
}

static void note_end(const struct reeve_completion *completion, int error)
{
    const struct reeve_usage *usage = reeve_completion_usage(completion);
    size_t count, i;
    const struct reeve_call *calls = reeve_completion_calls(completion, &count);

    rv_note("%s, %s, %s\n", error ? reeve_error_name(error) : "0",
            reeve_finish_name(reeve_completion_finish(completion)),
            reeve_completion_text(completion, NULL));
    for (i = 0; i < count; i++)
        rv_note("%s %s %s\n", calls[i].id, calls[i].name, calls[i].arguments);
    rv_note("%u in, %u out\n", (unsigned)usage->input_tokens, (unsigned)usage->output_tokens);
}

/* What holds of every end. */
static void on_done(struct reeve_completion *completion, int error, void *arg)
{
    struct telling *telling = arg;
    const struct reeve_call *calls;
    const char *text;
    size_t len, count;

    telling->done++;
    telling->error = error;
    text = reeve_completion_text(completion, &len);
    cr_assert(len >= telling->text_len && !memcmp(text, telling->text, telling->text_len));
    cr_assert_eq(reeve_completion_error(completion) != NULL, error != 0);
    calls = reeve_completion_calls(completion, &count);
    cr_assert_eq(count, error ? 0 : 2, "%zu calls of an answer that ended with %d", count, error);
    cr_assert(error || !strcmp(text, "Let me look. "));
    cr_assert(error || !strcmp(calls[0].arguments, "{\"n\":1}"));
    cr_assert(error || !strcmp(calls[1].arguments, "{\"n\":\"\xC3\xA9\\n2\"}"));
    note_end(completion, error);
    rv_world_step(telling->world);
    telling->completion = NULL;
}

static void strike(void *arg)
{
    struct telling *telling = arg;
    struct reeve_model *model = telling->model;

    if (telling->story->strike == STORY_CANCEL) {
        if (telling->completion)
            reeve_completion_cancel(telling->completion);
        return;
    }
    telling->model = NULL;
    reeve_model_free(model);
}

static int ask(struct telling *telling)
{
    static const struct reeve_tool_definition tool = {"slow", "A tool", "{\"type\":\"object\"}"};
    struct reeve_completion_options options;
    int error = reeve_transcript_new(rv_world_runtime(telling->world), &telling->transcript);

    if (!error)
        error = reeve_transcript_add(telling->transcript, REEVE_ROLE_SYSTEM, "Be brief.", 9);
    if (!error)
        error = reeve_transcript_add(telling->transcript, REEVE_ROLE_USER, "Hello", 5);
    if (error)
        return error;
    reeve_completion_options_init(&options);
    options.transcript = telling->transcript;
    options.tools = &tool;
    options.tool_count = 1;
    options.stream = telling->story->stream;
    options.on_text = on_text;
    options.on_done = on_done;
    options.arg = telling;
    return reeve_complete(telling->model, &options, &telling->completion);
}

int story_completion(struct rv_test *t, void *arg)
{
    struct telling telling = {.story = arg};
    int error = story_model_open(t, telling.story, serve, &telling, &telling.world, &telling.model);

    if (!error)
        error = ask(&telling);
    if (!error) {
        rv_world_play(telling.world, &telling.done, strike, &telling);
        error = telling.error;
    }
    reeve_transcript_free(telling.transcript);
    reeve_model_free(telling.model);
    rv_world_close(telling.world);
    return error;
}
