/* SPDX-License-Identifier: MIT */
/*
 * The order of the calls of one batch: where a write is ordered before a read. Calls take their
 * places one after the other, each with what it touches, and become steps of a chain:
 *
 *   none          nobody waits.
 *   writes_first  the writes one after another, then all reads at once.
 *   hazards       a call waits for the earlier ones that it must not overtake, and for no other.
 *
 * Two calls must not overtake each other if both touch a resource, or one of them a resource and
 * the other one what is above it, and at least one of them writes. A call that writes everything
 * (one of an unknown effect, most of all) is a barrier: it waits for all before it, and all behind
 * it wait for it. writes_first is the same rule for calls that touch nothing but everything, with
 * the reads added last, which is what rv_hazards_pass is for.
 *
 * A place costs a bounded number of edges for each level of what it touches, however many calls
 * there are before it, and a call that is over leaves nothing behind.
 */
#ifndef RV_TOOL_HAZARDS_H
#define RV_TOOL_HAZARDS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/list.h"
#include "flow/chain.h"
#include "tool/resources.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

struct rv_use;
struct rv_wait;
struct rv_join;

/* What the order knows of a resource. It is live while a call that is not over touches it or
 * something below. */
struct rv_touched {
    struct rv_resource resource;
    size_t live;             /* uses of it, and children that are live */
    struct rv_list in_alive; /* in its parent's */
    struct rv_list alive;    /* children that are live, what was written last first */
    uint64_t written;        /* the number of the last write of it or below it, while it is live */
    struct rv_use *writer;   /* the last one, until it is over */
    struct rv_list readers;  /* those since the writer that stand in no join, */
    struct rv_list joined;   /* and those that do */
    struct rv_join *reading; /* the end of those reads */
    struct rv_join *writing; /* the end of the writes below it up to the number */
    uint64_t writes_joined;
};

/* The place of one call in the order. */
struct rv_place {
    struct rv_step step;   /* runs when it is the call's turn */
    struct rv_use *uses;   /* what it touches */
    struct rv_wait *waits; /* edges to what it waits for */
    uint64_t number;
};

struct rv_hazards {
    struct reeve_runtime *runtime;
    enum reeve_grouping grouping;
    struct rv_resources resources;
    struct rv_touched everything;
    uint64_t number; /* of the last place */
    size_t places;   /* that are not over */
    struct rv_arena arena;
    struct rv_use *free_uses; /* to be used again */
    struct rv_wait *free_waits;
    struct rv_join *free_joins;
    struct rv_list joins; /* that are not over */
};

void rv_hazards_init(struct rv_hazards *hazards, struct reeve_runtime *runtime, struct rv_mem *mem,
                     enum reeve_grouping grouping);
void rv_hazards_done(struct rv_hazards *hazards);

/* How often the calls are to be gone through to be added. */
static inline unsigned rv_hazards_passes(const struct rv_hazards *hazards)
{
    return hazards->grouping == REEVE_GROUPING_WRITES_FIRST ? 2 : 1;
}

/* Whether a call of that effect is to be added in that pass (0, 1, …). */
static inline bool rv_hazards_pass(const struct rv_hazards *hazards, unsigned pass,
                                   enum reeve_effect effect)
{
    if (hazards->grouping != REEVE_GROUPING_WRITES_FIRST)
        return true;
    return (pass == 1) == (effect == REEVE_EFFECT_READ);
}

static inline struct rv_resource *rv_hazards_everything(struct rv_hazards *hazards)
{
    return &hazards->everything.resource;
}

/*
 * A call takes its place in three steps: begin; touch, once for each thing that it touches; take,
 * or drop if a touch has failed (REEVE_ENOMEM). Nothing else of these hazards comes between them.
 * After rv_hazards_take `turn` is run from the loop once nothing is left that it must wait for. The
 * place is the caller's, and stays where it is until rv_hazards_leave.
 */
void rv_hazards_begin(struct rv_hazards *hazards, struct rv_place *place,
                      void (*turn)(struct rv_step *step));
int rv_hazards_touch(struct rv_hazards *hazards, struct rv_place *place,
                     struct rv_resource *resource, bool writes);
/* As a touch that reads everything, of a place behind which none will come that writes: nothing
 * needs to know of it. */
int rv_hazards_read_last(struct rv_hazards *hazards, struct rv_place *place);
void rv_hazards_take(struct rv_hazards *hazards, struct rv_place *place);
void rv_hazards_drop(struct rv_hazards *hazards, struct rv_place *place);

/* The call is over, or will not run: what waited for it alone gets its turn. Before its own turn
 * only when the whole batch ends. */
void rv_hazards_leave(struct rv_hazards *hazards, struct rv_place *place);

/* Whatever took its place now would have to wait, so that there is no haste in adding it. */
static inline bool rv_hazards_blocked(const struct rv_hazards *hazards)
{
    return hazards->everything.writer != NULL;
}

/* Forget all resources, if no place is taken; what was found in them is gone. */
void rv_hazards_forget(struct rv_hazards *hazards);

#endif
