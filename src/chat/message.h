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
    RV_WIRE_OPENAI_REASONING, /* the same, with the reasoning sent back */
    RV_WIRE_ANTHROPIC,
    RV_WIRE_COUNT,
};

struct rv_wire_bytes {
    char *bytes; /* NULL: not made yet */
    size_t len;
};

enum rv_part_kind {
    RV_PART_TEXT,      /* the next `len` bytes of the message's text */
    RV_PART_CALL,      /* the next of its calls */
    RV_PART_REASONING, /* `text`: what the model thought; `mark`: the provider's signature of it */
    RV_PART_SEALED,    /* `mark`: reasoning that only the provider can read */
    RV_PART_IMAGE,     /* `text`: base64, and `mark` its media type; without one `text` is a URL */
};

/* A text is valid UTF-8 and NUL-terminated; NULL with a length of 0 where a kind has none. */
struct rv_part {
    enum rv_part_kind kind;
    const char *text;
    size_t len;
    const char *mark;
    size_t mark_len;
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
    struct rv_part *parts; /* what stands where; none: the text, then the calls */
    size_t part_count;
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
    const struct rv_part *parts; /* the text is valid UTF-8 then */
    size_t part_count;
};

/*
 * With one reference. 0; REEVE_EINVAL (an id or a name that is NULL, empty or not UTF-8, an id
 * twice, NULL arguments with a length, parts that are not all of the text and the calls);
 * REEVE_ENOMEM.
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
