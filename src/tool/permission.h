/* SPDX-License-Identifier: MIT */
/*
 * May a call run? The host is asked, in the order of the calls, one question at a time.
 *
 *   UNSAID ──▶ WANTED ──▶ ASKED ──▶ GIVEN
 *     │           └──────────────────▲      covered by an earlier "always"
 *     └──────────────────────────────┘      nobody wants to be asked
 *
 * A call wants permission once it is known to be valid (rv_permission_want), and has its place in
 * the order from then on; it holds no permit. Refused or cancelled, it is answered, and the
 * question is void. A cursor goes over the calls of the batch, from the work task: it waits where a
 * call is not yet looked at, and while a question is open.
 */
#ifndef RV_TOOL_PERMISSION_H
#define RV_TOOL_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool/grants.h"

struct rv_permission {
    struct reeve_tool_call *asked; /* the question that is open, or NULL */
    size_t next;                   /* calls before this one have been asked about, or need not be */
    uint32_t waiting;              /* calls that are WANTED or ASKED */
    struct rv_grants own;
    struct rv_grants *grants; /* these, or those that were handed over */
};

void rv_permission_init(struct rv_permission *permission, struct rv_mem *mem);
void rv_permission_done(struct rv_permission *permission);

/* The call is valid, and may be asked about. */
void rv_permission_want(struct reeve_tool_call *call);

/* The call has been answered: no permission is needed any more. */
void rv_permission_drop(struct reeve_tool_call *call);

/* The cursor can move; then this moves it by one call. The batch may be gone afterwards. */
bool rv_permission_due(const struct reeve_batch *batch);
void rv_permission_step(struct reeve_batch *batch);

#endif
