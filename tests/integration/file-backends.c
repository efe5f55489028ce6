/* SPDX-License-Identifier: MIT */
/* By which means files are read: each forced, and told by the counters. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file_op.h"
#include "io/uring.h"
#include "loop/runtime.h"
#include "metrics/metrics.h"
#include "tests/integration/file-world.h"

#define MIB ((size_t)1 << 20)

struct counts {
    uint64_t cached, uring, sliced, unavailable;
};

static struct counts counts_of(const struct world *world)
{
    return (struct counts){
        reeve_runtime_counter(world->runtime, REEVE_COUNTER_FILE_CACHED),
        reeve_runtime_counter(world->runtime, REEVE_COUNTER_FILE_URING),
        reeve_runtime_counter(world->runtime, REEVE_COUNTER_FILE_SLICED),
        reeve_runtime_counter(world->runtime, REEVE_COUNTER_FILE_URING_UNAVAILABLE),
    };
}

/* Whether this machine has io_uring; tells it if not. */
static bool has_uring(struct world *world)
{
    if (rv_file_force_backend(world->runtime, RV_FILE_BACKEND_URING))
        return true;
    fprintf(stderr, "SKIPPED here: io_uring is not to be had\n");
    return false;
}

static void big_file(struct world *world, const char *name, size_t len)
{
    char *bytes = malloc(len);
    size_t i;

    for (i = 0; i < len; i++)
        bytes[i] = (char)('!' + (i * 2654435761u >> 13) % 90);
    world_write(world, name, bytes, len);
    free(bytes);
}

static void read_and_check(struct world *world, const char *name, size_t len)
{
    struct outcome out;
    size_t i;

    read_range(world, name, 0, UINT64_MAX, 8 * MIB, &out);
    cr_assert_eq(out.error, 0);
    cr_assert_eq(out.len, len);
    for (i = 0; i < len; i++) {
        if (out.text[i] != (char)('!' + (i * 2654435761u >> 13) % 90))
            cr_assert(0, "byte %zu", i);
    }
    outcome_clear(&out);
}

/* One opening, and pieces of 16 to 128 KiB, as quickly as this machine gives them. */
static bool is_paced(uint64_t count)
{
    return count >= 1 + 2 * MIB / RV_FILE_PACE_MOST_BYTES &&
           count <= 1 + 2 * MIB / RV_FILE_PACE_LEAST_BYTES;
}

/* Whether the file system answers what may not wait; in memory it often cannot. Tells it if not. */
static bool has_nowait(const struct world *world, const char *name)
{
    char path[256], byte;
    const struct iovec piece = {&byte, 1};
    int fd, problem;

    snprintf(path, sizeof path, "%s/%s", world->inside, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    problem = preadv2(fd, &piece, 1, 0, RWF_NOWAIT) < 0 ? errno : 0;
    close(fd);
    if (problem == EOPNOTSUPP)
        fprintf(stderr, "SKIPPED here: the file system of /tmp has no RWF_NOWAIT\n");
    return problem != EOPNOTSUPP;
}

/* What has just been written is held by the kernel: no ring is even made. */
RV_TEST(file_backends, cached)
{
    struct world world;
    struct counts counts;

    world_init(&world, t);
    world_root(&world);
    big_file(&world, "big", 2 * MIB);
    if (!has_nowait(&world, "big")) {
        world_done(&world);
        return;
    }
    read_and_check(&world, "big", 2 * MIB);
    counts = counts_of(&world);
    fprintf(stderr, "%lu from the cache, %lu by io_uring, %lu in slices\n",
            (unsigned long)counts.cached, (unsigned long)counts.uring,
            (unsigned long)counts.sliced);
    cr_assert(is_paced(counts.cached));
    cr_assert_eq(counts.uring + counts.sliced + counts.unavailable, 0);
    world_done(&world);
}

RV_TEST(file_backends, uring)
{
    struct world world;
    struct counts counts;

    world_init(&world, t);
    world_root(&world);
    if (has_uring(&world)) {
        big_file(&world, "big", 2 * MIB);
        read_and_check(&world, "big", 2 * MIB);
        counts = counts_of(&world);
        cr_assert_eq(counts.uring, 17);
        cr_assert_eq(counts.cached + counts.sliced + counts.unavailable, 0);
        cr_assert_eq(event_base_get_num_events(reeve_runtime_event_base(world.runtime),
                                               EVENT_BASE_COUNT_ADDED),
                     0, "an idle ring is not watched");
    }
    world_done(&world);
}

RV_TEST(file_backends, slices)
{
    struct world world;
    struct counts counts;

    world_init(&world, t);
    world_root(&world);
    cr_assert(rv_file_force_backend(world.runtime, RV_FILE_BACKEND_SLICES));
    big_file(&world, "big", 2 * MIB);
    read_and_check(&world, "big", 2 * MIB);
    counts = counts_of(&world);
    cr_assert(is_paced(counts.sliced));
    cr_assert_eq(counts.cached + counts.uring + counts.unavailable, 0);
    world_done(&world);
}

/* What the kernel does not hold goes to the ring by itself. */
RV_TEST(file_backends, what_is_not_cached, .timeout = 30)
{
    struct world world;
    struct counts counts;
    int fd;

    world_init(&world, t);
    world_root(&world);
    if (has_uring(&world)) {
        rv_file_force_backend(world.runtime, RV_FILE_BACKEND_AUTO);
        big_file(&world, "big", 2 * MIB);
        fd = open(world_path(&world, "big"), O_RDONLY | O_CLOEXEC);
        cr_assert_eq(fsync(fd), 0);
        cr_assert_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
        close(fd);
        read_and_check(&world, "big", 2 * MIB);
        counts = counts_of(&world);
        fprintf(stderr, "%lu from the cache, %lu by io_uring, %lu in slices\n",
                (unsigned long)counts.cached, (unsigned long)counts.uring,
                (unsigned long)counts.sliced);
        cr_assert_eq(counts.sliced, 0);
        cr_assert_gt(counts.cached, 0);
    }
    world_done(&world);
}

/* From now on io_uring_setup fails with EPERM in this process, as in many containers. */
static void forbid_uring(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};

    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0, "%s", strerror(errno));
}

RV_TEST(file_backends, forbidden_is_no_fault)
{
    struct world world;
    struct outcome out;
    struct counts counts;

    world_init(&world, t);
    world_root(&world);
    forbid_uring();
    cr_assert_not(rv_file_force_backend(world.runtime, RV_FILE_BACKEND_URING));
    big_file(&world, "big", MIB);
    read_and_check(&world, "big", MIB);
    list_folder(&world, ".", true, &out);
    cr_assert_str_eq(out.names, "big:f:1048576\n");
    outcome_clear(&out);
    counts = counts_of(&world);
    cr_assert_eq(counts.uring, 0);
    cr_assert_geq(counts.sliced, 9);
    cr_assert_eq(counts.unavailable, 1, "it is tried once");
    world_done(&world);
}

#define MANY 200

/* More than the ring takes at a time; in any order they complete. */
RV_TEST(file_backends, more_than_fit_the_ring, .timeout = 30)
{
    static struct outcome out[MANY];
    struct rv_file_read *read;
    struct world world;
    size_t i;

    world_init(&world, t);
    world_root(&world);
    big_file(&world, "big", MIB);
    if (has_uring(&world)) {
        for (i = 0; i < MANY; i++)
            cr_assert_eq(read_start(&world, "big", 64 * 1024, &out[i], &read), 0);
        run(&world);
        for (i = 0; i < MANY; i++) {
            cr_assert_eq(out[i].called, 1);
            cr_assert_eq(out[i].error, 0);
            cr_assert_eq(out[i].len, 64 * 1024);
            outcome_clear(&out[i]);
        }
        cr_assert_eq(counts_of(&world).uring, 3 * MANY);
    }
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
    (ending->abort ? rv_file_read_abort : rv_file_read_cancel)(ending->read);
}

/* Its buffers are gone at once; what the kernel still writes goes elsewhere. */
RV_TEST(file_backends, uring_ends_at_each_step, .timeout = 60)
{
    struct world world;
    struct outcome out;
    struct ending ending = {.out = &out};
    struct ticker ticker;
    unsigned canceled = 0;

    world_init(&world, t);
    world_root(&world);
    big_file(&world, "big", MIB);
    if (has_uring(&world)) {
        for (ending.at = 1; ending.at < 100; ending.at++) {
            ending.abort = ending.at % 2;
            cr_assert_eq(read_start(&world, "big", 8 * MIB, &out, &ending.read), 0);
            ticker_start(&ticker, &world, end_at, &ending);
            run(&world);
            cr_assert_eq(out.called, 1);
            cr_assert(!out.error || out.error == REEVE_ECANCELED);
            canceled += out.error != 0;
            outcome_clear(&out);
        }
        cr_assert_gt(canceled, 10);
        read_and_check(&world, "big", MIB);
    }
    world_done(&world);
}

/* Freed with calls in flight: it waits for what the kernel writes, and for nothing else. */
RV_TEST(file_backends, runtime_is_freed_with_calls_in_flight, .timeout = 30)
{
    static struct outcome out[MANY];
    struct rv_file_read *read[MANY];
    struct world world;
    size_t i, ended = 0;

    world_init(&world, t);
    world_root(&world);
    big_file(&world, "big", MIB);
    if (has_uring(&world)) {
        for (i = 0; i < MANY; i++)
            cr_assert_eq(read_start(&world, "big", MIB, &out[i], &read[i]), 0);
        event_base_loop(reeve_runtime_event_base(world.runtime), EVLOOP_ONCE);
        for (i = 0; i < MANY; i++) {
            if (!out[i].called)
                rv_file_read_abort(read[i]);
            cr_assert_eq(out[i].called, 1);
            ended += out[i].error == REEVE_ECANCELED;
            outcome_clear(&out[i]);
        }
        cr_assert_gt(ended, MANY / 2);
    }
    world_done(&world);
}

/* A child that only exits does not disturb; one that goes on with the runtime does without. */
RV_TEST(file_backends, fork_of_the_host, .timeout = 30)
{
    struct world world;
    struct outcome out;
    struct counts before;
    pid_t child;
    int status;

    world_init(&world, t);
    world_root(&world);
    big_file(&world, "big", MIB);
    if (has_uring(&world)) {
        read_and_check(&world, "big", MIB);
        before = counts_of(&world);
        child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            event_reinit(reeve_runtime_event_base(world.runtime));
            read_whole(&world, "big", &out);
            _exit(out.error || out.len != MIB || counts_of(&world).uring != before.uring ||
                  counts_of(&world).sliced == before.sliced);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0);
        read_and_check(&world, "big", MIB);
        cr_assert_gt(counts_of(&world).uring, before.uring);
    }
    world_done(&world);
}

/* What is no file is found out and left alone, by each backend. */
RV_TEST(file_backends, not_files)
{
    static const enum rv_file_backend backends[] = {RV_FILE_BACKEND_AUTO, RV_FILE_BACKEND_URING,
                                                    RV_FILE_BACKEND_SLICES};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct world world;
    struct rv_root *devices;
    struct outcome out;
    size_t i;
    int fd;

    world_init(&world, t);
    world_root(&world);
    world_fifo(&world, "fifo");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", world_path(&world, "socket"));
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    cr_assert_eq(rv_root_new(world.runtime, "/dev", &devices), 0);
    for (i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (!rv_file_force_backend(world.runtime, backends[i]))
            continue;
        read_whole(&world, "fifo", &out);
        cr_assert_eq(out.error, REEVE_ENOTFILE);
        cr_assert_str_eq(out.problem.kind, "a FIFO");
        read_whole(&world, "socket", &out);
        cr_assert_eq(out.error, REEVE_ENOTFILE);
        cr_assert_str_eq(out.problem.kind, "a socket");
    }
    rv_root_free(world.root);
    world.root = devices;
    read_whole(&world, "null", &out);
    cr_assert_eq(out.error, REEVE_ENOTFILE);
    cr_assert_str_eq(out.problem.kind, "a character device");
    world_done(&world);
}

static void count_turns(struct ticker *ticker)
{
    ticker->stop = ((struct outcome *)ticker->arg)->called;
}

/* Head and tail of ten gigabytes, both ends beyond what 32 bits hold, by each backend. */
RV_TEST(file_backends, ten_gigabytes, .timeout = 30)
{
    static const enum rv_file_backend backends[] = {RV_FILE_BACKEND_AUTO, RV_FILE_BACKEND_URING,
                                                    RV_FILE_BACKEND_SLICES};
    const uint64_t size = UINT64_C(10) << 30, offset = (UINT64_C(4) << 30) + 5;
    struct ticker ticker;
    struct rv_file_read *read;
    struct world world;
    struct outcome out;
    size_t i;
    int fd;

    world_init(&world, t);
    world_root(&world);
    fd = open(world_path(&world, "huge"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_eq(ftruncate(fd, (off_t)size), 0);
    cr_assert_eq(pwrite(fd, "middle", 6, (off_t)offset), 6);
    cr_assert_eq(pwrite(fd, "the end", 7, (off_t)size - 7), 7);
    close(fd);
    for (i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (!rv_file_force_backend(world.runtime, backends[i]))
            continue;
        read_range(&world, "huge", offset, UINT64_MAX, 14, &out);
        cr_assert_eq(out.error, 0);
        cr_assert_eq(out.content.skipped, size - offset - 14);
        cr_assert_eq(memcmp(out.text, "middle\0the end", 14), 0);
        outcome_clear(&out);
        cr_assert_eq(read_start(&world, "huge", 4 * MIB, &out, &read), 0);
        ticker_start(&ticker, &world, count_turns, &out);
        run(&world);
        cr_assert_eq(out.len, 4 * MIB);
        cr_assert_geq(ticker.ticks, 32, "the loop has its turns between the pieces");
        outcome_clear(&out);
    }
    world_done(&world);
}

static int read_scenario(struct rv_test *run_test, void *arg)
{
    struct world world;
    struct outcome out = {0};
    int error = world_open(&world, run_test);

    (void)arg;
    if (error)
        goto out;
    big_file(&world, "big", 300000);
    error = rv_root_new(world.runtime, world.inside, &world.root);
    if (error)
        goto out;
    rv_file_force_backend(world.runtime, RV_FILE_BACKEND_URING);
    read_whole(&world, "big", &out);
    error = out.error;
    outcome_clear(&out);
out:
    world_done(&world);
    return error;
}

RV_TEST(file_backends, out_of_memory, .timeout = 30)
{
#ifdef HAVE_LIBURING
    RV_SWEEP_ALLOCATIONS(t, read_scenario, NULL, 12);
#else
    RV_SWEEP_ALLOCATIONS(t, read_scenario, NULL, 10);
#endif
}
