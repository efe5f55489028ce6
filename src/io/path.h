/* SPDX-License-Identifier: MIT */
/* Paths as text: what can be said of them without asking the system. */
#ifndef RV_IO_PATH_H
#define RV_IO_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* One name of a path. */
struct rv_path_part {
    const char *name; /* not NUL-terminated */
    size_t len;
    bool last;       /* no name follows */
    bool slash_ends; /* it is the last, and a slash follows: it must be a folder */
};

/*
 * The name at *position, which moves behind it and the slashes that follow; false at the end. "."
 * and ".." come as they are; slashes at the front are skipped.
 */
bool rv_path_next(const char *path, size_t *position, struct rv_path_part *ret_part);

bool rv_path_part_is(const struct rv_path_part *part, const char *name);

/*
 * Take the absolute path `prefix` off the absolute path `path`, name by name ("/srv/data" is no
 * prefix of "/srv/database"; "//srv/./data/x" is below it; ".." is not worked out). Gives the rest,
 * relative and inside `path`, "." if nothing is left; NULL if `path` is not below.
 */
const char *rv_path_below(const char *path, const char *prefix);

/*
 * Work out a path as text alone: "." and ".." are gone ("/.." is "/"), links are taken for what
 * they are not: folders. `base` is absolute or empty, and stands before a path that is not
 * absolute. Always gives an absolute path in `out`; one that has no room is cut behind a name.
 */
void rv_path_clean(const char *base, const char *path, char *out, size_t size);

/*
 * How many of the first `len` bytes of a path stand before its last name, without the slashes
 * between: 3 for "a/b//c/". 0 if there is but one name.
 */
size_t rv_path_parent_len(const char *path, size_t len);

#endif
