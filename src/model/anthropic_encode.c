/* SPDX-License-Identifier: MIT */
/*
 * Requests in the format of Anthropic's Messages.
 *
 * A message becomes a run of content blocks, which depends on the message alone and is kept with
 * it. Around runs of one role, one after the other, stands one {"role", "content"}: so the user's
 * messages in a row are one, and the results of a turn, which the transcript has right behind
 * their calls, stand in one message before any text. What closes a body is the only part of it
 * that the next turn's does not begin with.
 *
 * System messages before the first other one are the top-level system prompt. One that comes later
 * would change the beginning of every request: it goes into the user's message, where it stands.
 *
 * What the server refuses, and would refuse in every later request, is mended:
 *   a blank text                  is left out; of a user or an error "(no text)" stands for it
 *   an assistant's empty message  is left out, and what stands around it is one
 *   reasoning without signature, or with neither text nor call behind it    is left out
 *   a byte of an id other than A-Z a-z 0-9 _ -    becomes "_" and two hexadecimal digits
 *   names and arguments           model/encode.h
 *
 * A cache_control goes before the last brace of what is to be marked: the tools, the system and
 * each message's blocks end with it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <reeve/error.h>

#include "model/anthropic.h"
#include "model/encode.h"

enum { DEFAULT_MAX_TOKENS = 4096 };

static const char no_text[] = "(no text)";

/* ---- tools ----------------------------------------------------------------------------------- */

static void write_tool(struct rv_json_writer *writer, const struct reeve_tool_definition *tool)
{
    const char *parameters = rv_encode_parameters(tool);

    rv_json_object_begin(writer);
    rv_json_key(writer, "name");
    rv_json_text(writer, tool->name);
    if (tool->description) {
        rv_json_key(writer, "description");
        rv_json_text(writer, tool->description);
    }
    rv_json_key(writer, "input_schema");
    rv_json_raw(writer, parameters, strlen(parameters));
    rv_json_object_end(writer);
}

int rv_anthropic_encode_tools(const struct reeve_tool_definition *tools, size_t count,
                              struct rv_json_reader *reader, struct rv_buffer *out)
{
    return rv_encode_tool_list(tools, count, reader, write_tool, out);
}

static void write_tool_choice(struct rv_json_writer *writer, const struct rv_request *request)
{
    static const char *const words[] = {
        [REEVE_TOOL_CHOICE_AUTO] = "auto",
        [REEVE_TOOL_CHOICE_NONE] = "none",
        [REEVE_TOOL_CHOICE_REQUIRED] = "any",
        [REEVE_TOOL_CHOICE_NAMED] = "tool",
    };

    if (request->tool_choice == REEVE_TOOL_CHOICE_AUTO && !request->one_call)
        return;
    rv_json_key(writer, "tool_choice");
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, words[request->tool_choice]);
    if (request->tool_choice == REEVE_TOOL_CHOICE_NAMED) {
        rv_json_key(writer, "name");
        rv_json_text(writer, request->tool_choice_name);
    }
    if (request->one_call && request->tool_choice != REEVE_TOOL_CHOICE_NONE) {
        rv_json_key(writer, "disable_parallel_tool_use");
        rv_json_bool(writer, true);
    }
    rv_json_object_end(writer);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void write_text(struct rv_json_writer *writer, const char *text, size_t len)
{
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "text");
    rv_json_key(writer, "text");
    rv_json_string(writer, text, len);
    rv_json_object_end(writer);
}

static bool is_id_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

/* The same for a call and its result. */
static int write_id(struct rv_json_writer *writer, const char *id, struct rv_buffer *scratch)
{
    int error = 0;

    rv_buffer_clear(scratch);
    for (; *id && !error; id++)
        error = is_id_byte(*id) ? rv_buffer_add_byte(scratch, *id)
                                : rv_buffer_printf(scratch, "_%02x", (unsigned char)*id);
    rv_json_string(writer, rv_buffer_text(scratch), scratch->len);
    return error;
}

static int write_call(struct rv_json_writer *writer, const struct reeve_call *call,
                      struct rv_json_reader *reader, struct rv_buffer *scratch)
{
    const char *json;
    size_t len;
    int error;

    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "tool_use");
    rv_json_key(writer, "id");
    error = write_id(writer, call->id, scratch);
    rv_json_key(writer, "name");
    rv_encode_name(writer, call->name);
    rv_json_key(writer, "input");
    if (!error)
        error = rv_encode_arguments(call, true, reader, scratch, &json, &len);
    if (!error)
        rv_json_raw(writer, json, len);
    rv_json_object_end(writer);
    return error;
}

static int write_result(struct rv_json_writer *writer, const struct reeve_message *message,
                        struct rv_buffer *scratch)
{
    const bool blank = rv_encode_blank(message->text, message->text_len);
    int error;

    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "tool_result");
    rv_json_key(writer, "tool_use_id");
    error = write_id(writer, message->call_id, scratch);
    if (!blank) {
        rv_json_key(writer, "content");
        rv_json_string(writer, message->text, message->text_len);
    } else if (message->is_error) {
        rv_json_key(writer, "content");
        rv_json_text(writer, no_text);
    }
    if (message->is_error) {
        rv_json_key(writer, "is_error");
        rv_json_bool(writer, true);
    }
    rv_json_object_end(writer);
    return error;
}

static void write_reasoning(struct rv_json_writer *writer, const struct rv_part *part)
{
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    if (part->kind == RV_PART_SEALED) {
        rv_json_text(writer, "redacted_thinking");
        rv_json_key(writer, "data");
    } else {
        rv_json_text(writer, "thinking");
        rv_json_key(writer, "thinking");
        rv_json_string(writer, part->text, part->len);
        rv_json_key(writer, "signature");
    }
    rv_json_string(writer, part->mark, part->mark_len);
    rv_json_object_end(writer);
}

static void write_image(struct rv_json_writer *writer, const struct rv_part *part)
{
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "image");
    rv_json_key(writer, "source");
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, part->mark_len ? "base64" : "url");
    if (part->mark_len) {
        rv_json_key(writer, "media_type");
        rv_json_string(writer, part->mark, part->mark_len);
    }
    rv_json_key(writer, part->mark_len ? "data" : "url");
    rv_json_string(writer, part->text, part->len);
    rv_json_object_end(writer);
    rv_json_object_end(writer);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Behind the last part that reasoning may stand before. */
static size_t parts_to_send(const struct reeve_message *message)
{
    size_t count = message->part_count;

    while (count) {
        const struct rv_part *part = &message->parts[count - 1];

        if (part->kind == RV_PART_CALL || part->kind == RV_PART_IMAGE ||
            (part->kind == RV_PART_TEXT && !rv_encode_blank(part->text, part->len)))
            break;
        count--;
    }
    return count;
}

static int write_parts(struct rv_json_writer *writer, const struct reeve_message *message,
                       struct rv_json_reader *reader, struct rv_buffer *scratch)
{
    const size_t count = parts_to_send(message);
    size_t i, call = 0;
    int error = 0;

    for (i = 0; i < count && !error; i++) {
        const struct rv_part *part = &message->parts[i];

        switch (part->kind) {
        case RV_PART_TEXT:
            if (!rv_encode_blank(part->text, part->len))
                write_text(writer, part->text, part->len);
            break;
        case RV_PART_CALL:
            error = write_call(writer, &message->calls[call++], reader, scratch);
            break;
        case RV_PART_REASONING:
        case RV_PART_SEALED:
            if (part->mark_len)
                write_reasoning(writer, part);
            break;
        case RV_PART_IMAGE:
            write_image(writer, part);
            break;
        }
    }
    return error;
}

/* What no part tells the order of. */
static int write_plain(struct rv_json_writer *writer, const struct reeve_message *message,
                       struct rv_json_reader *reader, struct rv_buffer *scratch)
{
    size_t i;
    int error = 0;

    if (!rv_encode_blank(message->text, message->text_len))
        write_text(writer, message->text, message->text_len);
    for (i = 0; i < message->call_count && !error; i++)
        error = write_call(writer, &message->calls[i], reader, scratch);
    return error;
}

static int write_message(struct rv_json_writer *writer, const struct reeve_message *message,
                         struct rv_json_reader *reader, struct rv_buffer *scratch)
{
    if (message->role == REEVE_ROLE_TOOL)
        return write_result(writer, message, scratch);
    if (message->role != REEVE_ROLE_ASSISTANT && !parts_to_send(message) &&
        rv_encode_blank(message->text, message->text_len)) {
        write_text(writer, no_text, sizeof no_text - 1);
        return 0;
    }
    if (message->part_count)
        return write_parts(writer, message, reader, scratch);
    return write_plain(writer, message, reader, scratch);
}

/* Make the message's blocks, joined by commas, and keep them. */
static int make_blocks(struct reeve_message *message, struct rv_json_reader *reader)
{
    struct rv_buffer blocks, scratch;
    struct rv_json_writer *writer;
    int error, finished;

    rv_buffer_init(&blocks, message->mem, RV_MAX_REQUEST_BYTES);
    rv_buffer_init(&scratch, message->mem, SIZE_MAX - 1);
    error = rv_json_writer_new(&blocks, &writer);
    if (error)
        return error;
    rv_json_array_begin(writer);
    error = write_message(writer, message, reader, &scratch);
    rv_json_array_end(writer);
    finished = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    if (!error)
        error = finished;
    if (!error)
        error = rv_message_keep_wire(message, RV_WIRE_ANTHROPIC, blocks.data + 1, blocks.len - 2);
    rv_buffer_done(&scratch);
    rv_buffer_done(&blocks);
    return error;
}

/* What stands between the blocks so far and those of this role. */
static int open_content(struct rv_encode_cursor *cursor, enum reeve_role role,
                        struct rv_buffer *out)
{
    const char *name = role == REEVE_ROLE_ASSISTANT ? "assistant" : "user";
    const char *close = cursor->open == REEVE_ROLE_UNKNOWN ? "" : "]},";

    if (cursor->open == role)
        return rv_buffer_add_byte(out, ',');
    cursor->open = role;
    return rv_buffer_printf(out, "%s{\"role\":\"%s\",\"content\":[", close, name);
}

int rv_anthropic_encode_add(const struct rv_request *request, struct rv_encode_cursor *cursor,
                            struct rv_json_reader *reader, struct rv_buffer *out)
{
    struct reeve_message *message = rv_snapshot_at(request->messages, cursor->next);
    const struct rv_wire_bytes *kept = &message->wire[RV_WIRE_ANTHROPIC];
    const enum reeve_role role =
        message->role == REEVE_ROLE_ASSISTANT ? REEVE_ROLE_ASSISTANT : REEVE_ROLE_USER;
    int error = 0;

    /* Written by encode_begin: the first message that is not the system's opens a content. */
    if (message->role == REEVE_ROLE_SYSTEM && cursor->open == REEVE_ROLE_UNKNOWN) {
        cursor->next++;
        return 0;
    }
    if (!kept->bytes)
        error = make_blocks(message, reader);
    if (!error && kept->len)
        error = open_content(cursor, role, out);
    if (!error && kept->len)
        error = rv_buffer_add(out, kept->bytes, kept->len);
    if (!error)
        cursor->next++;
    return error;
}

/* ---- the body -------------------------------------------------------------------------------- */

static void write_system(struct rv_json_writer *writer, const struct rv_snapshot *messages)
{
    const struct reeve_message *message;
    bool open = false;
    size_t i;

    for (i = 0; i < messages->count; i++) {
        message = rv_snapshot_at(messages, i);
        if (message->role != REEVE_ROLE_SYSTEM)
            break;
        if (rv_encode_blank(message->text, message->text_len))
            continue;
        if (!open) {
            rv_json_key(writer, "system");
            rv_json_array_begin(writer);
            open = true;
        }
        write_text(writer, message->text, message->text_len);
    }
    if (open)
        rv_json_array_end(writer);
}

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
    if (request->stop_count) {
        rv_json_key(writer, "stop_sequences");
        rv_json_array_begin(writer);
        for (i = 0; i < request->stop_count; i++)
            rv_json_text(writer, request->stop[i]);
        rv_json_array_end(writer);
    }
}

static void write_output_config(struct rv_json_writer *writer, const struct rv_request *request)
{
    rv_json_key(writer, "output_config");
    rv_json_object_begin(writer);
    rv_json_key(writer, "format");
    rv_json_object_begin(writer);
    rv_json_key(writer, "type");
    rv_json_text(writer, "json_schema");
    rv_json_key(writer, "schema");
    rv_json_raw(writer, request->schema, strlen(request->schema));
    rv_json_object_end(writer);
    rv_json_object_end(writer);
}

static void write_settings(struct rv_json_writer *writer, const struct rv_request *request)
{
    rv_json_key(writer, "model");
    rv_json_text(writer, request->model);
    rv_json_key(writer, "max_tokens");
    rv_json_int64(writer, request->max_output_tokens ? request->max_output_tokens
                                                     : (int64_t)DEFAULT_MAX_TOKENS);
    write_sampling(writer, request);
    if (request->stream) {
        rv_json_key(writer, "stream");
        rv_json_bool(writer, true);
    }
    if (request->schema)
        write_output_config(writer, request);
    if (request->tools_json) {
        write_tool_choice(writer, request);
        rv_json_key(writer, "tools");
        rv_json_raw(writer, request->tools_json, request->tools_json_len);
    }
    write_system(writer, request->messages);
}

int rv_anthropic_encode_begin(const struct rv_request *request, struct rv_buffer *out)
{
    return rv_encode_open(request, write_settings, out);
}

int rv_anthropic_encode_end(const struct rv_request *request, const struct rv_encode_cursor *cursor,
                            struct rv_buffer *out)
{
    (void)request;
    return rv_buffer_add_text(out, cursor->open == REEVE_ROLE_UNKNOWN ? "]}" : "]}]}");
}
