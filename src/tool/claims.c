/* SPDX-License-Identifier: MIT */
/*
 * What calls touch.
 *
 * Happy path: the tool's describe adds claims; the name of each is looked up among those that the
 * batch has met; a new path is handed to io/file_resolve.h, and the name is ready when that has
 * come back: it has its canonical key and its resource. Keys of other kinds are ready at once. When
 * all names of a call are, it can take its place.
 *
 * Ways to fail: the tool says so; a claim that is none; no memory. A path that cannot be worked out
 * is taken as it is written; one whose disk does not answer within a call's time limit fails the
 * calls that wait for it. A name that failed is tried again when it is met again.
 */
#include "tool/claims.h"

#include <string.h>

#include "base/export.h"
#include "base/hash.h"
#include "io/file_resolve.h"
#include "loop/timer.h"
#include "tool/batch.h"

#include <reeve/error.h>

enum {
    MAX_CLAIMS = 1024,
    MAX_KIND_BYTES = 64,
    MAX_KEY_BYTES = 4096, /* the NUL included */
    FIRST_CLAIMS = 1,     /* room for so many, then twice as many each time */
};

/* All names of paths have this very text. */
static const char path_kind[] = REEVE_RESOURCE_PATH;

struct rv_name {
    struct rv_name *found[4]; /* of the search by hash */
    uint64_t hash;
    struct rv_names *names;
    struct rv_root *root;  /* of a path beneath it; else NULL */
    const char *kind;      /* the core's */
    const char *key;       /* as it was given */
    const char *canonical; /* the core's; NULL: not ready */
    struct rv_resource *resource;
    struct rv_file_resolve *resolve; /* under way */
    struct rv_list node;             /* then in rv_names.resolving */
    struct rv_timer timer;           /* and this is its time limit */
    int error;
};

/* What a call has claimed. `seen` is what others see of it. */
struct rv_claims {
    size_t count;
    size_t capacity;
    bool has_path;       /* which links may lead elsewhere */
    bool wanted;         /* what the names come to, */
    bool known;          /* and it is known: the keys are canonical, the names needed no more */
    uint64_t generation; /* of the names, */
    uint64_t since;      /* and when these were new */
    struct rv_name **names;
    struct reeve_claim seen[];
};

/* Lent to a tool's describe. */
struct reeve_claims {
    struct reeve_tool_call *call;
    int error; /* the first */
};

void rv_names_init(struct rv_names *names, struct reeve_batch *batch)
{
    *names = (struct rv_names){.batch = batch};
    rv_arena_init(&names->arena, batch->mem);
    names->seed = rv_hash_seed(batch);
    names->since = batch->core->toolbox->cache.written.now;
    rv_list_init(&names->resolving);
}

static void drop_resolving(struct rv_names *names)
{
    struct rv_list *node;

    while ((node = rv_list_shift(&names->resolving)) != NULL) {
        struct rv_name *name = rv_list_entry(node, struct rv_name, node);

        rv_file_resolve_abort(name->resolve);
    }
}

void rv_names_done(struct rv_names *names)
{
    drop_resolving(names);
    rv_arena_done(&names->arena);
}

void rv_names_forget(struct rv_names *names)
{
    drop_resolving(names);
    names->generation++;
    names->since = names->batch->core->toolbox->cache.written.now;
    rv_arena_clear(&names->arena);
    memset(names->first, 0, sizeof names->first);
}

/* ---- names -----------------------------------------------------------------------------------
 */

static bool name_is(const struct rv_name *name, const struct rv_root *root, const char *kind,
                    const char *key)
{
    return name->root == root && !strcmp(name->key, key) && !strcmp(name->kind, kind);
}

static const char *copy_text(struct rv_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = rv_arena_alloc_bytes(arena, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

static void path_is_late(struct rv_timer *timer)
{
    struct rv_name *name = rv_container_of(timer, struct rv_name, timer);

    rv_file_resolve_abort(name->resolve);
    name->error = REEVE_ETIMEDOUT;
    rv_batch_look_for_work(name->names->batch);
}

static struct rv_name *new_name(struct rv_names *names, uint64_t hash, struct rv_root *root,
                                const char *kind, const char *key)
{
    struct rv_name *name = rv_arena_alloc(&names->arena, sizeof *name);
    const char *key_copy = copy_text(&names->arena, key);
    const char *kind_copy = path_kind;

    if (strcmp(kind, kind_copy) != 0)
        kind_copy = copy_text(&names->batch->core->arena, kind);
    if (!name || !key_copy || !kind_copy)
        return NULL;
    *name = (struct rv_name){
        .hash = hash, .names = names, .root = root, .kind = kind_copy, .key = key_copy};
    rv_list_init(&name->node);
    rv_timer_init(&name->timer, path_is_late);
    return name;
}

/* NULL: no memory. */
static struct rv_name *find_name(struct rv_names *names, struct rv_root *root, const char *kind,
                                 const char *key)
{
    uint64_t seed = rv_hash(names->seed ^ (uint64_t)(uintptr_t)root, kind, strlen(kind));
    uint64_t hash = rv_hash(seed, key, strlen(key)), left = hash << 2;
    struct rv_name **at = &names->first[hash >> 62];

    for (; *at; at = &(*at)->found[left >> 62], left <<= 2)
        if ((*at)->hash == hash && name_is(*at, root, kind, key))
            return *at;
    *at = new_name(names, hash, root, kind, key);
    return *at;
}

static void set_canonical(struct rv_name *name, const char *canonical)
{
    struct reeve_batch *batch = name->names->batch;

    name->resource = rv_resources_find(&batch->hazards.resources, name->kind, canonical);
    if (name->resource)
        name->canonical = copy_text(&batch->core->arena, canonical);
    if (!name->canonical)
        name->error = REEVE_ENOMEM;
}

static void path_resolved(struct rv_file_resolve *resolve, int error, void *arg)
{
    struct rv_name *name = arg;

    rv_list_remove(&name->node);
    rv_timer_stop(name->names->batch->runtime, &name->timer);
    name->resolve = NULL;
    if (error == REEVE_ECANCELED) {
        name->error = error;
        return;
    }
    set_canonical(name, rv_file_resolve_path(resolve));
    rv_batch_look_for_work(name->names->batch);
}

/* A host's own paths are no root's: the system's topmost folder is where they are asked for. */
static int root_of(const struct rv_name *name, struct rv_root **ret_root)
{
    struct reeve_toolbox *toolbox = name->names->batch->core->toolbox;
    int error = 0;

    if (name->root) {
        *ret_root = name->root;
        return 0;
    }
    if (!toolbox->world)
        error = rv_root_new(toolbox->runtime, "/", &toolbox->world);
    if (!error)
        *ret_root = toolbox->world;
    return error;
}

static void begin_resolve(struct rv_name *name)
{
    const struct rv_file_resolve_options options = {
        .path = name->key,
        .anywhere = !name->root,
        .on_done = path_resolved,
        .arg = name,
    };
    struct reeve_batch *batch = name->names->batch;
    struct rv_root *root;

    name->error = root_of(name, &root);
    if (!name->error)
        name->error = rv_file_resolve_start(root, &options, &name->resolve);
    if (name->error)
        return;
    rv_list_append(&name->names->resolving, &name->node);
    if (batch->options.timeout_ms)
        rv_timer_start_ms(batch->runtime, &name->timer, batch->options.timeout_ms);
}

static void begin_to_know(struct rv_name *name)
{
    if (name->canonical || name->resolve)
        return;
    name->error = 0;
    if (name->kind == path_kind)
        begin_resolve(name);
    else
        set_canonical(name, name->key);
}

static bool is_ready(const struct rv_name *name)
{
    return name->canonical || name->error;
}

/* ---- claims ----------------------------------------------------------------------------------
 */

/* Room for one more. */
static int reserve(struct reeve_tool_call *call)
{
    struct rv_claims *old = call->space->claims, *claims;
    size_t count = old ? old->count : 0, capacity = old ? old->capacity * 2 : FIRST_CLAIMS;
    size_t seen_size = capacity * sizeof claims->seen[0];

    if (old && count < old->capacity)
        return 0;
    if (count == MAX_CLAIMS)
        return REEVE_ETOOBIG;
    claims = rv_arena_alloc(&call->space->arena,
                            sizeof *claims + seen_size + capacity * sizeof claims->names[0]);
    if (!claims)
        return REEVE_ENOMEM;
    claims->count = count;
    claims->capacity = capacity;
    claims->has_path = old && old->has_path;
    claims->wanted = false;
    claims->known = false;
    claims->generation = call->core->batch->names.generation;
    claims->since = call->core->batch->names.since;
    claims->names = (struct rv_name **)(void *)((char *)claims->seen + seen_size);
    if (count) {
        memcpy(claims->seen, old->seen, count * sizeof old->seen[0]);
        memcpy(claims->names, old->names, count * sizeof old->names[0]);
    }
    call->space->claims = claims;
    return 0;
}

/* The one that asks for more care. */
static enum reeve_effect stronger(enum reeve_effect a, enum reeve_effect b)
{
    if (a == REEVE_EFFECT_UNKNOWN || b == REEVE_EFFECT_UNKNOWN)
        return REEVE_EFFECT_UNKNOWN;
    return a == REEVE_EFFECT_WRITE ? a : b;
}

static int add(struct reeve_tool_call *call, enum reeve_effect effect, struct rv_root *root,
               const char *kind, const char *key)
{
    struct rv_claims *claims;
    struct rv_name *name;
    int error = reserve(call);

    if (error)
        return error;
    claims = call->space->claims;
    name = find_name(&call->core->batch->names, root, kind, key);
    if (!name)
        return REEVE_ENOMEM;
    claims->has_path |= name->kind == path_kind;
    claims->seen[claims->count] =
        (struct reeve_claim){.effect = effect, .kind = name->kind, .key = ""};
    claims->names[claims->count++] = name;
    call->effect = stronger(call->effect, effect);
    return 0;
}

static bool is_claim(enum reeve_effect effect, const char *kind, const char *key)
{
    if (effect != REEVE_EFFECT_UNKNOWN && effect != REEVE_EFFECT_READ &&
        effect != REEVE_EFFECT_WRITE)
        return false;
    return kind && kind[0] && key && key[0] && strlen(kind) <= MAX_KIND_BYTES;
}

int rv_claims_add_path(struct reeve_claims *claims, enum reeve_effect effect, struct rv_root *root,
                       const char *path)
{
    int error = claims->error;

    if (!error && !is_claim(effect, REEVE_RESOURCE_PATH, path))
        error = REEVE_EINVAL;
    if (!error && strlen(path) >= MAX_KEY_BYTES)
        error = REEVE_ETOOBIG;
    if (!error)
        error = add(claims->call, effect, root, REEVE_RESOURCE_PATH, path);
    claims->error = error;
    return error;
}

RV_EXPORT int reeve_claims_add(struct reeve_claims *claims, enum reeve_effect effect,
                               const char *kind, const char *key)
{
    int error = claims->error;

    if (!error && !is_claim(effect, kind, key))
        error = REEVE_EINVAL;
    if (!error && strlen(key) >= MAX_KEY_BYTES)
        error = REEVE_ETOOBIG;
    if (!error)
        error = add(claims->call, effect, NULL, kind, key);
    claims->error = error;
    return error;
}

static struct rv_claims *claims_of(const struct reeve_tool_call *call)
{
    return call->space ? call->space->claims : NULL;
}

/*
 * To look a path up costs more than to read a small file. It is needed for the order of calls, for
 * whoever may look at the claims (a host's tool, a host that is asked), and to know what a write
 * makes stale. What a result that is kept stands on can be found out while the call runs.
 */
static bool wants_names(const struct reeve_tool_call *call)
{
    const struct reeve_batch_options *options = &call->core->batch->options;

    return options->grouping == REEVE_GROUPING_HAZARDS || options->on_permission ||
           !call->tool->is_ours ||
           (!rv_tool_only_reads(call->tool) && rv_toolbox_keeps(call->core->toolbox));
}

static int want_names(struct rv_claims *claims)
{
    size_t i;

    claims->wanted = true;
    for (i = 0; i < claims->count; i++) {
        begin_to_know(claims->names[i]);
        if (claims->names[i]->error)
            return claims->names[i]->error;
    }
    return 0;
}

static int describe(struct reeve_tool_call *call)
{
    const struct reeve_tool *tool = &call->tool->spec;
    struct reeve_claims claims = {.call = call};
    int error;

    call->effect = REEVE_EFFECT_READ;
    call->space->claims = NULL;
    error = tool->describe(call, &claims, tool->arg);
    if (!error && call->closed && call->effect != REEVE_EFFECT_READ)
        return REEVE_EPARSE; /* the end of what it would write may be missing */
    return claims.error ? claims.error : error;
}

int rv_claims_describe(struct reeve_tool_call *call)
{
    const bool wanted = wants_names(call);
    int error;

    call->effect = call->tool->spec.effect;
    call->undescribed = !wanted && rv_tool_only_reads(call->tool);
    if (!call->tool->spec.describe || call->undescribed)
        return 0;
    error = describe(call);
    if (!error && claims_of(call) && wanted)
        error = want_names(claims_of(call));
    return error;
}

bool rv_claims_ready(const struct reeve_tool_call *call)
{
    const struct rv_claims *claims = claims_of(call);
    size_t i;

    for (i = 0; claims && claims->wanted && i < claims->count; i++)
        if (!is_ready(claims->names[i]))
            return false;
    return true;
}

void rv_claims_find_out(struct reeve_tool_call *call)
{
    if (!call->undescribed || describe(call) != 0)
        return;
    call->undescribed = false;
    if (claims_of(call))
        want_names(claims_of(call));
}

static bool can_be_known(const struct rv_claims *claims, const struct rv_names *names)
{
    size_t i;

    if (!claims->wanted || claims->generation != names->generation)
        return false;
    for (i = 0; i < claims->count; i++)
        if (!claims->names[i]->canonical)
            return false;
    return true;
}

static void know(struct rv_claims *claims)
{
    size_t i;

    claims->known = true;
    for (i = 0; i < claims->count; i++)
        claims->seen[i].key = claims->names[i]->canonical;
}

bool rv_claims_know(struct reeve_tool_call *call)
{
    struct rv_claims *claims = claims_of(call);

    if (call->undescribed)
        return false;
    if (!claims || claims->known)
        return true;
    if (!call->core->batch || !can_be_known(claims, &call->core->batch->names))
        return false;
    know(claims);
    return true;
}

bool rv_claims_hold(struct reeve_tool_call *call)
{
    const struct rv_claims *claims = claims_of(call);

    return rv_claims_know(call) &&
           (!claims || !claims->has_path ||
            rv_written_no_barrier(&call->core->toolbox->cache.written, claims->since));
}

bool rv_claims_block(const struct reeve_tool_call *call)
{
    if (call->effect == REEVE_EFFECT_UNKNOWN)
        return true;
    return call->effect == REEVE_EFFECT_WRITE && !call->tool->spec.describe;
}

int rv_claims_settle(struct reeve_tool_call *call)
{
    struct rv_claims *claims = claims_of(call);
    size_t i;

    if (!claims || !claims->wanted)
        return 0;
    for (i = 0; i < claims->count; i++)
        if (claims->names[i]->error)
            return claims->names[i]->error;
    know(claims);
    return 0;
}

static int touch_claim(struct rv_hazards *hazards, const struct rv_claims *claims, size_t i,
                       struct rv_place *place)
{
    enum reeve_effect effect = claims->seen[i].effect;

    if (effect == REEVE_EFFECT_UNKNOWN)
        return rv_hazards_touch(hazards, place, rv_hazards_everything(hazards), true);
    return rv_hazards_touch(hazards, place, claims->names[i]->resource,
                            effect == REEVE_EFFECT_WRITE);
}

/* A barrier waits for such a call too, and it for the barrier. */
static int touch_nothing(struct rv_hazards *hazards, struct rv_place *place)
{
    struct rv_resource *nothing = rv_resources_find(&hazards->resources, "", "");

    return nothing ? rv_hazards_touch(hazards, place, nothing, false) : REEVE_ENOMEM;
}

bool rv_claims_need_no_order(const struct reeve_tool_call *call)
{
    const struct rv_hazards *hazards = &call->core->batch->hazards;

    if (hazards->grouping == REEVE_GROUPING_NONE)
        return true;
    return hazards->grouping == REEVE_GROUPING_WRITES_FIRST && call->effect == REEVE_EFFECT_READ &&
           !rv_hazards_blocked(hazards);
}

int rv_claims_touch(struct reeve_tool_call *call, struct rv_place *place)
{
    struct rv_hazards *hazards = &call->core->batch->hazards;
    const struct rv_claims *claims = claims_of(call);
    size_t i;
    int error = 0;

    if (hazards->grouping == REEVE_GROUPING_WRITES_FIRST && call->effect == REEVE_EFFECT_READ)
        return rv_hazards_read_last(hazards, place);
    if (!call->tool->spec.describe || hazards->grouping == REEVE_GROUPING_WRITES_FIRST)
        return rv_hazards_touch(hazards, place, rv_hazards_everything(hazards),
                                call->effect != REEVE_EFFECT_READ);
    if (!claims || !claims->count)
        return touch_nothing(hazards, place);
    for (i = 0; !error && i < claims->count; i++)
        error = touch_claim(hazards, claims, i, place);
    return error;
}

RV_EXPORT const struct reeve_claim *reeve_tool_call_claims(const struct reeve_tool_call *call,
                                                           size_t *ret_count)
{
    static const struct reeve_claim none;
    const struct rv_claims *claims = claims_of(call);

    *ret_count = claims ? claims->count : 0;
    return claims ? claims->seen : &none;
}

RV_EXPORT enum reeve_effect reeve_tool_call_effect(const struct reeve_tool_call *call)
{
    return call->effect;
}
