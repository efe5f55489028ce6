/* SPDX-License-Identifier: MIT */
/* Counters: their names, and one array for each runtime. */
#include "metrics/metrics.h"

#include <ctype.h>
#include <string.h>

#include "loop/runtime.h"
#include "tests/lib/test.h"

#include <reeve/runtime.h>

RV_TEST(metrics, names)
{
    unsigned i, j;
    const char *at;

    for (i = 0; reeve_counter_name(i); i++) {
        cr_assert_not_null(reeve_counter_text(i));
        cr_assert_gt(strlen(reeve_counter_text(i)), 10);
        for (at = reeve_counter_name(i); *at; at++)
            cr_assert(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
        for (j = 0; j < i; j++)
            cr_assert_str_neq(reeve_counter_name(i), reeve_counter_name(j));
    }
    cr_assert_eq(i, RV_COUNTER_COUNT);
    cr_assert_null(reeve_counter_text(i));
    cr_assert_null(reeve_counter_name((enum reeve_counter) - 1));
    cr_assert_str_eq(reeve_counter_name(REEVE_COUNTER_FILE_URING), "file_uring");
}

RV_TEST(metrics, one_array_for_each_runtime)
{
    struct reeve_runtime_options options;
    struct reeve_runtime *first, *second;
    unsigned i;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &first), 0);
    cr_assert_eq(reeve_runtime_new(NULL, &options, &second), 0);
    rv_count(rv_runtime_metrics(first), REEVE_COUNTER_FILE_SLICED);
    rv_count(rv_runtime_metrics(first), REEVE_COUNTER_FILE_SLICED);
    for (i = 0; i < RV_COUNTER_COUNT + 2; i++) {
        cr_assert_eq(reeve_runtime_counter(first, i), i == REEVE_COUNTER_FILE_SLICED ? 2 : 0);
        cr_assert_eq(reeve_runtime_counter(second, i), 0);
    }
    cr_assert_eq(reeve_runtime_counter(first, (enum reeve_counter) - 1), 0);
    reeve_runtime_free(first);
    reeve_runtime_free(second);
}
