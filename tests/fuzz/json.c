/* SPDX-License-Identifier: MIT */
/*
 * JSON: reader, writer, canonical form and copy. What was read is the same however the text was
 * cut; what is written of it reads back as the same, to the byte; the canonical form is one for
 * both and its own canonical form; limits hold; memory that ends is told and nothing is lost.
 */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <reeve/error.h>
#include <reeve/json.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "json/canonical.h"
#include "json/copy.h"
#include "json/reader.h"
#include "json/writer.h"

struct world {
    struct fuzz_memory memory;
    struct rv_mem *mem;
    struct rv_json_reader *reader;
};

static void world_open(struct world *world, const struct rv_json_limits *limits)
{
    fuzz_memory_init(&world->memory);
    FUZZ_CHECK(!rv_mem_new(&world->memory.allocator, &world->mem));
    FUZZ_CHECK(!rv_json_reader_new(world->mem, limits, &world->reader));
}

static void world_close(struct world *world)
{
    rv_json_reader_free(world->reader);
    rv_mem_unref(world->mem);
    fuzz_memory_done(&world->memory);
}

static int read_cut(struct rv_json_reader *reader, const char *bytes, size_t len, enum fuzz_cut cut,
                    const struct reeve_json **ret_value)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    size_t at, piece;
    int error = 0;

    for (at = 0; at < len && !error; at += piece) {
        piece = fuzz_piece(cut, &random, len - at);
        error = rv_json_reader_feed(reader, bytes + at, piece);
    }
    return error ? error : rv_json_reader_finish(reader, ret_value);
}

/* ---- values -------------------------------------------------------------------------------------
 */

static unsigned depth_of(const struct reeve_json *value)
{
    unsigned deepest = 0, depth;
    size_t i;

    if (reeve_json_type(value) != REEVE_JSON_ARRAY && reeve_json_type(value) != REEVE_JSON_OBJECT)
        return 0;
    for (i = 0; i < reeve_json_count(value); i++) {
        depth = depth_of(reeve_json_at(value, i));
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static void check_text(const char *text, size_t len)
{
    FUZZ_CHECK(text[len] == '\0');
    FUZZ_CHECK(rv_utf8_valid(text, len));
}

static void check_object(const struct reeve_json *value)
{
    const size_t count = reeve_json_count(value);
    size_t i, k, len, other_len;

    for (i = 0; i < count; i++) {
        const char *key = reeve_json_key_at(value, i, &len);

        check_text(key, len);
        if (strlen(key) != len)
            continue;
        for (k = count - 1; k > i; k--) {
            const char *other = reeve_json_key_at(value, k, &other_len);

            if (other_len == len && !memcmp(key, other, len))
                break;
        }
        FUZZ_CHECK(reeve_json_get(value, key) == reeve_json_at(value, k), "\"%s\"", key);
    }
}

static void check_value(const struct reeve_json *value)
{
    const char *text;
    int64_t integer;
    double number;
    size_t i, len;

    FUZZ_CHECK(value && reeve_json_type(value) != REEVE_JSON_NONE);
    switch (reeve_json_type(value)) {
    case REEVE_JSON_STRING:
        text = reeve_json_string(value, &len);
        check_text(text, len);
        break;
    case REEVE_JSON_NUMBER:
        if (!reeve_json_int64(value, &integer) && integer > -(1LL << 53) && integer < 1LL << 53)
            FUZZ_CHECK(!reeve_json_double(value, &number) && !isless(number, (double)integer) &&
                       !isgreater(number, (double)integer));
        break;
    case REEVE_JSON_OBJECT:
        check_object(value);
        break;
    default:
        break;
    }
    for (i = 0; i < reeve_json_count(value); i++)
        check_value(reeve_json_at(value, i));
}

static bool equal_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a && b && a_len == b_len && !memcmp(a, b, a_len);
}

static bool equal_scalar(const struct reeve_json *a, const struct reeve_json *b)
{
    size_t a_len = 0, b_len = 0;
    const char *a_text, *b_text;
    int a_truth = 0, b_truth = 0;

    switch (reeve_json_type(a)) {
    case REEVE_JSON_STRING:
        a_text = reeve_json_string(a, &a_len);
        b_text = reeve_json_string(b, &b_len);
        return equal_bytes(a_text, a_len, b_text, b_len);
    case REEVE_JSON_NUMBER:
        a_text = reeve_json_number_text(a, &a_len);
        b_text = reeve_json_number_text(b, &b_len);
        return equal_bytes(a_text, a_len, b_text, b_len);
    case REEVE_JSON_BOOL:
        return !reeve_json_bool(a, &a_truth) && !reeve_json_bool(b, &b_truth) && a_truth == b_truth;
    default:
        return true;
    }
}

static bool equal(const struct reeve_json *a, const struct reeve_json *b)
{
    size_t i, a_len = 0, b_len = 0;

    if (reeve_json_type(a) != reeve_json_type(b) || reeve_json_count(a) != reeve_json_count(b))
        return false;
    for (i = 0; i < reeve_json_count(a); i++) {
        const char *a_key = reeve_json_key_at(a, i, &a_len);
        const char *b_key = reeve_json_key_at(b, i, &b_len);

        if (reeve_json_type(a) == REEVE_JSON_OBJECT && !equal_bytes(a_key, a_len, b_key, b_len))
            return false;
        if (!equal(reeve_json_at(a, i), reeve_json_at(b, i)))
            return false;
    }
    return equal_scalar(a, b);
}

/* ---- texts --------------------------------------------------------------------------------------
 */

static int write_value(struct rv_buffer *out, const struct reeve_json *value)
{
    struct rv_json_writer *writer;
    int error = rv_json_writer_new(out, &writer);

    if (error)
        return error;
    rv_json_value(writer, value);
    error = rv_json_writer_finish(writer);
    rv_json_writer_free(writer);
    return error;
}

/* Written, read and written again. */
static void check_writing(const struct reeve_json *value, const struct rv_json_limits *limits)
{
    struct rv_buffer text, again;
    const struct reeve_json *back;
    struct world world;

    fuzz_note_init(&text);
    fuzz_note_init(&again);
    world_open(&world, limits);
    FUZZ_CHECK(!write_value(&text, value));
    FUZZ_CHECK(!rv_json_reader_parse(world.reader, text.data, text.len, &back), "%s", text.data);
    FUZZ_CHECK(equal(value, back), "%s", text.data);
    FUZZ_CHECK(!write_value(&again, back));
    FUZZ_CHECK(fuzz_note_equal(&text, &again), "%s", text.data);
    world_close(&world);
    fuzz_note_done(&text);
    fuzz_note_done(&again);
}

/* The same for the canonical form, which is the same for what was written as well. */
static void check_canonical(const struct reeve_json *value, const struct rv_json_limits *limits)
{
    struct rv_buffer text, again;
    const struct reeve_json *back;
    struct world world;

    fuzz_note_init(&text);
    fuzz_note_init(&again);
    world_open(&world, limits);
    FUZZ_CHECK(!rv_json_canonical(value, &text));
    FUZZ_CHECK(!rv_json_reader_parse(world.reader, text.data, text.len, &back), "%s", text.data);
    FUZZ_CHECK(!rv_json_canonical(back, &again));
    FUZZ_CHECK(fuzz_note_equal(&text, &again), "%s, then %s", text.data, again.data);
    FUZZ_CHECK(depth_of(value) == depth_of(back));
    world_close(&world);
    fuzz_note_done(&text);
    fuzz_note_done(&again);
}

static void check_copy(const struct reeve_json *value, size_t fail_at)
{
    const struct reeve_json *copied;
    struct fuzz_memory memory;
    struct rv_arena arena;
    struct rv_mem *mem;
    int error;

    fuzz_memory_init(&memory);
    FUZZ_CHECK(!rv_mem_new(&memory.allocator, &mem));
    memory.fail_at = fail_at;
    rv_arena_init(&arena, mem);
    error = rv_json_copy(&arena, value, &copied);
    FUZZ_CHECK(error == 0 || (fail_at && error == REEVE_ENOMEM));
    if (!error)
        FUZZ_CHECK(equal(value, copied));
    rv_arena_done(&arena);
    rv_mem_unref(mem);
    fuzz_memory_done(&memory);
}

/* Any bytes as a string: they come back with what is not UTF-8 replaced. */
static void check_string(const char *bytes, size_t len)
{
    struct rv_buffer text, repaired;
    const struct reeve_json *back;
    struct rv_json_writer *writer;
    struct world world;
    const char *string;
    size_t string_len;

    fuzz_note_init(&text);
    fuzz_note_init(&repaired);
    world_open(&world, NULL);
    FUZZ_CHECK(!rv_json_writer_new(&text, &writer));
    rv_json_string(writer, bytes, len);
    FUZZ_CHECK(!rv_json_writer_finish(writer));
    rv_json_writer_free(writer);
    FUZZ_CHECK(!rv_utf8_add_repaired(&repaired, bytes, len));
    FUZZ_CHECK(!rv_json_reader_parse(world.reader, text.data, text.len, &back), "%s", text.data);
    string = reeve_json_string(back, &string_len);
    FUZZ_CHECK(equal_bytes(string, string_len, rv_buffer_text(&repaired), repaired.len));
    world_close(&world);
    fuzz_note_done(&text);
    fuzz_note_done(&repaired);
}

/* The first bytes as a double: what is written reads back as the same. */
static void check_double(const char *bytes, size_t len)
{
    const struct reeve_json *back;
    struct rv_json_writer *writer;
    struct rv_buffer text;
    struct world world;
    double number, read;

    if (len < sizeof number)
        return;
    memcpy(&number, bytes, sizeof number);
    fuzz_note_init(&text);
    FUZZ_CHECK(!rv_json_writer_new(&text, &writer));
    rv_json_double(writer, number);
    if (rv_json_writer_finish(writer)) {
        FUZZ_CHECK(!isfinite(number));
    } else {
        world_open(&world, NULL);
        FUZZ_CHECK(!rv_json_reader_parse(world.reader, text.data, text.len, &back));
        FUZZ_CHECK(!reeve_json_double(back, &read), "%s", text.data);
        FUZZ_CHECK(!memcmp(&number, &read, sizeof number), "%s", text.data);
        world_close(&world);
    }
    rv_json_writer_free(writer);
    fuzz_note_done(&text);
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static void check_cuts(const char *bytes, size_t len, int expected, const struct reeve_json *value)
{
    const struct reeve_json *other;
    struct world world;
    enum fuzz_cut cut;
    int error;

    world_open(&world, NULL);
    for (cut = FUZZ_WHOLE; cut < FUZZ_CUT_COUNT; cut++) {
        error = read_cut(world.reader, bytes, len, cut, &other);
        FUZZ_CHECK(error == expected, "cut %d: %d, not %d", cut, error, expected);
        FUZZ_CHECK(error || equal(value, other), "cut %d", cut);
        FUZZ_CHECK(!error || (rv_json_reader_problem(world.reader)->text[0] &&
                              rv_json_reader_problem(world.reader)->offset <= len));
        rv_json_reader_reset(world.reader);
    }
    world_close(&world);
    FUZZ_CHECK(world.memory.peak_bytes <= 256 * len + 65536, "%zu bytes", world.memory.peak_bytes);
}

static void check_limits(const char *bytes, size_t len, int expected)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    const struct rv_json_limits limits = {
        .max_bytes = 1 + fuzz_random_below(&random, len + 1),
        .max_depth = 1 + (unsigned)fuzz_random_below(&random, 8),
    };
    const struct reeve_json *value;
    struct world world;
    int error;

    world_open(&world, &limits);
    error = read_cut(world.reader, bytes, len, FUZZ_RANDOM_PIECES, &value);
    FUZZ_CHECK(error == 0 || error == REEVE_ETOOBIG || error == expected);
    if (!error)
        FUZZ_CHECK(!expected && len <= limits.max_bytes && depth_of(value) <= limits.max_depth);
    world_close(&world);
}

static void check_refused_memory(const char *bytes, size_t len, int expected)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    const struct reeve_json *value;
    struct world world;
    int error;

    world_open(&world, NULL);
    world.memory.fail_at = world.memory.asked + 1 + fuzz_random_below(&random, 16);
    error = read_cut(world.reader, bytes, len, FUZZ_RANDOM_PIECES, &value);
    FUZZ_CHECK(error == expected || error == REEVE_ENOMEM);
    world.memory.fail_at = 0;
    rv_json_reader_reset(world.reader);
    FUZZ_CHECK(rv_json_reader_parse(world.reader, bytes, len, &value) == expected);
    world_close(&world);
}

void fuzz_json(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    const struct reeve_json *value = NULL;
    struct world world;
    int error;

    (void)target;
    world_open(&world, NULL);
    error = rv_json_reader_parse(world.reader, bytes, len, &value);
    FUZZ_CHECK(!error || error == REEVE_EPARSE || error == REEVE_ETOOBIG, "%d", error);
    check_cuts(bytes, len, error, value);
    if (!error) {
        check_value(value);
        check_writing(value, NULL);
        check_canonical(value, NULL);
        check_copy(value, 0);
        check_copy(value, 1 + fuzz_random_below(&random, 4));
    }
    world_close(&world);
    check_limits(bytes, len, error);
    check_refused_memory(bytes, len, error);
    check_string(bytes, len);
    check_double(bytes, len);
}
