/* SPDX-License-Identifier: MIT */
/*
 * What a call takes while it is under way is used again: what a long batch takes at a time is its
 * texts and its results, and not what its arguments come to.
 */
#include "tests/sim/runtime.h"

#include <reeve/batch.h>
#include <reeve/tool.h>
#include <stdio.h>

enum {
    CALLS = 3000,
    NUMBERS = 64, /* in the arguments: they take 16 bytes and more, of 2 written */
    TEXT_BYTES = 200,
    CALL_BYTES = 200,        /* of a call besides its text, and its result */
    OTHER_BYTES = 256 << 10, /* for all calls together */
};

static char text[TEXT_BYTES];
static struct reeve_call calls[CALLS];

static int look(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    cr_assert_eq(reeve_json_count(reeve_json_get(reeve_tool_call_arguments(call), "n")), NUMBERS);
    reeve_tool_call_finish(call, "done", 4);
    return 0;
}

static int claim(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)call;
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_READ, "db", "all of it");
}

static void note_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};

    (void)arg;
    cr_assert(!error && !reeve_batch_stats(batch, &stats));
    cr_assert_eq(stats.succeeded, CALLS);
    note('d');
}

static void write_calls(void)
{
    size_t len = (size_t)snprintf(text, sizeof text, "{\"n\":[1"), i;

    for (i = 1; i < NUMBERS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ",%zu", i % 10);
    len += (size_t)snprintf(text + len, sizeof text - len, "]}");
    for (i = 0; i < CALLS; i++)
        calls[i] =
            (struct reeve_call){.id = "c", .name = "look", .arguments = text, .arguments_len = len};
}

static size_t peak_of_a_batch(struct rv_test *t, struct reeve_toolbox *toolbox,
                              enum reeve_grouping grouping)
{
    const size_t before = t->failing.live_bytes;
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    reeve_batch_options_init(&options);
    options.skip_sharing = 1;
    options.grouping = grouping;
    options.on_done = note_done;
    t->failing.peak_bytes = before;
    cr_assert_eq(reeve_batch_run(toolbox, calls, CALLS, &options, &batch), 0);
    reeve_runtime_run(runtime);
    return t->failing.peak_bytes - before;
}

RV_SIM_TEST(batch_memory, of_arguments_and_claims_is_used_again)
{
    static const enum reeve_grouping groupings[] = {REEVE_GROUPING_WRITES_FIRST,
                                                    REEVE_GROUPING_HAZARDS, REEVE_GROUPING_NONE};
    int (*const describe[])(struct reeve_tool_call *, struct reeve_claims *, void *) = {NULL,
                                                                                        claim};
    struct reeve_toolbox *toolbox;
    struct reeve_tool tool;
    size_t i, k;

    write_calls();
    for (i = 0; i < 2; i++) {
        cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
        reeve_tool_init(&tool);
        tool.name = "look";
        tool.effect = REEVE_EFFECT_READ;
        tool.start = look;
        tool.describe = describe[i];
        cr_assert_eq(reeve_toolbox_add(toolbox, &tool), 0);
        for (k = 0; k < 3; k++)
            cr_assert_lt(peak_of_a_batch(t, toolbox, groupings[k]),
                         CALLS * (calls[0].arguments_len + CALL_BYTES) + OTHER_BYTES);
        reeve_toolbox_free(toolbox);
    }
    cr_assert_str_eq(record, "dddddd");
}
