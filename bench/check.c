/* SPDX-License-Identifier: MIT */
/* What cannot go on. */
#include "bench/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void bench_die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

void bench_check(bool well, const char *what)
{
    if (!well)
        bench_die("%s failed: %s", what, strerror(errno));
}
