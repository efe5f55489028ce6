/* SPDX-License-Identifier: MIT */
/* The canonical form: one text for equal values, different texts for different ones. */
#include "tests/lib/test.h"

#include "base/buffer.h"
#include "json/canonical.h"
#include "json/reader.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BYTES = 1 << 22 };

static void add_canonical(struct rv_test *t, const char *json, struct rv_buffer *out)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, json, strlen(json), &value), 0, "%.80s: %s", json,
                 rv_json_reader_problem(reader)->text);
    cr_assert_eq(rv_json_canonical(value, out), 0);
    rv_json_reader_free(reader);
}

static void expect(struct rv_test *t, const char *json, const char *wanted)
{
    struct rv_buffer out;

    rv_buffer_init(&out, t->mem, MAX_BYTES);
    add_canonical(t, json, &out);
    cr_assert_str_eq(rv_buffer_text(&out), wanted);
    rv_buffer_done(&out);
}

RV_TEST(canonical, is_one_for_all_orders_and_spellings)
{
    static const char wanted[] = "{\"\":0,\"a\":[1,{\"x\":null,\"y\":\"\xC3\xA4\\n\"}],\"ab\":true,"
                                 "\"b\":-1.5}";

    expect(t, wanted, wanted);
    expect(t, "{\"b\":-1.50,\"ab\":true,\"a\":[1.0,{\"y\":\"\\u00e4\\u000a\",\"x\":null}],\"\":0}",
           wanted);
    expect(t,
           " { \"ab\" : true , \"a\" : [ 10e-1 , { \"x\" : null , \"\\u0079\" : \"\xC3\xA4\\n\" } ]"
           ",\n\t\"\" : -0.0 , \"b\" : -15E-1 } ",
           wanted);
    expect(t, "[]", "[]");
    expect(t, "{}", "{}");
    expect(t, "[[],{},[{}]]", "[[],{},[{}]]");
    expect(t, "\"\\/\\u007f\\u0000\"", "\"/\x7F\\u0000\"");
    expect(t, "{\"k\":1,\"j\":2,\"k\":3}", "{\"j\":2,\"k\":3}");
}

RV_TEST(canonical, has_one_form_for_each_number)
{
    static const char *const forms[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.000", "0"},
        {"-0e99999999999999999999999", "0"},
        {"1", "1"},
        {"1.0", "1"},
        {"10e-1", "1"},
        {"0.0001e4", "1"},
        {"1E0", "1"},
        {"-12.50", "-12.5"},
        {"100", "100"},
        {"1e2", "100"},
        {"1.5e+3", "1500"},
        {"0.1", "0.1"},
        {"1e-1", "0.1"},
        {"0.000001", "0.000001"},
        {"1e-6", "0.000001"},
        {"0.0000001", "1e-7"},
        {"123e-10", "1.23e-8"},
        {"9007199254740993", "9007199254740993"},
        {"9007199254740993.0", "9007199254740993"},
        {"900719925474099.3e1", "9007199254740993"},
        {"9007199254740992", "9007199254740992"},
        {"123456789012345678901", "123456789012345678901"},
        {"100000000000000000000", "100000000000000000000"},
        {"1e21", "1e+21"},
        {"1000000000000000000000", "1e+21"},
        {"1234567890123456789012", "1.234567890123456789012e+21"},
        {"0.10000000000000000555", "0.10000000000000000555"},
        {"1e400", "1e+400"},
        {"1.0e400", "1e+400"},
        {"12e-400", "1.2e-399"},
        {"3e1000000000000000000000", "3e1000000000000000000000"},
    };
    size_t i;

    for (i = 0; i < sizeof forms / sizeof *forms; i++)
        expect(t, forms[i][0], forms[i][1]);
}

/* Writes an object of `count` members, key i times `step` modulo count, spaced if asked for. */
static void write_object(struct rv_buffer *out, unsigned count, unsigned step, const char *space)
{
    unsigned i;

    rv_buffer_clear(out);
    cr_assert_eq(rv_buffer_add_byte(out, '{'), 0);
    for (i = 0; i < count; i++)
        cr_assert_eq(rv_buffer_printf(out, "%s\"key%u\":%s%u", i ? "," : "",
                                      (unsigned)((uint64_t)i * step % count), space,
                                      (unsigned)((uint64_t)i * step % count)),
                     0);
    cr_assert_eq(rv_buffer_add_byte(out, '}'), 0);
}

RV_TEST(canonical, sorts_objects_of_any_size)
{
    static const unsigned counts[] = {1, 2, 3, 15, 16, 17, 100, 1000, 20011};
    struct rv_buffer text, one, other;
    size_t i;

    rv_buffer_init(&text, t->mem, MAX_BYTES);
    rv_buffer_init(&one, t->mem, MAX_BYTES);
    rv_buffer_init(&other, t->mem, MAX_BYTES);
    for (i = 0; i < sizeof counts / sizeof *counts; i++) {
        rv_buffer_clear(&one);
        rv_buffer_clear(&other);
        write_object(&text, counts[i], 1, "");
        add_canonical(t, rv_buffer_text(&text), &one);
        write_object(&text, counts[i], 7919, "  "); /* a prime: every key once */
        add_canonical(t, rv_buffer_text(&text), &other);
        cr_assert_str_eq(rv_buffer_text(&one), rv_buffer_text(&other), "%u members", counts[i]);
    }
    rv_buffer_done(&text);
    rv_buffer_done(&one);
    rv_buffer_done(&other);
}

RV_TEST(canonical, sorts_by_bytes_the_shorter_first)
{
    expect(t,
           "{\"b\":1,\"\xC3\xA4\":2,\"aa\":3,\"a\":4,\"Z\":5,\"a\\u0000\":6,\"\xEF\xBF\xBF\":7,"
           "\"\xF0\x9F\x98\x80\":8}",
           "{\"Z\":5,\"a\":4,\"a\\u0000\":6,\"aa\":3,\"b\":1,\"\xC3\xA4\":2,\"\xEF\xBF\xBF\":7,"
           "\"\xF0\x9F\x98\x80\":8}");
}

RV_TEST(canonical, differs_where_values_differ)
{
    static const char *const different[] = {
        "null",      "true",          "false",     "0",
        "1",         "\"1\"",         "\"\"",      "[]",
        "{}",        "[[]]",          "[null]",    "[1,2]",
        "[2,1]",     "[12]",          "{\"a\":1}", "{\"a\":2}",
        "\"a\"",     "{\"a\":[1]}",   "{\"\":1}",  "1e1",
        "[\"1,2\"]", "[\"1\",\"2\"]", "0.1",       "0.10000000000000001",
    };
    const size_t count = sizeof different / sizeof *different;
    struct rv_buffer one, other;
    size_t i, j;

    rv_buffer_init(&one, t->mem, MAX_BYTES);
    rv_buffer_init(&other, t->mem, MAX_BYTES);
    for (i = 0; i < count; i++) {
        for (j = 0; j < i; j++) {
            rv_buffer_clear(&one);
            rv_buffer_clear(&other);
            add_canonical(t, different[i], &one);
            add_canonical(t, different[j], &other);
            cr_assert_str_neq(rv_buffer_text(&one), rv_buffer_text(&other));
        }
    }
    rv_buffer_done(&one);
    rv_buffer_done(&other);
}

RV_TEST(canonical, is_its_own_canonical_form)
{
    static const char json[] =
        "{\"z\":[1e3,{\"q\":-0,\"p\":1e-9}],\"a\":\"\\u0001\\ud83d\\ude00\"}";
    struct rv_buffer once, twice;

    rv_buffer_init(&once, t->mem, MAX_BYTES);
    rv_buffer_init(&twice, t->mem, MAX_BYTES);
    add_canonical(t, json, &once);
    add_canonical(t, rv_buffer_text(&once), &twice);
    cr_assert_str_eq(rv_buffer_text(&once), rv_buffer_text(&twice));
    rv_buffer_done(&once);
    rv_buffer_done(&twice);
}

/* As deep as a reader ever takes it. */
RV_TEST(canonical, goes_as_deep_as_a_reader)
{
    const struct rv_json_limits limits = {.max_bytes = 100000, .max_depth = 100000};
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_buffer text, out;
    unsigned i;

    rv_buffer_init(&text, t->mem, MAX_BYTES);
    rv_buffer_init(&out, t->mem, MAX_BYTES);
    for (i = 0; i < 512; i++)
        cr_assert_eq(rv_buffer_add_text(&text, i % 2 ? "{\"k\":" : "["), 0);
    cr_assert_eq(rv_buffer_add_text(&text, "1"), 0);
    for (i = 512; i--;)
        cr_assert_eq(rv_buffer_add_text(&text, i % 2 ? "}" : "]"), 0);
    cr_assert_eq(rv_json_reader_new(t->mem, &limits, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, text.data, text.len, &value), 0);
    cr_assert_eq(rv_json_canonical(value, &out), 0);
    cr_assert_str_eq(rv_buffer_text(&out), rv_buffer_text(&text));
    rv_json_reader_free(reader);
    rv_buffer_done(&text);
    rv_buffer_done(&out);
}

RV_TEST(canonical, leaves_the_buffer_as_it_was_when_it_fails)
{
    static const char json[] = "{\"b\":[1,2,3],\"a\":\"text\"}";
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_buffer out;
    size_t max;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, json, sizeof json - 1, &value), 0);
    for (max = 2; max < 2 + sizeof json - 1; max++) {
        rv_buffer_init(&out, t->mem, max);
        cr_assert_eq(rv_buffer_add_text(&out, "ab"), 0);
        cr_assert_eq(rv_json_canonical(value, &out), REEVE_ETOOBIG);
        cr_assert_str_eq(rv_buffer_text(&out), "ab");
        rv_buffer_done(&out);
    }
    rv_buffer_init(&out, t->mem, max);
    cr_assert_eq(rv_json_canonical(value, &out), 0);
    cr_assert_eq(rv_json_canonical(NULL, &out), REEVE_EINVAL);
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
}

static int scenario(struct rv_test *t, void *arg)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_buffer out;
    int error = rv_json_reader_new(t->mem, NULL, &reader);

    if (error)
        return error;
    rv_buffer_init(&out, t->mem, MAX_BYTES);
    error = rv_json_reader_parse(reader, arg, strlen(arg), &value);
    if (!error) {
        error = rv_json_canonical(value, &out);
        cr_assert(!error || !out.len);
    }
    rv_buffer_done(&out);
    rv_json_reader_free(reader);
    return error;
}

RV_TEST(canonical, survives_allocation_failure)
{
    struct rv_buffer text;

    rv_buffer_init(&text, t->mem, MAX_BYTES);
    write_object(&text, 401, 7, " ");
    RV_SWEEP_ALLOCATIONS(t, scenario, text.data, 10);
    rv_buffer_done(&text);
}
