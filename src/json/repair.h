/* SPDX-License-Identifier: MIT */
/*
 * What is nearly JSON, as models write it, put into JSON: strings in single quotes, commas behind
 * the last element or member and, if the caller allows it, missing brackets at the end. What is
 * inside a string in double quotes is never touched. Whether the outcome is JSON is the reader's to
 * say: what cannot be told for certain comes out as wrong as it was.
 */
#ifndef RV_JSON_REPAIR_H
#define RV_JSON_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* What was done. */
struct rv_json_repairs {
    unsigned quotes; /* strings that had single quotes */
    unsigned commas; /* that were too many */
    unsigned closed; /* brackets that were added */
};

/*
 * Append the text to `out`, repaired, in one pass. `close`: brackets that are missing at the end,
 * outside a string, may be added. 0; REEVE_EPARSE: there is nothing to repair here, or no way to
 * (a string without end, a bracket that closes another one); REEVE_ETOOBIG, REEVE_ENOMEM. `out` may
 * hold a part after a failure.
 */
int rv_json_repair(const char *text, size_t len, bool close, struct rv_buffer *out,
                   struct rv_json_repairs *ret_repairs);

#endif
