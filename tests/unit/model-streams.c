/* SPDX-License-Identifier: MIT */
/*
 * Responses as servers send them, after WIRE's list of what is seen in the wild. Each is fed whole,
 * byte by byte, and in two pieces split at every byte: the outcome must be the same.
 */
#include "tests/lib/test.h"

#include "base/utf8.h"
#include "model/response.h"
#include "tests/unit/model-anthropic-cases.h"
#include "tests/unit/model-stream-cases.h"

#include <ctype.h>
#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const struct rv_codec *codec;
    const struct response_case *cases;
    size_t count;
} codecs[] = {
    {&rv_codec_openai, cases, sizeof cases / sizeof *cases},
    {&rv_codec_anthropic, anthropic_cases, sizeof anthropic_cases / sizeof *anthropic_cases},
};
enum { CODECS = sizeof codecs / sizeof *codecs };

struct outcome {
    int error;
    char text[256];
    size_t text_len;
    char told_reasoning[256];
    size_t told_reasoning_len;
    char reasoning[512];
    struct reeve_usage usage;
    enum reeve_finish finish;
    char calls[512];
    char message[1024];
};

static const struct rv_problem_place place = {.url = "http://model.test/v1/chat/completions"};

static int note_text(const char *text, size_t len, void *arg)
{
    struct outcome *outcome = arg;

    cr_assert(rv_utf8_valid(text, len), "half a character was told");
    cr_assert_lt(outcome->text_len + len, sizeof outcome->text);
    memcpy(outcome->text + outcome->text_len, text, len);
    outcome->text_len += len;
    outcome->text[outcome->text_len] = '\0';
    return 0;
}

static int note_reasoning(const char *text, size_t len, void *arg)
{
    struct outcome *outcome = arg;

    cr_assert(rv_utf8_valid(text, len), "half a character was told");
    cr_assert_lt(outcome->told_reasoning_len + len, sizeof outcome->told_reasoning);
    memcpy(outcome->told_reasoning + outcome->told_reasoning_len, text, len);
    outcome->told_reasoning_len += len;
    outcome->told_reasoning[outcome->told_reasoning_len] = '\0';
    return 0;
}

/* The layout of the message: "text signature," for reasoning, "#data," where it is sealed, "T" and
 * a length for text, "C" for a call. */
static void note_layout(struct outcome *outcome, const struct rv_response *response)
{
    const struct rv_answer *answer = &response->answer;
    struct rv_part *parts;
    size_t count, i, len = 0;

    cr_assert_eq(rv_layout_parts(&answer->layout, !outcome->error, answer->calls.finished_count,
                                 &parts, &count),
                 0);
    for (i = 0; i < count; i++) {
        char *at = outcome->reasoning + len;
        size_t room = sizeof outcome->reasoning - len;

        switch (parts[i].kind) {
        case RV_PART_TEXT:
            len += (size_t)snprintf(at, room, "T%zu,", parts[i].len);
            break;
        case RV_PART_CALL:
            len += (size_t)snprintf(at, room, "C,");
            break;
        case RV_PART_REASONING:
            cr_assert(rv_utf8_valid(parts[i].text, parts[i].len));
            len += (size_t)snprintf(at, room, "%s %s,", parts[i].text, parts[i].mark);
            break;
        case RV_PART_SEALED:
        case RV_PART_IMAGE:
            len += (size_t)snprintf(at, room, "#%s,", parts[i].mark);
            break;
        }
    }
    rv_free(response->mem, parts);
}

static bool is_made_up(const char *id)
{
    return strlen(id) == 21 && !strncmp(id, "call_", 5) && strspn(id + 5, "0123456789abcdef") == 16;
}

static void note_calls(struct outcome *outcome, const struct rv_assembly *calls)
{
    size_t len = 0;
    size_t i, k;

    for (i = 0; i < calls->finished_count; i++) {
        const struct reeve_call *call = &calls->finished[i];

        for (k = 0; k < i; k++)
            cr_assert_str_neq(call->id, calls->finished[k].id);
        cr_assert(rv_utf8_valid(call->arguments, call->arguments_len));
        len += (size_t)snprintf(outcome->calls + len, sizeof outcome->calls - len, "%s|%s|%s;",
                                is_made_up(call->id) ? "*" : call->id, call->name, call->arguments);
    }
}

/* Feed the body in two pieces, or (cut == SIZE_MAX) byte by byte. */
static void run_case(struct rv_test *t, const struct rv_codec *codec, const struct response_case *c,
                     size_t cut, struct outcome *ret_outcome)
{
    const struct rv_listener listener = {note_text, note_reasoning, ret_outcome};
    const size_t len = c->len ? c->len : strlen(c->body);
    const struct rv_problem_head head = {.status = 200, .retry_after_ms = -1};
    struct rv_response response;
    size_t i;
    int error = 0;

    memset(ret_outcome, 0, sizeof *ret_outcome);
    cr_assert_eq(rv_response_init(&response, t->mem, codec, &place, 1 << 20, &listener), 0);
    rv_response_head(&response, &head);
    if (cut == SIZE_MAX) {
        for (i = 0; i < len && !error; i++)
            error = rv_response_feed(&response, c->body + i, 1);
    } else {
        error = rv_response_feed(&response, c->body, cut);
        if (!error)
            error = rv_response_feed(&response, c->body + cut, len - cut);
    }
    if (!error)
        error = rv_response_finish(&response, 42);
    if (error)
        rv_response_give_up(&response);
    ret_outcome->error = error;
    ret_outcome->usage = response.answer.usage;
    ret_outcome->finish = response.answer.finish;
    note_calls(ret_outcome, &response.answer.calls);
    note_layout(ret_outcome, &response);
    cr_assert_eq(response.answer.text.text.len, ret_outcome->text_len, "%s: %s", c->name,
                 rv_buffer_text(&response.answer.text.text));
    if (response.failure.whole)
        memcpy(ret_outcome->message, response.failure.whole->message, sizeof ret_outcome->message);
    rv_response_done(&response);
}

static void expect(const struct response_case *c, size_t cut, const struct outcome *outcome)
{
    const uint64_t counts[5] = {outcome->usage.input_tokens, outcome->usage.output_tokens,
                                outcome->usage.cached_tokens, outcome->usage.cache_write_tokens,
                                outcome->usage.reasoning_tokens};

    cr_assert_eq(outcome->error, c->error, "%s, cut at %zu: %s, not %s: %s", c->name, cut,
                 reeve_error_name(outcome->error), reeve_error_name(c->error), outcome->message);
    cr_assert_str_eq(outcome->text, c->text, "%s, cut at %zu: \"%s\"", c->name, cut, outcome->text);
    cr_assert_str_eq(outcome->calls, c->calls, "%s, cut at %zu: %s", c->name, cut, outcome->calls);
    cr_assert_eq(outcome->finish, c->finish, "%s, cut at %zu: %s", c->name, cut,
                 reeve_finish_name(outcome->finish));
    cr_assert_eq(memcmp(counts, c->usage, sizeof counts), 0, "%s, cut at %zu", c->name, cut);
    if (c->reasoning)
        cr_assert_str_eq(outcome->reasoning, c->reasoning, "%s, cut at %zu: %s", c->name, cut,
                         outcome->reasoning);
}

/* Every way to cut it. Returns their number. */
static size_t try_cuts(struct rv_test *t, const struct rv_codec *codec,
                       const struct response_case *c)
{
    const size_t len = c->len ? c->len : strlen(c->body);
    struct outcome outcome;
    size_t cut;

    run_case(t, codec, c, SIZE_MAX, &outcome);
    expect(c, SIZE_MAX, &outcome);
    for (cut = 0; cut <= len; cut++) {
        run_case(t, codec, c, cut, &outcome);
        expect(c, cut, &outcome);
    }
    return len + 1;
}

/* The same with CR LF for each LF. A body that has one already is left out: 0. */
static size_t try_cuts_in_cr_lf(struct rv_test *t, const struct rv_codec *codec,
                                const struct response_case *c)
{
    const size_t len = c->len ? c->len : strlen(c->body);
    struct response_case changed = *c;
    struct rv_buffer body;
    size_t i, cuts;

    if (memchr(c->body, '\r', len) || !memchr(c->body, '\n', len))
        return 0;
    rv_buffer_init(&body, t->mem, 1 << 20);
    for (i = 0; i < len; i++) {
        if (c->body[i] == '\n')
            cr_assert_eq(rv_buffer_add_byte(&body, '\r'), 0);
        cr_assert_eq(rv_buffer_add_byte(&body, c->body[i]), 0);
    }
    changed.body = body.data;
    changed.len = body.len;
    cuts = try_cuts(t, codec, &changed);
    rv_buffer_done(&body);
    return cuts;
}

RV_TEST(streams, come_out_the_same_however_they_are_cut, .timeout = 120)
{
    size_t k, i, cuts, in_cr_lf;

    for (k = 0; k < CODECS; k++) {
        cuts = 0;
        in_cr_lf = 0;
        for (i = 0; i < codecs[k].count; i++) {
            cuts += try_cuts(t, codecs[k].codec, &codecs[k].cases[i]);
            in_cr_lf += try_cuts_in_cr_lf(t, codecs[k].codec, &codecs[k].cases[i]);
        }
        cr_assert_gt(in_cr_lf, cuts / 2);
        fprintf(stderr, "%s: %zu responses, %zu split points tried in LF, %zu in CR LF\n",
                codecs[k].codec->name, i, cuts, in_cr_lf);
    }
}

/* The same response gives the same made-up ids, another seed gives others. */
RV_TEST(streams, make_ids_up_from_the_seed)
{
    static const char body[] =
        "{\"choices\":[{\"message\":{\"tool_calls\":["
        "{\"function\":{\"name\":\"f\"}},{\"function\":{\"name\":\"g\"}}]}}]}";
    const struct rv_problem_head head = {.status = 200, .retry_after_ms = -1};
    const uint64_t seeds[3] = {1, 1, 2};
    char ids[3][64];
    size_t i;

    for (i = 0; i < 3; i++) {
        struct rv_response response;

        cr_assert_eq(rv_response_init(&response, t->mem, &rv_codec_openai, &place, 1000, NULL), 0);
        rv_response_head(&response, &head);
        cr_assert_eq(rv_response_feed(&response, body, sizeof body - 1), 0);
        cr_assert_eq(rv_response_finish(&response, seeds[i]), 0);
        cr_assert_eq(response.answer.calls.finished_count, 2);
        snprintf(ids[i], sizeof ids[i], "%s %s", response.answer.calls.finished[0].id,
                 response.answer.calls.finished[1].id);
        rv_response_done(&response);
    }
    cr_assert_str_eq(ids[0], ids[1]);
    cr_assert_str_neq(ids[0], ids[2]);
}

static void expect_too_big(struct rv_test *t, const char *piece, size_t max_bytes, unsigned pieces)
{
    const struct rv_problem_head head = {.status = 200, .retry_after_ms = -1};
    struct rv_response response;
    int error = 0;

    cr_assert_eq(rv_response_init(&response, t->mem, &rv_codec_openai, &place, max_bytes, NULL), 0);
    rv_response_head(&response, &head);
    while (!error && pieces--)
        error = rv_response_feed(&response, piece, strlen(piece));
    cr_assert_eq(error, REEVE_ETOOBIG, "%s: %s", piece, reeve_error_name(error));
    cr_assert_eq(response.failure.code, REEVE_ETOOBIG);
    cr_assert(response.failure.whole->message[0]);
    rv_response_done(&response);
}

RV_TEST(streams, are_bounded)
{
    expect_too_big(t, T("0123456789012345678901234567890123456789"), 1000, 26);
    expect_too_big(t, CALLS("{\"index\":0," F("f", "0123456789012345678901234567890123456789") "}"),
                   1000, 26);
    expect_too_big(t, CALLS("{" F("f", "{}") "}"), 1 << 20, RV_MAX_CALLS + 1);
    expect_too_big(t, "data: 0123456789", 1000, 100);
    expect_too_big(t, "[[[[[[[[[[", 100, 11);
}

/* A reasonable server sends none of this; whatever comes, it ends with an answer or an error. */
RV_TEST(streams, take_mutilated_input, .timeout = 120)
{
    struct outcome outcome;
    struct response_case c;
    char body[4096];
    size_t round, i, k, changes;

    for (round = 0; round < 8000; round++) {
        k = round % CODECS;
        c = codecs[k].cases[rv_test_random(t) % codecs[k].count];
        c.len = c.len ? c.len : strlen(c.body);
        cr_assert_lt(c.len, sizeof body);
        memcpy(body, c.body, c.len);
        c.body = body;
        for (changes = rv_test_random(t) % 4; changes && c.len; changes--) {
            i = rv_test_random(t) % c.len;
            if (rv_test_random(t) % 2)
                body[i] = (char)rv_test_random(t);
            else
                body[i] = body[rv_test_random(t) % c.len];
        }
        run_case(t, codecs[k].codec, &c, c.len ? rv_test_random(t) % c.len : 0, &outcome);
        cr_assert((outcome.error != 0) == (outcome.message[0] != '\0'));
    }
}
