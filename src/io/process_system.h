/* SPDX-License-Identifier: MIT */
/*
 * The seam of io/process: the life of a process (queue, states, limits, delivery, cancel) is in
 * process.c and the same in every world; below stand the kernel (process_child.c) or a script.
 *
 *   process.c                         below
 *   rv_child_prepare ──────────────►  at submission: keeps what may be gone when it is started
 *   rv_child_start   ──────────────►  0: it runs
 *                    ◄──────────────  rv_process_room, rv_process_output_came   … per stream
 *                    ◄──────────────  rv_process_output_ended                   once per stream
 *                    ◄──────────────  rv_process_exited          once; it is a zombie until
 *   rv_child_reap    ──────────────►  the status, and nothing of it is left
 *
 * The calls upwards never lead to a callback of the owner: that is for the ready queue.
 */
#ifndef RV_IO_PROCESS_SYSTEM_H
#define RV_IO_PROCESS_SYSTEM_H

#include "base/buffer.h"
#include "flow/semaphore.h"
#include "io/process.h"
#include "loop/ready.h"
#include "loop/timer.h"

enum rv_process_state {
    RV_PROCESS_QUEUED,
    RV_PROCESS_RUNNING,
    RV_PROCESS_GONE,  /* the child has exited and is not yet reaped */
    RV_PROCESS_ENDED, /* nothing more comes from below; on_done is due */
};

struct rv_process_pipe {
    struct rv_buffer arrived; /* not yet handed on */
    bool open;
    bool held; /* rv_process_room said 0 */
};

struct rv_process {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct rv_permit permit;
    struct rv_task task; /* hands on what has come */
    struct rv_timer wall_timer;
    struct rv_timer end_timer; /* the grace while it runs, the patience with its pipes afterwards */
    enum rv_process_state state;

    struct rv_process_options options; /* its pointers are the owner's and dead but for `arg` */
    char **argv;
    char **environment;
    char *folder;
    struct rv_buffer input;
    bool has_input;

    struct rv_process_pipe pipes[RV_PROCESS_STREAMS];
    size_t kept_bytes;
    bool paused;
    bool canceled;
    bool discarding; /* what comes from now on is counted only */
    bool dropping;   /* nor is what has arrived handed on */
    bool ending;     /* the group was told to end */
    bool killed;     /* SIGKILL was sent since the exit */
    bool in_callback;
    bool finishing;

    int error;
    int os_errno;
    char problem[512];
    struct rv_process_result result;

    void *child; /* of below */
};

/* What exists once a runtime. */
struct rv_process_hub {
    struct reeve_runtime *runtime;
    struct rv_semaphore permits;
    bool used;
    void *world; /* of below, if it wants one */
    void (*world_free)(struct rv_process_hub *hub);
};

/* 0 or REEVE_ENOMEM. */
int rv_process_hub_get(struct reeve_runtime *runtime, struct rv_process_hub **ret_hub);

/* Downwards. */

/* 0 or REEVE_ENOMEM. Anything else that is wrong is kept for rv_child_start to say. */
int rv_child_prepare(struct rv_process *process);
/* Undoes it, before a start, after one that failed, or after the reaping. */
void rv_child_discard(struct rv_process *process);
/* Opens the pipes of process->pipes. An error is described in process->problem and os_errno. */
int rv_child_start(struct rv_process *process);
/* There is room again: go on reading. May make calls upwards before it returns. */
void rv_child_read_on(struct rv_process *process);
/* To the whole group. */
void rv_child_signal(struct rv_process *process, int signal);
/* Read what is in the pipes, without waiting, and close them: each open one is ended. */
void rv_child_close_pipes(struct rv_process *process);
/* After rv_process_exited: fill the result in. */
void rv_child_reap(struct rv_process *process);
/* SIGKILL to the group, and then all is released, with the status if it comes in time. */
void rv_child_end_now(struct rv_process *process);

/* Upwards. */

/* How much of this stream is taken now; 0: none, ask again after rv_child_read_on. */
size_t rv_process_room(struct rv_process *process, enum rv_process_stream stream);
void rv_process_output_came(struct rv_process *process, enum rv_process_stream stream,
                            const char *bytes, size_t len);
void rv_process_output_ended(struct rv_process *process, enum rv_process_stream stream);
void rv_process_exited(struct rv_process *process);
/* The world below cannot go on with this child (no memory, no watch): it is killed. */
void rv_process_failed(struct rv_process *process, int error, const char *what);

#endif
