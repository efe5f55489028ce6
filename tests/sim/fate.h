/* SPDX-License-Identifier: MIT */
/*
 * What one run of a scenario is to meet in the simulated world, and what it tells of itself. There
 * is one fate at a time; runtimes, networks, files and processes that are made while it holds obey
 * it, so that a sweep needs nothing of the scenario but to be run again.
 *
 * One seed drives all: with a seed, everything that may differ from day to day in a real world (the
 * size of pieces, waits, the order of what is independent) differs by it; without, all goes as the
 * script says.
 */
#ifndef RV_TESTS_SIM_FATE_H
#define RV_TESTS_SIM_FATE_H

#include "tests/sim/http.h"

enum { RV_FATE_ANSWERS_MAX = 16 };

struct rv_fate {
    uint64_t seed;  /* 0: calm */
    size_t cuts[2]; /* every answer's body comes in pieces that end before these bytes */
    enum rv_sim_http_fault fault;
    unsigned fault_request; /* which request meets it: 1, 2, … */
    size_t fault_after;     /* as rv_sim_http_fault's */
    uint64_t file_fault_at; /* which operation on files fails: 1, 2, …; 0: none */
    int file_errno;         /* 0: it never ends by itself */
    bool stepping;      /* the loop goes in the smallest steps that it has, and they are counted */
    uint64_t strike_at; /* the step at which rv_sim_play strikes; 0: never */

    /* What the run told. */
    uint64_t steps;
    bool struck;
    uint64_t file_ops; /* operations on files */
    unsigned requests;
    size_t body_bytes[RV_FATE_ANSWERS_MAX]; /* of the answer to request 1, 2, … as scripted */
};

/* The present one, never NULL. */
struct rv_fate *rv_fate(void);

/* A calm one: nothing is cut, nothing fails, nobody strikes. */
void rv_fate_calm(void);

/* The next number of a generator that the seed determines; of a calm fate always 0. */
uint64_t rv_fate_random(void);

/*
 * Run the loop until nothing is pending. Each pass is a step, and so is each rv_sim_step in
 * between; at the step that fate names `strike` is called, once.
 */
void rv_sim_play(struct reeve_runtime *runtime, void (*strike)(void *arg), void *arg);
void rv_sim_step(void);

/* For the simulated network. */
void rv_fate_answer_begins(unsigned request, size_t body_bytes);

#endif
