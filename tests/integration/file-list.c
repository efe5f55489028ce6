/* SPDX-License-Identifier: MIT */
/* Listing folders beneath a root, on the real loop and file system. */
#include "tests/integration/file-world.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/runtime.h"

#define MANY 100000

static void expect_names(struct world *world, const char *path, bool recursive, const char *names)
{
    struct outcome out;

    list_folder(world, path, recursive, &out);
    cr_assert_eq(out.error, 0, "%s: %s", path, reeve_error_name(out.error));
    cr_assert_str_eq(out.names, names);
    cr_assert(out.listing.complete);
    outcome_clear(&out);
}

static void make_tree(struct world *world)
{
    world_folder(world, "b");
    world_folder(world, "b/c");
    world_folder(world, "b/empty");
    world_text(world, "b/c/deep", "four");
    world_text(world, "b-file", "six678");
    world_text(world, "a", "");
    world_link(world, "b", "link-to-folder");
    world_link(world, "/etc", "link-outside");
    world_link(world, "nothing", "link-to-nothing");
    world_link(world, "b/c", "b/up-and-down");
    world_fifo(world, "fifo");
    world_text(world, ".hidden", "1");
}

static void check_tree(struct world *world)
{
    static const char flat[] = ".hidden:f:1\na:f:0\nb:d:0\nb-file:f:6\nfifo:?:0\nlink-outside:l:0\n"
                               "link-to-folder:l:0\nlink-to-nothing:l:0\n";
    static const char all[] = ".hidden:f:1\na:f:0\nb:d:0\nb-file:f:6\nb/c:d:0\nb/c/deep:f:4\n"
                              "b/empty:d:0\nb/up-and-down:l:0\nfifo:?:0\nlink-outside:l:0\n"
                              "link-to-folder:l:0\nlink-to-nothing:l:0\n";

    expect_names(world, ".", false, flat);
    expect_names(world, "./b/../", false, flat);
    expect_names(world, ".", true, all);
    expect_names(world, "b/c", true, "deep:f:4\n");
    expect_names(world, "link-to-folder/c", true, "deep:f:4\n");
    expect_names(world, "link-to-folder", true, "c:d:0\nc/deep:f:4\nempty:d:0\nup-and-down:l:0\n");
    expect_names(world, "b/empty", false, "");
    expect_names(world, "b/empty", true, "");
    expect_names(world, world_path(world, "b/c"), false, "deep:f:4\n");
    expect_names(world, world->inside, false, flat);
}

RV_TEST(file_list, trees)
{
    struct world world;

    world_init(&world, t);
    world_root(&world);
    make_tree(&world);
    check_tree(&world);
    cr_assert(rv_root_force_walk(world.root, true));
    check_tree(&world);
    world_done(&world);
}

RV_TEST(file_list, refusals)
{
    static const struct {
        const char *path;
        int error, os_errno;
        const char *kind;
    } cases[] = {
        {"a", REEVE_ENOTDIR, 0, "a regular file"},
        {"a/", REEVE_ENOTDIR, ENOTDIR, ""},
        {"fifo", REEVE_ENOTDIR, 0, "a FIFO"},
        {"nothing", REEVE_ENOTFOUND, ENOENT, ""},
        {"link-to-nothing", REEVE_ENOTFOUND, ENOENT, ""},
        {"link-outside", REEVE_EOUTSIDE, EXDEV, ""},
        {"..", REEVE_EOUTSIDE, EXDEV, ""},
        {"/", REEVE_EOUTSIDE, 0, ""},
        {"", REEVE_EINVAL, 0, NULL},
    };
    struct world world;
    struct outcome out;
    size_t i;

    world_init(&world, t);
    world_root(&world);
    make_tree(&world);
    for (i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        size_t n = i / 2;

        rv_root_force_walk(world.root, i % 2);
        list_folder(&world, cases[n].path, true, &out);
        cr_assert_eq(out.error, cases[n].error, "%s: %s", cases[n].path,
                     reeve_error_name(out.error));
        cr_assert_eq(out.problem.os_errno, cases[n].os_errno, "%s", cases[n].path);
        if (cases[n].kind)
            cr_assert_str_eq(out.problem.kind, cases[n].kind);
        outcome_clear(&out);
    }
    world_done(&world);
}

/* Every byte that a name can have, alone and in pairs with 'x', sorted as memcmp would. */
RV_TEST(file_list, names_of_any_bytes)
{
    struct world world;
    struct outcome out;
    char wanted[8192], name[3];
    size_t len = 0;
    int byte;

    world_init(&world, t);
    world_root(&world);
    for (byte = 1; byte < 256; byte++) {
        if (byte == '/' || byte == '.')
            continue;
        snprintf(name, sizeof name, "%cx", byte);
        world_text(&world, name, "");
        len += (size_t)snprintf(wanted + len, sizeof wanted - len, "%s:f:0\n", name);
    }
    list_folder(&world, ".", false, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, len);
    cr_assert_arr_eq(out.names, wanted, len);
    outcome_clear(&out);
    world_done(&world);
}

static void make_many(struct world *world, size_t count)
{
    int folder = open(world->inside, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
    char name[32];
    size_t i;

    cr_assert_geq(folder, 0);
    for (i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%06zu", i * 7919 % count);
        fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        cr_assert_geq(fd, 0);
        close(fd);
    }
    close(folder);
}

/* How long the slices between two turns of the ticker were, at the longest. */
struct watch {
    const struct outcome *out;
    uint64_t last_ns;
    uint64_t longest_ns;
    unsigned longest_at;
    unsigned host_ticks;
    struct event *timer;
};

static void measure(struct ticker *ticker)
{
    struct watch *watch = ticker->arg;
    uint64_t slice_ns = cpu_ns() - watch->last_ns - watch->out->spent_ns;

    if (watch->last_ns && slice_ns > watch->longest_ns) {
        watch->longest_ns = slice_ns;
        watch->longest_at = ticker->ticks;
    }
    ticker->stop = watch->out->called;
    if (ticker->stop)
        event_del(watch->timer);
    watch->last_ns = cpu_ns();
}

static void host_tick(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events;
    ((struct watch *)arg)->host_ticks++;
}

static void check_many(const struct outcome *out)
{
    const char *line = out->names;
    char name[32];
    size_t i;

    cr_assert_eq(out->error, 0);
    cr_assert_eq(out->listing.count, MANY);
    cr_assert(out->listing.complete);
    for (i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%06zu:f:0\n", i);
        cr_assert_eq(memcmp(line, name, strlen(name)), 0);
        line += strlen(name);
    }
}

static void list_watched(struct world *world, struct watch *watch, struct outcome *out)
{
    struct timeval millisecond = {.tv_usec = 1000};
    struct event_base *base = reeve_runtime_event_base(world->runtime);
    struct rv_file_list *list;
    struct ticker ticker;

    *watch = (struct watch){.out = out};
    cr_assert_eq(list_start(world, ".", true, MANY, out, &list), 0);
    ticker_start(&ticker, world, measure, watch);
    watch->timer = event_new(base, -1, EV_PERSIST, host_tick, watch);
    cr_assert_eq(event_add(watch->timer, &millisecond), 0);
    run(world);
    event_free(watch->timer);
    fprintf(stderr,
            "%u slices, the longest %llu us, number %u; a timer of the host's fired %u times\n",
            ticker.ticks, (unsigned long long)watch->longest_ns / 1000, watch->longest_at,
            watch->host_ticks);
    cr_assert_gt(ticker.ticks, 100);
    cr_assert_geq(watch->host_ticks, 5);
}

/* How long a slice took is told, not judged; that there are many, and the host's turns between, is.
 */
RV_TEST(file_list, a_hundred_thousand, .timeout = 120)
{
    struct world world;
    struct outcome out;
    struct watch watch;

    world_init(&world, t);
    world_root(&world);
    make_many(&world, MANY);
    list_watched(&world, &watch, &out);
    check_many(&out);
    outcome_clear(&out);
    world_done(&world);
}

RV_TEST(file_list, caps)
{
    struct rv_file_list_options options = {.path = ".", .max_name_bytes = 0};
    struct world world;
    struct outcome out;
    struct rv_file_list *list;
    size_t cap;

    world_init(&world, t);
    world_root(&world);
    make_many(&world, 20);
    world_folder(&world, "folder");
    world_text(&world, "folder/below", "");
    for (cap = 1; cap < 22; cap++) {
        cr_assert_eq(list_start(&world, ".", true, cap, &out, &list), 0);
        run(&world);
        cr_assert_eq(out.error, 0);
        cr_assert_eq(out.listing.count, cap);
        cr_assert_not(out.listing.complete);
        outcome_clear(&out);
    }
    cr_assert_eq(list_start(&world, ".", true, 22, &out, &list), 0);
    run(&world);
    cr_assert_eq(out.listing.count, 22);
    cr_assert(out.listing.complete);
    outcome_clear(&out);
    cr_assert_eq(rv_file_list_start(world.root, &options, &list), REEVE_EINVAL);
    world_done(&world);
}

static void count_done(struct rv_file_list *list, int error, void *arg)
{
    const struct rv_file_listing *listing = rv_file_list_listing(list);

    cr_assert_eq(error, 0);
    cr_assert_not(listing->complete);
    *(size_t *)arg = listing->count;
}

RV_TEST(file_list, cap_of_name_bytes)
{
    struct world world;
    struct rv_file_list *list;
    size_t count = 99;
    struct rv_file_list_options options = {
        .path = ".",
        .max_entries = 100,
        .max_name_bytes = 6 * 7 + 5,
        .on_done = count_done,
        .arg = &count,
    };

    world_init(&world, t);
    world_root(&world);
    make_many(&world, 20);
    cr_assert_eq(rv_file_list_start(world.root, &options, &list), 0);
    run(&world);
    cr_assert_eq(count, 7);
    world_done(&world);
}

/* Folders in folders, all of the name "d". */
static void make_deep(struct world *world, int depth)
{
    int folder = open(world->inside, O_PATH | O_DIRECTORY | O_CLOEXEC), below;

    while (depth--) {
        cr_assert_eq(mkdirat(folder, "d", 0755), 0);
        below = openat(folder, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(folder);
        folder = below;
    }
    close(folder);
}

/* Deeper than a path can be long: what is below its end is not there, and that is told. */
RV_TEST(file_list, deeper_than_a_path, .timeout = 60)
{
    struct world world;
    struct outcome out;
    char command[128];

    world_init(&world, t);
    world_root(&world);
    make_deep(&world, 2100);
    list_folder(&world, ".", true, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.listing.count, 2049);
    cr_assert_eq(out.listing.unread, 1);
    outcome_clear(&out);
    snprintf(command, sizeof command, "rm -rf %s/d", world.inside);
    cr_assert_eq(system(command), 0);
    world_done(&world);
}

/* The walk opens each name by itself, and so has a limit of its own. */
RV_TEST(file_list, deeper_than_a_walk, .timeout = 60)
{
    struct world world;
    struct outcome out;
    char path[2 * 1025 + 1] = "";
    int i;

    world_init(&world, t);
    world_root(&world);
    make_deep(&world, 1030);
    cr_assert(rv_root_force_walk(world.root, true));
    for (i = 0; i < 1025; i++)
        strcpy(path + 2 * i, "d/");
    path[2 * 1024] = '\0';
    list_folder(&world, path, false, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_str_eq(out.names, "d:d:0\n");
    outcome_clear(&out);
    path[2 * 1024] = 'd';
    list_folder(&world, path, false, &out);
    cr_assert_eq(out.error, REEVE_ESYSTEM);
    cr_assert_eq(out.problem.os_errno, ENAMETOOLONG);
    outcome_clear(&out);
    world_done(&world);
}

static void list_the_unreadable(struct world *world)
{
    struct outcome out;

    list_folder(world, ".", true, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_str_eq(out.names, "closed:d:0:unread\nhalf:d:0\nhalf/x:f:-1\nopen:d:0\nopen/y:f:0\n");
    cr_assert_eq(out.listing.unread, 1);
    cr_assert(out.listing.complete);
    outcome_clear(&out);
    list_folder(world, "closed", false, &out);
    cr_assert_eq(out.error, REEVE_EACCESS);
    cr_assert_eq(out.problem.os_errno, EACCES);
    outcome_clear(&out);
}

RV_TEST(file_list, permission)
{
    struct world world;

    world_init(&world, t);
    world_root(&world);
    world_folder(&world, "closed");
    world_text(&world, "closed/x", "x");
    world_folder(&world, "half");
    world_text(&world, "half/x", "x");
    world_folder(&world, "open");
    world_text(&world, "open/y", "");
    cr_assert_eq(chmod(world_path(&world, "closed"), 0), 0);
    cr_assert_eq(chmod(world_path(&world, "half"), 0444), 0);
    as_nobody(list_the_unreadable, &world);
    cr_assert_eq(chmod(world_path(&world, "closed"), 0755), 0);
    cr_assert_eq(chmod(world_path(&world, "half"), 0755), 0);
    world_done(&world);
}

struct ending {
    struct rv_file_list *list;
    struct outcome *out;
    unsigned at;
    bool abort;
};

static void end_at(struct ticker *ticker)
{
    struct ending *ending = ticker->arg;

    ticker->stop = ending->out->called;
    if (ticker->stop || ticker->ticks != ending->at)
        return;
    if (ending->abort) {
        rv_file_list_abort(ending->list);
        cr_assert_eq(ending->out->called, 1);
        return;
    }
    rv_file_list_cancel(ending->list);
    rv_file_list_cancel(ending->list);
    cr_assert_eq(ending->out->called, 0, "a cancel is told later");
}

static unsigned end_everywhere(struct world *world, bool abort)
{
    struct outcome out;
    struct ending ending = {.out = &out, .abort = abort};
    struct ticker ticker;

    for (ending.at = 1;; ending.at++) {
        cr_assert_eq(list_start(world, ".", true, 1000, &out, &ending.list), 0);
        ticker_start(&ticker, world, end_at, &ending);
        run(world);
        cr_assert_eq(out.called, 1);
        if (!out.error) {
            outcome_clear(&out);
            return ending.at;
        }
        cr_assert_eq(out.error, REEVE_ECANCELED);
        outcome_clear(&out);
    }
}

RV_TEST(file_list, ends_at_each_step, .timeout = 60)
{
    struct world world;
    struct outcome out;
    struct rv_file_list *list;

    world_init(&world, t);
    world_root(&world);
    make_tree(&world);
    make_many(&world, 700);
    cr_assert_geq(end_everywhere(&world, false), 20);
    cr_assert_geq(end_everywhere(&world, true), 20);
    cr_assert_eq(list_start(&world, ".", true, 9, &out, &list), 0);
    rv_file_list_cancel(list);
    rv_file_list_abort(list);
    cr_assert_eq(out.called, 1);
    cr_assert_eq(out.error, REEVE_ECANCELED);
    world_done(&world);
}

static int list_scenario(struct rv_test *run_test, void *arg)
{
    struct world world;
    struct outcome out = {0};
    struct rv_file_list *list;
    int error = world_open(&world, run_test);

    (void)arg;
    if (error)
        goto no_runtime;
    make_tree(&world);
    make_many(&world, 400);
    error = rv_root_new(world.runtime, world.inside, &world.root);
    if (error)
        goto no_runtime;
    error = list_start(&world, ".", true, 10000, &out, &list);
    if (error)
        goto no_runtime;
    run(&world);
    cr_assert_eq(out.called, 1);
    error = out.error;
    outcome_clear(&out);
no_runtime:
    world_done(&world);
    return error;
}

RV_TEST(file_list, out_of_memory, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, list_scenario, NULL, 12);
}

static void swap_for_a_link(struct ticker *ticker)
{
    if (ticker->ticks == 2) {
        cr_assert_eq(
            rename(world_path(ticker->world, "folder"), world_path(ticker->world, "elsewhere")), 0);
        world_link(ticker->world, "other", "folder");
    }
    ticker->stop = ticker->ticks == 2;
}

/* A folder that has been found, and is a link when its turn comes, is not entered. */
RV_TEST(file_list, folder_that_becomes_a_link, .timeout = 30)
{
    struct world world;
    struct outcome out;
    struct ticker ticker;
    struct rv_file_list *list;
    int walk;

    for (walk = 0; walk < 2; walk++) {
        world_init(&world, t);
        world_root(&world);
        rv_root_force_walk(world.root, walk);
        world_folder(&world, "folder");
        world_folder(&world, "other");
        world_text(&world, "other/x", "");
        cr_assert_eq(list_start(&world, ".", true, 10, &out, &list), 0);
        ticker_start(&ticker, &world, swap_for_a_link, NULL);
        run(&world);
        cr_assert_eq(out.error, 0);
        cr_assert_str_eq(out.names, "folder:d:0:unread\nother:d:0\nother/x:f:0\n");
        outcome_clear(&out);
        world_done(&world);
    }
}
