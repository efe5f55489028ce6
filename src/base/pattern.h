/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions, by PCRE2 if it was there when Reeve was configured. A pattern may come from
 * anybody and so may the text that it is held against, so what a match may cost is bounded: 100,000
 * steps from each place where it may begin (about a millisecond), 1 MiB for its places to go back
 * to and, on demand, a number of steps in all that is shared by many matches.
 */
#ifndef RV_BASE_PATTERN_H
#define RV_BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

struct rv_pattern;

enum rv_pattern_flag {
    /*
     * As a JSON Schema means it: ECMAScript's escapes, and $ is the text's very end. Otherwise what
     * Perl takes.
     */
    RV_PATTERN_ECMA = 1,
    RV_PATTERN_CASELESS = 2,
    RV_PATTERN_MULTILINE = 4, /* ^ and $ stand at the lines' ends too */
    RV_PATTERN_COUNTED = 8,   /* for rv_pattern_test; slower */
};

/* Why a text is no pattern. */
struct rv_pattern_problem {
    size_t offset; /* in bytes */
    char text[128];
};

enum {
    RV_PATTERN_MAX_BYTES = 8192, /* of a pattern */
    RV_PATTERN_STEPS = 100000,   /* of a match from one place on */
};

/* Whether this build has regular expressions at all. */
bool rv_pattern_supported(void);

/*
 * `flags`: of enum rv_pattern_flag. Both the pattern and what it is held against are UTF-8. 0;
 * REEVE_EINVAL (no pattern), REEVE_ETOOBIG (too long), REEVE_EUNSUPPORTED (no PCRE2), each with a
 * problem; REEVE_ENOMEM. `problem` may be NULL.
 */
int rv_pattern_new(struct rv_mem *mem, const char *text, size_t len, unsigned flags,
                   struct rv_pattern **ret_pattern, struct rv_pattern_problem *problem);
void rv_pattern_free(struct rv_pattern *pattern);

/* Where a match stands, in bytes; the end is behind it. */
struct rv_pattern_place {
    size_t start;
    size_t end;
};

/*
 * The first match at `from` or behind it, in valid UTF-8. 0; REEVE_ENOTFOUND: there is none;
 * REEVE_ETOOBIG: it took too many steps; REEVE_ENOMEM. `ret_place` may be NULL.
 */
int rv_pattern_find(struct rv_pattern *pattern, const char *text, size_t len, size_t from,
                    struct rv_pattern_place *ret_place);

/*
 * Whether it matches anywhere, by a pattern made with RV_PATTERN_COUNTED. Steps past what is linear
 * in the text (four for each byte, and a few) are taken from *budget. Returns as rv_pattern_find;
 * REEVE_ETOOBIG if the budget is used up, too.
 */
int rv_pattern_test(struct rv_pattern *pattern, const char *text, size_t len, uint64_t *budget);

#endif
