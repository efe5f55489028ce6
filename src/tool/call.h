/* SPDX-License-Identifier: MIT */
/*
 * Calls as their tools know them, and the memory that they live in.
 *
 * A host's tool may hold a call's handle longer than anything else lives: past the batch, the
 * toolbox and the runtime. So all calls of a batch, with the texts and arguments that a tool may
 * ask for, stand in a reference-counted core: the batch has one reference, and so has each call
 * that a tool holds. The core keeps the toolbox (for `arg`) and the memory.
 *
 * There may be a hundred thousand calls in a core, so a call is small: most of what it would cost
 * besides is the touching of new memory. What it needs only for a while is lent to it, and to
 * another one afterwards: by the batch what it takes to run (tool/flight.h), by the core what its
 * tool may ask for (struct rv_call_space).
 */
#ifndef RV_TOOL_CALL_H
#define RV_TOOL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "tool/toolbox.h"
#include "tool/written.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

struct rv_call_core;
struct rv_flight;
struct rv_claims;

enum rv_call_state {
    RV_CALL_NEW,       /* not yet looked at */
    RV_CALL_DESCRIBED, /* may run; what it touches is being found out (claims.h) */
    RV_CALL_WAITING,   /* for its turn in the order */
    RV_CALL_READY,     /* its turn has come; it waits for permission */
    RV_CALL_CHECKING,  /* its tool is asked whether a kept result is right (reuse.h) */
    RV_CALL_SHARING,   /* it waits for an equal call's run (sharing.h) */
    RV_CALL_QUEUED,    /* for a permit */
    RV_CALL_STARTING,  /* has its permit; on_start or the tool's start is on the stack */
    RV_CALL_GATHERED,  /* has its permit, and is to be started with others (gather.h) */
    RV_CALL_RUNNING,   /* started: until the tool has finished or the call is abandoned */
    RV_CALL_RESTING,   /* has failed, and waits without a permit to be tried again */
    RV_CALL_OVER,      /* holds neither permit nor place */
};

/* May it run? (permission.h) */
enum rv_call_permission {
    RV_PERMISSION_UNSAID, /* not yet known to be valid; or answered meanwhile */
    RV_PERMISSION_WANTED,
    RV_PERMISSION_ASKED, /* the question is open */
    RV_PERMISSION_GIVEN,
};

struct reeve_tool_call {
    struct rv_call_core *core;
    struct reeve_result result; /* its id and the tool's name, too */
    const char *text;           /* the arguments as they were written */
    size_t text_len;
    struct rv_tool *tool;
    struct rv_call_space *space;     /* from when its arguments are read; see rv_call_let_go */
    struct rv_flight *flight;        /* from WAITING to RUNNING */
    struct reeve_tool_call *settles; /* the next in reeve_batch.settling */
    enum rv_call_state state : 8;
    enum reeve_effect effect : 8; /* its own, once it is described */
    enum rv_call_permission permission : 8;
    uint8_t write; /* enum rv_write: where what it writes while it is out is remembered */
    bool out : 1;  /* the tool holds the handle: from before its start to its finish, or to check */
    bool started : 1;     /* the tool's start returned 0 */
    bool answered : 1;    /* its result is settled */
    bool told : 1;        /* the tool's cancel was called */
    bool reported : 1;    /* on_result was called */
    bool settling : 1;    /* it stands in reeve_batch.settling */
    bool normalized : 1;  /* its arguments are not as they were written (normalize.h) */
    bool closed : 1;      /* brackets were added to them: it may only read */
    bool undescribed : 1; /* it reads; what, has not been asked (claims.h) */
    bool checking : 1;    /* out, its tool is to say whether a kept result is right */
    bool again : 1;       /* its tool has failed, and is to be started again */
};

enum {
    RV_CALL_ROOM = 456, /* enough for most arguments and claims, without a chunk of their own */
};

struct rv_call_space {
    struct rv_call_space *next_free;
    const struct reeve_json *arguments; /* parsed */
    struct rv_claims *claims; /* what it touches; NULL: nothing, or its tool does not say */
    void *data;               /* the tool's own */
    const void *evidence;     /* what its result stands on; NULL: the tool has not said */
    size_t evidence_len;
    struct rv_arena arena;   /* of arguments and claims */
    char room[RV_CALL_ROOM]; /* the first of the arena's memory */
};

struct rv_call_core {
    struct rv_mem *mem;
    size_t refs;
    struct reeve_batch *batch; /* NULL once it has ended */
    struct reeve_toolbox *toolbox;
    struct rv_tool *found; /* last: many calls in a row are mostly of one tool, */
    const char *found_as;  /* and have its name from one place */
    bool may_write;        /* a call, by what was known of it at its submission */
    void *context;
    void **contexts; /* of each call, or NULL */
    size_t max_output_bytes;
    struct rv_arena arena;             /* spaces, names of what calls touch, contexts */
    struct rv_call_space *free_spaces; /* to be used again */
    size_t count;
    struct reeve_tool_call calls[]; /* and behind them their texts */
};

/* A core with one reference, its calls copied and new. 0 or REEVE_ENOMEM. */
int rv_call_core_new(struct reeve_toolbox *toolbox, const struct reeve_call *calls, size_t count,
                     struct rv_call_core **ret_core);
void rv_call_core_free(struct rv_call_core *core);

static inline void rv_call_core_ref(struct rv_call_core *core)
{
    core->refs++;
}

static inline void rv_call_core_unref(struct rv_call_core *core)
{
    if (!--core->refs)
        rv_call_core_free(core);
}

static inline size_t rv_call_index(const struct reeve_tool_call *call)
{
    return (size_t)(call - call->core->calls);
}

static inline const struct reeve_json *rv_call_arguments(const struct reeve_tool_call *call)
{
    return call->space ? call->space->arguments : NULL;
}

static inline void *rv_call_context(const struct reeve_tool_call *call)
{
    const struct rv_call_core *core = call->core;
    void *own = core->contexts ? core->contexts[rv_call_index(call)] : NULL;

    return own ? own : core->context;
}

/* An empty space for the call, instead of the one that it has. 0 or REEVE_ENOMEM. */
int rv_call_give_space(struct reeve_tool_call *call);

/* The call's space is free to be used again. No effect if it has none. */
void rv_call_take_space(struct reeve_tool_call *call);

/* The same if nobody can ask for what is in it any more: the call is over, and its tool has let go
 * of it. */
static inline void rv_call_let_go(struct reeve_tool_call *call)
{
    if (call->state == RV_CALL_OVER && !call->out)
        rv_call_take_space(call);
}

/*
 * Hand the call to its tool: what the tool's start returned. The core may be gone afterwards,
 * unless the caller has a reference.
 */
int rv_call_start(struct reeve_tool_call *call);

/* The same for many calls of one tool with start_many. */
int rv_call_start_many(struct reeve_tool_call *const *calls, size_t count);

/* Have its tool say whether a kept result is right: rv_reuse_checked is to follow. */
void rv_call_check(struct reeve_tool_call *call, const void *evidence, size_t len);

void rv_call_tell_its_tool(struct reeve_tool_call *call);

/* Call the tool's cancel function, once, if the tool has the call and wants to know. The core may
 * be gone afterwards, as above. */
static inline void rv_call_tell_canceled(struct reeve_tool_call *call)
{
    if (call->started && call->out && !call->told) /* it may have no tool at all */
        rv_call_tell_its_tool(call);
}

#endif
