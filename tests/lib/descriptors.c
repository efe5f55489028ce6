/* SPDX-License-Identifier: MIT */
/* Which descriptors are open, read from /proc/self/fd. */
#include "tests/lib/descriptors.h"

#include "tests/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add(struct rv_descriptors *descriptors, int dir_fd, const char *name)
{
    unsigned at = descriptors->count;
    ssize_t len;

    cr_assert_lt(at, RV_DESCRIPTORS_MAX, "too many open descriptors");
    len = readlinkat(dir_fd, name, descriptors->open[at].target, RV_DESCRIPTOR_TARGET_BYTES - 1);
    if (len < 0)
        return;
    descriptors->open[at].target[len] = '\0';
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

static const char *target_of(const struct rv_descriptors *descriptors, int fd)
{
    for (unsigned i = 0; i < descriptors->count; i++) {
        if (descriptors->open[i].fd == fd)
            return descriptors->open[i].target;
    }
    return NULL;
}

void rv_descriptors_compare(const struct rv_descriptors *before, struct rv_test *t)
{
    struct rv_descriptors now;
    const char *target;

    rv_descriptors_read(&now);
    for (unsigned i = 0; i < now.count; i++) {
        target = target_of(before, now.open[i].fd);
        if (!target)
            rv_test_fault(t, "descriptor %d was left open: %s", now.open[i].fd, now.open[i].target);
        else if (strcmp(target, now.open[i].target) != 0)
            rv_test_fault(t, "descriptor %d was exchanged: %s, then %s", now.open[i].fd, target,
                          now.open[i].target);
    }
    for (unsigned i = 0; i < before->count; i++) {
        if (!target_of(&now, before->open[i].fd))
            rv_test_fault(t, "descriptor %d was closed: %s", before->open[i].fd,
                          before->open[i].target);
    }
}
