/* SPDX-License-Identifier: MIT */
/*
 * Random batches with everything on: kept and shared results, checks of these, further tries,
 * streamed output, calls that are started together, questions, cancels, time limits; several
 * batches on one toolbox, one after the other or at the same time. The rules by which they are
 * judged, with a model of its own (oracle.h):
 *
 * A call that ran. It did so when its turn had come: after every call before it in its batch that
 * it conflicts with was over, unless that one was abandoned.
 *
 * A call that was answered by another's run. Its *window* is from the moment at which its turn came
 * (all calls before it that it conflicts with were over, it was permitted, or it was submitted) to
 * the moment of its answer. There are two moments in the window, one not before the other, at which
 * the world was as that run saw it at its begin and at its end. So it has what a run of its own, at
 * some time within its window, would have said; nothing older than the last write that was over
 * before its turn, whichever batch that was of; and since the calls behind it that write wait for
 * its answer, within its batch all is as one call after another.
 *
 * One after another. Where batches follow one another, all that was done is done again, call by
 * call in the order given, in a second world: each run must have seen the same, each call that was
 * answered by another's run must find at its own place what that run saw, and both worlds must be
 * the same at last.
 *
 * Besides: a kept result comes from a run that succeeded, of the same arguments and scope, of a
 * tool that says so, and not from before the cache was cleared or longer ago than its time; a
 * shared one from a run in the same batch, with the same context. What is heard is what is written.
 */
#include "tests/sim/reuse_rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 6000 };

/* ---- who waited for whom ---------------------------------------------------------------------
 */

/* What must wait whatever the paths come to, since these may change from outside of the batch. */
static bool conflict_as_written(const struct deed *a, const struct deed *b)
{
    size_t i, k;

    for (i = 0; a->way == b->way && i < a->count; i++)
        for (k = 0; k < b->count; k++)
            if ((a->touches[i].writes || b->touches[k].writes) &&
                !strcmp(a->touches[i].text, b->touches[k].text))
                return true;
    return false;
}

static bool conflict(const struct reuse_round *round, struct reuse_job *a, struct reuse_job *b)
{
    const struct deed *one = &a->ask->deed, *other = &b->ask->deed;
    bool certain = one->way == DEED_EVERYTHING || other->way == DEED_EVERYTHING;

    if (round->at_once && round->links && !certain)
        return conflict_as_written(one, other);
    return deed_conflict(one, a->place, other, b->place);
}

static bool ended_before(const struct reuse_round *round, const struct reuse_job *a, uint64_t at,
                         uint64_t at_ns)
{
    const struct reuse_run *last = a->runs ? a->run[a->runs - 1] : NULL;

    if (!last || last->ended_at < at)
        return true;
    return a->answered_at < at && at_ns >= a->answered_ns + round->abandon_ms * REUSE_MS;
}

static bool was_abandoned(const struct reuse_round *round, const struct reuse_job *job)
{
    const struct reuse_run *last = job->runs ? job->run[job->runs - 1] : NULL;

    return last && last->ended_ns >= job->answered_ns + round->abandon_ms * REUSE_MS;
}

/* Those before it are known already. */
static void find_turn(struct reuse_round *round, struct reuse_job *job)
{
    const struct reuse_run *last = job->runs ? job->run[job->runs - 1] : NULL;
    struct reuse_job *before;

    job->turn_at = job->allowed_at ? job->allowed_at : job->batch->submitted_at;
    for (before = job->batch->jobs; before < job; before++)
        if (conflict(round, before, job) && before->passed_at > job->turn_at)
            job->turn_at = before->passed_at;
    job->passed_at = job->answered_at; /* if it was cancelled, perhaps later */
    if (last && last->ended_at > job->passed_at && !was_abandoned(round, job))
        job->passed_at = last->ended_at;
}

static void check_order(struct reuse_round *round, struct reuse_job *job)
{
    const struct reuse_run *first = job->runs ? job->run[0] : NULL;
    struct reuse_job *before;

    if (!first)
        return;
    for (before = job->batch->jobs; before < job; before++) {
        if (conflict(round, before, job))
            REUSE_WANT(round, job, ended_before(round, before, first->began_at, first->began_ns));
        round->tally->waits += conflict(round, before, job);
        round->tally->overlaps += !ended_before(round, before, first->began_at, first->began_ns);
    }
}

/* ---- results of others -----------------------------------------------------------------------
 */

/* The run that has said this, or NULL. */
static struct reuse_run *run_of(struct reuse_round *round, const struct reuse_job *job)
{
    char text[32];
    unsigned number;

    if (sscanf(job->text, "#%u#", &number) != 1 || number >= round->run_count)
        return NULL;
    snprintf(text, sizeof text, "#%u#", number);
    return strcmp(text, job->text) != 0 ? NULL : &round->runs[number];
}

static bool looks_so(const struct reuse_run *run, const struct oracle *world,
                     char at[][ORACLE_PATH_BYTES], unsigned which)
{
    const struct deed *deed = &run->job->ask->deed;
    size_t k;

    if (deed->way == DEED_EVERYTHING)
        return oracle_look(world, NULL) == run->trace.seen[0][which];
    for (k = 0; k < deed->count; k++)
        if ((at[k][0] ? oracle_look(world, at[k]) : 0) != run->trace.seen[k][which])
            return false;
    return true;
}

static bool would_begin_so(const struct reuse_run *run, const struct oracle *world,
                           char at[][ORACLE_PATH_BYTES])
{
    const struct deed *deed = &run->job->ask->deed;
    size_t k;

    for (k = 0; k < deed->count; k++)
        if (!deed_find(deed, k, world, at[k]))
            at[k][0] = '\0';
    return looks_so(run, world, at, 0);
}

static bool could_be_in_window(const struct reuse_round *round, const struct reuse_job *job,
                               const struct reuse_run *run)
{
    char at[DEED_TOUCHES][ORACLE_PATH_BYTES];
    size_t first = 0, last = round->change_count - 1, i, k;

    while (first + 1 < round->change_count && round->changes[first + 1].at <= job->turn_at)
        first++;
    while (last && round->changes[last].at > job->answered_at)
        last--;
    for (i = first; i <= last; i++) {
        if (!would_begin_so(run, &round->changes[i].world, at))
            continue;
        for (k = i; k <= last; k++)
            if (!run->whole || looks_so(run, &round->changes[k].world, at, 1))
                return true;
    }
    return false;
}

static void check_kept(struct reuse_round *round, const struct reuse_job *job,
                       const struct reuse_run *run)
{
    const struct reuse_job *other = run->job;

    round->tally->hits++;
    REUSE_WANT(round, job, run->end == REUSE_WELL && job->ask->tool->cacheable);
    REUSE_WANT(round, job, !job->batch->skips_cache && !other->batch->skips_cache);
    REUSE_WANT(round, job,
               job->batch->scope && other->batch->scope
                   ? !strcmp(job->batch->scope, other->batch->scope)
                   : !job->batch->scope && !other->batch->scope && !job->batch->has_contexts &&
                         !other->batch->has_contexts);
    if (round->cleared_at && round->cleared_at < job->turn_at)
        REUSE_WANT(round, job, run->began_at > round->cleared_at);
    if (round->ttl_ms && !job->ask->tool->validates)
        REUSE_WANT(round, job, job->answered_ns - run->ended_ns <= round->ttl_ms * REUSE_MS);
}

static void check_result(struct reuse_round *round, struct reuse_job *job)
{
    const struct reuse_run *run = run_of(round, job);

    REUSE_WANT(round, job, (job->status == REEVE_CALL_REFUSED) == job->denied || job->runs == 0);
    if (job->status == REEVE_CALL_SUCCEEDED) {
        REUSE_WANT(round, job, !job->batch->asks || job->allowed_at);
        REUSE_WANT(round, job, run && run->end == REUSE_WELL);
    }
    if (job->source == REEVE_SOURCE_CACHE)
        check_kept(round, job, run);
    if (job->source == REEVE_SOURCE_SHARED)
        round->tally->shared++;
    if (job->source != REEVE_SOURCE_RUN)
        REUSE_WANT(round, job,
                   !job->heard[0] && !job->runs && !deed_writes(&job->ask->deed) &&
                       job->turn_at < job->answered_at);
    if (!run)
        return;
    REUSE_WANT(round, job, run->job->ask == job->ask);
    if (job->source == REEVE_SOURCE_RUN) {
        REUSE_WANT(round, job, run == job->run[job->runs - 1]);
        REUSE_WANT(round, job, !job->batch->listens || strlen(job->heard) == run->written);
        REUSE_WANT(round, job, !strncmp(job->heard, job->text, strlen(job->heard)));
        round->tally->streamed += job->heard[0] != '\0';
        return;
    }
    if (job->source == REEVE_SOURCE_SHARED)
        REUSE_WANT(round, job, !job->batch->skips_sharing && reuse_same_context(job, run->job));
    REUSE_WANT(round, job, could_be_in_window(round, job, run));
}

/* ---- one after another -----------------------------------------------------------------------
 */

static void find_places(struct reuse_job *job, const struct oracle *world)
{
    size_t k;

    for (k = 0; k < job->ask->deed.count; k++)
        deed_find(&job->ask->deed, k, world, job->place[k]);
}

static void replay_run(struct reuse_round *round, struct oracle *world, const struct reuse_run *run)
{
    const struct deed *deed = &run->job->ask->deed;
    struct deed_trace again = {0};
    size_t k;

    deed_do(deed, world, NULL, run->number, DEED_BEGIN, &again);
    if (run->middle)
        deed_do(deed, world, NULL, run->number, DEED_MIDDLE, &again);
    if (run->whole)
        deed_do(deed, world, NULL, run->number, DEED_END, &again);
    for (k = 0; k < DEED_TOUCHES; k++) {
        REUSE_WANT(round, run->job, again.seen[k][0] == run->trace.seen[k][0]);
        REUSE_WANT(round, run->job, again.seen[k][1] == run->trace.seen[k][1]);
        REUSE_WANT(round, run->job, !strcmp(again.at[k], run->trace.at[k]));
    }
}

static void replay(struct reuse_round *round, struct oracle *world, struct reuse_job *job)
{
    char at[DEED_TOUCHES][ORACLE_PATH_BYTES];
    const struct reuse_run *run = run_of(round, job);
    size_t i;

    for (i = 0; i < job->runs; i++)
        replay_run(round, world, job->run[i]);
    if (job->source != REEVE_SOURCE_RUN && run) {
        REUSE_WANT(round, job, would_begin_so(run, world, at));
        REUSE_WANT(round, job, !run->whole || looks_so(run, world, at, 1));
        round->tally->replayed++;
    }
    find_places(job, world); /* the order goes by what is written if there is no end */
}

/* ---- the test --------------------------------------------------------------------------------
 */

/* For whoever looks into a failed round. */
static void print_job(const struct reuse_round *round, const struct reuse_job *job)
{
    const struct deed *deed = &job->ask->deed;
    size_t k;

    fprintf(stderr,
            "b%zu.%-2zu ask %-2zu %-7s turn %4llu answered %4llu passed %4llu %-10s %s %-8s",
            (size_t)(job->batch - round->batches), (size_t)(job - job->batch->jobs),
            (size_t)(job->ask - round->asks), job->ask->tool->name,
            (unsigned long long)job->turn_at, (unsigned long long)job->answered_at,
            (unsigned long long)job->passed_at, reeve_call_status_name(job->status),
            job->source == REEVE_SOURCE_RUN     ? "run"
            : job->source == REEVE_SOURCE_CACHE ? "cache"
                                                : "shared",
            job->text[0] == '#' ? job->text : "");
    for (k = 0; k < job->runs; k++)
        fprintf(stderr, "  run %u %llu-%llu%s", job->run[k]->number,
                (unsigned long long)job->run[k]->began_at,
                (unsigned long long)job->run[k]->ended_at, job->run[k]->whole ? "" : " (half)");
    for (k = 0; k < deed->count; k++)
        fprintf(stderr, "  %c %s = %s", deed->touches[k].writes ? 'w' : 'r', deed->touches[k].text,
                job->place[k]);
    fprintf(stderr, "%s\n", deed->way == DEED_EVERYTHING ? "  all" : "");
}

static void count_round(struct reuse_round *round)
{
    struct reeve_tool_cache_stats stats = {.size = sizeof stats};
    struct reuse_tally *tally = round->tally;
    unsigned long hits = 0;
    size_t i, k;

    cr_assert_eq(reeve_toolbox_cache_stats(round->toolbox, &stats), 0);
    for (i = 0; i < round->count; i++) {
        for (k = 0; k < round->batches[i].count; k++) {
            const struct reuse_job *job = &round->batches[i].jobs[k];

            hits += job->source == REEVE_SOURCE_CACHE;
            tally->retries += job->retries;
            tally->denied += job->status == REEVE_CALL_REFUSED;
            tally->abandoned += was_abandoned(round, job);
            tally->links_changed +=
                job->runs && job->ask->deed.way == DEED_EVERYTHING && job->ask->deed.writes;
        }
    }
    REUSE_WANT(round, &round->batches[0].jobs[0], stats.hits == hits);
    tally->batches += round->count;
    tally->side_by_side += round->at_once && round->count > 1 ? round->count : 0;
    tally->overtaken += stats.overtaken;
    tally->stale += stats.stale;
    tally->evicted += stats.evicted;
}

static void judge(struct reuse_round *round)
{
    static struct oracle world;
    size_t i, k;

    world = round->changes[0].world;
    for (i = 0; i < round->count; i++) {
        for (k = 0; k < round->batches[i].count; k++) {
            struct reuse_job *job = &round->batches[i].jobs[k];

            if (round->at_once)
                find_places(job, &world);
            else
                replay(round, &world, job);
            find_turn(round, job);
            if (getenv("RV_PRINT"))
                print_job(round, job);
        }
    }
    if (!round->at_once)
        REUSE_WANT(round, &round->batches[0].jobs[0], oracle_equal(&round->world, &world));
    for (i = 0; i < round->count; i++) {
        for (k = 0; k < round->batches[i].count; k++) {
            check_order(round, &round->batches[i].jobs[k]);
            check_result(round, &round->batches[i].jobs[k]);
        }
    }
    count_round(round);
}

static void play(struct rv_test *t, struct reuse_tally *tally)
{
    static struct reuse_change changes[REUSE_CHANGES];
    static struct reuse_round round;

    memset(&round, 0, sizeof round);
    round.t = t;
    round.seed = t->random;
    round.changes = changes;
    round.tally = tally;
    reuse_run_round(&round);
    judge(&round);
    reeve_toolbox_free(round.toolbox);
    cr_assert_eq(rv_sim_file_pending(round.files), 0);
    reeve_runtime_free(round.runtime);
}

static void print_tally(unsigned rounds, const struct reuse_tally *tally)
{
    fprintf(stderr,
            "reuse: %u rounds, %lu batches (%lu of them side by side), %lu hits, %lu shared, "
            "%lu of both seen again one after another\n"
            "reuse: %lu retries, %lu streamed, %lu started together, %lu denied, %lu abandoned, "
            "%lu changes of links\n"
            "reuse: %lu checks of which %lu said no, %lu overtaken, %lu stale, %lu evicted; "
            "%lu pairs that had to wait, %lu that overlapped\n",
            rounds, tally->batches, tally->side_by_side, tally->hits, tally->shared,
            tally->replayed, tally->retries, tally->streamed, tally->gathered, tally->denied,
            tally->abandoned, tally->links_changed, tally->checks, tally->noes, tally->overtaken,
            tally->stale, tally->evicted, tally->waits, tally->overlaps);
}

RV_TEST(reuse_rounds, what_others_have_come_to_is_what_a_run_would_have, .timeout = 240)
{
    const char *asked = getenv("RV_ROUNDS"); /* for long searches */
    unsigned count = asked ? (unsigned)strtoul(asked, NULL, 10) : SEEDS, rounds = 0;
    struct reuse_tally tally = {0};

    while (rounds < count) {
        play(t, &tally);
        rounds++;
    }
    print_tally(rounds, &tally);
    cr_assert_gt(tally.hits, 2 * rounds);
    cr_assert_gt(tally.shared, 5 * rounds);
    cr_assert_gt(tally.replayed, 3 * rounds);
    cr_assert_gt(tally.retries, 4 * rounds);
    cr_assert_gt(tally.streamed, 4 * rounds);
    cr_assert_gt(tally.waits, 50 * rounds);
    cr_assert_gt(tally.overlaps, 50 * rounds);
    cr_assert_gt(tally.side_by_side, rounds / 2);
    cr_assert_gt(tally.gathered, rounds / 2);
    cr_assert_gt(tally.checks, rounds / 2);
    cr_assert_gt(tally.noes, rounds / 8);
    cr_assert_gt(tally.overtaken, rounds / 4);
    cr_assert_gt(tally.stale, rounds / 2);
    cr_assert_gt(tally.evicted, rounds / 8);
    cr_assert_gt(tally.abandoned, rounds / 4);
    cr_assert_gt(tally.denied, rounds / 2);
    cr_assert_gt(tally.links_changed, rounds / 4);
}
