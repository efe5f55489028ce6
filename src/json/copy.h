/* SPDX-License-Identifier: MIT */
/* Values that are to live longer than the reader's present text. */
#ifndef RV_JSON_COPY_H
#define RV_JSON_COPY_H

#include "base/arena.h"

#include <reeve/json.h>

/* Copy a value, whole, into the arena. 0 or REEVE_ENOMEM (what was taken stays in the arena). */
int rv_json_copy(struct rv_arena *arena, const struct reeve_json *value,
                 const struct reeve_json **ret_copy);

#endif
