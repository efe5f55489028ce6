/* SPDX-License-Identifier: MIT */
/* read_file and list_directory as a model meets them: through a toolbox and a batch. */
#include "base/pattern.h"
#include "tests/integration/file-world.h"

#include <event2/event.h>
#include <fcntl.h>
#include <reeve/batch.h>
#include <reeve/tool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bench {
    struct world world;
    struct reeve_toolbox *toolbox;
    struct reeve_batch *batch; /* while it runs */
    size_t cap;                /* 0: the default */
    int done;
    int error;
    enum reeve_call_status status; /* of the first call */
    char *text;
    size_t len;
};

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, 0);
    struct bench *bench = arg;

    bench->done++;
    bench->error = error;
    bench->batch = NULL;
    bench->status = result->status;
    bench->len = result->len;
    free(bench->text);
    bench->text = malloc(result->len + 1);
    cr_assert_not_null(bench->text);
    memcpy(bench->text, result->text, result->len + 1);
}

static int start_call(struct bench *bench, const char *tool, const char *arguments)
{
    struct reeve_call call = {
        .id = "call_1",
        .name = tool,
        .arguments = arguments,
        .arguments_len = strlen(arguments),
    };
    struct reeve_batch_options options;

    reeve_batch_options_init(&options);
    if (bench->cap)
        options.max_output_bytes = bench->cap;
    options.on_done = on_done;
    options.arg = bench;
    bench->done = 0;
    return reeve_batch_run(bench->toolbox, &call, 1, &options, &bench->batch);
}

static void call(struct bench *bench, const char *tool, const char *arguments)
{
    cr_assert_eq(start_call(bench, tool, arguments), 0);
    run(&bench->world);
    cr_assert_eq(bench->done, 1);
    cr_assert_eq(bench->error, 0);
    cr_assert_leq(bench->len, bench->cap ? bench->cap : 256 * 1024);
}

static void bench_init(struct bench *bench, struct rv_test *t)
{
    memset(bench, 0, sizeof *bench);
    world_init(&bench->world, t);
    cr_assert_eq(reeve_toolbox_new(bench->world.runtime, &bench->toolbox), 0);
    cr_assert_eq(reeve_toolbox_add_files(bench->toolbox, bench->world.inside), 0, "%s",
                 reeve_toolbox_problem(bench->toolbox));
}

static void bench_done(struct bench *bench)
{
    reeve_toolbox_free(bench->toolbox);
    free(bench->text);
    world_done(&bench->world);
}

#define EXPECT(bench, tool, arguments, wanted_status, wanted_text)                                 \
    do {                                                                                           \
        call(bench, tool, arguments);                                                              \
        cr_assert_str_eq((bench)->text, wanted_text, "%s: %s", arguments, (bench)->text);          \
        cr_assert_eq((bench)->status, wanted_status, "%s: %s", arguments, (bench)->text);          \
    } while (0)

#define SAYS(bench, tool, arguments, text) EXPECT(bench, tool, arguments, REEVE_CALL_FAILED, text)
#define REFUSES(bench, tool, arguments, text)                                                      \
    EXPECT(bench, tool, arguments, REEVE_CALL_INVALID,                                             \
           "The arguments of " tool " are not what it takes: " text)
#define GIVES(bench, tool, arguments, text)                                                        \
    EXPECT(bench, tool, arguments, REEVE_CALL_SUCCEEDED, text)

RV_TEST(file_tools, definitions)
{
    const struct reeve_tool_definition *definitions;
    struct bench bench;
    size_t count;

    bench_init(&bench, t);
    definitions = reeve_toolbox_definitions(bench.toolbox, &count);
    cr_assert_eq(count, rv_pattern_supported() ? 6 : 5);
    cr_assert_str_eq(definitions[0].name, "read_file");
    cr_assert_str_eq(definitions[1].name, "list_directory");
    cr_assert_str_eq(definitions[2].name, "write_file");
    cr_assert_str_eq(definitions[3].name, "edit_file");
    cr_assert_str_eq(definitions[4].name, "find_files");
    if (rv_pattern_supported())
        cr_assert_str_eq(definitions[5].name, "search_files");
    cr_assert_eq(reeve_toolbox_add_files(bench.toolbox, bench.world.inside), REEVE_EEXIST);
    reeve_toolbox_definitions(bench.toolbox, &count);
    cr_assert_eq(count, rv_pattern_supported() ? 6 : 5);
    bench_done(&bench);
}

RV_TEST(file_tools, roots_that_cannot_be)
{
    struct bench bench;
    char path[128];

    bench_init(&bench, t);
    world_text(&bench.world, "file", "x");
    cr_assert_eq(reeve_toolbox_add_files(bench.toolbox, "/nothing/here"), REEVE_ENOTFOUND);
    cr_assert_str_eq(reeve_toolbox_problem(bench.toolbox),
                     "The root folder \"/nothing/here\": not found.");
    snprintf(path, sizeof path, "%s/file", bench.world.inside);
    cr_assert_eq(reeve_toolbox_add_files(bench.toolbox, path), REEVE_ENOTDIR);
    cr_assert_eq(reeve_toolbox_add_files(bench.toolbox, NULL), REEVE_EINVAL);
    bench_done(&bench);
}

RV_TEST(file_tools, reads)
{
    struct bench bench;
    char arguments[256];

    bench_init(&bench, t);
    world_folder(&bench.world, "sub");
    world_text(&bench.world, "sub/file.txt", "hello,\nworld\n");
    world_text(&bench.world, "empty", "");
    GIVES(&bench, "read_file", "{\"path\":\"sub/file.txt\"}", "hello,\nworld\n");
    GIVES(&bench, "read_file", "{\"path\":\"./sub/../sub//file.txt\",\"offset\":null}",
          "hello,\nworld\n");
    GIVES(&bench, "read_file", "{\"path\":\"empty\"}", "");
    GIVES(&bench, "read_file", "{\"path\":\"sub/file.txt\",\"offset\":7}", "world\n");
    GIVES(&bench, "read_file", "{\"path\":\"sub/file.txt\",\"offset\":7,\"limit\":3}", "wor");
    GIVES(&bench, "read_file", "{\"path\":\"sub/file.txt\",\"limit\":1}", "h");
    GIVES(&bench, "read_file",
          "{\"path\":\"sub/file.txt\",\"offset\":12,\"limit\":9223372036854775807}", "\n");
    GIVES(&bench, "read_file", "{\"path\":\"sub/file.txt\",\"offset\":2.0,\"limit\":2e0}", "ll");
    snprintf(arguments, sizeof arguments, "{\"path\":\"%s/sub/file.txt\"}", bench.world.inside);
    GIVES(&bench, "read_file", arguments, "hello,\nworld\n");
    bench_done(&bench);
}

RV_TEST(file_tools, arguments_that_are_wrong)
{
    struct bench bench;
    char *arguments;

    bench_init(&bench, t);
    world_text(&bench.world, "file", "0123456789");
    REFUSES(&bench, "read_file", "{}", "path: wanted a string (it is required), given nothing.");
    REFUSES(&bench, "read_file", "{\"path\":null}", "path: wanted a string, given null.");
    REFUSES(&bench, "read_file", "{\"path\":7}", "path: wanted a string, given the number 7.");
    REFUSES(&bench, "read_file", "{\"path\":[\"file\"]}",
            "path: wanted a string, given an array of 1 element.");
    SAYS(&bench, "read_file", "{\"path\":\"\"}",
         "\"path\" is empty: give the file's path as a string, relative to the root folder");
    SAYS(&bench, "list_directory", "{\"path\":\"\"}",
         "\"path\" is empty: give the directory's path as a string, relative to the root folder "
         "(\".\" for that folder itself)");
    SAYS(&bench, "read_file", "{\"path\":\"file\\u0000/../../etc/passwd\"}",
         "\"path\" has a NUL character in it, and no name of a file has one: give the path without "
         "it");
    REFUSES(&bench, "read_file", "{\"path\":\"file\",\"offset\":-1}",
            "offset: wanted 0 or more, given the number -1.");
    REFUSES(&bench, "read_file", "{\"path\":\"file\",\"offset\":1.5}",
            "offset: wanted an integer or null, given the number 1.5.");
    REFUSES(&bench, "read_file", "{\"path\":\"file\",\"offset\":\"two\"}",
            "offset: wanted an integer or null, given the string \"two\".");
    GIVES(&bench, "read_file", "{\"path\":\"file\",\"offset\":\"2\"}", "23456789");
    SAYS(&bench, "read_file", "{\"path\":\"file\",\"offset\":99999999999999999999}",
         "\"offset\" is 99999999999999999999: give a whole number of bytes, 0 or more, or leave it "
         "out");
    REFUSES(&bench, "read_file", "{\"path\":\"file\",\"limit\":0}",
            "limit: wanted 1 or more, given the number 0.");
    SAYS(&bench, "read_file", "{\"path\":\"file\",\"offset\":10}",
         "\"offset\" is 10, and \"file\" has only 10 bytes: give a smaller one");
    SAYS(&bench, "read_file", "{\"path\":\"file\",\"offset\":9223372036854775807}",
         "\"offset\" is 9223372036854775807, and \"file\" has only 10 bytes: give a smaller one");
    REFUSES(&bench, "list_directory", "{\"recursive\":\"yes\"}",
            "recursive: wanted true or false or null, given the string \"yes\".");

    arguments = malloc(6000);
    snprintf(arguments, 6000, "{\"path\":\"%0*d\"}", 5000, 0);
    SAYS(&bench, "read_file", arguments,
         "\"path\" is 5000 bytes long, and no path is longer than 4095: give a shorter one, "
         "relative to the root folder");
    free(arguments);
    bench_done(&bench);
}

RV_TEST(file_tools, paths_that_are_wrong)
{
    struct bench bench;
    char arguments[512];

    bench_init(&bench, t);
    world_folder(&bench.world, "src");
    world_text(&bench.world, "src/a.c", "x");
    world_fifo(&bench.world, "fifo");
    world_link(&bench.world, "round", "round");
    world_link(&bench.world, "/etc/passwd", "absolute");
    world_link(&bench.world, "../outside", "up");
    SAYS(&bench, "read_file", "{\"path\":\"src/b.c\"}",
         "\"src/b.c\" does not exist; \"src\" does: list_directory tells what is in it");
    SAYS(&bench, "read_file", "{\"path\":\"lib/b.c\"}",
         "\"lib/b.c\" does not exist in the root folder: list_directory tells what does");
    SAYS(&bench, "read_file", "{\"path\":\"src/a.c/b\"}",
         "\"src/a.c/b\" does not exist: a name in it that should be a directory is none");
    SAYS(&bench, "read_file", "{\"path\":\"src\"}", "\"src\" is a directory: use list_directory");
    SAYS(&bench, "read_file", "{\"path\":\"fifo\"}",
         "\"fifo\" is a FIFO, not a file that can be read");
    SAYS(&bench, "list_directory", "{\"path\":\"src/a.c\"}",
         "\"src/a.c\" is a file, not a directory: use read_file");
    SAYS(&bench, "list_directory", "{\"path\":\"fifo\"}", "\"fifo\" is a FIFO, not a directory");
    SAYS(&bench, "read_file", "{\"path\":\"../outside/x\"}",
         "\"../outside/x\" leaves the root folder, since its \"..\" leads above the root folder: "
         "use a path below it");
    SAYS(&bench, "read_file", "{\"path\":\"/etc/passwd\"}",
         "\"/etc/passwd\" leaves the root folder, since it is absolute and not below the root "
         "folder: use a path below it");
    SAYS(&bench, "read_file", "{\"path\":\"absolute\"}",
         "\"absolute\" leaves the root folder, since a symbolic link in it has an absolute target, "
         "and such links are not followed: use a path below it");
    SAYS(&bench, "list_directory", "{\"path\":\"up/\"}",
         "\"up/\" leaves the root folder, since a symbolic link in it leads above the root folder: "
         "use a path below it");
    SAYS(&bench, "read_file", "{\"path\":\"round\"}",
         "\"round\" leads through too many symbolic links, or one that may not be followed: use "
         "the path of what it stands for");
    SAYS(&bench, "read_file", "{\"path\":\"no\\nsuch\\u001b[2Jfile\\\\\"}",
         "\"no\\nsuch\\u001B[2Jfile\\\\\" does not exist in the root folder: list_directory tells "
         "what does");
    snprintf(arguments, sizeof arguments, "{\"path\":\"%0300d\"}", 0);
    call(&bench, "read_file", arguments);
    cr_assert_eq(bench.status, REEVE_CALL_FAILED);
    cr_assert(strstr(bench.text, "...\" is too long, or a name in it is"), "%s", bench.text);
    bench_done(&bench);
}

static void call_as_nobody(struct world *world)
{
    struct bench *bench = rv_container_of(world, struct bench, world);

    SAYS(bench, "read_file", "{\"path\":\"secret\"}",
         "\"secret\" may not be read: permission denied");
    GIVES(bench, "list_directory", "{\"recursive\":true}",
          "closed/\nsecret\t1\n[1 of the directories could not be read]\n");
    bench->cap = 256;
    call(bench, "list_directory", "{\"path\":\".\",\"recursive\":true}");
}

RV_TEST(file_tools, permission)
{
    struct bench bench;

    bench_init(&bench, t);
    world_text(&bench.world, "secret", "x");
    world_folder(&bench.world, "closed");
    cr_assert_eq(chmod(world_path(&bench.world, "secret"), 0), 0);
    cr_assert_eq(chmod(world_path(&bench.world, "closed"), 0), 0);
    as_nobody(call_as_nobody, &bench.world);
    bench_done(&bench);
}

RV_TEST(file_tools, what_is_not_utf8)
{
    struct bench bench;

    bench_init(&bench, t);
    world_text(&bench.world, "latin1", "caf\xE9 au lait \xFF\xFE");
    world_text(&bench.world, "utf8", "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z");
    world_write(&bench.world, "binary",
                "\x7F"
                "ELF\0\0\1",
                7);
    GIVES(&bench, "read_file", "{\"path\":\"latin1\"}",
          "caf\xEF\xBF\xBD au lait \xEF\xBF\xBD\xEF\xBF\xBD");
    SAYS(&bench, "read_file", "{\"path\":\"binary\"}",
         "\"binary\" is a binary file of 7 bytes (it has NUL bytes): its content is not text");
    /* A character that the end cuts is whole, one that the beginning cuts is not there. */
    GIVES(&bench, "read_file", "{\"path\":\"utf8\",\"limit\":2}", "a\xC3\xA4");
    GIVES(&bench, "read_file", "{\"path\":\"utf8\",\"offset\":2,\"limit\":2}", "\xE2\x82\xAC");
    GIVES(&bench, "read_file", "{\"path\":\"utf8\",\"offset\":4,\"limit\":2}", "");
    GIVES(&bench, "read_file", "{\"path\":\"utf8\",\"offset\":6,\"limit\":1}", "\xF0\x9F\x98\x80");
    GIVES(&bench, "read_file", "{\"path\":\"utf8\",\"offset\":7}", "z");
    GIVES(&bench, "read_file", "{\"path\":\"latin1\",\"offset\":3,\"limit\":1}", "\xEF\xBF\xBD");
    GIVES(&bench, "read_file", "{\"path\":\"latin1\",\"offset\":14}", "\xEF\xBF\xBD");
    bench_done(&bench);
}

/* Any two ranges that touch give together what one range over both gives. */
RV_TEST(file_tools, ranges_join, .timeout = 60)
{
    static const char text[] =
        "a\xC3\xA4\x80\xE2\x82\xAC\xE2\x82\xF0\x9F\x98\x80\xFF\xC3zy\xE2\x82\xAC";
    const size_t len = sizeof text - 1;
    char arguments[128], joined[256], *whole;
    struct bench bench;
    size_t size, at;

    bench_init(&bench, t);
    world_text(&bench.world, "text", text);
    call(&bench, "read_file", "{\"path\":\"text\"}");
    whole = strdup(bench.text);
    for (size = 1; size < len; size++) {
        joined[0] = '\0';
        for (at = 0; at < len; at += size) {
            snprintf(arguments, sizeof arguments,
                     "{\"path\":\"text\",\"offset\":%zu,\"limit\":%zu}", at, size);
            call(&bench, "read_file", arguments);
            cr_assert_eq(bench.status, REEVE_CALL_SUCCEEDED);
            strcat(joined, bench.text);
        }
        cr_assert_str_eq(joined, whole, "ranges of %zu: %s", size, joined);
    }
    free(whole);
    bench_done(&bench);
}

/* Follow the marker until all of the file has been seen. */
static void page_through(struct bench *bench, const char *name, const char *bytes, size_t len)
{
    char arguments[128], *marker, *seen = calloc(1, len * 3 + 1);
    unsigned long long gone, offset = 0;
    size_t at = 0, pages = 0;

    do {
        snprintf(arguments, sizeof arguments, "{\"path\":\"%s\",\"offset\":%llu}", name, offset);
        call(bench, "read_file", arguments);
        cr_assert_eq(bench->status, REEVE_CALL_SUCCEEDED);
        marker = strstr(bench->text, "\n[... ");
        if (!marker) {
            strcpy(seen + at, bench->text);
            break;
        }
        cr_assert_eq(sscanf(marker, "\n[... %llu bytes left out; read_file with offset %llu", &gone,
                            &offset),
                     2);
        memcpy(seen + at, bench->text, (size_t)(marker - bench->text));
        at += (size_t)(marker - bench->text);
        marker = strstr(marker, "...]\n") + 5;
        cr_assert_str_eq(marker, bytes + offset + gone);
    } while (pages++ < 1000);
    cr_assert_str_eq(seen, bytes);
    cr_assert_gt(pages, 0);
    free(seen);
}

RV_TEST(file_tools, longer_than_a_result, .timeout = 60)
{
    static const char *const parts[] = {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    struct bench bench;
    char *text = calloc(1, 40000);
    size_t len = 0;

    bench_init(&bench, t);
    while (len < 9000) {
        const char *part = parts[rv_test_random(t) % 4];

        strcpy(text + len, part);
        len += strlen(part);
    }
    world_write(&bench.world, "long", text, len);
    for (bench.cap = 256; bench.cap < 300; bench.cap += 4)
        page_through(&bench, "long", text, len);
    for (bench.cap = len - 10; bench.cap < len; bench.cap++)
        page_through(&bench, "long", text, len);
    bench.cap = len;
    GIVES(&bench, "read_file", "{\"path\":\"long\"}", text);
    free(text);
    bench_done(&bench);
}

/* Each byte takes up three: the cap holds, and what is told of the gap is told of the file. */
RV_TEST(file_tools, long_and_invalid)
{
    struct bench bench;
    char bytes[600];
    unsigned long long gone, offset;
    size_t shown;

    bench_init(&bench, t);
    memset(bytes, 0xFF, sizeof bytes);
    world_write(&bench.world, "invalid", bytes, sizeof bytes);
    bench.cap = 1000;
    call(&bench, "read_file", "{\"path\":\"invalid\"}");
    cr_assert_eq(bench.status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(sscanf(strstr(bench.text, "\n["),
                        "\n[... %llu bytes left out; read_file with offset %llu", &gone, &offset),
                 2);
    shown = bench.len - (size_t)(strstr(bench.text, "...]\n") + 5 - strstr(bench.text, "\n["));
    cr_assert_eq(shown % 3, 0);
    cr_assert_eq(shown / 3 + gone, sizeof bytes);
    cr_assert_eq(offset, (size_t)(strstr(bench.text, "\n[") - bench.text) / 3);
    cr_assert_gt(bench.len, 850);
    bench_done(&bench);
}

RV_TEST(file_tools, ten_gigabytes)
{
    const off_t size = (off_t)10 << 30;
    struct bench bench;
    int fd;

    bench_init(&bench, t);
    fd = open(world_path(&bench.world, "huge"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, size), 0);
    close(fd);
    call(&bench, "read_file", "{\"path\":\"huge\"}");
    cr_assert_str_eq(bench.text,
                     "\"huge\" is a binary file of 10737418240 bytes (it has NUL bytes): "
                     "its content is not text");
    bench_done(&bench);
}

RV_TEST(file_tools, proc)
{
    struct bench bench;

    bench_init(&bench, t);
    reeve_toolbox_free(bench.toolbox);
    cr_assert_eq(reeve_toolbox_new(bench.world.runtime, &bench.toolbox), 0);
    cr_assert_eq(reeve_toolbox_add_files(bench.toolbox, "/proc"), 0);
    bench.cap = 300;
    call(&bench, "read_file", "{\"path\":\"self/status\"}");
    cr_assert_eq(bench.status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(memcmp(bench.text, "Name:", 5), 0);
    cr_assert_not_null(
        strstr(bench.text, "\n[... there is more; read_file with offset 172 goes on"));
    call(&bench, "read_file", "{\"path\":\"self/status\",\"offset\":1,\"limit\":4}");
    cr_assert_str_eq(bench.text, "ame:");
    call(&bench, "read_file", "{\"path\":\"self/status\",\"offset\":100000}");
    cr_assert_eq(bench.status, REEVE_CALL_FAILED);
    call(&bench, "read_file", "{\"path\":\"self/exe\"}");
    cr_assert_eq(bench.status, REEVE_CALL_FAILED);
    bench_done(&bench);
}

RV_TEST(file_tools, lists)
{
    struct bench bench;

    bench_init(&bench, t);
    GIVES(&bench, "list_directory", "{}", "[the directory is empty]\n");
    world_folder(&bench.world, "b");
    world_folder(&bench.world, "b/empty");
    world_text(&bench.world, "b/c", "123");
    world_text(&bench.world, "a", "");
    world_fifo(&bench.world, "fifo");
    world_link(&bench.world, "/etc", "link");
    GIVES(&bench, "list_directory", "{}", "a\t0\nb/\nfifo?\nlink@\n");
    GIVES(&bench, "list_directory", "{\"path\":null,\"recursive\":null}",
          "a\t0\nb/\nfifo?\nlink@\n");
    GIVES(&bench, "list_directory", "{\"recursive\":true}",
          "a\t0\nb/\nb/c\t3\nb/empty/\nfifo?\nlink@\n");
    GIVES(&bench, "list_directory", "{\"path\":\"b\"}", "c\t3\nempty/\n");
    GIVES(&bench, "list_directory", "{\"path\":\"b/empty\",\"recursive\":true}",
          "[the directory is empty]\n");
    bench_done(&bench);
}

RV_TEST(file_tools, names_that_would_break_a_line)
{
    struct bench bench;

    bench_init(&bench, t);
    world_text(&bench.world, "a\nb\tc", "");
    world_text(&bench.world, "back\\slash", "");
    world_text(&bench.world, "caf\xC3\xA9", "");
    world_text(&bench.world, "escape\x1B[31m", "");
    world_text(&bench.world, "latin\xE9", "");
    world_text(&bench.world, "turn\xE2\x80\xAEgnp.exe", "");
    world_text(&bench.world, "zz\xC2\x9B", "");
    GIVES(&bench, "list_directory", "{}",
          "a\\nb\\tc\t0\nback\\\\slash\t0\ncaf\xC3\xA9\t0\nescape\\u001B[31m\t0\nlatin\\xE9\t0\n"
          "turn\\u202Egnp.exe\t0\nzz\\u009B\t0\n");
    bench_done(&bench);
}

RV_TEST(file_tools, a_list_longer_than_a_result)
{
    struct bench bench;
    char name[32], *line, *note;
    size_t i, lines, more;

    bench_init(&bench, t);
    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "entry-%02zu", i);
        world_text(&bench.world, name, "");
    }
    for (bench.cap = 256; bench.cap < 1100; bench.cap += 7) {
        call(&bench, "list_directory", "{}");
        cr_assert_eq(bench.status, REEVE_CALL_SUCCEEDED);
        line = bench.text;
        for (lines = 0; line[0] == 'e'; lines++) {
            snprintf(name, sizeof name, "entry-%02zu\t0\n", lines);
            cr_assert_eq(memcmp(line, name, strlen(name)), 0);
            line += strlen(name);
        }
        note = line;
        cr_assert_eq(sscanf(note, "[%zu more entries: list a directory further down]\n", &more), 1);
        cr_assert_eq(lines + more, 100);
        cr_assert_gt(bench.len, bench.cap - 100);
    }
    bench.cap = 1100;
    call(&bench, "list_directory", "{}");
    cr_assert_eq(bench.len, 1100);
    cr_assert_null(strchr(bench.text, '['));
    bench_done(&bench);
}

static void on_many_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *first = reeve_batch_result(batch, 0);
    const struct reeve_result *second = reeve_batch_result(batch, 1);

    cr_assert_eq(error, 0);
    cr_assert_eq(first->status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(second->status, REEVE_CALL_SUCCEEDED);
    *(bool *)arg = first->started_us < second->ended_us && second->started_us < first->ended_us;
}

RV_TEST(file_tools, calls_overlap_in_time)
{
    struct reeve_call calls[] = {
        {.id = "1", .name = "read_file", .arguments = "{\"path\":\"one\"}", .arguments_len = 14},
        {.id = "2", .name = "read_file", .arguments = "{\"path\":\"two\"}", .arguments_len = 14},
    };
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    struct bench bench;
    bool overlap = false;
    char *text = malloc(200000);

    memset(text, 'x', 200000);
    bench_init(&bench, t);
    world_write(&bench.world, "one", text, 200000);
    world_write(&bench.world, "two", text, 200000);
    reeve_batch_options_init(&options);
    options.on_done = on_many_done;
    options.arg = &overlap;
    cr_assert_eq(reeve_batch_run(bench.toolbox, calls, 2, &options, &batch), 0);
    run(&bench.world);
    cr_assert(overlap);
    free(text);
    bench_done(&bench);
}

/* Does something to a running call at a step of it. */
struct ending {
    struct bench *bench;
    unsigned at;
    unsigned done_at;
};

static void cancel_at(struct ticker *ticker)
{
    struct ending *ending = ticker->arg;

    ticker->stop = ending->bench->done;
    if (ticker->stop)
        ending->done_at = ticker->ticks;
    else if (ticker->ticks == ending->at)
        reeve_batch_cancel(ending->bench->batch);
}

static void leave_at(struct ticker *ticker)
{
    struct ending *ending = ticker->arg;

    ticker->stop = ending->bench->done || ticker->ticks == ending->at;
    if (ticker->stop)
        event_base_loopbreak(reeve_runtime_event_base(ticker->world->runtime));
}

static const char *const long_calls[][2] = {
    {"read_file", "{\"path\":\"big\"}"},
    {"list_directory", "{\"recursive\":true}"},
};

static void bench_fill(struct bench *bench)
{
    char name[32], *text = malloc(4000000);
    size_t i;

    cr_assert_not_null(text);
    memset(text, 'x', 4000000);
    world_write(&bench->world, "big", text, 4000000);
    free(text);
    for (i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "folder-%zu", i);
        world_folder(&bench->world, name);
    }
    bench->cap = 5000000;
}

/* A cancel does not wait for the work to be done. */
RV_TEST(file_tools, canceled_at_each_step, .timeout = 60)
{
    struct bench bench;
    struct ending ending = {.bench = &bench};
    struct ticker ticker;
    size_t i;

    bench_init(&bench, t);
    bench_fill(&bench);
    for (i = 0; i < 2; i++) {
        bench.status = REEVE_CALL_PENDING;
        for (ending.at = 1; bench.status != REEVE_CALL_SUCCEEDED; ending.at++) {
            cr_assert_eq(start_call(&bench, long_calls[i][0], long_calls[i][1]), 0);
            ticker_start(&ticker, &bench.world, cancel_at, &ending);
            run(&bench.world);
            cr_assert_eq(bench.done, 1);
            if (bench.status == REEVE_CALL_SUCCEEDED)
                continue;
            cr_assert_eq(bench.status, REEVE_CALL_CANCELED);
            cr_assert_leq(ending.done_at, ending.at + 6, "call %zu, step %u: done at step %u", i,
                          ending.at, ending.done_at);
        }
        cr_assert_gt(ending.at, 30);
    }
    bench_done(&bench);
}

/* The toolbox goes at each step of a call, and the runtime right after it. */
RV_TEST(file_tools, freed_at_each_step, .timeout = 60)
{
    struct bench bench;
    struct ending ending = {.bench = &bench};
    struct ticker ticker;
    size_t i, canceled;

    for (i = 0; i < 2; i++) {
        canceled = 0;
        for (ending.at = 1; ending.at < 40; ending.at += 3) {
            bench_init(&bench, t);
            bench_fill(&bench);
            cr_assert_eq(start_call(&bench, long_calls[i][0], long_calls[i][1]), 0);
            ticker_start(&ticker, &bench.world, leave_at, &ending);
            run(&bench.world);
            bench_done(&bench);
            cr_assert_eq(bench.done, 1);
            cr_assert(bench.error == REEVE_ECANCELED || !bench.error);
            canceled += bench.error != 0;
            /* A result that was settled before the end stays what it is. */
            cr_assert(bench.status == REEVE_CALL_SUCCEEDED ||
                      (bench.error && bench.status == REEVE_CALL_CANCELED));
        }
        cr_assert(i || canceled); /* leaving waits for the end of the slice */
    }
}

/* A tool and its arguments. */
static int call_scenario(struct rv_test *run_test, void *arg)
{
    const char *const *words = arg;
    struct bench bench = {0};
    int error = world_open(&bench.world, run_test);

    if (error)
        goto out;
    world_text(&bench.world, "file", "text \xFF");
    error = reeve_toolbox_new(bench.world.runtime, &bench.toolbox);
    if (!error)
        error = reeve_toolbox_add_files(bench.toolbox, bench.world.inside);
    if (!error)
        error = start_call(&bench, words[0], words[1]);
    if (error)
        goto out;
    run(&bench.world);
    cr_assert_eq(bench.done, 1);
    error = bench.error;
    /* A tool without memory fails its call, and the batch goes on. */
    if (!error && bench.status == REEVE_CALL_FAILED && strstr(bench.text, "out of memory"))
        error = REEVE_ENOMEM;
    cr_assert(error || bench.status == REEVE_CALL_SUCCEEDED, "%s", bench.text);
out:
    bench_done(&bench);
    return error;
}

RV_TEST(file_tools, out_of_memory, .timeout = 60)
{
    const char *read[] = {"read_file", "{\"path\":\"file\"}"};
    const char *list[] = {"list_directory", "{\"recursive\":true}"};

    RV_SWEEP_ALLOCATIONS(t, call_scenario, read, 20);
    RV_SWEEP_ALLOCATIONS(t, call_scenario, list, 20);
}
