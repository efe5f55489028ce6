/* SPDX-License-Identifier: MIT */
/*
 * The real system: libevent and the kernel.
 *
 * On the base stand at most: a zero-timeout timer (the wake-up), a timerfd (the alarm; a host's
 * base may use the coarse clock, by which 50 ms are 54), an eventfd (posts), and two events a
 * watch. Each is pending only while it is wanted, so that a loop with nothing to do returns. Their
 * memory comes from the runtime's allocator, hence event_assign on blocks of our own.
 *
 * Wake-up and alarm must not fail, though libevent may need memory for either. The timerfd is added
 * once at birth, after which libevent keeps its place for it; it stands in for a wake-up timer that
 * could not be added. Where there is no timerfd (a sandbox), a timer of libevent is the alarm.
 */
#include "loop/system.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <reeve/error.h>

#include "loop/clock.h"
#include "loop/watch.h"

#define NS_PER_S UINT64_C(1000000000)

struct rv_system {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct event_base *base;
    struct event *wake;
    struct event *alarm;
    struct event *posted;
    uint64_t alarm_ns; /* UINT64_MAX: none */
    int timer_fd;      /* -1: the alarm is a timer of libevent */
    int event_fd;      /* -1: nobody has listened yet */
    bool owns_base;
    bool wake_by_alarm; /* the wake-up timer could not be added */
};

struct rv_watch {
    struct rv_system *system;
    struct event *readable;
    struct event *writable;
    int fd;
    unsigned watched;
    void (*ready)(struct rv_watch *watch, unsigned events, void *arg);
    void *arg;
};

static size_t aligned(size_t size)
{
    const size_t mask = alignof(max_align_t) - 1;

    return (size + mask) & ~mask;
}

/* A zeroed struct of `size` bytes with room for `count` events behind it. */
static void *alloc_with_events(struct rv_mem *mem, size_t size, size_t count)
{
    return rv_zalloc(mem, aligned(size) + count * aligned(event_get_struct_event_size()));
}

static struct event *event_behind(void *block, size_t size, size_t index)
{
    char *events = (char *)block + aligned(size);

    return (struct event *)(void *)(events + index * aligned(event_get_struct_event_size()));
}

static void assign(struct rv_system *system, struct event *event, int fd, short what,
                   event_callback_fn callback, void *arg)
{
    int rc = event_assign(event, system->base, fd, what, callback, arg);

    assert(!rc);
    (void)rc;
}

static void unassign(struct event *event)
{
    event_del(event);
    event_debug_unassign(event);
}

/* libevent says -1 and no more: either it had no memory, or epoll refused the descriptor. */
static int add(struct event *event)
{
    errno = 0;
    if (!event_add(event, NULL))
        return 0;
    return errno && errno != ENOMEM ? REEVE_ESYSTEM : REEVE_ENOMEM;
}

static int system_error(void)
{
    return errno == ENOMEM ? REEVE_ENOMEM : REEVE_ESYSTEM;
}

static void arm_alarm(struct rv_system *system);

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct rv_system *system = arg;
    struct reeve_runtime *runtime = system->runtime;

    (void)fd;
    (void)what;
    rv_loop_enter(runtime);
    rv_loop_wake(runtime);
    rv_loop_leave(runtime);
}

/* The timerfd is not read: rv_system_set_alarm, which must follow, resets it. */
static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct rv_system *system = arg;
    struct reeve_runtime *runtime = system->runtime;

    (void)fd;
    (void)what;
    rv_loop_enter(runtime);
    if (system->wake_by_alarm) {
        system->wake_by_alarm = false;
        arm_alarm(system);
        rv_loop_wake(runtime);
    }
    rv_loop_alarm(runtime);
    rv_loop_leave(runtime);
}

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
    struct rv_system *system = arg;
    struct reeve_runtime *runtime = system->runtime;
    uint64_t count;

    (void)what;
    rv_loop_enter(runtime);
    if (read(fd, &count, sizeof count) > 0)
        rv_loop_posted(runtime);
    rv_loop_leave(runtime);
}

/*
 * When libevent can't have the descriptors that it needs for a base (five), it does not say so: it
 * ends the process. They are taken and given back beforehand.
 */
static bool descriptors_are_left(void)
{
    int fds[5];
    size_t count = 0;
    bool left;

    while (count < sizeof fds / sizeof *fds) {
        fds[count] = eventfd(0, EFD_CLOEXEC);
        if (fds[count] < 0)
            break;
        count++;
    }
    left = count == sizeof fds / sizeof *fds;
    while (count)
        close(fds[--count]);
    return left;
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (!config)
        return NULL;
    if (!event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER))
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

/*
 * Make the alarm. Too many open files are an error; a kernel or sandbox without timerfd is not.
 * Adding and removing it once has libevent allocate what it keeps for this descriptor.
 */
static int init_alarm(struct rv_system *system)
{
    int rc;

    system->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (system->timer_fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return system_error();
    if (system->timer_fd < 0) {
        assign(system, system->alarm, -1, 0, on_alarm, system);
        return 0;
    }
    assign(system, system->alarm, system->timer_fd, EV_READ | EV_PERSIST, on_alarm, system);
    rc = add(system->alarm);
    if (rc) {
        unassign(system->alarm);
        close(system->timer_fd);
        return rc;
    }
    event_del(system->alarm);
    return 0;
}

static int init_base(struct rv_system *system, struct event_base *base)
{
    system->base = base;
    if (base)
        return 0;
    if (!descriptors_are_left())
        return REEVE_ESYSTEM;
    system->base = new_base();
    if (!system->base)
        return REEVE_ENOMEM;
    system->owns_base = true;
    return 0;
}

int rv_system_new(struct reeve_runtime *runtime, struct event_base *base, struct rv_mem *mem,
                  struct rv_system **ret_system)
{
    struct rv_system *system = alloc_with_events(mem, sizeof *system, 3);
    int rc;

    if (!system)
        return REEVE_ENOMEM;
    system->runtime = runtime;
    system->mem = mem;
    system->wake = event_behind(system, sizeof *system, 0);
    system->alarm = event_behind(system, sizeof *system, 1);
    system->posted = event_behind(system, sizeof *system, 2);
    system->alarm_ns = UINT64_MAX;
    system->event_fd = -1;
    rc = init_base(system, base);
    if (rc)
        goto no_base;
    rc = init_alarm(system);
    if (rc)
        goto no_alarm;
    assign(system, system->wake, -1, 0, on_wake, system);
    *ret_system = system;
    return 0;

no_alarm:
    if (system->owns_base)
        event_base_free(system->base);
no_base:
    rv_free(mem, system);
    return rc;
}

void rv_system_free(struct rv_system *system)
{
    unassign(system->wake);
    unassign(system->alarm);
    if (system->event_fd >= 0) {
        unassign(system->posted);
        close(system->event_fd);
    }
    if (system->timer_fd >= 0)
        close(system->timer_fd);
    if (system->owns_base)
        event_base_free(system->base);
    rv_free(system->mem, system);
}

struct event_base *rv_system_base(struct rv_system *system)
{
    return system->base;
}

int rv_system_run(struct rv_system *system)
{
    return event_base_dispatch(system->base) < 0 ? REEVE_ESYSTEM : 0;
}

uint64_t rv_system_monotonic_ns(struct rv_system *system)
{
    struct timespec now;

    (void)system;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int64_t rv_system_wall_ms(struct rv_system *system)
{
    struct timespec now;

    (void)system;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Early in a machine's life there is no entropy yet; this must not wait for it. */
uint64_t rv_system_entropy(struct rv_system *system)
{
    uint64_t value;

    if (getrandom(&value, sizeof value, GRND_NONBLOCK) == (ssize_t)sizeof value)
        return value;
    return rv_system_monotonic_ns(system) ^ ((uint64_t)getpid() << 40) ^ (uintptr_t)system;
}

/*
 * The last resort, without a timerfd and with no memory for a timer: the event is made active at
 * once. libevent runs it within this pass, which is unfair to the host, but it is not lost.
 */
static void add_timeout(struct event *event, uint64_t delay_ns)
{
    const uint64_t delay_us = (delay_ns + RV_NS_PER_US - 1) / RV_NS_PER_US;
    const struct timeval delay = {
        .tv_sec = (time_t)(delay_us / 1000000),
        .tv_usec = (suseconds_t)(delay_us % 1000000),
    };

    if (event_add(event, &delay))
        event_active(event, EV_TIMEOUT, 0);
}

static void set_timer_fd(struct rv_system *system, uint64_t deadline_ns)
{
    const struct itimerspec at = {
        .it_value.tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .it_value.tv_nsec = (long)(deadline_ns % NS_PER_S),
    };

    timerfd_settime(system->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    if (!event_add(system->alarm, NULL))
        return;
    /* The kernel has no room for one more watched descriptor. */
    unassign(system->alarm);
    close(system->timer_fd);
    system->timer_fd = -1;
    assign(system, system->alarm, -1, 0, on_alarm, system);
}

static void arm_alarm(struct rv_system *system)
{
    uint64_t deadline_ns = system->wake_by_alarm ? 1 : system->alarm_ns;
    uint64_t now_ns;

    if (deadline_ns == UINT64_MAX) {
        event_del(system->alarm);
        return;
    }
    if (system->timer_fd >= 0)
        set_timer_fd(system, deadline_ns ? deadline_ns : 1);
    if (system->timer_fd < 0) {
        now_ns = rv_system_monotonic_ns(system);
        add_timeout(system->alarm, deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    }
}

void rv_system_set_alarm(struct rv_system *system, uint64_t deadline_ns)
{
    system->alarm_ns = deadline_ns;
    arm_alarm(system);
}

void rv_system_wake_later(struct rv_system *system, bool on)
{
    static const struct timeval at_once;

    if (on && event_add(system->wake, &at_once)) {
        system->wake_by_alarm = true;
        arm_alarm(system);
        return;
    }
    if (on)
        return;
    event_del(system->wake);
    if (system->wake_by_alarm) {
        system->wake_by_alarm = false;
        arm_alarm(system);
    }
}

int rv_system_listen(struct rv_system *system, bool on)
{
    if (!on) {
        event_del(system->posted);
        return 0;
    }
    if (system->event_fd < 0) {
        system->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (system->event_fd < 0)
            return system_error();
        assign(system, system->posted, system->event_fd, EV_READ | EV_PERSIST, on_posted, system);
    }
    return add(system->posted);
}

/* An eventfd that is full is readable, which is all that is wanted. */
void rv_system_post_signal(struct rv_system *system)
{
    const uint64_t one = 1;
    ssize_t written = write(system->event_fd, &one, sizeof one);

    (void)written;
}

static void on_ready(struct rv_watch *watch, unsigned events)
{
    struct reeve_runtime *runtime = watch->system->runtime;

    rv_loop_enter(runtime);
    watch->ready(watch, events, watch->arg);
    rv_loop_leave(runtime);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    on_ready(arg, RV_WATCH_READ);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    on_ready(arg, RV_WATCH_WRITE);
}

int rv_watch_new(struct reeve_runtime *runtime, int fd,
                 void (*ready)(struct rv_watch *watch, unsigned events, void *arg), void *arg,
                 struct rv_watch **ret_watch)
{
    struct rv_system *system = rv_runtime_system(runtime);
    struct rv_watch *watch = alloc_with_events(system->mem, sizeof *watch, 2);

    if (!watch)
        return REEVE_ENOMEM;
    watch->system = system;
    watch->readable = event_behind(watch, sizeof *watch, 0);
    watch->writable = event_behind(watch, sizeof *watch, 1);
    watch->fd = fd;
    watch->ready = ready;
    watch->arg = arg;
    assign(system, watch->readable, fd, EV_READ | EV_PERSIST, on_readable, watch);
    assign(system, watch->writable, fd, EV_WRITE | EV_PERSIST, on_writable, watch);
    *ret_watch = watch;
    return 0;
}

/* Adding comes first and is undone if it fails, so that a failure leaves all as it was. */
int rv_watch_set(struct rv_watch *watch, unsigned events)
{
    unsigned added = events & ~watch->watched;
    unsigned removed = watch->watched & ~events;
    int rc;

    if (added & RV_WATCH_READ) {
        rc = add(watch->readable);
        if (rc)
            return rc;
    }
    if (added & RV_WATCH_WRITE) {
        rc = add(watch->writable);
        if (rc) {
            if (added & RV_WATCH_READ)
                event_del(watch->readable);
            return rc;
        }
    }
    if (removed & RV_WATCH_READ)
        event_del(watch->readable);
    if (removed & RV_WATCH_WRITE)
        event_del(watch->writable);
    watch->watched = events;
    return 0;
}

int rv_watch_fd(const struct rv_watch *watch)
{
    return watch->fd;
}

void rv_watch_free(struct rv_watch *watch)
{
    if (!watch)
        return;
    unassign(watch->readable);
    unassign(watch->writable);
    rv_free(watch->system->mem, watch);
}
