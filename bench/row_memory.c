/* SPDX-License-Identifier: MIT */
/*
 * memory.stream: resident memory of a live stream: what a process has more with 5,000 streams open,
 * each with its first event come, than with one, divided by their number (Pss of
 * /proc/self/smaps_rollup). Ours are streamed completions by the public interface, parsers and all;
 * the raw libcurl program's are requests and nothing else. Beside it: our HTTP requests alone.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "bench/memory.h"
#include "bench/server.h"
#include "io/http.h"
#include "loop/runtime.h"

#include <reeve/message.h>
#include <reeve/model.h>

struct work {
    char *url;
    size_t count;
    struct reeve_runtime *runtime;
    struct reeve_model *model;
    struct reeve_transcript *transcript;
    size_t live;
};

static void stop_when_live(struct work *work, size_t wanted)
{
    if (++work->live == wanted)
        event_base_loopbreak(reeve_runtime_event_base(work->runtime));
}

static void on_text(struct reeve_completion *completion, const char *text, size_t len, void *arg)
{
    struct work *work = arg;

    (void)completion;
    (void)text;
    (void)len;
    stop_when_live(work, work->live ? work->count : 1);
}

static void on_done(struct reeve_completion *completion, int error, void *arg)
{
    (void)completion;
    (void)error;
    (void)arg;
    bench_die("a stream ended");
}

static void add_completions(struct work *work, size_t count)
{
    struct reeve_completion_options options;
    struct reeve_completion *completion;

    reeve_completion_options_init(&options);
    options.transcript = work->transcript;
    options.on_text = on_text;
    options.on_done = on_done;
    options.arg = work;
    while (count--)
        bench_check(!reeve_complete(work->model, &options, &completion), "a completion");
    reeve_runtime_run(work->runtime);
}

static int run_completions(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    struct reeve_model_options options;

    bench_raise_descriptors(work->count);
    reeve_model_options_init(&options);
    options.name = "bench";
    options.base_url = work->url;
    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime) &&
                    !reeve_model_new(work->runtime, &options, &work->model) &&
                    !reeve_transcript_new(work->runtime, &work->transcript) &&
                    !reeve_transcript_add(work->transcript, REEVE_ROLE_USER, "Hello?", 6),
                "setting up");
    add_completions(work, 1);
    figures->value[1] = bench_memory_bytes();
    add_completions(work, work->count - 1);
    figures->value[0] = (bench_memory_bytes() - figures->value[1]) / (double)(work->count - 1);
    return work->live != work->count;
}

static void on_http_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct work *work = arg;

    (void)http;
    (void)bytes;
    (void)len;
    stop_when_live(work, work->live ? work->count : 1);
}

static void on_http_done(struct rv_http *http, int error, void *arg)
{
    (void)http;
    (void)error;
    (void)arg;
    bench_die("a stream ended");
}

static void add_requests(struct work *work, size_t count)
{
    const struct rv_http_options options = {
        .method = "GET",
        .url = work->url,
        .max_response_bytes = 1 << 20,
        .connect_timeout_ms = 10000,
        .idle_timeout_ms = 120000,
        .timeout_ms = 600000,
        .on_data = on_http_data,
        .on_done = on_http_done,
        .arg = work,
    };
    struct rv_http *http;

    while (count--)
        bench_check(!rv_http_start(work->runtime, &options, &http), "a request");
    reeve_runtime_run(work->runtime);
}

static int run_requests(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    bench_raise_descriptors(work->count);
    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime), "a runtime");
    add_requests(work, 1);
    figures->value[1] = bench_memory_bytes();
    add_requests(work, work->count - 1);
    figures->value[0] = (bench_memory_bytes() - figures->value[1]) / (double)(work->count - 1);
    return work->live != work->count;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct bench_server server;
    char url[BENCH_URL_BYTES + 8];
    struct work completions = {.url = url, .count = bench->quick ? 1000 : 5000};
    struct work requests = completions;
    const char *const curl[] = {bench_program("peers/curl-streams"), url,
                                bench->quick ? "1000" : "5000", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_completions, .arg = &completions},
        {.name = "raw libcurl multi", .command = curl, .share = 1 / 1.3},
        {.name = "our HTTP alone", .run = run_requests, .arg = &requests},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = sizeof sides / sizeof *sides,
        .rounds = bench->quick ? 1 : 3,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_server_start(&server);
    snprintf(url, sizeof url, "%s/stream", server.url);
    bench_compare(bench, row, &match, scores);
    bench_server_stop(&server);
}

const struct bench_row bench_row_memory_stream = {
    "memory.stream", "bytes a stream", "5,000 live streams, at most 1.3 times raw libcurl", run};
