/* SPDX-License-Identifier: MIT */
/* What the requests of all wire formats have in common. */
#include "model/encode.h"

#include <string.h>

#include <reeve/error.h>

#include "model/torn.h"

enum { MAX_NAME_BYTES = 64 };

int rv_encode_check_object(struct rv_json_reader *reader, const char *json)
{
    const struct reeve_json *value;
    int error;

    rv_json_reader_reset(reader);
    error = rv_json_reader_parse(reader, json, strlen(json), &value);
    if (error)
        return error == REEVE_ENOMEM ? error : REEVE_EINVAL;
    return reeve_json_type(value) == REEVE_JSON_OBJECT ? 0 : REEVE_EINVAL;
}

const char *rv_encode_parameters(const struct reeve_tool_definition *tool)
{
    static const char none[] = "{\"type\":\"object\",\"properties\":{}}";

    return tool->parameters ? tool->parameters : none;
}

int rv_encode_tool_list(const struct reeve_tool_definition *tools, size_t count,
                        struct rv_json_reader *reader,
                        void (*write)(struct rv_json_writer *writer,
                                      const struct reeve_tool_definition *tool),
                        struct rv_buffer *out)
{
    struct rv_json_writer *writer;
    size_t i;
    int error;

    for (i = 0; i < count; i++) {
        if (!tools[i].name || !*tools[i].name)
            return REEVE_EINVAL;
        error = tools[i].parameters ? rv_encode_check_object(reader, tools[i].parameters) : 0;
        if (error)
            return error;
    }
    error = rv_json_writer_new(out, &writer);
    if (error)
        return error;
    rv_json_array_begin(writer);
    for (i = 0; i < count; i++)
        write(writer, &tools[i]);
    rv_json_array_end(writer);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    return error;
}

int rv_encode_open(const struct rv_request *request,
                   void (*write)(struct rv_json_writer *writer, const struct rv_request *request),
                   struct rv_buffer *out)
{
    static const char messages[] = ",\"messages\":[";
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);

    if (error)
        return error;
    rv_json_object_begin(writer);
    write(writer, request);
    rv_json_object_end(writer);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    if (error)
        return error;
    /* The object goes on with its last member, which is written piece by piece. */
    rv_buffer_truncate(out, out->len - 1);
    if (request->extra)
        error = rv_buffer_add_text(out, request->extra);
    return error ? error : rv_buffer_add(out, messages, sizeof messages - 1);
}

bool rv_encode_blank(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

void rv_encode_name(struct rv_json_writer *writer, const char *name)
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

/* ---- arguments ------------------------------------------------------------------------------- */

/* The object that stands for arguments that are none. */
static int wrap(const struct reeve_call *call, struct rv_buffer *out)
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

static int write_again(const struct reeve_json *value, struct rv_buffer *out)
{
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);

    if (error)
        return error;
    rv_json_value(writer, value);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    return error;
}

int rv_encode_arguments(const struct reeve_call *call, bool as_value, struct rv_json_reader *reader,
                        struct rv_buffer *scratch, const char **ret_json, size_t *ret_len)
{
    const struct reeve_json *value = NULL;
    enum reeve_json_type type = REEVE_JSON_NULL;
    int error = 0;

    *ret_json = "{}";
    *ret_len = 2;
    if (rv_encode_blank(call->arguments, call->arguments_len))
        return 0;
    rv_json_reader_reset(reader);
    error = rv_json_reader_parse(reader, call->arguments, call->arguments_len, &value);
    if (error == REEVE_ENOMEM)
        return error;
    type = error ? REEVE_JSON_NONE : reeve_json_type(value);
    if (type == REEVE_JSON_NULL)
        return 0;
    *ret_json = call->arguments;
    *ret_len = call->arguments_len;
    if (type == REEVE_JSON_OBJECT && !(as_value && rv_torn_found(*ret_json, *ret_len)))
        return 0;
    rv_buffer_clear(scratch);
    error = type == REEVE_JSON_OBJECT ? write_again(value, scratch) : wrap(call, scratch);
    *ret_json = rv_buffer_text(scratch);
    *ret_len = scratch->len;
    return error;
}
