/* SPDX-License-Identifier: MIT */
/* What reeve-agent shows of texts of others, what it takes from a keyboard, what it counts. */
#include "agent/keys.h"
#include "agent/redact.h"
#include "agent/tally.h"
#include "agent/visible.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/test.h"

/* ---- what is seen ---- */

static const char *seen(const char *text, size_t len, enum visible_how how, unsigned *ret_columns)
{
    static char out[256];
    struct visible shown;
    size_t at = 0, to = 0;

    *ret_columns = 0;
    while (at < len) {
        at += visible_next(text + at, len - at, how, &shown);
        cr_assert(to + shown.len < sizeof out);
        memcpy(out + to, shown.text, shown.len);
        to += shown.len;
        *ret_columns += shown.columns;
    }
    cr_assert_eq(at, len);
    out[to] = '\0';
    return out;
}

static void line_is(const char *text, const char *wanted, unsigned columns)
{
    unsigned found;

    cr_assert_str_eq(seen(text, strlen(text), VISIBLE_LINE, &found), wanted);
    cr_assert_eq(found, columns, "\"%s\" takes %u columns, not %u", wanted, found, columns);
}

RV_TEST(agent_visible, what_controls_is_spelled_out)
{
    unsigned columns;

    line_is("a\033[2Jb\x7f", "a^[[2Jb^?", 9);
    line_is("\xc2\x9b"
            "31m",
            "\\x9b31m", 7);
    line_is("a\nb\tc", "a\\nb\\tc", 7);
    cr_assert_str_eq(seen("a\nb\tc\r", 6, VISIBLE_TEXT, &columns), "a\nb\tc^M");
    cr_assert_str_eq(seen("a\0b", 3, VISIBLE_TEXT, &columns), "a^@b");
}

RV_TEST(agent_visible, what_hides_is_spelled_out)
{
    static const unsigned codes[] = {0xa0,   0xad,   0x34f,  0x61c,  0x115f, 0x180e, 0x2000,
                                     0x200b, 0x200e, 0x200f, 0x2028, 0x202a, 0x202e, 0x202f,
                                     0x2060, 0x2066, 0x2069, 0x206f, 0x2800, 0x3000, 0x3164,
                                     0xfe0f, 0xfeff, 0xffa0, 0xfffb};
    size_t i;

    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        char text[8], wanted[16];
        const unsigned code = codes[i];

        if (code < 0x800)
            snprintf(text, sizeof text, "%c%c", (char)(0xc0 | code >> 6),
                     (char)(0x80 | (code & 0x3f)));
        else
            snprintf(text, sizeof text, "%c%c%c", (char)(0xe0 | code >> 12),
                     (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f)));
        snprintf(wanted, sizeof wanted, "\\u%04x", code);
        line_is(text, wanted, 6);
    }
    line_is("\xf3\xa0\x81\x81", "\\ue0041", 7);
}

RV_TEST(agent_visible, bytes_that_are_no_text)
{
    line_is("a\xff"
            "b",
            "a\\xffb", 6);
    line_is("\xe6\x97", "\\xe6\\x97", 8);
    line_is("\xc0\xaf", "\\xc0\\xaf", 8);
    line_is("\xed\xa0\x80", "\\xed\\xa0\\x80", 12);
    line_is("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 16);
}

RV_TEST(agent_visible, widths)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    line_is("h\xc3\xa9", "h\xc3\xa9", 2);
    line_is("\xe6\x97\xa5", "\xe6\x97\xa5", 2);
    line_is("e\xcc\x81", "e\xcc\x81", 1);
    line_is("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 2);
    setlocale(LC_CTYPE, "C");
}

/* ---- the key, in pieces, beside characters of several bytes ---- */

struct pieces {
    char text[256];
    size_t len;
};

/* No piece may begin or end within a character: what looks at pieces would not know it. */
static void add_piece(const char *text, size_t len, void *arg)
{
    struct pieces *pieces = arg;

    cr_assert(len && ((unsigned char)text[0] & 0xc0) != 0x80, "a piece begins in a character");
    memcpy(pieces->text + pieces->len, text, len);
    pieces->len += len;
    pieces->text[pieces->len] = '\0';
}

RV_TEST(agent_redact, characters_stay_whole)
{
    struct pieces pieces = {.len = 0};
    struct redact redact;

    redact_init(&redact, "sk-secret");
    redact_feed(&redact, "s\xc2\x9b sk\xc3\xa9 sk-s", 13, add_piece, &pieces);
    redact_feed(&redact, "ecret s", 7, add_piece, &pieces);
    redact_end(&redact, add_piece, &pieces);
    cr_assert_str_eq(pieces.text, "s\xc2\x9b sk\xc3\xa9 [key] s");
}

/* ---- keys ---- */

/* "x" a key of one character, "<3>" one of three bytes, "[x]" what was pasted. */
static const char *keyed(const char *bytes, size_t len)
{
    static char out[256];
    struct keys keys = {.len = 0};
    struct key key;
    size_t i, to = 0;

    out[0] = '\0';
    for (i = 0; i < len; i++) {
        const enum key_kind kind = keys_feed(&keys, bytes[i], &key);

        if (kind == KEY_TYPED && key.count > 1)
            to += (size_t)snprintf(out + to, sizeof out - to, "<%zu> ", key.count);
        else if (kind == KEY_PASTED)
            to += (size_t)snprintf(out + to, sizeof out - to, "[%lx] ", (long)key.codes[0]);
        else if (kind == KEY_TYPED)
            to += (size_t)snprintf(out + to, sizeof out - to, "%lx ", (long)key.codes[0]);
    }
    return out;
}

#define KEYED(bytes) keyed((bytes), sizeof(bytes) - 1)

RV_TEST(agent_keys, characters_and_sequences)
{
    cr_assert_str_eq(KEYED("a\r\x7f"), "61 d 7f ");
    cr_assert_str_eq(KEYED("\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80"), "e9 65e5 1f600 ");
    cr_assert_str_eq(KEYED("\033[Ax\033OHy\033[1;5Cz\033[[Aw"), "<3> 78 <3> 79 <6> 7a <4> 77 ");
    cr_assert_str_eq(KEYED("\033a\033\r\x18\x18"), "<2> <2> <2> ");
    cr_assert_str_eq(KEYED("\033"), "", "an escape alone may be the beginning of more");
    cr_assert_str_eq(KEYED("\033\033[A"), "<3> ");
    cr_assert_str_eq(KEYED("\xc3x\xffy\xe6\x97"), "78 fffd 79 ");
    cr_assert_str_eq(KEYED("\033[1111111111111111111111111111111111~a"), "<8> 61 ");
}

RV_TEST(agent_keys, what_is_pasted)
{
    cr_assert_str_eq(KEYED("\033[200~a\r\nb\rc\nd\033[201~e\r"),
                     "[61] [a] [62] [a] [63] [a] [64] 65 d ");
    cr_assert_str_eq(KEYED("\033[200~\x03\x04\033[31m\t\xc3\xa9\x7f\x18\033[201~"), "[9] [e9] ");
}

/* ---- the tally ---- */

RV_TEST(agent_tally, side_by_side)
{
    static struct tally tally;
    static const struct reeve_call calls[3] = {{.id = "a"}, {.id = "b"}, {.id = "c"}};
    static const struct reeve_result good = {.status = REEVE_CALL_SUCCEEDED};
    static const struct reeve_result canceled = {.status = REEVE_CALL_CANCELED};
    struct reeve_tool_event event = {.kind = REEVE_TOOL_STARTED};
    size_t i;

    tally_begin_run(&tally);
    for (i = 0; i < 2; i++) {
        event.call = &calls[i];
        event.at_us = 100 + 10 * i;
        tally_add(&tally, &event);
    }
    event.kind = REEVE_TOOL_ENDED;
    event.result = &good;
    for (i = 0; i < 2; i++) {
        event.call = &calls[i];
        event.at_us = 200 + 50 * i;
        tally_add(&tally, &event);
    }
    event.call = &calls[2]; /* has never begun */
    event.result = &canceled;
    event.at_us = 900;
    tally_add(&tally, &event);
    cr_assert_eq(tally.peak, 2);
    cr_assert_eq(tally.ended, 2);
    cr_assert_eq(tally.canceled, 1);
    cr_assert_eq(tally.busy_us, 150);
    cr_assert_eq(tally.sum_us, 100 + 140);
}
