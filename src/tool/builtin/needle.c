/* SPDX-License-Identifier: MIT */
/* The table of a search. See needle.h. */
#include "tool/builtin/needle.h"

#include <reeve/error.h>

int rv_needle_init(struct rv_needle *needle, struct rv_mem *mem, const char *text, size_t len)
{
    size_t size;

    *needle = (struct rv_needle){.text = text, .len = len};
    if (len > UINT32_MAX || !rv_size_mul(len, sizeof needle->back[0], &size))
        return REEVE_ENOMEM;
    needle->back = rv_alloc(mem, size);
    if (!needle->back)
        return REEVE_ENOMEM;
    needle->back[0] = 0;
    needle->built = 1;
    return 0;
}

void rv_needle_done(struct rv_needle *needle, struct rv_mem *mem)
{
    rv_free(mem, needle->back);
    needle->back = NULL;
}

bool rv_needle_build(struct rv_needle *needle, size_t bytes)
{
    const char *text = needle->text;
    size_t matched = needle->back[needle->built - 1];

    for (; bytes && needle->built < needle->len; bytes--, needle->built++) {
        while (matched && text[matched] != text[needle->built])
            matched = needle->back[matched - 1];
        if (text[matched] == text[needle->built])
            matched++;
        needle->back[needle->built] = (uint32_t)matched;
    }
    return needle->built == needle->len;
}
