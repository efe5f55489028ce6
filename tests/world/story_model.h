/* SPDX-License-Identifier: MIT */
/* The model of a story, in a world that is made for it. */
#ifndef RV_TESTS_WORLD_STORY_MODEL_H
#define RV_TESTS_WORLD_STORY_MODEL_H

#include "tests/world/story.h"
#include "tests/world/world.h"

/* Open a world that answers so, and a model of the story's provider in it. 0, or why there is no
 * model; what is there then is to be closed and freed all the same. */
int story_model_open(struct rv_test *t, const struct story *story, rv_world_serve_fn serve,
                     void *arg, struct rv_world **ret_world, struct reeve_model **ret_model);

#endif
