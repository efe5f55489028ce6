/* SPDX-License-Identifier: MIT */
/*
 * How much one operation on a file moves when the call is made in the loop. What a page costs
 * differs a hundredfold: a copy of what the kernel holds, or memory that it must find first. So
 * each operation follows what the last one has cost. One for each runtime.
 */
#ifndef RV_IO_FILE_PACE_H
#define RV_IO_FILE_PACE_H

#include <stddef.h>
#include <stdint.h>

#define RV_FILE_PACE_LEAST_BYTES ((size_t)16 * 1024)
#define RV_FILE_PACE_MOST_BYTES ((size_t)128 * 1024)
/* What is no larger is not learnt from. */
#define RV_FILE_PACE_SMALL_BYTES ((size_t)8 * 1024)

struct rv_file_pace {
    size_t bytes;
};

/* Small at first: what it will cost is not known. */
void rv_file_pace_init(struct rv_file_pace *pace);

/* What of `len` bytes is to be moved. */
size_t rv_file_pace_len(const struct rv_file_pace *pace, size_t len);

/* So many bytes have taken so long. */
void rv_file_pace_learn(struct rv_file_pace *pace, size_t bytes, uint64_t took_ns);

#endif
