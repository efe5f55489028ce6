/* SPDX-License-Identifier: MIT */
/* Keeping the key out of what is shown. */
#include "agent/redact.h"

#include <string.h>

enum { MIN_KEY_BYTES = 8 };

void redact_init(struct redact *redact, const char *key)
{
    *redact = (struct redact){.key = NULL};
    if (!key || strlen(key) < MIN_KEY_BYTES)
        return;
    redact->key = key;
    redact->len = strlen(key);
}

/* What was held back began no key: show as much of it as cannot be the beginning of another. */
static void let_go(struct redact *redact, redact_put_fn *put, void *arg)
{
    size_t shift = 1;

    while (memcmp(redact->key + shift, redact->key, redact->held - shift))
        shift++;
    put(redact->key, shift, arg);
    redact->held -= shift;
}

/* False: the byte continues and begins no key, and is not taken. It goes with what stands behind
 * it, since it may be a part of a character. */
static bool feed_byte(struct redact *redact, char byte, redact_put_fn *put, void *arg)
{
    while (redact->held && byte != redact->key[redact->held])
        let_go(redact, put, arg);
    if (byte != redact->key[redact->held])
        return false;
    if (++redact->held < redact->len)
        return true;
    redact->held = 0;
    put(REDACTED, strlen(REDACTED), arg);
    return true;
}

void redact_feed(struct redact *redact, const char *text, size_t len, redact_put_fn *put, void *arg)
{
    size_t at = 0;

    if (!redact->key) {
        put(text, len, arg);
        return;
    }
    while (at < len) {
        const char *next = redact->held ? text + at : memchr(text + at, *redact->key, len - at);
        size_t plain = next ? (size_t)(next - text) - at : len - at;

        if (plain)
            put(text + at, plain, arg);
        at += plain;
        if (at < len && feed_byte(redact, text[at], put, arg))
            at++;
    }
}

void redact_end(struct redact *redact, redact_put_fn *put, void *arg)
{
    if (redact->held >= MIN_KEY_BYTES)
        put(REDACTED, strlen(REDACTED), arg);
    else if (redact->held)
        put(redact->key, redact->held, arg);
    redact->held = 0;
}

void redact_text(const struct redact *redact, const char *text, size_t len, size_t shown,
                 redact_put_fn *put, void *arg)
{
    size_t at = 0;

    while (at < shown) {
        const char *key =
            redact->key ? memmem(text + at, len - at, redact->key, redact->len) : NULL;
        size_t end = key ? (size_t)(key - text) : len;

        put(text + at, (end < shown ? end : shown) - at, arg);
        if (end >= shown)
            return;
        put(REDACTED, strlen(REDACTED), arg);
        at = end + redact->len;
    }
}

bool redact_has_key(const struct redact *redact, const char *text)
{
    return redact->key && strstr(text, redact->key);
}
