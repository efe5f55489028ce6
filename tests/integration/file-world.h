/* SPDX-License-Identifier: MIT */
/*
 * What the tests of files stand on: a temporary folder with a root in it and an outside beside the
 * root, a runtime on its own loop, and requests that are run to their end.
 */
#ifndef RV_TESTS_FILE_WORLD_H
#define RV_TESTS_FILE_WORLD_H

#include "io/file.h"
#include "loop/ready.h"
#include "tests/lib/test.h"

#include <reeve/error.h>
#include <reeve/runtime.h>

struct world {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct rv_root *root; /* NULL until world_root */
    char top[64];         /* the temporary folder */
    char inside[80];      /* top/root */
    char outside[80];     /* top/outside */
};

/* Asserts that it worked; for the sweeps there is world_open with an error instead. */
void world_init(struct world *world, struct rv_test *t);
int world_open(struct world *world, struct rv_test *t);
/* Asserts that it worked: a root on top/root. */
void world_root(struct world *world);
/* Frees all and removes the folder. */
void world_done(struct world *world);

/* Below the root; "../outside/x" is beside it. */
void world_write(const struct world *world, const char *name, const char *bytes, size_t len);
void world_text(const struct world *world, const char *name, const char *text);
void world_folder(const struct world *world, const char *name);
void world_link(const struct world *world, const char *target, const char *name);
void world_fifo(const struct world *world, const char *name);
/* The whole path of a name below the root, in memory of the world's own (four at a time). */
const char *world_path(const struct world *world, const char *name);

/* A request, until it has ended. */
struct outcome {
    int called; /* how often on_done came */
    int error;
    struct rv_file_content content;
    char *text; /* malloc'ed, as a test fails allocations: the head and the tail, one after the
                   other */
    size_t len;
    struct rv_file_problem problem;
    struct rv_file_listing listing; /* without its entries */
    uint64_t spent_ns;              /* by on_done, of the CPU's time */
    char *names;                    /* "name:type:size" of each entry, a newline behind each */
};

void outcome_clear(struct outcome *outcome);

/* Of this thread. */
uint64_t cpu_ns(void);

/* Start and run to the end. What the start returned is the error if it failed. */
void read_whole(struct world *world, const char *path, struct outcome *outcome);
void read_range(struct world *world, const char *path, uint64_t offset, uint64_t limit, size_t max,
                struct outcome *outcome);
void list_folder(struct world *world, const char *path, bool recursive, struct outcome *outcome);

/* Only start. */
int read_start(struct world *world, const char *path, size_t max, struct outcome *outcome,
               struct rv_file_read **ret_read);
int list_start(struct world *world, const char *path, bool recursive, size_t max_entries,
               struct outcome *outcome, struct rv_file_list **ret_list);
void run(struct world *world);

/*
 * Something that takes its turn in the ready queue with the requests, after each of their slices,
 * until it is told to stop or `busy` is no longer true.
 */
struct ticker {
    struct rv_task task;
    struct world *world;
    unsigned ticks;
    bool stop;
    void (*tick)(struct ticker *ticker);
    void *arg;
};

void ticker_start(struct ticker *ticker, struct world *world, void (*tick)(struct ticker *ticker),
                  void *arg);

/* Run `body` with the rights of an unprivileged user. */
void as_nobody(void (*body)(struct world *world), struct world *world);

#endif
