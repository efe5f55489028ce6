/* SPDX-License-Identifier: MIT */
/*
 * The order of the calls of one batch, as steps of a chain.
 *
 * A resource knows its last writer and the readers since. A writer of P waits for all that touch P
 * or something below it, and takes their places: whoever must not overtake one of them must not
 * overtake the writer either, so they leave the tree. It also waits for the writers and readers of
 * what is above P, which stay, since they have more to guard; those of them that are older than the
 * newest writer at or above P are waited for by that one. A reader of P waits for the newest writer
 * at or above P, and for the writers below.
 *
 * Many reads of a folder and many writes below it would wait for each other by twos. So what is to
 * be waited for across levels stands behind a join, a step that is over as soon as it has its turn:
 * one for the reads of a folder, one for the writes below it. The next join waits for the last one
 * and for what is new. To find what is new, children that are live stand in the order of their last
 * write.
 *
 * All that a place waits for is gathered before its own uses go into the tree, so that a call that
 * touches a thing twice does not wait for itself.
 *
 * The way to fail: no memory for a use, an edge or a join. Nothing of the place remains then.
 */
#include "tool/hazards.h"

#include <assert.h>

#include <reeve/error.h>

static struct rv_touched *touched_of(struct rv_resource *resource)
{
    return rv_container_of(resource, struct rv_touched, resource);
}

static struct rv_touched *parent_of(const struct rv_touched *touched)
{
    return touched->resource.parent ? touched_of(touched->resource.parent) : NULL;
}

static void init_touched(struct rv_resource *resource)
{
    struct rv_touched *touched = touched_of(resource);

    rv_list_init(&touched->in_alive);
    rv_list_init(&touched->alive);
    rv_list_init(&touched->readers);
    rv_list_init(&touched->joined);
}

/* One thing that a call touches. */
struct rv_use {
    struct rv_list node;         /* a reader's, in the resource's `readers` or `joined` */
    struct rv_use *next;         /* of the place, or free */
    struct rv_touched *resource; /* NULL: a later writer has taken its place */
    struct rv_place *place;
    bool writes;
};

/* An edge. */
struct rv_wait {
    struct rv_chain_edge edge;
    struct rv_wait *next; /* of the same waiter, or free */
};

struct rv_join {
    struct rv_step step;
    struct rv_hazards *hazards;
    struct rv_list node;    /* in rv_hazards.joins */
    struct rv_join **owner; /* where the resource knows it; NULL: no more */
    struct rv_wait *waits;
    uint64_t number; /* of the newest place that it waits for */
    struct rv_join *next_free;
};

void rv_hazards_init(struct rv_hazards *hazards, struct reeve_runtime *runtime, struct rv_mem *mem,
                     enum reeve_grouping grouping)
{
    *hazards = (struct rv_hazards){.runtime = runtime, .grouping = grouping};
    rv_resources_init(&hazards->resources, mem, &hazards->everything.resource,
                      sizeof hazards->everything, init_touched);
    rv_arena_init(&hazards->arena, mem);
    rv_list_init(&hazards->joins);
}

/* Joins that have their turn, but have not had it. */
static void drop_joins(struct rv_hazards *hazards)
{
    struct rv_list *node;

    while ((node = rv_list_shift(&hazards->joins)) != NULL)
        rv_ready_remove(&rv_list_entry(node, struct rv_join, node)->step.task);
}

void rv_hazards_done(struct rv_hazards *hazards)
{
    drop_joins(hazards);
    rv_resources_done(&hazards->resources);
    rv_arena_done(&hazards->arena);
}

/* ---- edges -----------------------------------------------------------------------------------
 */

static int wait_for(struct rv_hazards *hazards, struct rv_step *after, struct rv_step *before,
                    struct rv_wait **waits)
{
    struct rv_wait *wait = hazards->free_waits;

    if (wait)
        hazards->free_waits = wait->next;
    else
        wait = rv_arena_alloc(&hazards->arena, sizeof *wait);
    if (!wait)
        return REEVE_ENOMEM;
    rv_step_put_after(after, before, &wait->edge);
    wait->next = *waits;
    *waits = wait;
    return 0;
}

static void give_waits_back(struct rv_hazards *hazards, struct rv_wait **waits)
{
    struct rv_wait *wait;

    while ((wait = *waits)) {
        *waits = wait->next;
        rv_list_remove(&wait->edge.node);
        wait->next = hazards->free_waits;
        hazards->free_waits = wait;
    }
}

static int wait_for_use(struct rv_hazards *hazards, struct rv_place *place,
                        const struct rv_use *use)
{
    return wait_for(hazards, &place->step, &use->place->step, &place->waits);
}

/* NULL is allowed. */
static int wait_for_join(struct rv_hazards *hazards, struct rv_place *place, struct rv_join *join)
{
    return join ? wait_for(hazards, &place->step, &join->step, &place->waits) : 0;
}

/* ---- joins -----------------------------------------------------------------------------------
 */

static void disown(struct rv_join **owner)
{
    if (*owner)
        (*owner)->owner = NULL;
    *owner = NULL;
}

static void free_join(struct rv_join *join)
{
    struct rv_hazards *hazards = join->hazards;

    give_waits_back(hazards, &join->waits);
    rv_list_remove(&join->node);
    if (join->owner)
        *join->owner = NULL;
    join->next_free = hazards->free_joins;
    hazards->free_joins = join;
}

static void join_is_over(struct rv_step *step)
{
    struct rv_join *join = rv_container_of(step, struct rv_join, step);

    rv_step_finish(step);
    free_join(join);
}

/* Waits for the one before it, if there is one. What is new is mostly behind that anyway, by the
 * call that it was made for; but that one may have had no memory to take its place. */
static struct rv_join *new_join(struct rv_hazards *hazards, struct rv_join *before)
{
    struct rv_join *join = hazards->free_joins;

    if (join)
        hazards->free_joins = join->next_free;
    else
        join = rv_arena_alloc(&hazards->arena, sizeof *join);
    if (!join)
        return NULL;
    *join = (struct rv_join){.hazards = hazards, .number = before ? before->number : 0};
    rv_step_init(&join->step, hazards->runtime, join_is_over);
    rv_list_init(&join->node);
    if (before && wait_for(hazards, &join->step, &before->step, &join->waits) != 0) {
        free_join(join);
        return NULL;
    }
    return join;
}

static int add_to_join(struct rv_join *join, const struct rv_use *use)
{
    if (use->place->number > join->number)
        join->number = use->place->number;
    return wait_for(join->hazards, &join->step, &use->place->step, &join->waits);
}

/* It takes the place of the one before it. */
static void put_join(struct rv_join *join, struct rv_join **owner)
{
    disown(owner);
    *owner = join;
    join->owner = owner;
    rv_list_append(&join->hazards->joins, &join->node);
    rv_step_start(&join->step);
}

static struct rv_use *use_of(struct rv_list *node)
{
    return rv_list_entry(node, struct rv_use, node);
}

/* The readers of a resource that stand in no join are put into one. */
static int join_readers(struct rv_hazards *hazards, struct rv_touched *resource)
{
    struct rv_join *join = new_join(hazards, resource->reading);
    struct rv_list *node;

    if (!join)
        return REEVE_ENOMEM;
    rv_list_for_each (node, &resource->readers) {
        if (add_to_join(join, use_of(node)) != 0) {
            free_join(join);
            return REEVE_ENOMEM;
        }
    }
    rv_list_splice(&resource->joined, &resource->readers);
    put_join(join, &resource->reading);
    return 0;
}

/* ---- what is below ---------------------------------------------------------------------------
 */

static struct rv_touched *alive_at(struct rv_list *node)
{
    return rv_list_entry(node, struct rv_touched, in_alive);
}

/*
 * The next live resource below `top`, behind `at`, from above downwards; only those that were
 * written at `since` or later, or have such below them. NULL at the end.
 */
static struct rv_touched *next_below(const struct rv_touched *top, struct rv_touched *at,
                                     uint64_t since)
{
    struct rv_list *node = at->alive.next, *end = &at->alive;

    while (node == end || alive_at(node)->written < since) {
        if (at == top)
            return NULL;
        node = at->in_alive.next;
        at = parent_of(at);
        end = &at->alive;
    }
    return alive_at(node);
}

/* The next one with a writer that stands in no join of `top`. */
static struct rv_touched *next_unjoined(const struct rv_touched *top, struct rv_touched *at)
{
    do {
        at = next_below(top, at, top->writes_joined + 1);
    } while (at && (!at->writer || at->writer->place->number <= top->writes_joined));
    return at;
}

static int join_writers(struct rv_hazards *hazards, struct rv_touched *resource)
{
    struct rv_join *join = new_join(hazards, resource->writing);
    struct rv_touched *at = resource;

    if (!join)
        return REEVE_ENOMEM;
    while ((at = next_unjoined(resource, at)) != NULL) {
        if (add_to_join(join, at->writer) != 0) {
            free_join(join);
            return REEVE_ENOMEM;
        }
    }
    put_join(join, &resource->writing);
    return 0;
}

/* ---- what a place waits for ------------------------------------------------------------------
 */

static const struct rv_use *newest_writer_above(const struct rv_touched *resource)
{
    const struct rv_use *newest = NULL;

    for (; resource; resource = parent_of(resource))
        if (resource->writer &&
            (!newest || resource->writer->place->number > newest->place->number))
            newest = resource->writer;
    return newest;
}

static int wait_for_writers_below(struct rv_hazards *hazards, struct rv_place *place,
                                  struct rv_touched *resource)
{
    if (next_unjoined(resource, resource) && join_writers(hazards, resource) != 0)
        return REEVE_ENOMEM;
    resource->writes_joined = hazards->number; /* also if there are none: not to look again */
    return wait_for_join(hazards, place, resource->writing);
}

static int wait_for_readers(struct rv_hazards *hazards, struct rv_place *place,
                            struct rv_touched *resource)
{
    struct rv_list *node;
    int error = wait_for_join(hazards, place, resource->reading);

    for (node = resource->readers.next; !error && node != &resource->readers; node = node->next)
        error = wait_for_use(hazards, place, use_of(node));
    return error;
}

/* The same of a resource above what is written: others below it will wait for them too. */
static int wait_for_readers_above(struct rv_hazards *hazards, struct rv_place *place,
                                  struct rv_touched *resource, uint64_t since)
{
    struct rv_list *last = resource->readers.prev;

    if (last != &resource->readers && use_of(last)->place->number > since &&
        join_readers(hazards, resource) != 0)
        return REEVE_ENOMEM;
    if (!resource->reading || resource->reading->number <= since)
        return 0;
    return wait_for_join(hazards, place, resource->reading);
}

static int wait_to_read(struct rv_hazards *hazards, struct rv_place *place,
                        struct rv_touched *resource)
{
    const struct rv_use *writer = newest_writer_above(resource);
    int error = writer ? wait_for_use(hazards, place, writer) : 0;

    return error ? error : wait_for_writers_below(hazards, place, resource);
}

static int wait_to_write(struct rv_hazards *hazards, struct rv_place *place,
                         struct rv_touched *resource)
{
    const struct rv_use *writer = newest_writer_above(resource);
    uint64_t since = writer ? writer->place->number : 0;
    int error = writer ? wait_for_use(hazards, place, writer) : 0;
    struct rv_touched *at;

    for (at = parent_of(resource); !error && at; at = parent_of(at))
        error = wait_for_readers_above(hazards, place, at, since);
    if (!error)
        error = wait_for_readers(hazards, place, resource);
    for (at = next_below(resource, resource, 0); !error && at; at = next_below(resource, at, 0)) {
        if (at->writer)
            error = wait_for_use(hazards, place, at->writer);
        if (!error)
            error = wait_for_readers(hazards, place, at);
    }
    return error;
}

/* ---- what a place touches --------------------------------------------------------------------
 */

/* It is touched no more, and perhaps not what is above it either. */
static void let_go(struct rv_touched *resource)
{
    while (!--resource->live) {
        disown(&resource->reading);
        disown(&resource->writing);
        resource->written = 0;
        resource->writes_joined = 0;
        if (!parent_of(resource))
            return;
        rv_list_remove(&resource->in_alive);
        resource = parent_of(resource);
    }
}

static void hold(struct rv_touched *resource)
{
    while (!resource->live++ && parent_of(resource)) {
        rv_list_append(&parent_of(resource)->alive, &resource->in_alive);
        resource = parent_of(resource);
    }
}

static void take_out(struct rv_use *use)
{
    struct rv_touched *resource = use->resource;

    if (!resource)
        return;
    use->resource = NULL;
    rv_list_remove(&use->node);
    if (resource->writer == use)
        resource->writer = NULL;
    let_go(resource);
}

static void take_all_out(struct rv_touched *resource)
{
    if (resource->writer)
        take_out(resource->writer);
    while (!rv_list_empty(&resource->readers))
        take_out(use_of(resource->readers.next));
    while (!rv_list_empty(&resource->joined))
        take_out(use_of(resource->joined.next));
}

/* From below upwards. The resource itself is held. */
static void take_out_all_below(struct rv_touched *resource)
{
    struct rv_touched *at = resource, *parent;

    for (;;) {
        while (!rv_list_empty(&at->alive))
            at = alive_at(at->alive.next);
        if (at == resource)
            return;
        parent = parent_of(at);
        take_all_out(at);
        at = parent;
    }
}

/* Children are in the order of their last write. */
static void note_write(struct rv_touched *resource, uint64_t number)
{
    struct rv_list *alive;

    for (; resource; resource = parent_of(resource)) {
        resource->written = number;
        alive = parent_of(resource) ? &parent_of(resource)->alive : NULL;
        if (!alive || alive->next == &resource->in_alive)
            continue;
        rv_list_remove(&resource->in_alive);
        rv_list_append(alive->next, &resource->in_alive);
    }
}

static void put_writer(struct rv_use *use)
{
    struct rv_touched *resource = use->resource;

    hold(resource);
    take_out_all_below(resource);
    take_all_out(resource);
    disown(&resource->reading);
    disown(&resource->writing);
    resource->writes_joined = use->place->number;
    resource->writer = use;
    note_write(resource, use->place->number);
}

static void put_reader(struct rv_use *use)
{
    hold(use->resource);
    rv_list_append(&use->resource->readers, &use->node);
}

static struct rv_use *new_use(struct rv_hazards *hazards)
{
    struct rv_use *use = hazards->free_uses;

    if (use)
        hazards->free_uses = use->next;
    else
        use = rv_arena_alloc(&hazards->arena, sizeof *use);
    return use;
}

static void free_uses(struct rv_hazards *hazards, struct rv_place *place)
{
    struct rv_use *use;

    while ((use = place->uses)) {
        place->uses = use->next;
        use->next = hazards->free_uses;
        hazards->free_uses = use;
    }
}

/* ---- places ----------------------------------------------------------------------------------
 */

void rv_hazards_begin(struct rv_hazards *hazards, struct rv_place *place,
                      void (*turn)(struct rv_step *step))
{
    rv_step_init(&place->step, hazards->runtime, turn);
    place->uses = NULL;
    place->waits = NULL;
    place->number = hazards->number + 1;
}

int rv_hazards_touch(struct rv_hazards *hazards, struct rv_place *place,
                     struct rv_resource *resource, bool writes)
{
    struct rv_touched *touched = touched_of(resource);
    struct rv_use *use;

    if (hazards->grouping == REEVE_GROUPING_NONE)
        return 0;
    use = new_use(hazards);
    if (!use)
        return REEVE_ENOMEM;
    *use =
        (struct rv_use){.next = place->uses, .resource = touched, .place = place, .writes = writes};
    rv_list_init(&use->node);
    place->uses = use;
    return writes ? wait_to_write(hazards, place, touched) : wait_to_read(hazards, place, touched);
}

int rv_hazards_read_last(struct rv_hazards *hazards, struct rv_place *place)
{
    const struct rv_use *writer = hazards->everything.writer;

    assert(rv_list_empty(&hazards->everything.alive) && "writes of a part of everything");
    return writer ? wait_for_use(hazards, place, writer) : 0;
}

void rv_hazards_take(struct rv_hazards *hazards, struct rv_place *place)
{
    struct rv_use *use;

    hazards->number = place->number;
    hazards->places++;
    for (use = place->uses; use; use = use->next) {
        if (use->writes)
            put_writer(use);
        else
            put_reader(use);
    }
    rv_step_start(&place->step);
}

void rv_hazards_drop(struct rv_hazards *hazards, struct rv_place *place)
{
    give_waits_back(hazards, &place->waits);
    free_uses(hazards, place);
}

void rv_hazards_leave(struct rv_hazards *hazards, struct rv_place *place)
{
    struct rv_use *use;

    assert(hazards->places);
    hazards->places--;
    for (use = place->uses; use; use = use->next)
        take_out(use);
    give_waits_back(hazards, &place->waits);
    free_uses(hazards, place);
    rv_step_finish(&place->step);
}

void rv_hazards_forget(struct rv_hazards *hazards)
{
    if (hazards->places)
        return;
    drop_joins(hazards);
    hazards->free_uses = NULL;
    hazards->free_waits = NULL;
    hazards->free_joins = NULL;
    rv_arena_clear(&hazards->arena);
    rv_resources_forget(&hazards->resources);
}
