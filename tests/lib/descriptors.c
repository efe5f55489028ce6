/* SPDX-License-Identifier: MIT */
/* Which descriptors are open, read from /proc/self/fd. */
#include "tests/lib/descriptors.h"

#include "tests/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct rv_descriptors *descriptors, int dir_fd, const char *name)
{
    unsigned at = descriptors->count;
    struct stat status;
    ssize_t len;

    cr_assert_lt(at, RV_DESCRIPTORS_MAX, "too many open descriptors");
    len = readlinkat(dir_fd, name, descriptors->open[at].target, RV_DESCRIPTOR_TARGET_BYTES - 1);
    if (len < 0 || fstat(atoi(name), &status) != 0)
        return;
    descriptors->open[at].target[len] = '\0';
    descriptors->open[at].device = status.st_dev;
    descriptors->open[at].inode = status.st_ino;
    descriptors->open[at].fd = atoi(name);
    descriptors->count++;
}

void rv_descriptors_read(struct rv_descriptors *ret_descriptors)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    cr_assert_not_null(dir, "/proc/self/fd cannot be read");
    ret_descriptors->count = 0;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
            add(ret_descriptors, dirfd(dir), entry->d_name);
    }
    closedir(dir);
}

/* Its place in `descriptors`, or RV_DESCRIPTORS_MAX. */
static unsigned place_of(const struct rv_descriptors *descriptors, int fd)
{
    for (unsigned i = 0; i < descriptors->count; i++) {
        if (descriptors->open[i].fd == fd)
            return i;
    }
    return RV_DESCRIPTORS_MAX;
}

/*
 * Of what has a name, the name may change (it is renamed, or another namespace shows it from
 * another root); event and timer descriptors share one inode, and their kind is in their name.
 */
static bool are_same(const struct rv_descriptors *a, unsigned i, const struct rv_descriptors *b,
                     unsigned j)
{
    return a->open[i].device == b->open[j].device && a->open[i].inode == b->open[j].inode &&
           (a->open[i].target[0] == '/' || !strcmp(a->open[i].target, b->open[j].target));
}

void rv_descriptors_compare(const struct rv_descriptors *before, struct rv_test *t)
{
    struct rv_descriptors now;
    unsigned i, was;

    rv_descriptors_read(&now);
    for (i = 0; i < now.count; i++) {
        was = place_of(before, now.open[i].fd);
        if (was == RV_DESCRIPTORS_MAX)
            rv_test_fault(t, "descriptor %d was left open: %s", now.open[i].fd, now.open[i].target);
        else if (!are_same(before, was, &now, i))
            rv_test_fault(t, "descriptor %d was exchanged: %s, then %s", now.open[i].fd,
                          before->open[was].target, now.open[i].target);
    }
    for (i = 0; i < before->count; i++) {
        if (place_of(&now, before->open[i].fd) == RV_DESCRIPTORS_MAX)
            rv_test_fault(t, "descriptor %d was closed: %s", before->open[i].fd,
                          before->open[i].target);
    }
}
