/* SPDX-License-Identifier: MIT */
/*
 * Writing a whole file below a root. What a path's last link leads to is written, not the link. To
 * replace a file, the bytes go to a new one in the same folder, which then takes its name: whoever
 * reads meanwhile reads the old file or the new one, and what ends the writing before its time
 * leaves the old one as it was.
 */
#ifndef RV_IO_FILE_WRITE_H
#define RV_IO_FILE_WRITE_H

#include "io/file_stat.h"

struct rv_file_write;

enum rv_file_write_how {
    RV_FILE_WRITE_NEW,      /* the file may not exist: REEVE_EEXIST; whole or not at all */
    RV_FILE_WRITE_REPLACE,  /* whole or not at all; mode and owner of the old one are kept */
    RV_FILE_WRITE_IN_PLACE, /* emptied, then written: the same file for whoever has it open */
    RV_FILE_WRITE_APPEND,   /* to its end, wherever that is then */
};

struct rv_file_write_options {
    const char *path; /* as in struct rv_file_read_options; its folder must exist */
    enum rv_file_write_how how;
    const char *bytes; /* the caller's until on_done */
    size_t len;
    /* In place of `bytes`: the next piece, the caller's until it is asked again or done; 0 bytes:
     * that was all. */
    size_t (*on_want)(struct rv_file_write *write, const char **ret_bytes, void *arg);
    /*
     * Of a replacing: only if the file is still this one, untouched, when the new one takes its
     * name; else REEVE_EEXIST. (Who writes in the moment between this last look and the renaming,
     * or within one tick of the file system's clock to the same length, is not seen.) NULL: always.
     */
    const struct rv_file_status *only;
    unsigned mode; /* of a file that did not exist, less the process's mask; 0: 0666 */
    bool sync;     /* it is on the disk when this is done, its name too */
    /*
     * 0; REEVE_ENOTFOUND (its folder), REEVE_ENOTDIR, REEVE_EOUTSIDE, REEVE_ENOTFILE, REEVE_EEXIST,
     * REEVE_EACCESS (a file that may not be written is not replaced either), REEVE_ESYSTEM (ENOSPC
     * and others), REEVE_ENOMEM, REEVE_ECANCELED. Exactly once, later; the request is gone
     * afterwards. With REEVE_ECANCELED the new file may or may not have taken the name.
     */
    void (*on_done)(struct rv_file_write *write, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (an empty path, no on_done); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_file_write_start(struct rv_root *root, const struct rv_file_write_options *options,
                        struct rv_file_write **ret_write);
/* As in io/file.h. */
void rv_file_write_cancel(struct rv_file_write *write);
void rv_file_write_abort(struct rv_file_write *write);

/* In on_done. */
const struct rv_file_problem *rv_file_write_problem(const struct rv_file_write *write);
bool rv_file_write_created(const struct rv_file_write *write); /* there was none before */

#endif
