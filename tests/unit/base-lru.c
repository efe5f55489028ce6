/* SPDX-License-Identifier: MIT */
/* The bounded cache: what stays, what goes, why, and when. */
#include "tests/lib/test.h"

#include "base/lru.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { THINGS = 40 };

struct thing {
    struct rv_lru_entry entry;
    char key[8];
    bool in;
    enum rv_lru_reason reason; /* of the last time it went */
    unsigned gone;             /* how often */
};

struct cache {
    struct rv_lru lru;
    struct thing things[THINGS];
};

static struct thing *thing_of(struct rv_lru_entry *entry)
{
    return entry ? rv_lru_item(entry, struct thing, entry) : NULL;
}

static void on_gone(struct rv_lru *lru, struct rv_lru_entry *entry, enum rv_lru_reason reason,
                    void *arg)
{
    struct cache *cache = arg;
    struct thing *thing = thing_of(entry);

    cr_assert_eq(lru, &cache->lru);
    cr_assert(thing->in);
    thing->in = false;
    thing->reason = reason;
    thing->gone++;
}

static void set_up(struct rv_test *t, struct cache *cache, size_t max_entries, size_t max_bytes)
{
    unsigned i;

    memset(cache, 0, sizeof *cache);
    for (i = 0; i < THINGS; i++)
        snprintf(cache->things[i].key, sizeof cache->things[i].key, "k%u", i);
    rv_lru_init(&cache->lru, t->mem, max_entries, max_bytes, on_gone, cache);
}

static int add(struct cache *cache, unsigned i, size_t bytes, int64_t deadline_ms)
{
    struct thing *thing = &cache->things[i];
    int error;

    thing->in = true;
    error =
        rv_lru_add(&cache->lru, &thing->entry, thing->key, strlen(thing->key), bytes, deadline_ms);
    if (error)
        thing->in = false;
    return error;
}

static bool has(struct cache *cache, unsigned i, int64_t now_ms)
{
    const struct thing *thing = &cache->things[i];
    struct rv_lru_entry *entry = rv_lru_find(&cache->lru, thing->key, strlen(thing->key), now_ms);

    cr_assert(!entry || thing_of(entry) == thing);
    cr_assert_eq(entry != NULL, thing->in);
    return entry != NULL;
}

RV_TEST(lru, gives_up_the_least_recently_used)
{
    struct cache c;

    set_up(t, &c, 3, 1000);
    cr_assert_eq(add(&c, 0, 1, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 1, 1, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 2, 1, RV_LRU_NEVER), 0);
    cr_assert(has(&c, 0, 0)); /* now 1 is the oldest */
    cr_assert_eq(add(&c, 3, 1, RV_LRU_NEVER), 0);
    cr_assert(!has(&c, 1, 0));
    cr_assert_eq(c.things[1].reason, RV_LRU_EVICTED);
    cr_assert_eq(add(&c, 4, 1, RV_LRU_NEVER), 0);
    cr_assert(!has(&c, 2, 0));
    cr_assert(has(&c, 0, 0) && has(&c, 3, 0) && has(&c, 4, 0));
    cr_assert_eq(rv_lru_count(&c.lru), 3);
    rv_lru_done(&c.lru);
    cr_assert_eq(c.things[0].reason, RV_LRU_CLEARED);
    cr_assert_eq(rv_lru_count(&c.lru), 0);
    cr_assert_eq(c.lru.bytes, 0);
}

RV_TEST(lru, keeps_within_its_bytes)
{
    struct cache c;

    set_up(t, &c, 100, 100);
    cr_assert_eq(add(&c, 0, 40, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 1, 40, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 2, 20, RV_LRU_NEVER), 0);
    cr_assert(has(&c, 0, 0) && has(&c, 1, 0) && has(&c, 2, 0));
    cr_assert_eq(add(&c, 3, 50, RV_LRU_NEVER), 0); /* two go */
    cr_assert(!has(&c, 0, 0) && !has(&c, 1, 0));
    cr_assert(has(&c, 2, 0) && has(&c, 3, 0));
    cr_assert_eq(c.lru.bytes, 70);
    cr_assert_eq(add(&c, 4, 100, RV_LRU_NEVER), 0); /* all others go */
    cr_assert_eq(rv_lru_count(&c.lru), 1);
    cr_assert_eq(add(&c, 5, 101, RV_LRU_NEVER), REEVE_ETOOBIG); /* and none for this one */
    cr_assert(has(&c, 4, 0) && !has(&c, 5, 0));
    cr_assert_eq(c.lru.bytes, 100);
    rv_lru_done(&c.lru);
}

RV_TEST(lru, does_not_overflow_without_a_bound)
{
    struct cache c;

    set_up(t, &c, SIZE_MAX, SIZE_MAX);
    cr_assert_eq(add(&c, 0, SIZE_MAX - 1, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 1, 1, RV_LRU_NEVER), 0);
    cr_assert(has(&c, 0, 0) && has(&c, 1, 0));
    cr_assert_eq(add(&c, 2, 1, RV_LRU_NEVER), 0);
    cr_assert(!has(&c, 0, 0) && has(&c, 1, 0) && has(&c, 2, 0));
    rv_lru_done(&c.lru);
    set_up(t, &c, 0, 100);
    cr_assert_eq(add(&c, 0, 1, RV_LRU_NEVER), REEVE_ETOOBIG);
    rv_lru_done(&c.lru);
}

RV_TEST(lru, expires_at_the_deadline)
{
    struct cache c;

    set_up(t, &c, 10, 100);
    cr_assert_eq(add(&c, 0, 1, 1000), 0);
    cr_assert_eq(add(&c, 1, 1, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 2, 1, -5), 0);
    cr_assert(has(&c, 0, 999));
    cr_assert_null(rv_lru_find(&c.lru, "k0", 2, 1000));
    cr_assert_eq(c.things[0].reason, RV_LRU_EXPIRED);
    cr_assert_eq(c.things[0].gone, 1);
    cr_assert_null(rv_lru_find(&c.lru, "k0", 2, 0));
    cr_assert(has(&c, 1, INT64_MAX));
    cr_assert_null(rv_lru_find(&c.lru, "k2", 2, 0));
    cr_assert_eq(rv_lru_count(&c.lru), 1);
    cr_assert_eq(c.lru.bytes, 1);
    rv_lru_done(&c.lru);
}

RV_TEST(lru, replaces_what_has_the_same_key)
{
    struct cache c;

    set_up(t, &c, 2, 100);
    strcpy(c.things[2].key, c.things[0].key);
    cr_assert_eq(add(&c, 0, 60, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 1, 30, RV_LRU_NEVER), 0);
    cr_assert_eq(add(&c, 2, 70, RV_LRU_NEVER), 0); /* fits once the old one is out */
    cr_assert_eq(c.things[0].reason, RV_LRU_REPLACED);
    cr_assert_eq(thing_of(rv_lru_find(&c.lru, "k0", 2, 0)), &c.things[2]);
    cr_assert(has(&c, 1, 0));
    cr_assert_eq(c.lru.bytes, 100);
    rv_lru_remove(&c.lru, &c.things[2].entry);
    cr_assert_eq(c.things[2].gone, 0);
    cr_assert_eq(c.lru.bytes, 30);
    cr_assert_null(rv_lru_find(&c.lru, "k0", 2, 0));
    rv_lru_done(&c.lru);
}

/* A callback that puts the evicted thing back in under another key, once. */
static void put_back(struct rv_lru *lru, struct rv_lru_entry *entry, enum rv_lru_reason reason,
                     void *arg)
{
    struct thing *thing = thing_of(entry);

    (void)arg;
    thing->reason = reason;
    if (reason != RV_LRU_EVICTED || thing->gone++)
        return;
    cr_assert_null(rv_lru_find(lru, thing->key, strlen(thing->key), 0));
    thing->key[0] = 'b';
    cr_assert_eq(rv_lru_add(lru, entry, thing->key, strlen(thing->key), 10, RV_LRU_NEVER), 0);
}

RV_TEST(lru, may_be_used_from_its_callback)
{
    struct cache c;
    unsigned i;

    set_up(t, &c, 3, 30);
    c.lru.gone = put_back;
    for (i = 0; i < THINGS; i++) {
        cr_assert_eq(add(&c, i, 10, RV_LRU_NEVER), 0);
        cr_assert_leq(rv_lru_count(&c.lru), 3);
        cr_assert_eq(c.lru.bytes, 10 * rv_lru_count(&c.lru));
    }
    rv_lru_done(&c.lru);
}

/* Against a model that searches an array. */
RV_TEST(lru, agrees_with_a_simple_model)
{
    uint64_t used[THINGS] = {0};
    size_t bytes[THINGS] = {0};
    size_t sum, count;
    struct cache c;
    unsigned round, i, j;

    set_up(t, &c, 12, 200);
    for (round = 1; round < 50000; round++) {
        i = (unsigned)(rv_test_random(t) % THINGS);
        if (rv_test_random(t) % 2) {
            if (has(&c, i, 0))
                used[i] = round;
        } else if (!c.things[i].in) {
            bytes[i] = rv_test_random(t) % 40;
            cr_assert_eq(add(&c, i, bytes[i], RV_LRU_NEVER), 0);
            used[i] = round;
        } else {
            c.things[i].in = false;
            rv_lru_remove(&c.lru, &c.things[i].entry);
        }
        for (j = 0, sum = 0, count = 0; j < THINGS; j++) {
            sum += c.things[j].in ? bytes[j] : 0;
            count += c.things[j].in;
        }
        cr_assert_eq(c.lru.bytes, sum);
        cr_assert_eq(rv_lru_count(&c.lru), count);
        cr_assert(sum <= 200 && count <= 12);
        for (j = 0; j < THINGS; j++) /* what went just now was used before all that stayed */
            if (c.things[j].gone) {
                c.things[j].gone = 0;
                for (unsigned k = 0; k < THINGS; k++)
                    cr_assert(!c.things[k].in || used[k] > used[j]);
            }
    }
    rv_lru_done(&c.lru);
}

static int scenario(struct rv_test *t, void *arg)
{
    struct cache *c = arg;
    size_t bytes;
    unsigned i;
    int error = 0;

    set_up(t, c, 100, 100);
    for (i = 0; i < THINGS && !error; i++) {
        bytes = c->lru.bytes;
        error = add(c, i, 1, RV_LRU_NEVER);
        if (error)
            cr_assert_eq(c->lru.bytes, bytes);
    }
    rv_lru_done(&c->lru);
    return error;
}

RV_TEST(lru, survives_allocation_failure)
{
    struct cache c;

    RV_SWEEP_ALLOCATIONS(t, scenario, &c, 2);
}
