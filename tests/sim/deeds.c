/* SPDX-License-Identifier: MIT */
/* What the calls of the oracle's tests do to its world. */
#include "tests/sim/deeds.h"

#include <stdio.h>
#include <string.h>

static const char *const links[] = {"/l1", "/l2", "/l3", "/dir/up", "/loop"};
static const char *const targets[] = {"a",  "dir",    "dir/sub", "none/yet", "/dir/b",
                                      "l2", "../dir", "loop",    "./dir/",   "dir/sub/../a"};
enum { LINKS = sizeof links / sizeof links[0], TARGETS = sizeof targets / sizeof targets[0] };

/* What is at the end of a path that has none. */
static const char nowhere[] = "loop:";

static unsigned pick(struct rv_test *t, unsigned below)
{
    return (unsigned)(rv_test_random(t) % below);
}

static void set_link(struct oracle *world, struct rv_sim_files *files, unsigned link,
                     unsigned target)
{
    oracle_link(world, links[link], targets[target]);
    if (files)
        rv_sim_file_link(files, links[link] + 1, targets[target]);
}

void deed_make_world(struct oracle *world, struct rv_sim_files *files)
{
    static const char *const names[] = {"/a", "/b", "/ab", "/dir/a", "/dir/b", "/dir/sub/c"};
    static const unsigned first[LINKS] = {0, 1, 3, 6, 7};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        oracle_put(world, names[i], i + 1);
        if (files)
            rv_sim_file_put(files, names[i] + 1, "x", 1);
    }
    for (i = 0; i < LINKS; i++)
        set_link(world, files, (unsigned)i, first[i]);
}

static void pick_path(struct rv_test *t, char *out, size_t size)
{
    static const char *const paths[] = {"a",       "a",        "b",       "ab",        "dir/a",
                                        "dir",     "dir/b",    "dir/sub", "dir/sub/c", "dir/subs",
                                        "l1",      "l2",       "l2/a",    "l2/sub/c",  "l3",
                                        "l3/x",    "none/yet", "none",    "dir/up/a",  "loop",
                                        "l2/../a", "new/n",    "dir/a/x", "loop/x",    "."};
    static const char *const ways[] = {"",        "",      "",   "/",         "./",
                                       "dir/../", "x/../", "//", "l2/up/../", "/./"};

    snprintf(out, size, "%s%s%s", ways[pick(t, 10)], paths[pick(t, 25)], pick(t, 9) ? "" : "/");
}

void deed_plan(struct deed *deed, struct rv_test *t, unsigned reads, bool barriers)
{
    static const char *const keys[] = {"db:a", "db:ab", "db:/a"};
    unsigned way = pick(t, 24);
    size_t k;

    deed->way = way < 19 || (way > 21 && !barriers) ? DEED_BY_PATH
                : way < 22                          ? DEED_BY_KEY
                                                    : DEED_EVERYTHING;
    deed->count = deed->way == DEED_EVERYTHING ? 0 : pick(t, 4) ? 1 : pick(t, DEED_TOUCHES + 1);
    for (k = 0; k < deed->count; k++) {
        deed->touches[k].writes = pick(t, 10) >= reads;
        if (deed->way == DEED_BY_PATH)
            pick_path(t, deed->touches[k].text, sizeof deed->touches[k].text);
        else
            strcpy(deed->touches[k].text, keys[pick(t, 3)]);
    }
    deed->writes = pick(t, 10) >= reads;
    deed->link = pick(t, LINKS);
    deed->to[0] = pick(t, TARGETS);
    deed->to[1] = pick(t, TARGETS);
}

int deed_describe(const struct deed *deed, struct reeve_claims *claims)
{
    int error = 0;
    size_t k;

    if (deed->way == DEED_EVERYTHING)
        return reeve_claims_add(claims, REEVE_EFFECT_UNKNOWN, "shell", "it");
    for (k = 0; !error && k < deed->count; k++)
        error = reeve_claims_add(
            claims, deed->touches[k].writes ? REEVE_EFFECT_WRITE : REEVE_EFFECT_READ,
            deed->way == DEED_BY_PATH ? REEVE_RESOURCE_PATH : "db", deed->touches[k].text);
    return error;
}

bool deed_writes(const struct deed *deed)
{
    size_t k;

    if (deed->way == DEED_EVERYTHING)
        return deed->writes;
    for (k = 0; k < deed->count; k++)
        if (deed->touches[k].writes)
            return true;
    return false;
}

bool deed_find(const struct deed *deed, size_t touch, const struct oracle *world, char *place)
{
    if (deed->way == DEED_BY_PATH)
        return oracle_resolve(world, deed->touches[touch].text, place);
    snprintf(place, ORACLE_PATH_BYTES, "%s", deed->touches[touch].text);
    return true;
}

static void touch_now(const struct deed *deed, size_t touch, struct oracle *world, uint64_t number,
                      enum deed_part part, struct deed_trace *trace)
{
    const char *place = trace->at[touch];

    if (!strcmp(place, nowhere))
        return;
    if (deed->touches[touch].writes)
        oracle_write(world, place, DEED_PARTS * number + part);
    else if (part != DEED_MIDDLE)
        trace->seen[touch][part] = oracle_look(world, place);
}

void deed_do(const struct deed *deed, struct oracle *world, struct rv_sim_files *files,
             uint64_t number, enum deed_part part, struct deed_trace *trace)
{
    size_t k;

    if (deed->way == DEED_EVERYTHING && deed->writes)
        set_link(world, files, deed->link, part == DEED_BEGIN ? deed->to[0] : deed->to[1]);
    else if (deed->way == DEED_EVERYTHING && part != DEED_MIDDLE)
        trace->seen[0][part] = oracle_look(world, NULL);
    for (k = 0; k < deed->count; k++) {
        if (part == DEED_BEGIN && !deed_find(deed, k, world, trace->at[k]))
            strcpy(trace->at[k], nowhere);
        touch_now(deed, k, world, number, part, trace);
    }
}

static bool are_common(const struct deed *a, const char *at_a, const struct deed *b,
                       const char *at_b)
{
    if (a->way != b->way)
        return false;
    return a->way == DEED_BY_PATH ? oracle_related(at_a, at_b) : !strcmp(at_a, at_b);
}

bool deed_conflict(const struct deed *a, char at_a[][ORACLE_PATH_BYTES], const struct deed *b,
                   char at_b[][ORACLE_PATH_BYTES])
{
    size_t i, k;

    if (a->way == DEED_EVERYTHING || b->way == DEED_EVERYTHING)
        return (a->way == DEED_EVERYTHING && a->writes) ||
               (b->way == DEED_EVERYTHING && b->writes) ||
               (a->way != b->way && (deed_writes(a) || deed_writes(b)));
    for (i = 0; i < a->count; i++)
        for (k = 0; k < b->count; k++)
            if ((a->touches[i].writes || b->touches[k].writes) &&
                are_common(a, at_a[i], b, at_b[k]))
                return true;
    return false;
}
