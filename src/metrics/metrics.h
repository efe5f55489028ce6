/* SPDX-License-Identifier: MIT */
/*
 * What is measured: counters, in a struct that each runtime owns (loop/runtime.h gives it out).
 * Counting is an addition: no allocation, no clock, no failure. What measures times is given them.
 */
#ifndef RV_METRICS_METRICS_H
#define RV_METRICS_METRICS_H

#include <stdint.h>

#include <reeve/metrics.h>

enum {
#define RV_COUNTER_PLACE(name, exported, text) RV_COUNTER_PLACE_##name,
    REEVE_COUNTER_TABLE(RV_COUNTER_PLACE)
#undef RV_COUNTER_PLACE
        RV_COUNTER_COUNT
};

/* All zero at first. */
struct rv_metrics {
    uint64_t counters[RV_COUNTER_COUNT];
};

static inline void rv_count(struct rv_metrics *metrics, enum reeve_counter counter)
{
    metrics->counters[counter]++;
}

/* 0 if there is no such counter. */
uint64_t rv_metrics_counter(const struct rv_metrics *metrics, enum reeve_counter counter);

#endif
