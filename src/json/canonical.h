/* SPDX-License-Identifier: MIT */
/* One text for equal values: what digests are taken over. */
#ifndef RV_JSON_CANONICAL_H
#define RV_JSON_CANONICAL_H

#include "base/buffer.h"

#include <reeve/json.h>

/*
 * Append the canonical text of a value: no white space, members sorted by the bytes of their keys,
 * the shortest escapes, one form for each number (1, 1.0 and 10e-1 are one; integers past 2^53 keep
 * every digit). 0, REEVE_EINVAL (a value of NULL), REEVE_ETOOBIG or REEVE_ENOMEM, with `out` as it
 * was.
 */
int rv_json_canonical(const struct reeve_json *value, struct rv_buffer *out);

#endif
