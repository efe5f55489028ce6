/* SPDX-License-Identifier: MIT */
/* What is measured, by name. */
#include "metrics/metrics.h"

#include <stddef.h>

#include "base/export.h"

static const struct {
    const char *name;
    const char *text;
} counters[] = {
#define COUNTER_TEXTS(name, exported, text) {exported, text},
    REEVE_COUNTER_TABLE(COUNTER_TEXTS)
#undef COUNTER_TEXTS
};

RV_EXPORT const char *reeve_counter_name(enum reeve_counter counter)
{
    return (unsigned)counter < RV_COUNTER_COUNT ? counters[counter].name : NULL;
}

RV_EXPORT const char *reeve_counter_text(enum reeve_counter counter)
{
    return (unsigned)counter < RV_COUNTER_COUNT ? counters[counter].text : NULL;
}

uint64_t rv_metrics_counter(const struct rv_metrics *metrics, enum reeve_counter counter)
{
    return (unsigned)counter < RV_COUNTER_COUNT ? metrics->counters[counter] : 0;
}
