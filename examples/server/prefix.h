/* SPDX-License-Identifier: MIT */
/*
 * How many tokens a prompt has, and how many of them a prompt cache would serve.
 *
 * As providers do it: the prompt is the tools, then the messages; it is cut into blocks of 128
 * tokens from its start, each known by the hash of all bytes up to its end. A block counts as
 * cached when an earlier prompt to the same model with the same key had it; from 1024 tokens on. A
 * token is taken to be four bytes. What is hashed is the request's own JSON (white space aside,
 * members in the order they came in), so a client whose requests are not byte-stable sees no cached
 * tokens.
 */
#ifndef MS_SERVER_PREFIX_H
#define MS_SERVER_PREFIX_H

#include "request.h"

#define MS_TOKEN_BYTES 4
#define MS_BLOCK_TOKENS 128
#define MS_CACHE_MIN_TOKENS 1024
#define MS_CACHE_SLOTS 16384

/* The blocks of one prompt. */
struct ms_prefix {
    uint64_t *blocks;
    size_t count;
    size_t tokens; /* of the whole prompt */
};

/* The blocks of earlier prompts; a newer one takes the slot of an older one. */
struct ms_prefix_cache {
    uint64_t slots[MS_CACHE_SLOTS];
};

/* 0, or -1 without memory. After 0, end it with ms_prefix_done. `key` may be NULL. */
int ms_prefix_measure(const struct ms_request *request, const char *key,
                      struct ms_prefix *ret_prefix);
void ms_prefix_done(struct ms_prefix *prefix);

/* How many of the prompt's tokens earlier prompts have left; then leaves its own. */
size_t ms_prefix_serve(struct ms_prefix_cache *cache, const struct ms_prefix *prefix);

#endif
