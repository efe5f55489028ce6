/* SPDX-License-Identifier: MIT */
/*
 * One small operation on a file: open it beneath a root, or read a piece of it. It completes later,
 * through the loop. This is the seam between what a request does (file.c, file_list.c) and how the
 * system is asked to (file_op.c: in slices, one operation a time, from the ready queue).
 */
#ifndef RV_IO_FILE_OP_H
#define RV_IO_FILE_OP_H

#include <stddef.h>
#include <stdint.h>

#include "io/root.h"
#include "loop/ready.h"

/* The most that one operation reads: some 30 µs of copying when the kernel holds the data. */
#define RV_FILE_OP_MAX_BYTES ((size_t)128 * 1024)

/* Embedded in the request. */
struct rv_file_op {
    struct rv_task task;
    void (*perform)(struct rv_file_op *op);
    void (*done)(struct rv_file_op *op);

    struct rv_root *root;
    int fd; /* to read from, or the folder to open beneath (-1: the root) */
    const char *path;
    enum rv_want want;
    char *bytes;
    size_t len;
    uint64_t offset;

    int error;               /* in done: 0 or a REEVE_E... */
    int os_errno;            /* of a read */
    size_t got;              /* of a read: 0 at the end of the file */
    struct rv_opened opened; /* of an opening */
};

void rv_file_op_init(struct rv_file_op *op, struct rv_root *root,
                     void (*done)(struct rv_file_op *op));

/* `path` stays the caller's until it is done. */
void rv_file_op_open(struct rv_file_op *op, int folder_fd, const char *path, enum rv_want want);

/* Up to `len` bytes, and no more than RV_FILE_OP_MAX_BYTES. `bytes` is the caller's. */
void rv_file_op_read(struct rv_file_op *op, int fd, char *bytes, size_t len, uint64_t offset);

/* `done` does not run, nothing is written to `bytes` any more. No effect on one that is done. */
void rv_file_op_cancel(struct rv_file_op *op);

#endif
