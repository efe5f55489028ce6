/* SPDX-License-Identifier: MIT */
/*
 * The tool read_file: a text file, or a range of it, as valid UTF-8.
 *
 * A character (or what is shown as one U+FFFD) belongs to the range in which its first byte stands,
 * so that reading on at the end of a range loses none and shows none twice. To know the characters
 * at its ends, the read begins up to three bytes earlier and ends up to three bytes later than what
 * was asked for.
 *
 * What is larger than the result may be keeps its head and its tail; between them stands a line
 * that says how many bytes of the file are gone and where to go on. A host that wants to hear all
 * of it (stream_whole) is lent piece after piece as the file is read (tool/writing.h), the next one
 * when the last one has been taken. What the pieces leave over, the beginning of a character at the
 * very end, is lent last of all; so is a text that came whole and is too long only because it has
 * to be repaired. Then the call is finished.
 */
#include "tool/builtin/builtin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "tool/builtin/unchanged.h"
#include "tool/builtin/visible.h"
#include "tool/output.h"
#include "tool/writing.h"

#include <reeve/error.h>

enum {
    MARGIN_BYTES = 3,   /* what a character may have beyond its first or before its last byte */
    MARKER_BYTES = 128, /* room for the line between head and tail */
};

struct read_call {
    struct rv_file_call files;
    struct rv_file_read *read; /* NULL once it is over, and the last of the text is lent */
    uint64_t offset;
    uint64_t limit;
    size_t margin; /* how much earlier than `offset` the read began */
    size_t max_bytes;
    struct rv_buffer out; /* the result, while the last of the text is lent */

    /* Of a text that the host wants to hear. */
    uint64_t told;          /* it has come piece by piece up to this offset in the file; 0: none */
    bool heard;             /* some of it has been lent */
    char cut[MARGIN_BYTES]; /* the beginning of a character, whose rest is in the next piece */
    size_t cut_len;
    int error;        /* why it does not go on, */
    uint64_t nul_end; /* or where a NUL byte ends; 0: none has been seen */
};

/* Bytes of the file and where in it they begin. */
struct stretch {
    const char *text;
    size_t len;
    uint64_t start;
};

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* The length of the character, or of the invalid part, that begins at a byte. */
static size_t part_len(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0];

    if (!rv_utf8_valid_prefix(text, len < 4 ? len : 4))
        return rv_utf8_invalid_part(text, len);
    if (lead < 0x80)
        return 1;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* Where the character or invalid part ends that `at` is inside of; `at` itself if there is none. */
static size_t part_end(const char *text, size_t len, size_t at)
{
    size_t start = at, end;

    if (at >= len)
        return at;
    while (start && at - start < MARGIN_BYTES && is_continuation(text[start]))
        start--;
    if (is_continuation(text[start]))
        return at;
    end = start + (start < at ? part_len(text + start, len - start) : 0);
    return end > at ? end : at;
}

/* Drop what of a stretch lies before `offset` of the file. */
static void begin_at(struct stretch *stretch, uint64_t offset)
{
    size_t drop = 0;

    if (offset > stretch->start)
        drop = offset - stretch->start < stretch->len ? (size_t)(offset - stretch->start)
                                                      : stretch->len;
    drop = part_end(stretch->text, stretch->len, drop);
    stretch->text += drop;
    stretch->len -= drop;
    stretch->start += drop;
}

/* Drop what lies at or behind `offset`, but for the rest of a character that began before it. */
static void end_at(struct stretch *stretch, uint64_t offset)
{
    if (offset <= stretch->start)
        stretch->len = 0;
    else if (offset - stretch->start < stretch->len)
        stretch->len = part_end(stretch->text, stretch->len, (size_t)(offset - stretch->start));
}

/* A character that the gap cuts is in the gap as a whole. */
static void trim_to_gap(struct stretch *head, struct stretch *tail)
{
    size_t i;

    head->len -= rv_utf8_unfinished(head->text, head->len);
    for (i = 0; i < MARGIN_BYTES && tail->len && is_continuation(tail->text[0]); i++) {
        tail->text++;
        tail->len--;
        tail->start++;
    }
}

static int add_marker(struct rv_buffer *out, uint64_t gone, uint64_t offset)
{
    return rv_buffer_printf(out,
                            "\n[... %" PRIu64 " bytes left out; read_file with offset %" PRIu64
                            " goes on here ...]\n",
                            gone, offset);
}

/* Head, marker, tail. With nothing between them they are one and the same stretch. */
static int add_ends(struct rv_buffer *out, const struct stretch *head, const struct stretch *tail)
{
    size_t room = out->max - MARKER_BYTES;
    struct rv_output_piece first = rv_output_head(head->text, head->len, room / 2);
    struct rv_output_piece last = rv_output_tail(tail->text, tail->len, room - room / 2);
    uint64_t gap_start = head->start + first.len;
    uint64_t gap_end = tail->start + (uint64_t)(last.text - tail->text);
    int error = rv_utf8_add_repaired(out, first.text, first.len);

    if (!error)
        error = add_marker(out, gap_end - gap_start, gap_start);
    if (!error)
        error = rv_utf8_add_repaired(out, last.text, last.len);
    return error;
}

static int add_endless(struct rv_buffer *out, const struct stretch *head)
{
    struct rv_output_piece first = rv_output_head(head->text, head->len, out->max - MARKER_BYTES);
    int error = rv_utf8_add_repaired(out, first.text, first.len);

    if (error)
        return error;
    return rv_buffer_printf(
        out, "\n[... there is more; read_file with offset %" PRIu64 " goes on here ...]\n",
        head->start + first.len);
}

static uint64_t range_end(const struct read_call *read)
{
    return read->limit < UINT64_MAX - read->offset ? read->offset + read->limit : UINT64_MAX;
}

/* *ret_too_long: the text that came, if all of it did, and it was not told piece by piece, and it
 * is not all in the result. */
static int add_text(struct rv_buffer *out, const struct read_call *read,
                    const struct rv_file_content *content, struct stretch *ret_too_long)
{
    uint64_t first = read->offset - read->margin, end = range_end(read);
    struct stretch head = {content->head, content->head_len, first};
    struct stretch tail = {content->tail, content->tail_len,
                           first + content->head_len + content->skipped};

    if (content->skipped) {
        trim_to_gap(&head, &tail);
        begin_at(&head, read->offset);
        end_at(&tail, end);
        return add_ends(out, &head, &tail);
    }
    begin_at(&head, read->offset);
    end_at(&head, end);
    if (content->more)
        return add_endless(out, &head);
    if (rv_output_head(head.text, head.len, out->max).len < head.len) {
        if (!read->told)
            *ret_too_long = head;
        return add_ends(out, &head, &head);
    }
    return rv_utf8_add_repaired(out, head.text, head.len);
}

static bool has_nul(const struct rv_file_content *content)
{
    return memchr(content->head, '\0', content->head_len) ||
           memchr(content->tail, '\0', content->tail_len);
}

static void refuse_offset(const struct read_call *read, uint64_t file_size)
{
    struct rv_visible shown;

    rv_visible_set(&shown, read->files.path, strlen(read->files.path));
    rv_tool_refuse(read->files.call, false,
                   "\"offset\" is %" PRIu64 ", and \"%s\" has only %" PRIu64
                   " bytes: give a smaller one",
                   read->offset, shown.text, file_size);
}

static void refuse_binary(const struct read_call *read, uint64_t file_size)
{
    struct rv_visible shown;

    rv_visible_set(&shown, read->files.path, strlen(read->files.path));
    if (read->heard)
        rv_tool_refuse(read->files.call, false,
                       "\"%s\" is a binary file of %" PRIu64
                       " bytes (its first NUL byte is at offset %" PRIu64
                       "): its content is not text",
                       shown.text, file_size, read->nul_end - 1);
    else
        rv_tool_refuse(read->files.call, false,
                       "\"%s\" is a binary file of %" PRIu64
                       " bytes (it has NUL bytes): its content is not text",
                       shown.text, file_size);
}

/* ---- telling all of it -------------------------------------------------------------------------
 */

/* Nothing more is wanted of the file: the read's end finishes the call. */
static void stop(struct read_call *read, char *memory)
{
    rv_free(read->files.tools->mem, memory);
    rv_file_read_abort(read->read);
}

static void piece_taken(struct reeve_tool_call *call, char *memory, void *arg)
{
    struct read_call *read = arg;

    (void)call;
    rv_file_read_go_on(read->read, memory);
}

static int lend(struct read_call *read, char *memory, const struct stretch *text,
                void (*taken)(struct reeve_tool_call *call, char *memory, void *arg))
{
    const struct rv_lent lent = {
        .memory = memory, .text = text->text, .len = text->len, .taken = taken, .arg = read};

    read->heard = true;
    return rv_writing_lend(read->files.call, &lent);
}

/* What is to be told of the next piece of the file, in which there is room before it. */
static struct stretch cut_piece(struct read_call *read, const struct rv_file_piece *piece)
{
    struct stretch text = {piece->bytes - read->cut_len, piece->len + read->cut_len,
                           read->told - read->cut_len};

    memcpy(piece->bytes - read->cut_len, read->cut, read->cut_len);
    read->told += piece->len;
    begin_at(&text, read->offset);
    end_at(&text, range_end(read));
    read->cut_len = rv_utf8_unfinished(text.text, text.len);
    text.len -= read->cut_len;
    memcpy(read->cut, text.text + text.len, read->cut_len);
    return text;
}

static void on_piece(struct rv_file_read *file_read, const struct rv_file_piece *piece, void *arg)
{
    struct read_call *read = arg;
    const char *nul = memchr(piece->bytes, '\0', piece->len);
    struct stretch text;

    if (!read->told)
        read->told = read->offset - read->margin;
    if (nul) {
        read->nul_end = read->told + (uint64_t)(nul - piece->bytes) + 1;
        stop(read, piece->memory);
        return;
    }
    text = cut_piece(read, piece);
    if (text.len)
        read->error = lend(read, piece->memory, &text, piece_taken);
    if (read->error)
        stop(read, piece->memory);
    else if (!text.len)
        rv_file_read_go_on(file_read, piece->memory);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

/* Once the call is finished the tools may be gone. */
static void free_read(struct read_call *read)
{
    struct rv_mem *mem = read->out.mem;

    rv_buffer_done(&read->out);
    rv_free(mem, read);
}

static void finish_read(struct read_call *read, int error)
{
    struct rv_file_problem none = {.kind = "", .outside = ""};

    rv_file_call_end(&read->files);
    if (error)
        rv_file_call_refuse(&read->files, error, &none);
    else
        reeve_tool_call_finish(read->files.call, rv_buffer_text(&read->out), read->out.len);
    free_read(read);
}

static void rest_taken(struct reeve_tool_call *call, char *memory, void *arg)
{
    struct read_call *read = arg;

    (void)call;
    rv_free(read->files.tools->mem, memory);
    finish_read(read, 0);
}

/* Lend what has not been heard, if that is wanted, in memory that is given away. */
static int lend_rest(struct read_call *read, char *memory, const struct stretch *rest)
{
    int error = lend(read, memory, rest, rest_taken);

    if (error)
        rv_free(read->files.tools->mem, memory);
    return error;
}

static int lend_cut(struct read_call *read)
{
    char *memory = rv_memdup(read->files.tools->mem, read->cut, read->cut_len);
    const struct stretch rest = {memory, read->cut_len, 0};

    return memory ? lend_rest(read, memory, &rest) : REEVE_ENOMEM;
}

/* All of the file, and so little that it fits however it has to be repaired: as nearly always. What
 * finishing the call does to any text is all that is to be done to this one. */
static bool is_small(const struct read_call *read, const struct rv_file_content *content)
{
    return !read->offset && read->limit == UINT64_MAX && !content->skipped && !content->more &&
           !read->told && content->head_len <= read->max_bytes / RV_OUTPUT_MOST_GROWTH;
}

/* Make the result, and finish the call with it, now or when the last of the text has been heard. */
static void answer_with_text(struct read_call *read, struct rv_file_read *file_read)
{
    struct stretch too_long = {.text = NULL};
    int error = add_text(&read->out, read, rv_file_read_content(file_read), &too_long);
    bool waits = false;

    if (!error && too_long.text && rv_writing_streams_whole(read->files.call)) {
        waits = true;
        error = lend_rest(read, rv_file_read_take(file_read), &too_long);
    } else if (!error && read->cut_len) {
        waits = true;
        error = lend_cut(read);
    }
    if (error || !waits)
        finish_read(read, error);
}

static void answer(struct read_call *read, struct rv_file_read *file_read)
{
    const struct rv_file_content *content = rv_file_read_content(file_read);

    const bool is_past_the_end = read->offset && read->offset >= content->file_size;
    const bool is_binary = has_nul(content);

    if (!is_past_the_end && !is_binary && !is_small(read, content)) {
        answer_with_text(read, file_read);
        return;
    }
    rv_file_call_end(&read->files);
    if (is_past_the_end)
        refuse_offset(read, content->file_size);
    else if (is_binary)
        refuse_binary(read, content->file_size);
    else
        reeve_tool_call_finish(read->files.call, content->head, content->head_len);
    free_read(read);
}

static void on_done(struct rv_file_read *file_read, int error, void *arg)
{
    struct read_call *read = arg;

    read->read = NULL;
    if (!error) {
        const struct rv_file_status status = rv_file_read_status(file_read);

        rv_unchanged_note(read->files.call, read->files.tools, &status);
        answer(read, file_read);
        return;
    }
    rv_file_call_end(&read->files);
    if (read->nul_end)
        refuse_binary(read, rv_file_read_content(file_read)->file_size);
    else
        rv_file_call_refuse(&read->files, read->error ? read->error : error,
                            rv_file_read_problem(file_read));
    free_read(read);
}

static void abort_read(struct rv_file_call *files)
{
    struct read_call *read = rv_container_of(files, struct read_call, files);

    if (read->read)
        rv_file_read_abort(read->read);
    else
        finish_read(read, REEVE_ECANCELED);
}

static int start_read(struct read_call *read)
{
    struct rv_file_read_options options = {
        .path = read->files.path,
        .offset = read->offset - read->margin,
        .limit = UINT64_MAX,
        .max_bytes = read->max_bytes + 2 * MARGIN_BYTES,
        .on_piece = rv_writing_streams_whole(read->files.call) ? on_piece : NULL,
        .on_done = on_done,
        .arg = read,
    };

    if (read->limit < UINT64_MAX - 2 * MARGIN_BYTES)
        options.limit = read->margin + read->limit + MARGIN_BYTES;
    return rv_file_read_start(read->files.tools->root, &options, &read->read);
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct rv_file_tools *tools = arg;
    struct read_call *read;
    uint64_t offset, limit;
    const char *path;
    int error;

    if (!rv_arg_path(call, "file", NULL, &path) || !rv_arg_number(call, "offset", 0, 0, &offset) ||
        !rv_arg_number(call, "limit", 1, UINT64_MAX, &limit))
        return 0;
    read = rv_zalloc(tools->mem, sizeof *read);
    if (!read)
        return REEVE_ENOMEM;
    read->files.path = path;
    read->files.abort = abort_read;
    read->offset = offset;
    read->limit = limit;
    read->margin = offset < MARGIN_BYTES ? (size_t)offset : MARGIN_BYTES;
    read->max_bytes = reeve_tool_call_max_output_bytes(call);
    rv_buffer_init(&read->out, tools->mem, read->max_bytes);
    rv_file_call_begin(&read->files, tools, call);
    error = start_read(read);
    if (!error)
        return 0;
    rv_file_call_end(&read->files);
    rv_free(tools->mem, read);
    return error;
}

void rv_read_file_define(struct reeve_tool *tool)
{
    tool->name = "read_file";
    tool->description =
        "Read a text file below the root folder. The result is the file's content and nothing "
        "else. If it is too long for a result, its middle is left out, and a line in its place "
        "says how many bytes are gone and with which offset to go on.";
    tool->parameters =
        "{\"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"description\":\"The file's path, relative to the root "
        "folder, for example src/main.c\"},"
        "\"offset\":{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"description\":\"The byte to "
        "start at. "
        "Default: 0, the beginning\"},"
        "\"limit\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"description\":\"How many bytes "
        "to read. "
        "Default: all to the end\"}},"
        "\"required\":[\"path\"],\"additionalProperties\":false}";
    tool->start = start;
    tool->describe = rv_describe_read;
    tool->validate = rv_unchanged_validate;
    tool->cacheable = 1;
}
