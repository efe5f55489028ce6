/* SPDX-License-Identifier: MIT */
/*
 * What stands behind `struct reeve_json`. A value takes 16 bytes; the elements of an array and the
 * members of an object lie side by side, so that walking over them is walking over memory. All of
 * it, texts too, lies in the arena of the reader that made it.
 */
#ifndef RV_JSON_VALUE_H
#define RV_JSON_VALUE_H

#include <stdint.h>

#include <reeve/json.h>

enum {
    /* No reader accepts more; so a fixed array is enough to walk over any value without recursion.
     */
    RV_JSON_MAX_DEPTH = 512,
};

struct rv_json_object;

struct reeve_json {
    uint32_t type;  /* enum reeve_json_type */
    uint32_t count; /* bytes of a text, elements, members; 0 or 1 of a boolean */
    union {
        const char *text;                    /* string, number: NUL-terminated */
        const struct reeve_json *elements;   /* array */
        const struct rv_json_object *object; /* object; NULL if it has no member */
    } as;
};

struct rv_json_member {
    const char *key; /* NUL-terminated */
    uint32_t key_len;
    uint32_t hash; /* of the key; set in objects with an index only */
    struct reeve_json value;
};

/* Open addressing: a slot holds the number of a member plus one, or 0. */
struct rv_json_index {
    uint64_t seed;
    uint32_t mask; /* number of slots less one */
    uint32_t slots[];
};

struct rv_json_object {
    const struct rv_json_index *index; /* NULL up to RV_JSON_UNINDEXED members */
    struct rv_json_member members[];
};

enum {
    /* Up to here comparing key by key is no slower than hashing. */
    RV_JSON_UNINDEXED = 16,
};

/* The hash of a key. The seed is secret, so that nobody can send keys that all collide. */
uint32_t rv_json_hash(uint64_t seed, const char *key, size_t len);

/* The slot where the member with that key stands or, holding 0, where it would. */
uint32_t rv_json_index_slot(const struct rv_json_index *index, const struct rv_json_member *members,
                            const char *key, uint32_t len, uint32_t hash);

/* The member of an object with that key, which may hold NULs; NULL if there is none, or no object.
 */
const struct reeve_json *rv_json_find(const struct reeve_json *value, const char *key, size_t len);

/* What a value points at, for the one who owns the arena that it lies in and may change it. */
static inline void *rv_json_ours(const void *part)
{
    const union {
        const void *from;
        void *to;
    } alias = {.from = part};

    return alias.to;
}

/*
 * Walking over a value and all that is in it, without recursion. `enter` steps into an array or
 * object, and does nothing for other values; `next` gives the children of the innermost one by
 * one, then NULL; `leave` steps out and returns what it left. `depth` is 0 when the walk is over.
 */
struct rv_json_walk {
    unsigned depth;
    struct rv_json_level {
        const struct reeve_json *value;
        const uint32_t *order; /* of the members, if not that of the text; set after enter */
        uint32_t next;
    } levels[RV_JSON_MAX_DEPTH];
};

void rv_json_walk_start(struct rv_json_walk *walk);
void rv_json_walk_enter(struct rv_json_walk *walk, const struct reeve_json *value);
/* *ret_member is NULL for an element of an array. */
const struct reeve_json *rv_json_walk_next(struct rv_json_walk *walk,
                                           const struct rv_json_member **ret_member);
const struct reeve_json *rv_json_walk_leave(struct rv_json_walk *walk);

#endif
