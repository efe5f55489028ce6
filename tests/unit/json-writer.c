/* SPDX-License-Identifier: MIT */
/* Writing JSON: the grammar, every escape, any bytes, caps and missing memory. */
#include "tests/lib/test.h"

#include "base/buffer.h"
#include "base/utf8.h"
#include "json/reader.h"
#include "json/writer.h"

#include <math.h>
#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

struct writing {
    struct rv_buffer out;
    struct rv_json_writer *writer;
};

static void start(struct rv_test *t, struct writing *writing, size_t max)
{
    rv_buffer_init(&writing->out, t->mem, max);
    cr_assert_eq(rv_json_writer_new(&writing->out, &writing->writer), 0);
}

/* Finishes, and starts again on an empty buffer. */
static int finish(struct writing *writing)
{
    int error = rv_json_writer_finish(writing->writer);

    rv_json_writer_free(writing->writer);
    cr_assert(!error || !writing->out.len);
    return error;
}

static void restart(struct writing *writing)
{
    rv_buffer_clear(&writing->out);
    cr_assert_eq(rv_json_writer_new(&writing->out, &writing->writer), 0);
}

static void stop(struct writing *writing)
{
    rv_json_writer_free(writing->writer);
    rv_buffer_done(&writing->out);
}

RV_TEST(writer, writes_one_of_each)
{
    struct writing w;

    start(t, &w, 1000);
    rv_json_object_begin(w.writer);
    rv_json_key(w.writer, "text");
    rv_json_text(w.writer, "x");
    rv_json_key(w.writer, "bytes");
    rv_json_string(w.writer, "a\0b", 3);
    rv_json_key_bytes(w.writer, "k\0", 2);
    rv_json_int64(w.writer, INT64_MIN);
    rv_json_key(w.writer, "double");
    rv_json_double(w.writer, 0.1);
    rv_json_key(w.writer, "list");
    rv_json_array_begin(w.writer);
    rv_json_bool(w.writer, true);
    rv_json_bool(w.writer, false);
    rv_json_null(w.writer);
    rv_json_raw(w.writer, "{\"raw\": 1}", 10);
    rv_json_array_begin(w.writer);
    rv_json_array_end(w.writer);
    rv_json_object_begin(w.writer);
    rv_json_object_end(w.writer);
    rv_json_array_end(w.writer);
    rv_json_object_end(w.writer);
    cr_assert_eq(finish(&w), 0);
    cr_assert_str_eq(rv_buffer_text(&w.out),
                     "{\"text\":\"x\",\"bytes\":\"a\\u0000b\",\"k\\u0000\":-9223372036854775808,"
                     "\"double\":0.1,\"list\":[true,false,null,{\"raw\": 1},[],{}]}");
    restart(&w);
    stop(&w);
}

RV_TEST(writer, writes_behind_what_is_there)
{
    struct writing w;

    rv_buffer_init(&w.out, t->mem, 100);
    cr_assert_eq(rv_buffer_add_text(&w.out, "data: "), 0);
    cr_assert_eq(rv_json_writer_new(&w.out, &w.writer), 0);
    rv_json_int64(w.writer, 5);
    cr_assert_eq(rv_json_writer_finish(w.writer), 0);
    cr_assert_str_eq(rv_buffer_text(&w.out), "data: 5");
    stop(&w);
}

/* One step of a text: a letter each, so that a table can spell it. */
static void take_step(struct rv_json_writer *writer, char step)
{
    switch (step) {
    case '{':
        rv_json_object_begin(writer);
        break;
    case '}':
        rv_json_object_end(writer);
        break;
    case '[':
        rv_json_array_begin(writer);
        break;
    case ']':
        rv_json_array_end(writer);
        break;
    case 'k':
        rv_json_key(writer, "k");
        break;
    case 'd':
        rv_json_double(writer, 2.5);
        break;
    case 'n':
        rv_json_double(writer, (double)NAN);
        break;
    case 'v':
        rv_json_value(writer, NULL);
        break;
    default:
        rv_json_int64(writer, 1);
    }
}

static int take_steps(struct writing *writing, const char *steps)
{
    restart(writing);
    for (; *steps; steps++)
        take_step(writing->writer, *steps);
    return finish(writing);
}

RV_TEST(writer, keeps_the_grammar)
{
    static const char *const good[] = {"1",     "[]",          "{}",       "{k1}", "{k1kd}",
                                       "[1d1]", "{k[]k{k{}}}", "[[][{}]]", "d"};
    static const char *const bad[] = {
        "",      "11",  "[",     "{",   "{k1",  "}",     "]",   "[}",     "{]",  "k",
        "{1}",   "{k}", "{kk1}", "[k]", "[k1]", "{k1d}", "1[]", "[]1",    "{}k", "{k[}",
        "{k[}]", "n",   "[1n1]", "v",   "{kv}", "[]]",   "{}}", "{k1}{}",
    };
    struct writing w;
    size_t i;

    start(t, &w, 1000);
    rv_json_writer_free(w.writer);
    for (i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert_eq(take_steps(&w, good[i]), 0, "%s", good[i]);
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(take_steps(&w, bad[i]), REEVE_EINVAL, "%s", bad[i]);
    rv_buffer_done(&w.out);
}

/* Any steps: what the writer takes, the reader takes. */
RV_TEST(writer, never_writes_what_is_not_json)
{
    static const char steps[] = "{}[]k1dk{}[]]}";
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct writing w;
    char text[12];
    unsigned round, well = 0;
    size_t i, len;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    start(t, &w, 1000);
    rv_json_writer_free(w.writer);
    for (round = 0; round < 100000; round++) {
        len = rv_test_random(t) % (sizeof text - 1);
        for (i = 0; i < len; i++)
            text[i] = steps[rv_test_random(t) % (sizeof steps - 1)];
        text[len] = '\0';
        if (take_steps(&w, text))
            continue;
        well++;
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, w.out.data, w.out.len, &value), 0, "%s gave %s",
                     text, w.out.data);
    }
    cr_assert_gt(well, 500);
    rv_buffer_done(&w.out);
    rv_json_reader_free(reader);
}

RV_TEST(writer, escapes_every_byte_that_needs_it_and_no_other)
{
    static const char *const named[][2] = {
        {"\b", "\"\\b\""},
        {"\f", "\"\\f\""},
        {"\n", "\"\\n\""},
        {"\r", "\"\\r\""},
        {"\t", "\"\\t\""},
        {"\"", "\"\\\"\""},
        {"\\", "\"\\\\\""},
        {"/", "\"/\""},
        {"\x7F", "\"\x7F\""},
        {"\x1F", "\"\\u001f\""},
        {"", "\"\""},
        {"a\nb\"c\\", "\"a\\nb\\\"c\\\\\""},
        {"\xC3\xA4\xF0\x9F\x98\x80", "\"\xC3\xA4\xF0\x9F\x98\x80\""},
    };
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct writing w;
    size_t i, len;
    char byte;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    start(t, &w, 1000);
    for (i = 0; i < sizeof named / sizeof *named; i++) {
        rv_json_text(w.writer, named[i][0]);
        cr_assert_eq(finish(&w), 0);
        cr_assert_str_eq(rv_buffer_text(&w.out), named[i][1]);
        restart(&w);
    }
    for (i = 0; i < 128; i++) {
        byte = (char)i;
        rv_json_string(w.writer, &byte, 1);
        cr_assert_eq(finish(&w), 0);
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, w.out.data, w.out.len, &value), 0);
        cr_assert_eq(reeve_json_string(value, &len)[0], byte);
        cr_assert_eq(len, 1);
        cr_assert_eq(w.out.len == 3, i >= 0x20 && i != '"' && i != '\\');
        restart(&w);
    }
    stop(&w);
    rv_json_reader_free(reader);
}

static const char *spell(unsigned byte, char *ret, size_t size)
{
    if (byte == '"' || byte == '\\')
        snprintf(ret, size, "\\%c", (int)byte);
    else if (byte < 0x20)
        snprintf(ret, size, "\\u%04x", byte);
    else if (byte >= 0x80) /* alone it is no UTF-8 */
        snprintf(ret, size, "\xEF\xBF\xBD");
    else
        snprintf(ret, size, "%c", (int)byte);
    return ret;
}

static void expect_spelt(struct writing *w, unsigned byte, size_t at, size_t len)
{
    static const char plain[] = "xxxxxxxxxxxxxxxxxxxxx";
    char text[sizeof plain], wanted[64], spelt[8];

    memcpy(text, plain, sizeof plain);
    text[at] = (char)byte;
    snprintf(wanted, sizeof wanted, "\"%.*s%s%.*s\"", (int)at, plain,
             spell(byte, spelt, sizeof spelt), (int)(len - at - 1), plain);
    rv_json_string(w->writer, text, len);
    cr_assert_eq(finish(w), 0);
    cr_assert_str_eq(rv_buffer_text(&w->out), wanted, "byte %u at %zu of %zu", byte, at, len);
    restart(w);
}

/* Eight bytes are looked at in one step: each byte in each place among plain ones, of texts of each
 * length from less than one step to more than two. */
RV_TEST(writer, misses_no_escape_wherever_it_stands)
{
    struct writing w;
    unsigned byte;
    size_t at, len;

    start(t, &w, 1000);
    for (byte = 0; byte < 256; byte++) {
        if (byte && strchr("\b\f\n\r\t", (int)byte))
            continue; /* they have names; see above */
        for (len = 1; len <= 21; len++)
            for (at = 0; at < len; at++)
                expect_spelt(&w, byte, at, len);
    }
    stop(&w);
}

RV_TEST(writer, repairs_invalid_utf8_in_strings_and_keys)
{
    struct writing w;

    start(t, &w, 1000);
    rv_json_object_begin(w.writer);
    rv_json_key(w.writer, "k\xFF");
    rv_json_text(w.writer, "\xC3(\"\xE2\x82\n\xF0\x9F\x98\x80\xED\xA0\x80");
    rv_json_object_end(w.writer);
    cr_assert_eq(finish(&w), 0);
    cr_assert_str_eq(rv_buffer_text(&w.out),
                     "{\"k\xEF\xBF\xBD\":\"\xEF\xBF\xBD(\\\"\xEF\xBF\xBD\\n\xF0\x9F\x98\x80"
                     "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}");
    restart(&w);
    stop(&w);
}

/* Any bytes: what is read back is what rv_utf8_add_repaired makes of them. */
RV_TEST(writer, loses_no_byte_of_any_string)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_buffer repaired;
    struct writing w;
    char bytes[32];
    const char *back;
    unsigned round;
    size_t i, len;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    rv_buffer_init(&repaired, t->mem, 1000);
    start(t, &w, 1000);
    for (round = 0; round < 30000; round++) {
        len = rv_test_random(t) % sizeof bytes;
        for (i = 0; i < len; i++)
            bytes[i] = (char)(rv_test_random(t) >> (round % 3 ? 57 : 56)); /* mostly ASCII */
        rv_json_string(w.writer, bytes, len);
        cr_assert_eq(finish(&w), 0);
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, w.out.data, w.out.len, &value), 0);
        back = reeve_json_string(value, &i);
        rv_buffer_clear(&repaired);
        cr_assert_eq(rv_utf8_add_repaired(&repaired, bytes, len), 0);
        cr_assert(i == repaired.len && !memcmp(back, rv_buffer_text(&repaired), i));
        restart(&w);
    }
    stop(&w);
    rv_buffer_done(&repaired);
    rv_json_reader_free(reader);
}

RV_TEST(writer, copies_values_as_they_are)
{
    static const char *const texts[] = {
        "1.50",
        "-0",
        "123456789012345678901234567890",
        "\"a\\u0000\\n\"",
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[[],[{}],{\"a\":[{\"b\":[]}]}]",
        "{\"\":{\"\":{}},\"z\":1,\"a\":2}",
    };
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct writing w;
    size_t i;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    start(t, &w, 1000);
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        rv_json_reader_reset(reader);
        cr_assert_eq(rv_json_reader_parse(reader, texts[i], strlen(texts[i]), &value), 0);
        rv_json_value(w.writer, value);
        cr_assert_eq(finish(&w), 0);
        cr_assert_str_eq(rv_buffer_text(&w.out), texts[i]);
        restart(&w);
    }
    stop(&w);
    rv_json_reader_free(reader);
}

RV_TEST(writer, has_room_for_the_deepest_value_in_a_request)
{
    const struct rv_json_limits deep = {.max_bytes = 10000, .max_depth = 512};
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct writing w;
    char text[1024];
    unsigned i;

    memset(text, '[', 512);
    memset(text + 512, ']', 512);
    cr_assert_eq(rv_json_reader_new(t->mem, &deep, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, text, sizeof text, &value), 0);
    start(t, &w, 10000);
    for (i = 0; i < 512; i++)
        rv_json_array_begin(w.writer);
    rv_json_value(w.writer, value);
    for (i = 0; i < 512; i++)
        rv_json_array_end(w.writer);
    cr_assert_eq(finish(&w), 0);
    cr_assert_eq(w.out.len, 2048);
    restart(&w);
    for (i = 0; i < 1000000; i++)
        rv_json_array_begin(w.writer);
    cr_assert_eq(finish(&w), REEVE_ETOOBIG);
    restart(&w);
    stop(&w);
    rv_json_reader_free(reader);
}

static void write_request(struct rv_json_writer *writer)
{
    rv_json_object_begin(writer);
    rv_json_key(writer, "messages");
    rv_json_array_begin(writer);
    rv_json_text(writer, "with \"quotes\" and \xFF and a line's\nend");
    rv_json_double(writer, 1.0 / 3);
    rv_json_int64(writer, -12);
    rv_json_array_end(writer);
    rv_json_object_end(writer);
}

RV_TEST(writer, leaves_the_buffer_as_it_was_when_it_fails)
{
    struct rv_json_writer *writer;
    struct rv_buffer out;
    size_t max, needed;

    rv_buffer_init(&out, t->mem, 1000);
    cr_assert_eq(rv_json_writer_new(&out, &writer), 0);
    write_request(writer);
    cr_assert_eq(rv_json_writer_finish(writer), 0);
    rv_json_writer_free(writer);
    needed = out.len;
    rv_buffer_done(&out);
    for (max = 2; max < needed + 2; max++) {
        rv_buffer_init(&out, t->mem, max);
        cr_assert_eq(rv_buffer_add_text(&out, "ab"), 0);
        cr_assert_eq(rv_json_writer_new(&out, &writer), 0);
        write_request(writer);
        cr_assert_eq(rv_json_writer_finish(writer), REEVE_ETOOBIG);
        cr_assert_str_eq(rv_buffer_text(&out), "ab");
        rv_json_writer_free(writer);
        rv_buffer_done(&out);
    }
}

static int scenario(struct rv_test *t, void *arg)
{
    struct rv_json_writer *writer;
    struct rv_buffer out;
    unsigned i;
    int error;

    (void)arg;
    rv_buffer_init(&out, t->mem, 100000);
    error = rv_json_writer_new(&out, &writer);
    if (!error) {
        rv_json_array_begin(writer);
        for (i = 0; i < 100; i++)
            write_request(writer);
        rv_json_array_end(writer);
        error = rv_json_writer_finish(writer);
        cr_assert(!error || !out.len);
        rv_json_writer_free(writer);
    }
    rv_buffer_done(&out);
    return error;
}

RV_TEST(writer, survives_allocation_failure)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 8);
    rv_json_writer_free(NULL);
}
