/* SPDX-License-Identifier: MIT */
/*
 * Going through folders: each folder's names in the order of their bytes, and what is below a
 * folder right behind it. Its owner says of each entry whether to go down into it, so that nothing
 * is listed that is of no use. Links are entries and never followed. One listing is under way at a
 * time; what is kept are the entries of the folders on the way down. Works in slices.
 */
#ifndef RV_TOOL_BUILTIN_TREE_H
#define RV_TOOL_BUILTIN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "io/file.h"
#include "loop/ready.h"
#include "tool/builtin/glob.h"

struct rv_tree;
struct rv_ignore;

enum rv_tree_move {
    RV_TREE_NEXT,
    RV_TREE_ENTER, /* the entry is a folder: what is in it comes next */
    RV_TREE_PAUSE, /* until rv_tree_resume */
};

/* A folder on the way down, and what its owner keeps of it. */
struct rv_tree_folder {
    struct rv_tree_folder *up; /* NULL: the first */
    const struct rv_file_entry *next;
    struct rv_arena arena; /* of the entries, and of what is kept */
    size_t path_len;       /* of rv_tree.path */
    size_t depth;
    struct rv_globs_state globs; /* the owner's, as rv_tree.globs was when it was entered */
    struct rv_ignore *ignore;    /* the owner's */
};

/* The tree may be freed in on_done only. */
struct rv_tree_owner {
    /* An entry; rv_tree.path is its path. */
    enum rv_tree_move (*on_entry)(struct rv_tree *tree, const struct rv_file_entry *entry);
    /* A folder's entries have come: rv_tree.folder. RV_TREE_NEXT or _PAUSE. May be NULL. */
    enum rv_tree_move (*on_folder)(struct rv_tree *tree);
    /* Last: 0, or why the first folder could not be read, with a problem that lives as long, or why
     * none can be. */
    void (*on_done)(struct rv_tree *tree, int error, const struct rv_file_problem *problem);
};

struct rv_tree {
    const struct rv_tree_owner *owner;
    struct rv_mem *mem;
    struct reeve_runtime *runtime;
    struct rv_root *root;
    struct rv_task task;
    struct rv_file_list *list;
    struct rv_tree_folder *folder;
    struct rv_buffer path; /* as the root takes it; "" is the root itself */
    struct rv_globs_state globs;
    size_t steps;    /* of this slice: the owner adds what an entry cost it */
    size_t unread;   /* folders that could not be read, or that are too deep */
    bool incomplete; /* a folder has more entries than can be looked at */
    int error;       /* set by the owner in a callback: it ends with that */
    bool paused;
    bool over;
};

/* A tree that does nothing yet. */
void rv_tree_init(struct rv_tree *tree, struct rv_root *root, struct reeve_runtime *runtime,
                  struct rv_mem *mem, const struct rv_tree_owner *owner);
/* Begin at a folder. 0, REEVE_ENOMEM, REEVE_ETOOBIG, REEVE_ECLOSING. */
int rv_tree_start(struct rv_tree *tree, const char *path);
void rv_tree_resume(struct rv_tree *tree);
/* No more callbacks; what it has is given back. Any time. */
void rv_tree_done(struct rv_tree *tree);

#endif
