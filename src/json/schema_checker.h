/* SPDX-License-Identifier: MIT */
/* What the parts of the schema check share. */
#ifndef RV_JSON_SCHEMA_CHECKER_H
#define RV_JSON_SCHEMA_CHECKER_H

#include "json/schema_say.h"

struct rv_checker {
    const struct rv_schema *schema;
    const struct reeve_json *root;
    struct rv_schema_report *report;
    const struct rv_schema_step *path; /* to the value that is being looked at */
    uint64_t fuel;                     /* steps that may still be done */
    bool granted;                      /* what the value's size gives was added to the fuel */
    unsigned quiet;                    /* above 0: a fault is a result, and nothing is told */
    unsigned depth;
    int error; /* not 0: the check has ended without a result */
};

/* Whether a value fits; false too when the check has ended. Faults are told. */
bool rv_check_value(struct rv_checker *checker, const struct rv_schema_node *node,
                    const struct reeve_json *value);

/* The same without telling. */
bool rv_check_quietly(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value);

/* A value inside the present one: an element, or a member if `key` is not NULL. */
bool rv_check_rules_inside(struct rv_checker *checker, const struct rv_schema_node *node,
                           const struct reeve_json *value, const char *key, uint32_t key_len,
                           uint32_t index);

/* The same; of most members no more is asked than a type, and these need no path and no steps. */
static inline bool rv_check_inside(struct rv_checker *checker, const struct rv_schema_node *node,
                                   const struct reeve_json *value, const char *key,
                                   uint32_t key_len, uint32_t index)
{
    if (!node->rules && !node->never && (node->types & rv_schema_type_of(value)))
        return true;
    return rv_check_rules_inside(checker, node, value, key, key_len, index);
}

/* For each group of keywords (schema_rules.c, schema_array.c, schema_object.c, schema_apply.c). */
bool rv_check_allowed(struct rv_checker *checker, const struct rv_schema_node *node,
                      const struct reeve_json *value);
bool rv_check_number(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *value);
bool rv_check_string(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *value);
bool rv_check_array(struct rv_checker *checker, const struct rv_schema_node *node,
                    const struct reeve_json *value);
bool rv_check_object(struct rv_checker *checker, const struct rv_schema_node *node,
                     const struct reeve_json *value);
bool rv_check_apply(struct rv_checker *checker, const struct rv_schema_node *node,
                    const struct reeve_json *value);

/* Whether nothing more needs to be looked at: one fault is enough when quiet. */
static inline bool rv_check_over(const struct rv_checker *checker, bool fits)
{
    if (checker->error)
        return true;
    return !fits && (checker->quiet || checker->report->faults >= RV_SCHEMA_MAX_FAULTS);
}

/*
 * Work that takes its steps from checker->fuel has been done. True: it ran out of them, has got
 * more and is to be done again. If there are no more, the check has ended.
 */
bool rv_check_refuel(struct rv_checker *checker);

/* Ends the check: it would take too much. */
void rv_check_give_up(struct rv_checker *checker, int error, const char *why);

/*
 * Tell a fault: begin says "PATH: wanted ", the caller what, end says what was given. Begin returns
 * NULL if nothing is to be told. Always false, for `return`.
 */
struct rv_check_fault {
    struct rv_saying saying;
    char text[320];
};
bool rv_fault_begin(struct rv_checker *checker, struct rv_check_fault *fault);
bool rv_fault_end(struct rv_checker *checker, struct rv_check_fault *fault,
                  const struct reeve_json *given);
/* All at once. */
bool rv_fault(struct rv_checker *checker, const struct reeve_json *given, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
