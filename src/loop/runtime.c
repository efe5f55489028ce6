/* SPDX-License-Identifier: MIT */
/*
 * The runtime: made, entered and left by the system, freed. Each way in from the system is an
 * rv_loop_enter, which reads the clock, and an rv_loop_leave, which drains the ready queue and sets
 * the alarm. What a host calls from outside (before it dispatches, say) is in no entry: there the
 * clock is read at each question, and a push or a timer arms the system at once.
 */
#include "loop/runtime.h"

#include <assert.h>

#include <reeve/error.h>

#include "base/export.h"
#include "base/options.h"
#include "loop/clock.h"
#include "loop/core.h"
#include "loop/system.h"

RV_EXPORT void reeve_runtime_options_init_size(struct reeve_runtime_options *options, size_t size)
{
    const struct reeve_runtime_options defaults = {.size = size};

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

static int init_runtime(struct reeve_runtime *runtime, struct event_base *base, uint64_t seed)
{
    int rc;

    rv_list_init(&runtime->pending);
    rv_ready_init(runtime);
    rv_timers_init(runtime);
    rv_grave_init(runtime);
    rc = rv_posts_init(runtime);
    if (rc)
        return rc;
    rc = rv_system_new(runtime, base, runtime->mem, &runtime->system);
    if (rc) {
        rv_posts_done(runtime);
        return rc;
    }
    rv_random_seed(runtime->random, seed ? seed : rv_system_entropy(runtime->system));
    return 0;
}

RV_EXPORT int reeve_runtime_new(struct event_base *base,
                                const struct reeve_runtime_options *options,
                                struct reeve_runtime **ret_runtime)
{
    struct reeve_runtime_options known;
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    int rc;

    reeve_runtime_options_init(&known);
    if (options) {
        rc = rv_options_copy(&known, sizeof known, options);
        if (rc)
            return rc;
    }
    rc = rv_mem_new(known.allocator, &mem);
    if (rc)
        return rc;
    runtime = rv_zalloc(mem, sizeof *runtime);
    if (!runtime) {
        rc = REEVE_ENOMEM;
        goto no_runtime;
    }
    runtime->mem = mem;
    rc = init_runtime(runtime, base, known.seed);
    if (rc)
        goto no_init;
    *ret_runtime = runtime;
    return 0;

no_init:
    rv_free(mem, runtime);
no_runtime:
    rv_mem_unref(mem);
    return rc;
}

static void abort_pending(struct reeve_runtime *runtime)
{
    struct rv_pending *pending;

    while (!rv_list_empty(&runtime->pending)) {
        pending = rv_list_entry(runtime->pending.next, struct rv_pending, node);
        pending->abort(pending);
        /* Compared, not looked at: it may be gone. */
        assert(runtime->pending.next != &pending->node && "an aborted operation must complete");
    }
}

static void free_slots(struct reeve_runtime *runtime)
{
    struct rv_slot_entry entry;
    enum rv_slot slot;

    while (runtime->slot_count) {
        slot = runtime->slot_order[--runtime->slot_count];
        entry = runtime->slots[slot];
        runtime->slots[slot] = (struct rv_slot_entry){0};
        entry.free_value(entry.value);
    }
}

/* Posts come first, because they were made before this: what they finish is finished. */
RV_EXPORT void reeve_runtime_free(struct reeve_runtime *runtime)
{
    struct rv_mem *mem;

    if (!runtime)
        return;
    assert(!runtime->depth && "reeve_runtime_free was called from a callback of this runtime");
    runtime->closing = true;
    rv_loop_enter(runtime);
    rv_posts_run_all(runtime);
    abort_pending(runtime);
    rv_posts_run_all(runtime);
    assert(!runtime->children && "models, toolboxes and agents are freed before their runtime");
    free_slots(runtime);
    rv_grave_done(runtime);
    assert(rv_list_empty(&runtime->ready.tasks) && "a task outlives what it belongs to");
    assert(!rv_heap_first(&runtime->timers.heap) && "a timer outlives what it belongs to");

    mem = runtime->mem;
    rv_system_free(runtime->system);
    rv_posts_done(runtime);
    rv_free(mem, runtime);
    rv_mem_unref(mem);
}

RV_EXPORT int reeve_runtime_run(struct reeve_runtime *runtime)
{
    return runtime->depth ? REEVE_EINVAL : rv_system_run(runtime->system);
}

RV_EXPORT struct event_base *reeve_runtime_event_base(struct reeve_runtime *runtime)
{
    return rv_system_base(runtime->system);
}

RV_EXPORT size_t reeve_runtime_pending(const struct reeve_runtime *runtime)
{
    return runtime->pending_count;
}

void rv_loop_enter(struct reeve_runtime *runtime)
{
    if (!runtime->depth)
        runtime->turn_ns = rv_precise_now_ns(runtime);
    runtime->depth++;
}

void rv_loop_leave(struct reeve_runtime *runtime)
{
    assert(runtime->depth);
    if (runtime->depth == 1) {
        rv_ready_drain(runtime);
        rv_timers_sync(runtime);
    }
    runtime->depth--;
}

struct rv_system *rv_runtime_system(struct reeve_runtime *runtime)
{
    return runtime->system;
}

uint64_t rv_turn_now_ns(const struct reeve_runtime *runtime)
{
    return runtime->depth ? runtime->turn_ns : rv_system_monotonic_ns(runtime->system);
}

uint64_t rv_precise_now_ns(struct reeve_runtime *runtime)
{
    runtime->seen_ns = rv_system_monotonic_ns(runtime->system);
    return runtime->seen_ns;
}

uint64_t rv_seen_now_ns(const struct reeve_runtime *runtime)
{
    return runtime->seen_ns;
}

int64_t rv_wall_now_ms(const struct reeve_runtime *runtime)
{
    return rv_system_wall_ms(runtime->system);
}

struct rv_mem *rv_runtime_mem(struct reeve_runtime *runtime)
{
    return runtime->mem;
}

struct rv_metrics *rv_runtime_metrics(struct reeve_runtime *runtime)
{
    return &runtime->metrics;
}

RV_EXPORT uint64_t reeve_runtime_counter(const struct reeve_runtime *runtime,
                                         enum reeve_counter counter)
{
    return rv_metrics_counter(&runtime->metrics, counter);
}

bool rv_runtime_closing(const struct reeve_runtime *runtime)
{
    return runtime->closing;
}

void *rv_runtime_slot(const struct reeve_runtime *runtime, enum rv_slot slot)
{
    return runtime->slots[slot].value;
}

void rv_runtime_slot_set(struct reeve_runtime *runtime, enum rv_slot slot, void *value,
                         void (*free_value)(void *value))
{
    assert(value && !runtime->slots[slot].value);
    runtime->slots[slot] = (struct rv_slot_entry){value, free_value};
    runtime->slot_order[runtime->slot_count++] = slot;
}

void rv_pending_add(struct reeve_runtime *runtime, struct rv_pending *pending,
                    void (*abort)(struct rv_pending *pending))
{
    assert(!runtime->closing && "what is submitted now must have been refused");
    pending->abort = abort;
    rv_list_append(&runtime->pending, &pending->node);
    runtime->pending_count++;
}

void rv_pending_remove(struct reeve_runtime *runtime, struct rv_pending *pending)
{
    assert(!rv_list_empty(&pending->node));
    rv_list_remove(&pending->node);
    runtime->pending_count--;
}

void rv_runtime_child_add(struct reeve_runtime *runtime)
{
    runtime->children++;
}

void rv_runtime_child_remove(struct reeve_runtime *runtime)
{
    assert(runtime->children);
    runtime->children--;
}
