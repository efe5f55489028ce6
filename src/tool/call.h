/* SPDX-License-Identifier: MIT */
/*
 * Running calls, and the memory that they live in.
 *
 * A host's tool may hold a call's handle longer than anything else lives: past the batch, the
 * toolbox and the runtime. So all calls of a batch, with the texts and arguments that a tool may
 * ask for, stand in a reference-counted core: the batch has one reference, and so has each call
 * that a tool holds. The core keeps the toolbox (for `arg`) and the memory.
 */
#ifndef RV_TOOL_CALL_H
#define RV_TOOL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "flow/semaphore.h"
#include "loop/ready.h"
#include "loop/timer.h"
#include "tool/hazards.h"
#include "tool/toolbox.h"
#include "json/arena.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

struct rv_call_core;

enum rv_call_state {
    RV_CALL_NEW,      /* not yet looked at */
    RV_CALL_WAITING,  /* for its turn in the order */
    RV_CALL_QUEUED,   /* for a permit */
    RV_CALL_STARTING, /* has its permit; on_start or the tool's start is on the stack */
    RV_CALL_RUNNING,  /* started: until the tool has finished or the call is abandoned */
    RV_CALL_OVER,     /* holds neither permit nor place */
};

struct reeve_tool_call {
    struct rv_call_core *core;
    struct reeve_call text; /* as it was given; copied */
    const struct rv_tool *tool;
    const struct reeve_json *arguments;
    enum rv_call_state state;
    bool out;      /* the tool holds the handle: from before its start to its finish */
    bool started;  /* the tool's start returned 0 */
    bool answered; /* its result is settled */
    bool reported; /* on_result was called; if the tool still has the call, its cancel was too */
    struct rv_place place;
    struct rv_permit permit;
    struct rv_timer timer; /* of the time limit, after the answer of the abandonment */
    struct rv_task settle;
};

struct rv_call_core {
    struct rv_mem *mem;
    size_t refs;
    struct reeve_batch *batch; /* NULL once it has ended */
    struct reeve_toolbox *toolbox;
    void *context;
    size_t max_output_bytes;
    struct rv_arena arguments; /* of all calls, parsed */
    size_t count;
    struct reeve_tool_call calls[]; /* and behind them their texts */
};

/* A core with one reference, its calls copied and new. 0 or REEVE_ENOMEM. */
int rv_call_core_new(struct reeve_toolbox *toolbox, const struct reeve_call *calls, size_t count,
                     struct rv_call_core **ret_core);
void rv_call_core_ref(struct rv_call_core *core);
void rv_call_core_unref(struct rv_call_core *core);

static inline size_t rv_call_index(const struct reeve_tool_call *call)
{
    return (size_t)(call - call->core->calls);
}

/*
 * Hand the call to its tool: what the tool's start returned. The core may be gone afterwards,
 * unless the caller has a reference.
 */
int rv_call_start(struct reeve_tool_call *call);

/* Call the tool's cancel function, if the tool has the call and wants to know. */
void rv_call_tell_canceled(struct reeve_tool_call *call);

/* The tool has the call no more. */
void rv_call_give_back(struct reeve_tool_call *call);

#endif
