/* SPDX-License-Identifier: MIT */
/*
 * Responses as servers send them, after WIRE's list of what is seen in the wild. Each is fed whole,
 * byte by byte, and in two pieces split at every byte: the outcome must be the same.
 */
#include "tests/lib/test.h"

#include "base/utf8.h"
#include "model/response.h"
#include "tests/unit/model-stream-cases.h"

#include <ctype.h>
#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

struct outcome {
    int error;
    char text[256];
    size_t text_len;
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
static void run_case(struct rv_test *t, const struct response_case *c, size_t cut,
                     struct outcome *ret_outcome)
{
    const size_t len = c->len ? c->len : strlen(c->body);
    const struct rv_problem_head head = {.status = 200, .retry_after_ms = -1};
    struct rv_response response;
    size_t i;
    int error = 0;

    memset(ret_outcome, 0, sizeof *ret_outcome);
    cr_assert_eq(rv_response_init(&response, t->mem, &rv_codec_openai, &place, 1 << 20, note_text,
                                  ret_outcome),
                 0);
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
    cr_assert_eq(response.answer.text.len, ret_outcome->text_len, "%s: %s", c->name,
                 rv_buffer_text(&response.answer.text));
    memcpy(ret_outcome->message, response.detail.message, sizeof ret_outcome->message);
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
}

RV_TEST(streams, come_out_the_same_however_they_are_cut, .timeout = 120)
{
    struct outcome outcome;
    size_t i, cut, cuts = 0;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct response_case *c = &cases[i];
        const size_t len = c->len ? c->len : strlen(c->body);

        run_case(t, c, SIZE_MAX, &outcome);
        expect(c, SIZE_MAX, &outcome);
        for (cut = 0; cut <= len; cut++) {
            run_case(t, c, cut, &outcome);
            expect(c, cut, &outcome);
        }
        cuts += len + 1;
    }
    fprintf(stderr, "%zu responses, cut at %zu points\n", i, cuts);
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

        cr_assert_eq(
            rv_response_init(&response, t->mem, &rv_codec_openai, &place, 1000, NULL, NULL), 0);
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

    cr_assert_eq(
        rv_response_init(&response, t->mem, &rv_codec_openai, &place, max_bytes, NULL, NULL), 0);
    rv_response_head(&response, &head);
    while (!error && pieces--)
        error = rv_response_feed(&response, piece, strlen(piece));
    cr_assert_eq(error, REEVE_ETOOBIG, "%s: %s", piece, reeve_error_name(error));
    cr_assert_eq(response.detail.code, REEVE_ETOOBIG);
    cr_assert(response.detail.message[0]);
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
    const size_t count = sizeof cases / sizeof *cases;
    struct outcome outcome;
    struct response_case c;
    char body[2048];
    size_t round, i, changes;

    for (round = 0; round < 4000; round++) {
        c = cases[rv_test_random(t) % count];
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
        run_case(t, &c, c.len ? rv_test_random(t) % c.len : 0, &outcome);
        cr_assert((outcome.error != 0) == (outcome.message[0] != '\0'));
    }
}
