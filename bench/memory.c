/* SPDX-License-Identifier: MIT */
/* What memory.stream and its peer measure with. */
#include "bench/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

double bench_memory_bytes(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    double kb = -1;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lf", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb * 1024;
}

void bench_raise_descriptors(size_t count)
{
    const rlim_t wanted = (rlim_t)count + 100;
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < wanted) {
        fprintf(stderr, "the limit on open files is below %zu\n", (size_t)wanted);
        exit(1);
    }
}
