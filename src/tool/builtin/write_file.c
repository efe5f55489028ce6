/* SPDX-License-Identifier: MIT */
/*
 * The tool write_file: a whole file, new or in place of an old one.
 *
 * Happy path: count the lines, in slices → write beside, rename → say what was done. If the file's
 * folder does not exist: make one folder after the other, from the first that is missing → write
 * again. Ways to fail: those of a write (io/file_write.h); a missing folder in a path that goes up
 * again by ".." (it would be made for nothing), or behind a link that leads nowhere; a folder that
 * cannot be made. Folders that were made before stay.
 *
 * It does not wait for the disk: after a loss of power the file is the old one or the new one as
 * far as the file system promises that of a renaming.
 */
#include "tool/builtin/builtin.h"

#include <limits.h>
#include <string.h>

#include "io/file_change.h"
#include "io/file_write.h"
#include "loop/ready.h"
#include "tool/builtin/visible.h"

#include <reeve/error.h>

enum { SLICE_BYTES = 64 * 1024 };

enum write_state {
    WRITE_COUNTING,
    WRITE_WRITING,
    WRITE_MAKING,
};

struct write_call {
    struct rv_file_call files;
    enum write_state state;
    struct rv_task task; /* of the counting */
    struct rv_file_write *write;
    struct rv_file_change *change;
    const char *content; /* the argument's, as the path is */
    size_t len;
    size_t counted;
    size_t breaks;
    bool tried; /* the folders were made */
    size_t made;
    size_t path_at; /* up to here the path's folders exist */
    char folder[PATH_MAX];
};

static void end_call(struct write_call *write)
{
    struct rv_mem *mem = write->files.tools->mem;

    rv_ready_remove(&write->task);
    rv_file_call_end(&write->files);
    rv_free(mem, write);
}

static void refuse(struct write_call *write, int error, const struct rv_file_problem *problem)
{
    struct rv_visible shown;

    if (error == REEVE_ENOTFOUND) {
        rv_visible_set(&shown, write->files.path, strlen(write->files.path));
        rv_tool_refuse(
            write->files.call, false,
            "\"%s\" was not written: its directory does not exist and could not be made; "
            "use a path without \"..\" and without links that lead nowhere",
            shown.text);
    } else {
        rv_file_call_refuse(&write->files, error, problem);
    }
    end_call(write);
}

static void fail(struct write_call *write, int error)
{
    static const struct rv_file_problem none = {.kind = "", .outside = ""};

    refuse(write, error, &none);
}

/* "Created "a/b" (12 bytes, 2 lines), and 1 directory for it" */
static void answer(struct write_call *write, bool created)
{
    size_t lines = write->breaks + (write->len && write->content[write->len - 1] != '\n');
    struct rv_visible shown;
    struct rv_buffer out;
    int error;

    rv_visible_set(&shown, write->files.path, strlen(write->files.path));
    rv_buffer_init(&out, write->files.tools->mem, 1024);
    error = rv_buffer_printf(&out, "%s \"%s\" (%zu byte%s, %zu line%s)",
                             created ? "Created" : "Replaced", shown.text, write->len,
                             write->len == 1 ? "" : "s", lines, lines == 1 ? "" : "s");
    if (!error && write->made)
        error = rv_buffer_printf(&out, ", and %zu director%s for it", write->made,
                                 write->made == 1 ? "y" : "ies");
    /* It is written: no memory to say more is no reason to say that it failed. */
    if (error)
        reeve_tool_call_finish(write->files.call, "Written", 7);
    else
        reeve_tool_call_finish(write->files.call, rv_buffer_text(&out), out.len);
    rv_buffer_done(&out);
    end_call(write);
}

static int start_write(struct write_call *write);

/* ---- missing folders --------------------------------------------------------------------------
 */

static bool goes_up(const char *path)
{
    const char *name;

    for (name = path; *name; name += strcspn(name, "/")) {
        name += strspn(name, "/");
        if (strcspn(name, "/") == 2 && name[0] == '.' && name[1] == '.')
            return true;
    }
    return false;
}

/* Where the next folder's name ends; 0 if what follows is the file's. */
static size_t next_folder(const char *path, size_t at)
{
    at += strspn(path + at, "/");
    at += strcspn(path + at, "/");
    return path[at + strspn(path + at, "/")] ? at : 0;
}

static int make_folder(struct write_call *write);

static void on_folder(struct rv_file_change *change, int error, void *arg)
{
    struct write_call *write = arg;

    write->change = NULL;
    write->made += !error;
    /* It is there; or it is one above the root, in a path that names the root too. */
    if (error == REEVE_EEXIST || (error == REEVE_EOUTSIDE && write->files.path[0] == '/'))
        error = 0;
    if (error) {
        refuse(write, error, rv_file_change_problem(change));
        return;
    }
    error = make_folder(write);
    if (error)
        fail(write, error);
}

static int make_folder(struct write_call *write)
{
    struct rv_file_change_options options = {
        .what = RV_FILE_MAKE_FOLDER, .path = write->folder, .on_done = on_folder, .arg = write};
    size_t end = next_folder(write->files.path, write->path_at);

    if (!end)
        return start_write(write);
    write->state = WRITE_MAKING;
    write->path_at = end;
    memcpy(write->folder, write->files.path, end);
    write->folder[end] = '\0';
    return rv_file_change_start(write->files.tools->root, &options, &write->change);
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static bool can_make_folders(const struct write_call *write)
{
    const char *path = write->files.path;

    return !write->tried && !goes_up(path + write->path_at) && path[strlen(path) - 1] != '/';
}

static void on_written(struct rv_file_write *file_write, int error, void *arg)
{
    const struct rv_file_problem *problem = rv_file_write_problem(file_write);
    struct write_call *write = arg;

    write->write = NULL;
    if (!error) {
        answer(write, rv_file_write_created(file_write));
        return;
    }
    write->path_at = problem->existing_len;
    if (error != REEVE_ENOTFOUND || !can_make_folders(write)) {
        refuse(write, error, problem);
        return;
    }
    write->tried = true;
    error = make_folder(write);
    if (error)
        fail(write, error);
}

static int start_write(struct write_call *write)
{
    struct rv_file_write_options options = {
        .path = write->files.path,
        .how = RV_FILE_WRITE_REPLACE,
        .bytes = write->content,
        .len = write->len,
        .on_done = on_written,
        .arg = write,
    };

    write->state = WRITE_WRITING;
    return rv_file_write_start(write->files.tools->root, &options, &write->write);
}

static void count(struct rv_task *task)
{
    struct write_call *write = rv_container_of(task, struct write_call, task);
    size_t end = write->len, i, breaks = 0;
    int error;

    if (end - write->counted > SLICE_BYTES)
        end = write->counted + SLICE_BYTES;
    for (i = write->counted; i < end; i++)
        breaks += write->content[i] == '\n';
    write->counted = end;
    write->breaks += breaks;
    if (end < write->len) {
        rv_ready_push(write->files.tools->runtime, task);
        return;
    }
    error = start_write(write);
    if (error)
        fail(write, error);
}

static void abort_write(struct rv_file_call *files)
{
    struct write_call *write = rv_container_of(files, struct write_call, files);

    switch (write->state) {
    case WRITE_COUNTING:
        fail(write, REEVE_ECANCELED);
        break;
    case WRITE_WRITING:
        rv_file_write_abort(write->write);
        break;
    case WRITE_MAKING:
        rv_file_change_abort(write->change);
        break;
    }
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *tools = arg;
    struct write_call *write;
    const char *path, *content;
    size_t len;

    if (!rv_arg_path(call, "file", NULL, &path) ||
        !rv_arg_text(call, "content", "the file's whole content", &content, &len))
        return 0;
    write = rv_zalloc(tools->mem, sizeof *write);
    if (!write)
        return REEVE_ENOMEM;
    write->files.path = path;
    write->files.done = "written";
    write->files.abort = abort_write;
    write->content = content;
    write->len = len;
    rv_file_call_begin(&write->files, tools, call);
    rv_task_init(&write->task, count);
    rv_ready_push(tools->runtime, &write->task);
    return 0;
}

void rv_write_file_define(struct reeve_tool *tool)
{
    tool->name = "write_file";
    tool->description =
        "Write a whole file below the root folder: a new one, or in place of all that the file "
        "held "
        "before (its permissions are kept). Directories of the path that do not exist are made. To "
        "change a part of a file use edit_file.";
    tool->parameters =
        "{\"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"description\":\"The file's path, relative to the root "
        "folder, for example src/main.c\"},"
        "\"content\":{\"type\":\"string\",\"description\":\"All that the file is to hold\"}},"
        "\"required\":[\"path\",\"content\"],\"additionalProperties\":false}";
    tool->effect = REEVE_EFFECT_WRITE;
    tool->start = start;
    tool->describe = rv_describe_write;
}
