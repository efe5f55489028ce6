/* SPDX-License-Identifier: MIT */
/*
 * What calls touch: collected by a tool's describe, made canonical, told to the order of calls.
 *
 * A batch remembers the names that it has met, so that a path is looked up on the disk once, by an
 * operation of its own: a call whose claims are not all resolved yet has to wait before it can take
 * its place.
 */
#ifndef RV_TOOL_CLAIMS_H
#define RV_TOOL_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/list.h"
#include "tool/call.h"

struct rv_place;
struct rv_name;
struct rv_root;

/* The names that a batch has met. */
struct rv_names {
    struct reeve_batch *batch;
    struct rv_arena arena;
    struct rv_name *first[4]; /* of the search by hash */
    uint64_t seed;
    uint64_t generation;      /* how often they were forgotten, */
    uint64_t since;           /* and when that was last, as rv_written.now was */
    struct rv_list resolving; /* of struct rv_name.node */
};

void rv_names_init(struct rv_names *names, struct reeve_batch *batch);
/* What is being resolved is dropped. */
void rv_names_done(struct rv_names *names);

/* The paths may have come to mean something else. No described call waits for its place. */
void rv_names_forget(struct rv_names *names);

/*
 * Ask the call's tool what the call touches, and begin to resolve it. Fills the call's claims and
 * its effect. 0, or what the call is to fail with.
 */
int rv_claims_describe(struct reeve_tool_call *call);

/* Nothing is left to be resolved. */
bool rv_claims_ready(const struct reeve_tool_call *call);

/* The call touches everything, and does not only read it. */
bool rv_claims_block(const struct reeve_tool_call *call);

/* Nobody needed to know what it touches before it ran (a read, where no order asks for it): find it
 * out while it does. */
void rv_claims_find_out(struct reeve_tool_call *call);

/* Whether what it has claimed is known: keys of paths are canonical. Then that is what others see
 * of it. */
bool rv_claims_know(struct reeve_tool_call *call);

/* The same, and nobody can have changed since what its paths lead to, in another batch either. */
bool rv_claims_hold(struct reeve_tool_call *call);

/* A ready call's claims become what others may see. 0, or what the call is to fail with. */
int rv_claims_settle(struct reeve_tool_call *call);

/* It has nobody to wait for, and nobody will ever have to wait for it. */
bool rv_claims_need_no_order(const struct reeve_tool_call *call);

/* Touch what it has claimed, between rv_hazards_begin and _take. 0 or REEVE_ENOMEM. */
int rv_claims_touch(struct reeve_tool_call *call, struct rv_place *place);

/* In describe: a path as the file tools take it, relative to their root or absolute below it. */
int rv_claims_add_path(struct reeve_claims *claims, enum reeve_effect effect, struct rv_root *root,
                       const char *path);

#endif
