/* SPDX-License-Identifier: MIT */
/*
 * Opening beneath a root folder.
 *
 * What a path names is first opened with O_PATH and looked at, and only what is of the wanted kind
 * is then opened for reading: opening a FIFO would wake its writer, opening a device may do
 * anything. Both openings are resolved beneath the root, each as a whole; between them the name may
 * have come to mean another thing, so that the second one does not block (O_NONBLOCK) and is looked
 * at too.
 *
 * Ways to fail: the path leaves the root (EXDEV); it names something of another kind, or nothing;
 * the system refuses; names are moved about so fast that the kernel gives up (EAGAIN): then the
 * walk decides, and if that gives up several times too, the operation fails with EAGAIN.
 */
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/path.h"
#include "io/walk.h"
#include "loop/runtime.h"

#include <reeve/error.h>

#if defined(SYS_openat2) && defined(__has_include)
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#define HAVE_OPENAT2 1
#endif
#endif

enum {
    MAX_KERNEL_TRIES = 16,
    MAX_WALK_TRIES = 8,
    MAX_PARENTS = 16, /* looked for behind a path that does not exist */
};

#ifdef HAVE_OPENAT2
static int kernel_open(int folder_fd, const char *path, int flags, bool links_allowed, int *ret_fd)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int tries;
    long fd = -1;

    if (!links_allowed)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    for (tries = 0; fd < 0 && tries < MAX_KERNEL_TRIES; tries++) {
        fd = syscall(SYS_openat2, folder_fd, path, &how, sizeof how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    if (fd < 0)
        return errno;
    *ret_fd = (int)fd;
    return 0;
}
#else
static int kernel_open(int folder_fd, const char *path, int flags, bool links_allowed, int *ret_fd)
{
    (void)folder_fd, (void)path, (void)flags, (void)links_allowed, (void)ret_fd;
    return ENOSYS;
}
#endif

/* The kernel may be too old, or a filter may forbid the call. */
static bool kernel_can_open(int folder_fd)
{
    int fd = -1;

    if (kernel_open(folder_fd, ".", O_PATH | O_DIRECTORY, true, &fd) != 0)
        return false;
    close(fd);
    return true;
}

static int open_flags(enum rv_want want)
{
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

    return want == RV_WANT_FILE ? flags : flags | O_DIRECTORY;
}

static bool is_wanted(enum rv_want want, mode_t mode)
{
    return want == RV_WANT_FILE ? S_ISREG(mode) : S_ISDIR(mode);
}

/* Look at what was opened for reading; what is something else by now is closed. An errno. */
static int look_again(enum rv_want want, struct rv_opened *opened)
{
    int error = 0;

    if (fstat(opened->fd, &opened->status) < 0)
        error = errno;
    else if (is_wanted(want, opened->status.st_mode))
        return 0;
    close(opened->fd);
    opened->fd = -1;
    return error;
}

/* An errno; 0 without a descriptor if it is not what was wanted. The same for the next two. */
static int open_by_kernel(int folder_fd, const char *path, enum rv_want want,
                          struct rv_opened *opened)
{
    bool links_allowed = want != RV_WANT_FOLDER_SANS_LINK;
    int fd, error;

    error = kernel_open(folder_fd, path, O_PATH, links_allowed, &fd);
    if (error)
        return error;
    if (fstat(fd, &opened->status) < 0)
        error = errno;
    close(fd);
    if (error || !is_wanted(want, opened->status.st_mode))
        return error;
    error = kernel_open(folder_fd, path, open_flags(want), links_allowed, &opened->fd);
    return error ? error : look_again(want, opened);
}

static int open_by_walk(int folder_fd, const char *path, enum rv_want want,
                        struct rv_opened *opened, enum rv_way_out *ret_way_out)
{
    struct rv_walk_end end;
    int error = EAGAIN, tries;

    for (tries = 0; error == EAGAIN && tries < MAX_WALK_TRIES; tries++) {
        error = rv_walk(folder_fd, path, want != RV_WANT_FOLDER_SANS_LINK, &end);
        if (error) {
            *ret_way_out = end.way_out;
            continue;
        }
        opened->status = end.status;
        if (is_wanted(want, end.status.st_mode)) {
            error = rv_walk_open(&end, open_flags(want), &opened->fd);
            if (!error)
                error = look_again(want, opened);
        }
        rv_walk_end_close(&end);
    }
    return error;
}

static int open_beneath(const struct rv_root *root, int folder_fd, const char *path,
                        enum rv_want want, struct rv_opened *opened, enum rv_way_out *ret_way_out)
{
    int error = root->walk ? EAGAIN : open_by_kernel(folder_fd, path, want, opened);

    if (error == EAGAIN)
        return open_by_walk(folder_fd, path, want, opened, ret_way_out);
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

    if (rv_walk(folder_fd, path, true, &end) == 0)
        rv_walk_end_close(&end);
    return end.way_out;
}

static bool exists(const struct rv_root *root, int folder_fd, const char *path)
{
    struct rv_walk_end end;
    int fd, error;

    if (root->walk) {
        error = rv_walk(folder_fd, path, true, &end);
        if (!error)
            rv_walk_end_close(&end);
        return !error;
    }
    error = kernel_open(folder_fd, path, O_PATH, true, &fd);
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

int rv_file_error_of_errno(int os_errno)
{
    switch (os_errno) {
    case 0:
        return 0;
    case ENOENT:
        return REEVE_ENOTFOUND;
    case ENOTDIR:
        return REEVE_ENOTDIR;
    case EXDEV:
        return REEVE_EOUTSIDE;
    case EACCES:
    case EPERM:
        return REEVE_EACCESS;
    default:
        return REEVE_ESYSTEM;
    }
}

const char *rv_file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
        return "a character device";
    case S_IFBLK:
        return "a block device";
    case S_IFLNK:
        return "a symbolic link";
    default:
        return "something unknown";
    }
}

static int explain(const struct rv_root *root, int folder_fd, const char *path, int os_errno,
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

/* A path that may be absolute to one relative to the root; NULL if it is not below. */
static const char *relative_path(const struct rv_root *root, const char *path)
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

int rv_root_open(struct rv_root *root, int folder_fd, const char *path, enum rv_want want,
                 struct rv_opened *ret_opened)
{
    enum rv_way_out way_out = RV_WAY_OUT_NONE;
    const char *relative = folder_fd < 0 ? relative_path(root, path) : path;
    int error;

    *ret_opened = (struct rv_opened){.fd = -1, .problem = {.kind = "", .outside = ""}};
    if (!relative) {
        ret_opened->problem.outside = way_out_text(RV_WAY_OUT_PATH);
        return REEVE_EOUTSIDE;
    }
    if (folder_fd < 0)
        folder_fd = root->fd;
    error = open_beneath(root, folder_fd, relative, want, ret_opened, &way_out);
    if (error) {
        error = explain(root, folder_fd, relative, error, way_out, &ret_opened->problem);
        if (ret_opened->problem.existing_len)
            ret_opened->problem.existing_len += (size_t)(relative - path);
        return error;
    }
    if (ret_opened->fd >= 0)
        return 0;
    ret_opened->problem.kind = rv_file_kind(ret_opened->status.st_mode);
    return want == RV_WANT_FILE ? REEVE_ENOTFILE : REEVE_ENOTDIR;
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
