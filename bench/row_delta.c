/* SPDX-License-Identifier: MIT */
/*
 * stream.delta: from the bytes of a stream to a completion's text callback, with no network: the
 * library's own way (server-sent events, JSON, codec, answer). The bytes come in pieces as a socket
 * gives them (16 KB). CPU time of one delta; the best of the rounds.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>

#include "bench/documents.h"
#include "model/response.h"

enum { PIECE_BYTES = 16384, MOST_BYTES = 64 << 20 };

#define EVENT "data: " BENCH_CHUNK "\n\n"

struct work {
    bool quick;
    struct rv_mem *mem;
    struct rv_response response;
    char *stream; /* of BENCH_BUNCH events */
    size_t text_len;
};

static int on_text(const char *text, size_t len, void *arg)
{
    struct work *work = arg;

    (void)text;
    work->text_len += len;
    return 0;
}

static void begin(struct work *work)
{
    static const struct rv_problem_place place = {0};
    const struct rv_problem_head head = {.status = 200, .content_type = "text/event-stream"};
    const struct rv_listener listener = {.text = on_text, .arg = work};

    bench_check(!rv_response_init(&work->response, work->mem, &rv_codec_openai, &place, MOST_BYTES,
                                  &listener),
                "a response");
    rv_response_head(&work->response, &head);
}

/* A new response each time, as each completion has its own. */
static void feed(void *arg, size_t count)
{
    struct work *work = arg;
    const size_t len = count * (sizeof EVENT - 1);
    size_t at, piece;

    begin(work);
    for (at = 0; at < len; at += piece) {
        piece = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
        bench_check(!rv_response_feed(&work->response, work->stream + at, piece), "a feed");
    }
    rv_response_done(&work->response);
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    size_t i;

    bench_check(!rv_mem_new(NULL, &work->mem), "memory");
    work->stream = malloc(BENCH_BUNCH * sizeof EVENT);
    bench_check(work->stream, "memory");
    for (i = 0; i < BENCH_BUNCH; i++)
        memcpy(work->stream + i * (sizeof EVENT - 1), EVENT, sizeof EVENT - 1);
    feed(work, BENCH_BUNCH);
    if (work->text_len != BENCH_BUNCH * strlen(" world"))
        return 1;
    bench_time(feed, work, work->quick, figures);
    figures->value[0] /= 1000;
    figures->value[1] /= 1000;
    return 0;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {.quick = bench->quick};
    const struct bench_side side = {.name = "ours", .run = run_ours, .arg = &work};
    const struct bench_match match = {
        .sides = &side,
        .count = 1,
        .rounds = bench->quick ? 3 : 5,
        .limit_s = 30,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures score;

    bench_play(&match, &score);
    bench_absolute(bench, row, BENCH_LESS, score.value[0], 1.0);
    bench_aside(bench, row, "lone", "us wall", BENCH_LESS, score.value[1]);
}

const struct bench_row bench_row_stream_delta = {
    "stream.delta", "us CPU", "from bytes to text callback, at most 1 us a delta", run};
