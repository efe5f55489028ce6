/* SPDX-License-Identifier: MIT */
/*
 * The scripted network. An exchange is what the real wire calls a transfer: it plays its script one
 * step or one piece at a turn, and then waits in the ready queue again, behind what it made the
 * request hand on. So two pieces are never seen as one.
 */
#include "tests/sim/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/http_wire.h"
#include "loop/runtime.h"
#include "tests/sim/fate.h"

enum { MAX_REQUESTS = 1 << 20, CUTS = 2, MAX_FATE_PIECE = 64, MAX_FATE_WAIT_MS = 30 };

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

struct responder {
    struct rv_list node;
    char *method;
    char *url;
    char *body;
    rv_sim_http_responder respond;
    void *arg;
    unsigned left; /* 0: no end */
    bool used_up;
};

struct reply {
    struct rv_list node;
    int status;
    char *type;
    char *body;
};

/* What all requests that start from now on meet. */
struct weather {
    size_t piece_bytes;
    size_t cuts[CUTS];
    size_t max_random_bytes;
    uint64_t max_random_ms;
    enum rv_sim_http_fault fault;
    size_t fault_after;
    bool burst;
    unsigned fault_request; /* 0: all of them */
};

struct rv_sim_http {
    struct reeve_runtime *runtime;
    struct rv_list responders;
    struct rv_list replies;
    struct rv_sim_http_request **requests;
    size_t request_count;
    size_t pending;
    size_t peak;
    size_t unmatched;
    struct weather weather;
    uint64_t random;
};

struct rv_sim_http_exchange {
    struct rv_sim_http *net;
    struct rv_http *http;
    struct rv_sim_http_request *request;
    struct weather weather;
    struct rv_task task;
    struct rv_timer timer;
    struct rv_list script;
    void *ballast; /* of the runtime's memory: what a sweep fails */
    uint64_t connect_ms;
    int connect_error;
    char *connect_detail;
    bool connect_stalls;
    bool connecting;
    bool connected;
    bool head_open;
    bool head_sent;
    bool random_waited;
    bool again;       /* in a burst: another step in this turn */
    bool *gone;       /* in a burst: to be set when this is freed */
    size_t step_sent; /* bytes of the present step's body */
    size_t body_sent;
};

/* ---- memory: not the runtime's --------------------------------------------------------------- */

static void *must(void *block)
{
    if (!block)
        abort();
    return block;
}

static void *make(size_t size)
{
    return must(calloc(1, size));
}

static char *copy(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

static char *copy_bytes(const void *bytes, size_t len)
{
    char *text = make(len + 1);

    if (len)
        memcpy(text, bytes, len);
    return text;
}

/* ---- the script ------------------------------------------------------------------------------ */

static struct step *add_step(struct rv_sim_http_exchange *x, enum step_kind kind)
{
    struct step *step = make(sizeof *step);

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

static void close_head(struct rv_sim_http_exchange *x)
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
    x->connect_detail = copy(detail);
}

void rv_sim_http_connect_stalls(struct rv_sim_http_exchange *x)
{
    x->connect_stalls = true;
}

void rv_sim_http_wait(struct rv_sim_http_exchange *x, uint64_t ms)
{
    close_head(x);
    add_step(x, STEP_WAIT)->wait_ms = ms;
}

void rv_sim_http_status(struct rv_sim_http_exchange *x, int status)
{
    close_head(x);
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

    close_head(x);
    step = add_step(x, STEP_BODY);
    step->text = copy_bytes(bytes, len);
    step->len = len;
}

void rv_sim_http_text(struct rv_sim_http_exchange *x, const char *text)
{
    rv_sim_http_body(x, text, strlen(text));
}

void rv_sim_http_stall(struct rv_sim_http_exchange *x)
{
    close_head(x);
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
    step->text = copy(detail);
    x->head_open = false;
}

/* ---- playing --------------------------------------------------------------------------------- */

static void exchange_free(struct rv_sim_http_exchange *x)
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
    char *kept = copy(detail);

    x->request->ended = true;
    exchange_free(x);
    rv_http_ended(http, error, kept);
    free(kept);
}

static void next_turn(struct rv_sim_http_exchange *x)
{
    if (x->gone)
        x->again = true;
    else
        rv_ready_push(x->net->runtime, &x->task);
}

static uint64_t next_random(struct rv_sim_http *net)
{
    uint64_t z = net->random += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The fault is due: at the point it was set for, told in bytes of the body. */
static bool meet_fault(struct rv_sim_http_exchange *x)
{
    const struct weather *weather = &x->weather;
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
    const struct weather *weather = &x->weather;
    bool fault = weather->fault != RV_SIM_HTTP_NO_FAULT;

    if (weather->piece_bytes && len > weather->piece_bytes)
        len = weather->piece_bytes;
    if (weather->max_random_bytes) {
        size_t most = (size_t)(next_random(x->net) % weather->max_random_bytes) + 1;

        len = len > most ? most : len;
    }
    for (size_t i = 0; i < CUTS; i++) {
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
    ms = next_random(x->net) % (x->weather.max_random_ms + 1);
    rv_timer_start_ms(x->net->runtime, &x->timer, ms);
    return true;
}

static void step_over(struct rv_sim_http_exchange *x, struct step *step)
{
    step_free(step);
    x->step_sent = 0;
    next_turn(x);
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
        next_turn(x);
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
    next_turn(x);
}

static void play_one(struct rv_sim_http_exchange *x)
{
    if (x->connected) {
        if (!meet_fault(x))
            play_step(x);
    } else if (!x->connect_stalls) {
        connect_now(x);
    }
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

/* ---- requests and responders ----------------------------------------------------------------- */

static struct rv_sim_http_request *note_request(struct rv_sim_http *net, const struct rv_http *http)
{
    struct rv_sim_http_request *request = make(sizeof *request);
    size_t count = net->request_count;

    if (count == MAX_REQUESTS)
        abort();
    /* Grows at each power of two. */
    if (!(count & (count - 1)))
        net->requests = must(realloc(net->requests, (count ? 2 * count : 1) * sizeof(void *)));
    net->requests[count] = request;
    net->request_count = count + 1;
    request->number = (unsigned)count + 1;
    request->method = copy(http->method);
    request->url = copy(http->url);
    request->fields = copy_bytes(http->fields.data, http->fields.len);
    request->body = copy_bytes(http->body.data, http->body.len);
    request->body_len = http->body.len;
    return request;
}

static bool matches(const struct responder *responder, const struct rv_sim_http_request *request)
{
    if (responder->used_up)
        return false;
    if (responder->method && strcmp(responder->method, request->method) != 0)
        return false;
    if (responder->url && !strstr(request->url, responder->url))
        return false;
    return !responder->body ||
           memmem(request->body, request->body_len, responder->body, strlen(responder->body));
}

static struct responder *find_responder(struct rv_sim_http *net,
                                        const struct rv_sim_http_request *request)
{
    for (struct rv_list *node = net->responders.prev; node != &net->responders; node = node->prev) {
        struct responder *responder = rv_list_entry(node, struct responder, node);

        if (matches(responder, request))
            return responder;
    }
    return NULL;
}

static void ask_responder(struct rv_sim_http_exchange *x)
{
    struct responder *responder = find_responder(x->net, x->request);

    if (!responder) {
        fprintf(stderr, "simulated http: nobody answers %s %s\n", x->request->method,
                x->request->url);
        x->net->unmatched++;
        rv_sim_http_connect_fails(x, REEVE_ECONNECT, "nobody answers there");
        return;
    }
    if (responder->left && !--responder->left)
        responder->used_up = true;
    x->request->answered = true;
    responder->respond(x, responder->arg);
    close_head(x);
}

static size_t scripted_bytes(struct rv_sim_http_exchange *x)
{
    struct rv_list *node;
    size_t bytes = 0;

    rv_list_for_each (node, &x->script) {
        struct step *step = rv_list_entry(node, struct step, node);

        bytes += step->kind == STEP_BODY ? step->len : 0;
    }
    return bytes;
}

static void meet_weather(struct rv_sim_http_exchange *x)
{
    x->weather = x->net->weather;
    if (x->weather.fault_request && x->weather.fault_request != x->request->number)
        x->weather.fault = RV_SIM_HTTP_NO_FAULT;
    switch (x->weather.fault) {
    case RV_SIM_HTTP_RESOLVE:
        rv_sim_http_connect_fails(x, REEVE_ERESOLVE, "no such name");
        break;
    case RV_SIM_HTTP_REFUSE:
        rv_sim_http_connect_fails(x, REEVE_ECONNECT, "connection refused");
        break;
    case RV_SIM_HTTP_TLS:
        rv_sim_http_connect_fails(x, REEVE_ETLS, "self-signed certificate");
        break;
    default:
        break;
    }
}

/* ---- the wire -------------------------------------------------------------------------------- */

int rv_wire_start(struct rv_http *http)
{
    void *ballast = rv_alloc(http->mem, 64);
    struct rv_sim_http_exchange *x;

    if (!ballast)
        return REEVE_ENOMEM;
    x = make(sizeof *x);
    x->net = rv_sim_http_of(http->runtime);
    x->http = http;
    x->ballast = ballast;
    rv_task_init(&x->task, on_turn);
    rv_timer_init(&x->timer, on_time);
    rv_list_init(&x->script);
    x->request = note_request(x->net, http);
    ask_responder(x);
    rv_fate_answer_begins(x->request->number, scripted_bytes(x));
    meet_weather(x);
    if (++x->net->pending > x->net->peak)
        x->net->peak = x->net->pending;
    http->wire = x;
    next_turn(x);
    return 0;
}

void rv_wire_stop(struct rv_http *http)
{
    struct rv_sim_http_exchange *x = http->wire;

    x->request->stopped = true;
    exchange_free(x);
}

void rv_wire_unpause(struct rv_http *http)
{
    next_turn(http->wire);
}

/* ---- the network ----------------------------------------------------------------------------- */

static void responder_free(struct responder *responder)
{
    rv_list_remove(&responder->node);
    free(responder->method);
    free(responder->url);
    free(responder->body);
    free(responder);
}

static void reply_free(struct reply *reply)
{
    rv_list_remove(&reply->node);
    free(reply->type);
    free(reply->body);
    free(reply);
}

static void request_free(struct rv_sim_http_request *request)
{
    free((void *)(uintptr_t)request->method);
    free((void *)(uintptr_t)request->url);
    free((void *)(uintptr_t)request->fields);
    free((void *)(uintptr_t)request->body);
    free(request);
}

static void net_free(void *value)
{
    struct rv_sim_http *net = value;
    struct rv_list *node, *after;

    if (net->pending) {
        fprintf(stderr, "simulated http: %zu requests outlive their runtime\n", net->pending);
        abort();
    }
    rv_list_for_each_safe (node, after, &net->responders)
        responder_free(rv_list_entry(node, struct responder, node));
    rv_list_for_each_safe (node, after, &net->replies)
        reply_free(rv_list_entry(node, struct reply, node));
    for (size_t i = 0; i < net->request_count; i++)
        request_free(net->requests[i]);
    free(net->requests);
    free(net);
}

static void meet_fate(struct rv_sim_http *net)
{
    const struct rv_fate *fate = rv_fate();

    rv_sim_http_cut(net, fate->cuts[0], fate->cuts[1]);
    rv_sim_http_fault_at(net, fate->fault_request, fate->fault, fate->fault_after);
    if (fate->seed)
        rv_sim_http_shuffle(net, rv_fate_random(), 1 + (size_t)(rv_fate_random() % MAX_FATE_PIECE),
                            rv_fate_random() % MAX_FATE_WAIT_MS);
}

struct rv_sim_http *rv_sim_http_of(struct reeve_runtime *runtime)
{
    struct rv_sim_http *net = rv_runtime_slot(runtime, RV_SLOT_HTTP);

    if (net)
        return net;
    net = make(sizeof *net);
    net->runtime = runtime;
    rv_list_init(&net->responders);
    rv_list_init(&net->replies);
    meet_fate(net);
    rv_runtime_slot_set(runtime, RV_SLOT_HTTP, net, net_free);
    return net;
}

void rv_sim_http_on_next(struct rv_sim_http *net, unsigned count, const char *method,
                         const char *url, const char *body, rv_sim_http_responder respond,
                         void *arg)
{
    struct responder *responder = make(sizeof *responder);

    responder->method = copy(method);
    responder->url = copy(url);
    responder->body = copy(body);
    responder->respond = respond;
    responder->arg = arg;
    responder->left = count;
    rv_list_append(&net->responders, &responder->node);
}

void rv_sim_http_on(struct rv_sim_http *net, const char *method, const char *url, const char *body,
                    rv_sim_http_responder respond, void *arg)
{
    rv_sim_http_on_next(net, 0, method, url, body, respond, arg);
}

static void send_reply(struct rv_sim_http_exchange *x, void *arg)
{
    const struct reply *reply = arg;

    rv_sim_http_status(x, reply->status);
    if (reply->type)
        rv_sim_http_field(x, "content-type", reply->type);
    rv_sim_http_text(x, reply->body);
}

void rv_sim_http_reply(struct rv_sim_http *net, const char *url, int status, const char *type,
                       const char *body)
{
    struct reply *reply = make(sizeof *reply);

    reply->status = status;
    reply->type = copy(type);
    reply->body = copy(body ? body : "");
    rv_list_append(&net->replies, &reply->node);
    rv_sim_http_on(net, NULL, url, NULL, send_reply, reply);
}

const struct rv_sim_http_request *rv_sim_http_request_of(const struct rv_sim_http_exchange *x)
{
    return x->request;
}

const char *rv_sim_http_request_field(const struct rv_sim_http_request *request, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = request->fields; *at; at += strlen(at) + 1) {
        if (!strncasecmp(at, name, len) && at[len] == ':')
            return at + len + 2;
    }
    return NULL;
}

size_t rv_sim_http_count(const struct rv_sim_http *net)
{
    return net->request_count;
}

const struct rv_sim_http_request *rv_sim_http_request_at(const struct rv_sim_http *net,
                                                         size_t number)
{
    return number && number <= net->request_count ? net->requests[number - 1] : NULL;
}

size_t rv_sim_http_pending(const struct rv_sim_http *net)
{
    return net->pending;
}

size_t rv_sim_http_peak(const struct rv_sim_http *net)
{
    return net->peak;
}

size_t rv_sim_http_unmatched(const struct rv_sim_http *net)
{
    return net->unmatched;
}

void rv_sim_http_split(struct rv_sim_http *net, size_t piece_bytes)
{
    net->weather.piece_bytes = piece_bytes;
}

void rv_sim_http_cut(struct rv_sim_http *net, size_t first, size_t second)
{
    net->weather.cuts[0] = first;
    net->weather.cuts[1] = second;
}

void rv_sim_http_burst(struct rv_sim_http *net, bool on)
{
    net->weather.burst = on;
}

void rv_sim_http_shuffle(struct rv_sim_http *net, uint64_t seed, size_t max_piece_bytes,
                         uint64_t max_wait_ms)
{
    net->random = seed;
    net->weather.max_random_bytes = max_piece_bytes;
    net->weather.max_random_ms = max_wait_ms;
}

void rv_sim_http_fault(struct rv_sim_http *net, enum rv_sim_http_fault fault, size_t after)
{
    rv_sim_http_fault_at(net, 0, fault, after);
}

void rv_sim_http_fault_at(struct rv_sim_http *net, unsigned request, enum rv_sim_http_fault fault,
                          size_t after)
{
    net->weather.fault = fault;
    net->weather.fault_after = after;
    net->weather.fault_request = request;
}
