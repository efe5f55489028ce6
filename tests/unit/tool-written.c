/* SPDX-License-Identifier: MIT */
/* The times of writes: what they reach, how long they last, and what is left when names run out. */
#include "tool/written.h"

#include "tests/lib/failing.h"
#include "tests/lib/test.h"

#include <reeve/error.h>
#include <stdio.h>

static struct rv_written written;

static void begin(struct rv_test *t)
{
    rv_written_init(&written, t->mem);
}

static void end(struct rv_test *t)
{
    (void)t;
    rv_written_done(&written);
}

#define WRITTEN_TEST(name) RV_TEST(written, name, RV_FIXTURE(begin, end))

static struct reeve_claim write_of(const char *kind, const char *key)
{
    return (struct reeve_claim){.effect = REEVE_EFFECT_WRITE, .kind = kind, .key = key};
}

static void do_write(const char *kind, const char *key)
{
    struct reeve_claim claim = write_of(kind, key);

    rv_written_end(&written, rv_written_begin(&written, &claim, 1), &claim, 1);
}

static bool is_right(const char *kind, const char *key, uint64_t since)
{
    return rv_written_is_right(&written, kind, key, since);
}

WRITTEN_TEST(a_write_reaches_what_is_above_and_below)
{
    static const struct {
        const char *kind, *key;
        bool reached;
    } rows[] = {
        {"path", "/a/b", true},   {"path", "/a", true},         {"path", "/", true},
        {"path", "/a/b/c", true}, {"path", "/a/b/c/d/e", true}, {"path", "/a/bc", false},
        {"path", "/a/", true},    {"path", "/ab", false},       {"path", "/a/c", false},
        {"path", "/b", false},    {"path", "/a/bb/c", false},   {"db", "/a/b", false},
        {"path ", "/a/b", false}, {"pat", "/a/b", false},
    };
    uint64_t before;
    size_t i, again;

    for (again = 0; again < 2; again++) { /* the second time all names are there */
        before = written.now;
        do_write("path", "/a/b");
        for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            cr_assert_eq(is_right(rows[i].kind, rows[i].key, before), !rows[i].reached, "%s %s",
                         rows[i].kind, rows[i].key);
            cr_assert(is_right(rows[i].kind, rows[i].key, written.now));
        }
        cr_assert_not(rv_written_are_right(&written, true, NULL, 0, before));
        cr_assert(rv_written_are_right(&written, true, NULL, 0, written.now));
        cr_assert_not(rv_written_is_quiet(&written, before));
        cr_assert(rv_written_is_quiet(&written, written.now));
        before = written.now;
        do_write("path", "/a/bc"); /* makes the name of a neighbour */
        cr_assert(is_right("path", "/a/b", before));
        before = written.now;
        do_write("db", "/a/b");
        cr_assert(is_right("path", "/a/b", before));
        cr_assert_not(is_right("db", "/a/b", before));
        cr_assert(is_right("db", "/a", before), "only paths have parts");
    }
}

WRITTEN_TEST(a_write_lasts_from_its_beginning_to_its_end)
{
    struct reeve_claim claim = write_of("path", "/a/b");
    uint64_t before = written.now, during, after;
    enum rv_write write = rv_written_begin(&written, &claim, 1);

    during = written.now;
    cr_assert_eq(write, RV_WRITE_CLAIMS);
    cr_assert_gt(during, before);
    cr_assert_not(is_right("path", "/a", during));
    cr_assert_not(is_right("path", "/a/b/c", during));
    cr_assert_not(rv_written_are_right(&written, true, NULL, 0, during));
    cr_assert_not(rv_written_is_quiet(&written, during));
    cr_assert(is_right("path", "/c", before));
    rv_written_end(&written, write, &claim, 1);
    after = written.now;
    cr_assert_gt(after, during);
    cr_assert_not(is_right("path", "/a/b", during));
    cr_assert(is_right("path", "/a/b", after));
    cr_assert_eq(written.active, 0);
}

/* Two at once, of which one ends: the other still lasts. */
WRITTEN_TEST(writes_of_the_same_are_counted)
{
    struct reeve_claim claims[2] = {write_of("path", "/a"), write_of("path", "/a/b")};
    enum rv_write one = rv_written_begin(&written, claims, 2);
    enum rv_write other = rv_written_begin(&written, claims, 1);

    rv_written_end(&written, other, claims, 1);
    cr_assert_not(is_right("path", "/a", written.now));
    cr_assert_not(is_right("path", "/a/b", written.now));
    rv_written_end(&written, one, claims, 2);
    cr_assert(is_right("path", "/a", written.now));
    cr_assert(is_right("path", "/a/b", written.now));
    cr_assert(is_right("path", "/", written.now));
}

WRITTEN_TEST(reads_among_the_claims_are_no_writes)
{
    struct reeve_claim claims[2] = {write_of("path", "/a"), write_of("path", "/b")};
    uint64_t before = written.now;
    enum rv_write write;

    claims[0].effect = REEVE_EFFECT_READ;
    write = rv_written_begin(&written, claims, 2);
    cr_assert(is_right("path", "/a", before));
    cr_assert_not(is_right("path", "/b", before));
    rv_written_end(&written, write, claims, 2);
    write = rv_written_begin(&written, claims, 0);
    rv_written_end(&written, write, claims, 0);
    cr_assert(is_right("path", "/a", before));
}

WRITTEN_TEST(everything_is_what_it_says)
{
    struct reeve_claim claims[2] = {write_of("path", "/a"), write_of("path", "/b")};
    uint64_t before = written.now;
    enum rv_write write;
    int way;

    for (way = 0; way < 3; way++) {
        claims[1].effect = REEVE_EFFECT_UNKNOWN;
        write = RV_WRITE_NONE;
        if (way == 0)
            write = rv_written_begin_all(&written);
        else if (way == 1)
            write = rv_written_begin(&written, claims, 2);
        else
            rv_written_touch_all(&written);
        if (way < 2) {
            cr_assert_eq(write, RV_WRITE_EVERYTHING);
            cr_assert_not(is_right("path", "/never/seen", written.now));
            cr_assert_not(is_right("db", "k", written.now));
            cr_assert_not(is_right("", "", written.now));
        }
        rv_written_end(&written, write, claims, 2);
        cr_assert_not(is_right("path", "/never/seen", before));
        cr_assert_not(is_right("db", "k", before));
        cr_assert_not(is_right("", "", before));
        cr_assert_not(rv_written_are_right(&written, true, NULL, 0, before));
        cr_assert(is_right("db", "k", written.now));
        before = written.now;
    }
}

/* A write that was none (REEVE_EFFECT_READ calls) ends without a trace. */
WRITTEN_TEST(nothing_is_nothing)
{
    uint64_t before = written.now;

    rv_written_end(&written, RV_WRITE_NONE, NULL, 0);
    cr_assert(rv_written_is_quiet(&written, before));
}

/* ---- bounds ----------------------------------------------------------------------------------
 */

enum { MANY = 40000 };

WRITTEN_TEST(names_are_bounded_and_what_is_forgotten_counts_as_written)
{
    uint64_t first, before = written.now;
    size_t forgotten = 0, i;
    char key[32];

    do_write("path", "/early");
    first = written.now;
    for (i = 0; i < MANY; i++) {
        size_t had = written.resources.count;

        snprintf(key, sizeof key, "/d/%zu", i);
        before = written.now;
        do_write("path", key);
        cr_assert_not(is_right("path", key, before));
        cr_assert(is_right("path", key, written.now));
        forgotten += written.resources.count < had;
        cr_assert_leq(written.resources.count, 16384 + 4);
        if (!forgotten)
            cr_assert(is_right("path", "/early", first), "after %zu names", i);
    }
    cr_assert_eq(forgotten, MANY / 16384);
    cr_assert_not(is_right("path", "/early", first));
    cr_assert_not(is_right("db", "k", first));
    cr_assert(is_right("db", "k", written.now));
}

/* While a write is under way its names stay, up to a bound past which new ones count as everything.
 */
WRITTEN_TEST(names_of_a_write_under_way_are_not_forgotten)
{
    struct reeve_claim claim = write_of("path", "/long");
    enum rv_write write = rv_written_begin(&written, &claim, 1);
    size_t everything = 0, i;
    char key[32];

    for (i = 0; i < MANY; i++) {
        struct reeve_claim other = write_of("path", key);
        enum rv_write its;

        snprintf(key, sizeof key, "/d/%zu", i);
        its = rv_written_begin(&written, &other, 1);
        everything += its == RV_WRITE_EVERYTHING;
        cr_assert_not(is_right("path", key, written.now));
        rv_written_end(&written, its, &other, 1);
        cr_assert_not(is_right("path", "/long", written.now));
        cr_assert(is_right("path", key, written.now));
    }
    cr_assert_leq(written.resources.count, 2 * 16384 + 4);
    cr_assert_gt(everything, 0);
    rv_written_end(&written, write, &claim, 1);
    cr_assert(is_right("path", "/long", written.now));
    do_write("path", "/x");
    cr_assert_lt(written.resources.count, 10, "they are forgotten now");
}

/* Without memory for a name the write is of everything. */
static int write_some(struct rv_test *run, void *arg)
{
    struct rv_written own;
    struct reeve_claim claims[2] = {write_of("path", "/a/b/c"), write_of("db", "k")};
    uint64_t before;
    size_t i;

    (void)arg;
    rv_written_init(&own, run->mem);
    for (i = 0; i < 400; i++) {
        char key[64];
        enum rv_write write;

        snprintf(key, sizeof key, "/a/%040zu/c", i);
        claims[0].key = key;
        before = own.now;
        write = rv_written_begin(&own, claims, 2);
        cr_assert(write == RV_WRITE_CLAIMS || run->failing.refused);
        cr_assert_not(rv_written_is_right(&own, "path", key, own.now));
        rv_written_end(&own, write, claims, 2);
        cr_assert_not(rv_written_is_right(&own, "path", key, before));
        cr_assert_not(rv_written_is_right(&own, "db", "k", before));
        cr_assert_eq(rv_written_is_right(&own, "db", "l", before), write == RV_WRITE_CLAIMS);
        cr_assert(rv_written_is_right(&own, "path", key, own.now));
        cr_assert_eq(own.active, 0);
    }
    rv_written_done(&own);
    return 0;
}

RV_TEST(written, survive_any_failed_allocation)
{
    RV_SWEEP_ALLOCATIONS(t, write_some, NULL, 3);
}
