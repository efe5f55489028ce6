/* SPDX-License-Identifier: MIT */
/*
 * The names that calls touch. All of them are found through one tree by hash, four ways at a node:
 * it grows a node at a time, so that no insertion takes longer than another.
 */
#include "tool/resources.h"

#include <string.h>

#include "base/hash.h"

#include <reeve/tool.h>

static void init_resource(struct rv_resource *resource)
{
    rv_list_init(&resource->in_alive);
    rv_list_init(&resource->alive);
    rv_list_init(&resource->readers);
    rv_list_init(&resource->joined);
}

static void init_top(struct rv_resources *resources)
{
    resources->top = (struct rv_resource){.name = ""};
    init_resource(&resources->top);
}

void rv_resources_init(struct rv_resources *resources, struct rv_mem *mem)
{
    rv_arena_init(&resources->arena, mem);
    init_top(resources);
    resources->seed = rv_hash_seed(resources);
}

void rv_resources_done(struct rv_resources *resources)
{
    rv_arena_done(&resources->arena);
}

void rv_resources_forget(struct rv_resources *resources)
{
    rv_arena_clear(&resources->arena);
    init_top(resources);
}

static struct rv_resource *new_resource(struct rv_resources *resources, struct rv_resource *parent,
                                        const char *name, size_t len, uint64_t hash)
{
    struct rv_resource *resource = rv_arena_alloc(&resources->arena, sizeof *resource);
    char *copy = rv_arena_alloc_bytes(&resources->arena, len + 1);

    if (!resource || !copy)
        return NULL;
    if (len)
        memcpy(copy, name, len);
    *resource = (struct rv_resource){.parent = parent, .name = copy, .len = len, .hash = hash};
    init_resource(resource);
    return resource;
}

static struct rv_resource *child(struct rv_resources *resources, struct rv_resource *parent,
                                 const char *name, size_t len)
{
    uint64_t hash = rv_hash(resources->seed ^ (uint64_t)(uintptr_t)parent, name, len);
    struct rv_resource **at = &resources->top.found[hash >> 62];
    uint64_t left;

    for (left = hash << 2; *at; at = &(*at)->found[left >> 62], left <<= 2)
        if ((*at)->hash == hash && (*at)->parent == parent && (*at)->len == len &&
            !memcmp((*at)->name, name, len))
            return *at;
    *at = new_resource(resources, parent, name, len, hash);
    return *at;
}

static struct rv_resource *find_path(struct rv_resources *resources, struct rv_resource *at,
                                     const char *path)
{
    size_t len;

    for (path += strspn(path, "/"); at && *path; path += strspn(path, "/")) {
        len = strcspn(path, "/");
        at = child(resources, at, path, len);
        path += len;
    }
    return at;
}

struct rv_resource *rv_resources_find(struct rv_resources *resources, const char *kind,
                                      const char *key)
{
    struct rv_resource *all = child(resources, &resources->top, kind, strlen(kind));

    if (!all)
        return NULL;
    if (!strcmp(kind, REEVE_RESOURCE_PATH))
        return find_path(resources, all, key);
    return child(resources, all, key, strlen(key));
}
