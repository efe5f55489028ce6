/* SPDX-License-Identifier: MIT */
/*
 * The full loop, over sockets, against the model server in a process of its own: both providers,
 * streamed and not, with tools side by side; and a thousand agents at once on one runtime.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/clock.h"
#include "loop/timer.h"
#include "tests/lib/test.h"

#include <reeve.h>

enum { MANY = 1000, CALLS = 2, WAYS = 4 };

static const struct {
    const char *name;
    enum reeve_provider provider;
    int stream;
} ways[WAYS] = {
    {"openai, streamed", REEVE_PROVIDER_OPENAI, 1},
    {"openai, whole", REEVE_PROVIDER_OPENAI, 0},
    {"anthropic, streamed", REEVE_PROVIDER_ANTHROPIC, 1},
    {"anthropic, whole", REEVE_PROVIDER_ANTHROPIC, 0},
};

struct one {
    struct crowd *crowd;
    struct reeve_agent *agent;
    struct reeve_tool_call *held[CALLS]; /* until everybody's are there */
    unsigned calls, done;
    bool leaves; /* it is cancelled, when everybody is there */
    enum reeve_stop_reason stop_reason;
    size_t len;
    char answer[256];
};

struct crowd {
    struct rv_test *t;
    struct reeve_runtime *runtime;
    struct reeve_model *models[2]; /* by provider */
    struct reeve_toolbox *tools;
    pid_t server;
    char url[64];
    size_t count, held, done;
    size_t live_bytes; /* when everybody is there */
    bool free_when_done;
    struct one *all;
};

/* ---- the server --------------------------------------------------------------------------------
 */

static pid_t spawn(char *url, size_t size)
{
    const char *builddir = getenv("builddir");
    char path[4096];
    int out[2];
    ssize_t len;
    pid_t pid;

    snprintf(path, sizeof path, "%s/examples/reeve-model-server", builddir ? builddir : ".");
    cr_assert_eq(pipe(out), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl(path, "reeve-model-server", "--latency-ms", "5", "--tokens-per-second", "0", NULL);
        _exit(127);
    }
    close(out[1]);
    len = read(out[0], url, size - 1);
    close(out[0]);
    cr_assert_gt(len, 4);
    url[len - 4] = '\0'; /* without "/v1\n" */
    return pid;
}

/* A thousand connections, at both ends. */
static void want_descriptors(void)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 4096)
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ---- the tool ----------------------------------------------------------------------------------
 */

/* What the tool answers to a word: nothing that a model could guess. */
static void answer_to(const struct crowd *crowd, const char *word, char *text, size_t size)
{
    uint64_t hash = crowd->t->seed;

    for (; *word; word++)
        hash = (hash ^ (unsigned char)*word) * UINT64_C(0x100000001b3);
    snprintf(text, size, "w%016llx", (unsigned long long)hash);
}

static void finish(const struct crowd *crowd, struct reeve_tool_call *call)
{
    char text[32];

    answer_to(crowd, reeve_tool_call_arg_string(call, "of"), text, sizeof text);
    reeve_tool_call_finish(call, text, strlen(text));
}

static void everybody_is_there(struct crowd *crowd)
{
    size_t i, k;

    crowd->live_bytes = crowd->t->failing.live_bytes;
    cr_assert_eq(reeve_runtime_pending(crowd->runtime) >= crowd->count, 1);
    for (i = 0; i < crowd->count; i++) {
        struct one *one = &crowd->all[i];

        if (one->leaves)
            reeve_agent_cancel(one->agent);
        for (k = 0; k < CALLS; k++)
            finish(crowd, one->held[k]);
    }
}

/* Each waits for all: so many calls, and so many agents, are under way at one moment. */
static int start(struct reeve_tool_call *call, void *arg)
{
    struct crowd *crowd = arg;
    const char *of = reeve_tool_call_arg_string(call, "of");
    const size_t i = strtoul(of, NULL, 10);
    struct one *one = &crowd->all[i];

    cr_assert_lt(i, crowd->count);
    cr_assert_lt(one->calls, CALLS);
    one->held[one->calls++] = call;
    if (++crowd->held == CALLS * crowd->count)
        everybody_is_there(crowd);
    return 0;
}

static void add_tool(struct crowd *crowd)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "look";
    tool.effect = REEVE_EFFECT_READ;
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"of\":{\"type\":\"string\"}},"
                      "\"required\":[\"of\"]}";
    tool.start = start;
    tool.arg = crowd;
    cr_assert_eq(reeve_toolbox_add(crowd->tools, &tool), 0);
}

/* ---- the agents --------------------------------------------------------------------------------
 */

static void on_text(struct reeve_agent *agent, const char *text, size_t len, void *arg)
{
    struct one *one = arg;

    (void)agent;
    cr_assert_lt(one->len + len, sizeof one->answer);
    memcpy(one->answer + one->len, text, len);
    one->len += len;
}

static void on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    struct one *one = arg;

    cr_assert_eq(one->done++, 0);
    cr_assert_eq(run->error, 0);
    one->crowd->done++;
    one->stop_reason = run->stop_reason;
    cr_assert_eq(reeve_transcript_check(reeve_agent_transcript(agent), NULL), 0);
    if (one->crowd->free_when_done && one->leaves) {
        reeve_agent_free(agent);
        one->agent = NULL;
    }
}

static void crowd_open(struct crowd *crowd, struct rv_test *t, size_t count)
{
    struct reeve_runtime_options options;
    char url[80];
    size_t i;

    memset(crowd, 0, sizeof *crowd);
    crowd->t = t;
    crowd->count = count;
    crowd->all = calloc(count, sizeof *crowd->all);
    crowd->server = spawn(crowd->url, sizeof crowd->url);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &crowd->runtime), 0);
    cr_assert_eq(reeve_toolbox_new(crowd->runtime, &crowd->tools), 0);
    add_tool(crowd);
    for (i = 0; i < 2; i++) {
        struct reeve_model_options model;

        reeve_model_options_init(&model);
        snprintf(url, sizeof url, "%s%s", crowd->url, i ? "" : "/v1");
        model.provider = i ? REEVE_PROVIDER_ANTHROPIC : REEVE_PROVIDER_OPENAI;
        model.base_url = url;
        model.name = "scripted";
        cr_assert_eq(reeve_model_new(crowd->runtime, &model, &crowd->models[i]), 0);
    }
}

static void add_agent(struct crowd *crowd, size_t i)
{
    const size_t way = i % WAYS;
    struct one *one = &crowd->all[i];
    struct reeve_agent_options options;
    char prompt[160];

    one->crowd = crowd;
    reeve_agent_options_init(&options);
    options.model = crowd->models[ways[way].provider == REEVE_PROVIDER_ANTHROPIC];
    options.tools = crowd->tools;
    options.stream = ways[way].stream;
    options.tool_timeout_ms = 0;
    options.on_text = on_text;
    options.on_done = on_done;
    options.arg = one;
    cr_assert_eq(reeve_agent_new(crowd->runtime, &options, &one->agent), 0);
    snprintf(prompt, sizeof prompt,
             "[call:look {\"of\":\"%zu first\"}] [call:look {\"of\":\"%zu second\"}]", i, i);
    cr_assert_eq(reeve_agent_send(one->agent, prompt), 0);
}

static void crowd_run(struct crowd *crowd)
{
    size_t i;

    for (i = 0; i < crowd->count; i++)
        add_agent(crowd, i);
    cr_assert_eq(reeve_runtime_run(crowd->runtime), 0);
    cr_assert_eq(crowd->done, crowd->count);
}

static void crowd_close(struct crowd *crowd)
{
    int status;
    size_t i;

    for (i = 0; i < crowd->count; i++)
        reeve_agent_free(crowd->all[i].agent);
    reeve_toolbox_free(crowd->tools);
    reeve_model_free(crowd->models[0]);
    reeve_model_free(crowd->models[1]);
    reeve_runtime_free(crowd->runtime);
    kill(crowd->server, SIGTERM);
    cr_assert_eq(waitpid(crowd->server, &status, 0), crowd->server);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server: %d", status);
    free(crowd->all);
}

/* The model tells what the tool has said: an answer holds its own agent's words and no other's. */
static void check_answer(const struct crowd *crowd, size_t i)
{
    static const char *const which[CALLS] = {"first", "second"};
    const struct one *one = &crowd->all[i];
    const char *at = one->answer;
    size_t k;

    cr_assert_eq(one->stop_reason, REEVE_STOP_DONE, "agent %zu", i);
    for (k = 0; k < CALLS; k++) {
        char word[32], text[32];

        snprintf(word, sizeof word, "%zu %s", i, which[k]);
        answer_to(crowd, word, text, sizeof text);
        at = strstr(at, text);
        cr_assert_not_null(at, "agent %zu was not told of \"%s\": %s", i, word, one->answer);
    }
    cr_assert_null(strstr(at + 1, "w"), "agent %zu was told more: %s", i, one->answer);
}

RV_TEST(agents, each_provider_streamed_and_not, .timeout = 60)
{
    struct crowd crowd;
    size_t i;

    crowd_open(&crowd, t, WAYS);
    crowd_run(&crowd);
    for (i = 0; i < WAYS; i++) {
        check_answer(&crowd, i);
        fprintf(stderr, "%s: two calls at once, then an answer that tells of both\n", ways[i].name);
    }
    crowd_close(&crowd);
}

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

RV_TEST(agents, a_thousand_at_once, .timeout = 300)
{
    struct crowd crowd;
    size_t i, before, started;
    uint64_t began_ns;

    want_descriptors();
    crowd_open(&crowd, t, MANY);
    before = resident_bytes();
    started = t->failing.live_bytes;
    began_ns = rv_precise_now_ns(crowd.runtime);
    crowd_run(&crowd);
    for (i = 0; i < MANY; i++)
        check_answer(&crowd, i);
    fprintf(stderr,
            "1000 agents at once, 2000 requests, 2000 tool calls: %.2f s; %zu bytes an agent while "
            "all of them wait for their tools, %.1f MiB at most in all (and of the process "
            "%.1f MiB more than before)\n",
            (double)(rv_precise_now_ns(crowd.runtime) - began_ns) / 1e9,
            (crowd.live_bytes - started) / MANY, (double)t->failing.peak_bytes / 1048576,
            (double)(resident_bytes() - before) / 1048576);
    cr_assert_leq((crowd.live_bytes - started) / MANY, 32768);
    crowd_close(&crowd);
}

/* Every other one is cancelled while its tools work, and freed in its last callback. */
RV_TEST(agents, half_of_a_thousand_leave, .timeout = 300)
{
    struct crowd crowd;
    size_t i;

    want_descriptors();
    crowd_open(&crowd, t, MANY);
    crowd.free_when_done = true;
    for (i = 0; i < MANY; i++)
        crowd.all[i].leaves = (i / WAYS) % 2;
    crowd_run(&crowd);
    for (i = 0; i < MANY; i++) {
        if (crowd.all[i].leaves)
            cr_assert_eq(crowd.all[i].stop_reason, REEVE_STOP_CANCELED);
        else
            check_answer(&crowd, i);
    }
    crowd_close(&crowd);
}
