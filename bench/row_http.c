/* SPDX-License-Identifier: MIT */
/*
 * http.turn: small POSTs and their answers over loopback, 64 in flight, each answer compared with
 * what was expected. All sides keep their connections alive, have the limits on time that a model's
 * requests have, and talk to the same server, which is idle otherwise. Wall time; the round in the
 * middle. Beside it: requests a second of the client's own CPU time, which a busy machine does not
 * change much, and the time of a request that is alone.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>

#include "bench/server.h"
#include "io/http.h"
#include "loop/runtime.h"

enum { IN_FLIGHT = 64, MOST_BYTES = 1 << 20 };

struct work {
    const char *url;
    double seconds;
    struct reeve_runtime *runtime;
    uint64_t end_ns;
    size_t done;
    size_t failed;
};

struct turn {
    struct work *work;
    size_t len;
    bool wrong;
};

static void start(struct turn *turn);

static void on_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct turn *turn = arg;

    (void)http;
    if (turn->len + len > sizeof BENCH_ANSWER - 1 || memcmp(&BENCH_ANSWER[turn->len], bytes, len))
        turn->wrong = true;
    turn->len += len;
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct turn *turn = arg;
    struct work *work = turn->work;

    work->done++;
    work->failed +=
        error || rv_http_status(http) != 200 || turn->wrong || turn->len != sizeof BENCH_ANSWER - 1;
    if (bench_wall_ns() < work->end_ns)
        start(turn);
}

static void start(struct turn *turn)
{
    static const struct rv_http_header headers[] = {{"Content-Type", "application/json"}};
    struct rv_buffer body;
    const struct rv_http_options options = {
        .method = "POST",
        .url = turn->work->url,
        .headers = headers,
        .header_count = 1,
        .body_take = &body,
        .connect_timeout_ms = 10000,
        .first_byte_timeout_ms = 120000,
        .idle_timeout_ms = 120000,
        .timeout_ms = 600000,
        .max_response_bytes = MOST_BYTES,
        .on_data = on_data,
        .on_done = on_done,
        .arg = turn,
    };
    struct rv_http *http;

    turn->len = 0;
    turn->wrong = false;
    rv_buffer_init(&body, rv_runtime_mem(turn->work->runtime), MOST_BYTES);
    bench_check(!rv_buffer_add(&body, BENCH_QUESTION, sizeof BENCH_QUESTION - 1) &&
                    !rv_http_start(turn->work->runtime, &options, &http),
                "starting a request");
}

/* Runs `count` at a time until the time is over; the requests a second, by both clocks. */
static void run_turns(struct work *work, size_t count, double seconds, double *ret_wall,
                      double *ret_cpu)
{
    struct turn turns[IN_FLIGHT];
    const uint64_t wall = bench_wall_ns();
    const uint64_t cpu = bench_cpu_ns();
    size_t i;

    work->end_ns = wall + (uint64_t)(seconds * 1e9);
    work->done = 0;
    for (i = 0; i < count; i++) {
        turns[i] = (struct turn){.work = work};
        start(&turns[i]);
    }
    bench_check(!reeve_runtime_run(work->runtime), "the loop");
    *ret_wall = (double)work->done * 1e9 / (double)(bench_wall_ns() - wall);
    *ret_cpu = (double)work->done * 1e9 / (double)(bench_cpu_ns() - cpu);
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    double lone, unused;

    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime), "a runtime");
    run_turns(work, IN_FLIGHT, 0.1, &unused, &unused);
    run_turns(work, IN_FLIGHT, work->seconds, &figures->value[0], &figures->value[1]);
    run_turns(work, 1, 0.1, &lone, &unused);
    figures->value[2] = 1e6 / lone;
    reeve_runtime_free(work->runtime);
    return work->failed ? 1 : 0;
}

static void report_cpu(const struct bench *bench, const struct bench_row *row,
                       const struct bench_match *match, const struct bench_figures *scores)
{
    struct bench_line line = {
        .name = "http.turn.cpu",
        .unit = "1/s of CPU",
        .claim = row->claim,
        .better = BENCH_MORE,
        .ours = scores[0].value[1],
        .peer_name = match->sides[1].name,
        .peer = scores[1].value[1],
    };

    line.limit = line.peer * match->sides[1].share;
    bench_report(bench, &line);
    bench_aside(bench, row, "lone", "us wall", BENCH_LESS, scores[0].value[2]);
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct bench_server server;
    struct work work = {.seconds = bench->quick ? 0.4 : 1.5};
    const char *seconds = bench->quick ? "0.4" : "1.5";
    char url[BENCH_URL_BYTES + 8];
    const char *const curl[] = {bench_program("peers/curl-turn"), url, seconds, NULL};
    const char *const aiohttp[] = {"/usr/bin/python3", bench_script("turn-aiohttp.py"), url,
                                   seconds, NULL};
    const char *const httpx[] = {"/usr/bin/python3", bench_script("turn-httpx.py"), url, seconds,
                                 NULL};
    const char *const node[] = {"node", bench_script("turn-node.mjs"), url, seconds, NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_ours, .arg = &work},
        {.name = "raw libcurl multi", .command = curl, .share = 0.85},
        {.name = "aiohttp", .command = aiohttp, .share = 4},
        {.name = "httpx", .command = httpx, .share = 20},
        {.name = "node fetch", .command = node, .share = 8},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = sizeof sides / sizeof *sides,
        .rounds = bench->quick ? 3 : 7,
        .limit_s = 30,
        .better = BENCH_MORE,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_server_start(&server);
    snprintf(url, sizeof url, "%s/turn", server.url);
    work.url = url;
    bench_compare(bench, row, &match, scores);
    report_cpu(bench, row, &match, scores);
    bench_server_stop(&server);
}

const struct bench_row bench_row_http_turn = {
    "http.turn", "1/s",
    "64 in flight: at least 0.85 of raw libcurl, 4 times aiohttp, 20 times httpx, 8 times node",
    run};
