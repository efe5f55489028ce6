/* SPDX-License-Identifier: MIT */
/*
 * Copying values. Each value is first copied as it is; then what it points at is given a place of
 * its own, containers with their children still those of the original. A stack of the containers
 * that lie open stands in for recursion.
 */
#include "json/copy.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "json/value.h"

#include <reeve/error.h>

/* A container whose children from `next` on are still to be copied. */
struct level {
    struct reeve_json *children;    /* of an array, */
    struct rv_json_member *members; /* or of an object */
    uint32_t next;
    uint32_t count;
};

static void *copy_bytes(struct rv_arena *arena, const void *bytes, size_t size)
{
    void *copy = rv_arena_alloc(arena, size);

    return copy ? memcpy(copy, bytes, size) : NULL;
}

/* NUL-terminated, as the original is. */
static const char *copy_text(struct rv_arena *arena, const char *text, uint32_t len)
{
    char *copy = rv_arena_alloc_bytes(arena, (size_t)len + 1);

    return copy ? memcpy(copy, text, (size_t)len + 1) : NULL;
}

static bool copy_elements(struct rv_arena *arena, struct reeve_json *array, struct level *level)
{
    level->children = copy_bytes(arena, array->as.elements, array->count * sizeof *array);
    array->as.elements = level->children;
    return level->children;
}

static bool copy_members(struct rv_arena *arena, struct reeve_json *object, struct level *level)
{
    const struct rv_json_object *from = object->as.object;
    struct rv_json_object *to;

    to = copy_bytes(arena, from, sizeof *from + object->count * sizeof from->members[0]);
    if (!to)
        return false;
    if (from->index) {
        size_t slots = (size_t)from->index->mask + 1;

        to->index = copy_bytes(arena, from->index,
                               sizeof *from->index + slots * sizeof from->index->slots[0]);
        if (!to->index)
            return false;
    }
    object->as.object = to;
    level->members = to->members;
    return true;
}

/* Give what `value` points at a place of its own. *ret_level has children if it has. */
static bool detach(struct rv_arena *arena, struct reeve_json *value, struct level *ret_level)
{
    *ret_level = (struct level){0};
    switch (value->type) {
    case REEVE_JSON_STRING:
    case REEVE_JSON_NUMBER:
        value->as.text = copy_text(arena, value->as.text, value->count);
        return value->as.text;
    case REEVE_JSON_ARRAY:
        ret_level->count = value->count;
        return !value->count || copy_elements(arena, value, ret_level);
    case REEVE_JSON_OBJECT:
        ret_level->count = value->count;
        return !value->count || copy_members(arena, value, ret_level);
    default:
        return true;
    }
}

/* The next child of a container, its key already copied; NULL: no memory. */
static struct reeve_json *next_child(struct rv_arena *arena, struct level *level)
{
    uint32_t i = level->next++;
    struct rv_json_member *member;

    if (level->children)
        return &level->children[i];
    member = &level->members[i];
    member->key = copy_text(arena, member->key, member->key_len);
    return member->key ? &member->value : NULL;
}

int rv_json_copy(struct rv_arena *arena, const struct reeve_json *value,
                 const struct reeve_json **ret_copy)
{
    struct level levels[RV_JSON_MAX_DEPTH + 1];
    struct reeve_json *root = copy_bytes(arena, value, sizeof *value), *child;
    size_t depth = 0;

    if (!root || !detach(arena, root, &levels[0]))
        return REEVE_ENOMEM;
    for (;;) {
        struct level *level = &levels[depth];

        if (level->next < level->count) {
            child = next_child(arena, level);
            assert(depth < RV_JSON_MAX_DEPTH);
            if (!child || !detach(arena, child, &levels[depth + 1]))
                return REEVE_ENOMEM;
            if (levels[depth + 1].count)
                depth++;
        } else if (depth) {
            depth--;
        } else {
            *ret_copy = root;
            return 0;
        }
    }
}
