/* SPDX-License-Identifier: MIT */
/*
 * Text for people, written into an array: cut at its size and never inside a character, on one
 * line, and with the key taken out, since providers echo it.
 */
#ifndef RV_MODEL_SENTENCE_H
#define RV_MODEL_SENTENCE_H

#include <stddef.h>

#include "model/secret.h"

struct rv_sentence {
    char *text; /* NUL-terminated at any time */
    size_t size;
    size_t len;
    const struct rv_secret *secret;
};

void rv_sentence_begin(struct rv_sentence *sentence, char *text, size_t size,
                       const struct rv_secret *secret);

/* What does not fit is left out; "…" stands for it if there is room. */
void rv_sentence_add(struct rv_sentence *sentence, const char *text);

/* The same, of `max` bytes at most. */
void rv_sentence_add_bytes(struct rv_sentence *sentence, const char *bytes, size_t len, size_t max);
void rv_sentence_add_number(struct rv_sentence *sentence, long long number);

#endif
