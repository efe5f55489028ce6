/* SPDX-License-Identifier: MIT */
/*
 * A million links on a small stack, while a 10 ms timer and a socket of the host's go on. Each link
 * takes some 100 ns, so that the whole takes many times 10 ms.
 */
#include "flow/chain.h"
#include "flow/semaphore.h"
#include "loop/clock.h"
#include "tests/integration/loop.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINKS 1000000
#define STACK_BYTES (256 * 1024)

static struct event *tick_event;
static struct event *ping_event;
static int sockets[2];
static unsigned ticks;
static unsigned pings;
static uint64_t start_ns;
static unsigned links_run;

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    ticks++;
}

/* A byte goes round: read at one end, written at the other. */
static void on_ping(evutil_socket_t fd, short what, void *arg)
{
    char byte;

    (void)what;
    (void)arg;
    cr_assert_eq(read(fd, &byte, 1), 1);
    cr_assert_eq(write(sockets[1], "x", 1), 1);
    pings++;
}

static void start_host(void)
{
    const struct timeval ten_ms = {.tv_usec = 10000};

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    cr_assert_eq(write(sockets[1], "x", 1), 1);
    tick_event = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    ping_event = event_new(base, sockets[0], EV_READ | EV_PERSIST, on_ping, NULL);
    cr_assert_eq(event_add(tick_event, &ten_ms), 0);
    cr_assert_eq(event_add(ping_event, NULL), 0);
    start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static long stack_kb(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kb = -1;

    cr_assert_not_null(status);
    while (fgets(line, sizeof line, status))
        sscanf(line, "VmStk: %ld", &kb);
    fclose(status);
    return kb;
}

/* By the time that this thread had, since the machine has other work too. Without yielding nothing
 * at all would move. */
static void stop_host(const char *what)
{
    double ms = (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) / 1e6;

    fprintf(stderr, "%s: %u links in %.0f ms: %u ticks of 10 ms, %u round trips\n", what, links_run,
            ms, ticks, pings);
    event_free(tick_event);
    event_free(ping_event);
    close(sockets[0]);
    close(sockets[1]);
    cr_assert_eq(links_run, LINKS);
    cr_assert_leq(stack_kb(), STACK_BYTES / 1024);
    cr_assert_gt(ms, 60, "too fast to show anything");
    cr_assert_gt(ticks, ms / 10 / 2);
    cr_assert_gt(pings, ms);
}

static void link_done(void)
{
    uint64_t until_ns = rv_precise_now_ns(runtime) + 60;

    while (clock_ns(CLOCK_MONOTONIC) < until_ns)
        ;
    if (++links_run == LINKS) {
        event_del(tick_event);
        event_del(ping_event);
    }
}

/* It holds for growing only, so the stack must not have grown already. */
static void limit_stack(void)
{
    struct rlimit limit;

    cr_assert_leq(stack_kb(), STACK_BYTES / 1024);

    cr_assert_eq(getrlimit(RLIMIT_STACK, &limit), 0);
    limit.rlim_cur = STACK_BYTES;
    cr_assert_eq(setrlimit(RLIMIT_STACK, &limit), 0);
}

static int descend(int depth);
static int (*volatile deeper)(int depth) = descend; /* so that no compiler makes a loop of it */

static __attribute__((noinline, no_sanitize("address", "undefined"))) int descend(int depth)
{
    volatile char frame[1024];

    frame[depth % 1024] = (char)depth;
    return depth ? deeper(depth - 1) + frame[depth % 1024] : 0;
}

/* The control: under this limit a megabyte of frames is fatal. */
RV_TEST(stack, is_small)
{
    pid_t child = fork();
    int status;

    cr_assert_geq(child, 0);
    if (!child) {
        signal(SIGSEGV, SIG_DFL);
        limit_stack();
        _exit(descend(1024) == 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %x", (unsigned)status);
}

static void next_task(struct rv_task *task)
{
    link_done();
    if (links_run < LINKS)
        rv_ready_push(runtime, task);
}

RV_LOOP_TEST(million, tasks_that_push_tasks, .timeout = 60)
{
    struct rv_task task;

    limit_stack();
    rv_task_init(&task, next_task);
    start_host();
    rv_ready_push(runtime, &task);
    cr_assert_eq(event_base_dispatch(base), 1);
    stop_host("tasks");
}

static void run_step(struct rv_step *step)
{
    link_done();
    rv_step_finish(step);
}

RV_LOOP_TEST(million, steps_of_a_chain, .timeout = 60)
{
    struct rv_chain_edge *edges = rv_alloc_array(t->mem, LINKS, sizeof *edges);
    struct rv_step *steps = rv_alloc_array(t->mem, LINKS, sizeof *steps);
    size_t i;

    cr_assert(steps && edges);
    limit_stack();
    for (i = 0; i < LINKS; i++) {
        rv_step_init(&steps[i], runtime, run_step);
        if (i)
            rv_step_put_after(&steps[i], &steps[i - 1], &edges[i]);
    }
    start_host();
    for (i = 0; i < LINKS; i++)
        rv_step_start(&steps[i]);
    cr_assert_eq(event_base_dispatch(base), 1);
    stop_host("chain");
    rv_free(t->mem, edges);
    rv_free(t->mem, steps);
}

static void use_permit(struct rv_permit *permit)
{
    link_done();
    rv_permit_release(permit);
}

RV_LOOP_TEST(million, waiters_for_one_permit, .timeout = 60)
{
    struct rv_permit *permits = rv_alloc_array(t->mem, LINKS, sizeof *permits);
    struct rv_semaphore semaphore;
    size_t i;

    cr_assert_not_null(permits);
    limit_stack();
    rv_semaphore_init(&semaphore, runtime, 1);
    start_host();
    for (i = 0; i < LINKS; i++) {
        rv_permit_init(&permits[i], use_permit);
        rv_permit_acquire(&semaphore, &permits[i]);
    }
    cr_assert_eq(event_base_dispatch(base), 1);
    stop_host("semaphore");
    cr_assert_eq(semaphore.held, 0);
    rv_free(t->mem, permits);
}
