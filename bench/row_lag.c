/* SPDX-License-Identifier: MIT */
/*
 * loop.lag: how long an event of the host's waits while the loop has much to do. An outside thread
 * pokes an eventfd that stands on the same loop, and takes the loop thread's CPU time between the
 * poke and its answer; meanwhile a 10 GB sparse file is read from its beginning to its end,
 * 100,000 files are found in a tree, and a completion whose 20 MB response comes in pieces of 64 KB
 * is made.
 * Each of the three begins again until all have been done once. The longest of all pokes counts, of
 * the round in which it was the shortest: what is ours comes again in each. A request is made
 * before the first poke, so that what libcurl sets up once a process stands in the row of the
 * start.
 */
#include "bench/rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "bench/server.h"
#include "io/file.h"
#include "loop/runtime.h"

#include <reeve/model.h>

enum {
    WINDOW_BYTES = 4 << 20, /* of the file, in one read */
    FOLDERS = 100,
    NAME_BYTES = 16 << 20,
    POKE_EVERY_US = 300,
    MOST_POKES = 1 << 20,
};

/* What has been done once. */

enum { READING = 1, FINDING = 2, PARSING = 4, ALL = 7 };

struct work {
    const struct bench *bench;
    char *url;
    uint64_t file_bytes;
    size_t files;

    struct reeve_runtime *runtime;
    struct rv_root *root;
    uint64_t offset;
    struct reeve_model *model;
    struct reeve_transcript *transcript;
    unsigned done;

    struct event *poked;
    int fd;
    pthread_t poker;
    clockid_t loop_cpu;
    atomic_bool stop;
    atomic_bool waiting;
    uint64_t poke_cpu_ns;
    uint64_t poke_wall_ns;
    uint32_t *took_ns;
    size_t pokes;
    uint64_t worst_cpu_ns;
    uint64_t worst_wall_ns;
};

/* The outside thread. */

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *poke(void *arg)
{
    struct work *work = arg;
    const uint64_t one = 1;

    while (!atomic_load(&work->stop)) {
        usleep(POKE_EVERY_US);
        if (atomic_load(&work->waiting))
            continue;
        work->poke_wall_ns = bench_wall_ns();
        work->poke_cpu_ns = read_ns(work->loop_cpu);
        atomic_store(&work->waiting, true);
        if (write(work->fd, &one, sizeof one) != sizeof one)
            break;
    }
    return NULL;
}

static void on_poked(evutil_socket_t fd, short what, void *arg)
{
    struct work *work = arg;
    const uint64_t cpu_ns = read_ns(work->loop_cpu) - work->poke_cpu_ns;
    const uint64_t wall_ns = bench_wall_ns() - work->poke_wall_ns;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof count) != sizeof count || !atomic_load(&work->waiting))
        return;
    if (work->pokes < MOST_POKES)
        work->took_ns[work->pokes++] = (uint32_t)cpu_ns;
    if (cpu_ns > work->worst_cpu_ns)
        work->worst_cpu_ns = cpu_ns;
    if (wall_ns > work->worst_wall_ns)
        work->worst_wall_ns = wall_ns;
    atomic_store(&work->waiting, false);
}

/* What keeps the loop busy. Each returns whether it is to go on. */

static bool goes_on(struct work *work, unsigned what)
{
    work->done |= what;
    if (work->done != ALL)
        return true;
    event_del(work->poked);
    return false;
}

static void read_file(struct work *work);
static void find_files(struct work *work);
static void parse_response(struct work *work);

static void on_read(struct rv_file_read *read, int error, void *arg)
{
    struct work *work = arg;

    bench_check(!error && rv_file_read_content(read)->head_len, "reading the sparse file");
    work->offset += WINDOW_BYTES;
    if (work->offset >= work->file_bytes) {
        work->offset = 0;
        if (!goes_on(work, READING))
            return;
    } else if (work->done == ALL) {
        return;
    }
    read_file(work);
}

static void read_file(struct work *work)
{
    const struct rv_file_read_options options = {
        .path = "large",
        .offset = work->offset,
        .limit = WINDOW_BYTES,
        .max_bytes = WINDOW_BYTES,
        .on_done = on_read,
        .arg = work,
    };
    struct rv_file_read *read;

    bench_check(!rv_file_read_start(work->root, &options, &read), "reading");
}

static void on_found(struct rv_file_list *list, int error, void *arg)
{
    struct work *work = arg;

    bench_check(!error && rv_file_list_listing(list)->count == work->files + FOLDERS,
                "finding the files");
    if (goes_on(work, FINDING))
        find_files(work);
}

static void find_files(struct work *work)
{
    const struct rv_file_list_options options = {
        .path = "tree",
        .recursive = true,
        .max_entries = 2 * work->files,
        .max_name_bytes = NAME_BYTES,
        .on_done = on_found,
        .arg = work,
    };
    struct rv_file_list *list;

    bench_check(!rv_file_list_start(work->root, &options, &list), "listing");
}

static void on_done(struct reeve_completion *completion, int error, void *arg)
{
    struct work *work = arg;

    bench_check(!error && reeve_completion_finish(completion) == REEVE_FINISH_STOP,
                "the large response");
    if (goes_on(work, PARSING))
        parse_response(work);
}

static void complete(struct work *work,
                     void (*done)(struct reeve_completion *completion, int error, void *arg))
{
    struct reeve_completion_options options;
    struct reeve_completion *completion;

    reeve_completion_options_init(&options);
    options.transcript = work->transcript;
    options.stream = 0;
    options.on_done = done;
    options.arg = work;
    bench_check(!reeve_complete(work->model, &options, &completion), "a completion");
}

static void parse_response(struct work *work)
{
    complete(work, on_done);
}

static void on_first_done(struct reeve_completion *completion, int error, void *arg)
{
    (void)completion;
    (void)arg;
    bench_check(!error, "the first response");
}

static void make_model(struct work *work)
{
    struct reeve_model_options options;

    reeve_model_options_init(&options);
    options.name = "bench";
    options.base_url = work->url;
    options.max_response_bytes = 2 * (size_t)BENCH_LARGE_BYTES;
    bench_check(!reeve_model_new(work->runtime, &options, &work->model) &&
                    !reeve_transcript_new(work->runtime, &work->transcript) &&
                    !reeve_transcript_add(work->transcript, REEVE_ROLE_USER, "Hello?", 6),
                "a model");
}

/* The row. */

static void make_files(struct work *work)
{
    char path[512];
    size_t folder, i;
    FILE *file;

    snprintf(path, sizeof path, "%s/large", work->bench->folder);
    file = fopen(path, "w");
    bench_check(file && !fclose(file) && !truncate(path, (off_t)work->file_bytes), path);
    snprintf(path, sizeof path, "%s/tree", work->bench->folder);
    bench_check(!mkdir(path, 0700), path);
    for (folder = 0; folder < FOLDERS; folder++) {
        snprintf(path, sizeof path, "%s/tree/%zu", work->bench->folder, folder);
        bench_check(!mkdir(path, 0700), path);
        for (i = 0; i < work->files / FOLDERS; i++) {
            snprintf(path, sizeof path, "%s/tree/%zu/file-%zu.txt", work->bench->folder, folder, i);
            file = fopen(path, "w");
            bench_check(file && !fclose(file), path);
        }
    }
}

static void set_up(struct work *work)
{
    struct event_base *base;

    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime) &&
                    !rv_root_new(work->runtime, work->bench->folder, &work->root),
                "setting up");
    make_model(work);
    complete(work, on_first_done);
    bench_check(!reeve_runtime_run(work->runtime), "the first request");
    base = reeve_runtime_event_base(work->runtime);
    work->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    work->poked = event_new(base, work->fd, EV_READ | EV_PERSIST, on_poked, work);
    work->took_ns = calloc(MOST_POKES, sizeof *work->took_ns);
    bench_check(work->took_ns && work->poked && !event_add(work->poked, NULL) &&
                    !pthread_getcpuclockid(pthread_self(), &work->loop_cpu),
                "setting up");
}

static int compare(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    set_up(work);
    bench_check(!pthread_create(&work->poker, NULL, poke, work), "a thread");
    read_file(work);
    find_files(work);
    parse_response(work);
    bench_check(!reeve_runtime_run(work->runtime), "the loop");
    atomic_store(&work->stop, true);
    pthread_join(work->poker, NULL);
    qsort(work->took_ns, work->pokes, sizeof *work->took_ns, compare);
    figures->value[0] = (double)work->worst_cpu_ns / 1e6;
    figures->value[1] = (double)work->worst_wall_ns / 1e6;
    figures->value[2] = work->pokes ? work->took_ns[work->pokes * 99 / 100] / 1e6 : 0;
    figures->value[3] = (double)work->pokes;
    event_free(work->poked);
    reeve_transcript_free(work->transcript);
    reeve_model_free(work->model);
    rv_root_free(work->root);
    reeve_runtime_free(work->runtime);
    return work->pokes ? 0 : 1;
}

static void run(const struct bench *bench, const struct bench_row *row)
{
    struct bench_server server;
    char url[BENCH_URL_BYTES + 8];
    struct work work = {
        .bench = bench,
        .url = url,
        .file_bytes = (bench->quick ? UINT64_C(1) : UINT64_C(10)) << 30,
        .files = bench->quick ? 10000 : 100000,
    };
    const struct bench_side side = {.name = "ours", .run = run_ours, .arg = &work};
    const struct bench_match match = {
        .sides = &side,
        .count = 1,
        .rounds = 3,
        .limit_s = 120,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures score;

    make_files(&work);
    bench_server_start(&server);
    snprintf(url, sizeof url, "%s/large", server.url);
    bench_play(&match, &score);
    bench_server_stop(&server);
    bench_absolute(bench, row, BENCH_LESS, score.value[0], 2);
    bench_aside(bench, row, "wall", "ms wall", BENCH_LESS, score.value[1]);
    bench_aside(bench, row, "p99", "ms CPU", BENCH_LESS, score.value[2]);
    bench_aside(bench, row, "pokes", "pokes", BENCH_MORE, score.value[3]);
}

const struct bench_row bench_row_loop_lag = {
    "loop.lag", "ms CPU",
    "10 GB read, 100,000 files found, 20 MB parsed: at most 2 ms of CPU before an event is served",
    run};
