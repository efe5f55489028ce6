/* SPDX-License-Identifier: MIT */
/*
 * Sorting a listing by the bytes of its names, in slices. Runs of sorted entries stand in a queue;
 * the first two are merged into one that goes to its end, until one is left. Entries are linked,
 * never copied, so that no large block is needed for any number of them.
 */
#ifndef RV_IO_FILE_SORT_H
#define RV_IO_FILE_SORT_H

#include <stdbool.h>
#include <stddef.h>

#include "io/file.h"

struct rv_file_sort {
    struct rv_file_entry *first_run; /* the queue, by next_run of each run's first entry */
    struct rv_file_entry *last_run;
    struct rv_file_entry *left; /* what is left of the two runs being merged */
    struct rv_file_entry *right;
    struct rv_file_entry *merged; /* the run that they become; NULL between two merges */
    struct rv_file_entry *merged_end;
};

/* An empty one is all zero. Add an entry, a run of its own, whose `next` is NULL. */
void rv_file_sort_add(struct rv_file_sort *sort, struct rv_file_entry *entry);

/* Move up to `max_steps` entries. True when all are sorted: first_run is the result then. */
bool rv_file_sort_run(struct rv_file_sort *sort, size_t max_steps);

#endif
