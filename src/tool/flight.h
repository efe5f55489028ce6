/* SPDX-License-Identifier: MIT */
/*
 * A call under way. A flight is what a call needs from taking its place in the order to its end:
 * place, permit, timer. It belongs to the batch, which lends it to one call after the other.
 */
#ifndef RV_TOOL_FLIGHT_H
#define RV_TOOL_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/semaphore.h"
#include "loop/timer.h"
#include "tool/call.h"
#include "tool/hazards.h"

struct rv_flight {
    struct reeve_tool_call *call;
    struct rv_flight *next_free;
    struct rv_place place;
    struct rv_permit permit;
    struct rv_timer timer;      /* of the time limit; after the answer, of the abandonment */
    struct rv_writing *writing; /* NULL: it has written nothing, */
    bool lost_writing;          /* or there was no memory for it */
};

/* Give a new call its place in the order. 0 or REEVE_ENOMEM. */
int rv_flight_launch(struct reeve_tool_call *call);

/* The call may run. */
void rv_flight_permitted(struct reeve_tool_call *call);

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

/* End a call, whatever it is at, and report it. The batch may be gone afterwards. */
void rv_flight_abort(struct reeve_tool_call *call);

/* A tool has finished a call whose batch is alive. The handle is given back by the caller. */
void rv_flight_finished(struct reeve_tool_call *call, enum reeve_call_status status,
                        const char *text, size_t len);

#endif
