/* SPDX-License-Identifier: MIT */
/* A string as JSON text. */
#ifndef RV_JSON_QUOTE_H
#define RV_JSON_QUOTE_H

#include "base/buffer.h"

/*
 * Append the bytes between quotes, with the shortest escapes and only those that JSON demands.
 * Invalid UTF-8 becomes U+FFFD. 0, REEVE_ETOOBIG or REEVE_ENOMEM, with `out` as it was.
 */
int rv_json_add_quoted(struct rv_buffer *out, const char *bytes, size_t len);

#endif
