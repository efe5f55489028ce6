/* SPDX-License-Identifier: MIT */
/* Opening beneath a root folder: the one way in which src/io gets at a file. */
#ifndef RV_IO_ROOT_H
#define RV_IO_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "io/file.h"

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
};

struct rv_opened {
    int fd;             /* -1 if nothing was opened */
    struct stat status; /* of what was opened, or of what was found in its place */
    struct rv_file_problem problem;
};

/*
 * Open `path` beneath the root or, if folder_fd is not -1, beneath that folder. What is not of the
 * wanted kind is never opened but with O_PATH, so that no FIFO's writer and no device notices.
 * Never blocks on a FIFO; a bounded number of system calls.
 *
 * 0; REEVE_ENOTFOUND, REEVE_ENOTDIR, REEVE_ENOTFILE, REEVE_EOUTSIDE, REEVE_EACCESS, REEVE_ESYSTEM.
 * The problem is filled in on failure. The descriptor is the caller's.
 */
int rv_root_open(struct rv_root *root, int folder_fd, const char *path, enum rv_want want,
                 struct rv_opened *ret_opened);

/* The REEVE_E... of an errno. */
int rv_file_error_of_errno(int os_errno);

/* "a directory", "a FIFO", … of a stat's mode. */
const char *rv_file_kind(mode_t mode);

#endif
