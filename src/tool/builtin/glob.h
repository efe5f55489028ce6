/* SPDX-License-Identifier: MIT */
/*
 * Patterns for paths, name by name: "*" stands for any characters of a name, "?" for one, "[a-z]"
 * and "[!a-z]" for one of a set, "**" for any number of folders, "{a,b}" for one of its parts, "\"
 * takes the next character as it is. What has been matched of a path so far is a set of places in
 * the pattern, so that a walk takes it along: no name is looked at twice, and a name costs at most
 * its length times the pattern's.
 */
#ifndef RV_TOOL_BUILTIN_GLOB_H
#define RV_TOOL_BUILTIN_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum {
    RV_GLOB_MAX_BYTES = 1024,
    RV_GLOB_MAX_NAMES = 63,
    RV_GLOBS_MAX = 16, /* that braces may stand for */
};

struct rv_glob_name {
    const char *text;
    uint16_t len;
    bool any_depth; /* "**" */
};

/* One without braces. */
struct rv_glob {
    size_t count;
    bool folders_only; /* a slash stood at its end */
    struct rv_glob_name names[];
};

/* Lives in the arena, its text too. 0; REEVE_EINVAL (nothing in it, or a ".."); REEVE_ETOOBIG;
 * REEVE_ENOMEM. */
int rv_glob_new(struct rv_arena *arena, const char *text, size_t len, struct rv_glob **ret_glob);

/* Before the first name of a path. */
uint64_t rv_glob_start(const struct rv_glob *glob);
/*
 * After one more name. `steps` counts what it cost. With `literally` only what stands in the
 * pattern as it is matches, no wildcard.
 */
uint64_t rv_glob_step(const struct rv_glob *glob, uint64_t state, const char *name, size_t len,
                      bool literally, size_t *steps);
/* The path so far matches; something below it might. */
bool rv_glob_matches(const struct rv_glob *glob, uint64_t state);
bool rv_glob_goes_on(const struct rv_glob *glob, uint64_t state);

/* A pattern with braces. */
struct rv_globs {
    size_t count;
    struct rv_glob *glob[RV_GLOBS_MAX];
};

struct rv_globs_state {
    uint64_t state[RV_GLOBS_MAX];
};

/* As rv_glob_new; REEVE_ETOOBIG also if the braces stand for too many. `anywhere`: one without a
 * slash is for names in any folder. */
int rv_globs_parse(struct rv_globs *globs, struct rv_arena *arena, const char *text, size_t len,
                   bool anywhere);
struct rv_globs_state rv_globs_start(const struct rv_globs *globs);

struct rv_globs_found {
    bool matches;
    bool goes_on;
};
struct rv_globs_found rv_globs_step(const struct rv_globs *globs, struct rv_globs_state *state,
                                    const char *name, size_t len, bool is_folder, size_t *steps);

#endif
