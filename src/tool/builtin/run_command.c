/* SPDX-License-Identifier: MIT */
/*
 * The tool run_command: a command line for /bin/sh, in the root folder.
 *
 * Happy path: start the shell → write its output into the result as it comes → when it is gone, say
 * how it ended. Ways to fail: it can't be started; it ends with another status than 0, by a signal,
 * or in a way that the host has hidden from us; it runs or writes for too long; it is cancelled. In
 * each of these what it has written stands before the reason.
 *
 * A cancelled command is given time to end, so the call may be out longer than its toolbox. Its
 * runtime ends it at once.
 */
#include "tool/builtin/builtin.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/export.h"
#include "base/options.h"
#include "io/process.h"
#include "io/root.h"
#include "loop/runtime.h"
#include "tool/toolbox.h"

#include <reeve/error.h>

enum {
    GRACE_MS = 2000,
    OUTPUT_BYTES = 64 * 1024 * 1024,
    MAX_END_BYTES = 1024,           /* what is said of how it ended */
    MAX_STRINGS_BYTES = 1024 * 1024 /* more would be refused by the system anyway */
};

/* Strings for exec, copied. */
struct strings {
    struct rv_buffer text; /* with a NUL behind each */
    const char **list;     /* into it; NULL at the end */
    size_t count;
};

/* What the tool is added with: its `arg` is `files`. */
struct command_tools {
    struct rv_file_tools files;
    struct reeve_command_options options;
    struct strings environment;
    struct strings argv; /* the sandbox and the shell; the command comes last, see start_process */
};

struct command_call {
    struct rv_file_call files;
    struct rv_pending pending;
    struct rv_process *process;
    uint32_t timeout_ms;
    bool in_line; /* what was written last was no line's end */
};

static struct command_tools *tools_of(const struct command_call *command)
{
    return rv_container_of(command->files.tools, struct command_tools, files);
}

/* ---- how it ended ------------------------------------------------------------------------------
 */

/* In English, as a model reads it. */
static const char *signal_text(int signal_number)
{
    const char *text = NULL;

#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
    text = sigdescr_np(signal_number);
#define HAVE_SIGNAL_TEXT
#endif
#endif
#ifndef HAVE_SIGNAL_TEXT
    text = strsignal(signal_number);
#endif
    return text ? text : "unknown signal";
}

static int add_signal(struct rv_buffer *out, const struct command_call *command, int signal_number)
{
    const struct reeve_command_options *options = &tools_of(command)->options;
    int error = rv_buffer_printf(out, "killed by signal %d (%s)", signal_number,
                                 signal_text(signal_number));

    if (!error && signal_number == SIGXCPU && options->cpu_s)
        error = rv_buffer_printf(out, ": it may use %" PRIu64 " s of CPU time", options->cpu_s);
    if (!error && signal_number == SIGXFSZ && options->file_bytes)
        error = rv_buffer_printf(out, ": it may write files of up to %" PRIu64 " bytes",
                                 options->file_bytes);
    return error;
}

static int add_status(struct rv_buffer *out, const struct command_call *command,
                      const struct rv_process_result *result)
{
    int error;

    switch (result->end) {
    case RV_PROCESS_EXITED:
        error = rv_buffer_printf(out, "exit status %d", result->exit_code);
        break;
    case RV_PROCESS_SIGNALED:
        error = add_signal(out, command, result->signal);
        break;
    default:
        error = rv_buffer_add_text(
            out, "status unknown: the command has ended, but whether it went well was lost");
    }
    if (!error && result->pipe_kept)
        error = rv_buffer_add_text(
            out, "; what it had left running with its output still open was killed");
    return error;
}

static int add_end(struct rv_buffer *out, const struct command_call *command, int process_error)
{
    const struct rv_process_result *result = rv_process_result(command->process);

    if (command->in_line && rv_buffer_add_byte(out, '\n'))
        return REEVE_ENOMEM;
    if (!result->started)
        return rv_buffer_printf(out, "the command could not be started: %.512s",
                                rv_process_problem(command->process));
    switch (process_error) {
    case 0:
        return add_status(out, command, result);
    case REEVE_ETIMEDOUT:
        return rv_buffer_printf(out, "stopped after %" PRIu32 " ms", command->timeout_ms);
    case REEVE_ETOOBIG:
        return rv_buffer_printf(out, "stopped: it wrote more than %" PRIu64 " bytes",
                                tools_of(command)->options.output_bytes);
    default:
        return rv_buffer_printf(out, "stopped: %s", reeve_error_text(process_error));
    }
}

static bool went_well(const struct command_call *command, int process_error)
{
    const struct rv_process_result *result = rv_process_result(command->process);

    return !process_error && result->end == RV_PROCESS_EXITED && result->exit_code == 0;
}

static void on_done(struct rv_process *process, int process_error, void *arg)
{
    struct command_call *command = arg;
    struct rv_file_tools *tools = command->files.tools;
    struct reeve_tool_call *call = command->files.call;
    struct rv_mem *mem = rv_mem_ref(tools->mem); /* the tools may go with the call */
    struct rv_buffer end;

    (void)process;
    rv_pending_remove(tools->runtime, &command->pending);
    rv_file_call_end(&command->files);
    rv_buffer_init(&end, mem, MAX_END_BYTES);
    if (add_end(&end, command, process_error))
        reeve_tool_call_fail(call, false, "out of memory", strlen("out of memory"));
    else if (went_well(command, process_error))
        reeve_tool_call_finish(call, rv_buffer_text(&end), end.len);
    else
        reeve_tool_call_fail(call, false, rv_buffer_text(&end), end.len);
    rv_buffer_done(&end);
    rv_free(mem, command);
    rv_mem_unref(mem);
}

/* ---- running -----------------------------------------------------------------------------------
 */

static void on_output(struct rv_process *process, enum rv_process_stream stream, const char *bytes,
                      size_t len, void *arg)
{
    struct command_call *command = arg;

    (void)process, (void)stream;
    command->in_line = bytes[len - 1] != '\n';
    reeve_tool_call_write(command->files.call, bytes, len);
}

static void cancel_command(struct rv_file_call *files)
{
    rv_process_cancel(rv_container_of(files, struct command_call, files)->process);
}

static void abort_command(struct rv_pending *pending)
{
    rv_process_abort(rv_container_of(pending, struct command_call, pending)->process);
}

static int start_process(struct command_call *command, const char *text)
{
    const struct command_tools *tools = tools_of(command);
    const struct rv_process_options options = {
        .argv = tools->argv.list,
        .environment = tools->environment.list,
        .folder_fd = &tools->files.root->fd,
        .merge_stderr = true,
        .limits = {.cpu_s = tools->options.cpu_s,
                   .memory_bytes = tools->options.memory_bytes,
                   .file_bytes = tools->options.file_bytes,
                   .open_files = tools->options.open_files,
                   .processes = tools->options.processes},
        .max_output_bytes = (size_t)tools->options.output_bytes,
        .overflow = RV_PROCESS_OVERFLOW_END,
        .timeout_ms = command->timeout_ms,
        .grace_ms = tools->options.grace_ms,
        .on_output = on_output,
        .on_done = on_done,
        .arg = command,
    };

    tools->argv.list[tools->argv.count - 1] = text; /* copied by the start */
    return rv_process_start(tools->files.runtime, &options, &command->process);
}

static bool take_arguments(struct reeve_tool_call *call, const struct command_tools *tools,
                           const char **ret_text, uint32_t *ret_timeout_ms)
{
    uint32_t most_ms = tools->options.timeout_ms;
    uint64_t wanted_ms;
    size_t len;

    if (!rv_arg_text(call, "command", "a command for /bin/sh", ret_text, &len) ||
        !rv_arg_number(call, "timeout_ms", 1, most_ms, &wanted_ms))
        return false;
    if (!len || memchr(*ret_text, '\0', len)) {
        rv_tool_refuse(call, false, "\"command\" %s: give a command for /bin/sh",
                       len ? "has a NUL character in it, which no command can have" : "is empty");
        return false;
    }
    if (most_ms && wanted_ms > most_ms)
        wanted_ms = most_ms;
    *ret_timeout_ms = wanted_ms < UINT32_MAX ? (uint32_t)wanted_ms : UINT32_MAX;
    return true;
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *files = arg;
    struct command_call *command;
    uint32_t timeout_ms;
    const char *text;
    int error;

    if (!take_arguments(call, rv_container_of(files, struct command_tools, files), &text,
                        &timeout_ms))
        return 0;
    command = rv_zalloc(files->mem, sizeof *command);
    if (!command)
        return REEVE_ENOMEM;
    command->files.abort = cancel_command;
    command->timeout_ms = timeout_ms;
    rv_file_call_begin(&command->files, files, call);
    error = start_process(command, text);
    if (!error) {
        rv_pending_add(files->runtime, &command->pending, abort_command);
        return 0;
    }
    rv_file_call_end(&command->files);
    rv_free(files->mem, command);
    if (error == REEVE_ETOOBIG) {
        rv_tool_refuse(call, false,
                       "\"command\" is too long: write it into a file and run that file");
        return 0;
    }
    return error;
}

/* ---- what it is run with -----------------------------------------------------------------------
 */

static void strings_done(struct strings *strings, struct rv_mem *mem)
{
    rv_buffer_done(&strings->text);
    rv_free(mem, strings->list);
}

static int add_string(struct strings *strings, const char *text)
{
    strings->count++;
    return rv_buffer_add(&strings->text, text, strlen(text) + 1);
}

/* When the last one has been added. */
static int list_strings(struct strings *strings, struct rv_mem *mem)
{
    const char *at = rv_buffer_text(&strings->text);
    size_t i;

    strings->list = rv_alloc_array(mem, strings->count + 1, sizeof *strings->list);
    if (!strings->list)
        return REEVE_ENOMEM;
    for (i = 0; i < strings->count; i++, at += strlen(at) + 1)
        strings->list[i] = at;
    strings->list[i] = NULL;
    return 0;
}

static int add_from_host(struct strings *environment)
{
    static const char *const names[] = {"PATH", "HOME",   "USER",     "LOGNAME", "SHELL",
                                        "LANG", "LC_ALL", "LC_CTYPE", "TZ",      "TMPDIR"};
    int error = add_string(environment, "TERM=dumb");
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0] && !error; i++) {
        const char *value = getenv(names[i]);

        if (!value)
            continue;
        environment->count++;
        error = rv_buffer_printf(&environment->text, "%s=%s", names[i], value);
        if (!error)
            error = rv_buffer_add_byte(&environment->text, '\0');
    }
    return error;
}

static int add_given(struct strings *environment, const char *const *given)
{
    int error = 0;

    for (; *given && !error; given++)
        error =
            **given == '=' || !strchr(*given, '=') ? REEVE_EINVAL : add_string(environment, *given);
    return error;
}

static int make_environment(struct command_tools *tools)
{
    const char *const *given = tools->options.environment;
    int error = given ? add_given(&tools->environment, given) : add_from_host(&tools->environment);

    tools->options.environment = NULL; /* the caller's */
    return error ? error : list_strings(&tools->environment, tools->files.mem);
}

static int make_argv(struct command_tools *tools)
{
    /* A command may begin with a "-". */
    static const char *const shell[] = {"/bin/sh", "-c", "--", "", NULL};
    const char *const *sandbox = tools->options.sandbox, *const * at;
    int error = 0;

    tools->options.sandbox = NULL; /* the caller's */
    if (sandbox && (!*sandbox || !**sandbox))
        return REEVE_EINVAL;
    for (at = sandbox; at && *at && !error; at++)
        error = add_string(&tools->argv, *at);
    for (at = shell; *at && !error; at++)
        error = add_string(&tools->argv, *at);
    return error ? error : list_strings(&tools->argv, tools->files.mem);
}

/* ---- adding it ---------------------------------------------------------------------------------
 */

RV_EXPORT void reeve_command_options_init_size(struct reeve_command_options *options, size_t size)
{
    const struct reeve_command_options defaults = {
        .size = size,
        .grace_ms = GRACE_MS,
        .output_bytes = OUTPUT_BYTES,
    };

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

static void free_tools(void *owned)
{
    struct command_tools *tools = owned;
    struct rv_mem *mem = rv_mem_ref(tools->files.mem);

    strings_done(&tools->environment, mem);
    strings_done(&tools->argv, mem);
    rv_file_tools_done(&tools->files);
    rv_free(mem, tools);
    rv_mem_unref(mem);
}

static int copy_options(struct command_tools *tools, const struct reeve_command_options *options)
{
    int error = 0;

    reeve_command_options_init(&tools->options);
    if (options)
        error = rv_options_copy(&tools->options, sizeof tools->options, options);
    if (!tools->options.output_bytes)
        tools->options.output_bytes = OUTPUT_BYTES;
    return error;
}

static int new_tools(struct reeve_toolbox *toolbox, const char *root,
                     const struct reeve_command_options *options, struct command_tools **ret_tools)
{
    struct command_tools *tools = rv_zalloc(toolbox->mem, sizeof *tools);
    int error;

    if (!tools)
        return REEVE_ENOMEM;
    error = rv_file_tools_init(&tools->files, toolbox, root);
    if (error) {
        rv_free(toolbox->mem, tools);
        return error;
    }
    rv_buffer_init(&tools->environment.text, toolbox->mem, MAX_STRINGS_BYTES);
    rv_buffer_init(&tools->argv.text, toolbox->mem, MAX_STRINGS_BYTES);
    error = copy_options(tools, options);
    if (!error)
        error = make_environment(tools);
    if (!error)
        error = make_argv(tools);
    if (error) {
        rv_toolbox_set_problem(toolbox, "The options of run_command: %s.", reeve_error_text(error));
        free_tools(tools);
        return error;
    }
    *ret_tools = tools;
    return 0;
}

static void define(struct reeve_tool *tool)
{
    tool->name = "run_command";
    tool->description =
        "Run a command with /bin/sh -c in the root folder and wait for it to end. The result is "
        "what it wrote, stdout and stderr together, and a last line that says how it ended: \"exit "
        "status 0\" if all went well. There is no terminal and no input, so that it can ask "
        "nothing. Long output loses its middle. What it leaves running is killed if it keeps the "
        "output open.";
    tool->parameters =
        "{\"type\":\"object\",\"properties\":{"
        "\"command\":{\"type\":\"string\",\"description\":\"What the shell is to run, for example "
        "make -s && ./run-tests 2>&1 | tail -n 40\"},"
        "\"timeout_ms\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":4294967295,"
        "\"description\":\"Stop it after so many milliseconds. Default: the longest that is "
        "allowed\"}},"
        "\"required\":[\"command\"],\"additionalProperties\":false}";
    tool->effect = REEVE_EFFECT_UNKNOWN;
    tool->start = start;
    tool->cancel = rv_file_tools_cancel;
}

RV_EXPORT int reeve_toolbox_add_command(struct reeve_toolbox *toolbox, const char *root,
                                        const struct reeve_command_options *options)
{
    struct command_tools *tools;
    struct reeve_tool tool;
    int error;

    if (!root) {
        rv_toolbox_set_problem(toolbox, "The root folder is missing.");
        return REEVE_EINVAL;
    }
    rv_toolbox_set_problem(toolbox, "Out of memory.");
    error = new_tools(toolbox, root, options, &tools);
    if (error)
        return error;
    reeve_tool_init(&tool);
    define(&tool);
    tool.arg = &tools->files;
    error = rv_toolbox_add_owned(toolbox, &tool, tools, free_tools);
    if (error)
        free_tools(tools);
    return error;
}
