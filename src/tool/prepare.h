/* SPDX-License-Identifier: MIT */
/* What stands before a call may run: is there such a tool, is it on, are these its arguments. */
#ifndef RV_TOOL_PREPARE_H
#define RV_TOOL_PREPARE_H

#include <stddef.h>

#include "tool/call.h"

/* What to say of a call that may not run, for a model to act on. */
struct rv_refusal {
    char text[1024];
    size_t len;
};

void rv_prepare_look_up(struct reeve_tool_call *call);

/* Find the call's tool, if there is one. */
static inline void rv_prepare_find(struct reeve_tool_call *call)
{
    if (!call->tool)
        rv_prepare_look_up(call);
}

/*
 * Find the call's tool and parse its arguments. Returns REEVE_CALL_PENDING: the call may run; or
 * the status that it is to be answered with, and the text for it.
 */
enum reeve_call_status rv_prepare_call(struct reeve_tool_call *call, struct rv_refusal *refusal);

/* Only the part that may change while a call waits: is its tool still on? */
enum reeve_call_status rv_prepare_again(struct reeve_tool_call *call, struct rv_refusal *refusal);

#endif
