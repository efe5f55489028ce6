/* SPDX-License-Identifier: MIT */
/* Reading parsed values: the functions of reeve/json.h. */
#include "json/value.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <reeve/error.h>

#include "base/export.h"
#include "base/hash.h"
#include "json/number.h"

static bool is(const struct reeve_json *value, enum reeve_json_type type)
{
    return value && value->type == type;
}

RV_EXPORT enum reeve_json_type reeve_json_type(const struct reeve_json *value)
{
    return value ? (enum reeve_json_type)value->type : REEVE_JSON_NONE;
}

RV_EXPORT const char *reeve_json_type_name(enum reeve_json_type type)
{
    static const char *const names[] = {
        [REEVE_JSON_NONE] = "nothing",  [REEVE_JSON_NULL] = "null",
        [REEVE_JSON_BOOL] = "boolean",  [REEVE_JSON_NUMBER] = "number",
        [REEVE_JSON_STRING] = "string", [REEVE_JSON_ARRAY] = "array",
        [REEVE_JSON_OBJECT] = "object",
    };

    return (unsigned)type < sizeof names / sizeof *names ? names[type] : names[REEVE_JSON_NONE];
}

uint32_t rv_json_hash(uint64_t seed, const char *key, size_t len)
{
    return (uint32_t)rv_hash(seed, key, len);
}

uint32_t rv_json_index_slot(const struct rv_json_index *index, const struct rv_json_member *members,
                            const char *key, uint32_t len, uint32_t hash)
{
    const struct rv_json_member *member;
    uint32_t slot = hash & index->mask;

    while (index->slots[slot]) {
        member = &members[index->slots[slot] - 1];
        if (member->hash == hash && member->key_len == len && !memcmp(member->key, key, len))
            break;
        slot = (slot + 1) & index->mask;
    }
    return slot;
}

void rv_json_walk_start(struct rv_json_walk *walk)
{
    walk->depth = 0;
}

void rv_json_walk_enter(struct rv_json_walk *walk, const struct reeve_json *value)
{
    if (value->type != REEVE_JSON_ARRAY && value->type != REEVE_JSON_OBJECT)
        return;
    assert(walk->depth < RV_JSON_MAX_DEPTH);
    walk->levels[walk->depth++] = (struct rv_json_level){.value = value};
}

const struct reeve_json *rv_json_walk_next(struct rv_json_walk *walk,
                                           const struct rv_json_member **ret_member)
{
    struct rv_json_level *level = &walk->levels[walk->depth - 1];
    uint32_t next = level->next;

    *ret_member = NULL;
    if (next == level->value->count)
        return NULL;
    level->next++;
    if (level->value->type == REEVE_JSON_ARRAY)
        return &level->value->as.elements[next];
    if (level->order)
        next = level->order[next];
    *ret_member = &level->value->as.object->members[next];
    return &(*ret_member)->value;
}

const struct reeve_json *rv_json_walk_leave(struct rv_json_walk *walk)
{
    return walk->levels[--walk->depth].value;
}

const struct reeve_json *rv_json_find(const struct reeve_json *value, const char *key, size_t len)
{
    const struct rv_json_object *object;
    uint32_t i;

    if (!is(value, REEVE_JSON_OBJECT) || !value->count || len > UINT32_MAX)
        return NULL;
    object = value->as.object;
    if (object->index) {
        i = rv_json_index_slot(object->index, object->members, key, (uint32_t)len,
                               rv_json_hash(object->index->seed, key, len));
        i = object->index->slots[i];
        return i ? &object->members[i - 1].value : NULL;
    }
    for (i = 0; i < value->count; i++) {
        const struct rv_json_member *member = &object->members[i];

        if (member->key_len == len && !memcmp(member->key, key, len))
            return &member->value;
    }
    return NULL;
}

RV_EXPORT const struct reeve_json *reeve_json_get(const struct reeve_json *value, const char *key)
{
    return rv_json_find(value, key, strlen(key));
}

RV_EXPORT const struct reeve_json *reeve_json_at(const struct reeve_json *value, size_t index)
{
    if (index >= reeve_json_count(value))
        return NULL;
    if (value->type == REEVE_JSON_ARRAY)
        return &value->as.elements[index];
    return &value->as.object->members[index].value;
}

RV_EXPORT const char *reeve_json_key_at(const struct reeve_json *value, size_t index,
                                        size_t *ret_len)
{
    const struct rv_json_member *member;

    if (!is(value, REEVE_JSON_OBJECT) || index >= value->count)
        return NULL;
    member = &value->as.object->members[index];
    if (ret_len)
        *ret_len = member->key_len;
    return member->key;
}

RV_EXPORT size_t reeve_json_count(const struct reeve_json *value)
{
    return is(value, REEVE_JSON_ARRAY) || is(value, REEVE_JSON_OBJECT) ? value->count : 0;
}

static const char *text_of(const struct reeve_json *value, enum reeve_json_type type,
                           size_t *ret_len)
{
    if (!is(value, type))
        return NULL;
    if (ret_len)
        *ret_len = value->count;
    return value->as.text;
}

RV_EXPORT const char *reeve_json_string(const struct reeve_json *value, size_t *ret_len)
{
    return text_of(value, REEVE_JSON_STRING, ret_len);
}

RV_EXPORT const char *reeve_json_number_text(const struct reeve_json *value, size_t *ret_len)
{
    return text_of(value, REEVE_JSON_NUMBER, ret_len);
}

RV_EXPORT int reeve_json_int64(const struct reeve_json *value, int64_t *ret)
{
    if (!is(value, REEVE_JSON_NUMBER))
        return REEVE_EINVAL;
    return rv_number_int64(value->as.text, value->count, ret);
}

RV_EXPORT int reeve_json_double(const struct reeve_json *value, double *ret)
{
    if (!is(value, REEVE_JSON_NUMBER))
        return REEVE_EINVAL;
    return rv_number_double(value->as.text, value->count, ret);
}

RV_EXPORT int reeve_json_bool(const struct reeve_json *value, int *ret)
{
    if (!is(value, REEVE_JSON_BOOL))
        return REEVE_EINVAL;
    *ret = (int)value->count;
    return 0;
}
