/* SPDX-License-Identifier: MIT */
/*
 * Completions that are ended: cancelled, disowned, or their model or runtime freed, at every step
 * and inside every callback.
 */
#include "tests/sim/completion-world.h"

#include "model/completion.h"

#include <stdio.h>
#include <string.h>

enum { MOST_PASSES = 1000 };

/* A bit of everything, with waits between, so that there are many steps. */
static void slow_stream(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        TEXT("Hel"), TEXT("lo"), CALL("0", "x", "look", "{"), FINISH("tool_calls"), DONE,
    };
    size_t i;

    (void)arg;
    rv_sim_http_connect_ms(exchange, 3);
    rv_sim_http_wait(exchange, 3);
    rv_sim_http_status(exchange, 200);
    rv_sim_http_field(exchange, "content-type", "text/event-stream");
    for (i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        rv_sim_http_wait(exchange, 1);
        rv_sim_http_text(exchange, pieces[i]);
    }
    rv_sim_http_wait(exchange, 1);
}

static void open_world(struct world *world, struct rv_test *t)
{
    world_init(world, t);
    cr_assert_eq(world_open(world), 0);
    rv_sim_http_on(world->net, "POST", "/chat/completions", NULL, slow_stream, NULL);
    cr_assert_eq(world_ask(world), 0);
}

/* False: there are not so many passes. */
static bool pass(struct world *world, unsigned passes)
{
    while (passes && rv_sim_pass(world->runtime))
        passes--;
    return !passes;
}

static void cancel(struct world *world)
{
    if (!world->completion)
        return;
    reeve_completion_cancel(world->completion);
    if (world->completion)
        reeve_completion_cancel(world->completion);
}

static void free_model(struct world *world)
{
    reeve_model_free(world->model);
    world->model = NULL;
}

static void free_runtime(struct world *world)
{
    free_model(world);
    reeve_runtime_free(world->runtime);
    world->runtime = NULL;
    world->net = NULL;
}

/* Do it after each number of passes; the end comes within it or, if `later`, from the loop. */
static unsigned end_at_every_step(struct rv_test *t, void (*end)(struct world *world), bool later)
{
    struct world world;
    unsigned step, ended = 0;

    for (step = 0; step < MOST_PASSES; step++) {
        bool goes_on;
        unsigned done;

        open_world(&world, t);
        goes_on = pass(&world, step);
        done = world.done;
        end(&world);
        if (!done && later)
            cr_assert_eq(world.done, 0, "the callback came inside the call");
        if (world.runtime)
            cr_assert_eq(reeve_runtime_run(world.runtime), 0);
        cr_assert_eq(world.done, 1, "step %u", step);
        cr_assert_eq(world.error, done ? 0 : REEVE_ECANCELED);
        if (!done)
            cr_assert(strstr(world.detail.message, WORLD_URL));
        ended += !done;
        world_close(&world);
        if (!goes_on)
            break;
    }
    cr_assert_lt(step, MOST_PASSES);
    return ended;
}

RV_TEST(completion, can_be_cancelled_at_every_step, .timeout = 60)
{
    unsigned steps = end_at_every_step(t, cancel, true);

    fprintf(stderr, "cancelled at %u steps\n", steps);
    cr_assert_geq(steps, 8);
}

RV_TEST(completion, ends_with_its_model_at_every_step, .timeout = 60)
{
    cr_assert_geq(end_at_every_step(t, free_model, false), 8);
}

RV_TEST(completion, ends_with_its_runtime_at_every_step, .timeout = 60)
{
    cr_assert_geq(end_at_every_step(t, free_runtime, false), 8);
}

static void disown(struct world *world)
{
    if (world->completion)
        rv_completion_disown(world->completion);
}

RV_TEST(completion, says_nothing_once_disowned)
{
    struct world world;
    unsigned step, done;
    bool goes_on = true;

    for (step = 0; goes_on; step++) {
        open_world(&world, t);
        goes_on = pass(&world, step);
        done = world.done;
        disown(&world);
        cr_assert_eq(reeve_runtime_run(world.runtime), 0);
        cr_assert_eq(reeve_runtime_pending(world.runtime), 0);
        cr_assert_eq(world.done, done);
        world_close(&world);
    }
    cr_assert_geq(step, 8);
}

/* ---- inside callbacks ---- */

static void run_with(struct rv_test *t, void (*in_text)(struct world *), int error, unsigned pieces)
{
    struct world world;

    open_world(&world, t);
    world.in_text = in_text;
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    cr_assert_eq(world.done, 1);
    cr_assert_eq(world.error, error);
    cr_assert_eq(world.pieces, pieces);
    cr_assert_eq(reeve_runtime_pending(world.runtime), 0);
    world_close(&world);
}

static void cancel_at_second(struct world *world)
{
    if (world->pieces == 2)
        cancel(world);
}

RV_TEST(completion, can_be_ended_inside_on_text)
{
    run_with(t, cancel, REEVE_ECANCELED, 1);
    run_with(t, cancel_at_second, REEVE_ECANCELED, 2);
    run_with(t, free_model, REEVE_ECANCELED, 1);
}

/* All text in one piece of the network: what follows the end in it is not looked at. */
RV_TEST(completion, can_be_ended_between_two_events_of_one_piece)
{
    static void (*const ends[])(struct world *) = {cancel, free_model};
    struct world world;
    size_t i;

    for (i = 0; i < sizeof ends / sizeof *ends; i++) {
        world_init(&world, t);
        cr_assert_eq(world_open(&world), 0);
        world_reply(&world, 200, "text/event-stream", TEXT("a") TEXT("b") "data: oops\n\n");
        world.in_text = ends[i];
        cr_assert_eq(world_run(&world), REEVE_ECANCELED);
        cr_assert_str_eq(world.final.data, "a");
        cr_assert_eq(world.pieces, 1);
        world_close(&world);
    }
}

/* The last of the text is only told when the response ends: half a character. */
RV_TEST(completion, can_be_ended_inside_the_last_on_text)
{
    static void (*const ends[])(struct world *) = {cancel, free_model};
    static const char *const bodies[] = {
        DATA("{\"choices\":[{\"delta\":{\"content\":\"\xC3\"}}]}") FINISH("stop"), TEXT("\xC3")};
    struct world world;
    size_t i, k;

    for (i = 0; i < sizeof ends / sizeof *ends; i++)
        for (k = 0; k < sizeof bodies / sizeof *bodies; k++) {
            world_init(&world, t);
            cr_assert_eq(world_open(&world), 0);
            world_reply(&world, 200, "text/event-stream", bodies[k]);
            world.in_text = ends[i];
            world_run(&world);
            cr_assert_eq(world.pieces, 1);
            cr_assert(world.error == REEVE_ECANCELED || (k == 1 && world.error == REEVE_ECUTSHORT));
            world_close(&world);
        }
}

static void ask_again(struct world *world)
{
    if (world->done == 1) {
        struct reeve_completion *again;

        cr_assert_eq(reeve_complete(world->model, &world->options, &again), 0);
        reeve_completion_cancel(world->completion); /* over: no effect */
        world->in_done = NULL;
    }
}

RV_TEST(completion, may_be_followed_by_another_inside_on_done)
{
    struct world world;

    world_init(&world, t);
    world.options.on_text = NULL;
    cr_assert_eq(world_open(&world), 0);
    rv_sim_http_on(world.net, "POST", "/chat/completions", NULL, slow_stream, NULL);
    world.in_done = ask_again;
    cr_assert_eq(world_ask(&world), 0);
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    cr_assert_eq(world.done, 2);
    cr_assert_eq(rv_sim_http_count(world.net), 2);
    world_close(&world);
}

RV_TEST(completion, lets_its_model_be_freed_inside_on_done)
{
    struct world world;

    open_world(&world, t);
    world.in_done = free_model;
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    cr_assert_eq(world.done, 1);
    cr_assert_eq(world.error, 0);
    world_close(&world);
}

static void is_refused(struct world *world)
{
    struct reeve_completion *completion;

    cr_assert_eq(reeve_complete(world->model, &world->options, &completion), REEVE_ECLOSING);
}

RV_TEST(completion, is_refused_by_a_model_that_is_being_freed)
{
    struct world world;

    open_world(&world, t);
    world.in_done = is_refused;
    free_model(&world);
    cr_assert_eq(world.done, 1);
    world_close(&world);
}

/* Three at once, the first one's on_text frees the model. */
RV_TEST(completion, ends_together_with_its_neighbours)
{
    struct reeve_completion *others[2];
    struct world world;
    unsigned done;

    world_init(&world, t);
    cr_assert_eq(world_open(&world), 0);
    rv_sim_http_on(world.net, "POST", "/chat/completions", NULL, slow_stream, NULL);
    cr_assert_eq(world_ask(&world), 0);
    world.options.on_text = NULL;
    cr_assert_eq(reeve_complete(world.model, &world.options, &others[0]), 0);
    cr_assert_eq(reeve_complete(world.model, &world.options, &others[1]), 0);
    world.in_text = free_model;
    cr_assert_eq(reeve_runtime_pending(world.runtime), 3);
    cr_assert_eq(reeve_runtime_run(world.runtime), 0);
    done = world.done;
    cr_assert_eq(done, 3);
    cr_assert_eq(world.error, REEVE_ECANCELED);
    world_close(&world);
}

/* The runtime goes while a request that ended inside its own callback is still to be buried. */
RV_TEST(completion, is_buried_with_its_runtime, .timeout = 60)
{
    struct world world;
    unsigned step;

    for (step = 0; step < MOST_PASSES; step++) {
        open_world(&world, t);
        world.in_text = free_model;
        while (!world.done && rv_sim_pass(world.runtime))
            ;
        cr_assert_eq(world.error, REEVE_ECANCELED);
        if (!pass(&world, step)) {
            world_close(&world);
            break;
        }
        free_runtime(&world);
        world_close(&world);
    }
    cr_assert_lt(step, MOST_PASSES);
}
