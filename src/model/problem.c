/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, said so that somebody can act on it: what, where, and what to do where that is
 * known. Parts are bounded so that the last, which is the advice, always fits.
 */
#include "model/problem.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_URL_BYTES = 240,
    MAX_PROVIDER_BYTES = 500,
    MAX_BODY_BYTES = 120,
    MAX_TYPE_BYTES = 60,
    MAX_LOCATION_BYTES = 200,
};

static void set_text(char *array, size_t size, const char *text, const struct rv_secret *secret)
{
    struct rv_sentence sentence;

    rv_sentence_begin(&sentence, array, size, secret);
    if (text)
        rv_sentence_add(&sentence, text);
}

static void begin(struct reeve_error_detail *detail, const struct rv_problem_place *place, int code,
                  struct rv_sentence *ret_message)
{
    *detail = (struct reeve_error_detail){.code = code, .retry_after_ms = -1};
    rv_sentence_begin(ret_message, detail->message, sizeof detail->message, &place->secret);
}

static void add_url(struct rv_sentence *message, const struct rv_problem_place *place)
{
    rv_sentence_add_bytes(message, place->url, strlen(place->url), MAX_URL_BYTES);
}

void rv_problem_plain(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                      int code, const char *sentence)
{
    struct rv_sentence message;

    begin(detail, place, code, &message);
    rv_sentence_add(&message, sentence);
    rv_sentence_add(&message, ": ");
    add_url(&message, place);
}

/* ---- no response ----------------------------------------------------------------------------- */

static const char *transport_advice(int code)
{
    switch (code) {
    case REEVE_ERESOLVE:
        return ". Check the host name in the base URL, and the network.";
    case REEVE_ECONNECT:
        return ". Is the server running, and are host and port of the base URL right?";
    default:
        return "";
    }
}

static bool transport_may_pass(int code)
{
    return code == REEVE_ETIMEDOUT || code == REEVE_ERESOLVE || code == REEVE_ECONNECT ||
           code == REEVE_ECONNLOST || code == REEVE_ECUTSHORT;
}

void rv_problem_transport(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                          int code, const char *sentence)
{
    struct rv_sentence message;

    begin(detail, place, code, &message);
    detail->retryable = transport_may_pass(code);
    rv_sentence_add_bytes(&message, sentence, strlen(sentence), MAX_URL_BYTES + MAX_PROVIDER_BYTES);
    rv_sentence_add(&message, transport_advice(code));
}

/* ---- what the provider says ------------------------------------------------------------------ */

static bool contains(const char *text, size_t len, const char *part)
{
    const size_t part_len = strlen(part);
    size_t i;

    for (i = 0; i + part_len <= len; i++)
        if (!strncasecmp(text + i, part, part_len))
            return true;
    return false;
}

/* The servers' ways to say that the conversation does not fit the model. */
static bool is_too_long(const struct rv_provider_error *error)
{
    static const char *const words[] = {
        "maximum context length", "context length exceeded",    "exceeds the available context",
        "context window",         "prompt is too long",         "exceed_context_size",
        "input is too long",      "exceeds the context length", "maximum prompt length",
        "exceed context limit",
    };
    size_t i;

    if (error->code && !strcmp(error->code, "context_length_exceeded"))
        return true;
    if (error->type && !strcmp(error->type, "exceed_context_size_error"))
        return true;
    for (i = 0; error->message && i < sizeof words / sizeof *words; i++)
        if (contains(error->message, error->message_len, words[i]))
            return true;
    return false;
}

static bool is_quota(const struct rv_provider_error *error)
{
    return (error->code && !strcmp(error->code, "insufficient_quota")) ||
           (error->type && !strcmp(error->type, "insufficient_quota"));
}

static const char *status_advice(int status, const struct rv_provider_error *error, bool has_key)
{
    if (is_too_long(error))
        return "The conversation is too long for this model.";
    switch (status) {
    case 401:
        return has_key ? "The key was refused: check the API key and that it belongs to this URL."
                       : "The server wants an API key, and none was given.";
    case 402:
        return "The account has to be paid up.";
    case 403:
        return "The key has no right to this model or this server.";
    case 404:
        return "Check the base URL and the model's name.";
    case 405:
        return "This is no endpoint for completions: check the base URL.";
    case 413:
        return "The request is larger than the server takes.";
    case 429:
        return is_quota(error) ? "The account has no quota left."
                               : "Too many requests: wait, then try again.";
    case 529:
        return "The provider is overloaded: wait, then try again.";
    default:
        break;
    }
    if (status >= 500)
        return "The server failed, not the request: try again later.";
    return "";
}

static bool status_may_pass(int status)
{
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

static void take_names(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                       const struct rv_problem_head *head, const struct rv_provider_error *error)
{
    const char *request_id = head->request_id ? head->request_id : error->request_id;

    detail->http_status = head->status;
    detail->retry_after_ms = head->retry_after_ms;
    set_text(detail->type, sizeof detail->type, error->type, &place->secret);
    set_text(detail->provider_code, sizeof detail->provider_code, error->code, &place->secret);
    set_text(detail->request_id, sizeof detail->request_id, request_id, &place->secret);
}

/* End a sentence that may have its full stop already. */
static void end_sentence(struct rv_sentence *message)
{
    const char last = message->len ? message->text[message->len - 1] : '.';

    if (last == ' ')
        return;
    rv_sentence_add(message, strchr(".!?", last) ? " " : ". ");
}

static void add_body(struct rv_sentence *message, const char *content_type, const char *body,
                     size_t body_len)
{
    size_t type_len = content_type ? strcspn(content_type, "; ") : 0;

    if (type_len)
        rv_sentence_add_bytes(message, content_type, type_len, MAX_TYPE_BYTES);
    else
        rv_sentence_add(message, "something");
    if (!body_len) {
        rv_sentence_add(message, " with nothing in it");
        return;
    }
    rv_sentence_add(message, ": ");
    rv_sentence_add_bytes(message, body, body_len, MAX_BODY_BYTES);
}

static void add_redirect(struct rv_sentence *message, const char *location)
{
    rv_sentence_add(message, "The server points to ");
    rv_sentence_add_bytes(message, location, strlen(location), MAX_LOCATION_BYTES);
    rv_sentence_add(message, ", and redirects are not followed: check the base URL.");
}

void rv_problem_status(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                       const struct rv_problem_head *head, const struct rv_provider_error *error,
                       const char *body, size_t body_len)
{
    static const struct rv_provider_error unknown;
    struct rv_sentence message;

    begin(detail, place, REEVE_EHTTP, &message);
    take_names(detail, place, head, error ? error : &unknown);
    detail->context_full = error && is_too_long(error);
    detail->retryable = status_may_pass(head->status);
    if (head->should_retry)
        detail->retryable = !strcasecmp(head->should_retry, "true");
    rv_sentence_add(&message, "HTTP ");
    rv_sentence_add_number(&message, head->status);
    rv_sentence_add(&message, " from ");
    add_url(&message, place);
    if (error && error->message) {
        rv_sentence_add(&message, ": ");
        rv_sentence_add_bytes(&message, error->message, error->message_len, MAX_PROVIDER_BYTES);
    } else if (body_len) {
        rv_sentence_add(&message, " with ");
        add_body(&message, head->content_type, body, body_len);
    }
    end_sentence(&message);
    if (head->status < 400 && head->location)
        add_redirect(&message, head->location);
    else
        rv_sentence_add(
            &message, status_advice(head->status, error ? error : &unknown, place->secret.len > 0));
}

/* In a stream there is no status, but some servers send one as the code. */
static bool provider_may_pass(const struct rv_provider_error *error)
{
    static const char *const passing[] = {"server_error", "overloaded", "rate_limit", "unavailable",
                                          "timeout",      "api_error",  "internal"};
    size_t i;

    if (error->code && strlen(error->code) == 3 && strspn(error->code, "0123456789") == 3)
        return error->code[0] == '5' || !strcmp(error->code, "429") || !strcmp(error->code, "408");
    for (i = 0; i < sizeof passing / sizeof *passing; i++)
        if ((error->type && contains(error->type, strlen(error->type), passing[i])) ||
            (error->code && contains(error->code, strlen(error->code), passing[i])))
            return true;
    return false;
}

void rv_problem_provider(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                         const struct rv_problem_head *head, const struct rv_provider_error *error)
{
    struct rv_sentence message;

    begin(detail, place, REEVE_EPROVIDER, &message);
    take_names(detail, place, head, error);
    detail->retryable = provider_may_pass(error);
    detail->context_full = is_too_long(error);
    rv_sentence_add(&message, "the provider reported an error in its answer from ");
    add_url(&message, place);
    rv_sentence_add(&message, ": ");
    if (error->message)
        rv_sentence_add_bytes(&message, error->message, error->message_len, MAX_PROVIDER_BYTES);
    else
        rv_sentence_add(&message, error->type ? error->type : "it did not say which");
    end_sentence(&message);
    if (is_too_long(error))
        rv_sentence_add(&message, "The conversation is too long for this model.");
}

void rv_problem_format(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                       const char *what, const char *content_type, const char *body,
                       size_t body_len)
{
    struct rv_sentence message;

    begin(detail, place, REEVE_EPROTOCOL, &message);
    rv_sentence_add(&message, what);
    rv_sentence_add(&message, " from ");
    add_url(&message, place);
    rv_sentence_add(&message, ", got ");
    add_body(&message, content_type, body, body_len);
}
