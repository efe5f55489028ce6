/* SPDX-License-Identifier: MIT */
/*
 * A cache's bookkeeping: entries by key, bounded in number and in bytes, the least recently used
 * given up first, each with a deadline of its own. Intrusive: an entry stands inside the thing that
 * is cached, which also keeps the key's bytes while it is in. It reads no clock: times are the
 * caller's, all of one clock.
 */
#ifndef RV_BASE_LRU_H
#define RV_BASE_LRU_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"

struct rv_lru;

/* A deadline that never comes. */
#define RV_LRU_NEVER INT64_MAX

/* Why an entry was given up. */
enum rv_lru_reason {
    RV_LRU_EVICTED,  /* to make room */
    RV_LRU_EXPIRED,  /* its deadline had come when it was looked up */
    RV_LRU_REPLACED, /* by another with the same key */
    RV_LRU_CLEARED,  /* by rv_lru_clear */
};

struct rv_lru_entry {
    struct rv_map_node node;
    struct rv_list link;
    size_t bytes;
    int64_t deadline_ms;
};

/* The entry is out already and the callee's to free. It may use the cache, but not free it. */
typedef void (*rv_lru_gone_fn)(struct rv_lru *lru, struct rv_lru_entry *entry,
                               enum rv_lru_reason reason, void *arg);

struct rv_lru {
    struct rv_map map;
    struct rv_list order; /* the least recently used first */
    size_t max_entries;
    size_t max_bytes;
    size_t bytes;
    rv_lru_gone_fn gone;
    void *arg;
};

void rv_lru_init(struct rv_lru *lru, struct rv_mem *mem, size_t max_entries, size_t max_bytes,
                 rv_lru_gone_fn gone, void *arg);
/* Gives every entry up. */
void rv_lru_clear(struct rv_lru *lru);
/* The same, and frees what the cache itself holds. */
void rv_lru_done(struct rv_lru *lru);

/*
 * Adds an entry as the most recently used; what had the key before is replaced, and what does not
 * fit any more is evicted. 0; REEVE_ETOOBIG (it alone would pass a bound); REEVE_ENOMEM. On failure
 * nothing changed, and the entry stays the caller's.
 */
int rv_lru_add(struct rv_lru *lru, struct rv_lru_entry *entry, const void *key, size_t len,
               size_t bytes, int64_t deadline_ms);

/*
 * The entry, which becomes the most recently used, or NULL. One whose deadline has come at `now_ms`
 * is given up.
 */
struct rv_lru_entry *rv_lru_find(struct rv_lru *lru, const void *key, size_t len, int64_t now_ms);

/* Takes an entry out; it is the caller's then, and `gone` is not called. */
void rv_lru_remove(struct rv_lru *lru, struct rv_lru_entry *entry);

static inline size_t rv_lru_count(const struct rv_lru *lru)
{
    return rv_map_count(&lru->map);
}

#define rv_lru_item(entry, type, member) rv_container_of(entry, type, member)

#endif
