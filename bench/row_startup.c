/* SPDX-License-Identifier: MIT */
/*
 * startup: from the start of a process to its end with one request made and answered between: ours
 * sets up a runtime and a model and completes, the peer is a bare libcurl program that posts the
 * same. Wall time; of many starts the fastest, since what is above it is another process's doing.
 * Beside it the CPU time of the fastest.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/server.h"

struct work {
    const char *program;
    char *url;
    unsigned starts;
};

static double cpu_us(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static bool start_once(const struct work *work, double *ret_wall_us, double *ret_cpu_us)
{
    const uint64_t start = bench_wall_ns();
    struct rusage usage;
    pid_t child = vfork();
    int status;

    if (!child) {
        execl(work->program, work->program, work->url, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return false;
    *ret_wall_us = (double)(bench_wall_ns() - start) / 1000;
    *ret_cpu_us = cpu_us(&usage);
    return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int run_starts(void *arg, struct bench_figures *figures)
{
    const struct work *work = arg;
    double wall, cpu;
    unsigned i;

    for (i = 0; i < work->starts; i++) {
        if (!start_once(work, &wall, &cpu))
            return 1;
        if (!i || wall < figures->value[0])
            figures->value[0] = wall;
        if (!i || cpu < figures->value[1])
            figures->value[1] = cpu;
    }
    return 0;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct bench_server server;
    char url[BENCH_URL_BYTES + 8];
    const unsigned starts = bench->quick ? 5 : 10;
    struct work ours = {bench_program("ours/start"), url, starts};
    struct work curl = {bench_program("peers/start-curl"), url, starts};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_starts, .arg = &ours},
        {.name = "bare libcurl", .run = run_starts, .arg = &curl, .share = 1 / 1.5},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = sizeof sides / sizeof *sides,
        .rounds = bench->quick ? 5 : 20,
        .limit_s = 30,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_server_start(&server);
    snprintf(url, sizeof url, "%s/chat", server.url);
    bench_compare(bench, row, &match, scores);
    bench_aside(bench, row, "cpu", "us CPU", BENCH_LESS, scores[0].value[1]);
    bench_aside(bench, row, "cpu.peer", "us CPU", BENCH_LESS, scores[1].value[1]);
    bench_server_stop(&server);
}

const struct bench_row bench_row_startup = {
    "startup", "us wall", "a process with one request, at most 1.5 times a bare libcurl program",
    run};
