/* SPDX-License-Identifier: MIT */
/*
 * One system call on a file, as data, so that it can be tried on what the kernel holds, handed to
 * io_uring, or made here and now. Results are the kernel's: 0 or more, or a negative errno.
 */
#ifndef RV_IO_FILE_CALL_H
#define RV_IO_FILE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum rv_file_call_kind {
    RV_FILE_CALL_RESOLVE, /* openat2 beneath `fd`: `path`, `flags`, `no_links`, `anywhere` */
    RV_FILE_CALL_CREATE,  /* openat of one name in the folder `fd`: `path`, `flags`, `mode` */
    RV_FILE_CALL_READ,    /* `fd`, `bytes`, `len`, `offset` */
    RV_FILE_CALL_WRITE,   /* `fd`, `from`, `len`, `offset` */
    RV_FILE_CALL_SYNC,    /* `fd` */
    RV_FILE_CALL_RENAME,  /* `fd`, `path`, `to_fd`, `to`, `flags` */
    RV_FILE_CALL_UNLINK,  /* `fd`, `path`, `flags` */
    RV_FILE_CALL_MKDIR,   /* `fd`, `path`, `mode` */
    RV_FILE_CALL_KINDS,
};

struct rv_file_call {
    enum rv_file_call_kind kind;
    int fd;
    const char *path;
    int flags;
    mode_t mode;
    bool no_links;
    bool anywhere; /* not beneath `fd` */
    int to_fd;
    const char *to;
    char *bytes;
    const char *from;
    size_t len;
    uint64_t offset;
};

/* Now, for as long as it takes. Again if a signal came between. */
int64_t rv_file_call_run(const struct rv_file_call *call);

/* False if the kernel would have to wait for it, or cannot tell. */
bool rv_file_call_run_cached(const struct rv_file_call *call, int64_t *ret_result);

/* How openat2 is to resolve: a struct open_how of 24 bytes (linux/openat2.h). */
struct rv_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};
struct rv_open_how rv_file_call_how(const struct rv_file_call *call);

#endif
