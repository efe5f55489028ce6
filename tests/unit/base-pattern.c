/* SPDX-License-Identifier: MIT */
/* Regular expressions: what matches where, what is no pattern, and what a match may cost. */
#include "base/pattern.h"

#include "tests/lib/test.h"

#include <reeve/error.h>
#include <stdlib.h>
#include <string.h>

static struct rv_pattern *made(struct rv_test *t, const char *text, unsigned flags)
{
    struct rv_pattern_problem problem = {0};
    struct rv_pattern *pattern = NULL;

    if (!rv_pattern_supported())
        rv_test_skip("this build has no regular expressions");
    cr_assert_eq(rv_pattern_new(t->mem, text, strlen(text), flags, &pattern, &problem), 0, "%s: %s",
                 text, problem.text);
    return pattern;
}

static int find(struct rv_test *t, const char *text, unsigned flags, const char *in)
{
    struct rv_pattern *pattern = made(t, text, flags);
    int found = rv_pattern_find(pattern, in, strlen(in), 0, NULL);

    rv_pattern_free(pattern);
    return found;
}

RV_TEST(pattern, tells_where_it_matches)
{
    static const char text[] = "\xC3\xA4 b\xC3\xB6g bag";
    struct rv_pattern *pattern = made(t, "b.g", 0);
    struct rv_pattern_place place = {0};

    cr_assert_eq(rv_pattern_find(pattern, text, strlen(text), 0, &place), 0);
    cr_assert_eq(place.start, 3);
    cr_assert_eq(place.end, 7);
    cr_assert_eq(rv_pattern_find(pattern, text, strlen(text), place.end, &place), 0);
    cr_assert_eq(place.start, 8);
    cr_assert_eq(place.end, 11);
    cr_assert_eq(rv_pattern_find(pattern, text, strlen(text), place.end, &place), REEVE_ENOTFOUND);
    cr_assert_eq(place.start, 8);
    rv_pattern_free(pattern);
    rv_pattern_free(NULL);
}

RV_TEST(pattern, follows_its_flags)
{
    cr_assert_eq(find(t, "abc", 0, "xABCx"), REEVE_ENOTFOUND);
    cr_assert_eq(find(t, "abc", RV_PATTERN_CASELESS, "xABCx"), 0);
    cr_assert_eq(find(t, "^b$", 0, "a\nb\nc"), REEVE_ENOTFOUND);
    cr_assert_eq(find(t, "^b$", RV_PATTERN_MULTILINE, "a\nb\nc"), 0);
    cr_assert_eq(find(t, "a$", 0, "a\n"), 0);
    cr_assert_eq(find(t, "a$", RV_PATTERN_ECMA, "a\n"), REEVE_ENOTFOUND);
    cr_assert_eq(find(t, "^\\u00e4\\u{1F600}$", RV_PATTERN_ECMA, "\xC3\xA4\xF0\x9F\x98\x80"), 0);
    cr_assert_eq(find(t, "^\\d$", RV_PATTERN_ECMA, "\xE0\xA5\xA7"), REEVE_ENOTFOUND);
    cr_assert_eq(find(t, "^[\\p{gc=Lowercase_Letter}]\\P{Letter}$", RV_PATTERN_ECMA,
                      "\xC3\xA4"
                      "1"),
                 0);
    cr_assert_eq(find(t, "^\\\\p{Letter}$", RV_PATTERN_ECMA, "\\p{Letter}"), 0);
    cr_assert_eq(find(t, "[^]", RV_PATTERN_ECMA, "\n"), 0);
    cr_assert_eq(find(t, "[]", RV_PATTERN_ECMA, "x"), REEVE_ENOTFOUND);
}

RV_TEST(pattern, says_what_is_wrong_and_where)
{
    static const char bad[] = "ab[c";
    struct rv_pattern_problem problem = {0};
    struct rv_pattern *pattern = NULL;
    char *longest = malloc(RV_PATTERN_MAX_BYTES + 1);

    cr_assert_not_null(longest);
    memset(longest, 'a', RV_PATTERN_MAX_BYTES + 1);
    rv_pattern_free(made(t, "ab", 0));
    cr_assert_eq(rv_pattern_new(t->mem, bad, 4, 0, &pattern, &problem), REEVE_EINVAL);
    cr_assert_eq(problem.offset, 4);
    cr_assert_not_null(strstr(problem.text, "missing terminating ]"), "%s", problem.text);
    cr_assert_eq(rv_pattern_new(t->mem, "\xC3", 1, 0, &pattern, NULL), REEVE_EINVAL);
    cr_assert_eq(rv_pattern_new(t->mem, longest, RV_PATTERN_MAX_BYTES + 1, 0, &pattern, &problem),
                 REEVE_ETOOBIG);
    cr_assert_null(pattern);
    cr_assert_eq(rv_pattern_new(t->mem, longest, RV_PATTERN_MAX_BYTES, 0, &pattern, NULL), 0);
    rv_pattern_free(pattern);
    free(longest);
}

RV_TEST(pattern, gives_up_what_takes_too_long)
{
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    uint64_t budget = 1000;
    struct rv_pattern *pattern;

    cr_assert_eq(find(t, "^(a+)+$", 0, text), REEVE_ETOOBIG);
    pattern = made(t, "^(a+)+$", RV_PATTERN_COUNTED);
    cr_assert_eq(rv_pattern_test(pattern, text, strlen(text), &budget), REEVE_ETOOBIG);
    cr_assert_eq(budget, 0);
    cr_assert_eq(rv_pattern_test(pattern, text, 3, &budget), 0);
    rv_pattern_free(pattern);
}

/* From each of the places a few thousand steps, which no limit of PCRE2's own is reached by. */
RV_TEST(pattern, counts_over_the_whole_text)
{
    enum { LEN = 4000 };
    char *text = malloc(LEN);
    uint64_t budget = 50000;
    struct rv_pattern *pattern = made(t, "a*?[0-9]", RV_PATTERN_COUNTED);

    cr_assert_not_null(text);
    memset(text, 'a', LEN);
    cr_assert_eq(rv_pattern_test(pattern, text, LEN, &budget), REEVE_ETOOBIG);
    cr_assert_eq(budget, 0);
    rv_pattern_free(pattern);

    budget = 50000;
    pattern = made(t, "^[a-z]+$", RV_PATTERN_COUNTED);
    cr_assert_eq(rv_pattern_test(pattern, text, LEN, &budget), 0);
    cr_assert_eq(budget, 50000);
    rv_pattern_free(pattern);
    free(text);
}

static int scenario(struct rv_test *run, void *arg)
{
    static const char text[] = "key=value";
    struct rv_pattern *pattern;
    int error;

    (void)arg;
    error = rv_pattern_new(run->mem, "^([a-z]+)=(.*)$", 15, RV_PATTERN_ECMA, &pattern, NULL);
    if (error)
        return error;
    error = rv_pattern_find(pattern, text, strlen(text), 0, NULL);
    rv_pattern_free(pattern);
    return error;
}

RV_TEST(pattern, survives_the_lack_of_memory)
{
    rv_pattern_free(made(t, "a", 0));
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 6);
}
