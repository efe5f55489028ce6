/* SPDX-License-Identifier: MIT */
/* The keywords that hold other schemas against the same value. */
#include "json/schema_checker.h"

/* Whether a schema could fit a value of that type at all, by what it says itself or refers to. */
static bool is_candidate(const struct rv_schema_node *node, const struct reeve_json *value)
{
    unsigned links;

    for (links = 0; links < 4 && node->ref && node->types == RV_SCHEMA_ALL; links++)
        node = node->ref;
    if (node->never)
        return false;
    return node->types & rv_schema_type_of(value) ||
           (value->type == REEVE_JSON_NUMBER && (node->types & RV_SCHEMA_INTEGER));
}

/*
 * None of the alternatives fits. If only one could by its type, what is wrong inside is more useful
 * than a list.
 */
static bool refuse_all(struct rv_checker *checker, const struct rv_schema_list *list,
                       const struct reeve_json *value)
{
    const struct rv_schema_node *candidate = NULL;
    struct rv_schema_node listed = {.types = RV_SCHEMA_ALL, .any_of = *list};
    struct rv_check_fault fault;
    uint32_t i, candidates = 0;

    if (checker->quiet || checker->error)
        return false;
    for (i = 0; i < list->count; i++)
        if (is_candidate(list->nodes[i], value)) {
            candidate = list->nodes[i];
            candidates++;
        }
    if (candidates == 1)
        return rv_check_value(checker, candidate, value);
    if (!rv_fault_begin(checker, &fault))
        return false;
    rv_say_wanted(&fault.saying, &listed);
    return rv_fault_end(checker, &fault, value);
}

static bool check_all(struct rv_checker *checker, const struct rv_schema_list *list,
                      const struct reeve_json *value)
{
    bool fits = true;
    uint32_t i;

    for (i = 0; i < list->count && !rv_check_over(checker, fits); i++)
        fits &= rv_check_value(checker, list->nodes[i], value);
    return fits;
}

static bool check_any(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value)
{
    uint32_t i;

    for (i = 0; i < node->any_of.count && !checker->error; i++)
        if (rv_check_quietly(checker, node->any_of.nodes[i], value))
            return true;
    return refuse_all(checker, &node->any_of, value);
}

static bool check_one(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value)
{
    uint32_t i, fitting[2], count = 0;

    for (i = 0; i < node->one_of.count && count < 2 && !checker->error; i++)
        if (rv_check_quietly(checker, node->one_of.nodes[i], value))
            fitting[count++] = i;
    if (checker->error)
        return false;
    if (!count)
        return refuse_all(checker, &node->one_of, value);
    if (count == 1)
        return true;
    return rv_fault(checker, value,
                    "what fits exactly one of %u alternatives (this fits number %u and number %u)",
                    node->one_of.count, fitting[0] + 1, fitting[1] + 1);
}

static bool check_not(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value)
{
    struct rv_check_fault fault;

    if (!rv_check_quietly(checker, node->not_, value))
        return !checker->error;
    if (!rv_fault_begin(checker, &fault))
        return false;
    rv_say(&fault.saying, "anything but ");
    if (node->not_->rules || node->not_->types != RV_SCHEMA_ALL)
        rv_say_wanted(&fault.saying, node->not_);
    else
        rv_say(&fault.saying, "a value");
    return rv_fault_end(checker, &fault, value);
}

static bool check_if(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *value)
{
    const bool holds = rv_check_quietly(checker, node->if_, value);
    const struct rv_schema_node *then = holds ? node->then_ : node->else_;

    if (checker->error)
        return false;
    return !then || rv_check_value(checker, then, value);
}

bool rv_check_apply(struct rv_checker *checker, const struct rv_schema_node *node,
                    const struct reeve_json *value)
{
    bool fits = true;

    if (node->ref)
        fits = rv_check_value(checker, node->ref, value);
    if (node->all_of.count && !rv_check_over(checker, fits))
        fits &= check_all(checker, &node->all_of, value);
    if (node->any_of.count && !rv_check_over(checker, fits))
        fits &= check_any(checker, node, value);
    if (node->one_of.count && !rv_check_over(checker, fits))
        fits &= check_one(checker, node, value);
    if (node->not_ && !rv_check_over(checker, fits))
        fits &= check_not(checker, node, value);
    if (node->if_ && (node->then_ || node->else_) && !rv_check_over(checker, fits))
        fits &= check_if(checker, node, value);
    return fits;
}
