/* SPDX-License-Identifier: MIT */
/* Paths as text. */
#include "io/path.h"

#include "tests/lib/test.h"

#include <string.h>

static void expect_parts(const char *path, const char *joined)
{
    struct rv_path_part part;
    char text[256] = "";
    size_t position = 0;

    while (rv_path_next(path, &position, &part)) {
        strncat(text, part.name, part.len);
        strcat(text, part.last ? (part.slash_ends ? "|/" : "|.") : "|");
    }
    cr_assert_str_eq(text, joined, "%s: %s", path, text);
    cr_assert_not(rv_path_next(path, &position, &part));
}

RV_TEST(io_path, parts)
{
    expect_parts("", "");
    expect_parts("/", "");
    expect_parts("///", "");
    expect_parts("a", "a|.");
    expect_parts("a/", "a|/");
    expect_parts("//a//", "a|/");
    expect_parts("a/bc", "a|bc|.");
    expect_parts("./a/../b//c/", ".|a|..|b|c|/");
    expect_parts(".../..a/a..", "...|..a|a..|.");
}

RV_TEST(io_path, names_are_compared_whole)
{
    struct rv_path_part part = {.name = "..x", .len = 2};

    cr_assert(rv_path_part_is(&part, ".."));
    cr_assert_not(rv_path_part_is(&part, "."));
    cr_assert_not(rv_path_part_is(&part, "..x"));
}

RV_TEST(io_path, below)
{
    static const struct {
        const char *path, *prefix, *rest;
    } cases[] = {
        {"/srv/data/x", "/srv/data", "x"},
        {"/srv/data/x/y", "/srv/data/", "x/y"},
        {"/srv/data//x/", "/srv/data", "x/"},
        {"//srv/./data/x", "/srv/data", "x"},
        {"/srv/data", "/srv/data", "."},
        {"/srv/data/", "/srv/data", "."},
        {"/srv/data/.", "/srv/data", "."},
        {"/srv/data/..", "/srv/data", ".."},
        {"/srv/data/../x", "/srv/data", "../x"},
        {"/x", "/", "x"},
        {"/", "/", "."},
        {"/srv/data/x", "//srv/./data//.", "x"},
        {"/srv/database/x", "/srv/data", NULL},
        {"/srv/dat", "/srv/data", NULL},
        {"/srv", "/srv/data", NULL},
        {"/srv/../srv/data/x", "/srv/data", NULL},
        {"/", "/srv", NULL},
        {"srv/data/x", "/srv/data", NULL},
        {"/srv/data/x", "srv/data", NULL},
        {"", "/", NULL},
    };
    const char *rest;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rest = rv_path_below(cases[i].path, cases[i].prefix);
        if (!cases[i].rest)
            cr_assert_null(rest, "%s below %s: %s", cases[i].path, cases[i].prefix, rest);
        else
            cr_assert_str_eq(rest, cases[i].rest, "%s below %s: %s", cases[i].path, cases[i].prefix,
                             rest);
    }
}

RV_TEST(io_path, parents)
{
    static const struct {
        const char *path;
        size_t len;
    } cases[] = {
        {"a/b/c", 3}, {"a/b//c/", 3}, {"a/b/c//", 3}, {"a", 0},  {"a/", 0},
        {"", 0},      {"/", 0},       {"/a", 0},      {"//", 0}, {"../..", 2},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(rv_path_parent_len(cases[i].path, strlen(cases[i].path)), cases[i].len, "%s",
                     cases[i].path);
    cr_assert_eq(rv_path_parent_len("a/b/c", 3), 1);
}
