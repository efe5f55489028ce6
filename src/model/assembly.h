/* SPDX-License-Identifier: MIT */
/*
 * Puts the tool calls of one response together from their pieces, whatever the server does with
 * indices and ids. See assembly.c for the rules. Bounded in calls and in bytes.
 */
#ifndef RV_MODEL_ASSEMBLY_H
#define RV_MODEL_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "model/call_piece.h"

#include <reeve/message.h>

enum { RV_MAX_CALLS = 512 };

/* Where a text of arguments stands between its brackets. */
struct rv_json_progress {
    uint32_t depth;
    bool in_string;
    bool after_backslash;
    bool begun;    /* something but white space has come */
    bool complete; /* and its brackets are closed */
};

struct rv_assembled_call {
    bool has_index;
    int64_t index;
    char *id; /* NULL: not known yet */
    char *name;
    bool whole; /* the arguments came as an object: nothing is added to them */
    struct rv_buffer arguments;
    struct rv_json_progress progress;
};

struct rv_assembly {
    struct rv_mem *mem;
    struct rv_assembled_call *calls; /* in the order of their first pieces */
    size_t count;
    size_t capacity;
    size_t bytes; /* of all texts */
    size_t max_bytes;
    struct reeve_call *finished; /* made by rv_assembly_finish */
    size_t finished_count;
};

void rv_assembly_init(struct rv_assembly *assembly, struct rv_mem *mem, size_t max_bytes);
void rv_assembly_done(struct rv_assembly *assembly);

/* 0; REEVE_ETOOBIG; REEVE_ENOMEM. */
int rv_assembly_add(struct rv_assembly *assembly, const struct rv_call_piece *piece);

/*
 * No more pieces come: make assembly->finished. Every call has a name and an id of its own then;
 * `seed` is what made-up ids are drawn from. 0 or REEVE_ENOMEM.
 */
int rv_assembly_finish(struct rv_assembly *assembly, uint64_t seed);

/* Forget all calls. */
void rv_assembly_clear(struct rv_assembly *assembly);

#endif
