/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events. What comes out is compared with a second parser, which is written after the
 * standard's text, one step after the other over the whole stream, and with every other way to cut
 * the stream. With a cap that the stream may pass, the outcome is the same however it is cut.
 */
#include "tests/fuzz/fuzz.h"

#include <reeve/error.h>
#include <string.h>

#include "io/sse.h"

/* ---- by the standard ----------------------------------------------------------------------------
 */

struct reference {
    struct rv_buffer data, type, id, last_id;
    struct rv_buffer *events;
    int64_t retry_ms;
};

static void note_event(struct rv_buffer *events, const char *type, const char *id, const char *data,
                       size_t len)
{
    fuzz_note_printf(events, "type %s\nid %s\ndata %zu ", type, id, len);
    fuzz_note(events, data, len);
    fuzz_note(events, "\n", 1);
}

/*
 * The standard lets a type hold NUL, as any other character. A type is told as a C text, so that
 * one with a NUL ends there: no host compares it with more than the names it knows, and none of
 * these is lost or made by it but by a server that sent it up to the NUL. Data has its length
 * beside it.
 */
static void reference_dispatch(struct reference *ref)
{
    rv_buffer_clear(&ref->last_id);
    fuzz_note(&ref->last_id, rv_buffer_text(&ref->id), ref->id.len);
    if (ref->data.len)
        note_event(ref->events, ref->type.len ? ref->type.data : "message",
                   rv_buffer_text(&ref->last_id), ref->data.data, ref->data.len - 1);
    rv_buffer_clear(&ref->data);
    rv_buffer_clear(&ref->type);
}

static void set(struct rv_buffer *buffer, const char *value, size_t len)
{
    rv_buffer_clear(buffer);
    fuzz_note(buffer, value, len);
}

static void reference_retry(struct reference *ref, const char *value, size_t len)
{
    int64_t ms = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return;
        if (__builtin_mul_overflow(ms, 10, &ms) || __builtin_add_overflow(ms, value[i] - '0', &ms))
            ms = INT64_MAX / 10;
    }
    if (len && len < 18)
        ref->retry_ms = ms;
    else if (len)
        ref->retry_ms = -2; /* no matter what */
}

static void reference_line(struct reference *ref, const char *line, size_t len)
{
    const char *colon = len ? memchr(line, ':', len) : NULL;
    const size_t name_len = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : "";
    size_t value_len = colon ? len - name_len - 1 : 0;

    if (!len) {
        reference_dispatch(ref);
        return;
    }
    if (value_len && *value == ' ') {
        value++;
        value_len--;
    }
    if (name_len == 4 && !memcmp(line, "data", 4)) {
        fuzz_note(&ref->data, value, value_len);
        fuzz_note(&ref->data, "\n", 1);
    } else if (name_len == 5 && !memcmp(line, "event", 5)) {
        set(&ref->type, value, value_len);
    } else if (name_len == 2 && !memcmp(line, "id", 2)) {
        if (!value_len || !memchr(value, 0, value_len))
            set(&ref->id, value, value_len);
    } else if (name_len == 5 && !memcmp(line, "retry", 5)) {
        reference_retry(ref, value, value_len);
    }
}

/* Lines end with CR LF, LF or CR; what stands behind the last end is dropped. */
static void reference_run(struct reference *ref, const char *bytes, size_t len)
{
    size_t at = len >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
    size_t start = at;

    for (; at < len; at++) {
        if (bytes[at] != '\n' && bytes[at] != '\r')
            continue;
        reference_line(ref, bytes + start, at - start);
        if (bytes[at] == '\r' && at + 1 < len && bytes[at + 1] == '\n')
            at++;
        start = at + 1;
    }
}

static int64_t reference_events(const char *bytes, size_t len, struct rv_buffer *events)
{
    struct reference ref = {.events = events, .retry_ms = -1};
    struct rv_buffer *own[] = {&ref.data, &ref.type, &ref.id, &ref.last_id};
    size_t i;

    for (i = 0; i < 4; i++)
        fuzz_note_init(own[i]);
    reference_run(&ref, bytes, len);
    for (i = 0; i < 4; i++)
        fuzz_note_done(own[i]);
    return ref.retry_ms;
}

/* ---- by the library -----------------------------------------------------------------------------
 */

struct outcome {
    struct rv_buffer events;
    size_t count;
    size_t stop_at; /* refuse the event with this number; 0: none */
    size_t max_bytes;
    int64_t retry_ms;
    int error;
};

static int take_event(const struct rv_sse_event *event, void *arg)
{
    struct outcome *outcome = arg;

    FUZZ_CHECK(event->data_len <= outcome->max_bytes);
    FUZZ_CHECK(strlen(event->type) <= outcome->max_bytes || !strcmp(event->type, "message"));
    FUZZ_CHECK(event->data[event->data_len] == '\0');
    if (++outcome->count == outcome->stop_at)
        return 77;
    note_event(&outcome->events, event->type, event->id, event->data, event->data_len);
    return 0;
}

static void parse(const char *bytes, size_t len, enum fuzz_cut cut, size_t max_bytes,
                  struct outcome *outcome)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    struct fuzz_memory memory;
    struct rv_mem *mem;
    struct rv_sse sse;
    size_t at, piece;
    int error = 0;

    fuzz_memory_init(&memory);
    fuzz_note_init(&outcome->events);
    outcome->count = 0;
    outcome->max_bytes = max_bytes;
    FUZZ_CHECK(!rv_mem_new(&memory.allocator, &mem));
    rv_sse_init(&sse, mem, max_bytes, take_event, outcome);
    for (at = 0; at < len && !error; at += piece) {
        piece = fuzz_piece(cut, &random, len - at);
        error = rv_sse_feed(&sse, bytes + at, piece);
    }
    if (error)
        FUZZ_CHECK(rv_sse_feed(&sse, "data: x\n\n", 9) == error, "an error does not last");
    outcome->error = error;
    outcome->retry_ms = sse.retry_ms;
    rv_sse_done(&sse);
    rv_mem_unref(mem);
    fuzz_memory_done(&memory);
    /* Five buffers, each of which may have grown to twice its cap, and an old one while it grows.
     */
    FUZZ_CHECK(memory.peak_bytes <= 12 * (max_bytes < len ? max_bytes : len) + 4096, "%zu bytes",
               memory.peak_bytes);
}

static void expect_same(const struct outcome *a, const struct outcome *b, enum fuzz_cut cut)
{
    FUZZ_CHECK(a->error == b->error, "cut %d: %d, not %d", cut, b->error, a->error);
    FUZZ_CHECK(fuzz_note_equal(&a->events, &b->events), "cut %d: [%s], not [%s]", cut,
               rv_buffer_text(&b->events), rv_buffer_text(&a->events));
    FUZZ_CHECK(a->error || a->retry_ms == b->retry_ms, "cut %d", cut);
}

static void compare_cuts(const char *bytes, size_t len, size_t max_bytes, size_t stop_at,
                         struct outcome *whole)
{
    struct outcome other = {.stop_at = stop_at};
    enum fuzz_cut cut;

    whole->stop_at = stop_at;
    parse(bytes, len, FUZZ_WHOLE, max_bytes, whole);
    for (cut = FUZZ_RANDOM_PIECES; cut < FUZZ_CUT_COUNT; cut++) {
        parse(bytes, len, cut, max_bytes, &other);
        expect_same(whole, &other, cut);
        fuzz_note_done(&other.events);
    }
}

void fuzz_sse(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    struct rv_buffer reference;
    struct outcome outcome = {0};
    int64_t retry_ms;

    (void)target;
    fuzz_note_init(&reference);
    retry_ms = reference_events(bytes, len, &reference);
    compare_cuts(bytes, len, len + 1, 0, &outcome);
    FUZZ_CHECK(!outcome.error);
    FUZZ_CHECK(fuzz_note_equal(&outcome.events, &reference), "[%s], not [%s]",
               rv_buffer_text(&outcome.events), rv_buffer_text(&reference));
    FUZZ_CHECK(retry_ms == -2 || outcome.retry_ms == retry_ms);
    fuzz_note_done(&outcome.events);
    fuzz_note_done(&reference);
    compare_cuts(bytes, len, 1 + fuzz_random_below(&random, len + 1), fuzz_random_below(&random, 4),
                 &outcome);
    FUZZ_CHECK(!outcome.error || outcome.error == REEVE_ETOOBIG || outcome.error == 77);
    fuzz_note_done(&outcome.events);
}
