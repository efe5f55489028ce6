/* SPDX-License-Identifier: MIT */
/*
 * Kept results and shared runs, from a call's point of view.
 *
 * A kept result without a validator answers at once. With one, the call is put into
 * reeve_batch.checks, and its tool is asked from the loop; meanwhile it is CHECKING. If the result
 * is not right any more, or was overtaken while it was looked at, the call goes on as if there were
 * none. Without memory to hold on to it, too.
 */
#include "tool/reuse.h"

#include <assert.h>
#include <string.h>

#include "loop/clock.h"
#include "tool/batch.h"
#include "tool/claims.h"
#include "tool/flight.h"
#include "tool/sharing.h"
#include "tool/writing.h"

enum {
    COPIED_BYTES = 128, /* a result of so many is copied; a longer one is held on to */
};

static struct rv_cache *cache_of(const struct reeve_tool_call *call)
{
    return &call->core->toolbox->cache;
}

static int64_t now_ms(const struct reeve_batch *batch)
{
    return (int64_t)(rv_turn_now_ns(batch->runtime) / RV_NS_PER_MS);
}

/* ---- kept results ----------------------------------------------------------------------------
 */

/* Its text, for as long as the batch lives; NULL: no memory. */
static const char *hold(struct reeve_batch *batch, struct rv_kept *kept)
{
    struct rv_held *held;
    char *copy;

    if (kept->len <= COPIED_BYTES) {
        copy = rv_arena_alloc_bytes(&batch->arena, kept->len + 1);
        return copy ? memcpy(copy, kept->text, kept->len + 1) : NULL;
    }
    if (batch->held && batch->held->kept == kept)
        return kept->text;
    held = rv_arena_alloc(&batch->arena, sizeof *held);
    if (!held)
        return NULL;
    held->kept = rv_kept_ref(kept);
    held->next = batch->held;
    batch->held = held;
    return kept->text;
}

static bool answer_by(struct reeve_tool_call *call, struct rv_kept *kept)
{
    const char *text = hold(call->core->batch, kept);

    if (!text)
        return false;
    cache_of(call)->stats.hits++;
    call->result.source = REEVE_SOURCE_CACHE;
    rv_flight_answer_kept(call, REEVE_CALL_SUCCEEDED, text, kept->len);
    rv_flight_settle_later(call);
    return true;
}

static void check_later(struct reeve_tool_call *call, struct rv_kept *kept)
{
    struct reeve_batch *batch = call->core->batch;

    call->flight->kept = rv_kept_ref(kept);
    call->state = RV_CALL_CHECKING;
    batch->queued++;
    rv_list_append(&batch->checks, &call->flight->link);
    rv_batch_look_for_work(batch);
}

static bool may_be_kept(const struct reeve_tool_call *call)
{
    const struct rv_tool *tool = call->tool;

    return tool->spec.cacheable && tool->enabled && call->core->batch->scope &&
           rv_cache_is_on(cache_of(call));
}

/* True: there is one, or perhaps. */
static bool find_kept(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    const struct rv_cache_question question = {
        .scope = batch->scope,
        .tool = call->tool->number,
        .max_output_bytes = batch->options.max_output_bytes,
        .arguments = rv_call_arguments(call),
    };
    struct rv_cache *cache = cache_of(call);
    struct rv_flight *flight = call->flight;
    struct rv_kept *kept;
    bool found = true;

    if (rv_cache_key(cache, &question, &flight->key) != 0)
        return false;
    flight->keyed = true;
    kept = rv_cache_look_up(cache, &flight->key, now_ms(batch));
    if (!kept)
        found = false;
    else if (call->tool->spec.validate)
        check_later(call, kept);
    else
        found = answer_by(call, kept);
    rv_kept_unref(kept);
    if (!found)
        rv_claims_find_out(call); /* for when it has run, and is to be kept */
    return found;
}

void rv_reuse_check_next(struct reeve_batch *batch)
{
    struct rv_flight *flight = rv_list_entry(batch->checks.next, struct rv_flight, link);
    struct reeve_tool_call *call = flight->call;
    struct rv_kept *kept;

    rv_list_remove(&flight->link);
    if (call->answered)
        return; /* it is being settled */
    kept = rv_kept_ref(flight->kept);
    rv_call_check(call, kept->evidence, kept->evidence_len);
    rv_kept_unref(kept);
    if (!call->core->batch)
        rv_call_tell_canceled(call); /* it was aborted before it was known to be out */
    if (call->checking && call->state == RV_CALL_CHECKING && batch->options.timeout_ms)
        rv_timer_start_ms(batch->runtime, &flight->timer, batch->options.timeout_ms);
}

/* ---- equal calls -----------------------------------------------------------------------------
 */

static bool join_or_lead(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_run *run;
    uint64_t hash;

    if (batch->options.skip_sharing || batch->core->count == 1)
        return false;
    hash = rv_sharing_hash(call);
    run = rv_sharing_find(&batch->sharing, call, hash);
    if (!run) {
        rv_sharing_lead(&batch->sharing, call, hash);
        return false;
    }
    call->state = RV_CALL_SHARING;
    batch->waiting++;
    rv_sharing_join(run, call);
    return true;
}

void rv_reuse_tell_next(struct reeve_batch *batch)
{
    struct rv_flight *flight = rv_list_entry(batch->sharing.outcomes.next, struct rv_flight, link);
    struct reeve_tool_call *call = flight->call;
    const struct rv_run *run = flight->run;

    call->result.source = REEVE_SOURCE_SHARED;
    rv_flight_answer_kept(call, run->status, run->text, run->len);
    rv_flight_settle(call);
}

/* Who wants to hear all of a result, which is more than what is kept or shared, hears it of a run.
 */
bool rv_reuse_try(struct reeve_tool_call *call)
{
    if (call->effect != REEVE_EFFECT_READ || rv_writing_streams_whole(call))
        return false;
    return (may_be_kept(call) && find_kept(call)) || join_or_lead(call);
}

void rv_reuse_checked(struct reeve_tool_call *call, bool is_right)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_flight *flight = call->flight;
    struct rv_kept *kept;

    if (call->state == RV_CALL_OVER)
        return;
    assert(call->state == RV_CALL_CHECKING);
    rv_timer_stop(batch->runtime, &flight->timer);
    kept = flight->kept;
    flight->kept = NULL;
    if (rv_flight_is_not_to_run(call)) {
        rv_flight_settle_later(call);
    } else if (is_right && rv_cache_is_right(cache_of(call), kept) && answer_by(call, kept)) {
        /* that was all */
    } else {
        rv_cache_drop_stale(cache_of(call), kept);
        rv_claims_find_out(call);
        batch->queued--;
        if (!join_or_lead(call))
            rv_flight_queue(call);
    }
    rv_kept_unref(kept);
}

void rv_reuse_keep(struct reeve_tool_call *call, const char *text, size_t len)
{
    struct reeve_batch *batch = call->core->batch;
    const struct reeve_tool *tool = &call->tool->spec;
    const struct rv_call_space *space = call->space;
    struct rv_cache_content content;
    const struct reeve_claim *claims;
    size_t count;

    if (!call->flight->keyed || (tool->validate && !space->evidence) || !rv_claims_hold(call))
        return;
    claims = reeve_tool_call_claims(call, &count);
    content = (struct rv_cache_content){
        .text = text,
        .len = len,
        .evidence = space->evidence,
        .evidence_len = space->evidence_len,
        .read_everything = !tool->describe,
        .claims = claims,
        .claim_count = count,
        .since = call->flight->since,
    };
    rv_cache_keep(cache_of(call), &call->flight->key, &content, now_ms(batch));
}

/* A cancelled runner. Its run goes on as long as its tool has it and somebody wants it; a run that
 * has not begun is left to the first of those who want it. */
static void leave_own_run(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    if (!rv_sharing_is_wanted(call)) {
        rv_sharing_settle(&batch->sharing, call, REEVE_CALL_CANCELED, "", 0);
    } else if (!call->out && !batch->canceled) {
        batch->waiting--;
        rv_flight_queue(rv_sharing_replace(&batch->sharing, call));
    }
}

void rv_reuse_leave(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    struct reeve_tool_call *runner;

    if (rv_sharing_is_runner(call)) {
        leave_own_run(call);
        return;
    }
    runner = rv_sharing_leave(&batch->sharing, call);
    if (!runner || !runner->answered)
        return;
    leave_own_run(runner); /* nobody wants what it runs for any more */
    rv_flight_settle_later(runner);
}
