/* SPDX-License-Identifier: MIT */
/*
 * The life of a child process, above the system (io/process_system.h).
 *
 *   QUEUED ─► RUNNING ─► GONE ─► ENDED ─► on_done, away
 *
 * Happy path: a permit of the runtime is granted, the child is started, its output comes in pieces,
 * its pipes end and it exits, in either order; it is reaped, and what has arrived is handed on.
 *
 * QUEUED ends early by cancel, and when the child cannot be started. Cancel, the time limit and the
 * output limit do not leave RUNNING: they tell the group to end (SIGTERM, after the grace SIGKILL),
 * and the exit comes as it always does. In GONE, pipes that stay open for PATIENCE_MS have the
 * group killed; those that are open LINGER_MS later are held by something that left the group, and
 * are closed here. The group is signalled in RUNNING and GONE only, since reaping frees its number.
 *
 * Back pressure: more than MAX_ARRIVED_BYTES of a stream are left in its pipe, where the child
 * waits for room. While the owner pauses, an open pipe is nobody's fault, and closing it rests.
 */
#include "io/process.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "io/process_system.h"
#include "loop/runtime.h"

enum {
    MAX_ARRIVED_BYTES = 64 * 1024,
    MAX_VECTOR_BYTES = 8 * 1024 * 1024,
    MAX_INPUT_BYTES = 64 * 1024 * 1024,
    MAX_RUNNING = 16,
    PATIENCE_MS = 250,
    LINGER_MS = 100,
};

/* ---- once a runtime ---------------------------------------------------------------------------
 */

static void hub_free(void *value)
{
    struct rv_process_hub *hub = value;

    if (hub->world_free)
        hub->world_free(hub);
    rv_free(rv_runtime_mem(hub->runtime), hub);
}

int rv_process_hub_get(struct reeve_runtime *runtime, struct rv_process_hub **ret_hub)
{
    struct rv_process_hub *hub = rv_runtime_slot(runtime, RV_SLOT_PROCESS);

    if (!hub) {
        hub = rv_zalloc(rv_runtime_mem(runtime), sizeof *hub);
        if (!hub)
            return REEVE_ENOMEM;
        hub->runtime = runtime;
        rv_semaphore_init(&hub->permits, runtime, MAX_RUNNING);
        rv_runtime_slot_set(runtime, RV_SLOT_PROCESS, hub, hub_free);
    }
    *ret_hub = hub;
    return 0;
}

int rv_process_set_max(struct reeve_runtime *runtime, uint32_t max)
{
    struct rv_process_hub *hub;

    if (!max)
        return REEVE_EINVAL;
    if (rv_process_hub_get(runtime, &hub))
        return REEVE_ENOMEM;
    if (hub->used)
        return REEVE_EBUSY;
    rv_semaphore_init(&hub->permits, runtime, max);
    return 0;
}

/* ---- ending -----------------------------------------------------------------------------------
 */

static const char *name_of(const struct rv_process *process)
{
    return process->argv[0];
}

/* The first reason counts. */
static bool blame(struct rv_process *process, int error)
{
    if (process->error)
        return false;
    process->error = error;
    return true;
}

static void settle(struct rv_process *process)
{
    process->state = RV_PROCESS_ENDED;
    rv_timer_stop(process->runtime, &process->wall_timer);
    rv_timer_stop(process->runtime, &process->end_timer);
    rv_permit_release(&process->permit);
    rv_ready_push(process->runtime, &process->task);
}

static void reap_if_done(struct rv_process *process)
{
    if (process->state != RV_PROCESS_GONE || process->pipes[RV_PROCESS_STDOUT].open ||
        process->pipes[RV_PROCESS_STDERR].open)
        return;
    /* What was told to end does not outlive the answer. */
    if (process->ending && !process->killed)
        rv_child_signal(process, SIGKILL);
    rv_child_reap(process);
    settle(process);
}

/* A stopped child acts on SIGTERM when it is continued. */
static void end_child(struct rv_process *process)
{
    if (process->ending)
        return;
    process->ending = true;
    if (!process->options.grace_ms) {
        rv_child_signal(process, SIGKILL);
        return;
    }
    rv_child_signal(process, SIGTERM);
    rv_child_signal(process, SIGCONT);
    if (process->state == RV_PROCESS_RUNNING)
        rv_timer_start_ms(process->runtime, &process->end_timer, process->options.grace_ms);
}

static void stop_delivery(struct rv_process *process)
{
    process->discarding = true;
    process->dropping = true;
    for (int i = 0; i < RV_PROCESS_STREAMS; i++)
        process->pipes[i].held = false;
}

/* What a pause or a full buffer holds back would keep the child from ending. */
static void drop_output(struct rv_process *process)
{
    stop_delivery(process);
    if (process->state == RV_PROCESS_RUNNING || process->state == RV_PROCESS_GONE)
        rv_child_read_on(process);
}

static void wall_over(struct rv_timer *timer)
{
    struct rv_process *process = rv_container_of(timer, struct rv_process, wall_timer);

    if (blame(process, REEVE_ETIMEDOUT))
        snprintf(process->problem, sizeof process->problem,
                 "%.200s was ended at its time limit of %u ms", name_of(process),
                 process->options.timeout_ms);
    end_child(process);
    /* An owner that pauses for ever must not keep the child beyond its time. */
    if (process->paused)
        drop_output(process);
}

static bool is_held(const struct rv_process *process)
{
    if (process->dropping)
        return false;
    return process->paused || process->pipes[RV_PROCESS_STDOUT].held ||
           process->pipes[RV_PROCESS_STDERR].held;
}

static void patience_over(struct rv_timer *timer)
{
    struct rv_process *process = rv_container_of(timer, struct rv_process, end_timer);

    if (process->state == RV_PROCESS_RUNNING) {
        rv_child_signal(process, SIGKILL);
        return;
    }
    if (process->killed && !is_held(process)) {
        rv_child_close_pipes(process);
        return;
    }
    if (!process->killed) {
        process->killed = true;
        process->result.pipe_kept = true;
        rv_child_signal(process, SIGKILL);
    }
    rv_timer_start_ms(process->runtime, timer, LINGER_MS);
}

/* ---- from below -------------------------------------------------------------------------------
 */

size_t rv_process_room(struct rv_process *process, enum rv_process_stream stream)
{
    struct rv_process_pipe *pipe = &process->pipes[stream];

    if (process->discarding)
        return SIZE_MAX;
    if (process->paused || pipe->arrived.len >= MAX_ARRIVED_BYTES) {
        pipe->held = true;
        return 0;
    }
    return MAX_ARRIVED_BYTES - pipe->arrived.len;
}

static void over_limit(struct rv_process *process)
{
    process->discarding = true;
    if (process->options.overflow == RV_PROCESS_OVERFLOW_DROP)
        return;
    if (blame(process, REEVE_ETOOBIG))
        snprintf(process->problem, sizeof process->problem,
                 "%.200s was ended: it wrote more than the %zu bytes that are allowed",
                 name_of(process), process->options.max_output_bytes);
    end_child(process);
}

static size_t keep(struct rv_process *process, enum rv_process_stream stream, const char *bytes,
                   size_t len)
{
    size_t left = process->options.max_output_bytes - process->kept_bytes;
    size_t kept = len < left ? len : left;

    if (kept && rv_buffer_add(&process->pipes[stream].arrived, bytes, kept)) {
        rv_process_failed(process, REEVE_ENOMEM, "no memory for its output");
        return 0;
    }
    process->kept_bytes += kept;
    if (kept < len)
        over_limit(process);
    return kept;
}

void rv_process_output_came(struct rv_process *process, enum rv_process_stream stream,
                            const char *bytes, size_t len)
{
    size_t kept = process->discarding ? 0 : keep(process, stream, bytes, len);

    process->result.output_bytes[stream] += len;
    process->result.dropped_bytes += len - kept;
    if (kept)
        rv_ready_push(process->runtime, &process->task);
}

void rv_process_output_ended(struct rv_process *process, enum rv_process_stream stream)
{
    process->pipes[stream].open = false;
    process->pipes[stream].held = false;
    reap_if_done(process);
}

void rv_process_exited(struct rv_process *process)
{
    process->state = RV_PROCESS_GONE;
    rv_timer_start_ms(process->runtime, &process->end_timer, PATIENCE_MS);
    reap_if_done(process);
}

void rv_process_failed(struct rv_process *process, int error, const char *what)
{
    if (blame(process, error))
        snprintf(process->problem, sizeof process->problem, "%.200s was ended: %s",
                 name_of(process), what);
    stop_delivery(process);
    process->ending = true;
    rv_child_signal(process, SIGKILL);
}

/* ---- to the owner -----------------------------------------------------------------------------
 */

/* Whether all is told, so that on_done may follow. */
static bool tell_output(struct rv_process *process, enum rv_process_stream stream)
{
    struct rv_process_pipe *pipe = &process->pipes[stream];

    if (process->dropping)
        return true;
    if (!pipe->arrived.len)
        return true;
    if (process->paused)
        return false;
    if (process->options.on_output) {
        process->in_callback = true;
        process->options.on_output(process, stream, pipe->arrived.data, pipe->arrived.len,
                                   process->options.arg);
        process->in_callback = false;
    }
    /* Nothing can have arrived in between: below is never entered from a callback, but to drop. */
    rv_buffer_clear(&pipe->arrived);
    return true;
}

static void process_free(struct rv_process *process)
{
    rv_ready_remove(&process->task);
    rv_permit_release(&process->permit);
    rv_timer_stop(process->runtime, &process->wall_timer);
    rv_timer_stop(process->runtime, &process->end_timer);
    rv_child_discard(process);
    rv_free(process->mem, process->argv);
    rv_free(process->mem, process->environment);
    rv_free(process->mem, process->folder);
    rv_buffer_done(&process->input);
    for (int i = 0; i < RV_PROCESS_STREAMS; i++)
        rv_buffer_done(&process->pipes[i].arrived);
    rv_free(process->mem, process);
}

static void finish(struct rv_process *process)
{
    process->finishing = true;
    process->in_callback = true;
    process->options.on_done(process, process->error, process->options.arg);
    process_free(process);
}

static void read_on(struct rv_process *process)
{
    bool wanted = false;

    for (int i = 0; i < RV_PROCESS_STREAMS; i++) {
        struct rv_process_pipe *pipe = &process->pipes[i];

        wanted |= pipe->held && !pipe->arrived.len;
        if (!pipe->arrived.len)
            pipe->held = false;
    }
    if (wanted)
        rv_child_read_on(process);
}

static void hand_on(struct rv_task *task)
{
    struct rv_process *process = rv_container_of(task, struct rv_process, task);
    bool told = tell_output(process, RV_PROCESS_STDOUT);

    told = tell_output(process, RV_PROCESS_STDERR) && told;
    if (process->state == RV_PROCESS_ENDED) {
        if (told)
            finish(process);
        return;
    }
    if (!process->paused)
        read_on(process);
}

/* ---- the interface ----------------------------------------------------------------------------
 */

void rv_process_cancel(struct rv_process *process)
{
    if (process->canceled || process->finishing)
        return;
    process->canceled = true;
    process->error = REEVE_ECANCELED;
    snprintf(process->problem, sizeof process->problem, "%.200s was cancelled", name_of(process));
    if (process->state == RV_PROCESS_RUNNING || process->state == RV_PROCESS_GONE) {
        end_child(process);
        drop_output(process);
        return;
    }
    stop_delivery(process);
    settle(process);
}

void rv_process_abort(struct rv_process *process)
{
    assert(!process->in_callback);
    process->canceled = true;
    process->error = REEVE_ECANCELED;
    snprintf(process->problem, sizeof process->problem, "%.200s was cancelled", name_of(process));
    if (process->state == RV_PROCESS_RUNNING || process->state == RV_PROCESS_GONE)
        rv_child_end_now(process);
    settle(process);
    finish(process);
}

void rv_process_pause(struct rv_process *process)
{
    process->paused = true;
}

void rv_process_resume(struct rv_process *process)
{
    if (!process->paused)
        return;
    process->paused = false;
    if (!process->finishing)
        rv_ready_push(process->runtime, &process->task);
}

const struct rv_process_result *rv_process_result(const struct rv_process *process)
{
    return &process->result;
}

const char *rv_process_problem(const struct rv_process *process)
{
    return process->problem[0] ? process->problem : reeve_error_text(process->error);
}

int rv_process_os_errno(const struct rv_process *process)
{
    return process->os_errno;
}

/* ---- starting ---------------------------------------------------------------------------------
 */

static void start_child(struct rv_permit *permit)
{
    struct rv_process *process = rv_container_of(permit, struct rv_process, permit);
    int error = rv_child_start(process);

    if (error) {
        process->error = error;
        settle(process);
        return;
    }
    process->result.started = true;
    process->state = RV_PROCESS_RUNNING;
    if (process->options.timeout_ms)
        rv_timer_start_ms(process->runtime, &process->wall_timer, process->options.timeout_ms);
}

/* One block: the pointers, NULL at the end, and the texts behind them. */
static int copy_vector(struct rv_mem *mem, const char *const *from, char ***ret_copy)
{
    size_t count = 0, bytes = 0, len;
    char **copy, *at;

    for (; from && from[count]; count++) {
        len = strlen(from[count]) + 1 + sizeof *copy;
        if (len > MAX_VECTOR_BYTES - bytes)
            return REEVE_ETOOBIG;
        bytes += len;
    }
    copy = rv_alloc(mem, bytes + sizeof *copy);
    if (!copy)
        return REEVE_ENOMEM;
    at = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        len = strlen(from[i]) + 1;
        copy[i] = memcpy(at, from[i], len);
        at += len;
    }
    copy[count] = NULL;
    *ret_copy = copy;
    return 0;
}

static int copy_options(struct rv_process *process, const struct rv_process_options *options)
{
    int error = copy_vector(process->mem, options->argv, &process->argv);

    if (!error)
        error = copy_vector(process->mem, options->environment, &process->environment);
    if (error)
        return error;
    if (options->folder) {
        process->folder = rv_strdup(process->mem, options->folder);
        if (!process->folder)
            return REEVE_ENOMEM;
    }
    process->has_input = options->input != NULL;
    if (options->input)
        error = rv_buffer_add(&process->input, options->input, options->input_len);
    return error ? error : rv_child_prepare(process);
}

static struct rv_process *process_new(struct reeve_runtime *runtime,
                                      const struct rv_process_options *options)
{
    struct rv_mem *mem = rv_runtime_mem(runtime);
    struct rv_process *process = rv_zalloc(mem, sizeof *process);

    if (!process)
        return NULL;
    process->runtime = runtime;
    process->mem = mem;
    process->options = *options;
    rv_permit_init(&process->permit, start_child);
    rv_task_init(&process->task, hand_on);
    rv_timer_init(&process->wall_timer, wall_over);
    rv_timer_init(&process->end_timer, patience_over);
    rv_buffer_init(&process->input, mem, MAX_INPUT_BYTES);
    for (int i = 0; i < RV_PROCESS_STREAMS; i++)
        rv_buffer_init(&process->pipes[i].arrived, mem, MAX_ARRIVED_BYTES);
    return process;
}

static bool is_valid(const struct rv_process_options *options)
{
    const char *const *variable = options->environment;

    if (!options->argv || !options->argv[0] || !options->argv[0][0])
        return false;
    if (!options->max_output_bytes || !options->on_done)
        return false;
    for (; variable && *variable; variable++) {
        if (**variable == '=' || !strchr(*variable, '='))
            return false;
    }
    return true;
}

int rv_process_start(struct reeve_runtime *runtime, const struct rv_process_options *options,
                     struct rv_process **ret_process)
{
    struct rv_process_hub *hub;
    struct rv_process *process;
    int error;

    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    if (!is_valid(options))
        return REEVE_EINVAL;
    if (rv_process_hub_get(runtime, &hub))
        return REEVE_ENOMEM;
    process = process_new(runtime, options);
    if (!process)
        return REEVE_ENOMEM;
    error = copy_options(process, options);
    if (error) {
        process_free(process);
        return error;
    }
    hub->used = true;
    rv_permit_acquire(&hub->permits, &process->permit);
    *ret_process = process;
    return 0;
}
