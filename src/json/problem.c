/* SPDX-License-Identifier: MIT */
/*
 * Saying where and why a text is not JSON:
 *
 *     after key "path" at byte 7: expected ':', found "a.txt"
 *
 * The place comes from what was built so far, the reason from yajl's words, which are translated
 * where a plainer sentence helps a model to mend its text.
 */
#include "json/problem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum {
    PLACE_BYTES = 72,
    KEY_BYTES = 32,   /* of a key that is quoted */
    FOUND_BYTES = 20, /* of the text that was found */
};

/* Where in the text the reason lies, seen from where yajl stopped. */
enum spot {
    HERE,        /* there */
    JUST_BEFORE, /* one byte before */
    TOKEN_AT,    /* at the start of the token that covers the place */
    TOKEN_ENDED, /* at the start of the token that ended there */
};

struct reason {
    const char *words; /* a part of yajl's */
    enum spot spot;
    const char *text;
};

static const char expected_key[] = "expected a key in double quotes";
static const char expected_word[] = "expected true, false, null or text in double quotes";
static const char expected_value[] = "expected a value; text stands in double quotes";

static const struct reason reasons[] = {
    {"separated by a colon", TOKEN_ENDED, "expected ':'"},
    {"I expect ',' or '}'", TOKEN_AT, "expected ',' or '}'"},
    {"I expect ',' or ']'", TOKEN_ENDED, "expected ',' or ']'"},
    {"unallowed token", TOKEN_ENDED, "expected a value"},
    {"invalid object key", TOKEN_ENDED, expected_key},
    {"trailing garbage", TOKEN_ENDED, "expected nothing more"},
    {"invalid character inside string", HERE,
     "a control character inside a string must be escaped, as \\n is"},
    {"occurs before a character", HERE,
     "a backslash in a string must stand before one of \" \\ / b f n r t u"},
    {"(non-hex) character", HERE, "\\u must be followed by four hexadecimal digits"},
    {"invalid string in json", TOKEN_ENDED, expected_word},
    {"invalid char in json", JUST_BEFORE, expected_value},
    {"probable comment", HERE, "JSON has no comments"},
    {"after the exponent", HERE, "a number needs a digit after its exponent's e"},
    {"after the decimal point", HERE, "a number needs a digit after its decimal point"},
    {"after the minus sign", HERE, "a number needs a digit after its minus sign"},
};

static const struct reason *reason_of(const char *words)
{
    size_t i;

    for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(words, reasons[i].words))
            return &reasons[i];
    return NULL;
}

void rv_json_problem_set(struct rv_json_problem *problem, size_t offset, const char *format, ...)
{
    va_list args;
    int len;

    problem->offset = offset;
    va_start(args, format);
    len = vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    if (len >= (int)sizeof problem->text)
        problem->text[rv_utf8_cut_head(problem->text, (size_t)len, sizeof problem->text - 1)] = 0;
}

static bool ends_token(char byte)
{
    return memchr(" \t\n\r,:[]{}\"", byte, 11) != NULL;
}

/* Where the token that begins at `start` ends. */
static size_t token_end(const char *text, size_t len, size_t start)
{
    size_t at = start + 1;

    if (text[start] == '"') {
        while (at < len && text[at] != '"')
            at += text[at] == '\\' ? 2 : 1;
        return at < len ? at + 1 : len;
    }
    if (ends_token(text[start]))
        return at;
    while (at < len && !ends_token(text[at]))
        at++;
    return at;
}

/* Where the first token begins that ends behind `place`; `len` if there is none. */
static size_t token_at(const char *text, size_t len, size_t place)
{
    size_t at = 0;
    size_t end;

    while (at < len) {
        end = token_end(text, len, at);
        if (end > place && !memchr(" \t\n\r", text[at], 4))
            return at;
        at = end;
    }
    return len;
}

static size_t locate(const struct rv_json_scene *scene, enum spot spot)
{
    const size_t before = scene->at ? scene->at - 1 : 0;

    switch (spot) {
    case JUST_BEFORE:
        return before;
    case TOKEN_AT:
        return token_at(scene->text, scene->len, scene->at);
    case TOKEN_ENDED:
        return token_at(scene->text, scene->len, before);
    case HERE:
    default:
        return scene->at;
    }
}

/* A key as it may stand in a message: cut, and nothing in it that moves a terminal's cursor. */
static const char *quotable(const char *text, size_t len, size_t max, char *ret)
{
    const size_t kept = rv_utf8_cut_head(text, len, max);
    size_t i;

    for (i = 0; i < kept; i++)
        ret[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '.' : text[i];
    memcpy(ret + kept, kept < len ? "..." : "", kept < len ? 4 : 1);
    return ret;
}

/* "after key "path"", "at the start of an array", … */
static void tell_place(const struct rv_json_builder *builder, char *ret, size_t size)
{
    const struct reeve_json *open, *last;
    char key[KEY_BYTES + 4];

    if (builder->open == RV_JSON_NOTHING_OPEN) {
        snprintf(ret, size, "%s",
                 builder->count ? "after the end of the JSON value" : "at the start");
        return;
    }
    open = &builder->stack[builder->open];
    last = &builder->stack[builder->count - 1];
    if (last == open)
        snprintf(ret, size, "at the start of an %s",
                 reeve_json_type_name((enum reeve_json_type)open->type));
    else if (open->type == REEVE_JSON_ARRAY)
        snprintf(ret, size, "after element %td of an array", last - open);
    else if (last->type == RV_JSON_KEY)
        snprintf(ret, size, "after key \"%s\"",
                 quotable(last->as.text, last->count, KEY_BYTES, key));
    else
        snprintf(ret, size, "after the value of \"%s\"",
                 quotable(last[-1].as.text, last[-1].count, KEY_BYTES, key));
}

/* What is wrong in other words, if yajl's do not fit the place. */
static const char *reword(const struct rv_json_builder *builder, const char *text)
{
    const struct reeve_json *last;

    if (strcmp(text, expected_value) != 0 && strcmp(text, expected_word) != 0)
        return text;
    if (!builder->count)
        return "expected a JSON value";
    last = &builder->stack[builder->count - 1];
    if (builder->open == RV_JSON_NOTHING_OPEN ||
        builder->stack[builder->open].type == REEVE_JSON_ARRAY || last->type == RV_JSON_KEY)
        return text;
    return expected_key;
}

void rv_json_problem_explain(struct rv_json_problem *problem, const struct rv_json_scene *scene,
                             const struct rv_json_builder *builder, const char *parser_words)
{
    const struct reason *reason = reason_of(parser_words);
    const size_t at = locate(scene, reason ? reason->spot : HERE);
    char place[PLACE_BYTES], found[FOUND_BYTES + 4];
    size_t len = strcspn(parser_words, "\n");

    tell_place(builder, place, sizeof place);
    if (reason) {
        parser_words = reword(builder, reason->text);
        len = strlen(parser_words);
    }
    rv_json_problem_set(problem, scene->base + at, "%s at byte %zu: %.*s%s%s", place,
                        scene->base + at, (int)len, parser_words, at < scene->len ? "; found " : "",
                        quotable(scene->text + at, scene->len - at, FOUND_BYTES, found));
}

void rv_json_problem_ended(struct rv_json_problem *problem, const struct rv_json_scene *scene,
                           const struct rv_json_builder *builder)
{
    const size_t end = scene->base + scene->len;
    const size_t token = scene->len ? token_at(scene->text, scene->len, scene->len - 1) : 0;
    char place[PLACE_BYTES];

    tell_place(builder, place, sizeof place);
    if (token < scene->len && scene->text[token] == '"')
        rv_json_problem_set(problem, end,
                            "the text ends at byte %zu, %s, inside a string that began at byte %zu",
                            end, place, scene->base + token);
    else if (builder->depth)
        rv_json_problem_set(problem, end,
                            "the text ends at byte %zu, %s, with %u brackets still open", end,
                            place, builder->depth);
    else
        rv_json_problem_set(problem, end, "the text ends at byte %zu before a value is complete",
                            end);
}
