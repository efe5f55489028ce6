/* SPDX-License-Identifier: MIT */
/*
 * What was said at the prompt, kept for the next time in a file of the user's own:
 * $XDG_STATE_HOME/reeve/history or ~/.local/state/reeve/history, readable by nobody else. Each line
 * of it is one entry, with \n for a newline and \\ for a backslash.
 */
#ifndef AGENT_HISTORY_H
#define AGENT_HISTORY_H

#include <stdbool.h>

enum { HISTORY_MOST_LINES = 1000 };

struct history {
    int fd; /* what is said is added there; negative: nowhere */
    char *last;
};

/* Each entry that is kept, the oldest first. */
typedef void (*history_line_fn)(const char *line, void *arg);

/* Reads the file, and makes it shorter if it has grown beyond its bound. Where there is no folder
 * for it, or no right to write it, nothing is kept, and nothing is said about it. */
void history_open(struct history *history, history_line_fn on_line, void *arg);

/* False: it is not to be kept, because it begins with a space or is said for the second time. */
bool history_add(struct history *history, const char *line);
void history_close(struct history *history);

#endif
