/* SPDX-License-Identifier: MIT */
/*
 * Sides against each other. A round runs each side once, one after the other, so that what else
 * the machine does falls on all alike. Each runs in a process of its own and writes its figures
 * into a pipe; one that is late is killed, and counts as not there.
 */
#include "bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ROUNDS = 64, LINE_BYTES = 256 };

static void run_function(const struct bench_side *side, int fd)
{
    struct bench_figures figures = {{0}};
    FILE *out = fdopen(fd, "w");
    int i;

    if (!out || side->run(side->arg, &figures))
        _exit(1);
    for (i = 0; i < BENCH_FIGURES; i++)
        fprintf(out, "%.17g ", figures.value[i]);
    fputc('\n', out);
    _exit(fflush(out) ? 1 : 0);
}

/* The strings of a command are never written to, whatever execvp's type says. */
static void run_command(const struct bench_side *side, int fd)
{
    union {
        const char *const *given;
        char *const *wanted;
    } command = {.given = side->command};
    int nothing = open("/dev/null", O_RDWR);

    dup2(fd, STDOUT_FILENO);
    if (nothing >= 0 && !getenv("REEVE_BENCH_STDERR"))
        dup2(nothing, STDERR_FILENO);
    execvp(command.given[0], command.wanted);
    _exit(127);
}

static pid_t start(const struct bench_side *side, int *ret_fd)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC))
        bench_die("no pipe: %s", strerror(errno));
    fflush(NULL);
    child = fork();
    if (child < 0)
        bench_die("no process: %s", strerror(errno));
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (side->run)
            run_function(side, ends[1]);
        else
            run_command(side, ends[1]);
    }
    close(ends[1]);
    *ret_fd = ends[0];
    return child;
}

/* What a side prints until it ends, or until its time is over. */
static size_t read_line(int fd, unsigned limit_s, char *line)
{
    const uint64_t end_ns = bench_wall_ns() + (uint64_t)limit_s * 1000000000u;
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    ssize_t got = 1;
    uint64_t now_ns;

    while (got > 0 && len < LINE_BYTES - 1 && (now_ns = bench_wall_ns()) < end_ns) {
        if (poll(&watched, 1, (int)((end_ns - now_ns) / 1000000) + 1) <= 0)
            break;
        got = read(fd, line + len, LINE_BYTES - 1 - len);
        if (got > 0)
            len += (size_t)got;
    }
    line[len] = '\0';
    return got == 0 ? len : 0;
}

static bool read_figures(const char *line, struct bench_figures *ret)
{
    char *end;
    int i;

    for (i = 0; i < BENCH_FIGURES; i++) {
        ret->value[i] = strtod(line, &end);
        if (end == line)
            break;
        line = end;
    }
    return i > 0;
}

static bool run_side(const struct bench_side *side, unsigned limit_s, struct bench_figures *ret)
{
    char line[LINE_BYTES];
    int fd, status;
    pid_t child = start(side, &fd);
    size_t len = read_line(fd, limit_s, line);

    if (!len)
        kill(child, SIGKILL);
    close(fd);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return len && WIFEXITED(status) && !WEXITSTATUS(status) && read_figures(line, ret);
}

static int compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

/* Each figure of its own rounds; all are better in the same direction but for those asked aside. */
static double pick(const struct bench_match *match, const struct bench_figures *rounds,
                   unsigned count, int which)
{
    double value[MOST_ROUNDS];
    unsigned i;

    for (i = 0; i < count; i++)
        value[i] = rounds[i].value[which];
    qsort(value, count, sizeof *value, compare);
    if (match->pick == BENCH_MIDDLE)
        return value[count / 2];
    return match->better == BENCH_LESS ? value[0] : value[count - 1];
}

void bench_play(const struct bench_match *match, struct bench_figures *scores)
{
    static struct bench_figures rounds[BENCH_SIDES][MOST_ROUNDS];
    unsigned done[BENCH_SIDES] = {0};
    unsigned round;
    size_t side;
    int i;

    for (round = 0; round < match->rounds; round++)
        for (side = 0; side < match->count; side++) {
            if (done[side] < round)
                continue; /* it failed before: not there */
            done[side] += run_side(&match->sides[side], match->limit_s, &rounds[side][round]);
        }
    for (side = 0; side < match->count; side++) {
        if (!done[side])
            fprintf(stderr, "reeve-bench: %s could not be run (REEVE_BENCH_STDERR=1 shows why)\n",
                    match->sides[side].name);
        for (i = 0; i < BENCH_FIGURES; i++)
            scores[side].value[i] =
                done[side] ? pick(match, rounds[side], done[side], i) : (double)NAN;
    }
}

void bench_compare(const struct bench *bench, const struct bench_row *row,
                   const struct bench_match *match, struct bench_figures *scores)
{
    size_t i;

    bench_play(match, scores);
    for (i = 1; i < match->count; i++) {
        const struct bench_side *peer = &match->sides[i];
        const double share = peer->share;
        struct bench_line line = {
            .name = row->name,
            .unit = row->unit,
            .claim = row->claim,
            .better = match->better,
            .ours = scores[0].value[0],
            .limit = (double)NAN,
            .peer_name = peer->name,
            .peer = scores[i].value[0],
        };

        if (share > 0)
            line.limit = match->better == BENCH_LESS ? line.peer / share : line.peer * share;
        bench_report(bench, &line);
    }
}
