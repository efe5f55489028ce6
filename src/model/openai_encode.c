/* SPDX-License-Identifier: MIT */
/*
 * Requests in the format of OpenAI's chat completions. What of a call no server would take is
 * mended (model/encode.h).
 */
#include <math.h>
#include <string.h>

#include <reeve/error.h>

#include "model/encode.h"
#include "model/openai.h"

/* ---- tools ----------------------------------------------------------------------------------- */

static void write_tool(struct rv_json_writer *writer, const struct reeve_tool_definition *tool)
{
    const char *parameters = rv_encode_parameters(tool);

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
    return rv_encode_tool_list(tools, count, reader, write_tool, out);
}

static void write_tool_choice(struct rv_json_writer *writer, const struct rv_request *request)
{
    static const char *const words[] = {
        [REEVE_TOOL_CHOICE_NONE] = "none",
        [REEVE_TOOL_CHOICE_REQUIRED] = "required",
    };

    if (request->tool_choice != REEVE_TOOL_CHOICE_AUTO) {
        rv_json_key(writer, "tool_choice");
        if (request->tool_choice == REEVE_TOOL_CHOICE_NAMED) {
            rv_json_object_begin(writer);
            rv_json_key(writer, "type");
            rv_json_text(writer, "function");
            rv_json_key(writer, "function");
            rv_json_object_begin(writer);
            rv_json_key(writer, "name");
            rv_json_text(writer, request->tool_choice_name);
            rv_json_object_end(writer);
            rv_json_object_end(writer);
        } else {
            rv_json_text(writer, words[request->tool_choice]);
        }
    }
    if (request->one_call) {
        rv_json_key(writer, "parallel_tool_calls");
        rv_json_bool(writer, false);
    }
}

/* ---- the body -------------------------------------------------------------------------------- */

static void write_sampling(struct rv_json_writer *writer, const struct rv_request *request)
{
    size_t i;

    if (!isnan(request->temperature)) {
        rv_json_key(writer, "temperature");
        rv_json_double(writer, request->temperature);
    }
    if (!isnan(request->top_p)) {
        rv_json_key(writer, "top_p");
        rv_json_double(writer, request->top_p);
    }
    if (request->has_seed) {
        rv_json_key(writer, "seed");
        rv_json_int64(writer, request->seed);
    }
    if (request->max_output_tokens) {
        rv_json_key(writer, request->own_host ? "max_completion_tokens" : "max_tokens");
        rv_json_int64(writer, request->max_output_tokens);
    }
    if (request->stop_count) {
        rv_json_key(writer, "stop");
        rv_json_array_begin(writer);
        for (i = 0; i < request->stop_count; i++)
            rv_json_text(writer, request->stop[i]);
        rv_json_array_end(writer);
    }
}

static void write_response_format(struct rv_json_writer *writer, const struct rv_request *request)
{
    rv_json_key(writer, "response_format");
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "json_schema");
    rv_json_key(writer, "json_schema");
    rv_json_object_begin(writer);
    rv_json_key(writer, "name");
    rv_encode_name(writer, request->schema_name);
    rv_json_key(writer, "strict");
    rv_json_bool(writer, true);
    rv_json_key(writer, "schema");
    rv_json_raw(writer, request->schema, strlen(request->schema));
    rv_json_object_end(writer);
    rv_json_object_end(writer);
}

static void write_settings(struct rv_json_writer *writer, const struct rv_request *request)
{
    rv_json_key(writer, "model");
    rv_json_text(writer, request->model);
    write_sampling(writer, request);
    if (request->stream) {
        rv_json_key(writer, "stream");
        rv_json_bool(writer, true);
        rv_json_key(writer, "stream_options");
        rv_json_object_begin(writer);
        rv_json_key(writer, "include_usage");
        rv_json_bool(writer, true);
        rv_json_object_end(writer);
    }
    if (request->schema)
        write_response_format(writer, request);
    if (request->tools_json) {
        write_tool_choice(writer, request);
        rv_json_key(writer, "tools");
        rv_json_raw(writer, request->tools_json, request->tools_json_len);
    }
}

int rv_openai_encode_begin(const struct rv_request *request, struct rv_buffer *out)
{
    return rv_encode_open(request, write_settings, out);
}

int rv_openai_encode_end(const struct rv_request *request, const struct rv_encode_cursor *cursor,
                         struct rv_buffer *out)
{
    (void)request;
    (void)cursor;
    return rv_buffer_add(out, "]}", 2);
}

/* ---- messages -------------------------------------------------------------------------------- */

static int write_call(struct rv_json_writer *writer, const struct reeve_call *call,
                      struct rv_json_reader *reader, struct rv_buffer *scratch)
{
    const char *json;
    size_t len;
    int error = rv_encode_arguments(call, false, reader, scratch, &json, &len);

    if (error)
        return error;
    rv_json_object_begin(writer);
    rv_json_key(writer, "id");
    rv_json_text(writer, call->id);
    rv_json_key(writer, "type");
    rv_json_text(writer, "function");
    rv_json_key(writer, "function");
    rv_json_object_begin(writer);
    rv_json_key(writer, "name");
    rv_encode_name(writer, call->name);
    rv_json_key(writer, "arguments");
    rv_json_string(writer, json, len);
    rv_json_object_end(writer);
    rv_json_object_end(writer);
    return 0;
}

static int write_calls(struct rv_json_writer *writer, const struct reeve_message *message,
                       struct rv_json_reader *reader)
{
    struct rv_buffer scratch;
    size_t i;
    int error = 0;

    rv_buffer_init(&scratch, message->mem, SIZE_MAX - 1);
    rv_json_key(writer, "tool_calls");
    rv_json_array_begin(writer);
    for (i = 0; i < message->call_count && !error; i++)
        error = write_call(writer, &message->calls[i], reader, &scratch);
    rv_json_array_end(writer);
    rv_buffer_done(&scratch);
    return error;
}

/* The reasoning of the message in one text. */
static int write_reasoning(struct rv_json_writer *writer, const struct reeve_message *message)
{
    struct rv_buffer text;
    size_t i;
    int error = 0;

    rv_buffer_init(&text, message->mem, SIZE_MAX - 1);
    for (i = 0; i < message->part_count && !error; i++)
        if (message->parts[i].kind == RV_PART_REASONING)
            error = rv_buffer_add(&text, message->parts[i].text, message->parts[i].len);
    if (!error && text.len) {
        rv_json_key(writer, "reasoning_content");
        rv_json_string(writer, text.data, text.len);
    }
    rv_buffer_done(&text);
    return error;
}

static int write_image(struct rv_json_writer *writer, const struct reeve_message *message,
                       const struct rv_part *part)
{
    struct rv_buffer url;
    int error = 0;

    rv_buffer_init(&url, message->mem, SIZE_MAX - 1);
    if (part->mark_len)
        error = rv_buffer_printf(&url, "data:%s;base64,", part->mark);
    if (!error)
        error = rv_buffer_add(&url, part->text, part->len);
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "image_url");
    rv_json_key(writer, "image_url");
    rv_json_object_begin(writer);
    rv_json_key(writer, "url");
    rv_json_string(writer, rv_buffer_text(&url), url.len);
    rv_json_object_end(writer);
    rv_json_object_end(writer);
    rv_buffer_done(&url);
    return error;
}

static int write_user_parts(struct rv_json_writer *writer, const struct reeve_message *message)
{
    size_t i;
    int error = 0;

    rv_json_array_begin(writer);
    for (i = 0; i < message->part_count && !error; i++) {
        const struct rv_part *part = &message->parts[i];

        if (part->kind == RV_PART_IMAGE) {
            error = write_image(writer, message, part);
        } else if (part->kind == RV_PART_TEXT) {
            rv_json_object_begin(writer);
            rv_json_key(writer, "type");
            rv_json_text(writer, "text");
            rv_json_key(writer, "text");
            rv_json_string(writer, part->text, part->len);
            rv_json_object_end(writer);
        }
    }
    rv_json_array_end(writer);
    return error;
}

static int write_message(struct rv_json_writer *writer, const struct reeve_message *message,
                         bool send_reasoning, struct rv_json_reader *reader)
{
    int error = 0;

    rv_json_object_begin(writer);
    rv_json_key(writer, "role");
    rv_json_text(writer, reeve_role_name(message->role));
    if (message->role == REEVE_ROLE_TOOL) {
        rv_json_key(writer, "tool_call_id");
        rv_json_text(writer, message->call_id);
    }
    if (send_reasoning)
        error = write_reasoning(writer, message);
    rv_json_key(writer, "content");
    if (message->call_count && !message->text_len)
        rv_json_null(writer);
    else if (message->role == REEVE_ROLE_USER && message->part_count)
        error = write_user_parts(writer, message);
    else
        rv_json_string(writer, message->text, message->text_len);
    if (!error && message->call_count)
        error = write_calls(writer, message, reader);
    rv_json_object_end(writer);
    return error;
}

static int encode_message(struct reeve_message *message, enum rv_wire wire,
                          struct rv_json_reader *reader, struct rv_buffer *out)
{
    const size_t start = out->len;
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);
    int finished;

    if (error)
        return error;
    error = write_message(writer, message, wire == RV_WIRE_OPENAI_REASONING, reader);
    finished = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    if (!error)
        error = finished;
    if (error)
        return error;
    return rv_message_keep_wire(message, wire, out->data + start, out->len - start);
}

int rv_openai_encode_add(const struct rv_request *request, struct rv_encode_cursor *cursor,
                         struct rv_json_reader *reader, struct rv_buffer *out)
{
    struct reeve_message *message = rv_snapshot_at(request->messages, cursor->next);
    const bool differs =
        request->send_reasoning && message->role == REEVE_ROLE_ASSISTANT && message->part_count;
    const enum rv_wire wire = differs ? RV_WIRE_OPENAI_REASONING : RV_WIRE_OPENAI;
    const struct rv_wire_bytes *kept = &message->wire[wire];
    int error = cursor->next ? rv_buffer_add_byte(out, ',') : 0;

    if (error)
        return error;
    error = kept->bytes ? rv_buffer_add(out, kept->bytes, kept->len)
                        : encode_message(message, wire, reader, out);
    if (!error)
        cursor->next++;
    return error;
}
