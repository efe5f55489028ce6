/* SPDX-License-Identifier: MIT */
/*
 * Text of others, one character at a time, as a terminal may be given it: what would control the
 * terminal is spelled out, and so is, where a text is to be judged by the eye, what cannot be seen
 * or looks like something else.
 */
#ifndef AGENT_VISIBLE_H
#define AGENT_VISIBLE_H

#include <stddef.h>

enum visible_how {
    VISIBLE_TEXT, /* newlines and tabs stay; only what controls the terminal is spelled out */
    VISIBLE_LINE, /* as a part of one line, and nothing hidden */
};

struct visible {
    const char *text; /* what to write, `len` bytes: of the input, or of `spelled` */
    size_t len;
    unsigned columns; /* that it takes on a terminal; 0 for newlines and for what combines */
    char spelled[16];
};

/* The character that `text` (`len` > 0 bytes) begins with. Returns how many bytes it has. */
size_t visible_next(const char *text, size_t len, enum visible_how how, struct visible *ret);

#endif
