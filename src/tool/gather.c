/* SPDX-License-Identifier: MIT */
/* Calls that are started together. */
#include "tool/gather.h"

#include "tool/batch.h"
#include "tool/flight.h"

enum { MOST_AT_ONCE = 256 };

void rv_gather_add(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;

    call->state = RV_CALL_GATHERED;
    rv_list_append(&batch->gathered, &call->flight->link);
    rv_batch_look_for_work(batch);
}

bool rv_gather_due(const struct reeve_batch *batch)
{
    return !rv_list_empty(&batch->gathered) && batch->permits.held == batch->running;
}

static size_t most_of(const struct rv_tool *tool)
{
    const size_t most = tool->spec.most_at_once;

    return most && most < MOST_AT_ONCE ? most : MOST_AT_ONCE;
}

/* Take out the first, and what goes with it. */
static size_t take(struct reeve_batch *batch, struct reeve_tool_call **ret_calls)
{
    struct rv_list *node = batch->gathered.next, *after;
    const struct rv_tool *tool = rv_list_entry(node, struct rv_flight, link)->call->tool;
    const size_t most = most_of(tool);
    size_t count = 0;

    for (; node != &batch->gathered && count < most; node = after) {
        struct rv_flight *flight = rv_list_entry(node, struct rv_flight, link);

        after = node->next;
        if (flight->call->tool != tool)
            continue;
        rv_list_remove(node);
        if (rv_flight_is_not_to_run(flight->call)) {
            rv_flight_settle_later(flight->call);
            continue;
        }
        flight->call->state = RV_CALL_STARTING;
        ret_calls[count++] = flight->call;
    }
    return count;
}

void rv_gather_start_next(struct reeve_batch *batch)
{
    struct rv_call_core *core = batch->core;
    struct reeve_tool_call *calls[MOST_AT_ONCE];
    size_t count = take(batch, calls), i;
    int error;

    if (!count)
        return;
    for (i = 0; i < count; i++)
        rv_flight_enter(calls[i]);
    rv_call_core_ref(core);
    error = rv_call_start_many(calls, count);
    for (i = 0; i < count; i++)
        rv_flight_started(calls[i], error);
    rv_call_core_unref(core);
}
