/* SPDX-License-Identifier: MIT */
/* Reading what is not JSON: what is refused, where, in which words; and any bytes at all. */
#include "tests/lib/test.h"

#include "base/buffer.h"
#include "base/utf8.h"
#include "json/reader.h"
#include "json/writer.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

/* A bit of everything. */
static const char rich[] =
    "{\"text\":\"plain\", \"empty\":\"\" "
    ",\"escapes\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC"
    "\\ud83d\\uDE00\\u0000\", \"\\u006bey "
    "\\\"quoted\\\"\":[1,-2.5e+10,0,true,false,null,[],{},[[{}]]],\r\n"
    "\t\"utf8 "
    "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\":{\"a\":{\"b\":{\"c\":[\"x\\\\\",\"\\\\\\\"\"]}}},"
    "\"big\":123456789012345678901234567890,\"last\":\"[{,:}] \\\\\"}";
static struct rv_json_reader *new_reader(struct rv_test *t)
{
    struct rv_json_reader *reader;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    return reader;
}

static void expect_text(const struct reeve_json *value, struct rv_buffer *out, const char *wanted)
{
    struct rv_json_writer *writer;

    rv_buffer_clear(out);
    cr_assert_eq(rv_json_writer_new(out, &writer), 0);
    rv_json_value(writer, value);
    cr_assert_eq(rv_json_writer_finish(writer), 0);
    rv_json_writer_free(writer);
    cr_assert_str_eq(rv_buffer_text(out), wanted);
}

RV_TEST(broken, refuses_text_that_is_cut_off_anywhere)
{
    struct rv_json_reader *reader = new_reader(t);
    const struct reeve_json *value = NULL;
    const struct rv_json_problem *problem = rv_json_reader_problem(reader);
    size_t len;

    for (len = 0; len < sizeof rich - 1; len++) {
        /* inside a UTF-8 character the end of the whole ones is what is told */
        const size_t whole = rv_utf8_valid_prefix(rich, len);

        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, rich, len, &value), REEVE_EPARSE, "at %zu", len);
        cr_assert_eq(problem->offset, whole, "at %zu: %zu, %s", len, problem->offset,
                     problem->text);
        cr_assert(strlen(problem->text) > 20 &&
                  rv_utf8_valid(problem->text, strlen(problem->text)));
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_feed(reader, rich, len / 2), 0);
        cr_assert_eq(rv_json_reader_feed(reader, rich + len / 2, len - len / 2), 0);
        cr_assert_eq(rv_json_reader_finish(reader, &value), REEVE_EPARSE);
        cr_assert_eq(problem->offset, whole);
    }
    cr_assert_null(value);
    rv_json_reader_free(reader);
}

/* What a model gets to read when its arguments are not JSON. */
RV_TEST(broken, says_what_is_wrong_and_where)
{
    static const struct {
        const char *json;
        size_t offset;
        const char *text;
    } cases[] = {
        {"{\"path\" \"a.txt\"}", 8, "after key \"path\" at byte 8: expected ':'; found \"a.txt\"}"},
        {"{\"path\":tru}", 8,
         "after key \"path\" at byte 8: expected true, false, null or text in double quotes; "
         "found tru}"},
        {"{\"path\":\"abc", 12,
         "the text ends at byte 12, after key \"path\", inside a string that began at byte 8"},
        {"{\"edits\":[{\"old\":1", 18,
         "the text ends at byte 18, after the value of \"old\", with 3 brackets still open"},
        {"[1,2 3]", 5, "after element 2 of an array at byte 5: expected ',' or ']'; found 3]"},
        {"{\"a\":1 \"b\":2}", 7,
         "after the value of \"a\" at byte 7: expected ',' or '}'; found \"b\":2}"},
        {"{\"a\":1 22:2}", 7,
         "after the value of \"a\" at byte 7: expected ',' or '}'; found 22:2}"},
        {"{\"a\":1}}", 7,
         "after the end of the JSON value at byte 7: expected nothing more; found }"},
        {"{\"a\":1,}", 7,
         "after the value of \"a\" at byte 7: expected a key in double quotes; found }"},
        {"{'a':1}", 1,
         "at the start of an object at byte 1: expected a key in double quotes; found 'a':1}"},
        {"{a:1}", 1,
         "at the start of an object at byte 1: expected a key in double quotes; found a:1}"},
        {"{null:1}", 1,
         "at the start of an object at byte 1: expected a key in double quotes; found null:1}"},
        {"[1,]", 3, "after element 1 of an array at byte 3: expected a value; found ]"},
        {"[1}", 2, "after element 1 of an array at byte 2: expected ',' or ']'; found }"},
        {"{\"a\":\"x\\qy\"}", 8,
         "after key \"a\" at byte 8: a backslash in a string must stand before one of "
         "\" \\ / b f n r t u; found qy\"}"},
        {"[\"a\nb\"]", 3,
         "at the start of an array at byte 3: a control character inside a string must be escaped, "
         "as \\n is; found .b\"]"},
        {"[\"\\u12g4\"]", 6,
         "at the start of an array at byte 6: \\u must be followed by four hexadecimal digits; "
         "found g4\"]"},
        {"{\"a\": // why\n1}", 6,
         "after key \"a\" at byte 6: JSON has no comments; found // why.1}"},
        {"[1.x]", 3,
         "at the start of an array at byte 3: a number needs a digit after its decimal point; "
         "found x]"},
        {"[-]", 2,
         "at the start of an array at byte 2: a number needs a digit after its minus sign; found "
         "]"},
        {"[1ex]", 3,
         "at the start of an array at byte 3: a number needs a digit after its exponent's e; found "
         "x]"},
        {"<html><body>Bad Gateway, and so on", 0,
         "at the start at byte 0: expected a JSON value; found <html><body>Bad Gate..."},
        {"", 0, "the text ends at byte 0 before a value is complete"},
        {"nul", 3, "the text ends at byte 3 before a value is complete"},
        {"\xEF\xBB\xBF{}", 0,
         "at the start at byte 0: expected a JSON value; found \xEF\xBB\xBF{}"},
    };
    struct rv_json_reader *reader = new_reader(t);
    const struct rv_json_problem *problem = rv_json_reader_problem(reader);
    const struct reeve_json *value;
    size_t i, at, len;
    int error;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        len = strlen(cases[i].json);
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, cases[i].json, len, &value), REEVE_EPARSE);
        cr_assert_str_eq(problem->text, cases[i].text);
        cr_assert_eq(problem->offset, cases[i].offset, "%s: %zu", cases[i].json, problem->offset);
        /* byte by byte the same place, though what follows is not known then */
        rv_json_reader_reset(reader);
        for (at = 0, error = 0; at < len && !error; at++)
            error = rv_json_reader_feed(reader, cases[i].json + at, 1);
        if (!error)
            error = rv_json_reader_finish(reader, &value);
        cr_assert_eq(error, REEVE_EPARSE);
        cr_assert_eq(problem->offset, cases[i].offset, "%s: %zu, %s", cases[i].json,
                     problem->offset, problem->text);
    }
    rv_json_reader_free(reader);
}

/* Messages go to terminals and models: they are short, valid, and without control characters. */
RV_TEST(broken, keeps_its_messages_short_and_clean)
{
    struct rv_json_reader *reader = new_reader(t);
    const struct rv_json_problem *problem = rv_json_reader_problem(reader);
    const struct reeve_json *value;
    struct rv_buffer text;
    unsigned i;

    rv_buffer_init(&text, t->mem, 10000);
    cr_assert_eq(rv_buffer_add_text(&text, "{\"\\u001b[2J\\u0000\xC3\xA4"), 0);
    for (i = 0; i < 100; i++)
        cr_assert_eq(rv_buffer_add_text(&text, "\xE2\x82\xAC"), 0);
    cr_assert_eq(rv_buffer_add_text(&text,
                                    "\" \x1B[2J\x7F\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82"
                                    "\xAC\xE2\x82\xAC\xE2\x82\xAC"),
                 0);
    cr_assert_eq(rv_json_reader_parse(reader, text.data, text.len, &value), REEVE_EPARSE);
    cr_assert(rv_utf8_valid(problem->text, strlen(problem->text)));
    for (i = 0; problem->text[i]; i++)
        cr_assert(problem->text[i] < 0 || (problem->text[i] >= ' ' && problem->text[i] < 0x7F));
    rv_buffer_done(&text);
    rv_json_reader_free(reader);
}

RV_TEST(broken, refuses_what_is_not_json)
{
    static const char *const texts[] = {
        "tRue",       "nulll",     "truefalse",   "01",
        "-01",        "1.",        ".5",          "+1",
        "1e",         "1e+",       "0x10",        "NaN",
        "Infinity",   "-Infinity", "1 2",         "[1 2]",
        "[,1]",       "[1,,2]",    "[",           "]",
        "{",          "}",         "{\"a\"}",     "{\"a\":}",
        "{\"a\" 1}",  "{,}",       "{1:2}",       "{\"a\":1,,\"b\":2}",
        "'a'",        "\"a",       "a\"",         "\"\t\"",
        "\"\x01\"",   "\"\\x41\"", "\"\\u12\"",   "\"\\ud83d\\u\"",
        "\"\\\"",     "[\"a\"",    "{\"a\":[}",   "[}",
        "{]",         "\\",        "\"a\"\"b\"",  "[1]]",
        "# no",       "/**/ 1",    "[1] garbage", "--1",
        "1-",         "1.5.5",     "1ee5",        "[1a]",
        "nul\\u006c", "[] tru",    "{} \"}",      "[1]\"]",
        "1 \"2",      "\"a\"\"b",
    };
    struct rv_json_reader *reader = new_reader(t);
    const struct reeve_json *value = NULL;
    size_t i, split;
    int error;

    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (split = 0; split <= strlen(texts[i]); split++) {
            rv_json_reader_reset(reader);
            error = rv_json_reader_feed(reader, texts[i], split);
            if (!error)
                error = rv_json_reader_parse(reader, texts[i] + split, strlen(texts[i]) - split,
                                             &value);
            cr_assert_eq(error, REEVE_EPARSE, "%s split at %zu", texts[i], split);
            cr_assert_leq(rv_json_reader_problem(reader)->offset, strlen(texts[i]));
        }
    }
    cr_assert_null(value);
    rv_json_reader_free(reader);
}

RV_TEST(broken, refuses_invalid_utf8_where_it_stands)
{
    static const char *const broken[] = {
        "\xFF", "\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xF0\x9F\x98",
    };
    static const char *const places[][2] = {
        {"[\"ab", "c\"]"},
        {"{\"k", "\":1}"},
        {"[1, \"", "\"]"},
        {"[\"\\u0041", "\\n\"]"},
    };
    struct rv_json_reader *reader = new_reader(t);
    const struct reeve_json *value;
    char json[64], wanted[64];
    size_t i, j, split;
    int error;

    for (i = 0; i < sizeof broken / sizeof *broken; i++) {
        for (j = 0; j < sizeof places / sizeof *places; j++) {
            const size_t offset = strlen(places[j][0]);
            const size_t len = (size_t)snprintf(json, sizeof json, "%s%s%s", places[j][0],
                                                broken[i], places[j][1]);

            snprintf(wanted, sizeof wanted, "the text is not valid UTF-8 at byte %zu", offset);
            for (split = 0; split <= len; split++) {
                rv_json_reader_reset(reader);
                error = rv_json_reader_feed(reader, json, split);
                if (!error)
                    error = rv_json_reader_parse(reader, json + split, len - split, &value);
                cr_assert_eq(error, REEVE_EPARSE);
                cr_assert_eq(rv_json_reader_problem(reader)->offset, offset);
                cr_assert_str_eq(rv_json_reader_problem(reader)->text, wanted);
            }
        }
    }
    rv_json_reader_free(reader);
}

/* Anything at all. */

/* Reads `json` whole and in pieces: both fail alike, or both give the same. */
static void expect_agreement(struct rv_test *t, struct rv_json_reader *reader, const char *json,
                             size_t len, struct rv_buffer *whole, struct rv_buffer *pieces)
{
    const struct rv_json_problem *problem = rv_json_reader_problem(reader);
    const struct reeve_json *value;
    size_t at, size, offset;
    int wanted, error = 0;

    rv_json_reader_reset(reader);
    wanted = rv_json_reader_parse(reader, json, len, &value);
    offset = problem->offset;
    if (!wanted) {
        struct rv_json_writer *writer;

        rv_buffer_clear(whole);
        cr_assert_eq(rv_json_writer_new(whole, &writer), 0);
        rv_json_value(writer, value);
        cr_assert_eq(rv_json_writer_finish(writer), 0);
        cr_assert(rv_utf8_valid(whole->data, whole->len));
        rv_json_writer_free(writer);
    }
    rv_json_reader_reset(reader);
    for (at = 0; at < len && !error; at += size) {
        size = rv_test_random(t) % 7 + 1;
        if (size > len - at)
            size = len - at;
        error = rv_json_reader_feed(reader, json + at, size);
    }
    if (!error)
        error = rv_json_reader_finish(reader, &value);
    cr_assert_eq(error, wanted, "%.*s: %d whole, %d in pieces", (int)len, json, wanted, error);
    if (error) {
        cr_assert_leq(offset, len);
        cr_assert_leq(problem->offset, len);
        cr_assert(problem->text[0] && rv_utf8_valid(problem->text, strlen(problem->text)));
    } else {
        expect_text(value, pieces, rv_buffer_text(whole));
    }
}

RV_TEST(broken, takes_or_refuses_any_bytes_whole_and_in_pieces, .timeout = 60)
{
    static const char *const words[] = {
        "{",    "}",       "[",        "]",    ",",    ":",        "\"", "\\",    " ",      "\n",
        "true", "null",    "1",        "-",    ".",    "e",        "0",  "\"a\"", "\"a\":", "\\u",
        "d83d", "\\ude00", "\xC3\xA4", "\xC3", "\x80", "\xE2\x82", "[[", "//",
    };
    struct rv_json_reader *reader = new_reader(t);
    struct rv_buffer whole, pieces;
    char json[512];
    unsigned round;
    size_t len;

    rv_buffer_init(&whole, t->mem, 100000);
    rv_buffer_init(&pieces, t->mem, 100000);
    for (round = 0; round < 40000; round++) {
        len = 0;
        if (round % 2) { /* words in any order */
            while (len < 40 && rv_test_random(t) % 12)
                len += (size_t)sprintf(json + len, "%s",
                                       words[rv_test_random(t) % (sizeof words / sizeof *words)]);
        } else { /* a good text with one to three bytes changed */
            size_t changes = rv_test_random(t) % 3 + 1;

            memcpy(json, rich, len = sizeof rich - 1);
            while (changes--)
                json[rv_test_random(t) % len] = (char)rv_test_random(t);
        }
        expect_agreement(t, reader, json, len, &whole, &pieces);
    }
    rv_buffer_done(&whole);
    rv_buffer_done(&pieces);
    rv_json_reader_free(reader);
}
