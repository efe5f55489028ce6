/* SPDX-License-Identifier: MIT */
/* Asking the person whether a call may run. */
#include "agent/consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    SHOWN_OF_WRITE = 2000, /* bytes of one argument at first; of a command all is shown */
    LONG_BYTES = 1000,     /* a command of more is told to be long, below it */
    LONG_LINES = 15,
};

static const char next_row[] = "    : "; /* of the terminal, for what is longer than one */

void consent_init(struct consent *consent, struct view *view, bool commands, const char *root)
{
    *consent = (struct consent){.view = view, .commands = commands};
    consent->terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (!realpath(root, consent->root))
        snprintf(consent->root, sizeof consent->root, "%s", root);
}

static const char *effect_name(enum reeve_effect effect)
{
    switch (effect) {
    case REEVE_EFFECT_READ:
        return "reads";
    case REEVE_EFFECT_WRITE:
        return "writes";
    case REEVE_EFFECT_UNKNOWN:
        break;
    }
    return "may do anything";
}

/*
 * Each line of it behind a bar, and each row of the terminal that a long line takes behind a colon:
 * no text can look like a line of ours. Returns the rows.
 */
static size_t show_lines(const struct view *view, const char *text, size_t len)
{
    size_t start = 0, rows = 0;

    while (start <= len) {
        const char *end = memchr(text + start, '\n', len - start);
        const size_t line = end ? (size_t)(end - text) - start : len - start;

        rows += view_foreign_rows(view, "    | ", next_row, text + start, line);
        start += line + 1;
    }
    return rows;
}

/* As much of `len` bytes as may be shown, without half of a character. */
static size_t cut(const char *text, size_t len, size_t most)
{
    if (len <= most)
        return len;
    while (most && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static void show_string(struct consent *consent, const struct reeve_json *value, size_t most)
{
    size_t len, shown, rows;
    const char *text = reeve_json_string(value, &len);

    shown = cut(text, len, most);
    if (shown < len) {
        fprintf(stderr, " (the first %zu of %zu bytes)", shown, len);
        consent->cut = true;
    }
    putc('\n', stderr);
    rows = show_lines(consent->view, text, shown);
    if (shown == len && (len > LONG_BYTES || rows > LONG_LINES))
        fprintf(stderr, "  (that was long: %zu bytes in %zu rows; look at where it begins)\n", len,
                rows);
}

static void show_plain(const struct view *view, const struct reeve_json *value)
{
    size_t len;
    const char *number;
    int is_true;

    switch (reeve_json_type(value)) {
    case REEVE_JSON_NUMBER:
        number = reeve_json_number_text(value, &len);
        putc(' ', stderr);
        view_foreign(view, number, len);
        break;
    case REEVE_JSON_BOOL:
        fprintf(stderr, " %s", !reeve_json_bool(value, &is_true) && is_true ? "true" : "false");
        break;
    default:
        fprintf(stderr, " %s", reeve_json_type_name(reeve_json_type(value)));
    }
    putc('\n', stderr);
}

static void show_arguments(struct consent *consent, bool all)
{
    const struct reeve_permission_request *request = consent->request;
    const size_t most = all || request->effect == REEVE_EFFECT_UNKNOWN ? SIZE_MAX : SHOWN_OF_WRITE;
    const size_t count = reeve_json_count(request->arguments);
    size_t i;

    consent->cut = false;
    for (i = 0; i < count; i++) {
        const struct reeve_json *value = reeve_json_at(request->arguments, i);
        size_t len;
        const char *key = reeve_json_key_at(request->arguments, i, &len);

        fputs("  ", stderr);
        view_foreign(consent->view, key, len);
        putc(':', stderr);
        if (reeve_json_type(value) == REEVE_JSON_STRING)
            show_string(consent, value, most);
        else
            show_plain(consent->view, value);
    }
}

static bool is_at_or_below(const char *folder, const char *path)
{
    const size_t len = strcmp(folder, "/") ? strlen(folder) : 0;

    return !strncmp(folder, path, len) && (!path[len] || path[len] == '/');
}

/* A tool will not touch what is outside of the root, whatever the answer; whoever is asked may
 * know. */
static void show_claims(const struct consent *consent)
{
    const struct reeve_permission_request *request = consent->request;
    size_t i;

    for (i = 0; i < request->claim_count; i++) {
        const struct reeve_claim *claim = &request->claims[i];
        char before[100];

        snprintf(before, sizeof before, "  %s %s ", effect_name(claim->effect), claim->kind);
        view_foreign_rows(consent->view, before, next_row, claim->key, strlen(claim->key));
        if (!strcmp(claim->kind, REEVE_RESOURCE_PATH) && !is_at_or_below(consent->root, claim->key))
            fputs("  (outside of the root folder: it will be denied in any case)\n", stderr);
    }
}

static void show(struct consent *consent, bool all)
{
    const struct reeve_permission_request *request = consent->request;
    const char *name = request->call->name;

    view_begin_lines(consent->view);
    fputs("? ", stderr);
    view_foreign(consent->view, name, strlen(name));
    fprintf(stderr, " %s\n", effect_name(request->effect));
    if (request->effect == REEVE_EFFECT_UNKNOWN) {
        view_foreign_rows(consent->view, "  as you, outside of this folder too, starting in ",
                          next_row, consent->root, strlen(consent->root));
    }
    show_claims(consent);
    show_arguments(consent, all);
    view_end_lines(consent->view);
}

void consent_show(struct consent *consent, const struct reeve_permission_request *request)
{
    consent->request = request;
    consent->question = request->question;
    show(consent, false);
}

const char *consent_prompt(const struct consent *consent)
{
    static const char *const prompts[2][2] = {
        {"allow it? y: yes, a: always this tool, n REASON: no> ",
         "allow it? y: yes, a: always this tool, n REASON: no, s: show all> "},
        {"allow it? y: yes, a: always this command, n REASON: no> ",
         "allow it? y: yes, a: always this command, n REASON: no, s: show all> "},
    };

    if (!consent->question)
        return NULL;
    return prompts[consent->request->effect == REEVE_EFFECT_UNKNOWN][consent->cut];
}

void consent_void(struct consent *consent)
{
    consent->question = 0;
    consent->request = NULL;
}

enum consent_verdict consent_decide(const struct consent *consent,
                                    const struct reeve_permission_request *request)
{
    if (request->effect == REEVE_EFFECT_READ)
        return CONSENT_ALLOW;
    if (consent->terminal)
        return CONSENT_ASK;
    return request->effect == REEVE_EFFECT_WRITE || consent->commands ? CONSENT_ALLOW
                                                                      : CONSENT_REFUSE;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static bool is_word(const char *text, size_t len, const char *letter, const char *word)
{
    return (len == 1 && !strncasecmp(text, letter, 1)) ||
           (len == strlen(word) && !strncasecmp(text, word, len));
}

bool consent_answer(struct consent *consent, struct reeve_agent *agent, const char *line)
{
    const char *word = skip_blanks(line ? line : "n nobody is there to be asked");
    const size_t len = strcspn(word, " \t");
    const char *rest = skip_blanks(word + len);
    enum reeve_permission answer;
    uint64_t question;

    if (is_word(word, len, "y", "yes") && !*rest) {
        answer = REEVE_PERMISSION_ALLOW;
    } else if (is_word(word, len, "a", "always") && !*rest) {
        answer = REEVE_PERMISSION_ALWAYS;
    } else if (is_word(word, len, "n", "no")) {
        answer = REEVE_PERMISSION_REFUSE;
    } else {
        if (is_word(word, len, "s", "show") && !*rest)
            show(consent, true);
        return false;
    }
    question = consent->question;
    consent_void(consent);
    reeve_agent_permit(agent, question, answer, rest);
    return true;
}
