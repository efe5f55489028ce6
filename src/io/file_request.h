/* SPDX-License-Identifier: MIT */
/* What the smaller requests on files have in common: they go from operation to operation, can be
 * ended at each, and complete once. For file_write.c, file_change.c and file_stat.c. */
#ifndef RV_IO_FILE_REQUEST_H
#define RV_IO_FILE_REQUEST_H

#include "io/file_op.h"

struct rv_file_request {
    struct rv_file_op op;
    struct rv_task canceled_task;
    struct rv_root *root;
    char *path;
    struct rv_file_problem problem;
    bool canceled; /* waits for its turn to say so */
    bool over;     /* in on_done */
    /* Clean up and call on_done; the request is freed afterwards, its path and root with it. */
    void (*finish)(struct rv_file_request *request, int error);
};

/*
 * A request of `size` bytes, all zero but this part, which stands first. 0; REEVE_EINVAL (an empty
 * path), REEVE_ECLOSING, REEVE_ENOMEM.
 */
int rv_file_request_new(struct rv_root *root, const char *path, size_t size,
                        void (*op_done)(struct rv_file_op *op),
                        void (*finish)(struct rv_file_request *request, int error),
                        struct rv_file_request **ret_request);

struct rv_file_request *rv_file_request_of(struct rv_file_op *op);

/* End it: nothing of it may be touched afterwards. */
void rv_file_request_finish(struct rv_file_request *request, int error);
/* With what the operation has told. */
void rv_file_request_fail(struct rv_file_request *request);

/* The two ways to end a request from outside, as in io/file.h. */
void rv_file_request_cancel(struct rv_file_request *request);
void rv_file_request_abort(struct rv_file_request *request);

/* The place that the operation has found becomes the caller's. */
struct rv_place rv_file_request_take_place(struct rv_file_request *request);

#endif
