/* SPDX-License-Identifier: MIT */
/* Cutting what a terminal sends into keys. */
#include "agent/keys.h"

#include <string.h>

enum { ESCAPE = 0x1b, CONTROL_X = 0x18, NO_CHARACTER = 0xfffd };

/* How many bytes the character has that begins so; 0: none does. */
static size_t character_bytes(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if ((first & 0xf0) == 0xe0)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Where the sequence behind an escape ends: its last byte is a letter or "~". */
static bool sequence_is_whole(const unsigned char *bytes, size_t len)
{
    const unsigned char last = bytes[len - 1];

    if (bytes[1] == 'O')
        return len == 3;
    if (bytes[1] == '[')
        return len > 2 && last >= 0x40 && last <= 0x7e && !(len == 3 && last == '[');
    return len > character_bytes(bytes[1]);
}

static bool is_whole(const struct keys *keys)
{
    const unsigned char *bytes = keys->bytes;
    const size_t len = keys->len;

    if (bytes[0] == ESCAPE && len == 1)
        return false;
    if (bytes[0] == ESCAPE)
        return sequence_is_whole(bytes, len);
    if (bytes[0] == CONTROL_X && !keys->pasting)
        return len == 2;
    return len >= character_bytes(bytes[0]);
}

static wchar_t code_of(const unsigned char *bytes, size_t len)
{
    wchar_t code = len > 1 ? bytes[0] & (0x7f >> len) : bytes[0];
    size_t i;

    if (len != character_bytes(bytes[0]))
        return NO_CHARACTER;
    for (i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return NO_CHARACTER;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    return code;
}

static bool is_sequence(const struct keys *keys, const char *sequence)
{
    return keys->len == strlen(sequence) && !memcmp(keys->bytes, sequence, keys->len);
}

static enum key_kind give_pasted(struct keys *keys, struct key *ret)
{
    const bool after_return = keys->after_return;

    if (keys->bytes[0] == ESCAPE)
        return KEY_NONE;
    ret->count = 1;
    ret->codes[0] = code_of(keys->bytes, keys->len);
    keys->after_return = ret->codes[0] == '\r';
    if (ret->codes[0] == '\r')
        ret->codes[0] = '\n';
    else if (ret->codes[0] == '\n' && after_return)
        return KEY_NONE;
    if (ret->codes[0] != '\n' && ret->codes[0] != '\t' &&
        (ret->codes[0] < 0x20 || ret->codes[0] == 0x7f))
        return KEY_NONE; /* a text needs none of these, and they may mean anything here */
    return KEY_PASTED;
}

static enum key_kind give_typed(const struct keys *keys, struct key *ret)
{
    size_t i;

    if (character_bytes(keys->bytes[0]) != 1) {
        ret->count = 1;
        ret->codes[0] = code_of(keys->bytes, keys->len);
        return KEY_TYPED;
    }
    ret->count = keys->len;
    for (i = 0; i < keys->len; i++)
        ret->codes[i] = keys->bytes[i];
    return KEY_TYPED;
}

enum key_kind keys_feed(struct keys *keys, char byte, struct key *ret)
{
    enum key_kind kind;

    /* An escape begins anew, whatever was being sent; so does a byte that continues nothing. */
    if (byte == ESCAPE || (keys->len && keys->bytes[0] >= 0xc2 && (byte & 0xc0) != 0x80))
        keys->len = 0;
    if (keys->len == sizeof keys->bytes) {
        keys->bytes[2] = '?'; /* too long for any that is known; its end is waited for */
        keys->len = 3;
    }
    keys->bytes[keys->len++] = (unsigned char)byte;
    if (!is_whole(keys))
        return KEY_NONE;
    if (is_sequence(keys, "\033[200~") || is_sequence(keys, "\033[201~")) {
        keys->pasting = keys->bytes[4] == '0';
        keys->after_return = false;
        kind = KEY_NONE;
    } else if (keys->pasting) {
        kind = give_pasted(keys, ret);
    } else {
        kind = give_typed(keys, ret);
    }
    keys->len = 0;
    return kind;
}
