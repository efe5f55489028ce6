/* SPDX-License-Identifier: MIT */
/* A place to try kept, shared and repeated results in. */
#include "tests/sim/rig.h"

#include "base/utf8.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "tool/batch.h"

#include <reeve/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tool keeps of a call that is out. */
struct job {
    struct rv_list node;
    struct rv_timer timer;
    struct rig *rig;
    struct reeve_tool_call *call;
    size_t index;
    unsigned run;
    char how; /* the first letter of "how", or a blank */
    int64_t tries;
    bool checks;
    bool is_right;
};

static uint64_t now_ms(const struct rig *rig)
{
    return (rv_sim_now_ns(rig->runtime) - rig->opened_ns) / RV_NS_PER_MS;
}

static char letter_of(size_t call)
{
    if (call < 26)
        return (char)('a' + call);
    return call < 52 ? (char)('A' + call - 26) : '#';
}

static void event(struct rig *rig, char kind, size_t call)
{
    size_t len = strlen(rig->log);

    rig->events++;
    if (strchr(rig->watch, kind) && len + 4 < sizeof rig->log)
        snprintf(rig->log + len, sizeof rig->log - len, "%s%c%c", len ? " " : "", letter_of(call),
                 kind);
    if (rig->on_event)
        rig->on_event(rig, kind, call);
}

static size_t index_of(const struct reeve_tool_call *call)
{
    return strtoul(reeve_tool_call_id(call) + 1, NULL, 10);
}

/* ---- tools -----------------------------------------------------------------------------------
 */

static void drop_job(struct job *job)
{
    struct rig *rig = job->rig;

    if (rig->runtime)
        rv_timer_stop(rig->runtime, &job->timer);
    rv_list_remove(&job->node);
    if (!job->checks)
        rig->running--;
}

static void end_run(const struct job *job)
{
    struct rig_call *made = &job->rig->calls[job->index];
    char text[32];
    int len = snprintf(text, sizeof text, "run %u", job->run);

    if (job->how == 's')
        reeve_tool_call_write(job->call, "then ", 5);
    if (job->how == 'e')
        reeve_tool_call_finish(job->call, NULL, 0);
    else if (job->how == 'f')
        reeve_tool_call_fail(job->call, 0, text, (size_t)len);
    else if (job->how == 'p' || job->tries > (int64_t)made->starts)
        reeve_tool_call_fail(job->call, 1, text, (size_t)len);
    else
        reeve_tool_call_finish(job->call, text, (size_t)len);
}

static void end_job(struct job *job)
{
    struct rig *rig = job->rig;
    struct rig_call *made = &rig->calls[job->index];

    drop_job(job);
    if (job->checks) {
        reeve_tool_call_validated(job->call, job->is_right);
    } else {
        made->releases++;
        if (rig->runtime) {
            made->released_ms = now_ms(rig);
            event(rig, '-', job->index);
        }
        end_run(job);
    }
    free(job);
}

static void job_due(struct rv_timer *timer)
{
    end_job(rv_container_of(timer, struct job, timer));
}

static struct job *new_job(struct rig *rig, struct reeve_tool_call *call)
{
    struct job *job = calloc(1, sizeof *job);

    job->rig = rig;
    job->call = call;
    job->index = index_of(call);
    job->how = ' ';
    rv_timer_init(&job->timer, job_due);
    rv_list_append(&rig->jobs, &job->node);
    return job;
}

static int64_t number_in(const struct reeve_tool_call *call, const char *key)
{
    int64_t number = 0;

    reeve_json_int64(reeve_json_get(reeve_tool_call_arguments(call), key), &number);
    return number;
}

static void count_start(struct rig *rig, size_t index)
{
    struct rig_call *made = &rig->calls[index];

    if (made->starts < RIG_TRIES_MAX)
        made->started_ms[made->starts] = now_ms(rig);
    made->starts++;
    rig->runs++;
    if (++rig->running > rig->peak)
        rig->peak = rig->running;
}

/* Finishes it, if it is one that ends inside start. */
static void begin_job(struct rig *rig, struct reeve_tool_call *call, unsigned run)
{
    const char *how = reeve_tool_call_arg_string(call, "how");
    int64_t ms = number_in(call, "ms");
    struct job *job = new_job(rig, call);
    char text[32];

    cr_assert_null(reeve_tool_call_data(call), "the handle is new at each start");
    reeve_tool_call_set_data(call, job);
    job->how = how ? how[0] : ' ';
    job->run = run;
    job->tries = number_in(call, "tries");
    if (reeve_tool_call_effect(call) == REEVE_EFFECT_READ)
        cr_assert_eq(reeve_tool_call_set_evidence(call, &rig->state, sizeof rig->state), 0);
    if (job->how == 's')
        reeve_tool_call_write(call, text,
                              (size_t)snprintf(text, sizeof text, "part %u, ", job->run));
    if (ms > 0)
        rv_timer_start_ms(rig->runtime, &job->timer, (uint64_t)ms);
    else if (job->how != 'n' && job->how != 'c')
        end_job(job);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    const char *how = reeve_tool_call_arg_string(call, "how");
    struct rig *rig = arg;
    unsigned run;

    count_start(rig, index_of(call));
    run = rig->runs;
    event(rig, '+', index_of(call));
    if (how && how[0] == 'r') {
        rig->running--;
        return REEVE_EBUSY;
    }
    begin_job(rig, call, run);
    return 0;
}

int rig_start_many(struct reeve_tool_call *const *calls, size_t count, void *arg)
{
    struct rig *rig = arg;
    unsigned before = rig->runs;
    size_t i;

    cr_assert_gt(count, 0);
    cr_assert_lt(rig->group_count, RIG_CALLS_MAX);
    rig->groups[rig->group_count++] = (unsigned)count;
    for (i = 0; i < count; i++)
        count_start(rig, index_of(calls[i]));
    for (i = 0; i < count; i++)
        event(rig, '+', index_of(calls[i]));
    if (number_in(calls[0], "all") < 0) {
        rig->running -= (unsigned)count;
        return REEVE_EBUSY;
    }
    for (i = 0; i < count; i++)
        begin_job(rig, calls[i], before + (unsigned)i + 1);
    return 0;
}

static struct job *job_of(struct rig *rig, const struct reeve_tool_call *call)
{
    struct rv_list *node;

    rv_list_for_each (node, &rig->jobs)
        if (rv_list_entry(node, struct job, node)->call == call)
            return rv_list_entry(node, struct job, node);
    return NULL;
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    struct rig *rig = arg;
    struct job *job = job_of(rig, call);

    rig->calls[index_of(call)].cancels++;
    cr_assert(job || rig->calls[index_of(call)].releases, "cancel of a call that is not out");
    event(rig, '!', index_of(call));
    job = job_of(rig, call); /* it may have been finished meanwhile */
    if (job && job->how == 'c')
        end_job(job);
}

static void validate(struct reeve_tool_call *call, const void *evidence, size_t len, void *arg)
{
    struct rig *rig = arg;
    struct job *job;

    rig->calls[index_of(call)].checks++;
    cr_assert_eq(len, sizeof rig->state);
    job = new_job(rig, call);
    job->checks = true;
    job->is_right = !memcmp(evidence, &rig->state, len);
    reeve_tool_call_set_data(call, job);
    event(rig, 'v', index_of(call));
    if (job_of(rig, call) != job)
        return; /* the test has answered */
    if (rig->check == RIG_CHECKS_NOW)
        end_job(job);
    else if (rig->check == RIG_CHECKS_LATER)
        rv_timer_start_ms(rig->runtime, &job->timer, 5);
}

int rig_describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    static const struct {
        const char *member, *kind;
        enum reeve_effect effect;
    } known[] = {
        {"r", REEVE_RESOURCE_PATH, REEVE_EFFECT_READ},
        {"w", REEVE_RESOURCE_PATH, REEVE_EFFECT_WRITE},
        {"db", "db", REEVE_EFFECT_READ},
        {"wdb", "db", REEVE_EFFECT_WRITE},
    };
    int error = 0;
    size_t i;

    (void)arg;
    for (i = 0; i < sizeof known / sizeof known[0] && !error; i++) {
        const char *key = reeve_tool_call_arg_string(call, known[i].member);

        if (key)
            error = reeve_claims_add(claims, known[i].effect, known[i].kind, key);
    }
    return error;
}

void rig_tool_init(struct rig *rig, struct reeve_tool *tool, const char *name,
                   enum reeve_effect effect)
{
    reeve_tool_init(tool);
    tool->name = name;
    tool->effect = effect;
    tool->start = start;
    tool->cancel = cancel;
    tool->arg = rig;
}

void rig_add(struct rig *rig, const struct reeve_tool *tool)
{
    cr_assert_eq(reeve_toolbox_add(rig->toolbox, tool), 0, "%s",
                 reeve_toolbox_problem(rig->toolbox));
}

static const struct {
    const char *name;
    enum reeve_effect effect;
    bool claims, keeps, checks, again;
} tools[] = {
    {"read", REEVE_EFFECT_READ, true, true, false, true},
    {"all", REEVE_EFFECT_READ, false, true, false, false},
    {"check", REEVE_EFFECT_READ, true, true, true, false},
    {"plain", REEVE_EFFECT_READ, true, false, false, false},
    {"write", REEVE_EFFECT_WRITE, true, false, false, true},
    {"over", REEVE_EFFECT_WRITE, false, false, false, false},
    {"shell", REEVE_EFFECT_UNKNOWN, false, false, false, false},
};

static int add_tools(struct rig *rig)
{
    int error = 0;
    size_t i;

    for (i = 0; i < sizeof tools / sizeof tools[0] && !error; i++) {
        struct reeve_tool tool;

        rig_tool_init(rig, &tool, tools[i].name, tools[i].effect);
        tool.describe = tools[i].claims ? rig_describe : NULL;
        tool.cacheable = tools[i].keeps;
        tool.validate = tools[i].checks ? validate : NULL;
        tool.idempotent = tools[i].again;
        error = reeve_toolbox_add(rig->toolbox, &tool);
    }
    return error;
}

/* ---- what a batch tells ----------------------------------------------------------------------
 */

static struct rig_call *call_at(const struct rig_batch *batch, size_t index)
{
    cr_assert_lt(index, batch->count);
    return &batch->rig->calls[batch->first + index];
}

static void on_start(struct reeve_batch *running, size_t index, void *arg)
{
    struct rig_batch *batch = arg;
    struct rig_call *call = call_at(batch, index);

    cr_assert_eq(reeve_batch_result(running, index)->status, REEVE_CALL_PENDING);
    cr_assert_eq(call->on_start++, 0, "on_start comes once");
    cr_assert_eq(call->on_result, 0);
    event(batch->rig, '>', batch->first + index);
}

static void on_result(struct reeve_batch *running, size_t index, void *arg)
{
    struct rig_batch *batch = arg;
    struct rig *rig = batch->rig;
    struct rig_call *call = call_at(batch, index);

    cr_assert_neq(reeve_batch_result(running, index)->status, REEVE_CALL_PENDING);
    cr_assert_eq(call->on_result++, 0, "on_result comes once");
    call->result_ms = now_ms(rig);
    if (rig->asked == batch->first + index)
        rig->asked = RIG_NOBODY;
    rig_check_sums(rig);
    event(rig, '=', batch->first + index);
}

static void on_output(struct reeve_batch *running, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct rig_batch *batch = arg;
    struct rig_call *call = call_at(batch, index);
    size_t had = strlen(call->heard), room = sizeof call->heard - 1 - had;

    cr_assert_eq(reeve_batch_result(running, index)->source, REEVE_SOURCE_RUN);
    cr_assert_eq(call->on_result, 0, "what is heard comes before the result");
    cr_assert(rv_utf8_valid(bytes, len));
    memcpy(call->heard + had, bytes, len < room ? len : room);
    call->on_output++;
    event(batch->rig, ':', batch->first + index);
}

static void on_retry(struct reeve_batch *running, size_t index, uint32_t wait_ms, void *arg)
{
    struct rig_batch *batch = arg;
    struct rig_call *call = call_at(batch, index);

    cr_assert_eq(reeve_batch_result(running, index)->status, REEVE_CALL_PENDING);
    cr_assert_lt(call->on_retry, RIG_TRIES_MAX);
    call->rests_ms[call->on_retry++] = wait_ms;
    event(batch->rig, '~', batch->first + index);
}

static void on_permission(struct reeve_batch *running, size_t index,
                          const struct reeve_tool_call *call, void *arg)
{
    struct rig_batch *batch = arg;
    struct rig *rig = batch->rig;
    size_t number = batch->first + index;
    bool refused = rig->refused && strchr(rig->refused, letter_of(number));

    cr_assert_eq(index_of(call), number);
    cr_assert_eq(call_at(batch, index)->asked++, 0, "a call is asked about once");
    cr_assert_eq(call_at(batch, index)->starts, 0);
    rig->asked = number;
    event(rig, '?', number);
    if (rig->says_nothing || rig->asked != number || !batch->batch)
        return;
    rig->asked = RIG_NOBODY;
    reeve_batch_permit(running, index, refused ? REEVE_PERMISSION_REFUSE : REEVE_PERMISSION_ALLOW,
                       "no");
}

static void take_result(struct rig_call *call, const struct reeve_result *result)
{
    cr_assert_str_eq(result->call_id, call->id);
    cr_assert_str_eq(result->tool, call->tool);
    cr_assert_neq(result->status, REEVE_CALL_PENDING);
    cr_assert_eq(strlen(result->text), result->len, "call %s has %zu bytes: %s", call->id,
                 result->len, result->text);
    cr_assert_leq(result->started_us, result->ended_us);
    cr_assert_eq(call->on_result, 1);
    cr_assert_eq(result->attempts, call->starts);
    if (result->source != REEVE_SOURCE_RUN)
        cr_assert(!call->on_start && !call->starts && !call->on_output);
    call->status = result->status;
    call->source = result->source;
    call->attempts = result->attempts;
    call->len = result->len;
    snprintf(call->text, sizeof call->text, "%s", result->text);
}

static void count_result(struct reeve_tool_stats *sum, const struct rig_call *call)
{
    sum->calls++;
    sum->retries += call->on_retry;
    if (call->source == REEVE_SOURCE_CACHE)
        sum->cached++;
    else if (call->source == REEVE_SOURCE_SHARED)
        sum->shared++;
    else if (call->status == REEVE_CALL_SUCCEEDED)
        sum->succeeded++;
    else if (call->status == REEVE_CALL_CANCELED)
        sum->canceled++;
    else if (call->status == REEVE_CALL_REFUSED)
        sum->refused++;
    else
        sum->failed++;
}

/* The figures are those of the results. */
static void check_figures(struct rig_batch *batch)
{
    const struct reeve_batch_stats *stats = &batch->stats;
    struct reeve_tool_stats sum = {.size = sizeof sum};
    size_t i;

    for (i = 0; i < batch->count; i++) {
        count_result(&sum, call_at(batch, i));
        count_result(&batch->rig->total, call_at(batch, i));
    }
    cr_assert_eq(stats->calls, batch->count);
    cr_assert_eq(stats->succeeded, sum.succeeded);
    cr_assert_eq(stats->failed, sum.failed);
    cr_assert_eq(stats->canceled, sum.canceled);
    cr_assert_eq(stats->refused, sum.refused);
    cr_assert_eq(stats->cached, sum.cached);
    cr_assert_eq(stats->shared, sum.shared);
    cr_assert_eq(stats->retries, sum.retries);
}

/* And the toolbox's those of all its batches, if it had no others. */
static void check_total(const struct rig *rig)
{
    struct reeve_tool_stats all = {.size = sizeof all};
    const struct reeve_tool_stats *total = &rig->total;
    size_t i;

    for (i = 0; i < rig->batch_count; i++)
        if (!rig->batches[i].done)
            return;
    cr_assert_eq(reeve_toolbox_stats(rig->toolbox, NULL, &all), 0);
    if (all.calls != total->calls)
        return;
    cr_assert_eq(all.succeeded, total->succeeded);
    cr_assert_eq(all.failed, total->failed);
    cr_assert_eq(all.canceled, total->canceled);
    cr_assert_eq(all.refused, total->refused);
    cr_assert_eq(all.cached, total->cached);
    cr_assert_eq(all.shared, total->shared);
    cr_assert_eq(all.retries, total->retries);
}

static void on_done(struct reeve_batch *ended, int error, void *arg)
{
    struct rig_batch *batch = arg;
    size_t i;

    batch->done++;
    batch->error = error;
    batch->batch = NULL;
    batch->stats.size = sizeof batch->stats;
    cr_assert_eq(reeve_batch_stats(ended, &batch->stats), 0);
    cr_assert_eq(reeve_batch_count(ended), batch->count);
    for (i = 0; i < batch->count; i++)
        take_result(call_at(batch, i), reeve_batch_result(ended, i));
    check_figures(batch);
    cr_assert_leq(batch->stats.peak_running, batch->rig->options.max_concurrency);
    event(batch->rig, '.', batch->first);
}

/* ---- the rig ---------------------------------------------------------------------------------
 */

static void fill_options(struct rig *rig)
{
    reeve_batch_options_init(&rig->options);
    rig->options.grouping = REEVE_GROUPING_HAZARDS;
    rig->options.on_start = on_start;
    rig->options.on_result = on_result;
    rig->options.on_output = on_output;
    rig->options.on_retry = on_retry;
    rig->options.on_done = on_done;
}

int rig_try_open(struct rig *rig, struct rv_test *t)
{
    struct reeve_runtime_options options;
    int error;

    memset(rig, 0, sizeof *rig);
    rig->t = t;
    rig->watch = "+-";
    rig->asked = RIG_NOBODY;
    rv_list_init(&rig->jobs);
    fill_options(rig);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    options.seed = t->seed;
    error = reeve_runtime_new(NULL, &options, &rig->runtime);
    if (error)
        return error;
    rig->files = rv_sim_files_of(rig->runtime);
    rig->opened_ns = rv_sim_now_ns(rig->runtime);
    error = reeve_toolbox_new(rig->runtime, &rig->toolbox);
    if (!error)
        error = add_tools(rig);
    if (!error)
        return 0;
    reeve_toolbox_free(rig->toolbox);
    reeve_runtime_free(rig->runtime);
    return error;
}

void rig_open(struct rig *rig, struct rv_test *t)
{
    cr_assert_eq(rig_try_open(rig, t), 0);
}

void rig_free_toolbox(struct rig *rig)
{
    struct reeve_toolbox *toolbox = rig->toolbox;

    rig_check_sums(rig);
    check_total(rig);
    rig->toolbox = NULL;
    reeve_toolbox_free(toolbox);
}

void rig_free_runtime(struct rig *rig)
{
    struct rv_list *node;

    if (rig->toolbox)
        rig_free_toolbox(rig);
    rv_list_for_each (node, &rig->jobs)
        rv_timer_stop(rig->runtime, &rv_list_entry(node, struct job, node)->timer);
    cr_assert_eq(rv_sim_file_open(rig->files), 0);
    cr_assert_eq(rv_sim_file_pending(rig->files), 0);
    cr_assert_eq(reeve_runtime_pending(rig->runtime), 0);
    reeve_runtime_free(rig->runtime);
    rig->runtime = NULL;
}

void rig_close(struct rig *rig)
{
    size_t i;

    rig->on_event = NULL;
    if (rig->runtime)
        rig_free_runtime(rig);
    rig_finish_held(rig);
    for (i = 0; i < rig->batch_count; i++)
        cr_assert_eq(rig->batches[i].done, rig->batches[i].disowned ? 0 : 1, "batch %zu", i);
    for (i = 0; i < rig->submitted; i++) {
        cr_assert_leq(rig->calls[i].cancels, 2);
        cr_assert_leq(rig->calls[i].releases, rig->calls[i].starts);
    }
}

size_t rig_call(struct rig *rig, const char *tool, const char *format, ...)
{
    size_t number = rig->count++;
    struct rig_call *call = &rig->calls[number];
    va_list args;
    int len;

    cr_assert_lt(number, RIG_CALLS_MAX);
    va_start(args, format);
    len = vsnprintf(call->arguments, sizeof call->arguments, format, args);
    va_end(args);
    cr_assert_lt(len, (int)sizeof call->arguments);
    snprintf(call->id, sizeof call->id, "c%zu", number);
    call->tool = tool;
    return number;
}

/* 0 or REEVE_ENOMEM. */
static int try_submit(struct rig *rig, struct rig_batch *batch)
{
    struct reeve_call calls[RIG_CALLS_MAX];
    size_t i;

    for (i = 0; i < batch->count; i++) {
        struct rig_call *call = call_at(batch, i);

        call->batch = (size_t)(batch - rig->batches);
        calls[i] = (struct reeve_call){.id = call->id,
                                       .name = call->tool,
                                       .arguments = call->arguments,
                                       .arguments_len = strlen(call->arguments)};
    }
    rig->options.arg = batch;
    rig->options.on_permission = rig->asks ? on_permission : NULL;
    return reeve_batch_run(rig->toolbox, calls, batch->count, &rig->options, &batch->batch);
}

struct rig_batch *rig_submit(struct rig *rig)
{
    struct rig_batch *batch = &rig->batches[rig->batch_count++];

    cr_assert_leq(rig->batch_count, RIG_BATCHES_MAX);
    *batch = (struct rig_batch){
        .rig = rig, .first = rig->submitted, .count = rig->count - rig->submitted};
    rig->submitted = rig->count;
    if (try_submit(rig, batch) != 0) {
        cr_assert_gt(rig->t->failing.refused, 0);
        batch->disowned = true;
    }
    return batch;
}

void rig_go(struct rig *rig)
{
    cr_assert_eq(reeve_runtime_run(rig->runtime), 0);
}

void rig_go_until(struct rig *rig, uint64_t ms)
{
    cr_assert_leq(now_ms(rig), ms);
    rv_sim_run_ms(rig->runtime, ms - now_ms(rig));
}

struct rig_batch *rig_run(struct rig *rig)
{
    struct rig_batch *batch = rig_submit(rig);

    rig_go(rig);
    cr_assert_eq(batch->done, 1);
    return batch;
}

void rig_want(struct rig *rig, const char *tool, const char *arguments, const char *text,
              enum reeve_result_source source)
{
    size_t call = rig_call(rig, tool, "%s", arguments);

    rig_run(rig);
    cr_assert_str_eq(rig->calls[call].text, text, "%s(%s), call %zu: %s", tool, arguments, call,
                     rig->calls[call].text);
    cr_assert_eq(rig->calls[call].source, source, "%s(%s), call %zu", tool, arguments, call);
}

void rig_finish(struct rig *rig, size_t call)
{
    struct rv_list *node;

    rv_list_for_each (node, &rig->jobs) {
        struct job *job = rv_list_entry(node, struct job, node);

        if (job->index == call) {
            end_job(job);
            return;
        }
    }
    cr_assert_fail("call %zu is not out", call);
}

void rig_write(struct rig *rig, size_t call, const char *text)
{
    struct rv_list *node;

    rv_list_for_each (node, &rig->jobs) {
        const struct job *job = rv_list_entry(node, struct job, node);

        if (job->index == call)
            reeve_tool_call_write(job->call, text, strlen(text));
    }
}

void rig_finish_held(struct rig *rig)
{
    while (!rv_list_empty(&rig->jobs))
        end_job(rv_list_entry(rig->jobs.next, struct job, node));
}

void rig_cancel(struct rig *rig, size_t call)
{
    struct rig_batch *batch = &rig->batches[rig->calls[call].batch];

    if (batch->batch)
        reeve_batch_cancel_call(batch->batch, call - batch->first);
}

void rig_answer(struct rig *rig, enum reeve_permission answer)
{
    size_t number = rig->asked;
    const struct rig_batch *batch;

    cr_assert_neq(number, (size_t)RIG_NOBODY);
    batch = &rig->batches[rig->calls[number].batch];
    rig->asked = RIG_NOBODY;
    reeve_batch_permit(batch->batch, number - batch->first, answer, "no");
}

struct reeve_tool_cache_stats rig_cache(const struct rig *rig)
{
    struct reeve_tool_cache_stats stats = {.size = sizeof stats};

    cr_assert_eq(reeve_toolbox_cache_stats(rig->toolbox, &stats), 0);
    return stats;
}

void rig_clear_log(struct rig *rig)
{
    rig->log[0] = '\0';
}

static uint64_t sum_of(const struct reeve_tool_stats *stats)
{
    return stats->succeeded + stats->failed + stats->canceled + stats->refused + stats->cached +
           stats->shared;
}

void rig_check_sums(const struct rig *rig)
{
    struct reeve_tool_stats all = {.size = sizeof all}, one = {.size = sizeof one};
    uint64_t calls = 0, retries = 0;
    size_t i;

    if (!rig->toolbox)
        return;
    cr_assert_eq(reeve_toolbox_stats(rig->toolbox, NULL, &all), 0);
    cr_assert_eq(all.calls, sum_of(&all));
    for (i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        cr_assert_eq(reeve_toolbox_stats(rig->toolbox, tools[i].name, &one), 0);
        cr_assert_eq(one.calls, sum_of(&one), "%s", tools[i].name);
        calls += one.calls;
        retries += one.retries;
    }
    cr_assert_leq(calls, all.calls);
    cr_assert_leq(retries, all.retries);
}
