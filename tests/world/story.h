/* SPDX-License-Identifier: MIT */
/*
 * Scenarios that run in either world and under every sweep. Each makes all that it needs, runs to
 * its end, sees that what must hold holds (whatever went wrong on the way), notes what came of it
 * (tests/lib/notes.h), frees all, and returns how it ended.
 */
#ifndef RV_TESTS_WORLD_STORY_H
#define RV_TESTS_WORLD_STORY_H

#include "tests/lib/test.h"

#include <reeve/model.h>

/* What happens at the step at which the fate strikes. */
enum story_strike {
    STORY_CANCEL,
    STORY_FREE, /* of the model, toolbox or agent under way */
};

struct story {
    enum reeve_provider provider;
    int stream;
    enum story_strike strike;
    unsigned model_ms; /* time limit of a request; 0: the model's default */
};

/* The `arg` of each is a struct story. */

/* Ask, and be answered with text and two calls. */
int story_completion(struct rv_test *t, void *arg);
/* Ask an agent; the model wants two calls, gets their results and answers. */
int story_agent(struct rv_test *t, void *arg);
/* Eight calls that depend on each other, three at a time, one of them late, one failing. */
int story_batch(struct rv_test *t, void *arg);
/* The same calls, of which each is asked about 3 ms before the answer, one being refused, and whose
 * results are heard as they come. */
int story_asking(struct rv_test *t, void *arg);

/* Batches in which every step of a call's life is on: see story_steps.c. */
int story_steps(struct rv_test *t, void *arg);

/* List a folder and read its files by the built-in tools, one of them missing. */
int story_files(struct rv_test *t, void *arg);
/* Write and edit files by them, one of the edits finding nothing, and list what there is then. */
int story_edits(struct rv_test *t, void *arg);
/* Reading through an agent: the model wants a listing and a file, and answers. */
int story_file_agent(struct rv_test *t, void *arg);
/* Write a file, replace it, and read it back. */
int story_write(struct rv_test *t, void *arg);
/* Read, list and write what the modes of files allow, and what they do not. */
int story_modes(struct rv_test *t, void *arg);
/* Talk to a peer, and to some that do not talk. */
int story_stream(struct rv_test *t, void *arg);
/* Run a child that writes to both of its streams and exits with 3. */
int story_child(struct rv_test *t, void *arg);

/* "openai, streamed", … */
const char *story_name(const struct story *story);

#endif
