/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 served out of Reeve (metrics, health), over libevent's evhttp on the runtime's loop.
 * For a few clients that are trusted to read what they ask for: no TLS.
 *
 * SIGPIPE: libevent writes with writev, which raises it when a client has gone, and neither evhttp
 * nor the kernel can be asked not to. A server is refused where that would end the process: the
 * host ignores SIGPIPE, handles it, or blocks it in the loop's thread, and leaves it so.
 */
#ifndef RV_IO_SERVER_H
#define RV_IO_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/error.h>
#include <reeve/runtime.h>

struct rv_server;
struct rv_exchange; /* one request and its reply */

struct rv_server_options {
    const char *address;      /* an IPv4 or IPv6 address; NULL: 127.0.0.1 */
    uint16_t port;            /* 0: any that is free */
    const int *listen_fd;     /* instead of both: a listening socket, taken over on success */
    size_t max_header_bytes;  /* required */
    size_t max_body_bytes;    /* of a request; 0: none may have one */
    size_t max_queued_bytes;  /* of a streamed reply, not yet taken by the kernel; required */
    uint32_t max_connections; /* others wait to be accepted; required */
    uint32_t timeout_ms;      /* without a byte, while reading or writing; required */

    /* From the loop. The exchange stays until it is replied to, ended, or reported gone. */
    void (*on_request)(struct rv_server *server, struct rv_exchange *exchange, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL; REEVE_EUNSUPPORTED (SIGPIPE, see above); REEVE_ECLOSING; REEVE_ENOMEM;
 * REEVE_ESYSTEM (the address can't be bound: errno tells). */
int rv_server_new(struct reeve_runtime *runtime, const struct rv_server_options *options,
                  struct rv_server **ret_server);

/* Before its runtime. Streamed exchanges are told to be gone first; of those that were asked and
 * not yet replied to their owners must know by themselves. NULL is allowed. Not from inside a
 * callback of this server. */
void rv_server_free(struct rv_server *server);

uint16_t rv_server_port(const struct rv_server *server);

/* ---- the request: valid as long as the exchange -----------------------------------------------
 */

const char *rv_exchange_method(const struct rv_exchange *exchange); /* "GET"; "" if it is unusual */
const char *rv_exchange_path(const struct rv_exchange *exchange);   /* as sent, without the query */
const char *rv_exchange_query(const struct rv_exchange *exchange);  /* NULL: none */
const char *rv_exchange_header(const struct rv_exchange *exchange, const char *name);
/* NUL-terminated. */
const char *rv_exchange_body(const struct rv_exchange *exchange, size_t *ret_len);

/* ---- the reply --------------------------------------------------------------------------------
 */

/* A field of the reply; before it is sent. 0, REEVE_EINVAL (CR, LF) or REEVE_ENOMEM. */
int rv_exchange_add_header(struct rv_exchange *exchange, const char *name, const char *value);

/* The whole of it. The exchange is gone afterwards, whatever is returned: 0 or REEVE_ENOMEM. */
int rv_exchange_reply(struct rv_exchange *exchange, int status, const char *bytes, size_t len);

/*
 * In pieces: begin, write as often as wanted, end. on_drain: what was written is with the kernel.
 * on_gone: the client is; the exchange goes with it when this returns, and end must not follow. A
 * client that goes is noticed when something is written to it.
 */
void rv_exchange_begin(struct rv_exchange *exchange, int status,
                       void (*on_drain)(struct rv_exchange *exchange, void *arg),
                       void (*on_gone)(struct rv_exchange *exchange, void *arg), void *arg);
/* All or nothing: 0; REEVE_ETOOBIG (wait for on_drain); REEVE_ECONNLOST (on_gone is on its way);
 * REEVE_ENOMEM. */
int rv_exchange_write(struct rv_exchange *exchange, const char *bytes, size_t len);
/* The exchange is gone afterwards. */
void rv_exchange_end(struct rv_exchange *exchange);

#endif
