/* SPDX-License-Identifier: MIT */
/* What stands before a call may run. */
#include "tool/prepare.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tool/batch.h"
#include "tool/normalize.h"
#include "json/reader.h"
#include "json/schema.h"

#include <reeve/error.h>

enum {
    SHOWN_NAME_BYTES = 64, /* of a name that a model made up */
    LIST_BYTES = 768,      /* of the names of tools */
};

/* Append to what is to be said; what has no room is cut. */
static void __attribute__((format(printf, 2, 3)))
say(struct rv_refusal *refusal, const char *format, ...)
{
    size_t room = sizeof refusal->text - refusal->len;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(refusal->text + refusal->len, room, format, args);
    va_end(args);
    if (len > 0)
        refusal->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void say_name(struct rv_refusal *refusal, const char *name)
{
    size_t len = strlen(name), shown = rv_utf8_cut_head(name, len, SHOWN_NAME_BYTES);

    say(refusal, "\"%.*s%s\"", (int)shown, name, shown < len ? "..." : "");
}

/* The tools that there are, so that the model can pick one. */
static void say_tools(struct rv_refusal *refusal, const struct reeve_toolbox *toolbox)
{
    const struct reeve_tool_definition *tools = toolbox->definitions;
    size_t count = toolbox->definition_count, i;

    if (!count) {
        say(refusal, " There are no tools.");
        return;
    }
    say(refusal, " The tools are: ");
    for (i = 0; i < count && refusal->len < LIST_BYTES; i++)
        say(refusal, "%s%s", i ? ", " : "", tools[i].name);
    if (i < count)
        say(refusal, " and %zu more", count - i);
    say(refusal, ".");
}

/* Not a part of its callers, which nearly every call passes through, and which would save for it
 * what they do not need. */
static enum reeve_call_status __attribute__((noinline))
refuse_unknown(struct reeve_tool_call *call, struct rv_refusal *refusal)
{
    refusal->len = 0;
    if (call->tool) {
        say(refusal, "The tool %s is switched off.", call->tool->spec.name);
    } else {
        say(refusal, "There is no tool ");
        say_name(refusal, call->result.tool);
        say(refusal, ".");
    }
    say_tools(refusal, call->core->toolbox);
    return REEVE_CALL_UNKNOWN;
}

static enum reeve_call_status refuse_unreadable(struct reeve_tool_call *call, int error,
                                                struct rv_refusal *refusal)
{
    refusal->len = 0;
    if (error == REEVE_ENOMEM) {
        say(refusal, "The arguments could not be read: out of memory.");
        return REEVE_CALL_FAILED;
    }
    say(refusal, "The arguments of %s must be one JSON object, but they are not JSON: %s.",
        call->tool->spec.name, rv_json_reader_problem(call->core->toolbox->reader)->text);
    return REEVE_CALL_INVALID;
}

static enum reeve_call_status refuse_non_object(struct reeve_tool_call *call,
                                                const struct reeve_json *value,
                                                struct rv_refusal *refusal)
{
    refusal->len = 0;
    say(refusal, "The arguments of %s must be one JSON object, but they are of the type %s.",
        call->tool->spec.name, reeve_json_type_name(reeve_json_type(value)));
    return REEVE_CALL_INVALID;
}

/* Whether they are what the tool's schema wants. */
static enum reeve_call_status check_arguments(struct reeve_tool_call *call,
                                              const struct reeve_json *value,
                                              struct rv_refusal *refusal)
{
    struct rv_schema_report report;
    int error;

    if (!call->tool->schema || call->core->batch->options.skip_validation)
        return REEVE_CALL_PENDING;
    error = rv_schema_check(call->tool->schema, value, &report);
    if (!error)
        return REEVE_CALL_PENDING;
    if (error == REEVE_ENOMEM)
        return refuse_unreadable(call, error, refusal);
    refusal->len = 0;
    say(refusal, "The arguments of %s are not what it takes: %s.", call->tool->spec.name,
        report.text);
    return REEVE_CALL_INVALID;
}

static bool is_blank(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n'))
        i++;
    return i == len;
}

/* What was refused may do once it is put right. Otherwise the refusal, of what was written, stands.
 */
static enum reeve_call_status normalize(struct reeve_tool_call *call, enum reeve_call_status status,
                                        struct rv_refusal *refusal)
{
    const bool before = call->normalized; /* read once already, for an earlier pass */
    int error = rv_normalize_call(call);

    if (error == REEVE_ENOMEM)
        return refuse_unreadable(call, error, refusal);
    if (error)
        return status;
    if (before)
        return REEVE_CALL_PENDING;
    call->core->batch->stats.normalized++;
    call->core->toolbox->stats.normalized++;
    call->tool->stats.normalized++;
    return REEVE_CALL_PENDING;
}

static bool may_normalize(const struct reeve_tool_call *call)
{
    return !call->core->batch->options.skip_normalization;
}

/* A model that has no arguments to give may write nothing at all: that is the empty object. */
static enum reeve_call_status take_arguments(struct reeve_tool_call *call,
                                             struct rv_refusal *refusal)
{
    const char *text = call->text;
    size_t len = call->text_len;
    struct rv_json_reader *reader = call->core->toolbox->reader;
    const struct reeve_json *value;
    enum reeve_call_status status;
    int error;

    if (is_blank(text, len)) {
        text = "{}";
        len = 2;
    }
    rv_json_reader_reset(reader);
    error = rv_call_give_space(call);
    if (!error)
        error = rv_json_reader_parse_into(reader, &call->space->arena, text, len, &value);
    if (error)
        return refuse_unreadable(call, error, refusal);
    if (reeve_json_type(value) != REEVE_JSON_OBJECT)
        return refuse_non_object(call, value, refusal);
    status = check_arguments(call, value, refusal);
    if (status != REEVE_CALL_PENDING)
        return status;
    call->space->arguments = value;
    /* They may fit by an alias being taken for an additional property. */
    if (call->tool->spec.alias_count && may_normalize(call) &&
        rv_normalize_has_alias(call->tool, value))
        return normalize(call, REEVE_CALL_PENDING, refusal);
    return REEVE_CALL_PENDING;
}

static enum reeve_call_status read_arguments(struct reeve_tool_call *call,
                                             struct rv_refusal *refusal)
{
    enum reeve_call_status status = take_arguments(call, refusal);

    if (status != REEVE_CALL_INVALID || !may_normalize(call))
        return status;
    return normalize(call, status, refusal);
}

void rv_prepare_look_up(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    const char *name = call->result.tool;

    if (!core->found || (name != core->found_as && strcmp(core->found->spec.name, name) != 0))
        core->found = rv_toolbox_find(core->toolbox, name);
    core->found_as = name;
    call->tool = core->found;
}

enum reeve_call_status rv_prepare_call(struct reeve_tool_call *call, struct rv_refusal *refusal)
{
    enum reeve_call_status status;

    rv_prepare_find(call);
    status = rv_prepare_again(call, refusal);
    if (status != REEVE_CALL_PENDING)
        return status;
    return read_arguments(call, refusal);
}

enum reeve_call_status rv_prepare_again(struct reeve_tool_call *call, struct rv_refusal *refusal)
{
    if (!call->tool || !call->tool->enabled)
        return refuse_unknown(call, refusal);
    return REEVE_CALL_PENDING;
}
