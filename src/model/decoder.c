/* SPDX-License-Identifier: MIT */
/* What the decoding of all formats has in common. */
#include <string.h>
#include <strings.h>

#include <reeve/error.h>

#include "model/codec.h"
#include "model/torn.h"

void rv_decoder_init(struct rv_decoder *decoder, const struct rv_codec *codec, struct rv_mem *mem,
                     struct rv_json_reader *reader, const struct rv_event_sink *sink,
                     size_t max_bytes)
{
    *decoder = (struct rv_decoder){.codec = codec, .reader = reader, .sink = *sink};
    rv_buffer_init(&decoder->scratch, mem, max_bytes);
    rv_buffer_init(&decoder->hidden, mem, SIZE_MAX - 1); /* bounded by what comes in */
    rv_buffer_init(&decoder->shown, mem, SIZE_MAX - 1);
}

void rv_decoder_done(struct rv_decoder *decoder)
{
    rv_buffer_done(&decoder->scratch);
    rv_buffer_done(&decoder->hidden);
    rv_buffer_done(&decoder->shown);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The end of a stream as OpenAI's servers mark it; no other format uses the text. */
static bool is_end_mark(const char *data, size_t len)
{
    static const char mark[] = "[DONE]";

    return len == sizeof mark - 1 && !memcmp(data, mark, len);
}

/* Text and arguments with the torn characters as the bytes that came. */
static int emit_torn(struct rv_decoder *decoder, const struct rv_event *event)
{
    struct rv_event shown = *event;
    const bool is_call = event->kind == RV_EVENT_CALL;
    int error;

    rv_buffer_clear(&decoder->shown);
    error = is_call
                ? rv_torn_show(&decoder->shown, event->call.arguments, event->call.arguments_len)
                : rv_torn_show(&decoder->shown, event->text, event->len);
    if (error)
        return error;
    if (is_call && event->call.arguments) {
        shown.call.arguments = rv_buffer_text(&decoder->shown);
        shown.call.arguments_len = decoder->shown.len;
    } else if (!is_call) {
        shown.text = rv_buffer_text(&decoder->shown);
        shown.len = decoder->shown.len;
    }
    return decoder->sink.event(&shown, decoder->sink.arg);
}

int rv_decoder_emit(struct rv_decoder *decoder, const struct rv_event *event)
{
    switch (event->kind) {
    case RV_EVENT_TEXT:
    case RV_EVENT_REASONING:
    case RV_EVENT_SIGNATURE:
    case RV_EVENT_SEALED:
    case RV_EVENT_CALL:
        if (decoder->torn)
            return emit_torn(decoder, event);
        break;
    case RV_EVENT_END:
        decoder->ended = true;
        break;
    case RV_EVENT_REASONING_END:
    case RV_EVENT_FINISH:
    case RV_EVENT_USAGE:
    case RV_EVENT_ERROR:
        break;
    }
    return decoder->sink.event(event, decoder->sink.arg);
}

static int parse(struct rv_decoder *decoder, const char *data, size_t len,
                 const struct reeve_json **ret_value)
{
    rv_json_reader_reset(decoder->reader);
    return rv_json_reader_parse(decoder->reader, data, len, ret_value);
}

static int parse_torn(struct rv_decoder *decoder, const char *data, size_t len,
                      const struct reeve_json **ret_value)
{
    int error;

    decoder->torn = true;
    rv_buffer_clear(&decoder->hidden);
    error = rv_torn_hide(&decoder->hidden, data, len);
    return error ? error : parse(decoder, decoder->hidden.data, decoder->hidden.len, ret_value);
}

/*
 * Torn bytes are no JSON to the reader, so that only what it refuses is looked through for them.
 * A torn surrogate it takes for a character: whatever has an escape is looked through before.
 */
static int decode(struct rv_decoder *decoder, const char *type, const char *data, size_t len)
{
    const struct reeve_json *value = NULL;
    int error;

    decoder->torn = false;
    if (memchr(data, '\\', len) && rv_torn_found(data, len)) {
        error = parse_torn(decoder, data, len, &value);
    } else {
        error = parse(decoder, data, len, &value);
        if (error == REEVE_EPARSE && rv_torn_found(data, len))
            error = parse_torn(decoder, data, len, &value);
    }
    return error ? error : decoder->codec->decode_event(decoder, type, value);
}

int rv_decoder_event(struct rv_decoder *decoder, const char *type, const char *data, size_t len)
{
    const struct rv_event end = {.kind = RV_EVENT_END};

    if (decoder->ended)
        return 0;
    while (len && is_space(data[0])) {
        data++;
        len--;
    }
    while (len && is_space(data[len - 1]))
        len--;
    if (!len)
        return 0;
    if (is_end_mark(data, len))
        return rv_decoder_emit(decoder, &end);
    return decode(decoder, type, data, len);
}

int rv_decoder_body(struct rv_decoder *decoder, const struct reeve_json *value)
{
    decoder->torn = false;
    return decoder->codec->decode_body(decoder, value);
}

int rv_decoder_finish(struct rv_decoder *decoder, const struct rv_finish_word *known, size_t count,
                      const char *reason)
{
    struct rv_event event = {.kind = RV_EVENT_FINISH, .finish = REEVE_FINISH_OTHER};

    for (size_t i = 0; i < count && reason; i++) {
        if (!strcasecmp(reason, known[i].reason)) {
            event.finish = known[i].finish;
            break;
        }
    }
    return rv_decoder_emit(decoder, &event);
}
