/* SPDX-License-Identifier: MIT */
/* The file tools of one root: adding them to a toolbox, cancelling a call, saying what went wrong.
 */
#include "tool/builtin/builtin.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/export.h"
#include "base/pattern.h"
#include "tool/builtin/visible.h"
#include "tool/toolbox.h"

#include <reeve/error.h>

void rv_tool_refuse(struct reeve_tool_call *call, bool retryable, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reeve_tool_call_fail(call, retryable, text, strlen(text));
}

void rv_file_call_begin(struct rv_file_call *files, struct rv_file_tools *tools,
                        struct reeve_tool_call *call)
{
    files->tools = tools;
    files->call = call;
    rv_list_append(&tools->running, &files->node);
}

void rv_file_call_end(struct rv_file_call *files)
{
    rv_list_remove(&files->node);
}

void rv_file_tools_cancel(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *tools = arg;
    struct rv_list *node;

    rv_list_for_each (node, &tools->running) {
        struct rv_file_call *files = rv_list_entry(node, struct rv_file_call, node);

        if (files->call == call) {
            files->abort(files);
            return;
        }
    }
}

/* The C library's text in English, whatever the host's language is: a model reads it. */
static const char *errno_text(int os_errno)
{
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
    const char *text = strerrordesc_np(os_errno);

    return text ? text : "unknown error";
#define HAVE_ERRNO_TEXT
#endif
#endif
#ifndef HAVE_ERRNO_TEXT
    return strerror(os_errno);
#endif
}

/* The host is short of something that it may have again. */
static bool may_pass_later(int os_errno)
{
    return os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM || os_errno == EAGAIN ||
           os_errno == EINTR;
}

static void refuse_missing(const struct rv_file_call *files, const char *shown, size_t existing_len)
{
    struct rv_visible existing;

    rv_visible_set(&existing, files->path, existing_len);
    if (existing_len)
        rv_tool_refuse(files->call, false,
                       "\"%s\" does not exist; \"%s\" does: list_directory tells what is in it",
                       shown, existing.text);
    else
        rv_tool_refuse(files->call, false,
                       "\"%s\" does not exist in the root folder: list_directory tells what does",
                       shown);
}

static const char *done_of(const struct rv_file_call *files)
{
    return files->done ? files->done : "read";
}

static void refuse_kind(const struct rv_file_call *files, int error, const char *shown,
                        const char *kind)
{
    if (error == REEVE_ENOTFILE && files->done && !strcmp(kind, "a directory"))
        rv_tool_refuse(files->call, false, "\"%s\" is a directory: give the path of a file", shown);
    else if (error == REEVE_ENOTFILE && !strcmp(kind, "a directory"))
        rv_tool_refuse(files->call, false, "\"%s\" is a directory: use list_directory", shown);
    else if (error == REEVE_ENOTFILE)
        rv_tool_refuse(files->call, false, "\"%s\" is %s, not a file that can be %s", shown, kind,
                       done_of(files));
    else if (!strcmp(kind, "a regular file") && !files->done)
        rv_tool_refuse(files->call, false, "\"%s\" is a file, not a directory: use read_file",
                       shown);
    else if (kind[0])
        rv_tool_refuse(files->call, false, "\"%s\" is %s, not a directory", shown, kind);
    else
        rv_tool_refuse(files->call, false,
                       "\"%s\" does not exist: a name in it that should be a directory is none",
                       shown);
}

static void refuse_system(const struct rv_file_call *files, const char *shown, int os_errno)
{
    switch (os_errno) {
    case ELOOP:
        rv_tool_refuse(files->call, false,
                       "\"%s\" leads through too many symbolic links, or one that may not be "
                       "followed: use the path of what it stands for",
                       shown);
        break;
    case ENAMETOOLONG:
        rv_tool_refuse(files->call, false, "\"%s\" is too long, or a name in it is", shown);
        break;
    default:
        rv_tool_refuse(files->call, may_pass_later(os_errno), "\"%s\" could not be %s: %s", shown,
                       done_of(files), errno_text(os_errno));
    }
}

void rv_file_call_refuse(const struct rv_file_call *files, int error,
                         const struct rv_file_problem *problem)
{
    struct rv_visible shown;

    rv_visible_set(&shown, files->path, strlen(files->path));
    switch (error) {
    case REEVE_ENOTFOUND:
        refuse_missing(files, shown.text, problem->existing_len);
        break;
    case REEVE_EOUTSIDE:
        rv_tool_refuse(files->call, false, "\"%s\" leaves the root folder%s%s: use a path below it",
                       shown.text, problem->outside[0] ? ", since " : "", problem->outside);
        break;
    case REEVE_ENOTFILE:
    case REEVE_ENOTDIR:
        refuse_kind(files, error, shown.text, problem->kind);
        break;
    case REEVE_EACCESS:
        rv_tool_refuse(files->call, false, "\"%s\" may not be %s: permission denied", shown.text,
                       done_of(files));
        break;
    case REEVE_ESYSTEM:
        refuse_system(files, shown.text, problem->os_errno);
        break;
    default:
        rv_tool_refuse(files->call, error == REEVE_ENOMEM, "\"%s\" was not %s: %s", shown.text,
                       done_of(files), reeve_error_text(error));
    }
}

void rv_file_tools_done(struct rv_file_tools *tools)
{
    assert(rv_list_empty(&tools->running) && "a call outlives its toolbox's batches");
    rv_root_free(tools->root);
    rv_mem_unref(tools->mem);
}

int rv_file_tools_init(struct rv_file_tools *tools, struct reeve_toolbox *toolbox, const char *root)
{
    struct rv_visible shown;
    int error;

    tools->mem = rv_mem_ref(toolbox->mem);
    tools->runtime = toolbox->runtime;
    tools->root = NULL;
    rv_list_init(&tools->running);
    error = rv_root_new(toolbox->runtime, root, &tools->root);
    if (!error)
        return 0;
    rv_visible_set(&shown, root, strlen(root));
    rv_toolbox_set_problem(toolbox, "The root folder \"%.160s\": %s.", shown.text,
                           reeve_error_text(error));
    rv_file_tools_done(tools);
    return error;
}

static void free_tools(void *owned)
{
    struct rv_file_tools *tools = owned;
    struct rv_mem *mem = rv_mem_ref(tools->mem);

    rv_file_tools_done(tools);
    rv_free(mem, tools);
    rv_mem_unref(mem);
}

static int new_tools(struct reeve_toolbox *toolbox, const char *root,
                     struct rv_file_tools **ret_tools)
{
    struct rv_file_tools *tools = rv_zalloc(toolbox->mem, sizeof *tools);
    int error;

    if (!tools) {
        rv_toolbox_set_problem(toolbox, "Out of memory.");
        return REEVE_ENOMEM;
    }
    error = rv_file_tools_init(tools, toolbox, root);
    if (error)
        rv_free(toolbox->mem, tools);
    else
        *ret_tools = tools;
    return error;
}

/* What a root gives, in this order. */
static void (*const definers[])(struct reeve_tool *tool) = {
    rv_read_file_define, rv_list_directory_define, rv_write_file_define,
    rv_edit_file_define, rv_find_files_define,     rv_search_files_define,
};

enum { TOOLS = sizeof definers / sizeof definers[0] };

RV_EXPORT int reeve_toolbox_add_files(struct reeve_toolbox *toolbox, const char *root)
{
    struct reeve_tool tools[TOOLS];
    struct rv_file_tools *files;
    size_t i;
    int error;

    if (!root) {
        rv_toolbox_set_problem(toolbox, "The root folder is missing.");
        return REEVE_EINVAL;
    }
    error = new_tools(toolbox, root, &files);
    if (error)
        return error;
    for (i = 0; i < TOOLS; i++) {
        reeve_tool_init(&tools[i]);
        tools[i].effect = REEVE_EFFECT_READ;
        tools[i].idempotent = 1;
        tools[i].cancel = rv_file_tools_cancel;
        tools[i].arg = files;
        definers[i](&tools[i]);
    }
    error = rv_toolbox_add_set(toolbox, tools, TOOLS, files, free_tools);
    if (error)
        free_tools(files);
    else if (!rv_pattern_supported())
        reeve_toolbox_enable(toolbox, "search_files", false);
    return error;
}
