/* SPDX-License-Identifier: MIT */
/*
 * Where in a text something stands that is nearly what was looked for and not found: what differs
 * from it in white space only, else the place where most of its lines stand, else the line that is
 * most like its longest one. Time is that of the text; it goes in steps.
 */
#ifndef RV_TOOL_BUILTIN_NEAR_H
#define RV_TOOL_BUILTIN_NEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "tool/builtin/needle.h"

/* Longer ones are not looked for: what is near to so much tells nothing. */
#define RV_NEAR_MAX_BYTES ((size_t)64 * 1024)
#define RV_NEAR_LINES 64 /* of what is looked for: the rest is not compared */
#define RV_NEAR_GRAMS 512

struct rv_near_line {
    const char *text; /* without the white space at its ends, and cut if it is long */
    size_t len;
    uint32_t hash;
};

struct rv_near_spot {
    size_t start;
    size_t line; /* from 1 */
};

enum rv_near_state {
    RV_NEAR_SPACE, /* looking for what differs in white space */
    RV_NEAR_ALIKE, /* … for lines that are alike */
    RV_NEAR_OVER,
};

struct rv_near {
    struct rv_mem *mem;
    const char *text;
    size_t len;
    const char *wanted;
    size_t wanted_len;
    enum rv_near_state state;
    size_t at;
    size_t line; /* lines before `at` */

    char *squeezed; /* `wanted` without white space */
    struct rv_needle needle;
    struct rv_near_spot *seen; /* where the last bytes that were fed stand, in a ring */
    size_t fed;

    struct rv_near_line lines[RV_NEAR_LINES];
    size_t line_count;
    unsigned votes[RV_NEAR_LINES];             /* by the line at which `wanted` would begin */
    struct rv_near_spot starts[RV_NEAR_LINES]; /* of the last lines */
    const struct rv_near_line *key;            /* the longest */
    uint16_t grams[RV_NEAR_GRAMS];             /* how often each pair of its bytes is there */
    size_t key_grams;

    /* What was found. */
    bool has_space;
    struct rv_near_spot first; /* of what differs in white space … */
    size_t end;                /* … and where it ends */
    unsigned best_votes;
    struct rv_near_spot best;
    unsigned best_score; /* in thousandths */
    struct rv_near_spot like;
};

/* Both texts are the caller's until _done; 0 < wanted_len <= RV_NEAR_MAX_BYTES. 0, REEVE_ENOMEM. */
int rv_near_init(struct rv_near *near, struct rv_mem *mem, const char *text, size_t len,
                 const char *wanted, size_t wanted_len);
void rv_near_done(struct rv_near *near);

/* Some 0.1 ms of the search. True when it is over. */
bool rv_near_step(struct rv_near *near);

/* Sentences for a model, with the lines as they stand in the text. 0, REEVE_ETOOBIG, REEVE_ENOMEM.
 */
int rv_near_describe(const struct rv_near *near, struct rv_buffer *out);

#endif
