/* SPDX-License-Identifier: MIT */
/* Lines held against a regular expression. See lines.h. */
#include "tool/builtin/lines.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "tool/builtin/visible.h"

#include <reeve/error.h>

enum {
    SLICE_BYTES = 4 * 1024,
    SLICE_LINES = 128,
    STEPS_OF_LINE = 20000, /* that it may take beyond what is linear in it */
    SHOWN_BYTES = 400,     /* of a line */
    SHOWN_BEFORE = 100,    /* of these, so many before the match if the line is longer */
};

void rv_lines_init(struct rv_lines *lines, struct rv_mem *mem, struct rv_pattern *pattern,
                   struct rv_buffer *out)
{
    size_t i;

    *lines = (struct rv_lines){.pattern = pattern, .out = out};
    rv_buffer_init(&lines->path, mem, 64 * 1024);
    rv_buffer_init(&lines->begun, mem, RV_LINES_MAX_BYTES);
    rv_buffer_init(&lines->repaired, mem, 3 * RV_LINES_MAX_BYTES);
    for (i = 0; i < RV_LINES_MAX_CONTEXT; i++)
        rv_buffer_init(&lines->before[i].text, mem, 2 * SHOWN_BYTES);
}

void rv_lines_done(struct rv_lines *lines)
{
    size_t i;

    rv_buffer_done(&lines->path);
    rv_buffer_done(&lines->begun);
    rv_buffer_done(&lines->repaired);
    for (i = 0; i < RV_LINES_MAX_CONTEXT; i++)
        rv_buffer_done(&lines->before[i].text);
}

int rv_lines_begin(struct rv_lines *lines, const char *path, bool binary)
{
    size_t i;

    rv_buffer_clear(&lines->path);
    rv_buffer_clear(&lines->begun);
    lines->begun_lost = 0;
    lines->binary = binary;
    lines->matched = false;
    lines->number = 0;
    lines->shown = 0;
    lines->after = 0;
    for (i = 0; i < RV_LINES_MAX_CONTEXT; i++)
        lines->before[i].valid = false;
    return rv_visible_add(&lines->path, path, strlen(path));
}

/* ---- showing -----------------------------------------------------------------------------------
 */

/* A line, or what is around `at` of it if it is long. The text is valid. */
static int add_shown(struct rv_buffer *out, const char *text, size_t len, size_t at)
{
    size_t start = 0, shown = len;
    int error = 0;

    if (len > SHOWN_BYTES) {
        if (at > SHOWN_BEFORE)
            start = rv_utf8_cut_tail(text, len, len - (at - SHOWN_BEFORE));
        shown = rv_utf8_cut_head(text + start, len - start, SHOWN_BYTES);
    }
    if (start)
        error = rv_buffer_add_text(out, "[...] ");
    if (!error)
        error = rv_buffer_add(out, text + start, shown);
    if (!error && start + shown < len)
        error = rv_buffer_add_text(out, " [...]");
    return error;
}

/* "path:12: text" for a match, "path-12- text" for what is around one. */
static int add_line(struct rv_lines *lines, uint64_t number, char mark, const char *text,
                    size_t len, size_t at)
{
    struct rv_buffer *out = lines->out;
    int error = 0;

    if (lines->context && number > lines->shown + 1 && out->len)
        error = rv_buffer_add_text(out, "--\n");
    if (!error)
        error = rv_buffer_add(out, lines->path.data, lines->path.len);
    if (!error)
        error = rv_buffer_printf(out, "%c%" PRIu64 "%c ", mark, number, mark);
    if (!error)
        error = add_shown(out, text, len, at);
    if (!error)
        error = rv_buffer_add_byte(out, '\n');
    lines->shown = number;
    return error;
}

static int add_before(struct rv_lines *lines)
{
    uint64_t first = lines->number > lines->context ? lines->number - lines->context : 1, number;
    int error = 0;

    if (first <= lines->shown)
        first = lines->shown + 1;
    for (number = first; number < lines->number && !error; number++) {
        const struct rv_lines_kept *kept = &lines->before[number % RV_LINES_MAX_CONTEXT];

        if (kept->valid && kept->number == number)
            error = add_line(lines, number, '-', rv_buffer_text(&kept->text), kept->text.len, 0);
    }
    return error;
}

static int add_match(struct rv_lines *lines, const char *text, size_t len, size_t at)
{
    int error;

    if (lines->binary) {
        error = rv_buffer_add(lines->out, lines->path.data, lines->path.len);
        return error ? error : rv_buffer_add_text(lines->out, ": a binary file that matches\n");
    }
    error = add_before(lines);
    return error ? error : add_line(lines, lines->number, ':', text, len, at);
}

/* Whole, or not at all and nothing behind it either. */
static int show(struct rv_lines *lines, bool match, const char *text, size_t len, size_t at)
{
    size_t had = lines->out->len;
    int error = match ? add_match(lines, text, len, at)
                      : add_line(lines, lines->number, '-', text, len, at);

    if (error)
        rv_buffer_truncate(lines->out, had);
    if (error != REEVE_ETOOBIG)
        return error;
    lines->over = true;
    return 0;
}

static int keep_before(struct rv_lines *lines, const char *text, size_t len)
{
    struct rv_lines_kept *kept = &lines->before[lines->number % RV_LINES_MAX_CONTEXT];

    rv_buffer_clear(&kept->text);
    kept->number = lines->number;
    kept->valid = true;
    return add_shown(&kept->text, text, len, 0);
}

/* ---- matching ----------------------------------------------------------------------------------
 */

static int took_match(struct rv_lines *lines, const char *text, size_t len)
{
    struct rv_pattern_place place = {0};
    int error;

    if (lines->binary && lines->matched)
        return 0;
    if (lines->matches == lines->limit) {
        lines->over = true;
        return 0;
    }
    /* It takes the steps that it has just taken. */
    if (rv_pattern_find(lines->pattern, text, len, 0, &place) == REEVE_ENOMEM)
        return REEVE_ENOMEM;
    error = show(lines, true, text, len, place.start);
    if (error || lines->over)
        return error;
    lines->matched_files += !lines->matched;
    lines->matched = true;
    lines->matches++;
    lines->after = lines->context;
    return 0;
}

static int took_other(struct rv_lines *lines, const char *text, size_t len)
{
    if (lines->after) {
        lines->after--;
        return show(lines, false, text, len, 0);
    }
    return lines->context && !lines->binary ? keep_before(lines, text, len) : 0;
}

/* One whole line. `*spent` is told if it was costly. */
static int take_line(struct rv_lines *lines, const char *text, size_t len, bool *spent)
{
    uint64_t budget = STEPS_OF_LINE;
    int error = 0;

    lines->number++;
    if (len && text[len - 1] == '\r')
        len--;
    if (!rv_utf8_valid(text, len)) {
        rv_buffer_clear(&lines->repaired);
        error = rv_utf8_add_repaired(&lines->repaired, text, len);
        text = rv_buffer_text(&lines->repaired);
        len = lines->repaired.len;
    }
    if (error)
        return error;
    error = rv_pattern_test(lines->pattern, text, len, &budget);
    *spent |= budget < STEPS_OF_LINE || error == REEVE_ETOOBIG;
    if (error == REEVE_ETOOBIG)
        error = ++lines->costly > RV_LINES_MAX_COSTLY ? REEVE_ETOOBIG : REEVE_ENOTFOUND;
    if (!error)
        return took_match(lines, text, len);
    return error == REEVE_ENOTFOUND ? took_other(lines, text, len) : error;
}

/* ---- pieces ------------------------------------------------------------------------------------
 */

/* What has room of a line, or of a part of it. */
static int begin_line(struct rv_lines *lines, const char *bytes, size_t len)
{
    size_t room = RV_LINES_MAX_BYTES - lines->begun.len;
    size_t taken = len < room ? len : room;

    lines->begun_lost += len - taken;
    return rv_buffer_add(&lines->begun, bytes, taken);
}

static int end_line(struct rv_lines *lines, bool *spent)
{
    size_t len = lines->begun.len;
    int error;

    if (lines->begun_lost) {
        lines->cut++;
        len -= rv_utf8_unfinished(lines->begun.data, len);
    }
    lines->begun_lost = 0;
    error = take_line(lines, rv_buffer_text(&lines->begun), len, spent);
    rv_buffer_clear(&lines->begun);
    return error;
}

int rv_lines_feed(struct rv_lines *lines, const char *bytes, size_t len, size_t *ret_taken)
{
    size_t most = len < SLICE_BYTES ? len : SLICE_BYTES, at = 0, part;
    uint64_t last = lines->number + SLICE_LINES;
    bool spent = false;
    int error = 0;

    while (at < most && lines->number < last && !error && !spent && !lines->over) {
        const char *end = memchr(bytes + at, '\n', most - at);

        part = end ? (size_t)(end - (bytes + at)) : most - at;
        if (end && !lines->begun.len && part <= RV_LINES_MAX_BYTES) {
            error = take_line(lines, bytes + at, part, &spent);
        } else {
            error = begin_line(lines, bytes + at, part);
            if (end && !error)
                error = end_line(lines, &spent);
        }
        at += part + (end != NULL);
    }
    *ret_taken = lines->over ? len : at;
    return error;
}

int rv_lines_end(struct rv_lines *lines)
{
    bool spent = false;

    return lines->over || !lines->begun.len ? 0 : end_line(lines, &spent);
}
