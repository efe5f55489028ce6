/* SPDX-License-Identifier: MIT */
/* Editing a line by libedit. */
#include "agent/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <histedit.h>

enum { MOST_REMEMBERED = 1000, NO_CHARACTER = 0xfffd };

struct edit {
    EditLine *line;
    HistoryW *history;
    FILE *nowhere;
    struct termios found;
    const struct key *key; /* that is being read */
    size_t key_at;
    char text[EDIT_MOST_BYTES + 1];
};

/* libedit asks for a character: from the key that it was called for, or there is none. */
static int next_code(EditLine *line, wchar_t *ret_code)
{
    struct edit *edit;

    el_wget(line, EL_CLIENTDATA, &edit);
    if (!edit->key || edit->key_at == edit->key->count)
        return 0;
    *ret_code = edit->key->codes[edit->key_at++];
    return 1;
}

struct binding {
    const wchar_t *key, *command;
};

/* What keys send whatever the description of the terminal says. What stands in neither of these
 * lists is passed over, since libedit would take a part of it for text. */
static const struct binding sequences[] = {
    {L"\033[A", L"ed-prev-history"},      {L"\033OA", L"ed-prev-history"},
    {L"\033[B", L"ed-next-history"},      {L"\033OB", L"ed-next-history"},
    {L"\033[C", L"ed-next-char"},         {L"\033OC", L"ed-next-char"},
    {L"\033[D", L"ed-prev-char"},         {L"\033OD", L"ed-prev-char"},
    {L"\033[1~", L"ed-move-to-beg"},      {L"\033[7~", L"ed-move-to-beg"},
    {L"\033[H", L"ed-move-to-beg"},       {L"\033OH", L"ed-move-to-beg"},
    {L"\033[4~", L"ed-move-to-end"},      {L"\033[8~", L"ed-move-to-end"},
    {L"\033[F", L"ed-move-to-end"},       {L"\033OF", L"ed-move-to-end"},
    {L"\033[3~", L"ed-delete-next-char"}, {L"\033[1;5C", L"em-next-word"},
    {L"\033[1;3C", L"em-next-word"},      {L"\033[1;5D", L"ed-prev-word"},
    {L"\033[1;3D", L"ed-prev-word"},
};

/* Commands that would read more keys by themselves are taken out: they would hold the loop. */
static const struct binding others[] = {
    {L"^R", L"ed-search-prev-history"},
    {L"^S", L"ed-search-next-history"},
    {L"^V", L"ed-unassigned"},
    {L"^Q", L"ed-unassigned"},
    {L"^W", L"ed-delete-prev-word"},
    {L"^D", L"ed-delete-next-char"},
    {L"^I", L"ed-insert"},
    {L"^Z", L"ed-unassigned"},
    {L"^C", L"ed-unassigned"},
    {L"\033x", L"ed-unassigned"},
    {L"\033X", L"ed-unassigned"},
    {L"\033^H", L"ed-delete-prev-word"},
    {L"\033^?", L"ed-delete-prev-word"},
};

static void bind_keys(EditLine *line, const struct binding *bindings, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        el_wset(line, EL_BIND, bindings[i].key, bindings[i].command, NULL);
}

static bool is_known(const struct key *key)
{
    size_t i;

    if (key->count < 3 || key->codes[0] != L'\033')
        return true;
    for (i = 0; i < sizeof sequences / sizeof *sequences; i++)
        if (wcslen(sequences[i].key) == key->count &&
            !wmemcmp(sequences[i].key, key->codes, key->count))
            return true;
    return false;
}

static bool make_history(struct edit *edit)
{
    HistEventW event;

    edit->history = history_winit();
    if (!edit->history)
        return false;
    history_w(edit->history, &event, H_SETSIZE, MOST_REMEMBERED);
    history_w(edit->history, &event, H_SETUNIQUE, 1);
    el_wset(edit->line, EL_HIST, history_w, edit->history);
    return true;
}

struct edit *edit_new(void)
{
    struct edit *edit = calloc(1, sizeof *edit);

    if (!edit)
        return NULL;
    if (tcgetattr(STDIN_FILENO, &edit->found)) {
        free(edit);
        return NULL;
    }
    edit->nowhere = fopen("/dev/null", "w");
    if (edit->nowhere)
        edit->line = el_init_fd("reeve-agent", stdin, edit->nowhere, edit->nowhere, STDIN_FILENO,
                                STDERR_FILENO, STDERR_FILENO);
    if (!edit->line || !make_history(edit)) {
        edit_free(edit);
        return NULL;
    }
    el_wset(edit->line, EL_CLIENTDATA, edit);
    el_wset(edit->line, EL_EDITOR, L"emacs");
    el_wset(edit->line, EL_SIGNAL, 0);
    el_wset(edit->line, EL_GETCFN, next_code);
    bind_keys(edit->line, sequences, sizeof sequences / sizeof *sequences);
    bind_keys(edit->line, others, sizeof others / sizeof *others);
    el_wset(edit->line, EL_UNBUFFERED, 1);
    return edit;
}

void edit_free(struct edit *edit)
{
    if (!edit)
        return;
    if (edit->line)
        el_end(edit->line);
    if (edit->history)
        history_wend(edit->history);
    if (edit->nowhere)
        fclose(edit->nowhere);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &edit->found);
    free(edit);
}

void edit_pause(struct edit *edit)
{
    el_wset(edit->line, EL_PREP_TERM, 0);
}

void edit_resume(struct edit *edit)
{
    el_wset(edit->line, EL_PREP_TERM, 1);
}

void edit_key(struct edit *edit, const struct key *key)
{
    int count;

    if (!is_known(key))
        return;
    edit->key = key;
    edit->key_at = 0;
    el_wgets(edit->line, &count);
    edit->key = NULL;
}

static size_t utf8_of(wchar_t wide, char *bytes)
{
    const unsigned code = wide >= 0 && wide <= 0x10ffff ? (unsigned)wide : NO_CHARACTER;
    const size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    size_t i;

    if (len == 1) {
        bytes[0] = (char)code;
        return 1;
    }
    bytes[0] = (char)((0xf00u >> len & 0xffu) | code >> 6 * (len - 1));
    for (i = 1; i < len; i++)
        bytes[i] = (char)(0x80 | (code >> 6 * (len - 1 - i) & 0x3f));
    return len;
}

const char *edit_text(struct edit *edit, size_t *ret_len, size_t *ret_cursor)
{
    const LineInfoW *info = el_wline(edit->line);
    const wchar_t *at;
    size_t len = 0;

    *ret_cursor = 0;
    for (at = info->buffer; at < info->lastchar && len + 4 <= EDIT_MOST_BYTES; at++) {
        len += utf8_of(*at, edit->text + len);
        if (at + 1 <= info->cursor)
            *ret_cursor = len;
    }
    edit->text[len] = '\0';
    *ret_len = len;
    return edit->text;
}

bool edit_is_empty(struct edit *edit)
{
    const LineInfoW *info = el_wline(edit->line);

    return info->lastchar == info->buffer;
}

void edit_insert(struct edit *edit, wchar_t code)
{
    const LineInfoW *info = el_wline(edit->line);
    const wchar_t text[] = {code, L'\0'};

    if (info->lastchar - info->buffer < EDIT_MOST_BYTES / 4)
        el_winsertstr(edit->line, text);
}

void edit_clear(struct edit *edit)
{
    el_wset(edit->line, EL_UNBUFFERED, 0);
    el_wset(edit->line, EL_UNBUFFERED, 1);
}

void edit_remember(struct edit *edit, const char *line)
{
    HistEventW event;
    struct keys keys = {.len = 0};
    struct key key;
    wchar_t *wide = calloc(strlen(line) + 1, sizeof *wide);
    size_t len = 0;

    if (!wide)
        return;
    for (keys.pasting = true; *line; line++)
        if (keys_feed(&keys, *line, &key) == KEY_PASTED)
            wide[len++] = key.codes[0];
    history_w(edit->history, &event, H_ENTER, wide);
    free(wide);
}
