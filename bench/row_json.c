/* SPDX-License-Identifier: MIT */
/*
 * json.parse and json.write: text to values of which one member is looked up, values to text. Each
 * on three documents: the arguments of a call (24 bytes), the data of a stream's event (230), and
 * a conversation of about 100 KB. CPU time; the best of the rounds.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "bench/documents.h"
#include "json/reader.h"
#include "json/writer.h"

enum { MOST_BYTES = 1 << 20, MESSAGES = 400 };

struct work {
    struct rv_mem *mem;
    const char *text;
    size_t len;
    bool quick;
    bool write;
    struct rv_json_reader *reader;
    const struct reeve_json *value;
    struct rv_buffer out;
    size_t seen; /* so that the work has an effect */
};

static void parse(void *arg, size_t count)
{
    struct work *work = arg;
    const struct reeve_json *value;

    while (count--) {
        rv_json_reader_reset(work->reader);
        bench_check(!rv_json_reader_parse(work->reader, work->text, work->len, &value), "parsing");
        work->seen += reeve_json_count(value);
    }
}

static void write_text(void *arg, size_t count)
{
    struct work *work = arg;
    struct rv_json_writer *writer;

    while (count--) {
        rv_buffer_clear(&work->out);
        bench_check(!rv_json_writer_new(&work->out, &writer), "making a writer");
        rv_json_value(writer, work->value);
        bench_check(!rv_json_writer_finish(writer), "writing");
        rv_json_writer_free(writer);
        work->seen += work->out.len;
    }
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    bench_check(!rv_mem_new(NULL, &work->mem), "memory");
    rv_buffer_init(&work->out, work->mem, MOST_BYTES);
    bench_check(!rv_json_reader_new(work->mem, NULL, &work->reader), "making a reader");
    bench_check(!rv_json_reader_parse(work->reader, work->text, work->len, &work->value),
                "parsing");
    bench_time(work->write ? write_text : parse, work, work->quick, figures);
    return work->seen ? 0 : 1;
}

/* A conversation as it stands in a request: what is parsed and written is mostly text. */
static char *conversation(void)
{
    char *text = malloc(MOST_BYTES);
    size_t at, i;

    bench_check(text, "memory");
    at = (size_t)sprintf(text, "{\"model\":\"gpt-4o-mini\",\"messages\":[");
    for (i = 0; i < MESSAGES; i++)
        at += (size_t)sprintf(text + at,
                              "%s{\"role\":\"%s\",\"content\":\"The %zu. message of a talk about "
                              "files: it has \\\"quotes\\\", a line end\\n, an umlaut \xC3\xBC and "
                              "then a few more words, so that it is as long as messages are.\","
                              "\"tokens\":%zu,\"cost\":0.125,\"pinned\":false}",
                              i ? "," : "", i % 2 ? "assistant" : "user", i, i * 7);
    strcpy(text + at, "]}");
    return text;
}

/* What is asked: of Python `share` times its speed, of the others nothing. */
static void play(const struct bench *bench, const struct bench_row *row, const char *text,
                 bool write, double share)
{
    const char *what = write ? "write" : "parse";
    char *path = bench_file(bench, "document.json", text, strlen(text));
    const char *quick = bench->quick ? "quick" : "full";
    const char *const yajl[] = {bench_program("peers/yajl-direct"), what, path, quick, NULL};
    const char *const python[] = {
        "/usr/bin/python3", bench_script("json-python.py"), what, path, quick, NULL};
    const char *const node[] = {"node", bench_script("json-node.mjs"), what, path, quick, NULL};
    struct work work = {.text = text, .len = strlen(text), .quick = bench->quick, .write = write};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_ours, .arg = &work},
        {.name = "yajl alone", .command = yajl},
        {.name = "python json", .command = python, .share = share},
        {.name = "node JSON", .command = node},
    };
    const struct bench_match match = {
        .sides = sides,
        .count = sizeof sides / sizeof *sides,
        .rounds = bench->quick ? 3 : 5,
        .limit_s = 30,
        .better = BENCH_LESS,
        .pick = BENCH_BEST,
    };
    struct bench_figures scores[BENCH_SIDES];

    bench_compare(bench, row, &match, scores);
    bench_aside(bench, row, "lone", "ns wall", BENCH_LESS, scores[0].value[1]);
    free(path);
}

static void parse_small(const struct bench *bench, const struct bench_row *row)
{
    play(bench, row, BENCH_ARGUMENTS, false, 3);
}

static void parse_chunk(const struct bench *bench, const struct bench_row *row)
{
    play(bench, row, BENCH_CHUNK, false, 3);
}

static void parse_large(const struct bench *bench, const struct bench_row *row)
{
    char *text = conversation();

    play(bench, row, text, false, 0);
    free(text);
}

static void write_small(const struct bench *bench, const struct bench_row *row)
{
    play(bench, row, BENCH_ARGUMENTS, true, 3);
}

static void write_chunk(const struct bench *bench, const struct bench_row *row)
{
    play(bench, row, BENCH_CHUNK, true, 3);
}

static void write_large(const struct bench *bench, const struct bench_row *row)
{
    char *text = conversation();

    play(bench, row, text, true, 0);
    free(text);
}

const struct bench_row bench_row_json_parse_small = {
    "json.parse.small", "ns CPU", "24 bytes, at least 3 times as fast as Python's json",
    parse_small};
const struct bench_row bench_row_json_parse_chunk = {
    "json.parse.chunk", "ns CPU", "230 bytes, at least 3 times as fast as Python's json",
    parse_chunk};
const struct bench_row bench_row_json_parse = {
    "json.parse", "ns CPU", "100 KB, beside others: nothing is asked", parse_large};
const struct bench_row bench_row_json_write_small = {
    "json.write.small", "ns CPU", "24 bytes, at least 3 times as fast as Python's json",
    write_small};
const struct bench_row bench_row_json_write_chunk = {
    "json.write.chunk", "ns CPU", "230 bytes, at least 3 times as fast as Python's json",
    write_chunk};
const struct bench_row bench_row_json_write = {
    "json.write", "ns CPU", "100 KB, beside others: nothing is asked", write_large};
