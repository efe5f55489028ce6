/* SPDX-License-Identifier: MIT */
/*
 * Happy path: the text is read, leniently if need be, and its value copied into an arena where it
 * may be changed; names are put right, then values; the outcome is checked and copied once more,
 * into the call's space.
 */
#include "tool/normalize.h"

#include <string.h>

#include "base/buffer.h"
#include "tool/batch.h"
#include "json/copy.h"
#include "json/reader.h"
#include "json/repair.h"
#include "json/schema.h"
#include "json/schema_fit.h"
#include "json/value.h"

#include <reeve/error.h>

struct normalizing {
    struct reeve_tool_call *call;
    struct rv_json_reader *reader;
    struct rv_arena arena;
    struct reeve_json *value; /* in the arena */
    unsigned closed;          /* brackets that were added */
};

/* ---- names --------------------------------------------------------------------------------------
 */

static const struct reeve_alias *find_alias(const struct rv_tool *tool,
                                            const struct rv_json_member *member)
{
    size_t i;

    for (i = 0; i < tool->spec.alias_count; i++)
        if (strlen(tool->spec.aliases[i].alias) == member->key_len &&
            !memcmp(tool->spec.aliases[i].alias, member->key, member->key_len))
            return &tool->spec.aliases[i];
    return NULL;
}

/* Whether nothing else of the arguments goes by that name: neither itself nor another alias. */
static bool is_alone(const struct rv_tool *tool, const struct reeve_json *arguments,
                     const struct reeve_alias *alias)
{
    size_t i;

    if (rv_json_find(arguments, alias->name, strlen(alias->name)))
        return false;
    for (i = 0; i < tool->spec.alias_count; i++) {
        const struct reeve_alias *other = &tool->spec.aliases[i];

        if (other != alias && !strcmp(other->name, alias->name) &&
            rv_json_find(arguments, other->alias, strlen(other->alias)))
            return false;
    }
    return true;
}

bool rv_normalize_has_alias(const struct rv_tool *tool, const struct reeve_json *arguments)
{
    size_t i;

    for (i = 0; i < tool->spec.alias_count; i++) {
        const struct reeve_alias *alias = &tool->spec.aliases[i];

        if (rv_json_find(arguments, alias->alias, strlen(alias->alias)) &&
            is_alone(tool, arguments, alias))
            return true;
    }
    return false;
}

/* An object's index is by its keys, and would be wrong: it goes without one. */
static void rename_members(const struct rv_tool *tool, struct reeve_json *arguments)
{
    struct rv_json_object *object = rv_json_ours(arguments->as.object);
    uint32_t i;

    if (!rv_normalize_has_alias(tool, arguments))
        return;
    for (i = 0; i < arguments->count; i++) {
        struct rv_json_member *member = &object->members[i];
        const struct reeve_alias *alias = find_alias(tool, member);

        if (!alias || !is_alone(tool, arguments, alias))
            continue;
        member->key = alias->name; /* the tool's, which the toolbox keeps */
        member->key_len = (uint32_t)strlen(alias->name);
        object->index = NULL;
    }
}

/* ---- texts --------------------------------------------------------------------------------------
 */

/* Only what a cut could not have made: the host says that nothing was cut. */
static bool may_close(const struct reeve_tool_call *call)
{
    return call->core->batch->options.calls_complete &&
           call->tool->spec.effect == REEVE_EFFECT_READ;
}

static int parse(struct normalizing *work, const char *text, size_t len,
                 const struct reeve_json **ret_value)
{
    rv_json_reader_reset(work->reader);
    return rv_json_reader_parse(work->reader, text, len, ret_value);
}

/* Into the arena. */
static int read_lenient(struct normalizing *work, const char *text, size_t len, bool close)
{
    struct rv_json_repairs repairs = {0};
    const struct reeve_json *value;
    struct rv_buffer repaired;
    int error = parse(work, text, len, &value);

    rv_buffer_init(&repaired, work->arena.mem, 2 * len + 256);
    if (error == REEVE_EPARSE) {
        error = rv_json_repair(text, len, close, &repaired, &repairs);
        if (!error)
            error = parse(work, rv_buffer_text(&repaired), repaired.len, &value);
    }
    rv_buffer_done(&repaired);
    if (!error)
        error = rv_json_copy(&work->arena, value, &value);
    if (error)
        return error;
    work->value = rv_json_ours(value);
    work->closed += repairs.closed;
    return 0;
}

/* The text, and what it holds if that is a string: arguments are an object. */
static int read_arguments(struct normalizing *work)
{
    const struct reeve_tool_call *call = work->call;
    int error = read_lenient(work, call->text, call->text_len, may_close(call));

    if (!error && work->value->type == REEVE_JSON_STRING)
        error = read_lenient(work, work->value->as.text, work->value->count, false);
    if (!error && work->value->type != REEVE_JSON_OBJECT)
        error = REEVE_EPARSE;
    return error;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static int fit(struct normalizing *work)
{
    const struct rv_schema *schema = work->call->tool->schema;
    struct rv_schema_report report;
    unsigned repairs;
    int error;

    if (!schema || work->call->core->batch->options.skip_validation)
        return 0;
    error = rv_schema_fit(schema, work->reader, &work->arena, work->value, work->call->text_len,
                          &repairs);
    if (!error)
        error = rv_schema_check(schema, work->value, &report);
    return error;
}

static int normalize(struct normalizing *work)
{
    struct reeve_tool_call *call = work->call;
    int error = read_arguments(work);

    if (error)
        return error;
    rename_members(call->tool, work->value);
    error = fit(work);
    if (!error)
        error = rv_json_copy(&call->space->arena, work->value, &call->space->arguments);
    if (error)
        return error;
    call->normalized = true;
    call->closed = work->closed > 0;
    return 0;
}

int rv_normalize_call(struct reeve_tool_call *call)
{
    struct normalizing work = {.call = call, .reader = call->core->toolbox->reader};
    int error;

    if (call->text_len > RV_NORMALIZE_MAX_BYTES)
        return REEVE_EPARSE;
    rv_arena_init(&work.arena, call->core->mem);
    error = normalize(&work);
    rv_arena_done(&work.arena);
    return error && error != REEVE_ENOMEM ? REEVE_EPARSE : error;
}
