/* SPDX-License-Identifier: MIT */
/*
 * What a model says, told once, and put into either provider's stream. A script is pieces, one
 * behind the other; texts in them are JSON text already.
 */
#ifndef RV_TESTS_SIM_DIALECT_H
#define RV_TESTS_SIM_DIALECT_H

#include <reeve/model.h>

#include "tests/sim/http.h"

#define SAY_TEXT(text) "\1T" text
#define SAY_REASONING(text, signature) "\1R" text "\2" signature
#define SAY_CALL(index, id, name, arguments) "\1C" index "\2" id "\2" name "\2" arguments
#define SAY_FINISH(reason) "\1F" reason /* as OpenAI names it */
#define SAY_USAGE(in, out) "\1U" in "\2" out
#define SAY_ERROR(type, message) "\1E" type "\2" message
#define SAY_DONE "\1D"

#define DIALECTS 2 /* providers */

/* The stream as text; the caller frees it with free(). */
char *dialect_stream(enum reeve_provider provider, const char *script);

/* The same as one body: texts joined, calls, reasoning, finish and usage. Freed with free(). */
char *dialect_body(enum reeve_provider provider, const char *script);

/* The body of an error. Freed with free(). */
char *dialect_error(enum reeve_provider provider, const char *type, const char *message);

/* Where the provider's requests go, with a base URL of http://model.test (and /v1 at OpenAI's). */
const char *dialect_base_url(enum reeve_provider provider);
const char *dialect_url(enum reeve_provider provider);

/* Send the pieces as the stream of whom was asked. */
void dialect_say(struct rv_sim_http_exchange *exchange, const char *script);
enum reeve_provider dialect_of(const struct rv_sim_http_exchange *exchange);

#endif
