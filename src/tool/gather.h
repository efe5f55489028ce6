/* SPDX-License-Identifier: MIT */
/* Calls of tools that start many at once: those that have their permits wait, until there is
 * nothing else to do in this turn of the loop, and are then started together. */
#ifndef RV_TOOL_GATHER_H
#define RV_TOOL_GATHER_H

#include <stdbool.h>

#include "tool/call.h"

/* The call has its permit, and is to be started with others. */
void rv_gather_add(struct reeve_tool_call *call);

/* Some are there, and no permit is on its way to another one. */
bool rv_gather_due(const struct reeve_batch *batch);

/* From the batch's work task: start the first of reeve_batch.gathered, and all of its tool with it.
 * The batch may be gone afterwards. */
void rv_gather_start_next(struct reeve_batch *batch);

#endif
