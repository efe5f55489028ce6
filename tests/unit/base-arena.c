/* SPDX-License-Identifier: MIT */
/* The arena: what comes of it is apart and aligned, and all of it is given back, or used again. */
#include "tests/lib/test.h"

#include "base/arena.h"

#include <string.h>

enum { MANY = 2000, LARGE = 100 * 1024 };

RV_TEST(arena, gives_memory_that_is_apart_and_aligned)
{
    static unsigned char *blocks[MANY];
    struct rv_arena arena;
    size_t i, at;

    rv_arena_init(&arena, t->mem);
    for (i = 0; i < MANY; i++) {
        blocks[i] = rv_arena_alloc(&arena, 1 + i % 50);
        cr_assert_not_null(blocks[i]);
        cr_assert_eq((uintptr_t)blocks[i] % sizeof(void *), 0);
        memset(blocks[i], (int)(i % 251), 1 + i % 50);
    }
    for (i = 0; i < MANY; i++)
        for (at = 0; at <= i % 50; at++)
            cr_assert_eq(blocks[i][at], i % 251, "block %zu, byte %zu", i, at);
    rv_arena_done(&arena);
    cr_assert_eq(rv_mem_live(t->mem), 0);
}

RV_TEST(arena, gives_texts_without_a_gap)
{
    struct rv_arena arena;
    char *first, *second;

    rv_arena_init(&arena, t->mem);
    first = rv_arena_alloc_bytes(&arena, 3);
    second = rv_arena_alloc_bytes(&arena, 3);
    cr_assert_eq(second - first, 3);
    rv_arena_done(&arena);
}

RV_TEST(arena, uses_what_was_cleared_again)
{
    struct rv_arena arena;
    void *first;
    int i;

    rv_arena_init(&arena, t->mem);
    first = rv_arena_alloc(&arena, 100);
    for (i = 0; i < MANY; i++) {
        rv_arena_clear(&arena);
        cr_assert_eq(rv_arena_alloc(&arena, 100), first);
    }
    cr_assert_eq(rv_mem_live(t->mem), 1);
    rv_arena_done(&arena);
    cr_assert_eq(rv_mem_live(t->mem), 0);
}

RV_TEST(arena, keeps_one_chunk_of_a_bounded_size)
{
    struct rv_arena arena;
    size_t i;

    rv_arena_init(&arena, t->mem);
    for (i = 0; i < MANY; i++)
        rv_arena_alloc(&arena, 1000);
    cr_assert_gt(rv_mem_live(t->mem), 2);
    cr_assert(rv_arena_is_large(&arena));
    rv_arena_clear(&arena);
    cr_assert_eq(rv_mem_live(t->mem), 1);
    rv_arena_done(&arena);

    /* The only one there is may be too large to be kept. */
    rv_arena_init(&arena, t->mem);
    rv_arena_alloc(&arena, LARGE);
    rv_arena_clear(&arena);
    cr_assert_eq(rv_mem_live(t->mem), 0);
    cr_assert_not_null(rv_arena_alloc(&arena, 1));
    rv_arena_done(&arena);
}

RV_TEST(arena, has_a_large_block_apart_and_goes_on_in_its_chunk)
{
    struct rv_arena arena;
    char *before, *behind;

    rv_arena_init(&arena, t->mem);
    before = rv_arena_alloc(&arena, 16);
    memset(rv_arena_alloc(&arena, LARGE), 'x', LARGE);
    behind = rv_arena_alloc(&arena, 16);
    cr_assert_eq(behind - before, 16);
    rv_arena_done(&arena);
    cr_assert_eq(rv_mem_live(t->mem), 0);
}

RV_TEST(arena, uses_what_it_was_lent_first_and_does_not_free_it)
{
    _Alignas(max_align_t) char room[64];
    struct rv_arena arena;
    char *block;

    rv_arena_init(&arena, t->mem);
    rv_arena_lend(&arena, room, sizeof room);
    cr_assert_eq((char *)rv_arena_alloc(&arena, 64), room);
    cr_assert_eq(rv_mem_live(t->mem), 0);
    cr_assert_not_null(rv_arena_alloc(&arena, 1));
    cr_assert_eq(rv_mem_live(t->mem), 1);
    rv_arena_clear(&arena);
    block = rv_arena_alloc(&arena, 1);
    cr_assert(block < room || block >= room + sizeof room);
    rv_arena_done(&arena);

    rv_arena_init(&arena, t->mem);
    rv_arena_lend(&arena, room, sizeof room);
    rv_arena_clear(&arena);
    block = rv_arena_alloc(&arena, 1);
    cr_assert(block < room || block >= room + sizeof room);
    rv_arena_done(&arena);
    cr_assert_eq(rv_mem_live(t->mem), 0);
}

RV_TEST(arena, hands_over_what_it_holds)
{
    struct rv_arena from, into;
    char *kept;

    rv_arena_init(&from, t->mem);
    rv_arena_init(&into, t->mem);
    kept = rv_arena_alloc(&from, 8);
    memcpy(kept, "is kept", 8);
    rv_arena_alloc(&into, 8);
    rv_arena_take(&into, &from);
    rv_arena_done(&from);
    cr_assert_str_eq(kept, "is kept");
    cr_assert_eq(rv_mem_live(t->mem), 2);
    rv_arena_done(&into);
    cr_assert_eq(rv_mem_live(t->mem), 0);
}

RV_TEST(arena, shrinks_a_chunk_at_a_time)
{
    struct rv_arena arena;
    size_t i, live;

    rv_arena_init(&arena, t->mem);
    for (i = 0; i < MANY; i++)
        rv_arena_alloc(&arena, 1000);
    live = rv_mem_live(t->mem);
    while (rv_arena_shrink(&arena))
        cr_assert_eq(rv_mem_live(t->mem), --live);
    cr_assert_eq(rv_mem_live(t->mem), 0);
    cr_assert_not(rv_arena_shrink(&arena));
}
