/* SPDX-License-Identifier: MIT */
/*
 * Batches, from submission to end.
 *
 *   submitted ──▶ under way ──▶ ended
 *
 * The happy path: the work task looks at the calls one after the other (prepare.c, claims.c), in
 * slices, and launches them in that order when it is known what they touch (flight.c). It looks no
 * further ahead than it must to have enough calls that could run, so that a long batch needs little
 * more memory at a time than a short one. When every call is over it ends the batch: on_done, and
 * the memory is freed but for what a tool still holds (call.h).
 *
 * Besides, the work task settles calls that were answered elsewhere, hands on what running calls
 * have written, asks for permission (permission.c), has kept results checked and tells of shared
 * ones (reuse.c), and starts what is to start together (gather.c).
 *
 * Cancelled, the batch starts no call any more, and the work task answers those that have no
 * answer. The batch ends as above, once the tools have let go of what runs or have been abandoned.
 *
 * Aborted (the toolbox or the runtime is being freed), all this happens at once, and no tool is
 * waited for.
 */
#include "tool/batch.h"

#include <assert.h>
#include <string.h>

#include "base/export.h"
#include "base/options.h"
#include "loop/clock.h"
#include "tool/flight.h"
#include "tool/gather.h"
#include "tool/output.h"
#include "tool/prepare.h"
#include "tool/reuse.h"
#include "tool/writing.h"

#include <reeve/error.h>

enum {
    SLICE_NS = 200000,      /* of work at a time */
    COST_PER_CLOCK = 16384, /* of work between two looks at the clock */
    COST_OF_LOOKING = 64,   /* at a call that is passed over, */
    COST_OF_CALL = 1024,    /* at one that is not, and a byte of arguments is 1 */
    PASSED_OVER_AT_ONCE = 64,
    QUEUED_AHEAD = 32,     /* calls that are ready to run beyond as many as may run at once */
    DESCRIBED_AHEAD = 256, /* calls whose paths are looked up side by side */
    WAITING_AHEAD = 16384, /* calls that wait for others, while a later one need perhaps not wait */
};

/* A call is next in order to take its place, and can. */
static bool wants_placing(const struct reeve_batch *batch)
{
    const struct reeve_tool_call *call = &batch->core->calls[batch->placed];

    return batch->placed < batch->prepared && !batch->canceled &&
           (call->state != RV_CALL_DESCRIBED || rv_claims_ready(call));
}

/* One is left to be looked at, and those before it leave room for that. */
static bool may_look_further(const struct reeve_batch *batch)
{
    if (batch->prepared == batch->core->count)
        return batch->placed == batch->prepared;
    return batch->prepared - batch->placed < DESCRIBED_AHEAD && batch->waiting < WAITING_AHEAD;
}

/* Calls are left to be prepared, and some of them would have no need to wait. */
static bool wants_more_calls(const struct reeve_batch *batch, uint32_t ahead)
{
    return batch->pass < rv_hazards_passes(&batch->hazards) && !batch->canceled &&
           (uint64_t)batch->queued + batch->permission.waiting <=
               (uint64_t)batch->options.max_concurrency + ahead &&
           !rv_hazards_blocked(&batch->hazards) && !batch->barrier_ahead && may_look_further(batch);
}

static bool wants_sweep(const struct reeve_batch *batch)
{
    return batch->canceled && batch->swept < batch->core->count;
}

void rv_batch_look_for_work(struct reeve_batch *batch)
{
    if (rv_ready_queued(&batch->work))
        return;
    if (!batch->left || batch->settling || !rv_list_empty(&batch->writings) || wants_sweep(batch) ||
        !rv_list_empty(&batch->sharing.outcomes) || !rv_list_empty(&batch->checks) ||
        wants_placing(batch) || rv_permission_due(batch) || wants_more_calls(batch, 0) ||
        rv_gather_due(batch))
        rv_ready_push(batch->runtime, &batch->work);
}

static size_t settle_next(struct reeve_batch *batch)
{
    struct reeve_tool_call *call = batch->settling;

    batch->settling = call->settles;
    if (!batch->settling)
        batch->settling_end = &batch->settling;
    call->settling = false;
    rv_flight_settle(call);
    return COST_OF_CALL;
}

static size_t sweep_next(struct reeve_batch *batch)
{
    struct reeve_tool_call *call = &batch->core->calls[batch->swept++];

    if (call->answered)
        return COST_OF_LOOKING;
    rv_flight_answer_canceled(call);
    rv_flight_settle(call);
    return COST_OF_CALL;
}

static size_t hand_on_next(struct reeve_batch *batch)
{
    struct rv_writing *writing = rv_list_entry(batch->writings.next, struct rv_writing, node);
    size_t cost = COST_OF_CALL + rv_writing_due_bytes(writing);

    rv_writing_hand_on(writing, false);
    return cost;
}

static void fail(struct reeve_tool_call *call, int error)
{
    if (error == REEVE_ETIMEDOUT)
        rv_flight_answer(call, REEVE_CALL_TIMED_OUT,
                         "The call was not started: what its path leads to was not found out "
                         "within the time limit.");
    else
        rv_flight_answer(call, REEVE_CALL_FAILED, reeve_error_text(error));
    rv_flight_settle(call);
}

/*
 * A call that is described takes its place, or is left to a later pass. What it says is then read
 * anew, unless somebody may ask for it before: to keep it would take memory for each call there is.
 */
static void place(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    int error = rv_claims_settle(call);

    if (!error)
        rv_permission_want(call);
    if (!error && !rv_hazards_pass(&batch->hazards, batch->pass, call->effect)) {
        call->state = RV_CALL_NEW;
        if (call->permission == RV_PERMISSION_GIVEN)
            rv_call_take_space(call);
        return;
    }
    if (!error)
        error = rv_flight_launch(call);
    if (error)
        fail(call, error);
}

static size_t place_next(struct reeve_batch *batch)
{
    struct reeve_tool_call *call = &batch->core->calls[batch->placed++];

    if (batch->placed == batch->prepared)
        batch->barrier_ahead = false;
    if (call->state != RV_CALL_DESCRIBED)
        return COST_OF_LOOKING;
    place(call);
    return COST_OF_CALL / 2;
}

/* Find out what a call touches that may run. */
static void describe(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    int error = rv_claims_describe(call);

    if (error) {
        fail(call, error);
        return;
    }
    call->state = RV_CALL_DESCRIBED;
    batch->barrier_ahead =
        rv_hazards_pass(&batch->hazards, batch->pass, call->effect) && rv_claims_block(call);
    if (wants_placing(batch)) /* as nearly always: no need to go round for that */
        place_next(batch);
}

static void prepare(struct reeve_tool_call *call)
{
    struct rv_refusal refusal;
    enum reeve_call_status status =
        call->space ? rv_prepare_again(call, &refusal) : rv_prepare_call(call, &refusal);

    if (status != REEVE_CALL_PENDING) {
        rv_flight_answer_copy(call, status, refusal.text, refusal.len);
        rv_flight_settle(call);
    } else {
        describe(call);
    }
}

/*
 * May a call have its place in this pass? What its tool tells call by call is not known before it
 * is asked, and to ask its arguments must be read. A call whose tool is not known is refused in the
 * first pass that it is met in.
 */
static bool is_of_this_pass(struct reeve_batch *batch, struct reeve_tool_call *call)
{
    if (call->state != RV_CALL_NEW || call->answered)
        return false;
    rv_prepare_find(call);
    return !call->tool || (call->tool->spec.describe && !rv_tool_only_reads(call->tool)) ||
           rv_hazards_pass(&batch->hazards, batch->pass, call->tool->spec.effect);
}

/* What stood behind a barrier is looked at when that is over, and nothing else is under way then.
 */
static void forget_what_is_stale(struct reeve_batch *batch)
{
    if (!batch->names_stale || batch->placed < batch->prepared)
        return;
    batch->names_stale = false;
    rv_names_forget(&batch->names);
    rv_hazards_forget(&batch->hazards);
}

/* Questions come in the order of the calls, whichever pass these are of. */
static bool is_to_be_asked_about_now(const struct reeve_batch *batch,
                                     const struct reeve_tool_call *call)
{
    return batch->options.on_permission && call->state == RV_CALL_NEW && !call->answered &&
           call->permission == RV_PERMISSION_UNSAID;
}

/* Has it something to do in this pass? */
static bool is_due(struct reeve_batch *batch, struct reeve_tool_call *call)
{
    return is_of_this_pass(batch, call) || is_to_be_asked_about_now(batch, call);
}

/*
 * The call that is next has nothing to do in this pass, and mostly so have many behind it: they are
 * not to be looked at again for that.
 */
static size_t pass_over(struct reeve_batch *batch)
{
    struct reeve_tool_call *calls = batch->core->calls;
    size_t left = batch->core->count - batch->prepared;
    size_t most = left < PASSED_OVER_AT_ONCE ? left : PASSED_OVER_AT_ONCE;
    size_t passed = 1;

    while (passed < most && !is_due(batch, &calls[batch->prepared + passed]))
        passed++;
    if (batch->placed == batch->prepared)
        batch->placed += passed;
    batch->prepared += passed;
    return passed * COST_OF_LOOKING;
}

static size_t prepare_next(struct reeve_batch *batch)
{
    struct reeve_tool_call *call;
    size_t cost;

    forget_what_is_stale(batch);
    if (batch->prepared == batch->core->count) {
        batch->prepared = 0;
        batch->placed = 0;
        batch->pass++;
        return COST_OF_LOOKING;
    }
    call = &batch->core->calls[batch->prepared];
    if (!is_due(batch, call))
        return pass_over(batch);
    cost = COST_OF_CALL + call->text_len;
    batch->prepared++;
    prepare(call);
    return cost;
}

/* Do the next thing. Returns what it cost; 0: there is nothing to do. */
static size_t work_once(struct reeve_batch *batch)
{
    if (batch->settling)
        return settle_next(batch);
    if (!rv_list_empty(&batch->writings))
        return hand_on_next(batch);
    if (wants_sweep(batch))
        return sweep_next(batch);
    if (!rv_list_empty(&batch->sharing.outcomes)) {
        rv_reuse_tell_next(batch);
        return COST_OF_CALL;
    }
    if (!rv_list_empty(&batch->checks)) {
        rv_reuse_check_next(batch);
        return COST_OF_CALL;
    }
    if (wants_placing(batch))
        return place_next(batch);
    if (rv_permission_due(batch)) {
        rv_permission_step(batch);
        return COST_OF_CALL;
    }
    if (wants_more_calls(batch, QUEUED_AHEAD))
        return prepare_next(batch);
    if (rv_gather_due(batch)) {
        rv_gather_start_next(batch);
        return COST_PER_CLOCK;
    }
    return 0;
}

static void free_batch(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    struct rv_held *held;

    while ((held = batch->held)) {
        batch->held = held->next;
        rv_kept_unref(held->kept);
    }
    rv_permission_done(&batch->permission);
    rv_runtime_bury(batch->runtime, &batch->arena);
    if (core->refs == 1)
        rv_runtime_bury(batch->runtime, &core->arena);
    rv_free(batch->mem, batch);
    rv_call_core_unref(core);
}

/* Every call is over: the batch ends. */
static void complete(struct reeve_batch *batch)
{
    int error = batch->canceled ? REEVE_ECANCELED : 0;

    assert(!batch->left && rv_list_empty(&batch->writings));
    rv_names_done(&batch->names);
    rv_hazards_done(&batch->hazards);
    batch->core->batch = NULL;
    batch->ended_ns = rv_precise_now_ns(batch->runtime);
    rv_ready_remove(&batch->work);
    rv_list_remove(&batch->in_toolbox);
    rv_pending_remove(batch->runtime, &batch->pending);
    if (batch->options.on_done)
        batch->options.on_done(batch, error, batch->options.arg);
    free_batch(batch);
}

/* Work until the slice is over (true: there is more to do), nothing is left to do, or the batch has
 * been aborted by what was called. */
static bool work_a_slice(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    struct reeve_runtime *runtime = batch->runtime;
    uint64_t stop_ns = rv_precise_now_ns(runtime) + SLICE_NS;
    size_t cost, since_clock = 0;

    do {
        cost = work_once(batch);
        since_clock += cost;
        if (since_clock >= COST_PER_CLOCK) {
            if (rv_precise_now_ns(runtime) >= stop_ns)
                return true;
            since_clock = 0;
        }
    } while (cost && core->batch);
    return false;
}

static void work(struct rv_task *task)
{
    struct reeve_batch *batch = rv_container_of(task, struct reeve_batch, work);
    struct rv_call_core *core = batch->core;
    bool more;

    rv_call_core_ref(core);
    more = work_a_slice(batch);
    if (core->batch && more)
        rv_ready_push(batch->runtime, &batch->work);
    else if (core->batch && !batch->left)
        complete(batch);
    rv_call_core_unref(core);
}

static void abort_batch(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    size_t i;

    batch->canceled = true;
    rv_call_core_ref(core);
    for (i = 0; core->batch && i < core->count; i++)
        rv_flight_abort(&core->calls[i]);
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
    batch->options.on_permission = NULL;
    batch->options.on_output = NULL;
    batch->options.on_retry = NULL;
    rv_batch_use_grants(batch, &batch->permission.own);
    reeve_batch_cancel(batch);
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
        .max_attempts = 3,
        .retry_wait_ms = 200,
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
    if (!ret_options->max_concurrency || !ret_options->max_attempts || !ret_options->on_done ||
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

/* Whose results may answer these calls: NULL if nobody's. */
static const char *scope_of(const struct reeve_batch_options *options)
{
    if (options->skip_cache)
        return NULL;
    if (options->cache_scope)
        return options->cache_scope;
    return options->context || options->contexts ? NULL : "";
}

/* What of the options is kept by the core. 0 or REEVE_ENOMEM. */
static int keep_contexts(struct rv_call_core *core, const struct reeve_batch_options *options,
                         const char **ret_scope)
{
    const char *scope = scope_of(options);
    size_t len = scope ? strlen(scope) : 0;
    char *copy = rv_arena_alloc_bytes(&core->arena, len + 1);

    if (!copy)
        return REEVE_ENOMEM;
    core->context = options->context;
    core->max_output_bytes = options->max_output_bytes;
    if (options->contexts && core->count) {
        size_t size = core->count * sizeof core->contexts[0]; /* less than the calls take up */

        core->contexts = rv_arena_alloc(&core->arena, size);
        if (!core->contexts)
            return REEVE_ENOMEM;
        memcpy(core->contexts, options->contexts, size);
    }
    *ret_scope = scope ? memcpy(copy, scope, len + 1) : NULL;
    return 0;
}

/* The core becomes the batch's, if this succeeds. */
static struct reeve_batch *new_batch(struct rv_call_core *core,
                                     const struct reeve_batch_options *options)
{
    struct reeve_runtime *runtime = core->toolbox->runtime;
    struct reeve_batch *batch = rv_alloc(core->mem, sizeof *batch);
    const char *scope;

    if (!batch || keep_contexts(core, options, &scope) != 0) {
        rv_free(core->mem, batch);
        return NULL;
    }
    *batch = (struct reeve_batch){
        .mem = core->mem,
        .runtime = runtime,
        .core = core,
        .options = *options,
        .scope = scope,
        .left = core->count,
        .submitted_ns = rv_precise_now_ns(runtime),
        .stats = {.size = sizeof batch->stats, .calls = core->count},
    };
    batch->settling_end = &batch->settling;
    rv_task_init(&batch->work, work);
    rv_arena_init(&batch->arena, core->mem);
    rv_permission_init(&batch->permission, core->mem);
    rv_sharing_init(&batch->sharing, &batch->arena);
    rv_list_init(&batch->checks);
    rv_list_init(&batch->gathered);
    rv_list_init(&batch->writings);
    rv_hazards_init(&batch->hazards, runtime, core->mem, options->grouping);
    if (!core->may_write)
        batch->pass = rv_hazards_passes(&batch->hazards) - 1; /* the one before is for writes */
    rv_names_init(&batch->names, batch);
    rv_semaphore_init(&batch->permits, runtime, options->max_concurrency);
    core->batch = batch;
    return batch;
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
    rv_flight_answer_canceled(call);
    if (call->state != RV_CALL_STARTING)
        rv_flight_settle_later(call);
}

RV_EXPORT size_t reeve_batch_count(const struct reeve_batch *batch)
{
    return batch->core->count;
}

RV_EXPORT const struct reeve_result *reeve_batch_result(const struct reeve_batch *batch,
                                                        size_t index)
{
    return index < batch->core->count ? &batch->core->calls[index].result : NULL;
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
    stats.speedup = stats.wall_us ? (double)stats.sum_us / (double)stats.wall_us : 1;
    stats.size = ret->size;
    rv_options_fill(ret, ret->size, &stats, sizeof stats);
    return 0;
}

RV_EXPORT const char *reeve_result_source_name(enum reeve_result_source source)
{
    switch (source) {
    case REEVE_SOURCE_RUN:
        return "run";
    case REEVE_SOURCE_CACHE:
        return "cache";
    case REEVE_SOURCE_SHARED:
        return "shared";
    }
    return "unknown source";
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
    case REEVE_CALL_REFUSED:
        return "refused";
    }
    return "unknown status";
}
