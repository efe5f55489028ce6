/* SPDX-License-Identifier: MIT */
/* The simulated system. See sim.h. */
#include "loop/system.h"

#include <assert.h>
#include <string.h>

#include <reeve/error.h>

#include "base/list.h"
#include "loop/clock.h"
#include "loop/watch.h"
#include "tests/sim/fate.h"
#include "tests/sim/sim.h"

struct rv_system {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct event_base *base; /* never looked into */
    uint64_t now_ns;
    uint64_t reading_cost_ns;
    int64_t wall_step_ms;
    uint64_t passes;
    bool wake_armed;
    uint64_t wake_pass; /* the pass in which the wake-up was asked for */
    uint64_t alarm_ns;
    bool listening;
    bool signalled;
    int refusal;
    struct rv_heap events; /* of rv_sim_event.node */
    uint64_t next_sequence;
    struct rv_list watches; /* of rv_watch.node */
    unsigned ready[RV_SIM_FDS];
};

struct rv_watch {
    struct rv_list node;
    struct rv_system *system;
    int fd;
    unsigned watched;
    unsigned active; /* to be called with in this pass */
    void (*ready)(struct rv_watch *watch, unsigned events, void *arg);
    void *arg;
};

static struct rv_sim_event *event_of(struct rv_heap_node *node)
{
    return rv_heap_entry(node, struct rv_sim_event, node);
}

static bool happens_before(struct rv_heap_node *a, struct rv_heap_node *b)
{
    if (event_of(a)->at_ns != event_of(b)->at_ns)
        return event_of(a)->at_ns < event_of(b)->at_ns;
    return event_of(a)->sequence < event_of(b)->sequence;
}

int rv_system_new(struct reeve_runtime *runtime, struct event_base *base, struct rv_mem *mem,
                  struct rv_system **ret_system)
{
    struct rv_system *system = rv_zalloc(mem, sizeof *system);

    if (!system)
        return REEVE_ENOMEM;
    system->runtime = runtime;
    system->mem = mem;
    system->base = base ? base : (struct event_base *)(void *)system;
    system->now_ns = RV_SIM_START_NS;
    system->alarm_ns = UINT64_MAX;
    rv_heap_init(&system->events, happens_before);
    rv_list_init(&system->watches);
    *ret_system = system;
    return 0;
}

void rv_system_free(struct rv_system *system)
{
    assert(rv_list_empty(&system->watches) && "a watch outlives the runtime");
    assert(!rv_heap_first(&system->events) && "a scheduled event outlives the runtime");
    rv_free(system->mem, system);
}

struct event_base *rv_system_base(struct rv_system *system)
{
    return system->base;
}

uint64_t rv_system_monotonic_ns(struct rv_system *system)
{
    system->now_ns += system->reading_cost_ns;
    return system->now_ns;
}

int64_t rv_system_wall_ms(struct rv_system *system)
{
    uint64_t elapsed_ns = system->now_ns - RV_SIM_START_NS;

    return RV_SIM_START_WALL_MS + system->wall_step_ms + (int64_t)(elapsed_ns / RV_NS_PER_MS);
}

/* The same at every run of the same fate. */
uint64_t rv_system_entropy(struct rv_system *system)
{
    (void)system;
    return rv_fate()->seed ? rv_fate_random() : 1;
}

void rv_system_wake_later(struct rv_system *system, bool on)
{
    system->wake_armed = on;
    system->wake_pass = system->passes;
}

void rv_system_set_alarm(struct rv_system *system, uint64_t deadline_ns)
{
    system->alarm_ns = deadline_ns;
}

int rv_system_listen(struct rv_system *system, bool on)
{
    if (on && system->refusal)
        return system->refusal;
    system->listening = on;
    return 0;
}

void rv_system_post_signal(struct rv_system *system)
{
    system->signalled = true;
}

int rv_watch_new(struct reeve_runtime *runtime, int fd,
                 void (*ready)(struct rv_watch *watch, unsigned events, void *arg), void *arg,
                 struct rv_watch **ret_watch)
{
    struct rv_system *system = rv_runtime_system(runtime);
    struct rv_watch *watch;

    assert(fd >= 0 && fd < RV_SIM_FDS);
    watch = rv_zalloc(system->mem, sizeof *watch);
    if (!watch)
        return REEVE_ENOMEM;
    watch->system = system;
    watch->fd = fd;
    watch->ready = ready;
    watch->arg = arg;
    rv_list_append(&system->watches, &watch->node);
    *ret_watch = watch;
    return 0;
}

int rv_watch_set(struct rv_watch *watch, unsigned events)
{
    if (watch->system->refusal && (events & ~watch->watched))
        return watch->system->refusal;
    watch->watched = events;
    watch->active &= events;
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
    rv_list_remove(&watch->node);
    rv_free(watch->system->mem, watch);
}

static struct rv_watch *watch_of(struct rv_list *node)
{
    return rv_list_entry(node, struct rv_watch, node);
}

static unsigned readiness(const struct rv_watch *watch)
{
    return watch->watched & watch->system->ready[watch->fd];
}

static bool any_ready(struct rv_system *system)
{
    struct rv_list *node;

    rv_list_for_each (node, &system->watches) {
        if (readiness(watch_of(node)))
            return true;
    }
    return false;
}

/* The time of the next thing that happens; UINT64_MAX: none. */
static uint64_t next_ns(struct rv_system *system)
{
    struct rv_heap_node *first = rv_heap_first(&system->events);
    uint64_t event_ns = first ? event_of(first)->at_ns : UINT64_MAX;

    if (system->wake_armed || (system->listening && system->signalled) || any_ready(system))
        return system->now_ns;
    return event_ns < system->alarm_ns ? event_ns : system->alarm_ns;
}

/* What a happening schedules for now waits for the next pass. */
static void let_happen(struct rv_system *system)
{
    uint64_t end_sequence = system->next_sequence;
    uint64_t now_ns = system->now_ns;
    struct rv_heap_node *node;
    struct rv_sim_event *event;

    while ((node = rv_heap_first(&system->events))) {
        event = event_of(node);
        if (event->at_ns > now_ns || event->sequence >= end_sequence)
            return;
        rv_sim_unschedule(system->runtime, event);
        rv_loop_enter(system->runtime);
        event->happen(event);
        rv_loop_leave(system->runtime);
    }
}

static struct rv_watch *next_active(struct rv_system *system)
{
    struct rv_list *node;

    rv_list_for_each (node, &system->watches) {
        if (watch_of(node)->active)
            return watch_of(node);
    }
    return NULL;
}

/* Reading and writing come apart, as they do from libevent. A callback may free any watch, so the
 * search begins anew after each. */
static void call_watches(struct rv_system *system)
{
    struct rv_watch *watch;
    struct rv_list *node;
    unsigned event;

    rv_list_for_each (node, &system->watches) {
        watch_of(node)->active = readiness(watch_of(node));
    }
    while ((watch = next_active(system))) {
        event = watch->active & RV_WATCH_READ ? RV_WATCH_READ : RV_WATCH_WRITE;
        watch->active &= ~event;
        rv_loop_enter(system->runtime);
        watch->ready(watch, event, watch->arg);
        rv_loop_leave(system->runtime);
    }
}

static void call_loop(struct rv_system *system, void (*entry)(struct reeve_runtime *runtime))
{
    rv_loop_enter(system->runtime);
    entry(system->runtime);
    rv_loop_leave(system->runtime);
}

static void one_pass(struct rv_system *system)
{
    system->passes++;
    let_happen(system);
    call_watches(system);
    if (system->listening && system->signalled) {
        system->signalled = false;
        call_loop(system, rv_loop_posted);
    }
    if (system->alarm_ns <= system->now_ns)
        call_loop(system, rv_loop_alarm);
    if (system->wake_armed && system->wake_pass < system->passes) {
        system->wake_armed = false;
        call_loop(system, rv_loop_wake);
    }
}

/* Returns false if nothing comes up to `until_ns`. */
static bool pass_until(struct rv_system *system, uint64_t until_ns)
{
    uint64_t at_ns = next_ns(system);

    if (at_ns == UINT64_MAX || at_ns > until_ns)
        return false;
    if (at_ns > system->now_ns)
        system->now_ns = at_ns;
    one_pass(system);
    return true;
}

int rv_system_run(struct rv_system *system)
{
    while (pass_until(system, UINT64_MAX))
        ;
    return 0;
}

void rv_sim_event_init(struct rv_sim_event *event, void (*happen)(struct rv_sim_event *event))
{
    *event = (struct rv_sim_event){.happen = happen};
}

void rv_sim_schedule_ns(struct reeve_runtime *runtime, struct rv_sim_event *event,
                        uint64_t delay_ns)
{
    struct rv_system *system = rv_runtime_system(runtime);

    rv_sim_unschedule(runtime, event);
    if (__builtin_add_overflow(system->now_ns, delay_ns, &event->at_ns))
        event->at_ns = UINT64_MAX - 1;
    event->sequence = system->next_sequence++;
    event->scheduled = true;
    rv_heap_insert(&system->events, &event->node);
}

void rv_sim_schedule_ms(struct reeve_runtime *runtime, struct rv_sim_event *event,
                        uint64_t delay_ms)
{
    rv_sim_schedule_ns(runtime, event, delay_ms * RV_NS_PER_MS);
}

void rv_sim_unschedule(struct reeve_runtime *runtime, struct rv_sim_event *event)
{
    if (!event->scheduled)
        return;
    event->scheduled = false;
    rv_heap_remove(&rv_runtime_system(runtime)->events, &event->node);
}

uint64_t rv_sim_now_ns(struct reeve_runtime *runtime)
{
    return rv_runtime_system(runtime)->now_ns;
}

void rv_sim_advance_ns(struct reeve_runtime *runtime, uint64_t ns)
{
    rv_runtime_system(runtime)->now_ns += ns;
}

void rv_sim_step_wall_ms(struct reeve_runtime *runtime, int64_t ms)
{
    rv_runtime_system(runtime)->wall_step_ms += ms;
}

void rv_sim_set_reading_cost_ns(struct reeve_runtime *runtime, uint64_t ns)
{
    rv_runtime_system(runtime)->reading_cost_ns = ns;
}

void rv_sim_set_ready(struct reeve_runtime *runtime, int fd, unsigned events)
{
    assert(fd >= 0 && fd < RV_SIM_FDS);
    rv_runtime_system(runtime)->ready[fd] = events;
}

unsigned rv_sim_watched(struct reeve_runtime *runtime, int fd)
{
    struct rv_system *system = rv_runtime_system(runtime);
    struct rv_list *node;
    unsigned events = 0;

    rv_list_for_each (node, &system->watches) {
        if (watch_of(node)->fd == fd)
            events |= watch_of(node)->watched;
    }
    return events;
}

void rv_sim_refuse_watching(struct reeve_runtime *runtime, int code)
{
    rv_runtime_system(runtime)->refusal = code;
}

bool rv_sim_listening(struct reeve_runtime *runtime)
{
    return rv_runtime_system(runtime)->listening;
}

bool rv_sim_wake_armed(struct reeve_runtime *runtime)
{
    return rv_runtime_system(runtime)->wake_armed;
}

uint64_t rv_sim_alarm_ns(struct reeve_runtime *runtime)
{
    return rv_runtime_system(runtime)->alarm_ns;
}

bool rv_sim_pass(struct reeve_runtime *runtime)
{
    return pass_until(rv_runtime_system(runtime), UINT64_MAX);
}

uint64_t rv_sim_passes(struct reeve_runtime *runtime)
{
    return rv_runtime_system(runtime)->passes;
}

void rv_sim_run_ms(struct reeve_runtime *runtime, uint64_t ms)
{
    struct rv_system *system = rv_runtime_system(runtime);
    uint64_t until_ns = system->now_ns + ms * RV_NS_PER_MS;

    while (pass_until(system, until_ns))
        ;
    if (system->now_ns < until_ns)
        system->now_ns = until_ns;
}
