/* SPDX-License-Identifier: MIT */
/*
 * The row that tells which tools run, for how long, and the last line that one of them has written.
 * It appears when they have run for a moment, and goes with the last of them.
 */
#ifndef AGENT_LIVE_H
#define AGENT_LIVE_H

#include <reeve.h>

#include "agent/redact.h"
#include "agent/screen.h"
#include "agent/tally.h"

struct event_base;
struct live;

/* All are borrowed. NULL if there is no memory. */
struct live *live_new(struct event_base *base, struct screen *screen, const struct tally *tally,
                      const struct redact *redact);
void live_free(struct live *live);

/* Something has happened to a call; the tally knows it already. */
void live_tool(struct live *live, const struct reeve_tool_event *event);

/* The run is over. */
void live_end_run(struct live *live);

#endif
