/* SPDX-License-Identifier: MIT */
/*
 * Random batches in which the results of calls may be another's: kept ones, shared ones, and those
 * of a second or third try. They are run here and judged in test_reuse_rounds.c. Every time that a
 * tool is started is a run with a number of its own, and what a call is answered with is the number
 * of the run that has said it: so it can be told what was seen, by whom, and when.
 */
#ifndef RV_TESTS_SIM_REUSE_ROUNDS_H
#define RV_TESTS_SIM_REUSE_ROUNDS_H

#include "loop/timer.h"
#include "tests/sim/deeds.h"
#include "tests/sim/sim.h"

#include <reeve/batch.h>

enum {
    REUSE_ASKS = 12, /* different arguments */
    REUSE_CALLS = 40,
    REUSE_BATCHES = 5,
    REUSE_ATTEMPTS = 3,
    REUSE_RUNS = REUSE_BATCHES * REUSE_CALLS * REUSE_ATTEMPTS,
    REUSE_CHANGES = 2048,
    REUSE_STRIKES = 12,
    REUSE_TIMEOUT_MS = 25,
    REUSE_RETRY_MS = 5,
    REUSE_TEXT_BYTES = 160,
};

#define REUSE_MS UINT64_C(1000000)

struct reuse_round;
struct reuse_batch;
struct reuse_job;

/* What may be asked for, by number. */
struct reuse_ask {
    const struct reuse_tool *tool;
    struct deed deed;
};

enum reuse_end { REUSE_OUT, REUSE_WELL, REUSE_BADLY };

/* Moments are counted: two things that happen have different ones. */
struct reuse_run {
    struct reuse_job *job;
    unsigned number;
    struct deed_trace trace;
    bool middle, whole; /* what was done of it beside its begin */
    enum reuse_end end;
    uint64_t began_at, ended_at;
    uint64_t began_ns, ended_ns;
    size_t written; /* of its text, before it ended */

    struct reeve_tool_call *call; /* while it is out */
    struct rv_timer due, halfway;
    bool fails, may_pass, stops_half_way, ends_on_cancel;
};

struct reuse_job {
    struct reuse_batch *batch;
    struct reuse_ask *ask;
    unsigned fails_first; /* so many times in a way that may pass */
    struct reuse_run *run[REUSE_ATTEMPTS];
    unsigned runs, refusals; /* of its tool's start */
    char heard[REUSE_TEXT_BYTES];
    unsigned retries;
    uint64_t allowed_at; /* by the host; 0: it was not */
    bool denied;
    char place[DEED_TOUCHES][ORACLE_PATH_BYTES];

    enum reeve_call_status status;
    enum reeve_result_source source;
    char text[REUSE_TEXT_BYTES];
    uint64_t answered_at, answered_ns;
    uint64_t turn_at, passed_at; /* not before these */
};

struct reuse_batch {
    struct reuse_round *round;
    struct reeve_batch *batch; /* while it is under way */
    struct reuse_job jobs[REUSE_CALLS];
    struct reeve_call calls[REUSE_CALLS];
    void *contexts[REUSE_CALLS];
    char ids[REUSE_CALLS][44];
    char arguments[REUSE_CALLS][48];
    size_t count;
    size_t first_ask; /* those before it are not of this batch */
    uint32_t limit;
    const char *scope;
    bool has_contexts, skips_cache, skips_sharing, asks, listens;
    struct rv_sim_event submission;
    uint64_t submitted_at, opened_ns;
    struct rv_timer answer;
    size_t asked;
    unsigned done;
};

/* Something that comes at some time. */
struct reuse_strike {
    struct rv_sim_event event;
    struct reuse_round *round;
    size_t batch, call; /* a cancel: of the batch if the call is past its end */
    bool clears;        /* else: what is kept is dropped */
    bool outside;       /* else: somebody changes a file, and tells nobody */
};

struct reuse_change {
    uint64_t at;
    struct oracle world; /* from then on */
};

struct reuse_tally {
    unsigned long batches, hits, shared, retries, streamed, noes, checks, overtaken, stale, evicted;
    unsigned long waits, overlaps, abandoned, links_changed, gathered, denied, replayed,
        side_by_side;
};

struct reuse_round {
    struct rv_test *t;
    uint64_t seed;
    struct reeve_runtime *runtime;
    struct rv_sim_files *files;
    struct reeve_toolbox *toolbox;
    struct reuse_ask asks[REUSE_ASKS];
    struct reuse_batch batches[REUSE_BATCHES];
    size_t count;
    bool at_once;    /* the batches; else one begins when the last has ended */
    bool outside;    /* the world changes by itself: only tools that can tell are cached */
    unsigned narrow; /* 0; or all is about a few names: 1: one is a link, 2: below each other */
    bool links;      /* some deed changes links */
    uint32_t abandon_ms;
    uint64_t ttl_ms;
    struct reuse_run runs[REUSE_RUNS];
    size_t run_count;
    uint64_t moment;
    struct oracle world;
    struct reuse_change *changes; /* the first is the world as it was */
    size_t change_count;
    uint64_t cleared_at; /* 0: never */
    struct reuse_strike strikes[REUSE_STRIKES];
    struct reuse_tally *tally;
};

/* A tool of these tests. */
struct reuse_tool {
    const char *name;
    enum reeve_effect effect;
    bool describes, cacheable, validates, idempotent, many;
};

/* Plan a round and run it to its end. The toolbox and the runtime are left. */
void reuse_run_round(struct reuse_round *round);

/* The two calls were given the same context. */
bool reuse_same_context(const struct reuse_job *one, const struct reuse_job *other);

#define REUSE_WANT(round, job, condition)                                                          \
    cr_assert(condition, "seed %llu, batch %zu, call %zu: %s", (unsigned long long)(round)->seed,  \
              (size_t)((job)->batch - (round)->batches), (size_t)((job) - (job)->batch->jobs),     \
              #condition)

#endif
