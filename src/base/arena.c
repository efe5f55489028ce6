/* SPDX-License-Identifier: MIT */
/* A list of chunks, each twice as large as the one before. */
#include "base/arena.h"

enum {
    FIRST_BYTES = 4096,
    LARGEST_BYTES = 256 * 1024, /* of a chunk that is made for more than one allocation */
    ALONE_BYTES = 32 * 1024,    /* a larger allocation gets a chunk to itself */
    KEPT_BYTES = 64 * 1024,     /* a chunk up to here outlives rv_arena_clear */
};

struct rv_arena_chunk {
    struct rv_arena_chunk *older;
    size_t size; /* of `bytes` */
    char bytes[];
};

void rv_arena_init(struct rv_arena *arena, struct rv_mem *mem)
{
    *arena = (struct rv_arena){.mem = mem};
}

void rv_arena_lend(struct rv_arena *arena, void *bytes, size_t size)
{
    arena->next = bytes;
    arena->end = arena->next + size;
}

static void open_chunk(struct rv_arena *arena, struct rv_arena_chunk *chunk)
{
    arena->next = chunk->bytes;
    arena->end = chunk->bytes + chunk->size;
}

void rv_arena_clear(struct rv_arena *arena)
{
    struct rv_arena_chunk *kept = NULL;
    struct rv_arena_chunk *chunk = arena->chunks, *unwanted;

    if (chunk && !chunk->older && chunk->size <= KEPT_BYTES) { /* as nearly always */
        open_chunk(arena, chunk);
        return;
    }
    while (chunk) {
        unwanted = chunk;
        chunk = chunk->older;
        if (!kept && unwanted->size <= KEPT_BYTES)
            kept = unwanted;
        else
            rv_free(arena->mem, unwanted);
    }
    rv_arena_init(arena, arena->mem);
    if (!kept)
        return;
    kept->older = NULL;
    arena->chunks = kept;
    open_chunk(arena, kept);
}

void rv_arena_done(struct rv_arena *arena)
{
    struct rv_arena_chunk *chunk = arena->chunks;
    struct rv_arena_chunk *older;

    for (; chunk; chunk = older) {
        older = chunk->older;
        rv_free(arena->mem, chunk);
    }
    rv_arena_init(arena, arena->mem);
}

void rv_arena_take(struct rv_arena *into, struct rv_arena *from)
{
    struct rv_arena_chunk **oldest = &from->chunks;

    while (*oldest)
        oldest = &(*oldest)->older;
    *oldest = into->chunks;
    into->chunks = from->chunks;
    rv_arena_init(from, from->mem);
}

bool rv_arena_is_large(const struct rv_arena *arena)
{
    return arena->chunks && arena->chunks->older;
}

bool rv_arena_shrink(struct rv_arena *arena)
{
    struct rv_arena_chunk *chunk = arena->chunks;

    if (chunk) {
        arena->chunks = chunk->older;
        rv_free(arena->mem, chunk);
    }
    arena->next = NULL;
    arena->end = NULL;
    return arena->chunks != NULL;
}

/* Not the rest of the open chunk, but a place of its own for a large allocation. */
static void *alloc_alone(struct rv_arena *arena, size_t size)
{
    struct rv_arena_chunk *chunk;
    size_t total;

    if (!rv_size_add(size, sizeof *chunk, &total))
        return NULL;
    chunk = rv_alloc(arena->mem, total);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->older = arena->chunks->older;
    arena->chunks->older = chunk;
    return chunk->bytes;
}

void *rv_arena_grow(struct rv_arena *arena, size_t size)
{
    size_t wanted = FIRST_BYTES;
    struct rv_arena_chunk *chunk;
    size_t total;

    if (arena->chunks && size > ALONE_BYTES)
        return alloc_alone(arena, size);
    if (arena->chunks)
        wanted = arena->chunks->size < LARGEST_BYTES / 2 ? arena->chunks->size * 2 : LARGEST_BYTES;
    if (wanted < size)
        wanted = size;
    if (!rv_size_add(wanted, sizeof *chunk, &total))
        return NULL;
    chunk = rv_alloc(arena->mem, total);
    if (!chunk)
        return NULL;
    chunk->older = arena->chunks;
    chunk->size = wanted;
    arena->chunks = chunk;
    open_chunk(arena, chunk);
    arena->next += size;
    return chunk->bytes;
}
