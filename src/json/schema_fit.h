/* SPDX-License-Identifier: MIT */
/* Making a value fit its schema where what was meant is certain: "5" where a number is wanted, a
 * string of JSON where the wanted array or object is in it. */
#ifndef RV_JSON_SCHEMA_FIT_H
#define RV_JSON_SCHEMA_FIT_H

#include <stddef.h>

#include "base/arena.h"
#include "json/schema.h"

struct rv_json_reader;

/*
 * Change `value`, which with all that is in it lies in the arena and is nobody else's. What fits is
 * never changed, nor is a string where the schema takes one. The reader is used and reset; `bytes`,
 * the length of the text that the value came from, bounds the work. 0 and how many values were
 * changed, or REEVE_ENOMEM.
 */
int rv_schema_fit(const struct rv_schema *schema, struct rv_json_reader *reader,
                  struct rv_arena *arena, struct reeve_json *value, size_t bytes,
                  unsigned *ret_repairs);

#endif
