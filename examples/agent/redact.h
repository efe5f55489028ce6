/* SPDX-License-Identifier: MIT */
/*
 * The key, kept out of what is shown. A server may repeat it in the model's text, in pieces of any
 * size, and a model may put it into the arguments of a call.
 */
#ifndef AGENT_REDACT_H
#define AGENT_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/* Shown instead. */
#define REDACTED "[key]"

struct redact {
    const char *key; /* borrowed; NULL: nothing is kept out */
    size_t len;
    size_t held; /* of a stream: so many bytes of the key have come, and are not shown yet */
};

/* A key of fewer than 8 bytes is none that could be told from a word: nothing is kept out. */
void redact_init(struct redact *redact, const char *key);

/* A stream: `put` gets what may be shown. The end shows what was held back, unless it
 * is as good as the key. */
typedef void redact_put_fn(const char *text, size_t len, void *arg);
void redact_feed(struct redact *redact, const char *text, size_t len, redact_put_fn *put,
                 void *arg);
void redact_end(struct redact *redact, redact_put_fn *put, void *arg);

/* A whole text, of which the first `shown` bytes are wanted: a key that begins there is left out
 * whole. */
void redact_text(const struct redact *redact, const char *text, size_t len, size_t shown,
                 redact_put_fn *put, void *arg);

bool redact_has_key(const struct redact *redact, const char *text);

#endif
