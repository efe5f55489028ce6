/* SPDX-License-Identifier: MIT */
/* What the requests of all wire formats have in common. */
#ifndef RV_MODEL_ENCODE_H
#define RV_MODEL_ENCODE_H

#include <stdbool.h>

#include "model/codec.h"
#include "json/writer.h"

/* A text that is a JSON object. 0, REEVE_EINVAL or REEVE_ENOMEM. */
int rv_encode_check_object(struct rv_json_reader *reader, const char *json);

/*
 * The list of tools; `write` writes one. 0; REEVE_EINVAL (a tool without a name, parameters that
 * are not a JSON object); REEVE_ETOOBIG; REEVE_ENOMEM.
 */
int rv_encode_tool_list(const struct reeve_tool_definition *tools, size_t count,
                        struct rv_json_reader *reader,
                        void (*write)(struct rv_json_writer *writer,
                                      const struct reeve_tool_definition *tool),
                        struct rv_buffer *out);

/* The parameters of a tool as JSON, also if it names none. */
const char *rv_encode_parameters(const struct reeve_tool_definition *tool);

/* Open the body: `write` writes its members, then `messages` is opened as the last one. */
int rv_encode_open(const struct rv_request *request,
                   void (*write)(struct rv_json_writer *writer, const struct rv_request *request),
                   struct rv_buffer *out);

/* A text that some servers refuse: nothing, or nothing but white space. */
bool rv_encode_blank(const char *text, size_t len);

/* A name with what no server takes replaced by "_", at most 64 bytes of it. */
void rv_encode_name(struct rv_json_writer *writer, const char *name);

/*
 * A call's arguments as a JSON object. What a model wrote goes back as it was where a server takes
 * it, and else in a form that every server takes, since one bad call would make every later request
 * of the conversation fail:
 *   arguments that are not a JSON object   {"invalid_json": "what the model wrote"}
 *   no arguments, or null                  {}
 * With `as_value` escapes of half a character in it, which stand for nothing, become U+FFFD. The
 * result is the call's own text, static, or in `scratch`. 0, REEVE_ETOOBIG or REEVE_ENOMEM.
 */
int rv_encode_arguments(const struct reeve_call *call, bool as_value, struct rv_json_reader *reader,
                        struct rv_buffer *scratch, const char **ret_json, size_t *ret_len);

#endif
