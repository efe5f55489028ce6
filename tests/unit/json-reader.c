/* SPDX-License-Identifier: MIT */
/* Reading JSON: whole, in pieces, too deep, too long, and without memory. */
#include "tests/lib/test.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "json/reader.h"
#include "json/writer.h"

#include <dlfcn.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* A bit of everything. */
static const char rich[] =
    "{\"text\":\"plain\", \"empty\":\"\" "
    ",\"escapes\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC"
    "\\ud83d\\uDE00\\u0000\", \"\\u006bey "
    "\\\"quoted\\\"\":[1,-2.5e+10,0,true,false,null,[],{},[[{}]]],\r\n"
    "\t\"utf8 "
    "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\":{\"a\":{\"b\":{\"c\":[\"x\\\\\",\"\\\\\\\"\"]}}},"
    "\"big\":123456789012345678901234567890,\"last\":\"[{,:}] \\\\\"}";
static const char rich_again[] =
    "{\"text\":\"plain\",\"empty\":\"\",\"escapes\":\"\\\"\\\\/\\b\\f\\n\\r\\tA\xC3\xA9\xE2\x82\xAC"
    "\xF0\x9F\x98\x80\\u0000\",\"key \\\"quoted\\\"\":[1,-2.5e+10,0,true,false,null,[],{},[[{}]]],"
    "\"utf8 "
    "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\":{\"a\":{\"b\":{\"c\":[\"x\\\\\",\"\\\\\\\"\"]}}},"
    "\"big\":123456789012345678901234567890,\"last\":\"[{,:}] \\\\\"}";

static struct rv_json_reader *new_reader(struct rv_test *t, const struct rv_json_limits *limits)
{
    struct rv_json_reader *reader;

    cr_assert_eq(rv_json_reader_new(t->mem, limits, &reader), 0);
    return reader;
}

static const struct reeve_json *parse(struct rv_json_reader *reader, const char *json)
{
    const struct reeve_json *value = NULL;

    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_parse(reader, json, strlen(json), &value), 0, "%.60s: %s", json,
                 rv_json_reader_problem(reader)->text);
    return value;
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

RV_TEST(reader, gives_each_type_as_what_it_is)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value =
        parse(reader, "{\"s\":\"text\",\"n\":12.50,\"i\":-7,\"t\":true,"
                      "\"f\":false,\"z\":null,\"a\":[1,[2]],\"o\":{}}");
    int64_t integer = 0;
    double number = 0;
    int truth = 9;
    size_t len = 0;

    cr_assert_eq(reeve_json_type(value), REEVE_JSON_OBJECT);
    cr_assert_eq(reeve_json_count(value), 8);
    cr_assert_str_eq(reeve_json_string(reeve_json_get(value, "s"), &len), "text");
    cr_assert_eq(len, 4);
    cr_assert_str_eq(reeve_json_number_text(reeve_json_get(value, "n"), &len), "12.50");
    cr_assert_eq(len, 5);
    cr_assert_eq(reeve_json_double(reeve_json_get(value, "n"), &number), 0);
    cr_assert(number == 12.5);
    cr_assert_eq(reeve_json_int64(reeve_json_get(value, "n"), &integer), REEVE_EINVAL);
    cr_assert_eq(reeve_json_int64(reeve_json_get(value, "i"), &integer), 0);
    cr_assert_eq(integer, -7);
    cr_assert_eq(reeve_json_bool(reeve_json_get(value, "t"), &truth), 0);
    cr_assert_eq(truth, 1);
    cr_assert_eq(reeve_json_bool(reeve_json_get(value, "f"), &truth), 0);
    cr_assert_eq(truth, 0);
    cr_assert_eq(reeve_json_type(reeve_json_get(value, "z")), REEVE_JSON_NULL);
    cr_assert_eq(reeve_json_count(reeve_json_get(value, "a")), 2);
    cr_assert_eq(reeve_json_type(reeve_json_at(reeve_json_get(value, "a"), 1)), REEVE_JSON_ARRAY);
    cr_assert_eq(reeve_json_count(reeve_json_get(value, "o")), 0);
    cr_assert_str_eq(reeve_json_key_at(value, 2, &len), "i");
    cr_assert_eq(reeve_json_at(value, 2), reeve_json_get(value, "i"));
    cr_assert_null(reeve_json_key_at(value, 8, NULL));
    cr_assert_null(reeve_json_at(value, 8));
    rv_json_reader_free(reader);
}

RV_TEST(reader, answers_nothing_for_what_is_not_there)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value = parse(reader, "{\"s\":\"text\",\"a\":[1]}");
    const struct reeve_json *text = reeve_json_get(value, "s");
    int64_t integer = 5;
    double number = 5;
    int truth = 5;

    cr_assert_null(reeve_json_get(value, "S"));
    cr_assert_null(reeve_json_get(reeve_json_get(reeve_json_get(value, "x"), "y"), "z"));
    cr_assert_null(reeve_json_get(text, "s"));
    cr_assert_null(reeve_json_at(text, 0));
    cr_assert_null(reeve_json_at(NULL, 0));
    cr_assert_null(reeve_json_key_at(reeve_json_get(value, "a"), 0, NULL));
    cr_assert_eq(reeve_json_count(text), 0);
    cr_assert_eq(reeve_json_count(NULL), 0);
    cr_assert_null(reeve_json_string(value, NULL));
    cr_assert_null(reeve_json_string(NULL, NULL));
    cr_assert_null(reeve_json_number_text(text, NULL));
    cr_assert_eq(reeve_json_int64(text, &integer), REEVE_EINVAL);
    cr_assert_eq(reeve_json_int64(NULL, &integer), REEVE_EINVAL);
    cr_assert_eq(reeve_json_double(text, &number), REEVE_EINVAL);
    cr_assert_eq(reeve_json_bool(text, &truth), REEVE_EINVAL);
    cr_assert(integer == 5 && number > 4 && truth == 5);
    cr_assert_eq(reeve_json_type(NULL), REEVE_JSON_NONE);
    cr_assert_str_eq(reeve_json_type_name(REEVE_JSON_NONE), "nothing");
    cr_assert_str_eq(reeve_json_type_name(REEVE_JSON_OBJECT), "object");
    cr_assert_str_eq(reeve_json_type_name((enum reeve_json_type)99), "nothing");
    rv_json_reader_free(reader);
}

RV_TEST(reader, takes_a_scalar_alone)
{
    static const char *const texts[] = {"1",    " -0.5e9 ", "\"x\"", "true", "false",
                                        "null", "\t[]\n",   "{}",    "\"\""};
    struct rv_json_reader *reader = new_reader(t, NULL);
    size_t i;

    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert_neq(reeve_json_type(parse(reader, texts[i])), REEVE_JSON_NONE);
    rv_json_reader_free(reader);
}

/* Pieces. */

static const struct reeve_json *parse_split(struct rv_json_reader *reader, const char *json,
                                            size_t len, size_t first, size_t second)
{
    const struct reeve_json *value = NULL;

    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_feed(reader, json, first), 0);
    cr_assert_eq(rv_json_reader_feed(reader, json + first, second - first), 0);
    cr_assert_eq(rv_json_reader_feed(reader, json + second, len - second), 0);
    cr_assert_eq(rv_json_reader_finish(reader, &value), 0, "split at %zu and %zu", first, second);
    return value;
}

RV_TEST(reader, does_not_care_where_the_text_is_split, .timeout = 60)
{
    const size_t len = sizeof rich - 1;
    struct rv_json_reader *reader = new_reader(t, NULL);
    struct rv_buffer out;
    size_t first, second;

    rv_buffer_init(&out, t->mem, 10000);
    expect_text(parse(reader, rich), &out, rich_again);
    for (first = 0; first <= len; first++)
        for (second = first; second <= len; second++)
            expect_text(parse_split(reader, rich, len, first, second), &out, rich_again);
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
}

RV_TEST(reader, does_not_care_how_small_the_pieces_are)
{
    const size_t len = sizeof rich - 1;
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value;
    struct rv_buffer out;
    size_t size, at;

    rv_buffer_init(&out, t->mem, 10000);
    for (size = 1; size <= 40; size++) {
        rv_json_reader_reset(reader);
        for (at = 0; at < len; at += size)
            cr_assert_eq(rv_json_reader_feed(reader, rich + at, len - at < size ? len - at : size),
                         0);
        cr_assert_eq(rv_json_reader_finish(reader, &value), 0);
        expect_text(value, &out, rich_again);
    }
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
}

/*
 * Work is counted, not time: the bytes that yajl is given (this function stands before yajl's own),
 * and the bytes that memory is asked for.
 */
static size_t bytes_fed;
static size_t bytes_asked;

yajl_status yajl_parse(yajl_handle handle, const unsigned char *text, size_t len)
{
    static yajl_status (*real)(yajl_handle, const unsigned char *, size_t);
    void *symbol;

    if (!real) {
        symbol = dlsym(RTLD_NEXT, "yajl_parse");
        cr_assert_not_null(symbol);
        memcpy(&real, &symbol, sizeof real);
    }
    bytes_fed += len;
    return real(handle, text, len);
}

static void *counting_malloc(size_t size, void *arg)
{
    (void)arg;
    bytes_asked += size;
    return malloc(size);
}

static void *counting_realloc(void *ptr, size_t size, void *arg)
{
    (void)arg;
    bytes_asked += size;
    return realloc(ptr, size);
}

static void counting_free(void *ptr, void *arg)
{
    (void)arg;
    free(ptr);
}

static void expect_linear(const char *json, size_t len, size_t size)
{
    static const struct reeve_allocator counting = {
        .malloc = counting_malloc,
        .realloc = counting_realloc,
        .free = counting_free,
    };
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_mem *mem;
    size_t at;

    cr_assert_eq(rv_mem_new(&counting, &mem), 0);
    cr_assert_eq(rv_json_reader_new(mem, NULL, &reader), 0);
    bytes_fed = 0;
    bytes_asked = 0;
    for (at = 0; at < len; at += size)
        cr_assert_eq(rv_json_reader_feed(reader, json + at, len - at < size ? len - at : size), 0);
    cr_assert_eq(rv_json_reader_finish(reader, &value), 0);
    cr_assert_eq(bytes_fed, len);
    /* an array of one-digit numbers takes most: 16 bytes for each on the stack and in place */
    cr_assert_leq(bytes_asked, 48 * len + 100000, "%zu bytes for a text of %zu", bytes_asked, len);
    rv_json_reader_free(reader);
    rv_mem_unref(mem);
}

/* 5 MB of one token: a string, plain and with escapes, a number, an array of short things. */
RV_TEST(reader, does_linear_work_on_text_that_trickles, .timeout = 60)
{
    static const struct {
        const char *begin;
        const char *unit;
        const char *end;
    } shapes[] = {
        {"[\"", "a", "\"]"},  {"{\"k\":\"", "\\\\", "\"}"},
        {"\"", "\\\"", "\""}, {"[1", "0", "]"},
        {"[1", ",1", "]"},    {"[", " ", "]"},
    };
    const size_t total = 5 << 20;
    struct rv_buffer text;
    size_t i;

    rv_buffer_init(&text, t->mem, total + 100);
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        rv_buffer_clear(&text);
        cr_assert_eq(rv_buffer_add_text(&text, shapes[i].begin), 0);
        while (text.len < total)
            cr_assert_eq(rv_buffer_add_text(&text, shapes[i].unit), 0);
        cr_assert_eq(rv_buffer_add_text(&text, shapes[i].end), 0);
        expect_linear(text.data, text.len, i ? 7 : 1);
        expect_linear(text.data, text.len, 65536);
    }
    rv_buffer_done(&text);
}

/* Depth. */

static int feed_brackets(struct rv_json_reader *reader, const char *bracket, unsigned count,
                         size_t piece)
{
    char text[4096];
    size_t used = 0;
    int error = 0;

    for (; count && !error; count--) {
        memcpy(text + used, bracket, strlen(bracket));
        used += strlen(bracket);
        if (count > 1 && used < piece)
            continue;
        error = rv_json_reader_feed(reader, text, used);
        used = 0;
    }
    return error;
}

RV_TEST(reader, stops_at_its_depth)
{
    const struct rv_json_limits shallow = {.max_bytes = 1 << 20, .max_depth = 3};
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value;

    cr_assert_eq(feed_brackets(reader, "[", 128, 1000), 0);
    cr_assert_eq(feed_brackets(reader, "]", 128, 1000), 0);
    cr_assert_eq(rv_json_reader_finish(reader, &value), 0);
    rv_json_reader_reset(reader);
    cr_assert_eq(feed_brackets(reader, "{\"k\":", 129, 1), REEVE_ETOOBIG);
    cr_assert_eq(rv_json_reader_problem(reader)->offset, 128 * 5);
    cr_assert_str_eq(rv_json_reader_problem(reader)->text,
                     "arrays and objects at byte 640 are nested deeper than the limit of 128");
    rv_json_reader_free(reader);

    reader = new_reader(t, &shallow);
    cr_assert_eq(rv_json_reader_parse(reader, "[[[],{}],[[[]]]]", 16, &value), REEVE_ETOOBIG);
    cr_assert_eq(rv_json_reader_problem(reader)->offset, 11);
    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_parse(reader, "[[[],{}],[[]]]", 14, &value), 0);
    rv_json_reader_free(reader);
}

RV_TEST(reader, is_not_felled_by_a_million_brackets)
{
    const struct rv_json_limits deep = {.max_bytes = 1 << 24, .max_depth = UINT32_MAX};
    static const char *const brackets[] = {"[", "{\"\":", "[{\"a\":"};
    struct rv_json_reader *reader = new_reader(t, &deep);
    size_t i;

    for (i = 0; i < sizeof brackets / sizeof *brackets; i++) {
        rv_json_reader_reset(reader);
        cr_assert_eq(feed_brackets(reader, brackets[i], 1000000, 4000), REEVE_ETOOBIG);
        rv_json_reader_reset(reader);
        cr_assert_eq(feed_brackets(reader, brackets[i], 1000000, 1), REEVE_ETOOBIG);
    }
    rv_json_reader_free(reader);
}

/* Length. */

RV_TEST(reader, stops_at_its_length)
{
    const struct rv_json_limits limits = {.max_bytes = 10, .max_depth = 9};
    struct rv_json_reader *reader = new_reader(t, &limits);
    const struct reeve_json *value;

    cr_assert_eq(rv_json_reader_parse(reader, "[12345678]", 10, &value), 0);
    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_parse(reader, "[123456789]", 11, &value), REEVE_ETOOBIG);
    cr_assert_str_eq(rv_json_reader_problem(reader)->text,
                     "the text is longer than the limit of 10 bytes");
    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_feed(reader, "\"1234567", 8), 0);
    cr_assert_eq(rv_json_reader_feed(reader, "89", 2), 0);
    cr_assert_eq(rv_json_reader_feed(reader, "\"", 1), REEVE_ETOOBIG);
    cr_assert_eq(rv_json_reader_problem(reader)->offset, 10);
    cr_assert_eq(rv_json_reader_feed(reader, "\"", 1), REEVE_ETOOBIG, "a failure stays");
    cr_assert_eq(rv_json_reader_finish(reader, &value), REEVE_ETOOBIG);
    rv_json_reader_free(reader);
}

/* Decisions. */

RV_TEST(reader, replaces_lone_surrogates)
{
    static const char *const cases[][2] = {
        {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
        {"\"\\uD800\\uDC00\"", "\xF0\x90\x80\x80"},
        {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF"},
        {"\"\\ud83d\"", "\xEF\xBF\xBD"},
        {"\"\\ud83dx\"", "\xEF\xBF\xBDx"},
        {"\"\\ud83d\\n\"", "\xEF\xBF\xBD\n"},
        {"\"\\ud83d\\u0041\"", "\xEF\xBF\xBD"
                               "A"},
        {"\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\"\\ude00z\"", "\xEF\xBF\xBDz"},
        {"\"\\ud7ff\\ue000\"", "\xED\x9F\xBF\xEE\x80\x80"},
        {"\"\\\\ud83d\"", "\\ud83d"},
    };
    struct rv_json_reader *reader = new_reader(t, NULL);
    size_t i, len;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = reeve_json_string(parse(reader, cases[i][0]), &len);

        cr_assert_eq(len, strlen(cases[i][1]), "case %zu: %s", i, text);
        cr_assert_str_eq(text, cases[i][1], "case %zu", i);
    }
    rv_json_reader_free(reader);
}

RV_TEST(reader, keeps_nuls_in_strings_and_keys)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value = parse(reader, "{\"a\\u0000b\":\"\\u0000x\\u0000\",\"a\":1}");
    size_t len = 0;

    cr_assert(!memcmp(reeve_json_key_at(value, 0, &len), "a\0b", 4));
    cr_assert_eq(len, 3);
    cr_assert(!memcmp(reeve_json_string(reeve_json_at(value, 0), &len), "\0x\0", 4));
    cr_assert_eq(len, 3);
    cr_assert_eq(reeve_json_get(value, "a"), reeve_json_at(value, 1));
    rv_json_reader_free(reader);
}

RV_TEST(reader, lets_the_last_of_equal_keys_count)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    struct rv_buffer out;

    rv_buffer_init(&out, t->mem, 1000);
    expect_text(parse(reader, "{\"a\":1,\"b\":2,\"a\":[3],\"\\u0061\":{\"a\":4,\"a\":5}}"), &out,
                "{\"a\":{\"a\":5},\"b\":2}");
    expect_text(parse(reader, "{\"a\":1,\"aa\":2,\"\":3,\"\":4}"), &out,
                "{\"a\":1,\"aa\":2,\"\":4}");
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
}

RV_TEST(reader, finds_every_member_of_large_objects)
{
    static const unsigned counts[] = {15, 16, 17, 18, 31, 32, 33, 1000, 30000};
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value;
    struct rv_buffer text;
    unsigned i, j;
    int64_t number;
    char key[32];

    rv_buffer_init(&text, t->mem, 4 << 20);
    for (i = 0; i < sizeof counts / sizeof *counts; i++) {
        rv_buffer_clear(&text);
        for (j = 0; j < 2 * counts[i]; j++) /* each key twice */
            cr_assert_eq(rv_buffer_printf(&text, "%c\"a key, number %u\":%u", j ? ',' : '{',
                                          j % counts[i], j),
                         0);
        cr_assert_eq(rv_buffer_add_byte(&text, '}'), 0);
        value = parse(reader, text.data);
        cr_assert_eq(reeve_json_count(value), counts[i]);
        for (j = 0; j < counts[i]; j++) {
            snprintf(key, sizeof key, "a key, number %u", j);
            cr_assert_eq(reeve_json_int64(reeve_json_get(value, key), &number), 0);
            cr_assert_eq(number, counts[i] + j);
            cr_assert_str_eq(reeve_json_key_at(value, j, NULL), key);
        }
        cr_assert_null(reeve_json_get(value, "a key, number -1"));
        cr_assert_null(reeve_json_get(value, ""));
    }
    rv_buffer_done(&text);
    rv_json_reader_free(reader);
}

RV_TEST(reader, keeps_every_digit)
{
    static const char *const numbers[] = {
        "9007199254740993",
        "123456789012345678901234567890",
        "-0",
        "1.10",
        "1E5",
        "1e400",
        "0.0",
        "0.1000000000000000055511151231257827",
        "18446744073709551616",
    };
    struct rv_json_reader *reader = new_reader(t, NULL);
    int64_t number;
    size_t i;

    for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cr_assert_str_eq(reeve_json_number_text(parse(reader, numbers[i]), NULL), numbers[i]);
    cr_assert_eq(reeve_json_int64(parse(reader, numbers[0]), &number), 0);
    cr_assert_eq(number, INT64_C(9007199254740993));
    rv_json_reader_free(reader);
}

/* A reader's life. */

RV_TEST(reader, starts_over_after_anything)
{
    static const char *const broken[] = {"[", "[1,", "\"abc", "nope", "[\xFF", "{\"a\":1}}"};
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value;
    struct rv_buffer out;
    size_t i;

    rv_buffer_init(&out, t->mem, 10000);
    for (i = 0; i < sizeof broken / sizeof *broken; i++) {
        rv_json_reader_feed(reader, broken[i], strlen(broken[i]));
        expect_text(parse(reader, rich), &out, rich_again);
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, broken[i], strlen(broken[i]), &value),
                     REEVE_EPARSE);
        expect_text(parse(reader, rich), &out, rich_again);
    }
    cr_assert_eq(rv_json_reader_problem(reader)->text[0], '\0');
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
    rv_json_reader_free(NULL);
}

RV_TEST(reader, gives_most_memory_back_when_it_is_reset)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    struct rv_buffer text;
    size_t before, i;

    rv_buffer_init(&text, t->mem, 4 << 20);
    for (i = 0; i < 200000; i++)
        cr_assert_eq(rv_buffer_add_text(&text, i ? ",\"\\n\"" : "[\"\\n\""), 0);
    cr_assert_eq(rv_buffer_add_byte(&text, ']'), 0);
    before = t->failing.live_bytes;
    cr_assert_eq(reeve_json_count(parse(reader, text.data)), 200000);
    cr_assert_gt(t->failing.live_bytes, before + 1000000);
    rv_json_reader_reset(reader);
    cr_assert_leq(t->failing.live_bytes, before + 65536 * 3);
    rv_buffer_done(&text);
    rv_json_reader_free(reader);
}

/* Of thousands of readers most have nothing to do. */
RV_TEST(reader, keeps_nothing_while_it_rests)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    const size_t before = t->failing.live_bytes;
    struct rv_buffer out;
    unsigned i;

    rv_buffer_init(&out, t->mem, 10000);
    for (i = 0; i < 3; i++) {
        expect_text(parse(reader, rich), &out, rich_again);
        rv_json_reader_rest(reader);
        rv_json_reader_feed(reader, "[1, \"unfinished", 15);
        rv_json_reader_rest(reader);
        rv_buffer_done(&out);
        cr_assert_eq(t->failing.live_bytes, before);
    }
    rv_json_reader_free(reader);
}

RV_TEST(reader, parses_into_memory_that_outlives_it)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    const struct reeve_json *value, *other = parse(reader, "[1]");
    struct rv_arena arena;
    struct rv_buffer out;

    rv_arena_init(&arena, t->mem);
    rv_buffer_init(&out, t->mem, 10000);
    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_parse_into(reader, &arena, "[\"a\", 2, }", 11, &other),
                 REEVE_EPARSE);
    cr_assert_neq(rv_json_reader_problem(reader)->text[0], '\0');
    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_parse_into(reader, &arena, rich, strlen(rich), &value), 0);
    other = parse(reader, "{\"its\":\"own again\"}");
    expect_text(other, &out, "{\"its\":\"own again\"}");
    rv_json_reader_free(reader);
    rv_buffer_clear(&out);
    expect_text(value, &out, rich_again);
    rv_arena_done(&arena);
    rv_buffer_done(&out);
}

/* A hot path: once it has its memory, a small parse asks for none. */
RV_TEST(reader, asks_for_no_memory_once_it_is_warm)
{
    struct rv_json_reader *reader = new_reader(t, NULL);
    size_t asked, i;

    for (i = 0; i < 4; i++)
        parse(reader, rich);
    asked = t->failing.asked;
    for (i = 0; i < 100; i++)
        parse(reader, rich);
    cr_assert_eq(t->failing.asked, asked);
    rv_json_reader_free(reader);
}

/* Without memory. */

struct pieces {
    const char *text;
    size_t len;
    size_t size;
};

static int scenario(struct rv_test *t, void *arg)
{
    const struct pieces *pieces = arg;
    const struct reeve_json *value = NULL;
    struct rv_json_reader *reader;
    struct rv_arena arena;
    size_t at;
    int error = rv_json_reader_new(t->mem, NULL, &reader);

    if (error)
        return error;
    rv_arena_init(&arena, t->mem);
    for (at = 0; at < pieces->len && !error; at += pieces->size)
        error =
            rv_json_reader_feed(reader, pieces->text + at,
                                pieces->len - at < pieces->size ? pieces->len - at : pieces->size);
    if (!error)
        error = rv_json_reader_finish(reader, &value);
    cr_assert_eq(!error, value != NULL);
    cr_assert(!error || rv_json_reader_problem(reader)->text[0]);
    if (!error) { /* again, with what the first time left */
        rv_json_reader_reset(reader);
        value = NULL;
        error = rv_json_reader_parse(reader, pieces->text, pieces->len, &value);
        cr_assert_eq(!error, value != NULL);
    }
    if (!error) { /* and once more, into memory of another's */
        rv_json_reader_reset(reader);
        value = NULL;
        error = rv_json_reader_parse_into(reader, &arena, pieces->text, pieces->len, &value);
        cr_assert_eq(!error, value != NULL);
    }
    rv_json_reader_free(reader);
    rv_arena_done(&arena);
    return error;
}

RV_TEST(reader, survives_allocation_failure, .timeout = 60)
{
    struct pieces pieces = {.size = 1000};
    struct rv_buffer text;
    unsigned i;

    rv_buffer_init(&text, t->mem, 1 << 20);
    cr_assert_eq(rv_buffer_add_text(&text, "["), 0);
    for (i = 0; i < 5; i++)
        cr_assert_eq(rv_buffer_add(&text, rich, sizeof rich - 1) + rv_buffer_add_byte(&text, ','),
                     0);
    cr_assert_eq(rv_buffer_add_text(&text, "{\"\":0"), 0);
    for (i = 0; i < 300; i++)
        cr_assert_eq(rv_buffer_printf(&text, ",\"key %u\":[%u]", i, i), 0);
    cr_assert_eq(rv_buffer_add_text(&text, "},\""), 0);
    for (i = 0; i < 20000; i++)
        cr_assert_eq(rv_buffer_add_text(&text, "\\n"), 0);
    cr_assert_eq(rv_buffer_add_text(&text, "\"]"), 0);
    pieces.text = text.data;
    pieces.len = text.len;
    RV_SWEEP_ALLOCATIONS(t, scenario, &pieces, 30);
    rv_buffer_done(&text);
}

/* A refusal needs memory for its words. */
static int refusal(struct rv_test *t, void *arg)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    int error = rv_json_reader_new(t->mem, NULL, &reader);

    if (error)
        return error;
    error = rv_json_reader_parse(reader, arg, strlen(arg), &value);
    cr_assert(error == REEVE_EPARSE || error == REEVE_ENOMEM);
    rv_json_reader_free(reader);
    return error == REEVE_EPARSE ? 0 : error;
}

RV_TEST(reader, survives_allocation_failure_while_refusing)
{
    char broken[] = "{\"a\":[1,2,3}";

    RV_SWEEP_ALLOCATIONS(t, refusal, broken, 3);
}
