/* SPDX-License-Identifier: MIT */
/*
 * Opening beneath a root, finding the place of a name, creating a file.
 *
 * Opening: what a path names is first opened with O_PATH and looked at, and only what is of the
 * wanted kind is then opened for reading: opening a FIFO would wake its writer, opening a device
 * may do anything. Both openings are resolved beneath the root, each as a whole; between them the
 * name may have come to mean another thing, so that the second one does not block (O_NONBLOCK) and
 * is looked at too.
 *
 * A place: the folder is opened with O_PATH, then the name in it is looked at, without following.
 * Only if that is a link and is to be followed, the walk goes the whole way again, name by name.
 *
 * Ways to fail: the path leaves the root (EXDEV); it names something of another kind, or nothing;
 * the system refuses; names are moved about so fast that the kernel gives up (EAGAIN): then the
 * walk decides, and if that gives up several times too, the operation fails with EAGAIN.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/file_step.h"
#include "io/path.h"
#include "io/walk.h"

#include <reeve/error.h>

enum {
    MAX_KERNEL_TRIES = 16,
    MAX_WALK_TRIES = 8,
};

static struct rv_opened nothing_opened(void)
{
    return (struct rv_opened){.fd = -1, .problem = {.kind = "", .outside = ""}};
}

static void resolve(struct rv_file_op *op, int folder_fd, const char *path, int flags,
                    rv_file_step_fn step)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_RESOLVE,
        .fd = folder_fd,
        .path = path,
        .flags = flags,
        .no_links = op->want == RV_WANT_FOLDER_SANS_LINK,
    };

    rv_file_op_call(op, &call, step);
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static void outside(struct rv_file_op *op)
{
    op->opened.problem.outside = "it is absolute and not below the root folder";
    op->error = REEVE_EOUTSIDE;
}

static void explain(struct rv_file_op *op, int folder_fd, const char *path, int os_errno,
                    enum rv_way_out way_out)
{
    struct rv_file_problem *problem = &op->opened.problem;

    rv_file_op_sliced(op);
    op->error = rv_root_explain(op->root, folder_fd, path, os_errno, way_out, problem);
    op->os_errno = os_errno;
    if (problem->existing_len && op->path <= path)
        problem->existing_len += (size_t)(path - op->path);
}

/* With the descriptor, or without because of what was found. */
static void opening_over(struct rv_file_op *op)
{
    if (op->opened.fd < 0 && op->want != RV_WANT_LOOK)
        op->error = rv_want_error(op->want, op->opened.status.st_mode, &op->opened.problem);
}

/* Beneath op->fd: the folder and what the path is relative to it. */
static void open_by_walk(struct rv_file_op *op)
{
    enum rv_way_out way_out = RV_WAY_OUT_NONE;
    int folder_fd = op->call.fd;
    const char *path = op->call.path;
    int error = rv_root_walk_open(folder_fd, path, op->want, &op->opened, &way_out);

    rv_file_op_sliced(op);
    if (error)
        explain(op, folder_fd, path, error, way_out);
    else
        opening_over(op);
}

/* Names are being moved about: once more, and at last by the walk. */
static bool again(struct rv_file_op *op, int64_t result, rv_file_step_fn step)
{
    if (result != -EAGAIN)
        return false;
    if (++op->tries < MAX_KERNEL_TRIES)
        resolve(op, op->call.fd, op->call.path, op->call.flags, step);
    else
        open_by_walk(op);
    return true;
}

static void opened_came(struct rv_file_op *op, int64_t result)
{
    int error = 0;

    if (again(op, result, opened_came))
        return;
    if (result >= 0) {
        op->opened.fd = (int)result;
        error = rv_root_look_again(op->want, &op->opened);
    } else {
        error = (int)-result;
    }
    if (error)
        explain(op, op->call.fd, op->call.path, error, RV_WAY_OUT_NONE);
    else
        opening_over(op);
}

static void looked_came(struct rv_file_op *op, int64_t result)
{
    int error = 0;

    if (again(op, result, looked_came))
        return;
    if (result < 0) {
        error = (int)-result;
    } else {
        if (fstat((int)result, &op->opened.status) < 0)
            error = errno;
        close((int)result);
    }
    if (error)
        explain(op, op->call.fd, op->call.path, error, RV_WAY_OUT_NONE);
    else if (op->want == RV_WANT_LOOK || !rv_want_is(op->want, op->opened.status.st_mode))
        opening_over(op);
    else
        resolve(op, op->call.fd, op->call.path, rv_root_open_flags(op->want), opened_came);
}

static void begin_open(struct rv_file_op *op, int64_t result)
{
    int folder_fd = op->call.fd;
    const char *path = op->path;

    (void)result;
    if (folder_fd < 0) {
        folder_fd = op->root->fd;
        path = rv_root_relative(op->root, path);
    }
    if (!path) {
        outside(op);
        return;
    }
    op->call.fd = folder_fd;
    op->call.path = path;
    if (op->root->walk)
        open_by_walk(op);
    else
        resolve(op, folder_fd, path, O_PATH, looked_came);
}

void rv_file_op_open(struct rv_file_op *op, int folder_fd, const char *path, enum rv_want want)
{
    op->opened = nothing_opened();
    op->call.fd = folder_fd;
    op->path = path;
    op->want = want;
    rv_file_op_begin(op, begin_open);
}

/* ---- places -----------------------------------------------------------------------------------
 */

static void close_place(struct rv_file_op *op)
{
    rv_file_close(op->root, &op->place.folder_fd);
}

static void place_failed(struct rv_file_op *op, int os_errno, enum rv_way_out way_out)
{
    close_place(op);
    op->want = RV_WANT_LOOK;
    explain(op, op->root->fd, rv_root_relative(op->root, op->path), os_errno, way_out);
}

/* The whole way, to where the path's last link leads. */
static void place_by_walk(struct rv_file_op *op)
{
    const char *path = rv_root_relative(op->root, op->path);
    struct rv_walk_end end = {.way_out = RV_WAY_OUT_NONE};
    int error = EAGAIN, tries;

    rv_file_op_sliced(op);
    close_place(op);
    for (tries = 0; error == EAGAIN && tries < MAX_WALK_TRIES; tries++)
        error = rv_walk(op->root->fd, path, RV_WALK_TO_BE_MADE, &end);
    if (error) {
        place_failed(op, error, end.way_out);
        return;
    }
    op->place.folder_fd = end.folder_fd;
    op->place.exists = !end.missing;
    op->place.status = end.status;
    if (end.missing || end.fd >= 0)
        memcpy(op->place.name, end.name, sizeof end.name);
    if (end.fd >= 0)
        close(end.fd);
}

/* What the name names, by its O_PATH descriptor or the reason that there is none. */
static void name_came(struct rv_file_op *op, int64_t result)
{
    struct rv_place *place = &op->place;
    int error = result < 0 ? (int)-result : 0;

    if (!error && fstat((int)result, &place->status) < 0)
        error = errno;
    if (result >= 0)
        close((int)result);
    if (error && error != ENOENT) {
        place_failed(op, error, RV_WAY_OUT_NONE);
        return;
    }
    place->exists = !error;
    if (place->exists && op->follow && S_ISLNK(place->status.st_mode))
        place_by_walk(op);
}

static void folder_came(struct rv_file_op *op, int64_t result)
{
    if (result == -EAGAIN && ++op->tries < MAX_KERNEL_TRIES) {
        resolve(op, op->call.fd, op->call.path, op->call.flags, folder_came);
        return;
    }
    if (op->cut)
        *op->cut = '/';
    op->cut = NULL;
    if (result < 0) {
        place_failed(op, (int)-result, RV_WAY_OUT_NONE);
        return;
    }
    op->place.folder_fd = (int)result;
    resolve(op, op->place.folder_fd, op->place.name, O_PATH | O_NOFOLLOW, name_came);
}

/* The folder of a name without openat2: the walk to it, then one call for the name. */
static void place_without_kernel(struct rv_file_op *op, const char *folder)
{
    struct rv_walk_end end = {.way_out = RV_WAY_OUT_NONE};
    int error = EAGAIN, tries, fd;

    rv_file_op_sliced(op);
    for (tries = 0; error == EAGAIN && tries < MAX_WALK_TRIES; tries++)
        error = rv_walk(op->root->fd, folder, RV_WALK_LINKS, &end);
    if (op->cut)
        *op->cut = '/';
    op->cut = NULL;
    if (!error && end.fd >= 0) {
        rv_walk_end_close(&end);
        error = ENOTDIR;
    }
    if (error) {
        place_failed(op, error, end.way_out);
        return;
    }
    op->place.folder_fd = end.folder_fd;
    fd = openat(end.folder_fd, op->place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    name_came(op, fd < 0 ? -errno : fd);
}

/* Cut the last name off, into the place. False if it can be nobody's. */
static bool cut_name(struct rv_file_op *op, char *path, const char **ret_folder)
{
    struct rv_place *place = &op->place;
    size_t len = strlen(path), folder_len, name_len;
    char *name;

    while (len && path[len - 1] == '/')
        len--;
    place->is_folder = path[len] == '/';
    folder_len = rv_path_parent_len(path, len);
    name = path + folder_len;
    name_len = len - folder_len;
    if (folder_len) {
        name_len -= strspn(name, "/");
        name += strspn(name, "/");
    }
    if (!name_len || (name_len == 1 && name[0] == '.') || (name_len == 2 && !memcmp(name, "..", 2)))
        return false;
    if (name_len >= sizeof place->name)
        name_len = sizeof place->name - 1; /* too long for the system, which will say so */
    memcpy(place->name, name, name_len);
    place->name[name_len] = '\0';
    *ret_folder = ".";
    if (folder_len) {
        op->cut = path + folder_len;
        *op->cut = '\0';
        *ret_folder = path;
    }
    return true;
}

static void begin_place(struct rv_file_op *op, int64_t result)
{
    const char *relative = rv_root_relative(op->root, op->path);
    const char *folder;

    (void)result;
    if (!relative) {
        outside(op);
        return;
    }
    if (!cut_name(op, op->place.path + (relative - op->path), &folder)) {
        op->opened.problem.kind = rv_file_kind(S_IFDIR);
        op->error = REEVE_ENOTFILE;
        return;
    }
    if (op->root->walk)
        place_without_kernel(op, folder);
    else
        resolve(op, op->root->fd, folder, O_PATH | O_DIRECTORY, folder_came);
}

void rv_file_op_place(struct rv_file_op *op, char *path, bool follow)
{
    op->opened = nothing_opened();
    memset(&op->place, 0, sizeof op->place);
    op->place.folder_fd = -1;
    op->place.path = path;
    op->path = path;
    op->cut = NULL;
    op->want = RV_WANT_LOOK;
    op->follow = follow;
    rv_file_op_begin(op, begin_place);
}

/* ---- creating ---------------------------------------------------------------------------------
 */

/* As far as it is allowed: who may not give a file away keeps it. */
static int make_alike(int fd, const struct stat *now, const struct stat *like)
{
    if (now->st_uid != like->st_uid || now->st_gid != like->st_gid) {
        if (fchown(fd, like->st_uid, like->st_gid) < 0 && fchown(fd, (uid_t)-1, like->st_gid) < 0 &&
            errno != EPERM)
            return errno;
    }
    return fchmod(fd, like->st_mode & 07777) < 0 ? errno : 0;
}

static void created_came(struct rv_file_op *op, int64_t result)
{
    struct rv_opened *opened = &op->opened;

    if (result < 0) {
        op->os_errno = (int)-result;
    } else {
        opened->fd = (int)result;
        if (rv_root_look_again(RV_WANT_FILE, opened) != 0)
            op->os_errno = EIO;
        if (opened->fd >= 0) /* not to block was for what is no file */
            fcntl(opened->fd, F_SETFL, op->call.flags & O_APPEND);
        if (opened->fd >= 0 && op->alike)
            op->os_errno = make_alike(opened->fd, &opened->status, &op->like);
    }
    op->error = rv_file_error_of_errno(op->os_errno);
    opened->problem.os_errno = op->os_errno;
    if (op->error)
        rv_file_close(op->root, &opened->fd);
    else if (opened->fd < 0)
        op->error = rv_want_error(RV_WANT_FILE, opened->status.st_mode, &opened->problem);
    if (op->error && result >= 0 && (op->call.flags & O_EXCL))
        unlinkat(op->call.fd, op->call.path, 0);
}

static void begin_create(struct rv_file_op *op, int64_t result)
{
    struct rv_file_call call = op->call;

    (void)result;
    rv_file_op_call(op, &call, created_came);
}

void rv_file_op_create(struct rv_file_op *op, int folder_fd, const char *name, int flags,
                       mode_t mode, const struct stat *like)
{
    op->opened = nothing_opened();
    op->call = (struct rv_file_call){
        .kind = RV_FILE_CALL_CREATE,
        .fd = folder_fd,
        .path = name,
        .flags = flags | O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY,
        .mode = mode,
    };
    op->alike = like != NULL;
    if (like)
        op->like = *like;
    rv_file_op_begin(op, begin_create);
}
