/* SPDX-License-Identifier: MIT */
/* What is kept of a tool's output: valid UTF-8 under a cap, its head and its tail if it is longer.
 */
#ifndef RV_TOOL_OUTPUT_H
#define RV_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* A cap may not be smaller: marker and a little of both ends must fit. */
#define RV_OUTPUT_SMALLEST_CAP 256

/* Repaired, a text is at most so many times as long: U+FFFD for a byte. */
#define RV_OUTPUT_MOST_GROWTH 3

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

/*
 * The same of an output that comes bit by bit, in memory that the cap bounds: all of it while it
 * fits, then as much of its beginning and of its end as may be kept. What comes of it is what
 * rv_output_keep makes of the whole, however it was cut into pieces.
 */
struct rv_output {
    struct rv_mem *mem;
    size_t max;
    char *bytes; /* the beginning, and behind it a ring with the end */
    size_t room; /* of `bytes`: grows up to what `max` asks for */
    size_t len;  /* of what was added */
};

void rv_output_init(struct rv_output *output, struct rv_mem *mem, size_t max);
void rv_output_done(struct rv_output *output);

/* 0 or REEVE_ENOMEM, with nothing added. */
int rv_output_add(struct rv_output *output, const char *bytes, size_t len);

/* Once, at the end: as rv_output_keep. */
int rv_output_end(struct rv_output *output, struct rv_arena *arena, const char **ret_text,
                  size_t *ret_len);

/*
 * For handing on what has come: repaired pieces of whole characters, one after the other, until
 * `piece` returns false. The beginning of a character at the very end is left out, unless `all`.
 * Once, at the end.
 */
void rv_output_pieces(struct rv_output *output, bool all,
                      bool (*piece)(const char *text, size_t len, void *arg), void *arg);

/*
 * Hand on a text, or as much of it as may be repaired at a time: in one piece where it is valid.
 * Returns how much of it that was; what it ends in must be whole. `piece` as above.
 */
size_t rv_output_pass(const char *text, size_t len,
                      bool (*piece)(const char *text, size_t len, void *arg), void *arg);

/* The beginning of a character that stands at the end of what was added: at most 3 bytes. */
size_t rv_output_unfinished(const struct rv_output *output, char ret_bytes[3]);

#endif
