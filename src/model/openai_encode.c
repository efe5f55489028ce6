/* SPDX-License-Identifier: MIT */
/*
 * Requests in the format of OpenAI's chat completions.
 *
 * What a model wrote in a call goes back as it was where a server takes it, and else in a form that
 * every server takes, since one bad call would make every later request of the conversation fail:
 *   arguments that are not a JSON object   {"invalid_json": "what the model wrote"}
 *   no arguments, or null                  {}
 *   a name with other than A-Z a-z 0-9 _ - those bytes become "_", and 64 of them are kept
 */
#include <math.h>
#include <string.h>

#include <reeve/error.h>

#include "model/openai.h"
#include "json/writer.h"

enum { MAX_NAME_BYTES = 64 };

static const char no_parameters[] = "{\"type\":\"object\",\"properties\":{}}";

/* ---- tools ----------------------------------------------------------------------------------- */

static int check_parameters(struct rv_json_reader *reader, const char *parameters)
{
    const struct reeve_json *value;
    int error;

    rv_json_reader_reset(reader);
    error = rv_json_reader_parse(reader, parameters, strlen(parameters), &value);
    if (error)
        return error == REEVE_ENOMEM ? error : REEVE_EINVAL;
    return reeve_json_type(value) == REEVE_JSON_OBJECT ? 0 : REEVE_EINVAL;
}

static void write_tool(struct rv_json_writer *writer, const struct reeve_tool_definition *tool)
{
    const char *parameters = tool->parameters ? tool->parameters : no_parameters;

    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "function");
    rv_json_key(writer, "function");
    rv_json_object_begin(writer);
    rv_json_key(writer, "name");
    rv_json_text(writer, tool->name);
    if (tool->description) {
        rv_json_key(writer, "description");
        rv_json_text(writer, tool->description);
    }
    rv_json_key(writer, "parameters");
    rv_json_raw(writer, parameters, strlen(parameters));
    rv_json_object_end(writer);
    rv_json_object_end(writer);
}

int rv_openai_encode_tools(const struct reeve_tool_definition *tools, size_t count,
                           struct rv_json_reader *reader, struct rv_buffer *out)
{
    struct rv_json_writer *writer;
    size_t i;
    int error;

    for (i = 0; i < count; i++) {
        if (!tools[i].name || !*tools[i].name)
            return REEVE_EINVAL;
        error = tools[i].parameters ? check_parameters(reader, tools[i].parameters) : 0;
        if (error)
            return error;
    }
    error = rv_json_writer_new(out, &writer);
    if (error)
        return error;
    rv_json_array_begin(writer);
    for (i = 0; i < count; i++)
        write_tool(writer, &tools[i]);
    rv_json_array_end(writer);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    return error;
}

/* ---- the body -------------------------------------------------------------------------------- */

static void write_settings(struct rv_json_writer *writer, const struct rv_request *request)
{
    rv_json_key(writer, "model");
    rv_json_text(writer, request->model);
    if (!isnan(request->temperature)) {
        rv_json_key(writer, "temperature");
        rv_json_double(writer, request->temperature);
    }
    if (request->max_output_tokens) {
        rv_json_key(writer, request->own_host ? "max_completion_tokens" : "max_tokens");
        rv_json_int64(writer, request->max_output_tokens);
    }
    if (request->stream) {
        rv_json_key(writer, "stream");
        rv_json_bool(writer, true);
        rv_json_key(writer, "stream_options");
        rv_json_object_begin(writer);
        rv_json_key(writer, "include_usage");
        rv_json_bool(writer, true);
        rv_json_object_end(writer);
    }
    if (request->tools_json) {
        rv_json_key(writer, "tools");
        rv_json_raw(writer, request->tools_json, request->tools_json_len);
    }
}

int rv_openai_encode_begin(const struct rv_request *request, struct rv_buffer *out)
{
    static const char messages[] = ",\"messages\":[";
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);

    if (error)
        return error;
    rv_json_object_begin(writer);
    write_settings(writer, request);
    rv_json_object_end(writer);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    if (error)
        return error;
    /* The object goes on with its last member, which is written piece by piece. */
    rv_buffer_truncate(out, out->len - 1);
    return rv_buffer_add(out, messages, sizeof messages - 1);
}

int rv_openai_encode_end(const struct rv_request *request, struct rv_buffer *out)
{
    (void)request;
    return rv_buffer_add(out, "]}", 2);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void write_name(struct rv_json_writer *writer, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-";
    char accepted[MAX_NAME_BYTES];
    size_t len = strnlen(name, MAX_NAME_BYTES);
    size_t i;

    for (i = 0; i < len; i++)
        accepted[i] = strchr(letters, name[i]) ? name[i] : '_';
    rv_json_string(writer, accepted, len);
}

/* The object that stands for arguments that are none. */
static int wrap_arguments(const struct reeve_call *call, struct rv_buffer *out)
{
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);

    if (error)
        return error;
    rv_json_object_begin(writer);
    rv_json_key(writer, "invalid_json");
    rv_json_string(writer, call->arguments, call->arguments_len);
    rv_json_object_end(writer);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    return error;
}

static enum reeve_json_type arguments_type(const struct reeve_call *call,
                                           struct rv_json_reader *reader, int *ret_error)
{
    const struct reeve_json *value = NULL;
    int error;

    rv_json_reader_reset(reader);
    error = rv_json_reader_parse(reader, call->arguments, call->arguments_len, &value);
    if (error == REEVE_ENOMEM)
        *ret_error = error;
    return error ? REEVE_JSON_NONE : reeve_json_type(value);
}

static bool is_blank(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

static int write_arguments(struct rv_json_writer *writer, const struct reeve_call *call,
                           struct rv_json_reader *reader, struct rv_mem *mem)
{
    enum reeve_json_type type = REEVE_JSON_NULL;
    struct rv_buffer wrapped;
    int error = 0;

    if (!is_blank(call->arguments, call->arguments_len))
        type = arguments_type(call, reader, &error);
    if (error)
        return error;
    if (type == REEVE_JSON_OBJECT) {
        rv_json_string(writer, call->arguments, call->arguments_len);
        return 0;
    }
    if (type == REEVE_JSON_NULL) {
        rv_json_text(writer, "{}");
        return 0;
    }
    rv_buffer_init(&wrapped, mem, SIZE_MAX - 1);
    error = wrap_arguments(call, &wrapped);
    if (!error)
        rv_json_string(writer, wrapped.data, wrapped.len);
    rv_buffer_done(&wrapped);
    return error;
}

static int write_call(struct rv_json_writer *writer, const struct reeve_call *call,
                      struct rv_json_reader *reader, struct rv_mem *mem)
{
    int error;

    rv_json_object_begin(writer);
    rv_json_key(writer, "id");
    rv_json_text(writer, call->id);
    rv_json_key(writer, "type");
    rv_json_text(writer, "function");
    rv_json_key(writer, "function");
    rv_json_object_begin(writer);
    rv_json_key(writer, "name");
    write_name(writer, call->name);
    rv_json_key(writer, "arguments");
    error = write_arguments(writer, call, reader, mem);
    rv_json_object_end(writer);
    rv_json_object_end(writer);
    return error;
}

static int write_calls(struct rv_json_writer *writer, const struct reeve_message *message,
                       struct rv_json_reader *reader)
{
    size_t i;
    int error = 0;

    rv_json_key(writer, "tool_calls");
    rv_json_array_begin(writer);
    for (i = 0; i < message->call_count && !error; i++)
        error = write_call(writer, &message->calls[i], reader, message->mem);
    rv_json_array_end(writer);
    return error;
}

static int write_message(struct rv_json_writer *writer, const struct reeve_message *message,
                         struct rv_json_reader *reader)
{
    int error = 0;

    rv_json_object_begin(writer);
    rv_json_key(writer, "role");
    rv_json_text(writer, reeve_role_name(message->role));
    if (message->role == REEVE_ROLE_TOOL) {
        rv_json_key(writer, "tool_call_id");
        rv_json_text(writer, message->call_id);
    }
    rv_json_key(writer, "content");
    if (message->call_count && !message->text_len)
        rv_json_null(writer);
    else
        rv_json_string(writer, message->text, message->text_len);
    if (message->call_count)
        error = write_calls(writer, message, reader);
    rv_json_object_end(writer);
    return error;
}

static int encode_message(struct reeve_message *message, struct rv_json_reader *reader,
                          struct rv_buffer *out)
{
    const size_t start = out->len;
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);
    int finished;

    if (error)
        return error;
    error = write_message(writer, message, reader);
    finished = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    if (!error)
        error = finished;
    if (error)
        return error;
    return rv_message_keep_wire(message, RV_WIRE_OPENAI, out->data + start, out->len - start);
}

int rv_openai_encode_add(const struct rv_request *request, size_t *next,
                         struct rv_json_reader *reader, struct rv_buffer *out)
{
    struct reeve_message *message = rv_snapshot_at(request->messages, *next);
    const struct rv_wire_bytes *kept = &message->wire[RV_WIRE_OPENAI];
    int error = *next ? rv_buffer_add_byte(out, ',') : 0;

    if (error)
        return error;
    error = kept->bytes ? rv_buffer_add(out, kept->bytes, kept->len)
                        : encode_message(message, reader, out);
    if (!error)
        ++*next;
    return error;
}
