/* SPDX-License-Identifier: MIT */
/* A string as JSON text. What needs no escape, nearly all, is passed over eight bytes at a time. */
#include "json/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static const uint64_t ones = UINT64_C(0x0101010101010101);

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

/* Not 0 if one of eight bytes is `byte`, or (the second) is below 0x20. */
static uint64_t any_equal(uint64_t word, unsigned char byte)
{
    word ^= ones * byte;
    return (word - ones) & ~word & (ones * 0x80);
}

static uint64_t any_control(uint64_t word)
{
    return (word - ones * 0x20) & ~word & (ones * 0x80);
}

/* How many bytes at the beginning need no escape. */
static size_t plain_prefix(const char *text, size_t len)
{
    size_t at = 0;
    uint64_t word;

    for (; at + sizeof word <= len; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        if (any_control(word) | any_equal(word, '"') | any_equal(word, '\\'))
            break;
    }
    while (at < len && !escape_of(text[at]))
        at++;
    return at;
}

/* Valid UTF-8, escaped. */
static int add_escaped(struct rv_buffer *out, const char *text, size_t len)
{
    size_t at = 0;
    size_t plain;
    int error;

    for (;;) {
        plain = plain_prefix(text + at, len - at);
        error = rv_buffer_add(out, text + at, plain);
        at += plain;
        if (error || at == len)
            return error;
        error = add_escape(out, text[at], escape_of(text[at]));
        if (error)
            return error;
        at++;
    }
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

/* Bytes outside ASCII are not plain here: they may have to be repaired. */
static uint64_t any_special(uint64_t word)
{
    return any_control(word) | any_equal(word, '"') | any_equal(word, '\\') |
           (word & (ones * 0x80));
}

static bool is_special(char byte)
{
    return (unsigned char)byte >= 0x80 || escape_of(byte);
}

/* Copies if all of it is plain. The last eight bytes of a longer text overlap those before. */
static bool copy_plain(char *to, const char *from, size_t len)
{
    size_t at = 0;
    uint64_t word;

    if (len < sizeof word) {
        for (; at < len && !is_special(from[at]); at++)
            to[at] = from[at];
        return at == len;
    }
    for (; at < len; at += sizeof word) {
        if (at > len - sizeof word)
            at = len - sizeof word;
        memcpy(&word, from + at, sizeof word);
        if (any_special(word))
            return false;
        memcpy(to + at, &word, sizeof word);
    }
    return true;
}

/* Nearly all texts are plain: those are copied in one go. What was copied of others is not kept. */
static bool add_plain(struct rv_buffer *out, const char *bytes, size_t len)
{
    char *to;

    if (len > SIZE_MAX - 2 || rv_buffer_reserve(out, len + 2))
        return false;
    to = out->data + out->len;
    if (!copy_plain(to + 1, bytes, len)) {
        *to = '\0';
        return false;
    }
    to[0] = '"';
    to[len + 1] = '"';
    to[len + 2] = '\0';
    out->len += len + 2;
    return true;
}

int rv_json_add_quoted(struct rv_buffer *out, const char *bytes, size_t len)
{
    const size_t start = out->len;
    int error;

    if (add_plain(out, bytes, len))
        return 0;
    error = rv_buffer_add_byte(out, '"');

    if (!error)
        error = add_repaired(out, bytes, len);
    if (!error)
        error = rv_buffer_add_byte(out, '"');
    if (error)
        rv_buffer_truncate(out, start);
    return error;
}
