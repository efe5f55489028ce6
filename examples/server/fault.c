/* SPDX-License-Identifier: MIT */
/* Reading a fault's name, and the error bodies of those that are errors. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#define ECHO_IN_STREAM "echo-key-in-stream"

static const struct {
    const char *name;
    enum ms_fault_kind kind;
    long turn;
} names[] = {
    {"context", MS_FAULT_CONTEXT, MS_EACH_TURN},
    {"quota", MS_FAULT_QUOTA, MS_EACH_TURN},
    {"echo-key", MS_FAULT_ECHO_KEY, MS_EACH_TURN},
    {ECHO_IN_STREAM, MS_FAULT_ERROR_IN_STREAM, MS_EACH_TURN},
    {"echo-key-in-text", MS_FAULT_ECHO_KEY_IN_TEXT, MS_EACH_TURN},
    {"html", MS_FAULT_HTML, MS_EACH_TURN},
    {"cut", MS_FAULT_CUT, MS_EACH_TURN},
    {"reset", MS_FAULT_RESET, MS_EACH_TURN},
    {"rst", MS_FAULT_RESET, MS_EACH_TURN},
    {"stall", MS_FAULT_STALL, MS_EACH_TURN},
    {"wrong-length", MS_FAULT_WRONG_LENGTH, MS_EACH_TURN},
    {"gzip", MS_FAULT_GZIP, MS_EACH_TURN},
    {"garbage", MS_FAULT_GARBAGE, MS_EACH_TURN},
    {"error-in-stream", MS_FAULT_ERROR_IN_STREAM, MS_EACH_TURN},
    {"content-type", MS_FAULT_CONTENT_TYPE, MS_EACH_TURN},
    {"no-done", MS_FAULT_NO_DONE, MS_EACH_TURN},
    {"crlf", MS_FAULT_CRLF, MS_EACH_TURN},
    {"comments", MS_FAULT_COMMENTS, MS_EACH_TURN},
    {"bad-utf8", MS_FAULT_BAD_UTF8, MS_EACH_TURN},
    {"huge", MS_FAULT_HUGE, MS_EACH_TURN},
    {"bad-arguments", MS_FAULT_BAD_ARGUMENTS, 0},
    {"unknown-tool", MS_FAULT_UNKNOWN_TOOL, 0},
};

static const struct {
    int status;
    const char *type;
    const char *code;
    const char *message;
} statuses[] = {
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
    {403, "invalid_request_error", "unsupported_country_region_territory",
     "Country, region, or territory not supported"},
    {404, "invalid_request_error", "model_not_found",
     "The requested model does not exist or you do not have access to it."},
    {408, "timeout", NULL, "The request timed out."},
    {409, "invalid_request_error", NULL, "The resource is being changed by another request."},
    {429, "requests", "rate_limit_exceeded",
     "Rate limit reached on requests per min (RPM): Limit 3, Used 3, Requested 1."},
    {500, "server_error", NULL,
     "The server had an error while processing your request. Sorry about that!"},
    {503, "server_error", "service_unavailable",
     "The engine is currently overloaded, please try again later"},
    {529, "server_error", "overloaded", "Overloaded"},
};

/* Digits at *at; -1 when there are none or they mean too much. */
static long read_number(struct ms_span spec, size_t *at)
{
    size_t start = *at;
    long number = 0;

    while (*at < spec.len && spec.s[*at] >= '0' && spec.s[*at] <= '9') {
        if (*at - start == 9)
            return -1;
        number = number * 10 + (spec.s[(*at)++] - '0');
    }
    return *at == start ? -1 : number;
}

static int read_name(struct ms_span name, struct ms_fault *fault)
{
    size_t at = 0;
    long status = read_number(name, &at);

    if (status >= 400 && status <= 599 && at == name.len) {
        fault->kind = MS_FAULT_STATUS;
        fault->status = (int)status;
        return 0;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ms_span_is(name, names[i].name)) {
            fault->kind = names[i].kind;
            fault->turn = names[i].turn;
            fault->echo = ms_span_is(name, ECHO_IN_STREAM);
            return 0;
        }
    }
    return -1;
}

int ms_fault_parse(struct ms_span spec, struct ms_fault *ret_fault)
{
    struct ms_fault fault = {.value = -1, .turn = MS_EACH_TURN};
    size_t at = 0;

    spec = ms_span_trim(spec, " \t");
    while (at < spec.len && !strchr(":*@", spec.s[at]))
        at++;
    if (read_name((struct ms_span){spec.s, at}, &fault))
        return -1;
    while (at < spec.len) {
        char mark = spec.s[at++];
        long number;

        if (mark == '@' && at < spec.len && spec.s[at] == '*') {
            fault.turn = MS_EACH_TURN;
            at++;
            continue;
        }
        number = read_number(spec, &at);
        if (number < 0)
            return -1;
        if (mark == ':')
            fault.value = number;
        else if (mark == '*')
            fault.count = number;
        else if (mark == '@')
            fault.turn = number;
        else
            return -1;
    }
    *ret_fault = fault;
    return 0;
}

static void status_error(int status, struct ms_error *error)
{
    const char *type = status < 500 ? "invalid_request_error" : "server_error";

    ms_error_set(error, NULL, NULL, "The server answers %d because it was asked to.", status);
    error->type = type;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].status == status) {
            ms_error_set(error, statuses[i].code, NULL, "%s", statuses[i].message);
            error->type = statuses[i].type;
        }
    }
    error->status = status;
}

bool ms_fault_error(const struct ms_fault *fault, const char *model, const char *key,
                    struct ms_error *ret_error)
{
    switch (fault->kind) {
    case MS_FAULT_STATUS:
        status_error(fault->status, ret_error);
        return true;
    case MS_FAULT_CONTEXT:
        ms_error_set(ret_error, "context_length_exceeded", "messages",
                     "This model's maximum context length is 8192 tokens. However, your messages "
                     "resulted in 9021 tokens. Please reduce the length of the messages. (%.64s)",
                     model);
        return true;
    case MS_FAULT_QUOTA:
        ms_error_set(
            ret_error, "insufficient_quota", NULL,
            "You exceeded your current quota, please check your plan and billing details.");
        ret_error->type = "insufficient_quota";
        ret_error->status = 429;
        return true;
    case MS_FAULT_ECHO_KEY:
        ms_error_set(ret_error, "invalid_api_key", NULL, "Incorrect API key provided: %.512s.",
                     key);
        ret_error->status = 401;
        return true;
    default:
        return false;
    }
}

long ms_fault_retry_after(const struct ms_fault *fault)
{
    if (fault->kind != MS_FAULT_STATUS)
        return -1;
    if (fault->value >= 0)
        return fault->value;
    return fault->status == 429 || fault->status == 503 ? 1 : -1;
}

bool ms_fault_is_due(struct ms_fault_counters *counters, const struct ms_fault *fault,
                     uint64_t question_hash, size_t turn)
{
    size_t slot = question_hash % MS_FAULT_COUNTERS;

    if (fault->kind == MS_FAULT_NONE)
        return false;
    if (fault->turn != MS_EACH_TURN && (size_t)fault->turn != turn)
        return false;
    if (fault->count == 0)
        return true;
    if (counters->slots[slot].key != question_hash) {
        counters->slots[slot].key = question_hash;
        counters->slots[slot].used = 0;
    }
    if (counters->slots[slot].used >= fault->count)
        return false;
    counters->slots[slot].used++;
    return true;
}
