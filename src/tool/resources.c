/* SPDX-License-Identifier: MIT */
/*
 * The names that calls touch. All of them are found through one tree by hash, four ways at a node:
 * it grows a node at a time, so that no insertion takes longer than another.
 */
#include "tool/resources.h"

#include <string.h>

#include "base/hash.h"

#include <reeve/tool.h>

static void init_resource(struct rv_resources *resources, struct rv_resource *resource)
{
    memset(resource, 0, resources->size);
    resource->name = "";
    resources->init(resource);
}

void rv_resources_init(struct rv_resources *resources, struct rv_mem *mem, struct rv_resource *top,
                       size_t size, void (*init)(struct rv_resource *resource))
{
    *resources = (struct rv_resources){.top = top, .size = size, .init = init};
    rv_arena_init(&resources->arena, mem);
    init_resource(resources, top);
    resources->seed = rv_hash_seed(resources);
}

void rv_resources_done(struct rv_resources *resources)
{
    rv_arena_done(&resources->arena);
}

void rv_resources_forget(struct rv_resources *resources)
{
    rv_arena_clear(&resources->arena);
    resources->count = 0;
    init_resource(resources, resources->top);
}

static struct rv_resource *new_resource(struct rv_resources *resources, struct rv_resource *parent,
                                        const char *name, size_t len, uint64_t hash)
{
    struct rv_resource *resource = rv_arena_alloc(&resources->arena, resources->size);
    char *copy = rv_arena_alloc_bytes(&resources->arena, len + 1);

    if (!resource || !copy)
        return NULL;
    if (len)
        memcpy(copy, name, len);
    init_resource(resources, resource);
    resource->parent = parent;
    resource->name = copy;
    resource->len = len;
    resource->hash = hash;
    resources->count++;
    return resource;
}

/* Where the child stands or would stand. */
static struct rv_resource **place_of(const struct rv_resources *resources,
                                     const struct rv_resource *parent, const char *name, size_t len,
                                     uint64_t *ret_hash)
{
    uint64_t hash = rv_hash(resources->seed ^ (uint64_t)(uintptr_t)parent, name, len), left;
    struct rv_resource **at = &resources->top->found[hash >> 62];

    *ret_hash = hash;
    for (left = hash << 2; *at; at = &(*at)->found[left >> 62], left <<= 2)
        if ((*at)->hash == hash && (*at)->parent == parent && (*at)->len == len &&
            !memcmp((*at)->name, name, len))
            break;
    return at;
}

/* From a resource, the names of a key lead downwards, one at a time. */
struct descent {
    const char *left; /* of the key; NULL: nothing */
    bool is_path;
    const char *name;
    size_t len;
};

static struct descent descend(const char *kind, const char *key)
{
    return (struct descent){.left = key, .is_path = !strcmp(kind, REEVE_RESOURCE_PATH)};
}

static bool next_name(struct descent *descent)
{
    if (!descent->left)
        return false;
    descent->name = descent->left;
    if (!descent->is_path) {
        descent->len = strlen(descent->name);
        descent->left = NULL;
        return true;
    }
    descent->name += strspn(descent->name, "/");
    descent->len = strcspn(descent->name, "/");
    descent->left = descent->name + descent->len;
    return descent->len > 0;
}

static struct rv_resource *child(struct rv_resources *resources, struct rv_resource *parent,
                                 const char *name, size_t len)
{
    uint64_t hash;
    struct rv_resource **at = place_of(resources, parent, name, len, &hash);

    if (!*at)
        *at = new_resource(resources, parent, name, len, hash);
    return *at;
}

struct rv_resource *rv_resources_find(struct rv_resources *resources, const char *kind,
                                      const char *key)
{
    struct rv_resource *at = child(resources, resources->top, kind, strlen(kind));
    struct descent descent = descend(kind, key);

    while (at && next_name(&descent))
        at = child(resources, at, descent.name, descent.len);
    return at;
}

struct rv_resource *rv_resources_nearest(const struct rv_resources *resources, const char *kind,
                                         const char *key, bool *ret_is_it)
{
    struct descent descent = descend(kind, key);
    struct rv_resource *at = resources->top, *below;
    const char *name = kind;
    size_t len = strlen(kind);
    uint64_t hash;

    for (;;) {
        below = *place_of(resources, at, name, len, &hash);
        *ret_is_it = below != NULL;
        if (!below)
            return at;
        at = below;
        if (!next_name(&descent))
            return at;
        name = descent.name;
        len = descent.len;
    }
}
