/* SPDX-License-Identifier: MIT */
/* The runtime's life: options, clocks, random numbers, pending operations, slots, posts, the end.
 */
#include "loop/runtime.h"

#include "loop/clock.h"
#include "loop/ready.h"
#include "loop/system.h"
#include "loop/timer.h"
#include "loop/watch.h"
#include "tests/sim/runtime.h"

#include <reeve/error.h>
#include <signal.h>

/* What a program was compiled against when options ended with the allocator. */
struct older_options {
    size_t size;
    const struct reeve_allocator *allocator;
    unsigned char behind[sizeof(uint64_t)]; /* not part of it */
};

RV_TEST(options, of_an_older_version)
{
    struct older_options older;
    struct reeve_runtime *made;

    memset(&older, 0xAA, sizeof older);
    reeve_runtime_options_init_size((struct reeve_runtime_options *)(void *)&older,
                                    offsetof(struct older_options, behind));
    cr_assert_eq(older.size, offsetof(struct older_options, behind));
    cr_assert_null(older.allocator);
    cr_assert_eq(older.behind[0], 0xAA, "wrote behind the caller's struct");

    older.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, (struct reeve_runtime_options *)(void *)&older, &made), 0);
    cr_assert_gt(t->failing.live, 0);
    /* Had 0xAA... behind it been read as a seed, this would be another number than the default's.
     */
    runtime = new_runtime(t);
    cr_assert_eq(rv_runtime_random(made), rv_runtime_random(runtime));
    reeve_runtime_free(runtime);
    reeve_runtime_free(made);
}

struct newer_options {
    struct reeve_runtime_options known;
    uint64_t unknown;
};

RV_TEST(options, of_a_newer_version)
{
    struct newer_options newer;
    struct reeve_runtime *made = NULL;

    memset(&newer, 0xAA, sizeof newer);
    reeve_runtime_options_init_size(&newer.known, sizeof newer);
    cr_assert_eq(newer.unknown, 0);
    cr_assert_eq(reeve_runtime_new(NULL, &newer.known, &made), 0);
    reeve_runtime_free(made);

    made = NULL;
    newer.unknown = 1;
    cr_assert_eq(reeve_runtime_new(NULL, &newer.known, &made), REEVE_EINVAL);
    cr_assert_null(made, "an output was touched on failure");
}

RV_TEST(options, that_are_wrong)
{
    struct reeve_allocator incomplete = t->allocator;
    struct reeve_runtime_options options;
    struct reeve_runtime *made = NULL;

    memset(&options, 0, sizeof options);
    cr_assert_eq(reeve_runtime_new(NULL, &options, &made), REEVE_EINVAL);
    reeve_runtime_options_init(&options);
    options.allocator = &incomplete;
    incomplete.realloc = NULL;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &made), REEVE_EINVAL);
    cr_assert_null(made);
}

RV_TEST(options, none_at_all)
{
    struct reeve_runtime *made;

    cr_assert_eq(reeve_runtime_new(NULL, NULL, &made), 0);
    cr_assert_not_null(reeve_runtime_event_base(made));
    reeve_runtime_free(made);
    reeve_runtime_free(NULL);
}

RV_TEST(random, follows_the_seed)
{
    struct reeve_runtime_options options;
    struct reeve_runtime *made[3];
    uint64_t first[3];
    int i;

    reeve_runtime_options_init(&options);
    for (i = 0; i < 3; i++) {
        options.seed = i < 2 ? t->seed : t->seed + 1;
        cr_assert_eq(reeve_runtime_new(NULL, &options, &made[i]), 0);
        first[i] = rv_runtime_random(made[i]);
    }
    cr_assert_eq(first[0], first[1]);
    cr_assert_neq(first[0], first[2]);
    for (i = 0; i < 1000; i++)
        cr_assert_eq(rv_runtime_random(made[0]), rv_runtime_random(made[1]));
    for (i = 0; i < 3; i++)
        reeve_runtime_free(made[i]);
}

/* Each bit is set about half the time: a generator that sticks or loses bits does not do that. */
RV_SIM_TEST(random, fills_all_bits)
{
    unsigned set[64] = {0};
    uint64_t value;
    int i, bit;

    for (i = 0; i < 10000; i++) {
        value = rv_runtime_random(runtime);
        for (bit = 0; bit < 64; bit++)
            set[bit] += (unsigned)(value >> bit) & 1;
    }
    for (bit = 0; bit < 64; bit++)
        cr_assert(set[bit] > 4700 && set[bit] < 5300, "bit %d: %u of 10000", bit, set[bit]);
}

static uint64_t turns[2];

static void read_clocks(struct rv_task *task)
{
    (void)task;
    turns[0] = rv_turn_now_ns(runtime);
    rv_sim_advance_ns(runtime, 7);
    turns[1] = rv_turn_now_ns(runtime);
    cr_assert_eq(rv_precise_now_ns(runtime), turns[1] + 7);
}

RV_SIM_TEST(clock, stands_still_within_a_turn)
{
    struct rv_task task;
    uint64_t before;

    rv_task_init(&task, read_clocks);
    rv_ready_push(runtime, &task);
    rv_sim_advance_ns(runtime, 1000);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(turns[0], RV_SIM_START_NS + 1000);
    cr_assert_eq(turns[0], turns[1]);

    before = rv_turn_now_ns(runtime);
    rv_sim_advance_ns(runtime, 5);
    cr_assert_eq(rv_turn_now_ns(runtime), before + 5, "outside the loop it is read afresh");
}

RV_SIM_TEST(clock, of_the_wall_goes_its_own_way)
{
    cr_assert_eq(rv_wall_now_ms(runtime), RV_SIM_START_WALL_MS);
    rv_sim_advance_ns(runtime, 3 * RV_NS_PER_MS);
    rv_sim_step_wall_ms(runtime, -1000);
    cr_assert_eq(rv_wall_now_ms(runtime), RV_SIM_START_WALL_MS - 997);
    cr_assert_eq(rv_turn_now_ns(runtime), RV_SIM_START_NS + 3 * RV_NS_PER_MS);
}

struct operation {
    struct rv_pending pending;
    char name;
    int submit_again; /* what that said */
};

static int submit(struct operation *operation);

static void abort_operation(struct rv_pending *pending)
{
    struct operation *operation = rv_container_of(pending, struct operation, pending);

    rv_pending_remove(runtime, pending);
    note(operation->name);
    cr_assert(rv_runtime_closing(runtime));
    cr_assert_not_null(reeve_runtime_event_base(runtime));
    cr_assert_eq(reeve_runtime_hold(runtime), REEVE_ECLOSING);
    operation->submit_again = submit(operation);
}

static int submit(struct operation *operation)
{
    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    rv_pending_add(runtime, &operation->pending, abort_operation);
    return 0;
}

RV_TEST(pending, is_counted_and_aborted_in_order)
{
    struct operation operations[4] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    int i;

    runtime = new_runtime(t);
    for (i = 0; i < 4; i++) {
        cr_assert_eq(submit(&operations[i]), 0);
        cr_assert_eq(reeve_runtime_pending(runtime), (size_t)i + 1);
    }
    rv_pending_remove(runtime, &operations[1].pending);
    cr_assert_eq(reeve_runtime_pending(runtime), 3);
    reeve_runtime_free(runtime);
    cr_assert_str_eq(record, "acd");
    cr_assert_eq(operations[0].submit_again, REEVE_ECLOSING);
}

static struct operation pair[2];

static void abort_both(struct rv_pending *pending)
{
    (void)pending;
    note('1');
    rv_pending_remove(runtime, &pair[0].pending);
    note('2');
    rv_pending_remove(runtime, &pair[1].pending);
}

RV_TEST(pending, may_end_others_with_it)
{
    runtime = new_runtime(t);
    rv_pending_add(runtime, &pair[0].pending, abort_both);
    rv_pending_add(runtime, &pair[1].pending, abort_both);
    reeve_runtime_free(runtime);
    cr_assert_str_eq(record, "12");
}

static void free_slot(void *value)
{
    note(LETTER_OF(value));
    cr_assert_eq(reeve_runtime_pending(runtime), 0);
}

RV_TEST(slot, goes_after_the_pending_in_reverse_order)
{
    struct operation operation = {.name = 'o'};

    runtime = new_runtime(t);
    cr_assert_null(rv_runtime_slot(runtime, RV_SLOT_HTTP));
    rv_runtime_slot_set(runtime, RV_SLOT_FILE, LETTER('f'), free_slot);
    rv_runtime_slot_set(runtime, RV_SLOT_HTTP, LETTER('h'), free_slot);
    cr_assert_eq(rv_runtime_slot(runtime, RV_SLOT_HTTP), LETTER('h'));
    cr_assert_eq(rv_runtime_slot(runtime, RV_SLOT_FILE), LETTER('f'));
    cr_assert_eq(submit(&operation), 0);
    reeve_runtime_free(runtime);
    cr_assert_str_eq(record, "ohf");
}

RV_TEST(end, is_refused_while_a_child_lives, .signal = SIGABRT)
{
    runtime = new_runtime(t);
    rv_runtime_child_add(runtime);
    rv_runtime_child_add(runtime);
    rv_runtime_child_remove(runtime);
    reeve_runtime_free(runtime);
}

RV_SIM_TEST(end, comes_when_the_children_are_gone)
{
    rv_runtime_child_add(runtime);
    rv_runtime_child_remove(runtime);
}

static void free_runtime(struct rv_task *task)
{
    (void)task;
    reeve_runtime_free(runtime);
}

RV_TEST(end, is_refused_inside_a_callback, .signal = SIGABRT)
{
    struct rv_task task;

    runtime = new_runtime(t);
    rv_task_init(&task, free_runtime);
    rv_ready_push(runtime, &task);
    reeve_runtime_run(runtime);
}

static void abort_nothing(struct rv_pending *pending)
{
    (void)pending;
}

RV_TEST(end, is_refused_if_an_abort_does_not_complete, .signal = SIGABRT)
{
    struct rv_pending pending;

    runtime = new_runtime(t);
    rv_pending_add(runtime, &pending, abort_nothing);
    reeve_runtime_free(runtime);
}

static void never(struct rv_task *task)
{
    (void)task;
    cr_assert_fail("ran after all");
}

RV_TEST(end, is_refused_while_a_task_is_queued, .signal = SIGABRT)
{
    struct rv_task task;

    runtime = new_runtime(t);
    rv_task_init(&task, never);
    rv_ready_push(runtime, &task);
    reeve_runtime_free(runtime);
}

static void never_fires(struct rv_timer *timer)
{
    (void)timer;
    cr_assert_fail("fired after all");
}

RV_TEST(end, is_refused_while_a_timer_is_armed, .signal = SIGABRT)
{
    struct rv_timer timer;

    runtime = new_runtime(t);
    rv_timer_init(&timer, never_fires);
    rv_timer_start_ms(runtime, &timer, 1);
    reeve_runtime_free(runtime);
}

static void note_post(struct reeve_runtime *of, void *arg)
{
    cr_assert_eq(of, runtime);
    note(LETTER_OF(arg));
}

static void post_again(struct reeve_runtime *of, void *arg)
{
    struct reeve_post *node = arg;

    note('p');
    if (strlen(record) < 5)
        reeve_runtime_post(of, node);
}

RV_SIM_TEST(post, runs_in_order_between_hold_and_release)
{
    struct reeve_post posts[3];
    int i;

    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert(rv_sim_listening(runtime));
    for (i = 0; i < 3; i++) {
        posts[i] = (struct reeve_post){.run = note_post, .arg = LETTER('a' + i)};
        reeve_runtime_post(runtime, &posts[i]);
    }
    cr_assert_str_eq(record, "", "a post ran inside the call");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc");
    cr_assert(rv_sim_listening(runtime), "only a release ends the hold");
    reeve_runtime_release(runtime);
    cr_assert_not(rv_sim_listening(runtime));
}

RV_SIM_TEST(post, may_post_its_node_again)
{
    struct reeve_post post = {.run = post_again, .arg = &post};

    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_post(runtime, &post);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ppppp");
    reeve_runtime_release(runtime);
}

static struct reeve_post late = {.run = note_post, .arg = LETTER('c')};

static void post_late(struct reeve_runtime *of, void *arg)
{
    note_post(of, arg);
    reeve_runtime_post(of, &late);
}

/* Its signal comes while earlier posts still wait for their turn. */
RV_SIM_TEST(post, made_while_others_are_run_is_not_forgotten)
{
    struct reeve_post posts[2] = {{.run = post_late, .arg = LETTER('a')},
                                  {.run = note_post, .arg = LETTER('b')}};

    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    rv_sim_set_reading_cost_ns(runtime, RV_NS_PER_MS); /* one task a pass */
    reeve_runtime_post(runtime, &posts[0]);
    reeve_runtime_post(runtime, &posts[1]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc");
    reeve_runtime_release(runtime);
}

RV_SIM_TEST(post, made_before_the_last_release_still_runs)
{
    struct reeve_post post = {.run = note_post, .arg = LETTER('x')};

    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_release(runtime);
    cr_assert(rv_sim_listening(runtime), "one of two holds is left");
    reeve_runtime_post(runtime, &post);
    reeve_runtime_release(runtime);
    cr_assert_str_eq(record, "");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "x");
    cr_assert_not(rv_sim_pass(runtime), "something is still pending");
}

static void release_and_note(struct reeve_runtime *of, void *arg)
{
    note(LETTER_OF(arg));
    reeve_runtime_release(of);
}

/* The usual end: the last post says that it is the last. Those behind it run all the same. */
RV_SIM_TEST(post, may_release)
{
    struct reeve_post posts[3] = {{.run = note_post, .arg = LETTER('1')},
                                  {.run = release_and_note, .arg = LETTER('2')},
                                  {.run = note_post, .arg = LETTER('3')}};
    int i;

    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    for (i = 0; i < 3; i++)
        reeve_runtime_post(runtime, &posts[i]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "123");
    cr_assert_not(rv_sim_pass(runtime));
}

RV_TEST(post, runs_at_the_end_before_the_pending_is_aborted)
{
    struct reeve_post posts[2] = {{.run = note_post, .arg = LETTER('1')},
                                  {.run = note_post, .arg = LETTER('2')}};
    struct operation operation = {.name = 'o'};

    runtime = new_runtime(t);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert_eq(submit(&operation), 0);
    reeve_runtime_post(runtime, &posts[0]);
    reeve_runtime_post(runtime, &posts[1]);
    reeve_runtime_release(runtime);
    reeve_runtime_free(runtime);
    cr_assert_str_eq(record, "12o");
}

RV_SIM_TEST(post, can_be_refused_its_hold)
{
    rv_sim_refuse_watching(runtime, REEVE_ESYSTEM);
    cr_assert_eq(reeve_runtime_hold(runtime), REEVE_ESYSTEM);
    rv_sim_refuse_watching(runtime, 0);
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_release(runtime);
    cr_assert_not(rv_sim_listening(runtime), "the refused hold was counted");
}

static int nested;

static void run_inside(struct rv_task *task)
{
    (void)task;
    nested = reeve_runtime_run(runtime);
}

RV_SIM_TEST(run, is_refused_inside_itself)
{
    struct rv_task task;

    rv_task_init(&task, run_inside);
    rv_ready_push(runtime, &task);
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(nested, REEVE_EINVAL);
}

static void note_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    (void)events;
    note(LETTER_OF(arg));
    rv_sim_set_ready(runtime, rv_watch_fd(watch), 0);
}

static int live_through(struct rv_test *run, void *arg)
{
    struct reeve_runtime_options options;
    struct rv_watch *watch;
    int rc;

    (void)arg;
    reeve_runtime_options_init(&options);
    options.allocator = &run->allocator;
    rc = reeve_runtime_new(NULL, &options, &runtime);
    if (rc)
        return rc;
    rc = reeve_runtime_hold(runtime);
    if (rc)
        goto out;
    rc = rv_watch_new(runtime, 3, note_ready, NULL, &watch);
    if (!rc)
        rv_watch_free(watch);
    reeve_runtime_release(runtime);
out:
    reeve_runtime_free(runtime);
    return rc;
}

RV_TEST(memory, may_run_out_at_any_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, live_through, NULL, 4);
}
