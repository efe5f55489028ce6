/* SPDX-License-Identifier: MIT */
/* The scripted model's mind: what it asks of tools, and what it says of what they returned. */
#include "examples/server/script.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#define LIST_TOOL                                                                                  \
    "{'type':'function','function':{'name':'list_directory','parameters':{'type':'object',"        \
    "'properties':{'path':{'type':'string'}},'required':['path']}}}"
#define READ_TOOL                                                                                  \
    "{'type':'function','function':{'name':'read_file','parameters':{'type':'object',"             \
    "'properties':{'path':{'type':'string'}},'required':['path']}}}"
#define WRITE_TOOL                                                                                 \
    "{'type':'function','function':{'name':'write_file','parameters':{'type':'object',"            \
    "'properties':{'path':{'type':'string'},'content':{'type':'string'}},"                         \
    "'required':['path','content']}}}"
#define LOOKUP_TOOL                                                                                \
    "{'type':'function','function':{'name':'lookup','description':'Look a customer up',"           \
    "'parameters':{'type':'object','properties':{'id':{'type':'string'}},'required':['id']}}}"
#define FILE_TOOLS "'tools':[" LIST_TOOL "," READ_TOOL "],"

/* A conversation under construction. */
struct talk {
    struct ms_text messages;
    const char *more; /* members of the body besides model and messages, with a comma each */
    unsigned calls;
};

static void add_quoted(struct ms_text *out, const char *text)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    ms_json_text(gen, ms_span_of(text));
    ms_json_finish(gen, out);
}

static void start(struct talk *talk, const char *more)
{
    *talk = (struct talk){.more = more};
    ms_text_init(&talk->messages, 10000000);
}

static void say(struct talk *talk, const char *role, const char *text)
{
    ms_text_addf(&talk->messages, "%s{\"role\":\"%s\",\"content\":", talk->messages.len ? "," : "",
                 role);
    add_quoted(&talk->messages, text);
    ms_text_add_string(&talk->messages, "}");
}

/* Like printf's, but ' stands for ". */
static void add_json(struct ms_text *out, const char *json)
{
    size_t before = out->len;

    ms_text_add_string(out, json);
    for (size_t i = before; i < out->len; i++)
        if (out->data[i] == '\'')
            out->data[i] = '"';
}

static struct ms_plan think(const struct talk *talk)
{
    struct ms_request request;
    struct ms_error error;
    struct ms_plan plan;
    struct ms_text body;

    ms_text_init(&body, 20000000);
    add_json(&body, "{'model':'m',");
    add_json(&body, talk->more);
    ms_text_add_string(&body, "\"messages\":[");
    ms_text_add_span(&body, (struct ms_span){talk->messages.data, talk->messages.len});
    ms_text_add_string(&body, "]}");
    cr_assert(!body.failed);
    cr_assert_eq(ms_request_parse(body.data, body.len, &request, &error), 0, "%s: %s", body.data,
                 error.message);
    cr_assert_eq(ms_script_think(&request, &plan), 0);
    ms_request_done(&request);
    ms_text_done(&body);
    return plan;
}

/* Answers the plan's calls with these results, in order. */
static void answer(struct talk *talk, struct ms_plan *plan, const char *const *results)
{
    unsigned first = talk->calls;

    ms_text_add_string(&talk->messages, ",{\"role\":\"assistant\",\"tool_calls\":[");
    for (size_t i = 0; i < plan->calls_count; i++) {
        ms_text_addf(&talk->messages,
                     "%s{\"id\":\"c%u\",\"type\":\"function\",\"function\":{\"name\":\"%s\","
                     "\"arguments\":",
                     i ? "," : "", talk->calls++, plan->calls[i].name);
        add_quoted(&talk->messages, plan->calls[i].arguments);
        ms_text_add_string(&talk->messages, "}}");
    }
    ms_text_add_string(&talk->messages, "]}");
    for (size_t i = 0; i < plan->calls_count; i++) {
        ms_text_addf(&talk->messages,
                     ",{\"role\":\"tool\",\"tool_call_id\":\"c%zu\",\"content\":", first + i);
        add_quoted(&talk->messages, results[i]);
        ms_text_add_string(&talk->messages, "}");
    }
    ms_plan_done(plan);
}

static void expect_calls(const struct ms_plan *plan, const char *const *calls)
{
    size_t count = 0;

    for (; calls[count * 2]; count++) {
        cr_assert_lt(count, plan->calls_count, "%zu calls, text: %s", plan->calls_count,
                     ms_text_string(&plan->text));
        cr_assert_str_eq(plan->calls[count].name, calls[count * 2]);
        cr_assert_str_eq(plan->calls[count].arguments, calls[count * 2 + 1]);
    }
    cr_assert_eq(plan->calls_count, count);
    cr_assert_eq(plan->text.len, 0);
}

#define CALLS(...) ((const char *const[]){__VA_ARGS__, NULL, NULL})
#define RESULTS(...) ((const char *const[]){__VA_ARGS__})

static void expect_text(struct ms_plan *plan, const char *part)
{
    cr_assert_eq(plan->calls_count, 0);
    cr_assert(strstr(ms_text_string(&plan->text), part), "no '%s' in: %s", part,
              ms_text_string(&plan->text));
}

static void end(struct talk *talk, struct ms_plan *plan)
{
    ms_plan_done(plan);
    ms_text_done(&talk->messages);
}

static void step(struct talk *talk, const char *const *calls, const char *const *results)
{
    struct ms_plan plan = think(talk);

    expect_calls(&plan, calls);
    answer(talk, &plan, results);
}

RV_TEST(server_script, lists_reads_in_parallel_and_quotes)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "system", "You are helpful.");
    say(&talk, "user", "What is the secret word in the notes?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"),
         RESULTS("plans.txt\t20\nnotes.txt\t40\npicture.png\t900\n.hidden\n"));
    step(&talk,
         CALLS("read_file", "{\"path\":\"notes.txt\"}", "read_file", "{\"path\":\"plans.txt\"}"),
         RESULTS("Some words first.\n\nThe secret word is: qworble-7\n", "No secret here.\n"));
    plan = think(&talk);
    expect_text(&plan, "notes.txt, line 3, says: \"The secret word is: qworble-7\"");
    end(&talk, &plan);
}

/* The answer is nowhere but in the results: other results, other answer. */
RV_TEST(server_script, has_no_other_source_than_the_results)
{
    static const char *const words[] = {"alpha", "βήτα", "γ \"quoted\" \\ δ"};

    for (size_t i = 0; i < 3; i++) {
        struct talk talk;
        struct ms_plan plan;
        char line[128];

        start(&talk, FILE_TOOLS);
        say(&talk, "user", "Tell me the secret word, please.");
        step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a\nb\n"));
        snprintf(line, sizeof(line), "the secret word is: %s", words[i]);
        step(&talk, CALLS("read_file", "{\"path\":\"a\"}", "read_file", "{\"path\":\"b\"}"),
             RESULTS("nothing", line));
        plan = think(&talk);
        expect_text(&plan, line);
        end(&talk, &plan);
    }
}

RV_TEST(server_script, reads_only_what_is_named)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "Read notes.txt and ../../etc/passwd.");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a.txt\nnotes.txt\nb.txt\n"));
    step(&talk,
         CALLS("read_file", "{\"path\":\"notes.txt\"}", "read_file",
               "{\"path\":\"../../etc/passwd\"}"),
         RESULTS("one\ntwo\nthree\nfour\nfive\nsix\n", "error: outside the root\nmore"));
    plan = think(&talk);
    expect_text(&plan, "notes.txt begins:\n  one\n  two\n  three\n  four\n  five\n  …\n");
    expect_text(&plan, "I could not read ../../etc/passwd: outside the root");
    cr_assert(!strstr(plan.text.data, "six"));
    end(&talk, &plan);
}

RV_TEST(server_script, goes_down_into_folders_until_it_finds)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "In which file is the launch code mentioned?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a.txt\ndeep/\nother/\n"));
    step(&talk, CALLS("read_file", "{\"path\":\"a.txt\"}"), RESULTS("nothing of the sort\n"));
    step(&talk,
         CALLS("list_directory", "{\"path\":\"deep\"}", "list_directory", "{\"path\":\"other\"}"),
         RESULTS("x.md\t5\n", ""));
    step(&talk, CALLS("read_file", "{\"path\":\"deep/x.md\"}"),
         RESULTS("The launch code = 0000\r\n"));
    plan = think(&talk);
    expect_text(&plan, "deep/x.md, line 1, says: \"The launch code = 0000\"");
    end(&talk, &plan);
}

RV_TEST(server_script, lists_a_folder_that_the_question_names_first)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "What is the secret word in the notes?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a.txt\nnotes/\nz/\n"));
    step(&talk, CALLS("list_directory", "{\"path\":\"notes\"}"), RESULTS("one\n"));
    plan = think(&talk);
    expect_calls(
        &plan, CALLS("read_file", "{\"path\":\"notes/one\"}", "read_file", "{\"path\":\"a.txt\"}"));
    end(&talk, &plan);
}

RV_TEST(server_script, stays_in_the_folder_that_is_named)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "What is in sub/?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a.txt\nsub/\nz/\n"));
    step(&talk, CALLS("list_directory", "{\"path\":\"sub\"}"), RESULTS("deep.txt\n"));
    step(&talk, CALLS("read_file", "{\"path\":\"sub/deep.txt\"}"), RESULTS("hello\n"));
    plan = think(&talk);
    cr_assert_eq(plan.calls_count, 0);
    cr_assert_str_eq(plan.text.data, "sub/deep.txt begins:\n  hello");
    end(&talk, &plan);
}

RV_TEST(server_script, reads_at_most_eight_files_at_once)
{
    struct ms_text listing;
    struct talk talk;
    struct ms_plan plan;

    ms_text_init(&listing, 10000);
    for (int i = 0; i < 30; i++)
        ms_text_addf(&listing, "f%02d\n", i);
    start(&talk, FILE_TOOLS);
    say(&talk, "user", "Find the hidden word in my files");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS(listing.data));
    plan = think(&talk);
    cr_assert_eq(plan.calls_count, 8);
    cr_assert_str_eq(plan.calls[7].arguments, "{\"path\":\"f07\"}");
    answer(&talk, &plan, RESULTS("", "", "", "", "", "", "", ""));
    plan = think(&talk);
    cr_assert_eq(plan.calls_count, 8);
    cr_assert_str_eq(plan.calls[0].arguments, "{\"path\":\"f08\"}");
    ms_text_done(&listing);
    end(&talk, &plan);
}

/* Whatever the tools return, the questions end. */
RV_TEST(server_script, ends_with_tools_that_never_satisfy)
{
    const char *const useless[] = {"a/\nb/\nc\nd\n", "error: no", "",        "x",
                                   "error: gone",    "a/\n",      "b/\nq\n", "…"};
    struct talk talk;
    struct ms_plan plan;
    int rounds = 0;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "Find the hidden word in my files");
    for (plan = think(&talk); plan.calls_count > 0; plan = think(&talk)) {
        answer(&talk, &plan, useless);
        cr_assert_lt(rounds++, 9);
    }
    cr_assert_gt(plan.text.len, 0);
    end(&talk, &plan);
}

RV_TEST(server_script, shows_a_listing)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "List the files here.");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a.txt\t5\nsub/\n"));
    plan = think(&talk);
    expect_text(&plan, "The folder . holds:\na.txt\t5\nsub/");
    ms_plan_done(&plan);
    say(&talk, "assistant", "The folder . holds: a.txt");
    say(&talk, "user", "list sub/");
    step(&talk, CALLS("list_directory", "{\"path\":\"sub\"}"), RESULTS("deep.txt\n"));
    plan = think(&talk);
    expect_text(&plan, "The folder sub holds:\ndeep.txt");
    end(&talk, &plan);
}

RV_TEST(server_script, uses_what_it_has_read_before)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "What is the secret word in notes.txt?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("notes.txt\n"));
    step(&talk, CALLS("read_file", "{\"path\":\"notes.txt\"}"),
         RESULTS("The secret word is: plum\nThe owner of this file is Ann Onymous\n"));
    say(&talk, "assistant", "It is plum.");
    say(&talk, "user", "And who is the owner of that file?");
    plan = think(&talk);
    expect_text(&plan, "Ann Onymous");
    ms_plan_done(&plan);
    say(&talk, "assistant", "Ann.");
    say(&talk, "user", "What is the colour code in the file?");
    plan = think(&talk);
    cr_assert_eq(plan.calls_count, 0, "the only file is known");
    expect_text(&plan, "No line");
    end(&talk, &plan);
}

RV_TEST(server_script, tells_which_tools_failed)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "What is the secret word in the notes?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("Error: permission denied"));
    plan = think(&talk);
    expect_text(&plan, "I could not list .: permission denied");
    end(&talk, &plan);
}

/* What list_directory and read_file really say. */
RV_TEST(server_script, understands_what_the_real_tools_say)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "What is the secret word in the files?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"),
         RESULTS("a.txt\t12\nlink@\npipe?\nodd?\t3\n[2 more entries: list further down]\n"));
    step(&talk,
         CALLS("read_file", "{\"path\":\"a.txt\"}", "read_file", "{\"path\":\"link\"}", "read_file",
               "{\"path\":\"odd?\"}"),
         RESULTS("\"a.txt\" may not be read: permission denied",
                 "\"link\" leaves the root folder: use a path below it",
                 "\"quoted\" secret word: kelp\n"));
    plan = think(&talk);
    expect_text(&plan,
                "I read 1 file (odd?). odd?, line 1, says: \"\"quoted\" secret word: kelp\"");
    expect_text(&plan, "I could not read a.txt: \"a.txt\" may not be read: permission denied");
    expect_text(&plan, "I could not read link: \"link\" leaves the root folder");
    end(&talk, &plan);

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "List the files");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("[the directory is empty]\n"));
    plan = think(&talk);
    expect_text(&plan, "[the directory is empty]");
    end(&talk, &plan);
}

RV_TEST(server_script, answers_plainly_what_needs_no_tool)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS);
    say(&talk, "user", "What is 2 + 2?");
    plan = think(&talk);
    expect_text(&plan, "You said: \"What is 2 + 2?\"");
    expect_text(&plan, "scripted model");
    end(&talk, &plan);
}

RV_TEST(server_script, uses_no_tool_that_is_not_offered)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, "");
    say(&talk, "user", "Read notes.txt");
    plan = think(&talk);
    expect_text(&plan, "I was offered no tool");
    end(&talk, &plan);

    start(&talk, "'tools':[" READ_TOOL "],");
    say(&talk, "user", "Read notes.txt");
    plan = think(&talk);
    expect_calls(&plan, CALLS("read_file", "{\"path\":\"notes.txt\"}"));
    end(&talk, &plan);
}

RV_TEST(server_script, obeys_tool_choice)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, FILE_TOOLS "'tool_choice':'none',");
    say(&talk, "user", "Read notes.txt");
    plan = think(&talk);
    cr_assert_eq(plan.calls_count, 0);
    end(&talk, &plan);

    start(&talk, FILE_TOOLS "'tool_choice':'required',");
    say(&talk, "user", "Hello");
    plan = think(&talk);
    cr_assert_eq(plan.calls_count, 1);
    end(&talk, &plan);

    start(&talk, FILE_TOOLS "'tool_choice':{'type':'function','function':{'name':'read_file'}},");
    say(&talk, "user", "Read notes.txt");
    plan = think(&talk);
    expect_calls(&plan, CALLS("read_file", "{\"path\":\"notes.txt\"}"));
    end(&talk, &plan);

    start(&talk, FILE_TOOLS "'parallel_tool_calls':false,");
    say(&talk, "user", "What is the secret word in the notes?");
    step(&talk, CALLS("list_directory", "{\"path\":\".\"}"), RESULTS("a\nb\n"));
    plan = think(&talk);
    expect_calls(&plan, CALLS("read_file", "{\"path\":\"a\"}"));
    end(&talk, &plan);
}

RV_TEST(server_script, calls_a_tool_of_the_hosts_own)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, "'tools':[" LIST_TOOL "," READ_TOOL "," LOOKUP_TOOL "],");
    say(&talk, "user", "Who placed order 1734?");
    step(&talk, CALLS("lookup", "{\"id\":\"1734\"}"), RESULTS("Grace Hopper"));
    plan = think(&talk);
    expect_text(&plan, "lookup returned: Grace Hopper");
    end(&talk, &plan);
}

RV_TEST(server_script, fills_parameters_by_name_and_quotes)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, "'tools':[" READ_TOOL "," WRITE_TOOL "],");
    say(&talk, "user", "Write \"hello there\" to greetings.txt");
    plan = think(&talk);
    expect_calls(&plan,
                 CALLS("write_file", "{\"path\":\"greetings.txt\",\"content\":\"hello there\"}"));
    end(&talk, &plan);
}

RV_TEST(server_script, does_what_directives_say)
{
    struct talk talk;
    struct ms_plan plan;

    start(&talk, "'tools':[" READ_TOOL "," WRITE_TOOL "],");
    say(&talk, "user",
        "[call:write_file {\"path\": \"a]b\", \"content\": \"[x\\\"\"}] and "
        "[call:read_file {\"path\":\"c\"}] [call:not_there {}] [call:read_file] [fault:429:2]");
    plan = think(&talk);
    cr_assert_str_eq(plan.fault, "429:2");
    expect_calls(&plan, CALLS("write_file", "{\"path\": \"a]b\", \"content\": \"[x\\\"\"}",
                              "read_file", "{\"path\":\"c\"}", "read_file", "{}"));
    answer(&talk, &plan, RESULTS("written", "text of c", "error: no path"));
    plan = think(&talk);
    expect_text(&plan, "write_file returned: written\nread_file returned: text of c");
    expect_text(&plan, "no path");
    cr_assert_eq(plan.rounds, 1);
    end(&talk, &plan);
}

/* No prompt, however odd, upsets it. */
RV_TEST(server_script, survives_any_prompt)
{
    static const char *const bits[] = {
        "[call:", "[fault:", "]",  "\"", "'",   "`", "read ",     "list ", "a.b",
        "./",     "/",       "…é", "\n", "{",   "}", "\\",        " ",     "x",
        "file ",  "the ",    "99", "..", "://", "_", "read_file", ".",
    };
    struct ms_text prompt;

    ms_text_init(&prompt, 100000);
    for (int i = 0; i < 400; i++) {
        struct talk talk;
        struct ms_plan plan;

        ms_text_clear(&prompt);
        for (uint64_t n = rv_test_random(t) % 40; n > 0; n--)
            ms_text_add_string(&prompt, bits[rv_test_random(t) % (sizeof(bits) / sizeof(*bits))]);
        start(&talk, FILE_TOOLS);
        say(&talk, "user", ms_text_string(&prompt));
        plan = think(&talk);
        cr_assert(plan.calls_count > 0 || plan.text.len > 0, "%s", ms_text_string(&prompt));
        end(&talk, &plan);
    }
    ms_text_done(&prompt);
}
