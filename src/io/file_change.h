/* SPDX-License-Identifier: MIT */
/*
 * Changes of names below a root, and having things written to the disk. The folder of a name is
 * resolved beneath the root; the name itself is never followed: what is renamed or removed is the
 * link, not what it leads to.
 */
#ifndef RV_IO_FILE_CHANGE_H
#define RV_IO_FILE_CHANGE_H

#include "io/file.h"

struct rv_file_change;

enum rv_file_change_what {
    RV_FILE_RENAME,        /* to `to`, which is replaced if it exists */
    RV_FILE_RENAME_TO_NEW, /* to `to`, which may not exist: REEVE_EEXIST */
    RV_FILE_REMOVE,        /* anything but a folder: REEVE_ENOTFILE */
    RV_FILE_REMOVE_FOLDER, /* an empty one: REEVE_EEXIST if it is not, REEVE_ENOTDIR */
    RV_FILE_MAKE_FOLDER,   /* REEVE_EEXIST if there is anything */
    RV_FILE_SYNC,          /* a file or a folder (links followed) is on the disk when it is done */
};

struct rv_file_change_options {
    enum rv_file_change_what what;
    const char *path;
    const char *to; /* of a rename */
    unsigned mode;  /* of a folder, less the process's mask; 0: 0777 */
    /* The codes of a write. Exactly once, later; the request is gone afterwards. With
     * REEVE_ECANCELED the change may or may not have come about. */
    void (*on_done)(struct rv_file_change *change, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (an empty path, no on_done); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_file_change_start(struct rv_root *root, const struct rv_file_change_options *options,
                         struct rv_file_change **ret_change);
/* As in io/file.h. */
void rv_file_change_cancel(struct rv_file_change *change);
void rv_file_change_abort(struct rv_file_change *change);

/* In on_done: of `to` if that was the problem. */
const struct rv_file_problem *rv_file_change_problem(const struct rv_file_change *change);

#endif
