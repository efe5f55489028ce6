/* SPDX-License-Identifier: MIT */
/*
 * Schemas and patterns. An input is two lines: the schema (or the pattern), and the value (or the
 * text) that is held against it.
 *
 * A verdict is the same however value and schema were cut and written, as often as it is asked for,
 * and for schemas that mean the same; what is said is valid UTF-8 and bounded; it comes in bounded
 * time; memory that ends is told and nothing is lost.
 */
#include "tests/fuzz/fuzz.h"

#include <reeve/error.h>
#include <string.h>
#include <time.h>

#include "base/pattern.h"
#include "base/utf8.h"
#include "json/canonical.h"
#include "json/reader.h"
#include "json/schema.h"
#include "json/writer.h"

enum {
    LONGEST_CHECK_MS = 1000, /* CPU; some twenty times what it takes at most, with sanitizers */
};

struct text {
    const char *bytes;
    size_t len;
};

/* The first line, and all that is behind it. */
static void split(const char *bytes, size_t len, struct text *ret_first, struct text *ret_rest)
{
    const char *end = len ? memchr(bytes, '\n', len) : NULL;
    const size_t first = end ? (size_t)(end - bytes) : len;

    *ret_first = (struct text){bytes, first};
    *ret_rest = (struct text){bytes + first + (end != NULL), len - first - (end != NULL)};
}

static uint64_t cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- one schema and one value -------------------------------------------------------------------
 */

struct world {
    struct fuzz_memory memory;
    struct rv_mem *mem;
    struct rv_json_reader *documents; /* one reader each: both values are looked at together */
    struct rv_json_reader *values;
    struct rv_schema *schema;
};

struct verdict {
    int error; /* of the compiling, if it was refused, */
    int fits;  /* or else what the check returned */
    struct rv_schema_problem problem;
    struct rv_schema_report report;
};

static void world_open(struct world *world)
{
    world->schema = NULL;
    fuzz_memory_init(&world->memory);
    FUZZ_CHECK(!rv_mem_new(&world->memory.allocator, &world->mem));
    FUZZ_CHECK(!rv_json_reader_new(world->mem, NULL, &world->documents));
    FUZZ_CHECK(!rv_json_reader_new(world->mem, NULL, &world->values));
}

static void world_close(struct world *world)
{
    rv_schema_free(world->schema);
    rv_json_reader_free(world->documents);
    rv_json_reader_free(world->values);
    rv_mem_unref(world->mem);
    fuzz_memory_done(&world->memory);
}

static int read_cut(struct rv_json_reader *reader, struct text text, enum fuzz_cut cut,
                    const struct reeve_json **ret_value)
{
    struct fuzz_random random = fuzz_random_of(text.bytes, text.len);
    size_t at, piece;
    int error = 0;

    for (at = 0; at < text.len && !error; at += piece) {
        piece = fuzz_piece(cut, &random, text.len - at);
        error = rv_json_reader_feed(reader, text.bytes + at, piece);
    }
    return error ? error : rv_json_reader_finish(reader, ret_value);
}

static void check_report(const struct rv_schema_report *report)
{
    FUZZ_CHECK(report->len < sizeof report->text && strlen(report->text) == report->len);
    FUZZ_CHECK(rv_utf8_valid(report->text, report->len), "%s", report->text);
    FUZZ_CHECK(report->faults <= RV_SCHEMA_MAX_FAULTS);
}

static int check(struct world *world, const struct reeve_json *value,
                 struct rv_schema_report *report)
{
    const uint64_t start = cpu_ms();
    int error = rv_schema_check(world->schema, value, report);

    FUZZ_CHECK(cpu_ms() - start <= LONGEST_CHECK_MS, "%d", (int)(cpu_ms() - start));
    FUZZ_CHECK(!error || error == REEVE_EINVAL || error == REEVE_ETOOBIG || error == REEVE_ENOMEM,
               "%d", error);
    check_report(report);
    FUZZ_CHECK(error || (!report->len && !report->faults), "%s", report->text);
    FUZZ_CHECK(error != REEVE_EINVAL || report->faults, "no reason is given");
    FUZZ_CHECK(error != REEVE_ETOOBIG || report->len, "no reason is given");
    return error;
}

/* Both are JSON. */
static void judge(struct world *world, struct text document, struct text value, enum fuzz_cut cut,
                  struct verdict *ret)
{
    const struct reeve_json *read, *held;

    memset(ret, 0, sizeof *ret);
    FUZZ_CHECK(!read_cut(world->documents, document, cut, &read));
    FUZZ_CHECK(!read_cut(world->values, value, cut, &held));
    ret->error = rv_schema_compile(world->mem, read, &world->schema, &ret->problem);
    rv_json_reader_reset(world->documents); /* what was compiled stands alone */
    if (ret->error) {
        FUZZ_CHECK(ret->error == REEVE_EINVAL || ret->error == REEVE_ETOOBIG ||
                       ret->error == REEVE_EUNSUPPORTED || ret->error == REEVE_ENOMEM,
                   "%d", ret->error);
        FUZZ_CHECK(ret->error == REEVE_ENOMEM || ret->problem.text[0]);
        FUZZ_CHECK(rv_utf8_valid(ret->problem.text, strlen(ret->problem.text)), "%s",
                   ret->problem.text);
        return;
    }
    ret->fits = check(world, held, &ret->report);
}

static void judge_alone(struct text document, struct text value, enum fuzz_cut cut,
                        struct verdict *ret)
{
    struct world world;

    world_open(&world);
    judge(&world, document, value, cut, ret);
    world_close(&world);
}

static void check_same(const struct verdict *a, const struct verdict *b)
{
    FUZZ_CHECK(a->error == b->error, "%d, %d: %s", a->error, b->error, b->problem.text);
    FUZZ_CHECK(!strcmp(a->problem.text, b->problem.text), "%s\n%s", a->problem.text,
               b->problem.text);
    FUZZ_CHECK(a->fits == b->fits, "%d, %d", a->fits, b->fits);
    FUZZ_CHECK(!strcmp(a->report.text, b->report.text), "%s\n%s", a->report.text, b->report.text);
}

/* The same but where only one of the two ran out of what is bounded. */
static void check_alike(const struct verdict *a, const struct verdict *b, const char *how)
{
    if (a->error == REEVE_ETOOBIG || b->error == REEVE_ETOOBIG || a->fits == REEVE_ETOOBIG ||
        b->fits == REEVE_ETOOBIG)
        return;
    FUZZ_CHECK(a->error == b->error, "%s: %d, %d: %s", how, a->error, b->error, b->problem.text);
    FUZZ_CHECK(a->fits == b->fits, "%s: %d, %d: %s%s", how, a->fits, b->fits, a->report.text,
               b->report.text);
}

/* ---- the same, written otherwise ----------------------------------------------------------------
 */

static void rewrite(struct text text, bool canonical, struct rv_buffer *out)
{
    const struct reeve_json *value;
    struct rv_json_writer *writer;
    struct world world;

    world_open(&world);
    FUZZ_CHECK(!rv_json_reader_parse(world.values, text.bytes, text.len, &value));
    if (canonical) {
        FUZZ_CHECK(!rv_json_canonical(value, out));
    } else {
        FUZZ_CHECK(!rv_json_writer_new(out, &writer));
        rv_json_value(writer, value);
        FUZZ_CHECK(!rv_json_writer_finish(writer));
        rv_json_writer_free(writer);
    }
    world_close(&world);
}

static struct text text_of(const struct rv_buffer *buffer)
{
    return (struct text){rv_buffer_text(buffer), buffer->len};
}

static void check_rewritten(struct text document, struct text value, const struct verdict *expected)
{
    struct rv_buffer documents, values, canonical;
    struct verdict got;

    fuzz_note_init(&documents);
    fuzz_note_init(&values);
    fuzz_note_init(&canonical);
    rewrite(document, false, &documents);
    rewrite(value, false, &values);
    rewrite(value, true, &canonical);
    judge_alone(text_of(&documents), text_of(&values), FUZZ_WHOLE, &got);
    check_same(expected, &got);
    judge_alone(document, text_of(&canonical), FUZZ_WHOLE, &got);
    check_alike(expected, &got, "canonical");
    fuzz_note_done(&documents);
    fuzz_note_done(&values);
    fuzz_note_done(&canonical);
}

/* Schemas around the schema that mean the same, where no reference in it can tell. */
static void check_wrapped(struct text document, struct text value, const struct verdict *expected)
{
    static const char *const wraps[][2] = {
        {"{\"not\":{\"not\":", "}}"},
        {"{\"allOf\":[true,", "]}"},
        {"{\"anyOf\":[false,", "]}"},
        {"{\"oneOf\":[", ",false]}"},
        {"{\"if\":true,\"then\":", "}"},
        {"{\"if\":false,\"else\":", "}"},
        {"{\"$defs\":{\"a\":", "},\"$ref\":\"#/$defs/a\"}"},
    };
    struct rv_buffer text;
    struct verdict got;
    size_t i;

    if (memchr(document.bytes, '$', document.len) || memchr(document.bytes, '\\', document.len))
        return;
    for (i = 0; i < sizeof wraps / sizeof *wraps; i++) {
        fuzz_note_init(&text);
        fuzz_note(&text, wraps[i][0], strlen(wraps[i][0]));
        fuzz_note(&text, document.bytes, document.len);
        fuzz_note(&text, wraps[i][1], strlen(wraps[i][1]));
        judge_alone(text_of(&text), value, FUZZ_WHOLE, &got);
        check_alike(expected, &got, wraps[i][0]);
        fuzz_note_done(&text);
    }
}

static void check_refused_memory(struct text document, struct text value,
                                 const struct verdict *expected)
{
    struct fuzz_random random = fuzz_random_of(document.bytes, document.len);
    const struct reeve_json *read, *held;
    struct verdict got;
    struct world world;

    world_open(&world);
    FUZZ_CHECK(!rv_json_reader_parse(world.documents, document.bytes, document.len, &read));
    FUZZ_CHECK(!rv_json_reader_parse(world.values, value.bytes, value.len, &held));
    world.memory.fail_at = world.memory.asked + 1 + fuzz_random_below(&random, 16);
    got.error = rv_schema_compile(world.mem, read, &world.schema, NULL);
    FUZZ_CHECK(got.error == expected->error || got.error == REEVE_ENOMEM);
    if (!got.error) {
        got.fits = check(&world, held, &got.report);
        FUZZ_CHECK(got.fits == expected->fits || got.fits == REEVE_ENOMEM);
        world.memory.fail_at = 0;
        FUZZ_CHECK(check(&world, held, &got.report) == expected->fits);
    }
    world.memory.fail_at = 0;
    world_close(&world);
}

static bool is_json(struct text text)
{
    const struct reeve_json *value;
    struct world world;
    bool is;

    world_open(&world);
    is = !rv_json_reader_parse(world.values, text.bytes, text.len, &value);
    world_close(&world);
    return is;
}

void fuzz_schema(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    struct verdict expected, got;
    struct text document, value;

    (void)target;
    split(bytes, len, &document, &value);
    if (!is_json(document) || !is_json(value))
        return;
    judge_alone(document, value, FUZZ_WHOLE, &expected);
    FUZZ_CHECK(expected.error != REEVE_ENOMEM && expected.fits != REEVE_ENOMEM);
    judge_alone(document, value, FUZZ_RANDOM_PIECES, &got);
    check_same(&expected, &got);
    if (fuzz_chosen(&random, 4)) {
        judge_alone(document, value, FUZZ_BYTES, &got);
        check_same(&expected, &got);
        check_rewritten(document, value, &expected);
        check_wrapped(document, value, &expected);
        check_refused_memory(document, value, &expected);
    }
}

/* ---- patterns -----------------------------------------------------------------------------------
 */

/* All matches of a text, one behind the other: each in its bounds, on whole characters. */
static void check_places(struct rv_pattern *pattern, struct text text)
{
    struct rv_pattern_place place;
    size_t from = 0;
    int error = 0;

    while (from <= text.len && !error) {
        const uint64_t start = cpu_ms();

        place = (struct rv_pattern_place){0, 0};
        error = rv_pattern_find(pattern, text.bytes, text.len, from, &place);
        FUZZ_CHECK(!error || error == REEVE_ENOTFOUND || error == REEVE_ETOOBIG, "%d", error);
        FUZZ_CHECK(cpu_ms() - start <= LONGEST_CHECK_MS * (1 + text.len / 64));
        if (error)
            break;
        FUZZ_CHECK(place.start <= place.end && place.end <= text.len);
        FUZZ_CHECK(rv_utf8_valid(text.bytes + place.start, place.end - place.start));
        from = place.end > from ? place.end : from + 1;
        while (from < text.len && ((unsigned char)text.bytes[from] & 0xC0) == 0x80)
            from++;
    }
}

/* A counted match: as the other one, unless one of the two took too long. */
static void check_counted(struct rv_mem *mem, struct text pattern, unsigned flags, struct text text,
                          int expected)
{
    const uint64_t start = cpu_ms();
    struct rv_pattern *counted;
    uint64_t budget = 40000;
    int error;

    FUZZ_CHECK(!rv_pattern_new(mem, pattern.bytes, pattern.len, flags | RV_PATTERN_COUNTED,
                               &counted, NULL));
    error = rv_pattern_test(counted, text.bytes, text.len, &budget);
    FUZZ_CHECK(budget <= 40000);
    FUZZ_CHECK(cpu_ms() - start <= LONGEST_CHECK_MS);
    FUZZ_CHECK(!error || error == REEVE_ENOTFOUND || error == REEVE_ETOOBIG, "%d", error);
    if (error != REEVE_ETOOBIG && expected != REEVE_ETOOBIG)
        FUZZ_CHECK(error == expected, "%d, %d", error, expected);
    rv_pattern_free(counted);
}

void fuzz_pattern(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct rv_pattern_problem problem = {0, ""};
    struct fuzz_random random = fuzz_random_of(bytes, len);
    const unsigned flags = (unsigned)fuzz_random_below(&random, 8);
    struct rv_pattern *pattern;
    struct fuzz_memory memory;
    struct text first, text;
    struct rv_mem *mem;
    int error;

    (void)target;
    split(bytes, len, &first, &text);
    if (!rv_utf8_valid(first.bytes, first.len) || !rv_utf8_valid(text.bytes, text.len))
        return;
    fuzz_memory_init(&memory);
    FUZZ_CHECK(!rv_mem_new(&memory.allocator, &mem));
    error = rv_pattern_new(mem, first.bytes, first.len, flags, &pattern, &problem);
    if (error) {
        FUZZ_CHECK(error == REEVE_EINVAL || error == REEVE_EUNSUPPORTED, "%d", error);
        FUZZ_CHECK(problem.text[0] && problem.offset <= len, "%zu", problem.offset);
        FUZZ_CHECK(rv_utf8_valid(problem.text, strlen(problem.text)), "%s", problem.text);
    } else {
        error = rv_pattern_find(pattern, text.bytes, text.len, 0, NULL);
        check_places(pattern, text);
        check_counted(mem, first, flags, text, error);
        rv_pattern_free(pattern);
    }
    rv_mem_unref(mem);
    fuzz_memory_done(&memory);
}
