/* SPDX-License-Identifier: MIT */
/* Toolboxes: what may be added, how it is found, what a model is told, what is freed when. */
#include "tool/toolbox.h"

#include "tests/lib/test.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

struct box {
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
};

static int try_open(struct box *box, struct rv_test *t)
{
    struct reeve_runtime_options options;
    int error;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    options.seed = t->seed;
    error = reeve_runtime_new(NULL, &options, &box->runtime);
    if (error)
        return error;
    error = reeve_toolbox_new(box->runtime, &box->toolbox);
    if (error)
        reeve_runtime_free(box->runtime);
    return error;
}

static void open_box(struct box *box, struct rv_test *t)
{
    cr_assert_eq(try_open(box, t), 0);
}

static void close_box(struct box *box)
{
    reeve_toolbox_free(box->toolbox);
    reeve_runtime_free(box->runtime);
}

static struct reeve_tool_call *held;

static int hold(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    held = call;
    return 0;
}

static struct reeve_tool make_tool(const char *name)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.start = hold;
    return tool;
}

static void want_refused(struct box *box, const struct reeve_tool *tool, int error,
                         const char *part)
{
    size_t count;

    cr_assert_eq(reeve_toolbox_add(box->toolbox, tool), error);
    cr_assert_not_null(strstr(reeve_toolbox_problem(box->toolbox), part), "%s",
                       reeve_toolbox_problem(box->toolbox));
    reeve_toolbox_definitions(box->toolbox, &count);
    cr_assert_eq(count, 1);
}

RV_TEST(toolbox, refuses_what_is_no_tool_and_says_why)
{
    static const char *const bad_names[] = {
        "",       "two words", "dot.ted",
        "sl/ash", "\xC3\xA4",  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"};
    struct reeve_tool tool = make_tool("good");
    struct box box;
    size_t i;

    open_box(&box, t);
    cr_assert_str_eq(reeve_toolbox_problem(box.toolbox), "Nothing has failed.");
    cr_assert_eq(reeve_toolbox_add(box.toolbox, &tool), 0);
    want_refused(&box, &tool, REEVE_EEXIST, "named good already");
    for (i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
        tool.name = bad_names[i];
        want_refused(&box, &tool, REEVE_EINVAL, "name has 1 to 64 characters");
    }
    tool.name = NULL;
    want_refused(&box, &tool, REEVE_EINVAL, "missing");
    tool = make_tool("other");
    tool.start = NULL;
    want_refused(&box, &tool, REEVE_EINVAL, "no start function");
    tool = make_tool("other");
    tool.effect = (enum reeve_effect)3;
    want_refused(&box, &tool, REEVE_EINVAL, "effect");
    tool = make_tool("other");
    tool.parameters = "{\"type\" \"object\"}";
    want_refused(&box, &tool, REEVE_EINVAL, "not JSON");
    tool.parameters = "{\"properties\":{\"a\":{\"type\":\"strng\"}}}";
    want_refused(&box, &tool, REEVE_EINVAL,
                 " are no JSON Schema: at \"/properties/a/type\": there is no type \"strng\";");
    tool.parameters = "[]";
    want_refused(&box, &tool, REEVE_EINVAL, "not a JSON object");
    tool.parameters = "";
    want_refused(&box, &tool, REEVE_EINVAL, "not JSON");
    tool = make_tool("other");
    tool.size = 0;
    want_refused(&box, &tool, REEVE_EINVAL, "reeve_tool_init");
    tool = make_tool("a-Z_0123456789012345678901234567890123456789012345678901234567890");
    cr_assert_eq(strlen(tool.name), 65);
    tool.name++;
    cr_assert_eq(reeve_toolbox_add(box.toolbox, &tool), 0);
    close_box(&box);
}

RV_TEST(toolbox, tells_of_the_tools_that_are_on_in_the_order_they_were_added)
{
    static const char *const names[] = {"zebra", "ant", "lion"};
    const struct reeve_tool_definition *definitions;
    struct reeve_tool tool;
    struct box box;
    size_t count, i;

    open_box(&box, t);
    reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, 0);
    for (i = 0; i < 3; i++) {
        tool = make_tool(names[i]);
        tool.description = i ? "An animal." : NULL;
        tool.parameters = i ? "{\"type\":\"object\"}" : NULL;
        cr_assert_eq(reeve_toolbox_add(box.toolbox, &tool), 0);
    }
    definitions = reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, 3);
    for (i = 0; i < 3; i++)
        cr_assert_str_eq(definitions[i].name, names[i]);
    cr_assert_str_eq(definitions[0].description, "");
    cr_assert_str_eq(definitions[0].parameters, "{\"type\":\"object\",\"properties\":{}}");
    cr_assert_str_eq(definitions[1].description, "An animal.");
    cr_assert_str_eq(definitions[2].parameters, "{\"type\":\"object\"}");

    cr_assert_eq(reeve_toolbox_enable(box.toolbox, "ant", 0), 0);
    cr_assert_eq(reeve_toolbox_enable(box.toolbox, "ant", 0), 0);
    cr_assert_eq(reeve_toolbox_enable(box.toolbox, "bee", 0), REEVE_ENOTFOUND);
    cr_assert_eq(reeve_toolbox_enable(box.toolbox, NULL, 0), REEVE_ENOTFOUND);
    definitions = reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(definitions[1].name, "lion");
    cr_assert_eq(reeve_toolbox_enable(box.toolbox, "ant", 1), 0);
    definitions = reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, 3);
    cr_assert_str_eq(definitions[1].name, "ant");
    close_box(&box);
}

RV_TEST(toolbox, finds_each_of_a_thousand_tools)
{
    struct reeve_tool tool;
    struct box box;
    char name[16];
    size_t i;

    open_box(&box, t);
    cr_assert_null(rv_toolbox_find(box.toolbox, "tool_0"));
    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "tool_%zu", i);
        tool = make_tool(name);
        cr_assert_eq(reeve_toolbox_add(box.toolbox, &tool), 0);
        cr_assert_eq(reeve_toolbox_add(box.toolbox, &tool), REEVE_EEXIST);
    }
    for (i = 0; i < 2000; i++) {
        const struct rv_tool *found;

        snprintf(name, sizeof name, "tool_%zu", i);
        found = rv_toolbox_find(box.toolbox, name);
        cr_assert_eq(found != NULL, i < 1000);
        if (found)
            cr_assert_str_eq(found->spec.name, name);
    }
    close_box(&box);
}

/* What a program compiled against an older or a newer struct gives. */
RV_TEST(toolbox, takes_tools_of_another_size)
{
    struct {
        struct reeve_tool tool;
        void *later;
    } newer = {.tool = make_tool("newer")};
    struct reeve_tool older = make_tool("older");
    struct box box;

    open_box(&box, t);
    older.arg = &box;
    older.size = offsetof(struct reeve_tool, arg);
    cr_assert_eq(reeve_toolbox_add(box.toolbox, &older), 0);
    cr_assert_null(rv_toolbox_find(box.toolbox, "older")->spec.arg);
    newer.tool.size = sizeof newer;
    cr_assert_eq(reeve_toolbox_add(box.toolbox, &newer.tool), 0);
    newer.tool.name = "newest";
    newer.later = &box;
    cr_assert_eq(reeve_toolbox_add(box.toolbox, &newer.tool), REEVE_EINVAL);
    close_box(&box);
}

static void count_free(void *owned)
{
    ++*(unsigned *)owned;
}

RV_TEST(toolbox, a_set_is_added_whole_or_not_at_all)
{
    struct reeve_tool set[10];
    char names[10][8];
    unsigned freed = 0;
    struct box box;
    size_t i, count;

    open_box(&box, t);
    for (i = 0; i < 10; i++) {
        snprintf(names[i], sizeof names[i], "t%zu", i);
        set[i] = make_tool(names[i]);
    }
    set[9].name = "t3";
    cr_assert_eq(rv_toolbox_add_set(box.toolbox, set, 10, &freed, count_free), REEVE_EEXIST);
    reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, 0);
    cr_assert_null(rv_toolbox_find(box.toolbox, "t3"));
    cr_assert_eq(rv_toolbox_add_set(box.toolbox, set, 9, &freed, count_free), 0);
    cr_assert_eq(rv_toolbox_add_owned(box.toolbox, &set[0], &freed, count_free), REEVE_EEXIST);
    cr_assert_eq(freed, 0);
    reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, 9);
    close_box(&box);
    cr_assert_eq(freed, 1);
}

static void ignore(struct reeve_batch *batch, int error, void *arg)
{
    (void)batch;
    (void)arg;
    cr_assert_eq(error, REEVE_ECANCELED);
}

static void want_closing(struct reeve_batch *batch, size_t index, void *arg)
{
    struct box *box = arg;
    struct reeve_tool tool = make_tool("late");

    (void)batch;
    (void)index;
    cr_assert_eq(reeve_toolbox_add(box->toolbox, &tool), REEVE_ECLOSING);
}

RV_TEST(toolbox, what_it_owns_lives_as_long_as_a_call_is_out)
{
    const struct reeve_call call = {.id = "1", .name = "own"};
    struct reeve_tool tool = make_tool("own");
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    unsigned freed = 0;
    struct box box;

    open_box(&box, t);
    cr_assert_eq(rv_toolbox_add_owned(box.toolbox, &tool, &freed, count_free), 0);
    reeve_batch_options_init(&options);
    options.timeout_ms = 0;
    options.on_done = ignore;
    options.on_result = want_closing;
    options.arg = &box;
    cr_assert_eq(reeve_batch_run(box.toolbox, &call, 1, &options, &batch), 0);
    held = NULL;
    cr_assert_eq(reeve_runtime_run(box.runtime), 0); /* nothing is pending: no time limit */
    cr_assert_not_null(held);
    close_box(&box);
    cr_assert_eq(freed, 0);
    cr_assert_str_eq(reeve_tool_call_name(held), "own");
    reeve_tool_call_finish(held, "late", 4);
    cr_assert_eq(freed, 1);
}

static int add_many(struct rv_test *run, void *arg)
{
    struct reeve_tool set[20];
    char names[20][8];
    unsigned freed = 0;
    struct box box;
    size_t i, count;
    int error;

    (void)arg;
    error = try_open(&box, run);
    if (error)
        return error;
    for (i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "t%zu", i);
        set[i] = make_tool(names[i]);
        set[i].parameters = "{\"type\": \"object\"}";
    }
    error = rv_toolbox_add_set(box.toolbox, set, 20, &freed, count_free);
    reeve_toolbox_definitions(box.toolbox, &count);
    cr_assert_eq(count, error ? 0 : 20);
    if (error)
        cr_assert_str_eq(reeve_toolbox_problem(box.toolbox), "Out of memory.");
    close_box(&box);
    cr_assert_eq(freed, error ? 0 : 1);
    return error;
}

RV_TEST(toolbox, survives_any_failed_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, add_many, NULL, 30);
}
