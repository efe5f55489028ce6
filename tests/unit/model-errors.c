/* SPDX-License-Identifier: MIT */
/* Error bodies of the servers, and what people and programs are told of them. */
#include "tests/lib/test.h"

#include "base/utf8.h"
#include "model/response.h"

#include <reeve/error.h>
#include <string.h>

#define KEY "sk-canary-0123456789abcdef"
#define URL "http://model.test/v1/chat/completions"

struct error_case {
    const char *name;
    int status;
    const char *body;
    const char *type;
    const char *code;
    const char *message; /* what must stand in it, between the URL and the advice */
    const char *advice;  /* how it must end; NULL: no matter */
    int retryable;
};

static const struct error_case cases[] = {
    {"OpenAI's", 401,
     "{\"error\":{\"message\":\"Incorrect API key provided.\",\"type\":\"invalid_request_error\","
     "\"param\":null,\"code\":\"invalid_api_key\"}}",
     "invalid_request_error", "invalid_api_key", "Incorrect API key provided.",
     "The key was refused: check the API key and that it belongs to this URL.", 0},
    {"OpenAI's context", 400,
     "{\"error\":{\"message\":\"This model's maximum context length is 8192 tokens.\",\"type\":"
     "\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}",
     "invalid_request_error", "context_length_exceeded", "8192 tokens",
     "The conversation is too long for this model.", 0},
    {"OpenAI's quota", 429,
     "{\"error\":{\"message\":\"You exceeded your quota\",\"type\":\"insufficient_quota\",\"code\":"
     "\"insufficient_quota\"}}",
     "insufficient_quota", "insufficient_quota", "You exceeded your quota. ",
     "The account has no quota left.", 1},
    {"vLLM's", 400,
     "{\"object\":\"error\",\"message\":\"bad tools\",\"type\":\"BadRequestError\",\"param\":null,"
     "\"code\":400}",
     "BadRequestError", "400", "bad tools", NULL, 0},
    {"vLLM's context", 400,
     "{\"error\":{\"message\":\"This model's maximum context length is 100 tokens. However, you "
     "requested 200\",\"type\":\"BadRequestError\",\"code\":400}}",
     "BadRequestError", "400", "However, you requested 200. ",
     "The conversation is too long for this model.", 0},
    {"llama.cpp's", 503,
     "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}",
     "unavailable_error", "503", "Loading model",
     "The server failed, not the request: try again later.", 1},
    {"llama.cpp's context", 400,
     "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context "
     "size\",\"type\":"
     "\"exceed_context_size_error\",\"n_prompt_tokens\":200,\"n_ctx\":100}}",
     "exceed_context_size_error", "400", "exceeds the available context size",
     "The conversation is too long for this model.", 0},
    {"Ollama's", 404, "{\"error\":\"model 'x' not found\"}", "", "", "model 'x' not found",
     "Check the base URL and the model's name.", 0},
    {"Ollama's other", 400,
     "{\"error\":{\"message\":\"invalid\",\"type\":\"invalid_request_error\",\"param\":null,"
     "\"code\":null}}",
     "invalid_request_error", "", "invalid", NULL, 0},
    {"FastAPI's", 404, "{\"detail\":\"Not Found\"}", "", "", "Not Found",
     "Check the base URL and the model's name.", 0},
    {"FastAPI's list", 422,
     "{\"detail\":[{\"loc\":[\"body\",\"model\"],\"msg\":\"field required\",\"type\":"
     "\"value_error.missing\"}]}",
     "value_error.missing", "", "field required", NULL, 0},
    {"Google's", 400,
     "[{\"error\":{\"code\":400,\"message\":\"API key not "
     "valid.\",\"status\":\"INVALID_ARGUMENT\"}}]",
     "INVALID_ARGUMENT", "400", "API key not valid.", NULL, 0},
    {"a gateway's", 502, "{\"message\":\"upstream is gone\",\"request_id\":\"r-7\"}", "", "",
     "upstream is gone", NULL, 1},
    {"a list of errors", 400, "{\"errors\":[{\"message\":\"first\"},{\"message\":\"second\"}]}", "",
     "", "first", NULL, 0},
    {"a list of texts", 400, "{\"errors\":[\"first\"]}", "", "", "first", NULL, 0},
    {"an error in an error", 500, "{\"error\":{\"error\":{\"message\":\"deep\"}}}", "", "", "deep",
     NULL, 1},
    {"problem details", 403, "{\"title\":\"Forbidden\",\"status\":403,\"detail\":\"not yours\"}",
     "", "", "not yours", "The key has no right to this model or this server.", 0},
    {"HTML", 502, "<html>\r\n<head><title>502 Bad Gateway</title></head>", "", "",
     "with text/html: <html> <head><title>502 Bad Gateway</title></head>. ",
     "The server failed, not the request: try again later.", 1},
    {"plain", 500, "Internal Server Error", "", "", "text/html: Internal Server Error. ", NULL, 1},
    {"nothing", 405, "", "", "", "HTTP 405 from " URL ". ",
     "This is no endpoint for completions: check the base URL.", 0},
    {"JSON that says nothing", 418, "{}", "", "", "HTTP 418 from " URL " with text/html: {}", NULL,
     0},
    {"broken JSON", 400, "{\"error\":{\"mess", "", "", "{\"error\":{\"mess", NULL, 0},
    {"nulls", 400, "{\"error\":null,\"detail\":null}", "", "", "HTTP 400", NULL, 0},
    {"control characters", 400, "{\"error\":\"a\\u001b[31mb\\n\\n  c\"}", "", "", "a [31mb c", NULL,
     0},
    {"the key in all places", 401,
     "{\"error\":{\"message\":\"Bad key " KEY ", really " KEY KEY "\",\"type\":\"" KEY
     "\",\"code\":\"x" KEY "\"}}",
     "***", "x***", "Bad key ***, really ******. ", NULL, 0},
    {"the key in HTML", 401, "<html>" KEY "</html>", "", "", "<html>***</html>", NULL, 0},
    {"408", 408, "", "", "", "", NULL, 1},
    {"409", 409, "", "", "", "", NULL, 1},
    {"529", 529, "", "", "", "", "The provider is overloaded: wait, then try again.", 1},
    {"Anthropic's", 401,
     "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":"
     "\"invalid x-api-key\"},\"request_id\":\"req_1\"}",
     "authentication_error", "", "invalid x-api-key. ",
     "The key was refused: check the API key and that it belongs to this URL.", 0},
    {"Anthropic's context", 400,
     "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
     "\"prompt is too long: 210000 tokens > 200000 maximum\"}}",
     "invalid_request_error", "", "210000 tokens", "The conversation is too long for this model.",
     0},
    {"Anthropic's other context", 400,
     "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
     "\"input length and `max_tokens` exceed context limit: 1 + 2 > 3\"}}",
     "invalid_request_error", "", "1 + 2 > 3", "The conversation is too long for this model.", 0},
    {"Anthropic's overload", 529,
     "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
     "overloaded_error", "", "Overloaded. ", "The provider is overloaded: wait, then try again.",
     1},
    {"413", 413, "", "", "", "", "The request is larger than the server takes.", 0},
};

static const struct rv_problem_place place = {.url = URL, .secret = {KEY, sizeof KEY - 1}};

/* What a response with this head and body comes to. */
static void respond(struct rv_test *t, const struct rv_problem_head *head, const char *body,
                    size_t len, struct reeve_error_detail *ret_detail)
{
    struct rv_response response;
    int error;

    cr_assert_eq(rv_response_init(&response, t->mem, &rv_codec_openai, &place, 1 << 20, NULL), 0);
    rv_response_head(&response, head);
    error = rv_response_feed(&response, body, len);
    if (!error)
        error = rv_response_finish(&response, 1);
    cr_assert_eq(error, response.failure.code);
    *ret_detail = *rv_failure_tell(&response.failure, &place, ret_detail);
    rv_response_done(&response);
    cr_assert(rv_utf8_valid(ret_detail->message, strlen(ret_detail->message)));
    cr_assert_null(strstr(ret_detail->message, KEY));
}

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text);
    const size_t end_len = strlen(end);

    return len >= end_len && !strcmp(text + len - end_len, end);
}

RV_TEST(errors, of_all_servers_are_understood)
{
    struct reeve_error_detail detail;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct error_case *c = &cases[i];
        const struct rv_problem_head head = {
            .status = c->status, .content_type = "text/html; charset=utf-8", .retry_after_ms = -1};

        respond(t, &head, c->body, strlen(c->body), &detail);
        cr_assert_eq(detail.code, REEVE_EHTTP);
        cr_assert_eq(detail.http_status, c->status);
        cr_assert_eq(detail.retryable, c->retryable, "%s", c->name);
        cr_assert_eq(detail.context_full, strstr(c->name, "context") != NULL, "%s", c->name);
        cr_assert_str_eq(detail.type, c->type, "%s: %s", c->name, detail.type);
        cr_assert_str_eq(detail.provider_code, c->code, "%s: %s", c->name, detail.provider_code);
        cr_assert(strstr(detail.message, URL), "%s: %s", c->name, detail.message);
        cr_assert(strstr(detail.message, c->message), "%s: %s", c->name, detail.message);
        cr_assert(!c->advice || ends_with(detail.message, c->advice), "%s: %s", c->name,
                  detail.message);
    }
}

RV_TEST(errors, take_what_the_head_says)
{
    struct rv_problem_head head = {
        .status = 429, .request_id = "req_1 " KEY, .should_retry = "false", .retry_after_ms = 1500};
    static const char body[] = "{\"error\":{},\"request_id\":\"req_2\"}";
    struct reeve_error_detail detail;

    respond(t, &head, "", 0, &detail);
    cr_assert_str_eq(detail.request_id, "req_1 ***");
    cr_assert_eq(detail.retryable, 0);
    cr_assert_eq(detail.retry_after_ms, 1500);
    head.status = 400;
    head.should_retry = "true";
    head.request_id = NULL;
    head.retry_after_ms = -1;
    respond(t, &head, body, sizeof body - 1, &detail);
    cr_assert_eq(detail.retryable, 1);
    cr_assert_eq(detail.retry_after_ms, -1);
    cr_assert_str_eq(detail.request_id, "req_2");
}

RV_TEST(errors, name_where_a_redirect_leads)
{
    const struct rv_problem_head head = {
        .status = 308, .location = "https://model.test/v1?key=" KEY, .retry_after_ms = -1};
    struct reeve_error_detail detail;

    respond(t, &head, "", 0, &detail);
    cr_assert_eq(detail.code, REEVE_EHTTP);
    cr_assert(strstr(detail.message, "HTTP 308 from " URL));
    cr_assert(
        strstr(detail.message, "https://model.test/v1?key=***, and redirects are not followed"),
        "%s", detail.message);
}

/* Cut at their arrays' sizes, not inside a character, the advice still there. */
RV_TEST(errors, are_cut_where_they_are_long)
{
    const struct rv_problem_head head = {.status = 401, .retry_after_ms = -1};
    struct reeve_error_detail detail;
    struct rv_buffer body;
    size_t i;

    rv_buffer_init(&body, t->mem, 1 << 20);
    cr_assert_eq(rv_buffer_add_text(&body, "{\"error\":{\"message\":\""), 0);
    for (i = 0; i < 3000; i++)
        cr_assert_eq(rv_buffer_add_text(&body, "\xE2\x82\xAC"), 0);
    cr_assert_eq(rv_buffer_add_text(&body, "\",\"type\":\""), 0);
    for (i = 0; i < 100; i++)
        cr_assert_eq(rv_buffer_add_text(&body, "\xC3\xA9"), 0);
    cr_assert_eq(rv_buffer_add_text(&body, "\"}}"), 0);
    respond(t, &head, body.data, body.len, &detail);
    cr_assert(strstr(detail.message, "\xE2\x82\xAC\xE2\x80\xA6. The key was refused"), "%s",
              detail.message);
    cr_assert_lt(strlen(detail.message), 800);
    cr_assert_leq(strlen(detail.type), 63);
    cr_assert(ends_with(detail.type, "\xC3\xA9\xE2\x80\xA6"));
    rv_buffer_done(&body);
}

/* An error body is read up to 64 KiB; what it says can be had from no more. */
RV_TEST(errors, of_any_length_end)
{
    const struct rv_problem_head head = {
        .status = 500, .content_type = "text/plain", .retry_after_ms = -1};
    struct reeve_error_detail detail;
    struct rv_buffer body;
    size_t i;

    rv_buffer_init(&body, t->mem, 1 << 20);
    for (i = 0; i < 10000; i++)
        cr_assert_eq(rv_buffer_add_text(&body, "some words"), 0);
    respond(t, &head, body.data, body.len, &detail);
    cr_assert_eq(detail.code, REEVE_EHTTP);
    cr_assert(strstr(detail.message, "with text/plain: some wordssome words"));
    rv_buffer_done(&body);
}

RV_TEST(errors, show_what_came_in_the_place_of_an_answer)
{
    static const struct {
        const char *type, *body, *message;
    } alien[] = {
        {"text/html", "<!DOCTYPE html>\n<html>" KEY,
         "expected JSON or an event stream from " URL ", got text/html: <!DOCTYPE html> <html>***"},
        {"text/html", "<!DOCTYPE html>\n<html>sk-canary-0123",
         "expected JSON or an event stream from " URL ", got text/html: <!DOCTYPE html> <html>***"},
        {NULL, "oops", "expected JSON or an event stream from " URL ", got something: oops"},
        {NULL, "",
         "expected JSON or an event stream from " URL ", got something with nothing in it"},
        {"application/json", "{\"a\":1}",
         "expected JSON that is an answer from " URL ", got application/json: {\"a\":1}"},
        {"text/event-stream", "data: {]\n\n", "from " URL ", got text/event-stream: {]"},
        {"application/json", "{\"a\":", "from " URL ", got application/json: {\"a\":"},
    };
    struct reeve_error_detail detail;
    size_t i;

    for (i = 0; i < sizeof alien / sizeof *alien; i++) {
        const struct rv_problem_head head = {
            .status = 200, .content_type = alien[i].type, .retry_after_ms = -1};

        respond(t, &head, alien[i].body, strlen(alien[i].body), &detail);
        cr_assert_eq(detail.code, REEVE_EPROTOCOL);
        cr_assert_eq(detail.http_status, 200);
        cr_assert(ends_with(detail.message, alien[i].message), "%s", detail.message);
    }
}

RV_TEST(errors, in_a_stream_tell_whether_to_retry)
{
    static const struct {
        const char *body, *type, *code, *message;
        int retryable;
    } told[] = {
        {"data: {\"error\":{\"message\":\"Key " KEY
         "\",\"type\":\"server_error\",\"code\":null}}\n\n",
         "server_error", "", ": Key ***. ", 1},
        {"data: {\"error\":{\"message\":\"m\",\"code\":503}}\n\n", "", "503", ": m. ", 1},
        {"data: {\"error\":{\"message\":\"m\",\"code\":400,\"type\":\"BadRequestError\"}}\n\n",
         "BadRequestError", "400", ": m. ", 0},
        {"data: {\"error\":\"overloaded\"}\n\n", "", "", ": overloaded. ", 0},
        {"data: {\"error\":{\"type\":\"overloaded_error\"}}\n\n", "overloaded_error", "",
         ": overloaded_error. ", 1},
        {"data: {\"error\":{\"code\":\"rate_limit_exceeded\"}}\n\n", "", "rate_limit_exceeded",
         ": it did not say which. ", 1},
    };
    const struct rv_problem_head head = {.status = 200, .request_id = "r", .retry_after_ms = -1};
    struct reeve_error_detail detail;
    size_t i;

    for (i = 0; i < sizeof told / sizeof *told; i++) {
        respond(t, &head, told[i].body, strlen(told[i].body), &detail);
        cr_assert_eq(detail.code, REEVE_EPROVIDER);
        cr_assert_str_eq(detail.type, told[i].type);
        cr_assert_str_eq(detail.provider_code, told[i].code);
        cr_assert_str_eq(detail.request_id, "r");
        cr_assert_eq(detail.retryable, told[i].retryable, "%s", told[i].body);
        cr_assert(strstr(detail.message, told[i].message), "%s", detail.message);
    }
}

/* ---- without memory for the texts ---- */

static const struct reeve_error_detail *tell_late(struct rv_failure *failure, struct rv_test *t,
                                                  struct reeve_error_detail *room)
{
    const struct reeve_error_detail detail = {
        .code = REEVE_EHTTP,
        .http_status = 529,
        .os_errno = 7,
        .retryable = 1,
        .context_full = 1,
        .retry_after_ms = 1500,
        .type = "overloaded_error",
        .message = "the server's own words",
    };
    const struct reeve_error_detail *told;

    rv_failure_keep(failure, t->mem, &detail);
    memset(room, 'x', sizeof *room);
    told = rv_failure_tell(failure, &place, room);
    cr_assert_eq(told->code, REEVE_EHTTP);
    cr_assert_eq(told->http_status, 529);
    cr_assert_eq(told->os_errno, 7);
    cr_assert_eq(told->retryable, 1);
    cr_assert_eq(told->context_full, 1);
    cr_assert_eq(told->retry_after_ms, 1500);
    return told;
}

RV_TEST(errors, keep_their_texts_if_there_is_memory)
{
    struct rv_failure failure = {.code = 0};
    const struct reeve_error_detail *told;
    struct reeve_error_detail room;

    cr_assert_null(rv_failure_tell(&failure, &place, &room));
    told = tell_late(&failure, t, &room);
    cr_assert_neq(told, &room);
    cr_assert_str_eq(told->type, "overloaded_error");
    cr_assert_str_eq(told->message, "the server's own words");
    rv_failure_done(&failure, t->mem);
    cr_assert_null(rv_failure_tell(&failure, &place, &room));
}

RV_TEST(errors, are_told_without_memory)
{
    struct rv_failing *failing = t->allocator.arg;
    struct rv_failure failure = {.code = 0};
    const struct reeve_error_detail *told;
    struct reeve_error_detail room;

    rv_failing_arm(failing, 1, true);
    told = tell_late(&failure, t, &room);
    cr_assert_eq(failing->refused, 1);
    rv_failing_disarm(failing);
    cr_assert_eq(told, &room);
    cr_assert_str_eq(told->message, "the server answered with an error status: " URL);
    cr_assert_eq(told->type[0], '\0');
    rv_failure_done(&failure, t->mem);
}
