/* SPDX-License-Identifier: MIT */
/* The demo's folder: a few notes, one of which holds a word that is made up afresh each time. */
#ifndef AGENT_DEMO_H
#define AGENT_DEMO_H

#include <stdbool.h>

#include <reeve/message.h>

struct demo {
    char root[4096]; /* "" once it is gone */
    char word[16];
    const char *hidden_in;
};

/* Make it. false: why not was told on stderr. */
bool demo_make(struct demo *demo);
const char *demo_prompt(void);

/* Whether the last message of the conversation holds the word. */
bool demo_found(const struct demo *demo, const struct reeve_transcript *transcript);

/* Remove the folder and what was put into it. */
void demo_remove(struct demo *demo);

#endif
