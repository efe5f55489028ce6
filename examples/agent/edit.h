/* SPDX-License-Identifier: MIT */
/*
 * A line that is edited: what libedit knows of keys, words and the history, without its drawing and
 * without its waiting. It is given whole keys, so that it never reads from the terminal, and draws
 * to nowhere. Built without libedit there is none, and lines are edited as far as the terminal
 * itself does.
 */
#ifndef AGENT_EDIT_H
#define AGENT_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "agent/keys.h"

enum { EDIT_MOST_BYTES = 64 * 1024 };

struct edit;

/* The terminal of standard input, which gives single keys from now on. NULL: it cannot be had. */
struct edit *edit_new(void);

/* The terminal is as it was found. */
void edit_free(struct edit *edit);

/* Give the terminal back for a while, and take it again. The line stays. */
void edit_pause(struct edit *edit);
void edit_resume(struct edit *edit);

/* What a key does to the line. */
void edit_key(struct edit *edit, const struct key *key);

/* Put a character where the cursor is. */
void edit_insert(struct edit *edit, wchar_t code);

/* The line as UTF-8, and the cursor's place in it; valid until the next call. */
const char *edit_text(struct edit *edit, size_t *ret_len, size_t *ret_cursor);
bool edit_is_empty(struct edit *edit);

/* An empty line; the history starts from its end again. */
void edit_clear(struct edit *edit);

/* A line for the history, behind the others. */
void edit_remember(struct edit *edit, const char *line);

#endif
