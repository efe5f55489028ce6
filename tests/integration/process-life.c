/* SPDX-License-Identifier: MIT */
/* How children end: exit, signal, pipes in either order, grandchildren, cancel, limits, status
 * gone. */
#include "tests/integration/process-world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_exit(const struct child *child, int code)
{
    cr_assert_eq(child->error, 0, "%s", child->problem);
    cr_assert(child->result.started);
    cr_assert_eq(child->result.end, RV_PROCESS_EXITED);
    cr_assert_eq(child->result.exit_code, code, "%d: %s", child->result.exit_code, child->text[1]);
}

static void expect_signal(const struct child *child, int error, int number)
{
    cr_assert_eq(child->error, error, "%s", child->problem);
    cr_assert_eq(child->result.end, RV_PROCESS_SIGNALED);
    cr_assert_eq(child->result.signal, number);
}

/* Whether a process is there and no zombie. */
static bool is_alive(pid_t pid)
{
    char path[64], state = 'X';
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    fclose(file);
    return state != 'Z' && state != 'X';
}

PROCESS_TEST(says_and_exits)
{
    struct child *child = child_ran(t->data, "echo out; echo err >&2; exit 7");

    expect_exit(child, 7);
    cr_assert_str_eq(child->text[0], "out\n");
    cr_assert_str_eq(child->text[1], "err\n");
    cr_assert_eq(child->result.output_bytes[0], 4);
    cr_assert_eq(child->result.dropped_bytes, 0);
    cr_assert(child->result.usage_known);
    cr_assert_gt(child->result.max_rss_bytes, 100 * 1024);
    cr_assert_not(child->result.pipe_kept);
    child_free(child);
}

PROCESS_TEST(streams_can_be_one)
{
    struct child *child = child_new(t->data, "echo 1; echo 2 >&2; echo 3; echo 4 >&2");

    child->options.merge_stderr = true;
    child_run(child);
    expect_exit(child, 0);
    cr_assert_str_eq(child->text[0], "1\n2\n3\n4\n");
    cr_assert_eq(child->received[1], 0);
    child_free(child);
}

PROCESS_TEST(dies_by_a_signal)
{
    struct child *child = child_ran(t->data, "kill -11 $$");

    expect_signal(child, 0, SIGSEGV);
    child_free(child);
}

PROCESS_TEST(code_127_is_the_childs_own)
{
    struct child *child = child_ran(t->data, "exit 127");

    expect_exit(child, 127);
    child_free(child);
}

/* Pipes first, exit later: the answer comes with the exit. */
PROCESS_TEST(closes_its_pipes_and_goes_on)
{
    struct child *child = child_ran(t->data, "exec >&- 2>&-; sleep 0.3; exit 3");

    expect_exit(child, 3);
    cr_assert_not(child->result.pipe_kept);
    child_free(child);
}

/* Exit first; the pipe ends by itself within the patience. */
PROCESS_TEST(grandchild_ends_in_time)
{
    struct child *child = child_ran(t->data, "(sleep 0.05; echo late) & exit 4");

    expect_exit(child, 4);
    cr_assert_str_eq(child->text[0], "late\n");
    cr_assert_not(child->result.pipe_kept);
    child_free(child);
}

PROCESS_TEST(grandchild_that_keeps_the_pipe_is_killed)
{
    double start_ms = process_now_ms(), ms;
    struct child *child = child_ran(t->data, "sleep 1000 & echo $!; exit 5");

    ms = process_now_ms() - start_ms;
    expect_exit(child, 5);
    cr_assert(child->result.pipe_kept);
    cr_assert(ms > 249 && ms < 20000, "%f ms", ms);
    PROCESS_UNTIL(t->data, !is_alive(atoi(child->text[0])));
    child_free(child);
}

/* What left the group is not killed, and does not hold us up. */
PROCESS_TEST(grandchild_that_left_the_group_survives)
{
    struct child *child =
        child_ran(t->data, "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2; exit 6");
    pid_t pid = atoi(child->text[0]);

    expect_exit(child, 6);
    cr_assert(child->result.pipe_kept);
    cr_assert_gt(pid, 1);
    cr_assert(is_alive(pid));
    kill(pid, SIGKILL);
    child_free(child);
}

PROCESS_TEST(stdin_is_empty)
{
    struct child *child = child_ran(t->data, "cat; readlink /proc/self/fd/0");

    expect_exit(child, 0);
    cr_assert_str_eq(child->text[0], "/dev/null\n");
    child_free(child);
}

PROCESS_TEST(stdin_from_the_caller)
{
    enum { LEN = 3 << 20 };
    struct child *child = child_new(t->data, "wc -c");
    char *input = malloc(LEN);

    cr_assert_not_null(input);
    memset(input, 'x', LEN);
    child->options.input = input;
    child->options.input_len = LEN;
    child_start(child);
    memset(input, 0, LEN);
    free(input);
    PROCESS_UNTIL(t->data, child->dones);
    expect_exit(child, 0);
    cr_assert_eq(atoi(child->text[0]), LEN);
    cr_assert_eq(child->result.input_bytes, LEN);
    child_free(child);
}

/* No SIGPIPE, no error: it did not want it. */
PROCESS_TEST(stdin_not_read)
{
    static char input[1 << 20];
    struct child *child = child_new(t->data, "exec <&-; sleep 0.1; echo ok");

    child->options.input = input;
    child->options.input_len = sizeof input;
    child_run(child);
    expect_exit(child, 0);
    cr_assert_str_eq(child->text[0], "ok\n");
    cr_assert_lt(child->result.input_bytes, sizeof input);
    child_free(child);
}

PROCESS_TEST(stdin_of_no_bytes)
{
    struct child *child = child_new(t->data, "cat; echo end");

    child->options.input = "";
    child_run(child);
    expect_exit(child, 0);
    cr_assert_str_eq(child->text[0], "end\n");
    child_free(child);
}

/* ---- cancel and limits ------------------------------------------------------------------------
 */

PROCESS_TEST(cancelled_before_it_runs)
{
    struct child *child = child_new(t->data, "echo never");

    child_start(child);
    rv_process_cancel(child->process);
    rv_process_cancel(child->process);
    cr_assert_eq(child->dones, 0, "on_done comes later");
    PROCESS_UNTIL(t->data, child->dones);
    cr_assert_eq(child->error, REEVE_ECANCELED);
    cr_assert_not(child->result.started);
    cr_assert_eq(child->outputs, 0);
    child_free(child);
}

PROCESS_TEST(cancelled_politely)
{
    /* A shell says on stderr that the signal, which the whole group gets, ended its sleep as well.
     */
    struct child *child = child_new(t->data, "exec 2>/dev/null; trap 'echo bye; exit 9' TERM; "
                                             "echo go; while :; do sleep 0.01; done");

    child->options.grace_ms = 20000;
    child->cancel_at_output = true;
    child_run(child);
    cr_assert_eq(child->error, REEVE_ECANCELED);
    cr_assert_eq(child->result.end, RV_PROCESS_EXITED);
    cr_assert_eq(child->result.exit_code, 9);
    cr_assert_str_eq(child->text[0], "go\n", "nothing comes after the cancel");
    cr_assert_eq(child->result.dropped_bytes, 4);
    child_free(child);
}

PROCESS_TEST(cancelled_by_force)
{
    struct child *child =
        child_new(t->data, "trap '' TERM; sleep 1000 & echo $!; wait; while :; do :; done");

    child->options.grace_ms = 50;
    child->cancel_at_output = true;
    child_run(child);
    expect_signal(child, REEVE_ECANCELED, SIGKILL);
    PROCESS_UNTIL(t->data, !is_alive(atoi(child->text[0])));
    child_free(child);
}

/* A stopped child does not hold the cancel up. */
PROCESS_TEST(cancelled_while_stopped)
{
    struct child *child = child_new(t->data, "echo go; kill -STOP $$");

    child->options.grace_ms = 20000;
    child_start(child);
    PROCESS_UNTIL(t->data, child->outputs);
    rv_process_cancel(child->process);
    PROCESS_UNTIL(t->data, child->dones);
    cr_assert_eq(child->error, REEVE_ECANCELED);
    child_free(child);
}

/* Nothing of a cancelled group outlives the answer, even if it holds no pipe. */
PROCESS_TEST(cancelled_with_a_quiet_grandchild)
{
    struct child *child = child_new(
        t->data,
        "sh -c 'trap \"\" TERM; sleep 1000' >/dev/null 2>&1 & sleep 0.3; echo $!; sleep 1000");
    pid_t pid;

    child->options.grace_ms = 20000;
    child_start(child);
    PROCESS_UNTIL(t->data, child->outputs);
    pid = atoi(child->text[0]);
    rv_process_cancel(child->process);
    PROCESS_UNTIL(t->data, child->dones);
    PROCESS_UNTIL(t->data, !is_alive(pid));
    child_free(child);
}

PROCESS_TEST(time_limit)
{
    struct child *child = child_new(t->data, "echo some; exec sleep 1000");

    child->options.timeout_ms = 300;
    child_run(child);
    expect_signal(child, REEVE_ETIMEDOUT, SIGKILL);
    cr_assert_str_eq(child->text[0], "some\n");
    cr_assert(strstr(child->problem, "300 ms"), "%s", child->problem);
    child_free(child);
}

PROCESS_TEST(aborted_while_it_runs)
{
    struct process_world *world = t->data;
    struct child *child = child_new(world, "echo $$; exec sleep 1000");
    int status;

    child_start(child);
    PROCESS_UNTIL(world, child->outputs);
    rv_process_abort(child->process);
    cr_assert_eq(child->dones, 1);
    cr_assert_eq(child->error, REEVE_ECANCELED);
    cr_assert_eq(waitpid(-1, &status, WNOHANG), -1, "no zombie stays");
    cr_assert_eq(errno, ECHILD);
    child_free(child);
}

/* ---- the host takes the status ----------------------------------------------------------------
 */

static void expect_unknown(const struct child *child, const char *text)
{
    cr_assert_eq(child->error, 0, "%s", child->problem);
    cr_assert_eq(child->result.end, RV_PROCESS_UNKNOWN);
    cr_assert(child->result.started);
    cr_assert_not(child->result.usage_known);
    cr_assert_str_eq(child->text[0], text);
}

PROCESS_TEST(host_ignores_sigchld)
{
    struct child *child;

    signal(SIGCHLD, SIG_IGN);
    child = child_ran(t->data, "echo hello; exit 3");
    expect_unknown(child, "hello\n");
    child_free(child);
    child = child_ran(t->data, "sleep 0.2; exit 3");
    expect_unknown(child, "");
    signal(SIGCHLD, SIG_DFL);
    child_free(child);
}

PROCESS_TEST(host_reaps_first)
{
    struct child *child = child_new(t->data, "echo hello; sleep 0.1; exit 3");
    int status;

    child_start(child);
    PROCESS_UNTIL(t->data, child->outputs);
    cr_assert_gt(waitpid(-1, &status, 0), 0);
    PROCESS_UNTIL(t->data, child->dones);
    expect_unknown(child, "hello\n");
    child_free(child);
}

/* And something keeps the pipe: the group's number may be another's. */
PROCESS_TEST(host_reaps_first_and_a_pipe_is_kept)
{
    struct child *child = child_new(t->data, "sleep 1000 & echo $!; exit 3");
    int status;

    child_start(child);
    PROCESS_UNTIL(t->data, child->outputs);
    cr_assert_gt(waitpid(-1, &status, 0), 0);
    PROCESS_UNTIL(t->data, child->dones);
    cr_assert_eq(child->result.end, RV_PROCESS_UNKNOWN);
    cr_assert(child->result.pipe_kept);
    kill(atoi(child->text[0]), SIGKILL);
    child_free(child);
}
