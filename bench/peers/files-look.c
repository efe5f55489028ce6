/* SPDX-License-Identifier: MIT */
/* Small files looked at and read one after the other, as plain C does it that keeps nothing, many
 * times: files-look FOLDER COUNT TIMES. CPU time, in microseconds a file. */
#include "bench/bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t read_one(const char *folder, size_t number)
{
    char path[4096], bytes[8192];
    struct stat status;
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "%s/f%05zu.txt", folder, number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (!fstat(fd, &status) && (size_t)status.st_size <= sizeof bytes)
        got = read(fd, bytes, sizeof bytes);
    close(fd);
    return got < 0 || got != status.st_size ? 0 : (size_t)got;
}

static size_t read_all(const char *folder, size_t count)
{
    size_t bytes = 0, i;

    for (i = 0; i < count; i++)
        bytes += read_one(folder, i);
    return bytes;
}

int main(int argc, char **argv)
{
    size_t count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    size_t times = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, i;
    uint64_t start;

    if (!count || !times || !read_all(argv[1], count))
        return 1;
    start = bench_cpu_ns();
    for (i = 0; i < times; i++)
        if (read_all(argv[1], count) < count)
            return 1;
    printf("%.17g\n", (double)(bench_cpu_ns() - start) / 1000 / (double)count / (double)times);
    return 0;
}
