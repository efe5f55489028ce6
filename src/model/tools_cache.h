/* SPDX-License-Identifier: MIT */
/*
 * The tools that a model was last offered, as the codec wrote them. Turn after turn they are the
 * same: comparing them costs a hundredth of checking and writing them again.
 */
#ifndef RV_MODEL_TOOLS_CACHE_H
#define RV_MODEL_TOOLS_CACHE_H

#include "base/buffer.h"
#include "model/codec.h"

struct rv_tools_cache {
    struct rv_buffer key; /* the texts of the tools, each with its NUL, behind a mark */
    struct rv_buffer json;
};

void rv_tools_cache_init(struct rv_tools_cache *cache, struct rv_mem *mem, size_t max_bytes);
void rv_tools_cache_done(struct rv_tools_cache *cache);

/* Make cache->json the tools' bytes. As rv_codec.encode_tools; empty after a failure. */
int rv_tools_cache_fill(struct rv_tools_cache *cache, const struct rv_codec *codec,
                        const struct reeve_tool_definition *tools, size_t count,
                        struct rv_json_reader *reader);

#endif
