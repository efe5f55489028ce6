/* SPDX-License-Identifier: MIT */
/* What the built-in file tools share: their root, their running calls, their way of saying no. */
#ifndef RV_TOOL_BUILTIN_BUILTIN_H
#define RV_TOOL_BUILTIN_BUILTIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/list.h"
#include "io/file.h"

#include <reeve/json.h>
#include <reeve/tool.h>

/* One root's tools: the `arg` of each of them. The toolbox owns it. */
struct rv_file_tools {
    struct rv_mem *mem;
    struct reeve_runtime *runtime;
    struct rv_root *root;
    struct rv_list running; /* of rv_file_call.node */
};

/* The folder is looked for: 0, or an error of reeve_toolbox_add_files with the toolbox's problem
 * set and nothing to be undone. */
int rv_file_tools_init(struct rv_file_tools *tools, struct reeve_toolbox *toolbox,
                       const char *root);
void rv_file_tools_done(struct rv_file_tools *tools);

/* A running call, embedded in what the tool keeps of it. */
struct rv_file_call {
    struct rv_list node;
    struct rv_file_tools *tools;
    struct reeve_tool_call *call;
    const char *path; /* the argument; lives as long as the call does */
    const char *done; /* what could not be: "read" [NULL], "written" */
    /* Ends it, finishing the call: at once, or (a command) once its processes are gone. */
    void (*abort)(struct rv_file_call *files);
};

/* Fill in everything but `arg` and `cancel`. `effect` is that of reading. */
void rv_read_file_define(struct reeve_tool *tool);
void rv_list_directory_define(struct reeve_tool *tool);
void rv_write_file_define(struct reeve_tool *tool);
void rv_edit_file_define(struct reeve_tool *tool);
void rv_find_files_define(struct reeve_tool *tool);
void rv_search_files_define(struct reeve_tool *tool);

/* The describe functions of tools that read, or write, what "path" names [.] and all below it. */
int rv_describe_read(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg);
int rv_describe_write(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg);

/* A call begins to run and ends to. Between them rv_file_tools_cancel finds it. */
void rv_file_call_begin(struct rv_file_call *files, struct rv_file_tools *tools,
                        struct reeve_tool_call *call);
void rv_file_call_end(struct rv_file_call *files);
void rv_file_tools_cancel(struct reeve_tool_call *call, void *arg);

/* Finish the call badly, with a text for the model. */
void rv_tool_refuse(struct reeve_tool_call *call, bool retryable, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Why a path could not be read, listed or written: finishes the call. */
void rv_file_call_refuse(const struct rv_file_call *files, int error,
                         const struct rv_file_problem *problem);

/*
 * Arguments. Each of these either gives the value or finishes the call with what is wrong, and then
 * returns false: the tool's start function returns 0 at once. A null counts as missing.
 */

/* A path. `fallback` NULL: it must be there. `what` is "file" or "directory", for the text. */
bool rv_arg_path(struct reeve_tool_call *call, const char *what, const char *fallback,
                 const char **ret_path);

/* Could a string be a path? */
bool rv_arg_is_path(const char *path, size_t len);

/* A whole number of at least `least`. */
bool rv_arg_number(struct reeve_tool_call *call, const char *key, uint64_t least, uint64_t fallback,
                   uint64_t *ret_number);

/* A string, which may be empty and hold any characters; it must be there. `what` says what it is to
 * be, for the text: "the file's whole content". */
bool rv_arg_text(struct reeve_tool_call *call, const char *key, const char *what,
                 const char **ret_text, size_t *ret_len);

bool rv_arg_bool(struct reeve_tool_call *call, const char *key, bool fallback, bool *ret_value);

#endif
