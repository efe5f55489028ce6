/* SPDX-License-Identifier: MIT */
/*
 * Checking a value: types here, each group of keywords in a file of its own.
 *
 * A check calls itself for what is inside a value and for schemas that lead to schemas, at most
 * RV_SCHEMA_MAX_DEPTH deep. Its work is counted in steps, each some tens of nanoseconds: FREE_STEPS
 * for every check, and, when these are used up, a number that is linear in the value. So what is
 * worse than linear (alternatives inside alternatives, patterns that go back and forth) ends.
 */
#include "json/schema_checker.h"

#include <reeve/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json/number.h"

enum {
    FREE_STEPS = 40000,
    STEPS_FOR_A_VALUE = 64,
    BYTES_FOR_A_STEP = 8,
    PATH_BYTES = 128, /* of a path in a fault, and */
    GIVEN_BYTES = 80, /* for what was given */
};

/* ---- bounds -------------------------------------------------------------------------------------
 */

static uint64_t steps_for(const struct reeve_json *value)
{
    const struct rv_json_member *member;
    struct rv_json_walk walk;
    uint64_t steps = 0;

    rv_json_walk_start(&walk);
    for (;;) {
        steps += STEPS_FOR_A_VALUE;
        if (value->type == REEVE_JSON_STRING)
            steps += value->count / BYTES_FOR_A_STEP;
        rv_json_walk_enter(&walk, value);
        while (walk.depth && !(value = rv_json_walk_next(&walk, &member)))
            rv_json_walk_leave(&walk);
        if (!walk.depth)
            return steps;
    }
}

void rv_check_give_up(struct rv_checker *checker, int error, const char *why)
{
    struct rv_schema_report *report = checker->report;
    struct rv_saying saying;

    if (checker->error)
        return;
    checker->error = error;
    rv_saying_init(&saying, report->text, sizeof report->text);
    rv_say_path(&saying, checker->path);
    rv_say(&saying, ": %s", why);
    report->len = saying.len;
}

bool rv_check_refuel(struct rv_checker *checker)
{
    if (checker->fuel || checker->error)
        return false;
    if (checker->granted) {
        rv_check_give_up(checker, REEVE_ETOOBIG,
                         "to check this against the schema would take too long; give a simpler "
                         "or a shorter value");
        return false;
    }
    checker->granted = true;
    checker->fuel = steps_for(checker->root);
    return true;
}

static bool may_go_on(struct rv_checker *checker)
{
    if (checker->error)
        return false;
    if (checker->depth == RV_SCHEMA_MAX_DEPTH) {
        rv_check_give_up(checker, REEVE_ETOOBIG, "the value is nested too deeply to be checked");
        return false;
    }
    if (!checker->fuel && !rv_check_refuel(checker))
        return false;
    checker->fuel--;
    return true;
}

/* ---- faults -------------------------------------------------------------------------------------
 */

bool rv_fault_begin(struct rv_checker *checker, struct rv_check_fault *fault)
{
    if (checker->error || checker->quiet || checker->report->faults >= RV_SCHEMA_MAX_FAULTS)
        return false;
    rv_saying_init(&fault->saying, fault->text, PATH_BYTES);
    rv_say_path(&fault->saying, checker->path);
    fault->saying.size = sizeof fault->text - GIVEN_BYTES;
    fault->saying.full = false;
    rv_say(&fault->saying, ": wanted ");
    return true;
}

bool rv_fault_end(struct rv_checker *checker, struct rv_check_fault *fault,
                  const struct reeve_json *given)
{
    struct rv_schema_report *report = checker->report;
    struct rv_saying saying = {
        .text = report->text, .len = report->len, .size = sizeof report->text};

    fault->saying.size = sizeof fault->text; /* what was given always has room */
    fault->saying.full = false;
    rv_say(&fault->saying, ", given ");
    rv_say_given(&fault->saying, given);
    rv_say(&saying, report->faults ? "; " : "");
    rv_say_bytes(&saying, fault->text, fault->saying.len);
    report->len = saying.len;
    report->faults++;
    return false;
}

bool rv_fault(struct rv_checker *checker, const struct reeve_json *given, const char *format, ...)
{
    struct rv_check_fault fault;
    char text[256];
    va_list args;

    if (!rv_fault_begin(checker, &fault))
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rv_say_bytes(&fault.saying, text, strlen(text));
    return rv_fault_end(checker, &fault, given);
}

/* ---- values -------------------------------------------------------------------------------------
 */

static bool type_fits(const struct rv_schema_node *node, const struct reeve_json *value)
{
    if (node->types & rv_schema_type_of(value))
        return true;
    return value->type == REEVE_JSON_NUMBER && (node->types & RV_SCHEMA_INTEGER) &&
           rv_number_is_integer(value->as.text, value->count);
}

static bool refuse_type(struct rv_checker *checker, const struct rv_schema_node *node,
                        const struct reeve_json *value)
{
    struct rv_check_fault fault;

    if (!rv_fault_begin(checker, &fault))
        return false;
    rv_say_wanted(&fault.saying, node);
    return rv_fault_end(checker, &fault, value);
}

static bool check_kind(struct rv_checker *checker, const struct rv_schema_node *node,
                       const struct reeve_json *value)
{
    switch ((enum reeve_json_type)value->type) {
    case REEVE_JSON_NUMBER:
        return !(node->rules & RV_RULE_NUMBER) || rv_check_number(checker, node, value);
    case REEVE_JSON_STRING:
        return !(node->rules & RV_RULE_STRING) || rv_check_string(checker, node, value);
    case REEVE_JSON_ARRAY:
        return !(node->rules & RV_RULE_ARRAY) || rv_check_array(checker, node, value);
    case REEVE_JSON_OBJECT:
        return !(node->rules & RV_RULE_OBJECT) || rv_check_object(checker, node, value);
    default:
        return true;
    }
}

bool rv_check_value(struct rv_checker *checker, const struct rv_schema_node *node,
                    const struct reeve_json *value)
{
    bool fits = true;

    if (!may_go_on(checker))
        return false;
    if (node->nullable && value->type == REEVE_JSON_NULL)
        return true;
    if (node->never || !type_fits(node, value))
        return refuse_type(checker, node, value);
    if (!node->rules)
        return true;
    checker->depth++;
    if (node->rules & RV_RULE_VALUE)
        fits = rv_check_allowed(checker, node, value);
    if (fits)
        fits = check_kind(checker, node, value);
    if ((node->rules & RV_RULE_APPLY) && !rv_check_over(checker, fits))
        fits &= rv_check_apply(checker, node, value);
    checker->depth--;
    return fits && !checker->error;
}

bool rv_check_quietly(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value)
{
    bool fits;

    checker->quiet++;
    fits = rv_check_value(checker, node, value);
    checker->quiet--;
    return fits;
}

bool rv_check_rules_inside(struct rv_checker *checker, const struct rv_schema_node *node,
                           const struct reeve_json *value, const char *key, uint32_t key_len,
                           uint32_t index)
{
    const struct rv_schema_step step = {
        .up = checker->path, .key = key, .key_len = key_len, .index = index};
    bool fits;

    checker->path = &step;
    fits = rv_check_value(checker, node, value);
    checker->path = step.up;
    return fits;
}

int rv_schema_check(const struct rv_schema *schema, const struct reeve_json *value,
                    struct rv_schema_report *ret_report)
{
    struct rv_checker checker = {
        .schema = schema, .root = value, .report = ret_report, .fuel = FREE_STEPS};
    bool fits;

    ret_report->len = 0;
    ret_report->faults = 0;
    ret_report->text[0] = '\0';
    fits = rv_check_value(&checker, schema->root, value);
    if (checker.error)
        return checker.error;
    return fits ? 0 : REEVE_EINVAL;
}
