/* SPDX-License-Identifier: MIT */
/*
 * Working out what a path comes to, on the real system.
 *
 * Happy path: the path is opened with O_PATH, which the kernel does at once if it holds all of it,
 * and the system tells where that is (/proc/self/fd). If it names nothing, the same is done with
 * the folder of its last name, which is what a file that is yet to be written needs. Everything
 * else (a link to nothing, a folder that does not exist, no openat2, no /proc) is walked, name by
 * name.
 *
 * Ways to fail: the path leaves the root, the system refuses to look, there are too many links.
 * Then what is written is cleaned.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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

_Static_assert(RV_FILE_PATH_BYTES >= PATH_MAX, "a canonical path has room");

/* Where the system says that a descriptor is. A name that was removed is not where it says. */
static bool path_of_fd(int fd, char *path)
{
    static const char deleted[] = " (deleted)";
    char link[32];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, RV_FILE_PATH_BYTES - 1);
    if (len <= 0 || (size_t)len >= RV_FILE_PATH_BYTES - 1 || path[0] != '/')
        return false;
    path[len] = '\0';
    return (size_t)len < sizeof deleted || strcmp(path + len + 1 - sizeof deleted, deleted) != 0;
}

/* What stands before a path that is relative. */
static void base_of(const struct rv_file_op *op, char *base)
{
    base[0] = '\0';
    if (op->anywhere) {
        if (!getcwd(base, RV_FILE_PATH_BYTES) || base[0] != '/')
            base[0] = '\0';
    } else if (!path_of_fd(op->root->fd, base)) {
        snprintf(base, RV_FILE_PATH_BYTES, "%s",
                 op->root->canonical_path ? op->root->canonical_path : "");
    }
}

static void resolving_failed(struct rv_file_op *op, int os_errno)
{
    char base[RV_FILE_PATH_BYTES];

    base_of(op, base);
    rv_path_clean(base, op->path, op->canonical, RV_FILE_PATH_BYTES);
    op->os_errno = os_errno;
    op->error = rv_file_error_of_errno(os_errno);
}

/* A host's path as an absolute one; false if it is too long. */
static bool make_absolute(const struct rv_file_op *op, char *path)
{
    char base[RV_FILE_PATH_BYTES];
    int len;

    if (op->path[0] == '/') {
        len = snprintf(path, RV_FILE_PATH_BYTES, "%s", op->path);
    } else {
        base_of(op, base);
        len = snprintf(path, RV_FILE_PATH_BYTES, "%s/%s", base, op->path);
    }
    return len >= 0 && (size_t)len < RV_FILE_PATH_BYTES;
}

/* An errno. `path` is absolute: it begins at the system's topmost folder. */
static int walk_anywhere(const char *path, char *names, size_t size)
{
    int top_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error;

    if (top_fd < 0)
        return errno;
    error = rv_walk_canonical(top_fd, path, true, names, size);
    close(top_fd);
    return error;
}

static int walk_once(const struct rv_file_op *op, char *names, size_t size)
{
    char path[RV_FILE_PATH_BYTES];

    if (!op->anywhere)
        return rv_walk_canonical(op->root->fd, rv_root_relative(op->root, op->path), false, names,
                                 size);
    return make_absolute(op, path) ? walk_anywhere(path, names, size) : ENAMETOOLONG;
}

static void resolve_by_walk(struct rv_file_op *op)
{
    char base[RV_FILE_PATH_BYTES] = "", names[RV_FILE_PATH_BYTES] = "";
    int error = EAGAIN, tries;

    rv_file_op_sliced(op);
    for (tries = 0; error == EAGAIN && tries < MAX_WALK_TRIES; tries++)
        error = walk_once(op, names, sizeof names);
    if (error) {
        resolving_failed(op, error);
        return;
    }
    if (!op->anywhere)
        base_of(op, base);
    rv_path_clean(base, names[0] ? names : ".", op->canonical, RV_FILE_PATH_BYTES);
}

static void mend(struct rv_file_op *op)
{
    if (op->cut)
        *op->cut = '/';
    op->cut = NULL;
}

static void resolve(struct rv_file_op *op, int folder_fd, const char *path, int flags,
                    rv_file_step_fn step)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_RESOLVE,
        .fd = folder_fd,
        .path = path,
        .flags = flags,
        .anywhere = op->anywhere,
    };

    rv_file_op_call(op, &call, step);
}

/* The folder of a name that may not exist: if there is nothing of that name, that is where it is.
 */
static void folder_of_name_came(struct rv_file_op *op, int64_t result)
{
    char path[RV_FILE_PATH_BYTES], link[1];
    bool found = false;

    if (result >= 0) {
        found = readlinkat((int)result, op->place.name, link, sizeof link) < 0 && errno == ENOENT &&
                path_of_fd((int)result, path);
        close((int)result);
    }
    mend(op);
    if (found)
        rv_path_clean(path, op->place.name, op->canonical, RV_FILE_PATH_BYTES);
    else
        resolve_by_walk(op);
}

/* False if the path's last name is none. */
static bool cut_last_name(struct rv_file_op *op, char *path, const char **ret_folder)
{
    size_t len = strlen(path), folder_len = rv_path_parent_len(path, len);
    const char *name = path + folder_len;
    size_t name_len;

    name += strspn(name, "/");
    name_len = strcspn(name, "/");
    if (!name_len || name_len >= sizeof op->place.name || (name_len <= 2 && name[0] == '.'))
        return false; /* some of these are names: the walk knows */
    memcpy(op->place.name, name, name_len);
    op->place.name[name_len] = '\0';
    *ret_folder = path[0] == '/' ? "/" : ".";
    if (folder_len) {
        op->cut = path + folder_len;
        *op->cut = '\0';
        *ret_folder = path;
    }
    return true;
}

static void path_came(struct rv_file_op *op, int64_t result)
{
    const char *folder;

    if (result == -EAGAIN && ++op->tries < MAX_KERNEL_TRIES) {
        resolve(op, op->call.fd, op->call.path, op->call.flags, path_came);
        return;
    }
    if (result >= 0) {
        bool found = path_of_fd((int)result, op->canonical);

        close((int)result);
        if (!found)
            resolve_by_walk(op);
    } else if (result == -ENOENT &&
               cut_last_name(op, op->place.path + (op->call.path - op->path), &folder)) {
        resolve(op, op->call.fd, folder, O_PATH | O_DIRECTORY, folder_of_name_came);
    } else if (result == -ENOENT || result == -ENOTDIR || result == -EAGAIN) {
        resolve_by_walk(op);
    } else {
        resolving_failed(op, (int)-result);
    }
}

static void begin_resolve(struct rv_file_op *op, int64_t result)
{
    const char *path = op->anywhere ? op->path : rv_root_relative(op->root, op->path);

    (void)result;
    if (!path)
        resolving_failed(op, EXDEV);
    else if (op->root->walk)
        resolve_by_walk(op);
    else
        resolve(op, op->anywhere ? AT_FDCWD : op->root->fd, path, O_PATH, path_came);
}

void rv_file_op_resolve(struct rv_file_op *op, char *path, bool anywhere, char *canonical)
{
    op->place.path = path;
    op->path = path;
    op->cut = NULL;
    op->anywhere = anywhere;
    op->canonical = canonical;
    rv_file_op_begin(op, begin_resolve);
}
