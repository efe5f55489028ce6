/* SPDX-License-Identifier: MIT */
/*
 * Responses without a world around them, which is what a codec's target does most of: thousands in
 * the time of one completion.
 *
 * Any bytes: what comes out is the same however they are cut, and a prefix is an answer only if it
 * was complete there. And a well-formed stream of calls that is made of the input: all of it gives
 * the calls it was made of, to the byte; cut off anywhere before the end of the event that tells
 * why the model stopped it gives none.
 */
#include <reeve/error.h>
#include <string.h>

#include "base/utf8.h"
#include "model/anthropic.h"
#include "model/openai.h"
#include "model/response.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_BYTEWISE = 256, MAX_MADE = 4, MAX_MADE_BYTES = 128, PREFIXES = 8, SEED = 42 };

static const struct rv_problem_place place = {.url = "http://model.test/v1"};

struct outcome {
    struct rv_buffer note, text, calls;
    const char *content_type; /* that the server said; NULL: none */
    bool complete;
    size_t count;
    int error;
};

static void outcome_init(struct outcome *outcome)
{
    *outcome = (struct outcome){.count = 0};
    fuzz_note_init(&outcome->note);
    fuzz_note_init(&outcome->text);
    fuzz_note_init(&outcome->calls);
}

static void outcome_done(struct outcome *outcome)
{
    fuzz_note_done(&outcome->note);
    fuzz_note_done(&outcome->text);
    fuzz_note_done(&outcome->calls);
}

static const struct rv_codec *codec_of(const struct fuzz_target *target)
{
    return target->provider == REEVE_PROVIDER_ANTHROPIC ? &rv_codec_anthropic : &rv_codec_openai;
}

/* ---- one response -------------------------------------------------------------------------------
 */

static int take_text(const char *text, size_t len, void *arg)
{
    struct outcome *outcome = arg;

    FUZZ_CHECK(len && rv_utf8_valid(text, len), "half a character");
    fuzz_note(&outcome->text, text, len);
    return 0;
}

static int take_reasoning(const char *text, size_t len, void *arg)
{
    struct outcome *outcome = arg;

    FUZZ_CHECK(len && rv_utf8_valid(text, len), "half a character");
    fuzz_note(&outcome->note, text, len);
    return 0;
}

static void note_call(struct rv_buffer *calls, const char *id, const char *name,
                      const char *arguments, size_t len)
{
    fuzz_note_printf(calls, "call %s %s %zu ", id, name, len);
    fuzz_note(calls, arguments, len);
}

static void note_answer(struct outcome *outcome, const struct rv_answer *answer)
{
    const struct reeve_usage *usage = &answer->usage;
    size_t i;

    outcome->count = answer->calls.finished_count;
    FUZZ_CHECK(!outcome->error || !outcome->count, "a response that failed has calls");
    FUZZ_CHECK((answer->finish == REEVE_FINISH_NONE) == (outcome->error != 0));
    FUZZ_CHECK(fuzz_note_equal(&answer->text.text, &outcome->text), "[%s], but told [%s]",
               rv_buffer_text(&answer->text.text), rv_buffer_text(&outcome->text));
    for (i = 0; i < outcome->count; i++) {
        const struct reeve_call *call = &answer->calls.finished[i];

        FUZZ_CHECK(call->id[0] && call->name[0]);
        FUZZ_CHECK(rv_utf8_valid(call->arguments, call->arguments_len));
        note_call(&outcome->calls, call->id, call->name, call->arguments, call->arguments_len);
    }
    fuzz_note_printf(
        &outcome->note, "| %d %llu %llu %llu %llu %llu", (int)answer->finish,
        (unsigned long long)usage->input_tokens, (unsigned long long)usage->cached_tokens,
        (unsigned long long)usage->cache_write_tokens, (unsigned long long)usage->output_tokens,
        (unsigned long long)usage->reasoning_tokens);
}

static int feed(struct rv_response *response, const char *bytes, size_t len, enum fuzz_cut cut)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    size_t at, piece;
    int error = 0;

    for (at = 0; at < len && !error; at += piece) {
        piece = fuzz_piece(cut, &random, len - at);
        error = rv_response_feed(response, bytes + at, piece);
    }
    return error;
}

static void respond(const struct fuzz_target *target, const char *bytes, size_t len,
                    enum fuzz_cut cut, struct outcome *outcome)
{
    const struct rv_listener listener = {take_text, take_reasoning, outcome};
    const struct rv_problem_head head = {
        .status = 200,
        .content_type = outcome->content_type,
        .retry_after_ms = -1,
    };
    struct fuzz_memory memory;
    struct rv_response response;
    struct rv_mem *mem;
    int error;

    fuzz_memory_init(&memory);
    FUZZ_CHECK(!rv_mem_new(&memory.allocator, &mem));
    FUZZ_CHECK(!rv_response_init(&response, mem, codec_of(target), &place, 1 << 20, &listener));
    rv_response_head(&response, &head);
    error = feed(&response, bytes, len, cut);
    outcome->complete = rv_response_complete(&response);
    if (!error)
        error = rv_response_finish(&response, SEED);
    if (error)
        rv_response_give_up(&response);
    outcome->error = error;
    note_answer(outcome, &response.answer);
    FUZZ_CHECK(!error || response.failure.whole->message[0]);
    rv_response_done(&response);
    rv_mem_unref(mem);
    fuzz_memory_done(&memory);
}

/* ---- any bytes ----------------------------------------------------------------------------------
 */

static void expect_same(const struct outcome *a, const struct outcome *b, enum fuzz_cut cut)
{
    FUZZ_CHECK(a->error == b->error, "cut %d: %d, not %d", cut, b->error, a->error);
    FUZZ_CHECK(fuzz_note_equal(&a->text, &b->text), "cut %d: [%s], not [%s]", cut,
               rv_buffer_text(&b->text), rv_buffer_text(&a->text));
    FUZZ_CHECK(fuzz_note_equal(&a->calls, &b->calls), "cut %d: [%s], not [%s]", cut,
               rv_buffer_text(&b->calls), rv_buffer_text(&a->calls));
    FUZZ_CHECK(fuzz_note_equal(&a->note, &b->note), "cut %d: [%s], not [%s]", cut,
               rv_buffer_text(&b->note), rv_buffer_text(&a->note));
}

/* What was held of a character at the cut is told as U+FFFD: one for each of up to three bytes. */
static size_t held_len(const struct rv_buffer *text)
{
    size_t len = 0;

    while (len < 9 && len + 3 <= text->len &&
           !memcmp(text->data + text->len - len - 3, "\xEF\xBF\xBD", 3))
        len += 3;
    return len;
}

/* A stream that was not complete at the cut is no answer, and what was told of it is how the whole
 * begins. */
static void try_prefix(const struct fuzz_target *target, const char *bytes, size_t len,
                       const struct outcome *whole)
{
    struct outcome part;
    size_t text_len;

    outcome_init(&part);
    respond(target, bytes, len, FUZZ_WHOLE, &part);
    if (*bytes == 'd' || *bytes == 'e')
        FUZZ_CHECK(part.complete || (part.error && !part.count), "an answer of %zu bytes", len);
    text_len = part.text.len - held_len(&part.text);
    FUZZ_CHECK(text_len <= whole->text.len &&
               (!text_len || !memcmp(part.text.data, whole->text.data, text_len)));
    outcome_done(&part);
}

void fuzz_response(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    struct outcome whole, other;
    enum fuzz_cut cut;

    outcome_init(&whole);
    respond(target, bytes, len, FUZZ_WHOLE, &whole);
    for (cut = FUZZ_RANDOM_PIECES; cut < FUZZ_CUT_COUNT; cut++) {
        if (cut == FUZZ_BYTES && len > MAX_BYTEWISE)
            break;
        outcome_init(&other);
        respond(target, bytes, len, cut, &other);
        expect_same(&whole, &other, cut);
        outcome_done(&other);
    }
    if (len)
        try_prefix(target, bytes, fuzz_random_below(&random, len), &whole);
    outcome_done(&whole);
}

/* ---- a stream of calls --------------------------------------------------------------------------
 */

/* A stream that is being made, and what it must come to. */
struct made {
    const struct fuzz_target *target;
    struct fuzz_random random;
    const char *newline;
    struct rv_buffer stream;
    struct rv_buffer arguments[MAX_MADE];
    size_t count;
    size_t complete_at; /* so many bytes of the stream make an answer, no fewer do */
};

static void add_event(struct made *made, const char *json)
{
    fuzz_note_printf(&made->stream, "data: %s%s%s", json, made->newline, made->newline);
}

static void add_json_byte(struct rv_buffer *json, unsigned char byte)
{
    if (byte < ' ' || byte >= 0x7F || byte == '"' || byte == '\\')
        fuzz_note_printf(json, "\\u%04x", byte);
    else
        fuzz_note(json, &byte, 1);
}

/* The character U+00XX of a byte. */
static void add_utf8(struct rv_buffer *text, unsigned char byte)
{
    const char two[2] = {(char)(0xC0 | byte >> 6), (char)(0x80 | (byte & 0x3F))};

    if (byte < 0x80)
        fuzz_note(text, &byte, 1);
    else
        fuzz_note(text, two, 2);
}

/* The beginning of call i (its id is the letter, its name the letter twice), or a piece of it. */
static void add_call(struct made *made, size_t i, const char *json)
{
    const char letter = (char)('a' + i);
    struct rv_buffer event;

    fuzz_note_init(&event);
    if (made->target->provider == REEVE_PROVIDER_ANTHROPIC && json)
        fuzz_note_printf(&event,
                         "{\"type\":\"content_block_delta\",\"index\":%zu,\"delta\":{\"type\":"
                         "\"input_json_delta\",\"partial_json\":\"%s\"}}",
                         i, json);
    else if (made->target->provider == REEVE_PROVIDER_ANTHROPIC)
        fuzz_note_printf(&event,
                         "{\"type\":\"content_block_start\",\"index\":%zu,\"content_block\":{"
                         "\"type\":\"tool_use\",\"id\":\"%c\",\"name\":\"%c%c\",\"input\":{}}}",
                         i, letter, letter, letter);
    else if (json)
        fuzz_note_printf(&event,
                         "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%zu,"
                         "\"function\":{\"arguments\":\"%s\"}}]}}]}",
                         i, json);
    else
        fuzz_note_printf(&event,
                         "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%zu,"
                         "\"id\":\"%c\",\"function\":{\"name\":\"%c%c\",\"arguments\":\"\"}}]}}]}",
                         i, letter, letter, letter);
    add_event(made, event.data);
    fuzz_note_done(&event);
}

static void add_end(struct made *made)
{
    const bool anthropic = made->target->provider == REEVE_PROVIDER_ANTHROPIC;

    add_event(made, anthropic ? "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
                                "\"tool_use\"}}"
                              : "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                                "\"tool_calls\"}]}");
    /* An event is there at the CR of the empty line; the LF of it adds nothing. */
    made->complete_at = made->stream.len - strlen(made->newline) + 1;
    add_event(made, anthropic ? "{\"type\":\"message_stop\"}" : "[DONE]");
}

/* The input, in pieces, each of which is one of some call's arguments. */
static void make(struct made *made, const char *bytes, size_t len)
{
    struct rv_buffer json;
    size_t at, end, piece, i;

    fuzz_note_init(&json);
    for (i = 0; i < made->count; i++)
        add_call(made, i, NULL);
    for (at = 0; at < len; at = end) {
        piece = 1 + fuzz_random_below(&made->random, 24);
        end = len - at < piece ? len : at + piece;
        i = fuzz_random_below(&made->random, made->count);
        rv_buffer_clear(&json);
        for (; at < end; at++) {
            add_json_byte(&json, (unsigned char)bytes[at]);
            add_utf8(&made->arguments[i], (unsigned char)bytes[at]);
        }
        add_call(made, i, json.data);
    }
    add_end(made);
    fuzz_note_done(&json);
}

static void expect_calls(const struct made *made, size_t len, const struct rv_buffer *expected)
{
    const bool complete = len >= made->complete_at;
    struct outcome outcome;

    outcome_init(&outcome);
    outcome.content_type = "text/event-stream";
    respond(made->target, made->stream.data, len, FUZZ_RANDOM_PIECES, &outcome);
    FUZZ_CHECK(outcome.complete == complete, "%zu of %zu bytes, complete at %zu", len,
               made->stream.len, made->complete_at);
    FUZZ_CHECK(outcome.error == (complete ? 0 : REEVE_ECUTSHORT), "%d", outcome.error);
    FUZZ_CHECK(outcome.count == (complete ? made->count : 0));
    FUZZ_CHECK(!complete || fuzz_note_equal(&outcome.calls, expected), "[%s], not [%s]",
               rv_buffer_text(&outcome.calls), rv_buffer_text(expected));
    outcome_done(&outcome);
}

static void try_made(struct made *made)
{
    struct rv_buffer expected;
    size_t i;

    fuzz_note_init(&expected);
    for (i = 0; i < made->count; i++) {
        const char id[2] = {(char)('a' + i), '\0'};
        const char name[3] = {id[0], id[0], '\0'};

        note_call(&expected, id, name, rv_buffer_text(&made->arguments[i]), made->arguments[i].len);
    }
    expect_calls(made, made->stream.len, &expected);
    expect_calls(made, made->complete_at - fuzz_random_below(&made->random, 2), &expected);
    for (i = 0; i < (fuzz_thorough ? PREFIXES : 1); i++)
        expect_calls(made, fuzz_random_below(&made->random, made->complete_at), &expected);
    fuzz_note_done(&expected);
}

void fuzz_calls(const struct fuzz_target *target, const char *bytes, size_t len)
{
    static const char *const newlines[] = {"\n", "\r\n", "\r"};
    struct made made = {.target = target, .random = fuzz_random_of(bytes, len)};
    size_t i;

    len = len < MAX_MADE_BYTES ? len : MAX_MADE_BYTES;
    made.count = 1 + fuzz_random_below(&made.random, MAX_MADE);
    made.newline = newlines[fuzz_random_below(&made.random, 3)];
    fuzz_note_init(&made.stream);
    for (i = 0; i < MAX_MADE; i++)
        fuzz_note_init(&made.arguments[i]);
    make(&made, bytes, len);
    try_made(&made);
    fuzz_note_done(&made.stream);
    for (i = 0; i < MAX_MADE; i++)
        fuzz_note_done(&made.arguments[i]);
}
