/* SPDX-License-Identifier: MIT */
/* The sentences. They name the URL by its label, which holds no secret, and the limit by its name.
 */
#include "io/http_problem.h"

#include <inttypes.h>
#include <stdio.h>

#include "io/http_wire.h"

#include <reeve/error.h>

enum { MAX_PROBLEM_BYTES = 1023 };

static void keep(struct rv_http *http, struct rv_buffer *text)
{
    rv_free(http->mem, http->problem);
    http->problem = rv_buffer_steal(text, NULL);
}

static void describe(struct rv_http *http, const char *before, const char *after,
                     const char *detail)
{
    struct rv_buffer text;

    rv_buffer_init(&text, http->mem, MAX_PROBLEM_BYTES);
    rv_buffer_printf(&text, "%s %s%s%s%.400s", before, http->parsed_url.label, after,
                     detail ? ": " : "", detail ? detail : "");
    keep(http, &text);
}

static void describe_too_big(struct rv_http *http)
{
    struct rv_buffer text;
    bool head = !http->head.complete;

    rv_buffer_init(&text, http->mem, MAX_PROBLEM_BYTES);
    rv_buffer_printf(&text, "the %s of the answer from %s is larger than %zu bytes%s",
                     head ? "head" : "body", http->parsed_url.label,
                     head ? (size_t)RV_HTTP_MAX_HEAD_BYTES : http->options.max_response_bytes,
                     head ? "" : " (max_response_bytes)");
    keep(http, &text);
}

void rv_http_describe(struct rv_http *http, int error, const char *detail)
{
    switch (error) {
    case REEVE_ERESOLVE:
        describe(http, "could not resolve the host name for", "", detail);
        break;
    case REEVE_ECONNECT:
        describe(http, "could not connect to", "", detail);
        break;
    case REEVE_ETLS:
        describe(http, "no secure connection to", "", detail);
        break;
    case REEVE_ECONNLOST:
        describe(http, "the connection to", " was lost", detail);
        break;
    case REEVE_EPROTOCOL:
        describe(http, "the answer from", " is not proper HTTP", detail);
        break;
    case REEVE_ETOOBIG:
        describe_too_big(http);
        break;
    case REEVE_ECANCELED:
        describe(http, "the request to", " was cancelled", detail);
        break;
    default:
        describe(http, "the request to", " failed", detail ? detail : reeve_error_text(error));
        break;
    }
}

void rv_http_describe_proxy(struct rv_http *http, int error, int status)
{
    char text[400];

    snprintf(text, sizeof text, "the proxy %s refused with status %d%s", http->proxy.label, status,
             status == 407 ? ", it wants a user name and a password" : "");
    rv_http_describe(http, error, text);
}

static void describe_time(struct rv_http *http, const char *before, const char *between,
                          uint32_t limit_ms, const char *name)
{
    struct rv_buffer text;

    rv_buffer_init(&text, http->mem, MAX_PROBLEM_BYTES);
    rv_buffer_printf(&text, "%s %s%s %" PRIu32 " ms (%s)", before, http->parsed_url.label, between,
                     limit_ms, name);
    keep(http, &text);
}

void rv_http_describe_limit(struct rv_http *http, int whole)
{
    const struct rv_http_options *options = &http->options;

    if (whole && http->state == RV_HTTP_QUEUED)
        describe_time(http, "the request to", " had not had its turn within", options->timeout_ms,
                      "timeout_ms");
    else if (whole)
        describe_time(http, "the answer from", " was not complete within", options->timeout_ms,
                      "timeout_ms");
    else if (http->state == RV_HTTP_CONNECTING)
        describe_time(http, "could not connect to", " within", options->connect_timeout_ms,
                      "connect_timeout_ms");
    else if (http->state == RV_HTTP_WAITING)
        describe_time(http, "no answer from", " within", options->first_byte_timeout_ms,
                      "first_byte_timeout_ms");
    else
        describe_time(http, "nothing more came from", " for", options->idle_timeout_ms,
                      "idle_timeout_ms");
}
