/* SPDX-License-Identifier: MIT */
/*
 * Responses in the format of Anthropic's Messages. Whatever is missing, null or of another type
 * than it should be counts as not said; only a body that holds nothing of a message is refused.
 * Events, blocks, deltas and fields of unknown kinds are skipped, and the deltas of an unknown
 * block with it.
 *
 * An event's kind is its "type"; the name of the server-sent event counts where there is none. A
 * call's pieces carry the number of their block as index, and model/assembly.c makes sense of it.
 */
#include <string.h>

#include <reeve/error.h>

#include "model/anthropic.h"
#include "model/pick.h"
#include "json/writer.h"

enum {
    EVENT_TYPE,
    EVENT_INDEX,
    EVENT_DELTA,
    EVENT_BLOCK,
    EVENT_MESSAGE,
    EVENT_USAGE,
    EVENT_ERROR,
    EVENT_KEYS
};
static const struct rv_key event_keys[EVENT_KEYS] = {
    [EVENT_TYPE] = RV_KEY("type"),       [EVENT_INDEX] = RV_KEY("index"),
    [EVENT_DELTA] = RV_KEY("delta"),     [EVENT_BLOCK] = RV_KEY("content_block"),
    [EVENT_MESSAGE] = RV_KEY("message"), [EVENT_USAGE] = RV_KEY("usage"),
    [EVENT_ERROR] = RV_KEY("error"),
};

/* Of deltas and of blocks: what they have in common has the same key. */
enum {
    PIECE_TYPE,
    PIECE_TEXT,
    PIECE_PARTIAL_JSON,
    PIECE_THINKING,
    PIECE_SIGNATURE,
    PIECE_DATA,
    PIECE_ID,
    PIECE_NAME,
    PIECE_INPUT,
    PIECE_KEYS
};
static const struct rv_key piece_keys[PIECE_KEYS] = {
    [PIECE_TYPE] = RV_KEY("type"),
    [PIECE_TEXT] = RV_KEY("text"),
    [PIECE_PARTIAL_JSON] = RV_KEY("partial_json"),
    [PIECE_THINKING] = RV_KEY("thinking"),
    [PIECE_SIGNATURE] = RV_KEY("signature"),
    [PIECE_DATA] = RV_KEY("data"),
    [PIECE_ID] = RV_KEY("id"),
    [PIECE_NAME] = RV_KEY("name"),
    [PIECE_INPUT] = RV_KEY("input"),
};

static bool is(const char *text, const char *wanted)
{
    return text && !strcmp(text, wanted);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* A block's number; of one without, as of all past the last bit, nothing much can be told. */
struct place {
    bool known;
    int64_t index;
};

static struct place place_of(const struct reeve_json *index)
{
    struct place place = {0};

    place.known = !reeve_json_int64(index, &place.index);
    return place;
}

static uint64_t *skip_word(struct rv_decoder *decoder, const struct place *place, uint64_t *ret_bit)
{
    const int64_t last = 64 * (int64_t)(sizeof decoder->skipped / sizeof *decoder->skipped) - 1;
    const int64_t bit = place->index < 0 || place->index > last ? last : place->index;

    *ret_bit = UINT64_C(1) << (bit % 64);
    return &decoder->skipped[bit / 64];
}

static bool is_skipped(struct rv_decoder *decoder, const struct place *place)
{
    uint64_t bit;

    return *skip_word(decoder, place, &bit) & bit;
}

static void set_skipped(struct rv_decoder *decoder, const struct place *place, bool skipped)
{
    uint64_t bit;
    uint64_t *word = skip_word(decoder, place, &bit);

    *word = skipped ? *word | bit : *word & ~bit;
}

/* The value if it is a text that is not empty, or nothing. */
static int emit_text(struct rv_decoder *decoder, enum rv_event_kind kind, const struct place *place,
                     const struct reeve_json *value)
{
    struct rv_event event = {.kind = kind, .block = place->index};

    event.text = reeve_json_string(value, &event.len);
    return event.len ? rv_decoder_emit(decoder, &event) : 0;
}

static int emit_mark(struct rv_decoder *decoder, enum rv_event_kind kind, const struct place *place)
{
    const struct rv_event event = {.kind = kind, .block = place->index, .text = "", .begins = true};

    return rv_decoder_emit(decoder, &event);
}

/* An input that stands in the block itself; `{}` only says that its pieces follow. */
static int take_input(struct rv_decoder *decoder, const struct reeve_json *input,
                      struct rv_call_piece *piece)
{
    struct rv_json_writer *writer;
    int error;

    if (reeve_json_type(input) == REEVE_JSON_STRING) {
        piece->arguments = reeve_json_string(input, &piece->arguments_len);
        return 0;
    }
    if (!reeve_json_count(input))
        return 0;
    rv_buffer_clear(&decoder->scratch);
    error = rv_json_writer_new(&decoder->scratch, &writer);
    if (error)
        return error;
    rv_json_value(writer, input);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    piece->arguments = rv_buffer_text(&decoder->scratch);
    piece->arguments_len = decoder->scratch.len;
    piece->whole = true;
    return error;
}

static int begin_call(struct rv_decoder *decoder, const struct place *place,
                      const struct reeve_json *const *block)
{
    struct rv_event event = {.kind = RV_EVENT_CALL};
    int error = take_input(decoder, block[PIECE_INPUT], &event.call);

    if (error)
        return error;
    event.call.has_index = place->known;
    event.call.index = place->index;
    event.call.id = reeve_json_string(block[PIECE_ID], NULL);
    event.call.name = reeve_json_string(block[PIECE_NAME], NULL);
    return rv_decoder_emit(decoder, &event);
}

static int continue_call(struct rv_decoder *decoder, const struct place *place,
                         const struct reeve_json *partial_json)
{
    struct rv_event event = {.kind = RV_EVENT_CALL};

    event.call.has_index = place->known;
    event.call.index = place->index;
    event.call.arguments = reeve_json_string(partial_json, &event.call.arguments_len);
    return event.call.arguments_len ? rv_decoder_emit(decoder, &event) : 0;
}

static int begin_reasoning(struct rv_decoder *decoder, const struct place *place,
                           const struct reeve_json *const *block)
{
    int error = emit_mark(decoder, RV_EVENT_REASONING, place);

    if (!error)
        error = emit_text(decoder, RV_EVENT_REASONING, place, block[PIECE_THINKING]);
    if (!error)
        error = emit_text(decoder, RV_EVENT_SIGNATURE, place, block[PIECE_SIGNATURE]);
    return error;
}

/* The beginning of a block, or all of it. */
static int decode_block(struct rv_decoder *decoder, const struct place *place,
                        const struct reeve_json *value)
{
    const struct reeve_json *block[PIECE_KEYS];
    const char *type;

    rv_pick(value, piece_keys, PIECE_KEYS, block);
    type = reeve_json_string(block[PIECE_TYPE], NULL);
    set_skipped(decoder, place, false);
    if (is(type, "text"))
        return emit_text(decoder, RV_EVENT_TEXT, place, block[PIECE_TEXT]);
    if (is(type, "tool_use"))
        return begin_call(decoder, place, block);
    if (is(type, "thinking"))
        return begin_reasoning(decoder, place, block);
    if (is(type, "redacted_thinking"))
        return emit_text(decoder, RV_EVENT_SEALED, place, block[PIECE_DATA]);
    set_skipped(decoder, place, true);
    return 0;
}

static int decode_delta(struct rv_decoder *decoder, const struct place *place,
                        const struct reeve_json *value)
{
    const struct reeve_json *delta[PIECE_KEYS];
    const char *type;

    if (is_skipped(decoder, place))
        return 0;
    rv_pick(value, piece_keys, PIECE_KEYS, delta);
    type = reeve_json_string(delta[PIECE_TYPE], NULL);
    if (is(type, "text_delta"))
        return emit_text(decoder, RV_EVENT_TEXT, place, delta[PIECE_TEXT]);
    if (is(type, "input_json_delta"))
        return continue_call(decoder, place, delta[PIECE_PARTIAL_JSON]);
    if (is(type, "thinking_delta"))
        return emit_text(decoder, RV_EVENT_REASONING, place, delta[PIECE_THINKING]);
    if (is(type, "signature_delta"))
        return emit_text(decoder, RV_EVENT_SIGNATURE, place, delta[PIECE_SIGNATURE]);
    return 0;
}

/* ---- usage and finish ------------------------------------------------------------------------ */

/* A count that is said replaces what was said of it before. */
static void take_count(const struct reeve_json *usage, const char *key, uint64_t *count)
{
    int64_t said;

    if (!reeve_json_int64(reeve_json_get(usage, key), &said) && said >= 0)
        *count = (uint64_t)said;
}

static void take_written(const struct reeve_json *usage, struct reeve_usage *sum)
{
    const struct reeve_json *parts = rv_if_object(reeve_json_get(usage, "cache_creation"));

    if (parts) {
        sum->cache_write_1h_tokens = rv_get_count(parts, "ephemeral_1h_input_tokens");
        sum->cache_write_tokens =
            sum->cache_write_1h_tokens + rv_get_count(parts, "ephemeral_5m_input_tokens");
    }
    take_count(usage, "cache_creation_input_tokens", &sum->cache_write_tokens);
}

/* What is told is cumulative, but each event tells only some of it. */
static int decode_usage(struct rv_decoder *decoder, const struct reeve_json *usage)
{
    struct rv_event event = {.kind = RV_EVENT_USAGE};
    struct reeve_usage *sum = &decoder->usage;

    if (!rv_if_object(usage) || !reeve_json_count(usage))
        return 0;
    take_count(usage, "input_tokens", &decoder->uncached_tokens);
    take_count(usage, "cache_read_input_tokens", &sum->cached_tokens);
    take_count(usage, "output_tokens", &sum->output_tokens);
    take_written(usage, sum);
    sum->input_tokens = decoder->uncached_tokens + sum->cached_tokens + sum->cache_write_tokens;
    sum->reported = 1;
    event.usage = *sum;
    return rv_decoder_emit(decoder, &event);
}

static const struct rv_finish_word finish_words[] = {
    {"end_turn", REEVE_FINISH_STOP},
    {"tool_use", REEVE_FINISH_TOOL_CALLS},
    {"max_tokens", REEVE_FINISH_LENGTH},
    {"stop_sequence", REEVE_FINISH_STOP},
    {"pause_turn", REEVE_FINISH_PAUSED},
    {"refusal", REEVE_FINISH_FILTER},
    {"model_context_window_exceeded", REEVE_FINISH_CONTEXT},
};

static int emit_finish(struct rv_decoder *decoder, const char *reason)
{
    return rv_decoder_finish(decoder, finish_words, sizeof finish_words / sizeof *finish_words,
                             reason);
}

static int decode_finish(struct rv_decoder *decoder, const struct reeve_json *message)
{
    const char *reason = rv_get_text(message, "stop_reason", NULL);

    return reason ? emit_finish(decoder, reason) : 0;
}

static int emit_error(struct rv_decoder *decoder, const struct reeve_json *value)
{
    const struct rv_event event = {.kind = RV_EVENT_ERROR, .error = value};

    return rv_decoder_emit(decoder, &event);
}

/* ---- messages -------------------------------------------------------------------------------- */

static int decode_content(struct rv_decoder *decoder, const struct reeve_json *content)
{
    struct place place = {.known = true};
    size_t count = reeve_json_type(content) == REEVE_JSON_ARRAY ? reeve_json_count(content) : 0;
    int error = emit_text(decoder, RV_EVENT_TEXT, &place, content);

    for (; (size_t)place.index < count && !error; place.index++) {
        const struct reeve_json *block = reeve_json_at(content, (size_t)place.index);

        error = decode_block(decoder, &place, block);
    }
    return error;
}

/* A message, with whatever of it is there already. */
static int decode_message(struct rv_decoder *decoder, const struct reeve_json *message)
{
    int error = decode_content(decoder, reeve_json_get(message, "content"));

    if (!error)
        error = decode_finish(decoder, message);
    return error ? error : decode_usage(decoder, reeve_json_get(message, "usage"));
}

/* Usage stands beside the delta; within it where a server means well. */
static int decode_message_delta(struct rv_decoder *decoder, const struct reeve_json *const *event)
{
    int error = decode_finish(decoder, event[EVENT_DELTA]);

    if (!error)
        error = decode_usage(decoder, reeve_json_get(event[EVENT_DELTA], "usage"));
    return error ? error : decode_usage(decoder, event[EVENT_USAGE]);
}

static int emit_end(struct rv_decoder *decoder)
{
    const struct rv_event event = {.kind = RV_EVENT_END};

    return rv_decoder_emit(decoder, &event);
}

static bool tells_error(const char *type, const struct reeve_json *error)
{
    size_t len = 0;

    return is(type, "error") || (reeve_json_string(error, &len) && len) || reeve_json_count(error);
}

int rv_anthropic_decode_event(struct rv_decoder *decoder, const char *type,
                              const struct reeve_json *value)
{
    const struct reeve_json *event[EVENT_KEYS];
    const char *own_type;
    struct place place;

    rv_pick(value, event_keys, EVENT_KEYS, event);
    own_type = reeve_json_string(event[EVENT_TYPE], NULL);
    type = own_type ? own_type : type;
    place = place_of(event[EVENT_INDEX]);
    if (is(type, "content_block_delta"))
        return decode_delta(decoder, &place, event[EVENT_DELTA]);
    if (tells_error(type, event[EVENT_ERROR]))
        return emit_error(decoder, value);
    if (is(type, "content_block_start"))
        return decode_block(decoder, &place, event[EVENT_BLOCK]);
    if (is(type, "content_block_stop"))
        return emit_mark(decoder, RV_EVENT_REASONING_END, &place);
    if (is(type, "message_start"))
        return decode_message(decoder, event[EVENT_MESSAGE]);
    if (is(type, "message_delta"))
        return decode_message_delta(decoder, event);
    return is(type, "message_stop") ? emit_end(decoder) : 0;
}

int rv_anthropic_decode_body(struct rv_decoder *decoder, const struct reeve_json *value)
{
    const struct reeve_json *event[EVENT_KEYS];
    const char *type;
    int error;

    if (reeve_json_type(value) == REEVE_JSON_ARRAY)
        value = reeve_json_at(value, 0);
    rv_pick(value, event_keys, EVENT_KEYS, event);
    type = reeve_json_string(event[EVENT_TYPE], NULL);
    if (tells_error(type, event[EVENT_ERROR]))
        return emit_error(decoder, value);
    switch (reeve_json_type(reeve_json_get(value, "content"))) {
    case REEVE_JSON_STRING:
    case REEVE_JSON_ARRAY:
        break;
    default:
        return REEVE_EPROTOCOL;
    }
    error = decode_message(decoder, value);
    /* The body is whole, whether it names a reason or not. */
    if (error || rv_get_text(value, "stop_reason", NULL))
        return error;
    return emit_finish(decoder, NULL);
}
