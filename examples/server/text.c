/* SPDX-License-Identifier: MIT */
/* Growing text, spans of it, words and lines. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ms_text_init(struct ms_text *text, size_t cap_bytes)
{
    *text = (struct ms_text){.cap_bytes = cap_bytes};
}

void ms_text_done(struct ms_text *text)
{
    free(text->data);
    ms_text_init(text, text->cap_bytes);
}

void ms_text_clear(struct ms_text *text)
{
    text->len = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = '\0';
}

/* Room for `more` bytes and the terminator. */
static bool reserve(struct ms_text *text, size_t more)
{
    size_t room = text->room_bytes ? text->room_bytes : 64;
    char *data;

    if (more > text->cap_bytes || text->len > text->cap_bytes - more)
        return false;
    if (text->room_bytes > text->len + more)
        return true;
    while (room <= text->len + more) {
        if (room > (size_t)-1 / 2)
            return false;
        room *= 2;
    }
    data = realloc(text->data, room);
    if (!data)
        return false;
    text->data = data;
    text->room_bytes = room;
    return true;
}

void ms_text_add(struct ms_text *text, const char *bytes, size_t len)
{
    if (text->failed || !reserve(text, len)) {
        text->failed = true;
        return;
    }
    if (len > 0)
        memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void ms_text_add_string(struct ms_text *text, const char *string)
{
    ms_text_add(text, string, strlen(string));
}

void ms_text_add_span(struct ms_text *text, struct ms_span span)
{
    ms_text_add(text, span.s, span.len);
}

void ms_text_addf(struct ms_text *text, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || text->failed || !reserve(text, (size_t)len)) {
        text->failed = true;
    } else {
        vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

const char *ms_text_string(const struct ms_text *text)
{
    return text->data ? text->data : "";
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t ms_utf8_cut(const char *s, size_t len, size_t max_bytes)
{
    size_t cut = max_bytes;

    if (len <= max_bytes)
        return len;
    while (cut > 0 && is_continuation(s[cut]))
        cut--;
    if (cut > 0)
        return cut;
    cut = 1;
    while (cut < len && is_continuation(s[cut]))
        cut++;
    return cut;
}

struct ms_span ms_span_of(const char *string)
{
    return (struct ms_span){string, string ? strlen(string) : 0};
}

bool ms_span_equal(struct ms_span a, struct ms_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

bool ms_span_is(struct ms_span span, const char *string)
{
    return ms_span_equal(span, ms_span_of(string));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_nocase(struct ms_span a, struct ms_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.s[i]) != lower(b.s[i]))
            return false;
    return true;
}

bool ms_span_is_nocase(struct ms_span span, const char *string)
{
    return equal_nocase(span, ms_span_of(string));
}

/* Short words keep their s: "is" and "as" are no plurals. */
static struct ms_span without_plural(struct ms_span word)
{
    if (word.len > 3 && lower(word.s[word.len - 1]) == 's')
        word.len--;
    return word;
}

bool ms_word_matches(struct ms_span a, struct ms_span b)
{
    return equal_nocase(without_plural(a), without_plural(b));
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           ((unsigned char)c & 0x80);
}

bool ms_word_next(struct ms_span text, size_t *offset, struct ms_span *ret_word)
{
    size_t start = *offset;
    size_t end;

    while (start < text.len && !is_word_byte(text.s[start]))
        start++;
    end = start;
    while (end < text.len && is_word_byte(text.s[end]))
        end++;
    *offset = end;
    if (end == start)
        return false;
    *ret_word = (struct ms_span){text.s + start, end - start};
    return true;
}

bool ms_line_next(struct ms_span text, size_t *offset, struct ms_span *ret_line)
{
    const char *start;
    const char *end;
    size_t len;

    if (*offset >= text.len)
        return false;
    start = text.s + *offset;
    end = memchr(start, '\n', text.len - *offset);
    len = end ? (size_t)(end - start) : text.len - *offset;
    *offset += len + (end ? 1 : 0);
    if (len > 0 && start[len - 1] == '\r')
        len--;
    *ret_line = (struct ms_span){start, len};
    return true;
}

bool ms_span_in(struct ms_span span, const char *const *list)
{
    for (; *list; list++)
        if (ms_span_is_nocase(span, *list))
            return true;
    return false;
}

struct ms_span ms_span_trim(struct ms_span span, const char *away)
{
    while (span.len > 0 && strchr(away, span.s[0]) && span.s[0]) {
        span.s++;
        span.len--;
    }
    while (span.len > 0 && span.s[span.len - 1] && strchr(away, span.s[span.len - 1]))
        span.len--;
    return span;
}

uint64_t ms_hash(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        hash ^= (unsigned char)bytes[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}

char *ms_span_copy(struct ms_span span)
{
    char *copy = malloc(span.len + 1);

    if (!copy)
        return NULL;
    if (span.len > 0)
        memcpy(copy, span.s, span.len);
    copy[span.len] = '\0';
    return copy;
}
