/* SPDX-License-Identifier: MIT */
/*
 * Batches with every step on, one after the other on one toolbox. The first one's results are kept.
 * The second has arguments that are put right, and some that cannot be; it asks about each call; it
 * is answered by kept results, of files after a look at these, shares a run, tries a call again,
 * hears output as it comes, and writes what others have read. The third asks once more for what was
 * written, and the fourth does so without what is kept: they must come to the same.
 */
#include "tests/world/story.h"

#include "tests/lib/notes.h"
#include "tests/world/world.h"

#include "base/utf8.h"
#include "loop/timer.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    PARTS = 4,
    CALLS_MAX = 12,
    JOBS = 8,
    SETTLE_MS = 160, /* what was read of a file that has just been made is not kept */
    COUNT_MS = 20,
    ANSWER_MS = 1,
    TEXT_BYTES = 64,
};

#define CALL(id, name, arguments)                                                                  \
    {                                                                                              \
        (id), (name), (arguments), sizeof(arguments) - 1                                           \
    }

static const struct reeve_call fill[] = {
    CALL("a1", "settle", "{}"),
    CALL("a2", "group", "{\"n\":1}"),
    CALL("a3", "group", "{\"n\":2}"),
    CALL("a4", "read_file", "{\"path\":\"src/a.txt\"}"),
    CALL("a5", "read_file", "{\"path\":\"src/b.txt\"}"),
    CALL("a6", "lookup", "{\"key\":\"x\"}"),
};

static const struct reeve_call all[] = {
    CALL("b1", "read_file", "{\"path\":\"./src/a.txt\"}"),
    CALL("b2", "read_file", "{\"path\":\"src/a.txt\"}"),
    CALL("b3", "lookup", "{\"id\":'x',}"),
    CALL("b4", "count", "{\"n\":\"3\"}"),
    CALL("b5", "count", "{\"n\":3}"),
    CALL("b6", "lookup", "{\"key\":\"flaky\"}"),
    CALL("b7", "lookup", "{\"n\":1}"),
    CALL("b8", "write_file", "{\"path\":\"src/a.txt\",\"content\":\"New.\\n\"}"),
    CALL("b9", "read_file", "{\"path\":\"src/a.txt\"}"),
    CALL("b10", "read_file", "{\"path\":\"src/b.txt\"}"),
    CALL("b11", "set", "{\"key\":\"x\"}"),
    CALL("b12", "lookup", "{\"key\":\"x\"}"),
};

static const struct reeve_call after[] = {
    CALL("c1", "read_file", "{\"path\":\"src/a.txt\"}"),
    CALL("c2", "read_file", "{\"path\":\"src/b.txt\"}"),
    CALL("c3", "lookup", "{\"key\":\"x\"}"),
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct part {
    const struct reeve_call *calls;
    size_t count;
    bool asks, skips_cache, is_noted;
} parts[PARTS] = {
    {fill, COUNT(fill), false, false, true},
    {all, COUNT(all), true, false, true},
    {after, COUNT(after), false, false, false},
    {after, COUNT(after), false, true, false},
};

struct telling;

struct job {
    struct telling *telling;
    struct rv_timer timer;
    struct reeve_tool_call *call; /* NULL: it is free */
};

struct telling {
    const struct story *story;
    struct rv_world *world;
    struct reeve_toolbox *tools;
    struct reeve_batch *batch; /* NULL when it is over */
    const struct part *part;
    struct job jobs[JOBS];
    struct rv_timer answer;
    size_t asked;
    unsigned tries; /* of what passes at the second */
    unsigned x;     /* what can be looked up */
    bool wrote;     /* the file is a new one */
    bool may_have_written;
    char said[COUNT(after)][TEXT_BYTES]; /* in the third batch; "": it failed */
    size_t results;
    unsigned over;
    int error;
};

/* ---- the tools -------------------------------------------------------------------------------
 */

static void finish_job(struct job *job)
{
    struct reeve_tool_call *call = job->call;

    rv_timer_stop(rv_world_runtime(job->telling->world), &job->timer);
    job->call = NULL;
    if (!strcmp(reeve_tool_call_name(call), "count"))
        reeve_tool_call_finish(call, "two three", 9);
    else
        reeve_tool_call_finish(call, "", 0);
}

static void job_due(struct rv_timer *timer)
{
    finish_job(rv_container_of(timer, struct job, timer));
}

static int start_job(struct reeve_tool_call *call, void *arg)
{
    struct telling *telling = arg;
    bool counts = !strcmp(reeve_tool_call_name(call), "count");
    struct job *job = telling->jobs;

    while (job < telling->jobs + JOBS && job->call)
        job++;
    if (job == telling->jobs + JOBS)
        return REEVE_EBUSY;
    *job = (struct job){.telling = telling, .call = call};
    rv_timer_init(&job->timer, job_due);
    rv_timer_start_ms(rv_world_runtime(telling->world), &job->timer, counts ? COUNT_MS : SETTLE_MS);
    if (counts)
        reeve_tool_call_write(call, "one ", 4);
    return 0;
}

static void cancel_job(struct reeve_tool_call *call, void *arg)
{
    struct telling *telling = arg;

    for (size_t i = 0; i < JOBS; i++) {
        if (telling->jobs[i].call == call)
            finish_job(&telling->jobs[i]);
    }
}

static int start_lookup(struct reeve_tool_call *call, void *arg)
{
    struct telling *telling = arg;
    char text[32];
    int len;

    if (!strcmp(reeve_tool_call_arg_string(call, "key"), "flaky") && !telling->tries++) {
        reeve_tool_call_fail(call, 1, "not now", 7);
        return 0;
    }
    len = snprintf(text, sizeof text, "it is %u", telling->x);
    reeve_tool_call_finish(call, text, (size_t)len);
    return 0;
}

static int start_set(struct reeve_tool_call *call, void *arg)
{
    struct telling *telling = arg;

    telling->x++;
    reeve_tool_call_finish(call, "it is set", 9);
    return 0;
}

static int describe_key(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    bool writes = !strcmp(reeve_tool_call_name(call), "set");

    (void)arg;
    return reeve_claims_add(claims, writes ? REEVE_EFFECT_WRITE : REEVE_EFFECT_READ, "db",
                            reeve_tool_call_arg_string(call, "key"));
}

static int start_group(struct reeve_tool_call *const *calls, size_t count, void *arg)
{
    char text[32];
    int len = snprintf(text, sizeof text, "one of %zu", count);

    (void)arg;
    for (size_t i = 0; i < count; i++)
        reeve_tool_call_finish(calls[i], text, (size_t)len);
    return 0;
}

static const char by_key[] = "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\"}},"
                             "\"required\":[\"key\"]}";
static const char by_number[] = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}"
                                ",\"required\":[\"n\"]}";
static const struct reeve_alias aliases[] = {{"id", "key"}};

static int add_tools(struct telling *telling)
{
    static const struct reeve_tool tools[] = {
        {.name = "settle", .start = start_job, .cancel = cancel_job},
        {.name = "count",
         .parameters = by_number,
         .effect = REEVE_EFFECT_READ,
         .start = start_job,
         .cancel = cancel_job},
        {.name = "lookup",
         .parameters = by_key,
         .start = start_lookup,
         .describe = describe_key,
         .aliases = aliases,
         .alias_count = COUNT(aliases),
         .cacheable = 1,
         .idempotent = 1},
        {.name = "set", .parameters = by_key, .start = start_set, .describe = describe_key},
        {.name = "group",
         .parameters = by_number,
         .effect = REEVE_EFFECT_READ,
         .start_many = start_group},
    };
    int error = reeve_toolbox_add_files(telling->tools, rv_world_root(telling->world));

    for (size_t i = 0; i < COUNT(tools) && !error; i++) {
        struct reeve_tool tool = tools[i];

        tool.size = sizeof tool;
        tool.arg = telling;
        error = reeve_toolbox_add(telling->tools, &tool);
    }
    return error;
}

/* ---- the batches -----------------------------------------------------------------------------
 */

static void on_start(struct reeve_batch *batch, size_t index, void *arg)
{
    struct telling *telling = arg;

    (void)batch;
    telling->may_have_written |= !strcmp(telling->part->calls[index].name, "write_file");
    rv_world_step(telling->world);
}

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct telling *telling = arg;

    (void)batch;
    cr_assert(rv_utf8_valid(bytes, len));
    cr_assert_str_eq(telling->part->calls[index].name, "count");
    rv_world_step(telling->world);
}

static void on_retry(struct reeve_batch *batch, size_t index, uint32_t wait_ms, void *arg)
{
    struct telling *telling = arg;
    const char *tool = telling->part->calls[index].name;

    (void)batch;
    cr_assert_gt(wait_ms, 0);
    cr_assert(!strcmp(tool, "lookup") || strstr(tool, "_file"), "%s is not idempotent", tool);
    rv_world_step(telling->world);
}

static void answer_due(struct rv_timer *timer)
{
    struct telling *telling = rv_container_of(timer, struct telling, answer);

    if (telling->batch)
        reeve_batch_permit(telling->batch, telling->asked, REEVE_PERMISSION_ALLOW, NULL);
}

static void on_permission(struct reeve_batch *batch, size_t index,
                          const struct reeve_tool_call *call, void *arg)
{
    struct telling *telling = arg;

    (void)batch;
    cr_assert_str_eq(reeve_tool_call_id(call), telling->part->calls[index].id);
    telling->asked = index;
    rv_timer_start_ms(rv_world_runtime(telling->world), &telling->answer, ANSWER_MS);
    rv_world_step(telling->world);
}

/* What a call that succeeded must have said; NULL: that cannot be told. */
static const char *wanted(const struct telling *telling, const struct reeve_result *result)
{
    static const char *const x[] = {"it is 1", "it is 2"};
    const char *id = result->call_id;

    if (!strcmp(result->tool, "count"))
        return "one two three";
    if (!strcmp(id, "a4") || !strcmp(id, "b1") || !strcmp(id, "b2"))
        return "What is in a.\n";
    if (!strcmp(id, "b9") || !strcmp(id, "c1"))
        return telling->wrote ? "New.\n" : telling->may_have_written ? NULL : "What is in a.\n";
    if (!strcmp(result->tool, "read_file"))
        return "What is in b.\n";
    if (!strcmp(id, "a6") || !strcmp(id, "b3"))
        return x[0];
    if (!strcmp(id, "b12") || !strcmp(id, "c3"))
        return x[telling->x - 1];
    return NULL;
}

static void on_result(struct reeve_batch *batch, size_t index, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, index);
    struct telling *telling = arg;

    cr_assert_neq(result->status, REEVE_CALL_PENDING);
    telling->results++;
    telling->wrote |= !strcmp(result->tool, "write_file") && result->status == REEVE_CALL_SUCCEEDED;
    if (result->status == REEVE_CALL_SUCCEEDED && wanted(telling, result))
        cr_assert_str_eq(result->text, wanted(telling, result), "%s", result->call_id);
    rv_world_step(telling->world);
}

/* The third batch's results are remembered, the fourth's have to be the same. */
static void compare(struct telling *telling, size_t index, const struct reeve_result *result)
{
    char *said = telling->said[index];

    if (!telling->part->skips_cache)
        snprintf(said, TEXT_BYTES, "%s",
                 result->status == REEVE_CALL_SUCCEEDED ? result->text : "");
    else if (said[0] && result->status == REEVE_CALL_SUCCEEDED)
        cr_assert_str_eq(said, result->text, "%s", result->call_id);
    rv_note("%s %s: %s\n", result->call_id, reeve_call_status_name(result->status), result->text);
}

static void check_figures(const struct telling *telling, const struct reeve_batch *batch)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};

    cr_assert_eq(reeve_batch_count(batch), telling->part->count);
    cr_assert_eq(telling->results, telling->part->count);
    cr_assert_eq(reeve_batch_stats(batch, &stats), 0);
    cr_assert_eq(stats.succeeded + stats.failed + stats.canceled + stats.refused + stats.cached +
                     stats.shared,
                 telling->part->count);
    cr_assert_leq(stats.peak_running, 3);
    if (telling->part->is_noted)
        rv_note("%u put right, %u from the cache, %u shared, %u retries\n",
                (unsigned)stats.normalized, (unsigned)stats.cached, (unsigned)stats.shared,
                (unsigned)stats.retries);
}

static int submit(struct telling *telling);

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct telling *telling = arg;

    cr_assert(!telling->over);
    for (size_t i = 0; i < telling->part->count; i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        cr_assert_str_eq(result->call_id, telling->part->calls[i].id);
        cr_assert_neq(result->status, REEVE_CALL_PENDING);
        if (telling->part->is_noted)
            rv_note("%s %s, %s: %s\n", result->call_id, reeve_call_status_name(result->status),
                    reeve_result_source_name(result->source), result->text);
        else
            compare(telling, i, result);
    }
    check_figures(telling, batch);
    rv_timer_stop(rv_world_runtime(telling->world), &telling->answer);
    telling->batch = NULL;
    rv_world_step(telling->world);
    if (!telling->tools)
        error = REEVE_ECANCELED; /* it was freed just now */
    if (!error && ++telling->part < parts + PARTS)
        error = submit(telling);
    else
        telling->over = 1;
    telling->over |= error != 0;
    telling->error = error;
}

static int submit(struct telling *telling)
{
    const struct part *part = telling->part;
    struct reeve_batch_options options;

    reeve_batch_options_init(&options);
    options.max_concurrency = 3;
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.timeout_ms = 5000;
    options.retry_wait_ms = 2;
    options.calls_complete = 1;
    options.skip_cache = part->skips_cache;
    options.on_permission = part->asks ? on_permission : NULL;
    options.on_output = on_output;
    options.on_start = on_start;
    options.on_result = on_result;
    options.on_retry = on_retry;
    options.on_done = on_done;
    options.arg = telling;
    telling->results = 0;
    return reeve_batch_run(telling->tools, part->calls, part->count, &options, &telling->batch);
}

static void strike(void *arg)
{
    struct telling *telling = arg;
    bool between;

    if (telling->story->strike == STORY_CANCEL) {
        if (telling->batch)
            reeve_batch_cancel(telling->batch);
        return;
    }
    between = !telling->batch;
    reeve_toolbox_free(telling->tools);
    cr_assert(telling->over || between, "the toolbox is gone and the end was not told");
    telling->tools = NULL;
}

int story_steps(struct rv_test *t, void *arg)
{
    struct telling telling = {.story = arg, .part = parts, .x = 1};
    int error = rv_world_open(t, &telling.world);

    rv_timer_init(&telling.answer, answer_due);
    if (!error) {
        rv_world_put(telling.world, "src", "a.txt", "What is in a.\n");
        rv_world_put(telling.world, "src", "b.txt", "What is in b.\n");
        error = reeve_toolbox_new(rv_world_runtime(telling.world), &telling.tools);
    }
    if (!error)
        error = add_tools(&telling);
    if (!error)
        error = submit(&telling);
    if (!error) {
        rv_world_play(telling.world, &telling.over, strike, &telling);
        error = telling.error;
    }
    reeve_toolbox_free(telling.tools);
    rv_world_close(telling.world);
    return error;
}
