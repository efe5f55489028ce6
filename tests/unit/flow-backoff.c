/* SPDX-License-Identifier: MIT */
/* How long to wait before another try. */
#include "flow/backoff.h"

#include "tests/lib/test.h"

static const uint64_t lowest = 0, middle = UINT64_C(1) << 63, highest = UINT64_MAX;

RV_TEST(backoff, doubles_with_each_failure)
{
    uint32_t failures;

    for (failures = 1; failures <= 10; failures++) {
        uint32_t base_ms = 200U << (failures - 1);

        cr_assert_eq(rv_backoff_ms(200, UINT32_MAX, failures, lowest), base_ms / 2);
        cr_assert_eq(rv_backoff_ms(200, UINT32_MAX, failures, middle), base_ms);
        cr_assert_eq(rv_backoff_ms(200, UINT32_MAX, failures, highest), base_ms / 2 + base_ms);
    }
    cr_assert_eq(rv_backoff_ms(200, UINT32_MAX, 0, middle), 200);
}

RV_TEST(backoff, is_capped_before_the_jitter)
{
    cr_assert_eq(rv_backoff_ms(200, 1000, 3, middle), 800);
    cr_assert_eq(rv_backoff_ms(200, 1000, 4, lowest), 500);
    cr_assert_eq(rv_backoff_ms(200, 1000, 4, highest), 1500);
    cr_assert_eq(rv_backoff_ms(200, 1000, UINT32_MAX, highest), 1500);
    cr_assert_eq(rv_backoff_ms(5000, 1000, 1, middle), 1000);
}

RV_TEST(backoff, is_never_nothing)
{
    uint32_t failures;

    for (failures = 0; failures < 40; failures++) {
        cr_assert_eq(rv_backoff_ms(0, 1000, failures, lowest), 1);
        cr_assert_eq(rv_backoff_ms(1000, 0, failures, lowest), 1);
        cr_assert_geq(rv_backoff_ms(1, 1000, failures, lowest), 1);
    }
}

RV_TEST(backoff, does_not_overflow)
{
    cr_assert_eq(rv_backoff_ms(UINT32_MAX, UINT32_MAX, 1, lowest), UINT32_MAX / 2);
    cr_assert_eq(rv_backoff_ms(UINT32_MAX, UINT32_MAX, 1, highest), UINT32_MAX);
    cr_assert_eq(rv_backoff_ms(UINT32_MAX - 1, UINT32_MAX, 2, highest), UINT32_MAX);
    cr_assert_eq(rv_backoff_ms(1, UINT32_MAX, UINT32_MAX, highest), UINT32_MAX);
    cr_assert_eq(rv_backoff_ms(1, UINT32_MAX, 65, lowest), UINT32_MAX / 2);
}

/* From a half to one and a half, and all over that. */
RV_TEST(backoff, goes_by_the_random_number)
{
    unsigned in_quarter[4] = {0}, i;

    for (i = 0; i < 4000; i++) {
        uint32_t wait_ms = rv_backoff_ms(1000, 1000, 1, rv_test_random(t));

        cr_assert(wait_ms >= 500 && wait_ms <= 1500, "%u", wait_ms);
        in_quarter[wait_ms < 1500 ? (wait_ms - 500) / 250 : 3]++;
    }
    for (i = 0; i < 4; i++)
        cr_assert(in_quarter[i] > 850 && in_quarter[i] < 1150, "%u: %u", i, in_quarter[i]);
}
