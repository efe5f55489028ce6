/* SPDX-License-Identifier: MIT */
/* Our side of cache.tool.hit and cache.file.hit. */
#include "bench/ours/calls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TOOL_CALLS = 100000,
    KEPT = 1000,
    FILE_BYTES = 1000,
    SETTLING_US = 150000, /* a file that has just been written is not kept */
    SETTLINGS = 20,
};

static int look(struct reeve_tool_call *call, void *arg)
{
    const char *path = reeve_tool_call_arg_string(call, "path");

    (void)arg;
    reeve_tool_call_finish(call, path, strlen(path));
    return 0;
}

static uint64_t run_hits(struct ours *ours, size_t count, uint64_t (*clock_ns)(void))
{
    const uint64_t took = ours_run(ours, count, NULL, clock_ns);

    bench_check(ours->stats.cached == count, "answering all calls by kept results");
    return took;
}

/* The figures: ns a call of many, the wall time of a batch of one, and the first of many. */
void ours_cache_tool(char **argv, struct bench_figures *figures)
{
    struct ours ours = {0};
    struct reeve_tool tool;

    (void)argv;
    ours_open(&ours);
    ours_look_init(&tool, look);
    tool.cacheable = 1;
    ours_add_tool(&ours, &tool);
    ours_make_calls(&ours, "look", "so/", TOOL_CALLS, KEPT);
    ours_run(&ours, KEPT, NULL, bench_cpu_ns);
    bench_check(!ours.stats.cached, "running what is not kept yet");
    figures->value[2] = (double)run_hits(&ours, TOOL_CALLS, bench_cpu_ns) / TOOL_CALLS;
    run_hits(&ours, TOOL_CALLS, bench_cpu_ns);
    figures->value[0] = (double)run_hits(&ours, TOOL_CALLS, bench_cpu_ns) / TOOL_CALLS;
    figures->value[1] = (double)run_hits(&ours, 1, bench_wall_ns);
    ours_close(&ours);
}

/* Read all files until all of them are kept. */
static void keep_all(struct ours *ours, size_t count)
{
    size_t left = SETTLINGS;

    ours_run(ours, count, NULL, bench_cpu_ns);
    while (ours->stats.cached < count && left--) {
        usleep(SETTLING_US);
        ours_run(ours, count, NULL, bench_cpu_ns);
    }
}

/* The figures: us a file, and the wall time of one that is alone. */
void ours_cache_file(char **argv, struct bench_figures *figures)
{
    const size_t count = strtoul(argv[1], NULL, 10), batches = strtoul(argv[2], NULL, 10);
    struct ours ours = {0};
    uint64_t took = 0;
    size_t i;

    ours_open(&ours);
    bench_check(!reeve_toolbox_add_files(ours.toolbox, argv[0]), "the file tools");
    ours_make_calls(&ours, "read_file", "", count, count);
    keep_all(&ours, count);
    for (i = 0; i < batches; i++)
        took += run_hits(&ours, count, bench_cpu_ns);
    bench_check(ours.bytes == count * FILE_BYTES, "all bytes of all files");
    figures->value[0] = (double)took / 1000 / (double)count / (double)batches;
    figures->value[1] = (double)run_hits(&ours, 1, bench_wall_ns) / 1000;
    ours_close(&ours);
}
