/* SPDX-License-Identifier: MIT */
/*
 * Looking at what a path names: one operation, an opening for nothing but a look if links are to be
 * followed, else the finding of its place. Ways to fail: those of that (file_open.c).
 */
#include "io/file_stat.h"

#include <errno.h>

#include "io/file_request.h"

#include <reeve/error.h>

struct rv_file_stat {
    struct rv_file_request base;
    struct rv_file_stat_options options;
    bool by_place;
    struct rv_file_status status;
};

static struct rv_file_stat *stat_of(struct rv_file_request *request)
{
    return rv_container_of(request, struct rv_file_stat, base);
}

static void finish(struct rv_file_request *request, int error)
{
    struct rv_file_stat *stat = stat_of(request);

    stat->options.on_done(stat, error, stat->options.arg);
}

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

struct rv_file_status rv_file_status_of(const struct stat *status)
{
    return (struct rv_file_status){
        .type = rv_file_type(status->st_mode),
        .mode = status->st_mode & 07777,
        .size = (uint64_t)status->st_size,
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .modified_ns = ns_of(status->st_mtim),
        .changed_ns = ns_of(status->st_ctim),
    };
}

bool rv_file_status_same(const struct rv_file_status *one, const struct rv_file_status *other)
{
    return one->type == other->type && one->device == other->device && one->inode == other->inode &&
           one->size == other->size && one->modified_ns == other->modified_ns &&
           one->changed_ns == other->changed_ns;
}

static void look(struct rv_file_stat *stat)
{
    stat->by_place = false;
    rv_file_op_open(&stat->base.op, -1, stat->base.path, RV_WANT_LOOK);
}

static void place_came(struct rv_file_stat *stat)
{
    struct rv_place place = rv_file_request_take_place(&stat->base);
    int error = 0;

    rv_file_close(stat->base.root, &place.folder_fd);
    if (place.exists && place.is_folder && S_ISLNK(place.status.st_mode)) {
        look(stat); /* "link/" is what it leads to */
        return;
    }
    if (!place.exists) {
        look(stat); /* which tells how far the path exists */
        return;
    }
    if (place.is_folder && !S_ISDIR(place.status.st_mode))
        error = REEVE_ENOTDIR;
    else
        stat->status = rv_file_status_of(&place.status);
    rv_file_request_finish(&stat->base, error);
}

static void op_done(struct rv_file_op *op)
{
    struct rv_file_stat *stat = stat_of(rv_file_request_of(op));

    if (stat->by_place && op->error == REEVE_ENOTFILE) {
        look(stat); /* "." or "..", which are no links */
        return;
    }
    if (stat->by_place && !op->error) {
        place_came(stat);
        return;
    }
    stat->base.problem = op->opened.problem;
    if (!op->error)
        stat->status = rv_file_status_of(&op->opened.status);
    rv_file_request_finish(&stat->base, op->error);
}

int rv_file_stat_start(struct rv_root *root, const struct rv_file_stat_options *options,
                       struct rv_file_stat **ret_stat)
{
    struct rv_file_request *request;
    struct rv_file_stat *stat;
    int error;

    if (!options->on_done)
        return REEVE_EINVAL;
    error = rv_file_request_new(root, options->path, sizeof *stat, op_done, finish, &request);
    if (error)
        return error;
    stat = stat_of(request);
    stat->options = *options;
    stat->by_place = !options->follow;
    if (options->follow)
        look(stat);
    else
        rv_file_op_place(&request->op, request->path, false);
    *ret_stat = stat;
    return 0;
}

void rv_file_stat_cancel(struct rv_file_stat *stat)
{
    rv_file_request_cancel(&stat->base);
}

void rv_file_stat_abort(struct rv_file_stat *stat)
{
    rv_file_request_abort(&stat->base);
}

const struct rv_file_status *rv_file_stat_status(const struct rv_file_stat *stat)
{
    return &stat->status;
}

const struct rv_file_problem *rv_file_stat_problem(const struct rv_file_stat *stat)
{
    return &stat->base.problem;
}
