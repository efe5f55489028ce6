/* SPDX-License-Identifier: MIT */
/*
 * From the events of a parse to values. The stack holds, for each unfinished container, an entry
 * for itself and behind it its finished children:
 *
 *     {"a": [1, 2], "b": [3,      open ──────────────┐
 *                                                    v
 *     stack   { object }  "a": [1, 2]  "b": { array }  3
 *
 * An unfinished container keeps in its `count` where the one around it stands; the key of a member
 * waits in an entry of type NONE for its value.
 */
#include "json/builder.h"

#include <string.h>

#include "base/hash.h"

enum {
    FIRST_ENTRIES = 32,
    KEPT_ENTRIES = 2048, /* a larger stack does not outlive rv_json_builder_clear */
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
    struct rv_json_member *stack;
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

static struct rv_json_member *push(struct rv_json_builder *builder)
{
    struct rv_json_member *entry;

    if (builder->count == builder->capacity && !grow(builder))
        return NULL;
    entry = &builder->stack[builder->count++];
    entry->key = NULL;
    entry->key_len = 0;
    return entry;
}

/* Where the next value goes: to the key that waits for it, or behind the last element. */
static struct reeve_json *place(struct rv_json_builder *builder)
{
    struct rv_json_member *entry;

    if (builder->open != RV_JSON_NOTHING_OPEN &&
        builder->stack[builder->open].value.type == REEVE_JSON_OBJECT)
        return &builder->stack[builder->count - 1].value;
    entry = push(builder);
    return entry ? &entry->value : NULL;
}

bool rv_json_build_key(struct rv_json_builder *builder, const char *text, uint32_t len)
{
    struct rv_json_member *entry = push(builder);

    if (!entry)
        return false;
    entry->key = text;
    entry->key_len = len;
    entry->value.type = REEVE_JSON_NONE;
    return true;
}

bool rv_json_build_scalar(struct rv_json_builder *builder, enum reeve_json_type type,
                          const char *text, uint32_t count)
{
    struct reeve_json *value = place(builder);

    if (!value)
        return false;
    value->type = type;
    value->count = count;
    value->as.text = text;
    return true;
}

bool rv_json_build_begin(struct rv_json_builder *builder, enum reeve_json_type type)
{
    struct reeve_json *value = place(builder);

    if (!value)
        return false;
    value->type = type;
    value->count = builder->open;
    value->as.text = NULL;
    builder->open = builder->count - 1;
    builder->depth++;
    return true;
}

static bool end_array(struct rv_json_builder *builder, struct reeve_json *array, uint32_t count)
{
    const struct rv_json_member *entry = &builder->stack[builder->open + 1];
    struct reeve_json *elements;
    uint32_t i;

    if (count) {
        elements = rv_arena_alloc(builder->arena, count * sizeof *elements);
        if (!elements)
            return false;
        for (i = 0; i < count; i++)
            elements[i] = entry[i].value;
        array->as.elements = elements;
    }
    array->count = count;
    return true;
}

/* Of members with one key the last value counts, in the place of the first. */
static uint32_t join_few(struct rv_json_member *members, uint32_t count)
{
    uint32_t kept = 0;
    uint32_t i, j;

    for (i = 0; i < count; i++) {
        for (j = 0; j < kept; j++)
            if (members[j].key_len == members[i].key_len &&
                !memcmp(members[j].key, members[i].key, members[i].key_len))
                break;
        if (j < kept)
            members[j].value = members[i].value;
        else if (kept++ != i)
            members[j] = members[i];
    }
    return kept;
}

/* The same with an index, which is filled on the way. */
static uint32_t join_many(struct rv_json_member *members, uint32_t count,
                          struct rv_json_index *index)
{
    uint32_t kept = 0;
    uint32_t i, slot;

    for (i = 0; i < count; i++) {
        struct rv_json_member *member = &members[i];

        member->hash = rv_json_hash(index->seed, member->key, member->key_len);
        slot = rv_json_index_slot(index, members, member->key, member->key_len, member->hash);
        if (index->slots[slot]) {
            members[index->slots[slot] - 1].value = member->value;
            continue;
        }
        if (kept != i)
            members[kept] = *member;
        index->slots[slot] = ++kept;
    }
    return kept;
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
    struct rv_json_member *members = &builder->stack[builder->open + 1];
    struct rv_json_index *index = NULL;
    struct rv_json_object *object;

    if (!count) {
        value->count = 0;
        return true;
    }
    if (count > RV_JSON_UNINDEXED) {
        index = make_index(builder, count);
        if (!index)
            return false;
        count = join_many(members, count, index);
    } else {
        count = join_few(members, count);
    }
    object = rv_arena_alloc(builder->arena, sizeof *object + count * sizeof *members);
    if (!object)
        return false;
    object->index = index;
    memcpy(object->members, members, count * sizeof *members);
    value->as.object = object;
    value->count = count;
    return true;
}

bool rv_json_build_end(struct rv_json_builder *builder)
{
    struct reeve_json *value = &builder->stack[builder->open].value;
    const uint32_t around = value->count;
    const uint32_t children = builder->count - builder->open - 1;
    bool done;

    done = value->type == REEVE_JSON_ARRAY ? end_array(builder, value, children)
                                           : end_object(builder, value, children);
    if (!done)
        return false;
    builder->count = builder->open + 1;
    builder->open = around;
    builder->depth--;
    return true;
}
