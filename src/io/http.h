/* SPDX-License-Identifier: MIT */
/*
 * HTTP requests out, over libcurl's multi interface on the runtime's loop. Connections are kept
 * alive and shared by all requests of a runtime.
 */
#ifndef RV_IO_HTTP_H
#define RV_IO_HTTP_H

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

struct rv_http_options {
    const char *method; /* "GET", "POST", … */
    const char *url;    /* http or https, nothing else */
    const struct rv_http_header *headers;
    size_t header_count;
    struct rv_buffer *body_take; /* NULL: none; its memory is taken over when the start succeeds */
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
     * REEVE_ECONNLOST, REEVE_EPROTOCOL, REEVE_ETOOBIG, REEVE_ENOMEM. The request may be read inside
     * and is gone afterwards.
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

/* From on_head on: 0 before. */
int rv_http_status(const struct rv_http *http);
/* A response header by name, case-insensitive; NULL if there is none. The last one of several. */
const char *rv_http_header_value(const struct rv_http *http, const char *name);
/* In on_done with an error: one sentence that names the URL (without secrets) and the limit if one
 * was hit, for people. Never NULL. */
const char *rv_http_problem(const struct rv_http *http);

#endif
