/* SPDX-License-Identifier: MIT */
/*
 * Responses in the format of OpenAI's chat completions, and in what the compatible servers make of
 * it. Whatever is missing, null or of another type than it should be counts as not said; only a
 * body that holds nothing of an answer is refused.
 *
 * Seen, and taken: deltas whose message stands in "message"; content as a list of parts; reasoning
 * in "reasoning_content" or "reasoning"; a single tool call that is not in a list; name and
 * arguments without "function" around them; arguments as an object; the old "function_call"; usage
 * in each chunk, in the choice, or under "x_groq"; errors as text, as an object, in a list, under
 * "detail", or spread over the top level with "object": "error".
 */
#include <string.h>

#include <reeve/error.h>

#include "model/openai.h"
#include "model/pick.h"
#include "json/writer.h"

static enum reeve_json_type type_of(const struct reeve_json *value)
{
    return reeve_json_type(value);
}

enum { CHUNK_CHOICES, CHUNK_USAGE, CHUNK_ERROR, CHUNK_OBJECT, CHUNK_GROQ, CHUNK_KEYS };
static const struct rv_key chunk_keys[CHUNK_KEYS] = {
    [CHUNK_CHOICES] = RV_KEY("choices"), [CHUNK_USAGE] = RV_KEY("usage"),
    [CHUNK_ERROR] = RV_KEY("error"),     [CHUNK_OBJECT] = RV_KEY("object"),
    [CHUNK_GROQ] = RV_KEY("x_groq"),
};

enum { CHOICE_DELTA, CHOICE_MESSAGE, CHOICE_FINISH, CHOICE_USAGE, CHOICE_KEYS };
static const struct rv_key choice_keys[CHOICE_KEYS] = {
    [CHOICE_DELTA] = RV_KEY("delta"),
    [CHOICE_MESSAGE] = RV_KEY("message"),
    [CHOICE_FINISH] = RV_KEY("finish_reason"),
    [CHOICE_USAGE] = RV_KEY("usage"),
};

enum {
    MESSAGE_CONTENT,
    MESSAGE_REFUSAL,
    MESSAGE_REASONING_CONTENT,
    MESSAGE_REASONING,
    MESSAGE_TOOL_CALLS,
    MESSAGE_FUNCTION_CALL,
    MESSAGE_KEYS
};
static const struct rv_key message_keys[MESSAGE_KEYS] = {
    [MESSAGE_CONTENT] = RV_KEY("content"),
    [MESSAGE_REFUSAL] = RV_KEY("refusal"),
    [MESSAGE_REASONING_CONTENT] = RV_KEY("reasoning_content"),
    [MESSAGE_REASONING] = RV_KEY("reasoning"),
    [MESSAGE_TOOL_CALLS] = RV_KEY("tool_calls"),
    [MESSAGE_FUNCTION_CALL] = RV_KEY("function_call"),
};

/* A member that is an object, or NULL. */
static const struct reeve_json *get_object(const struct reeve_json *value, const char *key)
{
    return rv_if_object(reeve_json_get(value, key));
}

/* ---- text ------------------------------------------------------------------------------------ */

static int emit_text(struct rv_decoder *decoder, enum rv_event_kind kind, const char *text,
                     size_t len)
{
    const struct rv_event event = {.kind = kind, .text = text, .len = len};

    return len ? rv_decoder_emit(decoder, &event) : 0;
}

/* The value if it is a text, or nothing. */
static int emit_value(struct rv_decoder *decoder, enum rv_event_kind kind,
                      const struct reeve_json *value)
{
    size_t len = 0;
    const char *text = reeve_json_string(value, &len);

    return text ? emit_text(decoder, kind, text, len) : 0;
}

/* One part of a content that is a list: a text, or an object with one. */
static int decode_part(struct rv_decoder *decoder, const struct reeve_json *part)
{
    const struct reeve_json *thinking = reeve_json_get(part, "thinking");
    size_t len = 0;
    const char *text = reeve_json_string(part, &len);
    size_t i;
    int error = 0;

    if (text)
        return emit_text(decoder, RV_EVENT_TEXT, text, len);
    if (type_of(thinking) == REEVE_JSON_STRING)
        return emit_value(decoder, RV_EVENT_REASONING, thinking);
    for (i = 0; i < reeve_json_count(thinking) && !error; i++)
        error = emit_value(decoder, RV_EVENT_REASONING,
                           reeve_json_get(reeve_json_at(thinking, i), "text"));
    if (error)
        return error;
    return emit_value(decoder, RV_EVENT_TEXT, reeve_json_get(part, "text"));
}

static int decode_content(struct rv_decoder *decoder, const struct reeve_json *content)
{
    size_t len = 0;
    const char *text = reeve_json_string(content, &len);
    size_t i;
    int error = 0;

    if (text)
        return emit_text(decoder, RV_EVENT_TEXT, text, len);
    if (type_of(content) == REEVE_JSON_OBJECT)
        return decode_part(decoder, content);
    for (i = 0; i < reeve_json_count(content) && !error; i++)
        error = decode_part(decoder, reeve_json_at(content, i));
    return error;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* Arguments that came as a value and not as text are made text. */
static int take_arguments(struct rv_decoder *decoder, const struct reeve_json *arguments,
                          struct rv_call_piece *piece)
{
    struct rv_json_writer *writer;
    int error;

    if (type_of(arguments) != REEVE_JSON_OBJECT && type_of(arguments) != REEVE_JSON_ARRAY) {
        piece->arguments = reeve_json_string(arguments, &piece->arguments_len);
        return 0;
    }
    rv_buffer_clear(&decoder->scratch);
    error = rv_json_writer_new(&decoder->scratch, &writer);
    if (error)
        return error;
    rv_json_value(writer, arguments);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    piece->arguments = rv_buffer_text(&decoder->scratch);
    piece->arguments_len = decoder->scratch.len;
    piece->whole = true;
    return error;
}

static int decode_function(struct rv_decoder *decoder, const struct reeve_json *function,
                           struct rv_event *event)
{
    int error = take_arguments(decoder, reeve_json_get(function, "arguments"), &event->call);

    if (error)
        return error;
    event->call.name = reeve_json_string(reeve_json_get(function, "name"), NULL);
    return rv_decoder_emit(decoder, event);
}

static int decode_call(struct rv_decoder *decoder, const struct reeve_json *call)
{
    struct rv_event event = {.kind = RV_EVENT_CALL};
    const struct reeve_json *function = get_object(call, "function");

    if (type_of(call) != REEVE_JSON_OBJECT)
        return 0;
    event.call.has_index = !reeve_json_int64(reeve_json_get(call, "index"), &event.call.index);
    event.call.id = reeve_json_string(reeve_json_get(call, "id"), NULL);
    return decode_function(decoder, function ? function : call, &event);
}

static int decode_calls(struct rv_decoder *decoder, const struct reeve_json *calls)
{
    size_t i;
    int error = 0;

    if (type_of(calls) == REEVE_JSON_OBJECT)
        return decode_call(decoder, calls);
    for (i = 0; i < reeve_json_count(calls) && !error; i++)
        error = decode_call(decoder, reeve_json_at(calls, i));
    return error;
}

static int decode_old_call(struct rv_decoder *decoder, const struct reeve_json *function)
{
    struct rv_event event = {.kind = RV_EVENT_CALL};

    return function ? decode_function(decoder, function, &event) : 0;
}

/* ---- usage and finish ------------------------------------------------------------------------ */

static int decode_usage(struct rv_decoder *decoder, const struct reeve_json *usage)
{
    const struct reeve_json *input, *output;
    struct rv_event event = {.kind = RV_EVENT_USAGE};
    struct reeve_usage *count = &event.usage;

    if (!usage)
        return 0;
    input = reeve_json_get(usage, "prompt_tokens_details");
    output = reeve_json_get(usage, "completion_tokens_details");
    count->reported = 1;
    count->input_tokens = rv_get_count(usage, "prompt_tokens");
    count->output_tokens = rv_get_count(usage, "completion_tokens");
    count->cached_tokens = rv_get_count(input, "cached_tokens");
    if (!count->cached_tokens)
        count->cached_tokens = rv_get_count(usage, "prompt_cache_hit_tokens");
    count->cache_write_tokens = rv_get_count(input, "cache_write_tokens");
    count->reasoning_tokens = rv_get_count(output, "reasoning_tokens");
    return rv_decoder_emit(decoder, &event);
}

static const struct rv_finish_word finish_words[] = {
    {"stop", REEVE_FINISH_STOP},
    {"tool_calls", REEVE_FINISH_TOOL_CALLS},
    {"length", REEVE_FINISH_LENGTH},
    {"content_filter", REEVE_FINISH_FILTER},
    {"function_call", REEVE_FINISH_TOOL_CALLS},
    {"tool_use", REEVE_FINISH_TOOL_CALLS},
    {"max_tokens", REEVE_FINISH_LENGTH},
    {"end_turn", REEVE_FINISH_STOP},
    {"eos", REEVE_FINISH_STOP},
    {"eos_token", REEVE_FINISH_STOP},
    {"stop_sequence", REEVE_FINISH_STOP},
};

static int emit_finish(struct rv_decoder *decoder, const char *reason)
{
    return rv_decoder_finish(decoder, finish_words, sizeof finish_words / sizeof *finish_words,
                             reason);
}

static int decode_finish(struct rv_decoder *decoder, const struct reeve_json *reason)
{
    size_t len = 0;
    const char *text = reeve_json_string(reason, &len);

    return len ? emit_finish(decoder, text) : 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A message, or the part of one that is new. */
static int decode_message(struct rv_decoder *decoder, const struct reeve_json *message)
{
    const struct reeve_json *member[MESSAGE_KEYS];
    const struct reeve_json *reasoning;
    int error;

    rv_pick(message, message_keys, MESSAGE_KEYS, member);
    /* Servers that send both names send the same text in both. */
    reasoning = member[MESSAGE_REASONING_CONTENT];
    if (type_of(reasoning) != REEVE_JSON_STRING)
        reasoning = member[MESSAGE_REASONING];
    error = emit_value(decoder, RV_EVENT_REASONING, reasoning);
    if (!error)
        error = decode_content(decoder, member[MESSAGE_CONTENT]);
    if (!error)
        error = emit_value(decoder, RV_EVENT_TEXT, member[MESSAGE_REFUSAL]);
    if (!error)
        error = decode_calls(decoder, member[MESSAGE_TOOL_CALLS]);
    if (!error)
        error = decode_old_call(decoder, rv_if_object(member[MESSAGE_FUNCTION_CALL]));
    return error;
}

/* The first of the choices; a server that sends more than were asked for is not followed there. */
static const struct reeve_json *first_choice(const struct reeve_json *choices)
{
    const struct reeve_json *choice;
    int64_t index;
    size_t i;

    if (type_of(choices) == REEVE_JSON_OBJECT)
        return choices;
    for (i = 0; i < reeve_json_count(choices); i++) {
        choice = reeve_json_at(choices, i);
        if (reeve_json_int64(reeve_json_get(choice, "index"), &index) || !index)
            return choice;
    }
    return NULL;
}

/* Something that says what went wrong: `"error": null`, "" and {} say nothing. */
static bool tells_error(const struct reeve_json *error)
{
    size_t len = 0;

    if (reeve_json_string(error, &len))
        return len > 0;
    return reeve_json_count(error) > 0;
}

static bool is_error(const char *type, const struct reeve_json *const *chunk)
{
    const char *object = reeve_json_string(chunk[CHUNK_OBJECT], NULL);

    return tells_error(chunk[CHUNK_ERROR]) || !strcmp(type, "error") ||
           (object && !strcmp(object, "error"));
}

static int emit_error(struct rv_decoder *decoder, const struct reeve_json *value)
{
    const struct rv_event event = {.kind = RV_EVENT_ERROR, .error = value};

    return rv_decoder_emit(decoder, &event);
}

/* What stands in the choice, and the usage wherever it stands; `message` is the choice's. */
static int decode_choice(struct rv_decoder *decoder, const struct reeve_json *const *chunk,
                         const struct reeve_json *const *choice, const struct reeve_json *message)
{
    const struct reeve_json *usage = rv_if_object(chunk[CHUNK_USAGE]);
    int error = decode_message(decoder, message);

    if (!usage)
        usage = rv_if_object(choice[CHOICE_USAGE]);
    if (!usage)
        usage = get_object(chunk[CHUNK_GROQ], "usage");
    if (!error)
        error = decode_finish(decoder, choice[CHOICE_FINISH]);
    if (!error)
        error = decode_usage(decoder, usage);
    return error;
}

int rv_openai_decode_event(struct rv_decoder *decoder, const char *type,
                           const struct reeve_json *value)
{
    const struct reeve_json *chunk[CHUNK_KEYS], *choice[CHOICE_KEYS];
    const struct reeve_json *message;

    rv_pick(value, chunk_keys, CHUNK_KEYS, chunk);
    if (is_error(type, chunk))
        return emit_error(decoder, value);
    rv_pick(first_choice(chunk[CHUNK_CHOICES]), choice_keys, CHOICE_KEYS, choice);
    message = rv_if_object(choice[CHOICE_DELTA]);
    if (!message)
        message = rv_if_object(choice[CHOICE_MESSAGE]);
    return decode_choice(decoder, chunk, choice, message);
}

int rv_openai_decode_body(struct rv_decoder *decoder, const struct reeve_json *value)
{
    const struct reeve_json *chunk[CHUNK_KEYS], *choice[CHOICE_KEYS];
    const struct reeve_json *message;
    size_t reason_len = 0;
    int error;

    rv_pick(type_of(value) == REEVE_JSON_ARRAY ? reeve_json_at(value, 0) : value, chunk_keys,
            CHUNK_KEYS, chunk);
    if (is_error("", chunk))
        return emit_error(decoder, value);
    rv_pick(first_choice(chunk[CHUNK_CHOICES]), choice_keys, CHOICE_KEYS, choice);
    message = rv_if_object(choice[CHOICE_MESSAGE]);
    if (!message)
        message = rv_if_object(choice[CHOICE_DELTA]);
    if (!message)
        return REEVE_EPROTOCOL;
    error = decode_choice(decoder, chunk, choice, message);
    /* The body is whole, whether it names a reason or not. */
    (void)reeve_json_string(choice[CHOICE_FINISH], &reason_len);
    return error || reason_len ? error : emit_finish(decoder, NULL);
}
