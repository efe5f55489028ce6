/* SPDX-License-Identifier: MIT */
/*
 * Equal calls that read are run once. A run that waits for its permit, or has one, can be found by
 * what is asked; equal calls whose turn has come join it, and wait for its outcome without a permit
 * of their own.
 *
 * A run belongs to the call that its tool was given, its runner, and outlives that one's interest
 * in it: a runner that is cancelled while others wait runs on for them. One that has not been
 * handed to its tool is replaced by the first of the others.
 */
#ifndef RV_TOOL_SHARING_H
#define RV_TOOL_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"

#include <reeve/batch.h>

struct reeve_tool_call;

struct rv_run {
    struct rv_run *next; /* in its bucket, or free */
    uint64_t hash;
    size_t refs;                    /* of the calls that know it */
    bool listed;                    /* it can be joined */
    struct reeve_tool_call *runner; /* NULL: it has an outcome */
    struct rv_list waiting;         /* of rv_flight.link */
    enum reeve_call_status status;  /* the outcome, once there is no runner */
    const char *text;
    size_t len;
};

/* All runs of one batch. */
struct rv_sharing {
    struct rv_arena *arena;
    struct rv_run **buckets; /* NULL: none yet */
    size_t mask;
    size_t listed;
    struct rv_run *free_runs;
    struct rv_list outcomes; /* of rv_flight.link: calls that have one to be told of */
};

void rv_sharing_init(struct rv_sharing *sharing, struct rv_arena *arena);

/* The run of an equal call that may answer this one, or NULL. */
struct rv_run *rv_sharing_find(struct rv_sharing *sharing, struct reeve_tool_call *call,
                               uint64_t hash);

/* What its arguments come to, for rv_sharing_find and _lead. */
uint64_t rv_sharing_hash(const struct reeve_tool_call *call);

/* The call will run, and may be joined. Without memory it cannot be. */
void rv_sharing_lead(struct rv_sharing *sharing, struct reeve_tool_call *call, uint64_t hash);

/* The call waits for a run. */
void rv_sharing_join(struct rv_run *run, struct reeve_tool_call *call);

/* Whether a run is this call's; and whether there are others who wait for it. */
bool rv_sharing_is_runner(const struct reeve_tool_call *call);
bool rv_sharing_is_wanted(const struct reeve_tool_call *call);

/* The runner has an outcome, or is over: nobody can join any more, and those who wait go to
 * `outcomes`. No effect on who is no runner. */
void rv_sharing_settle(struct rv_sharing *sharing, struct reeve_tool_call *runner,
                       enum reeve_call_status status, const char *text, size_t len);

/* The runner will not run, though others want it to: the first of them takes its place, and is
 * returned. */
struct reeve_tool_call *rv_sharing_replace(struct rv_sharing *sharing,
                                           struct reeve_tool_call *runner);

/* The call, which is no runner, waits no more. Returns the runner if it was the last who did. */
struct reeve_tool_call *rv_sharing_leave(struct rv_sharing *sharing, struct reeve_tool_call *call);

#endif
