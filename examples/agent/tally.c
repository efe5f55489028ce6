/* SPDX-License-Identifier: MIT */
/* Counting what runs. */
#include "agent/tally.h"

#include <string.h>

void tally_begin_run(struct tally *tally)
{
    *tally = (struct tally){.running = 0};
}

const struct tally_call *tally_find(const struct tally *tally, const struct reeve_call *call)
{
    uint32_t i;

    for (i = 0; i < tally->running; i++)
        if (tally->calls[i].call == call)
            return &tally->calls[i];
    return NULL;
}

static void started(struct tally *tally, const struct reeve_tool_event *event)
{
    if (tally->running == TALLY_MOST_RUNNING)
        return;
    if (!tally->running)
        tally->busy_since_us = event->at_us;
    tally->calls[tally->running].call = event->call;
    tally->calls[tally->running++].started_us = event->at_us;
    if (tally->running > tally->peak)
        tally->peak = tally->running;
}

/* A call that ends has not always begun. */
static void ended(struct tally *tally, const struct reeve_tool_event *event)
{
    const struct tally_call *found = tally_find(tally, event->call);
    size_t behind;

    tally->canceled += event->result->status == REEVE_CALL_CANCELED;
    if (!found)
        return;
    tally->ended++;
    tally->sum_us += event->at_us - found->started_us;
    behind = (size_t)(tally->calls + tally->running - found) - 1;
    memmove(tally->calls + (found - tally->calls), found + 1, behind * sizeof *found);
    if (!--tally->running)
        tally->busy_us += event->at_us - tally->busy_since_us;
}

void tally_add(struct tally *tally, const struct reeve_tool_event *event)
{
    if (event->kind == REEVE_TOOL_STARTED)
        started(tally, event);
    else if (event->kind == REEVE_TOOL_ENDED)
        ended(tally, event);
}
