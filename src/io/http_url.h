/* SPDX-License-Identifier: MIT */
/* The little that must be known of a URL before it is handed on: pure. */
#ifndef RV_IO_HTTP_URL_H
#define RV_IO_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

struct rv_http_url {
    bool secure;   /* https */
    bool loopback; /* 127.0.0.0/8, ::1, localhost: past any proxy */
    char *label;   /* scheme://host:port/path, for people: no user info, no query, no fragment */
    size_t host_at, host_len; /* in the label; an IPv6 address with its brackets */
    size_t origin_len;        /* how much of the label is scheme://host:port */
};

/*
 * 0, REEVE_ENOMEM, or REEVE_EINVAL: another scheme than http and https, no host, or anything that
 * two parsers could read in two ways (white space, control characters, a backslash, two "@").
 */
int rv_http_url_parse(struct rv_mem *mem, const char *text, struct rv_http_url *ret_url);
void rv_http_url_done(struct rv_mem *mem, struct rv_http_url *url);

/* What of any text that ought to be a URL may be shown: no user info, no query, no fragment.
 * Truncated to fit. Returns `room`. */
const char *rv_http_url_show(const char *text, char *room, size_t size);

#endif
