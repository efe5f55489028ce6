/* SPDX-License-Identifier: MIT */
/* A growing run of bytes with a cap given at birth. */
#include "base/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <reeve/error.h>

enum { SMALLEST_BYTES = 64 };

void rv_buffer_init(struct rv_buffer *buffer, struct rv_mem *mem, size_t max_bytes)
{
    *buffer = (struct rv_buffer){.mem = mem, .max = max_bytes};
}

void rv_buffer_done(struct rv_buffer *buffer)
{
    rv_free(buffer->mem, buffer->data);
    buffer->data = NULL;
    buffer->len = 0;
    buffer->capacity = 0;
}

void rv_buffer_clear(struct rv_buffer *buffer)
{
    buffer->len = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

const char *rv_buffer_text(const struct rv_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

int rv_buffer_reserve(struct rv_buffer *buffer, size_t more)
{
    size_t wanted, grown;
    char *data;

    if (more > buffer->max - buffer->len)
        return REEVE_ETOOBIG;
    if (!rv_size_add(buffer->len, more, &wanted) || !rv_size_add(wanted, 1, &wanted))
        return REEVE_ETOOBIG;
    if (wanted <= buffer->capacity)
        return 0;
    grown = buffer->capacity ? buffer->capacity : SMALLEST_BYTES;
    if (!rv_size_add(grown, grown / 2, &grown) || grown < wanted)
        grown = wanted;
    data = rv_realloc(buffer->mem, buffer->data, grown);
    if (!data)
        return REEVE_ENOMEM;
    buffer->data = data;
    buffer->capacity = grown;
    data[buffer->len] = '\0';
    return 0;
}

void rv_buffer_fit(struct rv_buffer *buffer)
{
    const size_t wanted = buffer->len + 1;
    char *data;

    if (buffer->capacity < wanted + SMALLEST_BYTES)
        return;
    data = rv_memdup(buffer->mem, buffer->data, buffer->len);
    if (!data)
        return;
    rv_free(buffer->mem, buffer->data);
    buffer->data = data;
    buffer->capacity = wanted;
}

int rv_buffer_add(struct rv_buffer *buffer, const void *bytes, size_t len)
{
    int error = rv_buffer_reserve(buffer, len);

    if (error)
        return error;
    if (len)
        memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
    return 0;
}

int rv_buffer_add_text(struct rv_buffer *buffer, const char *text)
{
    return rv_buffer_add(buffer, text, strlen(text));
}

int rv_buffer_add_byte(struct rv_buffer *buffer, char byte)
{
    return rv_buffer_add(buffer, &byte, 1);
}

int rv_buffer_printf(struct rv_buffer *buffer, const char *format, ...)
{
    va_list args;
    int error;

    va_start(args, format);
    error = rv_buffer_vprintf(buffer, format, args);
    va_end(args);
    return error;
}

int rv_buffer_vprintf(struct rv_buffer *buffer, const char *format, va_list args)
{
    va_list again;
    int len, error;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return REEVE_EINVAL;
    error = rv_buffer_reserve(buffer, (size_t)len);
    if (error)
        return error;
    vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
    buffer->len += (size_t)len;
    return 0;
}

void rv_buffer_truncate(struct rv_buffer *buffer, size_t len)
{
    assert(len <= buffer->len);
    buffer->len = len;
    if (buffer->data)
        buffer->data[len] = '\0';
}

void rv_buffer_drop(struct rv_buffer *buffer, size_t len)
{
    assert(len <= buffer->len);
    if (!len)
        return;
    memmove(buffer->data, buffer->data + len, buffer->len - len + 1);
    buffer->len -= len;
}

char *rv_buffer_steal(struct rv_buffer *buffer, size_t *ret_len)
{
    char *data = buffer->data;

    if (ret_len)
        *ret_len = buffer->len;
    buffer->data = NULL;
    buffer->len = 0;
    buffer->capacity = 0;
    return data;
}
