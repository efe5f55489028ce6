/* SPDX-License-Identifier: MIT */
/*
 * Listing a folder beneath a root.
 *
 * Happy path: open the folder → scan it (a bounded number of entries at a time) → if recursive, the
 * next folder among the entries is opened beneath the listed one and scanned, until there is none →
 * sort, in slices → done. The work list is the entries themselves, in the order they were found:
 * those up to `passed` have been scanned or are no folders. Nothing recurses, and but two
 * descriptors are held however deep the tree is.
 *
 * Ways to fail: the opening (root.c); no memory; the system refuses to list the folder itself, or
 * is out of descriptors. No failure: a folder below that may not be read or whose path is too long
 * (it is marked), or that is gone by now (it stays an entry); a cap that is reached (the listing is
 * not complete). Names that vanish between getdents and stat are left out.
 */
#include "io/file.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "io/file_op.h"
#include "io/file_sort.h"
#include "loop/clock.h"
#include "loop/runtime.h"

#include <reeve/error.h>

enum {
    SKIP_ENTRIES = 4096, /* a slice of looking for the next folder */
    SORT_STEPS = 512,    /* a slice: about 0.1 ms, since each reads a name from far away */
};

enum list_state {
    LIST_OPENING,
    LIST_SCANNING,
    LIST_SEEKING, /* the next folder */
    LIST_OPENING_BELOW,
    LIST_SORTING,
    LIST_CANCELED, /* waits for its turn to say so */
    LIST_DONE,     /* in on_done */
};

/* Stops a scan, and is no error. */
#define CAP_REACHED 1

struct rv_file_list {
    struct rv_file_op op;
    struct rv_task task;
    struct rv_root *root;
    enum list_state state;
    char *path;
    bool recursive;
    size_t max_entries;
    size_t max_name_bytes;
    int top_fd;                    /* the listed folder */
    int fd;                        /* the folder being scanned: top_fd or one below it */
    struct rv_file_entry *scanned; /* that folder's entry; NULL for the listed one */
    struct rv_file_entry *passed;  /* up to here there is no folder left to scan */
    struct rv_file_sort sort; /* all entries, in the order they were found until LIST_SORTING */
    struct rv_arena arena;    /* of the entries */
    size_t name_bytes;
    struct rv_file_scan scan;
    struct rv_file_listing listing;
    struct rv_file_problem problem;
    void (*on_done)(struct rv_file_list *list, int error, void *arg);
    void *arg;
};

static void close_scanned(struct rv_file_list *list)
{
    if (list->fd != list->top_fd)
        rv_file_close(list->root, &list->fd);
    list->fd = -1;
}

static void destroy(struct rv_file_list *list)
{
    struct rv_root *root = list->root;

    rv_runtime_bury(root->runtime, &list->arena);
    rv_free(root->mem, list->scan.dents);
    rv_free(root->mem, list->path);
    rv_free(root->mem, list);
    rv_root_free(root);
}

static void finish(struct rv_file_list *list, int error)
{
    rv_file_op_cancel(&list->op);
    rv_ready_remove(&list->task);
    close_scanned(list);
    rv_file_close(list->root, &list->top_fd);
    list->state = LIST_DONE;
    list->listing.first = list->sort.first_run;
    list->on_done(list, error, list->arg);
    destroy(list);
}

/* The queue looks at the clock for some tasks only; a slice is as long as many of them. */
static void go_on(struct rv_file_list *list, enum list_state state)
{
    rv_precise_now_ns(list->root->runtime);
    list->state = state;
    rv_ready_push(list->root->runtime, &list->task);
}

/* Over a cap: no failure, but nothing more is taken. */
static int add_entry(struct rv_file_list *list, const char *name, char type, uint64_t size)
{
    const char *prefix = list->scanned ? list->scanned->name : "";
    size_t prefix_len = strlen(prefix), name_len = strlen(name);
    size_t len = prefix_len + (prefix_len > 0) + name_len;
    struct rv_file_entry *entry;

    if (list->listing.count == list->max_entries || len > list->max_name_bytes - list->name_bytes) {
        list->listing.complete = false;
        return CAP_REACHED;
    }
    entry = rv_arena_alloc(&list->arena, sizeof *entry + len + 1);
    if (!entry)
        return REEVE_ENOMEM;
    *entry = (struct rv_file_entry){.size = size, .type = type};
    memcpy(entry->name, prefix, prefix_len);
    if (prefix_len)
        entry->name[prefix_len] = '/';
    memcpy(entry->name + len - name_len, name, name_len + 1);
    rv_file_sort_add(&list->sort, entry);
    list->name_bytes += len;
    list->listing.count++;
    return 0;
}

static int take_entry(struct rv_file_op *op, const char *name, char type, uint64_t size)
{
    return add_entry(rv_container_of(op, struct rv_file_list, op), name, type, size);
}

static void sort_slice(struct rv_file_list *list)
{
    if (rv_file_sort_run(&list->sort, SORT_STEPS))
        finish(list, 0);
    else
        go_on(list, LIST_SORTING);
}

static void folder_over(struct rv_file_list *list)
{
    close_scanned(list);
    if (list->recursive && list->listing.complete)
        go_on(list, LIST_SEEKING);
    else
        go_on(list, LIST_SORTING);
}

/* A folder that cannot be read: the listed one fails the request, one below is marked. */
static void folder_refused(struct rv_file_list *list, int error, int os_errno)
{
    bool out_of_means = os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM;

    if (!list->scanned || out_of_means) {
        list->problem.os_errno = os_errno;
        finish(list, error);
        return;
    }
    if (os_errno != ENOENT) {
        list->scanned->unread = true;
        list->listing.unread++;
    }
    folder_over(list);
}

static void scan_on(struct rv_file_list *list)
{
    list->state = LIST_SCANNING;
    rv_file_op_scan(&list->op, list->fd, &list->scan, take_entry);
}

static void scan_came(struct rv_file_list *list)
{
    const struct rv_file_op *op = &list->op;

    if (op->os_errno)
        folder_refused(list, op->error, op->os_errno);
    else if (op->error && op->error != CAP_REACHED)
        finish(list, op->error);
    else if (op->error || !op->got)
        folder_over(list);
    else
        scan_on(list);
}

static void scan_folder(struct rv_file_list *list)
{
    list->scan.len = 0;
    list->scan.position = 0;
    scan_on(list);
}

static void seek_slice(struct rv_file_list *list)
{
    struct rv_file_entry *entry = list->passed;
    size_t steps;

    for (steps = 0; steps < SKIP_ENTRIES; steps++) {
        entry = entry ? entry->next_run : list->sort.first_run;
        if (!entry) {
            go_on(list, LIST_SORTING);
            return;
        }
        list->passed = entry;
        if (entry->type != 'd')
            continue;
        list->scanned = entry;
        list->state = LIST_OPENING_BELOW;
        rv_file_op_open(&list->op, list->top_fd, entry->name, RV_WANT_FOLDER_SANS_LINK);
        return;
    }
    go_on(list, LIST_SEEKING);
}

static void op_done(struct rv_file_op *op)
{
    struct rv_file_list *list = rv_container_of(op, struct rv_file_list, op);

    if (list->state == LIST_SCANNING) {
        scan_came(list);
        return;
    }
    if (op->error && list->state == LIST_OPENING) {
        list->problem = op->opened.problem;
        finish(list, op->error);
        return;
    }
    if (op->error) {
        folder_refused(list, op->error, op->opened.problem.os_errno);
        return;
    }
    list->fd = op->opened.fd;
    if (list->state == LIST_OPENING)
        list->top_fd = list->fd;
    scan_folder(list);
}

static void run_slice(struct rv_task *task)
{
    struct rv_file_list *list = rv_container_of(task, struct rv_file_list, task);

    switch (list->state) {
    case LIST_SEEKING:
        seek_slice(list);
        break;
    case LIST_SORTING:
        sort_slice(list);
        break;
    case LIST_CANCELED:
        finish(list, REEVE_ECANCELED);
        break;
    default:
        assert(0 && "a listing's task runs in the states above only");
    }
}

static struct rv_file_list *allocate(struct rv_root *root, const char *path)
{
    struct rv_file_list *list = rv_zalloc(root->mem, sizeof *list);

    if (!list)
        return NULL;
    list->root = rv_root_ref(root);
    rv_arena_init(&list->arena, root->mem);
    list->path = rv_strdup(root->mem, path);
    list->scan.dents = rv_alloc(root->mem, RV_FILE_SCAN_BYTES);
    if (list->path && list->scan.dents)
        return list;
    destroy(list);
    return NULL;
}

int rv_file_list_start(struct rv_root *root, const struct rv_file_list_options *options,
                       struct rv_file_list **ret_list)
{
    struct rv_file_list *list;

    if (!options->path || !options->path[0] || !options->on_done)
        return REEVE_EINVAL;
    if (!options->max_entries || !options->max_name_bytes)
        return REEVE_EINVAL;
    if (rv_runtime_closing(root->runtime))
        return REEVE_ECLOSING;
    list = allocate(root, options->path);
    if (!list)
        return REEVE_ENOMEM;
    list->recursive = options->recursive;
    list->max_entries = options->max_entries;
    list->max_name_bytes = options->max_name_bytes;
    list->on_done = options->on_done;
    list->arg = options->arg;
    list->top_fd = -1;
    list->fd = -1;
    list->listing.complete = true;
    list->problem = (struct rv_file_problem){.kind = "", .outside = ""};
    rv_task_init(&list->task, run_slice);
    rv_file_op_init(&list->op, root, op_done);
    rv_file_op_open(&list->op, -1, list->path, RV_WANT_FOLDER);
    *ret_list = list;
    return 0;
}

void rv_file_list_cancel(struct rv_file_list *list)
{
    if (list->state >= LIST_CANCELED)
        return;
    rv_file_op_cancel(&list->op);
    go_on(list, LIST_CANCELED);
}

void rv_file_list_abort(struct rv_file_list *list)
{
    if (list->state != LIST_DONE)
        finish(list, REEVE_ECANCELED);
}

const struct rv_file_listing *rv_file_list_listing(const struct rv_file_list *list)
{
    return &list->listing;
}

const struct rv_file_problem *rv_file_list_problem(const struct rv_file_list *list)
{
    return &list->problem;
}

void rv_file_list_take(struct rv_file_list *list, struct rv_arena *ret_arena)
{
    rv_arena_init(ret_arena, list->root->mem);
    rv_arena_take(ret_arena, &list->arena);
}
