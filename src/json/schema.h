/* SPDX-License-Identifier: MIT */
/*
 * JSON Schema (draft 2020-12, and what older drafts and OpenAPI 3.0 write differently), compiled
 * once and checked many times.
 *
 * Known: type, enum, const; minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf;
 * minLength, maxLength, pattern; minItems, maxItems, uniqueItems, items, prefixItems, contains,
 * minContains, maxContains; minProperties, maxProperties, required, properties, patternProperties,
 * additionalProperties, propertyNames, dependentRequired, dependentSchemas; allOf, anyOf, oneOf,
 * not, if, then, else; $ref to a place of the same document, or to an $anchor; nullable. All else
 * is taken for annotation and has no effect: format, unevaluatedItems, unevaluatedProperties and
 * $dynamicRef too.
 *
 * Numbers are compared exactly, whatever their size, and 1.0 is an integer. Lengths are in code
 * points.
 */
#ifndef RV_JSON_SCHEMA_H
#define RV_JSON_SCHEMA_H

#include <stddef.h>

#include "base/alloc.h"

#include <reeve/json.h>

struct rv_schema;

enum {
    RV_SCHEMA_MAX_NODES = 4096, /* schemas in one document */
    RV_SCHEMA_MAX_CHAIN = 64,   /* schemas that lead to one another for one and the same value */
    RV_SCHEMA_MAX_DEPTH = 256,  /* of a check, in schemas */
    RV_SCHEMA_MAX_FAULTS = 3,   /* told of one value */
    RV_SCHEMA_REPORT_BYTES = 900,
};

/* What of a document is no schema: a JSON pointer and a sentence without its full stop. */
struct rv_schema_problem {
    char text[320];
};

/*
 * `document` is copied. 0; REEVE_EINVAL (no schema, or one that leads out of the document or back
 * to itself), REEVE_ETOOBIG (too many schemas), REEVE_EUNSUPPORTED (a pattern, and this build has
 * none), each with a problem; REEVE_ENOMEM. `problem` may be NULL.
 */
int rv_schema_compile(struct rv_mem *mem, const struct reeve_json *document,
                      struct rv_schema **ret_schema, struct rv_schema_problem *problem);
void rv_schema_free(struct rv_schema *schema);

/* What is wrong with a value: `PATH: wanted WHAT, given WHAT`, by semicolons. */
struct rv_schema_report {
    size_t len;
    unsigned faults;
    char text[RV_SCHEMA_REPORT_BYTES];
};

/*
 * Whether a value fits. 0; REEVE_EINVAL: it does not, as the report says; REEVE_ETOOBIG: it could
 * not be told within bounds (depth, or work that is not linear in the value: about a millisecond),
 * as the report says; REEVE_ENOMEM. Memory is taken only for uniqueItems of long arrays and by
 * patterns. Not changed but for the patterns' working memory: one check at a time.
 */
int rv_schema_check(const struct rv_schema *schema, const struct reeve_json *value,
                    struct rv_schema_report *ret_report);

#endif
