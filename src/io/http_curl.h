/* SPDX-License-Identifier: MIT */
/*
 * The wire over libcurl, in two files: http_curl.c has what exists once a runtime (the multi
 * handle, its sockets and its timer), http_easy.c what belongs to one request (its easy handle). A
 * libcurl handle is a `void *` here, as it is in libcurl's own headers.
 */
#ifndef RV_IO_HTTP_CURL_H
#define RV_IO_HTTP_CURL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

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
    char error_text[256]; /* CURL_ERROR_SIZE */
};

/* Where a runtime's certificates come from, found out once. NULL: nothing. */
struct rv_trust {
    char *file;
    char *folder;
    bool from_env;
};

/* Set an easy handle up for a request. 0 or REEVE_ENOMEM. */
int rv_easy_setup(struct rv_transfer *transfer, const struct rv_trust *trust);

/* What a result of libcurl's means: REEVE_E…, and in words if more is known than the code says;
 * the words live in `text` or for ever. */
int rv_easy_result(struct rv_transfer *transfer, int result, char *text, size_t size,
                   const char **ret_detail);

#endif
