/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn sets no resource limits, so a shell does that and then becomes the program. Whether
 * the program is there is found out before, so that a missing one is an error and not an exit code
 * of that shell.
 */
#include "config.h"

#include "io/process_spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SCRIPT_BYTES = 1024, FIRST_CLOSED = 3, SHELL_WORDS = 5 };

static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

/* ---- what went wrong --------------------------------------------------------------------------
 */

static int error_of(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
        return REEVE_ENOTFOUND;
    case EACCES:
    case EPERM:
        return REEVE_EACCESS;
    case ENOTDIR:
        return REEVE_ENOTDIR;
    case E2BIG:
        return REEVE_ETOOBIG;
    case ENOMEM:
        return REEVE_ENOMEM;
    default:
        return REEVE_ESYSTEM;
    }
}

int rv_spawn_problem(struct rv_process *process, int errno_value, const char *what)
{
    process->os_errno = errno_value;
    errno = errno_value;
    snprintf(process->problem, sizeof process->problem, "%.200s could not be started: %.200s: %m",
             process->argv[0], what);
    return error_of(errno_value);
}

/* ---- finding the program ----------------------------------------------------------------------
 */

static const char *variable(const struct rv_process *process, const char *name)
{
    size_t len = strlen(name);

    for (char **at = process->environment; *at; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    }
    return NULL;
}

/* 0 or an errno: as execve would say. */
static int try_program(int folder_fd, const char *path)
{
    struct stat about;

    if (fstatat(folder_fd, path, &about, 0))
        return errno;
    if (!S_ISREG(about.st_mode))
        return EACCES;
    return faccessat(folder_fd, path, X_OK, AT_EACCESS) ? errno : 0;
}

/* As execvp looks: one that may not be executed does not end the search. */
static int search_path(const struct rv_process *process, int folder_fd, char path[PATH_MAX])
{
    const char *at = variable(process, "PATH");
    int error = ENOENT, tried;

    if (!at)
        at = default_path;
    for (;; at++) {
        size_t len = strcspn(at, ":");
        int made =
            snprintf(path, PATH_MAX, "%.*s%s%s", (int)len, at, len ? "/" : "./", process->argv[0]);

        tried = made < PATH_MAX ? try_program(folder_fd, path) : ENAMETOOLONG;
        if (!tried)
            return 0;
        if (tried == EACCES)
            error = EACCES;
        at += len;
        if (!*at)
            return error;
    }
}

static int find_program(struct rv_process *process, int folder_fd, char path[PATH_MAX])
{
    const char *name = process->argv[0];
    int error;

    if (folder_fd < 0)
        folder_fd = AT_FDCWD;
    if (!strchr(name, '/')) {
        error = strlen(name) > NAME_MAX ? ENAMETOOLONG : search_path(process, folder_fd, path);
        return error ? rv_spawn_problem(process, error, "looked for in PATH") : 0;
    }
    if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
        return rv_spawn_problem(process, ENAMETOOLONG, "its path");
    error = try_program(folder_fd, path);
    return error ? rv_spawn_problem(process, error, process->folder ? process->folder : "its path")
                 : 0;
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static bool has_limits(const struct rv_process_limits *limits)
{
    return limits->cpu_s || limits->memory_bytes || limits->file_bytes || limits->open_files ||
           limits->processes;
}

/* More than the hard limit would be refused. In units, rounded up. */
static unsigned long long clamp(unsigned resource, uint64_t wanted, uint64_t unit)
{
    uint64_t units = wanted / unit + (wanted % unit != 0);
    struct rlimit now;

    if (!getrlimit(resource, &now) && now.rlim_max != RLIM_INFINITY && units > now.rlim_max / unit)
        units = now.rlim_max / unit;
    return units;
}

static int add_limit(struct rv_buffer *script, char flag, unsigned resource, uint64_t wanted,
                     uint64_t unit)
{
    return wanted
               ? rv_buffer_printf(script, "ulimit -%c %llu;", flag, clamp(resource, wanted, unit))
               : 0;
}

/* The limit on processes has one letter in dash and another in bash. */
static int add_process_limit(struct rv_buffer *script, uint64_t wanted)
{
    unsigned long long limit = clamp(RLIMIT_NPROC, wanted, 1);

    return wanted ? rv_buffer_printf(script,
                                     "if (ulimit -u %llu) 2>/dev/null; then ulimit -u %llu;"
                                     "else ulimit -p %llu; fi;",
                                     limit, limit, limit)
                  : 0;
}

/* Nothing runs under fewer limits than were asked for: the shell ends at the first that it refuses.
 * That of processes comes last, since it needs one more itself. */
static int write_script(const struct rv_process *process, struct rv_buffer *script)
{
    static const char *const own[] = {"PWD", "OLDPWD", "SHLVL"};
    const struct rv_process_limits *limits = &process->options.limits;
    int error = rv_buffer_add_text(script, "set -e;");

    for (size_t i = 0; i < sizeof own / sizeof *own && !error; i++) {
        if (!variable(process, own[i]))
            error = rv_buffer_printf(script, "unset %s;", own[i]);
    }
    if (!error)
        error = add_limit(script, 't', RLIMIT_CPU, limits->cpu_s, 1);
    if (!error)
        error = add_limit(script, 'f', RLIMIT_FSIZE, limits->file_bytes, 512);
    if (!error)
        error = add_limit(script, 'n', RLIMIT_NOFILE, limits->open_files, 1);
    if (!error)
        error = add_limit(script, 'v', RLIMIT_AS, limits->memory_bytes, 1024);
    if (!error)
        error = add_process_limit(script, limits->processes);
    return error ? error : rv_buffer_add_text(script, "exec \"$@\"");
}

/* sh -c SCRIPT sh PROGRAM ARGUMENT… */
static int wrap_in_shell(struct rv_process *process, char *const words[SHELL_WORDS],
                         char ***ret_argv)
{
    size_t count = 0;
    char **argv;

    while (process->argv[count])
        count++;
    argv = rv_alloc_array(process->mem, count + SHELL_WORDS, sizeof *argv);
    if (!argv)
        return REEVE_ENOMEM;
    memcpy(argv, words, SHELL_WORDS * sizeof *argv);
    memcpy(argv + SHELL_WORDS, process->argv + 1, count * sizeof *argv);
    *ret_argv = argv;
    return 0;
}

/* ---- posix_spawn ------------------------------------------------------------------------------
 */

/*
 * Nothing of the host's stays open. Where the C library can't say "all from here on", those that
 * are open now are named: a thread of the host that opens another at this moment must do so with
 * O_CLOEXEC.
 */
static int add_close(posix_spawn_file_actions_t *actions)
{
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    return posix_spawn_file_actions_addclosefrom_np(actions, FIRST_CLOSED);
#else
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int fd, error = 0;

    if (!folder)
        return errno;
    while (!error && (entry = readdir(folder))) {
        fd = atoi(entry->d_name);
        if (fd >= FIRST_CLOSED)
            error = posix_spawn_file_actions_addclose(actions, fd);
    }
    closedir(folder);
    return error;
#endif
}

static int fill_actions(posix_spawn_file_actions_t *actions, const struct rv_spawn *spawn)
{
    int error;

    if (spawn->input_fd < 0)
        error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    else
        error = posix_spawn_file_actions_adddup2(actions, spawn->input_fd, 0);
    for (int i = 0; i < RV_PROCESS_STREAMS && !error; i++)
        error = posix_spawn_file_actions_adddup2(actions, spawn->output_fd[i], i + 1);
    if (!error && spawn->folder_fd >= 0)
        error = posix_spawn_file_actions_addfchdir_np(actions, spawn->folder_fd);
    return error ? error : add_close(actions);
}

static int fill_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int error;

    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (error)
        return error;
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSIGMASK);
}

/* 0 or an errno. */
static int execute(const struct rv_process *process, const struct rv_spawn *spawn, const char *path,
                   char **argv, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error)
        goto no_attributes;
    error = fill_actions(&actions, spawn);
    if (!error)
        error = fill_attributes(&attributes);
    if (!error)
        error = posix_spawn(ret_pid, path, &actions, &attributes, argv, process->environment);
    posix_spawnattr_destroy(&attributes);
no_attributes:
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int execute_limited(struct rv_process *process, const struct rv_spawn *spawn, char *path,
                           pid_t *ret_pid)
{
    char shell[] = "/bin/sh", flag[] = "-c", name[] = "sh";
    struct rv_buffer script;
    char **argv = NULL;
    int error;

    rv_buffer_init(&script, process->mem, MAX_SCRIPT_BYTES);
    error = write_script(process, &script);
    if (!error) {
        char *const words[SHELL_WORDS] = {shell, flag, script.data, name, path};

        error = wrap_in_shell(process, words, &argv);
    }
    error = error ? ENOMEM : execute(process, spawn, shell, argv, ret_pid);
    rv_free(process->mem, argv);
    rv_buffer_done(&script);
    return error;
}

int rv_spawn(struct rv_process *process, const struct rv_spawn *spawn, pid_t *ret_pid)
{
    char path[PATH_MAX];
    int error = find_program(process, spawn->folder_fd, path);

    if (error)
        return error;
    if (has_limits(&process->options.limits))
        error = execute_limited(process, spawn, path, ret_pid);
    else
        error = execute(process, spawn, path, process->argv, ret_pid);
    return error ? rv_spawn_problem(process, error, path) : 0;
}
