/* SPDX-License-Identifier: MIT */
/* A real loop for children, and what one child told. */
#ifndef RV_TESTS_PROCESS_WORLD_H
#define RV_TESTS_PROCESS_WORLD_H

#include "tests/lib/test.h"

#include "io/process.h"

#include <event2/event.h>
#include <reeve/runtime.h>

struct process_world {
    struct rv_test *t;
    struct event_base *base;
    struct reeve_runtime *runtime;
    size_t outstanding;
};

/* One child: set options, start, run. */
struct child {
    struct process_world *world;
    struct rv_process_options options;
    struct rv_process *process;
    const char *argv[8];
    char text[RV_PROCESS_STREAMS][64 * 1024]; /* the first of it, NUL-terminated */
    size_t received[RV_PROCESS_STREAMS];
    unsigned outputs;
    unsigned dones;
    int error;
    int os_errno;
    char problem[512];
    struct rv_process_result result;
    bool pause_at_output;
    bool cancel_at_output;
};

int process_world_open(struct rv_test *t, struct process_world **ret_world);
void process_world_close(struct process_world *world);
void process_set_up(struct rv_test *t);
void process_tear_down(struct rv_test *t);

/* `sh -c script`, an empty environment but for PATH, 1 MiB of output. */
struct child *child_new(struct process_world *world, const char *script);
void child_start(struct child *child);
void child_run(struct child *child);
void child_free(struct child *child);
/* All of that. */
struct child *child_ran(struct process_world *world, const char *script);

/* Turns of the loop until something holds; 20 s at most. */
#define PROCESS_UNTIL(world, condition)                                                            \
    do {                                                                                           \
        double deadline = process_now_ms() + 20000;                                                \
        while (!(condition)) {                                                                     \
            cr_assert_lt(process_now_ms(), deadline, "never: " #condition);                        \
            process_turn(world);                                                                   \
        }                                                                                          \
    } while (0)

void process_turn(struct process_world *world);
double process_now_ms(void);

#define PROCESS_TEST(name, ...)                                                                    \
    RV_TEST(process, name, .timeout = 60, RV_FIXTURE(process_set_up, process_tear_down),           \
            ##__VA_ARGS__)

#endif
