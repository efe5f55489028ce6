/* SPDX-License-Identifier: MIT */
/*
 * A model of files, folders and links by which the order of calls is judged. It knows nothing of
 * what it judges: a world is a table of texts by whole paths, and a path is worked out by writing
 * it anew from its beginning for each link in it.
 */
#ifndef RV_TESTS_SIM_ORACLE_H
#define RV_TESTS_SIM_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORACLE_ENTRIES = 96, ORACLE_PATH_BYTES = 512 };

struct oracle_entry {
    char path[64];   /* canonical */
    char target[64]; /* of a link; else empty */
    uint64_t content;
};

struct oracle {
    struct oracle_entry entries[ORACLE_ENTRIES];
    size_t count;
};

void oracle_put(struct oracle *world, const char *path, uint64_t content);
void oracle_link(struct oracle *world, const char *path, const char *target);

/* What the path comes to; false if its links have no end, and then as it is written. `out` has
 * ORACLE_PATH_BYTES. */
bool oracle_resolve(const struct oracle *world, const char *path, char *out);

/* Is one of the two canonical paths above the other, or the same? */
bool oracle_related(const char *a, const char *b);

/* A number for all that is at a canonical path, below it and above it, or at a key that is no path;
 * NULL: for all that there is. */
uint64_t oracle_look(const struct oracle *world, const char *path);

/* Something is done to the content at a canonical path: how, and in what order, shows for ever. */
void oracle_write(struct oracle *world, const char *path, uint64_t what);

bool oracle_equal(const struct oracle *a, const struct oracle *b);

#endif
