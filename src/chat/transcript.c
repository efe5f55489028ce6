/* SPDX-License-Identifier: MIT */
/* Transcripts: shared vectors of messages, copied when they must be. */
#include "chat/transcript.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include <reeve/error.h>

#include "base/buffer.h"
#include "base/export.h"
#include "base/utf8.h"
#include "loop/runtime.h"

enum { SMALLEST_VECTOR = 16 };

struct rv_message_vector {
    struct rv_mem *mem;
    size_t refs;
    size_t count; /* messages that stand here, each with a reference */
    size_t capacity;
    struct reeve_message *items[];
};

struct reeve_transcript {
    struct rv_mem *mem;
    struct rv_snapshot messages;
    struct rv_check check;
};

static size_t vector_bytes(size_t capacity)
{
    size_t bytes;

    if (!rv_size_mul(capacity, sizeof(struct reeve_message *), &bytes) ||
        !rv_size_add(bytes, sizeof(struct rv_message_vector), &bytes))
        return 0;
    return bytes;
}

static void vector_unref(struct rv_message_vector *vector)
{
    struct rv_mem *mem;
    size_t i;

    if (!vector || --vector->refs)
        return;
    mem = vector->mem;
    for (i = 0; i < vector->count; i++)
        rv_message_unref(vector->items[i]);
    rv_free(mem, vector);
    rv_mem_unref(mem);
}

/* A vector of our own with the messages of the view. NULL: no memory. */
static struct rv_message_vector *vector_clone(struct rv_mem *mem, const struct rv_snapshot *view,
                                              size_t capacity)
{
    const size_t bytes = vector_bytes(capacity);
    struct rv_message_vector *clone = bytes ? rv_alloc(mem, bytes) : NULL;
    size_t i;

    if (!clone)
        return NULL;
    clone->mem = rv_mem_ref(mem);
    clone->refs = 1;
    clone->count = view->count;
    clone->capacity = capacity;
    for (i = 0; i < view->count; i++)
        clone->items[i] = rv_message_ref(view->vector->items[i]);
    return clone;
}

/* Replace the view's vector by one that is its own and has the capacity. */
static int make_own(struct reeve_transcript *transcript, size_t capacity)
{
    struct rv_message_vector *own = vector_clone(transcript->mem, &transcript->messages, capacity);

    if (!own)
        return REEVE_ENOMEM;
    vector_unref(transcript->messages.vector);
    transcript->messages.vector = own;
    return 0;
}

static int grow(struct reeve_transcript *transcript, size_t capacity)
{
    struct rv_message_vector *vector = transcript->messages.vector;
    const size_t bytes = vector_bytes(capacity);

    if (vector->refs > 1)
        return make_own(transcript, capacity);
    vector = bytes ? rv_realloc(transcript->mem, vector, bytes) : NULL;
    if (!vector)
        return REEVE_ENOMEM;
    vector->capacity = capacity;
    transcript->messages.vector = vector;
    return 0;
}

/* Room for one more message behind the last one of the view. */
static int reserve(struct reeve_transcript *transcript)
{
    struct rv_message_vector *vector = transcript->messages.vector;
    const size_t count = transcript->messages.count;
    size_t larger = SMALLEST_VECTOR;

    if (count >= SMALLEST_VECTOR && !rv_size_add(count, count / 2, &larger))
        return REEVE_ENOMEM;
    if (!vector || vector->count != count)
        return make_own(transcript, larger);
    return count < vector->capacity ? 0 : grow(transcript, larger);
}

RV_EXPORT int reeve_transcript_new(struct reeve_runtime *runtime,
                                   struct reeve_transcript **ret_transcript)
{
    struct reeve_transcript *transcript;
    struct rv_mem *mem;

    if (!runtime || !ret_transcript)
        return REEVE_EINVAL;
    mem = rv_runtime_mem(runtime);
    transcript = rv_zalloc(mem, sizeof *transcript);
    if (!transcript)
        return REEVE_ENOMEM;
    transcript->mem = rv_mem_ref(mem);
    rv_check_init(&transcript->check, mem);
    *ret_transcript = transcript;
    return 0;
}

/* The state of `from`'s check for the new transcript `to`. */
static int copy_check(const struct rv_check *from, struct rv_check *to)
{
    *to = *from;
    to->more = NULL;
    if (!from->more_words)
        return 0;
    to->more = rv_alloc(to->mem, from->more_words * sizeof *to->more);
    if (!to->more)
        return REEVE_ENOMEM;
    memcpy(to->more, from->more, from->more_words * sizeof *to->more);
    return 0;
}

RV_EXPORT int reeve_transcript_copy(const struct reeve_transcript *transcript,
                                    struct reeve_transcript **ret_transcript)
{
    struct reeve_transcript *copy;

    if (!transcript || !ret_transcript)
        return REEVE_EINVAL;
    copy = rv_zalloc(transcript->mem, sizeof *copy);
    if (!copy)
        return REEVE_ENOMEM;
    if (copy_check(&transcript->check, &copy->check)) {
        rv_free(transcript->mem, copy);
        return REEVE_ENOMEM;
    }
    copy->mem = rv_mem_ref(transcript->mem);
    rv_transcript_snapshot(transcript, &copy->messages);
    *ret_transcript = copy;
    return 0;
}

RV_EXPORT void reeve_transcript_free(struct reeve_transcript *transcript)
{
    struct rv_mem *mem;

    if (!transcript)
        return;
    mem = transcript->mem;
    rv_snapshot_done(&transcript->messages);
    rv_check_done(&transcript->check);
    rv_free(mem, transcript);
    rv_mem_unref(mem);
}

void rv_transcript_snapshot(const struct reeve_transcript *transcript,
                            struct rv_snapshot *ret_snapshot)
{
    *ret_snapshot = transcript->messages;
    if (ret_snapshot->vector)
        ret_snapshot->vector->refs++;
}

void rv_snapshot_done(struct rv_snapshot *snapshot)
{
    vector_unref(snapshot->vector);
    *snapshot = (struct rv_snapshot){0};
}

struct reeve_message *rv_snapshot_at(const struct rv_snapshot *snapshot, size_t index)
{
    return index < snapshot->count ? snapshot->vector->items[index] : NULL;
}

/* The message whose calls are not all answered, or NULL. */
static struct reeve_message *asked_message(const struct reeve_transcript *transcript)
{
    return rv_snapshot_at(&transcript->messages, transcript->check.asked);
}

int rv_transcript_take(struct reeve_transcript *transcript, struct reeve_message *message)
{
    struct rv_message_vector *vector;
    int error = rv_check_reserve(&transcript->check, message);

    if (!error)
        error = reserve(transcript);
    if (error)
        return error;
    rv_check_add(&transcript->check, message, asked_message(transcript));
    vector = transcript->messages.vector;
    vector->items[vector->count++] = message;
    transcript->messages.count++;
    return 0;
}

static int add_parts(struct reeve_transcript *transcript, const struct rv_message_parts *parts)
{
    struct reeve_message *message;
    int error = rv_message_new(transcript->mem, parts, &message);

    if (error)
        return error;
    error = rv_transcript_take(transcript, message);
    if (error)
        rv_message_unref(message);
    return error;
}

RV_EXPORT int reeve_transcript_add(struct reeve_transcript *transcript, enum reeve_role role,
                                   const char *text, size_t len)
{
    const struct rv_message_parts parts = {.role = role, .text = text, .text_len = len};

    if (!transcript)
        return REEVE_EINVAL;
    if (role != REEVE_ROLE_SYSTEM && role != REEVE_ROLE_USER && role != REEVE_ROLE_ASSISTANT)
        return REEVE_EINVAL;
    return add_parts(transcript, &parts);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static bool is_url(const char *text, size_t len)
{
    size_t i;

    if (!(len > 7 && !strncasecmp(text, "http://", 7)) &&
        !(len > 8 && !strncasecmp(text, "https://", 8)))
        return false;
    for (i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F)
            return false;
    return rv_utf8_valid(text, len);
}

static bool is_base64(const char *text, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t data = len;
    size_t i;

    while (data && len - data < 2 && text[data - 1] == '=')
        data--;
    for (i = 0; i < data; i++)
        if (!text[i] || !strchr(letters, text[i]))
            return false;
    return len && len % 4 == 0;
}

static bool is_image_type(const char *type)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.+-";
    static const char prefix[] = "image/";
    const size_t len = sizeof prefix - 1;

    return type && !strncmp(type, prefix, len) && type[len] &&
           strspn(type + len, letters) == strlen(type + len);
}

static bool part_valid(const struct reeve_part *part)
{
    if (!part->text && part->len)
        return false;
    switch (part->kind) {
    case REEVE_PART_TEXT:
        return true;
    case REEVE_PART_IMAGE_URL:
        return is_url(part->text, part->len);
    case REEVE_PART_IMAGE_BASE64:
        return is_base64(part->text, part->len) && is_image_type(part->media_type);
    case REEVE_PART_UNKNOWN:
        break;
    }
    return false;
}

/* `text` gets the texts, joined; each of `to` what it is of them. */
static int convert_parts(const struct reeve_part *parts, size_t count, struct rv_buffer *text,
                         struct rv_part *to)
{
    size_t i, start;
    int error = 0;

    for (i = 0; i < count && !error; i++) {
        to[i] = (struct rv_part){.kind = RV_PART_IMAGE, .text = parts[i].text, .len = parts[i].len};
        if (parts[i].kind == REEVE_PART_IMAGE_BASE64) {
            to[i].mark = parts[i].media_type;
            to[i].mark_len = strlen(parts[i].media_type);
        } else if (parts[i].kind == REEVE_PART_TEXT) {
            start = text->len;
            error = rv_utf8_add_repaired(text, parts[i].text, parts[i].len);
            to[i] = (struct rv_part){.kind = RV_PART_TEXT, .len = text->len - start};
        }
    }
    return error;
}

RV_EXPORT int reeve_transcript_add_parts(struct reeve_transcript *transcript,
                                         const struct reeve_part *parts, size_t count)
{
    struct rv_message_parts message = {.role = REEVE_ROLE_USER, .part_count = count};
    struct rv_buffer text;
    struct rv_part *converted;
    size_t i;
    int error;

    if (!transcript || !parts || !count)
        return REEVE_EINVAL;
    for (i = 0; i < count; i++)
        if (!part_valid(&parts[i]))
            return REEVE_EINVAL;
    converted = rv_alloc_array(transcript->mem, count, sizeof *converted);
    if (!converted)
        return REEVE_ENOMEM;
    rv_buffer_init(&text, transcript->mem, SIZE_MAX / 2);
    error = convert_parts(parts, count, &text, converted);
    message.text = rv_buffer_text(&text);
    message.text_len = text.len;
    message.parts = converted;
    if (!error)
        error = add_parts(transcript, &message);
    rv_buffer_done(&text);
    rv_free(transcript->mem, converted);
    return error == REEVE_ETOOBIG ? REEVE_ENOMEM : error;
}

RV_EXPORT int reeve_transcript_add_calls(struct reeve_transcript *transcript, const char *text,
                                         size_t len, const struct reeve_call *calls, size_t count)
{
    const struct rv_message_parts parts = {
        .role = REEVE_ROLE_ASSISTANT,
        .text = text,
        .text_len = len,
        .calls = calls,
        .call_count = count,
    };

    if (!transcript || !calls || !count)
        return REEVE_EINVAL;
    return add_parts(transcript, &parts);
}

RV_EXPORT int reeve_transcript_add_result(struct reeve_transcript *transcript, const char *call_id,
                                          const char *text, size_t len, int is_error)
{
    const struct rv_message_parts parts = {
        .role = REEVE_ROLE_TOOL,
        .text = text,
        .text_len = len,
        .call_id = call_id,
        .is_error = is_error != 0,
    };
    const struct reeve_message *asked;
    size_t index;

    if (!transcript || !call_id)
        return REEVE_EINVAL;
    asked = asked_message(transcript);
    index = asked ? rv_message_find_call(asked, call_id) : SIZE_MAX;
    if (index == SIZE_MAX || !rv_check_waits(&transcript->check, index))
        return REEVE_ENOTFOUND;
    return add_parts(transcript, &parts);
}

int rv_transcript_replace_result(struct reeve_transcript *transcript, size_t index,
                                 const char *text, size_t len, int is_error)
{
    struct reeve_message *old = rv_snapshot_at(&transcript->messages, index);
    struct rv_message_parts parts = {.role = REEVE_ROLE_TOOL, .text = text, .text_len = len};
    struct reeve_message *message;
    int error;

    if (!old || old->role != REEVE_ROLE_TOOL)
        return REEVE_EINVAL;
    parts.call_id = old->call_id;
    parts.is_error = is_error != 0;
    error = rv_message_new(transcript->mem, &parts, &message);
    if (error)
        return error;
    if (transcript->messages.vector->refs > 1 &&
        make_own(transcript, transcript->messages.vector->capacity)) {
        rv_message_unref(message);
        return REEVE_ENOMEM;
    }
    transcript->messages.vector->items[index] = message;
    rv_message_unref(old);
    return 0;
}

/* Check the first `count` messages again. Their room was reserved when they came. */
static void check_again(struct reeve_transcript *transcript, size_t count)
{
    struct rv_check *check = &transcript->check;
    struct rv_check fresh;
    size_t i;

    rv_check_init(&fresh, check->mem);
    fresh.more = check->more;
    fresh.more_words = check->more_words;
    *check = fresh;
    for (i = 0; i < count; i++)
        rv_check_add(check, transcript->messages.vector->items[i], asked_message(transcript));
}

void rv_transcript_truncate(struct reeve_transcript *transcript, size_t count)
{
    struct rv_message_vector *vector = transcript->messages.vector;

    if (count >= transcript->messages.count)
        return;
    transcript->messages.count = count;
    check_again(transcript, count);
    if (vector->refs > 1)
        return;
    while (vector->count > count)
        rv_message_unref(vector->items[--vector->count]);
}

RV_EXPORT size_t reeve_transcript_count(const struct reeve_transcript *transcript)
{
    return transcript ? transcript->messages.count : 0;
}

RV_EXPORT const struct reeve_message *reeve_transcript_at(const struct reeve_transcript *transcript,
                                                          size_t index)
{
    return transcript ? rv_snapshot_at(&transcript->messages, index) : NULL;
}

RV_EXPORT int reeve_transcript_check(const struct reeve_transcript *transcript, size_t *ret_bad)
{
    return transcript ? rv_check_verdict(&transcript->check, ret_bad) : REEVE_EINVAL;
}

struct rv_mem *rv_transcript_mem(const struct reeve_transcript *transcript)
{
    return transcript->mem;
}
