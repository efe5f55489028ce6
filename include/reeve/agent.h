/* SPDX-License-Identifier: MIT */
/*
 * The agent: a conversation with a model that uses tools. It asks the model, runs the tool calls
 * that it wants, gives it the results, and again, until the model stops or a limit is reached. At
 * every stop the transcript is valid.
 */
#ifndef REEVE_AGENT_H
#define REEVE_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/message.h>
#include <reeve/model.h>
#include <reeve/tool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_agent;

/* Why a run ended. */
enum reeve_stop_reason {
    REEVE_STOP_NONE = 0,
    REEVE_STOP_DONE,       /* the model had said what it wanted */
    REEVE_STOP_LENGTH,     /* the answer was cut by the limit on output tokens */
    REEVE_STOP_FILTER,     /* the answer was cut by the provider's content filter */
    REEVE_STOP_TURNS,      /* max_turns reached */
    REEVE_STOP_TOOL_CALLS, /* max_tool_calls reached */
    REEVE_STOP_CANCELED,
    REEVE_STOP_ERROR,  /* struct reeve_run has it */
    REEVE_STOP_TOKENS, /* max_tokens reached */
    REEVE_STOP_TIME,   /* max_duration_ms reached */
};

/* "done", "turns", …; static text. */
const char *reeve_stop_reason_name(enum reeve_stop_reason reason);

/* What a run came to. */
struct reeve_run {
    enum reeve_stop_reason stop_reason;
    int error;                               /* 0 unless stop_reason is REEVE_STOP_ERROR */
    const struct reeve_error_detail *detail; /* NULL unless the model's request failed */
    uint32_t turns;
    uint32_t tool_calls; /* that were run */
    uint32_t failed_tool_calls;
    struct reeve_usage usage; /* the sum over the turns */
    uint64_t duration_us;
    uint32_t refused_tool_calls; /* of the failed ones: the host did not permit them */
};

enum reeve_tool_event_kind {
    REEVE_TOOL_STARTED = 0,
    REEVE_TOOL_OUTPUT,  /* more of its result, as the tool writes it */
    REEVE_TOOL_ENDED,   /* it has its result; of a call that never ran, this is the only event */
    REEVE_TOOL_RETRIED, /* it has failed in a way that may pass, and is tried again after wait_ms;
                           its output so far is void */
};

/* What happens to a tool call. Texts live for the callback. */
struct reeve_tool_event {
    const struct reeve_call *call;
    const struct reeve_result *result; /* NULL unless the kind is REEVE_TOOL_ENDED */
    uint64_t at_us;                    /* since the run began */
    enum reeve_tool_event_kind kind;
    const char *output; /* REEVE_TOOL_OUTPUT: valid UTF-8, whole characters, no NUL behind it; */
    size_t output_len;  /* otherwise NULL and 0 */
    uint32_t wait_ms;   /* REEVE_TOOL_RETRIED */
};

/*
 * May this call run? What is in here may be read until the question is answered or void, which it
 * is when on_tool has told the end of the call, or on_done that of the run.
 */
struct reeve_permission_request {
    uint64_t question;                  /* never the same twice for one agent; never 0 */
    const struct reeve_call *call;      /* as the model wrote it */
    const struct reeve_json *arguments; /* as the tool will get them; an object */
    enum reeve_effect effect;           /* of this call */
    const struct reeve_claim *claims;   /* what it touches; none: see reeve_tool_call_claims */
    size_t claim_count;
};

struct reeve_agent_options {
    size_t size; /* set by reeve_agent_options_init */
    struct reeve_model *model;
    struct reeve_toolbox *tools;  /* NULL: none */
    const char *system;           /* NULL: no system message */
    uint32_t max_turns;           /* completions in one run; [50]; 0: no limit */
    uint32_t max_tool_calls;      /* in one run; [100]; 0: no limit */
    uint32_t max_concurrency;     /* of the tool calls of one turn; [5] */
    enum reeve_grouping grouping; /* [hazards] */
    uint32_t tool_timeout_ms;     /* for each call; [60000] */
    size_t max_tool_output_bytes; /* of each result; [256 KiB] */
    void *context;                /* for the tools */
    int stream;                   /* [1] */

    /* A piece of the model's answer, whole UTF-8 characters, as it comes. May be NULL. */
    void (*on_text)(struct reeve_agent *agent, const char *text, size_t len, void *arg);
    /* A call starts, writes, or has ended. May be NULL. */
    void (*on_tool)(struct reeve_agent *agent, const struct reeve_tool_event *event, void *arg);
    /*
     * The end of a run, once for each reeve_agent_send that returned 0. The agent may be given new
     * work, or be freed, inside.
     */
    void (*on_done)(struct reeve_agent *agent, const struct reeve_run *run, void *arg);
    void *arg;

    /*
     * Tokens in one run, input and output of all its completions together; [0: no limit]. A run
     * that has used as many asks no further completion. Providers that report no usage are not
     * limited by it.
     */
    uint64_t max_tokens;
    uint32_t max_duration_ms; /* of one run, tools and open questions included; [0: no limit] */

    /*
     * NULL: every call may run. Else it is answered by reeve_agent_permit, here or later. Questions
     * come one at a time, in the order of the calls, about calls whose tool and arguments are good;
     * calls that were allowed run meanwhile. The agent may be cancelled, steered or freed inside.
     */
    void (*on_permission)(struct reeve_agent *agent, const struct reeve_permission_request *request,
                          void *arg);

    /* As in reeve/batch.h: whether results of earlier calls may answer later ones, and whose. The
     * text is copied. [0] [NULL] */
    int skip_tool_cache;
    const char *cache_scope;
};

/* Fill `options` with the defaults, which stand in brackets above. */
#define reeve_agent_options_init(o) reeve_agent_options_init_size((o), sizeof *(o))
void reeve_agent_options_init_size(struct reeve_agent_options *options, size_t size);

/*
 * Make an agent with an empty transcript (but for the system message). The model and the toolbox
 * must outlive it. Returns 0; REEVE_EINVAL (no model, no on_done, max_concurrency 0);
 * REEVE_ECLOSING; REEVE_ENOMEM.
 */
int reeve_agent_new(struct reeve_runtime *runtime, const struct reeve_agent_options *options,
                    struct reeve_agent **ret_agent);

/* Free an agent. A run in progress is cancelled; its on_done runs before this returns. */
void reeve_agent_free(struct reeve_agent *agent);

/*
 * Give the agent a user message (NUL-terminated, copied) and start a run.
 * Returns 0; REEVE_EBUSY (a run is in progress); REEVE_EINVAL (an empty text); REEVE_ECLOSING;
 * REEVE_ENOMEM. If it fails, nothing was added and no callback comes.
 */
int reeve_agent_send(struct reeve_agent *agent, const char *text);

/*
 * Put in a word while a run is in progress: the text (NUL-terminated, copied) becomes a user
 * message after all results of the turn that is under way, and the model is asked again if it would
 * have stopped there. What is said several times in one turn becomes one message, with a blank line
 * between. If the run ends before (a limit, an error, a cancel), the message stands at the end of
 * the transcript.
 * Returns 0; REEVE_EINVAL (an empty text); REEVE_ENOTFOUND (no run is in progress: that is what
 * reeve_agent_send is for); REEVE_ECANCELED (the run has been cancelled and is about to end);
 * REEVE_ETOOBIG (over 1 MiB in one turn); REEVE_ENOMEM. If it fails, nothing was added.
 */
int reeve_agent_steer(struct reeve_agent *agent, const char *text);

/*
 * Answer the open question of that number. No effect if it is answered or void already, so that an
 * answer that comes late is never taken for another call. A refused call gets a result that gives
 * the reason, for the model (NULL: none; copied), and the run goes on. REEVE_PERMISSION_ALWAYS is
 * remembered as long as the agent lives; reeve_batch_permit tells which calls it covers.
 */
void reeve_agent_permit(struct reeve_agent *agent, uint64_t question, enum reeve_permission answer,
                        const char *reason);

/* End the run in progress: on_done comes later, with REEVE_STOP_CANCELED. No run: no effect. */
void reeve_agent_cancel(struct reeve_agent *agent);

/* The conversation so far. Valid (reeve_transcript_check) whenever no run is in progress. */
const struct reeve_transcript *reeve_agent_transcript(const struct reeve_agent *agent);

#ifdef __cplusplus
}
#endif
#endif
