/* SPDX-License-Identifier: MIT */
/* Random batches in which the results of calls may be another's. See reuse_rounds.h. */
#include "tests/sim/reuse_rounds.h"

#include "loop/clock.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct reuse_tool tools[] = {
    {"plain", REEVE_EFFECT_READ, .describes = true},
    {"kept", REEVE_EFFECT_READ, .describes = true, .cacheable = true, .idempotent = true},
    {"checked", REEVE_EFFECT_READ, .describes = true, .cacheable = true, .validates = true,
     .idempotent = true},
    {"many", REEVE_EFFECT_READ, .describes = true, .cacheable = true, .idempotent = true,
     .many = true},
    {"look", REEVE_EFFECT_READ, .cacheable = true, .idempotent = true},
    {"set", REEVE_EFFECT_WRITE, .idempotent = true},
    {"shell", REEVE_EFFECT_UNKNOWN, .idempotent = false},
};
enum { PLAIN, KEPT, CHECKED, MANY, LOOK, SET, SHELL, TOOLS };

/* A kept result that a tool is to look at, later. */
struct check {
    struct rv_timer due;
    struct reuse_round *round;
    struct reuse_job *job;
    const struct reuse_run *run;
    struct reeve_tool_call *call; /* NULL: free */
    bool refuses;
};
static struct check checks[REUSE_BATCHES * REUSE_CALLS];

static unsigned pick(const struct reuse_round *round, unsigned below)
{
    return (unsigned)(rv_test_random(round->t) % below);
}

static uint64_t moment(struct reuse_round *round)
{
    return ++round->moment;
}

/* ---- the world -------------------------------------------------------------------------------
 */

static void note_world(struct reuse_round *round)
{
    struct reuse_change *change = &round->changes[round->change_count++];

    cr_assert_lt(round->change_count, REUSE_CHANGES);
    change->at = moment(round);
    change->world.count = round->world.count;
    memcpy(change->world.entries, round->world.entries,
           round->world.count * sizeof round->world.entries[0]);
}

static void do_part(struct reuse_run *run, enum deed_part part)
{
    struct reuse_round *round = run->job->batch->round;
    const struct deed *deed = &run->job->ask->deed;

    deed_do(deed, &round->world, round->files, run->number, part, &run->trace);
    if (deed_writes(deed))
        note_world(round);
}

/* ---- the tools -------------------------------------------------------------------------------
 */

static struct reuse_job *job_of(struct reuse_round *round, const struct reeve_tool_call *call)
{
    const char *id = reeve_tool_call_id(call);
    char *rest;
    size_t batch = strtoul(id + 1, &rest, 10);

    return &round->batches[batch].jobs[strtoul(rest + 1, NULL, 10)];
}

/* Say the text of a run as far as this, unless it was said. */
static void say(struct reuse_run *run, size_t until)
{
    char text[32];
    size_t len = (size_t)snprintf(text, sizeof text, "#%u#", run->number);

    until = until < len ? until : len;
    if (until <= run->written)
        return;
    reeve_tool_call_write(run->call, text + run->written, until - run->written);
    run->written = until;
}

static void finish(struct reuse_run *run, struct reeve_tool_call *call)
{
    char text[32], *rest = text + run->written;

    snprintf(text, sizeof text, "#%u#", run->number);
    if (run->end == REUSE_WELL)
        reeve_tool_call_finish(call, rest, strlen(rest));
    else
        reeve_tool_call_fail(call, run->may_pass, rest, strlen(rest));
}

static void end_run(struct reuse_run *run, bool whole)
{
    struct reuse_round *round = run->job->batch->round;
    struct reeve_tool_call *call = run->call;

    rv_timer_stop(round->runtime, &run->due);
    rv_timer_stop(round->runtime, &run->halfway);
    run->whole = whole;
    if (whole)
        do_part(run, DEED_END);
    if (pick(round, 3) == 0)
        say(run, pick(round, 6));
    if (run->job->ask->tool->validates && pick(round, 8))
        reeve_tool_call_set_evidence(call, &run->number, sizeof run->number);
    run->call = NULL;
    run->end = run->fails || !whole ? REUSE_BADLY : REUSE_WELL;
    run->ended_at = moment(round);
    run->ended_ns = rv_precise_now_ns(round->runtime);
    finish(run, call);
}

static void run_due(struct rv_timer *timer)
{
    struct reuse_run *run = rv_container_of(timer, struct reuse_run, due);

    end_run(run, !run->stops_half_way);
}

static void run_halfway(struct rv_timer *timer)
{
    struct reuse_run *run = rv_container_of(timer, struct reuse_run, halfway);

    run->middle = true;
    do_part(run, DEED_MIDDLE);
    if (pick(run->job->batch->round, 3) == 0)
        say(run, 3);
}

static void check_permits(struct reuse_batch *batch, uint64_t now_ns)
{
    const struct reuse_round *round = batch->round;
    unsigned held = 0;
    size_t i;

    for (i = 0; i < round->run_count; i++) {
        const struct reuse_run *run = &round->runs[i];
        const struct reuse_job *job = run->job;

        if (job->batch == batch && run->end == REUSE_OUT &&
            (!job->answered_at || now_ns < job->answered_ns + round->abandon_ms * REUSE_MS))
            held++;
    }
    REUSE_WANT(round, &batch->jobs[0], held <= batch->limit);
}

static struct reuse_run *new_run(struct reuse_round *round, struct reeve_tool_call *call)
{
    struct reuse_job *job = job_of(round, call);
    struct reuse_run *run = &round->runs[round->run_count];

    cr_assert_lt(job->runs, REUSE_ATTEMPTS);
    run->number = (unsigned)round->run_count++;
    run->job = job;
    run->call = call;
    run->began_at = moment(round);
    run->began_ns = rv_precise_now_ns(round->runtime);
    run->may_pass = job->runs < job->fails_first;
    run->fails = run->may_pass || pick(round, 10) == 0;
    run->stops_half_way = run->may_pass && pick(round, 2);
    run->ends_on_cancel = pick(round, 2);
    job->run[job->runs++] = run;
    rv_timer_init(&run->due, run_due);
    rv_timer_init(&run->halfway, run_halfway);
    cr_assert_null(reeve_tool_call_data(call));
    reeve_tool_call_set_data(call, run);
    return run;
}

static void run_call(struct reuse_round *round, struct reeve_tool_call *call)
{
    struct reuse_run *run = new_run(round, call);
    unsigned ms = pick(round, 4) ? 1 + pick(round, 30) : 0;

    do_part(run, DEED_BEGIN);
    check_permits(run->job->batch, run->began_ns);
    if (pick(round, 3) == 0)
        say(run, 1 + pick(round, 2));
    if (!ms) {
        end_run(run, !run->stops_half_way);
        return;
    }
    rv_timer_start_ms(round->runtime, &run->due, ms);
    if (ms > 1 && pick(round, 2))
        rv_timer_start_ms(round->runtime, &run->halfway, ms / 2);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct reuse_round *round = arg;

    if (pick(round, 40) == 0) {
        job_of(round, call)->refusals++;
        return REEVE_EBUSY;
    }
    run_call(round, call);
    return 0;
}

static int start_many(struct reeve_tool_call *const *calls, size_t count, void *arg)
{
    struct reuse_round *round = arg;
    bool refuses = pick(round, 30) == 0;
    size_t i;

    round->tally->gathered += count > 1 ? count : 0;
    for (i = 0; refuses && i < count; i++)
        job_of(round, calls[i])->refusals++;
    for (i = 0; !refuses && i < count; i++)
        run_call(round, calls[i]);
    return refuses ? REEVE_EBUSY : 0;
}

static int describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    return deed_describe(&job_of(arg, call)->ask->deed, claims);
}

/* ---- kept results that are looked at ---------------------------------------------------------
 */

/* Is the world as that run saw it? What no call has written is all that a tool must find out. */
static bool is_as_seen(const struct reuse_round *round, const struct reuse_run *run)
{
    const struct deed *deed = &run->job->ask->deed;
    char place[ORACLE_PATH_BYTES];
    size_t k;

    for (k = 0; k < deed->count; k++) {
        uint64_t now =
            deed_find(deed, k, &round->world, place) ? oracle_look(&round->world, place) : 0;

        if (now != run->trace.seen[k][0] || now != run->trace.seen[k][1])
            return false;
    }
    return true;
}

static void answer_check(struct check *check)
{
    struct reuse_round *round = check->round;
    struct reeve_tool_call *call = check->call;
    bool right = !check->refuses && (!round->outside || is_as_seen(round, check->run));

    check->call = NULL;
    rv_timer_stop(round->runtime, &check->due);
    round->tally->checks++;
    round->tally->noes += !right;
    reeve_tool_call_validated(call, right);
}

static void check_due(struct rv_timer *timer)
{
    answer_check(rv_container_of(timer, struct check, due));
}

static void validate(struct reeve_tool_call *call, const void *evidence, size_t len, void *arg)
{
    struct reuse_round *round = arg;
    struct check *check = checks;
    unsigned number;

    cr_assert_eq(len, sizeof number);
    memcpy(&number, evidence, len);
    while (check->call)
        check++;
    *check = (struct check){
        .round = round,
        .job = job_of(round, call),
        .run = &round->runs[number],
        .call = call,
        .refuses = pick(round, 5) == 0,
    };
    REUSE_WANT(round, check->job, check->run->job->ask == check->job->ask);
    REUSE_WANT(round, check->job, !check->job->runs);
    rv_timer_init(&check->due, check_due);
    if (pick(round, 2))
        rv_timer_start_ms(round->runtime, &check->due, 1 + pick(round, 30));
    else
        answer_check(check);
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    struct reuse_run *run = reeve_tool_call_data(call);
    struct check *check = checks;

    (void)arg;
    if (run) {
        if (run->call && run->ends_on_cancel)
            end_run(run, false);
        return;
    }
    while (check < checks + sizeof checks / sizeof checks[0] && check->call != call)
        check++;
    cr_assert(check < checks + sizeof checks / sizeof checks[0]);
    if (pick(check->round, 2))
        answer_check(check);
}

/* ---- the plan --------------------------------------------------------------------------------
 */

static const struct reuse_tool *tool_for(const struct reuse_round *round, const struct deed *deed)
{
    if (deed->way == DEED_EVERYTHING && !deed->writes)
        return &tools[round->outside ? PLAIN : LOOK];
    if (deed->way == DEED_EVERYTHING)
        return &tools[deed->link % 2 ? SET : SHELL];
    if (deed_writes(deed))
        return &tools[pick(round, 2) ? PLAIN : round->outside ? CHECKED : MANY];
    if (round->outside)
        return &tools[pick(round, 5) ? CHECKED : PLAIN];
    return &tools[pick(round, 8) ? KEPT + pick(round, 3) : PLAIN];
}

/* Few names: one of them a link to one of the others, which the first of the asks changes; or one
 * below the other. */
static void make_narrow(struct reuse_round *round, struct deed *deed)
{
    static const char *const names[2][4] = {{"l1", "a", "./l1", "dir/b"},
                                            {"dir", "dir/b", "dir/sub", "dir/sub/c"}};
    size_t k;

    if (round->narrow == 1 && deed == &round->asks[0].deed) {
        deed->way = DEED_EVERYTHING;
        deed->count = 0;
        deed->writes = true;
    }
    deed->link = 0;
    deed->to[0] = pick(round, 2) * 4;
    deed->to[1] = pick(round, 2) * 4;
    for (k = 0; deed->way == DEED_BY_PATH && k < deed->count; k++)
        strcpy(deed->touches[k].text, names[round->narrow - 1][pick(round, 4)]);
}

static void plan_asks(struct reuse_round *round)
{
    unsigned reads = 4 + pick(round, 6), barriers = pick(round, 2);
    size_t i;

    for (i = 0; i < REUSE_ASKS; i++) {
        struct reuse_ask *ask = &round->asks[i];

        do
            deed_plan(&ask->deed, round->t, reads, barriers);
        while (round->outside && ask->deed.way == DEED_EVERYTHING && !ask->deed.writes);
        if (round->narrow)
            make_narrow(round, &ask->deed);
        ask->tool = tool_for(round, &ask->deed);
        round->links |= ask->deed.way == DEED_EVERYTHING && ask->deed.writes;
    }
}

/* The same arguments, as a model might write them. */
static void spell(char *out, size_t size, size_t ask, unsigned way)
{
    if (way == 0)
        snprintf(out, size, "{\"n\":%zu,\"of\":{\"a\":1,\"b\":[]}}", ask);
    else if (way == 1)
        snprintf(out, size, "{ \"of\": {\"b\":[ ], \"a\":1}, \"n\" : %zu }", ask);
    else
        snprintf(out, size, "{\"of\":{\"a\":1.0,\"b\":[]},\"\\u006e\":%zu}", ask);
}

static void plan_job(struct reuse_batch *batch, size_t i, unsigned asks)
{
    struct reuse_round *round = batch->round;
    struct reuse_job *job = &batch->jobs[i];
    size_t ask = batch->first_ask + pick(round, asks);

    job->batch = batch;
    job->ask = &round->asks[ask];
    job->fails_first = job->ask->tool->idempotent && pick(round, 3) == 0 ? 1 + pick(round, 3) : 0;
    snprintf(batch->ids[i], sizeof batch->ids[i], "b%zu.%zu", (size_t)(batch - round->batches), i);
    spell(batch->arguments[i], sizeof batch->arguments[i], ask, pick(round, 3));
    batch->calls[i] = (struct reeve_call){
        .id = batch->ids[i],
        .name = job->ask->tool->name,
        .arguments = batch->arguments[i],
        .arguments_len = strlen(batch->arguments[i]),
    };
    batch->contexts[i] = pick(round, 3) ? round : (void *)batch;
}

static void submit(struct rv_sim_event *event);

static void plan_batch(struct reuse_round *round, struct reuse_batch *batch)
{
    unsigned asks = 2 + pick(round, REUSE_ASKS - 2);
    size_t i;

    batch->round = round;
    batch->first_ask = pick(round, 2);
    batch->count = 2 + pick(round, REUSE_CALLS - 1);
    batch->limit = round->narrow    ? 1 + pick(round, 3)
                   : pick(round, 2) ? 1 + pick(round, 6)
                                    : 1 + pick(round, 64);
    batch->has_contexts = pick(round, 6) == 0;
    batch->scope = pick(round, 4) ? "of all" : pick(round, 2) ? "of one" : NULL;
    batch->skips_cache = pick(round, 12) == 0;
    batch->skips_sharing = round->outside || pick(round, 8) == 0;
    batch->asks = pick(round, 3) == 0;
    batch->listens = pick(round, 2);
    for (i = 0; i < batch->count; i++)
        plan_job(batch, i, asks);
    rv_sim_event_init(&batch->submission, submit);
}

static void plan(struct reuse_round *round)
{
    size_t i;

    round->narrow = pick(round, 2) ? 0 : 1 + (pick(round, 4) == 0);
    round->at_once = pick(round, 2);
    round->outside = round->at_once && pick(round, 4) == 0;
    round->abandon_ms = round->at_once ? 1 + pick(round, 12) : 1000;
    round->ttl_ms = pick(round, 4) ? 0 : 20;
    round->count = 1 + pick(round, REUSE_BATCHES);
    plan_asks(round);
    for (i = 0; i < round->count; i++)
        plan_batch(round, &round->batches[i]);
}

/* ---- the batches -----------------------------------------------------------------------------
 */

static bool is_to_be_denied(size_t index)
{
    return index % 7 == 5;
}

static void answer_due(struct rv_timer *timer)
{
    struct reuse_batch *batch = rv_container_of(timer, struct reuse_batch, answer);
    struct reuse_job *job = &batch->jobs[batch->asked];

    if (!batch->batch || job->answered_at)
        return; /* the question is void */
    job->denied = is_to_be_denied(batch->asked);
    job->allowed_at = job->denied ? 0 : moment(batch->round);
    reeve_batch_permit(batch->batch, batch->asked,
                       job->denied ? REEVE_PERMISSION_REFUSE : REEVE_PERMISSION_ALLOW, NULL);
}

static void on_permission(struct reeve_batch *reeve_batch, size_t index,
                          const struct reeve_tool_call *call, void *arg)
{
    struct reuse_batch *batch = arg;
    struct reuse_round *round = batch->round;

    cr_assert_eq(job_of(round, call), &batch->jobs[index]);
    cr_assert_eq(reeve_batch, batch->batch);
    rv_timer_stop(round->runtime, &batch->answer); /* of a question that is void */
    batch->asked = index;
    if (pick(round, 2))
        rv_timer_start_ms(round->runtime, &batch->answer, 1 + pick(round, 8));
    else
        answer_due(&batch->answer);
}

static void on_output(struct reeve_batch *reeve_batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct reuse_batch *batch = arg;
    struct reuse_job *job = &batch->jobs[index];
    size_t had = strlen(job->heard);

    (void)reeve_batch;
    cr_assert_lt(had + len, sizeof job->heard);
    REUSE_WANT(batch->round, job, job->runs > 0 && !job->answered_at);
    memcpy(job->heard + had, bytes, len);
    job->heard[had + len] = '\0';
}

static void on_retry(struct reeve_batch *reeve_batch, size_t index, uint32_t wait_ms, void *arg)
{
    struct reuse_batch *batch = arg;
    struct reuse_job *job = &batch->jobs[index];

    (void)reeve_batch;
    REUSE_WANT(batch->round, job, wait_ms >= REUSE_RETRY_MS / 2 && job->ask->tool->idempotent);
    REUSE_WANT(batch->round, job, job->run[job->runs - 1]->may_pass);
    job->heard[0] = '\0';
    job->retries++;
}

static void on_result(struct reeve_batch *reeve_batch, size_t index, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(reeve_batch, index);
    struct reuse_batch *batch = arg;
    struct reuse_job *job = &batch->jobs[index];

    REUSE_WANT(batch->round, job, !job->answered_at && result->status != REEVE_CALL_PENDING);
    REUSE_WANT(batch->round, job, result->attempts == job->runs + job->refusals);
    job->status = result->status;
    job->source = result->source;
    cr_assert_lt(result->len, sizeof job->text);
    strcpy(job->text, result->text);
    job->answered_at = moment(batch->round);
    job->answered_ns = batch->opened_ns + result->ended_us * UINT64_C(1000);
}

static void check_figures(const struct reuse_batch *batch)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    uint64_t cached = 0, shared = 0, retries = 0, refused = 0;
    size_t i;

    cr_assert_eq(reeve_batch_stats(batch->batch, &stats), 0);
    for (i = 0; i < batch->count; i++) {
        const struct reuse_job *job = &batch->jobs[i];

        REUSE_WANT(batch->round, job, job->answered_at);
        cached += job->source == REEVE_SOURCE_CACHE;
        shared += job->source == REEVE_SOURCE_SHARED;
        refused += job->status == REEVE_CALL_REFUSED;
        retries += job->retries;
    }
    REUSE_WANT(batch->round, &batch->jobs[0], stats.cached == cached && stats.shared == shared);
    REUSE_WANT(batch->round, &batch->jobs[0], stats.retries == retries);
    REUSE_WANT(batch->round, &batch->jobs[0], stats.refused == refused);
    REUSE_WANT(batch->round, &batch->jobs[0],
               stats.succeeded + stats.failed + stats.canceled + stats.refused + cached + shared ==
                   batch->count);
    REUSE_WANT(batch->round, &batch->jobs[0], stats.peak_running <= batch->limit);
}

static void on_done(struct reeve_batch *reeve_batch, int error, void *arg)
{
    struct reuse_batch *batch = arg;
    struct reuse_round *round = batch->round;
    struct reuse_batch *next = batch + 1;

    (void)error;
    cr_assert_eq(reeve_batch, batch->batch);
    check_figures(batch);
    rv_timer_stop(round->runtime, &batch->answer);
    batch->batch = NULL;
    batch->done++;
    if (!round->at_once && next < round->batches + round->count)
        rv_sim_schedule_ms(round->runtime, &next->submission, pick(round, 2) ? 0 : pick(round, 30));
}

static void submit(struct rv_sim_event *event)
{
    struct reuse_batch *batch = rv_container_of(event, struct reuse_batch, submission);
    struct reuse_round *round = batch->round;
    struct reeve_batch_options options;

    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = batch->limit;
    options.timeout_ms = REUSE_TIMEOUT_MS;
    options.abandon_ms = round->abandon_ms;
    options.max_attempts = REUSE_ATTEMPTS;
    options.retry_wait_ms = REUSE_RETRY_MS;
    options.cache_scope = batch->scope;
    options.contexts = batch->has_contexts ? batch->contexts : NULL;
    options.skip_cache = batch->skips_cache;
    options.skip_sharing = batch->skips_sharing;
    options.on_permission = batch->asks ? on_permission : NULL;
    options.on_output = batch->listens ? on_output : NULL;
    options.on_result = on_result;
    options.on_retry = on_retry;
    options.on_done = on_done;
    options.arg = batch;
    rv_timer_init(&batch->answer, answer_due);
    batch->submitted_at = moment(round);
    batch->opened_ns = rv_sim_now_ns(round->runtime);
    cr_assert_eq(
        reeve_batch_run(round->toolbox, batch->calls, batch->count, &options, &batch->batch), 0);
}

bool reuse_same_context(const struct reuse_job *one, const struct reuse_job *other)
{
    const struct reuse_batch *batch = one->batch;

    return one->batch == other->batch &&
           (!batch->has_contexts ||
            batch->contexts[one - batch->jobs] == batch->contexts[other - batch->jobs]);
}

/* ---- a round ---------------------------------------------------------------------------------
 */

static void strike(struct rv_sim_event *event)
{
    struct reuse_strike *self = rv_container_of(event, struct reuse_strike, event);
    struct reuse_round *round = self->round;
    struct reuse_batch *batch = &round->batches[self->batch];

    if (self->clears) {
        reeve_toolbox_clear_cache(round->toolbox);
        round->cleared_at = moment(round);
    } else if (self->outside) {
        oracle_write(&round->world, pick(round, 2) ? "/dir/a" : "/a", 1000000 + round->moment);
        note_world(round);
    } else if (batch->batch && self->call < batch->count) {
        reeve_batch_cancel_call(batch->batch, self->call);
    } else if (batch->batch) {
        reeve_batch_cancel(batch->batch);
    }
}

static void plan_strikes(struct reuse_round *round)
{
    unsigned count = pick(round, 4) ? pick(round, REUSE_STRIKES + 1) : 0, i;

    for (i = 0; i < count; i++) {
        struct reuse_strike *self = &round->strikes[i];

        self->round = round;
        self->batch = pick(round, (unsigned)round->count);
        self->call =
            pick(round, (unsigned)round->batches[self->batch].count + (pick(round, 4) ? 0 : 1));
        self->clears = i == 0 && pick(round, 2);
        self->outside = round->outside && pick(round, 2);
        rv_sim_event_init(&self->event, strike);
        rv_sim_schedule_ns(round->runtime, &self->event,
                           pick(round, 200) * REUSE_MS + REUSE_MS / 2);
    }
}

static void add_tools(struct reuse_round *round)
{
    struct reeve_tool tool;
    size_t i;

    for (i = 0; i < TOOLS; i++) {
        reeve_tool_init(&tool);
        tool.name = tools[i].name;
        tool.effect = tools[i].effect;
        if (tools[i].many)
            tool.start_many = start_many;
        else
            tool.start = start;
        tool.most_at_once = tools[i].many ? pick(round, 4) : 0;
        tool.cancel = cancel;
        tool.describe = tools[i].describes ? describe : NULL;
        tool.validate = tools[i].validates ? validate : NULL;
        tool.cacheable = tools[i].cacheable;
        tool.idempotent = tools[i].idempotent;
        tool.arg = round;
        cr_assert_eq(reeve_toolbox_add(round->toolbox, &tool), 0);
    }
}

static void open_round(struct reuse_round *round)
{
    struct reeve_runtime_options runtime_options;
    struct reeve_tool_cache_options cache;

    reeve_runtime_options_init(&runtime_options);
    runtime_options.allocator = &round->t->allocator;
    runtime_options.seed = round->seed;
    cr_assert_eq(reeve_runtime_new(NULL, &runtime_options, &round->runtime), 0);
    cr_assert_eq(reeve_toolbox_new(round->runtime, &round->toolbox), 0);
    reeve_tool_cache_options_init(&cache);
    cache.max_size = pick(round, 4) ? 1000 : 3;
    cache.ttl_ms = round->ttl_ms;
    cr_assert_eq(reeve_toolbox_set_cache(round->toolbox, &cache), 0);
    add_tools(round);
    round->files = rv_sim_files_of(round->runtime);
    deed_make_world(&round->world, round->files);
    note_world(round);
    rv_sim_file_latency_ms(round->files, pick(round, 4) ? 0 : 1 + pick(round, 9));
}

void reuse_run_round(struct reuse_round *round)
{
    size_t i;

    plan(round);
    open_round(round);
    plan_strikes(round);
    for (i = 0; i < (round->at_once ? round->count : 1); i++)
        rv_sim_schedule_ms(round->runtime, &round->batches[i].submission,
                           i && pick(round, 4) ? pick(round, pick(round, 2) ? 60 : 300) : 0);
    cr_assert_eq(reeve_runtime_run(round->runtime), 0);
    for (i = 0; i < round->count; i++)
        REUSE_WANT(round, &round->batches[i].jobs[0], round->batches[i].done == 1);
}
