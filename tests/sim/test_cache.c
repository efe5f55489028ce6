/* SPDX-License-Identifier: MIT */
/* Kept results: what answers a call, what does not, and what makes it forgotten. */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;

static void begin(struct rv_test *t)
{
    rig_open(&rig, t);
    rv_sim_file_put(rig.files, "a", "", 0);
    rv_sim_file_put(rig.files, "d/x/y", "", 0);
    rv_sim_file_link(rig.files, "link", "a");
}

static void end(struct rv_test *t)
{
    (void)t;
    rig_close(&rig);
}

#define CACHE_TEST(name) RV_TEST(cache, name, RV_FIXTURE(begin, end))

/* ---- what answers ----------------------------------------------------------------------------
 */

CACHE_TEST(an_equal_call_is_answered_by_an_earlier_ones_result)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\", \"n\": 10, \"x\": [1, {}]}", "run 1");
    RIG_HITS(&rig, "read", "{\"r\": \"a\", \"n\": 10, \"x\": [1, {}]}", "run 1");
    RIG_HITS(&rig, "read", "{\"x\":[1.0,{}],\"n\":1e1,\"r\":\"\\u0061\"}", "run 1");
    RIG_RUNS(&rig, "read", "{\"r\": \"a\", \"n\": \"10\", \"x\": [1, {}]}", "run 2");
    RIG_RUNS(&rig, "read", "{\"r\": \"a\", \"n\": 10, \"x\": [{}, 1]}", "run 3");
    RIG_RUNS(&rig, "all", "{\"r\": \"a\", \"n\": 10, \"x\": [1, {}]}", "run 4");
    cr_assert_eq(rig_cache(&rig).hits, 2);
    cr_assert_eq(rig_cache(&rig).misses, 4);
    cr_assert_eq(rig_cache(&rig).stores, 4);
    cr_assert_eq(rig_cache(&rig).entries, 4);
}

CACHE_TEST(an_empty_result_answers_too)
{
    RIG_RUNS(&rig, "read", "{\"how\": \"empty\"}", "");
    RIG_HITS(&rig, "read", "{\"how\": \"empty\"}", "");
    cr_assert_eq(rig.runs, 1);
}

CACHE_TEST(a_long_result_and_one_that_was_streamed_come_whole)
{
    RIG_RUNS(&rig, "read", "{\"how\": \"stream\"}", "part 1, then run 1");
    RIG_HITS(&rig, "read", "{\"how\": \"stream\"}", "part 1, then run 1");
    cr_assert_eq(rig.calls[1].on_output, 0);
}

CACHE_TEST(nothing_but_a_success_is_kept)
{
    static const char *const ends[] = {"{\"how\": \"fail\"}", "{\"how\": \"pass\"}",
                                       "{\"how\": \"refuse\"}", "{\"ms\": 50}",
                                       "{\"how\": \"cancel\"}"};
    size_t i, k;

    rig.options.timeout_ms = 40;
    rig.options.max_attempts = 1;
    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (k = 1; k <= 2; k++) {
            size_t call = rig_call(&rig, "read", "%s", ends[i]);

            rig_run(&rig);
            cr_assert_neq(rig.calls[call].status, REEVE_CALL_SUCCEEDED);
            cr_assert_eq(rig.calls[call].source, REEVE_SOURCE_RUN);
        }
        cr_assert_eq(rig.runs, 2 * (i + 1));
    }
    cr_assert_eq(rig_cache(&rig).stores, 0);
}

CACHE_TEST(a_tool_that_does_not_say_so_is_asked_every_time)
{
    RIG_RUNS(&rig, "plain", "{\"r\": \"a\"}", "run 1");
    RIG_RUNS(&rig, "plain", "{\"r\": \"a\"}", "run 2");
    RIG_RUNS(&rig, "read", "{\"r\": \"a\", \"w\": \"b\"}", "run 3"); /* it writes */
    RIG_RUNS(&rig, "read", "{\"r\": \"a\", \"w\": \"b\"}", "run 4");
    cr_assert_eq(rig_cache(&rig).misses, 0);
}

CACHE_TEST(a_hit_takes_no_permit)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig.options.max_concurrency = 1;
    rig_call(&rig, "plain", "{\"ms\": 50}");
    rig_call(&rig, "plain", "{\"ms\": 50, \"n\": 1}");
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[3].source, REEVE_SOURCE_CACHE);
    cr_assert_eq(rig.calls[3].result_ms, 0);
    cr_assert_eq(rig.calls[3].attempts, 0);
    cr_assert_eq(rig.calls[2].released_ms, 100);
    cr_assert_eq(rig.batches[1].stats.peak_running, 1);
    cr_assert_eq(rig.batches[1].stats.cached, 1);
}

CACHE_TEST(a_hit_keeps_its_order)
{
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_call(&rig, "write", "{\"w\": \"a\", \"ms\": 20}");
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_call(&rig, "write", "{\"w\": \"b\", \"ms\": 20}");
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_run(&rig);
    cr_assert_str_eq(rig.log, "a+ a- b+ d+ b- d- c+ c-");
    cr_assert_str_eq(rig.calls[4].text, rig.calls[2].text);
    cr_assert_neq(rig.calls[4].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig.calls[4].result_ms, 20);
}

/* What has a kept result waits for its turn all the same, and is asked for behind the write. */
CACHE_TEST(a_kept_result_does_not_overtake_a_write)
{
    enum reeve_grouping grouping;

    for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_HAZARDS; grouping++) {
        size_t first = rig.count;

        rig.options.grouping = grouping;
        rig_call(&rig, "read", "{\"r\": \"a\"}");
        rig_run(&rig);
        rig_call(&rig, "write", "{\"w\": \"./a\", \"ms\": 20}");
        rig_call(&rig, "read", "{\"r\": \"a\"}");
        rig_run(&rig);
        cr_assert_eq(rig.calls[first + 2].source, REEVE_SOURCE_RUN);
        cr_assert_eq(rig.calls[first + 2].started_ms[0], rig.calls[first + 1].released_ms);
    }
}

/* ---- what is forgotten -----------------------------------------------------------------------
 */

struct row {
    const char *reads, *tool, *writes;
    bool stays;
};

static const struct row rows[] = {
    {"{\"r\": \"a\"}", "write", "{\"w\": \"a\"}", false},
    {"{\"r\": \"a\"}", "write", "{\"w\": \"./a\"}", false},
    {"{\"r\": \"./a\"}", "write", "{\"w\": \"a\"}", false},
    {"{\"r\": \"a\"}", "write", "{\"w\": \"x/../a\"}", false},
    {"{\"r\": \"a\"}", "write", "{\"w\": \"link\"}", false},
    {"{\"r\": \"link\"}", "write", "{\"w\": \"a\"}", false},
    {"{\"r\": \"/tmp/b\"}", "write", "{\"w\": \"/tmp/./b\"}", false},
    {"{\"r\": \"/tmp/./b\"}", "write", "{\"w\": \"/tmp/b\"}", false},
    {"{\"r\": \"a\"}", "write", "{\"w\": \"ab\"}", true},
    {"{\"r\": \"ab\"}", "write", "{\"w\": \"a\"}", true},
    {"{\"r\": \"d\"}", "write", "{\"w\": \"d/x/y\"}", false},
    {"{\"r\": \"d\"}", "write", "{\"w\": \"d/new\"}", false},
    {"{\"r\": \"d/x/y\"}", "write", "{\"w\": \"d\"}", false},
    {"{\"r\": \"d/none/at/all\"}", "write", "{\"w\": \"d/none\"}", false},
    {"{\"r\": \"d/x\"}", "write", "{\"w\": \"d/xy\"}", true},
    {"{\"r\": \"dd\"}", "write", "{\"w\": \"d\"}", true},
    {"{\"r\": \"d/x\"}", "write", "{\"w\": \"d/y\"}", true},
    {"{\"r\": \"/\"}", "write", "{\"w\": \"d/y\"}", false},
    {"{\"r\": \"d/y\"}", "write", "{\"w\": \"/\"}", false},
    {"{\"r\": \"a\"}", "write", "{\"r\": \"a\", \"w\": \"b\"}", true},
    {"{\"r\": \"a\", \"db\": \"k\"}", "write", "{\"wdb\": \"k\"}", false},
    {"{\"db\": \"k\"}", "write", "{\"wdb\": \"k\"}", false},
    {"{\"db\": \"k\"}", "write", "{\"wdb\": \"k/l\"}", true},
    {"{\"db\": \"k/l\"}", "write", "{\"wdb\": \"k\"}", true},
    {"{\"db\": \"a\"}", "write", "{\"w\": \"a\"}", true},
    {"{\"r\": \"a\"}", "write", "{\"wdb\": \"a\"}", true},
    {"{\"r\": \"a\"}", "write", "{}", true},
    {"{\"r\": \"a\"}", "plain", "{\"r\": \"a\"}", true},
    {"{\"r\": \"a\"}", "over", "{}", false},
    {"{\"r\": \"a\"}", "shell", "{}", false},
    {"{\"db\": \"k\"}", "shell", "{}", false},
    {"{}", "shell", "{}", false},
    {"{}", "over", "{}", false},
    {"{}", "write", "{\"w\": \"a\"}", true},
};

static void try_row(const struct row *row, enum reeve_grouping grouping)
{
    size_t first = rig.count;

    rig.options.grouping = grouping;
    rig_call(&rig, "read", "%s", row->reads);
    rig_run(&rig);
    rig_call(&rig, row->tool, "%s", row->writes);
    rig_run(&rig);
    rig_call(&rig, "read", "%s", row->reads);
    rig_run(&rig);
    cr_assert_eq(rig.calls[first].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig.calls[first + 2].source, row->stays ? REEVE_SOURCE_CACHE : REEVE_SOURCE_RUN,
                 "grouping %d: read of %s, %s of %s", (int)grouping, row->reads, row->tool,
                 row->writes);
}

RV_TEST(cache, what_a_call_writes_is_forgotten_and_nothing_else)
{
    enum reeve_grouping grouping;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (grouping = REEVE_GROUPING_WRITES_FIRST; grouping <= REEVE_GROUPING_NONE; grouping++) {
            begin(t);
            try_row(&rows[i], grouping);
            rig_close(&rig);
        }
    }
}

/* A tool without describe has read everything. */
CACHE_TEST(what_has_read_everything_is_forgotten_with_any_write)
{
    static const char *const writes[] = {"{\"w\": \"z\"}", "{\"wdb\": \"k\"}"};
    size_t i;

    for (i = 0; i < 2; i++) {
        rig_call(&rig, "all", "{}");
        rig_run(&rig);
        RIG_HITS(&rig, "all", "{}", rig.calls[rig.count - 1].text);
        rig_call(&rig, "write", "{}");
        rig_run(&rig);
        RIG_HITS(&rig, "all", "{}", rig.calls[rig.count - 2].text);
        rig_call(&rig, "write", "%s", writes[i]);
        rig_run(&rig);
    }
    rig_call(&rig, "all", "{}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[rig.count - 1].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig_cache(&rig).stale, 2);
}

/* However a write ends, what it may have written is forgotten. */
CACHE_TEST(a_write_that_comes_to_nothing_counts)
{
    static const char *const ends[] = {
        "{\"w\": \"a\", \"how\": \"fail\"}", "{\"w\": \"a\", \"how\": \"refuse\"}",
        "{\"w\": \"a\", \"how\": \"cancel\"}", "{\"w\": \"a\", \"ms\": 500}",
        "{\"w\": \"a\", \"tries\": 2}"};
    size_t i;

    rig.options.timeout_ms = 40;
    rig.options.abandon_ms = 40;
    rig.options.retry_wait_ms = 2;
    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        rig_call(&rig, "read", "{\"r\": \"a\"}");
        rig_run(&rig);
        rig_call(&rig, "write", "%s", ends[i]);
        rig_run(&rig);
        rig_call(&rig, "read", "{\"r\": \"a\"}");
        rig_run(&rig);
        cr_assert_eq(rig.calls[rig.count - 3].status, REEVE_CALL_SUCCEEDED);
        cr_assert_eq(rig.calls[rig.count - 1].source, REEVE_SOURCE_RUN, "%s", ends[i]);
    }
}

CACHE_TEST(a_write_that_was_refused_or_never_started_does_not)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig.asks = true;
    rig.refused = "b";
    rig_call(&rig, "write", "{\"w\": \"a\"}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_REFUSED);
    rig.asks = false;
    rig_call(&rig, "write", "{\"w\": \"a\"}");
    rig_submit(&rig);
    rig_cancel(&rig, 2);
    rig_go(&rig);
    RIG_HITS(&rig, "read", "{\"r\": \"a\"}", "run 1");
}

/* While a write is out nothing is answered, and nothing that runs is kept; and its end counts as
 * its start did, also when its batch has long gone on without it. */
CACHE_TEST(a_write_counts_from_its_start_to_its_end_however_late)
{
    int late;

    for (late = 0; late < 2; late++) {
        size_t first = rig.count;

        rig.options.timeout_ms = late ? 10 : 0;
        rig.options.abandon_ms = 10;
        rig_call(&rig, "read", "{\"r\": \"d/x\"}");
        rig_run(&rig);
        rig_call(&rig, "write", "{\"w\": \"d\", \"how\": \"never\"}");
        rig_submit(&rig);
        rig_go(&rig);
        cr_assert_eq(rig.batches[rig.batch_count - 1].done, (unsigned)late);
        rig_call(&rig, "read", "{\"r\": \"d/x\"}");
        rig_run(&rig);
        cr_assert_eq(rig.calls[first + 2].source, REEVE_SOURCE_RUN);
        rig_call(&rig, "read", "{\"r\": \"d/x\"}");
        rig_run(&rig);
        cr_assert_eq(rig.calls[first + 3].source, REEVE_SOURCE_RUN, "it was kept");
        rig_finish_held(&rig);
        rig_go(&rig);
        rig_call(&rig, "read", "{\"r\": \"d/x\"}");
        rig_run(&rig);
        cr_assert_eq(rig.calls[first + 4].source, REEVE_SOURCE_RUN);
        RIG_HITS(&rig, "read", "{\"r\": \"d/x\"}", rig.calls[first + 4].text);
        rig_call(&rig, "shell", "{}");
        rig_run(&rig);
    }
    cr_assert_eq(rig_cache(&rig).overtaken, 4);
}

CACHE_TEST(a_write_may_end_after_the_toolbox)
{
    rig_call(&rig, "write", "{\"w\": \"a\", \"how\": \"never\"}");
    rig_call(&rig, "shell", "{\"how\": \"never\"}");
    rig.options.grouping = REEVE_GROUPING_NONE;
    rig_submit(&rig);
    rig_go_until(&rig, 1);
    rig_free_toolbox(&rig);
    cr_assert_str_eq(rig.log, "a+ b+");
    rig_finish(&rig, 0);
    rig_free_runtime(&rig);
    rig_finish(&rig, 1);
    cr_assert_eq(rig.calls[0].cancels + rig.calls[1].cancels, 2);
}

/* ---- what is overtaken -----------------------------------------------------------------------
 */

/* A read and a write of another batch, each of which starts and ends at some time: "r" stands for
 * the one's, "w" for the other's. */
static void interleave(struct rv_test *t, const char *order, const char *writes)
{
    bool read_first = !strcmp(order, "rrww"), write_first = !strcmp(order, "wwrr");
    bool read_out = false, write_out = false;
    size_t reader = RIG_NOBODY, writer = RIG_NOBODY;

    begin(t);
    rig.options.timeout_ms = 0;
    for (; *order; order++) {
        if (*order == 'r' && !read_out) {
            reader = rig_call(&rig, "read", "{\"r\": \"d\", \"how\": \"never\"}");
            rig_submit(&rig);
        } else if (*order == 'r') {
            rig_finish(&rig, reader);
        } else if (!write_out) {
            writer = rig_call(&rig, "write", "%s", writes);
            rig_submit(&rig);
        } else {
            rig_finish(&rig, writer);
        }
        read_out |= *order == 'r';
        write_out |= *order == 'w';
        rig_go(&rig);
    }
    cr_assert_eq(rig_cache(&rig).stores, read_first || write_first);
    cr_assert_eq(rig_cache(&rig).overtaken, !(read_first || write_first));
    rig_call(&rig, "read", "{\"r\": \"d\", \"how\": \"never\"}");
    rig_submit(&rig);
    rig_go(&rig);
    cr_assert_eq(rig_cache(&rig).hits, write_first);
    rig_finish_held(&rig);
    rig_go(&rig);
    rig_close(&rig);
}

RV_TEST(cache, a_read_that_meets_a_write_of_another_batch_is_not_kept)
{
    static const char *const orders[] = {"rrww", "wwrr", "rwrw", "rwwr", "wrrw", "wrwr"};
    static const char *const writes[] = {"{\"w\": \"d\", \"how\": \"never\"}",
                                         "{\"w\": \"d/x\", \"how\": \"never\"}",
                                         "{\"w\": \"/\", \"how\": \"never\"}"};
    size_t i, k;

    for (i = 0; i < 6; i++)
        for (k = 0; k < 3; k++)
            interleave(t, orders[i], writes[k]);
}

CACHE_TEST(a_write_of_something_else_overtakes_nothing)
{
    rig.options.timeout_ms = 0;
    rig_call(&rig, "read", "{\"r\": \"d\", \"how\": \"never\"}");
    rig_submit(&rig);
    rig_call(&rig, "write", "{\"w\": \"e\", \"how\": \"never\"}");
    rig_submit(&rig);
    rig_go(&rig);
    rig_finish(&rig, 0);
    rig_go(&rig);
    rig_call(&rig, "read", "{\"r\": \"d\", \"how\": \"never\"}");
    rig_run(&rig);
    rig_finish(&rig, 1);
    rig_go(&rig);
    rig_call(&rig, "read", "{\"r\": \"d\", \"how\": \"never\"}");
    rig_run(&rig);
    cr_assert_eq(rig_cache(&rig).overtaken, 0);
    cr_assert_eq(rig_cache(&rig).hits, 2);
}

/* ---- who is answered -------------------------------------------------------------------------
 */

CACHE_TEST(a_tool_that_is_off_answers_nobody)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "read", 0), 0);
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_UNKNOWN);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_RUN);
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "read", 1), 0);
    RIG_HITS(&rig, "read", "{\"r\": \"a\"}", "run 1");
}

/* The same if it is switched off while the call waits for its turn. */
CACHE_TEST(a_tool_that_is_switched_off_meanwhile_answers_nobody)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig_call(&rig, "write", "{\"w\": \"b\", \"ms\": 10}");
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig.options.grouping = REEVE_GROUPING_WRITES_FIRST;
    rig_submit(&rig);
    rig_go_until(&rig, 5);
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "read", 0), 0);
    rig_go(&rig);
    cr_assert_eq(rig.calls[2].status, REEVE_CALL_UNKNOWN);
    cr_assert_eq(rig_cache(&rig).hits, 0);
}

/* Or while the host is asked about it. */
CACHE_TEST(a_tool_that_is_switched_off_in_a_question_answers_nobody)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig.asks = true;
    rig.says_nothing = true;
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_submit(&rig);
    rig_go(&rig);
    cr_assert_eq(reeve_toolbox_enable(rig.toolbox, "read", 0), 0);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go(&rig);
    cr_assert_eq(rig.calls[1].status, REEVE_CALL_UNKNOWN);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_RUN);
}

CACHE_TEST(a_call_is_permitted_before_it_is_answered)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig.asks = true;
    rig.refused = "c";
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_run(&rig);
    cr_assert_eq(rig.calls[1].asked, 1);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_CACHE);
    cr_assert_eq(rig.calls[2].asked, 1);
    cr_assert_eq(rig.calls[2].status, REEVE_CALL_REFUSED);
    cr_assert_eq(rig.calls[2].source, REEVE_SOURCE_RUN);
    cr_assert_eq(rig.runs, 1);
}

/* Nor before the host has answered, and then by what is right at that time. */
CACHE_TEST(a_call_is_not_answered_while_it_is_asked_about)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig.asks = true;
    rig.says_nothing = true;
    rig_call(&rig, "read", "{\"r\": \"a\"}");
    rig_submit(&rig);
    rig_go(&rig);
    cr_assert_eq(rig.asked, 1);
    cr_assert_eq(rig.calls[1].on_result, 0);
    rig.asks = false;
    rig_call(&rig, "write", "{\"w\": \"a\"}");
    rig_run(&rig);
    rig_answer(&rig, REEVE_PERMISSION_ALLOW);
    rig_go(&rig);
    cr_assert_eq(rig.calls[1].source, REEVE_SOURCE_RUN);
    cr_assert_str_eq(rig.calls[1].text, "run 3");
}

CACHE_TEST(skip_cache_neither_looks_nor_keeps)
{
    rig.options.skip_cache = 1;
    RIG_RUNS(&rig, "read", "{}", "run 1");
    rig.options.skip_cache = 0;
    RIG_RUNS(&rig, "read", "{}", "run 2");
    rig.options.skip_cache = 1;
    rig.options.cache_scope = "s";
    RIG_RUNS(&rig, "read", "{}", "run 3");
    rig.options.cache_scope = NULL;
    rig.options.skip_cache = 0;
    RIG_HITS(&rig, "read", "{}", "run 2");
    cr_assert_eq(rig_cache(&rig).misses, 1);
    cr_assert_eq(rig_cache(&rig).stores, 1);
}

/* Whoever skips it writes all the same. */
CACHE_TEST(a_write_that_skips_the_cache_counts)
{
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 1");
    rig.options.skip_cache = 1;
    RIG_RUNS(&rig, "write", "{\"w\": \"a\"}", "run 2");
    rig.options.skip_cache = 0;
    RIG_RUNS(&rig, "read", "{\"r\": \"a\"}", "run 3");
}

CACHE_TEST(a_scope_is_answered_from_itself_only)
{
    char scope[] = "user 1";
    void *context = &scope, *contexts[] = {NULL};

    RIG_RUNS(&rig, "read", "{}", "run 1");
    rig.options.cache_scope = scope;
    RIG_RUNS(&rig, "read", "{}", "run 2");
    scope[5] = '2';
    RIG_RUNS(&rig, "read", "{}", "run 3");
    scope[5] = '1';
    RIG_HITS(&rig, "read", "{}", "run 2");
    rig.options.context = context; /* the scope says whose it is */
    RIG_HITS(&rig, "read", "{}", "run 2");
    rig.options.cache_scope = NULL;
    RIG_RUNS(&rig, "read", "{}", "run 4");
    RIG_RUNS(&rig, "read", "{}", "run 5");
    rig.options.context = NULL;
    contexts[0] = context;
    rig.options.contexts = contexts;
    RIG_RUNS(&rig, "read", "{}", "run 6");
    rig.options.contexts = NULL;
    RIG_HITS(&rig, "read", "{}", "run 1");
    rig.options.cache_scope = "";
    RIG_HITS(&rig, "read", "{}", "run 1");
}

CACHE_TEST(another_cap_is_another_question)
{
    RIG_RUNS(&rig, "read", "{}", "run 1");
    rig.options.max_output_bytes = 256;
    RIG_RUNS(&rig, "read", "{}", "run 2");
    rig.options.max_output_bytes = 256 * 1024;
    RIG_HITS(&rig, "read", "{}", "run 1");
}

/* ---- bounds ----------------------------------------------------------------------------------
 */

static void bound(size_t max_size, size_t max_bytes, uint64_t ttl_ms)
{
    struct reeve_tool_cache_options options;

    reeve_tool_cache_options_init(&options);
    cr_assert(options.max_size == 1000 && options.max_bytes == 16 << 20 && !options.ttl_ms);
    options.max_size = max_size;
    options.max_bytes = max_bytes;
    options.ttl_ms = ttl_ms;
    cr_assert_eq(reeve_toolbox_set_cache(rig.toolbox, &options), 0);
}

CACHE_TEST(a_result_is_good_for_its_time)
{
    bound(1000, 1 << 20, 100);
    RIG_RUNS(&rig, "read", "{\"ms\": 10}", "run 1");
    rig_go_until(&rig, 109);
    RIG_HITS(&rig, "read", "{\"ms\": 10}", "run 1");
    rig_go_until(&rig, 110);
    RIG_RUNS(&rig, "read", "{\"ms\": 10}", "run 2");
    cr_assert_eq(rig_cache(&rig).expired, 1);
    bound(1000, 1 << 20, UINT64_MAX);
    RIG_RUNS(&rig, "read", "{\"ms\": 10}", "run 3");
    RIG_HITS(&rig, "read", "{\"ms\": 10}", "run 3");
}

CACHE_TEST(the_least_recently_used_goes_first)
{
    bound(2, 1 << 20, 0);
    RIG_RUNS(&rig, "read", "{\"n\": 1}", "run 1");
    RIG_RUNS(&rig, "read", "{\"n\": 2}", "run 2");
    RIG_HITS(&rig, "read", "{\"n\": 1}", "run 1");
    RIG_RUNS(&rig, "read", "{\"n\": 3}", "run 3");
    RIG_HITS(&rig, "read", "{\"n\": 1}", "run 1");
    RIG_RUNS(&rig, "read", "{\"n\": 2}", "run 4");
    cr_assert_eq(rig_cache(&rig).evicted, 2);
    cr_assert_eq(rig_cache(&rig).entries, 2);
}

CACHE_TEST(without_room_nothing_is_kept)
{
    bound(0, 1 << 20, 0);
    RIG_RUNS(&rig, "read", "{}", "run 1");
    RIG_RUNS(&rig, "read", "{}", "run 2");
    cr_assert_eq(rig_cache(&rig).misses, 0);
    bound(10, 10, 0);
    RIG_RUNS(&rig, "read", "{}", "run 3");
    RIG_RUNS(&rig, "read", "{}", "run 4");
    cr_assert_eq(rig_cache(&rig).bytes, 0);
    cr_assert_eq(reeve_toolbox_set_cache(rig.toolbox, NULL), 0);
    RIG_RUNS(&rig, "read", "{}", "run 5");
    RIG_HITS(&rig, "read", "{}", "run 5");
    cr_assert_eq(reeve_toolbox_set_cache(rig.toolbox, NULL), 0);
    cr_assert_eq(rig_cache(&rig).entries, 0);
    RIG_RUNS(&rig, "read", "{}", "run 6");
}

CACHE_TEST(clearing_drops_what_is_kept_and_what_runs)
{
    static const char *const calls[] = {"{\"r\": \"a\", \"ms\": 20}", "{\"ms\": 20}"};
    size_t i;

    for (i = 0; i < 2; i++) {
        size_t first = rig.count;

        rig_call(&rig, "read", "%s", calls[i]);
        rig_submit(&rig);
        rig_go_until(&rig, 100 * i + 10);
        reeve_toolbox_clear_cache(rig.toolbox);
        rig_go(&rig);
        rig_call(&rig, "read", "%s", calls[i]);
        rig_run(&rig);
        cr_assert_eq(rig.calls[first + 1].source, REEVE_SOURCE_RUN, "%s was kept", calls[i]);
        RIG_HITS(&rig, "read", calls[i], rig.calls[first + 1].text);
        reeve_toolbox_clear_cache(rig.toolbox);
        rig_call(&rig, "read", "%s", calls[i]);
        rig_run(&rig);
        cr_assert_eq(rig.calls[first + 3].source, REEVE_SOURCE_RUN);
        rig_go_until(&rig, 100 * (i + 1));
    }
}

CACHE_TEST(what_makes_no_sense_is_refused)
{
    struct reeve_tool_cache_options options;
    struct reeve_tool_cache_stats stats = {
        .size = offsetof(struct reeve_tool_cache_stats, hits), .hits = 77, .evicted = 78};

    reeve_tool_cache_options_init(&options);
    options.size = 0;
    cr_assert_eq(reeve_toolbox_set_cache(rig.toolbox, &options), REEVE_EINVAL);
    cr_assert_eq(reeve_toolbox_cache_stats(rig.toolbox, NULL), REEVE_EINVAL);
    cr_assert_eq(reeve_toolbox_cache_stats(rig.toolbox, &stats), 0);
    cr_assert(stats.hits == 77 && stats.evicted == 78, "an older, shorter struct");
    stats.size = 0;
    cr_assert_eq(reeve_toolbox_cache_stats(rig.toolbox, &stats), REEVE_EINVAL);
}
