/* SPDX-License-Identifier: MIT */
/*
 * A hash map over uthash. Intrusive: the node stands inside the thing that is mapped, which also
 * keeps the key's bytes for as long as it is in the map. The table itself comes from the map's
 * memory, and failing to grow it is an answer, not an exit. Entries stand in the order of their
 * insertion.
 */
#ifndef RV_BASE_MAP_H
#define RV_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <uthash.h>

#include "base/alloc.h"

struct rv_map_node {
    UT_hash_handle hh;
};

struct rv_map {
    struct rv_mem *mem;
    struct rv_map_node *first;
    uint64_t seed;
};

void rv_map_init(struct rv_map *map, struct rv_mem *mem);
/* Forgets all entries; they and their keys are the caller's. */
void rv_map_done(struct rv_map *map);

/* 0; REEVE_EEXIST (the key is there already); REEVE_ENOMEM. On failure nothing changed. */
int rv_map_add(struct rv_map *map, struct rv_map_node *node, const void *key, size_t len);

/*
 * Adds, and takes out what had the key before: *ret_old, NULL if nothing had. 0 or REEVE_ENOMEM,
 * with nothing changed.
 */
int rv_map_replace(struct rv_map *map, struct rv_map_node *node, const void *key, size_t len,
                   struct rv_map_node **ret_old);

/* NULL if there is none. */
struct rv_map_node *rv_map_find(const struct rv_map *map, const void *key, size_t len);

/* The node is in the map. */
void rv_map_remove(struct rv_map *map, struct rv_map_node *node);

size_t rv_map_count(const struct rv_map *map);

/* The entry that was added after this one, or NULL. */
static inline struct rv_map_node *rv_map_next(const struct rv_map_node *node)
{
    return node->hh.next;
}

static inline const void *rv_map_key(const struct rv_map_node *node, size_t *ret_len)
{
    *ret_len = node->hh.keylen;
    return node->hh.key;
}

/* The same with NUL-terminated keys. */
static inline int rv_map_add_text(struct rv_map *map, struct rv_map_node *node, const char *key)
{
    return rv_map_add(map, node, key, strlen(key));
}

static inline struct rv_map_node *rv_map_find_text(const struct rv_map *map, const char *key)
{
    return rv_map_find(map, key, strlen(key));
}

#define rv_map_entry(node, type, member) rv_container_of(node, type, member)

#define rv_map_for_each(node, map) for ((node) = (map)->first; (node); (node) = rv_map_next(node))

/* The body may remove the current node. */
#define rv_map_for_each_safe(node, after, map)                                                     \
    for ((node) = (map)->first; (node) && ((after) = rv_map_next(node), 1); (node) = (after))

#endif
