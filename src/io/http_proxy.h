/* SPDX-License-Identifier: MIT */
/*
 * Which proxy a request goes through. By the environment, with libcurl's rules: http_proxy (lower
 * case only: a CGI program's HTTP_PROXY comes from its client) for http; https_proxy, HTTPS_PROXY
 * for https; all_proxy, ALL_PROXY for both; no_proxy, NO_PROXY names hosts that are asked directly,
 * "*" all: names with all that ends in them, addresses, and ranges of addresses ("10.0.0.0/8").
 * This machine's loopback addresses are never asked of the environment's proxy.
 *
 * It is decided here and not by libcurl, which does not tell afterwards what it chose: an error has
 * to name the proxy.
 */
#ifndef RV_IO_HTTP_PROXY_H
#define RV_IO_HTTP_PROXY_H

#include <stdbool.h>

#include "base/alloc.h"
#include "io/http_url.h"

struct rv_proxy {
    char *url;   /* with its secrets; NULL: none */
    char *label; /* scheme://host:port, for people */
};

/* given: NULL: the environment's; "": none; else this one, whatever the host. 0 or REEVE_ENOMEM. */
int rv_proxy_choose(struct rv_mem *mem, const char *given, const struct rv_http_url *url,
                    struct rv_proxy *ret_proxy);
void rv_proxy_done(struct rv_mem *mem, struct rv_proxy *proxy);

/* Whether a no_proxy list names the host. Pure. */
bool rv_proxy_listed(const char *list, const char *host, size_t host_len);

#endif
