/* SPDX-License-Identifier: MIT */
/*
 * Writing a whole file beneath a root.
 *
 * Happy path of a new or a replaced file: find its place → create a file beside it, under a name of
 * our own → write, piece by piece → (sync it) → (look whether the old one is still the one that is
 * to be replaced) → rename → (open the folder, sync it) → done. In place, or appended: place →
 * open, created if it is missing → write → (sync it; the folder too if it was created) → done.
 *
 * Ways to fail: the place (file_open.c); it names no regular file, or one that may not be written;
 * the name of our own is taken, several times; any call that the system refuses (a full disk). The
 * file beside is removed then. A cancelled write removes it at once, or, if it is just being
 * created, as soon as that has happened.
 */
#include "io/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "io/file_request.h"
#include "loop/runtime.h"

#include <reeve/error.h>

enum {
    MAX_NAMES = 8,
    DEFAULT_MODE = 0666,
};

enum write_state {
    WRITE_PLACING,
    WRITE_CREATING,
    WRITE_WRITING,
    WRITE_SYNCING,
    WRITE_LOOKING,
    WRITE_RENAMING,
    WRITE_OPENING_FOLDER,
    WRITE_SYNCING_FOLDER,
};

struct rv_file_write {
    struct rv_file_request base;
    enum write_state state;
    struct rv_file_write_options options;
    struct rv_file_status only;
    struct rv_place place;
    char beside[32]; /* the name of the file beside */
    bool has_beside;
    bool created;
    unsigned names;
    int fd;
    int folder_fd; /* open for syncing */
    uint64_t written;
    const char *piece; /* what of the piece under way is not written yet */
    size_t piece_len;
};

static struct rv_file_write *write_of(struct rv_file_request *request)
{
    return rv_container_of(request, struct rv_file_write, base);
}

static bool goes_beside(const struct rv_file_write *write)
{
    return write->options.how == RV_FILE_WRITE_NEW || write->options.how == RV_FILE_WRITE_REPLACE;
}

static void finish(struct rv_file_request *request, int error)
{
    struct rv_file_write *write = write_of(request);

    rv_file_close(request->root, &write->fd);
    rv_file_close(request->root, &write->folder_fd);
    if (write->has_beside)
        rv_file_discard(request->root, write->place.folder_fd, write->beside);
    rv_file_close(request->root, &write->place.folder_fd);
    write->options.on_done(write, error, write->options.arg);
}

static void over(struct rv_file_write *write)
{
    rv_file_request_finish(&write->base, 0);
}

/* ---- the last steps: each goes on to the next -------------------------------------------------
 */

static void open_folder(struct rv_file_write *write)
{
    if (!write->options.sync || (!goes_beside(write) && !write->created)) {
        over(write);
        return;
    }
    write->state = WRITE_OPENING_FOLDER;
    rv_file_op_open(&write->base.op, write->place.folder_fd, ".", RV_WANT_FOLDER);
}

static void rename_over(struct rv_file_write *write)
{
    bool only_new = write->options.how == RV_FILE_WRITE_NEW;

    write->state = WRITE_RENAMING;
    rv_file_op_rename(&write->base.op, write->place.folder_fd, write->beside,
                      write->place.folder_fd, write->place.name, only_new ? RENAME_NOREPLACE : 0);
}

static void synced(struct rv_file_write *write)
{
    rv_file_close(write->base.root, &write->fd);
    if (!goes_beside(write)) {
        open_folder(write);
        return;
    }
    if (!write->options.only) {
        rename_over(write);
        return;
    }
    write->state = WRITE_LOOKING;
    rv_file_op_open(&write->base.op, write->place.folder_fd, write->place.name, RV_WANT_LOOK);
}

static void sync_file(struct rv_file_write *write)
{
    if (!write->options.sync) {
        synced(write);
        return;
    }
    write->state = WRITE_SYNCING;
    rv_file_op_sync(&write->base.op, write->fd);
}

static void write_piece(struct rv_file_write *write)
{
    if (!write->piece_len && write->options.on_want)
        write->piece_len = write->options.on_want(write, &write->piece, write->options.arg);
    if (!write->piece_len) {
        sync_file(write);
        return;
    }
    write->state = WRITE_WRITING;
    rv_file_op_write(&write->base.op, write->fd, write->piece, write->piece_len, write->written);
}

/* ---- the first ones ---------------------------------------------------------------------------
 */

static void create_beside(struct rv_file_write *write)
{
    const struct stat *like = write->place.exists ? &write->place.status : NULL;

    snprintf(write->beside, sizeof write->beside, ".reeve-%016llx",
             (unsigned long long)rv_runtime_random(write->base.root->runtime));
    write->names++;
    rv_file_op_create(&write->base.op, write->place.folder_fd, write->beside, O_EXCL,
                      (mode_t)write->options.mode, like);
}

static void create(struct rv_file_write *write)
{
    int flags = write->options.how == RV_FILE_WRITE_APPEND ? O_APPEND : O_TRUNC;

    write->state = WRITE_CREATING;
    if (goes_beside(write))
        create_beside(write);
    else
        rv_file_op_create(&write->base.op, write->place.folder_fd, write->place.name,
                          flags | O_NONBLOCK, (mode_t)write->options.mode, NULL);
}

/* Whether what has this status may be replaced. */
static bool is_wanted(const struct rv_file_write *write, const struct stat *status)
{
    struct rv_file_status now = rv_file_status_of(status);

    return rv_file_status_same(&now, &write->only);
}

static int check_place(struct rv_file_write *write)
{
    const struct rv_place *place = &write->place;

    if (write->options.only && !(place->exists && is_wanted(write, &place->status)))
        return REEVE_EEXIST;

    if (place->exists && write->options.how == RV_FILE_WRITE_NEW)
        return REEVE_EEXIST;
    if (place->exists && !S_ISREG(place->status.st_mode))
        return rv_want_error(RV_WANT_FILE, place->status.st_mode, &write->base.problem);
    if (place->is_folder)
        return place->exists ? REEVE_ENOTDIR
                             : rv_want_error(RV_WANT_FILE, S_IFDIR, &write->base.problem);
    if (place->exists)
        write->base.problem.os_errno =
            rv_file_may_write(write->base.root, place->folder_fd, place->name);
    return rv_file_error_of_errno(write->base.problem.os_errno);
}

static void placed(struct rv_file_write *write)
{
    int error;

    write->place = rv_file_request_take_place(&write->base);
    write->created = !write->place.exists;
    error = check_place(write);
    if (error)
        rv_file_request_finish(&write->base, error);
    else
        create(write);
}

static void created(struct rv_file_write *write)
{
    write->has_beside = goes_beside(write);
    write->fd = write->base.op.opened.fd;
    write_piece(write);
}

static void wrote(struct rv_file_write *write)
{
    if (!write->base.op.got) { /* the system took nothing and gave no reason */
        write->base.problem.os_errno = EIO;
        rv_file_request_finish(&write->base, REEVE_ESYSTEM);
        return;
    }
    write->written += write->base.op.got;
    write->piece += write->base.op.got;
    write->piece_len -= write->base.op.got;
    write_piece(write);
}

static void looked(struct rv_file_write *write)
{
    if (is_wanted(write, &write->base.op.opened.status))
        rename_over(write);
    else
        rv_file_request_finish(&write->base, REEVE_EEXIST);
}

static void renamed(struct rv_file_write *write)
{
    write->has_beside = false;
    open_folder(write);
}

static void opened_folder(struct rv_file_write *write)
{
    write->folder_fd = write->base.op.opened.fd;
    write->state = WRITE_SYNCING_FOLDER;
    rv_file_op_sync(&write->base.op, write->folder_fd);
}

/* True if it goes on by another way. */
static bool has_other_way(struct rv_file_write *write)
{
    int os_errno = write->base.op.os_errno;

    if (write->state != WRITE_CREATING || !goes_beside(write) || os_errno != EEXIST)
        return false;
    if (write->names == MAX_NAMES)
        return false;
    create_beside(write);
    return true;
}

static void op_failed(struct rv_file_write *write)
{
    const struct rv_file_op *op = &write->base.op;

    if (has_other_way(write))
        return;
    /* Removed, or made a link that leads elsewhere. */
    if (write->state == WRITE_LOOKING &&
        (op->error == REEVE_ENOTFOUND || op->error == REEVE_EOUTSIDE)) {
        rv_file_request_finish(&write->base, REEVE_EEXIST);
        return;
    }
    if (write->state == WRITE_PLACING || write->state == WRITE_CREATING)
        write->base.problem = op->opened.problem;
    write->base.problem.os_errno = op->os_errno;
    rv_file_request_fail(&write->base);
}

static void op_done(struct rv_file_op *op)
{
    struct rv_file_write *write = write_of(rv_file_request_of(op));

    if (op->error) {
        op_failed(write);
        return;
    }
    switch (write->state) {
    case WRITE_PLACING:
        placed(write);
        break;
    case WRITE_CREATING:
        created(write);
        break;
    case WRITE_WRITING:
        wrote(write);
        break;
    case WRITE_SYNCING:
        synced(write);
        break;
    case WRITE_LOOKING:
        looked(write);
        break;
    case WRITE_RENAMING:
        renamed(write);
        break;
    case WRITE_OPENING_FOLDER:
        opened_folder(write);
        break;
    case WRITE_SYNCING_FOLDER:
        over(write);
        break;
    }
}

int rv_file_write_start(struct rv_root *root, const struct rv_file_write_options *options,
                        struct rv_file_write **ret_write)
{
    struct rv_file_request *request;
    struct rv_file_write *write;
    int error;

    if (!options->on_done || (options->len && !options->bytes))
        return REEVE_EINVAL;
    error = rv_file_request_new(root, options->path, sizeof *write, op_done, finish, &request);
    if (error)
        return error;
    write = write_of(request);
    write->options = *options;
    if (options->only)
        write->only = *options->only;
    if (!options->on_want) {
        write->piece = options->bytes;
        write->piece_len = options->len;
    }
    if (!write->options.mode)
        write->options.mode = DEFAULT_MODE;
    write->place.folder_fd = -1;
    write->fd = -1;
    write->folder_fd = -1;
    rv_file_op_place(&request->op, request->path, true);
    *ret_write = write;
    return 0;
}

void rv_file_write_cancel(struct rv_file_write *write)
{
    rv_file_request_cancel(&write->base);
}

void rv_file_write_abort(struct rv_file_write *write)
{
    rv_file_request_abort(&write->base);
}

const struct rv_file_problem *rv_file_write_problem(const struct rv_file_write *write)
{
    return &write->base.problem;
}

bool rv_file_write_created(const struct rv_file_write *write)
{
    return write->created;
}
