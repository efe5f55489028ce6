/* SPDX-License-Identifier: MIT */
/*
 * What calls have written, and when: for all batches of a toolbox, whose order holds within each of
 * them only. What was read of a resource is right as long as nothing has written it since, nor is
 * about to. Times are a number that each beginning and each end of a write makes one larger.
 *
 * A write is of all that its call claims; it is remembered at its resources, and seen by whoever
 * looks at these, at what is below them or at what is above. The names that are remembered are
 * bounded: when there are too many, everything counts as written once, and they are forgotten.
 */
#ifndef RV_TOOL_WRITTEN_H
#define RV_TOOL_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool/resources.h"

#include <reeve/tool.h>

/* What is known of a resource. */
struct rv_mark {
    struct rv_resource resource;
    uint64_t written;       /* when it was last: the number */
    uint64_t written_below; /* and something below it, */
    size_t active;          /* and how many writes are under way, of it */
    size_t active_below;
};

struct rv_written {
    struct rv_resources resources;
    struct rv_mark everything;
    uint64_t now;
    size_t active; /* writes under way */
};

/* What a write is remembered at. */
enum rv_write {
    RV_WRITE_NONE,
    RV_WRITE_CLAIMS,
    RV_WRITE_EVERYTHING, /* also if there was no memory for more */
};

void rv_written_init(struct rv_written *written, struct rv_mem *mem);
void rv_written_done(struct rv_written *written);

/* A write of the claims that are no reads, whose keys are canonical; with one of an unknown effect,
 * of everything. Never fails. What comes back is to be given to rv_written_end, with the same
 * claims. */
enum rv_write rv_written_begin(struct rv_written *written, const struct reeve_claim *claims,
                               size_t count);
/* A write of everything. */
enum rv_write rv_written_begin_all(struct rv_written *written);
void rv_written_end(struct rv_written *written, enum rv_write write,
                    const struct reeve_claim *claims, size_t count);

/* Something has changed, whatever it is. */
void rv_written_touch_all(struct rv_written *written);

/* Is what was read of a resource, at the time `since`, still right? */
bool rv_written_is_right(const struct rv_written *written, const char *kind, const char *key,
                         uint64_t since);
/*
 * The same of all that a call has read: everything, or what it claims. A call without claims
 * touches nothing but what touches everything.
 */
bool rv_written_are_right(const struct rv_written *written, bool everything,
                          const struct reeve_claim *claims, size_t count, uint64_t since);

/* No write of everything was under way at that time, or has been since: links lead where they did.
 */
static inline bool rv_written_no_barrier(const struct rv_written *written, uint64_t since)
{
    return written->everything.written <= since && !written->everything.active;
}

/* Nothing at all has been written since: the quick answer. */
static inline bool rv_written_is_quiet(const struct rv_written *written, uint64_t since)
{
    return !written->active && written->now == since;
}

#endif
