/* SPDX-License-Identifier: MIT */
/*
 * Our side of the rows about calls: a program of its own, on the public interface and the library
 * as it is installed, as a host has it. Each function here runs one side in a process that is new
 * to it, with the arguments that its row gives, and shows figures.
 */
#ifndef REEVE_BENCH_OURS_CALLS_H
#define REEVE_BENCH_OURS_CALLS_H

#include "bench/bench.h"

#include <reeve.h>

/* What the sides share: a toolbox, many calls for it, and what came of the last batch. */
struct ours {
    struct event_base *base;
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct reeve_call *calls;
    struct reeve_batch_stats stats;
    size_t bytes; /* of the results */
};

/* The loop is the host's, with timers to the microsecond. */
void ours_open(struct ours *ours);
void ours_close(struct ours *ours);

/* A tool that takes a path and only reads. What is not said here can be set before it is added. */
void ours_look_init(struct reeve_tool *tool, int (*start)(struct reeve_tool_call *call, void *arg));
void ours_add_tool(struct ours *ours, const struct reeve_tool *tool);

/* `count` calls of the tool with "FOLDERf00000.txt" and on, of which `distinct` are different. */
void ours_make_calls(struct ours *ours, const char *tool, const char *folder, size_t count,
                     size_t distinct);

/* Run the first `count` of them and look at each result. Returns how long that took. Options NULL:
 * the defaults but for 16 at once. */
uint64_t ours_run(struct ours *ours, size_t count, const struct reeve_batch_options *options,
                  uint64_t (*clock_ns)(void));

/* Let time pass on the loop, then finish the call. */
int ours_nap(struct ours *ours, struct reeve_tool_call *call, unsigned ms);

/* The sides. `argv` is what stands behind the name, NULL at the end. */
void ours_noop(char **argv, struct bench_figures *figures);
void ours_sleep(char **argv, struct bench_figures *figures);
void ours_files(char **argv, struct bench_figures *figures); /* FOLDER COUNT */
void ours_hazards(char **argv, struct bench_figures *figures);
void ours_mixed(char **argv, struct bench_figures *figures);
void ours_stream(char **argv, struct bench_figures *figures); /* FOLDER FILE FILE BYTES */
void ours_cache_tool(char **argv, struct bench_figures *figures);
void ours_cache_file(char **argv, struct bench_figures *figures); /* FOLDER COUNT BATCHES */

#endif
