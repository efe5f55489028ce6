/* SPDX-License-Identifier: MIT */
/*
 * Reading a Messages request: first the checks of the real server, in its words, then the same
 * request in the other format's terms. What is left to that format's reader to refuse (a name of a
 * tool with blanks in it, a limit that is no number) it refuses in its own words.
 */
#include <stdio.h>
#include <string.h>

#include "anthropic.h"

#define MAX_REQUEST_BYTES (256u * 1024 * 1024)
#define MAX_BREAKPOINTS 4

static const char *const known_members[] = {
    "model",         "messages", "max_tokens",  "metadata",     "stop_sequences",
    "stream",        "system",   "temperature", "thinking",     "tool_choice",
    "tools",         "top_k",    "top_p",       "service_tier", "output_config",
    "cache_control", NULL,
};

/* ---- checks ------------------------------------------------------------------------------------
 */

static int refuse(struct ms_error *error, const char *where, const char *what)
{
    return ms_error_set(error, NULL, NULL, "%.200s: %.400s", where, what);
}

static int check_members(yajl_val tree, struct ms_error *error)
{
    size_t i;

    for (i = 0; i < tree->u.object.len; i++)
        if (!ms_span_in(ms_span_of(tree->u.object.keys[i]), known_members))
            return refuse(error, tree->u.object.keys[i], "Extra inputs are not permitted");
    if (!YAJL_IS_STRING(ms_json_get(tree, "model")))
        return refuse(error, "model", "Field required");
    if (!YAJL_IS_INTEGER(ms_json_get(tree, "max_tokens")))
        return refuse(error, "max_tokens", "Field required");
    if (YAJL_GET_INTEGER(ms_json_get(tree, "max_tokens")) < 1)
        return refuse(error, "max_tokens", "Input should be greater than or equal to 1");
    if (!YAJL_IS_ARRAY(ms_json_get(tree, "messages")))
        return refuse(error, "messages", "Field required");
    if (ms_json_get(tree, "messages")->u.array.len == 0)
        return refuse(error, "messages", "at least one message is required");
    return 0;
}

static bool is_type(yajl_val block, const char *type)
{
    const char *told = ms_json_string(block, "type");

    return told && strcmp(told, type) == 0;
}

static bool is_role(yajl_val message, const char *role)
{
    const char *told = ms_json_string(message, "role");

    return told && strcmp(told, role) == 0;
}

static size_t block_count(yajl_val message)
{
    yajl_val content = ms_json_get(message, "content");

    return YAJL_IS_ARRAY(content) ? content->u.array.len : 0;
}

static yajl_val block_at(yajl_val message, size_t i)
{
    return ms_json_get(message, "content")->u.array.values[i];
}

/* The block of this type whose member has this text; NULL if the message has none. */
static yajl_val find_block(yajl_val message, const char *type, const char *key, const char *text)
{
    size_t i;

    for (i = 0; i < block_count(message); i++) {
        const char *told = ms_json_string(block_at(message, i), key);

        if (is_type(block_at(message, i), type) && told && strcmp(told, text) == 0)
            return block_at(message, i);
    }
    return NULL;
}

static int check_assistant_block(yajl_val block, const char *where, struct ms_error *error)
{
    if (is_type(block, "thinking")) {
        if (!ms_json_string(block, "thinking") || !ms_json_string(block, "signature"))
            return refuse(error, where, "a thinking block needs its thinking and its signature");
        return 0;
    }
    if (is_type(block, "redacted_thinking"))
        return ms_json_string(block, "data") ? 0 : refuse(error, where, "data: Field required");
    if (!is_type(block, "tool_use"))
        return refuse(error, where, "Input tag found is none that an assistant may have");
    if (!ms_json_string(block, "id") || !ms_json_string(block, "name"))
        return refuse(error, where, "tool_use.id and tool_use.name: Field required");
    if (!YAJL_IS_OBJECT(ms_json_get(block, "input")))
        return refuse(error, where, "tool_use.input: Input should be a valid dictionary");
    return 0;
}

/* `before` is the message before, NULL of the first. */
static int check_user_block(yajl_val message, size_t i, yajl_val before, const char *where,
                            struct ms_error *error)
{
    yajl_val block = block_at(message, i);
    const char *id = ms_json_string(block, "tool_use_id");

    if (is_type(block, "image"))
        return 0;
    if (!is_type(block, "tool_result"))
        return refuse(error, where, "Input tag found is none that a user may have");
    if (!id || !before || !find_block(before, "tool_use", "id", id))
        return refuse(error, where,
                      "unexpected `tool_use_id` found in `tool_result` blocks. Each `tool_result` "
                      "block must have a corresponding `tool_use` block in the previous message.");
    if (ms_json_get(block, "is_error") && !YAJL_IS_TRUE(ms_json_get(block, "is_error")) &&
        !YAJL_IS_FALSE(ms_json_get(block, "is_error")))
        return refuse(error, where, "is_error: Input should be a valid boolean");
    if (i > 0 && !is_type(block_at(message, i - 1), "tool_result"))
        return refuse(error, where, "`tool_result` blocks must come before any other content");
    return 0;
}

static int check_blocks(yajl_val message, yajl_val before, size_t at, struct ms_error *error)
{
    char where[64];
    size_t i;

    for (i = 0; i < block_count(message); i++) {
        yajl_val block = block_at(message, i);
        int status = 0;

        snprintf(where, sizeof(where), "messages.%zu.content.%zu", at, i);
        if (is_type(block, "text")) {
            const char *text = ms_json_string(block, "text");

            if (!text || !*text)
                return refuse(error, where, "text content blocks must be non-empty");
        } else if (is_role(message, "assistant")) {
            status = check_assistant_block(block, where, error);
        } else {
            status = check_user_block(message, i, before, where, error);
        }
        if (status)
            return status;
    }
    return 0;
}

/* Each call of this message has its result in the next one. */
static int check_answered(yajl_val message, yajl_val next, size_t at, struct ms_error *error)
{
    char where[64];
    size_t i;

    snprintf(where, sizeof(where), "messages.%zu", at + 1);
    for (i = 0; i < block_count(message); i++) {
        const char *id = ms_json_string(block_at(message, i), "id");

        if (is_type(block_at(message, i), "tool_use") &&
            (!next || !find_block(next, "tool_result", "tool_use_id", id)))
            return refuse(error, where,
                          "`tool_use` ids were found without `tool_result` blocks immediately "
                          "after. Each `tool_use` block must have a corresponding `tool_result` "
                          "block in the next message.");
    }
    return 0;
}

static int check_messages(yajl_val messages, struct ms_error *error)
{
    yajl_val before = NULL;
    size_t i;

    for (i = 0; i < messages->u.array.len; i++) {
        yajl_val message = messages->u.array.values[i];
        yajl_val next = i + 1 < messages->u.array.len ? messages->u.array.values[i + 1] : NULL;
        yajl_val content = ms_json_get(message, "content");
        const char *text = YAJL_GET_STRING(content);
        char where[64];

        snprintf(where, sizeof(where), "messages.%zu", i);
        if (!is_role(message, "user") && !is_role(message, "assistant"))
            return refuse(error, where, "role: Input should be 'user' or 'assistant'");
        if (i == 0 && !is_role(message, "user"))
            return refuse(error, where, "first message must use the \"user\" role");
        if (!YAJL_IS_ARRAY(content) && !text)
            return refuse(error, where, "content: Input should be a valid list or string");
        if ((text && !*text) || (!text && content->u.array.len == 0))
            return refuse(error, where, "all messages must have non-empty content");
        if (check_blocks(message, before, i, error) || check_answered(message, next, i, error))
            return -1;
        before = message;
    }
    return 0;
}

/* True when this message asks for thinking: its last text, not a tool's result. */
static bool asks_to_think(yajl_val message)
{
    const char *text = ms_json_string(message, "content");
    bool thinks = text && strstr(text, "[think:");
    size_t i;

    for (i = 0; i < block_count(message); i++) {
        text = ms_json_string(block_at(message, i), "text");
        thinks = thinks || (text && strstr(text, "[think:"));
    }
    return thinks;
}

static bool is_question(yajl_val message)
{
    size_t i;

    if (!is_role(message, "user"))
        return false;
    for (i = 0; i < block_count(message); i++)
        if (!is_type(block_at(message, i), "tool_result"))
            return true;
    return block_count(message) == 0;
}

static int check_thought(yajl_val message, size_t at, struct ms_error *error)
{
    yajl_val first = block_count(message) ? block_at(message, 0) : NULL;
    char signature[MS_SIGNATURE_BYTES];
    char where[64];

    snprintf(where, sizeof(where), "messages.%zu.content.0", at);
    if (!is_type(first, "thinking"))
        return refuse(error, where,
                      "Expected `thinking` or `redacted_thinking`, but found another block. When "
                      "the model has thought, its message must start with a thinking block");
    ms_anthropic_sign(ms_json_string(first, "thinking"), signature);
    if (strcmp(signature, ms_json_string(first, "signature")) != 0)
        return refuse(error, where, "Invalid `signature` in `thinking` block");
    return 0;
}

/* What was thought since the last question comes back as it was; what was thought before is not
 * looked at. */
static int check_thoughts(yajl_val messages, struct ms_error *error)
{
    size_t at = messages->u.array.len;
    size_t i;

    while (at > 0 && !is_question(messages->u.array.values[at - 1]))
        at--;
    if (at == 0 || !asks_to_think(messages->u.array.values[at - 1]))
        return 0;
    for (i = at; i < messages->u.array.len; i++)
        if (is_role(messages->u.array.values[i], "assistant") &&
            check_thought(messages->u.array.values[i], i, error))
            return -1;
    return 0;
}

/* How many values in this one have the member cache_control. */
static size_t count_breakpoints(yajl_val value)
{
    size_t count = 0;
    size_t i;

    if (YAJL_IS_ARRAY(value))
        for (i = 0; i < value->u.array.len; i++)
            count += count_breakpoints(value->u.array.values[i]);
    if (!YAJL_IS_OBJECT(value))
        return count;
    if (ms_json_get_some(value, "cache_control"))
        count++;
    return count + count_breakpoints(ms_json_get(value, "content"));
}

static int read_breakpoints(yajl_val tree, bool *ret_caches, struct ms_error *error)
{
    size_t count = count_breakpoints(ms_json_get(tree, "system")) +
                   count_breakpoints(ms_json_get(tree, "messages")) +
                   count_breakpoints(ms_json_get(tree, "tools")) +
                   (ms_json_get_some(tree, "cache_control") ? 1 : 0);

    *ret_caches = count > 0;
    if (count > MAX_BREAKPOINTS)
        return ms_error_set(error, NULL, NULL,
                            "A maximum of 4 blocks with cache_control may be provided. Found %zu.",
                            count);
    return 0;
}

static int check_tools(yajl_val tools, struct ms_error *error)
{
    char where[64];
    size_t i;

    for (i = 0; YAJL_IS_ARRAY(tools) && i < tools->u.array.len; i++) {
        snprintf(where, sizeof(where), "tools.%zu.custom", i);
        if (!ms_json_string(tools->u.array.values[i], "name"))
            return refuse(error, where, "name: Field required");
        if (!YAJL_IS_OBJECT(ms_json_get(tools->u.array.values[i], "input_schema")))
            return refuse(error, where, "input_schema: Field required");
    }
    return 0;
}

/* ---- the same in other words -------------------------------------------------------------------
 */

static void add_texts(yajl_val content, struct ms_text *out)
{
    size_t i;

    if (YAJL_IS_STRING(content))
        ms_text_add_string(out, YAJL_GET_STRING(content));
    for (i = 0; YAJL_IS_ARRAY(content) && i < content->u.array.len; i++) {
        const char *text = ms_json_string(content->u.array.values[i], "text");

        if (!is_type(content->u.array.values[i], "text") || !text)
            continue;
        if (out->len > 0)
            ms_text_add_string(out, "\n");
        ms_text_add_string(out, text);
    }
}

/* The member "content": the texts of a content, one after the other. */
static void put_texts(yajl_val content, yajl_gen gen)
{
    struct ms_text text;

    ms_text_init(&text, MAX_REQUEST_BYTES);
    add_texts(content, &text);
    ms_json_member_span(gen, "content", (struct ms_span){ms_text_string(&text), text.len});
    ms_text_done(&text);
}

static void put_call(yajl_val block, yajl_gen gen)
{
    struct ms_text input;
    yajl_gen inner = yajl_gen_alloc(NULL);

    ms_text_init(&input, MAX_REQUEST_BYTES);
    if (inner) {
        ms_json_value(inner, ms_json_get(block, "input"));
        ms_json_finish(inner, &input);
    }
    ms_json_open(gen, NULL);
    ms_json_member(gen, "id", ms_json_string(block, "id"));
    ms_json_member(gen, "type", "function");
    ms_json_open(gen, "function");
    ms_json_member(gen, "name", ms_json_string(block, "name"));
    ms_json_member_span(gen, "arguments", (struct ms_span){ms_text_string(&input), input.len});
    yajl_gen_map_close(gen);
    yajl_gen_map_close(gen);
    ms_text_done(&input);
}

static void put_assistant(yajl_val message, yajl_gen gen)
{
    bool opened = false;
    size_t i;

    ms_json_open(gen, NULL);
    ms_json_member(gen, "role", "assistant");
    put_texts(ms_json_get(message, "content"), gen);
    for (i = 0; i < block_count(message); i++) {
        if (!is_type(block_at(message, i), "tool_use"))
            continue;
        if (!opened)
            ms_json_open_array(gen, "tool_calls");
        opened = true;
        put_call(block_at(message, i), gen);
    }
    if (opened)
        yajl_gen_array_close(gen);
    yajl_gen_map_close(gen);
}

static void put_user(yajl_val message, yajl_gen gen)
{
    bool has_more = block_count(message) == 0;
    size_t i;

    for (i = 0; i < block_count(message); i++) {
        yajl_val block = block_at(message, i);

        if (!is_type(block, "tool_result")) {
            has_more = true;
            continue;
        }
        ms_json_open(gen, NULL);
        ms_json_member(gen, "role", "tool");
        ms_json_member(gen, "tool_call_id", ms_json_string(block, "tool_use_id"));
        put_texts(ms_json_get(block, "content"), gen);
        if (YAJL_IS_TRUE(ms_json_get(block, "is_error")))
            ms_json_member(gen, MS_IS_ERROR, "true");
        yajl_gen_map_close(gen);
    }
    if (!has_more)
        return;
    ms_json_open(gen, NULL);
    ms_json_member(gen, "role", "user");
    put_texts(ms_json_get(message, "content"), gen);
    yajl_gen_map_close(gen);
}

static void put_messages(yajl_val tree, yajl_gen gen)
{
    yajl_val messages = ms_json_get(tree, "messages");
    size_t i;

    ms_json_open_array(gen, "messages");
    if (ms_json_get_some(tree, "system")) {
        ms_json_open(gen, NULL);
        ms_json_member(gen, "role", "system");
        put_texts(ms_json_get(tree, "system"), gen);
        yajl_gen_map_close(gen);
    }
    for (i = 0; i < messages->u.array.len; i++) {
        if (is_role(messages->u.array.values[i], "user"))
            put_user(messages->u.array.values[i], gen);
        else
            put_assistant(messages->u.array.values[i], gen);
    }
    yajl_gen_array_close(gen);
}

static void put_tools(yajl_val tools, yajl_gen gen)
{
    size_t i;

    if (!YAJL_IS_ARRAY(tools) || tools->u.array.len == 0)
        return;
    ms_json_open_array(gen, "tools");
    for (i = 0; i < tools->u.array.len; i++) {
        yajl_val tool = tools->u.array.values[i];

        ms_json_open(gen, NULL);
        ms_json_member(gen, "type", "function");
        ms_json_open(gen, "function");
        ms_json_member(gen, "name", ms_json_string(tool, "name"));
        if (ms_json_string(tool, "description"))
            ms_json_member(gen, "description", ms_json_string(tool, "description"));
        ms_json_key(gen, "parameters");
        ms_json_value(gen, ms_json_get(tool, "input_schema"));
        yajl_gen_map_close(gen);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void put_choice(yajl_val choice, yajl_gen gen)
{
    if (is_type(choice, "tool")) {
        ms_json_open(gen, "tool_choice");
        ms_json_member(gen, "type", "function");
        ms_json_open(gen, "function");
        ms_json_member(gen, "name", ms_json_string(choice, "name"));
        yajl_gen_map_close(gen);
        yajl_gen_map_close(gen);
    } else if (choice) {
        ms_json_member(gen, "tool_choice",
                       is_type(choice, "any") ? "required" : ms_json_string(choice, "type"));
    }
    if (YAJL_IS_TRUE(ms_json_get(choice, "disable_parallel_tool_use"))) {
        ms_json_key(gen, "parallel_tool_calls");
        yajl_gen_bool(gen, 0);
    }
}

static void put_copy(yajl_val tree, const char *name, const char *other_name, yajl_gen gen)
{
    yajl_val value = ms_json_get_some(tree, name);

    if (!value)
        return;
    ms_json_key(gen, other_name);
    ms_json_value(gen, value);
}

static void translate(yajl_val tree, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    ms_json_open(gen, NULL);
    put_copy(tree, "model", "model", gen);
    put_tools(ms_json_get(tree, "tools"), gen);
    put_choice(ms_json_get_some(tree, "tool_choice"), gen);
    put_messages(tree, gen);
    put_copy(tree, "max_tokens", "max_tokens", gen);
    put_copy(tree, "stop_sequences", "stop", gen);
    put_copy(tree, "stream", "stream", gen);
    put_copy(tree, "temperature", "temperature", gen);
    put_copy(tree, "top_p", "top_p", gen);
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}

static int check(yajl_val tree, bool *ret_caches, struct ms_error *error)
{
    if (!YAJL_IS_OBJECT(tree))
        return ms_error_set(error, NULL, NULL, "The request body is not a JSON object.");
    if (check_members(tree, error) || check_messages(ms_json_get(tree, "messages"), error) ||
        check_tools(ms_json_get(tree, "tools"), error) ||
        check_thoughts(ms_json_get(tree, "messages"), error))
        return -1;
    return read_breakpoints(tree, ret_caches, error);
}

int ms_anthropic_parse(const char *body, size_t len, struct ms_request *ret_request,
                       struct ms_error *ret_error)
{
    struct ms_text text;
    yajl_val tree;
    bool caches = false;
    int status;

    if (ms_json_parse(body, len, &tree))
        return ms_error_set(ret_error, NULL, NULL, "The request body is not valid JSON.");
    status = check(tree, &caches, ret_error);
    if (status) {
        yajl_tree_free(tree);
        return status;
    }
    ms_text_init(&text, MAX_REQUEST_BYTES);
    translate(tree, &text);
    yajl_tree_free(tree);
    if (text.failed)
        status = ms_error_set(ret_error, NULL, NULL, "The request is too large.");
    else
        status = ms_request_parse(ms_text_string(&text), text.len, ret_request, ret_error);
    ms_text_done(&text);
    if (status)
        return status;
    ret_request->wire = MS_WIRE_ANTHROPIC;
    ret_request->caches = caches;
    return 0;
}
