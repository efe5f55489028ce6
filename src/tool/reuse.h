/* SPDX-License-Identifier: MIT */
/*
 * What spares a call its run: a kept result of an earlier one (cache.h), or the run of an equal one
 * (sharing.h). A call that only reads is looked at when its turn has come and it may run.
 */
#ifndef RV_TOOL_REUSE_H
#define RV_TOOL_REUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/call.h"

/* True: it has its result, or is on its way to one; false: it is to run, and others may wait for
 * it. */
bool rv_reuse_try(struct reeve_tool_call *call);

/* From the batch's work task: ask the tool of the next of reeve_batch.checks whether its kept
 * result is right. The batch may be gone afterwards. */
void rv_reuse_check_next(struct reeve_batch *batch);

/* The tool has said. */
void rv_reuse_checked(struct reeve_tool_call *call, bool is_right);

/* From the batch's work task: the next of those that have waited for a run gets its outcome. The
 * batch may be gone afterwards. */
void rv_reuse_tell_next(struct reeve_batch *batch);

/* A call has come to this: keep it, if it can be. */
void rv_reuse_keep(struct reeve_tool_call *call, const char *text, size_t len);

/* The call has an answer of its own or is over: what it has to do with others ends. */
void rv_reuse_leave(struct reeve_tool_call *call);

#endif
