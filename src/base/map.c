/* SPDX-License-Identifier: MIT */
/*
 * A hash map over uthash, whose macros know neither our memory nor how to fail: they are set up
 * here, once, and reach both through the locals `mem` and `out_of_memory` of the functions that
 * use them.
 */
#include <stdbool.h>

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) rv_alloc(mem, size)
#define uthash_free(ptr, size) rv_free(mem, ptr)
#define uthash_nonfatal_oom(node) (out_of_memory = true)

#include "base/map.h"

#include <limits.h>

#include <reeve/error.h>

#include "base/hash.h"

static unsigned hash_of(const struct rv_map *map, const void *key, size_t len)
{
    return (unsigned)rv_hash(map->seed, key, len);
}

void rv_map_init(struct rv_map *map, struct rv_mem *mem)
{
    map->mem = mem;
    map->first = NULL;
    map->seed = rv_hash_seed(map);
}

void rv_map_done(struct rv_map *map)
{
    struct rv_mem *mem = map->mem;

    HASH_CLEAR(hh, map->first);
}

static struct rv_map_node *find_hashed(const struct rv_map *map, const void *key, unsigned len,
                                       unsigned hash)
{
    struct rv_map_node *node;

    HASH_FIND_BYHASHVALUE(hh, map->first, key, len, hash, node);
    return node;
}

/* Does not look whether the key is there; if it is, it stands there twice. */
static int add_hashed(struct rv_map *map, struct rv_map_node *node, const void *key, unsigned len,
                      unsigned hash)
{
    struct rv_mem *mem = map->mem;
    bool out_of_memory = false;

    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->first, key, len, hash, node);
    return out_of_memory ? REEVE_ENOMEM : 0;
}

int rv_map_add(struct rv_map *map, struct rv_map_node *node, const void *key, size_t len)
{
    const unsigned hash = hash_of(map, key, len);

    if (len > UINT_MAX)
        return REEVE_EINVAL;
    if (find_hashed(map, key, (unsigned)len, hash))
        return REEVE_EEXIST;
    return add_hashed(map, node, key, (unsigned)len, hash);
}

int rv_map_replace(struct rv_map *map, struct rv_map_node *node, const void *key, size_t len,
                   struct rv_map_node **ret_old)
{
    const unsigned hash = hash_of(map, key, len);
    struct rv_map_node *old;
    int error;

    if (len > UINT_MAX)
        return REEVE_EINVAL;
    old = find_hashed(map, key, (unsigned)len, hash);
    error = add_hashed(map, node, key, (unsigned)len, hash);
    if (error)
        return error;
    if (old)
        rv_map_remove(map, old);
    *ret_old = old;
    return 0;
}

struct rv_map_node *rv_map_find(const struct rv_map *map, const void *key, size_t len)
{
    if (!map->first || len > UINT_MAX)
        return NULL;
    return find_hashed(map, key, (unsigned)len, hash_of(map, key, len));
}

void rv_map_remove(struct rv_map *map, struct rv_map_node *node)
{
    struct rv_mem *mem = map->mem;

    HASH_DELETE(hh, map->first, node);
}

size_t rv_map_count(const struct rv_map *map)
{
    return HASH_COUNT(map->first);
}
