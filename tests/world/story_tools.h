/* SPDX-License-Identifier: MIT */
/* The tools of the stories: each does what its arguments say, in the world's time. */
#ifndef RV_TESTS_WORLD_STORY_TOOLS_H
#define RV_TESTS_WORLD_STORY_TOOLS_H

#include <reeve/tool.h>

/*
 * "slow" (a read), "set" (a write) and "odd" (of unknown effect). {"ms": 20} finishes after so long
 * [10], {"fail": true} badly, {"say": true} says so as it goes; a cancel ends it at once. 0 or
 * REEVE_ENOMEM.
 */
int story_tools_add(struct reeve_toolbox *toolbox, struct reeve_runtime *runtime);

/* From here on a call that is told no time waits for a second one, and gives up after 5 s. */
void story_tools_in_pairs(void);
/* How many calls were running at once, at most, since the tools were added. */
unsigned story_tools_most(void);

#endif
