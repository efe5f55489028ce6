/* SPDX-License-Identifier: MIT */
/*
 * batch.stream: one call of read_file on a file of 100 MB that the kernel holds, all of which the
 * host hears (stream_whole), with the default cap of the result. MB a second of wall time, from the
 * submission to the batch's end. The peer is cat, from its being spawned to its end, into
 * /dev/null; and, for information, into a pipe that is drained, as a program that wants the text
 * would have it. Lines of ASCII; beside it stands what text is told at of which every fifth
 * character is not ASCII.
 */
#include "bench/rows.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_BYTES = 100 * 1000 * 1000, QUICK_BYTES = 20 * 1000 * 1000, PIPE_BYTES = 128 * 1024 };

static const char ascii_line[] = "    if (!read->content.skipped && read->limit == UINT64_MAX)\n";
static const char other_line[] = "Gr\xC3\xB6\xC3\x9F\x65: \xE6\xB1\x89\xE5\xAD\x97 \xE2\x82\xAC "
                                 "and some words of ASCII\n";

struct work {
    char *ascii; /* a path */
    size_t len;
};

static double speed(const struct work *work, uint64_t start_ns)
{
    return (double)work->len * 1000 / (double)(bench_wall_ns() - start_ns);
}

static pid_t start_cat(const char *path, int out_fd)
{
    const pid_t child = fork();

    bench_check(child >= 0, "a process");
    if (child)
        return child;
    dup2(out_fd, STDOUT_FILENO);
    execlp("cat", "cat", path, (char *)NULL);
    _exit(127);
}

static int end_cat(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}

static int run_cat(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const uint64_t start = bench_wall_ns();
    const int failed = end_cat(start_cat(work->ascii, fd));

    figures->value[0] = speed(work, start);
    return failed;
}

static int run_pipe(void *arg, struct bench_figures *figures)
{
    static char bytes[PIPE_BYTES];
    struct work *work = arg;
    size_t len = 0;
    ssize_t got;
    uint64_t start;
    pid_t child;
    int ends[2];

    bench_check(!pipe2(ends, O_CLOEXEC), "a pipe");
    start = bench_wall_ns();
    child = start_cat(work->ascii, ends[1]);
    close(ends[1]);
    while ((got = read(ends[0], bytes, sizeof bytes)) > 0)
        len += (size_t)got;
    bench_check(!end_cat(child) && len == work->len, "cat");
    figures->value[0] = speed(work, start);
    return 0;
}

static char *make_file(const struct bench *bench, const char *name, const char *line, size_t len)
{
    const size_t line_len = strlen(line);
    char *text = malloc(len), *path;
    size_t at = 0;

    bench_check(text, "memory");
    for (; at + line_len <= len; at += line_len)
        memcpy(text + at, line, line_len);
    memset(text + at, '\n', len - at);
    path = bench_file(bench, name, text, len);
    free(text);
    return path;
}

static void run_row(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {.len = bench->quick ? QUICK_BYTES : FILE_BYTES};
    char *other, bytes[32];
    const char *const ours[] = {bench_program("ours/calls"),
                                "stream",
                                bench->folder,
                                "stream-ascii",
                                "stream-other",
                                bytes,
                                NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .command = ours},
        {.name = "cat to /dev/null", .run = run_cat, .arg = &work, .share = 0.5},
        {.name = "cat through a pipe", .run = run_pipe, .arg = &work},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 3,
        .rounds = bench->quick ? 3 : 9,
        .limit_s = 60,
        .better = BENCH_MORE,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[BENCH_SIDES];

    snprintf(bytes, sizeof bytes, "%zu", work.len);
    work.ascii = make_file(bench, "stream-ascii", ascii_line, work.len);
    other = make_file(bench, "stream-other", other_line, work.len);
    bench_compare(bench, row, &match, scores);
    bench_aside(bench, row, "utf8", "MB/s wall", BENCH_MORE, scores[0].value[1]);
    bench_check(!unlink(work.ascii) && !unlink(other), "removing files");
    free(work.ascii);
    free(other);
}

const struct bench_row bench_row_batch_stream = {
    "batch.stream", "MB/s wall",
    "a file of 100 MB, heard whole through read_file: at least half of cat's speed", run_row};
