/* SPDX-License-Identifier: MIT */
/*
 * Characters that a server tore apart. A piece of text may end inside a character: its bytes, or
 * the two surrogate escapes that stand for it, come in two events, neither of which is proper JSON
 * then. The halves are hidden from the JSON reader as private code points, shown again in the text
 * that it read, and mended when the other half is there.
 */
#ifndef RV_MODEL_TORN_H
#define RV_MODEL_TORN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Whether JSON text holds bytes that are not UTF-8, or a surrogate escape without its other half.
 */
bool rv_torn_found(const char *json, size_t len);

/* Append JSON text with the halves hidden. 0, REEVE_ETOOBIG or REEVE_ENOMEM; so below. */
int rv_torn_hide(struct rv_buffer *out, const char *json, size_t len);

/* Append text that was read from such JSON with the halves as bytes: a surrogate's are those that
 * UTF-8 would give it if it could. */
int rv_torn_show(struct rv_buffer *out, const char *text, size_t len);

/* How many bytes at the end are the first half of a character: 0 to 3. */
size_t rv_torn_unfinished(const char *bytes, size_t len);

/* Append bytes with what belongs together joined, and U+FFFD for the halves that stay alone. */
int rv_torn_mend(struct rv_buffer *out, const char *bytes, size_t len);

#endif
