/* SPDX-License-Identifier: MIT */
/*
 * A root folder: made, and what is asked of it at once. How a path beneath it is opened stands in
 * file_open.c.
 */
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file_call.h"
#include "io/file_op.h"
#include "io/path.h"
#include "loop/runtime.h"

#include <reeve/error.h>

enum {
    MAX_KERNEL_TRIES = 16,
    MAX_WALK_TRIES = 8,
    MAX_PARENTS = 16, /* looked for behind a path that does not exist */
};

/* Now, and again while names are being moved about. An errno. */
static int kernel_look(int folder_fd, const char *path, int *ret_fd)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_RESOLVE,
        .fd = folder_fd,
        .path = path,
        .flags = O_PATH,
    };
    int64_t fd = -EAGAIN;
    int tries;

    for (tries = 0; fd == -EAGAIN && tries < MAX_KERNEL_TRIES; tries++)
        fd = rv_file_call_run(&call);
    if (fd < 0)
        return (int)-fd;
    *ret_fd = (int)fd;
    return 0;
}

/* The kernel may be too old, or a filter may forbid the call. */
static bool kernel_can_open(int folder_fd)
{
    int fd = -1;

    if (kernel_look(folder_fd, ".", &fd) != 0)
        return false;
    close(fd);
    return true;
}

int rv_root_open_flags(enum rv_want want)
{
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

    return want == RV_WANT_FILE || want == RV_WANT_EITHER ? flags : flags | O_DIRECTORY;
}

/*
 * The kernel reads ahead within our call, by megabytes where a disk is set so, even when it is told
 * not to wait: it fills what is a hole, and queues the rest. So there it is to read what is asked
 * for and no more; the ring's threads read ahead (file_op.c). A small file is one piece anyway.
 */
static void read_no_further(const struct rv_opened *opened)
{
    if (S_ISREG(opened->status.st_mode) && opened->status.st_size > (off_t)RV_FILE_PACE_LEAST_BYTES)
        posix_fadvise(opened->fd, 0, 0, POSIX_FADV_RANDOM);
}

int rv_root_look_again(enum rv_want want, struct rv_opened *opened)
{
    int error = 0;

    if (fstat(opened->fd, &opened->status) < 0) {
        error = errno;
    } else if (rv_want_is(want, opened->status.st_mode)) {
        read_no_further(opened);
        return 0;
    }
    close(opened->fd);
    opened->fd = -1;
    return error;
}

int rv_root_walk_open(int folder_fd, const char *path, enum rv_want want, struct rv_opened *opened,
                      enum rv_way_out *ret_way_out)
{
    enum rv_walk_mode mode = want == RV_WANT_FOLDER_SANS_LINK ? RV_WALK_SANS_LINK : RV_WALK_LINKS;
    struct rv_walk_end end;
    int error = EAGAIN, tries;

    for (tries = 0; error == EAGAIN && tries < MAX_WALK_TRIES; tries++) {
        error = rv_walk(folder_fd, path, mode, &end);
        if (error) {
            *ret_way_out = end.way_out;
            continue;
        }
        opened->status = end.status;
        if (want != RV_WANT_LOOK && rv_want_is(want, end.status.st_mode)) {
            error = rv_walk_open(&end, rv_root_open_flags(want), &opened->fd);
            if (!error)
                error = rv_root_look_again(want, opened);
        }
        rv_walk_end_close(&end);
    }
    return error;
}

static const char *way_out_text(enum rv_way_out way_out)
{
    switch (way_out) {
    case RV_WAY_OUT_PATH:
        return "it is absolute and not below the root folder";
    case RV_WAY_OUT_DOT_DOT:
        return "its \"..\" leads above the root folder";
    case RV_WAY_OUT_LINK:
        return "a symbolic link in it leads above the root folder";
    case RV_WAY_OUT_ABSOLUTE_LINK:
        return "a symbolic link in it has an absolute target, and such links are not followed";
    case RV_WAY_OUT_NONE:
        break;
    }
    return "";
}

/* The kernel does not say what led out: a walk that is led out too does. */
static enum rv_way_out find_way_out(int folder_fd, const char *path)
{
    struct rv_walk_end end;

    if (rv_walk(folder_fd, path, RV_WALK_LINKS, &end) == 0)
        rv_walk_end_close(&end);
    return end.way_out;
}

static bool exists(const struct rv_root *root, int folder_fd, const char *path)
{
    struct rv_walk_end end;
    int fd, error;

    if (root->walk) {
        error = rv_walk(folder_fd, path, RV_WALK_LINKS, &end);
        if (!error)
            rv_walk_end_close(&end);
        return !error;
    }
    error = kernel_look(folder_fd, path, &fd);
    if (!error)
        close(fd);
    return !error;
}

/* How many bytes of a path that names nothing do name something. */
static size_t existing_len(const struct rv_root *root, int folder_fd, const char *path)
{
    char parent[PATH_MAX];
    size_t len = strlen(path);
    int tries;

    for (tries = 0; tries < MAX_PARENTS; tries++) {
        len = rv_path_parent_len(path, len);
        if (!len || len >= sizeof parent)
            return 0;
        memcpy(parent, path, len);
        parent[len] = '\0';
        if (exists(root, folder_fd, parent))
            return len;
    }
    return 0;
}

int rv_root_explain(const struct rv_root *root, int folder_fd, const char *path, int os_errno,
                    enum rv_way_out way_out, struct rv_file_problem *problem)
{
    problem->os_errno = os_errno;
    if (os_errno == ENOENT && folder_fd == root->fd)
        problem->existing_len = existing_len(root, folder_fd, path);
    if (os_errno == EXDEV && way_out == RV_WAY_OUT_NONE)
        way_out = find_way_out(folder_fd, path);
    problem->outside = way_out_text(way_out);
    return rv_file_error_of_errno(os_errno);
}

const char *rv_root_relative(const struct rv_root *root, const char *path)
{
    const char *below = NULL;

    if (path[0] != '/')
        return path;
    if (root->canonical_path)
        below = rv_path_below(path, root->canonical_path);
    if (!below && root->given_path)
        below = rv_path_below(path, root->given_path);
    return below;
}

/* Where the root is, as the system writes it; NULL, without harm, if that cannot be known. */
static int find_canonical_path(struct rv_root *root, const char *path)
{
    char canonical[PATH_MAX];
    struct stat by_path, by_fd;

    if (!realpath(path, canonical) || stat(canonical, &by_path) < 0 || fstat(root->fd, &by_fd) < 0)
        return 0;
    if (by_path.st_dev != by_fd.st_dev || by_path.st_ino != by_fd.st_ino)
        return 0;
    root->canonical_path = rv_strdup(root->mem, canonical);
    return root->canonical_path ? 0 : REEVE_ENOMEM;
}

static int open_root(struct rv_root *root, const char *path)
{
    struct stat status;

    root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0)
        return rv_file_error_of_errno(errno);
    /* A folder that may not be searched can be opened, and then gives nothing. */
    if (fstatat(root->fd, "./.", &status, 0) < 0)
        return rv_file_error_of_errno(errno);
    root->walk = !kernel_can_open(root->fd);
    if (path[0] == '/') {
        root->given_path = rv_strdup(root->mem, path);
        if (!root->given_path)
            return REEVE_ENOMEM;
    }
    return find_canonical_path(root, path);
}

int rv_root_new(struct reeve_runtime *runtime, const char *path, struct rv_root **ret_root)
{
    struct rv_mem *mem = rv_runtime_mem(runtime);
    struct rv_root *root = rv_zalloc(mem, sizeof *root);
    int error;

    if (!root)
        return REEVE_ENOMEM;
    root->runtime = runtime;
    root->mem = rv_mem_ref(mem);
    root->refs = 1;
    root->fd = -1;
    error = rv_file_ops_prepare(runtime);
    if (!error)
        error = open_root(root, path);
    if (error) {
        rv_root_free(root);
        return error;
    }
    *ret_root = root;
    return 0;
}

struct rv_root *rv_root_ref(struct rv_root *root)
{
    root->refs++;
    return root;
}

void rv_root_free(struct rv_root *root)
{
    struct rv_mem *mem;

    if (!root || --root->refs)
        return;
    mem = root->mem;
    if (root->fd >= 0)
        close(root->fd);
    rv_free(mem, root->given_path);
    rv_free(mem, root->canonical_path);
    rv_free(mem, root);
    rv_mem_unref(mem);
}

bool rv_root_force_walk(struct rv_root *root, bool on)
{
    root->walk = on || !kernel_can_open(root->fd);
    return root->walk;
}
