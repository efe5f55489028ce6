/* SPDX-License-Identifier: MIT */
/* What the person sees. */
#include "agent/view.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/visible.h"

enum { LEAST_SHOWN = 30 }; /* of a call's arguments, bytes */

static const char dim[] = "\033[2m";
static const char red[] = "\033[31m";
static const char plain[] = "\033[0m";

bool view_init(struct view *view, struct event_base *base, struct screen *screen, bool verbose,
               const char *key)
{
    *view = (struct view){.screen = screen, .verbose = verbose};
    view->out_terminal = isatty(STDOUT_FILENO);
    view->colours = screen_has_colours(screen);
    redact_init(&view->redact, key);
    view->live = live_new(base, screen, &view->tally, &view->redact);
    return view->live;
}

void view_done(struct view *view)
{
    live_free(view->live);
    view->live = NULL;
}

void view_begin_run(struct view *view)
{
    tally_begin_run(&view->tally);
    view->span_count = 0;
    view->in_line = false;
}

static void put_visible(FILE *file, const char *text, size_t len, enum visible_how how)
{
    struct visible shown;
    size_t at = 0;

    while (at < len) {
        at += visible_next(text + at, len - at, how, &shown);
        fwrite(shown.text, 1, shown.len, file);
    }
}

static void put_line_piece(const char *text, size_t len, void *arg)
{
    put_visible(arg, text, len, VISIBLE_LINE);
}

/* The first `shown` bytes of a text of others, as a part of one line. */
static void put_foreign(const struct view *view, FILE *file, const char *text, size_t len,
                        size_t shown)
{
    redact_text(&view->redact, text, len, shown, put_line_piece, file);
}

void view_foreign(const struct view *view, const char *text, size_t len)
{
    put_foreign(view, stderr, text, len, len);
}

/* The answer on a terminal, where it has to be known in which column it ends. */
static void put_on_screen(struct view *view, const char *text, size_t len)
{
    struct visible shown;
    size_t at = 0;

    while (at < len) {
        at += visible_next(text + at, len - at, VISIBLE_TEXT, &shown);
        if (*shown.text == '\t') {
            shown.text = "    "; /* a tab's width depends on where it stands */
            shown.len = shown.columns = 4;
        }
        fwrite(shown.text, 1, shown.len, stdout);
        if (*shown.text == '\n')
            screen_wrote_newline(view->screen);
        else
            screen_wrote(view->screen, shown.columns);
    }
}

struct rows {
    const struct view *view;
    const char *next; /* what stands before the next row */
    unsigned column;
    size_t count;
};

static void put_rows_piece(const char *text, size_t len, void *arg)
{
    struct rows *rows = arg;
    const unsigned columns = screen_columns(rows->view->screen);
    struct visible shown;
    size_t at = 0;

    while (at < len) {
        at += visible_next(text + at, len - at, VISIBLE_LINE, &shown);
        if (rows->column + shown.columns >= columns) {
            fprintf(stderr, "\n%s", rows->next);
            rows->column = (unsigned)strlen(rows->next);
            rows->count++;
        }
        fwrite(shown.text, 1, shown.len, stderr);
        rows->column += shown.columns;
    }
}

size_t view_foreign_rows(const struct view *view, const char *first, const char *next,
                         const char *text, size_t len)
{
    struct rows rows = {view, next, (unsigned)strlen(first), 1};

    fputs(first, stderr);
    redact_text(&view->redact, text, len, len, put_rows_piece, &rows);
    putc('\n', stderr);
    return rows.count;
}

static void put_answer_piece(const char *text, size_t len, void *arg)
{
    struct view *view = arg;

    if (view->out_terminal)
        put_on_screen(view, text, len);
    else
        fwrite(text, 1, len, stdout);
    view->in_line = text[len - 1] != '\n';
}

void view_begin_lines(struct view *view)
{
    screen_hide(view->screen);
    redact_end(&view->redact, put_answer_piece, view);
    if (view->in_line) {
        putchar('\n');
        if (view->out_terminal)
            screen_wrote_newline(view->screen);
    }
    view->in_line = false;
    fflush(stdout);
}

void view_end_lines(struct view *view)
{
    screen_show(view->screen);
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
    if (view->out_terminal)
        screen_hide(view->screen);
    redact_feed(&view->redact, text, len, put_answer_piece, view);
    fflush(stdout);
    if (view->out_terminal)
        screen_show(view->screen);
}

/* Where the row that begins with `text` ends, if it has to end before all of it is shown: behind a
 * blank if there is one. */
static size_t row_end(const char *text, size_t len, unsigned columns)
{
    size_t at = 0, blank = 0, bytes;
    unsigned column = 0;

    for (; at < len && text[at] != '\n'; at += bytes) {
        struct visible shown;

        bytes = visible_next(text + at, len - at, VISIBLE_TEXT, &shown);
        if (column + shown.columns > columns)
            return blank ? blank : at;
        column += shown.columns;
        if (text[at] == ' ')
            blank = at + 1;
    }
    return at;
}

/* On a terminal whole words go to the next row. */
static void put_rows(const struct view *view, const char *text, size_t len)
{
    const unsigned columns =
        screen_can_draw(view->screen) ? screen_columns(view->screen) : UINT_MAX;
    size_t at = 0;

    while (at < len) {
        const size_t end = at + row_end(text + at, len - at, columns);

        put_visible(stderr, text + at, end - at, VISIBLE_TEXT);
        putc('\n', stderr);
        at = end < len && text[end] == '\n' ? end + 1 : end;
    }
}

static void put_plain(const char *text, size_t len, void *arg)
{
    fwrite(text, 1, len, arg);
}

static void __attribute__((format(printf, 2, 0)))
put_note(struct view *view, const char *format, va_list args)
{
    char text[2048];
    char *shown = NULL;
    size_t len = 0;
    FILE *file;

    if (vsnprintf(text, sizeof text, format, args) < 0)
        return;
    file = open_memstream(&shown, &len);
    if (!file)
        return;
    redact_text(&view->redact, text, strlen(text), strlen(text), put_plain, file);
    if (!fclose(file))
        put_rows(view, shown, len);
    free(shown);
}

/* One of several lines. */
static void __attribute__((format(printf, 2, 3))) note(struct view *view, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_note(view, format, args);
    va_end(args);
}

void view_note(struct view *view, const char *format, ...)
{
    va_list args;

    view_begin_lines(view);
    va_start(args, format);
    put_note(view, format, args);
    va_end(args);
    view_end_lines(view);
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

/* As much of `len` bytes as may be shown, without half of a character. */
static size_t cut(const char *text, size_t len, size_t most)
{
    if (len <= most)
        return len;
    while (most && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* As much of the arguments as makes one row, about. */
static size_t arguments_shown(const struct view *view, const struct reeve_call *call)
{
    const size_t others = strlen("     0.000 ms  >  … (0000 bytes)") + strlen(call->name);
    const size_t columns = screen_columns(view->screen);

    if (!screen_can_draw(view->screen) || columns < others + LEAST_SHOWN)
        return 100;
    return columns - others;
}

/* The call, with as much of its arguments as there is room for. */
static void put_call(const struct view *view, const struct reeve_call *call, FILE *row)
{
    const size_t most = view->verbose ? SIZE_MAX : arguments_shown(view, call);
    const size_t shown = cut(call->arguments, call->arguments_len, most);

    put_foreign(view, row, call->name, strlen(call->name), strlen(call->name));
    putc(' ', row);
    put_foreign(view, row, call->arguments, call->arguments_len, shown);
    if (shown < call->arguments_len)
        fprintf(row, "… (%zu bytes)", call->arguments_len);
}

static void tool_started(struct view *view, const struct reeve_tool_event *event, FILE *row)
{
    begin_span(view, event);
    fprintf(row, "%10.3f ms  > ", ms(event->at_us));
    put_call(view, event->call, row);
}

static void tool_retried(struct view *view, const struct reeve_tool_event *event, FILE *row)
{
    fprintf(row, "%10.3f ms  ~ ", ms(event->at_us));
    put_foreign(view, row, event->call->name, strlen(event->call->name), strlen(event->call->name));
    fprintf(row, " failed, and is tried again in %u ms", event->wait_ms);
}

static void tool_ended(struct view *view, const struct reeve_tool_event *event, FILE *row)
{
    const struct reeve_result *result = event->result;
    struct view_span *span = find_span(view, event->call->id);

    if (span && !span->ended_us)
        span->ended_us = event->at_us;
    fprintf(row, "%10.3f ms  < ", ms(event->at_us));
    if (result->source == REEVE_SOURCE_RUN)
        put_foreign(view, row, event->call->name, strlen(event->call->name),
                    strlen(event->call->name));
    else
        put_call(view, event->call, row); /* it has no row that tells of its start */
    fprintf(row, " %s", reeve_call_status_name(result->status));
    if (result->source == REEVE_SOURCE_CACHE)
        fputs(", as before", row);
    else if (result->source == REEVE_SOURCE_SHARED)
        fputs(" with an equal call", row);
    else if (span)
        fprintf(row, " in %.3f ms", ms(event->at_us - span->started_us));
    if (result->status != REEVE_CALL_SUCCEEDED || view->verbose) {
        fputs(": ", row);
        put_foreign(view, row, result->text, result->len, cut(result->text, result->len, 300));
    } else {
        fprintf(row, ", %zu bytes", result->len);
    }
}

static void put_tool_line(struct view *view, const struct reeve_tool_event *event)
{
    const bool bad = event->result && event->result->status != REEVE_CALL_SUCCEEDED;
    char *text = NULL;
    size_t len = 0;
    FILE *row = open_memstream(&text, &len);

    if (!row)
        return;
    if (event->result)
        tool_ended(view, event, row);
    else if (event->kind == REEVE_TOOL_RETRIED)
        tool_retried(view, event, row);
    else
        tool_started(view, event, row);
    colour(view, bad ? red : dim);
    if (!fclose(row))
        put_rows(view, text, len);
    colour(view, plain);
    free(text);
}

void view_tool(struct view *view, const struct reeve_tool_event *event)
{
    tally_add(&view->tally, event);
    live_tool(view->live, event);
    if (event->kind == REEVE_TOOL_OUTPUT)
        return; /* it stands in the result */
    view_begin_lines(view);
    put_tool_line(view, event);
    view_end_lines(view);
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
    note(view, "at the same time: %s (%.3f to %.3f ms) and %s (%.3f to %.3f ms)", a->what,
         ms(a->started_us), ms(a->ended_us), view->spans[i].what, ms(view->spans[i].started_us),
         ms(view->spans[i].ended_us));
}

static void note_error(struct view *view, const struct reeve_run *run)
{
    const struct reeve_error_detail *detail = run->detail;

    colour(view, red);
    note(view, "error: %s",
         detail && detail->message[0] ? detail->message : reeve_error_text(run->error));
    if (detail && detail->request_id[0])
        note(view, "the provider's request id: %s", detail->request_id);
    colour(view, plain);
}

static void note_stop(struct view *view, const struct reeve_run *run)
{
    switch (run->stop_reason) {
    case REEVE_STOP_ERROR:
        note_error(view, run);
        break;
    case REEVE_STOP_TURNS:
        note(view, "stopped: the limit on turns is reached (--max-turns)");
        break;
    case REEVE_STOP_TOOL_CALLS:
        note(view, "stopped: the limit on tool calls is reached (--max-tool-calls)");
        break;
    case REEVE_STOP_TOKENS:
        note(view, "stopped: the limit on tokens is reached (--max-tokens)");
        break;
    case REEVE_STOP_TIME:
        note(view, "stopped: the limit on time is reached (--max-time)");
        break;
    case REEVE_STOP_LENGTH:
        note(view, "stopped: the answer was cut by the model's limit on its length");
        break;
    case REEVE_STOP_FILTER:
        note(view, "stopped: the answer was cut by the provider's content filter");
        break;
    default:
        break;
    }
}

static void put_count(uint32_t count, const char *what)
{
    if (count)
        fprintf(stderr, ", %u %s", count, what);
}

/* Of the calls that failed, those that were refused or cancelled are told apart. */
static void put_calls(const struct view *view, const struct reeve_run *run)
{
    const uint32_t others = run->refused_tool_calls + view->tally.canceled;

    fprintf(stderr, ", %u tool call%s", run->tool_calls, run->tool_calls == 1 ? "" : "s");
    if (!run->tool_calls)
        return;
    fprintf(stderr, " (%u ok", run->tool_calls - run->failed_tool_calls);
    put_count(run->failed_tool_calls > others ? run->failed_tool_calls - others : 0, "failed");
    put_count(run->refused_tool_calls, "refused");
    put_count(view->tally.canceled, "cancelled");
    putc(')', stderr);
}

static const char *end_name(const struct reeve_run *run)
{
    /* "error: " begins the message about it, and nothing else. */
    if (run->stop_reason == REEVE_STOP_ERROR)
        return "failed";
    if (run->stop_reason == REEVE_STOP_CANCELED)
        return "cancelled";
    return run->stop_reason == REEVE_STOP_DONE ? "done" : "stopped";
}

static void put_summary(struct view *view, const struct reeve_run *run)
{
    const struct tally *tally = &view->tally;

    fprintf(stderr, "%s: %u turn%s", end_name(run), run->turns, run->turns == 1 ? "" : "s");
    put_calls(view, run);
    if (run->usage.reported)
        fprintf(stderr, ", %llu tokens in (%llu cached), %llu out",
                (unsigned long long)run->usage.input_tokens,
                (unsigned long long)run->usage.cached_tokens,
                (unsigned long long)run->usage.output_tokens);
    fprintf(stderr, ", %.3f s\n", (double)run->duration_us / 1e6);
    if (tally->peak > 1)
        note(view,
             "%u calls ran for %.3f s; one after another they would have taken %.3f s; at "
             "most %u ran at once",
             tally->ended, (double)tally->busy_us / 1e6, (double)tally->sum_us / 1e6, tally->peak);
}

void view_end_run(struct view *view, const struct reeve_run *run)
{
    live_end_run(view->live);
    view_begin_lines(view);
    note_stop(view, run);
    if (view->verbose)
        note_overlap(view);
    colour(view, dim);
    put_summary(view, run);
    colour(view, plain);
    view_end_lines(view);
}
