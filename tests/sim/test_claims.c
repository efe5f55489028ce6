/* SPDX-License-Identifier: MIT */
/* What calls claim, on the way to their places: paths that take their time, ends in between. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loop/timer.h"
#include "tests/sim/file.h"
#include "tests/sim/runtime.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>

enum { MOST = 64 };

static struct rv_sim_files *files;
static struct reeve_toolbox *toolbox;
static struct reeve_batch *batch;
static struct reeve_call calls[MOST];
static char texts[MOST][96];
static size_t count;
static struct reeve_batch_options options;
static unsigned done;
static char order[256];     /* a letter for each start, and the same in capitals at its end */
static char claimed[4][96]; /* what the first calls saw of their claims at their start */
static enum reeve_effect effects[4];
static enum reeve_call_status statuses[MOST];
static char results[MOST][128];

/* One that is out for 10 ms. */
struct out {
    struct rv_timer timer;
    struct reeve_tool_call *call;
    char letter;
};
static struct out outs[MOST];

static void note_letter(char letter)
{
    size_t len = strlen(order);

    order[len] = letter;
    order[len + 1] = '\0';
}

static void end_out(struct rv_timer *timer)
{
    struct out *out = rv_container_of(timer, struct out, timer);

    note_letter((char)(out->letter - 'a' + 'A'));
    reeve_tool_call_finish(out->call, NULL, 0);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    const char *id = reeve_tool_call_id(call);
    size_t i = (size_t)(id[0] - 'a'), claims;
    const struct reeve_claim *claim = reeve_tool_call_claims(call, &claims);

    (void)arg;
    note_letter(id[0]);
    if (i < 4) {
        effects[i] = reeve_tool_call_effect(call);
        snprintf(claimed[i], sizeof claimed[i], "%zu %s %s", claims, claims ? claim->kind : "",
                 claims ? claim->key : "");
    }
    outs[i].call = call;
    outs[i].letter = id[0];
    rv_timer_init(&outs[i].timer, end_out);
    rv_timer_start_ms(runtime, &outs[i].timer, 10);
    return 0;
}

/* {"r": path, "w": path, "db": key, "?": …, "bad": …} */
static int describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    const char *reads = reeve_tool_call_arg_string(call, "r");
    const char *writes = reeve_tool_call_arg_string(call, "w");
    const char *key = reeve_tool_call_arg_string(call, "db");
    const char *bad = reeve_tool_call_arg_string(call, "bad");
    int error = 0;

    (void)arg;
    if (reads)
        error = reeve_claims_add(claims, REEVE_EFFECT_READ, REEVE_RESOURCE_PATH, reads);
    if (!error && writes)
        error = reeve_claims_add(claims, REEVE_EFFECT_WRITE, REEVE_RESOURCE_PATH, writes);
    if (!error && key)
        error = reeve_claims_add(claims, REEVE_EFFECT_WRITE, "db", key);
    if (!error && reeve_tool_call_arg_string(call, "?"))
        error = reeve_claims_add(claims, REEVE_EFFECT_UNKNOWN, "shell", "x");
    if (bad && bad[0] == 'k')
        reeve_claims_add(claims, REEVE_EFFECT_READ, "", "x"); /* not told on */
    return bad && bad[0] == 'n' ? REEVE_EBUSY : error;
}

static void on_done(struct reeve_batch *ended, int error, void *arg)
{
    size_t i;

    (void)error, (void)arg;
    done++;
    batch = NULL;
    for (i = 0; i < count; i++) {
        statuses[i] = reeve_batch_result(ended, i)->status;
        snprintf(results[i], sizeof results[i], "%s", reeve_batch_result(ended, i)->text);
    }
}

static int open_toolbox(void)
{
    struct reeve_tool tool;
    int error = reeve_toolbox_new(runtime, &toolbox);

    if (error)
        return error;
    error = reeve_toolbox_add_files(toolbox, "/anywhere");
    reeve_tool_init(&tool);
    tool.name = "touch";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = start;
    tool.describe = describe;
    if (!error)
        error = reeve_toolbox_add(toolbox, &tool);
    tool.name = "shell";
    tool.effect = REEVE_EFFECT_UNKNOWN;
    tool.describe = NULL;
    if (!error)
        error = reeve_toolbox_add(toolbox, &tool);
    if (error)
        reeve_toolbox_free(toolbox);
    return error;
}

static void make_files(void)
{
    files = rv_sim_files_of(runtime);
    rv_sim_file_put(files, "a", "in a", 4);
    rv_sim_file_put(files, "dir/b", "in b", 4);
    rv_sim_file_link(files, "link", "a");
    rv_sim_file_link(files, "nothing", "dir/new");
}

static void begin(struct rv_test *t)
{
    set_up(t);
    make_files();
    cr_assert_eq(open_toolbox(), 0);
    reeve_batch_options_init(&options);
    options.skip_sharing = 1; /* the calls differ in their ids alone */
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = 5;
    options.on_done = on_done;
}

static void end(struct rv_test *t)
{
    reeve_toolbox_free(toolbox);
    cr_assert_eq(rv_sim_file_open(files), 0);
    cr_assert_eq(rv_sim_file_pending(files), 0);
    tear_down(t);
}

#define CLAIMS_TEST(name) RV_TEST(claims, name, RV_FIXTURE(begin, end))

static void call(const char *tool, const char *arguments)
{
    static const char ids[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q\0r\0s\0t\0u\0v\0w";

    snprintf(texts[count], sizeof texts[count], "%s", arguments);
    calls[count] = (struct reeve_call){.id = &ids[count % 23 * 2],
                                       .name = tool,
                                       .arguments = texts[count],
                                       .arguments_len = strlen(texts[count])};
    count++;
}

static void submit(void)
{
    cr_assert_eq(reeve_batch_run(toolbox, calls, count, &options, &batch), 0);
}

static void run_all(void)
{
    submit();
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(done, 1);
}

static uint64_t resolved(void)
{
    return rv_sim_file_count(files, RV_SIM_FILE_RESOLVE);
}

CLAIMS_TEST(a_path_is_one_however_it_is_written)
{
    call("touch", "{\"w\": \"./a\"}");
    call("touch", "{\"w\": \"/x/../link\"}");
    call("touch", "{\"w\": \"dir/../nothing\"}");
    call("touch", "{\"r\": \"dir\"}");
    call("touch", "{\"w\": \"aa\"}");
    call("touch", "{\"db\": \"a\"}");
    run_all();
    cr_assert_str_eq(order, "acefACEFbdBD");
    cr_assert_str_eq(claimed[0], "1 path /a");
    cr_assert_str_eq(claimed[1], "1 path /a");
    cr_assert_str_eq(claimed[2], "1 path /dir/new");
    cr_assert_str_eq(claimed[3], "1 path /dir");
    cr_assert_eq(effects[0], REEVE_EFFECT_WRITE);
    cr_assert_eq(effects[3], REEVE_EFFECT_READ);
}

CLAIMS_TEST(a_write_and_five_reads_at_five_permits)
{
    size_t i;

    call("touch", "{\"w\": \"a\"}");
    for (i = 0; i < 5; i++)
        call("touch", "{\"r\": \"a\"}");
    run_all();
    cr_assert_str_eq(order, "aAbcdefBCDEF");
}

CLAIMS_TEST(a_call_that_touches_a_thing_twice_does_not_wait_for_itself)
{
    call("touch", "{\"r\": \"dir\", \"w\": \"dir/b\"}");
    call("touch", "{\"r\": \"dir/b\", \"w\": \"dir\"}");
    call("touch", "{\"r\": \"a\", \"w\": \"a\"}");
    run_all();
    cr_assert_str_eq(order, "acACbB");
}

CLAIMS_TEST(a_path_is_looked_up_once_and_again_behind_a_barrier)
{
    size_t i;

    rv_sim_file_latency_ms(files, 7);
    for (i = 0; i < 6; i++)
        call("touch", i % 2 ? "{\"r\": \"a\"}" : "{\"r\": \"dir/b\"}");
    call("shell", "{}");
    call("touch", "{\"w\": \"a\"}");
    call("touch", "{\"r\": \"a\"}");
    submit();
    rv_sim_run_ms(runtime, 8);
    cr_assert_eq(resolved(), 2);
    cr_assert_str_eq(order, "abcde"); /* all at once, 7 ms after the submission */
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(resolved(), 3);
    cr_assert_str_eq(order, "abcdeABCDEfFgGhHiI");
}

CLAIMS_TEST(a_barrier_may_change_a_link)
{
    call("touch", "{\"w\": \"link\"}");
    call("touch", "{\"?\": \"\"}");
    call("touch", "{\"w\": \"link\"}");
    call("touch", "{\"r\": \"dir/b\"}");
    submit();
    rv_sim_run_ms(runtime, 15);
    cr_assert_str_eq(order, "aAb");
    rv_sim_file_link(files, "link", "dir/b");
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_str_eq(order, "aAbBcCdD");
    cr_assert_str_eq(claimed[2], "1 path /dir/b");
}

CLAIMS_TEST(many_paths_are_looked_up_side_by_side)
{
    char text[64];
    size_t i;

    rv_sim_file_latency_ms(files, 10);
    options.max_concurrency = 20;
    for (i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "{\"w\": \"file-%zu\"}", i);
        call("touch", text);
    }
    submit();
    rv_sim_run_ms(runtime, 11);
    cr_assert_str_eq(order, "abcdefghijklmnopqrst");
    cr_assert_eq(reeve_runtime_run(runtime), 0);
}

CLAIMS_TEST(writes_first_goes_by_the_effect_of_each_call)
{
    options.grouping = REEVE_GROUPING_WRITES_FIRST;
    call("touch", "{\"r\": \"a\"}");
    call("touch", "{\"w\": \"dir/b\"}");
    call("touch", "{\"r\": \"dir/b\"}");
    call("shell", "{}");
    call("touch", "{}");
    run_all();
    cr_assert_str_eq(order, "bBdDaceACE");
    cr_assert_str_eq(claimed[0], "1 path /a");
    cr_assert_eq(effects[0], REEVE_EFFECT_READ);
}

CLAIMS_TEST(a_claim_that_is_none_fails_the_call)
{
    call("touch", "{\"bad\": \"kind\"}");
    call("touch", "{\"bad\": \"no\"}");
    call("touch", "{\"w\": \"\"}");
    call("touch", "{\"w\": \"a\"}");
    run_all();
    cr_assert_str_eq(order, "dD");
    cr_assert_eq(statuses[0], REEVE_CALL_FAILED);
    cr_assert_str_eq(results[0], reeve_error_text(REEVE_EINVAL));
    cr_assert_str_eq(results[1], reeve_error_text(REEVE_EBUSY));
    cr_assert_eq(statuses[2], REEVE_CALL_FAILED);
    cr_assert_eq(statuses[3], REEVE_CALL_SUCCEEDED);
}

CLAIMS_TEST(a_path_that_cannot_be_looked_up_is_taken_as_it_is_written)
{
    rv_sim_file_fail(files, RV_SIM_FILE_RESOLVE, 1, EACCES);
    call("touch", "{\"w\": \"x/../link\"}");
    run_all();
    cr_assert_str_eq(claimed[0], "1 path /link");
}

CLAIMS_TEST(the_file_tools_claim_their_paths)
{
    call("touch", "{\"w\": \"link\"}");
    call("read_file", "{\"path\": \"a\"}");
    call("list_directory", "{}");
    call("read_file", "{\"path\": \"dir/b\"}");
    call("read_file", "{\"path\": 5}");
    submit();
    rv_sim_run_ms(runtime, 5);
    cr_assert_eq(reeve_batch_result(batch, 1)->status, REEVE_CALL_PENDING);
    cr_assert_eq(reeve_batch_result(batch, 2)->status, REEVE_CALL_PENDING);
    cr_assert_eq(reeve_batch_result(batch, 3)->status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(reeve_batch_result(batch, 4)->status, REEVE_CALL_INVALID);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(statuses[1], REEVE_CALL_SUCCEEDED);
    cr_assert_eq(statuses[2], REEVE_CALL_SUCCEEDED);
}

/* Two paths that take 10 ms, and an end after 5. */
static void be_under_way(void)
{
    rv_sim_file_latency_ms(files, 10);
    call("touch", "{\"w\": \"a\"}");
    call("touch", "{\"r\": \"a\", \"w\": \"dir\"}");
    submit();
    rv_sim_run_ms(runtime, 5);
    cr_assert_str_eq(order, "");
    cr_assert_eq(rv_sim_file_pending(files), 2);
}

CLAIMS_TEST(a_call_is_cancelled_while_its_path_is_looked_up)
{
    be_under_way();
    reeve_batch_cancel_call(batch, 0);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_str_eq(order, "bB");
    cr_assert_eq(statuses[0], REEVE_CALL_CANCELED);
    cr_assert_eq(statuses[1], REEVE_CALL_SUCCEEDED);
}

CLAIMS_TEST(a_batch_is_cancelled_while_paths_are_looked_up)
{
    be_under_way();
    reeve_batch_cancel(batch);
    rv_sim_run_ms(runtime, 1);
    cr_assert_eq(done, 1);
    cr_assert_eq(rv_sim_file_pending(files), 0);
    cr_assert_eq(statuses[1], REEVE_CALL_CANCELED);
}

CLAIMS_TEST(a_disk_that_does_not_answer_is_not_waited_for)
{
    options.timeout_ms = 50;
    rv_sim_file_stall(files, RV_SIM_FILE_RESOLVE, 1);
    call("touch", "{\"w\": \"a\"}");
    call("touch", "{\"w\": \"dir\"}");
    run_all();
    cr_assert_eq(statuses[0], REEVE_CALL_TIMED_OUT);
    cr_assert_eq(statuses[1], REEVE_CALL_SUCCEEDED);
    cr_assert_str_eq(order, "bB");
}

CLAIMS_TEST(a_toolbox_is_freed_while_paths_are_looked_up)
{
    be_under_way();
    reeve_toolbox_free(toolbox);
    toolbox = NULL;
    cr_assert_eq(done, 1);
    cr_assert_eq(rv_sim_file_pending(files), 0);
}

/* Calls that wait for each other in every way there is. */
static int whole_order(struct rv_test *run, void *arg)
{
    struct reeve_runtime_options runtime_options;
    size_t i;
    int error;

    (void)arg;
    reeve_runtime_options_init(&runtime_options);
    runtime_options.allocator = &run->allocator;
    error = reeve_runtime_new(NULL, &runtime_options, &runtime);
    if (error)
        return error;
    make_files();
    error = open_toolbox();
    if (error) {
        reeve_runtime_free(runtime);
        return error;
    }
    reeve_batch_options_init(&options);
    options.skip_sharing = 1; /* the calls differ in their ids alone */
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.on_done = on_done;
    count = done = 0;
    order[0] = '\0';
    call("touch", "{\"w\": \"a\", \"db\": \"x\"}");
    call("touch", "{\"w\": \"dir/b\"}");
    call("touch", "{\"r\": \"dir\"}");
    call("touch", "{\"r\": \"/\"}");
    call("touch", "{\"w\": \"link\", \"r\": \"dir\"}");
    call("list_directory", "{}");
    call("shell", "{}");
    call("touch", "{\"w\": \"dir\"}");
    error = reeve_batch_run(toolbox, calls, count, &options, &batch);
    if (!error) {
        cr_assert_eq(reeve_runtime_run(runtime), 0);
        cr_assert_eq(done, 1);
        for (i = 0; i < count; i++)
            if (statuses[i] != REEVE_CALL_SUCCEEDED)
                error = REEVE_ENOMEM;
    }
    reeve_toolbox_free(toolbox);
    reeve_runtime_free(runtime);
    return error;
}

RV_TEST(claims, survive_any_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, whole_order, NULL, 20);
}
