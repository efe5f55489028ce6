/* SPDX-License-Identifier: MIT */
/*
 * schema.check: the arguments of a call, 300 bytes with six properties, parsed already, held
 * against the tool's schema. The peers: the same six checks written by hand in C over the same
 * values, and Python's jsonschema with its validator made beforehand. CPU time; the best of the
 * rounds.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>

#include "json/reader.h"
#include "json/schema.h"

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"path\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4096},"
    "\"query\":{\"type\":\"string\"},"
    "\"offset\":{\"type\":\"integer\",\"minimum\":0},"
    "\"mode\":{\"type\":\"string\",\"enum\":[\"text\",\"regex\",\"glob\"]},"
    "\"recursive\":{\"type\":\"boolean\"},"
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":16}"
    "},\"required\":[\"path\",\"query\"],\"additionalProperties\":false}";

static const char arguments_text[] =
    "{\"path\":\"src/tool/builtin/search_files.c\",\"query\":\"where is a write ordered before a "
    "read, and who "
    "waits for whom when a folder is listed while something below it is written, and by "
    "whom?\",\"offset\":1024,"
    "\"mode\":\"text\",\"recursive\":true,\"tags\":[\"hazards\",\"batch\",\"order\",\"claims\","
    "\"resources\",\"folders\"]}";

struct work {
    bool quick;
    const struct reeve_json *arguments;
    struct rv_schema *schema;
    size_t seen;
};

static void check(void *arg, size_t count)
{
    struct rv_schema_report report;
    struct work *work = arg;

    while (count--) {
        bench_check(!rv_schema_check(work->schema, work->arguments, &report), "the check");
        work->seen++;
    }
}

static bool is_string(const struct reeve_json *value, size_t least, size_t most)
{
    size_t len, i, points = 0;
    const char *text = reeve_json_string(value, &len);

    if (!text)
        return false;
    for (i = 0; i < len; i++)
        points += ((unsigned char)text[i] & 0xC0) != 0x80;
    return points >= least && points <= most;
}

static bool is_mode(const struct reeve_json *value)
{
    const char *text = reeve_json_string(value, NULL);

    return text && (!strcmp(text, "text") || !strcmp(text, "regex") || !strcmp(text, "glob"));
}

static bool is_tags(const struct reeve_json *value)
{
    size_t i, count = reeve_json_count(value);

    if (reeve_json_type(value) != REEVE_JSON_ARRAY || count > 16)
        return false;
    for (i = 0; i < count; i++)
        if (reeve_json_type(reeve_json_at(value, i)) != REEVE_JSON_STRING)
            return false;
    return true;
}

static bool fits_by_hand(const struct reeve_json *arguments)
{
    const size_t count = reeve_json_count(arguments);
    bool path = false, query = false;
    int64_t offset;
    size_t i;

    for (i = 0; i < count; i++) {
        const char *key = reeve_json_key_at(arguments, i, NULL);
        const struct reeve_json *value = reeve_json_at(arguments, i);
        bool fits;

        if (!strcmp(key, "path"))
            fits = path = is_string(value, 1, 4096);
        else if (!strcmp(key, "query"))
            fits = query = reeve_json_type(value) == REEVE_JSON_STRING;
        else if (!strcmp(key, "offset"))
            fits = !reeve_json_int64(value, &offset) && offset >= 0;
        else if (!strcmp(key, "mode"))
            fits = is_mode(value);
        else if (!strcmp(key, "recursive"))
            fits = reeve_json_type(value) == REEVE_JSON_BOOL;
        else if (!strcmp(key, "tags"))
            fits = is_tags(value);
        else
            return false;
        if (!fits)
            return false;
    }
    return path && query;
}

static void check_by_hand(void *arg, size_t count)
{
    struct work *work = arg;

    while (count--) {
        bench_check(fits_by_hand(work->arguments), "the check");
        work->seen++;
    }
}

/* The readers own what is compared; both live as long as the side's process. */
static void open_work(struct work *work)
{
    struct rv_json_reader *documents, *reader;
    const struct reeve_json *document;
    struct rv_mem *mem;

    bench_check(sizeof arguments_text - 1 == 300, "300 bytes of arguments");
    bench_check(!rv_mem_new(NULL, &mem) && !rv_json_reader_new(mem, NULL, &documents) &&
                    !rv_json_reader_new(mem, NULL, &reader),
                "readers");
    bench_check(!rv_json_reader_parse(documents, schema_text, strlen(schema_text), &document) &&
                    !rv_schema_compile(mem, document, &work->schema, NULL),
                "the schema");
    bench_check(
        !rv_json_reader_parse(reader, arguments_text, strlen(arguments_text), &work->arguments),
        "the arguments");
}

static int run_ours(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    open_work(work);
    bench_time(check, work, work->quick, figures);
    return work->seen ? 0 : 1;
}

static int run_by_hand(void *arg, struct bench_figures *figures)
{
    struct work *work = arg;

    open_work(work);
    bench_time(check_by_hand, work, work->quick, figures);
    return work->seen ? 0 : 1;
}

static void bench_schema(const struct bench *bench, const struct bench_row *row)
{
    char *schema = bench_file(bench, "schema.json", schema_text, strlen(schema_text));
    char *arguments = bench_file(bench, "arguments.json", arguments_text, strlen(arguments_text));
    const char *const python[] = {"python3", bench_script("schema-python.py"), schema,
                                  arguments, bench->quick ? "quick" : "full",  NULL};
    struct work work = {.quick = bench->quick};
    const struct bench_side sides[] = {
        {.name = "ours", .run = run_ours, .arg = &work},
        {.name = "by hand", .run = run_by_hand, .arg = &work},
        {.name = "python jsonschema", .command = python},
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
    bench_absolute(bench, row, BENCH_LESS, scores[0].value[0], 1000);
    bench_aside(bench, row, "lone", "ns wall", BENCH_LESS, scores[0].value[1]);
    free(schema);
    free(arguments);
}

const struct bench_row bench_row_schema_check = {
    "schema.check", "ns CPU", "six properties, 300 bytes: at most 1 us a check", bench_schema};
