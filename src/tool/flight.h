/* SPDX-License-Identifier: MIT */
/*
 * A call under way. A flight is what a call needs from taking its place in the order to its end:
 * place, permit, timers. It belongs to the batch, which lends it to one call after the other.
 */
#ifndef RV_TOOL_FLIGHT_H
#define RV_TOOL_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/semaphore.h"
#include "loop/timer.h"
#include "tool/cache.h"
#include "tool/call.h"
#include "tool/hazards.h"

struct rv_run;

struct rv_flight {
    struct reeve_tool_call *call;
    struct rv_flight *next_free;
    struct rv_place place;
    struct rv_permit permit;
    struct rv_timer timer;      /* of the time limit; after the answer, of the abandonment */
    struct rv_timer again;      /* until it is tried again */
    struct rv_writing *writing; /* NULL: it has written nothing, */
    bool lost_writing;          /* or there was no memory for it */
    bool placed;                /* it stands in the order; else nobody waits for anybody */
    bool keyed;                 /* it has a key: its result may be kept */
    uint64_t epoch;             /* how many calls that write had a place before it */
    uint64_t since;             /* when it was started, as rv_written.now was */
    struct rv_run *run;         /* its own, which others may wait for, or that which it waits for */
    struct rv_list link;  /* by its state: among those that wait for a run or have its outcome,
                             in reeve_batch.checks, in reeve_batch.gathered */
    struct rv_kept *kept; /* that is being checked */
    struct rv_cache_key key;
};

/* What a tool says at the end. */
struct rv_outcome {
    enum reeve_call_status status;
    const char *text;
    size_t len;
    bool may_pass; /* on another try */
};

/* Give a new call its place in the order. 0 or REEVE_ENOMEM. */
int rv_flight_launch(struct reeve_tool_call *call);

/* The call may run. */
void rv_flight_permitted(struct reeve_tool_call *call);

/* The last look before it runs, or is answered by a kept result. True: it has an answer already, or
 * one now, since its tool has been switched off or its batch cancelled. */
bool rv_flight_is_not_to_run(struct reeve_tool_call *call);

/* It has to run: ask for a permit. */
void rv_flight_queue(struct reeve_tool_call *call);

/* Settle a call's result: with a text that lives as long as the batch does, or with a copy, which
 * is kept under the batch's cap, behind what the call has written. Once a call; rv_flight_settle is
 * to follow, from the loop. */
void rv_flight_answer(struct reeve_tool_call *call, enum reeve_call_status status,
                      const char *text);
void rv_flight_answer_kept(struct reeve_tool_call *call, enum reeve_call_status status,
                           const char *text, size_t len);
void rv_flight_answer_copy(struct reeve_tool_call *call, enum reeve_call_status status,
                           const char *text, size_t len);
void rv_flight_answer_canceled(struct reeve_tool_call *call);

/* Act on an answer: report it, and end the call unless its tool goes on or its turn is still to
 * come. The batch may be gone afterwards. */
void rv_flight_settle(struct reeve_tool_call *call);

/* Have an answered call settled by the batch's work task. */
void rv_flight_settle_later(struct reeve_tool_call *call);

/* A call is about to be handed to its tool, and then has been: what start returned. The caller has
 * a reference to the core; the batch may be gone when start has returned, and after the second. */
void rv_flight_enter(struct reeve_tool_call *call);
void rv_flight_started(struct reeve_tool_call *call, int error);

/* End a call, whatever it is at, and report it. The batch may be gone afterwards. */
void rv_flight_abort(struct reeve_tool_call *call);

/* A tool has finished a call whose batch is alive. The handle is given back by the caller. */
void rv_flight_finished(struct reeve_tool_call *call, const struct rv_outcome *outcome);

#endif
