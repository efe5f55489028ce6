/* SPDX-License-Identifier: MIT */
/*
 * A person at the terminal: keys become lines, which are edited and drawn below everything else.
 */
#ifndef AGENT_TYPING_H
#define AGENT_TYPING_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/redact.h"
#include "agent/screen.h"

struct typing;

/* NULL: lines can't be edited here (no terminal that can be drawn on, no libedit), and whoever asks
 * for them reads what the terminal gives. `screen` and `redact` are borrowed. */
struct typing *typing_new(struct screen *screen, const struct redact *redact);

/* The terminal is as it was found. */
void typing_free(struct typing *typing);

/*
 * What is shown before the line (borrowed); NULL: a word may be typed, and shows once it is begun.
 * What is typed at it goes into the history, or does not.
 */
void typing_ask(struct typing *typing, const char *prompt, bool remembered);

enum typing_result {
    TYPING_MORE, /* the line is not done */
    TYPING_LINE, /* typing_line has it */
    TYPING_END,  /* there will be no more: Ctrl-D on an empty line */
};

/* Bytes from the terminal. Returns at a line's end, with *ret_taken bytes of them used. */
enum typing_result typing_feed(struct typing *typing, const char *bytes, size_t len,
                               size_t *ret_taken);
const char *typing_line(const struct typing *typing);

/* Drop what was typed. False: there was nothing. */
bool typing_forget(struct typing *typing);

/* Give the terminal back for a while, and take it again. */
void typing_pause(struct typing *typing);
void typing_resume(struct typing *typing);

#endif
