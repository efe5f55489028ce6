/* SPDX-License-Identifier: MIT */
/* find_files on simulated files: what globs mean, in which order, what is left out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/file.h"
#include "tests/sim/runtime.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>

static struct rv_sim_files *files;
static struct reeve_toolbox *toolbox;
static struct reeve_batch *batch;
static struct reeve_batch_options batch_options;
static int done;
static enum reeve_call_status status;
static size_t said_len;
static char *said;

static void begin(struct rv_test *t)
{
    set_up(t);
    files = rv_sim_files_of(runtime);
    reeve_batch_options_init(&batch_options);
    cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
    cr_assert_eq(reeve_toolbox_add_files(toolbox, "/anywhere"), 0);
    said = NULL;
}

static void end(struct rv_test *t)
{
    cr_assert_eq(rv_sim_file_open(files), 0, "descriptors are left open");
    cr_assert_eq(rv_sim_file_pending(files), 0);
    reeve_toolbox_free(toolbox);
    free(said);
    tear_down(t);
}

#define FIND_TEST(name, ...) RV_TEST(find_files, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

static void on_done(struct reeve_batch *ended, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(ended, 0);

    (void)error, (void)arg;
    done++;
    batch = NULL;
    status = result->status;
    said_len = result->len;
    free(said);
    said = strdup(result->text);
}

static int try_start(const char *json)
{
    struct reeve_call call = {
        .id = "1", .name = "find_files", .arguments = json, .arguments_len = strlen(json)};

    batch_options.on_done = on_done;
    done = 0;
    return reeve_batch_run(toolbox, &call, 1, &batch_options, &batch);
}

static void go(void)
{
    while (rv_sim_pass(runtime))
        ;
    cr_assert_eq(done, 1);
}

static void find(const char *json)
{
    cr_assert_eq(try_start(json), 0);
    go();
}

static void put(const char *path)
{
    rv_sim_file_put(files, path, "x", 1);
}

static void expect(const char *json, enum reeve_call_status wanted, const char *text)
{
    find(json);
    cr_assert_str_eq(said, text, "%s: %s", json, said);
    cr_assert_eq(status, wanted, "%s", said);
}

static void plant(void)
{
    static const char *const paths[] = {"a.c",         "a.h",          "b.c",
                                        "src/main.c",  "src/main.h",   "src/x/y.c",
                                        "src/x/z/w.c", "src/x/z/w.cc", "src-old/main.c",
                                        "docs/a b.md", "docs/[x].md",  "docs/star*.md"};
    size_t i;

    for (i = 0; i < sizeof paths / sizeof paths[0]; i++)
        put(paths[i]);
    put(".git/config");
    put(".git/objects/aa/b.c");
    put("src/.git/config");
    put("docs/\xC3\xA4.md");
    put(".hidden");
    rv_sim_file_folder(files, "empty");
    rv_sim_file_link(files, "link", "src");
}

FIND_TEST(globs)
{
    static const struct {
        const char *pattern, *says;
    } cases[] = {
        {"*.c", "a.c\nb.c\n"},
        {"?.c", "a.c\nb.c\n"},
        {"a.?", "a.c\na.h\n"},
        {"[ab].c", "a.c\nb.c\n"},
        {"[!a].c", "b.c\n"},
        {"[^b].c", "a.c\n"},
        {"[a-z].[h]", "a.h\n"},
        {"src/*.c", "src/main.c\n"},
        {"/src/./*.c", "src/main.c\n"},
        {"./src//*.c", "src/main.c\n"},
        {"*/main.c", "src/main.c\nsrc-old/main.c\n"},
        {"**/main.c", "src/main.c\nsrc-old/main.c\n"},
        {"**/*.c", "a.c\nb.c\nsrc/main.c\nsrc/x/y.c\nsrc/x/z/w.c\nsrc-old/main.c\n"},
        {"src/**", "src/main.c\nsrc/main.h\nsrc/x/\nsrc/x/y.c\nsrc/x/z/\nsrc/x/z/w.c\n"
                   "src/x/z/w.cc\n"},
        {"src/**/w.c", "src/x/z/w.c\n"},
        {"src/**/**/z/**/w.c", "src/x/z/w.c\n"},
        {"**/x/**/*.c*", "src/x/y.c\nsrc/x/z/w.c\nsrc/x/z/w.cc\n"},
        {"*/", "docs/\nempty/\nsrc/\nsrc-old/\n"},
        {"src", "src/\n"},
        {"link", "link\n"},
        {"link/*", "[nothing matches \"link/*\"]\n"},
        {"*.{c,h}", "a.c\na.h\nb.c\n"},
        {"{a,b,a}.{c,h}", "a.c\na.h\nb.c\n"},
        {"{src/{main,x/y},a}.c", "a.c\nsrc/main.c\nsrc/x/y.c\n"},
        {"a.c{,c}", "a.c\n"},
        {"{a.c}", "[nothing matches \"{a.c}\"]\n"},
        {"docs/\\\\[x].md", "docs/[x].md\n"},
        {"docs/star\\\\*.md", "docs/star*.md\n"},
        {"docs/[[]x[]].md", "docs/[x].md\n"},
        {"docs/[x", "[nothing matches \"docs/[x\"]\n"},
        {"docs/?.md", "docs/\xC3\xA4.md\n"},
        {"docs/[\xC3\xA0-\xC3\xBC].md", "docs/\xC3\xA4.md\n"},
        {"docs/* *", "docs/a b.md\n"},
        {".*", ".hidden\n"},
        {".git", ".git/\n"},
        {".git/*", ".git/config\n.git/objects/\n"},
        {"**/.git/config", ".git/config\nsrc/.git/config\n"},
        {"A.C", "[nothing matches \"A.C\"]\n"},
        {"**", NULL},
    };
    char json[256];
    size_t i;

    plant();
    for (i = 0; cases[i].says; i++) {
        snprintf(json, sizeof json, "{\"pattern\":\"%s\"}", cases[i].pattern);
        expect(json, REEVE_CALL_SUCCEEDED, cases[i].says);
    }
}

FIND_TEST(below_a_folder)
{
    plant();
    expect("{\"pattern\":\"*.c\",\"path\":\"src\"}", REEVE_CALL_SUCCEEDED, "src/main.c\n");
    expect("{\"pattern\":\"**/w.c\",\"path\":\"./src/x/\"}", REEVE_CALL_SUCCEEDED, "src/x/z/w.c\n");
    expect("{\"pattern\":\"main.*\",\"path\":\"link\"}", REEVE_CALL_SUCCEEDED,
           "link/main.c\nlink/main.h\n");
    expect("{\"pattern\":\"*.c\",\"path\":null,\"limit\":null}", REEVE_CALL_SUCCEEDED,
           "a.c\nb.c\n");
    expect("{\"pattern\":\"*\",\"path\":\"empty\"}", REEVE_CALL_SUCCEEDED,
           "[nothing matches \"*\"]\n");
}

FIND_TEST(refuses)
{
    plant();
    expect("{\"pattern\":\"*\",\"path\":\"none\"}", REEVE_CALL_FAILED,
           "\"none\" does not exist in the root folder: list_directory tells what does");
    expect("{\"pattern\":\"*\",\"path\":\"a.c\"}", REEVE_CALL_FAILED,
           "\"a.c\" is a file, not a directory: use read_file");
    expect("{\"pattern\":\"\"}", REEVE_CALL_FAILED,
           "\"pattern\" is \"\": give a glob of names below \"path\", without \"..\", for example "
           "src/**/*.c");
    expect("{\"pattern\":\"src/../*\"}", REEVE_CALL_FAILED,
           "\"pattern\" is \"src/../*\": give a glob of names below \"path\", without \"..\", for "
           "example src/**/*.c");
    expect("{\"pattern\":\"{a,b,c,d,e}{a,b,c,d,e}\"}", REEVE_CALL_FAILED,
           "\"pattern\" is too long, or its braces stand for more than 16 patterns: give a simpler "
           "one");
    expect("{\"pattern\":\"*\",\"limit\":0}", REEVE_CALL_INVALID,
           "The arguments of find_files are not what it takes: limit: wanted 1 or more, given the "
           "number 0.");
    find("{\"pattern\":\"*\",\"path\":\"../x\"}");
    cr_assert_eq(status, REEVE_CALL_FAILED);
    cr_assert(strstr(said, "leaves the root folder"), "%s", said);
}

FIND_TEST(limits)
{
    char name[64];
    unsigned i;

    for (i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "many/file-%04u", i);
        put(name);
    }
    expect("{\"pattern\":\"many/file-00*\",\"limit\":2}", REEVE_CALL_SUCCEEDED,
           "many/file-0000\nmany/file-0001\n[98 more: use a narrower pattern]\n");
    expect("{\"pattern\":\"many/file-0001\",\"limit\":1}", REEVE_CALL_SUCCEEDED,
           "many/file-0001\n");
    find("{\"pattern\":\"**\"}");
    cr_assert_not_null(strstr(said, "\nmany/file-0998\n[2001 more: "), "%s", said + said_len - 90);
    batch_options.max_output_bytes = 2000;
    find("{\"pattern\":\"**\"}");
    cr_assert_leq(said_len, 2000);
    cr_assert_eq(strncmp(said, "many/\nmany/file-0000\n", 21), 0);
    cr_assert_not_null(strstr(said, " more: use a narrower pattern]\n"), "%s", said);
}

/* Only where something may match. */
FIND_TEST(looks_no_further_than_it_must)
{
    uint64_t scans;

    plant();
    scans = rv_sim_file_count(files, RV_SIM_FILE_OPEN);
    find("{\"pattern\":\"src/x/*.c\"}");
    cr_assert_eq(rv_sim_file_count(files, RV_SIM_FILE_OPEN) - scans, 3, "%llu",
                 (unsigned long long)(rv_sim_file_count(files, RV_SIM_FILE_OPEN) - scans));
}

FIND_TEST(folders_that_cannot_be_read)
{
    plant();
    rv_sim_file_mode(files, "src/x", 0);
    expect("{\"pattern\":\"**/*.c\"}", REEVE_CALL_SUCCEEDED,
           "a.c\nb.c\nsrc/main.c\nsrc-old/main.c\n[1 of the directories could not be read]\n");
}

/* A pattern that is matched by going back and forth would take for ever. */
FIND_TEST(evil_patterns)
{
    char name[200], json[1200];
    size_t at = 0, i;

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    put(name);
    at += (size_t)sprintf(json, "{\"pattern\":\"");
    for (i = 0; i < 150; i++)
        at += (size_t)sprintf(json + at, "*a");
    sprintf(json + at, "*b\"}");
    find(json);
    cr_assert_eq(strncmp(said, "[nothing matches ", 17), 0);
    for (i = 0; i < 30; i++)
        put("a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/c");
    at = (size_t)sprintf(json, "{\"pattern\":\"");
    for (i = 0; i < 30; i++)
        at += (size_t)sprintf(json + at, "**/a/");
    sprintf(json + at, "b\"}");
    find(json);
    cr_assert_eq(strncmp(said, "[nothing matches ", 17), 0);
}

/* Against one straight way to do it, which recurses. */
static bool matches(const char *pattern, const char *name)
{
    if (*pattern == '*')
        return matches(pattern + 1, name) || (*name && matches(pattern, name + 1));
    if (!*name || !*pattern)
        return *name == *pattern;
    return (*pattern == '?' || *pattern == *name) && matches(pattern + 1, name + 1);
}

FIND_TEST(random_names)
{
    char name[12], pattern[8], json[64], line[16];
    size_t runs, i, len;

    for (runs = 0; runs < 600; runs++) {
        len = 1 + rv_test_random(t) % 10;
        for (i = 0; i < len; i++)
            name[i] = "ab"[rv_test_random(t) % 2];
        name[len] = '\0';
        put(name);
        len = 1 + rv_test_random(t) % 7;
        for (i = 0; i < len; i++)
            pattern[i] = "ab*?"[rv_test_random(t) % 4];
        pattern[len] = '\0';
        if (!strcmp(pattern, "**"))
            continue;
        snprintf(json, sizeof json, "{\"pattern\":\"%s\"}", pattern);
        find(json);
        snprintf(line, sizeof line, "\n%s\n", name);
        cr_assert_eq(!strncmp(said, line + 1, strlen(line + 1)) || strstr(said, line),
                     matches(pattern, name), "%s %s: %s", pattern, name, said);
    }
}

static void strike_each(bool frees)
{
    unsigned at, pass, canceled = 0;
    bool struck = true;

    rv_sim_file_latency_ms(files, 1);
    plant();
    for (at = 0; struck; at++) {
        cr_assert_eq(try_start("{\"pattern\":\"**/*.c\"}"), 0);
        for (pass = 0; pass < at && !done; pass++)
            rv_sim_pass(runtime);
        struck = !done;
        if (struck && frees)
            reeve_toolbox_free(toolbox);
        else if (struck)
            reeve_batch_cancel(batch);
        go();
        canceled += status == REEVE_CALL_CANCELED;
        cr_assert_eq(rv_sim_file_open(files), 0);
        if (struck && frees) {
            cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
            cr_assert_eq(reeve_toolbox_add_files(toolbox, "/anywhere"), 0);
        }
    }
    cr_assert_geq(canceled, 8, "%u", canceled);
}

FIND_TEST(canceled_at_each_step)
{
    strike_each(false);
}

FIND_TEST(freed_at_each_step)
{
    strike_each(true);
}

static int scenario(struct rv_test *run, void *arg)
{
    struct reeve_runtime_options options;
    int error;

    (void)arg;
    toolbox = NULL;
    reeve_runtime_options_init(&options);
    options.allocator = &run->allocator;
    error = reeve_runtime_new(NULL, &options, &runtime);
    if (error)
        return error;
    files = rv_sim_files_of(runtime);
    plant();
    reeve_batch_options_init(&batch_options);
    error = reeve_toolbox_new(runtime, &toolbox);
    if (!error)
        error = reeve_toolbox_add_files(toolbox, "/anywhere");
    if (!error)
        error = try_start("{\"pattern\":\"**/*.{c,h}\"}");
    if (!error) {
        go();
        if (status == REEVE_CALL_SUCCEEDED)
            cr_assert_not_null(strstr(said, "src/x/z/w.c\n"), "%s", said);
        else
            error = REEVE_ENOMEM;
    }
    cr_assert_eq(rv_sim_file_open(files), 0);
    reeve_toolbox_free(toolbox);
    reeve_runtime_free(runtime);
    free(said);
    said = NULL;
    return error;
}

RV_TEST(find_files, memory, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 40);
}
