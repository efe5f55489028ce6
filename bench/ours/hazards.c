/* SPDX-License-Identifier: MIT */
/* Our side of batch.hazards. */
#include "bench/ours/calls.h"

#include <stdlib.h>
#include <string.h>

enum { PATHS = 1000, CALLS = 100000, MOST_CALLS = 10 * CALLS, PERMITS = 16, TEXT_BYTES = 40 };

static int answer(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_finish(call, "done", 4);
    return 0;
}

static int reads(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_READ, REEVE_RESOURCE_PATH,
                            reeve_tool_call_arg_string(call, "path"));
}

static int writes(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_WRITE, REEVE_RESOURCE_PATH,
                            reeve_tool_call_arg_string(call, "path"));
}

static void add_tool(struct ours *ours, const char *name,
                     int (*describe)(struct reeve_tool_call *call, struct reeve_claims *claims,
                                     void *arg))
{
    struct reeve_tool tool;

    ours_look_init(&tool, answer);
    tool.name = name;
    tool.effect = REEVE_EFFECT_UNKNOWN; /* describe tells */
    tool.describe = describe;
    ours_add_tool(ours, &tool);
}

/* The same row of calls in every run: numbers of a linear congruence, as the peer draws them. */
static void make_calls(struct ours *ours, size_t count)
{
    char *texts = calloc(count, TEXT_BYTES);
    uint32_t random = 1;
    size_t i;

    ours->calls = calloc(count, sizeof *ours->calls);
    bench_check(texts && ours->calls, "memory");
    for (i = 0; i < count; i++) {
        char *text = texts + i * TEXT_BYTES;

        random = random * 1664525 + 1013904223;
        snprintf(text, TEXT_BYTES, "{\"path\":\"/none/of/it/f%u\"}", (random >> 8) % PATHS);
        ours->calls[i] = (struct reeve_call){
            .id = "c",
            .name = random >> 31 ? "set" : "look",
            .arguments = text,
            .arguments_len = strlen(text),
        };
    }
}

static double time_batch(struct ours *ours, size_t count)
{
    struct reeve_batch_options options;

    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = PERMITS;
    return (double)ours_run(ours, count, &options, bench_cpu_ns) / 1000 / (double)count;
}

/* The figures: µs a call of 100,000, of a million, and of the first 100,000. */
void ours_hazards(char **argv, struct bench_figures *figures)
{
    struct ours ours = {0};

    (void)argv;
    ours_open(&ours);
    add_tool(&ours, "look", reads);
    add_tool(&ours, "set", writes);
    make_calls(&ours, MOST_CALLS);
    time_batch(&ours, PATHS);
    figures->value[2] = time_batch(&ours, CALLS);
    time_batch(&ours, CALLS);
    figures->value[0] = time_batch(&ours, CALLS);
    figures->value[1] = time_batch(&ours, MOST_CALLS);
    ours_close(&ours);
}
