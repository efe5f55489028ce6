/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a tool's output, given whole or bit by bit. Only what is kept is looked at, so
 * that the cost is bounded by the cap and not by the output.
 */
#include "tool/output.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#include <reeve/error.h>

#define REPLACEMENT "\xEF\xBF\xBD"

enum {
    REPLACEMENT_LEN = 3,
    FIRST_ROOM = 256,
    CHUNK_BYTES = 4096,
    REPAIR_BYTES = 16 * 1024, /* some 0.1 ms of repairing, at the worst */
};

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* The length of the character, or else of the invalid part, that `text` (len > 0) begins with. */
static size_t next_part(const char *text, size_t len, bool *ret_valid)
{
    unsigned char first = (unsigned char)text[0];

    *ret_valid = rv_utf8_valid_prefix(text, len < 4 ? len : 4) > 0;
    if (!*ret_valid)
        return rv_utf8_invalid_part(text, len);
    if (first < 0x80)
        return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

struct rv_output_piece rv_output_head(const char *text, size_t len, size_t max)
{
    struct rv_output_piece head = {.text = text};

    while (head.len < len && head.repaired_len < max) {
        size_t room = max - head.repaired_len, rest = len - head.len;
        size_t part = rv_utf8_valid_prefix(text + head.len, rest < room ? rest : room);

        if (part) {
            head.repaired_len += part;
        } else {
            bool valid;

            part = next_part(text + head.len, rest, &valid);
            if (valid || room < REPLACEMENT_LEN)
                break;
            head.repaired_len += REPLACEMENT_LEN;
        }
        head.len += part;
    }
    return head;
}

/* The first place at or after `at` where a character or an invalid part begins. */
static size_t next_boundary(const char *text, size_t len, size_t at)
{
    size_t start = at, back;

    for (back = 0; back < 3 && start && is_continuation(text[start]); back++)
        start--;
    if (is_continuation(text[start]))
        return at; /* too far from any first byte to belong to it: each is a part of its own */
    while (start < at) {
        bool valid;

        start += next_part(text + start, len - start, &valid);
    }
    return start;
}

struct rv_output_piece rv_output_tail(const char *text, size_t len, size_t max)
{
    size_t start = len > max ? next_boundary(text, len, len - max) : 0;
    struct rv_output_piece tail = rv_output_head(text + start, len - start, SIZE_MAX);

    while (tail.repaired_len > max) {
        bool valid;
        size_t part = next_part(tail.text, tail.len, &valid);

        tail.text += part;
        tail.len -= part;
        tail.repaired_len -= valid ? part : REPLACEMENT_LEN;
    }
    return tail;
}

/* Write a piece, repaired; the end of what was written. */
static char *put_piece(char *out, const struct rv_output_piece *piece)
{
    const char *text = piece->text;
    size_t len = piece->len;

    if (piece->len == piece->repaired_len && rv_utf8_valid(text, len)) {
        memcpy(out, text, len);
        return out + len;
    }
    while (len) {
        bool valid;
        size_t part = next_part(text, len, &valid);

        memcpy(out, valid ? text : REPLACEMENT, valid ? part : REPLACEMENT_LEN);
        out += valid ? part : REPLACEMENT_LEN;
        text += part;
        len -= part;
    }
    return out;
}

static int keep_valid(struct rv_arena *arena, const char *text, size_t len, const char **ret_text,
                      size_t *ret_len)
{
    char *out = rv_arena_alloc_bytes(arena, len + 1);

    if (!out)
        return REEVE_ENOMEM;
    if (len)
        memcpy(out, text, len);
    out[len] = '\0';
    *ret_text = out;
    *ret_len = len;
    return 0;
}

static int keep_repaired(struct rv_arena *arena, const struct rv_output_piece *whole,
                         const char **ret_text, size_t *ret_len)
{
    char *out = rv_arena_alloc_bytes(arena, whole->repaired_len + 1);

    if (!out)
        return REEVE_ENOMEM;
    *put_piece(out, whole) = '\0';
    *ret_text = out;
    *ret_len = whole->repaired_len;
    return 0;
}

static int write_marker(char *marker, size_t size, size_t gone)
{
    return snprintf(marker, size, "\n[... %zu bytes left out ...]\n", gone);
}

/* The two ends of a text that may be kept, and the marker that is to stand between them. */
struct ends {
    struct rv_output_piece head;
    struct rv_output_piece tail;
    char marker[64];
    size_t marker_len;
};

/* `first` and `last` are as much of the beginning and of the end of a text of `len` bytes as it
 * takes to tell; they may overlap. */
static void find_ends(const struct rv_output_piece *first, const struct rv_output_piece *last,
                      size_t len, size_t max, struct ends *ret)
{
    size_t room = max - (size_t)write_marker(ret->marker, sizeof ret->marker, len);

    ret->head = rv_output_head(first->text, first->len, room / 2);
    ret->tail = rv_output_tail(last->text, last->len, room - room / 2);
    assert(ret->head.len + ret->tail.len <= len);
    ret->marker_len =
        (size_t)write_marker(ret->marker, sizeof ret->marker, len - ret->head.len - ret->tail.len);
}

static int keep_ends(struct rv_arena *arena, const struct ends *ends, const char **ret_text,
                     size_t *ret_len)
{
    char *out = rv_arena_alloc_bytes(arena, ends->head.repaired_len + ends->marker_len +
                                                ends->tail.repaired_len + 1);
    char *end;

    if (!out)
        return REEVE_ENOMEM;
    end = put_piece(out, &ends->head);
    memcpy(end, ends->marker, ends->marker_len);
    end = put_piece(end + ends->marker_len, &ends->tail);
    *end = '\0';
    *ret_text = out;
    *ret_len = (size_t)(end - out);
    return 0;
}

int rv_output_keep(struct rv_arena *arena, const char *text, size_t len, size_t max,
                   const char **ret_text, size_t *ret_len)
{
    const struct rv_output_piece given = {.text = text, .len = len};
    struct ends ends;

    assert(max >= RV_OUTPUT_SMALLEST_CAP);
    if (len <= max && rv_utf8_valid(text, len))
        return keep_valid(arena, text, len, ret_text, ret_len);
    if (len <= max) {
        struct rv_output_piece whole = rv_output_head(text, len, SIZE_MAX);

        if (whole.repaired_len <= max)
            return keep_repaired(arena, &whole, ret_text, ret_len);
    }
    find_ends(&given, &given, len, max, &ends);
    return keep_ends(arena, &ends, ret_text, ret_len);
}

/*
 * Byte number i of an output that is kept as it comes stands at i, while all of them fit into head
 * and tail together, and after that at
 *
 *     i                               in the head,
 *     head + (i - head) % tail        behind it, in a ring.
 *
 * Both are larger than what may be kept of either end by as much as must be seen to tell where a
 * character begins or ends.
 */
static size_t head_bytes(const struct rv_output *output)
{
    return output->max / 2 + 4;
}

static size_t tail_bytes(const struct rv_output *output)
{
    return output->max - output->max / 2 + 8;
}

static size_t most_bytes(const struct rv_output *output)
{
    return head_bytes(output) + tail_bytes(output);
}

void rv_output_init(struct rv_output *output, struct rv_mem *mem, size_t max)
{
    assert(max >= RV_OUTPUT_SMALLEST_CAP);
    *output = (struct rv_output){.mem = mem, .max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2};
}

void rv_output_done(struct rv_output *output)
{
    rv_free(output->mem, output->bytes);
    rv_output_init(output, output->mem, output->max);
}

/* Room for an output of `len` bytes, or for what is kept of it. */
static int make_room(struct rv_output *output, size_t len)
{
    const size_t most = most_bytes(output), wanted = len < most ? len : most;
    size_t room = output->room ? output->room : FIRST_ROOM;
    char *bytes;

    if (wanted <= output->room)
        return 0;
    while (room < wanted)
        room *= 2;
    if (room > most)
        room = most;
    bytes = rv_realloc(output->mem, output->bytes, room);
    if (!bytes)
        return REEVE_ENOMEM;
    output->bytes = bytes;
    output->room = room;
    return 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Behind head and tail: over what is oldest in the ring. What would be overwritten at once is only
 * counted. */
static void add_to_ring(struct rv_output *output, const char *bytes, size_t len)
{
    const size_t head = head_bytes(output), tail = tail_bytes(output);
    size_t passed = len > tail ? len - tail : 0;

    output->len += passed;
    bytes += passed;
    len -= passed;
    while (len) {
        size_t at = (output->len - head) % tail, part = smaller(len, tail - at);

        memcpy(output->bytes + head + at, bytes, part);
        output->len += part;
        bytes += part;
        len -= part;
    }
}

int rv_output_add(struct rv_output *output, const char *bytes, size_t len)
{
    const size_t most = most_bytes(output);
    size_t part = output->len < most ? smaller(len, most - output->len) : 0;

    if (len > SIZE_MAX - output->len || make_room(output, output->len + len))
        return REEVE_ENOMEM;
    if (!len)
        return 0;
    if (part)
        memcpy(output->bytes + output->len, bytes, part);
    output->len += part;
    if (len > part)
        add_to_ring(output, bytes + part, len - part);
    return 0;
}

static void reverse(char *bytes, size_t len)
{
    size_t i;

    for (i = 0; i < len / 2; i++) {
        char byte = bytes[i];

        bytes[i] = bytes[len - 1 - i];
        bytes[len - 1 - i] = byte;
    }
}

/* The middle is missing: lay the ring out as it was written, and say which parts there are. */
static bool find_parts(struct rv_output *output, struct rv_output_piece *ret_first,
                       struct rv_output_piece *ret_last)
{
    const size_t head = head_bytes(output), tail = tail_bytes(output);
    size_t oldest;

    if (output->len <= head + tail)
        return false;
    assert(tail);
    oldest = (output->len - head) % tail;
    reverse(output->bytes + head, oldest);
    reverse(output->bytes + head + oldest, tail - oldest);
    reverse(output->bytes + head, tail);
    *ret_first = (struct rv_output_piece){.text = output->bytes, .len = head};
    *ret_last = (struct rv_output_piece){.text = output->bytes + head, .len = tail};
    return true;
}

int rv_output_end(struct rv_output *output, struct rv_arena *arena, const char **ret_text,
                  size_t *ret_len)
{
    struct rv_output_piece first, last;
    struct ends ends;

    if (!find_parts(output, &first, &last))
        return rv_output_keep(arena, output->len ? output->bytes : "", output->len, output->max,
                              ret_text, ret_len);
    find_ends(&first, &last, output->len, output->max, &ends);
    return keep_ends(arena, &ends, ret_text, ret_len);
}

size_t rv_output_unfinished(const struct rv_output *output, char ret_bytes[3])
{
    const size_t head = head_bytes(output), tail = tail_bytes(output);
    size_t len = smaller(output->len, 3), unfinished, i;
    char last[3];

    for (i = 0; i < len; i++) {
        size_t number = output->len - len + i;

        last[i] = output->bytes[number < head ? number : head + (number - head) % tail];
    }
    unfinished = len ? rv_utf8_unfinished(last, len) : 0;
    for (i = 0; i < unfinished; i++)
        ret_bytes[i] = last[len - unfinished + i];
    return unfinished;
}

/* Where repaired text is handed on to. */
struct reader {
    bool (*piece)(const char *text, size_t len, void *arg);
    void *arg;
    char chunk[CHUNK_BYTES]; /* small parts are put together */
    size_t used;
};

static bool flush(struct reader *reader)
{
    size_t used = reader->used;

    reader->used = 0;
    return !used || reader->piece(reader->chunk, used, reader->arg);
}

static bool hand_on(struct reader *reader, const char *text, size_t len)
{
    if (len > sizeof reader->chunk - reader->used && !flush(reader))
        return false;
    if (len > sizeof reader->chunk)
        return reader->piece(text, len, reader->arg);
    memcpy(reader->chunk + reader->used, text, len);
    reader->used += len;
    return true;
}

static bool hand_on_repaired(struct reader *reader, const char *text, size_t len)
{
    while (len) {
        size_t part = rv_utf8_valid_prefix(text, len);
        bool more;

        if (part) {
            more = hand_on(reader, text, part);
        } else {
            part = rv_utf8_invalid_part(text, len);
            more = hand_on(reader, REPLACEMENT, REPLACEMENT_LEN);
        }
        if (!more)
            return false;
        text += part;
        len -= part;
    }
    return true;
}

void rv_output_pieces(struct rv_output *output, bool all,
                      bool (*piece)(const char *text, size_t len, void *arg), void *arg)
{
    struct reader reader = {.piece = piece, .arg = arg};
    struct rv_output_piece first, last;
    char unfinished[3];
    size_t left = all ? 0 : rv_output_unfinished(output, unfinished);
    struct ends ends;
    bool more;

    if (find_parts(output, &first, &last)) {
        last.len -= left;
        find_ends(&first, &last, output->len - left, output->max, &ends);
        more = hand_on_repaired(&reader, ends.head.text, ends.head.len) &&
               hand_on(&reader, ends.marker, ends.marker_len) &&
               hand_on_repaired(&reader, ends.tail.text, ends.tail.len);
    } else {
        more = hand_on_repaired(&reader, output->bytes, output->len - left);
    }
    if (more)
        flush(&reader);
}

size_t rv_output_pass(const char *text, size_t len,
                      bool (*piece)(const char *text, size_t len, void *arg), void *arg)
{
    struct reader reader = {.piece = piece, .arg = arg};
    size_t valid = rv_utf8_valid_prefix(text, len);
    struct rv_output_piece part;

    if (valid == len || valid >= REPAIR_BYTES) {
        piece(text, valid, arg);
        return valid;
    }
    part = rv_output_head(text, len, REPAIR_BYTES);
    if (hand_on_repaired(&reader, part.text, part.len))
        flush(&reader);
    return part.len;
}
