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
            if (error == ENOENT && !part.last)
                walk->folder = NULL; /* the last name is not the one that is missing */
            if (error && (error != ENOENT || !part.last))
                return error;
        }
        if (walk->node && part.slash_ends && !S_ISDIR(walk->node->mode))
            return ENOTDIR;
    }
    return walk->node ? 0 : ENOENT;
}

/* A way through the tree: nodes as long as there are any, names further on. */
struct way {
    char rest[8192];
    char *out;
    size_t len;
    size_t size;
    struct rv_sim_node *node; /* NULL: nothing there */
    unsigned beyond;          /* names that are not there, or are below a file */
    int links;
};

static int way_up(struct way *way, bool anywhere)
{
    if (!way->len)
        return anywhere ? 0 : EXDEV;
    while (way->out[--way->len] != '/')
        ;
    if (way->beyond)
        way->beyond--;
    else
        way->node = way->node->parent;
    return 0;
}

static int way_link(struct way *way, const struct rv_sim_node *link, const char *rest,
                    bool anywhere, struct rv_sim_node *top)
{
    char whole[sizeof way->rest];

    if (++way->links > MAX_LINKS)
        return ELOOP;
    if (link->bytes[0] == '/' && !anywhere)
        return EXDEV;
    if (link->len + strlen(rest) + 2 > sizeof whole)
        return ENAMETOOLONG;
    if (link->bytes[0] == '/') {
        way->len = 0;
        way->node = top;
    }
    memcpy(whole, link->bytes, link->len);
    whole[link->len] = '/';
    strcpy(whole + link->len + 1, rest);
    strcpy(way->rest, whole);
    return 0;
}

static int way_down(struct way *way, const struct rv_path_part *part, struct rv_sim_node *next)
{
    if (way->len + part->len + 2 > way->size)
        return ENAMETOOLONG;
    way->out[way->len] = '/';
    memcpy(way->out + way->len + 1, part->name, part->len);
    way->len += part->len + 1;
    if (next && S_ISDIR(next->mode))
        way->node = next;
    else
        way->beyond++;
    return 0;
}

int rv_sim_tree_canonical(struct rv_sim_tree *tree, const char *path, bool anywhere, char *out,
                          size_t size)
{
    struct way way = {.out = out, .size = size, .node = tree->top};
    struct rv_sim_node *next;
    struct rv_path_part part;
    size_t position = 0;
    int error = 0;

    if (path[0] == '/' && !anywhere)
        return EXDEV;
    if (strlen(path) >= sizeof way.rest)
        return ENAMETOOLONG;
    strcpy(way.rest, path);
    while (!error && rv_path_next(way.rest, &position, &part)) {
        if (rv_path_part_is(&part, ".."))
            error = way_up(&way, anywhere);
        if (rv_path_part_is(&part, "..") || rv_path_part_is(&part, "."))
            continue;
        next = way.beyond ? NULL : rv_sim_node_child(way.node, part.name, part.len);
        if (next && S_ISLNK(next->mode)) {
            error = way_link(&way, next, way.rest + position, anywhere, tree->top);
            position = 0;
        } else {
            error = way_down(&way, &part, next);
        }
    }
    if (!way.len)
        out[way.len++] = '/';
    out[way.len] = '\0';
    return error;
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
