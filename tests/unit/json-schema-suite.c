/* SPDX-License-Identifier: MIT */
/*
 * The public test suite of JSON Schema (tests/data/json-schema), whole. A case is skipped only if
 * its schema needs what this library says it does not do; how many pass and are skipped is pinned.
 */
#include "tests/lib/test.h"
#include "json/copy.h"
#include "json/equal.h"
#include "json/schema.h"
#include "json/schema_fit.h"

#include "base/pattern.h"
#include "json/reader.h"
#include "json/value.h"

#include <dirent.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASSED = 996, SKIPPED = 81, FILE_BYTES = 1 << 18 };

struct tally {
    unsigned files;
    unsigned passed;
    unsigned skipped;
};

static bool is(const struct reeve_json *value, const char *text)
{
    const char *string = reeve_json_string(value, NULL);

    return string && !strcmp(string, text);
}

static bool starts(const struct reeve_json *value, const char *text)
{
    const char *string = reeve_json_string(value, NULL);

    return string && !strncmp(string, text, strlen(text));
}

/* What the schema needs and this library does not have; NULL: nothing. */
static const char *lacking(const struct reeve_json *schema, const struct reeve_json *member,
                           const char *key)
{
    static const char *const unknown[] = {"$dynamicRef", "$dynamicAnchor", "unevaluatedItems",
                                          "unevaluatedProperties"};
    size_t i;

    for (i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (!strcmp(key, unknown[i]))
            return unknown[i];
    if (!strcmp(key, "$ref") && reeve_json_string(member, NULL) && !starts(member, "#"))
        return "a $ref to another document";
    if (!strcmp(key, "$id") && reeve_json_string(member, NULL) &&
        reeve_json_get(schema, "$id") != member)
        return "an $id inside the document";
    if (!strcmp(key, "$schema") && !is(member, "https://json-schema.org/draft/2020-12/schema"))
        return "a $schema of another dialect";
    if ((!strcmp(key, "pattern") || !strcmp(key, "patternProperties")) && !rv_pattern_supported())
        return "a build with PCRE2";
    return NULL;
}

static const char *needs(const struct reeve_json *schema)
{
    const struct rv_json_member *member;
    const struct reeve_json *value = schema;
    const char *found = NULL;
    struct rv_json_walk walk;

    rv_json_walk_start(&walk);
    rv_json_walk_enter(&walk, schema);
    while (walk.depth && !found) {
        value = rv_json_walk_next(&walk, &member);
        if (!value) {
            rv_json_walk_leave(&walk);
            continue;
        }
        if (member)
            found = lacking(schema, value, member->key);
        rv_json_walk_enter(&walk, value);
    }
    return found;
}

/* Whether a value that is to be made fit comes out as another. */
static bool changes(struct rv_test *t, const struct rv_schema *schema,
                    const struct reeve_json *value)
{
    const struct reeve_json *copy;
    struct rv_json_reader *reader;
    struct rv_arena arena;
    unsigned repairs = 0;
    bool same;

    rv_arena_init(&arena, t->mem);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_copy(&arena, value, &copy), 0);
    cr_assert_eq(
        rv_schema_fit(schema, reader, &arena, (struct reeve_json *)(uintptr_t)copy, 4096, &repairs),
        0);
    same = rv_json_equal(value, copy, &(uint64_t){1000000});
    rv_json_reader_free(reader);
    rv_arena_done(&arena);
    return repairs || !same;
}

static void run_group(struct rv_test *t, const char *file, const struct reeve_json *group,
                      struct tally *tally)
{
    const struct reeve_json *source = reeve_json_get(group, "schema");
    const struct reeve_json *cases = reeve_json_get(group, "tests");
    const char *name = reeve_json_string(reeve_json_get(group, "description"), NULL);
    struct rv_schema_problem problem = {""};
    struct rv_schema_report report;
    struct rv_schema *schema;
    size_t i;
    int valid, fits;

    if (needs(source)) {
        tally->skipped += (unsigned)reeve_json_count(cases);
        return;
    }
    if (rv_schema_compile(t->mem, source, &schema, &problem)) {
        rv_test_fault(t, "%s: %s: %s", file, name, problem.text);
        return;
    }
    for (i = 0; i < reeve_json_count(cases); i++) {
        const struct reeve_json *one = reeve_json_at(cases, i);

        cr_assert_eq(reeve_json_bool(reeve_json_get(one, "valid"), &valid), 0);
        fits = rv_schema_check(schema, reeve_json_get(one, "data"), &report);
        if (valid && changes(t, schema, reeve_json_get(one, "data")))
            rv_test_fault(t, "%s: %s: what is valid was changed", file, name);
        if (fits == (valid ? 0 : REEVE_EINVAL) && strlen(report.text) == report.len &&
            (report.len > 0) == !valid)
            tally->passed++;
        else
            rv_test_fault(t, "%s: %s: %s: %d (%s)", file, name,
                          reeve_json_string(reeve_json_get(one, "description"), NULL), fits,
                          report.text);
    }
    rv_schema_free(schema);
}

static void run_file(struct rv_test *t, const char *folder, const char *name, struct tally *tally)
{
    char path[4096], *text = malloc(FILE_BYTES);
    const struct reeve_json *groups;
    struct rv_json_reader *reader;
    FILE *file;
    size_t len, i;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    cr_assert(file && text, "%s", path);
    len = fread(text, 1, FILE_BYTES, file);
    cr_assert(len > 0 && len < FILE_BYTES, "%s", path);
    fclose(file);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, text, len, &groups), 0, "%s: %s", path,
                 rv_json_reader_problem(reader)->text);
    for (i = 0; i < reeve_json_count(groups); i++)
        run_group(t, name, reeve_json_at(groups, i), tally);
    rv_json_reader_free(reader);
    free(text);
    tally->files++;
}

RV_TEST(schema_suite, every_case_passes_or_needs_what_there_is_not, .timeout = 60)
{
    const char *srcdir = getenv("srcdir");
    struct tally tally = {0};
    struct dirent *entry;
    char folder[2048];
    DIR *dir;

    snprintf(folder, sizeof folder, "%s/tests/data/json-schema/draft2020-12",
             srcdir ? srcdir : ".");
    dir = opendir(folder);
    cr_assert(dir, "%s", folder);
    while ((entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, ".json"))
            run_file(t, folder, entry->d_name, &tally);
    closedir(dir);
    fprintf(stderr, "%u files: %u cases passed, %u skipped\n", tally.files, tally.passed,
            tally.skipped);
    if (!rv_pattern_supported())
        rv_test_skip("without PCRE2 the counts are others");
    cr_assert_eq(tally.files, 46);
    cr_assert_eq(tally.passed, PASSED);
    cr_assert_eq(tally.skipped, SKIPPED);
}
