/* SPDX-License-Identifier: MIT */
/* UTF-8: every character, every pair of bytes, and the standard's own examples. */
#include "tests/lib/test.h"

#include "base/buffer.h"
#include "base/utf8.h"

#include <reeve/error.h>
#include <string.h>

/* The bytes of a code point, by the table of RFC 3629; the callers keep to what may be encoded. */
static size_t encode(unsigned code, char *ret)
{
    if (code < 0x80) {
        ret[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret[0] = (char)(0xC0 + code / 64);
        ret[1] = (char)(0x80 + code % 64);
        return 2;
    }
    if (code < 0x10000) {
        ret[0] = (char)(0xE0 + code / 4096);
        ret[1] = (char)(0x80 + code / 64 % 64);
        ret[2] = (char)(0x80 + code % 64);
        return 3;
    }
    ret[0] = (char)(0xF0 + code / 262144);
    ret[1] = (char)(0x80 + code / 4096 % 64);
    ret[2] = (char)(0x80 + code / 64 % 64);
    ret[3] = (char)(0x80 + code % 64);
    return 4;
}

RV_TEST(utf8, takes_every_character_and_no_surrogate)
{
    char text[4];
    unsigned code;
    size_t len, cut;

    for (code = 0; code < 0x120000; code++) {
        len = encode(code, text);
        if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
            cr_assert(!rv_utf8_valid(text, len), "U+%04X", code);
            continue;
        }
        cr_assert(rv_utf8_valid(text, len), "U+%04X", code);
        cr_assert_eq(rv_utf8_count(text, len), 1);
        for (cut = 1; cut < len; cut++) {
            cr_assert_eq(rv_utf8_valid_prefix(text, cut), 0);
            cr_assert_eq(rv_utf8_unfinished(text, cut), cut, "U+%04X at %zu", code, cut);
        }
        cr_assert_eq(rv_utf8_unfinished(text, len), 0);
    }
}

/* The length of the character that a text begins with, by encoding what it would be; 0: none. */
static size_t char_len(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    const unsigned codes[] = {
        byte[0],
        (byte[0] & 0x1Fu) * 64 + (byte[1] & 0x3Fu),
        (byte[0] & 0x0Fu) * 4096 + (byte[1] & 0x3Fu) * 64 + (byte[2] & 0x3Fu),
        (byte[0] & 0x07u) * 262144 + (byte[1] & 0x3Fu) * 4096 + (byte[2] & 0x3Fu) * 64 +
            (byte[3] & 0x3Fu),
    };
    char encoded[4];
    size_t i;

    for (i = 0; i < 4; i++)
        if (encode(codes[i], encoded) == i + 1 && !memcmp(encoded, text, i + 1) &&
            (codes[i] < 0xD800 || codes[i] > 0xDFFF) && codes[i] <= 0x10FFFF)
            return i + 1;
    return 0;
}

RV_TEST(utf8, sees_the_same_in_the_middle_of_a_text)
{
    static const unsigned char thirds[] = {0x00, 'a', 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    char text[] = "........abcdefgh";
    unsigned lead, second;
    size_t i, wanted;

    for (lead = 0x80; lead < 0x100; lead++)
        for (second = 0; second < 0x100; second++)
            for (i = 0; i < sizeof thirds; i++) {
                text[8] = (char)lead;
                text[9] = (char)second;
                text[10] = (char)thirds[i];
                wanted = char_len(text + 8);
                cr_assert(wanted ? rv_utf8_valid_prefix(text, 16) >= 8 + wanted
                                 : rv_utf8_valid_prefix(text, 16) == 8,
                          "%02X %02X %02X", lead, second, thirds[i]);
            }
}

RV_TEST(utf8, finds_what_is_not_ascii_at_any_place)
{
    char text[101];
    size_t at, len;

    for (len = 1; len <= sizeof text; len++)
        for (at = 0; at < len; at++) {
            memset(text, 'a', sizeof text);
            text[at] = '\xFF';
            cr_assert_eq(rv_utf8_valid_prefix(text, len), at);
            cr_assert_eq(rv_utf8_valid_prefix(text, at), at);
        }
}

RV_TEST(utf8, refuses_what_is_overlong_or_stands_alone)
{
    static const struct {
        const char *bytes;
        size_t valid;
    } cases[] = {
        {"abc\x80", 3},
        {"\xC0\x80", 0},
        {"\xC1\xBF", 0},
        {"\xE0\x9F\xBF", 0},
        {"a\xED\xA0\x80", 1},
        {"\xF0\x8F\xBF\xBF", 0},
        {"\xF4\x90\x80\x80", 0},
        {"\xF5\x80\x80\x80", 0},
        {"\xFF", 0},
        {"\xFE", 0},
        {"12345678\xC3", 8},
        {"\xC3\xA4\xC3(", 2},
        {"\xE2\x82", 0},
        {"\xE2(\xA1", 0},
        {"\xF0\x9F\x98", 0},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(rv_utf8_valid_prefix(cases[i].bytes, strlen(cases[i].bytes)), cases[i].valid,
                     "case %zu", i);
    cr_assert(rv_utf8_valid(NULL, 0));
}

RV_TEST(utf8, finds_the_bad_byte_at_every_offset)
{
    char text[64];
    size_t len, at;

    for (len = 1; len <= sizeof text; len++) {
        for (at = 0; at < len; at++) {
            memset(text, 'x', len);
            text[at] = '\xFF';
            cr_assert_eq(rv_utf8_valid_prefix(text, len), at);
        }
        memset(text, 'x', len);
        cr_assert_eq(rv_utf8_valid_prefix(text, len), len);
    }
}

/* Unicode 15, tables 3-8 and 3-11, and the edges. `?` stands for U+FFFD. */
RV_TEST(utf8, repairs_as_the_standard_recommends)
{
    static const struct {
        const char *broken;
        const char *repaired;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", "a???b?c??d"},
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "????????A"},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "????????A"},
        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "?????A??B"},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "????A"},
        {"end \xF0\x9F\x98", "end ?"},
    };
    struct rv_buffer out, wanted;
    const char *at;
    size_t i;

    rv_buffer_init(&out, t->mem, 1000);
    rv_buffer_init(&wanted, t->mem, 1000);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_buffer_clear(&out);
        rv_buffer_clear(&wanted);
        for (at = cases[i].repaired; *at; at++)
            cr_assert_eq(*at == '?' ? rv_buffer_add_text(&wanted, "\xEF\xBF\xBD")
                                    : rv_buffer_add_byte(&wanted, *at),
                         0);
        cr_assert_eq(rv_utf8_add_repaired(&out, cases[i].broken, strlen(cases[i].broken)), 0);
        cr_assert_str_eq(rv_buffer_text(&out), rv_buffer_text(&wanted), "case %zu", i);
    }
    rv_buffer_done(&out);
    rv_buffer_done(&wanted);
}

RV_TEST(utf8, leaves_the_buffer_as_it_was_when_the_repair_does_not_fit)
{
    struct rv_buffer out;

    rv_buffer_init(&out, t->mem, 8);
    cr_assert_eq(rv_buffer_add_text(&out, "kept"), 0);
    cr_assert_eq(rv_utf8_add_repaired(&out, "ab\xFF", 3), REEVE_ETOOBIG);
    cr_assert_str_eq(rv_buffer_text(&out), "kept");
    rv_buffer_done(&out);
}

RV_TEST(utf8, repairs_any_bytes_into_valid_text)
{
    struct rv_buffer out;
    char bytes[24];
    unsigned round;
    size_t i;

    rv_buffer_init(&out, t->mem, 1000);
    for (round = 0; round < 50000; round++) {
        for (i = 0; i < sizeof bytes; i++) {
            const uint64_t random = rv_test_random(t);

            /* mostly bytes that occur in longer characters */
            bytes[i] = (char)(random & 0x300 ? 0x80 | (random & 0x7F) : random & 0xFF);
        }
        rv_buffer_clear(&out);
        cr_assert_eq(rv_utf8_add_repaired(&out, bytes, sizeof bytes), 0);
        cr_assert(rv_utf8_valid(out.data, out.len));
        if (rv_utf8_valid(bytes, sizeof bytes))
            cr_assert(out.len == sizeof bytes && !memcmp(out.data, bytes, sizeof bytes));
    }
    rv_buffer_done(&out);
}

RV_TEST(utf8, never_cuts_a_character)
{
    static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const size_t heads[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    static const size_t tails[] = {11, 10, 10, 10, 10, 6, 6, 6, 3, 3, 1, 0, 0};
    const size_t len = sizeof text - 1;
    size_t max;

    for (max = 0; max <= len + 1; max++) {
        cr_assert_eq(rv_utf8_cut_head(text, len, max), heads[max], "max %zu", max);
        cr_assert_eq(rv_utf8_cut_tail(text, len, max), tails[max], "max %zu", max);
    }
}

RV_TEST(utf8, knows_what_may_still_be_completed)
{
    static const struct {
        const char *bytes;
        size_t unfinished;
    } cases[] = {
        {"", 0},
        {"a", 0},
        {"a\xC3", 1},
        {"\xE2\x82", 2},
        {"x\xF0\x9F\x98", 3},
        {"\xE2\x82\xAC", 0},
        {"\x80\x80\x80\x80", 0}, /* continues nothing */
        {"\xE0\x80", 0},         /* overlong whatever follows */
        {"\xED\xA0", 0},         /* a surrogate */
        {"\xF5", 0},
        {"\xC3\xA4\xC3", 1},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(rv_utf8_unfinished(cases[i].bytes, strlen(cases[i].bytes)),
                     cases[i].unfinished, "case %zu", i);
}

static int repair(struct rv_test *t, void *arg)
{
    static const char broken[] = "a\xFF"
                                 "b and a text that is long enough to make the buffer grow "
                                 "once more than at first, and once more\xC3";
    struct rv_buffer out;
    int error;

    (void)arg;
    rv_buffer_init(&out, t->mem, 1000);
    error = rv_utf8_add_repaired(&out, broken, sizeof broken - 1);
    cr_assert(!error || !out.len);
    rv_buffer_done(&out);
    return error;
}

RV_TEST(utf8, survives_allocation_failure)
{
    RV_SWEEP_ALLOCATIONS(t, repair, NULL, 2);
}
