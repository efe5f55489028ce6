/* SPDX-License-Identifier: MIT */
/*
 * Changes of names beneath a root, and syncs.
 *
 * Happy path: find the place of the name → (of the new name) → change it → done. A sync: open →
 * sync → done. Ways to fail: a place (file_open.c); what the system says to the change. It is one
 * system call, so that it is done or not done, never half.
 */
#include "io/file_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "io/file_request.h"

#include <reeve/error.h>

enum change_state {
    CHANGE_PLACING,
    CHANGE_PLACING_TO,
    CHANGE_OPENING, /* of a sync */
    CHANGE_CHANGING,
};

enum { DEFAULT_FOLDER_MODE = 0777 };

struct rv_file_change {
    struct rv_file_request base;
    enum change_state state;
    struct rv_file_change_options options; /* its paths are copied, or dead */
    char *to;
    struct rv_place place;
    struct rv_place to_place;
    int fd;
};

static struct rv_file_change *change_of(struct rv_file_request *request)
{
    return rv_container_of(request, struct rv_file_change, base);
}

static bool renames(const struct rv_file_change *change)
{
    return change->options.what == RV_FILE_RENAME || change->options.what == RV_FILE_RENAME_TO_NEW;
}

static void finish(struct rv_file_request *request, int error)
{
    struct rv_file_change *change = change_of(request);

    rv_file_close(request->root, &change->place.folder_fd);
    rv_file_close(request->root, &change->to_place.folder_fd);
    rv_file_close(request->root, &change->fd);
    change->options.on_done(change, error, change->options.arg);
    rv_free(request->root->mem, change->to);
}

/* "a/" names a folder, or none that is yet to be. */
static int check_slash(const struct rv_file_change *change)
{
    const struct rv_place *place = &change->place;
    bool is_folder = place->exists && S_ISDIR(place->status.st_mode);

    if (place->is_folder && place->exists && !is_folder)
        return REEVE_ENOTDIR;
    if (change->to_place.is_folder && !is_folder)
        return REEVE_ENOTDIR;
    return 0;
}

static int check_remove(struct rv_file_change *change)
{
    const struct rv_place *place = &change->place;

    if (change->options.what == RV_FILE_REMOVE && place->exists && S_ISDIR(place->status.st_mode))
        return rv_want_error(RV_WANT_FILE, place->status.st_mode, &change->base.problem);
    return 0;
}

static void change_now(struct rv_file_change *change)
{
    struct rv_file_op *op = &change->base.op;
    const struct rv_place *place = &change->place, *to = &change->to_place;
    int error = check_slash(change);

    if (!error)
        error = check_remove(change);
    if (error) {
        rv_file_request_finish(&change->base, error);
        return;
    }
    change->state = CHANGE_CHANGING;
    switch (change->options.what) {
    case RV_FILE_RENAME:
        rv_file_op_rename(op, place->folder_fd, place->name, to->folder_fd, to->name, 0);
        break;
    case RV_FILE_RENAME_TO_NEW:
        rv_file_op_rename(op, place->folder_fd, place->name, to->folder_fd, to->name,
                          RENAME_NOREPLACE);
        break;
    case RV_FILE_REMOVE:
        rv_file_op_unlink(op, place->folder_fd, place->name, 0);
        break;
    case RV_FILE_REMOVE_FOLDER:
        rv_file_op_unlink(op, place->folder_fd, place->name, AT_REMOVEDIR);
        break;
    case RV_FILE_MAKE_FOLDER:
        rv_file_op_mkdir(op, place->folder_fd, place->name, (mode_t)change->options.mode);
        break;
    case RV_FILE_SYNC:
        rv_file_op_sync(op, change->fd);
        break;
    }
}

static void placed(struct rv_file_change *change)
{
    change->place = rv_file_request_take_place(&change->base);
    if (!renames(change)) {
        change_now(change);
        return;
    }
    change->state = CHANGE_PLACING_TO;
    rv_file_op_place(&change->base.op, change->to, false);
}

/* What the operation says, in the words of the change. */
static int translate(const struct rv_file_change *change)
{
    const struct rv_file_op *op = &change->base.op;

    if (change->state == CHANGE_CHANGING && op->os_errno == EXDEV)
        return REEVE_ESYSTEM; /* another file system, not outside */
    if (change->options.what == RV_FILE_MAKE_FOLDER && op->error == REEVE_ENOTFILE)
        return REEVE_EEXIST; /* "." */
    return op->error;
}

static void op_done(struct rv_file_op *op)
{
    struct rv_file_change *change = change_of(rv_file_request_of(op));

    if (op->error) {
        if (change->state != CHANGE_CHANGING)
            change->base.problem = op->opened.problem;
        change->base.problem.os_errno = op->os_errno;
        rv_file_request_finish(&change->base, translate(change));
        return;
    }
    switch (change->state) {
    case CHANGE_PLACING:
        placed(change);
        break;
    case CHANGE_PLACING_TO:
        change->to_place = rv_file_request_take_place(&change->base);
        change_now(change);
        break;
    case CHANGE_OPENING:
        change->fd = op->opened.fd;
        change_now(change);
        break;
    case CHANGE_CHANGING:
        rv_file_request_finish(&change->base, 0);
        break;
    }
}

static void begin(struct rv_file_change *change)
{
    struct rv_file_request *request = &change->base;

    if (change->options.what == RV_FILE_SYNC) {
        change->state = CHANGE_OPENING;
        rv_file_op_open(&request->op, -1, request->path, RV_WANT_EITHER);
    } else {
        rv_file_op_place(&request->op, request->path, false);
    }
}

static void init(struct rv_file_change *change, const struct rv_file_change_options *options,
                 char *to)
{
    change->options = *options;
    if (!change->options.mode)
        change->options.mode = DEFAULT_FOLDER_MODE;
    change->to = to;
    change->place.folder_fd = -1;
    change->to_place.folder_fd = -1;
    change->fd = -1;
}

int rv_file_change_start(struct rv_root *root, const struct rv_file_change_options *options,
                         struct rv_file_change **ret_change)
{
    bool needs_to = options->what == RV_FILE_RENAME || options->what == RV_FILE_RENAME_TO_NEW;
    struct rv_file_request *request;
    char *to = NULL;
    int error;

    if (!options->on_done || (needs_to && (!options->to || !options->to[0])))
        return REEVE_EINVAL;
    if (needs_to) {
        to = rv_strdup(root->mem, options->to);
        if (!to)
            return REEVE_ENOMEM;
    }
    error = rv_file_request_new(root, options->path, sizeof(struct rv_file_change), op_done, finish,
                                &request);
    if (error) {
        rv_free(root->mem, to);
        return error;
    }
    init(change_of(request), options, to);
    begin(change_of(request));
    *ret_change = change_of(request);
    return 0;
}

void rv_file_change_cancel(struct rv_file_change *change)
{
    rv_file_request_cancel(&change->base);
}

void rv_file_change_abort(struct rv_file_change *change)
{
    rv_file_request_abort(&change->base);
}

const struct rv_file_problem *rv_file_change_problem(const struct rv_file_change *change)
{
    return &change->base.problem;
}
