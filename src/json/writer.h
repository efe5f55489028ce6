/* SPDX-License-Identifier: MIT */
/*
 * Values to JSON text, into a buffer. Errors are kept: the calls return nothing, and
 * rv_json_writer_finish tells whether all of them went well. Doubles are written in the shortest
 * form that reads back the same, whatever the locale.
 */
#ifndef RV_JSON_WRITER_H
#define RV_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#include <reeve/json.h>

struct rv_json_writer;

/* Writes behind what `out` holds. 0 or REEVE_ENOMEM. */
int rv_json_writer_new(struct rv_buffer *out, struct rv_json_writer **ret_writer);
void rv_json_writer_free(struct rv_json_writer *writer);

void rv_json_object_begin(struct rv_json_writer *writer);
void rv_json_object_end(struct rv_json_writer *writer);
void rv_json_array_begin(struct rv_json_writer *writer);
void rv_json_array_end(struct rv_json_writer *writer);
/* Invalid UTF-8 in keys and strings is written as U+FFFD. */
void rv_json_key(struct rv_json_writer *writer, const char *key);
void rv_json_key_bytes(struct rv_json_writer *writer, const char *key, size_t len);
void rv_json_string(struct rv_json_writer *writer, const char *bytes, size_t len);
void rv_json_text(struct rv_json_writer *writer, const char *text);
void rv_json_int64(struct rv_json_writer *writer, int64_t number);
/* NaN and the infinities have no JSON: they fail the writer with REEVE_EINVAL. */
void rv_json_double(struct rv_json_writer *writer, double number);
void rv_json_bool(struct rv_json_writer *writer, bool value);
void rv_json_null(struct rv_json_writer *writer);
void rv_json_value(struct rv_json_writer *writer, const struct reeve_json *value);
/* Bytes that are one JSON value already, trusted. */
void rv_json_raw(struct rv_json_writer *writer, const char *json, size_t len);

/*
 * 0; REEVE_EINVAL (keys and values out of order, an unclosed object); REEVE_ETOOBIG (the buffer's
 * cap, or 1024 levels); REEVE_ENOMEM. On failure what stands in `out` behind the start is cut off
 * again. The writer is of no further use but to be freed.
 */
int rv_json_writer_finish(struct rv_json_writer *writer);

#endif
