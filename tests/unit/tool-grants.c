/* SPDX-License-Identifier: MIT */
/* What "always" covers, and what it does not. */
#include "tool/grants.h"

#include "tests/lib/test.h"
#include "json/reader.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call of a tool, with arguments that live until `done`. */
struct sample {
    struct rv_tool tool;
    struct reeve_tool_call call;
    struct rv_call_space space;
    struct rv_json_reader *reader;
};

static const struct reeve_tool_call *make(struct rv_test *t, struct sample *sample,
                                          const char *name, enum reeve_effect effect,
                                          const char *arguments)
{
    memset(sample, 0, sizeof *sample);
    sample->tool.spec.name = name;
    sample->tool.spec.effect = effect;
    sample->call.tool = &sample->tool;
    sample->call.effect = effect;
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &sample->reader), 0);
    sample->call.space = &sample->space;
    cr_assert_eq(rv_json_reader_parse(sample->reader, arguments, strlen(arguments),
                                      &sample->space.arguments),
                 0);
    return &sample->call;
}

static void add(struct rv_test *t, struct rv_grants *grants, const char *name,
                enum reeve_effect effect, const char *arguments)
{
    struct sample sample;

    rv_grants_add(grants, make(t, &sample, name, effect, arguments));
    rv_json_reader_free(sample.reader);
}

static bool covers(struct rv_test *t, const struct rv_grants *grants, const char *name,
                   enum reeve_effect effect, const char *arguments)
{
    struct sample sample;
    bool covered = rv_grants_cover(grants, make(t, &sample, name, effect, arguments));

    rv_json_reader_free(sample.reader);
    return covered;
}

RV_TEST(grants, cover_a_tool_as_far_as_it_was_seen_to_go)
{
    struct rv_grants grants;

    rv_grants_init(&grants, t->mem);
    cr_assert_not(covers(t, &grants, "fetch", REEVE_EFFECT_READ, "{}"));
    add(t, &grants, "fetch", REEVE_EFFECT_READ, "{\"url\":\"a\"}");
    add(t, &grants, "fetch", REEVE_EFFECT_READ, "{\"url\":\"b\"}");
    cr_assert(covers(t, &grants, "fetch", REEVE_EFFECT_READ, "{\"url\":\"c\"}"));
    cr_assert_not(covers(t, &grants, "fetch", REEVE_EFFECT_WRITE, "{\"url\":\"a\"}"));
    cr_assert_not(covers(t, &grants, "fetch", REEVE_EFFECT_UNKNOWN, "{\"url\":\"a\"}"));
    cr_assert_not(covers(t, &grants, "fetc", REEVE_EFFECT_READ, "{\"url\":\"a\"}"));
    cr_assert_not(covers(t, &grants, "fetchr", REEVE_EFFECT_READ, "{\"url\":\"a\"}"));
    add(t, &grants, "post", REEVE_EFFECT_WRITE, "{}");
    cr_assert(covers(t, &grants, "post", REEVE_EFFECT_WRITE, "{\"a\":1}"));
    cr_assert(covers(t, &grants, "post", REEVE_EFFECT_READ, "{\"a\":1}"));
    cr_assert_not(covers(t, &grants, "post", REEVE_EFFECT_UNKNOWN, "{}"));
    rv_grants_done(&grants);
}

RV_TEST(grants, cover_a_command_only_as_it_was_written)
{
    struct rv_grants grants;

    rv_grants_init(&grants, t->mem);
    add(t, &grants, "run", REEVE_EFFECT_UNKNOWN, "{\"command\":\"ls\",\"timeout_ms\":5}");
    cr_assert(covers(t, &grants, "run", REEVE_EFFECT_UNKNOWN,
                     "{ \"timeout_ms\" : 5, \"command\" : \"l\\u0073\" }"));
    cr_assert_not(
        covers(t, &grants, "run", REEVE_EFFECT_UNKNOWN, "{\"command\":\"ls \",\"timeout_ms\":5}"));
    cr_assert_not(covers(t, &grants, "run", REEVE_EFFECT_UNKNOWN, "{\"command\":\"ls\"}"));
    cr_assert_not(covers(t, &grants, "run", REEVE_EFFECT_UNKNOWN,
                         "{\"command\":\"ls; rm\",\"timeout_ms\":5}"));
    cr_assert_not(
        covers(t, &grants, "ran", REEVE_EFFECT_UNKNOWN, "{\"command\":\"ls\",\"timeout_ms\":5}"));
    cr_assert_not(
        covers(t, &grants, "run", REEVE_EFFECT_READ, "{\"command\":\"ls\",\"timeout_ms\":5}"));
    rv_grants_done(&grants);
}

RV_TEST(grants, are_bounded)
{
    const size_t long_bytes = 60000;
    char *arguments = malloc(long_bytes + 32);
    struct rv_grants grants;
    size_t count;
    int i;

    rv_grants_init(&grants, t->mem);
    for (i = 0; i < 40; i++) {
        int len = snprintf(arguments, 32, "{\"n\":%d,\"text\":\"", i);

        memset(arguments + len, 'x', long_bytes - 1024);
        memcpy(arguments + (size_t)len + long_bytes - 1024, "\"}", 3);
        add(t, &grants, "run", REEVE_EFFECT_UNKNOWN, arguments);
        if (i == 0)
            cr_assert(covers(t, &grants, "run", REEVE_EFFECT_UNKNOWN, arguments));
    }
    count = rv_map_count(&grants.map);
    cr_assert(count > 10 && count < 20, "%zu are remembered", count);
    cr_assert_not(covers(t, &grants, "run", REEVE_EFFECT_UNKNOWN, arguments));
    rv_grants_done(&grants);
    free(arguments);
}

static int remember(struct rv_test *run, void *arg)
{
    struct sample one;
    struct rv_grants grants;

    (void)arg;
    rv_grants_init(&grants, run->mem);
    memset(&one, 0, sizeof one);
    if (rv_json_reader_new(run->mem, NULL, &one.reader))
        return REEVE_ENOMEM;
    one.tool.spec.name = "run";
    one.call.tool = &one.tool;
    one.call.space = &one.space;
    if (!rv_json_reader_parse(one.reader, "{\"a\":[1,2]}", 11, &one.space.arguments)) {
        rv_grants_add(&grants, &one.call);
        cr_assert(rv_grants_cover(&grants, &one.call) || run->failing.refused);
    }
    rv_json_reader_free(one.reader);
    rv_grants_done(&grants);
    return 0;
}

RV_TEST(grants, survive_any_failed_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, remember, NULL, 5);
}
