/* SPDX-License-Identifier: MIT */
/*
 * Whether a file is still the one that was read: what lets a result of read_file be kept
 * (reeve_tool.validate). The evidence is the file's identity as it was opened: device, inode, size,
 * both times.
 */
#ifndef RV_TOOL_BUILTIN_UNCHANGED_H
#define RV_TOOL_BUILTIN_UNCHANGED_H

#include <stddef.h>

#include "io/file_stat.h"

#include <reeve/tool.h>

struct rv_file_tools;

/*
 * A running call has read this file. A file that has changed a moment ago may change again without
 * its times telling, since the system's clock for files ticks slowly: what was read of it is not
 * kept.
 */
void rv_unchanged_note(struct reeve_tool_call *call, struct rv_file_tools *tools,
                       const struct rv_file_status *status);

/* reeve_tool.validate of a tool whose "path" names the file, and whose arg are the file tools. */
void rv_unchanged_validate(struct reeve_tool_call *call, const void *evidence, size_t len,
                           void *arg);

#endif
