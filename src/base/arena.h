/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back all at once: allocating is moving a pointer. The values of a JSON text
 * live in one, the results of a batch, the entries of a listing.
 */
#ifndef RV_BASE_ARENA_H
#define RV_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

struct rv_arena_chunk;

struct rv_arena {
    struct rv_mem *mem;
    char *next; /* where the next allocation begins, before alignment */
    char *end;
    struct rv_arena_chunk *chunks; /* the newest first */
};

void rv_arena_init(struct rv_arena *arena, struct rv_mem *mem);

/* Memory of the caller's to use up first, before anything was allocated; clear forgets it. */
void rv_arena_lend(struct rv_arena *arena, void *bytes, size_t size);

void rv_arena_done(struct rv_arena *arena);

/* What `from` holds is now `into`'s, to be given back with it; `from` is empty. Of the same mem. */
void rv_arena_take(struct rv_arena *into, struct rv_arena *from);

/* Whether it holds more than one chunk. */
bool rv_arena_is_large(const struct rv_arena *arena);

/* Give back the newest chunk; of what an arena was filled with bit by bit that is 256 KiB at most.
 * Returns whether there is more. Nothing may be allocated from it any more. */
bool rv_arena_shrink(struct rv_arena *arena);

/* Give all of it back, keeping one chunk of a bounded size for the next time. */
void rv_arena_clear(struct rv_arena *arena);

/* For when there is no room left in the chunk. */
void *rv_arena_grow(struct rv_arena *arena, size_t size);

/* Of one byte or more. NULL if there is no memory. */
static inline void *rv_arena_alloc(struct rv_arena *arena, size_t size)
{
    const size_t padding = -(size_t)arena->next & (sizeof(void *) - 1);
    char *ptr;

    if (size > (size_t)(arena->end - arena->next) ||
        padding > (size_t)(arena->end - arena->next) - size)
        return rv_arena_grow(arena, size);
    ptr = arena->next + padding;
    arena->next = ptr + size;
    return ptr;
}

/* For texts: not aligned. */
static inline char *rv_arena_alloc_bytes(struct rv_arena *arena, size_t size)
{
    char *ptr = arena->next;

    if (size > (size_t)(arena->end - ptr))
        return rv_arena_grow(arena, size);
    arena->next = ptr + size;
    return ptr;
}

#endif
