/* SPDX-License-Identifier: MIT */
/* Which descriptors are open in this process, and on what. */
#ifndef RV_TESTS_DESCRIPTORS_H
#define RV_TESTS_DESCRIPTORS_H

#include <sys/types.h>

#define RV_DESCRIPTORS_MAX 256
#define RV_DESCRIPTOR_TARGET_BYTES 96

struct rv_test;

struct rv_descriptors {
    unsigned count;
    struct {
        int fd;
        dev_t device;
        ino_t inode;
        char target[RV_DESCRIPTOR_TARGET_BYTES]; /* as /proc tells it, cut */
    } open[RV_DESCRIPTORS_MAX];
};

void rv_descriptors_read(struct rv_descriptors *ret_descriptors);

/* A fault in t for each descriptor that was opened, closed or exchanged since `before`. */
void rv_descriptors_compare(const struct rv_descriptors *before, struct rv_test *t);

#endif
