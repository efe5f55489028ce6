/* SPDX-License-Identifier: MIT */
/* A model of files by which the order of calls is judged. See oracle.h. */
#include "tests/sim/oracle.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * UINT64_C(0x100000001B3) + UINT64_C(0x9E3779B97F4A7C15);
    return a ^ (a >> 29);
}

static const struct oracle_entry *find(const struct oracle *world, const char *path)
{
    size_t i;

    for (i = 0; i < world->count; i++)
        if (!strcmp(world->entries[i].path, path))
            return &world->entries[i];
    return NULL;
}

static struct oracle_entry *make(struct oracle *world, const char *path)
{
    const struct oracle_entry *found = find(world, path);
    struct oracle_entry *entry =
        &world->entries[found ? found - world->entries : (ptrdiff_t)world->count];

    if (found)
        return entry;
    assert(world->count < ORACLE_ENTRIES && strlen(path) < sizeof entry->path);
    world->count++;
    *entry = (struct oracle_entry){0};
    strcpy(entry->path, path);
    return entry;
}

void oracle_put(struct oracle *world, const char *path, uint64_t content)
{
    make(world, path)->content = content;
}

void oracle_link(struct oracle *world, const char *path, const char *target)
{
    strcpy(make(world, path)->target, target);
}

/*
 * Go along the path until its end, or a link. Then `next` is the path with the link's target in its
 * place.
 */
static bool go_to_link(const struct oracle *world, const char *path, char *at, char *next)
{
    const struct oracle_entry *entry;
    const char *rest = path, *end;
    char *last;

    for (at[0] = '\0'; *rest; rest = end) {
        end = strchr(rest + 1, '/');
        if (!end)
            end = rest + strlen(rest);
        if (end - rest <= 1 || (end - rest == 2 && rest[1] == '.'))
            continue;
        last = strrchr(at, '/');
        if (end - rest == 3 && rest[1] == '.' && rest[2] == '.') {
            if (last)
                *last = '\0';
            continue;
        }
        last = at + strlen(at);
        snprintf(last, ORACLE_PATH_BYTES - (size_t)(last - at), "%.*s", (int)(end - rest), rest);
        entry = world ? find(world, at) : NULL;
        if (!entry || !entry->target[0])
            continue;
        *last = '\0';
        snprintf(next, ORACLE_PATH_BYTES, "%s/%s%s", entry->target[0] == '/' ? "" : at,
                 entry->target, end);
        return true;
    }
    return false;
}

bool oracle_resolve(const struct oracle *world, const char *path, char *out)
{
    char now[ORACLE_PATH_BYTES], next[ORACLE_PATH_BYTES];
    unsigned links = 0;

    snprintf(now, sizeof now, "/%s", path);
    while (links <= 40 && go_to_link(world, now, out, next)) {
        strcpy(now, next);
        links++;
    }
    if (links > 40) {
        snprintf(now, sizeof now, "/%s", path);
        go_to_link(NULL, now, out, next);
    }
    if (!out[0])
        strcpy(out, "/");
    return links <= 40;
}

static bool is_above(const char *above, const char *path)
{
    while (*above && *above == *path) {
        above++;
        path++;
    }
    return !*above && (!*path || *path == '/');
}

bool oracle_related(const char *a, const char *b)
{
    return !strcmp(a, "/") || !strcmp(b, "/") || is_above(a, b) || is_above(b, a);
}

static const char *top_as_none(const char *path)
{
    return strcmp(path, "/") != 0 ? path : "";
}

/* Whatever order the table has. */
uint64_t oracle_look(const struct oracle *world, const char *path)
{
    uint64_t sum = 0, one;
    const char *at;
    size_t i;

    for (i = 0; i < world->count; i++) {
        const struct oracle_entry *entry = &world->entries[i];

        if (path && !is_above(top_as_none(path), entry->path) &&
            !is_above(top_as_none(entry->path), path))
            continue;
        one = mix(entry->content, 7);
        for (at = entry->path; *at; at++)
            one = mix(one, (unsigned char)*at);
        for (at = entry->target; *at; at++)
            one = mix(one, (unsigned char)*at + 256u);
        sum += one;
    }
    return sum;
}

void oracle_write(struct oracle *world, const char *path, uint64_t what)
{
    struct oracle_entry *entry = make(world, path);

    entry->content = mix(entry->content, what);
}

bool oracle_equal(const struct oracle *a, const struct oracle *b)
{
    size_t i;

    for (i = 0; i < a->count; i++) {
        const struct oracle_entry *one = &a->entries[i], *other = find(b, one->path);

        if (!other || one->content != other->content || strcmp(one->target, other->target) != 0)
            return false;
    }
    return a->count == b->count;
}
