/* SPDX-License-Identifier: MIT */
/* How the operations of the real system go from call to call: for file_op.c, file_open.c and
 * file_scan.c only. */
#ifndef RV_IO_FILE_STEP_H
#define RV_IO_FILE_STEP_H

#include "io/file_op.h"

/* Given what the last call gave (nothing at first), it either has the next one made or settles
 * error, os_errno and what else the operation gives. */
typedef void (*rv_file_step_fn)(struct rv_file_op *op, int64_t result);

/* Take the first step when the operation's turn comes. */
void rv_file_op_begin(struct rv_file_op *op, rv_file_step_fn step);

/* In a step: have a call made, and its result told to the next step. */
void rv_file_op_call(struct rv_file_op *op, const struct rv_file_call *call, rv_file_step_fn step);

/* In a step: what it did itself may have waited. */
void rv_file_op_sliced(struct rv_file_op *op);

#endif
