/* SPDX-License-Identifier: MIT */
/* Looking at what a path below a root names, without opening it. */
#ifndef RV_IO_FILE_STAT_H
#define RV_IO_FILE_STAT_H

#include <sys/stat.h>

#include "io/file.h"

struct rv_file_stat;

/* Two that are equal in all but mode are of the same content, as far as the system can tell. */
struct rv_file_status {
    char type;     /* as in a listing: 'f', 'd', 'l', '?' */
    unsigned mode; /* the permission bits, 07777 */
    uint64_t size;
    uint64_t device;
    uint64_t inode;
    int64_t modified_ns; /* since 1970 */
    int64_t changed_ns;
};

struct rv_file_status rv_file_status_of(const struct stat *status);
/* Whether they are of the same file, which nobody has touched between. */
bool rv_file_status_same(const struct rv_file_status *one, const struct rv_file_status *other);

struct rv_file_stat_options {
    const char *path;
    bool follow; /* a link that it names */
    /* The codes of a read but REEVE_ENOTFILE. Exactly once, later; the request is gone after it. */
    void (*on_done)(struct rv_file_stat *stat, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (an empty path, no on_done); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_file_stat_start(struct rv_root *root, const struct rv_file_stat_options *options,
                       struct rv_file_stat **ret_stat);
/* As in io/file.h. */
void rv_file_stat_cancel(struct rv_file_stat *stat);
void rv_file_stat_abort(struct rv_file_stat *stat);

/* In on_done, without and with an error. */
const struct rv_file_status *rv_file_stat_status(const struct rv_file_stat *stat);
const struct rv_file_problem *rv_file_stat_problem(const struct rv_file_stat *stat);

#endif
