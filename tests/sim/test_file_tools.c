/* SPDX-License-Identifier: MIT */
/* write_file and edit_file on simulated files: what they do, what they say, and what is left when
 * something comes between. */
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
static int done;
static enum reeve_call_status status;
static char *said;

static void begin(struct rv_test *t)
{
    set_up(t);
    files = rv_sim_files_of(runtime);
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

#define FILE_TEST(name, ...) RV_TEST(sim_file_tools, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

static void on_done(struct reeve_batch *ended, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(ended, 0);

    (void)error, (void)arg;
    done++;
    batch = NULL;
    status = result->status;
    free(said);
    said = strdup(result->text);
}

/* As JSON, without its quotes. */
static char *escaped(const char *text)
{
    char *out = malloc(strlen(text) * 6 + 1), *at = out;

    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
            at += sprintf(at, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            *at++ = *text;
    }
    *at = '\0';
    return out;
}

static void start_json(const char *tool, const char *json)
{
    struct reeve_call call = {
        .id = "1", .name = tool, .arguments = json, .arguments_len = strlen(json)};
    struct reeve_batch_options options;

    reeve_batch_options_init(&options);
    options.on_done = on_done;
    done = 0;
    cr_assert_eq(reeve_batch_run(toolbox, &call, 1, &options, &batch), 0);
}

static void go(void)
{
    while (rv_sim_pass(runtime))
        ;
}

static void start_edit(const char *path, const char *old_text, const char *new_text, bool all)
{
    char *old_json = escaped(old_text), *new_json = escaped(new_text);
    char *json = malloc(strlen(old_json) + strlen(new_json) + strlen(path) + 200);

    sprintf(json, "{\"path\":\"%s\",\"old_text\":\"%s\",\"new_text\":\"%s\",\"replace_all\":%s}",
            path, old_json, new_json, all ? "true" : "false");
    start_json("edit_file", json);
    free(json);
    free(old_json);
    free(new_json);
}

static void start_write(const char *path, const char *content)
{
    char *content_json = escaped(content), *json = malloc(strlen(content_json) + 300);

    sprintf(json, "{\"path\":\"%s\",\"content\":\"%s\"}", path, content_json);
    start_json("write_file", json);
    free(json);
    free(content_json);
}

static void expect(enum reeve_call_status wanted, const char *text)
{
    go();
    cr_assert_eq(done, 1);
    cr_assert_str_eq(said, text, "%s", said);
    cr_assert_eq(status, wanted, "%s", said);
}

static void put(const char *path, const char *text)
{
    rv_sim_file_put(files, path, text, strlen(text));
}

static void holds(const char *path, const char *text)
{
    const char *now = rv_sim_file_text(files, path, NULL);

    cr_assert_not_null(now, "%s is not there", path);
    cr_assert_str_eq(now, text, "%s: %s", path, now);
}

/* ---- write_file --------------------------------------------------------------------------------
 */

FILE_TEST(writes)
{
    start_write("a.txt", "one\ntwo\n");
    expect(REEVE_CALL_SUCCEEDED, "Created \"a.txt\" (8 bytes, 2 lines)");
    holds("a.txt", "one\ntwo\n");
    start_write("a.txt", "x");
    expect(REEVE_CALL_SUCCEEDED, "Replaced \"a.txt\" (1 byte, 1 line)");
    holds("a.txt", "x");
    start_write("a.txt", "");
    expect(REEVE_CALL_SUCCEEDED, "Replaced \"a.txt\" (0 bytes, 0 lines)");
    holds("a.txt", "");
    start_json("write_file", "{\"path\":\"nul\",\"content\":\"a\\u0000b\"}");
    expect(REEVE_CALL_SUCCEEDED, "Created \"nul\" (3 bytes, 1 line)");
}

FILE_TEST(writes_what_a_link_leads_to)
{
    put("real/file", "old");
    rv_sim_file_link(files, "link", "real/file");
    start_write("link", "new");
    expect(REEVE_CALL_SUCCEEDED, "Replaced \"link\" (3 bytes, 1 line)");
    holds("real/file", "new");
    cr_assert_eq(rv_sim_file_entries(files, "real"), 1);
    rv_sim_file_link(files, "dangling", "real/other");
    start_write("dangling", "x");
    expect(REEVE_CALL_SUCCEEDED, "Created \"dangling\" (1 byte, 1 line)");
    holds("real/other", "x");
}

FILE_TEST(makes_missing_folders)
{
    rv_sim_file_folder(files, "a");
    start_write("a/b/c/d.txt", "x");
    expect(REEVE_CALL_SUCCEEDED,
           "Created \"a/b/c/d.txt\" (1 byte, 1 line), and 2 directories for it");
    holds("a/b/c/d.txt", "x");
    start_write(".//n/./m//f", "x");
    expect(REEVE_CALL_SUCCEEDED,
           "Created \".//n/./m//f\" (1 byte, 1 line), and 2 directories for it");
    holds("n/m/f", "x");
    start_write("a/q/f", "x");
    expect(REEVE_CALL_SUCCEEDED, "Created \"a/q/f\" (1 byte, 1 line), and 1 directory for it");
}

FILE_TEST(refuses_to_write)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"new/../x", "\"new/../x\" was not written: its directory does not exist and could not be "
                     "made; use a path without \"..\" and without links that lead nowhere"},
        {"nowhere/x",
         "\"nowhere/x\" was not written: its directory does not exist and could not be "
         "made; use a path without \"..\" and without links that lead nowhere"},
        {"folder", "\"folder\" is a directory: give the path of a file"},
        {"folder/", "\"folder/\" is a directory: give the path of a file"},
        {"folder/.", "\"folder/.\" is a directory: give the path of a file"},
        {"fifo", "\"fifo\" is a FIFO, not a file that can be written"},
        {"file/x", "\"file/x\" does not exist: a name in it that should be a directory is none"},
    };
    size_t i, entries;

    put("file", "x");
    rv_sim_file_folder(files, "folder");
    rv_sim_file_fifo(files, "fifo");
    rv_sim_file_link(files, "nowhere", "nothing");
    entries = rv_sim_file_entries(files, ".");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_write(cases[i].path, "x");
        expect(REEVE_CALL_FAILED, cases[i].says);
        cr_assert_eq(rv_sim_file_entries(files, "."), entries, "%s", cases[i].path);
    }
    start_write("../x", "x");
    go();
    cr_assert_eq(status, REEVE_CALL_FAILED);
    cr_assert(strstr(said, "leaves the root folder"), "%s", said);
    start_json("write_file", "{\"path\":\"x\"}");
    expect(REEVE_CALL_INVALID,
           "The arguments of write_file are not what it takes: content: wanted a "
           "string (it is required), given nothing.");
    start_json("write_file", "{\"path\":\"x\",\"content\":7}");
    expect(REEVE_CALL_INVALID,
           "The arguments of write_file are not what it takes: content: wanted a "
           "string, given the number 7.");
}

FILE_TEST(no_space)
{
    put("file", "old");
    rv_sim_file_room(files, 5);
    start_write("file", "new bytes");
    expect(REEVE_CALL_FAILED, "\"file\" could not be written: No space left on device");
    holds("file", "old");
    cr_assert_eq(rv_sim_file_entries(files, "."), 1);
    start_edit("file", "old", "new bytes", false);
    expect(REEVE_CALL_FAILED, "\"file\" could not be written: No space left on device");
    holds("file", "old");
    cr_assert_eq(rv_sim_file_entries(files, "."), 1);
}

/* ---- edit_file ---------------------------------------------------------------------------------
 */

FILE_TEST(edits)
{
    static const struct {
        const char *before, *old_text, *new_text;
        bool all;
        const char *after, *says;
    } cases[] = {
        {"one\ntwo\nthree\n", "two", "2", false, "one\n2\nthree\n",
         "changed line 2.\nFrom line 1 on it reads now:\none\n2\nthree\n"},
        {"a\nb\nc\nd\ne\nf\ng\n", "d\n", "", false, "a\nb\nc\ne\nf\ng\n",
         "changed line 4.\nFrom line 2 on it reads now:\nb\nc\ne\nf\n"},
        {"a\nb\nc\n", "b\n", "x\ny\n", false, "a\nx\ny\nc\n",
         "line 2 became lines 2 to 3.\nFrom line 1 on it reads now:\na\nx\ny\nc\n"},
        {"a\nb\nc\nd\n", "a\nb\nc", "z", false, "z\nd\n",
         "lines 1 to 3 became line 1.\nFrom line 1 on it reads now:\nz\nd\n"},
        {"a\nb\nc", "a\nb", "x\ny", false, "x\ny\nc",
         "lines 1 to 2 became lines 1 to 2.\nFrom line 1 on it reads now:\nx\ny\nc\n"},
        {"aaaa", "aa", "b", true, "bb",
         "replaced 2 occurrences, at lines 1 and 1.\nFrom line 1 on it reads now:\nbb\n"},
        {"a,b,c\n,\n", ",", "--", true, "a--b--c\n--\n",
         "replaced 3 occurrences, at lines 1, 1 and 2.\nFrom line 1 on it reads "
         "now:\na--b--c\n--\n"},
        {"x", "x", "", false, "", "changed line 1.\n"},
        {"x\r\ny\r\n", "x\r\ny", "z", false, "z\r\n",
         "lines 1 to 2 became line 1.\nFrom line 1 on it reads now:\nz\r\n"},
        {"abababac", "ababac", "!", false, "ab!",
         "changed line 1.\nFrom line 1 on it reads now:\nab!\n"},
    };
    char wanted[512];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("f", cases[i].before);
        start_edit("f", cases[i].old_text, cases[i].new_text, cases[i].all);
        go();
        holds("f", cases[i].after);
        snprintf(wanted, sizeof wanted, "Edited \"f\": %s", cases[i].says);
        expect(REEVE_CALL_SUCCEEDED, wanted);
        cr_assert_eq(rv_sim_file_entries(files, "."), 1);
    }
}

FILE_TEST(near_matches)
{
    static const struct {
        const char *file, *old_text, *says;
    } cases[] = {
        {"int f(void)\n{\n\treturn 1;\n}\n", "{\n    return 1;\n}",
         "What stands in lines 2 to 4 differs from it only in white space; give it as it stands "
         "there:\n{\n\treturn 1;\n}\n"},
        {"a\n  b = 1;\nc\n", "b=1;\n",
         "What stands in line 2 differs from it only in white space; give it as it stands there:\n"
         "  b = 1;\n"},
        {"one\r\ntwo\r\nthree\r\n", "two\nthree\n",
         "What stands in lines 2 to 3 differs from it only in the ends of the lines, which are "
         "\\r\\n in one and \\n in the other; give them as they stand there:\ntwo\r\nthree\r\n"},
        {"one\ntwo\nthree\n", "one\r\ntwo\r\n",
         "What stands in lines 1 to 2 differs from it only in the ends of the lines, which are "
         "\\r\\n in one and \\n in the other; give them as they stand there:\none\ntwo\n"},
        {"first\nalpha one\nbeta two\ngamma three\nlast\n", "alpha one\nbeta 2\ngamma three\n",
         "Nearest to it comes what stands in lines 2 to 4, where 2 of its 3 lines stand:\n"
         "alpha one\nbeta two\ngamma three\n"},
        {"beta two\ngamma three\n", "alpha one\ngamma three\n",
         "Nearest to it comes what stands in lines 1 to 2, where 1 of its 2 lines stands:\n"
         "beta two\ngamma three\n"},
        {"x = compute(a, b);\ny = compute_all(a, b, c);\nz\n", "y = compute_all(a, b, d);",
         "Most like it is line 2:\ny = compute_all(a, b, c);\n"},
        {"nothing of the kind\n", "QQQQWWWW",
         "Nothing in the file is like it: read the file again.\n"},
        {"text\n", "\n\n\n", "Nothing in the file is like it: read the file again.\n"},
        {"", "x", "The file is empty: use write_file.\n"},
        {"}\n}\n}\n", "}\nmissing words\n}\n",
         "Nothing in the file is like it: read the file again.\n"},
        {"\xC3\xA4\xC3\xB6 = 1\n", "\xC3\xA4\xC3\xB6  =  1",
         "What stands in line 1 differs from it only in white space; give it as it stands there:\n"
         "\xC3\xA4\xC3\xB6 = 1\n"},
    };
    char wanted[512];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("f", cases[i].file);
        start_edit("f", cases[i].old_text, "new", false);
        snprintf(wanted, sizeof wanted, "\"old_text\" does not stand in \"f\". %s", cases[i].says);
        expect(REEVE_CALL_FAILED, wanted);
        holds("f", cases[i].file);
    }
}

FILE_TEST(many_matches)
{
    put("f", "a\nb a\n\na\n");
    start_edit("f", "a", "x", false);
    expect(
        REEVE_CALL_FAILED,
        "\"old_text\" stands 3 times in \"f\", at lines 1, 2 and 4: give more of the text around "
        "the one that is meant, or set \"replace_all\" to true");
    put("f", "a\na\na\na\na\na\na\na\na\na\na\na\n");
    start_edit("f", "a\n", "x", false);
    expect(REEVE_CALL_FAILED,
           "\"old_text\" stands 12 times in \"f\", at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 "
           "more: give more of the text around the one that is meant, or set \"replace_all\" to "
           "true");
    holds("f", "a\na\na\na\na\na\na\na\na\na\na\na\n");
}

FILE_TEST(refuses_to_edit)
{
    static char nul[] = "one\ntwo\0x";

    put("f", "text");
    start_edit("f", "", "x", false);
    expect(REEVE_CALL_FAILED,
           "\"old_text\" is empty: give the text that is to be replaced, as it stands in the file; "
           "to write a whole file use write_file");
    start_edit("f", "text", "text", false);
    expect(REEVE_CALL_FAILED, "\"old_text\" and \"new_text\" are the same: nothing would change");
    start_json("edit_file", "{\"path\":\"f\",\"old_text\":\"a\"}");
    expect(REEVE_CALL_INVALID,
           "The arguments of edit_file are not what it takes: new_text: wanted a "
           "string (it is required), given nothing.");
    start_edit("none", "a", "b", false);
    expect(REEVE_CALL_FAILED,
           "\"none\" does not exist in the root folder: list_directory tells what does");
    rv_sim_file_put(files, "nul", nul, sizeof nul - 1);
    start_edit("nul", "one", "x", false);
    expect(REEVE_CALL_FAILED, "\"nul\" is no text that can be edited: line 2 has a NUL byte");
    put("latin", "one\n\ncaf\xE9 x\n");
    start_edit("latin", "one", "x", false);
    expect(REEVE_CALL_FAILED,
           "\"latin\" is no text that can be edited: line 3 has bytes that are not UTF-8");
    put("cut", "one \xC3");
    start_edit("cut", "one", "x", false);
    expect(REEVE_CALL_FAILED,
           "\"cut\" is no text that can be edited: line 1 has bytes that are not UTF-8");
}

/* ---- sizes -------------------------------------------------------------------------------------
 */

enum { CAP = 8 * 1024 * 1024 };

FILE_TEST(as_large_as_may_be, .timeout = 60)
{
    char *text = malloc(CAP + 2);

    memset(text, 'x', CAP + 1);
    memcpy(text + CAP - 4, "\nend", 4);
    text[CAP + 1] = '\0';
    rv_sim_file_put(files, "f", text, CAP);
    start_edit("f", "\nend", "\nEND", false);
    go();
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
    cr_assert_str_eq(rv_sim_file_text(files, "f", NULL) + CAP - 4, "\nEND");
    start_edit("f", "\nEND", "\nthe end", false);
    expect(
        REEVE_CALL_FAILED,
        "\"f\" would be 8388612 bytes long, and only files of up to 8388608 bytes can be edited");
    rv_sim_file_put(files, "f", text, CAP + 1);
    start_edit("f", "\nend", "\nEND", false);
    expect(REEVE_CALL_FAILED,
           "\"f\" is 8388609 bytes long, and only files of up to 8388608 bytes can be edited");
    memset(text, 'x', 200000);
    rv_sim_file_put(files, "f", text, 200000);
    start_edit("f", "xx", "y", true);
    go();
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
    cr_assert_eq(strlen(rv_sim_file_text(files, "f", NULL)), 100000);
    start_edit("f", "y", "z", true);
    go();
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
    rv_sim_file_put(files, "f", text, 100001);
    start_edit("f", "x", "y", true);
    expect(REEVE_CALL_FAILED,
           "\"old_text\" stands 100001 times in \"f\", at lines 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 and "
           "99991 more: no more than 100000 can be replaced at once");
    free(text);
}

/* What stands over the edges of slices and pieces, against one straight way to do it. */
FILE_TEST(random_edits, .timeout = 60)
{
    size_t runs, len, i, count, out_len;
    char *text = malloc(200001), *out = malloc(600001), *at, old_text[8], new_text[8];

    for (runs = 0; runs < 150; runs++) {
        len = 1 + rv_test_random(t) % (runs % 3 ? 300 : 200000);
        for (i = 0; i < len; i++)
            text[i] = "ab\n"[rv_test_random(t) % 3];
        text[len] = '\0';
        for (i = 0; i < 7; i++)
            old_text[i] = "ab\n"[rv_test_random(t) % 3];
        old_text[1 + rv_test_random(t) % 7] = '\0';
        snprintf(new_text, sizeof new_text, "%.*s", (int)(rv_test_random(t) % 7), "cdefgh");
        at = text;
        for (count = out_len = 0; *at;) {
            if (!strncmp(at, old_text, strlen(old_text))) {
                count++;
                at += strlen(old_text);
                out_len += (size_t)sprintf(out + out_len, "%s", new_text);
            } else {
                out[out_len++] = *at++;
            }
        }
        out[out_len] = '\0';
        rv_sim_file_put(files, "f", text, len);
        start_edit("f", old_text, new_text, true);
        go();
        cr_assert_eq(status == REEVE_CALL_SUCCEEDED, count != 0, "%s", said);
        holds("f", out);
        rv_sim_file_put(files, "f", text, len);
        start_edit("f", old_text, new_text, false);
        go();
        cr_assert_eq(status == REEVE_CALL_SUCCEEDED, count == 1, "%s", said);
        holds("f", count == 1 ? out : text);
    }
    free(text);
    free(out);
}

/* ---- what comes between ------------------------------------------------------------------------
 */

/* Somebody else writes when so many passes have gone by. */
static bool edit_and_meddle(unsigned at, bool *ret_renaming)
{
    uint64_t renames = rv_sim_file_count(files, RV_SIM_FILE_RENAME);
    unsigned pass = 0;

    put("f", "the old words");
    start_edit("f", "old", "new", false);
    while (rv_sim_pass(runtime)) {
        if (++pass != at)
            continue;
        put("f", "their old words");
        *ret_renaming = !done && rv_sim_file_count(files, RV_SIM_FILE_RENAME) > renames;
    }
    return pass >= at;
}

FILE_TEST(changed_meanwhile)
{
    unsigned at, refused = 0, unseen = 0;
    bool renaming = false;

    rv_sim_file_shorten(files, 4);
    rv_sim_file_latency_ms(files, 1);
    for (at = 1; edit_and_meddle(at, &renaming); at++) {
        const char *now = rv_sim_file_text(files, "f", NULL);

        cr_assert_eq(done, 1);
        if (status == REEVE_CALL_SUCCEEDED && renaming) {
            unseen++; /* after the last look */
            cr_assert_str_eq(now, "the new words");
            continue;
        }
        if (status == REEVE_CALL_SUCCEEDED) {
            /* They came before it was opened, or after it had been renamed. */
            cr_assert(!strcmp(now, "their new words") || !strcmp(now, "their old words"), "%s",
                      now);
            continue;
        }
        refused++;
        cr_assert_str_eq(said, "\"f\" was changed by somebody else while it was being edited, and "
                               "is as they left it: read it again");
        cr_assert_str_eq(now, "their old words");
        cr_assert_eq(rv_sim_file_entries(files, "."), 1);
    }
    fprintf(stderr, "changed at %u moments, %u refused\n", at - 1, refused);
    cr_assert_geq(refused, 8);
    cr_assert_leq(unseen, 1);
}

FILE_TEST(removed_meanwhile)
{
    put("f", "old");
    rv_sim_file_latency_ms(files, 10);
    /* Open, read, read, place, create, write, look. */
    start_edit("f", "old", "new", false);
    while (!rv_sim_file_count(files, RV_SIM_FILE_WRITE))
        cr_assert(rv_sim_pass(runtime));
    rv_sim_file_fail(files, RV_SIM_FILE_OPEN, 1, ENOENT);
    go();
    cr_assert(strstr(said, "was changed by somebody else"), "%s", said);
    cr_assert_eq(rv_sim_file_entries(files, "."), 1);
}

/* Each operation fails once: what was there stays, or what is to be stands whole. */
static void fail_each(void (*start)(void), const char *before, const char *after, unsigned least)
{
    unsigned failures = 0, verb, nth;

    rv_sim_file_shorten(files, 4);
    for (verb = 0; verb < RV_SIM_FILE_VERBS; verb++) {
        for (nth = 1; nth <= 20; nth++) {
            put("f", before);
            rv_sim_file_fail(files, (enum rv_sim_file_verb)verb, nth, EIO);
            start();
            go();
            cr_assert_eq(done, 1);
            rv_sim_file_fail(files, (enum rv_sim_file_verb)verb, 0, EIO);
            cr_assert_eq(rv_sim_file_entries(files, "."), 1);
            holds("f", status == REEVE_CALL_SUCCEEDED ? after : before);
            if (status == REEVE_CALL_SUCCEEDED)
                break;
            failures++;
            cr_assert(strstr(said, "Input/output error"), "%s", said);
        }
    }
    fprintf(stderr, "%u failures\n", failures);
    cr_assert_geq(failures, least);
}

static void start_an_edit(void)
{
    start_edit("f", "old", "new", false);
}

static void start_a_write(void)
{
    start_write("f", "the new words");
}

FILE_TEST(each_operation_fails)
{
    fail_each(start_an_edit, "the old words", "the new words", 10);
    fail_each(start_a_write, "the old words", "the new words", 6);
}

/* Canceled after each pass. */
static void cancel_each(void (*start)(void), bool frees)
{
    unsigned at, pass, canceled = 0;
    bool struck = true;

    rv_sim_file_shorten(files, 4);
    rv_sim_file_latency_ms(files, 1);
    for (at = 0; struck; at++) {
        put("f", "the old words");
        start();
        struck = false;
        for (pass = 0; pass < at && rv_sim_pass(runtime); pass++)
            ;
        struck = !done;
        if (struck && frees)
            reeve_toolbox_free(toolbox);
        else if (struck)
            reeve_batch_cancel(batch);
        go();
        cr_assert_eq(done, 1);
        if (struck && frees) {
            cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
            cr_assert_eq(reeve_toolbox_add_files(toolbox, "/anywhere"), 0);
        }
        canceled += status == REEVE_CALL_CANCELED;
        cr_assert_eq(rv_sim_file_open(files), 0);
        cr_assert_eq(rv_sim_file_entries(files, "."), 1, "something is left over");
        if (status != REEVE_CALL_CANCELED)
            holds("f", "the new words");
        else
            cr_assert(!strcmp(rv_sim_file_text(files, "f", NULL), "the old words") ||
                      !strcmp(rv_sim_file_text(files, "f", NULL), "the new words"));
    }
    fprintf(stderr, "canceled at %u steps\n", canceled);
    cr_assert_geq(canceled, 8);
}

FILE_TEST(canceled_at_each_step)
{
    cancel_each(start_an_edit, false);
    cancel_each(start_a_write, false);
}

FILE_TEST(freed_at_each_step)
{
    cancel_each(start_an_edit, true);
    cancel_each(start_a_write, true);
}

FILE_TEST(canceled_while_looking_for_what_is_near)
{
    char *text = malloc(1000001);
    unsigned at, canceled = 0;

    memset(text, 'a', 1000000);
    text[1000000] = '\0';
    for (at = 0; at < 1000000; at += 50)
        text[at] = '\n';
    put("f", text);
    rv_sim_set_reading_cost_ns(runtime, 1000000); /* one task a pass */
    for (at = 0; at < 200; at += 7) {
        start_edit("f", "baaaaaaaaa aaaaaaa", "x", false);
        for (unsigned pass = 0; pass < at && rv_sim_pass(runtime); pass++)
            ;
        if (!done)
            reeve_batch_cancel(batch);
        go();
        cr_assert_eq(done, 1);
        canceled += status == REEVE_CALL_CANCELED;
    }
    cr_assert_gt(canceled, 10);
    free(text);
}
