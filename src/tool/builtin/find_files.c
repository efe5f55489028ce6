/* SPDX-License-Identifier: MIT */
/*
 * The tool find_files: the paths below a folder that match a glob, one a line, in the order of a
 * walk (tree.h). Only folders in which something may match are looked into. What is over the limit
 * is counted. Lines in brackets at the end say what is not there.
 */
#include "tool/builtin/builtin.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "tool/builtin/glob.h"
#include "tool/builtin/tree.h"
#include "tool/builtin/visible.h"

#include <reeve/error.h>

enum {
    DEFAULT_LIMIT = 1000,
    NOTES_BYTES = 200, /* room for the lines at the end */
};

struct find_call {
    struct rv_file_call files;
    struct rv_tree tree;
    struct rv_arena arena; /* of the pattern */
    struct rv_globs globs;
    const char *pattern;
    uint64_t limit;
    struct rv_buffer out;
    size_t shown;
    size_t left_out;
};

static void end_call(struct find_call *find)
{
    struct rv_mem *mem = find->files.tools->mem;

    rv_tree_done(&find->tree);
    rv_file_call_end(&find->files);
    rv_buffer_done(&find->out);
    rv_arena_done(&find->arena);
    rv_free(mem, find);
}

static int add_path(struct find_call *find, const struct rv_file_entry *entry)
{
    const struct rv_buffer *path = &find->tree.path;
    size_t len = find->out.len;
    int error = rv_visible_add(&find->out, path->data, path->len);

    if (!error)
        error = rv_buffer_add_text(&find->out, entry->type == 'd' ? "/\n" : "\n");
    if (error)
        rv_buffer_truncate(&find->out, len);
    return error;
}

/* Once one is left out, all that follow are. */
static int found(struct find_call *find, const struct rv_file_entry *entry)
{
    int error = REEVE_ETOOBIG;

    if (!find->left_out && find->shown < find->limit)
        error = add_path(find, entry);
    if (error == REEVE_ETOOBIG) {
        find->left_out++;
        return 0;
    }
    find->shown++;
    return error;
}

static enum rv_tree_move on_entry(struct rv_tree *tree, const struct rv_file_entry *entry)
{
    struct find_call *find = rv_container_of(tree, struct find_call, tree);
    bool is_folder = entry->type == 'd';
    struct rv_globs_found step;

    tree->globs = tree->folder->globs;
    step = rv_globs_step(&find->globs, &tree->globs, entry->name, strlen(entry->name), is_folder,
                         &tree->steps);
    if (step.matches)
        tree->error = found(find, entry);
    return is_folder && step.goes_on ? RV_TREE_ENTER : RV_TREE_NEXT;
}

static int add_notes(struct find_call *find)
{
    struct rv_buffer *out = &find->out;
    struct rv_visible pattern;
    int error = 0;

    out->max += NOTES_BYTES + sizeof pattern.text;
    if (!find->shown && !find->left_out) {
        rv_visible_set(&pattern, find->pattern, strlen(find->pattern));
        error = rv_buffer_printf(out, "[nothing matches \"%s\"]\n", pattern.text);
    }
    if (!error && find->left_out)
        error = rv_buffer_printf(out, "[%zu more: use a narrower pattern]\n", find->left_out);
    if (!error && find->tree.incomplete)
        error = rv_buffer_add_text(
            out, "[a directory has more entries than were looked at: there may be more]\n");
    if (!error && find->tree.unread)
        error = rv_buffer_printf(out, "[%zu of the directories could not be read]\n",
                                 find->tree.unread);
    return error;
}

static void on_done(struct rv_tree *tree, int error, const struct rv_file_problem *problem)
{
    struct find_call *find = rv_container_of(tree, struct find_call, tree);

    if (!error)
        error = add_notes(find);
    if (error)
        rv_file_call_refuse(&find->files, error, problem);
    else
        reeve_tool_call_finish(find->files.call, rv_buffer_text(&find->out), find->out.len);
    end_call(find);
}

static const struct rv_tree_owner owner = {.on_entry = on_entry, .on_done = on_done};

static void abort_find(struct rv_file_call *files)
{
    static const struct rv_file_problem none = {.kind = "", .outside = ""};
    struct find_call *find = rv_container_of(files, struct find_call, files);

    rv_file_call_refuse(files, REEVE_ECANCELED, &none);
    end_call(find);
}

static void refuse_pattern(const struct find_call *find, int error)
{
    struct reeve_tool_call *call = find->files.call;
    struct rv_visible shown;

    rv_visible_set(&shown, find->pattern, strlen(find->pattern));
    if (error == REEVE_EINVAL)
        rv_tool_refuse(call, false,
                       "\"pattern\" is \"%s\": give a glob of names below \"path\", without "
                       "\"..\", for example src/**/*.c",
                       shown.text);
    else if (error == REEVE_ETOOBIG)
        rv_tool_refuse(call, false,
                       "\"pattern\" is too long, or its braces stand for more than %d patterns: "
                       "give a simpler one",
                       RV_GLOBS_MAX);
    else
        reeve_tool_call_fail(call, true, reeve_error_text(error), strlen(reeve_error_text(error)));
}

static void begin(struct find_call *find)
{
    size_t max = reeve_tool_call_max_output_bytes(find->files.call), notes;
    static const struct rv_file_problem none = {.kind = "", .outside = ""};
    int error;

    notes = NOTES_BYTES + sizeof(struct rv_visible);
    rv_buffer_init(&find->out, find->files.tools->mem, max > 2 * notes ? max - notes : max / 2);
    rv_arena_init(&find->arena, find->files.tools->mem);
    rv_tree_init(&find->tree, find->files.tools->root, find->files.tools->runtime,
                 find->files.tools->mem, &owner);
    error = rv_globs_parse(&find->globs, &find->arena, find->pattern, strlen(find->pattern), false);
    if (error) {
        refuse_pattern(find, error);
        end_call(find);
        return;
    }
    find->tree.globs = rv_globs_start(&find->globs);
    error = rv_tree_start(&find->tree, find->files.path);
    if (error) {
        rv_file_call_refuse(&find->files, error, &none);
        end_call(find);
    }
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *tools = arg;
    const char *pattern, *path;
    struct find_call *find;
    uint64_t limit;
    size_t len;

    if (!rv_arg_text(call, "pattern", "a glob", &pattern, &len) ||
        !rv_arg_path(call, "directory", ".", &path) ||
        !rv_arg_number(call, "limit", 1, DEFAULT_LIMIT, &limit))
        return 0;
    find = rv_zalloc(tools->mem, sizeof *find);
    if (!find)
        return REEVE_ENOMEM;
    find->files.path = path;
    find->files.abort = abort_find;
    find->pattern = pattern;
    find->limit = limit;
    rv_file_call_begin(&find->files, tools, call);
    begin(find);
    return 0;
}

void rv_find_files_define(struct reeve_tool *tool)
{
    tool->name = "find_files";
    tool->description =
        "Find files and directories by name: one path a line, relative to the root folder, sorted "
        "by name; directories end in /. In the pattern * stands for any characters of a name, ? "
        "for one, [a-z] for one of a set, {a,b} for one of several parts, ** for any number of "
        "directories: *.c is for one directory, **/*.c for all below it. Symbolic links are not "
        "followed; .git is found only if the pattern names it.";
    tool->parameters =
        "{\"type\":\"object\",\"properties\":{"
        "\"pattern\":{\"type\":\"string\",\"description\":\"The glob, relative to path, for "
        "example **/*.{c,h} or docs/*/index.md\"},"
        "\"path\":{\"type\":[\"string\",\"null\"],\"description\":\"The directory to look in, "
        "relative to the root folder. Default: . (the root folder itself)\"},"
        "\"limit\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":1000000,"
        "\"description\":\"How many paths to give; what is over it is counted. Default: 1000\"}},"
        "\"required\":[\"pattern\"],\"additionalProperties\":false}";
    tool->start = start;
    tool->describe = rv_describe_read;
}
