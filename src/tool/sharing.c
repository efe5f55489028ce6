/* SPDX-License-Identifier: MIT */
/* Runs that can be joined, in a table by the hash of what is asked. */
#include "tool/sharing.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "tool/batch.h"
#include "tool/claims.h"
#include "tool/flight.h"
#include "json/equal.h"
#include "json/value.h"

enum {
    FIRST_BUCKETS = 32, /* a power of two */
    MOST_STEPS = 4096,  /* of the comparison of two arguments: larger ones are not equal */
};

void rv_sharing_init(struct rv_sharing *sharing, struct rv_arena *arena)
{
    *sharing = (struct rv_sharing){.arena = arena};
    rv_list_init(&sharing->outcomes);
}

/* Members in any order come to the same. A member's name counts by its length alone: who meets in
 * the table is compared. */
uint64_t rv_sharing_hash(const struct reeve_tool_call *call)
{
    const struct reeve_json *arguments = call->space->arguments;
    const struct rv_json_object *object = arguments->as.object;
    const uint64_t seed = (uint64_t)(uintptr_t)call->tool;
    uint64_t hash = seed, steps = MOST_STEPS;
    uint32_t i;

    for (i = 0; object && i < arguments->count; i++) {
        const struct rv_json_member *member = &object->members[i];
        const struct reeve_json *value = &member->value;

        if (value->type == REEVE_JSON_STRING)
            hash += rv_hash(seed ^ member->key_len, value->as.text, value->count);
        else
            hash += rv_json_value_hash(seed ^ member->key_len, value, &steps);
    }
    return hash;
}

static bool are_equal(const struct reeve_tool_call *one, const struct reeve_tool_call *other)
{
    uint64_t steps = MOST_STEPS;

    return one->tool == other->tool && rv_call_context(one) == rv_call_context(other) &&
           rv_json_equal(rv_call_arguments(one), rv_call_arguments(other), &steps) && steps;
}

static bool is_unwritten_since(struct reeve_tool_call *call, uint64_t since)
{
    const struct rv_written *written = &call->core->toolbox->cache.written;
    const bool describes = call->tool->spec.describe != NULL;
    const struct reeve_claim *claims;
    size_t count;

    if (describes && !rv_claims_hold(call))
        return rv_written_is_quiet(written, since);
    claims = reeve_tool_call_claims(call, &count);
    return rv_written_are_right(written, !describes, claims, count, since);
}

/*
 * Whether nothing was written between the two. The order of calls sees to that within a batch, but
 * where there is none; what other batches have written since a run began is told by the times of
 * writes.
 */
static bool is_right_for(const struct rv_run *run, struct reeve_tool_call *call)
{
    const struct rv_flight *runs = run->runner->flight;
    const struct reeve_batch *batch = call->core->batch;

    if (batch->options.grouping == REEVE_GROUPING_NONE && runs->epoch != call->flight->epoch)
        return false;
    return run->runner->state != RV_CALL_RUNNING || is_unwritten_since(call, runs->since);
}

struct rv_run *rv_sharing_find(struct rv_sharing *sharing, struct reeve_tool_call *call,
                               uint64_t hash)
{
    struct rv_run *run = sharing->listed ? sharing->buckets[hash & sharing->mask] : NULL;

    for (; run; run = run->next)
        if (run->hash == hash && are_equal(run->runner, call))
            return is_right_for(run, call) ? run : NULL;
    return NULL;
}

/* ---- the table -------------------------------------------------------------------------------
 */

static void list_run(struct rv_sharing *sharing, struct rv_run *run)
{
    struct rv_run **bucket = &sharing->buckets[run->hash & sharing->mask];

    run->next = *bucket;
    *bucket = run;
    run->listed = true;
    sharing->listed++;
}

static void unlist_run(struct rv_sharing *sharing, struct rv_run *run)
{
    struct rv_run **at = &sharing->buckets[run->hash & sharing->mask];

    if (!run->listed)
        return;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    run->listed = false;
    sharing->listed--;
}

/* Old buckets stay in the arena until the batch ends: all of them are no more than the new ones. */
static bool make_room(struct rv_sharing *sharing)
{
    size_t count = sharing->buckets ? 2 * (sharing->mask + 1) : FIRST_BUCKETS, i;
    struct rv_run **old = sharing->buckets, *run;
    size_t old_count = old ? sharing->mask + 1 : 0;

    if (old && sharing->listed <= sharing->mask)
        return true;
    sharing->buckets = rv_arena_alloc(sharing->arena, count * sizeof old[0]);
    if (!sharing->buckets) {
        sharing->buckets = old;
        return old != NULL;
    }
    memset(sharing->buckets, 0, count * sizeof old[0]);
    sharing->mask = count - 1;
    sharing->listed = 0;
    for (i = 0; i < old_count; i++) {
        while ((run = old[i])) {
            old[i] = run->next;
            list_run(sharing, run);
        }
    }
    return true;
}

static struct rv_run *take_run(struct rv_sharing *sharing)
{
    struct rv_run *run = sharing->free_runs;

    if (run)
        sharing->free_runs = run->next;
    else
        run = rv_arena_alloc(sharing->arena, sizeof *run);
    return run;
}

/* One of those who know the run does no more. */
static void unref_run(struct rv_sharing *sharing, struct rv_run *run)
{
    if (--run->refs)
        return;
    assert(!run->listed && !run->runner);
    run->next = sharing->free_runs;
    sharing->free_runs = run;
}

/* ---- who runs, and who waits -----------------------------------------------------------------
 */

void rv_sharing_lead(struct rv_sharing *sharing, struct reeve_tool_call *call, uint64_t hash)
{
    struct rv_run *run = make_room(sharing) ? take_run(sharing) : NULL;

    if (!run)
        return;
    run->hash = hash;
    run->refs = 1;
    run->runner = call;
    rv_list_init(&run->waiting);
    list_run(sharing, run);
    call->flight->run = run;
}

void rv_sharing_join(struct rv_run *run, struct reeve_tool_call *call)
{
    run->refs++;
    call->flight->run = run;
    rv_list_append(&run->waiting, &call->flight->link);
}

bool rv_sharing_is_runner(const struct reeve_tool_call *call)
{
    return call->flight && call->flight->run && call->flight->run->runner == call;
}

bool rv_sharing_is_wanted(const struct reeve_tool_call *call)
{
    return rv_sharing_is_runner(call) && !rv_list_empty(&call->flight->run->waiting);
}

void rv_sharing_settle(struct rv_sharing *sharing, struct reeve_tool_call *runner,
                       enum reeve_call_status status, const char *text, size_t len)
{
    struct rv_run *run;

    if (!rv_sharing_is_runner(runner))
        return;
    run = runner->flight->run;
    runner->flight->run = NULL;
    unlist_run(sharing, run);
    run->runner = NULL;
    run->status = status;
    run->text = text;
    run->len = len;
    rv_list_splice(&sharing->outcomes, &run->waiting);
    unref_run(sharing, run);
}

struct reeve_tool_call *rv_sharing_replace(struct rv_sharing *sharing,
                                           struct reeve_tool_call *runner)
{
    struct rv_run *run = runner->flight->run;
    struct rv_flight *first = rv_list_entry(run->waiting.next, struct rv_flight, link);

    rv_list_remove(&first->link);
    runner->flight->run = NULL;
    run->runner = first->call;
    unref_run(sharing, run);
    return run->runner;
}

struct reeve_tool_call *rv_sharing_leave(struct rv_sharing *sharing, struct reeve_tool_call *call)
{
    struct rv_run *run = call->flight->run;
    struct reeve_tool_call *runner = NULL;

    if (!run)
        return NULL;
    assert(run->runner != call);
    rv_list_remove(&call->flight->link);
    call->flight->run = NULL;
    if (rv_list_empty(&run->waiting))
        runner = run->runner;
    unref_run(sharing, run);
    return runner;
}
