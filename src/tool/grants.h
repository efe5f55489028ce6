/* SPDX-License-Identifier: MIT */
/*
 * What may run without being asked about again: "always", said of a call. It holds for later calls
 * of the same tool that do no more to the world than that one did (a read was allowed: reads), and
 * for a call of an unknown effect, such as a command, only for the very same arguments.
 *
 * A batch has its own; one that is to last longer is handed to it (rv_batch_use_grants).
 */
#ifndef RV_TOOL_GRANTS_H
#define RV_TOOL_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "tool/call.h"

struct rv_grants {
    struct rv_map map;
    size_t bytes; /* of its keys; bounded */
};

void rv_grants_init(struct rv_grants *grants, struct rv_mem *mem);
void rv_grants_done(struct rv_grants *grants);

/* Both of a call whose tool and arguments are known. What there is no memory or no room for is not
 * remembered, or not found: that call is asked about. */
void rv_grants_add(struct rv_grants *grants, const struct reeve_tool_call *call);
bool rv_grants_cover(const struct rv_grants *grants, const struct reeve_tool_call *call);

#endif
