/* SPDX-License-Identifier: MIT */
/* search_files on simulated files: what matches, what is left out, in which order, at what cost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
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
    if (!rv_pattern_supported())
        rv_test_skip("built without PCRE2");
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

#define SEARCH_TEST(name, ...) RV_TEST(search_files, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

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
        .id = "1", .name = "search_files", .arguments = json, .arguments_len = strlen(json)};

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

static void search(const char *json)
{
    cr_assert_eq(try_start(json), 0);
    go();
}

static void put(const char *path, const char *text)
{
    rv_sim_file_put(files, path, text, strlen(text));
}

static void expect(const char *json, enum reeve_call_status wanted, const char *text)
{
    search(json);
    cr_assert_str_eq(said, text, "%s: %s", json, said);
    cr_assert_eq(status, wanted, "%s", said);
}

#define GIVES(json, text) expect(json, REEVE_CALL_SUCCEEDED, text)

static void plant(void)
{
    put("a.c", "int one;\nint two;\r\nlast one");
    put("b.h", "ONE\n");
    put("src/x.c", "no\n\none and one\n");
    put("src/y.py", "one = 1\n");
    put(".git/config", "one\n");
    rv_sim_file_link(files, "link", "src");
    rv_sim_file_link(files, "link.c", "a.c");
    rv_sim_file_fifo(files, "fifo");
}

SEARCH_TEST(finds)
{
    plant();
    GIVES("{\"pattern\":\"one\"}",
          "a.c:1: int one;\na.c:3: last one\nsrc/x.c:3: one and one\nsrc/y.py:1: one = 1\n"
          "[4 matches in 3 files; 4 searched]\n");
    GIVES("{\"pattern\":\"^ONE$\",\"ignore_case\":true}",
          "b.h:1: ONE\n[1 match in 1 file; 4 searched]\n");
    GIVES("{\"pattern\":\"two;$\"}", "a.c:2: int two;\n[1 match in 1 file; 4 searched]\n");
    GIVES("{\"pattern\":\"one\",\"glob\":\"*.py\"}",
          "src/y.py:1: one = 1\n[1 match in 1 file; 1 searched]\n");
    GIVES("{\"pattern\":\"one\",\"glob\":\"*.{h,py}\",\"path\":null,\"context\":null}",
          "src/y.py:1: one = 1\n[1 match in 1 file; 2 searched]\n");
    GIVES("{\"pattern\":\"one\",\"glob\":\"/*.c\"}",
          "a.c:1: int one;\na.c:3: last one\n[2 matches in 1 file; 1 searched]\n");
    GIVES("{\"pattern\":\"one\",\"path\":\"src\"}",
          "src/x.c:3: one and one\nsrc/y.py:1: one = 1\n[2 matches in 2 files; 2 searched]\n");
    GIVES("{\"pattern\":\"one\",\"path\":\"./link/\"}",
          "link/x.c:3: one and one\nlink/y.py:1: one = 1\n[2 matches in 2 files; 2 searched]\n");
    GIVES("{\"pattern\":\"one\",\"path\":\"src/x.c\"}",
          "src/x.c:3: one and one\n[1 match in 1 file; 1 searched]\n");
    GIVES("{\"pattern\":\"one\",\"path\":\".git\"}",
          ".git/config:1: one\n[1 match in 1 file; 1 searched]\n");
    GIVES("{\"pattern\":\"^$\"}", "src/x.c:2: \n[1 match in 1 file; 4 searched]\n");
    GIVES("{\"pattern\":\"none\"}", "[no matches; 4 files searched]\n");
}

SEARCH_TEST(context)
{
    put("f", "1\n2\n3 x\n4\n5\n6\n7 x\n8 x\n9\n10\n11\n12 x");
    put("g", "x");
    GIVES("{\"pattern\":\"x\",\"context\":1}",
          "f-2- 2\nf:3: 3 x\nf-4- 4\n--\nf-6- 6\nf:7: 7 x\nf:8: 8 x\nf-9- 9\n--\nf-11- 11\n"
          "f:12: 12 x\ng:1: x\n\n[5 matches in 2 files; 2 searched]\n");
    GIVES("{\"pattern\":\"x\",\"context\":2,\"path\":\"f\"}",
          "f-1- 1\nf-2- 2\nf:3: 3 x\nf-4- 4\nf-5- 5\nf-6- 6\nf:7: 7 x\nf:8: 8 x\nf-9- 9\nf-10- 10\n"
          "f-11- 11\nf:12: 12 x\n\n[4 matches in 1 file; 1 searched]\n");
}

SEARCH_TEST(gitignore)
{
    put(".gitignore",
        "# x\n*.o\n!keep.o\n/build\nlogs/\n\\#odd\ntemp \n\nsub/deep/*.txt\n**/gen/**\r\n");
    put("a.o", "x");
    put("keep.o", "x");
    put("build/f", "x");
    put("sub/build", "x");
    put("sub/logs/f", "x");
    put("logs", "x");
    put("#odd", "x");
    put("temp", "x");
    put("sub/deep/a.txt", "x");
    put("sub/deep/a.md", "x");
    put("sub/a.txt", "x");
    put("sub/gen/f", "x");
    put("sub/own/.gitignore", "!*.o\na.md");
    put("sub/own/b.o", "x");
    put("sub/own/a.md", "x");
    put("sub/own/in/a.md", "x");
    GIVES("{\"pattern\":\"^x\"}",
          "keep.o:1: x\nlogs:1: x\nsub/a.txt:1: x\nsub/build:1: x\nsub/deep/a.md:1: x\n"
          "sub/own/b.o:1: x\n[6 matches in 6 files; 8 searched]\n"
          "[9 names left out that .gitignore has]\n");
    GIVES("{\"pattern\":\"^x\",\"path\":\"sub/deep\"}",
          "sub/deep/a.md:1: x\n[1 match in 1 file; 1 searched]\n"
          "[1 name left out that .gitignore has]\n");
    GIVES("{\"pattern\":\"^x\",\"path\":\"sub/own/in\"}",
          "[no matches; 0 files searched]\n[1 name left out that .gitignore has]\n");
    search("{\"pattern\":\"^x\",\"respect_gitignore\":false}");
    cr_assert_not_null(strstr(said, "[15 matches in 15 files; 17 searched]\n"), "%s", said);
}

SEARCH_TEST(binary_files)
{
    static const char binary[] = "one\n\0\x01one\n";
    static char late[20000];

    rv_sim_file_put(files, "bin", binary, sizeof binary - 1);
    memset(late, 'a', sizeof late);
    memcpy(late, "one\n", 4);
    late[sizeof late - 1] = '\0';
    rv_sim_file_put(files, "late", late, sizeof late);
    put("latin", "caf\xE9 one\n");
    GIVES("{\"pattern\":\"one\"}",
          "late:1: one\nlatin:1: caf\xEF\xBF\xBD one\n[2 matches in 2 files; 2 searched]\n"
          "[1 binary file left out]\n[1 line searched in the first 8192 bytes only]\n");
    search("{\"pattern\":\"one\",\"include_binary\":true}");
    cr_assert_eq(strncmp(said, "bin: a binary file that matches\nlate:1: one\n", 44), 0, "%s",
                 said);
    /* What is no UTF-8 is one character for each part that is broken, before the pattern sees it.
     */
    search("{\"pattern\":\"^caf[^x] one$\",\"path\":\"latin\"}");
    cr_assert_str_eq(said, "latin:1: caf\xEF\xBF\xBD one\n[1 match in 1 file; 1 searched]\n");
}

SEARCH_TEST(long_lines)
{
    char *text = malloc(50001);

    memset(text, 'a', 50000);
    text[50000] = '\0';
    memcpy(text + 5000, "needle", 6);
    memcpy(text + 20000, "far", 3);
    memcpy(text + 30000, "\nnear needle\n", 13);
    put("f", text);
    search("{\"pattern\":\"needle\"}");
    cr_assert_eq(strncmp(said, "f:1: [...] aaaa", 15), 0, "%s", said);
    cr_assert_not_null(strstr(said, "aaaaneedleaaaa"));
    cr_assert_not_null(strstr(said,
                              "aaaa [...]\nf:2: near needle\n[2 matches in 1 file; 1 searched]\n"
                              "[2 lines searched in the first"));
    cr_assert_lt(said_len, 700);
    search("{\"pattern\":\"far\"}");
    cr_assert_eq(strncmp(said, "[no matches; 1 file searched]\n", 30), 0, "%s", said);
    free(text);
}

/* Larger than a piece; lines over the edges of pieces and slices, wherever these are. */
SEARCH_TEST(big_files)
{
    size_t lines = 60000, i, len = 0, cut;
    char *text = malloc(lines * 16), json[64], wanted[64];

    for (i = 1; i <= lines; i++)
        len += (size_t)sprintf(text + len, "line %zu.\n", i);
    rv_sim_file_put(files, "f", text, len);
    for (i = 7; i < lines; i += 7919) {
        snprintf(json, sizeof json, "{\"pattern\":\"^line %zu\\\\.$\"}", i);
        snprintf(wanted, sizeof wanted, "f:%zu: line %zu.\n[1 match in 1 file; 1 searched]\n", i,
                 i);
        GIVES(json, wanted);
    }
    for (cut = 131072 - 12; cut < 131072 + 12; cut++) {
        memset(text, '\n', 140000);
        memcpy(text + cut - 4, "\nxyz\n", 5);
        rv_sim_file_put(files, "f", text, 140000);
        snprintf(wanted, sizeof wanted, "f:%zu: xyz\n[1 match in 1 file; 1 searched]\n", cut - 2);
        GIVES("{\"pattern\":\"xyz\"}", wanted);
    }
    free(text);
}

SEARCH_TEST(limits)
{
    char name[32];
    unsigned i;

    for (i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "f%02u", i);
        put(name, "one\ntwo\none\n");
    }
    GIVES("{\"pattern\":\"one\",\"limit\":3}",
          "f00:1: one\nf00:3: one\nf01:1: one\n[3 matches in 2 files; 2 searched; there are more: "
          "use a narrower pattern, path or glob]\n");
    batch_options.max_output_bytes = 1700;
    search("{\"pattern\":\"one\"}");
    cr_assert_leq(said_len, 1700);
    cr_assert_not_null(strstr(said, "; there are more: "), "%s", said);
    cr_assert_null(strstr(said, "bytes"), "the result is not cut: %s", said);
}

SEARCH_TEST(refuses)
{
    plant();
    expect("{\"pattern\":\"a(\"}", REEVE_CALL_FAILED,
           "\"pattern\" is no regular expression: at byte 2: missing closing parenthesis");
    expect("{\"pattern\":\"a\",\"glob\":\"../*\"}", REEVE_CALL_FAILED,
           "\"glob\" is empty or has \"..\" in it: give one for the files that are to be searched, "
           "for example *.{c,h} or src/**/*.py");
    expect("{\"pattern\":\"a\",\"path\":\"none\"}", REEVE_CALL_FAILED,
           "\"none\" does not exist in the root folder: list_directory tells what does");
    expect("{\"pattern\":\"a\",\"path\":\"fifo\"}", REEVE_CALL_FAILED,
           "\"fifo\" is a FIFO, not a directory");
    expect("{\"pattern\":\"a\",\"context\":11}", REEVE_CALL_INVALID,
           "The arguments of search_files are not what it takes: context: wanted 10 or less, "
           "given the number 11.");
}

SEARCH_TEST(what_cannot_be_read)
{
    plant();
    rv_sim_file_mode(files, "a.c", 0);
    put("shut/f", "one");
    rv_sim_file_mode(files, "shut", 0);
    GIVES("{\"pattern\":\"one\",\"glob\":\"*.c\"}",
          "src/x.c:3: one and one\n[1 match in 1 file; 1 searched]\n"
          "[2 paths could not be read]\n");
}

/* A line of which each start takes little, and all of them together much. */
SEARCH_TEST(many_starts_in_a_line)
{
    char text[4001];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    put("f", text);
    GIVES("{\"pattern\":\"a*[bc]\"}", "[no matches; 1 file searched]\n[1 line left out, as the "
                                      "pattern takes too long there]\n");
    text[100] = '\0';
    put("f", text);
    GIVES("{\"pattern\":\"a*[bc]\"}", "[no matches; 1 file searched]\n");
}

/* What goes back and forth is bounded: line by line, and in all. */
SEARCH_TEST(evil_patterns, .timeout = 60)
{
    char *text = malloc(200 * 61 + 1);
    unsigned i;

    for (i = 0; i < 200; i++)
        sprintf(text + (size_t)i * 61, "%060d\n", 0);
    text[60] = '\0';
    put("few", text);
    text[60] = '\n';
    put("g", "00!\n");
    GIVES("{\"pattern\":\"(0+0+)+[!x]\"}",
          "g:1: 00!\n[1 match in 1 file; 2 searched]\n[1 line left "
          "out, as the pattern takes too long "
          "there]\n");
    put("many", text);
    expect("{\"pattern\":\"(0+0+)+[!x]\"}", REEVE_CALL_FAILED,
           "\"pattern\" takes too long on more than 100 lines: use one that has less to try, "
           "without repetitions inside repetitions");
    free(text);
}

/* Against one straight way to do it. */
SEARCH_TEST(random_texts, .timeout = 60)
{
    char *text = malloc(300001), wanted[4096], json[64], word[4];
    size_t runs, len, i, at, matches;

    for (runs = 0; runs < 60; runs++) {
        len = 1 + rv_test_random(t) % (runs % 4 ? 400 : 300000);
        for (i = 0; i < len; i++)
            text[i] = "abcdefg\n"[rv_test_random(t) % 8];
        text[len] = '\0';
        rv_sim_file_put(files, "f", text, len);
        for (i = 0; i < 3; i++)
            word[i] = "abcdefg"[rv_test_random(t) % 7];
        word[3] = '\0';
        wanted[0] = '\0';
        for (i = 1, at = matches = 0; at < len && matches <= 20; i++) {
            size_t line = strcspn(text + at, "\n");
            char shown[512];

            snprintf(shown, sizeof shown, "%.*s", (int)line, text + at);
            if (strstr(shown, word) && ++matches <= 20)
                sprintf(wanted + strlen(wanted), "f:%zu: %s\n", i, shown);
            at += line + 1;
        }
        snprintf(json, sizeof json, "{\"pattern\":\"%s\",\"limit\":20}", word);
        search(json);
        cr_assert_eq(strncmp(said, wanted, strlen(wanted)), 0, "%s", said);
        cr_assert_eq(said[strlen(wanted)], '[', "%s", said);
        cr_assert_eq(strstr(said, "there are more") != NULL, matches > 20, "%s", said);
    }
    free(text);
}

static void plant_much(void)
{
    char name[64];
    unsigned i;

    plant();
    put(".gitignore", "*.o\n");
    put("src/.gitignore", "*.py\n");
    for (i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "src/deep/f%u", i);
        put(name, "one\n");
    }
}

static void strike_each(bool frees)
{
    unsigned at, pass, canceled = 0;
    bool struck = true;

    rv_sim_file_latency_ms(files, 1);
    rv_sim_file_shorten(files, 4);
    plant_much();
    for (at = 0; struck; at++) {
        cr_assert_eq(try_start("{\"pattern\":\"one\",\"path\":\"src\",\"context\":1}"), 0);
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
    cr_assert_geq(canceled, 12, "%u", canceled);
}

SEARCH_TEST(canceled_at_each_step)
{
    strike_each(false);
}

SEARCH_TEST(freed_at_each_step)
{
    strike_each(true);
}

/* Each operation fails once: what cannot be read is left out, and nothing stays open. */
SEARCH_TEST(each_operation_fails)
{
    unsigned nth, verb, told = 0;

    plant_much();
    for (verb = 0; verb < RV_SIM_FILE_VERBS; verb++) {
        for (nth = 1; nth <= 30; nth++) {
            rv_sim_file_fail(files, (enum rv_sim_file_verb)verb, nth, EIO);
            search("{\"pattern\":\"one\"}");
            rv_sim_file_fail(files, (enum rv_sim_file_verb)verb, 0, EIO);
            cr_assert_eq(rv_sim_file_open(files), 0);
            told += strstr(said, "could not be read") != NULL;
        }
    }
    cr_assert_gt(told, 20, "%u", told);
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
    plant_much();
    reeve_batch_options_init(&batch_options);
    error = reeve_toolbox_new(runtime, &toolbox);
    if (!error)
        error = reeve_toolbox_add_files(toolbox, "/anywhere");
    if (!error)
        error = try_start("{\"pattern\":\"one\",\"path\":\"src\",\"context\":1}");
    if (!error) {
        go();
        if (status == REEVE_CALL_SUCCEEDED)
            cr_assert_not_null(strstr(said, "[10 matches in 10 files; "), "%s", said);
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

RV_TEST(search_files, memory, .timeout = 60)
{
    if (rv_pattern_supported())
        RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 60);
}
