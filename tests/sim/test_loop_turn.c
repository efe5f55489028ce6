/* SPDX-License-Identifier: MIT */
/* What runs in which turn: the ready queue and its slices, timers, watches. */
#include "loop/clock.h"
#include "loop/ready.h"
#include "loop/system.h"
#include "loop/timer.h"
#include "loop/watch.h"
#include "tests/sim/runtime.h"

#include <reeve/error.h>

#define SLICE_NS (RV_NS_PER_MS / 2)

struct named {
    struct rv_task task;
    struct rv_timer timer;
    char name;
    struct named *other;
};

static struct named *of_task(struct rv_task *task)
{
    return rv_container_of(task, struct named, task);
}

static struct named *of_timer(struct rv_timer *timer)
{
    return rv_container_of(timer, struct named, timer);
}

static void note_task(struct rv_task *task)
{
    note(of_task(task)->name);
}

static void note_timer(struct rv_timer *timer)
{
    note(of_timer(timer)->name);
}

static void init_named(struct named *named, char name)
{
    named->name = name;
    named->other = NULL;
    rv_task_init(&named->task, note_task);
    rv_timer_init(&named->timer, note_timer);
}

RV_SIM_TEST(ready, runs_in_order_and_later)
{
    struct named tasks[3];
    int i;

    for (i = 0; i < 3; i++) {
        init_named(&tasks[i], (char)('a' + i));
        rv_ready_push(runtime, &tasks[i].task);
        cr_assert(rv_ready_queued(&tasks[i].task));
    }
    rv_ready_push(runtime, &tasks[0].task);
    cr_assert_str_eq(record, "", "a task ran inside the push");
    cr_assert(rv_sim_wake_armed(runtime));
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc", "or: one that is queued already lost its place");
    cr_assert_not(rv_sim_wake_armed(runtime));
    cr_assert_eq(rv_sim_passes(runtime), 1);
    cr_assert_not(rv_sim_pass(runtime), "an idle runtime has something pending");
}

RV_SIM_TEST(ready, can_be_taken_back)
{
    struct named tasks[2];

    init_named(&tasks[0], 'a');
    init_named(&tasks[1], 'b');
    rv_ready_push(runtime, &tasks[0].task);
    rv_ready_push(runtime, &tasks[1].task);
    rv_ready_remove(&tasks[0].task);
    rv_ready_remove(&tasks[0].task);
    cr_assert_not(rv_ready_queued(&tasks[0].task));
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "b");
}

static void remove_other(struct rv_task *task)
{
    note_task(task);
    rv_ready_remove(&of_task(task)->other->task);
}

RV_SIM_TEST(ready, may_be_taken_back_by_another_task)
{
    struct named tasks[3];
    int i;

    for (i = 0; i < 3; i++) {
        init_named(&tasks[i], (char)('a' + i));
        rv_ready_push(runtime, &tasks[i].task);
    }
    tasks[0].task.run = remove_other;
    tasks[0].other = &tasks[1];
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ac");
}

static void push_other(struct rv_task *task)
{
    note_task(task);
    rv_ready_push(runtime, &of_task(task)->other->task);
    cr_assert_not(rv_sim_wake_armed(runtime), "a push in the loop needs no wake-up");
}

RV_SIM_TEST(ready, takes_what_is_pushed_meanwhile_to_its_end)
{
    struct named tasks[3];
    int i;

    for (i = 0; i < 3; i++)
        init_named(&tasks[i], (char)('a' + i));
    tasks[0].task.run = push_other;
    tasks[0].other = &tasks[2];
    rv_ready_push(runtime, &tasks[0].task);
    rv_ready_push(runtime, &tasks[1].task);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc");
    cr_assert_eq(rv_sim_passes(runtime), 1);
}

struct freed {
    struct rv_task task;
    struct rv_mem *mem;
};

static void free_itself(struct rv_task *task)
{
    struct freed *freed = rv_container_of(task, struct freed, task);

    rv_free(freed->mem, freed);
}

RV_SIM_TEST(ready, may_free_itself)
{
    struct freed *freed = rv_alloc(t->mem, sizeof *freed);

    cr_assert_not_null(freed);
    freed->mem = t->mem;
    rv_task_init(&freed->task, free_itself);
    rv_ready_push(runtime, &freed->task);
    reeve_runtime_run(runtime);
}

/* A chain that never ends by itself, each link of which takes some time. */
struct endless {
    struct rv_task task;
    uint64_t cost_ns;
    bool tells; /* reads the clock, as a task does that works in slices */
    uint64_t links;
    uint64_t end;
};

static void next_link(struct rv_task *task)
{
    struct endless *endless = rv_container_of(task, struct endless, task);

    rv_sim_advance_ns(runtime, endless->cost_ns);
    if (endless->tells)
        rv_precise_now_ns(runtime);
    if (++endless->links < endless->end)
        rv_ready_push(runtime, task);
}

static void start_endless(struct endless *endless, uint64_t cost_ns, bool tells)
{
    *endless = (struct endless){.cost_ns = cost_ns, .tells = tells, .end = UINT64_MAX};
    rv_task_init(&endless->task, next_link);
    rv_ready_push(runtime, &endless->task);
}

/* How long a pass takes, from the second on. */
static uint64_t pass_ns(void)
{
    uint64_t before_ns;

    rv_sim_pass(runtime);
    before_ns = rv_sim_now_ns(runtime);
    rv_sim_pass(runtime);
    return rv_sim_now_ns(runtime) - before_ns;
}

RV_SIM_TEST(slice, ends_after_half_a_millisecond)
{
    static const uint64_t costs_ns[] = {10, 100, 1000, 10000, 60000};
    struct endless endless;
    uint64_t took_ns;
    size_t i;

    for (i = 0; i < sizeof costs_ns / sizeof *costs_ns; i++) {
        start_endless(&endless, costs_ns[i], false);
        took_ns = pass_ns();
        rv_ready_remove(&endless.task);
        cr_assert_geq(took_ns, SLICE_NS);
        /* The clock is read after each task or, while they are short, for every 20 us of them. */
        cr_assert_leq(took_ns, SLICE_NS + costs_ns[i] + 20000, "tasks of %llu ns: %llu ns",
                      (unsigned long long)costs_ns[i], (unsigned long long)took_ns);
    }
}

RV_SIM_TEST(slice, sees_what_a_task_read)
{
    struct endless endless;
    uint64_t took_ns;

    start_endless(&endless, 200000, true);
    took_ns = pass_ns();
    rv_ready_remove(&endless.task);
    cr_assert_eq(took_ns, 600000, "the third link ends the slice: %llu ns",
                 (unsigned long long)took_ns);
}

static uint64_t ticks;

static void tick(struct rv_timer *timer)
{
    ticks++;
    rv_timer_start_ms(runtime, timer, 10);
}

static void count_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    ++*(uint64_t *)arg;
}

RV_SIM_TEST(slice, lets_timers_and_sockets_move)
{
    struct endless endless;
    struct rv_watch *watch;
    struct rv_timer timer;
    uint64_t ready = 0;

    cr_assert_eq(rv_watch_new(runtime, 3, count_ready, &ready, &watch), 0);
    cr_assert_eq(rv_watch_set(watch, RV_WATCH_READ), 0);
    rv_sim_set_ready(runtime, 3, RV_WATCH_READ);
    rv_timer_init(&timer, tick);
    rv_timer_start_ms(runtime, &timer, 10);
    start_endless(&endless, 100, false);
    rv_sim_run_ms(runtime, 1005);
    rv_ready_remove(&endless.task);
    rv_timer_stop(runtime, &timer);
    rv_watch_free(watch);

    cr_assert_geq(ticks, 95, "%llu ticks of 10 ms in a second", (unsigned long long)ticks);
    cr_assert_geq(ready, 1900, "the socket was served %llu times", (unsigned long long)ready);
    cr_assert_geq(endless.links, 9000000, "%llu links", (unsigned long long)endless.links);
}

static void push_endless(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    rv_ready_push(runtime, arg);
}

/* However many descriptors are ready, a pass spends one slice on the queue and no more. */
RV_SIM_TEST(slice, is_one_for_all_entries_of_a_pass)
{
    struct rv_watch *watches[20];
    struct endless endless;
    uint64_t took_ns;
    int i;

    start_endless(&endless, 1000, false);
    for (i = 0; i < 20; i++) {
        cr_assert_eq(rv_watch_new(runtime, i, push_endless, &endless.task, &watches[i]), 0);
        cr_assert_eq(rv_watch_set(watches[i], RV_WATCH_READ), 0);
        rv_sim_set_ready(runtime, i, RV_WATCH_READ);
    }
    took_ns = pass_ns();
    rv_ready_remove(&endless.task);
    for (i = 0; i < 20; i++)
        rv_watch_free(watches[i]);
    cr_assert_leq(took_ns, SLICE_NS + 20000, "%llu ns", (unsigned long long)took_ns);
}

static struct endless bounded;

static void push_bounded(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)watch;
    (void)events;
    (void)arg;
    bounded.end += 100;
    rv_ready_push(runtime, &bounded.task);
}

/* The same where each entry drains to the end: 20 times 0.1 ms. */
RV_SIM_TEST(slice, adds_up_over_entries_that_leave_nothing)
{
    struct rv_watch *watches[20];
    uint64_t before_ns, took_ns;
    int i;

    start_endless(&bounded, 1000, false);
    rv_ready_remove(&bounded.task);
    bounded.end = 0;
    rv_sim_pass(runtime); /* for the wake that the push has armed: it would drain by itself */
    for (i = 0; i < 20; i++) {
        cr_assert_eq(rv_watch_new(runtime, i, push_bounded, NULL, &watches[i]), 0);
        cr_assert_eq(rv_watch_set(watches[i], RV_WATCH_READ), 0);
        rv_sim_set_ready(runtime, i, RV_WATCH_READ);
    }
    before_ns = rv_sim_now_ns(runtime);
    rv_sim_pass(runtime);
    took_ns = rv_sim_now_ns(runtime) - before_ns;
    cr_assert_geq(took_ns, SLICE_NS);
    cr_assert_leq(took_ns, SLICE_NS + 32000, "%llu ns", (unsigned long long)took_ns);
    for (i = 0; i < 20; i++)
        rv_watch_free(watches[i]);
    reeve_runtime_run(runtime);
    cr_assert_eq(bounded.links, bounded.end, "work was lost");
    cr_assert_eq(bounded.links, 20 * 100);
}

RV_SIM_TEST(timer, fires_by_deadline_then_by_start)
{
    static const uint64_t delays_ms[] = {30, 10, 20, 10, 0, 30, 20, 10};
    struct named timers[8];
    int i;

    for (i = 0; i < 8; i++) {
        init_named(&timers[i], (char)('a' + i));
        rv_timer_start_ms(runtime, &timers[i].timer, delays_ms[i]);
        cr_assert(timers[i].timer.armed);
    }
    cr_assert_str_eq(record, "");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ebdhcgaf");
    cr_assert_eq(rv_sim_now_ns(runtime), RV_SIM_START_NS + 30 * RV_NS_PER_MS);
    cr_assert_not(timers[0].timer.armed);
    cr_assert_eq(rv_sim_alarm_ns(runtime), UINT64_MAX, "an idle runtime has an alarm");
}

RV_SIM_TEST(timer, is_never_early)
{
    struct named timer;

    init_named(&timer, 'x');
    rv_timer_start_ms(runtime, &timer.timer, 50);
    rv_sim_run_ms(runtime, 49);
    rv_sim_advance_ns(runtime, RV_NS_PER_MS - 1);
    rv_loop_enter(runtime);
    rv_loop_alarm(runtime);
    rv_loop_leave(runtime);
    cr_assert_str_eq(record, "", "fired a nanosecond early");
    rv_sim_run_ms(runtime, 1);
    cr_assert_str_eq(record, "x");
}

static void stop_other(struct rv_timer *timer)
{
    note_timer(timer);
    rv_timer_stop(runtime, &of_timer(timer)->other->timer);
}

RV_SIM_TEST(timer, may_be_stopped_by_another)
{
    struct named timers[3];
    int i;

    for (i = 0; i < 3; i++) {
        init_named(&timers[i], (char)('a' + i));
        rv_timer_start_ms(runtime, &timers[i].timer, 5);
    }
    timers[0].timer.fire = stop_other;
    timers[0].other = &timers[1];
    timers[2].timer.fire = stop_other; /* itself, which is not armed any more */
    timers[2].other = &timers[2];
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ac");
}

static void start_again(struct rv_timer *timer)
{
    note_timer(timer);
    if (strlen(record) < 4)
        rv_timer_start_ms(runtime, timer, 0);
}

/* Otherwise a timer of 0 ms that starts itself anew would hold the loop. */
RV_SIM_TEST(timer, started_at_once_waits_for_the_next_pass)
{
    struct named timers[2];
    int i;

    for (i = 0; i < 2; i++) {
        init_named(&timers[i], (char)('a' + i));
        rv_timer_start_ms(runtime, &timers[i].timer, 0);
    }
    timers[0].timer.fire = start_again;
    cr_assert(rv_sim_pass(runtime));
    cr_assert_str_eq(record, "ab");
    cr_assert(rv_sim_pass(runtime));
    cr_assert_str_eq(record, "aba");
    cr_assert(rv_sim_pass(runtime));
    cr_assert_str_eq(record, "abaa");
    cr_assert_not(rv_sim_pass(runtime));
}

struct freed_timer {
    struct rv_timer timer;
    struct rv_mem *mem;
};

static void free_timer(struct rv_timer *timer)
{
    struct freed_timer *freed = rv_container_of(timer, struct freed_timer, timer);

    rv_free(freed->mem, freed);
}

RV_SIM_TEST(timer, may_free_itself)
{
    struct freed_timer *freed = rv_alloc(t->mem, sizeof *freed);

    cr_assert_not_null(freed);
    freed->mem = t->mem;
    rv_timer_init(&freed->timer, free_timer);
    rv_timer_start_ms(runtime, &freed->timer, 1);
    reeve_runtime_run(runtime);
}

/* A limit on silence moves away with every byte: the system is not told each time. */
RV_SIM_TEST(timer, that_moves_away_leaves_the_alarm)
{
    struct named timer;
    uint64_t alarm_ns;
    int i;

    init_named(&timer, 'x');
    rv_timer_start_ms(runtime, &timer.timer, 10);
    alarm_ns = rv_sim_alarm_ns(runtime);
    cr_assert_eq(alarm_ns, RV_SIM_START_NS + 10 * RV_NS_PER_MS);
    for (i = 0; i < 9; i++) {
        rv_sim_run_ms(runtime, 1);
        rv_timer_start_ms(runtime, &timer.timer, 10);
        cr_assert_eq(rv_sim_alarm_ns(runtime), alarm_ns);
    }
    rv_sim_run_ms(runtime, 9);
    cr_assert_str_eq(record, "");
    rv_sim_run_ms(runtime, 1);
    cr_assert_str_eq(record, "x");

    rv_timer_start_ms(runtime, &timer.timer, 10);
    rv_timer_start_ms(runtime, &timer.timer, 5);
    cr_assert_eq(rv_sim_alarm_ns(runtime), rv_sim_now_ns(runtime) + 5 * RV_NS_PER_MS);
    rv_timer_stop(runtime, &timer.timer);
    cr_assert_eq(rv_sim_alarm_ns(runtime), UINT64_MAX);
    cr_assert_not(rv_sim_pass(runtime));
}

RV_SIM_TEST(timer, may_be_centuries_away)
{
    struct named timers[2];

    init_named(&timers[0], 'a');
    init_named(&timers[1], 'b');
    rv_timer_start_ms(runtime, &timers[0].timer, UINT64_MAX);
    rv_timer_start_at_ns(runtime, &timers[1].timer, UINT64_MAX);
    rv_sim_run_ms(runtime, 1000000000);
    cr_assert_str_eq(record, "");
    rv_timer_stop(runtime, &timers[0].timer);
    rv_timer_stop(runtime, &timers[1].timer);
}

static struct named started;

static void start_after_holding_the_loop(struct rv_task *task)
{
    (void)task;
    rv_sim_advance_ns(runtime, 1000 * RV_NS_PER_MS);
    rv_timer_start_ms(runtime, &started.timer, 50);
}

/* The host computed for a second inside a callback: a limit of 50 ms starts after that. */
RV_SIM_TEST(timer, counts_from_now_not_from_the_turn)
{
    struct named timer;
    struct rv_task task;

    init_named(&started, 'x');
    rv_task_init(&task, start_after_holding_the_loop);
    rv_ready_push(runtime, &task);
    rv_sim_run_ms(runtime, 1049);
    cr_assert_str_eq(record, "");
    rv_sim_run_ms(runtime, 1);
    cr_assert_str_eq(record, "x");

    init_named(&timer, 'y');
    rv_sim_advance_ns(runtime, 1000 * RV_NS_PER_MS);
    rv_timer_start_ms(runtime, &timer.timer, 50); /* from outside the loop */
    rv_sim_run_ms(runtime, 49);
    cr_assert_str_eq(record, "x");
    rv_sim_run_ms(runtime, 1);
    cr_assert_str_eq(record, "xy");
}

#define MANY 1000

struct costly {
    struct rv_timer timer;
    int number;
};

static int fired;

static void fire_costly(struct rv_timer *timer)
{
    struct costly *costly = rv_container_of(timer, struct costly, timer);

    cr_assert_eq(costly->number, fired, "out of order");
    fired++;
    rv_sim_advance_ns(runtime, 10000);
}

RV_SIM_TEST(timer, when_many_are_due_is_sliced)
{
    static struct costly timers[MANY];
    uint64_t before_ns;
    int i;

    for (i = 0; i < MANY; i++) {
        timers[i].number = i;
        rv_timer_init(&timers[i].timer, fire_costly);
        rv_timer_start_ms(runtime, &timers[i].timer, 5);
    }
    rv_sim_advance_ns(runtime, 5 * RV_NS_PER_MS);
    while (fired < MANY) {
        before_ns = rv_sim_now_ns(runtime);
        cr_assert(rv_sim_pass(runtime));
        cr_assert_leq(rv_sim_now_ns(runtime) - before_ns, SLICE_NS + 80000);
    }
    cr_assert_not(rv_sim_pass(runtime));
}

static struct rv_watch *watches[3];

static void note_watch(struct rv_watch *watch, unsigned events, void *arg)
{
    cr_assert_eq(watch, watches[rv_watch_fd(watch)]);
    note(LETTER_OF(arg));
    note(events == RV_WATCH_READ ? 'r' : events == RV_WATCH_WRITE ? 'w' : '?');
}

/* Frees itself and the one after it, which is ready too. */
static void free_two(struct rv_watch *watch, unsigned events, void *arg)
{
    note_watch(watch, events, arg);
    rv_watch_free(watches[0]);
    rv_watch_free(watches[1]);
}

RV_SIM_TEST(watch, may_free_itself_and_others)
{
    cr_assert_eq(rv_watch_new(runtime, 0, free_two, LETTER('a'), &watches[0]), 0);
    cr_assert_eq(rv_watch_new(runtime, 1, note_watch, LETTER('b'), &watches[1]), 0);
    cr_assert_eq(rv_watch_new(runtime, 2, note_watch, LETTER('c'), &watches[2]), 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(rv_watch_set(watches[i], RV_WATCH_READ), 0);
        rv_sim_set_ready(runtime, i, RV_WATCH_READ | RV_WATCH_WRITE);
    }
    cr_assert(rv_sim_pass(runtime));
    cr_assert_str_eq(record, "arcr");
    rv_watch_free(watches[2]);
    rv_watch_free(NULL);
}

static void stop_watching(struct rv_watch *watch, unsigned events, void *arg)
{
    note_watch(watch, events, arg);
    cr_assert_eq(rv_watch_set(watch, 0), 0);
}

RV_SIM_TEST(watch, ends_within_its_callback)
{
    cr_assert_eq(rv_watch_new(runtime, 0, stop_watching, LETTER('a'), &watches[0]), 0);
    rv_sim_set_ready(runtime, 0, RV_WATCH_READ | RV_WATCH_WRITE);
    cr_assert_not(rv_sim_pass(runtime), "watches nothing at first");
    cr_assert_eq(rv_watch_set(watches[0], RV_WATCH_READ | RV_WATCH_WRITE), 0);
    cr_assert_eq(rv_sim_watched(runtime, 0), RV_WATCH_READ | RV_WATCH_WRITE);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ar");
    rv_watch_free(watches[0]);
}

RV_SIM_TEST(watch, can_be_refused)
{
    cr_assert_eq(rv_watch_new(runtime, 0, note_watch, LETTER('a'), &watches[0]), 0);
    rv_sim_refuse_watching(runtime, REEVE_ENOMEM);
    cr_assert_eq(rv_watch_set(watches[0], RV_WATCH_READ), REEVE_ENOMEM);
    cr_assert_eq(rv_sim_watched(runtime, 0), 0);
    rv_watch_free(watches[0]);
}

struct happening {
    struct rv_sim_event event;
    char name;
};

static void happen(struct rv_sim_event *event)
{
    note(rv_container_of(event, struct happening, event)->name);
}

/* Of the simulated world itself: what it schedules comes in order of time, between the timers. */
RV_SIM_TEST(world, goes_by_its_clock)
{
    struct happening events[4] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    struct named timer;
    int i;

    for (i = 0; i < 4; i++)
        rv_sim_event_init(&events[i].event, happen);
    rv_sim_schedule_ms(runtime, &events[0].event, 20);
    rv_sim_schedule_ms(runtime, &events[1].event, 10);
    rv_sim_schedule_ms(runtime, &events[2].event, 10);
    rv_sim_schedule_ms(runtime, &events[3].event, 5);
    rv_sim_unschedule(runtime, &events[3].event);
    init_named(&timer, 't');
    rv_timer_start_ms(runtime, &timer.timer, 15);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "bcta");
    cr_assert_eq(rv_sim_now_ns(runtime), RV_SIM_START_NS + 20 * RV_NS_PER_MS);
}
