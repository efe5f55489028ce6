/* SPDX-License-Identifier: MIT */
/*
 * What a path comes to: the one way of writing it by which two paths can be compared. It is
 * absolute, links are resolved, "." and ".." are gone; what does not exist is kept as it is
 * written, and a link to it is what it leads to. Whether the path means the same a moment later
 * nobody knows: this is for telling paths apart, never for opening one.
 */
#ifndef RV_IO_FILE_RESOLVE_H
#define RV_IO_FILE_RESOLVE_H

#include "io/file.h"

struct rv_file_resolve;

struct rv_file_resolve_options {
    const char *path; /* as in io/file.h; … */
    bool anywhere; /* … or one of the host's own: absolute, or relative to the working folder */
    /*
     * 0, or REEVE_ECANCELED; the codes of a read but REEVE_ENOTFOUND and REEVE_ENOTFILE if the path
     * could not be worked out: then it is only cleaned of "." and "..". Exactly once, later; the
     * request is gone after it.
     */
    void (*on_done)(struct rv_file_resolve *resolve, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (an empty path, no on_done); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_file_resolve_start(struct rv_root *root, const struct rv_file_resolve_options *options,
                          struct rv_file_resolve **ret_resolve);
/* As in io/file.h. */
void rv_file_resolve_cancel(struct rv_file_resolve *resolve);
void rv_file_resolve_abort(struct rv_file_resolve *resolve);

/* In on_done, unless it was cancelled. */
const char *rv_file_resolve_path(const struct rv_file_resolve *resolve);

#endif
