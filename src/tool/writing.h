/* SPDX-License-Identifier: MIT */
/*
 * What a running call writes before it finishes: kept under the batch's cap for the result, and
 * handed on to the host as it comes, from the batch's work task. What comes faster than that is
 * bounded by the same cap, and loses its middle as a result would.
 */
#ifndef RV_TOOL_WRITING_H
#define RV_TOOL_WRITING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "tool/call.h"
#include "tool/output.h"

struct rv_writing {
    struct rv_list node; /* in reeve_batch.writings, while something is pending */
    struct reeve_tool_call *call;
    struct rv_output kept;    /* for the result, until that is settled */
    struct rv_output pending; /* not yet handed on */
    char start[3];            /* of a character, held back until it is whole or will never be; */
    size_t start_len;         /* what is pending comes after it */
    bool lost;                /* there was no memory for all of it */
};

/* A call that has a flight and no answer has written something. */
void rv_writing_add(struct reeve_tool_call *call, const char *bytes, size_t len);

/*
 * Make the result's text of what was written and, behind it, `text`, with a newline between if it
 * is about what was written and not a part of it. 0 or REEVE_ENOMEM.
 */
int rv_writing_end(struct rv_writing *writing, const char *text, size_t len, bool is_about,
                   const char **ret_text, size_t *ret_len);

/*
 * Hand on what is pending; `all` of it, or no part of a character. False: the batch has ended in
 * the host's callback. The caller has a reference to the core. What was written may be gone.
 */
bool rv_writing_hand_on(struct rv_writing *writing, bool all);

/* Drop all of it. NULL is allowed. */
void rv_writing_free(struct rv_writing *writing);

#endif
