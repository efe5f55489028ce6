/* SPDX-License-Identifier: MIT */
/* Words about values and schemas, in a place of a fixed size: what has no room is cut. */
#ifndef RV_JSON_SCHEMA_SAY_H
#define RV_JSON_SCHEMA_SAY_H

#include "json/schema_node.h"

struct rv_saying {
    char *text; /* NUL-terminated, whole characters */
    size_t len;
    size_t size;
    bool full;
};

/* A step from a value to one inside it. */
struct rv_schema_step {
    const struct rv_schema_step *up;
    const char *key; /* NULL: an element of an array */
    uint32_t key_len;
    uint32_t index;
};

void rv_saying_init(struct rv_saying *saying, char *text, size_t size);
void rv_say_bytes(struct rv_saying *saying, const char *text, size_t len);
void rv_say(struct rv_saying *saying, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In quotes; what cannot be seen or would move a terminal's cursor is escaped; cut at `max` bytes.
 */
void rv_say_quoted(struct rv_saying *saying, const char *text, size_t len, size_t max);

/* `files[2].name`; "the value itself" for no step. */
void rv_say_path(struct rv_saying *saying, const struct rv_schema_step *step);

/* What was given: "the string "x"", "an array of 3 elements", "nothing" for NULL. */
void rv_say_given(struct rv_saying *saying, const struct reeve_json *value);

/* A value as it may be written, short. */
void rv_say_value(struct rv_saying *saying, const struct reeve_json *value);

/* What a schema wants, short: "a string", "one of "a", "b"", "an object with name". */
void rv_say_wanted(struct rv_saying *saying, const struct rv_schema_node *node);
void rv_say_types(struct rv_saying *saying, unsigned types);
void rv_say_one_of(struct rv_saying *saying, const struct reeve_json *values);

#endif
