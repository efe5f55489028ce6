/* SPDX-License-Identifier: MIT */
/* Scripted peers. See stream.h. */
#include "tests/sim/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/stream_link.h"
#include "loop/runtime.h"
#include "tests/sim/fate.h"

enum { MAX_RECEIVED = 4096, MAX_FATE_PIECE = 24, MAX_FATE_WAIT_MS = 3 };

enum step_kind { STEP_WAIT, STEP_SEND, STEP_EXPECT, STEP_READ, STEP_END, STEP_RESET };

struct step {
    struct rv_list node;
    enum step_kind kind;
    uint64_t ms;
    bool on;
    char *text;
    size_t len;
};

struct script {
    struct rv_list node;
    char *address;
    rv_sim_peer_writer write;
    void *arg;
};

struct world {
    struct rv_list scripts;
    size_t from_bytes, to_bytes;
    size_t links, shut;
    char received[MAX_RECEIVED];
    size_t received_len;
};

struct rv_sim_peer {
    struct rv_stream *stream;
    struct world *world;
    struct rv_list steps;
    struct rv_task task;      /* plays the script */
    struct rv_task take_task; /* takes what is sent */
    struct rv_timer timer;
    size_t sent;  /* of the present step */
    char *unread; /* of what came, not yet expected */
    size_t unread_len;
    uint64_t connect_ms;
    int connect_error;
    char *connect_detail;
    bool connect_stalls;
    bool connected;
    bool deaf;
    bool waiting;
};

static void *must(void *block)
{
    if (!block)
        abort();
    return block;
}

static void free_world(void *value)
{
    struct world *world = value;
    struct rv_list *node;

    while ((node = rv_list_shift(&world->scripts))) {
        struct script *script = rv_list_entry(node, struct script, node);

        free(script->address);
        free(script);
    }
    free(world);
}

static struct world *world_of(struct reeve_runtime *runtime)
{
    struct world *world = rv_runtime_slot(runtime, RV_SLOT_STREAM);

    if (world)
        return world;
    world = must(calloc(1, sizeof *world));
    rv_list_init(&world->scripts);
    rv_runtime_slot_set(runtime, RV_SLOT_STREAM, world, free_world);
    return world;
}

void rv_sim_stream_on(struct reeve_runtime *runtime, const char *address, rv_sim_peer_writer write,
                      void *arg)
{
    struct script *script = must(calloc(1, sizeof *script));

    script->address = address ? must(strdup(address)) : NULL;
    script->write = write;
    script->arg = arg;
    rv_list_append(&world_of(runtime)->scripts, &script->node);
}

void rv_sim_stream_split(struct reeve_runtime *runtime, size_t from_bytes, size_t to_bytes)
{
    world_of(runtime)->from_bytes = from_bytes;
    world_of(runtime)->to_bytes = to_bytes;
}

size_t rv_sim_stream_links(struct reeve_runtime *runtime)
{
    return world_of(runtime)->links;
}

const char *rv_sim_stream_received(struct reeve_runtime *runtime)
{
    return world_of(runtime)->received;
}

size_t rv_sim_stream_shut(struct reeve_runtime *runtime)
{
    return world_of(runtime)->shut;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static struct step *add_step(struct rv_sim_peer *x, enum step_kind kind, const char *text)
{
    struct step *step = must(calloc(1, sizeof *step));

    step->kind = kind;
    step->text = text ? must(strdup(text)) : NULL;
    step->len = text ? strlen(text) : 0;
    rv_list_append(&x->steps, &step->node);
    return step;
}

void rv_sim_peer_connect_ms(struct rv_sim_peer *x, uint64_t ms)
{
    x->connect_ms = ms;
}

void rv_sim_peer_connect_fails(struct rv_sim_peer *x, int error, const char *detail)
{
    x->connect_error = error;
    x->connect_detail = must(strdup(detail));
}

void rv_sim_peer_connect_stalls(struct rv_sim_peer *x)
{
    x->connect_stalls = true;
}

void rv_sim_peer_wait(struct rv_sim_peer *x, uint64_t ms)
{
    add_step(x, STEP_WAIT, NULL)->ms = ms;
}

void rv_sim_peer_send(struct rv_sim_peer *x, const char *text)
{
    add_step(x, STEP_SEND, text);
}

void rv_sim_peer_expect(struct rv_sim_peer *x, const char *text)
{
    add_step(x, STEP_EXPECT, text);
}

void rv_sim_peer_read(struct rv_sim_peer *x, bool on)
{
    add_step(x, STEP_READ, NULL)->on = on;
}

void rv_sim_peer_end(struct rv_sim_peer *x)
{
    add_step(x, STEP_END, NULL);
}

void rv_sim_peer_reset(struct rv_sim_peer *x)
{
    add_step(x, STEP_RESET, NULL);
}

/* ---- playing ----------------------------------------------------------------------------------
 */

static void step_free(struct step *step)
{
    rv_list_remove(&step->node);
    free(step->text);
    free(step);
}

static void peer_free(struct rv_sim_peer *x)
{
    struct rv_list *node, *after;

    rv_ready_remove(&x->task);
    rv_ready_remove(&x->take_task);
    rv_timer_stop(x->stream->runtime, &x->timer);
    rv_list_for_each_safe (node, after, &x->steps)
        step_free(rv_list_entry(node, struct step, node));
    x->world->links--;
    x->stream->link = NULL;
    free(x->unread);
    free(x->connect_detail);
    rv_free(x->stream->mem, x);
}

static void lose(struct rv_sim_peer *x, int error, const char *detail)
{
    struct rv_stream *stream = x->stream;
    char *kept = must(strdup(detail));

    peer_free(x);
    rv_stream_lost(stream, error, kept);
    free(kept);
}

static void next_turn(struct rv_sim_peer *x)
{
    rv_ready_push(x->stream->runtime, &x->task);
}

static void take_turn(struct rv_sim_peer *x)
{
    rv_ready_push(x->stream->runtime, &x->take_task);
}

static void step_over(struct rv_sim_peer *x, struct step *step)
{
    step_free(step);
    x->sent = 0;
    next_turn(x);
}

/* A seed has the peer take its time between two pieces. */
static void next_piece(struct rv_sim_peer *x)
{
    uint64_t wait_ms = rv_fate_random() % (MAX_FATE_WAIT_MS + 1);

    if (!wait_ms) {
        next_turn(x);
        return;
    }
    x->waiting = true;
    rv_timer_start_ms(x->stream->runtime, &x->timer, wait_ms);
}

/* At most `most` bytes, if that is not 0, and no more than luck has it. */
static size_t piece_of(size_t len, size_t most)
{
    size_t luck = rv_fate()->seed ? 1 + (size_t)(rv_fate_random() % MAX_FATE_PIECE) : SIZE_MAX;

    if (most && len > most)
        len = most;
    return len < luck ? len : luck;
}

static void play_send(struct rv_sim_peer *x, struct step *step)
{
    size_t len = step->len - x->sent, room;

    if (!len) {
        step_over(x, step);
        return;
    }
    room = rv_stream_room(x->stream);
    len = piece_of(len, x->world->from_bytes);
    len = len < room ? len : room;
    if (!len)
        return; /* until rv_link_read_on */
    x->sent += len;
    rv_stream_came(x->stream, step->text + x->sent - len, len);
    next_piece(x); /* behind what hands this piece on */
}

static void play_expect(struct rv_sim_peer *x, struct step *step)
{
    if (x->unread_len < step->len)
        return; /* until it comes */
    if (memcmp(x->unread, step->text, step->len) != 0)
        abort();
    x->unread_len -= step->len;
    memmove(x->unread, x->unread + step->len, x->unread_len);
    step_over(x, step);
}

static void play_step(struct rv_sim_peer *x, struct step *step)
{
    switch (step->kind) {
    case STEP_WAIT:
        x->waiting = true;
        rv_timer_start_ms(x->stream->runtime, &x->timer, step->ms);
        step_free(step);
        break;
    case STEP_SEND:
        play_send(x, step);
        break;
    case STEP_EXPECT:
        play_expect(x, step);
        break;
    case STEP_READ:
        x->deaf = !step->on;
        take_turn(x);
        step_over(x, step);
        break;
    case STEP_END:
        step_over(x, step);
        rv_stream_peer_ended(x->stream);
        break;
    case STEP_RESET:
        lose(x, REEVE_ECONNLOST, "failed: reset by peer");
        break;
    }
}

static void connect_now(struct rv_sim_peer *x)
{
    if (x->connect_stalls)
        return;
    if (x->connect_ms) {
        rv_timer_start_ms(x->stream->runtime, &x->timer, x->connect_ms);
        x->connect_ms = 0;
        return;
    }
    if (x->connect_error) {
        lose(x, x->connect_error, x->connect_detail);
        return;
    }
    x->connected = true;
    next_turn(x);
    rv_stream_connected(x->stream);
}

static void on_turn(struct rv_task *task)
{
    struct rv_sim_peer *x = rv_container_of(task, struct rv_sim_peer, task);

    if (!x->connected)
        connect_now(x);
    else if (!x->waiting && !rv_list_empty(&x->steps))
        play_step(x, rv_list_entry(x->steps.next, struct step, node));
}

static void on_time(struct rv_timer *timer)
{
    struct rv_sim_peer *x = rv_container_of(timer, struct rv_sim_peer, timer);

    x->waiting = false;
    on_turn(&x->task);
}

static void keep(struct rv_sim_peer *x, const char *bytes, size_t len)
{
    struct world *world = x->world;

    if (len >= MAX_RECEIVED - world->received_len)
        abort();
    memcpy(world->received + world->received_len, bytes, len);
    world->received_len += len;
    world->received[world->received_len] = '\0';
    x->unread = must(realloc(x->unread, x->unread_len + len));
    memcpy(x->unread + x->unread_len, bytes, len);
    x->unread_len += len;
}

/* Takes a piece of what the stream has queued, or the news that there is no more. */
static void take(struct rv_task *task)
{
    struct rv_sim_peer *x = rv_container_of(task, struct rv_sim_peer, take_task);
    const char *bytes = NULL;
    size_t len;

    if (x->deaf)
        return;
    len = rv_stream_next(x->stream, &bytes);
    if (len) {
        len = piece_of(len, x->world->to_bytes);
        keep(x, bytes, len);
        take_turn(x);
        next_turn(x);
        rv_stream_sent(x->stream, len);
    } else if (x->stream->shutting && !x->stream->shut) {
        x->world->shut++;
        rv_stream_was_shut(x->stream);
    }
}

/* ---- below the seam ---------------------------------------------------------------------------
 */

static struct script *find_script(struct world *world, const char *address)
{
    for (struct rv_list *node = world->scripts.prev; node != &world->scripts; node = node->prev) {
        struct script *script = rv_list_entry(node, struct script, node);

        if (!script->address || strcmp(script->address, address) == 0)
            return script;
    }
    return NULL;
}

int rv_link_start(struct rv_stream *stream)
{
    struct rv_sim_peer *x = rv_zalloc(stream->mem, sizeof *x);
    struct script *script;

    if (!x)
        return REEVE_ENOMEM;
    x->stream = stream;
    x->world = world_of(stream->runtime);
    x->world->links++;
    rv_list_init(&x->steps);
    rv_task_init(&x->task, on_turn);
    rv_task_init(&x->take_task, take);
    rv_timer_init(&x->timer, on_time);
    stream->link = x;
    script = find_script(x->world, stream->unix_path ? stream->unix_path : stream->host);
    if (script)
        script->write(x, script->arg);
    else
        rv_sim_peer_connect_fails(x, REEVE_ERESOLVE, "could not be made: no such name");
    next_turn(x);
    return 0;
}

void rv_link_stop(struct rv_stream *stream)
{
    peer_free(stream->link);
}

void rv_link_send(struct rv_stream *stream)
{
    take_turn(stream->link);
}

void rv_link_read_on(struct rv_stream *stream)
{
    next_turn(stream->link);
}
