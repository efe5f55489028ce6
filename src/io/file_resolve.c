/* SPDX-License-Identifier: MIT */
/*
 * Working out what a path comes to: one operation. Ways to fail: the path leaves the root, the
 * system refuses to look, links without end; there is a path even so.
 */
#include "io/file_resolve.h"

#include "io/file_request.h"

#include <reeve/error.h>

struct rv_file_resolve {
    struct rv_file_request base;
    struct rv_file_resolve_options options; /* its path is copied, or dead */
    char path[RV_FILE_PATH_BYTES];
};

static struct rv_file_resolve *resolve_of(struct rv_file_request *request)
{
    return rv_container_of(request, struct rv_file_resolve, base);
}

static void finish(struct rv_file_request *request, int error)
{
    struct rv_file_resolve *resolve = resolve_of(request);

    resolve->options.on_done(resolve, error, resolve->options.arg);
}

static void op_done(struct rv_file_op *op)
{
    rv_file_request_finish(rv_file_request_of(op), op->error);
}

int rv_file_resolve_start(struct rv_root *root, const struct rv_file_resolve_options *options,
                          struct rv_file_resolve **ret_resolve)
{
    struct rv_file_request *request;
    struct rv_file_resolve *resolve;
    int error;

    if (!options->on_done)
        return REEVE_EINVAL;
    error = rv_file_request_new(root, options->path, sizeof *resolve, op_done, finish, &request);
    if (error)
        return error;
    resolve = resolve_of(request);
    resolve->options = *options;
    rv_file_op_resolve(&request->op, request->path, options->anywhere, resolve->path);
    *ret_resolve = resolve;
    return 0;
}

void rv_file_resolve_cancel(struct rv_file_resolve *resolve)
{
    rv_file_request_cancel(&resolve->base);
}

void rv_file_resolve_abort(struct rv_file_resolve *resolve)
{
    rv_file_request_abort(&resolve->base);
}

const char *rv_file_resolve_path(const struct rv_file_resolve *resolve)
{
    return resolve->path;
}
