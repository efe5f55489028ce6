/* SPDX-License-Identifier: MIT */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef RV_BASE_UTF8_H
#define RV_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

bool rv_utf8_valid(const char *text, size_t len);

/* The length of the longest valid prefix. */
size_t rv_utf8_valid_prefix(const char *text, size_t len);

/*
 * For text (len > 0) that does not begin with a valid character: how many bytes stand for one
 * U+FFFD, the "maximal subpart" of the Unicode standard, at least 1.
 */
size_t rv_utf8_invalid_part(const char *text, size_t len);

/*
 * Append text with each maximal invalid part replaced by U+FFFD (Unicode 15, section 3.9,
 * "substitution of maximal subparts"). 0, REEVE_ETOOBIG or REEVE_ENOMEM, with `out` as it was.
 */
int rv_utf8_add_repaired(struct rv_buffer *out, const char *text, size_t len);

/* How many bytes of valid text may be kept so that at most `max` are and no character is cut. */
size_t rv_utf8_cut_head(const char *text, size_t len, size_t max);

/* The same from the end: where the kept part begins. */
size_t rv_utf8_cut_tail(const char *text, size_t len, size_t max);

/* How many bytes at the end are the beginning of a character that may still be completed: 0 to 3.
 */
size_t rv_utf8_unfinished(const char *text, size_t len);

/* The number of code points of valid text. */
size_t rv_utf8_count(const char *text, size_t len);

#endif
