/* SPDX-License-Identifier: MIT */
/* Files in memory: the tree. See file_tree.h. */
#include "tests/sim/file_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/path.h"

enum { MAX_LINKS = 40 };

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void rv_sim_tree_init(struct rv_sim_tree *tree)
{
    *tree = (struct rv_sim_tree){0};
    tree->top = rv_sim_node_new(tree, "", 0, S_IFDIR | 0755);
}

void rv_sim_tree_done(struct rv_sim_tree *tree)
{
    struct rv_sim_node *node;

    while ((node = tree->all)) {
        tree->all = node->all;
        free(node->bytes);
        free(node);
    }
}

struct rv_sim_node *rv_sim_node_new(struct rv_sim_tree *tree, const char *name, size_t len,
                                    mode_t mode)
{
    struct rv_sim_node *node = must(calloc(1, sizeof *node));

    assert(len < sizeof node->name);
    memcpy(node->name, name, len);
    node->mode = mode;
    node->inode = ++tree->inodes;
    node->changes = ++tree->clock;
    node->all = tree->all;
    tree->all = node;
    return node;
}

void rv_sim_node_adopt(struct rv_sim_node *folder, struct rv_sim_node *node)
{
    struct rv_sim_node **at = &folder->first;

    while (*at)
        at = &(*at)->next;
    *at = node;
    node->next = NULL;
    node->parent = folder;
}

void rv_sim_node_orphan(struct rv_sim_node *node)
{
    struct rv_sim_node **at = &node->parent->first;

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->parent = NULL;
}

struct rv_sim_node *rv_sim_node_child(const struct rv_sim_node *folder, const char *name,
                                      size_t len)
{
    struct rv_sim_node *node;

    for (node = folder->first; node; node = node->next) {
        if (strlen(node->name) == len && !memcmp(node->name, name, len))
            return node;
    }
    return NULL;
}

void rv_sim_node_set_bytes(struct rv_sim_tree *tree, struct rv_sim_node *node, const void *bytes,
                           size_t len)
{
    node->bytes = must(realloc(node->bytes, len + 1));
    if (len)
        memcpy(node->bytes, bytes, len);
    node->bytes[len] = '\0';
    node->len = len;
    node->changes = ++tree->clock;
}

bool rv_sim_node_allows(const struct rv_sim_node *node, int what)
{
    return ((int)(node->mode >> 6) & what) == what;
}

/* Nothing is known of what the folder has. */
static int refuse_walk(struct rv_sim_walk *walk)
{
    walk->folder = NULL;
    walk->node = NULL;
    return EACCES;
}

int rv_sim_tree_walk(struct rv_sim_tree *tree, struct rv_sim_node *from, const char *path,
                     bool follow, struct rv_sim_walk *walk)
{
    struct rv_path_part part;
    size_t position = 0;
    int error;

    walk->folder = from;
    walk->node = from;
    if (path[0] == '/')
        return EXDEV;
    while (rv_path_next(path, &position, &part)) {
        if (!walk->node) {
            walk->folder = NULL;
            return ENOENT;
        }
        if (!S_ISDIR(walk->node->mode))
            return ENOTDIR;
        if (!rv_sim_node_allows(walk->node, X_OK))
            return refuse_walk(walk);
        if (rv_path_part_is(&part, "."))
            continue;
        if (rv_path_part_is(&part, "..")) {
            if (walk->node == tree->top)
                return EXDEV;
            walk->node = walk->node->parent;
            continue;
        }
        if (part.len >= sizeof walk->name)
            return ENAMETOOLONG;
        memcpy(walk->name, part.name, part.len);
        walk->name[part.len] = '\0';
        walk->folder = walk->node;
        walk->node = rv_sim_node_child(walk->folder, part.name, part.len);
        if (walk->node && S_ISLNK(walk->node->mode) && (!part.last || part.slash_ends || follow)) {
            if (++walk->links > MAX_LINKS)
                return ELOOP;
            error = rv_sim_tree_walk(tree, walk->folder, walk->node->bytes, true, walk);
            if (error && (error != ENOENT || !part.last))
                return error;
        }
        if (walk->node && part.slash_ends && !S_ISDIR(walk->node->mode))
            return ENOTDIR;
    }
    return walk->node ? 0 : ENOENT;
}

struct rv_sim_node *rv_sim_tree_make(struct rv_sim_tree *tree, const char *path, mode_t mode)
{
    struct rv_sim_node *folder = tree->top, *node;
    struct rv_path_part part;
    size_t position = 0;

    while (rv_path_next(path, &position, &part)) {
        node = rv_sim_node_child(folder, part.name, part.len);
        if (!node) {
            node = rv_sim_node_new(tree, part.name, part.len, part.last ? mode : S_IFDIR | 0755);
            rv_sim_node_adopt(folder, node);
        }
        folder = node;
    }
    return folder;
}
