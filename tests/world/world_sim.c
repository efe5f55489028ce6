/* SPDX-License-Identifier: MIT */
/* The simulated world: virtual time, a scripted network, and the present fate (tests/sim/fate.h).
 */
#include "tests/world/world.h"

#include "tests/sim/fate.h"
#include "tests/sim/file.h"
#include "tests/sim/http.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "tests/sim/stream.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char server_url[] = "http://world.test";

struct rv_world {
    struct reeve_runtime *runtime;
    rv_world_serve_fn serve;
    void *arg;
    struct rv_world_child child;
    char heard[64];
};

struct rv_answer {
    struct rv_sim_http_exchange *exchange;
};

static void respond(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct rv_sim_http_request *request = rv_sim_http_request_of(exchange);
    struct rv_world *world = arg;
    struct rv_answer answer = {exchange};
    struct rv_asked asked = {
        .number = request->number,
        .path = request->url + strlen(server_url),
        .body = request->body,
        .body_len = request->body_len,
    };

    world->serve(&answer, &asked, world->arg);
}

int rv_world_open(struct rv_test *t, struct rv_world **ret_world)
{
    struct rv_world *world = calloc(1, sizeof *world);
    struct reeve_runtime_options options;
    int error;

    cr_assert_not_null(world);
    *ret_world = world;
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(NULL, &options, &world->runtime);
    if (error)
        return error;
    rv_sim_http_on(rv_sim_http_of(world->runtime), NULL, server_url, NULL, respond, world);
    return 0;
}

void rv_world_close(struct rv_world *world)
{
    reeve_runtime_free(world->runtime);
    free(world);
}

struct reeve_runtime *rv_world_runtime(struct rv_world *world)
{
    return world->runtime;
}

const char *rv_world_url(struct rv_world *world)
{
    (void)world;
    return server_url;
}

const char *rv_world_root(struct rv_world *world)
{
    (void)world;
    return "/world";
}

void rv_world_put(struct rv_world *world, const char *folder, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    rv_sim_file_put(rv_sim_files_of(world->runtime), path, text, strlen(text));
}

void rv_world_mode(struct rv_world *world, const char *path, unsigned mode)
{
    rv_sim_file_mode(rv_sim_files_of(world->runtime), path, mode);
}

static void play_shell(struct rv_sim_child *x, void *arg)
{
    const struct rv_world_child *child = arg;

    rv_sim_child_write(x, RV_PROCESS_STDOUT, child->out);
    rv_sim_child_write(x, RV_PROCESS_STDERR, child->err);
    rv_sim_child_exit(x, child->code);
}

int rv_world_shell(struct rv_world *world, const struct rv_world_child *child)
{
    world->child = *child;
    return rv_sim_process_on(world->runtime, "sh", play_shell, &world->child);
}

static void play_talk(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_connect_ms(x, 2);
    rv_sim_peer_expect(x, RV_WORLD_HELLO);
    rv_sim_peer_send(x, RV_WORLD_GREETING);
    rv_sim_peer_end(x);
    rv_sim_peer_expect(x, RV_WORLD_FAREWELL);
}

static void play_reset(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_expect(x, RV_WORLD_HELLO);
    rv_sim_peer_reset(x);
}

static void play_refusal(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_connect_fails(x, REEVE_ECONNECT, "could not be made: refused");
}

static void play_silence(struct rv_sim_peer *x, void *arg)
{
    (void)arg;
    rv_sim_peer_expect(x, RV_WORLD_HELLO);
}

struct rv_world_place rv_world_peer(struct rv_world *world, enum rv_world_manner manner)
{
    static const struct {
        const char *host;
        rv_sim_peer_writer play;
    } peers[RV_WORLD_MANNERS] = {
        [RV_WORLD_TALKS] = {"talks.test", play_talk},
        [RV_WORLD_RESETS] = {"resets.test", play_reset},
        [RV_WORLD_REFUSES] = {"refuses.test", play_refusal},
        [RV_WORLD_SILENT] = {"silent.test", play_silence},
    };

    rv_sim_stream_on(world->runtime, peers[manner].host, peers[manner].play, NULL);
    return (struct rv_world_place){peers[manner].host, 7};
}

/* All peers together are told what was sent; the others were sent the hello alone, later. */
const char *rv_world_heard(struct rv_world *world)
{
    const char *received = rv_sim_stream_received(world->runtime);
    size_t len = strlen(RV_WORLD_HELLO RV_WORLD_FAREWELL);

    cr_assert_geq(strlen(received), len);
    snprintf(world->heard, sizeof world->heard, "%.*s", (int)len, received);
    return world->heard;
}

void rv_world_serve(struct rv_world *world, rv_world_serve_fn serve, void *arg)
{
    world->serve = serve;
    world->arg = arg;
}

void rv_answer_head(struct rv_answer *answer, int status, const char *type)
{
    rv_sim_http_status(answer->exchange, status);
    rv_sim_http_field(answer->exchange, "content-type", type);
}

void rv_answer_text(struct rv_answer *answer, const char *text)
{
    rv_sim_http_text(answer->exchange, text);
}

void rv_answer_wait(struct rv_answer *answer, unsigned ms)
{
    rv_sim_http_wait(answer->exchange, ms);
}

void rv_answer_lose(struct rv_answer *answer)
{
    rv_sim_http_lose(answer->exchange, "it ended before the answer was complete");
}

void rv_answer_stall(struct rv_answer *answer)
{
    rv_sim_http_stall(answer->exchange);
}

void rv_world_play(struct rv_world *world, const unsigned *over, void (*strike)(void *arg),
                   void *arg)
{
    rv_sim_play(world->runtime, strike, arg);
    cr_assert_eq(*over, 1, "nothing moves any more, and the end has come %u times", *over);
    cr_assert_eq(reeve_runtime_pending(world->runtime), 0);
    cr_assert_eq(rv_sim_http_pending(rv_sim_http_of(world->runtime)), 0);
    cr_assert_eq(rv_sim_file_pending(rv_sim_files_of(world->runtime)), 0);
}

void rv_world_step(struct rv_world *world)
{
    (void)world;
    rv_sim_step();
}
