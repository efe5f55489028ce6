/* SPDX-License-Identifier: MIT */
#include "tests/world/story_tools.h"

#include "base/list.h"
#include "loop/runtime.h"
#include "loop/timer.h"

#include <reeve/error.h>
#include <reeve/json.h>
#include <stdbool.h>
#include <string.h>

enum { DEFAULT_MS = 10, ALONE_MS = 5000, CALLS_MAX = 16 };

/* In a table, since the cancel function is given the call alone. */
static struct job {
    struct rv_timer timer;
    struct reeve_runtime *runtime;
    struct reeve_tool_call *call; /* NULL: the place is free */
} jobs[CALLS_MAX];

static bool in_pairs;
static unsigned most;

static unsigned running(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < CALLS_MAX; i++)
        count += jobs[i].call != NULL;
    return count;
}

static void finish(struct job *job, const char *text)
{
    struct reeve_tool_call *call = job->call;

    rv_timer_stop(job->runtime, &job->timer);
    job->call = NULL;
    if (reeve_json_get(reeve_tool_call_arguments(call), "say"))
        reeve_tool_call_write(call, "\xA4r: ", 4);
    if (reeve_json_get(reeve_tool_call_arguments(call), "fail"))
        reeve_tool_call_fail(call, 0, "it failed as it was told", 24);
    else
        reeve_tool_call_finish(call, text, strlen(text));
}

static void over(struct rv_timer *timer)
{
    finish(rv_container_of(timer, struct job, timer), "slow result");
}

static struct job *free_job(void)
{
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (!jobs[i].call)
            return &jobs[i];
    }
    return NULL;
}

/* The one that waited goes on now. */
static void join(struct job *second)
{
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (jobs[i].call && &jobs[i] != second)
            rv_timer_start_ms(jobs[i].runtime, &jobs[i].timer, DEFAULT_MS);
    }
}

static int start(struct reeve_tool_call *call, void *arg)
{
    const struct reeve_json *ms = reeve_json_get(reeve_tool_call_arguments(call), "ms");
    int64_t after_ms = DEFAULT_MS;
    struct job *job = free_job();

    if (ms && reeve_json_int64(ms, &after_ms) < 0)
        return REEVE_EINVAL;
    if (!job)
        return REEVE_EBUSY;
    job->call = call;
    job->runtime = arg;
    most = running() > most ? running() : most;
    if (in_pairs && !ms && running() == 1)
        after_ms = ALONE_MS;
    else if (in_pairs && !ms)
        join(job);
    rv_timer_init(&job->timer, over);
    rv_timer_start_ms(arg, &job->timer, (uint64_t)after_ms);
    if (reeve_json_get(reeve_tool_call_arguments(call), "say"))
        reeve_tool_call_write(call, "hear \xC3", 6);
    return 0;
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (jobs[i].call == call) {
            finish(&jobs[i], "cancelled");
            return;
        }
    }
}

int story_tools_add(struct reeve_toolbox *toolbox, struct reeve_runtime *runtime)
{
    static const struct {
        const char *name;
        enum reeve_effect effect;
    } kinds[] = {
        {"slow", REEVE_EFFECT_READ},
        {"set", REEVE_EFFECT_WRITE},
        {"odd", REEVE_EFFECT_UNKNOWN},
    };
    struct reeve_tool tool;
    int error = 0;

    in_pairs = false;
    most = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !error; i++) {
        reeve_tool_init(&tool);
        tool.name = kinds[i].name;
        tool.description = "A tool of the story";
        tool.parameters = "{\"type\":\"object\",\"properties\":{\"n\":{},\"ms\":{},\"fail\":{}}}";
        tool.effect = kinds[i].effect;
        tool.start = start;
        tool.cancel = cancel;
        tool.arg = runtime;
        error = reeve_toolbox_add(toolbox, &tool);
    }
    return error;
}

void story_tools_in_pairs(void)
{
    in_pairs = true;
}

unsigned story_tools_most(void)
{
    return most;
}
