/* SPDX-License-Identifier: MIT */
/*
 * What the person sees: the answer on standard output as it comes, everything else on standard
 * error. On a terminal, control characters in what a model or a tool says are made visible.
 */
#ifndef AGENT_VIEW_H
#define AGENT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve.h>

#include "agent/live.h"
#include "agent/redact.h"
#include "agent/screen.h"
#include "agent/tally.h"

enum { VIEW_MAX_SPANS = 256 };

/* When a tool call ran, since the run began. */
struct view_span {
    char what[64];
    uint64_t started_us;
    uint64_t ended_us; /* 0: still running */
    char id[64];
};

struct view {
    bool out_terminal;
    bool colours;
    bool verbose;
    bool in_line; /* the answer stands in the middle of a line */
    struct screen *screen;
    struct live *live;
    struct tally tally;
    struct redact redact;
    size_t span_count;
    struct view_span spans[VIEW_MAX_SPANS];
};

/* `screen` is borrowed; so is `key` (NULL: none), which is never shown. False: no memory. */
bool view_init(struct view *view, struct event_base *base, struct screen *screen, bool verbose,
               const char *key);
void view_done(struct view *view);
void view_begin_run(struct view *view);
void view_text(struct view *view, const char *text, size_t len);
void view_tool(struct view *view, const struct reeve_tool_event *event);
void view_end_run(struct view *view, const struct reeve_run *run);

/*
 * Around lines that somebody else writes to standard error: what was written of the answer ends its
 * line, and what is drawn at the bottom makes room.
 */
void view_begin_lines(struct view *view);
void view_end_lines(struct view *view);

/*
 * A text of others on standard error, as a part of one line: control characters, and those that
 * are invisible or turn the direction of the text, are made visible.
 */
void view_foreign(const struct view *view, const char *text, size_t len);

/* The same as whole rows of the terminal, `first` before the first of them, `next` before each
 * other one. Returns how many. */
size_t view_foreign_rows(const struct view *view, const char *first, const char *next,
                         const char *text, size_t len);

/* A line of ours on standard error. */
void view_note(struct view *view, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
