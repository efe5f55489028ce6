/* SPDX-License-Identifier: MIT */
/*
 * JSON for the model server: yajl's tree for reading, yajl's generator for writing, and what both
 * leave open: how deep a document may nest, and that it holds neither comments nor NUL bytes.
 *
 * Our own allocations are checked everywhere. yajl 2.1 itself does not check its own; the cap on a
 * request's body is what keeps its appetite small. A string with an escaped NUL ends there when it
 * is read: yajl's tree keeps no lengths.
 */
#ifndef MS_SERVER_JSON_H
#define MS_SERVER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "text.h"

#define MS_JSON_MAX_DEPTH 100

/* Parses `len` bytes, which must be followed by a NUL. 0, or -1 when it is not JSON (or nests too
 * deep, or memory is out). Free the tree with yajl_tree_free. */
int ms_json_parse(const char *json, size_t len, yajl_val *ret_tree);

/* The member of an object; NULL if it is absent or `object` is none. */
yajl_val ms_json_get(yajl_val object, const char *key);

/* The member as text, NULL if it is absent or no string. */
const char *ms_json_string(yajl_val object, const char *key);

/* The member when it is there and not null. */
yajl_val ms_json_get_some(yajl_val object, const char *key);

/* What a value is, in the words of an error message: "an object", "null" … */
const char *ms_json_type_name(yajl_val value);

/* Writing. Failures show at ms_json_finish. */
void ms_json_key(yajl_gen gen, const char *key);
void ms_json_text(yajl_gen gen, struct ms_span text);
void ms_json_member(yajl_gen gen, const char *key, const char *text); /* null for NULL */
void ms_json_member_span(yajl_gen gen, const char *key, struct ms_span text);
void ms_json_member_int(yajl_gen gen, const char *key, long long number);
void ms_json_member_null(yajl_gen gen, const char *key);
void ms_json_open(yajl_gen gen, const char *key);       /* "key": {   (key NULL: only the brace) */
void ms_json_open_array(yajl_gen gen, const char *key); /* "key": [ */
void ms_json_value(yajl_gen gen, yajl_val value);       /* a whole tree, members in their order */

/* Appends what was written to `out` (sets out->failed on failure) and frees the generator. */
void ms_json_finish(yajl_gen gen, struct ms_text *out);

#endif
