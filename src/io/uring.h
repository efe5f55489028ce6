/* SPDX-License-Identifier: MIT */
/*
 * System calls on files through io_uring: one ring for each runtime. The kernel makes every call in
 * a thread of its own (IOSQE_ASYNC), so that handing one over never waits for a disk. The ring's
 * eventfd is watched only while calls are in flight.
 *
 * What the kernel writes to or reads from is the ring's own memory until the call has completed,
 * whatever becomes of who asked.
 */
#ifndef RV_IO_URING_H
#define RV_IO_URING_H

#include <stdbool.h>
#include <stddef.h>

#include "io/file_call.h"
#include "loop/ready.h"

struct rv_uring;
struct rv_uring_job;

/* In flight at a time; what is more waits here. */
#define RV_URING_MAX_IN_FLIGHT 64

/* 0; REEVE_EUNSUPPORTED (not built in, forbidden, or the kernel is too old), REEVE_ENOMEM. */
int rv_uring_new(struct reeve_runtime *runtime, struct rv_uring **ret_ring);

/* All jobs have been taken or dropped. What is dropped and still under way is cancelled, and waited
 * for where the kernel uses its memory or would open a descriptor. NULL is allowed. */
void rv_uring_free(struct rv_uring *ring);

/* Whether the kernel has this call. False for good in the child of a fork. */
bool rv_uring_can(struct rv_uring *ring, enum rv_file_call_kind kind);

/*
 * Hand a call over. Its paths must live until the job is taken or dropped. `task` is pushed to the
 * ready queue when it has completed. 0, REEVE_ENOMEM.
 */
int rv_uring_start(struct rv_uring *ring, const struct rv_file_call *call, struct rv_task *task,
                   struct rv_uring_job **ret_job);

/* The result, once: in the task. What was read is copied to the call's bytes now. */
int64_t rv_uring_take(struct rv_uring_job *job);

/*
 * Nothing of it is wanted any more: the task is not pushed (but may stand in the queue already). A
 * descriptor that it opens is closed, and a file that it creates is removed again.
 */
void rv_uring_drop(struct rv_uring_job *job);

/* Calls that are with the kernel, dropped ones included: for tests. */
size_t rv_uring_in_flight(const struct rv_uring *ring);

#endif
