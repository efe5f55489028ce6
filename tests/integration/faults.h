/* SPDX-License-Identifier: MIT */
/* Faults of libevent and the kernel, for the tests of the real loop. Each acts on this process. */
#ifndef RV_TESTS_INTEGRATION_FAULTS_H
#define RV_TESTS_INTEGRATION_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* libevent's warnings about what a test provokes are not printed. */
void silence_libevent(void);

/* Takes libevent's process-wide memory hooks, which are the host's; before any use of libevent. */
void count_libevent_memory(void);
size_t libevent_blocks(void);
size_t libevent_refusals(void); /* since the last fail_... */

/* All allocations of libevent fail from now on, or none. */
void fail_libevent_memory(bool on);

/* The n-th from now and all after it fail; 0: none. */
void fail_libevent_allocation(size_t n);

/* epoll accepts this many more watches and changes, then refuses them with this errno; 0: it works.
 */
void fail_epoll(int error, unsigned accepted);

/* timerfd_create fails with this errno; 0: it works. */
void fail_timerfd(int error);

#endif
