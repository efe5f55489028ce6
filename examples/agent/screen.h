/* SPDX-License-Identifier: MIT */
/*
 * The rows at the bottom of the terminal that are drawn again and again: what runs just now, and
 * the line that is being typed. Everything else is written above them: whoever writes to the
 * terminal hides them first, says how wide it was if that ended within a line, and shows them
 * again. Where standard error is no terminal that can be drawn on, all of this does nothing.
 */
#ifndef AGENT_SCREEN_H
#define AGENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen;

/* NULL if there is no memory. */
struct screen *screen_new(void);
void screen_free(struct screen *screen);

/* Whether there is a terminal to draw on. */
bool screen_can_draw(const struct screen *screen);

bool screen_has_colours(const struct screen *screen);

/* Its width in columns now; 80 where that is not known. */
unsigned screen_columns(const struct screen *screen);

void screen_hide(struct screen *screen);
void screen_show(struct screen *screen);

/* What was written above ends in the middle of a line: so many columns more of it, or a new line.
 */
void screen_wrote(struct screen *screen, unsigned columns);
void screen_wrote_newline(struct screen *screen);

/* The row that tells what runs; "" for none. Copied; what does not fit is left out. */
void screen_set_live(struct screen *screen, const char *text, size_t len);

/* The line that is typed: `text` is borrowed until the next call, `cursor` a place in it. prompt
 * NULL: none is typed. */
void screen_set_typed(struct screen *screen, const char *prompt, const char *text, size_t len,
                      size_t cursor);

/* The typed line, drawn whole, stays where it is, and what comes is written below. */
void screen_keep_typed(struct screen *screen);

/* Start on an empty screen. */
void screen_clear(struct screen *screen);

/* The terminal may have another size now. */
void screen_resized(struct screen *screen);

#endif
