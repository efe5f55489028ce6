/* SPDX-License-Identifier: MIT */
/*
 * Ways to leave the root: each is tried by reading and by listing, resolved by the kernel and by
 * the walk, at rest and while another process moves names about.
 */
#include "tests/integration/file-world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "SECRET: no agent may see this\n"

/* What a try may end with. */
enum {
    OUTSIDE = 1,   /* REEVE_EOUTSIDE */
    NO_NAME = 2,   /* there is no such thing inside: REEVE_ENOTFOUND, REEVE_ENOTDIR */
    NO_FOLLOW = 4, /* REEVE_ESYSTEM with ELOOP or ENAMETOOLONG */
};

struct way {
    const char
        *path; /* "@" at the front stands for the root's absolute path, "^" for its parent's */
    unsigned ends;
};

static const struct way ways[] = {
    /* Up, plainly. */
    {"..", OUTSIDE},
    {"../", OUTSIDE},
    {"../.", OUTSIDE},
    {".//..", OUTSIDE},
    {"../outside", OUTSIDE},
    {"../outside/secret", OUTSIDE},
    {"./../outside/secret", OUTSIDE},
    {"sub/../../outside/secret", OUTSIDE},
    {"sub/deep/../../../outside/secret", OUTSIDE},
    {"sub/deep/.././../../outside/secret", OUTSIDE},
    {"sub//..//..//outside//secret", OUTSIDE},
    {"sub/../sub/../../outside/secret/", OUTSIDE},
    {"../root/../outside/secret", OUTSIDE},
    {"../../../../../../../../../../../../etc/passwd", OUTSIDE},
    {"file/../../outside/secret", NO_NAME},
    {"nothing/../../outside/secret", NO_NAME},
    /* By an absolute path. */
    {"/", OUTSIDE},
    {"/etc/passwd", OUTSIDE},
    {"//etc/passwd", OUTSIDE},
    {"/./etc/passwd", OUTSIDE},
    {"/../etc/passwd", OUTSIDE},
    {"/proc/self/root/etc/passwd", OUTSIDE},
    {"/proc/self/cwd/../etc/passwd", OUTSIDE},
    {"/dev/fd/0", OUTSIDE},
    {"^", OUTSIDE},
    {"^/outside/secret", OUTSIDE},
    {"^/root-beside/secret", OUTSIDE},
    {"^/roo", OUTSIDE},
    {"^/./root/../outside/secret", OUTSIDE},
    {"@/..", OUTSIDE},
    {"@/../outside/secret", OUTSIDE},
    {"@/sub/../../outside/secret", OUTSIDE},
    {"@/../root/../outside/secret", OUTSIDE},
    {"@/../root/file", OUTSIDE}, /* which would even come back */
    /* By links. */
    {"abs-file", OUTSIDE},
    {"abs-folder/secret", OUTSIDE},
    {"abs-folder/", OUTSIDE},
    {"abs-inside", OUTSIDE}, /* an absolute target is refused even when it points inside */
    {"abs-slash/etc/passwd", OUTSIDE},
    {"abs-proc-root/etc/passwd", OUTSIDE},
    {"abs-proc-fd", OUTSIDE},
    {"rel-file", OUTSIDE},
    {"rel-folder", OUTSIDE},
    {"rel-folder/", OUTSIDE},
    {"rel-folder/secret", OUTSIDE},
    {"rel-folder/../outside/secret", OUTSIDE},
    {"rel-dots/outside/secret", OUTSIDE},
    {"rel-there-and-back", OUTSIDE},
    {"chain-1", OUTSIDE},
    {"chain-1/", OUTSIDE},
    {"sub/chain/secret", OUTSIDE},
    {"sub/to-root/../outside/secret", OUTSIDE},
    {"to-deep/../../../outside/secret", OUTSIDE},
    {"to-deep/../../outside/secret", NO_NAME}, /* is inside, whoever counts by the text */
    {"through-inner", OUTSIDE},
    {"sub/deep/up/secret", OUTSIDE},
    {"sub/deep/up-slash/secret", OUTSIDE},
    {"long-15", OUTSIDE},
    {"long-40", OUTSIDE | NO_FOLLOW}, /* when it starts over, the kernel counts some links twice */
    {"long-41", OUTSIDE | NO_FOLLOW},
    {"round-1/../outside/secret", NO_FOLLOW},
    /* Names that mean something elsewhere. */
    {".../outside/secret", NO_NAME},
    {"..\\outside\\secret", NO_NAME},
    {"%2e%2e/outside/secret", NO_NAME},
    {"..%2foutside/secret", NO_NAME},
    {"\xC0\xAE\xC0\xAE/outside/secret", NO_NAME},
    {"..\xC0\xAFoutside/secret", NO_NAME},
    {" ../outside/secret", NO_NAME},
    {".. /outside/secret", NO_NAME},
    {"..\n/outside/secret", NO_NAME},
    {"~/.profile", NO_NAME},
    {"~root/.profile", NO_NAME},
    {"$HOME/.profile", NO_NAME},
    {"file:///etc/passwd", NO_NAME},
    {"C:/outside/secret", NO_NAME},
};

static void link_absolute(const struct world *world, const char *below_top, const char *name)
{
    char target[256];

    snprintf(target, sizeof target, "%s/%s", world->top, below_top);
    world_link(world, target, name);
}

static void make_links(const struct world *world)
{
    char name[32], target[32];
    int i;

    link_absolute(world, "outside/secret", "abs-file");
    link_absolute(world, "outside", "abs-folder");
    link_absolute(world, "root/file", "abs-inside");
    world_link(world, "/", "abs-slash");
    world_link(world, "/proc/self/root", "abs-proc-root");
    world_link(world, "/proc/self/fd/0", "abs-proc-fd");
    world_link(world, "../outside/secret", "rel-file");
    world_link(world, "../outside", "rel-folder");
    world_link(world, "..", "rel-dots");
    world_link(world, "../root/file", "rel-there-and-back");
    world_link(world, "chain-2", "chain-1");
    world_link(world, "sub/chain-3", "chain-2");
    world_link(world, "deep/../../../outside", "sub/chain-3");
    world_link(world, "../chain-2", "sub/chain");
    world_link(world, "..", "sub/to-root");
    world_link(world, "sub/deep", "to-deep");
    world_link(world, "to-deep/../../../outside/secret", "through-inner");
    world_link(world, "../../../outside", "sub/deep/up");
    world_link(world, "../../../outside/", "sub/deep/up-slash");
    world_link(world, "round-2", "round-1");
    world_link(world, "round-1", "round-2");
    world_link(world, "../outside/secret", "long-1");
    for (i = 2; i <= 41; i++) {
        snprintf(name, sizeof name, "long-%d", i);
        snprintf(target, sizeof target, "long-%d", i - 1);
        world_link(world, target, name);
    }
}

static void make_world(struct world *world, struct rv_test *t)
{
    world_init(world, t);
    world_root(world);
    world_text(world, "../outside/secret", SECRET);
    world_folder(world, "../root-beside");
    world_text(world, "../root-beside/secret", SECRET);
    world_folder(world, "sub");
    world_folder(world, "sub/deep");
    world_text(world, "file", "inside\n");
    make_links(world);
}

static bool ended_as(const struct outcome *out, unsigned ends)
{
    switch (out->error) {
    case REEVE_EOUTSIDE:
        return ends & OUTSIDE;
    case REEVE_ENOTFOUND:
    case REEVE_ENOTDIR:
        return ends & NO_NAME;
    case REEVE_ESYSTEM:
        return (ends & NO_FOLLOW) &&
               (out->problem.os_errno == ELOOP || out->problem.os_errno == ENAMETOOLONG);
    default:
        return false;
    }
}

static void try_way(struct world *world, const struct way *way, bool walk)
{
    struct outcome out;
    char path[512];

    if (way->path[0] == '@' || way->path[0] == '^')
        snprintf(path, sizeof path, "%s%s", way->path[0] == '@' ? world->inside : world->top,
                 way->path + 1);
    else
        snprintf(path, sizeof path, "%s", way->path);
    read_whole(world, path, &out);
    cr_assert(ended_as(&out, way->ends), "read %s%s: %s, %d", path, walk ? " (walk)" : "",
              reeve_error_name(out.error), out.problem.os_errno);
    if (out.error == REEVE_EOUTSIDE)
        cr_assert_gt(strlen(out.problem.outside), 0, "%s", path);
    outcome_clear(&out);
    list_folder(world, path, true, &out);
    cr_assert(ended_as(&out, way->ends), "list %s%s: %s, %d", path, walk ? " (walk)" : "",
              reeve_error_name(out.error), out.problem.os_errno);
    outcome_clear(&out);
}

RV_TEST(file_outside, ways_out, .timeout = 30)
{
    struct world world;
    struct outcome out;
    size_t i, walk;

    make_world(&world, t);
    for (walk = 0; walk < 2; walk++) {
        cr_assert_eq(rv_root_force_walk(world.root, walk), walk, "openat2 is needed here");
        for (i = 0; i < sizeof ways / sizeof ways[0]; i++)
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

    make_world(&world, t);
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
        cr_assert(ended_as(&out, OUTSIDE | NO_FOLLOW | NO_NAME), "%s: %s, %d", path,
                  reeve_error_name(out.error), out.problem.os_errno);
        cr_assert(walk || out.problem.os_errno == ELOOP, "%s: %d", path, out.problem.os_errno);
        outcome_clear(&out);
        list_folder(&world, path, false, &out);
        cr_assert(ended_as(&out, OUTSIDE | NO_FOLLOW | NO_NAME), "%s: %s, %d", path,
                  reeve_error_name(out.error), out.problem.os_errno);
        outcome_clear(&out);
    }
    close(fd);
    world_done(&world);
}

/* Shared with the process that moves names about. */
struct shared {
    _Atomic unsigned swaps;
    _Atomic bool stop;
};

struct mover {
    struct shared *shared;
    pid_t pid;
};

/* The folder "swap" and a link to the outside take turns under the one name. */
static void swap_link(const struct world *world, struct shared *shared)
{
    char folder[128], link[128];

    snprintf(folder, sizeof folder, "%s/swap", world->inside);
    snprintf(link, sizeof link, "%s/way-out", world->inside);
    while (!shared->stop) {
        if (renameat2(AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE) != 0)
            _exit(1);
        shared->swaps++;
    }
}

/* The folder "x/y" is now inside, now outside: there ".." is another folder. */
static void move_folder(const struct world *world, struct shared *shared)
{
    char inside[128], outside[128];

    snprintf(inside, sizeof inside, "%s/x/y", world->inside);
    snprintf(outside, sizeof outside, "%s/y", world->outside);
    while (!shared->stop) {
        if (rename(inside, outside) != 0 || rename(outside, inside) != 0)
            _exit(1);
        shared->swaps += 2;
    }
}

static void mover_start(struct mover *mover, const struct world *world,
                        void (*move)(const struct world *world, struct shared *shared))
{
    mover->shared = mmap(NULL, sizeof *mover->shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(mover->shared, MAP_FAILED);
    mover->pid = fork();
    cr_assert_geq(mover->pid, 0);
    if (mover->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not stop it */
        move(world, mover->shared);
        _exit(0);
    }
}

static unsigned mover_stop(struct mover *mover)
{
    unsigned swaps;
    int status;

    mover->shared->stop = true;
    cr_assert_eq(waitpid(mover->pid, &status, 0), mover->pid);
    cr_assert_eq(status, 0);
    swaps = mover->shared->swaps;
    munmap(mover->shared, sizeof *mover->shared);
    return swaps;
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

/* Reads and lists while names move, by one way of resolving. */
static void race(struct world *world, bool walk, const char *file, const char *folder,
                 void (*move)(const struct world *world, struct shared *shared))
{
    struct tally tally = {0};
    struct outcome out;
    struct mover mover;
    unsigned swaps;

    cr_assert_eq(rv_root_force_walk(world->root, walk), walk);
    mover_start(&mover, world, move);
    while (mover.shared->swaps < SWAPS || tally.inside < 100) {
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
