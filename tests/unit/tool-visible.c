/* SPDX-License-Identifier: MIT */
/* Names of files as text. */
#include "tool/builtin/visible.h"

#include "base/utf8.h"
#include "tests/lib/test.h"

#include <reeve/error.h>
#include <string.h>

static const struct {
    const char *name, *seen;
} cases[] = {
    {"", ""},
    {"plain name.c", "plain name.c"},
    {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
    {"a\nb\rc\td", "a\\nb\\rc\\td"},
    {"back\\slash", "back\\\\slash"},
    {"\x01\x1B\x7F", "\\u0001\\u001B\\u007F"},
    {"\xC2\x80\xC2\x9F\xC2\xA0", "\\u0080\\u009F\xC2\xA0"},
    {"\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\x90", "\\u2028\\u202E\\u2066\xE2\x80\x90"},
    {"\xFF\xC3", "\\xFF\\xC3"},
    {"\xE2\x82x", "\\xE2\\x82x"},
    {"\xED\xA0\x80", "\\xED\\xA0\\x80"},
    {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
};

RV_TEST(tool_visible, names)
{
    struct rv_visible visible;
    struct rv_buffer out;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rv_buffer_init(&out, t->mem, 100);
        cr_assert_eq(rv_buffer_add_text(&out, "<"), 0);
        cr_assert_eq(rv_visible_add(&out, cases[i].name, strlen(cases[i].name)), 0);
        cr_assert_str_eq(rv_buffer_text(&out) + 1, cases[i].seen);
        rv_buffer_done(&out);
        rv_visible_set(&visible, cases[i].name, strlen(cases[i].name));
        cr_assert_str_eq(visible.text, cases[i].seen);
    }
}

RV_TEST(tool_visible, all_or_nothing)
{
    struct rv_buffer out;
    size_t max;

    for (max = 3; max < 3 + 11; max++) {
        rv_buffer_init(&out, t->mem, max);
        cr_assert_eq(rv_buffer_add_text(&out, "abc"), 0);
        cr_assert_eq(rv_visible_add(&out, "x\n\xFF\x01y", 5), max < 17 ? REEVE_ETOOBIG : 0);
        cr_assert_str_eq(rv_buffer_text(&out), "abc");
        rv_buffer_done(&out);
    }
}

/* However long, whatever it holds: it ends, is valid and cuts nothing in two. */
RV_TEST(tool_visible, long_names_in_messages)
{
    struct rv_visible visible;
    char name[1000];
    size_t len, i, n;

    for (i = 0; i < 2000; i++) {
        len = rv_test_random(t) % sizeof name;
        for (n = 0; n < len; n++)
            name[n] = (char)rv_test_random(t);
        rv_visible_set(&visible, name, len);
        cr_assert(rv_utf8_valid(visible.text, strlen(visible.text)));
        cr_assert(len < 260 || strstr(visible.text, "..."));
    }
    memset(name, 'n', sizeof name);
    rv_visible_set(&visible, name, sizeof name);
    cr_assert_eq(strlen(visible.text), sizeof visible.text - 1);
}
