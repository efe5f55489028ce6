/* SPDX-License-Identifier: MIT */
/*
 * Parsed JSON, read only. Values belong to the object that handed them out (a tool call's
 * arguments, for instance) and live as long as it does. Every function takes NULL for a value and
 * then answers as for a missing one, so that look-ups can be nested without checks between.
 */
#ifndef REEVE_JSON_H
#define REEVE_JSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_json;

enum reeve_json_type {
    REEVE_JSON_NONE = 0, /* there is no such value */
    REEVE_JSON_NULL,
    REEVE_JSON_BOOL,
    REEVE_JSON_NUMBER,
    REEVE_JSON_STRING,
    REEVE_JSON_ARRAY,
    REEVE_JSON_OBJECT,
};

/* What a value is; REEVE_JSON_NONE of NULL. */
enum reeve_json_type reeve_json_type(const struct reeve_json *value);

/* "object", "string", …; "nothing" for REEVE_JSON_NONE. Static text. */
const char *reeve_json_type_name(enum reeve_json_type type);

/* The member `key` (NUL-terminated) of an object, or NULL. Of duplicate keys the last one counts.
 */
const struct reeve_json *reeve_json_get(const struct reeve_json *value, const char *key);

/* The element `index` of an array, or the value of the member at `index` of an object, or NULL. */
const struct reeve_json *reeve_json_at(const struct reeve_json *value, size_t index);

/* The key of the member at `index` of an object, NUL-terminated, or NULL. */
const char *reeve_json_key_at(const struct reeve_json *value, size_t index, size_t *ret_len);

/* The number of elements of an array or members of an object; 0 for everything else. */
size_t reeve_json_count(const struct reeve_json *value);

/*
 * The bytes of a string, valid UTF-8 and NUL-terminated (a string may hold NULs of its own; the
 * length tells), or NULL if the value is not a string. An escaped surrogate without its partner has
 * become U+FFFD. ret_len may be NULL.
 */
const char *reeve_json_string(const struct reeve_json *value, size_t *ret_len);

/* The text of a number as it was written, NUL-terminated; NULL if the value is not a number. */
const char *reeve_json_number_text(const struct reeve_json *value, size_t *ret_len);

/*
 * A number as an integer. Returns 0; REEVE_EINVAL if the value is not a number, has a fraction
 * (5.0 has none) or does not fit. ret is untouched on failure.
 */
int reeve_json_int64(const struct reeve_json *value, int64_t *ret);

/* A number as a double, correctly rounded. Returns 0 or REEVE_EINVAL (not a number, or past the
 * range). */
int reeve_json_double(const struct reeve_json *value, double *ret);

/* A boolean as 0 or 1. Returns 0 or REEVE_EINVAL. */
int reeve_json_bool(const struct reeve_json *value, int *ret);

#ifdef __cplusplus
}
#endif
#endif
