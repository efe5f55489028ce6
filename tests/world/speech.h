/* SPDX-License-Identifier: MIT */
/* What the scripted model says, in each provider's wire format, streamed and whole. */
#ifndef RV_TESTS_WORLD_SPEECH_H
#define RV_TESTS_WORLD_SPEECH_H

#include "tests/world/world.h"

#include <reeve/model.h>

/* The base URL behind the server's for this provider. */
const char *speech_base(enum reeve_provider provider);

/* "Let me look. ", and two calls of the tool "slow" with {"n":1} and {"n":"é\n2"}. */
void speech_calls(struct rv_answer *answer, enum reeve_provider provider, int stream);

/* "All good: naïve ✓." */
void speech_answer(struct rv_answer *answer, enum reeve_provider provider, int stream);

/* The provider's own words for an overloaded server, under the status that it uses for that. */
void speech_overloaded(struct rv_answer *answer, enum reeve_provider provider);

#endif
