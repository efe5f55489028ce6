/* SPDX-License-Identifier: MIT */
/* A batch from the inside: what toolbox, call and agent may ask of it. */
#ifndef RV_TOOL_BATCH_H
#define RV_TOOL_BATCH_H

#include <stddef.h>

#include "base/list.h"
#include "tool/call.h"

#include <reeve/batch.h>

/* End the batch now: its on_done runs, with REEVE_ECANCELED, before this returns. `in_toolbox` is
 * the batch's node in reeve_toolbox.batches. */
void rv_batch_abort(struct rv_list *in_toolbox);

/* Cancel the batch and hear no more of it: none of its callbacks comes after this. */
void rv_batch_disown(struct reeve_batch *batch);

/* A tool has finished a call of a batch that is alive. The handle is given back by the caller. */
void rv_batch_call_finished(struct reeve_tool_call *call, enum reeve_call_status status,
                            const char *text, size_t len);

#endif
