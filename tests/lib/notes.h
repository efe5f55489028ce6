/* SPDX-License-Identifier: MIT */
/*
 * What a scenario has to tell: lines of text, so that two runs of it can be compared, be it in the
 * same world or in another.
 */
#ifndef RV_TESTS_NOTES_H
#define RV_TESTS_NOTES_H

#include <stddef.h>

/* Adds to the notes. Fails the test when they are full. */
void rv_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* NUL-terminated. */
const char *rv_notes(void);
void rv_notes_clear(void);

#endif
