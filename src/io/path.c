/* SPDX-License-Identifier: MIT */
/* Paths as text: what can be said of them without asking the system. */
#include "io/path.h"

#include <string.h>

bool rv_path_next(const char *path, size_t *position, struct rv_path_part *ret_part)
{
    const char *at = path + *position;
    const char *end;

    at += strspn(at, "/");
    if (!*at)
        return false;
    end = at + strcspn(at, "/");
    ret_part->name = at;
    ret_part->len = (size_t)(end - at);
    at = end + strspn(end, "/");
    ret_part->last = !*at;
    ret_part->slash_ends = ret_part->last && at != end;
    *position = (size_t)(at - path);
    return true;
}

bool rv_path_part_is(const struct rv_path_part *part, const char *name)
{
    return strlen(name) == part->len && !memcmp(name, part->name, part->len);
}

/* The next name that says something. */
static bool next_but_dot(const char *path, size_t *position, struct rv_path_part *ret_part)
{
    while (rv_path_next(path, position, ret_part)) {
        if (!rv_path_part_is(ret_part, "."))
            return true;
    }
    return false;
}

const char *rv_path_below(const char *path, const char *prefix)
{
    size_t path_at = 0, prefix_at = 0;
    struct rv_path_part part, wanted;

    if (path[0] != '/' || prefix[0] != '/')
        return NULL;
    while (next_but_dot(prefix, &prefix_at, &wanted)) {
        if (!next_but_dot(path, &path_at, &part))
            return NULL;
        if (part.len != wanted.len || memcmp(part.name, wanted.name, part.len) != 0)
            return NULL;
    }
    path += path_at;
    path += strspn(path, "/");
    return *path ? path : ".";
}

size_t rv_path_parent_len(const char *path, size_t len)
{
    while (len && path[len - 1] == '/')
        len--;
    while (len && path[len - 1] != '/')
        len--;
    while (len && path[len - 1] == '/')
        len--;
    return len;
}

/* What is worked out so far: `out`, of which `len` bytes are used, each name behind a slash. */
static size_t clean_on(const char *path, char *out, size_t len, size_t size)
{
    struct rv_path_part part;
    size_t position = 0;

    while (next_but_dot(path, &position, &part)) {
        if (rv_path_part_is(&part, "..")) {
            while (len && out[--len] != '/')
                ;
            continue;
        }
        if (part.len + 2 > size - len)
            break;
        out[len] = '/';
        memcpy(out + len + 1, part.name, part.len);
        len += part.len + 1;
    }
    return len;
}

void rv_path_clean(const char *base, const char *path, char *out, size_t size)
{
    size_t len = path[0] == '/' ? 0 : clean_on(base, out, 0, size);

    len = clean_on(path, out, len, size);
    if (!len)
        out[len++] = '/';
    out[len] = '\0';
}
