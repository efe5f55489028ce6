/* SPDX-License-Identifier: MIT */
/* A growing run of bytes with a cap given at birth. */
#ifndef RV_BASE_BUFFER_H
#define RV_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

#include "base/alloc.h"

struct rv_buffer {
    struct rv_mem *mem;
    char *data; /* NUL-terminated once anything was reserved; may be NULL while len is 0 */
    size_t len;
    size_t capacity;
    size_t max; /* len never passes it */
};

void rv_buffer_init(struct rv_buffer *buffer, struct rv_mem *mem, size_t max_bytes);
void rv_buffer_done(struct rv_buffer *buffer);

/* Forget the content; the memory is kept. */
void rv_buffer_clear(struct rv_buffer *buffer);

/* The content, NUL-terminated, never NULL. */
const char *rv_buffer_text(const struct rv_buffer *buffer);

/*
 * Room for `more` bytes (and a NUL) behind the content. 0, REEVE_ETOOBIG (past the cap) or
 * REEVE_ENOMEM. Growth is geometric. On failure nothing changed; the same for all below.
 */
int rv_buffer_reserve(struct rv_buffer *buffer, size_t more);
int rv_buffer_add(struct rv_buffer *buffer, const void *bytes, size_t len);
int rv_buffer_add_text(struct rv_buffer *buffer, const char *text);
int rv_buffer_add_byte(struct rv_buffer *buffer, char byte);
int rv_buffer_printf(struct rv_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int rv_buffer_vprintf(struct rv_buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/*
 * Move the content to where it just fits, if that is worth it and there is memory for it. For what
 * is kept long: shrunk where it stands it would leave a hole too small for the next of its kind.
 */
void rv_buffer_fit(struct rv_buffer *buffer);

/* Forget what stands behind the first `len` bytes. */
void rv_buffer_truncate(struct rv_buffer *buffer, size_t len);

/* Drop `len` bytes at the front. */
void rv_buffer_drop(struct rv_buffer *buffer, size_t len);

/* Hand the memory to the caller, who frees it with rv_free; the buffer is empty then. May be NULL.
 */
char *rv_buffer_steal(struct rv_buffer *buffer, size_t *ret_len);

#endif
