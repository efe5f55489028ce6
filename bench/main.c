/* SPDX-License-Identifier: MIT */
/*
 * reeve-bench: one named row for each promise. It exits with 0 whatever the figures are: a
 * benchmark informs, a test judges.
 */
#include "bench/bench.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef BENCH_SCRIPTS
#define BENCH_SCRIPTS "."
#endif
#ifndef BENCH_PROGRAMS
#define BENCH_PROGRAMS "."
#endif

enum { MOST_WANTED = 64 };

static const char *join(const char *folder, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        bench_die("out of memory");
    return path; /* few, and needed until the end */
}

const char *bench_script(const char *name)
{
    return join(BENCH_SCRIPTS, name);
}

const char *bench_program(const char *name)
{
    return join(BENCH_PROGRAMS, name);
}

char *bench_file(const struct bench *bench, const char *name, const void *bytes, size_t len)
{
    char *path;
    FILE *file;

    bench_check(asprintf(&path, "%s/%s", bench->folder, name) > 0, "naming a file");
    file = fopen(path, "w");
    bench_check(file && fwrite(bytes, 1, len, file) == len && !fclose(file), path);
    return path;
}

static void usage(FILE *out)
{
    fputs("usage: reeve-bench [--only NAME]... [--quick] [--json]\n"
          "       reeve-bench --list | --help\n"
          "\n"
          "  --list         the names of the rows, and what each promises\n"
          "  --only NAME    this row alone; may be given several times; NAME. stands for all of "
          "them\n"
          "                 that begin so\n"
          "  --quick        fewer and shorter rounds\n"
          "  --json         one line of JSON for each comparison\n"
          "\n"
          "Exits with 0 whatever the figures are.\n",
          out);
}

static void list(void)
{
    size_t i;

    for (i = 0; bench_rows[i]; i++)
        printf("%-18s %-16s %s\n", bench_rows[i]->name, bench_rows[i]->unit, bench_rows[i]->claim);
}

static bool fits(const char *name, const char *wanted)
{
    const size_t len = strlen(wanted);

    if (len && wanted[len - 1] == '.')
        return !strncmp(name, wanted, len);
    return !strcmp(name, wanted);
}

static bool is_wanted(const char *name, const char *const *wanted, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (fits(name, wanted[i]))
            return true;
    return !count;
}

static bool exists(const char *wanted)
{
    size_t i;

    for (i = 0; bench_rows[i]; i++)
        if (fits(bench_rows[i]->name, wanted))
            return true;
    return false;
}

static void remove_folder(const char *folder)
{
    pid_t child = fork();

    if (!child) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

static void run_rows(struct bench *bench, const char *const *wanted, size_t count)
{
    char folder[] = "/tmp/reeve-bench-XXXXXX";
    size_t i;

    bench_check(mkdtemp(folder), "making a temporary folder");
    bench->folder = folder;
    for (i = 0; bench_rows[i]; i++)
        if (is_wanted(bench_rows[i]->name, wanted, count))
            bench_rows[i]->run(bench, bench_rows[i]);
    remove_folder(folder);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"list", no_argument, NULL, 'l'},  {"only", required_argument, NULL, 'o'},
        {"quick", no_argument, NULL, 'q'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},  {0},
    };
    struct bench bench = {.out = stdout};
    const char *wanted[MOST_WANTED];
    size_t count = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l' || option == 'h') {
            option == 'l' ? list() : usage(stdout);
            return 0;
        } else if (option == 'o' && count < MOST_WANTED) {
            if (!exists(optarg))
                bench_die("there is no row \"%s\"; --list names them", optarg);
            wanted[count++] = optarg;
        } else if (option == 'q') {
            bench.quick = true;
        } else if (option == 'j') {
            bench.json = true;
        } else {
            usage(stderr);
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    run_rows(&bench, wanted, count);
    return 0;
}
