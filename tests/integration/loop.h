/* SPDX-License-Identifier: MIT */
/* What the tests of the real loop share: a host with a plain base of its own, and its clock. */
#ifndef RV_TESTS_INTEGRATION_LOOP_H
#define RV_TESTS_INTEGRATION_LOOP_H

#include "tests/lib/test.h"

#include <event2/event.h>
#include <reeve/runtime.h>
#include <time.h>

/* One test runs in a process. */
static struct event_base *base;
static struct reeve_runtime *runtime;

static inline int make_runtime(struct rv_test *t, struct event_base *on,
                               struct reeve_runtime **ret_runtime)
{
    struct reeve_runtime_options options;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    return reeve_runtime_new(on, &options, ret_runtime);
}

/* As most hosts have it: coarse clock, no flags. */
static inline void set_up(struct rv_test *t)
{
    base = event_base_new();
    cr_assert_not_null(base);
    cr_assert_eq(make_runtime(t, base, &runtime), 0);
}

static inline int events_on_base(void)
{
    return event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE | EVENT_BASE_COUNT_ADDED);
}

static inline void tear_down(struct rv_test *t)
{
    (void)t;
    reeve_runtime_free(runtime);
    cr_assert_eq(events_on_base(), 0, "the runtime left events on its host's base");
    event_base_free(base);
}

#define RV_LOOP_TEST(suite, name, ...)                                                             \
    RV_TEST(suite, name, RV_FIXTURE(set_up, tear_down), ##__VA_ARGS__)

static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline double ms_since(uint64_t start_ns)
{
    return (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1e6;
}

#endif
