/* SPDX-License-Identifier: MIT */
/*
 * What a running call writes before it finishes: kept under the batch's cap for the result, and
 * handed on to the host as it comes, from the batch's work task. What comes faster than that is
 * bounded by the same cap, and loses its middle as a result would.
 *
 * A tool of ours that can read on as fast as its text is taken lends it, piece by piece: a piece is
 * handed on from where it lies, is no part of the result, and the tool hears when it has been
 * taken. Whatever the host frees in on_output, the piece is there until that has returned.
 */
#ifndef RV_TOOL_WRITING_H
#define RV_TOOL_WRITING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "tool/call.h"
#include "tool/output.h"

/* A piece of text. The memory (rv_alloc) is the writing's until `taken` gives it back, once the
 * host has had all of it; never, and it is freed, if the call has its answer by then. */
struct rv_lent {
    char *memory;
    const char *text; /* in it; no character is cut at its end, but it may be invalid */
    size_t len;       /* at least 1 */
    void (*taken)(struct reeve_tool_call *call, char *memory, void *arg);
    void *arg;
};

struct rv_writing {
    struct rv_list node; /* in reeve_batch.writings, while something is pending */
    struct reeve_tool_call *call;
    struct rv_output kept;    /* for the result, until that is settled */
    struct rv_output pending; /* not yet handed on */
    char start[3];            /* of a character, held back until it is whole or will never be; */
    size_t start_len;         /* what is pending comes after it */
    bool lost;                /* there was no memory for all of it */
    struct rv_lent lent;      /* memory NULL: nothing */
};

/* A call that has a flight and no answer has written something. */
void rv_writing_add(struct reeve_tool_call *call, const char *bytes, size_t len);

/* Does the host want to hear all of a result that is longer than may be kept? */
bool rv_writing_streams_whole(const struct reeve_tool_call *call);

/*
 * Lend a piece, of a running call of which the host wants to hear all, that has nothing lent out
 * and has not written. 0; REEVE_ECANCELED (the call has its answer); REEVE_ENOMEM. If it fails, the
 * memory is the tool's.
 */
int rv_writing_lend(struct reeve_tool_call *call, const struct rv_lent *lent);

/* How many bytes are to be handed on next, at the most. */
size_t rv_writing_due_bytes(const struct rv_writing *writing);

/*
 * Make the result's text of what was written and, behind it, `text`, with a newline between if it
 * is about what was written and not a part of it. 0 or REEVE_ENOMEM.
 */
int rv_writing_end(struct rv_writing *writing, const char *text, size_t len, bool is_about,
                   const char **ret_text, size_t *ret_len);

/*
 * Hand on what is pending; `all` of it, or no part of a character, and of what is lent a part or,
 * with `all`, nothing any more. False: the batch has ended in the host's callback. The caller has a
 * reference to the core. What was written may be gone.
 */
bool rv_writing_hand_on(struct rv_writing *writing, bool all);

/* Drop all of it. NULL is allowed. */
void rv_writing_free(struct rv_writing *writing);

#endif
