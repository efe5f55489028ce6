/* SPDX-License-Identifier: MIT */
/* Toolboxes: adding tools, finding them by name, and what a model is told of them. */
#include "tool/toolbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/export.h"
#include "base/hash.h"
#include "base/options.h"
#include "io/file.h"
#include "loop/runtime.h"
#include "tool/batch.h"
#include "json/reader.h"
#include "json/schema.h"

#include <reeve/error.h>

enum {
    LONGEST_NAME = 64,
    FIRST_CAPACITY = 8, /* a power of two */
};

static const char no_parameters[] = "{\"type\":\"object\",\"properties\":{}}";

/* What tools share and the toolbox frees. */
struct owner {
    struct rv_list node;
    void *owned;
    void (*free_owned)(void *owned);
};

RV_EXPORT void reeve_tool_init_size(struct reeve_tool *tool, size_t size)
{
    const struct reeve_tool defaults = {.size = size};

    rv_options_fill(tool, size, &defaults, sizeof defaults);
}

RV_EXPORT int reeve_toolbox_new(struct reeve_runtime *runtime, struct reeve_toolbox **ret_toolbox)
{
    struct reeve_toolbox *toolbox;
    struct rv_mem *mem;

    if (!runtime || !ret_toolbox)
        return REEVE_EINVAL;
    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    mem = rv_runtime_mem(runtime);
    toolbox = rv_zalloc(mem, sizeof *toolbox);
    if (!toolbox)
        return REEVE_ENOMEM;
    if (rv_json_reader_new(mem, NULL, &toolbox->reader)) {
        rv_free(mem, toolbox);
        return REEVE_ENOMEM;
    }
    toolbox->mem = rv_mem_ref(mem);
    toolbox->refs = 1;
    toolbox->runtime = runtime;
    toolbox->hash_seed = rv_runtime_random(runtime);
    rv_list_init(&toolbox->owners);
    rv_list_init(&toolbox->batches);
    rv_cache_init(&toolbox->cache, mem);
    rv_runtime_child_add(runtime);
    *ret_toolbox = toolbox;
    return 0;
}

static void free_owners(struct reeve_toolbox *toolbox)
{
    struct rv_list *node;

    while ((node = rv_list_shift(&toolbox->owners)) != NULL) {
        struct owner *owner = rv_list_entry(node, struct owner, node);

        owner->free_owned(owner->owned);
        rv_free(toolbox->mem, owner);
    }
}

static void free_tool(struct reeve_toolbox *toolbox, struct rv_tool *tool)
{
    rv_schema_free(tool->schema);
    rv_free(toolbox->mem, tool);
}

void rv_toolbox_ref(struct reeve_toolbox *toolbox)
{
    toolbox->refs++;
}

void rv_toolbox_unref(struct reeve_toolbox *toolbox)
{
    struct rv_mem *mem = toolbox->mem;
    size_t i;

    if (--toolbox->refs)
        return;
    free_owners(toolbox);
    for (i = 0; i < toolbox->count; i++)
        free_tool(toolbox, toolbox->tools[i]);
    rv_free(mem, toolbox->tools);
    rv_free(mem, toolbox->definitions);
    rv_free(mem, toolbox->slots);
    rv_json_reader_free(toolbox->reader);
    rv_root_free(toolbox->world);
    rv_cache_done(&toolbox->cache);
    rv_free(mem, toolbox);
    rv_mem_unref(mem);
}

RV_EXPORT void reeve_toolbox_free(struct reeve_toolbox *toolbox)
{
    if (!toolbox)
        return;
    toolbox->closing = true;
    while (!rv_list_empty(&toolbox->batches))
        rv_batch_abort(toolbox->batches.next);
    rv_runtime_child_remove(toolbox->runtime);
    toolbox->runtime = NULL;
    rv_toolbox_unref(toolbox);
}

void rv_toolbox_set_problem(struct reeve_toolbox *toolbox, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(toolbox->problem, sizeof toolbox->problem, format, args);
    va_end(args);
}

RV_EXPORT const char *reeve_toolbox_problem(const struct reeve_toolbox *toolbox)
{
    return toolbox->problem[0] ? toolbox->problem : "Nothing has failed.";
}

/* The slot that holds the tool of that name, or the empty one where it would stand. */
static size_t find_slot(const struct reeve_toolbox *toolbox, const char *name)
{
    size_t slot = (size_t)rv_hash(toolbox->hash_seed, name, strlen(name)) & toolbox->slot_mask;

    while (toolbox->slots[slot] &&
           strcmp(toolbox->tools[toolbox->slots[slot] - 1]->spec.name, name) != 0)
        slot = (slot + 1) & toolbox->slot_mask;
    return slot;
}

static struct rv_tool *find(const struct reeve_toolbox *toolbox, const char *name)
{
    uint32_t number = toolbox->slots ? toolbox->slots[find_slot(toolbox, name)] : 0;

    return number ? toolbox->tools[number - 1] : NULL;
}

struct rv_tool *rv_toolbox_find(const struct reeve_toolbox *toolbox, const char *name)
{
    return find(toolbox, name);
}

static void fill_slots(struct reeve_toolbox *toolbox)
{
    size_t i;

    memset(toolbox->slots, 0, (toolbox->slot_mask + 1) * sizeof toolbox->slots[0]);
    for (i = 0; i < toolbox->count; i++)
        toolbox->slots[find_slot(toolbox, toolbox->tools[i]->spec.name)] = (uint32_t)(i + 1);
}

static void list_definitions(struct reeve_toolbox *toolbox)
{
    size_t i;

    toolbox->definition_count = 0;
    for (i = 0; i < toolbox->count; i++) {
        const struct reeve_tool *spec = &toolbox->tools[i]->spec;

        if (toolbox->tools[i]->enabled)
            toolbox->definitions[toolbox->definition_count++] = (struct reeve_tool_definition){
                .name = spec->name,
                .description = spec->description,
                .parameters = spec->parameters,
            };
    }
}

/* Room for `more` tools, so that adding them and switching them on cannot fail. */
static int reserve(struct reeve_toolbox *toolbox, size_t more)
{
    size_t wanted = toolbox->count + more, capacity = toolbox->capacity;
    struct rv_mem *mem = toolbox->mem;
    struct reeve_tool_definition *definitions;
    struct rv_tool **tools;
    uint32_t *slots;

    if (wanted <= capacity)
        return 0;
    if (!capacity)
        capacity = FIRST_CAPACITY;
    while (capacity < wanted)
        capacity *= 2;
    tools = rv_alloc_array(mem, capacity, sizeof tools[0]);
    definitions = rv_alloc_array(mem, capacity, sizeof definitions[0]);
    slots = rv_alloc_array(mem, capacity, 2 * sizeof slots[0]);
    if (!tools || !definitions || !slots) {
        rv_free(mem, tools);
        rv_free(mem, definitions);
        rv_free(mem, slots);
        rv_toolbox_set_problem(toolbox, "Out of memory.");
        return REEVE_ENOMEM;
    }
    if (toolbox->count)
        memcpy(tools, toolbox->tools, toolbox->count * sizeof tools[0]);
    rv_free(mem, toolbox->tools);
    rv_free(mem, toolbox->definitions);
    rv_free(mem, toolbox->slots);
    toolbox->tools = tools;
    toolbox->definitions = definitions;
    toolbox->slots = slots;
    toolbox->slot_mask = 2 * capacity - 1;
    toolbox->capacity = capacity;
    fill_slots(toolbox);
    list_definitions(toolbox);
    return 0;
}

static bool name_is_good(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len;

    if (!name)
        return false;
    len = strspn(name, allowed);
    return len > 0 && len <= LONGEST_NAME && !name[len];
}

static bool effect_is_known(enum reeve_effect effect)
{
    switch (effect) {
    case REEVE_EFFECT_UNKNOWN:
    case REEVE_EFFECT_READ:
    case REEVE_EFFECT_WRITE:
        return true;
    }
    return false;
}

static int compile_schema(struct reeve_toolbox *toolbox, const struct reeve_tool *tool,
                          const struct reeve_json *value, struct rv_schema **ret_schema)
{
    struct rv_schema_problem problem;
    int error = rv_schema_compile(toolbox->mem, value, ret_schema, &problem);

    if (error == REEVE_ENOMEM)
        rv_toolbox_set_problem(toolbox, "Out of memory.");
    else if (error)
        rv_toolbox_set_problem(toolbox, "The parameters of %s are no JSON Schema: %s.", tool->name,
                               problem.text);
    return !error || error == REEVE_ENOMEM ? error : REEVE_EINVAL;
}

static bool is_property(const struct reeve_json *parameters, const char *name)
{
    return reeve_json_type(reeve_json_get(reeve_json_get(parameters, "properties"), name)) !=
           REEVE_JSON_NONE;
}

static int check_aliases(struct reeve_toolbox *toolbox, const struct reeve_tool *tool,
                         const struct reeve_json *parameters)
{
    size_t i, k;

    for (i = 0; i < tool->alias_count; i++) {
        const struct reeve_alias *alias = tool->aliases ? &tool->aliases[i] : NULL;

        if (!alias || !alias->alias || !alias->name || !is_property(parameters, alias->name) ||
            is_property(parameters, alias->alias)) {
            rv_toolbox_set_problem(toolbox,
                                   "Alias %zu of %s is not another name for a property of its "
                                   "parameters.",
                                   i + 1, tool->name);
            return REEVE_EINVAL;
        }
        for (k = 0; k < i; k++)
            if (!strcmp(tool->aliases[k].alias, alias->alias)) {
                rv_toolbox_set_problem(toolbox, "The alias \"%.80s\" of %s is there twice.",
                                       alias->alias, tool->name);
                return REEVE_EINVAL;
            }
    }
    return 0;
}

/* The schema must be JSON, and an object. */
static int read_parameters(struct reeve_toolbox *toolbox, const struct reeve_tool *tool,
                           struct rv_schema **ret_schema)
{
    struct rv_json_reader *reader = toolbox->reader;
    const struct reeve_json *value;
    int error;

    rv_json_reader_reset(reader);
    error = rv_json_reader_parse(reader, tool->parameters, strlen(tool->parameters), &value);
    if (error == REEVE_ENOMEM) {
        rv_toolbox_set_problem(toolbox, "Out of memory.");
        return error;
    }
    if (error) {
        rv_toolbox_set_problem(toolbox, "The parameters of %s are not JSON: %s.", tool->name,
                               rv_json_reader_problem(reader)->text);
        return REEVE_EINVAL;
    }
    if (reeve_json_type(value) != REEVE_JSON_OBJECT) {
        rv_toolbox_set_problem(toolbox, "The parameters of %s are not a JSON object.", tool->name);
        return REEVE_EINVAL;
    }
    error = check_aliases(toolbox, tool, value);
    return error ? error : compile_schema(toolbox, tool, value, ret_schema);
}

static int check_tool(struct reeve_toolbox *toolbox, const struct reeve_tool *tool)
{
    if (!name_is_good(tool->name)) {
        rv_toolbox_set_problem(
            toolbox, "A tool's name has 1 to 64 characters of A-Z a-z 0-9 _ -; this is %s%.80s%s.",
            tool->name ? "\"" : "", tool->name ? tool->name : "missing", tool->name ? "\"" : "");
        return REEVE_EINVAL;
    }
    if (find(toolbox, tool->name)) {
        rv_toolbox_set_problem(toolbox, "There is a tool named %s already.", tool->name);
        return REEVE_EEXIST;
    }
    if (!tool->start == !tool->start_many) {
        rv_toolbox_set_problem(toolbox, "The tool %s has %s.", tool->name,
                               tool->start ? "both a start and a start_many function"
                                           : "no start function");
        return REEVE_EINVAL;
    }
    if (!effect_is_known(tool->effect)) {
        rv_toolbox_set_problem(toolbox, "The effect of %s is none that there is.", tool->name);
        return REEVE_EINVAL;
    }
    return 0;
}

static const char *put_text(char **out, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*out, text, size);

    *out += size;
    return copy;
}

/* What a tool's aliases take behind it. */
static bool add_alias_sizes(const struct reeve_tool *spec, size_t *size)
{
    size_t i, array;

    if (!rv_size_mul(spec->alias_count, sizeof spec->aliases[0], &array) ||
        !rv_size_add(*size, array, size))
        return false;
    for (i = 0; i < spec->alias_count; i++)
        if (!rv_size_add(*size, strlen(spec->aliases[i].alias) + 1, size) ||
            !rv_size_add(*size, strlen(spec->aliases[i].name) + 1, size))
            return false;
    return true;
}

/* The array first, which is to be aligned. */
static const struct reeve_alias *put_aliases(char **out, const struct reeve_tool *spec)
{
    struct reeve_alias *aliases = (struct reeve_alias *)(void *)*out;
    size_t i;

    *out += spec->alias_count * sizeof aliases[0];
    for (i = 0; i < spec->alias_count; i++) {
        aliases[i].alias = put_text(out, spec->aliases[i].alias);
        aliases[i].name = put_text(out, spec->aliases[i].name);
    }
    return aliases;
}

/* A copy of a tool with its texts in one block; NULL: no memory. */
static struct rv_tool *copy_tool(struct rv_mem *mem, const struct reeve_tool *spec)
{
    const char *parameters = spec->parameters ? spec->parameters : no_parameters;
    const char *description = spec->description ? spec->description : "";
    struct rv_tool *tool;
    size_t size = sizeof *tool + 3;
    char *out;

    if (!rv_size_add(size, strlen(spec->name), &size) ||
        !rv_size_add(size, strlen(description), &size) ||
        !rv_size_add(size, strlen(parameters), &size) || !add_alias_sizes(spec, &size))
        return NULL;
    tool = rv_alloc(mem, size);
    if (!tool)
        return NULL;
    out = (char *)(tool + 1);
    tool->spec = *spec;
    tool->spec.aliases = put_aliases(&out, spec);
    tool->spec.name = put_text(&out, spec->name);
    tool->spec.description = put_text(&out, description);
    tool->spec.parameters = put_text(&out, parameters);
    tool->stats = (struct reeve_tool_stats){0};
    tool->enabled = true;
    tool->is_ours = false;
    return tool;
}

static int add_one(struct reeve_toolbox *toolbox, const struct reeve_tool *given)
{
    struct reeve_tool spec = {.size = sizeof spec};
    struct rv_schema *schema = NULL;
    struct rv_tool *tool;
    int error;

    if (rv_options_copy(&spec, sizeof spec, given)) {
        rv_toolbox_set_problem(toolbox,
                               "The tool was not set up with reeve_tool_init, or wants more "
                               "than this version can do.");
        return REEVE_EINVAL;
    }
    error = check_tool(toolbox, &spec);
    if (error)
        return error;
    error = reserve(toolbox, 1);
    if (!error)
        error = spec.parameters ? read_parameters(toolbox, &spec, &schema)
                                : check_aliases(toolbox, &spec, NULL);
    if (error)
        return error;
    tool = copy_tool(toolbox->mem, &spec);
    if (!tool) {
        rv_schema_free(schema);
        rv_toolbox_set_problem(toolbox, "Out of memory.");
        return REEVE_ENOMEM;
    }
    tool->schema = schema;
    tool->number = ++toolbox->numbers;
    toolbox->cacheable += tool->spec.cacheable != 0;
    toolbox->tools[toolbox->count++] = tool;
    toolbox->slots[find_slot(toolbox, tool->spec.name)] = (uint32_t)toolbox->count;
    list_definitions(toolbox);
    return 0;
}

/* Take back what was added last, until `count` tools are left. */
static void drop_tools(struct reeve_toolbox *toolbox, size_t count)
{
    if (toolbox->count == count)
        return;
    while (toolbox->count > count) {
        struct rv_tool *tool = toolbox->tools[--toolbox->count];

        toolbox->cacheable -= tool->spec.cacheable != 0;
        free_tool(toolbox, tool);
    }
    fill_slots(toolbox);
    list_definitions(toolbox);
}

static int add_all(struct reeve_toolbox *toolbox, const struct reeve_tool *tools, size_t count)
{
    size_t had = toolbox->count, i;
    int error;

    if (toolbox->closing) {
        rv_toolbox_set_problem(toolbox, "The toolbox is being freed.");
        return REEVE_ECLOSING;
    }
    for (i = 0; i < count; i++) {
        error = add_one(toolbox, &tools[i]);
        if (error) {
            drop_tools(toolbox, had);
            return error;
        }
    }
    return 0;
}

RV_EXPORT int reeve_toolbox_add(struct reeve_toolbox *toolbox, const struct reeve_tool *tool)
{
    return add_all(toolbox, tool, 1);
}

int rv_toolbox_add_set(struct reeve_toolbox *toolbox, const struct reeve_tool *tools, size_t count,
                       void *owned, void (*free_owned)(void *owned))
{
    struct owner *owner = rv_alloc(toolbox->mem, sizeof *owner);
    size_t had = toolbox->count;
    int error;

    if (!owner) {
        rv_toolbox_set_problem(toolbox, "Out of memory.");
        return REEVE_ENOMEM;
    }
    error = add_all(toolbox, tools, count);
    if (error) {
        rv_free(toolbox->mem, owner);
        return error;
    }
    while (had < toolbox->count)
        toolbox->tools[had++]->is_ours = true;
    owner->owned = owned;
    owner->free_owned = free_owned;
    rv_list_append(&toolbox->owners, &owner->node);
    return 0;
}

int rv_toolbox_add_owned(struct reeve_toolbox *toolbox, const struct reeve_tool *tool, void *owned,
                         void (*free_owned)(void *owned))
{
    return rv_toolbox_add_set(toolbox, tool, 1, owned, free_owned);
}

RV_EXPORT int reeve_toolbox_enable(struct reeve_toolbox *toolbox, const char *name, int on)
{
    struct rv_tool *tool = name ? find(toolbox, name) : NULL;

    if (!tool)
        return REEVE_ENOTFOUND;
    tool->enabled = on != 0;
    list_definitions(toolbox);
    return 0;
}

RV_EXPORT const struct reeve_tool_definition *reeve_toolbox_definitions(
    const struct reeve_toolbox *toolbox, size_t *ret_count)
{
    *ret_count = toolbox->definition_count;
    return toolbox->definitions;
}

static void count(struct reeve_tool_stats *stats, const struct reeve_result *result)
{
    const uint64_t time_us = result->ended_us - result->started_us;

    stats->calls++;
    stats->time_us += time_us;
    if (time_us > stats->longest_us)
        stats->longest_us = time_us;
    if (result->source == REEVE_SOURCE_CACHE)
        stats->cached++;
    else if (result->source == REEVE_SOURCE_SHARED)
        stats->shared++;
    else if (result->status == REEVE_CALL_SUCCEEDED)
        stats->succeeded++;
    else if (result->status == REEVE_CALL_CANCELED)
        stats->canceled++;
    else if (result->status == REEVE_CALL_REFUSED)
        stats->refused++;
    else
        stats->failed++;
}

void rv_toolbox_count(struct reeve_toolbox *toolbox, struct rv_tool *tool,
                      const struct reeve_result *result)
{
    count(&toolbox->stats, result);
    if (tool)
        count(&tool->stats, result);
}

RV_EXPORT int reeve_toolbox_stats(const struct reeve_toolbox *toolbox, const char *name,
                                  struct reeve_tool_stats *ret)
{
    const struct rv_tool *tool = name ? find(toolbox, name) : NULL;
    struct reeve_tool_stats stats = tool ? tool->stats : toolbox->stats;

    if (!ret || ret->size < sizeof ret->size)
        return REEVE_EINVAL;
    if (name && !tool)
        return REEVE_ENOTFOUND;
    stats.size = ret->size;
    rv_options_fill(ret, ret->size, &stats, sizeof stats);
    return 0;
}

RV_EXPORT void reeve_tool_cache_options_init_size(struct reeve_tool_cache_options *options,
                                                  size_t size)
{
    const struct reeve_tool_cache_options defaults = {
        .size = size,
        .max_size = 1000,
        .max_bytes = 16 * 1024 * 1024,
    };

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

RV_EXPORT int reeve_toolbox_set_cache(struct reeve_toolbox *toolbox,
                                      const struct reeve_tool_cache_options *options)
{
    struct reeve_tool_cache_options own;

    reeve_tool_cache_options_init(&own);
    if (options && rv_options_copy(&own, sizeof own, options))
        return REEVE_EINVAL;
    rv_cache_set(&toolbox->cache, &own);
    return 0;
}

RV_EXPORT void reeve_toolbox_clear_cache(struct reeve_toolbox *toolbox)
{
    rv_cache_clear(&toolbox->cache);
}

RV_EXPORT int reeve_toolbox_cache_stats(const struct reeve_toolbox *toolbox,
                                        struct reeve_tool_cache_stats *ret)
{
    struct reeve_tool_cache_stats stats = toolbox->cache.stats;

    if (!ret || ret->size < sizeof ret->size)
        return REEVE_EINVAL;
    stats.size = ret->size;
    stats.entries = rv_lru_count(&toolbox->cache.lru);
    stats.bytes = toolbox->cache.lru.bytes;
    rv_options_fill(ret, ret->size, &stats, sizeof stats);
    return 0;
}
