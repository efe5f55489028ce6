/* SPDX-License-Identifier: MIT */
/* Built without libedit: there is no editor, and none of the others is ever called. */
#include "agent/edit.h"

struct edit *edit_new(void)
{
    return NULL;
}

void edit_free(struct edit *edit)
{
    (void)edit;
}

void edit_pause(struct edit *edit)
{
    (void)edit;
}

void edit_resume(struct edit *edit)
{
    (void)edit;
}

void edit_key(struct edit *edit, const struct key *key)
{
    (void)edit;
    (void)key;
}

const char *edit_text(struct edit *edit, size_t *ret_len, size_t *ret_cursor)
{
    (void)edit;
    *ret_len = *ret_cursor = 0;
    return "";
}

bool edit_is_empty(struct edit *edit)
{
    (void)edit;
    return true;
}

void edit_insert(struct edit *edit, wchar_t code)
{
    (void)edit;
    (void)code;
}

void edit_clear(struct edit *edit)
{
    (void)edit;
}

void edit_remember(struct edit *edit, const char *line)
{
    (void)edit;
    (void)line;
}
