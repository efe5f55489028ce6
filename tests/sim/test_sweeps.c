/* SPDX-License-Identifier: MIT */
/*
 * The stories of tests/world under every sweep: each allocation, each split point, each fault of
 * the network at each byte, of files at each operation, a cancel and a free at each step, and
 * seeds.
 */
#include "tests/sim/sweep.h"

#include "tests/world/story.h"

#include <stdio.h>

static const struct story stories[] = {
    {REEVE_PROVIDER_OPENAI, 1, STORY_CANCEL, 0},
    {REEVE_PROVIDER_OPENAI, 0, STORY_CANCEL, 0},
    {REEVE_PROVIDER_ANTHROPIC, 1, STORY_CANCEL, 0},
    {REEVE_PROVIDER_ANTHROPIC, 0, STORY_CANCEL, 0},
};

enum { SEEDS = 100 };

typedef size_t (*sweep_fn)(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                           const char *name);

static void each_story(struct rv_test *t, sweep_fn sweep, rv_scenario_fn scenario,
                       enum story_strike strike, size_t at_least)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct story story = stories[i];

        story.strike = strike;
        sweep(t, scenario, &story, at_least, story_name(&story));
    }
}

static size_t seeds(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                    const char *name)
{
    rv_sweep_seeds(t, scenario, arg, at_least, name);
    return at_least;
}

RV_TEST(sweep_completion, allocations, .timeout = 60)
{
    each_story(t, rv_sweep_allocations, story_completion, STORY_CANCEL, 35);
}

RV_TEST(sweep_completion, splits, .timeout = 60)
{
    each_story(t, rv_sweep_splits, story_completion, STORY_CANCEL, 300);
}

RV_TEST(sweep_completion, faults, .timeout = 120)
{
    each_story(t, rv_sweep_faults, story_completion, STORY_CANCEL, 900);
}

RV_TEST(sweep_completion, cancels, .timeout = 60)
{
    each_story(t, rv_sweep_strikes, story_completion, STORY_CANCEL, 10);
}

RV_TEST(sweep_completion, frees, .timeout = 60)
{
    each_story(t, rv_sweep_strikes, story_completion, STORY_FREE, 10);
}

RV_TEST(sweep_completion, seeds, .timeout = 60)
{
    each_story(t, seeds, story_completion, STORY_CANCEL, SEEDS);
}

RV_TEST(sweep_agent, allocations, .timeout = 60)
{
    each_story(t, rv_sweep_allocations, story_agent, STORY_CANCEL, 60);
}

RV_TEST(sweep_agent, splits, .timeout = 120)
{
    each_story(t, rv_sweep_splits, story_agent, STORY_CANCEL, 300);
}

RV_TEST(sweep_agent, faults, .timeout = 240)
{
    each_story(t, rv_sweep_faults, story_agent, STORY_CANCEL, 1200);
}

RV_TEST(sweep_agent, cancels, .timeout = 60)
{
    each_story(t, rv_sweep_strikes, story_agent, STORY_CANCEL, 30);
}

RV_TEST(sweep_agent, frees, .timeout = 60)
{
    each_story(t, rv_sweep_strikes, story_agent, STORY_FREE, 30);
}

RV_TEST(sweep_agent, seeds, .timeout = 120)
{
    each_story(t, seeds, story_agent, STORY_CANCEL, SEEDS);
}

RV_TEST(sweep_batch, allocations)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_ALLOCATIONS(t, story_batch, &story, 10);
}

RV_TEST(sweep_batch, cancels)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_STRIKES(t, story_batch, &story, 15);
}

RV_TEST(sweep_batch, frees)
{
    struct story story = {.strike = STORY_FREE};

    RV_SWEEP_STRIKES(t, story_batch, &story, 15);
}

RV_TEST(sweep_files, allocations, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_ALLOCATIONS(t, story_files, &story, 20);
}

RV_TEST(sweep_files, cancels, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_STRIKES(t, story_files, &story, 20);
}

RV_TEST(sweep_files, frees, .timeout = 60)
{
    struct story story = {.strike = STORY_FREE};

    RV_SWEEP_STRIKES(t, story_files, &story, 20);
}

RV_TEST(sweep_files, faults, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_FILE_FAULTS(t, story_files, &story, 60);
}

RV_TEST(sweep_files, seeds, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_SEEDS(t, story_files, &story, SEEDS);
}

RV_TEST(sweep_file_agent, allocations, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_ALLOCATIONS(t, story_file_agent, &story, 40);
}

RV_TEST(sweep_file_agent, cancels, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_STRIKES(t, story_file_agent, &story, 20);
}

RV_TEST(sweep_file_agent, frees, .timeout = 60)
{
    struct story story = {.strike = STORY_FREE};

    RV_SWEEP_STRIKES(t, story_file_agent, &story, 20);
}

RV_TEST(sweep_file_agent, faults, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_FILE_FAULTS(t, story_file_agent, &story, 30);
}

RV_TEST(sweep_file_agent, seeds, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_SEEDS(t, story_file_agent, &story, SEEDS);
}

RV_TEST(sweep_write, allocations, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_ALLOCATIONS(t, story_write, &story, 6);
}

RV_TEST(sweep_write, cancels, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_STRIKES(t, story_write, &story, 10);
}

RV_TEST(sweep_write, faults, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_FILE_FAULTS(t, story_write, &story, 50);
}

RV_TEST(sweep_write, seeds, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_SEEDS(t, story_write, &story, SEEDS);
}

RV_TEST(sweep_child, allocations, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_ALLOCATIONS(t, story_child, &story, 6);
}

RV_TEST(sweep_child, cancels, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_STRIKES(t, story_child, &story, 5);
}

RV_TEST(sweep_child, seeds, .timeout = 60)
{
    struct story story = {.strike = STORY_CANCEL};

    RV_SWEEP_SEEDS(t, story_child, &story, SEEDS);
}
