/* SPDX-License-Identifier: MIT */
/*
 * Anthropic's Messages format. A request is checked as strictly as the real server does and then
 * put into the words of the other format, in which the script thinks; what comes out of it is
 * written as Messages again. Pure.
 */
#ifndef MS_SERVER_ANTHROPIC_H
#define MS_SERVER_ANTHROPIC_H

#include "reply.h"

/* As ms_request_parse; the request is one of MS_WIRE_ANTHROPIC. */
int ms_anthropic_parse(const char *body, size_t len, struct ms_request *ret_request,
                       struct ms_error *ret_error);

/* As ms_reply_next of a reply of MS_WIRE_ANTHROPIC, but that it may append nothing. */
void ms_anthropic_stream_step(struct ms_reply *reply, struct ms_text *out);
void ms_anthropic_whole(struct ms_reply *reply, struct ms_text *out);

#define MS_SIGNATURE_BYTES 24

/* What a thinking block is signed with: it belongs to these words and to no others. */
void ms_anthropic_sign(const char *thinking, char ret_signature[MS_SIGNATURE_BYTES]);

void ms_anthropic_error(const struct ms_error *error, struct ms_text *out);

#endif
