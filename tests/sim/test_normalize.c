/* SPDX-License-Identifier: MIT */
/*
 * Arguments as models write them: what is put right, and what must never be touched. Each case is a
 * call of its own; a tool answers with the arguments that it was given, in canonical form.
 */
#include "tests/sim/runtime.h"

#include "base/buffer.h"
#include "json/canonical.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <stdio.h>

#define SCHEMA                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"text\":{\"type\":"      \
    "\"string\"},\"n\":{\"type\":\"integer\"},\"x\":{\"type\":\"number\"},\"on\":{\"type\":"       \
    "\"boolean\"},\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},\"words\":{"      \
    "\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"o\":{\"type\":\"object\",\"properties"  \
    "\":{\"k\":{\"type\":\"integer\"},\"s\":{\"type\":\"string\"}}},\"either\":{\"type\":["        \
    "\"integer\",\"string\"]},\"maybe\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}," \
    "\"any\":{},\"r\":{\"$ref\":\"#/$defs/int\"}},\"required\":[\"path\"],\"$defs\":{\"int\":{"    \
    "\"allOf\":[{\"type\":\"integer\"}]}}}"

static const struct reeve_alias aliases[] = {
    {"file_path", "path"}, {"filename", "path"}, {"content", "text"}};

struct world {
    struct reeve_toolbox *toolbox;
    struct reeve_batch_options options;
    struct reeve_batch_stats stats;
    enum reeve_call_status status;
    char text[512];
    int effect_claimed;
};

static int answer_with_arguments(struct reeve_tool_call *call, void *arg)
{
    struct rv_buffer out;
    struct rv_mem *mem;
    int error = rv_mem_new(NULL, &mem);

    (void)arg;
    if (error)
        return error;
    rv_buffer_init(&out, mem, 4096);
    error = rv_json_canonical(reeve_tool_call_arguments(call), &out);
    if (!error)
        reeve_tool_call_finish(call, rv_buffer_text(&out), out.len);
    rv_buffer_done(&out);
    rv_mem_unref(mem);
    return error;
}

static int claim(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    const struct world *world = arg;

    (void)call;
    return reeve_claims_add(claims, (enum reeve_effect)world->effect_claimed, "db", "a");
}

static int add_tool(struct world *world, const char *name, enum reeve_effect effect, bool describes)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.parameters = SCHEMA;
    tool.effect = effect;
    tool.start = answer_with_arguments;
    tool.describe = describes ? claim : NULL;
    tool.arg = world;
    tool.aliases = aliases;
    tool.alias_count = sizeof aliases / sizeof *aliases;
    return reeve_toolbox_add(world->toolbox, &tool);
}

static void done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, 0);
    struct world *world = arg;

    (void)error;
    world->status = result->status;
    snprintf(world->text, sizeof world->text, "%s", result->text);
    world->stats.size = sizeof world->stats;
    cr_assert_eq(reeve_batch_stats(batch, &world->stats), 0);
}

static int try_open(struct world *world, struct reeve_runtime *on)
{
    int error;

    memset(world, 0, sizeof *world);
    reeve_batch_options_init(&world->options);
    world->options.calls_complete = 1;
    world->options.on_done = done;
    world->options.arg = world;
    error = reeve_toolbox_new(on, &world->toolbox);
    if (error)
        return error;
    error = add_tool(world, "look", REEVE_EFFECT_READ, false);
    if (!error)
        error = add_tool(world, "set", REEVE_EFFECT_WRITE, false);
    if (!error)
        error = add_tool(world, "shell", REEVE_EFFECT_UNKNOWN, false);
    if (!error)
        error = add_tool(world, "told", REEVE_EFFECT_READ, true);
    if (error)
        reeve_toolbox_free(world->toolbox);
    return error;
}

static int run(struct world *world, struct reeve_runtime *on, const char *tool, const char *text)
{
    const struct reeve_call call = {
        .id = "c", .name = tool, .arguments = text, .arguments_len = strlen(text)};
    struct reeve_batch *batch;
    int error = reeve_batch_run(world->toolbox, &call, 1, &world->options, &batch);

    if (!error)
        error = reeve_runtime_run(on);
    return error;
}

/* What the tool gets, and whether it is not what was written; NULL: it gets nothing. */
static void gets(struct world *world, const char *tool, const char *text, const char *wanted,
                 bool normalized)
{
    cr_assert_eq(run(world, runtime, tool, text), 0);
    if (!wanted) {
        cr_assert_eq(world->status, REEVE_CALL_INVALID, "%s got %s", text, world->text);
        cr_assert_eq(world->stats.normalized, 0);
        return;
    }
    cr_assert_eq(world->status, REEVE_CALL_SUCCEEDED, "%s: %s", text, world->text);
    cr_assert_str_eq(world->text, wanted, "%s: %s", text, world->text);
    cr_assert_eq(world->stats.normalized, normalized, "%s", text);
}

static void open_world(struct world *world)
{
    cr_assert_eq(try_open(world, runtime), 0);
}

RV_TEST(normalize, puts_right_what_is_certain)
{
    static const char *const cases[][2] = {
        {"{\"path\":\"a\",\"n\":\"5\"}", "{\"n\":5,\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"n\":\"-12\"}", "{\"n\":-12,\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"n\":\"5.0\"}", "{\"n\":5,\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"n\":\" 5 \"}", "{\"n\":5,\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"x\":\"0.25\"}", "{\"path\":\"a\",\"x\":0.25}"},
        {"{\"path\":\"a\",\"on\":\"true\"}", "{\"on\":true,\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"r\":\"7\"}", "{\"path\":\"a\",\"r\":7}"},
        {"{\"path\":\"a\",\"maybe\":\"7\"}", "{\"maybe\":7,\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"list\":[1,\"2\",3]}", "{\"list\":[1,2,3],\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"list\":\"[1,2]\"}", "{\"list\":[1,2],\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"list\":\"[1,'2',]\"}", "{\"list\":[1,2],\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"words\":\"['x', 'y']\"}", "{\"path\":\"a\",\"words\":[\"x\",\"y\"]}"},
        {"{\"path\":\"a\",\"o\":\"{\\\"k\\\":\\\"1\\\",\\\"s\\\":\\\"2\\\"}\"}",
         "{\"o\":{\"k\":1,\"s\":\"2\"},\"path\":\"a\"}"},
        {"\"{\\\"path\\\":\\\"a\\\",\\\"n\\\":1}\"", "{\"n\":1,\"path\":\"a\"}"},
        {"{'path': 'a', 'text': 'say \"hi\"'}", "{\"path\":\"a\",\"text\":\"say \\\"hi\\\"\"}"},
        {"{'path': 'it\\'s'}", "{\"path\":\"it's\"}"},
        {"{\"path\":\"a\",}", "{\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"list\":[1,2,],\n}", "{\"list\":[1,2],\"path\":\"a\"}"},
        {"{\"file_path\":\"a\"}", "{\"path\":\"a\"}"},
        {"{\"file_path\":\"a\",\"content\":\"007\"}", "{\"path\":\"a\",\"text\":\"007\"}"},
        {"{'filename':'a','n':'5',}", "{\"n\":5,\"path\":\"a\"}"},
    };
    struct world world;
    size_t i;

    set_up(t);
    open_world(&world);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        gets(&world, "look", cases[i][0], cases[i][1], true);
        gets(&world, "set", cases[i][0], cases[i][1], true);
    }
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

RV_TEST(normalize, never_touches_what_may_be_meant)
{
    /* What the tool gets is what was written. */
    static const char *const kept[] = {
        "{\"path\":\"true\"}",
        "{\"path\":\"007\",\"text\":\"5\"}",
        "{\"path\":\"a\",\"text\":\"null\"}",
        "{\"path\":\"a\",\"text\":\"{\\\"k\\\":1}\"}",
        "{\"path\":\"a\",\"text\":\"[1,2,]\"}",
        "{\"path\":\"a\",\"text\":\"it's, 'so',]\"}",
        "{\"any\":\"5\",\"path\":\"a\"}",
        "{\"either\":\"5\",\"path\":\"a\"}",
        "{\"path\":\"a\",\"words\":[\"1\",\"true\",\"[]\"]}",
        "{\"o\":{\"s\":\"1\"},\"path\":\"a\"}",
        "{\"file_path\":\"b\",\"path\":\"a\"}",
        "{\"Path\":\"b\",\"path\":\"a\"}",
    };
    /* The same beside something that is put right. */
    static const char *const beside[][2] = {
        {"{\"n\":\"5\",\"path\":\"true\"}", "{\"n\":5,\"path\":\"true\"}"},
        {"{\"n\":\"5\",\"path\":\"007\",\"text\":\"{}\"}",
         "{\"n\":5,\"path\":\"007\",\"text\":\"{}\"}"},
        {"{\"n\":\"5\",\"either\":\"6\",\"any\":\"7\",\"path\":\"8\"}",
         "{\"any\":\"7\",\"either\":\"6\",\"n\":5,\"path\":\"8\"}"},
        {"{\"n\":\"5\",\"words\":[\"1\"],\"path\":\"8\"}",
         "{\"n\":5,\"path\":\"8\",\"words\":[\"1\"]}"},
        {"{\"path\":\"a,]\",\"text\":\"'x', }\",}", "{\"path\":\"a,]\",\"text\":\"'x', }\"}"},
        {"\"{\\\"path\\\":\\\"5\\\"}\"", "{\"path\":\"5\"}"},
    };
    struct world world;
    size_t i;

    set_up(t);
    open_world(&world);
    for (i = 0; i < sizeof kept / sizeof *kept; i++)
        gets(&world, "set", kept[i], kept[i], false);
    for (i = 0; i < sizeof beside / sizeof *beside; i++)
        gets(&world, "set", beside[i][0], beside[i][1], true);
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

RV_TEST(normalize, refuses_what_cannot_be_told)
{
    static const char *const cases[] = {
        "{\"path\":5}",
        "{\"path\":\"a\",\"n\":\"five\"}",
        "{\"path\":\"a\",\"n\":\"007\"}",
        "{\"path\":\"a\",\"n\":\"0x10\"}",
        "{\"path\":\"a\",\"n\":\"5.5\"}",
        "{\"path\":\"a\",\"n\":\"\"}",
        "{\"path\":\"a\",\"n\":true}",
        "{\"path\":\"a\",\"maybe\":\"null\"}",
        "{\"path\":\"a\",\"on\":\"yes\"}",
        "{\"path\":\"a\",\"on\":\"1\"}",
        "{\"path\":\"a\",\"on\":1}",
        "{\"path\":\"a\",\"list\":\"1,2\"}",
        "{\"path\":\"a\",\"list\":\"[1,2\"}",
        "{\"path\":\"a\",\"o\":\"[]\"}",
        "{'path': 'it's'}",
        "{'path': 'a",
        "{\"path\":\"a",
        "{\"path\":\"a\\",
        "{\"path\":\"a\",,}",
        "{,}",
        "{\"path\":\"a\"},",
        "{\"path\":\"a\"}}",
        "{\"path\":\"a\"]",
        "{\"path\":\"a\",\"list\":[1}",
        "{\"path\":",
        "{\"path\":\"a\",",
        "{\"path\":\"a\",\"n\"",
        "{\"path\":\"a\",\"on\":tru",
        "{\"file_path\":\"a\",\"filename\":\"b\"}",
        "{path:\"a\"}",
        "\"a\"",
        "[{\"path\":\"a\"}]",
    };
    struct world world;
    size_t i;

    set_up(t);
    open_world(&world);
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        gets(&world, "look", cases[i], NULL, false);
    cr_assert_not_null(strstr(world.text, "must be one JSON object"));
    gets(&world, "look", "{\"n\":\"five\",\"path\":\"a\"}", NULL, false);
    cr_assert_not_null(strstr(world.text, "n: wanted an integer, given the string \"five\""), "%s",
                       world.text);
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

/* A cut-off write must never write half a file. */
RV_TEST(normalize, closes_brackets_only_of_reads_that_were_not_cut)
{
    static const char *const cut[][2] = {
        {"{\"path\":\"a\"", "{\"path\":\"a\"}"},
        {"{'path':'a', 'list':[1,2", "{\"list\":[1,2],\"path\":\"a\"}"},
        {"{\"path\":\"a\",\"o\":{\"k\":1 \n", "{\"o\":{\"k\":1},\"path\":\"a\"}"},
    };
    struct world world;
    size_t i;

    set_up(t);
    open_world(&world);
    for (i = 0; i < sizeof cut / sizeof *cut; i++) {
        world.options.calls_complete = 1;
        gets(&world, "look", cut[i][0], cut[i][1], true);
        gets(&world, "set", cut[i][0], NULL, false);
        gets(&world, "shell", cut[i][0], NULL, false);
        world.options.calls_complete = 0;
        gets(&world, "look", cut[i][0], NULL, false);
    }
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

/* The tool says that it reads, and then of this call that it writes. */
RV_TEST(normalize, closes_no_brackets_of_a_call_that_turns_out_to_write)
{
    struct world world;

    set_up(t);
    open_world(&world);
    world.effect_claimed = REEVE_EFFECT_READ;
    gets(&world, "told", "{\"path\":\"a\"", "{\"path\":\"a\"}", true);
    world.effect_claimed = REEVE_EFFECT_WRITE;
    gets(&world, "told", "{\"path\":\"a\"}", "{\"path\":\"a\"}", false);
    gets(&world, "told", "{'path':'a'}", "{\"path\":\"a\"}", true);
    cr_assert_eq(run(&world, runtime, "told", "{\"path\":\"a\""), 0);
    cr_assert_eq(world.status, REEVE_CALL_FAILED);
    world.effect_claimed = REEVE_EFFECT_UNKNOWN;
    cr_assert_eq(run(&world, runtime, "told", "{\"path\":\"a\""), 0);
    cr_assert_eq(world.status, REEVE_CALL_FAILED);
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

RV_TEST(normalize, does_nothing_when_it_is_switched_off)
{
    struct reeve_tool_stats stats = {.size = sizeof stats};
    struct world world;

    set_up(t);
    open_world(&world);
    gets(&world, "look", "{'path':'a'}", "{\"path\":\"a\"}", true);
    world.options.skip_normalization = 1;
    gets(&world, "look", "{'path':'a'}", NULL, false);
    gets(&world, "look", "{\"path\":\"a\",\"n\":\"5\"}", NULL, false);
    gets(&world, "look", "{\"file_path\":\"a\"}", NULL, false);
    gets(&world, "look", "{\"path\":\"a\"", NULL, false);
    gets(&world, "look", "{\"content\":\"b\",\"path\":\"a\"}", "{\"content\":\"b\",\"path\":\"a\"}",
         false);
    world.options.skip_normalization = 0;
    /* It is valid as it stands, too: "content" may be an additional property. */
    gets(&world, "look", "{\"content\":\"b\",\"path\":\"a\"}", "{\"path\":\"a\",\"text\":\"b\"}",
         true);
    cr_assert_eq(reeve_toolbox_stats(world.toolbox, "look", &stats), 0);
    cr_assert_eq(stats.normalized, 2);
    cr_assert_eq(stats.calls, 7);
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

RV_TEST(normalize, aliases_must_be_other_names_of_properties)
{
    static const struct reeve_alias bad[][2] = {
        {{"a", "nothing"}, {"b", "path"}}, {{"text", "path"}, {"b", "path"}},
        {{NULL, "path"}, {"b", "path"}},   {{"a", NULL}, {"b", "path"}},
        {{"b", "text"}, {"b", "path"}},
    };
    struct reeve_tool tool;
    struct world world;
    size_t i;

    set_up(t);
    open_world(&world);
    reeve_tool_init(&tool);
    tool.name = "more";
    tool.parameters = SCHEMA;
    tool.start = answer_with_arguments;
    tool.alias_count = 2;
    cr_assert_eq(reeve_toolbox_add(world.toolbox, &tool), REEVE_EINVAL);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        tool.aliases = bad[i];
        cr_assert_eq(reeve_toolbox_add(world.toolbox, &tool), REEVE_EINVAL, "%zu", i);
        cr_assert_not_null(strstr(reeve_toolbox_problem(world.toolbox), "lias"));
    }
    tool.parameters = NULL;
    tool.aliases = aliases;
    cr_assert_eq(reeve_toolbox_add(world.toolbox, &tool), REEVE_EINVAL);
    reeve_toolbox_free(world.toolbox);
    tear_down(t);
}

/* With little memory a call may fail; it never gets other arguments. */
static int play(struct rv_test *t, void *arg)
{
    struct reeve_runtime_options options;
    struct reeve_runtime *on;
    struct world world;
    int error;

    (void)arg;
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(NULL, &options, &on);
    if (error)
        return error;
    error = try_open(&world, on);
    if (!error) {
        error = run(&world, on, "look",
                    "{'file_path':'a','list':\"[1,'2',]\",'o':\"{\\\"k\\\":\\\"1\\\"}\",");
        cr_assert(error || world.status == REEVE_CALL_INVALID || t->failing.refused);
        if (!error)
            error = run(&world, on, "look", "{'file_path':'a','n':'5','list':\"[1,'2',]\"");
        cr_assert(error || t->failing.refused || world.status == REEVE_CALL_SUCCEEDED);
        if (!error && world.status == REEVE_CALL_SUCCEEDED)
            cr_assert_str_eq(world.text, "{\"list\":[1,2],\"n\":5,\"path\":\"a\"}");
        reeve_toolbox_free(world.toolbox);
    }
    reeve_runtime_free(on);
    return error;
}

RV_TEST(normalize, survives_the_failure_of_each_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, play, NULL, 20);
}
