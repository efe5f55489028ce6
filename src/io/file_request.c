/* SPDX-License-Identifier: MIT */
/* What the smaller requests on files have in common. */
#include "io/file_request.h"

#include "loop/runtime.h"

#include <reeve/error.h>

static void run_canceled(struct rv_task *task)
{
    rv_file_request_finish(rv_container_of(task, struct rv_file_request, canceled_task),
                           REEVE_ECANCELED);
}

int rv_file_request_new(struct rv_root *root, const char *path, size_t size,
                        void (*op_done)(struct rv_file_op *op),
                        void (*finish)(struct rv_file_request *request, int error),
                        struct rv_file_request **ret_request)
{
    struct rv_file_request *request;

    if (!path || !path[0])
        return REEVE_EINVAL;
    if (rv_runtime_closing(root->runtime))
        return REEVE_ECLOSING;
    request = rv_zalloc(root->mem, size);
    if (!request)
        return REEVE_ENOMEM;
    request->path = rv_strdup(root->mem, path);
    if (!request->path) {
        rv_free(root->mem, request);
        return REEVE_ENOMEM;
    }
    request->root = rv_root_ref(root);
    request->problem = (struct rv_file_problem){.kind = "", .outside = ""};
    request->finish = finish;
    rv_task_init(&request->canceled_task, run_canceled);
    rv_file_op_init(&request->op, root, op_done);
    *ret_request = request;
    return 0;
}

struct rv_file_request *rv_file_request_of(struct rv_file_op *op)
{
    return rv_container_of(op, struct rv_file_request, op);
}

void rv_file_request_finish(struct rv_file_request *request, int error)
{
    struct rv_root *root = request->root;

    rv_file_op_cancel(&request->op);
    rv_ready_remove(&request->canceled_task);
    request->over = true;
    request->finish(request, error);
    rv_free(root->mem, request->path);
    rv_free(root->mem, request);
    rv_root_free(root);
}

void rv_file_request_fail(struct rv_file_request *request)
{
    rv_file_request_finish(request, request->op.error);
}

void rv_file_request_cancel(struct rv_file_request *request)
{
    if (request->over || request->canceled)
        return;
    rv_file_op_cancel(&request->op);
    request->canceled = true;
    rv_ready_push(request->root->runtime, &request->canceled_task);
}

void rv_file_request_abort(struct rv_file_request *request)
{
    if (!request->over)
        rv_file_request_finish(request, REEVE_ECANCELED);
}

struct rv_place rv_file_request_take_place(struct rv_file_request *request)
{
    struct rv_place place = request->op.place;

    request->op.place.folder_fd = -1;
    return place;
}
