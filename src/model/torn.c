/* SPDX-License-Identifier: MIT */
/*
 * Characters that a server tore apart. Plane 16 is for private use: its last code points stand for
 * the 128 bytes that can be part of a character, and for the 2048 surrogates. A text that uses
 * them itself is only changed if it also holds a half.
 */
#include "model/torn.h"

#include <stdint.h>
#include <string.h>

#include <reeve/error.h>

#include "base/utf8.h"

enum {
    BYTES_BASE = 0x10F700,      /* for the byte 0x80, U+10F780 */
    SURROGATES_BASE = 0x10F800, /* for U+D800 */
    SURROGATE_FIRST = 0xD800,
    LOW_FIRST = 0xDC00,
    SURROGATE_LAST = 0xDFFF,
    ESCAPE_BYTES = 6,
    HIDDEN_BYTES = 4,
    SURROGATE_BYTES = 3,
};

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
        return (digit | 0x20) - 'a' + 10;
    return -1;
}

/* The surrogate that the escape at `text` (at its backslash) stands for; 0: it is another one. */
static unsigned escaped_surrogate(const char *text, size_t len)
{
    unsigned code = 0;
    size_t i;

    if (len < ESCAPE_BYTES || text[0] != '\\' || text[1] != 'u' || (text[2] | 0x20) != 'd')
        return 0;
    for (i = 2; i < ESCAPE_BYTES; i++) {
        int digit = hex_value(text[i]);

        if (digit < 0)
            return 0;
        code = code << 4 | (unsigned)digit;
    }
    return code >= SURROGATE_FIRST ? code : 0;
}

/*
 * At a backslash: how long the escape is, and in *ret_half the surrogate that stands there without
 * its other half, or 0.
 */
static size_t measure_escape(const char *text, size_t len, unsigned *ret_half)
{
    const unsigned first = escaped_surrogate(text, len);
    unsigned second;

    *ret_half = first;
    if (!first)
        return len < 2 ? len : 2;
    if (first >= LOW_FIRST)
        return ESCAPE_BYTES;
    second = escaped_surrogate(text + ESCAPE_BYTES, len - ESCAPE_BYTES);
    if (second < LOW_FIRST)
        return ESCAPE_BYTES;
    *ret_half = 0;
    return 2 * ESCAPE_BYTES;
}

/* The length of what needs no hiding; it ends at a half or at the end. */
static size_t whole_prefix(const char *json, size_t len, unsigned *ret_half)
{
    const size_t valid = rv_utf8_valid_prefix(json, len);
    const char *backslash;
    size_t at = 0;
    size_t escape;

    *ret_half = 0;
    while (at < valid) {
        backslash = memchr(json + at, '\\', valid - at);
        if (!backslash)
            break;
        at = (size_t)(backslash - json);
        escape = measure_escape(backslash, valid - at, ret_half);
        if (*ret_half)
            return at;
        at += escape;
    }
    return valid;
}

bool rv_torn_found(const char *json, size_t len)
{
    unsigned half;

    return whole_prefix(json, len, &half) < len;
}

/* A code point past U+FFFF. */
static int add_hidden(struct rv_buffer *out, unsigned code)
{
    const char bytes[HIDDEN_BYTES] = {
        (char)(0xF0 | code >> 18),
        (char)(0x80 | (code >> 12 & 0x3F)),
        (char)(0x80 | (code >> 6 & 0x3F)),
        (char)(0x80 | (code & 0x3F)),
    };

    return rv_buffer_add(out, bytes, sizeof bytes);
}

int rv_torn_hide(struct rv_buffer *out, const char *json, size_t len)
{
    size_t at = 0;
    size_t whole;
    unsigned half;
    int error = 0;

    while (at < len && !error) {
        whole = whole_prefix(json + at, len - at, &half);
        error = rv_buffer_add(out, json + at, whole);
        at += whole;
        if (error || at == len)
            break;
        if (half) {
            error = add_hidden(out, SURROGATES_BASE + half - SURROGATE_FIRST);
            at += ESCAPE_BYTES;
        } else {
            error = add_hidden(out, BYTES_BASE + (unsigned char)json[at]);
            at++;
        }
    }
    return error;
}

/* The code point of the four bytes if it is one that hides something, else 0. */
static unsigned hidden_code(const char *text, size_t len)
{
    const unsigned char *byte = (const unsigned char *)text;
    unsigned code;

    if (len < HIDDEN_BYTES || byte[0] != 0xF4 || byte[1] != 0x8F)
        return 0;
    code = 0x10F000 | (byte[2] & 0x3Fu) << 6 | (byte[3] & 0x3Fu);
    return code >= BYTES_BASE + 0x80 ? code : 0;
}

static int add_surrogate(struct rv_buffer *out, unsigned surrogate)
{
    const char bytes[SURROGATE_BYTES] = {
        (char)0xED,
        (char)(0x80 | (surrogate >> 6 & 0x3F)),
        (char)(0x80 | (surrogate & 0x3F)),
    };

    return rv_buffer_add(out, bytes, sizeof bytes);
}

static int add_shown(struct rv_buffer *out, unsigned code)
{
    if (code >= SURROGATES_BASE)
        return add_surrogate(out, code - SURROGATES_BASE + SURROGATE_FIRST);
    return rv_buffer_add_byte(out, (char)(code - BYTES_BASE));
}

int rv_torn_show(struct rv_buffer *out, const char *text, size_t len)
{
    const char *end, *at, *lead;
    unsigned code;
    int error = 0;

    if (!len)
        return 0; /* a call's piece without arguments has no text either */
    end = text + len;
    at = text;
    while (at < end && !error) {
        lead = memchr(at, 0xF4, (size_t)(end - at));
        if (!lead)
            return rv_buffer_add(out, at, (size_t)(end - at));
        code = hidden_code(lead, (size_t)(end - lead));
        if (!code)
            lead++;
        error = rv_buffer_add(out, at, (size_t)(lead - at));
        at = lead;
        if (code && !error) {
            error = add_shown(out, code);
            at += HIDDEN_BYTES;
        }
    }
    return error;
}

/* The surrogate that the three bytes stand for, or 0. */
static unsigned shown_surrogate(const char *bytes, size_t len)
{
    const unsigned char *byte = (const unsigned char *)bytes;

    if (len < SURROGATE_BYTES || byte[0] != 0xED || byte[1] < 0xA0 || byte[1] > 0xBF ||
        (byte[2] & 0xC0) != 0x80)
        return 0;
    return 0xD000 | (byte[1] & 0x3Fu) << 6 | (byte[2] & 0x3Fu);
}

size_t rv_torn_unfinished(const char *bytes, size_t len)
{
    unsigned surrogate = 0;

    if (len >= SURROGATE_BYTES)
        surrogate = shown_surrogate(bytes + len - SURROGATE_BYTES, SURROGATE_BYTES);
    return surrogate && surrogate < LOW_FIRST ? (size_t)SURROGATE_BYTES
                                              : rv_utf8_unfinished(bytes, len);
}

int rv_torn_mend(struct rv_buffer *out, const char *bytes, size_t len)
{
    unsigned high, low;
    size_t at = 0;
    size_t i;
    int error;

    for (i = 0; i + 2 * SURROGATE_BYTES <= len; i++) {
        high = shown_surrogate(bytes + i, len - i);
        low = high ? shown_surrogate(bytes + i + SURROGATE_BYTES, len - i - SURROGATE_BYTES) : 0;
        if (!high || high >= LOW_FIRST || low < LOW_FIRST)
            continue;
        error = rv_utf8_add_repaired(out, bytes + at, i - at);
        if (!error)
            error = add_hidden(out, 0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF)));
        if (error)
            return error;
        at = i + 2 * SURROGATE_BYTES;
        i = at - 1;
    }
    return rv_utf8_add_repaired(out, bytes + at, len - at);
}
