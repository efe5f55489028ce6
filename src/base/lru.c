/* SPDX-License-Identifier: MIT */
/* A bounded cache's bookkeeping, from a map and a list. */
#include "base/lru.h"

#include <reeve/error.h>

static struct rv_lru_entry *oldest(const struct rv_lru *lru)
{
    return rv_list_entry(lru->order.next, struct rv_lru_entry, link);
}

void rv_lru_init(struct rv_lru *lru, struct rv_mem *mem, size_t max_entries, size_t max_bytes,
                 rv_lru_gone_fn gone, void *arg)
{
    rv_map_init(&lru->map, mem);
    rv_list_init(&lru->order);
    lru->max_entries = max_entries;
    lru->max_bytes = max_bytes;
    lru->bytes = 0;
    lru->gone = gone;
    lru->arg = arg;
}

void rv_lru_remove(struct rv_lru *lru, struct rv_lru_entry *entry)
{
    rv_map_remove(&lru->map, &entry->node);
    rv_list_remove(&entry->link);
    lru->bytes -= entry->bytes;
}

static void give_up(struct rv_lru *lru, struct rv_lru_entry *entry, enum rv_lru_reason reason)
{
    rv_lru_remove(lru, entry);
    lru->gone(lru, entry, reason, lru->arg);
}

void rv_lru_clear(struct rv_lru *lru)
{
    while (!rv_list_empty(&lru->order))
        give_up(lru, oldest(lru), RV_LRU_CLEARED);
}

void rv_lru_done(struct rv_lru *lru)
{
    rv_lru_clear(lru);
    rv_map_done(&lru->map);
}

/* Takes entries out into `victims` until `bytes` more fit. The newest is not yet counted. */
static void make_room(struct rv_lru *lru, size_t bytes, struct rv_list *victims)
{
    struct rv_lru_entry *victim;

    while (rv_lru_count(lru) > lru->max_entries || lru->bytes > lru->max_bytes - bytes) {
        victim = oldest(lru);
        rv_lru_remove(lru, victim);
        rv_list_append(victims, &victim->link);
    }
}

/* The books are closed before anybody is told: a callback may use the cache. */
int rv_lru_add(struct rv_lru *lru, struct rv_lru_entry *entry, const void *key, size_t len,
               size_t bytes, int64_t deadline_ms)
{
    struct rv_lru_entry *old = NULL;
    struct rv_map_node *node;
    struct rv_list victims, *link;
    int error;

    if (!lru->max_entries || bytes > lru->max_bytes)
        return REEVE_ETOOBIG;
    error = rv_map_replace(&lru->map, &entry->node, key, len, &node);
    if (error)
        return error;
    if (node) {
        old = rv_map_entry(node, struct rv_lru_entry, node);
        rv_list_remove(&old->link);
        lru->bytes -= old->bytes;
    }
    rv_list_append(&lru->order, &entry->link);
    entry->bytes = bytes;
    entry->deadline_ms = deadline_ms;
    rv_list_init(&victims);
    make_room(lru, bytes, &victims);
    lru->bytes += bytes;
    if (old)
        lru->gone(lru, old, RV_LRU_REPLACED, lru->arg);
    while ((link = rv_list_shift(&victims)))
        lru->gone(lru, rv_list_entry(link, struct rv_lru_entry, link), RV_LRU_EVICTED, lru->arg);
    return 0;
}

struct rv_lru_entry *rv_lru_find(struct rv_lru *lru, const void *key, size_t len, int64_t now_ms)
{
    struct rv_map_node *node = rv_map_find(&lru->map, key, len);
    struct rv_lru_entry *entry;

    if (!node)
        return NULL;
    entry = rv_map_entry(node, struct rv_lru_entry, node);
    if (entry->deadline_ms != RV_LRU_NEVER && entry->deadline_ms <= now_ms) {
        give_up(lru, entry, RV_LRU_EXPIRED);
        return NULL;
    }
    rv_list_remove(&entry->link);
    rv_list_append(&lru->order, &entry->link);
    return entry;
}
