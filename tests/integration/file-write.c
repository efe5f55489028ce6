/* SPDX-License-Identifier: MIT */
/* Writing, changing and looking at files beneath a root, by each backend. */
#include "io/file_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file_change.h"
#include "io/file_op.h"
#include "io/file_stat.h"
#include "tests/integration/file-world.h"

#define MIB ((size_t)1 << 20)

struct end {
    int called;
    int error;
    bool created;
    struct rv_file_problem problem;
    struct rv_file_status status;
};

static void write_done(struct rv_file_write *write, int error, void *arg)
{
    struct end *end = arg;

    end->called++;
    end->error = error;
    end->created = rv_file_write_created(write);
    end->problem = *rv_file_write_problem(write);
    rv_file_write_cancel(write); /* legal, and without effect */
    rv_file_write_abort(write);
}

static int write_start(struct world *world, const char *path, enum rv_file_write_how how,
                       const char *bytes, size_t len, struct end *end,
                       struct rv_file_write **ret_write)
{
    struct rv_file_write_options options = {
        .path = path,
        .how = how,
        .bytes = bytes,
        .len = len,
        .sync = how == RV_FILE_WRITE_REPLACE,
        .on_done = write_done,
        .arg = end,
    };

    memset(end, 0, sizeof *end);
    return rv_file_write_start(world->root, &options, ret_write);
}

static struct end write_text(struct world *world, const char *path, enum rv_file_write_how how,
                             const char *text)
{
    struct rv_file_write *write;
    struct end end;
    int error = write_start(world, path, how, text, strlen(text), &end, &write);

    end.error = error;
    if (error)
        return end;
    cr_assert_eq(end.called, 0, "it must complete later");
    run(world);
    cr_assert_eq(end.called, 1);
    return end;
}

static void change_done(struct rv_file_change *change, int error, void *arg)
{
    struct end *end = arg;

    end->called++;
    end->error = error;
    end->problem = *rv_file_change_problem(change);
    rv_file_change_cancel(change);
    rv_file_change_abort(change);
}

static int change_start(struct world *world, enum rv_file_change_what what, const char *path,
                        const char *to, struct end *end, struct rv_file_change **ret_change)
{
    struct rv_file_change_options options = {
        .what = what,
        .path = path,
        .to = to,
        .on_done = change_done,
        .arg = end,
    };

    memset(end, 0, sizeof *end);
    return rv_file_change_start(world->root, &options, ret_change);
}

static struct end change(struct world *world, enum rv_file_change_what what, const char *path,
                         const char *to)
{
    struct rv_file_change *request;
    struct end end;
    int error = change_start(world, what, path, to, &end, &request);

    end.error = error;
    if (error)
        return end;
    run(world);
    cr_assert_eq(end.called, 1);
    return end;
}

static void stat_done(struct rv_file_stat *stat, int error, void *arg)
{
    struct end *end = arg;

    end->called++;
    end->error = error;
    end->status = *rv_file_stat_status(stat);
    end->problem = *rv_file_stat_problem(stat);
    rv_file_stat_cancel(stat);
    rv_file_stat_abort(stat);
}

static struct end look(struct world *world, const char *path, bool follow)
{
    struct end end = {0};
    struct rv_file_stat_options options = {
        .path = path,
        .follow = follow,
        .on_done = stat_done,
        .arg = &end,
    };
    struct rv_file_stat *stat;
    int error = rv_file_stat_start(world->root, &options, &stat);

    end.error = error;
    if (error)
        return end;
    run(world);
    cr_assert_eq(end.called, 1);
    return end;
}

static void expect_text(struct world *world, const char *path, const char *text)
{
    struct outcome out;

    read_whole(world, path, &out);
    cr_assert_eq(out.error, 0, "%s: %s", path, reeve_error_name(out.error));
    cr_assert_str_eq(out.text, text, "%s", path);
    outcome_clear(&out);
}

/* No file of our own making is left anywhere in the root's folder. */
static void expect_nothing_beside(const struct world *world)
{
    DIR *folder = opendir(world->inside);
    struct dirent *entry;

    cr_assert_not_null(folder);
    while ((entry = readdir(folder)))
        cr_assert_neq(strncmp(entry->d_name, ".reeve-", 7), 0, "%s is left", entry->d_name);
    closedir(folder);
}

struct way {
    const char *name;
    enum rv_file_backend backend;
    bool walk;
};

static const struct way ways[] = {
    {"auto", RV_FILE_BACKEND_AUTO, false},
    {"io_uring", RV_FILE_BACKEND_URING, false},
    {"slices", RV_FILE_BACKEND_SLICES, false},
    {"walk", RV_FILE_BACKEND_SLICES, true},
};

/* Runs a body once for each way, each in a world of its own. Without io_uring its turn is told and
 * left out. */
static void by_each_way(struct rv_test *t, void (*body)(struct world *world))
{
    struct world world;
    size_t i;

    for (i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        world_init(&world, t);
        world_root(&world);
        rv_root_force_walk(world.root, ways[i].walk);
        if (rv_file_force_backend(world.runtime, ways[i].backend))
            body(&world);
        else
            fprintf(stderr, "SKIPPED here: %s is not to be had\n", ways[i].name);
        expect_nothing_beside(&world);
        world_done(&world);
    }
}

static void write_each(struct world *world)
{
    struct end end;

    end = write_text(world, "new", RV_FILE_WRITE_NEW, "one");
    cr_assert_eq(end.error, 0, "%s", reeve_error_name(end.error));
    cr_assert(end.created);
    expect_text(world, "new", "one");
    end = write_text(world, "new", RV_FILE_WRITE_NEW, "two");
    cr_assert_eq(end.error, REEVE_EEXIST);
    expect_text(world, "new", "one");
    end = write_text(world, "new", RV_FILE_WRITE_REPLACE, "two");
    cr_assert_eq(end.error, 0);
    cr_assert_not(end.created);
    expect_text(world, "new", "two");
    end = write_text(world, "new", RV_FILE_WRITE_APPEND, " and three");
    cr_assert_eq(end.error, 0);
    expect_text(world, "new", "two and three");
    end = write_text(world, "new", RV_FILE_WRITE_IN_PLACE, "4");
    cr_assert_eq(end.error, 0);
    expect_text(world, "new", "4");
    end = write_text(world, "log", RV_FILE_WRITE_APPEND, "first");
    cr_assert_eq(end.error, 0);
    cr_assert(end.created);
    expect_text(world, "log", "first");
    end = write_text(world, "empty", RV_FILE_WRITE_REPLACE, "");
    cr_assert_eq(end.error, 0);
    expect_text(world, "empty", "");
}

RV_TEST(file_write, each_how, .timeout = 30)
{
    by_each_way(t, write_each);
}

static void write_big(struct world *world)
{
    size_t len = 3 * MIB + 17;
    char *bytes = malloc(len);
    struct rv_file_write *write;
    struct outcome out;
    struct end end;
    size_t i;

    for (i = 0; i < len; i++)
        bytes[i] = (char)('!' + (i * 2654435761u >> 13) % 90);
    cr_assert_eq(write_start(world, "big", RV_FILE_WRITE_REPLACE, bytes, len, &end, &write), 0);
    run(world);
    cr_assert_eq(end.error, 0);
    read_range(world, "big", 0, UINT64_MAX, 4 * MIB, &out);
    cr_assert_eq(out.len, len);
    cr_assert_eq(memcmp(out.text, bytes, len), 0);
    outcome_clear(&out);
    free(bytes);
}

RV_TEST(file_write, big, .timeout = 30)
{
    by_each_way(t, write_big);
}

static void write_kept(struct world *world)
{
    struct stat status, before;
    struct end end;

    world_text(world, "tool", "old");
    cr_assert_eq(chmod(world_path(world, "tool"), 0751), 0);
    if (geteuid() == 0)
        cr_assert_eq(chown(world_path(world, "tool"), 65534, 65534), 0);
    cr_assert_eq(stat(world_path(world, "tool"), &before), 0);
    end = write_text(world, "tool", RV_FILE_WRITE_REPLACE, "new");
    cr_assert_eq(end.error, 0);
    cr_assert_eq(stat(world_path(world, "tool"), &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0751);
    cr_assert_eq(status.st_uid, before.st_uid);
    cr_assert_neq(status.st_ino, before.st_ino);
    end = write_text(world, "tool", RV_FILE_WRITE_IN_PLACE, "newer");
    cr_assert_eq(end.error, 0);
    before = status;
    cr_assert_eq(stat(world_path(world, "tool"), &status), 0);
    cr_assert_eq(status.st_ino, before.st_ino);
}

RV_TEST(file_write, keeps_mode_and_owner)
{
    by_each_way(t, write_kept);
}

static void write_through_links(struct world *world)
{
    char target[8];
    struct end end;

    world_folder(world, "a");
    world_text(world, "a/real", "old");
    world_link(world, "a/real", "link");
    world_link(world, "../link", "a/link-to-link");
    world_link(world, "a/to-be", "dangling");
    end = write_text(world, "a/link-to-link", RV_FILE_WRITE_REPLACE, "new");
    cr_assert_eq(end.error, 0, "%s", reeve_error_name(end.error));
    expect_text(world, "a/real", "new");
    cr_assert_eq(readlink(world_path(world, "link"), target, sizeof target), 6);
    end = write_text(world, "dangling", RV_FILE_WRITE_REPLACE, "born");
    cr_assert_eq(end.error, 0);
    cr_assert(end.created);
    expect_text(world, "a/to-be", "born");
    end = write_text(world, world_path(world, "a/real"), RV_FILE_WRITE_APPEND, "er");
    cr_assert_eq(end.error, 0);
    expect_text(world, "a/real", "newer");
}

RV_TEST(file_write, through_links)
{
    by_each_way(t, write_through_links);
}

static void write_refused(struct world *world)
{
    static const struct {
        const char *path;
        int error, os_errno;
        const char *kind;
    } cases[] = {
        {"../outside/x", REEVE_EOUTSIDE, EXDEV, ""},
        {"/etc/reeve-test", REEVE_EOUTSIDE, 0, ""},
        {"way-out/x", REEVE_EOUTSIDE, EXDEV, ""},
        {"file-way-out", REEVE_EOUTSIDE, EXDEV, ""},
        {"nothing/x", REEVE_ENOTFOUND, ENOENT, ""},
        {"file/x", REEVE_ENOTDIR, ENOTDIR, ""},
        {"file/", REEVE_ENOTDIR, 0, ""},
        {"to-be/", REEVE_ENOTFILE, 0, "a directory"},
        {"folder", REEVE_ENOTFILE, 0, "a directory"},
        {"folder/", REEVE_ENOTFILE, 0, "a directory"},
        {"to-folder", REEVE_ENOTFILE, 0, "a directory"},
        {"fifo", REEVE_ENOTFILE, 0, "a FIFO"},
        {".", REEVE_ENOTFILE, 0, "a directory"},
        {"folder/..", REEVE_ENOTFILE, 0, "a directory"},
        {"", REEVE_EINVAL, 0, NULL},
    };
    struct end end;
    size_t i, how;

    world_folder(world, "folder");
    world_text(world, "file", "x");
    world_fifo(world, "fifo");
    world_link(world, "folder", "to-folder");
    world_link(world, "../outside", "way-out");
    world_link(world, "../outside/new", "file-way-out");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (how = RV_FILE_WRITE_REPLACE; how <= RV_FILE_WRITE_APPEND; how++) {
            end = write_text(world, cases[i].path, (enum rv_file_write_how)how, "no");
            cr_assert_eq(end.error, cases[i].error, "%s by %zu: %s", cases[i].path, how,
                         reeve_error_name(end.error));
            cr_assert_eq(end.problem.os_errno, cases[i].os_errno, "%s: %d", cases[i].path,
                         end.problem.os_errno);
            if (cases[i].kind)
                cr_assert_str_eq(end.problem.kind, cases[i].kind, "%s", cases[i].path);
        }
    }
    end = write_text(world, "folder/none/x", RV_FILE_WRITE_NEW, "no");
    cr_assert_eq(end.problem.existing_len, 6);
    cr_assert_eq(access(world_path(world, "../outside/new"), F_OK), -1);
    cr_assert_eq(access(world_path(world, "../outside/x"), F_OK), -1);
    expect_text(world, "file", "x");
}

RV_TEST(file_write, refusals, .timeout = 30)
{
    by_each_way(t, write_refused);
}

static void write_forbidden(struct world *world)
{
    struct end end;

    end = write_text(world, "closed/file", RV_FILE_WRITE_REPLACE, "new");
    cr_assert_eq(end.error, REEVE_EACCESS);
    cr_assert_eq(end.problem.os_errno, EACCES);
    end = write_text(world, "closed/new", RV_FILE_WRITE_NEW, "new");
    cr_assert_eq(end.error, REEVE_EACCESS);
    end = write_text(world, "open/read-only", RV_FILE_WRITE_REPLACE, "new");
    cr_assert_eq(end.error, REEVE_EACCESS, "%s", reeve_error_name(end.error));
    end = change(world, RV_FILE_REMOVE, "closed/file", NULL);
    cr_assert_eq(end.error, REEVE_EACCESS);
    end = change(world, RV_FILE_MAKE_FOLDER, "closed/folder", NULL);
    cr_assert_eq(end.error, REEVE_EACCESS);
}

static void write_read_only(struct world *world)
{
    world_folder(world, "closed");
    world_text(world, "closed/file", "x");
    world_folder(world, "open");
    world_text(world, "open/read-only", "x");
    cr_assert_eq(chmod(world_path(world, "closed"), 0555), 0);
    cr_assert_eq(chmod(world_path(world, "open"), 0777), 0);
    cr_assert_eq(chmod(world_path(world, "open/read-only"), 0444), 0);
    as_nobody(write_forbidden, world);
    cr_assert_eq(chmod(world_path(world, "closed"), 0755), 0);
    expect_text(world, "closed/file", "x");
    expect_text(world, "open/read-only", "x");
}

RV_TEST(file_write, read_only)
{
    by_each_way(t, write_read_only);
}

/* Mounts for this process alone. */
static bool mounts_allowed(void)
{
    int flags = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;

    if (unshare(flags) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return true;
    fprintf(stderr, "SKIPPED here: no mounts: %s\n", strerror(errno));
    return false;
}

static void fill_disk(struct world *world)
{
    char *bytes = calloc(1, MIB);
    struct rv_file_write *write;
    struct end end;
    int how;

    world_folder(world, "small");
    cr_assert_eq(mount("none", world_path(world, "small"), "tmpfs", 0, "size=64k"), 0, "%s",
                 strerror(errno));
    world_text(world, "small/file", "the old one");
    for (how = RV_FILE_WRITE_NEW; how <= RV_FILE_WRITE_REPLACE; how++) {
        cr_assert_eq(write_start(world, how ? "small/file" : "small/new",
                                 (enum rv_file_write_how)how, bytes, MIB, &end, &write),
                     0);
        run(world);
        cr_assert_eq(end.error, REEVE_ESYSTEM);
        cr_assert_eq(end.problem.os_errno, ENOSPC);
        expect_text(world, "small/file", "the old one");
        cr_assert_eq(access(world_path(world, "small/new"), F_OK), -1);
    }
    end = write_text(world, "small/file", RV_FILE_WRITE_REPLACE, "there is room again");
    cr_assert_eq(end.error, 0);
    cr_assert_eq(mount("none", world_path(world, "small"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    end = write_text(world, "small/file", RV_FILE_WRITE_REPLACE, "no");
    cr_assert_eq(end.error, REEVE_EACCESS);
    cr_assert_eq(end.problem.os_errno, EROFS);
    end = change(world, RV_FILE_REMOVE, "small/file", NULL);
    cr_assert_eq(end.error, REEVE_EACCESS);
    expect_text(world, "small/file", "there is room again");
    cr_assert_eq(umount(world_path(world, "small")), 0);
    free(bytes);
}

RV_TEST(file_write, full_and_read_only_disks, .timeout = 30)
{
    if (mounts_allowed())
        by_each_way(t, fill_disk);
}

struct ending {
    struct rv_file_write *write;
    struct rv_file_change *change;
    struct end *end;
    unsigned at;
    bool abort;
};

static void end_at(struct ticker *ticker)
{
    struct ending *ending = ticker->arg;

    ticker->stop = ending->end->called;
    if (ticker->stop || ticker->ticks != ending->at)
        return;
    if (ending->write)
        (ending->abort ? rv_file_write_abort : rv_file_write_cancel)(ending->write);
    else
        (ending->abort ? rv_file_change_abort : rv_file_change_cancel)(ending->change);
    cr_assert_eq(ending->end->called, ending->abort, "an abort is told now, a cancel later");
}

/* Each of the first steps, then fewer of them: a slow disk makes thousands. */
static unsigned later(unsigned at)
{
    return at + 1 + at / 16;
}

/* The old file or the new one, and none beside. */
static unsigned end_writes(struct world *world, bool abort)
{
    static char bytes[300000];
    struct outcome out;
    struct end end;
    struct ending ending = {.end = &end, .abort = abort};
    struct ticker ticker;

    memset(bytes, 'n', sizeof bytes);
    for (ending.at = 1;; ending.at = later(ending.at)) {
        world_text(world, "file", "old");
        cr_assert_eq(write_start(world, "file", RV_FILE_WRITE_REPLACE, bytes, sizeof bytes, &end,
                                 &ending.write),
                     0);
        ticker_start(&ticker, world, end_at, &ending);
        run(world);
        cr_assert_eq(end.called, 1);
        cr_assert(!end.error || end.error == REEVE_ECANCELED);
        expect_nothing_beside(world);
        read_whole(world, "file", &out);
        cr_assert(out.len == sizeof bytes || !strcmp(out.text, "old"), "%zu bytes", out.len);
        cr_assert(end.error || out.len == sizeof bytes);
        outcome_clear(&out);
        if (!end.error)
            return ending.at;
    }
}

static unsigned end_renames(struct world *world, bool abort)
{
    struct end end;
    struct ending ending = {.end = &end, .abort = abort};
    struct ticker ticker;

    for (ending.at = 1;; ending.at = later(ending.at)) {
        world_text(world, "from", "x");
        cr_assert_eq(change_start(world, RV_FILE_RENAME, "from", "to", &end, &ending.change), 0);
        ticker_start(&ticker, world, end_at, &ending);
        run(world);
        cr_assert_eq(end.called, 1);
        if (!end.error)
            return ending.at;
        cr_assert_eq(end.error, REEVE_ECANCELED);
    }
}

static void end_everywhere(struct world *world)
{
    cr_assert_geq(end_writes(world, false), 7);
    cr_assert_geq(end_writes(world, true), 7);
    cr_assert_geq(end_renames(world, false), 2);
    cr_assert_geq(end_renames(world, true), 2);
}

RV_TEST(file_write, ends_at_each_step, .timeout = 60)
{
    by_each_way(t, end_everywhere);
}

static void change_names(struct world *world)
{
    struct end end;

    world_text(world, "a", "a");
    world_text(world, "b", "b");
    world_link(world, "b", "link");
    world_folder(world, "folder");
    cr_assert_eq(change(world, RV_FILE_RENAME_TO_NEW, "a", "b").error, REEVE_EEXIST);
    expect_text(world, "b", "b");
    cr_assert_eq(change(world, RV_FILE_RENAME, "a", "folder/c").error, 0);
    expect_text(world, "folder/c", "a");
    cr_assert_eq(change(world, RV_FILE_RENAME_TO_NEW, "folder/c", "./d").error, 0);
    expect_text(world, "d", "a");
    cr_assert_eq(change(world, RV_FILE_RENAME, "d", "link").error, 0);
    expect_text(world, "link", "a");
    expect_text(world, "b", "b");
    cr_assert_eq(change(world, RV_FILE_RENAME, "nothing", "x").error, REEVE_ENOTFOUND);
    end = change(world, RV_FILE_RENAME, "b", "../outside/b");
    cr_assert_eq(end.error, REEVE_EOUTSIDE);
    cr_assert_str_neq(end.problem.outside, "");
    cr_assert_eq(change(world, RV_FILE_RENAME, "b", "nothing/b").error, REEVE_ENOTFOUND);
    cr_assert_eq(change(world, RV_FILE_RENAME, "b", NULL).error, REEVE_EINVAL);
    cr_assert_eq(change(world, RV_FILE_RENAME, "b/", "c").error, REEVE_ENOTDIR);
    cr_assert_eq(change(world, RV_FILE_RENAME, "b", "c/").error, REEVE_ENOTDIR);
    cr_assert_eq(change(world, RV_FILE_RENAME, "folder/", "moved/").error, 0);
    cr_assert_eq(look(world, "moved", false).status.type, 'd');
}

RV_TEST(file_change, renames)
{
    by_each_way(t, change_names);
}

static void make_and_remove(struct world *world)
{
    struct end end;

    cr_assert_eq(change(world, RV_FILE_MAKE_FOLDER, "x/", NULL).error, 0);
    cr_assert_eq(change(world, RV_FILE_MAKE_FOLDER, "x/y", NULL).error, 0);
    cr_assert_eq(change(world, RV_FILE_MAKE_FOLDER, "x", NULL).error, REEVE_EEXIST);
    cr_assert_eq(change(world, RV_FILE_MAKE_FOLDER, ".", NULL).error, REEVE_EEXIST);
    cr_assert_eq(change(world, RV_FILE_MAKE_FOLDER, "../outside/x", NULL).error, REEVE_EOUTSIDE);
    end = change(world, RV_FILE_REMOVE, "x", NULL);
    cr_assert_eq(end.error, REEVE_ENOTFILE);
    cr_assert_str_eq(end.problem.kind, "a directory");
    cr_assert_eq(change(world, RV_FILE_REMOVE_FOLDER, "x", NULL).error, REEVE_EEXIST);
    cr_assert_eq(change(world, RV_FILE_REMOVE_FOLDER, "x/y/", NULL).error, 0);
    world_text(world, "x/file", "");
    world_link(world, "x", "link");
    cr_assert_eq(change(world, RV_FILE_REMOVE_FOLDER, "x/file", NULL).error, REEVE_ENOTDIR);
    cr_assert_eq(change(world, RV_FILE_REMOVE_FOLDER, "link", NULL).error, REEVE_ENOTDIR);
    cr_assert_eq(change(world, RV_FILE_REMOVE, "x/file/", NULL).error, REEVE_ENOTDIR);
    cr_assert_eq(change(world, RV_FILE_REMOVE, "link/file", NULL).error, 0);
    cr_assert_eq(change(world, RV_FILE_REMOVE, "link", NULL).error, 0);
    cr_assert_eq(look(world, "x", false).error, 0);
    cr_assert_eq(change(world, RV_FILE_REMOVE, "link", NULL).error, REEVE_ENOTFOUND);
    cr_assert_eq(change(world, RV_FILE_REMOVE, "../outside", NULL).error, REEVE_EOUTSIDE);
    cr_assert_eq(change(world, RV_FILE_SYNC, "x", NULL).error, 0);
    cr_assert_eq(change(world, RV_FILE_SYNC, ".", NULL).error, 0);
    world_text(world, "file", "");
    cr_assert_eq(change(world, RV_FILE_SYNC, "file", NULL).error, 0);
    world_fifo(world, "fifo");
    cr_assert_eq(change(world, RV_FILE_SYNC, "fifo", NULL).error, REEVE_ENOTFILE);
    cr_assert_eq(change(world, RV_FILE_SYNC, "", NULL).error, REEVE_EINVAL);
}

RV_TEST(file_change, makes_and_removes)
{
    by_each_way(t, make_and_remove);
}

static void look_around(struct world *world)
{
    struct stat status;
    struct end end;

    world_text(world, "file", "12345");
    world_link(world, "file", "link");
    world_link(world, "nothing", "dangling");
    world_folder(world, "folder");
    world_link(world, "folder", "to-folder");
    world_fifo(world, "fifo");
    cr_assert_eq(stat(world_path(world, "file"), &status), 0);
    end = look(world, "file", true);
    cr_assert_eq(end.error, 0);
    cr_assert_eq(end.status.type, 'f');
    cr_assert_eq(end.status.size, 5);
    cr_assert_eq(end.status.mode, status.st_mode & 07777);
    cr_assert_eq(end.status.inode, status.st_ino);
    cr_assert_eq(end.status.device, status.st_dev);
    cr_assert_eq(end.status.modified_ns / 1000000000, status.st_mtim.tv_sec);
    cr_assert_eq(end.status.changed_ns % 1000000000, status.st_ctim.tv_nsec);
    cr_assert_eq(look(world, "link", true).status.inode, end.status.inode);
    cr_assert_eq(look(world, "link", false).status.type, 'l');
    cr_assert_eq(look(world, "dangling", false).status.type, 'l');
    cr_assert_eq(look(world, "dangling", true).error, REEVE_ENOTFOUND);
    cr_assert_eq(look(world, "fifo", true).status.type, '?');
    cr_assert_eq(look(world, ".", false).status.type, 'd');
    cr_assert_eq(look(world, "folder/..", false).status.type, 'd');
    cr_assert_eq(look(world, "to-folder/", false).status.type, 'd');
    cr_assert_eq(look(world, "to-folder", false).status.type, 'l');
    cr_assert_eq(look(world, "file/", false).error, REEVE_ENOTDIR);
    cr_assert_eq(look(world, "file/x", false).error, REEVE_ENOTDIR);
    cr_assert_eq(look(world, "..", false).error, REEVE_EOUTSIDE);
    end = look(world, "folder/none/x", false);
    cr_assert_eq(end.error, REEVE_ENOTFOUND);
    cr_assert_eq(end.problem.existing_len, 6);
}

RV_TEST(file_change, stats)
{
    by_each_way(t, look_around);
}

struct sweep {
    enum rv_file_backend backend;
};

static int write_scenario(struct rv_test *run_test, void *arg)
{
    const struct sweep *sweep = arg;
    struct rv_file_change *request;
    struct rv_file_write *write;
    struct world world;
    struct end end = {0};
    int error = world_open(&world, run_test);

    if (error)
        goto out;
    world_text(&world, "file", "old");
    error = rv_root_new(world.runtime, world.inside, &world.root);
    if (error)
        goto out;
    rv_file_force_backend(world.runtime, sweep->backend);
    error = write_start(&world, "file", RV_FILE_WRITE_REPLACE, "new", 3, &end, &write);
    if (error)
        goto out;
    run(&world);
    cr_assert_eq(end.called, 1);
    expect_nothing_beside(&world);
    error = end.error;
    if (error)
        goto out;
    error = change_start(&world, RV_FILE_RENAME, "file", "to", &end, &request);
    if (error)
        goto out;
    run(&world);
    cr_assert_eq(end.called, 1);
    error = end.error;
out:
    world_done(&world);
    return error;
}

RV_TEST(file_write, out_of_memory, .timeout = 60)
{
    struct sweep sweep = {RV_FILE_BACKEND_SLICES};

    RV_SWEEP_ALLOCATIONS(t, write_scenario, &sweep, 10);
    sweep.backend = RV_FILE_BACKEND_URING;
    RV_SWEEP_ALLOCATIONS(t, write_scenario, &sweep, 10);
}
