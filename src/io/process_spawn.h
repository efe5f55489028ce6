/* SPDX-License-Identifier: MIT */
/* Starting a program: found, described to posix_spawn, executed. */
#ifndef RV_IO_PROCESS_SPAWN_H
#define RV_IO_PROCESS_SPAWN_H

#include <sys/types.h>

#include "io/process_system.h"

/* The child's side. None of the descriptors is below 3. */
struct rv_spawn {
    int folder_fd; /* -1: the host's */
    int input_fd;  /* -1: /dev/null */
    int output_fd[RV_PROCESS_STREAMS];
};

/* 0 or an error, described in process->problem and os_errno. Blocks until the program is executed.
 */
int rv_spawn(struct rv_process *process, const struct rv_spawn *spawn, pid_t *ret_pid);

/* For process->problem, after `errno_value`; the REEVE_E code for it. */
int rv_spawn_problem(struct rv_process *process, int errno_value, const char *what);

#endif
