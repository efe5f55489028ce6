/* SPDX-License-Identifier: MIT */
/* What is kept of a tool's output, judged by a reading of UTF-8 of its own. */
#include "tool/output.h"

#include "tests/lib/test.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The well-formed sequences of the Unicode standard's table 3-7: bounds of each byte. */
static const struct row {
    size_t len;
    unsigned char low[4], high[4];
} rows[] = {
    {1, {0x00}, {0x7F}},
    {2, {0xC2, 0x80}, {0xDF, 0xBF}},
    {3, {0xE0, 0xA0, 0x80}, {0xE0, 0xBF, 0xBF}},
    {3, {0xE1, 0x80, 0x80}, {0xEC, 0xBF, 0xBF}},
    {3, {0xED, 0x80, 0x80}, {0xED, 0x9F, 0xBF}},
    {3, {0xEE, 0x80, 0x80}, {0xEF, 0xBF, 0xBF}},
    {4, {0xF0, 0x90, 0x80, 0x80}, {0xF0, 0xBF, 0xBF, 0xBF}},
    {4, {0xF1, 0x80, 0x80, 0x80}, {0xF3, 0xBF, 0xBF, 0xBF}},
    {4, {0xF4, 0x80, 0x80, 0x80}, {0xF4, 0x8F, 0xBF, 0xBF}},
};

/* A character or a maximal invalid part, and what is to stand for it. */
struct part {
    size_t from;
    size_t len;
    const char *shown;
    size_t shown_len;
};

static struct part read_part(const char *text, size_t len, size_t from)
{
    struct part part = {.from = from, .len = 1, .shown = "\xEF\xBF\xBD", .shown_len = 3};
    size_t r, n;

    for (r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        for (n = 0; n < rows[r].len && from + n < len; n++) {
            unsigned char byte = (unsigned char)text[from + n];

            if (byte < rows[r].low[n] || byte > rows[r].high[n])
                break;
        }
        if (n == rows[r].len)
            return (struct part){.from = from, .len = n, .shown = text + from, .shown_len = n};
        if (n > part.len)
            part.len = n;
    }
    return part;
}

static size_t read_parts(const char *text, size_t len, struct part *parts)
{
    size_t count = 0, at = 0;

    while (at < len) {
        parts[count] = read_part(text, len, at);
        at += parts[count++].len;
    }
    return count;
}

/* How many parts from the first on (step 1) or the last on (step -1) make up `shown`, exactly. */
static size_t match(const struct part *parts, size_t count, const char *shown, size_t len, int step)
{
    size_t used = 0;

    while (len) {
        const struct part *part = step > 0 ? &parts[used] : &parts[count - 1 - used];

        cr_assert_lt(used, count);
        cr_assert_leq(part->shown_len, len, "a character was cut");
        len -= part->shown_len;
        cr_assert_eq(memcmp(step > 0 ? shown : shown + len, part->shown, part->shown_len), 0);
        if (step > 0)
            shown += part->shown_len;
        used++;
    }
    return used;
}

static void check_cut(const struct part *parts, size_t count, const char *kept, size_t kept_len,
                      size_t max)
{
    const char *marker = strstr(kept, "\n[... "), *behind;
    size_t gone = 0, wanted = 0, head, tail, i;
    int marker_len = 0;

    cr_assert_not_null(marker);
    cr_assert_eq(sscanf(marker, "\n[... %zu bytes left out ...]\n%n", &gone, &marker_len), 1);
    cr_assert_gt(marker_len, 0);
    behind = marker + marker_len;
    head = match(parts, count, kept, (size_t)(marker - kept), 1);
    tail = match(parts, count, behind, kept_len - (size_t)(behind - kept), -1);
    cr_assert_leq(head + tail, count);
    for (i = head; i < count - tail; i++)
        wanted += parts[i].len;
    cr_assert_eq(gone, wanted, "%zu bytes are said to be gone, %zu are", gone, wanted);
    cr_assert_geq(kept_len + 24, max, "%zu bytes are kept of %zu", kept_len, max);
}

static void check(struct rv_test *t, const char *text, size_t len, size_t max)
{
    struct part *parts = malloc((len + 1) * sizeof *parts);
    size_t count = read_parts(text, len, parts), shown_len = 0, kept_len, i;
    struct rv_arena arena;
    const char *kept;

    rv_arena_init(&arena, t->mem);
    cr_assert_eq(rv_output_keep(&arena, text, len, max, &kept, &kept_len), 0);
    cr_assert_leq(kept_len, max);
    cr_assert_eq(kept[kept_len], '\0');
    for (i = 0; i < count; i++)
        shown_len += parts[i].shown_len;
    if (shown_len <= max)
        cr_assert_eq(match(parts, count, kept, kept_len, 1), count);
    else
        check_cut(parts, count, kept, kept_len, max);
    rv_arena_done(&arena);
    free(parts);
}

/* Pieces that are right, and after these some that are wrong or nearly right. No "[" and no
 * newline: the marker is looked for. */
static const char *const pieces[] = {
    "a",
    "bcdefgh",
    "\xC3\xA4",
    "\xE2\x82\xAC",
    "\xF0\x9F\x98\x80",
    "\xE2\x82",
    "\x80",
    "\xF0\x9F\x98",
    "\xBF\xBF",
    "0123456789",
    "\xC0\xAF",
    "\xED\xA0\x80",
    "\xF5",
    "\xF4\x90\x80\x80",
    "\xFE\xFF",
    "\xE2",
    "\xF0\x90",
    "\xE0\x80\xAF",
    "\xF0",
    "\x80\x80\x80\x80\x80",
};

static size_t make_text(struct rv_test *t, char *text, size_t len, unsigned kinds)
{
    size_t at = 0;

    while (at < len) {
        const char *piece = pieces[rv_test_random(t) % kinds];
        size_t piece_len = strlen(piece);

        if (piece_len > len - at)
            piece_len = len - at;
        memcpy(text + at, piece, piece_len);
        at += piece_len;
    }
    return at;
}

RV_TEST(output, is_valid_within_its_cap_and_counts_what_is_gone, .timeout = 60)
{
    static const unsigned kinds[] = {1, 3, 5, sizeof pieces / sizeof pieces[0]};
    static char text[4096];
    int round;

    for (round = 0; round < 20000; round++) {
        size_t max = 256 + rv_test_random(t) % 300;
        size_t wanted = rv_test_random(t) % (round % 2 ? sizeof text : 2 * max);

        check(t, text, make_text(t, text, wanted, kinds[round % 4]), max);
    }
}

RV_TEST(output, at_the_cap_nothing_is_cut)
{
    static char text[1024];
    size_t len;

    memset(text, 'x', sizeof text);
    for (len = 250; len < 262; len++)
        check(t, text, len, 256);
    check(t, "", 0, 256);
    check(t, "\0a\0", 3, 256);
}

RV_TEST(output, only_what_is_kept_is_looked_at)
{
    const size_t len = (size_t)1 << 30; /* a gigabyte that is never touched but at its ends */
    char *text = calloc(len, 1);
    struct rv_arena arena;
    const char *kept;
    size_t kept_len;

    cr_assert_not_null(text);
    memset(text, 'a', 1000);
    memset(text + len - 1000, 'z', 1000);
    rv_arena_init(&arena, t->mem);
    cr_assert_eq(rv_output_keep(&arena, text, len, 256, &kept, &kept_len), 0);
    cr_assert_eq(kept[0], 'a');
    cr_assert_eq(kept[kept_len - 1], 'z');
    rv_arena_done(&arena);
    free(text);
}

/* An output that comes in pieces of random lengths is kept as if it had come whole. */
static void check_pieces(struct rv_test *t, const char *text, size_t len, size_t max)
{
    struct rv_output output;
    struct rv_arena arena;
    const char *kept, *wanted;
    size_t kept_len, wanted_len, at, part;

    rv_arena_init(&arena, t->mem);
    rv_output_init(&output, t->mem, max);
    for (at = 0; at < len; at += part) {
        part = rv_test_random(t) % (rv_test_random(t) % 3 ? 7 : len);
        if (part > len - at)
            part = len - at;
        cr_assert_eq(rv_output_add(&output, text + at, part), 0);
        cr_assert_leq(output.room, max + 12, "the memory of an output is bounded");
    }
    cr_assert_eq(rv_output_keep(&arena, text, len, max, &wanted, &wanted_len), 0);
    cr_assert_eq(rv_output_end(&output, &arena, &kept, &kept_len), 0);
    cr_assert_eq(kept_len, wanted_len);
    cr_assert_eq(memcmp(kept, wanted, wanted_len + 1), 0, "%zu bytes under a cap of %zu", len, max);
    rv_output_done(&output);
    rv_arena_done(&arena);
}

RV_TEST(output, in_pieces_is_kept_as_if_it_were_whole, .timeout = 60)
{
    static const unsigned kinds[] = {1, 3, 5, sizeof pieces / sizeof pieces[0]};
    static char text[4096];
    int round;

    for (round = 0; round < 10000; round++) {
        size_t max = 256 + rv_test_random(t) % 300;
        size_t wanted =
            round % 2 ? rv_test_random(t) % sizeof text : max - 8 + (size_t)round / 2 % 40;

        check_pieces(t, text, make_text(t, text, wanted, kinds[round % 4]), max);
    }
}

/* What was handed on; it takes `wanted` pieces. */
struct heard {
    char text[8192];
    size_t len;
    unsigned pieces;
    unsigned wanted;
};

static bool hear(const char *text, size_t len, void *arg)
{
    struct heard *heard = arg;

    cr_assert_gt(len, 0);
    cr_assert_leq(heard->len + len, sizeof heard->text);
    memcpy(heard->text + heard->len, text, len);
    heard->len += len;
    return ++heard->pieces != heard->wanted;
}

/* Cut in two anywhere, with the beginning of a character held back: what is heard is the whole. */
static void check_heard(struct rv_test *t, const char *text, size_t len)
{
    struct part parts[128], sooner[128];
    size_t cut, count = read_parts(text, len, parts);

    for (cut = 0; cut <= len; cut++) {
        static struct heard heard;
        struct rv_output first, second;
        char start[3];
        size_t start_len;

        memset(&heard, 0, sizeof heard);
        rv_output_init(&first, t->mem, 256);
        rv_output_init(&second, t->mem, 256);
        cr_assert_eq(rv_output_add(&first, text, cut), 0);
        start_len = rv_output_unfinished(&first, start);
        cr_assert_leq(start_len, 3);
        cr_assert_eq(rv_output_add(&second, start, start_len), 0);
        cr_assert_eq(rv_output_add(&second, text + cut, len - cut), 0);
        rv_output_pieces(&first, false, hear, &heard);
        cr_assert_eq(match(parts, count, heard.text, heard.len, 1),
                     read_parts(text, cut - start_len, sooner));
        rv_output_pieces(&second, true, hear, &heard);
        cr_assert_eq(match(parts, count, heard.text, heard.len, 1), count, "cut at %zu", cut);
        rv_output_done(&first);
        rv_output_done(&second);
    }
}

RV_TEST(output, is_handed_on_in_whole_characters, .timeout = 60)
{
    char text[100];
    int round;

    for (round = 0; round < 200; round++)
        check_heard(
            t, text,
            make_text(t, text, rv_test_random(t) % sizeof text, sizeof pieces / sizeof pieces[0]));
}

RV_TEST(output, that_is_too_much_is_handed_on_without_its_middle)
{
    static struct heard heard;
    struct rv_output output;
    int i;

    rv_output_init(&output, t->mem, 256);
    for (i = 0; i < 1000; i++)
        cr_assert_eq(rv_output_add(&output, "0123456789", 10), 0);
    cr_assert_eq(rv_output_add(&output, "\xE2\x82", 2), 0);
    rv_output_pieces(&output, false, hear, &heard);
    cr_assert_gt(heard.len, 250);
    cr_assert_leq(heard.len, 256);
    cr_assert_eq(memcmp(heard.text, "0123", 4), 0);
    cr_assert_eq(memcmp(heard.text + heard.len - 4, "6789", 4), 0);
    cr_assert_not_null(strstr(heard.text, "\n[... "));
    rv_output_done(&output);
}

RV_TEST(output, is_handed_on_until_nobody_wants_it)
{
    static struct heard heard = {.wanted = 2};
    static char text[20000];
    struct rv_output output;

    memset(text, '\xFF', sizeof text);
    rv_output_init(&output, t->mem, sizeof text);
    cr_assert_eq(rv_output_add(&output, text, 2000), 0);
    rv_output_pieces(&output, true, hear, &heard);
    cr_assert_eq(heard.pieces, 2);
    cr_assert_eq(heard.len, 6000);
    rv_output_done(&output);
    memset(&heard, 0, sizeof heard);
    heard.wanted = 1;
    rv_output_init(&output, t->mem, sizeof text);
    cr_assert_eq(rv_output_add(&output, text, 2000), 0);
    rv_output_pieces(&output, true, hear, &heard);
    cr_assert_eq(heard.pieces, 1);
    rv_output_done(&output);
}
