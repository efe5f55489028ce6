/* SPDX-License-Identifier: MIT */
/*
 * Text that grows up to a cap, and the few things the scripted model needs to know about bytes:
 * where a UTF-8 character ends, what a word is.
 *
 * An append that fails (no memory, or past the cap) leaves the text as it was and is remembered in
 * `failed`, so that a writer appends freely and asks once at the end.
 */
#ifndef MS_SERVER_TEXT_H
#define MS_SERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of somebody else's text; not terminated. */
struct ms_span {
    const char *s;
    size_t len;
};

struct ms_text {
    char *data; /* always terminated; NULL while nothing was appended */
    size_t len;
    size_t room_bytes;
    size_t cap_bytes;
    bool failed;
};

void ms_text_init(struct ms_text *text, size_t cap_bytes);
void ms_text_done(struct ms_text *text);

/* Forgets the content and a failure, keeps the memory. */
void ms_text_clear(struct ms_text *text);

void ms_text_add(struct ms_text *text, const char *bytes, size_t len);
void ms_text_add_string(struct ms_text *text, const char *string);
void ms_text_add_span(struct ms_text *text, struct ms_span span);
void ms_text_addf(struct ms_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The text as a string, "" while it is empty. */
const char *ms_text_string(const struct ms_text *text);

/* The longest start of the `len` bytes at `s` that is at most `max_bytes` long and does not end
 * inside a UTF-8 character; at least one whole character, so that a loop over it moves on. */
size_t ms_utf8_cut(const char *s, size_t len, size_t max_bytes);

struct ms_span ms_span_of(const char *string);
bool ms_span_is(struct ms_span span, const char *string);        /* equal, letter case counts */
bool ms_span_is_nocase(struct ms_span span, const char *string); /* equal but for ASCII case */
bool ms_span_equal(struct ms_span a, struct ms_span b);

/* Equal as words of a question: ASCII case and a plural's s do not count. */
bool ms_word_matches(struct ms_span a, struct ms_span b);

/* The next word (letters, digits, `_`, any byte beyond ASCII) at or after *offset, which moves
 * behind it. False at the end. */
bool ms_word_next(struct ms_span text, size_t *offset, struct ms_span *ret_word);

/* The next line at or after *offset, without its line end. False at the end. */
bool ms_line_next(struct ms_span text, size_t *offset, struct ms_span *ret_line);

/* True when the span is one of the words of a list that ends with NULL. */
bool ms_span_in(struct ms_span span, const char *const *list);

struct ms_span ms_span_trim(struct ms_span span, const char *away);

/* FNV-1a, to be continued with its own result. */
#define MS_HASH_START 0xcbf29ce484222325u
uint64_t ms_hash(uint64_t hash, const char *bytes, size_t len);

/* A copy as a string of its own, NULL without memory. */
char *ms_span_copy(struct ms_span span);

#endif
