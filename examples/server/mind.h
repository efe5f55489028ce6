/* SPDX-License-Identifier: MIT */
/*
 * What script.c (what to do next) and answer.c (what to say) share while one request is thought
 * about.
 */
#ifndef MS_SERVER_MIND_H
#define MS_SERVER_MIND_H

#include "evidence.h"
#include "prompt.h"
#include "script.h"

struct ms_mind {
    const struct ms_request *request;
    struct ms_evidence evidence;
    struct ms_prompt prompt;
    yajl_val list_tool; /* NULL: not offered, or not to be used now */
    yajl_val read_tool;
    struct ms_plan plan;
};

/* True when this file may speak on the question: a file that the prompt names, or any file when it
 * names none. */
bool ms_mind_is_asked_about(const struct ms_mind *mind, const char *path);

/* How many of the prompt's content words are words of this path. */
size_t ms_mind_name_hits(const struct ms_mind *mind, const char *path);

/* True when some line of what was read answers the question. */
bool ms_answer_is_known(const struct ms_mind *mind);

/* Writes the answer into mind->plan.text. */
void ms_answer_write(struct ms_mind *mind);

#endif
