/* SPDX-License-Identifier: MIT */
/* Schemas: what is refused when they are compiled, and what is said of a value that does not fit.
 */
#include "tests/lib/test.h"
#include "json/schema.h"

#include "base/pattern.h"
#include "base/utf8.h"
#include "json/reader.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rv_json_reader *read_json(struct rv_test *t, const char *text, size_t len,
                                        const struct reeve_json **ret_value)
{
    struct rv_json_reader *reader;

    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, text, len, ret_value), 0, "%.200s: %s", text,
                 rv_json_reader_problem(reader)->text);
    return reader;
}

static struct rv_schema *compiled(struct rv_test *t, const char *text)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader = read_json(t, text, strlen(text), &value);
    struct rv_schema_problem problem = {""};
    struct rv_schema *schema = NULL;

    cr_assert_eq(rv_schema_compile(t->mem, value, &schema, &problem), 0, "%.200s: %s", text,
                 problem.text);
    rv_json_reader_free(reader); /* what was compiled stands alone */
    return schema;
}

static int check(struct rv_test *t, const struct rv_schema *schema, const char *text,
                 struct rv_schema_report *report)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader = read_json(t, text, strlen(text), &value);
    int error = rv_schema_check(schema, value, report);

    rv_json_reader_free(reader);
    cr_assert_eq(strlen(report->text), report->len);
    cr_assert(rv_utf8_valid(report->text, report->len));
    return error;
}

static void says(struct rv_test *t, const char *schema_text, const char *value, const char *wanted)
{
    struct rv_schema *schema = compiled(t, schema_text);
    struct rv_schema_report report;
    int error = check(t, schema, value, &report);

    cr_assert_str_eq(report.text, wanted, "%s for %s:\n%s\n%s", schema_text, value, report.text,
                     wanted);
    cr_assert_eq(error, *wanted ? REEVE_EINVAL : 0);
    rv_schema_free(schema);
}

static void refuses(struct rv_test *t, const char *text, int error, const char *wanted)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader = read_json(t, text, strlen(text), &value);
    struct rv_schema_problem problem = {""};
    struct rv_schema *schema = NULL;

    cr_assert_eq(rv_schema_compile(t->mem, value, &schema, &problem), error, "%.200s", text);
    cr_assert_str_eq(problem.text, wanted);
    cr_assert_eq(rv_schema_compile(t->mem, value, &schema, NULL), error);
    cr_assert_null(schema);
    rv_json_reader_free(reader);
}

#define LIST                                                                                       \
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"       \
    "\"string\"}}}}"
#define FILES "{\"type\":\"object\",\"properties\":{\"files\":" LIST "}}"

RV_TEST(schema, says_path_wanted_and_given)
{
    says(t, FILES, "{\"files\":[{\"name\":\"a\"}]}", "");
    says(t, FILES, "{\"files\":[{},{},{\"name\":5}]}",
         "files[2].name: wanted a string, given the number 5");
    says(t, FILES, "7", "the value itself: wanted an object, given the number 7");
    says(t, "{\"type\":[\"integer\",\"null\",\"boolean\"]}", "\"5\"",
         "the value itself: wanted an integer, true or false or null, given the string \"5\"");
    says(t, "{\"properties\":{\"a b\":{\"type\":\"null\"}}}", "{\"a b\":true}",
         "[\"a b\"]: wanted null, given true");
    says(t, "{\"items\":{\"items\":false}}", "[[],[[1,2]]]",
         "[1][0]: wanted nothing, given an array of 2 elements");
}

RV_TEST(schema, says_what_is_missing_and_what_is_too_much)
{
    static const char read_file[] =
        "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"offset\":{\"type\":"
        "\"integer\",\"minimum\":0}},\"required\":[\"path\"],\"additionalProperties\":false}";

    says(t, read_file, "{\"path\":\"a\",\"offset\":3.0}", "");
    says(t, read_file, "{\"offset\":0}", "path: wanted a string (it is required), given nothing");
    says(t, read_file, "{\"path\":\"a\",\"ofset\":0}",
         "ofset: wanted no such property (there are \"path\", \"offset\"), given the number 0");
    says(t, read_file, "{\"offset\":-1,\"path\":null}",
         "offset: wanted 0 or more, given the number -1; path: wanted a string, given null");
    says(t, "{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"a\":1,\"b\":1}",
         "c: wanted a value (it is required beside \"a\"), given nothing");
    says(t, "{\"propertyNames\":{\"maxLength\":2}}", "{\"abc\":1}",
         "the value itself: wanted another name than \"abc\", one of at most 2 characters, given "
         "the number 1");
}

RV_TEST(schema, says_which_bound_does_not_hold)
{
    says(t, "{\"maximum\":9007199254740993}", "9007199254740994",
         "the value itself: wanted 9007199254740993 or less, given the number 9007199254740994");
    says(t, "{\"exclusiveMinimum\":1}", "1.0",
         "the value itself: wanted more than 1, given the number 1.0");
    says(t, "{\"minimum\":1,\"exclusiveMinimum\":true}", "1",
         "the value itself: wanted more than 1, given the number 1");
    says(t, "{\"exclusiveMaximum\":1e2}", "100",
         "the value itself: wanted less than 1e2, given the number 100");
    says(t, "{\"multipleOf\":0.01}", "0.075",
         "the value itself: wanted a multiple of 0.01, given the number 0.075");
    says(t, "{\"multipleOf\":0.01}", "1234567890123456789012345678901234567890.01", "");
    says(t, "{\"minLength\":2}", "\"\xF0\x9F\x98\x80\"",
         "the value itself: wanted at least 2 characters (this has 1), given the string "
         "\"\xF0\x9F\x98\x80\"");
    says(t, "{\"maxLength\":1}", "\"ab\"",
         "the value itself: wanted at most 1 character (this has 2), given the string \"ab\"");
    says(t, "{\"minItems\":1}", "[]",
         "the value itself: wanted at least 1 element, given an array of 0 elements");
    says(t, "{\"maxProperties\":0}", "{\"a\":1}",
         "the value itself: wanted at most 0 members, given an object of 1 member");
    says(t, "{\"uniqueItems\":true}", "[1,2,1.0]",
         "the value itself: wanted elements that all differ (0 and 2 are the same), given an array "
         "of 3 elements");
    says(t, "{\"contains\":{\"const\":1}}", "[2]",
         "the value itself: wanted at least 1 element (there are 0) that is 1, given an array of 1 "
         "element");
}

RV_TEST(schema, says_what_may_stand_there)
{
    says(t, "{\"enum\":[\"a\",2,null]}", "\"b\"",
         "the value itself: wanted one of \"a\", 2, null, given the string \"b\"");
    says(t, "{\"const\":true}", "false", "the value itself: wanted true, given false");
    says(t,
         "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/n\"}],\"$defs\":{\"n\":{\"type\":"
         "\"null\"}}}",
         "1", "the value itself: wanted a string, or null, given the number 1");
    says(t, "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"required\":[\"a\"]}]}", "{}",
         "a: wanted a value (it is required), given nothing");
    says(t, "{\"oneOf\":[{\"minimum\":1},{\"maximum\":5}]}", "3",
         "the value itself: wanted what fits exactly one of 2 alternatives (this fits number 1 and "
         "number 2), given the number 3");
    says(t, "{\"not\":{\"type\":\"string\"}}", "\"\"",
         "the value itself: wanted anything but a string, given the string \"\"");
    says(t, "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]}}", "{\"a\":1}",
         "b: wanted a value (it is required), given nothing");
    says(t, "{\"type\":\"string\",\"nullable\":true}", "null", "");
    says(t, "{\"items\":[{\"type\":\"string\"}],\"additionalItems\":{\"type\":\"null\"}}",
         "[\"\",1]", "[1]: wanted null, given the number 1");
}

RV_TEST(schema, shows_strings_so_that_they_can_be_seen)
{
    says(t, "{\"type\":\"null\"}", "\"a\\u001b[2J\\n\\\"\\u202e\\u009b\"",
         "the value itself: wanted null, given the string \"a\\u001B[2J\\n\\\"\\u202E\\u009B\"");
    says(t, "{\"type\":\"null\"}",
         "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee\xC3\xA4\xC3\xA4\"",
         "the value itself: wanted null, given the string "
         "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee...\"");
}

RV_TEST(schema, tells_the_first_faults_in_little_room)
{
    enum { ELEMENTS = 500 };
    char *text = malloc(ELEMENTS * 400), *end = text;
    struct rv_schema *schema = compiled(
        t, "{\"additionalProperties\":{\"type\":[\"null\",\"array\",\"boolean\",\"object\"]}}");
    struct rv_schema_report report;
    int i, j;

    cr_assert_not_null(text);
    for (i = 0; i < ELEMENTS; i++) {
        end += sprintf(end, "%c\"%d\\u001b", i ? ',' : '{', i);
        for (j = 0; j < 40; j++)
            end += sprintf(end, "\\u202e");
        end += sprintf(end, "\":\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\u0008\"");
    }
    sprintf(end, "}");
    cr_assert_eq(check(t, schema, text, &report), REEVE_EINVAL);
    cr_assert_eq(report.faults, 3);
    cr_assert_lt(report.len, 900);
    cr_assert_not_null(strstr(report.text, "given the string \"\\u0001"), "%s", report.text);
    rv_schema_free(schema);
    free(text);
}

RV_TEST(schema, says_what_is_no_schema_and_where)
{
    refuses(t, "{\"properties\":{\"x\":{\"type\":\"strng\"}}}", REEVE_EINVAL,
            "at \"/properties/x/type\": there is no type \"strng\"; the types are string, number, "
            "integer, boolean, array, object and null");
    refuses(t, "{\"items\":{\"type\":5}}", REEVE_EINVAL,
            "at \"/items/type\": wanted the name of a type, or an array of such names, given a "
            "value of type number");
    refuses(t, "{\"properties\":{\"a/b~\":7}}", REEVE_EINVAL,
            "at \"/properties/a~1b~0\": a schema is an object, true or false, and this is of type "
            "number");
    refuses(t, "[]", REEVE_EINVAL,
            "at \"\": a schema is an object, true or false, and this is of type array");
    refuses(t, "{\"anyOf\":[true,{\"minLength\":-1}]}", REEVE_EINVAL,
            "at \"/anyOf/1/minLength\": wanted a whole number, 0 or more, given -1");
    refuses(t, "{\"multipleOf\":0}", REEVE_EINVAL,
            "at \"/multipleOf\": wanted a number above 0, given 0");
    refuses(t, "{\"required\":true}", REEVE_EINVAL,
            "at \"/required\": wanted an array of names of properties, given a boolean: name the "
            "property in \"required\" of the object around it");
    refuses(t, "{\"required\":[\"a\",1]}", REEVE_EINVAL,
            "at \"/required\": wanted an array of names of properties, and element 1 is of type "
            "number");
    refuses(t, "{\"enum\":\"a\"}", REEVE_EINVAL,
            "at \"/enum\": wanted an array of values, given a value of type string");
    refuses(t, "{\"allOf\":[]}", REEVE_EINVAL,
            "at \"/allOf\": wanted an array of one schema at least, given a value of type array");
    if (rv_pattern_supported())
        refuses(t, "{\"pattern\":\"a[\"}", REEVE_EINVAL,
                "at \"/pattern\": this is no regular expression: missing terminating ] for "
                "character class, at byte 2");
    else
        refuses(t, "{\"pattern\":\"a\"}", REEVE_EUNSUPPORTED,
                "at \"/pattern\": this build of Reeve has no regular expressions (it was "
                "configured without PCRE2)");
}

RV_TEST(schema, follows_references_inside_the_document_only)
{
    says(t, "{\"$ref\":\"#/$defs/a%25~1b\",\"$defs\":{\"a%/b\":{\"type\":\"null\"}}}", "1",
         "the value itself: wanted null, given the number 1");
    says(t, "{\"$ref\":\"#x\",\"definitions\":{\"n\":{\"$anchor\":\"x\",\"type\":\"null\"}}}", "1",
         "the value itself: wanted null, given the number 1");
    says(t,
         "{\"$id\":\"http://a/b\",\"items\":{\"$ref\":\"http://a/b#/$defs/n\"},\"$defs\":{\"n\":"
         "{\"type\":\"null\"}}}",
         "[1]", "[0]: wanted null, given the number 1");
    says(t, "{\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"type\":\"null\"}}}",
         "{\"a\":{\"a\":{\"b\":1}}}", "a.a.b: wanted null, given the number 1");
    refuses(t, "{\"items\":{\"$ref\":\"other.json#/a\"}}", REEVE_EINVAL,
            "at \"/items/$ref\": \"other.json#/a\" leads out of this document, and schemas are not "
            "fetched: put it into $defs and refer to \"#/$defs/NAME\"");
    refuses(t, "{\"$ref\":\"#/$defs/n\"}", REEVE_EINVAL,
            "at \"/$ref\": \"#/$defs/n\" leads to nothing in this document");
    refuses(t, "{\"$ref\":\"#n\"}", REEVE_EINVAL,
            "at \"/$ref\": \"#n\" names no $anchor of this document");
    refuses(t, "{\"$ref\":\"#/%4\"}", REEVE_EINVAL, "at \"/$ref\": \"#/%4\" is no JSON pointer");
    refuses(t, "{\"$ref\":\"#\"}", REEVE_EINVAL, "at \"\": this schema leads back to itself");
    refuses(t, "{\"items\":{\"anyOf\":[true,{\"not\":{\"$ref\":\"#/items\"}}]}}", REEVE_EINVAL,
            "at \"/items/anyOf/1/not\": this schema leads back to itself");
    refuses(t, "{\"items\":{\"$id\":\"b\",\"items\":{\"$ref\":\"#\"}}}", REEVE_EINVAL,
            "at \"/items/items/$ref\": a $ref below an $id that is not the document's own is not "
            "supported");
}

/* Two ways at each step of a value of 60: all of them would be 2^60. */
RV_TEST(schema, gives_up_what_takes_too_long)
{
    enum { DEPTH = 60 };
    struct rv_schema_report report;
    struct rv_schema *schema =
        compiled(t, "{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"b\"]},"
                    "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"c\"]}]}");
    char text[DEPTH * 8 + 8] = "";
    int i;

    for (i = 0; i < DEPTH; i++)
        strcat(text, "{\"a\":");
    strcat(text, "1");
    for (i = 0; i < DEPTH; i++)
        strcat(text, "}");
    cr_assert_eq(check(t, schema, text, &report), REEVE_ETOOBIG);
    cr_assert_not_null(strstr(report.text, "would take too long"), "%s", report.text);
    rv_schema_free(schema);
    if (!rv_pattern_supported())
        return;
    schema = compiled(t, "{\"items\":{\"pattern\":\"^(a+)+$\"}}");
    cr_assert_eq(check(t, schema, "[\"aaa\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"]", &report),
                 REEVE_ETOOBIG);
    cr_assert_not_null(strstr(report.text, "[1]: to check this against"), "%s", report.text);
    rv_schema_free(schema);
}

/* A reader takes values of that depth only if it is told to; a schema ends before the stack does.
 */
RV_TEST(schema, ends_at_its_depth)
{
    enum { DEPTH = 100 };
    struct rv_schema *schema =
        compiled(t, "{\"anyOf\":[{\"type\":\"null\"},{\"allOf\":[{\"items\":{\"$ref\":\"#\"}}]}]}");
    struct rv_schema_report report;
    char text[2 * DEPTH + 1];

    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    text[2 * DEPTH] = '\0';
    cr_assert_eq(check(t, schema, text, &report), REEVE_ETOOBIG);
    cr_assert_not_null(strstr(report.text, "nested too deeply"), "%s", report.text);
    cr_assert_eq(check(t, schema, "[[[[[[]]]]]]", &report), 0);
    rv_schema_free(schema);
}

/* Pairs would be 2 * 10^10. */
RV_TEST(schema, finds_twins_in_long_arrays)
{
    enum { COUNT = 200000 };
    struct rv_schema *schema = compiled(t, "{\"uniqueItems\":true}");
    char *text = malloc(COUNT * 24), *end = text;
    struct rv_schema_report report;
    int i;

    cr_assert_not_null(text);
    for (i = 0; i < COUNT; i++)
        end += sprintf(end, "%c{\"n\":%d,\"m\":[]}", i ? ',' : '[', i);
    strcpy(end, "]");
    cr_assert_eq(check(t, schema, text, &report), 0, "%s", report.text);
    strcpy(end, ",{\"m\":[],\"n\":77e0}]");
    cr_assert_eq(check(t, schema, text, &report), REEVE_EINVAL);
    cr_assert_not_null(strstr(report.text, "(77 and 200000 are the same)"), "%s", report.text);
    rv_schema_free(schema);
    free(text);
}

RV_TEST(schema, bounds_the_number_of_schemas)
{
    enum { COUNT = RV_SCHEMA_MAX_NODES };
    char *text = malloc(COUNT * 8 + 64), *end = text;
    int i;

    cr_assert_not_null(text);
    end += sprintf(end, "{\"anyOf\":[");
    for (i = 0; i < COUNT; i++)
        end += sprintf(end, "%s{}", i ? "," : "");
    strcpy(end, "]}");
    refuses(t, text, REEVE_ETOOBIG, "at \"/anyOf/4095\": there are more than 4096 schemas");
    strcpy(end - 3, "]}");
    rv_schema_free(compiled(t, text));
    free(text);
}

/* For a host's small stacks, and because each allocation has its price. */
RV_TEST(schema, checks_without_memory)
{
    static const char text[] = "{\"a\":\"x\",\"b\":[1,2,3],\"c\":{\"d\":null}}";
    struct rv_schema *schema = compiled(
        t, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":3"
           "},\"b\":{\"items\":{\"type\":\"integer\",\"minimum\":2},\"uniqueItems\":true},"
           "\"c\":{\"enum\":[1,{\"d\":null}]}},\"required\":[\"e\"]}");
    const struct reeve_json *value;
    struct rv_json_reader *reader = read_json(t, text, strlen(text), &value);
    struct rv_schema_report report;
    const size_t asked = t->failing.asked;

    cr_assert_eq(rv_schema_check(schema, value, &report), REEVE_EINVAL);
    cr_assert_eq(t->failing.asked, asked);
    cr_assert_str_eq(report.text, "b[0]: wanted 2 or more, given the number 1; e: wanted a value "
                                  "(it is required), given nothing");
    rv_json_reader_free(reader);
    rv_schema_free(schema);
}

struct swept {
    const struct reeve_json *document;
    const struct reeve_json *value;
};

static int scenario(struct rv_test *run, void *arg)
{
    const struct swept *swept = arg;
    struct rv_schema_report report;
    struct rv_schema *schema;
    int error = rv_schema_compile(run->mem, swept->document, &schema, NULL);

    if (error)
        return error;
    error = rv_schema_check(schema, swept->value, &report);
    rv_schema_free(schema);
    return error;
}

RV_TEST(schema, survives_the_lack_of_memory)
{
    static const char document[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
        "a%20b\"},\"b\":{\"anyOf\":[{"
        "\"enum\":[1,2]},{\"type\":\"array\",\"uniqueItems\":true}]}},\"required\":[\"a\"],"
        "\"dependentSchemas\":{\"a\":true},\"$defs\":{\"a b\":{\"$id\":\"x\",\"minLength\":1}}}";
    static const char value[] = "{\"a\":\"ab\",\"b\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}";
    static const char with_pattern[] = "{\"properties\":{\"a\":{\"pattern\":\"^a(b|c)*$\"}},"
                                       "\"patternProperties\":{\"^b\":{\"type\":\"array\"}}}";
    struct swept swept;
    struct rv_json_reader *a = read_json(t, document, strlen(document), &swept.document);
    struct rv_json_reader *b = read_json(t, value, strlen(value), &swept.value);

    RV_SWEEP_ALLOCATIONS(t, scenario, &swept, 4);
    rv_json_reader_free(a);
    a = read_json(t, with_pattern, strlen(with_pattern), &swept.document);
    if (rv_pattern_supported())
        RV_SWEEP_ALLOCATIONS(t, scenario, &swept, 14);
    rv_json_reader_free(a);
    rv_json_reader_free(b);
}
