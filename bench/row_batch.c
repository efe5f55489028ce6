/* SPDX-License-Identifier: MIT */
/*
 * Batches. batch.noop: what a call costs that does nothing, from the submission to its result, its
 * 24 bytes of arguments parsed and checked against a schema; CPU time, the best of the rounds. The
 * third batch of a process counts, in memory that the first two have used, as a program that lives
 * for long has it; the first, which touches its pages first, stands beside it. batch.sleep: how
 * long 1,000 calls of 50 ms take of which 100 run at once, and beside it four of four; wall time.
 * batch.files: 10,000 small files that the kernel holds, read by read_file; wall time. The peers do
 * the same with what their language offers.
 */
#include "bench/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loop/timer.h"

#include <reeve.h>

enum {
    NOOPS = 100000,
    NOOP_PERMITS = 16,
    NOOP_LIMIT_NS = 400,
    SLEEPS = 1000,
    SLEEP_MS = 50,
    SLEEP_PERMITS = 100,
    FILES = 10000,
    FILES_QUICK = 1000,
    FILE_BYTES = 1000,
    FILE_PERMITS = 16,
    TEXT_BYTES = 64,
};

struct work {
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct reeve_call *calls;
    const char *folder;
    size_t files;
    uint64_t succeeded;
    size_t bytes; /* of the results */
};

struct nap {
    struct rv_timer timer;
    struct reeve_tool_call *call;
};

static int do_nothing(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    reeve_tool_call_finish(call, "done", 4);
    return 0;
}

static void wake_up(struct rv_timer *timer)
{
    struct nap *nap = rv_container_of(timer, struct nap, timer);

    reeve_tool_call_finish(nap->call, "done", 4);
    free(nap);
}

static int sleep_a_while(struct reeve_tool_call *call, void *arg)
{
    struct nap *nap = calloc(1, sizeof *nap);

    if (!nap)
        return REEVE_ENOMEM;
    nap->call = call;
    rv_timer_init(&nap->timer, wake_up);
    rv_timer_start_ms(arg, &nap->timer, SLEEP_MS);
    return 0;
}

static void add_tool(struct work *work, int (*start)(struct reeve_tool_call *call, void *arg))
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "look";
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},"
                      "\"required\":[\"path\"]}";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = start;
    tool.arg = work->runtime;
    bench_check(!reeve_toolbox_add(work->toolbox, &tool), "adding a tool");
}

static void open_work(struct work *work)
{
    bench_check(!reeve_runtime_new(NULL, NULL, &work->runtime), "a runtime");
    bench_check(!reeve_toolbox_new(work->runtime, &work->toolbox), "a toolbox");
}

static void close_work(struct work *work)
{
    reeve_toolbox_free(work->toolbox);
    reeve_runtime_free(work->runtime);
}

static void make_calls(struct work *work, const char *tool, const char *folder, size_t count)
{
    char *texts = calloc(count, TEXT_BYTES);
    size_t i;

    work->calls = calloc(count, sizeof *work->calls);
    bench_check(texts && work->calls, "memory");
    for (i = 0; i < count; i++) {
        char *text = texts + i * TEXT_BYTES;

        snprintf(text, TEXT_BYTES, "{\"path\":\"%sf%05zu.txt\"}", folder, i % FILES);
        work->calls[i] = (struct reeve_call){
            .id = "c", .name = tool, .arguments = text, .arguments_len = strlen(text)};
    }
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    struct work *work = arg;
    size_t i;

    bench_check(!error && !reeve_batch_stats(batch, &stats), "the batch");
    work->succeeded = stats.succeeded;
    for (i = 0; i < reeve_batch_count(batch); i++)
        work->bytes += reeve_batch_result(batch, i)->len;
}

static uint64_t run_batch(struct work *work, size_t count, uint32_t permits,
                          uint64_t (*clock_ns)(void))
{
    const uint64_t start = clock_ns();
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    reeve_batch_options_init(&options);
    options.max_concurrency = permits;
    options.skip_cache = work->folder != NULL; /* a file that is read twice is read twice */
    options.on_done = on_done;
    options.arg = work;
    bench_check(!reeve_batch_run(work->toolbox, work->calls, count, &options, &batch), "a batch");
    bench_check(!reeve_runtime_run(work->runtime) && work->succeeded == count, "all calls");
    return clock_ns() - start;
}

/* The figures: ns a call of many, the wall time of a batch of one, and the first of many. */
static int run_noop(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    open_work(work);
    add_tool(work, do_nothing);
    make_calls(work, "look", "so/", NOOPS);
    bench_check(work->calls[0].arguments_len == 24, "24 bytes of arguments");
    run_batch(work, BENCH_BUNCH, NOOP_PERMITS, bench_cpu_ns);
    figures->value[2] = (double)run_batch(work, NOOPS, NOOP_PERMITS, bench_cpu_ns) / NOOPS;
    run_batch(work, NOOPS, NOOP_PERMITS, bench_cpu_ns);
    figures->value[0] = (double)run_batch(work, NOOPS, NOOP_PERMITS, bench_cpu_ns) / NOOPS;
    figures->value[1] = (double)run_batch(work, 1, NOOP_PERMITS, bench_wall_ns);
    close_work(work);
    return 0;
}

static void report_noop(const struct bench *bench, const struct bench_row *row,
                        const struct bench_match *match, const struct bench_figures *scores)
{
    size_t i;

    for (i = 1; i < match->count; i++) {
        const struct bench_line line = {
            .name = row->name,
            .unit = row->unit,
            .claim = row->claim,
            .better = match->better,
            .ours = scores[0].value[0],
            .limit = NOOP_LIMIT_NS,
            .peer_name = match->sides[i].name,
            .peer = scores[i].value[0],
        };

        bench_report(bench, &line);
    }
    bench_aside(bench, row, "lone", "ns wall", match->better, scores[0].value[1]);
    bench_aside(bench, row, "first", "ns CPU", match->better, scores[0].value[2]);
}

static void bench_noop(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {0};
    const char *const python[] = {"python3", bench_script("batch-python.py"), "noop", NULL};
    const char *const node[] = {"node", bench_script("batch-node.mjs"), NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_noop, .arg = &work},
        {.name = "asyncio", .command = python},
        {.name = "node promises", .command = node},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 3,
        .rounds = bench->quick ? 2 : 5,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_play(&match, scores);
    report_noop(bench, row, &match, scores);
}

/* The figures: ms of many, and of four at once. */
static int run_sleep(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    open_work(work);
    add_tool(work, sleep_a_while);
    make_calls(work, "look", "so/", SLEEPS);
    figures->value[0] = (double)run_batch(work, SLEEPS, SLEEP_PERMITS, bench_wall_ns) / 1e6;
    figures->value[1] = (double)run_batch(work, 4, 4, bench_wall_ns) / 1e6;
    close_work(work);
    return 0;
}

static void report_sleep(const struct bench *bench, const char *name, double ours, double peer,
                         double limit_ms, const char *claim)
{
    const struct bench_line line = {
        .name = name,
        .unit = "ms wall",
        .claim = claim,
        .better = BENCH_LESS,
        .ours = ours,
        .limit = limit_ms,
        .peer_name = "asyncio",
        .peer = peer,
    };

    bench_report(bench, &line);
}

static void bench_sleep(const struct bench *bench, const struct bench_row *row)
{
    struct work work = {0};
    const char *const python[] = {"python3", bench_script("batch-python.py"), "sleep", NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_sleep, .arg = &work},
        {.name = "asyncio", .command = python},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 2,
        .rounds = bench->quick ? 1 : 5,
        .limit_s = 30,
        .better = BENCH_LESS,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[2];

    bench_play(&match, scores);
    report_sleep(bench, row->name, scores[0].value[0], scores[1].value[0],
                 1.03 * SLEEPS / SLEEP_PERMITS * SLEEP_MS, row->claim);
    report_sleep(bench, "batch.sleep.four", scores[0].value[1], scores[1].value[1], 1.05 * SLEEP_MS,
                 "4 calls of 50 ms at once: at most 1.05 of 50 ms");
}

/* The figures: µs a file, and for one that is alone. */
static int run_files(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;
    double took;

    open_work(work);
    bench_check(!reeve_toolbox_add_files(work->toolbox, work->folder), "the file tools");
    make_calls(work, "read_file", "", work->files);
    run_batch(work, work->files, FILE_PERMITS, bench_wall_ns);
    work->bytes = 0;
    took = (double)run_batch(work, work->files, FILE_PERMITS, bench_wall_ns);
    bench_check(work->bytes == work->files * FILE_BYTES, "all bytes of all files");
    figures->value[0] = took / 1000 / (double)work->files;
    figures->value[1] = (double)run_batch(work, 1, FILE_PERMITS, bench_wall_ns) / 1000;
    close_work(work);
    return 0;
}

static char *make_files(const struct bench *bench, size_t count)
{
    char text[FILE_BYTES], name[64], *folder;
    size_t i;

    bench_check(asprintf(&folder, "%s/batch-files", bench->folder) > 0, "memory");
    bench_check(!mkdir(folder, 0700), "a folder");
    memset(text, 'x', sizeof text);
    for (i = 0; i < count; i++) {
        snprintf(name, sizeof name, "batch-files/f%05zu.txt", i);
        free(bench_file(bench, name, text, sizeof text));
    }
    return folder;
}

static void bench_files(const struct bench *bench, const struct bench_row *row)
{
    const size_t count = bench->quick ? FILES_QUICK : FILES;
    char *folder = make_files(bench, count), number[32];
    struct work work = {.folder = folder, .files = count};
    const char *const direct[] = {bench_program("files-direct"), folder, number, NULL};
    const char *const python[] = {
        "python3", bench_script("batch-python.py"), "files", folder, number, NULL};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_files, .arg = &work},
        {.name = "open, read, close", .command = direct, .share = 1 / 2.5},
        {.name = "asyncio with threads", .command = python, .share = 5},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = 3,
        .rounds = bench->quick ? 2 : 5,
        .limit_s = 60,
        .better = BENCH_LESS,
        .pick = BENCH_MIDDLE,
    };
    struct bench_figures scores[BENCH_SIDES];

    snprintf(number, sizeof number, "%zu", count);
    bench_compare(bench, row, &match, scores);
    bench_aside(bench, row, "lone", "us wall", BENCH_LESS, scores[0].value[1]);
    free(folder);
}

const struct bench_row bench_row_batch_noop = {
    "batch.noop", "ns CPU", "a call that does nothing, all in, of 100,000 in a batch: at most 400",
    bench_noop};
const struct bench_row bench_row_batch_sleep = {
    "batch.sleep", "ms wall", "1,000 calls of 50 ms, 100 at once: at most 1.03 of 500 ms",
    bench_sleep};
const struct bench_row bench_row_batch_files = {
    "batch.files", "us wall",
    "a small file that the kernel holds, by read_file: at most 2.5 times plain C, 5 times asyncio",
    bench_files};
