/* SPDX-License-Identifier: MIT */
/*
 * File operations in bounded slices: each is one or a few system calls, done when its turn in the
 * ready queue comes. The queue gives the sockets and timers their turn between, and the operations
 * of several requests take turns.
 */
#include "io/file_op.h"

#include <errno.h>
#include <unistd.h>

#include "loop/clock.h"

static void run_op(struct rv_task *task)
{
    struct rv_file_op *op = rv_container_of(task, struct rv_file_op, task);

    op->perform(op);
    /* The queue looks at the clock for some tasks only; this one may have waited for a disk. */
    rv_precise_now_ns(op->root->runtime);
    op->done(op);
}

void rv_file_op_init(struct rv_file_op *op, struct rv_root *root,
                     void (*done)(struct rv_file_op *op))
{
    rv_task_init(&op->task, run_op);
    op->root = root;
    op->done = done;
}

static void perform_open(struct rv_file_op *op)
{
    op->error = rv_root_open(op->root, op->fd, op->path, op->want, &op->opened);
    op->os_errno = op->opened.problem.os_errno;
}

void rv_file_op_open(struct rv_file_op *op, int folder_fd, const char *path, enum rv_want want)
{
    op->perform = perform_open;
    op->fd = folder_fd;
    op->path = path;
    op->want = want;
    rv_ready_push(op->root->runtime, &op->task);
}

static void perform_read(struct rv_file_op *op)
{
    ssize_t got;

    do {
        got = pread(op->fd, op->bytes, op->len, (off_t)op->offset);
    } while (got < 0 && errno == EINTR);
    op->os_errno = got < 0 ? errno : 0;
    op->error = rv_file_error_of_errno(op->os_errno);
    op->got = got < 0 ? 0 : (size_t)got;
}

void rv_file_op_read(struct rv_file_op *op, int fd, char *bytes, size_t len, uint64_t offset)
{
    op->perform = perform_read;
    op->fd = fd;
    op->bytes = bytes;
    op->len = len < RV_FILE_OP_MAX_BYTES ? len : RV_FILE_OP_MAX_BYTES;
    op->offset = offset;
    rv_ready_push(op->root->runtime, &op->task);
}

void rv_file_op_cancel(struct rv_file_op *op)
{
    rv_ready_remove(&op->task);
}
