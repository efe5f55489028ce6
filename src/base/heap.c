/* SPDX-License-Identifier: MIT */
/*
 * The heap is a complete binary tree. Numbered from 1, level by level, node n has the children 2n
 * and 2n + 1, so that the bits of n below its highest one, read downwards, are the way to it from
 * the root: 0 is left, 1 is right.
 */
#include "base/heap.h"

#include <assert.h>

void rv_heap_init(struct rv_heap *heap, rv_heap_before *before)
{
    heap->root = NULL;
    heap->count = 0;
    heap->before = before;
}

/* Where the pointer to place `number` is kept; the parent of that place goes to *ret_parent. */
static struct rv_heap_node **place_of(struct rv_heap *heap, size_t number,
                                      struct rv_heap_node **ret_parent)
{
    struct rv_heap_node **place = &heap->root;
    struct rv_heap_node *parent = NULL;
    int bit = (int)(sizeof number * 8) - __builtin_clzl(number) - 1;

    while (bit-- > 0) {
        parent = *place;
        place = (number >> bit) & 1 ? &parent->right : &parent->left;
    }
    *ret_parent = parent;
    return place;
}

/* Where the pointer to a node that is in the tree is kept. */
static struct rv_heap_node **place_of_node(struct rv_heap *heap, struct rv_heap_node *node)
{
    if (!node->parent)
        return &heap->root;
    return node->parent->left == node ? &node->parent->left : &node->parent->right;
}

static void adopt_children(struct rv_heap_node *node)
{
    if (node->left)
        node->left->parent = node;
    if (node->right)
        node->right->parent = node;
}

static void swap_with_parent(struct rv_heap *heap, struct rv_heap_node *node)
{
    struct rv_heap_node *parent = node->parent;
    struct rv_heap_node below = *node;

    *place_of_node(heap, parent) = node;
    *node = *parent;
    if (node->left == node)
        node->left = parent;
    else
        node->right = parent;
    *parent = below;
    adopt_children(node);
    adopt_children(parent);
}

static void sift_up(struct rv_heap *heap, struct rv_heap_node *node)
{
    while (node->parent && heap->before(node, node->parent))
        swap_with_parent(heap, node);
}

static void sift_down(struct rv_heap *heap, struct rv_heap_node *node)
{
    struct rv_heap_node *first;

    for (;;) {
        first = node;
        if (node->left && heap->before(node->left, first))
            first = node->left;
        if (node->right && heap->before(node->right, first))
            first = node->right;
        if (first == node)
            return;
        swap_with_parent(heap, first);
    }
}

void rv_heap_insert(struct rv_heap *heap, struct rv_heap_node *node)
{
    struct rv_heap_node **place = place_of(heap, heap->count + 1, &node->parent);

    node->left = NULL;
    node->right = NULL;
    *place = node;
    heap->count++;
    sift_up(heap, node);
}

/* The last place is the one that a complete tree can lose: its node moves to where the hole is. */
void rv_heap_remove(struct rv_heap *heap, struct rv_heap_node *node)
{
    struct rv_heap_node *parent;
    struct rv_heap_node **place;
    struct rv_heap_node *last;

    assert(heap->count);
    place = place_of(heap, heap->count, &parent);
    last = *place;
    *place = NULL;
    heap->count--;
    if (last != node) {
        *place_of_node(heap, node) = last;
        *last = *node;
        adopt_children(last);
        sift_down(heap, last);
        sift_up(heap, last);
    }
    node->parent = NULL;
    node->left = NULL;
    node->right = NULL;
}
