/* SPDX-License-Identifier: MIT */
/* What the tests of files stand on. See file-world.h. */
#include "tests/integration/file-world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

int world_open(struct world *world, struct rv_test *t)
{
    struct reeve_runtime_options options;

    memset(world, 0, sizeof *world);
    world->t = t;
    strcpy(world->top, "/tmp/reeve-file-XXXXXX");
    cr_assert_not_null(mkdtemp(world->top));
    cr_assert_eq(chmod(world->top, 0755), 0);
    snprintf(world->inside, sizeof world->inside, "%s/root", world->top);
    snprintf(world->outside, sizeof world->outside, "%s/outside", world->top);
    cr_assert_eq(mkdir(world->inside, 0755), 0);
    cr_assert_eq(mkdir(world->outside, 0755), 0);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    options.seed = 1;
    return reeve_runtime_new(NULL, &options, &world->runtime);
}

void world_init(struct world *world, struct rv_test *t)
{
    cr_assert_eq(world_open(world, t), 0);
}

void world_root(struct world *world)
{
    int error = rv_root_new(world->runtime, world->inside, &world->root);

    cr_assert_eq(error, 0, "%s", reeve_error_name(error));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

void world_done(struct world *world)
{
    rv_root_free(world->root);
    reeve_runtime_free(world->runtime);
    cr_assert_eq(nftw(world->top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *world_path(const struct world *world, const char *name)
{
    static char paths[4][8192];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", world->inside, name);
    return path;
}

void world_write(const struct world *world, const char *name, const char *bytes, size_t len)
{
    int fd = open(world_path(world, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    cr_assert_geq(fd, 0, "%s", name);
    cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

void world_text(const struct world *world, const char *name, const char *text)
{
    world_write(world, name, text, strlen(text));
}

void world_folder(const struct world *world, const char *name)
{
    cr_assert_eq(mkdir(world_path(world, name), 0755), 0, "%s", name);
}

void world_link(const struct world *world, const char *target, const char *name)
{
    cr_assert_eq(symlink(target, world_path(world, name)), 0, "%s", name);
}

void world_fifo(const struct world *world, const char *name)
{
    cr_assert_eq(mkfifo(world_path(world, name), 0644), 0, "%s", name);
}

void outcome_clear(struct outcome *outcome)
{
    free(outcome->text);
    free(outcome->names);
    memset(outcome, 0, sizeof *outcome);
}

static void read_done(struct rv_file_read *read, int error, void *arg)
{
    const struct rv_file_content *content = rv_file_read_content(read);
    struct outcome *outcome = arg;

    outcome->called++;
    outcome->error = error;
    outcome->problem = *rv_file_read_problem(read);
    outcome->content = *content;
    cr_assert_eq(content->head[content->head_len], '\0');
    cr_assert_eq(content->tail[content->tail_len], '\0');
    rv_file_read_cancel(read); /* legal, and without effect */
    rv_file_read_abort(read);
    if (error)
        return;
    outcome->len = content->head_len + content->tail_len;
    outcome->text = malloc(outcome->len + 1);
    cr_assert_not_null(outcome->text);
    memcpy(outcome->text, content->head, content->head_len);
    memcpy(outcome->text + content->head_len, content->tail, content->tail_len + 1);
}

uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void list_done(struct rv_file_list *list, int error, void *arg)
{
    struct outcome *outcome = arg;
    uint64_t start_ns = cpu_ns();
    const struct rv_file_entry *entry;
    size_t count = 0;
    FILE *names;

    outcome->called++;
    outcome->error = error;
    outcome->problem = *rv_file_list_problem(list);
    outcome->listing = *rv_file_list_listing(list);
    rv_file_list_cancel(list); /* legal, and without effect */
    rv_file_list_abort(list);
    if (error)
        return;
    names = open_memstream(&outcome->names, &outcome->len);
    cr_assert_not_null(names);
    for (entry = outcome->listing.first; entry; entry = entry->next, count++) {
        fprintf(names, "%s:%c:%lld%s\n", entry->name, entry->type, (long long)entry->size,
                entry->unread ? ":unread" : "");
    }
    fclose(names);
    cr_assert_eq(count, outcome->listing.count);
    outcome->listing.first = NULL;
    outcome->spent_ns = cpu_ns() - start_ns;
}

int read_start(struct world *world, const char *path, size_t max, struct outcome *outcome,
               struct rv_file_read **ret_read)
{
    struct rv_file_read_options options = {
        .path = path,
        .limit = UINT64_MAX,
        .max_bytes = max,
        .on_done = read_done,
        .arg = outcome,
    };

    memset(outcome, 0, sizeof *outcome);
    return rv_file_read_start(world->root, &options, ret_read);
}

int list_start(struct world *world, const char *path, bool recursive, size_t max_entries,
               struct outcome *outcome, struct rv_file_list **ret_list)
{
    struct rv_file_list_options options = {
        .path = path,
        .recursive = recursive,
        .max_entries = max_entries,
        .max_name_bytes = (size_t)64 << 20,
        .on_done = list_done,
        .arg = outcome,
    };

    memset(outcome, 0, sizeof *outcome);
    return rv_file_list_start(world->root, &options, ret_list);
}

void run(struct world *world)
{
    cr_assert_eq(reeve_runtime_run(world->runtime), 0);
}

void read_range(struct world *world, const char *path, uint64_t offset, uint64_t limit, size_t max,
                struct outcome *outcome)
{
    struct rv_file_read_options options = {
        .path = path,
        .offset = offset,
        .limit = limit,
        .max_bytes = max,
        .on_done = read_done,
        .arg = outcome,
    };
    struct rv_file_read *read;

    memset(outcome, 0, sizeof *outcome);
    outcome->error = rv_file_read_start(world->root, &options, &read);
    if (outcome->error)
        return;
    cr_assert_eq(outcome->called, 0, "it must complete later");
    run(world);
    cr_assert_eq(outcome->called, 1);
}

void read_whole(struct world *world, const char *path, struct outcome *outcome)
{
    read_range(world, path, 0, UINT64_MAX, (size_t)1 << 20, outcome);
}

void list_folder(struct world *world, const char *path, bool recursive, struct outcome *outcome)
{
    struct rv_file_list *list;
    int error = list_start(world, path, recursive, 1000000, outcome, &list);

    outcome->error = error;
    if (error)
        return;
    cr_assert_eq(outcome->called, 0, "it must complete later");
    run(world);
    cr_assert_eq(outcome->called, 1);
}

static void run_ticker(struct rv_task *task)
{
    struct ticker *ticker = rv_container_of(task, struct ticker, task);

    ticker->ticks++;
    ticker->tick(ticker);
    if (!ticker->stop)
        rv_ready_push(ticker->world->runtime, task);
}

void ticker_start(struct ticker *ticker, struct world *world, void (*tick)(struct ticker *ticker),
                  void *arg)
{
    *ticker = (struct ticker){.world = world, .tick = tick, .arg = arg};
    rv_task_init(&ticker->task, run_ticker);
    rv_ready_push(world->runtime, &ticker->task);
}

void as_nobody(void (*body)(struct world *world), struct world *world)
{
    bool drop = geteuid() == 0;

    if (drop) {
        cr_assert_eq(setegid(NOBODY), 0);
        cr_assert_eq(seteuid(NOBODY), 0);
    }
    body(world);
    if (drop) {
        cr_assert_eq(seteuid(0), 0);
        cr_assert_eq(setegid(0), 0);
    }
}
