/* SPDX-License-Identifier: MIT */
/*
 * System calls on files through io_uring.
 *
 * A job's life: waiting (in a list; the ring has no room, or its turn to submit has not come) → in
 * flight (the kernel has it) → completed (its task is queued) → taken. Jobs are submitted together,
 * by a task in the ready queue. A dropped job goes from waiting or completed at once; in flight it
 * is cancelled, and goes when its completion comes, which may be that of the call itself.
 *
 * Ways to fail: no ring (told by rv_uring_new; the caller does without); no memory for a job; the
 * kernel takes no submission just now (tried again after a millisecond).
 *
 * Fork: the rings are shared with the child, and what is in flight belongs to the parent. The child
 * sees by the process id that the ring is not its own, leaves it alone and makes the calls by
 * itself.
 */
#include "io/uring.h"

#include "loop/runtime.h"

#include <reeve/error.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef HAVE_LIBURING

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "loop/timer.h"
#include "loop/watch.h"

enum {
    RETRY_MS = 1,
    NAME_BYTES = 32, /* of a file that is created under a name of our own */
};

struct rv_uring {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct io_uring rings;
    pid_t pid;
    int event_fd;
    struct rv_watch *watch;
    bool watched;
    bool left; /* to the parent */
    bool can[RV_FILE_CALL_KINDS];
    struct rv_list waiting;
    struct rv_list in_flight;
    size_t in_flight_count;
    struct rv_task submit_task;
    struct rv_timer retry_timer;
};

struct rv_uring_job {
    struct rv_list node;
    struct rv_uring *ring;
    struct rv_task *task; /* NULL: dropped */
    struct rv_file_call call;
    struct rv_open_how how;
    int64_t result;
    bool flying;
    bool completed;
    int undo_fd; /* the folder from which what this creates is removed again; -1 */
    char undo_name[NAME_BYTES];
    char bytes[]; /* call.len of a read or a write */
};

static void watch_if_busy(struct rv_uring *ring)
{
    bool busy = ring->in_flight_count > 0;

    if (busy == ring->watched || !ring->watch)
        return;
    if (rv_watch_set(ring->watch, busy ? RV_WATCH_READ : 0) == 0)
        ring->watched = busy;
    else
        rv_timer_start_ms(ring->runtime, &ring->retry_timer, RETRY_MS);
}

static void job_free(struct rv_uring_job *job)
{
    if (job->undo_fd >= 0)
        close(job->undo_fd);
    rv_free(job->ring->mem, job);
}

/* What a call has done that nobody knows of. */
static void undo(struct rv_uring_job *job)
{
    bool opens = job->call.kind == RV_FILE_CALL_RESOLVE || job->call.kind == RV_FILE_CALL_CREATE;

    if (!opens || job->result < 0)
        return;
    close((int)job->result);
    if (job->undo_fd >= 0)
        unlinkat(job->undo_fd, job->undo_name, 0);
}

static void complete(struct rv_uring_job *job, int64_t result)
{
    rv_list_remove(&job->node);
    if (job->flying)
        job->ring->in_flight_count--;
    job->flying = false;
    job->completed = true;
    job->result = result;
    if (job->task) {
        rv_ready_push(job->ring->runtime, job->task);
        return;
    }
    undo(job);
    job_free(job);
}

/* The call itself, with the ring's memory in place of the caller's. */
static struct rv_file_call own_call(struct rv_uring_job *job)
{
    struct rv_file_call call = job->call;

    call.bytes = job->bytes;
    call.from = job->bytes;
    return call;
}

/* In the child of a fork: no call of the ring will ever complete here. */
static void leave(struct rv_uring *ring)
{
    struct rv_list *node, *after;
    struct rv_uring_job *job;
    struct rv_file_call call;

    ring->left = true;
    rv_list_splice(&ring->waiting, &ring->in_flight);
    rv_list_for_each_safe (node, after, &ring->waiting) {
        job = rv_list_entry(node, struct rv_uring_job, node);
        call = own_call(job);
        complete(job, job->task ? rv_file_call_run(&call) : -ECANCELED);
    }
    rv_timer_stop(ring->runtime, &ring->retry_timer);
    rv_ready_remove(&ring->submit_task);
    watch_if_busy(ring);
}

static bool is_ours(struct rv_uring *ring)
{
    if (!ring->left && ring->pid != getpid())
        leave(ring);
    return !ring->left;
}

static void prepare(struct rv_uring_job *job, struct io_uring_sqe *sqe)
{
    struct rv_file_call call = own_call(job);

    switch (call.kind) {
    case RV_FILE_CALL_RESOLVE:
        io_uring_prep_openat2(sqe, call.fd, call.path, (struct open_how *)(void *)&job->how);
        break;
    case RV_FILE_CALL_CREATE:
        io_uring_prep_openat(sqe, call.fd, call.path, call.flags | O_CLOEXEC, call.mode);
        break;
    case RV_FILE_CALL_READ:
        io_uring_prep_read(sqe, call.fd, call.bytes, (unsigned)call.len, call.offset);
        break;
    case RV_FILE_CALL_WRITE:
        io_uring_prep_write(sqe, call.fd, call.from, (unsigned)call.len, call.offset);
        break;
    case RV_FILE_CALL_SYNC:
        io_uring_prep_fsync(sqe, call.fd, 0);
        break;
    case RV_FILE_CALL_RENAME:
        io_uring_prep_renameat(sqe, call.fd, call.path, call.to_fd, call.to, (unsigned)call.flags);
        break;
    case RV_FILE_CALL_UNLINK:
        io_uring_prep_unlinkat(sqe, call.fd, call.path, call.flags);
        break;
    case RV_FILE_CALL_MKDIR:
        io_uring_prep_mkdirat(sqe, call.fd, call.path, call.mode);
        break;
    case RV_FILE_CALL_KINDS:
        break;
    }
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    io_uring_sqe_set_data(sqe, job);
}

/* Give the kernel all that is prepared. */
static void flush(struct rv_uring *ring)
{
    int taken;

    while (io_uring_sq_ready(&ring->rings) > 0) {
        taken = io_uring_submit(&ring->rings);
        if (taken == -EINTR)
            continue;
        if (taken <= 0) {
            rv_timer_start_ms(ring->runtime, &ring->retry_timer, RETRY_MS);
            return;
        }
    }
}

static void submit(struct rv_uring *ring)
{
    struct rv_uring_job *job;
    struct io_uring_sqe *sqe;

    if (!is_ours(ring))
        return;
    while (ring->in_flight_count < RV_URING_MAX_IN_FLIGHT && !rv_list_empty(&ring->waiting)) {
        sqe = io_uring_get_sqe(&ring->rings);
        if (!sqe)
            break; /* full of cancellations: completions bring us back */
        job = rv_list_entry(ring->waiting.next, struct rv_uring_job, node);
        rv_list_remove(&job->node);
        prepare(job, sqe);
        rv_list_append(&ring->in_flight, &job->node);
        job->flying = true;
        ring->in_flight_count++;
    }
    flush(ring);
    watch_if_busy(ring);
}

static void run_submit(struct rv_task *task)
{
    submit(rv_container_of(task, struct rv_uring, submit_task));
}

static void fire_retry(struct rv_timer *timer)
{
    submit(rv_container_of(timer, struct rv_uring, retry_timer));
}

static void reap(struct rv_uring *ring)
{
    struct io_uring_cqe *cqe;
    struct rv_uring_job *job;
    int64_t result;

    while (io_uring_peek_cqe(&ring->rings, &cqe) == 0) {
        job = io_uring_cqe_get_data(cqe);
        result = cqe->res;
        io_uring_cqe_seen(&ring->rings, cqe);
        if (job) /* a cancellation has none */
            complete(job, result);
    }
}

static void event_came(struct rv_watch *watch, unsigned events, void *arg)
{
    struct rv_uring *ring = arg;
    eventfd_t count;

    (void)watch, (void)events;
    if (!is_ours(ring)) /* the parent's */
        return;
    eventfd_read(ring->event_fd, &count);
    reap(ring);
    if (!rv_list_empty(&ring->waiting))
        rv_ready_push(ring->runtime, &ring->submit_task);
    watch_if_busy(ring);
}

static const int opcodes[RV_FILE_CALL_KINDS] = {
    [RV_FILE_CALL_RESOLVE] = IORING_OP_OPENAT2, [RV_FILE_CALL_CREATE] = IORING_OP_OPENAT,
    [RV_FILE_CALL_READ] = IORING_OP_READ,       [RV_FILE_CALL_WRITE] = IORING_OP_WRITE,
    [RV_FILE_CALL_SYNC] = IORING_OP_FSYNC,      [RV_FILE_CALL_RENAME] = IORING_OP_RENAMEAT,
    [RV_FILE_CALL_UNLINK] = IORING_OP_UNLINKAT, [RV_FILE_CALL_MKDIR] = IORING_OP_MKDIRAT,
};

/* What the kernel has of the calls; reads and cancelling at the least. */
static bool probe(struct rv_uring *ring)
{
    struct io_uring_probe *found;
    bool enough;
    size_t i;

    if (!(ring->rings.features & IORING_FEAT_SUBMIT_STABLE))
        return false;
    found = io_uring_get_probe_ring(&ring->rings);
    if (!found)
        return false;
    for (i = 0; i < RV_FILE_CALL_KINDS; i++)
        ring->can[i] = io_uring_opcode_supported(found, opcodes[i]);
    enough =
        ring->can[RV_FILE_CALL_READ] && io_uring_opcode_supported(found, IORING_OP_ASYNC_CANCEL);
    io_uring_free_probe(found);
    return enough;
}

/* 0, REEVE_EUNSUPPORTED or REEVE_ENOMEM. */
static int open_ring(struct rv_uring *ring)
{
    if (!probe(ring))
        return REEVE_EUNSUPPORTED;
    ring->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ring->event_fd < 0)
        return REEVE_EUNSUPPORTED;
    if (io_uring_register_eventfd(&ring->rings, ring->event_fd) != 0)
        return REEVE_EUNSUPPORTED;
    return rv_watch_new(ring->runtime, ring->event_fd, event_came, ring, &ring->watch);
}

static void close_ring(struct rv_uring *ring)
{
    rv_watch_free(ring->watch);
    if (ring->event_fd >= 0)
        close(ring->event_fd);
    io_uring_queue_exit(&ring->rings);
    rv_free(ring->mem, ring);
}

int rv_uring_new(struct reeve_runtime *runtime, struct rv_uring **ret_ring)
{
    struct rv_uring *ring = rv_zalloc(rv_runtime_mem(runtime), sizeof *ring);
    int error;

    if (!ring)
        return REEVE_ENOMEM;
    ring->runtime = runtime;
    ring->mem = rv_runtime_mem(runtime);
    ring->pid = getpid();
    ring->event_fd = -1;
    rv_list_init(&ring->waiting);
    rv_list_init(&ring->in_flight);
    rv_task_init(&ring->submit_task, run_submit);
    rv_timer_init(&ring->retry_timer, fire_retry);
    if (io_uring_queue_init(RV_URING_MAX_IN_FLIGHT, &ring->rings, 0) != 0) {
        rv_free(ring->mem, ring);
        return REEVE_EUNSUPPORTED;
    }
    error = open_ring(ring);
    if (error) {
        close_ring(ring);
        return error;
    }
    *ret_ring = ring;
    return 0;
}

/* A dropped fsync uses nothing of ours; all else writes to memory, reads it or opens something. */
static bool must_wait(const struct rv_uring *ring)
{
    struct rv_list *node;

    rv_list_for_each (node, &ring->in_flight) {
        if (rv_list_entry(node, struct rv_uring_job, node)->call.kind != RV_FILE_CALL_SYNC)
            return true;
    }
    return false;
}

/* False if the kernel does not let us wait: what it may write to is kept for good then. */
static bool wait_for_all(struct rv_uring *ring)
{
    int result;

    while (must_wait(ring)) {
        result = io_uring_submit_and_wait(&ring->rings, 1);
        reap(ring);
        if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY)
            return false;
    }
    return true;
}

void rv_uring_free(struct rv_uring *ring)
{
    if (!ring)
        return;
    if (is_ours(ring))
        flush(ring);
    if (wait_for_all(ring)) {
        while (!rv_list_empty(&ring->in_flight))
            complete(rv_list_entry(ring->in_flight.next, struct rv_uring_job, node), -ECANCELED);
    }
    rv_timer_stop(ring->runtime, &ring->retry_timer);
    rv_ready_remove(&ring->submit_task);
    close_ring(ring);
}

bool rv_uring_can(struct rv_uring *ring, enum rv_file_call_kind kind)
{
    return ring->can[kind] && is_ours(ring);
}

int rv_uring_start(struct rv_uring *ring, const struct rv_file_call *call, struct rv_task *task,
                   struct rv_uring_job **ret_job)
{
    bool moves = call->kind == RV_FILE_CALL_READ || call->kind == RV_FILE_CALL_WRITE;
    struct rv_uring_job *job = rv_alloc(ring->mem, sizeof *job + (moves ? call->len : 0));

    if (!job)
        return REEVE_ENOMEM;
    memset(job, 0, sizeof *job);
    job->ring = ring;
    job->task = task;
    job->call = *call;
    job->how = rv_file_call_how(call);
    job->undo_fd = -1;
    if (call->kind == RV_FILE_CALL_WRITE)
        memcpy(job->bytes, call->from, call->len);
    rv_list_append(&ring->waiting, &job->node);
    rv_ready_push(ring->runtime, &ring->submit_task);
    *ret_job = job;
    return 0;
}

int64_t rv_uring_take(struct rv_uring_job *job)
{
    int64_t result = job->result;

    if (job->call.kind == RV_FILE_CALL_READ && result > 0)
        memcpy(job->call.bytes, job->bytes, (size_t)result);
    job_free(job);
    return result;
}

static void cancel(struct rv_uring_job *job)
{
    struct rv_uring *ring = job->ring;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->rings);

    if (!sqe) {
        flush(ring);
        sqe = io_uring_get_sqe(&ring->rings);
    }
    if (!sqe)
        return; /* then it runs to its end */
    io_uring_prep_cancel(sqe, job, 0);
    io_uring_sqe_set_data(sqe, NULL);
    rv_ready_push(ring->runtime, &ring->submit_task);
}

/* Its name and folder are the caller's, and go now. */
static void keep_for_undo(struct rv_uring_job *job)
{
    size_t len = strlen(job->call.path);

    if (!(job->call.flags & O_EXCL) || len >= sizeof job->undo_name)
        return;
    job->undo_fd = fcntl(job->call.fd, F_DUPFD_CLOEXEC, 0);
    memcpy(job->undo_name, job->call.path, len + 1);
}

void rv_uring_drop(struct rv_uring_job *job)
{
    is_ours(job->ring); /* in the child of a fork it has completed now */
    job->task = NULL;
    if (job->call.kind == RV_FILE_CALL_CREATE)
        keep_for_undo(job);
    if (job->flying)
        cancel(job);
    else
        complete(job, job->completed ? job->result : -ECANCELED);
}

size_t rv_uring_in_flight(const struct rv_uring *ring)
{
    return ring->in_flight_count;
}

#else /* built without liburing */

int rv_uring_new(struct reeve_runtime *runtime, struct rv_uring **ret_ring)
{
    (void)runtime, (void)ret_ring;
    return REEVE_EUNSUPPORTED;
}

void rv_uring_free(struct rv_uring *ring)
{
    (void)ring;
}

bool rv_uring_can(struct rv_uring *ring, enum rv_file_call_kind kind)
{
    (void)ring, (void)kind;
    return false;
}

int rv_uring_start(struct rv_uring *ring, const struct rv_file_call *call, struct rv_task *task,
                   struct rv_uring_job **ret_job)
{
    (void)ring, (void)call, (void)task, (void)ret_job;
    return REEVE_EUNSUPPORTED;
}

int64_t rv_uring_take(struct rv_uring_job *job)
{
    (void)job;
    return REEVE_EUNSUPPORTED;
}

void rv_uring_drop(struct rv_uring_job *job)
{
    (void)job;
}

size_t rv_uring_in_flight(const struct rv_uring *ring)
{
    (void)ring;
    return 0;
}

#endif
