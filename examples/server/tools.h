/* SPDX-License-Identifier: MIT */
/*
 * The tools that a request offers, and how a prompt fills their parameters.
 */
#ifndef MS_SERVER_TOOLS_H
#define MS_SERVER_TOOLS_H

#include <yajl/yajl_tree.h>

#include "prompt.h"

/* The "function" object of the offered tool of this name, NULL when it is not offered. */
yajl_val ms_tool_find(yajl_val tools, struct ms_span name);

/* Writes {"PARAM": path} for a tool that takes one path. */
void ms_tool_path_arguments(yajl_val function, const char *path, struct ms_text *out);

/* The tool, other than for listing and reading, that the prompt asks for: one whose name has a word
 * in common with the prompt's first words, or the only tool of the host's own; in both cases only
 * if the prompt fills each required parameter. NULL when there is none; else its arguments are
 * appended to `out`. */
yajl_val ms_tool_wanted(yajl_val tools, const struct ms_prompt *prompt, struct ms_text *out);

/* Arguments for a tool that must be called whatever the prompt says: required parameters that the
 * prompt does not fill get the prompt's text, 0, false or an empty value, by their type. */
void ms_tool_forced_arguments(yajl_val function, const struct ms_prompt *prompt,
                              struct ms_text *out);

#endif
