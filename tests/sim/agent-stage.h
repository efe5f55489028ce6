/* SPDX-License-Identifier: MIT */
/*
 * An agent on the simulated world, with two tools, a provider that speaks by script, and what its
 * host hears of it.
 */
#ifndef RV_TESTS_SIM_AGENT_STAGE_H
#define RV_TESTS_SIM_AGENT_STAGE_H

#include <reeve.h>

#include "loop/timer.h"
#include "tests/lib/test.h"
#include "tests/sim/dialect.h"
#include "tests/sim/http.h"

extern enum reeve_provider stage_provider; /* whom stage_open makes a model of */

/* Each test runs with both providers. */
#define BOTH(name, ...)                                                                            \
    static void name##_with(struct rv_test *t);                                                    \
    RV_TEST(agent, name, ##__VA_ARGS__)                                                            \
    {                                                                                              \
        for (stage_provider = 0; stage_provider < DIALECTS; stage_provider++)                      \
            name##_with(t);                                                                        \
    }                                                                                              \
    static void name##_with(struct rv_test *t)

enum { TOOL_MS = 10, MAX_EVENTS = 32 };

struct stage {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct reeve_model *model;
    struct reeve_toolbox *tools;
    struct reeve_agent *agent;
    struct reeve_agent_options options;

    char text[512];
    size_t text_len;
    unsigned done;
    struct reeve_run run;
    struct reeve_error_detail detail;
    unsigned starts, ends, running, peak;
    enum reeve_call_status ended[MAX_EVENTS];
    const struct reeve_tool_event *event;           /* while in_tool runs */
    uint64_t question;                              /* the last one that was asked */
    char asked[64];                                 /* the ids of the calls that were asked about */
    const struct reeve_permission_request *request; /* of that question */
    char output[64];                                /* what calls wrote */
    void (*in_text)(struct stage *stage);
    void (*in_tool)(struct stage *stage);
    void (*in_permission)(struct stage *stage);
    void (*in_done)(struct stage *stage);
    struct rv_timer later;
    void (*in_later)(struct stage *stage);
};

/* Answer with a stream of these pieces (dialect.h), NULL at the end. */
void stage_say(struct rv_sim_http_exchange *exchange, const char *const *pieces);

/* Answers: two calls of `slow` that may run together; … */
void stage_two_calls(struct rv_sim_http_exchange *exchange, void *arg);
void stage_talk_call(struct rv_sim_http_exchange *exchange, void *arg);
void stage_cut_calls(struct rv_sim_http_exchange *exchange, void *arg);
void stage_odd_calls(struct rv_sim_http_exchange *exchange, void *arg);
void stage_answer(struct rv_sim_http_exchange *exchange, void *arg);
void stage_long_answer(struct rv_sim_http_exchange *exchange, void *arg);
void stage_torn_answer(struct rv_sim_http_exchange *exchange, void *arg);
void stage_server_error(struct rv_sim_http_exchange *exchange, void *arg);

/* The n-th request is answered by the n-th of these. */
void stage_script(struct stage *stage, rv_sim_http_responder first, rv_sim_http_responder second);

/* A runtime with a model of stage_provider and the tools `slow` (takes TOOL_MS, reads the thing
 * "clock"), `quick`, and `talk` (writes in pieces, takes TOOL_MS); the options of an agent, which
 * may be changed before stage_make_agent. 0 or a code. */
int stage_open(struct stage *stage, struct rv_test *t);
void stage_close(struct stage *stage);
void stage_make_agent(struct stage *stage);

/* What the host does when a run has ended; reeve_agent_options.on_done. */
void stage_on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg);

/* Notes the question and has in_permission called; reeve_agent_options.on_permission, if a test
 * wants to be asked. */
void stage_on_permission(struct reeve_agent *agent, const struct reeve_permission_request *request,
                         void *arg);

/* It is valid. */
void stage_check_transcript(const struct stage *stage);

/* Send "Do it." and run the loop until nothing is pending. */
void stage_run(struct stage *stage);

/* Of the agent's transcript. */
const struct reeve_message *stage_message(const struct stage *stage, size_t index);

#endif
