/* SPDX-License-Identifier: MIT */
/* What a response comes to: a codec's events, gathered. Knows no loop. */
#ifndef RV_MODEL_ANSWER_H
#define RV_MODEL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "model/assembly.h"
#include "model/codec.h"
#include "model/flow.h"
#include "model/layout.h"

/* Who is told of whole characters, as they come; anything but 0 stops the decoding with that. Each
 * may be NULL. */
struct rv_listener {
    int (*text)(const char *text, size_t len, void *arg);
    int (*reasoning)(const char *text, size_t len, void *arg);
    void *arg;
};

struct rv_answer {
    struct rv_flow text;
    struct rv_assembly calls;
    struct rv_layout layout;
    struct reeve_usage usage;
    enum reeve_finish finish; /* REEVE_FINISH_NONE: it is not complete */
    struct rv_listener listener;
};

/* Without a listener nobody is told. */
void rv_answer_init(struct rv_answer *answer, struct rv_mem *mem, size_t max_bytes,
                    const struct rv_listener *listener);
void rv_answer_done(struct rv_answer *answer);

/* Take an event that is not an error. 0, REEVE_ETOOBIG, REEVE_ENOMEM or what the listener returned.
 */
int rv_answer_add(struct rv_answer *answer, const struct rv_event *event);

/* No more events come. What is held of a character becomes U+FFFD. As rv_answer_add. */
int rv_answer_end(struct rv_answer *answer);

/*
 * The answer is complete: make its calls and settle why it ended. A server's word for that is not
 * believed where it does not fit the calls. `seed` is for ids. 0 or REEVE_ENOMEM.
 */
int rv_answer_finish(struct rv_answer *answer, uint64_t seed);

#endif
