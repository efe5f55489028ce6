/* SPDX-License-Identifier: MIT */
/* What a response comes to: a codec's events, gathered. Knows no loop. */
#ifndef RV_MODEL_ANSWER_H
#define RV_MODEL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "model/assembly.h"
#include "model/codec.h"

struct rv_answer {
    struct rv_buffer text; /* valid UTF-8 */
    struct rv_assembly calls;
    struct reeve_usage usage;
    enum reeve_finish finish; /* REEVE_FINISH_NONE: it is not complete */
    char held[4];             /* the beginning of a character that has not come whole */
    size_t held_len;
    /* Whole characters, as they come; anything but 0 stops the decoding with that. May be NULL. */
    int (*on_text)(const char *text, size_t len, void *arg);
    void *arg;
};

void rv_answer_init(struct rv_answer *answer, struct rv_mem *mem, size_t max_bytes,
                    int (*on_text)(const char *text, size_t len, void *arg), void *arg);
void rv_answer_done(struct rv_answer *answer);

/* Take an event that is not an error. 0, REEVE_ETOOBIG, REEVE_ENOMEM or what on_text returned. */
int rv_answer_add(struct rv_answer *answer, const struct rv_event *event);

/* No more events come. What is held of a character becomes U+FFFD. As rv_answer_add. */
int rv_answer_end(struct rv_answer *answer);

/*
 * The answer is complete: make its calls and settle why it ended. A server's word for that is not
 * believed where it does not fit the calls. `seed` is for ids. 0 or REEVE_ENOMEM.
 */
int rv_answer_finish(struct rv_answer *answer, uint64_t seed);

#endif
