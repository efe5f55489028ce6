/* SPDX-License-Identifier: MIT */
/* A place to try batches in. */
#include "tests/sim/lab.h"

#include "base/utf8.h"
#include "loop/clock.h"
#include "tests/sim/sim.h"

#include <reeve/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tool of the lab keeps for a call that is out. */
struct job {
    struct rv_list node;
    struct rv_timer timer;
    struct lab *lab;
    struct reeve_tool_call *call;
    size_t index;
    bool fails;
    bool is_long;
    bool writes;
    bool ends_on_cancel;
};

static void event(struct lab *lab, unsigned *ret_number)
{
    *ret_number = ++lab->events;
    if (lab->on_event)
        lab->on_event(lab);
}

static size_t index_of(const struct reeve_tool_call *call)
{
    return strtoul(reeve_tool_call_id(call) + 1, NULL, 10);
}

static void note_end(struct lab *lab, size_t index)
{
    lab->running--;
    lab->record[index].released_ns = rv_precise_now_ns(lab->runtime);
    event(lab, &lab->record[index].released);
}

static void finish_long(struct reeve_tool_call *call)
{
    size_t len = 2 * reeve_tool_call_max_output_bytes(call);
    char *text = calloc(1, len);

    memset(text, 'x', len);
    reeve_tool_call_finish(call, text, len);
    free(text);
}

static void end_job(struct job *job)
{
    struct lab *lab = job->lab;
    struct reeve_tool_call *call = job->call;
    size_t index = job->index;
    bool fails = job->fails, is_long = job->is_long, writes = job->writes;
    char text[32];
    int len = snprintf(text, sizeof text, "%s %zu", fails ? "failed" : "did", index);

    cr_assert_eq(reeve_tool_call_data(call), job);
    rv_list_remove(&job->node);
    rv_free(lab->mem, job);
    if (lab->runtime)
        note_end(lab, index);
    if (writes)
        reeve_tool_call_write(call, "\xA4 ", 2);
    if (is_long)
        finish_long(call);
    else if (fails)
        reeve_tool_call_fail(call, 0, text, (size_t)len);
    else
        reeve_tool_call_finish(call, text, (size_t)len);
}

static void job_due(struct rv_timer *timer)
{
    end_job(rv_container_of(timer, struct job, timer));
}

static int start_job(struct lab *lab, struct reeve_tool_call *call, const char *how, int64_t ms)
{
    struct job *job = rv_zalloc(lab->mem, sizeof *job);

    if (!job)
        return REEVE_ENOMEM;
    job->lab = lab;
    job->call = call;
    job->index = index_of(call);
    job->fails = strcmp(how, "fail") == 0;
    job->is_long = strcmp(how, "much") == 0;
    job->writes = strcmp(how, "write") == 0;
    job->ends_on_cancel = strcmp(how, "on_cancel") == 0;
    cr_assert_null(reeve_tool_call_data(call));
    reeve_tool_call_set_data(call, job);
    rv_timer_init(&job->timer, job_due);
    rv_list_append(&lab->jobs, &job->node);
    if (job->writes)
        reeve_tool_call_write(call, "half \xC3", 6);
    if (ms > 0)
        rv_timer_start_ms(lab->runtime, &job->timer, (uint64_t)ms);
    else if (strcmp(how, "never") != 0 && !job->ends_on_cancel)
        end_job(job);
    return 0;
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct lab *lab = arg;
    struct lab_record *record = &lab->record[index_of(call)];
    const char *how = reeve_tool_call_arg_string(call, "how");
    int64_t ms = 0;
    int error;

    lab->running++;
    if (lab->running > lab->peak)
        lab->peak = lab->running;
    record->started_ns = rv_precise_now_ns(lab->runtime);
    event(lab, &record->started);
    reeve_json_int64(reeve_json_get(reeve_tool_call_arguments(call), "ms"), &ms);
    if (how && strcmp(how, "refuse") == 0) {
        note_end(lab, index_of(call));
        return REEVE_EBUSY;
    }
    error = start_job(lab, call, how ? how : "", ms);
    if (error)
        note_end(lab, index_of(call));
    return error;
}

static struct job *job_of(struct lab *lab, const struct reeve_tool_call *call)
{
    struct rv_list *node;

    rv_list_for_each (node, &lab->jobs) {
        struct job *job = rv_list_entry(node, struct job, node);

        if (job->call == call)
            return job;
    }
    return NULL;
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    struct lab *lab = arg;
    struct job *job = job_of(lab, call);
    unsigned number;

    lab->record[index_of(call)].canceled++;
    event(lab, &number);
    cr_assert(job || lab->record[index_of(call)].released, "cancel of a call that is not out");
    job = job_of(lab, call); /* it may have been finished meanwhile */
    if (job && job->ends_on_cancel)
        end_job(job);
}

static int add_tool(struct lab *lab, const char *name, enum reeve_effect effect)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.effect = effect;
    tool.start = start;
    tool.cancel = cancel;
    tool.cacheable = effect == REEVE_EFFECT_READ;
    tool.arg = lab;
    return reeve_toolbox_add(lab->toolbox, &tool);
}

static int add_tools(struct lab *lab)
{
    int error = add_tool(lab, "look", REEVE_EFFECT_READ);

    if (!error)
        error = add_tool(lab, "set", REEVE_EFFECT_WRITE);
    if (!error)
        error = add_tool(lab, "shell", REEVE_EFFECT_UNKNOWN);
    return error;
}

static void on_start(struct reeve_batch *batch, size_t index, void *arg)
{
    struct lab *lab = arg;

    cr_assert_eq(reeve_batch_result(batch, index)->status, REEVE_CALL_PENDING);
    cr_assert_eq(lab->record[index].on_start, 0);
    event(lab, &lab->record[index].on_start);
}

static void on_result(struct reeve_batch *batch, size_t index, void *arg)
{
    struct lab *lab = arg;

    cr_assert_neq(reeve_batch_result(batch, index)->status, REEVE_CALL_PENDING);
    cr_assert_eq(lab->record[index].on_result, 0);
    if (lab->asked == index)
        lab->asked = LAB_NOBODY; /* the question is void */
    event(lab, &lab->record[index].on_result);
}

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct lab *lab = arg;
    struct lab_record *record = &lab->record[index];
    size_t had = strlen(record->heard), room = sizeof record->heard - 1 - had;

    cr_assert_not_null(reeve_batch_result(batch, index));
    cr_assert_neq(record->on_start, 0);
    cr_assert_eq(record->on_result, 0);
    cr_assert_gt(len, 0);
    cr_assert(rv_utf8_valid(bytes, len), "a character was cut");
    memcpy(record->heard + had, bytes, len < room ? len : room);
    event(lab, &record->on_output);
}

enum reeve_permission lab_mixed_answer(size_t index)
{
    if (index % 5 == 4)
        return REEVE_PERMISSION_REFUSE;
    return index % 7 == 6 ? REEVE_PERMISSION_ALWAYS : REEVE_PERMISSION_ALLOW;
}

bool lab_mixed_is_later(size_t index)
{
    return index % 3 == 1;
}

void lab_answer(struct lab *lab, enum reeve_permission answer, const char *reason)
{
    size_t index = lab->asked;

    cr_assert_neq(index, (size_t)LAB_NOBODY);
    lab->asked = LAB_NOBODY;
    reeve_batch_permit(lab->batch, index, answer, reason);
}

/* The question may be void by now, and another open. */
static void answer_due(struct rv_timer *timer)
{
    struct lab_answer *answer = rv_container_of(timer, struct lab_answer, timer);
    struct lab *lab = answer->lab;

    if (!lab->batch)
        return;
    if (lab->asked == answer->index)
        lab->asked = LAB_NOBODY;
    reeve_batch_permit(lab->batch, answer->index, lab_mixed_answer(answer->index), "it is so");
}

static void answer_by_policy(struct lab *lab, size_t index)
{
    struct lab_answer *later = &lab->answers[index];

    if (lab->policy == LAB_SAYS_NOTHING)
        return;
    if (lab->policy == LAB_MIXED && lab_mixed_is_later(index)) {
        later->lab = lab;
        later->index = index;
        rv_timer_init(&later->timer, answer_due);
        rv_timer_start_ms(lab->runtime, &later->timer, 7);
    } else {
        lab_answer(lab,
                   lab->policy == LAB_ALLOWS ? REEVE_PERMISSION_ALLOW : lab_mixed_answer(index),
                   "it is so");
    }
}

static void on_permission(struct reeve_batch *batch, size_t index,
                          const struct reeve_tool_call *call, void *arg)
{
    struct lab *lab = arg;

    cr_assert_eq(lab->asked, (size_t)LAB_NOBODY, "one question at a time");
    cr_assert_geq(index, lab->next_asked, "questions come in the order of the calls");
    cr_assert_eq(index_of(call), index);
    cr_assert_eq(reeve_batch_result(batch, index)->status, REEVE_CALL_PENDING);
    cr_assert_eq(lab->record[index].started, 0);
    cr_assert_not_null(reeve_tool_call_arguments(call));
    lab->asked = index;
    lab->next_asked = index + 1;
    lab->questions++;
    lab->record[index].asked_ns = rv_precise_now_ns(lab->runtime);
    event(lab, &lab->record[index].on_permission);
    if (lab->batch && lab->asked == index)
        answer_by_policy(lab, index);
}

void lab_ask(struct lab *lab, enum lab_policy policy)
{
    lab->policy = policy;
    lab->options.on_permission = on_permission;
}

/* What holds for every batch that is over. */
static void check_results(struct lab *lab, struct reeve_batch *batch)
{
    const struct reeve_batch_stats *stats = &lab->stats;
    uint64_t sum_us = 0;
    size_t i;

    cr_assert_eq(reeve_batch_count(batch), lab->count);
    cr_assert_null(reeve_batch_result(batch, lab->count));
    for (i = 0; i < lab->count; i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        cr_assert_str_eq(result->call_id, lab->calls[i].id);
        cr_assert_str_eq(result->tool, lab->calls[i].name);
        cr_assert_neq(result->status, REEVE_CALL_PENDING);
        cr_assert_eq(strlen(result->text), result->len);
        cr_assert_leq(result->started_us, result->ended_us);
        cr_assert_neq(lab->record[i].on_result, 0, "call %zu", i);
        sum_us += result->ended_us - result->started_us;
        lab->status[i] = result->status;
        lab->source[i] = result->source;
        lab->ended_us[i] = result->ended_us;
        snprintf(lab->text[i], sizeof lab->text[i], "%s", result->text);
    }
    cr_assert_eq(stats->calls, lab->count);
    cr_assert_eq(stats->succeeded + stats->failed + stats->canceled + stats->refused +
                     stats->cached + stats->shared,
                 stats->calls);
    cr_assert_eq(stats->sum_us, sum_us);
    cr_assert_leq(stats->peak_running, lab->options.max_concurrency);
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct lab *lab = arg;
    unsigned number;

    lab->done++;
    lab->done_error = error;
    lab->stats.size = sizeof lab->stats;
    cr_assert_eq(reeve_batch_stats(batch, &lab->stats), 0);
    check_results(lab, batch);
    event(lab, &number);
    reeve_batch_cancel(batch);
    reeve_batch_cancel_call(batch, 0);
    lab->batch = NULL;
}

int lab_try_open(struct lab *lab, struct rv_test *t)
{
    struct reeve_runtime_options options;
    int error;

    memset(lab, 0, sizeof *lab);
    lab->t = t;
    lab->asked = LAB_NOBODY;
    lab->mem = t->mem;
    rv_list_init(&lab->jobs);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    options.seed = t->seed;
    error = reeve_runtime_new(NULL, &options, &lab->runtime);
    if (error)
        return error;
    error = reeve_toolbox_new(lab->runtime, &lab->toolbox);
    if (!error)
        error = add_tools(lab);
    if (error) {
        reeve_toolbox_free(lab->toolbox);
        reeve_runtime_free(lab->runtime);
        return error;
    }
    lab->opened_ns = rv_precise_now_ns(lab->runtime);
    reeve_batch_options_init(&lab->options);
    lab->options.skip_sharing = 1; /* calls that say the same are many all the same, */
    lab->options.skip_cache = 1;   /* and each has a result of its own */
    lab->options.on_start = on_start;
    lab->options.on_result = on_result;
    lab->options.on_output = on_output;
    lab->options.on_done = on_done;
    lab->options.arg = lab;
    return 0;
}

void lab_open(struct lab *lab, struct rv_test *t)
{
    cr_assert_eq(lab_try_open(lab, t), 0);
}

void lab_free_toolbox(struct lab *lab)
{
    reeve_toolbox_free(lab->toolbox);
    lab->toolbox = NULL;
}

void lab_free_runtime(struct lab *lab)
{
    struct rv_list *node;
    size_t i;

    if (lab->toolbox)
        lab_free_toolbox(lab);
    rv_list_for_each (node, &lab->jobs)
        rv_timer_stop(lab->runtime, &rv_list_entry(node, struct job, node)->timer);
    for (i = 0; i < LAB_CALLS_MAX; i++)
        if (lab->answers[i].lab)
            rv_timer_stop(lab->runtime, &lab->answers[i].timer);
    cr_assert_eq(reeve_runtime_pending(lab->runtime), 0);
    reeve_runtime_free(lab->runtime);
    lab->runtime = NULL;
}

void lab_close(struct lab *lab)
{
    if (lab->runtime)
        lab_free_runtime(lab);
    lab_finish_held(lab);
}

size_t lab_call(struct lab *lab, const char *tool, const char *format, ...)
{
    size_t i = lab->count++;
    struct reeve_call *call = &lab->calls[i];
    va_list args;
    int len;

    cr_assert_lt(i, LAB_CALLS_MAX);
    va_start(args, format);
    len = vsnprintf(lab->arguments[i], sizeof lab->arguments[i], format, args);
    va_end(args);
    cr_assert_lt(len, (int)sizeof lab->arguments[i]);
    snprintf(lab->ids[i], sizeof lab->ids[i], "c%zu", i);
    call->id = lab->ids[i];
    call->name = tool;
    call->arguments = lab->arguments[i];
    call->arguments_len = (size_t)len;
    return i;
}

void lab_submit(struct lab *lab)
{
    struct reeve_batch *batch;

    cr_assert_eq(reeve_batch_run(lab->toolbox, lab->calls, lab->count, &lab->options, &batch), 0);
    cr_assert_eq(lab->events, 0, "nothing may be called from inside the submission");
    lab->batch = batch;
}

void lab_go(struct lab *lab)
{
    cr_assert_eq(reeve_runtime_run(lab->runtime), 0);
}

void lab_go_until(struct lab *lab, uint64_t ms)
{
    uint64_t now_ms = (rv_sim_now_ns(lab->runtime) - lab->opened_ns) / RV_NS_PER_MS;

    cr_assert_leq(now_ms, ms);
    rv_sim_run_ms(lab->runtime, ms - now_ms);
}

void lab_run(struct lab *lab)
{
    lab_submit(lab);
    lab_go(lab);
    cr_assert_eq(lab->done, 1);
}

void lab_finish_held(struct lab *lab)
{
    while (!rv_list_empty(&lab->jobs)) {
        struct job *job = rv_list_entry(lab->jobs.next, struct job, node);

        if (lab->runtime)
            rv_timer_stop(lab->runtime, &job->timer);
        end_job(job);
    }
}
