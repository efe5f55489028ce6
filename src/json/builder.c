/* SPDX-License-Identifier: MIT */
/*
 * From the events of a parse to values. The stack holds, for each unfinished container, an entry
 * for itself and behind it one for each finished child, in an object with its key before it:
 *
 *     {"a": [1, 2], "b": [3,      open ─────────────┐
 *                                                   v
 *     stack   { object }  "a"  [1, 2]  "b"  { array }  3
 *
 * An unfinished container keeps in its `count` where the one around it stands.
 */
#include "json/builder.h"

#include <string.h>

#include "base/hash.h"

enum {
    FIRST_ENTRIES = 64,
    KEPT_ENTRIES = 4096, /* a larger stack does not outlive rv_json_builder_clear */
};

void rv_json_builder_init(struct rv_json_builder *builder, struct rv_arena *arena)
{
    *builder = (struct rv_json_builder){
        .arena = arena,
        .open = RV_JSON_NOTHING_OPEN,
        .seed = rv_hash_seed(builder),
    };
}

void rv_json_builder_done(struct rv_json_builder *builder)
{
    rv_free(builder->arena->mem, builder->stack);
    builder->stack = NULL;
    builder->capacity = 0;
}

void rv_json_builder_clear(struct rv_json_builder *builder)
{
    if (builder->capacity > KEPT_ENTRIES)
        rv_json_builder_done(builder);
    builder->count = 0;
    builder->open = RV_JSON_NOTHING_OPEN;
    builder->depth = 0;
}

static bool grow(struct rv_json_builder *builder)
{
    const uint32_t capacity = builder->capacity ? builder->capacity : FIRST_ENTRIES / 2;
    struct reeve_json *stack;
    size_t size;

    if (capacity > UINT32_MAX / 2 || !rv_size_mul(2 * (size_t)capacity, sizeof *stack, &size))
        return false;
    stack = rv_realloc(builder->arena->mem, builder->stack, size);
    if (!stack)
        return false;
    builder->stack = stack;
    builder->capacity = 2 * capacity;
    return true;
}

bool rv_json_build_scalar(struct rv_json_builder *builder, enum reeve_json_type type,
                          const char *text, uint32_t count)
{
    struct reeve_json *entry;

    if (builder->count == builder->capacity && !grow(builder))
        return false;
    entry = &builder->stack[builder->count++];
    entry->type = type;
    entry->count = count;
    entry->as.text = text;
    return true;
}

bool rv_json_build_key(struct rv_json_builder *builder, const char *text, uint32_t len)
{
    return rv_json_build_scalar(builder, RV_JSON_KEY, text, len);
}

bool rv_json_build_begin(struct rv_json_builder *builder, enum reeve_json_type type)
{
    if (!rv_json_build_scalar(builder, type, NULL, builder->open))
        return false;
    builder->open = builder->count - 1;
    builder->depth++;
    return true;
}

static bool end_array(struct rv_json_builder *builder, struct reeve_json *array, uint32_t count)
{
    struct reeve_json *elements;

    if (count) {
        elements = rv_arena_alloc(builder->arena, count * sizeof *elements);
        if (!elements)
            return false;
        memcpy(elements, array + 1, count * sizeof *elements);
        array->as.elements = elements;
    }
    array->count = count;
    return true;
}

/* The member with the same key among those before, or `member` itself. */
static struct rv_json_member *same_key(struct rv_json_member *members,
                                       struct rv_json_member *member)
{
    for (; members < member; members++)
        if (members->key_len == member->key_len &&
            !memcmp(members->key, member->key, member->key_len))
            break;
    return members;
}

/* The same with an index, which learns of the member if it is new. */
static struct rv_json_member *same_key_indexed(struct rv_json_index *index,
                                               struct rv_json_member *members,
                                               struct rv_json_member *member)
{
    uint32_t slot;

    member->hash = rv_json_hash(index->seed, member->key, member->key_len);
    slot = rv_json_index_slot(index, members, member->key, member->key_len, member->hash);
    if (index->slots[slot])
        return &members[index->slots[slot] - 1];
    index->slots[slot] = (uint32_t)(member - members) + 1;
    return member;
}

/* Of members with one key the last value counts, in the place of the first. */
static uint32_t fill_members(struct rv_json_member *members, struct rv_json_index *index,
                             const struct reeve_json *entry, uint32_t count)
{
    struct rv_json_member *member = members;
    struct rv_json_member *same;

    for (; count; count--, entry += 2) {
        member->key = entry[0].as.text;
        member->key_len = entry[0].count;
        member->value = entry[1];
        same = index ? same_key_indexed(index, members, member) : same_key(members, member);
        if (same == member)
            member++;
        else
            same->value = entry[1];
    }
    return (uint32_t)(member - members);
}

/* With room for twice as many as there are members at least. */
static struct rv_json_index *make_index(struct rv_json_builder *builder, uint32_t count)
{
    struct rv_json_index *index;
    size_t slots = 2 * RV_JSON_UNINDEXED;
    size_t bytes;

    while (slots < 2 * (size_t)count)
        slots *= 2;
    bytes = slots * sizeof index->slots[0];
    index = rv_arena_alloc(builder->arena, sizeof *index + bytes);
    if (!index)
        return NULL;
    index->seed = builder->seed;
    index->mask = (uint32_t)(slots - 1);
    memset(index->slots, 0, bytes);
    return index;
}

static bool end_object(struct rv_json_builder *builder, struct reeve_json *value, uint32_t count)
{
    struct rv_json_index *index = NULL;
    struct rv_json_object *object;

    if (count) {
        if (count > RV_JSON_UNINDEXED) {
            index = make_index(builder, count);
            if (!index)
                return false;
        }
        object = rv_arena_alloc(builder->arena, sizeof *object + count * sizeof *object->members);
        if (!object)
            return false;
        object->index = index;
        count = fill_members(object->members, index, value + 1, count);
        value->as.object = object;
    }
    value->count = count;
    return true;
}

bool rv_json_build_end(struct rv_json_builder *builder)
{
    struct reeve_json *value = &builder->stack[builder->open];
    const uint32_t around = value->count;
    const uint32_t children = builder->count - builder->open - 1;
    bool done;

    done = value->type == REEVE_JSON_ARRAY ? end_array(builder, value, children)
                                           : end_object(builder, value, children / 2);
    if (!done)
        return false;
    builder->count = builder->open + 1;
    builder->open = around;
    builder->depth--;
    return true;
}
