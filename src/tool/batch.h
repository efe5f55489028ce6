/* SPDX-License-Identifier: MIT */
/* A batch from the inside. batch.c has its life from submission to end, flight.c that of its calls.
 */
#ifndef RV_TOOL_BATCH_H
#define RV_TOOL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "flow/semaphore.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "tool/call.h"
#include "tool/claims.h"
#include "tool/hazards.h"
#include "tool/permission.h"
#include "tool/sharing.h"

#include <reeve/batch.h>

/* A kept result that must live as long as the batch. */
struct rv_held {
    struct rv_held *next;
    struct rv_kept *kept;
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
    struct rv_names names;
    struct rv_semaphore permits;
    struct rv_permission permission;
    struct rv_sharing sharing;
    const char *scope;                     /* of kept results; NULL: none is looked for nor kept */
    struct rv_held *held;                  /* kept results whose texts were given to calls */
    struct rv_list checks;                 /* of rv_flight.link: kept results to be looked at */
    struct rv_list gathered;               /* of rv_flight.link: calls to be started together */
    struct rv_list writings;               /* of rv_writing.node: with something to be handed on */
    struct rv_arena arena;                 /* texts of results, flights */
    struct rv_flight *free_flights;        /* to be used again */
    struct reeve_tool_call *settling;      /* answered calls that are to be settled, the first, */
    struct reeve_tool_call **settling_end; /* and where the next is to go */
    unsigned pass;                         /* over the calls (hazards.h), */
    size_t prepared;                       /* in which those before this one have been looked at, */
    size_t placed;                         /* and those before this one have had their place */
    bool barrier_ahead;                    /* one of those between will block what follows */
    bool names_stale;                      /* what paths lead to may have changed */
    size_t swept;                          /* calls before this one have been told of the cancel */
    size_t left;                           /* calls that are not over */
    uint64_t writes;                       /* calls that write, and have had their place */
    uint32_t waiting;                      /* calls that wait for their turn, for an equal one, or
                                              to be tried again */
    uint32_t queued;                       /* calls that wait for a permit, or are CHECKING */
    uint32_t running;                      /* calls that have one */
    bool canceled;
    uint64_t submitted_ns;
    uint64_t ended_ns; /* 0 until then */
    struct reeve_batch_stats stats;
};

/* Have the batch's work task run, if there is something for it to do. */
void rv_batch_look_for_work(struct reeve_batch *batch);

/* End the batch now: its on_done runs, with REEVE_ECANCELED, before this returns. `in_toolbox` is
 * the batch's node in reeve_toolbox.batches. */
void rv_batch_abort(struct rv_list *in_toolbox);

/* Before the loop runs: "always" is remembered in `grants`, which must outlive the batch or its
 * being disowned, and what stands there holds. */
void rv_batch_use_grants(struct reeve_batch *batch, struct rv_grants *grants);

/* Cancel the batch and hear no more of it: none of its callbacks comes after this. */
void rv_batch_disown(struct reeve_batch *batch);

#endif
