/* SPDX-License-Identifier: MIT */
/*
 * Resolving a path beneath a folder without openat2.
 *
 * The walk stands on a folder's O_PATH descriptor and takes the next name of what is left. A folder
 * is stepped into through the descriptor that was looked at. A link is read through its own
 * descriptor, and its target is put before what is left; the walk stays where it stands. ".." is
 * never asked of the system, since a folder that is moved out meanwhile would answer with a parent
 * outside: the names stepped through are kept, the last is dropped, and the rest is walked again
 * from the top, where each of them must still be a folder.
 *
 * Ways to fail: what the system says to a name; more links or steps than a path may cost; a target
 * that is absolute, or leads above the folder; a name of the way back that is no folder any more.
 */
#include "io/walk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "io/path.h"

enum {
    MAX_LINKS = 40,   /* as the kernel has it */
    MAX_STEPS = 1024, /* names opened in one walk: about a millisecond */
};

struct walk {
    int top_fd; /* the caller's */
    int fd;     /* where it stands; top_fd itself at the top */
    char rest[PATH_MAX];
    size_t position;    /* in rest */
    char way[PATH_MAX]; /* the names from the top to where it stands, a NUL behind each */
    size_t way_len;
    unsigned links;
    unsigned steps;
    unsigned missing; /* names of the way that do not exist, or are no folders; it stands before */
    enum rv_walk_mode mode;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void stand_on(struct walk *walk, int fd)
{
    if (walk->fd != walk->top_fd)
        close_fd(&walk->fd);
    walk->fd = fd;
}

static int open_name(struct walk *walk, const char *name, int flags, int *ret_fd)
{
    int fd;

    if (++walk->steps > MAX_STEPS)
        return ENAMETOOLONG;
    fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);
    if (fd < 0)
        return errno;
    *ret_fd = fd;
    return 0;
}

/* Stand again where the kept names lead to. */
static int walk_back(struct walk *walk)
{
    size_t at;
    int fd = -1, error;

    stand_on(walk, walk->top_fd);
    for (at = 0; at < walk->way_len; at += strlen(walk->way + at) + 1) {
        error = open_name(walk, walk->way + at, O_DIRECTORY, &fd);
        if (error == ENOTDIR || error == ENOENT || error == ELOOP)
            return EAGAIN;
        if (error)
            return error;
        stand_on(walk, fd);
    }
    return 0;
}

static int step_up(struct walk *walk, struct rv_walk_end *end)
{
    if (!walk->way_len && walk->mode == RV_WALK_ANYWHERE)
        return 0; /* above the topmost folder is that folder */
    if (!walk->way_len) {
        end->way_out = walk->links ? RV_WAY_OUT_LINK : RV_WAY_OUT_DOT_DOT;
        return EXDEV;
    }
    walk->way_len--;
    while (walk->way_len && walk->way[walk->way_len - 1])
        walk->way_len--;
    if (walk->missing) {
        walk->missing--;
        return 0;
    }
    return walk_back(walk);
}

static int add_to_way(struct walk *walk, const char *name)
{
    size_t len = strlen(name) + 1;

    if (len > sizeof walk->way - walk->way_len)
        return ENAMETOOLONG;
    memcpy(walk->way + walk->way_len, name, len);
    walk->way_len += len;
    return 0;
}

/* A name that leads no further. */
static int keep_name(struct walk *walk, const char *name)
{
    walk->missing++;
    return add_to_way(walk, name);
}

static bool keeps_names(const struct walk *walk)
{
    return walk->mode == RV_WALK_CANONICAL || walk->mode == RV_WALK_ANYWHERE;
}

static int step_down(struct walk *walk, const char *name, int fd)
{
    int error = add_to_way(walk, name);

    if (error)
        close(fd);
    else
        stand_on(walk, fd);
    return error;
}

/* Put the target of the link `fd` before what is left of the path. */
static int follow(struct walk *walk, int fd, bool slash_ends, struct rv_walk_end *end)
{
    char target[PATH_MAX];
    size_t left = strlen(walk->rest + walk->position);
    ssize_t len;

    if (walk->mode == RV_WALK_SANS_LINK || ++walk->links > MAX_LINKS)
        return ELOOP;
    len = readlinkat(fd, "", target, sizeof target);
    if (len < 0)
        return errno;
    if (len == 0)
        return ENOENT;
    if (target[0] == '/' && walk->mode == RV_WALK_ANYWHERE) {
        stand_on(walk, walk->top_fd);
        walk->way_len = 0;
    } else if (target[0] == '/') {
        end->way_out = RV_WAY_OUT_ABSOLUTE_LINK;
        return EXDEV;
    }
    if ((size_t)len + 1 + left + 1 > sizeof walk->rest)
        return ENAMETOOLONG;
    memmove(walk->rest + (size_t)len + 1, walk->rest + walk->position, left + 1);
    memcpy(walk->rest, target, (size_t)len);
    /* Without the slash a link at the end may lead to a file; one that had a slash may not. */
    walk->rest[len] = left || slash_ends ? '/' : '\0';
    walk->position = 0;
    return 0;
}

/* One name that is neither "." nor "..". `fd` is open on it. */
static int step_through(struct walk *walk, const struct rv_path_part *part, const char *name,
                        int fd, struct rv_walk_end *end)
{
    bool ends = part->last, slash_ends = part->slash_ends;
    int error;

    if (fstat(fd, &end->status) < 0) {
        error = errno;
        close(fd);
        return error;
    }
    if (S_ISDIR(end->status.st_mode))
        return step_down(walk, name, fd);
    if (S_ISLNK(end->status.st_mode)) {
        error = follow(walk, fd, slash_ends, end);
        close(fd);
        return error;
    }
    if (keeps_names(walk)) {
        close(fd);
        return keep_name(walk, name);
    }
    if (!ends || slash_ends) {
        close(fd);
        return ENOTDIR;
    }
    end->fd = fd;
    memcpy(end->name, name, strlen(name) + 1);
    return 0;
}

static int step(struct walk *walk, const struct rv_path_part *part, struct rv_walk_end *end)
{
    char name[sizeof end->name];
    int fd = -1, error;

    if (rv_path_part_is(part, "."))
        return 0;
    if (rv_path_part_is(part, ".."))
        return step_up(walk, end);
    if (part->len >= sizeof name)
        return ENAMETOOLONG;
    memcpy(name, part->name, part->len);
    name[part->len] = '\0';
    if (walk->missing)
        return keep_name(walk, name);
    error = open_name(walk, name, 0, &fd);
    if (error == ENOENT && part->last && walk->mode == RV_WALK_TO_BE_MADE) {
        end->missing = true;
        memcpy(end->name, name, part->len + 1);
        return 0;
    }
    if (error == ENOENT && keeps_names(walk))
        return keep_name(walk, name);
    if (error)
        return error;
    return step_through(walk, part, name, fd, end);
}

/* The folder that the walk stands on becomes the caller's. */
static int arrive(struct walk *walk, struct rv_walk_end *end)
{
    if (walk->fd == walk->top_fd) {
        walk->fd = fcntl(walk->top_fd, F_DUPFD_CLOEXEC, 0);
        if (walk->fd < 0)
            return errno;
    }
    if (end->fd < 0 && fstat(walk->fd, &end->status) < 0)
        return errno;
    end->folder_fd = walk->fd;
    walk->fd = walk->top_fd;
    return 0;
}

int rv_walk(int folder_fd, const char *path, enum rv_walk_mode mode, struct rv_walk_end *ret_end)
{
    struct walk walk = {.top_fd = folder_fd, .fd = folder_fd, .mode = mode};
    struct rv_path_part part;
    size_t len = strlen(path);
    int error = 0;

    ret_end->folder_fd = -1;
    ret_end->fd = -1;
    ret_end->missing = false;
    ret_end->way_out = RV_WAY_OUT_NONE;
    if (!len)
        return ENOENT;
    if (len >= sizeof walk.rest)
        return ENAMETOOLONG;
    if (path[0] == '/') {
        ret_end->way_out = RV_WAY_OUT_PATH;
        return EXDEV;
    }
    memcpy(walk.rest, path, len + 1);
    while (!error && ret_end->fd < 0 && rv_path_next(walk.rest, &walk.position, &part))
        error = step(&walk, &part, ret_end);
    if (!error)
        error = arrive(&walk, ret_end);
    if (walk.fd != walk.top_fd)
        close_fd(&walk.fd);
    if (error)
        close_fd(&ret_end->fd);
    return error;
}

int rv_walk_canonical(int folder_fd, const char *path, bool anywhere, char *names, size_t size)
{
    struct walk walk = {.top_fd = folder_fd,
                        .fd = folder_fd,
                        .mode = anywhere ? RV_WALK_ANYWHERE : RV_WALK_CANONICAL};
    struct rv_walk_end end = {.folder_fd = -1, .fd = -1};
    struct rv_path_part part;
    size_t len = strlen(path), i;
    int error = 0;

    assert(size >= sizeof walk.way);
    if (len >= sizeof walk.rest)
        return ENAMETOOLONG;
    if (path[0] == '/' && !anywhere)
        return EXDEV;
    memcpy(walk.rest, path, len + 1);
    while (!error && rv_path_next(walk.rest, &walk.position, &part))
        error = step(&walk, &part, &end);
    stand_on(&walk, walk.top_fd);
    if (error)
        return error;
    memcpy(names, walk.way, walk.way_len);
    for (i = 0; i + 1 < walk.way_len; i++)
        if (!names[i])
            names[i] = '/';
    if (!walk.way_len)
        names[0] = '\0';
    return 0;
}

int rv_walk_open(const struct rv_walk_end *end, int flags, int *ret_fd)
{
    int fd = openat(end->folder_fd, end->fd >= 0 ? end->name : ".", flags | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ELOOP || errno == ENOENT ? EAGAIN : errno;
    *ret_fd = fd;
    return 0;
}

void rv_walk_end_close(struct rv_walk_end *end)
{
    close_fd(&end->folder_fd);
    close_fd(&end->fd);
}
