/* SPDX-License-Identifier: MIT */
/* What paths come to: however they are written, through links, for what does not exist. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file_op.h"
#include "io/file_resolve.h"
#include "tests/integration/file-world.h"

struct resolved {
    int called, error;
    char path[4096];
};

static void on_done(struct rv_file_resolve *resolve, int error, void *arg)
{
    struct resolved *resolved = arg;

    resolved->called++;
    resolved->error = error;
    if (error != REEVE_ECANCELED)
        strcpy(resolved->path, rv_file_resolve_path(resolve));
}

static int begin(struct world *world, const char *path, bool anywhere, struct resolved *resolved,
                 struct rv_file_resolve **ret_resolve)
{
    const struct rv_file_resolve_options options = {
        .path = path, .anywhere = anywhere, .on_done = on_done, .arg = resolved};

    *resolved = (struct resolved){0};
    return rv_file_resolve_start(world->root, &options, ret_resolve);
}

static void resolve(struct world *world, const char *path, bool anywhere, struct resolved *resolved)
{
    struct rv_file_resolve *request;

    cr_assert_eq(begin(world, path, anywhere, resolved, &request), 0);
    run(world);
    cr_assert_eq(resolved->called, 1);
}

/* Beneath the root: what each comes to, and with which code. "~" is the root. */
static const struct {
    const char *path, *comes_to;
    int error;
} cases[] = {
    {"a", "~/a", 0},
    {"./a", "~/a", 0},
    {".//dir/../a", "~/a", 0},
    {"none/../a", "~/a", 0},
    {"link", "~/a", 0},
    {"dir/up", "~/a", 0},
    {"ways/up", "~/a", 0},
    {"ways/../a", "~/a", 0},
    {"ways", "~/dir", 0},
    {"ways/", "~/dir", 0},
    {".", "~", 0},
    {"new", "~/new", 0},
    {"new/", "~/new", 0},
    {"dir/new", "~/dir/new", 0},
    {"ways/new", "~/dir/new", 0},
    {"ways/none/./x/../new", "~/dir/none/new", 0},
    {"ways/none/../../a", "~/a", 0},
    {"none/x/../../link", "~/a", 0},
    {"dangling", "~/dir/not/yet", 0},
    {"dangling/x", "~/dir/not/yet/x", 0},
    {"a/below", "~/a/below", 0},
    {"a/../dir", "~/dir", 0},
    {"gone (deleted)", "~/gone (deleted)", 0},
    {"loop", "~/loop", REEVE_ESYSTEM},
    {"loop/x/../y", "~/loop/y", REEVE_ESYSTEM},
    {"../outside/x", "^/outside/x", REEVE_EOUTSIDE},
    {"out/x", "~/out/x", REEVE_EOUTSIDE},
    {"absolute/x", "~/absolute/x", REEVE_EOUTSIDE},
    {"/etc/../x", "/x", REEVE_EOUTSIDE},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void open_tree(struct world *world, struct rv_test *t)
{
    world_init(world, t);
    world_text(world, "a", "x");
    world_folder(world, "dir");
    world_text(world, "gone (deleted)", "x");
    world_link(world, "a", "link");
    world_link(world, "../a", "dir/up");
    world_link(world, "./dir/", "ways");
    world_link(world, "ways/not/yet", "dangling");
    world_link(world, "loop", "loop");
    world_link(world, "../outside", "out");
    world_link(world, world->outside, "absolute");
    world_root(world);
}

/* The root as the system writes it. */
static void expected_of(const struct world *world, const char *comes_to, char *out)
{
    char real[4096];

    cr_assert_not_null(realpath(comes_to[0] == '^' ? world->top : world->inside, real));
    snprintf(out, 4096, "%s%s", comes_to[0] == '/' ? "" : real, comes_to + (comes_to[0] != '/'));
}

static void check_cases(struct world *world, const char *how)
{
    struct resolved resolved;
    char expected[4096], path[4096];
    size_t i;

    for (i = 0; i < CASES; i++) {
        expected_of(world, cases[i].comes_to, expected);
        resolve(world, cases[i].path, false, &resolved);
        cr_assert_str_eq(resolved.path, expected, "%s: %s came to %s", how, cases[i].path,
                         resolved.path);
        cr_assert_eq(resolved.error, cases[i].error, "%s: %s: %d", how, cases[i].path,
                     resolved.error);
        if (cases[i].error || cases[i].path[0] == '/')
            continue;
        snprintf(path, sizeof path, "%s/%s", world->inside, cases[i].path);
        resolve(world, path, false, &resolved);
        cr_assert_str_eq(resolved.path, expected, "%s: %s", how, path);
        resolve(world, path, true, &resolved);
        cr_assert_str_eq(resolved.path, expected, "%s: %s, a host's", how, path);
    }
}

RV_TEST(resolve, however_it_is_done, .timeout = 60)
{
    struct world world;

    open_tree(&world, t);
    check_cases(&world, "as the kernel holds it");
    rv_file_force_backend(world.runtime, RV_FILE_BACKEND_SLICES);
    check_cases(&world, "in slices");
    if (rv_file_force_backend(world.runtime, RV_FILE_BACKEND_URING))
        check_cases(&world, "by io_uring");
    rv_root_force_walk(world.root, true);
    check_cases(&world, "by the walk");
    world_done(&world);
}

/* A host's own paths follow absolute links, and begin in the working folder. */
RV_TEST(resolve, a_hosts_paths_lead_anywhere)
{
    struct world world;
    struct resolved resolved;
    char expected[4096], before[4096], out[4096];
    int walk;

    open_tree(&world, t);
    cr_assert_not_null(getcwd(before, sizeof before));
    cr_assert_eq(chdir(world.inside), 0);
    for (walk = 0; walk < 2; walk++) {
        struct rv_root *own = world.root, *top;

        cr_assert_eq(rv_root_new(world.runtime, "/", &top), 0);
        world.root = top;
        rv_root_force_walk(top, walk);
        expected_of(&world, "^/outside/x", expected);
        resolve(&world, "absolute/x", true, &resolved);
        cr_assert_eq(resolved.error, 0);
        cr_assert_str_eq(resolved.path, expected);
        resolve(&world, "out/./x", true, &resolved);
        cr_assert_str_eq(resolved.path, expected);
        expected_of(&world, "~/dir/n/m", expected);
        resolve(&world, "ways/n/../n/m", true, &resolved);
        cr_assert_str_eq(resolved.path, expected);
        resolve(&world, "/../../..", true, &resolved);
        cr_assert_str_eq(resolved.path, "/");
        snprintf(out, sizeof out, "%s/loop/../loop/y", world.inside);
        resolve(&world, out, true, &resolved);
        cr_assert_eq(resolved.error, REEVE_ESYSTEM);
        rv_root_free(top);
        world.root = own;
    }
    cr_assert_eq(chdir(before), 0);
    world_done(&world);
}

RV_TEST(resolve, is_cancelled_and_aborted)
{
    struct rv_file_resolve *request;
    struct resolved resolved;
    struct world world;

    open_tree(&world, t);
    rv_file_force_backend(world.runtime, RV_FILE_BACKEND_URING);
    cr_assert_eq(begin(&world, "dir/new", false, &resolved, &request), 0);
    rv_file_resolve_cancel(request);
    rv_file_resolve_cancel(request);
    cr_assert_eq(resolved.called, 0);
    run(&world);
    cr_assert_eq(resolved.called, 1);
    cr_assert_eq(resolved.error, REEVE_ECANCELED);
    cr_assert_eq(begin(&world, "dir/new", false, &resolved, &request), 0);
    rv_file_resolve_abort(request);
    cr_assert_eq(resolved.called, 1);
    cr_assert_eq(resolved.error, REEVE_ECANCELED);
    cr_assert_eq(begin(&world, "", false, &resolved, &request), REEVE_EINVAL);
    world_done(&world);
}
