/* SPDX-License-Identifier: MIT */
/*
 * A transcript is a view on the first `count` messages of a shared, reference-counted vector. Who
 * stands at the vector's end may append in place, since nobody else looks further than his own
 * count; everybody else copies the pointers first. So a copy, and a snapshot for a completion in
 * flight, cost nothing, and appending costs what is new.
 */
#ifndef RV_CHAT_TRANSCRIPT_H
#define RV_CHAT_TRANSCRIPT_H

#include "chat/check.h"
#include "chat/message.h"

#include <reeve/message.h>

struct rv_message_vector;

struct rv_snapshot {
    struct rv_message_vector *vector; /* NULL: no message */
    size_t count;
};

/* Never fails. */
void rv_transcript_snapshot(const struct reeve_transcript *transcript,
                            struct rv_snapshot *ret_snapshot);
void rv_snapshot_done(struct rv_snapshot *snapshot);
struct reeve_message *rv_snapshot_at(const struct rv_snapshot *snapshot, size_t index);

/* Append a message; its reference is taken over on success. 0 or REEVE_ENOMEM. */
int rv_transcript_take(struct reeve_transcript *transcript, struct reeve_message *message);

/*
 * Put another result in the place of the tool message at `index`; it answers the same call. 0 or
 * REEVE_ENOMEM; REEVE_EINVAL: that is no tool message.
 */
int rv_transcript_replace_result(struct reeve_transcript *transcript, size_t index,
                                 const char *text, size_t len, int is_error);

/* Drop all messages from `count` on. Linear in `count`. */
void rv_transcript_truncate(struct reeve_transcript *transcript, size_t count);

struct rv_mem *rv_transcript_mem(const struct reeve_transcript *transcript);

#endif
