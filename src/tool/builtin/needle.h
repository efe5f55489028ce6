/* SPDX-License-Identifier: MIT */
/*
 * Finding one text in another, byte by byte (Knuth, Morris, Pratt): the time is that of the bytes
 * however both repeat themselves, and the search may stop and go on at any byte.
 */
#ifndef RV_TOOL_BUILTIN_NEEDLE_H
#define RV_TOOL_BUILTIN_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

struct rv_needle {
    const char *text;
    size_t len;
    uint32_t
        *back; /* with i + 1 bytes matched: how many still are if the next one does not match */
    size_t built;
    size_t matched;
};

/* What is looked for: 1 byte to 4 GiB, the caller's until _done. 0 or REEVE_ENOMEM. */
int rv_needle_init(struct rv_needle *needle, struct rv_mem *mem, const char *text, size_t len);
void rv_needle_done(struct rv_needle *needle, struct rv_mem *mem);

/* Prepare it by so many bytes. True when it is ready to be fed. */
bool rv_needle_build(struct rv_needle *needle, size_t bytes);

/* The next byte of the other text. True if a match ends with it; matches do not overlap. */
static inline bool rv_needle_feed(struct rv_needle *needle, char byte)
{
    size_t matched = needle->matched;

    while (matched && needle->text[matched] != byte)
        matched = needle->back[matched - 1];
    if (needle->text[matched] == byte)
        matched++;
    if (matched == needle->len) {
        needle->matched = 0;
        return true;
    }
    needle->matched = matched;
    return false;
}

#endif
