/* SPDX-License-Identifier: MIT */
/* Our side of batch.noop, batch.sleep and batch.files. */
#include "bench/ours/calls.h"

#include <stdlib.h>

enum {
    NOOPS = 100000,
    SLEEPS = 1000,
    SLEEP_MS = 50,
    SLEEP_PERMITS = 100,
    FILE_BYTES = 1000,
    PATHS = 10000,
    PERMITS = 16,
};

static int do_nothing(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_finish(call, "done", 4);
    return 0;
}

static int sleep_a_while(struct reeve_tool_call *call, void *arg)
{
    return ours_nap(arg, call, SLEEP_MS);
}

/* The figures: ns a call of many, the wall time of a batch of one, and the first of many. */
void ours_noop(char **argv, struct bench_figures *figures)
{
    struct reeve_tool look;
    struct ours ours = {0};

    (void)argv;
    ours_open(&ours);
    ours_look_init(&look, do_nothing);
    ours_add_tool(&ours, &look);
    ours_make_calls(&ours, "look", "so/", NOOPS, PATHS);
    bench_check(ours.calls[0].arguments_len == 24, "24 bytes of arguments");
    ours_run(&ours, BENCH_BUNCH, NULL, bench_cpu_ns);
    figures->value[2] = (double)ours_run(&ours, NOOPS, NULL, bench_cpu_ns) / NOOPS;
    ours_run(&ours, NOOPS, NULL, bench_cpu_ns);
    figures->value[0] = (double)ours_run(&ours, NOOPS, NULL, bench_cpu_ns) / NOOPS;
    bench_check(ours.stats.succeeded == NOOPS, "running all calls");
    figures->value[1] = (double)ours_run(&ours, 1, NULL, bench_wall_ns);
    ours_close(&ours);
}

/* The figures: ms of many, and of four at once. */
void ours_sleep(char **argv, struct bench_figures *figures)
{
    struct reeve_batch_options options;
    struct ours ours = {0};
    struct reeve_tool look;

    (void)argv;
    ours_open(&ours);
    ours_look_init(&look, sleep_a_while);
    look.arg = &ours;
    ours_add_tool(&ours, &look);
    ours_make_calls(&ours, "look", "so/", SLEEPS, PATHS);
    reeve_batch_options_init(&options);
    options.max_concurrency = SLEEP_PERMITS;
    figures->value[0] = (double)ours_run(&ours, SLEEPS, &options, bench_wall_ns) / 1e6;
    bench_check(ours.stats.succeeded == SLEEPS, "running all calls");
    options.max_concurrency = 4;
    figures->value[1] = (double)ours_run(&ours, 4, &options, bench_wall_ns) / 1e6;
    ours_close(&ours);
}

/* The figures: µs a file, and for one that is alone. */
void ours_files(char **argv, struct bench_figures *figures)
{
    const size_t files = strtoul(argv[1], NULL, 10);
    struct reeve_batch_options options;
    struct ours ours = {0};
    double took;

    ours_open(&ours);
    bench_check(!reeve_toolbox_add_files(ours.toolbox, argv[0]), "the file tools");
    ours_make_calls(&ours, "read_file", "", files, files);
    reeve_batch_options_init(&options);
    options.max_concurrency = PERMITS;
    options.skip_cache = 1; /* a file that is read twice is read twice */
    ours_run(&ours, files, &options, bench_wall_ns);
    took = (double)ours_run(&ours, files, &options, bench_wall_ns);
    bench_check(ours.bytes == files * FILE_BYTES, "all bytes of all files");
    figures->value[0] = took / 1000 / (double)files;
    figures->value[1] = (double)ours_run(&ours, 1, &options, bench_wall_ns) / 1000;
    ours_close(&ours);
}
