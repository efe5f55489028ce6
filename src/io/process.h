/* SPDX-License-Identifier: MIT */
/*
 * Child processes. A child has a process group of its own, the environment that its caller gives
 * and no other, every signal at its default and none blocked, and of the host's descriptors none.
 * Its stdin is /dev/null or bytes from the caller, its stdout and stderr are pipes. The bytes come
 * over a socket, because writing to a pipe could raise the host's SIGPIPE: a child can't open
 * /dev/stdin anew, and bash takes such a stdin for a remote login and reads ~/.bashrc if HOME is
 * set.
 *
 * It is done when it has exited and its pipes are at their end, in either order. If something that
 * it started keeps a pipe open, the whole group is killed 250 ms after the exit, before the child
 * is reaped, so that the group's number cannot have become somebody else's. What left the group
 * (setsid) survives that: our end of the pipe is closed 100 ms later.
 *
 * The host's handlers of SIGCHLD and SIGPIPE are left alone. A host that ignores SIGCHLD, or reaps
 * children that are not its own, takes the status with it: the end is RV_PROCESS_UNKNOWN then.
 *
 * Starting waits, by posix_spawn, until the child has executed its program: a few hundred
 * microseconds in which the loop stands still, the short exception to "never blocks".
 *
 * Limits other than time and output are set by /bin/sh (`ulimit …; exec "$@"`): argv[0] is then the
 * path that was found. A program that is there but can't be executed (a wrong format) is an error
 * without such limits, and exit code 126 with them.
 */
#ifndef RV_IO_PROCESS_H
#define RV_IO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve/error.h>
#include <reeve/runtime.h>

struct rv_process;

enum rv_process_stream {
    RV_PROCESS_STDOUT,
    RV_PROCESS_STDERR,
    RV_PROCESS_STREAMS,
};

/* What becomes of output beyond max_output_bytes: in either case it is read and counted. */
enum rv_process_overflow {
    RV_PROCESS_OVERFLOW_END,  /* the child is ended, with REEVE_ETOOBIG */
    RV_PROCESS_OVERFLOW_DROP, /* the child goes on */
};

/* 0: what the host has. What is above the host's own hard limit becomes that. */
struct rv_process_limits {
    uint64_t cpu_s;
    uint64_t memory_bytes; /* address space */
    uint64_t file_bytes;   /* of each file that it writes */
    uint64_t open_files;
    uint64_t processes; /* of the user, as the kernel counts them */
};

struct rv_process_options {
    /* NULL at the end. argv[0] with a slash is a path, from the working folder on; without one it
     * is looked for in the PATH of `environment`, else in /usr/local/bin:/usr/bin:/bin. */
    const char *const *argv;
    const char *const *environment; /* "NAME=value", NULL at the end; NULL: empty */
    const int *folder_fd;           /* the working folder; NULL: the host's. Copied. */
    const char *folder;             /* the same by path, from folder_fd on; may be NULL */
    const void *input;              /* NULL: /dev/null. Copied. */
    size_t input_len;
    bool merge_stderr; /* into stdout's pipe: one stream in the order of writing */
    struct rv_process_limits limits;
    size_t max_output_bytes; /* of both streams together, as delivered; required */
    enum rv_process_overflow overflow;
    uint32_t timeout_ms; /* from the start of the child on, not of waiting for it; 0: none */
    uint32_t grace_ms;   /* from SIGTERM to SIGKILL, at cancel and limits; 0: SIGKILL at once */

    /* All from the loop. A callback may cancel the process. */
    void (*on_output)(struct rv_process *process, enum rv_process_stream stream, const char *bytes,
                      size_t len, void *arg);
    /*
     * Exactly once, last, when the child is gone: 0 when it ended by itself, whatever its exit code
     * or signal. REEVE_ECANCELED, REEVE_ETIMEDOUT (timeout_ms) or REEVE_ETOOBIG
     * (max_output_bytes) when it was ended for that. When it never ran: REEVE_ENOTFOUND,
     * REEVE_EACCESS, REEVE_ENOTDIR, REEVE_ETOOBIG (argv and environment), REEVE_ENOMEM or
     * REEVE_ESYSTEM. The process may be read inside and is gone afterwards.
     */
    void (*on_done)(struct rv_process *process, int error, void *arg);
    void *arg;
};

enum rv_process_end {
    RV_PROCESS_UNKNOWN, /* it never ran, or the host took the status */
    RV_PROCESS_EXITED,
    RV_PROCESS_SIGNALED,
};

struct rv_process_result {
    enum rv_process_end end;
    bool started;
    int exit_code;
    int signal;
    bool pipe_kept; /* something kept a pipe open beyond the exit, and was killed for it */
    uint64_t output_bytes[RV_PROCESS_STREAMS]; /* read, dropped ones included */
    uint64_t dropped_bytes;
    size_t input_bytes; /* of the input, what the child's socket took */
    bool usage_known;   /* the rest, which is of the child and what it waited for */
    uint64_t user_us;
    uint64_t system_us;
    uint64_t max_rss_bytes;
};

/*
 * At most so many children of one runtime run at once [16]; others wait in the order of starting.
 * 0; REEVE_EINVAL (0); REEVE_EBUSY: after the first start; REEVE_ENOMEM.
 */
int rv_process_set_max(struct reeve_runtime *runtime, uint32_t max);

/* 0; REEVE_EINVAL (no program, a variable without a name, no max_output_bytes, no on_done);
 * REEVE_ETOOBIG (argv, environment: 8 MiB each; input: 64 MiB); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_process_start(struct reeve_runtime *runtime, const struct rv_process_options *options,
                     struct rv_process **ret_process);

/*
 * No more output comes after this call. The group gets SIGTERM, after grace_ms SIGKILL; on_done
 * comes when the child is gone, with REEVE_ECANCELED. What is left of the group then is killed.
 */
void rv_process_cancel(struct rv_process *process);

/*
 * End it now: SIGKILL, and on_done(REEVE_ECANCELED) runs before this returns. For aborting what is
 * pending on a runtime that goes; not from inside one of this process's own callbacks. So that no
 * zombie stays, this waits for the kernel to finish killing, 100 ms at most.
 */
void rv_process_abort(struct rv_process *process);

/* Stop and restart on_output. What has arrived waits in a bounded buffer; then the child does. */
void rv_process_pause(struct rv_process *process);
void rv_process_resume(struct rv_process *process);

/* In on_done. */
const struct rv_process_result *rv_process_result(const struct rv_process *process);
/* One sentence for people: what, where, and the limit if one was hit. Never NULL. */
const char *rv_process_problem(const struct rv_process *process);
/* Why it could not be started; 0: it was, or no system call is to blame. */
int rv_process_os_errno(const struct rv_process *process);

#endif
