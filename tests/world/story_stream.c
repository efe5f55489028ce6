/* SPDX-License-Identifier: MIT */
/* A story of raw connections: a talk in which the peer is first to say no more, one that is reset,
 * one that is refused, and one on which nothing comes. */
#include "tests/world/story.h"

#include "io/stream.h"
#include "tests/lib/notes.h"
#include "tests/world/world.h"

#include <reeve/error.h>
#include <string.h>

enum { SILENCE_MS = 50, PATIENCE_MS = 20000 };

static const struct {
    const char *name;
    enum rv_world_manner manner;
    int error;
} peers[] = {
    {"talks", RV_WORLD_TALKS, 0},
    {"resets", RV_WORLD_RESETS, REEVE_ECONNLOST},
    {"refuses", RV_WORLD_REFUSES, REEVE_ECONNECT},
    {"is silent", RV_WORLD_SILENT, REEVE_ETIMEDOUT},
};
enum { PEERS = sizeof peers / sizeof peers[0] };

struct telling {
    struct rv_world *world;
    struct rv_stream *stream; /* NULL when it is over */
    size_t peer;
    unsigned opens;
    bool ended; /* the peer writes no more */
    char text[64];
    unsigned done;
    int error;
};

static int open_next(struct telling *telling);

static void on_open(struct rv_stream *stream, void *arg)
{
    struct telling *telling = arg;

    (void)stream;
    telling->opens++;
    rv_world_step(telling->world);
}

static void on_data(struct rv_stream *stream, const char *bytes, size_t len, void *arg)
{
    struct telling *telling = arg;

    cr_assert_eq(stream, telling->stream);
    cr_assert(!telling->ended, "more after the end");
    cr_assert_lt(strlen(telling->text) + len, sizeof telling->text);
    strncat(telling->text, bytes, len);
    rv_world_step(telling->world);
}

/* We still may write. */
static void on_end(struct rv_stream *stream, void *arg)
{
    struct telling *telling = arg;
    int error = rv_stream_write(stream, RV_WORLD_FAREWELL, strlen(RV_WORLD_FAREWELL));

    telling->ended = true;
    telling->error = error;
    rv_stream_shutdown(stream);
    if (error)
        rv_stream_cancel(stream);
    rv_world_step(telling->world);
}

static void note_end(const struct telling *telling, int error)
{
    rv_note("%s: %s, opened %u times%s, got \"%s\"\n", peers[telling->peer].name,
            error ? reeve_error_name(error) : "0", telling->opens,
            telling->ended ? ", ended by the peer" : "", telling->text);
}

static void on_done(struct rv_stream *stream, int error, void *arg)
{
    struct telling *telling = arg;

    cr_assert_eq(stream, telling->stream);
    cr_assert_neq(rv_stream_problem(stream)[0], 0);
    telling->stream = NULL;
    note_end(telling, error);
    if (telling->error)
        error = telling->error;
    else if (error == peers[telling->peer].error && ++telling->peer < PEERS)
        error = open_next(telling);
    else if (telling->peer == PEERS)
        error = 0;
    rv_world_step(telling->world);
    if (telling->stream)
        return;
    telling->done++;
    telling->error = error;
}

static int open_next(struct telling *telling)
{
    struct rv_world_place place = rv_world_peer(telling->world, peers[telling->peer].manner);
    const struct rv_stream_options options = {
        .host = place.host,
        .port = place.port,
        .connect_timeout_ms = PATIENCE_MS,
        .idle_timeout_ms =
            peers[telling->peer].manner == RV_WORLD_SILENT ? SILENCE_MS : PATIENCE_MS,
        .max_queued_bytes = 1024,
        .on_open = on_open,
        .on_data = on_data,
        .on_end = on_end,
        .on_done = on_done,
        .arg = telling,
    };
    int error;

    telling->opens = 0;
    telling->ended = false;
    telling->text[0] = '\0';
    error = rv_stream_open(rv_world_runtime(telling->world), &options, &telling->stream);
    if (error)
        return error;
    error = rv_stream_write(telling->stream, RV_WORLD_HELLO, strlen(RV_WORLD_HELLO));
    if (error) {
        telling->error = error;
        rv_stream_cancel(telling->stream);
    }
    return 0;
}

static void strike(void *arg)
{
    struct telling *telling = arg;

    if (telling->stream)
        rv_stream_cancel(telling->stream);
}

int story_stream(struct rv_test *t, void *arg)
{
    struct telling telling = {.peer = 0};
    int error = rv_world_open(t, &telling.world);

    (void)arg;
    if (!error)
        error = open_next(&telling);
    if (!error) {
        rv_world_play(telling.world, &telling.done, strike, &telling);
        error = telling.error;
    }
    if (!error)
        rv_note("the first heard \"%s\"\n", rv_world_heard(telling.world));
    rv_world_close(telling.world);
    return error;
}
