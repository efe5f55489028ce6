/* SPDX-License-Identifier: MIT */
/*
 * What the rows of the bench share. A row measures one promise: it plays sides against each other
 * (bench_play) and reports a line for each comparison (bench_report). Each side runs in a process
 * of its own, bounded in time, ours and the peers' in turn (ABAB…), several rounds.
 */
#ifndef REEVE_BENCH_BENCH_H
#define REEVE_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bench {
    bool quick;
    bool json;
    FILE *out;
    const char *folder; /* a temporary one, for the data of the rows */
};

/* One promise. A row knows of no other. */
struct bench_row {
    const char *name;
    const char *unit;
    const char *claim; /* what is promised, in words */
    void (*run)(const struct bench *bench, const struct bench_row *row);
};

/* All of them, NULL at the end (rows.c). */
extern const struct bench_row *const bench_rows[];

enum bench_better { BENCH_LESS, BENCH_MORE };

/*
 * One line of the results. `limit` is what ours had to be, in the row's unit; NAN: nothing was
 * asked. Where a share of a peer was asked, it is that share of what the peer showed in this run.
 */
struct bench_line {
    const char *name;
    const char *unit;
    const char *claim;
    enum bench_better better;
    double ours;
    double limit;
    const char *peer_name; /* NULL: there is none */
    double peer;           /* NAN: it could not be run */
};

void bench_report(const struct bench *bench, const struct bench_line *line);

/* What a side shows: the row's figure first, whatever else the row asks for behind it. */
enum { BENCH_FIGURES = 4 };
struct bench_figures {
    double value[BENCH_FIGURES];
};

/* One side: a function, run in a forked process, or a program that prints its figures on a line. */
struct bench_side {
    const char *name;
    int (*run)(void *arg, struct bench_figures *figures); /* 0, or it failed */
    void *arg;
    const char *const *command;
    double
        share; /* what is asked of ours against this peer: a ratio of at least that; 0: nothing */
};

/* The best of the rounds, for CPU time, or the one in the middle, for wall time. */
enum bench_pick { BENCH_BEST, BENCH_MIDDLE };

struct bench_match {
    const struct bench_side *sides; /* ours first */
    size_t count;
    unsigned rounds;
    unsigned limit_s; /* for one side in one round */
    enum bench_better better;
    enum bench_pick pick;
};

enum { BENCH_SIDES = 8 };

/* Fills `scores`, one for each side: NAN where it could not be run. */
void bench_play(const struct bench_match *match, struct bench_figures *scores);

/* Plays, and reports a line for each peer with figure 0 of both. */
void bench_compare(const struct bench *bench, const struct bench_row *row,
                   const struct bench_match *match, struct bench_figures *scores);

/* The same of an absolute promise: ours, which has to be `limit`, and no peer. */
void bench_absolute(const struct bench *bench, const struct bench_row *row,
                    enum bench_better better, double ours, double limit);

/* A figure beside the row's, of which nothing is asked. `name` is behind the row's own,
 * "NAME.name". */
void bench_aside(const struct bench *bench, const struct bench_row *row, const char *name,
                 const char *unit, enum bench_better better, double ours);

uint64_t bench_cpu_ns(void);  /* of this process */
uint64_t bench_wall_ns(void); /* monotonic */

/* Says what cannot go on, and ends this process. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void bench_check(bool well, const char *what);

/* Where a script of a peer stands, by its name, and a program that was built, by its path in
 * bench/. Static text. */
const char *bench_script(const char *name);
const char *bench_program(const char *name);

/* Write a file into the bench's folder. The path is to be freed. */
char *bench_file(const struct bench *bench, const char *name, const void *bytes, size_t len);

/*
 * A piece of small work, timed: `work` does `count` operations. The figures are the CPU time of one
 * in nanoseconds when BENCH_BUNCH are done in a row, and the wall time of one that is done alone.
 */
enum { BENCH_BUNCH = 1000 };
void bench_time(void (*work)(void *arg, size_t count), void *arg, bool quick,
                struct bench_figures *figures);

#endif
