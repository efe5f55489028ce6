/* SPDX-License-Identifier: MIT */
/*
 * The wire over libcurl, in three files: http_curl.c has what exists once a runtime (the multi
 * handle, its sockets and its timer), http_easy.c what belongs to one request (its easy handle),
 * http_trust.c which certificates count. A libcurl handle is a `void *` here, as it is in libcurl's
 * own headers.
 */
#ifndef RV_IO_HTTP_CURL_H
#define RV_IO_HTTP_CURL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "io/http_trust.h"

struct rv_http;

struct rv_transfer {
    struct rv_list node;   /* in the hub's list of all */
    struct rv_list doomed; /* in the hub's list of those that lost a watch to lack of memory */
    struct rv_http *http;
    void *easy;
    struct curl_slist *fields;   /* points into http->fields */
    struct sockaddr_in6 address; /* the last that a connection was tried to; or a sockaddr_in */
    int socket_errno;
    bool bad_encoding;
    bool second_try;  /* after the server was not trusted */
    bool plain;       /* rv_easy_is_plain of its request */
    char *error_text; /* what is said of a handshake; NULL: there is none */
};

/*
 * A body from memory that is posted to a server, with no proxy between and no user in the URL.
 * What such a request sets of a handle the next such request sets too: the handle can be used
 * again as it is.
 */
bool rv_easy_is_plain(const struct rv_http *http);

/* What is the same for all requests. */
int rv_easy_prepare(void *easy);

/* Set a handle up for a request: one that was prepared, or used for another that was plain if this
 * one is. 0 or REEVE_ENOMEM. */
int rv_easy_setup(struct rv_transfer *transfer, const struct rv_trust *trust, bool http1_only);

/* The handle must not point to anything of the request any more. */
void rv_easy_forget(void *easy);

/* A socket was made for this transfer, and is closed by the hub. */
void rv_hub_opened(struct rv_transfer *transfer, int fd);

/* Set it up to judge the server by this file instead. 0 or REEVE_ENOMEM. */
int rv_easy_trust_file(struct rv_transfer *transfer, const char *file);

/* The result is that nobody vouches for the server's certificate: nothing of the request was sent,
 * and another file may know more. */
bool rv_easy_is_untrusted(struct rv_transfer *transfer, int result);

/* What a result of libcurl's means: REEVE_E…, and in words if more is known than the code says;
 * the words live in `text` or for ever. */
int rv_easy_result(struct rv_transfer *transfer, int result, char *text, size_t size,
                   const char **ret_detail);

#endif
