/* SPDX-License-Identifier: MIT */
/*
 * Repairs. An input is two lines: a schema, and what is nearly a value for it. Text that is JSON is
 * not repaired; brackets are added where the caller allows it, and else nothing else is done; a
 * value that fits is never changed, be it repaired before; memory that ends is told.
 */
#include "tests/fuzz/fuzz.h"

#include <reeve/error.h>
#include <string.h>

#include "base/arena.h"
#include "json/canonical.h"
#include "json/copy.h"
#include "json/reader.h"
#include "json/repair.h"
#include "json/schema.h"
#include "json/schema_fit.h"

struct world {
    struct fuzz_memory memory;
    struct rv_mem *mem;
    struct rv_json_reader *reader;
    struct rv_arena arena;
};

static void world_open(struct world *world)
{
    fuzz_memory_init(&world->memory);
    FUZZ_CHECK(!rv_mem_new(&world->memory.allocator, &world->mem));
    FUZZ_CHECK(!rv_json_reader_new(world->mem, NULL, &world->reader));
    rv_arena_init(&world->arena, world->mem);
}

static void world_close(struct world *world)
{
    rv_json_reader_free(world->reader);
    rv_arena_done(&world->arena);
    rv_mem_unref(world->mem);
    fuzz_memory_done(&world->memory);
}

/* In the world's arena; NULL: it is not JSON. */
static const struct reeve_json *read(struct world *world, const char *text, size_t len)
{
    const struct reeve_json *value;

    rv_json_reader_reset(world->reader);
    if (rv_json_reader_parse(world->reader, text, len, &value))
        return NULL;
    FUZZ_CHECK(!rv_json_copy(&world->arena, value, &value));
    return value;
}

/* ---- texts --------------------------------------------------------------------------------------
 */

/* The value, repaired if need be and possible. */
static const struct reeve_json *check_text(struct world *world, const char *text, size_t len)
{
    struct rv_json_repairs open_repairs = {0}, repairs = {0};
    const struct reeve_json *value = read(world, text, len), *repaired = NULL;
    struct rv_buffer open, closed;
    int open_error, error;

    fuzz_note_init(&open);
    fuzz_note_init(&closed);
    open_error = rv_json_repair(text, len, false, &open, &open_repairs);
    error = rv_json_repair(text, len, true, &closed, &repairs);
    FUZZ_CHECK(!error || error == REEVE_EPARSE, "%d", error);
    FUZZ_CHECK(!value || error == REEVE_EPARSE, "what is JSON was repaired");
    FUZZ_CHECK(closed.len <= 2 * len + 256);
    if (!open_error) {
        FUZZ_CHECK(!open_repairs.closed && open_repairs.quotes + open_repairs.commas > 0);
        FUZZ_CHECK(!error && !repairs.closed && fuzz_note_equal(&open, &closed));
    } else if (!error) {
        FUZZ_CHECK(repairs.closed && repairs.closed <= closed.len);
    }
    if (!error)
        repaired = read(world, rv_buffer_text(&closed), closed.len);
    fuzz_note_done(&open);
    fuzz_note_done(&closed);
    return value ? value : repaired;
}

/* ---- values -------------------------------------------------------------------------------------
 */

static void check_fit(struct world *world, const struct rv_schema *schema,
                      const struct reeve_json *value, size_t len)
{
    struct rv_buffer before, after;
    const struct reeve_json *copy;
    struct rv_schema_report report;
    unsigned repairs = 0, again = 0;
    int fits = rv_schema_check(schema, value, &report);

    fuzz_note_init(&before);
    fuzz_note_init(&after);
    FUZZ_CHECK(!rv_json_canonical(value, &before));
    FUZZ_CHECK(!rv_json_copy(&world->arena, value, &copy));
    FUZZ_CHECK(!rv_schema_fit(schema, world->reader, &world->arena,
                              (struct reeve_json *)(uintptr_t)copy, len, &repairs));
    FUZZ_CHECK(!rv_json_canonical(copy, &after));
    FUZZ_CHECK(fits || !repairs, "what fits was changed");
    FUZZ_CHECK(repairs || fuzz_note_equal(&before, &after));
    FUZZ_CHECK(!rv_schema_fit(schema, world->reader, &world->arena,
                              (struct reeve_json *)(uintptr_t)copy, 1 << 20, &again));
    FUZZ_CHECK(rv_schema_check(schema, copy, &report) || !again, "what fits was changed");
    fuzz_note_done(&before);
    fuzz_note_done(&after);
}

static void check_memory(const struct rv_schema *schema, struct world *world,
                         const struct reeve_json *value, size_t len)
{
    unsigned repairs;
    int error;

    rv_json_reader_rest(world->reader);
    world->memory.fail_at = world->memory.asked + 1 + len % 4;
    error = rv_schema_fit(schema, world->reader, &world->arena,
                          (struct reeve_json *)(uintptr_t)value, len, &repairs);
    FUZZ_CHECK(!error || error == REEVE_ENOMEM, "%d", error);
    world->memory.fail_at = 0;
}

void fuzz_repair(const struct fuzz_target *target, const char *bytes, size_t len)
{
    const char *end = len ? memchr(bytes, '\n', len) : NULL;
    const size_t first = end ? (size_t)(end - bytes) : 0, at = end ? first + 1 : 0;
    const struct reeve_json *document, *value;
    struct rv_schema *schema = NULL;
    struct world world;

    (void)target;
    world_open(&world);
    value = check_text(&world, bytes + at, len - at);
    document = value ? read(&world, bytes, first) : NULL;
    if (document && !rv_schema_compile(world.mem, document, &schema, NULL)) {
        check_fit(&world, schema, value, len);
        check_memory(schema, &world, value, len);
    }
    rv_schema_free(schema);
    world_close(&world);
}
