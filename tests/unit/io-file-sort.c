/* SPDX-License-Identifier: MIT */
/* The sorting of listings: the same as qsort's, however it is sliced, in n log n steps. */
#include "io/file_sort.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 20 };

static struct rv_file_entry *new_entry(struct rv_test *t, const char *name)
{
    struct rv_file_entry *entry = rv_zalloc(t->mem, sizeof *entry + NAME_BYTES);

    cr_assert_not_null(entry);
    strcpy(entry->name, name);
    return entry;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Sorts `count` random names in slices of `slice`; how many slices it took. */
static size_t sort_random(struct rv_test *t, size_t count, size_t slice)
{
    struct rv_file_sort sort = {0};
    struct rv_file_entry *entry, *next;
    char(*names)[NAME_BYTES] = calloc(count + 1, NAME_BYTES);
    size_t i, slices = 1;

    for (i = 0; i < count; i++) {
        snprintf(names[i], NAME_BYTES, "%llx", (unsigned long long)rv_test_random(t) % (count * 2));
        names[i][0] = (char)(names[i][0] + (int)(rv_test_random(t) % 2) * 128);
        rv_file_sort_add(&sort, new_entry(t, names[i]));
    }
    while (!rv_file_sort_run(&sort, slice))
        slices++;
    qsort(names, count, NAME_BYTES, compare);
    for (i = 0, entry = sort.first_run; entry; i++, entry = next) {
        cr_assert_lt(i, count);
        cr_assert_str_eq(entry->name, names[i]);
        next = entry->next;
        rv_free(t->mem, entry);
    }
    cr_assert_eq(i, count);
    free(names);
    return slices;
}

RV_TEST(io_file_sort, any_number_in_any_slices)
{
    size_t count, slice;

    for (count = 0; count < 70; count++) {
        for (slice = 1; slice < 100; slice += 7)
            sort_random(t, count, slice);
    }
}

RV_TEST(io_file_sort, takes_n_log_n_steps)
{
    size_t slices = sort_random(t, 4096, 64);

    cr_assert_leq(slices, 4096 * 12 / 64 + 1, "%zu slices", slices);
    cr_assert_geq(slices, 4096 * 12 / 64, "%zu slices", slices);
}

RV_TEST(io_file_sort, sorted_and_reversed)
{
    struct rv_file_sort sort = {0};
    struct rv_file_entry *entry, *next;
    char name[NAME_BYTES];
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "%04d", i % 2 ? i : 1000 - i);
        rv_file_sort_add(&sort, new_entry(t, name));
    }
    while (!rv_file_sort_run(&sort, 1))
        ;
    for (i = 0, entry = sort.first_run; entry; i++, entry = next) {
        next = entry->next;
        cr_assert(!next || strcmp(entry->name, next->name) <= 0);
        rv_free(t->mem, entry);
    }
    cr_assert_eq(i, 1000);
}
