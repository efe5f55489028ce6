/* SPDX-License-Identifier: MIT */
/*
 * One small operation on a file, which completes later, through the loop. This is the seam between
 * what a request does (file.c, file_list.c, file_write.c, file_change.c, file_stat.c) and the
 * system below (file_op.c: from what the kernel holds, by io_uring, or in slices). Tests put files
 * in memory in its place (tests/sim). With it goes what of io/root.h and io/file.h is about roots.
 *
 * Descriptors are the system's numbers, closed by rv_file_close. What is borrowed (paths, names,
 * bytes) must live until `done` has been called or the operation was cancelled.
 */
#ifndef RV_IO_FILE_OP_H
#define RV_IO_FILE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/file_call.h"
#include "io/file_pace.h"
#include "io/root.h"
#include "loop/ready.h"

/* The most that one operation moves: some 30 µs of copying when the kernel holds the data. A call
 * that is made in the loop may be given less (io/file_pace.h). */
#define RV_FILE_OP_MAX_BYTES RV_FILE_PACE_MOST_BYTES

struct rv_uring_job;

/* Where a name stands: the folder that holds it, and what it names there. */
struct rv_place {
    char *path;         /* the request's, cut in place */
    int folder_fd;      /* O_PATH; -1 without a place */
    char name[256];     /* in that folder */
    bool is_folder;     /* the path ends with a slash: it can only be a folder's */
    bool exists;        /* … when it was looked at */
    struct stat status; /* if it exists */
};

/* Where the reading of a folder stands. All zero but `dents` at its beginning. */
struct rv_file_scan {
    char *dents; /* RV_FILE_SCAN_BYTES, the request's */
    size_t len;
    size_t position;
};
#define RV_FILE_SCAN_BYTES ((size_t)16 * 1024)

struct rv_file_op;

/* An entry of a folder: 0 to go on, anything else to stop there. `size` as in io/file.h. */
typedef int (*rv_file_take_fn)(struct rv_file_op *op, const char *name, char type, uint64_t size);

/* Embedded in the request. */
struct rv_file_op {
    struct rv_task task;
    void (*done)(struct rv_file_op *op);
    struct rv_root *root;

    int error;    /* in done: 0 or a REEVE_E... */
    int os_errno; /* in done; 0 if it was not a system call that failed */
    size_t got;   /* of a read (0 at the end of the file), a write, a scan (entries; 0: no more) */
    struct rv_opened opened; /* of an opening or a creation; its problem also of a placing */
    struct rv_place place;   /* of a placing: its descriptor is to be taken out, and -1 put there */

    /* The system's own. */
    void (*step)(struct rv_file_op *op, int64_t result);
    struct rv_file_call call;
    struct rv_uring_job *job;
    enum rv_want want;
    bool calling;
    bool follow;
    bool anywhere;
    char *canonical; /* of a resolving: the caller's */
    int slowest;     /* the counter of the way it took */
    int tries;
    const char *path;
    char *cut; /* in the path, where its last name was cut off; NULL */
    struct stat like;
    bool alike;
    struct rv_file_scan *scan;
    rv_file_take_fn take;
    void *under; /* of a simulated system */
};

void rv_file_op_init(struct rv_file_op *op, struct rv_root *root,
                     void (*done)(struct rv_file_op *op));

/* Open what the path names beneath the root, or beneath the folder if folder_fd is not -1. */
void rv_file_op_open(struct rv_file_op *op, int folder_fd, const char *path, enum rv_want want);

/*
 * Find the place of a path beneath the root. The path is cut meanwhile, and whole again in `done`.
 * follow: a link that it names is followed to the place of what it leads to, which may not exist;
 * else it is that of the link. A path that ends in "." or ".." has none: REEVE_ENOTFILE.
 */
void rv_file_op_place(struct rv_file_op *op, char *path, bool follow);

/*
 * Work a path out: `canonical` (RV_FILE_PATH_BYTES of the caller's) is absolute, without a link,
 * "." or "..". What does not exist is kept, and a link to it is followed. anywhere: the path is the
 * host's, as any program would take it, and not one beneath the root. In `done` the path is always
 * there: with an error it is only cleaned of "." and "..". The path is cut meanwhile, as above.
 */
void rv_file_op_resolve(struct rv_file_op *op, char *path, bool anywhere, char *canonical);
#define RV_FILE_PATH_BYTES ((size_t)4096)

/*
 * Open one name in a folder for writing, with these flags beside O_WRONLY | O_CREAT | O_NOFOLLOW;
 * what is not a regular file is closed again, REEVE_ENOTFILE. like: take over owner, as far as
 * that is allowed, and mode; NULL: `mode`, less the process's mask.
 */
void rv_file_op_create(struct rv_file_op *op, int folder_fd, const char *name, int flags,
                       mode_t mode, const struct stat *like);

/* Up to `len` bytes, and no more than RV_FILE_OP_MAX_BYTES. */
void rv_file_op_read(struct rv_file_op *op, int fd, char *bytes, size_t len, uint64_t offset);
void rv_file_op_write(struct rv_file_op *op, int fd, const char *bytes, size_t len,
                      uint64_t offset);

/* Have the system write it to the disk: a file or a folder that was opened for reading. */
void rv_file_op_sync(struct rv_file_op *op, int fd);

/* Names in folders; no link is followed. flags: RENAME_NOREPLACE or 0; AT_REMOVEDIR or 0. */
void rv_file_op_rename(struct rv_file_op *op, int folder_fd, const char *name, int to_folder_fd,
                       const char *to_name, int flags);
void rv_file_op_unlink(struct rv_file_op *op, int folder_fd, const char *name, int flags);
void rv_file_op_mkdir(struct rv_file_op *op, int folder_fd, const char *name, mode_t mode);

/* Hand on the next entries of a folder, as many as a slice of time allows; "." and ".." not. */
void rv_file_op_scan(struct rv_file_op *op, int fd, struct rv_file_scan *scan,
                     rv_file_take_fn take);

/* `done` does not run, nothing is written to the caller's memory any more, and what the operation
 * would open or create goes again. No effect on one that is done. */
void rv_file_op_cancel(struct rv_file_op *op);

/* What a runtime keeps for file operations, once. 0, REEVE_ENOMEM. */
int rv_file_ops_prepare(struct reeve_runtime *runtime);

/* At once. -1 is allowed, and becomes of *fd. */
void rv_file_close(struct rv_root *root, int *fd);
/* Whether the system would let a file be written, looked at just now: 0 or an errno. */
int rv_file_may_write(struct rv_root *root, int folder_fd, const char *name);
/* Remove a file of our own making whose request has ended before its time. */
void rv_file_discard(struct rv_root *root, int folder_fd, const char *name);

/* By which means operations are done: for tests. */
enum rv_file_backend {
    RV_FILE_BACKEND_AUTO,   /* what the kernel holds, else io_uring, else slices */
    RV_FILE_BACKEND_URING,  /* every call that io_uring has */
    RV_FILE_BACKEND_SLICES, /* none of the two */
};
/* For all roots of the runtime, once it has one. False if io_uring is not to be had. */
bool rv_file_force_backend(struct reeve_runtime *runtime, enum rv_file_backend backend);

#endif
