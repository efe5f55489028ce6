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
#include <strings.h>

#include <reeve/error.h>

#include "model/openai.h"
#include "json/writer.h"

static enum reeve_json_type type_of(const struct reeve_json *value)
{
    return reeve_json_type(value);
}

/*
 * The members that are wanted of an object, in one walk over it: of an event there are more keys to
 * ask for than members. Of duplicate keys the last one counts.
 */
struct key {
    const char *text;
    size_t len;
};

#define KEY(text)                                                                                  \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static void pick(const struct reeve_json *value, const struct key *keys, size_t count,
                 const struct reeve_json **ret_members)
{
    const size_t members = type_of(value) == REEVE_JSON_OBJECT ? reeve_json_count(value) : 0;
    const char *key;
    size_t len = 0;
    size_t i, k;

    memset(ret_members, 0, count * sizeof *ret_members);
    for (i = 0; i < members; i++) {
        key = reeve_json_key_at(value, i, &len);
        for (k = 0; k < count; k++)
            if (keys[k].len == len && keys[k].text[0] == key[0] && !memcmp(keys[k].text, key, len))
                ret_members[k] = reeve_json_at(value, i);
    }
}

enum { CHUNK_CHOICES, CHUNK_USAGE, CHUNK_ERROR, CHUNK_OBJECT, CHUNK_GROQ, CHUNK_KEYS };
static const struct key chunk_keys[CHUNK_KEYS] = {
    [CHUNK_CHOICES] = KEY("choices"), [CHUNK_USAGE] = KEY("usage"), [CHUNK_ERROR] = KEY("error"),
    [CHUNK_OBJECT] = KEY("object"),   [CHUNK_GROQ] = KEY("x_groq"),
};

enum { CHOICE_DELTA, CHOICE_MESSAGE, CHOICE_FINISH, CHOICE_USAGE, CHOICE_KEYS };
static const struct key choice_keys[CHOICE_KEYS] = {
    [CHOICE_DELTA] = KEY("delta"),
    [CHOICE_MESSAGE] = KEY("message"),
    [CHOICE_FINISH] = KEY("finish_reason"),
    [CHOICE_USAGE] = KEY("usage"),
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
static const struct key message_keys[MESSAGE_KEYS] = {
    [MESSAGE_CONTENT] = KEY("content"),
    [MESSAGE_REFUSAL] = KEY("refusal"),
    [MESSAGE_REASONING_CONTENT] = KEY("reasoning_content"),
    [MESSAGE_REASONING] = KEY("reasoning"),
    [MESSAGE_TOOL_CALLS] = KEY("tool_calls"),
    [MESSAGE_FUNCTION_CALL] = KEY("function_call"),
};

/* The value if it is an object, or NULL. */
static const struct reeve_json *if_object(const struct reeve_json *value)
{
    return type_of(value) == REEVE_JSON_OBJECT ? value : NULL;
}

/* A member that is an object, or NULL. */
static const struct reeve_json *get_object(const struct reeve_json *value, const char *key)
{
    return if_object(reeve_json_get(value, key));
}

/* A member that is a text and not an empty one, or NULL. */
static const char *get_text(const struct reeve_json *value, const char *key, size_t *ret_len)
{
    size_t len = 0;
    const char *text = reeve_json_string(reeve_json_get(value, key), &len);

    if (!text || !len)
        return NULL;
    if (ret_len)
        *ret_len = len;
    return text;
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

static uint64_t get_count(const struct reeve_json *value, const char *key)
{
    int64_t count = 0;

    if (reeve_json_int64(reeve_json_get(value, key), &count) || count < 0)
        return 0;
    return (uint64_t)count;
}

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
    count->input_tokens = get_count(usage, "prompt_tokens");
    count->output_tokens = get_count(usage, "completion_tokens");
    count->cached_tokens = get_count(input, "cached_tokens");
    if (!count->cached_tokens)
        count->cached_tokens = get_count(usage, "prompt_cache_hit_tokens");
    count->cache_write_tokens = get_count(input, "cache_write_tokens");
    count->reasoning_tokens = get_count(output, "reasoning_tokens");
    return rv_decoder_emit(decoder, &event);
}

static enum reeve_finish finish_of(const char *reason)
{
    static const struct {
        const char *reason;
        enum reeve_finish finish;
    } known[] = {
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
    size_t i;

    for (i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(reason, known[i].reason))
            return known[i].finish;
    return REEVE_FINISH_OTHER;
}

static int emit_finish(struct rv_decoder *decoder, enum reeve_finish finish)
{
    const struct rv_event event = {.kind = RV_EVENT_FINISH, .finish = finish};

    return rv_decoder_emit(decoder, &event);
}

static int decode_finish(struct rv_decoder *decoder, const struct reeve_json *reason)
{
    size_t len = 0;
    const char *text = reeve_json_string(reason, &len);

    return len ? emit_finish(decoder, finish_of(text)) : 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A message, or the part of one that is new. */
static int decode_message(struct rv_decoder *decoder, const struct reeve_json *message)
{
    const struct reeve_json *member[MESSAGE_KEYS];
    const struct reeve_json *reasoning;
    int error;

    pick(message, message_keys, MESSAGE_KEYS, member);
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
        error = decode_old_call(decoder, if_object(member[MESSAGE_FUNCTION_CALL]));
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
    const struct reeve_json *usage = if_object(chunk[CHUNK_USAGE]);
    int error = decode_message(decoder, message);

    if (!usage)
        usage = if_object(choice[CHOICE_USAGE]);
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

    pick(value, chunk_keys, CHUNK_KEYS, chunk);
    if (is_error(type, chunk))
        return emit_error(decoder, value);
    pick(first_choice(chunk[CHUNK_CHOICES]), choice_keys, CHOICE_KEYS, choice);
    message = if_object(choice[CHOICE_DELTA]);
    if (!message)
        message = if_object(choice[CHOICE_MESSAGE]);
    return decode_choice(decoder, chunk, choice, message);
}

int rv_openai_decode_body(struct rv_decoder *decoder, const struct reeve_json *value)
{
    const struct reeve_json *chunk[CHUNK_KEYS], *choice[CHOICE_KEYS];
    const struct reeve_json *message;
    size_t reason_len = 0;
    int error;

    pick(type_of(value) == REEVE_JSON_ARRAY ? reeve_json_at(value, 0) : value, chunk_keys,
         CHUNK_KEYS, chunk);
    if (is_error("", chunk))
        return emit_error(decoder, value);
    pick(first_choice(chunk[CHUNK_CHOICES]), choice_keys, CHOICE_KEYS, choice);
    message = if_object(choice[CHOICE_MESSAGE]);
    if (!message)
        message = if_object(choice[CHOICE_DELTA]);
    if (!message)
        return REEVE_EPROTOCOL;
    error = decode_choice(decoder, chunk, choice, message);
    /* The body is whole, whether it names a reason or not. */
    (void)reeve_json_string(choice[CHOICE_FINISH], &reason_len);
    return error || reason_len ? error : emit_finish(decoder, REEVE_FINISH_OTHER);
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* A text, or a number as its text. */
static const char *get_word(const struct reeve_json *value, const char *key)
{
    const struct reeve_json *member = reeve_json_get(value, key);
    const char *text = get_text(value, key, NULL);

    return text ? text : reeve_json_number_text(member, NULL);
}

static bool take_message(const struct reeve_json *value, const char *key,
                         struct rv_provider_error *ret_error)
{
    const char *text = get_text(value, key, &ret_error->message_len);

    if (text)
        ret_error->message = text;
    return text != NULL;
}

/* The object that tells of the error, however deep it was packed. */
static const struct reeve_json *unpack(const struct reeve_json *value, const char **ret_key)
{
    static const char *const keys[] = {"error", "errors", "detail"};
    unsigned depth;
    size_t i;

    *ret_key = NULL;
    for (depth = 0; depth < 4; depth++) {
        if (type_of(value) == REEVE_JSON_ARRAY)
            value = reeve_json_at(value, 0);
        for (i = 0; i < sizeof keys / sizeof *keys; i++)
            if (reeve_json_count(reeve_json_get(value, keys[i])))
                break;
        if (i == sizeof keys / sizeof *keys)
            break;
        value = reeve_json_get(value, keys[i]);
        *ret_key = keys[i];
    }
    if (type_of(value) == REEVE_JSON_ARRAY)
        value = reeve_json_at(value, 0);
    return value;
}

void rv_openai_decode_error(const struct reeve_json *value, struct rv_provider_error *ret_error)
{
    static const char *const names[] = {"message",       "error", "detail", "msg",
                                        "error_message", "title", "reason"};
    const struct reeve_json *error;
    const char *key;
    size_t i;

    *ret_error = (struct rv_provider_error){0};
    error = unpack(value, &key);
    ret_error->message = reeve_json_string(error, &ret_error->message_len);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (take_message(error, names[i], ret_error))
            break;
    ret_error->type = get_word(error, "type");
    if (!ret_error->type)
        ret_error->type = get_text(error, "status", NULL);
    ret_error->code = get_word(error, "code");
    ret_error->request_id = get_text(value, "request_id", NULL);
}
