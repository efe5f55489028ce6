/* SPDX-License-Identifier: MIT */
/*
 * One request and its answer on the wire: latency, pace, back-pressure, clients that go, and the
 * faults that are a matter of bytes and sockets.
 */
#ifndef MS_SERVER_EXCHANGE_H
#define MS_SERVER_EXCHANGE_H

#include "reply.h"
#include "state.h"

/* What is to be answered: a body, or a completion that is written as it is sent. */
struct ms_response {
    int status;
    const char *content_type;
    const char *allow;        /* the allow header of a 405, else NULL */
    long retry_after_seconds; /* -1: no such header */
    struct ms_text body;
    bool is_completion; /* reply and prefix are set */
    struct ms_reply reply;
    struct ms_prefix prefix;
    struct ms_fault fault; /* what of it is a matter of bytes is done here */
};

void ms_response_done(struct ms_response *response);

/* Takes the request of evhttp and will answer it. NULL without memory, or when too many are under
 * way: the request is still the caller's then. The response is empty and to be filled before
 * ms_exchange_begin. */
struct ms_exchange *ms_exchange_new(struct model_server *server, struct evhttp_request *request);
struct ms_response *ms_exchange_response(struct ms_exchange *exchange);

/* Starts the latency; all else follows from the loop. */
void ms_exchange_begin(struct ms_exchange *exchange);

/* Forgets all exchanges before the server's connections are closed. */
void ms_exchange_drop_all(struct model_server *server);

#endif
