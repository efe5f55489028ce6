/* SPDX-License-Identifier: MIT */
/*
 * Ways to leave the root: each is tried by reading and by listing, resolved by the kernel and by
 * the walk, at rest and while another process moves names about.
 */
#include "tests/integration/file-ways.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void try_way(struct world *world, const struct way *way, bool walk)
{
    struct outcome out;
    char path[512];

    way_path(world, way, "", path, sizeof path);
    read_whole(world, path, &out);
    cr_assert(ended_as(out.error, &out.problem, way->ends), "read %s%s: %s, %d", path,
              walk ? " (walk)" : "", reeve_error_name(out.error), out.problem.os_errno);
    if (out.error == REEVE_EOUTSIDE)
        cr_assert_gt(strlen(out.problem.outside), 0, "%s", path);
    outcome_clear(&out);
    list_folder(world, path, true, &out);
    cr_assert(ended_as(out.error, &out.problem, way->ends), "list %s%s: %s, %d", path,
              walk ? " (walk)" : "", reeve_error_name(out.error), out.problem.os_errno);
    outcome_clear(&out);
}

RV_TEST(file_outside, ways_out, .timeout = 30)
{
    struct world world;
    struct outcome out;
    size_t i, walk;

    ways_world(&world, t);
    for (walk = 0; walk < 2; walk++) {
        cr_assert_eq(rv_root_force_walk(world.root, walk), walk, "openat2 is needed here");
        for (i = 0; i < way_count; i++)
            try_way(&world, &ways[i], walk);
        /* And what is inside can be read on long ways too. */
        read_whole(&world, "sub/to-root/to-deep/../to-root/./sub/../file", &out);
        cr_assert_eq(out.error, 0, "%s", reeve_error_name(out.error));
        cr_assert_str_eq(out.text, "inside\n");
        outcome_clear(&out);
    }
    fprintf(stderr, "%zu ways, each by reading and listing, by the kernel and by the walk\n", i);
    cr_assert_geq(i, 40);
    world_done(&world);
}

/* Links that are no text to be followed but doors: they must not open. */
RV_TEST(file_outside, magic_links)
{
    char names[][32] = {"root/etc/passwd", "root", "cwd", "cwd/..", "exe", "fd/0", "", "", "", ""};
    const size_t count = sizeof names / sizeof names[0];
    struct world world;
    struct outcome out;
    const char *path;
    size_t i, walk;
    int fd;

    ways_world(&world, t);
    fd = open(world.outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    snprintf(names[count - 4], sizeof names[0], "fd/%d", fd);
    snprintf(names[count - 3], sizeof names[0], "fd/%d/secret", fd);
    snprintf(names[count - 2], sizeof names[0], "fd/%d/../outside", fd);
    snprintf(names[count - 1], sizeof names[0], "task/%d/root/etc/passwd", getpid());
    rv_root_free(world.root);
    cr_assert_eq(rv_root_new(world.runtime, "/proc/self", &world.root), 0);
    for (i = 0; i < 2 * count; i++) {
        walk = i % 2;
        rv_root_force_walk(world.root, walk);
        path = names[i / 2];
        read_whole(&world, path, &out);
        cr_assert(ended_as(out.error, &out.problem, OUTSIDE | NO_FOLLOW | NO_NAME), "%s: %s, %d",
                  path, reeve_error_name(out.error), out.problem.os_errno);
        cr_assert(walk || out.problem.os_errno == ELOOP, "%s: %d", path, out.problem.os_errno);
        outcome_clear(&out);
        list_folder(&world, path, false, &out);
        cr_assert(ended_as(out.error, &out.problem, OUTSIDE | NO_FOLLOW | NO_NAME), "%s: %s, %d",
                  path, reeve_error_name(out.error), out.problem.os_errno);
        outcome_clear(&out);
    }
    close(fd);
    world_done(&world);
}

/* What came of the tries. */
struct tally {
    unsigned inside;
    unsigned refused;
};

static void count(struct tally *tally, const struct outcome *out)
{
    cr_assert_neq(out->error, REEVE_ESYSTEM, "errno %d", out->problem.os_errno);
    if (out->error)
        tally->refused++;
    else
        tally->inside++;
    if (!out->error && out->text)
        cr_assert_str_eq(out->text, "inside\n", "what is outside came in: %s", out->text);
    if (!out->error && out->names)
        cr_assert_null(strstr(out->names, "secret"), "what is outside came in: %s", out->names);
}

#define SWAPS 3000

/* Reads and lists while names move, by one way of resolving, until both ends have been met often.
 */
static void race(struct world *world, bool walk, const char *file, const char *folder,
                 void (*move)(const struct world *world, struct shared *shared))
{
    struct tally tally = {0};
    struct outcome out;
    struct mover mover;
    unsigned swaps;

    cr_assert_eq(rv_root_force_walk(world->root, walk), walk);
    mover_start(&mover, world, move);
    while (mover.shared->swaps < SWAPS || tally.inside < 100 || tally.refused < 50) {
        read_whole(world, file, &out);
        count(&tally, &out);
        outcome_clear(&out);
        list_folder(world, folder, true, &out);
        count(&tally, &out);
        outcome_clear(&out);
    }
    swaps = mover_stop(&mover);
    fprintf(stderr, "%s%s: %u swaps, %u came from inside, %u refused\n", file,
            walk ? " (walk)" : "", swaps, tally.inside, tally.refused);
}

RV_TEST(file_outside, link_in_a_race, .timeout = 60)
{
    struct world world;
    int walk;

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "../outside/f", SECRET);
    world_text(&world, "../outside/secret", SECRET);
    world_folder(&world, "swap");
    world_text(&world, "swap/f", "inside\n");
    world_link(&world, "../outside", "way-out");
    for (walk = 0; walk < 2; walk++) {
        race(&world, walk, "swap/f", "swap", swap_link);
        race(&world, walk, "./swap/../swap/f", ".", swap_link);
    }
    world_done(&world);
}

RV_TEST(file_outside, folder_moved_out_in_a_race, .timeout = 60)
{
    struct world world;
    int walk;

    world_init(&world, t);
    world_root(&world);
    /* Two steps up from outside/y. */
    world_text(&world, "../f", SECRET);
    world_text(&world, "../secret", SECRET);
    world_text(&world, "../outside/secret", SECRET);
    world_folder(&world, "x");
    world_folder(&world, "x/y");
    world_text(&world, "f", "inside\n");
    for (walk = 0; walk < 2; walk++) {
        race(&world, walk, "x/y/../../f", "x/y/..", move_folder);
        race(&world, walk, "x/y/../y/../../f", "x/y/../../x", move_folder);
    }
    world_done(&world);
}
