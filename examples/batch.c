/* SPDX-License-Identifier: MIT */
/*
 * A batch: several tool calls at once, without a model. Two files are written, one after the other;
 * then they are read and their folder is listed, all three at the same time.
 *
 *   cc batch.c $(pkg-config --cflags --libs reeve) -o batch
 *   ./batch FOLDER
 */
#include <stdio.h>
#include <string.h>

#include <reeve.h>

#define CALL(id, name, arguments)                                                                  \
    {                                                                                              \
        (id), (name), (arguments), sizeof(arguments) - 1                                           \
    }

/* What a model would ask for. */
static const struct reeve_call calls[] = {
    CALL("1", "write_file", "{\"path\": \"a.txt\", \"content\": \"first\"}"),
    CALL("2", "write_file", "{\"path\": \"b.txt\", \"content\": \"second\"}"),
    CALL("3", "read_file", "{\"path\": \"a.txt\"}"),
    CALL("4", "read_file", "{\"path\": \"b.txt\"}"),
    CALL("5", "list_directory", "{\"path\": \".\"}"),
};

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    int *failed = arg;
    size_t i;

    *failed = error;
    for (i = 0; i < reeve_batch_count(batch); i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        printf("%s %s, %s, from %.3f to %.3f ms:\n%s\n", result->call_id, result->tool,
               reeve_call_status_name(result->status), (double)result->started_us / 1000,
               (double)result->ended_us / 1000, result->text);
    }
    reeve_batch_stats(batch, &stats);
    printf(
        "%llu calls, %llu succeeded, in %.3f ms; at most %u at a time, %.1f times as fast as one "
        "after the other\n",
        (unsigned long long)stats.calls, (unsigned long long)stats.succeeded,
        (double)stats.wall_us / 1000, stats.peak_running, stats.speedup);
    if (stats.succeeded < stats.calls)
        *failed = 1;
}

int main(int argc, char **argv)
{
    struct reeve_runtime *runtime = NULL;
    struct reeve_toolbox *tools = NULL;
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    int failed = 1, error;

    error = reeve_runtime_new(NULL, NULL, &runtime);
    if (!error)
        error = reeve_toolbox_new(runtime, &tools);
    if (!error)
        error = reeve_toolbox_add_files(tools, argc > 1 ? argv[1] : ".");
    if (!error) {
        reeve_batch_options_init(&options);
        options.max_concurrency = 4;
        options.grouping = REEVE_GROUPING_WRITES_FIRST; /* the default; or _HAZARDS, or _NONE */
        options.on_done = on_done;
        options.arg = &failed;
        error = reeve_batch_run(tools, calls, sizeof calls / sizeof calls[0], &options, &batch);
    }
    if (!error)
        error = reeve_runtime_run(runtime); /* returns when the work is done */
    if (error)
        fprintf(stderr, "batch: %s\n", reeve_error_text(error));
    reeve_toolbox_free(tools);
    reeve_runtime_free(runtime);
    return failed != 0;
}
