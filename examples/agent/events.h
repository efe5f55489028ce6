/* SPDX-License-Identifier: MIT */
/*
 * What happens in a run, for programs (--json): a JSON object on a line of standard output for each
 * thing, told in the manual page. The key stands in none of them.
 */
#ifndef AGENT_EVENTS_H
#define AGENT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve.h>

#include "agent/redact.h"
#include "agent/tally.h"

struct events {
    struct redact redact;
    bool in_text; /* the line of a text is open */
    struct tally tally;
};

/* `key` is borrowed; NULL: none. */
void events_init(struct events *events, const char *key);
void events_begin_run(struct events *events);
void events_text(struct events *events, const char *text, size_t len);
void events_tool(struct events *events, const struct reeve_tool_event *event);

/* `answer`: "allow", "refuse", or "ask" if a person is asked. */
void events_permission(struct events *events, const struct reeve_permission_request *request,
                       const char *answer);
void events_end_run(struct events *events, const struct reeve_run *run);

#endif
