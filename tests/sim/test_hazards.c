/* SPDX-License-Identifier: MIT */
/* The order of calls by itself: all added at once, over in any order that their turns allow. */
#include "tool/hazards.h"

#include "loop/runtime.h"
#include "tests/lib/test.h"
#include "tests/sim/sim.h"

#include <pthread.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 60, ROUNDS = 1500, CLAIMS = 3 };

struct scene;

/* One thing that a call touches. */
struct touch {
    const char *kind; /* NULL: everything */
    const char *key;
    bool writes;
};

struct entry {
    struct rv_place place;
    struct scene *scene;
    struct touch touches[CLAIMS];
    size_t count;
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

/* Is the path `above` the other one, or the same? By their names, not their letters. */
static bool covers(const char *above, const char *path)
{
    size_t len = strlen(above);

    return !strcmp(above, "/") ||
           (!strncmp(above, path, len) && (path[len] == '\0' || path[len] == '/'));
}

static bool is_common(const struct touch *a, const struct touch *b)
{
    if (!a->kind || !b->kind)
        return true;
    if (strcmp(a->kind, b->kind) != 0)
        return false;
    if (strcmp(a->kind, REEVE_RESOURCE_PATH) != 0)
        return !strcmp(a->key, b->key);
    return covers(a->key, b->key) || covers(b->key, a->key);
}

static bool conflict(const struct entry *a, const struct entry *b)
{
    size_t i, k;

    for (i = 0; i < a->count; i++)
        for (k = 0; k < b->count; k++)
            if ((a->touches[i].writes || b->touches[k].writes) &&
                is_common(&a->touches[i], &b->touches[k]))
                return true;
    return false;
}

/* Is there one before b, in the order of adding, that it must wait for and that is not over? */
static bool must_wait(const struct scene *scene, size_t b)
{
    size_t a;

    if (scene->hazards.grouping == REEVE_GROUPING_NONE)
        return false;
    for (a = 0; a < b; a++)
        if (!scene->entries[a].over && conflict(&scene->entries[a], &scene->entries[b]))
            return true;
    return false;
}

/* Those, and no others, have had their turn that need not wait. */
static void check_turns(const struct scene *scene, unsigned round)
{
    size_t i;

    for (i = 0; i < scene->count; i++)
        cr_assert_eq(scene->entries[i].had_turn, !must_wait(scene, i), "round %u, call %zu", round,
                     i);
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
    size_t i, k;

    for (i = 0; i < scene->count; i++)
        for (k = 0; k < scene->entries[i].count; k++)
            if (!scene->entries[i].over && scene->entries[i].touches[k].writes &&
                !scene->entries[i].touches[k].kind)
                return scene->hazards.grouping != REEVE_GROUPING_NONE;
    return false;
}

static struct touch pick_touch(struct rv_test *t, unsigned of_ten, bool barriers)
{
    static const char *const paths[] = {"/",        "/a",   "/a/b",    "/a/b/c", "/a/bc",
                                        "/a/b/c/d", "/ab",  "/ab/c",   "/a/d",   "/a/e",
                                        "/a/f",     "/x/y", "/x/y/z/", "/a/b/e", "/a/b/f"};
    struct touch touch = {.writes = rv_test_random(t) % 10 >= of_ten};
    uint64_t which = rv_test_random(t) % 24;

    if (which < 15)
        touch = (struct touch){REEVE_RESOURCE_PATH, paths[which], touch.writes};
    else if (which < 18)
        touch = (struct touch){"db", which == 15 ? "/a" : which == 16 ? "/a/b" : "t", touch.writes};
    else if (which == 18)
        touch = (struct touch){"d", "b/a", touch.writes};
    else if (which < 22 || !barriers)
        touch = (struct touch){REEVE_RESOURCE_PATH, "/a/b", touch.writes};
    return touch;
}

static void take_place(struct scene *scene, struct entry *entry)
{
    struct rv_hazards *hazards = &scene->hazards;
    struct rv_resource *resource;
    size_t i;

    rv_hazards_begin(hazards, &entry->place, turn);
    for (i = 0; i < entry->count; i++) {
        const struct touch *touch = &entry->touches[i];

        resource = touch->kind ? rv_resources_find(&hazards->resources, touch->kind, touch->key)
                               : rv_hazards_everything(hazards);
        cr_assert_eq(rv_hazards_touch(hazards, &entry->place, resource, touch->writes), 0);
    }
    rv_hazards_take(hazards, &entry->place);
}

static void add_one(struct scene *scene, struct rv_test *t, unsigned reads, bool barriers)
{
    struct entry *entry = &scene->entries[scene->count++];

    entry->scene = scene;
    entry->count = rv_test_random(t) % 3 ? 1 : rv_test_random(t) % (CLAIMS + 1);
    for (size_t i = 0; i < entry->count; i++)
        entry->touches[i] = pick_touch(t, reads, barriers);
    take_place(scene, entry);
}

static void play(struct rv_test *t, struct reeve_runtime *runtime, enum reeve_grouping grouping,
                 unsigned round)
{
    static struct scene scene;
    size_t left = 1 + rv_test_random(t) % CALLS, open = 0;
    unsigned reads = 2 + (unsigned)(rv_test_random(t) % 8);
    unsigned haste = 2 + (unsigned)(rv_test_random(t) % 8);

    memset(&scene, 0, sizeof scene);
    rv_hazards_init(&scene.hazards, runtime, t->mem, grouping);
    while (left || open) {
        if (left && (!open || rv_test_random(t) % haste)) {
            add_one(&scene, t, reads, round % 2);
            left--;
            open++;
        } else {
            end_one(&scene, t);
            open--;
        }
        if (rv_test_random(t) % 4)
            cr_assert_eq(reeve_runtime_run(runtime), 0);
        if (!open && rv_test_random(t) % 2)
            rv_hazards_forget(&scene.hazards);
        cr_assert_eq(reeve_runtime_run(runtime), 0);
        check_turns(&scene, round);
        cr_assert_eq(rv_hazards_blocked(&scene.hazards), anything_blocks(&scene));
    }
    cr_assert_eq(scene.turns, scene.count);
    cr_assert_eq(scene.hazards.everything.live, 0);
    rv_hazards_done(&scene.hazards);
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
    unsigned round;

    for (round = 0; round < ROUNDS; round++)
        play(t, runtime, round % 8 ? REEVE_GROUPING_HAZARDS : REEVE_GROUPING_NONE, round);
    reeve_runtime_free(runtime);
}

RV_TEST(hazards, writes_first_takes_the_reads_in_a_second_pass)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct rv_hazards hazards;

    rv_hazards_init(&hazards, runtime, t->mem, REEVE_GROUPING_WRITES_FIRST);
    cr_assert_eq(rv_hazards_passes(&hazards), 2);
    cr_assert(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_WRITE));
    cr_assert(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_UNKNOWN));
    cr_assert_not(rv_hazards_pass(&hazards, 0, REEVE_EFFECT_READ));
    cr_assert_not(rv_hazards_pass(&hazards, 1, REEVE_EFFECT_WRITE));
    cr_assert_not(rv_hazards_pass(&hazards, 1, REEVE_EFFECT_UNKNOWN));
    cr_assert(rv_hazards_pass(&hazards, 1, REEVE_EFFECT_READ));
    rv_hazards_init(&hazards, runtime, t->mem, REEVE_GROUPING_HAZARDS);
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
    struct rv_resource *everything;
    struct link *links = calloc(LONG, sizeof *links);
    struct rv_hazards hazards;
    size_t i, over = 0;

    rv_hazards_init(&hazards, runtime, rv_runtime_mem(runtime), REEVE_GROUPING_HAZARDS);
    everything = rv_hazards_everything(&hazards);
    for (i = 0; links && i < LONG; i++) {
        links[i].hazards = &hazards;
        rv_hazards_begin(&hazards, &links[i].place, leave_at_once);
        if (rv_hazards_touch(&hazards, &links[i].place, everything, i % 3 == 0) != 0)
            return NULL;
        rv_hazards_take(&hazards, &links[i].place);
    }
    reeve_runtime_run(runtime);
    for (i = 0; links && i < LONG; i++)
        over += links[i].place.step.over;
    rv_hazards_done(&hazards);
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
