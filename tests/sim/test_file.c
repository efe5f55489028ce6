/* SPDX-License-Identifier: MIT */
/* Requests on files, on simulated ones: each fault at each step, in virtual time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/file_write.h"
#include "tests/sim/file.h"
#include "tests/sim/runtime.h"

#include <reeve/error.h>

static struct rv_sim_files *files;
static struct rv_root *root;
static int called, ended;
static char text[4096];

static void begin(struct rv_test *t)
{
    set_up(t);
    files = rv_sim_files_of(runtime);
    cr_assert_eq(rv_root_new(runtime, "/anywhere", &root), 0);
}

static void end(struct rv_test *t)
{
    cr_assert_eq(rv_sim_file_open(files), 0, "descriptors are left open");
    cr_assert_eq(rv_sim_file_pending(files), 0);
    rv_root_free(root);
    tear_down(t);
}

#define FILE_TEST(name) RV_TEST(sim_file, name, RV_FIXTURE(begin, end))

static void read_done(struct rv_file_read *read, int error, void *arg)
{
    const struct rv_file_content *content = rv_file_read_content(read);

    (void)arg;
    called++;
    ended = error;
    cr_assert_lt(content->head_len, sizeof text);
    memcpy(text, content->head, content->head_len + 1);
}

static struct rv_file_read *start_read(const char *path)
{
    struct rv_file_read_options options = {
        .path = path, .limit = UINT64_MAX, .max_bytes = 4000, .on_done = read_done};
    struct rv_file_read *read;

    called = 0;
    cr_assert_eq(rv_file_read_start(root, &options, &read), 0);
    return read;
}

static void write_done(struct rv_file_write *write, int error, void *arg)
{
    (void)write, (void)arg;
    called++;
    ended = error;
}

static struct rv_file_write *start_write(const char *path, const char *bytes)
{
    struct rv_file_write_options options = {.path = path,
                                            .how = RV_FILE_WRITE_REPLACE,
                                            .bytes = bytes,
                                            .len = strlen(bytes),
                                            .sync = true,
                                            .on_done = write_done};
    struct rv_file_write *write;

    called = 0;
    cr_assert_eq(rv_file_write_start(root, &options, &write), 0);
    return write;
}

static void go(void)
{
    while (rv_sim_pass(runtime))
        ;
}

enum { LARGE_BYTES = 1 << 20 };

static void large_done(struct rv_file_read *read, int error, void *arg)
{
    const struct rv_file_content *content = rv_file_read_content(read);

    called++;
    ended = error;
    cr_assert_eq(content->head_len, LARGE_BYTES);
    cr_assert_eq(memcmp(content->head, arg, LARGE_BYTES), 0);
}

/* How many reads it takes. */
static uint64_t read_large(char *bytes)
{
    const struct rv_file_read_options options = {.path = "large",
                                                 .limit = UINT64_MAX,
                                                 .max_bytes = LARGE_BYTES,
                                                 .on_done = large_done,
                                                 .arg = bytes};
    const uint64_t before = rv_sim_file_count(files, RV_SIM_FILE_READ);
    struct rv_file_read *read;

    called = 0;
    cr_assert_eq(rv_file_read_start(root, &options, &read), 0);
    go();
    cr_assert_eq(called, 1);
    cr_assert_eq(ended, 0);
    return rv_sim_file_count(files, RV_SIM_FILE_READ) - before;
}

FILE_TEST(what_a_read_moves_follows_what_the_last_has_cost)
{
    char *bytes = malloc(LARGE_BYTES);
    size_t i;

    for (i = 0; i < LARGE_BYTES; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    rv_sim_file_put(files, "large", bytes, LARGE_BYTES);
    /* 16, 32 and 64 KiB, seven times 128, and the 16 that are left. */
    cr_assert_eq(read_large(bytes), 11);
    cr_assert_eq(read_large(bytes), 8, "it goes on as it was");
    /* 128 KiB in 800 µs: from then on 16, in 100. */
    rv_sim_file_page_cost_ns(files, 25000);
    cr_assert_eq(read_large(bytes), 1 + 56);
    cr_assert_eq(rv_sim_file_longest_ns(files), 800000);
    /* Too cheap to be told from nothing: up again. */
    rv_sim_file_page_cost_ns(files, 100);
    cr_assert_eq(read_large(bytes), 11);
    free(bytes);
}

FILE_TEST(the_first_reads_are_small)
{
    char *bytes = calloc(1, LARGE_BYTES);

    rv_sim_file_put(files, "large", bytes, LARGE_BYTES);
    rv_sim_file_page_cost_ns(files, 25000);
    cr_assert_eq(read_large(bytes), 64);
    cr_assert_eq(rv_sim_file_longest_ns(files), 100000);
    /* Each twice as large as long as it takes 50 µs at the most. */
    rv_sim_file_page_cost_ns(files, 4000);
    cr_assert_eq(read_large(bytes), 18);
    cr_assert_eq(rv_sim_file_longest_ns(files), 100000);
    free(bytes);
}

FILE_TEST(reads_in_short_pieces_and_late)
{
    uint64_t start_ns = rv_sim_now_ns(runtime);

    rv_sim_file_put(files, "a/b", "twelve bytes", 12);
    rv_sim_file_link(files, "link", "a/../a/b");
    rv_sim_file_shorten(files, 5);
    rv_sim_file_latency_ms(files, 10);
    start_read("link");
    go();
    cr_assert_eq(called, 1);
    cr_assert_eq(ended, 0);
    cr_assert_str_eq(text, "twelve bytes");
    cr_assert_eq(rv_sim_file_count(files, RV_SIM_FILE_READ), 3);
    cr_assert_eq((rv_sim_now_ns(runtime) - start_ns) / 1000000, 40);
}

FILE_TEST(refusals)
{
    static const struct {
        const char *path;
        int error;
    } cases[] = {
        {"../x", REEVE_EOUTSIDE},   {"out", REEVE_EOUTSIDE},  {"none", REEVE_ENOTFOUND},
        {"folder", REEVE_ENOTFILE}, {"fifo", REEVE_ENOTFILE}, {"file/x", REEVE_ENOTDIR},
        {"file/", REEVE_ENOTDIR},   {"loop", REEVE_ESYSTEM},
    };
    size_t i;

    rv_sim_file_put(files, "file", "x", 1);
    rv_sim_file_folder(files, "folder");
    rv_sim_file_fifo(files, "fifo");
    rv_sim_file_link(files, "out", "../out");
    rv_sim_file_link(files, "loop", "loop");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_read(cases[i].path);
        go();
        cr_assert_eq(called, 1);
        cr_assert_eq(ended, cases[i].error, "%s: %s", cases[i].path, reeve_error_name(ended));
    }
}

/* The old file, whole, and nothing beside it, whatever fails before the rename. */
FILE_TEST(each_call_of_a_write_fails)
{
    unsigned failures = 0, verb, nth;

    rv_sim_file_shorten(files, 3);
    for (verb = 0; verb < RV_SIM_FILE_VERBS; verb++) {
        for (nth = 1; nth <= 4; nth++) {
            rv_sim_file_put(files, "file", "old", 3);
            rv_sim_file_fail(files, (enum rv_sim_file_verb)verb, nth, EIO);
            start_write("file", "new bytes");
            go();
            cr_assert_eq(called, 1);
            cr_assert_eq(rv_sim_file_entries(files, "."), 1);
            cr_assert_eq(rv_sim_file_open(files), 0);
            rv_sim_file_fail(files, (enum rv_sim_file_verb)verb, 0, EIO);
            if (!ended) {
                cr_assert_str_eq(rv_sim_file_text(files, "file", NULL), "new bytes");
                break;
            }
            failures++;
            cr_assert_eq(ended, REEVE_ESYSTEM);
            /* After the rename it is only the syncing of the folder that can fail. */
            if (verb != RV_SIM_FILE_OPEN && !(verb == RV_SIM_FILE_SYNC && nth == 2))
                cr_assert_str_eq(rv_sim_file_text(files, "file", NULL), "old");
        }
    }
    cr_assert_eq(failures, 9); /* place, create, 3 × write, sync, rename, open, sync */
}

FILE_TEST(disk_full)
{
    rv_sim_file_put(files, "file", "old", 3);
    rv_sim_file_room(files, 5);
    start_write("file", "new bytes");
    go();
    cr_assert_eq(ended, REEVE_ESYSTEM);
    cr_assert_str_eq(rv_sim_file_text(files, "file", NULL), "old");
    cr_assert_eq(rv_sim_file_entries(files, "."), 1);
}

FILE_TEST(stalled_and_canceled)
{
    struct rv_file_write *write;
    unsigned verb;

    for (verb = 0; verb < RV_SIM_FILE_VERBS; verb++) {
        rv_sim_file_put(files, "file", "old", 3);
        rv_sim_file_stall(files, (enum rv_sim_file_verb)verb, 1);
        write = start_write("file", "new");
        go();
        if (called)
            continue; /* it needs no such call */
        if (verb % 2)
            rv_file_write_cancel(write);
        else
            rv_file_write_abort(write);
        go();
        cr_assert_eq(called, 1);
        cr_assert_eq(ended, REEVE_ECANCELED);
        cr_assert_eq(rv_sim_file_entries(files, "."), 1);
        cr_assert_eq(rv_sim_file_open(files), 0);
    }
}

/* ---- a large listing's memory -----------------------------------------------------------------
 */

enum { ENTRIES = 4000, NAME_BYTES = 200, CHUNK_BYTES = 256 * 1024 };

static void list_done(struct rv_file_list *list, int error, void *arg)
{
    (void)arg;
    called++;
    ended = error;
    cr_assert_eq(rv_file_list_listing(list)->count, ENTRIES);
}

/* So many names that their memory comes in several chunks, and list them. */
static void list_long_names(void)
{
    struct rv_file_list_options options = {
        .path = ".", .max_entries = ENTRIES, .max_name_bytes = SIZE_MAX, .on_done = list_done};
    struct rv_file_list *list;
    char name[NAME_BYTES + 1];

    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "%0*d", NAME_BYTES, i);
        rv_sim_file_put(files, name, "", 0);
    }
    called = 0;
    cr_assert_eq(rv_file_list_start(root, &options, &list), 0);
    while (!called)
        cr_assert(rv_sim_pass(runtime));
    cr_assert_eq(ended, 0);
}

/* Each task has a pass of its own here, so that what a pass gives back is what one task does. */
FILE_TEST(a_listings_memory_goes_in_pieces)
{
    size_t before, live, passes = 0;

    rv_sim_set_reading_cost_ns(runtime, 1000000);
    list_long_names();
    before = t->failing.live_bytes;
    cr_assert_gt(before, 3 * CHUNK_BYTES);
    while (rv_sim_pass(runtime)) {
        live = t->failing.live_bytes;
        cr_assert_leq(before - live, CHUNK_BYTES + 64, "%zu bytes at once", before - live);
        passes += live < before;
        before = live;
    }
    cr_assert_geq(passes, 4);
    cr_assert_lt(before, CHUNK_BYTES);
}

/* What is left of it goes with the runtime, as the fixture sees. */
FILE_TEST(a_listings_memory_goes_with_the_runtime)
{
    rv_sim_set_reading_cost_ns(runtime, 1000000);
    list_long_names();
    cr_assert_gt(t->failing.live_bytes, 2 * CHUNK_BYTES);
}
