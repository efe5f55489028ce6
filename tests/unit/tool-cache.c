/* SPDX-License-Identifier: MIT */
/* Kept results without calls: what is one question, what is kept of the answers, and how long. */
#include "tool/cache.h"

#include "tests/lib/failing.h"
#include "tests/lib/test.h"
#include "json/reader.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rv_cache cache;
static struct rv_json_reader *reader;

static void begin(struct rv_test *t)
{
    rv_cache_init(&cache, t->mem);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
}

static void end(struct rv_test *t)
{
    (void)t;
    rv_json_reader_free(reader);
    rv_cache_done(&cache);
}

#define CACHE_TEST(name) RV_TEST(tool_cache, name, RV_FIXTURE(begin, end))

/* ---- questions -------------------------------------------------------------------------------
 */

static struct rv_cache_key key_of(const char *scope, uint64_t tool, uint64_t max_output_bytes,
                                  const char *arguments)
{
    struct rv_cache_question question = {
        .scope = scope, .tool = tool, .max_output_bytes = max_output_bytes};
    struct rv_cache_key key;

    rv_json_reader_reset(reader);
    cr_assert_eq(rv_json_reader_parse(reader, arguments, strlen(arguments), &question.arguments),
                 0);
    cr_assert_eq(rv_cache_key(&cache, &question, &key), 0);
    return key;
}

static bool is_one(const char *one, const char *other)
{
    struct rv_cache_key a = key_of("", 1, 256, one), b = key_of("", 1, 256, other);

    return !memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

CACHE_TEST(order_and_spelling_are_nothing)
{
    cr_assert(is_one("{\"a\":1,\"b\":[1,2]}", "{ \"b\" : [1, 2], \"a\" : 1 }"));
    cr_assert(is_one("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":2,\"x\":1}}"));
    cr_assert(is_one("{\"a\":1}", "{\"a\":1.0}"));
    cr_assert(is_one("{\"a\":1}", "{\"a\":10e-1}"));
    cr_assert(is_one("{\"a\":1e3}", "{\"a\":1000}"));
    cr_assert(is_one("{\"a\":0}", "{\"a\":-0}"));
    cr_assert(is_one("{\"a\":\"\\u0041\"}", "{\"a\":\"A\"}"));
    cr_assert(is_one("{\"a\":9007199254740993}", "{\"a\":9007199254740993.0}"));
}

CACHE_TEST(everything_else_is_something)
{
    cr_assert_not(is_one("{\"a\":1}", "{\"a\":\"1\"}"));
    cr_assert_not(is_one("{\"a\":1}", "{\"a\":true}"));
    cr_assert_not(is_one("{\"a\":null}", "{}"));
    cr_assert_not(is_one("{\"a\":[1,2]}", "{\"a\":[2,1]}"));
    cr_assert_not(is_one("{\"a\":[]}", "{\"a\":{}}"));
    cr_assert_not(is_one("{\"a\":\"\"}", "{\"a\":null}"));
    cr_assert_not(is_one("{\"a\":\"x\"}", "{\"a\":\"X\"}"));
    cr_assert_not(is_one("{\"a\":9007199254740993}", "{\"a\":9007199254740992}"));
    cr_assert_not(
        is_one("{\"a\":123456789012345678901234567890}", "{\"a\":123456789012345678901234567891}"));
    cr_assert_not(is_one("{\"a\":0.1}", "{\"a\":0.10000000000000001}"));
}

CACHE_TEST(who_asks_whom_for_how_much_is_a_part_of_it)
{
    const struct rv_cache_key keys[] = {
        key_of("", 1, 256, "{}"),  key_of("", 2, 256, "{}"),    key_of("", 1, 257, "{}"),
        key_of("a", 1, 256, "{}"), key_of("a{}", 1, 256, "{}"), key_of("", 256, 1, "{}"),
    };
    const size_t count = sizeof keys / sizeof keys[0];
    size_t i, k;

    for (i = 0; i < count; i++)
        for (k = 0; k < count; k++)
            cr_assert_eq(!memcmp(keys[i].bytes, keys[k].bytes, sizeof keys[i].bytes), i == k,
                         "%zu and %zu", i, k);
}

CACHE_TEST(what_is_too_much_has_no_key)
{
    const size_t size = 70000;
    char *text = malloc(size);
    struct rv_cache_question question = {.scope = "", .tool = 1, .max_output_bytes = 256};
    struct rv_cache_key key;

    memset(text, 'x', size);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + size - 2, "\"}", 2);
    cr_assert_eq(rv_json_reader_parse(reader, text, size, &question.arguments), 0);
    cr_assert_eq(rv_cache_key(&cache, &question, &key), REEVE_ETOOBIG);
    free(text);
    key_of("", 1, 256, "{}"); /* and that spoils nothing */
}

/* ---- answers ---------------------------------------------------------------------------------
 */

static struct rv_cache_key numbered(unsigned n)
{
    struct rv_cache_key key = {.bytes = {0}};

    memcpy(key.bytes, &n, sizeof n);
    return key;
}

static void keep_at(unsigned n, const char *text, uint64_t since, int64_t now_ms)
{
    struct reeve_claim claims[2] = {{REEVE_EFFECT_READ, "path", "/a"},
                                    {REEVE_EFFECT_READ, "db", "k"}};
    struct rv_cache_content content = {.text = text,
                                       .len = strlen(text),
                                       .evidence = "seen",
                                       .evidence_len = 4,
                                       .claims = claims,
                                       .claim_count = 2,
                                       .since = since};
    struct rv_cache_key key = numbered(n);

    rv_cache_keep(&cache, &key, &content, now_ms);
}

static void keep(unsigned n, const char *text)
{
    keep_at(n, text, cache.written.now, 0);
}

/* NULL: nothing. The text lives as long as the entry does. */
static const char *found_at(unsigned n, int64_t now_ms)
{
    struct rv_cache_key key = numbered(n);
    struct rv_kept *kept = rv_cache_look_up(&cache, &key, now_ms);
    const char *text = kept ? kept->text : NULL;

    if (kept) {
        cr_assert_eq(strlen(kept->text), kept->len);
        cr_assert_eq(kept->evidence_len, 4);
        cr_assert(!memcmp(kept->evidence, "seen", 4));
    }
    rv_kept_unref(kept);
    return text;
}

static const char *found(unsigned n)
{
    return found_at(n, 0);
}

static void do_write(const char *kind, const char *key)
{
    struct reeve_claim claim = {REEVE_EFFECT_WRITE, kind, key};

    rv_written_end(&cache.written, rv_written_begin(&cache.written, &claim, 1), &claim, 1);
}

CACHE_TEST(what_is_kept_is_found_and_replaced)
{
    cr_assert_null(found(1));
    keep(1, "one");
    keep(2, "");
    cr_assert_str_eq(found(1), "one");
    cr_assert_str_eq(found(2), "");
    keep(1, "another");
    cr_assert_str_eq(found(1), "another");
    cr_assert_eq(rv_lru_count(&cache.lru), 2);
    cr_assert_eq(cache.stats.stores, 3);
    cr_assert_eq(cache.stats.evicted, 0);
    rv_cache_clear(&cache);
    cr_assert_null(found(1));
    cr_assert_eq(cache.lru.bytes, 0);
}

CACHE_TEST(what_was_written_is_found_out_when_it_is_looked_for)
{
    keep(1, "one");
    do_write("path", "/ab");
    do_write("db", "k/l");
    cr_assert_str_eq(found(1), "one");
    do_write("path", "/a/b");
    cr_assert_eq(rv_lru_count(&cache.lru), 1);
    cr_assert_null(found(1));
    cr_assert_eq(rv_lru_count(&cache.lru), 0);
    cr_assert_eq(cache.stats.stale, 1);
    keep(1, "one");
    do_write("db", "k");
    cr_assert_null(found(1));
    cr_assert_eq(cache.stats.stale, 2);
    cr_assert_eq(cache.stats.evicted + cache.stats.expired, 0);
}

CACHE_TEST(what_was_overtaken_is_not_kept)
{
    uint64_t since = cache.written.now;
    struct reeve_claim claim = {REEVE_EFFECT_WRITE, "path", "/a"};
    enum rv_write write;

    do_write("path", "/b");
    keep_at(1, "one", since, 0);
    cr_assert_str_eq(found(1), "one");
    do_write("path", "/a");
    keep_at(2, "two", since, 0);
    cr_assert_null(found(2));
    cr_assert_eq(cache.stats.overtaken, 1);
    write = rv_written_begin(&cache.written, &claim, 1);
    keep(3, "three"); /* while it is written */
    cr_assert_null(found(3));
    rv_written_end(&cache.written, write, &claim, 1);
    since = cache.written.now;
    rv_cache_clear(&cache);
    keep_at(4, "four", since, 0);
    cr_assert_null(found(4));
    cr_assert_eq(cache.stats.overtaken, 3);
    cr_assert_eq(cache.stats.stores, 1);
}

/* Who holds one may read it however the cache goes on. */
CACHE_TEST(a_reference_outlives_the_entry)
{
    struct rv_cache_key key = numbered(1);
    struct rv_kept *kept, *again;

    keep(1, "one");
    kept = rv_cache_look_up(&cache, &key, 0);
    again = rv_kept_ref(kept);
    cr_assert(kept->in);
    keep(1, "another");
    cr_assert_not(kept->in);
    cr_assert_str_eq(kept->text, "one");
    rv_cache_drop_stale(&cache, kept); /* is none of the other's business */
    cr_assert_str_eq(found(1), "another");
    cr_assert_eq(cache.stats.stale, 0);
    rv_kept_unref(kept);
    rv_cache_set(&cache, &(struct reeve_tool_cache_options){.max_size = 1, .max_bytes = 4096});
    cr_assert_str_eq(again->text, "one");
    rv_kept_unref(again);
    rv_kept_unref(NULL);
}

CACHE_TEST(the_number_is_bounded)
{
    unsigned i;

    rv_cache_set(&cache, &(struct reeve_tool_cache_options){.max_size = 3, .max_bytes = 4096});
    for (i = 0; i < 10; i++) {
        keep(i, "x");
        cr_assert_str_eq(found(0) ? found(0) : "x", "x"); /* the first is always used */
    }
    cr_assert_eq(rv_lru_count(&cache.lru), 3);
    cr_assert_not_null(found(0));
    cr_assert_null(found(1));
    cr_assert_null(found(7));
    cr_assert_not_null(found(8));
    cr_assert_not_null(found(9));
    cr_assert_eq(cache.stats.evicted, 7);
}

CACHE_TEST(the_bytes_are_bounded)
{
    char text[1001];
    unsigned i;

    memset(text, 'x', 1000);
    text[1000] = '\0';
    rv_cache_set(&cache, &(struct reeve_tool_cache_options){.max_size = 100, .max_bytes = 5000});
    for (i = 0; i < 20; i++) {
        keep(i, text);
        cr_assert_leq(cache.lru.bytes, 5000);
    }
    cr_assert_geq(rv_lru_count(&cache.lru), 3);
    cr_assert_geq(cache.lru.bytes, 1000 * rv_lru_count(&cache.lru));
    cr_assert_not_null(found(19));
    rv_cache_set(&cache, &(struct reeve_tool_cache_options){.max_size = 100, .max_bytes = 1000});
    keep(1, text); /* with what belongs to it it is too large */
    cr_assert_null(found(1));
    keep(2, "small");
    cr_assert_not_null(found(2));
}

CACHE_TEST(the_time_is_bounded)
{
    rv_cache_set(&cache, &(struct reeve_tool_cache_options){
                             .max_size = 3, .max_bytes = 4096, .ttl_ms = 100});
    keep_at(1, "one", cache.written.now, 1000);
    cr_assert_not_null(found_at(1, 1099));
    cr_assert_null(found_at(1, 1100));
    cr_assert_eq(cache.stats.expired, 1);
    cache.ttl_ms = UINT64_MAX;
    keep_at(1, "one", cache.written.now, 1000);
    cr_assert_not_null(found_at(1, INT64_MAX));
    cache.ttl_ms = 0;
    keep_at(1, "one", cache.written.now, 1000);
    cr_assert_not_null(found_at(1, INT64_MAX));
}

/* ---- memory ----------------------------------------------------------------------------------
 */

static int some_results(struct rv_test *run, void *arg)
{
    struct rv_cache_question question = {.scope = "s", .tool = 3, .max_output_bytes = 256};
    struct rv_cache_content content = {.text = "text", .len = 4};
    struct rv_json_reader *own;
    struct rv_cache_key key;
    struct rv_cache results;
    struct rv_kept *kept;
    int error = rv_json_reader_new(run->mem, NULL, &own), i;

    (void)arg;
    if (error)
        return error;
    rv_cache_init(&results, run->mem);
    for (i = 0; i < 40 && !error; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "{\"n\":[%d,{\"a\":\"b\"}]}", i);

        rv_json_reader_reset(own);
        error = rv_json_reader_parse(own, text, (size_t)len, &question.arguments);
        if (!error)
            error = rv_cache_key(&results, &question, &key);
        if (error)
            break;
        content.since = results.written.now;
        rv_cache_keep(&results, &key, &content, 0);
        kept = rv_cache_look_up(&results, &key, 0);
        cr_assert(kept || run->failing.refused);
        rv_kept_unref(kept);
    }
    rv_cache_done(&results);
    rv_json_reader_free(own);
    return error;
}

RV_TEST(tool_cache, survives_any_failed_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, some_results, NULL, 45);
}
