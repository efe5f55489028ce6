/* SPDX-License-Identifier: MIT */
/*
 * One pass over the text, with the open brackets on a stack. Between strings bytes are copied as
 * they are, but for a comma, which waits until it is known what is behind it.
 *
 * A string in single quotes ends at the first quote without a backslash. What else could be meant
 * by 'it's' is not guessed: it comes out as no JSON.
 */
#include "json/repair.h"

#include <string.h>

#include <reeve/error.h>

enum { MOST_DEPTH = 128 };

struct repair {
    const char *at;
    const char *end;
    struct rv_buffer *out;
    struct rv_json_repairs done;
    unsigned depth;
    char last; /* the last byte that is no white space, of those outside strings; '"': a string */
    char stack[MOST_DEPTH]; /* the brackets that will close what is open */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static int put(struct repair *repair, const char *bytes, size_t len)
{
    return rv_buffer_add(repair->out, bytes, len);
}

static int copy_string(struct repair *repair)
{
    const char *start = repair->at++;

    for (; repair->at < repair->end && *repair->at != '"'; repair->at++)
        if (*repair->at == '\\' && repair->at + 1 < repair->end)
            repair->at++;
    if (repair->at == repair->end)
        return REEVE_EPARSE;
    repair->at++;
    repair->last = '"';
    return put(repair, start, (size_t)(repair->at - start));
}

/* A byte of a string in single quotes, or two with a backslash. */
static int copy_single(struct repair *repair)
{
    const char *at = repair->at;
    size_t len = *at == '\\' ? 2 : 1;

    if (len > (size_t)(repair->end - at))
        return REEVE_EPARSE;
    repair->at += len;
    if (len == 2 && at[1] == '\'')
        return put(repair, "'", 1);
    return *at == '"' ? put(repair, "\\\"", 2) : put(repair, at, len);
}

static int requote_string(struct repair *repair)
{
    int error = put(repair, "\"", 1);

    repair->at++;
    while (!error && repair->at < repair->end && *repair->at != '\'')
        error = copy_single(repair);
    if (error)
        return error;
    if (repair->at == repair->end)
        return REEVE_EPARSE;
    repair->at++;
    repair->last = '"';
    repair->done.quotes++;
    return put(repair, "\"", 1);
}

static bool ends_a_value(char byte)
{
    return byte && !strchr("[{,:", byte);
}

/* Left out where nothing but a closing bracket follows a value. */
static int copy_comma(struct repair *repair)
{
    const char *next = skip_blanks(repair->at + 1, repair->end);

    repair->at++;
    if (next < repair->end && (*next == ']' || *next == '}') && ends_a_value(repair->last)) {
        repair->done.commas++;
        return 0;
    }
    repair->last = ',';
    return put(repair, ",", 1);
}

static int copy_bracket(struct repair *repair)
{
    const char byte = *repair->at;

    if (byte == '[' || byte == '{') {
        if (repair->depth == MOST_DEPTH)
            return REEVE_EPARSE;
        repair->stack[repair->depth++] = byte == '[' ? ']' : '}';
    } else if (!repair->depth || repair->stack[--repair->depth] != byte) {
        return REEVE_EPARSE;
    }
    repair->last = byte;
    return put(repair, repair->at++, 1);
}

static int copy_plain(struct repair *repair)
{
    if (!is_blank(*repair->at))
        repair->last = *repair->at;
    return put(repair, repair->at++, 1);
}

static int copy_next(struct repair *repair)
{
    switch (*repair->at) {
    case '"':
        return copy_string(repair);
    case '\'':
        return requote_string(repair);
    case ',':
        return copy_comma(repair);
    case '[':
    case '{':
    case ']':
    case '}':
        return copy_bracket(repair);
    default:
        return copy_plain(repair);
    }
}

/* Only behind a value: after a comma or a colon more was to come. */
static int close_brackets(struct repair *repair)
{
    int error = 0;

    if (repair->depth && (repair->last == ',' || repair->last == ':'))
        return REEVE_EPARSE;
    while (!error && repair->depth) {
        error = put(repair, &repair->stack[--repair->depth], 1);
        repair->done.closed++;
    }
    return error;
}

int rv_json_repair(const char *text, size_t len, bool close, struct rv_buffer *out,
                   struct rv_json_repairs *ret_repairs)
{
    struct repair repair = {.at = text, .end = text + len, .out = out};
    int error = 0;

    while (!error && repair.at < repair.end)
        error = copy_next(&repair);
    if (!error && repair.depth)
        error = close ? close_brackets(&repair) : REEVE_EPARSE;
    if (error)
        return error;
    if (!repair.done.quotes && !repair.done.commas && !repair.done.closed)
        return REEVE_EPARSE;
    *ret_repairs = repair.done;
    return 0;
}
