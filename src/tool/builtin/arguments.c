/* SPDX-License-Identifier: MIT */
/* The arguments of the built-in tools: what was given, and what is wanted, if that differs. */
#include "tool/builtin/builtin.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

/* NULL if it is missing, which null is too. */
static const struct reeve_json *argument(struct reeve_tool_call *call, const char *key)
{
    const struct reeve_json *value = reeve_json_get(reeve_tool_call_arguments(call), key);

    return reeve_json_type(value) == REEVE_JSON_NULL ? NULL : value;
}

bool rv_arg_is_path(const char *path, size_t len)
{
    return len && len < PATH_MAX && !memchr(path, '\0', len);
}

bool rv_arg_path(struct reeve_tool_call *call, const char *what, const char *fallback,
                 const char **ret_path)
{
    const struct reeve_json *value = argument(call, "path");
    const char *path, *example = fallback ? " (\".\" for that folder itself)" : "";
    size_t len;

    if (!value && fallback) {
        *ret_path = fallback;
        return true;
    }
    path = reeve_json_string(value, &len);
    if (path && rv_arg_is_path(path, len)) {
        *ret_path = path;
        return true;
    }
    if (path && len >= PATH_MAX)
        rv_tool_refuse(call, false,
                       "\"path\" is %zu bytes long, and no path is longer than %d: give a shorter "
                       "one, relative to the root folder",
                       len, PATH_MAX - 1);
    else if (path && len)
        rv_tool_refuse(
            call, false,
            "\"path\" has a NUL character in it, and no name of a file has one: give the "
            "path without it");
    else
        rv_tool_refuse(call, false,
                       "\"path\" is %s%s: give the %s's path as a string, relative to the root "
                       "folder%s",
                       value && !path ? "of type " : "",
                       path    ? "empty"
                       : value ? reeve_json_type_name(reeve_json_type(value))
                               : "missing",
                       what, example);
    return false;
}

bool rv_arg_number(struct reeve_tool_call *call, const char *key, uint64_t least, uint64_t fallback,
                   uint64_t *ret_number)
{
    const struct reeve_json *value = argument(call, key);
    const char *text = reeve_json_number_text(value, NULL);
    int64_t number;

    if (!value) {
        *ret_number = fallback;
        return true;
    }
    if (reeve_json_int64(value, &number) == 0 && number >= 0 && (uint64_t)number >= least) {
        *ret_number = (uint64_t)number;
        return true;
    }
    rv_tool_refuse(call, false,
                   "\"%s\" is %s%.40s: give a whole number of bytes, %" PRIu64
                   " or more, or leave it out",
                   key, text ? "" : "of type ",
                   text ? text : reeve_json_type_name(reeve_json_type(value)), least);
    return false;
}

bool rv_arg_text(struct reeve_tool_call *call, const char *key, const char *what,
                 const char **ret_text, size_t *ret_len)
{
    const struct reeve_json *value = argument(call, key);
    const char *text = reeve_json_string(value, ret_len);

    if (text) {
        *ret_text = text;
        return true;
    }
    rv_tool_refuse(call, false, "\"%s\" is %s%s: give %s as a string", key, value ? "of type " : "",
                   value ? reeve_json_type_name(reeve_json_type(value)) : "missing", what);
    return false;
}

bool rv_arg_bool(struct reeve_tool_call *call, const char *key, bool fallback, bool *ret_value)
{
    const struct reeve_json *value = argument(call, key);
    int given;

    if (!value) {
        *ret_value = fallback;
        return true;
    }
    if (reeve_json_bool(value, &given) == 0) {
        *ret_value = given;
        return true;
    }
    rv_tool_refuse(call, false, "\"%s\" is of type %s: give true or false, or leave it out", key,
                   reeve_json_type_name(reeve_json_type(value)));
    return false;
}
