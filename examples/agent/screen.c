/* SPDX-License-Identifier: MIT */
/*
 * Drawing the rows at the bottom. They are laid out as a frame, which is compared with the one that
 * stands on the terminal: only rows that differ are written, and of a row to which something was
 * added only that. The cursor is moved relatively, so that it does not matter where on the terminal
 * the rows stand. Each row ends before the last column would wrap by itself.
 */
#include "agent/screen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/visible.h"

enum {
    MOST_COLUMNS = 500,
    ROW_BYTES = 4 * MOST_COLUMNS, /* what combines beyond that is left out */
    MOST_ROWS = 64,
    MOST_ROWS_OF_A_LINE = 1024,
};

struct row {
    size_t len;
    unsigned columns;
    char text[ROW_BYTES];
};

struct frame {
    unsigned count;
    unsigned cursor_row, cursor_column;
    struct row rows[MOST_ROWS];
};

struct screen {
    bool can_draw;
    bool shown;
    bool colours;
    unsigned columns, rows; /* of the terminal */
    unsigned column;        /* where the text above ends */
    unsigned at_row, at_column, made_rows;
    const char *prompt, *typed;
    size_t typed_len, cursor;
    struct row live;
    struct frame frames[2];
    struct frame *drawn, *wanted;
};

/* ---- the terminal ---- */

static void measure(struct screen *screen)
{
    struct winsize size;

    screen->columns = 80;
    screen->rows = 24;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 10 || size.ws_row < 3)
        return;
    screen->columns = size.ws_col < MOST_COLUMNS ? size.ws_col : MOST_COLUMNS;
    screen->rows = size.ws_row < MOST_ROWS ? size.ws_row : MOST_ROWS;
}

struct screen *screen_new(void)
{
    struct screen *screen = calloc(1, sizeof *screen);
    const char *terminal = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");

    if (!screen)
        return NULL;
    screen->can_draw =
        isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
    screen->drawn = &screen->frames[0];
    screen->wanted = &screen->frames[1];
    screen->colours = screen->can_draw && !(no_color && *no_color);
    measure(screen);
    return screen;
}

void screen_free(struct screen *screen)
{
    free(screen);
}

bool screen_can_draw(const struct screen *screen)
{
    return screen->can_draw;
}

bool screen_has_colours(const struct screen *screen)
{
    return screen->colours;
}

unsigned screen_columns(const struct screen *screen)
{
    return screen->columns;
}

static void move_to(struct screen *screen, unsigned row, unsigned column)
{
    if (row < screen->at_row)
        fprintf(stderr, "\033[%uA", screen->at_row - row);
    for (; screen->at_row < row && screen->at_row + 1 < screen->made_rows; screen->at_row++)
        fputs("\033[B", stderr);
    for (; screen->at_row < row; screen->at_row++, screen->made_rows++) {
        fputs("\r\n", stderr);
        screen->at_column = 0;
    }
    if (column != screen->at_column || row != screen->at_row)
        fprintf(stderr, "\033[%uG", column + 1);
    screen->at_row = row;
    screen->at_column = column;
}

/* ---- laying the frame out ---- */

static void row_add(struct row *row, const struct visible *shown)
{
    if (row->len + shown->len > sizeof row->text)
        return;
    memcpy(row->text + row->len, shown->text, shown->len);
    row->len += shown->len;
    row->columns += shown->columns;
}

/* One more row. When there is no room the first one of the typed line goes. */
static struct row *next_row(struct screen *screen, unsigned first)
{
    struct frame *frame = screen->wanted;

    if (frame->count == screen->rows - 1) {
        memmove(&frame->rows[first], &frame->rows[first + 1],
                (frame->count - first - 1) * sizeof *frame->rows);
        frame->count--;
        frame->cursor_row -= frame->cursor_row > first;
    }
    frame->rows[frame->count].len = frame->rows[frame->count].columns = 0;
    return &frame->rows[frame->count++];
}

static void set_cursor(struct frame *frame, const struct row *row)
{
    frame->cursor_row = frame->count - 1;
    frame->cursor_column = row->columns;
}

static struct row *lay_text(struct screen *screen, struct row *row, const char *text, size_t len,
                            size_t cursor)
{
    struct frame *frame = screen->wanted;
    const unsigned first = screen->live.len > 0;
    bool placed = false;
    size_t at = 0, bytes;

    for (; at < len; at += bytes) {
        struct visible shown;

        bytes = visible_next(text + at, len - at, VISIBLE_LINE, &shown);
        if (text[at] != '\n' && row->columns + shown.columns > screen->columns)
            row = next_row(screen, first);
        if (at >= cursor && !placed) {
            set_cursor(frame, row);
            placed = true;
        }
        if (placed && frame->count == screen->rows - 1 && frame->cursor_row == first)
            return row; /* what is below does not fit */
        if (text[at] == '\n')
            row = next_row(screen, first);
        else
            row_add(row, &shown);
    }
    if (row->columns == screen->columns)
        row = next_row(screen, first);
    if (!placed)
        set_cursor(frame, row);
    return row;
}

static void lay_out(struct screen *screen)
{
    struct frame *frame = screen->wanted;
    struct row *row;

    frame->count = frame->cursor_row = frame->cursor_column = 0;
    if (screen->live.len) {
        frame->rows[frame->count++] = screen->live;
        frame->cursor_column = screen->live.columns;
    }
    if (!screen->prompt)
        return;
    row = next_row(screen, screen->live.len > 0);
    row = lay_text(screen, row, screen->prompt, strlen(screen->prompt), SIZE_MAX);
    lay_text(screen, row, screen->typed, screen->typed_len, screen->cursor);
}

/* ---- drawing it ---- */

static void draw_row(struct screen *screen, unsigned i)
{
    const struct row *row = &screen->wanted->rows[i];
    const struct row *old = i < screen->drawn->count ? &screen->drawn->rows[i] : NULL;
    size_t same =
        old && old->len <= row->len && !memcmp(old->text, row->text, old->len) ? old->len : 0;

    if (old && same == row->len && same == old->len)
        return;
    move_to(screen, i, same ? old->columns : 0);
    if (screen->colours && i == 0 && screen->live.len)
        fprintf(stderr, "\033[2m%.*s\033[0m", (int)(row->len - same), row->text + same);
    else
        fwrite(row->text + same, 1, row->len - same, stderr);
    screen->at_column = row->columns;
    if (old && row->columns < old->columns)
        fputs("\033[K", stderr);
}

static void draw(struct screen *screen)
{
    struct frame *drawn = screen->drawn;
    unsigned i;

    for (i = 0; i < screen->wanted->count; i++)
        draw_row(screen, i);
    if (drawn->count > screen->wanted->count) {
        move_to(screen, screen->wanted->count, 0);
        fputs("\033[J", stderr);
    }
    move_to(screen, screen->wanted->cursor_row, screen->wanted->cursor_column);
    screen->drawn = screen->wanted;
    screen->wanted = drawn;
}

void screen_hide(struct screen *screen)
{
    if (!screen->shown)
        return;
    move_to(screen, 0, 0);
    fputs("\033[J", stderr);
    if (screen->column == screen->columns)
        screen->column = 0; /* what follows would have begun here anyway */
    if (screen->column)
        fprintf(stderr, "\033[A\033[%uG", screen->column + 1);
    fflush(stderr);
    screen->shown = false;
    screen->drawn->count = 0;
}

void screen_show(struct screen *screen)
{
    lay_out(screen);
    if (!screen->can_draw || (!screen->shown && !screen->wanted->count)) {
        fflush(stderr);
        return;
    }
    fflush(stdout);
    if (!screen->wanted->count) {
        screen_hide(screen);
        return;
    }
    if (!screen->shown) {
        fputs(screen->column ? "\r\n" : "\r", stderr);
        screen->at_row = screen->at_column = 0;
        screen->made_rows = 1;
        screen->shown = true;
    }
    draw(screen);
    fflush(stderr);
}

/* ---- what is told ---- */

void screen_wrote(struct screen *screen, unsigned columns)
{
    /* A line that is full stays so until something more is written. */
    if (screen->column + columns > screen->columns)
        screen->column = 0;
    screen->column += columns;
}

void screen_wrote_newline(struct screen *screen)
{
    screen->column = 0;
}

void screen_set_live(struct screen *screen, const char *text, size_t len)
{
    struct visible shown;
    size_t at = 0;

    screen->live.len = screen->live.columns = 0;
    while (at < len) {
        at += visible_next(text + at, len - at, VISIBLE_LINE, &shown);
        if (screen->live.columns + shown.columns >= screen->columns)
            break;
        row_add(&screen->live, &shown);
    }
}

void screen_set_typed(struct screen *screen, const char *prompt, const char *text, size_t len,
                      size_t cursor)
{
    screen->prompt = prompt;
    screen->typed = text;
    screen->typed_len = len;
    screen->cursor = cursor;
}

void screen_keep_typed(struct screen *screen)
{
    if (!screen->can_draw)
        return;
    screen->live.len = screen->live.columns = 0;
    screen->cursor = screen->typed_len;
    screen_show(screen);
    if (screen->shown)
        fputs("\r\n", stderr);
    screen->shown = false;
    screen->column = 0;
    screen->drawn->count = 0;
    screen_set_typed(screen, NULL, NULL, 0, 0);
    fflush(stderr);
}

void screen_clear(struct screen *screen)
{
    if (!screen->can_draw)
        return;
    fputs("\033[H\033[2J", stderr);
    screen->shown = false;
    screen->column = 0;
    screen->drawn->count = 0;
    screen_show(screen);
}

void screen_resized(struct screen *screen)
{
    screen_hide(screen);
    measure(screen);
    screen_show(screen);
}
