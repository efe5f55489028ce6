/* SPDX-License-Identifier: MIT */
/*
 * PCRE2, bounded. Its own match limit counts anew at each place of the text where a match may
 * begin, so that a long text multiplies it. A counted pattern is made with a callout before each
 * item: the callout counts itself and how far the match has moved since the last one.
 */
#include "config.h"

#include "base/pattern.h"
#include "base/pattern_names.h"

#include <reeve/error.h>
#include <stdio.h>

#ifdef HAVE_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    HEAP_KIB = 1024,
    FREE_STEPS = 64,     /* of a test, and */
    STEPS_FOR_A_BYTE = 4 /* more for each byte of its text */
};

struct rv_pattern {
    struct rv_mem *mem;
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *match;
    pcre2_code *code;
};

/* What the callout counts. */
struct meter {
    uint64_t steps;
    uint64_t limit;
    size_t at; /* in the text, at the last callout */
};

bool rv_pattern_supported(void)
{
    return true;
}

static void *allocate(size_t size, void *arg)
{
    return rv_alloc(arg, size);
}

static void release(void *ptr, void *arg)
{
    rv_free(arg, ptr);
}

static int say(struct rv_pattern_problem *problem, int error, size_t offset, const char *text)
{
    if (problem) {
        problem->offset = offset;
        snprintf(problem->text, sizeof problem->text, "%s", text);
    }
    return error;
}

static uint32_t options_of(unsigned flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;

    if (flags & RV_PATTERN_ECMA)
        options |= PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                   PCRE2_MATCH_UNSET_BACKREF;
    if (flags & RV_PATTERN_CASELESS)
        options |= PCRE2_CASELESS;
    if (flags & RV_PATTERN_MULTILINE)
        options |= PCRE2_MULTILINE;
    if (flags & RV_PATTERN_COUNTED)
        options |= PCRE2_AUTO_CALLOUT;
    return options;
}

static int compile(struct rv_pattern *pattern, const char *text, size_t len, unsigned flags,
                   struct rv_pattern_problem *problem)
{
    pcre2_compile_context *context = pcre2_compile_context_create(pattern->general);
    PCRE2_SIZE offset = 0;
    PCRE2_UCHAR why[128];
    int code = 0;

    if (!context)
        return REEVE_ENOMEM;
    if (flags & RV_PATTERN_ECMA) {
        pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
        pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    }
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, len, options_of(flags), &code, &offset, context);
    pcre2_compile_context_free(context);
    if (pattern->code)
        return 0;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return REEVE_ENOMEM;
    if (pcre2_get_error_message(code, why, sizeof why) < 0 && code)
        snprintf((char *)why, sizeof why, "error %d", code);
    return say(problem, REEVE_EINVAL, offset, (const char *)why);
}

/* As ECMAScript writes it, put into PCRE2's words first. */
static int compile_ecma(struct rv_pattern *pattern, const char *text, size_t len, unsigned flags,
                        struct rv_pattern_problem *problem)
{
    char *short_text = rv_alloc(pattern->mem, len);
    int error;

    if (!short_text)
        return REEVE_ENOMEM;
    len = rv_pattern_shorten_names(text, len, short_text);
    error = compile(pattern, short_text, len, flags, problem);
    rv_free(pattern->mem, short_text);
    return error;
}

static int prepare(struct rv_pattern *pattern)
{
    pattern->match = pcre2_match_data_create(1, pattern->general);
    pattern->context = pcre2_match_context_create(pattern->general);
    if (!pattern->match || !pattern->context)
        return REEVE_ENOMEM;
    pcre2_set_match_limit(pattern->context, RV_PATTERN_STEPS);
    pcre2_set_depth_limit(pattern->context, RV_PATTERN_STEPS);
    pcre2_set_heap_limit(pattern->context, HEAP_KIB);
    return 0;
}

int rv_pattern_new(struct rv_mem *mem, const char *text, size_t len, unsigned flags,
                   struct rv_pattern **ret_pattern, struct rv_pattern_problem *problem)
{
    struct rv_pattern *pattern;
    int error;

    if (len > RV_PATTERN_MAX_BYTES)
        return say(problem, REEVE_ETOOBIG, RV_PATTERN_MAX_BYTES, "it is longer than 8192 bytes");
    pattern = rv_zalloc(mem, sizeof *pattern);
    if (!pattern)
        return REEVE_ENOMEM;
    pattern->mem = mem;
    pattern->general = pcre2_general_context_create(allocate, release, mem);
    if (!pattern->general)
        error = REEVE_ENOMEM;
    else if (flags & RV_PATTERN_ECMA)
        error = compile_ecma(pattern, text, len, flags, problem);
    else
        error = compile(pattern, text, len, flags, problem);
    if (!error)
        error = prepare(pattern);
    if (error)
        rv_pattern_free(pattern);
    else
        *ret_pattern = pattern;
    return error;
}

void rv_pattern_free(struct rv_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_data_free(pattern->match);
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
    pcre2_general_context_free(pattern->general);
    rv_free(pattern->mem, pattern);
}

static int run(struct rv_pattern *pattern, const char *text, size_t len, size_t from)
{
    int code = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, from, PCRE2_NO_UTF_CHECK,
                           pattern->match, pattern->context);

    if (code >= 0)
        return 0;
    switch (code) {
    case PCRE2_ERROR_NOMATCH:
        return REEVE_ENOTFOUND;
    case PCRE2_ERROR_NOMEMORY:
        return REEVE_ENOMEM;
    default: /* one of the limits, or a pattern that recurses without moving */
        return REEVE_ETOOBIG;
    }
}

int rv_pattern_find(struct rv_pattern *pattern, const char *text, size_t len, size_t from,
                    struct rv_pattern_place *ret_place)
{
    const PCRE2_SIZE *bounds;
    int error;

    pcre2_set_callout(pattern->context, NULL, NULL);
    error = run(pattern, text, len, from);
    if (error || !ret_place)
        return error;
    bounds = pcre2_get_ovector_pointer(pattern->match);
    ret_place->start = bounds[0] < bounds[1] ? bounds[0] : bounds[1]; /* \K in a look-ahead */
    ret_place->end = bounds[1];
    return 0;
}

static int count_step(pcre2_callout_block *block, void *arg)
{
    struct meter *meter = arg;
    const size_t at = block->current_position;

    meter->steps += 1 + (at > meter->at ? at - meter->at : meter->at - at);
    meter->at = at;
    return meter->steps > meter->limit ? PCRE2_ERROR_MATCHLIMIT : 0;
}

int rv_pattern_test(struct rv_pattern *pattern, const char *text, size_t len, uint64_t *budget)
{
    const uint64_t free_steps = FREE_STEPS + (uint64_t)len * STEPS_FOR_A_BYTE;
    struct meter meter = {.limit = free_steps + *budget};
    int error;

    pcre2_set_callout(pattern->context, count_step, &meter);
    error = run(pattern, text, len, 0);
    if (meter.steps > meter.limit)
        *budget = 0;
    else if (meter.steps > free_steps)
        *budget -= meter.steps - free_steps;
    return error;
}

#else

bool rv_pattern_supported(void)
{
    return false;
}

int rv_pattern_new(struct rv_mem *mem, const char *text, size_t len, unsigned flags,
                   struct rv_pattern **ret_pattern, struct rv_pattern_problem *problem)
{
    (void)mem, (void)text, (void)len, (void)flags, (void)ret_pattern;
    if (problem) {
        problem->offset = 0;
        snprintf(problem->text, sizeof problem->text,
                 "this build of Reeve has no regular expressions (it was configured without "
                 "PCRE2)");
    }
    return REEVE_EUNSUPPORTED;
}

void rv_pattern_free(struct rv_pattern *pattern)
{
    (void)pattern;
}

int rv_pattern_find(struct rv_pattern *pattern, const char *text, size_t len, size_t from,
                    struct rv_pattern_place *ret_place)
{
    (void)pattern, (void)text, (void)len, (void)from, (void)ret_place;
    return REEVE_EUNSUPPORTED;
}

int rv_pattern_test(struct rv_pattern *pattern, const char *text, size_t len, uint64_t *budget)
{
    (void)pattern, (void)text, (void)len, (void)budget;
    return REEVE_EUNSUPPORTED;
}

#endif
