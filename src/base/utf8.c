/* SPDX-License-Identifier: MIT */
/* UTF-8: checking, repairing and cutting. ASCII, the usual case, is passed over 32 bytes at a time.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#include <reeve/error.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/*
 * How many bytes a character takes that begins with `lead`, and between which bounds its second
 * byte stands (RFC 3629, section 4): they rule out overlong forms, surrogates and what lies past
 * U+10FFFF. 0 for a byte that begins nothing.
 */
static size_t shape(unsigned char lead, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    if (lead < 0xE0)
        return 2;
    if (lead < 0xF0) {
        if (lead == 0xE0)
            *ret_low = 0xA0;
        if (lead == 0xED)
            *ret_high = 0x9F;
        return 3;
    }
    if (lead == 0xF0)
        *ret_low = 0x90;
    if (lead == 0xF4)
        *ret_high = 0x8F;
    return 4;
}

/*
 * Looks at the character at `text` (len > 0). Returns how many bytes of it are right, its length
 * if all are; *ret_wanted is that length, 0 if the first byte begins nothing.
 */
static size_t measure(const char *text, size_t len, size_t *ret_wanted)
{
    const unsigned char *byte = (const unsigned char *)text;
    unsigned char low, high;
    size_t wanted = shape(byte[0], &low, &high);
    size_t i;

    *ret_wanted = wanted;
    if (!wanted)
        return 0;
    for (i = 1; i < wanted && i < len; i++) {
        if (byte[i] < low || byte[i] > high)
            break;
        low = 0x80;
        high = 0xBF;
    }
    return i;
}

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* How many bytes stand before the first one with its high bit set, of which there is one. */
static size_t bytes_before(uint64_t high_bits)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(high_bits) / 8;
#else
    return (size_t)__builtin_clzll(high_bits) / 8;
#endif
}

/* Two words that the processor, if it can, takes as one. */
typedef uint64_t pair __attribute__((vector_size(16)));

/* As many as are ASCII, by 64; some of those behind them may be, too. */
static size_t ascii_blocks(const char *text, size_t len)
{
    pair part[4], all;
    size_t i = 0;

    for (; i + sizeof part <= len; i += sizeof part) {
        memcpy(part, text + i, sizeof part);
        all = (part[0] | part[1]) | (part[2] | part[3]);
        if ((all[0] | all[1]) & HIGH_BITS)
            break;
    }
    return i;
}

static size_t ascii_prefix(const char *text, size_t len)
{
    uint64_t word;
    size_t i = 0;

    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        if (word & HIGH_BITS)
            return i + bytes_before(word & HIGH_BITS);
        if (!i) /* not worth it for a few words between others */
            i = ascii_blocks(text + sizeof word, len - sizeof word);
    }
    while (i < len && !(text[i] & '\x80'))
        i++;
    return i;
}

enum { SHORT_BYTES = 64 };

/* All of a text that is shorter than a word. */
static bool is_tiny_ascii(const char *text, size_t len)
{
    uint32_t head, tail;
    char all = 0;

    if (len >= sizeof head) {
        memcpy(&head, text, sizeof head);
        memcpy(&tail, text + len - sizeof tail, sizeof tail);
        return !((head | tail) & (uint32_t)HIGH_BITS);
    }
    while (len)
        all |= text[--len];
    return !(all & '\x80');
}

/* All of a short text: of one of eight bytes or more the last eight may be looked at twice. */
static bool is_short_ascii(const char *text, size_t len)
{
    uint64_t word, all;
    size_t i;

    if (len < sizeof word)
        return is_tiny_ascii(text, len);
    memcpy(&all, text + len - sizeof all, sizeof all);
    for (i = 0; i + sizeof word < len; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        all |= word;
    }
    return !(all & HIGH_BITS);
}

/* The length of a character of two or three bytes, as nearly all are that are not ASCII; 0: it has
 * to be measured. */
static size_t usual_len(const char *text, size_t len)
{
    const unsigned char *byte = (const unsigned char *)text;

    if (len < 3 || (byte[1] & 0xC0) != 0x80)
        return 0;
    if (byte[0] >= 0xC2 && byte[0] < 0xE0)
        return 2;
    if (byte[0] > 0xE0 && byte[0] < 0xF0 && byte[0] != 0xED && (byte[2] & 0xC0) == 0x80)
        return 3;
    return 0;
}

size_t rv_utf8_valid_prefix(const char *text, size_t len)
{
    size_t at = 0;
    size_t right, wanted;

    if (len <= SHORT_BYTES && is_short_ascii(text, len))
        return len;
    while (at < len) {
        if (!(text[at] & '\x80')) {
            at += ascii_prefix(text + at, len - at);
            continue;
        }
        wanted = usual_len(text + at, len - at);
        if (!wanted) {
            right = measure(text + at, len - at, &wanted);
            if (!wanted || right < wanted)
                break;
        }
        at += wanted;
    }
    return at;
}

bool rv_utf8_valid(const char *text, size_t len)
{
    return rv_utf8_valid_prefix(text, len) == len;
}

size_t rv_utf8_invalid_part(const char *text, size_t len)
{
    size_t wanted;
    size_t right = measure(text, len, &wanted);

    return right ? right : 1;
}

int rv_utf8_add_repaired(struct rv_buffer *out, const char *text, size_t len)
{
    const size_t start = out->len;
    size_t at = 0;
    size_t valid;
    int error = 0;

    while (at < len && !error) {
        valid = rv_utf8_valid_prefix(text + at, len - at);
        error = rv_buffer_add(out, text + at, valid);
        at += valid;
        if (error || at == len)
            break;
        error = rv_buffer_add(out, replacement, sizeof replacement - 1);
        at += rv_utf8_invalid_part(text + at, len - at);
    }
    if (error)
        rv_buffer_truncate(out, start);
    return error;
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t rv_utf8_cut_head(const char *text, size_t len, size_t max)
{
    if (max >= len)
        return len;
    while (max && continues(text[max]))
        max--;
    return max;
}

size_t rv_utf8_cut_tail(const char *text, size_t len, size_t max)
{
    size_t start;

    if (max >= len)
        return 0;
    start = len - max;
    while (start < len && continues(text[start]))
        start++;
    return start;
}

size_t rv_utf8_unfinished(const char *text, size_t len)
{
    size_t back, wanted;

    for (back = 1; back <= 3 && back <= len; back++) {
        if (continues(text[len - back]))
            continue;
        return measure(text + len - back, back, &wanted) == back && wanted > back ? back : 0;
    }
    return 0;
}

size_t rv_utf8_count(const char *text, size_t len)
{
    size_t count = 0;
    size_t i;

    for (i = 0; i < len; i++)
        count += !continues(text[i]);
    return count;
}
