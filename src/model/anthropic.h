/* SPDX-License-Identifier: MIT */
/* The two halves of the codec for Anthropic's Messages and the servers compatible with it. */
#ifndef RV_MODEL_ANTHROPIC_H
#define RV_MODEL_ANTHROPIC_H

#include "model/codec.h"

int rv_anthropic_encode_tools(const struct reeve_tool_definition *tools, size_t count,
                              struct rv_json_reader *reader, struct rv_buffer *out);
int rv_anthropic_encode_begin(const struct rv_request *request, struct rv_buffer *out);
int rv_anthropic_encode_add(const struct rv_request *request, struct rv_encode_cursor *cursor,
                            struct rv_json_reader *reader, struct rv_buffer *out);
int rv_anthropic_encode_end(const struct rv_request *request, const struct rv_encode_cursor *cursor,
                            struct rv_buffer *out);

int rv_anthropic_decode_event(struct rv_decoder *decoder, const char *type,
                              const struct reeve_json *value);
int rv_anthropic_decode_body(struct rv_decoder *decoder, const struct reeve_json *value);

#endif
