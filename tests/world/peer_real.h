/* SPDX-License-Identifier: MIT */
/* The real world's peers of raw connections (tests/world/world.h), on the loop that is tested. */
#ifndef RV_TESTS_WORLD_PEER_REAL_H
#define RV_TESTS_WORLD_PEER_REAL_H

#include "tests/world/world.h"

#include <event2/event.h>

struct peer_real;

/* Listens on 127.0.0.1, but for one that refuses. Aborts when it cannot. */
struct peer_real *peer_real_new(struct event_base *base, enum rv_world_manner manner);
void peer_real_free(struct peer_real *peer);

struct rv_world_place peer_real_place(const struct peer_real *peer);
const char *peer_real_heard(const struct peer_real *peer);

#endif
