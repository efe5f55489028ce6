/* SPDX-License-Identifier: MIT */
/*
 * A running server, as its own files see it: model_server.c makes and frees it, respond.c decides
 * what to answer, exchange.c sends it.
 */
#ifndef MS_SERVER_STATE_H
#define MS_SERVER_STATE_H

#include <event2/event.h>
#include <event2/http.h>
#include <sys/queue.h>

#include "fault.h"
#include "model_server.h"
#include "prefix.h"

#define MS_MAX_UNDER_WAY 16384
#define MS_IDLE_SECONDS 120  /* a kept-alive connection without a request */
#define MS_WRITE_SECONDS 600 /* a client that takes nothing */
#define MS_STALL_SECONDS 600 /* how long a stall lasts at most */

struct ms_exchange;

struct model_server {
    struct event_base *base;
    struct evhttp *http;
    struct model_server_options options; /* its strings are the server's own */
    struct ms_fault fault;               /* of options.fault */
    struct ms_fault_counters fault_counters;
    struct ms_prefix_cache prefix_cache;
    struct model_server_stats stats;
    TAILQ_HEAD(, ms_exchange) exchanges;
    uint64_t random_state;
    uint16_t port;
    char url[64];
    char anthropic_url[64];
};

/* The next 64 bits of the server's random sequence; `server` is a struct model_server. */
uint64_t ms_server_random(void *server);

#endif
