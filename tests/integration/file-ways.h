/* SPDX-License-Identifier: MIT */
/* Ways to leave a root, and a process that moves names about meanwhile. */
#ifndef RV_TESTS_FILE_WAYS_H
#define RV_TESTS_FILE_WAYS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "tests/integration/file-world.h"

#define SECRET "SECRET: no agent may see this\n"

/* What a try may end with. */
enum {
    OUTSIDE = 1,   /* REEVE_EOUTSIDE */
    NO_NAME = 2,   /* there is no such thing inside: REEVE_ENOTFOUND, REEVE_ENOTDIR */
    NO_FOLLOW = 4, /* REEVE_ESYSTEM with ELOOP or ENAMETOOLONG */
};

struct way {
    const char
        *path; /* "@" at the front stands for the root's absolute path, "^" for its parent's */
    unsigned ends;
};

extern const struct way ways[];
extern const size_t way_count;

/* A world with all that the ways lead by, and a secret at the end of each. */
void ways_world(struct world *world, struct rv_test *t);
/* The way's whole path, with something behind it. */
void way_path(const struct world *world, const struct way *way, const char *behind, char *path,
              size_t size);
bool ended_as(int error, const struct rv_file_problem *problem, unsigned ends);

/* Shared with the process that moves names about. */
struct shared {
    _Atomic unsigned swaps;
    _Atomic bool stop;
};

struct mover {
    struct shared *shared;
    pid_t pid;
};

/* The folder "swap" and the link "way-out" to the outside take turns under the one name. */
void swap_link(const struct world *world, struct shared *shared);
/* The folder "x/y" is now inside, now outside: there ".." is another folder. */
void move_folder(const struct world *world, struct shared *shared);

void mover_start(struct mover *mover, const struct world *world,
                 void (*move)(const struct world *world, struct shared *shared));
/* How often it has moved something. */
unsigned mover_stop(struct mover *mover);

#endif
