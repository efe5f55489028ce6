/* SPDX-License-Identifier: MIT */
/* What the sides about calls share. */
#include "bench/ours/calls.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

enum { TEXT_BYTES = 64, PERMITS = 16 };

struct nap {
    struct reeve_tool_call *call;
    struct event *timer;
};

void ours_open(struct ours *ours)
{
    struct event_config *config = event_config_new();

    bench_check(config && !event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER),
                "configuring a loop");
    ours->base = event_base_new_with_config(config);
    event_config_free(config);
    bench_check(ours->base, "a loop");
    bench_check(!reeve_runtime_new(ours->base, NULL, &ours->runtime), "a runtime");
    bench_check(!reeve_toolbox_new(ours->runtime, &ours->toolbox), "a toolbox");
}

void ours_close(struct ours *ours)
{
    reeve_toolbox_free(ours->toolbox);
    reeve_runtime_free(ours->runtime);
    event_base_free(ours->base);
}

void ours_look_init(struct reeve_tool *tool, int (*start)(struct reeve_tool_call *call, void *arg))
{
    reeve_tool_init(tool);
    tool->name = "look";
    tool->parameters = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},"
                       "\"required\":[\"path\"]}";
    tool->effect = REEVE_EFFECT_READ;
    tool->start = start;
}

void ours_add_tool(struct ours *ours, const struct reeve_tool *tool)
{
    bench_check(!reeve_toolbox_add(ours->toolbox, tool), "adding a tool");
}

void ours_make_calls(struct ours *ours, const char *tool, const char *folder, size_t count,
                     size_t distinct)
{
    char *texts = calloc(count, TEXT_BYTES);
    size_t i;

    ours->calls = calloc(count, sizeof *ours->calls);
    bench_check(texts && ours->calls, "memory");
    for (i = 0; i < count; i++) {
        char *text = texts + i * TEXT_BYTES;

        snprintf(text, TEXT_BYTES, "{\"path\":\"%sf%05zu.txt\"}", folder, i % distinct);
        ours->calls[i] = (struct reeve_call){
            .id = "c", .name = tool, .arguments = text, .arguments_len = strlen(text)};
    }
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct ours *ours = arg;
    size_t i;

    ours->stats.size = sizeof ours->stats;
    bench_check(!error && !reeve_batch_stats(batch, &ours->stats), "the batch");
    ours->bytes = 0;
    for (i = 0; i < reeve_batch_count(batch); i++)
        ours->bytes += reeve_batch_result(batch, i)->len;
}

uint64_t ours_run(struct ours *ours, size_t count, const struct reeve_batch_options *given,
                  uint64_t (*clock_ns)(void))
{
    const uint64_t start = clock_ns();
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    uint64_t took;

    reeve_batch_options_init(&options);
    options.max_concurrency = PERMITS;
    if (given)
        options = *given;
    options.on_done = on_done;
    options.arg = ours;
    bench_check(!reeve_batch_run(ours->toolbox, ours->calls, count, &options, &batch), "a batch");
    bench_check(!reeve_runtime_run(ours->runtime), "running");
    took = clock_ns() - start;
    bench_check(ours->stats.succeeded + ours->stats.cached + ours->stats.shared == count,
                "all calls");
    return took;
}

static void wake_up(int fd, short events, void *arg)
{
    struct nap *nap = arg;

    (void)fd, (void)events;
    reeve_tool_call_finish(nap->call, "done", 4);
    event_free(nap->timer);
    free(nap);
}

int ours_nap(struct ours *ours, struct reeve_tool_call *call, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    struct nap *nap = calloc(1, sizeof *nap);

    bench_check(nap && (nap->timer = event_new(ours->base, -1, 0, wake_up, nap)) != NULL, "memory");
    nap->call = call;
    bench_check(!event_add(nap->timer, &wait), "a timer");
    return 0;
}
