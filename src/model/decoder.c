/* SPDX-License-Identifier: MIT */
/* What the decoding of all formats has in common. */
#include <string.h>

#include <reeve/error.h>

#include "model/codec.h"

void rv_decoder_init(struct rv_decoder *decoder, const struct rv_codec *codec, struct rv_mem *mem,
                     struct rv_json_reader *reader, const struct rv_event_sink *sink,
                     size_t max_bytes)
{
    *decoder = (struct rv_decoder){.codec = codec, .reader = reader, .sink = *sink};
    rv_buffer_init(&decoder->scratch, mem, max_bytes);
}

void rv_decoder_done(struct rv_decoder *decoder)
{
    rv_buffer_done(&decoder->scratch);
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

int rv_decoder_emit(struct rv_decoder *decoder, const struct rv_event *event)
{
    if (event->kind == RV_EVENT_END)
        decoder->ended = true;
    return decoder->sink.event(event, decoder->sink.arg);
}

int rv_decoder_event(struct rv_decoder *decoder, const char *type, const char *data, size_t len)
{
    const struct rv_event end = {.kind = RV_EVENT_END};
    const struct reeve_json *value;
    int error;

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
    rv_json_reader_reset(decoder->reader);
    error = rv_json_reader_parse(decoder->reader, data, len, &value);
    return error ? error : decoder->codec->decode_event(decoder, type, value);
}

int rv_decoder_body(struct rv_decoder *decoder, const struct reeve_json *value)
{
    return decoder->codec->decode_body(decoder, value);
}
