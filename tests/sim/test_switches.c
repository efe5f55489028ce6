/* SPDX-License-Identifier: MIT */
/* Steps on a call's way that a host can switch off, and what the times of writes are good for where
 * nothing is kept. */
#include "tests/sim/rig.h"

#include <stdio.h>
#include <string.h>

static struct rig rig;

static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define SWITCH_TEST(name, ...) RV_TEST(switches, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

/* ---- without a check of the arguments --------------------------------------------------------
 */

static void add_strict(void)
{
    struct reeve_tool tool;

    rig_tool_init(&rig, &tool, "strict", REEVE_EFFECT_READ);
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},"
                      "\"required\":[\"n\"]}";
    rig_add(&rig, &tool);
}

SWITCH_TEST(arguments_are_not_checked)
{
    add_strict();
    rig_call(&rig, "strict", "{}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[0].status, REEVE_CALL_INVALID);
    rig.options.skip_validation = 1;
    rig_call(&rig, "strict", "{}");
    rig_call(&rig, "strict", "{\"n\": \"5\"}");
    rig_call(&rig, "strict", "{'n': 5,}");
    rig_call(&rig, "strict", "[]");
    rig_run(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(rig.calls[2].status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(rig.calls[3].status, REEVE_CALL_SUCCEEDED, "what is no JSON is put right");
    cr_assert_eq(rig.calls[4].status, REEVE_CALL_INVALID, "arguments are an object");
    cr_assert_eq(rig.batches[1].stats.normalized, 1, "and what is JSON stays as it is");
    rig.options.skip_normalization = 1;
    rig_call(&rig, "strict", "{'n': 5,}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[5].status, REEVE_CALL_INVALID);
}

static void all_have_failed(struct reeve_batch *batch, int error, void *arg)
{
    bool *done = arg;
    size_t i;

    cr_assert_eq(error, 0);
    for (i = 0; i < reeve_batch_count(batch); i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        cr_assert_eq(result->status, REEVE_CALL_FAILED, "%s: %s", result->tool, result->text);
        cr_assert_gt(result->len, 20, "%s says what is wrong", result->tool);
    }
    *done = true;
}

/* The tools of ours see for themselves. */
SWITCH_TEST(the_file_tools_check_for_themselves)
{
    static const char *const wrong[][2] = {
        {"read_file", "{}"},
        {"read_file", "{\"path\": 5}"},
        {"read_file", "{\"path\": \"a\", \"offset\": -1}"},
        {"list_directory", "{\"path\": \"a\", \"recursive\": \"no\"}"},
        {"write_file", "{\"path\": \"a\"}"},
        {"write_file", "{\"path\": \"a\", \"content\": 7}"},
        {"edit_file", "{\"path\": \"a\", \"old_text\": 1, \"new_text\": []}"},
        {"find_files", "{\"pattern\": {}}"},
    };
    enum { CALLS = sizeof wrong / sizeof wrong[0] };
    struct reeve_batch_options options;
    struct reeve_call calls[CALLS];
    struct reeve_toolbox *toolbox;
    struct reeve_batch *batch;
    bool done = false;
    size_t i;

    for (i = 0; i < CALLS; i++)
        calls[i] = (struct reeve_call){.id = "c",
                                       .name = wrong[i][0],
                                       .arguments = wrong[i][1],
                                       .arguments_len = strlen(wrong[i][1])};
    cr_assert_eq(reeve_toolbox_new(rig.runtime, &toolbox), 0);
    cr_assert_eq(reeve_toolbox_add_files(toolbox, "/anywhere"), 0);
    reeve_batch_options_init(&options);
    options.skip_validation = 1;
    options.on_done = all_have_failed;
    options.arg = &done;
    cr_assert_eq(reeve_batch_run(toolbox, calls, CALLS, &options, &batch), 0);
    rig_go(&rig);
    cr_assert(done);
    reeve_toolbox_free(toolbox);
}

/* ---- without times ---------------------------------------------------------------------------
 */

SWITCH_TEST(the_clock_is_not_read_for_calls)
{
    struct reeve_tool_stats stats = {.size = sizeof stats};

    rig.options.skip_timing = 1;
    rig_call(&rig, "plain", "{\"ms\": 20}");
    rig_call(&rig, "plain", "{\"ms\": 30, \"how\": \"fail\"}");
    rig_call(&rig, "plain", "{\"how\": \"never\"}");
    rig.options.timeout_ms = 50;
    rig_submit(&rig);
    rig_go_until(&rig, 60);
    rig_finish_held(&rig);
    rig_go(&rig);
    cr_assert_eq(rig.calls[2].status, REEVE_CALL_TIMED_OUT, "limits hold all the same");
    cr_assert_eq(rig.batches[0].stats.sum_us, 0);
    cr_assert_eq(rig.batches[0].stats.calls, 3);
    cr_assert_eq(rig.batches[0].stats.wall_us, 60000);
    cr_assert_eq(reeve_toolbox_stats(rig.toolbox, "plain", &stats), 0);
    cr_assert_eq(stats.calls, 3);
    cr_assert_eq(stats.succeeded, 1);
    cr_assert_eq(stats.failed, 2);
    cr_assert_eq(stats.time_us, 0);
}

/* ---- what keeps whom from sharing ------------------------------------------------------------
 */

/* While a read runs for which nobody waits yet, another batch writes, and an equal read comes. */
static enum reeve_result_source late_comer(const char *reads, const char *writer,
                                           const char *written)
{
    size_t first = rig.count;
    uint64_t now_ms = (rv_sim_now_ns(rig.runtime) - rig.opened_ns) / 1000000;

    rig.asks = true;
    rig.says_nothing = true;
    rig_call(&rig, "plain", "%s", reads);
    rig_call(&rig, "plain", "%s", reads);
    rig_submit(&rig);
    rig_go_until(&rig, now_ms + 1);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go_until(&rig, now_ms + 10);
    rig.asks = false;
    rig_call(&rig, writer, "%s", written);
    rig_submit(&rig);
    rig_go_until(&rig, now_ms + 20);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go(&rig);
    cr_assert_eq(rig.calls[first].source, REEVE_SOURCE_RUN);
    return rig.calls[first + 1].source;
}

SWITCH_TEST(a_write_of_something_else_keeps_nobody_from_sharing)
{
    static const char reads[] = "{\"r\": \"dir/a\", \"db\": \"k\", \"ms\": 50}";
    static const struct {
        const char *writer, *written;
        enum reeve_result_source source;
    } rows[] = {
        {"write", "{\"w\": \"dir/b\"}", REEVE_SOURCE_SHARED},
        {"write", "{\"w\": \"dir/ab\"}", REEVE_SOURCE_SHARED},
        {"write", "{\"wdb\": \"kk\"}", REEVE_SOURCE_SHARED},
        {"write", "{\"w\": \"dir/a\"}", REEVE_SOURCE_RUN},
        {"write", "{\"w\": \"dir\"}", REEVE_SOURCE_RUN},
        {"write", "{\"w\": \"dir/a/x\"}", REEVE_SOURCE_RUN},
        {"write", "{\"wdb\": \"k\"}", REEVE_SOURCE_RUN},
        {"write", "{\"w\": \"dir/a\", \"how\": \"fail\"}", REEVE_SOURCE_RUN},
        {"over", "{}", REEVE_SOURCE_RUN},
        {"shell", "{}", REEVE_SOURCE_RUN},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_eq(late_comer(reads, rows[i].writer, rows[i].written), rows[i].source, "%s %s",
                     rows[i].writer, rows[i].written);
}
