/* SPDX-License-Identifier: MIT */
/* run_command with real shells: limits, what is inherited, what is left running, cancel. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/timer.h"
#include "tests/integration/file-world.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

#define CANARY "sk-canary-0123456789"

struct shell {
    struct world world;
    struct reeve_toolbox *toolbox;
    struct reeve_batch_options options;
    struct reeve_command_options command;
    struct reeve_batch *batch;
    const char *cancel_at; /* once it has written this */
    int done;
    enum reeve_call_status status;
    char *said;
    size_t len;
    char heard[4096];
};

static void shell_open(struct shell *shell, struct rv_test *t)
{
    memset(shell, 0, sizeof *shell);
    world_init(&shell->world, t);
    reeve_batch_options_init(&shell->options);
    reeve_command_options_init(&shell->command);
    cr_assert_eq(reeve_toolbox_new(shell->world.runtime, &shell->toolbox), 0);
}

static void shell_close(struct shell *shell)
{
    reeve_toolbox_free(shell->toolbox);
    free(shell->said);
    world_done(&shell->world);
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, 0);
    struct shell *shell = arg;

    (void)error;
    shell->done++;
    shell->batch = NULL;
    shell->status = result->status;
    shell->len = result->len;
    free(shell->said);
    shell->said = strdup(result->text);
}

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct shell *shell = arg;
    size_t had = strlen(shell->heard);

    (void)index;
    snprintf(shell->heard + had, sizeof shell->heard - had, "%.*s", (int)len, bytes);
    if (shell->cancel_at && strstr(shell->heard, shell->cancel_at)) {
        shell->cancel_at = NULL;
        reeve_batch_cancel(batch);
    }
}

static void add(struct shell *shell)
{
    cr_assert_eq(reeve_toolbox_add_command(shell->toolbox, shell->world.inside, &shell->command),
                 0);
}

/* `command` without what JSON would have to escape. */
static void run_it(struct shell *shell, const char *command)
{
    char json[1024];
    struct reeve_call call = {.id = "1", .name = "run_command", .arguments = json};

    call.arguments_len = (size_t)snprintf(json, sizeof json, "{\"command\":\"%s\"}", command);
    shell->options.on_done = on_done;
    shell->options.on_output = on_output;
    shell->options.arg = shell;
    shell->done = 0;
    shell->heard[0] = '\0';
    cr_assert_eq(reeve_batch_run(shell->toolbox, &call, 1, &shell->options, &shell->batch), 0);
    run(&shell->world);
    cr_assert_eq(shell->done, 1);
}

static void expect(struct shell *shell, const char *command, enum reeve_call_status status,
                   const char *said)
{
    run_it(shell, command);
    cr_assert_str_eq(shell->said, said, "%s: %s", command, shell->said);
    cr_assert_eq(shell->status, status, "%s: %s", command, shell->said);
}

static bool ends_with(const struct shell *shell, const char *end)
{
    return shell->len >= strlen(end) && !strcmp(shell->said + shell->len - strlen(end), end);
}

/* The number behind "NAME " in what was said. */
static pid_t pid_of(const struct shell *shell, const char *name)
{
    const char *at = strstr(shell->said, name);

    cr_assert_not_null(at, "%s", shell->said);
    return (pid_t)atoi(at + strlen(name));
}

/* Gone, or going: a killed process needs a moment, and its parent one more. */
static bool is_gone(pid_t pid)
{
    char path[64], state = 'X';
    unsigned tries;
    FILE *file;

    for (tries = 0; tries < 500; tries++) {
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        file = fopen(path, "re");
        if (!file)
            return true;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 'X';
        fclose(file);
        if (state == 'Z' || state == 'X')
            return true;
        usleep(10000);
    }
    return false;
}

#define SHELL_TEST(name) RV_TEST(run_command, name, .timeout = 60)

SHELL_TEST(says_and_ends)
{
    struct shell shell;

    shell_open(&shell, t);
    add(&shell);
    world_text(&shell.world, "here", "in the root\n");
    expect(&shell, "cat here; echo err >&2", REEVE_CALL_SUCCEEDED,
           "in the root\nerr\nexit status 0");
    expect(&shell, "printf abc; exit 3", REEVE_CALL_FAILED, "abc\nexit status 3");
    expect(&shell, "kill -9 $$", REEVE_CALL_FAILED, "killed by signal 9 (Killed)");
    expect(&shell, "cat", REEVE_CALL_SUCCEEDED, "exit status 0");
    run_it(&shell, "-no-option"); /* a command like any other */
    cr_assert_eq(shell.status, REEVE_CALL_FAILED);
    cr_assert(ends_with(&shell, "\nexit status 127"), "%s", shell.said);
    expect(&shell, "printf '\\\\303\\\\050'", REEVE_CALL_SUCCEEDED, "\xEF\xBF\xBD(\nexit status 0");
    shell_close(&shell);
}

SHELL_TEST(keys_are_not_inherited)
{
    struct shell shell;

    setenv("ANTHROPIC_API_KEY", CANARY, 1);
    setenv("OTHER", "x" CANARY, 1);
    shell_open(&shell, t);
    add(&shell);
    run_it(&shell, "env; cat /proc/self/environ");
    cr_assert_eq(shell.status, REEVE_CALL_SUCCEEDED);
    cr_assert(strstr(shell.said, "TERM=dumb"), "%s", shell.said);
    cr_assert(strstr(shell.said, "PATH="), "%s", shell.said);
    cr_assert_null(strstr(shell.said, CANARY), "%s", shell.said);
    shell_close(&shell);
}

SHELL_TEST(head_and_tail)
{
    struct shell shell;

    shell_open(&shell, t);
    shell.options.max_output_bytes = 1000;
    add(&shell);
    run_it(&shell, "echo first; i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
    cr_assert_eq(shell.status, REEVE_CALL_SUCCEEDED);
    cr_assert_leq(shell.len, 1000);
    cr_assert_eq(strncmp(shell.said, "first\nline 0\n", 13), 0, "%s", shell.said);
    cr_assert(ends_with(&shell, "\nline 4999\nexit status 0"), "%s", shell.said);
    shell_close(&shell);
}

SHELL_TEST(limits)
{
    struct shell shell;

    shell_open(&shell, t);
    shell.command.cpu_s = 1;
    shell.command.file_bytes = 4096;
    shell.command.memory_bytes = 256 << 20;
    shell.command.open_files = 32;
    shell.command.output_bytes = 100000;
    add(&shell);
    expect(&shell, "ulimit -t; ulimit -n", REEVE_CALL_SUCCEEDED, "1\n32\nexit status 0");
    run_it(&shell, "while :; do :; done");
    cr_assert_eq(shell.status, REEVE_CALL_FAILED);
    cr_assert(strstr(shell.said, "killed by signal "), "%s", shell.said);
    run_it(&shell, "exec dd if=/dev/zero of=big bs=1024 count=100 2>/dev/null");
    cr_assert_str_eq(shell.said, "killed by signal 25 (File size limit exceeded): it may write "
                                 "files of up to 4096 bytes");
    run_it(&shell, "exec dd if=/dev/zero of=/dev/null bs=1G count=1 2>&1");
    cr_assert_eq(shell.status, REEVE_CALL_FAILED, "%s", shell.said);
    run_it(&shell, "exec yes");
    cr_assert(ends_with(&shell, "y\nstopped: it wrote more than 100000 bytes"));
    shell_close(&shell);
}

SHELL_TEST(stopped_after_its_time)
{
    struct shell shell;

    shell_open(&shell, t);
    shell.command.timeout_ms = 200;
    add(&shell);
    run_it(&shell, "echo begun; sleep 100 & echo pid $!; wait");
    cr_assert(ends_with(&shell, "\nstopped after 200 ms"), "%s", shell.said);
    cr_assert(is_gone(pid_of(&shell, "pid ")));
    shell_close(&shell);
}

SHELL_TEST(what_keeps_the_output_open_is_killed)
{
    struct shell shell;

    shell_open(&shell, t);
    add(&shell);
    run_it(&shell, "sleep 100 & echo pid $!");
    cr_assert_eq(shell.status, REEVE_CALL_SUCCEEDED);
    cr_assert(ends_with(&shell, "\nexit status 0; what it had left running with its output still "
                                "open was killed"),
              "%s", shell.said);
    cr_assert(is_gone(pid_of(&shell, "pid ")));
    shell_close(&shell);
}

SHELL_TEST(canceled_with_its_group)
{
    struct shell shell;

    shell_open(&shell, t);
    shell.command.grace_ms = 100;
    shell.cancel_at = "ready";
    add(&shell);
    run_it(&shell, "trap : TERM; sleep 100 & echo pid $!; echo me $$; echo ready; while :; do "
                   "sleep 1; done");
    cr_assert_eq(shell.status, REEVE_CALL_CANCELED, "%s", shell.said);
    cr_assert(is_gone(pid_of(&shell, "pid ")));
    cr_assert(is_gone(pid_of(&shell, "me ")));
    shell_close(&shell);
}

SHELL_TEST(within_a_sandbox)
{
    const char *argv[] = {"env", "-i", "CONFINED=yes", NULL};
    char name[] = "env";
    struct shell shell;

    shell_open(&shell, t);
    argv[0] = name;
    shell.command.sandbox = argv;
    add(&shell);
    memset(name, 'x', strlen(name)); /* it has been copied */
    world_text(&shell.world, "here", "in the root\n");
    expect(&shell, "echo $CONFINED$HOME; cat here", REEVE_CALL_SUCCEEDED,
           "yes\nin the root\nexit status 0");
    expect(&shell, "-no 2>/dev/null", REEVE_CALL_FAILED, "exit status 127");
    shell_close(&shell);
}

SHELL_TEST(never_without_its_sandbox)
{
    static const char *const absent[] = {"no-such-sandbox", "--", NULL},
                             *const unnamed[] = {"", NULL}, *const none[] = {NULL};
    struct shell shell;

    shell_open(&shell, t);
    shell.command.sandbox = unnamed;
    cr_assert_eq(reeve_toolbox_add_command(shell.toolbox, shell.world.inside, &shell.command),
                 REEVE_EINVAL);
    shell.command.sandbox = none;
    cr_assert_eq(reeve_toolbox_add_command(shell.toolbox, shell.world.inside, &shell.command),
                 REEVE_EINVAL);
    shell.command.sandbox = absent;
    add(&shell);
    run_it(&shell, "echo run >did");
    cr_assert_eq(shell.status, REEVE_CALL_FAILED);
    cr_assert(strstr(shell.said, "could not be started: "), "%s", shell.said);
    cr_assert(strstr(shell.said, "no-such-sandbox"), "%s", shell.said);
    cr_assert_neq(access(world_path(&shell.world, "did"), F_OK), 0);
    shell_close(&shell);
}

static bool bubblewrap_works(void)
{
    return system("bwrap --unshare-all --ro-bind / / true >/dev/null 2>&1") == 0;
}

static bool stops_growing(const char *path)
{
    off_t last = -1;
    unsigned tries;

    for (tries = 0; tries < 20; tries++) {
        struct stat now;

        if (stat(path, &now) || now.st_size == last)
            return true;
        last = now.st_size;
        usleep(500000);
    }
    return false;
}

/* As the header shows it. The outside of the root is the folder that holds it. */
SHELL_TEST(bubblewrap_confines)
{
    struct shell shell;
    char command[256];
    const char *argv[] = {"bwrap",
                          "--unshare-all",
                          "--die-with-parent",
                          "--ro-bind",
                          "/",
                          "/",
                          "--dev",
                          "/dev",
                          "--proc",
                          "/proc",
                          "--bind",
                          NULL,
                          NULL,
                          "--chdir",
                          NULL,
                          "--",
                          NULL};

    if (!bubblewrap_works())
        rv_test_skip("bubblewrap is not installed, or may make no namespaces here");
    shell_open(&shell, t);
    argv[11] = argv[12] = argv[14] = shell.world.inside;
    shell.command.sandbox = argv;
    shell.command.timeout_ms = 5000;
    shell.command.grace_ms = 100;
    add(&shell);
    expect(&shell, "echo words >here; cat here", REEVE_CALL_SUCCEEDED, "words\nexit status 0");
    cr_assert_eq(access(world_path(&shell.world, "here"), F_OK), 0);
    run_it(&shell, "echo words >../there");
    cr_assert_eq(shell.status, REEVE_CALL_FAILED);
    cr_assert(strstr(shell.said, "Read-only file system"), "%s", shell.said);
    /* No network but its own loopback, and no process but its own. */
    expect(&shell, "tail -n +3 /proc/net/dev | grep -vc '^ *lo:'", REEVE_CALL_FAILED,
           "0\nexit status 1");
    snprintf(command, sizeof command, "kill -0 %d 2>/dev/null", (int)getpid());
    expect(&shell, command, REEVE_CALL_FAILED, "exit status 1");
    /* Even what leaves the process group ends with it. */
    shell.cancel_at = "ready";
    run_it(&shell, "setsid sh -c 'while :; do echo >>beat; sleep 0.02; done' & until [ -s beat ]; "
                   "do sleep 0.02; done; "
                   "echo ready; wait");
    cr_assert_eq(shell.status, REEVE_CALL_CANCELED, "%s", shell.said);
    cr_assert(stops_growing(world_path(&shell.world, "beat")));
    shell_close(&shell);
}

struct striker {
    struct rv_timer timer;
    struct shell *shell;
};

static void strike(struct rv_timer *timer)
{
    struct shell *shell = rv_container_of(timer, struct striker, timer)->shell;

    cr_assert_eq(shell->done, 0);
    reeve_toolbox_free(shell->toolbox);
    shell->toolbox = NULL;
}

SHELL_TEST(toolbox_freed_under_it)
{
    struct shell shell;
    struct striker striker = {.shell = &shell};

    shell_open(&shell, t);
    shell.command.grace_ms = 50;
    add(&shell);
    rv_timer_init(&striker.timer, strike);
    rv_timer_start_ms(shell.world.runtime, &striker.timer, 150);
    run_it(&shell, "trap : TERM; echo me $$; while :; do sleep 1; done");
    cr_assert_eq(shell.status, REEVE_CALL_CANCELED);
    cr_assert(is_gone(pid_of(&shell, "me ")));
    shell_close(&shell);
}
