/* SPDX-License-Identifier: MIT */
/* Pairs the calls of a transcript with their results. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

bool ms_path_normal(struct ms_span path, char ret_path[MS_MAX_PATH_BYTES])
{
    while (path.len > 1 && path.s[0] == '.' && path.s[1] == '/') {
        path.s += 2;
        path.len -= 2;
    }
    for (;;) {
        if (path.len > 1 && path.s[path.len - 1] == '/')
            path.len--;
        else if (path.len > 2 && path.s[path.len - 1] == '.' && path.s[path.len - 2] == '/')
            path.len -= 2;
        else
            break;
    }
    if (path.len >= MS_MAX_PATH_BYTES)
        return false;
    if (path.len == 0)
        path = ms_span_of(".");
    memcpy(ret_path, path.s, path.len);
    ret_path[path.len] = '\0';
    return true;
}

/* The text of a message's content; joined in *ret_owned when it comes in parts. 0, or -1. */
static int content_text(yajl_val content, struct ms_span *ret_text, char **ret_owned)
{
    struct ms_text joined;

    *ret_owned = NULL;
    *ret_text = ms_span_of(YAJL_IS_STRING(content) ? YAJL_GET_STRING(content) : "");
    if (!YAJL_IS_ARRAY(content))
        return 0;
    ms_text_init(&joined, (size_t)-1 / 4);
    for (size_t i = 0; i < content->u.array.len; i++) {
        const char *part = ms_json_string(content->u.array.values[i], "text");

        if (part && joined.len > 0)
            ms_text_add_string(&joined, "\n");
        if (part)
            ms_text_add_string(&joined, part);
    }
    if (joined.failed) {
        ms_text_done(&joined);
        return -1;
    }
    *ret_text = (struct ms_span){ms_text_string(&joined), joined.len};
    *ret_owned = joined.data;
    return 0;
}

static bool starts_with_any(struct ms_span text, const char *const *starts)
{
    for (; *starts; starts++) {
        size_t len = strlen(*starts);

        if (text.len >= len && ms_span_is_nocase((struct ms_span){text.s, len}, *starts))
            return true;
    }
    return false;
}

/* '"notes.txt" does not exist …': a sentence about the path that was asked for, or about the
 * parameter "path". */
static bool speaks_of_path(const struct ms_item *item, struct ms_span text)
{
    const char *end =
        text.len > 2 && text.s[0] == '"' ? memchr(text.s + 1, '"', text.len - 1) : NULL;
    char path[MS_MAX_PATH_BYTES];
    struct ms_span quoted;

    if (!end || item->kind == MS_OTHER || end + 1 == text.s + text.len || end[1] != ' ')
        return false;
    quoted = (struct ms_span){text.s + 1, (size_t)(end - text.s - 1)};
    if (ms_span_is(quoted, "path"))
        return true;
    return ms_path_normal(quoted, path) && strcmp(path, item->path) == 0;
}

/* The chat format has no flag for it: a failed tool can only say so in its text. A marked text is
 * believed whatever its length, a sentence only when it stands alone. */
static bool tells_of_error(const struct ms_item *item)
{
    static const char *const marks[] = {"error:", "error (", "[error", "{\"error\"", NULL};
    static const char *const sentences[] = {
        "cannot ",           "could not ",        "no such ",       "not found",
        "permission denied", "the arguments of ", "the call ended", "the call was ",
        "the tool ",         "there is no ",      "unknown tool",   NULL,
    };

    struct ms_span text = ms_span_trim(item->text, " \n");

    if (starts_with_any(text, marks))
        return true;
    if (text.len == 0 || memchr(text.s, '\n', text.len))
        return false;
    return starts_with_any(text, sentences) || speaks_of_path(item, text);
}

static enum ms_item_kind kind_of(const char *tool)
{
    if (strcmp(tool, MS_LIST_TOOL) == 0)
        return MS_LISTING;
    return strcmp(tool, MS_READ_TOOL) == 0 ? MS_FILE : MS_OTHER;
}

/* The path is the argument "path", else the first argument that is text. */
static void read_path(struct ms_item *item)
{
    const char *path;
    yajl_val tree;

    ms_path_normal(ms_span_of("."), item->path);
    if (ms_json_parse(item->arguments, strlen(item->arguments), &tree))
        return;
    path = ms_json_string(tree, "path");
    for (size_t i = 0; !path && YAJL_IS_OBJECT(tree) && i < tree->u.object.len; i++)
        path = YAJL_GET_STRING(tree->u.object.values[i]);
    if (path)
        ms_path_normal(ms_span_of(path), item->path);
    yajl_tree_free(tree);
}

static struct ms_item *new_item(struct ms_evidence *evidence)
{
    if (evidence->count == MS_MAX_ITEMS) {
        free(evidence->items[0].owned);
        evidence->count--;
        memmove(evidence->items, evidence->items + 1, evidence->count * sizeof(*evidence->items));
    }
    if (evidence->count == evidence->room) {
        size_t room = evidence->room ? evidence->room * 2 : 16;
        struct ms_item *items = realloc(evidence->items, room * sizeof(*items));

        if (!items)
            return NULL;
        evidence->items = items;
        evidence->room = room;
    }
    return &evidence->items[evidence->count];
}

static int add_item(struct ms_evidence *evidence, yajl_val call, yajl_val result, bool current)
{
    yajl_val function = ms_json_get(call, "function");
    const char *tool = ms_json_string(function, "name");
    const char *arguments = ms_json_string(function, "arguments");
    struct ms_item *item;

    if (!tool || !arguments)
        return 0;
    item = new_item(evidence);
    if (!item)
        return -1;
    memset(item, 0, sizeof(*item));
    item->tool = tool;
    item->arguments = arguments;
    item->kind = kind_of(tool);
    item->current = current;
    if (content_text(ms_json_get(result, "content"), &item->text, &item->owned))
        return -1;
    read_path(item);
    item->error = ms_json_get(result, MS_IS_ERROR) || tells_of_error(item);
    evidence->count++;
    return 0;
}

/* The result of a call among the tool messages that follow the assistant message `at`. */
static yajl_val find_result(yajl_val messages, size_t at, const char *id)
{
    for (size_t i = at + 1; id && i < messages->u.array.len; i++) {
        yajl_val message = messages->u.array.values[i];
        const char *role = ms_json_string(message, "role");
        const char *answers = ms_json_string(message, "tool_call_id");

        if (!role || strcmp(role, "tool") != 0)
            return NULL;
        if (answers && strcmp(answers, id) == 0)
            return message;
    }
    return NULL;
}

static int add_calls(struct ms_evidence *evidence, yajl_val messages, size_t at, bool current)
{
    yajl_val calls = ms_json_get(messages->u.array.values[at], "tool_calls");

    if (!YAJL_IS_ARRAY(calls))
        return 0;
    if (current)
        evidence->rounds++;
    for (size_t i = 0; i < calls->u.array.len; i++) {
        yajl_val call = calls->u.array.values[i];
        yajl_val result = find_result(messages, at, ms_json_string(call, "id"));

        if (result && add_item(evidence, call, result, current))
            return -1;
    }
    return 0;
}

/* The index of the last user message, or -1 as a size_t. */
static size_t last_user(yajl_val messages)
{
    for (size_t i = messages->u.array.len; i-- > 0;) {
        const char *role = ms_json_string(messages->u.array.values[i], "role");

        if (role && strcmp(role, "user") == 0)
            return i;
    }
    return (size_t)-1;
}

int ms_evidence_read(yajl_val messages, struct ms_evidence *ret_evidence)
{
    struct ms_evidence evidence = {.question = {"", 0}};
    size_t user;

    if (!YAJL_IS_ARRAY(messages)) {
        *ret_evidence = evidence;
        return 0;
    }
    user = last_user(messages);
    if (user != (size_t)-1 && content_text(ms_json_get(messages->u.array.values[user], "content"),
                                           &evidence.question, &evidence.question_owned))
        return -1;
    for (size_t i = 0; i < messages->u.array.len; i++) {
        if (add_calls(&evidence, messages, i, user == (size_t)-1 || i > user)) {
            ms_evidence_done(&evidence);
            return -1;
        }
    }
    *ret_evidence = evidence;
    return 0;
}

void ms_evidence_done(struct ms_evidence *evidence)
{
    for (size_t i = 0; i < evidence->count; i++)
        free(evidence->items[i].owned);
    free(evidence->items);
    free(evidence->question_owned);
    *evidence = (struct ms_evidence){.question = {"", 0}};
}

bool ms_evidence_has(const struct ms_evidence *evidence, enum ms_item_kind kind, const char *path)
{
    for (size_t i = 0; i < evidence->count; i++) {
        const struct ms_item *item = &evidence->items[i];

        if (item->kind == kind && (!item->error || item->current) && strcmp(item->path, path) == 0)
            return true;
    }
    return false;
}

/* "[3 more entries …]", and "pipe?": what is neither a file nor a folder nor a link. */
static bool is_note(struct ms_span line)
{
    if (line.len == 0)
        return true;
    return (line.s[0] == '[' && line.s[line.len - 1] == ']') || line.s[line.len - 1] == '?';
}

static bool read_entry(const struct ms_item *listing, struct ms_span line, struct ms_entry *entry)
{
    const char *tab = memchr(line.s, '\t', line.len);
    struct ms_span name = {line.s, tab ? (size_t)(tab - line.s) : line.len};
    int len;

    if (!tab && is_note(name))
        return false;
    entry->size_bytes = -1;
    if (tab && tab + 1 < line.s + line.len && tab[1] >= '0' && tab[1] <= '9')
        entry->size_bytes = strtoll(tab + 1, NULL, 10);
    entry->is_folder = name.len > 0 && name.s[name.len - 1] == '/';
    if (entry->is_folder || (!tab && name.len > 1 && name.s[name.len - 1] == '@'))
        name.len--;
    if (name.len == 0 || name.len >= MS_MAX_PATH_BYTES || ms_span_is(name, ".") ||
        ms_span_is(name, ".."))
        return false;
    entry->name = name;
    if (strcmp(listing->path, ".") == 0)
        len = snprintf(entry->path, sizeof(entry->path), "%.*s", (int)name.len, name.s);
    else
        len = snprintf(entry->path, sizeof(entry->path), "%s/%.*s", listing->path, (int)name.len,
                       name.s);
    return len > 0 && (size_t)len < sizeof(entry->path);
}

bool ms_listing_next(const struct ms_item *listing, size_t *offset, struct ms_entry *ret_entry)
{
    struct ms_span line;

    while (ms_line_next(listing->text, offset, &line))
        if (read_entry(listing, line, ret_entry))
            return true;
    return false;
}
