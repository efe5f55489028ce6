/* SPDX-License-Identifier: MIT */
/* The times of writes, in a tree of what was written. */
#include "tool/written.h"

enum { MOST_NAMES = 16384 };

static struct rv_mark *mark_of(struct rv_resource *resource)
{
    return rv_container_of(resource, struct rv_mark, resource);
}

static struct rv_mark *parent_of(const struct rv_mark *mark)
{
    return mark->resource.parent ? mark_of(mark->resource.parent) : NULL;
}

static void init_mark(struct rv_resource *resource)
{
    (void)resource; /* all zero */
}

void rv_written_init(struct rv_written *written, struct rv_mem *mem)
{
    written->now = 1;
    written->active = 0;
    rv_resources_init(&written->resources, mem, &written->everything.resource,
                      sizeof written->everything, init_mark);
}

void rv_written_done(struct rv_written *written)
{
    rv_resources_done(&written->resources);
}

static void note(struct rv_written *written, struct rv_mark *mark)
{
    mark->written = written->now;
    while ((mark = parent_of(mark)) != NULL)
        mark->written_below = written->now;
}

static void begin(struct rv_written *written, struct rv_mark *mark)
{
    note(written, mark);
    written->active++;
    mark->active++;
    while ((mark = parent_of(mark)) != NULL)
        mark->active_below++;
}

static void end(struct rv_written *written, struct rv_mark *mark)
{
    note(written, mark);
    written->active--;
    mark->active--;
    while ((mark = parent_of(mark)) != NULL)
        mark->active_below--;
}

/* While a write is under way its names must stay. */
static void bound_names(struct rv_written *written)
{
    if (written->resources.count < MOST_NAMES || written->active)
        return;
    rv_resources_forget(&written->resources);
    written->everything.written = written->now;
}

enum rv_write rv_written_begin_all(struct rv_written *written)
{
    written->now++;
    begin(written, &written->everything);
    return RV_WRITE_EVERYTHING;
}

static bool writes(const struct reeve_claim *claim)
{
    return claim->effect != REEVE_EFFECT_READ;
}

/* Make all names of the claims. False: they are too many, or everything is written. */
static bool make_names(struct rv_written *written, const struct reeve_claim *claims, size_t count)
{
    size_t i;

    bound_names(written);
    for (i = 0; i < count; i++) {
        if (claims[i].effect == REEVE_EFFECT_UNKNOWN)
            return false;
        if (writes(&claims[i]) &&
            (written->resources.count >= 2 * MOST_NAMES ||
             !rv_resources_find(&written->resources, claims[i].kind, claims[i].key)))
            return false;
    }
    return true;
}

static struct rv_mark *made(const struct rv_written *written, const struct reeve_claim *claim)
{
    bool is_it;

    return mark_of(rv_resources_nearest(&written->resources, claim->kind, claim->key, &is_it));
}

enum rv_write rv_written_begin(struct rv_written *written, const struct reeve_claim *claims,
                               size_t count)
{
    size_t i;

    if (!make_names(written, claims, count))
        return rv_written_begin_all(written);
    written->now++;
    for (i = 0; i < count; i++)
        if (writes(&claims[i]))
            begin(written, made(written, &claims[i]));
    return RV_WRITE_CLAIMS;
}

void rv_written_end(struct rv_written *written, enum rv_write write,
                    const struct reeve_claim *claims, size_t count)
{
    size_t i;

    if (write == RV_WRITE_NONE)
        return;
    written->now++;
    if (write == RV_WRITE_EVERYTHING)
        end(written, &written->everything);
    for (i = 0; write == RV_WRITE_CLAIMS && i < count; i++)
        if (writes(&claims[i]))
            end(written, made(written, &claims[i]));
}

void rv_written_touch_all(struct rv_written *written)
{
    written->now++;
    written->everything.written = written->now;
}

static bool is_right_at(const struct rv_mark *mark, uint64_t since)
{
    return mark->written <= since && !mark->active;
}

static bool is_right_below(const struct rv_mark *mark, uint64_t since)
{
    return mark->written_below <= since && !mark->active_below;
}

bool rv_written_is_right(const struct rv_written *written, const char *kind, const char *key,
                         uint64_t since)
{
    const struct rv_mark *mark;
    bool is_it;

    mark = mark_of(rv_resources_nearest(&written->resources, kind, key, &is_it));
    if (is_it && !is_right_below(mark, since))
        return false;
    for (; mark; mark = parent_of(mark))
        if (!is_right_at(mark, since))
            return false;
    return true;
}

bool rv_written_are_right(const struct rv_written *written, bool everything,
                          const struct reeve_claim *claims, size_t count, uint64_t since)
{
    size_t i;

    if (rv_written_is_quiet(written, since))
        return true;
    if (!is_right_at(&written->everything, since) ||
        (everything && !is_right_below(&written->everything, since)))
        return false;
    for (i = 0; i < count; i++)
        if (!rv_written_is_right(written, claims[i].kind, claims[i].key, since))
            return false;
    return true;
}
