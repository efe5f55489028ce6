/* SPDX-License-Identifier: MIT */
/* Ways to leave a root. See file-ways.h. */
#include "tests/integration/file-ways.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct way ways[] = {
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

const size_t way_count = sizeof ways / sizeof ways[0];

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

void ways_world(struct world *world, struct rv_test *t)
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

void way_path(const struct world *world, const struct way *way, const char *behind, char *path,
              size_t size)
{
    if (way->path[0] == '@' || way->path[0] == '^')
        snprintf(path, size, "%s%s%s", way->path[0] == '@' ? world->inside : world->top,
                 way->path + 1, behind);
    else
        snprintf(path, size, "%s%s", way->path, behind);
}

bool ended_as(int error, const struct rv_file_problem *problem, unsigned ends)
{
    switch (error) {
    case REEVE_EOUTSIDE:
        return ends & OUTSIDE;
    case REEVE_ENOTFOUND:
    case REEVE_ENOTDIR:
        return ends & NO_NAME;
    case REEVE_ESYSTEM:
        return (ends & NO_FOLLOW) &&
               (problem->os_errno == ELOOP || problem->os_errno == ENAMETOOLONG);
    default:
        return false;
    }
}

/*
 * On a file system in memory a rename takes next to nothing, and the kernel gives up on ".."
 * beneath a root when anything was renamed meanwhile: without a pause now and then hardly a look
 * would end well.
 */
static void pause_after(unsigned swaps)
{
    const struct timespec moment = {.tv_nsec = 200 * 1000};

    if (swaps % 1024 == 0)
        nanosleep(&moment, NULL);
}

void swap_link(const struct world *world, struct shared *shared)
{
    char folder[128], link[128];

    snprintf(folder, sizeof folder, "%s/swap", world->inside);
    snprintf(link, sizeof link, "%s/way-out", world->inside);
    while (!shared->stop) {
        if (renameat2(AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE) != 0)
            _exit(1);
        pause_after(++shared->swaps);
    }
}

void move_folder(const struct world *world, struct shared *shared)
{
    char inside[128], outside[128];

    snprintf(inside, sizeof inside, "%s/x/y", world->inside);
    snprintf(outside, sizeof outside, "%s/y", world->outside);
    while (!shared->stop) {
        if (rename(inside, outside) != 0 || rename(outside, inside) != 0)
            _exit(1);
        shared->swaps += 2;
        pause_after(shared->swaps);
    }
}

void mover_start(struct mover *mover, const struct world *world,
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

unsigned mover_stop(struct mover *mover)
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
