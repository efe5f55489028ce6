/* SPDX-License-Identifier: MIT */
/*
 * From the events of a parse to values. Values that are not yet in a finished array or object stand
 * on one stack; when their container ends they move, side by side, into the arena.
 */
#ifndef RV_JSON_BUILDER_H
#define RV_JSON_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "json/value.h"

struct rv_json_builder {
    struct rv_arena *arena;
    struct reeve_json *stack;
    uint32_t count;
    uint32_t capacity;
    uint32_t open; /* where the innermost unfinished container stands */
    uint32_t depth;
    uint64_t seed; /* of the hashes of keys */
};

/* What `open` is while no container is. */
#define RV_JSON_NOTHING_OPEN UINT32_MAX

/* The type of a key's entry on the stack; it is else like a string. */
#define RV_JSON_KEY REEVE_JSON_NONE

void rv_json_builder_init(struct rv_json_builder *builder, struct rv_arena *arena);
void rv_json_builder_done(struct rv_json_builder *builder);

/* Forget everything, keeping a bounded part of the stack. The arena is the caller's to clear. */
void rv_json_builder_clear(struct rv_json_builder *builder);

/*
 * The events, in an order that the parser has checked. Texts are kept, not copied: NUL-terminated,
 * in the same arena. Each returns false if there is no memory.
 */
bool rv_json_build_begin(struct rv_json_builder *builder, enum reeve_json_type type);
bool rv_json_build_end(struct rv_json_builder *builder);
bool rv_json_build_key(struct rv_json_builder *builder, const char *text, uint32_t len);
/* For a boolean `text` is NULL and `count` its truth; for null both are 0. */
bool rv_json_build_scalar(struct rv_json_builder *builder, enum reeve_json_type type,
                          const char *text, uint32_t count);

#endif
