/* SPDX-License-Identifier: MIT */
/* Sorting a listing by the bytes of its names, in slices. See file_sort.h. */
#include "io/file_sort.h"

#include <string.h>

static void add_run(struct rv_file_sort *sort, struct rv_file_entry *run)
{
    run->next_run = NULL;
    if (sort->last_run)
        sort->last_run->next_run = run;
    else
        sort->first_run = run;
    sort->last_run = run;
}

static struct rv_file_entry *take_run(struct rv_file_sort *sort)
{
    struct rv_file_entry *run = sort->first_run;

    sort->first_run = run->next_run;
    if (!sort->first_run)
        sort->last_run = NULL;
    return run;
}

void rv_file_sort_add(struct rv_file_sort *sort, struct rv_file_entry *entry)
{
    add_run(sort, entry);
}

static struct rv_file_entry *take_smaller(struct rv_file_sort *sort)
{
    struct rv_file_entry **from = &sort->left, *entry;

    if (!sort->left || (sort->right && strcmp(sort->right->name, sort->left->name) < 0))
        from = &sort->right;
    entry = *from;
    *from = entry->next;
    return entry;
}

static void step(struct rv_file_sort *sort)
{
    struct rv_file_entry *entry = take_smaller(sort);

    if (sort->merged)
        sort->merged_end->next = entry;
    else
        sort->merged = entry;
    sort->merged_end = entry;
    if (sort->left || sort->right)
        return;
    entry->next = NULL;
    add_run(sort, sort->merged);
    sort->merged = NULL;
}

bool rv_file_sort_run(struct rv_file_sort *sort, size_t max_steps)
{
    size_t steps;

    for (steps = 0; steps < max_steps; steps++) {
        if (!sort->left && !sort->right) {
            if (sort->first_run == sort->last_run)
                return true;
            sort->left = take_run(sort);
            sort->right = take_run(sort);
        }
        step(sort);
    }
    return false;
}
