/* SPDX-License-Identifier: MIT */
/*
 * Models and completions. A model is one model behind one endpoint; a completion is one request to
 * it and its response.
 */
#ifndef REEVE_MODEL_H
#define REEVE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/error.h>
#include <reeve/message.h>
#include <reeve/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_model;
struct reeve_completion;

enum reeve_provider {
    REEVE_PROVIDER_OPENAI = 0, /* chat completions, of OpenAI and of the many compatible servers */
    REEVE_PROVIDER_ANTHROPIC,  /* Messages, of Anthropic and of the servers compatible with it */
};

struct reeve_model_options {
    size_t size; /* set by reeve_model_options_init */
    enum reeve_provider provider;
    /* Up to and without "/chat/completions" [https://api.openai.com/v1] or, of Anthropic, without
     * "/v1/messages" [https://api.anthropic.com]. */
    const char *base_url;
    const char *name;               /* the model's name at the provider; required */
    const char *api_key;            /* NULL or "": no key is sent */
    double temperature;             /* [NaN: not sent] */
    uint32_t max_output_tokens;     /* [0: not sent; to Anthropic, which must be told one, 4096] */
    uint32_t connect_timeout_ms;    /* until the connection stands, with TLS; [10000] */
    uint32_t first_byte_timeout_ms; /* from then to the first byte of the response; [120000] */
    uint32_t idle_timeout_ms;       /* silence between bytes; [120000] */
    uint32_t timeout_ms;            /* the whole completion; [600000] */
    size_t max_response_bytes;      /* of one response as sent by the server; [64 MiB] */

    /* OpenAI-compatible servers: send the model's reasoning back with its messages
     * ("reasoning_content"), as some servers want and others refuse; [0]. To Anthropic what it
     * signed always goes back, and nothing else does. */
    int send_reasoning;
    /* A JSON object whose members are added to each request as they are, for what has no option
     * here: {"thinking":{"type":"enabled","budget_tokens":2048}}, {"reasoning_effort":"low"}.
     * [NULL] */
    const char *extra;
};

/* Fill `options` with the defaults that stand in brackets above. For the time limits 0 means none.
 */
#define reeve_model_options_init(o) reeve_model_options_init_size((o), sizeof *(o))
void reeve_model_options_init_size(struct reeve_model_options *options, size_t size);

/*
 * Make a model. Nothing is sent and nothing is looked up. All texts are copied.
 * Returns 0; REEVE_EINVAL (no name; a base URL that is not http:// or https://, or that carries a
 * user name, a query or a fragment; an unknown provider; a key with a control character or a
 * space, or of more than 8192 bytes; an infinite temperature; max_response_bytes 0; an `extra` that
 * is not a JSON object, or that holds "messages", "model", "stream", "system" or "tools");
 * REEVE_ECLOSING; REEVE_ENOMEM.
 */
int reeve_model_new(struct reeve_runtime *runtime, const struct reeve_model_options *options,
                    struct reeve_model **ret_model);

/* Free a model. Its pending completions are cancelled; their callbacks run before this returns. */
void reeve_model_free(struct reeve_model *model);

/* The name and the base URL it was made with, the latter without slashes at its end. */
const char *reeve_model_name(const struct reeve_model *model);
const char *reeve_model_base_url(const struct reeve_model *model);

/* What a model is told about a tool. `parameters` is a JSON Schema, as JSON text. */
struct reeve_tool_definition {
    const char *name;
    const char *description;
    const char *parameters;
};

/* Tokens as the provider counted them. `reported` is 0 if the response told nothing. */
struct reeve_usage {
    uint64_t input_tokens;       /* of the whole prompt, cached ones included */
    uint64_t cached_tokens;      /* the part of them that the provider's prompt cache served */
    uint64_t cache_write_tokens; /* the part of them that was written to it */
    uint64_t output_tokens;      /* of the answer, reasoning included */
    uint64_t reasoning_tokens;
    int reported;
    uint64_t cache_write_1h_tokens; /* the part of cache_write_tokens that is kept for an hour */
};

enum reeve_finish {
    REEVE_FINISH_NONE = 0,   /* the answer did not come to its end */
    REEVE_FINISH_STOP,       /* the model had said what it wanted */
    REEVE_FINISH_TOOL_CALLS, /* it waits for the results of its calls */
    REEVE_FINISH_LENGTH,     /* the limit on output tokens cut it */
    REEVE_FINISH_FILTER,     /* the provider's content filter cut it */
    REEVE_FINISH_OTHER,      /* a reason unknown to us */
    REEVE_FINISH_PAUSED,     /* the provider took a break: asked again, it goes on */
    REEVE_FINISH_CONTEXT,    /* the model's context window is full, which cut it */
};

/* "stop", "tool_calls", …; static text. */
const char *reeve_finish_name(enum reeve_finish finish);

enum reeve_tool_choice {
    REEVE_TOOL_CHOICE_AUTO = 0, /* the model decides */
    REEVE_TOOL_CHOICE_NONE,     /* no tool is called */
    REEVE_TOOL_CHOICE_REQUIRED, /* one at least is */
    REEVE_TOOL_CHOICE_NAMED,    /* the one that is named */
};

struct reeve_completion_options {
    size_t size;                               /* set by reeve_completion_options_init */
    const struct reeve_transcript *transcript; /* required, valid (reeve_transcript_check) */
    const struct reeve_tool_definition *tools; /* copied */
    size_t tool_count;
    int stream;                 /* [1] */
    double temperature;         /* [NaN: the model's] */
    uint32_t max_output_tokens; /* [0: the model's] */

    /* A piece of the answer's text, whole UTF-8 characters, as it comes. May be NULL. */
    void (*on_text)(struct reeve_completion *completion, const char *text, size_t len, void *arg);

    /*
     * The end, exactly once, from the loop: 0, or what went wrong (reeve_completion_error has the
     * rest): REEVE_ECANCELED, REEVE_ETIMEDOUT, REEVE_ERESOLVE, REEVE_ECONNECT, REEVE_ETLS,
     * REEVE_ECONNLOST, REEVE_EHTTP, REEVE_EPROTOCOL, REEVE_ECUTSHORT, REEVE_EPROVIDER,
     * REEVE_ETOOBIG, REEVE_ENOMEM. The completion may be read in the callback and dies after it.
     */
    void (*on_done)(struct reeve_completion *completion, int error, void *arg);
    void *arg;

    /* A piece of what the model thinks before it answers, as on_text. May be NULL. */
    void (*on_reasoning)(struct reeve_completion *completion, const char *text, size_t len,
                         void *arg);
    double top_p;            /* [NaN: not sent] */
    int64_t seed;            /* [-1: not sent]; Anthropic knows none, and is not sent it */
    const char *const *stop; /* texts at which the model stops, each not empty */
    size_t stop_count;
    enum reeve_tool_choice tool_choice; /* [auto]; without tools it is not sent */
    const char *tool_choice_name;       /* with REEVE_TOOL_CHOICE_NAMED */
    int parallel_calls;                 /* 0: at most one call in an answer; [1] */
    /* A JSON Schema (an object, as JSON text) that the answer's text is to follow, and a name for
     * it, which OpenAI wants ["answer"]. NULL: none. */
    const char *response_schema;
    const char *response_schema_name;
};

/* Fill `options` with the defaults, which stand in brackets above. */
#define reeve_completion_options_init(o) reeve_completion_options_init_size((o), sizeof *(o))
void reeve_completion_options_init_size(struct reeve_completion_options *options, size_t size);

/*
 * Ask the model. The transcript's messages are held, not copied.
 * Returns 0; REEVE_EINVAL (no on_done; an empty or invalid transcript; a tool without a name, or
 * whose parameters are not a JSON object; an infinite temperature or top_p; a tool choice that is
 * unknown or lacks its name; an empty stop text; a schema that is not a JSON object); REEVE_ETOOBIG
 * (tools of more
 * than 256 MiB); REEVE_ECLOSING; REEVE_ENOMEM. If it fails, no callback comes.
 */
int reeve_complete(struct reeve_model *model, const struct reeve_completion_options *options,
                   struct reeve_completion **ret_completion);

/* End it early: on_done comes later, with REEVE_ECANCELED. Once it is over, or twice: no effect. */
void reeve_completion_cancel(struct reeve_completion *completion);

/*
 * Stop and restart what comes: after a pause neither on_text nor on_reasoning comes, nor the end of
 * an answer that went well, until it is resumed; what arrives meanwhile waits in a bounded buffer,
 * and then the server does. A cancel and the limit on the whole completion end it all the same, and
 * so does a failure where nothing is left to be told. Once it is over, or twice: no effect.
 */
void reeve_completion_pause(struct reeve_completion *completion);
void reeve_completion_resume(struct reeve_completion *completion);

/* The text so far, NUL-terminated, never NULL. ret_len may be NULL. */
const char *reeve_completion_text(const struct reeve_completion *completion, size_t *ret_len);

/*
 * The calls that the model asked for; none before on_done, none of a completion that failed and
 * none of an answer that the content filter cut, so that a call cut short is never run (an answer
 * cut by REEVE_FINISH_LENGTH may end in one). Every id is there and unique: what the server left
 * out is made up. The arguments are as the model wrote them, valid UTF-8; what is no JSON object
 * goes back to the model as {"invalid_json": "…"}, since servers refuse anything else.
 */
const struct reeve_call *reeve_completion_calls(const struct reeve_completion *completion,
                                                size_t *ret_count);

/* Why the answer ended, and what it took; the latter never NULL. */
enum reeve_finish reeve_completion_finish(const struct reeve_completion *completion);
const struct reeve_usage *reeve_completion_usage(const struct reeve_completion *completion);

/* What went wrong; NULL if nothing did. */
const struct reeve_error_detail *reeve_completion_error(const struct reeve_completion *completion);

#ifdef __cplusplus
}
#endif
#endif
