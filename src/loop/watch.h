/* SPDX-License-Identifier: MIT */
/* Watching descriptors: readiness of sockets, pipes and eventfds, level-triggered. */
#ifndef RV_LOOP_WATCH_H
#define RV_LOOP_WATCH_H

#include <reeve/runtime.h>

#define RV_WATCH_READ 1u
#define RV_WATCH_WRITE 2u

struct rv_watch;

/* Watches nothing at first. The descriptor stays the caller's. 0, REEVE_ENOMEM. */
int rv_watch_new(struct reeve_runtime *runtime, int fd,
                 void (*ready)(struct rv_watch *watch, unsigned events, void *arg), void *arg,
                 struct rv_watch **ret_watch);

/* Watch for these events from now on; 0: for none. 0, REEVE_ENOMEM or REEVE_ESYSTEM. */
int rv_watch_set(struct rv_watch *watch, unsigned events);
int rv_watch_fd(const struct rv_watch *watch);

/* Legal inside its own callback. NULL is allowed. Before the descriptor is closed. */
void rv_watch_free(struct rv_watch *watch);

#endif
