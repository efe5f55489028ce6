/* SPDX-License-Identifier: MIT */
/* One exchange of the scripted network, between what plays it (http-exchange.c) and the network
 * that makes it (http.c). */
#ifndef RV_TESTS_SIM_HTTP_EXCHANGE_H
#define RV_TESTS_SIM_HTTP_EXCHANGE_H

#include "tests/sim/http.h"

#include "base/list.h"
#include "loop/ready.h"
#include "loop/timer.h"

struct rv_http;

enum { RV_SIM_HTTP_CUTS = 2 };

/* What all requests that start from now on meet. */
struct rv_sim_http_weather {
    size_t piece_bytes;
    size_t cuts[RV_SIM_HTTP_CUTS];
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
    struct rv_sim_http_weather weather;
    uint64_t random;
};

struct rv_sim_http_exchange {
    struct rv_sim_http *net;
    struct rv_http *http;
    struct rv_sim_http_request *request;
    struct rv_sim_http_weather weather;
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
    bool body_taken; /* all of a pulled body */
    size_t dies_after;
    bool again;       /* in a burst: another step in this turn */
    bool *gone;       /* in a burst: to be set when this is freed */
    size_t step_sent; /* bytes of the present step's body */
    size_t body_sent;
};

/* It waits in the ready queue: it begins to play. */
void rv_sim_http_play(struct rv_sim_http_exchange *exchange);
/* The task and the timer of a new one, and its script, empty. */
void rv_sim_http_exchange_init(struct rv_sim_http_exchange *exchange);
void rv_sim_http_exchange_free(struct rv_sim_http_exchange *exchange);
/* Ends the head of an answer whose script ends in it. */
void rv_sim_http_close_head(struct rv_sim_http_exchange *exchange);
/* Of the body, in the whole script. */
size_t rv_sim_http_scripted_bytes(struct rv_sim_http_exchange *exchange);

/* Memory that is not the runtime's, or an abort. */
void *rv_sim_http_make(size_t size);
void *rv_sim_http_must(void *block);
char *rv_sim_http_copy(const char *text);
char *rv_sim_http_copy_bytes(const void *bytes, size_t len);

#endif
