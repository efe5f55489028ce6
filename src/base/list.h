/* SPDX-License-Identifier: MIT */
/*
 * An intrusive, circular, doubly linked list: the node stands inside the thing that is listed, so
 * that linking never allocates and unlinking needs neither the list nor a search. (uthash's utlist
 * unlinks through the head, which a cancelled waiter does not know.)
 */
#ifndef RV_BASE_LIST_H
#define RV_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

/* A head and a node alike. An unlinked node points at itself. */
struct rv_list {
    struct rv_list *next;
    struct rv_list *prev;
};

static inline void rv_list_init(struct rv_list *node)
{
    node->next = node;
    node->prev = node;
}

/* For a head: no entry. For a node: not linked. */
static inline bool rv_list_empty(const struct rv_list *node)
{
    return node->next == node;
}

static inline void rv_list_append(struct rv_list *head, struct rv_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Unlinking an unlinked node has no effect. */
static inline void rv_list_remove(struct rv_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    rv_list_init(node);
}

/* The first node, unlinked; NULL if there is none. */
static inline struct rv_list *rv_list_shift(struct rv_list *head)
{
    struct rv_list *node = head->next;

    if (node == head)
        return NULL;
    rv_list_remove(node);
    return node;
}

/* Move all entries of `from` behind those of `to`. */
static inline void rv_list_splice(struct rv_list *to, struct rv_list *from)
{
    if (rv_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    rv_list_init(from);
}

#define rv_list_entry(node, type, member) rv_container_of(node, type, member)

#define rv_list_for_each(node, head)                                                               \
    for ((node) = (head)->next; (node) != (head); (node) = (node)->next)

/* The body may unlink the current node. */
#define rv_list_for_each_safe(node, after, head)                                                   \
    for ((node) = (head)->next, (after) = (node)->next; (node) != (head);                          \
         (node) = (after), (after) = (node)->next)

#endif
