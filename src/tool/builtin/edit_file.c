/* SPDX-License-Identifier: MIT */
/*
 * The tool edit_file: a text in a file is replaced by another.
 *
 * Happy path: read the file → make ready to search, in slices → search, in slices, for what is to
 * be replaced and for what is no text → write the file anew from the spans between the matches,
 * piece by piece, if it is still the one that was read → say what was done, and how the place of
 * the first replacement reads now.
 *
 * Ways to fail: those of a read and of a write; the file is over its cap, or would be, or is no
 * text; no match (what is near to one is looked for, in slices: near.c), or several without
 * "replace_all", or too many; somebody has changed the file meanwhile. The file is then as it was.
 */
#include "tool/builtin/builtin.h"

#include <string.h>

#include "base/utf8.h"
#include "io/file_write.h"
#include "loop/ready.h"
#include "tool/builtin/near.h"
#include "tool/builtin/needle.h"
#include "tool/builtin/visible.h"

#include <reeve/error.h>

enum {
    MAX_FILE_BYTES = 8 * 1024 * 1024,
    MAX_MATCHES = 100000,
    MAX_LINES = 10, /* that are named in an answer */
    SLICE_BYTES = 32 * 1024,
    PIECE_BYTES = 64 * 1024,
    ANSWER_BYTES = 8 * 1024,
    SNIPPET_BYTES = 2000,
    CONTEXT_BYTES = 400,
    CONTEXT_LINES = 2,
};

enum edit_state {
    EDIT_READING,
    EDIT_PREPARING,
    EDIT_SEARCHING,
    EDIT_NEAR,
    EDIT_WRITING,
};

/* Where the making of the new content stands. */
struct cursor {
    size_t at;    /* in the old content */
    size_t match; /* the next */
    size_t given; /* of the new text, if `at` is at that match */
};

struct edit_call {
    struct rv_file_call files;
    enum edit_state state;
    struct rv_task task;
    struct rv_file_read *read;
    struct rv_file_write *write;
    const char *old_text; /* these two are the argument's */
    size_t old_len;
    const char *new_text;
    size_t new_len;
    bool all;

    struct rv_file_status status; /* as it was read */
    char *text;
    size_t len;
    struct rv_needle needle;
    size_t counted; /* of the new text's line breaks */
    size_t old_breaks;
    size_t new_breaks;
    size_t at;
    size_t breaks; /* before `at` */
    size_t matches;
    struct rv_buffer starts; /* of uint32_t: where the matches begin */
    size_t lines[MAX_LINES];

    struct rv_near near;
    struct cursor cursor;
    char *piece;
};

static void end_call(struct edit_call *edit)
{
    struct rv_mem *mem = edit->files.tools->mem;

    rv_ready_remove(&edit->task);
    rv_file_call_end(&edit->files);
    rv_needle_done(&edit->needle, mem);
    rv_buffer_done(&edit->starts);
    if (edit->state == EDIT_NEAR)
        rv_near_done(&edit->near);
    rv_free(mem, edit->piece);
    rv_free(mem, edit->text);
    rv_free(mem, edit);
}

static void fail(struct edit_call *edit, int error)
{
    static const struct rv_file_problem none = {.kind = "", .outside = ""};

    rv_file_call_refuse(&edit->files, error, &none);
    end_call(edit);
}

static void next_step(struct edit_call *edit)
{
    rv_ready_push(edit->files.tools->runtime, &edit->task);
}

static const char *shown_path(const struct edit_call *edit, struct rv_visible *visible)
{
    rv_visible_set(visible, edit->files.path, strlen(edit->files.path));
    return visible->text;
}

/* ---- the new content ---------------------------------------------------------------------------
 */

static size_t match_start(const struct edit_call *edit, size_t match)
{
    return match < edit->matches ? ((const uint32_t *)(const void *)edit->starts.data)[match]
                                 : edit->len;
}

/* The next of the new content, as much as there is room for; 0: that was all. */
static size_t make_content(const struct edit_call *edit, struct cursor *cursor, char *out,
                           size_t room)
{
    size_t made = 0, start, len;

    while (made < room && (cursor->at < edit->len || cursor->match < edit->matches)) {
        start = match_start(edit, cursor->match);
        len = start - cursor->at;
        if (len) {
            len = len < room - made ? len : room - made;
            memcpy(out + made, edit->text + cursor->at, len);
            cursor->at += len;
        } else {
            len = edit->new_len - cursor->given;
            len = len < room - made ? len : room - made;
            memcpy(out + made, edit->new_text + cursor->given, len);
            cursor->given += len;
            if (cursor->given == edit->new_len) {
                cursor->given = 0;
                cursor->match++;
                cursor->at += edit->old_len;
            }
        }
        made += len;
    }
    return made;
}

/* ---- what is said of it ------------------------------------------------------------------------
 */

/* "line 3", "lines 3, 9 and 20", "lines 3, 9, 20 and 7 more" */
static int add_lines(struct rv_buffer *out, const struct edit_call *edit)
{
    size_t named = edit->matches < MAX_LINES ? edit->matches : MAX_LINES, i;
    int error = rv_buffer_add_text(out, edit->matches == 1 ? "line " : "lines ");

    for (i = 0; i < named && !error; i++) {
        const char *before = !i ? "" : i + 1 == edit->matches ? " and " : ", ";

        error = rv_buffer_printf(out, "%s%zu", before, edit->lines[i]);
    }
    if (!error && named < edit->matches)
        error = rv_buffer_printf(out, " and %zu more", edit->matches - named);
    return error;
}

/* Where what is shown begins: some lines before the first match. */
static size_t context_start(const struct edit_call *edit, size_t *ret_line)
{
    size_t first = match_start(edit, 0), start = first, breaks = 0, floor;

    floor = first > CONTEXT_BYTES ? first - CONTEXT_BYTES : 0;
    *ret_line = edit->lines[0];
    while (start > floor) {
        if (edit->text[start - 1] == '\n' && breaks++ == CONTEXT_LINES)
            break;
        *ret_line -= edit->text[start - 1] == '\n';
        start--;
    }
    while (start < first && ((unsigned char)edit->text[start] & 0xC0) == 0x80)
        start++;
    return start;
}

/* How much of the content from the context's start on is shown, `changed_end` being the end of the
 * new text in it. */
static size_t snippet_len(const char *text, size_t len, size_t changed_end)
{
    size_t breaks = 0, i;

    if (changed_end > len)
        return len;
    if (changed_end && text[changed_end - 1] == '\n')
        breaks = 1;
    for (i = changed_end; i < len; i++)
        if (text[i] == '\n' && breaks++ == CONTEXT_LINES)
            return i;
    return len;
}

static int add_snippet(struct rv_buffer *out, const struct edit_call *edit)
{
    size_t line, start = context_start(edit, &line), len, shown;
    char text[SNIPPET_BYTES + CONTEXT_BYTES];
    struct cursor cursor = {.at = start};
    bool more;
    int error;

    len = make_content(edit, &cursor, text, sizeof text);
    more = cursor.at < edit->len || cursor.match < edit->matches;
    if (!len)
        return 0;
    shown = snippet_len(text, len, match_start(edit, 0) - start + edit->new_len);
    more = more && shown == len;
    shown = rv_utf8_valid_prefix(text, shown);
    error = rv_buffer_printf(out, "From line %zu on it reads now:\n", line);
    if (!error)
        error = rv_buffer_add(out, text, shown);
    if (!error && more)
        error = rv_buffer_add_text(out, " [...]");
    if (!error && out->data[out->len - 1] != '\n')
        error = rv_buffer_add_byte(out, '\n');
    return error;
}

static int add_lines_changed(struct rv_buffer *out, const struct edit_call *edit)
{
    size_t first = edit->lines[0], old_end = first, new_end = first;

    if (edit->matches > 1) {
        int error = rv_buffer_printf(out, "replaced %zu occurrences, at ", edit->matches);

        return error ? error : add_lines(out, edit);
    }
    old_end += edit->old_breaks - (edit->old_text[edit->old_len - 1] == '\n');
    new_end += edit->new_breaks;
    if (edit->new_len && edit->new_text[edit->new_len - 1] == '\n')
        new_end--;
    if (old_end == new_end && first == old_end)
        return rv_buffer_printf(out, "changed line %zu", first);
    if (first == old_end)
        return rv_buffer_printf(out, "line %zu became lines %zu to %zu", first, first, new_end);
    if (first == new_end)
        return rv_buffer_printf(out, "lines %zu to %zu became line %zu", first, old_end, first);
    return rv_buffer_printf(out, "lines %zu to %zu became lines %zu to %zu", first, old_end, first,
                            new_end);
}

static void answer(struct edit_call *edit)
{
    struct rv_visible visible;
    struct rv_buffer out;
    int error;

    rv_buffer_init(&out, edit->files.tools->mem, ANSWER_BYTES);
    error = rv_buffer_printf(&out, "Edited \"%s\": ", shown_path(edit, &visible));
    if (!error)
        error = add_lines_changed(&out, edit);
    if (!error)
        error = rv_buffer_add_text(&out, ".\n");
    if (!error)
        error = add_snippet(&out, edit);
    /* It is done: no memory to say more is no reason to say that it failed. */
    if (error)
        reeve_tool_call_finish(edit->files.call, "Edited", 6);
    else
        reeve_tool_call_finish(edit->files.call, rv_buffer_text(&out), out.len);
    rv_buffer_done(&out);
    end_call(edit);
}

/* Finish the call badly with a text that may be long. */
static void fail_with(struct edit_call *edit, struct rv_buffer *out, int error)
{
    if (error) {
        rv_buffer_done(out);
        fail(edit, error);
        return;
    }
    reeve_tool_call_fail(edit->files.call, 0, rv_buffer_text(out), out->len);
    rv_buffer_done(out);
    end_call(edit);
}

static void refuse_many(struct edit_call *edit)
{
    struct rv_visible visible;
    struct rv_buffer out;
    int error;

    rv_buffer_init(&out, edit->files.tools->mem, ANSWER_BYTES);
    error = rv_buffer_printf(&out, "\"old_text\" stands %zu times in \"%s\", at ", edit->matches,
                             shown_path(edit, &visible));
    if (!error)
        error = add_lines(&out, edit);
    if (!error && edit->all)
        error = rv_buffer_printf(&out, ": no more than %d can be replaced at once", MAX_MATCHES);
    else if (!error)
        error = rv_buffer_add_text(&out, ": give more of the text around the one that is meant, or "
                                         "set \"replace_all\" to true");
    fail_with(edit, &out, error);
}

static void refuse_none(struct edit_call *edit)
{
    struct rv_visible visible;
    struct rv_buffer out;
    int error;

    rv_buffer_init(&out, edit->files.tools->mem, ANSWER_BYTES);
    error = rv_buffer_printf(&out, "\"old_text\" does not stand in \"%s\". ",
                             shown_path(edit, &visible));
    if (!error && edit->state == EDIT_NEAR)
        error = rv_near_describe(&edit->near, &out);
    else if (!error)
        error = rv_buffer_add_text(&out, edit->len ? "Give a shorter part of the file.\n"
                                                   : "The file is empty: use write_file.\n");
    fail_with(edit, &out, error);
}

static void refuse_binary(struct edit_call *edit, size_t valid)
{
    size_t line = edit->breaks + 1, i;
    struct rv_visible visible;

    for (i = edit->at; i < valid; i++)
        line += edit->text[i] == '\n';
    rv_tool_refuse(edit->files.call, false, "\"%s\" is no text that can be edited: line %zu has %s",
                   shown_path(edit, &visible), line,
                   edit->text[valid] ? "bytes that are not UTF-8" : "a NUL byte");
    end_call(edit);
}

static void refuse_size(struct edit_call *edit, const char *is, uint64_t size)
{
    struct rv_visible visible;

    rv_tool_refuse(edit->files.call, false,
                   "\"%s\" %s %llu bytes long, and only files of up to %d bytes can be edited",
                   shown_path(edit, &visible), is, (unsigned long long)size, MAX_FILE_BYTES);
    end_call(edit);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static size_t on_want(struct rv_file_write *write, const char **ret_bytes, void *arg)
{
    struct edit_call *edit = arg;

    (void)write;
    *ret_bytes = edit->piece;
    return make_content(edit, &edit->cursor, edit->piece, PIECE_BYTES);
}

static void on_written(struct rv_file_write *write, int error, void *arg)
{
    struct edit_call *edit = arg;
    struct rv_visible visible;

    edit->write = NULL;
    edit->files.done = "written";
    if (!error) {
        answer(edit);
        return;
    }
    if (error == REEVE_EEXIST)
        rv_tool_refuse(edit->files.call, true,
                       "\"%s\" was changed by somebody else while it was being edited, and is as "
                       "they left it: read it again",
                       shown_path(edit, &visible));
    else
        rv_file_call_refuse(&edit->files, error, rv_file_write_problem(write));
    end_call(edit);
}

static void start_write(struct edit_call *edit)
{
    struct rv_file_write_options options = {
        .path = edit->files.path,
        .how = RV_FILE_WRITE_REPLACE,
        .on_want = on_want,
        .only = &edit->status,
        .on_done = on_written,
        .arg = edit,
    };
    int error = 0;

    edit->piece = rv_alloc(edit->files.tools->mem, PIECE_BYTES);
    if (!edit->piece)
        error = REEVE_ENOMEM;
    if (!error)
        error = rv_file_write_start(edit->files.tools->root, &options, &edit->write);
    if (error)
        fail(edit, error);
    else
        edit->state = EDIT_WRITING;
}

/* ---- searching ---------------------------------------------------------------------------------
 */

static void look_near(struct edit_call *edit)
{
    int error;

    if (!edit->len || edit->old_len > RV_NEAR_MAX_BYTES) {
        refuse_none(edit);
        return;
    }
    error = rv_near_init(&edit->near, edit->files.tools->mem, edit->text, edit->len, edit->old_text,
                         edit->old_len);
    if (error) {
        fail(edit, error);
        return;
    }
    edit->state = EDIT_NEAR;
    next_step(edit);
}

static void searched(struct edit_call *edit)
{
    uint64_t len;

    if (!edit->matches) {
        look_near(edit);
        return;
    }
    if (edit->matches > (edit->all ? MAX_MATCHES : 1)) {
        refuse_many(edit);
        return;
    }
    len = edit->len - edit->matches * edit->old_len + (uint64_t)edit->matches * edit->new_len;
    if (len > MAX_FILE_BYTES)
        refuse_size(edit, "would be", len);
    else
        start_write(edit);
}

/* A match ends behind `end`. */
static int add_match(struct edit_call *edit, size_t end)
{
    uint32_t start = (uint32_t)(end - edit->old_len);
    size_t kept = edit->all ? MAX_MATCHES : 1;

    if (edit->matches < MAX_LINES)
        edit->lines[edit->matches] = edit->breaks + 1 - edit->old_breaks;
    if (edit->matches++ < kept)
        return rv_buffer_add(&edit->starts, &start, sizeof start);
    return 0;
}

/* Where the text of this slice ends: with a whole character, or at what is no text. */
static size_t valid_end(const struct edit_call *edit, size_t end)
{
    const char *text = edit->text + edit->at;
    size_t len = end - edit->at, valid = rv_utf8_valid_prefix(text, len);
    const char *nul = memchr(text, '\0', valid);

    return edit->at + (nul ? (size_t)(nul - text) : valid);
}

static void step_search(struct edit_call *edit)
{
    size_t end = edit->len - edit->at > SLICE_BYTES ? edit->at + SLICE_BYTES : edit->len;
    size_t valid = valid_end(edit, end);
    int error = 0;

    if (valid < end && (!edit->text[valid] || end == edit->len ||
                        rv_utf8_unfinished(edit->text + valid, end - valid) != end - valid)) {
        refuse_binary(edit, valid);
        return;
    }
    for (; edit->at < valid && !error; edit->at++) {
        edit->breaks += edit->text[edit->at] == '\n';
        if (rv_needle_feed(&edit->needle, edit->text[edit->at]))
            error = add_match(edit, edit->at + 1);
    }
    if (error)
        fail(edit, error);
    else if (edit->at == edit->len)
        searched(edit);
    else
        next_step(edit);
}

static size_t count_breaks(const char *text, size_t len)
{
    size_t count = 0, i;

    for (i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

static void step_prepare(struct edit_call *edit)
{
    size_t built = edit->needle.built, left = edit->new_len - edit->counted;

    if (built == 1)
        edit->old_breaks = edit->old_text[0] == '\n';
    if (left > SLICE_BYTES)
        left = SLICE_BYTES;
    edit->new_breaks += count_breaks(edit->new_text + edit->counted, left);
    edit->counted += left;
    if (rv_needle_build(&edit->needle, SLICE_BYTES) && edit->counted == edit->new_len)
        edit->state = EDIT_SEARCHING;
    edit->old_breaks += count_breaks(edit->old_text + built, edit->needle.built - built);
    next_step(edit);
}

static void run(struct rv_task *task)
{
    struct edit_call *edit = rv_container_of(task, struct edit_call, task);

    if (edit->state == EDIT_PREPARING)
        step_prepare(edit);
    else if (edit->state == EDIT_SEARCHING)
        step_search(edit);
    else if (!rv_near_step(&edit->near))
        next_step(edit);
    else
        refuse_none(edit);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static void prepare(struct edit_call *edit)
{
    int error;

    if (edit->old_len > edit->len) {
        look_near(edit); /* if it is no text, that is seen when something is to be replaced */
        return;
    }
    error = rv_needle_init(&edit->needle, edit->files.tools->mem, edit->old_text, edit->old_len);
    if (error) {
        fail(edit, error);
        return;
    }
    edit->state = EDIT_PREPARING;
    next_step(edit);
}

static void on_read(struct rv_file_read *read, int error, void *arg)
{
    const struct rv_file_content *content = rv_file_read_content(read);
    struct edit_call *edit = arg;

    edit->read = NULL;
    if (error == REEVE_ETOOBIG) {
        refuse_size(edit, "is", content->file_size);
        return;
    }
    if (error) {
        rv_file_call_refuse(&edit->files, error, rv_file_read_problem(read));
        end_call(edit);
        return;
    }
    edit->len = content->head_len;
    edit->status = rv_file_read_status(read);
    edit->text = rv_file_read_take(read);
    prepare(edit);
}

static int start_read(struct edit_call *edit)
{
    struct rv_file_read_options options = {
        .path = edit->files.path,
        .limit = UINT64_MAX,
        .max_bytes = MAX_FILE_BYTES,
        .whole = true,
        .on_done = on_read,
        .arg = edit,
    };

    return rv_file_read_start(edit->files.tools->root, &options, &edit->read);
}

static void abort_edit(struct rv_file_call *files)
{
    struct edit_call *edit = rv_container_of(files, struct edit_call, files);

    if (edit->state == EDIT_READING)
        rv_file_read_abort(edit->read);
    else if (edit->state == EDIT_WRITING)
        rv_file_write_abort(edit->write);
    else
        fail(edit, REEVE_ECANCELED);
}

static bool check_texts(struct reeve_tool_call *call, const struct edit_call *edit)
{
    if (!edit->old_len)
        rv_tool_refuse(
            call, false,
            "\"old_text\" is empty: give the text that is to be replaced, as it stands in "
            "the file; to write a whole file use write_file");
    else if (edit->old_len == edit->new_len &&
             !memcmp(edit->old_text, edit->new_text, edit->old_len))
        rv_tool_refuse(call, false,
                       "\"old_text\" and \"new_text\" are the same: nothing would change");
    else
        return true;
    return false;
}

static bool take_arguments(struct reeve_tool_call *call, struct edit_call *edit)
{
    return rv_arg_path(call, "file", NULL, &edit->files.path) &&
           rv_arg_text(call, "old_text", "the text that is to be replaced", &edit->old_text,
                       &edit->old_len) &&
           rv_arg_text(call, "new_text", "the text that is to stand there", &edit->new_text,
                       &edit->new_len) &&
           rv_arg_bool(call, "replace_all", false, &edit->all) && check_texts(call, edit);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *tools = arg;
    struct edit_call *edit = rv_zalloc(tools->mem, sizeof *edit);
    int error;

    if (!edit)
        return REEVE_ENOMEM;
    if (!take_arguments(call, edit)) {
        rv_free(tools->mem, edit);
        return 0;
    }
    edit->files.abort = abort_edit;
    rv_task_init(&edit->task, run);
    rv_buffer_init(&edit->starts, tools->mem, MAX_MATCHES * sizeof(uint32_t));
    rv_file_call_begin(&edit->files, tools, call);
    error = start_read(edit);
    if (error)
        end_call(edit);
    return error;
}

void rv_edit_file_define(struct reeve_tool *tool)
{
    tool->name = "edit_file";
    tool->description =
        "Replace a text in a file below the root folder by another. The text must stand in the "
        "file "
        "exactly so, white space and ends of lines included, and only once, unless all of its "
        "occurrences are to be replaced. The result says which lines have changed and how they "
        "read "
        "now.";
    tool->parameters =
        "{\"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"description\":\"The file's path, relative to the root "
        "folder, for example src/main.c\"},"
        "\"old_text\":{\"type\":\"string\",\"description\":\"The text that is to "
        "be "
        "replaced, with enough of what stands around it to be there only once\"},"
        "\"new_text\":{\"type\":\"string\",\"description\":\"The text that is to stand there; "
        "empty "
        "to delete\"},"
        "\"replace_all\":{\"type\":[\"boolean\",\"null\"],\"description\":\"Replace every "
        "occurrence. "
        "Default: "
        "false\"}},"
        "\"required\":[\"path\",\"old_text\",\"new_text\"],\"additionalProperties\":false}";
    tool->effect = REEVE_EFFECT_WRITE;
    tool->start = start;
    tool->describe = rv_describe_write;
    tool->idempotent = 0; /* the second time the old text may be gone, or be another's */
}
