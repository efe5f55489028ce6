/* SPDX-License-Identifier: MIT */
/*
 * A place to try kept, shared and repeated results in: a runtime on the simulated loop, a toolbox,
 * as many batches as a test likes, and a log of what happened to each call.
 *
 *     name    effect   claims  keeps   besides
 *     read    read     yes     yes     idempotent
 *     all     read     no      yes
 *     check   read     yes     yes     its validate asks whether rig.state is as it was
 *     plain   read     yes     no
 *     write   write    yes     no      idempotent
 *     over    write    no      no
 *     shell   unknown  no      no
 *
 * What a call touches and does is said in its arguments:
 *
 *     {"r": path, "w": path, "db": key, "wdb": key}    reads and writes, if its tool claims
 *     {"ms": 50}          finish after 50 virtual milliseconds (0: inside start)
 *     {"tries": 3}        fail until the third try of the call, in a way that may pass
 *     {"how": "fail"}     fail in one that may not; "pass": in one that may, each time
 *     {"how": "refuse"}   start returns REEVE_EBUSY
 *     {"how": "never"}    finish only when the rig says so; "cancel": inside cancel
 *     {"how": "empty"}    finish without a text; "stream": write "part N, " inside start
 *
 * The N-th run of a tool comes to "run N", so that a text tells whose run it is of.
 *
 * The log has two letters for each event, the call's (a for the first one) and what it is: ? asked
 * about, > on_start, + started, ~ to be tried again, : heard, ! told of a cancel, - finished,
 * v validate, = result, and . when a batch is done (its letter is that of its first call).
 */
#ifndef RV_TESTS_SIM_RIG_H
#define RV_TESTS_SIM_RIG_H

#include "base/list.h"
#include "tests/lib/test.h"
#include "tests/sim/file.h"
#include "tests/sim/sim.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

enum {
    RIG_CALLS_MAX = 128,
    RIG_BATCHES_MAX = 48,
    RIG_TRIES_MAX = 8,
    RIG_NOBODY = RIG_CALLS_MAX,
};

struct rig;

struct rig_call {
    char id[8];
    char arguments[112];
    const char *tool;
    size_t batch;
    unsigned starts, releases, cancels, checks, on_start, on_result, on_retry, on_output, asked;
    uint64_t started_ms[RIG_TRIES_MAX]; /* since the rig was opened */
    uint64_t released_ms;
    uint64_t result_ms;
    uint32_t rests_ms[RIG_TRIES_MAX];
    char heard[96];
    enum reeve_call_status status;
    enum reeve_result_source source;
    uint32_t attempts;
    char text[160]; /* cut */
    size_t len;
};

struct rig_batch {
    struct rig *rig;
    struct reeve_batch *batch;
    size_t first;
    size_t count;
    bool disowned;
    unsigned done;
    int error;
    struct reeve_batch_stats stats;
};

enum rig_check {
    RIG_CHECKS_NOW,
    RIG_CHECKS_LATER, /* after 5 ms */
    RIG_CHECKS_NEVER, /* when the rig says so */
};

struct rig {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct rv_sim_files *files;
    struct reeve_batch_options options; /* of the next batch */
    uint64_t opened_ns;
    struct rv_list jobs; /* calls that are out */
    struct rig_call calls[RIG_CALLS_MAX];
    size_t count;
    size_t submitted;
    struct rig_batch batches[RIG_BATCHES_MAX];
    size_t batch_count;
    const char *watch; /* the kinds of events that are logged */
    char log[512];
    unsigned events;
    unsigned runs;
    unsigned running, peak;
    unsigned state; /* what "check" reads */
    enum rig_check check;
    bool asks;
    const char *refused; /* letters of calls that are not permitted */
    size_t asked;        /* the question that is open, if the rig does not answer */
    bool says_nothing;
    unsigned groups[RIG_CALLS_MAX]; /* calls of each start_many */
    size_t group_count;
    struct reeve_tool_stats total; /* of the batches that are done */
    void (*on_event)(struct rig *rig, char kind, size_t call);
    void *data; /* the test's */
};

/* 0 or REEVE_ENOMEM; rig_open asserts. */
int rig_try_open(struct rig *rig, struct rv_test *t);
void rig_open(struct rig *rig, struct rv_test *t);
void rig_free_toolbox(struct rig *rig);
void rig_free_runtime(struct rig *rig);
/* Whatever is left, and see that nothing is. */
void rig_close(struct rig *rig);

/* A tool that behaves as the others do, to be changed and added. */
void rig_tool_init(struct rig *rig, struct reeve_tool *tool, const char *name,
                   enum reeve_effect effect);
void rig_add(struct rig *rig, const struct reeve_tool *tool);
int rig_describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg);
int rig_start_many(struct reeve_tool_call *const *calls, size_t count, void *arg);

/* Add a call to the next batch. Returns its number: that of its letter. */
size_t rig_call(struct rig *rig, const char *tool, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Submit what was added, as one batch; and run the loop until nothing is pending. */
struct rig_batch *rig_submit(struct rig *rig);
struct rig_batch *rig_run(struct rig *rig);
void rig_go(struct rig *rig);
/* Until so many virtual ms since the rig was opened. */
void rig_go_until(struct rig *rig, uint64_t ms);

/* Run one call as a batch of its own, and see that its result is that text from that source. */
void rig_want(struct rig *rig, const char *tool, const char *arguments, const char *text,
              enum reeve_result_source source);
#define RIG_RUNS(rig, tool, arguments, text) rig_want(rig, tool, arguments, text, REEVE_SOURCE_RUN)
#define RIG_HITS(rig, tool, arguments, text)                                                       \
    rig_want(rig, tool, arguments, text, REEVE_SOURCE_CACHE)

/* Finish what is out: all of it, or that call. */
void rig_finish(struct rig *rig, size_t call);
void rig_finish_held(struct rig *rig);
/* Its tool writes, while it is out. */
void rig_write(struct rig *rig, size_t call, const char *text);
void rig_cancel(struct rig *rig, size_t call);
void rig_answer(struct rig *rig, enum reeve_permission answer);

struct reeve_tool_cache_stats rig_cache(const struct rig *rig);
void rig_clear_log(struct rig *rig);

/* calls = succeeded + failed + canceled + refused + cached + shared: of each tool and of all. */
void rig_check_sums(const struct rig *rig);

#endif
