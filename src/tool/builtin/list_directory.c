/* SPDX-License-Identifier: MIT */
/*
 * The tool list_directory: one entry a line, sorted by the bytes of the names. Folders end in "/",
 * symbolic links in "@", what is neither a file nor a folder nor a link in "?"; a regular file's
 * name is followed by a tab and its size. Lines in brackets at the end say what is not there.
 */
#include "tool/builtin/builtin.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "tool/builtin/visible.h"

#include <reeve/error.h>

enum {
    MAX_ENTRIES = 200000,
    MAX_NAME_BYTES = 16 * 1024 * 1024,
    NOTE_BYTES = 80, /* room for each of the lines at the end */
};

struct list_call {
    struct rv_file_call files;
    struct rv_file_list *list;
    size_t max_bytes;
};

static int add_line(struct rv_buffer *out, const struct rv_file_entry *entry)
{
    int error = rv_visible_add(out, entry->name, strlen(entry->name));

    if (error)
        return error;
    if (entry->type == 'd')
        return rv_buffer_add_text(out, "/\n");
    if (entry->type == 'l')
        return rv_buffer_add_text(out, "@\n");
    if (entry->type != 'f')
        return rv_buffer_add_text(out, "?\n");
    if (entry->size == RV_FILE_SIZE_UNKNOWN)
        return rv_buffer_add_text(out, "\n");
    return rv_buffer_printf(out, "\t%" PRIu64 "\n", entry->size);
}

static void cut_back(struct rv_buffer *out, size_t len)
{
    if (!out->data)
        return;
    out->len = len;
    out->data[len] = '\0';
}

/*
 * As many lines as fit, all of them or some NOTE_BYTES less than there is room for. Gives how many
 * there are.
 */
static int add_lines(struct rv_buffer *out, const struct rv_file_listing *listing,
                     size_t *ret_count)
{
    const struct rv_file_entry *entry;
    size_t count = 0, safe_count = 0, safe_len = 0;
    int error;

    for (entry = listing->first; entry; entry = entry->next, count++) {
        if (out->len + NOTE_BYTES <= out->max) {
            safe_len = out->len;
            safe_count = count;
        }
        error = add_line(out, entry);
        if (error == REEVE_ETOOBIG) {
            cut_back(out, safe_len);
            count = safe_count;
            break;
        }
        if (error)
            return error;
    }
    *ret_count = count;
    return 0;
}

static int add_notes(struct rv_buffer *out, const struct rv_file_listing *listing, size_t count)
{
    int error = 0;

    if (count < listing->count)
        error = rv_buffer_printf(out, "[%zu more entries: list a directory further down]\n",
                                 listing->count - count);
    if (!error && !listing->complete)
        error = rv_buffer_add_text(out, "[and still more, which were too many to be looked at]\n");
    if (!error && listing->unread)
        error =
            rv_buffer_printf(out, "[%zu of the directories could not be read]\n", listing->unread);
    return error;
}

static int add_text(struct rv_buffer *out, const struct rv_file_listing *listing)
{
    size_t max = out->max, count;
    int error;

    if (!listing->count && listing->complete)
        return rv_buffer_add_text(out, "[the directory is empty]\n");
    if (!listing->complete)
        out->max -= NOTE_BYTES;
    if (listing->unread)
        out->max -= NOTE_BYTES;
    error = add_lines(out, listing, &count);
    out->max = max;
    return error ? error : add_notes(out, listing, count);
}

static void answer(const struct list_call *list, const struct rv_file_listing *listing)
{
    struct rv_file_problem none = {.kind = "", .outside = ""};
    struct rv_buffer out;
    int error;

    rv_buffer_init(&out, list->files.tools->mem, list->max_bytes);
    error = add_text(&out, listing);
    if (error)
        rv_file_call_refuse(&list->files, error, &none);
    else
        reeve_tool_call_finish(list->files.call, rv_buffer_text(&out), out.len);
    rv_buffer_done(&out);
}

static void on_done(struct rv_file_list *file_list, int error, void *arg)
{
    struct list_call *list = arg;
    struct rv_mem *mem = list->files.tools->mem;

    rv_file_call_end(&list->files);
    if (error)
        rv_file_call_refuse(&list->files, error, rv_file_list_problem(file_list));
    else
        answer(list, rv_file_list_listing(file_list));
    rv_free(mem, list);
}

static void abort_list(struct rv_file_call *files)
{
    rv_file_list_abort(rv_container_of(files, struct list_call, files)->list);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_list_options options = {
        .max_entries = MAX_ENTRIES,
        .max_name_bytes = MAX_NAME_BYTES,
        .on_done = on_done,
    };
    struct rv_file_tools *tools = arg;
    struct list_call *list;
    int error;

    if (!rv_arg_path(call, "directory", ".", &options.path) ||
        !rv_arg_bool(call, "recursive", false, &options.recursive))
        return 0;
    list = rv_zalloc(tools->mem, sizeof *list);
    if (!list)
        return REEVE_ENOMEM;
    list->files.path = options.path;
    list->files.abort = abort_list;
    list->max_bytes = reeve_tool_call_max_output_bytes(call);
    options.arg = list;
    rv_file_call_begin(&list->files, tools, call);
    error = rv_file_list_start(tools->root, &options, &list->list);
    if (!error)
        return 0;
    rv_file_call_end(&list->files);
    rv_free(tools->mem, list);
    return error;
}

void rv_list_directory_define(struct reeve_tool *tool)
{
    tool->name = "list_directory";
    tool->description =
        "List a directory below the root folder: one entry a line, sorted by name. Directories end "
        "in /, symbolic links in @, special files in ?; a regular file's name is followed by a tab "
        "and its size in bytes. Unprintable characters of names are escaped with a backslash, as "
        "in C.";
    tool->parameters = "{\"type\":\"object\",\"properties\":{"
                       "\"path\":{\"type\":[\"string\",\"null\"],\"description\":\"The directory's "
                       "path, relative to the "
                       "root folder. Default: . (the root folder itself)\"},"
                       "\"recursive\":{\"type\":[\"boolean\",\"null\"],\"description\":\"Also list "
                       "everything below it, with "
                       "paths relative to it. Default: false\"}},"
                       "\"required\":[],\"additionalProperties\":false}";
    tool->start = start;
    tool->describe = rv_describe_read;
}
