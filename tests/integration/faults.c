/* SPDX-License-Identifier: MIT */
#include "tests/integration/faults.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static size_t blocks;
static size_t refusals;
static size_t allocations;
static size_t fail_from; /* 0: never */
static int timerfd_error;
static int epoll_error;
static unsigned epoll_accepted;

static void drop_message(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

void silence_libevent(void)
{
    event_set_log_callback(drop_message);
}

static bool refuse(void)
{
    allocations++;
    if (!fail_from || allocations < fail_from)
        return false;
    refusals++;
    errno = ENOMEM;
    return true;
}

static void *counted_malloc(size_t size)
{
    void *ptr = refuse() ? NULL : malloc(size);

    blocks += ptr != NULL;
    return ptr;
}

static void *counted_realloc(void *old, size_t size)
{
    void *ptr = refuse() ? NULL : realloc(old, size);

    blocks += ptr && !old;
    return ptr;
}

static void counted_free(void *ptr)
{
    blocks -= ptr != NULL;
    free(ptr);
}

void count_libevent_memory(void)
{
    event_set_mem_functions(counted_malloc, counted_realloc, counted_free);
}

size_t libevent_blocks(void)
{
    return blocks;
}

size_t libevent_refusals(void)
{
    return refusals;
}

void fail_libevent_memory(bool on)
{
    fail_libevent_allocation(on);
}

void fail_libevent_allocation(size_t n)
{
    allocations = 0;
    refusals = 0;
    fail_from = n;
}

void fail_timerfd(int error)
{
    timerfd_error = error;
}

void fail_epoll(int error, unsigned accepted)
{
    epoll_error = error;
    epoll_accepted = accepted;
}

/* What a program defines is called instead of the C library's. libevent has to see it for that. */
__attribute__((visibility("default"))) int epoll_ctl(int epoll, int what, int fd,
                                                     struct epoll_event *event)
{
    if (epoll_error && what != EPOLL_CTL_DEL) {
        if (!epoll_accepted) {
            errno = epoll_error;
            return -1;
        }
        epoll_accepted--;
    }
    return (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
}

int timerfd_create(int clock, int flags)
{
    if (timerfd_error) {
        errno = timerfd_error;
        return -1;
    }
    return (int)syscall(SYS_timerfd_create, clock, flags);
}
