/* SPDX-License-Identifier: MIT */
/* calls SIDE [ARGUMENT...]: runs one side and prints its figures, as the peers do. */
#include "bench/ours/calls.h"

#include <string.h>

static const struct {
    const char *name;
    int arguments;
    void (*run)(char **argv, struct bench_figures *figures);
} sides[] = {
    {"noop", 0, ours_noop},
    {"sleep", 0, ours_sleep},
    {"files", 2, ours_files},
    {"hazards", 0, ours_hazards},
    {"mixed", 0, ours_mixed},
    {"stream", 4, ours_stream},
    {"cache-tool", 0, ours_cache_tool},
    {"cache-file", 3, ours_cache_file},
};

int main(int argc, char **argv)
{
    struct bench_figures figures = {{0}};
    size_t i;
    int figure;

    for (i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        if (argc != 2 + sides[i].arguments || strcmp(argv[1], sides[i].name) != 0)
            continue;
        sides[i].run(argv + 2, &figures);
        for (figure = 0; figure < BENCH_FIGURES; figure++)
            printf("%.17g ", figures.value[figure]);
        putchar('\n');
        return 0;
    }
    bench_die("it is run by reeve-bench, with the name of a side and its arguments");
}
