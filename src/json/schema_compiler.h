/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the schema compiler share. Schemas wait in a queue, so that neither nesting nor
 * references make anything recurse; a schema that is reached twice is compiled once.
 */
#ifndef RV_JSON_SCHEMA_COMPILER_H
#define RV_JSON_SCHEMA_COMPILER_H

#include "json/schema_node.h"

/* Where in the document a schema stands. */
struct rv_schema_place {
    const struct rv_schema_place *up;
    const char *key; /* NULL: an element of an array */
    uint32_t key_len;
    uint32_t index;
    bool other_base; /* below an $id that is not the document's own */
};

struct rv_compiler {
    struct rv_schema *schema;
    const struct reeve_json *document; /* the copy */
    struct rv_arena scratch;           /* places */
    struct rv_schema_node **table;     /* by source; open addressing */
    uint32_t count;
    struct rv_schema_node *first; /* all there are, the oldest first */
    struct rv_schema_node *last;
    struct rv_schema_problem *problem;
};

/* Each of these returns 0 or an error, with the problem told if it is not REEVE_ENOMEM. */

/* What is wrong at a place; `key` below it if it is not NULL. Returns `error`. */
int rv_compiler_refuse(struct rv_compiler *compiler, const struct rv_schema_place *place,
                       const char *key, int error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

int rv_compiler_place(struct rv_compiler *compiler, const struct rv_schema_place *up,
                      const char *key, uint32_t key_len, uint32_t index,
                      const struct rv_schema_place **ret_place);

/* The schema that stands there, to be compiled later if it is a new one. */
int rv_compiler_node(struct rv_compiler *compiler, const struct reeve_json *source,
                     const struct rv_schema_place *place, struct rv_schema_node **ret_node);

/* All keywords of a schema that is an object (schema_keyword.c). */
int rv_compiler_keywords(struct rv_compiler *compiler, struct rv_schema_node *node);

/* The schema that a $ref names (schema_ref.c). */
int rv_compiler_ref(struct rv_compiler *compiler, const struct rv_schema_node *node,
                    const struct reeve_json *ref, struct rv_schema_node **ret_node);

/* No schema may lead back to itself without a step into the value (schema_ref.c). */
int rv_compiler_check_loops(struct rv_compiler *compiler);

#endif
