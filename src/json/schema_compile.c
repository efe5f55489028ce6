/* SPDX-License-Identifier: MIT */
/*
 * Compiling: the document is copied, its root queued; each schema taken from the queue queues those
 * that it names, at its place or by reference. Afterwards no chain of schemas may be endless.
 */
#include "json/schema_compiler.h"

#include <reeve/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "json/copy.h"

enum {
    TABLE_SLOTS = 2 * RV_SCHEMA_MAX_NODES,
    POINTER_BYTES = 120, /* of a place in a message */
    POINTER_PARTS = 16,
};

static size_t put(char *to, size_t at, size_t max, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len && at < max; i++) {
        const bool escaped = text[i] == '~' || text[i] == '/';

        to[at++] = escaped ? '~' : (unsigned char)text[i] < 0x20 ? '.' : text[i];
        if (escaped && at < max)
            to[at++] = text[i] == '~' ? '0' : '1';
    }
    return at;
}

/* The last parts of a place as a JSON pointer; "..." stands for what has no room before them. */
static void pointer(const struct rv_schema_place *place, const char *key, char *to, size_t size)
{
    const struct rv_schema_place *parts[POINTER_PARTS];
    size_t count = 0, at = 0;
    char number[16];

    for (; place && place->up && count < POINTER_PARTS; place = place->up)
        parts[count++] = place;
    if (place && place->up)
        at = (size_t)snprintf(to, size, "...");
    while (count--) {
        const struct rv_schema_place *part = parts[count];

        snprintf(number, sizeof number, "%u", part->index);
        if (at < size - 1)
            to[at++] = '/';
        at = part->key ? put(to, at, size - 1, part->key, part->key_len)
                       : put(to, at, size - 1, number, strlen(number));
    }
    if (key && at < size - 1) {
        to[at++] = '/';
        at = put(to, at, size - 1, key, strlen(key));
    }
    to[rv_utf8_cut_head(to, at, size - 1)] = '\0';
}

int rv_compiler_refuse(struct rv_compiler *compiler, const struct rv_schema_place *place,
                       const char *key, int error, const char *format, ...)
{
    char where[POINTER_BYTES], what[192];
    va_list args;
    int len;

    if (!compiler->problem)
        return error;
    va_start(args, format);
    len = vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (len >= (int)sizeof what)
        what[rv_utf8_cut_head(what, sizeof what - 1, sizeof what - 1)] = '\0';
    pointer(place, key, where, sizeof where);
    snprintf(compiler->problem->text, sizeof compiler->problem->text, "at \"%s\": %s", where, what);
    return error;
}

int rv_compiler_place(struct rv_compiler *compiler, const struct rv_schema_place *up,
                      const char *key, uint32_t key_len, uint32_t index,
                      const struct rv_schema_place **ret_place)
{
    struct rv_schema_place *place = rv_arena_alloc(&compiler->scratch, sizeof *place);

    if (!place)
        return REEVE_ENOMEM;
    *place = (struct rv_schema_place){.up = up,
                                      .key = key,
                                      .key_len = key_len,
                                      .index = index,
                                      .other_base = up && up->other_base};
    *ret_place = place;
    return 0;
}

static struct rv_schema_node **find_slot(struct rv_compiler *compiler,
                                         const struct reeve_json *source)
{
    size_t slot = (size_t)rv_hash(compiler->schema->seed, &source, sizeof source) % TABLE_SLOTS;

    while (compiler->table[slot] && compiler->table[slot]->source != source)
        slot = (slot + 1) % TABLE_SLOTS;
    return &compiler->table[slot];
}

int rv_compiler_node(struct rv_compiler *compiler, const struct reeve_json *source,
                     const struct rv_schema_place *place, struct rv_schema_node **ret_node)
{
    struct rv_schema_node **slot = find_slot(compiler, source);
    struct rv_schema_node *node = *slot;

    if (!node) {
        if (compiler->count == RV_SCHEMA_MAX_NODES)
            return rv_compiler_refuse(compiler, place, NULL, REEVE_ETOOBIG,
                                      "there are more than %d schemas", RV_SCHEMA_MAX_NODES);
        node = rv_arena_alloc(&compiler->schema->arena, sizeof *node);
        if (!node)
            return REEVE_ENOMEM;
        *node = (struct rv_schema_node){
            .types = RV_SCHEMA_ALL,
            .max_length = UINT32_MAX,
            .max_items = UINT32_MAX,
            .min_contains = 1,
            .max_contains = UINT32_MAX,
            .max_properties = UINT32_MAX,
            .source = source,
            .place = place,
        };
        *slot = node;
        compiler->count++;
        if (compiler->last)
            compiler->last->next = node;
        else
            compiler->first = node;
        compiler->last = node;
    }
    *ret_node = node;
    return 0;
}

static int compile_node(struct rv_compiler *compiler, struct rv_schema_node *node)
{
    switch (reeve_json_type(node->source)) {
    case REEVE_JSON_BOOL:
        node->never = !node->source->count;
        return 0;
    case REEVE_JSON_OBJECT:
        return rv_compiler_keywords(compiler, node);
    default:
        return rv_compiler_refuse(compiler, node->place, NULL, REEVE_EINVAL,
                                  "a schema is an object, true or false, and this is of type %s",
                                  reeve_json_type_name(reeve_json_type(node->source)));
    }
}

static int compile_all(struct rv_compiler *compiler)
{
    const struct rv_schema_place *place;
    struct rv_schema_node *node;
    int error;

    error = rv_compiler_place(compiler, NULL, NULL, 0, 0, &place);
    if (!error)
        error = rv_compiler_node(compiler, compiler->document, place, &compiler->schema->root);
    for (node = compiler->first; node && !error; node = node->next)
        error = compile_node(compiler, node);
    return error ? error : rv_compiler_check_loops(compiler);
}

static int compile(struct rv_schema *schema, const struct reeve_json *document,
                   struct rv_schema_problem *problem)
{
    struct rv_compiler compiler = {.schema = schema, .problem = problem};
    int error = rv_json_copy(&schema->arena, document, &compiler.document);

    if (error)
        return error;
    rv_arena_init(&compiler.scratch, schema->mem);
    compiler.table = rv_alloc_array(schema->mem, TABLE_SLOTS, sizeof compiler.table[0]);
    error = compiler.table ? compile_all(&compiler) : REEVE_ENOMEM;
    rv_free(schema->mem, compiler.table);
    rv_arena_done(&compiler.scratch);
    return error;
}

int rv_schema_compile(struct rv_mem *mem, const struct reeve_json *document,
                      struct rv_schema **ret_schema, struct rv_schema_problem *problem)
{
    struct rv_schema *schema = rv_zalloc(mem, sizeof *schema);
    int error;

    if (!schema)
        return REEVE_ENOMEM;
    schema->mem = mem;
    schema->seed = rv_hash_seed(schema);
    rv_arena_init(&schema->arena, mem);
    error = compile(schema, document, problem);
    if (error)
        rv_schema_free(schema);
    else
        *ret_schema = schema;
    return error;
}

void rv_schema_free(struct rv_schema *schema)
{
    struct rv_schema_pattern *held;

    if (!schema)
        return;
    for (held = schema->patterns; held; held = held->next)
        rv_pattern_free(held->pattern);
    rv_arena_done(&schema->arena);
    rv_free(schema->mem, schema);
}

const struct rv_schema_property *rv_schema_property(const struct rv_schema *schema,
                                                    const struct rv_schema_node *node,
                                                    const char *key, uint32_t len)
{
    uint32_t slot;

    if (!node->slots)
        return NULL;
    slot = (uint32_t)rv_hash(schema->seed, key, len) & node->slot_mask;
    for (; node->slots[slot]; slot = (slot + 1) & node->slot_mask) {
        const struct rv_schema_property *property = &node->properties[node->slots[slot] - 1];

        if (property->key_len == len && !memcmp(property->key, key, len))
            return property;
    }
    return NULL;
}
