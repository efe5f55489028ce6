/* SPDX-License-Identifier: MIT */
/*
 * The same stories, told by the same object code, in the simulated world and in the real one: what
 * comes of them is the same. This file is linked twice, test-sim-world and test-real-world.
 */
#include "tests/lib/notes.h"
#include "tests/world/story.h"

#include <reeve/error.h>

static const struct story stories[] = {
    {REEVE_PROVIDER_OPENAI, 1, STORY_CANCEL, 0},
    {REEVE_PROVIDER_OPENAI, 0, STORY_CANCEL, 0},
    {REEVE_PROVIDER_ANTHROPIC, 1, STORY_CANCEL, 0},
    {REEVE_PROVIDER_ANTHROPIC, 0, STORY_CANCEL, 0},
};

static void tell_all(struct rv_test *t, rv_scenario_fn scenario, const char *notes)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct story story = stories[i];

        rv_notes_clear();
        cr_assert_eq(scenario(t, &story), 0, "%s", story_name(&story));
        cr_assert_str_eq(rv_notes(), notes, "%s: %s", story_name(&story), rv_notes());
    }
}

RV_TEST(world, completion, .timeout = 30)
{
    tell_all(t, story_completion,
             "0, tool_calls, Let me look. \n"
             "call_a slow {\"n\":1}\n"
             "call_b slow {\"n\":\"\xC3\xA9\\n2\"}\n"
             "100 in, 20 out\n");
}

RV_TEST(world, agent, .timeout = 30)
{
    tell_all(t, story_agent,
             "done, 2 turns, 2 calls, 0 failed, 250 in, 30 out\n"
             "2 calls at once\n"
             "1: Be brief.\n"
             "2: Hello\n"
             "3: Let me look. \n"
             "4: slow result\n"
             "4: slow result\n"
             "3: All good: na\xC3\xAFve \xE2\x9C\x93.\n");
}

RV_TEST(world, batch, .timeout = 30)
{
    struct story story = {.strike = STORY_CANCEL};

    rv_notes_clear();
    cr_assert_eq(story_batch(t, &story), 0);
    cr_assert_str_eq(rv_notes(), "1 succeeded\n2 succeeded\n3 succeeded\n4 succeeded\n5 timed out\n"
                                 "6 failed\n7 unknown\n8 invalid\n");
}

RV_TEST(world, asking, .timeout = 30)
{
    struct story story = {.strike = STORY_CANCEL};

    rv_notes_clear();
    cr_assert_eq(story_asking(t, &story), 0);
    cr_assert_str_eq(rv_notes(), "1 succeeded\n2 refused\n3 succeeded\n4 succeeded\n5 timed out\n"
                                 "6 failed\n7 unknown\n8 invalid\n");
}

/* Too late an answer, in 20 ms of the world's time. */
RV_TEST(world, late_answer, .timeout = 30)
{
    struct story story = {REEVE_PROVIDER_OPENAI, 1, STORY_CANCEL, 4};

    rv_notes_clear();
    cr_assert_eq(story_completion(t, &story), REEVE_ETIMEDOUT);
}

RV_TEST(world, files, .timeout = 30)
{
    struct story story = {.strike = STORY_CANCEL};

    rv_notes_clear();
    cr_assert_eq(story_files(t, &story), 0);
    cr_assert_str_eq(rv_notes(),
                     "1 succeeded: src/\nsrc/a.txt\t14\nsrc/b.txt\t14\n\n"
                     "2 succeeded: What is in a.\n\n"
                     "3 succeeded: is in \n"
                     "4 failed: \"src/c.txt\" does not exist; \"src\" does: list_directory tells "
                     "what is in it\n"
                     "5 failed: \"src/a.txt\" is a file, not a directory: use read_file\n",
                     "%s", rv_notes());
}

RV_TEST(world, edits, .timeout = 30)
{
    struct story story = {.strike = STORY_CANCEL};

    rv_notes_clear();
    cr_assert_eq(story_edits(t, &story), 0);
    cr_assert_str_eq(
        rv_notes(),
        "1 succeeded: Created \"new/b/c.txt\" (8 bytes, 2 lines), and 2 directories for "
        "it\n"
        "2 succeeded: Edited \"new/b/c.txt\": changed line 2.\nFrom line 1 on it reads "
        "now:\none\n2\n\n"
        "3 failed: \"old_text\" does not stand in \"src/a.txt\". Most like it is line "
        "1:\nWhat is in a.\n\n"
        "4 succeeded: Replaced \"src/b.txt\" (7 bytes, 1 line)\n"
        "5 succeeded: new/\nnew/b/\nnew/b/c.txt\t6\nsrc/\nsrc/a.txt\t14\n"
        "src/b.txt\t7\n\n",
        "%s", rv_notes());
}

RV_TEST(world, steps, .timeout = 30)
{
    struct story story = {.strike = STORY_CANCEL};

    rv_notes_clear();
    cr_assert_eq(story_steps(t, &story), 0);
    cr_assert_str_eq(
        rv_notes(),
        "a1 succeeded, run: \n"
        "a2 succeeded, run: one of 2\n"
        "a3 succeeded, run: one of 2\n"
        "a4 succeeded, run: What is in a.\n\n"
        "a5 succeeded, run: What is in b.\n\n"
        "a6 succeeded, run: it is 1\n"
        "0 put right, 0 from the cache, 0 shared, 0 retries\n"
        "b1 succeeded, run: What is in a.\n\n"
        "b2 succeeded, cache: What is in a.\n\n"
        "b3 succeeded, cache: it is 1\n"
        "b4 succeeded, run: one two three\n"
        "b5 succeeded, shared: one two three\n"
        "b6 succeeded, run: it is 1\n"
        "b7 invalid, run: The arguments of lookup are not what it takes: key: wanted a "
        "string (it is required), given nothing.\n"
        "b8 succeeded, run: Replaced \"src/a.txt\" (5 bytes, 1 line)\n"
        "b9 succeeded, run: New.\n\n"
        "b10 succeeded, cache: What is in b.\n\n"
        "b11 succeeded, run: it is set\n"
        "b12 succeeded, run: it is 2\n"
        "2 put right, 3 from the cache, 1 shared, 1 retries\n"
        "c1 succeeded: New.\n\n"
        "c2 succeeded: What is in b.\n\n"
        "c3 succeeded: it is 2\n"
        "c1 succeeded: New.\n\n"
        "c2 succeeded: What is in b.\n\n"
        "c3 succeeded: it is 2\n",
        "%s", rv_notes());
}

RV_TEST(world, file_agent, .timeout = 30)
{
    struct story story = {.strike = STORY_CANCEL};

    rv_notes_clear();
    cr_assert_eq(story_file_agent(t, &story), 0);
    cr_assert_str_eq(rv_notes(),
                     "done, 2 calls, 0 failed\nWhat is there?\n\na.txt\t14\nb.txt\t14\n\n"
                     "What is in a.\n\nTwo files.\n",
                     "%s", rv_notes());
}

RV_TEST(world, write, .timeout = 30)
{
    rv_notes_clear();
    cr_assert_eq(story_write(t, NULL), 0);
    cr_assert_str_eq(rv_notes(), "written, new\nwritten, replaced\n"
                                 "read 30 bytes: Another one, which is longer.\n");
}

RV_TEST(world, modes, .timeout = 30)
{
    rv_notes_clear();
    cr_assert_eq(story_modes(t, NULL), 0);
    cr_assert_str_eq(rv_notes(),
                     "read src/open.txt: done\n"
                     "read src/secret.txt: REEVE_EACCESS\n"
                     "read shut/in.txt: REEVE_EACCESS\n"
                     "read mute/in.txt: done\n"
                     "read fixed/old.txt: done\n"
                     "3 entries; list src: done\n"
                     "0 entries; list mute: REEVE_EACCESS\n"
                     "1 entries; list shut: done\n"
                     "add src/new.txt: done\n"
                     "add fixed/new.txt: REEVE_EACCESS\n"
                     "add shut/new.txt: REEVE_EACCESS\n"
                     "replace src/open.txt: done\n"
                     "replace src/final.txt: REEVE_EACCESS\n"
                     "replace fixed/old.txt: REEVE_EACCESS\n"
                     "append src/open.txt: done\n"
                     "append src/final.txt: REEVE_EACCESS\n"
                     "append fixed/old.txt: done\n"
                     "read src/final.txt: done\n",
                     "%s", rv_notes());
}

RV_TEST(world, stream, .timeout = 60)
{
    rv_notes_clear();
    cr_assert_eq(story_stream(t, NULL), 0);
    cr_assert_str_eq(rv_notes(),
                     "talks: 0, opened 1 times, ended by the peer, got \"good day\n\"\n"
                     "resets: REEVE_ECONNLOST, opened 1 times, got \"\"\n"
                     "refuses: REEVE_ECONNECT, opened 0 times, got \"\"\n"
                     "is silent: REEVE_ETIMEDOUT, opened 1 times, got \"\"\n"
                     "the first heard \"hello\nand good bye\n\"\n",
                     "%s", rv_notes());
}

RV_TEST(world, child, .timeout = 30)
{
    rv_notes_clear();
    cr_assert_eq(story_child(t, NULL), 0);
    cr_assert_str_eq(rv_notes(), "exit 3\nout: what is said\nerr: alas\n");
}
