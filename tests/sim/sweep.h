/* SPDX-License-Identifier: MIT */
/*
 * Sweeps over a scenario in the simulated world: the same function is run again and again, each
 * time with another thing going wrong, or another piece of luck. A scenario is what
 * RV_SWEEP_ALLOCATIONS takes too (tests/lib/failing.h); it runs its loop by rv_sim_play
 * (tests/sim/fate.h), sees itself that what must always hold holds, and notes what came of it
 * (tests/lib/notes.h).
 *
 * Each prints how much it tried, and fails the test if that was less than `at_least`: a sweep that
 * sweeps nothing is no test.
 */
#ifndef RV_TESTS_SIM_SWEEP_H
#define RV_TESTS_SIM_SWEEP_H

#include "tests/lib/test.h"

/* Every answer is cut at each byte of it, once: notes and result are those of the uncut one. */
#define RV_SWEEP_SPLITS(t, scenario, arg, at_least)                                                \
    rv_sweep_splits((t), (scenario), (arg), (at_least), #scenario)

/*
 * Each request meets each fault of the network at each step: no name, no connection, no trust; and
 * in the head, and at each byte of the body: the connection is lost, it stalls, it ends as if that
 * were all. The result is a code that belongs to the fault, or 0 if it came too late
 * to matter, which the scenario judges.
 */
#define RV_SWEEP_FAULTS(t, scenario, arg, at_least)                                                \
    rv_sweep_faults((t), (scenario), (arg), (at_least), #scenario)

/*
 * Each operation on files, in its turn, fails, finds the disk full, may not, finds nothing, has no
 * descriptor left, or never ends. The result is a code that belongs to the fault, or 0 if it was
 * told otherwise (a tool's result, say): most of them must show in the notes.
 */
#define RV_SWEEP_FILE_FAULTS(t, scenario, arg, at_least)                                           \
    rv_sweep_file_faults((t), (scenario), (arg), (at_least), #scenario)

/* The fate strikes at each step of the loop and in each callback: REEVE_ECANCELED, or the result of
 * the undisturbed run if it was over. */
#define RV_SWEEP_STRIKES(t, scenario, arg, at_least)                                               \
    rv_sweep_strikes((t), (scenario), (arg), (at_least), #scenario)

/*
 * So many seeds, each twice: the same notes and result both times, and those of the calm run. A
 * seed that fails is printed; RV_SEED=… in the environment has the sweep begin with it.
 */
#define RV_SWEEP_SEEDS(t, scenario, arg, count)                                                    \
    rv_sweep_seeds((t), (scenario), (arg), (count), #scenario)

size_t rv_sweep_splits(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                       const char *name);
size_t rv_sweep_faults(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                       const char *name);
size_t rv_sweep_file_faults(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                            const char *name);
size_t rv_sweep_strikes(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t at_least,
                        const char *name);
void rv_sweep_seeds(struct rv_test *t, rv_scenario_fn scenario, void *arg, size_t count,
                    const char *name);

#endif
