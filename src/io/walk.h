/* SPDX-License-Identifier: MIT */
/*
 * Resolving a path beneath a folder without openat2: name by name, each opened with O_NOFOLLOW, so
 * that what was looked at is what is stepped into. Links are read and followed here.
 */
#ifndef RV_IO_WALK_H
#define RV_IO_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* What led out of the folder. */
enum rv_way_out {
    RV_WAY_OUT_NONE = 0,
    RV_WAY_OUT_PATH,          /* the path is absolute */
    RV_WAY_OUT_DOT_DOT,       /* ".." in the path */
    RV_WAY_OUT_LINK,          /* ".." after a link was followed */
    RV_WAY_OUT_ABSOLUTE_LINK, /* a link whose target is absolute */
};

/* Where a walk ended. Descriptors are O_PATH. */
struct rv_walk_end {
    int folder_fd; /* of the folder that the path names, or in which what it names stands */
    int fd;        /* of what the path names, if that is not a folder; else -1 */
    char name[256];
    bool missing; /* the last name names nothing: RV_WALK_TO_BE_MADE */
    struct stat status;
    enum rv_way_out way_out; /* with EXDEV */
};

enum rv_walk_mode {
    RV_WALK_LINKS,      /* links are followed */
    RV_WALK_SANS_LINK,  /* there may be none */
    RV_WALK_TO_BE_MADE, /* followed; what they lead to need not exist, if its folder does */
    RV_WALK_CANONICAL,  /* followed; nothing need exist: of rv_walk_canonical */
    RV_WALK_ANYWHERE,   /* the same, and a link may lead to any place of the system */
};

/*
 * 0, or an errno: EXDEV for a path that leaves the folder, ELOOP for too many links (for any, if
 * there may be none), EAGAIN if names are being moved about (try again), and what the system
 * says. Both descriptors are the caller's; on failure there are none.
 */
int rv_walk(int folder_fd, const char *path, enum rv_walk_mode mode, struct rv_walk_end *ret_end);

/*
 * The names that a path comes to, from the folder on, with "/" between them ("" for the folder
 * itself): links are followed, and what does not exist, or stands below something that is no
 * folder, is kept as it is written. anywhere: the folder is the system's topmost one, and links may
 * be absolute. Errors as above. `size` is PATH_MAX or more.
 */
int rv_walk_canonical(int folder_fd, const char *path, bool anywhere, char *names, size_t size);

/* Open what a walk found, with these flags. An errno: EAGAIN if it is something else by now. */
int rv_walk_open(const struct rv_walk_end *end, int flags, int *ret_fd);

void rv_walk_end_close(struct rv_walk_end *end);

#endif
