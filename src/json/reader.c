/* SPDX-License-Identifier: MIT */
/*
 * JSON text to values.
 *
 * yajl scans an unfinished token again at every feed, which makes a long string that trickles in
 * quadratic. So it is never given one: a piece of text is cut behind its last byte that ends a
 * token for certain (a bracket, a comma, a colon, white space, a closing quote), and what lies
 * behind the cut waits in `pending` for more. Finding the cut takes two bits of state, and each
 * byte is looked at once. A text that comes whole skips all this.
 *
 * To set yajl up takes as long as to parse a few dozen bytes. So a reader that is used again keeps
 * what yajl had allocated and written when it was new, and puts it back in its place.
 *
 * yajl 2.1.0 does not survive an allocator that returns NULL: its memory is taken from an arena,
 * and a failure leaves the parse by longjmp, over frames that own nothing else.
 *
 * Decisions where JSON leaves a choice:
 *   a key that comes twice   the last value counts
 *   a lone surrogate escape  becomes U+FFFD (yajl would drop the character behind it)
 *   invalid UTF-8            is refused, with its place
 *   numbers                  keep their text
 *   \v and \f                count as white space, as yajl has it
 *
 * Ways to fail: the text is not JSON (EPARSE), it is too long or too deep (ETOOBIG), no memory
 * (ENOMEM). All of them let go of the memory at once; only the problem remains.
 */
#include "json/reader.h"

#include <assert.h>
#include <setjmp.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include <reeve/error.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/utf8.h"
#include "json/builder.h"
#include "json/escape.h"
#include "json/problem.h"

const struct rv_json_limits rv_json_default_limits = {
    .max_bytes = (size_t)64 << 20,
    .max_depth = 128,
};

enum {
    KEPT_PENDING_BYTES = 64 * 1024, /* more does not outlive a reset */
    LARGE_BYTES = 4096,             /* larger blocks of yajl's are not taken from the arena */
    HOME_BYTES = 1024,              /* more than yajl takes before it parses */
};

/* Where a yajl lives that is used again, and what it was when new. It points into itself. */
struct home {
    yajl_handle yajl;
    size_t used;
    _Alignas(max_align_t) char bytes[HOME_BYTES];
    char when_new[HOME_BYTES];
};

struct rv_json_reader {
    struct rv_arena arena;
    struct rv_json_builder builder; /* whose arena is mostly the same */
    yajl_handle yajl;               /* NULL until there is something to parse */
    bool used_before;               /* and not at rest since */
    struct home *home;              /* NULL: none yet */
    bool moving_in;                 /* what yajl allocates is to stand in its home */
    const char *source;             /* what yajl is working on, */
    char *piece;                    /* and the copy in the arena that it really reads */
    size_t piece_len;
    size_t given;    /* bytes that yajl was given before this piece */
    size_t closed;   /* bytes up to the end of the whole value; 0: it has not ended */
    size_t received; /* bytes in all */
    struct rv_buffer pending;
    bool in_string; /* at the end of what was received: the state of the search for cuts */
    bool after_backslash;
    int error; /* why the parse failed */
    struct rv_json_limits limits;
    struct rv_list large; /* struct large_block */
    struct reeve_json value;
    struct rv_json_problem problem;
    jmp_buf no_memory;
};

/*
 * yajl's memory. Its buffers double when they are full; in an arena the halves would pile up, so
 * that large blocks are given a life of their own. A block's size stands before it.
 */

struct small_block {
    size_t size;
    char bytes[];
};

struct large_block {
    struct rv_list node;
    struct small_block block;
};

static struct small_block *block_of(void *bytes)
{
    return rv_container_of(bytes, struct small_block, bytes);
}

static struct large_block *large_of(struct small_block *block)
{
    return rv_container_of(block, struct large_block, block);
}

static void *keep_large(struct rv_json_reader *reader, struct large_block *large, size_t size)
{
    if (!large)
        longjmp(reader->no_memory, 1);
    rv_list_append(&reader->large, &large->node);
    large->block.size = size;
    return large->block.bytes;
}

/* NULL: there is no room in it. */
static struct small_block *take_at_home(struct home *home, size_t size)
{
    struct small_block *block = (struct small_block *)(void *)(home->bytes + home->used);
    const size_t align = _Alignof(max_align_t);

    size = (sizeof *block + size + align - 1) / align * align;
    if (size > sizeof home->bytes - home->used)
        return NULL;
    home->used += size;
    return block;
}

static _Noreturn void leave_home(struct rv_json_reader *reader)
{
    assert(false && "HOME_BYTES is enough for every yajl that is known");
    rv_free(reader->arena.mem, reader->home);
    reader->home = NULL;
    reader->moving_in = false;
    longjmp(reader->no_memory, 1);
}

static void *yajl_take(void *arg, size_t size)
{
    struct rv_json_reader *reader = arg;
    struct small_block *block;

    if (reader->moving_in && size <= HOME_BYTES) {
        block = take_at_home(reader->home, size);
        if (!block)
            leave_home(reader);
        block->size = size;
        return block->bytes;
    }
    if (size > LARGE_BYTES)
        return keep_large(reader, rv_alloc(reader->arena.mem, sizeof(struct large_block) + size),
                          size);
    block = rv_arena_alloc(&reader->arena, sizeof *block + size);
    if (!block)
        longjmp(reader->no_memory, 1);
    block->size = size;
    return block->bytes;
}

static void *yajl_retake(void *arg, void *bytes, size_t size)
{
    struct rv_json_reader *reader = arg;
    struct large_block *large, *moved;
    struct small_block *block;
    void *copy;

    if (!bytes)
        return yajl_take(arg, size);
    block = block_of(bytes);
    if (block->size <= LARGE_BYTES) {
        copy = yajl_take(arg, size);
        memcpy(copy, bytes, block->size < size ? block->size : size);
        return copy;
    }
    large = large_of(block);
    rv_list_remove(&large->node);
    moved = rv_realloc(reader->arena.mem, large, sizeof *large + size);
    if (!moved)
        rv_list_append(&reader->large, &large->node);
    return keep_large(reader, moved, size);
}

/* Nothing is given back singly: all of it goes when the parse ends. */
static void yajl_drop(void *arg, void *bytes)
{
    (void)arg;
    (void)bytes;
}

static void free_large_blocks(struct rv_json_reader *reader)
{
    struct rv_list *node;

    while ((node = rv_list_shift(&reader->large)))
        rv_free(reader->arena.mem, rv_list_entry(node, struct large_block, node));
}

/* Failing. */

/* Let go of everything that a failed parse leaves. Returns `error`. */
static int give_up(struct rv_json_reader *reader, int error)
{
    reader->error = error;
    reader->yajl = NULL;
    free_large_blocks(reader);
    rv_json_builder_clear(&reader->builder);
    rv_arena_clear(&reader->arena);
    rv_buffer_done(&reader->pending);
    return error;
}

static int fail_no_memory(struct rv_json_reader *reader)
{
    rv_json_problem_set(&reader->problem, reader->given, "out of memory at byte %zu",
                        reader->given);
    return give_up(reader, REEVE_ENOMEM);
}

static int fail_too_long(struct rv_json_reader *reader)
{
    rv_json_problem_set(&reader->problem, reader->limits.max_bytes,
                        "the text is longer than the limit of %zu bytes", reader->limits.max_bytes);
    return give_up(reader, REEVE_ETOOBIG);
}

static size_t consumed(const struct rv_json_reader *reader)
{
    return yajl_get_bytes_consumed(reader->yajl);
}

static int fail_too_deep(struct rv_json_reader *reader)
{
    const size_t offset = reader->given + consumed(reader) - 1;

    rv_json_problem_set(&reader->problem, offset,
                        "arrays and objects at byte %zu are nested deeper than the limit of %u",
                        offset, reader->limits.max_depth);
    return give_up(reader, REEVE_ETOOBIG);
}

static int fail_refused(struct rv_json_reader *reader)
{
    const struct rv_json_scene scene = {
        .text = reader->source,
        .len = reader->piece_len,
        .base = reader->given,
        .at = consumed(reader),
    };
    unsigned char *words = yajl_get_error(reader->yajl, 0, NULL, 0);

    rv_json_problem_explain(&reader->problem, &scene, &reader->builder, (const char *)words);
    return give_up(reader, REEVE_EPARSE);
}

static int fail_not_utf8(struct rv_json_reader *reader)
{
    rv_json_problem_set(&reader->problem, reader->given, "the text is not valid UTF-8 at byte %zu",
                        reader->given);
    return give_up(reader, REEVE_EPARSE);
}

/* Texts. */

/*
 * A string or key for good: it stays where it is, in the piece, and its closing quote, which yajl
 * has passed, becomes a NUL. If there are escapes in it, then what yajl hands over is not in the
 * piece but its own reading of them; that one is left alone, and ours made in place.
 */
static const char *keep_string(struct rv_json_reader *reader, const unsigned char *text, size_t len,
                               uint32_t *ret_len)
{
    const size_t offset = (uintptr_t)text - (uintptr_t)reader->piece;
    char *raw, *end;

    if (offset < reader->piece_len) {
        raw = reader->piece + offset;
        end = raw + len;
    } else {
        end = reader->piece + consumed(reader) - 1;
        raw = rv_json_string_start(reader->piece, end);
        end = rv_json_resolve(raw, end);
    }
    *end = '\0';
    *ret_len = (uint32_t)(end - raw);
    return raw;
}

/* A number for good; what stands behind it yajl has yet to read, so that it is copied. */
static const char *keep_number(struct rv_json_reader *reader, const char *text, size_t len)
{
    char *copy = rv_arena_alloc_bytes(reader->builder.arena, len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* What yajl calls. Returning 0 cancels the parse: the reason is kept in reader->error. */

static int done(struct rv_json_reader *reader, bool well)
{
    if (!well)
        reader->error = REEVE_ENOMEM;
    else if (!reader->builder.depth)
        reader->closed = reader->given + consumed(reader);
    return well;
}

static int on_null(void *arg)
{
    struct rv_json_reader *reader = arg;

    return done(reader, rv_json_build_scalar(&reader->builder, REEVE_JSON_NULL, NULL, 0));
}

static int on_boolean(void *arg, int truth)
{
    struct rv_json_reader *reader = arg;

    return done(reader,
                rv_json_build_scalar(&reader->builder, REEVE_JSON_BOOL, NULL, truth ? 1 : 0));
}

static int on_number(void *arg, const char *text, size_t len)
{
    struct rv_json_reader *reader = arg;
    const char *copy = keep_number(reader, text, len);

    return done(reader, copy && rv_json_build_scalar(&reader->builder, REEVE_JSON_NUMBER, copy,
                                                     (uint32_t)len));
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
    struct rv_json_reader *reader = arg;
    uint32_t kept_len;
    const char *kept = keep_string(reader, text, len, &kept_len);

    return done(reader,
                kept && rv_json_build_scalar(&reader->builder, REEVE_JSON_STRING, kept, kept_len));
}

static int on_key(void *arg, const unsigned char *text, size_t len)
{
    struct rv_json_reader *reader = arg;
    uint32_t kept_len;
    const char *kept = keep_string(reader, text, len, &kept_len);

    return done(reader, rv_json_build_key(&reader->builder, kept, kept_len));
}

static int begin(struct rv_json_reader *reader, enum reeve_json_type type)
{
    if (reader->builder.depth >= reader->limits.max_depth) {
        reader->error = REEVE_ETOOBIG;
        return 0;
    }
    return done(reader, rv_json_build_begin(&reader->builder, type));
}

static int on_object(void *arg)
{
    return begin(arg, REEVE_JSON_OBJECT);
}

static int on_array(void *arg)
{
    return begin(arg, REEVE_JSON_ARRAY);
}

static int on_end(void *arg)
{
    struct rv_json_reader *reader = arg;

    return done(reader, rv_json_build_end(&reader->builder));
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

/* Parsing. The steps below run under the guard: a failed allocation of yajl's leaves them. */

typedef int step(struct rv_json_reader *reader, const char *text, size_t len);

static int guarded(struct rv_json_reader *reader, step *run, const char *text, size_t len)
{
    if (setjmp(reader->no_memory))
        return fail_no_memory(reader);
    return run(reader, text, len);
}

static int fail_parse(struct rv_json_reader *reader, yajl_status status)
{
    if (status != yajl_status_client_canceled)
        return fail_refused(reader);
    return reader->error == REEVE_ETOOBIG ? fail_too_deep(reader) : fail_no_memory(reader);
}

static yajl_handle make_yajl(struct rv_json_reader *reader)
{
    yajl_alloc_funcs functions = {
        .malloc = yajl_take,
        .realloc = yajl_retake,
        .free = yajl_drop,
        .ctx = reader,
    };
    yajl_handle yajl = yajl_alloc(&callbacks, &functions, reader);

    /* It would let overlong forms and surrogates pass; rv_utf8_valid_prefix does not. */
    yajl_config(yajl, yajl_dont_validate_strings, 1);
    return yajl;
}

/* Without memory for a home yajl is made anew each time. */
static void move_in(struct rv_json_reader *reader)
{
    struct home *home = rv_alloc(reader->arena.mem, sizeof *home);

    if (!home)
        return;
    home->used = 0;
    reader->home = home;
    reader->moving_in = true;
    home->yajl = make_yajl(reader);
    reader->moving_in = false;
    memcpy(home->when_new, home->bytes, home->used);
}

static void open_yajl(struct rv_json_reader *reader)
{
    if (reader->used_before && !reader->home)
        move_in(reader);
    reader->used_before = true;
    if (!reader->home) {
        reader->yajl = make_yajl(reader);
        return;
    }
    memcpy(reader->home->bytes, reader->home->when_new, reader->home->used);
    reader->yajl = reader->home->yajl;
}

/* Gives yajl a piece that does not end inside a token, unless the text does. */
static int consume(struct rv_json_reader *reader, const char *text, size_t len)
{
    yajl_status status;

    if (!reader->yajl)
        open_yajl(reader);
    reader->source = text;
    reader->piece_len = rv_utf8_valid_prefix(text, len);
    reader->piece = rv_arena_alloc_bytes(reader->builder.arena, reader->piece_len + 1);
    if (!reader->piece)
        return fail_no_memory(reader);
    if (len)
        memcpy(reader->piece, text, reader->piece_len);
    status = yajl_parse(reader->yajl, (const unsigned char *)reader->piece, reader->piece_len);
    if (status != yajl_status_ok)
        return fail_parse(reader, status);
    reader->given += reader->piece_len;
    return reader->piece_len < len ? fail_not_utf8(reader) : 0;
}

static bool is_blank(const char *text, size_t len)
{
    while (len && memchr(" \t\n\v\f\r", text[len - 1], 6))
        len--;
    return !len;
}

/*
 * The last piece, and the end of the text. Has the value ended, there is but white space behind it:
 * other tokens yajl has refused, but for one that has only begun, and of a string it would not say
 * so. In most texts nothing is behind the value, and yajl need not be asked at all.
 */
static int conclude(struct rv_json_reader *reader, const char *text, size_t len)
{
    const size_t base = reader->given;
    yajl_status status;
    size_t behind;
    int error = consume(reader, text, len);

    if (error)
        return error;
    if (reader->closed) {
        behind = reader->closed > base ? reader->closed - base : 0;
        status = is_blank(text + behind, len - behind) ? yajl_status_ok : yajl_status_error;
    } else {
        status = yajl_complete_parse(reader->yajl);
    }
    if (status == yajl_status_client_canceled)
        return fail_parse(reader, status);
    if (status == yajl_status_ok)
        return 0;
    rv_json_problem_ended(&reader->problem,
                          &(struct rv_json_scene){.text = text, .len = len, .base = base},
                          &reader->builder);
    return give_up(reader, REEVE_EPARSE);
}

static bool ends_token(char byte)
{
    switch (byte) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case ':':
    case '[':
    case ']':
    case '{':
    case '}':
        return true;
    default:
        return false;
    }
}

/*
 * Looks through new text for the places where it may be cut: behind the first and behind the last
 * byte that ends a token. Both 0: nowhere.
 */
static void find_cuts(struct rv_json_reader *reader, const char *text, size_t len,
                      size_t *ret_first, size_t *ret_last)
{
    bool in_string = reader->in_string;
    bool after_backslash = reader->after_backslash;
    size_t first = 0;
    size_t last = 0;
    size_t at;

    for (at = 0; at < len; at++) {
        const char byte = text[at];

        if (in_string) {
            if (after_backslash || byte != '"') {
                after_backslash = !after_backslash && byte == '\\';
                continue;
            }
            in_string = false;
        } else if (byte == '"') {
            in_string = true;
            continue;
        } else if (!ends_token(byte)) {
            continue;
        }
        last = at + 1;
        if (!first)
            first = last;
    }
    reader->in_string = in_string;
    reader->after_backslash = after_backslash;
    *ret_first = first;
    *ret_last = last;
}

static int wait_for_more(struct rv_json_reader *reader, const char *text, size_t len)
{
    return rv_buffer_add(&reader->pending, text, len) ? fail_no_memory(reader) : 0;
}

/* The first token of `text` ends the one that waits. */
static int consume_pending(struct rv_json_reader *reader, const char *text, size_t len)
{
    int error = wait_for_more(reader, text, len);

    if (!error)
        error = guarded(reader, consume, reader->pending.data, reader->pending.len);
    rv_buffer_clear(&reader->pending);
    return error;
}

int rv_json_reader_feed(struct rv_json_reader *reader, const char *text, size_t len)
{
    size_t first, last;
    size_t from = 0;
    int error = 0;

    if (reader->error || !len)
        return reader->error;
    if (len > reader->limits.max_bytes - reader->received)
        return fail_too_long(reader);
    reader->received += len;
    find_cuts(reader, text, len, &first, &last);
    if (!last)
        return wait_for_more(reader, text, len);
    if (reader->pending.len) {
        error = consume_pending(reader, text, first);
        from = first;
    }
    if (!error && from < last)
        error = guarded(reader, consume, text + from, last - from);
    if (!error && last < len)
        error = wait_for_more(reader, text + last, len - last);
    return error;
}

static int finish(struct rv_json_reader *reader, const char *text, size_t len,
                  const struct reeve_json **ret_value)
{
    int error = guarded(reader, conclude, text, len);

    if (error)
        return error;
    reader->yajl = NULL;
    free_large_blocks(reader);
    reader->value = reader->builder.stack[0];
    *ret_value = &reader->value;
    return 0;
}

int rv_json_reader_finish(struct rv_json_reader *reader, const struct reeve_json **ret_value)
{
    if (reader->error)
        return reader->error;
    return finish(reader, rv_buffer_text(&reader->pending), reader->pending.len, ret_value);
}

int rv_json_reader_parse(struct rv_json_reader *reader, const char *text, size_t len,
                         const struct reeve_json **ret_value)
{
    int error;

    if (reader->received) {
        error = rv_json_reader_feed(reader, text, len);
        return error ? error : rv_json_reader_finish(reader, ret_value);
    }
    if (reader->error)
        return reader->error;
    if (len > reader->limits.max_bytes)
        return fail_too_long(reader);
    reader->received = len;
    return finish(reader, text, len, ret_value);
}

int rv_json_reader_parse_into(struct rv_json_reader *reader, struct rv_arena *arena,
                              const char *text, size_t len, const struct reeve_json **ret_value)
{
    struct reeve_json *root = rv_arena_alloc(arena, sizeof *root);
    const struct reeve_json *value;
    int error;

    assert(!reader->received && "a text that comes whole");
    if (!root)
        return fail_no_memory(reader);
    reader->builder.arena = arena;
    error = rv_json_reader_parse(reader, text, len, &value);
    reader->builder.arena = &reader->arena;
    if (error)
        return error;
    *root = *value;
    *ret_value = root;
    return 0;
}

int rv_json_reader_new(struct rv_mem *mem, const struct rv_json_limits *limits,
                       struct rv_json_reader **ret_reader)
{
    struct rv_json_reader *reader = rv_zalloc(mem, sizeof *reader);

    if (!reader)
        return REEVE_ENOMEM;
    reader->limits = limits ? *limits : rv_json_default_limits;
    if (reader->limits.max_depth > RV_JSON_MAX_DEPTH)
        reader->limits.max_depth = RV_JSON_MAX_DEPTH;
    if (reader->limits.max_bytes > UINT32_MAX - 1)
        reader->limits.max_bytes = UINT32_MAX - 1;
    rv_arena_init(&reader->arena, rv_mem_ref(mem));
    rv_json_builder_init(&reader->builder, &reader->arena);
    rv_buffer_init(&reader->pending, mem, reader->limits.max_bytes);
    rv_list_init(&reader->large);
    *ret_reader = reader;
    return 0;
}

void rv_json_reader_reset(struct rv_json_reader *reader)
{
    free_large_blocks(reader);
    rv_json_builder_clear(&reader->builder);
    rv_arena_clear(&reader->arena);
    if (reader->pending.capacity > KEPT_PENDING_BYTES)
        rv_buffer_done(&reader->pending);
    rv_buffer_clear(&reader->pending);
    reader->yajl = NULL;
    reader->given = 0;
    reader->closed = 0;
    reader->received = 0;
    reader->in_string = false;
    reader->after_backslash = false;
    reader->error = 0;
    reader->problem.offset = 0;
    reader->problem.text[0] = '\0';
}

void rv_json_reader_rest(struct rv_json_reader *reader)
{
    rv_json_builder_done(&reader->builder);
    rv_arena_done(&reader->arena);
    rv_buffer_done(&reader->pending);
    rv_free(reader->arena.mem, reader->home);
    reader->home = NULL;
    reader->used_before = false;
    rv_json_reader_reset(reader);
}

void rv_json_reader_rest_into(struct rv_json_reader *reader, struct rv_arena *arena)
{
    rv_arena_take(arena, &reader->arena);
    rv_json_reader_rest(reader);
}

const struct rv_json_problem *rv_json_reader_problem(const struct rv_json_reader *reader)
{
    return &reader->problem;
}

void rv_json_reader_free(struct rv_json_reader *reader)
{
    struct rv_mem *mem;

    if (!reader)
        return;
    mem = reader->arena.mem;
    free_large_blocks(reader);
    rv_json_builder_done(&reader->builder);
    rv_arena_done(&reader->arena);
    rv_buffer_done(&reader->pending);
    rv_free(mem, reader->home);
    rv_free(mem, reader);
    rv_mem_unref(mem);
}
