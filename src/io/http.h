/* SPDX-License-Identifier: MIT */
/*
 * HTTP requests out, over libcurl's multi interface on the runtime's loop. Connections are kept
 * alive and shared by all requests of a runtime; over TLS many requests share one by HTTP/2 where
 * libcurl and the server have it.
 *
 * - Redirects are not followed: a 3xx is an answer like any other, rv_http_location names where it
 *   points to.
 * - Bodies are asked for without compression, since a model's answer is small and comes in pieces
 *   that a compressor would hold back. What comes packed all the same (gzip, deflate) is unpacked a
 *   few KiB at a time, and max_response_bytes counts what comes out; other encodings are errors.
 * - Memory of a request in flight: at most 64 KiB plus one piece of libcurl's (16 KiB) of the
 *   answer that the owner has not been told yet, a head of 64 KiB, RV_HTTP_PULL_BYTES of a body
 *   that is pulled; libcurl's own: some 16 KiB a connection. Paused under HTTP/2, libcurl holds
 *   what the server may send within the stream's window.
 * - A closed connection is seen when it is looked at again, and one that has been idle for two
 *   minutes is not used any more: an idle runtime has no pending event, so nothing is done in
 *   between.
 */
#ifndef RV_IO_HTTP_H
#define RV_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#include <reeve/error.h>
#include <reeve/runtime.h>

struct rv_http;

struct rv_http_header {
    const char *name;
    const char *value;
};

/* What the owner of a body that is pulled answers. */
enum rv_http_give {
    RV_HTTP_GIVE_MORE,  /* at least one byte; ask again */
    RV_HTTP_GIVE_LATER, /* these, or none; ask again after rv_http_body_ready */
    RV_HTTP_GIVE_LAST,  /* these, or none; the body ends behind them */
};

enum { RV_HTTP_PULL_BYTES = 32 * 1024 };

/* Of a body whose length is not known: sent in chunks. */
#define RV_HTTP_NO_LENGTH INT64_C(-1)

/* What holds for all requests of a runtime. 0 and NULL everywhere: the defaults. */
struct rv_http_settings {
    /*
     * Requests on the wire at a time; beyond it they wait in line, the hosts taking turns. In all:
     * default: three quarters of the descriptors that the process may open. Of one host
     * (scheme, name and port): default: as many as in all.
     */
    uint32_t max_requests;
    uint32_t max_requests_per_host;
    /* Connections to one host; default: no limit. A request that waits for one is connecting. */
    uint32_t max_connections_per_host;
    uint32_t max_idle_connections; /* default: 128; the one unused for longest is closed first */
    bool http1_only;
    const char *proxy;   /* as in the options of a request */
    const char *ca_file; /* certificates to trust, PEM, instead of all others; default: what
                            CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR say, else the system's */
};

/* Before the runtime's first request: REEVE_EINVAL afterwards. Texts are copied. REEVE_ENOMEM. */
int rv_http_settings_set(struct reeve_runtime *runtime, const struct rv_http_settings *settings);

struct rv_http_options {
    const char *method; /* "GET", "POST", … */
    const char *url;    /* http or https, nothing else */
    const struct rv_http_header *headers;
    size_t header_count;
    struct rv_buffer *body_take; /* NULL: none; its memory is taken over when the start succeeds */
    /*
     * A body that is pulled, instead of body_take: asked for from the loop, never inside libcurl,
     * whenever the network has room: at most `size` bytes into `room`, their number into *ret_len
     * (0 before). It may cancel the request. Not asked any more once body_bytes have been given;
     * giving more or fewer than those is an error, REEVE_EINVAL.
     */
    enum rv_http_give (*on_body)(struct rv_http *http, char *room, size_t size, size_t *ret_len,
                                 void *arg);
    int64_t body_bytes; /* or RV_HTTP_NO_LENGTH */
    /*
     * A kept connection turned out to be dead when part of the body was sent: give it from its
     * beginning again. false, or no such function: it cannot be, and the request ends with
     * REEVE_ECONNLOST.
     */
    bool (*on_rewind)(struct rv_http *http, void *arg);

    bool http1_only;   /* no HTTP/2 */
    const char *proxy; /* NULL: the runtime's, else the environment's (io/http_proxy.h); "": none;
                          else [scheme://][user:password@]host[:port], http if there is no scheme */
    /*
     * Connect: from the turn of the request to its connection, handshake and proxy included. First
     * byte: from there, or from the last of a pulled body that was sent; while the owner has none
     * of it to give it rests. Whole: from rv_http_start, waiting in line included.
     */
    uint32_t connect_timeout_ms; /* for all four: 0: no limit */
    uint32_t first_byte_timeout_ms;
    uint32_t idle_timeout_ms;
    uint32_t timeout_ms;
    size_t max_response_bytes; /* of the body, as delivered; required */

    /* All from the loop, never inside libcurl. A callback may cancel the request. */
    void (*on_head)(struct rv_http *http, int status, void *arg);
    void (*on_data)(struct rv_http *http, const char *bytes, size_t len, void *arg);
    /*
     * Exactly once, last: 0 whenever a whole response came, whatever its status; else
     * REEVE_ECANCELED, REEVE_ETIMEDOUT, REEVE_ERESOLVE, REEVE_ECONNECT, REEVE_ETLS,
     * REEVE_ECONNLOST, REEVE_EPROTOCOL, REEVE_ETOOBIG, REEVE_EINVAL, REEVE_ENOMEM. The request may
     * be read inside and is gone afterwards.
     */
    void (*on_done)(struct rv_http *http, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (the URL's scheme, a header with CR or LF); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_http_start(struct reeve_runtime *runtime, const struct rv_http_options *options,
                  struct rv_http **ret_http);

/* on_done comes later, with REEVE_ECANCELED; nothing else comes after this call. */
void rv_http_cancel(struct rv_http *http);

/*
 * End it now: on_done(REEVE_ECANCELED) runs before this returns. For aborting what is pending on a
 * runtime; not from inside one of this request's own callbacks.
 */
void rv_http_abort(struct rv_http *http);

/* Stop and restart on_data. What has arrived waits in a bounded buffer; then the server does. */
void rv_http_pause(struct rv_http *http);
void rv_http_resume(struct rv_http *http);

/* The owner of a pulled body has more of it after RV_HTTP_GIVE_LATER; legal inside on_body, too. */
void rv_http_body_ready(struct rv_http *http);

/* From on_head on: 0 before. */
int rv_http_status(const struct rv_http *http);
/* A response header by name, case-insensitive; NULL if there is none. The last one of several. */
const char *rv_http_header_value(const struct rv_http *http, const char *name);
/* Where a 3xx points to, as far as it may be shown: user info, query and fragment are left out.
 * NULL if it names nothing. Valid until the next call. */
const char *rv_http_location(struct rv_http *http);
/* In on_done with an error: one sentence that names the URL (without secrets) and the limit if one
 * was hit, for people. Never NULL. */
const char *rv_http_problem(const struct rv_http *http);

#endif
