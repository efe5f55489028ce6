/* SPDX-License-Identifier: MIT */
/*
 * A scripted network under io/http. Linked in place of the wire over libcurl (io/http_wire.h), so
 * that a request's limits, delivery and cancel are the real ones; time is the runtime's, virtual
 * when its loop is.
 *
 *     static void hello(struct rv_sim_http_exchange *x, void *arg)
 *     {
 *         rv_sim_http_wait(x, 20);
 *         rv_sim_http_status(x, 200);
 *         rv_sim_http_field(x, "content-type", "text/event-stream");
 *         rv_sim_http_text(x, "data: {}\n\n");
 *         rv_sim_http_wait(x, 5);
 *         rv_sim_http_text(x, "data: [DONE]\n\n");
 *     }
 *
 *     struct rv_sim_http *net = rv_sim_http_of(runtime);
 *     rv_sim_http_on(net, "POST", "/chat/completions", NULL, hello, NULL);
 *     …
 *     cr_assert_eq(rv_sim_http_pending(net), 0);
 *
 * A responder runs when its request starts and writes the whole script; it plays from the loop.
 * A script that ends without one of the endings completes the response. What is not matched by any
 * responder is refused as a connection and counted.
 *
 * The script's memory is not the runtime's, so that a sweep over the runtime's allocations fails
 * only those of the library, and one for each request, as the real wire has some.
 */
#ifndef RV_TESTS_SIM_HTTP_H
#define RV_TESTS_SIM_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve/runtime.h>

struct rv_sim_http;
struct rv_sim_http_exchange;

/* The network of a runtime, made at the first call and freed with the runtime. */
struct rv_sim_http *rv_sim_http_of(struct reeve_runtime *runtime);

/* ---- who answers ----------------------------------------------------------------------------- */

typedef void (*rv_sim_http_responder)(struct rv_sim_http_exchange *exchange, void *arg);

/* Answer requests of this method whose URL and body contain these texts; NULL: any. Of several that
 * match the one added last answers. */
void rv_sim_http_on(struct rv_sim_http *net, const char *method, const char *url, const char *body,
                    rv_sim_http_responder respond, void *arg);

/* The same, but only for the next `count` requests that match. */
void rv_sim_http_on_next(struct rv_sim_http *net, unsigned count, const char *method,
                         const char *url, const char *body, rv_sim_http_responder respond,
                         void *arg);

/* Answer every request to this URL with this. Texts are copied. */
void rv_sim_http_reply(struct rv_sim_http *net, const char *url, int status, const char *type,
                       const char *body);

/* ---- what was asked -------------------------------------------------------------------------- */

struct rv_sim_http_request {
    unsigned number; /* 1, 2, … in the order of starting */
    const char *method;
    const char *url;
    const char *fields; /* "name: value\0" each, an empty text at the end */
    const char *body;   /* NUL-terminated; a pulled one: what has come of it */
    size_t body_len;
    bool ended;    /* the wire ended it */
    bool stopped;  /* it was taken off: cancelled, aborted or late */
    bool answered; /* by a responder */
};

const struct rv_sim_http_request *rv_sim_http_request_of(
    const struct rv_sim_http_exchange *exchange);
/* A request header, case-insensitive; NULL if there is none. */
const char *rv_sim_http_request_field(const struct rv_sim_http_request *request, const char *name);

/* Requests so far, and each of them: numbered from 1, kept as long as the network. */
size_t rv_sim_http_count(const struct rv_sim_http *net);
const struct rv_sim_http_request *rv_sim_http_request_at(const struct rv_sim_http *net,
                                                         size_t number);

/* Requests that are on the wire now, and the most that ever were. */
size_t rv_sim_http_pending(const struct rv_sim_http *net);
size_t rv_sim_http_peak(const struct rv_sim_http *net);

/* Requests that no responder matched. */
size_t rv_sim_http_unmatched(const struct rv_sim_http *net);

/* ---- the script of one answer ---------------------------------------------------------------- */

/* Before there is a connection. */
void rv_sim_http_connect_ms(struct rv_sim_http_exchange *exchange, uint64_t delay_ms);
/* error: REEVE_ERESOLVE, REEVE_ECONNECT or REEVE_ETLS. */
void rv_sim_http_connect_fails(struct rv_sim_http_exchange *exchange, int error,
                               const char *detail);
void rv_sim_http_connect_stalls(struct rv_sim_http_exchange *exchange);

/* The kept connection on which it was begun turns out to be dead when so much of the pulled body
 * was sent: once, and then there is another. */
void rv_sim_http_dies_after(struct rv_sim_http_exchange *exchange, size_t bytes);

/* Then, in this order. A body that is pulled is taken whole before. A status below 200 makes an
 * informational head before the real one. */
void rv_sim_http_wait(struct rv_sim_http_exchange *exchange, uint64_t ms);
void rv_sim_http_status(struct rv_sim_http_exchange *exchange, int status);
void rv_sim_http_field(struct rv_sim_http_exchange *exchange, const char *name, const char *value);
/* A line of the head as it is, for bad ones. */
void rv_sim_http_line(struct rv_sim_http_exchange *exchange, const char *line);
void rv_sim_http_body(struct rv_sim_http_exchange *exchange, const void *bytes, size_t len);
void rv_sim_http_text(struct rv_sim_http_exchange *exchange, const char *text);

/* Endings. */
void rv_sim_http_stall(struct rv_sim_http_exchange *exchange); /* nothing more, ever */
void rv_sim_http_lose(struct rv_sim_http_exchange *exchange, const char *detail);
void rv_sim_http_fail(struct rv_sim_http_exchange *exchange, int error, const char *detail);

/* ---- the network's weather: for all requests that start later -------------------------------- */

/* Deliver bodies in pieces of this size, each in a turn of its own; 0: as written. */
void rv_sim_http_split(struct rv_sim_http *net, size_t piece_bytes);

/* Cut every body before these bytes, counted from its beginning, and nowhere else than the script
 * does; SIZE_MAX: no cut. */
void rv_sim_http_cut(struct rv_sim_http *net, size_t first, size_t second);

/* Play everything up to the next wait in one turn, so that head, body and end come at once. */
void rv_sim_http_burst(struct rv_sim_http *net, bool on);

/* Pieces of random size and random waits up to this, by this seed; the same seed, the same world.
 */
void rv_sim_http_shuffle(struct rv_sim_http *net, uint64_t seed, size_t max_piece_bytes,
                         uint64_t max_wait_ms);

/* One fault for every request. */
enum rv_sim_http_fault {
    RV_SIM_HTTP_NO_FAULT,
    RV_SIM_HTTP_LOSE,    /* the connection is lost */
    RV_SIM_HTTP_STALL,   /* nothing more comes */
    RV_SIM_HTTP_END,     /* the answer ends there as if it were whole */
    RV_SIM_HTTP_RESOLVE, /* no name; not later than the connection, `after` is not looked at */
    RV_SIM_HTTP_REFUSE,  /* no connection; the same */
    RV_SIM_HTTP_TLS,     /* no trust; the same */
};

/* after: how many bytes of the body come before it; RV_SIM_HTTP_IN_HEAD: none, nor all of the head.
 */
#define RV_SIM_HTTP_IN_HEAD SIZE_MAX
void rv_sim_http_fault(struct rv_sim_http *net, enum rv_sim_http_fault fault, size_t after);

/* The same, but for one request only, by its number. */
void rv_sim_http_fault_at(struct rv_sim_http *net, unsigned request, enum rv_sim_http_fault fault,
                          size_t after);

#endif
