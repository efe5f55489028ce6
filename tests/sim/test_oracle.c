/* SPDX-License-Identifier: MIT */
/*
 * Random batches under REEVE_GROUPING_HAZARDS, judged by a model of its own (oracle.h): they end as
 * one call after another does. What a call has done shows whenever it does it, in two halves, at
 * its start and at its end, so that no two calls that touch the same can overlap unseen. The calls
 * that ran are done again, one after another in the order given, in a second world: every read must
 * have seen the same, and both worlds must be the same at last. And no call waited that need not:
 * from the times it is computed who had to wait for whom.
 */
#include "base/list.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "tests/lib/test.h"
#include "tests/sim/deeds.h"
#include "tests/sim/sim.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = 3000,
    CALLS = 48,
    CANCELS = 4,
    TIMEOUT_MS = 25,
    ABANDON_MS = 1000,
};

#define MS UINT64_C(1000000)

struct round;

struct job {
    struct round *round;
    struct deed deed;
    bool describes;          /* way EVERYTHING: by a claim of an unknown effect */
    struct deed_trace trace; /* in the world that ran side by side, */
    char place[DEED_TOUCHES][ORACLE_PATH_BYTES]; /* and one after another */
    unsigned ms;
    bool fails, ends_on_cancel;
    struct reeve_tool_call *call; /* while it is out */
    struct rv_timer timer;
    bool started, whole;
    uint64_t started_ns, released_ns, answered_ns, passed_ns;
};

struct cancel {
    struct rv_sim_event event;
    struct round *round;
    size_t index;
};

struct round {
    struct rv_test *t;
    uint64_t seed;
    struct reeve_runtime *runtime;
    struct rv_sim_files *files;
    struct reeve_toolbox *toolbox;
    struct reeve_batch *batch;
    struct oracle side_by_side, in_order;
    struct job jobs[CALLS];
    struct reeve_call calls[CALLS];
    char ids[CALLS][24];
    size_t count;
    uint32_t limit;
    uint64_t latency_ms;
    uint64_t opened_ns;
    struct cancel cancels[CANCELS];
    unsigned done;
};

#define WANT(round, i, condition)                                                                  \
    cr_assert(condition, "seed %llu, call %zu: %s", (unsigned long long)(round)->seed,             \
              (size_t)(i), #condition)

static unsigned pick(const struct round *round, unsigned below)
{
    return (unsigned)(rv_test_random(round->t) % below);
}

/* ---- what a call does ------------------------------------------------------------------------
 */

static struct job *job_of(struct round *round, const struct reeve_tool_call *call)
{
    return &round->jobs[strtoul(reeve_tool_call_id(call) + 1, NULL, 10)];
}

static void do_part(struct job *job, enum deed_part part)
{
    struct round *round = job->round;

    deed_do(&job->deed, &round->side_by_side, round->files, (uint64_t)(job - round->jobs), part,
            &job->trace);
}

static void end_job(struct job *job, bool whole)
{
    struct reeve_tool_call *call = job->call;

    job->call = NULL;
    job->whole = whole;
    job->released_ns = rv_precise_now_ns(job->round->runtime);
    rv_timer_stop(job->round->runtime, &job->timer);
    if (whole)
        do_part(job, DEED_END);
    if (job->fails)
        reeve_tool_call_fail(call, 0, "no", 2);
    else
        reeve_tool_call_finish(call, "yes", 3);
}

static void job_due(struct rv_timer *timer)
{
    end_job(rv_container_of(timer, struct job, timer), true);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct round *round = arg;
    struct job *job = job_of(round, call);

    job->call = call;
    job->started = true;
    job->started_ns = rv_precise_now_ns(round->runtime);
    do_part(job, DEED_BEGIN);
    rv_timer_init(&job->timer, job_due);
    if (job->ms)
        rv_timer_start_ms(round->runtime, &job->timer, job->ms);
    else
        end_job(job, true);
    return 0;
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    struct job *job = job_of(arg, call);

    if (job->call && job->ends_on_cancel)
        end_job(job, false);
}

static int describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    return deed_describe(&job_of(arg, call)->deed, claims);
}

/* ---- a batch ---------------------------------------------------------------------------------
 */

static void plan_job(struct round *round, struct job *job, unsigned reads, bool barriers)
{
    deed_plan(&job->deed, round->t, reads, barriers);
    job->describes = job->deed.writes && pick(round, 2);
    job->ms = pick(round, 4) ? 1 + pick(round, 30) : 0;
    job->fails = pick(round, 8) == 0;
    job->ends_on_cancel = pick(round, 2);
    job->round = round;
}

static const char *tool_of(const struct job *job)
{
    if (job->deed.way != DEED_EVERYTHING || job->describes)
        return "claims";
    return !job->deed.writes ? "look" : job->deed.link % 2 ? "set" : "shell";
}

static void plan(struct round *round)
{
    unsigned reads = 1 + pick(round, 9), barriers = pick(round, 2);
    size_t i;

    round->count = 2 + pick(round, CALLS - 1);
    round->limit = pick(round, 2) ? 1 + pick(round, 6) : 1 + pick(round, 64);
    round->latency_ms = pick(round, 4) ? 0 : 1 + pick(round, 9);
    for (i = 0; i < round->count; i++) {
        plan_job(round, &round->jobs[i], reads, barriers);
        snprintf(round->ids[i], sizeof round->ids[i], "c%zu", i);
        round->calls[i] =
            (struct reeve_call){.id = round->ids[i], .name = tool_of(&round->jobs[i])};
    }
}

static void add_tool(struct round *round, const char *name, enum reeve_effect effect,
                     bool describes)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.effect = effect;
    tool.start = start;
    tool.cancel = cancel;
    tool.describe = describes ? describe : NULL;
    tool.arg = round;
    cr_assert_eq(reeve_toolbox_add(round->toolbox, &tool), 0);
}

static void strike(struct rv_sim_event *event)
{
    struct cancel *self = rv_container_of(event, struct cancel, event);

    if (!self->round->batch)
        return;
    if (self->index < self->round->count)
        reeve_batch_cancel_call(self->round->batch, self->index);
    else
        reeve_batch_cancel(self->round->batch);
}

static void plan_cancels(struct round *round)
{
    unsigned cancels = pick(round, 2) ? pick(round, CANCELS + 1) : 0, c;

    for (c = 0; c < cancels; c++) {
        struct cancel *self = &round->cancels[c];

        self->round = round;
        self->index = pick(round, (unsigned)round->count + (pick(round, 4) ? 0 : 1));
        rv_sim_event_init(&self->event, strike);
        rv_sim_schedule_ns(round->runtime, &self->event, pick(round, 120) * MS + MS / 2);
    }
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct round *round = arg;
    size_t i;

    (void)error;
    round->done++;
    round->batch = NULL;
    for (i = 0; i < round->count; i++)
        round->jobs[i].answered_ns =
            round->opened_ns + reeve_batch_result(batch, i)->ended_us * UINT64_C(1000);
}

static void run_batch(struct round *round)
{
    struct reeve_runtime_options runtime_options;
    struct reeve_batch_options options;

    reeve_runtime_options_init(&runtime_options);
    runtime_options.allocator = &round->t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &runtime_options, &round->runtime), 0);
    cr_assert_eq(reeve_toolbox_new(round->runtime, &round->toolbox), 0);
    round->files = rv_sim_files_of(round->runtime);
    deed_make_world(&round->side_by_side, round->files);
    round->in_order = round->side_by_side;
    rv_sim_file_latency_ms(round->files, round->latency_ms);
    add_tool(round, "claims", REEVE_EFFECT_READ, true);
    add_tool(round, "look", REEVE_EFFECT_READ, false);
    add_tool(round, "set", REEVE_EFFECT_WRITE, false);
    add_tool(round, "shell", REEVE_EFFECT_UNKNOWN, false);
    reeve_batch_options_init(&options);
    options.skip_sharing = 1; /* the calls differ in their ids alone */
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = round->limit;
    options.timeout_ms = TIMEOUT_MS;
    options.abandon_ms = ABANDON_MS;
    options.on_done = on_done;
    options.arg = round;
    round->opened_ns = rv_sim_now_ns(round->runtime);
    cr_assert_eq(
        reeve_batch_run(round->toolbox, round->calls, round->count, &options, &round->batch), 0);
    plan_cancels(round);
    cr_assert_eq(reeve_runtime_run(round->runtime), 0);
    WANT(round, 0, round->done == 1);
}

/* ---- the judge -------------------------------------------------------------------------------
 */

/* One after another: every half that was done is done again. */
static void replay(struct round *round, size_t i)
{
    struct job *job = &round->jobs[i];
    struct deed_trace again = {0};
    size_t k;

    if (job->started)
        deed_do(&job->deed, &round->in_order, NULL, i, DEED_BEGIN, &again);
    if (job->started && job->whole)
        deed_do(&job->deed, &round->in_order, NULL, i, DEED_END, &again);
    for (k = 0; k < DEED_TOUCHES; k++) {
        WANT(round, i, again.seen[k][0] == job->trace.seen[k][0]);
        WANT(round, i, again.seen[k][1] == job->trace.seen[k][1]);
        WANT(round, i, !strcmp(again.at[k], job->trace.at[k]));
    }
    for (k = 0; k < job->deed.count; k++) /* the order goes by what is written if there is no end */
        deed_find(&job->deed, k, &round->in_order, job->place[k]);
}

static bool conflict(struct job *a, struct job *b)
{
    return deed_conflict(&a->deed, a->place, &b->deed, b->place);
}

/* When call b need wait no more, as far as those before it go. A cancelled one keeps its place. */
static uint64_t ready_ns(struct round *round, size_t b)
{
    uint64_t ready = round->opened_ns;
    size_t a;

    for (a = 0; a < b; a++)
        if (conflict(&round->jobs[a], &round->jobs[b]) && round->jobs[a].passed_ns > ready)
            ready = round->jobs[a].passed_ns;
    return ready;
}

static void find_passed(struct round *round, size_t i)
{
    struct job *job = &round->jobs[i];
    uint64_t ready = ready_ns(round, i);

    if (job->started)
        job->passed_ns = job->released_ns;
    else
        job->passed_ns = ready > job->answered_ns ? ready : job->answered_ns;
}

static unsigned permits_held(const struct round *round, uint64_t at)
{
    unsigned held = 0;
    size_t i;

    for (i = 0; i < round->count; i++)
        held += round->jobs[i].started && round->jobs[i].started_ns <= at &&
                at < round->jobs[i].passed_ns;
    return held;
}

/* While it was ready and did not run, every permit was held by others. */
static void check_haste(struct round *round, size_t i)
{
    const struct job *job = &round->jobs[i];
    uint64_t ready = ready_ns(round, i), until = job->started ? job->started_ns : job->answered_ns;
    size_t k;

    if (ready < until)
        WANT(round, i, permits_held(round, ready) >= round->limit);
    for (k = 0; k < round->count; k++)
        if (ready < round->jobs[k].passed_ns && round->jobs[k].passed_ns < until)
            WANT(round, i, permits_held(round, round->jobs[k].passed_ns) >= round->limit);
}

static bool changes_links(const struct deed *deed)
{
    return deed->way == DEED_EVERYTHING && deed->writes;
}

/* How much there was to judge, in all rounds. */
struct tally {
    unsigned long overlaps, waits, links_changed;
};

/* For whoever looks into a failed round. */
static void print(const struct round *round)
{
    size_t i, k;

    for (i = 0; i < round->count; i++) {
        const struct job *job = &round->jobs[i];

        fprintf(stderr, "%2zu %-6s start %6lld release %6lld answer %6lld passed %6lld", i,
                tool_of(job), (long long)(job->started_ns - round->opened_ns) / 1000,
                (long long)(job->released_ns - round->opened_ns) / 1000,
                (long long)(job->answered_ns - round->opened_ns) / 1000,
                (long long)(job->passed_ns - round->opened_ns) / 1000);
        for (k = 0; k < job->deed.count; k++)
            fprintf(stderr, "  %c %s = %s", job->deed.touches[k].writes ? 'w' : 'r',
                    job->deed.touches[k].text, job->place[k]);
        fprintf(stderr, "%s\n", changes_links(&job->deed) ? "  (links)" : "");
    }
}

static void judge(struct round *round, struct tally *tally)
{
    size_t a, b;

    for (b = 0; b < round->count; b++) {
        replay(round, b);
        find_passed(round, b);
    }
    WANT(round, 0, oracle_equal(&round->side_by_side, &round->in_order));
    if (getenv("RV_PRINT"))
        print(round);
    for (b = 0; b < round->count; b++) {
        struct job *job = &round->jobs[b];

        WANT(round, b, permits_held(round, job->started_ns) <= round->limit);
        if (!round->latency_ms)
            check_haste(round, b);
        tally->links_changed += job->started && changes_links(&job->deed);
        for (a = 0; a < b; a++) {
            struct job *before = &round->jobs[a];

            if (!before->started || !job->started)
                continue;
            if (conflict(before, job))
                WANT(round, b, before->passed_ns <= job->started_ns);
            tally->waits += conflict(before, job);
            tally->overlaps += job->started_ns < before->passed_ns;
        }
    }
}

static void play(struct rv_test *t, struct tally *tally)
{
    static struct round round;

    memset(&round, 0, sizeof round);
    round.t = t;
    round.seed = t->random;
    plan(&round);
    run_batch(&round);
    judge(&round, tally);
    reeve_toolbox_free(round.toolbox);
    cr_assert_eq(rv_sim_file_pending(round.files), 0);
    reeve_runtime_free(round.runtime);
}

RV_TEST(oracle, batches_end_as_one_call_after_another_does, .timeout = 240)
{
    struct tally tally = {0};
    unsigned seed;

    for (seed = 0; seed < SEEDS; seed++)
        play(t, &tally);
    fprintf(stderr,
            "oracle: %u batches, %lu pairs that had to wait, %lu that overlapped, %lu "
            "changes of links\n",
            seed, tally.waits, tally.overlaps, tally.links_changed);
    cr_assert_gt(tally.waits, SEEDS);
    cr_assert_gt(tally.overlaps, SEEDS);
    cr_assert_gt(tally.links_changed, SEEDS / 10);
}

/* The oracle is right about what can be said without it. */
RV_TEST(oracle, knows_paths)
{
    struct oracle world = {0};
    char out[ORACLE_PATH_BYTES];

    oracle_put(&world, "/a", 1);
    oracle_link(&world, "/l", "dir/");
    oracle_link(&world, "/dir/up", "../a");
    oracle_link(&world, "/x", "x");
    cr_assert(oracle_resolve(&world, "./l/../a", out));
    cr_assert_str_eq(out, "/a");
    cr_assert(oracle_resolve(&world, "l/up", out));
    cr_assert_str_eq(out, "/a");
    cr_assert(oracle_resolve(&world, "/none/../../l/new/", out));
    cr_assert_str_eq(out, "/dir/new");
    cr_assert_not(oracle_resolve(&world, "l/../x/y", out));
    cr_assert_str_eq(out, "/x/y");
    cr_assert(oracle_resolve(&world, "..", out));
    cr_assert_str_eq(out, "/");
    cr_assert(oracle_related("/a", "/a/b"));
    cr_assert_not(oracle_related("/a", "/ab"));
}
