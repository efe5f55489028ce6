/* SPDX-License-Identifier: MIT */
/*
 * The rules of a valid conversation: by example, and against a second checker that is written the
 * slow way, on random conversations.
 */
#include "tests/lib/test.h"

#include "chat/transcript.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { MANY_MESSAGES = 100000, ROUNDS = 3000, LONGEST = 14 };

struct place {
    struct reeve_runtime *runtime;
    struct reeve_transcript *transcript;
};

static void open_place(struct place *place, struct rv_test *t)
{
    struct reeve_runtime_options options;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &options, &place->runtime), 0);
    cr_assert_eq(reeve_transcript_new(place->runtime, &place->transcript), 0);
}

static void close_place(struct place *place)
{
    reeve_transcript_free(place->transcript);
    reeve_runtime_free(place->runtime);
}

/* One message whatever the rules say. `what`: S U A for roles; digits: calls of these ids; t and a
 * digit: a result. */
static void put(struct reeve_transcript *transcript, const char *what)
{
    struct rv_message_parts parts = {.role = REEVE_ROLE_ASSISTANT};
    struct reeve_message *message;
    struct reeve_call calls[10];
    char ids[10][2];

    if (*what == 'S')
        parts.role = REEVE_ROLE_SYSTEM;
    if (*what == 'U')
        parts.role = REEVE_ROLE_USER;
    if (*what == 't') {
        parts.role = REEVE_ROLE_TOOL;
        parts.call_id = what + 1;
    } else {
        for (; *what >= '0' && *what <= '9'; what++) {
            ids[parts.call_count][0] = *what;
            ids[parts.call_count][1] = '\0';
            calls[parts.call_count] = (struct reeve_call){ids[parts.call_count], "look", "{}", 2};
            parts.call_count++;
        }
        parts.calls = calls;
    }
    cr_assert_eq(rv_message_new(rv_transcript_mem(transcript), &parts, &message), 0);
    cr_assert_eq(rv_transcript_take(transcript, message), 0);
}

static void put_all(struct reeve_transcript *transcript, const char *words)
{
    char word[16];
    int used;

    while (sscanf(words, "%15s%n", word, &used) == 1) {
        put(transcript, word);
        words += used;
    }
}

RV_TEST(check, knows_the_rules)
{
    static const struct {
        const char *words;
        long bad; /* -1: valid */
    } cases[] = {
        {"", -1},
        {"S", -1},
        {"S S U", -1},
        {"U A U A", -1},
        {"U U A A S U", -1},
        {"A", 0},
        {"S A U", 1},
        {"S 0 t0", 1},
        {"t0", 0},
        {"U t0", 1},
        {"U 01 t0 t1 A", -1},
        {"U 01 t1 t0 12 t2 t1 U", -1},
        {"U 01 t0", 1},
        {"U 0", 1},
        {"U 01 t0 U t1", 1},
        {"U 0 A", 1},
        {"U 0 S t0", 1},
        {"U 01 t0 t0 t1", 3},
        {"U 01 t0 t1 t1", 4},
        {"U 01 t2 t0 t1", 2},
        {"U 0 t0 1 t0 t1", 4},
        {"U 0 1 t1", 1},
        {"A U 0", 0},
        {"U 0123456789 t9 t8 t7 t6 t5 t4 t3 t2 t1 t0", -1},
    };
    struct place place;
    size_t i, bad;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_place(&place, t);
        put_all(place.transcript, cases[i].words);
        bad = 999;
        cr_assert_eq(reeve_transcript_check(place.transcript, &bad),
                     cases[i].bad < 0 ? 0 : REEVE_EINVAL, "%s", cases[i].words);
        cr_assert_eq(bad, cases[i].bad < 0 ? 999 : (size_t)cases[i].bad, "%s: %zu", cases[i].words,
                     bad);
        close_place(&place);
    }
}

/* How often the message at `at` is answered properly: all its results right behind it. */
static bool all_answered(const struct reeve_transcript *transcript, size_t at)
{
    size_t calls, i, k;
    const struct reeve_call *call =
        reeve_message_calls(reeve_transcript_at(transcript, at), &calls);

    for (i = 0; i < calls; i++) {
        size_t answers = 0;

        for (k = at + 1; k < reeve_transcript_count(transcript); k++) {
            const struct reeve_message *message = reeve_transcript_at(transcript, k);

            if (reeve_message_role(message) != REEVE_ROLE_TOOL)
                break;
            answers += !strcmp(reeve_message_call_id(message), call[i].id);
        }
        if (!answers)
            return false;
    }
    return true;
}

/* A result that answers a call of the message before its run of results, as the first one. */
static bool answers_something(const struct reeve_transcript *transcript, size_t at)
{
    const char *id = reeve_message_call_id(reeve_transcript_at(transcript, at));
    const struct reeve_message *message;
    const struct reeve_call *call;
    size_t calls, i;

    while (at-- > 0) {
        message = reeve_transcript_at(transcript, at);
        if (reeve_message_role(message) != REEVE_ROLE_TOOL)
            break;
        if (!strcmp(reeve_message_call_id(message), id))
            return false;
    }
    if (at == SIZE_MAX)
        return false;
    call = reeve_message_calls(message, &calls);
    for (i = 0; i < calls; i++)
        if (!strcmp(call[i].id, id))
            return true;
    return false;
}

static size_t slow_check(const struct reeve_transcript *transcript)
{
    bool begun = false;
    size_t i;

    for (i = 0; i < reeve_transcript_count(transcript); i++) {
        enum reeve_role role = reeve_message_role(reeve_transcript_at(transcript, i));

        if (role == REEVE_ROLE_TOOL && !answers_something(transcript, i))
            return i;
        if (role == REEVE_ROLE_ASSISTANT && !begun)
            return i;
        if (!all_answered(transcript, i))
            return i;
        begun = begun || role == REEVE_ROLE_USER || role == REEVE_ROLE_ASSISTANT;
    }
    return SIZE_MAX;
}

/* Mostly sensible, so that both verdicts are frequent. */
static void random_conversation(struct rv_test *t, struct reeve_transcript *transcript)
{
    static const char *const words[] = {"U", "A", "S", "0", "01", "012", "t0", "t1", "t2", "t3"};
    size_t length = rv_test_random(t) % LONGEST;
    size_t i;

    if (rv_test_random(t) % 8)
        put(transcript, "U");
    while (length--) {
        if (rv_test_random(t) % 6 == 0) {
            put_all(transcript, "012 t2 t0 t1");
            continue;
        }
        i = rv_test_random(t) % (sizeof words / sizeof *words);
        put(transcript, words[i]);
    }
}

RV_TEST(check, agrees_with_a_slow_one, .timeout = 60)
{
    struct place place;
    size_t round, bad, slow, valid = 0, cut;

    for (round = 0; round < ROUNDS; round++) {
        open_place(&place, t);
        random_conversation(t, place.transcript);
        slow = slow_check(place.transcript);
        bad = SIZE_MAX;
        reeve_transcript_check(place.transcript, &bad);
        cr_assert_eq(bad, slow, "round %zu: %zu, the slow one says %zu", round, bad, slow);
        valid += slow == SIZE_MAX;
        cut = rv_test_random(t) % LONGEST;
        rv_transcript_truncate(place.transcript, cut);
        slow = slow_check(place.transcript);
        bad = SIZE_MAX;
        reeve_transcript_check(place.transcript, &bad);
        cr_assert_eq(bad, slow, "round %zu, cut at %zu", round, cut);
        close_place(&place);
    }
    fprintf(stderr, "%d conversations, %zu of them valid\n", ROUNDS, valid);
    cr_assert_gt(valid, ROUNDS / 20);
    cr_assert_lt(valid, ROUNDS - ROUNDS / 20);
}

RV_TEST(check, takes_a_hundred_thousand_messages, .timeout = 60)
{
    struct place place;
    const struct reeve_call call = {"a", "look", "{}", 2};
    size_t i;

    open_place(&place, t);
    cr_assert_eq(reeve_transcript_add(place.transcript, REEVE_ROLE_USER, "go", 2), 0);
    for (i = 0; i < MANY_MESSAGES / 2; i++) {
        cr_assert_eq(reeve_transcript_add_calls(place.transcript, "", 0, &call, 1), 0);
        cr_assert_eq(reeve_transcript_add_result(place.transcript, "a", "fine", 4, 0), 0);
        cr_assert_eq(reeve_transcript_check(place.transcript, NULL), 0);
    }
    rv_transcript_truncate(place.transcript, MANY_MESSAGES);
    cr_assert_eq(reeve_transcript_check(place.transcript, &i), REEVE_EINVAL);
    cr_assert_eq(i, MANY_MESSAGES - 1);
    close_place(&place);
}
