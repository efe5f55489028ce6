/* SPDX-License-Identifier: MIT */
/*
 * What a terminal sends, cut into keys: a character, or the several bytes by which it tells of an
 * arrow. What was pasted is told apart, so that a line's end in it is no return key.
 */
#ifndef AGENT_KEYS_H
#define AGENT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/* Asks the terminal to say what was pasted, and no longer to. */
#define KEYS_PASTES_ON "\033[?2004h"
#define KEYS_PASTES_OFF "\033[?2004l"

enum { KEYS_MOST_BYTES = 32 };

struct keys {
    bool pasting;
    bool after_return; /* a newline behind a pasted carriage return is a part of it */
    size_t len;
    unsigned char bytes[KEYS_MOST_BYTES];
};

enum key_kind {
    KEY_NONE, /* more bytes must come */
    KEY_TYPED,
    KEY_PASTED, /* one character, or a newline */
};

struct key {
    size_t count;
    wchar_t codes[KEYS_MOST_BYTES];
};

enum key_kind keys_feed(struct keys *keys, char byte, struct key *ret);

#endif
