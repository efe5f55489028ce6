/* SPDX-License-Identifier: MIT */
/*
 * Another batch changes a link while a call waits that has been told already where it leads. The
 * random rounds meet this now and then (test_reuse_rounds.c); here it is on purpose.
 */
#include "loop/timer.h"
#include "tests/lib/test.h"
#include "tests/sim/file.h"
#include "tests/sim/sim.h"

#include <reeve/batch.h>
#include <stdio.h>
#include <string.h>

enum { CALLS = 2 };

/* Two files, and a link that leads to one of them. */
struct desk {
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct rv_sim_files *files;
    int link_to; /* file 0 or 1 */
    int content[2];
    struct rv_timer timer; /* of the call that takes its time */
    struct reeve_tool_call *slow;
    char said[16]; /* the last result of the last batch to end */
    enum reeve_result_source source;
};

static const char *const names[] = {"/a", "/b"};

static int *content_at(struct desk *desk, const struct reeve_tool_call *call)
{
    const char *path = reeve_tool_call_arg_string(call, "path");

    if (!strcmp(path, "/l"))
        return &desk->content[desk->link_to];
    return &desk->content[strcmp(path, "/b") == 0];
}

static void slow_is_over(struct rv_timer *timer)
{
    struct desk *desk = rv_container_of(timer, struct desk, timer);

    reeve_tool_call_finish(desk->slow, "", 0);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    const char *name = reeve_tool_call_name(call);
    struct desk *desk = arg;
    char text[16];

    if (!strcmp(name, "wait")) {
        desk->slow = call;
        rv_timer_init(&desk->timer, slow_is_over);
        rv_timer_start_ms(desk->runtime, &desk->timer, 10);
        return 0;
    }
    if (!strcmp(name, "move")) {
        desk->link_to = !desk->link_to;
        rv_sim_file_link(desk->files, "l", names[desk->link_to]);
    }
    if (!strcmp(name, "write"))
        ++*content_at(desk, call);
    snprintf(text, sizeof text, "%d", strcmp(name, "move") != 0 ? *content_at(desk, call) : 0);
    reeve_tool_call_finish(call, text, strlen(text));
    return 0;
}

static int describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    bool writes = !strcmp(reeve_tool_call_name(call), "write");

    (void)arg;
    return reeve_claims_add(claims, writes ? REEVE_EFFECT_WRITE : REEVE_EFFECT_READ,
                            REEVE_RESOURCE_PATH, reeve_tool_call_arg_string(call, "path"));
}

static int describe_nothing(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)call;
    (void)claims;
    (void)arg;
    return 0;
}

static void add(struct desk *desk, const char *name, enum reeve_effect effect,
                int (*says)(struct reeve_tool_call *, struct reeve_claims *, void *))
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.effect = effect;
    tool.start = start;
    tool.describe = says;
    tool.cacheable = 1;
    tool.arg = desk;
    cr_assert_eq(reeve_toolbox_add(desk->toolbox, &tool), 0);
}

static void open_desk(struct desk *desk, struct rv_test *t)
{
    struct reeve_runtime_options options;

    *desk = (struct desk){.content = {10, 20}};
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &desk->runtime), 0);
    cr_assert_eq(reeve_toolbox_new(desk->runtime, &desk->toolbox), 0);
    desk->files = rv_sim_files_of(desk->runtime);
    rv_sim_file_put(desk->files, "a", "x", 1);
    rv_sim_file_put(desk->files, "b", "x", 1);
    rv_sim_file_link(desk->files, "l", "/a");
    add(desk, "read", REEVE_EFFECT_READ, describe);
    add(desk, "write", REEVE_EFFECT_WRITE, describe);
    add(desk, "move", REEVE_EFFECT_UNKNOWN, NULL);
    add(desk, "wait", REEVE_EFFECT_READ, describe_nothing);
}

static void close_desk(struct desk *desk)
{
    reeve_toolbox_free(desk->toolbox);
    reeve_runtime_free(desk->runtime);
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *last = reeve_batch_result(batch, reeve_batch_count(batch) - 1);
    struct desk *desk = arg;

    cr_assert_eq(error, 0);
    snprintf(desk->said, sizeof desk->said, "%s", last->text);
    desk->source = last->source;
}

/* One or two calls, one at a time. */
static void submit(struct desk *desk, const char *first, const char *first_path, const char *second,
                   const char *second_path)
{
    char arguments[CALLS][32];
    const struct reeve_call calls[CALLS] = {
        {.id = "1",
         .name = first,
         .arguments = arguments[0],
         .arguments_len =
             (size_t)snprintf(arguments[0], sizeof arguments[0], "{\"path\":\"%s\"}", first_path)},
        {.id = "2",
         .name = second,
         .arguments = arguments[1],
         .arguments_len =
             (size_t)snprintf(arguments[1], sizeof arguments[1], "{\"path\":\"%s\"}", second_path)},
    };
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = 1;
    options.on_done = on_done;
    options.arg = desk;
    cr_assert_eq(reeve_batch_run(desk->toolbox, calls, second ? CALLS : 1, &options, &batch), 0);
}

/* The read sees what the link leads to now; by its name it was of the other one. */
RV_TEST(moved_names, what_was_read_by_an_old_name_is_not_kept)
{
    struct desk desk;

    open_desk(&desk, t);
    submit(&desk, "wait", "", "read", "/l");
    rv_sim_run_ms(desk.runtime, 5);
    submit(&desk, "move", "", NULL, "");
    cr_assert_eq(reeve_runtime_run(desk.runtime), 0);
    cr_assert_str_eq(desk.said, "20");
    submit(&desk, "write", "/b", "read", "/l");
    cr_assert_eq(reeve_runtime_run(desk.runtime), 0);
    cr_assert_str_eq(desk.said, "21");
    cr_assert_eq(desk.source, REEVE_SOURCE_RUN);
    close_desk(&desk);
}

/* The write is of what the link leads to now; by its name it was of the other one. */
RV_TEST(moved_names, what_is_written_by_an_old_name_counts_as_everything)
{
    struct desk desk;

    open_desk(&desk, t);
    submit(&desk, "wait", "", "write", "/l");
    rv_sim_run_ms(desk.runtime, 5);
    submit(&desk, "move", "", "read", "/l");
    rv_sim_run_ms(desk.runtime, 1);
    cr_assert_str_eq(desk.said, "20");
    submit(&desk, "read", "/l", NULL, "");
    rv_sim_run_ms(desk.runtime, 1);
    cr_assert_eq(desk.source, REEVE_SOURCE_CACHE, "it is kept until then");
    cr_assert_eq(reeve_runtime_run(desk.runtime), 0);
    submit(&desk, "read", "/l", NULL, "");
    cr_assert_eq(reeve_runtime_run(desk.runtime), 0);
    cr_assert_str_eq(desk.said, "21");
    cr_assert_eq(desk.source, REEVE_SOURCE_RUN);
    close_desk(&desk);
}
