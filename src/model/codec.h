/* SPDX-License-Identifier: MIT */
/*
 * The seam between completions and the providers' wire formats. A codec is pure: a request becomes
 * bytes, parsed JSON becomes events; it knows no loop and no HTTP, keeps no clock and draws no
 * random number, so that equal requests are equal bytes.
 *
 * A request's body is made in three steps, so that the work can be sliced: begin writes everything
 * but the messages, which are the last member of the body; add writes messages; end closes.
 * What a message becomes depends on it alone, and is kept with it.
 */
#ifndef RV_MODEL_CODEC_H
#define RV_MODEL_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "chat/transcript.h"
#include "model/call_piece.h"
#include "json/reader.h"

#include <reeve/model.h>

/* JSON is trusted: whoever fills this has checked it. */
struct rv_request {
    const char *model;
    const struct rv_snapshot *messages;
    const char *tools_json; /* what encode_tools made; NULL: none */
    size_t tools_json_len;
    double temperature;         /* NaN: not sent */
    uint32_t max_output_tokens; /* 0: not sent */
    bool own_host;              /* the provider's own server, not a compatible one */
    bool stream;
    bool send_reasoning;
    bool one_call; /* no parallel calls */
    double top_p;  /* NaN: not sent */
    bool has_seed;
    int64_t seed;
    const char *const *stop;
    size_t stop_count;
    enum reeve_tool_choice tool_choice;
    const char *tool_choice_name;
    const char *schema; /* a JSON object; NULL: none */
    const char *schema_name;
    const char *extra; /* members that are added, a comma before each; NULL: none */
};

/* How far the messages are written. */
struct rv_encode_cursor {
    size_t next;          /* the next message */
    enum reeve_role open; /* whose content goes on; UNKNOWN: nobody's */
};

enum rv_event_kind {
    RV_EVENT_TEXT,      /* text: a piece of the answer, which may begin or end inside a character */
    RV_EVENT_REASONING, /* text: a piece of what the model thought before; block, begins */
    RV_EVENT_SIGNATURE, /* text: a piece of what proves it to be the provider's; block */
    RV_EVENT_REASONING_END, /* this block of it is whole; block */
    RV_EVENT_SEALED,        /* text: a block of it that only the provider can read, whole */
    RV_EVENT_CALL,          /* call */
    RV_EVENT_FINISH,        /* finish: the answer is complete; usage may still follow */
    RV_EVENT_USAGE,         /* usage: in all, replaces an earlier one */
    RV_EVENT_ERROR,         /* error: the provider gave up */
    RV_EVENT_END,           /* nothing more will come */
};

struct rv_event {
    enum rv_event_kind kind;
    const char *text;
    size_t len;
    int64_t block; /* of reasoning: which one; where a format numbers none, 0 */
    bool begins;   /* a block of reasoning begins, also if one with its number is there */
    struct rv_call_piece call;
    enum reeve_finish finish;
    struct reeve_usage usage;
    const struct reeve_json *error;
};

/*
 * Where events go. Returning anything but 0 ends the decoding with that. What an event points to
 * lives for the call.
 */
struct rv_event_sink {
    int (*event)(const struct rv_event *event, void *arg);
    void *arg;
};

/* What the decoding of one response knows. */
struct rv_decoder {
    const struct rv_codec *codec;
    struct rv_json_reader *reader;
    struct rv_event_sink sink;
    struct rv_buffer scratch; /* arguments that came as an object, made text */
    struct rv_buffer hidden;  /* an event's data with torn characters hidden (model/torn.h) */
    struct rv_buffer shown;   /* a text of it with them shown */
    bool torn;                /* this event's */
    bool ended;               /* RV_EVENT_END was given: what follows is not looked at */
    /* Of formats that send them in parts: */
    struct reeve_usage usage; /* so far */
    uint64_t uncached_tokens;
    uint64_t skipped[4]; /* a bit for each block that is of no known kind; the last: of all more */
};

struct rv_codec {
    const char *name;
    enum rv_wire wire;
    const char *path;          /* behind the base URL */
    const char *key_header;    /* the header field that carries the key … */
    const char *key_prefix;    /* … behind this */
    const char *version_field; /* a header field that each request has; NULL: none */
    const char *version;

    /* The tools member's value. 0; REEVE_EINVAL (parameters that are not a JSON object, a tool
     * without a name); REEVE_ETOOBIG; REEVE_ENOMEM. `reader` is for the codec to use. */
    int (*encode_tools)(const struct reeve_tool_definition *tools, size_t count,
                        struct rv_json_reader *reader, struct rv_buffer *out);
    /* 0; REEVE_EINVAL (a temperature that is no number); REEVE_ETOOBIG; REEVE_ENOMEM. */
    int (*encode_begin)(const struct rv_request *request, struct rv_buffer *out);
    /* The message at cursor->next, which is moved behind it. */
    int (*encode_add)(const struct rv_request *request, struct rv_encode_cursor *cursor,
                      struct rv_json_reader *reader, struct rv_buffer *out);
    int (*encode_end)(const struct rv_request *request, const struct rv_encode_cursor *cursor,
                      struct rv_buffer *out);

    /* One event of a stream, and the body of an answer that was not streamed. 0;
     * REEVE_EPROTOCOL (JSON, but nothing of this format); REEVE_ENOMEM; what the sink returned. */
    int (*decode_event)(struct rv_decoder *decoder, const char *type,
                        const struct reeve_json *value);
    int (*decode_body)(struct rv_decoder *decoder, const struct reeve_json *value);
};

/* No request is larger. */
#define RV_MAX_REQUEST_BYTES ((size_t)256 << 20)

extern const struct rv_codec rv_codec_openai;
extern const struct rv_codec rv_codec_anthropic;

/* The reader is borrowed. */
void rv_decoder_init(struct rv_decoder *decoder, const struct rv_codec *codec, struct rv_mem *mem,
                     struct rv_json_reader *reader, const struct rv_event_sink *sink,
                     size_t max_bytes);
void rv_decoder_done(struct rv_decoder *decoder);

/*
 * The data of one server-sent event. 0; REEVE_EPARSE (not JSON); REEVE_EPROTOCOL; REEVE_ETOOBIG;
 * REEVE_ENOMEM; what the sink returned.
 */
int rv_decoder_event(struct rv_decoder *decoder, const char *type, const char *data, size_t len);

/* The body of an answer that was not streamed, as the reader parsed it. */
int rv_decoder_body(struct rv_decoder *decoder, const struct reeve_json *value);

/* For codecs: hand on an event. Its texts are as they were read. */
int rv_decoder_emit(struct rv_decoder *decoder, const struct rv_event *event);

/* A format's word for why an answer ended, in whatever case of letters. */
struct rv_finish_word {
    const char *reason;
    enum reeve_finish finish;
};

/* For codecs: hand on why the answer ended. NULL and words that are not known: another reason. */
int rv_decoder_finish(struct rv_decoder *decoder, const struct rv_finish_word *known, size_t count,
                      const char *reason);

#endif
