/* SPDX-License-Identifier: MIT */
/* What a child may see and use: environment, descriptors, signals, folder, limits; and starts that
 * fail. */
#include "tests/integration/process-world.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CANARY "sk-canary-0123456789"

static void expect_ok(const struct child *child)
{
    cr_assert_eq(child->error, 0, "%s", child->problem);
    cr_assert_eq(child->result.end, RV_PROCESS_EXITED);
    cr_assert_eq(child->result.exit_code, 0, "%d: %s", child->result.exit_code, child->text[1]);
}

static const struct rv_process_limits some_limits = {.cpu_s = 100,
                                                     .memory_bytes = 1 << 30,
                                                     .file_bytes = 1 << 20,
                                                     .open_files = 50,
                                                     .processes = 9999};

/* ---- what it sees -----------------------------------------------------------------------------
 */

/* /usr/bin/env itself, so that no shell of ours adds to it; with limits there is one, and it must
 * not show. */
static void expect_environment(struct process_world *world, bool limited)
{
    static const char *const given[] = {"PATH=/usr/bin:/bin", "GREETING=hello you", NULL};
    struct child *child = child_new(world, NULL);

    child->argv[0] = "env";
    child->argv[1] = NULL;
    child->options.environment = given;
    if (limited)
        child->options.limits = some_limits;
    child_run(child);
    expect_ok(child);
    /* A shell may turn them round. */
    cr_assert_eq(strlen(child->text[0]), strlen("PATH=/usr/bin:/bin\nGREETING=hello you\n"), "%s",
                 child->text[0]);
    cr_assert(strstr(child->text[0], "PATH=/usr/bin:/bin\n"), "%s", child->text[0]);
    cr_assert(strstr(child->text[0], "GREETING=hello you\n"), "%s", child->text[0]);
    child_free(child);
}

PROCESS_TEST(environment_is_what_is_given)
{
    setenv("ANTHROPIC_API_KEY", CANARY, 1);
    setenv("SHLVL", "3", 1);
    expect_environment(t->data, false);
    expect_environment(t->data, true);
    unsetenv("ANTHROPIC_API_KEY");
}

PROCESS_TEST(environment_may_be_empty)
{
    struct child *child = child_new(t->data, NULL);

    child->argv[0] = "env";
    child->argv[1] = NULL;
    child->options.environment = NULL;
    child_run(child);
    expect_ok(child);
    cr_assert_str_eq(child->text[0], "");
    child_free(child);
}

/* Descriptors without O_CLOEXEC, as hosts have them, low and high. */
PROCESS_TEST(no_descriptor_is_inherited)
{
    int low = open("/dev/zero", O_RDONLY), high = fcntl(low, F_DUPFD, 777);
    struct child *child;

    cr_assert(low >= 0 && high == 777);
    for (int limited = 0; limited < 2; limited++) {
        child = child_new(t->data, "ls /proc/$$/fd | tr '\\n' ' '");
        child->options.input = "";
        if (limited)
            child->options.limits = some_limits;
        child_run(child);
        expect_ok(child);
        cr_assert(strncmp(child->text[0], "0 1 2 ", 6) == 0, "%s", child->text[0]);
        cr_assert_null(strstr(child->text[0], "777"), "%s", child->text[0]);
        cr_assert_leq(strlen(child->text[0]), sizeof "0 1 2 10 255 " - 1, "%s", child->text[0]);
        child_free(child);
    }
    close(high);
    close(low);
}

/* A host without stdin, stdout and stderr: its pipes get their numbers. */
PROCESS_TEST(host_without_standard_descriptors)
{
    int saved[3];
    struct child *child = child_new(t->data, "cat; echo err >&2");

    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
        close(i);
    }
    child->options.input = "in";
    child->options.input_len = 2;
    child_run(child);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    expect_ok(child);
    cr_assert_str_eq(child->text[0], "in");
    cr_assert_str_eq(child->text[1], "err\n");
    child_free(child);
}

PROCESS_TEST(signals_are_as_new)
{
    struct child *child = child_new(t->data, "grep -E '^Sig(Blk|Ign)' /proc/self/status");
    unsigned long long mask, ignored;
    sigset_t blocked, before;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    child_run(child);
    sigprocmask(SIG_SETMASK, &before, NULL);
    expect_ok(child);
    cr_assert_eq(sscanf(child->text[0], "SigBlk: %llx SigIgn: %llx", &mask, &ignored), 2);
    cr_assert_eq(mask, 0);
    /* The C library has two for its own use, which it leaves ignored. */
    cr_assert_eq(ignored & ~0x180000000ULL, 0, "%llx", ignored);
    child_free(child);
}

PROCESS_TEST(group_is_its_own)
{
    struct child *child = child_ran(t->data, "cut -d' ' -f1,5 /proc/$$/stat");
    int pid, group;

    expect_ok(child);
    cr_assert_eq(sscanf(child->text[0], "%d %d", &pid, &group), 2);
    cr_assert_eq(pid, group);
    child_free(child);
}

PROCESS_TEST(works_in_its_folder)
{
    int usr = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct child *child = child_new(t->data, "pwd");

    child->options.folder_fd = &usr;
    child->options.folder = "bin";
    child_start(child);
    close(usr); /* a copy was taken */
    usr = -1;
    PROCESS_UNTIL(t->data, child->dones);
    expect_ok(child);
    cr_assert_str_eq(child->text[0], "/usr/bin\n");
    child_free(child);
}

/* A program by path is looked for from the working folder on. */
PROCESS_TEST(program_below_its_folder)
{
    struct child *child = child_new(t->data, NULL);

    child->argv[0] = "./bin/printf";
    child->argv[1] = "%s";
    child->argv[2] = "a'b \"c\" $d";
    child->argv[3] = NULL;
    child->options.folder = "/usr";
    child->options.limits = some_limits;
    child_run(child);
    expect_ok(child);
    cr_assert_str_eq(child->text[0], "a'b \"c\" $d");
    child_free(child);
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static struct child *limited_ran(struct process_world *world, const char *script,
                                 struct rv_process_limits limits)
{
    struct child *child = child_new(world, script);

    child->options.limits = limits;
    child_run(child);
    return child;
}

PROCESS_TEST(limits_are_set)
{
    struct child *child = limited_ran(t->data, "cat /proc/self/limits", some_limits);
    unsigned long long soft;

    expect_ok(child);
    cr_assert_eq(sscanf(strstr(child->text[0], "Max cpu time"), "Max cpu time %llu", &soft), 1);
    cr_assert_eq(soft, 100);
    cr_assert_eq(sscanf(strstr(child->text[0], "Max file size"), "Max file size %llu", &soft), 1);
    cr_assert_eq(soft, 1 << 20);
    cr_assert_eq(sscanf(strstr(child->text[0], "Max open files"), "Max open files %llu", &soft), 1);
    cr_assert_eq(soft, 50);
    cr_assert_eq(
        sscanf(strstr(child->text[0], "Max address space"), "Max address space %llu", &soft), 1);
    cr_assert_eq(soft, 1 << 30);
    cr_assert_eq(sscanf(strstr(child->text[0], "Max processes"), "Max processes %llu", &soft), 1);
    cr_assert_eq(soft, 9999);
    child_free(child);
}

/* More than the hard limit is the hard limit, and not an error. */
PROCESS_TEST(limits_beyond_the_hosts)
{
    struct rlimit now;
    struct child *child =
        limited_ran(t->data, "ulimit -n", (struct rv_process_limits){.open_files = UINT64_MAX});

    expect_ok(child);
    getrlimit(RLIMIT_NOFILE, &now);
    cr_assert_eq(strtoull(child->text[0], NULL, 10), now.rlim_max);
    child_free(child);
}

PROCESS_TEST(cpu_limit_strikes)
{
    struct child *child =
        limited_ran(t->data, "while :; do :; done", (struct rv_process_limits){.cpu_s = 1});

    cr_assert_eq(child->error, 0);
    cr_assert_eq(child->result.end, RV_PROCESS_SIGNALED);
    cr_assert(child->result.signal == SIGXCPU || child->result.signal == SIGKILL);
    /* The kernel counts the limit in ticks and the usage in nanoseconds: they differ, on a busy
     * virtual machine by much. */
    cr_assert_gt(child->result.user_us + child->result.system_us, 500000);
    child_free(child);
}

PROCESS_TEST(file_limit_strikes)
{
    struct child *child = limited_ran(t->data,
                                      "d=$(mktemp); head -c 100000 /dev/zero >$d; "
                                      "stat -c %s $d; rm $d",
                                      (struct rv_process_limits){.file_bytes = 5000});

    cr_assert_eq(child->error, 0);
    cr_assert_leq(atoi(child->text[0]), 5120, "%s", child->text[0]);
    child_free(child);
}

/* ---- output -----------------------------------------------------------------------------------
 */

#define GIGABYTE "head -c 1000000000 /dev/zero"

PROCESS_TEST(gigabyte_is_cut_and_counted)
{
    struct child *child = child_new(t->data, GIGABYTE);

    child->options.max_output_bytes = 100000;
    child->options.overflow = RV_PROCESS_OVERFLOW_DROP;
    child_run(child);
    expect_ok(child);
    cr_assert_eq(child->received[0], 100000);
    cr_assert_eq(child->result.output_bytes[0], 1000000000);
    cr_assert_eq(child->result.dropped_bytes, 1000000000 - 100000);
    child_free(child);
}

PROCESS_TEST(gigabyte_ends_the_child)
{
    struct child *child = child_new(t->data, GIGABYTE);

    child->options.max_output_bytes = 100000;
    child_run(child);
    cr_assert_eq(child->error, REEVE_ETOOBIG);
    cr_assert_eq(child->received[0], 100000);
    cr_assert_lt(child->result.output_bytes[0], 100000000);
    cr_assert(strstr(child->problem, "100000 bytes"), "%s", child->problem);
    child_free(child);
}

/* The cap is for both streams together. */
PROCESS_TEST(output_exactly_at_its_cap)
{
    struct child *child = child_new(t->data, "printf 12345; printf 67890 >&2");

    child->options.max_output_bytes = 10;
    child_run(child);
    expect_ok(child);
    cr_assert_eq(child->result.dropped_bytes, 0);
    child_free(child);
}

/* An owner that pauses makes the child wait; nothing is lost, nothing is kept in memory. */
PROCESS_TEST(pause_holds_the_child)
{
    struct process_world *world = t->data;
    struct child *child = child_new(world, "head -c 1000000 /dev/zero");
    size_t peak;

    child->pause_at_output = true;
    child_start(child);
    PROCESS_UNTIL(world, child->outputs);
    for (int i = 0; i < 100; i++)
        process_turn(world);
    cr_assert_eq(child->outputs, 1);
    peak = t->failing.peak_bytes;
    cr_assert_lt(peak, 400 * 1024, "%zu bytes", peak);
    while (!child->dones) {
        rv_process_resume(child->process);
        process_turn(world);
    }
    expect_ok(child);
    cr_assert_eq(child->received[0], 1000000);
    cr_assert_gt(child->outputs, 10);
    child_free(child);
}

/* What is in the pipe when the child exits, and patience ends, is not lost to the pause. */
PROCESS_TEST(pause_beyond_the_exit)
{
    struct process_world *world = t->data;
    struct child *child = child_new(world, "echo one; sleep 0.1; echo two; exit 0");
    double start_ms;

    child->pause_at_output = true;
    child_start(child);
    PROCESS_UNTIL(world, child->outputs);
    start_ms = process_now_ms();
    PROCESS_UNTIL(world, process_now_ms() > start_ms + 700);
    cr_assert_eq(child->dones, 0);
    child->pause_at_output = false;
    rv_process_resume(child->process);
    PROCESS_UNTIL(world, child->dones);
    expect_ok(child);
    cr_assert_str_eq(child->text[0], "one\ntwo\n");
    child_free(child);
}

/* ---- starts that fail -------------------------------------------------------------------------
 */

static void expect_failure(struct process_world *world, const char *program, bool limited,
                           int error, int os_errno)
{
    struct child *child = child_new(world, NULL);

    child->argv[0] = program;
    child->argv[1] = NULL;
    if (limited)
        child->options.limits = some_limits;
    child_run(child);
    cr_assert_eq(child->error, error, "%s: %s", program, child->problem);
    cr_assert_eq(child->os_errno, os_errno, "%s", child->problem);
    cr_assert(strstr(child->problem, program), "%s", child->problem);
    cr_assert_not(child->result.started);
    child_free(child);
}

PROCESS_TEST(programs_that_are_not_there)
{
    for (int limited = 0; limited < 2; limited++) {
        expect_failure(t->data, "no-such-program", limited, REEVE_ENOTFOUND, ENOENT);
        expect_failure(t->data, "/no/such/program", limited, REEVE_ENOTFOUND, ENOENT);
        expect_failure(t->data, "/etc/passwd", limited, REEVE_EACCESS, EACCES);
        expect_failure(t->data, "/etc", limited, REEVE_EACCESS, EACCES);
        expect_failure(t->data, "/etc/passwd/x", limited, REEVE_ENOTDIR, ENOTDIR);
    }
}

PROCESS_TEST(folder_that_is_not_there)
{
    struct child *child = child_new(t->data, "true");
    int closed = 900;

    child->options.folder = "/no/such/folder";
    child_run(child);
    cr_assert_eq(child->error, REEVE_ENOTFOUND);
    cr_assert(strstr(child->problem, "/no/such/folder"), "%s", child->problem);
    child_free(child);

    child = child_new(t->data, "true");
    child->options.folder_fd = &closed;
    child_run(child);
    cr_assert_eq(child->error, REEVE_ESYSTEM);
    cr_assert_eq(child->os_errno, EBADF);
    child_free(child);
}

PROCESS_TEST(arguments_too_long)
{
    enum { LEN = 200 * 1024 };
    struct child *child = child_new(t->data, NULL);
    char *script = calloc(1, LEN + 1);

    cr_assert_not_null(script);
    memset(script, ' ', LEN);
    child->argv[2] = script;
    child_run(child);
    cr_assert_eq(child->error, REEVE_ETOOBIG, "%s", child->problem);
    cr_assert_eq(child->os_errno, E2BIG);
    free(script);
    child_free(child);
}

PROCESS_TEST(options_that_make_no_sense)
{
    static const char *const nameless[] = {"=x", NULL}, *const plain[] = {"PATH", NULL};
    struct process_world *world = t->data;
    struct child *child = child_new(world, "true");
    struct rv_process_options options = child->options;

    options.environment = nameless;
    cr_assert_eq(rv_process_start(world->runtime, &options, &child->process), REEVE_EINVAL);
    options.environment = plain;
    cr_assert_eq(rv_process_start(world->runtime, &options, &child->process), REEVE_EINVAL);
    options = child->options;
    options.max_output_bytes = 0;
    cr_assert_eq(rv_process_start(world->runtime, &options, &child->process), REEVE_EINVAL);
    child->argv[0] = NULL;
    cr_assert_eq(rv_process_start(world->runtime, &child->options, &child->process), REEVE_EINVAL);
    cr_assert_eq(rv_process_set_max(world->runtime, 0), REEVE_EINVAL);
    child_free(child);
}

/* Descriptors run out at each step in turn: an error or a whole run, and nothing is left open. */
PROCESS_TEST(descriptors_run_out)
{
    struct process_world *world = t->data;
    struct rlimit before, few;
    struct child *child;
    unsigned failures = 0;
    int next = dup(0);
    bool ran = false;

    close(next);
    getrlimit(RLIMIT_NOFILE, &before);
    for (int more = 0; !ran && more < 16; more++) {
        child = child_new(world, "echo hello");
        child->options.input = "x";
        child->options.input_len = 1;
        child->options.folder = "/";
        child_start(child);
        few = (struct rlimit){(rlim_t)(next + more), before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
        PROCESS_UNTIL(world, child->dones);
        setrlimit(RLIMIT_NOFILE, &before);
        ran = !child->error;
        failures += !ran;
        if (ran)
            cr_assert_str_eq(child->text[0], "hello\n");
        else
            cr_assert_eq(child->os_errno, EMFILE, "%s", child->problem);
        child_free(child);
    }
    cr_assert(ran);
    cr_assert_gt(failures, 4);
}

/* ---- without pidfd ----------------------------------------------------------------------------
 */

static bool no_pidfd, no_group_signal;

/* What a program defines is called instead of the C library's. */
__attribute__((visibility("default"))) long syscall(long number, ...)
{
    static long (*real)(long number, ...);
    long arg[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        arg[i] = va_arg(args, long);
    va_end(args);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    if (no_pidfd && number == SYS_pidfd_open) {
        errno = ENOSYS;
        return -1;
    }
    if (no_group_signal && number == SYS_pidfd_send_signal) {
        errno = EINVAL;
        return -1;
    }
    return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static void expect_all_works(struct process_world *world)
{
    struct child *child = child_ran(world, "sleep 0.1; echo out; sleep 1000 & exit 8");

    cr_assert_eq(child->result.end, RV_PROCESS_EXITED);
    cr_assert_eq(child->result.exit_code, 8);
    cr_assert(child->result.pipe_kept);
    cr_assert_str_eq(child->text[0], "out\n");
    child_free(child);

    child = child_new(world, "echo go; exec sleep 1000");
    child->cancel_at_output = true;
    child_run(child);
    cr_assert_eq(child->result.signal, SIGKILL);
    child_free(child);

    child = child_new(world, "echo go; exec sleep 1000");
    child_start(child);
    PROCESS_UNTIL(world, child->outputs);
    rv_process_abort(child->process);
    cr_assert_eq(child->result.signal, SIGKILL);
    child_free(child);
}

PROCESS_TEST(without_pidfd)
{
    no_pidfd = true;
    expect_all_works(t->data);
    signal(SIGCHLD, SIG_IGN);
    child_free(child_ran(t->data, "exit 3"));
}

PROCESS_TEST(without_signals_by_pidfd)
{
    no_group_signal = true;
    expect_all_works(t->data);
}

/* ---- several ----------------------------------------------------------------------------------
 */

PROCESS_TEST(no_more_than_allowed_at_once)
{
    enum { COUNT = 6 };
    struct process_world *world = t->data;
    struct child *child[COUNT];

    cr_assert_eq(rv_process_set_max(world->runtime, 2), 0);
    for (int i = 0; i < COUNT; i++) {
        child[i] = child_new(world, "echo go; read x");
        child[i]->options.timeout_ms = 20000;
        child[i]->options.input = "x\n";
        child[i]->options.input_len = 2;
        child_start(child[i]);
    }
    cr_assert_eq(rv_process_set_max(world->runtime, 3), REEVE_EBUSY);
    rv_process_cancel(child[3]->process);
    for (int i = 0; i < COUNT; i++) {
        PROCESS_UNTIL(world, child[i]->dones);
        cr_assert_eq(child[i]->error, i == 3 ? REEVE_ECANCELED : 0);
        child_free(child[i]);
    }
}

/* ---- memory -----------------------------------------------------------------------------------
 */

static int run_one(struct rv_test *run, void *arg)
{
    struct process_world *world;
    struct child *child;
    int error = process_world_open(run, &world);

    (void)arg;
    if (error)
        return error;
    child = child_new(world, "cat; echo err >&2");
    child->options.input = "in";
    child->options.input_len = 2;
    child->options.folder = "/";
    child->options.limits = (struct rv_process_limits){.open_files = 50};
    error = rv_process_start(world->runtime, &child->options, &child->process);
    if (!error) {
        world->outstanding++;
        event_base_dispatch(world->base);
        cr_assert_eq(child->dones, 1);
        error = child->error;
        if (!error)
            cr_assert_str_eq(child->text[0], "in");
    }
    child_free(child);
    process_world_close(world);
    return error;
}

RV_TEST(process, each_allocation_fails, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, run_one, NULL, 12);
}
