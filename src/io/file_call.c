/* SPDX-License-Identifier: MIT */
/* One system call on a file: made, or tried on what the kernel holds. */
#include "io/file_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* As linux/openat2.h has them; headers older than the kernel may lack some. */
enum {
    RESOLVING_NO_MAGICLINKS = 0x02,
    RESOLVING_NO_SYMLINKS = 0x04,
    RESOLVING_BENEATH = 0x08,
    RESOLVING_CACHED = 0x20,
};

struct rv_open_how rv_file_call_how(const struct rv_file_call *call)
{
    struct rv_open_how how = {
        .flags = (unsigned)(call->flags | O_CLOEXEC),
        .resolve = RESOLVING_BENEATH | RESOLVING_NO_MAGICLINKS,
    };

    if (call->anywhere)
        how.resolve &= ~(uint64_t)RESOLVING_BENEATH;
    if (call->no_links)
        how.resolve |= RESOLVING_NO_SYMLINKS;
    return how;
}

static long resolve(const struct rv_file_call *call, uint64_t more)
{
#ifdef SYS_openat2
    struct rv_open_how how = rv_file_call_how(call);

    how.resolve |= more;
    return syscall(SYS_openat2, call->fd, call->path, &how, sizeof how);
#else
    (void)call, (void)more;
    errno = ENOSYS;
    return -1;
#endif
}

static int64_t make(const struct rv_file_call *call)
{
    switch (call->kind) {
    case RV_FILE_CALL_RESOLVE:
        return resolve(call, 0);
    case RV_FILE_CALL_CREATE:
        return openat(call->fd, call->path, call->flags | O_CLOEXEC, call->mode);
    case RV_FILE_CALL_READ:
        return pread(call->fd, call->bytes, call->len, (off_t)call->offset);
    case RV_FILE_CALL_WRITE:
        return pwrite(call->fd, call->from, call->len, (off_t)call->offset);
    case RV_FILE_CALL_SYNC:
        return fsync(call->fd);
    case RV_FILE_CALL_RENAME:
        return renameat2(call->fd, call->path, call->to_fd, call->to, (unsigned)call->flags);
    case RV_FILE_CALL_UNLINK:
        return unlinkat(call->fd, call->path, call->flags);
    case RV_FILE_CALL_MKDIR:
        return mkdirat(call->fd, call->path, call->mode);
    case RV_FILE_CALL_KINDS:
        break;
    }
    errno = ENOSYS;
    return -1;
}

int64_t rv_file_call_run(const struct rv_file_call *call)
{
    int64_t result;

    do {
        result = make(call);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

/*
 * A read of nothing is not believed: kernels 5.9 and 5.10 say so also where there is something that
 * they do not hold.
 */
static bool read_cached(const struct rv_file_call *call, int64_t *ret_result)
{
    struct iovec piece = {.iov_base = call->bytes, .iov_len = call->len};
    ssize_t got = preadv2(call->fd, &piece, 1, (off_t)call->offset, RWF_NOWAIT);

    if (got <= 0)
        return false;
    *ret_result = got;
    return true;
}

/* A kernel before 5.12 does not know the flag, and says EINVAL. */
static bool resolve_cached(const struct rv_file_call *call, int64_t *ret_result)
{
    int64_t fd = resolve(call, RESOLVING_CACHED);

    if (fd < 0 && (errno == EAGAIN || errno == EINVAL || errno == EINTR))
        return false;
    *ret_result = fd < 0 ? -errno : fd;
    return true;
}

bool rv_file_call_run_cached(const struct rv_file_call *call, int64_t *ret_result)
{
    if (call->kind == RV_FILE_CALL_READ)
        return read_cached(call, ret_result);
    if (call->kind == RV_FILE_CALL_RESOLVE)
        return resolve_cached(call, ret_result);
    return false;
}
