/* SPDX-License-Identifier: MIT */
/*
 * Going through folders.
 *
 * Happy path: list a folder → show its entries to the owner, in slices → at one that is to be
 * entered list that one, and go on behind it when it is through → done when the first folder is.
 * Ways to fail: the first folder cannot be listed; no memory; no descriptors. No failure: a folder
 * below that cannot be listed (it is counted), or that is gone by now.
 */
#include "tool/builtin/tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "loop/clock.h"
#include "loop/runtime.h"

#include <reeve/error.h>

enum {
    MAX_ENTRIES = 200000, /* of one folder */
    MAX_NAME_BYTES = 16 * 1024 * 1024,
    MAX_DEPTH = 256,
    SLICE_STEPS = 20000, /* of an owner's; some tens of nanoseconds each */
    STEPS_OF_ENTRY = 50,
};

static void go_on(struct rv_tree *tree)
{
    rv_precise_now_ns(tree->runtime);
    rv_ready_push(tree->runtime, &tree->task);
}

static void finish(struct rv_tree *tree, int error, const struct rv_file_problem *problem)
{
    static const struct rv_file_problem none = {.kind = "", .outside = ""};

    rv_ready_remove(&tree->task);
    tree->over = true;
    tree->owner->on_done(tree, error, problem ? problem : &none);
}

static void leave_folder(struct rv_tree *tree)
{
    struct rv_tree_folder *folder = tree->folder;

    tree->folder = folder->up;
    rv_runtime_bury(tree->runtime, &folder->arena);
    rv_free(tree->mem, folder);
}

/* The entries of what was listed. */
static int enter_folder(struct rv_tree *tree, struct rv_file_list *list)
{
    const struct rv_file_listing *listing = rv_file_list_listing(list);
    struct rv_tree_folder *folder = rv_zalloc(tree->mem, sizeof *folder);

    if (!folder)
        return REEVE_ENOMEM;
    folder->up = tree->folder;
    folder->depth = tree->folder ? tree->folder->depth + 1 : 0;
    folder->path_len = tree->path.len;
    folder->next = listing->first;
    folder->globs = tree->globs;
    rv_file_list_take(list, &folder->arena);
    tree->incomplete |= !listing->complete;
    tree->folder = folder;
    return 0;
}

static bool is_out_of_means(int error, const struct rv_file_problem *problem)
{
    return error == REEVE_ENOMEM || error == REEVE_ECLOSING || problem->os_errno == EMFILE ||
           problem->os_errno == ENFILE || problem->os_errno == ENOMEM;
}

static void on_listed(struct rv_file_list *list, int error, void *arg)
{
    const struct rv_file_problem *problem = rv_file_list_problem(list);
    struct rv_tree *tree = arg;

    tree->list = NULL;
    if (tree->over)
        return;
    if (error && (!tree->folder || is_out_of_means(error, problem))) {
        finish(tree, error, problem);
        return;
    }
    if (error) {
        tree->unread += error != REEVE_ENOTFOUND;
        go_on(tree);
        return;
    }
    error = enter_folder(tree, list);
    if (error) {
        finish(tree, error, NULL);
        return;
    }
    tree->paused = tree->owner->on_folder && tree->owner->on_folder(tree) == RV_TREE_PAUSE;
    if (tree->error)
        finish(tree, tree->error, NULL);
    else if (!tree->paused)
        go_on(tree);
}

static int list_folder(struct rv_tree *tree)
{
    const struct rv_file_list_options options = {
        .path = tree->path.len ? rv_buffer_text(&tree->path) : ".",
        .max_entries = MAX_ENTRIES,
        .max_name_bytes = MAX_NAME_BYTES,
        .on_done = on_listed,
        .arg = tree,
    };

    return rv_file_list_start(tree->root, &options, &tree->list);
}

/* A path that no system call would take is no failure. */
static int set_path(struct rv_tree *tree, const struct rv_file_entry *entry)
{
    int error = 0;

    rv_buffer_truncate(&tree->path, tree->folder->path_len);
    if (tree->path.len && tree->path.data[tree->path.len - 1] != '/')
        error = rv_buffer_add_byte(&tree->path, '/');
    return error ? error : rv_buffer_add_text(&tree->path, entry->name);
}

/* Whether the slice goes on. */
static bool show_entry(struct rv_tree *tree, const struct rv_file_entry *entry)
{
    int error = set_path(tree, entry);
    enum rv_tree_move move;

    tree->steps += STEPS_OF_ENTRY;
    if (error == REEVE_ETOOBIG) {
        tree->unread += entry->type == 'd';
        return true;
    }
    if (error) {
        finish(tree, error, NULL);
        return false;
    }
    move = tree->owner->on_entry(tree, entry);
    if (tree->error) {
        finish(tree, tree->error, NULL);
        return false;
    }
    tree->paused = move == RV_TREE_PAUSE;
    if (move != RV_TREE_ENTER)
        return !tree->paused;
    if (tree->folder->depth == MAX_DEPTH) {
        tree->unread++;
        return true;
    }
    error = list_folder(tree);
    if (error)
        finish(tree, error, NULL);
    return false;
}

static void run_slice(struct rv_task *task)
{
    struct rv_tree *tree = rv_container_of(task, struct rv_tree, task);
    const struct rv_file_entry *entry;

    for (tree->steps = 0; tree->steps < SLICE_STEPS;) {
        entry = tree->folder->next;
        if (entry) {
            tree->folder->next = entry->next;
            if (!show_entry(tree, entry))
                return;
            continue;
        }
        leave_folder(tree);
        if (!tree->folder) {
            finish(tree, 0, NULL);
            return;
        }
    }
    go_on(tree);
}

void rv_tree_init(struct rv_tree *tree, struct rv_root *root, struct reeve_runtime *runtime,
                  struct rv_mem *mem, const struct rv_tree_owner *owner)
{
    tree->owner = owner;
    tree->mem = mem;
    tree->runtime = runtime;
    tree->root = root;
    rv_task_init(&tree->task, run_slice);
    rv_buffer_init(&tree->path, mem, PATH_MAX - 1);
}

int rv_tree_start(struct rv_tree *tree, const char *path)
{
    int error = 0;

    while (path[0] == '.' && path[1] == '/')
        path += 2 + strspn(path + 2, "/");
    if (strcmp(path, ".") != 0)
        error = rv_buffer_add_text(&tree->path, path);
    return error ? error : list_folder(tree);
}

void rv_tree_resume(struct rv_tree *tree)
{
    if (!tree->paused || tree->over)
        return;
    tree->paused = false;
    go_on(tree);
}

void rv_tree_done(struct rv_tree *tree)
{
    tree->over = true;
    if (tree->list)
        rv_file_list_abort(tree->list);
    rv_ready_remove(&tree->task);
    while (tree->folder)
        leave_folder(tree);
    rv_buffer_done(&tree->path);
}
