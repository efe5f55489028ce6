/* SPDX-License-Identifier: MIT */
/* Which characters are spelled out, and how wide the others are. */
#include "agent/visible.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

enum { NO_CHARACTER = 0xffffffff };

/* Bytes of one character and its code; NO_CHARACTER for a byte that begins none. */
static size_t decode(const unsigned char *text, size_t len, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t bytes = text[0] < 0x80                       ? 1
                         : text[0] >= 0xc2 && text[0] < 0xe0  ? 2
                         : (text[0] & 0xf0) == 0xe0           ? 3
                         : text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
                                                              : 0;
    uint32_t code = bytes > 1 ? text[0] & (0x7fu >> bytes) : text[0];
    size_t i;

    *ret_code = NO_CHARACTER;
    if (!bytes || bytes > len)
        return 1;
    for (i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 1;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 1;
    *ret_code = code;
    return bytes;
}

/*
 * What shows nothing, turns the direction of what follows, or looks like a space and is none: a
 * text with it could be taken for another.
 */
static bool deceives(uint32_t code)
{
    static const struct {
        uint32_t from, to;
    } ranges[] = {
        {0xa0, 0xa0},       {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},
        {0x115f, 0x1160},   {0x1680, 0x1680}, {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f},   {0x2800, 0x2800},
        {0x3000, 0x3000},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
    };
    size_t i;

    for (i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].from && code <= ranges[i].to)
            return true;
    return false;
}

static void spell_text(struct visible *ret, const char *text)
{
    ret->len = ret->columns = (unsigned)snprintf(ret->spelled, sizeof ret->spelled, "%s", text);
    ret->text = ret->spelled;
}

static void spell_code(struct visible *ret, const char *mark, int digits, uint32_t code)
{
    ret->len = ret->columns =
        (unsigned)snprintf(ret->spelled, sizeof ret->spelled, "%s%0*x", mark, digits, code);
    ret->text = ret->spelled;
}

static void spell_control(struct visible *ret, uint32_t code)
{
    const char text[] = {'^', (char)(code ^ 0x40), '\0'};

    spell_text(ret, text);
}

static unsigned columns_of(uint32_t code)
{
    const int columns = wcwidth((wchar_t)code);

    return columns < 0 ? 1 : (unsigned)columns;
}

size_t visible_next(const char *text, size_t len, enum visible_how how, struct visible *ret)
{
    uint32_t code;
    const size_t bytes = decode((const unsigned char *)text, len, &code);

    ret->text = text;
    ret->len = bytes;
    ret->columns = 0;
    if (code == NO_CHARACTER)
        spell_code(ret, "\\x", 2, (unsigned char)*text);
    else if (how == VISIBLE_TEXT && (code == '\n' || code == '\t'))
        ret->columns = 0;
    else if (code == '\n' || code == '\t')
        spell_text(ret, code == '\n' ? "\\n" : "\\t");
    else if (code < 0x20 || code == 0x7f)
        spell_control(ret, code);
    else if (code >= 0x80 && code < 0xa0)
        spell_code(ret, "\\x", 2, code);
    else if (how == VISIBLE_LINE && deceives(code))
        spell_code(ret, "\\u", 4, code);
    else
        ret->columns = columns_of(code);
    return bytes;
}
