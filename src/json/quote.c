/* SPDX-License-Identifier: MIT */
/* A string as JSON text. */
#include "json/quote.h"

#include <stdbool.h>

#include "base/utf8.h"

/* What a byte is escaped with: 0 nothing, 'u' its code, else the letter behind the backslash. */
static char escape_of(char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return (unsigned char)byte < 0x20 ? 'u' : 0;
    }
}

static int add_escape(struct rv_buffer *out, char byte, char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[] = {'\\', letter, '0', '0', digits[byte >> 4 & 0xF], digits[byte & 0xF]};

    return rv_buffer_add(out, escape, letter == 'u' ? sizeof escape : 2);
}

/* Valid UTF-8, escaped. */
static int add_escaped(struct rv_buffer *out, const char *text, size_t len)
{
    size_t plain = 0; /* where the bytes begin that need no escape */
    size_t at;
    int error = 0;
    char letter;

    for (at = 0; at < len && !error; at++) {
        letter = escape_of(text[at]);
        if (!letter)
            continue;
        error = rv_buffer_add(out, text + plain, at - plain);
        if (!error)
            error = add_escape(out, text[at], letter);
        plain = at + 1;
    }
    return error || plain == len ? error : rv_buffer_add(out, text + plain, len - plain);
}

static int add_repaired(struct rv_buffer *out, const char *bytes, size_t len)
{
    size_t at = 0;
    size_t valid;
    int error = 0;

    while (at < len && !error) {
        valid = rv_utf8_valid_prefix(bytes + at, len - at);
        error = add_escaped(out, bytes + at, valid);
        at += valid;
        if (error || at == len)
            break;
        error = rv_buffer_add_text(out, "\xEF\xBF\xBD");
        at += rv_utf8_invalid_part(bytes + at, len - at);
    }
    return error;
}

int rv_json_add_quoted(struct rv_buffer *out, const char *bytes, size_t len)
{
    const size_t start = out->len;
    int error = rv_buffer_add_byte(out, '"');

    if (!error)
        error = add_repaired(out, bytes, len);
    if (!error)
        error = rv_buffer_add_byte(out, '"');
    if (error)
        rv_buffer_truncate(out, start);
    return error;
}
