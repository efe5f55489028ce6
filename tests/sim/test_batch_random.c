/* SPDX-License-Identifier: MIT */
/*
 * Random batches, judged by what SPEC demands of the order of any batch, without a look at how a
 * batch finds it: from the times at which calls started and ended it is computed who had to wait
 * for whom, that they did, and that nobody waited for anything else. Where results are kept, a call
 * is answered by one if, and only if, there is one when its turn has come that nothing was written
 * behind. (Shared runs and further tries: test_reuse_rounds.c.)
 */
#include "tests/sim/lab.h"
#include "tests/sim/sim.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 600,
    CALLS = 40,
    TIMEOUT_MS = 100,
    ABANDON_MS = 30,
    CANCELS = 4,
    LATER_MS = 7, /* lab.h */
    AHEAD = 32,   /* calls that are looked at however few may run */
};

#define MS UINT64_C(1000000)

enum outcome { SUCCEEDS, FAILS, REFUSES, IS_LATE, NEVER_ENDS, IS_UNKNOWN, IS_INVALID };

/* A cancel that comes at some time; of the batch if `index` is past the end. */
struct cancel {
    struct rv_sim_event event;
    struct lab *lab;
    size_t index;
    uint64_t at_ns;
};

struct round {
    struct lab lab;
    unsigned number;
    enum outcome outcome[CALLS];
    char kind[CALLS]; /* r, w, or ? for an unknown effect */
    struct cancel cancels[CANCELS];
    bool asks;
    bool keeps;                  /* what has been read */
    uint64_t passed_ns[CALLS];   /* when its place in the order was free */
    uint64_t closed_ns[CALLS];   /* when the question about it was; UINT64_MAX: none was asked */
    uint64_t allowed_ns[CALLS];  /* when it was known that it may run; UINT64_MAX: never */
    uint64_t canceled_ns[CALLS]; /* UINT64_MAX: never */
};

#define WANT(round, i, condition)                                                                  \
    cr_assert(condition, "round %u (RV_SEED=%llu), call %zu: %s", (round)->number,                 \
              (unsigned long long)(round)->lab.t->seed, (size_t)(i), #condition)

static unsigned pick(struct rv_test *t, unsigned below)
{
    return (unsigned)(rv_test_random(t) % below);
}

static void add_call(struct round *round, struct rv_test *t)
{
    static const char *const tools[] = {"look", "look", "look", "set", "shell"};
    static const char kinds[] = "rrrw?";
    struct lab *lab = &round->lab;
    unsigned tool = pick(t, 5), ms = pick(t, 3) ? 1 + pick(t, 30) : 0, fate = pick(t, 20);
    size_t i = lab->count;

    if (round->keeps) { /* many that are equal, few that write */
        ms %= 3;
        tool = pick(t, 2) ? 0 : tool;
    }
    round->kind[i] = kinds[tool];
    if (fate < 13) {
        round->outcome[i] = SUCCEEDS;
        lab_call(lab, tools[tool], "{\"ms\": %u}", ms);
    } else if (fate == 13) {
        round->outcome[i] = FAILS;
        lab_call(lab, tools[tool], "{\"how\": \"fail\", \"ms\": %u}", ms);
    } else if (fate == 14) {
        round->outcome[i] = REFUSES;
        lab_call(lab, tools[tool], "{\"how\": \"refuse\"}");
    } else if (fate == 15) {
        round->outcome[i] = IS_LATE;
        lab_call(lab, tools[tool], "{\"ms\": %u}", TIMEOUT_MS + 1 + pick(t, 2 * ABANDON_MS));
    } else if (fate == 16) {
        round->outcome[i] = NEVER_ENDS;
        lab_call(lab, tools[tool], "{\"how\": \"never\"}");
    } else if (fate == 17) {
        round->outcome[i] = IS_UNKNOWN;
        lab_call(lab, "no_such", "{}");
    } else if (fate == 18) {
        round->outcome[i] = IS_INVALID;
        lab_call(lab, tools[tool], "{\"ms\": 5");
    } else {
        round->outcome[i] = SUCCEEDS;
        lab_call(lab, tools[tool], "%s", "");
    }
}

static void cancel(struct rv_sim_event *event)
{
    struct cancel *self = rv_container_of(event, struct cancel, event);

    if (!self->lab->batch)
        return;
    if (self->index < self->lab->count)
        reeve_batch_cancel_call(self->lab->batch, self->index);
    else
        reeve_batch_cancel(self->lab->batch);
}

/* Half a millisecond off whatever else happens, but for those that come before the first pass. */
static void plan_cancels(struct round *round, struct rv_test *t)
{
    size_t count = round->lab.count, i, c;
    unsigned cancels = pick(t, 2) ? pick(t, CANCELS + 1) : 0;

    for (i = 0; i < count; i++)
        round->canceled_ns[i] = UINT64_MAX;
    for (c = 0; c < cancels; c++) {
        struct cancel *self = &round->cancels[c];

        self->lab = &round->lab;
        self->index = pick(t, (unsigned)count + (pick(t, 3) ? 0 : 1));
        self->at_ns = pick(t, 8) ? pick(t, 150) * MS + MS / 2 : 0;
        rv_sim_event_init(&self->event, cancel);
        rv_sim_schedule_ns(round->lab.runtime, &self->event, self->at_ns);
        self->at_ns += round->lab.opened_ns;
        for (i = 0; i < count; i++)
            if ((i == self->index || self->index >= count) && self->at_ns < round->canceled_ns[i])
                round->canceled_ns[i] = self->at_ns;
    }
}

/* Calls that are refused have no place. */
static bool has_place(const struct round *round, size_t i)
{
    return round->outcome[i] != IS_UNKNOWN && round->outcome[i] != IS_INVALID;
}

/* Must call b wait for call a? */
static bool comes_before(const struct round *round, size_t a, size_t b)
{
    bool a_reads = round->kind[a] == 'r', b_reads = round->kind[b] == 'r';

    if (!has_place(round, a) || !has_place(round, b))
        return false;
    switch (round->lab.options.grouping) {
    case REEVE_GROUPING_NONE:
        return false;
    case REEVE_GROUPING_HAZARDS:
        return a < b && !(a_reads && b_reads);
    case REEVE_GROUPING_WRITES_FIRST:
        return !a_reads && (b_reads || a < b);
    }
    return false;
}

static uint64_t answered_ns(const struct round *round, size_t i)
{
    return round->lab.opened_ns + round->lab.ended_us[i] * 1000;
}

static uint64_t ready_ns(const struct round *round, size_t b)
{
    uint64_t ready = round->lab.opened_ns;
    size_t a;

    for (a = 0; a < round->lab.count; a++)
        if (comes_before(round, a, b) && round->passed_ns[a] > ready)
            ready = round->passed_ns[a];
    return ready;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When call i let go of its place; those that it waits for are known already. */
static uint64_t find_passed(const struct round *round, size_t i)
{
    const struct lab_record *record = &round->lab.record[i];
    uint64_t abandoned = answered_ns(round, i) + ABANDON_MS * MS;

    if (!has_place(round, i))
        return 0;
    if (!record->started)
        return later(ready_ns(round, i), answered_ns(round, i));
    if (record->released && record->released_ns < abandoned)
        return record->released_ns;
    return abandoned;
}

/* Was the question about call j answered, and so? */
static bool was_answered(const struct round *round, size_t j, enum reeve_permission answer)
{
    return round->closed_ns[j] != UINT64_MAX && round->closed_ns[j] < round->canceled_ns[j] &&
           lab_mixed_answer(j) == answer;
}

/* Need call i not be asked about, after what was said of calls before it? */
static bool is_covered(const struct round *round, size_t i)
{
    const struct reeve_call *calls = round->lab.calls;
    size_t j;

    for (j = 0; j < i; j++)
        if (was_answered(round, j, REEVE_PERMISSION_ALWAYS) &&
            strcmp(calls[i].name, calls[j].name) == 0 &&
            (round->kind[i] != '?' || strcmp(calls[i].arguments, calls[j].arguments) == 0))
            return true;
    return false;
}

/* Questions close when they are answered or when their call is cancelled, and a call that is
 * covered may run once those about the calls before it are closed. */
static void find_questions(struct round *round)
{
    uint64_t closed = round->lab.opened_ns;
    size_t i;

    for (i = 0; i < round->lab.count; i++) {
        const struct lab_record *record = &round->lab.record[i];
        uint64_t answer = record->asked_ns + (lab_mixed_is_later(i) ? LATER_MS * MS : 0);

        round->closed_ns[i] = UINT64_MAX;
        round->allowed_ns[i] = round->asks ? UINT64_MAX : round->lab.opened_ns;
        if (record->on_permission) {
            closed = answer < round->canceled_ns[i] ? answer : round->canceled_ns[i];
            round->closed_ns[i] = closed;
            if (closed == answer && lab_mixed_answer(i) != REEVE_PERMISSION_REFUSE)
                round->allowed_ns[i] = answer;
        } else if (round->asks && is_covered(round, i)) {
            round->allowed_ns[i] = closed;
        }
    }
}

/* A call is asked about once the last question is closed, and only if it must be. */
static void check_question(const struct round *round, size_t i)
{
    const struct lab_record *record = &round->lab.record[i];
    size_t j;

    if (!record->on_permission) {
        WANT(round, i, !record->started || round->allowed_ns[i] != UINT64_MAX);
        return;
    }
    WANT(round, i, round->asks && has_place(round, i) && !is_covered(round, i));
    for (j = 0; j < i; j++)
        if (round->closed_ns[j] != UINT64_MAX)
            WANT(round, i, round->closed_ns[j] <= record->asked_ns);
    if (was_answered(round, i, REEVE_PERMISSION_REFUSE))
        WANT(round, i, !record->started);
    if (record->started)
        WANT(round, i, round->allowed_ns[i] <= record->started_ns);
}

/* In an order in which nobody comes before those that he waits for. */
static void find_all_passed(struct round *round)
{
    bool by_kind = round->lab.options.grouping == REEVE_GROUPING_WRITES_FIRST;
    size_t i;

    for (i = 0; i < round->lab.count; i++)
        if (!by_kind || round->kind[i] != 'r')
            round->passed_ns[i] = find_passed(round, i);
    for (i = 0; i < round->lab.count; i++)
        if (by_kind && round->kind[i] == 'r')
            round->passed_ns[i] = find_passed(round, i);
}

static void check_order(const struct round *round, size_t b)
{
    const struct lab_record *record = round->lab.record;
    size_t a;

    for (a = 0; a < round->lab.count; a++) {
        if (!record[a].started || !comes_before(round, a, b))
            continue;
        WANT(round, b, round->passed_ns[a] <= record[b].started_ns);
        if (record[a].released && record[a].released_ns == round->passed_ns[a])
            WANT(round, b, record[a].released < record[b].started);
    }
}

/* How many permits were held from `at` on. */
static unsigned permits_held(const struct round *round, uint64_t at)
{
    unsigned held = 0;
    size_t i;

    for (i = 0; i < round->lab.count; i++)
        held += round->lab.record[i].started && round->lab.record[i].started_ns <= at &&
                at < round->passed_ns[i];
    return held;
}

/* While call i was ready and did not run, up to `until`, every permit was held by others. */
static void check_haste(const struct round *round, size_t i, uint64_t until)
{
    uint64_t ready = later(ready_ns(round, i), round->allowed_ns[i]), at;
    size_t k;

    if (ready < until)
        WANT(round, i, permits_held(round, ready) >= round->lab.options.max_concurrency);
    for (k = 0; k < round->lab.count; k++) {
        at = round->passed_ns[k];
        if (ready < at && at < until)
            WANT(round, i, permits_held(round, at) >= round->lab.options.max_concurrency);
    }
}

/* Is something written between two times? `touching` the two counts as between if it is wanted. */
static bool is_written(const struct round *round, uint64_t from, uint64_t to, bool touching)
{
    size_t k;

    for (k = 0; k < round->lab.count; k++) {
        const struct lab_record *record = &round->lab.record[k];
        uint64_t end = record->released ? record->released_ns : UINT64_MAX;

        if (round->kind[k] != 'r' && record->started &&
            (touching ? record->started_ns <= to && from <= end
                      : record->started_ns < to && from < end))
            return true;
    }
    return false;
}

/* Did call j come to a result that may answer call i, before that time? */
static bool may_answer(const struct round *round, size_t j, size_t i, uint64_t at)
{
    const struct lab *lab = &round->lab;

    return lab->record[j].started && lab->record[j].released && lab->record[j].released_ns <= at &&
           lab->status[j] == REEVE_CALL_SUCCEEDED && round->kind[j] == 'r' &&
           !strcmp(lab->calls[i].name, lab->calls[j].name) &&
           !strcmp(lab->calls[i].arguments, lab->calls[j].arguments);
}

/* Is it known when the turn of call i came? A call that is cancelled before it is looked at has no
 * place, and nobody waits for it; one that is cancelled later keeps it. And those far behind are
 * looked at later. */
static bool has_known_turn(const struct round *round, size_t i)
{
    size_t k;

    for (k = 0; k < round->lab.count; k++)
        if (comes_before(round, k, i) && !round->lab.record[k].started &&
            round->lab.status[k] == REEVE_CALL_CANCELED)
            return false;
    return i < AHEAD;
}

/* A call that was answered by a kept result: at once, and by one that is right. */
static void check_hit(const struct round *round, size_t i)
{
    const struct lab *lab = &round->lab;
    uint64_t at = answered_ns(round, i);
    size_t j = strtoul(lab->text[i] + strlen("did "), NULL, 10);

    WANT(round, i, round->keeps && lab->status[i] == REEVE_CALL_SUCCEEDED);
    WANT(round, i, round->allowed_ns[i] != UINT64_MAX);
    if (has_known_turn(round, i))
        WANT(round, i, at == later(ready_ns(round, i), round->allowed_ns[i]));
    WANT(round, i, j < lab->count && !strcmp(lab->text[i], lab->text[j]));
    WANT(round, i, may_answer(round, j, i, at));
    WANT(round, i, !is_written(round, lab->record[j].started_ns, at, false));
}

/* A call that ran: there was nothing that could have answered it. */
static void check_miss(const struct round *round, size_t i)
{
    uint64_t at = later(ready_ns(round, i), round->allowed_ns[i]);
    size_t j;

    if (!round->keeps || round->kind[i] != 'r' || !has_known_turn(round, i))
        return;
    for (j = 0; j < round->lab.count; j++)
        if (may_answer(round, j, i, at - 1))
            WANT(round, i, is_written(round, round->lab.record[j].started_ns, at, true));
}

static void check_status(const struct round *round, size_t i)
{
    static const enum reeve_call_status wanted[] = {
        [SUCCEEDS] = REEVE_CALL_SUCCEEDED,   [FAILS] = REEVE_CALL_FAILED,
        [REFUSES] = REEVE_CALL_FAILED,       [IS_LATE] = REEVE_CALL_TIMED_OUT,
        [NEVER_ENDS] = REEVE_CALL_TIMED_OUT, [IS_UNKNOWN] = REEVE_CALL_UNKNOWN,
        [IS_INVALID] = REEVE_CALL_INVALID,
    };
    const struct lab *lab = &round->lab;

    if (lab->status[i] == REEVE_CALL_CANCELED) {
        WANT(round, i, round->canceled_ns[i] <= answered_ns(round, i));
        return;
    }
    if (was_answered(round, i, REEVE_PERMISSION_REFUSE)) {
        WANT(round, i, lab->status[i] == REEVE_CALL_REFUSED);
        WANT(round, i, answered_ns(round, i) == round->closed_ns[i]);
        return;
    }
    WANT(round, i, lab->status[i] == wanted[round->outcome[i]]);
    WANT(round, i, answered_ns(round, i) <= round->canceled_ns[i]);
    if (lab->status[i] == REEVE_CALL_TIMED_OUT)
        WANT(round, i, answered_ns(round, i) == lab->record[i].started_ns + TIMEOUT_MS * MS);
}

static void judge(struct round *round)
{
    const struct lab *lab = &round->lab;
    size_t i;

    for (i = 0; i < lab->count; i++) {
        const struct lab_record *record = &lab->record[i];

        check_status(round, i);
        check_question(round, i);
        WANT(round, i, permits_held(round, round->passed_ns[i]) <= lab->options.max_concurrency);
        if (record->started) {
            WANT(round, i, record->on_start && record->on_start < record->started);
            WANT(round, i, permits_held(round, record->started_ns) <= lab->options.max_concurrency);
            check_order(round, i);
            check_haste(round, i, record->started_ns);
            check_miss(round, i);
        } else if (lab->source[i] == REEVE_SOURCE_CACHE) {
            check_hit(round, i);
        } else if (has_place(round, i)) {
            WANT(round, i,
                 lab->status[i] == REEVE_CALL_CANCELED || lab->status[i] == REEVE_CALL_REFUSED);
            check_haste(round, i, answered_ns(round, i));
        }
    }
}

/* For whoever looks into a failed round. */
static void print(const struct round *round)
{
    const struct lab *lab = &round->lab;
    size_t i;

    fprintf(stderr, "round %u, grouping %d, limit %u\n", round->number, (int)lab->options.grouping,
            lab->options.max_concurrency);
    for (i = 0; i < lab->count; i++)
        fprintf(
            stderr, "%3zu %c outcome %d %-10s start %lld release %lld answer %lld passed %lld\n", i,
            round->kind[i], (int)round->outcome[i], reeve_call_status_name(lab->status[i]),
            (long long)(lab->record[i].started_ns - lab->opened_ns) / 1000,
            (long long)(lab->record[i].released_ns - lab->opened_ns) / 1000,
            (long long)lab->ended_us[i], (long long)(round->passed_ns[i] - lab->opened_ns) / 1000);
}

/* What the rounds have met. */
struct tally {
    uint64_t questions;
    uint64_t refused;
    uint64_t hits;
};

static void play(struct rv_test *t, unsigned number, struct tally *tally)
{
    static struct round round;
    size_t count = 1 + pick(t, CALLS);

    memset(&round, 0, sizeof round);
    round.number = number;
    lab_open(&round.lab, t);
    round.lab.options.grouping = (enum reeve_grouping)(number % 3);
    round.lab.options.max_concurrency = pick(t, 2) ? 1 + pick(t, 6) : 1 + pick(t, 64);
    round.lab.options.timeout_ms = TIMEOUT_MS;
    round.lab.options.abandon_ms = ABANDON_MS;
    round.keeps = pick(t, 3);
    round.lab.options.skip_cache = !round.keeps;
    round.asks = pick(t, round.keeps ? 4 : 2); /* or nearly nobody waits for what is not written */
    if (round.asks)
        lab_ask(&round.lab, LAB_MIXED);
    while (round.lab.count < count)
        add_call(&round, t);
    lab_submit(&round.lab);
    plan_cancels(&round, t);
    lab_go(&round.lab);
    cr_assert_eq(round.lab.done, 1, "round %u (RV_SEED=%llu)", number, (unsigned long long)t->seed);
    find_questions(&round);
    find_all_passed(&round);
    if (getenv("RV_ROUND") && strtoul(getenv("RV_ROUND"), NULL, 10) == number)
        print(&round);
    judge(&round);
    tally->questions += round.lab.questions;
    tally->refused += round.lab.stats.refused;
    tally->hits += round.lab.stats.cached;
    lab_close(&round.lab);
}

RV_TEST(batch_random, is_as_its_grouping_demands, .timeout = 120)
{
    struct tally tally = {0};
    unsigned number;

    for (number = 0; number < ROUNDS; number++)
        play(t, number, &tally);
    fprintf(stderr,
            "batch_random: %u batches, %llu questions, %llu refused, %llu hits, seed %llu\n",
            number, (unsigned long long)tally.questions, (unsigned long long)tally.refused,
            (unsigned long long)tally.hits, (unsigned long long)t->seed);
    cr_assert_gt(tally.questions, ROUNDS);
    cr_assert_gt(tally.refused, ROUNDS / 10);
    cr_assert_gt(tally.hits, ROUNDS / 2);
}
