/* SPDX-License-Identifier: MIT */
/* The runtime as a guest on a host's loop: what it leaves pending, what it needs, what it touches.
 */
#include "loop/clock.h"
#include "loop/ready.h"
#include "loop/runtime.h"
#include "loop/timer.h"
#include "loop/watch.h"
#include "tests/integration/faults.h"
#include "tests/integration/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <reeve/error.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int tasks_run;
static int timers_fired;

static void count_task(struct rv_task *task)
{
    (void)task;
    tasks_run++;
}

static void count_timer(struct rv_timer *timer)
{
    (void)timer;
    timers_fired++;
}

static void expect_idle(void)
{
    uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

    cr_assert_eq(events_on_base(), 0);
    cr_assert_eq(event_base_dispatch(base), 1, "1 says that there was nothing to wait for");
    cr_assert_lt(ms_since(start_ns), 1000);
}

RV_LOOP_TEST(idle, at_birth)
{
    expect_idle();
}

RV_LOOP_TEST(idle, after_a_task_and_a_timer)
{
    struct rv_timer timer;
    struct rv_task task;

    rv_task_init(&task, count_task);
    rv_timer_init(&timer, count_timer);
    rv_ready_push(runtime, &task);
    rv_timer_start_ms(runtime, &timer, 5);
    cr_assert_eq(event_base_dispatch(base), 1);
    cr_assert_eq(tasks_run, 1);
    cr_assert_eq(timers_fired, 1);
    expect_idle();

    rv_timer_start_ms(runtime, &timer, 60000);
    cr_assert_eq(events_on_base(), 1);
    rv_timer_stop(runtime, &timer);
    expect_idle();
}

RV_LOOP_TEST(idle, after_a_hold)
{
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert_eq(events_on_base(), 1);
    reeve_runtime_release(runtime);
    expect_idle();
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_release(runtime);
    expect_idle();
}

static int sockets[2];
static char record[32];

static void read_byte(struct rv_watch *watch, unsigned events, void *arg)
{
    char byte;

    (void)arg;
    cr_assert_eq(events, RV_WATCH_READ);
    cr_assert_eq(read(rv_watch_fd(watch), &byte, 1), 1);
    strncat(record, &byte, 1);
    if (byte == 'z')
        cr_assert_eq(rv_watch_set(watch, 0), 0);
}

RV_LOOP_TEST(watch, is_called_while_there_is_something)
{
    struct rv_watch *watch;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    cr_assert_eq(rv_watch_new(runtime, sockets[0], read_byte, NULL, &watch), 0);
    cr_assert_eq(events_on_base(), 0, "watches nothing at first");
    cr_assert_eq(write(sockets[1], "xyz", 3), 3);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ), 0);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_str_eq(record, "xyz");
    rv_watch_free(watch);
    rv_watch_free(NULL);
    expect_idle();
    close(sockets[0]);
    close(sockets[1]);
}

static void note_events(struct rv_watch *watch, unsigned events, void *arg)
{
    strcat(record, events == RV_WATCH_READ ? "r" : events == RV_WATCH_WRITE ? "w" : "?");
    if (strlen(record) == 2)
        cr_assert_eq(rv_watch_set(watch, *(unsigned *)arg), 0);
    if (strlen(record) == 4)
        rv_watch_free(watch);
}

RV_LOOP_TEST(watch, changes_what_it_watches_and_frees_itself)
{
    unsigned then = RV_WATCH_WRITE;
    struct rv_watch *watch;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    cr_assert_eq(rv_watch_new(runtime, sockets[0], note_events, &then, &watch), 0);
    cr_assert_eq(write(sockets[1], "x", 1), 1);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ | RV_WATCH_WRITE), 0);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert(!strcmp(record, "rwww") || !strcmp(record, "wrww"), "%s", record);
    expect_idle();
    close(sockets[0]);
    close(sockets[1]);
}

static struct rv_watch *both[2];

/* The other one is ready in the same pass, and is gone when its turn comes. */
static void free_both(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    (void)arg;
    strcat(record, "f");
    rv_watch_free(both[0]);
    rv_watch_free(both[1]);
}

RV_LOOP_TEST(watch, may_be_freed_by_another_that_is_ready_too)
{
    int i;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    for (i = 0; i < 2; i++) {
        cr_assert_eq(rv_watch_new(runtime, sockets[i], free_both, NULL, &both[i]), 0);
        cr_assert_eq(rv_watch_set(both[i], RV_WATCH_WRITE), 0);
    }
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_str_eq(record, "f");
    close(sockets[0]);
    close(sockets[1]);
}

RV_LOOP_TEST(watch, of_a_regular_file_is_refused)
{
    char name[] = "/tmp/reeve-test-XXXXXX";
    struct rv_watch *watch;
    int fd = mkstemp(name);

    cr_assert_geq(fd, 0);
    silence_libevent();
    cr_assert_eq(rv_watch_new(runtime, fd, read_byte, NULL, &watch), 0);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ), REEVE_ESYSTEM);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_WRITE | RV_WATCH_READ), REEVE_ESYSTEM);
    cr_assert_eq(events_on_base(), 0, "a refused watch is half set");
    rv_watch_free(watch);
    close(fd);
    unlink(name);
}

/* The kernel takes the first of two, or only what was watched before: all stays as it was. */
RV_LOOP_TEST(watch, that_is_refused_stays_as_it_was)
{
    struct rv_watch *watch;

    silence_libevent();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    cr_assert_eq(rv_watch_new(runtime, sockets[0], read_byte, NULL, &watch), 0);
    fail_epoll(ENOSPC, 1);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ | RV_WATCH_WRITE), REEVE_ESYSTEM);
    cr_assert_eq(events_on_base(), 0);
    fail_epoll(ENOMEM, 1);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ), 0);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_WRITE), REEVE_ENOMEM);
    fail_epoll(0, 0);
    cr_assert_eq(write(sockets[1], "xz", 2), 2);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_str_eq(record, "xz");
    rv_watch_free(watch);
    close(sockets[0]);
    close(sockets[1]);
}

RV_LOOP_TEST(runtimes, may_share_a_base)
{
    struct reeve_runtime *second;
    struct rv_timer timers[2];
    struct rv_task tasks[2];
    int i;

    cr_assert_eq(make_runtime(t, base, &second), 0);
    for (i = 0; i < 2; i++) {
        rv_task_init(&tasks[i], count_task);
        rv_timer_init(&timers[i], count_timer);
        rv_ready_push(i ? second : runtime, &tasks[i]);
        rv_timer_start_ms(i ? second : runtime, &timers[i], 5);
    }
    cr_assert_eq(event_base_dispatch(base), 1);
    cr_assert_eq(tasks_run, 2);
    cr_assert_eq(timers_fired, 2);

    rv_timer_start_ms(runtime, &timers[0], 5);
    reeve_runtime_free(second);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(timers_fired, 3);
}

static struct reeve_runtime *other;

static void push_to_other(struct rv_task *task)
{
    rv_task_init(task, count_task);
    rv_ready_push(other, task);
}

RV_LOOP_TEST(runtimes, may_call_each_other)
{
    struct rv_task task;

    cr_assert_eq(make_runtime(t, base, &other), 0);
    rv_task_init(&task, push_to_other);
    rv_ready_push(runtime, &task);
    cr_assert_eq(event_base_dispatch(base), 1);
    cr_assert_eq(tasks_run, 1);
    reeve_runtime_free(other);
}

RV_TEST(runtimes, may_own_their_base)
{
    struct reeve_runtime *made;
    struct rv_timer timer;

    cr_assert_eq(make_runtime(t, NULL, &made), 0);
    cr_assert_not_null(reeve_runtime_event_base(made));
    rv_timer_init(&timer, count_timer);
    rv_timer_start_ms(made, &timer, 1);
    cr_assert_eq(reeve_runtime_run(made), 0);
    cr_assert_eq(timers_fired, 1);
    cr_assert_eq(reeve_runtime_run(made), 0);
    reeve_runtime_free(made);
}

RV_TEST(runtimes, work_on_a_base_with_priorities)
{
    struct rv_timer timer;
    struct rv_task task;

    base = event_base_new();
    cr_assert_eq(event_base_priority_init(base, 3), 0);
    cr_assert_eq(make_runtime(t, base, &runtime), 0);
    rv_task_init(&task, count_task);
    rv_timer_init(&timer, count_timer);
    rv_ready_push(runtime, &task);
    rv_timer_start_ms(runtime, &timer, 1);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(tasks_run + timers_fired, 2);
    tear_down(t);
}

struct operation {
    struct rv_pending pending;
    struct rv_timer timer;
    struct rv_task task;
};

static void abort_operation(struct rv_pending *pending)
{
    struct operation *operation = rv_container_of(pending, struct operation, pending);

    rv_timer_stop(runtime, &operation->timer);
    rv_ready_remove(&operation->task);
    rv_pending_remove(runtime, pending);
}

/* tear_down looks at the base afterwards. */
RV_LOOP_TEST(end, with_wake_up_alarm_and_hold_leaves_no_event)
{
    static struct operation operation;

    rv_task_init(&operation.task, count_task);
    rv_timer_init(&operation.timer, count_timer);
    rv_pending_add(runtime, &operation.pending, abort_operation);
    rv_ready_push(runtime, &operation.task);
    rv_timer_start_ms(runtime, &operation.timer, 60000);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert_eq(events_on_base(), 3);
}

/* Nonblocking, as libevent's debug mode wants it. */
static void work_a_little(void)
{
    struct rv_watch *watch;
    struct rv_timer timer;
    struct rv_task task;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    cr_assert_eq(write(sockets[1], "z", 1), 1);
    cr_assert_eq(rv_watch_new(runtime, sockets[0], read_byte, NULL, &watch), 0);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ), 0);
    rv_task_init(&task, count_task);
    rv_timer_init(&timer, count_timer);
    rv_ready_push(runtime, &task);
    rv_timer_start_ms(runtime, &timer, 2);
    cr_assert_eq(event_base_dispatch(base), 1);
    rv_watch_free(watch);
    close(sockets[0]);
    close(sockets[1]);
}

RV_TEST(host, keeps_its_signals)
{
    struct sigaction before[NSIG], after;
    sigset_t mask_before, mask_after;
    int i;

    for (i = 1; i < NSIG; i++)
        sigaction(i, NULL, &before[i]);
    sigprocmask(SIG_SETMASK, NULL, &mask_before);
    set_up(t);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_release(runtime);
    work_a_little();
    tear_down(t);
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    for (i = 1; i < NSIG; i++) {
        if (sigaction(i, NULL, &after))
            continue;
        cr_assert_eq(after.sa_handler, before[i].sa_handler, "signal %d", i);
        cr_assert_eq(sigismember(&mask_after, i), sigismember(&mask_before, i), "signal %d", i);
    }
}

/* What is opened here must not reach a program that the host starts. */
RV_TEST(host, has_no_descriptor_inherited)
{
    bool open_before[64];
    int found = 0;
    int fd;

    base = event_base_new();
    for (fd = 0; fd < 64; fd++)
        open_before[fd] = fcntl(fd, F_GETFD) >= 0;
    cr_assert_eq(make_runtime(t, base, &runtime), 0);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    for (fd = 0; fd < 64; fd++) {
        if (open_before[fd] || fcntl(fd, F_GETFD) < 0)
            continue;
        found++;
        cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC, "descriptor %d", fd);
    }
    cr_assert_eq(found, 2, "timerfd and eventfd are looked at");
    reeve_runtime_release(runtime);
    tear_down(t);
}

/* libevent's debug mode knows each event that was assigned and not given back. */
RV_TEST(host, may_debug_its_events)
{
    event_enable_debug_mode();
    set_up(t);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_release(runtime);
    work_a_little();
    tear_down(t);
    libevent_global_shutdown();
}

/* Without memory for a zero-timeout timer, the timerfd wakes. */
RV_TEST(host, may_be_out_of_memory_when_a_wake_up_is_wanted)
{
    struct rv_timer timer;
    struct rv_task task;

    count_libevent_memory();
    set_up(t);
    rv_task_init(&task, count_task);
    rv_timer_init(&timer, count_timer);
    fail_libevent_memory(true);
    rv_ready_push(runtime, &task);
    cr_assert_gt(libevent_refusals(), 0, "a host without timers has room for one");
    rv_timer_start_ms(runtime, &timer, 5);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(tasks_run, 1);
    cr_assert_eq(timers_fired, 1);

    rv_ready_push(runtime, &task); /* and taken back */
    rv_ready_remove(&task);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(tasks_run, 1);
    fail_libevent_memory(false);
    tear_down(t);
    cr_assert_eq(libevent_blocks(), 0);
}

static void expect_work(void)
{
    uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
    struct rv_timer timer;
    struct rv_task task;

    tasks_run = timers_fired = 0;
    rv_task_init(&task, count_task);
    rv_timer_init(&timer, count_timer);
    rv_ready_push(runtime, &task);
    rv_timer_start_ms(runtime, &timer, 5);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_geq(ms_since(start_ns), 5);
    cr_assert_eq(tasks_run, 1);
    cr_assert_eq(timers_fired, 1);
}

/* The kernel does not take the timerfd any more: a timer of libevent stands in. */
RV_LOOP_TEST(host, may_have_too_many_watches_for_the_alarm)
{
    silence_libevent();
    fail_epoll(ENOSPC, 0);
    expect_work();
    fail_epoll(0, 0);
    expect_work();
}

/* No timerfd, and no memory for a timer: not fair to the host, but nothing is lost. */
RV_TEST(host, may_be_out_of_everything)
{
    count_libevent_memory();
    fail_timerfd(EPERM);
    set_up(t);
    fail_libevent_memory(true);
    expect_work();
    cr_assert_gt(libevent_refusals(), 1);
    fail_libevent_memory(false);
    expect_work();
    tear_down(t);
}

/* Each of libevent's own allocations fails in turn while a runtime is made and used. */
RV_TEST(host, may_be_out_of_memory_at_any_time)
{
    struct reeve_runtime *made;
    struct rv_watch *watch;
    size_t n, refused;
    int rc;

    silence_libevent();
    count_libevent_memory();
    for (n = 1;; n++) {
        made = NULL;
        fail_libevent_allocation(n);
        rc = make_runtime(t, NULL, &made);
        if (!rc)
            rc = reeve_runtime_hold(made);
        if (!rc) {
            reeve_runtime_release(made);
            cr_assert_eq(rv_watch_new(made, 250, read_byte, NULL, &watch), 0);
            rv_watch_set(watch, RV_WATCH_READ); /* EBADF, or no memory for it */
            rv_watch_free(watch);
        }
        refused = libevent_refusals();
        fail_libevent_allocation(0);
        cr_assert(!rc || (refused && rc == REEVE_ENOMEM), "%s", reeve_error_name(rc));
        reeve_runtime_free(made);
        cr_assert_eq(libevent_blocks(), 0);
        cr_assert_eq(t->failing.live, 1, "the test's own core is one block");
        if (!refused)
            break;
    }
    fprintf(stderr, "%zu allocations of libevent\n", n - 1);
    cr_assert_gt(n, 10);
}

RV_TEST(host, may_be_out_of_descriptors)
{
    struct rlimit before, none;
    struct reeve_runtime *made = NULL;

    base = event_base_new();
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_assert_eq(make_runtime(t, base, &made), REEVE_ESYSTEM);
    cr_assert_null(made);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);

    cr_assert_eq(make_runtime(t, base, &runtime), 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_assert_eq(reeve_runtime_hold(runtime), REEVE_ESYSTEM);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_release(runtime);
    tear_down(t);
}

static rlim_t next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY);

    cr_assert_geq(fd, 0);
    close(fd);
    return (rlim_t)fd;
}

/* libevent would end the process here. However few are left, an answer comes. */
RV_TEST(host, may_be_short_of_descriptors_for_a_base)
{
    struct reeve_runtime *made;
    struct rlimit before, few;
    int rc = REEVE_ESYSTEM;
    rlim_t left;

    silence_libevent();
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    for (left = 0; rc && left < 20; left++) {
        few.rlim_cur = next_descriptor() + left;
        made = NULL;
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        rc = make_runtime(t, NULL, &made);
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        cr_assert(!rc || rc == REEVE_ESYSTEM, "%s", reeve_error_name(rc));
        reeve_runtime_free(made);
    }
    cr_assert_eq(rc, 0);
    cr_assert_gt(left, 4);
}

static int live_through(struct rv_test *run, void *arg)
{
    struct rv_watch *watch;
    struct rv_timer timer;
    int rc;

    (void)arg;
    rc = make_runtime(run, base, &runtime);
    if (rc)
        return rc;
    rc = reeve_runtime_hold(runtime);
    if (rc)
        goto out;
    rv_timer_init(&timer, count_timer);
    rv_timer_start_ms(runtime, &timer, 0);
    rc = rv_watch_new(runtime, sockets[0], note_events, NULL, &watch);
    if (!rc)
        rc = rv_watch_set(watch, RV_WATCH_READ);
    reeve_runtime_release(runtime);
    if (!rc)
        rv_watch_free(watch);
    if (event_base_dispatch(base) < 0)
        rc = REEVE_ESYSTEM;
out:
    reeve_runtime_free(runtime);
    return rc;
}

RV_TEST(memory, may_run_out_at_any_allocation)
{
    base = event_base_new();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    RV_SWEEP_ALLOCATIONS(t, live_through, NULL, 4);
    cr_assert_gt(timers_fired, 0);
    cr_assert_eq(events_on_base(), 0);
    event_base_free(base);
    close(sockets[0]);
    close(sockets[1]);
}
