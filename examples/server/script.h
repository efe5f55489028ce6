/* SPDX-License-Identifier: MIT */
/*
 * The mind of the scripted model: a request in, a reply out. It is pure, keeps nothing between two
 * requests and knows nothing but what the request says: the last user message, the tools that are
 * offered, and what the tools returned so far.
 *
 * How it thinks:
 *  - [call:NAME ARGUMENTS] directives: makes these calls at once, then tells what they returned.
 *  - "list …": list_directory, then the listing.
 *  - anything about files: list_directory of ".", then read_file for several files in one
 *    completion (those that the prompt names; else all that look like text, at most 8), then, while
 *    no line answers the question, folders and files further down, within bounds. The answer quotes
 *    the line that fits best and names its file; a tool that failed is named too.
 *  - a tool of the host's own whose required parameters can be filled from the prompt is called.
 *  - anything else gets a short text that echoes the question and says who answers.
 * What earlier turns of the conversation have read is used before a tool is called again.
 */
#ifndef MS_SERVER_SCRIPT_H
#define MS_SERVER_SCRIPT_H

#include <stdint.h>

#include "request.h"
#include "text.h"

#define MS_MAX_PLANNED_CALLS 16
#define MS_MAX_ANSWER_BYTES 65536
#define MS_MAX_FAULT_BYTES 64

struct ms_planned_call {
    char *name;
    char *arguments; /* JSON text, unless a fault broke it */
};

/* Either calls or text, and what the server wants to know of the question. */
struct ms_plan {
    struct ms_text text;
    size_t calls_count;
    struct ms_planned_call calls[MS_MAX_PLANNED_CALLS];
    char *thinking;                 /* comes before them; NULL: nothing */
    size_t rounds;                  /* completions with calls since the question was asked */
    uint64_t question_hash;         /* of the last user message */
    char fault[MS_MAX_FAULT_BYTES]; /* what its [fault:…] says; empty without one */
};

/* 0, or -1 without memory. After 0, end the plan with ms_plan_done. */
int ms_script_think(const struct ms_request *request, struct ms_plan *ret_plan);

/* Adds a copy of a call; one too many is left out. 0, or -1 without memory. */
int ms_plan_add_call(struct ms_plan *plan, struct ms_span name, struct ms_span arguments);
void ms_plan_done(struct ms_plan *plan);

#endif
