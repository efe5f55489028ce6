/* SPDX-License-Identifier: MIT */
/* Semaphore and chain on the simulated loop. */
#include "flow/chain.h"
#include "flow/semaphore.h"
#include "tests/sim/runtime.h"

#define WORKERS 8

struct worker {
    struct rv_permit permit;
    char name;
};

static struct rv_semaphore semaphore;
static struct worker workers[WORKERS];
static unsigned running;
static unsigned most_running;

static void work(struct rv_permit *permit)
{
    note(rv_container_of(permit, struct worker, permit)->name);
    cr_assert(permit->held);
    running++;
    most_running = running > most_running ? running : most_running;
}

static void set_up_workers(uint32_t limit)
{
    int i;

    rv_semaphore_init(&semaphore, runtime, limit);
    for (i = 0; i < WORKERS; i++) {
        workers[i].name = (char)('a' + i);
        rv_permit_init(&workers[i].permit, work);
    }
}

static void finish(int i)
{
    running--;
    rv_permit_release(&workers[i].permit);
}

RV_SIM_TEST(semaphore, grants_in_the_order_of_asking)
{
    int i;

    set_up_workers(3);
    for (i = 0; i < WORKERS; i++)
        rv_permit_acquire(&semaphore, &workers[i].permit);
    cr_assert_str_eq(record, "", "granted inside the call");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc");
    finish(1);
    cr_assert_str_eq(record, "abc", "granted inside the release");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abcd");
    for (i = 0; i < WORKERS; i++) {
        if (i != 1)
            finish(i);
        reeve_runtime_run(runtime);
    }
    cr_assert_str_eq(record, "abcdefgh");
    cr_assert_eq(most_running, 3);
    cr_assert_eq(semaphore.held, 0);
}

RV_SIM_TEST(semaphore, lets_nobody_overtake_a_permit_on_its_way)
{
    set_up_workers(1);
    rv_permit_acquire(&semaphore, &workers[0].permit);
    rv_permit_acquire(&semaphore, &workers[1].permit);
    reeve_runtime_run(runtime);
    finish(0); /* it is now on its way to b */
    rv_permit_acquire(&semaphore, &workers[2].permit);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ab");
    finish(1);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc");
    finish(2);
}

RV_SIM_TEST(semaphore, takes_back_what_is_waited_for_or_on_its_way)
{
    set_up_workers(1);
    rv_permit_acquire(&semaphore, &workers[0].permit);
    rv_permit_acquire(&semaphore, &workers[1].permit);
    rv_permit_acquire(&semaphore, &workers[2].permit);
    rv_permit_release(&workers[1].permit); /* waits */
    rv_permit_release(&workers[0].permit); /* is on its way: goes to c */
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "c");
    finish(2);
    rv_permit_release(&workers[2].permit);
    rv_permit_release(&workers[3].permit);
    cr_assert_eq(semaphore.held, 0, "releasing what is not held gave a permit back");

    rv_permit_acquire(&semaphore, &workers[2].permit);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "cc");
    finish(2);
}

/* Random acquiring and releasing against the rule: at most `limit`, none idle while one waits. */
RV_SIM_TEST(semaphore, neither_exceeds_nor_idles)
{
    bool wants[WORKERS] = {false};
    unsigned wanting, held;
    int step, i;

    set_up_workers(3);
    for (step = 0; step < 5000; step++) {
        i = (int)(rv_test_random(t) % WORKERS);
        if (wants[i])
            rv_permit_release(&workers[i].permit);
        else
            rv_permit_acquire(&semaphore, &workers[i].permit);
        wants[i] = !wants[i];
        record[0] = '\0';
        if (rv_test_random(t) % 3)
            continue;
        reeve_runtime_run(runtime);
        wanting = held = 0;
        for (i = 0; i < WORKERS; i++) {
            wanting += wants[i];
            held += workers[i].permit.held;
            cr_assert(wants[i] || !workers[i].permit.held);
        }
        cr_assert_eq(held, wanting < 3 ? wanting : 3);
        cr_assert_eq(semaphore.held, held);
    }
    for (i = 0; i < WORKERS; i++)
        rv_permit_release(&workers[i].permit);
    rv_ready_remove(&workers[0].permit.task);
}

static struct rv_step steps[6];
static struct rv_chain_edge edges[8];

static void run_step(struct rv_step *step)
{
    note((char)('a' + (step - steps)));
}

static void set_up_steps(void)
{
    int i;

    for (i = 0; i < 6; i++)
        rv_step_init(&steps[i], runtime, run_step);
}

RV_SIM_TEST(chain, waits_for_all_that_is_before)
{
    set_up_steps();
    rv_step_put_after(&steps[2], &steps[0], &edges[0]);
    rv_step_put_after(&steps[2], &steps[1], &edges[1]);
    rv_step_put_after(&steps[3], &steps[2], &edges[2]);
    rv_step_start(&steps[0]);
    rv_step_start(&steps[1]);
    rv_step_start(&steps[2]);
    rv_step_start(&steps[3]);
    cr_assert_str_eq(record, "", "ran inside the call");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ab");
    rv_step_finish(&steps[0]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ab");
    rv_step_finish(&steps[1]);
    cr_assert_str_eq(record, "ab", "ran inside the finish");
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abc");
    rv_step_finish(&steps[2]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "abcd");
    rv_step_finish(&steps[3]);
    cr_assert_not(rv_sim_pass(runtime));
}

RV_SIM_TEST(chain, does_not_wait_for_what_is_over)
{
    set_up_steps();
    rv_step_start(&steps[0]);
    reeve_runtime_run(runtime);
    rv_step_finish(&steps[0]);
    rv_step_put_after(&steps[1], &steps[0], &edges[0]);
    rv_step_start(&steps[1]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ab");
    rv_step_finish(&steps[1]);
}

/* All that it waited for may be over before the last word about it is said. */
RV_SIM_TEST(chain, does_not_run_before_it_is_started)
{
    set_up_steps();
    rv_step_put_after(&steps[1], &steps[0], &edges[0]);
    rv_step_start(&steps[0]);
    rv_step_finish(&steps[0]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "", "or: a step ran that was over");
    rv_step_start(&steps[1]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "b");
    rv_step_finish(&steps[1]);
}

RV_SIM_TEST(chain, goes_on_past_a_step_that_is_over_while_it_waits)
{
    set_up_steps();
    rv_step_put_after(&steps[1], &steps[0], &edges[0]);
    rv_step_put_after(&steps[2], &steps[1], &edges[1]);
    rv_step_start(&steps[0]);
    rv_step_start(&steps[1]);
    rv_step_start(&steps[2]);
    reeve_runtime_run(runtime);
    rv_step_finish(&steps[1]); /* cancelled */
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ac");
    rv_step_finish(&steps[0]);
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "ac", "a step ran that was over");
    rv_step_finish(&steps[2]);
}

/* The original's hang: a write, then five reads behind it, under a limit of five permits. A step
 * that waits holds none. */
static struct {
    struct rv_step step;
    struct rv_permit permit;
    struct rv_chain_edge edge;
} calls[6];

static void ask_for_permit(struct rv_step *step)
{
    size_t i = 0;

    while (&calls[i].step != step)
        i++;
    rv_permit_acquire(&semaphore, &calls[i].permit);
}

static void run_call(struct rv_permit *permit)
{
    size_t i = 0;

    while (&calls[i].permit != permit)
        i++;
    note((char)('0' + i));
    rv_permit_release(permit);
    rv_step_finish(&calls[i].step);
}

RV_SIM_TEST(chain, does_not_starve_behind_its_own_successors)
{
    int i;

    rv_semaphore_init(&semaphore, runtime, 5);
    for (i = 5; i >= 0; i--) {
        rv_step_init(&calls[i].step, runtime, ask_for_permit);
        rv_permit_init(&calls[i].permit, run_call);
    }
    for (i = 5; i >= 0; i--) {
        if (i > 0)
            rv_step_put_after(&calls[i].step, &calls[0].step, &calls[i].edge);
        rv_step_start(&calls[i].step);
    }
    reeve_runtime_run(runtime);
    cr_assert_str_eq(record, "054321");
}

/* Depth costs neither stack nor time: a million links, each started by the one before. */
#define LINKS 1000000

static struct rv_step *links;
static size_t links_run;

static void run_link(struct rv_step *step)
{
    links_run++;
    rv_step_finish(step);
}

RV_SIM_TEST(chain, may_be_a_million_long, .timeout = 60)
{
    struct rv_chain_edge *between = rv_alloc_array(t->mem, LINKS, sizeof *between);
    size_t i;

    links = rv_alloc_array(t->mem, LINKS, sizeof *links);
    cr_assert(links && between);
    for (i = 0; i < LINKS; i++) {
        rv_step_init(&links[i], runtime, run_link);
        if (i)
            rv_step_put_after(&links[i], &links[i - 1], &between[i]);
    }
    for (i = LINKS; i-- > 0;)
        rv_step_start(&links[i]);
    reeve_runtime_run(runtime);
    cr_assert_eq(links_run, LINKS);
    rv_free(t->mem, between);
    rv_free(t->mem, links);
}
