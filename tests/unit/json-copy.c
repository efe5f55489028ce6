/* SPDX-License-Identifier: MIT */
/* A copy of a value is the same value, whatever becomes of the original. */
#include "json/copy.h"

#include "tests/lib/test.h"
#include "json/canonical.h"
#include "json/reader.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

/* Copy, let the original go, and compare what is written of both. */
static int check(struct rv_test *t, const char *text, size_t len)
{
    const struct reeve_json *value, *copy;
    struct rv_buffer before, after;
    struct rv_json_reader *reader;
    struct rv_arena arena;
    int error;

    error = rv_json_reader_new(t->mem, NULL, &reader);
    if (error)
        return error;
    rv_arena_init(&arena, t->mem);
    rv_buffer_init(&before, t->mem, SIZE_MAX);
    rv_buffer_init(&after, t->mem, SIZE_MAX);
    error = rv_json_reader_parse(reader, text, len, &value);
    if (!error)
        error = rv_json_canonical(value, &before);
    if (!error)
        error = rv_json_copy(&arena, value, &copy);
    if (!error) {
        rv_json_reader_reset(reader);
        error = rv_json_reader_parse(reader, "[\"over\", {\"the\": \"memory\"}]", 27, &value);
    }
    rv_json_reader_free(reader);
    if (!error)
        error = rv_json_canonical(copy, &after);
    if (!error)
        cr_assert_str_eq(rv_buffer_text(&before), rv_buffer_text(&after));
    rv_buffer_done(&before);
    rv_buffer_done(&after);
    rv_arena_done(&arena);
    return error;
}

RV_TEST(json_copy, is_equal_to_its_original)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-1.5e300",
        "\"\"",
        "\"a\\u0000b\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "{\"\":[]}",
        "{\"a\":{\"b\":[1,\"two\",null,{\"c\":[]}]},\"d\":[[],[[]]]}"};
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_eq(check(t, texts[i], strlen(texts[i])), 0, "%s", texts[i]);
}

RV_TEST(json_copy, keeps_the_index_of_a_large_object)
{
    struct rv_json_reader *reader;
    const struct reeve_json *value, *copy;
    struct rv_buffer text;
    struct rv_arena arena;
    char key[16];
    int64_t number;
    int i;

    rv_buffer_init(&text, t->mem, SIZE_MAX);
    for (i = 0; i < 1000; i++)
        cr_assert_eq(rv_buffer_printf(&text, "%s\"key %d\": %d", i ? ", " : "{", i, i), 0);
    cr_assert_eq(rv_buffer_add_byte(&text, '}'), 0);
    cr_assert_eq(check(t, text.data, text.len), 0);

    rv_arena_init(&arena, t->mem);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, text.data, text.len, &value), 0);
    cr_assert_eq(rv_json_copy(&arena, value, &copy), 0);
    rv_json_reader_free(reader);
    for (i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        cr_assert_eq(reeve_json_int64(reeve_json_get(copy, key), &number), 0);
        cr_assert_eq(number, i);
    }
    cr_assert_null(reeve_json_get(copy, "key 1000"));
    rv_buffer_done(&text);
    rv_arena_done(&arena);
}

RV_TEST(json_copy, goes_as_deep_as_the_reader)
{
    char text[257];

    memset(text, '[', 128);
    memset(text + 128, ']', 128);
    cr_assert_eq(check(t, text, 256), 0);
}

static int copy_nested(struct rv_test *run, void *arg)
{
    static const char text[] = "{\"a\":{\"b\":[1,\"two\",null,{\"c\":[]}]},\"d\":[[],[[]]]}";

    (void)arg;
    return check(run, text, sizeof text - 1);
}

RV_TEST(json_copy, survives_any_failed_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, copy_nested, NULL, 5);
}
