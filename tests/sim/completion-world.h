/* SPDX-License-Identifier: MIT */
/*
 * A place to try completions in: a runtime on the simulated loop, a scripted network, one model,
 * one conversation, and a record of what the host heard.
 */
#ifndef RV_TESTS_SIM_COMPLETION_WORLD_H
#define RV_TESTS_SIM_COMPLETION_WORLD_H

#include "base/buffer.h"
#include "tests/lib/test.h"
#include "tests/sim/http.h"
#include "tests/sim/sim.h"

#include <reeve/model.h>

/* Pieces of a stream. Texts are JSON text already. */
#define DATA(json) "data: " json "\n\n"
#define TEXT(text) DATA("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}")
#define CALL(index, id, name, arguments)                                                           \
    DATA("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":" index ",\"id\":\"" id \
         "\",\"type\":\"function\",\"function\":{\"name\":\"" name "\",\"arguments\":\"" arguments \
         "\"}}]}}]}")
#define FINISH(reason)                                                                             \
    DATA("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]}")
#define USAGE(in, out)                                                                             \
    DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":" in ",\"completion_tokens\":" out "}}")
#define DONE "data: [DONE]\n\n"

#define WORLD_URL "http://model.test/v1/chat/completions"

struct world {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct reeve_model *model;
    struct reeve_transcript *transcript;
    struct reeve_model_options model_options;
    struct reeve_completion_options options;
    struct reeve_completion *completion; /* NULL once on_done has come */

    struct rv_buffer text; /* what on_text told */
    unsigned pieces;       /* how often */
    unsigned done;         /* times that on_done came */
    int error;
    bool has_detail;
    struct reeve_error_detail detail;
    struct reeve_usage usage;
    enum reeve_finish finish;
    size_t calls;
    char call_text[1024];   /* id|name|arguments; of each */
    struct rv_buffer final; /* reeve_completion_text at the end */

    const char *script; /* for responders */
    int number;

    /* Called inside the callbacks. */
    void (*in_text)(struct world *world);
    void (*in_done)(struct world *world);
};

/* Set the options' defaults; world_open uses model_options. 0 or a code: of what could not be made.
 */
void world_init(struct world *world, struct rv_test *t);
int world_open(struct world *world);
void world_close(struct world *world);

/* reeve_complete with the world's options. */
int world_ask(struct world *world);

/* Ask, run the loop until nothing is pending, and see that on_done came once. Returns its error. */
int world_run(struct world *world);

/* Answer all requests with this body, in one piece. */
void world_reply(struct world *world, int status, const char *type, const char *body);

#endif
