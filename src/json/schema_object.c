/* SPDX-License-Identifier: MIT */
/* The keywords of objects. */
#include "json/schema_checker.h"

#include <reeve/error.h>
#include <string.h>

enum { NAMES_SHOWN = 8, NAME_BYTES = 48 };

static bool refuse_count(struct rv_checker *checker, const struct reeve_json *object,
                         const char *bound, uint32_t wanted)
{
    return rv_fault(checker, object, "%s %u member%s", bound, wanted, wanted == 1 ? "" : "s");
}

/* What is wanted where nothing is. */
static bool refuse_missing(struct rv_checker *checker, const char *key, uint32_t key_len,
                           const struct rv_schema_node *node, const char *why)
{
    const struct rv_schema_step step = {.up = checker->path, .key = key, .key_len = key_len};
    struct rv_check_fault fault;
    bool telling;

    checker->path = &step;
    telling = rv_fault_begin(checker, &fault);
    checker->path = step.up;
    if (!telling)
        return false;
    if (node)
        rv_say_wanted(&fault.saying, node);
    else
        rv_say(&fault.saying, "a value");
    rv_say(&fault.saying, "%s", why);
    return rv_fault_end(checker, &fault, NULL);
}

static bool refuse_required(struct rv_checker *checker, const struct rv_schema_node *node,
                            const struct reeve_json *object)
{
    uint32_t i;

    for (i = 0; i < node->property_count && !rv_check_over(checker, false); i++) {
        const struct rv_schema_property *property = &node->properties[i];

        if (property->required && !rv_json_find(object, property->key, property->key_len))
            refuse_missing(checker, property->key, property->key_len, property->node,
                           " (it is required)");
    }
    return false;
}

/* A name that the schema does not know: most likely it is spelled wrong. */
static bool refuse_unknown(struct rv_checker *checker, const struct rv_schema_node *node,
                           const struct rv_json_member *member)
{
    const struct rv_schema_step step = {
        .up = checker->path, .key = member->key, .key_len = member->key_len};
    struct rv_check_fault fault;
    uint32_t i, shown = 0;
    bool telling;

    checker->path = &step;
    telling = rv_fault_begin(checker, &fault);
    checker->path = step.up;
    if (!telling)
        return false;
    rv_say(&fault.saying, "no such property");
    for (i = 0; i < node->property_count && shown < NAMES_SHOWN; i++) {
        if (!node->properties[i].node)
            continue;
        rv_say(&fault.saying, shown++ ? ", " : " (there are ");
        rv_say_quoted(&fault.saying, node->properties[i].key, node->properties[i].key_len,
                      NAME_BYTES);
    }
    if (shown)
        rv_say(&fault.saying, "%s)", i < node->property_count ? " and others" : "");
    return rv_fault_end(checker, &fault, &member->value);
}

static bool check_patterns(struct rv_checker *checker, const struct rv_schema_node *node,
                           const struct rv_json_member *member, bool *ret_known)
{
    bool fits = true;
    uint32_t i;
    int error;

    for (i = 0; i < node->patterns.count && !rv_check_over(checker, fits); i++) {
        const struct rv_schema_rule_for *rule = &node->patterns.rules[i];

        do
            error = rv_pattern_test(rule->pattern, member->key, member->key_len, &checker->fuel);
        while (error == REEVE_ETOOBIG && rv_check_refuel(checker));
        if (error == REEVE_ENOTFOUND)
            continue;
        if (error) {
            rv_check_give_up(checker, error,
                             "to hold the names in this against the schema's patterns would take "
                             "too long");
            return false;
        }
        *ret_known = true;
        fits &=
            rv_check_inside(checker, rule->node, &member->value, member->key, member->key_len, 0);
    }
    return fits;
}

static bool check_name(struct rv_checker *checker, const struct rv_schema_node *names,
                       const struct rv_json_member *member)
{
    const struct reeve_json name = {
        .type = REEVE_JSON_STRING, .count = member->key_len, .as.text = member->key};
    struct rv_check_fault fault;

    if (rv_check_quietly(checker, names, &name))
        return true;
    if (!rv_fault_begin(checker, &fault))
        return false;
    rv_say(&fault.saying, "another name than ");
    rv_say_quoted(&fault.saying, member->key, member->key_len, NAME_BYTES);
    if (names->pattern) {
        rv_say(&fault.saying, ", one that matches the pattern ");
        rv_say_quoted(&fault.saying, names->pattern_text->as.text, names->pattern_text->count,
                      NAME_BYTES);
    } else if (names->allowed) {
        rv_say(&fault.saying, ": ");
        rv_say_one_of(&fault.saying, names->allowed);
    } else if (names->max_length != UINT32_MAX) {
        rv_say(&fault.saying, ", one of at most %u characters", names->max_length);
    }
    return rv_fault_end(checker, &fault, &member->value);
}

static bool check_member(struct rv_checker *checker, const struct rv_schema_node *node,
                         const struct rv_json_member *member,
                         const struct rv_schema_property *property)
{
    bool known = property && property->node;
    bool fits = true;

    if (known)
        fits = rv_check_inside(checker, property->node, &member->value, member->key,
                               member->key_len, 0);
    if (node->patterns.count && !rv_check_over(checker, fits))
        fits &= check_patterns(checker, node, member, &known);
    if (node->names && !rv_check_over(checker, fits))
        fits &= check_name(checker, node->names, member);
    if (known || !node->additional || rv_check_over(checker, fits))
        return fits;
    if (node->additional->never)
        return refuse_unknown(checker, node, member);
    return fits & rv_check_inside(checker, node->additional, &member->value, member->key,
                                  member->key_len, 0);
}

static bool is_property(const struct rv_schema_property *property,
                        const struct rv_json_member *member)
{
    return property->key_len == member->key_len &&
           !memcmp(property->key, member->key, member->key_len);
}

/* Members mostly come in the order in which the schema names them. */
static bool check_members(struct rv_checker *checker, const struct rv_schema_node *node,
                          const struct reeve_json *object)
{
    const struct rv_schema_property *property;
    uint32_t i, next = 0, required = 0;
    bool fits = true;

    for (i = 0; i < object->count && !rv_check_over(checker, fits); i++) {
        const struct rv_json_member *member = &object->as.object->members[i];

        if (next < node->property_count && is_property(&node->properties[next], member))
            property = &node->properties[next];
        else
            property = rv_schema_property(checker->schema, node, member->key, member->key_len);
        if (property) {
            next = (uint32_t)(property - node->properties) + 1;
            required += property->required;
        }
        fits &= check_member(checker, node, member, property);
    }
    if (i == object->count && required < node->required_count && !rv_check_over(checker, fits))
        fits = refuse_required(checker, node, object);
    return fits;
}

static bool check_dependents(struct rv_checker *checker, const struct rv_schema_node *node,
                             const struct reeve_json *object)
{
    bool fits = true;
    uint32_t i;

    for (i = 0; i < node->dependents.count && !rv_check_over(checker, fits); i++) {
        const struct rv_schema_rule_for *rule = &node->dependents.rules[i];

        if (rv_json_find(object, rule->key, rule->key_len))
            fits &= rv_check_value(checker, rule->node, object);
    }
    return fits;
}

static bool check_dependent_names(struct rv_checker *checker, const struct rv_json_member *rule,
                                  const struct reeve_json *object)
{
    bool fits = true;
    uint32_t i;

    if (!rv_json_find(object, rule->key, rule->key_len))
        return true;
    for (i = 0; i < rule->value.count && !rv_check_over(checker, fits); i++) {
        const struct reeve_json *name = &rule->value.as.elements[i];
        char why[64 + NAME_BYTES * 8];
        struct rv_saying saying;

        if (rv_json_find(object, name->as.text, name->count))
            continue;
        rv_saying_init(&saying, why, sizeof why);
        rv_say(&saying, " (it is required beside ");
        rv_say_quoted(&saying, rule->key, rule->key_len, NAME_BYTES);
        rv_say(&saying, ")");
        fits = refuse_missing(checker, name->as.text, name->count, NULL, why);
    }
    return fits;
}

bool rv_check_object(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *object)
{
    const struct reeve_json *rules = node->dependent_required;
    bool fits;
    uint32_t i;

    if (object->count < node->min_properties)
        return refuse_count(checker, object, "at least", node->min_properties);
    if (object->count > node->max_properties)
        return refuse_count(checker, object, "at most", node->max_properties);
    fits = check_members(checker, node, object);
    for (i = 0; rules && i < rules->count && !rv_check_over(checker, fits); i++)
        fits &= check_dependent_names(checker, &rules->as.object->members[i], object);
    if (node->dependents.count && !rv_check_over(checker, fits))
        fits &= check_dependents(checker, node, object);
    return fits;
}
