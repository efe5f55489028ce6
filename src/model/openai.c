/* SPDX-License-Identifier: MIT */
/* The codec for OpenAI's chat completions and the servers compatible with it. */
#include "model/openai.h"

const struct rv_codec rv_codec_openai = {
    .name = "openai",
    .wire = RV_WIRE_OPENAI,
    .path = "/chat/completions",
    .key_header = "Authorization",
    .key_prefix = "Bearer ",
    .encode_tools = rv_openai_encode_tools,
    .encode_begin = rv_openai_encode_begin,
    .encode_add = rv_openai_encode_add,
    .encode_end = rv_openai_encode_end,
    .decode_event = rv_openai_decode_event,
    .decode_body = rv_openai_decode_body,
};
