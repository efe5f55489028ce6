/* SPDX-License-Identifier: MIT */
/* Lines from standard input, on the loop; whatever standard input is. */
#ifndef AGENT_INPUT_H
#define AGENT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct input;
struct typing;

/* What was read: a line without its end, or NULL at the end of input (`problem` set if it is an
 * error: a line that is too long, a failed read). */
typedef void (*input_line_fn)(const char *line, const char *problem, void *arg);

/* Lines come from `typing` if that is not NULL (it is taken over), else from standard input as it
 * is. NULL if there is no memory. */
struct input *input_new(struct event_base *base, struct typing *typing, input_line_fn on_line,
                        void *arg);

/*
 * Ask for one line: it comes later, from the loop. On a terminal `prompt` (borrowed; NULL: none)
 * stands before it. `remembered`: it is kept in the history.
 */
void input_ask(struct input *input, const char *prompt, bool remembered);

/* What was typed before this is not wanted: it was not meant for what is asked now. False: there
 * was nothing, as far as can be known. */
bool input_forget(struct input *input);

/* Nothing more is asked for: what follows begins in a row of its own. */
void input_end_row(struct input *input);

/* Give the terminal back for a while, and take it again. */
void input_pause(struct input *input);
void input_resume(struct input *input);

/* Stop asking. */
void input_stop(struct input *input);
void input_free(struct input *input);

#endif
