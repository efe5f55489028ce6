/* SPDX-License-Identifier: MIT */
/* The row about running tools. */
#include "agent/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

enum {
    FIRST_MS = 300, /* what is over before that is not worth a row */
    TICK_MS = 200,
    LINE_BYTES = 512, /* kept of what a tool writes */
    NAMED = 3,        /* tools that are named, of many */
};

struct live {
    struct event *tick;
    struct screen *screen;
    const struct tally *tally;
    const struct redact *redact;
    double since_s; /* when the first of those that run began */
    size_t len;     /* of the last line that was written */
    bool line_over; /* the next byte begins a new one */
    char line[LINE_BYTES];
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put(const char *text, size_t len, void *arg)
{
    fwrite(text, 1, len, arg);
}

static void put_calls(const struct live *live, FILE *row)
{
    const struct tally *tally = live->tally;
    uint32_t i;

    if (tally->running > 1)
        fprintf(row, "%u tools: ", tally->running);
    for (i = 0; i < tally->running && i < NAMED; i++)
        fprintf(row, "%s%s", i ? ", " : "", tally->calls[i].call->name);
    if (i < tally->running)
        fputs(", ...", row);
}

/* What was written last, or, as long as nothing was, what a single one was asked to do. */
static void write_row(const struct live *live, FILE *row)
{
    const double seconds = now_s() - live->since_s;
    const struct reeve_call *call = live->tally->calls[0].call;

    fprintf(row, seconds < 10 ? "~ %.1f s  " : "~ %.0f s  ", seconds);
    put_calls(live, row);
    if (live->len) {
        fputs(" | ", row);
        redact_text(live->redact, live->line, live->len, live->len, put, row);
    } else if (live->tally->running == 1) {
        putc(' ', row);
        redact_text(live->redact, call->arguments, call->arguments_len, call->arguments_len, put,
                    row);
    }
}

static void draw(struct live *live)
{
    char *text = NULL;
    size_t len = 0;
    FILE *row = open_memstream(&text, &len);

    if (!row)
        return;
    write_row(live, row);
    if (!fclose(row))
        screen_set_live(live->screen, text, len);
    free(text);
    screen_show(live->screen);
}

static void start_tick(struct live *live, int ms)
{
    const struct timeval wait = {0, ms * 1000};

    event_add(live->tick, &wait);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct live *live = arg;

    (void)fd;
    (void)what;
    draw(live);
    start_tick(live, TICK_MS);
}

struct live *live_new(struct event_base *base, struct screen *screen, const struct tally *tally,
                      const struct redact *redact)
{
    struct live *live = calloc(1, sizeof *live);

    if (!live)
        return NULL;
    live->screen = screen;
    live->tally = tally;
    live->redact = redact;
    live->tick = event_new(base, -1, 0, on_tick, live);
    if (live->tick)
        return live;
    free(live);
    return NULL;
}

void live_free(struct live *live)
{
    if (!live)
        return;
    event_free(live->tick);
    free(live);
}

/* Progress that is drawn over itself, by carriage returns, is a line as well. */
static void keep_line(struct live *live, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\r') {
            live->line_over = true;
            continue;
        }
        if (live->line_over)
            live->len = 0;
        live->line_over = false;
        if (live->len < sizeof live->line)
            live->line[live->len++] = text[i];
    }
}

void live_tool(struct live *live, const struct reeve_tool_event *event)
{
    if (!screen_can_draw(live->screen))
        return;
    if (event->kind == REEVE_TOOL_RETRIED) {
        live->len = 0; /* what it has written is void */
    } else if (event->kind == REEVE_TOOL_OUTPUT) {
        keep_line(live, event->output, event->output_len);
    } else if (!live->tally->running) {
        live_end_run(live);
    } else if (!event_pending(live->tick, EV_TIMEOUT, NULL)) {
        live->since_s = now_s();
        live->len = 0;
        start_tick(live, FIRST_MS);
    }
}

void live_end_run(struct live *live)
{
    event_del(live->tick);
    live->len = 0;
    screen_set_live(live->screen, "", 0);
}
