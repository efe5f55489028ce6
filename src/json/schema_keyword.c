/* SPDX-License-Identifier: MIT */
/* The keywords of a schema: a table of their kinds, and what each kind takes. */
#include "json/schema_compiler.h"

#include <reeve/error.h>
#include <string.h>

#include "base/hash.h"
#include "json/number.h"

struct keyword;

/* Where a keyword stands and what it says. */
struct given {
    struct rv_compiler *compiler;
    struct rv_schema_node *node;
    const struct keyword *keyword;
    const struct reeve_json *value;
    const struct rv_schema_place *place;
};

struct keyword {
    const char *name;
    int (*take)(const struct given *given);
    size_t field; /* of struct rv_schema_node */
    uint8_t rules;
};

static void *field_of(const struct given *given)
{
    return (char *)given->node + given->keyword->field;
}

static int wanted(const struct given *given, const char *what)
{
    return rv_compiler_refuse(given->compiler, given->place, NULL, REEVE_EINVAL,
                              "wanted %s, given a value of type %s", what,
                              reeve_json_type_name(reeve_json_type(given->value)));
}

static int take_number(const struct given *given)
{
    if (given->value->type != REEVE_JSON_NUMBER)
        return wanted(given, "a number");
    *(const struct reeve_json **)field_of(given) = given->value;
    return 0;
}

/* A number, or, in draft 4, whether the bound beside it is itself left out. */
static int take_exclusive(const struct given *given)
{
    const char *beside =
        given->keyword->name[9] == 'M' && given->keyword->name[10] == 'i' ? "minimum" : "maximum";
    const struct reeve_json *bound;

    if (given->value->type != REEVE_JSON_BOOL)
        return take_number(given);
    bound = rv_json_find(given->node->source, beside, strlen(beside));
    if (given->value->count && reeve_json_type(bound) == REEVE_JSON_NUMBER)
        *(const struct reeve_json **)field_of(given) = bound;
    return 0;
}

static int take_multiple(const struct given *given)
{
    const char *text = given->value->as.text;
    const size_t len = given->value->count;

    if (given->value->type != REEVE_JSON_NUMBER)
        return wanted(given, "a number above 0");
    if (rv_number_compare(text, len, "0", 1) <= 0)
        return rv_compiler_refuse(given->compiler, given->place, NULL, REEVE_EINVAL,
                                  "wanted a number above 0, given %.40s", text);
    if (rv_number_digits(text, len) > RV_NUMBER_DIVISOR_DIGITS)
        return rv_compiler_refuse(given->compiler, given->place, NULL, REEVE_EINVAL,
                                  "wanted a number of at most %d digits, given %.40s",
                                  RV_NUMBER_DIVISOR_DIGITS, text);
    return take_number(given);
}

static int take_count(const struct given *given)
{
    static const char most[] = "4294967295";
    const char *text = given->value->as.text;
    const size_t len = given->value->count;
    int64_t count;

    if (given->value->type != REEVE_JSON_NUMBER)
        return wanted(given, "a whole number, 0 or more");
    if (!rv_number_is_integer(text, len) || rv_number_compare(text, len, "0", 1) < 0)
        return rv_compiler_refuse(given->compiler, given->place, NULL, REEVE_EINVAL,
                                  "wanted a whole number, 0 or more, given %.40s", text);
    if (rv_number_compare(text, len, most, sizeof most - 1) >= 0 ||
        rv_number_int64(text, len, &count))
        count = UINT32_MAX;
    *(uint32_t *)field_of(given) = (uint32_t)count;
    return 0;
}

static int take_bool(const struct given *given)
{
    if (given->value->type != REEVE_JSON_BOOL)
        return wanted(given, "true or false");
    *(bool *)field_of(given) = given->value->count != 0;
    return 0;
}

static int take_constant(const struct given *given)
{
    given->node->constant = given->value;
    return 0;
}

static int take_enum(const struct given *given)
{
    if (given->value->type != REEVE_JSON_ARRAY)
        return wanted(given, "an array of values");
    given->node->allowed = given->value;
    return 0;
}

static uint8_t type_named(const struct reeve_json *name)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        {"string", RV_SCHEMA_STRING}, {"object", RV_SCHEMA_OBJECT}, {"integer", RV_SCHEMA_INTEGER},
        {"number", RV_SCHEMA_NUMBER}, {"array", RV_SCHEMA_ARRAY},   {"boolean", RV_SCHEMA_BOOL},
        {"null", RV_SCHEMA_NULL},
    };
    size_t i;

    if (name->type != REEVE_JSON_STRING)
        return 0;
    for (i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name->as.text) && strlen(types[i].name) == name->count)
            return types[i].type;
    return 0;
}

static int take_type(const struct given *given)
{
    const bool list = given->value->type == REEVE_JSON_ARRAY;
    const uint32_t count = list ? given->value->count : 1;
    uint8_t types = 0, type;
    uint32_t i;

    for (i = 0; i < count; i++) {
        const struct reeve_json *name = list ? &given->value->as.elements[i] : given->value;

        type = type_named(name);
        if (!type && name->type == REEVE_JSON_STRING)
            return rv_compiler_refuse(given->compiler, given->place, NULL, REEVE_EINVAL,
                                      "there is no type \"%.40s\"; the types are string, number, "
                                      "integer, boolean, array, object and null",
                                      name->as.text);
        if (!type)
            return wanted(given, "the name of a type, or an array of such names");
        types |= type;
    }
    if (types & RV_SCHEMA_NUMBER)
        types &= (uint8_t)~RV_SCHEMA_INTEGER;
    given->node->types = types;
    return 0;
}

static int new_pattern(const struct given *given, const struct rv_schema_place *place,
                       const char *text, size_t len, struct rv_pattern **ret_pattern)
{
    struct rv_schema *schema = given->compiler->schema;
    struct rv_schema_pattern *held = rv_arena_alloc(&schema->arena, sizeof *held);
    struct rv_pattern_problem problem;
    int error;

    if (!held)
        return REEVE_ENOMEM;
    error = rv_pattern_new(schema->mem, text, len, RV_PATTERN_ECMA | RV_PATTERN_COUNTED,
                           &held->pattern, &problem);
    if (error == REEVE_ENOMEM)
        return error;
    if (error == REEVE_EUNSUPPORTED)
        return rv_compiler_refuse(given->compiler, place, NULL, error, "%s", problem.text);
    if (error)
        return rv_compiler_refuse(given->compiler, place, NULL, error,
                                  "this is no regular expression: %s, at byte %zu", problem.text,
                                  problem.offset);
    held->next = schema->patterns;
    schema->patterns = held;
    *ret_pattern = held->pattern;
    return 0;
}

static int take_pattern(const struct given *given)
{
    if (given->value->type != REEVE_JSON_STRING)
        return wanted(given, "a regular expression as a string");
    given->node->pattern_text = given->value;
    return new_pattern(given, given->place, given->value->as.text, given->value->count,
                       &given->node->pattern);
}

static int take_schema(const struct given *given)
{
    return rv_compiler_node(given->compiler, given->value, given->place,
                            (struct rv_schema_node **)field_of(given));
}

static int take_list(const struct given *given)
{
    struct rv_schema_list *list = field_of(given);
    const struct reeve_json *value = given->value;
    const struct rv_schema_place *place;
    uint32_t i;
    int error;

    if (value->type != REEVE_JSON_ARRAY || !value->count)
        return wanted(given, "an array of one schema at least");
    list->nodes =
        rv_arena_alloc(&given->compiler->schema->arena, value->count * sizeof list->nodes[0]);
    if (!list->nodes)
        return REEVE_ENOMEM;
    for (i = 0; i < value->count; i++) {
        error = rv_compiler_place(given->compiler, given->place, NULL, 0, i, &place);
        if (!error)
            error =
                rv_compiler_node(given->compiler, &value->as.elements[i], place, &list->nodes[i]);
        if (error)
            return error;
    }
    list->count = value->count;
    return 0;
}

/* Before 2020-12 an array of schemas was what prefixItems is now, and additionalItems the rest. */
static int take_items(const struct given *given)
{
    struct given as = *given;
    struct keyword keyword = *given->keyword;

    if (given->value->type != REEVE_JSON_ARRAY)
        return take_schema(given);
    if (!given->value->count)
        return 0;
    keyword.field = offsetof(struct rv_schema_node, prefix);
    as.keyword = &keyword;
    return take_list(&as);
}

static int take_additional_items(const struct given *given)
{
    const struct reeve_json *items = rv_json_find(given->node->source, "items", 5);

    return reeve_json_type(items) == REEVE_JSON_ARRAY ? take_schema(given) : 0;
}

static int names_only(const struct given *given, const struct reeve_json *value, const char *what)
{
    uint32_t i;

    if (value->type != REEVE_JSON_ARRAY)
        return wanted(given, what);
    for (i = 0; i < value->count; i++)
        if (value->as.elements[i].type != REEVE_JSON_STRING)
            return rv_compiler_refuse(
                given->compiler, given->place, NULL, REEVE_EINVAL,
                "wanted %s, and element %u is of type %s", what, i,
                reeve_json_type_name(reeve_json_type(&value->as.elements[i])));
    return 0;
}

/* They become one table when all keywords are known. */
static int take_required(const struct given *given)
{
    /* Draft 3 wrote it as a boolean into the property, and models' schemas still do. */
    if (given->value->type == REEVE_JSON_BOOL)
        return rv_compiler_refuse(given->compiler, given->place, NULL, REEVE_EINVAL,
                                  "wanted an array of names of properties, given a boolean: name "
                                  "the property in \"required\" of the object around it");
    return names_only(given, given->value, "an array of names of properties");
}

static int take_properties(const struct given *given)
{
    return given->value->type == REEVE_JSON_OBJECT ? 0 : wanted(given, "an object of schemas");
}

static int take_dependent_required(const struct given *given)
{
    uint32_t i;
    int error = 0;

    if (given->value->type != REEVE_JSON_OBJECT)
        return wanted(given, "an object of arrays of names");
    for (i = 0; i < given->value->count && !error; i++)
        error = names_only(given, &given->value->as.object->members[i].value,
                           "an object of arrays of names");
    given->node->dependent_required = given->value;
    return error;
}

static int take_rules_for(const struct given *given, bool patterns)
{
    struct rv_schema_rules_for *list = field_of(given);
    const struct reeve_json *value = given->value;
    const struct rv_schema_place *place;
    uint32_t i;
    int error = 0;

    if (value->type != REEVE_JSON_OBJECT)
        return wanted(given, "an object of schemas");
    list->rules =
        rv_arena_alloc(&given->compiler->schema->arena, (value->count + 1) * sizeof list->rules[0]);
    if (!list->rules)
        return REEVE_ENOMEM;
    for (i = 0; i < value->count && !error; i++) {
        const struct rv_json_member *member = &value->as.object->members[i];
        struct rv_schema_rule_for *rule = &list->rules[i];

        *rule = (struct rv_schema_rule_for){.key = member->key, .key_len = member->key_len};
        error = rv_compiler_place(given->compiler, given->place, member->key, member->key_len, 0,
                                  &place);
        if (!error && patterns)
            error = new_pattern(given, place, member->key, member->key_len, &rule->pattern);
        if (!error)
            error = rv_compiler_node(given->compiler, &member->value, place, &rule->node);
    }
    list->count = value->count;
    return error;
}

static int take_patterns(const struct given *given)
{
    return take_rules_for(given, true);
}

static int take_dependents(const struct given *given)
{
    return take_rules_for(given, false);
}

static int take_ref(const struct given *given)
{
    if (given->value->type != REEVE_JSON_STRING)
        return wanted(given, "a reference as a string");
    return rv_compiler_ref(given->compiler, given->node, given->value, &given->node->ref);
}

/* Compiled only so that what is wrong in them is told; a $ref has a node of its own. */
static int take_definitions(const struct given *given)
{
    const struct rv_schema_place *place;
    struct rv_schema_node *node;
    uint32_t i;
    int error = 0;

    if (given->value->type != REEVE_JSON_OBJECT)
        return wanted(given, "an object of schemas");
    for (i = 0; i < given->value->count && !error; i++) {
        const struct rv_json_member *member = &given->value->as.object->members[i];

        error = rv_compiler_place(given->compiler, given->place, member->key, member->key_len, 0,
                                  &place);
        if (!error)
            error = rv_compiler_node(given->compiler, &member->value, place, &node);
    }
    return error;
}

#define FIELD(name) offsetof(struct rv_schema_node, name)

static const struct keyword keywords[] = {
    {"type", take_type, 0, 0},
    {"nullable", take_bool, FIELD(nullable), 0},
    {"enum", take_enum, 0, RV_RULE_VALUE},
    {"const", take_constant, 0, RV_RULE_VALUE},
    {"minimum", take_number, FIELD(minimum), RV_RULE_NUMBER},
    {"maximum", take_number, FIELD(maximum), RV_RULE_NUMBER},
    {"exclusiveMinimum", take_exclusive, FIELD(above), RV_RULE_NUMBER},
    {"exclusiveMaximum", take_exclusive, FIELD(below), RV_RULE_NUMBER},
    {"multipleOf", take_multiple, FIELD(multiple), RV_RULE_NUMBER},
    {"minLength", take_count, FIELD(min_length), RV_RULE_STRING},
    {"maxLength", take_count, FIELD(max_length), RV_RULE_STRING},
    {"pattern", take_pattern, 0, RV_RULE_STRING},
    {"minItems", take_count, FIELD(min_items), RV_RULE_ARRAY},
    {"maxItems", take_count, FIELD(max_items), RV_RULE_ARRAY},
    {"uniqueItems", take_bool, FIELD(unique), RV_RULE_ARRAY},
    {"prefixItems", take_list, FIELD(prefix), RV_RULE_ARRAY},
    {"items", take_items, FIELD(items), RV_RULE_ARRAY},
    {"additionalItems", take_additional_items, FIELD(items), RV_RULE_ARRAY},
    {"contains", take_schema, FIELD(contains), RV_RULE_ARRAY},
    {"minContains", take_count, FIELD(min_contains), RV_RULE_ARRAY},
    {"maxContains", take_count, FIELD(max_contains), RV_RULE_ARRAY},
    {"minProperties", take_count, FIELD(min_properties), RV_RULE_OBJECT},
    {"maxProperties", take_count, FIELD(max_properties), RV_RULE_OBJECT},
    {"properties", take_properties, 0, RV_RULE_OBJECT},
    {"required", take_required, 0, RV_RULE_OBJECT},
    {"patternProperties", take_patterns, FIELD(patterns), RV_RULE_OBJECT},
    {"additionalProperties", take_schema, FIELD(additional), RV_RULE_OBJECT},
    {"propertyNames", take_schema, FIELD(names), RV_RULE_OBJECT},
    {"dependentRequired", take_dependent_required, 0, RV_RULE_OBJECT},
    {"dependentSchemas", take_dependents, FIELD(dependents), RV_RULE_OBJECT},
    {"$ref", take_ref, 0, RV_RULE_APPLY},
    {"allOf", take_list, FIELD(all_of), RV_RULE_APPLY},
    {"anyOf", take_list, FIELD(any_of), RV_RULE_APPLY},
    {"oneOf", take_list, FIELD(one_of), RV_RULE_APPLY},
    {"not", take_schema, FIELD(not_), RV_RULE_APPLY},
    {"if", take_schema, FIELD(if_), RV_RULE_APPLY},
    {"then", take_schema, FIELD(then_), RV_RULE_APPLY},
    {"else", take_schema, FIELD(else_), RV_RULE_APPLY},
    {"$defs", take_definitions, 0, 0},
    {"definitions", take_definitions, 0, 0},
};

static const struct keyword *keyword_of(const struct rv_json_member *member)
{
    size_t i;

    for (i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (!strcmp(keywords[i].name, member->key) && strlen(member->key) == member->key_len)
            return &keywords[i];
    return NULL;
}

/* ---- properties ---------------------------------------------------------------------------------
 */

static int make_table(struct rv_schema *schema, struct rv_schema_node *node, uint32_t count)
{
    uint32_t slots = 4;

    while (slots < 2 * count)
        slots *= 2;
    node->properties = rv_arena_alloc(&schema->arena, count * sizeof node->properties[0]);
    node->slots = rv_arena_alloc(&schema->arena, slots * sizeof node->slots[0]);
    if (!node->properties || !node->slots)
        return REEVE_ENOMEM;
    memset(node->slots, 0, slots * sizeof node->slots[0]);
    node->slot_mask = slots - 1;
    return 0;
}

static struct rv_schema_property *add_property(struct rv_schema *schema,
                                               struct rv_schema_node *node, const char *key,
                                               uint32_t len)
{
    const struct rv_schema_property *there = rv_schema_property(schema, node, key, len);
    uint32_t slot = (uint32_t)rv_hash(schema->seed, key, len) & node->slot_mask;
    struct rv_schema_property *property;

    if (there)
        return &node->properties[there - node->properties];
    while (node->slots[slot])
        slot = (slot + 1) & node->slot_mask;
    property = &node->properties[node->property_count++];
    *property = (struct rv_schema_property){.key = key, .key_len = len};
    node->slots[slot] = node->property_count;
    return property;
}

static int add_properties(struct rv_compiler *compiler, struct rv_schema_node *node,
                          const struct reeve_json *properties)
{
    const struct rv_schema_place *all, *place;
    struct rv_schema_property *property;
    uint32_t i;
    int error;

    error = rv_compiler_place(compiler, node->place, "properties", 10, 0, &all);
    for (i = 0; i < reeve_json_count(properties) && !error; i++) {
        const struct rv_json_member *member = &properties->as.object->members[i];

        property = add_property(compiler->schema, node, member->key, member->key_len);
        error = rv_compiler_place(compiler, all, member->key, member->key_len, 0, &place);
        if (!error)
            error = rv_compiler_node(compiler, &member->value, place, &property->node);
    }
    return error;
}

static int collect_properties(struct rv_compiler *compiler, struct rv_schema_node *node)
{
    const struct reeve_json *properties = rv_json_find(node->source, "properties", 10);
    const struct reeve_json *required = rv_json_find(node->source, "required", 8);
    const size_t count = reeve_json_count(properties) + reeve_json_count(required);
    struct rv_schema_property *property;
    uint32_t i;
    int error;

    if (!count)
        return 0;
    if (count > UINT32_MAX / 4)
        return REEVE_ENOMEM;
    error = make_table(compiler->schema, node, (uint32_t)count);
    if (!error)
        error = add_properties(compiler, node, properties);
    for (i = 0; i < reeve_json_count(required) && !error; i++) {
        const struct reeve_json *name = &required->as.elements[i];

        property = add_property(compiler->schema, node, name->as.text, name->count);
        node->required_count += !property->required;
        property->required = true;
    }
    return error;
}

/* ---- a schema -----------------------------------------------------------------------------------
 */

/* An $id gives what stands below it a base of its own, and references mean something else there. */
static int enter_base(struct rv_compiler *compiler, struct rv_schema_node *node)
{
    const struct reeve_json *id = rv_json_find(node->source, "$id", 3);
    struct rv_schema_place *place;

    if (node->source == compiler->document || reeve_json_type(id) != REEVE_JSON_STRING ||
        id->as.text[0] == '#')
        return 0;
    place = rv_arena_alloc(&compiler->scratch, sizeof *place);
    if (!place)
        return REEVE_ENOMEM;
    *place = *node->place;
    place->other_base = true;
    node->place = place;
    return 0;
}

int rv_compiler_keywords(struct rv_compiler *compiler, struct rv_schema_node *node)
{
    struct given given = {.compiler = compiler, .node = node};
    uint32_t i;
    int error = enter_base(compiler, node);

    for (i = 0; i < node->source->count && !error; i++) {
        const struct rv_json_member *member = &node->source->as.object->members[i];

        given.keyword = keyword_of(member);
        given.value = &member->value;
        if (!given.keyword)
            continue;
        node->rules |= given.keyword->rules;
        error =
            rv_compiler_place(compiler, node->place, member->key, member->key_len, 0, &given.place);
        if (!error)
            error = given.keyword->take(&given);
    }
    return error ? error : collect_properties(compiler, node);
}
