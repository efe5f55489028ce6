/* SPDX-License-Identifier: MIT */
/*
 * The rules between the messages of a request.
 *
 * A real server answers 400 to a transcript that breaks them, and so does this one: a client that
 * drops a tool's result, answers a call twice or invents an id is told at once. It is stricter than
 * OpenAI in one place and like vLLM there: the arguments of a call must hold JSON.
 */
#include <stdio.h>
#include <string.h>

#include "request.h"

#define MAX_CALLS 128

enum role {
    ROLE_SYSTEM,
    ROLE_DEVELOPER,
    ROLE_USER,
    ROLE_ASSISTANT,
    ROLE_TOOL,
    ROLES,
};

static const char *const role_names[ROLES] = {"system", "developer", "user", "assistant", "tool"};

/* The calls of the assistant message that is being answered. */
struct open_calls {
    const char *ids[MAX_CALLS];
    bool answered[MAX_CALLS];
    size_t count;
};

static int read_role(yajl_val message, size_t i, enum role *ret_role, struct ms_error *error)
{
    const char *name = ms_json_string(message, "role");
    char param[64];

    snprintf(param, sizeof(param), "messages[%zu]", i);
    if (!YAJL_IS_OBJECT(message))
        return ms_error_type(error, param, "an object", message);
    snprintf(param, sizeof(param), "messages[%zu].role", i);
    if (!name)
        return ms_error_missing(error, param);
    for (int role = 0; role < ROLES; role++) {
        if (strcmp(name, role_names[role]) == 0) {
            *ret_role = (enum role)role;
            return 0;
        }
    }
    return ms_error_set(error, "invalid_value", param,
                        "Invalid value: '%.64s'. Supported values are: 'system', 'assistant', "
                        "'user', 'tool', and 'developer'.",
                        name);
}

static bool may_hold(enum role role, const char *part_type)
{
    if (strcmp(part_type, "text") == 0)
        return true;
    if (role == ROLE_USER)
        return strcmp(part_type, "image_url") == 0;
    return role == ROLE_ASSISTANT && strcmp(part_type, "refusal") == 0;
}

static int check_part(yajl_val part, enum role role, size_t i, size_t k, struct ms_error *error)
{
    const char *type = ms_json_string(part, "type");
    char param[80];

    snprintf(param, sizeof(param), "messages[%zu].content[%zu].type", i, k);
    if (!type)
        return ms_error_missing(error, param);
    if (!may_hold(role, type))
        return ms_error_set(error, "invalid_value", param,
                            "Invalid value: '%.64s'. It is not a content type of role '%s'.", type,
                            role_names[role]);
    snprintf(param, sizeof(param), "messages[%zu].content[%zu].%.16s", i, k, type);
    if (strcmp(type, "image_url") == 0) {
        if (!ms_json_string(ms_json_get(part, "image_url"), "url"))
            return ms_error_missing(error, param);
    } else if (!ms_json_string(part, type)) {
        return ms_error_missing(error, param);
    }
    return 0;
}

static int check_content(yajl_val message, enum role role, size_t i, struct ms_error *error)
{
    yajl_val content = ms_json_get(message, "content");
    bool optional = role == ROLE_ASSISTANT && (ms_json_get_some(message, "tool_calls") ||
                                               ms_json_get_some(message, "refusal"));
    char param[64];

    snprintf(param, sizeof(param), "messages[%zu].content", i);
    if (!content && !optional)
        return ms_error_missing(error, param);
    if (YAJL_IS_NULL(content) && !optional)
        return ms_error_set(error, NULL, param,
                            "Invalid value for 'content': expected a string, got null.");
    if (!content || YAJL_IS_NULL(content) || YAJL_IS_STRING(content))
        return 0;
    if (!YAJL_IS_ARRAY(content))
        return ms_error_type(error, param, "one of a string or array of objects", content);
    if (content->u.array.len == 0)
        return ms_error_empty(error, param);
    for (size_t k = 0; k < content->u.array.len; k++)
        if (check_part(content->u.array.values[k], role, i, k, error))
            return -1;
    return 0;
}

static int check_arguments(yajl_val function, size_t i, size_t k, struct ms_error *error)
{
    yajl_val arguments = ms_json_get(function, "arguments");
    const char *text = YAJL_GET_STRING(arguments);
    yajl_val tree;
    char param[96];

    snprintf(param, sizeof(param), "messages[%zu].tool_calls[%zu].function.arguments", i, k);
    if (!arguments)
        return ms_error_missing(error, param);
    if (!text)
        return ms_error_type(error, param, "a string", arguments);
    if (ms_json_parse(text, strlen(text), &tree))
        return ms_error_set(error, "invalid_value", param,
                            "Invalid '%s': expected a string that holds valid JSON.", param);
    yajl_tree_free(tree);
    return 0;
}

static int check_call(yajl_val call, size_t i, size_t k, struct ms_error *error)
{
    yajl_val function = ms_json_get(call, "function");
    const char *id = ms_json_string(call, "id");
    const char *type = ms_json_string(call, "type");
    const char *name = ms_json_string(function, "name");
    char param[96];

    snprintf(param, sizeof(param), "messages[%zu].tool_calls[%zu].id", i, k);
    if (!id)
        return ms_error_missing(error, param);
    if (id[0] == '\0')
        return ms_error_set(error, "empty_string", param,
                            "Invalid '%s': empty string. Expected a string with minimum length 1, "
                            "but got an empty string instead.",
                            param);
    snprintf(param, sizeof(param), "messages[%zu].tool_calls[%zu].type", i, k);
    if (!type)
        return ms_error_missing(error, param);
    if (strcmp(type, "function") != 0)
        return ms_error_set(error, "invalid_value", param,
                            "Invalid value: '%.64s'. Supported values are: 'function'.", type);
    snprintf(param, sizeof(param), "messages[%zu].tool_calls[%zu].function.name", i, k);
    if (!name || name[0] == '\0')
        return ms_error_missing(error, param);
    return check_arguments(function, i, k, error);
}

static int open_call(struct open_calls *open, const char *id, size_t i, struct ms_error *error)
{
    char param[64];

    for (size_t k = 0; k < open->count; k++) {
        if (strcmp(open->ids[k], id) == 0) {
            snprintf(param, sizeof(param), "messages[%zu].tool_calls", i);
            return ms_error_set(error, "invalid_value", param,
                                "Duplicate value for 'tool_calls[%zu].id' of '%.64s' in "
                                "messages[%zu].",
                                open->count, id, i);
        }
    }
    open->ids[open->count] = id;
    open->answered[open->count] = false;
    open->count++;
    return 0;
}

static int open_calls(yajl_val message, size_t i, struct open_calls *open, struct ms_error *error)
{
    yajl_val calls = ms_json_get_some(message, "tool_calls");
    char param[64];

    if (!calls)
        return 0;
    snprintf(param, sizeof(param), "messages[%zu].tool_calls", i);
    if (!YAJL_IS_ARRAY(calls))
        return ms_error_type(error, param, "an array of objects", calls);
    if (calls->u.array.len == 0)
        return ms_error_empty(error, param);
    if (calls->u.array.len > MAX_CALLS)
        return ms_error_set(error, "array_above_max_length", param,
                            "Invalid '%s': array too long. Expected an array with maximum length "
                            "%d, but got an array with length %zu instead.",
                            param, MAX_CALLS, calls->u.array.len);
    for (size_t k = 0; k < calls->u.array.len; k++) {
        yajl_val call = calls->u.array.values[k];

        if (check_call(call, i, k, error) || open_call(open, ms_json_string(call, "id"), i, error))
            return -1;
    }
    return 0;
}

/* Called for each message that is no tool message, and at the end: no call may be left open. */
static int check_all_answered(const struct open_calls *open, size_t i, struct ms_error *error)
{
    char missing[512] = "";
    size_t len = 0;
    char param[64];

    for (size_t k = 0; k < open->count && len < sizeof(missing); k++) {
        if (!open->answered[k])
            len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s%.64s",
                                    len ? ", " : "", open->ids[k]);
    }
    if (len == 0)
        return 0;
    snprintf(param, sizeof(param), "messages.[%zu].role", i);
    return ms_error_set(error, NULL, param,
                        "An assistant message with 'tool_calls' must be followed by tool messages "
                        "responding to each 'tool_call_id'. The following tool_call_ids did not "
                        "have response messages: %s",
                        missing);
}

static int answer_call(yajl_val message, size_t i, struct open_calls *open, struct ms_error *error)
{
    const char *id = ms_json_string(message, "tool_call_id");
    char param[64];

    if (open->count == 0) {
        snprintf(param, sizeof(param), "messages.[%zu].role", i);
        return ms_error_set(error, NULL, param,
                            "Invalid parameter: messages with role 'tool' must be a response to a "
                            "preceeding message with 'tool_calls'.");
    }
    snprintf(param, sizeof(param), "messages[%zu].tool_call_id", i);
    if (!id)
        return ms_error_missing(error, param);
    for (size_t k = 0; k < open->count; k++) {
        if (strcmp(open->ids[k], id) != 0)
            continue;
        if (open->answered[k])
            return ms_error_set(error, NULL, param,
                                "Duplicate value for 'tool_call_id' of '%.64s' in message[%zu].",
                                id, i);
        open->answered[k] = true;
        return 0;
    }
    return ms_error_set(error, NULL, param,
                        "Invalid parameter: 'tool_call_id' of '%.64s' not found in 'tool_calls' of "
                        "previous message.",
                        id);
}

int ms_conversation_check(yajl_val messages, struct ms_error *ret_error)
{
    struct open_calls open = {.count = 0};
    size_t count = messages->u.array.len;
    enum role role = ROLE_USER;

    for (size_t i = 0; i < count; i++) {
        yajl_val message = messages->u.array.values[i];

        if (read_role(message, i, &role, ret_error) || check_content(message, role, i, ret_error))
            return -1;
        if (role == ROLE_TOOL) {
            if (answer_call(message, i, &open, ret_error))
                return -1;
            continue;
        }
        if (check_all_answered(&open, i, ret_error))
            return -1;
        open.count = 0;
        if (role == ROLE_ASSISTANT && open_calls(message, i, &open, ret_error))
            return -1;
    }
    return check_all_answered(&open, count, ret_error);
}
