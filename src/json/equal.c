/* SPDX-License-Identifier: MIT */
/* Equality of values, by walking over both at once, and a hash that goes with it. */
#include "json/equal.h"

#include <string.h>

#include "base/hash.h"
#include "json/number.h"
#include "json/value.h"

enum { HASH_DEPTH = 4 };

/* A step for each 64 bytes of a text as well. */
static bool spend(uint64_t *steps, uint64_t bytes)
{
    const uint64_t wanted = 1 + bytes / 64;

    *steps -= *steps < wanted ? *steps : wanted;
    return *steps > 0;
}

/* All but what is in arrays and objects. */
static bool same_outside(const struct reeve_json *a, const struct reeve_json *b)
{
    if (a->type != b->type)
        return false;
    switch ((enum reeve_json_type)a->type) {
    case REEVE_JSON_NUMBER:
        return rv_number_compare(a->as.text, a->count, b->as.text, b->count) == 0;
    case REEVE_JSON_STRING:
        return a->count == b->count && !memcmp(a->as.text, b->as.text, a->count);
    default:
        return a->count == b->count;
    }
}

static uint64_t text_bytes(const struct reeve_json *value)
{
    return value->type == REEVE_JSON_STRING || value->type == REEVE_JSON_NUMBER ? value->count : 0;
}

bool rv_json_equal(const struct reeve_json *a, const struct reeve_json *b, uint64_t *steps)
{
    const struct reeve_json *partners[RV_JSON_MAX_DEPTH];
    const struct rv_json_member *member;
    struct rv_json_walk walk;

    rv_json_walk_start(&walk);
    for (;;) {
        if (!spend(steps, text_bytes(a)) || !same_outside(a, b))
            return false;
        rv_json_walk_enter(&walk, a);
        if (walk.depth && walk.levels[walk.depth - 1].value == a)
            partners[walk.depth - 1] = b;
        while (walk.depth && !(a = rv_json_walk_next(&walk, &member)))
            rv_json_walk_leave(&walk);
        if (!walk.depth)
            return true;
        b = partners[walk.depth - 1];
        b = member ? rv_json_find(b, member->key, member->key_len)
                   : &b->as.elements[walk.levels[walk.depth - 1].next - 1];
        if (!b)
            return false;
    }
}

static uint64_t hash_at(uint64_t seed, const struct reeve_json *value, uint64_t *steps,
                        unsigned depth)
{
    uint64_t hash = seed + ((uint64_t)value->type << 32) + value->count;
    uint32_t i;

    if (!spend(steps, text_bytes(value)))
        return 0;
    switch ((enum reeve_json_type)value->type) {
    case REEVE_JSON_NUMBER:
        return rv_number_hash(seed, value->as.text, value->count);
    case REEVE_JSON_STRING:
        return rv_hash(hash, value->as.text, value->count);
    case REEVE_JSON_ARRAY:
        for (i = 0; i < value->count && depth && *steps; i++)
            hash = hash_at(hash, &value->as.elements[i], steps, depth - 1);
        return rv_hash(hash, NULL, 0);
    case REEVE_JSON_OBJECT:
        for (i = 0; i < value->count && depth && *steps; i++) {
            const struct rv_json_member *member = &value->as.object->members[i];

            hash += hash_at(rv_hash(seed, member->key, member->key_len), &member->value, steps,
                            depth - 1);
        }
        return rv_hash(hash, NULL, 0);
    default:
        return rv_hash(hash, NULL, 0);
    }
}

uint64_t rv_json_value_hash(uint64_t seed, const struct reeve_json *value, uint64_t *steps)
{
    return hash_at(seed, value, steps, HASH_DEPTH);
}
