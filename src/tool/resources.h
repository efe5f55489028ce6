/* SPDX-License-Identifier: MIT */
/*
 * What calls touch, as a tree of names: everything; below it the kinds of resources; below a kind
 * its keys. A path's key is one name after the other, so that a folder stands above what is in it
 * and "a" is no part of "ab". Any other key is one name.
 *
 * A resource stays where it is until the whole tree is forgotten. What is to be known about it is
 * its owner's, whose struct begins with a struct rv_resource: the order of calls (hazards.c), the
 * times of writes (written.c).
 */
#ifndef RV_TOOL_RESOURCES_H
#define RV_TOOL_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct rv_resource {
    struct rv_resource *parent; /* NULL: it is everything */
    const char *name;           /* not NUL-terminated */
    size_t len;
    uint64_t hash;
    struct rv_resource *found[4]; /* of the search by hash, over the whole tree */
};

struct rv_resources {
    struct rv_arena arena;
    struct rv_resource *top; /* everything; it stands in the owner's struct */
    size_t size;             /* of a resource and what its owner has behind it */
    void (*init)(struct rv_resource *resource);
    size_t count; /* the top not counted */
    uint64_t seed;
};

/* `init` sets what is the owner's in a resource that is all zero there. */
void rv_resources_init(struct rv_resources *resources, struct rv_mem *mem, struct rv_resource *top,
                       size_t size, void (*init)(struct rv_resource *resource));
void rv_resources_done(struct rv_resources *resources);

/* The tree is but its top again, and that is new. */
void rv_resources_forget(struct rv_resources *resources);

/* What the key names, made if it is new; a path's key is a canonical one. NULL: no memory. */
struct rv_resource *rv_resources_find(struct rv_resources *resources, const char *kind,
                                      const char *key);

/* What the key names, or what of that is above it and exists. Nothing is made. */
struct rv_resource *rv_resources_nearest(const struct rv_resources *resources, const char *kind,
                                         const char *key, bool *ret_is_it);

#endif
