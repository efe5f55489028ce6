/* SPDX-License-Identifier: MIT */
/* Hashing a prompt block by block as yajl writes it. */
#include "prefix.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (MS_BLOCK_TOKENS * MS_TOKEN_BYTES)
#define MAX_BLOCKS MS_CACHE_SLOTS /* of one prompt; what comes behind is never cached */

struct walk {
    struct ms_prefix prefix;
    size_t room;
    size_t bytes;
    uint64_t hash;
    bool failed;
};

static void end_block(struct walk *walk)
{
    struct ms_prefix *prefix = &walk->prefix;

    if (walk->failed || prefix->count == MAX_BLOCKS)
        return;
    if (prefix->count == walk->room) {
        size_t room = walk->room ? walk->room * 2 : 32;
        uint64_t *blocks = realloc(prefix->blocks, room * sizeof(*blocks));

        if (!blocks) {
            walk->failed = true;
            return;
        }
        prefix->blocks = blocks;
        walk->room = room;
    }
    prefix->blocks[prefix->count++] = walk->hash;
}

/* yajl's print callback. */
static void take(void *arg, const char *bytes, size_t len)
{
    struct walk *walk = arg;

    while (len > 0) {
        size_t left = BLOCK_BYTES - walk->bytes % BLOCK_BYTES;
        size_t n = len < left ? len : left;

        walk->hash = ms_hash(walk->hash, bytes, n);
        walk->bytes += n;
        bytes += n;
        len -= n;
        if (walk->bytes % BLOCK_BYTES == 0)
            end_block(walk);
    }
}

int ms_prefix_measure(const struct ms_request *request, const char *key,
                      struct ms_prefix *ret_prefix)
{
    struct walk walk = {.hash = MS_HASH_START};
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen)
        return -1;
    walk.hash = ms_hash(walk.hash, request->model, strlen(request->model) + 1);
    if (key)
        walk.hash = ms_hash(walk.hash, key, strlen(key));
    yajl_gen_config(gen, yajl_gen_print_callback, take, &walk);
    yajl_gen_array_open(gen);
    if (request->tools)
        ms_json_value(gen, request->tools);
    for (size_t i = 0; i < request->messages->u.array.len; i++)
        ms_json_value(gen, request->messages->u.array.values[i]);
    yajl_gen_array_close(gen);
    yajl_gen_free(gen);
    if (walk.failed) {
        free(walk.prefix.blocks);
        return -1;
    }
    walk.prefix.tokens = walk.bytes / MS_TOKEN_BYTES + 1;
    *ret_prefix = walk.prefix;
    return 0;
}

void ms_prefix_done(struct ms_prefix *prefix)
{
    free(prefix->blocks);
    *prefix = (struct ms_prefix){0};
}

/* By the upper bits of a product: the lower ones of an FNV hash repeat when the text does. */
static uint64_t *slot_of(struct ms_prefix_cache *cache, uint64_t block)
{
    return &cache->slots[(block * 0x9e3779b97f4a7c15u >> 32) % MS_CACHE_SLOTS];
}

size_t ms_prefix_serve(struct ms_prefix_cache *cache, const struct ms_prefix *prefix)
{
    size_t cached = 0;

    while (cached < prefix->count &&
           *slot_of(cache, prefix->blocks[cached]) == prefix->blocks[cached])
        cached++;
    /* From the end, so that of two blocks in one slot the one nearer to the start stays. */
    for (size_t i = prefix->count; i-- > 0;)
        *slot_of(cache, prefix->blocks[i]) = prefix->blocks[i];
    cached *= MS_BLOCK_TOKENS;
    return cached < MS_CACHE_MIN_TOKENS ? 0 : cached;
}
