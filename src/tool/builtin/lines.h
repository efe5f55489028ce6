/* SPDX-License-Identifier: MIT */
/*
 * Lines of text files held against a regular expression, and those that match written out with
 * their file, their number and the lines around them. A file comes in pieces, cut anywhere.
 */
#ifndef RV_TOOL_BUILTIN_LINES_H
#define RV_TOOL_BUILTIN_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/pattern.h"

enum {
    RV_LINES_MAX_CONTEXT = 10,
    RV_LINES_MAX_BYTES = 8192, /* of a line; what is behind is not searched */
    RV_LINES_MAX_COSTLY = 100, /* lines that take too many steps, before the search gives up */
};

/* A line that may have to be shown as one before a match. */
struct rv_lines_kept {
    struct rv_buffer text;
    uint64_t number;
    bool valid;
};

struct rv_lines {
    struct rv_pattern *pattern;
    struct rv_buffer *out; /* where matches go; `over` is set when it is full */
    unsigned context;
    uint64_t limit; /* of matches; `over` is set at the one behind */

    uint64_t matches; /* of all files */
    size_t matched_files;
    size_t cut;    /* lines that are too long */
    size_t costly; /* lines that take too many steps */
    bool over;

    struct rv_buffer path;  /* of the file, visible */
    bool binary;            /* it is only told that it matches */
    bool matched;           /* it has a match */
    uint64_t number;        /* of the last line */
    uint64_t shown;         /* the last line that was written out; 0: none */
    unsigned after;         /* lines to be shown behind a match */
    struct rv_buffer begun; /* the beginning of a line whose end has not come */
    size_t begun_lost;      /* bytes of it that had no room */
    struct rv_buffer repaired;
    struct rv_lines_kept before[RV_LINES_MAX_CONTEXT];
};

/* The pattern is made with RV_PATTERN_COUNTED; it and `out` are the caller's. */
void rv_lines_init(struct rv_lines *lines, struct rv_mem *mem, struct rv_pattern *pattern,
                   struct rv_buffer *out);
void rv_lines_done(struct rv_lines *lines);

/* A new file. 0 or REEVE_ENOMEM. */
int rv_lines_begin(struct rv_lines *lines, const char *path, bool binary);
/*
 * Its next bytes: as many as one slice takes, which it says; all that are there once `over`. 0;
 * REEVE_ENOMEM; REEVE_ETOOBIG: too many lines were costly.
 */
int rv_lines_feed(struct rv_lines *lines, const char *bytes, size_t len, size_t *ret_taken);
/* Its end. As above. */
int rv_lines_end(struct rv_lines *lines);

#endif
