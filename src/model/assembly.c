/* SPDX-License-Identifier: MIT */
/*
 * Which call is a piece of? By the book every call has an index of its own, and its first piece
 * carries id and name. In the wild the index is missing, is 0 for every call, or comes out of
 * order; ids are empty, the same for every call, sent again with every piece, or new with every
 * piece; names are sent again. The rules, in order:
 *
 *   1. The candidate is the last call with the piece's index; without an index the last call with
 *      its id; without an id, or if there is none with it and the piece has no name, the last call.
 *      No candidate: a new call.
 *   2. A piece without a name belongs to its candidate: every server names a call when it begins.
 *   3. A candidate that has no name yet takes the piece.
 *   4. Another name begins a new call.
 *   5. The same name again begins a new call if the id is another one, or if the candidate's
 *      arguments are complete and new ones begin. But if the candidate's arguments have begun and
 *      are not complete, and what comes does not begin a new object, the piece goes on with it.
 *
 * At the end the calls are ordered by index, and by their first pieces where it does not tell. A
 * call without a name and without arguments is dropped; without a name alone it is called
 * "unknown", so that the model is told. An id that is missing, was there before, or could not be
 * sent back is made up.
 */
#include "model/assembly.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <reeve/error.h>

#include "base/utf8.h"
#include "model/torn.h"

enum {
    MAX_ID_BYTES = 256,
    MAX_NAME_BYTES = 256,
    MADE_UP_ID_BYTES = sizeof "call_0123456789abcdef",
};

static const char nameless[] = "unknown";

void rv_assembly_init(struct rv_assembly *assembly, struct rv_mem *mem, size_t max_bytes)
{
    *assembly = (struct rv_assembly){.mem = mem, .max_bytes = max_bytes};
}

static void call_done(struct rv_mem *mem, struct rv_assembled_call *call)
{
    rv_free(mem, call->id);
    rv_free(mem, call->name);
    rv_buffer_done(&call->arguments);
}

void rv_assembly_clear(struct rv_assembly *assembly)
{
    size_t i;

    for (i = 0; i < assembly->count; i++)
        call_done(assembly->mem, &assembly->calls[i]);
    rv_free(assembly->mem, assembly->finished);
    assembly->finished = NULL;
    assembly->finished_count = 0;
    assembly->count = 0;
    assembly->bytes = 0;
}

void rv_assembly_done(struct rv_assembly *assembly)
{
    rv_assembly_clear(assembly);
    rv_free(assembly->mem, assembly->calls);
    assembly->calls = NULL;
    assembly->capacity = 0;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void progress_in_string(struct rv_json_progress *progress, char byte)
{
    if (progress->after_backslash)
        progress->after_backslash = false;
    else if (byte == '\\')
        progress->after_backslash = true;
    else if (byte == '"')
        progress->in_string = false;
}

static void progress_byte(struct rv_json_progress *progress, char byte)
{
    if (progress->in_string) {
        progress_in_string(progress, byte);
        return;
    }
    if (is_space(byte))
        return;
    progress->begun = true;
    if (byte == '"')
        progress->in_string = true;
    else if (byte == '{' || byte == '[')
        progress->depth++;
    else if ((byte == '}' || byte == ']') && progress->depth)
        progress->complete = !--progress->depth;
}

static void progress_feed(struct rv_json_progress *progress, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        progress_byte(progress, text[i]);
}

static bool begins_object(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && is_space(text[i]))
        i++;
    return i < len && text[i] == '{';
}

/* ---- which call ------------------------------------------------------------------------------ */

static bool said(const char *text)
{
    return text && *text;
}

static bool same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static struct rv_assembled_call *last_call(struct rv_assembly *assembly)
{
    return assembly->count ? &assembly->calls[assembly->count - 1] : NULL;
}

static struct rv_assembled_call *last_with_index(struct rv_assembly *assembly, int64_t index)
{
    size_t i;

    for (i = assembly->count; i > 0; i--)
        if (assembly->calls[i - 1].has_index && assembly->calls[i - 1].index == index)
            return &assembly->calls[i - 1];
    return NULL;
}

static struct rv_assembled_call *last_with_id(struct rv_assembly *assembly, const char *id)
{
    size_t i;

    for (i = assembly->count; i > 0; i--)
        if (same(assembly->calls[i - 1].id, id))
            return &assembly->calls[i - 1];
    return NULL;
}

static struct rv_assembled_call *candidate(struct rv_assembly *assembly,
                                           const struct rv_call_piece *piece)
{
    struct rv_assembled_call *call;

    if (piece->has_index)
        return last_with_index(assembly, piece->index);
    if (!said(piece->id))
        return last_call(assembly);
    call = last_with_id(assembly, piece->id);
    if (!call && !said(piece->name))
        return last_call(assembly);
    return call;
}

static bool begins_new_call(const struct rv_assembled_call *call, const struct rv_call_piece *piece)
{
    const bool fresh = piece->whole || begins_object(piece->arguments, piece->arguments_len);

    if (!said(piece->name) || !call->name)
        return false;
    if (!same(call->name, piece->name))
        return true;
    if (call->progress.begun && !call->progress.complete && !fresh)
        return false;
    if (said(piece->id) && call->id && !same(call->id, piece->id))
        return true;
    return call->progress.complete && fresh;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static int grow(struct rv_assembly *assembly)
{
    const size_t capacity = assembly->capacity ? 2 * assembly->capacity : 4;
    struct rv_assembled_call *calls;

    if (assembly->count == RV_MAX_CALLS)
        return REEVE_ETOOBIG;
    if (assembly->count < assembly->capacity)
        return 0;
    calls = rv_realloc(assembly->mem, assembly->calls, capacity * sizeof *calls);
    if (!calls)
        return REEVE_ENOMEM;
    assembly->calls = calls;
    assembly->capacity = capacity;
    return 0;
}

static int begin_call(struct rv_assembly *assembly, const struct rv_call_piece *piece,
                      struct rv_assembled_call **ret_call)
{
    struct rv_assembled_call *call;
    int error = grow(assembly);

    if (error)
        return error;
    assert(assembly->calls);
    call = &assembly->calls[assembly->count++];
    *call = (struct rv_assembled_call){.has_index = piece->has_index, .index = piece->index};
    rv_buffer_init(&call->arguments, assembly->mem, assembly->max_bytes);
    *ret_call = call;
    return 0;
}

static bool take_bytes(struct rv_assembly *assembly, size_t len)
{
    if (len > assembly->max_bytes - assembly->bytes)
        return false;
    assembly->bytes += len;
    return true;
}

static int set_text(struct rv_assembly *assembly, char **text, const char *value, size_t max_bytes)
{
    const size_t len = strnlen(value, max_bytes);

    if (!take_bytes(assembly, len))
        return REEVE_ETOOBIG;
    *text = rv_memdup(assembly->mem, value, len);
    return *text ? 0 : REEVE_ENOMEM;
}

/* An id that is longer could not be told from another when cut: it counts as missing. */
static bool usable_id(const char *id)
{
    return said(id) && strnlen(id, MAX_ID_BYTES + 1) <= MAX_ID_BYTES;
}

static int add_to_call(struct rv_assembly *assembly, struct rv_assembled_call *call,
                       const struct rv_call_piece *piece)
{
    int error = 0;

    if (!call->id && usable_id(piece->id))
        error = set_text(assembly, &call->id, piece->id, MAX_ID_BYTES);
    if (!error && !call->name && said(piece->name))
        error = set_text(assembly, &call->name, piece->name, MAX_NAME_BYTES);
    if (error || !piece->arguments_len || (call->whole && !piece->whole))
        return error;
    if (piece->whole) {
        rv_buffer_clear(&call->arguments);
        call->progress = (struct rv_json_progress){0};
        call->whole = true;
    }
    if (!take_bytes(assembly, piece->arguments_len))
        return REEVE_ETOOBIG;
    progress_feed(&call->progress, piece->arguments, piece->arguments_len);
    return rv_buffer_add(&call->arguments, piece->arguments, piece->arguments_len);
}

int rv_assembly_add(struct rv_assembly *assembly, const struct rv_call_piece *piece)
{
    struct rv_assembled_call *call = candidate(assembly, piece);
    int error;

    if (!call || begins_new_call(call, piece)) {
        error = begin_call(assembly, piece, &call);
        if (error)
            return error;
    }
    return add_to_call(assembly, call, piece);
}

/* ---- finishing ------------------------------------------------------------------------------- */

/* Nothing of a call came but its being there. */
static bool is_empty(const struct rv_assembled_call *call)
{
    return !call->name && !call->progress.begun;
}

static void drop_empty(struct rv_assembly *assembly)
{
    size_t from, to = 0;

    for (from = 0; from < assembly->count; from++) {
        if (is_empty(&assembly->calls[from]))
            call_done(assembly->mem, &assembly->calls[from]);
        else
            assembly->calls[to++] = assembly->calls[from];
    }
    assembly->count = to;
}

/* By insertion: stable, and linear when they stand in order already, as nearly always. */
static void sort_by_index(struct rv_assembly *assembly)
{
    struct rv_assembled_call call;
    size_t i, at;

    for (i = 1; i < assembly->count; i++) {
        call = assembly->calls[i];
        for (at = i; at > 0; at--) {
            const struct rv_assembled_call *before = &assembly->calls[at - 1];

            if (!call.has_index || !before->has_index || before->index <= call.index)
                break;
            assembly->calls[at] = *before;
        }
        assembly->calls[at] = call;
    }
}

static bool id_taken(const struct rv_assembly *assembly, const char *id, size_t before)
{
    size_t i;

    for (i = 0; i < before; i++)
        if (same(assembly->calls[i].id, id))
            return true;
    return false;
}

/* The i-th id that is drawn from the seed: a step of splitmix64. */
static uint64_t draw(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static int make_id(struct rv_assembly *assembly, struct rv_assembled_call *call, uint64_t seed,
                   uint64_t *drawn)
{
    char id[MADE_UP_ID_BYTES];

    do {
        snprintf(id, sizeof id, "call_%016llx", (unsigned long long)draw(seed, (*drawn)++));
    } while (id_taken(assembly, id, assembly->count));
    rv_free(assembly->mem, call->id);
    call->id = rv_strdup(assembly->mem, id);
    return call->id ? 0 : REEVE_ENOMEM;
}

/* Arguments are told as valid UTF-8. Their pieces may have been torn inside a character. */
static int mend_arguments(struct rv_buffer *arguments)
{
    struct rv_buffer mended;
    int error;

    if (rv_utf8_valid(rv_buffer_text(arguments), arguments->len))
        return 0;
    rv_buffer_init(&mended, arguments->mem, SIZE_MAX - 1);
    error = rv_torn_mend(&mended, arguments->data, arguments->len);
    if (error) {
        rv_buffer_done(&mended);
        return error;
    }
    rv_buffer_done(arguments);
    *arguments = mended;
    return 0;
}

static int complete_calls(struct rv_assembly *assembly, uint64_t seed)
{
    uint64_t drawn = 0;
    size_t i;
    int error = 0;

    for (i = 0; i < assembly->count && !error; i++) {
        struct rv_assembled_call *call = &assembly->calls[i];

        if (!call->id || id_taken(assembly, call->id, i))
            error = make_id(assembly, call, seed, &drawn);
        if (!error)
            error = mend_arguments(&call->arguments);
        if (!error && !call->name) {
            call->name = rv_strdup(assembly->mem, nameless);
            error = call->name ? 0 : REEVE_ENOMEM;
        }
    }
    return error;
}

int rv_assembly_finish(struct rv_assembly *assembly, uint64_t seed)
{
    size_t i;
    int error;

    drop_empty(assembly);
    sort_by_index(assembly);
    error = complete_calls(assembly, seed);
    if (error || !assembly->count)
        return error;
    assembly->finished = rv_alloc_array(assembly->mem, assembly->count, sizeof *assembly->finished);
    if (!assembly->finished)
        return REEVE_ENOMEM;
    for (i = 0; i < assembly->count; i++) {
        const struct rv_assembled_call *call = &assembly->calls[i];

        assembly->finished[i] = (struct reeve_call){
            .id = call->id,
            .name = call->name,
            .arguments = rv_buffer_text(&call->arguments),
            .arguments_len = call->arguments.len,
        };
    }
    assembly->finished_count = assembly->count;
    return 0;
}
