/* SPDX-License-Identifier: MIT */
/* What the person sees. */
#include "agent/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char dim[] = "\033[2m";
static const char red[] = "\033[31m";
static const char plain[] = "\033[0m";

void view_init(struct view *view, bool verbose, const char *key)
{
    const char *no_color = getenv("NO_COLOR");

    *view = (struct view){.verbose = verbose};
    view->out_terminal = isatty(STDOUT_FILENO);
    view->err_terminal = isatty(STDERR_FILENO);
    redact_init(&view->redact, key);
    view->colours = view->err_terminal && !(no_color && *no_color);
}

void view_begin_run(struct view *view)
{
    view->span_count = 0;
    view->in_line = false;
}

/*
 * Write text with every control character but newline and tab made visible: C0 and DEL as ^X, C1
 * (U+0080 to U+009F, two bytes in UTF-8) as \x.. .
 */
static void put_visible(FILE *file, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7f && byte != 0xc2)) {
            putc(byte, file);
        } else if (byte == 0xc2 && i + 1 < len && ((unsigned char)text[i + 1] & 0xe0) == 0x80) {
            fprintf(file, "\\x%02x", (unsigned char)text[++i]);
        } else if (byte == 0xc2) {
            putc(byte, file);
        } else {
            putc('^', file);
            putc(byte ^ 0x40, file);
        }
    }
}

/*
 * The code of a character of three bytes that shows nothing, or turns the direction of what
 * follows, so that a text could look like another: U+200B to U+200F, U+2028 to U+202E, U+2060 to
 * U+206F, U+FEFF. Else 0.
 */
static unsigned deceiving(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned code;

    if (len < 3 || (bytes[0] & 0xf0) != 0xe0)
        return 0;
    code = (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f) || code == 0xfeff)
        return code;
    return 0;
}

/* The same for one line: newlines, tabs and what deceives are shown as well. */
static void put_visible_line(FILE *file, const char *text, size_t len)
{
    size_t start = 0, i;

    for (i = 0; i < len; i++) {
        const unsigned code = deceiving(text + i, len - i);

        if (text[i] != '\n' && text[i] != '\t' && !code)
            continue;
        put_visible(file, text + start, i - start);
        if (code)
            fprintf(file, "\\u%04x", code);
        else
            fputs(text[i] == '\n' ? "\\n" : "\\t", file);
        i += code ? 2 : 0;
        start = i + 1;
    }
    put_visible(file, text + start, len - start);
}

static void put_line_piece(const char *text, size_t len, void *arg)
{
    put_visible_line(arg, text, len);
}

static void put_note_piece(const char *text, size_t len, void *arg)
{
    put_visible(arg, text, len);
}

/* The first `shown` bytes of a text of others, as a part of one line. */
static void put_foreign(const struct view *view, const char *text, size_t len, size_t shown)
{
    redact_text(&view->redact, text, len, shown, put_line_piece, stderr);
}

void view_foreign(const struct view *view, const char *text, size_t len)
{
    put_foreign(view, text, len, len);
}

static void put_answer_piece(const char *text, size_t len, void *arg)
{
    struct view *view = arg;

    if (view->out_terminal)
        put_visible(stdout, text, len);
    else
        fwrite(text, 1, len, stdout);
    view->in_line = text[len - 1] != '\n';
}

void view_end_line(struct view *view)
{
    redact_end(&view->redact, put_answer_piece, view);
    if (view->in_line)
        putchar('\n');
    view->in_line = false;
    fflush(stdout);
}

static void colour(const struct view *view, const char *sequence)
{
    if (view->colours)
        fputs(sequence, stderr);
}

void view_text(struct view *view, const char *text, size_t len)
{
    if (!len)
        return;
    redact_feed(&view->redact, text, len, put_answer_piece, view);
    fflush(stdout);
}

void view_note(struct view *view, const char *format, ...)
{
    va_list args;
    char text[2048];
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0)
        return;
    view_end_line(view);
    redact_text(&view->redact, text, strlen(text), strlen(text), put_note_piece, stderr);
    putc('\n', stderr);
}

static struct view_span *find_span(struct view *view, const char *id)
{
    size_t i = view->span_count;

    while (i--)
        if (!strncmp(view->spans[i].id, id, sizeof view->spans[i].id - 1))
            return &view->spans[i];
    return NULL;
}

static void begin_span(struct view *view, const struct reeve_tool_event *event)
{
    struct view_span *span;

    if (view->span_count == VIEW_MAX_SPANS)
        return;
    span = &view->spans[view->span_count++];
    *span = (struct view_span){.started_us = event->at_us};
    snprintf(span->id, sizeof span->id, "%s", event->call->id);
    if (redact_has_key(&view->redact, event->call->name) ||
        redact_has_key(&view->redact, event->call->arguments))
        snprintf(span->what, sizeof span->what, "a call with the key in it");
    else
        snprintf(span->what, sizeof span->what, "%s %s", event->call->name, event->call->arguments);
}

static double ms(uint64_t us)
{
    return (double)us / 1000.0;
}

static void tool_started(struct view *view, const struct reeve_tool_event *event)
{
    const struct reeve_call *call = event->call;
    size_t shown = call->arguments_len;

    begin_span(view, event);
    if (!view->verbose && shown > 100)
        shown = 100;
    colour(view, dim);
    fprintf(stderr, "%10.3f ms  > ", ms(event->at_us));
    put_foreign(view, call->name, strlen(call->name), strlen(call->name));
    putc(' ', stderr);
    put_foreign(view, call->arguments, call->arguments_len, shown);
    if (shown < call->arguments_len)
        fprintf(stderr, "… (%zu bytes)", call->arguments_len);
}

static void tool_ended(struct view *view, const struct reeve_tool_event *event)
{
    const struct reeve_result *result = event->result;
    bool bad = result->status != REEVE_CALL_SUCCEEDED;
    struct view_span *span = find_span(view, event->call->id);

    if (span && !span->ended_us)
        span->ended_us = event->at_us;
    colour(view, bad ? red : dim);
    fprintf(stderr, "%10.3f ms  < ", ms(event->at_us));
    put_foreign(view, event->call->name, strlen(event->call->name), strlen(event->call->name));
    fprintf(stderr, " %s", reeve_call_status_name(result->status));
    if (span)
        fprintf(stderr, " in %.3f ms", ms(event->at_us - span->started_us));
    if (bad || view->verbose) {
        fputs(": ", stderr);
        put_foreign(view, result->text, result->len, result->len < 300 ? result->len : 300);
    } else {
        fprintf(stderr, ", %zu bytes", result->len);
    }
}

void view_tool(struct view *view, const struct reeve_tool_event *event)
{
    if (event->kind == REEVE_TOOL_OUTPUT)
        return; /* it stands in the result */
    view_end_line(view);
    if (event->result)
        tool_ended(view, event);
    else
        tool_started(view, event);
    colour(view, plain);
    putc('\n', stderr);
}

/* Two calls of which each began before the other had ended: shown once, with their times. */
static void note_overlap(struct view *view)
{
    const struct view_span *a = view->spans, *b;
    size_t i;

    for (i = 1; i < view->span_count; i++) {
        a = &view->spans[i - 1];
        b = &view->spans[i];
        if (a->ended_us && b->ended_us && b->started_us < a->ended_us &&
            a->started_us < b->ended_us)
            break;
    }
    if (i >= view->span_count)
        return;
    view_note(view, "at the same time: %s (%.3f to %.3f ms) and %s (%.3f to %.3f ms)", a->what,
              ms(a->started_us), ms(a->ended_us), view->spans[i].what,
              ms(view->spans[i].started_us), ms(view->spans[i].ended_us));
}

static void note_error(struct view *view, const struct reeve_run *run)
{
    const struct reeve_error_detail *detail = run->detail;

    colour(view, red);
    view_note(view, "error: %s",
              detail && detail->message[0] ? detail->message : reeve_error_text(run->error));
    if (detail && detail->request_id[0])
        view_note(view, "the provider's request id: %s", detail->request_id);
    colour(view, plain);
}

static void note_stop(struct view *view, const struct reeve_run *run)
{
    switch (run->stop_reason) {
    case REEVE_STOP_ERROR:
        note_error(view, run);
        break;
    case REEVE_STOP_TURNS:
        view_note(view, "stopped: the limit on turns is reached (--max-turns)");
        break;
    case REEVE_STOP_TOOL_CALLS:
        view_note(view, "stopped: the limit on tool calls is reached (--max-tool-calls)");
        break;
    case REEVE_STOP_TOKENS:
        view_note(view, "stopped: the limit on tokens is reached (--max-tokens)");
        break;
    case REEVE_STOP_TIME:
        view_note(view, "stopped: the limit on time is reached (--max-time)");
        break;
    case REEVE_STOP_LENGTH:
        view_note(view, "stopped: the answer was cut by the model's limit on its length");
        break;
    case REEVE_STOP_FILTER:
        view_note(view, "stopped: the answer was cut by the provider's content filter");
        break;
    case REEVE_STOP_CANCELED:
        view_note(view, "cancelled");
        break;
    default:
        break;
    }
}

void view_end_run(struct view *view, const struct reeve_run *run)
{
    view_end_line(view);
    note_stop(view, run);
    note_overlap(view);
    colour(view, dim);
    /* "error: " begins the message about it, and nothing else. */
    fprintf(
        stderr, "%s: %u turn%s, %u tool call%s",
        run->stop_reason == REEVE_STOP_ERROR ? "failed" : reeve_stop_reason_name(run->stop_reason),
        run->turns, run->turns == 1 ? "" : "s", run->tool_calls, run->tool_calls == 1 ? "" : "s");
    if (run->failed_tool_calls)
        fprintf(stderr, " (%u failed)", run->failed_tool_calls);
    if (run->usage.reported)
        fprintf(stderr, ", %llu tokens in (%llu cached), %llu out",
                (unsigned long long)run->usage.input_tokens,
                (unsigned long long)run->usage.cached_tokens,
                (unsigned long long)run->usage.output_tokens);
    fprintf(stderr, ", %.3f s", (double)run->duration_us / 1e6);
    colour(view, plain);
    putc('\n', stderr);
}
