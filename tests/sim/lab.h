/* SPDX-License-Identifier: MIT */
/*
 * A place to try batches in: a runtime on the simulated loop, a toolbox with three tools that
 * differ in their effect (look: read, set: write, shell: unknown), and a record of what happened to
 * each call. What a call's tool does is said in its arguments:
 *
 *     {"ms": 50}                 finish after 50 virtual milliseconds (0: inside start)
 *     {"ms": 50, "how": "fail"}  fail after them
 *     {"how": "refuse"}          start returns REEVE_EBUSY
 *     {"how": "never"}           finish only when the lab says so (lab_finish_held)
 *     {"how": "on_cancel"}       finish inside the cancel function
 *     {"how": "much"}            finish inside start with more text than any cap allows
 *     {"how": "write"}           write "half ä" in pieces, the ä cut in two, and then finish
 */
#ifndef RV_TESTS_SIM_LAB_H
#define RV_TESTS_SIM_LAB_H

#include "base/list.h"
#include "loop/timer.h"
#include "tests/lib/test.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

enum { LAB_CALLS_MAX = 128 };

/* What happened to a call, in virtual ns and as numbers of one row of events. 0: did not happen. */
struct lab_record {
    unsigned started;  /* the tool's start was entered */
    unsigned released; /* the tool finished */
    unsigned canceled; /* times that its cancel was called */
    unsigned on_start;
    unsigned on_result;
    unsigned on_permission;
    unsigned on_output; /* the last one */
    uint64_t started_ns;
    uint64_t released_ns;
    uint64_t asked_ns;
    char heard[64]; /* of on_output, cut */
};

/* How the lab answers questions (lab_ask). */
enum lab_policy {
    LAB_SAYS_NOTHING, /* the test does, with lab_answer */
    LAB_ALLOWS,       /* inside on_permission */
    LAB_MIXED,        /* inside or 7 ms later; each fifth call is refused, each seventh "always" */
};

enum { LAB_NOBODY = LAB_CALLS_MAX };

/* An answer that comes later. */
struct lab_answer {
    struct rv_timer timer;
    struct lab *lab;
    size_t index;
};

struct lab {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct rv_mem *mem; /* of the tools' jobs: outlives the runtime */
    struct reeve_batch *batch;
    struct reeve_batch_options options; /* set before lab_run */
    uint64_t opened_ns;                 /* when, in virtual time */
    struct rv_list jobs;                /* calls that are out */
    struct reeve_call calls[LAB_CALLS_MAX];
    char ids[LAB_CALLS_MAX][8];
    char arguments[LAB_CALLS_MAX][64];
    size_t count;
    struct lab_record record[LAB_CALLS_MAX];
    unsigned events;
    unsigned running;
    unsigned peak;
    unsigned done; /* times that on_done came */
    int done_error;
    struct reeve_batch_stats stats; /* as they stood then */
    enum reeve_call_status status[LAB_CALLS_MAX];
    enum reeve_result_source source[LAB_CALLS_MAX];
    uint64_t ended_us[LAB_CALLS_MAX];
    char text[LAB_CALLS_MAX][192]; /* cut */
    enum lab_policy policy;
    size_t asked;      /* the call that is being asked about, or LAB_NOBODY */
    size_t next_asked; /* questions are about this call or a later one */
    unsigned questions;
    struct lab_answer answers[LAB_CALLS_MAX];
    void (*on_event)(struct lab *lab);
};

/* 0 or REEVE_ENOMEM; lab_open asserts. */
int lab_try_open(struct lab *lab, struct rv_test *t);
void lab_open(struct lab *lab, struct rv_test *t);

/* Toolbox, runtime, and then what is still out. The first two may have been freed before. */
void lab_close(struct lab *lab);
void lab_free_toolbox(struct lab *lab);
void lab_free_runtime(struct lab *lab);

/* Add a call; `tool` is "look", "set", "shell" or anything else. Returns its index. */
size_t lab_call(struct lab *lab, const char *tool, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Submit the calls. */
void lab_submit(struct lab *lab);

/* Run the loop until nothing is pending; or until so many virtual ms since the lab was opened. */
void lab_go(struct lab *lab);
void lab_go_until(struct lab *lab, uint64_t ms);

/* Submit, go, and see that the batch has ended once. */
void lab_run(struct lab *lab);

/* Have the batch ask, and the lab answer by its policy: before lab_submit. */
void lab_ask(struct lab *lab, enum lab_policy policy);

/* How LAB_MIXED answers a call, and whether it does so later. */
enum reeve_permission lab_mixed_answer(size_t index);
bool lab_mixed_is_later(size_t index);

/* Answer the open question. */
void lab_answer(struct lab *lab, enum reeve_permission answer, const char *reason);

/* Finish all calls that are out. */
void lab_finish_held(struct lab *lab);

#endif
