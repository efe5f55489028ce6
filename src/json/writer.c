/* SPDX-License-Identifier: MIT */
/*
 * Values to JSON text, straight into the buffer. Not by yajl_gen: it stops at 128 levels, which
 * arguments of that depth (the reader takes them) pass as soon as they stand in a request; its
 * numbers follow the locale and have 17 digits; and invalid UTF-8 would have to be repaired into a
 * copy first. What is left for it to do is commas.
 *
 * The grammar is kept by two bits for each open container, and by one for the key that waits. The
 * first error stays: everything after it is ignored, and finish tells.
 */
#include "json/writer.h"

#include <string.h>

#include <reeve/error.h>

#include "json/number.h"
#include "json/quote.h"
#include "json/value.h"

enum {
    /* A value as deep as a reader takes it, and as much again around it. */
    DEPTH = 2 * RV_JSON_MAX_DEPTH,
};

enum level {
    ARRAY = 1,  /* else an object */
    FILLED = 2, /* has a member or element already: a comma goes before the next */
};

struct rv_json_writer {
    struct rv_buffer *out;
    size_t start; /* what stood in `out` before */
    int error;
    bool after_key;
    bool complete;
    unsigned depth;
    unsigned char levels[DEPTH]; /* enum level */
};

int rv_json_writer_new(struct rv_buffer *out, struct rv_json_writer **ret_writer)
{
    struct rv_json_writer *writer = rv_alloc(out->mem, sizeof *writer);

    if (!writer)
        return REEVE_ENOMEM;
    writer->out = out;
    writer->start = out->len;
    writer->error = 0;
    writer->after_key = false;
    writer->complete = false;
    writer->depth = 0;
    *ret_writer = writer;
    return 0;
}

void rv_json_writer_free(struct rv_json_writer *writer)
{
    if (writer)
        rv_free(writer->out->mem, writer);
}

static void fail(struct rv_json_writer *writer, int error)
{
    if (!writer->error)
        writer->error = error;
}

static void add(struct rv_json_writer *writer, const char *bytes, size_t len)
{
    int error = writer->error ? 0 : rv_buffer_add(writer->out, bytes, len);

    if (error)
        fail(writer, error);
}

/* Brackets, commas and colons: most often there is room. */
static void add_byte(struct rv_json_writer *writer, char byte)
{
    struct rv_buffer *out = writer->out;

    if (writer->error || out->len >= out->max || out->capacity - out->len < 2) {
        add(writer, &byte, 1);
        return;
    }
    out->data[out->len++] = byte;
    out->data[out->len] = '\0';
}

static bool in_array(const struct rv_json_writer *writer)
{
    return writer->depth && writer->levels[writer->depth - 1] & ARRAY;
}

static void add_comma(struct rv_json_writer *writer)
{
    unsigned char *level = &writer->levels[writer->depth - 1];

    if (*level & FILLED)
        add_byte(writer, ',');
    *level |= FILLED;
}

/* A value may stand here: behind a key, in an array, or as the whole text. */
static bool before_value(struct rv_json_writer *writer)
{
    if (in_array(writer))
        add_comma(writer);
    else if (writer->depth ? !writer->after_key : writer->complete)
        fail(writer, REEVE_EINVAL);
    writer->after_key = false;
    if (!writer->depth)
        writer->complete = true;
    return !writer->error;
}

static void begin(struct rv_json_writer *writer, char bracket, unsigned char level)
{
    if (!before_value(writer))
        return;
    if (writer->depth == DEPTH) {
        fail(writer, REEVE_ETOOBIG);
        return;
    }
    writer->levels[writer->depth++] = level;
    add_byte(writer, bracket);
}

static void end(struct rv_json_writer *writer, char bracket, unsigned char level)
{
    if (!writer->depth || (writer->levels[writer->depth - 1] & ARRAY) != level || writer->after_key)
        fail(writer, REEVE_EINVAL);
    if (writer->error)
        return;
    writer->depth--;
    add_byte(writer, bracket);
}

void rv_json_object_begin(struct rv_json_writer *writer)
{
    begin(writer, '{', 0);
}

void rv_json_object_end(struct rv_json_writer *writer)
{
    end(writer, '}', 0);
}

void rv_json_array_begin(struct rv_json_writer *writer)
{
    begin(writer, '[', ARRAY);
}

void rv_json_array_end(struct rv_json_writer *writer)
{
    end(writer, ']', ARRAY);
}

static void add_quoted(struct rv_json_writer *writer, const char *bytes, size_t len)
{
    if (!writer->error)
        fail(writer, rv_json_add_quoted(writer->out, bytes, len));
}

void rv_json_key_bytes(struct rv_json_writer *writer, const char *key, size_t len)
{
    if (!writer->depth || in_array(writer) || writer->after_key) {
        fail(writer, REEVE_EINVAL);
        return;
    }
    add_comma(writer);
    writer->after_key = true;
    add_quoted(writer, key, len);
    add_byte(writer, ':');
}

void rv_json_key(struct rv_json_writer *writer, const char *key)
{
    rv_json_key_bytes(writer, key, strlen(key));
}

void rv_json_string(struct rv_json_writer *writer, const char *bytes, size_t len)
{
    if (before_value(writer))
        add_quoted(writer, bytes, len);
}

void rv_json_text(struct rv_json_writer *writer, const char *text)
{
    rv_json_string(writer, text, strlen(text));
}

void rv_json_int64(struct rv_json_writer *writer, int64_t number)
{
    if (before_value(writer))
        fail(writer, rv_number_add_int64(writer->out, number));
}

void rv_json_double(struct rv_json_writer *writer, double number)
{
    if (before_value(writer))
        fail(writer, rv_number_add_double(writer->out, number));
}

void rv_json_bool(struct rv_json_writer *writer, bool value)
{
    rv_json_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void rv_json_null(struct rv_json_writer *writer)
{
    rv_json_raw(writer, "null", 4);
}

void rv_json_raw(struct rv_json_writer *writer, const char *json, size_t len)
{
    if (before_value(writer))
        add(writer, json, len);
}

/* A scalar whole, a container's beginning. */
static void add_value(struct rv_json_writer *writer, const struct reeve_json *value)
{
    switch (reeve_json_type(value)) {
    case REEVE_JSON_OBJECT:
        rv_json_object_begin(writer);
        return;
    case REEVE_JSON_ARRAY:
        rv_json_array_begin(writer);
        return;
    case REEVE_JSON_STRING:
        rv_json_string(writer, value->as.text, value->count);
        return;
    case REEVE_JSON_NUMBER:
        rv_json_raw(writer, value->as.text, value->count);
        return;
    case REEVE_JSON_BOOL:
        rv_json_bool(writer, value->count);
        return;
    case REEVE_JSON_NULL:
        rv_json_null(writer);
        return;
    case REEVE_JSON_NONE:
    default:
        fail(writer, REEVE_EINVAL);
    }
}

static void end_value(struct rv_json_writer *writer, const struct reeve_json *value)
{
    if (value->type == REEVE_JSON_OBJECT)
        rv_json_object_end(writer);
    else
        rv_json_array_end(writer);
}

void rv_json_value(struct rv_json_writer *writer, const struct reeve_json *value)
{
    const struct rv_json_member *member;
    struct rv_json_walk walk;

    add_value(writer, value);
    if (writer->error)
        return;
    rv_json_walk_start(&walk);
    rv_json_walk_enter(&walk, value);
    while (walk.depth && !writer->error) {
        value = rv_json_walk_next(&walk, &member);
        if (!value) {
            end_value(writer, rv_json_walk_leave(&walk));
            continue;
        }
        if (member)
            rv_json_key_bytes(writer, member->key, member->key_len);
        add_value(writer, value);
        rv_json_walk_enter(&walk, value);
    }
}

int rv_json_writer_finish(struct rv_json_writer *writer)
{
    if (!writer->complete || writer->depth)
        fail(writer, REEVE_EINVAL);
    if (writer->error)
        rv_buffer_truncate(writer->out, writer->start);
    return writer->error;
}
