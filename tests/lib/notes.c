/* SPDX-License-Identifier: MIT */
#include "tests/lib/notes.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

static char notes[16384];
static size_t notes_len;

void rv_note(const char *format, ...)
{
    size_t room = sizeof notes - notes_len;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(notes + notes_len, room, format, args);
    va_end(args);
    cr_assert(len >= 0 && (size_t)len < room, "the scenario has more to tell than there is room");
    notes_len += (size_t)len;
}

const char *rv_notes(void)
{
    return notes;
}

void rv_notes_clear(void)
{
    notes_len = 0;
    notes[0] = '\0';
}
