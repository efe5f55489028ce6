/* SPDX-License-Identifier: MIT */
/*
 * Too dear: halved until it would not have been. Cheap enough for twice as much: doubled, unless it
 * was a small one that shows nothing.
 */
#include "io/file_pace.h"

#include "loop/clock.h"

static const uint64_t dear_ns = 100 * RV_NS_PER_US;

void rv_file_pace_init(struct rv_file_pace *pace)
{
    pace->bytes = RV_FILE_PACE_LEAST_BYTES;
}

size_t rv_file_pace_len(const struct rv_file_pace *pace, size_t len)
{
    return len < pace->bytes ? len : pace->bytes;
}

void rv_file_pace_learn(struct rv_file_pace *pace, size_t bytes, uint64_t took_ns)
{
    for (; took_ns > dear_ns && pace->bytes > RV_FILE_PACE_LEAST_BYTES; took_ns /= 2)
        pace->bytes /= 2;
    if (bytes >= pace->bytes && took_ns <= dear_ns / 2 && pace->bytes < RV_FILE_PACE_MOST_BYTES)
        pace->bytes *= 2;
}
