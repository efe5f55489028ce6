/* SPDX-License-Identifier: MIT */
/*
 * Files below a root folder. Every path is resolved beneath the root by the kernel (openat2 with
 * RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS; where it is missing a walk component by component with
 * O_NOFOLLOW): there is no moment at which a path is checked and then opened. Operations are
 * requests that complete through the loop, in slices.
 */
#ifndef RV_IO_FILE_H
#define RV_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve/runtime.h>

struct rv_arena;
struct rv_root;
struct rv_file_status;
struct rv_file_read;
struct rv_file_list;

/* 0; REEVE_ENOTFOUND, REEVE_ENOTDIR, REEVE_EACCESS, REEVE_ESYSTEM, REEVE_ENOMEM. */
int rv_root_new(struct reeve_runtime *runtime, const char *path, struct rv_root **ret_root);
void rv_root_free(struct rv_root *root); /* operations in flight hold it; NULL is allowed */

/* Resolve by the walk even where openat2 works: for tests. Tells what is in use after that. */
bool rv_root_force_walk(struct rv_root *root, bool on);

/* What stood in the way of an operation, beyond its code. */
struct rv_file_problem {
    int os_errno;     /* 0: it was not a system call that failed */
    const char *kind; /* what the path names if that is the problem: "a directory", "a FIFO", … */
    const char *outside; /* with REEVE_EOUTSIDE: what leads out; "" if that is not known */
    size_t existing_len; /* with REEVE_ENOTFOUND: the path as given exists up to here; 0: nothing */
};

/* A piece of a range, in memory that goes from hand to hand: whoever has it gives it on or frees it
 * (rv_free). */
struct rv_file_piece {
    char *memory;
    char *bytes; /* in it, with RV_FILE_PIECE_ROOM bytes before them that may be written to */
    size_t len;  /* at least 1 */
};
#define RV_FILE_PIECE_BYTES ((size_t)128 * 1024)
#define RV_FILE_PIECE_ROOM 4

/*
 * Read a regular file: `limit` bytes from `offset`, or of those only the head and the tail,
 * `max_bytes` in all, if they are more. What is between is not touched, unless on_piece is there.
 */
struct rv_file_read_options {
    const char *path; /* relative, or absolute below the root's own path */
    uint64_t offset;
    uint64_t limit; /* UINT64_MAX: to the end */
    size_t max_bytes;
    bool whole; /* all of the range or nothing: REEVE_ETOOBIG if it is more than max_bytes */
    /*
     * May be NULL. A range that is more than max_bytes is read from end to end, and told here piece
     * by piece, in order, before on_done: with the head and the tail, which are kept as without it.
     * The piece's memory is the callee's; nothing more is read until rv_file_read_go_on. To abort
     * the read inside is allowed.
     */
    void (*on_piece)(struct rv_file_read *read, const struct rv_file_piece *piece, void *arg);
    /*
     * 0; REEVE_ENOTFOUND, REEVE_ENOTDIR (a part of the path that is not the last), REEVE_EOUTSIDE,
     * REEVE_ENOTFILE, REEVE_EACCESS, REEVE_ETOOBIG, REEVE_ESYSTEM, REEVE_ENOMEM, REEVE_ECANCELED.
     * Exactly once, later. The request may be read inside and is gone afterwards.
     */
    void (*on_done)(struct rv_file_read *read, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (an empty path, no on_done, max_bytes 0); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_file_read_start(struct rv_root *root, const struct rv_file_read_options *options,
                       struct rv_file_read **ret_read);

/* The last piece, whose memory this is, is done with: read on and tell the next one, later. */
void rv_file_read_go_on(struct rv_file_read *read, char *memory);

/* on_done comes later, with REEVE_ECANCELED. */
void rv_file_read_cancel(struct rv_file_read *read);

/*
 * End it now: on_done(REEVE_ECANCELED) runs before this returns. What is in flight when a runtime
 * is freed must be ended so by its owner. Inside its own on_done: no effect, for both.
 */
void rv_file_read_abort(struct rv_file_read *read);

/* What came: the head, `skipped` bytes that are not there, the tail. In on_done. */
struct rv_file_content {
    const char *head; /* never NULL */
    size_t head_len;
    uint64_t skipped;
    const char *tail; /* never NULL */
    size_t tail_len;
    uint64_t file_size; /* as it was when the file was opened, less if it has shrunk since */
    bool unsized;       /* it tells no size (/proc): file_size is how far it was read… */
    bool more;          /* … and there was more than max_bytes to read */
};
const struct rv_file_content *rv_file_read_content(const struct rv_file_read *read);
/* In on_done: the memory of the head becomes the caller's (rv_free); NULL if nothing was read. */
char *rv_file_read_take(struct rv_file_read *read);
/* In on_done: what file it was, as it was when it was opened (io/file_stat.h). */
struct rv_file_status rv_file_read_status(const struct rv_file_read *read);
/* In on_done, with an error. */
const struct rv_file_problem *rv_file_read_problem(const struct rv_file_read *read);

#define RV_FILE_SIZE_UNKNOWN UINT64_MAX

/* One entry of a listing. */
struct rv_file_entry {
    struct rv_file_entry *next;
    struct rv_file_entry *next_run; /* the sorting's */
    uint64_t size; /* of a regular file; RV_FILE_SIZE_UNKNOWN: it may not be asked for */
    char type;     /* 'f' regular file, 'd' folder, 'l' symbolic link, '?' anything else */
    bool unread;   /* a folder whose own entries are missing: it could not be read */
    char name[];   /* relative to the listed folder, with "/" between; any bytes */
};

/*
 * List a folder, or all that is below it. Links are listed and never followed, except in `path`
 * itself. A folder below that cannot be read is marked and the rest goes on.
 */
struct rv_file_list_options {
    const char *path;
    bool recursive;
    size_t max_entries;    /* reading stops there, and the listing is not complete… */
    size_t max_name_bytes; /* … or here, the lengths of all names together */
    /* The codes of a read, with REEVE_ENOTDIR in place of REEVE_ENOTFILE. */
    void (*on_done)(struct rv_file_list *list, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (an empty path, no on_done, a cap of 0); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_file_list_start(struct rv_root *root, const struct rv_file_list_options *options,
                       struct rv_file_list **ret_list);
void rv_file_list_cancel(struct rv_file_list *list);
void rv_file_list_abort(struct rv_file_list *list);

struct rv_file_listing {
    const struct rv_file_entry *first; /* of `count`, sorted by the bytes of their names */
    size_t count;
    bool complete;
    size_t unread; /* how many folders are marked so */
};
/* In on_done. */
const struct rv_file_listing *rv_file_list_listing(const struct rv_file_list *list);
/* In on_done: the memory of the entries becomes the caller's; `ret_arena` is not initialised. */
void rv_file_list_take(struct rv_file_list *list, struct rv_arena *ret_arena);
const struct rv_file_problem *rv_file_list_problem(const struct rv_file_list *list);

#endif
