/* SPDX-License-Identifier: MIT */
#include "tests/sim/fate.h"

#include "tests/lib/random.h"
#include "tests/sim/sim.h"

/* More than a drain of the ready queue may take: each task has a pass of its own. */
enum { STEP_NS = 1000000 };

static struct rv_fate fate = {.cuts = {SIZE_MAX, SIZE_MAX}};
static uint64_t random_state;
static void (*strike_now)(void *arg);
static void *strike_arg;

struct rv_fate *rv_fate(void)
{
    return &fate;
}

void rv_fate_calm(void)
{
    fate = (struct rv_fate){.cuts = {SIZE_MAX, SIZE_MAX}};
    random_state = 0;
}

uint64_t rv_fate_random(void)
{
    if (!fate.seed)
        return 0;
    if (!random_state)
        random_state = fate.seed;
    return rv_random_next(&random_state);
}

void rv_sim_step(void)
{
    fate.steps++;
    if (!strike_now || fate.struck || fate.steps != fate.strike_at)
        return;
    fate.struck = true;
    strike_now(strike_arg);
}

void rv_sim_play(struct reeve_runtime *runtime, void (*strike)(void *arg), void *arg)
{
    strike_now = strike;
    strike_arg = arg;
    if (fate.stepping)
        rv_sim_set_reading_cost_ns(runtime, STEP_NS);
    while (rv_sim_pass(runtime))
        rv_sim_step();
    strike_now = NULL;
}

void rv_fate_answer_begins(unsigned request, size_t body_bytes)
{
    if (fate.requests < request)
        fate.requests = request;
    if (request && request <= RV_FATE_ANSWERS_MAX)
        fate.body_bytes[request - 1] = body_bytes;
}
