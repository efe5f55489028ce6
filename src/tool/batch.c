/* SPDX-License-Identifier: MIT */
/*
 * Batches.
 *
 * A call goes through these states:
 *
 *   NEW ──▶ WAITING ──▶ QUEUED ──▶ STARTING ──▶ RUNNING ──▶ OVER
 *    └─────────────────────┴───────────┴──────────────────────┘
 *
 * The happy path: the batch's work task looks at the calls in the order given (prepare.c) and gives
 * each its place in the order (hazards.c): WAITING. When its turn has come it asks for a permit:
 * QUEUED. With the permit on_start is called and the tool is started: STARTING, then RUNNING. When
 * the tool has finished, on_result is called, permit and place are let go: OVER. When all calls are
 * over, the work task ends the batch.
 *
 * Beside its state a call is *answered* once, when its result is settled, and *reported* once, from
 * the loop, which is when on_result comes. The result is the tool's, or else:
 *
 *   refused    no such tool, broken arguments: answered while NEW, never gets a place.
 *   cancelled  in any state. WAITING, it keeps its place until its turn comes, so that what stands
 *              behind it does not overtake what stands before it. QUEUED, it is over at once.
 *   timed out  while RUNNING.
 *
 * A call that is answered while its tool goes on stays RUNNING, with its permit and its place,
 * until the tool finishes or abandon_ms have passed. What the tool says then changes nothing.
 *
 * Without memory for a result's text the call fails with a text that needs none.
 *
 * A host may do what it likes inside on_start, on_result, a tool's start and a tool's cancel, down
 * to freeing the toolbox, which ends the batch on the spot (rv_batch_abort). So after each of these
 * the batch may be gone; the core, which the caller then holds, tells: core->batch is NULL.
 */
#include "tool/batch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/export.h"
#include "base/options.h"
#include "flow/semaphore.h"
#include "loop/clock.h"
#include "loop/runtime.h"
#include "tool/output.h"
#include "tool/prepare.h"
#include "json/arena.h"

#include <reeve/error.h>

enum {
    SLICE_NS = 200000,       /* of work at a time */
    CALLS_PER_CLOCK = 16,    /* looked at between two looks at the clock, */
    BYTES_PER_CLOCK = 16384, /* and bytes of arguments */
};

struct reeve_batch {
    struct rv_mem *mem;
    struct reeve_runtime *runtime;
    struct rv_call_core *core;
    struct reeve_batch_options options;
    struct rv_list in_toolbox;
    struct rv_pending pending;
    struct rv_task work;
    struct rv_hazards hazards;
    struct rv_semaphore permits;
    struct rv_arena texts; /* of the results */
    size_t prepared;       /* calls before this one have been looked at */
    size_t swept;          /* calls before this one have been told of the cancel */
    size_t left;           /* calls that are not over */
    uint32_t running;
    bool closed; /* every call has its place */
    bool canceled;
    uint64_t submitted_ns;
    uint64_t ended_ns; /* 0 until then */
    struct reeve_batch_stats stats;
    struct reeve_result results[];
};

static const char unstarted_text[] = "The call was cancelled before it started.";
static const char canceled_text[] =
    "The call was cancelled while it ran. What it did until then is unknown.";
static const char lost_text[] = "The call ended, but its result was lost: out of memory.";

static uint64_t elapsed_us(const struct reeve_batch *batch)
{
    return (rv_precise_now_ns(batch->runtime) - batch->submitted_ns) / RV_NS_PER_US;
}

static struct reeve_result *result_of(const struct reeve_tool_call *call)
{
    return &call->core->batch->results[rv_call_index(call)];
}

/* It has a permit. */
static bool has_begun(const struct reeve_tool_call *call)
{
    return call->state == RV_CALL_STARTING || call->state == RV_CALL_RUNNING;
}

/* Its tool has seen it. */
static bool has_run(const struct reeve_tool_call *call)
{
    return call->out || call->state == RV_CALL_RUNNING;
}

static void count_answer(struct reeve_batch *batch, const struct reeve_result *result)
{
    if (result->status == REEVE_CALL_SUCCEEDED)
        batch->stats.succeeded++;
    else if (result->status == REEVE_CALL_CANCELED)
        batch->stats.canceled++;
    else
        batch->stats.failed++;
    batch->stats.sum_us += result->ended_us - result->started_us;
}

/* Settle a call's result with a text that lives at least as long as the batch. */
static void answer(struct reeve_tool_call *call, enum reeve_call_status status, const char *text,
                   size_t len)
{
    struct reeve_batch *batch = call->core->batch;
    struct reeve_result *result = result_of(call);

    assert(!call->answered);
    call->answered = true;
    result->status = status;
    result->text = text;
    result->len = len;
    result->ended_us = elapsed_us(batch);
    if (!has_run(call))
        result->started_us = result->ended_us;
    count_answer(batch, result);
}

static void answer_with_copy(struct reeve_tool_call *call, enum reeve_call_status status,
                             const char *text, size_t len)
{
    struct reeve_batch *batch = call->core->batch;
    const char *kept;
    size_t kept_len;

    if (!len)
        answer(call, status, "", 0);
    else if (rv_output_keep(&batch->texts, text, len, batch->options.max_output_bytes, &kept,
                            &kept_len))
        answer(call, REEVE_CALL_FAILED, lost_text, strlen(lost_text));
    else
        answer(call, status, kept, kept_len);
}

static void answer_canceled(struct reeve_tool_call *call)
{
    const char *text = has_run(call) ? canceled_text : unstarted_text;

    answer(call, REEVE_CALL_CANCELED, text, strlen(text));
}

/* Let go of all that a call holds. */
static void end_call(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    assert(call->state != RV_CALL_OVER);
    rv_timer_stop(batch->runtime, &call->timer);
    rv_ready_remove(&call->settle);
    rv_permit_release(&call->permit);
    if (has_begun(call))
        batch->running--;
    if (call->state != RV_CALL_NEW)
        rv_step_finish(&call->place.step);
    call->state = RV_CALL_OVER;
    if (!--batch->left)
        rv_ready_push(batch->runtime, &batch->work);
}

/* Say that a call has been answered: to the tool, if it is still at it, and to the host. False: the
 * batch has ended meanwhile. */
static bool report(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    struct reeve_batch *batch;
    bool alive;

    call->reported = true;
    rv_call_core_ref(core);
    rv_call_tell_canceled(call);
    batch = core->batch;
    if (batch && batch->options.on_result)
        batch->options.on_result(batch, rv_call_index(call), batch->options.arg);
    alive = core->batch != NULL;
    rv_call_core_unref(core);
    return alive;
}

/* An answered call: report it and end it, unless its tool goes on or its turn is still to come. */
static void settle(struct reeve_tool_call *call)
{
    const struct reeve_batch_options *options;

    rv_ready_remove(&call->settle);
    if (!call->reported && !report(call))
        return;
    if (call->state == RV_CALL_WAITING)
        return;
    options = &call->core->batch->options;
    if (call->out && options->abandon_ms)
        rv_timer_start_ms(call->core->batch->runtime, &call->timer, options->abandon_ms);
    else
        end_call(call);
}

static void settle_task(struct rv_task *task)
{
    settle(rv_container_of(task, struct reeve_tool_call, settle));
}

static void settle_soon(struct reeve_tool_call *call)
{
    rv_ready_push(call->core->batch->runtime, &call->settle);
}

static void time_out(struct reeve_tool_call *call)
{
    char text[96];
    int len = snprintf(text, sizeof text, "The call was stopped: there was no result after %u ms.",
                       call->core->batch->options.timeout_ms);

    answer_with_copy(call, REEVE_CALL_TIMED_OUT, text, (size_t)len);
    settle(call);
}

/* The time limit of a running call, or else the end of our patience with an answered one. */
static void timer_fired(struct rv_timer *timer)
{
    struct reeve_tool_call *call = rv_container_of(timer, struct reeve_tool_call, timer);

    if (!call->answered)
        time_out(call);
    else if (call->reported && call->out)
        end_call(call);
}

/* Call on_start. False: the batch has ended, or the call is not to be started after all. */
static bool announce(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    if (batch->options.on_start)
        batch->options.on_start(batch, rv_call_index(call), batch->options.arg);
    if (!call->core->batch)
        return false;
    if (batch->canceled && !call->answered)
        answer_canceled(call);
    if (call->answered)
        settle(call);
    return !call->answered;
}

static void enter_tool(struct reeve_tool_call *call)
{
    int error = rv_call_start(call);
    struct reeve_batch *batch = call->core->batch;

    if (!batch) {
        rv_call_tell_canceled(call);
        return;
    }
    call->state = RV_CALL_RUNNING;
    if (error && !call->answered)
        answer(call, REEVE_CALL_FAILED, reeve_error_text(error), strlen(reeve_error_text(error)));
    if (call->answered)
        settle(call);
    else if (batch->options.timeout_ms)
        rv_timer_start_ms(batch->runtime, &call->timer, batch->options.timeout_ms);
}

static void begin(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    struct reeve_batch *batch = core->batch;

    call->state = RV_CALL_STARTING;
    batch->running++;
    if (batch->running > batch->stats.peak_running)
        batch->stats.peak_running = batch->running;
    result_of(call)->started_us = elapsed_us(batch);
    rv_call_core_ref(core);
    if (announce(call))
        enter_tool(call);
    rv_call_core_unref(core);
}

static void permit_granted(struct rv_permit *permit)
{
    struct reeve_tool_call *call = rv_container_of(permit, struct reeve_tool_call, permit);
    struct rv_refusal refusal;
    enum reeve_call_status status;

    if (!call->answered && call->core->batch->canceled)
        answer_canceled(call);
    if (!call->answered) {
        status = rv_prepare_again(call, &refusal);
        if (status != REEVE_CALL_PENDING)
            answer_with_copy(call, status, refusal.text, refusal.len);
    }
    if (call->answered)
        settle(call);
    else
        begin(call);
}

static void turn_has_come(struct rv_step *step)
{
    struct reeve_tool_call *call = rv_container_of(step, struct reeve_tool_call, place.step);
    struct reeve_batch *batch = call->core->batch;

    call->state = RV_CALL_QUEUED;
    if (!call->answered && batch->canceled)
        answer_canceled(call);
    if (call->answered)
        settle(call);
    else
        rv_permit_acquire(&batch->permits, &call->permit);
}

static void init_call(struct reeve_tool_call *call)
{
    rv_permit_init(&call->permit, permit_granted);
    rv_timer_init(&call->timer, timer_fired);
    rv_task_init(&call->settle, settle_task);
}

/* Give a new call its place, or its answer. */
static void prepare(struct reeve_batch *batch, struct reeve_tool_call *call)
{
    struct rv_refusal refusal;
    enum reeve_call_status status;

    if (call->answered)
        return; /* cancelled: settle will come */
    status = rv_prepare_call(call, &refusal);
    if (status != REEVE_CALL_PENDING) {
        answer_with_copy(call, status, refusal.text, refusal.len);
        settle(call);
        return;
    }
    call->state = RV_CALL_WAITING;
    rv_hazards_add(&batch->hazards, &call->place, call->tool->spec.effect, turn_has_come);
}

static void sweep(struct reeve_tool_call *call)
{
    if (call->answered)
        return;
    answer_canceled(call);
    settle(call);
}

static void close_order(struct reeve_batch *batch)
{
    if (!batch->closed)
        rv_hazards_close(&batch->hazards);
    batch->closed = true;
}

/* Look at the next call. Returns what it cost, in bytes; 0: there was nothing to do. */
static size_t work_on_one(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    struct reeve_tool_call *call;

    if (!batch->canceled && batch->prepared < core->count) {
        call = &core->calls[batch->prepared++];
        prepare(batch, call);
        return call->text.arguments_len + BYTES_PER_CLOCK / CALLS_PER_CLOCK;
    }
    close_order(batch);
    if (batch->canceled && batch->swept < core->count) {
        sweep(&core->calls[batch->swept++]);
        return BYTES_PER_CLOCK / CALLS_PER_CLOCK;
    }
    return 0;
}

static void free_batch(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;

    rv_arena_done(&batch->texts);
    rv_free(batch->mem, batch);
    rv_call_core_unref(core);
}

/* Every call is over: the batch ends. */
static void complete(struct reeve_batch *batch)
{
    int error = batch->canceled ? REEVE_ECANCELED : 0;

    assert(!batch->left);
    batch->core->batch = NULL;
    batch->ended_ns = rv_precise_now_ns(batch->runtime);
    rv_ready_remove(&batch->work);
    rv_hazards_done(&batch->hazards);
    rv_list_remove(&batch->in_toolbox);
    rv_pending_remove(batch->runtime, &batch->pending);
    if (batch->options.on_done)
        batch->options.on_done(batch, error, batch->options.arg);
    free_batch(batch);
}

static void work(struct rv_task *task)
{
    struct reeve_batch *batch = rv_container_of(task, struct reeve_batch, work);
    struct rv_call_core *core = batch->core;
    uint64_t stop_ns = rv_precise_now_ns(batch->runtime) + SLICE_NS;
    size_t cost, since_clock = 0;

    rv_call_core_ref(core);
    do {
        cost = work_on_one(batch);
        since_clock += cost;
        if (since_clock >= BYTES_PER_CLOCK) {
            since_clock = 0;
            if (core->batch && rv_precise_now_ns(batch->runtime) >= stop_ns)
                break;
        }
    } while (core->batch && cost);
    if (core->batch && cost)
        rv_ready_push(batch->runtime, &batch->work);
    else if (core->batch && !batch->left)
        complete(batch);
    rv_call_core_unref(core);
}

/* End a call whatever it is at. It holds nothing any more when its callbacks come, since these may
 * end the batch before we do. */
static void abort_call(struct reeve_tool_call *call)
{
    if (!call->answered)
        answer_canceled(call);
    if (call->state != RV_CALL_OVER)
        end_call(call);
    if (!call->reported)
        report(call);
}

static void abort_batch(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    size_t i;

    batch->canceled = true;
    rv_call_core_ref(core);
    for (i = 0; core->batch && i < core->count; i++)
        abort_call(&core->calls[i]);
    if (core->batch)
        complete(batch);
    rv_call_core_unref(core);
}

void rv_batch_abort(struct rv_list *in_toolbox)
{
    abort_batch(rv_list_entry(in_toolbox, struct reeve_batch, in_toolbox));
}

static void abort_pending(struct rv_pending *pending)
{
    abort_batch(rv_container_of(pending, struct reeve_batch, pending));
}

void rv_batch_disown(struct reeve_batch *batch)
{
    batch->options.on_start = NULL;
    batch->options.on_result = NULL;
    batch->options.on_done = NULL;
    reeve_batch_cancel(batch);
}

void rv_batch_call_finished(struct reeve_tool_call *call, enum reeve_call_status status,
                            const char *text, size_t len)
{
    if (call->state == RV_CALL_OVER)
        return;
    if (!call->answered)
        answer_with_copy(call, status, text, len);
    if (call->state == RV_CALL_RUNNING)
        settle_soon(call);
}

RV_EXPORT void reeve_batch_options_init_size(struct reeve_batch_options *options, size_t size)
{
    const struct reeve_batch_options defaults = {
        .size = size,
        .max_concurrency = 5,
        .grouping = REEVE_GROUPING_WRITES_FIRST,
        .timeout_ms = 60000,
        .abandon_ms = 5000,
        .max_output_bytes = 256 * 1024,
    };

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

static bool calls_are_whole(const struct reeve_call *calls, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const struct reeve_call *call = &calls[i];

        if (!call->id || !call->id[0] || !call->name || !call->name[0] ||
            (call->arguments_len && !call->arguments))
            return false;
    }
    return true;
}

static int read_options(const struct reeve_batch_options *given,
                        struct reeve_batch_options *ret_options)
{
    reeve_batch_options_init(ret_options);
    if (!given || rv_options_copy(ret_options, sizeof *ret_options, given))
        return REEVE_EINVAL;
    if (!ret_options->max_concurrency || !ret_options->on_done ||
        ret_options->max_output_bytes < RV_OUTPUT_SMALLEST_CAP)
        return REEVE_EINVAL;
    switch (ret_options->grouping) {
    case REEVE_GROUPING_WRITES_FIRST:
    case REEVE_GROUPING_HAZARDS:
    case REEVE_GROUPING_NONE:
        return 0;
    }
    return REEVE_EINVAL;
}

/* The core becomes the batch's, if this succeeds. */
static struct reeve_batch *new_batch(struct rv_call_core *core,
                                     const struct reeve_batch_options *options)
{
    struct reeve_runtime *runtime = core->toolbox->runtime;
    struct reeve_batch *batch;
    size_t size;

    if (!rv_size_mul(core->count, sizeof batch->results[0], &size) ||
        !rv_size_add(size, sizeof *batch, &size))
        return NULL;
    batch = rv_alloc(core->mem, size);
    if (!batch)
        return NULL;
    *batch = (struct reeve_batch){
        .mem = core->mem,
        .runtime = runtime,
        .core = core,
        .options = *options,
        .left = core->count,
        .submitted_ns = rv_precise_now_ns(runtime),
        .stats = {.size = sizeof batch->stats, .calls = core->count},
    };
    rv_task_init(&batch->work, work);
    rv_arena_init(&batch->texts, core->mem);
    rv_hazards_init(&batch->hazards, runtime, options->grouping);
    rv_semaphore_init(&batch->permits, runtime, options->max_concurrency);
    core->batch = batch;
    core->context = options->context;
    core->max_output_bytes = options->max_output_bytes;
    return batch;
}

static void init_calls(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    size_t i;

    for (i = 0; i < core->count; i++) {
        struct reeve_tool_call *call = &core->calls[i];

        init_call(call);
        batch->results[i] =
            (struct reeve_result){.call_id = call->text.id, .tool = call->text.name};
    }
}

RV_EXPORT int reeve_batch_run(struct reeve_toolbox *toolbox, const struct reeve_call *calls,
                              size_t count, const struct reeve_batch_options *options,
                              struct reeve_batch **ret_batch)
{
    struct reeve_batch_options own;
    struct rv_call_core *core;
    struct reeve_batch *batch;
    int error;

    if (!toolbox || !ret_batch || (count && !calls) || read_options(options, &own) ||
        !calls_are_whole(calls, count))
        return REEVE_EINVAL;
    if (toolbox->closing || rv_runtime_closing(toolbox->runtime))
        return REEVE_ECLOSING;
    error = rv_call_core_new(toolbox, calls, count, &core);
    if (error)
        return error;
    batch = new_batch(core, &own);
    if (!batch) {
        rv_call_core_unref(core);
        return REEVE_ENOMEM;
    }
    init_calls(batch);
    rv_list_append(&toolbox->batches, &batch->in_toolbox);
    rv_pending_add(batch->runtime, &batch->pending, abort_pending);
    rv_ready_push(batch->runtime, &batch->work);
    *ret_batch = batch;
    return 0;
}

static bool has_ended(const struct reeve_batch *batch)
{
    return !batch->core->batch;
}

RV_EXPORT void reeve_batch_cancel(struct reeve_batch *batch)
{
    if (has_ended(batch) || batch->canceled)
        return;
    batch->canceled = true;
    rv_ready_push(batch->runtime, &batch->work);
}

RV_EXPORT void reeve_batch_cancel_call(struct reeve_batch *batch, size_t index)
{
    struct reeve_tool_call *call;

    if (has_ended(batch) || index >= batch->core->count)
        return;
    call = &batch->core->calls[index];
    if (call->answered)
        return;
    answer_canceled(call);
    if (call->state != RV_CALL_STARTING)
        settle_soon(call);
}

RV_EXPORT size_t reeve_batch_count(const struct reeve_batch *batch)
{
    return batch->core->count;
}

RV_EXPORT const struct reeve_result *reeve_batch_result(const struct reeve_batch *batch,
                                                        size_t index)
{
    return index < batch->core->count ? &batch->results[index] : NULL;
}

RV_EXPORT int reeve_batch_stats(const struct reeve_batch *batch, struct reeve_batch_stats *ret)
{
    struct reeve_batch_stats stats = batch->stats;
    uint64_t now_ns = batch->ended_ns;

    if (!ret || ret->size < sizeof ret->size)
        return REEVE_EINVAL;
    if (!now_ns)
        now_ns = rv_precise_now_ns(batch->runtime);
    stats.wall_us = (now_ns - batch->submitted_ns) / RV_NS_PER_US;
    stats.size = ret->size;
    rv_options_fill(ret, ret->size, &stats, sizeof stats);
    return 0;
}

RV_EXPORT const char *reeve_call_status_name(enum reeve_call_status status)
{
    switch (status) {
    case REEVE_CALL_PENDING:
        return "pending";
    case REEVE_CALL_SUCCEEDED:
        return "succeeded";
    case REEVE_CALL_FAILED:
        return "failed";
    case REEVE_CALL_UNKNOWN:
        return "unknown";
    case REEVE_CALL_INVALID:
        return "invalid";
    case REEVE_CALL_TIMED_OUT:
        return "timed out";
    case REEVE_CALL_CANCELED:
        return "cancelled";
    }
    return "unknown status";
}
