/* SPDX-License-Identifier: MIT */
/*
 * Random batches with everything on that spares a call its run: what each call comes to is what it
 * would have come to with the calls done one after another, and what is kept in the end is right,
 * however batches that ran side by side met. A model of a few resources judges; it knows no cache.
 */
#include "loop/timer.h"
#include "tests/sim/runtime.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 7, CALLS = 24, SIDES = 3, ROUNDS = 400, LONGEST_MS = 6 };

static const char *const keys[KEYS] = {"k", "kk", "d", "d/x", "d/y", "d/x/z", "e"};

/* What the tools read and write: how often each was written. */
static unsigned versions[KEYS];

struct side {
    struct reeve_batch *batch;
    struct reeve_call calls[CALLS];
    char ids[CALLS][8];
    char arguments[CALLS][48];
    char wanted[CALLS][16];
    bool is_read[CALLS];
    size_t count;
    unsigned tries[CALLS];
    bool checked; /* by `wanted` */
};

static struct rv_test *test;
static struct reeve_toolbox *toolbox;
static struct side sides[SIDES];
static unsigned out; /* calls that are out */
static uint64_t cached, shared, retries, calls_done;

static unsigned pick(unsigned below)
{
    return (unsigned)(rv_test_random(test) % below);
}

static bool covers(const char *above, const char *key)
{
    size_t len = strlen(above);

    return !strncmp(above, key, len) && (!key[len] || key[len] == '/');
}

static unsigned value_of(const unsigned *of, const char *key)
{
    unsigned sum = 0;
    size_t i;

    for (i = 0; i < KEYS; i++)
        if (covers(key, keys[i]))
            sum += of[i];
    return sum;
}

/* NULL: everything. */
static void write_to(unsigned *of, const char *key)
{
    size_t i;

    for (i = 0; i < KEYS; i++)
        of[i] += !key || covers(key, keys[i]);
}

/* ---- tools -----------------------------------------------------------------------------------
 */

struct job {
    struct rv_timer timer;
    struct reeve_tool_call *call;
    unsigned value;
    bool writes_late, fails;
};

static const char *key_in(const struct reeve_tool_call *call)
{
    return reeve_tool_call_arg_string(call, "key");
}

static void end_job(struct job *job)
{
    struct reeve_tool_call *call = job->call;
    char text[16];
    int len;

    if (job->writes_late)
        write_to(versions, key_in(call));
    len = snprintf(text, sizeof text, "%u", job->value);
    out--;
    if (job->fails)
        reeve_tool_call_fail(call, 1, "once more", 9);
    else
        reeve_tool_call_finish(call, text, (size_t)len);
    free(job);
}

static void job_due(struct rv_timer *timer)
{
    end_job(rv_container_of(timer, struct job, timer));
}

static int start(struct reeve_tool_call *call, void *arg)
{
    const char *id = reeve_tool_call_id(call);
    unsigned *tries = &sides[id[0] - 'a'].tries[strtoul(id + 1, NULL, 10)];
    bool reads = reeve_tool_call_effect(call) == REEVE_EFFECT_READ;
    struct job *job = calloc(1, sizeof *job);
    unsigned ms = pick(LONGEST_MS);

    (void)arg;
    job->call = call;
    rv_timer_init(&job->timer, job_due);
    job->fails = reads && ++*tries < 3 && !pick(4);
    job->writes_late = !reads && pick(2);
    if (reads)
        job->value = value_of(versions, key_in(call));
    else if (!job->writes_late)
        write_to(versions, key_in(call));
    out++;
    if (ms)
        rv_timer_start_ms(runtime, &job->timer, ms);
    else
        end_job(job);
    return 0;
}

static int describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    bool reads = reeve_tool_call_name(call)[0] == 'g';

    (void)arg;
    return reeve_claims_add(claims, reads ? REEVE_EFFECT_READ : REEVE_EFFECT_WRITE,
                            REEVE_RESOURCE_PATH, key_in(call));
}

static void add_tool(const char *name, enum reeve_effect effect)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = name;
    tool.effect = effect;
    tool.start = start;
    tool.describe = effect == REEVE_EFFECT_UNKNOWN ? NULL : describe;
    tool.cacheable = 1;
    tool.idempotent = effect == REEVE_EFFECT_READ;
    cr_assert_eq(reeve_toolbox_add(toolbox, &tool), 0);
}

/* ---- batches ---------------------------------------------------------------------------------
 */

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};
    struct side *side = arg;
    size_t i;

    cr_assert_eq(error, 0);
    side->batch = NULL;
    cr_assert_eq(reeve_batch_stats(batch, &stats), 0);
    cr_assert_eq(stats.succeeded + stats.cached + stats.shared, side->count);
    cached += stats.cached;
    shared += stats.shared;
    retries += stats.retries;
    calls_done += side->count;
    for (i = 0; i < side->count; i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        cr_assert_eq(result->status, REEVE_CALL_SUCCEEDED, "%s", result->text);
        if (side->checked && side->is_read[i])
            cr_assert_str_eq(result->text, side->wanted[i], "%s(%s), call %zu, RV_SEED=%llu",
                             result->tool, side->arguments[i], i, (unsigned long long)test->seed);
    }
}

static void add_call(struct side *side, unsigned *model, const char *tool, const char *key)
{
    size_t i = side->count++;

    side->is_read[i] = tool[0] == 'g';
    snprintf(side->ids[i], sizeof side->ids[i], "%c%zu", (char)('a' + (side - sides)), i);
    snprintf(side->arguments[i], sizeof side->arguments[i], "{\"key\":\"%s\"}", key ? key : "");
    if (side->is_read[i])
        snprintf(side->wanted[i], sizeof side->wanted[i], "%u", value_of(model, key));
    else
        write_to(model, key);
    side->calls[i] = (struct reeve_call){.id = side->ids[i],
                                         .name = tool,
                                         .arguments = key ? side->arguments[i] : "{}",
                                         .arguments_len = key ? strlen(side->arguments[i]) : 2};
}

static void fill(struct side *side, size_t count, unsigned writes_of_ten)
{
    unsigned model[KEYS];

    memcpy(model, versions, sizeof model);
    memset(side, 0, sizeof *side);
    while (side->count < count) {
        const char *key = keys[pick(KEYS)];

        if (!pick(20))
            add_call(side, model, "shell", NULL);
        else
            add_call(side, model, pick(10) < writes_of_ten ? "put" : "get", key);
    }
}

static void submit(struct side *side, bool checked)
{
    struct reeve_batch_options options;

    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.max_concurrency = 1 + pick(6);
    options.skip_sharing = !pick(5);
    options.skip_cache = !pick(5);
    options.retry_wait_ms = 1 + pick(4);
    options.on_done = on_done;
    options.arg = side;
    side->checked = checked;
    cr_assert_eq(reeve_batch_run(toolbox, side->calls, side->count, &options, &side->batch), 0);
}

static void go(void)
{
    cr_assert_eq(reeve_runtime_run(runtime), 0);
    cr_assert_eq(out, 0);
}

/* What is kept or not, each resource is read as it is. */
static void read_all(void)
{
    unsigned model[KEYS];
    size_t i;

    memcpy(model, versions, sizeof model);
    memset(&sides[0], 0, sizeof sides[0]);
    for (i = 0; i < KEYS; i++)
        add_call(&sides[0], model, "get", keys[i]);
    submit(&sides[0], true);
    go();
}

static void open_toolbox(void)
{
    cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
    add_tool("get", REEVE_EFFECT_READ);
    add_tool("put", REEVE_EFFECT_WRITE);
    add_tool("shell", REEVE_EFFECT_UNKNOWN);
}

static void tell(const char *what)
{
    fprintf(stderr, "reuse: %s: %llu calls, %llu cached, %llu shared, %llu retries, seed %llu\n",
            what, (unsigned long long)calls_done, (unsigned long long)cached,
            (unsigned long long)shared, (unsigned long long)retries,
            (unsigned long long)test->seed);
    cr_assert(cached > ROUNDS && shared > ROUNDS / 4 && retries > ROUNDS);
}

RV_SIM_TEST(reuse_random, batches_come_to_what_one_call_after_another_does, .timeout = 60)
{
    unsigned round;

    test = t;
    open_toolbox();
    for (round = 0; round < ROUNDS; round++) {
        fill(&sides[0], 1 + pick(CALLS), pick(5));
        submit(&sides[0], true);
        go();
    }
    tell("one after another");
    reeve_toolbox_free(toolbox);
}

RV_SIM_TEST(reuse_random, what_is_kept_of_batches_side_by_side_is_right, .timeout = 60)
{
    unsigned round, i;

    test = t;
    open_toolbox();
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < SIDES; i++) {
            fill(&sides[i], 1 + pick(CALLS / 2), pick(4));
            submit(&sides[i], false);
            rv_sim_run_ms(runtime, pick(8));
        }
        go();
        read_all();
    }
    tell("side by side");
    reeve_toolbox_free(toolbox);
}
