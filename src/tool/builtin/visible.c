/* SPDX-License-Identifier: MIT */
/* Names of files as text. See visible.h. */
#include "tool/builtin/visible.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { LONGEST_ESCAPE = 6 };

/* One character, or one byte that is part of none, as it is to be seen. */
struct glyph {
    const char *bytes; /* in the name, or in `escape` */
    size_t len;
    size_t taken; /* of the name */
    char escape[LONGEST_ESCAPE + 1];
};

static size_t character_len(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0];
    size_t wanted = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    return len >= wanted && rv_utf8_valid(text, wanted) ? wanted : 0;
}

/* Of the characters that may have to be escaped; 0 stands for all others. */
static uint32_t code_point(const char *text, size_t len)
{
    const unsigned char *byte = (const unsigned char *)text;

    if (len == 1)
        return byte[0];
    if (len == 2)
        return (byte[0] & 0x1Fu) << 6 | (byte[1] & 0x3Fu);
    if (len == 3)
        return (byte[0] & 0x0Fu) << 12 | (byte[1] & 0x3Fu) << 6 | (byte[2] & 0x3Fu);
    return 0xFFFFF;
}

static bool is_hidden(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200E && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0x061C || code == 0xFEFF;
}

static const char *short_escape(uint32_t code)
{
    switch (code) {
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\\':
        return "\\\\";
    default:
        return NULL;
    }
}

static void next_glyph(const char *name, size_t len, struct glyph *glyph)
{
    const char *known;
    uint32_t code;

    glyph->bytes = glyph->escape;
    glyph->taken = character_len(name, len);
    if (!glyph->taken) {
        glyph->taken = 1;
        glyph->len = (size_t)snprintf(glyph->escape, sizeof glyph->escape, "\\x%02X",
                                      (unsigned)(unsigned char)name[0]);
        return;
    }
    code = code_point(name, glyph->taken);
    known = short_escape(code);
    if (known) {
        glyph->bytes = known;
        glyph->len = strlen(known);
    } else if (is_hidden(code)) {
        glyph->len =
            (size_t)snprintf(glyph->escape, sizeof glyph->escape, "\\u%04X", (unsigned)code);
    } else {
        glyph->bytes = name;
        glyph->len = glyph->taken;
    }
}

/* How many bytes at the front need no look at what they are. */
static size_t plain_len(const char *name, size_t len)
{
    size_t i = 0;

    while (i < len && name[i] >= ' ' && name[i] <= '~' && name[i] != '\\')
        i++;
    return i;
}

int rv_visible_add(struct rv_buffer *out, const char *name, size_t len)
{
    size_t start = out->len, plain;
    struct glyph glyph;
    int error;

    for (;;) {
        plain = plain_len(name, len);
        error = rv_buffer_add(out, name, plain);
        name += plain;
        len -= plain;
        if (error || !len)
            break;
        next_glyph(name, len, &glyph);
        error = rv_buffer_add(out, glyph.bytes, glyph.len);
        name += glyph.taken;
        len -= glyph.taken;
        if (error)
            break;
    }
    if (error && out->data) {
        out->len = start;
        out->data[start] = '\0';
    }
    return error;
}

void rv_visible_set(struct rv_visible *visible, const char *name, size_t len)
{
    static const char more[] = "...";
    const size_t room = sizeof visible->text - sizeof more;
    struct glyph glyph;
    size_t at = 0;

    while (len) {
        next_glyph(name, len, &glyph);
        if (glyph.len > room - at) {
            memcpy(visible->text + at, more, sizeof more);
            return;
        }
        memcpy(visible->text + at, glyph.bytes, glyph.len);
        at += glyph.len;
        name += glyph.taken;
        len -= glyph.taken;
    }
    visible->text[at] = '\0';
}
