/* SPDX-License-Identifier: MIT */
/* Our side of batch.mixed. */
#include "bench/ours/calls.h"

#include <string.h>

enum { MOST_CALLS = 6, TEXT_BYTES = 32 };

static const struct mix {
    uint32_t permits;
    unsigned ms[MOST_CALLS];
    size_t count;
} mixes[] = {
    {3, {100, 0, 80, 0, 60}, 5},
    {4, {50, 50, 50, 50, 0, 0}, 6},
};
enum { MIXES = sizeof mixes / sizeof mixes[0] };

static int start(struct reeve_tool_call *call, void *arg)
{
    int64_t ms = 0;

    reeve_json_int64(reeve_json_get(reeve_tool_call_arguments(call), "ms"), &ms);
    if (ms)
        return ours_nap(arg, call, (unsigned)ms);
    reeve_tool_call_finish(call, "done", 4);
    return 0;
}

static void add_tool(struct ours *ours)
{
    struct reeve_tool tool;

    ours_look_init(&tool, start);
    tool.name = "wait";
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"ms\":{\"type\":\"integer\"}},"
                      "\"required\":[\"ms\"]}";
    tool.arg = ours;
    ours_add_tool(ours, &tool);
}

static double time_mix(struct ours *ours, const struct mix *mix, uint32_t permits)
{
    struct reeve_call calls[MOST_CALLS];
    char texts[MOST_CALLS][TEXT_BYTES];
    struct reeve_batch_options options;
    size_t i;

    for (i = 0; i < mix->count; i++) {
        snprintf(texts[i], TEXT_BYTES, "{\"ms\":%u}", mix->ms[i]);
        calls[i] = (struct reeve_call){
            .id = "c", .name = "wait", .arguments = texts[i], .arguments_len = strlen(texts[i])};
    }
    ours->calls = calls;
    reeve_batch_options_init(&options);
    options.max_concurrency = permits;
    options.skip_sharing = 1; /* those that wait equally long are not one */
    return (double)ours_run(ours, mix->count, &options, bench_wall_ns);
}

/* The figures: for each mix what was saved, in %. */
void ours_mixed(char **argv, struct bench_figures *figures)
{
    struct ours ours = {0};
    size_t i;

    (void)argv;
    ours_open(&ours);
    add_tool(&ours);
    for (i = 0; i < MIXES; i++) {
        double one_by_one = time_mix(&ours, &mixes[i], 1);
        double at_once = time_mix(&ours, &mixes[i], mixes[i].permits);

        figures->value[i] = 100 * (one_by_one - at_once) / one_by_one;
    }
    ours_close(&ours);
}
