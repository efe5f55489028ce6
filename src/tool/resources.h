/* SPDX-License-Identifier: MIT */
/*
 * What calls touch, as a tree of names: everything; below it the kinds of resources; below a kind
 * its keys. A path's key is one name after the other, so that a folder stands above what is in it
 * and "a" is no part of "ab". Any other key is one name.
 *
 * A resource stays where it is until the whole tree is forgotten. What the order of calls needs to
 * know about it is hazards.c's.
 */
#ifndef RV_TOOL_RESOURCES_H
#define RV_TOOL_RESOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"

struct rv_use;
struct rv_join;

struct rv_resource {
    struct rv_resource *parent; /* NULL: it is everything */
    const char *name;           /* not NUL-terminated */
    size_t len;
    uint64_t hash;
    struct rv_resource *found[4]; /* of the search by hash, over the whole tree */

    /* Of hazards.c. A resource is live while a call that is not over touches it or something below.
     */
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

struct rv_resources {
    struct rv_arena arena;
    struct rv_resource top; /* everything */
    uint64_t seed;
};

void rv_resources_init(struct rv_resources *resources, struct rv_mem *mem);
void rv_resources_done(struct rv_resources *resources);

/* The tree is but its top again. */
void rv_resources_forget(struct rv_resources *resources);

/* What the key names, made if it is new; a path's key is a canonical one. NULL: no memory. */
struct rv_resource *rv_resources_find(struct rv_resources *resources, const char *kind,
                                      const char *key);

#endif
