/* SPDX-License-Identifier: MIT */
/*
 * Reading a folder, in slices of time. There is no io_uring for it: getdents and a stat for each
 * regular file are made here, and a slice ends between two entries.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/file_step.h"
#include "loop/clock.h"

/* A stat takes 1 to 4 µs when the kernel holds what it asks for. */
#define SCAN_NS (100 * RV_NS_PER_US)

/* What getdents gives (linux/dirent.h, which no system header has). */
struct dent {
    uint64_t inode;
    int64_t next_offset;
    unsigned short record_len;
    unsigned char type;
    char name[];
};

/* The type as getdents tells it; 0 if a stat must tell. */
static char type_of_dent(unsigned char type)
{
    switch (type) {
    case DT_DIR:
        return 'd';
    case DT_LNK:
        return 'l';
    case DT_REG:
    case DT_UNKNOWN:
        return 0;
    default:
        return '?';
    }
}

static int take_dent(struct rv_file_op *op, const struct dent *dent)
{
    uint64_t size = RV_FILE_SIZE_UNKNOWN;
    char type = type_of_dent(dent->type);
    struct stat status;

    if (!strcmp(dent->name, ".") || !strcmp(dent->name, ".."))
        return 0;
    if (!type) {
        type = dent->type == DT_REG ? 'f' : '?';
        if (fstatat(op->call.fd, dent->name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
            type = rv_file_type(status.st_mode);
            size = (uint64_t)status.st_size;
        } else if (errno == ENOENT) {
            return 0;
        }
    }
    return op->take(op, dent->name, type, type == 'f' ? size : 0);
}

static int fill_dents(int fd, struct rv_file_scan *scan)
{
    long got;

    do {
        got = syscall(SYS_getdents64, fd, scan->dents, (unsigned)RV_FILE_SCAN_BYTES);
    } while (got < 0 && errno == EINTR);
    scan->position = 0;
    scan->len = got < 0 ? 0 : (size_t)got;
    return got < 0 ? errno : 0;
}

static void scan_slice(struct rv_file_op *op, int64_t result)
{
    struct rv_file_scan *scan = op->scan;
    struct reeve_runtime *runtime = op->root->runtime;
    uint64_t stop_ns = rv_precise_now_ns(runtime) + SCAN_NS;

    (void)result;
    rv_file_op_sliced(op);
    if (scan->position == scan->len)
        op->os_errno = fill_dents(op->call.fd, scan);
    op->error = rv_file_error_of_errno(op->os_errno);
    while (!op->error && scan->position < scan->len) {
        const struct dent *dent = (const void *)(scan->dents + scan->position);

        scan->position += dent->record_len;
        op->got++;
        op->error = take_dent(op, dent);
        if (rv_precise_now_ns(runtime) >= stop_ns)
            break;
    }
}

void rv_file_op_scan(struct rv_file_op *op, int fd, struct rv_file_scan *scan, rv_file_take_fn take)
{
    op->call.fd = fd;
    op->scan = scan;
    op->take = take;
    rv_file_op_begin(op, scan_slice);
}
