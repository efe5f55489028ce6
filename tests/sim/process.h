/* SPDX-License-Identifier: MIT */
/*
 * Scripted children under io/process, in place of posix_spawn, pipes and pidfds: limits, delivery,
 * cancel and the queue are the real ones; time is the runtime's.
 *
 *     static void talker(struct rv_sim_child *x, void *arg)
 *     {
 *         rv_sim_child_write(x, RV_PROCESS_STDOUT, "half");
 *         rv_sim_child_wait(x, 20);
 *         rv_sim_child_write(x, RV_PROCESS_STDOUT, " whole\n");
 *         rv_sim_child_exit(x, 3);
 *     }
 *
 *     rv_sim_process_on(runtime, "talk", talker, NULL);
 *
 * A script is written when its child is started, and plays from the loop, a piece a turn. A pipe
 * has no room of its own: a write waits until its reader takes it. A script without an ending exits
 * with 0. A program without a script is not found. Scripts' memory is not the runtime's, but for a
 * block a child, which a sweep fails. A seed (tests/sim/fate.h) has output come in other pieces,
 * with waits between them.
 */
#ifndef RV_TESTS_SIM_PROCESS_H
#define RV_TESTS_SIM_PROCESS_H

#include "io/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rv_sim_child;

typedef void (*rv_sim_process_writer)(struct rv_sim_child *child, void *arg);

/* argv[0] is compared; NULL: any. Of several that match the one added last is used. 0 or
 * REEVE_ENOMEM. */
int rv_sim_process_on(struct reeve_runtime *runtime, const char *program,
                      rv_sim_process_writer write, void *arg);

/* Output comes in pieces of this size; 0: as written. */
void rv_sim_process_split(struct reeve_runtime *runtime, size_t piece_bytes);

/* How many have been started, run now, and ran at once at most. */
struct rv_sim_process_count {
    size_t started, running, peak;
};
struct rv_sim_process_count rv_sim_process_counted(struct reeve_runtime *runtime);

/* Of the child that was signalled last: "TERM CONT KILL " as sent. In a buffer of the world's. */
const char *rv_sim_process_signals(struct reeve_runtime *runtime);

/* ---- the script, in this order ----------------------------------------------------------------
 */

/* It never runs: error is on_done's. */
void rv_sim_child_cannot_start(struct rv_sim_child *child, int error, int os_errno);

/* From its beginning on. */
void rv_sim_child_ignore_term(struct rv_sim_child *child);
/* Somebody else takes the status. */
void rv_sim_child_lose_status(struct rv_sim_child *child);
/* The exit is seen before the ends of the pipes. */
void rv_sim_child_exit_first(struct rv_sim_child *child);
/* Something keeps the pipes for so long after the exit (UINT64_MAX: for ever), unless it is killed,
 * which it is not if it has left the group. */
void rv_sim_child_leave_behind(struct rv_sim_child *child, uint64_t ms, bool left_group);

void rv_sim_child_wait(struct rv_sim_child *child, uint64_t ms);
void rv_sim_child_write(struct rv_sim_child *child, enum rv_process_stream stream,
                        const char *text);
void rv_sim_child_close(struct rv_sim_child *child, enum rv_process_stream stream);

/* Endings. */
void rv_sim_child_exit(struct rv_sim_child *child, int code);
void rv_sim_child_die(struct rv_sim_child *child, int signal);
void rv_sim_child_hang(struct rv_sim_child *child);

/* What its caller gave it. */
const char *rv_sim_child_argument(const struct rv_sim_child *child, size_t index);
const char *rv_sim_child_variable(const struct rv_sim_child *child, const char *name);
const char *rv_sim_child_input(const struct rv_sim_child *child);

#endif
