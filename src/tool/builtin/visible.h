/* SPDX-License-Identifier: MIT */
/* Names of files as text: they may hold any bytes, and must not break a line or a terminal. */
#ifndef RV_TOOL_BUILTIN_VISIBLE_H
#define RV_TOOL_BUILTIN_VISIBLE_H

#include <stddef.h>

#include "base/buffer.h"

/*
 * Append a name with what could not be seen escaped: control characters, line separators and marks
 * that turn the direction of writing as \n, \t, \r or \uXXXX, bytes that are not UTF-8 as \xXX, and
 * the backslash itself as \\. 0, REEVE_ETOOBIG or REEVE_ENOMEM; on failure nothing was appended.
 */
int rv_visible_add(struct rv_buffer *out, const char *name, size_t len);

/* A name in a message: visible, and cut if it is long. */
struct rv_visible {
    char text[256];
};
void rv_visible_set(struct rv_visible *visible, const char *name, size_t len);

#endif
