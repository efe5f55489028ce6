/* SPDX-License-Identifier: MIT */
/* Sorting a listing by the bytes of its names, in slices: a bottom-up merge sort that can stop. */
#include "io/file_sort.h"

#include <string.h>

static size_t at_most(size_t number, size_t bound)
{
    return number < bound ? number : bound;
}

/* The next two runs, behind those that were merged last. */
static void take_runs(struct rv_file_sort *sort, size_t start)
{
    sort->left = start;
    sort->left_end = at_most(sort->width, sort->count - start) + start;
    sort->right = sort->left_end;
    sort->right_end = at_most(sort->width, sort->count - sort->right) + sort->right;
}

void rv_file_sort_init(struct rv_file_sort *sort, struct rv_file_entry *entries,
                       struct rv_file_entry *spare, size_t count)
{
    *sort = (struct rv_file_sort){.from = entries, .to = spare, .count = count, .width = 1};
    take_runs(sort, 0);
}

/* All runs of this width are merged: the two arrays change places. */
static void widen(struct rv_file_sort *sort)
{
    struct rv_file_entry *from = sort->from;

    sort->from = sort->to;
    sort->to = from;
    sort->width *= 2;
    sort->out = 0;
    take_runs(sort, 0);
}

static bool left_is_next(const struct rv_file_sort *sort)
{
    if (sort->left == sort->left_end)
        return false;
    if (sort->right == sort->right_end)
        return true;
    return strcmp(sort->from[sort->left].name, sort->from[sort->right].name) <= 0;
}

bool rv_file_sort_run(struct rv_file_sort *sort, size_t max_steps)
{
    size_t steps;

    for (steps = 0; steps < max_steps && sort->width < sort->count; steps++) {
        size_t next = left_is_next(sort) ? sort->left++ : sort->right++;

        sort->to[sort->out++] = sort->from[next];
        if (sort->out == sort->count)
            widen(sort);
        else if (sort->out == sort->right_end)
            take_runs(sort, sort->right_end);
    }
    return sort->width >= sort->count;
}
