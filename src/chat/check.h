/* SPDX-License-Identifier: MIT */
/*
 * What every provider demands of a conversation, checked message by message as it grows: each call
 * is answered once, behind the message that asked for it and before any other; no result stands
 * without its call; the first message that is not the system's is the user's.
 */
#ifndef RV_CHAT_CHECK_H
#define RV_CHAT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "chat/message.h"

/* What is known of the messages that were gone through. */
struct rv_check {
    struct rv_mem *mem;
    size_t count;      /* messages gone through */
    size_t bad;        /* the first one at fault; SIZE_MAX: none so far */
    size_t asked;      /* the one whose calls are not all answered yet; SIZE_MAX: there is none */
    size_t unanswered; /* how many of them are not */
    bool begun;        /* a message that is not the system's has come */
    uint64_t answered; /* a bit for each of the first 64 calls of `asked` */
    uint64_t *more;    /* for the rest; kept from one message with so many calls to the next */
    size_t more_words;
};

void rv_check_init(struct rv_check *check, struct rv_mem *mem);
void rv_check_done(struct rv_check *check);

/* Have room for the message's calls, so that the next rv_check_add of it succeeds. 0 or
 * REEVE_ENOMEM. */
int rv_check_reserve(struct rv_check *check, const struct reeve_message *message);

/* Go on by one message, for which room was reserved. `asked_message` is the one at check->asked
 * (NULL if there is none). */
void rv_check_add(struct rv_check *check, const struct reeve_message *message,
                  const struct reeve_message *asked_message);

/* Does the call `index` of the message at check->asked wait for its result? */
bool rv_check_waits(const struct rv_check *check, size_t index);

/* 0, or REEVE_EINVAL with the first message at fault: all that came, and nothing more will. */
int rv_check_verdict(const struct rv_check *check, size_t *ret_bad);

#endif
