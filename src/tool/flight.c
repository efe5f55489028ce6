/* SPDX-License-Identifier: MIT */
/*
 * The life of a call.
 *
 *   NEW ──▶ DESCRIBED ──▶ WAITING ──▶ READY ──▶ QUEUED ──▶ STARTING ──▶ RUNNING ──▶ OVER
 *    └──────────┴────────────┴──────────┴──────────┴───────────┴─────────────────────▲
 *
 * The happy path: a call that may run is DESCRIBED until it is known what it touches. Launched, a
 * call has its place in the order and is WAITING. When its turn has come it is READY, and if nobody
 * has still to say that it may run (permission.c) it asks for a permit: QUEUED. With the permit,
 * on_start is called and the tool is started: STARTING, then RUNNING. When the tool has finished,
 * on_result is called, permit and place are let go: OVER.
 *
 * Ways round: a READY call that only reads may be CHECKING whether a kept result will do, or may be
 * SHARING an equal call's run (reuse.c), and is then OVER without having run. One that starts with
 * others is GATHERED between STARTING and RUNNING (gather.c). One that has failed in a way that may
 * pass goes from RUNNING to RESTING, without a permit, and later to QUEUED again.
 *
 * Beside its state a call is *answered* once, when its result is settled, and *reported* once, from
 * the loop, which is when on_result comes. The result is the tool's, or else:
 *
 *   refused    no such tool, broken arguments: answered while NEW, never gets a place.
 *              Or the host says no, before the call is QUEUED.
 *
 *   cancelled  in any state. NEW or DESCRIBED, it never gets a place. WAITING, it keeps it until
 *              its turn comes, so that what stands behind it does not overtake what stands before
 *              it. READY or QUEUED, it is over at once.
 *
 *   timed out  while CHECKING, RUNNING or RESTING.
 *
 * A call that is answered while its tool goes on stays RUNNING, with its permit and its place,
 * until the tool finishes or abandon_ms have passed. What the tool says then changes nothing; but
 * if equal calls wait for that run, the tool is not told of a cancel, and what it says is for them.
 *
 * Without memory for a flight the call fails, without memory for a result's text it has one that
 * needs none, and has not succeeded.
 *
 * A host may do what it likes inside on_start, on_result, a tool's start and a tool's cancel, down
 * to freeing the toolbox, which ends the batch on the spot. So after each of these the batch may be
 * gone; the core, which somebody on the stack then holds, tells: core->batch is NULL.
 */
#include "tool/flight.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "flow/backoff.h"
#include "loop/clock.h"
#include "tool/batch.h"
#include "tool/claims.h"
#include "tool/gather.h"
#include "tool/output.h"
#include "tool/permission.h"
#include "tool/prepare.h"
#include "tool/reuse.h"
#include "tool/sharing.h"
#include "tool/writing.h"

#include <reeve/error.h>

enum { LONGEST_REST_MS = 60000 };

static const char unstarted_text[] = "The call was cancelled before it started.";
static const char canceled_text[] =
    "The call was cancelled while it ran. What it did until then is unknown.";
static const char lost_text[] = "The call ended, but its result was lost: out of memory.";

static uint64_t since_submission_us(const struct reeve_batch *batch, uint64_t now_ns)
{
    return (now_ns - batch->submitted_ns) / RV_NS_PER_US;
}

static uint64_t end_us(struct reeve_batch *batch)
{
    if (batch->options.skip_timing)
        return 0;
    return since_submission_us(batch, rv_precise_now_ns(batch->runtime));
}

/* By the clock as it was read last, which is when the last call ended. */
static uint64_t start_us(const struct reeve_batch *batch)
{
    if (batch->options.skip_timing)
        return 0;
    return since_submission_us(batch, rv_seen_now_ns(batch->runtime));
}

/* It has a permit. */
static bool has_begun(const struct reeve_tool_call *call)
{
    return call->state == RV_CALL_STARTING || call->state == RV_CALL_GATHERED ||
           call->state == RV_CALL_RUNNING;
}

/* Its tool has seen it. */
static bool has_run(const struct reeve_tool_call *call)
{
    return call->result.attempts > 0;
}

/* It has been answered, but its tool goes on for others. */
static bool runs_for_others(const struct reeve_tool_call *call)
{
    return call->answered && call->out && rv_sharing_is_wanted(call);
}

static void count_in_batch(struct reeve_batch_stats *stats, const struct reeve_result *result)
{
    stats->sum_us += result->ended_us - result->started_us;
    if (result->source == REEVE_SOURCE_CACHE)
        stats->cached++;
    else if (result->source == REEVE_SOURCE_SHARED)
        stats->shared++;
    else if (result->status == REEVE_CALL_SUCCEEDED)
        stats->succeeded++;
    else if (result->status == REEVE_CALL_CANCELED)
        stats->canceled++;
    else if (result->status == REEVE_CALL_REFUSED)
        stats->refused++;
    else
        stats->failed++;
}

/* A call that was answered before anybody looked at it is one of its tool's all the same. */
static void count_answer(struct reeve_tool_call *call)
{
    rv_prepare_find(call);
    rv_toolbox_count(call->core->toolbox, call->tool, &call->result);
    count_in_batch(&call->core->batch->stats, &call->result);
}

/* Those who wait for the call's run, if it is a runner, share its outcome but not its cancel. */
static void settle_run(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    const struct reeve_result *result = &call->result;

    if (result->status == REEVE_CALL_CANCELED || result->source == REEVE_SOURCE_SHARED)
        rv_reuse_leave(call);
    else
        rv_sharing_settle(&batch->sharing, call, result->status, result->text, result->len);
    if (!rv_list_empty(&batch->sharing.outcomes))
        rv_batch_look_for_work(batch);
}

void rv_flight_answer_kept(struct reeve_tool_call *call, enum reeve_call_status status,
                           const char *text, size_t len)
{
    struct reeve_batch *batch = call->core->batch;
    struct reeve_result *result = &call->result;

    assert(!call->answered);
    call->answered = true;
    rv_permission_drop(call);
    result->status = status;
    result->text = text;
    result->len = len;
    result->ended_us = end_us(batch);
    if (!has_run(call))
        result->started_us = result->ended_us;
    count_answer(call);
    if (call->flight && call->flight->run)
        settle_run(call);
}

void rv_flight_answer(struct reeve_tool_call *call, enum reeve_call_status status, const char *text)
{
    rv_flight_answer_kept(call, status, text, strlen(text));
}

/* Is what is said at the end a part of what the tool has to say, and not about it? */
static bool is_the_tools(enum reeve_call_status status)
{
    return status == REEVE_CALL_SUCCEEDED || status == REEVE_CALL_FAILED;
}

static bool has_written(const struct reeve_tool_call *call)
{
    return call->flight && call->flight->writing;
}

/* Make a text that the batch keeps of what the call has written and what is said at its end. */
static int keep_text(struct reeve_tool_call *call, enum reeve_call_status status, const char *text,
                     size_t len, const char **ret_text, size_t *ret_len)
{
    struct reeve_batch *batch = call->core->batch;

    *ret_text = "";
    *ret_len = 0;
    if (has_written(call))
        return rv_writing_end(call->flight->writing, text, len, !is_the_tools(status), ret_text,
                              ret_len);
    if (call->flight && call->flight->lost_writing && is_the_tools(status))
        return REEVE_ENOMEM;
    if (!len)
        return 0;
    return rv_output_keep(&batch->arena, text, len, batch->options.max_output_bytes, ret_text,
                          ret_len);
}

/* Without memory for what it wrote or has said, a call has not succeeded. */
static enum reeve_call_status status_of_lost(enum reeve_call_status status)
{
    return status == REEVE_CALL_SUCCEEDED ? REEVE_CALL_FAILED : status;
}

void rv_flight_answer_copy(struct reeve_tool_call *call, enum reeve_call_status status,
                           const char *text, size_t len)
{
    const char *kept;
    size_t kept_len;

    if (keep_text(call, status, text, len, &kept, &kept_len) != 0)
        rv_flight_answer(call, status_of_lost(status), lost_text);
    else
        rv_flight_answer_kept(call, status, kept, kept_len);
}

/* The same for those who wait for a run whose own call has been answered before. */
static void answer_others(struct reeve_tool_call *call, enum reeve_call_status status,
                          const char *text, size_t len)
{
    struct reeve_batch *batch = call->core->batch;
    const char *kept;
    size_t kept_len;

    if (keep_text(call, status, text, len, &kept, &kept_len) != 0) {
        status = status_of_lost(status);
        kept = lost_text;
        kept_len = strlen(lost_text);
    } else if (status == REEVE_CALL_SUCCEEDED) {
        rv_reuse_keep(call, kept, kept_len);
    }
    rv_sharing_settle(&batch->sharing, call, status, kept, kept_len);
    rv_batch_look_for_work(batch);
}

void rv_flight_answer_canceled(struct reeve_tool_call *call)
{
    const char *text = has_run(call) ? canceled_text : unstarted_text;

    /* what it has written is still to come to those who wait for it */
    if (has_written(call) && !rv_sharing_is_wanted(call))
        rv_flight_answer_copy(call, REEVE_CALL_CANCELED, text, strlen(text));
    else
        rv_flight_answer(call, REEVE_CALL_CANCELED, text);
}

static void give_flight_back(struct reeve_batch *batch, struct rv_flight *flight)
{
    flight->next_free = batch->free_flights;
    batch->free_flights = flight;
}

/* Let go of the flight and all that it holds. */
static void land(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_flight *flight = call->flight;

    if (flight->run) { /* the batch is being aborted */
        rv_sharing_settle(&batch->sharing, call, REEVE_CALL_CANCELED, unstarted_text, 0);
        rv_sharing_leave(&batch->sharing, call);
    }
    rv_timer_stop(batch->runtime, &flight->timer);
    rv_timer_stop(batch->runtime, &flight->again);
    rv_list_remove(&flight->link);
    rv_permit_release(&flight->permit);
    if (flight->placed)
        rv_hazards_leave(&batch->hazards, &flight->place);
    rv_writing_free(flight->writing);
    rv_kept_unref(flight->kept);
    if (call->state == RV_CALL_QUEUED || call->state == RV_CALL_CHECKING)
        batch->queued--;
    else if (call->state == RV_CALL_WAITING || call->state == RV_CALL_SHARING ||
             call->state == RV_CALL_RESTING)
        batch->waiting--;
    else if (has_begun(call))
        batch->running--;
    call->flight = NULL;
    give_flight_back(batch, flight);
}

static void end_call(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    assert(call->state != RV_CALL_OVER);
    if (call->flight) {
        /* it may have changed what paths lead to */
        batch->names_stale = batch->names_stale || rv_claims_block(call);
        land(call);
    }
    call->state = RV_CALL_OVER;
    rv_call_let_go(call);
    batch->left--;
    rv_batch_look_for_work(batch);
}

/*
 * Say that a call has been answered: to the tool, if it is still at it, and to the host, behind all
 * that the call has written. False: the batch has ended meanwhile, and all this was said then.
 */
static bool report(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    struct reeve_batch *batch;
    bool alive;

    rv_call_core_ref(core);
    if (!runs_for_others(call))
        rv_call_tell_canceled(call);
    if (core->batch && has_written(call))
        rv_writing_hand_on(call->flight->writing, true);
    batch = core->batch;
    if (batch) {
        call->reported = true;
        if (batch->options.on_result)
            batch->options.on_result(batch, rv_call_index(call), batch->options.arg);
    }
    alive = core->batch != NULL;
    if (alive && batch->options.on_result && !batch->options.skip_timing)
        rv_precise_now_ns(batch->runtime); /* the next call has not begun before this */
    rv_call_core_unref(core);
    return alive;
}

/* ---- another try -----------------------------------------------------------------------------
 */

static bool may_try_again(const struct reeve_tool_call *call)
{
    const struct reeve_batch *batch = call->core->batch;

    return call->tool->spec.idempotent && !batch->canceled &&
           call->result.attempts < batch->options.max_attempts &&
           (!call->answered || runs_for_others(call));
}

static void count_retry(const struct reeve_tool_call *call)
{
    call->core->batch->stats.retries++;
    call->core->toolbox->stats.retries++;
    call->tool->stats.retries++;
}

/* Without a permit, but with its place in the order. The batch may be gone afterwards. */
static void rest(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_flight *flight = call->flight;
    uint32_t wait_ms = rv_backoff_ms(batch->options.retry_wait_ms, LONGEST_REST_MS,
                                     call->result.attempts, rv_runtime_random(batch->runtime));

    rv_permit_release(&flight->permit);
    batch->running--;
    batch->waiting++;
    call->state = RV_CALL_RESTING;
    call->started = false;
    call->space->data = NULL;
    call->space->evidence = NULL;
    rv_writing_free(flight->writing);
    flight->writing = NULL;
    flight->lost_writing = false;
    count_retry(call);
    rv_timer_start_ms(batch->runtime, &flight->again, wait_ms);
    rv_batch_look_for_work(batch);
    if (batch->options.on_retry)
        batch->options.on_retry(batch, rv_call_index(call), wait_ms, batch->options.arg);
}

static void rest_is_over(struct rv_timer *timer)
{
    struct reeve_tool_call *call = rv_container_of(timer, struct rv_flight, again)->call;

    call->core->batch->waiting--;
    rv_flight_queue(call);
}

/* True: its tool is to be started again, and nothing is to be settled. The batch may be gone. */
static bool goes_to_rest(struct reeve_tool_call *call)
{
    if (!call->again)
        return false;
    call->again = false;
    if (call->answered)
        rv_reuse_leave(call); /* another one of those who want it will try */
    else if (!call->core->batch->canceled)
        rest(call);
    return !call->answered;
}

/* ---- the end ---------------------------------------------------------------------------------
 */

/* Tell its tool of a cancel that it was not told of when the call was reported. False: the batch
 * has ended in that. */
static bool tell(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    bool alive;

    rv_call_core_ref(core);
    rv_call_tell_canceled(call);
    alive = core->batch != NULL;
    rv_call_core_unref(core);
    return alive;
}

void rv_flight_settle(struct reeve_tool_call *call)
{
    struct reeve_batch *batch;

    if (goes_to_rest(call))
        return;
    if (!call->reported && !report(call))
        return;
    goes_to_rest(call); /* its tool may have failed in on_result: that was for others */
    if (call->state == RV_CALL_WAITING || call->state == RV_CALL_OVER || runs_for_others(call))
        return;
    if (!tell(call))
        return;
    batch = call->core->batch;
    if (call->out && batch->options.abandon_ms)
        rv_timer_start_ms(batch->runtime, &call->flight->timer, batch->options.abandon_ms);
    else
        end_call(call);
}

void rv_flight_settle_later(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    if (call->settling)
        return;
    call->settling = true;
    call->settles = NULL;
    *batch->settling_end = call;
    batch->settling_end = &call->settles;
    rv_batch_look_for_work(batch);
}

/* The call holds nothing any more when its callbacks come, since these may end the batch. */
void rv_flight_abort(struct reeve_tool_call *call)
{
    if (!call->answered)
        rv_flight_answer_canceled(call);
    if (call->state != RV_CALL_OVER)
        end_call(call);
    if (!call->reported)
        report(call);
    else
        rv_call_tell_canceled(call); /* it may have run for others */
}

static void time_out(struct reeve_tool_call *call)
{
    char text[96];
    int len = snprintf(text, sizeof text, "The call was stopped: there was no result after %u ms.",
                       call->core->batch->options.timeout_ms);

    if (call->answered)
        answer_others(call, REEVE_CALL_TIMED_OUT, text, (size_t)len);
    else
        rv_flight_answer_copy(call, REEVE_CALL_TIMED_OUT, text, (size_t)len);
    rv_flight_settle(call);
}

/* The time limit of a running call, or else the end of our patience with an answered one. */
static void timer_fired(struct rv_timer *timer)
{
    struct reeve_tool_call *call = rv_container_of(timer, struct rv_flight, timer)->call;

    if (!call->answered || runs_for_others(call))
        time_out(call);
    else if (call->reported && call->out && !call->settling)
        end_call(call);
}

/* Call on_start. False: the batch has ended, or the call is not to be started after all. */
static bool announce(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    if (!batch->options.on_start || call->result.attempts)
        return true;
    batch->options.on_start(batch, rv_call_index(call), batch->options.arg);
    if (!call->core->batch)
        return false;
    if (!rv_flight_is_not_to_run(call))
        return true;
    rv_flight_settle(call);
    return false;
}

void rv_flight_enter(struct reeve_tool_call *call)
{
    struct rv_cache *cache = &call->core->toolbox->cache;

    if (!call->result.attempts++ && call->flight->keyed)
        cache->stats.misses++;
    call->flight->since = cache->written.now;
}

void rv_flight_started(struct reeve_tool_call *call, int error)
{
    struct reeve_batch *batch = call->core->batch;

    if (!batch) {
        rv_call_tell_canceled(call);
        return;
    }
    call->state = RV_CALL_RUNNING;
    if (error && !call->answered)
        rv_flight_answer(call, REEVE_CALL_FAILED, reeve_error_text(error));
    else if (error && rv_sharing_is_wanted(call))
        answer_others(call, REEVE_CALL_FAILED, reeve_error_text(error),
                      strlen(reeve_error_text(error)));
    if ((!call->answered || runs_for_others(call)) && batch->options.timeout_ms &&
        !call->flight->timer.armed)
        rv_timer_start_ms(batch->runtime, &call->flight->timer, batch->options.timeout_ms);
    if (call->answered || call->again)
        rv_flight_settle(call);
}

static void enter_tool(struct reeve_tool_call *call)
{
    rv_flight_enter(call);
    rv_flight_started(call, rv_call_start(call));
}

static void begin(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    struct reeve_batch *batch = core->batch;

    call->state = RV_CALL_STARTING;
    batch->running++;
    rv_batch_look_for_work(batch);
    if (batch->running > batch->stats.peak_running)
        batch->stats.peak_running = batch->running;
    if (!call->result.attempts)
        call->result.started_us = start_us(batch);
    rv_call_core_ref(core);
    if (announce(call)) {
        if (call->tool->spec.start_many)
            rv_gather_add(call);
        else
            enter_tool(call);
    }
    rv_call_core_unref(core);
}

bool rv_flight_is_not_to_run(struct reeve_tool_call *call)
{
    struct rv_refusal refusal;
    enum reeve_call_status status;

    if (call->answered)
        return true;
    if (call->core->batch->canceled) {
        rv_flight_answer_canceled(call);
        return true;
    }
    status = rv_prepare_again(call, &refusal);
    if (status != REEVE_CALL_PENDING)
        rv_flight_answer_copy(call, status, refusal.text, refusal.len);
    return call->answered;
}

static void permit_granted(struct rv_permit *permit)
{
    struct reeve_tool_call *call = rv_container_of(permit, struct rv_flight, permit)->call;

    if (rv_flight_is_not_to_run(call)) {
        rv_flight_settle(call);
        return;
    }
    call->core->batch->queued--;
    begin(call);
}

void rv_flight_queue(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    call->state = RV_CALL_QUEUED;
    batch->queued++;
    rv_permit_acquire(&batch->permits, &call->flight->permit);
}

void rv_flight_permitted(struct reeve_tool_call *call)
{
    if (call->state != RV_CALL_READY)
        return;
    if (!rv_reuse_try(call))
        rv_flight_queue(call);
}

/* It need not wait for others any more. */
static void take_turn(struct reeve_tool_call *call)
{
    call->state = RV_CALL_READY;
    call->core->batch->waiting--;
    if (!call->answered && call->core->batch->canceled)
        rv_flight_answer_canceled(call);
    if (call->answered)
        rv_flight_settle(call);
    else if (call->permission == RV_PERMISSION_GIVEN)
        rv_flight_permitted(call);
}

static void turn_has_come(struct rv_step *step)
{
    take_turn(rv_container_of(step, struct rv_flight, place.step)->call);
}

static struct rv_flight *take_flight(struct reeve_batch *batch)
{
    struct rv_flight *flight = batch->free_flights;

    if (flight)
        batch->free_flights = flight->next_free;
    else
        flight = rv_arena_alloc(&batch->arena, sizeof *flight);
    return flight;
}

/* 0 or REEVE_ENOMEM, with nothing of it left. */
static int take_place(struct reeve_tool_call *call, struct rv_flight *flight)
{
    struct rv_hazards *hazards = &call->core->batch->hazards;

    flight->placed = !rv_claims_need_no_order(call);
    if (!flight->placed)
        return 0;
    rv_hazards_begin(hazards, &flight->place, turn_has_come);
    if (!rv_claims_touch(call, &flight->place))
        return 0;
    rv_hazards_drop(hazards, &flight->place);
    return REEVE_ENOMEM;
}

static void init_flight(struct rv_flight *flight, struct reeve_tool_call *call)
{
    flight->call = call;
    flight->writing = NULL;
    flight->lost_writing = false;
    flight->keyed = false;
    flight->run = NULL;
    flight->kept = NULL;
    flight->epoch = call->core->batch->writes;
    rv_list_init(&flight->link);
    rv_permit_init(&flight->permit, permit_granted);
    rv_timer_init(&flight->timer, timer_fired);
    rv_timer_init(&flight->again, rest_is_over);
}

int rv_flight_launch(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_flight *flight = take_flight(batch);

    if (!flight)
        return REEVE_ENOMEM;
    if (take_place(call, flight) != 0) {
        give_flight_back(batch, flight);
        return REEVE_ENOMEM;
    }
    init_flight(flight, call);
    batch->writes += call->effect != REEVE_EFFECT_READ;
    call->flight = flight;
    call->state = RV_CALL_WAITING;
    batch->waiting++;
    if (flight->placed)
        rv_hazards_take(&batch->hazards, &flight->place);
    /* Else the batch would not know yet that it has calls to run, and would look at many more. */
    if (!flight->placed || rv_step_take_over(&flight->place.step))
        take_turn(call);
    return 0;
}

void rv_flight_finished(struct reeve_tool_call *call, const struct rv_outcome *outcome)
{
    if (call->state == RV_CALL_OVER)
        return;
    if (outcome->may_pass && may_try_again(call)) {
        call->again = true;
    } else if (!call->answered) {
        rv_flight_answer_copy(call, outcome->status, outcome->text, outcome->len);
        if (call->flight->keyed && call->result.status == REEVE_CALL_SUCCEEDED)
            rv_reuse_keep(call, call->result.text, call->result.len);
    } else if (rv_sharing_is_wanted(call)) {
        answer_others(call, outcome->status, outcome->text, outcome->len);
    }
    if (call->state == RV_CALL_RUNNING)
        rv_flight_settle_later(call);
}
