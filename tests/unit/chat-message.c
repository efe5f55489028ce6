/* SPDX-License-Identifier: MIT */
/* Messages and transcripts: what is kept, what is refused, what is shared. */
#include "tests/lib/test.h"

#include "chat/transcript.h"

#include <reeve/error.h>
#include <reeve/message.h>
#include <stdio.h>
#include <string.h>

enum { MANY_CALLS = 1000 };

static struct reeve_runtime *open_runtime(struct rv_test *t)
{
    struct reeve_runtime_options options;
    struct reeve_runtime *runtime;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &runtime), 0);
    return runtime;
}

static struct reeve_transcript *new_transcript(struct reeve_runtime *runtime)
{
    struct reeve_transcript *transcript;

    cr_assert_eq(reeve_transcript_new(runtime, &transcript), 0);
    return transcript;
}

static int add(struct reeve_transcript *transcript, enum reeve_role role, const char *text)
{
    return reeve_transcript_add(transcript, role, text, strlen(text));
}

static int add_result(struct reeve_transcript *transcript, const char *id, const char *text)
{
    return reeve_transcript_add_result(transcript, id, text, strlen(text), 0);
}

static const char *text_at(const struct reeve_transcript *transcript, size_t index)
{
    return reeve_message_text(reeve_transcript_at(transcript, index), NULL);
}

RV_TEST(message, keeps_what_was_given)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *transcript = new_transcript(runtime);
    char id[] = "a", name[] = "look", arguments[] = "{\"x\":1}";
    const struct reeve_call given[] = {{id, name, arguments, 7}, {"b", "look", NULL, 0}};
    const struct reeve_message *message;
    const struct reeve_call *calls;
    size_t count, len;

    cr_assert_eq(add(transcript, REEVE_ROLE_USER, "go"), 0);
    cr_assert_eq(reeve_transcript_add_calls(transcript, "Looking", 7, given, 2), 0);
    id[0] = name[0] = arguments[0] = '?'; /* copied, not borrowed */
    message = reeve_transcript_at(transcript, 1);
    cr_assert_eq(reeve_message_role(message), REEVE_ROLE_ASSISTANT);
    cr_assert_str_eq(reeve_message_text(message, &len), "Looking");
    cr_assert_eq(len, 7);
    calls = reeve_message_calls(message, &count);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(calls[0].id, "a");
    cr_assert_str_eq(calls[0].name, "look");
    cr_assert_str_eq(calls[0].arguments, "{\"x\":1}");
    cr_assert_str_eq(calls[1].arguments, "");
    cr_assert_eq(reeve_transcript_add_result(transcript, "b", "no", 2, 7), 0);
    message = reeve_transcript_at(transcript, 2);
    cr_assert_str_eq(reeve_message_call_id(message), "b");
    cr_assert_eq(reeve_message_is_error(message), 1);
    cr_assert_null(reeve_message_calls(message, &count));
    cr_assert_eq(count, 0);
    cr_assert_null(reeve_message_call_id(reeve_transcript_at(transcript, 0)));
    cr_assert_null(reeve_transcript_at(transcript, 3));
    reeve_transcript_free(transcript);
    reeve_runtime_free(runtime);
}

RV_TEST(message, repairs_text_that_is_not_utf8)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *transcript = new_transcript(runtime);
    size_t len;

    cr_assert_eq(reeve_transcript_add(transcript, REEVE_ROLE_USER, "a\xFF\x00z", 4), 0);
    cr_assert_eq(memcmp(reeve_message_text(reeve_transcript_at(transcript, 0), &len),
                        "a\xEF\xBF\xBD\x00z", 7),
                 0);
    cr_assert_eq(len, 6);
    cr_assert_eq(reeve_transcript_add(transcript, REEVE_ROLE_USER, NULL, 0), 0);
    cr_assert_str_eq(text_at(transcript, 1), "");
    reeve_transcript_free(transcript);
    reeve_runtime_free(runtime);
}

RV_TEST(message, refuses_bad_calls)
{
    static const struct reeve_call bad[][2] = {
        {{NULL, "n", "", 0}, {"b", "n", "", 0}},    {{"", "n", "", 0}, {"b", "n", "", 0}},
        {{"a", NULL, "", 0}, {"b", "n", "", 0}},    {{"a", "n", "", 0}, {"b", "", "", 0}},
        {{"a", "n", "", 0}, {"a", "m", "", 0}},     {{"a", "n", NULL, 1}, {"b", "n", "", 0}},
        {{"a\xFF", "n", "", 0}, {"b", "n", "", 0}}, {{"a", "\xC3", "", 0}, {"b", "n", "", 0}},
    };
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *transcript = new_transcript(runtime);
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(reeve_transcript_add_calls(transcript, "", 0, bad[i], 2), REEVE_EINVAL, "%zu",
                     i);
    cr_assert_eq(reeve_transcript_add_calls(transcript, "", 0, bad[0], 0), REEVE_EINVAL);
    cr_assert_eq(reeve_transcript_add_calls(transcript, "", 0, NULL, 1), REEVE_EINVAL);
    cr_assert_eq(add(transcript, REEVE_ROLE_TOOL, "x"), REEVE_EINVAL);
    cr_assert_eq(add(transcript, REEVE_ROLE_UNKNOWN, "x"), REEVE_EINVAL);
    cr_assert_eq(reeve_transcript_add(transcript, REEVE_ROLE_USER, NULL, 1), REEVE_EINVAL);
    cr_assert_eq(reeve_transcript_count(transcript), 0);
    reeve_transcript_free(transcript);
    reeve_runtime_free(runtime);
}

/* Enough calls for the index of ids, in a run: answered in the order, backwards, twice. */
RV_TEST(message, finds_one_of_many_calls)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *transcript = new_transcript(runtime);
    struct reeve_call calls[MANY_CALLS];
    char ids[MANY_CALLS][16];
    size_t i, bad = 7;

    for (i = 0; i < MANY_CALLS; i++) {
        snprintf(ids[i], sizeof ids[i], "call_%zu", i);
        calls[i] = (struct reeve_call){ids[i], "look", "{}", 2};
    }
    cr_assert_eq(add(transcript, REEVE_ROLE_USER, "go"), 0);
    calls[MANY_CALLS - 1].id = ids[3];
    cr_assert_eq(reeve_transcript_add_calls(transcript, "", 0, calls, MANY_CALLS), REEVE_EINVAL);
    calls[MANY_CALLS - 1].id = ids[MANY_CALLS - 1];
    cr_assert_eq(reeve_transcript_add_calls(transcript, "", 0, calls, MANY_CALLS), 0);
    for (i = MANY_CALLS; i > 0; i--) {
        cr_assert_eq(reeve_transcript_check(transcript, &bad), REEVE_EINVAL);
        cr_assert_eq(bad, 1);
        cr_assert_eq(add_result(transcript, "call_1000", "?"), REEVE_ENOTFOUND);
        cr_assert_eq(add_result(transcript, ids[i - 1], "fine"), 0, "%zu", i);
        cr_assert_eq(add_result(transcript, ids[i - 1], "again"), REEVE_ENOTFOUND);
    }
    cr_assert_eq(reeve_transcript_check(transcript, &bad), 0);
    cr_assert_eq(reeve_transcript_count(transcript), 2 + MANY_CALLS);
    reeve_transcript_free(transcript);
    reeve_runtime_free(runtime);
}

RV_TEST(transcript, copies_share_and_part)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *first = new_transcript(runtime);
    struct reeve_transcript *second, *third;
    struct rv_snapshot snapshot;

    cr_assert_eq(add(first, REEVE_ROLE_USER, "one"), 0);
    cr_assert_eq(reeve_transcript_copy(first, &second), 0);
    cr_assert_eq(reeve_transcript_at(first, 0), reeve_transcript_at(second, 0));
    rv_transcript_snapshot(first, &snapshot);
    cr_assert_eq(add(first, REEVE_ROLE_ASSISTANT, "two"), 0);
    cr_assert_eq(add(second, REEVE_ROLE_ASSISTANT, "zwei"), 0);
    cr_assert_eq(reeve_transcript_copy(second, &third), 0);
    rv_transcript_truncate(third, 1);
    cr_assert_eq(add(third, REEVE_ROLE_ASSISTANT, "drei"), 0);
    cr_assert_eq(snapshot.count, 1);
    cr_assert_eq(reeve_transcript_count(first), 2);
    cr_assert_str_eq(text_at(first, 1), "two");
    cr_assert_str_eq(text_at(second, 1), "zwei");
    cr_assert_str_eq(text_at(third, 1), "drei");
    cr_assert_eq(rv_snapshot_at(&snapshot, 0), reeve_transcript_at(third, 0));
    cr_assert_null(rv_snapshot_at(&snapshot, 1));
    reeve_transcript_free(first);
    reeve_transcript_free(second);
    cr_assert_str_eq(text_at(third, 0), "one");
    reeve_transcript_free(third);
    cr_assert_str_eq(reeve_message_text(rv_snapshot_at(&snapshot, 0), NULL), "one");
    rv_snapshot_done(&snapshot);
    reeve_runtime_free(runtime);
}

/* A result takes the place of its stand-in, and who holds the old messages keeps them. */
RV_TEST(transcript, replaces_a_result)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *transcript = new_transcript(runtime);
    const struct reeve_call call = {"a", "look", "{}", 2};
    struct rv_snapshot snapshot;

    cr_assert_eq(add(transcript, REEVE_ROLE_USER, "go"), 0);
    cr_assert_eq(reeve_transcript_add_calls(transcript, "", 0, &call, 1), 0);
    cr_assert_eq(reeve_transcript_add_result(transcript, "a", "wait", 4, 1), 0);
    rv_transcript_snapshot(transcript, &snapshot);
    cr_assert_eq(rv_transcript_replace_result(transcript, 2, "done", 4, 0), 0);
    cr_assert_eq(rv_transcript_replace_result(transcript, 1, "done", 4, 0), REEVE_EINVAL);
    cr_assert_eq(rv_transcript_replace_result(transcript, 3, "done", 4, 0), REEVE_EINVAL);
    cr_assert_str_eq(text_at(transcript, 2), "done");
    cr_assert_str_eq(reeve_message_call_id(reeve_transcript_at(transcript, 2)), "a");
    cr_assert_eq(reeve_message_is_error(reeve_transcript_at(transcript, 2)), 0);
    cr_assert_str_eq(reeve_message_text(rv_snapshot_at(&snapshot, 2), NULL), "wait");
    cr_assert_eq(reeve_transcript_check(transcript, NULL), 0);
    rv_snapshot_done(&snapshot);
    cr_assert_eq(rv_transcript_replace_result(transcript, 2, "better", 6, 0), 0);
    cr_assert_str_eq(text_at(transcript, 2), "better");
    reeve_transcript_free(transcript);
    reeve_runtime_free(runtime);
}

RV_TEST(transcript, outlives_its_runtime)
{
    struct reeve_runtime *runtime = open_runtime(t);
    struct reeve_transcript *transcript = new_transcript(runtime);

    reeve_runtime_free(runtime);
    cr_assert_eq(add(transcript, REEVE_ROLE_USER, "still here"), 0);
    cr_assert_str_eq(text_at(transcript, 0), "still here");
    reeve_transcript_free(transcript);
}

RV_TEST(transcript, null_is_answered)
{
    cr_assert_eq(reeve_transcript_count(NULL), 0);
    cr_assert_null(reeve_transcript_at(NULL, 0));
    cr_assert_eq(reeve_message_role(NULL), REEVE_ROLE_UNKNOWN);
    cr_assert_str_eq(reeve_message_text(NULL, NULL), "");
    reeve_transcript_free(NULL);
    cr_assert_str_eq(reeve_role_name(REEVE_ROLE_TOOL), "tool");
    cr_assert_str_eq(reeve_role_name((enum reeve_role)99), "unknown");
}

static int story(struct rv_test *run, void *arg)
{
    const struct reeve_call calls[] = {{"a", "look", "{}", 2}, {"b", "look", "{}", 2}};
    struct reeve_runtime_options options;
    struct reeve_runtime *runtime = NULL;
    struct reeve_transcript *transcript = NULL, *copy = NULL;
    size_t before;
    int error, i;

    (void)arg;
    reeve_runtime_options_init(&options);
    options.allocator = &run->allocator;
    error = reeve_runtime_new(NULL, &options, &runtime);
    if (!error)
        error = reeve_transcript_new(runtime, &transcript);
    if (!error)
        error = reeve_transcript_add(transcript, REEVE_ROLE_USER, "a\xFF", 2);
    for (i = 0; i < 20 && !error; i++) {
        before = reeve_transcript_count(transcript);
        error = reeve_transcript_add_calls(transcript, "", 0, calls, 2);
        if (!error)
            error = add_result(transcript, "b", "fine");
        if (!error)
            error = add_result(transcript, "a", "fine");
        if (error) {
            rv_transcript_truncate(transcript, before);
            cr_assert_eq(reeve_transcript_check(transcript, NULL), 0);
        }
    }
    if (!error)
        error = reeve_transcript_copy(transcript, &copy);
    if (!error)
        error = rv_transcript_replace_result(copy, 2, "better", 6, 0);
    if (!error)
        error = reeve_transcript_add(transcript, REEVE_ROLE_ASSISTANT, "done", 4);
    reeve_transcript_free(transcript);
    reeve_transcript_free(copy);
    reeve_runtime_free(runtime);
    return error;
}

RV_TEST(transcript, survives_every_failed_allocation, .timeout = 60)
{
    RV_SWEEP_ALLOCATIONS(t, story, NULL, 60);
}
