/* SPDX-License-Identifier: MIT */
/* Clocks, and the timing of small work. */
#include "bench/bench.h"

#include <stdlib.h>
#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_wall_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* The middle one of many, each with nothing before it but the reading of the clock. */
static double time_alone(void (*work)(void *arg, size_t count), void *arg)
{
    enum { TRIES = 2001 };
    static uint64_t took[TRIES];
    uint64_t start;
    size_t i;

    for (i = 0; i < TRIES; i++) {
        start = bench_wall_ns();
        work(arg, 1);
        took[i] = bench_wall_ns() - start;
    }
    qsort(took, TRIES, sizeof *took, compare);
    return (double)took[TRIES / 2];
}

/* The least of several bunches: what is over it is another process's doing. */
void bench_time(void (*work)(void *arg, size_t count), void *arg, bool quick,
                struct bench_figures *figures)
{
    const uint64_t long_enough_ns = quick ? 50000000 : 300000000;
    uint64_t spent = 0, start, took, least = UINT64_MAX;

    work(arg, BENCH_BUNCH);
    while (spent < long_enough_ns) {
        start = bench_cpu_ns();
        work(arg, BENCH_BUNCH);
        took = bench_cpu_ns() - start;
        spent += took;
        if (took < least)
            least = took;
    }
    figures->value[0] = (double)least / BENCH_BUNCH;
    figures->value[1] = time_alone(work, arg);
}
