/* SPDX-License-Identifier: MIT */
/* Finding tools in a request and filling their parameters from a prompt. */
#include "tools.h"

#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "json.h"

/* Tools that every host of this kind has: the words of a prompt must ask for them. */
static const char *const common_tools[] = {
    "edit_file",   "find_files",   "list_directory", "read_file",
    "run_command", "search_files", "write_file",     NULL,
};

static const char *const path_names[] = {
    "dir", "directory", "file", "file_path", "filename", "folder", "path", NULL,
};

/* How far the values of the prompt have been handed out. */
struct values {
    const struct ms_prompt *prompt;
    size_t next_path;
    size_t next_quote;
    size_t next_word;
};

yajl_val ms_tool_find(yajl_val tools, struct ms_span name)
{
    if (!YAJL_IS_ARRAY(tools))
        return NULL;
    for (size_t i = 0; i < tools->u.array.len; i++) {
        yajl_val function = ms_json_get(tools->u.array.values[i], "function");
        const char *offered = ms_json_string(function, "name");

        if (offered && ms_span_is(name, offered))
            return function;
    }
    return NULL;
}

static yajl_val properties_of(yajl_val function)
{
    return ms_json_get(ms_json_get(function, "parameters"), "properties");
}

static yajl_val required_of(yajl_val function)
{
    return ms_json_get(ms_json_get(function, "parameters"), "required");
}

static const char *path_parameter(yajl_val function)
{
    yajl_val properties = properties_of(function);
    yajl_val required = required_of(function);

    if (ms_json_get(properties, "path"))
        return "path";
    if (YAJL_IS_ARRAY(required) && required->u.array.len > 0 &&
        YAJL_IS_STRING(required->u.array.values[0]))
        return YAJL_GET_STRING(required->u.array.values[0]);
    return "path";
}

void ms_tool_path_arguments(yajl_val function, const char *path, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    ms_json_open(gen, NULL);
    ms_json_member(gen, path_parameter(function), path);
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}

static bool is_number(struct ms_span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.s[i] < '0' || word.s[i] > '9')
            return false;
    return word.len > 0 && word.len < 16;
}

/* A word that can stand for a value: it has a digit, or a capital although it does not begin the
 * prompt. */
static bool is_value(const struct ms_prompt *prompt, size_t i)
{
    struct ms_span word = prompt->words[i];

    for (size_t k = 0; k < word.len; k++)
        if (word.s[k] >= '0' && word.s[k] <= '9')
            return true;
    return i > 0 && word.len > 1 && word.s[0] >= 'A' && word.s[0] <= 'Z';
}

static bool next_number(struct values *values, struct ms_span *ret_value)
{
    const struct ms_prompt *prompt = values->prompt;

    for (size_t i = values->next_word; i < prompt->words_count; i++) {
        if (is_number(prompt->words[i])) {
            *ret_value = prompt->words[i];
            values->next_word = i + 1;
            return true;
        }
    }
    return false;
}

static bool next_text(struct values *values, const char *name, struct ms_span *ret_value)
{
    const struct ms_prompt *prompt = values->prompt;

    if (ms_span_in(ms_span_of(name), path_names)) {
        if (values->next_path == prompt->paths_count)
            return false;
        *ret_value = prompt->paths[values->next_path++];
        return true;
    }
    if (values->next_quote < prompt->quotes_count) {
        *ret_value = prompt->quotes[values->next_quote++];
        return true;
    }
    for (size_t i = values->next_word; i < prompt->words_count; i++) {
        if (is_value(prompt, i)) {
            *ret_value = prompt->words[i];
            values->next_word = i + 1;
            return true;
        }
    }
    return false;
}

/* One parameter by its schema. False when the prompt has no value for it. */
static bool fill(yajl_gen gen, const char *name, yajl_val schema, struct values *values)
{
    const char *type = ms_json_string(schema, "type");
    struct ms_span value;

    if (type && (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)) {
        if (!next_number(values, &value))
            return false;
        ms_json_key(gen, name);
        yajl_gen_integer(gen, strtoll(value.s, NULL, 10));
        return true;
    }
    if (type && strcmp(type, "string") != 0)
        return false;
    if (!next_text(values, name, &value))
        return false;
    ms_json_member_span(gen, name, value);
    return true;
}

/* A value of the right type, whatever it says. */
static void fill_blindly(yajl_gen gen, const char *name, yajl_val schema,
                         const struct ms_prompt *prompt)
{
    const char *type = ms_json_string(schema, "type");

    ms_json_key(gen, name);
    if (!type || strcmp(type, "string") == 0)
        ms_json_text(gen, (struct ms_span){ms_text_string(&prompt->text), prompt->text.len});
    else if (strcmp(type, "boolean") == 0)
        yajl_gen_bool(gen, 0);
    else if (strcmp(type, "object") == 0)
        yajl_gen_number(gen, "{}", 2); /* written as it stands */
    else if (strcmp(type, "array") == 0)
        yajl_gen_number(gen, "[]", 2);
    else
        yajl_gen_integer(gen, 0);
}

/* Writes the required parameters. False when one could not be filled and `blindly` is not set; what
 * was written is no use then. */
static bool write_arguments(yajl_val function, const struct ms_prompt *prompt, bool blindly,
                            yajl_gen gen)
{
    yajl_val required = required_of(function);
    yajl_val properties = properties_of(function);
    struct values values = {.prompt = prompt};
    bool filled = true;

    ms_json_open(gen, NULL);
    for (size_t i = 0; YAJL_IS_ARRAY(required) && i < required->u.array.len; i++) {
        const char *name = YAJL_GET_STRING(required->u.array.values[i]);
        yajl_val schema = name ? ms_json_get(properties, name) : NULL;

        if (!name || fill(gen, name, schema, &values))
            continue;
        filled = false;
        if (blindly)
            fill_blindly(gen, name, schema, prompt);
    }
    yajl_gen_map_close(gen);
    return filled || blindly;
}

static bool fill_arguments(yajl_val function, const struct ms_prompt *prompt, bool blindly,
                           struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return false;
    }
    if (!write_arguments(function, prompt, blindly, gen)) {
        yajl_gen_free(gen);
        return false;
    }
    ms_json_finish(gen, out);
    return !out->failed;
}

/* One of the prompt's first words is a part of the tool's name ("write" and "write_file"). */
static bool is_asked_for(const char *name, const struct ms_prompt *prompt)
{
    static const char *const nouns[] = {"command", "directory", "file", "files", NULL};
    struct ms_span rest = ms_span_of(name);

    while (rest.len > 0) {
        const char *bar = memchr(rest.s, '_', rest.len);
        struct ms_span part = {rest.s, bar ? (size_t)(bar - rest.s) : rest.len};

        for (size_t i = 0; i < prompt->words_count && i < 4; i++)
            if (part.len > 2 && !ms_span_in(part, nouns) && ms_word_matches(prompt->words[i], part))
                return true;
        rest.s += part.len + (bar ? 1 : 0);
        rest.len -= part.len + (bar ? 1 : 0);
    }
    return false;
}

static bool is_for_files(const char *name)
{
    return strcmp(name, MS_LIST_TOOL) == 0 || strcmp(name, MS_READ_TOOL) == 0;
}

static yajl_val asked_tool(yajl_val tools, const struct ms_prompt *prompt, struct ms_text *out)
{
    for (size_t i = 0; i < tools->u.array.len; i++) {
        yajl_val function = ms_json_get(tools->u.array.values[i], "function");
        const char *name = ms_json_string(function, "name");

        if (name && !is_for_files(name) && is_asked_for(name, prompt) &&
            fill_arguments(function, prompt, false, out))
            return function;
    }
    return NULL;
}

/* The tool that is not one of the common ones, if there is exactly one and it takes something. */
static yajl_val only_own_tool(yajl_val tools)
{
    yajl_val own = NULL;

    for (size_t i = 0; i < tools->u.array.len; i++) {
        yajl_val function = ms_json_get(tools->u.array.values[i], "function");
        const char *name = ms_json_string(function, "name");
        yajl_val required = required_of(function);

        if (!name || ms_span_in(ms_span_of(name), common_tools))
            continue;
        if (own || !YAJL_IS_ARRAY(required) || required->u.array.len == 0)
            return NULL;
        own = function;
    }
    return own;
}

yajl_val ms_tool_wanted(yajl_val tools, const struct ms_prompt *prompt, struct ms_text *out)
{
    yajl_val function;

    if (!YAJL_IS_ARRAY(tools))
        return NULL;
    function = asked_tool(tools, prompt, out);
    if (function)
        return function;
    function = prompt->intent == MS_TALK ? only_own_tool(tools) : NULL;
    if (function && fill_arguments(function, prompt, false, out))
        return function;
    return NULL;
}

void ms_tool_forced_arguments(yajl_val function, const struct ms_prompt *prompt,
                              struct ms_text *out)
{
    fill_arguments(function, prompt, true, out);
}
