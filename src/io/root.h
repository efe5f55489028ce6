/* SPDX-License-Identifier: MIT */
/* A root folder, and what is asked of it and told about it: the one way in which src/io gets at a
 * file. The functions of the first part are the same in every world (file_problem.c). */
#ifndef RV_IO_ROOT_H
#define RV_IO_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "io/file.h"
#include "io/walk.h"

struct rv_root {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    size_t refs;
    int fd;               /* O_PATH */
    char *given_path;     /* the two absolute paths that may stand before a name: as the host */
    char *canonical_path; /* gave it (NULL if that was relative), and without links (or NULL) */
    bool walk;            /* openat2 is missing, or not wanted */
};

struct rv_root *rv_root_ref(struct rv_root *root);

enum rv_want {
    RV_WANT_FILE,             /* a regular file, for reading */
    RV_WANT_FOLDER,           /* a folder, for listing */
    RV_WANT_FOLDER_SANS_LINK, /* the same, and no name of the path may be a link */
    RV_WANT_EITHER,           /* a regular file or a folder, for reading */
    RV_WANT_LOOK,             /* whatever it is, only to look at: O_PATH */
};

struct rv_opened {
    int fd;             /* -1 if nothing was opened */
    struct stat status; /* of what was opened, or of what was found in its place */
    struct rv_file_problem problem;
};

/* The REEVE_E... of an errno. */
int rv_file_error_of_errno(int os_errno);

/* "a directory", "a FIFO", … of a stat's mode. */
const char *rv_file_kind(mode_t mode);

/* 'f', 'd', 'l' or '?', as in a listing. */
char rv_file_type(mode_t mode);

bool rv_want_is(enum rv_want want, mode_t mode);

/* REEVE_ENOTFILE or REEVE_ENOTDIR: what was found is of another kind, which `problem` tells. */
int rv_want_error(enum rv_want want, mode_t mode, struct rv_file_problem *problem);

/* Of the real system: root.c. */

/* A path that may be absolute to one relative to the root, inside it; NULL if it is not below. */
const char *rv_root_relative(const struct rv_root *root, const char *path);

/* What stood in the way of `path`, which is relative to the folder: its code and its problem. */
int rv_root_explain(const struct rv_root *root, int folder_fd, const char *path, int os_errno,
                    enum rv_way_out way_out, struct rv_file_problem *problem);

/* Open for reading what a walk to `path` finds. An errno; 0 without a descriptor (-1) if it is not
 * what was wanted, and for RV_WANT_LOOK. */
int rv_root_walk_open(int folder_fd, const char *path, enum rv_want want, struct rv_opened *opened,
                      enum rv_way_out *ret_way_out);

/* How what is wanted is opened, and what came of it: an errno; 0 and closed, with fd -1, if it has
 * become something else. */
int rv_root_open_flags(enum rv_want want);
int rv_root_look_again(enum rv_want want, struct rv_opened *opened);

#endif
