/* SPDX-License-Identifier: MIT */
#include "tests/integration/process-world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};

double process_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int process_world_open(struct rv_test *t, struct process_world **ret_world)
{
    struct process_world *world = calloc(1, sizeof *world);
    struct reeve_runtime_options options;
    int error;

    cr_assert_not_null(world);
    world->t = t;
    world->base = event_base_new();
    cr_assert_not_null(world->base);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(world->base, &options, &world->runtime);
    if (error) {
        event_base_free(world->base);
        free(world);
        return error;
    }
    *ret_world = world;
    return 0;
}

void process_world_close(struct process_world *world)
{
    int events;

    cr_assert_eq(world->outstanding, 0, "%zu children have not ended", world->outstanding);
    reeve_runtime_free(world->runtime);
    events = event_base_get_num_events(world->base, EVENT_BASE_COUNT_ADDED);
    cr_assert_eq(events, 0, "%d events are left", events);
    event_base_free(world->base);
    free(world);
}

void process_set_up(struct rv_test *t)
{
    struct process_world *world;

    cr_assert_eq(process_world_open(t, &world), 0);
    t->data = world;
}

void process_tear_down(struct rv_test *t)
{
    process_world_close(t->data);
}

void process_turn(struct process_world *world)
{
    event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    poll(NULL, 0, 1);
}

static void on_output(struct rv_process *process, enum rv_process_stream stream, const char *bytes,
                      size_t len, void *arg)
{
    struct child *child = arg;
    size_t had = child->received[stream];
    size_t room = had < sizeof child->text[stream] - 1 ? sizeof child->text[stream] - 1 - had : 0;

    cr_assert_eq(child->dones, 0);
    cr_assert_gt(len, 0);
    if (room)
        memcpy(child->text[stream] + had, bytes, len < room ? len : room);
    child->received[stream] += len;
    child->outputs++;
    if (child->pause_at_output)
        rv_process_pause(process);
    if (child->cancel_at_output)
        rv_process_cancel(process);
}

static void on_done(struct rv_process *process, int error, void *arg)
{
    struct child *child = arg;

    cr_assert_eq(child->dones++, 0);
    child->world->outstanding--;
    child->error = error;
    child->os_errno = rv_process_os_errno(process);
    child->result = *rv_process_result(process);
    snprintf(child->problem, sizeof child->problem, "%s", rv_process_problem(process));
}

struct child *child_new(struct process_world *world, const char *script)
{
    struct child *child = calloc(1, sizeof *child);

    cr_assert_not_null(child);
    child->world = world;
    child->argv[0] = "/bin/sh";
    child->argv[1] = "-c";
    child->argv[2] = script;
    child->options.argv = child->argv;
    child->options.environment = environment;
    child->options.max_output_bytes = 1 << 20;
    child->options.on_output = on_output;
    child->options.on_done = on_done;
    child->options.arg = child;
    return child;
}

void child_start(struct child *child)
{
    cr_assert_eq(rv_process_start(child->world->runtime, &child->options, &child->process), 0);
    child->world->outstanding++;
    cr_assert_eq(child->dones, 0);
}

void child_run(struct child *child)
{
    child_start(child);
    cr_assert_eq(event_base_dispatch(child->world->base), 1);
    cr_assert_eq(child->dones, 1);
}

struct child *child_ran(struct process_world *world, const char *script)
{
    struct child *child = child_new(world, script);

    child_run(child);
    return child;
}

void child_free(struct child *child)
{
    free(child);
}
