/* SPDX-License-Identifier: MIT */
/* Lines from standard input, on the loop; whatever standard input is. */
#ifndef AGENT_INPUT_H
#define AGENT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct input;

/* What was read: a line without its end, or NULL at the end of input (`problem` set if it is an
 * error: a line that is too long, a failed read). */
typedef void (*input_line_fn)(const char *line, const char *problem, void *arg);

/* NULL if there is no memory. */
struct input *input_new(struct event_base *base, input_line_fn on_line, void *arg);

/* Ask for one line: it comes later, from the loop. */
void input_ask(struct input *input);

/* What was typed before this is not wanted: it was not meant for what is asked now. */
void input_forget(struct input *input);

/* Stop asking. */
void input_stop(struct input *input);
void input_free(struct input *input);

#endif
