/* SPDX-License-Identifier: MIT */
/* The escapes in a JSON text's strings. */
#include "json/escape.h"

#include <string.h>

static unsigned hex_value(char digit)
{
    if (digit <= '9')
        return (unsigned)(digit - '0');
    return ((unsigned)digit | 0x20) - 'a' + 10;
}

/* The four digits of a \u escape, which the lexer has checked. */
static unsigned code_unit(const char *digits)
{
    return hex_value(digits[0]) << 12 | hex_value(digits[1]) << 8 | hex_value(digits[2]) << 4 |
           hex_value(digits[3]);
}

static char *put_character(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xE0 | code >> 12);
        } else {
            *to++ = (char)(0xF0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (code & 0x3F));
    return to;
}

/* `from` stands behind "\u". Returns where the text goes on, and the character. */
static const char *read_unicode(const char *from, const char *end, unsigned *ret_code)
{
    const unsigned code = code_unit(from);
    unsigned low;

    from += 4;
    *ret_code = code;
    if (code < 0xD800 || code > 0xDFFF)
        return from;
    *ret_code = 0xFFFD;
    if (code > 0xDBFF || end - from < 6 || from[0] != '\\' || from[1] != 'u')
        return from;
    low = code_unit(from + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return from;
    *ret_code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
    return from + 6;
}

/* What the escape at `from` (behind its backslash) stands for. */
static const char *read_escape(const char *from, const char *end, unsigned *ret_code)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    const char *letter;

    if (*from == 'u')
        return read_unicode(from + 1, end, ret_code);
    letter = strchr(letters, *from);
    *ret_code = (unsigned char)(letter ? meanings[letter - letters] : *from);
    return from + 1;
}

char *rv_json_resolve(char *text, const char *end)
{
    const char *from = text;
    char *to = text;
    const char *backslash;
    unsigned code;

    while ((backslash = memchr(from, '\\', (size_t)(end - from)))) {
        memmove(to, from, (size_t)(backslash - from));
        to += backslash - from;
        from = read_escape(backslash + 1, end, &code);
        to = put_character(to, code);
    }
    memmove(to, from, (size_t)(end - from));
    return to + (end - from);
}

char *rv_json_string_start(char *start, char *end)
{
    const char *before;
    char *quote;

    for (quote = end; quote > start;) {
        if (*--quote != '"')
            continue;
        for (before = quote; before > start && before[-1] == '\\'; before--)
            ;
        if ((quote - before) % 2 == 0)
            return quote + 1;
    }
    return start; /* not reached: the lexer saw it */
}
