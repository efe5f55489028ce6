/* SPDX-License-Identifier: MIT */
/*
 * The timer heap. The alarm of the system is set when an entry is left, not at each change: a timer
 * that is started and stopped within a turn costs no system call. Nor is the alarm moved when the
 * first deadline only moved away, as it does with each byte of a stream that has a limit on
 * silence: it comes once too early, finds nothing due, and is set anew.
 */
#include "loop/timer.h"

#include <assert.h>

#include "loop/clock.h"
#include "loop/core.h"
#include "loop/system.h"

/* Firing holds the loop for about as long as a slice of the ready queue may. */
#define FIRE_SLICE_NS (RV_NS_PER_MS / 2)
#define TIMERS_PER_CLOCK 8

static struct rv_timer *timer_of(struct rv_heap_node *node)
{
    return rv_heap_entry(node, struct rv_timer, node);
}

static bool fires_before(struct rv_heap_node *a, struct rv_heap_node *b)
{
    const struct rv_timer *left = timer_of(a);
    const struct rv_timer *right = timer_of(b);

    if (left->deadline_ns != right->deadline_ns)
        return left->deadline_ns < right->deadline_ns;
    return left->sequence < right->sequence;
}

void rv_timers_init(struct reeve_runtime *runtime)
{
    rv_heap_init(&runtime->timers.heap, fires_before);
    runtime->timers.next_sequence = 0;
    runtime->timers.alarm_ns = UINT64_MAX;
    runtime->timers.alarm_came = false;
}

static struct rv_timer *first_timer(const struct rv_timer_queue *timers)
{
    struct rv_heap_node *node = rv_heap_first(&timers->heap);

    return node ? timer_of(node) : NULL;
}

void rv_timers_sync(struct reeve_runtime *runtime)
{
    struct rv_timer_queue *timers = &runtime->timers;
    const struct rv_timer *first = first_timer(timers);
    uint64_t deadline_ns = first ? first->deadline_ns : UINT64_MAX;

    bool early_enough = first ? timers->alarm_ns <= deadline_ns : timers->alarm_ns == UINT64_MAX;

    if (early_enough && !timers->alarm_came)
        return;
    timers->alarm_ns = deadline_ns;
    timers->alarm_came = false;
    rv_system_set_alarm(runtime->system, deadline_ns);
}

/* Inside an entry the alarm waits for its end. */
static void changed(struct reeve_runtime *runtime)
{
    if (!runtime->depth)
        rv_timers_sync(runtime);
}

void rv_timer_start_ms(struct reeve_runtime *runtime, struct rv_timer *timer, uint64_t delay_ms)
{
    uint64_t delay_ns;
    uint64_t deadline_ns;

    if (__builtin_mul_overflow(delay_ms, RV_NS_PER_MS, &delay_ns) ||
        __builtin_add_overflow(rv_precise_now_ns(runtime), delay_ns, &deadline_ns))
        deadline_ns = UINT64_MAX;
    rv_timer_start_at_ns(runtime, timer, deadline_ns);
}

void rv_timer_start_at_ns(struct reeve_runtime *runtime, struct rv_timer *timer,
                          uint64_t deadline_ns)
{
    struct rv_timer_queue *timers = &runtime->timers;

    if (timer->armed)
        rv_heap_remove(&timers->heap, &timer->node);
    /* UINT64_MAX means "no alarm" to the system, and is 584 years away in any case. */
    timer->deadline_ns = deadline_ns == UINT64_MAX ? UINT64_MAX - 1 : deadline_ns;
    timer->sequence = timers->next_sequence++;
    timer->armed = true;
    rv_heap_insert(&timers->heap, &timer->node);
    changed(runtime);
}

void rv_timer_disarm(struct reeve_runtime *runtime, struct rv_timer *timer)
{
    timer->armed = false;
    rv_heap_remove(&runtime->timers.heap, &timer->node);
    changed(runtime);
}

/*
 * Fire what is due. What a callback starts now does not fire in this pass even if it is due at
 * once: otherwise a timer that starts itself anew would hold the loop. What the slice leaves over
 * is due already, and the alarm comes again at once, in the next pass.
 */
void rv_loop_alarm(struct reeve_runtime *runtime)
{
    struct rv_timer_queue *timers = &runtime->timers;
    uint64_t end_sequence = timers->next_sequence;
    uint64_t stop_ns = runtime->seen_ns + FIRE_SLICE_NS;
    struct rv_timer *timer;
    unsigned count = 0;

    assert(runtime->depth);
    timers->alarm_came = true;
    while ((timer = first_timer(timers)) && timer->deadline_ns <= runtime->turn_ns &&
           timer->sequence < end_sequence && runtime->seen_ns < stop_ns) {
        timer->armed = false;
        rv_heap_remove(&timers->heap, &timer->node);
        timer->fire(timer);
        if (++count % TIMERS_PER_CLOCK == 0)
            rv_precise_now_ns(runtime);
    }
}
