/* SPDX-License-Identifier: MIT */
/*
 * A grant is a key in a map: the tool's name, its NUL, and "r" or "w" for a read or a write, or
 * else
 * "?" and the canonical arguments.
 */
#include "tool/grants.h"

#include <string.h>

#include "base/buffer.h"
#include "json/canonical.h"

enum {
    MOST_BYTES = 1 << 20, /* of all keys */
    MOST_KEY_BYTES = 64 << 10,
};

struct grant {
    struct rv_map_node node;
    size_t len;
    char key[];
};

void rv_grants_init(struct rv_grants *grants, struct rv_mem *mem)
{
    rv_map_init(&grants->map, mem);
    grants->bytes = 0;
}

void rv_grants_done(struct rv_grants *grants)
{
    struct rv_map_node *node, *after;

    rv_map_for_each_safe(node, after, &grants->map)
    {
        rv_map_remove(&grants->map, node);
        rv_free(grants->map.mem, rv_map_entry(node, struct grant, node));
    }
    rv_map_done(&grants->map);
    grants->bytes = 0;
}

static int add_key(struct rv_buffer *out, const struct reeve_tool_call *call,
                   enum reeve_effect effect)
{
    const char *name = call->tool->spec.name;
    int error = rv_buffer_add(out, name, strlen(name) + 1);

    if (error)
        return error;
    switch (effect) {
    case REEVE_EFFECT_READ:
        return rv_buffer_add(out, "r", 1);
    case REEVE_EFFECT_WRITE:
        return rv_buffer_add(out, "w", 1);
    case REEVE_EFFECT_UNKNOWN:
        break;
    }
    error = rv_buffer_add(out, "?", 1);
    return error ? error : rv_json_canonical(rv_call_arguments(call), out);
}

static bool has_key(const struct rv_grants *grants, const struct reeve_tool_call *call,
                    enum reeve_effect effect)
{
    struct rv_buffer key;
    bool found;

    rv_buffer_init(&key, grants->map.mem, MOST_KEY_BYTES);
    found = !add_key(&key, call, effect) && rv_map_find(&grants->map, key.data, key.len) != NULL;
    rv_buffer_done(&key);
    return found;
}

bool rv_grants_cover(const struct rv_grants *grants, const struct reeve_tool_call *call)
{
    const enum reeve_effect effect = call->effect;

    if (!grants->map.first)
        return false;
    return has_key(grants, call, effect) ||
           (effect == REEVE_EFFECT_READ && has_key(grants, call, REEVE_EFFECT_WRITE));
}

static struct grant *new_grant(struct rv_mem *mem, const struct rv_buffer *key)
{
    struct grant *grant = rv_alloc(mem, sizeof *grant + key->len);

    if (!grant)
        return NULL;
    grant->len = key->len;
    memcpy(grant->key, key->data, key->len);
    return grant;
}

void rv_grants_add(struct rv_grants *grants, const struct reeve_tool_call *call)
{
    struct rv_mem *mem = grants->map.mem;
    struct grant *grant = NULL;
    struct rv_buffer key;

    rv_buffer_init(&key, mem, MOST_KEY_BYTES);
    if (!add_key(&key, call, call->effect) && key.len <= MOST_BYTES - grants->bytes)
        grant = new_grant(mem, &key);
    rv_buffer_done(&key);
    if (!grant)
        return;
    if (rv_map_add(&grants->map, &grant->node, grant->key, grant->len))
        rv_free(mem, grant); /* no memory, or it was there */
    else
        grants->bytes += grant->len;
}
