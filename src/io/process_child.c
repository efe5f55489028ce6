/* SPDX-License-Identifier: MIT */
/*
 * A child, below the seam: its pipes, its pidfd, signals to its group, its reaping.
 *
 * Everything that can fail is done before the child runs. After that only a pidfd can be missing
 * (too many open files, a sandbox): the child is looked after by a timer then.
 *
 * The exit is only peeked at (WNOWAIT). As long as nobody reaps the child its number, which is also
 * its group's, is taken. A host that does reap it leaves us the pidfd, by which newer kernels
 * signal the group; without that the group is left alone, because the number may be another's by
 * now.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/process_spawn.h"
#include "io/process_system.h"
#include "loop/runtime.h"
#include "loop/watch.h"

enum {
    SCRATCH_BYTES = 64 * 1024,
    LAST_READS = 16,
    POLL_MS = 10,
    DEATH_MS = 100,
    SAFE_FD = 3, /* below it are the numbers that the child's own get */
    PIDFD_TYPE = 3,
    PIDFD_GROUP = 1 << 2,
};

struct child {
    struct rv_process *process;
    char *scratch; /* the hub's */
    pid_t pid;
    int pidfd; /* -1: polled for */
    struct rv_watch *exit_watch;
    struct rv_timer poll_timer;
    bool exited;
    int folder_fd;
    int folder_errno;
    int input_fd;
    struct rv_watch *input_watch;
    struct {
        int fd;
        struct rv_watch *watch;
    } output[RV_PROCESS_STREAMS];
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void free_watch(struct rv_watch **watch)
{
    rv_watch_free(*watch);
    *watch = NULL;
}

/* ---- exit, signals, reaping -------------------------------------------------------------------
 */

/* The C library's waitid tells no usage. */
static int wait_by(int type, int id, int options, siginfo_t *info, struct rusage *usage)
{
    long rc;

    memset(info, 0, sizeof *info);
    do
        rc = syscall(SYS_waitid, type, id, info, options | WEXITED | WNOHANG, usage);
    while (rc < 0 && errno == EINTR);
    return (int)rc;
}

/* Linux 5.3 has the descriptor and can't wait for it. */
static int wait_for(const struct child *child, int options, siginfo_t *info, struct rusage *usage)
{
    int rc;

    if (child->pidfd >= 0) {
        rc = wait_by(PIDFD_TYPE, child->pidfd, options, info, usage);
        if (!rc || errno != EINVAL)
            return rc;
    }
    return wait_by(P_PID, child->pid, options, info, usage);
}

/* Whether it has exited; one that is not ours to wait for any more has, too. */
static bool has_exited(const struct child *child)
{
    siginfo_t info;

    return wait_for(child, WNOWAIT, &info, NULL) < 0 || info.si_pid;
}

static void look_after(struct child *child)
{
    if (!has_exited(child))
        return;
    child->exited = true;
    free_watch(&child->exit_watch);
    free_watch(&child->input_watch);
    close_fd(&child->input_fd);
    rv_process_exited(child->process);
}

static void on_exit_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    look_after(arg);
}

static void poll_again(struct rv_timer *timer)
{
    struct child *child = rv_container_of(timer, struct child, poll_timer);

    rv_timer_start_ms(child->process->runtime, timer, POLL_MS);
    look_after(child);
    if (child->exited)
        rv_timer_stop(child->process->runtime, timer);
}

static void watch_exit(struct child *child)
{
    struct reeve_runtime *runtime = child->process->runtime;

    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pidfd >= 0 &&
        !rv_watch_new(runtime, child->pidfd, on_exit_ready, child, &child->exit_watch) &&
        !rv_watch_set(child->exit_watch, RV_WATCH_READ))
        return;
    free_watch(&child->exit_watch);
    rv_timer_start_ms(runtime, &child->poll_timer, POLL_MS);
}

static bool is_ours(const struct child *child)
{
    siginfo_t info;

    return wait_for(child, WNOWAIT, &info, NULL) == 0;
}

void rv_child_signal(struct rv_process *process, int signal)
{
    struct child *child = process->child;

    if (child->pidfd >= 0 &&
        (!syscall(SYS_pidfd_send_signal, child->pidfd, signal, NULL, PIDFD_GROUP) ||
         errno == ESRCH))
        return;
    if (is_ours(child))
        kill(-child->pid, signal);
}

static uint64_t us_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void fill_result(struct rv_process_result *result, const siginfo_t *info,
                        const struct rusage *usage)
{
    if (info->si_code == CLD_EXITED) {
        result->end = RV_PROCESS_EXITED;
        result->exit_code = info->si_status;
    } else {
        result->end = RV_PROCESS_SIGNALED;
        result->signal = info->si_status;
    }
    result->usage_known = true;
    result->user_us = us_of(usage->ru_utime);
    result->system_us = us_of(usage->ru_stime);
    result->max_rss_bytes = (uint64_t)usage->ru_maxrss * 1024;
}

static void release(struct child *child)
{
    rv_timer_stop(child->process->runtime, &child->poll_timer);
    free_watch(&child->exit_watch);
    free_watch(&child->input_watch);
    close_fd(&child->input_fd);
    for (int i = 0; i < RV_PROCESS_STREAMS; i++) {
        free_watch(&child->output[i].watch);
        close_fd(&child->output[i].fd);
    }
    close_fd(&child->pidfd);
}

void rv_child_reap(struct rv_process *process)
{
    struct child *child = process->child;
    struct rusage usage;
    siginfo_t info;

    if (!wait_for(child, 0, &info, &usage) && info.si_pid)
        fill_result(&process->result, &info, &usage);
    release(child);
}

void rv_child_end_now(struct rv_process *process)
{
    struct child *child = process->child;
    struct pollfd death = {.fd = child->pidfd, .events = POLLIN};

    rv_child_signal(process, SIGKILL);
    if (child->pidfd >= 0)
        poll(&death, 1, DEATH_MS);
    for (int i = 0; i < DEATH_MS && child->pidfd < 0 && !has_exited(child); i++)
        poll(NULL, 0, 1);
    rv_child_reap(process);
}

/* ---- pipes ------------------------------------------------------------------------------------
 */

static void end_stream(struct child *child, enum rv_process_stream stream)
{
    free_watch(&child->output[stream].watch);
    close_fd(&child->output[stream].fd);
    rv_process_output_ended(child->process, stream);
}

/* Returns whether there may be more to read now. */
static bool read_some(struct child *child, enum rv_process_stream stream)
{
    size_t room = rv_process_room(child->process, stream);
    ssize_t len;

    if (!room) {
        rv_watch_set(child->output[stream].watch, 0);
        return false;
    }
    len =
        read(child->output[stream].fd, child->scratch, room < SCRATCH_BYTES ? room : SCRATCH_BYTES);
    if (len > 0) {
        rv_process_output_came(child->process, stream, child->scratch, (size_t)len);
        return true;
    }
    if (len == 0 || (errno != EAGAIN && errno != EINTR))
        end_stream(child, stream);
    return false;
}

static void on_stdout_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    read_some(arg, RV_PROCESS_STDOUT);
}

static void on_stderr_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    read_some(arg, RV_PROCESS_STDERR);
}

void rv_child_read_on(struct rv_process *process)
{
    struct child *child = process->child;
    int error;

    for (int i = 0; i < RV_PROCESS_STREAMS; i++) {
        if (!child->output[i].watch || process->pipes[i].held)
            continue;
        error = rv_watch_set(child->output[i].watch, RV_WATCH_READ);
        if (error)
            rv_process_failed(process, error, "its output cannot be watched");
    }
}

void rv_child_close_pipes(struct rv_process *process)
{
    struct child *child = process->child;

    for (int i = 0; i < RV_PROCESS_STREAMS; i++) {
        for (int j = 0; j < LAST_READS && process->pipes[i].open; j++) {
            if (!read_some(child, (enum rv_process_stream)i))
                break;
        }
        if (process->pipes[i].open)
            end_stream(child, (enum rv_process_stream)i);
    }
}

static void end_input(struct child *child)
{
    free_watch(&child->input_watch);
    close_fd(&child->input_fd);
    rv_buffer_done(&child->process->input);
}

/* What the child does not want to read is not an error. */
static void on_input_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    struct child *child = arg;
    struct rv_process *process = child->process;
    size_t sent = process->result.input_bytes;
    ssize_t len = 0;

    (void)watch;
    (void)events;
    if (sent < process->input.len)
        len = send(child->input_fd, process->input.data + sent, process->input.len - sent,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len > 0)
        process->result.input_bytes += (size_t)len;
    if (len < 0 || process->result.input_bytes == process->input.len)
        end_input(child);
}

/* ---- starting ---------------------------------------------------------------------------------
 */

/* A host that runs without a stdin would have these numbers given to its pipes. */
static int lift(int *fd)
{
    int lifted;

    if (*fd >= SAFE_FD)
        return 0;
    lifted = fcntl(*fd, F_DUPFD_CLOEXEC, SAFE_FD);
    if (lifted < 0)
        return -1;
    close(*fd);
    *fd = lifted;
    return 0;
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int open_output(struct child *child, struct rv_spawn *spawn, int stream)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        return -1;
    child->output[stream].fd = ends[0];
    spawn->output_fd[stream] = ends[1];
    return set_nonblocking(ends[0]) || lift(&spawn->output_fd[stream]) ? -1 : 0;
}

static int open_input(struct child *child, struct rv_spawn *spawn)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    child->input_fd = ends[0];
    spawn->input_fd = ends[1];
    return shutdown(ends[0], SHUT_RD) || lift(&spawn->input_fd) ? -1 : 0;
}

static int open_pipes(struct child *child, struct rv_spawn *spawn)
{
    const struct rv_process *process = child->process;

    if (open_output(child, spawn, RV_PROCESS_STDOUT))
        return -1;
    if (process->options.merge_stderr)
        spawn->output_fd[RV_PROCESS_STDERR] = spawn->output_fd[RV_PROCESS_STDOUT];
    else if (open_output(child, spawn, RV_PROCESS_STDERR))
        return -1;
    return process->has_input ? open_input(child, spawn) : 0;
}

static int watch_pipes(struct child *child)
{
    struct reeve_runtime *runtime = child->process->runtime;
    int error = 0;

    for (int i = 0; i < RV_PROCESS_STREAMS && !error; i++) {
        if (child->output[i].fd < 0)
            continue;
        error = rv_watch_new(runtime, child->output[i].fd, i ? on_stderr_ready : on_stdout_ready,
                             child, &child->output[i].watch);
        if (!error)
            error = rv_watch_set(child->output[i].watch, RV_WATCH_READ);
    }
    if (error || child->input_fd < 0)
        return error;
    error = rv_watch_new(runtime, child->input_fd, on_input_ready, child, &child->input_watch);
    return error ? error : rv_watch_set(child->input_watch, RV_WATCH_WRITE);
}

static int open_folder(struct child *child)
{
    struct rv_process *process = child->process;
    int fd;

    if (child->folder_errno)
        return rv_spawn_problem(process, child->folder_errno, "its working folder");
    if (!process->folder)
        return 0;
    fd = openat(child->folder_fd >= 0 ? child->folder_fd : AT_FDCWD, process->folder,
                O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || lift(&fd)) {
        int errno_value = errno;

        close_fd(&fd);
        return rv_spawn_problem(process, errno_value, process->folder);
    }
    close_fd(&child->folder_fd);
    child->folder_fd = fd;
    return 0;
}

static void free_scratch(struct rv_process_hub *hub)
{
    rv_free(rv_runtime_mem(hub->runtime), hub->world);
}

static int take_scratch(struct child *child)
{
    struct rv_process *process = child->process;
    struct rv_process_hub *hub;

    if (rv_process_hub_get(process->runtime, &hub))
        return REEVE_ENOMEM;
    if (!hub->world) {
        hub->world = rv_alloc(process->mem, SCRATCH_BYTES);
        hub->world_free = free_scratch;
    }
    child->scratch = hub->world;
    return child->scratch ? 0 : REEVE_ENOMEM;
}

static void close_child_ends(struct rv_spawn *spawn)
{
    if (spawn->output_fd[RV_PROCESS_STDERR] == spawn->output_fd[RV_PROCESS_STDOUT])
        spawn->output_fd[RV_PROCESS_STDERR] = -1;
    close_fd(&spawn->output_fd[RV_PROCESS_STDOUT]);
    close_fd(&spawn->output_fd[RV_PROCESS_STDERR]);
    close_fd(&spawn->input_fd);
}

static int start(struct child *child, struct rv_spawn *spawn)
{
    struct rv_process *process = child->process;
    int error = open_folder(child);

    if (error)
        return error;
    spawn->folder_fd = child->folder_fd;
    if (open_pipes(child, spawn))
        return rv_spawn_problem(process, errno, "its pipes");
    error = watch_pipes(child);
    return error ? error : rv_spawn(process, spawn, &child->pid);
}

int rv_child_start(struct rv_process *process)
{
    struct child *child = process->child;
    struct rv_spawn spawn = {.folder_fd = -1, .input_fd = -1, .output_fd = {-1, -1}};
    int error = take_scratch(child);

    if (!error)
        error = start(child, &spawn);
    close_child_ends(&spawn);
    close_fd(&child->folder_fd);
    if (error) {
        release(child);
        return error;
    }
    watch_exit(child);
    process->pipes[RV_PROCESS_STDOUT].open = true;
    process->pipes[RV_PROCESS_STDERR].open = !process->options.merge_stderr;
    return 0;
}

int rv_child_prepare(struct rv_process *process)
{
    struct child *child = rv_zalloc(process->mem, sizeof *child);
    const int *folder_fd = process->options.folder_fd;

    if (!child)
        return REEVE_ENOMEM;
    child->process = process;
    child->pidfd = child->input_fd = child->folder_fd = -1;
    for (int i = 0; i < RV_PROCESS_STREAMS; i++)
        child->output[i].fd = -1;
    rv_timer_init(&child->poll_timer, poll_again);
    if (folder_fd) {
        child->folder_fd = fcntl(*folder_fd, F_DUPFD_CLOEXEC, SAFE_FD);
        child->folder_errno = child->folder_fd < 0 ? errno : 0;
    }
    process->child = child;
    return 0;
}

void rv_child_discard(struct rv_process *process)
{
    struct child *child = process->child;

    if (!child)
        return;
    release(child);
    close_fd(&child->folder_fd);
    rv_free(process->mem, child);
    process->child = NULL;
}
