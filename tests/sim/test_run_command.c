/* SPDX-License-Identifier: MIT */
/* run_command on scripted children: what its result says, however the command ends. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/process.h"
#include "tests/sim/runtime.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>

struct stage {
    struct reeve_runtime *runtime;
    struct reeve_toolbox *toolbox;
    struct reeve_batch *batch;
    struct reeve_batch_options options;
    struct reeve_command_options command;
    int done;
    int error;
    enum reeve_call_status status;
    char said[1024];
    char heard[1024];
    size_t len;
    uint64_t done_ms;
};

static struct stage stage;

static void open_stage(struct rv_test *t)
{
    stage = (struct stage){0};
    set_up(t);
    stage.runtime = runtime;
    reeve_batch_options_init(&stage.options);
    reeve_command_options_init(&stage.command);
    cr_assert_eq(reeve_toolbox_new(runtime, &stage.toolbox), 0);
}

static void close_stage(struct rv_test *t)
{
    cr_assert_eq(rv_sim_process_counted(runtime).running, 0);
    reeve_toolbox_free(stage.toolbox);
    tear_down(t);
}

#define COMMAND_TEST(name, ...)                                                                    \
    RV_TEST(run_command, name, RV_FIXTURE(open_stage, close_stage), ##__VA_ARGS__)

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, 0);

    (void)arg;
    stage.done++;
    stage.error = error;
    stage.batch = NULL;
    stage.status = result->status;
    stage.len = result->len;
    snprintf(stage.said, sizeof stage.said, "%s", result->text);
    stage.done_ms = (rv_sim_now_ns(stage.runtime) - RV_SIM_START_NS) / 1000000;
}

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    size_t had = strlen(stage.heard);

    (void)batch, (void)index, (void)arg;
    snprintf(stage.heard + had, sizeof stage.heard - had, "%.*s", (int)len, bytes);
}

static int try_run(const char *arguments)
{
    struct reeve_call call = {.id = "1",
                              .name = "run_command",
                              .arguments = arguments,
                              .arguments_len = strlen(arguments)};

    stage.options.on_done = on_done;
    stage.options.on_output = on_output;
    stage.done = 0;
    stage.heard[0] = '\0';
    return reeve_batch_run(stage.toolbox, &call, 1, &stage.options, &stage.batch);
}

static void add(void)
{
    cr_assert_eq(reeve_toolbox_add_command(stage.toolbox, "/anywhere", &stage.command), 0, "%s",
                 reeve_toolbox_problem(stage.toolbox));
}

static void start(const char *arguments)
{
    cr_assert_eq(try_run(arguments), 0);
}

static void go(void)
{
    while (rv_sim_pass(stage.runtime))
        ;
    cr_assert_eq(stage.done, 1);
}

static void plays(rv_sim_process_writer script)
{
    cr_assert_eq(rv_sim_process_on(stage.runtime, "/bin/sh", script, NULL), 0);
}

static void expect(rv_sim_process_writer script, const char *arguments,
                   enum reeve_call_status status, const char *said)
{
    plays(script);
    start(arguments);
    go();
    cr_assert_str_eq(stage.said, said, "%s", stage.said);
    cr_assert_eq(stage.status, status, "%s", stage.said);
}

#define RUN "{\"command\":\"make\"}"

/* ---- endings -----------------------------------------------------------------------------------
 */

static void says_two_lines(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    cr_assert_str_eq(rv_sim_child_argument(x, 1), "-c");
    cr_assert_str_eq(rv_sim_child_argument(x, 2), "--");
    cr_assert_str_eq(rv_sim_child_argument(x, 3), "make");
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "one\n");
    rv_sim_child_wait(x, 20);
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "two\n");
}

static void says_no_line(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "caf\xC3\xA9 \xE9");
    rv_sim_child_exit(x, 3);
}

static void is_silent(struct rv_sim_child *x, void *arg)
{
    (void)x, (void)arg;
}

static void is_killed(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "x\n");
    rv_sim_child_die(x, SIGKILL);
}

static void loses_its_status(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_lose_status(x);
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "x\n");
}

static void leaves_somebody(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_leave_behind(x, UINT64_MAX, false);
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "x\n");
}

static void cannot(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_cannot_start(x, REEVE_ENOMEM, 0);
}

COMMAND_TEST(endings)
{
    add();
    expect(says_two_lines, RUN, REEVE_CALL_SUCCEEDED, "one\ntwo\nexit status 0");
    cr_assert_str_eq(stage.heard, "one\ntwo\n");
    expect(says_no_line, RUN, REEVE_CALL_FAILED, "caf\xC3\xA9 \xEF\xBF\xBD\nexit status 3");
    expect(is_silent, RUN, REEVE_CALL_SUCCEEDED, "exit status 0");
    expect(is_killed, RUN, REEVE_CALL_FAILED, "x\nkilled by signal 9 (Killed)");
    expect(loses_its_status, RUN, REEVE_CALL_FAILED,
           "x\nstatus unknown: the command has ended, but whether it went well was lost");
    expect(leaves_somebody, RUN, REEVE_CALL_SUCCEEDED,
           "x\nexit status 0; what it had left running with its output still open was killed");
    plays(cannot);
    start(RUN);
    go();
    cr_assert_eq(stage.status, REEVE_CALL_FAILED);
    cr_assert_eq(strncmp(stage.said, "the command could not be started: ", 34), 0, "%s",
                 stage.said);
}

static void hits_a_limit(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_die(x, rv_sim_child_argument(x, 3)[0] == 'c' ? SIGXCPU : SIGXFSZ);
}

COMMAND_TEST(limits_are_named)
{
    stage.command.cpu_s = 7;
    stage.command.file_bytes = 4096;
    add();
    expect(hits_a_limit, "{\"command\":\"c\"}", REEVE_CALL_FAILED,
           "killed by signal 24 (CPU time limit exceeded): it may use 7 s of CPU time");
    expect(hits_a_limit, "{\"command\":\"f\"}", REEVE_CALL_FAILED,
           "killed by signal 25 (File size limit exceeded): it may write files of up to 4096 "
           "bytes");
}

/* ---- time --------------------------------------------------------------------------------------
 */

static void hangs(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "begun\n");
    rv_sim_child_hang(x);
}

static void hangs_on(struct rv_sim_child *x, void *arg)
{
    rv_sim_child_ignore_term(x);
    hangs(x, arg);
}

COMMAND_TEST(stopped_after_its_time)
{
    stage.command.timeout_ms = 300;
    add();
    expect(hangs, RUN, REEVE_CALL_FAILED, "begun\nstopped after 300 ms");
    cr_assert_eq(stage.done_ms, 300);
    cr_assert_str_eq(rv_sim_process_signals(runtime), "TERM CONT KILL ");
    expect(hangs, "{\"command\":\"make\",\"timeout_ms\":200}", REEVE_CALL_FAILED,
           "begun\nstopped after 200 ms");
    expect(hangs, "{\"command\":\"make\",\"timeout_ms\":400}", REEVE_CALL_FAILED,
           "begun\nstopped after 300 ms");
    expect(hangs, "{\"command\":\"make\",\"timeout_ms\":null}", REEVE_CALL_FAILED,
           "begun\nstopped after 300 ms");
    expect(hangs_on, "{\"command\":\"make\",\"timeout_ms\":1}", REEVE_CALL_FAILED,
           "begun\nstopped after 1 ms");
}

COMMAND_TEST(the_batchs_time_keeps_what_was_written)
{
    stage.options.timeout_ms = 100;
    stage.command.grace_ms = 50;
    add();
    expect(hangs_on, RUN, REEVE_CALL_TIMED_OUT,
           "begun\n\nThe call was stopped: there was no result after 100 ms.");
    cr_assert_eq(stage.done_ms, 150, "%llu", (unsigned long long)stage.done_ms);
}

COMMAND_TEST(canceled)
{
    add();
    plays(hangs_on);
    start(RUN);
    rv_sim_run_ms(runtime, 10);
    reeve_batch_cancel(stage.batch);
    go();
    cr_assert_eq(stage.status, REEVE_CALL_CANCELED);
    cr_assert_eq(stage.done_ms, 2010);
    cr_assert_eq(strncmp(rv_sim_process_signals(runtime), "TERM CONT KILL ", 15), 0);
    cr_assert_eq(reeve_runtime_pending(runtime), 0);
}

/* ---- output ------------------------------------------------------------------------------------
 */

static char long_text[200001];

static void writes_much(struct rv_sim_child *x, void *arg)
{
    (void)arg;
    rv_sim_child_write(x, RV_PROCESS_STDOUT, "head ");
    rv_sim_child_write(x, RV_PROCESS_STDOUT, long_text);
    rv_sim_child_write(x, RV_PROCESS_STDOUT, " tail\n");
    rv_sim_child_exit(x, 1);
}

COMMAND_TEST(head_and_tail_of_long_output)
{
    memset(long_text, '.', sizeof long_text - 1);
    stage.options.max_output_bytes = 600;
    add();
    plays(writes_much);
    start(RUN);
    go();
    cr_assert_leq(stage.len, 600);
    cr_assert_eq(strncmp(stage.said, "head ...", 8), 0);
    cr_assert_str_eq(stage.said + stage.len - 25, "...... tail\nexit status 1");
    cr_assert(strstr(stage.said, "bytes"), "%s", stage.said);
}

COMMAND_TEST(too_much_output)
{
    memset(long_text, '.', sizeof long_text - 1);
    stage.command.output_bytes = 10;
    add();
    expect(writes_much, RUN, REEVE_CALL_FAILED, "head .....\nstopped: it wrote more than 10 bytes");
}

/* ---- what it is given --------------------------------------------------------------------------
 */

static void shows_variables(struct rv_sim_child *x, void *arg)
{
    static const char *const names[] = {"PATH", "TERM", "LANG", "MY_API_KEY", "MINE"};
    char line[256];
    size_t i;

    (void)arg;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = rv_sim_child_variable(x, names[i]);

        snprintf(line, sizeof line, "%s=%s\n", names[i], value ? value : "(none)");
        rv_sim_child_write(x, RV_PROCESS_STDOUT, line);
    }
}

COMMAND_TEST(keys_are_not_inherited)
{
    setenv("PATH", "/my/bin", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("MY_API_KEY", "canary", 1);
    add();
    setenv("LANG", "changed later", 1);
    expect(shows_variables, RUN, REEVE_CALL_SUCCEEDED,
           "PATH=/my/bin\nTERM=dumb\nLANG=C.UTF-8\nMY_API_KEY=(none)\nMINE=(none)\nexit status 0");
}

COMMAND_TEST(the_hosts_own_environment)
{
    static const char *const wrong[][2] = {{"NAME", NULL}, {"=value", NULL}};
    char mine[] = "MINE=1";
    const char *own[] = {mine, "PATH=", NULL};
    size_t i;

    for (i = 0; i < 2; i++) {
        stage.command.environment = wrong[i];
        cr_assert_eq(reeve_toolbox_add_command(stage.toolbox, "/anywhere", &stage.command),
                     REEVE_EINVAL);
    }
    stage.command.environment = own;
    add();
    mine[5] = '2';
    expect(shows_variables, RUN, REEVE_CALL_SUCCEEDED,
           "PATH=\nTERM=(none)\nLANG=(none)\nMY_API_KEY=(none)\nMINE=1\nexit status 0");
}

COMMAND_TEST(arguments)
{
    add();
    expect(is_silent, "{\"command\":\"\"}", REEVE_CALL_FAILED,
           "\"command\" is empty: give a command for /bin/sh");
    expect(is_silent, "{\"command\":\"a\\u0000b\"}", REEVE_CALL_FAILED,
           "\"command\" has a NUL character in it, which no command can have: give a command for "
           "/bin/sh");
    expect(is_silent, "{}", REEVE_CALL_INVALID,
           "The arguments of run_command are not what it takes: command: wanted a string (it is "
           "required), given nothing.");
    expect(is_silent, "{\"command\":\"x\",\"timeout_ms\":0}", REEVE_CALL_INVALID,
           "The arguments of run_command are not what it takes: timeout_ms: wanted 1 or more, "
           "given the number 0.");
    cr_assert_eq(rv_sim_process_counted(runtime).started, 0);
}

/* ---- its place ---------------------------------------------------------------------------------
 */

COMMAND_TEST(is_a_barrier_and_off_unless_it_is_added)
{
    const struct reeve_tool_definition *definitions;
    size_t count;

    cr_assert_eq(reeve_toolbox_add_files(stage.toolbox, "/anywhere"), 0);
    definitions = reeve_toolbox_definitions(stage.toolbox, &count);
    while (count--)
        cr_assert_str_neq(definitions[count].name, "run_command");
    cr_assert_eq(reeve_toolbox_add_command(stage.toolbox, NULL, NULL), REEVE_EINVAL);
    cr_assert_eq(reeve_toolbox_add_command(stage.toolbox, "/anywhere", NULL), 0);
    cr_assert_eq(reeve_toolbox_add_command(stage.toolbox, "/anywhere", NULL), REEVE_EEXIST);
}

COMMAND_TEST(commands_of_a_batch_do_not_overlap)
{
    struct reeve_call calls[3];
    size_t i;

    for (i = 0; i < 3; i++)
        calls[i] = (struct reeve_call){
            .id = "1", .name = "run_command", .arguments = RUN, .arguments_len = strlen(RUN)};
    add();
    plays(says_two_lines);
    stage.options.grouping = REEVE_GROUPING_HAZARDS;
    stage.options.on_done = on_done;
    cr_assert_eq(reeve_batch_run(stage.toolbox, calls, 3, &stage.options, &stage.batch), 0);
    go();
    cr_assert_eq(rv_sim_process_counted(runtime).started, 3);
    cr_assert_eq(rv_sim_process_counted(runtime).peak, 1);
}

/* ---- at every step -----------------------------------------------------------------------------
 */

static void strike_each(bool frees)
{
    unsigned at, pass, canceled = 0;
    bool struck = true;

    rv_sim_process_split(runtime, 1);
    rv_sim_set_reading_cost_ns(runtime, 1000000); /* one task a pass */
    for (at = 0; struck; at++) {
        add();
        start(RUN);
        for (pass = 0; pass < at && !stage.done; pass++)
            rv_sim_pass(runtime);
        struck = !stage.done;
        if (struck && frees)
            reeve_toolbox_free(stage.toolbox);
        else if (struck)
            reeve_batch_cancel(stage.batch);
        go();
        canceled += stage.status == REEVE_CALL_CANCELED;
        cr_assert_eq(rv_sim_process_counted(runtime).running, 0);
        if (!struck || !frees)
            reeve_toolbox_free(stage.toolbox);
        cr_assert_eq(reeve_toolbox_new(runtime, &stage.toolbox), 0);
    }
    cr_assert_geq(canceled, 4, "%u", canceled);
}

COMMAND_TEST(canceled_at_each_step)
{
    plays(says_two_lines);
    strike_each(false);
}

COMMAND_TEST(toolbox_freed_at_each_step)
{
    plays(says_two_lines);
    strike_each(true);
}

/* The runtime goes first of all: nothing is waited for. */
RV_TEST(run_command, the_runtime_ends_it)
{
    open_stage(t);
    add();
    plays(hangs_on);
    start(RUN);
    rv_sim_run_ms(runtime, 10);
    reeve_toolbox_free(stage.toolbox);
    cr_assert_eq(stage.done, 1);
    cr_assert_eq(rv_sim_process_counted(runtime).running, 1);
    cr_assert_eq(reeve_runtime_pending(runtime), 1);
    tear_down(t);
}

static int scenario(struct rv_test *run, void *arg)
{
    struct reeve_runtime_options options;
    int error;

    (void)arg;
    stage = (struct stage){0};
    reeve_runtime_options_init(&options);
    options.allocator = &run->allocator;
    error = reeve_runtime_new(NULL, &options, &stage.runtime);
    if (error)
        return error;
    reeve_batch_options_init(&stage.options);
    error = rv_sim_process_on(stage.runtime, "/bin/sh", says_two_lines, NULL);
    if (!error)
        error = reeve_toolbox_new(stage.runtime, &stage.toolbox);
    if (!error)
        error = reeve_toolbox_add_command(stage.toolbox, "/anywhere", NULL);
    if (!error)
        error = try_run(RUN);
    if (!error) {
        go();
        if (stage.status == REEVE_CALL_SUCCEEDED)
            cr_assert_str_eq(stage.said, "one\ntwo\nexit status 0");
        else
            error = REEVE_ENOMEM;
    }
    reeve_toolbox_free(stage.toolbox);
    reeve_runtime_free(stage.runtime);
    return error;
}

RV_TEST(run_command, memory)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 20);
}
