/* SPDX-License-Identifier: MIT */
/* Our side of batch.stream. */
#include "bench/ours/calls.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 256 };

struct hearing {
    size_t bytes;
    bool succeeded;
};

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct hearing *hearing = arg;

    (void)batch, (void)index, (void)bytes;
    hearing->bytes += len;
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct hearing *hearing = arg;

    hearing->succeeded = !error && reeve_batch_result(batch, 0)->status == REEVE_CALL_SUCCEEDED;
}

static double stream(struct ours *ours, const char *path, size_t len)
{
    struct reeve_call call = {.id = "c", .name = "read_file"};
    struct hearing hearing = {0};
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    char text[TEXT_BYTES];
    uint64_t start;

    snprintf(text, sizeof text, "{\"path\":\"%s\"}", path);
    call.arguments = text;
    call.arguments_len = strlen(text);
    reeve_batch_options_init(&options);
    options.stream_whole = 1;
    options.skip_cache = 1;
    options.on_output = on_output;
    options.on_done = on_done;
    options.arg = &hearing;
    start = bench_wall_ns();
    bench_check(!reeve_batch_run(ours->toolbox, &call, 1, &options, &batch), "a batch");
    bench_check(!reeve_runtime_run(ours->runtime) && hearing.succeeded, "the call");
    bench_check(hearing.bytes == len, "hearing all of it");
    return (double)len * 1000 / (double)(bench_wall_ns() - start);
}

/* FOLDER FILE FILE BYTES. The figures: MB/s of the one file and of the other. */
void ours_stream(char **argv, struct bench_figures *figures)
{
    const size_t len = strtoul(argv[3], NULL, 10);
    struct ours ours = {0};

    ours_open(&ours);
    bench_check(!reeve_toolbox_add_files(ours.toolbox, argv[0]), "the file tools");
    figures->value[0] = stream(&ours, argv[1], len);
    figures->value[1] = stream(&ours, argv[2], len);
    ours_close(&ours);
}
