/* SPDX-License-Identifier: MIT */
/* Scripted children. See process.h. */
#include "tests/sim/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/process_system.h"
#include "loop/runtime.h"
#include "tests/sim/fate.h"

enum { MAX_FATE_PIECE = 24, MAX_FATE_WAIT_MS = 3 };

enum step_kind { STEP_WAIT, STEP_WRITE, STEP_CLOSE, STEP_EXIT, STEP_DIE, STEP_HANG };

struct step {
    struct rv_list node;
    enum step_kind kind;
    uint64_t ms;
    enum rv_process_stream stream;
    int value;
    char *text;
    size_t len;
};

struct script {
    struct rv_list node;
    char *program;
    rv_sim_process_writer write;
    void *arg;
};

struct world {
    struct rv_list scripts;
    size_t piece_bytes;
    struct rv_sim_process_count count;
    char signals[128];
};

struct rv_sim_child {
    struct rv_process *process;
    struct world *world;
    struct rv_list steps;
    struct rv_task task;
    struct rv_timer timer;
    size_t sent; /* of the present step */
    bool running;
    bool ignores_term;
    bool loses_status;
    bool exit_first;
    bool leaves_behind;
    bool left_group;
    uint64_t behind_ms;
    int start_error;
    int start_errno;

    int killer; /* a signal that is on its way */
    bool exited;
    bool told;
    bool behind_over;
    enum rv_process_end end;
    int value;
};

static void *must(void *block)
{
    if (!block)
        abort();
    return block;
}

static void free_world(struct rv_process_hub *hub)
{
    struct world *world = hub->world;
    struct rv_list *node;

    while ((node = rv_list_shift(&world->scripts))) {
        struct script *script = rv_list_entry(node, struct script, node);

        free(script->program);
        free(script);
    }
    free(world);
}

static struct world *world_of(struct reeve_runtime *runtime)
{
    struct rv_process_hub *hub;

    if (rv_process_hub_get(runtime, &hub))
        return NULL;
    if (!hub->world) {
        struct world *world = must(calloc(1, sizeof *world));

        rv_list_init(&world->scripts);
        hub->world = world;
        hub->world_free = free_world;
    }
    return hub->world;
}

int rv_sim_process_on(struct reeve_runtime *runtime, const char *program,
                      rv_sim_process_writer write, void *arg)
{
    struct world *world = world_of(runtime);
    struct script *script;

    if (!world)
        return REEVE_ENOMEM;
    script = must(calloc(1, sizeof *script));
    script->program = program ? must(strdup(program)) : NULL;
    script->write = write;
    script->arg = arg;
    rv_list_append(&world->scripts, &script->node);
    return 0;
}

void rv_sim_process_split(struct reeve_runtime *runtime, size_t piece_bytes)
{
    ((struct world *)must(world_of(runtime)))->piece_bytes = piece_bytes;
}

struct rv_sim_process_count rv_sim_process_counted(struct reeve_runtime *runtime)
{
    return ((struct world *)must(world_of(runtime)))->count;
}

const char *rv_sim_process_signals(struct reeve_runtime *runtime)
{
    return ((struct world *)must(world_of(runtime)))->signals;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static struct step *add_step(struct rv_sim_child *x, enum step_kind kind)
{
    struct step *step = must(calloc(1, sizeof *step));

    step->kind = kind;
    rv_list_append(&x->steps, &step->node);
    return step;
}

static void step_free(struct step *step)
{
    rv_list_remove(&step->node);
    free(step->text);
    free(step);
}

void rv_sim_child_cannot_start(struct rv_sim_child *x, int error, int os_errno)
{
    x->start_error = error;
    x->start_errno = os_errno;
}

void rv_sim_child_ignore_term(struct rv_sim_child *x)
{
    x->ignores_term = true;
}

void rv_sim_child_lose_status(struct rv_sim_child *x)
{
    x->loses_status = true;
}

void rv_sim_child_exit_first(struct rv_sim_child *x)
{
    x->exit_first = true;
}

void rv_sim_child_leave_behind(struct rv_sim_child *x, uint64_t ms, bool left_group)
{
    x->leaves_behind = true;
    x->behind_ms = ms;
    x->left_group = left_group;
}

void rv_sim_child_wait(struct rv_sim_child *x, uint64_t ms)
{
    add_step(x, STEP_WAIT)->ms = ms;
}

void rv_sim_child_write(struct rv_sim_child *x, enum rv_process_stream stream, const char *text)
{
    struct step *step = add_step(x, STEP_WRITE);

    step->stream = stream;
    step->text = must(strdup(text));
    step->len = strlen(text);
}

void rv_sim_child_close(struct rv_sim_child *x, enum rv_process_stream stream)
{
    add_step(x, STEP_CLOSE)->stream = stream;
}

void rv_sim_child_exit(struct rv_sim_child *x, int code)
{
    add_step(x, STEP_EXIT)->value = code;
}

void rv_sim_child_die(struct rv_sim_child *x, int signal)
{
    add_step(x, STEP_DIE)->value = signal;
}

void rv_sim_child_hang(struct rv_sim_child *x)
{
    add_step(x, STEP_HANG);
}

const char *rv_sim_child_argument(const struct rv_sim_child *x, size_t index)
{
    return x->process->argv[index];
}

const char *rv_sim_child_variable(const struct rv_sim_child *x, const char *name)
{
    size_t len = strlen(name);

    for (char **at = x->process->environment; *at; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    }
    return NULL;
}

const char *rv_sim_child_input(const struct rv_sim_child *x)
{
    return x->process->has_input ? rv_buffer_text(&x->process->input) : NULL;
}

/* ---- playing ----------------------------------------------------------------------------------
 */

static void next_turn(struct rv_sim_child *x)
{
    rv_ready_push(x->process->runtime, &x->task);
}

static void end_pipe(struct rv_sim_child *x, enum rv_process_stream stream)
{
    if (x->process->pipes[stream].open)
        rv_process_output_ended(x->process, stream);
}

static void end_pipes(struct rv_sim_child *x)
{
    end_pipe(x, RV_PROCESS_STDOUT);
    end_pipe(x, RV_PROCESS_STDERR);
}

static void exit_now(struct rv_sim_child *x, enum rv_process_end end, int value)
{
    struct rv_list *node, *after;

    rv_timer_stop(x->process->runtime, &x->timer);
    rv_list_for_each_safe (node, after, &x->steps)
        step_free(rv_list_entry(node, struct step, node));
    x->exited = true;
    x->end = end;
    x->value = value;
    if (!x->exit_first && !x->leaves_behind)
        end_pipes(x);
    next_turn(x);
}

/* After the exit: it is told, then what was left behind ends. */
static void play_afterlife(struct rv_sim_child *x)
{
    if (!x->told) {
        x->told = true;
        if (x->leaves_behind && x->behind_ms != UINT64_MAX)
            rv_timer_start_ms(x->process->runtime, &x->timer, x->behind_ms);
        if (!x->leaves_behind)
            next_turn(x);
        rv_process_exited(x->process);
        return;
    }
    if (x->killer == SIGKILL && !x->left_group)
        x->behind_over = true;
    if (!x->leaves_behind || x->behind_over)
        end_pipes(x);
}

/* A seed has children take their time between two pieces. */
static void next_piece(struct rv_sim_child *x)
{
    uint64_t wait_ms = rv_fate_random() % (MAX_FATE_WAIT_MS + 1);

    if (wait_ms)
        rv_timer_start_ms(x->process->runtime, &x->timer, wait_ms);
    else
        next_turn(x);
}

static void step_over(struct rv_sim_child *x, struct step *step)
{
    step_free(step);
    x->sent = 0;
    next_turn(x);
}

static void play_write(struct rv_sim_child *x, struct step *step)
{
    size_t len = step->len - x->sent;
    size_t room = len ? rv_process_room(x->process, step->stream) : 0;
    size_t luck = rv_fate()->seed ? 1 + (size_t)(rv_fate_random() % MAX_FATE_PIECE) : SIZE_MAX;

    if (!len) {
        step_over(x, step);
        return;
    }
    if (x->world->piece_bytes && len > x->world->piece_bytes)
        len = x->world->piece_bytes;
    len = len < luck ? len : luck;
    len = len < room ? len : room;
    if (!len)
        return; /* until rv_child_read_on */
    x->sent += len;
    rv_process_output_came(x->process, step->stream, step->text + x->sent - len, len);
    next_piece(x); /* behind what hands this piece on */
}

static void play_step(struct rv_sim_child *x, struct step *step)
{
    switch (step->kind) {
    case STEP_WAIT:
        rv_timer_start_ms(x->process->runtime, &x->timer, step->ms);
        step_free(step);
        break;
    case STEP_WRITE:
        play_write(x, step);
        break;
    case STEP_CLOSE:
        end_pipe(x, step->stream);
        step_over(x, step);
        break;
    case STEP_EXIT:
        exit_now(x, RV_PROCESS_EXITED, step->value);
        break;
    case STEP_DIE:
        exit_now(x, RV_PROCESS_SIGNALED, step->value);
        break;
    case STEP_HANG:
        break;
    }
}

static void play(struct rv_sim_child *x)
{
    if (x->exited)
        play_afterlife(x);
    else if (x->killer)
        exit_now(x, RV_PROCESS_SIGNALED, x->killer);
    else if (rv_list_empty(&x->steps))
        exit_now(x, RV_PROCESS_EXITED, 0);
    else
        play_step(x, rv_list_entry(x->steps.next, struct step, node));
}

static void on_turn(struct rv_task *task)
{
    play(rv_container_of(task, struct rv_sim_child, task));
}

static void on_time(struct rv_timer *timer)
{
    struct rv_sim_child *x = rv_container_of(timer, struct rv_sim_child, timer);

    x->behind_over = x->exited;
    play(x);
}

/* ---- below the seam ---------------------------------------------------------------------------
 */

int rv_child_prepare(struct rv_process *process)
{
    struct rv_sim_child *x = rv_zalloc(process->mem, sizeof *x);

    if (!x)
        return REEVE_ENOMEM;
    x->process = process;
    rv_list_init(&x->steps);
    rv_task_init(&x->task, on_turn);
    rv_timer_init(&x->timer, on_time);
    process->child = x;
    return 0;
}

static void stop(struct rv_sim_child *x)
{
    struct rv_list *node, *after;

    rv_ready_remove(&x->task);
    rv_timer_stop(x->process->runtime, &x->timer);
    rv_list_for_each_safe (node, after, &x->steps)
        step_free(rv_list_entry(node, struct step, node));
    if (x->running)
        x->world->count.running--;
    x->running = false;
}

void rv_child_discard(struct rv_process *process)
{
    if (!process->child)
        return;
    stop(process->child);
    rv_free(process->mem, process->child);
    process->child = NULL;
}

static struct script *find_script(struct world *world, const char *program)
{
    for (struct rv_list *node = world->scripts.prev; node != &world->scripts; node = node->prev) {
        struct script *script = rv_list_entry(node, struct script, node);

        if (!script->program || strcmp(script->program, program) == 0)
            return script;
    }
    return NULL;
}

int rv_child_start(struct rv_process *process)
{
    struct rv_sim_child *x = process->child;
    struct script *script;

    x->world = must(world_of(process->runtime));
    script = find_script(x->world, process->argv[0]);
    if (!script)
        return REEVE_ENOTFOUND;
    script->write(x, script->arg);
    if (x->start_error) {
        process->os_errno = x->start_errno;
        return x->start_error;
    }
    x->running = true;
    x->world->count.started++;
    if (++x->world->count.running > x->world->count.peak)
        x->world->count.peak = x->world->count.running;
    x->world->signals[0] = '\0';
    process->pipes[RV_PROCESS_STDOUT].open = true;
    process->pipes[RV_PROCESS_STDERR].open = !process->options.merge_stderr;
    next_turn(x);
    return 0;
}

void rv_child_read_on(struct rv_process *process)
{
    struct rv_sim_child *x = process->child;

    if (!x->exited && !x->timer.armed)
        next_turn(x);
}

static const char *name_of(int signal)
{
    return signal == SIGKILL ? "KILL " : signal == SIGTERM ? "TERM " : "CONT ";
}

void rv_child_signal(struct rv_process *process, int signal)
{
    struct rv_sim_child *x = process->child;
    size_t len = strlen(x->world->signals);

    snprintf(x->world->signals + len, sizeof x->world->signals - len, "%s", name_of(signal));
    if (signal == SIGCONT || (signal == SIGTERM && (x->ignores_term || x->exited)))
        return;
    x->killer = signal;
    next_turn(x);
}

void rv_child_close_pipes(struct rv_process *process)
{
    end_pipes(process->child);
}

void rv_child_reap(struct rv_process *process)
{
    struct rv_sim_child *x = process->child;
    struct rv_process_result *result = &process->result;

    if (!x->loses_status) {
        result->end = x->end;
        result->exit_code = x->end == RV_PROCESS_EXITED ? x->value : 0;
        result->signal = x->end == RV_PROCESS_SIGNALED ? x->value : 0;
        result->usage_known = true;
    }
    stop(x);
}

void rv_child_end_now(struct rv_process *process)
{
    struct rv_sim_child *x = process->child;

    if (!x->exited) {
        x->end = RV_PROCESS_SIGNALED;
        x->value = SIGKILL;
    }
    rv_child_reap(process);
}
