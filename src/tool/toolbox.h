/* SPDX-License-Identifier: MIT */
/*
 * A toolbox from the inside: the tools, found by name, and what they own.
 *
 * The memory of a toolbox is reference-counted: a host's call that is still out when the toolbox is
 * freed needs its tool until it is finished, which may be after the runtime's end. So what a
 * toolbox owns is let go with the last of its references, without a look at the runtime.
 */
#ifndef RV_TOOL_TOOLBOX_H
#define RV_TOOL_TOOLBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/list.h"
#include "tool/cache.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

struct rv_json_reader;
struct rv_root;
struct rv_schema;

/* One tool. Its texts stand behind it in the same block. It stays where it is. */
struct rv_tool {
    struct reeve_tool spec;
    struct reeve_tool_stats stats;
    struct rv_schema *schema; /* of the arguments; NULL: none was given, and all objects fit */
    uint64_t number;          /* no other tool of the toolbox has it, nor will */
    bool enabled;
    bool is_ours; /* it looks at no claim of a call */
};

struct reeve_toolbox {
    struct rv_mem *mem;
    size_t refs;
    struct reeve_runtime *runtime; /* NULL once the host has freed the toolbox */
    bool closing;
    struct rv_tool **tools; /* in the order they were added */
    size_t count;
    size_t capacity; /* of `tools` and `definitions`; half as many as there are slots */
    struct reeve_tool_definition *definitions;
    size_t definition_count;
    uint32_t *slots; /* by name: the index of a tool plus one, or 0; open addressing */
    size_t slot_mask;
    uint64_t hash_seed;
    struct rv_json_reader *reader; /* for one text at a time: schemas, arguments */
    struct rv_list owners;         /* of struct owner */
    struct rv_root *world;         /* where paths that hosts claim begin; made when it is wanted */
    struct rv_list batches;        /* of reeve_batch.in_toolbox */
    struct reeve_tool_stats stats; /* of all tools, and of calls of none */
    struct rv_cache cache;         /* of results */
    size_t cacheable;              /* tools that results may be kept of */
    uint64_t numbers;              /* of tools that were ever added */
    char problem[512];
};

void rv_toolbox_ref(struct reeve_toolbox *toolbox);
void rv_toolbox_unref(struct reeve_toolbox *toolbox);

/* The tool of that name, on or off; NULL if there is none. */
struct rv_tool *rv_toolbox_find(const struct reeve_toolbox *toolbox, const char *name);

/* A tool of ours whose calls are known to read without its being asked what they touch. */
static inline bool rv_tool_only_reads(const struct rv_tool *tool)
{
    return tool->is_ours && tool->spec.effect == REEVE_EFFECT_READ;
}

/* Whether no call of the tool may turn out to write. */
static inline bool rv_tool_never_writes(const struct rv_tool *tool)
{
    return tool->spec.effect == REEVE_EFFECT_READ &&
           (!tool->spec.describe || rv_tool_only_reads(tool));
}

/* Whether any results are kept. */
static inline bool rv_toolbox_keeps(const struct reeve_toolbox *toolbox)
{
    return toolbox->cacheable && rv_cache_is_on(&toolbox->cache);
}

/* A call has ended, so; `tool` is NULL if there was none of its name. */
void rv_toolbox_count(struct reeve_toolbox *toolbox, struct rv_tool *tool,
                      const struct reeve_result *result);

/*
 * Add tools that share `owned` (their `arg` points into it, most likely): all of them or none.
 * `owned` is the toolbox's only if this returns 0. free_owned(owned) then runs once, when the
 * toolbox has been freed and no call of it is out any more; the runtime may be gone by then.
 * Errors as reeve_toolbox_add.
 */
int rv_toolbox_add_set(struct reeve_toolbox *toolbox, const struct reeve_tool *tools, size_t count,
                       void *owned, void (*free_owned)(void *owned));

/* The same for one tool. */
int rv_toolbox_add_owned(struct reeve_toolbox *toolbox, const struct reeve_tool *tool, void *owned,
                         void (*free_owned)(void *owned));

/* What reeve_toolbox_problem is to say; for functions that add tools. Cut at the field's size. */
void rv_toolbox_set_problem(struct reeve_toolbox *toolbox, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
