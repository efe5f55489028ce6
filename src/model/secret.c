/* SPDX-License-Identifier: MIT */
/* The key, found in a text. */
#include "model/secret.h"

#include <stdbool.h>
#include <string.h>

enum { SMALLEST_PART = 8, SMALLEST_PART_AT_END = 4 };

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
        return (digit | 0x20) - 'a' + 10;
    return -1;
}

/* Whether so many digits are the byte. */
static bool is_hex(const char *text, size_t len, size_t digits, char byte)
{
    int value = 0;
    size_t i;

    if (len < digits)
        return false;
    for (i = 0; i < digits; i++) {
        if (hex_value(text[i]) < 0)
            return false;
        value = value * 16 + hex_value(text[i]);
    }
    return value == (unsigned char)byte;
}

/* Behind the '&': "#45;" or "#x2d;". */
static size_t reference(const char *text, size_t len, char byte)
{
    const bool hex = len > 1 && (text[1] | 0x20) == 'x';
    size_t at = hex ? 2 : 1;
    int value = 0;

    if (!len || text[0] != '#')
        return 0;
    for (; at < len && hex_value(text[at]) >= 0 && value < 0x100; at++)
        value = value * (hex ? 16 : 10) + hex_value(text[at]);
    return at < len && text[at] == ';' && value == (unsigned char)byte ? at + 1 : 0;
}

/* Behind the first backslash; each level of JSON in JSON doubles them. */
static size_t escape(const char *text, size_t len, char byte)
{
    size_t at = 0;

    while (at < len && text[at] == '\\')
        at++;
    if (at == len)
        return 0;
    if (text[at] == byte)
        return at + 1;
    if (text[at] == 'u' && is_hex(text + at + 1, len - at - 1, 4, byte))
        return at + 5;
    return text[at] == 'x' && is_hex(text + at + 1, len - at - 1, 2, byte) ? at + 3 : 0;
}

/* How many bytes stand for this one; 0: it does not stand here. */
static size_t one_byte(const char *text, size_t len, char byte)
{
    size_t behind = 0;

    if (text[0] == byte)
        return 1;
    if (text[0] == '%')
        return is_hex(text + 1, len - 1, 2, byte) ? 3 : 0;
    if (text[0] == '\\')
        behind = escape(text + 1, len - 1, byte);
    else if (text[0] == '&')
        behind = reference(text + 1, len - 1, byte);
    return behind ? behind + 1 : 0;
}

/* Control characters, and the field name that goes before each line of an event's data. */
static size_t break_here(const char *text, size_t len)
{
    static const char field[] = "data:";
    size_t at = 0;

    while (at < len && (unsigned char)text[at] < 0x20)
        at++;
    if (!at)
        return 0;
    if (len - at >= sizeof field - 1 && !memcmp(text + at, field, sizeof field - 1)) {
        at += sizeof field - 1;
        if (at < len && text[at] == ' ')
            at++;
    }
    return at;
}

/* How far the text is the secret from `start` on; *ret_same is how many of its bytes. */
static size_t follow(const struct rv_secret *secret, size_t start, const char *text, size_t len,
                     size_t *ret_same)
{
    size_t at = 0, end = 0, taken;

    *ret_same = 0;
    while (at < len && start + *ret_same < secret->len) {
        taken = one_byte(text + at, len - at, secret->bytes[start + *ret_same]);
        if (taken) {
            ++*ret_same;
            end = at + taken;
        } else if (!at || !(taken = break_here(text + at, len - at))) {
            break;
        }
        at += taken;
    }
    return end;
}

size_t rv_secret_here(const struct rv_secret *secret, const char *text, size_t len)
{
    size_t start, same, end, longest = 0;

    if (!len)
        return 0;
    for (start = 0; start < secret->len; start++) {
        end = follow(secret, start, text, len, &same);
        if (same < SMALLEST_PART && same < secret->len &&
            (start || end < len || same < SMALLEST_PART_AT_END))
            continue;
        if (end > longest)
            longest = end;
    }
    return longest;
}
