/* SPDX-License-Identifier: MIT */
/* The keywords of single values: enum, const, bounds of numbers, length and pattern of strings. */
#include "json/schema_checker.h"

#include <reeve/error.h>
#include <string.h>

#include "base/utf8.h"
#include "json/equal.h"
#include "json/number.h"

/* ---- enum and const -----------------------------------------------------------------------------
 */

static bool equal(struct rv_checker *checker, const struct reeve_json *a,
                  const struct reeve_json *b)
{
    bool same;

    if (a->type != b->type || (a->type != REEVE_JSON_NUMBER && a->count != b->count))
        return false;
    if (a->type == REEVE_JSON_STRING)
        return !memcmp(a->as.text, b->as.text, a->count);
    do
        same = rv_json_equal(a, b, &checker->fuel);
    while (rv_check_refuel(checker));
    return same && !checker->error;
}

static bool is_one_of(struct rv_checker *checker, const struct reeve_json *values,
                      const struct reeve_json *value)
{
    uint64_t cost = values->count / 16;
    uint32_t i;

    checker->fuel -= checker->fuel > cost ? cost : checker->fuel;
    for (i = 0; i < values->count && !checker->error; i++)
        if (equal(checker, &values->as.elements[i], value))
            return true;
    return false;
}

bool rv_check_allowed(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value)
{
    struct rv_check_fault fault;

    if (node->constant && !equal(checker, node->constant, value)) {
        if (!rv_fault_begin(checker, &fault))
            return false;
        rv_say_value(&fault.saying, node->constant);
        return rv_fault_end(checker, &fault, value);
    }
    if (node->allowed && !is_one_of(checker, node->allowed, value)) {
        if (!rv_fault_begin(checker, &fault))
            return false;
        rv_say_one_of(&fault.saying, node->allowed);
        return rv_fault_end(checker, &fault, value);
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------------
 */

static int compare(const struct reeve_json *a, const struct reeve_json *b)
{
    return rv_number_compare(a->as.text, a->count, b->as.text, b->count);
}

bool rv_check_number(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *value)
{
    if (value->count > 64) {
        const uint64_t cost = value->count / 8;

        checker->fuel -= checker->fuel > cost ? cost : checker->fuel;
    }
    if (node->minimum && compare(value, node->minimum) < 0)
        return rv_fault(checker, value, "%.40s or more", node->minimum->as.text);
    if (node->maximum && compare(value, node->maximum) > 0)
        return rv_fault(checker, value, "%.40s or less", node->maximum->as.text);
    if (node->above && compare(value, node->above) <= 0)
        return rv_fault(checker, value, "more than %.40s", node->above->as.text);
    if (node->below && compare(value, node->below) >= 0)
        return rv_fault(checker, value, "less than %.40s", node->below->as.text);
    if (node->multiple && !rv_number_is_multiple(value->as.text, value->count,
                                                 node->multiple->as.text, node->multiple->count))
        return rv_fault(checker, value, "a multiple of %.40s", node->multiple->as.text);
    return true;
}

/* ---- strings ------------------------------------------------------------------------------------
 */

static bool refuse_length(struct rv_checker *checker, const struct reeve_json *value,
                          const char *bound, uint32_t wanted, size_t length)
{
    return rv_fault(checker, value, "%s %u character%s (this has %zu)", bound, wanted,
                    wanted == 1 ? "" : "s", length);
}

static bool check_pattern(struct rv_checker *checker, const struct rv_schema_node *node,
                          const struct reeve_json *value)
{
    struct rv_check_fault fault;
    int error;

    do
        error = rv_pattern_test(node->pattern, value->as.text, value->count, &checker->fuel);
    while (error == REEVE_ETOOBIG && rv_check_refuel(checker));
    if (!error)
        return true;
    if (error != REEVE_ENOTFOUND) {
        rv_check_give_up(checker, error,
                         "to hold this against the schema's pattern would take too long; give a "
                         "simpler or a shorter string");
        return false;
    }
    if (!rv_fault_begin(checker, &fault))
        return false;
    rv_say(&fault.saying, "a string that matches the pattern ");
    rv_say_quoted(&fault.saying, node->pattern_text->as.text, node->pattern_text->count, 100);
    return rv_fault_end(checker, &fault, value);
}

bool rv_check_string(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *value)
{
    size_t length;

    if (node->min_length || node->max_length != UINT32_MAX) {
        length = rv_utf8_count(value->as.text, value->count);
        if (length < node->min_length)
            return refuse_length(checker, value, "at least", node->min_length, length);
        if (length > node->max_length)
            return refuse_length(checker, value, "at most", node->max_length, length);
    }
    return !node->pattern || check_pattern(checker, node, value);
}
