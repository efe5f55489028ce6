/* SPDX-License-Identifier: MIT */
/* What stands in the way of an operation on a file, in codes and in words. */
#include <errno.h>

#include "io/root.h"

#include <reeve/error.h>

int rv_file_error_of_errno(int os_errno)
{
    switch (os_errno) {
    case 0:
        return 0;
    case ENOENT:
        return REEVE_ENOTFOUND;
    case ENOTDIR:
        return REEVE_ENOTDIR;
    case EISDIR:
        return REEVE_ENOTFILE;
    case EEXIST:
    case ENOTEMPTY:
        return REEVE_EEXIST;
    case EXDEV:
        return REEVE_EOUTSIDE;
    case EACCES:
    case EPERM:
    case EROFS:
        return REEVE_EACCESS;
    default:
        return REEVE_ESYSTEM;
    }
}

const char *rv_file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
        return "a character device";
    case S_IFBLK:
        return "a block device";
    case S_IFLNK:
        return "a symbolic link";
    default:
        return "something unknown";
    }
}

char rv_file_type(mode_t mode)
{
    if (S_ISREG(mode))
        return 'f';
    if (S_ISDIR(mode))
        return 'd';
    return S_ISLNK(mode) ? 'l' : '?';
}

bool rv_want_is(enum rv_want want, mode_t mode)
{
    switch (want) {
    case RV_WANT_FILE:
        return S_ISREG(mode);
    case RV_WANT_FOLDER:
    case RV_WANT_FOLDER_SANS_LINK:
        return S_ISDIR(mode);
    case RV_WANT_EITHER:
        return S_ISREG(mode) || S_ISDIR(mode);
    case RV_WANT_LOOK:
        break;
    }
    return true;
}

int rv_want_error(enum rv_want want, mode_t mode, struct rv_file_problem *problem)
{
    problem->kind = rv_file_kind(mode);
    if (want == RV_WANT_FOLDER || want == RV_WANT_FOLDER_SANS_LINK)
        return REEVE_ENOTDIR;
    return REEVE_ENOTFILE;
}
