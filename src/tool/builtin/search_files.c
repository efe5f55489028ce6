/* SPDX-License-Identifier: MIT */
/*
 * The tool search_files: the lines of files that match a regular expression, as path:line: text.
 *
 * Happy path: read the .gitignore files of the folders above → walk down from the folder (tree.h),
 * reading each folder's own → each file that is wanted is read, a few ahead of the one that is
 * being searched, so that what comes is in the walk's order → its pieces are searched in slices
 * (lines.h), a large file's one after the other → when the walk and the last file are through, say
 * what there was. It ends sooner at the limit or when the result is full.
 *
 * Ways to fail: the pattern is none; the folder cannot be listed; too many lines take too many
 * steps; no memory. No failure: a file or a folder below that cannot be read (it is counted); a
 * file that changes between two of its pieces (what comes then is left out, and counted so too).
 */
#include "tool/builtin/builtin.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/pattern.h"
#include "io/file_stat.h"
#include "loop/clock.h"
#include "loop/ready.h"
#include "tool/builtin/glob.h"
#include "tool/builtin/ignore.h"
#include "tool/builtin/lines.h"
#include "tool/builtin/tree.h"
#include "tool/builtin/visible.h"

#include <reeve/error.h>

enum {
    FILES_AHEAD = 4,
    PIECE_BYTES = 64 * 1024,
    BLOCK_BYTES = 8192, /* in which a NUL makes a file a binary one */
    DEFAULT_LIMIT = 200,
    NOTES_BYTES = 800, /* room for the lines at the end */
};

enum file_state {
    FILE_READING,
    FILE_READY, /* a piece is there, or an error */
};

struct search_call;

/* A file on its way through. */
struct search_file {
    struct search_call *search;
    struct rv_file_read *read;
    enum file_state state;
    char *path;
    char *bytes;
    size_t len;
    size_t at;       /* searched so far, of this piece */
    uint64_t offset; /* of the piece */
    uint64_t size;
    struct rv_file_status status;
    int error;
};

struct search_call {
    struct rv_file_call files;
    struct rv_tree tree;
    struct rv_task task;
    struct rv_arena arena; /* of the glob, and of the rules from above */
    struct rv_pattern *pattern;
    struct rv_globs globs; /* none: all files */
    struct rv_ignore *above;
    struct rv_file_read *ignore_read;
    size_t above_at; /* up to here of the path, rules were read */
    bool walking;
    bool ending;
    bool include_binary;
    bool respect_gitignore;
    struct search_file ahead[FILES_AHEAD];
    size_t head;
    size_t count;
    struct rv_buffer out;
    struct rv_lines lines;
    size_t searched;
    size_t binaries;
    size_t ignored;
    size_t unread;
};

static const struct rv_file_problem no_problem = {.kind = "", .outside = ""};

/* ---- the end -----------------------------------------------------------------------------------
 */

static void clear_file(struct search_file *file, struct rv_mem *mem)
{
    if (file->read)
        rv_file_read_abort(file->read);
    rv_free(mem, file->path);
    rv_free(mem, file->bytes);
    file->path = NULL;
    file->bytes = NULL;
}

static void end_call(struct search_call *search)
{
    struct rv_mem *mem = search->files.tools->mem;
    size_t i;

    search->ending = true;
    rv_ready_remove(&search->task);
    for (i = 0; i < FILES_AHEAD; i++)
        clear_file(&search->ahead[i], mem);
    if (search->ignore_read)
        rv_file_read_abort(search->ignore_read);
    rv_tree_done(&search->tree);
    rv_file_call_end(&search->files);
    rv_lines_done(&search->lines);
    rv_pattern_free(search->pattern);
    rv_buffer_done(&search->out);
    rv_arena_done(&search->arena);
    rv_free(mem, search);
}

static void fail(struct search_call *search, int error, const struct rv_file_problem *problem)
{
    rv_file_call_refuse(&search->files, error, problem);
    end_call(search);
}

static int add_total(struct search_call *search)
{
    const struct rv_lines *lines = &search->lines;
    struct rv_buffer *out = &search->out;

    if (!lines->matches)
        return rv_buffer_printf(out, "[no matches; %zu file%s searched]\n", search->searched,
                                search->searched == 1 ? "" : "s");
    return rv_buffer_printf(out, "[%" PRIu64 " match%s in %zu file%s; %zu searched%s]\n",
                            lines->matches, lines->matches == 1 ? "" : "es", lines->matched_files,
                            lines->matched_files == 1 ? "" : "s", search->searched,
                            lines->over ? "; there are more: use a narrower pattern, path or glob"
                                        : "");
}

static int add_count(struct rv_buffer *out, size_t count, const char *format)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return count ? rv_buffer_printf(out, format, count, count == 1 ? "" : "s") : 0;
#pragma GCC diagnostic pop
}

static int add_notes(struct search_call *search)
{
    const struct {
        size_t count;
        const char *format;
    } notes[] = {
        {search->binaries, "[%zu binary file%s left out]\n"},
        {search->ignored, "[%zu name%s left out that .gitignore has]\n"},
        {search->unread + search->tree.unread, "[%zu path%s could not be read]\n"},
        {search->lines.cut, "[%zu line%s searched in the first 8192 bytes only]\n"},
        {search->lines.costly, "[%zu line%s left out, as the pattern takes too long there]\n"},
        {search->tree.incomplete, "[%zu folder%s or more too large to be looked at as a whole]\n"},
    };
    int error = 0;
    size_t i;

    search->out.max += NOTES_BYTES;
    if (search->lines.context && search->out.len)
        error = rv_buffer_add_text(&search->out, "\n");
    if (!error)
        error = add_total(search);
    for (i = 0; i < sizeof notes / sizeof notes[0] && !error; i++)
        error = add_count(&search->out, notes[i].count, notes[i].format);
    return error;
}

static void answer(struct search_call *search)
{
    int error = add_notes(search);

    if (error) {
        fail(search, error, &no_problem);
        return;
    }
    reeve_tool_call_finish(search->files.call, rv_buffer_text(&search->out), search->out.len);
    end_call(search);
}

/* ---- the files ---------------------------------------------------------------------------------
 */

static struct search_file *first_file(struct search_call *search)
{
    return &search->ahead[search->head];
}

static void look_at_first(struct search_call *search)
{
    rv_precise_now_ns(search->files.tools->runtime);
    rv_ready_push(search->files.tools->runtime, &search->task);
}

/* A piece goes on where the last one ended only if nobody has touched the file meanwhile. */
static int take_piece(struct search_file *file, struct rv_file_read *read)
{
    const struct rv_file_content *content = rv_file_read_content(read);
    struct rv_file_status status = rv_file_read_status(read);

    if (file->offset && !rv_file_status_same(&file->status, &status))
        return REEVE_ESYSTEM;
    file->status = status;
    file->len = content->head_len;
    file->size = content->unsized ? 0 : content->file_size;
    file->bytes = rv_file_read_take(read);
    return 0;
}

static void on_read(struct rv_file_read *read, int error, void *arg)
{
    struct search_file *file = arg;
    struct search_call *search = file->search;

    file->read = NULL;
    if (search->ending)
        return;
    file->error = error ? error : take_piece(file, read);
    file->state = FILE_READY;
    if (file == first_file(search))
        look_at_first(search);
}

static int read_piece(struct search_file *file)
{
    const struct rv_file_read_options options = {
        .path = file->path,
        .offset = file->offset,
        .limit = PIECE_BYTES,
        .max_bytes = PIECE_BYTES,
        .on_done = on_read,
        .arg = file,
    };

    file->state = FILE_READING;
    file->at = 0;
    file->len = 0;
    return rv_file_read_start(file->search->files.tools->root, &options, &file->read);
}

static int add_file(struct search_call *search, const char *path)
{
    struct search_file *file = &search->ahead[(search->head + search->count) % FILES_AHEAD];

    *file = (struct search_file){.search = search};
    search->count++;
    file->path = rv_strdup(search->files.tools->mem, path);
    return file->path ? read_piece(file) : REEVE_ENOMEM;
}

static void drop_first(struct search_call *search)
{
    clear_file(first_file(search), search->files.tools->mem);
    search->head = (search->head + 1) % FILES_AHEAD;
    search->count--;
    if (!search->ignore_read)
        rv_tree_resume(&search->tree);
}

static bool is_binary(const struct search_file *file)
{
    return file->len &&
           memchr(file->bytes, '\0', file->len < BLOCK_BYTES ? file->len : BLOCK_BYTES);
}

/* Whether the file that has come is to be searched. */
static int begin_file(struct search_call *search, struct search_file *file, bool *ret_wanted)
{
    bool binary = is_binary(file);

    *ret_wanted = !binary || search->include_binary;
    search->binaries += !*ret_wanted;
    search->searched += *ret_wanted;
    return *ret_wanted ? rv_lines_begin(&search->lines, file->path, binary) : 0;
}

/* The piece is through: the next, or the file's end. */
static int end_piece(struct search_call *search, struct search_file *file)
{
    int error;

    rv_free(search->files.tools->mem, file->bytes);
    file->bytes = NULL;
    file->offset += file->len;
    if (file->len && file->offset < file->size)
        return read_piece(file);
    error = rv_lines_end(&search->lines);
    drop_first(search);
    return error;
}

static int search_slice(struct search_call *search, struct search_file *file)
{
    bool wanted = true;
    int error = 0;
    size_t taken;

    if (file->error == REEVE_ENOMEM)
        return REEVE_ENOMEM;
    if (file->error) {
        search->unread += file->error != REEVE_ENOTFOUND;
        drop_first(search);
        return 0;
    }
    if (!file->offset && !file->at)
        error = begin_file(search, file, &wanted);
    if (error)
        return error;
    if (!wanted) {
        drop_first(search);
        return 0;
    }
    if (file->at < file->len) {
        error = rv_lines_feed(&search->lines, file->bytes + file->at, file->len - file->at, &taken);
        if (error)
            return error;
        file->at += taken;
    }
    return file->at == file->len ? end_piece(search, file) : 0;
}

static void give_up(struct search_call *search)
{
    rv_tool_refuse(search->files.call, false,
                   "\"pattern\" takes too long on more than %d lines: use one that has less to "
                   "try, without repetitions inside repetitions",
                   RV_LINES_MAX_COSTLY);
    end_call(search);
}

static void run_slice(struct rv_task *task)
{
    struct search_call *search = rv_container_of(task, struct search_call, task);
    int error = 0;

    if (search->count && first_file(search)->state == FILE_READY)
        error = search_slice(search, first_file(search));
    if (error == REEVE_ETOOBIG)
        give_up(search);
    else if (error)
        fail(search, error, &no_problem);
    else if (search->lines.over || (!search->count && search->tree.over))
        answer(search);
    else if (search->count && first_file(search)->state == FILE_READY)
        look_at_first(search);
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

static bool is_ignored(struct search_call *search, const struct rv_file_entry *entry)
{
    const struct rv_tree_folder *folder = search->tree.folder;

    return search->respect_gitignore &&
           rv_ignore_has(folder->ignore, entry->name, strlen(entry->name), entry->type == 'd',
                         &search->tree.steps);
}

static struct rv_globs_found look_at_name(struct search_call *search,
                                          const struct rv_file_entry *entry)
{
    struct rv_tree *tree = &search->tree;
    bool is_folder = entry->type == 'd';

    tree->globs = tree->folder->globs;
    if (search->globs.count)
        return rv_globs_step(&search->globs, &tree->globs, entry->name, strlen(entry->name),
                             is_folder, &tree->steps);
    return (struct rv_globs_found){.matches = true, .goes_on = strcmp(entry->name, ".git") != 0};
}

static enum rv_tree_move on_entry(struct rv_tree *tree, const struct rv_file_entry *entry)
{
    struct search_call *search = rv_container_of(tree, struct search_call, tree);
    struct rv_globs_found found;

    if (entry->type != 'd' && entry->type != 'f')
        return RV_TREE_NEXT;
    found = look_at_name(search, entry);
    if (entry->type == 'd' ? !found.goes_on : !found.matches)
        return RV_TREE_NEXT;
    if (is_ignored(search, entry)) {
        search->ignored++;
        return RV_TREE_NEXT;
    }
    if (entry->type == 'd')
        return RV_TREE_ENTER;
    tree->error = add_file(search, rv_buffer_text(&tree->path));
    return search->count == FILES_AHEAD ? RV_TREE_PAUSE : RV_TREE_NEXT;
}

static void on_walked(struct rv_tree *tree, int error, const struct rv_file_problem *problem)
{
    struct search_call *search = rv_container_of(tree, struct search_call, tree);

    /* A file by itself. */
    if (error == REEVE_ENOTDIR && !strcmp(problem->kind, "a regular file") && !search->count)
        error = add_file(search, search->files.path);
    if (error)
        fail(search, error, problem);
    else if (!search->count)
        look_at_first(search);
}

/* ---- .gitignore --------------------------------------------------------------------------------
 */

static void on_ignore(struct rv_file_read *read, int error, void *arg);

static int read_ignore(struct search_call *search, const char *folder, size_t len)
{
    char path[PATH_MAX + sizeof "/.gitignore"];
    const struct rv_file_read_options options = {
        .path = path,
        .limit = RV_IGNORE_MAX_BYTES,
        .max_bytes = RV_IGNORE_MAX_BYTES,
        .on_done = on_ignore,
        .arg = search,
    };

    snprintf(path, sizeof path, "%.*s%s.gitignore", (int)len, folder, len ? "/" : "");
    return rv_file_read_start(search->files.tools->root, &options, &search->ignore_read);
}

/* The last name of a path's first `len` bytes; NULL if there is none, for the root. */
static const char *last_name(const char *path, size_t len, char name[NAME_MAX + 1])
{
    size_t start = len;

    while (start && path[start - 1] != '/')
        start--;
    if (len == start || len - start > NAME_MAX)
        return NULL;
    memcpy(name, path + start, len - start);
    name[len - start] = '\0';
    return name;
}

/* The walk's folder has its rules: those from above, and its own if there are any. */
static int set_rules(struct search_call *search, const char *text, size_t len)
{
    struct rv_tree_folder *folder = search->tree.folder;
    const struct rv_ignore *up = folder->up ? folder->up->ignore : search->above;
    char name[NAME_MAX + 1];

    return rv_ignore_new(&folder->arena, up,
                         last_name(rv_buffer_text(&search->tree.path), folder->path_len, name),
                         text, len, &folder->ignore);
}

static bool has_ignore(const struct rv_file_entry *entry)
{
    int order = -1;

    for (; entry && order < 0; entry = entry->next)
        order = strcmp(entry->name, ".gitignore");
    return !order;
}

static enum rv_tree_move on_folder(struct rv_tree *tree)
{
    struct search_call *search = rv_container_of(tree, struct search_call, tree);

    if (!search->respect_gitignore)
        return RV_TREE_NEXT;
    if (has_ignore(tree->folder->next)) {
        tree->error = read_ignore(search, rv_buffer_text(&tree->path), tree->path.len);
        return RV_TREE_PAUSE;
    }
    tree->error = set_rules(search, NULL, 0);
    return RV_TREE_NEXT;
}

static int begin_walk(struct search_call *search)
{
    search->walking = true;
    return rv_tree_start(&search->tree, search->files.path);
}

/* The folders above the one that is searched, from the root on: the next one's file. */
static int read_above(struct search_call *search)
{
    const char *path = search->files.path;
    size_t at = search->above_at;

    if (!path[at + strspn(path + at, "/")])
        return begin_walk(search);
    return read_ignore(search, path, at);
}

static int add_above(struct search_call *search, const char *text, size_t len)
{
    const char *path = search->files.path;
    char name[NAME_MAX + 1];
    int error = rv_ignore_new(&search->arena, search->above,
                              last_name(path, search->above_at, name), text, len, &search->above);

    search->above_at += search->above_at > 0; /* the slash */
    search->above_at += strcspn(path + search->above_at, "/");
    return error ? error : read_above(search);
}

/* One that cannot be read says nothing. */
static void on_ignore(struct rv_file_read *read, int error, void *arg)
{
    struct search_call *search = arg;
    const struct rv_file_content *content = rv_file_read_content(read);
    const char *text = error ? NULL : content->head;
    size_t len = error ? 0 : content->head_len;

    search->ignore_read = NULL;
    if (search->ending)
        return;
    if (error != REEVE_ENOMEM)
        error = search->walking ? set_rules(search, text, len) : add_above(search, text, len);
    if (error)
        fail(search, error, &no_problem);
    else if (search->walking && search->count < FILES_AHEAD)
        rv_tree_resume(&search->tree);
}

/* ---- starting ----------------------------------------------------------------------------------
 */

static const struct rv_tree_owner owner = {
    .on_entry = on_entry, .on_folder = on_folder, .on_done = on_walked};

static void abort_search(struct rv_file_call *files)
{
    fail(rv_container_of(files, struct search_call, files), REEVE_ECANCELED, &no_problem);
}

/* Whether the path is one name below the other: only then its folders are those above it. */
static bool is_plain(const char *path)
{
    const char *name;

    if (path[0] == '/' || path[strlen(path) - 1] == '/')
        return false;
    for (name = path; *name; name += *name == '/') {
        size_t len = strcspn(name, "/");

        if (!len || (len <= 2 && !strncmp(name, "..", len)))
            return false;
        name += len;
    }
    return true;
}

static bool take_pattern(struct search_call *search, const char *text, size_t len, bool ignore_case)
{
    unsigned flags = RV_PATTERN_COUNTED | (ignore_case ? RV_PATTERN_CASELESS : 0);
    struct rv_pattern_problem problem = {0};
    int error =
        rv_pattern_new(search->files.tools->mem, text, len, flags, &search->pattern, &problem);

    if (!error)
        return true;
    if (error == REEVE_EINVAL)
        rv_tool_refuse(search->files.call, false,
                       "\"pattern\" is no regular expression: at byte %zu: %s", problem.offset,
                       problem.text);
    else
        rv_tool_refuse(search->files.call, error == REEVE_ENOMEM, "\"pattern\" cannot be used: %s",
                       problem.text[0] ? problem.text : reeve_error_text(error));
    return false;
}

static bool take_glob(struct search_call *search)
{
    const struct reeve_json *value =
        reeve_json_get(reeve_tool_call_arguments(search->files.call), "glob");
    size_t len;
    const char *glob = reeve_json_string(value, &len);
    int error;

    if (!glob)
        return true;
    error = rv_globs_parse(&search->globs, &search->arena, glob, len, true);
    if (error)
        rv_tool_refuse(search->files.call, error == REEVE_ENOMEM,
                       "\"glob\" %s: give one for the files that are to be searched, for example "
                       "*.{c,h} or src/**/*.py",
                       error == REEVE_ENOMEM    ? "found no memory"
                       : error == REEVE_ETOOBIG ? "is too long, or its braces stand for too much"
                                                : "is empty or has \"..\" in it");
    return !error;
}

static bool take_arguments(struct search_call *search)
{
    struct reeve_tool_call *call = search->files.call;
    uint64_t context;
    const char *text;
    bool ignore_case;
    size_t len;

    if (!rv_arg_text(call, "pattern", "a regular expression", &text, &len) ||
        !rv_arg_path(call, "directory", ".", &search->files.path) ||
        !rv_arg_bool(call, "ignore_case", false, &ignore_case) ||
        !rv_arg_bool(call, "include_binary", false, &search->include_binary) ||
        !rv_arg_bool(call, "respect_gitignore", true, &search->respect_gitignore) ||
        !rv_arg_number(call, "context", 0, 0, &context) ||
        !rv_arg_number(call, "limit", 1, DEFAULT_LIMIT, &search->lines.limit))
        return false;
    search->lines.context =
        context < RV_LINES_MAX_CONTEXT ? (unsigned)context : (unsigned)RV_LINES_MAX_CONTEXT;
    if (!take_pattern(search, text, len, ignore_case) || !take_glob(search))
        return false;
    search->lines.pattern = search->pattern;
    return true;
}

static void init(struct search_call *search)
{
    struct rv_file_tools *tools = search->files.tools;
    size_t max = reeve_tool_call_max_output_bytes(search->files.call);

    rv_task_init(&search->task, run_slice);
    rv_arena_init(&search->arena, tools->mem);
    rv_buffer_init(&search->out, tools->mem, max > 2 * NOTES_BYTES ? max - NOTES_BYTES : max / 2);
    rv_lines_init(&search->lines, tools->mem, NULL, &search->out);
    rv_tree_init(&search->tree, tools->root, tools->runtime, tools->mem, &owner);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *tools = arg;
    struct search_call *search = rv_zalloc(tools->mem, sizeof *search);
    int error;

    if (!search)
        return REEVE_ENOMEM;
    search->files.abort = abort_search;
    rv_file_call_begin(&search->files, tools, call);
    init(search);
    if (!take_arguments(search)) {
        end_call(search);
        return 0;
    }
    search->tree.globs = rv_globs_start(&search->globs);
    error = search->respect_gitignore && is_plain(search->files.path) ? read_above(search)
                                                                      : begin_walk(search);
    if (error)
        fail(search, error, &no_problem);
    return 0;
}

void rv_search_files_define(struct reeve_tool *tool)
{
    tool->name = "search_files";
    tool->description =
        "Search files below a directory line by line for a regular expression (Perl's). Each match "
        "is given as path:line: text, lines around it as path-line- text; the last line says how "
        "many there were. Binary files and what .gitignore names are left out, and so is .git; "
        "symbolic links are not followed. Long lines are cut.";
    tool->parameters =
        "{\"type\":\"object\",\"properties\":{"
        "\"pattern\":{\"type\":\"string\",\"description\":\"The regular expression, for example "
        "\\\\bparse_\\\\w+\\\\(\"},"
        "\"path\":{\"type\":[\"string\",\"null\"],\"description\":\"The directory or the file to "
        "search, relative to the root folder. Default: . (the root folder itself)\"},"
        "\"glob\":{\"type\":[\"string\",\"null\"],\"description\":\"Only files that match this, "
        "for example *.{c,h} (in any directory) or src/**/*.c (below path). Default: all\"},"
        "\"ignore_case\":{\"type\":[\"boolean\",\"null\"],\"description\":\"Default: false\"},"
        "\"context\":{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":10,"
        "\"description\":\"How many lines to give before and after each match. Default: 0\"},"
        "\"limit\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":1000000,"
        "\"description\":\"How many matches to give. Default: 200\"},"
        "\"include_binary\":{\"type\":[\"boolean\",\"null\"],\"description\":\"Say of binary files "
        "too whether they match. Default: false\"},"
        "\"respect_gitignore\":{\"type\":[\"boolean\",\"null\"],\"description\":\"Leave out what "
        ".gitignore files name. Default: true\"}},"
        "\"required\":[\"pattern\"],\"additionalProperties\":false}";
    tool->start = start;
    tool->describe = rv_describe_read;
}
