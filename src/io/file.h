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

#include "base/buffer.h"

#include <reeve/runtime.h>

struct rv_root;
struct rv_file_read;
struct rv_file_list;

/* 0; REEVE_ENOTFOUND, REEVE_ENOTDIR, REEVE_EACCESS, REEVE_ESYSTEM, REEVE_ENOMEM. */
int rv_root_new(struct reeve_runtime *runtime, const char *path, struct rv_root **ret_root);
void rv_root_free(struct rv_root *root); /* operations in flight hold it */

/*
 * Read a regular file: `limit` bytes from `offset`, or of those only the head and the tail, `max`
 * bytes in all, if they are more.
 */
struct rv_file_read_options {
    const char *path; /* relative, or absolute below the root's own path */
    uint64_t offset;
    uint64_t limit; /* UINT64_MAX: to the end */
    size_t max_bytes;
    /*
     * 0; REEVE_ENOTFOUND, REEVE_EOUTSIDE, REEVE_ENOTFILE, REEVE_EACCESS, REEVE_ESYSTEM,
     * REEVE_ENOMEM, REEVE_ECANCELED. Exactly once, later; the request is gone afterwards.
     */
    void (*on_done)(struct rv_file_read *read, int error, void *arg);
    void *arg;
};

int rv_file_read_start(struct rv_root *root, const struct rv_file_read_options *options,
                       struct rv_file_read **ret_read);
void rv_file_read_cancel(struct rv_file_read *read);

/* What came: the head, `skipped` bytes that are not there, the tail. In on_done. */
struct rv_file_content {
    const char *head;
    size_t head_len;
    uint64_t skipped;
    const char *tail;
    size_t tail_len;
    uint64_t file_size;
};
const struct rv_file_content *rv_file_read_content(const struct rv_file_read *read);
/* What kind of thing the path names when it is not a regular file ("a directory", "a FIFO", …). */
const char *rv_file_read_kind(const struct rv_file_read *read);
int rv_file_read_errno(const struct rv_file_read *read);

/* One entry of a listing. */
struct rv_file_entry {
    char *name; /* relative to the listed folder, with "/" between; any bytes */
    uint64_t size;
    char type; /* 'f' regular file, 'd' folder, 'l' symbolic link, '?' anything else */
};

struct rv_file_list_options {
    const char *path;
    bool recursive;
    size_t max_entries; /* reading stops there and the list says so */
    void (*on_done)(struct rv_file_list *list, int error, void *arg);
    void *arg;
};

int rv_file_list_start(struct rv_root *root, const struct rv_file_list_options *options,
                       struct rv_file_list **ret_list);
void rv_file_list_cancel(struct rv_file_list *list);
/* Sorted by bytes. In on_done. */
const struct rv_file_entry *rv_file_list_entries(const struct rv_file_list *list, size_t *ret_count,
                                                 bool *ret_complete);
int rv_file_list_errno(const struct rv_file_list *list);

#endif
