/* SPDX-License-Identifier: MIT */
/*
 * Making a value fit. What is changed is certain not to fit as it is: a string where the schema has
 * no place for one. So a value that fits is never changed, nor is anything where the schema takes a
 * string, be it among other types.
 *
 * It goes down the value and the schema together, along what holds without a condition:
 * properties, additional ones, elements, $ref, allOf and, where the value's type leaves just one,
 * the alternatives of anyOf and oneOf. Its work is bounded by steps; when they are used up, the
 * rest stays as it is.
 */
#include "json/schema_fit.h"

#include <string.h>

#include "base/buffer.h"
#include "json/copy.h"
#include "json/number.h"
#include "json/reader.h"
#include "json/repair.h"
#include "json/schema_node.h"

#include <reeve/error.h>

enum {
    MOST_DEPTH = 200, /* of values and schemas */
    MOST_LINKS = 8,   /* from a schema to those that say its types */
    MOST_WRAPS = 3,   /* strings in strings */
    STEPS = 4096,     /* and one for each byte */
};

struct fit {
    const struct rv_schema *schema;
    struct rv_json_reader *reader;
    struct rv_arena *arena;
    uint64_t fuel;
    unsigned depth;
    unsigned wraps;
    unsigned repairs;
    int error; /* REEVE_ENOMEM */
};

/* ---- what a schema has a place for --------------------------------------------------------------
 */

static uint8_t types_of(struct fit *fit, const struct rv_schema_node *node, unsigned links);

static uint8_t types_of_any(struct fit *fit, const struct rv_schema_list *list, unsigned links)
{
    uint8_t types = list->count ? 0 : RV_SCHEMA_ALL | RV_SCHEMA_INTEGER;
    uint32_t i;

    for (i = 0; i < list->count; i++)
        types |= types_of(fit, list->nodes[i], links);
    return types;
}

/* An integer is a number: what has a place for all numbers has one for it. */
static uint8_t widened(uint8_t types)
{
    return types & RV_SCHEMA_NUMBER ? types | RV_SCHEMA_INTEGER : types;
}

/* Bits of enum rv_schema_type, more rather than less; INTEGER is set beside NUMBER. */
static uint8_t types_of(struct fit *fit, const struct rv_schema_node *node, unsigned links)
{
    uint8_t types = widened(node->types);
    uint32_t i;

    if (!fit->fuel || links == MOST_LINKS)
        return RV_SCHEMA_ALL | RV_SCHEMA_INTEGER;
    fit->fuel--;
    if (node->never)
        return 0;
    if (node->ref)
        types &= types_of(fit, node->ref, links + 1);
    for (i = 0; i < node->all_of.count; i++)
        types &= types_of(fit, node->all_of.nodes[i], links + 1);
    types &= types_of_any(fit, &node->any_of, links + 1);
    types &= types_of_any(fit, &node->one_of, links + 1);
    return node->nullable ? types | RV_SCHEMA_NULL : types;
}

static bool has_place(uint8_t types, const struct reeve_json *value)
{
    if (types & rv_schema_type_of(value))
        return true;
    return value->type == REEVE_JSON_NUMBER && (types & RV_SCHEMA_INTEGER) &&
           rv_number_is_integer(value->as.text, value->count);
}

/* ---- strings that hold what is wanted -----------------------------------------------------------
 */

/* The text's value, its quotes and commas repaired if need be; NULL: it has none. */
static const struct reeve_json *read_text(struct fit *fit, const struct reeve_json *string)
{
    const struct reeve_json *value = NULL;
    struct rv_json_repairs repairs;
    struct rv_buffer text;
    int error;

    rv_json_reader_reset(fit->reader);
    error = rv_json_reader_parse(fit->reader, string->as.text, string->count, &value);
    if (error == REEVE_EPARSE) {
        rv_buffer_init(&text, fit->arena->mem, 2 * (size_t)string->count + 16);
        error = rv_json_repair(string->as.text, string->count, false, &text, &repairs);
        rv_json_reader_reset(fit->reader);
        if (!error)
            error = rv_json_reader_parse(fit->reader, rv_buffer_text(&text), text.len, &value);
        rv_buffer_done(&text);
    }
    if (error == REEVE_ENOMEM)
        fit->error = error;
    return error ? NULL : value;
}

static void fit_value(struct fit *fit, const struct rv_schema_node *node, struct reeve_json *value);

/* "null" stays what it is: nobody can tell it from the word. */
static bool is_wanted(uint8_t types, const struct reeve_json *value)
{
    return value->type != REEVE_JSON_NULL && value->type != REEVE_JSON_STRING &&
           has_place(types, value);
}

static void unwrap(struct fit *fit, const struct rv_schema_node *node, uint8_t types,
                   struct reeve_json *value)
{
    const struct reeve_json *inner, *copied;

    if (fit->wraps == MOST_WRAPS || fit->fuel < value->count)
        return;
    fit->fuel -= value->count;
    inner = read_text(fit, value);
    if (!inner || !is_wanted(types, inner))
        return;
    if (rv_json_copy(fit->arena, inner, &copied)) {
        fit->error = REEVE_ENOMEM;
        return;
    }
    *value = *copied;
    fit->repairs++;
    fit->wraps++;
    fit_value(fit, node, value);
    fit->wraps--;
}

/* ---- what is inside -----------------------------------------------------------------------------
 */

static void fit_members(struct fit *fit, const struct rv_schema_node *node,
                        struct reeve_json *object)
{
    const struct rv_schema_property *property;
    const struct rv_schema_node *inside;
    uint32_t i;

    for (i = 0; i < object->count && !fit->error; i++) {
        const struct rv_json_member *member = &object->as.object->members[i];

        property = rv_schema_property(fit->schema, node, member->key, member->key_len);
        inside = property ? property->node : NULL;
        if (!inside && !node->patterns.count)
            inside = node->additional;
        if (inside)
            fit_value(fit, inside, rv_json_ours(&member->value));
    }
}

static void fit_elements(struct fit *fit, const struct rv_schema_node *node,
                         struct reeve_json *array)
{
    const struct rv_schema_node *inside;
    uint32_t i;

    for (i = 0; i < array->count && !fit->error; i++) {
        inside = i < node->prefix.count ? node->prefix.nodes[i] : node->items;
        if (inside)
            fit_value(fit, inside, rv_json_ours(&array->as.elements[i]));
    }
}

/* The only alternative that the value's type leaves, if it is the only one. */
static void fit_alternative(struct fit *fit, const struct rv_schema_list *list,
                            struct reeve_json *value)
{
    const struct rv_schema_node *only = NULL;
    uint32_t i;

    for (i = 0; i < list->count; i++) {
        if (!has_place(types_of(fit, list->nodes[i], 0), value))
            continue;
        if (only)
            return;
        only = list->nodes[i];
    }
    if (only)
        fit_value(fit, only, value);
}

static void fit_linked(struct fit *fit, const struct rv_schema_node *node, struct reeve_json *value)
{
    uint32_t i;

    if (node->ref)
        fit_value(fit, node->ref, value);
    for (i = 0; i < node->all_of.count && !fit->error; i++)
        fit_value(fit, node->all_of.nodes[i], value);
    fit_alternative(fit, &node->any_of, value);
    fit_alternative(fit, &node->one_of, value);
}

static void fit_value(struct fit *fit, const struct rv_schema_node *node, struct reeve_json *value)
{
    uint8_t types;

    if (!fit->fuel || fit->depth == MOST_DEPTH || fit->error)
        return;
    fit->fuel--;
    fit->depth++;
    if (value->type == REEVE_JSON_STRING) {
        types = types_of(fit, node, 0);
        if (!(types & RV_SCHEMA_STRING))
            unwrap(fit, node, types, value);
    } else if (value->type == REEVE_JSON_OBJECT) {
        fit_members(fit, node, value);
        fit_linked(fit, node, value);
    } else if (value->type == REEVE_JSON_ARRAY) {
        fit_elements(fit, node, value);
        fit_linked(fit, node, value);
    }
    fit->depth--;
}

int rv_schema_fit(const struct rv_schema *schema, struct rv_json_reader *reader,
                  struct rv_arena *arena, struct reeve_json *value, size_t bytes,
                  unsigned *ret_repairs)
{
    struct fit fit = {
        .schema = schema, .reader = reader, .arena = arena, .fuel = STEPS + (uint64_t)bytes};

    fit_value(&fit, schema->root, value);
    if (fit.error)
        return fit.error;
    *ret_repairs = fit.repairs;
    return 0;
}
