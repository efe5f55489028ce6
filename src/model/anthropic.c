/* SPDX-License-Identifier: MIT */
/* The codec for Anthropic's Messages and the servers compatible with it. */
#include "model/anthropic.h"

const struct rv_codec rv_codec_anthropic = {
    .name = "anthropic",
    .wire = RV_WIRE_ANTHROPIC,
    .path = "/v1/messages",
    .key_header = "x-api-key",
    .key_prefix = "",
    .version_field = "anthropic-version",
    .version = "2023-06-01",
    .encode_tools = rv_anthropic_encode_tools,
    .encode_begin = rv_anthropic_encode_begin,
    .encode_add = rv_anthropic_encode_add,
    .encode_end = rv_anthropic_encode_end,
    .decode_event = rv_anthropic_decode_event,
    .decode_body = rv_anthropic_decode_body,
};
