/* SPDX-License-Identifier: MIT */
/* Small files read one after the other, as plain C does it: files-direct FOLDER COUNT. */
#include "bench/bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static size_t read_one(const char *folder, size_t number)
{
    char path[4096], bytes[8192];
    ssize_t got, len = 0;
    int fd;

    snprintf(path, sizeof path, "%s/f%05zu.txt", folder, number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        len += got;
    close(fd);
    return got < 0 ? 0 : (size_t)len;
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
    size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t start;

    if (!count || !read_all(argv[1], count))
        return 1;
    start = bench_wall_ns();
    if (read_all(argv[1], count) < count)
        return 1;
    printf("%.17g\n", (double)(bench_wall_ns() - start) / 1000 / (double)count);
    return 0;
}
