/* SPDX-License-Identifier: MIT */
/* What is equal, that equal values have one hash, and that both give up where they must. */
#include "json/equal.h"

#include "tests/lib/test.h"
#include "json/reader.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    struct rv_json_reader *readers[2];
    const struct reeve_json *values[2];
};

static void read_pair(struct rv_test *t, struct pair *pair, const char *one, const char *other)
{
    const char *texts[2] = {one, other};
    int i;

    for (i = 0; i < 2; i++) {
        cr_assert_eq(rv_json_reader_new(t->mem, NULL, &pair->readers[i]), 0);
        cr_assert_eq(
            rv_json_reader_parse(pair->readers[i], texts[i], strlen(texts[i]), &pair->values[i]), 0,
            "%s", texts[i]);
    }
}

static void free_pair(struct pair *pair)
{
    rv_json_reader_free(pair->readers[0]);
    rv_json_reader_free(pair->readers[1]);
}

static uint64_t hash_of(const struct reeve_json *value, uint64_t steps)
{
    return rv_json_value_hash(7, value, &steps);
}

/* Both ways round; what is equal has one hash, and what is not nearly always two. */
static void compare(struct rv_test *t, const char *one, const char *other, bool equal)
{
    uint64_t steps = 4096, back = 4096;
    struct pair pair;

    read_pair(t, &pair, one, other);
    cr_assert_eq(rv_json_equal(pair.values[0], pair.values[1], &steps), equal, "%s and %s", one,
                 other);
    cr_assert_eq(rv_json_equal(pair.values[1], pair.values[0], &back), equal, "%s and %s", other,
                 one);
    cr_assert(steps && back);
    if (equal)
        cr_assert_eq(hash_of(pair.values[0], 4096), hash_of(pair.values[1], 4096), "%s and %s", one,
                     other);
    free_pair(&pair);
}

RV_TEST(json_equal, order_and_spelling_are_nothing)
{
    static const char *const same[][2] = {
        {"{}", " { } "},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
        {"{\"a\":{\"x\":[1,{\"p\":1,\"q\":2}],\"y\":2}}",
         "{\"a\":{\"y\":2,\"x\":[1,{\"q\":2,\"p\":1}]}}"},
        {"[1,10,0.5,0]", "[1.0,1e1,5e-1,-0]"},
        {"{\"n\":10e-1}", "{\"n\":1}"},
        {"\"\\u00e4\\n\"", "\"\xC3\xA4\\u000a\""},
        {"[true,false,null]", "[ true , false , null ]"},
        {"123456789012345678901234567890", "1234567890123456789012345678900e-1"},
    };
    size_t i;

    for (i = 0; i < sizeof same / sizeof same[0]; i++)
        compare(t, same[i][0], same[i][1], true);
}

RV_TEST(json_equal, everything_else_is_something)
{
    static const char *const other[][2] = {
        {"{}", "[]"},
        {"{}", "null"},
        {"0", "false"},
        {"1", "\"1\""},
        {"\"\"", "null"},
        {"\"a\"", "\"b\""},
        {"\"a\"", "\"a\\u0000\""},
        {"[1,2]", "[2,1]"},
        {"[1]", "[1,1]"},
        {"[[1],2]", "[1,[2]]"},
        {"{\"a\":1}", "{\"b\":1}"},
        {"{\"a\":1}", "{\"a\":2}"},
        {"{\"a\":null}", "{}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}"},
        {"{\"a\":{\"b\":1},\"c\":2}", "{\"a\":{\"b\":1,\"c\":2}}"},
        {"[{\"a\":[{\"b\":[1]}]}]", "[{\"a\":[{\"b\":[2]}]}]"},
        {"9007199254740993", "9007199254740992"},
        {"1e400", "1e401"},
    };
    size_t i;

    for (i = 0; i < sizeof other / sizeof other[0]; i++)
        compare(t, other[i][0], other[i][1], false);
}

/* Deeper than the hash looks, and as deep as values may be. */
RV_TEST(json_equal, goes_to_the_bottom)
{
    char one[300], other[300];
    int depth;

    for (depth = 1; depth <= 100; depth += 33) {
        snprintf(
            one, sizeof one, "%.*s1%.*s", depth,
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
            "[[[[[[[[[[[[[[[[[[[[[[",
            depth,
            "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
            "]]]]]]]]]]]]]]]]]]]]]]");
        strcpy(other, one);
        compare(t, one, other, true);
        other[depth] = '2';
        compare(t, one, other, false);
    }
}

/* What would take longer is no answer. */
RV_TEST(json_equal, gives_up_with_its_steps)
{
    char *text = malloc(20000);
    struct pair pair;
    uint64_t steps;
    size_t len = 1, i;

    text[0] = '[';
    for (i = 0; i < 1000; i++)
        len += (size_t)sprintf(text + len, "%s%zu", i ? "," : "", i);
    strcpy(text + len, "]");
    read_pair(t, &pair, text, text);
    steps = 4096;
    cr_assert(rv_json_equal(pair.values[0], pair.values[1], &steps) && steps > 2000);
    steps = 500;
    rv_json_equal(pair.values[0], pair.values[1], &steps);
    cr_assert_eq(steps, 0);
    steps = 500;
    rv_json_value_hash(1, pair.values[0], &steps);
    cr_assert_eq(steps, 0);
    free_pair(&pair);
    memset(text, 'x', 19000); /* a long text has its price, too */
    text[0] = text[18999] = '"';
    text[19000] = '\0';
    read_pair(t, &pair, text, text);
    steps = 4096;
    cr_assert(rv_json_equal(pair.values[0], pair.values[1], &steps));
    cr_assert(steps < 4096 - 250 && steps > 4096 - 400, "%llu", (unsigned long long)steps);
    free_pair(&pair);
    free(text);
}

RV_TEST(json_equal, hashes_tell_values_and_seeds_apart)
{
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "0",
                                        "\"0\"",
                                        "{\"a\":1}",
                                        "{\"a\":2}",
                                        "{\"b\":1}",
                                        "{\"a\":\"1\"}",
                                        "[1,2]",
                                        "[2,1]",
                                        "{\"a\":1,\"b\":2}",
                                        "{\"a\":2,\"b\":1}",
                                        "[[1],2]",
                                        "[1,[2]]"};
    const size_t count = sizeof texts / sizeof texts[0];
    uint64_t hashes[sizeof texts / sizeof texts[0]], steps = 4096;
    struct pair pair;
    size_t i, k;

    for (i = 0; i < count; i++) {
        read_pair(t, &pair, texts[i], texts[i]);
        hashes[i] = hash_of(pair.values[0], 4096);
        cr_assert_neq(hashes[i], rv_json_value_hash(8, pair.values[0], &steps), "%s", texts[i]);
        free_pair(&pair);
        for (k = 0; k < i; k++)
            cr_assert_neq(hashes[i], hashes[k], "%s and %s", texts[i], texts[k]);
    }
}
