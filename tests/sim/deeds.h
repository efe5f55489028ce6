/* SPDX-License-Identifier: MIT */
/*
 * What the calls of the oracle's tests do to its world (oracle.h). A deed shows whenever it is
 * done: at its begin, perhaps in the middle, and at its end, so that no two that touch the same can
 * overlap unseen. A write leaves a mark in the world each time, a read notes what it has seen.
 */
#ifndef RV_TESTS_SIM_DEEDS_H
#define RV_TESTS_SIM_DEEDS_H

#include "tests/lib/test.h"
#include "tests/sim/file.h"
#include "tests/sim/oracle.h"

#include <reeve/tool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEED_TOUCHES = 2 };

enum deed_way { DEED_BY_PATH, DEED_BY_KEY, DEED_EVERYTHING };

/* A read looks at its begin and at its end only. */
enum deed_part { DEED_BEGIN, DEED_END, DEED_MIDDLE, DEED_PARTS };

struct deed_touch {
    char text[96]; /* the path as it is written, or the key */
    bool writes;
};

struct deed {
    enum deed_way way;
    struct deed_touch touches[DEED_TOUCHES];
    size_t count;
    bool writes; /* way EVERYTHING: changes a link */
    unsigned link, to[2];
};

/* Where a deed was done, and what it saw. */
struct deed_trace {
    char at[DEED_TOUCHES][ORACLE_PATH_BYTES];
    uint64_t seen[DEED_TOUCHES][2]; /* way EVERYTHING: the first touch's */
};

/* A world of a few files and links; the same among simulated files, unless they are NULL. */
void deed_make_world(struct oracle *world, struct rv_sim_files *files);

/* `reads` of ten touches are reads. Without barriers hardly any deed is of everything. */
void deed_plan(struct deed *deed, struct rv_test *t, unsigned reads, bool barriers);

/* What a tool's describe says of it: of everything, that its effect is unknown. */
int deed_describe(const struct deed *deed, struct reeve_claims *claims);

bool deed_writes(const struct deed *deed);

/* Where it would be done in this world. A path whose links have no end is taken as it is written,
 * and false is returned: there is nothing to touch. */
bool deed_find(const struct deed *deed, size_t touch, const struct oracle *world, char *place);

/* Do a part of it. The number is of this doing: what it writes depends on that. */
void deed_do(const struct deed *deed, struct oracle *world, struct rv_sim_files *files,
             uint64_t number, enum deed_part part, struct deed_trace *trace);

/* Would the two, done at these places, have to wait for each other? */
bool deed_conflict(const struct deed *a, char at_a[][ORACLE_PATH_BYTES], const struct deed *b,
                   char at_b[][ORACLE_PATH_BYTES]);

#endif
