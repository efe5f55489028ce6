/* SPDX-License-Identifier: MIT */
/* A line of JSON for each thing that happens. */
#include "agent/events.h"

#include <stdio.h>
#include <string.h>

static void put_escaped(const char *text, size_t len, void *arg)
{
    size_t i;

    (void)arg;
    for (i = 0; i < len; i++) {
        const unsigned char byte = (unsigned char)text[i];

        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte == '\n')
            fputs("\\n", stdout);
        else if (byte < 0x20 || byte == 0x7f)
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
}

static void put_name(const char *name)
{
    printf(",\"%s\":", name);
}

static void put_text(const struct events *events, const char *name, const char *text, size_t len)
{
    put_name(name);
    putchar('"');
    redact_text(&events->redact, text, len, len, put_escaped, NULL);
    putchar('"');
}

static void put_string(const struct events *events, const char *name, const char *text)
{
    put_text(events, name, text, strlen(text));
}

static void put_number(const char *name, uint64_t number)
{
    put_name(name);
    printf("%llu", (unsigned long long)number);
}

static void end_line(void)
{
    fputs("}\n", stdout);
    fflush(stdout);
}

static void put_piece(const char *text, size_t len, void *arg)
{
    struct events *events = arg;

    if (!events->in_text)
        fputs("{\"event\":\"text\",\"text\":\"", stdout);
    events->in_text = true;
    put_escaped(text, len, NULL);
}

static void end_text(struct events *events)
{
    if (!events->in_text)
        return;
    putchar('"');
    end_line();
    events->in_text = false;
}

/* What was held back of the text comes first. */
static void begin(struct events *events, const char *name)
{
    redact_end(&events->redact, put_piece, events);
    end_text(events);
    printf("{\"event\":\"%s\"", name);
}

void events_init(struct events *events, const char *key)
{
    *events = (struct events){0};
    redact_init(&events->redact, key);
}

void events_begin_run(struct events *events)
{
    tally_begin_run(&events->tally);
}

void events_text(struct events *events, const char *text, size_t len)
{
    redact_feed(&events->redact, text, len, put_piece, events);
    end_text(events);
}

static void put_call(const struct events *events, const struct reeve_call *call)
{
    put_string(events, "id", call->id);
    put_string(events, "tool", call->name);
}

static void tool_started(struct events *events, const struct reeve_call *call)
{
    begin(events, "tool_start");
    put_call(events, call);
    put_text(events, "arguments", call->arguments, call->arguments_len);
}

static void tool_ended(struct events *events, const struct reeve_tool_event *event)
{
    const struct reeve_result *result = event->result;

    begin(events, "tool_end");
    put_call(events, event->call);
    put_string(events, "status", reeve_call_status_name(result->status));
    put_string(events, "source", reeve_result_source_name(result->source));
    put_number("attempts", result->attempts);
    put_text(events, "text", result->text, result->len);
}

void events_tool(struct events *events, const struct reeve_tool_event *event)
{
    tally_add(&events->tally, event);
    switch (event->kind) {
    case REEVE_TOOL_STARTED:
        tool_started(events, event->call);
        break;
    case REEVE_TOOL_OUTPUT:
        begin(events, "tool_output");
        put_call(events, event->call);
        put_text(events, "text", event->output, event->output_len);
        break;
    case REEVE_TOOL_ENDED:
        tool_ended(events, event);
        break;
    case REEVE_TOOL_RETRIED:
        begin(events, "tool_retry");
        put_call(events, event->call);
        put_number("wait_ms", event->wait_ms);
    }
    put_number("at_us", event->at_us);
    end_line();
}

static const char *effect_name(enum reeve_effect effect)
{
    switch (effect) {
    case REEVE_EFFECT_READ:
        return "read";
    case REEVE_EFFECT_WRITE:
        return "write";
    case REEVE_EFFECT_UNKNOWN:
        break;
    }
    return "unknown";
}

void events_permission(struct events *events, const struct reeve_permission_request *request,
                       const char *answer)
{
    size_t i;

    begin(events, "permission");
    put_call(events, request->call);
    put_string(events, "effect", effect_name(request->effect));
    put_name("claims");
    putchar('[');
    for (i = 0; i < request->claim_count; i++) {
        const struct reeve_claim *claim = &request->claims[i];

        printf("%s{\"effect\":\"%s\"", i ? "," : "", effect_name(claim->effect));
        put_string(events, "kind", claim->kind);
        put_string(events, "key", claim->key);
        putchar('}');
    }
    putchar(']');
    put_string(events, "answer", answer);
    end_line();
}

static void put_error(const struct events *events, const struct reeve_run *run)
{
    const struct reeve_error_detail *detail = run->detail;

    put_string(events, "error", reeve_error_name(run->error));
    put_string(events, "message",
               detail && detail->message[0] ? detail->message : reeve_error_text(run->error));
    if (detail && detail->http_status)
        put_number("http_status", (uint64_t)detail->http_status);
}

void events_end_run(struct events *events, const struct reeve_run *run)
{
    begin(events, "done");
    put_string(events, "stop_reason", reeve_stop_reason_name(run->stop_reason));
    if (run->error)
        put_error(events, run);
    put_number("turns", run->turns);
    put_number("tool_calls", run->tool_calls);
    put_number("failed_tool_calls", run->failed_tool_calls);
    put_number("refused_tool_calls", run->refused_tool_calls);
    put_number("peak_running", events->tally.peak);
    put_number("tools_busy_us", events->tally.busy_us);
    put_number("tools_sum_us", events->tally.sum_us);
    if (run->usage.reported) {
        put_number("input_tokens", run->usage.input_tokens);
        put_number("cached_tokens", run->usage.cached_tokens);
        put_number("output_tokens", run->usage.output_tokens);
    }
    put_number("duration_us", run->duration_us);
    end_line();
}
