/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a tool's output. Only what is kept is looked at, so that the cost is bounded by
 * the cap and not by the output.
 */
#include "tool/output.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#include <reeve/error.h>

#define REPLACEMENT "\xEF\xBF\xBD"

enum { REPLACEMENT_LEN = 3 };

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* The length of the character, or else of the invalid part, that `text` (len > 0) begins with. */
static size_t next_part(const char *text, size_t len, bool *ret_valid)
{
    unsigned char first = (unsigned char)text[0];

    *ret_valid = rv_utf8_valid_prefix(text, len < 4 ? len : 4) > 0;
    if (!*ret_valid)
        return rv_utf8_invalid_part(text, len);
    if (first < 0x80)
        return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

struct rv_output_piece rv_output_head(const char *text, size_t len, size_t max)
{
    struct rv_output_piece head = {.text = text};

    while (head.len < len && head.repaired_len < max) {
        size_t room = max - head.repaired_len, rest = len - head.len;
        size_t part = rv_utf8_valid_prefix(text + head.len, rest < room ? rest : room);

        if (part) {
            head.repaired_len += part;
        } else {
            bool valid;

            part = next_part(text + head.len, rest, &valid);
            if (valid || room < REPLACEMENT_LEN)
                break;
            head.repaired_len += REPLACEMENT_LEN;
        }
        head.len += part;
    }
    return head;
}

/* The first place at or after `at` where a character or an invalid part begins. */
static size_t next_boundary(const char *text, size_t len, size_t at)
{
    size_t start = at, back;

    for (back = 0; back < 3 && start && is_continuation(text[start]); back++)
        start--;
    if (is_continuation(text[start]))
        return at; /* too far from any first byte to belong to it: each is a part of its own */
    while (start < at) {
        bool valid;

        start += next_part(text + start, len - start, &valid);
    }
    return start;
}

struct rv_output_piece rv_output_tail(const char *text, size_t len, size_t max)
{
    size_t start = len > max ? next_boundary(text, len, len - max) : 0;
    struct rv_output_piece tail = rv_output_head(text + start, len - start, SIZE_MAX);

    while (tail.repaired_len > max) {
        bool valid;
        size_t part = next_part(tail.text, tail.len, &valid);

        tail.text += part;
        tail.len -= part;
        tail.repaired_len -= valid ? part : REPLACEMENT_LEN;
    }
    return tail;
}

/* Write a piece, repaired; the end of what was written. */
static char *put_piece(char *out, const struct rv_output_piece *piece)
{
    const char *text = piece->text;
    size_t len = piece->len;

    if (piece->len == piece->repaired_len && rv_utf8_valid(text, len)) {
        memcpy(out, text, len);
        return out + len;
    }
    while (len) {
        bool valid;
        size_t part = next_part(text, len, &valid);

        memcpy(out, valid ? text : REPLACEMENT, valid ? part : REPLACEMENT_LEN);
        out += valid ? part : REPLACEMENT_LEN;
        text += part;
        len -= part;
    }
    return out;
}

static int keep_whole(struct rv_arena *arena, const struct rv_output_piece *whole,
                      const char **ret_text, size_t *ret_len)
{
    char *out = rv_arena_alloc_bytes(arena, whole->repaired_len + 1);

    if (!out)
        return REEVE_ENOMEM;
    *put_piece(out, whole) = '\0';
    *ret_text = out;
    *ret_len = whole->repaired_len;
    return 0;
}

static int write_marker(char *marker, size_t size, size_t gone)
{
    return snprintf(marker, size, "\n[... %zu bytes left out ...]\n", gone);
}

static int keep_ends(struct rv_arena *arena, const char *text, size_t len, size_t max,
                     const char **ret_text, size_t *ret_len)
{
    char marker[64], *out, *end;
    size_t room = max - (size_t)write_marker(marker, sizeof marker, len), marker_len;
    struct rv_output_piece head = rv_output_head(text, len, room / 2);
    struct rv_output_piece tail = rv_output_tail(text, len, room - room / 2);

    assert(head.text + head.len <= tail.text);
    marker_len = (size_t)write_marker(marker, sizeof marker, len - head.len - tail.len);
    out = rv_arena_alloc_bytes(arena, head.repaired_len + marker_len + tail.repaired_len + 1);
    if (!out)
        return REEVE_ENOMEM;
    end = put_piece(out, &head);
    memcpy(end, marker, marker_len);
    end = put_piece(end + marker_len, &tail);
    *end = '\0';
    *ret_text = out;
    *ret_len = (size_t)(end - out);
    return 0;
}

int rv_output_keep(struct rv_arena *arena, const char *text, size_t len, size_t max,
                   const char **ret_text, size_t *ret_len)
{
    assert(max >= RV_OUTPUT_SMALLEST_CAP);
    if (len <= max) {
        struct rv_output_piece whole = rv_output_head(text, len, SIZE_MAX);

        if (whole.repaired_len <= max)
            return keep_whole(arena, &whole, ret_text, ret_len);
    }
    return keep_ends(arena, text, len, max, ret_text, ret_len);
}
