/* SPDX-License-Identifier: MIT */
/* What all fuzz targets use, and the list of them. */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/random.h"

#include <malloc.h>
#include <reeve/model.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fuzz_target fuzz_targets[] = {
    {"sse", fuzz_sse, 0},
    {"json", fuzz_json, 0},
    {"schema", fuzz_schema, 0},
    {"pattern", fuzz_pattern, 0},
    {"repair", fuzz_repair, 0},
    {"head", fuzz_head, 0},
    {"url", fuzz_url, 0},
    {"openai", fuzz_codec, REEVE_PROVIDER_OPENAI},
    {"anthropic", fuzz_codec, REEVE_PROVIDER_ANTHROPIC},
    {"http", fuzz_http, 0},
    {NULL, NULL, 0},
};

bool fuzz_thorough;

const struct fuzz_target *fuzz_target_find(const char *name)
{
    const struct fuzz_target *target;

    for (target = fuzz_targets; target->name; target++)
        if (!strcmp(target->name, name))
            return target;
    return NULL;
}

void fuzz_fail(const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

/* ---- numbers ------------------------------------------------------------------------------------
 */

struct fuzz_random fuzz_random_of(const char *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    size_t i;

    for (i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001B3);
    return (struct fuzz_random){rv_random_mix(hash)};
}

size_t fuzz_random_below(struct fuzz_random *random, size_t bound)
{
    return (size_t)(rv_random_next(&random->state) % bound);
}

bool fuzz_chosen(struct fuzz_random *random, size_t many)
{
    return !fuzz_random_below(random, many) || fuzz_thorough;
}

size_t fuzz_piece(enum fuzz_cut cut, struct fuzz_random *random, size_t left)
{
    size_t most;

    if (cut == FUZZ_WHOLE)
        return left;
    if (cut == FUZZ_BYTES)
        return 1;
    /* Small ones and large ones, so that both are met in one input. */
    most = fuzz_random_below(random, 4) ? 8 : left;
    most = most < left ? most : left;
    return 1 + fuzz_random_below(random, most);
}

/* ---- memory -------------------------------------------------------------------------------------
 */

static bool refuses(struct fuzz_memory *memory)
{
    memory->asked++;
    return memory->fail_at && memory->asked >= memory->fail_at;
}

static void count_in(struct fuzz_memory *memory, void *block)
{
    memory->live++;
    memory->live_bytes += malloc_usable_size(block);
    if (memory->live_bytes > memory->peak_bytes)
        memory->peak_bytes = memory->live_bytes;
}

static void count_out(struct fuzz_memory *memory, void *block)
{
    memory->live--;
    memory->live_bytes -= malloc_usable_size(block);
}

static void *counted_malloc(size_t size, void *arg)
{
    struct fuzz_memory *memory = arg;
    void *block = refuses(memory) ? NULL : malloc(size);

    if (block)
        count_in(memory, block);
    return block;
}

static void counted_free(void *block, void *arg)
{
    if (block)
        count_out(arg, block);
    free(block);
}

/* Always another block, so that a pointer kept over a growth is found. */
static void *counted_realloc(void *block, size_t size, void *arg)
{
    void *moved = counted_malloc(size, arg);
    size_t len;

    if (!moved || !block)
        return moved;
    len = malloc_usable_size(block);
    memcpy(moved, block, len < size ? len : size);
    counted_free(block, arg);
    return moved;
}

void fuzz_memory_init(struct fuzz_memory *memory)
{
    *memory = (struct fuzz_memory){
        .allocator = {counted_malloc, counted_realloc, counted_free, memory},
    };
}

void fuzz_memory_done(const struct fuzz_memory *memory)
{
    FUZZ_CHECK(memory->live == 0, "%zu blocks are live at the end", memory->live);
}

/* ---- notes --------------------------------------------------------------------------------------
 */

void fuzz_note_init(struct rv_buffer *note)
{
    struct rv_mem *mem;

    FUZZ_CHECK(!rv_mem_new(NULL, &mem));
    rv_buffer_init(note, mem, SIZE_MAX / 2);
}

void fuzz_note_done(struct rv_buffer *note)
{
    struct rv_mem *mem = note->mem;

    rv_buffer_done(note);
    rv_mem_unref(mem);
}

void fuzz_note(struct rv_buffer *note, const void *bytes, size_t len)
{
    FUZZ_CHECK(!rv_buffer_add(note, bytes, len));
}

void fuzz_note_printf(struct rv_buffer *note, const char *format, ...)
{
    va_list args;
    int error;

    va_start(args, format);
    error = rv_buffer_vprintf(note, format, args);
    va_end(args);
    FUZZ_CHECK(!error);
}

bool fuzz_note_equal(const struct rv_buffer *a, const struct rv_buffer *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}
