/* SPDX-License-Identifier: MIT */
/* The hash map: any keys, any order, and no memory. */
#include "tests/lib/test.h"

#include "base/hash.h"
#include "base/map.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 20000 };

struct thing {
    struct rv_map_node node;
    unsigned number;
    char key[24];
};

static struct thing *thing_of(struct rv_map_node *node)
{
    return node ? rv_map_entry(node, struct thing, node) : NULL;
}

static struct thing *new_things(struct rv_test *t, size_t count)
{
    struct thing *things = rv_alloc_array(t->mem, count, sizeof *things);
    unsigned i;

    cr_assert_not_null(things);
    for (i = 0; i < count; i++) {
        things[i].number = i;
        snprintf(things[i].key, sizeof things[i].key, "thing %u", i);
    }
    return things;
}

RV_TEST(map, finds_what_was_added_and_nothing_else)
{
    struct thing *things = new_things(t, MANY);
    struct rv_map_node *node, *after;
    struct rv_map map;
    unsigned i;

    rv_map_init(&map, t->mem);
    cr_assert_null(rv_map_find_text(&map, "thing 1"));
    for (i = 0; i < MANY; i++)
        cr_assert_eq(rv_map_add_text(&map, &things[i].node, things[i].key), 0);
    cr_assert_eq(rv_map_count(&map), MANY);
    for (i = 0; i < MANY; i++)
        cr_assert_eq(thing_of(rv_map_find_text(&map, things[i].key)), &things[i]);
    cr_assert_null(rv_map_find_text(&map, "thing"));
    cr_assert_null(rv_map_find_text(&map, ""));

    i = 0; /* in the order they came, every other one taken out on the way */
    rv_map_for_each_safe(node, after, &map)
    {
        cr_assert_eq(thing_of(node)->number, i++);
        if (i % 2)
            rv_map_remove(&map, node);
    }
    cr_assert_eq(i, MANY);
    cr_assert_eq(rv_map_count(&map), MANY / 2);
    for (i = 0; i < MANY; i++)
        cr_assert_eq(thing_of(rv_map_find_text(&map, things[i].key)), i % 2 ? &things[i] : NULL);
    rv_map_done(&map);
    cr_assert_eq(rv_map_count(&map), 0);
    rv_free(t->mem, things);
}

RV_TEST(map, takes_any_bytes_as_a_key)
{
    static const char bytes[] = "\0\0a\0\xFF\0\0\0";
    struct thing things[sizeof bytes];
    struct rv_map map;
    size_t len, found;

    rv_map_init(&map, t->mem);
    for (len = 0; len < sizeof bytes; len++)
        cr_assert_eq(rv_map_add(&map, &things[len].node, bytes, len), 0);
    for (len = 0; len < sizeof bytes; len++) {
        cr_assert_eq(thing_of(rv_map_find(&map, bytes, len)), &things[len]);
        cr_assert_eq(rv_map_key(&things[len].node, &found), bytes);
        cr_assert_eq(found, len);
    }
    rv_map_done(&map);
}

RV_TEST(map, refuses_a_key_that_is_there_or_replaces_it)
{
    struct thing *things = new_things(t, 3);
    struct rv_map_node *old = &things[2].node;
    struct rv_map map;

    rv_map_init(&map, t->mem);
    cr_assert_eq(rv_map_replace(&map, &things[0].node, "k", 1, &old), 0);
    cr_assert_null(old);
    cr_assert_eq(rv_map_add(&map, &things[1].node, "k", 1), REEVE_EEXIST);
    cr_assert_eq(thing_of(rv_map_find(&map, "k", 1)), &things[0]);
    cr_assert_eq(rv_map_replace(&map, &things[1].node, "k", 1, &old), 0);
    cr_assert_eq(thing_of(old), &things[0]);
    cr_assert_eq(thing_of(rv_map_find(&map, "k", 1)), &things[1]);
    cr_assert_eq(rv_map_count(&map), 1);
    rv_map_remove(&map, &things[1].node);
    cr_assert_null(rv_map_find(&map, "k", 1));
    cr_assert_eq(rv_map_add(&map, &things[2].node, "k", 1), 0);
    rv_map_done(&map);
    rv_free(t->mem, things);
}

/* Against a plain array, with keys that come and go. */
RV_TEST(map, agrees_with_an_array)
{
    enum { KEYS = 300 };
    struct thing *things = new_things(t, KEYS);
    bool present[KEYS] = {false};
    size_t count = 0;
    struct rv_map map;
    unsigned round, i;

    rv_map_init(&map, t->mem);
    for (round = 0; round < 100000; round++) {
        i = (unsigned)(rv_test_random(t) % KEYS);
        cr_assert_eq(thing_of(rv_map_find_text(&map, things[i].key)),
                     present[i] ? &things[i] : NULL);
        if (rv_test_random(t) % 64 == 0 && count) { /* down to nothing now and then */
            rv_map_done(&map);
            memset(present, 0, sizeof present);
            count = 0;
        } else if (present[i]) {
            rv_map_remove(&map, &things[i].node);
            present[i] = false;
            count--;
        } else {
            cr_assert_eq(rv_map_add_text(&map, &things[i].node, things[i].key), 0);
            present[i] = true;
            count++;
        }
        cr_assert_eq(rv_map_count(&map), count);
    }
    rv_map_done(&map);
    rv_free(t->mem, things);
}

/* Every addition that is refused leaves the map as it was, and works when it is tried again. */
static int scenario(struct rv_test *t, void *arg)
{
    enum { COUNT = 2000 };
    struct thing *things = arg;
    struct rv_map map;
    int error, seen = 0;
    unsigned i, j;

    rv_map_init(&map, t->mem);
    map.seed = 1; /* how often the table grows hangs on the hashes: the same ones in each run */
    for (i = 0; i < COUNT; i++) {
        error = rv_map_add_text(&map, &things[i].node, things[i].key);
        if (!error)
            continue;
        seen = error;
        cr_assert_eq(rv_map_count(&map), i);
        cr_assert_null(rv_map_find_text(&map, things[i].key));
        for (j = 0; j < i; j++)
            cr_assert_eq(thing_of(rv_map_find_text(&map, things[j].key)), &things[j]);
        if (rv_map_add_text(&map, &things[i].node, things[i].key))
            break; /* still no memory */
    }
    for (j = 0; j < i; j++)
        cr_assert_eq(thing_of(rv_map_find_text(&map, things[j].key)), &things[j]);
    rv_map_done(&map);
    return seen;
}

RV_TEST(map, survives_allocation_failure)
{
    struct thing *things = new_things(t, 2000);

    RV_SWEEP_ALLOCATIONS(t, scenario, things, 6);
    rv_free(t->mem, things);
}

RV_TEST(hash, spreads_keys_and_depends_on_the_seed)
{
    enum { BUCKETS = 1024, KEYS = 64 * BUCKETS };
    unsigned count[BUCKETS] = {0};
    char key[32];
    unsigned i, same = 0;
    int len;

    for (i = 0; i < KEYS; i++) {
        len = snprintf(key, sizeof key, "/some/path/%u.txt", i);
        count[rv_hash(1, key, (size_t)len) % BUCKETS]++;
        same += rv_hash(1, key, (size_t)len) % BUCKETS == rv_hash(2, key, (size_t)len) % BUCKETS;
    }
    for (i = 0; i < BUCKETS; i++)
        cr_assert(count[i] > 16 && count[i] < 160, "%u keys in bucket %u", count[i], i);
    cr_assert_lt(same, 160); /* one in 1024 by chance */
}

/* Lengths count, and every bit of every byte does. */
RV_TEST(hash, tells_keys_apart_by_one_bit)
{
    unsigned char key[40] = {0}, flipped[40];
    size_t len, bit;

    for (len = 0; len < sizeof key; len++) {
        cr_assert_neq(rv_hash(7, key, len), rv_hash(7, key, len + 1));
        for (bit = 0; bit < len * 8; bit++) {
            memcpy(flipped, key, sizeof key);
            flipped[bit / 8] ^= (unsigned char)(1 << bit % 8);
            cr_assert_neq(rv_hash(7, key, len), rv_hash(7, flipped, len));
        }
    }
}
