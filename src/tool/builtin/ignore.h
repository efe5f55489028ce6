/* SPDX-License-Identifier: MIT */
/*
 * What the .gitignore files of a folder and of those above it say of a name: the last line that
 * matches decides. A rule is taken down a walk as its glob's state, so that no path is matched from
 * its beginning again.
 */
#ifndef RV_TOOL_BUILTIN_IGNORE_H
#define RV_TOOL_BUILTIN_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum {
    RV_IGNORE_MAX_BYTES = 64 * 1024, /* of a file that is looked at */
    RV_IGNORE_MAX_RULES = 2000,      /* in force at once; what comes later is left out */
};

struct rv_ignore;

/*
 * The rules of a folder, in its arena: those of the folder above it, `up` (NULL: none), which live
 * longer, and behind them those of its own file, `text` (may be NULL). `name` is the folder's; NULL
 * for the root. 0 or REEVE_ENOMEM.
 */
int rv_ignore_new(struct rv_arena *arena, const struct rv_ignore *up, const char *name,
                  const char *text, size_t len, struct rv_ignore **ret_ignore);

/* Of a name in that folder. `steps` counts what it cost. */
bool rv_ignore_has(const struct rv_ignore *ignore, const char *name, size_t len, bool is_folder,
                   size_t *steps);

#endif
