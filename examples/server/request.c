/* SPDX-License-Identifier: MIT */
/* The body of a completion request: its parameters one by one. The messages are conversation.c's.
 */
#include "request.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAX_TOOLS 128

/* What the real API takes. A name that is not here is a client's mistake, and told. */
static const char *const known_parameters[] = {
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    NULL,
};

int ms_error_set(struct ms_error *error, const char *code, const char *param, const char *format,
                 ...)
{
    va_list args;

    *error = (struct ms_error){.status = 400, .type = "invalid_request_error", .code = code};
    if (param)
        snprintf(error->param, sizeof(error->param), "%s", param);
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return -1;
}

int ms_error_missing(struct ms_error *error, const char *param)
{
    return ms_error_set(error, "missing_required_parameter", param,
                        "Missing required parameter: '%s'.", param);
}

int ms_error_type(struct ms_error *error, const char *param, const char *expected, yajl_val got)
{
    return ms_error_set(error, "invalid_type", param,
                        "Invalid type for '%s': expected %s, but got %s instead.", param, expected,
                        ms_json_type_name(got));
}

int ms_error_empty(struct ms_error *error, const char *param)
{
    return ms_error_set(error, "empty_array", param,
                        "Invalid '%s': empty array. Expected an array with minimum length 1, but "
                        "got an empty array instead.",
                        param);
}

static int check_names(yajl_val tree, struct ms_error *error)
{
    for (size_t i = 0; i < tree->u.object.len; i++) {
        const char *name = tree->u.object.keys[i];
        bool known = false;

        for (const char *const *k = known_parameters; *k && !known; k++)
            known = strcmp(*k, name) == 0;
        if (!known)
            return ms_error_set(error, "unknown_parameter", name, "Unknown parameter: '%.64s'.",
                                name);
    }
    return 0;
}

static int read_bool(yajl_val object, const char *name, const char *param, bool *value,
                     struct ms_error *error)
{
    yajl_val v = ms_json_get_some(object, name);

    if (!v)
        return 0;
    if (!YAJL_IS_TRUE(v) && !YAJL_IS_FALSE(v))
        return ms_error_type(error, param, "a boolean", v);
    *value = YAJL_IS_TRUE(v);
    return 0;
}

static int check_range(yajl_val tree, const char *name, double min, double max,
                       struct ms_error *error)
{
    yajl_val v = ms_json_get_some(tree, name);
    double number;

    if (!v)
        return 0;
    if (!YAJL_IS_NUMBER(v))
        return ms_error_type(error, name, "a decimal", v);
    number = YAJL_IS_INTEGER(v) ? (double)YAJL_GET_INTEGER(v) : YAJL_GET_DOUBLE(v);
    if (number > max)
        return ms_error_set(error, "decimal_above_max_value", name,
                            "Invalid '%s': decimal above maximum value. Expected a value <= %g, "
                            "but got %g instead.",
                            name, max, number);
    if (!(number >= min))
        return ms_error_set(error, "decimal_below_min_value", name,
                            "Invalid '%s': decimal below minimum value. Expected a value >= %g, "
                            "but got %g instead.",
                            name, min, number);
    return 0;
}

static int read_limit(yajl_val tree, const char *name, size_t *limit, struct ms_error *error)
{
    yajl_val v = ms_json_get_some(tree, name);

    if (!v)
        return 0;
    if (!YAJL_IS_INTEGER(v))
        return ms_error_type(error, name, "an integer", v);
    if (YAJL_GET_INTEGER(v) < 1)
        return ms_error_set(error, "integer_below_min_value", name,
                            "Invalid '%s': integer below minimum value. Expected a value >= 1, but "
                            "got %lld instead.",
                            name, YAJL_GET_INTEGER(v));
    *limit = (size_t)YAJL_GET_INTEGER(v);
    return 0;
}

static int read_limits(struct ms_request *request, struct ms_error *error)
{
    yajl_val old = ms_json_get_some(request->tree, "max_tokens");
    yajl_val new = ms_json_get_some(request->tree, "max_completion_tokens");

    if (old && new)
        return ms_error_set(error, "invalid_parameter_combination", "max_tokens",
                            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is "
                            "not supported.");
    if (read_limit(request->tree, old ? "max_tokens" : "max_completion_tokens",
                   &request->max_tokens, error))
        return -1;
    if (check_range(request->tree, "temperature", 0, 2, error))
        return -1;
    if (check_range(request->tree, "top_p", 0, 1, error))
        return -1;
    return 0;
}

static int read_stream(struct ms_request *request, struct ms_error *error)
{
    yajl_val options = ms_json_get_some(request->tree, "stream_options");

    if (read_bool(request->tree, "stream", "stream", &request->stream, error))
        return -1;
    if (!options)
        return 0;
    if (!request->stream)
        return ms_error_set(
            error, NULL, "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
    if (!YAJL_IS_OBJECT(options))
        return ms_error_type(error, "stream_options", "an object", options);
    return read_bool(options, "include_usage", "stream_options.include_usage",
                     &request->include_usage, error);
}

static int read_stop(struct ms_request *request, struct ms_error *error)
{
    yajl_val stop = ms_json_get_some(request->tree, "stop");

    if (stop && !YAJL_IS_STRING(stop) && !YAJL_IS_ARRAY(stop))
        return ms_error_type(error, "stop", "a string or an array of strings", stop);
    if (YAJL_IS_ARRAY(stop)) {
        if (stop->u.array.len > 4)
            return ms_error_set(error, "array_above_max_length", "stop",
                                "Invalid 'stop': array too long. Expected an array with maximum "
                                "length 4, but got an array with length %zu instead.",
                                stop->u.array.len);
        for (size_t i = 0; i < stop->u.array.len; i++)
            if (!YAJL_IS_STRING(stop->u.array.values[i]))
                return ms_error_type(error, "stop", "a string", stop->u.array.values[i]);
    }
    request->stop = stop;
    return 0;
}

static bool is_function_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return len > 0 && len <= 64 && name[len] == '\0';
}

static int check_tool(yajl_val tool, size_t i, struct ms_error *error)
{
    yajl_val function = ms_json_get(tool, "function");
    yajl_val parameters = ms_json_get_some(function, "parameters");
    const char *type = ms_json_string(tool, "type");
    const char *name = ms_json_string(function, "name");
    char param[64];

    snprintf(param, sizeof(param), "tools[%zu].type", i);
    if (!type)
        return ms_error_missing(error, param);
    if (strcmp(type, "function") != 0)
        return ms_error_set(error, "invalid_value", param,
                            "Invalid value: '%.64s'. Supported values are: 'function'.", type);
    snprintf(param, sizeof(param), "tools[%zu].function", i);
    if (!YAJL_IS_OBJECT(function))
        return ms_error_missing(error, param);
    snprintf(param, sizeof(param), "tools[%zu].function.name", i);
    if (!name)
        return ms_error_missing(error, param);
    if (!is_function_name(name))
        return ms_error_set(error, "invalid_value", param,
                            "Invalid '%s': string does not match pattern. Expected a string that "
                            "matches the pattern '^[a-zA-Z0-9_-]+$'.",
                            param);
    snprintf(param, sizeof(param), "tools[%zu].function.parameters", i);
    if (parameters && !YAJL_IS_OBJECT(parameters))
        return ms_error_type(error, param, "an object", parameters);
    return 0;
}

static int read_tools(struct ms_request *request, struct ms_error *error)
{
    yajl_val tools = ms_json_get_some(request->tree, "tools");

    if (!tools)
        return 0;
    if (!YAJL_IS_ARRAY(tools))
        return ms_error_type(error, "tools", "an array of objects", tools);
    if (tools->u.array.len == 0)
        return ms_error_empty(error, "tools");
    if (tools->u.array.len > MAX_TOOLS)
        return ms_error_set(error, "array_above_max_length", "tools",
                            "Invalid 'tools': array too long. Expected an array with maximum "
                            "length %d, but got an array with length %zu instead.",
                            MAX_TOOLS, tools->u.array.len);
    for (size_t i = 0; i < tools->u.array.len; i++)
        if (check_tool(tools->u.array.values[i], i, error))
            return -1;
    request->tools = tools;
    return 0;
}

static bool offers(yajl_val tools, const char *name)
{
    for (size_t i = 0; i < tools->u.array.len; i++) {
        yajl_val function = ms_json_get(tools->u.array.values[i], "function");

        if (strcmp(ms_json_string(function, "name"), name) == 0)
            return true;
    }
    return false;
}

static int read_named_choice(struct ms_request *request, yajl_val choice, struct ms_error *error)
{
    const char *name = ms_json_string(ms_json_get(choice, "function"), "name");

    if (!name)
        return ms_error_missing(error, "tool_choice.function.name");
    if (!offers(request->tools, name))
        return ms_error_set(error, NULL, "tool_choice",
                            "Tool choice '%.64s' not found in 'tools' parameter.", name);
    request->tool_choice = MS_CHOICE_NAMED;
    request->tool_name = name;
    return 0;
}

static int read_choice(struct ms_request *request, struct ms_error *error)
{
    yajl_val choice = ms_json_get_some(request->tree, "tool_choice");
    yajl_val parallel = ms_json_get_some(request->tree, "parallel_tool_calls");
    const char *word = YAJL_GET_STRING(choice);
    bool many = true;

    if ((choice || parallel) && !request->tools) {
        const char *name = choice ? "tool_choice" : "parallel_tool_calls";

        return ms_error_set(error, NULL, name, "'%s' is only allowed when 'tools' are specified.",
                            name);
    }
    if (read_bool(request->tree, "parallel_tool_calls", "parallel_tool_calls", &many, error))
        return -1;
    request->one_call_at_most = !many;
    if (!choice)
        return 0;
    if (YAJL_IS_OBJECT(choice))
        return read_named_choice(request, choice, error);
    if (!word)
        return ms_error_type(error, "tool_choice", "a string or an object", choice);
    if (strcmp(word, "none") == 0)
        request->tool_choice = MS_CHOICE_NONE;
    else if (strcmp(word, "required") == 0)
        request->tool_choice = MS_CHOICE_REQUIRED;
    else if (strcmp(word, "auto") != 0)
        return ms_error_set(error, "invalid_value", "tool_choice",
                            "Invalid value: '%.64s'. Supported values are: 'none', 'auto', and "
                            "'required'.",
                            word);
    return 0;
}

/* What a scripted model cannot do is refused, not faked. */
static int check_unsupported(yajl_val tree, struct ms_error *error)
{
    yajl_val format = ms_json_get_some(tree, "response_format");
    const char *type = ms_json_string(format, "type");
    yajl_val n = ms_json_get_some(tree, "n");

    if (format && !type)
        return ms_error_missing(error, "response_format.type");
    if (format && strcmp(type, "text") != 0)
        return ms_error_set(error, NULL, "response_format",
                            "Invalid parameter: 'response_format' of type '%.64s' is not supported "
                            "with this model.",
                            type);
    if (n && (!YAJL_IS_INTEGER(n) || YAJL_GET_INTEGER(n) != 1))
        return ms_error_set(
            error, "unsupported_value", "n",
            "Unsupported value: 'n' other than 1 is not supported with this model.");
    return 0;
}

static int read_model_and_messages(struct ms_request *request, struct ms_error *error)
{
    yajl_val model = ms_json_get_some(request->tree, "model");
    yajl_val messages = ms_json_get_some(request->tree, "messages");

    if (!model)
        return ms_error_set(error, NULL, NULL, "you must provide a model parameter");
    if (!YAJL_IS_STRING(model))
        return ms_error_type(error, "model", "a string", model);
    request->model = YAJL_GET_STRING(model);
    if (request->model[0] == '\0')
        return ms_error_set(error, NULL, NULL, "you must provide a model parameter");
    if (!messages)
        return ms_error_missing(error, "messages");
    if (!YAJL_IS_ARRAY(messages))
        return ms_error_type(error, "messages", "an array of objects", messages);
    if (messages->u.array.len == 0)
        return ms_error_empty(error, "messages");
    request->messages = messages;
    return 0;
}

static int read_parameters(struct ms_request *request, struct ms_error *error)
{
    if (!YAJL_IS_OBJECT(request->tree))
        return ms_error_set(error, NULL, NULL,
                            "Invalid type for the request body: expected an object, but got %s "
                            "instead.",
                            ms_json_type_name(request->tree));
    if (check_names(request->tree, error) || read_model_and_messages(request, error) ||
        read_limits(request, error) || read_stream(request, error) || read_stop(request, error) ||
        read_tools(request, error) || read_choice(request, error) ||
        check_unsupported(request->tree, error))
        return -1;
    return ms_conversation_check(request->messages, error);
}

int ms_request_parse(const char *body, size_t len, struct ms_request *ret_request,
                     struct ms_error *ret_error)
{
    struct ms_request request = {.caches = true};

    if (ms_json_parse(body, len, &request.tree))
        return ms_error_set(ret_error, NULL, NULL,
                            "We could not parse the JSON body of your request. The API expects a "
                            "JSON payload, but what was sent was not valid JSON.");
    if (read_parameters(&request, ret_error)) {
        ms_request_done(&request);
        return -1;
    }
    *ret_request = request;
    return 0;
}

void ms_request_done(struct ms_request *request)
{
    yajl_tree_free(request->tree);
    *request = (struct ms_request){0};
}
