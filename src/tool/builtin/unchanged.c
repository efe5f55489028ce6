/* SPDX-License-Identifier: MIT */
/* The identity of a file that was read, and a look at whether it is the same. */
#include "tool/builtin/unchanged.h"

#include <string.h>

#include "loop/clock.h"
#include "tool/builtin/builtin.h"

enum {
    TICK_MS = 100,         /* more than the clock of any file system that tells parts of seconds */
    COARSE_TICK_MS = 2100, /* and of those that do not */
};

#define NS_PER_S INT64_C(1000000000)

struct check {
    struct rv_file_call files;
    struct rv_file_stat *stat;
    struct rv_file_status was;
};

static bool has_settled(const struct rv_file_status *status, int64_t now_ms)
{
    const int64_t changed_ns =
        status->changed_ns > status->modified_ns ? status->changed_ns : status->modified_ns;
    const int64_t tick_ms = changed_ns % NS_PER_S ? TICK_MS : COARSE_TICK_MS;

    return changed_ns / (int64_t)RV_NS_PER_MS < now_ms - tick_ms;
}

void rv_unchanged_note(struct reeve_tool_call *call, struct rv_file_tools *tools,
                       const struct rv_file_status *status)
{
    if (has_settled(status, rv_wall_now_ms(tools->runtime)))
        reeve_tool_call_set_evidence(call, status, sizeof *status);
}

static void looked(struct rv_file_stat *stat, int error, void *arg)
{
    struct check *check = arg;
    struct reeve_tool_call *call = check->files.call;
    const bool same = !error && rv_file_status_same(&check->was, rv_file_stat_status(stat));

    rv_file_call_end(&check->files);
    rv_free(check->files.tools->mem, check);
    reeve_tool_call_validated(call, same);
}

static void abort_look(struct rv_file_call *files)
{
    rv_file_stat_abort(rv_container_of(files, struct check, files)->stat);
}

static int start(struct check *check, struct rv_file_tools *tools)
{
    const struct rv_file_stat_options options = {
        .path = check->files.path,
        .follow = true,
        .on_done = looked,
        .arg = check,
    };

    return rv_file_stat_start(tools->root, &options, &check->stat);
}

void rv_unchanged_validate(struct reeve_tool_call *call, const void *evidence, size_t len,
                           void *arg)
{
    struct rv_file_tools *tools = arg;
    struct check *check = NULL;

    if (len == sizeof check->was)
        check = rv_alloc(tools->mem, sizeof *check);
    if (!check) {
        reeve_tool_call_validated(call, 0);
        return;
    }
    memcpy(&check->was, evidence, len);
    check->files = (struct rv_file_call){
        .path = reeve_tool_call_arg_string(call, "path"),
        .abort = abort_look,
    };
    rv_list_init(&check->files.node);
    rv_file_call_begin(&check->files, tools, call);
    if (!start(check, tools))
        return;
    rv_file_call_end(&check->files);
    rv_free(tools->mem, check);
    reeve_tool_call_validated(call, 0);
}
