/* SPDX-License-Identifier: MIT */
/*
 * One text for equal values. Members are sorted by the bytes of their keys: an object whose members
 * stand in order already, as most do, costs one look at each; others get an array of their numbers,
 * sorted by merging, in an arena that begins on the stack.
 */
#include "json/canonical.h"

#include <stdbool.h>
#include <string.h>

#include <reeve/error.h>

#include "base/arena.h"
#include "json/number.h"
#include "json/quote.h"
#include "json/value.h"

enum { BORROWED_BYTES = 1024 };

/* Whether the key of the first comes before that of the second. */
static bool before(const struct rv_json_member *a, const struct rv_json_member *b)
{
    const size_t shared = a->key_len < b->key_len ? a->key_len : b->key_len;
    const int difference = memcmp(a->key, b->key, shared);

    return difference ? difference < 0 : a->key_len < b->key_len;
}

static bool in_order(const struct rv_json_member *members, uint32_t count)
{
    uint32_t i;

    for (i = 1; i < count; i++)
        if (before(&members[i], &members[i - 1]))
            return false;
    return true;
}

/* Two sorted runs of `from`, [at, middle) and [middle, end), into one of `to`. */
static void merge(const struct rv_json_member *members, const uint32_t *from, uint32_t *to,
                  size_t at, size_t middle, size_t end)
{
    size_t left = at;
    size_t right = middle;

    for (; at < end; at++) {
        if (right == end || (left < middle && !before(&members[from[right]], &members[from[left]])))
            to[at] = from[left++];
        else
            to[at] = from[right++];
    }
}

/* Sorts numbers of members; `spare` is as long as `order`. Returns which of them holds the result.
 */
static uint32_t *merge_sort(const struct rv_json_member *members, uint32_t *order, uint32_t *spare,
                            size_t count)
{
    size_t run, at, middle, end;
    uint32_t *sorted;

    for (run = 1; run < count; run *= 2) {
        for (at = 0; at < count; at = end) {
            middle = count - at < run ? count : at + run;
            end = count - middle < run ? count : middle + run;
            merge(members, order, spare, at, middle, end);
        }
        sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

/* *ret_order is NULL if the members stand in order. */
static int sort_members(struct rv_arena *arena, const struct reeve_json *value,
                        const uint32_t **ret_order)
{
    const struct rv_json_member *members;
    const uint32_t count = value->count;
    uint32_t *order, *spare;
    uint32_t i;

    *ret_order = NULL;
    if (value->type != REEVE_JSON_OBJECT || !count)
        return 0;
    members = value->as.object->members;
    if (in_order(members, count))
        return 0;
    order = rv_arena_alloc(arena, count * sizeof *order);
    spare = rv_arena_alloc(arena, count * sizeof *spare);
    if (!order || !spare)
        return REEVE_ENOMEM;
    for (i = 0; i < count; i++)
        order[i] = i;
    *ret_order = merge_sort(members, order, spare, count);
    return 0;
}

static int add_opening(struct rv_buffer *out, const struct reeve_json *value)
{
    switch (value->type) {
    case REEVE_JSON_OBJECT:
        return rv_buffer_add_byte(out, '{');
    case REEVE_JSON_ARRAY:
        return rv_buffer_add_byte(out, '[');
    case REEVE_JSON_STRING:
        return rv_json_add_quoted(out, value->as.text, value->count);
    case REEVE_JSON_NUMBER:
        return rv_number_add_canonical(out, value->as.text, value->count);
    case REEVE_JSON_BOOL:
        return rv_buffer_add_text(out, value->count ? "true" : "false");
    default:
        return rv_buffer_add_text(out, "null");
    }
}

static int add_closing(struct rv_buffer *out, const struct reeve_json *value)
{
    return rv_buffer_add_byte(out, value->type == REEVE_JSON_OBJECT ? '}' : ']');
}

static int add_key(struct rv_buffer *out, const struct rv_json_member *member)
{
    int error = rv_json_add_quoted(out, member->key, member->key_len);

    return error ? error : rv_buffer_add_byte(out, ':');
}

/* Writes a value's beginning and, if it has children, steps into it. */
static int enter(struct rv_json_walk *walk, struct rv_arena *arena, struct rv_buffer *out,
                 const struct reeve_json *value)
{
    const unsigned depth = walk->depth;
    int error = add_opening(out, value);

    if (error)
        return error;
    rv_json_walk_enter(walk, value);
    if (walk->depth == depth)
        return 0;
    return sort_members(arena, value, &walk->levels[depth].order);
}

static int add_canonical(struct rv_arena *arena, struct rv_buffer *out,
                         const struct reeve_json *value)
{
    const struct rv_json_member *member;
    struct rv_json_walk walk;
    int error;

    rv_json_walk_start(&walk);
    error = enter(&walk, arena, out, value);
    while (walk.depth && !error) {
        value = rv_json_walk_next(&walk, &member);
        if (!value) {
            error = add_closing(out, rv_json_walk_leave(&walk));
            continue;
        }
        if (walk.levels[walk.depth - 1].next > 1)
            error = rv_buffer_add_byte(out, ',');
        if (!error && member)
            error = add_key(out, member);
        if (!error)
            error = enter(&walk, arena, out, value);
    }
    return error;
}

int rv_json_canonical(const struct reeve_json *value, struct rv_buffer *out)
{
    _Alignas(void *) char borrowed[BORROWED_BYTES];
    const size_t start = out->len;
    struct rv_arena arena;
    int error;

    if (!value)
        return REEVE_EINVAL;
    rv_arena_init(&arena, out->mem);
    rv_arena_lend(&arena, borrowed, sizeof borrowed);
    error = add_canonical(&arena, out, value);
    rv_arena_done(&arena);
    if (error)
        rv_buffer_truncate(out, start);
    return error;
}
