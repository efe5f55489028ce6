/* SPDX-License-Identifier: MIT */
/* The URL that a host gives for a model. */
#ifndef RV_MODEL_BASE_URL_H
#define RV_MODEL_BASE_URL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * http:// or https:// with a host, perhaps a port and a path; no user name, query, fragment, white
 * space or control character. Slashes at the end are not counted into *ret_len. 0 or REEVE_EINVAL.
 */
int rv_base_url_check(const char *url, size_t *ret_len);

/* Whether its host is this one, in any case of letters. */
bool rv_base_url_host_is(const char *url, const char *host);

#endif
