/* SPDX-License-Identifier: MIT */
/* What is kept of a tool's output: valid UTF-8 under a cap, its head and its tail if it is longer.
 */
#ifndef RV_TOOL_OUTPUT_H
#define RV_TOOL_OUTPUT_H

#include <stddef.h>

#include "base/arena.h"

/* A cap may not be smaller: marker and a little of both ends must fit. */
#define RV_OUTPUT_SMALLEST_CAP 256

/* A part of the output and the bytes that it takes up once it is repaired. */
struct rv_output_piece {
    const char *text;
    size_t len;
    size_t repaired_len;
};

/*
 * As much of the beginning of `text` as takes up at most `max` bytes. A character that is cut by
 * the end of the text is invalid, one that is cut by `max` is left out.
 */
struct rv_output_piece rv_output_head(const char *text, size_t len, size_t max);

/* As much of the end of `text` as takes up at most `max` bytes. */
struct rv_output_piece rv_output_tail(const char *text, size_t len, size_t max);

/*
 * Copy `text` into the arena, NUL-terminated, at most `max` bytes of it (the NUL not counted). Each
 * maximal invalid part becomes U+FFFD. What does not fit loses its middle to a marker, on a line of
 * its own, that says how many of the bytes given are not there. No character is cut.
 * 0 or REEVE_ENOMEM.
 */
int rv_output_keep(struct rv_arena *arena, const char *text, size_t len, size_t max,
                   const char **ret_text, size_t *ret_len);

#endif
