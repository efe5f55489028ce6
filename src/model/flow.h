/* SPDX-License-Identifier: MIT */
/* Text that comes in pieces, which may begin or end inside a character, and becomes valid UTF-8. */
#ifndef RV_MODEL_FLOW_H
#define RV_MODEL_FLOW_H

#include <stddef.h>

#include "base/buffer.h"

struct rv_flow {
    struct rv_buffer text; /* valid UTF-8 */
    char held[4];          /* the beginning of a character that has not come whole */
    size_t held_len;
};

void rv_flow_init(struct rv_flow *flow, struct rv_mem *mem, size_t max_bytes);
void rv_flow_done(struct rv_flow *flow);

/* 0, REEVE_ETOOBIG or REEVE_ENOMEM. */
int rv_flow_add(struct rv_flow *flow, const char *text, size_t len);

/* No more comes: what is held of a character becomes U+FFFD. As rv_flow_add. */
int rv_flow_end(struct rv_flow *flow);

#endif
