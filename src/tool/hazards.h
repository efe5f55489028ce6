/* SPDX-License-Identifier: MIT */
/*
 * The order of the calls of one batch: where a write is ordered before a read. Calls are added in
 * the order given, each with its effect; this turns them into steps of a chain by the batch's
 * grouping:
 *
 *   none          nobody waits.
 *   writes_first  the writes one after another, then all reads at once.
 *   hazards       a call waits for the earlier ones that it must not overtake, and for no other.
 *
 * A call of an unknown effect counts as a write. For `hazards` a write touches everything, so it is
 * a barrier: it waits for all earlier calls, and all later ones wait for it. The number of edges is
 * at most two a call, whatever the order.
 */
#ifndef RV_TOOL_HAZARDS_H
#define RV_TOOL_HAZARDS_H

#include "flow/chain.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

/* The place of one call in the order. Lives as long as the rv_hazards. */
struct rv_place {
    struct rv_step step;         /* runs when it is the call's turn; to be finished by the owner */
    struct rv_chain_edge behind; /* this call waits for the barrier before it */
    struct rv_chain_edge ahead;  /* the barrier after it waits for this call */
    struct rv_place *earlier_read; /* reads since the last barrier, the latest first */
};

struct rv_hazards {
    enum reeve_grouping grouping;
    struct rv_place *barrier;    /* the last write */
    struct rv_place *last_read;  /* since then */
    struct rv_step reads_gate;   /* writes_first: the reads wait for it */
    struct rv_chain_edge behind; /* the gate waits for the last write */
};

void rv_hazards_init(struct rv_hazards *hazards, struct reeve_runtime *runtime,
                     enum reeve_grouping grouping);

/*
 * The next call: `turn` is run from the loop as soon as nothing that it must wait for is left,
 * which may be while later calls are still being added.
 */
void rv_hazards_add(struct rv_hazards *hazards, struct rv_place *place, enum reeve_effect effect,
                    void (*turn)(struct rv_step *step));

/* There will be no more calls. */
void rv_hazards_close(struct rv_hazards *hazards);

/* Forget it all, with no step run any more: what is not over is over. */
void rv_hazards_done(struct rv_hazards *hazards);

#endif
