/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: how many requests are on the wire, of each host and in all, and who waits. When
 * a place becomes free the hosts take turns, and of one host's requests the oldest goes first. It
 * keeps the settings of a runtime, too.
 */
#ifndef RV_IO_HTTP_QUEUE_H
#define RV_IO_HTTP_QUEUE_H

#include <stdbool.h>

#include "base/list.h"
#include "io/http.h"

struct rv_http_host;

/* A request's place; zeroed is none. */
struct rv_http_place {
    struct rv_list node; /* in its host's line, while it waits */
    struct rv_http_host *host;
};

/* The settings with their defaults filled in. NULL: no memory. */
const struct rv_http_settings *rv_http_settings_of(struct reeve_runtime *runtime);

/*
 * Take a place: *ret_now tells whether the wire is free for it; else `start` is called for it from
 * the loop, once, unless it leaves before. origin: scheme://host:port. 0 or REEVE_ENOMEM.
 */
int rv_http_place_take(struct reeve_runtime *runtime, struct rv_http_place *place,
                       const char *origin, size_t origin_len,
                       void (*start)(struct rv_http_place *place), bool *ret_now);

/* Waiting or on the wire; no effect on one without a place. Never starts another before it returns.
 */
void rv_http_place_leave(struct reeve_runtime *runtime, struct rv_http_place *place);

#endif
