/* SPDX-License-Identifier: MIT */
/* Reading and writing JSON by yajl. */
#include "json.h"

#include <string.h>

/* True when the bytes stay within our depth and use nothing that yajl's tree parser takes but JSON
 * does not have: comments, and a NUL, where it would stop reading. */
static bool is_bounded(const char *json, size_t len)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = 0; i < len; i++) {
        char c = json[i];

        if (c == '\0' || (c == '/' && !in_string))
            return false;
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            i++;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > MS_JSON_MAX_DEPTH)
            return false;
    }
    return true;
}

int ms_json_parse(const char *json, size_t len, yajl_val *ret_tree)
{
    char why[128];
    yajl_val tree;

    if (!is_bounded(json, len))
        return -1;
    tree = yajl_tree_parse(json, why, sizeof(why));
    if (!tree)
        return -1;
    *ret_tree = tree;
    return 0;
}

yajl_val ms_json_get(yajl_val object, const char *key)
{
    const char *path[] = {key, NULL};

    if (!YAJL_IS_OBJECT(object))
        return NULL;
    return yajl_tree_get(object, path, yajl_t_any);
}

const char *ms_json_string(yajl_val object, const char *key)
{
    yajl_val value = ms_json_get(object, key);

    return YAJL_GET_STRING(value);
}

yajl_val ms_json_get_some(yajl_val object, const char *key)
{
    yajl_val value = ms_json_get(object, key);

    return YAJL_IS_NULL(value) ? NULL : value;
}

const char *ms_json_type_name(yajl_val value)
{
    if (YAJL_IS_STRING(value))
        return "a string";
    if (YAJL_IS_INTEGER(value))
        return "an integer";
    if (YAJL_IS_NUMBER(value))
        return "a decimal";
    if (YAJL_IS_OBJECT(value))
        return "an object";
    if (YAJL_IS_ARRAY(value))
        return "an array";
    if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value))
        return "a boolean";
    return "null";
}

void ms_json_text(yajl_gen gen, struct ms_span text)
{
    yajl_gen_string(gen, (const unsigned char *)(text.s ? text.s : ""), text.len);
}

void ms_json_key(yajl_gen gen, const char *key)
{
    if (key)
        ms_json_text(gen, ms_span_of(key));
}

void ms_json_member(yajl_gen gen, const char *key, const char *text)
{
    ms_json_key(gen, key);
    if (text)
        ms_json_text(gen, ms_span_of(text));
    else
        yajl_gen_null(gen);
}

void ms_json_member_span(yajl_gen gen, const char *key, struct ms_span text)
{
    ms_json_key(gen, key);
    ms_json_text(gen, text);
}

void ms_json_member_int(yajl_gen gen, const char *key, long long number)
{
    ms_json_key(gen, key);
    yajl_gen_integer(gen, number);
}

void ms_json_member_null(yajl_gen gen, const char *key)
{
    ms_json_key(gen, key);
    yajl_gen_null(gen);
}

void ms_json_open(yajl_gen gen, const char *key)
{
    ms_json_key(gen, key);
    yajl_gen_map_open(gen);
}

void ms_json_open_array(yajl_gen gen, const char *key)
{
    ms_json_key(gen, key);
    yajl_gen_array_open(gen);
}

static void write_object(yajl_gen gen, yajl_val value)
{
    yajl_gen_map_open(gen);
    for (size_t i = 0; i < value->u.object.len; i++) {
        ms_json_key(gen, value->u.object.keys[i]);
        ms_json_value(gen, value->u.object.values[i]);
    }
    yajl_gen_map_close(gen);
}

static void write_array(yajl_gen gen, yajl_val value)
{
    yajl_gen_array_open(gen);
    for (size_t i = 0; i < value->u.array.len; i++)
        ms_json_value(gen, value->u.array.values[i]);
    yajl_gen_array_close(gen);
}

/* Recursion is bounded by the depth that ms_json_parse lets in. */
void ms_json_value(yajl_gen gen, yajl_val value)
{
    if (YAJL_IS_OBJECT(value))
        write_object(gen, value);
    else if (YAJL_IS_ARRAY(value))
        write_array(gen, value);
    else if (YAJL_IS_STRING(value))
        ms_json_text(gen, ms_span_of(YAJL_GET_STRING(value)));
    else if (YAJL_IS_NUMBER(value))
        yajl_gen_number(gen, YAJL_GET_NUMBER(value), strlen(YAJL_GET_NUMBER(value)));
    else if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value))
        yajl_gen_bool(gen, YAJL_IS_TRUE(value));
    else
        yajl_gen_null(gen);
}

void ms_json_finish(yajl_gen gen, struct ms_text *out)
{
    const unsigned char *bytes = NULL;
    size_t len = 0;

    if (yajl_gen_get_buf(gen, &bytes, &len) == yajl_gen_status_ok)
        ms_text_add(out, (const char *)bytes, len);
    else
        out->failed = true;
    yajl_gen_free(gen);
}
