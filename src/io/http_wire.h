/* SPDX-License-Identifier: MIT */
/*
 * The seam between a request (io/http.c: limits, delivery, cancel) and what carries it over the
 * network: libcurl (io/http_curl.c), or in tests a scripted network on a virtual clock. Everything
 * above this seam is the same in both.
 *
 *   rv_http_start ─► rv_wire_start
 *                    rv_http_connected      once; a connection can be used
 *                    rv_http_head_came …    lines of the head, informational heads before it as
 * well rv_http_body_came …    pieces of the body rv_http_ended          once, last cancel, limit ─►
 * rv_wire_stop           nothing comes after it, rv_http_ended neither
 *
 * The calls upwards never lead to a callback of the request's owner: what has come is handed on
 * from the ready queue. So a wire may make them from anywhere, from inside libcurl too.
 */
#ifndef RV_IO_HTTP_WIRE_H
#define RV_IO_HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "io/http.h"
#include "io/http_head.h"
#include "io/http_proxy.h"
#include "io/http_queue.h"
#include "io/http_url.h"
#include "loop/ready.h"
#include "loop/timer.h"

enum rv_http_state {
    RV_HTTP_QUEUED, /* for its turn: not on the wire yet */
    RV_HTTP_CONNECTING,
    RV_HTTP_WAITING,   /* for the first byte of the answer */
    RV_HTTP_RECEIVING, /* the answer */
    RV_HTTP_ENDED,     /* nothing more comes from the wire; on_done is due */
};

struct rv_http {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct rv_task task;         /* hands on what has come */
    struct rv_timer phase_timer; /* connect, first byte or idle, by the state */
    struct rv_timer total_timer;
    uint64_t last_byte_ns;
    enum rv_http_state state;

    struct rv_http_options options; /* its pointers are the owner's and dead but for `arg` */
    char *method;
    char *url;
    struct rv_http_url parsed_url;
    struct rv_buffer fields; /* request headers, "name: value\0" each; wiped when freed */
    struct rv_buffer body;
    struct rv_proxy proxy;
    struct rv_http_place place;
    bool proxy_refused; /* the answer is the proxy's, a 407 */

    struct rv_buffer pulled; /* of the body, not yet sent from pulled_at on */
    size_t pulled_at;
    uint64_t given_bytes;
    bool wire_hungry; /* rv_http_body_next said to wait */
    bool owner_late;  /* RV_HTTP_GIVE_LATER */
    bool body_over;   /* the owner has given all of it */
    bool rewind_due;

    struct rv_http_head head;
    struct rv_buffer arrived; /* of the body, not yet handed on from told_at on */
    size_t told_at;
    size_t received_bytes;
    bool head_told;
    bool paused;      /* by the owner */
    bool wire_paused; /* rv_http_body_came said so */
    bool canceled;
    bool dropping; /* what has arrived is not handed on any more */
    bool in_callback;
    bool finishing;

    int refusal; /* why rv_http_body_came or rv_http_head_came refused; 0: they did not */
    int error;
    char *problem;
    char *location; /* what rv_http_location showed */

    void *wire; /* the wire's own */
};

/*
 * Downwards. Starting makes no call upwards before it returns: 0 or REEVE_ENOMEM. Stopping never
 * waits, and is legal from anywhere but inside a call upwards. Unpausing goes on with what is not
 * held any more, the answer (wire_paused) or a pulled body (wire_hungry); it may hand over what was
 * held back, and end the request, before it returns.
 */
int rv_wire_start(struct rv_http *http);
void rv_wire_stop(struct rv_http *http);
void rv_wire_unpause(struct rv_http *http);

/* Upwards. */
enum rv_http_take {
    RV_HTTP_TAKEN,
    RV_HTTP_HELD,    /* nothing was taken: offer it again after rv_wire_unpause */
    RV_HTTP_REFUSED, /* the request is over: end it, with whatever error */
};

void rv_http_connected(struct rv_http *http);
enum rv_http_take rv_http_head_came(struct rv_http *http, const char *line, size_t len);
enum rv_http_take rv_http_body_came(struct rv_http *http, const char *bytes, size_t len);

/*
 * The next of a body that is pulled (options.on_body): how many bytes were put into `room`. 0 with
 * *ret_later: none yet, ask again after rv_wire_unpause; 0 without: the body is over.
 */
size_t rv_http_body_next(struct rv_http *http, char *room, size_t size, bool *ret_later);
/* It is to be sent from its beginning again: whether it can be. */
bool rv_http_body_rewind(struct rv_http *http);

/* Between http.c and http_pull.c. From the ready queue: ask the owner if the wire is hungry. 0, or
 * why the request must end. */
int rv_http_pull(struct rv_http *http);
/* Whether the wire waits for the owner and not the owner for the server. */
bool rv_http_pull_waits(const struct rv_http *http);

/* error: as on_done's. detail: more about it, for people; may be NULL. Inside, the wire has let go
 * of the request already. */
void rv_http_ended(struct rv_http *http, int error, const char *detail);

#endif
