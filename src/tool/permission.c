/* SPDX-License-Identifier: MIT */
/* Asking the host whether a call may run, and acting on what it says. */
#include "tool/permission.h"

#include <assert.h>
#include <string.h>

#include "base/export.h"
#include "tool/batch.h"
#include "tool/flight.h"
#include "tool/output.h"
#include "tool/prepare.h"

static const char refused_text[] = "This call was refused, and nothing was done.";

void rv_permission_init(struct rv_permission *permission, struct rv_mem *mem)
{
    *permission = (struct rv_permission){.grants = &permission->own};
    rv_grants_init(&permission->own, mem);
}

void rv_permission_done(struct rv_permission *permission)
{
    assert(!permission->waiting && !permission->asked);
    rv_grants_done(&permission->own);
}

void rv_permission_want(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    if (call->permission != RV_PERMISSION_UNSAID)
        return;
    if (!batch->options.on_permission) {
        call->permission = RV_PERMISSION_GIVEN;
        return;
    }
    call->permission = RV_PERMISSION_WANTED;
    batch->permission.waiting++;
}

/* The call waits for no answer any more. */
static void leave(struct reeve_tool_call *call, enum rv_call_permission permission)
{
    struct rv_permission *asking = &call->core->batch->permission;

    asking->waiting--;
    if (asking->asked == call)
        asking->asked = NULL;
    call->permission = permission;
}

static bool waits(const struct reeve_tool_call *call)
{
    return call->permission == RV_PERMISSION_WANTED || call->permission == RV_PERMISSION_ASKED;
}

void rv_permission_drop(struct reeve_tool_call *call)
{
    if (waits(call))
        leave(call, RV_PERMISSION_UNSAID);
}

bool rv_permission_due(const struct reeve_batch *batch)
{
    const struct rv_permission *permission = &batch->permission;
    const struct reeve_tool_call *call;

    if (!batch->options.on_permission || batch->canceled || permission->asked ||
        permission->next == batch->core->count)
        return false;
    call = &batch->core->calls[permission->next];
    return call->answered || call->permission != RV_PERMISSION_UNSAID;
}

static void give(struct reeve_tool_call *call)
{
    leave(call, RV_PERMISSION_GIVEN);
    rv_flight_permitted(call);
}

static void ask(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    call->permission = RV_PERMISSION_ASKED;
    batch->permission.asked = call;
    batch->options.on_permission(batch, rv_call_index(call), call, batch->options.arg);
}

void rv_permission_step(struct reeve_batch *batch)
{
    struct reeve_tool_call *call = &batch->core->calls[batch->permission.next++];
    enum reeve_call_status status;
    struct rv_refusal refusal;

    if (call->answered || call->permission != RV_PERMISSION_WANTED)
        return;
    status = rv_prepare_again(call, &refusal);
    if (status != REEVE_CALL_PENDING) {
        rv_flight_answer_copy(call, status, refusal.text, refusal.len);
        rv_flight_settle(call);
    } else if (rv_grants_cover(batch->permission.grants, call)) {
        give(call);
    } else {
        ask(call);
    }
}

/* Put the text of a refusal together: 0 or REEVE_ENOMEM. */
static int say_refused(struct rv_output *output, const char *tool, const char *reason)
{
    static const char before[] = "The call of ";
    static const char with_reason[] = " was refused: ";
    static const char without[] = " was refused, and nothing was done. Do not try the same again.";
    int error = rv_output_add(output, before, strlen(before));

    if (!error)
        error = rv_output_add(output, tool, strlen(tool));
    if (!reason || !reason[0])
        return error ? error : rv_output_add(output, without, strlen(without));
    if (!error)
        error = rv_output_add(output, with_reason, strlen(with_reason));
    return error ? error : rv_output_add(output, reason, strlen(reason));
}

static void refuse(struct reeve_tool_call *call, const char *reason)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_output output;
    const char *text;
    size_t len;

    rv_output_init(&output, batch->mem, batch->options.max_output_bytes);
    if (say_refused(&output, call->tool->spec.name, reason) ||
        rv_output_end(&output, &batch->arena, &text, &len))
        rv_flight_answer(call, REEVE_CALL_REFUSED, refused_text);
    else
        rv_flight_answer_kept(call, REEVE_CALL_REFUSED, text, len);
    rv_output_done(&output);
    rv_flight_settle_later(call);
}

void rv_batch_use_grants(struct reeve_batch *batch, struct rv_grants *grants)
{
    batch->permission.grants = grants;
}

RV_EXPORT void reeve_batch_permit(struct reeve_batch *batch, size_t index,
                                  enum reeve_permission answer, const char *reason)
{
    struct reeve_tool_call *call = batch->permission.asked;

    if (!call || batch->canceled || rv_call_index(call) != index)
        return;
    switch (answer) {
    case REEVE_PERMISSION_ALWAYS:
        rv_grants_add(batch->permission.grants, call);
        give(call);
        break;
    case REEVE_PERMISSION_ALLOW:
        give(call);
        break;
    case REEVE_PERMISSION_REFUSE:
    default:
        refuse(call, reason);
    }
    rv_batch_look_for_work(batch);
}
