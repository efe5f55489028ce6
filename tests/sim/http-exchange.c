/* SPDX-License-Identifier: MIT */
/*
 * An exchange is what the real wire calls a transfer: it takes the body that is pulled, then plays
 * its script one step or one piece at a turn, and then waits in the ready queue again, behind what
 * it made the request hand on. So two pieces are never seen as one.
 */
#include "tests/sim/http-exchange.h"

#include "tests/lib/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/http_wire.h"
#include "loop/runtime.h"

enum { TAKEN_BYTES = 1000 };

enum step_kind {
    STEP_WAIT,
    STEP_LINE,
    STEP_BODY,
    STEP_END,
    STEP_STALL,
};

struct step {
    struct rv_list node;
    enum step_kind kind;
    uint64_t wait_ms;
    int error;
    size_t len;
    char *text;
};

/* ---- memory: not the runtime's --------------------------------------------------------------- */

void *rv_sim_http_must(void *block)
{
    if (!block)
        abort();
    return block;
}

void *rv_sim_http_make(size_t size)
{
    return rv_sim_http_must(calloc(1, size));
}

char *rv_sim_http_copy(const char *text)
{
    return text ? rv_sim_http_must(strdup(text)) : NULL;
}

char *rv_sim_http_copy_bytes(const void *bytes, size_t len)
{
    char *text = rv_sim_http_make(len + 1);

    if (len)
        memcpy(text, bytes, len);
    return text;
}

/* ---- the script ------------------------------------------------------------------------------ */

static struct step *add_step(struct rv_sim_http_exchange *x, enum step_kind kind)
{
    struct step *step = rv_sim_http_make(sizeof *step);

    step->kind = kind;
    rv_list_append(&x->script, &step->node);
    return step;
}

static void step_free(struct step *step)
{
    rv_list_remove(&step->node);
    free(step->text);
    free(step);
}

static void add_line(struct rv_sim_http_exchange *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_line(struct rv_sim_http_exchange *x, const char *format, ...)
{
    struct step *step = add_step(x, STEP_LINE);
    va_list args;

    va_start(args, format);
    if (vasprintf(&step->text, format, args) < 0)
        abort();
    va_end(args);
    step->len = strlen(step->text);
}

void rv_sim_http_close_head(struct rv_sim_http_exchange *x)
{
    if (x->head_open)
        add_line(x, "\r\n");
    x->head_open = false;
}

void rv_sim_http_connect_ms(struct rv_sim_http_exchange *x, uint64_t delay_ms)
{
    x->connect_ms = delay_ms;
}

void rv_sim_http_connect_fails(struct rv_sim_http_exchange *x, int error, const char *detail)
{
    x->connect_error = error;
    free(x->connect_detail);
    x->connect_detail = rv_sim_http_copy(detail);
}

void rv_sim_http_dies_after(struct rv_sim_http_exchange *x, size_t bytes)
{
    x->dies_after = bytes;
}

void rv_sim_http_connect_stalls(struct rv_sim_http_exchange *x)
{
    x->connect_stalls = true;
}

void rv_sim_http_wait(struct rv_sim_http_exchange *x, uint64_t ms)
{
    rv_sim_http_close_head(x);
    add_step(x, STEP_WAIT)->wait_ms = ms;
}

void rv_sim_http_status(struct rv_sim_http_exchange *x, int status)
{
    rv_sim_http_close_head(x);
    add_line(x, "HTTP/1.1 %d Simulated\r\n", status);
    x->head_open = true;
}

void rv_sim_http_field(struct rv_sim_http_exchange *x, const char *name, const char *value)
{
    add_line(x, "%s: %s\r\n", name, value);
}

void rv_sim_http_line(struct rv_sim_http_exchange *x, const char *line)
{
    add_line(x, "%s\r\n", line);
}

void rv_sim_http_body(struct rv_sim_http_exchange *x, const void *bytes, size_t len)
{
    struct step *step;

    rv_sim_http_close_head(x);
    step = add_step(x, STEP_BODY);
    step->text = rv_sim_http_copy_bytes(bytes, len);
    step->len = len;
}

void rv_sim_http_text(struct rv_sim_http_exchange *x, const char *text)
{
    rv_sim_http_body(x, text, strlen(text));
}

void rv_sim_http_stall(struct rv_sim_http_exchange *x)
{
    rv_sim_http_close_head(x);
    add_step(x, STEP_STALL);
}

void rv_sim_http_lose(struct rv_sim_http_exchange *x, const char *detail)
{
    rv_sim_http_fail(x, REEVE_ECONNLOST, detail);
}

/* The head stays open if it is: the connection may end in it. */
void rv_sim_http_fail(struct rv_sim_http_exchange *x, int error, const char *detail)
{
    struct step *step = add_step(x, STEP_END);

    step->error = error;
    step->text = rv_sim_http_copy(detail);
    x->head_open = false;
}

/* ---- playing --------------------------------------------------------------------------------- */

void rv_sim_http_exchange_free(struct rv_sim_http_exchange *x)
{
    struct rv_list *node, *after;

    rv_ready_remove(&x->task);
    rv_timer_stop(x->net->runtime, &x->timer);
    rv_list_for_each_safe (node, after, &x->script)
        step_free(rv_list_entry(node, struct step, node));
    rv_free(x->http->mem, x->ballast);
    free(x->connect_detail);
    if (x->gone)
        *x->gone = true;
    x->net->pending--;
    x->http->wire = NULL;
    free(x);
}

static void end(struct rv_sim_http_exchange *x, int error, const char *detail)
{
    struct rv_http *http = x->http;
    char *kept = rv_sim_http_copy(detail);

    x->request->ended = true;
    rv_sim_http_exchange_free(x);
    rv_http_ended(http, error, kept);
    free(kept);
}

void rv_sim_http_play(struct rv_sim_http_exchange *x)
{
    if (x->gone)
        x->again = true;
    else
        rv_ready_push(x->net->runtime, &x->task);
}

/* The fault is due: at the point it was set for, told in bytes of the body. */
static bool meet_fault(struct rv_sim_http_exchange *x)
{
    const struct rv_sim_http_weather *weather = &x->weather;
    bool here = weather->fault_after == RV_SIM_HTTP_IN_HEAD
                    ? x->connected && !x->head_sent
                    : x->head_sent && x->body_sent >= weather->fault_after;

    if (!here)
        return false;
    switch (weather->fault) {
    case RV_SIM_HTTP_LOSE:
        end(x, REEVE_ECONNLOST, "it ended before the answer was complete");
        return true;
    case RV_SIM_HTTP_END:
        end(x, 0, NULL);
        return true;
    case RV_SIM_HTTP_STALL:
        return true;
    default:
        return false;
    }
}

/* How much of the present piece of body goes in one turn. */
static size_t piece_len(struct rv_sim_http_exchange *x, size_t len)
{
    const struct rv_sim_http_weather *weather = &x->weather;
    bool fault = weather->fault != RV_SIM_HTTP_NO_FAULT;

    if (weather->piece_bytes && len > weather->piece_bytes)
        len = weather->piece_bytes;
    if (weather->max_random_bytes) {
        size_t most = (size_t)(rv_random_next(&x->net->random) % weather->max_random_bytes) + 1;

        len = len > most ? most : len;
    }
    for (size_t i = 0; i < RV_SIM_HTTP_CUTS; i++) {
        size_t cut = weather->cuts[i];

        if (cut > x->body_sent && cut - x->body_sent < len)
            len = cut - x->body_sent;
    }
    if (fault && weather->fault_after > x->body_sent && weather->fault_after - x->body_sent < len)
        len = weather->fault_after - x->body_sent;
    return len;
}

static bool random_wait(struct rv_sim_http_exchange *x)
{
    uint64_t ms;

    x->random_waited = !x->random_waited;
    if (!x->weather.max_random_ms || !x->random_waited)
        return false;
    ms = rv_random_next(&x->net->random) % (x->weather.max_random_ms + 1);
    rv_timer_start_ms(x->net->runtime, &x->timer, ms);
    return true;
}

static void step_over(struct rv_sim_http_exchange *x, struct step *step)
{
    step_free(step);
    x->step_sent = 0;
    rv_sim_http_play(x);
}

static void refused(struct rv_sim_http_exchange *x)
{
    end(x, REEVE_ESYSTEM, "the request's own reason counts, not this");
}

static void play_line(struct rv_sim_http_exchange *x, struct step *step)
{
    if (rv_http_head_came(x->http, step->text, step->len) == RV_HTTP_REFUSED) {
        refused(x);
        return;
    }
    x->head_sent = x->http->head.complete;
    step_over(x, step);
}

static void play_body(struct rv_sim_http_exchange *x, struct step *step)
{
    size_t len;

    if (step->len == x->step_sent) {
        step_over(x, step);
        return;
    }
    if (random_wait(x))
        return;
    len = piece_len(x, step->len - x->step_sent);
    switch (rv_http_body_came(x->http, step->text + x->step_sent, len)) {
    case RV_HTTP_TAKEN:
        x->step_sent += len;
        x->body_sent += len;
        rv_sim_http_play(x);
        break;
    case RV_HTTP_HELD:
        break;
    case RV_HTTP_REFUSED:
        refused(x);
        break;
    }
}

static void play_step(struct rv_sim_http_exchange *x)
{
    struct step *step;

    if (rv_list_empty(&x->script)) {
        end(x, 0, NULL);
        return;
    }
    step = rv_list_entry(x->script.next, struct step, node);
    switch (step->kind) {
    case STEP_WAIT:
        rv_timer_start_ms(x->net->runtime, &x->timer, step->wait_ms);
        step_free(step);
        break;
    case STEP_LINE:
        play_line(x, step);
        break;
    case STEP_BODY:
        play_body(x, step);
        break;
    case STEP_END:
        end(x, step->error, step->text);
        break;
    case STEP_STALL:
        break;
    }
}

static void connect_now(struct rv_sim_http_exchange *x)
{
    if (!x->connecting && x->connect_ms) {
        x->connecting = true;
        rv_timer_start_ms(x->net->runtime, &x->timer, x->connect_ms);
        return;
    }
    if (x->connect_error) {
        end(x, x->connect_error, x->connect_detail);
        return;
    }
    x->connected = true;
    rv_http_connected(x->http);
    rv_sim_http_play(x);
}

static void add_to_body(struct rv_sim_http_request *request, const char *bytes, size_t len)
{
    char *body = (char *)(uintptr_t)request->body;

    body = rv_sim_http_must(realloc(body, request->body_len + len + 1));
    memcpy(body + request->body_len, bytes, len);
    request->body_len += len;
    body[request->body_len] = '\0';
    request->body = body;
}

/* Once: the connection was a dead one, and another takes its place. */
static bool died(struct rv_sim_http_exchange *x)
{
    if (x->dies_after == SIZE_MAX || x->request->body_len < x->dies_after)
        return false;
    x->dies_after = SIZE_MAX;
    x->request->body_len = 0;
    if (rv_http_body_rewind(x->http))
        rv_sim_http_play(x);
    else
        end(x, REEVE_ECONNLOST, NULL);
    return true;
}

static void take_body(struct rv_sim_http_exchange *x)
{
    char room[TAKEN_BYTES];
    bool later;
    size_t len;

    if (died(x))
        return;
    len = rv_http_body_next(x->http, room, sizeof room, &later);
    if (later)
        return;
    add_to_body(x->request, room, len);
    x->body_taken = !len;
    rv_sim_http_play(x);
}

static void play_connected(struct rv_sim_http_exchange *x)
{
    if (meet_fault(x))
        return;
    if (x->http->options.on_body && !x->body_taken)
        take_body(x);
    else
        play_step(x);
}

static void play_one(struct rv_sim_http_exchange *x)
{
    if (x->connected)
        play_connected(x);
    else if (!x->connect_stalls)
        connect_now(x);
}

static void play_burst(struct rv_sim_http_exchange *x)
{
    bool gone = false;

    x->gone = &gone;
    do {
        x->again = false;
        play_one(x);
    } while (!gone && x->again);
    if (!gone)
        x->gone = NULL;
}

static void play(struct rv_sim_http_exchange *x)
{
    if (x->weather.burst)
        play_burst(x);
    else
        play_one(x);
}

static void on_turn(struct rv_task *task)
{
    play(rv_container_of(task, struct rv_sim_http_exchange, task));
}

static void on_time(struct rv_timer *timer)
{
    play(rv_container_of(timer, struct rv_sim_http_exchange, timer));
}

void rv_sim_http_exchange_init(struct rv_sim_http_exchange *x)
{
    rv_task_init(&x->task, on_turn);
    rv_timer_init(&x->timer, on_time);
    rv_list_init(&x->script);
    x->dies_after = SIZE_MAX;
}

size_t rv_sim_http_scripted_bytes(struct rv_sim_http_exchange *x)
{
    struct rv_list *node;
    size_t bytes = 0;

    rv_list_for_each (node, &x->script) {
        struct step *step = rv_list_entry(node, struct step, node);

        bytes += step->kind == STEP_BODY ? step->len : 0;
    }
    return bytes;
}
