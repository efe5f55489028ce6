/* SPDX-License-Identifier: MIT */
/*
 * Arguments that models get wrong, put right where what was meant is certain: the text (quotes,
 * commas, brackets missing at its end: json/repair.h), names that the tool takes for others, and
 * values, led by the schema (json/schema_fit.h). Tried only when the arguments as they stand do not
 * do; what comes out is held against the schema like any others.
 */
#ifndef RV_TOOL_NORMALIZE_H
#define RV_TOOL_NORMALIZE_H

#include <stdbool.h>

#include "tool/call.h"

enum {
    RV_NORMALIZE_MAX_BYTES = 256 * 1024, /* of arguments; longer ones stay as they are */
};

/* Whether a member of the arguments has a name that the tool takes for another. */
bool rv_normalize_has_alias(const struct rv_tool *tool, const struct reeve_json *arguments);

/*
 * The call's arguments, normalised and valid, are set; call->normalized too, and call->closed if
 * brackets were added. 0; REEVE_EPARSE: there is no way; REEVE_ENOMEM. Uses the toolbox's reader.
 */
int rv_normalize_call(struct reeve_tool_call *call);

#endif
