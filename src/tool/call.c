/* SPDX-License-Identifier: MIT */
/* Running calls as their tools see them, and the memory that they live in. */
#include "tool/call.h"

#include <assert.h>
#include <string.h>

#include "base/export.h"
#include "loop/runtime.h"
#include "tool/batch.h"
#include "tool/claims.h"
#include "tool/flight.h"
#include "tool/prepare.h"
#include "tool/reuse.h"
#include "tool/sharing.h"
#include "tool/writing.h"

#include <reeve/error.h>

/* Calls of one tool have its name mostly from one place, and share a copy of it then. */
static bool is_named_as_before(const struct reeve_call *calls, size_t index)
{
    return index && calls[index].name == calls[index - 1].name;
}

/* The bytes that the texts of all calls take up; false if that is more than can be counted. */
static bool measure_texts(const struct reeve_call *calls, size_t count, size_t *ret_size)
{
    size_t size = 0, i;

    for (i = 0; i < count; i++) {
        const struct reeve_call *call = &calls[i];
        const size_t name_size = is_named_as_before(calls, i) ? 0 : strlen(call->name) + 1;

        if (!rv_size_add(size, strlen(call->id) + name_size + 2, &size) ||
            !rv_size_add(size, call->arguments_len, &size))
            return false;
    }
    *ret_size = size;
    return true;
}

/* Copy a text to *out, NUL-terminated, and move *out behind it. */
static const char *copy_text(char **out, const char *text, size_t len)
{
    char *copy = *out;

    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    *out = copy + len + 1;
    return copy;
}

static void copy_call(struct rv_call_core *core, size_t index, const struct reeve_call *calls,
                      char **out)
{
    struct reeve_tool_call *call = &core->calls[index];
    const struct reeve_call *given = &calls[index];

    *call = (struct reeve_tool_call){.core = core};
    call->result.call_id = copy_text(out, given->id, strlen(given->id));
    call->result.tool = is_named_as_before(calls, index)
                            ? call[-1].result.tool
                            : copy_text(out, given->name, strlen(given->name));
    call->text = copy_text(out, given->arguments, given->arguments_len);
    call->text_len = given->arguments_len;
    rv_prepare_find(call);
    core->may_write |= !call->tool || !rv_tool_never_writes(call->tool);
}

int rv_call_core_new(struct reeve_toolbox *toolbox, const struct reeve_call *calls, size_t count,
                     struct rv_call_core **ret_core)
{
    struct rv_mem *mem = toolbox->mem;
    struct rv_call_core *core;
    size_t size, texts_size, i;
    char *out;

    if (!measure_texts(calls, count, &texts_size) ||
        !rv_size_mul(count, sizeof core->calls[0], &size) ||
        !rv_size_add(size, sizeof *core, &size) || !rv_size_add(size, texts_size, &size))
        return REEVE_ENOMEM;
    core = rv_alloc(mem, size);
    if (!core)
        return REEVE_ENOMEM;
    *core = (struct rv_call_core){.mem = rv_mem_ref(mem), .refs = 1, .count = count};
    rv_arena_init(&core->arena, mem);
    core->toolbox = toolbox;
    rv_toolbox_ref(toolbox);
    for (i = 0, out = (char *)&core->calls[count]; i < count; i++)
        copy_call(core, i, calls, &out);
    *ret_core = core;
    return 0;
}

void rv_call_core_free(struct rv_call_core *core)
{
    struct rv_mem *mem = core->mem;

    rv_arena_done(&core->arena);
    rv_toolbox_unref(core->toolbox);
    rv_free(mem, core);
    rv_mem_unref(mem);
}

int rv_call_give_space(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    struct rv_call_space *space;

    if (call->space)
        rv_call_take_space(call);
    space = core->free_spaces;
    if (space)
        core->free_spaces = space->next_free;
    else
        space = rv_arena_alloc(&core->arena, sizeof *space);
    if (!space)
        return REEVE_ENOMEM;
    space->arguments = NULL;
    space->claims = NULL;
    space->data = NULL;
    space->evidence = NULL;
    space->evidence_len = 0;
    rv_arena_init(&space->arena, core->mem);
    rv_arena_lend(&space->arena, space->room, sizeof space->room);
    call->space = space;
    return 0;
}

void rv_call_take_space(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    struct rv_call_space *space = call->space;

    if (!space)
        return;
    if (space->arena.chunks && core->batch)
        rv_runtime_bury(core->batch->runtime, &space->arena);
    else if (space->arena.chunks)
        rv_arena_done(&space->arena);
    space->next_free = core->free_spaces;
    core->free_spaces = space;
    call->space = NULL;
}

/* From now on the tool has the call; what it may write counts as being written. */
static void take_out(struct reeve_tool_call *call)
{
    struct rv_call_core *core = call->core;
    const struct reeve_claim *claims;
    size_t count;

    call->out = true;
    rv_call_core_ref(core);
    if (call->effect == REEVE_EFFECT_READ)
        return;
    if (!call->tool->spec.describe || !rv_claims_hold(call)) {
        call->write = (uint8_t)rv_written_begin_all(&core->toolbox->cache.written);
        return;
    }
    claims = reeve_tool_call_claims(call, &count);
    call->write = (uint8_t)rv_written_begin(&core->toolbox->cache.written, claims, count);
}

/* The tool has the call no more. */
static void give_back(struct reeve_tool_call *call)
{
    size_t count;
    const struct reeve_claim *claims;

    call->out = false;
    if (call->write != RV_WRITE_NONE) {
        claims = reeve_tool_call_claims(call, &count);
        rv_written_end(&call->core->toolbox->cache.written, (enum rv_write)call->write, claims,
                       count);
        call->write = RV_WRITE_NONE;
    }
    rv_call_let_go(call);
    rv_call_core_unref(call->core);
}

static void not_taken(struct reeve_tool_call *call)
{
    assert(call->out && "a call whose start returns an error must not be finished");
    if (call->out)
        give_back(call);
}

int rv_call_start(struct reeve_tool_call *call)
{
    const struct reeve_tool *tool = &call->tool->spec;
    int error;

    take_out(call);
    error = tool->start(call, tool->arg);
    if (error)
        not_taken(call);
    else
        call->started = true;
    return error;
}

int rv_call_start_many(struct reeve_tool_call *const *calls, size_t count)
{
    const struct reeve_tool *tool = &calls[0]->tool->spec;
    size_t i;
    int error;

    for (i = 0; i < count; i++)
        take_out(calls[i]);
    error = tool->start_many(calls, count, tool->arg);
    for (i = 0; i < count; i++) {
        if (error)
            not_taken(calls[i]);
        else
            calls[i]->started = true;
    }
    return error;
}

void rv_call_check(struct reeve_tool_call *call, const void *evidence, size_t len)
{
    const struct reeve_tool *tool = &call->tool->spec;

    call->out = true;
    call->checking = true;
    rv_call_core_ref(call->core);
    tool->validate(call, evidence, len, tool->arg);
    call->started = call->checking;
}

RV_EXPORT void reeve_tool_call_validated(struct reeve_tool_call *call, int still_right)
{
    assert(call->checking && "a check is answered once");
    if (!call->checking)
        return;
    call->checking = false;
    call->started = false;
    call->told = false;
    call->space->data = NULL; /* if it runs now, its handle is new */
    if (call->core->batch)
        rv_reuse_checked(call, still_right != 0);
    give_back(call);
}

void rv_call_tell_its_tool(struct reeve_tool_call *call)
{
    const struct reeve_tool *tool = &call->tool->spec;

    call->told = true;
    if (tool->cancel)
        tool->cancel(call, tool->arg);
}

RV_EXPORT const char *reeve_tool_call_id(const struct reeve_tool_call *call)
{
    return call->result.call_id;
}

RV_EXPORT const char *reeve_tool_call_name(const struct reeve_tool_call *call)
{
    return call->result.tool;
}

RV_EXPORT const struct reeve_json *reeve_tool_call_arguments(const struct reeve_tool_call *call)
{
    return rv_call_arguments(call);
}

RV_EXPORT const char *reeve_tool_call_arg_string(const struct reeve_tool_call *call,
                                                 const char *key)
{
    return reeve_json_string(reeve_json_get(rv_call_arguments(call), key), NULL);
}

RV_EXPORT void *reeve_tool_call_context(const struct reeve_tool_call *call)
{
    return rv_call_context(call);
}

RV_EXPORT void reeve_tool_call_set_data(struct reeve_tool_call *call, void *data)
{
    call->space->data = data;
}

RV_EXPORT void *reeve_tool_call_data(const struct reeve_tool_call *call)
{
    return call->space->data;
}

RV_EXPORT int reeve_tool_call_set_evidence(struct reeve_tool_call *call, const void *bytes,
                                           size_t len)
{
    void *copy;

    call->space->evidence = NULL;
    if (len > REEVE_TOOL_EVIDENCE_MAX)
        return REEVE_ETOOBIG;
    copy = rv_arena_alloc(&call->space->arena, len + 1);
    if (!copy)
        return REEVE_ENOMEM;
    if (len)
        memcpy(copy, bytes, len);
    call->space->evidence = copy;
    call->space->evidence_len = len;
    return 0;
}

RV_EXPORT size_t reeve_tool_call_max_output_bytes(const struct reeve_tool_call *call)
{
    return call->core->max_output_bytes;
}

static void finish(struct reeve_tool_call *call, const struct rv_outcome *outcome)
{
    assert(call->out && !call->checking && "a call is finished once");
    if (!call->out || call->checking)
        return;
    if (call->core->batch)
        rv_flight_finished(call, outcome);
    give_back(call);
}

RV_EXPORT void reeve_tool_call_finish(struct reeve_tool_call *call, const char *text, size_t len)
{
    finish(call, &(struct rv_outcome){REEVE_CALL_SUCCEEDED, text, len, false});
}

/* Whether anybody will see what the call writes. */
static bool is_listened_to(const struct reeve_tool_call *call)
{
    return call->core->batch && (!call->answered || rv_sharing_is_wanted(call));
}

RV_EXPORT void reeve_tool_call_write(struct reeve_tool_call *call, const char *bytes, size_t len)
{
    assert(call->out && "a call that is finished writes no more");
    if (call->out && is_listened_to(call))
        rv_writing_add(call, bytes, len);
}

RV_EXPORT void reeve_tool_call_fail(struct reeve_tool_call *call, int retryable, const char *text,
                                    size_t len)
{
    finish(call, &(struct rv_outcome){REEVE_CALL_FAILED, text, len, retryable != 0});
}
