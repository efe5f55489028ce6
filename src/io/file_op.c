/* SPDX-License-Identifier: MIT */
/*
 * File operations on the real system. Each is a short row of system calls; a step looks at what the
 * last one gave and says which is next. An operation begins when its turn in the ready queue comes.
 * Its calls are made at once as long as the kernel holds what they ask for. One that would have to
 * wait is handed to io_uring, and the operation goes on in a later turn; without io_uring the call
 * is made here, so that a turn of the loop waits for one operation at the most before sockets and
 * timers have theirs.
 *
 * An operation counts as what its slowest call was. An opening that has not waited is followed at
 * once by the first thing that is done with what it has opened.
 */
#include "io/file_op.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/file_step.h"
#include "io/uring.h"
#include "loop/clock.h"
#include "loop/runtime.h"
#include "metrics/metrics.h"

#include <reeve/error.h>

/* Once a runtime. */
struct files {
    struct reeve_runtime *runtime;
    enum rv_file_backend backend;
    struct rv_uring *ring; /* NULL: not made yet, or not to be had */
    bool tried;
    struct rv_file_pace pace;
    struct rv_file_op
        *opener; /* which is done just now, and what it does next may be done at once */
    struct rv_file_op *follower; /* the same one, once it has more to do */
};

static void free_files(void *value)
{
    struct files *files = value;

    rv_uring_free(files->ring);
    rv_free(rv_runtime_mem(files->runtime), files);
}

int rv_file_ops_prepare(struct reeve_runtime *runtime)
{
    struct files *files = rv_runtime_slot(runtime, RV_SLOT_FILE);

    if (files)
        return 0;
    files = rv_zalloc(rv_runtime_mem(runtime), sizeof *files);
    if (!files)
        return REEVE_ENOMEM;
    files->runtime = runtime;
    rv_file_pace_init(&files->pace);
    rv_runtime_slot_set(runtime, RV_SLOT_FILE, files, free_files);
    return 0;
}

/* The ring, made when it is first wanted; NULL if it is not to be had. */
static struct rv_uring *ring_of(struct files *files)
{
    if (files->tried)
        return files->ring;
    files->tried = true;
    if (rv_uring_new(files->runtime, &files->ring) != 0)
        rv_count(rv_runtime_metrics(files->runtime), REEVE_COUNTER_FILE_URING_UNAVAILABLE);
    return files->ring;
}

bool rv_file_force_backend(struct reeve_runtime *runtime, enum rv_file_backend backend)
{
    struct files *files = rv_runtime_slot(runtime, RV_SLOT_FILE);

    files->backend = backend;
    return backend != RV_FILE_BACKEND_URING || ring_of(files);
}

static void took(struct rv_file_op *op, enum reeve_counter way)
{
    if ((int)way > op->slowest)
        op->slowest = (int)way;
}

/*
 * A descriptor for the ring's threads and for calls in the loop differs in two ways, which cost a
 * call each and are put right only where a read goes to the ring. How far the kernel reads beyond
 * what it is asked for: see read_no_further in root.c. And that it was opened not to block, which
 * would have the ring not wait for the disk either.
 */
static void lend_to_ring(const struct rv_file_op *op)
{
    if (op->call.kind != RV_FILE_CALL_READ)
        return;
    fcntl(op->call.fd, F_SETFL, 0);
    posix_fadvise(op->call.fd, 0, 0, POSIX_FADV_NORMAL);
}

static void back_from_ring(const struct rv_file_op *op)
{
    if (op->call.kind == RV_FILE_CALL_READ)
        posix_fadvise(op->call.fd, 0, 0, POSIX_FADV_RANDOM);
}

/* The ring takes it: the operation goes on when it has completed. */
static bool hand_over(struct files *files, struct rv_file_op *op)
{
    struct rv_uring *ring;

    if (files->backend == RV_FILE_BACKEND_SLICES)
        return false;
    ring = ring_of(files);
    if (!ring || !rv_uring_can(ring, op->call.kind))
        return false;
    lend_to_ring(op);
    if (rv_uring_start(ring, &op->call, &op->task, &op->job) != 0) {
        back_from_ring(op);
        return false; /* no memory: slower, but done */
    }
    took(op, REEVE_COUNTER_FILE_URING);
    return true;
}

/* Make it here. False: it was only to be tried on what the kernel holds, which is not enough. */
static bool call_here(struct rv_file_op *op, bool cached, int64_t *ret_result)
{
    struct files *files = rv_runtime_slot(op->root->runtime, RV_SLOT_FILE);
    const bool moves = op->call.kind == RV_FILE_CALL_READ || op->call.kind == RV_FILE_CALL_WRITE;
    /* What is small shows nothing, and to read the clock twice would take as long as to move it. */
    const bool shows = moves && op->call.len > RV_FILE_PACE_SMALL_BYTES;
    struct rv_file_call call = op->call;
    uint64_t start_ns = 0;

    if (moves)
        call.len = rv_file_pace_len(&files->pace, call.len);
    if (shows)
        start_ns = rv_precise_now_ns(files->runtime);
    if (!cached)
        *ret_result = rv_file_call_run(&call);
    else if (!rv_file_call_run_cached(&call, ret_result))
        return false;
    if (shows && *ret_result > 0)
        rv_file_pace_learn(&files->pace, (size_t)*ret_result,
                           rv_precise_now_ns(files->runtime) - start_ns);
    return true;
}

/* False if the result comes later. */
static bool make_call(struct rv_file_op *op, int64_t *ret_result)
{
    struct files *files = rv_runtime_slot(op->root->runtime, RV_SLOT_FILE);

    op->calling = false;
    if (files->backend == RV_FILE_BACKEND_AUTO && call_here(op, true, ret_result)) {
        took(op, REEVE_COUNTER_FILE_CACHED);
        return true;
    }
    if (hand_over(files, op))
        return false;
    took(op, REEVE_COUNTER_FILE_SLICED);
    return call_here(op, false, ret_result);
}

static int64_t take_result(struct rv_file_op *op)
{
    struct rv_uring_job *job = op->job;
    int64_t result = 0;

    op->job = NULL;
    if (job) {
        result = rv_uring_take(job);
        back_from_ring(op);
    }
    if (result != -EINTR && result != -ECANCELED)
        return result;
    took(op, REEVE_COUNTER_FILE_SLICED);
    call_here(op, false, &result);
    return result;
}

/* False: its next result comes later. */
static bool take_steps(struct rv_file_op *op)
{
    int64_t result = take_result(op);

    for (;;) {
        op->step(op, result);
        if (!op->calling)
            return true;
        if (!make_call(op, &result))
            return false;
    }
}

/*
 * It is done, and may be gone afterwards. What was opened without waiting is in all caches now: if
 * reading is what comes next, it is given back, to be read from before anything else is done.
 */
static struct rv_file_op *complete(struct rv_file_op *op, bool may_be_followed)
{
    struct files *files = rv_runtime_slot(op->root->runtime, RV_SLOT_FILE);
    const bool waited = op->slowest != REEVE_COUNTER_FILE_CACHED;
    struct rv_file_op *follower;

    /* The queue looks at the clock for some tasks only; this one may have waited for a disk. */
    if (waited)
        rv_precise_now_ns(files->runtime);
    rv_count(rv_runtime_metrics(files->runtime), (enum reeve_counter)op->slowest);
    op->step = NULL;
    files->opener = may_be_followed && !waited ? op : NULL;
    op->done(op);
    follower = files->follower;
    files->opener = NULL;
    files->follower = NULL;
    return follower;
}

static void run_op(struct rv_task *task)
{
    struct rv_file_op *op = rv_container_of(task, struct rv_file_op, task);

    if (take_steps(op)) {
        op = complete(op, op->call.kind == RV_FILE_CALL_RESOLVE);
        if (op && take_steps(op))
            complete(op, false);
    }
}

void rv_file_op_init(struct rv_file_op *op, struct rv_root *root,
                     void (*done)(struct rv_file_op *op))
{
    memset(op, 0, sizeof *op);
    rv_task_init(&op->task, run_op);
    op->root = root;
    op->done = done;
    op->opened.fd = -1;
    op->place.folder_fd = -1;
}

void rv_file_op_begin(struct rv_file_op *op, rv_file_step_fn step)
{
    struct files *files = rv_runtime_slot(op->root->runtime, RV_SLOT_FILE);

    op->step = step;
    op->calling = false;
    op->slowest = REEVE_COUNTER_FILE_CACHED;
    op->tries = 0;
    op->error = 0;
    op->os_errno = 0;
    op->got = 0;
    if (files->opener == op)
        files->follower = op;
    else
        rv_ready_push(files->runtime, &op->task);
}

void rv_file_op_call(struct rv_file_op *op, const struct rv_file_call *call, rv_file_step_fn step)
{
    op->call = *call;
    op->step = step;
    op->calling = true;
}

void rv_file_op_sliced(struct rv_file_op *op)
{
    took(op, REEVE_COUNTER_FILE_SLICED);
}

static void result_came(struct rv_file_op *op, int64_t result)
{
    if (result == -EAGAIN && !op->tries++) { /* a file system that cannot do without waiting */
        rv_file_op_sliced(op);
        call_here(op, false, &result);
    }
    op->os_errno = result < 0 ? (int)-result : 0;
    op->error = rv_file_error_of_errno(op->os_errno);
    op->got = result < 0 ? 0 : (size_t)result;
}

/* Of the operations that are one call. */
static void first_step(struct rv_file_op *op, int64_t result)
{
    struct rv_file_call call = op->call;

    (void)result;
    rv_file_op_call(op, &call, result_came);
}

static void begin_call(struct rv_file_op *op, const struct rv_file_call *call)
{
    op->call = *call;
    rv_file_op_begin(op, first_step);
}

static size_t at_most(size_t len)
{
    return len < RV_FILE_OP_MAX_BYTES ? len : RV_FILE_OP_MAX_BYTES;
}

void rv_file_op_read(struct rv_file_op *op, int fd, char *bytes, size_t len, uint64_t offset)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_READ,
        .fd = fd,
        .bytes = bytes,
        .len = at_most(len),
        .offset = offset,
    };

    begin_call(op, &call);
}

void rv_file_op_write(struct rv_file_op *op, int fd, const char *bytes, size_t len, uint64_t offset)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_WRITE,
        .fd = fd,
        .from = bytes,
        .len = at_most(len),
        .offset = offset,
    };

    begin_call(op, &call);
}

void rv_file_op_sync(struct rv_file_op *op, int fd)
{
    const struct rv_file_call call = {.kind = RV_FILE_CALL_SYNC, .fd = fd};

    begin_call(op, &call);
}

void rv_file_op_rename(struct rv_file_op *op, int folder_fd, const char *name, int to_folder_fd,
                       const char *to_name, int flags)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_RENAME,
        .fd = folder_fd,
        .path = name,
        .to_fd = to_folder_fd,
        .to = to_name,
        .flags = flags,
    };

    begin_call(op, &call);
}

void rv_file_op_unlink(struct rv_file_op *op, int folder_fd, const char *name, int flags)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_UNLINK,
        .fd = folder_fd,
        .path = name,
        .flags = flags,
    };

    begin_call(op, &call);
}

void rv_file_op_mkdir(struct rv_file_op *op, int folder_fd, const char *name, mode_t mode)
{
    const struct rv_file_call call = {
        .kind = RV_FILE_CALL_MKDIR,
        .fd = folder_fd,
        .path = name,
        .mode = mode,
    };

    begin_call(op, &call);
}

void rv_file_op_cancel(struct rv_file_op *op)
{
    struct files *files = rv_runtime_slot(op->root->runtime, RV_SLOT_FILE);

    if (files->follower == op)
        files->follower = NULL;
    rv_ready_remove(&op->task);
    if (op->job)
        rv_uring_drop(op->job);
    op->job = NULL;
    if (op->step) /* what it has found so far is nobody's */
        rv_file_close(op->root, &op->place.folder_fd);
    op->step = NULL;
}

void rv_file_close(struct rv_root *root, int *fd)
{
    (void)root;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void rv_file_discard(struct rv_root *root, int folder_fd, const char *name)
{
    (void)root;
    unlinkat(folder_fd, name, 0);
}

int rv_file_may_write(struct rv_root *root, int folder_fd, const char *name)
{
    (void)root;
    return faccessat(folder_fd, name, W_OK, AT_EACCESS) < 0 ? errno : 0;
}
