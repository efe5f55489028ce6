/* SPDX-License-Identifier: MIT */
/* The tools that a model was last offered. */
#include "model/tools_cache.h"

#include <string.h>

#include <reeve/error.h>

enum { TEXTS_PER_TOOL = 3 };

void rv_tools_cache_init(struct rv_tools_cache *cache, struct rv_mem *mem, size_t max_bytes)
{
    rv_buffer_init(&cache->key, mem, max_bytes);
    rv_buffer_init(&cache->json, mem, max_bytes);
}

void rv_tools_cache_done(struct rv_tools_cache *cache)
{
    rv_buffer_done(&cache->key);
    rv_buffer_done(&cache->json);
}

static const char *text_of(const struct reeve_tool_definition *tools, size_t i)
{
    const struct reeve_tool_definition *tool = &tools[i / TEXTS_PER_TOOL];

    switch (i % TEXTS_PER_TOOL) {
    case 0:
        return tool->name;
    case 1:
        return tool->description;
    default:
        return tool->parameters;
    }
}

/* A text that is not there differs from an empty one by its mark. */
static char mark_of(const char *text)
{
    return text ? '+' : '-';
}

static bool is_kept(const struct rv_tools_cache *cache, const struct reeve_tool_definition *tools,
                    size_t count)
{
    const char *at = rv_buffer_text(&cache->key);
    const char *end = at + cache->key.len;
    const char *text;
    size_t len;
    size_t i;

    for (i = 0; i < TEXTS_PER_TOOL * count; i++) {
        text = text_of(tools, i);
        len = text ? strlen(text) : 0;
        if ((size_t)(end - at) < len + 2 || *at != mark_of(text))
            return false;
        if (memcmp(at + 1, text ? text : "", len + 1) != 0)
            return false;
        at += len + 2;
    }
    return count && at == end;
}

static int keep_key(struct rv_tools_cache *cache, const struct reeve_tool_definition *tools,
                    size_t count)
{
    const char *text;
    size_t i;
    int error = 0;

    for (i = 0; i < TEXTS_PER_TOOL * count && !error; i++) {
        text = text_of(tools, i);
        error = rv_buffer_add_byte(&cache->key, mark_of(text));
        if (!error)
            error = rv_buffer_add(&cache->key, text ? text : "", (text ? strlen(text) : 0) + 1);
    }
    return error;
}

int rv_tools_cache_fill(struct rv_tools_cache *cache, const struct rv_codec *codec,
                        const struct reeve_tool_definition *tools, size_t count,
                        struct rv_json_reader *reader)
{
    int error;

    if (is_kept(cache, tools, count))
        return 0;
    rv_buffer_clear(&cache->key);
    rv_buffer_clear(&cache->json);
    error = codec->encode_tools(tools, count, reader, &cache->json);
    if (!error)
        error = keep_key(cache, tools, count);
    if (error)
        rv_tools_cache_done(cache);
    return error;
}
