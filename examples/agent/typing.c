/* SPDX-License-Identifier: MIT */
/* Keys become lines. */
#include "agent/typing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/edit.h"
#include "agent/history.h"
#include "agent/keys.h"

enum { CONTROL_D = 0x04, CONTROL_L = 0x0c };

static const char aside[] = "> ";

struct typing {
    struct screen *screen;
    const struct redact *redact;
    struct edit *edit;
    struct keys keys;
    struct history history;
    const char *prompt;
    bool remembered;
    char *line; /* that was given last */
};

static void redraw(struct typing *typing)
{
    size_t len, cursor;
    const char *text = edit_text(typing->edit, &len, &cursor);
    const char *prompt = typing->prompt;

    if (!prompt && len)
        prompt = aside;
    screen_set_typed(typing->screen, prompt, text, len, cursor);
}

static void remember_old(const char *line, void *arg)
{
    struct typing *typing = arg;

    edit_remember(typing->edit, line);
}

static void take_terminal(void)
{
    fputs(KEYS_PASTES_ON, stderr);
    fflush(stderr);
}

static void give_terminal(void)
{
    fputs(KEYS_PASTES_OFF, stderr);
    fflush(stderr);
}

struct typing *typing_new(struct screen *screen, const struct redact *redact)
{
    struct typing *typing;

    if (!screen_can_draw(screen))
        return NULL;
    typing = calloc(1, sizeof *typing);
    if (!typing)
        return NULL;
    typing->screen = screen;
    typing->redact = redact;
    typing->edit = edit_new();
    if (!typing->edit) {
        free(typing);
        return NULL;
    }
    history_open(&typing->history, remember_old, typing);
    take_terminal();
    return typing;
}

void typing_free(struct typing *typing)
{
    if (!typing)
        return;
    screen_set_typed(typing->screen, NULL, NULL, 0, 0);
    screen_show(typing->screen);
    give_terminal();
    edit_free(typing->edit);
    history_close(&typing->history);
    free(typing->line);
    free(typing);
}

void typing_ask(struct typing *typing, const char *prompt, bool remembered)
{
    typing->prompt = prompt;
    typing->remembered = remembered;
    redraw(typing);
    screen_show(typing->screen);
}

static enum typing_result end_line(struct typing *typing)
{
    size_t len, cursor;
    char *line = strdup(edit_text(typing->edit, &len, &cursor));

    if (!line)
        return TYPING_MORE;
    free(typing->line);
    typing->line = line;
    redraw(typing);
    screen_keep_typed(typing->screen);
    edit_clear(typing->edit);
    if (typing->remembered && line[strspn(line, " \t\n")] &&
        !redact_has_key(typing->redact, line) && history_add(&typing->history, line))
        edit_remember(typing->edit, line);
    return TYPING_LINE;
}

static enum typing_result typed(struct typing *typing, const struct key *key)
{
    const wchar_t last = key->codes[key->count - 1];

    if (last == L'\r' || last == L'\n') {
        if (key->count == 1)
            return end_line(typing);
        edit_insert(typing->edit, L'\n'); /* behind Alt: the line goes on */
    } else if (key->count == 1 && last == CONTROL_D && edit_is_empty(typing->edit)) {
        screen_keep_typed(typing->screen);
        return TYPING_END;
    } else if (key->count == 1 && last == CONTROL_L) {
        screen_clear(typing->screen);
    } else {
        edit_key(typing->edit, key);
    }
    return TYPING_MORE;
}

enum typing_result typing_feed(struct typing *typing, const char *bytes, size_t len,
                               size_t *ret_taken)
{
    enum typing_result result = TYPING_MORE;
    struct key key;
    size_t at = 0;

    while (at < len && result == TYPING_MORE) {
        switch (keys_feed(&typing->keys, bytes[at++], &key)) {
        case KEY_TYPED:
            result = typed(typing, &key);
            break;
        case KEY_PASTED:
            edit_insert(typing->edit, key.codes[0]);
            break;
        case KEY_NONE:
            break;
        }
    }
    *ret_taken = at;
    if (result == TYPING_MORE) {
        redraw(typing);
        screen_show(typing->screen);
    }
    return result;
}

const char *typing_line(const struct typing *typing)
{
    return typing->line;
}

bool typing_forget(struct typing *typing)
{
    const bool some = !edit_is_empty(typing->edit);

    typing->keys = (struct keys){.len = 0};
    edit_clear(typing->edit);
    redraw(typing);
    screen_show(typing->screen);
    return some;
}

void typing_pause(struct typing *typing)
{
    screen_hide(typing->screen);
    give_terminal();
    edit_pause(typing->edit);
}

void typing_resume(struct typing *typing)
{
    edit_resume(typing->edit);
    take_terminal();
    redraw(typing);
    screen_show(typing->screen);
}
