/* SPDX-License-Identifier: MIT */
/*
 * Reading a file beneath a root.
 *
 * Happy path: open → head, piece by piece → (tail, piece by piece, if the range is more than may be
 * kept) → done. If all of such a range is to be told: head → tell it → read and tell the middle,
 * one piece after the other → tail → tell it → done; behind each piece it stands still until it is
 * told to go on. A cancelled request goes to done from anywhere, by way of the ready queue; an
 * aborted one at once.
 *
 * Ways to fail: the opening (root.c); no memory for the head or the tail; a read that the system
 * refuses. No failure: a file that ends early because it shrinks meanwhile (what came is what it
 * holds), or one that grows (it ends where it ended when it was opened). Files that tell a size of
 * 0 and yet hold something (/proc) are read until they end or the head is full.
 */
#include "io/file.h"

#include <string.h>

#include "base/buffer.h"
#include "io/file_op.h"
#include "io/file_stat.h"
#include "loop/runtime.h"

#include <reeve/error.h>

enum { UNSIZED_PIECE_BYTES = 4096 }; /* of files that are nearly always empty */

enum read_state {
    READ_OPENING,
    READ_HEAD,
    READ_MIDDLE, /* of what is to be told */
    READ_TAIL,
    READ_CANCELED, /* waits for its turn to say so */
    READ_DONE,     /* in on_done */
};

struct rv_file_read {
    struct rv_file_op op;
    struct rv_task canceled_task;
    struct rv_root *root;
    enum read_state state;
    uint64_t offset;
    uint64_t limit;
    size_t max_bytes;
    bool whole;
    int fd;
    struct rv_buffer head;
    struct rv_buffer tail;
    size_t head_wanted;
    size_t tail_wanted;
    uint64_t tail_offset;
    char *piece;         /* memory for the next piece; NULL: there is none, or it is given away */
    uint64_t told;       /* the range has been told up to this offset in the file */
    uint64_t middle_end; /* what lies between head and tail ends here, or further ahead */
    struct rv_task tell_task;
    struct rv_file_content content;
    struct rv_file_problem problem;
    struct stat status;
    void (*on_piece)(struct rv_file_read *read, const struct rv_file_piece *piece, void *arg);
    void (*on_done)(struct rv_file_read *read, int error, void *arg);
    void *arg;
    char path[];
};

static void destroy(struct rv_file_read *read)
{
    struct rv_root *root = read->root;

    rv_buffer_done(&read->head);
    rv_buffer_done(&read->tail);
    rv_free(root->mem, read->piece);
    rv_free(root->mem, read);
    rv_root_free(root);
}

static void finish(struct rv_file_read *read, int error)
{
    rv_file_op_cancel(&read->op);
    rv_ready_remove(&read->canceled_task);
    rv_ready_remove(&read->tell_task);
    rv_file_close(read->root, &read->fd);
    read->state = READ_DONE;
    read->content.head = rv_buffer_text(&read->head);
    read->content.head_len = read->head.len;
    read->content.tail = rv_buffer_text(&read->tail);
    read->content.tail_len = read->tail.len;
    read->on_done(read, error, read->arg);
    destroy(read);
}

/* Read on into a buffer in which there is room. */
static void read_piece(struct rv_file_read *read, struct rv_buffer *buffer, size_t wanted,
                       uint64_t offset)
{
    rv_file_op_read(&read->op, read->fd, buffer->data + buffer->len, wanted - buffer->len,
                    offset + buffer->len);
}

/* ---- telling all of it -------------------------------------------------------------------------
 */

static void tell(struct rv_file_read *read, size_t len)
{
    const struct rv_file_piece piece = {
        .memory = read->piece, .bytes = read->piece + RV_FILE_PIECE_ROOM, .len = len};

    read->piece = NULL;
    read->told += len;
    if (read->content.unsized)
        read->content.file_size = read->told;
    read->on_piece(read, &piece, read->arg);
}

static size_t piece_len(uint64_t left)
{
    return left < RV_FILE_PIECE_BYTES ? (size_t)left : RV_FILE_PIECE_BYTES;
}

/* Of what is kept and begins at an offset in the file. */
static void tell_kept(struct rv_file_read *read, const struct rv_buffer *kept, uint64_t offset)
{
    size_t at = (size_t)(read->told - offset), len = piece_len(kept->len - at);

    memcpy(read->piece + RV_FILE_PIECE_ROOM, kept->data + at, len);
    tell(read, len);
}

static void begin_tail(struct rv_file_read *read);
static void unsized_over(struct rv_file_read *read);

/* Read on where the middle has been told up to. */
static void read_middle(struct rv_file_read *read)
{
    read->state = READ_MIDDLE;
    rv_file_op_read(&read->op, read->fd, read->piece + RV_FILE_PIECE_ROOM,
                    piece_len(read->middle_end - read->told), read->told);
}

/* The file has ended in the middle: because it has shrunk, or where nobody knew of its end. */
static void middle_ended(struct rv_file_read *read)
{
    if (read->content.unsized) {
        unsized_over(read);
        return;
    }
    read->content.file_size = read->told;
    read->content.skipped = read->told - (read->offset + read->head.len);
    finish(read, 0);
}

static void middle_came(struct rv_file_read *read, size_t got)
{
    if (got)
        tell(read, got);
    else
        middle_ended(read);
}

/* What was told last has been taken. */
static void tell_next(struct rv_file_read *read)
{
    if (read->told < read->offset + read->head.len)
        tell_kept(read, &read->head, read->offset);
    else if (read->told < read->middle_end)
        read_middle(read);
    else if (read->content.unsized)
        unsized_over(read);
    else if (read->state != READ_TAIL)
        begin_tail(read);
    else if (read->told < read->tail_offset + read->tail.len)
        tell_kept(read, &read->tail, read->tail_offset);
    else
        finish(read, 0);
}

/* The head is there. */
static void begin_telling(struct rv_file_read *read)
{
    read->told = read->offset;
    read->piece = rv_alloc(read->root->mem, RV_FILE_PIECE_ROOM + RV_FILE_PIECE_BYTES);
    if (read->piece)
        tell_next(read);
    else
        finish(read, REEVE_ENOMEM);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void begin_tail(struct rv_file_read *read)
{
    read->state = READ_TAIL;
    if (rv_buffer_reserve(&read->tail, read->tail_wanted) != 0)
        finish(read, REEVE_ENOMEM);
    else
        read_piece(read, &read->tail, read->tail_wanted, read->tail_offset);
}

static void head_over(struct rv_file_read *read)
{
    if (read->head.len < read->head_wanted) { /* it has shrunk: nothing is left for the tail */
        read->content.file_size = read->offset + read->head.len;
        read->content.skipped = 0;
        finish(read, 0);
    } else if (read->tail_wanted && read->on_piece) {
        read->middle_end = read->tail_offset;
        begin_telling(read);
    } else if (read->tail_wanted) {
        begin_tail(read);
    } else {
        finish(read, 0);
    }
}

static void head_came(struct rv_file_read *read, size_t got)
{
    read->head.len += got;
    read->head.data[read->head.len] = '\0';
    if (!got || read->head.len == read->head_wanted)
        head_over(read);
    else
        read_piece(read, &read->head, read->head_wanted, read->offset);
}

static void tail_came(struct rv_file_read *read, size_t got)
{
    read->tail.len += got;
    read->tail.data[read->tail.len] = '\0';
    if (got && read->tail.len < read->tail_wanted) {
        read_piece(read, &read->tail, read->tail_wanted, read->tail_offset);
        return;
    }
    if (!got)
        read->content.file_size = read->tail_offset + read->tail.len;
    if (read->on_piece)
        tell_next(read);
    else
        finish(read, 0);
}

static void unsized_over(struct rv_file_read *read)
{
    if (read->head.len > read->max_bytes && read->whole) {
        read->content.file_size = read->offset + read->head.len;
        finish(read, REEVE_ETOOBIG);
        return;
    }
    if (read->head.len > read->max_bytes) {
        read->content.more = true;
        read->head.len = read->max_bytes;
        read->head.data[read->head.len] = '\0';
    }
    read->content.file_size = read->offset + read->head.len;
    finish(read, 0);
}

/* No size to go by: room for one piece more, until it ends or one byte more than the cap came. */
static void read_unsized(struct rv_file_read *read)
{
    size_t more = read->head_wanted - read->head.len;

    if (more > UNSIZED_PIECE_BYTES)
        more = UNSIZED_PIECE_BYTES;
    if (rv_buffer_reserve(&read->head, more) != 0) {
        finish(read, REEVE_ENOMEM);
        return;
    }
    read_piece(read, &read->head, read->head.len + more, read->offset);
}

static void unsized_came(struct rv_file_read *read, size_t got)
{
    read->head.len += got;
    read->head.data[read->head.len] = '\0';
    if (got && read->head.len < read->head_wanted)
        read_unsized(read);
    else if (read->head.len > read->max_bytes && !read->whole && read->on_piece)
        begin_telling(read);
    else
        unsized_over(read);
}

/* Where the range ends, or no file goes on. */
static uint64_t range_end(const struct rv_file_read *read)
{
    return read->limit < INT64_MAX - read->offset ? read->offset + read->limit : INT64_MAX;
}

static void begin_unsized(struct rv_file_read *read)
{
    read->content.unsized = true;
    read->head_wanted = read->max_bytes;
    read->middle_end = range_end(read);
    if (read->limit <= read->max_bytes)
        read->head_wanted = (size_t)read->limit;
    else if (read->head_wanted < SIZE_MAX)
        read->head_wanted++;
    read->head.max = read->head_wanted;
    if (!read->head_wanted || read->offset > INT64_MAX - read->head_wanted)
        unsized_over(read);
    else
        read_unsized(read);
}

static void begin(struct rv_file_read *read, uint64_t size)
{
    uint64_t range;

    read->state = READ_HEAD;
    read->content.file_size = size;
    if (!size) {
        begin_unsized(read);
        return;
    }
    range = read->offset < size ? size - read->offset : 0;
    if (range > read->limit)
        range = read->limit;
    if (range > read->max_bytes && read->whole) {
        finish(read, REEVE_ETOOBIG);
        return;
    }
    read->head_wanted = (size_t)range;
    if (range > read->max_bytes) {
        read->tail_wanted = read->max_bytes / 2;
        read->head_wanted = read->max_bytes - read->tail_wanted;
        read->tail_offset = read->offset + range - read->tail_wanted;
        read->content.skipped = range - read->max_bytes;
    }
    if (!read->head_wanted)
        finish(read, 0);
    else if (rv_buffer_reserve(&read->head, read->head_wanted) != 0)
        finish(read, REEVE_ENOMEM);
    else
        read_piece(read, &read->head, read->head_wanted, read->offset);
}

static void opened(struct rv_file_read *read)
{
    read->fd = read->op.opened.fd;
    read->problem = read->op.opened.problem;
    read->status = read->op.opened.status;
    if (read->op.error)
        finish(read, read->op.error);
    else
        begin(read, (uint64_t)read->op.opened.status.st_size);
}

static void op_done(struct rv_file_op *op)
{
    struct rv_file_read *read = rv_container_of(op, struct rv_file_read, op);

    if (read->state == READ_OPENING) {
        opened(read);
        return;
    }
    if (op->error) {
        read->problem.os_errno = op->os_errno;
        finish(read, op->error);
        return;
    }
    if (read->state == READ_MIDDLE)
        middle_came(read, op->got);
    else if (read->state == READ_TAIL)
        tail_came(read, op->got);
    else if (read->content.unsized)
        unsized_came(read, op->got);
    else
        head_came(read, op->got);
}

static void run_canceled(struct rv_task *task)
{
    finish(rv_container_of(task, struct rv_file_read, canceled_task), REEVE_ECANCELED);
}

static void run_tell(struct rv_task *task)
{
    tell_next(rv_container_of(task, struct rv_file_read, tell_task));
}

int rv_file_read_start(struct rv_root *root, const struct rv_file_read_options *options,
                       struct rv_file_read **ret_read)
{
    struct rv_file_read *read;
    size_t path_size;

    if (!options->path || !options->path[0] || !options->on_done || !options->max_bytes)
        return REEVE_EINVAL;
    if (rv_runtime_closing(root->runtime))
        return REEVE_ECLOSING;
    path_size = strlen(options->path) + 1;
    read = rv_zalloc(root->mem, sizeof *read + path_size);
    if (!read)
        return REEVE_ENOMEM;
    memcpy(read->path, options->path, path_size);
    read->root = rv_root_ref(root);
    read->offset = options->offset;
    read->limit = options->limit;
    read->max_bytes = options->max_bytes;
    read->whole = options->whole;
    read->on_piece = options->on_piece;
    read->on_done = options->on_done;
    read->arg = options->arg;
    read->fd = -1;
    read->problem = (struct rv_file_problem){.kind = "", .outside = ""};
    rv_buffer_init(&read->head, root->mem, options->max_bytes);
    rv_buffer_init(&read->tail, root->mem, options->max_bytes);
    rv_task_init(&read->canceled_task, run_canceled);
    rv_task_init(&read->tell_task, run_tell);
    rv_file_op_init(&read->op, root, op_done);
    rv_file_op_open(&read->op, -1, read->path, RV_WANT_FILE);
    *ret_read = read;
    return 0;
}

void rv_file_read_go_on(struct rv_file_read *read, char *memory)
{
    read->piece = memory;
    if (read->state < READ_CANCELED)
        rv_ready_push(read->root->runtime, &read->tell_task);
}

void rv_file_read_cancel(struct rv_file_read *read)
{
    if (read->state >= READ_CANCELED)
        return;
    rv_file_op_cancel(&read->op);
    rv_ready_remove(&read->tell_task);
    read->state = READ_CANCELED;
    rv_ready_push(read->root->runtime, &read->canceled_task);
}

void rv_file_read_abort(struct rv_file_read *read)
{
    if (read->state != READ_DONE)
        finish(read, REEVE_ECANCELED);
}

const struct rv_file_content *rv_file_read_content(const struct rv_file_read *read)
{
    return &read->content;
}

char *rv_file_read_take(struct rv_file_read *read)
{
    read->content.head = "";
    read->content.head_len = 0;
    return rv_buffer_steal(&read->head, NULL);
}

struct rv_file_status rv_file_read_status(const struct rv_file_read *read)
{
    return rv_file_status_of(&read->status);
}

const struct rv_file_problem *rv_file_read_problem(const struct rv_file_read *read)
{
    return &read->problem;
}
