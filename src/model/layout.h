/* SPDX-License-Identifier: MIT */
/*
 * What of an answer stands where: texts, calls and reasoning, in the order in which they came. The
 * texts and the calls themselves are kept elsewhere; the reasoning, and what the provider signs it
 * with, here.
 */
#ifndef RV_MODEL_LAYOUT_H
#define RV_MODEL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat/message.h"
#include "model/flow.h"

enum { RV_MAX_ANSWER_PARTS = 4096 };

struct rv_answer_part {
    enum rv_part_kind kind;
    size_t len;    /* of a text */
    int64_t block; /* of reasoning: the provider's number */
    bool whole;
    struct rv_flow thought;
    struct rv_buffer mark;
};

struct rv_layout {
    struct rv_mem *mem;
    size_t max_bytes; /* of each text */
    struct rv_answer_part *parts;
    size_t count;
    size_t capacity;
};

void rv_layout_init(struct rv_layout *layout, struct rv_mem *mem, size_t max_bytes);
void rv_layout_done(struct rv_layout *layout);

/* Text will come, and so many bytes of it came. All that can fail: 0, REEVE_ETOOBIG, REEVE_ENOMEM.
 */
int rv_layout_open_text(struct rv_layout *layout);
void rv_layout_text(struct rv_layout *layout, size_t len);

/* A call began. */
int rv_layout_call(struct rv_layout *layout);

/* Where a piece of reasoning goes: *ret_thought may move with the next part. */
int rv_layout_reasoning(struct rv_layout *layout, int64_t block, bool begins,
                        struct rv_flow **ret_thought);
int rv_layout_signature(struct rv_layout *layout, int64_t block, const char *text, size_t len);
int rv_layout_sealed(struct rv_layout *layout, const char *data, size_t len);
void rv_layout_reasoning_end(struct rv_layout *layout, int64_t block);

/* No more comes: REEVE_ETOOBIG or REEVE_ENOMEM leave half a character out. */
int rv_layout_end(struct rv_layout *layout);

/*
 * The parts of a message with so many bytes of text and so many calls. Of an answer that did not
 * come to its end only the reasoning that is whole and signed is kept. *ret_parts is NULL, with a
 * count of 0, if no reasoning is; else the caller frees it, and its texts are borrowed. 0 or
 * REEVE_ENOMEM.
 */
int rv_layout_parts(const struct rv_layout *layout, bool complete, size_t calls,
                    struct rv_part **ret_parts, size_t *ret_count);

#endif
