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
#include "tests/sim/file.h"
#include "tests/sim/oracle.h"
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
    TOUCHES = 2,
    CANCELS = 4,
    TIMEOUT_MS = 25,
    ABANDON_MS = 1000,
};

#define MS UINT64_C(1000000)

enum way { BY_PATH, BY_KEY, EVERYTHING };

struct touch {
    char text[96]; /* the path as it is written, or the key */
    bool writes;
    char at[ORACLE_PATH_BYTES];    /* what it came to, in the world that ran side by side, */
    char place[ORACLE_PATH_BYTES]; /* and one after another */
    uint64_t seen[2];              /* at the start and at the end */
};

struct round;

struct job {
    struct round *round;
    enum way way;
    struct touch touches[TOUCHES];
    size_t count;
    bool writes;    /* way EVERYTHING: changes a link */
    bool describes; /* … by a claim of an unknown effect */
    unsigned link, to[2];
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

/* ---- what there is ---------------------------------------------------------------------------
 */

static const char *const links[] = {"/l1", "/l2", "/l3", "/dir/up", "/loop"};
static const char *const targets[] = {"a",  "dir",    "dir/sub", "none/yet", "/dir/b",
                                      "l2", "../dir", "loop",    "./dir/",   "dir/sub/../a"};
enum { LINKS = sizeof links / sizeof links[0], TARGETS = sizeof targets / sizeof targets[0] };

static void set_link(struct round *round, struct oracle *world, unsigned link, unsigned target)
{
    oracle_link(world, links[link], targets[target]);
    if (world == &round->side_by_side)
        rv_sim_file_link(round->files, links[link] + 1, targets[target]);
}

static void make_world(struct round *round)
{
    static const char *const files[] = {"/a", "/b", "/ab", "/dir/a", "/dir/b", "/dir/sub/c"};
    static const unsigned first[LINKS] = {0, 1, 3, 6, 7};
    size_t i;

    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        oracle_put(&round->side_by_side, files[i], i + 1);
        rv_sim_file_put(round->files, files[i] + 1, "x", 1);
    }
    for (i = 0; i < LINKS; i++)
        set_link(round, &round->side_by_side, (unsigned)i, first[i]);
    round->in_order = round->side_by_side;
}

static void pick_path(struct round *round, char *out, size_t size)
{
    static const char *const paths[] = {"a",       "a",        "b",       "ab",        "dir/a",
                                        "dir",     "dir/b",    "dir/sub", "dir/sub/c", "dir/subs",
                                        "l1",      "l2",       "l2/a",    "l2/sub/c",  "l3",
                                        "l3/x",    "none/yet", "none",    "dir/up/a",  "loop",
                                        "l2/../a", "new/n",    "dir/a/x", "loop/x",    "."};
    static const char *const ways[] = {"",        "",      "",   "/",         "./",
                                       "dir/../", "x/../", "//", "l2/up/../", "/./"};

    snprintf(out, size, "%s%s%s", ways[pick(round, 10)], paths[pick(round, 25)],
             pick(round, 9) ? "" : "/");
}

/* ---- what a call does ------------------------------------------------------------------------
 */

/* One half of a call, in one of the two worlds. */
static void touch_now(struct oracle *world, size_t i, struct touch *touch, const char *place,
                      unsigned half)
{
    if (touch->writes)
        oracle_write(world, place, 2 * i + half);
    else
        touch->seen[half] = oracle_look(world, place);
}

/* False: the path has no end, and there is nothing to touch. */
static bool find_place(const struct oracle *world, const struct job *job, const struct touch *touch,
                       char *place)
{
    if (job->way == BY_PATH)
        return oracle_resolve(world, touch->text, place);
    snprintf(place, ORACLE_PATH_BYTES, "%s", touch->text);
    return true;
}

static void do_half(struct round *round, struct oracle *world, size_t i, unsigned half)
{
    struct job *job = &round->jobs[i];
    size_t k;

    if (job->way == EVERYTHING && job->writes)
        set_link(round, world, job->link, job->to[half]);
    else if (job->way == EVERYTHING)
        job->touches[0].seen[half] = oracle_look(world, NULL);
    for (k = 0; k < job->count; k++) {
        struct touch *touch = &job->touches[k];
        char *place = world == &round->side_by_side ? touch->at : touch->place;

        if (half == 0 && !find_place(world, job, touch, place))
            strcpy(place, "loop:");
        if (strcmp(place, "loop:") != 0)
            touch_now(world, i, touch, place, half);
    }
}

static struct job *job_of(struct round *round, const struct reeve_tool_call *call)
{
    return &round->jobs[strtoul(reeve_tool_call_id(call) + 1, NULL, 10)];
}

static void end_job(struct job *job, bool whole)
{
    struct reeve_tool_call *call = job->call;

    job->call = NULL;
    job->whole = whole;
    job->released_ns = rv_precise_now_ns(job->round->runtime);
    rv_timer_stop(job->round->runtime, &job->timer);
    if (whole)
        do_half(job->round, &job->round->side_by_side, (size_t)(job - job->round->jobs), 1);
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
    do_half(round, &round->side_by_side, (size_t)(job - round->jobs), 0);
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
    struct job *job = job_of(arg, call);
    int error = 0;
    size_t k;

    if (job->way == EVERYTHING)
        return reeve_claims_add(claims, REEVE_EFFECT_UNKNOWN, "shell", "it");
    for (k = 0; !error && k < job->count; k++)
        error = reeve_claims_add(
            claims, job->touches[k].writes ? REEVE_EFFECT_WRITE : REEVE_EFFECT_READ,
            job->way == BY_PATH ? REEVE_RESOURCE_PATH : "db", job->touches[k].text);
    return error;
}

/* ---- a batch ---------------------------------------------------------------------------------
 */

static void plan_job(struct round *round, struct job *job, unsigned reads, bool barriers)
{
    static const char *const keys[] = {"db:a", "db:ab", "db:/a"};
    unsigned way = pick(round, 24);
    size_t k;

    job->way = way < 19 || (way > 21 && !barriers) ? BY_PATH : way < 22 ? BY_KEY : EVERYTHING;
    job->count = job->way == EVERYTHING ? 0 : pick(round, 4) ? 1 : pick(round, TOUCHES + 1);
    for (k = 0; k < job->count; k++) {
        job->touches[k].writes = pick(round, 10) >= reads;
        if (job->way == BY_PATH)
            pick_path(round, job->touches[k].text, sizeof job->touches[k].text);
        else
            strcpy(job->touches[k].text, keys[pick(round, 3)]);
    }
    job->writes = pick(round, 10) >= reads;
    job->describes = job->writes && pick(round, 2);
    job->link = pick(round, LINKS);
    job->to[0] = pick(round, TARGETS);
    job->to[1] = pick(round, TARGETS);
    job->ms = pick(round, 4) ? 1 + pick(round, 30) : 0;
    job->fails = pick(round, 8) == 0;
    job->ends_on_cancel = pick(round, 2);
    job->round = round;
}

static const char *tool_of(const struct job *job)
{
    if (job->way != EVERYTHING || job->describes)
        return "claims";
    return !job->writes ? "look" : job->link % 2 ? "set" : "shell";
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
    make_world(round);
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
    struct touch had[TOUCHES];
    size_t k;

    memcpy(had, job->touches, sizeof had);
    for (k = 0; k < job->count; k++)
        find_place(&round->in_order, job, &job->touches[k], job->touches[k].place);
    if (job->started)
        do_half(round, &round->in_order, i, 0);
    if (job->started && job->whole)
        do_half(round, &round->in_order, i, 1);
    for (k = 0; k < TOUCHES; k++) {
        WANT(round, i, had[k].seen[0] == job->touches[k].seen[0]);
        WANT(round, i, had[k].seen[1] == job->touches[k].seen[1]);
    }
    for (k = 0; job->started && k < job->count; k++)
        WANT(round, i, !strcmp(job->touches[k].at, job->touches[k].place));
    for (k = 0; k < job->count; k++) /* the order goes by what is written if there is no end */
        find_place(&round->in_order, job, &job->touches[k], job->touches[k].place);
}

static bool touches_everything(const struct job *job)
{
    return job->way == EVERYTHING;
}

static bool conflict(const struct job *a, const struct job *b)
{
    size_t i, k;

    if (touches_everything(a) && a->writes)
        return true;
    if (touches_everything(b) && b->writes)
        return true;
    if (touches_everything(a) && touches_everything(b))
        return false;
    for (i = 0; touches_everything(a) && i < b->count; i++)
        if (b->touches[i].writes)
            return true;
    for (i = 0; i < a->count; i++) {
        if (touches_everything(b) && a->touches[i].writes)
            return true;
        for (k = 0; k < b->count; k++)
            if ((a->touches[i].writes || b->touches[k].writes) && a->way == b->way &&
                (a->way == BY_PATH ? oracle_related(a->touches[i].place, b->touches[k].place)
                                   : !strcmp(a->touches[i].place, b->touches[k].place)))
                return true;
    }
    return false;
}

/* When call b need wait no more, as far as those before it go. A cancelled one keeps its place. */
static uint64_t ready_ns(const struct round *round, size_t b)
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
static void check_haste(const struct round *round, size_t i)
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
        for (k = 0; k < job->count; k++)
            fprintf(stderr, "  %c %s = %s", job->touches[k].writes ? 'w' : 'r',
                    job->touches[k].text, job->touches[k].place);
        fprintf(stderr, "%s\n", job->way == EVERYTHING && job->writes ? "  (links)" : "");
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
        const struct job *job = &round->jobs[b];

        WANT(round, b, permits_held(round, job->started_ns) <= round->limit);
        if (!round->latency_ms)
            check_haste(round, b);
        tally->links_changed += job->started && touches_everything(job) && job->writes;
        for (a = 0; a < b; a++) {
            const struct job *before = &round->jobs[a];

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
