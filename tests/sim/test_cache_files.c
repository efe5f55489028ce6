/* SPDX-License-Identifier: MIT */
/* read_file's results: kept as long as the file is the one that was read. */
#include "tests/sim/file.h"
#include "tests/sim/runtime.h"

#include <errno.h>
#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rv_sim_files *files;
static struct reeve_toolbox *toolbox;
static struct reeve_batch *batch;
static struct reeve_batch_options options;
static char *said;
static enum reeve_call_status status;
static enum reeve_result_source source;
static unsigned done;

static void on_done(struct reeve_batch *ended, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(ended, reeve_batch_count(ended) - 1);

    (void)error, (void)arg;
    done++;
    batch = NULL;
    free(said);
    said = strdup(result->text);
    status = result->status;
    source = result->source;
}

static void put(const char *path, const char *text)
{
    rv_sim_file_put(files, path, text, strlen(text));
}

static void begin(struct rv_test *t)
{
    set_up(t);
    files = rv_sim_files_of(runtime);
    cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
    cr_assert_eq(reeve_toolbox_add_files(toolbox, "/anywhere"), 0);
    reeve_batch_options_init(&options);
    options.on_done = on_done;
    said = NULL;
    put("a", "one");
    put("d/b", "two");
    rv_sim_file_link(files, "link", "a");
}

static void end(struct rv_test *t)
{
    reeve_toolbox_free(toolbox);
    cr_assert_eq(rv_sim_file_open(files), 0);
    cr_assert_eq(rv_sim_file_pending(files), 0);
    free(said);
    tear_down(t);
}

#define FILES_TEST(name) RV_TEST(cache_files, name, RV_FIXTURE(begin, end))

static void submit(const char *tool, const char *json)
{
    const struct reeve_call call = {
        .id = "1", .name = tool, .arguments = json, .arguments_len = strlen(json)};

    cr_assert_eq(reeve_batch_run(toolbox, &call, 1, &options, &batch), 0);
}

static void do_call(const char *tool, const char *json)
{
    submit(tool, json);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_null(batch);
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s: %s", tool, said);
}

static void read_as(const char *path, const char *text, bool hits)
{
    char json[64];

    snprintf(json, sizeof json, "{\"path\":\"%s\"}", path);
    do_call("read_file", json);
    cr_assert_str_eq(said, text, "%s: %s", path, said);
    cr_assert_eq(source, hits ? REEVE_SOURCE_CACHE : REEVE_SOURCE_RUN, "%s", path);
}

static struct reeve_tool_cache_stats stats(void)
{
    struct reeve_tool_cache_stats ret = {.size = sizeof ret};

    cr_assert_eq(reeve_toolbox_cache_stats(toolbox, &ret), 0);
    return ret;
}

static uint64_t reads(void)
{
    return rv_sim_file_count(files, RV_SIM_FILE_READ);
}

FILES_TEST(a_file_is_read_once)
{
    enum reeve_grouping grouping;
    uint64_t had;

    for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_NONE; grouping++) {
        options.grouping = grouping;
        reeve_toolbox_clear_cache(toolbox);
        read_as("a", "one", false);
        read_as("d/b", "two", false);
        had = reads();
        read_as("a", "one", true);
        read_as("d/b", "two", true);
        cr_assert_eq(reads(), had);
    }
}

/* Whatever is done to it from outside: its length, its times, its inode or its name. */
FILES_TEST(a_change_from_outside_is_seen)
{
    read_as("a", "one", false);
    put("a", "two"); /* of the same length */
    read_as("a", "two", false);
    read_as("a", "two", true);
    put("a", "three");
    read_as("a", "three", false);
    read_as("link", "three", false);
    read_as("link", "three", true);
    rv_sim_file_link(files, "link", "d/b");
    read_as("link", "two", false);
    put("a", "three");
    read_as("link", "two", true);
    put("d/b", "six");
    read_as("link", "six", false);
    cr_assert_eq(stats().stale, 4);
}

FILES_TEST(a_look_that_fails_has_the_file_read)
{
    static const int errnos[] = {ENOENT, EACCES, EIO, EMFILE};
    size_t i;

    for (i = 0; i < 4; i++) {
        reeve_toolbox_clear_cache(toolbox);
        read_as("a", "one", false);
        rv_sim_file_fail(files, RV_SIM_FILE_OPEN, 1, errnos[i]);
        read_as("a", "one", false);
    }
    cr_assert_eq(stats().stale, 4);
    cr_assert_eq(stats().hits, 0);
}

/* The clock of a file system ticks slowly: a file that has changed a moment ago may change again
 * without a trace. */
FILES_TEST(a_file_that_changed_a_moment_ago_is_not_kept)
{
    int64_t step_ms;

    put("a", "new"); /* at some whole second soon after 1970 */
    rv_sim_step_wall_ms(runtime, -RV_SIM_START_WALL_MS);
    for (step_ms = 0; step_ms < 20000; step_ms += 500) {
        uint64_t had = stats().stores;

        read_as("a", "new", false);
        if (stats().stores > had)
            break;
        rv_sim_step_wall_ms(runtime, 500);
    }
    cr_assert_gt(step_ms, 2000, "kept after %lld ms", (long long)step_ms);
    cr_assert_lt(step_ms, 20000);
    read_as("a", "new", true);
}

/* ---- the tools that write --------------------------------------------------------------------
 */

FILES_TEST(what_the_other_tools_write_is_seen)
{
    read_as("a", "one", false);
    read_as("link", "one", false);
    read_as("d/b", "two", false);
    do_call("write_file", "{\"path\":\"./a\",\"content\":\"uno\"}");
    read_as("a", "uno", false);
    read_as("link", "uno", false);
    read_as("d/b", "two", true);
    do_call("edit_file", "{\"path\":\"link\",\"old_text\":\"uno\",\"new_text\":\"eins\"}");
    read_as("a", "eins", false);
    do_call("write_file", "{\"path\":\"./d/../d/b\",\"content\":\"drei\"}");
    read_as("a", "eins", true);
}

FILES_TEST(a_listing_shows_what_was_written_below_it)
{
    do_call("list_directory", "{\"path\":\"d\",\"recursive\":true}");
    cr_assert_str_eq(said, "b\t3\n");
    do_call("write_file", "{\"path\":\"d/x/new\",\"content\":\"1\"}");
    do_call("list_directory", "{\"path\":\"d\",\"recursive\":true}");
    cr_assert_eq(source, REEVE_SOURCE_RUN);
    cr_assert(strstr(said, "new"), "%s", said);
    put("d/outside", "");
    do_call("list_directory", "{\"path\":\"d\",\"recursive\":true}");
    cr_assert(strstr(said, "outside"), "%s", said);
}

/* Parts of a file are results of their own; so is what a smaller cap leaves of it. */
FILES_TEST(another_part_is_another_result)
{
    do_call("read_file", "{\"path\":\"a\",\"offset\":1}");
    cr_assert_str_eq(said, "ne");
    do_call("read_file", "{\"path\":\"a\",\"offset\":1,\"limit\":1}");
    cr_assert_eq(source, REEVE_SOURCE_RUN);
    do_call("read_file", "{\"limit\":1.0,\"offset\":1,\"path\":\"a\"}");
    cr_assert_eq(source, REEVE_SOURCE_CACHE);
    cr_assert_str_eq(said, "n");
}

/* ---- a disk that takes its time --------------------------------------------------------------
 */

FILES_TEST(a_look_may_be_cancelled_or_lose_its_toolbox)
{
    int ends;

    for (ends = 0; ends < 3; ends++) {
        rv_sim_file_latency_ms(files, 0);
        reeve_toolbox_clear_cache(toolbox);
        read_as("a", "one", false);
        done = 0;
        rv_sim_file_latency_ms(files, 50);
        submit("read_file", "{\"path\":\"a\"}");
        rv_sim_run_ms(runtime, 10);
        cr_assert_gt(rv_sim_file_pending(files), 0);
        if (ends == 0) {
            reeve_batch_cancel_call(batch, 0);
        } else if (ends == 1) {
            reeve_batch_cancel(batch);
        } else {
            reeve_toolbox_free(toolbox);
            toolbox = NULL;
        }
        rv_sim_run_ms(runtime, 1);
        cr_assert_eq(done, 1);
        cr_assert_eq(status, REEVE_CALL_CANCELED);
        cr_assert_eq(rv_sim_file_pending(files), 0);
    }
}

FILES_TEST(a_look_that_stalls_meets_the_time_limit)
{
    options.timeout_ms = 100;
    read_as("a", "one", false);
    rv_sim_file_stall(files, RV_SIM_FILE_OPEN, 1);
    submit("read_file", "{\"path\":\"a\"}");
    rv_sim_run_ms(runtime, 99);
    cr_assert_not_null(batch);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(status, REEVE_CALL_TIMED_OUT);
    cr_assert_eq(rv_sim_file_pending(files), 0);
}

/* Files that change before they are looked at, and while they are. */
FILES_TEST(a_change_on_the_way_to_a_look_is_seen)
{
    options.grouping = REEVE_GROUPING_HAZARDS;
    read_as("a", "one", false);
    rv_sim_file_latency_ms(files, 10);
    submit("read_file", "{\"path\":\"a\"}"); /* its path is worked out first */
    rv_sim_run_ms(runtime, 5);
    put("a", "two");
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_str_eq(said, "two");
    submit("read_file", "{\"path\":\"a\"}");
    rv_sim_run_ms(runtime, 15);
    do_call("write_file", "{\"path\":\"a\",\"content\":\"uno\"}");
    read_as("a", "uno", false);
}

/* ---- memory, and faults ----------------------------------------------------------------------
 */

/* A runtime of its own: each allocation of what follows fails in turn. */
static int open_own(struct rv_test *run)
{
    struct reeve_runtime_options own;
    int error;

    reeve_runtime_options_init(&own);
    own.allocator = &run->allocator;
    error = reeve_runtime_new(NULL, &own, &runtime);
    if (error)
        return error;
    files = rv_sim_files_of(runtime);
    error = reeve_toolbox_new(runtime, &toolbox);
    if (!error)
        error = reeve_toolbox_add_files(toolbox, "/anywhere");
    if (!error)
        return 0;
    reeve_toolbox_free(toolbox);
    reeve_runtime_free(runtime);
    return error;
}

static int read_often(struct rv_test *run, void *arg)
{
    static const char json[] = "{\"path\":\"a\"}";
    const struct reeve_call one = {
        .id = "1", .name = "read_file", .arguments = json, .arguments_len = strlen(json)};
    const struct reeve_call calls[2] = {one, one};
    static const char *const texts[] = {"one", "one", "two", "two"};
    size_t i;
    int error;

    (void)arg;
    toolbox = NULL;
    error = open_own(run);
    if (error)
        return error;
    for (i = 0; i < 4 && !error; i++) {
        if (i != 1 && i != 3)
            put("a", texts[i]);
        error = reeve_batch_run(toolbox, calls, 2, &options, &batch);
        reeve_runtime_run(runtime);
        if (!error && status == REEVE_CALL_SUCCEEDED)
            cr_assert_str_eq(said, texts[i]);
        cr_assert(error || status == REEVE_CALL_SUCCEEDED || run->failing.refused);
    }
    reeve_toolbox_free(toolbox);
    cr_assert_eq(rv_sim_file_pending(files), 0);
    reeve_runtime_free(runtime);
    return error;
}

RV_TEST(cache_files, survive_any_failed_allocation, .timeout = 60)
{
    enum reeve_grouping grouping;

    for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_HAZARDS; grouping++) {
        reeve_batch_options_init(&options);
        options.on_done = on_done;
        options.grouping = grouping;
        options.retry_wait_ms = 1;
        RV_SWEEP_ALLOCATIONS(t, read_often, NULL, 40);
    }
    free(said);
}
