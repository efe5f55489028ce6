/* SPDX-License-Identifier: MIT */
/*
 * An intrusive binary heap: a complete tree of nodes that stand inside the things that are ordered.
 * Inserting never allocates, any node can be taken out, and every operation takes O(log n) steps in
 * the worst case, not on average only: one that now and then takes O(n) would hold the loop.
 */
#ifndef RV_BASE_HEAP_H
#define RV_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

struct rv_heap_node {
    struct rv_heap_node *parent;
    struct rv_heap_node *left;
    struct rv_heap_node *right;
};

/* Whether `a` comes out before `b`. A strict order: false for a node and itself. */
typedef bool rv_heap_before(struct rv_heap_node *a, struct rv_heap_node *b);

struct rv_heap {
    struct rv_heap_node *root;
    size_t count;
    rv_heap_before *before;
};

void rv_heap_init(struct rv_heap *heap, rv_heap_before *before);

/* The first in order; NULL if there is none. */
static inline struct rv_heap_node *rv_heap_first(const struct rv_heap *heap)
{
    return heap->root;
}

/* The node must not be in a heap, and what orders it must not change while it is. */
void rv_heap_insert(struct rv_heap *heap, struct rv_heap_node *node);

/* The node must be in this heap. */
void rv_heap_remove(struct rv_heap *heap, struct rv_heap_node *node);

#define rv_heap_entry(node, type, member) rv_container_of(node, type, member)

#endif
