/* SPDX-License-Identifier: MIT */
/*
 * stream_whole on simulated files: a host hears all of a long file, however it comes and whatever
 * is in it, and the result is what it would be without. What is to be heard is made here from the
 * file's bytes alone, in one walk from its beginning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/lib/failing.h"
#include "tests/lib/notes.h"
#include "tests/sim/fate.h"
#include "tests/sim/file.h"
#include "tests/sim/runtime.h"
#include "tests/sim/sweep.h"

#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/tool.h>

enum { CAP = 256, MOST_HEARD = 3 << 20 };

enum act { ACT_NONE, ACT_CANCEL, ACT_CANCEL_CALL, ACT_FREE, ACT_PUT };

/* One read_file: what is asked, and what is done in the middle of it. */
struct ask {
    uint64_t offset;
    uint64_t limit; /* 0: none */
    size_t cap;
    bool sans_whole;  /* stream_whole is not set */
    enum act act;     /* in on_output, */
    unsigned at;      /* when it comes for this time: 1, 2, … */
    const char *text; /* ACT_PUT: what the file then is */
    size_t len;
};

static struct rv_sim_files *files;
static struct reeve_toolbox *toolbox;
static struct reeve_batch *batch;
static const struct ask *asked;
static char heard[MOST_HEARD];
static size_t heard_len;
static unsigned pieces, done, markers;
static int ended;
static enum reeve_call_status status;
static char *said;
static size_t said_len;

static void act(size_t index)
{
    switch (asked->act) {
    case ACT_NONE:
        break;
    case ACT_CANCEL:
        reeve_batch_cancel(batch);
        break;
    case ACT_CANCEL_CALL:
        reeve_batch_cancel_call(batch, index);
        break;
    case ACT_FREE:
        reeve_toolbox_free(toolbox);
        toolbox = NULL;
        cr_assert_eq(done, 1);
        break;
    case ACT_PUT:
        rv_sim_file_put(files, "f", asked->text, asked->len);
        break;
    }
}

static void on_output(struct reeve_batch *heard_of, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    (void)heard_of, (void)arg;
    cr_assert_eq(done, 0, "behind the end");
    cr_assert_gt(len, 0);
    cr_assert(rv_utf8_valid(bytes, len), "a character is cut or not repaired");
    cr_assert_leq(heard_len + len, sizeof heard);
    memcpy(heard + heard_len, bytes, len);
    pieces++;
    rv_sim_step();
    if (pieces == asked->at)
        act(index);
    cr_assert_arr_eq(heard + heard_len, bytes, len, "the piece has gone in its own callback");
    heard_len += len;
}

static void on_done(struct reeve_batch *over, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(over, 0);

    (void)arg;
    done++;
    ended = error;
    batch = NULL;
    status = result->status;
    free(said);
    said = malloc(result->len + 1);
    said_len = result->len;
    memcpy(said, result->text, result->len + 1);
}

static int start(const struct ask *ask)
{
    struct reeve_batch_options options;
    struct reeve_call call = {.id = "1", .name = "read_file"};
    char json[128], limit[40] = "";

    if (ask->limit)
        snprintf(limit, sizeof limit, ",\"limit\":%llu", (unsigned long long)ask->limit);
    snprintf(json, sizeof json, "{\"path\":\"f\",\"offset\":%llu%s}",
             (unsigned long long)ask->offset, limit);
    call.arguments = json;
    call.arguments_len = strlen(json);
    reeve_batch_options_init(&options);
    options.max_output_bytes = ask->cap ? ask->cap : CAP;
    options.stream_whole = !ask->sans_whole;
    options.skip_cache = 1;
    options.max_attempts = 1;
    options.timeout_ms = 60000;
    options.on_output = on_output;
    options.on_done = on_done;
    asked = ask;
    heard_len = pieces = done = 0;
    return reeve_batch_run(toolbox, &call, 1, &options, &batch);
}

static void go(void)
{
    while (rv_sim_pass(runtime))
        ;
    cr_assert_eq(done, 1);
    cr_assert_eq(rv_sim_file_open(files), 0);
}

static void read_it(const struct ask *ask)
{
    cr_assert_eq(start(ask), 0);
    go();
}

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
    reeve_toolbox_free(toolbox);
    free(said);
    tear_down(t);
}

#define STREAM_TEST(name, ...) RV_TEST(read_stream, name, RV_FIXTURE(begin, end), ##__VA_ARGS__)

/* ---- what is in the file -----------------------------------------------------------------------
 */

static const char *const makings[] = {
    "all of it is plain ASCII, line by line\n",
    "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80xy\xED\x9F\xBF",
    "\xF0\x9F\x98\x80",
    "a\xFF\xC3\xE2\x82\xF0\x9F\x98z\xED\xA0\x80\xC0\x80\xF4\x90",
    "\x80\xBF",
};

enum { MAKINGS = sizeof makings / sizeof makings[0] };

/* `len` bytes of the making, whose last character may be cut. */
static const char *made_of(const char *making, size_t len)
{
    static char text[MOST_HEARD];
    size_t size = strlen(making), i;

    for (i = 0; i < len; i++)
        text[i] = making[i % size];
    rv_sim_file_put(files, "f", text, len);
    return text;
}

/* The characters, and what is repaired, whose first byte is in the range. */
static size_t put_range(char *out, const char *text, size_t len, uint64_t offset, uint64_t limit)
{
    size_t at = 0, put = 0, part;

    for (; at < len; at += part) {
        bool valid;

        for (part = 4; part && !rv_utf8_valid_prefix(text + at, len - at < part ? len - at : part);)
            part--;
        valid = part > 0;
        part = valid ? 1 : rv_utf8_invalid_part(text + at, len - at);
        while (valid && at + part < len && ((unsigned char)text[at + part] & 0xC0) == 0x80 &&
               !rv_utf8_valid(text + at, part))
            part++;
        if (at < offset || (limit && at - offset >= limit))
            continue;
        memcpy(out + put, valid ? text + at : "\xEF\xBF\xBD", valid ? part : 3);
        put += valid ? part : 3;
    }
    return put;
}

static void expect_heard(const char *text, size_t len, uint64_t offset, uint64_t limit)
{
    static char wanted[MOST_HEARD];
    size_t wanted_len = put_range(wanted, text, len, offset, limit);

    cr_assert_eq(heard_len, wanted_len, "%zu bytes were heard of %zu", heard_len, wanted_len);
    cr_assert_arr_eq(heard, wanted, wanted_len);
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

/* Heard is all, in order, and the result is that of a batch that does not ask for it. */
static void check_range(const char *text, size_t len, const struct ask *ask)
{
    struct ask plain = *ask;
    char *result;
    size_t result_len;

    plain.sans_whole = true;
    read_it(&plain);
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
    cr_assert_eq(heard_len, 0);
    result = said;
    result_len = said_len;
    said = NULL;
    read_it(ask);
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
    cr_assert_eq(said_len, result_len);
    cr_assert_arr_eq(said, result, result_len);
    if (strstr(result, " bytes left out; read_file with offset "))
        expect_heard(text, len, ask->offset, ask->limit);
    else
        cr_assert_eq(heard_len, 0, "what fits comes with the result");
    free(result);
}

STREAM_TEST(gives_all_of_any_range_in_any_pieces, .timeout = 120)
{
    static const size_t shortest[] = {1, 2, 3, 5, 0}, lens[] = {270, 700, 701, 703};
    static const uint64_t offsets[] = {0, 1, 2, 3, 6, 100},
                          limits[] = {0, 262, 266, 333, 335, 9000};
    unsigned heard_of = 0;
    size_t i, k, m, n, o;

    for (i = 0; i < MAKINGS; i++)
        for (k = 0; k < sizeof shortest / sizeof *shortest; k++)
            for (m = 0; m < sizeof lens / sizeof *lens; m++)
                for (n = 0; n < sizeof offsets / sizeof *offsets; n++)
                    for (o = 0; o < sizeof limits / sizeof *limits; o++) {
                        const struct ask ask = {.offset = offsets[n], .limit = limits[o]};
                        const char *text = made_of(makings[i], lens[m]);

                        rv_sim_file_shorten(files, shortest[k]);
                        check_range(text, lens[m], &ask);
                        heard_of += heard_len > 0;
                    }
    fprintf(stderr, "heard of %u ranges\n", heard_of);
    cr_assert_gt(heard_of, 1500);
}

/* Head and tail are told in several pieces too. */
STREAM_TEST(gives_all_of_a_file_that_is_long, .timeout = 120)
{
    const size_t len = 900001;
    size_t i;

    for (i = 0; i < MAKINGS; i++) {
        const struct ask ask = {.cap = 1000 + 331 * 1000 * (i % 3), .offset = 1};
        const char *text = made_of(makings[i], len);

        check_range(text, len, &ask);
        cr_assert_gt(pieces, 7);
    }
}

/* What is lost is lost to the cap alone: the bytes fit, the repaired text does not. */
STREAM_TEST(gives_all_of_what_is_too_long_once_it_is_repaired)
{
    static const size_t caps[] = {256, 700, 60000};
    size_t i;

    for (i = 0; i < 3; i++) {
        const struct ask ask = {.cap = caps[i], .offset = 2};
        const size_t len = caps[i];
        const char *text = made_of("\xFFz\xE2\x82", len);

        check_range(text, len, &ask);
        cr_assert_gt(heard_len, caps[i]);
    }
}

STREAM_TEST(says_nothing_twice_of_what_fits)
{
    static const struct ask ask = {.cap = 400};
    const char *text = made_of(makings[1], 400);

    check_range(text, 400, &ask);
    cr_assert_eq(pieces, 0);
}

STREAM_TEST(without_a_listener_reads_the_ends_alone)
{
    static const struct ask ask = {.sans_whole = true};

    made_of(makings[0], 1 << 20);
    read_it(&ask);
    cr_assert_leq(rv_sim_file_count(files, RV_SIM_FILE_READ), 2);
}

/* ---- how it comes ------------------------------------------------------------------------------
 */

static void read_no_further(struct reeve_batch *heard_of, size_t index, const char *bytes,
                            size_t len, void *arg)
{
    on_output(heard_of, index, bytes, len, arg);
    cr_assert_leq(rv_sim_file_count(files, RV_SIM_FILE_READ), pieces, "it reads ahead of the host");
}

STREAM_TEST(reads_on_when_the_last_piece_is_taken)
{
    const size_t before = t->failing.live_bytes, len = 2 << 20;
    struct reeve_call call = {.id = "1",
                              .name = "read_file",
                              .arguments = "{\"path\":\"f\"}",
                              .arguments_len = strlen("{\"path\":\"f\"}")};
    static const struct ask ask = {0};
    struct reeve_batch_options options;

    made_of(makings[0], len);
    reeve_batch_options_init(&options);
    options.max_output_bytes = CAP;
    options.stream_whole = 1;
    options.skip_cache = 1;
    options.on_output = read_no_further;
    options.on_done = on_done;
    asked = &ask;
    heard_len = pieces = done = 0;
    t->failing.peak_bytes = before;
    cr_assert_eq(reeve_batch_run(toolbox, &call, 1, &options, &batch), 0);
    go();
    cr_assert_eq(heard_len, len);
    cr_assert_gt(pieces, 15);
    cr_assert_leq(t->failing.peak_bytes - before, (128 << 10) + (32 << 10), "more than a piece");
}

STREAM_TEST(is_not_starved_by_the_pace)
{
    static const struct ask ask = {0};

    made_of(makings[0], 2 << 20);
    rv_sim_file_page_cost_ns(files, 200);
    read_it(&ask);
    cr_assert_leq(pieces, 24, "pieces of 128 KiB once they are known to be cheap");
}

/* ---- what comes between ------------------------------------------------------------------------
 */

/* What was heard is the beginning of what there is. */
static void expect_beginning(const char *text, size_t len)
{
    static char wanted[MOST_HEARD];
    size_t wanted_len = put_range(wanted, text, len, 0, 0);

    cr_assert_leq(heard_len, wanted_len);
    cr_assert_arr_eq(heard, wanted, heard_len);
}

static void act_at_each_piece(enum act what, enum reeve_call_status wanted)
{
    const char *text = made_of(makings[3], 701);
    struct ask ask = {.act = what};

    rv_sim_file_shorten(files, 50);
    for (ask.at = 1; ask.at < 100; ask.at++) {
        read_it(&ask);
        if (pieces < ask.at)
            break;
        if (what != ACT_NONE && pieces == ask.at)
            cr_assert_eq(status, wanted, "%s", said);
        expect_beginning(text, 701);
        if (toolbox)
            continue;
        cr_assert_eq(reeve_toolbox_new(runtime, &toolbox), 0);
        cr_assert_eq(reeve_toolbox_add_files(toolbox, "/anywhere"), 0);
    }
    cr_assert_gt(ask.at, 8);
    cr_assert_lt(ask.at, 100);
}

STREAM_TEST(batch_is_cancelled_in_on_output)
{
    act_at_each_piece(ACT_CANCEL, REEVE_CALL_CANCELED);
}

STREAM_TEST(call_is_cancelled_in_on_output)
{
    act_at_each_piece(ACT_CANCEL_CALL, REEVE_CALL_CANCELED);
}

STREAM_TEST(toolbox_is_freed_in_on_output)
{
    act_at_each_piece(ACT_FREE, REEVE_CALL_CANCELED);
}

STREAM_TEST(is_late)
{
    static const struct ask ask = {0};
    const char *text = made_of(makings[1], 100000);

    rv_sim_file_shorten(files, 500);
    rv_sim_file_latency_ms(files, 1000);
    read_it(&ask);
    cr_assert_eq(status, REEVE_CALL_TIMED_OUT);
    cr_assert_str_eq(said, "The call was stopped: there was no result after 60000 ms.");
    cr_assert_gt(pieces, 30);
    expect_beginning(text, 100000);
}

STREAM_TEST(each_read_fails)
{
    static const struct ask ask = {0};
    const char *text = made_of(makings[1], 700);
    unsigned nth;

    rv_sim_file_shorten(files, 50);
    for (nth = 1; nth < 30; nth++) {
        rv_sim_file_fail(files, RV_SIM_FILE_READ, nth, EIO);
        read_it(&ask);
        if (status == REEVE_CALL_SUCCEEDED)
            break;
        cr_assert_str_eq(said, "\"f\" could not be read: Input/output error");
        expect_beginning(text, 700);
    }
    cr_assert_gt(nth, 12);
    cr_assert_lt(nth, 30);
    rv_sim_file_fail(files, RV_SIM_FILE_READ, 0, 0);
}

/* What the result leaves out ends where the file does, if no tail was read. */
static void expect_marker_up_to(size_t end)
{
    const char *marker = strstr(said, "\n[... ");
    unsigned long long gone, from;

    if (!marker || !strstr(marker, " ...]\n") || strstr(marker, " ...]\n")[6])
        return;
    cr_assert_eq(
        sscanf(marker, "\n[... %llu bytes left out; read_file with offset %llu", &gone, &from), 2);
    cr_assert_geq(from + gone, end, "%s", marker); /* a character may be cut there */
    cr_assert_lt(from + gone, end + 3, "%s", marker);
    markers++;
}

/* What there still was, or all that had been read by then. */
static void expect_shorter(const char *text, size_t len)
{
    static char wanted[MOST_HEARD];
    size_t wanted_len;

    for (; len < 800; len++) {
        wanted_len = put_range(wanted, text, len, 0, 0);
        if (wanted_len == heard_len && !memcmp(wanted, heard, heard_len)) {
            expect_marker_up_to(len);
            return;
        }
    }
    cr_assert_fail("it does not end where the file did");
}

/* At each piece the file becomes shorter, or longer. */
STREAM_TEST(file_changes_meanwhile)
{
    static char text[1600];
    struct ask ask = {.act = ACT_PUT, .text = text};
    size_t i;

    for (i = 0; i < sizeof text; i++)
        text[i] = makings[1][i % strlen(makings[1])];
    rv_sim_file_shorten(files, 50);
    for (ask.at = 1; ask.at < 10; ask.at++)
        for (ask.len = 0; ask.len <= sizeof text; ask.len += 37) {
            rv_sim_file_put(files, "f", text, 800);
            read_it(&ask);
            cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
            if (ask.len >= 800)
                expect_heard(text, 800, 0, 0);
            else
                expect_shorter(text, ask.len);
        }
    cr_assert_gt(markers, 20);
}

/* The head is all that there is left, and too long once it is repaired: it has been heard. */
STREAM_TEST(file_is_cut_behind_the_head)
{
    static char text[800];
    static const struct ask ask = {.act = ACT_PUT, .at = 1, .text = text, .len = 100};

    memset(text, '\xFF', sizeof text);
    rv_sim_file_put(files, "f", text, sizeof text);
    read_it(&ask);
    cr_assert_eq(status, REEVE_CALL_SUCCEEDED, "%s", said);
    expect_heard(text, 131, 0, 0);
    cr_assert_not_null(strstr(said, " bytes left out; read_file with offset "));
}

/* ---- binary files ------------------------------------------------------------------------------
 */

static void put_nul(size_t at)
{
    char text[900];

    memset(text, 'x', sizeof text);
    text[at] = '\0';
    rv_sim_file_put(files, "f", text, sizeof text);
}

STREAM_TEST(binary_files)
{
    static const struct ask ask = {0};
    static const size_t places[] = {0, 100, 131, 450, 768, 770, 899};
    char wanted[200];
    size_t i;

    rv_sim_file_shorten(files, 100);
    for (i = 0; i < sizeof places / sizeof *places; i++) {
        put_nul(places[i]);
        read_it(&ask);
        cr_assert_eq(status, REEVE_CALL_FAILED);
        if (heard_len)
            snprintf(wanted, sizeof wanted,
                     "\"f\" is a binary file of 900 bytes (its first NUL byte is at offset %zu): "
                     "its content is not text",
                     places[i]);
        else
            snprintf(wanted, sizeof wanted,
                     "\"f\" is a binary file of 900 bytes (it has NUL bytes): its content is not "
                     "text");
        cr_assert_str_eq(said, wanted);
        cr_assert_leq(heard_len, places[i]);
        cr_assert_eq(heard_len > 0, places[i] > 130);
        cr_assert_null(memchr(heard, '\0', heard_len));
    }
}

/* ---- sweeps ------------------------------------------------------------------------------------
 */

static void strike(void *arg)
{
    const struct ask *ask = arg;

    if (!batch)
        return;
    if (ask->act == ACT_FREE) {
        reeve_toolbox_free(toolbox);
        toolbox = NULL;
    } else {
        reeve_batch_cancel(batch);
    }
}

/* A file with all that is hard about it, with its end cut. */
static int scenario(struct rv_test *t, void *arg)
{
    struct reeve_runtime_options options;
    struct ask ask = {.act = ACT_NONE};
    const char *text = "";
    int error;

    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    toolbox = NULL;
    batch = NULL;
    said = NULL;
    done = 0;
    error = reeve_runtime_new(NULL, &options, &runtime);
    if (error)
        return error;
    error = reeve_toolbox_new(runtime, &toolbox);
    if (!error)
        error = reeve_toolbox_add_files(toolbox, "/anywhere");
    files = rv_sim_files_of(runtime);
    if (!error && files) {
        text = made_of(makings[3], 704);
        rv_sim_file_shorten(files, 90);
        error = start(&ask);
    }
    if (!error) {
        rv_sim_play(runtime, strike, arg);
        cr_assert_eq(done, 1);
        error = ended;
        if (status == REEVE_CALL_SUCCEEDED)
            expect_heard(text, 704, 0, 0);
        expect_beginning(text, 704);
        rv_note("%s: %s", reeve_call_status_name(status), said);
    }
    reeve_toolbox_free(toolbox);
    reeve_runtime_free(runtime);
    free(said);
    return error;
}

/* Without memory the call may fail and the batch succeed. */
static int without_memory(struct rv_test *t, void *arg)
{
    int error = scenario(t, arg);

    return !error && done && status == REEVE_CALL_FAILED ? REEVE_ENOMEM : error;
}

RV_TEST(read_stream, sweeps, .timeout = 120)
{
    struct ask cancels = {.act = ACT_CANCEL}, frees = {.act = ACT_FREE};

    RV_SWEEP_ALLOCATIONS(t, without_memory, &cancels, 30);
    RV_SWEEP_FILE_FAULTS(t, scenario, &cancels, 40);
    RV_SWEEP_STRIKES(t, scenario, &cancels, 20);
    RV_SWEEP_STRIKES(t, scenario, &frees, 20);
    RV_SWEEP_SEEDS(t, scenario, &cancels, 200);
}

/* ---- calls side by side ------------------------------------------------------------------------
 */

static size_t heard_by[3];

static void on_output_of(struct reeve_batch *heard_of, size_t index, const char *bytes, size_t len,
                         void *arg)
{
    (void)heard_of, (void)bytes, (void)arg;
    heard_by[index] += len;
}

static void on_done_of_all(struct reeve_batch *over, int error, void *arg)
{
    size_t i;

    (void)error, (void)arg;
    done++;
    for (i = 0; i < reeve_batch_count(over); i++)
        cr_assert_eq(reeve_batch_result(over, i)->source, REEVE_SOURCE_RUN);
}

/* Neither a kept result nor another call's run would tell all of it. */
STREAM_TEST(each_of_equal_calls_is_heard)
{
    static const char arguments[] = "{\"path\":\"f\"}";
    struct reeve_call calls[3];
    struct reeve_batch_options options;
    size_t i, round;

    made_of(makings[0], 5000);
    for (i = 0; i < 3; i++)
        calls[i] = (struct reeve_call){.id = "c",
                                       .name = "read_file",
                                       .arguments = arguments,
                                       .arguments_len = strlen(arguments)};
    reeve_batch_options_init(&options);
    options.max_output_bytes = CAP;
    options.stream_whole = 1;
    options.on_output = on_output_of;
    options.on_done = on_done_of_all;
    for (round = 1; round <= 2; round++) {
        done = 0;
        cr_assert_eq(reeve_batch_run(toolbox, calls, 3, &options, &batch), 0);
        go();
        for (i = 0; i < 3; i++)
            cr_assert_eq(heard_by[i], 5000 * round);
    }
}
