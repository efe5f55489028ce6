/* SPDX-License-Identifier: MIT */
/* Reading files beneath a root, on the real loop and file system. */
#include "tests/integration/file-world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/clock.h"
#include "loop/runtime.h"

#define MIB ((size_t)1 << 20)

/* Bytes that differ from place to place. */
static char *pattern(size_t len)
{
    char *bytes = malloc(len);
    size_t i;

    cr_assert_not_null(bytes);
    for (i = 0; i < len; i++)
        bytes[i] = (char)('!' + (i * 2654435761u >> 13) % 90);
    return bytes;
}

RV_TEST(file_read, whole_files, .timeout = 30)
{
    struct world world;
    struct outcome out;
    char *big = pattern(3 * MIB + 17);

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "hello", "hello, file\n");
    world_text(&world, "empty", "");
    world_folder(&world, "sub");
    world_write(&world, "sub/big", big, 3 * MIB + 17);

    read_whole(&world, "hello", &out);
    cr_assert_eq(out.error, 0);
    cr_assert_str_eq(out.text, "hello, file\n");
    cr_assert_eq(out.content.file_size, 12);
    cr_assert_eq(out.content.skipped, 0);
    outcome_clear(&out);

    read_whole(&world, "empty", &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, 0);
    outcome_clear(&out);

    read_range(&world, "./sub/..//sub/big", 0, UINT64_MAX, 4 * MIB, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, 3 * MIB + 17);
    cr_assert_arr_eq(out.text, big, out.len);
    outcome_clear(&out);
    free(big);
    world_done(&world);
}

RV_TEST(file_read, ranges)
{
    static const struct {
        uint64_t offset, limit;
        size_t max;
        const char *text;
        uint64_t skipped;
    } cases[] = {
        {0, UINT64_MAX, 100, "0123456789", 0},
        {0, UINT64_MAX, 10, "0123456789", 0},
        {0, 4, 100, "0123", 0},
        {3, 4, 100, "3456", 0},
        {8, 100, 100, "89", 0},
        {9, 1, 1, "9", 0},
        {10, 5, 100, "", 0},
        {11, UINT64_MAX, 100, "", 0},
        {UINT64_MAX, UINT64_MAX, 9, "", 0},
        {0, 0, 100, "", 0},
        {0, UINT64_MAX, 9, "012346789", 1},
        {0, UINT64_MAX, 1, "0", 9},
        {0, UINT64_MAX, 2, "09", 8},
        {2, UINT64_MAX, 3, "239", 5},
        {2, 6, 4, "2367", 2},
        {2, 6, 6, "234567", 0},
    };
    struct world world;
    struct outcome out;
    size_t i;

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "digits", "0123456789");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_range(&world, "digits", cases[i].offset, cases[i].limit, cases[i].max, &out);
        cr_assert_eq(out.error, 0, "case %zu", i);
        cr_assert_str_eq(out.text, cases[i].text, "case %zu", i);
        cr_assert_eq(out.content.skipped, cases[i].skipped, "case %zu", i);
        cr_assert_eq(out.content.file_size, 10, "case %zu", i);
        outcome_clear(&out);
    }
    world_done(&world);
}

/* Ten gigabytes of which nothing but the ends exists. */
RV_TEST(file_read, ten_gigabytes)
{
    const off_t size = (off_t)10 << 30;
    struct world world;
    struct outcome out;
    uint64_t start_ns;
    int fd;

    world_init(&world, t);
    world_root(&world);
    fd = open(world_path(&world, "huge"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, "front", 5, 0), 5);
    cr_assert_eq(ftruncate(fd, size), 0);
    cr_assert_eq(pwrite(fd, "back", 4, size - 4), 4);
    close(fd);

    start_ns = rv_precise_now_ns(world.runtime);
    read_range(&world, "huge", 0, UINT64_MAX, 64 * 1024, &out);
    cr_assert_lt(rv_precise_now_ns(world.runtime) - start_ns, 1000 * RV_NS_PER_MS);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, 64 * 1024);
    cr_assert_eq(out.content.skipped, (uint64_t)size - 64 * 1024);
    cr_assert_eq(out.content.file_size, (uint64_t)size);
    cr_assert_eq(memcmp(out.text, "front", 5), 0);
    cr_assert_eq(memcmp(out.text + out.len - 4, "back", 4), 0);
    outcome_clear(&out);

    read_range(&world, "huge", (uint64_t)size - 2, 10, 100, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_str_eq(out.text, "ck");
    outcome_clear(&out);
    world_done(&world);
}

static void expect(struct world *world, const char *path, int error, int os_errno)
{
    struct outcome out;

    read_whole(world, path, &out);
    cr_assert_eq(out.error, error, "%s: %s", path, reeve_error_name(out.error));
    cr_assert_eq(out.problem.os_errno, os_errno, "%s: %d", path, out.problem.os_errno);
    outcome_clear(&out);
}

static void try_refusals(struct world *world)
{
    char name[5000];

    memset(name, 'n', sizeof name);
    name[300] = '\0';
    expect(world, name, REEVE_ESYSTEM, ENAMETOOLONG);
    name[300] = 'n';
    name[sizeof name - 1] = '\0';
    expect(world, name, REEVE_ESYSTEM, ENAMETOOLONG);
    expect(world, "nothing", REEVE_ENOTFOUND, ENOENT);
    expect(world, "file/x", REEVE_ENOTDIR, ENOTDIR);
    expect(world, "file/", REEVE_ENOTDIR, ENOTDIR);
    expect(world, "file/.", REEVE_ENOTDIR, ENOTDIR);
    expect(world, "file/..", REEVE_ENOTDIR, ENOTDIR);
    expect(world, "round", REEVE_ESYSTEM, ELOOP);
    expect(world, "dangling", REEVE_ENOTFOUND, ENOENT);
    expect(world, "", REEVE_EINVAL, 0);
}

RV_TEST(file_read, refusals)
{
    struct world world;

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "file", "x");
    world_link(&world, "round", "round");
    world_link(&world, "nothing/at/all", "dangling");
    try_refusals(&world);
    cr_assert(rv_root_force_walk(world.root, true));
    try_refusals(&world);
    world_done(&world);
}

RV_TEST(file_read, what_exists_of_a_path)
{
    struct world world;
    struct outcome out;
    char absolute[256];
    int walk;

    world_init(&world, t);
    world_root(&world);
    world_folder(&world, "a");
    world_folder(&world, "a/b");
    snprintf(absolute, sizeof absolute, "%s/a/x/y", world.inside);
    for (walk = 0; walk < 2; walk++) {
        rv_root_force_walk(world.root, walk);
        read_whole(&world, "a/b/c/d", &out);
        cr_assert_eq(out.problem.existing_len, 3);
        outcome_clear(&out);
        read_whole(&world, "x/y/z", &out);
        cr_assert_eq(out.error, REEVE_ENOTFOUND);
        cr_assert_eq(out.problem.existing_len, 0);
        outcome_clear(&out);
        read_whole(&world, absolute, &out);
        cr_assert_eq(out.error, REEVE_ENOTFOUND);
        cr_assert_eq(out.problem.existing_len, strlen(world.inside) + 2);
        outcome_clear(&out);
    }
    world_done(&world);
}

static void expect_kind(struct world *world, const char *path, const char *kind)
{
    struct outcome out;
    int walk;

    for (walk = 0; walk < 2; walk++) {
        rv_root_force_walk(world->root, walk);
        read_whole(world, path, &out);
        cr_assert_eq(out.error, REEVE_ENOTFILE, "%s: %s", path, reeve_error_name(out.error));
        cr_assert_str_eq(out.problem.kind, kind);
        outcome_clear(&out);
    }
    rv_root_force_walk(world->root, false);
}

RV_TEST(file_read, not_a_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct world world;
    int fd;

    world_init(&world, t);
    world_root(&world);
    world_folder(&world, "folder");
    world_fifo(&world, "fifo");
    world_link(&world, "fifo", "link-to-fifo");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", world_path(&world, "socket"));
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    expect_kind(&world, "folder", "a directory");
    expect_kind(&world, "folder/", "a directory");
    expect_kind(&world, ".", "a directory");
    expect_kind(&world, "fifo", "a FIFO");
    expect_kind(&world, "link-to-fifo", "a FIFO");
    expect_kind(&world, "socket", "a socket");
    close(fd);

    rv_root_free(world.root);
    cr_assert_eq(rv_root_new(world.runtime, "/dev", &world.root), 0);
    expect_kind(&world, "null", "a character device");
    world_done(&world);
}

/* Opening a FIFO would let its writer go on, and closing it would kill the writer. */
RV_TEST(file_read, leaves_a_fifo_alone)
{
    struct world world;
    int status, fd;
    pid_t child;

    world_init(&world, t);
    world_root(&world);
    world_fifo(&world, "fifo");
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        fd = open(world_path(&world, "fifo"), O_WRONLY | O_CLOEXEC);
        _exit(fd >= 0 && write(fd, "for the test", 12) == 12 ? 0 : 1);
    }
    usleep(50000);
    expect_kind(&world, "fifo", "a FIFO");
    usleep(50000);
    cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "the writer was let go");

    fd = open(world_path(&world, "fifo"), O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    close(fd);
    world_done(&world);
}

RV_TEST(file_read, proc_tells_no_size)
{
    struct world world;
    struct outcome out;
    size_t len;

    world_init(&world, t);
    cr_assert_eq(rv_root_new(world.runtime, "/proc", &world.root), 0);
    read_whole(&world, "self/status", &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(memcmp(out.text, "Name:", 5), 0);
    cr_assert(out.content.unsized);
    cr_assert_not(out.content.more);
    cr_assert_eq(out.content.file_size, out.len);
    len = out.len;
    outcome_clear(&out);

    read_range(&world, "self/status", 0, UINT64_MAX, 10, &out);
    cr_assert_eq(out.len, 10);
    cr_assert(out.content.more);
    outcome_clear(&out);
    read_range(&world, "self/status", 1, 4, 10, &out);
    cr_assert_str_eq(out.text, "ame:");
    cr_assert_not(out.content.more);
    outcome_clear(&out);
    read_range(&world, "self/status", len + 1000, UINT64_MAX, 10, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, 0);
    outcome_clear(&out);
    read_range(&world, "self/status", UINT64_MAX - 5, UINT64_MAX, 10, &out);
    cr_assert_eq(out.len, 0);
    outcome_clear(&out);
    world_done(&world);
}

static void truncate_at_third(struct ticker *ticker)
{
    if (ticker->ticks == 3)
        cr_assert_eq(truncate(world_path(ticker->world, "big"), (off_t)MIB / 2), 0);
    ticker->stop = ticker->ticks == 3;
}

RV_TEST(file_read, shrinks_meanwhile, .timeout = 30)
{
    struct world world;
    struct outcome out;
    struct ticker ticker;
    struct rv_file_read *read;
    char *big = pattern(2 * MIB);

    world_init(&world, t);
    world_root(&world);
    world_write(&world, "big", big, 2 * MIB);
    cr_assert_eq(read_start(&world, "big", 4 * MIB, &out, &read), 0);
    ticker_start(&ticker, &world, truncate_at_third, NULL);
    run(&world);
    cr_assert_eq(out.called, 1);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, MIB / 2);
    cr_assert_eq(out.content.file_size, MIB / 2);
    cr_assert_arr_eq(out.text, big, out.len);
    outcome_clear(&out);

    /* Now the head ends early: nothing is left out any more. */
    world_write(&world, "big", big, 2 * MIB);
    cr_assert_eq(read_start(&world, "big", 3 * MIB / 2, &out, &read), 0);
    ticker_start(&ticker, &world, truncate_at_third, NULL);
    run(&world);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, MIB / 2);
    cr_assert_eq(out.content.skipped, 0);
    outcome_clear(&out);

    /* Now the head is whole, and there is nothing where the tail was. */
    world_write(&world, "big", big, 2 * MIB);
    cr_assert_eq(read_start(&world, "big", 1000, &out, &read), 0);
    ticker_start(&ticker, &world, truncate_at_third, NULL);
    ticker.ticks = 2; /* the head is read with the opening */
    run(&world);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, 500);
    cr_assert_eq(out.content.tail_len, 0);
    outcome_clear(&out);
    free(big);
    world_done(&world);
}

struct race {
    struct outcome big, small;
    bool small_was_first;
};

static void watch_race(struct ticker *ticker)
{
    struct race *race = ticker->arg;

    if (race->small.called && !race->big.called)
        race->small_was_first = true;
    ticker->stop = race->small.called && race->big.called;
}

RV_TEST(file_read, reads_take_turns, .timeout = 30)
{
    struct world world;
    struct race race = {0};
    struct ticker ticker;
    struct rv_file_read *read;
    char *big = pattern(4 * MIB);

    world_init(&world, t);
    world_root(&world);
    world_write(&world, "big", big, 4 * MIB);
    world_text(&world, "small", "small");
    cr_assert_eq(read_start(&world, "big", 8 * MIB, &race.big, &read), 0);
    cr_assert_eq(read_start(&world, "small", 8 * MIB, &race.small, &read), 0);
    ticker_start(&ticker, &world, watch_race, &race);
    run(&world);
    cr_assert(race.small_was_first);
    cr_assert_eq(race.big.len, 4 * MIB);
    outcome_clear(&race.big);
    outcome_clear(&race.small);
    free(big);
    world_done(&world);
}

struct ending {
    struct rv_file_read *read;
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
        rv_file_read_abort(ending->read);
        cr_assert_eq(ending->out->called, 1);
        return;
    }
    rv_file_read_cancel(ending->read);
    rv_file_read_cancel(ending->read);
    cr_assert_eq(ending->out->called, 0, "a cancel is told later");
}

/* Ends a read of head and tail at each of its steps. How many steps there were. */
static unsigned end_everywhere(struct world *world, size_t max, bool abort)
{
    struct outcome out;
    struct ending ending = {.out = &out, .abort = abort};
    struct ticker ticker;

    for (ending.at = 1;; ending.at++) {
        cr_assert_eq(read_start(world, "big", max, &out, &ending.read), 0);
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

RV_TEST(file_read, ends_at_each_step, .timeout = 60)
{
    struct world world;
    struct outcome out;
    struct rv_file_read *read;
    char *big = pattern(MIB);

    world_init(&world, t);
    world_root(&world);
    world_write(&world, "big", big, MIB);
    cr_assert_geq(end_everywhere(&world, MIB, false), 8);
    cr_assert_geq(end_everywhere(&world, MIB, true), 8);
    cr_assert_geq(end_everywhere(&world, MIB / 2, false), 4);
    cr_assert_geq(end_everywhere(&world, MIB / 2, true), 4);

    cr_assert_eq(read_start(&world, "big", MIB, &out, &read), 0);
    rv_file_read_cancel(read);
    rv_file_read_abort(read);
    cr_assert_eq(out.called, 1);
    cr_assert_eq(out.error, REEVE_ECANCELED);
    free(big);
    world_done(&world);
}

/* The owner of a read, as a batch will be one. */
struct owner {
    struct rv_pending pending;
    struct world *world;
    struct rv_root *root;
    struct rv_file_read *read;
    struct outcome out;
};

static void abort_owner(struct rv_pending *pending)
{
    struct owner *owner = rv_container_of(pending, struct owner, pending);
    struct outcome again;
    struct rv_file_read *read;
    struct rv_file_list *list;

    owner->world->root = owner->root;
    rv_file_read_abort(owner->read);
    cr_assert_eq(owner->out.error, REEVE_ECANCELED);
    cr_assert_eq(read_start(owner->world, "file", 10, &again, &read), REEVE_ECLOSING);
    cr_assert_eq(list_start(owner->world, ".", false, 10, &again, &list), REEVE_ECLOSING);
    rv_root_free(owner->root);
    owner->world->root = NULL;
    rv_pending_remove(owner->world->runtime, pending);
}

RV_TEST(file_read, runtime_is_freed_meanwhile)
{
    struct world world;
    struct owner owner = {.world = &world};

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "file", "x");
    cr_assert_eq(read_start(&world, "file", 10, &owner.out, &owner.read), 0);
    rv_pending_add(world.runtime, &owner.pending, abort_owner);
    owner.root = world.root;
    world.root = NULL;
    world_done(&world);
    cr_assert_eq(owner.out.called, 1);
}

RV_TEST(file_read, outlives_the_hold_on_its_root)
{
    struct world world;
    struct outcome out;
    struct rv_file_read *read;

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "file", "still there");
    cr_assert_eq(read_start(&world, "file", 100, &out, &read), 0);
    rv_root_free(world.root);
    world.root = NULL;
    run(&world);
    cr_assert_eq(out.error, 0);
    cr_assert_str_eq(out.text, "still there");
    outcome_clear(&out);
    world_done(&world);
}

static void read_the_unreadable(struct world *world)
{
    struct rv_root *root;

    expect(world, "secret", REEVE_EACCESS, EACCES);
    expect(world, "closed/x", REEVE_EACCESS, EACCES);
    rv_root_force_walk(world->root, true);
    expect(world, "secret", REEVE_EACCESS, EACCES);
    expect(world, "closed/x", REEVE_EACCESS, EACCES);
    cr_assert_eq(rv_root_new(world->runtime, world_path(world, "closed"), &root), REEVE_EACCESS);
}

RV_TEST(file_read, permission)
{
    struct world world;

    world_init(&world, t);
    world_root(&world);
    world_text(&world, "secret", "nobody reads this");
    cr_assert_eq(chmod(world_path(&world, "secret"), 0), 0);
    world_folder(&world, "closed");
    world_text(&world, "closed/x", "x");
    cr_assert_eq(chmod(world_path(&world, "closed"), 0), 0);
    as_nobody(read_the_unreadable, &world);
    cr_assert_eq(chmod(world_path(&world, "closed"), 0755), 0);
    world_done(&world);
}

RV_TEST(file_read, roots)
{
    struct world world;
    struct rv_root *root;
    struct outcome out;
    char path[256];

    world_init(&world, t);
    world_text(&world, "file", "by its absolute path");
    cr_assert_eq(rv_root_new(world.runtime, "/nothing/here", &root), REEVE_ENOTFOUND);
    cr_assert_eq(rv_root_new(world.runtime, "", &root), REEVE_ENOTFOUND);
    cr_assert_eq(rv_root_new(world.runtime, world_path(&world, "file"), &root), REEVE_ENOTDIR);

    /* A root by way of a link: both of its names stand before a path. */
    snprintf(path, sizeof path, "%s/link", world.top);
    cr_assert_eq(symlink("root", path), 0);
    cr_assert_eq(rv_root_new(world.runtime, path, &world.root), 0);
    snprintf(path, sizeof path, "%s/link/file", world.top);
    read_whole(&world, path, &out);
    cr_assert_str_eq(out.text, "by its absolute path");
    outcome_clear(&out);
    read_whole(&world, world_path(&world, "file"), &out);
    cr_assert_str_eq(out.text, "by its absolute path");
    outcome_clear(&out);
    rv_root_free(world.root);

    /* And one that is all there is. */
    cr_assert_eq(rv_root_new(world.runtime, "/", &world.root), 0);
    read_whole(&world, world_path(&world, "file"), &out);
    cr_assert_str_eq(out.text, "by its absolute path");
    outcome_clear(&out);
    world_done(&world);
}

static int read_scenario(struct rv_test *run_test, void *arg)
{
    size_t max = *(size_t *)arg;
    struct world world;
    struct outcome out = {0};
    struct rv_file_read *read;
    int error = world_open(&world, run_test);

    if (error)
        goto no_runtime;
    world_write(&world, "file", "head and tail", 13);
    error = rv_root_new(world.runtime, world.inside, &world.root);
    if (error)
        goto out;
    error = read_start(&world, "file", max, &out, &read);
    if (error)
        goto out;
    run(&world);
    cr_assert_eq(out.called, 1);
    error = out.error;
out:
    outcome_clear(&out);
no_runtime:
    world_done(&world);
    return error;
}

RV_TEST(file_read, out_of_memory, .timeout = 30)
{
    size_t whole = 100, cut = 6;

    RV_SWEEP_ALLOCATIONS(t, read_scenario, &whole, 6);
    RV_SWEEP_ALLOCATIONS(t, read_scenario, &cut, 7);
}
