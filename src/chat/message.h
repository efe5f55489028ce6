/* SPDX-License-Identifier: MIT */
/*
 * One message of a conversation: immutable, reference-counted, one block of memory with its texts.
 * The bytes that a wire format makes of it are kept with it once they have been made, so that a
 * request costs what is new in it.
 */
#ifndef RV_CHAT_MESSAGE_H
#define RV_CHAT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

#include <reeve/message.h>

/* The wire formats for which a message keeps its bytes. */
enum rv_wire {
    RV_WIRE_OPENAI,
    RV_WIRE_ANTHROPIC,
    RV_WIRE_COUNT,
};

struct rv_wire_bytes {
    char *bytes; /* NULL: not made yet */
    size_t len;
};

struct reeve_message {
    struct rv_mem *mem;
    size_t refs;
    enum reeve_role role;
    bool is_error;
    const char *text; /* valid UTF-8 */
    size_t text_len;
    const char *call_id; /* tool messages */
    struct reeve_call *calls;
    size_t call_count;
    uint32_t *slots; /* where a call's id stands: index + 1, by hash; NULL: few calls, searched */
    uint32_t slot_mask;
    uint64_t slot_seed;
    struct rv_wire_bytes wire[RV_WIRE_COUNT];
};

/* What a message is made from; all of it is copied. */
struct rv_message_parts {
    enum reeve_role role;
    const char *text; /* may be NULL if text_len is 0; invalid UTF-8 becomes U+FFFD */
    size_t text_len;
    const struct reeve_call *calls;
    size_t call_count;
    const char *call_id;
    bool is_error;
};

/*
 * With one reference. 0; REEVE_EINVAL (an id or a name that is NULL, empty or not UTF-8, an id
 * twice, NULL arguments with a length); REEVE_ENOMEM.
 */
int rv_message_new(struct rv_mem *mem, const struct rv_message_parts *parts,
                   struct reeve_message **ret_message);
struct reeve_message *rv_message_ref(struct reeve_message *message);
void rv_message_unref(struct reeve_message *message); /* NULL is allowed */

/* The index of the call with that id; SIZE_MAX if there is none. Constant time. */
size_t rv_message_find_call(const struct reeve_message *message, const char *id);

/* Keep a copy of what a wire format makes of it, unless it is kept already. 0 or REEVE_ENOMEM. */
int rv_message_keep_wire(struct reeve_message *message, enum rv_wire wire, const char *bytes,
                         size_t len);

#endif
