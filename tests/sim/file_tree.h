/* SPDX-License-Identifier: MIT */
/*
 * The tree of the simulated files: folders, files, links and what else has a name. A node lives as
 * long as the tree, so that what is open may be removed.
 */
#ifndef RV_TESTS_SIM_FILE_TREE_H
#define RV_TESTS_SIM_FILE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct rv_sim_node {
    struct rv_sim_node *all;
    struct rv_sim_node *parent; /* NULL: the top, or removed */
    struct rv_sim_node *first;
    struct rv_sim_node *next;
    char name[256];
    mode_t mode;
    char *bytes; /* of a file or a link, NUL-terminated */
    size_t len;
    uint64_t inode;
    uint64_t changes;
};

struct rv_sim_tree {
    struct rv_sim_node *all;
    struct rv_sim_node *top;
    uint64_t inodes;
    uint64_t clock; /* of changes */
};

void rv_sim_tree_init(struct rv_sim_tree *tree);
void rv_sim_tree_done(struct rv_sim_tree *tree);

/* In no folder yet. */
struct rv_sim_node *rv_sim_node_new(struct rv_sim_tree *tree, const char *name, size_t len,
                                    mode_t mode);
void rv_sim_node_adopt(struct rv_sim_node *folder, struct rv_sim_node *node);
void rv_sim_node_orphan(struct rv_sim_node *node);
struct rv_sim_node *rv_sim_node_child(const struct rv_sim_node *folder, const char *name,
                                      size_t len);
void rv_sim_node_set_bytes(struct rv_sim_tree *tree, struct rv_sim_node *node, const void *bytes,
                           size_t len);

/* Whether its owner may do this with it: R_OK, W_OK, X_OK, as access(2) has them. */
bool rv_sim_node_allows(const struct rv_sim_node *node, int what);

/* All zero at first. */
struct rv_sim_walk {
    struct rv_sim_node *folder; /* where the last name stands */
    struct rv_sim_node *node;   /* NULL: nothing of that name */
    char name[256];
    int links;
};

/* An errno; EACCES where a folder on the way may not be searched; ENOENT also for a missing last
 * name, with the folder and the name told. */
int rv_sim_tree_walk(struct rv_sim_tree *tree, struct rv_sim_node *from, const char *path,
                     bool follow, struct rv_sim_walk *walk);

/*
 * The path without links, "." and "..", from the top on; names that are not there are kept. An
 * errno: EXDEV (not with `anywhere`: then "/" is the top), ELOOP, ENAMETOOLONG.
 */
int rv_sim_tree_canonical(struct rv_sim_tree *tree, const char *path, bool anywhere, char *out,
                          size_t size);

/* What the path names, made with all folders on the way if it is not there. */
struct rv_sim_node *rv_sim_tree_make(struct rv_sim_tree *tree, const char *path, mode_t mode);

#endif
