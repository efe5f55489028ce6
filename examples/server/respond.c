/* SPDX-License-Identifier: MIT */
/* Deciding what to answer. */
#include "respond.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "anthropic.h"
#include "embed.h"

#define JSON_TYPE "application/json"
#define STREAM_TYPE "text/event-stream; charset=utf-8"
#define HTML_TYPE "text/html; charset=utf-8"
#define TEXT_TYPE "text/plain; charset=utf-8"

#define CHAT_PATH "/v1/chat/completions"
#define MESSAGES_PATH "/v1/messages"
#define EMBEDDINGS_PATH "/v1/embeddings"
#define MODELS_PATH "/v1/models"

/* A request while it is looked at. */
struct asked {
    struct model_server *server;
    struct evhttp_request *http;
    struct ms_response *response;
    const char *key; /* what the client sent as its key, "" for none */
    const char *path;
    enum ms_wire wire; /* by the path */
};

static void respond_error(struct asked *asked, const struct ms_error *error)
{
    asked->response->status = error->status;
    asked->response->content_type = JSON_TYPE;
    ms_error_write(asked->wire, error, &asked->response->body);
}

static void respond_no_memory(struct asked *asked)
{
    struct ms_error error;

    ms_error_set(&error, NULL, NULL, "The server is out of memory.");
    error.type = "server_error";
    error.status = 500;
    respond_error(asked, &error);
}

static const char *method_name(enum evhttp_cmd_type method)
{
    switch (method) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_TRACE:
        return "TRACE";
    case EVHTTP_REQ_CONNECT:
        return "CONNECT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    default:
        return "?";
    }
}

static const char *find_header(const struct asked *asked, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(asked->http), name);
}

static const char *read_key(const struct asked *asked)
{
    const char *value = find_header(asked, "x-api-key");

    if (asked->wire == MS_WIRE_ANTHROPIC && value)
        return value;
    value = find_header(asked, "Authorization");
    return value && strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 : "";
}

static const char *read_path(const struct asked *asked)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(asked->http);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

    return path ? path : "";
}

/* The real server shows the ends of a wrong key and hides its middle. */
static void refuse_key(struct asked *asked)
{
    struct ms_error error;
    size_t len = strlen(asked->key);

    if (asked->wire == MS_WIRE_ANTHROPIC)
        ms_error_set(&error, NULL, NULL,
                     len == 0 ? "x-api-key header is required" : "invalid x-api-key");
    else if (len == 0)
        ms_error_set(&error, NULL, NULL,
                     "You didn't provide an API key. You need to provide your API key in an "
                     "Authorization header using Bearer auth (i.e. Authorization: Bearer "
                     "YOUR_KEY).");
    else if (len < 12)
        ms_error_set(&error, "invalid_api_key", NULL, "Incorrect API key provided: ***.");
    else
        ms_error_set(&error, "invalid_api_key", NULL, "Incorrect API key provided: %.4s***%s.",
                     asked->key, asked->key + len - 4);
    error.status = 401;
    respond_error(asked, &error);
}

static void refuse_path(struct asked *asked)
{
    struct ms_error error;

    ms_error_set(&error, NULL, NULL, "Invalid URL (%s %.256s)",
                 method_name(evhttp_request_get_command(asked->http)), asked->path);
    error.status = 404;
    respond_error(asked, &error);
}

static void refuse_method(struct asked *asked, const char *allowed)
{
    struct ms_error error;

    ms_error_set(&error, "method_not_supported", NULL,
                 "Not allowed to %s on %s. (HINT: Perhaps you meant to use a different HTTP "
                 "method?)",
                 method_name(evhttp_request_get_command(asked->http)), asked->path);
    error.status = 405;
    asked->response->allow = allowed;
    respond_error(asked, &error);
}

static void refuse_size(struct asked *asked)
{
    struct ms_error error;

    ms_error_set(&error, "request_too_large", NULL,
                 "The request body is larger than the %zu bytes that this server takes.",
                 asked->server->options.max_body_bytes);
    error.status = 413;
    respond_error(asked, &error);
}

static void refuse_content_type(struct asked *asked, const char *type)
{
    struct ms_error error;

    ms_error_set(&error, "unsupported_content_type", NULL,
                 "Unsupported content type: '%.64s'. This API method only accepts "
                 "'application/json' requests. Please try again with a supported content type.",
                 type);
    respond_error(asked, &error);
}

static void respond_html(struct asked *asked, const struct ms_fault *fault)
{
    int status = fault->value >= 200 && fault->value <= 599 ? (int)fault->value : 200;

    asked->response->status = status;
    asked->response->content_type = HTML_TYPE;
    ms_html_write(status, &asked->response->body);
}

/* The faults that need no completion. True when one of them has been answered. */
static bool respond_fault(struct asked *asked, const struct ms_fault *fault, const char *model)
{
    struct ms_error error;

    asked->response->fault = *fault;
    asked->response->retry_after_seconds = ms_fault_retry_after(fault);
    if (fault->kind == MS_FAULT_HTML) {
        respond_html(asked, fault);
        return true;
    }
    if (!ms_fault_error(fault, model, asked->key, &error))
        return false;
    respond_error(asked, &error);
    return true;
}

/* Half of a call's arguments are no JSON. A plan without a call gets one. 0, or -1. */
static int break_arguments(const struct ms_request *request, struct ms_plan *plan)
{
    yajl_val tool = request->tools ? request->tools->u.array.values[0] : NULL;
    const char *name = ms_json_string(ms_json_get(tool, "function"), "name");
    size_t len;

    if (plan->calls_count == 0) {
        plan->text.len = 0;
        return ms_plan_add_call(plan, ms_span_of(name ? name : "read_file"),
                                ms_span_of("{\"path\": \"notes"));
    }
    len = strlen(plan->calls[0].arguments);
    plan->calls[0].arguments[len - (len > 2 ? 2 : 1)] = '\0';
    return 0;
}

static int call_unknown_tool(struct ms_plan *plan)
{
    ms_text_clear(&plan->text);
    return ms_plan_add_call(plan, ms_span_of("open_the_pod_bay_doors"),
                            ms_span_of("{\"doors\": [\"all\"]}"));
}

static int say_key(const char *key, struct ms_plan *plan)
{
    ms_plan_done(plan);
    ms_text_init(&plan->text, MS_MAX_ANSWER_BYTES);
    ms_text_addf(&plan->text, "Your key is %s, and %s it stays.", key, key);
    return plan->text.failed ? -1 : 0;
}

static int spoil_plan(const struct asked *asked, const struct ms_fault *fault,
                      const struct ms_request *request, struct ms_plan *plan)
{
    if (fault->kind == MS_FAULT_ECHO_KEY_IN_TEXT)
        return say_key(asked->key, plan);
    if (fault->kind == MS_FAULT_BAD_ARGUMENTS)
        return break_arguments(request, plan);
    if (fault->kind == MS_FAULT_UNKNOWN_TOOL)
        return call_unknown_tool(plan);
    return 0;
}

/* The fault of this request: by header, else by the prompt, else by the server's options. 0, or -1
 * with an answer given because there is no fault of that name. */
static int choose_fault(struct asked *asked, const struct ms_plan *plan, struct ms_fault *ret_fault)
{
    const char *header = find_header(asked, "x-reeve-fault");
    const char *spec = header ? header : plan->fault;
    uint64_t key = ms_hash(plan->question_hash, spec, strlen(spec));
    struct ms_fault fault = asked->server->fault;
    struct ms_error error;

    if (*spec && ms_fault_parse(ms_span_of(spec), &fault)) {
        ms_error_set(&error, "invalid_value", NULL, "There is no fault '%.64s'.", spec);
        respond_error(asked, &error);
        return -1;
    }
    if (!ms_fault_is_due(&asked->server->fault_counters, &fault, key, plan->rounds))
        fault = (struct ms_fault){0};
    *ret_fault = fault;
    return 0;
}

/* Takes the plan over. */
static void respond_completion(struct asked *asked, const struct ms_request *request,
                               const struct ms_fault *fault, struct ms_plan *plan)
{
    struct ms_response *response = asked->response;

    if (ms_prefix_measure(request, asked->key, &response->prefix)) {
        ms_plan_done(plan);
        respond_no_memory(asked);
        return;
    }
    if (ms_reply_init(&response->reply, request, plan, fault, asked->server->options.chunk_bytes,
                      ms_server_random, asked->server)) {
        ms_prefix_done(&response->prefix);
        respond_no_memory(asked);
        return;
    }
    if (fault->echo)
        snprintf(response->reply.echo, sizeof(response->reply.echo), "%s", asked->key);
    response->is_completion = true;
    response->status = 200;
    response->content_type = request->stream ? STREAM_TYPE : JSON_TYPE;
    if (fault->kind == MS_FAULT_CONTENT_TYPE)
        response->content_type = TEXT_TYPE;
}

static void answer_request(struct asked *asked, const struct ms_request *request)
{
    struct ms_fault fault;
    struct ms_plan plan;

    if (ms_script_think(request, &plan)) {
        respond_no_memory(asked);
        return;
    }
    if (choose_fault(asked, &plan, &fault) || respond_fault(asked, &fault, request->model)) {
        ms_plan_done(&plan);
        return;
    }
    if (spoil_plan(asked, &fault, request, &plan)) {
        ms_plan_done(&plan);
        respond_no_memory(asked);
        return;
    }
    respond_completion(asked, request, &fault, &plan);
}

/* The body as one piece with a NUL behind it; NULL without memory. */
static const char *read_body(const struct asked *asked, size_t *ret_len)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(asked->http);

    *ret_len = evbuffer_get_length(input);
    if (evbuffer_add(input, "", 1))
        return NULL;
    return (const char *)evbuffer_pullup(input, -1);
}

/* The body of a POST of JSON; NULL: an answer has been given. */
static const char *take_body(struct asked *asked, size_t *ret_len)
{
    const char *type = find_header(asked, "Content-Type");
    struct ms_error error;
    const char *body;

    if (evhttp_request_get_command(asked->http) != EVHTTP_REQ_POST) {
        refuse_method(asked, "POST");
        return NULL;
    }
    if (evbuffer_get_length(evhttp_request_get_input_buffer(asked->http)) >
        asked->server->options.max_body_bytes) {
        refuse_size(asked);
        return NULL;
    }
    if (type && strncasecmp(type, JSON_TYPE, strlen(JSON_TYPE)) != 0) {
        refuse_content_type(asked, type);
        return NULL;
    }
    if (asked->wire == MS_WIRE_ANTHROPIC && !find_header(asked, "anthropic-version")) {
        ms_error_set(&error, NULL, NULL, "anthropic-version: header is required");
        respond_error(asked, &error);
        return NULL;
    }
    body = read_body(asked, ret_len);
    if (!body)
        respond_no_memory(asked);
    return body;
}

static void respond_chat(struct asked *asked)
{
    struct ms_request request;
    struct ms_error error;
    size_t len;
    const char *body = take_body(asked, &len);
    int status;

    if (!body)
        return;
    if (asked->wire == MS_WIRE_ANTHROPIC)
        status = ms_anthropic_parse(body, len, &request, &error);
    else
        status = ms_request_parse(body, len, &request, &error);
    if (status) {
        respond_error(asked, &error);
        return;
    }
    answer_request(asked, &request);
    ms_request_done(&request);
}

static void respond_embeddings(struct asked *asked)
{
    struct ms_plan nothing = {.calls_count = 0};
    struct ms_fault fault;
    struct ms_error error;
    size_t len;
    const char *body = take_body(asked, &len);

    if (!body || choose_fault(asked, &nothing, &fault) ||
        respond_fault(asked, &fault, asked->server->options.model))
        return;
    if (ms_embed(body, len, &asked->response->body, &error)) {
        respond_error(asked, &error);
        return;
    }
    asked->response->status = 200;
    asked->response->content_type = fault.kind == MS_FAULT_CONTENT_TYPE ? TEXT_TYPE : JSON_TYPE;
}

static void respond_models(struct asked *asked)
{
    struct ms_plan nothing = {.calls_count = 0};
    struct ms_fault fault;

    if (evhttp_request_get_command(asked->http) != EVHTTP_REQ_GET) {
        refuse_method(asked, "GET");
        return;
    }
    if (choose_fault(asked, &nothing, &fault) ||
        respond_fault(asked, &fault, asked->server->options.model))
        return;
    asked->response->status = 200;
    asked->response->content_type = fault.kind == MS_FAULT_CONTENT_TYPE ? TEXT_TYPE : JSON_TYPE;
    ms_models_write(asked->server->options.model, time(NULL), &asked->response->body);
}

void ms_respond(struct model_server *server, struct evhttp_request *request,
                struct ms_response *response)
{
    struct asked asked = {.server = server, .http = request, .response = response};

    asked.path = read_path(&asked);
    asked.wire = strcmp(asked.path, MESSAGES_PATH) == 0 ? MS_WIRE_ANTHROPIC : MS_WIRE_OPENAI;
    asked.key = read_key(&asked);
    if (server->options.api_key && strcmp(asked.key, server->options.api_key) != 0)
        refuse_key(&asked);
    else if (asked.wire == MS_WIRE_ANTHROPIC || strcmp(asked.path, CHAT_PATH) == 0)
        respond_chat(&asked);
    else if (strcmp(asked.path, EMBEDDINGS_PATH) == 0)
        respond_embeddings(&asked);
    else if (strcmp(asked.path, MODELS_PATH) == 0)
        respond_models(&asked);
    else
        refuse_path(&asked);
}
