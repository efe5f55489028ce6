/* SPDX-License-Identifier: MIT */
/* The scripted network: its responders, what it was asked, and its weather. */
#include "tests/sim/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/http_wire.h"
#include "loop/runtime.h"
#include "tests/sim/fate.h"
#include "tests/sim/http-exchange.h"

enum { MAX_REQUESTS = 1 << 20, MAX_FATE_PIECE = 64, MAX_FATE_WAIT_MS = 30 };

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

/* ---- requests and responders ----------------------------------------------------------------- */

static struct rv_sim_http_request *note_request(struct rv_sim_http *net, const struct rv_http *http)
{
    struct rv_sim_http_request *request = rv_sim_http_make(sizeof *request);
    size_t count = net->request_count;

    if (count == MAX_REQUESTS)
        abort();
    /* Grows at each power of two. */
    if (!(count & (count - 1)))
        net->requests =
            rv_sim_http_must(realloc(net->requests, (count ? 2 * count : 1) * sizeof(void *)));
    net->requests[count] = request;
    net->request_count = count + 1;
    request->number = (unsigned)count + 1;
    request->method = rv_sim_http_copy(http->method);
    request->url = rv_sim_http_copy(http->url);
    request->fields = rv_sim_http_copy_bytes(http->fields.data, http->fields.len);
    request->body = rv_sim_http_copy_bytes(http->body.data, http->body.len);
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
    rv_sim_http_close_head(x);
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
    x = rv_sim_http_make(sizeof *x);
    x->net = rv_sim_http_of(http->runtime);
    x->http = http;
    x->ballast = ballast;
    rv_sim_http_exchange_init(x);
    x->request = note_request(x->net, http);
    ask_responder(x);
    rv_fate_answer_begins(x->request->number, rv_sim_http_scripted_bytes(x));
    meet_weather(x);
    if (++x->net->pending > x->net->peak)
        x->net->peak = x->net->pending;
    http->wire = x;
    rv_sim_http_play(x);
    return 0;
}

void rv_wire_stop(struct rv_http *http)
{
    struct rv_sim_http_exchange *x = http->wire;

    x->request->stopped = true;
    rv_sim_http_exchange_free(x);
}

void rv_wire_unpause(struct rv_http *http)
{
    rv_sim_http_play(http->wire);
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
    net = rv_sim_http_make(sizeof *net);
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
    struct responder *responder = rv_sim_http_make(sizeof *responder);

    responder->method = rv_sim_http_copy(method);
    responder->url = rv_sim_http_copy(url);
    responder->body = rv_sim_http_copy(body);
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
    struct reply *reply = rv_sim_http_make(sizeof *reply);

    reply->status = status;
    reply->type = rv_sim_http_copy(type);
    reply->body = rv_sim_http_copy(body ? body : "");
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
