/* SPDX-License-Identifier: MIT */
/*
 * Errors: codes, and what is known of a failure. A function that can fail returns 0 or one of the
 * negative REEVE_E... codes below. What a model or a tool did wrong is not an error code: it is
 * data (a tool result with is_error set).
 */
#ifndef REEVE_ERROR_H
#define REEVE_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text): the one table from which enum, names and texts are made. */
#define REEVE_ERROR_TABLE(X)                                                                       \
    X(EINVAL, -1, "invalid argument")                                                              \
    X(ENOMEM, -2, "out of memory")                                                                 \
    X(ECANCELED, -3, "cancelled")                                                                  \
    X(ETIMEDOUT, -4, "time limit reached")                                                         \
    X(EBUSY, -5, "busy: one run at a time")                                                        \
    X(ECLOSING, -6, "the runtime is being freed")                                                  \
    X(ETOOBIG, -7, "larger than its cap")                                                          \
    X(ENOTFOUND, -8, "not found")                                                                  \
    X(EEXIST, -9, "exists already")                                                                \
    X(EPARSE, -10, "malformed text")                                                               \
    X(EOUTSIDE, -11, "path leaves the root folder")                                                \
    X(ENOTFILE, -12, "not a regular file")                                                         \
    X(ENOTDIR, -13, "not a directory")                                                             \
    X(EACCESS, -14, "permission denied")                                                           \
    X(ESYSTEM, -15, "a system call failed")                                                        \
    X(ERESOLVE, -16, "the host name could not be resolved")                                        \
    X(ECONNECT, -17, "the server could not be reached")                                            \
    X(ETLS, -18, "no secure connection: the certificate or the handshake was refused")             \
    X(ECONNLOST, -19, "the connection was lost")                                                   \
    X(EHTTP, -20, "the server answered with an error status")                                      \
    X(EPROTOCOL, -21, "the answer is not in the expected format")                                  \
    X(ECUTSHORT, -22, "the stream ended before the answer was complete")                           \
    X(EPROVIDER, -23, "the provider reported an error")                                            \
    X(EUNSUPPORTED, -24, "not supported")

enum reeve_error {
    REEVE_OK = 0,
#define REEVE_ERROR_ENUM(name, value, text) REEVE_##name = (value),
    REEVE_ERROR_TABLE(REEVE_ERROR_ENUM)
#undef REEVE_ERROR_ENUM
};

/* The name of a code ("REEVE_ENOMEM"); "REEVE_OK" for 0, "REEVE_E?" for an unknown one. Static
 * text. */
const char *reeve_error_name(int code);

/* What a code means, in lower case, for people. Static text, never NULL. */
const char *reeve_error_text(int code);

/*
 * What is known of a failed request beyond its code. Every text is NUL-terminated, valid UTF-8 and
 * cut at its array's size; an empty text means that nothing is known. No API key ever stands in
 * one.
 */
struct reeve_error_detail {
    int code;               /* REEVE_E... */
    int http_status;        /* 0: no response came */
    int os_errno;           /* 0: not a system error */
    int retryable;          /* 1: the same request may pass later */
    int64_t retry_after_ms; /* what the server asked to wait; -1: it said nothing */
    char type[64];          /* the provider's class of error, as "invalid_request_error" */
    char provider_code[64]; /* the provider's code, as "context_length_exceeded" */
    char request_id[128];   /* for the provider's support */
    char message[1024];     /* one or more sentences: what, where, and the limit if one was hit */
    int context_full;       /* 1: the conversation is too long for the model */
};

#ifdef __cplusplus
}
#endif
#endif
