/* SPDX-License-Identifier: MIT */
/*
 * JSON text to values, by yajl, whose every allocation comes from an arena of ours: when the arena
 * is refused memory the parse is left at once and dropped whole (yajl itself does not survive
 * NULL). Text may come in pieces; the work done is linear in the text, however it is cut.
 */
#ifndef RV_JSON_READER_H
#define RV_JSON_READER_H

#include <stddef.h>

#include "base/alloc.h"

#include <reeve/json.h>

struct rv_arena;
struct rv_json_reader;

struct rv_json_limits {
    size_t max_bytes;   /* of the whole text; more than 4 GiB are not taken */
    unsigned max_depth; /* of nested arrays and objects; more than 512 are not taken */
};

/* 64 MiB and a depth of 128. */
extern const struct rv_json_limits rv_json_default_limits;

/* Where and why a text is not JSON, for a person or a model to act on. */
struct rv_json_problem {
    size_t offset; /* in bytes from the start */
    char text[160];
};

/* NULL limits: the defaults. 0 or REEVE_ENOMEM. */
int rv_json_reader_new(struct rv_mem *mem, const struct rv_json_limits *limits,
                       struct rv_json_reader **ret_reader);

/*
 * 0; REEVE_EPARSE, REEVE_ETOOBIG (a limit), REEVE_ENOMEM, each also with a problem. After a failure
 * only reset, problem and free are legal.
 */
int rv_json_reader_feed(struct rv_json_reader *reader, const char *text, size_t len);

/*
 * The end of the text. The value lives until the reader is reset or freed, and nothing else is
 * legal until then. In its strings an escaped surrogate that has no partner is U+FFFD.
 */
int rv_json_reader_finish(struct rv_json_reader *reader, const struct reeve_json **ret_value);

/* Feed and finish in one. */
int rv_json_reader_parse(struct rv_json_reader *reader, const char *text, size_t len,
                         const struct reeve_json **ret_value);

/*
 * The same for a text that comes whole, with the value in an arena of the caller's (of the reader's
 * mem), where it outlives the reader without being copied. Failing, it may leave bytes there.
 */
int rv_json_reader_parse_into(struct rv_json_reader *reader, struct rv_arena *arena,
                              const char *text, size_t len, const struct reeve_json **ret_value);

/* Start over, keeping (a bounded part of) the memory. */
void rv_json_reader_reset(struct rv_json_reader *reader);

/*
 * Start over too, keeping no memory at all: for a reader that may have nothing to do for long, as
 * that of a stream between two pieces. What it needs it takes anew.
 */
void rv_json_reader_rest(struct rv_json_reader *reader);

/* As rv_json_reader_rest, but the memory of the values, which can be much, becomes the arena's, to
 * be given back bit by bit. It must be of the reader's mem. */
void rv_json_reader_rest_into(struct rv_json_reader *reader, struct rv_arena *arena);
const struct rv_json_problem *rv_json_reader_problem(const struct rv_json_reader *reader);
void rv_json_reader_free(struct rv_json_reader *reader);

#endif
