/* SPDX-License-Identifier: MIT */
/* What the writers of both formats share of a reply's course. */
#ifndef MS_SERVER_REPLY_PARTS_H
#define MS_SERVER_REPLY_PARTS_H

#include "reply.h"

/* A fault that happens once: with the piece of `len` bytes that reaches the middle. */
bool ms_reply_fault_now(struct ms_reply *reply, enum ms_fault_kind kind, size_t len);

/* The member `key` with the next `len` bytes of the answer, perhaps with what the fault puts before
 * them. */
void ms_reply_write_piece(struct ms_reply *reply, yajl_gen gen, const char *key, const char *bytes,
                          size_t len);

/* Like ms_utf8_cut, and not inside a JSON escape. */
size_t ms_arguments_cut(const char *s, size_t len, size_t max_bytes);

/* The end of a line of a stream. */
const char *ms_reply_line_end(const struct ms_reply *reply);

/* As a provider would count the answer. */
size_t ms_reply_tokens(const struct ms_reply *reply);

#endif
