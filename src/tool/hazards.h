/* SPDX-License-Identifier: MIT */
/*
 * The order of the calls of one batch: where a write is ordered before a read. Calls are added one
 * after the other, each with its effect, and become steps of a chain:
 *
 *   none          nobody waits.
 *   writes_first  the writes one after another, then all reads at once.
 *   hazards       a call waits for the earlier ones that it must not overtake, and for no other.
 *
 * A call of an unknown effect counts as a write. Without knowledge of what a write touches it is
 * taken to touch everything, so it is a barrier: it waits for all calls added before it, and all
 * that are added after it wait for it. writes_first is the same rule with the reads added last,
 * which is what rv_hazards_pass is for.
 *
 * There are at most two edges a call.
 */
#ifndef RV_TOOL_HAZARDS_H
#define RV_TOOL_HAZARDS_H

#include <stdbool.h>

#include "base/list.h"
#include "flow/chain.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

/* The place of one call in the order. */
struct rv_place {
    struct rv_step step;         /* runs when it is the call's turn */
    struct rv_chain_edge behind; /* this call waits for the barrier before it */
    struct rv_chain_edge ahead;  /* the barrier after it waits for this call */
    struct rv_list read;         /* in rv_hazards.reads */
};

struct rv_hazards {
    struct reeve_runtime *runtime;
    enum reeve_grouping grouping;
    struct rv_place *barrier; /* the last write, if it is not over */
    struct rv_list reads;     /* added after it and not over */
};

void rv_hazards_init(struct rv_hazards *hazards, struct reeve_runtime *runtime,
                     enum reeve_grouping grouping);

/* How often the calls are to be gone through to be added, and whether a call of that effect is to
 * be added in that pass (0, 1, …). */
unsigned rv_hazards_passes(const struct rv_hazards *hazards);
bool rv_hazards_pass(const struct rv_hazards *hazards, unsigned pass, enum reeve_effect effect);

/*
 * Add a call: `turn` is run from the loop once nothing is left that it must wait for. The place is
 * the caller's, and stays where it is until rv_hazards_leave.
 */
void rv_hazards_add(struct rv_hazards *hazards, struct rv_place *place, enum reeve_effect effect,
                    void (*turn)(struct rv_step *step));

/* The call is over, or will not run: what waited for it alone gets its turn. Before its own turn
 * only when the whole batch ends. */
void rv_hazards_leave(struct rv_hazards *hazards, struct rv_place *place);

/* Whatever were added now would have to wait, so that there is no haste in adding it. */
bool rv_hazards_blocked(const struct rv_hazards *hazards);

#endif
