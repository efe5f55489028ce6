/* SPDX-License-Identifier: MIT */
/* Sorting a listing by the bytes of its names, in slices: a bottom-up merge sort that can stop. */
#ifndef RV_IO_FILE_SORT_H
#define RV_IO_FILE_SORT_H

#include <stdbool.h>
#include <stddef.h>

#include "io/file.h"

struct rv_file_sort {
    struct rv_file_entry *from; /* runs of `width` entries, each of them sorted */
    struct rv_file_entry *to;   /* is getting runs of twice the width */
    size_t count;
    size_t width;
    size_t left, left_end, right, right_end; /* the two runs being merged, in `from` */
    size_t out;                              /* the next place in `to` */
};

/* Both arrays have `count` entries; the content of `spare` does not matter. */
void rv_file_sort_init(struct rv_file_sort *sort, struct rv_file_entry *entries,
                       struct rv_file_entry *spare, size_t count);

/* Move up to `max_steps` entries. True when all is sorted: the result is in sort->from then. */
bool rv_file_sort_run(struct rv_file_sort *sort, size_t max_steps);

#endif
