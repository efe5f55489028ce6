/* SPDX-License-Identifier: MIT */
/* Compiled schemas. All of it lies in the schema's arena, the copied document too. */
#ifndef RV_JSON_SCHEMA_NODE_H
#define RV_JSON_SCHEMA_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/pattern.h"
#include "json/schema.h"
#include "json/value.h"

enum rv_schema_type {
    RV_SCHEMA_NULL = 1,
    RV_SCHEMA_BOOL = 2,
    RV_SCHEMA_NUMBER = 4,
    RV_SCHEMA_STRING = 8,
    RV_SCHEMA_ARRAY = 16,
    RV_SCHEMA_OBJECT = 32,
    RV_SCHEMA_INTEGER = 64, /* a number without a fraction; only if RV_SCHEMA_NUMBER is not set */
    RV_SCHEMA_ALL = 63,
};

/* Which groups of keywords a schema has, so that the others cost nothing. */
enum rv_schema_rule {
    RV_RULE_VALUE = 1,
    RV_RULE_NUMBER = 2,
    RV_RULE_STRING = 4,
    RV_RULE_ARRAY = 8,
    RV_RULE_OBJECT = 16,
    RV_RULE_APPLY = 32,
};

struct rv_schema_node;

struct rv_schema_list {
    struct rv_schema_node **nodes;
    uint32_t count;
};

struct rv_schema_property {
    const char *key;
    uint32_t key_len;
    bool required;
    struct rv_schema_node *node; /* NULL: it is only required */
};

/* A pattern of the names of properties, or a name on which more depends. */
struct rv_schema_rule_for {
    const char *key;
    uint32_t key_len;
    struct rv_pattern *pattern;
    struct rv_schema_node *node;
};

struct rv_schema_rules_for {
    struct rv_schema_rule_for *rules;
    uint32_t count;
};

struct rv_schema_node {
    uint8_t types;
    uint8_t rules;
    bool never; /* the schema false */
    bool nullable;
    bool unique;

    const struct reeve_json *allowed; /* enum */
    const struct reeve_json *constant;

    const struct reeve_json *minimum;
    const struct reeve_json *maximum;
    const struct reeve_json *above;
    const struct reeve_json *below;
    const struct reeve_json *multiple;

    uint32_t min_length, max_length;
    struct rv_pattern *pattern;
    const struct reeve_json *pattern_text;

    uint32_t min_items, max_items;
    uint32_t min_contains, max_contains;
    struct rv_schema_list prefix;
    struct rv_schema_node *items;
    struct rv_schema_node *contains;

    uint32_t min_properties, max_properties;
    struct rv_schema_property *properties; /* those that are required too */
    uint32_t property_count;
    uint32_t required_count;
    uint32_t *slots; /* of properties, by key: index plus one, or 0 */
    uint32_t slot_mask;
    struct rv_schema_rules_for patterns;
    struct rv_schema_rules_for dependents;
    struct rv_schema_node *additional;
    struct rv_schema_node *names;
    const struct reeve_json *dependent_required;

    struct rv_schema_node *ref;
    struct rv_schema_list all_of, any_of, one_of;
    struct rv_schema_node *not_;
    struct rv_schema_node *if_, *then_, *else_;

    /* While compiling. */
    const struct reeve_json *source;
    const struct rv_schema_place *place;
    struct rv_schema_node *next;
    uint8_t color;
};

struct rv_schema_pattern {
    struct rv_pattern *pattern;
    struct rv_schema_pattern *next;
};

struct rv_schema {
    struct rv_mem *mem;
    struct rv_arena arena;
    uint64_t seed;
    struct rv_schema_node *root;
    struct rv_schema_pattern *patterns; /* to be freed */
};

/* The property of that name; NULL if the schema names none. */
const struct rv_schema_property *rv_schema_property(const struct rv_schema *schema,
                                                    const struct rv_schema_node *node,
                                                    const char *key, uint32_t len);

/* The bit of a value's type. */
static inline uint8_t rv_schema_type_of(const struct reeve_json *value)
{
    static const uint8_t types[] = {
        [REEVE_JSON_NULL] = RV_SCHEMA_NULL,     [REEVE_JSON_BOOL] = RV_SCHEMA_BOOL,
        [REEVE_JSON_NUMBER] = RV_SCHEMA_NUMBER, [REEVE_JSON_STRING] = RV_SCHEMA_STRING,
        [REEVE_JSON_ARRAY] = RV_SCHEMA_ARRAY,   [REEVE_JSON_OBJECT] = RV_SCHEMA_OBJECT,
    };

    return types[value->type];
}

#endif
