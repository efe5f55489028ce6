/* SPDX-License-Identifier: MIT */
/*
 * References inside a document: "#", "#/a/JSON/pointer", "#anchor", and the same behind the
 * document's own $id. What leads out of it is refused: Reeve fetches no schemas.
 */
#include "json/schema_compiler.h"

#include <reeve/error.h>
#include <string.h>

enum {
    PART_BYTES = 512, /* of one part of a pointer */
};

/* What to look for, as it was written. */
struct reference {
    struct rv_compiler *compiler;
    const struct rv_schema_place *from;
    const char *text; /* behind the "#" */
    size_t len;
};

static int refuse(const struct reference *reference, const char *why)
{
    return rv_compiler_refuse(reference->compiler, reference->from, "$ref", REEVE_EINVAL,
                              "\"#%.80s\" %s", reference->text, why);
}

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* One part of a pointer, "%41" and "~1" undone. Returns its length; -1 if it is too long or broken.
 */
static int read_part(const char **at, const char *end, char *part)
{
    int len = 0;

    while (*at < end && **at != '/') {
        char byte = *(*at)++;

        if (len == PART_BYTES)
            return -1;
        if (byte == '%') {
            if (end - *at < 2 || hex((*at)[0]) < 0 || hex((*at)[1]) < 0)
                return -1;
            byte = (char)(hex((*at)[0]) * 16 + hex((*at)[1]));
            *at += 2;
        }
        part[len++] = byte;
    }
    return len;
}

/* In place; the text can only become shorter. */
static size_t undo_tildes(char *part, size_t len)
{
    size_t from, to = 0;

    for (from = 0; from < len; from++) {
        if (part[from] == '~' && from + 1 < len && (part[from + 1] == '0' || part[from + 1] == '1'))
            part[to++] = part[++from] == '0' ? '~' : '/';
        else
            part[to++] = part[from];
    }
    return to;
}

static const struct reeve_json *step_into(const struct reeve_json *value, const char *part,
                                          size_t len)
{
    uint32_t index = 0;
    size_t i;

    if (value->type == REEVE_JSON_OBJECT)
        return rv_json_find(value, part, len);
    if (value->type != REEVE_JSON_ARRAY || !len || len > 9)
        return NULL;
    for (i = 0; i < len; i++) {
        if (part[i] < '0' || part[i] > '9')
            return NULL;
        index = index * 10 + (uint32_t)(part[i] - '0');
    }
    return index < value->count ? &value->as.elements[index] : NULL;
}

/* The place of what a pointer names is made of the pointer itself. */
static int follow(const struct reference *reference, const struct reeve_json **ret_value,
                  const struct rv_schema_place **ret_place)
{
    const char *at = reference->text, *end = at + reference->len;
    const struct reeve_json *value = reference->compiler->document;
    const struct rv_schema_place *place;
    char part[PART_BYTES], *kept;
    int len, error;

    error = rv_compiler_place(reference->compiler, NULL, NULL, 0, 0, &place);
    while (at < end && !error) {
        at++;
        len = read_part(&at, end, part);
        if (len < 0)
            return refuse(reference, "is no JSON pointer");
        len = (int)undo_tildes(part, (size_t)len);
        value = step_into(value, part, (size_t)len);
        if (!value)
            return refuse(reference, "leads to nothing in this document");
        kept = rv_arena_alloc_bytes(&reference->compiler->scratch, (size_t)len + 1);
        if (!kept)
            return REEVE_ENOMEM;
        memcpy(kept, part, (size_t)len);
        error = rv_compiler_place(reference->compiler, place, kept, (uint32_t)len, 0, &place);
    }
    *ret_value = value;
    *ret_place = place;
    return error;
}

static bool is_text(const struct reeve_json *value, const char *text, size_t len)
{
    return reeve_json_type(value) == REEVE_JSON_STRING && value->count == len &&
           !memcmp(value->as.text, text, len);
}

static bool has_anchor(const struct reeve_json *value, const char *name, size_t len)
{
    const struct reeve_json *id = rv_json_find(value, "$id", 3);

    if (reeve_json_type(id) == REEVE_JSON_STRING && id->count == len + 1 && id->as.text[0] == '#' &&
        !memcmp(id->as.text + 1, name, len))
        return true; /* as drafts 6 and 7 wrote it */
    return is_text(rv_json_find(value, "$anchor", 7), name, len);
}

/* Anywhere in the document: schemas stand in many places, and names are few. */
static const struct reeve_json *find_anchor(const struct reeve_json *document, const char *name,
                                            size_t len)
{
    const struct rv_json_member *member;
    const struct reeve_json *value = document;
    struct rv_json_walk walk;

    rv_json_walk_start(&walk);
    for (;;) {
        if (value->type == REEVE_JSON_OBJECT && has_anchor(value, name, len))
            return value;
        rv_json_walk_enter(&walk, value);
        while (walk.depth && !(value = rv_json_walk_next(&walk, &member)))
            rv_json_walk_leave(&walk);
        if (!walk.depth)
            return NULL;
    }
}

static int find(const struct reference *reference, const struct reeve_json **ret_value,
                const struct rv_schema_place **ret_place)
{
    if (!reference->len || reference->text[0] == '/')
        return follow(reference, ret_value, ret_place);
    *ret_value = find_anchor(reference->compiler->document, reference->text, reference->len);
    *ret_place = reference->from;
    return *ret_value ? 0 : refuse(reference, "names no $anchor of this document");
}

int rv_compiler_ref(struct rv_compiler *compiler, const struct rv_schema_node *node,
                    const struct reeve_json *ref, struct rv_schema_node **ret_node)
{
    struct reference reference = {.compiler = compiler, .from = node->place};
    const char *mark = memchr(ref->as.text, '#', ref->count);
    const size_t base = mark ? (size_t)(mark - ref->as.text) : ref->count;
    const struct reeve_json *value = NULL;
    const struct rv_schema_place *place = NULL;
    int error;

    if (node->place->other_base)
        return rv_compiler_refuse(compiler, node->place, "$ref", REEVE_EINVAL,
                                  "a $ref below an $id that is not the document's own is not "
                                  "supported");
    if ((base || !mark) && !is_text(rv_json_find(compiler->document, "$id", 3), ref->as.text, base))
        return rv_compiler_refuse(compiler, node->place, "$ref", REEVE_EINVAL,
                                  "\"%.80s\" leads out of this document, and schemas are not "
                                  "fetched: put it into $defs and refer to \"#/$defs/NAME\"",
                                  ref->as.text);
    reference.text = mark ? mark + 1 : "";
    reference.len = mark ? ref->count - base - 1 : 0;
    error = find(&reference, &value, &place);
    return error ? error : rv_compiler_node(compiler, value, place, ret_node);
}

/* ---- loops --------------------------------------------------------------------------------------
 */

enum color { NOT_SEEN, OPEN, CLOSED };

/* The n-th schema that is held against the same value; NULL behind the last. */
static struct rv_schema_node *beside(const struct rv_schema_node *node, uint32_t n)
{
    struct rv_schema_node *const singles[] = {node->ref, node->not_, node->if_, node->then_,
                                              node->else_};
    const struct rv_schema_list lists[] = {node->all_of, node->any_of, node->one_of};
    size_t i;

    for (i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (n < lists[i].count)
            return lists[i].nodes[n];
        n -= lists[i].count;
    }
    if (n < node->dependents.count)
        return node->dependents.rules[n].node;
    n -= node->dependents.count;
    for (i = 0; i < sizeof singles / sizeof *singles; i++)
        if (singles[i] && !n--)
            return singles[i];
    return NULL;
}

static int walk_from(struct rv_compiler *compiler, struct rv_schema_node *start)
{
    struct {
        struct rv_schema_node *node;
        uint32_t next;
    } open[RV_SCHEMA_MAX_CHAIN];
    unsigned depth = 1;

    open[0].node = start;
    open[0].next = 0;
    start->color = OPEN;
    while (depth) {
        struct rv_schema_node *node = open[depth - 1].node;
        struct rv_schema_node *next = beside(node, open[depth - 1].next++);

        if (!next) {
            node->color = CLOSED;
            depth--;
            continue;
        }
        if (next->color == OPEN)
            return rv_compiler_refuse(compiler, node->place, NULL, REEVE_EINVAL,
                                      "this schema leads back to itself");
        if (next->color == CLOSED)
            continue;
        if (depth == RV_SCHEMA_MAX_CHAIN)
            return rv_compiler_refuse(compiler, node->place, NULL, REEVE_EINVAL,
                                      "more than %d schemas lead to one another",
                                      RV_SCHEMA_MAX_CHAIN);
        next->color = OPEN;
        open[depth].node = next;
        open[depth++].next = 0;
    }
    return 0;
}

int rv_compiler_check_loops(struct rv_compiler *compiler)
{
    struct rv_schema_node *node;
    int error = 0;

    for (node = compiler->first; node && !error; node = node->next)
        if (node->color == NOT_SEEN)
            error = walk_from(compiler, node);
    return error;
}
