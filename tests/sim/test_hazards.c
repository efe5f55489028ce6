/* SPDX-License-Identifier: MIT */
/* The order of calls by itself: all added at once, over in any order that their turns allow. */
#include "tool/hazards.h"

#include "tests/lib/test.h"
#include "tests/sim/sim.h"

#include <pthread.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 60, ROUNDS = 300 };

struct scene;

struct entry {
    struct rv_place place;
    struct scene *scene;
    enum reeve_effect effect;
    bool had_turn;
    bool over;
};

struct scene {
    struct rv_hazards hazards;
    struct entry entries[CALLS];
    size_t count;
    size_t turns;
};

static void turn(struct rv_step *step)
{
    struct entry *entry = rv_container_of(step, struct entry, place.step);

    cr_assert_not(entry->had_turn);
    entry->had_turn = true;
    entry->scene->turns++;
}

/* Is there one before b, in the order of adding, that it must wait for and that is not over? */
static bool must_wait(const struct scene *scene, size_t b)
{
    size_t a;

    if (scene->hazards.grouping == REEVE_GROUPING_NONE)
        return false;
    for (a = 0; a < b; a++)
        if (!scene->entries[a].over && !(scene->entries[a].effect == REEVE_EFFECT_READ &&
                                         scene->entries[b].effect == REEVE_EFFECT_READ))
            return true;
    return false;
}

/* Those, and no others, have had their turn that need not wait. */
static void check_turns(const struct scene *scene)
{
    size_t i;

    for (i = 0; i < scene->count; i++)
        cr_assert_eq(scene->entries[i].had_turn, !must_wait(scene, i), "call %zu", i);
}

static void end_one(struct scene *scene, struct rv_test *t)
{
    size_t i;

    do {
        i = rv_test_random(t) % scene->count;
    } while (!scene->entries[i].had_turn || scene->entries[i].over);
    scene->entries[i].over = true;
    rv_hazards_leave(&scene->hazards, &scene->entries[i].place);
}

static bool anything_blocks(const struct scene *scene)
{
    size_t i;

    for (i = 0; i < scene->count; i++)
        if (!scene->entries[i].over && scene->entries[i].effect != REEVE_EFFECT_READ)
            return scene->hazards.grouping != REEVE_GROUPING_NONE;
    return false;
}

static void play(struct rv_test *t, struct reeve_runtime *runtime, enum reeve_grouping grouping)
{
    static struct scene scene;
    size_t left = 1 + rv_test_random(t) % CALLS, open = 0;
    unsigned reads = 2 + (unsigned)(rv_test_random(t) % 8);

    memset(&scene, 0, sizeof scene);
    rv_hazards_init(&scene.hazards, runtime, grouping);
    while (left || open) {
        if (left && (!open || rv_test_random(t) % 3)) {
            struct entry *entry = &scene.entries[scene.count++];

            entry->scene = &scene;
            entry->effect = rv_test_random(t) % 10 < reads ? REEVE_EFFECT_READ
                            : rv_test_random(t) % 2        ? REEVE_EFFECT_WRITE
                                                           : REEVE_EFFECT_UNKNOWN;
            rv_hazards_add(&scene.hazards, &entry->place, entry->effect, turn);
            left--;
            open++;
        } else {
            end_one(&scene, t);
            open--;
        }
        cr_assert_eq(reeve_runtime_run(runtime), 0);
        check_turns(&scene);
        cr_assert_eq(rv_hazards_blocked(&scene.hazards), anything_blocks(&scene));
    }
    cr_assert_eq(scene.turns, scene.count);
}

static struct reeve_runtime *open_runtime(struct rv_test *t)
{
    struct reeve_runtime_options options;
    struct reeve_runtime *runtime;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &runtime), 0);
    return runtime;
}

RV_TEST(hazards, each_has_its_turn_as_soon_as_it_may_and_no_sooner, .timeout = 60)
{
    struct reeve_runtime *runtime = open_runtime(t);
    int round;

    for (round = 0; round < ROUNDS; round++)
        play(t, runtime, round % 4 ? REEVE_GROUPING_HAZARDS : REEVE_GROUPING_NONE);
    reeve_runtime_free(runtime);
}

RV_TEST(hazards, writes_first_takes_the_reads_in_a_second_pass)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct rv_hazards hazards;

    rv_hazards_init(&hazards, runtime, REEVE_GROUPING_WRITES_FIRST);
    cr_assert_eq(rv_hazards_passes(&hazards), 2);
    cr_assert(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_WRITE));
    cr_assert(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_UNKNOWN));
    cr_assert_not(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_READ));
    cr_assert_not(rv_hazards_pass(&hazards, 1, REEVE_EFFECT_WRITE));
    cr_assert_not(rv_hazards_pass(&hazards, 1, REEVE_EFFECT_UNKNOWN));
    cr_assert(rv_hazards_pass(&hazards, 1, REEVE_EFFECT_READ));
    rv_hazards_init(&hazards, runtime, REEVE_GROUPING_HAZARDS);
    cr_assert_eq(rv_hazards_passes(&hazards), 1);
    cr_assert(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_READ));
    reeve_runtime_free(runtime);
}

/*
 * A million calls, each waiting for the one before, on a stack of 256 KB: nothing recurses, whether
 * the places are all taken beforehand or the batch takes them as it goes.
 */

enum { LONG = 1000000, SMALL_STACK_BYTES = 256 * 1024 };

struct link {
    struct rv_place place;
    struct rv_hazards *hazards;
};

static void leave_at_once(struct rv_step *step)
{
    struct link *link = rv_container_of(step, struct link, place.step);

    rv_hazards_leave(link->hazards, &link->place);
}

static void *run_links(void *arg)
{
    struct reeve_runtime *runtime = arg;
    struct link *links = calloc(LONG, sizeof *links);
    struct rv_hazards hazards;
    size_t i, over = 0;

    rv_hazards_init(&hazards, runtime, REEVE_GROUPING_HAZARDS);
    for (i = 0; links && i < LONG; i++) {
        links[i].hazards = &hazards;
        rv_hazards_add(&hazards, &links[i].place, i % 3 ? REEVE_EFFECT_READ : REEVE_EFFECT_WRITE,
                       leave_at_once);
    }
    reeve_runtime_run(runtime);
    for (i = 0; links && i < LONG; i++)
        over += links[i].place.step.over;
    free(links);
    return over == LONG ? runtime : NULL;
}

static int finish_at_once(struct reeve_tool_call *call, void *arg)
{
    ++*(size_t *)arg;
    reeve_tool_call_finish(call, NULL, 0);
    return 0;
}

static void note_success(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};

    *(bool *)arg = !error && !reeve_batch_stats(batch, &stats) && stats.succeeded == LONG &&
                   stats.peak_running == 1;
}

static void *run_batch(void *arg)
{
    struct reeve_runtime *runtime = arg;
    struct reeve_call *calls = calloc(LONG, sizeof *calls);
    struct reeve_batch_options options;
    struct reeve_toolbox *toolbox;
    struct reeve_batch *batch;
    struct reeve_tool tool;
    size_t started = 0, i;
    bool well = false;

    for (i = 0; i < LONG; i++)
        calls[i] = (struct reeve_call){.id = "1", .name = "set"};
    reeve_tool_init(&tool);
    tool.name = "set";
    tool.effect = REEVE_EFFECT_WRITE;
    tool.start = finish_at_once;
    tool.arg = &started;
    reeve_toolbox_new(runtime, &toolbox);
    reeve_toolbox_add(toolbox, &tool);
    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.on_done = note_success;
    options.arg = &well;
    if (!reeve_batch_run(toolbox, calls, LONG, &options, &batch))
        reeve_runtime_run(runtime);
    reeve_toolbox_free(toolbox);
    free(calls);
    return well && started == LONG ? runtime : NULL;
}

static void run_on_a_small_stack(struct rv_test *t, void *(*run)(void *arg))
{
    struct reeve_runtime *runtime = open_runtime(t);
    pthread_attr_t attributes;
    pthread_t thread;
    void *well;

    cr_assert_eq(pthread_attr_init(&attributes), 0);
    cr_assert_eq(pthread_attr_setstacksize(&attributes, SMALL_STACK_BYTES), 0);
    cr_assert_eq(pthread_create(&thread, &attributes, run, runtime), 0);
    cr_assert_eq(pthread_join(thread, &well), 0);
    pthread_attr_destroy(&attributes);
    cr_assert_not_null(well);
    reeve_runtime_free(runtime);
}

RV_TEST(hazards, a_million_places_in_a_row, .timeout = 60)
{
    run_on_a_small_stack(t, run_links);
}

RV_TEST(hazards, a_million_calls_in_a_row, .timeout = 120)
{
    run_on_a_small_stack(t, run_batch);
}
