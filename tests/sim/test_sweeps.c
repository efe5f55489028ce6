/* SPDX-License-Identifier: MIT */
/*
 * The stories of tests/world under every sweep: each allocation, each split point, each fault of
 * the network at each byte, of files at each operation, a cancel and a free at each step, and
 * seeds.
 */
#include "tests/sim/sweep.h"

#include "tests/world/story.h"

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

static void one_story(struct rv_test *t, sweep_fn sweep, rv_scenario_fn scenario,
                      enum story_strike strike, size_t at_least)
{
    struct story story = {.strike = strike};

    sweep(t, scenario, &story, at_least, t->suite);
}

/* A test for each row: its names, time limit in seconds, the scenario, the sweep, what strikes, and
 * how much is to be tried at least. EACH: with both providers, streamed and not. */
#define SWEEP(how, suite, name, seconds, scenario, sweep, strike, at_least)                        \
    RV_TEST(suite, name, .timeout = (seconds))                                                     \
    {                                                                                              \
        how(t, sweep, scenario, strike, at_least);                                                 \
    }
#define EACH_SWEEP(...) SWEEP(each_story, __VA_ARGS__)
#define ONE_SWEEP(...) SWEEP(one_story, __VA_ARGS__)

/* clang-format off */
EACH_SWEEP(sweep_completion, allocations, 60, story_completion, rv_sweep_allocations,
           STORY_CANCEL, 35)
EACH_SWEEP(sweep_completion, splits, 60, story_completion, rv_sweep_splits, STORY_CANCEL, 300)
EACH_SWEEP(sweep_completion, faults, 120, story_completion, rv_sweep_faults, STORY_CANCEL, 900)
EACH_SWEEP(sweep_completion, cancels, 60, story_completion, rv_sweep_strikes, STORY_CANCEL, 10)
EACH_SWEEP(sweep_completion, frees, 60, story_completion, rv_sweep_strikes, STORY_FREE, 10)
EACH_SWEEP(sweep_completion, seeds, 60, story_completion, seeds, STORY_CANCEL, SEEDS)

EACH_SWEEP(sweep_agent, allocations, 60, story_agent, rv_sweep_allocations, STORY_CANCEL, 60)
EACH_SWEEP(sweep_agent, splits, 120, story_agent, rv_sweep_splits, STORY_CANCEL, 300)
EACH_SWEEP(sweep_agent, faults, 240, story_agent, rv_sweep_faults, STORY_CANCEL, 1200)
EACH_SWEEP(sweep_agent, cancels, 60, story_agent, rv_sweep_strikes, STORY_CANCEL, 30)
EACH_SWEEP(sweep_agent, frees, 60, story_agent, rv_sweep_strikes, STORY_FREE, 30)
EACH_SWEEP(sweep_agent, seeds, 120, story_agent, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_batch, allocations, 60, story_batch, rv_sweep_allocations, STORY_CANCEL, 10)
ONE_SWEEP(sweep_batch, cancels, 60, story_batch, rv_sweep_strikes, STORY_CANCEL, 15)
ONE_SWEEP(sweep_batch, frees, 60, story_batch, rv_sweep_strikes, STORY_FREE, 15)

ONE_SWEEP(sweep_files, allocations, 60, story_files, rv_sweep_allocations, STORY_CANCEL, 20)
ONE_SWEEP(sweep_files, cancels, 60, story_files, rv_sweep_strikes, STORY_CANCEL, 20)
ONE_SWEEP(sweep_files, frees, 60, story_files, rv_sweep_strikes, STORY_FREE, 20)
ONE_SWEEP(sweep_files, faults, 60, story_files, rv_sweep_file_faults, STORY_CANCEL, 60)
ONE_SWEEP(sweep_files, seeds, 60, story_files, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_file_agent, allocations, 60, story_file_agent, rv_sweep_allocations,
           STORY_CANCEL, 40)
ONE_SWEEP(sweep_file_agent, cancels, 60, story_file_agent, rv_sweep_strikes, STORY_CANCEL, 20)
ONE_SWEEP(sweep_file_agent, frees, 60, story_file_agent, rv_sweep_strikes, STORY_FREE, 20)
ONE_SWEEP(sweep_file_agent, faults, 60, story_file_agent, rv_sweep_file_faults, STORY_CANCEL, 30)
ONE_SWEEP(sweep_file_agent, seeds, 60, story_file_agent, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_write, allocations, 60, story_write, rv_sweep_allocations, STORY_CANCEL, 6)
ONE_SWEEP(sweep_write, cancels, 60, story_write, rv_sweep_strikes, STORY_CANCEL, 10)
ONE_SWEEP(sweep_write, faults, 60, story_write, rv_sweep_file_faults, STORY_CANCEL, 50)
ONE_SWEEP(sweep_write, seeds, 60, story_write, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_child, allocations, 60, story_child, rv_sweep_allocations, STORY_CANCEL, 6)
ONE_SWEEP(sweep_child, cancels, 60, story_child, rv_sweep_strikes, STORY_CANCEL, 5)
ONE_SWEEP(sweep_child, seeds, 60, story_child, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_modes, allocations, 60, story_modes, rv_sweep_allocations, STORY_CANCEL, 10)
ONE_SWEEP(sweep_modes, cancels, 60, story_modes, rv_sweep_strikes, STORY_CANCEL, 20)
ONE_SWEEP(sweep_modes, seeds, 60, story_modes, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_stream, allocations, 60, story_stream, rv_sweep_allocations, STORY_CANCEL, 8)
ONE_SWEEP(sweep_stream, cancels, 60, story_stream, rv_sweep_strikes, STORY_CANCEL, 10)
ONE_SWEEP(sweep_stream, seeds, 60, story_stream, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_asking, allocations, 60, story_asking, rv_sweep_allocations, STORY_CANCEL, 20)
ONE_SWEEP(sweep_asking, cancels, 60, story_asking, rv_sweep_strikes, STORY_CANCEL, 20)
ONE_SWEEP(sweep_asking, frees, 60, story_asking, rv_sweep_strikes, STORY_FREE, 20)
ONE_SWEEP(sweep_asking, seeds, 60, story_asking, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_steps, allocations, 120, story_steps, rv_sweep_allocations, STORY_CANCEL, 120)
ONE_SWEEP(sweep_steps, cancels, 60, story_steps, rv_sweep_strikes, STORY_CANCEL, 80)
ONE_SWEEP(sweep_steps, frees, 60, story_steps, rv_sweep_strikes, STORY_FREE, 80)
ONE_SWEEP(sweep_steps, faults, 60, story_steps, rv_sweep_file_faults, STORY_CANCEL, 120)
ONE_SWEEP(sweep_steps, seeds, 60, story_steps, seeds, STORY_CANCEL, SEEDS)

ONE_SWEEP(sweep_edits, allocations, 60, story_edits, rv_sweep_allocations, STORY_CANCEL, 40)
ONE_SWEEP(sweep_edits, cancels, 60, story_edits, rv_sweep_strikes, STORY_CANCEL, 20)
ONE_SWEEP(sweep_edits, frees, 60, story_edits, rv_sweep_strikes, STORY_FREE, 20)
ONE_SWEEP(sweep_edits, faults, 60, story_edits, rv_sweep_file_faults, STORY_CANCEL, 60)
ONE_SWEEP(sweep_edits, seeds, 60, story_edits, seeds, STORY_CANCEL, SEEDS)
/* clang-format on */
