/* SPDX-License-Identifier: MIT */
/*
 * The key is seen nowhere: in each form that somebody may write it in, in each place of a response
 * that becomes a text, with both codecs, streamed and not.
 */
#include "tests/lib/test.h"

#include "model/response.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

#define KEY "sk-canary-0a1b2c3d4e5f\"/6"
enum { KEY_LEN = sizeof KEY - 1, WINDOW = 8, MOST_BODY = 8192 };

static const char *const urls[] = {"http://model.test/v1/chat/completions",
                                   "http://model.test/v1/messages"};
static const struct rv_codec *const codecs[] = {&rv_codec_openai, &rv_codec_anthropic};

/* ---- forms ---- */

static size_t as_it_is(const char *key, size_t len, char *out)
{
    memcpy(out, key, len);
    return len;
}

/* Valid inside a JSON string; `as_it_is` is not. */
static size_t escaped(const char *key, size_t len, char *out)
{
    size_t i, at = 0;

    for (i = 0; i < len; i++) {
        if (key[i] == '"' || key[i] == '/')
            out[at++] = '\\';
        out[at++] = key[i];
    }
    return at;
}

static size_t by(const char *format, const char *letters, const char *key, size_t len, char *out)
{
    size_t i, at = 0;

    for (i = 0; i < len; i++)
        if (strchr(letters, key[i]))
            at += (size_t)sprintf(out + at, "%.*s%02x%s", (int)(strchr(format, '@') - format),
                                  format, (unsigned char)key[i], strchr(format, '@') + 1);
        else
            out[at++] = key[i];
    return at;
}

static size_t code_points(const char *key, size_t len, char *out)
{
    return by("\\u00@", "\"/-", key, len, out);
}

static size_t all_code_points(const char *key, size_t len, char *out)
{
    return by("\\u00@", KEY, key, len, out);
}

static size_t percent(const char *key, size_t len, char *out)
{
    return by("%@", "\"/-", key, len, out);
}

static size_t references(const char *key, size_t len, char *out)
{
    return by("&#x@;", "\"/-", key, len, out);
}

static size_t json_in_json(const char *key, size_t len, char *out)
{
    size_t i, at = 0;

    for (i = 0; i < len; i++) {
        if (key[i] == '"')
            at += (size_t)sprintf(out + at, "\\\\\\\"");
        else if (key[i] == '/')
            at += (size_t)sprintf(out + at, "\\\\\\/");
        else
            out[at++] = key[i];
    }
    return at;
}

/* The first half, the second half and what is in the middle of it. */
static size_t beginning(const char *key, size_t len, char *out)
{
    return escaped(key, len / 2, out);
}

static size_t end(const char *key, size_t len, char *out)
{
    return escaped(key + len / 2, len - len / 2, out);
}

static size_t twice(const char *key, size_t len, char *out)
{
    size_t at = escaped(key, len, out);

    return at + escaped(key, len, out + at);
}

static size_t (*const forms[])(const char *key, size_t len, char *out) = {
    escaped,   code_points, all_code_points, percent,  references, json_in_json,
    beginning, end,         twice,           as_it_is,
};
enum { FORMS = sizeof forms / sizeof *forms };

/* ---- places: "@" is where the key stands ---- */

static const struct {
    int status;
    const char *type, *body;
} places[] = {
    {401, "application/json", "{\"error\":{\"message\":\"Bad key @, sorry\"}}"},
    {401, "application/json",
     "{\"type\":\"error\",\"error\":{\"type\":\"@\",\"message\":\"@\"},"
     "\"request_id\":\"@\"}"},
    {400, "application/json", "{\"error\":{\"code\":\"@\",\"type\":\"x@\"}}"},
    {400, "application/json", "{\"detail\":[{\"msg\":\"@\"}],\"request_id\":\"@@\"}"},
    {500, "application/json", "{\"error\":\"@\"}"},
    {500, "text/html", "<p>Authorization: Bearer @</p>"},
    {403, "text/plain", "@"},
    {400, "application/json", "{\"x\":\"@"},
    {400, "@", "@"},
    {200, "text/html", "<p>x-api-key: @</p>"},
    {200, "application/json", "{\"error\":{\"message\":\"@\"}}"},
    {200, "application/json", "{\"@\":1}"},
    {200, "application/json", "{\"a\":@"},
    {200, "application/json", "{\"a\":\"@"},
    {200, "text/event-stream", "data: @\n\n"},
    {200, "text/event-stream", "data: {\"error\":{\"message\":\"@\",\"type\":\"@\"}}\n\n"},
    {200, "text/event-stream",
     "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"@\",\"message\":\"hi @\"},"
     "\"request_id\":\"@\"}\n\n"},
    {200, "text/event-stream", "data: {\"a\": @}\n\n"},
    {200, "text/plain", "oops @"},
};
enum { PLACES = sizeof places / sizeof *places };

static void fill_in(const char *pattern, size_t (*form)(const char *, size_t, char *), char *out)
{
    for (; *pattern; pattern++)
        if (*pattern == '@')
            out += form(KEY, KEY_LEN, out);
        else
            *out++ = *pattern;
    *out = '\0';
}

/* What it looks like once whoever reads it has undone what was done to it. */
static void undo(const char *text, char *out)
{
    unsigned code;
    int taken;

    while (*text) {
        taken = 0;
        if (sscanf(text, "%%%2x%n", &code, &taken) == 1 && taken == 3) {
            *out++ = (char)code;
            text += taken;
        } else if (!strncmp(text, "\\u00", 4) && sscanf(text + 4, "%2x%n", &code, &taken) == 1) {
            *out++ = (char)code;
            text += 4 + taken;
        } else if (!strncmp(text, "&#x", 3) && sscanf(text + 3, "%2x;%n", &code, &taken) == 1) {
            *out++ = (char)code;
            text += 3 + taken;
        } else if (*text == '\\' || *text == ' ') {
            text++;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

static void expect_no_key_in(const char *text, const char *where)
{
    char undone[2048], part[WINDOW + 1];
    size_t i;

    cr_assert_lt(strlen(text), sizeof undone);
    undo(text, undone);
    for (i = 0; i + WINDOW <= KEY_LEN; i++) {
        snprintf(part, sizeof part, "%.*s", WINDOW, &KEY[i]);
        cr_assert_null(strstr(undone, part), "%s of %s", part, where);
        cr_assert_null(strstr(text, part), "%s of %s", part, where);
    }
}

/* Every text that a host can get of a failure. */
static void expect_no_key(const struct reeve_error_detail *detail)
{
    cr_assert_neq(detail->code, 0);
    expect_no_key_in(detail->type, detail->type);
    expect_no_key_in(detail->provider_code, detail->provider_code);
    expect_no_key_in(detail->request_id, detail->request_id);
    expect_no_key_in(detail->message, detail->message);
}

/* In two pieces, or in one. */
static void respond(struct rv_test *t, size_t codec, const struct rv_problem_head *head,
                    const char *body, size_t cut, struct reeve_error_detail *ret_detail)
{
    const struct rv_problem_place place = {.url = urls[codec], .secret = {KEY, KEY_LEN}};
    const size_t len = strlen(body);
    struct rv_response response;
    int error;

    cr_assert_eq(rv_response_init(&response, t->mem, codecs[codec], &place, 1 << 20, NULL), 0);
    rv_response_head(&response, head);
    error = rv_response_feed(&response, body, cut);
    if (!error)
        error = rv_response_feed(&response, body + cut, len - cut);
    if (!error)
        error = rv_response_finish(&response, 1);
    cr_assert_neq(error, 0, "%s", body);
    *ret_detail = *rv_failure_tell(&response.failure, &place, ret_detail);
    rv_response_done(&response);
}

RV_TEST(secret, is_in_no_text, .timeout = 60)
{
    struct reeve_error_detail detail;
    char body[MOST_BODY], type[MOST_BODY], id[MOST_BODY], location[MOST_BODY];
    size_t codec, form, i, cut, texts = 0;

    for (codec = 0; codec < 2; codec++)
        for (form = 0; form < FORMS; form++)
            for (i = 0; i < PLACES; i++) {
                struct rv_problem_head head = {.status = places[i].status, .retry_after_ms = -1};

                fill_in(places[i].type, forms[form], type);
                fill_in(places[i].body, forms[form], body);
                fill_in("req @ @", forms[form], id);
                fill_in("https://x.test/?key=@", forms[form], location);
                head.content_type = type;
                for (cut = 0; cut < strlen(body); cut += 7) {
                    respond(t, codec, &head, body, cut, &detail);
                    expect_no_key(&detail);
                    texts += 4;
                }
                head.request_id = id;
                head.location = location;
                respond(t, codec, &head, body, 0, &detail);
                expect_no_key(&detail);
                head.status = 302;
                respond(t, codec, &head, body, 0, &detail);
                expect_no_key(&detail);
                texts += 8;
            }
    fprintf(stderr, "looked for the key in %zu texts\n", texts);
}

/* Across the lines of an event's data, joined and as they came. */
RV_TEST(secret, is_found_across_lines)
{
    static const char *const bodies[] = {
        "data: {\"error\":{\"message\":\"sk-cana\ndata: ry-0a1b2c3d4e5f\"}}\n\n",
        "data: sk-cana\r\ndata:ry-0a1b2c3d4e5f\r\n\r\n",
        "sk-cana\nry-0a1b\n2c3d4e5f",
    };
    const struct rv_problem_head head = {
        .status = 200, .content_type = "text/event-stream", .retry_after_ms = -1};
    const struct rv_problem_head bad = {.status = 500, .retry_after_ms = -1};
    struct reeve_error_detail detail;
    size_t codec, i;

    for (codec = 0; codec < 2; codec++)
        for (i = 0; i < sizeof bodies / sizeof *bodies; i++) {
            respond(t, codec, &head, bodies[i], 0, &detail);
            expect_no_key(&detail);
            respond(t, codec, &bad, bodies[i], 3, &detail);
            expect_no_key(&detail);
        }
}

/* What the transport says of a failure goes the same way. */
RV_TEST(secret, is_not_in_what_the_transport_says)
{
    const struct rv_problem_place place = {.url = urls[0], .secret = {KEY, KEY_LEN}};
    struct reeve_error_detail detail;
    char sentence[MOST_BODY];
    size_t form;

    for (form = 0; form < FORMS; form++) {
        fill_in("no answer to @ from http://x.test/@", forms[form], sentence);
        rv_problem_transport(&detail, &place, REEVE_ECONNLOST, sentence);
        expect_no_key(&detail);
        rv_problem_plain(&detail, &place, REEVE_ETOOBIG, sentence);
        expect_no_key(&detail);
    }
}

static void expect_found(const char *secret, const char *text, size_t wanted)
{
    const struct rv_secret s = {secret, strlen(secret)};

    cr_assert_eq(rv_secret_here(&s, text, strlen(text)), wanted, "%s in %s: %zu", secret, text,
                 rv_secret_here(&s, text, strlen(text)));
}

RV_TEST(secret, is_measured)
{
    expect_found("abc", "abcd", 3);
    expect_found("abc", "ab", 0);
    expect_found("abc", "", 0);
    expect_found("", "abc", 0);
    expect_found("abcdefghijkl", "abcdefghX", 8);
    expect_found("abcdefghijkl", "abcdefgX", 0);
    expect_found("abcdefghijkl", "abcd", 4);
    expect_found("abcdefghijkl", "abc", 0);
    expect_found("abcdefghijkl", "bcde", 0);
    expect_found("abcdefghijkl", "efghijkl!", 8);
    expect_found("a-b", "a%2Db", 5);
    expect_found("a-b", "a%2Cb", 0);
    expect_found("a-b", "a\\u002db", 8);
    expect_found("a-b", "a\\\\u002Db", 9);
    expect_found("a-b", "a\\x2db", 6);
    expect_found("a-b", "a&#45;b", 7);
    expect_found("a-b", "a&#x2d;b", 8);
    expect_found("a-b", "a&#x2db", 0);
    expect_found("a-b", "a\r\n-\nb\n", 6);
    expect_found("a-b", "\na-b", 0);
    expect_found("a\\b", "a\\b", 3);
    expect_found("a\\b", "a\\\\b", 4);
}
